"""The market writes a tape: all that happens whatever the manager does.

When opportunities arise, whose account each is, its size, the one uniform that settles it, whether the manager or its
partner would see it, how long everything takes; which partners are what they seem, when they leave, whether candidates
sign. The tape knows nothing of a plan, so two plans meet the identical market.

Durations are rounded once, here, to whole ticks. Left out: what is done with all this (territory.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.documents import is_whole, show
from sim.errors import SimulationError
from sim.ledger import NOBODY, TICKS_PER_WEEK
from sim.rules import compete
from sim.scenario import (
    HISTORY_QUARTERS,
    HISTORY_WEEKS,
    PARTNER_SEGMENTS,
    WEEKS_PER_QUARTER,
    WEEKS_PER_YEAR,
    Partner,
    Scenario,
    Segment,
    Stage,
)
from sim.streams import Stream, uniforms

FloatArray = NDArray[np.float64]
TickArray = NDArray[np.int64]
MAX_STAGES = 4
MAX_SEED = 2**63 - 1
NEVER = 2**62
"""A tick that does not come."""


@dataclass(frozen=True)
class DrawnFor:
    """What of a scenario a market must fit."""

    stages_by_segment: tuple[tuple[str, int], ...]
    partners: tuple[str, ...]
    horizon_quarters: int
    open_deals: int
    has_open_pipeline: bool

    @classmethod
    def of(cls, scenario: Scenario) -> DrawnFor:
        """The same of one scenario."""
        return cls(
            stages_by_segment=tuple((segment.name, len(segment.stages)) for segment in scenario.market_map),
            partners=tuple(scenario.partner_names),
            horizon_quarters=scenario.horizon_quarters,
            open_deals=len(scenario.open_pipeline or ()),
            has_open_pipeline=scenario.open_pipeline is not None,
        )


@dataclass(frozen=True, eq=False)
class Market:
    """One market: arrays over opportunities (n) in order of arrival, and over partners, candidates last.

    A deal of the scenario's open pipeline is an opportunity too; those come first, `open_deals` of them.
    """

    seed: int
    replication: int
    drawn_for: DrawnFor
    open_deals: int
    tick: TickArray
    """arrival, shape (n,)"""
    segment: TickArray
    """index of the segment, shape (n,)"""
    owner: TickArray
    """index of the partner whose account it is, NOBODY for a house account, shape (n,)"""
    amount_usd: TickArray
    """whole US dollars, shape (n,)"""
    settles: FloatArray
    """U, the uniform that decides how far the deal gets, shape (n,)"""
    found: FloatArray
    """the manager sees it if this is below the reach, shape (n,)"""
    brought: FloatArray
    """its partner brings it if this is below engagement^beta, shape (n,)"""
    stage: TickArray
    """stages already passed at arrival, shape (n,)"""
    age_ticks: TickArray
    """time since it was opened, at arrival, shape (n,)"""
    cycle_ticks: TickArray
    """the owner's time from start of work to closing, shape (n,)"""
    effort_ticks: TickArray
    """the manager's work by stage, shape (n, MAX_STAGES)"""
    lag_ticks: TickArray
    """the buyer's answer time by stage, shape (n, MAX_STAGES)"""
    patience_ticks: TickArray
    """the buyer's patience by stage, NEVER if endless, shape (n, MAX_STAGES)"""
    true_segment: TickArray
    """index into PARTNER_SEGMENTS, shape (partners,)"""
    exit_ticks: TickArray
    """time from becoming active to leaving, NEVER if it stays, shape (partners,)"""
    signing: FloatArray
    """a candidate signs if this is below its probability, shape (partners,)"""


def draw_market(scenario: Scenario, seed: int, replication: int = 0) -> Market:
    """The market of one replication. Raises SimulationError for a seed or replication outside [0, 2**63)."""
    for name, value in (("seed", seed), ("replication", replication)):
        if not is_whole(value, 0, MAX_SEED):
            raise SimulationError(f"{name} is {show(value)}; allowed: a whole number from 0 to 2**63 - 1")
    return _Draw(scenario, int(seed), int(replication)).market()


