"""The form of Find a plan: what to find, what must hold, what is fixed, and what is over already.

Every control is a field of plan_limits.py. Left out: what becomes of it (find_plan.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from nexthour.app.page import PageContext, caption, escaped
from nexthour.app.sections import plan_limits
from nexthour.app.sections.plan_limits import ANY, NONE, in_percent
from nexthour.app.state import actuals_store, lab_fields, library, visit
from optimize.options import OBJECTIVES, OPTIONS
from sim import InputError, Scenario
from sim.plan import ACTIVITY_WORDS

LOCKED = ("sell", "prospect", "coach", "joint_plan", "co_sell", "sell_for", "socialise")
"""Activities that a lock may be of. Recruiting is planned as a whole."""
ACTUALS_FILE, LOCK_ACTIVITY, LOCK_TARGET = "actuals file", "lock what", "lock whom"
LOCK_NUMBERS = ("lock hours", "lock first", "lock last")
"""Keys of controls that no address holds."""


def controls(context: PageContext) -> None:
    """Draw the controls of a plan's request, in three columns."""
    scenario = context.scenario
    what, holds, fixed = st.columns(3, gap="large")
    with what:
        st.markdown("**What to find**")
        st.selectbox(
            "The plan with", list(OBJECTIVES), key="objective", format_func=OBJECTIVES.__getitem__,
        )  # fmt: skip
        st.slider(
            "How much the year after counts", *in_percent("exit_weight"), key="after", step=5, format="%d%%",
            help="Quota credit of the four quarters after the horizon, in which nobody is developed any more. "
            "At 0% nothing that pays back later is worth an hour in the last quarters.",
        )  # fmt: skip
        with st.expander("A later booking is worth less"):
            st.slider("Less each year", *in_percent("discount_rate"), key="discount", format="%d%%")
        with st.expander("Some quarters are over already"):
            _past(context)
    with holds:
        st.markdown("**What must hold**")
        least, most = in_percent("early_floor")
        st.number_input(
            "Least attainment of the first year, in % of quota", float(least), float(most), value=None,
            key="early", step=5.0, placeholder="no floor",
        )  # fmt: skip
        quarters = [f"Q{q}" for q in range(1, scenario.horizon_quarters + 1)]
        st.multiselect("Least attainment of single quarters", quarters, key="floors", placeholder="no floor")
        for quarter in st.session_state["floors"]:
            key = plan_limits.floor_key(quarter)
            if key in st.session_state:
                st.number_input(f"Least attainment of {quarter}, in % of quota", *in_percent("floors"), key=key, step=5)
        change = OPTIONS["largest_change_hours"]
        st.slider("Least time with partners", *in_percent("min_partner_share"), key="least", format="%d%%")
        st.slider("Most time with partners", *in_percent("max_partner_share"), key="most", format="%d%%")
        st.number_input(
            "Most that partner hours change between quarters, a week", float(change.least), float(change.most),
            value=None, key="change", step=1.0, placeholder="any change",
        )  # fmt: skip
    with fixed:
        st.markdown("**What is fixed**")
        _locks(scenario)
        st.multiselect(
            "Hours only for these partners", scenario.partner_names, key="only", placeholder="all of them may get hours"
        )
        if scenario.candidates:
            st.radio(
                "Recruiting", ["yes", "no"], key="recruit", horizontal=True,
                format_func={"yes": "if it pays", "no": "nobody"}.__getitem__,
            )  # fmt: skip
        with st.expander("Coverage"):
            for name in scenario.segment_names:
                st.selectbox(
                    escaped(name), [ANY, *lab_fields.MODES], key=plan_limits.mode_key(name),
                    format_func=lambda mode: lab_fields.MODES.get(mode, "whatever is best"),
                )  # fmt: skip


