"""What the marks mean: arrivals, sizes, durations, who owns an account, who is what it seems. To be compiled.

Two times of drawing. `draw_tape` draws, in order of time, what every opportunity has: when it arises, whose account it
is, its size, and the marks of who would see it. All else of a deal is drawn when somebody first asks: most
opportunities are never worked, and most deals never reach their last stage. When it is drawn does not matter, because
marks have addresses (streams.py); once drawn it stays on the tape for the next plan. `draw_whole` draws all of it, for
readers and for the SimPy engine.

Plain functions of numbers and arrays, as rules.py. Left out: what is done with all this (kernel.py, territory.py).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from sim.arrays import FloatArray
from sim.ledger import HISTORY_START, LARGEST_USD, NEVER, NOBODY, TICKS_PER_QUARTER, TICKS_PER_WEEK
from sim.rules import power
from sim.scenario import HISTORY_WEEKS
from sim.streams import LOWEST_HALF_STEP, Stream, eight_marks, four_marks

MAX_STAGES = 4
LONGEST_WEEKS = 1e9
DEMAND_BINS = 1024
"""A week's gamma factor takes one of so many values of equal probability, each the mean of its share of the gamma:
the mean is exactly 1, the variance short by less than a thousandth at demand_cv .4."""
DEMAND, SHOCK = int(Stream.DEMAND), int(Stream.SHOCK)
OPPORTUNITY, STAGE = int(Stream.OPPORTUNITY), int(Stream.STAGE)
PARTNER, OPEN_DEAL = int(Stream.PARTNER), int(Stream.OPEN_DEAL)
FULL = -1
"""Returned where an array was too short for what was drawn."""


def record(*fields: tuple[Any, ...]) -> np.dtype[Any]:
    """A record type whose fields lie where a compiler expects them."""
    return np.dtype(list(fields), align=True)


TAPE_RUN = record(
    ("seed", "<i8"),
    ("weeks", "<i8"),  # history included
    ("label_accuracy", "<f8"),
    ("achievers", "<f8"),  # share of partners that are achievers, for labels that are wrong
    ("not_deceivers", "<f8"),  # share that are achievers or believers
    ("has_open_pipeline", "<i8"),
)
TAPE_SEGMENT = record(
    ("median_usd", "<f8"),
    ("sigma", "<f8"),
    ("shock", "<f8"),
    ("own_luck", "<f8"),  # sqrt(1 - shock^2)
    ("stages", "<i8"),
)
TAPE_STAGE = record(
    ("effort_scale", "<f8"),
    ("effort_exponent", "<f8"),
    ("lag_scale", "<f8"),
    ("lag_exponent", "<f8"),
    ("patience_scale", "<f8"),  # negative: endless
    ("patience_exponent", "<f8"),
)
"""Durations of a stage: Weibull scale in weeks, and 1 / shape."""
TAPE_PARTNER = record(
    ("label", "<i8"),
    ("cycle_scale", "<f8"),
    ("cycle_exponent", "<f8"),
    ("exits_per_week", "<f8"),
)
TAPE_OPEN = record(
    ("segment", "<i8"),
    ("owner", "<i8"),
    ("stage", "<i8"),
    ("amount_usd", "<i8"),
    ("age_weeks", "<f8"),
    ("passed", "<f8"),  # probability of having come so far
)
ARRIVAL = record(
    ("tick", "<i8"),
    ("amount_usd", "<i8"),
    ("found", "<f8"),
    ("brought", "<f8"),
    ("settles", "<f8"),  # U; its mark, until that is drawn
    ("cycle", "<f8"),  # the mark of it
    ("age", "<i8"),
    ("cycle_ticks", "<i4"),
    ("number", "<i4"),  # opportunity of its segment, from 0
    ("segment", "<i2"),
    ("owner", "<i2"),
    ("stage", "<i2"),
    ("drawn", "<i2"),  # which of what is drawn later has been: U_DRAWN, CYCLE_DRAWN, STAGE_DRAWN << stage
)
"""An opportunity on a tape."""
U_DRAWN, CYCLE_DRAWN, STAGE_DRAWN = 1, 2, 4
ALL_DRAWN = STAGE_DRAWN * 2**MAX_STAGES - 1
KEPT_STAGE = record(("effort", "<i4"), ("lag", "<i4"), ("patience", "<i4"))
"""A stage of an opportunity on a tape, in ticks."""
LONGEST_KEPT = 2**31 - 1
"""Ticks, some 600 years: a longer duration ends after every horizon too, and takes half the room."""
DRAWN = record(("settles", "<f8"), ("cycle", "<i8"), ("stage", "<i8"), ("age", "<i8"))
DRAWN_STAGE = record(("effort", "<i8"), ("lag", "<i8"), ("patience", "<i8"))
"""An opportunity and its stages, whole, for readers."""
PARTNER_LUCK = record(("true_segment", "<i8"), ("exit_ticks", "<i8"), ("signing", "<f8"))
NEXT = record(("tick", "<i8"), ("at", "<i8"), ("week", "<i8"), ("position", "<f8"), ("first", "<i8"))
"""How far a segment's tape has come: the next opportunity's tick and place in the chunk, the week and the position in
it from 0 to 1, and the number of the chunk's first opportunity."""
AHEAD = record(
    ("gap", "<f8"),
    ("owner", "<i8"),
    ("amount_usd", "<i8"),
    ("found", "<f8"),
    ("brought", "<f8"),
    ("settles", "<f8"),
    ("cycle", "<f8"),
)
"""An opportunity of a chunk."""
CHUNK = 16
"""Opportunities of a segment that are drawn at a time: a processor does several at once if they follow each other."""


