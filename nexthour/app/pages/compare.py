"""Compare: up to three plans against today's split, on the same markets; of other scenarios too.

Left out: making plans (lab.py, find_plan.py).
"""

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from nexthour.app.charts import comparison as comparison_charts
from nexthour.app.charts import tables
from nexthour.app.charts.plan import hours_heat
from nexthour.app.charts.vega import Spec
from nexthour.app.menu import page_link
from nexthour.app.page import PageContext, caption, caveat, draw_page, escaped, heading, lead_text, picture, simulating
from nexthour.app.state import cache, lab_fields, library, url_state
from nexthour.app.state.url_state import Field
from nexthour.office.one_pager import one_pager
from nexthour.office.picture import png
from nexthour.office.provenance import Provenance, file_name
from nexthour.office.workbook import workbook
from nexthour.report import comparison as report
from nexthour.report import numbers
from nexthour.report.text import with_article
from sim import Comparison, InputError, Scenario, TimePlan
from sim.documents.yaml_file import Document
from sim.plan import ACTIVITY_WORDS
from sim.study import estimates
from sim.study.estimates import Estimate
from sim.study.experiment import PlanResult
from sim.study.request import ComparisonRequest
from sim.terms import TREATMENTS

PAGE = "compare"
SLOTS = ("a", "b", "c")
EMPTY, HERE = "", ""
"""No plan, and the scenario of the page: words that no plan and no scenario can be called by."""
LAB = "lab"
"""The field that holds a split that comes from the Lab and is not saved."""
CHOSEN_PLAN = "plan"
"""The field that says which plan somebody chose to look at closer."""
CHOICE = "closer"
"""The key of the control that chooses it. It begins with what is usual, which no address has to say."""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
YAML, PNG = "application/yaml", "image/png"
PICTURE_WIDTH = 900
"""Pixels of a picture that is saved; on a screen it is as wide as its place."""


def show() -> None:
    """Draw the page."""
    draw_page(PAGE, "Compare", _page, _fields)


def _fields(context: PageContext) -> Sequence[Field]:
    files = library.scenario_files()
    lab = Field(LAB, "", _checked_lab_word, lambda word: [word])
    split = str(url_state.peek(PAGE, lab))
    changes = lab_fields.fields_of_assumptions(PAGE, context.scenario)
    with suppress(InputError):  # which the page tells
        values = {field.key: url_state.allowed_value(PAGE, field) for field in changes}
        context = _with_changed_assumptions(context, values)
    fields = [*changes, lab]
    named = [name for name in _plans_by_name(context.scenario, split) if name != context.scenario.status_quo.name]
    from_lab = [name for name in named if split and name == lab_fields.unpack_split(split).name]
    usual = [*from_lab, *(name for name in named if name not in from_lab)]
    chosen = {LAB: split}
    for slot in SLOTS:
        shown = [chosen[other] for other in SLOTS if other in chosen]
        default = next((name for name in usual if name not in shown), EMPTY)
        where = url_state.choice(_scenario_key(slot), [HERE, *files], HERE)
        chosen[_scenario_key(slot)] = str(url_state.allowed_value(PAGE, where))
        names = _plan_names(context, chosen[_scenario_key(slot)], split)
        plan = _plan_field(slot, names, default if default in names else EMPTY)
        chosen[slot] = str(url_state.allowed_value(PAGE, plan))
        fields += [where, plan]
    _, *others = _chosen_plans(context, chosen)
    return [*fields, url_state.choice(CHOSEN_PLAN, [EMPTY, *others], EMPTY)]


def _plan_field(slot: str, names: Sequence[str], default: str) -> Field:
    """The plan of a slot. Who writes a link may say none, unless a plan is called so."""
    field = url_state.choice(slot, [EMPTY, *names], default)
    none = ["none"] if "none" not in names else []
    return replace(field, parse=lambda words: EMPTY if words[-1:] == none else field.parse(words))


def _scenario_key(slot: str) -> str:
    return f"{slot}_in"


def _checked_lab_word(words: Sequence[str]) -> str:
    lab_fields.unpack_split(words[-1])
    return words[-1]


