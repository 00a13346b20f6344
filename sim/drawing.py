"""What is drawn and when: arrivals, sizes, durations, who owns an account, who is what it seems. To be compiled.

Two times of drawing. `draw_tape` draws, in order of time, what every opportunity has: when it arises, whose account it
is, its size, and the marks of who would see it. All else of a deal is drawn when somebody first asks: most
opportunities are never worked, and most deals never reach their last stage. When it is drawn does not matter, because
marks have addresses (streams.py); once drawn it stays on the tape for the next plan. `draw_whole` draws all of it, for
readers and for the SimPy engine.

Plain functions of numbers and arrays, as rules.py. Left out: what is done with all this (kernel.py, territory.py).
"""

import math
from typing import Any

from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from sim.arrays import FloatArray
from sim.ledger import HISTORY_START, LARGEST_USD, NEVER, NOBODY, TICKS_PER_QUARTER, TICKS_PER_WEEK
from sim.rules import power
from sim.streams import LOWEST_HALF_STEP, Marks, Stream, eight_marks, four_marks
from sim.tape import (
    ALL_DRAWN,
    CHUNK,
    CYCLE_DRAWN,
    DEMAND_BINS,
    FULL,
    LONGEST_KEPT,
    MAX_STAGES,
    STAGE_DRAWN,
    U_DRAWN,
    TapeNumbers,
    Tapes,
)
from sim.terms import HISTORY_WEEKS

DEMAND, SHOCK = int(Stream.DEMAND), int(Stream.SHOCK)
OPPORTUNITY, STAGE = int(Stream.OPPORTUNITY), int(Stream.STAGE)
PARTNER, OPEN_DEAL = int(Stream.PARTNER), int(Stream.OPEN_DEAL)
LONGEST_WEEKS = 1e9


# ---------------------------------------------------------------- what a mark means: the quantile of a distribution


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
    """Ticks that a Weibull duration still lasts which has lasted `age_weeks` already."""
    if scale_weeks == 0.0:
        return 0
    # Of the two equal forms, the one whose power cannot overflow.
    if age_weeks <= scale_weeks:
        total = scale_weeks * power(power(age_weeks / scale_weeks, 1.0 / exponent) + exponential(mark), exponent)
    else:
        total = age_weeks * power(1.0 + exponential(mark) * power(scale_weeks / age_weeks, 1.0 / exponent), exponent)
    return whole_ticks(max(0.0, total - age_weeks))


def whole_ticks(weeks: float) -> int:
    """Weeks in ticks, at most LONGEST_WEEKS of them."""
    return round(min(weeks, LONGEST_WEEKS) * TICKS_PER_WEEK)


def settling(mark: float, shock: float, own_luck: float, quarter_luck: float) -> float:
    """The U that settles a deal: uniform, and correlated within a segment's quarter by a Gaussian copula."""
    if shock == 0.0:
        return mark
    return ndtr(shock * quarter_luck + own_luck * normal(mark))


# ---------------------------------------------------------------- drawn for every opportunity


def draw_all_tapes(numbers: TapeNumbers, tapes: Tapes) -> int:
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
        upcoming = tapes.nexts[s]
        upcoming.week = upcoming.first = upcoming.at = 0
        upcoming.position = 0.0
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
        upcoming = tapes.nexts[first]
        ahead, arrival = tapes.ahead[first, upcoming.at], tapes.arrivals[at]
        arrival.tick = tick
        arrival.amount_usd = ahead.amount_usd
        arrival.found = ahead.found
        arrival.brought = ahead.brought
        arrival.settles = ahead.settles
        arrival.cycle = ahead.cycle
        arrival.age = arrival.stage = arrival.drawn = 0
        arrival.number = upcoming.first + upcoming.at
        arrival.segment = first
        arrival.owner = ahead.owner
        at += 1
        upcoming.at += 1
        if upcoming.at == CHUNK:
            upcoming.first += CHUNK
            upcoming.at = 0
            draw_chunk(numbers, tapes, first, seed, replication)
        date_next(numbers, tapes, first)