class TapeNumbers(NamedTuple):
    """What of a scenario decides its tapes (`market.tape_numbers`)."""

    run: NDArray[Any]
    """TAPE_RUN, shape (1,)"""
    segments: NDArray[Any]
    """TAPE_SEGMENT, shape (segments,)"""
    stages: NDArray[Any]
    """TAPE_STAGE, shape (segments, MAX_STAGES)"""
    partners: NDArray[Any]
    """TAPE_PARTNER, shape (partners,)"""
    open_deals: NDArray[Any]
    """TAPE_OPEN, shape (open deals,)"""
    demand: FloatArray
    """expected opportunities a week, history first, shape (segments, weeks)"""
    factors: FloatArray
    """of a week's demand, by quantile, shape (segments, DEMAND_BINS)"""
    owners: FloatArray
    """cumulated shares of the accounts, shape (segments, partners)"""


class Tapes(NamedTuple):
    """The tapes of some replications, one after another."""

    replications: NDArray[np.int64]
    """their numbers, shape (replications,)"""
    starts: NDArray[np.int64]
    """opportunities of replication r: arrivals[starts[r]:starts[r + 1]], shape (replications + 1,)"""
    arrivals: NDArray[Any]
    """ARRIVAL, open deals first, then in order of (tick, segment), shape (opportunities,)"""
    stages: NDArray[Any]
    """KEPT_STAGE, of those that are drawn, shape (opportunities, MAX_STAGES)"""
    partner_luck: NDArray[Any]
    """PARTNER_LUCK, shape (replications, partners)"""
    quarter_luck: FloatArray
    """normal score of a segment's quarter, history first, shape (replications, segments, quarters)"""
    rates: FloatArray
    """workspace, shape (segments, weeks)"""
    sizes: FloatArray
    """workspace, shape (CHUNK,)"""
    nexts: NDArray[Any]
    """NEXT, workspace, shape (segments,)"""
    ahead: NDArray[Any]
    """AHEAD, workspace, shape (segments, CHUNK)"""


def exponential(mark: float) -> float:
    """Quantile of the unit exponential."""
    return -math.log(1.0 - mark)


