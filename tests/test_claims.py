"""The eight claims of the source, on the baseline, with common random numbers and 95% intervals on paired differences.

Each claim is measured twice: as it stands, and with the mechanism behind it switched off, when it must no longer show.
A test asks that the whole interval lies on the claimed side. "Off" tests ask that it does not.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from sim import Ledger, Scenario, TimePlan, draw_market, load_scenario, replicate, simulate
from sim.estimates import Estimate, mean, payback_quarter
from sim.kpis import Tally, credit_usd
from sim.ledger import Kind
from sim.scenario import ChannelAccountManager, Partner, Range

RUNS = int(os.environ.get("CLAIMS_RUNS", "1000"))
SEED = int(os.environ.get("CLAIMS_SEED", "2014"))
BASELINE = load_scenario("scenarios/baseline.yaml")
BELIEVERS = [p.name for p in BASELINE.partners if p.label == "believer"]
DECEIVERS = [p.name for p in BASELINE.partners if p.label == "deceiver"]
ACHIEVER = next(p.name for p in BASELINE.partners if p.label == "achiever")


@cache
def _credit(scenario_json: str, plan_json: str) -> NDArray[np.float64]:
    scenario = Scenario.model_validate_json(scenario_json, strict=False)
    plan = TimePlan.model_validate_json(plan_json, strict=False)
    return replicate(scenario, plan, RUNS, SEED, workers=1).credit_usd


def credit(scenario: Scenario, plan: TimePlan) -> NDArray[np.float64]:
    """Quota credit in US dollars, shape (RUNS, quarters); the same markets for every plan."""
    return _credit(scenario.model_dump_json(), plan.model_dump_json())


def gain(scenario: Scenario, plan: TimePlan, against: TimePlan, quarters: slice = slice(None)) -> Estimate:
    """Paired difference in credit over some quarters, US dollars."""
    return mean((credit(scenario, plan) - credit(scenario, against))[:, quarters].sum(axis=1))


def share(scenario: Scenario, partner_share: float, focus: object = "believers", **split: object) -> TimePlan:
    return TimePlan.constant(scenario, partner_share, focus=focus, **split)


def assume(scenario: Scenario, **likely: float) -> Scenario:
    """The scenario with some assumptions fixed."""
    fixed = {name: Range(low=value, likely=value, high=value) for name, value in likely.items()}
    return scenario.variant(assumptions=scenario.assumptions.model_copy(update=fixed))


def with_partners(scenario: Scenario, change: object) -> Scenario:
    return scenario.variant(partners=tuple(change(p) for p in scenario.partners))


NO_LEARNING = assume(
    BASELINE,
    coach_gain_per_week=0.0,
    joint_plan_gain_per_week=0.0,
    practice_gain_per_win=0.0,
    guided_practice_gain_per_deal=0.0,
)


def alike(scenario: Scenario) -> Scenario:
    """All kinds of partner are like Believers."""
    believer = scenario.partner_segments.believer
    kinds = scenario.partner_segments.model_copy(update={"deceiver": believer, "achiever": believer})
    return scenario.variant(partner_segments=kinds)


# 1 --------------------------------------------------------------- lunches change nothing


def lunch_effect(scenario: Scenario) -> Estimate:
    """What 90% of the time on visits without agenda adds to leaving it idle, as a share of quota over all quarters."""
    lunches = share(scenario, 0.9, "even", mix={"socialise": 1.0})
    selling = [row.model_dump() for row in lunches.hours if row.activity == "sell"]
    idle = TimePlan.from_table(scenario, selling, "idle")
    return gain(scenario, lunches, idle).scaled(1 / sum(scenario.quota_usd()))


def test_claim_1_lunches_change_less_than_5_percent_of_quota() -> None:
    effect = lunch_effect(BASELINE)
    assert effect.low > -0.05 and effect.high < 0.05


def test_claim_1_fails_when_lunches_work_like_planning() -> None:
    planning = BASELINE.assumptions.joint_plan_gain_per_week.likely
    assert lunch_effect(assume(BASELINE, socialise_gain_per_week=planning)).low > 0.05


# 2 --------------------------------------------------------------- selling for partners


def one_believer(margin: float) -> Scenario:
    """One partner that owns half of every segment and is led by it alone, with little else to do for the manager."""
    partner = Partner(
        name="Only",
        label="believer",
        base_share={name: 0.5 for name in BASELINE.segment_names},
        margin=margin,
        capacity_deals=10_000,
    )
    few = tuple(s.model_copy(update={"opportunities_per_quarter": 4.0}) for s in BASELINE.market_map)
    return assume(BASELINE.variant(partners=(partner,), candidates=(), market_map=few, plans=()), label_accuracy=1.0)


def gross(ledger: Ledger, kind: Kind) -> dict[int, float]:
    """Gross booking of each opportunity won in one way, history left out."""
    return {record["opportunity"]: record["amount_usd"] for record in ledger.of(kind) if record["tick"] >= 0}


def credit_won(ledger: Ledger, kind: Kind) -> float:
    """Quota credit over the horizon of the deals won in one way."""
    return float(credit_usd(Tally.of(replace(ledger, records=ledger.of(kind)))).sum())


@pytest.mark.parametrize("margin", [0.0, 0.2, 0.5])
def test_claim_2_selling_for_partners_costs_the_margin(margin: float) -> None:
    scenario = one_believer(margin)
    sold_for = share(scenario, 1.0, "even", mix={"sell_for": 1.0}, coverage_mode="partner_led")
    direct = share(scenario, 0.0, "even", coverage_mode="direct", prospect_share=0.5)
    both = 0
    for replication in range(20):
        market = draw_market(scenario, SEED, replication)
        as_partner, as_direct = (simulate(scenario, plan, market) for plan in (sold_for, direct))
        partner_won, direct_won = gross(as_partner, Kind.WON_SOLD_FOR), gross(as_direct, Kind.WON_DIRECT)
        for opportunity in partner_won.keys() & direct_won.keys():
            both += 1
            assert partner_won[opportunity] == direct_won[opportunity]
        assert credit_won(as_partner, Kind.WON_SOLD_FOR) == pytest.approx((1 - margin) * sum(partner_won.values()))
        assert credit_won(as_direct, Kind.WON_DIRECT) == pytest.approx(sum(direct_won.values()))
    assert both > 5


def skill_after_8_quarters(scenario: Scenario, activity: str | None) -> NDArray[np.float64]:
    mix = {activity: 1.0} if activity else {"coach": 1.0}
    plan = share(scenario, 0.3 if activity else 0.0, "even", mix=mix)
    return replicate(scenario, plan, RUNS // 3, SEED, workers=1)["skill"][:, 7]


def test_claim_2_selling_for_partners_teaches_nothing() -> None:
    alone, sold_for, co_sold = (skill_after_8_quarters(one_believer(0.2), a) for a in (None, "sell_for", "co_sell"))
    assert mean(sold_for - alone).high < 0.02
    assert mean(co_sold - sold_for).low > 0.05


def test_claim_2_fails_without_guided_practice() -> None:
    scenario = assume(one_believer(0.2), guided_practice_gain_per_deal=0.0)
    sold_for, co_sold = (skill_after_8_quarters(scenario, a) for a in ("sell_for", "co_sell"))
    assert mean(co_sold - sold_for).low < 0.05


# 3 --------------------------------------------------------------- no partner time


def test_claim_3_no_partner_time_wins_early_and_loses_over_twelve_quarters() -> None:
    alone, with_believers = share(BASELINE, 0.0), share(BASELINE, 0.2)
    assert gain(BASELINE, alone, with_believers, slice(0, 2)).low > 0
    assert gain(BASELINE, alone, with_believers).high < 0


def test_claim_3_fails_when_partners_cannot_learn() -> None:
    assert gain(NO_LEARNING, share(NO_LEARNING, 0.0), share(NO_LEARNING, 0.2)).high > 0


def attainment_change(quota_growth: float) -> Estimate:
    """Attainment without partner time in the last four quarters less that in the first four."""
    quota = BASELINE.quota.model_copy(update={"growth_per_year": quota_growth})
    scenario = BASELINE.variant(quota=quota)
    attained = credit(scenario, share(scenario, 0.0)) / np.array(scenario.quota_usd())
    return mean(attained[:, -4:].mean(axis=1) - attained[:, :4].mean(axis=1))


@pytest.mark.parametrize("growth", [0.08, 0.12])
def test_claim_3_attainment_without_partners_falls_as_quota_rises(growth: float) -> None:
    assert attainment_change(growth).high < 0


def test_claim_3_attainment_does_not_clearly_fall_when_quota_shrinks() -> None:
    assert attainment_change(-0.08).high > 0


# 4 --------------------------------------------------------------- recruiting pays late


def recruiting(scenario: Scenario) -> tuple[TimePlan, TimePlan]:
    """A plan that recruits and then develops one candidate, and the same without."""
    candidate = scenario.candidates[0].name
    without = share(scenario, 0.15)
    kept = [row.model_dump() for row in without.hours if row.activity != "sell"]
    sell = next(row.hours_per_week for row in without.hours if row.activity == "sell")
    rows = [
        *kept,
        {"activity": "recruit", "target": candidate, "hours_per_week": 3.0, "to_quarter": 1},
        {"activity": "coach", "target": candidate, "hours_per_week": 1.2, "from_quarter": 2},
        {"activity": "joint_plan", "target": candidate, "hours_per_week": 0.8, "from_quarter": 2},
        {"activity": "sell", "hours_per_week": sell - 3.0, "to_quarter": 1},
        {"activity": "sell", "hours_per_week": sell - 2.0, "from_quarter": 2},
    ]
    return TimePlan.from_table(scenario, rows, "recruit"), without


def test_claim_4_recruiting_pays_late() -> None:
    recruit, without = recruiting(BASELINE)
    assert gain(BASELINE, recruit, without, slice(0, 3)).high < 0
    assert gain(BASELINE, recruit, without).low > 0
    by_quarter = (credit(BASELINE, recruit) - credit(BASELINE, without)).mean(axis=0)
    assert 4 <= (payback_quarter(by_quarter) or 99) <= 12


def test_claim_4_recruiting_is_not_worth_it_in_a_year() -> None:
    year = BASELINE.variant(horizon_quarters=4)
    assert gain(year, *recruiting(year)).high < 0


def test_claim_4_fails_when_nobody_signs() -> None:
    nobody = tuple(c.model_copy(update={"sign_probability": 0.0}) for c in BASELINE.candidates)
    scenario = BASELINE.variant(candidates=nobody)
    assert gain(scenario, *recruiting(scenario)).low < 0


# 5 --------------------------------------------------------------- time belongs to Believers


def first_hours(scenario: Scenario, names: list[str]) -> NDArray[np.float64]:
    """Worth of 1.5 hours a week with one partner, averaged over the named, by market."""
    nobody = share(scenario, 0.0)
    free = sum(row.hours_per_week for row in nobody.hours)
    plans = [share(scenario, 1.5 / free, {name: 1.0}) for name in names]
    return np.mean([credit(scenario, plan).sum(axis=1) for plan in plans], axis=0) - credit(scenario, nobody).sum(
        axis=1
    )


def test_claim_5_first_hours_are_worth_most_for_believers() -> None:
    sure = assume(BASELINE, label_accuracy=1.0)
    believer, achiever, deceiver = (first_hours(sure, names) for names in (BELIEVERS, [ACHIEVER], DECEIVERS))
    assert mean(believer).low > 0
    assert mean(believer - achiever).low > 0
    assert mean(achiever - deceiver).low > 0
    assert mean(deceiver).high < 0


def test_claim_5_deceivers_cost_nothing_special_when_all_partners_are_alike() -> None:
    scenario = alike(assume(BASELINE, label_accuracy=1.0))
    assert mean(first_hours(scenario, DECEIVERS)).high > 0


def test_claim_5_a_fifth_on_believers_beats_two_fifths_on_deceivers() -> None:
    assert gain(BASELINE, share(BASELINE, 0.2), share(BASELINE, 0.4, "deceivers")).low > 0


def believers_gain(scenario: Scenario) -> NDArray[np.float64]:
    return (credit(scenario, share(scenario, 0.2)) - credit(scenario, share(scenario, 0.0))).sum(axis=1)


def test_claim_5_the_gain_shrinks_with_the_accuracy_of_labels() -> None:
    sure, half, blind = (believers_gain(assume(BASELINE, label_accuracy=a)) for a in (1.0, 0.5, 0.0))
    assert mean(sure - blind).low > 0
    assert mean(sure).value > mean(half).value > mean(blind).value


def test_claim_5_accuracy_does_not_matter_when_all_partners_are_alike() -> None:
    sure, blind = (believers_gain(alike(assume(BASELINE, label_accuracy=a))) for a in (1.0, 0.0))
    assert np.array_equal(sure, blind)


def test_claim_5_an_ambitious_achiever_is_worth_the_time() -> None:
    ambition = {"skill_ceiling": 1.0, "engagement_ceiling": 1.0, "teachability": 1.0}

    def ambitious(p: Partner) -> Partner:
        if p.name != ACHIEVER:
            return p
        larger = {name: 2.0 * base for name, base in p.base_share.items()}
        own = p.traits.model_copy(update={n: Range(low=v, likely=v, high=v) for n, v in ambition.items()})
        return p.model_copy(update={"base_share": larger, "traits": own, "capacity_deals": 28})

    sure = assume(BASELINE, label_accuracy=1.0)
    plain, its = first_hours(sure, [ACHIEVER]), first_hours(with_partners(sure, ambitious), [ACHIEVER])
    assert mean(its).low > 0
    assert mean(its - plain).low > 0


# 6 --------------------------------------------------------------- a channel account manager


def ten_points_more(scenario: Scenario) -> NDArray[np.float64]:
    """Worth of 10 more points of the manager's time with Believers, by market."""
    return (credit(scenario, share(scenario, 0.2)) - credit(scenario, share(scenario, 0.1))).sum(axis=1)


