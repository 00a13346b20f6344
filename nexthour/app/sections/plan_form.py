"""The form of Find a plan: its fields, as the address of the page holds them, its controls, and the request they make.

Shares are written in percent; a word that is as usual is left out, so that the same wish is the same search. Left out:
what limits mean (optimize/limits.py), and what becomes of it (find_plan.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from nexthour.app.page import PageContext, caption, escaped
from nexthour.app.state import actuals_store, lab_fields, library, url_state, visit
from nexthour.app.state.url_state import Field
from nexthour.report.numbers import whole_percent
from nexthour.report.text import with_article, with_capital
from optimize.options import OBJECTIVES, OPTIONS
from sim import InputError, PlanError, Scenario
from sim.plan import ACTIVITY_WORDS
from sim.terms import COVERAGE_MODES

if TYPE_CHECKING:
    from optimize.request import PlanRequest

PAGE = "find_plan"
CALLED = {
    "min_partner_share": "least time with partners",
    "max_partner_share": "most time with partners",
    "only_partners": "the partners that may get hours",
    "early_floor": "least attainment of the first year",
    "floors": "least attainment",
    "exit_weight": "the weight of the year after",
    "from_quarter": "the first quarter to plan",
}
"""Arguments of the planner by what they are called on the page."""
ANY, NONE = "free", "none"
USUAL_FLOOR = 90
MOST_LOCKS = 50


def fields(context: PageContext) -> list[Field]:
    """The state of the form, a field for each word of the address; bounds and defaults are those of a PlanRequest."""
    scenario, horizon = context.scenario, context.scenario.horizon_quarters
    change = OPTIONS["largest_change_hours"]
    floors = url_state.several(_word("floors"), [f"Q{q}" for q in range(1, horizon + 1)])
    return [
        url_state.choice(_word("objective"), list(OBJECTIVES), OPTIONS["objective"].default),
        _percent("exit_weight"),
        _percent("discount_rate"),
        optional(_word("early_floor"), *in_percent("early_floor")),
        floors,
        *(
            url_state.number(floor_key(quarter), *in_percent("floors"), USUAL_FLOOR)
            for quarter in url_state.peek(PAGE, floors)
        ),
        _locks_field(scenario),
        _percent("min_partner_share"),
        _percent("max_partner_share"),
        optional(_word("largest_change_hours"), change.least, change.most),
        url_state.choice(_word("recruit"), ["yes", "no"], "yes"),
        url_state.several(_word("only_partners"), scenario.partner_names),
        *(url_state.choice(mode_key(name), [ANY, *COVERAGE_MODES], ANY) for name in scenario.segment_names),
        url_state.number(_word("from_quarter"), 1, horizon, 1),
        url_state.choice(_word("followed"), list(context.plans), scenario.status_quo.name),
        url_state.choice(_word("actuals"), [NONE, *map(str, actuals_store.versions(scenario))], NONE),
    ]


def _word(name: str) -> str:
    return OPTIONS[name].word


def _percent(name: str) -> Field:
    return url_state.number(_word(name), *in_percent(name), 100 * OPTIONS[name].default)


def in_percent(name: str) -> tuple[int, int]:
    """The bounds of a share of a request, in percent."""
    return 100 * OPTIONS[name].least, 100 * OPTIONS[name].most


def floor_key(quarter: str) -> str:
    """The field of a quarter's least attainment."""
    return f"floor {quarter}"


def mode_key(segment: str) -> str:
    """The field of a segment's coverage mode, if it is fixed."""
    return f"{_word('coverage_mode')} {segment}"


def optional(key: str, least: float, most: float) -> Field:
    """The field of a number that may be left out."""
    return url_state.optional_field(url_state.number(key, least, most, least, whole=False))