def normal(mark: float) -> float:
    """Quantile of the standard normal; a mark of 0 stands for the middle of its step."""
    return ndtri(max(mark, LOWEST_HALF_STEP))


def duration(mark: float, scale_weeks: float, exponent: float) -> int:
    """Quantile of the Weibull distribution with this scale and shape 1 / exponent, in whole ticks."""
    return whole_ticks(scale_weeks * power(exponential(mark), exponent))


def remaining(mark: float, scale_weeks: float, exponent: float, age_weeks: float) -> int:
    """The same given that it has lasted `age_weeks` already, less these."""
    if scale_weeks == 0.0:
        return 0
    # Of the two equal forms, the one whose power cannot overflow.
    if age_weeks <= scale_weeks:
        total = scale_weeks * power(power(age_weeks / scale_weeks, 1.0 / exponent) + exponential(mark), exponent)
    else:
        total = age_weeks * power(1.0 + exponential(mark) * power(scale_weeks / age_weeks, 1.0 / exponent), exponent)
    return whole_ticks(max(0.0, total - age_weeks))


def whole_ticks(weeks: float) -> int:
    """Weeks as ticks; the longest duration is a billion weeks."""
    return round(min(weeks, LONGEST_WEEKS) * TICKS_PER_WEEK)


def settling(mark: float, shock: float, own_luck: float, quarter_luck: float) -> float:
    """The U that settles a deal: uniform, and correlated within a segment's quarter by a Gaussian copula."""
    if shock == 0.0:
        return mark
    return ndtr(shock * quarter_luck + own_luck * normal(mark))


def quarter_row(tick: int) -> int:
    """Row of a tick in tables by quarter that begin with the history's two."""
    return (tick - HISTORY_START) // TICKS_PER_QUARTER


# ---------------------------------------------------------------- drawn for every opportunity


def draw_tapes(numbers: TapeNumbers, tapes: Tapes) -> int:
    """Draw the tapes of `tapes.replications`; gives the number of opportunities, or FULL."""
    total = 0
    tapes.starts[0] = 0
    for r in range(len(tapes.replications)):
        total = draw_tape(numbers, tapes, r, total)
        if total == FULL:
            return FULL
        tapes.starts[r + 1] = total
    return total


def draw_tape(numbers: TapeNumbers, tapes: Tapes, r: int, begin: int) -> int:
    """Draw replication row `r` into the arrivals from `begin` on; gives where they end, or FULL."""
    seed, replication = numbers.run[0].seed, tapes.replications[r]
    draw_partners(numbers, tapes, r, seed, replication)
    draw_luck_and_rates(numbers, tapes, r, seed, replication)
    if begin + len(numbers.open_deals) > len(tapes.arrivals):
        return FULL
    draw_open_deals(numbers, tapes, seed, replication, begin)
    at = begin + len(numbers.open_deals)
    for s in range(len(numbers.segments)):
        its = tapes.nexts[s]
        its.week = 0
        its.position = 0.0
        its.first = 0
        its.at = 0
        draw_chunk(numbers, tapes, s, seed, replication)
        date_next(numbers, tapes, s)
    while True:
        first, tick = 0, NEVER
        for s in range(len(numbers.segments)):
            sooner = tapes.nexts[s].tick < tick
            first = s if sooner else first
            tick = tapes.nexts[s].tick if sooner else tick
        if tick == NEVER:
            return at
        if at == len(tapes.arrivals):
            return FULL
        its = tapes.nexts[first]
        ahead, arrival = tapes.ahead[first, its.at], tapes.arrivals[at]
        arrival.tick = tick
        arrival.amount_usd = ahead.amount_usd
        arrival.found = ahead.found
        arrival.brought = ahead.brought
        arrival.settles = ahead.settles
        arrival.cycle = ahead.cycle
        arrival.age = 0
        arrival.stage = 0
        arrival.drawn = 0
        arrival.number = its.first + its.at
        arrival.segment = first
        arrival.owner = ahead.owner
        at += 1
        its.at += 1
        if its.at == CHUNK:
            its.first += CHUNK
            its.at = 0
            draw_chunk(numbers, tapes, first, seed, replication)
        date_next(numbers, tapes, first)


