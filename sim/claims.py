"""The eight claims of the source, measured: each figure with its 95% interval and the side on which it must lie.

    with_markets = Measured(Territories(baseline, partner_rich, direct_rich), markets=300, seed=7)
    for claim in CLAIMS:
        for finding in claim.findings(with_markets):
            claim.number, claim.statement, finding.what, finding.estimate, finding.verdict

All plans meet the same markets (common random numbers), so a difference is paired. The functions that measure take any
scenario: tests/test_claims.py switches the mechanism behind each claim off, and the claim must no longer show.

Left out: why the baseline's numbers are what they are (docs/model.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from sim.batches import FloatArray
from sim.estimates import Estimate, mean, payback_quarter
from sim.experiment import replicate, simulate
from sim.kpis import Tally, credit_usd
from sim.ledger import Kind, Ledger
from sim.market import draw_market
from sim.plan import TimePlan
from sim.scenario import ChannelAccountManager, Partner, PartnerSegment, Range, Scenario

Unit = Literal["share", "points", "USD", "skill", "quarter"]
LUNCH_LIMIT = 0.05
"""Of quota: less is nothing."""
SKILL_LIMIT, SKILL_GAP = 0.02, 0.05
RECRUITING_PAYS_FROM, RECRUITING_PAYS_BY = 4, 12
DEALS_OF_ONE_MARKET = 20
"""Markets in which single deals are followed, at most."""
EXACTLY = 1e-9
FIRST_HOURS = 1.5
"""Hours a week with one partner."""
CAM_HOURS = 10.0


@dataclass(frozen=True)
class Finding:
    """One figure of a claim, and where its interval must lie."""

    what: str
    estimate: Estimate
    unit: Unit
    above: float = -np.inf
    below: float = np.inf

    @property
    def holds(self) -> bool:
        """Whether the whole interval lies on the claimed side."""
        return self.estimate.low > self.above and self.estimate.high < self.below

    @property
    def verdict(self) -> Literal["holds", "does not hold", "not clear"]:
        """Not clear: so many markets do not tell."""
        if self.holds:
            return "holds"
        fails = self.estimate.high <= self.above or self.estimate.low >= self.below
        return "does not hold" if fails else "not clear"


@dataclass(frozen=True)
class Territories:
    """The scenarios that the claims are about."""

    baseline: Scenario
    partner_rich: Scenario
    direct_rich: Scenario


@dataclass(frozen=True, eq=False)
class Measured:
    """Territories in so many markets. What was run is kept, as claims share many plans."""

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

    def gain(self, scenario: Scenario, plan: TimePlan, against: TimePlan, quarters: slice = slice(None)) -> Estimate:
        """Paired difference in credit over some quarters, US dollars."""
        return mean((self.credit(scenario, plan) - self.credit(scenario, against))[:, quarters].sum(axis=1))


@dataclass(frozen=True)
class Claim:
    """A claim and its figures."""

    number: int
    statement: str
    findings: Callable[[Measured], Iterator[Finding]]


def share(scenario: Scenario, partner_share: float, focus: Any = "believers", **split: Any) -> TimePlan:
    """A plan of a constant split."""
    return TimePlan.constant(scenario, partner_share, focus=focus, **split)


def labelled(scenario: Scenario, label: PartnerSegment) -> list[str]:
    """Partners of a label."""
    return [partner.name for partner in scenario.partners if partner.label == label]


def assume(scenario: Scenario, **likely: float) -> Scenario:
    """The scenario with some assumptions fixed."""
    fixed = {name: Range(low=value, likely=value, high=value) for name, value in likely.items()}
    return scenario.variant(assumptions=scenario.assumptions.model_copy(update=fixed))


def with_partners(scenario: Scenario, change: Callable[[Partner], Partner]) -> Scenario:
    """The scenario with each partner changed."""
    return scenario.variant(partners=tuple(change(partner) for partner in scenario.partners))


# 1


def lunch_effect(its: Measured, scenario: Scenario) -> Estimate:
    """What 90% of the time on visits without agenda adds to leaving it idle, as a share of quota over all quarters."""
    lunches = share(scenario, 0.9, "even", mix={"socialise": 1.0})
    selling = [row.model_dump() for row in lunches.hours if row.activity == "sell"]
    idle = TimePlan.from_table(scenario, selling, "idle")
    return its.gain(scenario, lunches, idle).scaled(1 / sum(scenario.quota_usd()))


def _lunches(its: Measured) -> Iterator[Finding]:
    effect = lunch_effect(its, its.territories.baseline)
    yield Finding("90% of the time on lunches, against the same hours idle, of quota", effect, "share",
                  -LUNCH_LIMIT, LUNCH_LIMIT)  # fmt: skip


# 2


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
    """of each deal won in both: sold for the partner, direct"""
    credit_for_partner: float
    """quota credit of all that was sold for the partner, over their gross booking; so is the next"""
    credit_direct: float


def sold_both_ways(its: Measured, scenario: Scenario) -> Iterator[SoldBothWays]:
    """By market, for those in which something was won both ways."""
    sold_for = share(scenario, 1.0, "even", mix={"sell_for": 1.0}, coverage_mode="partner_led")
    direct = share(scenario, 0.0, "even", coverage_mode="direct", prospect_share=0.5)
    for replication in range(min(its.markets, DEALS_OF_ONE_MARKET)):
        market = draw_market(scenario, its.seed, replication)
        as_partner, as_direct = (simulate(scenario, plan, market) for plan in (sold_for, direct))
        one, other = _gross(as_partner, Kind.WON_SOLD_FOR), _gross(as_direct, Kind.WON_DIRECT)
        if one and other:
            yield SoldBothWays(
                tuple((one[deal], other[deal]) for deal in one.keys() & other.keys()),
                _credit_won(as_partner, Kind.WON_SOLD_FOR) / sum(one.values()),
                _credit_won(as_direct, Kind.WON_DIRECT) / sum(other.values()),
            )


def _gross(ledger: Ledger, kind: Kind) -> dict[int, float]:
    """Gross booking of each opportunity won in one way, history left out."""
    return {record["opportunity"]: record["amount_usd"] for record in ledger.of(kind) if record["tick"] >= 0}


def _credit_won(ledger: Ledger, kind: Kind) -> float:
    """Quota credit over the horizon of the deals won in one way."""
    return float(credit_usd(Tally.of(replace(ledger, records=ledger.of(kind)))).sum())


def skill_after_8_quarters(its: Measured, scenario: Scenario, activity: str | None) -> FloatArray:
    """Skill by market, with 30% of the time on one activity, or with no contact."""
    mix = {activity: 1.0} if activity else {"coach": 1.0}
    plan = share(scenario, 0.3 if activity else 0.0, "even", mix=mix)
    return replicate(scenario, plan, max(2, its.markets // 3), its.seed, workers=1)["skill"][:, 7]


def _selling_for(its: Measured) -> Iterator[Finding]:
    for margin in (0.0, 0.2, 0.5):
        found = list(sold_both_ways(its, one_believer(its.territories.baseline, margin)))
        credit = mean(np.array([one.credit_for_partner / one.credit_direct for one in found]))
        yield Finding(f"credit of a deal sold for a partner with margin {margin:.0%}, of the same deal direct",
                      credit, "share", 1 - margin - EXACTLY, 1 - margin + EXACTLY)  # fmt: skip
    one = one_believer(its.territories.baseline, 0.2)
    alone, sold_for, co_sold = (skill_after_8_quarters(its, one, way) for way in (None, "sell_for", "co_sell"))
    yield Finding("skill after 8 quarters of selling for it, against no contact", mean(sold_for - alone), "skill",
                  below=SKILL_LIMIT)  # fmt: skip
    yield Finding("and with co-selling, against selling for it", mean(co_sold - sold_for), "skill", above=SKILL_GAP)


# 3


def attainment_change(its: Measured, quota_growth: float) -> Estimate:
    """Attainment without partner time in the last four quarters less that in the first four."""
    baseline = its.territories.baseline
    quota = baseline.quota.model_copy(update={"growth_per_year": quota_growth})
    scenario = baseline.variant(quota=quota)
    attained = its.credit(scenario, share(scenario, 0.0)) / np.array(scenario.quota_usd())
    return mean(attained[:, -4:].mean(axis=1) - attained[:, :4].mean(axis=1))


def _no_partner_time(its: Measured) -> Iterator[Finding]:
    baseline = its.territories.baseline
    alone, with_believers = share(baseline, 0.0), share(baseline, 0.2)
    early = its.gain(baseline, alone, with_believers, slice(0, 2))
    yield Finding("no partner time against 20% with Develop partners, first two quarters", early, "USD", above=0)
    yield Finding("and over all quarters", its.gain(baseline, alone, with_believers), "USD", below=0)
    for growth in (0.08, 0.12):
        yield Finding(f"its attainment, last year against first, where quota grows {growth:.0%} a year",
                      attainment_change(its, growth), "points", below=0)  # fmt: skip


# 4


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


def _recruiting(its: Measured) -> Iterator[Finding]:
    baseline = its.territories.baseline
    recruit, without = recruiting(baseline)
    yield Finding("recruiting and developing one candidate, first three quarters",
                  its.gain(baseline, recruit, without, slice(0, 3)), "USD", below=0)  # fmt: skip
    yield Finding("and over all quarters", its.gain(baseline, recruit, without), "USD", above=0)
    by_quarter = (its.credit(baseline, recruit) - its.credit(baseline, without)).mean(axis=0)
    pays = float(payback_quarter(by_quarter) or np.inf)
    yield Finding("the quarter in which it has paid back", Estimate(pays, pays, pays, its.markets), "quarter",
                  RECRUITING_PAYS_FROM - EXACTLY, RECRUITING_PAYS_BY + EXACTLY)  # fmt: skip
    year = baseline.variant(horizon_quarters=4)
    yield Finding("and in a territory that is looked at for a year only", its.gain(year, *recruiting(year)), "USD",
                  below=0)  # fmt: skip


# 5


def first_hours(its: Measured, scenario: Scenario, names: Sequence[str]) -> FloatArray:
    """Worth of FIRST_HOURS a week with one partner, averaged over the named, by market."""
    nobody = share(scenario, 0.0)
    free = sum(row.hours_per_week for row in nobody.hours)
    plans = [share(scenario, FIRST_HOURS / free, {name: 1.0}) for name in names]
    worth: FloatArray = np.mean([its.credit(scenario, plan).sum(axis=1) for plan in plans], axis=0)
    return worth - its.credit(scenario, nobody).sum(axis=1)


def believers_gain(its: Measured, scenario: Scenario) -> FloatArray:
    """20% of the time with Believers against none, by market."""
    gain: FloatArray = its.credit(scenario, share(scenario, 0.2)) - its.credit(scenario, share(scenario, 0.0))
    return gain.sum(axis=1)


def ambitious(scenario: Scenario, names: Sequence[str]) -> Scenario:
    """The scenario in which these partners can grow, learn and reach as few do."""
    ambition = {"skill_ceiling": 1.0, "engagement_ceiling": 1.0, "teachability": 1.0}

    def change(partner: Partner) -> Partner:
        if partner.name not in names:
            return partner
        larger = {name: 2.0 * base for name, base in partner.base_share.items()}
        own = partner.traits.model_copy(update={n: Range(low=v, likely=v, high=v) for n, v in ambition.items()})
        return partner.model_copy(update={"base_share": larger, "traits": own, "capacity_deals": 28})

    return with_partners(scenario, change)


def _whose_hours(its: Measured) -> Iterator[Finding]:
    baseline = its.territories.baseline
    sure = assume(baseline, label_accuracy=1.0)
    achievers = labelled(baseline, "achiever")[:1]
    groups = labelled(baseline, "believer"), achievers, labelled(baseline, "deceiver")
    believer, achiever, deceiver = (first_hours(its, sure, names) for names in groups)
    yield Finding("the first 1.5 hours a week with a Develop partner", mean(believer), "USD", above=0)
    yield Finding("and against those with a Maintain partner", mean(believer - achiever), "USD", above=0)
    yield Finding("those with a Maintain against those with a Limit partner", mean(achiever - deceiver), "USD", above=0)
    yield Finding("those with a Limit partner", mean(deceiver), "USD", below=0)
    better = its.gain(baseline, share(baseline, 0.2), share(baseline, 0.4, "deceivers"))
    yield Finding("20% of the time with Develop partners against 40% with Limit partners", better, "USD", above=0)
    known, blind = (believers_gain(its, assume(baseline, label_accuracy=accuracy)) for accuracy in (1.0, 0.0))
    yield Finding("what knowing who is who adds to 20% with Develop partners", mean(known - blind), "USD", above=0)
    hungry = first_hours(its, ambitious(sure, achievers), achievers)
    yield Finding("the first 1.5 hours with an ambitious Maintain partner", mean(hungry), "USD", above=0)
    yield Finding("and against those with it as it is", mean(hungry - achiever), "USD", above=0)


# 6


def ten_points_more(its: Measured, scenario: Scenario) -> FloatArray:
    """Worth of 10 more points of the manager's time with Believers, by market."""
    worth: FloatArray = its.credit(scenario, share(scenario, 0.2)) - its.credit(scenario, share(scenario, 0.1))
    return worth.sum(axis=1)