def with_cam(hours: float) -> Scenario:
    return BASELINE.variant(channel_account_manager=ChannelAccountManager(hours_per_week=hours))


def test_claim_6_a_channel_account_manager_frees_the_manager() -> None:
    helped = with_cam(10.0)
    assert mean(ten_points_more(helped) - ten_points_more(BASELINE)).high < 0
    assert mean((credit(helped, share(helped, 0.1)) - credit(BASELINE, share(BASELINE, 0.1))).sum(axis=1)).low > 0


def test_claim_6_fails_when_those_hours_are_worth_nothing() -> None:
    idle = BASELINE.variant(channel_account_manager=ChannelAccountManager(hours_per_week=10.0, factor=0.0))
    assert np.array_equal(ten_points_more(idle), ten_points_more(BASELINE))


# 7 --------------------------------------------------------------- territories differ


def reach_of_believers(factor: float) -> Scenario:
    def change(p: Partner) -> Partner:
        bases = {name: factor * base for name, base in p.base_share.items()}
        return p.model_copy(update={"base_share": bases}) if p.label == "believer" else p

    return with_partners(BASELINE.variant(candidates=()), change)


def margin_of_all(margin: float) -> Scenario:
    return with_partners(BASELINE, lambda p: p.model_copy(update={"margin": margin}))


