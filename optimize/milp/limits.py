"""Rows that people ask for. Each may be given up, at a price, to find out which of them clash."""

from typing import Any, Literal

import numpy as np

from optimize.limits import Limits, hours_of
from optimize.milp.model import UNIT, Array, LimitRow, Model, to_plan, total
from optimize.options import EARLY_QUARTERS
from optimize.problem import HISTORY
from sim.plan import Hours
from sim.terms import PARTNER_ACTIVITIES


def add_limits(model: Model, limits: Limits) -> None:
    """A row for each limit that was asked for, with a slack if the model is elastic."""
    credit = model.direct_usd_k + model.partner_usd_k @ model.problem.credit_share
    with_partners = [total(model.partner[t].ravel()) for t in range(model.problem.periods)]
    for t in to_plan(model.problem):
        _floor(model, limits, credit[t], t)
        _partner_share(model, limits, with_partners[t], t)
        if limits.largest_change_hours is not None and t > HISTORY:
            _largest_change(model, limits.largest_change_hours, with_partners[t] - with_partners[t - 1], t)
    _early_floor(model, limits, credit)
    for i, lock in enumerate(limits.locks):
        _lock(model, lock, i)


def _floor(model: Model, limits: Limits, credit: Any, t: int) -> None:
    """floor(t): quota credit >= floor times quota."""
    floor = limits.floor(t - HISTORY + 1)
    if floor is not None:
        bound = floor * model.problem.quota_usd[t - HISTORY] / UNIT
        _add(model, f"floors {t - HISTORY + 1}", "floor", t, credit, "least", bound)


def _early_floor(model: Model, limits: Limits, credit: Array) -> None:
    """early_floor: quota credit of the first year >= floor times its quota."""
    if limits.early_floor is not None:
        early = slice(HISTORY, HISTORY + EARLY_QUARTERS)
        bound = limits.early_floor * float(np.sum(model.problem.quota_usd[:EARLY_QUARTERS])) / UNIT
        _add(model, "early_floor", "early_floor", None, total(credit[early]), "least", bound)


def _partner_share(model: Model, limits: Limits, with_partners: Any, t: int) -> None:
    """least_share(t), most_share(t): partner hours >=, <= share of H."""
    own = model.problem.scenario.territory_manager.hours_per_week
    if limits.min_partner_share > 0:
        _add(model, "min_partner_share", "least_share", t, with_partners, "least", limits.min_partner_share * own)
    if limits.max_partner_share < 1:
        _add(model, "max_partner_share", "most_share", t, with_partners, "most", limits.max_partner_share * own)


def _largest_change(model: Model, most: float, change: Any, t: int) -> None:
    """rise(t), fall(t): partner hours less those of the quarter before <= most, >= -most."""
    _add(model, "largest_change_hours", "rise", t, change, "most", most)
    _add(model, "largest_change_hours", "fall", t, change, "least", -most)


def _lock(model: Model, lock: Hours, i: int) -> None:
    """lock_i(t): hours of a use = those that were asked for."""
    for t in to_plan(model.problem):
        if lock.from_quarter <= t - HISTORY + 1 <= (lock.to_quarter or model.problem.quarters):
            if lock.activity == "sell":
                model.sell_is_fixed.add(t)
            hours = hours_of(model.problem.scenario, model, lock)[t]
            if lock.activity in PARTNER_ACTIVITIES:
                hours = hours + 0 * model.sell[t]  # what is a number has to be a row too
            _add(model, f"locks {i}", f"lock_{i}", t, hours, "exactly", lock.hours_per_week)


def _add(
    model: Model,
    key: str,
    family: str,
    t: int | None,
    value: Any,
    sense: Literal["least", "most", "exactly"],
    bound: float,
) -> None:
    """The row of a limit, with variables for how far it is given up where the model is elastic."""
    place = [] if t is None else [t - HISTORY + 1]
    labels = [] if t is None else [model.period_labels[t]]
    short = model.variable(f"short_{family}", place, labels) if model.elastic and sense != "most" else 0.0
    over = model.variable(f"over_{family}", place, labels) if model.elastic and sense != "least" else 0.0
    model.limits.append(LimitRow(key, short + over))
    given = value + short - over if sense == "exactly" else value + short if sense == "least" else value - over
    row = given >= bound if sense == "least" else given <= bound if sense == "most" else given == bound
    model.row(row, family, *labels)