def with_cam(scenario: Scenario, factor: float | None = None) -> Scenario:
    """The scenario with a channel account manager."""
    more: Mapping[str, float] = {} if factor is None else {"factor": factor}
    return scenario.variant(channel_account_manager=ChannelAccountManager(hours_per_week=CAM_HOURS, **more))


def _channel_account_manager(its: Measured) -> Iterator[Finding]:
    baseline = its.territories.baseline
    helped = with_cam(baseline)
    less = ten_points_more(its, helped) - ten_points_more(its, baseline)
    more = its.credit(helped, share(helped, 0.1)) - its.credit(baseline, share(baseline, 0.1))
    yield Finding("10 more points of the manager's time, with such a colleague against without", mean(less), "USD",
                  below=0)  # fmt: skip
    yield Finding("what the colleague adds at 10% of the manager's time", mean(more.sum(axis=1)), "USD", above=0)


# 7


def reach_of_believers(scenario: Scenario, factor: float) -> Scenario:
    """The scenario in which Believers have so many times their accounts."""

    def change(partner: Partner) -> Partner:
        bases = {name: factor * base for name, base in partner.base_share.items()}
        return partner.model_copy(update={"base_share": bases}) if partner.label == "believer" else partner

    return with_partners(scenario.variant(candidates=()), change)


