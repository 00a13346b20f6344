"""Rows of the manager's own deals: the pool, what is found in it, what is started, and the hours for it."""

from typing import Any

import numpy as np

from optimize.milp.model import UNIT, Array, Model, Rates, largest_first_tangent, saturation_tangent, total
from optimize.problem import HISTORY, LAGS
from sim.terms import WEEKS_PER_QUARTER, CoverageMode

VALUE_TANGENTS = (0.005, 0.02, 0.05, 0.1, 0.18, 0.28, 0.4, 0.52, 0.64, 0.75, 0.85, 0.93, 0.98, 1 - 1e-9)
"""Share of the deals there are that is worked."""
REACH_TANGENTS = (0.0, 0.1, 0.25, 0.45, 0.7, 1.0, 1.5, 2.3, 4.0)
"""Prospecting hours times yield over the pool."""


def add_direct(
    model: Model, modes: tuple[CoverageMode, ...], history_modes: tuple[CoverageMode, ...], rates: Rates, brought: Array
) -> None:
    """The manager's own bookings by quarter: pool = demand less what is in partners' hands, and what comes of it."""
    problem = model.problem
    periods, segments = problem.demand.shape
    average, worth = _prospecting(model), problem.demand[0] * problem.value_usd
    worth = worth / worth.sum() if worth.sum() > 0 else np.zeros(segments)  # shares; a market may be worth nothing
    axes = model.period_labels, model.segment_labels
    started, value, model.found = (model.variables(family, *axes) for family in ("started", "value", "found"))
    model.pool = np.empty((periods, segments), dtype=object)
    spare = model.variables("spare", model.period_labels[:HISTORY])
    for t, s in np.ndindex(periods, segments):
        mode = (history_modes if t < HISTORY else modes)[s]
        model.pool[t, s] = problem.demand[t, s] * (1 - _in_their_hands(model, mode, brought, t, s))
        prospecting = average[t, s] + float(worth[s]) * spare[t] if t < HISTORY else average[t, s]
        _found_deals(model, prospecting, t, s)
        _value_of_started(model, started[t, s], value[t, s], t, s)
    # Of the deals that are open on the first day, the share for which there is time.
    open_worked = model.variable("open_worked", (), (), 1)
    model.direct_usd_k = np.zeros(periods, dtype=object)
    open_from_history = problem.scenario.open_pipeline is None
    for t in range(periods):
        begun = [
            (j, s)
            for j in range(min(LAGS, t + 1))
            for s in range(segments)
            if open_from_history or t < HISTORY or t - j >= HISTORY
        ]
        idle = WEEKS_PER_QUARTER * spare[t] if t < HISTORY else 0.0
        _deal_hours(model, started, begun, idle, open_worked, t)
        won = total(
            float(problem.closes[s, j] * problem.value_usd[s] / UNIT) * value[t - j, s]
            for j, s in begun
            if problem.closes[s, j] > 0
        )
        open_usd_k = float(problem.carried_open_usd[t]) / UNIT * open_worked
        model.direct_usd_k[t] = float(rates.direct[t]) * (won + open_usd_k)


def _found_deals(model: Model, prospecting: Any, t: int, s: int) -> None:
    """found_tangent(t,s,k): f <= tangent k of pool (1 - (1 - inbound) exp(-yield * prospecting / pool))."""
    problem = model.problem
    for k, x in enumerate(REACH_TANGENTS):
        if problem.prospecting_yield[s] == 0 and x > 0:
            continue
        at, slope = saturation_tangent(x, problem.inbound[s])
        an_hour = float(problem.prospecting_yield[s] * slope * WEEKS_PER_QUARTER)
        row = model.found[t, s] <= at * model.pool[t, s] + an_hour * prospecting
        model.row(row, "found_tangent", *model.at_segment(t, s), f"k{k}")


def _value_of_started(model: Model, started: Any, value: Any, t: int, s: int) -> None:
    """started(t,s): u <= f; value_tangent(t,s,k): v <= tangent k of f L(u / f), as the largest are taken first."""
    model.row(started <= model.found[t, s], "started", *model.at_segment(t, s))
    for k, x in enumerate(VALUE_TANGENTS):
        at, slope = largest_first_tangent(x, float(model.problem.sigma[s]))
        row = value <= at * model.found[t, s] + slope * started
        model.row(row, "value_tangent", *model.at_segment(t, s), f"k{k}")


def _deal_hours(
    model: Model, started: Array, begun: list[tuple[int, int]], idle: Any, open_worked: Any, t: int
) -> None:
    """deal_hours(t): hours of what was started in this and earlier quarters, (lag, segment), <= hours to sell."""
    problem = model.problem
    work = total(float(problem.work_hours[s, j]) * started[t - j, s] for j, s in begun if problem.work_hours[s, j] > 0)
    spent = work + idle + float(problem.carried_open_hours[t]) * open_worked
    model.row(spent <= float(problem.weeks_worked[t]) * model.sell[t], "deal_hours", model.period_labels[t])


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
    """Expected share of a segment's opportunities that the manager cannot find, as partners have them."""
    problem = model.problem
    base = problem.base[:, s]
    if mode == "partner_first":
        return total(float(base[p]) * brought[t, p] for p in np.flatnonzero(base))
    if mode == "partner_led":
        return total(float(base[p] * problem.stays[t, p]) * model.active[t, p] for p in np.flatnonzero(base))
    return 0.0
