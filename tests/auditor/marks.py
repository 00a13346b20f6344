"""What must be on the tape, from the scenario and the marks alone, as docs/model.md has it under "The tape".

Whole columns at a time, with numpy and scipy. Times are compared before they are rounded to ticks: a time on the tape
must be the nearest whole tick (of an arrival, the one that has begun), give or take a billionth of the time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc, gammaincinv, ndtr, ndtri

from sim.ledger import HISTORY_START, LARGEST_USD, NEVER, NOBODY, TICKS_PER_QUARTER, TICKS_PER_WEEK
from sim.market import Market
from sim.scenario import OpenDeal, Scenario, Segment
from sim.streams import Stream, uniforms
from sim.terms import HISTORY_WEEKS, PARTNER_SEGMENTS
from tests.auditor.numbers import WEEKS_PER_YEAR, chances_to_pass, expected_by_week, weeks_in
from tests.auditor.sentences import OF_TAPE

Reals = NDArray[np.float64]
CLOSE, NOTHING, LONGEST_WEEKS, MAX_STAGES = 1e-9, 1e-15, 1e9, 4
DEMAND_VALUES = 1024
LEAST_CV = 1e-6
HALF_A_STEP = 0.5
GAP, OWNER, FOUND, AMOUNT, BROUGHT, SETTLES, CYCLE = range(7)
"""The marks of an opportunity, in order; the eighth is not used."""


@dataclass(frozen=True)
class Tape:
    """A market, and where its marks come from."""

    scenario: Scenario
    market: Market

    def marks(self, stream: Stream, entity: int, count: int) -> Reals:
        return uniforms(self.market.seed, self.market.replication, stream, entity, count)


def audit_market(scenario: Scenario, market: Market) -> None:
    """Compare every column of a market with what docs/model.md says. Raises AssertionError where one differs."""
    tape = Tape(scenario, market)
    for s in range(len(scenario.market_map)):
        opportunities(tape, s)
    after = market.open_deals
    order = np.lexsort((market.segment[after:], market.tick[after:]))
    differs("order of arrivals", "ids", np.arange(len(order)), order)
    for p in range(len(scenario.all_partners)):
        partner_luck(tape, p)
    for d, deal in enumerate(scenario.open_pipeline or ()):
        open_deal(tape, d, deal)
    differs("number of open deals", "open pipeline", len(scenario.open_pipeline or ()), after)


# ---------------------------------------------------------------- comparing


def differs(what: str, says: str, expected: Any, found: Any) -> None:
    """Complain unless whole numbers are equal and real ones are to a billionth."""
    expected, found = np.atleast_1d(expected), np.atleast_1d(found)
    assert expected.shape == found.shape, f"{what}: {len(expected)} expected, {len(found)} found; {quoted(says)}"
    exact = expected.dtype.kind == "i"
    wrong = expected != found if exact else ~np.isclose(found, expected, rtol=CLOSE, atol=NOTHING)
    if wrong.any():
        at = int(wrong.argmax())
        raise AssertionError(f"{what} {at}: {expected[at]} expected, {found[at]} found; {quoted(says)}")


def lasts(what: str, says: str, weeks: Any, found: Any, least: int = 0) -> None:
    """Complain unless ticks are the nearest whole numbers to a time in weeks."""
    ticks = np.maximum(np.minimum(np.atleast_1d(weeks), LONGEST_WEEKS) * TICKS_PER_WEEK, least)
    found = np.atleast_1d(found)
    wrong = np.abs(found - ticks) > HALF_A_STEP + CLOSE * np.maximum(ticks, 1)
    if wrong.any():
        at = int(wrong.argmax())
        raise AssertionError(f"{what} {at}: {ticks[at]:.3f} ticks expected, {found[at]} found; {quoted(says)}")


def quoted(says: str) -> str:
    return f"docs/model.md: {OF_TAPE[says]}"


# ---------------------------------------------------------------- distributions


def weibull(marks: Any, mean: float, shape: float) -> Any:
    """Quantile of the Weibull distribution with this mean and shape."""
    return mean / math.gamma(1 + 1 / shape) * (-np.log1p(-marks)) ** (1 / shape)


def scores(marks: Any) -> Any:
    """Phi^-1 of the marks; a mark of 0 stands for the middle of its step of 2^-53."""
    return ndtri(np.maximum(marks, 2.0**-54))


def demand_factors(cv: float, marks: Reals) -> Reals:
    """G_w: 1,024 values of equal probability, each the mean of its share of the gamma distribution."""
    if cv < LEAST_CV:
        return np.ones(len(marks))
    shape = 1 / cv**2
    low = np.floor(marks * DEMAND_VALUES)
    # The mean of x below a quantile of the gamma is the distribution function of the gamma with one shape more.
    above, below = (gammainc(shape + 1, gammaincinv(shape, end / DEMAND_VALUES)) for end in (low + 1, low))
    return (above - below) * DEMAND_VALUES


# ---------------------------------------------------------------- opportunities


def opportunities(tape: Tape, s: int) -> None:
    """Arrivals of a segment and all that hangs on them."""
    segment, m = tape.scenario.market_map[s], tape.market
    rows = np.flatnonzero(m.segment == s)
    rows = rows[rows >= m.open_deals]
    n = len(rows)
    marks = tape.marks(Stream.OPPORTUNITY, s, 8 * (n + 1)).reshape(n + 1, 8)
    arrivals(tape, s, rows, -np.log1p(-marks[:, GAP]))
    marks = marks[:n]
    name = segment.name
    edges = np.cumsum([p.base_share.get(name, 0.0) for p in tape.scenario.all_partners])
    owner = np.searchsorted(edges, marks[:, OWNER], side="right")
    owner = np.where(owner == len(edges), NOBODY, owner)
    differs(f"owner in {name}", "owner", owner, m.owner[rows])
    amount = segment.deal_size_median_usd * np.exp(segment.deal_size_sigma * scores(marks[:, AMOUNT]))
    amount, told = np.minimum(amount, LARGEST_USD), m.amount_usd[rows]
    near = np.where(np.abs(told - amount) <= HALF_A_STEP + CLOSE * amount, told, np.rint(amount).astype(np.int64))
    differs(f"amount in {name}", "amount", near, told)
    differs(f"found in {name}", "two uniforms", marks[:, FOUND], m.found[rows])
    differs(f"brought in {name}", "two uniforms", marks[:, BROUGHT], m.brought[rows])
    differs(f"U in {name}", "U", luck(tape, s, rows, marks), m.settles[rows])
    for column in (m.stage, m.age_ticks):
        differs(f"stage and age in {name}", "new", 0 * rows, column[rows])
    cycles(tape, rows, marks[:, CYCLE])
    for k in range(MAX_STAGES):
        drawn = tape.marks(Stream.STAGE, 16 * s + k, 4 * n).reshape(n, 4)
        stage_times(tape, segment, k, rows, drawn)


def arrivals(tape: Tape, s: int, rows: NDArray[np.int64], gaps: Reals) -> None:
    """The k-th arrival: the inverse of the cumulative rate at the sum of k unit exponentials."""
    expected = np.array(expected_by_week(tape.scenario, tape.scenario.market_map[s]))
    factors = demand_factors(tape.scenario.market_map[s].demand_cv, tape.marks(Stream.DEMAND, s, len(expected)))
    rate = expected * factors
    total, sums = np.concatenate([[0.0], np.cumsum(rate)]), np.cumsum(gaps)
    sentence = OF_TAPE["arrival"]
    name = tape.scenario.market_map[s].name
    if not (sums[-1] >= total[-1] * (1 - CLOSE) and (len(rows) == 0 or sums[-2] <= total[-1] * (1 + CLOSE))):
        raise AssertionError(
            f"arrivals in {name}: {len(rows)} found, which is another number; docs/model.md: {sentence}"
        )
    week = np.minimum(np.searchsorted(total, sums[:-1], side="right") - 1, weeks_in(tape.scenario) + HISTORY_WEEKS - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        within = np.where(rate[week] > 0, (sums[:-1] - total[week]) / rate[week], 0.0)
    exact = HISTORY_START + (week + within) * TICKS_PER_WEEK
    # Where a week's rate is tiny, the last digits of the sum are many ticks.
    slack = 1e-6 + TICKS_PER_WEEK * 1e-13 * total[-1] / np.maximum(rate[week], 1e-300)
    ticks = tape.market.tick[rows]
    wrong = (ticks > exact + slack) | (ticks + 1 < exact - slack)
    if wrong.any():
        at = int(wrong.argmax())
        raise AssertionError(
            f"arrival {at} in {name}: {exact[at]} expected, {ticks[at]} found; docs/model.md: {sentence}"
        )


def luck(tape: Tape, s: int, rows: NDArray[np.int64], marks: Reals) -> Reals:
    """U of a segment's opportunities: dependent within a quarter by one factor."""
    shock, u = tape.scenario.market_map[s].win_rate_shock, marks[:, SETTLES]
    if shock == 0:
        return u
    quarter = (tape.market.tick[rows] - HISTORY_START) // TICKS_PER_QUARTER
    z = scores(tape.marks(Stream.SHOCK, s, tape.scenario.horizon_quarters + 2))[quarter]
    return ndtr(shock * z + math.sqrt(1 - shock**2) * scores(u))


