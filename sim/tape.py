"""The numbers that tapes of a scenario are drawn from, and what lies on a tape.

On a tape are opportunities, their stages, the luck of partners and of quarters. Each record is declared once, as a
class, and so is what compiled code sees of it. Two scenarios with the same numbers have the same tapes.

Left out: how a tape is drawn (drawing.py), and the numbers of a run that depend on a plan (coefficients.py).
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.arrays import FloatArray, record, record_of
from sim.documents.declared import is_whole
from sim.documents.messages import show
from sim.errors import SimulationError
from sim.ledger import NOBODY
from sim.rules import compete
from sim.scenario import Partner, Scenario, Segment
from sim.terms import HISTORY_WEEKS, PARTNER_SEGMENTS, WEEKS_PER_QUARTER, WEEKS_PER_YEAR

MAX_SEED = 2**63 - 1
MAX_STAGES = 4
DEMAND_BINS = 1024
"""A week's gamma factor takes one of this many values of equal probability, each the mean of its share of the gamma:
the mean is exactly 1, the variance short by less than a thousandth at demand_cv .4."""
LEAST_DEMAND_CV = 1e-6
"""A smaller over-dispersion cannot be seen, and cannot be computed."""


class TapeRun(NamedTuple):
    """Numbers of a territory that its tapes depend on."""

    seed: int
    weeks: int  # history included
    label_accuracy: float
    achievers: float  # share of partners that are achievers, for labels that are wrong
    not_deceivers: float  # share of partners that are achievers or believers
    has_open_pipeline: bool


class TapeSegment(NamedTuple):
    """Numbers of a segment that its opportunities depend on."""

    median_usd: float
    sigma: float
    shock: float
    own_luck: float  # sqrt(1 - shock^2)
    stages: int


class TapeStage(NamedTuple):
    """Durations of a stage: Weibull scale in weeks, and 1 / shape."""

    effort_scale: float
    effort_exponent: float
    lag_scale: float
    lag_exponent: float
    patience_scale: float  # negative: endless
    patience_exponent: float


class TapePartner(NamedTuple):
    """Numbers of a partner that its luck and its cycles depend on."""

    label: int
    cycle_scale: float
    cycle_exponent: float
    exits_per_week: float


class TapeOpenDeal(NamedTuple):
    """Numbers of a deal that is open on the first day."""

    segment: int
    owner: int
    stage: int
    amount_usd: int
    age_weeks: float
    passed: float  # probability of having come so far


TAPE_RUN, TAPE_SEGMENT, TAPE_STAGE, TAPE_PARTNER, TAPE_OPEN = map(
    record_of, (TapeRun, TapeSegment, TapeStage, TapePartner, TapeOpenDeal)
)


class TapeNumbers(NamedTuple):
    """The numbers of a scenario that decide its tapes (`market.tape_numbers`)."""

    run: NDArray[Any]  # TAPE_RUN, shape (1,)
    segments: NDArray[Any]  # TAPE_SEGMENT, shape (segments,)
    stages: NDArray[Any]  # TAPE_STAGE, shape (segments, MAX_STAGES)
    partners: NDArray[Any]  # TAPE_PARTNER, shape (partners,)
    open_deals: NDArray[Any]  # TAPE_OPEN, shape (open deals,)
    demand: FloatArray  # expected opportunities a week, history first, shape (segments, weeks)
    factors: FloatArray  # of a week's demand, by quantile, shape (segments, DEMAND_BINS)
    owners: FloatArray  # cumulated shares of the accounts, shape (segments, partners)


def zero_numbers(segments: int, partners: int, open_deals: int, weeks: int) -> TapeNumbers:
    """Numbers that are all 0, for tapes that are drawn already."""
    return TapeNumbers(
        run=np.zeros(1, TAPE_RUN),
        segments=np.zeros(segments, TAPE_SEGMENT),
        stages=np.zeros((segments, MAX_STAGES), TAPE_STAGE),
        partners=np.zeros(partners, TAPE_PARTNER),
        open_deals=np.zeros(open_deals, TAPE_OPEN),
        demand=np.zeros((segments, weeks)),
        factors=np.zeros((segments, DEMAND_BINS)),
        owners=np.zeros((segments, partners)),
    )


def check_seed(name: str, value: object) -> None:
    """Raise SimulationError unless `value` can be a seed or the number of a replication."""
    if not is_whole(value, 0, MAX_SEED):
        raise SimulationError(f"{name} is {show(value)}; allowed: a whole number from 0 to 2**63 - 1")


def tape_numbers(scenario: Scenario, seed: int) -> TapeNumbers:
    """The numbers of a scenario that decide its tapes. Raises SimulationError for a seed outside [0, 2**63)."""
    check_seed("seed", seed)
    segments, partners = scenario.market_map, scenario.all_partners
    names, partner_names = scenario.segment_names, scenario.partner_names
    prior = scenario.segment_prior
    run = TapeRun(
        seed=int(seed),
        weeks=HISTORY_WEEKS + scenario.horizon_quarters * WEEKS_PER_QUARTER,
        label_accuracy=scenario.assumptions.label_accuracy.likely,
        achievers=prior.achiever,
        not_deceivers=prior.achiever + prior.believer,
        has_open_pipeline=scenario.open_pipeline is not None,
    )
    passes = [[1.0, *pass_probabilities(segment)] for segment in segments]
    open_deals = [
        TapeOpenDeal(
            segment=(s := names.index(deal.segment)),
            owner=NOBODY if deal.route == "direct" else partner_names.index(deal.route),
            stage=deal.stage - 1,
            amount_usd=deal.amount_usd,
            age_weeks=deal.age_weeks,
            passed=passes[s][deal.stage - 1],
        )
        for deal in scenario.open_pipeline or ()
    ]
    return TapeNumbers(
        run=np.array([run], TAPE_RUN),
        segments=np.array([_tape_segment(segment) for segment in segments], TAPE_SEGMENT),
        stages=np.array([_tape_stages(scenario, segment) for segment in segments], TAPE_STAGE),
        partners=np.array([_tape_partner(partner) for partner in partners], TAPE_PARTNER),
        open_deals=np.array(open_deals, TAPE_OPEN),
        demand=np.array([weekly_demand(scenario, segment) for segment in segments]),
        factors=np.array([_demand_factors(segment.demand_cv, DEMAND_BINS) for segment in segments]),
        owners=np.cumsum(
            [[partner.base_share.get(name, 0.0) for partner in partners] for name in names], axis=1, dtype=np.float64
        ).reshape(len(names), len(partners)),
    )


def _tape_segment(segment: Segment) -> TapeSegment:
    return TapeSegment(
        median_usd=segment.deal_size_median_usd,
        sigma=segment.deal_size_sigma,
        shock=segment.win_rate_shock,
        own_luck=(1 - segment.win_rate_shock**2) ** 0.5,
        stages=len(segment.stages),
    )


def _tape_stages(scenario: Scenario, segment: Segment) -> list[TapeStage]:
    hours_per_week = scenario.territory_manager.hours_per_week
    stages = [
        TapeStage(
            *_weibull(stage.mean_hours / hours_per_week, stage.hours_shape),
            *_weibull(stage.buyer_lag_weeks, stage.lag_shape),
            *((-1.0, 1.0) if stage.patience_weeks is None else _weibull(stage.patience_weeks, stage.patience_shape)),
        )
        for stage in segment.stages
    ]
    return stages + [TapeStage(*(0.0, 1.0) * 3)] * (MAX_STAGES - len(stages))


def _tape_partner(partner: Partner) -> TapePartner:
    return TapePartner(
        PARTNER_SEGMENTS.index(partner.label),
        *_weibull(partner.cycle_weeks, partner.cycle_shape),
        exits_per_week=partner.exit_hazard_per_year / WEEKS_PER_YEAR,
    )


def _weibull(mean: float, shape: float) -> tuple[float, float]:
    """Scale, and 1 / shape, of the Weibull distribution with this mean and shape; shape 1 is the exponential."""
    return mean / math.gamma(1 + 1 / shape), 1 / shape


@lru_cache(64)
def _demand_factors(demand_cv: float, bins: int) -> FloatArray:
    """Means of the gamma distribution with mean 1 over `bins` shares of equal probability: shape (bins,).

    The mean over a share of the gamma with shape k is a difference of the distribution function with shape k + 1.
    """
    from scipy.special import gammainc, gammaincinv

    if demand_cv < LEAST_DEMAND_CV:
        return np.ones(bins)
    shape = demand_cv**-2
    edges = gammaincinv(shape, np.arange(bins + 1) / bins)
    return np.diff(gammainc(shape + 1, edges)) * bins


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


ARRIVAL = record(
    ("tick amount_usd", "<i8"),
    ("found brought", "<f8"),
    ("settles", "<f8"),  # U; its mark, until that is drawn
    ("cycle", "<f8"),  # the mark of it
    ("age", "<i8"),
    ("cycle_ticks", "<i4"),
    ("number", "<i4"),  # opportunity of its segment, from 0
    ("segment owner stage", "<i2"),
    ("drawn", "<i2"),  # which of what is drawn later has been: U_DRAWN, CYCLE_DRAWN, STAGE_DRAWN << stage
)
"""An opportunity on a tape."""
U_DRAWN, CYCLE_DRAWN, STAGE_DRAWN = 1, 2, 4
ALL_DRAWN = STAGE_DRAWN * 2**MAX_STAGES - 1
KEPT_STAGE = record(("effort lag patience", "<i4"))
"""A stage of an opportunity on a tape, in ticks."""
LONGEST_KEPT = 2**31 - 1
"""Ticks, some 600 years: a longer duration ends after every horizon too, and takes half the room."""
DRAWN = record(("settles", "<f8"), ("cycle stage age", "<i8"))
DRAWN_STAGE = record(("effort lag patience", "<i8"))
"""An opportunity and its stages, whole, for readers."""
PARTNER_LUCK = record(("true_segment exit_ticks", "<i8"), ("signing", "<f8"))
NEXT = record(("tick at week", "<i8"), ("position", "<f8"), ("first", "<i8"))
"""How far a segment's tape has come: the next opportunity's tick and place in the chunk, the week and the position in
it from 0 to 1, and the number of the chunk's first opportunity."""
AHEAD = record(("gap", "<f8"), ("owner amount_usd", "<i8"), ("found brought settles cycle", "<f8"))
"""An opportunity of a chunk."""
CHUNK = 16
"""Opportunities of a segment that are drawn at a time: a processor does several at once if they follow each other."""
FULL = -1
"""Given back where an array was too short for what was drawn."""


