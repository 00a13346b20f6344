"""The fluid model as a mixed-integer linear program: one function for each family of rows, with its formula.

Everything is concave where it has to be (alpha + beta <= 1), so curves are tangents (model.py); what is not (what
partners bring, seen from the manager's pool) is linear at the path of the last plan (`Rates`), and solved again until
it stands.

model.py has the symbols, and what rows are called; hours.py the week, recruiting, carrying; partners.py stocks and
wins; direct.py the manager's deals; limits.py what people ask for; goal.py what there is to be most of. Left out: every
simplification of problem.py.
"""

from __future__ import annotations

from optimize.limits import Limits
from optimize.milp import direct, goal, hours, partners
from optimize.milp import limits as asked_for
from optimize.milp.model import Model, Rates, total
from optimize.objective import Objective
from optimize.problem import PlanningProblem
from sim.plan import PlanTable
from sim.terms import CoverageMode

SLACK_USD_K = 1e6


def fluid_program(
    problem: PlanningProblem,
    objective: Objective,
    limits: Limits,
    modes: tuple[CoverageMode, ...],
    rates: Rates,
    history: PlanTable,
    elastic: bool = False,
) -> Model:
    """The whole program. With `elastic`, limits may be given up at a price."""
    model = Model(problem, elastic)
    hours.add_hours(model, history)
    hours.add_recruiting(model, limits)
    hours.add_carrying(model, limits)
    partners.add_stocks(model)
    brought = partners.brought_share(model, rates)
    partners.add_output(model, modes, rates, brought)
    direct.add_direct(model, modes, history.coverage_mode, rates, brought)
    hours.add_week(model)
    asked_for.add_limits(model, limits)
    slack = total(row.slack for row in model.limits) if elastic else 0.0
    model.lp.setObjective(goal.goal(model, objective, rates) - SLACK_USD_K * slack)
    return model