def cycles(tape: Tape, rows: NDArray[np.int64], marks: Reals) -> None:
    """The owner's time from the start of work to the closing date."""
    market = tape.market
    for p, partner in enumerate(tape.scenario.all_partners):
        chosen = market.owner[rows] == p
        expected = weibull(marks[chosen], partner.cycle_weeks, partner.cycle_shape)
        lasts(f"cycle of {partner.name}", "times", expected, market.cycle_ticks[rows[chosen]])
    house = rows[market.owner[rows] == NOBODY]
    differs("cycle of a house account", "times", 0 * house, market.cycle_ticks[house])


def stage_times(tape: Tape, segment: Segment, k: int, rows: NDArray[np.int64], marks: Reals) -> None:
    """Hours, answer time and patience of a stage; a stage that the segment has not is empty."""
    m, says = tape.market, "times"
    what = f"of stage {k + 1} in {segment.name}"
    if k >= len(segment.stages):
        for column, empty in ((m.effort_ticks, 0), (m.lag_ticks, 0), (m.patience_ticks, NEVER)):
            differs(f"times {what}, which is none,", says, np.full(len(rows), empty), column[rows, k])
        return
    stage, week = segment.stages[k], tape.scenario.territory_manager.hours_per_week
    effort = weibull(marks[:, 0], stage.mean_hours, stage.hours_shape) / week
    lasts(f"hours {what}", says, effort, m.effort_ticks[rows, k], least=1)
    lag = weibull(marks[:, 1], stage.buyer_lag_weeks, stage.lag_shape)
    lasts(f"answer time {what}", says, lag, m.lag_ticks[rows, k])
    if stage.patience_weeks is None:
        differs(f"patience {what}", says, np.full(len(rows), NEVER), m.patience_ticks[rows, k])
    else:
        patience = weibull(marks[:, 2], stage.patience_weeks, stage.patience_shape)
        lasts(f"patience {what}", says, patience, m.patience_ticks[rows, k])


