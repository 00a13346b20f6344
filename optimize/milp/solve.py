"""From a model to an answer: which solver, what its status means, and the clash of limits where there is no plan.

A plan leaves this file only if the solver proved it feasible. PuLP says "optimal" of a plan that a time limit stopped,
and variables keep values after an infeasible run; so the status is read from the solver's own word.
"""

import os
import sys
import time
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

import numpy as np
import pulp

from optimize.effort import Effort
from optimize.milp.model import Model
from optimize.objective import Objective
from optimize.problem import HISTORY
from sim.arrays import FloatArray
from sim.errors import NextHourError
from sim.plan import PlanTable
from sim.terms import CoverageMode

Outcome = Literal["optimal", "feasible", "infeasible"]
"""Proven within the gap; stopped by the time limit with a plan; no plan at all."""
CBC_STATUS = {pulp.LpSolutionOptimal: "optimal", pulp.LpSolutionIntegerFeasible: "feasible"}
NO_END = "the model has no end to its credit; some number of the scenario is out of all proportion: mend it"
LEAST_HOURS = 1e-6
BY_PERIOD = ("sell", "prospect", "partner", "channel_account_manager", "parked", "support")
"""The parts of a plan table that have a row for each quarter."""


class PlanningError(NextHourError):
    """There is no plan: limits clash, or a solver is missing or found nothing in time; and what to do."""


class NoPlan(PlanningError):
    """There is no plan that keeps to all limits."""


@dataclass(frozen=True)
class Solved:
    """What the solver found. Money in US dollars; T periods, P partners, S segments."""

    outcome: Outcome
    objective_usd: float
    bound_usd: float
    """no plan of the fluid model is better"""
    seconds: float
    table: PlanTable
    """the plan, for the horizon"""
    skill: FloatArray
    """skill of an active partner, shape (T, P)"""
    engagement: FloatArray
    reach: FloatArray
    """shape (T, S)"""
    direct_usd: FloatArray
    """bookings forecast by period, shape (T,)"""
    partner_usd: FloatArray
    """shape (T, P)"""

    def value(self, objective: Objective) -> float:
        """The forecast of an objective over the horizon."""
        return float(objective.value(self.direct_usd[HISTORY:], self.partner_usd[HISTORY:]))

    @property
    def gap(self) -> float:
        """How much better the best plan of the fluid model may be, as a share."""
        return max(0.0, (self.bound_usd - self.objective_usd) / max(abs(self.objective_usd), 1.0))


def solve(
    model: Model,
    modes: tuple[CoverageMode, ...],
    *,
    solver: str = "highs",
    gap: float = 0.005,
    seconds: float = Effort.normal.solver_seconds,
) -> Solved:
    """The best plan of the model. Raises PlanningError, and gives no plan, if none was proven feasible."""
    begun = time.perf_counter()
    outcome, bound = _run_solver(model.lp, solver, gap, seconds)
    if outcome == "infeasible" and solver == "highs":
        # It has called a feasible model infeasible (1.16): that there is no plan takes two to say.
        outcome, bound = _run_solver(model.lp, "cbc", gap, seconds)
    took = time.perf_counter() - begun
    if outcome == "infeasible":
        # Solvers say the same of a model without end; with nothing to make largest it would have a plan.
        model.lp.setObjective(0 * model.lp.variables()[0])
        if _run_solver(model.lp, solver, gap, seconds)[0] != "infeasible":
            raise PlanningError(NO_END)
        raise NoPlan("no plan keeps to all limits")
    values = [variable.value() for variable in model.lp.variables()]
    if any(value is None or not np.isfinite(value) for value in values):
        raise PlanningError(f"{solver} gave a plan with numbers missing; try another solver, and please report this")
    objective = float(pulp.value(model.lp.objective))
    active = np.maximum(_numbers(model.active), 1e-9)
    pool = np.maximum(_numbers(model.pool), 1e-9)
    return Solved(
        outcome=outcome,
        objective_usd=1000 * objective,
        bound_usd=1000 * max(bound, objective),
        seconds=took,
        table=_table(model, modes),
        skill=np.clip(_numbers(model.skill) / active, 0, 1),
        engagement=np.clip(_numbers(model.engagement) / active, 0, 1),
        reach=np.clip(_numbers(model.found) / pool, 0, 1),
        direct_usd=1000 * _numbers(model.direct_usd_k),
        partner_usd=1000 * _numbers(model.partner_usd_k),
    )


def clash(model: Model, solver: str = "highs", seconds: float = Effort.normal.solver_seconds) -> tuple[str, ...]:
    """Keys of the limits of an elastic model that have to give way, the fewest that the solver finds."""
    outcome, _ = _run_solver(model.lp, solver, 0.01, seconds)
    if outcome == "infeasible":
        return ()
    return tuple(dict.fromkeys(row.key for row in model.limits if float(pulp.value(row.slack)) > 1e-4))


