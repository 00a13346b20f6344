"""The Lab: move the split of the week, and see what becomes of the quarters.

The first markets are shown at once and the rest follow. A saved plan is shown as it is: it may change by quarter, so it
has no sliders. Left out: finding such plans (find_plan.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from nexthour.app import job_status
from nexthour.app.charts import comparison as comparison_charts
from nexthour.app.charts import tables
from nexthour.app.charts.plan import hours_stack
from nexthour.app.menu import page_link
from nexthour.app.page import (
    PageContext,
    caption,
    caveat,
    draw_page,
    escaped,
    lead_text,
    picture,
    replace_lead_text,
    simulating,
    step_chain,
)
from nexthour.app.sections import save_plan
from nexthour.app.state import cache, lab_fields, library, url_state
from nexthour.app.state.url_state import Field
from nexthour.report import comparison as report
from nexthour.report import numbers
from nexthour.report.text import with_article
from sim import Comparison, Scenario, Sensitivity, TimePlan
from sim.assumptions import Assumption
from sim.plan import ACTIVITY_WORDS
from sim.split import Split
from sim.study.estimates import Estimate
from sim.study.experiment import PlanResult
from sim.study.flips import Flip
from sim.study.request import ComparisonRequest

PAGE = "lab"
SPLIT, SAVED = "", "plan"
"""The field that holds the name of a saved plan, and what it holds when there is a split of one's own."""
TURNS = "turns"
"""The field that says whether what turns the verdict was asked for."""


def show() -> None:
    """Draw the page."""
    draw_page(PAGE, "Lab", _page, _fields, answers_first=True)


def _page(context: PageContext) -> None:
    top = st.container()  # above the controls, as on a phone all else comes below them
    controls, column = st.columns([1, 2.4], gap="large")
    fields = lab_fields.fields_of_assumptions(PAGE, context.scenario)
    assumed = url_state.values(fields)
    scenario, changes = lab_fields.apply_changes(context.scenario, assumed), url_state.as_words(assumed, fields)
    saved, state = st.session_state[SAVED], url_state.values(lab_fields.fields_of_split(scenario))
    try:
        # The first answer comes before sidebar and controls, as a browser takes some time for each of them.
        plan = context.plans[saved] if saved else lab_fields.plan_of_fields(scenario, state)
        request = _request(scenario, plan, context.seed)
        results, stages = _Results(scenario, request, top, column), cache.stages(scenario, request)
        results.draw(next(stages))
    finally:
        context.draw_sidebar()
        with controls:
            if saved:
                _draw_saved_plan(context, saved, changes)
            else:
                _draw_controls(scenario)
    if not saved:
        with controls:
            _draw_save_form(context, plan, lab_fields.split_of_fields(scenario, state), changes)
    is_changed = bool(st.session_state[lab_fields.CHANGED])
    with column:
        with st.expander("What is assumed, and what would turn the verdict", expanded=is_changed):
            _draw_assumptions(context, scenario, request)
        caveat()
    for stage in stages:
        results.draw(stage)


def _request(scenario: Scenario, plan: TimePlan, seed: int) -> ComparisonRequest:
    """Today's split against a plan, the second of two."""
    base = TimePlan.status_quo(scenario)
    name = f"{plan.name} (Lab)" if plan.name == base.name else plan.name
    return ComparisonRequest(
        plans={base.name: base, name: plan.model_copy(update={"name": name})}, baseline=base.name, seed=seed
    )


def _fields(context: PageContext) -> Sequence[Field]:
    saved = url_state.choice(SAVED, [SPLIT, *context.plans], SPLIT)
    turns = url_state.choice(TURNS, ["no", "yes"], "no")
    changes = lab_fields.fields_of_assumptions(PAGE, context.scenario)
    return [*lab_fields.fields_of_split(context.scenario), saved, *changes, turns]


def _draw_saved_plan(context: PageContext, name: str, changes: Mapping[str, list[str]]) -> None:
    lead_text(name)
    caption("This plan is shown as it is, and may change by quarter, so it has no sliders.")
    st.button("Begin a split of your own", on_click=st.session_state.update, args=({SAVED: SPLIT},))
    if name != context.scenario.status_quo.name:
        page_link("compare", "Compare it with other plans", context.scenario_id, a=[name], **changes)