class Tapes(NamedTuple):
    """The tapes of some replications, one after another."""

    replications: NDArray[np.int64]  # their numbers, shape (replications,)
    starts: NDArray[np.int64]
    """opportunities of replication r: arrivals[starts[r]:starts[r + 1]], shape (replications + 1,)"""
    arrivals: NDArray[Any]  # ARRIVAL, open deals first, then in order of (tick, segment), shape (opportunities,)
    stages: NDArray[Any]  # KEPT_STAGE, of those that are drawn, shape (opportunities, MAX_STAGES)
    partner_luck: NDArray[Any]  # PARTNER_LUCK, shape (replications, partners)
    quarter_luck: FloatArray
    """normal score of a segment's quarter, history first, shape (replications, segments, quarters)"""
    rates: FloatArray  # workspace, shape (segments, weeks)
    sizes: FloatArray  # workspace, shape (CHUNK,)
    nexts: NDArray[Any]  # NEXT, workspace, shape (segments,)
    ahead: NDArray[Any]  # AHEAD, workspace, shape (segments, CHUNK)


def empty_tapes(replications: Sequence[int], room: int, segments: int, partners: int, weeks: int) -> Tapes:
    """Room for the tapes of these replications with `room` opportunities in all; `weeks` has those of history."""
    runs = len(replications)
    return Tapes(
        replications=np.array(replications, dtype=np.int64),
        starts=np.zeros(runs + 1, np.int64),
        arrivals=np.empty(room, ARRIVAL),
        stages=np.empty((room, MAX_STAGES), KEPT_STAGE),
        partner_luck=np.empty((runs, partners), PARTNER_LUCK),
        quarter_luck=np.empty((runs, segments, weeks // WEEKS_PER_QUARTER)),
        rates=np.empty((segments, weeks)),
        sizes=np.empty(CHUNK),
        nexts=np.empty(segments, NEXT),
        ahead=np.empty((segments, CHUNK), AHEAD),
    )
