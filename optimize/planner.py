"""The search for a plan: what is asked, checked and put together, step by step.

The steps are elsewhere: problem.py, milp/, search/, proof/. docs/planner.md tells the whole of it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from optimize.limits import Limits
from optimize.milp.solve import SOLVER_SECONDS, PlanningError
from optimize.objective import RUN_OFF_QUARTERS, Objective
from optimize.problem import PlanningProblem
from optimize.proof.certify import certified
from optimize.proof.solution import Solution
from optimize.replan.actuals import Actuals
from optimize.replan.deviations import deviations
from optimize.replan.matching import Past
from optimize.search.evaluate import Purpose, Trials
from optimize.search.moves import polished
from optimize.search.reconcile import Planner
from sim.documents.declared import is_whole, items_of
from sim.documents.messages import show
from sim.errors import PlanError
from sim.plan import TimePlan
from sim.progress import Progress, silent
from sim.scenario import Scenario
from sim.study.settings import check_plan
from sim.tape_numbers import MAX_SEED, check_seed

MARKETS = 600
"""In which the search tries its plans."""


def optimize_plan(
    scenario: Scenario,
    objective: str = "quota_credit",
    floors: Mapping[int, float] | None = None,
    locks: Iterable[Mapping[str, Any]] | None = None,
    seed: int = 7,
    *,
    early_floor: float | None = None,
    min_partner_share: float | None = None,
    max_partner_share: float | None = None,
    largest_change_hours: float | None = None,
    recruit: bool | None = None,
    only_partners: Iterable[str] | None = None,
    coverage_mode: Mapping[str, str] | None = None,
    discount_rate: float = 0.0,
    exit_weight: float = 0.0,
    followed: TimePlan | None = None,
    from_quarter: int | None = None,
    actuals: Actuals | None = None,
    solver: str = "highs",
    solver_seconds: float = SOLVER_SECONDS,
    name: str = "plan",
    progress: Progress | None = None,
) -> Solution:
    """The plan with the most of an objective over the horizon, with its certificate.

    `objective` is quota_credit, net_bookings (less margins), expected_shortfall (credit short of quota, the least) or
    quarters_at_quota; discounted by `discount_rate` a year. `floors` is least attainment by quarter, from 1, and
    `early_floor` that of the first year; `locks` are rows of hours that are fixed, as in a plan; `coverage_mode` fixes
    modes by segment. `exit_weight`, from 0 to 1, is how much the four quarters after the horizon count, in which nobody
    is developed any more.

    To plan again in the middle of a horizon: `followed` is the plan so far (the status quo if not given), whose hours
    before `from_quarter` stay, and `actuals` what was seen of these quarters: then plans are tried in markets that look
    like it. What counts is the quarters to come, against going on as before.

    `progress` hears what is going on, and may raise.

    Raises PlanError for a limit that makes no sense or a past that the scenario thinks impossible, PlanningError if
    limits clash or the solver finds no plan.
    """
    begun = time.perf_counter()
    _check(scenario, followed, actuals, seed, name)
    past = _past(scenario, followed, from_quarter, actuals)
    wanted = Objective.of(scenario, objective, discount_rate, exit_weight, past)
    given = {
        "floors": floors,
        "early_floor": early_floor,
        "locks": items_of(locks),
        "min_partner_share": min_partner_share,
        "max_partner_share": max_partner_share,
        "largest_change_hours": largest_change_hours,
        "recruit": recruit,
        "only_partners": items_of(only_partners),
        "coverage_mode": coverage_mode,
    }
    limits = Limits.of(scenario, given)
    limits.check_past(past)
    history = TimePlan.status_quo(scenario)
    so_far = None if not past else history if followed is None else followed
    so_far_table = None if so_far is None else so_far.table(scenario)
    problem = PlanningProblem.of(scenario, RUN_OFF_QUARTERS if exit_weight else 0, so_far_table, past)
    seen = None if so_far is None or actuals is None else Past(scenario, so_far, actuals)
    alike = "" if seen is None else seen.possible(seed).says
    trials = Trials(problem, wanted, limits, seed, MARKETS, None if seen is None else seen.alike)
    planner = Planner(trials, history.table(scenario), solver, solver_seconds, progress or silent)
    found = planner.plan()
    tried, known = polished(trials, found.tried, planner.progress)
    found = replace(found, tried=tried)
    plan, certificate = certified(planner, found, known, name, begun)
    if limits.broken(scenario, plan.table(scenario), past):
        raise PlanningError("the plan that was found does not keep to its limits; please report this")
    off = () if seen is None else deviations(scenario, seen.followed, seen.actuals, seed)
    return Solution(scenario, seed, plan, certificate, past + 1, so_far, off, alike, planner, found)


def _check(scenario: object, followed: object, actuals: object, seed: int, name: str) -> None:
    """Raise PlanError for what is of another kind than it should be, before anything takes long."""
    if not isinstance(scenario, Scenario):
        raise PlanError(f"scenario is {show(scenario)}; allowed: a Scenario, as load_scenario(file) gives one")
    if followed is not None:
        check_plan("followed", followed)
    if actuals is not None and not isinstance(actuals, Actuals):
        raise PlanError(f"actuals is {show(actuals)}; allowed: Actuals, as Actuals.load(file) gives them")
    check_seed("seed", seed)
    if seed > MAX_SEED - max(Purpose):
        raise PlanError(f"seed is {seed}; allowed: at most {MAX_SEED - max(Purpose)}, as other seeds follow from it")
    TimePlan.from_table(scenario, [], name)


def _past(scenario: Scenario, followed: TimePlan | None, from_quarter: int | None, actuals: Actuals | None) -> int:
    """How many quarters are over. Raises PlanError if what is said of them does not fit together."""
    if actuals is not None:
        actuals.check_coming(scenario)
    seen = 0 if actuals is None else actuals.quarters
    if followed is not None and from_quarter == 1:
        raise PlanError("followed: from_quarter is 1, so nothing was followed yet; leave one of them out")
    if from_quarter is None:
        if followed is not None and not seen:
            raise PlanError("followed: a plan so far needs from_quarter, the first that is still to be planned")
        from_quarter = seen + 1
    if not is_whole(from_quarter, 1, scenario.horizon_quarters):
        raise PlanError(
            f"from_quarter is {show(from_quarter)}; allowed: a whole number from 1 to {scenario.horizon_quarters}"
        )
    if actuals is not None and from_quarter != seen + 1:
        raise PlanError(
            f"from_quarter is {from_quarter}, but actuals end with quarter {seen}; allowed: {seen + 1}, or none"
        )
    return from_quarter - 1