def draw_chunk(numbers: TapeNumbers, tapes: Tapes, s: int, seed: int, replication: int) -> None:
    """The segment's next CHUNK opportunities, one thing about all of them after another."""
    segment, first = numbers.segments[s], tapes.nexts[s].first
    for i in range(CHUNK):
        ahead = tapes.ahead[s, i]
        gap, owner, found, size, brought, settles, cycle, _ = eight_marks(
            seed, replication, OPPORTUNITY, s, 2 * (first + i)
        )
        ahead.gap = gap
        ahead.owner = owner_of(numbers.owners, s, owner)
        ahead.found = found
        ahead.brought = brought
        ahead.settles = settles
        ahead.cycle = cycle
        tapes.sizes[i] = size
    for i in range(CHUNK):
        ahead = tapes.ahead[s, i]
        ahead.gap = exponential(ahead.gap)
    for i in range(CHUNK):
        tapes.sizes[i] = normal(tapes.sizes[i])
    for i in range(CHUNK):
        ahead = tapes.ahead[s, i]
        ahead.amount_usd = round(min(segment.median_usd * math.exp(segment.sigma * tapes.sizes[i]), LARGEST_USD))


def date_next(numbers: TapeNumbers, tapes: Tapes, s: int) -> None:
    """When the segment's next opportunity arises: a unit exponential through the inverse cumulative intensity."""
    its = tapes.nexts[s]
    left, week, position = tapes.ahead[s, its.at].gap, its.week, its.position
    while week < numbers.run[0].weeks:
        rate = tapes.rates[s, week]
        rest = rate * (1.0 - position)
        if left < rest:
            position += left / rate
            within = min(int(position * TICKS_PER_WEEK), TICKS_PER_WEEK - 1)
            its.tick = (week - HISTORY_WEEKS) * TICKS_PER_WEEK + within
            its.week = week
            its.position = position
            return
        left -= rest
        week += 1
        position = 0.0
    its.tick = NEVER


def owner_of(owners: FloatArray, s: int, mark: float) -> int:
    """The partner whose accounts, laid end to end, hold the mark."""
    before = 0
    for p in range(owners.shape[1]):  # no way out: counting all is quicker than a branch nobody can predict
        before += mark >= owners[s, p]
    return before if before < owners.shape[1] else NOBODY