def _locks(scenario: Scenario) -> None:
    words: list[str] = st.session_state["lock"]
    for i, word in enumerate(words):
        said, button = st.columns([5, 1.6], vertical_alignment="center")
        with said:
            caption(lock_says(scenario, word))
        button.button("Remove", key=f"unlock {i}", on_click=_unlock, args=(word,), help=escaped(word))
    with st.expander("Lock some hours" if not words else "Lock more hours"):
        activity = st.selectbox("On what", LOCKED, key=LOCK_ACTIVITY, format_func=ACTIVITY_WORDS.__getitem__)
        targets = scenario.segment_names if activity == "prospect" else scenario.partner_names
        if activity != "sell":
            st.selectbox("In which segment" if activity == "prospect" else "With whom", targets, key=LOCK_TARGET)
        st.number_input("Hours a week", 0.0, 168.0, 4.0, step=0.25, key=LOCK_NUMBERS[0])
        first, last = st.columns(2)
        horizon = scenario.horizon_quarters
        first.number_input("From quarter", 1, horizon, 1, key=LOCK_NUMBERS[1])
        last.number_input("To quarter", 1, horizon, horizon, key=LOCK_NUMBERS[2])
        st.button("Add this lock", on_click=_lock, args=(scenario,))
        this_visit = visit.current()
        if this_visit.lock_problem:
            st.error(escaped(this_visit.lock_problem))
            this_visit.lock_problem = ""


def lock_says(scenario: Scenario, word: str) -> str:
    """A lock in words."""
    from optimize.limits import Limits, parse_lock

    return Limits.of(scenario, {"locks": [parse_lock(word)]}).says("locks 0")


def _lock(scenario: Scenario) -> None:
    from optimize.limits import lock_text

    session_state = st.session_state
    target = None if session_state[LOCK_ACTIVITY] == "sell" else session_state[LOCK_TARGET]
    numbers = (session_state[key] for key in LOCK_NUMBERS)
    word = lock_text(session_state[LOCK_ACTIVITY], target, *numbers)
    try:
        plan_limits.check_lock(scenario, word)
    except ValueError as problem:
        visit.current().lock_problem = f"This cannot be locked: {problem}"
        return
    session_state["lock"] = list(dict.fromkeys([*session_state["lock"], word]))


def _unlock(word: str) -> None:
    st.session_state["lock"] = [kept for kept in st.session_state["lock"] if kept != word]


def _past(context: PageContext) -> None:
    st.number_input("Plan again from quarter", 1, context.scenario.horizon_quarters, key="from")
    st.selectbox("The plan so far", list(context.plans), key="so_far")
    numbers = list(actuals_store.versions(context.scenario))
    versions = [NONE, *map(str, numbers)]
    st.selectbox("What was seen", versions, key="actuals", format_func=lambda word: _version_title(word, numbers))
    caption("Enter it on the page Territory, under Planned and actual, or in a file (docs/replan.md shows one).")
    upload = st.file_uploader("A file of what was seen, YAML", type=["yaml", "yml"], key=ACTUALS_FILE)
    if upload is None:
        return
    this_visit = visit.current()
    if upload.file_id == this_visit.taken.get(ACTUALS_FILE):
        caption(f"{upload.name} is read.")
        return
    from optimize import Actuals

    try:
        actuals = library.read_upload(Actuals, upload.getvalue(), upload.name)
        number = actuals_store.save_actuals(context.scenario, actuals)
    except InputError as problem:
        st.error(escaped(str(problem)))
        return
    this_visit.taken[ACTUALS_FILE], this_visit.actuals_read = upload.file_id, str(number)
    st.rerun()


def _version_title(word: str, numbers: Sequence[int]) -> str:
    if word == NONE:
        return "nothing yet"
    return "as entered last" if int(word) == numbers[-1] else f"as entered before, version {word} of {numbers[-1]}"


def arriving() -> None:
    """A file that was read just now is the one that is meant. Before the controls: theirs is the state then."""
    this_visit = visit.current()
    if this_visit.actuals_read:
        st.session_state["actuals"], this_visit.actuals_read = this_visit.actuals_read, ""
