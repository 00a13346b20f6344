"""Claim: reduced to a queue, the territory is that queue, and the queue has the waiting times theory says.

Two steps. Path by path: the ledger's waits equal, to the tick, those of a few lines of textbook recursion (Lindley;
with patience; several servers) on the same tape. On average: the recursion's waits over many tapes equal the formulas
(Pollaczek-Khinchine, the birth-death chain with abandonment, Erlang C).

False alarms: each comparison of averages is a t-test over independent replications at 1e-5; there are eight.
"""

from __future__ import annotations

import heapq
import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import t as student

from sim import Ledger, Market, Scenario, draw_market
from sim.ledger import TICKS_PER_WEEK, Kind
from tests.helpers import all_selling, partner, run_in, segment, stage, territory

FALSE_ALARM = 1e-5
HOURS = 40.0
MEAN_HOURS = 1.0
SERVED_PER_WEEK = HOURS / MEAN_HOURS


def one_server(load: float, horizon: int = 4, **given: Any) -> Scenario:
    """The manager as one server: one segment, one stage, every opportunity seen, all hours selling."""
    rate = load * SERVED_PER_WEEK * 13
    one = segment(opportunities_per_quarter=rate, stages=[stage(mean_hours=MEAN_HOURS, **given)])
    return territory(horizon_quarters=horizon, market_map=[one])


def servers(load: float, count: int, horizon: int = 4) -> Scenario:
    """A partner as `count` servers with a mean of two weeks, that brings everything; nobody gives up."""
    always = {"engagement_start": 1.0, "engagement_ceiling": 1.0, "engagement_alone": 1.0}
    reseller = partner(capacity_deals=count, cycle_weeks=2.0, cycle_shape=1.0, traits=always)
    one = segment(opportunities_per_quarter=load * count / 2.0 * 13)
    split = {"name": "status quo", "partner_share": 0.0, "coverage_mode": "partner_led"}
    return territory(horizon_quarters=horizon, market_map=[one], partners=[reseller], status_quo=split)


def waits(market: Market) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Ticks that each opportunity waits, and whether it was visited: first come, first served, one server."""
    waited, visited, free_at = [], [], 0
    for tick, effort, patience in zip(
        market.tick.tolist(),
        market.effort_ticks[:, 0].tolist(),
        market.patience_ticks[:, 0].tolist(),
        strict=True,
    ):
        wait = max(0, free_at - tick) if waited else 0
        visited.append(wait <= patience)
        if visited[-1]:
            free_at = tick + wait + effort
        waited.append(min(wait, patience))
    return np.array(waited), np.array(visited)


def waits_in_line(market: Market, count: int) -> np.ndarray[Any, Any]:
    """The same with several servers and endless patience."""
    waited, free_at = [], [market.tick[0]] * count
    for tick, cycle in zip(market.tick.tolist(), market.cycle_ticks.tolist(), strict=True):
        start = max(tick, heapq.heappop(free_at))
        heapq.heappush(free_at, start + cycle)
        waited.append(start - tick)
    return np.array(waited)


def first_visits(ledger: Ledger) -> dict[int, int]:
    visits = ledger.of(Kind.VISIT)
    return {o: t for t, o in reversed(visits[["tick", "opportunity"]].tolist())}


def agrees(means: list[float], expected: float) -> None:
    """The mean over replications is what theory expects, as far as a t-test can tell."""
    error = np.std(means, ddof=1) / math.sqrt(len(means))
    score = (np.mean(means) - expected) / error
    assert abs(score) < student.isf(FALSE_ALARM / 2, len(means) - 1), (np.mean(means), expected, score)
    assert error < 0.05 * expected, "too few replications to tell anything"


SPREADS = [{}, {"hours_shape": 2.0}, {"hours_shape": 0.7}, {"patience_weeks": 0.05, "patience_shape": 1.0}]


@pytest.mark.parametrize("spread", SPREADS)
def test_the_manager_is_one_server(spread: dict[str, Any]) -> None:
    scenario = one_server(0.9, **spread)
    market = draw_market(scenario, 11)
    ledger = run_in(scenario, all_selling(scenario), market)
    ledger.check()
    waited, visited = waits(market)
    starts = market.tick + waited
    end = scenario.horizon_quarters * 13 * TICKS_PER_WEEK
    seen = {i: t for i, t in enumerate(starts.tolist()) if visited[i] and t < end}
    assert first_visits(ledger) == seen
    gone = ledger.of(Kind.NO_DECISION)
    expected = {i: t for i, t in enumerate(starts.tolist()) if not visited[i] and t < end}
    assert dict(gone[["opportunity", "tick"]].tolist()) == expected
    assert len(expected) > 100 or "patience_weeks" not in spread


@pytest.mark.parametrize(
    ("load", "shape"),
    [(0.5, 1.0), (0.7, 1.0), (0.9, 1.0), (0.7, 2.0), (0.7, 0.7)],
    ids=lambda value: f"{value:g}",
)
def test_mean_wait_is_pollaczek_khinchines(load: float, shape: float) -> None:
    """W = lambda E[S^2] / (2 (1 - load)); with exponential work that is the M/M/1 wait, load / (mu - lambda).

    The first 52 weeks, history included, are left out: at load .9 the queue forgets its start with a time constant of
    1 / (mu (1 - sqrt(load))^2) = 9.5 weeks.
    """
    scenario = one_server(load, horizon=20, hours_shape=shape)
    means = []
    for replication in range(60):
        market = draw_market(scenario, 5, replication)
        late = market.tick > 26 * TICKS_PER_WEEK
        means.append(waits(market)[0][late].mean() / TICKS_PER_WEEK)
    mean = 1 / SERVED_PER_WEEK
    second = mean**2 * math.gamma(1 + 2 / shape) / math.gamma(1 + 1 / shape) ** 2
    agrees(means, load * SERVED_PER_WEEK * second / (2 * (1 - load)))


def test_the_share_that_gives_up_is_that_of_the_birth_death_chain() -> None:
    """M/M/1 with exponential patience: k in the system leave at rate mu + (k - 1) theta. A quarter's load is 1.2."""
    patience = 0.1
    scenario = one_server(1.2, horizon=8, patience_weeks=patience, patience_shape=1.0)
    shares = []
    for replication in range(40):
        market = draw_market(scenario, 6, replication)
        shares.append(1 - waits(market)[1][market.tick > 0].mean())
    arrivals = 1.2 * SERVED_PER_WEEK
    weights = [1.0]
    for k in range(1, 400):
        weights.append(weights[-1] * arrivals / (SERVED_PER_WEEK + (k - 1) / patience))
    chain = np.array(weights) / sum(weights)
    served = SERVED_PER_WEEK * (1 - chain[0])
    agrees(shares, 1 - served / arrivals)