def direct_headroom(deals: float) -> Scenario:
    """More and larger inbound business of the manager's own."""
    segments = tuple(
        s.model_copy(update={"inbound_share": min(1.0, deals * s.inbound_share)}) for s in BASELINE.market_map
    )
    return BASELINE.variant(market_map=segments)


def test_claim_7_partner_time_is_worth_more_with_more_reach() -> None:
    assert mean(ten_points_more(reach_of_believers(1.5)) - ten_points_more(reach_of_believers(0.5))).low > 0


def test_claim_7_partner_time_is_worth_less_with_more_margin() -> None:
    assert mean(ten_points_more(margin_of_all(0.6)) - ten_points_more(BASELINE)).high < 0


def test_claim_7_partner_time_is_worth_less_with_more_direct_headroom() -> None:
    assert mean(ten_points_more(direct_headroom(4.0)) - ten_points_more(BASELINE)).high < 0


def test_claim_7_the_sign_changes_between_plausible_territories() -> None:
    partner_rich, direct_rich = (
        load_scenario(f"scenarios/two-territories-{k}-rich.yaml") for k in ("partner", "direct")
    )
    assert mean(ten_points_more(partner_rich)).low > 0
    assert mean(ten_points_more(direct_rich)).high < 0


def test_claim_7_reach_does_not_matter_when_partners_cannot_learn() -> None:
    off = {
        name: getattr(NO_LEARNING.assumptions, name).likely
        for name in ("coach_gain_per_week", "joint_plan_gain_per_week")
    }
    many, few = (ten_points_more(assume(reach_of_believers(f), **off)) for f in (1.5, 0.5))
    assert mean(many - few).low < 0


