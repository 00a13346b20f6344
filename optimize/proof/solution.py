"""What the planner hands over: the plan, and how good it is and how we know.

Left out: how the certificate is made (certify.py), and the reasons (reasons.py).
"""

from dataclasses import asdict, dataclass, fields
from typing import Any

from optimize.milp.solve import Outcome
from optimize.monday.sheet import Change, changes
from optimize.options import ObjectiveName
from optimize.replan.actuals import Deviation
from optimize.search.reconcile import Planner, Reconciled
from sim import Scenario, TimePlan
from sim.study.estimates import Estimate

HOUR_TEST_LIMIT = 0.003


@dataclass(frozen=True)
class HourTest:
    """Whether one hour a week, moved between two uses over four quarters, would gain."""

    moves: int
    """number of moves between every two uses, estimated from random sets of them"""
    tested: int
    """the most promising of them, tried in fresh markets"""
    largest_gain: Estimate
    """largest gain of these, as a share of what the plan gets; the largest ends of their simultaneous 95% intervals"""

    @property
    def passed(self) -> bool:
        """Whether surely none of those tested gains more than .3%; not if there was none to test."""
        return self.tested > 0 and self.largest_gain.high <= HOUR_TEST_LIMIT

    @property
    def says(self) -> str:
        """The outcome of the one-hour test in words."""
        if not self.tested:
            return "not made, as no hour can be moved"
        of = f"of {self.moves:,} moves of an hour a week the {self.tested} that look best"
        if self.largest_gain.low > 0:
            return f"not passed: {of} gain up to {self.largest_gain.value:.2%}"
        word = "passed" if self.passed else "not passed"
        return f"{word}: {of} gain at most {max(self.largest_gain.high, 0.0):.2%} ({HOUR_TEST_LIMIT:.1%} is allowed)"


@dataclass(frozen=True)
class Certificate:
    """How good the plan is, and how we know.

    Figures without a unit in their name are the objective's: US dollars over the horizon, or quarters. A shortfall is
    negative, so that more is better. All but the solver's are from markets that the search never saw.
    """

    wanted: ObjectiveName
    """what there was to be most of"""
    outcome: Outcome
    """what the solver says: proven within the gap, or stopped by time"""
    objective: float
    """value of the corrected fluid model, in its own terms: US dollars, history and tie-breaks included"""
    bound: float | None
    """no plan of the corrected model has more; None if the solver does not know"""
    gap: float | None
    """(bound - objective) / objective"""
    fluid_limit: float
    """the uncorrected model's forecast of its own plan: without queues and luck, mostly more than can be had"""
    promised: float
    """mean in the markets of the search, to which the model was corrected"""
    realised_estimate: Estimate
    """mean in fresh markets"""
    promised_direct_usd: float
    realised_direct_usd: float
    promised_partner_usd: float
    """gross bookings of all partners"""
    realised_partner_usd: float
    against: str
    """what it is measured against: the status quo, or going on as before"""
    base: Estimate
    """mean of what it is measured against, in fresh markets"""
    difference: Estimate
    """paired difference from that"""
    difference_share: Estimate
    """difference as a share of the base's mean"""
    difference_by_quarter: tuple[Estimate, ...]
    payback_quarter: int | None
    """quarter from which the plan's total is ahead for good; None if it never is"""
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
    """chance to reach quota, by quarter"""
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
        """The mean in fresh markets."""
        return self.realised_estimate.value

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval of the mean in fresh markets."""
        return self.realised_estimate.low, self.realised_estimate.high

    @property
    def promise_off(self) -> float:
        """Promised over realised, less 1; 0 where nothing is realised."""
        return _excess(self.promised, self.realised)

    @property
    def promise_off_by_route(self) -> tuple[float, float]:
        """Promised over realised, less 1, of the manager's bookings and of the partners'."""
        return (
            _excess(self.promised_direct_usd, self.realised_direct_usd),
            _excess(self.promised_partner_usd, self.realised_partner_usd),
        )


@dataclass(frozen=True)
class Answer:
    """A plan with its certificate: all that is shown of it, and small enough to be sent to another process."""

    scenario: Scenario
    seed: int
    plan: TimePlan
    certificate: Certificate
    quarter: int
    """the first that was planned"""
    followed: TimePlan | None
    """plan of the quarters that are over"""
    deviations: tuple[Deviation, ...]
    """what was not as planned in these"""
    alike: str
    """how like them the markets are in which the plan was tried, in words; nothing without actuals"""

    def changes(self, quarter: int | None = None) -> tuple[Change, ...]:
        """Every use of the manager's time in a quarter, the first planned if not given, against what is done today.

        That is the status quo, or after a past the plan that was followed. The largest change comes first.
        """
        return changes(self.scenario, self.plan, self.quarter if quarter is None else quarter, self.followed)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        certificate = self.certificate
        return {
            **self.scenario.provenance(self.seed),
            "plan": self.plan.model_dump(mode="json"),
            "certificate": {**asdict(certificate), "realised": certificate.realised, "interval": certificate.interval},
            "quarter": self.quarter,
            "changes": [{**asdict(change), "kind": change.kind} for change in self.changes()],
            "deviations": [{"says": deviation.says, "surprise": deviation.surprise} for deviation in self.deviations],
            "alike": self.alike,
        }


@dataclass(frozen=True)
class Solution(Answer):
    """An answer with what it was made of, for those who ask why (reasons.py): hundreds of markets, some 150 MB."""

    planner: Planner
    """the trials and the model behind it"""
    found: Reconciled

    @property
    def answer(self) -> Answer:
        """The answer without what it was made of."""
        return Answer(**{field.name: getattr(self, field.name) for field in fields(Answer)})


def _excess(promised: float, realised: float) -> float:
    return promised / realised - 1 if realised else 0.0
