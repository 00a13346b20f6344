"""This year against the next: what near-term attainment costs in exit run-rate.

Epsilon-constraint (Haimes, Lasdon & Wismer 1971): of all plans of the first `through` quarters with at least so much
credit in the four quarters after them, in which nobody is developed any more, the one with the largest attainment in
the first four. With `through` of four the two are neighbours and compete for the same hours; the longer it is, the
less they do. Each point is simulated. One whose plan the solver did not prove is reported and not drawn.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from optimize.limits import Limits
from optimize.milp.solve import Solved, solve
from optimize.objective import RUN_OFF_QUARTERS, Objective
from optimize.options import EARLY_QUARTERS, FRONTIER_POINTS, FRONTIER_THROUGH
from optimize.problem import PlanningProblem
from optimize.proof.certify import as_plan
from optimize.request import PlanRequest
from optimize.search.evaluate import Trials, Tried
from optimize.search.reconcile import Planner
from sim import PlanError, Scenario, TimePlan
from sim.documents.declared import is_whole
from sim.documents.messages import show
from sim.progress import Progress, silent
from sim.study import estimates
from sim.study.estimates import Estimate

BETWEEN = 0.1
"""What a dollar of the other quarters counts: enough to settle what is left open."""
ALMOST_ALL = 0.99


@dataclass(frozen=True)
class Point:
    """One plan of the frontier, or the status quo."""

    plan: TimePlan
    attainment: Estimate
    """attainment of the first four quarters together"""
    exit_usd: Estimate
    """quota credit a quarter in the year after"""
    credit_usd: Estimate
    """quota credit of both years and what is between"""
    partner_share: float
    """share of the manager's hours in the first four quarters"""
    proven: bool
    """whether the solver proved it, within its gap; others are not to be drawn"""


@dataclass(frozen=True)
class Frontier:
    """Plans from the one that leaves most behind to the one that books most now."""

    scenario: Scenario
    seed: int
    points: tuple[Point, ...]
    status_quo: Point

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""

        def plain(point: Point) -> dict[str, Any]:
            estimated = {name: getattr(point, name) for name in ("attainment", "exit_usd", "credit_usd")}
            return {
                "plan": point.plan.model_dump(mode="json"),
                **{name: {"value": one.value, "low": one.low, "high": one.high} for name, one in estimated.items()},
                "partner_share": point.partner_share,
                "proven": point.proven,
            }

        return {
            **self.scenario.provenance(self.seed),
            "points": [plain(point) for point in self.points],
            "status_quo": plain(self.status_quo),
        }


def frontier(
    scenario: Scenario,
    points: int = FRONTIER_POINTS.default,
    seed: int | None = None,
    *,
    request: PlanRequest | None = None,
    through: int = FRONTIER_THROUGH.default,
    solver: str = "highs",
    progress: Progress | None = None,
    **asked: Any,
) -> Frontier:
    """Near-term attainment against the run-rate on leaving quarter `through`.

    It takes limits, effort and seed of a request, or as keywords as in optimize_plan; the objective is its own. Raises
    PlanError for what makes no sense, PlanningError if limits clash.
    """
    if not is_whole(points, FRONTIER_POINTS.least, FRONTIER_POINTS.most):
        bounds = f"{FRONTIER_POINTS.least} to {FRONTIER_POINTS.most}"
        raise PlanError(f"points is {show(points)}; allowed: a whole number from {bounds}")
    if not is_whole(through, EARLY_QUARTERS, scenario.horizon_quarters):
        raise PlanError(
            f"through is {show(through)}; allowed: a whole number from {EARLY_QUARTERS} to {scenario.horizon_quarters}"
        )
    scenario = scenario.longer(through - scenario.horizon_quarters)
    request = PlanRequest.of(scenario, request, seed=seed, **asked)
    _check_request(request)
    effort = request.effort.model_copy(update={"search_markets": request.effort.frontier_markets})
    progress = progress or silent
    both = Objective.of(scenario, "quota_credit", 0.0, 1.0)
    problem, given = PlanningProblem.of(scenario, RUN_OFF_QUARTERS), request.limits
    history = TimePlan.status_quo(scenario).table(scenario)
    planner = Planner(Trials(problem, both, given, request.seed, effort), history, solver, progress)
    reconciled = planner.plan()

    def best(early: float, exit_: float, at_least: float | None = None) -> Solved:
        weight = np.full(len(both.quarter_weight), BETWEEN)
        weight[:EARLY_QUARTERS], weight[-RUN_OFF_QUARTERS:] = early, exit_
        planner.objective = replace(both, quarter_weight=weight)
        model = planner.model(reconciled.modes, reconciled.rates, given)
        if at_least is not None:
            credit = model.direct_usd_k + model.partner_usd_k @ problem.credit_share
            model.row(credit[-RUN_OFF_QUARTERS:].sum() >= at_least / 1000, "exit_credit")
        return solve(model, reconciled.modes, solver=solver, seconds=planner.seconds)

    def exit_usd(solved: Solved) -> float:
        return float(problem.credit_usd(solved.direct_usd, solved.partner_usd)[-RUN_OFF_QUARTERS:].sum())

    most, soon = exit_usd(best(BETWEEN, 1.0)), best(1.0, BETWEEN)
    found = []
    # All of the largest run-rate would leave the solver no room between its tolerances.
    for i, at_least in enumerate(np.linspace(ALMOST_ALL * most, exit_usd(soon), points)[:-1]):
        progress(0, 0, f"point {i + 1} of {points}")
        found.append(best(1.0, BETWEEN, float(at_least)))
    found.append(soon)
    tried = planner.trials.of([*(solved.table for solved in found), history])
    drawn = [
        _point(planner, one, solved.outcome == "optimal", i)
        for i, (one, solved) in enumerate(zip(tried, found, strict=False))
    ]
    return Frontier(scenario, request.seed, tuple(drawn), _point(planner, tried[-1], True, None))


def _check_request(request: PlanRequest) -> None:
    """Raise PlanError for what a frontier would not heed."""
    for name, field in PlanRequest.model_fields.items():
        if name not in (*Limits.model_fields, "effort", "seed") and getattr(request, name) != field.default:
            raise PlanError(f"{name} is not for a frontier; leave it out")


def _point(planner: Planner, tried: Tried, proven: bool, number: int | None) -> Point:
    problem = planner.problem
    credit = problem.credit_usd(tried.direct_usd, tried.partner_usd)
    early = credit[:, :EARLY_QUARTERS].sum(axis=1) / problem.quota_usd[:EARLY_QUARTERS].sum()
    own = planner.scenario.territory_manager.hours_per_week
    name = "status quo" if number is None else f"frontier {number + 1}"
    return Point(
        plan=as_plan(planner.scenario, tried.table, name),
        attainment=estimates.mean(early),
        exit_usd=estimates.mean(credit[:, -RUN_OFF_QUARTERS:].mean(axis=1)),
        credit_usd=estimates.mean(credit.sum(axis=1)),
        partner_share=float(tried.table.partner[:EARLY_QUARTERS].sum(axis=(1, 2)).mean() / own),
        proven=proven,
    )
