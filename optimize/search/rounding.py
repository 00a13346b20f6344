"""A plan in steps that a calendar can hold: quarters of an hour a week, an hour every fourth week.

A week's hours with partners keep their total, rounded down, and are apportioned by largest remainders (Hamilton), so
that what was within a share or a largest change stays so. What is left over is for selling.

Left out: on which day (monday/).
"""

from dataclasses import replace

import numpy as np

from optimize.limits import Limits
from sim.arrays import FloatArray
from sim.coefficients import RECRUIT
from sim.plan import PlanTable
from sim.scenario import Scenario

STEP_HOURS = 0.25
"""What hours a week are multiples of."""
EPSILON = 1e-6
"""Share of a step that is nothing: a solver keeps to bounds within a tolerance."""


def round_hours(scenario: Scenario, limits: Limits, table: PlanTable, past: int) -> PlanTable:
    """The plan in steps. Locked cells and weeks that are over stay as they were; so does all of it if nothing fits."""
    for up in (False, True):
        in_steps = _in_steps(scenario, limits, table, past, up)
        used = in_steps.sell + in_steps.support + in_steps.prospect.sum(axis=1) + in_steps.partner.sum(axis=(1, 2))
        fits = (in_steps.sell >= 0).all() and (used <= scenario.territory_manager.hours_per_week + EPSILON).all()
        if fits and not limits.broken(scenario, in_steps, past):
            return in_steps
    return table


def apportion(hours: FloatArray, steps: int) -> FloatArray:
    """Hours apportioned in `steps` steps, largest remainders first; cells without hours stay empty."""
    exact = hours.ravel() / STEP_HOURS
    down = np.floor(exact + EPSILON)
    more = np.argsort(down - exact, kind="stable")
    more = more[exact[more] > EPSILON]
    down[more[: max(0, steps - int(down.sum()))]] += 1
    return np.asarray(down.reshape(hours.shape) * STEP_HOURS)


def _in_steps(scenario: Scenario, limits: Limits, table: PlanTable, past: int, up: bool) -> PlanTable:
    partner, cam = (_by_week(hours, up) for hours in (table.partner, table.channel_account_manager))
    prospect = np.round(table.prospect / STEP_HOURS) * STEP_HOURS
    in_steps = replace(table, prospect=prospect, partner=partner, channel_account_manager=cam)
    for name in ("prospect", "partner", "channel_account_manager"):
        getattr(in_steps, name)[:past] = getattr(table, name)[:past]
    if scenario.channel_account_manager is not None:
        over = cam.sum(axis=(1, 2)) > scenario.channel_account_manager.hours_per_week
        cam[over] = table.channel_account_manager[over]
    _keep_locked(scenario, limits, in_steps, table)
    own = scenario.territory_manager.hours_per_week
    left = own - table.support - in_steps.prospect.sum(axis=1) - in_steps.partner.sum(axis=(1, 2))
    in_steps = replace(in_steps, sell=np.where(np.arange(len(left)) < past, table.sell, left))
    _keep_locked(scenario, limits, in_steps, table)
    return in_steps


def _keep_locked(scenario: Scenario, limits: Limits, plan_table: PlanTable, exact: PlanTable) -> None:
    for row in limits.locks:
        limits.cells(scenario, plan_table, row)[:] = limits.cells(scenario, exact, row)


def _by_week(hours: FloatArray, up: bool) -> FloatArray:
    """Hours of each quarter's week in steps, their total rounded down or `up`; recruiting keeps all that it needs."""
    weeks = np.zeros_like(hours)
    for week, exact in zip(weeks, hours, strict=True):
        recruit = np.ceil(exact[RECRUIT] / STEP_HOURS - EPSILON)
        total = exact.sum() / STEP_HOURS
        steps = int(np.ceil(total - EPSILON) if up else np.floor(total + EPSILON)) - int(recruit.sum())
        week[:RECRUIT] = apportion(exact[:RECRUIT], max(0, steps))
        week[RECRUIT] = recruit * STEP_HOURS
    return weeks