def _draw_controls(scenario: Scenario) -> None:
    partners = [partner.name for partner in scenario.partners]
    st.slider("Time with partners", 0, lab_fields.MOST_TIME, key="share", format="%d%%", disabled=not partners)
    if not partners:
        caption("This scenario has no partners.")
    st.selectbox("With whom", list(lab_fields.FOCUS), key="focus", format_func=lab_fields.FOCUS.__getitem__)
    if st.session_state["focus"] == lab_fields.CHOSEN:
        st.multiselect("Partners that get the time", partners, key="with", placeholder="Choose partners")
    parts = sum(st.session_state[activity] for activity in lab_fields.MIXED)
    shares = {activity: st.session_state[activity] / parts if parts else 0.0 for activity in lab_fields.MIXED}
    mixed = ", ".join(f"{ACTIVITY_WORDS[use]} {numbers.whole_percent(share)}" for use, share in shares.items() if share)
    with st.expander(f"On what: {mixed or 'nothing'}", key="mix"):
        for activity, share in shares.items():
            st.slider(
                f"{ACTIVITY_WORDS[activity].capitalize()}: {numbers.whole_percent(share)} of it", 0, 100, key=activity,
                step=5, format="%d parts",
            )  # fmt: skip
    with st.expander("Who is left alone, and prospecting"):
        st.multiselect(
            "Parked partners: they get nothing, cost nothing, and bring what they bring", partners, key="park",
            placeholder="Nobody is parked",
        )  # fmt: skip
        st.slider("Time for planned prospecting", 0, lab_fields.MOST_TIME, key="prospect", format="%d%%")
    changed = lab_fields.coverage_changes(url_state.values(lab_fields.fields_of_split(scenario)))
    with st.expander(f"Coverage: {escaped(', '.join(changed)) or 'direct, shared or partner-led'}", key="coverage"):
        for name in scenario.segment_names:
            key, modes = lab_fields.coverage_key(name), lab_fields.MODES
            st.selectbox(escaped(name), list(modes), key=key, format_func=modes.__getitem__)


class _Results:
    """The places of the answer, its figures and pictures, each replaced as more markets are known."""

    def __init__(
        self, scenario: Scenario, request: ComparisonRequest, top: DeltaGenerator, column: DeltaGenerator
    ) -> None:
        self.scenario, self.name = scenario, list(request.plans_by_name)[1]
        self.top = self.answer = top
        self.figures, self.pictures = column.empty(), column.empty()

    def draw(self, stage: ComparisonRequest) -> None:
        """Show what is known in this many markets."""
        with self.top, simulating(self.scenario, stage.replications):
            comparison = cache.comparison(self.scenario, stage)
        reason = report.explain_difference(comparison, self.name)
        verdict, small = report.verdict(comparison, self.name), f"Why: {reason}" if reason else ""
        self.answer = replace_lead_text(self.answer, verdict, small)
        with self.figures.container():
            _draw_numbers(comparison, comparison[self.name])
        if not stage.worlds:  # of which nothing below the figures tells
            with self.pictures.container():
                _draw_pictures(comparison, self.name)


def _draw_pictures(comparison: Comparison, name: str) -> None:
    result = comparison[name]
    step_chain(report.chain_of_effects(comparison, name))
    picture(comparison_charts.dip_and_payback(result.difference_to_quarter_usd, with_article(comparison.baseline)))
    # The name of a split tells its numbers; under a title that stays, only the rows are drawn anew.
    shown = st.session_state[SAVED] or "this split"
    picture(hours_stack(result.plan.hours_by_activity(comparison.scenario), shown))


