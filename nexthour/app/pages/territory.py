"""The territory: who sees what of the market, what more would cost, where partners stand, and what came of it.

One section at a time is drawn; which one is part of the address. Left out: indicators and the entry of what was seen
(kpi_table.py), several territories together (rollup.py).
"""

import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import streamlit as st

import nexthour.report.gaps as report
from nexthour.app import job_status
from nexthour.app.charts import territory as territory_charts
from nexthour.app.charts.tables import html_table
from nexthour.app.charts.territory import SegmentBar
from nexthour.app.controls import choose_part
from nexthour.app.page import PageContext, caption, caveat, draw_page, escaped, heading, lead_text, picture
from nexthour.app.sections import kpi_table, rollup, save_plan
from nexthour.app.state import cache, library, url_state
from nexthour.app.state.url_state import Field
from nexthour.report import numbers
from nexthour.report.text import with_capital
from optimize.coverage.gaps import Coverage, GapAnalysis, Remedy, SegmentGap, remedy_order
from optimize.coverage.treatment import Treatment
from sim import NextHourError, TimePlan
from sim.documents.messages import listed
from sim.errors import short_line
from sim.kpis import KPIS
from sim.study.estimates import Estimate
from sim.terms import COVERAGE_WORDS

PAGE = "territory"
SECTIONS = {
    "map": "Market map",
    "gaps": "Gaps and remedies",
    "partners": "Partners",
    "indicators": "Planned and actual",
    "together": "Several territories",
}
ALL = ""
"""The word for all segments."""
LETTERS_OF_NAMES = 60
"""Letters for the names of partners that are treated alike, in the sentence over their table."""


def show() -> None:
    """Draw the page."""
    draw_page(PAGE, "Territory", _page, _fields)


def _fields(context: PageContext) -> Sequence[Field]:
    names, segments = list(context.plans), context.scenario.segment_names
    return [
        url_state.choice("section", list(SECTIONS), "map"),
        url_state.choice("plan", names, names[0]),
        url_state.choice("segment", [ALL, *segments], ALL),
        url_state.number("quarter", 1, context.scenario.horizon_quarters, 1),
        url_state.choice("indicator", [kpi.name for kpi in KPIS], "credit_usd"),
        url_state.several("territories", list(library.scenario_files())),
    ]


def _page(context: PageContext) -> None:
    section = choose_part("Section", SECTIONS, "section")
    if section != "together":  # which is of today
        left, _ = st.columns([1, 1])
        left.selectbox("Plan", list(context.plans), key="plan")
    plan = context.plans[st.session_state["plan"]]
    try:
        DRAWINGS[section](context, plan)
    except NextHourError as problem:  # the rest of the page is still of use
        st.error(escaped(short_line(str(problem))))


def _plan_if_not_todays(context: PageContext, plan: TimePlan) -> TimePlan | None:
    return None if plan == next(iter(context.plans.values())) else plan


# Market map


def _draw_map(context: PageContext, plan: TimePlan) -> None:
    gaps = cache.territory_map(context.scenario, _plan_if_not_todays(context, plan), context.seed)
    lead_text(report.largest_gap(gaps))
    quarters = numbers.count_of(context.scenario.horizon_quarters, "quarter")
    title = f"What the opportunities of {quarters} are worth, and who sees them"
    picture(territory_charts.market_map_bars(list(_map_bars(gaps)), title))
    modes = dict(zip(context.scenario.segment_names, plan.table(context.scenario).coverage_mode, strict=True))
    arrow = "" if gaps.is_status_quo else ": today → with the plan"
    heads = [
        "Segment", "Coverage", "Opportu\u00adnities", "Worth of one", "Worth of all",
        *(f"{who}{arrow}" for who in ("Found by you", "Brought by partners", "Seen by nobody")),
        "Gap, worth",
    ]  # fmt: skip
    rows = [
        [
            segment.segment, COVERAGE_WORDS[modes[segment.segment]], numbers.whole(segment.opportunities.value),
            numbers.usd(segment.value_usd), numbers.usd(_worth_usd(segment)),
            *(" → ".join(map(numbers.percent, shares)) for shares in _shares_by_who(gaps, segment)),
            numbers.usd(segment.gap_usd.value),
        ]
        for segment in gaps.segments
    ]  # fmt: skip
    st.html(html_table(f"Market map over {quarters}", heads, rows))
    most = max((numbers.half_width(segment.opportunities) for segment in gaps.segments), default=0.0)
    caption(
        f"{report.map_intervals(gaps)} Opportunities up to ±{numbers.plain_whole(most)}. What one is worth is assumed, "
        "mean amount times your chance to win, and has no interval. The gap is what nobody sees of it; nobody could "
        "work all of that."
    )


