"""The eight claims of the source: each figure with its 95% interval and the side on which it must lie.

    measured = Measurements(Territories(baseline, partner_rich, direct_rich), markets=300, seed=7)
    for claim in CLAIMS:
        for finding in claim.findings(measured):
            claim.number, claim.statement, finding.what, finding.estimate, finding.verdict

Left out: how the figures are measured (measures.py), and why the baseline's numbers are what they are (docs/model.md).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sim.claims import measures
from sim.claims.measures import Measurements, Territories, constant_split, ten_points_more
from sim.study.estimates import Estimate, mean, payback_quarter

__all__ = ["CLAIMS", "Claim", "Finding", "Measurements", "Territories", "Unit"]

Unit = Literal["share", "points", "USD", "skill", "quarter"]
LUNCH_LIMIT = 0.05
"""Share of quota below which a difference is nothing."""
SKILL_LIMIT, SKILL_GAP = 0.02, 0.05
RECRUITING_PAYS_FROM, RECRUITING_PAYS_BY = 4, 12
EXACTLY = 1e-9


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
        """Whether the claim holds; not clear if this number of markets does not tell."""
        if self.holds:
            return "holds"
        fails = self.estimate.high <= self.above or self.estimate.low >= self.below
        return "does not hold" if fails else "not clear"


@dataclass(frozen=True)
class Claim:
    """A claim and its figures."""

    number: int
    statement: str
    findings: Callable[[Measurements], Iterator[Finding]]


def _lunches(measured: Measurements) -> Iterator[Finding]:
    effect = measures.lunch_effect(measured, measured.territories.baseline)
    yield Finding("90% of the time on lunches, against the same hours idle, of quota", effect, "share",
                  -LUNCH_LIMIT, LUNCH_LIMIT)  # fmt: skip


def _selling_for(measured: Measurements) -> Iterator[Finding]:
    for margin in (0.0, 0.2, 0.5):
        found = list(measures.sold_both_ways(measured, measures.one_believer(measured.territories.baseline, margin)))
        credit = mean(np.array([one.credit_for_partner / one.credit_direct for one in found]))
        yield Finding(f"credit of a deal sold for a partner with margin {margin:.0%}, of the same deal direct",
                      credit, "share", 1 - margin - EXACTLY, 1 - margin + EXACTLY)  # fmt: skip
    one = measures.one_believer(measured.territories.baseline, 0.2)
    alone, sold_for, co_sold = (
        measures.skill_after_8_quarters(measured, one, way) for way in (None, "sell_for", "co_sell")
    )
    yield Finding("skill after 8 quarters of selling for it, against no contact", mean(sold_for - alone), "skill",
                  below=SKILL_LIMIT)  # fmt: skip
    yield Finding("and with co-selling, against selling for it", mean(co_sold - sold_for), "skill", above=SKILL_GAP)


def _no_partner_time(measured: Measurements) -> Iterator[Finding]:
    baseline = measured.territories.baseline
    alone, with_believers = constant_split(baseline, 0.0), constant_split(baseline, 0.2)
    early = measured.gain(baseline, alone, with_believers, slice(0, 2))
    yield Finding("no partner time against 20% with Develop partners, first two quarters", early, "USD", above=0)
    yield Finding("and over all quarters", measured.gain(baseline, alone, with_believers), "USD", below=0)
    for growth in (0.08, 0.12):
        yield Finding(f"its attainment, last year against first, where quota grows {growth:.0%} a year",
                      measures.attainment_change(measured, growth), "points", below=0)  # fmt: skip


def _recruiting(measured: Measurements) -> Iterator[Finding]:
    baseline = measured.territories.baseline
    recruit, without = measures.recruiting(baseline)
    yield Finding("recruiting and developing one candidate, first three quarters",
                  measured.gain(baseline, recruit, without, slice(0, 3)), "USD", below=0)  # fmt: skip
    yield Finding("and over all quarters", measured.gain(baseline, recruit, without), "USD", above=0)
    by_quarter = (measured.credit(baseline, recruit) - measured.credit(baseline, without)).mean(axis=0)
    pays = float(payback_quarter(by_quarter) or np.inf)
    yield Finding("the quarter in which it has paid back", Estimate(pays, pays, pays, measured.markets), "quarter",
                  RECRUITING_PAYS_FROM - EXACTLY, RECRUITING_PAYS_BY + EXACTLY)  # fmt: skip
    year = baseline.variant(horizon_quarters=4)
    only_year = measured.gain(year, *measures.recruiting(year))
    yield Finding("and in a territory that is looked at for a year only", only_year, "USD", below=0)


def _whose_hours(measured: Measurements) -> Iterator[Finding]:
    baseline = measured.territories.baseline
    sure = measures.assume(baseline, label_accuracy=1.0)
    achievers = measures.labelled(baseline, "achiever")[:1]
    groups = measures.labelled(baseline, "believer"), achievers, measures.labelled(baseline, "deceiver")
    believer, achiever, deceiver = (measures.first_hours(measured, sure, names) for names in groups)
    yield Finding("the first 1.5 hours a week with a Develop partner", mean(believer), "USD", above=0)
    yield Finding("and against those with a Maintain partner", mean(believer - achiever), "USD", above=0)
    yield Finding("those with a Maintain against those with a Limit partner", mean(achiever - deceiver), "USD", above=0)
    yield Finding("those with a Limit partner", mean(deceiver), "USD", below=0)
    better = measured.gain(baseline, constant_split(baseline, 0.2), constant_split(baseline, 0.4, "deceivers"))
    yield Finding("20% of the time with Develop partners against 40% with Limit partners", better, "USD", above=0)
    known, blind = (
        measures.believers_gain(measured, measures.assume(baseline, label_accuracy=accuracy)) for accuracy in (1.0, 0.0)
    )
    yield Finding("what knowing who is who adds to 20% with Develop partners", mean(known - blind), "USD", above=0)
    hungry = measures.first_hours(measured, measures.ambitious(sure, achievers), achievers)
    yield Finding("the first 1.5 hours with an ambitious Maintain partner", mean(hungry), "USD", above=0)
    yield Finding("and against those with it as it is", mean(hungry - achiever), "USD", above=0)


def _channel_account_manager(measured: Measurements) -> Iterator[Finding]:
    baseline = measured.territories.baseline
    helped = measures.with_cam(baseline)
    less = ten_points_more(measured, helped) - ten_points_more(measured, baseline)
    with_help = measured.credit(helped, constant_split(helped, 0.1))
    more = with_help - measured.credit(baseline, constant_split(baseline, 0.1))
    yield Finding("10 more points of the manager's time, with such a colleague against without", mean(less), "USD",
                  below=0)  # fmt: skip
    yield Finding("what the colleague adds at 10% of the manager's time", mean(more.sum(axis=1)), "USD", above=0)


def _territories_differ(measured: Measurements) -> Iterator[Finding]:
    baseline = measured.territories.baseline
    now = ten_points_more(measured, baseline)
    many, few = (ten_points_more(measured, measures.reach_of_believers(baseline, factor)) for factor in (1.5, 0.5))
    dear = ten_points_more(measured, measures.margin_of_all(baseline, 0.6))
    busy = ten_points_more(measured, measures.direct_headroom(baseline, 4.0))
    ten = "10 more points of partner time"
    yield Finding(f"{ten}: partners with 1.5 times their accounts against half", mean(many - few), "USD", above=0)
    yield Finding(f"{ten}: a margin of 60% against today's", mean(dear - now), "USD", below=0)
    yield Finding(f"{ten}: four times the inbound business against today's", mean(busy - now), "USD", below=0)
    partner_rich = ten_points_more(measured, measured.territories.partner_rich)
    yield Finding(f"{ten} in the partner-rich territory", mean(partner_rich), "USD", above=0)
    direct_rich = ten_points_more(measured, measured.territories.direct_rich)
    yield Finding(f"{ten} in the direct-rich territory", mean(direct_rich), "USD", below=0)


def _how_not_how_much(measured: Measurements) -> Iterator[Finding]:
    baseline = measured.territories.baseline
    better, old, more = measures.better_mix(baseline)
    more_of_old = measured.gain(baseline, better, more)
    yield Finding("a better mix against 10 points more of the old", more_of_old, "USD", above=0)
    yield Finding("and against as much of the old", measured.gain(baseline, better, old), "USD", above=0)


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