def draw_chunk(numbers: TapeNumbers, tapes: Tapes, s: int, seed: int, replication: int) -> None:
    """Draw the segment's next CHUNK opportunities, one property of all of them after another."""
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
    """Date the segment's next opportunity: a unit exponential through the inverse cumulative intensity."""
    upcoming = tapes.nexts[s]
    left, week, position = tapes.ahead[s, upcoming.at].gap, upcoming.week, upcoming.position
    while week < numbers.run[0].weeks:
        rate = tapes.rates[s, week]
        rest = rate * (1.0 - position)
        if left < rest:
            position += left / rate
            within = min(int(position * TICKS_PER_WEEK), TICKS_PER_WEEK - 1)
            upcoming.tick = (week - HISTORY_WEEKS) * TICKS_PER_WEEK + within
            upcoming.week = week
            upcoming.position = position
            return
        left -= rest
        week += 1
        position = 0.0
    upcoming.tick = NEVER


def owner_of(owners: FloatArray, s: int, mark: float) -> int:
    """The partner whose accounts, laid end to end, hold the mark."""
    before = 0
    for p in range(owners.shape[1]):  # no way out: counting all is quicker than a branch nobody can predict
        before += mark >= owners[s, p]
    return before if before < owners.shape[1] else NOBODY


def draw_luck_and_rates(numbers: TapeNumbers, tapes: Tapes, r: int, seed: int, replication: int) -> None:
    """Draw what the deals of a segment's quarter, and the demand of its week, have in common."""
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


def draw_all_partners(numbers: TapeNumbers, tapes: Tapes) -> int:
    """Draw the partners of all replications."""
    for r in range(len(tapes.replications)):
        draw_partners(numbers, tapes, r, numbers.run[0].seed, tapes.replications[r])
    return 0


def draw_partners(numbers: TapeNumbers, tapes: Tapes, r: int, seed: int, replication: int) -> None:
    """Draw what each partner truly is, how long it stays, and whether a candidate signs."""
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
    """Draw the deals open on the first day. Having come so far, they have passed the stages before theirs."""
    for d in range(len(numbers.open_deals)):
        deal, arrival = numbers.open_deals[d], tapes.arrivals[begin + d]
        arrival.tick = 0
        arrival.amount_usd = deal.amount_usd
        arrival.found = arrival.brought = 0.0
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
            marks = four_marks(seed, replication, OPEN_DEAL, d, k + 1)
            fill_stage(numbers, tapes.stages[begin + d, k], deal.segment, k, marks, LONGEST_KEPT)


def open_cycle_ticks(numbers: TapeNumbers, d: int, mark: float) -> int:
    """Ticks until the closing of a deal that a partner has open on the first day."""
    deal = numbers.open_deals[d]
    if deal.owner == NOBODY:
        return 0
    partner = numbers.partners[deal.owner]
    return remaining(mark, partner.cycle_scale, partner.cycle_exponent, deal.age_weeks)


# ---------------------------------------------------------------- drawn when asked for


def draw_u(numbers: TapeNumbers, tapes: Tapes, r: int, at: int) -> None:
    """Draw the U of an opportunity, once."""
    arrival = tapes.arrivals[at]
    if not arrival.drawn & U_DRAWN:
        segment = numbers.segments[arrival.segment]
        quarter = (arrival.tick - HISTORY_START) // TICKS_PER_QUARTER  # from 0, the history's two first
        luck = tapes.quarter_luck[r, arrival.segment, quarter]
        arrival.settles = settling(arrival.settles, segment.shock, segment.own_luck, luck)
        arrival.drawn |= U_DRAWN


