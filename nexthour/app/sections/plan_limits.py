"""What is asked of a plan, as the page's address holds it, and as the planner takes it.

Shares are written in percent; a word that is as usual is left out, so that the same wish is the same search. Left out:
the form (plan_form.py), and what limits mean (optimize/limits.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nexthour.app.page import PageContext
from nexthour.app.state import actuals_store, url_state
from nexthour.app.state.url_state import Field
from nexthour.report.numbers import whole_percent
from nexthour.report.text import with_article, with_capital
from optimize.options import OBJECTIVES, OPTIONS
from sim import PlanError, Scenario
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
        _locks(scenario),
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


def _locks(scenario: Scenario) -> Field:
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
        **_past(context, said),
        "seed": context.seed,
    }
    return PlanRequest.of(context.scenario, given)


def on_the_page(problem: str) -> str:
    """What the planner says is wrong, in the words of the form."""
    for name, words in CALLED.items():
        problem = problem.replace(name, words)
    return with_capital(problem)


def _past(context: PageContext, said: Mapping[str, Any]) -> dict[str, Any]:
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
