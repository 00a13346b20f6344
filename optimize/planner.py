"""The search for a plan: what is asked, checked and put together, step by step.

The steps are elsewhere: problem.py, milp/, search/, proof/. docs/planner.md tells the whole of it.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from optimize.milp.solve import PlanningError
from optimize.objective import RUN_OFF_QUARTERS, Objective
from optimize.problem import PlanningProblem
from optimize.proof.certify import certify
from optimize.proof.solution import Solution
from optimize.replan.actuals import find_deviations
from optimize.replan.matching import Past
from optimize.request import PlanRequest
from optimize.search.evaluate import Purpose, Trials
from optimize.search.moves import polish
from optimize.search.reconcile import Planner
from sim import PlanError, Scenario, TimePlan
from sim.documents.messages import show
from sim.progress import Progress, silent
from sim.tape import MAX_SEED


def optimize_plan(
    scenario: Scenario,
    objective: str | None = None,
    floors: Mapping[int, float] | None = None,
    locks: Iterable[Mapping[str, Any]] | None = None,
    seed: int | None = None,
    *,
    request: PlanRequest | None = None,
    solver: str = "highs",
    solver_seconds: float | None = None,
    name: str = "plan",
    progress: Progress | None = None,
    **asked: Any,
) -> Solution:
    """The plan with the most of an objective over the horizon, with its certificate.

    What is asked for is a PlanRequest (request.py declares each field), or its fields as keywords, which go before
    those of a request. `objective` is quota_credit, net_bookings (less margins), expected_shortfall (credit short of
    quota, the least) or quarters_at_quota; discounted by `discount_rate` a year. `floors` is least attainment by
    quarter, from 1, and `early_floor` that of the first year; `locks` are rows of hours that are fixed, as in a plan;
    `coverage_mode` fixes modes by segment. `exit_weight`, from 0 to 1, is how much the four quarters after the horizon
    count, in which nobody is developed any more. `effort` is quick, normal or thorough, or an Effort.

    To plan again in the middle of a horizon: `followed` is the plan so far (the status quo if not given), whose hours
    before `from_quarter` stay, and `actuals` what was seen of these quarters: then plans are tried in markets that look
    like it. What counts is the quarters to come, against going on as before.

    `progress` hears what is going on, and may raise.

    Raises PlanError for a limit that makes no sense or a past that the scenario thinks impossible, PlanningError if
    limits clash or the solver finds no plan.
    """
    begun = time.perf_counter()
    if not isinstance(scenario, Scenario):
        raise PlanError(f"scenario is {show(scenario)}; allowed: a Scenario, as load_scenario(file) gives one")
    TimePlan.from_table(scenario, [], name)  # raises PlanError for a name that a plan cannot have
    for unknown in asked.keys() - PlanRequest.model_fields.keys():
        raise TypeError(f"optimize_plan() got an unexpected keyword argument {unknown!r}")
    request = PlanRequest.of(scenario, request, objective=objective, floors=floors, locks=locks, seed=seed, **asked)
    if solver_seconds is not None:
        effort = request.effort.model_copy(update={"solver_seconds": solver_seconds})
        request = request.model_copy(update={"effort": effort})
    planner, past, like = _planner(scenario, request, solver, progress or silent)
    found = planner.plan()
    tried, evidence = polish(planner.trials, found.tried, planner.progress)
    found = replace(found, tried=tried)
    plan, certificate = certify(planner, found, evidence, name, begun)
    quarters_over = request.quarters_over
    if planner.limits.broken(scenario, plan.table(scenario), quarters_over):
        raise PlanningError("the plan that was found does not keep to its limits; please report this")
    off = () if past is None else find_deviations(scenario, past.followed, past.actuals, request.seed, request.effort)
    followed = _followed(scenario, request)
    return Solution(scenario, request.seed, plan, certificate, quarters_over + 1, followed, off, like, planner, found)


def _followed(scenario: Scenario, request: PlanRequest) -> TimePlan | None:
    """The plan of the quarters that are over, the status quo if none was given; None if none are over."""
    if not request.quarters_over:
        return None
    return TimePlan.status_quo(scenario) if request.followed is None else request.followed


def _planner(
    scenario: Scenario, request: PlanRequest, solver: str, progress: Progress
) -> tuple[Planner, Past | None, str]:
    """The planner for a request, with the past in whose like it tries plans, and how like it they are, in words."""
    if request.seed > MAX_SEED - max(Purpose):
        most = MAX_SEED - max(Purpose)
        raise PlanError(f"seed is {request.seed}; allowed: at most {most}, as other seeds follow from it")
    over, followed = request.quarters_over, _followed(scenario, request)
    objective = Objective.of(scenario, request.objective, request.discount_rate, request.exit_weight, over)
    table = None if followed is None else followed.table(scenario)
    problem = PlanningProblem.of(scenario, RUN_OFF_QUARTERS if request.exit_weight else 0, table, over)
    past, like = None, ""
    if followed is not None and request.actuals is not None:
        past = Past(scenario, followed, request.actuals, request.effort.like_markets)
        match = past.match(request.seed)
        if match.outside:
            raise PlanError(f"actuals: {match.says}")
        like = match.says
    numbers = None if past is None else past.like_numbers
    trials = Trials(problem, objective, request.limits, request.seed, request.effort, numbers)
    return Planner(trials, TimePlan.status_quo(scenario).table(scenario), solver, progress), past, like
