"""Claim: whatever the territory and the plan, books balance and runs are comparable.

Over generated runs (tests/strategies.py): every opportunity begins once and ends at most once, hours fit in the week,
money balances, replay is identical, the past does not depend on the plan for the future, a longer horizon appends.
Metamorphic: more engagement brings a superset, double sizes are double bookings, untouched partners are unaffected.
"""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sim import Scenario, TimePlan, draw_market
from sim.ledger import (
    BEGINNINGS,
    ENDINGS,
    NOBODY,
    PLANNED_HOURS,
    TICKS_PER_QUARTER,
    TICKS_PER_WEEK,
    WON,
    Kind,
)
from tests.helpers import all_selling, partner, run_in, run_once, segment, stage, territory
from tests.strategies import plans, runs

pytestmark = pytest.mark.generated

checked = settings(
    derandomize="FRESH_SEEDS" not in os.environ,
    database=None,
    deadline=None,
    max_examples=int(os.environ.get("EXAMPLES", "50")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
PARTNER_KINDS = (
    *(Kind.REGISTERED, Kind.CONFLICT, Kind.STARTED, Kind.WON_PARTNER, Kind.WON_CO_SOLD, Kind.WON_SOLD_FOR),
    *(
        Kind.PARTNER_LEFT,
        Kind.SUPPORT,
        Kind.COACH,
        Kind.JOINT_PLAN,
        Kind.SOCIALISE,
        Kind.RECRUIT,
        Kind.CO_SELL,
    ),
    *(Kind.SELL_FOR, Kind.CAM_COACH, Kind.CAM_JOINT_PLAN, Kind.CAM_SOCIALISE, Kind.CAM_RECRUIT, Kind.SKILL),
    *(Kind.ENGAGEMENT, Kind.SIGNED, Kind.DECLINED, Kind.ONBOARDED, Kind.LEFT),
)
Run = tuple[Scenario, TimePlan, int]


@checked
@given(runs())
def test_books_balance(run: Run) -> None:
    """Counted here again from the records, so that an omission in Ledger.check would show."""
    scenario, _, seed = run
    ledger = run_once(*run)
    ledger.check()
    market = draw_market(scenario, seed)
    begun = ledger.of(*BEGINNINGS)
    horizon = scenario.horizon_quarters * TICKS_PER_QUARTER
    assert sorted(begun["opportunity"].tolist()) == np.flatnonzero(market.tick < horizon).tolist()
    assert (market.amount_usd[begun["opportunity"]] == begun["amount_usd"]).all()
    ended = ledger.of(*ENDINGS)
    assert max(Counter(ended["opportunity"].tolist()).values(), default=1) == 1
    assert (market.amount_usd[ended["opportunity"]] == ended["amount_usd"]).all()
    assert (ledger.records["tick"] < horizon).all() and (np.diff(ledger.records["tick"]) >= 0).all()

    hours = ledger.of(*PLANNED_HOURS)
    most = scenario.territory_manager.hours_per_week
    weeks = np.bincount(hours["tick"] // TICKS_PER_WEEK + 26, weights=hours["value"])
    assert weeks.max() <= most + 1e-6
    assert (hours["tick"] % TICKS_PER_WEEK + np.rint(hours["value"] / most * TICKS_PER_WEEK) <= TICKS_PER_WEEK).all()
    for kind in (Kind.SKILL, Kind.ENGAGEMENT, Kind.REACH):
        levels = ledger.of(kind)["value"]
        assert (levels >= 0).all() and (levels <= 1).all()


@checked
@given(runs())
def test_nobody_works_for_two_at_once(run: Run) -> None:
    """The manager's visits and help do not overlap, and no opportunity gets more hours than its tape asks for."""
    scenario, _, seed = run
    ledger, market = run_once(*run), draw_market(scenario, seed)
    ticks_per_hour = TICKS_PER_WEEK / scenario.territory_manager.hours_per_week
    worked = ledger.of(Kind.VISIT, Kind.CO_SELL, Kind.SELL_FOR)
    length = np.rint(worked["value"] * ticks_per_hour).astype(np.int64)
    assert (worked["tick"][1:] >= (worked["tick"] + length)[:-1]).all()
    given_ticks: Counter[int] = Counter()
    for opportunity, ticks in zip(worked["opportunity"].tolist(), length.tolist(), strict=True):
        given_ticks[opportunity] += ticks
    for opportunity, ticks in given_ticks.items():
        assert ticks <= market.effort_ticks[opportunity].sum()
    for opportunity in ledger.of(Kind.WON_DIRECT)["opportunity"].tolist():
        assert given_ticks[opportunity] == market.effort_ticks[opportunity, market.stage[opportunity] :].sum()
    for opportunity in ledger.of(Kind.WON_SOLD_FOR)["opportunity"].tolist():
        assert given_ticks[opportunity] == market.effort_ticks[opportunity].sum()


@checked
@given(runs())
def test_no_more_deals_at_once_than_a_partner_has_people(run: Run) -> None:
    scenario, *_ = run
    ledger = run_once(*run)
    sold_for = {o for o in ledger.of(Kind.SELL_FOR)["opportunity"].tolist()}
    working: Counter[int] = Counter()
    active: set[int] = set()
    for r in ledger.records[np.isin(ledger.records["kind"], (Kind.STARTED, *ENDINGS))]:
        who, p = int(r["opportunity"]), int(r["partner"])
        if who in sold_for:
            continue
        if r["kind"] == Kind.STARTED:
            working[p] += 1
            active.add(who)
            assert working[p] <= scenario.all_partners[p].capacity_deals
        elif who in active:
            working[p] -= 1


@checked
@given(runs())
def test_replay_is_identical(run: Run) -> None:
    assert run_once(*run).digest() == run_once(*run).digest()


@checked
@given(st.data())
def test_the_past_does_not_depend_on_the_plan_for_the_future(data: st.DataObject) -> None:
    scenario, plan, seed = data.draw(runs())
    other = data.draw(plans(scenario, "other plan"))
    quarter = data.draw(st.integers(2, scenario.horizon_quarters))

    def cut(rows: Any, first: int, last: int) -> list[dict[str, Any]]:
        kept = []
        for row in rows:
            a, b = max(row.from_quarter, first), min(row.to_quarter or scenario.horizon_quarters, last)
            if a <= b:
                kept.append({**row.model_dump(), "from_quarter": a, "to_quarter": b})
        return kept

    spliced = TimePlan.from_table(
        scenario,
        cut(plan.hours, 1, quarter - 1) + cut(other.hours, quarter, 20),
        "spliced",
        coverage_mode=dict(plan.coverage_mode),
        discipline=plan.discipline,
        parked=cut(plan.parked, 1, quarter - 1) + cut(other.parked, quarter, 20),
    )
    market = draw_market(scenario, seed)
    one, two = run_in(scenario, plan, market), run_in(scenario, spliced, market)
    assert one.before(quarter).tobytes() == two.before(quarter).tobytes()


@checked
@given(runs(horizon=st.just(6)), st.integers(4, 5))
def test_a_longer_horizon_begins_with_the_shorter(run: Run, quarters: int) -> None:
    scenario, plan, seed = run
    short = scenario.variant(horizon_quarters=quarters)

    def shorten(rows: Any) -> list[dict[str, Any]]:
        return [
            {**row.model_dump(), "to_quarter": min(row.to_quarter or 6, quarters)}
            for row in rows
            if row.from_quarter <= quarters
        ]

    rest = {"coverage_mode": dict(plan.coverage_mode), "discipline": plan.discipline}
    shorter = TimePlan.from_table(short, shorten(plan.hours), "short", parked=shorten(plan.parked), **rest)
    assert (
        run_once(scenario, plan, seed).before(quarters + 1).tobytes()
        == run_once(short, shorter, seed).records.tobytes()
    )


@checked
@given(runs())
def test_double_deal_sizes_are_double_bookings(run: Run) -> None:
    """With double quotas too, and twice the whole dollars on the tape, everything else stays as it was."""
    scenario, plan, seed = run
    market = draw_market(scenario, seed)
    assume(min(scenario.quota_usd()) > 0)
    doubled = scenario.variant(
        market_map=[dict(s) | {"deal_size_median_usd": 2 * s.deal_size_median_usd} for s in scenario.market_map],
        quota={"by_quarter_usd": [2 * q for q in scenario.quota_usd()]},
    )
    drawn = draw_market(doubled, seed)
    new = slice(market.open_deals, None)
    assert (abs(drawn.amount_usd[new] - 2 * market.amount_usd[new]) <= 1).all()
    one = run_in(scenario, plan, market).records
    two = run_in(doubled, plan, dataclasses.replace(market, amount_usd=2 * market.amount_usd)).records
    for name in one.dtype.names or ():
        assert np.array_equal(two[name], one[name] * (2 if name == "amount_usd" else 1)), name


@checked
@given(runs())
def test_without_partners_there_are_no_partner_records(run: Run) -> None:
    scenario, plan, seed = run
    alone = scenario.variant(
        partners=(),
        candidates=(),
        channel_account_manager=None,
        open_pipeline=None,
        status_quo=dict(scenario.status_quo) | {"partner_share": 0.0},
    )
    ledger = run_once(alone, all_selling(alone, coverage_mode=dict(plan.coverage_mode)), seed)
    assert len(ledger.of(*PARTNER_KINDS)) == 0
    assert (ledger.records["partner"] == NOBODY).all()


def reseller(**changes: Any) -> dict[str, Any]:
    return partner(base_share={"only": 0.5}, cycle_weeks=2.0, capacity_deals=3, **changes)


def lively(**changes: Any) -> Scenario:
    """A territory in which something of everything happens."""
    one = segment(
        opportunities_per_quarter=60.0,
        deal_size_sigma=0.7,
        inbound_share=0.4,
        prospecting_yield=0.1,
        stages=[stage(mean_hours=3.0, advance_probability=0.7, buyer_lag_weeks=1.0, patience_weeks=1.0)] * 2,
    )
    return territory(**{"market_map": [one], "partners": [reseller()], **changes})


LEVELS = [
    {"engagement_start": start, "engagement_alone": alone, "engagement_ceiling": ceiling}
    for start, alone, ceiling in (
        (0.1, 0.0, 0.2),
        (0.3, 0.1, 0.3),
        (0.3, 0.3, 0.6),
        (0.6, 0.5, 0.8),
        (1.0, 1.0, 1.0),
    )
]


@pytest.mark.parametrize("seed", range(5))
def test_more_engagement_brings_a_superset_of_leads(seed: int) -> None:
    """Start, resting level and ceiling raised together, the manager planning jointly or not."""
    brought: list[set[int]] = []
    for traits in LEVELS:
        scenario = lively(partners=[reseller(traits=traits)])
        plan = TimePlan.constant(scenario, 0.1, {"joint_plan": 1.0}, coverage_mode="partner_led")
        brought.append(set(run_once(scenario, plan, seed).of(Kind.REGISTERED)["opportunity"].tolist()))
    assert all(less <= more for less, more in pairwise(brought))
    assert len(brought[0]) < len(brought[-1])


@pytest.mark.parametrize("seed", range(3))
def test_without_partner_time_it_does_not_matter_how_coaching_works(seed: int) -> None:
    other = {"coach_gain_per_week": 0.9, "coach_tau_hours": 0.1, "joint_plan_gain_per_week": 0.9}
    other |= {
        "joint_plan_tau_hours": 9.0,
        "socialise_gain_per_week": 0.9,
        "guided_practice_gain_per_deal": 0.9,
    }
    one, two = lively(), lively(assumptions=other)
    ledger = run_once(one, all_selling(one), seed)
    assert ledger.digest() == run_once(two, all_selling(two), seed).digest()
    assert len(ledger.of(*WON)) > 20
    coached = [TimePlan.constant(s, 0.1) for s in (one, two)]
    assert run_once(one, coached[0], seed).digest() != run_once(two, coached[1], seed).digest()


@pytest.mark.parametrize("seed", range(3))
def test_a_direct_territory_does_not_see_its_partners(seed: int) -> None:
    """Coverage direct, no partner time: the manager's own records are those of the territory without partners."""
    split = {"name": "status quo", "partner_share": 0.0, "coverage_mode": "direct"}
    ledgers = []
    for partners in ([], [reseller()]):
        scenario = lively(partners=partners, status_quo=split)
        ledgers.append(run_once(scenario, all_selling(scenario, coverage_mode={"only": "direct"}), seed))
    alone, beside = (
        ledger.records[~np.isin(ledger.records["kind"], (Kind.SKILL, Kind.ENGAGEMENT))] for ledger in ledgers
    )
    for name in ("tick", "kind", "opportunity", "segment", "amount_usd", "value"):
        assert np.array_equal(alone[name], beside[name]), name


@pytest.mark.parametrize("seed", range(3))
def test_the_margin_is_paid_in_credit_only(seed: int) -> None:
    """Credit is not in the ledger, and with discipline 1 nothing looks at it: any margin, the same events."""
    digests = set()
    for margin in (0.0, 0.2, 1.0):
        scenario = lively(partners=[reseller(margin=margin)])
        digests.add(run_once(scenario, TimePlan.constant(scenario, 0.2), seed).digest())
    assert len(digests) == 1