def draw_luck_and_rates(numbers: TapeNumbers, tapes: Tapes, r: int, seed: int, replication: int) -> None:
    """What a segment's quarters and weeks have in common."""
    weeks = numbers.run[0].weeks
    for s in range(len(numbers.segments)):
        for block in range((tapes.quarter_luck.shape[2] + 3) // 4):
            marks = four_marks(seed, replication, SHOCK, s, block)
            for i in range(min(4, tapes.quarter_luck.shape[2] - 4 * block)):
                tapes.quarter_luck[r, s, 4 * block + i] = normal(marks[i])
        for block in range((weeks + 3) // 4):
            marks = four_marks(seed, replication, DEMAND, s, block)
            for i in range(min(4, weeks - 4 * block)):
                factor = numbers.factors[s, int(marks[i] * DEMAND_BINS)]
                tapes.rates[s, 4 * block + i] = numbers.demand[s, 4 * block + i] * factor


def redraw_partners(numbers: TapeNumbers, tapes: Tapes) -> int:
    """The partners of all replications, once more."""
    for r in range(len(tapes.replications)):
        draw_partners(numbers, tapes, r, numbers.run[0].seed, tapes.replications[r])
    return 0


def draw_partners(numbers: TapeNumbers, tapes: Tapes, r: int, seed: int, replication: int) -> None:
    """What each partner truly is, how long it stays, and whether a candidate signs."""
    run = numbers.run[0]
    for p in range(len(numbers.partners)):
        partner, luck = numbers.partners[p], tapes.partner_luck[r, p]
        right, true, stay, signing = four_marks(seed, replication, PARTNER, p, 0)
        if right < run.label_accuracy:
            luck.true_segment = partner.label
        else:
            luck.true_segment = 0 if true < run.achievers else 1 if true < run.not_deceivers else 2
        luck.exit_ticks = NEVER
        if partner.exits_per_week > 0.0:
            luck.exit_ticks = whole_ticks(exponential(stay) / partner.exits_per_week)
        luck.signing = signing


def draw_open_deals(numbers: TapeNumbers, tapes: Tapes, seed: int, replication: int, begin: int) -> None:
    """The deals open on the first day. Having come so far, they have passed the stages before theirs."""
    for d in range(len(numbers.open_deals)):
        deal, arrival = numbers.open_deals[d], tapes.arrivals[begin + d]
        arrival.tick = 0
        arrival.amount_usd = deal.amount_usd
        arrival.found = 0.0
        arrival.brought = 0.0
        arrival.number = d
        arrival.segment = deal.segment
        arrival.owner = deal.owner
        settles, cycle, _, _ = four_marks(seed, replication, OPEN_DEAL, d, 0)
        arrival.settles = settles * deal.passed
        arrival.stage = deal.stage
        arrival.age = whole_ticks(deal.age_weeks)
        arrival.cycle_ticks = min(open_cycle_ticks(numbers, d, cycle), LONGEST_KEPT)
        arrival.drawn = ALL_DRAWN
        for k in range(MAX_STAGES):
            effort, lag, patience, _ = four_marks(seed, replication, OPEN_DEAL, d, k + 1)
            fill_stage(numbers, tapes.stages[begin + d, k], deal.segment, k, effort, lag, patience, LONGEST_KEPT)


def open_cycle_ticks(numbers: TapeNumbers, d: int, mark: float) -> int:
    """What is left of the cycle of an open deal of a partner."""
    deal = numbers.open_deals[d]
    if deal.owner == NOBODY:
        return 0
    partner = numbers.partners[deal.owner]
    return remaining(mark, partner.cycle_scale, partner.cycle_exponent, deal.age_weeks)


# ---------------------------------------------------------------- drawn when asked for


def draw_u(numbers: TapeNumbers, tapes: Tapes, r: int, at: int) -> None:
    """The U of an opportunity, once."""
    arrival = tapes.arrivals[at]
    if not arrival.drawn & U_DRAWN:
        segment = numbers.segments[arrival.segment]
        luck = tapes.quarter_luck[r, arrival.segment, quarter_row(arrival.tick)]
        arrival.settles = settling(arrival.settles, segment.shock, segment.own_luck, luck)
        arrival.drawn |= U_DRAWN


def draw_cycle(numbers: TapeNumbers, tapes: Tapes, at: int) -> None:
    """The owner's cycle, once."""
    arrival = tapes.arrivals[at]
    if not arrival.drawn & CYCLE_DRAWN:
        arrival.cycle_ticks = min(cycle_ticks(numbers, arrival.owner, arrival.cycle), LONGEST_KEPT)
        arrival.drawn |= CYCLE_DRAWN


def draw_stage(numbers: TapeNumbers, tapes: Tapes, replication: int, at: int, k: int) -> None:
    """The durations of a stage of an opportunity, once."""
    arrival = tapes.arrivals[at]
    if not arrival.drawn & (STAGE_DRAWN << k):
        segment = arrival.segment
        effort, lag, patience, _ = four_marks(numbers.run[0].seed, replication, STAGE, 16 * segment + k, arrival.number)
        fill_stage(numbers, tapes.stages[at, k], segment, k, effort, lag, patience, LONGEST_KEPT)
        arrival.drawn |= STAGE_DRAWN << k


def draw_rest(numbers: TapeNumbers, tapes: Tapes) -> int:
    """All that is drawn when asked for, so that several threads may read the tapes at once."""
    for r in range(len(tapes.replications)):
        for at in range(tapes.starts[r], tapes.starts[r + 1]):
            draw_u(numbers, tapes, r, at)
            draw_cycle(numbers, tapes, at)
            for k in range(numbers.segments[tapes.arrivals[at].segment].stages):
                draw_stage(numbers, tapes, tapes.replications[r], at, k)
    return len(tapes.arrivals)


def effort_ticks(numbers: TapeNumbers, segment: int, stage: int, mark: float) -> int:
    """The manager's work on a stage; never nothing."""
    its = numbers.stages[segment, stage]
    return max(1, duration(mark, its.effort_scale, its.effort_exponent))


def lag_ticks(numbers: TapeNumbers, segment: int, stage: int, mark: float) -> int:
    """The buyer's time to answer a stage."""
    its = numbers.stages[segment, stage]
    return duration(mark, its.lag_scale, its.lag_exponent)


def patience_ticks(numbers: TapeNumbers, segment: int, stage: int, mark: float) -> int:
    """How long the buyer waits for a stage to begin; NEVER if it waits for ever."""
    its = numbers.stages[segment, stage]
    if its.patience_scale < 0.0:
        return NEVER
    return duration(mark, its.patience_scale, its.patience_exponent)


def cycle_ticks(numbers: TapeNumbers, owner: int, mark: float) -> int:
    """The owner's time from start of work to closing."""
    if owner == NOBODY:
        return 0
    partner = numbers.partners[owner]
    return duration(mark, partner.cycle_scale, partner.cycle_exponent)


def fill_stage(
    numbers: TapeNumbers, its: Any, segment: int, k: int, effort: float, lag: float, patience: float, longest: int
) -> None:
    """Stage `k` of a deal; stages its segment does not have stay empty."""
    has = k < numbers.segments[segment].stages
    its.effort = min(effort_ticks(numbers, segment, k, effort), longest) if has else 0
    its.lag = min(lag_ticks(numbers, segment, k, lag), longest) if has else 0
    its.patience = min(patience_ticks(numbers, segment, k, patience), longest) if has else longest


def draw_whole(numbers: TapeNumbers, tapes: Tapes, r: int, drawn: NDArray[Any], stages: NDArray[Any]) -> int:
    """All that can be asked of the opportunities of replication row `r`, open deals included, at full length.

    DRAWN, shape (n,), and DRAWN_STAGE, shape (n, MAX_STAGES).
    """
    seed, replication, begin = numbers.run[0].seed, tapes.replications[r], tapes.starts[r]
    for i in range(len(drawn)):
        arrival, its = tapes.arrivals[begin + i], drawn[i]
        is_open = i < len(numbers.open_deals)
        draw_u(numbers, tapes, r, begin + i)
        its.settles = arrival.settles
        its.stage = arrival.stage
        its.age = arrival.age
        if is_open:
            its.cycle = open_cycle_ticks(numbers, i, four_marks(seed, replication, OPEN_DEAL, i, 0)[1])
        else:
            its.cycle = cycle_ticks(numbers, arrival.owner, arrival.cycle)
        for k in range(MAX_STAGES):
            if is_open:
                effort, lag, patience, _ = four_marks(seed, replication, OPEN_DEAL, i, k + 1)
            else:
                effort, lag, patience, _ = four_marks(
                    seed, replication, STAGE, 16 * arrival.segment + k, arrival.number
                )
            fill_stage(numbers, stages[i, k], arrival.segment, k, effort, lag, patience, NEVER)
    return len(drawn)
