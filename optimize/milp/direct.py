"""Rows of the manager's own deals.

pool = demand less what is in partners' hands
found <= tangents of pool * (1 - (1 - inbound) * exp(-yield * prospecting / pool))
started <= found; its value <= tangents of found * L(started / found), as the largest are taken first
hours of what was started, in this and the next quarters, <= hours to sell
"""

from __future__ import annotations

from typing import Any

import numpy as np

from optimize.milp.program import UNIT, Array, Model, Rates, total, variables
from optimize.problem import HISTORY, LAGS, largest_first
from sim.scenario import WEEKS_PER_QUARTER, CoverageMode

VALUE_TANGENTS = (0.005, 0.02, 0.05, 0.1, 0.18, 0.28, 0.4, 0.52, 0.64, 0.75, 0.85, 0.93, 0.98, 1 - 1e-9)
"""Share of the deals there are that is worked."""
REACH_TANGENTS = (0.0, 0.1, 0.25, 0.45, 0.7, 1.0, 1.5, 2.3, 4.0)
"""Prospecting hours times yield over the pool."""


def add_direct(
    model: Model,
    modes: tuple[CoverageMode, ...],
    history_modes: tuple[CoverageMode, ...],
    rates: Rates,
    brought: Array,
) -> None:
    """All of them, as this file begins."""
    problem = model.problem
    periods, segments = problem.demand.shape
    average = _prospecting(model)
    started, value = (variables(model.lp, name, (periods, segments)) for name in ("started", "value"))
    model.found = variables(model.lp, "found", (periods, segments))
    model.pool = np.empty((periods, segments), dtype=object)
    spare = variables(model.lp, "spare", (HISTORY,))
    worth = problem.demand[0] * problem.value_usd
    worth = worth / worth.sum() if worth.sum() > 0 else np.zeros(segments)
    for t, s in np.ndindex(periods, segments):
        mode = (history_modes if t < HISTORY else modes)[s]
        pool = problem.demand[t, s] * (1 - _in_their_hands(model, mode, brought, t, s))
        hours = average[t, s]
        if t < HISTORY:
            hours = hours + float(worth[s]) * spare[t]
        model.pool[t, s] = pool
        for x in REACH_TANGENTS:
            left = (1 - problem.inbound[s]) * np.exp(-x)
            if problem.prospecting_yield[s] == 0 and x > 0:
                continue
            model.lp += (
                model.found[t, s]
                <= float(1 - left - x * left) * pool
                + float(problem.prospecting_yield[s] * left * WEEKS_PER_QUARTER) * hours
            )
        model.lp += started[t, s] <= model.found[t, s]
        for x in VALUE_TANGENTS:
            at, slope = largest_first(x, float(problem.sigma[s]))
            model.lp += value[t, s] <= at * model.found[t, s] + slope * started[t, s]
    open_from_history = problem.scenario.open_pipeline is None
    # Of the deals that are open on the first day, the share for which there is time.
    open_worked = model.lp.add_variable("open_worked", 0, 1)
    credit: Array = np.zeros(periods, dtype=object)
    for t in range(periods):
        begun = [
            (j, s)
            for j in range(min(LAGS, t + 1))
            for s in range(segments)
            if open_from_history or t < HISTORY or t - j >= HISTORY
        ]
        work = total(
            float(problem.work_hours[s, j]) * started[t - j, s] for j, s in begun if problem.work_hours[s, j] > 0
        )
        idle = WEEKS_PER_QUARTER * spare[t] if t < HISTORY else 0.0
        model.lp += (
            work + idle + float(problem.carried_open_hours[t]) * open_worked
            <= float(problem.weeks_worked[t]) * model.sell[t],
            f"work_{t}",
        )
        won = total(
            float(problem.closes[s, j] * problem.value_usd[s] / UNIT) * value[t - j, s]
            for j, s in begun
            if problem.closes[s, j] > 0
        )
        credit[t] = float(rates.direct[t]) * (won + float(problem.carried_open_usd[t]) / UNIT * open_worked)
    model.direct_usd_k = credit


def _prospecting(model: Model) -> Array:
    """Prospecting hours a week, averaged as reach is: last week's count for most, older ones fade."""
    problem = model.problem
    average = np.empty(model.prospect.shape, dtype=object)
    for s in range(model.prospect.shape[1]):
        now: Any = model.prospect[0, s]
        for t in range(problem.periods):
            hours = model.prospect[t, s] * float(problem.weeks_worked[t] / WEEKS_PER_QUARTER)
            kept = problem.prospecting_kept_on_average
            average[t, s] = kept * now + (1 - kept) * hours
            now = problem.prospecting_kept * now + (1 - problem.prospecting_kept) * hours
    return average


def _in_their_hands(model: Model, mode: CoverageMode, brought: Array, t: int, s: int) -> Any:
    """Expected share of a segment's opportunities that the manager cannot find."""
    problem = model.problem
    base = problem.base[:, s]
    if mode == "partner_first":
        return total(float(base[p]) * brought[t, p] for p in np.flatnonzero(base))
    if mode == "partner_led":
        return total(float(base[p] * problem.stays[t, p]) * model.active[t, p] for p in np.flatnonzero(base))
    return 0.0
