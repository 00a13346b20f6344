"""What there is to be most of, as an expression of the model's bookings.

For objectives that look at risk: sampled markets. Of the last simulation it is known how lucky each market was, as a
factor of the manager's and of the partners' bookings by quarter. Short of quota counts, in the form of Rockafellar &
Uryasev (2000): a variable for each market and quarter, at least what is missing. Quarters that miss quota are counted
by the hinge above their count, 1 + missing / spread, the tightest convex form (Nemirovski & Shapiro 2006).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from optimize.milp.program import UNIT, Model, Rates, to_plan, total
from optimize.objective import Objective
from optimize.problem import HISTORY
from sim.arrays import FloatArray

LEAST_SPREAD = 0.05
"""Of a quarter's credit over markets, as a share."""
TIE_BREAK = 0.01
"""What a dollar of credit counts besides, in dollars short: among plans that miss as little, the larger one."""


def goal(model: Model, objective: Objective, rates: Rates) -> Any:
    """To be made largest, in thousands of US dollars. The history counts too: then the manager worked for what matters.

    An objective of risk needs the luck of markets, and without it is that of its bookings.
    """
    problem = model.problem
    wanted = model.direct_usd_k + model.partner_usd_k @ objective.partner_share
    weight = np.ones(problem.periods)
    weight[HISTORY:] = objective.quarter_weight
    if objective.is_risk and rates.luck is not None:
        return TIE_BREAK * total(weight * wanted) - _missing(model, objective, rates.luck)
    return total(weight * wanted)


def _missing(model: Model, objective: Objective, luck: FloatArray) -> Any:
    """What markets miss on average, over the quarters: dollars, or quarters times the mean quota."""
    problem, missing = model.problem, []
    mean_quota_usd_k = float(objective.quota_usd.mean()) / UNIT
    for t in to_plan(problem):
        q = t - HISTORY
        quota_usd_k = float(objective.quota_usd[q]) / UNIT
        own, theirs = model.lp.add_variable(f"own_{t}", 0), model.lp.add_variable(f"theirs_{t}", 0)
        model.lp += own == model.direct_usd_k[t]
        model.lp += theirs == total(model.partner_usd_k[t] * objective.partner_share)
        # short >= level + slope * (quota - credit)
        level, slope = 0.0, 1.0
        if objective.name == "quarters_at_quota":
            spread = max(float(luck[:, :, q].mean(axis=0).std()), LEAST_SPREAD)
            level, slope = mean_quota_usd_k, mean_quota_usd_k / (quota_usd_k * spread)
        weight = float(objective.quarter_weight[q]) / luck.shape[1]
        for m, (direct, partner) in enumerate(luck[:, :, q].T):
            short = model.lp.add_variable(f"short_of_quota_{t}_{m}", 0)
            model.lp += short >= level + slope * (quota_usd_k - float(direct) * own - float(partner) * theirs)
            missing.append(weight * short)
    return total(missing)
