"""What the planner hands over: the plan, and how good it is and how we know.

Left out: how the certificate is made (certify.py), and the reasons (reasons.py).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from optimize.actuals import Seen
from optimize.changes import Change, changes
from optimize.objective import Name
from optimize.reconcile import Planner, Reconciled
from optimize.solve import Outcome
from sim.estimates import Estimate
from sim.plan import TimePlan
from sim.scenario import Scenario

HOUR_TEST_LIMIT = 0.003


@dataclass(frozen=True)
class HourTest:
    """Whether one hour a week, moved between two uses over four quarters, would gain."""

    moves: int
    """between every two uses, estimated in the markets of the search and others"""
    tested: int
    """the most promising of them, tried in fresh markets"""
    largest_gain: Estimate
    """of these, as a share of what the plan gets; the largest ends of their simultaneous 95% intervals"""

    @property
    def passed(self) -> bool:
        """Whether surely none gains more than .3%."""
        return self.largest_gain.high <= HOUR_TEST_LIMIT

    @property
    def says(self) -> str:
        """In words."""
        if self.largest_gain.low > 0:
            return f"one of {self.moves:,} moves of an hour a week still gains {self.largest_gain.value:.2%}"
        most = max(self.largest_gain.high, 0.0)
        return f"none of {self.moves:,} moves of an hour a week gains more than {most:.2%}"


@dataclass(frozen=True)
class Certificate:
    """How good the plan is, and how we know.

    Figures without a unit in their name are the objective's: US dollars over the horizon, or quarters. A shortfall is
    negative, so that more is better. All but the solver's are from markets that the search never saw.
    """

    wanted: Name
    """what there was to be most of"""
    outcome: Outcome
    """of the solver: proven within the gap, or stopped by time"""
    objective: float
    """of the corrected fluid model, history included"""
    bound: float | None
    """no plan of the corrected model has more; None if the solver does not know"""
    gap: float | None
    """(bound - objective) / objective"""
    fluid_limit: float
    """the uncorrected model's forecast: more than any manager with queues gets"""
    promised: float
    """mean in markets after the search"""
    realised_estimate: Estimate
    """in fresh markets"""
    promised_direct_usd: float
    realised_direct_usd: float
    promised_partner_usd: float
    """gross bookings of all partners"""
    realised_partner_usd: float
    against: str
    """what it is measured against: the status quo, or going on as before"""
    base: Estimate
    """the same of that"""
    difference: Estimate
    """paired"""
    difference_share: Estimate
    """as a share of the base's"""
    difference_by_quarter: tuple[Estimate, ...]
    payback_quarter: int | None
    """from which the plan's total is ahead for good; None if it never is"""
    markets_ahead: Estimate
    """share of markets"""
    best_split: str
    """the best of some constant splits"""
    over_best_split: Estimate
    """paired, as a share of what that gets"""
    worlds_ahead: Estimate | None
    """share of plausible worlds in which the plan has more quota credit than the base; None after a past"""
    worlds_ahead_of_split: Estimate | None
    attainment_by_quarter: tuple[Estimate, ...]
    """quota credit over quota"""
    floors_missed: float
    """share of quota by which floors are missed, all of them together"""
    chance_of_quota: tuple[Estimate, ...]
    """by quarter"""
    quarters_at_quota: Estimate
    base_quarters_at_quota: Estimate
    rounding_gain: float
    """what rounding to quarters of an hour did, as a share"""
    exit_usd: Estimate | None
    """quota credit of the year after the horizon; None if it was not asked for"""
    exit_difference_usd: Estimate | None
    """paired, against the base"""
    hour_test: HourTest
    simulated_runs: int
    seconds: float

    @property
    def realised(self) -> float:
        """Mean in fresh markets."""
        return self.realised_estimate.value

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95% interval."""
        return self.realised_estimate.low, self.realised_estimate.high

    @property
    def promise_off(self) -> float:
        """Promised over realised, less 1; 0 where nothing is realised."""
        return _off(self.promised, self.realised)

    @property
    def promise_off_by_route(self) -> tuple[float, float]:
        """The same of the manager's bookings and of the partners'."""
        return (
            _off(self.promised_direct_usd, self.realised_direct_usd),
            _off(self.promised_partner_usd, self.realised_partner_usd),
        )


@dataclass(frozen=True)
class Solution:
    """A plan with its certificate."""

    scenario: Scenario
    seed: int
    plan: TimePlan
    certificate: Certificate
    planner: Planner
    """the trials and the model behind it, for those who ask why (reasons.py)"""
    found: Reconciled
    seen: Seen | None = None
    """of the quarters that are over"""

    @property
    def quarter(self) -> int:
        """The first that was planned."""
        return self.planner.problem.past + 1

    def changes(self, quarter: int | None = None) -> tuple[Change, ...]:
        """Every use of the manager's time in a quarter, the first planned if not given, against the status quo.

        The largest change comes first.
        """
        return changes(self.scenario, self.plan, self.quarter if quarter is None else quarter)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        its = self.certificate
        return {
            **self.scenario.provenance(self.seed),
            "plan": self.plan.model_dump(mode="json"),
            "certificate": {**asdict(its), "realised": its.realised, "interval": its.interval},
            f"changes_in_quarter_{self.quarter}": [
                {**asdict(change), "kind": change.kind} for change in self.changes()
            ],
            "deviations": [its.says for its in self.seen.deviations(self.seed)] if self.seen else [],
        }


def _off(promised: float, realised: float) -> float:
    return promised / realised - 1 if realised else 0.0
