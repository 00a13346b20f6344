"""Claim: the tape is what the scenario says, and depends on nothing else.

Marks have addresses: another partner, a longer horizon or another plan leaves all others as they were. Distributions:
weekly dispersion, uniform U correlated within a quarter, amounts, owners, labels, Weibull means.

False alarms: every statistical comparison is made at 1e-5; there are fewer than twenty, so under 2e-4 in total.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import binom, kstest, norm

from sim import Market, Scenario, SimulationError, draw_market
from sim.ledger import NEVER, NOBODY, TICKS_PER_QUARTER, TICKS_PER_WEEK
from sim.tape import weekly_demand
from sim.terms import PARTNER_SEGMENTS
from tests.helpers import partner, segment, stage, territory

FALSE_ALARM = 1e-5
Z = norm.isf(FALSE_ALARM / 2)
BY_OPPORTUNITY = [
    f.name
    for f in dataclasses.fields(Market)
    if f.name in ("tick", "segment", "amount_usd", "settles", "found", "brought", "stage", "age_ticks")
    or f.name in ("effort_ticks", "lag_ticks", "patience_ticks")
]


def big(**changes: Any) -> Scenario:
    """Some 10,000 opportunities."""
    return territory(horizon_quarters=20, market_map=[segment(**{"opportunities_per_quarter": 500.0, **changes})])


def near_mean(sample: np.ndarray[Any, Any], expected: float) -> None:
    error = sample.std(ddof=1) / math.sqrt(len(sample))
    assert abs(sample.mean() - expected) < Z * error, (sample.mean(), expected, error)


def near_share(hits: int, trials: int, share: float) -> None:
    low, high = binom.ppf(FALSE_ALARM / 2, trials, share), binom.isf(FALSE_ALARM / 2, trials, share)
    assert low <= hits <= high, (hits, low, high)


def test_the_tape_is_drawn_without_a_plan_and_twice_the_same() -> None:
    assert list(inspect.signature(draw_market).parameters) == ["scenario", "seed", "replication"]
    one, other = draw_market(big(), 3, 1), draw_market(big(), 3, 1)
    for field in dataclasses.fields(Market):
        assert np.array_equal(getattr(one, field.name), getattr(other, field.name)), field.name
    for seed, replication in ((4, 1), (3, 2)):
        assert not np.array_equal(draw_market(big(), seed, replication).tick[:50], one.tick[:50])


def test_another_status_quo_leaves_the_tape_as_it_was() -> None:
    other = {"name": "other", "partner_share": 0.0, "prospect_share": 0.7, "coverage_mode": "direct"}
    one, two = draw_market(big(), 3), draw_market(big().variant(status_quo=other), 3)
    for field in dataclasses.fields(Market):
        assert np.array_equal(getattr(one, field.name), getattr(two, field.name)), field.name


def two_segments(horizon: int, partners: int) -> Scenario:
    pair = [
        segment("only", demand_cv=0.5, win_rate_shock=0.4, deal_size_sigma=0.7, growth_per_quarter=0.02),
        segment("side", stages=[stage(patience_weeks=2.0, buyer_lag_weeks=1.0)] * 3),
    ]
    resellers = [partner(f"Pine {i}", base_share={"only": 0.2}, exit_hazard_per_year=0.5) for i in range(partners)]
    return territory(horizon_quarters=horizon, market_map=pair, partners=resellers)


def test_another_partner_leaves_all_other_marks() -> None:
    few, many = draw_market(two_segments(4, 2), 9), draw_market(two_segments(4, 3), 9)
    for name in BY_OPPORTUNITY:
        assert np.array_equal(getattr(few, name), getattr(many, name)), name
    kept = many.owner != 2
    assert np.array_equal(few.owner[kept], many.owner[kept]) and (few.owner[~kept] == NOBODY).all()
    assert np.array_equal(few.cycle_ticks[few.owner >= 0], many.cycle_ticks[few.owner >= 0])
    for name in ("true_segment", "exit_ticks", "signing"):
        assert np.array_equal(getattr(few, name), getattr(many, name)[:2]), name


def test_a_longer_horizon_only_appends() -> None:
    short, long = draw_market(two_segments(4, 2), 9), draw_market(two_segments(9, 2), 9)
    n = len(short.tick)
    assert n < len(long.tick) and (long.tick[n:] >= 4 * TICKS_PER_QUARTER).all()
    for name in (*BY_OPPORTUNITY, "owner", "cycle_ticks"):
        assert np.array_equal(getattr(short, name), getattr(long, name)[:n]), name


@pytest.mark.parametrize("cv", [0.0, 0.4, 1.5])
def test_weekly_counts_are_as_dispersed_as_demand_cv_says(cv: float) -> None:
    """A gamma mixture of Poissons: mean m, variance m + (cv m)^2. 60 markets of 286 weeks of about 5."""
    scenario = big(opportunities_per_quarter=65.0, demand_cv=cv)
    weeks = np.concatenate(
        [np.bincount(draw_market(scenario, 2, r).tick // TICKS_PER_WEEK + 26, minlength=286) for r in range(60)]
    ).astype(float)
    near_mean(weeks, 5.0)
    near_mean((weeks - 5.0) ** 2, 5.0 + (5.0 * cv) ** 2)
    near_mean((weeks[1:] - 5.0) * (weeks[:-1] - 5.0) + 1.0, 1.0)


def test_demand_follows_growth_and_the_profiles() -> None:
    """History has the rates of quarter 1, with the profile of the weeks of a quarter."""
    calendar = {
        "demand_by_week_of_quarter": [0.0] * 12 + [2.0],
        "demand_by_quarter_of_year": [1.0, 1.0, 1.0, 5.0],
    }
    scenario = big(growth_per_quarter=0.1, opportunities_per_quarter=130.0).variant(calendar=calendar)
    weekly = weekly_demand(scenario, scenario.market_map[0])
    assert weekly.sum() == pytest.approx(130 * 0.5 * (2 + sum(1.1**q * (5 if q % 4 == 3 else 1) for q in range(20))))
    assert (weekly.reshape(-1, 13)[:, :12] == 0).all()
    ticks = draw_market(scenario, 4).tick
    assert ((ticks // TICKS_PER_WEEK) % 13 == 12).all()
    assert abs(len(ticks) - weekly.sum()) < Z * math.sqrt(weekly.sum())


@pytest.mark.parametrize("shock", [0.0, 0.6])
def test_u_is_uniform_and_correlated_within_a_quarter_only(shock: float) -> None:
    """One U of each of many quarters is an independent sample; two of one quarter have normal scores with correlation
    shock^2, and two of different quarters none."""
    scenario = big(opportunities_per_quarter=40.0, win_rate_shock=shock)
    first, second = [], []
    for replication in range(150):
        market = draw_market(scenario, 6, replication)
        quarter = market.tick // TICKS_PER_QUARTER
        starts = np.flatnonzero(np.diff(quarter, prepend=-99))
        pairs = starts[np.append(np.diff(starts), len(quarter) - starts[-1]) >= 2]
        first.append(market.settles[pairs])
        second.append(market.settles[pairs + 1])
    a, b = norm.ppf(np.concatenate(first)), norm.ppf(np.concatenate(second))
    assert kstest(np.concatenate(first), "uniform").pvalue > FALSE_ALARM
    near_mean(a * b + 1, shock**2 + 1)
    near_mean(a[1:] * b[:-1] + 1, 1.0)


def test_other_marks_are_uniform_and_independent_of_u() -> None:
    market = draw_market(big(win_rate_shock=0.0), 6)
    for name in ("found", "brought"):
        assert kstest(getattr(market, name), "uniform").pvalue > FALSE_ALARM
        near_mean((getattr(market, name) - 0.5) * (market.settles - 0.5) + 1, 1.0)
    near_mean((market.found - 0.5) * (market.brought - 0.5) + 1, 1.0)


def test_amounts_are_lognormal_with_the_stated_median_in_whole_dollars() -> None:
    amounts = draw_market(big(deal_size_median_usd=35_000.0, deal_size_sigma=0.7), 6).amount_usd
    assert amounts.dtype == np.int64
    near_share(int((amounts <= 35_000).sum()), len(amounts), 0.5)
    assert kstest(np.log(amounts / 35_000) / 0.7, "norm").pvalue > FALSE_ALARM


def test_owners_have_their_base_shares() -> None:
    two = [partner("Pine", base_share={"only": 0.3}), partner("Oak", base_share={"only": 0.1})]
    owner = draw_market(big().variant(partners=two), 6).owner
    for who, expected in ((0, 0.3), (1, 0.1), (NOBODY, 0.6)):
        near_share(int((owner == who).sum()), len(owner), expected)


@pytest.mark.parametrize("accuracy", [0.0, 0.6, 1.0])
def test_a_label_is_true_with_its_accuracy_and_else_drawn_from_the_prior(accuracy: float) -> None:
    prior = {"achiever": 0.2, "believer": 0.5, "deceiver": 0.3}
    many = [partner(f"Pine {i}", label="believer", base_share={}) for i in range(200)]
    scenario = territory(assumptions={"label_accuracy": accuracy}, partners=many, segment_prior=prior)
    true = np.concatenate([draw_market(scenario, 6, r).true_segment for r in range(20)])
    for i, kind in enumerate(PARTNER_SEGMENTS):
        expected = (1 - accuracy) * prior[kind] + accuracy * (kind == "believer")
        near_share(int((true == i).sum()), len(true), expected)


@pytest.mark.parametrize("shape", [0.7, 1.0, 2.5])
def test_durations_have_their_means_and_shapes(shape: float) -> None:
    """Weibull: mean as stated, second moment by its shape; hours become ticks of a 40-hour week."""
    one = stage(mean_hours=20.0, hours_shape=shape, buyer_lag_weeks=2.0, lag_shape=shape)
    two = stage(mean_hours=10.0, hours_shape=shape, patience_weeks=3.0, patience_shape=shape)
    pine = partner(cycle_weeks=8.0, cycle_shape=shape, base_share={"only": 1.0})
    market = draw_market(big(stages=[one, two]).variant(partners=[pine]), 6)
    second = math.gamma(1 + 2 / shape) / math.gamma(1 + 1 / shape) ** 2
    for drawn, mean in (
        (market.effort_ticks[:, 0], 0.5),
        (market.effort_ticks[:, 1], 0.25),
        (market.lag_ticks[:, 0], 2.0),
        (market.patience_ticks[:, 1], 3.0),
        (market.cycle_ticks, 8.0),
    ):
        weeks = drawn / TICKS_PER_WEEK / mean
        near_mean(weeks, 1.0)
        near_mean(weeks**2, second)
    assert (market.patience_ticks[:, 0] == NEVER).all()
    assert (market.lag_ticks[:, 1] == 0).all()
    assert (market.effort_ticks[:, :2] >= 1).all()


def test_partners_stay_an_exponential_time() -> None:
    many = [partner(f"Pine {i}", base_share={}, exit_hazard_per_year=0.5) for i in range(200)]
    scenario = territory(partners=many)
    stays = np.concatenate([draw_market(scenario, 6, r).exit_ticks for r in range(20)]) / TICKS_PER_WEEK / 104
    assert kstest(stays, "expon").pvalue > FALSE_ALARM
    assert (draw_market(territory(partners=[partner()]), 6).exit_ticks == NEVER).all()


def test_a_stage_of_an_open_deal_is_already_passed() -> None:
    """In stage 3 with a1 = .5, a2 = .4, a3 = .9: U is uniform below .2, so that it is won with probability .9."""
    stages = [stage(advance_probability=a) for a in (0.5, 0.4, 0.9)]
    deals = [{"segment": "only", "stage": 3, "amount_usd": 1} for _ in range(2000)]
    scenario = territory(market_map=[segment(stages=stages)], open_pipeline=deals)
    market = draw_market(scenario, 6)
    assert kstest(market.settles[:2000] / 0.2, "uniform").pvalue > FALSE_ALARM
    assert (market.stage[:2000] == 2).all() and (market.stage[2000:] == 0).all()


@pytest.mark.parametrize(("seed", "replication"), [(-1, 0), (0, 2**63), (1.5, 0), (True, 0)])
def test_a_seed_that_is_none_is_refused(seed: Any, replication: Any) -> None:
    with pytest.raises(SimulationError, match="allowed: a whole number"):
        draw_market(big(), seed, replication)
