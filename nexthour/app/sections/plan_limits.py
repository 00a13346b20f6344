"""What is asked of a plan, as the page's address holds it, and as the planner takes it.

Shares are written in percent; a word that is as usual is left out, so that the same wish is the same search. Left out:
the form (plan_form.py), and what limits mean (optimize/limits.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nexthour.app.page import At
from nexthour.app.state import actuals_store, url_state
from nexthour.app.state.url_state import Field
from nexthour.report.plan import lock_of
from nexthour.report.text import with_article, with_capital
from sim import PlanError, Scenario
from sim.terms import COVERAGE_MODES

PAGE = "find_plan"
OBJECTIVES = {
    "quota_credit": "the most quota credit",
    "net_bookings": "the most bookings, less partners' margins",
    "expected_shortfall": "the least credit short of quota",
    "quarters_at_quota": "the most quarters at quota",
}
CALLED = {
    "limits: ": "",
    "min_partner_share": "least time with partners",
    "max_partner_share": "most time with partners",
    "only_partners": "the partners that may get hours",
    "early_floor": "least attainment of the first year",
    "floors": "least attainment",
    "exit_weight": "the weight of the year after",
    "from_quarter": "the first quarter to plan",
}
"""Arguments of the planner by what they are called on the page."""
FREE, NONE = "free", "none"
USUAL_FLOOR = 90
MOST_LOCKS = 50


def fields(at: At) -> list[Field]:
    """The state of a wish."""
    scenario, horizon = at.scenario, at.scenario.horizon_quarters
    floors = url_state.several("floors", [f"Q{q}" for q in range(1, horizon + 1)])
    return [
        url_state.choice("objective", list(OBJECTIVES), "quota_credit"),
        url_state.number("after", 0, 100, 0),
        url_state.number("discount", 0, 100, 0),
        optional("early", 0, 1000),
        floors,
        *(url_state.number(floor_key(quarter), 0, 1000, USUAL_FLOOR) for quarter in url_state.peek(PAGE, floors)),
        _locks(scenario),
        url_state.number("least", 0, 100, 0),
        url_state.number("most", 0, 100, 100),
        optional("change", 0, 1000),
        url_state.choice("recruit", ["yes", "no"], "yes"),
        url_state.several("only", scenario.partner_names),
        *(url_state.choice(mode_key(name), [FREE, *COVERAGE_MODES], FREE) for name in scenario.segment_names),
        url_state.number("from", 1, horizon, 1),
        url_state.choice("so_far", list(at.plans), scenario.status_quo.name),
        url_state.choice("actuals", [NONE, *map(str, actuals_store.versions(scenario))], NONE),
    ]


def floor_key(quarter: str) -> str:
    """The field of a quarter's least attainment."""
    return f"floor {quarter}"


def mode_key(segment: str) -> str:
    """The field of a segment's coverage mode, if it is fixed."""
    return f"fix {segment}"


def optional(key: str, least: float, most: float) -> Field:
    """A number, or none."""
    return url_state.optional_field(url_state.number(key, least, most, least, whole=False))


def _locks(scenario: Scenario) -> Field:
    def parse(words: Sequence[str]) -> list[str]:
        wanted = [word for word in words if word]
        if len(wanted) > MOST_LOCKS:
            raise ValueError(f"allowed: at most {MOST_LOCKS} of them")
        for word in wanted:
            check_lock(scenario, word)
        return list(dict.fromkeys(wanted))

    return Field("lock", [], parse, lambda value: list(value) or [""])


def check_lock(scenario: Scenario, word: str) -> None:
    """Raises ValueError, a sentence, for a lock that makes no sense by itself."""
    from optimize import Limits

    try:
        Limits.of(scenario, {"locks": [lock_of(word)]})
    except PlanError as problem:
        raise ValueError(str(problem).removeprefix("limits: ").removeprefix("locks[0]: ")) from None