def draw_cycle(numbers: TapeNumbers, tapes: Tapes, at: int) -> None:
    """Draw the time that the owner of an opportunity would take, once."""
    arrival = tapes.arrivals[at]
    if not arrival.drawn & CYCLE_DRAWN:
        arrival.cycle_ticks = min(cycle_ticks(numbers, arrival.owner, arrival.cycle), LONGEST_KEPT)
        arrival.drawn |= CYCLE_DRAWN


def draw_stage(numbers: TapeNumbers, tapes: Tapes, replication: int, at: int, k: int) -> None:
    """Draw the durations of a stage of an opportunity, once."""
    arrival = tapes.arrivals[at]
    if not arrival.drawn & (STAGE_DRAWN << k):
        segment = arrival.segment
        marks = four_marks(numbers.run[0].seed, replication, STAGE, 16 * segment + k, arrival.number)
        fill_stage(numbers, tapes.stages[at, k], segment, k, marks, LONGEST_KEPT)
        arrival.drawn |= STAGE_DRAWN << k


def draw_rest(numbers: TapeNumbers, tapes: Tapes) -> int:
    """Draw all that is else drawn when asked for, so that several threads may read the tapes at once."""
    for r in range(len(tapes.replications)):
        for at in range(tapes.starts[r], tapes.starts[r + 1]):
            draw_u(numbers, tapes, r, at)
            draw_cycle(numbers, tapes, at)
            for k in range(numbers.segments[tapes.arrivals[at].segment].stages):
                draw_stage(numbers, tapes, tapes.replications[r], at, k)
    return len(tapes.arrivals)


def cycle_ticks(numbers: TapeNumbers, owner: int, mark: float) -> int:
    """The owner's time from start of work to closing."""
    if owner == NOBODY:
        return 0
    partner = numbers.partners[owner]
    return duration(mark, partner.cycle_scale, partner.cycle_exponent)


def fill_stage(numbers: TapeNumbers, target: Any, segment: int, k: int, marks: Marks, longest: int) -> None:
    """Fill in stage `k` of a deal from the marks of effort, lag and patience; one that its segment has not stays empty.

    The manager's work is never nothing. With a negative scale the buyer's patience is endless.
    """
    effort, lag, patience, _ = marks
    lasts = numbers.stages[segment, k]
    target.effort = target.lag = 0
    target.patience = longest
    if k < numbers.segments[segment].stages:
        target.effort = min(max(1, duration(effort, lasts.effort_scale, lasts.effort_exponent)), longest)
        target.lag = min(duration(lag, lasts.lag_scale, lasts.lag_exponent), longest)
        if lasts.patience_scale >= 0.0:
            target.patience = min(duration(patience, lasts.patience_scale, lasts.patience_exponent), longest)


def draw_whole(numbers: TapeNumbers, tapes: Tapes, r: int, drawn: NDArray[Any], stages: NDArray[Any]) -> int:
    """Draw all of the opportunities of replication row `r`, open deals included, durations at full length.

    DRAWN, shape (n,), and DRAWN_STAGE, shape (n, MAX_STAGES).
    """
    seed, replication, begin = numbers.run[0].seed, tapes.replications[r], tapes.starts[r]
    for i in range(len(drawn)):
        arrival, whole = tapes.arrivals[begin + i], drawn[i]
        is_open = i < len(numbers.open_deals)
        draw_u(numbers, tapes, r, begin + i)
        whole.settles = arrival.settles
        whole.stage = arrival.stage
        whole.age = arrival.age
        if is_open:
            whole.cycle = open_cycle_ticks(numbers, i, four_marks(seed, replication, OPEN_DEAL, i, 0)[1])
        else:
            whole.cycle = cycle_ticks(numbers, arrival.owner, arrival.cycle)
        for k in range(MAX_STAGES):
            if is_open:
                marks = four_marks(seed, replication, OPEN_DEAL, i, k + 1)
            else:
                marks = four_marks(seed, replication, STAGE, 16 * arrival.segment + k, arrival.number)
            fill_stage(numbers, stages[i, k], arrival.segment, k, marks, NEVER)
    return len(drawn)