def margin_of_all(scenario: Scenario, margin: float) -> Scenario:
    """The scenario in which every partner keeps this margin."""
    return with_partners(scenario, lambda partner: partner.model_copy(update={"margin": margin}))


def direct_headroom(scenario: Scenario, deals: float) -> Scenario:
    """The scenario with so many times the inbound business of the manager's own."""
    segments = tuple(
        s.model_copy(update={"inbound_share": min(1.0, deals * s.inbound_share)}) for s in scenario.market_map
    )
    return scenario.variant(market_map=segments)


def _territories_differ(its: Measured) -> Iterator[Finding]:
    baseline = its.territories.baseline
    now = ten_points_more(its, baseline)
    many, few = (ten_points_more(its, reach_of_believers(baseline, factor)) for factor in (1.5, 0.5))
    dear = ten_points_more(its, margin_of_all(baseline, 0.6))
    busy = ten_points_more(its, direct_headroom(baseline, 4.0))
    ten = "10 more points of partner time"
    yield Finding(f"{ten}: partners with 1.5 times their accounts against half", mean(many - few), "USD", above=0)
    yield Finding(f"{ten}: a margin of 60% against today's", mean(dear - now), "USD", below=0)
    yield Finding(f"{ten}: four times the inbound business against today's", mean(busy - now), "USD", below=0)
    yield Finding(f"{ten} in the partner-rich territory", mean(ten_points_more(its, its.territories.partner_rich)),
                  "USD", above=0)  # fmt: skip
    yield Finding(f"{ten} in the direct-rich territory", mean(ten_points_more(its, its.territories.direct_rich)),
                  "USD", below=0)  # fmt: skip


