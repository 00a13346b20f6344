"""What the claims of the source are measured by: plans and changed scenarios, and what they bring in the same markets.

All plans meet the same markets (common random numbers), so a difference is paired. Every function takes any scenario:
tests/sim/test_claims.py switches the mechanism behind each claim off.

Left out: what is claimed of these figures (claims.py).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sim.arrays import FloatArray
from sim.kpis import Tally, credit_usd
from sim.ledger import Kind, Ledger
from sim.market import draw_market
from sim.plan import TimePlan
from sim.ranges import Range
from sim.scenario import ChannelAccountManager, Partner, Scenario
from sim.study.estimates import Estimate, mean
from sim.study.experiment import replicate, simulate
from sim.terms import PartnerSegment

DEALS_OF_ONE_MARKET = 20
"""Markets in which single deals are followed, at most."""
FIRST_HOURS = 1.5
"""Hours a week with one partner."""
CAM_WEEKLY_HOURS = 10.0


@dataclass(frozen=True)
class Territories:
    """The scenarios that the claims are about."""

    baseline: Scenario
    partner_rich: Scenario
    direct_rich: Scenario


@dataclass(frozen=True, eq=False)
class Measurements:
    """The territories in a number of markets. What was run is kept, as claims share many plans."""

    territories: Territories
    markets: int
    seed: int
    kept: dict[tuple[str, str], FloatArray] = field(default_factory=dict)

    def credit(self, scenario: Scenario, plan: TimePlan) -> FloatArray:
        """Quota credit in US dollars, shape (markets, quarters)."""
        key = scenario.digest(), plan.digest()
        if key not in self.kept:
            self.kept[key] = replicate(scenario, plan, self.markets, self.seed, workers=1).credit_usd
        return self.kept[key]

    def gains(self, scenario: Scenario, plan: TimePlan, against: TimePlan, quarters: slice = slice(None)) -> FloatArray:
        """Difference in credit over some quarters in US dollars, shape (markets,)."""
        return (self.credit(scenario, plan) - self.credit(scenario, against))[:, quarters].sum(axis=1)

    def gain(self, scenario: Scenario, plan: TimePlan, against: TimePlan, quarters: slice = slice(None)) -> Estimate:
        """Paired difference in credit over some quarters, US dollars."""
        return mean(self.gains(scenario, plan, against, quarters))


def constant_split(scenario: Scenario, partner_share: float, focus: Any = "believers", **split: Any) -> TimePlan:
    """A plan of a constant split."""
    return TimePlan.constant(scenario, partner_share, focus=focus, **split)


def labelled(scenario: Scenario, label: PartnerSegment) -> list[str]:
    """Partners of a label."""
    return [partner.name for partner in scenario.partners if partner.label == label]


def assume(scenario: Scenario, **likely: float) -> Scenario:
    """The scenario with some assumptions fixed."""
    fixed = {name: Range(low=value, likely=value, high=value) for name, value in likely.items()}
    return scenario.variant(assumptions=scenario.assumptions.model_copy(update=fixed))


def change_partners(scenario: Scenario, change: Callable[[Partner], Partner]) -> Scenario:
    """The scenario with each partner changed."""
    return scenario.variant(partners=tuple(change(partner) for partner in scenario.partners))


# Claim 1
def lunch_effect(measured: Measurements, scenario: Scenario) -> Estimate:
    """What 90% of the time on visits without agenda adds to leaving it idle, as a share of quota over all quarters."""
    lunches = constant_split(scenario, 0.9, "even", mix={"socialise": 1.0})
    selling = [row.model_dump() for row in lunches.hours if row.activity == "sell"]
    idle = TimePlan.from_table(scenario, selling, "idle")
    return measured.gain(scenario, lunches, idle).scaled(1 / sum(scenario.quota_usd()))


# Claim 2
def one_believer(scenario: Scenario, margin: float) -> Scenario:
    """One partner that owns half of every segment and is led by it alone, with little else to do for the manager."""
    partner = Partner(
        name="Only",
        label="believer",
        base_share={name: 0.5 for name in scenario.segment_names},
        margin=margin,
        capacity_deals=10_000,
    )
    few = tuple(s.model_copy(update={"opportunities_per_quarter": 4.0}) for s in scenario.market_map)
    return assume(scenario.variant(partners=(partner,), candidates=(), market_map=few, plans=()), label_accuracy=1.0)


@dataclass(frozen=True)
class SoldBothWays:
    """Deals won by selling for the partner in one plan and directly in another, in the same market."""

    gross_usd: tuple[tuple[float, float], ...]
    """amounts of each deal won in both: sold for the partner, direct"""
    credit_for_partner: float
    """quota credit of all that was sold for the partner, over their gross booking; so is the next"""
    credit_direct: float


def sold_both_ways(measured: Measurements, scenario: Scenario) -> Iterator[SoldBothWays]:
    """Deals sold for a partner and the same sold directly, by market, where something was won both ways."""
    sold_for = constant_split(scenario, 1.0, "even", mix={"sell_for": 1.0}, coverage_mode="partner_led")
    direct = constant_split(scenario, 0.0, "even", coverage_mode="direct", prospect_share=0.5)
    for replication in range(min(measured.markets, DEALS_OF_ONE_MARKET)):
        market = draw_market(scenario, measured.seed, replication)
        as_partner, as_direct = (simulate(scenario, plan, market) for plan in (sold_for, direct))
        one = _gross_by_opportunity(as_partner, Kind.WON_SOLD_FOR)
        other = _gross_by_opportunity(as_direct, Kind.WON_DIRECT)
        if one and other:
            yield SoldBothWays(
                tuple((one[deal], other[deal]) for deal in one.keys() & other.keys()),
                _credit_won(as_partner, Kind.WON_SOLD_FOR) / sum(one.values()),
                _credit_won(as_direct, Kind.WON_DIRECT) / sum(other.values()),
            )


def _gross_by_opportunity(ledger: Ledger, kind: Kind) -> dict[int, float]:
    """Gross booking of each opportunity won in one way, history left out."""
    return {record["opportunity"]: record["amount_usd"] for record in ledger.of(kind) if record["tick"] >= 0}


def _credit_won(ledger: Ledger, kind: Kind) -> float:
    """Quota credit over the horizon of the deals won in one way."""
    return float(credit_usd(Tally.of(replace(ledger, records=ledger.of(kind)))).sum())


def skill_after_8_quarters(measured: Measurements, scenario: Scenario, activity: str | None) -> FloatArray:
    """Skill by market, with 30% of the time on one activity, or with no contact."""
    mix = {activity: 1.0} if activity else {"coach": 1.0}
    plan = constant_split(scenario, 0.3 if activity else 0.0, "even", mix=mix)
    return replicate(scenario, plan, max(2, measured.markets // 3), measured.seed, workers=1)["skill"][:, 7]


# Claim 3
def attainment_change(measured: Measurements, quota_growth: float) -> Estimate:
    """Attainment without partner time in the last four quarters less that in the first four."""
    baseline = measured.territories.baseline
    scenario = baseline.variant(quota=baseline.quota.model_copy(update={"growth_per_year": quota_growth}))
    attained = measured.credit(scenario, constant_split(scenario, 0.0)) / np.array(scenario.quota_usd())
    return mean(attained[:, -4:].mean(axis=1) - attained[:, :4].mean(axis=1))


# Claim 4
def recruiting(scenario: Scenario) -> tuple[TimePlan, TimePlan]:
    """A plan that recruits and then develops one candidate, and the same without."""
    candidate = scenario.candidates[0].name
    without = constant_split(scenario, 0.15)
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


# Claim 5
def first_hours(measured: Measurements, scenario: Scenario, names: Sequence[str]) -> FloatArray:
    """Worth of FIRST_HOURS a week with one partner, averaged over the named, by market."""
    nobody = constant_split(scenario, 0.0)
    free = sum(row.hours_per_week for row in nobody.hours)
    plans = [constant_split(scenario, FIRST_HOURS / free, {name: 1.0}) for name in names]
    worth: FloatArray = np.mean([measured.credit(scenario, plan).sum(axis=1) for plan in plans], axis=0)
    return worth - measured.credit(scenario, nobody).sum(axis=1)


def believers_gain(measured: Measurements, scenario: Scenario) -> FloatArray:
    """20% of the time with Believers against none, by market."""
    return measured.gains(scenario, constant_split(scenario, 0.2), constant_split(scenario, 0.0))


def ambitious(scenario: Scenario, names: Sequence[str]) -> Scenario:
    """The scenario in which these partners can grow, learn and reach as few do."""
    ambition = {"skill_ceiling": 1.0, "engagement_ceiling": 1.0, "teachability": 1.0}

    def change(partner: Partner) -> Partner:
        if partner.name not in names:
            return partner
        larger = {name: 2.0 * base for name, base in partner.base_share.items()}
        own = partner.traits.model_copy(update={n: Range(low=v, likely=v, high=v) for n, v in ambition.items()})
        return partner.model_copy(update={"base_share": larger, "traits": own, "capacity_deals": 28})

    return change_partners(scenario, change)


# Claims 6 and 7
def ten_points_more(measured: Measurements, scenario: Scenario) -> FloatArray:
    """Worth of 10 more points of the manager's time with Believers, by market."""
    return measured.gains(scenario, constant_split(scenario, 0.2), constant_split(scenario, 0.1))


