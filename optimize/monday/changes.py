"""What a plan changes against today: stop, start, more, less, keep.

Left out: the channel account manager's hours, and whether a change pays (solution.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from optimize.search.rounding import STEP_HOURS
from sim.documents.declared import is_whole
from sim.documents.messages import show
from sim.errors import PlanError
from sim.plan import TimePlan
from sim.scenario import Scenario
from sim.split_hours import expected_support
from sim.terms import PARTNER_ACTIVITIES

ChangeKind = Literal["stop", "start", "more", "less", "keep"]
CHANGE_KINDS = get_args(ChangeKind)
"""Kinds of change, in the order in which they are told."""


@dataclass(frozen=True)
class Change:
    """What becomes of one use of the manager's time. Hours a week."""

    activity: str
    target: str | None
    """partner, candidate or segment"""
    today: float
    planned: float

    @property
    def kind(self) -> ChangeKind:
        """The kind of change; what goes on and changes by less than a quarter of an hour is kept."""
        if self.planned == 0:
            return "stop"
        if self.today == 0:
            return "start"
        if abs(self.planned - self.today) < STEP_HOURS:
            return "keep"
        return "more" if self.planned > self.today else "less"


def changes(
    scenario: Scenario, plan: TimePlan, quarter: int = 1, against: TimePlan | None = None
) -> tuple[Change, ...]:
    """Every use of the manager's time in a quarter (from 1) against another plan, the largest change first.

    That is the status quo if none is given.

    Raises PlanError for a quarter after the horizon, or a plan that does not fit the scenario.
    """
    against = TimePlan.status_quo(scenario) if against is None else against
    today, planned = (uses(scenario, one, quarter) for one in (against, plan))
    both = [Change(*use, today.get(use, 0.0), planned.get(use, 0.0)) for use in {**planned, **today}]
    return tuple(sorted(both, key=lambda change: -abs(change.planned - change.today)))


def uses(scenario: Scenario, plan: TimePlan, quarter: int) -> dict[tuple[str, str | None], float]:
    """The manager's hours a week in a quarter (from 1) by activity and target, reactive support included."""
    if not is_whole(quarter, 1, scenario.horizon_quarters):
        raise PlanError(f"quarter is {show(quarter)}; allowed: a whole number from 1 to {scenario.horizon_quarters}")
    table, q = plan.table(scenario), quarter - 1
    hours: dict[tuple[str, str | None], float] = {("sell", None): float(table.sell[q])}
    hours |= {("prospect", name): float(h) for name, h in zip(scenario.segment_names, table.prospect[q], strict=True)}
    for activity, by_partner in zip(PARTNER_ACTIVITIES, table.partner[q], strict=True):
        hours |= {(activity, name): float(h) for name, h in zip(scenario.partner_names, by_partner, strict=True)}
    for partner in scenario.partners:
        p = scenario.partner_names.index(partner.name)
        hours["support", partner.name] = 0.0 if table.parked[q, p] else expected_support(scenario, partner.name)
    return {use: a_week for use, a_week in hours.items() if a_week > 0}