# ---------------------------------------------------------------- partners and the open pipeline


def partner_luck(tape: Tape, p: int) -> None:
    """What a partner truly is, how long it stays, and whether a candidate signs."""
    partner, m, scenario = tape.scenario.all_partners[p], tape.market, tape.scenario
    right, true, stays, signing = tape.marks(Stream.PARTNER, p, 4)
    prior = scenario.segment_prior
    if right < scenario.assumptions.label_accuracy.likely:
        expected = PARTNER_SEGMENTS.index(partner.label)
    else:
        expected = int(np.searchsorted(np.cumsum([prior.achiever, prior.believer]), true, side="right"))
    differs(f"true segment of {partner.name}", "label", expected, m.true_segment[p])
    if partner.exit_hazard_per_year == 0:
        differs(f"exit of {partner.name}", "exit", NEVER, m.exit_ticks[p])
    else:
        weeks = -math.log1p(-stays) / (partner.exit_hazard_per_year / WEEKS_PER_YEAR)
        lasts(f"exit of {partner.name}", "exit", weeks, m.exit_ticks[p])
    differs(f"signing of {partner.name}", "signing", signing, m.signing[p])


def open_deal(tape: Tape, d: int, deal: OpenDeal) -> None:
    """A deal open on the first day: U is below what it has passed, and its cycle goes on from its age."""
    scenario, m = tape.scenario, tape.market
    s = scenario.segment_names.index(deal.segment)
    segment = scenario.market_map[s]
    owner = NOBODY if deal.route == "direct" else scenario.partner_names.index(deal.route)
    marks = tape.marks(Stream.OPEN_DEAL, d, 4 * (1 + MAX_STAGES))
    what = f"open deal {d + 1}: "
    for name, expected, column in (
        ("tick", 0, m.tick), ("segment", s, m.segment), ("owner", owner, m.owner), ("stage", deal.stage - 1, m.stage),
        ("amount", deal.amount_usd, m.amount_usd),
    ):  # fmt: skip
        differs(what + name, "open pipeline", expected, column[d])
    passed = chances_to_pass(segment)[deal.stage - 2] if deal.stage > 1 else 1.0
    differs(what + "U", "open U", marks[0] * passed, m.settles[d])
    lasts(what + "age", "open pipeline", deal.age_weeks, m.age_ticks[d])
    for k in range(MAX_STAGES):
        stage_times(tape, segment, k, np.array([d]), marks[None, 4 * (k + 1) : 4 * (k + 2)])
    remaining = 0.0
    if owner != NOBODY and scenario.all_partners[owner].cycle_weeks > 0:
        partner = scenario.all_partners[owner]
        shape, age = partner.cycle_shape, deal.age_weeks
        scale = partner.cycle_weeks / math.gamma(1 + 1 / shape)
        e = -math.log1p(-marks[1])
        # scale * ((T/scale)^shape + e)^(1/shape) - T, by logarithms, as T/scale to the shape may be past all numbers.
        past = shape * math.log(age / scale) if age > 0 else -math.inf
        together = np.logaddexp(past, math.log(e) if e > 0 else -math.inf)
        remaining = max(0.0, scale * math.exp(together / shape) - age)
    exactly = CLOSE * deal.age_weeks  # the difference of two like numbers
    within = (
        abs(m.cycle_ticks[d] - remaining * TICKS_PER_WEEK) <= HALF_A_STEP + exactly * TICKS_PER_WEEK + CLOSE * remaining
    )
    if not within:
        lasts(what + "remaining cycle", "remaining cycle", remaining, m.cycle_ticks[d])