def _run_solver(lp: Any, solver: str, gap: float, seconds: float) -> tuple[Outcome, float]:
    """Outcome, and the best bound of the objective."""
    from cbcbox import cbc_bin_path

    _silence_greeting()
    # A fixed seed and one thread: the same program gives the same plan.
    solvers = {
        "highs": lambda: pulp.HiGHS(msg=False, gapRel=gap, timeLimit=seconds, parallel="off", random_seed=1),
        "cbc": lambda: pulp.COIN_CMD(msg=False, gapRel=gap, timeLimit=seconds, path=cbc_bin_path()),
    }
    if solver not in solvers:
        raise PlanningError(f"solver is {solver!r}; allowed: {', '.join(solvers)}")
    chosen = solvers[solver]()
    if not chosen.available():
        raise PlanningError(f"the solver {solver} is not installed; install nexthour again, or choose another solver")
    try:
        lp.solve(chosen)
    except (pulp.PulpError, IndexError) as problem:
        # HiGHS leaves out rows whose numbers it does not take, and PuLP then counts too far.
        raise PlanningError(
            f"the solver {solver} could not take the model ({problem}); some number of the scenario is out of all "
            "proportion to the others: mend it, or choose another solver"
        ) from problem
    if solver == "highs":
        return _highs_outcome(lp)
    found = CBC_STATUS.get(lp.sol_status)
    if found is not None:
        # It does not tell its bound, but that it stopped within the gap; without a plan in time, anything may be best.
        value = float(pulp.value(lp.objective))
        return ("optimal", value + gap * abs(value)) if found == "optimal" else ("feasible", np.inf)
    return _outcome_without_plan(lp.sol_status == pulp.LpSolutionInfeasible, lp.sol_status == pulp.LpSolutionUnbounded)


@cache
def _silence_greeting() -> None:
    """Let HiGHS write its name and licence to nowhere: it does so once, to where JSON may be going, whatever is set."""
    import highspy

    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        highspy.Highs()  # type: ignore[no-untyped-call]
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _highs_outcome(lp: Any) -> tuple[Outcome, float]:
    import highspy

    status, info = lp.solverModel.getModelStatus(), lp.solverModel.getInfo()
    statuses = highspy.HighsModelStatus
    has_plan = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    # It minimises the negative.
    bound = -info.mip_dual_bound if info.mip_dual_bound != 0 else -info.objective_function_value
    if status == statuses.kOptimal and has_plan:
        return "optimal", bound
    if status == statuses.kTimeLimit and has_plan:
        return "feasible", bound
    infeasible = status in (statuses.kInfeasible, statuses.kUnboundedOrInfeasible)
    return _outcome_without_plan(infeasible, status == statuses.kUnbounded)


def _outcome_without_plan(infeasible: bool, unbounded: bool) -> tuple[Outcome, float]:
    if infeasible:
        return "infeasible", -np.inf
    if unbounded:
        raise PlanningError(NO_END)
    raise PlanningError("the solver found no plan in the time it had; raise solver_seconds, or give fewer limits")


def _numbers(array: Any) -> FloatArray:
    """Values of variables, expressions and numbers."""
    flat = [float(pulp.value(cell)) if not isinstance(cell, int | float) else float(cell) for cell in array.ravel()]
    return np.array(flat).reshape(array.shape)


def _table(model: Model, modes: tuple[CoverageMode, ...]) -> PlanTable:
    """The plan as arrays. What nobody needs of the week is for selling; what is over stays as it was."""
    problem, scenario = model.problem, model.problem.scenario
    prospect, partner, cam = _numbers(model.prospect), _numbers(model.partner), _numbers(model.channel_account_manager)
    for hours in (prospect, partner, cam):
        # Solvers keep to bounds within a tolerance, plans to the last digit.
        hours[:] = np.maximum(np.floor(hours / LEAST_HOURS), 0.0) * LEAST_HOURS
    carried = _numbers(model.carried) > 0.5
    parked = ~carried
    parked[:, problem.established :] = False
    support = carried[:, : problem.established] @ problem.support_hours[: problem.established]
    left = scenario.territory_manager.hours_per_week - support - prospect.sum(axis=1) - partner.sum(axis=(1, 2))
    fixed = np.array([t in model.sell_is_fixed for t in range(problem.periods)])
    whole = PlanTable(
        sell=np.maximum(np.where(fixed, _numbers(model.sell), left), 0.0),
        prospect=prospect,
        partner=partner,
        channel_account_manager=cam,
        parked=parked,
        coverage_mode=modes,
        support=support,
        discipline=1.0 if problem.followed is None else problem.followed.discipline,
    )
    end = HISTORY + problem.quarters
    by_period = {name: getattr(whole, name)[HISTORY:end] for name in BY_PERIOD}
    if problem.followed is not None:
        for name, hours in by_period.items():
            hours[: problem.past] = getattr(problem.followed, name)[: problem.past]
    return replace(whole, **by_period)


def hour_values_usd(model: Model, solver: str = "highs", seconds: float = Effort.normal.solver_seconds) -> FloatArray:
    """What one more hour of the manager would add to the objective, in US dollars, by quarter: shape (quarters,).

    Duals of the weeks' rows, with what is discrete as it was solved; 0 for a quarter that is over. The model must be
    one that `solve` solved, and is no use afterwards.
    """
    for variable in model.lp.variables():
        if variable.cat != pulp.LpContinuous:
            variable.bounds(round(variable.value()), round(variable.value()))
            variable.cat = pulp.LpContinuous
    outcome, _ = _run_solver(model.lp, solver, 0.0, seconds)
    if outcome != "optimal":
        raise PlanningError(f"{solver} could not say what an hour is worth; try another solver")
    problem, rows = model.problem, {row.name: row for row in model.lp.constraints()}
    values = np.zeros(problem.quarters)
    for q in range(problem.past, problem.quarters):
        worked = max(float(problem.weeks_worked[HISTORY + q]), 1.0)
        # The solver minimises the negative, and its duals have that sign.
        values[q] = 1000 * abs(rows[f"week({model.period_labels[HISTORY + q]})"].pi) / worked
    return values