# 8 --------------------------------------------------------------- how, not how much


def better_mix(scenario: Scenario) -> tuple[TimePlan, TimePlan, TimePlan]:
    """The old share with a better mix and focus; the old mix; the old mix with 10 points more."""
    old = scenario.status_quo
    now = float(old.shares(1)[0])
    return (
        share(scenario, now),
        TimePlan.status_quo(scenario),
        share(scenario, now + 0.1, "even", mix=dict(old.mix)),
    )


def test_claim_8_a_better_mix_beats_more_time() -> None:
    better, old, more = better_mix(BASELINE)
    assert gain(BASELINE, better, more).low > 0
    assert gain(BASELINE, better, old).low > 0


def test_claim_8_fails_when_no_activity_works() -> None:
    better, old, _ = better_mix(NO_LEARNING)
    assert gain(NO_LEARNING, better, old).low < 0


# Scale ----------------------------------------------------------- what the likely numbers amount to


def test_the_baseline_is_modest() -> None:
    """57% of quarters make quota; a good plan gains 5-15%; untouched partners bring 15-25% of credit."""
    quo = TimePlan.status_quo(BASELINE)
    made = mean((credit(BASELINE, quo) >= np.array(BASELINE.quota_usd())).mean(axis=1))
    assert made.low < 0.57 < made.high
    base = credit(BASELINE, quo).sum(axis=1).mean()
    good = gain(BASELINE, share(BASELINE, 0.2, park=DECEIVERS), quo).scaled(1 / base)
    assert 0.05 < good.value < 0.15
    for plan in (share(BASELINE, 0.0), share(BASELINE, 0.0, park=[p.name for p in BASELINE.partners])):
        outcomes = replicate(BASELINE, plan, RUNS, SEED, workers=1)
        assert 0.15 < outcomes["partner_credit_usd"].sum() / outcomes.credit_usd.sum() < 0.25