def test_a_partner_is_as_many_servers_as_its_capacity() -> None:
    scenario = servers(0.8, 4)
    market = draw_market(scenario, 11)
    plan = all_selling(scenario, coverage_mode={"only": "partner_led"})
    ledger = run_in(scenario, plan, market)
    ledger.check()
    starts = market.tick + waits_in_line(market, 4)
    end = scenario.horizon_quarters * 13 * TICKS_PER_WEEK
    started = dict(ledger.of(Kind.STARTED)[["opportunity", "tick"]].tolist())
    assert started == {i: t for i, t in enumerate(starts.tolist()) if t < end}
    assert len(started) > 50


@pytest.mark.parametrize("count", [1, 4])
def test_the_share_that_finds_the_partner_busy_is_erlangs(count: int) -> None:
    load = 0.7
    scenario = servers(load, count, horizon=20)
    shares = []
    for replication in range(120):
        market = draw_market(scenario, 8, replication)
        shares.append((waits_in_line(market, count)[market.tick > 26 * TICKS_PER_WEEK] > 0).mean())
    offered = load * count
    last = offered**count / math.factorial(count) / (1 - load)
    agrees(shares, last / (sum(offered**k / math.factorial(k) for k in range(count)) + last))


def test_littles_law_holds_to_the_tick() -> None:
    """Number waiting, added up over time from the ledger = waits, added up over opportunities from the tape.

    Over a span that begins and ends with nobody waiting this is exact, with no average taken.
    """
    scenario = one_server(0.7, patience_weeks=0.1)
    market = draw_market(scenario, 12)
    ledger = run_in(scenario, all_selling(scenario), market)
    first = first_visits(ledger)
    steps = [(t, 1) for t in ledger.of(Kind.FOUND)["tick"].tolist()]
    steps += [(t, -1) for t in first.values()]
    steps += [(t, -1) for t in ledger.of(Kind.NO_DECISION)["tick"].tolist()]
    area = waiting = 0
    before, empty = 0, (0, 0)
    for tick, step in sorted(steps, key=lambda s: (s[0], -s[1])):
        area += waiting * (tick - before)
        waiting, before = waiting + step, tick
        assert waiting >= 0
        if waiting == 0:
            empty = (tick, area)
    until, area_until = empty
    assert area_until == waits(market)[0][market.tick <= until].sum() > 0