def asked(at: At, state: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of the planner. Raises InputError, a sentence, for what makes no sense."""
    modes = {name: mode for name in at.scenario.segment_names if (mode := state[mode_key(name)]) != FREE}
    floors = {int(quarter[1:]): state[floor_key(quarter)] / 100 for quarter in state["floors"]}
    limits = {
        "floors": floors,
        "early_floor": None if state["early"] is None else state["early"] / 100,
        "locks": [lock_of(word) for word in state["lock"]],
        "min_partner_share": state["least"] / 100,
        "max_partner_share": state["most"] / 100 if state["most"] < 100 else None,
        "largest_change_hours": state["change"],
        "recruit": False if state["recruit"] == "no" else None,
        "only_partners": sorted(state["only"]) or None,
        "coverage_mode": modes,
    }
    given = {
        "objective": state["objective"] if state["objective"] != "quota_credit" else None,
        "exit_weight": state["after"] / 100,
        "discount_rate": state["discount"] / 100,
        **limits,
        **_past(at, state),
    }
    # 0 is a limit of the hours that may change and of the first year's attainment; of the rest it says nothing.
    wishes = {
        name: value
        for name, value in given.items()
        if value or (value is not None and name in ("largest_change_hours", "early_floor", "max_partner_share"))
        or value is False
    }  # fmt: skip
    _check(at, wishes)
    return wishes


def on_the_page(problem: str) -> str:
    """What the planner says is wrong, in the words of the form."""
    for name, words in CALLED.items():
        problem = problem.replace(name, words)
    return with_capital(problem)


def _past(at: At, state: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of the quarters that are over."""
    first, which = state["from"], state["actuals"]
    actuals = None if which == NONE else actuals_store.read_actuals(at.scenario, int(which))
    if first == 1 and actuals is None:
        return {}
    if actuals is not None:
        actuals.check_coming(at.scenario)
    # The quarters that were seen say where the plan begins, if nobody else does.
    return {"followed": at.plans[state["so_far"]], "from_quarter": first if first > 1 else None, "actuals": actuals}


def _check(at: At, wishes: Mapping[str, Any]) -> None:
    """At once, and not when the worker has time for it."""
    from optimize.objective import Objective

    its = limits_of(at, wishes)
    its.check_past(_quarters_over(wishes))
    objective = wishes.get("objective", "quota_credit")
    Objective.of(at.scenario, objective, wishes.get("discount_rate", 0.0), wishes.get("exit_weight", 0.0))


def _quarters_over(wishes: Mapping[str, Any]) -> int:
    """How many quarters are past. Where planning begins again may be said, else what was seen tells."""
    return int(wishes["actuals"].quarters if "actuals" in wishes else wishes.get("from_quarter", 1) - 1)


def limits_of(at: At, wishes: Mapping[str, Any]) -> Any:
    """The optimize.Limits among the wishes. Raises PlanError if they clash."""
    from optimize import Limits

    return Limits.of(at.scenario, limits_only(wishes))


def limits_only(wishes: Mapping[str, Any]) -> dict[str, Any]:
    """Those that a frontier keeps to as well: not what there is to be most of, nor the past."""
    from optimize import Limits

    return {name: value for name, value in wishes.items() if name in Limits.model_fields}


def in_words(at: At, wishes: Mapping[str, Any]) -> str:
    """What is asked, in a sentence."""
    its = limits_of(at, wishes)
    said = [OBJECTIVES[wishes.get("objective", "quota_credit")]]
    if "exit_weight" in wishes:
        said.append(f"the year after counts {wishes['exit_weight']:.0%}")
    if "discount_rate" in wishes:
        said.append(f"a later booking is worth {wishes['discount_rate']:.0%} less a year")
    said += [its.says(key) for key in its.given()]
    if "followed" in wishes:
        past = f"after {with_article(wishes['followed'].name)}"
        past += " and what was seen of it" if "actuals" in wishes else ""
        said.append(f"again from Q{_quarters_over(wishes) + 1}, {past}")
    return "; ".join(said)