def _draw_numbers(comparison: Comparison, plan_result: PlanResult) -> None:
    share, quarters = plan_result.difference_share, comparison.scenario.horizon_quarters
    worlds = plan_result.worlds_ahead
    attainment, chance, ahead = plan_result.attainment, plan_result.quarters_at_quota, plan_result.markets_ahead
    metrics = (
        ("Attainment", numbers.whole_percent(attainment.value),
         f"Quota credit over quota, {quarters} quarters. {_interval(attainment)}"),
        ("Chance of quota", numbers.whole_percent(chance.value), f"In an average quarter. {_interval(chance)}"),
        (f"Against {escaped(with_article(comparison.baseline))}", numbers.signed_percent(share.value),
         f"95% interval {numbers.interval(share)}, the same markets."),
        ("Markets ahead", numbers.of_100(ahead.value), f"{numbers.count_of_total(ahead)} markets."),
        ("Worlds better", "…" if worlds is None else numbers.of_100(worlds.value),
         "Plausible worlds: sets of assumptions drawn from their ranges."),
    )  # fmt: skip
    for column, (label, value, more) in zip(st.columns(len(metrics)), metrics, strict=True):
        column.metric(label, value, help=more)


def _interval(share: Estimate) -> str:
    return f"95% interval {numbers.interval(share, numbers.tenths_percent)}."


def _draw_assumptions(context: PageContext, scenario: Scenario, request: ComparisonRequest) -> None:
    known = {assumption.name: assumption for assumption in cache.known_assumptions(context.scenario)}
    usual = "All are as the scenario thinks likely"
    st.multiselect("Change an assumption", list(known), key=lab_fields.CHANGED, placeholder=usual)
    for name in st.session_state[lab_fields.CHANGED]:
        assumption = known[name]
        if (key := lab_fields.value_key(assumption)) in st.session_state:
            plausible = f"plausible {numbers.interval(assumption, numbers.plain_number)}"
            st.number_input(
                escaped(f"{name} ({assumption.unit}): likely {numbers.plain_number(assumption.likely)}, {plausible}"),
                float(assumption.least), float(assumption.most), key=key, format="%.4g",
                step=(assumption.high - assumption.low) / 20,
            )  # fmt: skip
    turned = _verdict_turns(context, scenario, request)
    if known:
        st.html(_assumption_table(known, turned))


def _assumption_table(known: Mapping[str, Assumption], turned: Mapping[str, str] | None) -> str:
    turns = ["Verdict turns"] if turned is not None else []
    heads = ["Assumption", "Low", "Likely", "High", *turns, "Unit", "Meaning", "Source"]
    rows = []
    for name, assumption in known.items():
        values = [numbers.plain_number(value) for value in (assumption.low, assumption.likely, assumption.high)]
        values += [turned.get(assumption.path, "")] if turned is not None else []
        rows.append([name, *values, assumption.unit, assumption.meaning, assumption.source])
    return tables.html_table("What is assumed: the scenario's likely values and what is plausible", heads, rows)


def _verdict_turns(context: PageContext, scenario: Scenario, request: ComparisonRequest) -> dict[str, str] | None:
    """The values at which the verdict on the split turns, by path of an assumption. None if that was not asked for."""
    if st.session_state[TURNS] == "no":
        st.button(
            "Which assumption would turn the verdict?", help="It takes about half a minute.",
            on_click=st.session_state.update, args=({TURNS: "yes"},),
        )  # fmt: skip
        return None
    asked = {"request": request.model_copy(update={"replications": cache.usual_markets(scenario)})}
    known: Sensitivity | None = job_status.result_at_once(
        "sensitivity", replace(context, scenario=scenario), asked, "Trying other assumptions", "Look again"
    )
    if known is None:
        return None
    (plan,) = known.plans.values()
    lead_text(f"The verdict: {report.turning_point(plan)}.")
    return {swing.assumption.path: "; ".join(map(_flip_text, swing.flips)) for swing in plan.swings}


def _flip_text(flip: Flip) -> str:
    return f"at {numbers.digits(flip.value)}{'' if flip.plausible else ', not plausible'}"


def _draw_save_form(context: PageContext, plan: TimePlan, split: Split, changes: Mapping[str, list[str]]) -> None:
    """Save it, and take it further; `changes` of assumptions come along."""
    with st.form("save", border=False):
        name = st.text_input("Save this split as a plan", value=plan.name, max_chars=library.LONGEST_NAME)
        if st.form_submit_button("Save"):
            saved = save_plan.save(context, plan, name)
            st.success(escaped(f"Saved as {saved}. It is in Compare now."))
    packed = lab_fields.pack_split(split)
    page_link("compare", "Compare it with other plans", context.scenario_id, lab=[packed], **changes)
    caption("The address of this page holds all of it: copy it to share what you see.")
