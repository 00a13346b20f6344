"""The fluid model as a mixed-integer linear program: a function for each family of rows, with its formula; the goal.

Everything is concave where it has to be (alpha + beta <= 1), so curves are tangents (model.py); what is not (what
partners bring, seen from the manager's pool) is linear at the path of the last plan (`Rates`), and solved again until
it stands.

For objectives that look at risk: sampled markets. Of the last simulation it is known how lucky each market was, as a
factor of the manager's and of the partners' bookings by quarter. Short of quota counts, in the form of Rockafellar &
Uryasev (2000): a variable for each market and quarter, at least what is missing. Quarters that miss quota are counted
by the hinge above their count, 1 + missing / spread, the tightest convex form (Nemirovski & Shapiro 2006).

model.py has the symbols, and what rows are called; hours.py the week, recruiting, carrying; partners.py stocks and
wins; direct.py the manager's deals; limits.py what people ask for. Left out: every simplification of problem.py.
"""

from typing import Any

import numpy as np

from optimize.limits import Limits
from optimize.milp import direct, hours, partners
from optimize.milp import limits as asked_for
from optimize.milp.model import UNIT, Model, Rates, to_plan, total
from optimize.objective import Objective
from optimize.problem import HISTORY, PlanningProblem
from sim.arrays import FloatArray
from sim.plan import PlanTable
from sim.terms import CoverageMode

LEAST_SPREAD = 0.05
"""The least spread of a quarter's credit over markets, as a share."""
TIE_BREAK = 0.01
"""What a dollar of credit counts besides, in dollars short: among plans that miss as little, the larger one."""


def goal(model: Model, objective: Objective, rates: Rates) -> Any:
    """The expression to make largest, in thousands of US dollars.

    The history counts too: then the manager worked for what matters. An objective of risk needs the luck of markets,
    and without it is that of its bookings.
    """
    problem = model.problem
    counted = model.direct_usd_k + model.partner_usd_k @ objective.partner_share
    weight = np.ones(problem.periods)
    weight[HISTORY:] = objective.quarter_weight
    if objective.is_risk and rates.luck is not None:
        return TIE_BREAK * total(weight * counted) - _missing(model, objective, rates.luck)
    return total(weight * counted)


def _missing(model: Model, objective: Objective, luck: FloatArray) -> Any:
    """What markets miss on average, over the quarters: dollars, or quarters times the mean quota."""
    missing = []
    mean_quota_usd_k = float(objective.quota_usd.mean()) / UNIT
    for t in to_plan(model.problem):
        q = t - HISTORY
        quota_usd_k = float(objective.quota_usd[q]) / UNIT
        # short >= level + slope * (quota - credit)
        level, slope = 0.0, 1.0
        if objective.name == "quarters_at_quota":
            spread = max(float(luck[:, :, q].mean(axis=0).std()), LEAST_SPREAD)
            level, slope = mean_quota_usd_k, mean_quota_usd_k / (quota_usd_k * spread)
        weight = float(objective.quarter_weight[q]) / luck.shape[1]
        own, of_partners = _credit(model, objective, t)
        for m, (own_luck, partners_luck) in enumerate(luck[:, :, q].T):
            credit = float(own_luck) * own + float(partners_luck) * of_partners
            missing.append(weight * _short_of_quota(model, level + slope * (quota_usd_k - credit), t, m))
    return total(missing)


def _credit(model: Model, objective: Objective, t: int) -> tuple[Any, Any]:
    """own_credit(t), partner_credit(t): a variable each = the bookings that count, so that markets share them."""
    label = model.period_labels[t]
    own, of_partners = (model.variable(family, (t,), (label,)) for family in ("own", "theirs"))
    model.row(own == model.direct_usd_k[t], "own_credit", label)
    model.row(of_partners == total(model.partner_usd_k[t] * objective.partner_share), "partner_credit", label)
    return own, of_partners


def _short_of_quota(model: Model, missing: Any, t: int, m: int) -> Any:
    """short_of_quota(t,m): what market m is short in a quarter >= 0, and >= what is missing."""
    labels = model.period_labels[t], f"m{m}"
    short = model.variable("short_of_quota", (t, m), labels)
    model.row(short >= missing, "short_of_quota", *labels)
    return short


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
    model.lp.setObjective(goal(model, objective, rates) - SLACK_USD_K * slack)
    return model