def _plans_by_name(scenario: Scenario, split: str) -> dict[str, TimePlan]:
    """The plans that can be followed in a scenario, by name; the split from the Lab among them, if it fits."""
    plans = dict(cache.known_plans(scenario))
    if split:
        lab_split = lab_fields.unpack_split(split)
        try:
            plan = TimePlan.from_split(scenario, lab_split)
        except InputError:
            return plans
        if plan != plans.get(lab_split.name):
            plans[lab_split.name] = plan
    return plans


def _scenario(context: PageContext, where: str) -> Scenario:
    return context.scenario if where == HERE else cache.scenario(where, library.scenario_files())


def _plan_names(context: PageContext, where: str, split: str) -> list[str]:
    try:
        return list(_plans_by_name(_scenario(context, where), split))
    except InputError:
        return []


def _with_changed_assumptions(context: PageContext, changes: Mapping[str, Any]) -> PageContext:
    scenario = lab_fields.apply_changes(context.scenario, changes)
    if scenario == context.scenario:
        return context
    return replace(context, scenario=scenario, plans=cache.known_plans(scenario))


def _page(context: PageContext) -> None:
    changes = url_state.values(lab_fields.fields_of_assumptions(PAGE, context.scenario))
    if changed := lab_fields.changes_in_words(context.scenario, changes):
        caption(f"Assumed in this scenario: {changed}.")
        unchanged: dict[str, Any] = {lab_fields.CHANGED: []}
        st.button("Assume what the scenario thinks likely", on_click=st.session_state.update, kwargs=unchanged)
        context = _with_changed_assumptions(context, changes)
    _draw_slots(context)
    if unreadable := len(cache.unreadable_plans()):
        caption(f"{numbers.count_of(unreadable, 'saved plan')} cannot be read; Import, Scenario library, says why.")
    keys = [LAB, *SLOTS, *map(_scenario_key, SLOTS)]
    chosen = _chosen_plans(context, {key: st.session_state[key] for key in keys})
    if len(chosen) == 1:
        caption("Choose a plan to compare with today's split, or make one.")
        page_link("lab", "Make a plan in the Lab", context.scenario_id)
        return
    place = st.empty()
    request = ComparisonRequest(plans={name: plan for name, (_, plan) in chosen.items()}, seed=context.seed)
    scenarios = {name: scenario for name, (scenario, _) in chosen.items()}
    for stage in cache.stages(context.scenario, request):
        with simulating(context.scenario, stage.replications):
            comparison = cache.comparison_across(stage, scenarios)
        with place.container():
            _draw_verdicts(comparison)
    _draw_pictures(comparison, chosen)
    caveat()


def _draw_slots(context: PageContext) -> None:
    others = library.scenario_files()
    for slot, column in zip(SLOTS, st.columns(len(SLOTS), gap="medium"), strict=True):
        where = st.session_state[_scenario_key(slot)]
        plans = _plans_by_name(_scenario(context, where), st.session_state[LAB])
        with column:
            st.selectbox(
                f"Plan {slot.upper()}", [EMPTY, *plans], key=slot, format_func=lambda name: name or "(no plan)"
            )
            with st.popover("In another scenario" if where == HERE else f"In {escaped(_scenario_title(where))}"):
                st.selectbox("Scenario", [HERE, *others], key=_scenario_key(slot), format_func=_scenario_title)


def _scenario_title(where: str) -> str:
    return "(this one)" if where == HERE else library.scenario_title(where)


def _chosen_plans(context: PageContext, state: Mapping[str, str]) -> dict[str, tuple[Scenario, TimePlan]]:
    """The plans that are compared, by the name they have here, the status quo first."""
    base = context.scenario.status_quo.name
    chosen = {base: (context.scenario, context.plans[base])}
    for slot in SLOTS:
        name, where = state[slot], state[_scenario_key(slot)]
        if name == EMPTY or (where == HERE and name == base):
            continue
        scenario = _scenario(context, where)
        plan_there = scenario, _plans_by_name(scenario, state[LAB])[name]
        shown = name if where == HERE else f"{name} ({scenario.name})"
        if chosen.get(shown, plan_there) != plan_there:  # two scenarios of one name, or a plan that is called like this
            shown = f"{shown}, {slot.upper()}"
        chosen[shown] = plan_there
    return chosen