def _map_bars(gaps: GapAnalysis) -> Iterator[SegmentBar]:
    for segment in gaps.segments:
        for when, seen in zip(("today", "with the plan"), _coverages(gaps, segment), strict=False):
            if seen is not None:
                yield SegmentBar.of(segment.segment, when, _worth_usd(segment), seen)


def _coverages(gaps: GapAnalysis, segment_gap: SegmentGap) -> list[Coverage | None]:
    """Today, and with the plan if one is chosen."""
    return [segment_gap.today] if gaps.is_status_quo else [segment_gap.today, segment_gap.planned]


def _shares_by_who(gaps: GapAnalysis, segment_gap: SegmentGap) -> Iterator[tuple[Estimate | None, ...]]:
    """What is found, brought by partners and seen by nobody: each today, and with the plan if one is chosen."""
    seen = _coverages(gaps, segment_gap)
    return zip(*((None,) * 3 if one is None else (one.found, one.brought, one.leaked) for one in seen), strict=True)


def _worth_usd(segment_gap: SegmentGap) -> float:
    return segment_gap.opportunities.value * segment_gap.value_usd


# Gaps and remedies


def _draw_gaps(context: PageContext, plan: TimePlan) -> None:
    chosen = _plan_if_not_todays(context, plan)
    gaps = cache.territory_map(context.scenario, chosen, context.seed)
    lead_text(report.largest_gap(gaps))
    title = "How much of each segment somebody sees, and could see at most"
    picture(territory_charts.reach_points(list(_reach_rows(gaps)), title))
    planned = [] if gaps.is_status_quo else ["With the plan"]
    rows = [
        [
            segment.segment, _seen_percent(segment.today), *([_seen_percent(segment.planned)] if planned else []),
            _seen_percent(segment.reachable), "100%", numbers.usd_with_half_width(segment.gap_usd),
        ]
        for segment in gaps.segments
    ]  # fmt: skip
    heads = ["Segment", "Today", *planned, "Reachable", "Ideal", "Gap, worth"]
    st.html(html_table("Seen by somebody, of all opportunities", heads, rows))
    caption(f"{report.map_intervals(gaps)} {report.map_words(gaps)}")
    heading("What can be done about it")
    asked = {"plan": chosen, "effort": cache.EFFORT, "seed": context.seed}
    found = job_status.result_at_once("gaps", context, asked, "Pricing the remedies", "Price the remedies")
    if found is not None:
        _draw_remedies(context, found.analysis)


def _reach_rows(gaps: GapAnalysis) -> Iterator[dict[str, object]]:
    for segment in gaps.segments:
        coverages = segment.today, segment.planned, segment.reachable
        for which, coverage in zip(territory_charts.COVERED, coverages, strict=True):
            if coverage is not None:
                share = coverage.seen
                values = {"share": share.value, "low": share.low, "high": share.high}
                yield {"segment": segment.segment, "which": which, **values}


def _seen_percent(coverage: Coverage | None) -> str:
    return numbers.percent(None if coverage is None else coverage.seen)


def _draw_remedies(context: PageContext, gaps: GapAnalysis) -> None:
    lead_text(report.best_hour(gaps))
    names = [ALL, *(segment.segment for segment in gaps.segments)]
    st.selectbox("Segment", names, key="segment", format_func=lambda name: name if name != ALL else "all segments")
    segments = [segment for segment in gaps.segments if st.session_state["segment"] in (ALL, segment.segment)]
    priced = sorted(
        ((remedy, segment.segment) for segment in segments for remedy in segment.remedies),
        key=lambda pair: remedy_order(pair[0]),
    )
    start = report.starting_point(gaps)
    gains = [pair for pair in priced if pair[0].verdict == "ahead"]
    others = [pair for pair in priced if pair[0].gain_usd is not None and pair[0].verdict != "ahead"]
    if gains:
        st.html(_remedy_table(f"What clearly gains, on top of {start}: best an hour first", gains))
    else:
        st.markdown(escaped(f"Nothing clearly gains on top of {start}."))
    if others:
        with st.expander(f"What does not clearly gain, or costs: {len(others)}"):
            st.html(_remedy_table("No clear difference, then what clearly costs", others))
    for segment in segments:
        for why in report.impossible_lines(segment.remedies):
            caption(f"{segment.segment}: {why}.")
    caption(report.remedy_words(gaps))
    _draw_remedy_to_save(context, [*gains, *others])
    caveat()