# 8


def better_mix(scenario: Scenario) -> tuple[TimePlan, TimePlan, TimePlan]:
    """The old share with a better mix and focus; the old mix; the old mix with 10 points more."""
    old = scenario.status_quo
    now = float(old.shares(1)[0])
    return (
        share(scenario, now),
        TimePlan.status_quo(scenario),
        share(scenario, now + 0.1, "even", mix=dict(old.mix)),
    )


def _how_not_how_much(its: Measured) -> Iterator[Finding]:
    baseline = its.territories.baseline
    better, old, more = better_mix(baseline)
    yield Finding("a better mix against 10 points more of the old", its.gain(baseline, better, more), "USD", above=0)
    yield Finding("and against as much of the old", its.gain(baseline, better, old), "USD", above=0)


CLAIMS = (
    Claim(1, "Lunch changes nothing: time on visits without agenda is as good as idle.", _lunches),
    Claim(2, "Selling for a partner costs its margin, and teaches it nothing.", _selling_for),
    Claim(3, "No partner time wins early, loses later, and cannot follow a rising quota.", _no_partner_time),
    Claim(4, "Recruiting pays late: not in three quarters, and not in a year.", _recruiting),
    Claim(5, "The next hour belongs to a Develop partner, if you know who is one.", _whose_hours),
    Claim(6, "A channel account manager raises credit and frees the manager's time.", _channel_account_manager),
    Claim(7, "Territories differ: what is right in one is wrong in another.", _territories_differ),
    Claim(8, "How, not how much: a better mix beats more time.", _how_not_how_much),
)