def weekly_demand(scenario: Scenario, segment: Segment) -> FloatArray:
    """Expected opportunities in each week, history first: shape (HISTORY_WEEKS + weeks of the horizon,).

    History has the rates of quarter 1.
    """
    weeks = np.arange(-HISTORY_WEEKS, scenario.horizon_quarters * WEEKS_PER_QUARTER)
    quarters = np.maximum(weeks // WEEKS_PER_QUARTER, 0)
    rate = segment.opportunities_per_quarter / WEEKS_PER_QUARTER * (1 + segment.growth_per_quarter) ** quarters
    calendar = scenario.calendar
    if calendar.demand_by_week_of_quarter:
        profile = np.array(calendar.demand_by_week_of_quarter)
        rate = rate * (profile / profile.mean())[weeks % WEEKS_PER_QUARTER]
    if calendar.demand_by_quarter_of_year:
        profile = np.array(calendar.demand_by_quarter_of_year)
        rate = rate * (profile / profile.mean())[quarters % (WEEKS_PER_YEAR // WEEKS_PER_QUARTER)]
    return rate


def pass_probabilities(segment: Segment) -> list[float]:
    """Chance that a deal of the segment passes stages 1 to k, for each k, with its competition; the last is a win."""
    chances, so_far = [], 1.0
    for k, stage in enumerate(segment.stages):
        last = k == len(segment.stages) - 1
        so_far *= compete(stage.advance_probability, segment.competition) if last else stage.advance_probability
        chances.append(so_far)
    return chances


def weibull_inverse(u: FloatArray, mean: float, shape: float) -> FloatArray:
    """Weibull quantiles of uniforms `u` for a mean and a shape; shape 1 is the exponential."""
    from math import gamma

    return mean / gamma(1 + 1 / shape) * (-np.log1p(-u)) ** (1 / shape)


def _whole_ticks(weeks: FloatArray) -> TickArray:
    return np.rint(np.minimum(weeks, 1e9) * TICKS_PER_WEEK).astype(np.int64)


class _Draw:
    """One drawing of a market; holds the address that all its marks share."""

    def __init__(self, scenario: Scenario, seed: int, replication: int) -> None:
        self.scenario, self.seed, self.replication = scenario, seed, replication
        self.weeks_per_hour = 1 / scenario.territory_manager.hours_per_week

    def marks(self, stream: Stream, entity: int, count: int) -> FloatArray:
        return uniforms(self.seed, self.replication, stream, entity, count)

    def market(self) -> Market:
        scenario = self.scenario
        parts = [self.open_pipeline()] if scenario.open_pipeline is not None else []
        parts += [self.segment(i, segment) for i, segment in enumerate(scenario.market_map)]
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        open_deals = len(scenario.open_pipeline or ())
        arrivals = np.lexsort((columns["segment"][open_deals:], columns["tick"][open_deals:])) + open_deals
        order = np.concatenate([np.arange(open_deals), arrivals])
        return Market(
            seed=self.seed,
            replication=self.replication,
            drawn_for=DrawnFor.of(scenario),
            open_deals=open_deals,
            **{name: column[order] for name, column in columns.items()},
            **self.partners(),
        )

    def segment(self, i: int, segment: Segment) -> dict[str, NDArray[Any]]:
        from scipy.special import ndtr, ndtri

        weeks = self.arrivals(i, segment)
        n = len(weeks)
        settles = self.marks(Stream.OUTCOME, i, n)
        if segment.win_rate_shock > 0:
            quarters = (weeks // WEEKS_PER_QUARTER).astype(np.int64) + HISTORY_QUARTERS
            luck = ndtri(self.marks(Stream.SHOCK, i, HISTORY_QUARTERS + self.scenario.horizon_quarters))[quarters]
            own = (1 - segment.win_rate_shock**2) ** 0.5
            settles = ndtr(segment.win_rate_shock * luck + own * ndtri(settles))
        size = np.exp(segment.deal_size_sigma * ndtri(self.marks(Stream.AMOUNT, i, n)))
        owner = self.owners(i, segment, n)
        columns: dict[str, NDArray[Any]] = {
            "tick": np.floor(weeks * TICKS_PER_WEEK).astype(np.int64),
            "segment": np.full(n, i, dtype=np.int64),
            "owner": owner,
            "amount_usd": np.rint(np.minimum(segment.deal_size_median_usd * size, 1e12)).astype(np.int64),
            "settles": settles,
            "found": self.marks(Stream.FOUND, i, n),
            "brought": self.marks(Stream.BROUGHT, i, n),
            "stage": np.zeros(n, dtype=np.int64),
            "age_ticks": np.zeros(n, dtype=np.int64),
            "cycle_ticks": self.cycles(i, owner),
            "effort_ticks": np.zeros((n, MAX_STAGES), dtype=np.int64),
            "lag_ticks": np.zeros((n, MAX_STAGES), dtype=np.int64),
            "patience_ticks": np.full((n, MAX_STAGES), NEVER),
        }
        for k, stage in enumerate(segment.stages):
            entity = i * 16 + k
            self.stage_durations(
                stage,
                [self.marks(stream, entity, n) for stream in (Stream.EFFORT, Stream.BUYER_LAG, Stream.PATIENCE)],
                [columns[name][:, k] for name in ("effort_ticks", "lag_ticks", "patience_ticks")],
            )
        return columns

    def stage_durations(self, stage: Stage, marks: list[FloatArray], into: list[NDArray[Any]]) -> None:
        effort, lag, patience = marks
        hours = weibull_inverse(effort, stage.mean_hours, stage.hours_shape)
        into[0][...] = np.maximum(_whole_ticks(hours * self.weeks_per_hour), 1)
        into[1][...] = _whole_ticks(weibull_inverse(lag, stage.buyer_lag_weeks, stage.lag_shape))
        if stage.patience_weeks is not None:
            into[2][...] = _whole_ticks(weibull_inverse(patience, stage.patience_weeks, stage.patience_shape))

    def arrivals(self, i: int, segment: Segment) -> FloatArray:
        """Arrival times in weeks from quarter 1: unit exponentials through the inverse cumulative intensity."""
        from scipy.special import gammaincinv

        rate = weekly_demand(self.scenario, segment)
        if segment.demand_cv > 0:
            shape = segment.demand_cv**-2
            rate = rate * gammaincinv(shape, self.marks(Stream.DEMAND, i, len(rate))) / shape
        cumulative = np.concatenate([[0.0], np.cumsum(rate)])
        expected = cumulative[-1]
        count = int(expected + 6 * expected**0.5 + 16)
        while True:
            unit_time = np.cumsum(-np.log1p(-self.marks(Stream.ARRIVAL, i, count)))
            if unit_time[-1] > expected:
                break
            count *= 2
        within = unit_time[unit_time < expected]
        return np.interp(within, cumulative, np.arange(len(cumulative)) - float(HISTORY_WEEKS))

    def owners(self, i: int, segment: Segment, n: int) -> TickArray:
        shares = np.cumsum([p.base_share.get(segment.name, 0.0) for p in self.scenario.all_partners])
        owner = np.searchsorted(shares, self.marks(Stream.OWNER, i, n), side="right")
        return np.where(owner < len(shares), owner, NOBODY).astype(np.int64)

    def cycles(self, i: int, owner: TickArray) -> TickArray:
        marks = self.marks(Stream.CYCLE, i, len(owner))
        ticks = np.zeros(len(owner), dtype=np.int64)
        for p, partner in enumerate(self.scenario.all_partners):
            its = owner == p
            ticks[its] = _whole_ticks(weibull_inverse(marks[its], partner.cycle_weeks, partner.cycle_shape))
        return ticks

    def open_pipeline(self) -> dict[str, NDArray[Any]]:
        """The deals open on the first day. Having come so far, they have passed the stages before theirs.

        A partner's remaining cycle is drawn from the Weibull given that it has lasted its age already.
        """
        scenario = self.scenario
        deals = scenario.open_pipeline or ()
        names, partners = scenario.segment_names, scenario.partner_names
        n = len(deals)
        marks = [self.marks(Stream.PIPELINE, d, 2 + 3 * MAX_STAGES) for d in range(n)]
        columns: dict[str, NDArray[Any]] = {
            "tick": np.zeros(n, dtype=np.int64),
            "segment": np.array([names.index(d.segment) for d in deals], dtype=np.int64),
            "owner": np.array(
                [NOBODY if d.route == "direct" else partners.index(d.route) for d in deals], dtype=np.int64
            ),
            "amount_usd": np.array([d.amount_usd for d in deals], dtype=np.int64),
            "settles": np.zeros(n),
            "found": np.zeros(n),
            "brought": np.zeros(n),
            "stage": np.array([d.stage - 1 for d in deals], dtype=np.int64),
            "age_ticks": _whole_ticks(np.array([d.age_weeks for d in deals])),
            "cycle_ticks": np.zeros(n, dtype=np.int64),
            "effort_ticks": np.zeros((n, MAX_STAGES), dtype=np.int64),
            "lag_ticks": np.zeros((n, MAX_STAGES), dtype=np.int64),
            "patience_ticks": np.full((n, MAX_STAGES), NEVER),
        }
        for d, deal in enumerate(deals):
            segment = scenario.market_map[names.index(deal.segment)]
            passed = 1.0 if deal.stage == 1 else pass_probabilities(segment)[deal.stage - 2]
            columns["settles"][d] = marks[d][0] * passed
            for k, stage in enumerate(segment.stages):
                self.stage_durations(
                    stage,
                    [marks[d][2 + 3 * k + j : 3 + 3 * k + j] for j in range(3)],
                    [columns[name][d : d + 1, k] for name in ("effort_ticks", "lag_ticks", "patience_ticks")],
                )
            if deal.route != "direct":
                partner = scenario.all_partners[partners.index(deal.route)]
                columns["cycle_ticks"][d] = _whole_ticks(_remaining_weeks(marks[d][1:2], partner, deal.age_weeks))[0]
        return columns

    def partners(self) -> dict[str, NDArray[Any]]:
        accuracy = self.scenario.assumptions.label_accuracy.likely
        prior = np.cumsum([getattr(self.scenario.segment_prior, name) for name in PARTNER_SEGMENTS])
        true, exits, signing = [], [], []
        for p, partner in enumerate(self.scenario.all_partners):
            if self.marks(Stream.LABEL, p, 1)[0] < accuracy:
                true.append(PARTNER_SEGMENTS.index(partner.label))
            else:
                true.append(int(min(np.searchsorted(prior, self.marks(Stream.TRUE_SEGMENT, p, 1)[0], side="right"), 2)))
            hazard = partner.exit_hazard_per_year / WEEKS_PER_YEAR
            stay = -np.log1p(-self.marks(Stream.EXIT, p, 1))
            exits.append(int(_whole_ticks(stay / hazard)[0]) if hazard > 0 else NEVER)
            signing.append(self.marks(Stream.SIGNING, p, 1)[0])
        return {
            "true_segment": np.array(true, dtype=np.int64),
            "exit_ticks": np.array(exits, dtype=np.int64),
            "signing": np.array(signing, dtype=np.float64),
        }


def _remaining_weeks(mark: FloatArray, partner: Partner, age_weeks: float) -> FloatArray:
    from math import gamma

    shape = partner.cycle_shape
    scale = partner.cycle_weeks / gamma(1 + 1 / shape)
    if scale == 0:
        return np.zeros(1)
    return scale * ((age_weeks / scale) ** shape - np.log1p(-mark)) ** (1 / shape) - age_weeks