def with_cam(scenario: Scenario, factor: float | None = None) -> Scenario:
    """The scenario with a channel account manager."""
    more: Mapping[str, float] = {} if factor is None else {"factor": factor}
    return scenario.variant(channel_account_manager=ChannelAccountManager(hours_per_week=CAM_WEEKLY_HOURS, **more))


def reach_of_believers(scenario: Scenario, factor: float) -> Scenario:
    """The scenario in which Believers have `factor` times their accounts."""

    def change(partner: Partner) -> Partner:
        bases = {name: factor * base for name, base in partner.base_share.items()}
        return partner.model_copy(update={"base_share": bases}) if partner.label == "believer" else partner

    return change_partners(scenario.variant(candidates=()), change)


def margin_of_all(scenario: Scenario, margin: float) -> Scenario:
    """The scenario in which every partner keeps this margin."""
    return change_partners(scenario, lambda partner: partner.model_copy(update={"margin": margin}))


def direct_headroom(scenario: Scenario, factor: float) -> Scenario:
    """The scenario with `factor` times the inbound business of the manager's own."""
    segments = tuple(
        s.model_copy(update={"inbound_share": min(1.0, factor * s.inbound_share)}) for s in scenario.market_map
    )
    return scenario.variant(market_map=segments)


# Claim 8
def better_mix(scenario: Scenario) -> tuple[TimePlan, TimePlan, TimePlan]:
    """The old share with a better mix and focus; the old mix; the old mix with 10 points more."""
    old = scenario.status_quo
    now = float(old.shares(1)[0])
    return (
        constant_split(scenario, now),
        TimePlan.status_quo(scenario),
        constant_split(scenario, now + 0.1, "even", mix=dict(old.mix)),
    )