def _draw_remedy_to_save(context: PageContext, priced: Sequence[tuple[Remedy, str]]) -> None:
    """A remedy is a plan, which can be saved, unless it needs a territory with an account manager more."""
    plans: dict[str, TimePlan] = {}
    for remedy, segment in priced:
        if remedy.plan is not None and remedy.scenario == context.scenario and remedy.plan not in plans.values():
            plans[f"{report.remedy_kind(remedy)}: {remedy.what}, for {segment}"] = remedy.plan
    if not plans:
        return
    with st.expander("Keep a remedy as a plan"):
        chosen = st.selectbox("Remedy", list(plans))
        save_plan.draw(
            context, plans[chosen], textwrap.shorten(chosen, library.LONGEST_NAME, placeholder=" …"), "remedy"
        )
        if any(remedy.scenario != context.scenario for remedy, _ in priced):
            caption("An account manager more is no plan of this territory: change the territory on the page Import.")


def _remedy_table(title: str, rows: Sequence[tuple[Remedy, str]]) -> str:
    """A row a remedy: what is done for one segment may be the best to do for another too."""
    heads = ["Remedy", "Gain", "95% interval", "Hours", "Gain an hour", "Ahead from", "For", "Seen then"]
    same: dict[tuple[str, Estimate | None], list[tuple[Remedy, str]]] = {}
    for row, segment in rows:
        same.setdefault((f"{report.remedy_kind(row)}: {row.what}", row.gain_usd), []).append((row, segment))
    return html_table(title, heads, [_remedy_row(name, some) for (name, _), some in same.items()])


def _remedy_row(name: str, some: Sequence[tuple[Remedy, str]]) -> list[str]:
    remedy = some[0][0]
    assert remedy.gain_usd is not None
    gain, each, hours = remedy.gain_usd, remedy.gain_per_hour_usd, remedy.manager_hours or remedy.account_manager_hours
    each_said = "no hours" if each is None else numbers.usd_with_half_width(each, sign=True)
    return [
        name, numbers.usd(gain.value, sign=True), numbers.usd_interval(gain, sign=True),
        f"{numbers.whole(hours)}{' AM' if remedy.account_manager_hours else ''}" if hours else "none", each_said,
        report.payback_cell(remedy), ", ".join(segment for _, segment in some),
        ", ".join(numbers.percent(remedy.seen) for remedy, _ in some),
    ]  # fmt: skip


# Partners


def _draw_partners(context: PageContext, plan: TimePlan) -> None:
    found = cache.partner_treatments(context.scenario, plan, context.seed)
    if not found:
        lead_text("This scenario has no partners and no candidates, so there is nobody to develop or to limit.")
        return
    there = [treatment for treatment in found if not treatment.is_candidate]
    lead_text(_treatments_sentence(found, plan.name))
    if there:
        rows: list[dict[str, Any]] = [
            {
                "partner": treatment.partner, "treatment": treatment.treatment, "brings": 100 * treatment.commitment,
                "credit": 100 * treatment.results.value, "low": 100 * treatment.results.low,
                "high": 100 * treatment.results.high,
            }
            for treatment in there
        ]  # fmt: skip
        brings, credit = (sum(row[of] for row in rows) / len(rows) for of in ("brings", "credit"))
        title = f"Partners today, and what {plan.name} does with them"
        picture(territory_charts.partner_grid(rows, (brings, credit), title))
        widest = max(numbers.half_width(treatment.results) for treatment in there)
        caption(
            "Dashed lines: the mean partner. Results are of today's plan, 95% intervals up to "
            f"±{numbers.points(widest)} points; what a partner brings is assumed and has none."
        )
    heads = [
        "Partner", "Treatment", "What the plan does", "Quota credit today", "Brings of 100", "If not as usual, why",
    ]  # fmt: skip
    st.html(html_table(f"Treatment under {plan.name}", heads, [_treatment_row(treatment) for treatment in found]))
    caveat()


def _treatments_sentence(found: Sequence[Treatment], name: str) -> str:
    treated: dict[str, list[str]] = {}
    for treatment in found:
        treated.setdefault(treatment.treatment, []).append(treatment.partner)
    words = [word for word in territory_charts.TREATMENT_LOOKS if word in treated]
    parts = [f"{word} {listed(treated[word], LETTERS_OF_NAMES)}" for word in words]
    return f"{with_capital(name)}: {'; '.join(parts)}."


def _treatment_row(treatment: Treatment) -> list[str]:
    does = treatment.says.removeprefix(f"{treatment.partner}: {treatment.treatment}. ")
    name = treatment.partner
    results, commitment = treatment.results, numbers.plain_whole(100 * treatment.commitment)
    credit = f"{numbers.tenths_percent(results.value)} ±{numbers.points(numbers.half_width(results))}"
    if treatment.is_candidate:
        name, credit = f"{name} (candidate)", "not yet"
    return [name, treatment.treatment, does, credit, commitment, report.unusual_treatment(treatment)]


DRAWINGS: dict[str, Callable[[PageContext, TimePlan], None]] = {
    "map": _draw_map,
    "gaps": _draw_gaps,
    "partners": _draw_partners,
    "indicators": kpi_table.draw,
    "together": lambda context, plan: rollup.draw(context),
}
