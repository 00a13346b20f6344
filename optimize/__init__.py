"""The planner: which hours, on what and with whom, in which quarter.

    from sim import load_scenario
    from optimize import optimize_plan

    solution = optimize_plan(load_scenario("scenarios/baseline.yaml"), floors={1: 0.9})
    print(solution.plan.summary(solution.scenario))
    solution.certificate.realised_usd, solution.certificate.hour_test

A mixed-integer program over a fluid model (problem.py, milp.py, solve.py) proposes, the simulator corrects it and tries
what it left out (reconcile.py), and fresh markets certify (solution.py). docs/planner.md tells the whole of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from optimize.limits import Limits
from optimize.objective import Objective
from optimize.problem import PlanningProblem
from optimize.reconcile import Planner
from optimize.solution import Certificate, HourTest, Solution, certified
from optimize.solve import PlanningError
from sim.documents import show
from sim.errors import PlanError
from sim.market import check_seed
from sim.scenario import Scenario

__all__ = ["Certificate", "HourTest", "Limits", "PlanningError", "Solution", "optimize_plan"]

RUN_OFF = 4
"""Quarters after the horizon whose credit is the exit value."""


def optimize_plan(
    scenario: Scenario,
    objective: str = "quota_credit",
    floors: Mapping[int, float] | None = None,
    locks: Iterable[Mapping[str, Any]] | None = None,
    seed: int = 7,
    *,
    min_partner_share: float | None = None,
    max_partner_share: float | None = None,
    largest_change_hours: float | None = None,
    recruit: bool | None = None,
    only_partners: Iterable[str] | None = None,
    coverage_mode: Mapping[str, str] | None = None,
    discount_rate: float = 0.0,
    exit_weight: float = 0.0,
    solver: str = "highs",
    name: str = "plan",
    told: Callable[[str], None] | None = None,
) -> Solution:
    """The plan with the most of an objective over the horizon, with its certificate.

    `objective` is quota_credit or net_bookings (less margins), discounted by `discount_rate` a year. `floors` is least
    attainment by quarter, from 1; `locks` are rows of hours that are fixed, as in a plan; `coverage_mode` fixes modes
    by segment. `exit_weight`, from 0 to 1, is how much the four quarters after the horizon count, in which nobody is
    developed any more. `told` hears what is going on, and may raise.

    Raises PlanError for a limit that makes no sense, PlanningError if limits clash or the solver finds no plan.
    """
    begun = time.perf_counter()
    wanted = Objective.of(scenario, objective, discount_rate)
    if isinstance(exit_weight, bool) or not isinstance(exit_weight, int | float) or not 0 <= exit_weight <= 1:
        raise PlanError(f"exit_weight is {show(exit_weight)}; allowed: a number from 0 to 1")
    check_seed("seed", seed)
    given = {
        "floors": floors,
        "locks": None if locks is None else list(locks),
        "min_partner_share": min_partner_share,
        "max_partner_share": max_partner_share,
        "largest_change_hours": largest_change_hours,
        "recruit": recruit,
        "only_partners": None if only_partners is None else list(only_partners),
        "coverage_mode": coverage_mode,
    }
    limits = Limits.of(scenario, given)
    problem = PlanningProblem.of(scenario, RUN_OFF if exit_weight else 0)
    planner = Planner(problem, wanted, limits, seed, exit_weight, solver, told or (lambda _: None))
    found = planner.plan()
    return Solution(scenario, seed, *certified(planner, found, name, begun))