def _draw_verdicts(comparison: Comparison) -> None:
    challengers = report.challengers(comparison)
    best_first = sorted(challengers, key=lambda name: -challengers[name].difference_usd.value)
    for name in best_first:
        lead_text(report.verdict(comparison, name))
        if reason := report.explain_difference(comparison, name):
            caption(f"Why: {reason}")
    shares = {name: comparison[name].difference_share for name in best_first}
    picture(comparison_charts.differences(shares, with_article(comparison.baseline)))
    base, worlds = comparison.baseline, comparison.worlds
    columns = [dict(_table_column(result, name == base, worlds)) for name, result in comparison.results.items()]
    rows = [[what, *(column[what] for column in columns)] for what in columns[0]]
    st.html(tables.html_table("The plans side by side", ["", *comparison.results], rows))
    caption(
        f"{numbers.count_of(comparison.replications, 'market')}, the same for every plan. P10-P90: 8 of 10 markets lie "
        "there. Intervals are 95%; P10, P90 and the share through partners have none."
    )


def _table_column(plan_result: PlanResult, is_baseline: bool, worlds: int) -> Iterator[tuple[str, str]]:
    """The cells of a plan by what they say; intervals below their numbers, so that four columns fit a screen."""
    credit, against, worlds_ahead = plan_result.credit_usd, plan_result.difference_share, plan_result.worlds_ahead
    yield "Quota credit", f"{numbers.usd(credit.value)}\n({numbers.usd_interval(credit)})"
    yield "P10 to P90", f"{numbers.usd(plan_result.credit_p10_usd)} to {numbers.usd(plan_result.credit_p90_usd)}"
    yield "Attainment", _share_with_interval(plan_result.attainment)
    yield "Chance of quota in an average quarter", _share_with_interval(plan_result.quarters_at_quota)
    yield "Through partners", numbers.whole_percent(plan_result.partner_share_of_credit)
    yield "Difference", "" if is_baseline else f"{numbers.signed_percent(against.value)}\n({numbers.interval(against)})"
    yield "Markets ahead", "" if is_baseline else numbers.count_of_total(plan_result.markets_ahead)
    ahead = "" if is_baseline or worlds_ahead is None else numbers.count_of_total(worlds_ahead)
    yield "Plausible worlds better in", ahead if worlds or is_baseline else "…"
    payback = plan_result.payback_quarter
    yield "Pays back in", "" if is_baseline else "never" if payback is None else f"quarter {payback}"


def _share_with_interval(share: Estimate) -> str:
    return f"{numbers.whole_percent(share.value)}\n({numbers.interval(share, numbers.tenths_percent)})"


def _draw_pictures(comparison: Comparison, chosen: Mapping[str, tuple[Scenario, TimePlan]]) -> None:
    base = with_article(comparison.baseline)
    others = report.challengers(comparison)
    totals = {name: comparison[name].difference_to_quarter_usd for name in (comparison.baseline, *others)}
    cumulated = comparison_charts.cumulated_lines(totals, base)
    picture(cumulated)
    name = st.session_state[CHOICE] = _plan_looked_at(others)
    if len(others) > 1:
        st.segmented_control(
            "Look closer at", list(others), key=CHOICE, required=True, format_func=escaped, on_change=_remember_choice,
        )  # fmt: skip
    scenario, plan = chosen[name]
    left, right = st.columns(2, gap="large")
    with left:
        picture(_waterfall(comparison, chosen, name))
    with right:
        hours = {ACTIVITY_WORDS[use]: row for use, row in plan.hours_by_activity(scenario).items()}
        picture(hours_heat(hours, name))
    heading("Take it along")
    if all(other == comparison.scenario for other, _ in chosen.values()):
        _draw_downloads(comparison, name, cumulated)
    else:
        caption("Files are about plans of one scenario; choose all three in this one.")
    with st.expander("How far markets differ"):
        fans = {one: _attainment_fan(comparison, one) for one in comparison.results}
        picture(comparison_charts.attainment_fans(fans))


