"""The goal of the program: an expression of the model's bookings that is made largest.

For objectives that look at risk: sampled markets. Of the last simulation it is known how lucky each market was, as a
factor of the manager's and of the partners' bookings by quarter. Short of quota counts, in the form of Rockafellar &
Uryasev (2000): a variable for each market and quarter, at least what is missing. Quarters that miss quota are counted
by the hinge above their count, 1 + missing / spread, the tightest convex form (Nemirovski & Shapiro 2006).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from optimize.milp.model import UNIT, Model, Rates, to_plan, total
from optimize.objective import Objective
from optimize.problem import HISTORY
from sim.arrays import FloatArray

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
        for m, (direct, partner) in enumerate(luck[:, :, q].T):
            credit = float(direct) * own + float(partner) * of_partners
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