def _locks_field(scenario: Scenario) -> Field:
    def parse(words: Sequence[str]) -> list[str]:
        chosen = list(dict.fromkeys(word for word in words if word))
        if len(chosen) > MOST_LOCKS:
            raise ValueError(f"allowed: at most {MOST_LOCKS} of them")
        for word in chosen:
            check_lock(scenario, word)
        return chosen

    return Field(_word("locks"), [], parse, lambda value: list(value) or [""])


def check_lock(scenario: Scenario, word: str) -> None:
    """Raise ValueError, a sentence, for a lock that makes no sense by itself."""
    from optimize.limits import Limits, parse_lock

    try:
        Limits.of(scenario, {"locks": [parse_lock(word)]})
    except PlanError as problem:
        raise ValueError(str(problem).removeprefix("locks[0]: ")) from None


def request_of(context: PageContext, state: Mapping[str, Any]) -> PlanRequest:
    """What the state of the form asks for. Raises InputError, a sentence, for what makes no sense."""
    from optimize.limits import parse_lock
    from optimize.request import PlanRequest

    said: dict[str, Any] = {name: state.get(option.word) for name, option in OPTIONS.items()}
    shares = [name for name, option in OPTIONS.items() if option.kind is float and option.unit.startswith("share")]
    modes = {name: mode for name in context.scenario.segment_names if (mode := state[mode_key(name)]) != ANY}
    given = {
        **said,
        **{name: None if said[name] is None else said[name] / 100 for name in shares},
        "floors": {int(quarter[1:]): state[floor_key(quarter)] / 100 for quarter in said["floors"]},
        "locks": [parse_lock(word) for word in said["locks"]],
        "recruit": said["recruit"] == "yes",
        "only_partners": sorted(said["only_partners"]) or None,
        "coverage_mode": modes,
        **_asked_of_past(context, said),
        "seed": context.seed,
    }
    return PlanRequest.of(context.scenario, given)


def on_the_page(problem: str) -> str:
    """What the planner says is wrong, in the words of the form."""
    for name, words in CALLED.items():
        problem = problem.replace(name, words)
    return with_capital(problem)


def _asked_of_past(context: PageContext, said: Mapping[str, Any]) -> dict[str, Any]:
    first, which = said["from_quarter"], said["actuals"]
    actuals = None if which == NONE else actuals_store.read_actuals(context.scenario, int(which))
    if first == 1 and actuals is None:
        return {"followed": None, "from_quarter": None, "actuals": None}
    # The quarters that were seen say where the plan begins, if nobody else does.
    followed = context.plans[said["followed"]]
    return {"followed": followed, "from_quarter": first if first > 1 else None, "actuals": actuals}


def request_words(request: PlanRequest) -> str:
    """What is asked for, in a sentence."""
    said = [OBJECTIVES[request.objective]]
    if request.exit_weight:
        said.append(f"the year after counts {whole_percent(request.exit_weight)}")
    if request.discount_rate:
        said.append(f"a later booking is worth {whole_percent(request.discount_rate)} less a year")
    said += [request.says(key) for key in request.given()]
    if request.followed is not None:
        past = f"after {with_article(request.followed.name)}"
        past += " and what was seen of it" if request.actuals is not None else ""
        said.append(f"again from Q{request.quarters_over + 1}, {past}")
    return "; ".join(said)


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
            _draw_past(context)
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
            key = floor_key(quarter)
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
        _draw_locks(scenario)
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
                    escaped(name), [ANY, *lab_fields.MODES], key=mode_key(name),
                    format_func=lambda mode: lab_fields.MODES.get(mode, "whatever is best"),
                )  # fmt: skip


def _draw_locks(scenario: Scenario) -> None:
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
        check_lock(scenario, word)
    except ValueError as problem:
        visit.current().lock_problem = f"This cannot be locked: {problem}"
        return
    session_state["lock"] = list(dict.fromkeys([*session_state["lock"], word]))


def _unlock(word: str) -> None:
    st.session_state["lock"] = [kept for kept in st.session_state["lock"] if kept != word]


def _draw_past(context: PageContext) -> None:
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