def _plan_looked_at(others: Mapping[str, PlanResult]) -> str:
    """The plan that is looked at closer: what somebody chose, else the one from the Lab, else the best."""
    word = st.session_state[LAB]
    for name in (st.session_state[CHOSEN_PLAN], lab_fields.unpack_split(word).name if word else EMPTY):
        if name in others:
            return str(name)
    return max(others, key=lambda name: others[name].difference_usd.value)


def _remember_choice() -> None:
    st.session_state[CHOSEN_PLAN] = st.session_state[CHOICE]


def _attainment_fan(comparison: Comparison, name: str) -> list[tuple[float, float, float]]:
    attained = comparison.outcomes[name].attainment
    low, high = np.percentile(attained, [10, 90], axis=0)
    return list(zip(low.tolist(), attained.mean(axis=0).tolist(), high.tolist(), strict=True))


def _waterfall(comparison: Comparison, chosen: Mapping[str, tuple[Scenario, TimePlan]], name: str) -> Spec:
    """The way from the baseline to a plan: own deals, then partners by how they are treated."""
    base = comparison.baseline
    credit = {one: _credit_by_kind(*chosen[one], comparison) for one in (base, name)}
    kinds = dict.fromkeys(kind for by_kind in credit.values() for kind in by_kind)
    none = np.zeros(comparison.replications)
    steps = {kind: estimates.mean(credit[name].get(kind, none) - credit[base].get(kind, none)) for kind in kinds}
    before, after = ((one, comparison[one].credit_usd.value) for one in (base, name))
    return comparison_charts.waterfall(before, {kind: step for kind, step in steps.items() if step.value}, after)


def _credit_by_kind(scenario: Scenario, plan: TimePlan, comparison: Comparison) -> dict[str, np.ndarray]:
    """Quota credit by who brings it, each of shape (markets,)."""
    credit = cache.credit_by_seller(scenario, plan, comparison.replications, comparison.seed)
    by_kind = {"your own deals": credit[:, 0]}
    candidates = {candidate.name for candidate in scenario.candidates}
    for partner, column in zip(scenario.all_partners, credit[:, 1:].T, strict=True):
        kind = "recruited" if partner.name in candidates else f"{TREATMENTS[partner.label]} partners"
        by_kind[kind] = by_kind.get(kind, 0.0) + column
    return by_kind


def _draw_downloads(comparison: Comparison, name: str, spec: Spec) -> None:
    """Draw the buttons for files of a comparison; the slide is about one plan of it, and `spec` is the picture."""
    day, scenario, plan = datetime.date.today(), comparison.scenario, comparison[name].plan
    provenance = Provenance.of(comparison, day)
    picture = {**spec, "width": PICTURE_WIDTH, "title": spec["description"], "background": "white"}
    files: dict[str, tuple[Callable[[], str | bytes], str, str, str]] = {
        "One slide (PowerPoint)": (lambda: one_pager(comparison, name, day), "one-pager", "pptx", PPTX),
        "Workbook (Excel)": (lambda: workbook(comparison, day, name), "comparison", "xlsx", XLSX),
        "Picture (PNG)": (lambda: png(picture, provenance=provenance.line), "picture", "png", PNG),
        "Plan (YAML)": (lambda: _text_with_provenance(plan, provenance), "plan", "yaml", YAML),
        "Scenario (YAML)": (lambda: _text_with_provenance(scenario, provenance), "scenario", "yaml", YAML),
    }
    with st.container(horizontal=True):
        for label, (data, what, ending, mime) in files.items():
            st.download_button(
                label, data, file_name(scenario, what, day, ending), mime, on_click="ignore", key=f"download {what}"
            )
    caption(f"Slide, plan and Excel's list of deals are of {name}. Each file says: {provenance.line}.")


def _text_with_provenance(document: Document, provenance: Provenance) -> str:
    return f"{document.text()}\n# {provenance.line}\n"
