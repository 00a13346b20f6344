"""Plans as vectors of real numbers, for searches that know nothing of plans: any vector decodes to a plan that fits.

A vector says, at some knots over the horizon and straight in between: the root of the manager's hours for each use but
selling, which gets what is left; the root of the channel account manager's hours; how far each partner is from being
carried. With a knot for each quarter that is the planner's own space, with fewer a smaller one of smooth plans. Then
once: when each candidate is recruited, if at all, and by whom; a score for each coverage mode of each segment.

Left out, as the planner leaves them out: idle hours, discipline, recruiting the same candidate twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from optimize.milp.solve import LEAST_HOURS
from optimize.search.rounding import STEP_HOURS
from sim.arrays import FloatArray
from sim.plan import PlanTable
from sim.scenario import Scenario
from sim.split_hours import expected_support
from sim.terms import CAM_ACTIVITIES, COVERAGE_MODES, PARTNER_ACTIVITIES, WEEKS_PER_QUARTER, WEEKS_PER_YEAR

RECRUIT = PARTNER_ACTIVITIES.index("recruit")
NONE = -0.3
"""Root of hours that stands for none: a step or so from some."""
CLEARLY = 0.5
"""What a decision taken is encoded as: a step or so from the other."""
QUARTERS_PER_UNIT = 4.0
"""Of the number that says when a candidate is recruited."""
RECRUITING_WEEKS = 11
"""As the planner has it, so that rounding and weeks off do not leave a candidate a little short."""


@dataclass(frozen=True)
class Encoding:
    """Vectors of a scenario's plans, with values at so many knots. T quarters, partners with candidates last."""

    scenario: Scenario
    knots: int
    """2 to T"""

    @cached_property
    def dimensions(self) -> int:
        """Length of a vector."""
        return sum(int(np.prod(shape)) for shape in self._shapes)

    @cached_property
    def _shapes(self) -> tuple[tuple[int, ...], ...]:
        """Of the parts of a vector: prospecting, the manager's and the other's partner hours, parking, and the rest."""
        scenario = self.scenario
        partners, segments, candidates = len(scenario.all_partners), len(scenario.market_map), len(scenario.candidates)
        cam = 0 if scenario.channel_account_manager is None else len(CAM_ACTIVITIES) - 1
        return (
            (self.knots, segments),
            (self.knots, RECRUIT, partners),
            (self.knots, cam, partners),
            (self.knots, partners - candidates),
            (2 if cam else 1, candidates),
            (segments, len(COVERAGE_MODES)),
        )

    @cached_property
    def _over_quarters(self) -> FloatArray:
        """Values at the knots to values by quarter: shape (T, knots)."""
        quarters = self.scenario.horizon_quarters
        where = np.linspace(0, quarters - 1, self.knots)
        return np.array([np.interp(np.arange(quarters), where, knot) for knot in np.eye(self.knots)]).T

    @cached_property
    def _cam_activities(self) -> list[int]:
        """The channel account manager's, recruiting apart."""
        return [PARTNER_ACTIVITIES.index(activity) for activity in CAM_ACTIVITIES if activity != "recruit"]

    @cached_property
    def _recruiting_hours(self) -> FloatArray:
        """A week for all that candidates need within a quarter: shape (T, candidates), endless in one that is off."""
        scenario, off = self.scenario, {week - 1 for week in self.scenario.calendar.weeks_off}
        weeks = np.arange(scenario.horizon_quarters)[:, None] * WEEKS_PER_QUARTER + np.arange(WEEKS_PER_QUARTER)
        worked = (~np.isin(weeks % WEEKS_PER_YEAR, list(off))).sum(axis=1)
        usable = np.clip(worked - 1, 0, RECRUITING_WEEKS)[:, None]
        needed = np.array([[candidate.recruiting_hours for candidate in scenario.candidates]])
        return np.divide(needed, usable, out=np.full((len(worked), needed.size), np.inf), where=usable > 0)

    def decode(self, vector: FloatArray) -> PlanTable:
        """The plan that a vector means. What does not fit is cut: recruiting not begun, hours in proportion."""
        scenario, edges = self.scenario, np.cumsum([int(np.prod(shape)) for shape in self._shapes])[:-1]
        parts = [part.reshape(shape) for part, shape in zip(np.split(vector, edges), self._shapes, strict=True)]
        by_quarter = [np.tensordot(self._over_quarters, part, axes=1) for part in parts[:4]]
        prospect, developing, cam_hours = (np.maximum(values, 0.0) ** 2 for values in by_quarter[:3])
        recruiting, modes = parts[4:]
        quarters, partners = scenario.horizon_quarters, len(scenario.all_partners)
        own = scenario.territory_manager.hours_per_week
        parked = np.zeros((quarters, partners), dtype=bool)
        support = np.array([expected_support(scenario, partner.name) for partner in scenario.partners])
        off = by_quarter[3] > 0
        off[(~off * support).sum(axis=1) > own] = True
        parked[:, : off.shape[1]] = off
        its_support = (~off * support).sum(axis=1)
        partner, cam = np.zeros((2, quarters, len(PARTNER_ACTIVITIES), partners))
        free = own - its_support
        other = scenario.channel_account_manager
        cam_free = np.full(quarters, 0.0 if other is None else other.hours_per_week)
        for c in range(len(scenario.candidates)):
            when = int(np.floor(recruiting[0, c] * QUARTERS_PER_UNIT))
            if not 0 <= when < quarters:
                continue
            by_cam = other is not None and other.factor > 0 and recruiting[1, c] > 0
            hours, left = (cam, cam_free) if by_cam else (partner, free)
            needed = self._recruiting_hours[when, c] / (other.factor if other is not None and by_cam else 1.0)
            rounded = min(np.ceil(needed / STEP_HOURS - 1e-9) * STEP_HOURS, left[when])
            if needed <= rounded:
                hours[when, RECRUIT, off.shape[1] + c] = rounded
                left[when] -= rounded
        developing, cam_hours = (np.where(parked[:, None], 0.0, hours) for hours in (developing, cam_hours))
        fits = _share_that_fits(prospect.sum(axis=1) + developing.sum(axis=(1, 2)), free)
        partner[:, :RECRUIT] = developing * fits[:, None, None]
        prospect = prospect * fits[:, None]
        if other is not None:
            fits = _share_that_fits(cam_hours.sum(axis=(1, 2)), cam_free)
            cam[:, self._cam_activities] = cam_hours * fits[:, None, None]
        for hours in (prospect, partner, cam):
            # Plans are written with six digits and keep to the week to the last.
            hours[:] = np.floor(hours / LEAST_HOURS) * LEAST_HOURS
        return PlanTable(
            sell=np.maximum(own - its_support - prospect.sum(axis=1) - partner.sum(axis=(1, 2)), 0.0),
            prospect=prospect,
            partner=partner,
            channel_account_manager=cam,
            parked=parked,
            coverage_mode=tuple(COVERAGE_MODES[int(score.argmax())] for score in modes),
            support=its_support,
            discipline=1.0,
        )

    def encode(self, table: PlanTable) -> FloatArray:
        """A vector that means a plan, or with few knots one near it (least squares)."""
        candidates = len(self.scenario.candidates)
        established = len(self.scenario.partners)
        by_quarter = (
            _root(table.prospect),
            _root(table.partner[:, :RECRUIT]),
            _root(table.channel_account_manager[:, self._cam_activities[: self._shapes[2][1]]]),
            np.where(table.parked[:, :established], CLEARLY, -CLEARLY),
        )
        at_knots = [np.tensordot(np.linalg.pinv(self._over_quarters), values, axes=1) for values in by_quarter]
        recruiting = np.full(self._shapes[4], -0.5 / QUARTERS_PER_UNIT)
        for c in range(candidates):
            manager, other = (
                hours[:, RECRUIT, established + c] for hours in (table.partner, table.channel_account_manager)
            )
            if (manager + other).any():
                recruiting[0, c] = ((manager + other).argmax() + 0.5) / QUARTERS_PER_UNIT
                recruiting[1:, c] = CLEARLY * np.sign(other.max() - manager.max())
        modes = np.array([[CLEARLY * (mode == planned) for mode in COVERAGE_MODES] for planned in table.coverage_mode])
        return np.concatenate([at_knot.ravel() for at_knot in (*at_knots, recruiting, modes)])


def _root(hours: FloatArray) -> FloatArray:
    return np.where(hours > 0, np.sqrt(hours), NONE)


def _share_that_fits(hours: FloatArray, free: FloatArray) -> FloatArray:
    return np.minimum(1.0, np.maximum(free, 0.0) / np.maximum(hours, LEAST_HOURS))
