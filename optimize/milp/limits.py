"""Rows that people ask for. Each may be given up, at a price, to find out which of them clash."""

from __future__ import annotations

from typing import Any

import numpy as np

from optimize.limits import EARLY_QUARTERS, Limits
from optimize.milp.program import UNIT, Array, LimitRow, Model, to_plan, total
from optimize.problem import HISTORY
from sim.plan import Hours
from sim.scenario import PARTNER_ACTIVITIES


def add_limits(model: Model, limits: Limits, elastic: bool) -> None:
    """All of them; `elastic` gives each a slack."""
    problem, scenario = model.problem, model.problem.scenario
    credit = model.direct_usd_k + model.partner_usd_k @ problem.credit_share

    def row(key: str, name: str, its: Any, sense: str, bound: float) -> None:
        short = model.lp.add_variable(f"short_{name}", 0) if elastic and sense != "most" else 0.0
        over = model.lp.add_variable(f"over_{name}", 0) if elastic and sense != "least" else 0.0
        model.limits.append(LimitRow(key, short + over))
        if sense == "least":
            model.lp += its + short >= bound, name
        elif sense == "most":
            model.lp += its - over <= bound, name
        else:
            model.lp += its + short - over == bound, name

    own = scenario.territory_manager.hours_per_week
    theirs = [total(model.partner[t].ravel()) for t in range(problem.periods)]
    for t in to_plan(problem):
        quarter = t - HISTORY + 1
        floor = limits.floor(quarter)
        if floor is not None:
            bound = floor * problem.quota_usd[quarter - 1] / UNIT
            row(f"floors {quarter}", f"floor_{quarter}", credit[t], "least", bound)
        if limits.min_partner_share > 0:
            row("min_partner_share", f"least_share_{quarter}", theirs[t], "least", limits.min_partner_share * own)
        if limits.max_partner_share < 1:
            row("max_partner_share", f"most_share_{quarter}", theirs[t], "most", limits.max_partner_share * own)
        if limits.largest_change_hours is not None and quarter > 1:
            change = theirs[t] - theirs[t - 1]
            row("largest_change_hours", f"rise_{quarter}", change, "most", limits.largest_change_hours)
            row("largest_change_hours", f"fall_{quarter}", change, "least", -limits.largest_change_hours)
    if limits.early_floor is not None:
        early = slice(HISTORY, HISTORY + EARLY_QUARTERS)
        bound = limits.early_floor * float(np.sum(problem.quota_usd[:EARLY_QUARTERS])) / UNIT
        row("early_floor", "early_floor", total(credit[early]), "least", bound)
    for i, lock in enumerate(limits.locks):
        for q in range(lock.from_quarter - 1, lock.to_quarter or problem.quarters):
            if q >= problem.past:
                if lock.activity == "sell":
                    model.sell_is_fixed.add(HISTORY + q)
                row(f"locks {i}", f"lock_{i}_{q + 1}", _cell(model, lock, HISTORY + q), "exactly", lock.hours_per_week)


def _cell(model: Model, lock: Hours, t: int) -> Array | Any:
    scenario = model.problem.scenario
    if lock.activity == "sell":
        return model.sell[t]
    if lock.activity == "prospect":
        return model.prospect[t, scenario.segment_names.index(lock.target or "")]
    hours = model.partner if lock.who == "territory_manager" else model.cam
    its = hours[t, PARTNER_ACTIVITIES.index(lock.activity), scenario.partner_names.index(lock.target or "")]
    return its + 0 * model.sell[t]  # what is a number has to be a row too
