"""Partner intake: from what a channel manager can see to label, skill and engagement, and how sure that is.

    rows = read_partners("partners.csv")
    intake = infer_partners(rows, scenario, weeks=52)
    save_scenario(with_intake(scenario, intake), "mine.yaml")

What can be seen, and how it is inferred, stands in partner_posterior.py.

Left out: what differs between partners and is not in the table (margin, cycle, fit, capacity, exits): it is the
scenario's, by the partner's name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import exp
from typing import Any, Literal

import numpy as np
import scipy

from nexthour.calibrate.fit.posterior import Interval
from nexthour.calibrate.people import partner_posterior
from nexthour.calibrate.people.partner_posterior import PartnerRow, Posterior, opportunities_in_accounts
from sim import PlanError, TableError, TimePlan
from sim.arrays import FloatArray
from sim.documents.messages import show
from sim.ranges import Range
from sim.scenario import Partner, Scenario
from sim.terms import PARTNER_SEGMENTS, TREATMENTS, WEEKS_PER_QUARTER, WEEKS_PER_YEAR, PartnerSegment

SURE, LIKELY = 0.9, 0.7
"""Probabilities from which a label is called so."""
TAIL = 0.05
"""Probability on either side of a 90% interval; a kind that is less likely is not reckoned with."""
SUPPORT_FACTOR = 1.5
"""The support that a partner takes is the help that it asks for, within this factor. Judgement."""
GIVEN_SPREAD, SCENARIO_SPREAD, UNKNOWN_SPREAD = 0.15, 0.3, 0.7
"""Logarithmic spread of the opportunities in a partner's accounts if the table says their share, if only the scenario
does, and if nobody does. Judgement."""
USUAL_SHARE = 0.05
"""Share of accounts of a partner of which nothing is known, in a scenario without partners to go by. Judgement."""
AMBITIOUS = 5
"""Who wants to grow this much may outgrow its kind: the high end of its ceilings is 1."""


@dataclass(frozen=True)
class PartnerEstimate:
    """Label, levels and accounts inferred for one partner, with how sure they are."""

    row: PartnerRow
    kinds: Mapping[PartnerSegment, float]
    """probability of each kind"""
    skill: Range
    """90% interval and median of the mean level over the period; so is engagement"""
    engagement: Range
    reactive_support_hours: Range
    """hours a week"""
    partner: Partner
    """the scenario's partner with the accounts that the table gives it"""
    opportunities_per_quarter: Range
    """opportunities that arise in its accounts"""
    to_settle: str
    """what to ask or watch next"""

    @property
    def label(self) -> PartnerSegment:
        """The likeliest kind."""
        return max(PARTNER_SEGMENTS, key=lambda kind: self.kinds[kind])

    @property
    def how_sure(self) -> Literal["sure", "likely", "open"]:
        """How probable the label is, in a word: see SURE and LIKELY."""
        chance = self.kinds[self.label]
        return "sure" if chance >= SURE else "likely" if chance >= LIKELY else "open"


@dataclass(frozen=True)
class Intake:
    """What is inferred for all partners of a table."""

    name: str
    weeks: float
    estimates: tuple[PartnerEstimate, ...]

    @cached_property
    def labels_right(self) -> Range:
        """Number of labels that are right: a sum of unequal chances (Poisson binomial), with its 90% interval."""
        chances = [estimate.kinds[estimate.label] for estimate in self.estimates]
        right = scipy.stats.poisson_binom(chances)
        low, high = float(right.ppf(TAIL)), float(right.ppf(1 - TAIL))
        likely = min(max(sum(chances), low), high)
        return Range(low=low, likely=likely, high=high, source=f"intake of {self.name}, 90% interval")

    def as_dict(self) -> dict[str, Any]:
        """The intake as plain data, for JSON."""
        return {
            "table": self.name,
            "weeks": self.weeks,
            "labels_right": dict(self.labels_right),
            "partners": [
                {
                    "partner": estimate.row.partner,
                    "label": estimate.label,
                    "treatment": TREATMENTS[estimate.label],
                    "how_sure": estimate.how_sure,
                    "kinds": dict(estimate.kinds),
                    "skill": dict(estimate.skill),
                    "engagement": dict(estimate.engagement),
                    "reactive_support_hours": dict(estimate.reactive_support_hours),
                    "opportunities_per_quarter": dict(estimate.opportunities_per_quarter),
                    "to_settle": estimate.to_settle,
                }
                for estimate in self.estimates
            ],
        }


def infer_partners(
    rows: Sequence[PartnerRow], scenario: Scenario, weeks: float = WEEKS_PER_YEAR, name: str = "the table"
) -> Intake:
    """Infer label, skill and engagement of each partner from what was seen of it in `weeks` weeks up to today.

    Accounts, fit and cycle of a partner are the scenario's, by name. Raises TableError, one sentence.
    """
    if isinstance(weeks, bool) or not 1 <= weeks <= 520:
        raise TableError(f"{name}: the period is {show(weeks)} weeks; allowed: 1 to 520")
    if not any(segment.opportunities_per_quarter > 0 for segment in scenario.market_map):
        raise TableError(f"{name}: no opportunities arise in scenario {scenario.name!r}; give its market map some")

    before = partner_posterior.prior(scenario)
    return Intake(name, weeks, tuple(_estimate(row, before, scenario, weeks, name) for row in rows))


def _estimate(row: PartnerRow, before: Posterior, scenario: Scenario, weeks: float, name: str) -> PartnerEstimate:
    partner, spread = _with_accounts(row, scenario, name)
    stated = opportunities_in_accounts(partner, scenario)
    most = stated * weeks / WEEKS_PER_QUARTER * exp(float(partner_posterior.STEPS[-1]) * spread)
    if row.registered_deals is not None and row.registered_deals > most + 3 * most**0.5:
        raise TableError(
            f"{name}: {row.partner} registered {row.registered_deals:,} deals in {weeks:g} "
            f"week{'' if weeks == 1 else 's'}, but at most about "
            f"{most:,.0f} opportunities can arise in its accounts; correct its account_share or the scenario's "
            "opportunities_per_quarter"
        )
    after, accounts = partner_posterior.posterior(before, row, partner, spread, scenario, weeks)
    kinds = dict(zip(PARTNER_SEGMENTS, after.kinds().tolist(), strict=True))
    source = f"intake of {name}, 90% interval"
    question = partner_posterior.settling_question(row, after, scenario)
    if partner_posterior.wins_too_often(row, partner, scenario, weeks):
        question = "its fit: it wins more often than you would"
    return PartnerEstimate(
        row=row,
        kinds=kinds,
        skill=_range_on_grid(partner_posterior.LEVELS, after.level("skill"), source),
        engagement=_range_on_grid(partner_posterior.LEVELS, after.level("engagement"), source),
        reactive_support_hours=_support_hours(row, kinds, scenario, source),
        partner=partner,
        opportunities_per_quarter=_range_on_grid(stated * np.exp(spread * partner_posterior.STEPS), accounts, source),
        to_settle=question,
    )


def _range_on_grid(values: FloatArray, chances: FloatArray, source: str) -> Range:
    found = Interval.on_grid(values, chances)
    return Range(low=round(found.low, 3), likely=round(found.value, 3), high=round(found.high, 3), source=source)


def _support_hours(row: PartnerRow, kinds: Mapping[PartnerSegment, float], scenario: Scenario, source: str) -> Range:
    """Hours a week of support: the help asked for, or else the hours of the kinds that it may be."""
    asked = row.help_hours_per_week
    if asked is not None:
        low, high = (float(f"{min(hours, 40):.3g}") for hours in (asked / SUPPORT_FACTOR, asked * SUPPORT_FACTOR))
        return Range(low=low, likely=asked, high=high, source=source)
    usual = {kind: getattr(scenario.partner_segments, kind).reactive_support_hours for kind in PARTNER_SEGMENTS}
    possible = [usual[kind] for kind in PARTNER_SEGMENTS if kinds[kind] >= TAIL]
    low, high = min(one.low for one in possible), max(one.high for one in possible)
    likely = round(sum(kinds[kind] * usual[kind].likely for kind in PARTNER_SEGMENTS), 3)
    return Range(low=low, likely=min(max(likely, low), high), high=high, source=source)


def _with_accounts(row: PartnerRow, scenario: Scenario, name: str) -> tuple[Partner, float]:
    """The scenario's partner of that name, or a new one, with its accounts; and their spread."""
    everything = sum(segment.opportunities_per_quarter for segment in scenario.market_map)
    shares = {partner.name: opportunities_in_accounts(partner, scenario) / everything for partner in scenario.partners}
    known = next((partner for partner in scenario.partners if partner.name == row.partner), None)
    share_now = shares.get(row.partner, 0.0)
    if known is not None and share_now > 0 and row.account_share is None:
        return known, SCENARIO_SPREAD
    others = [share for share in shares.values() if share > 0]
    usual = sum(others) / len(others) if others else USUAL_SHARE
    wanted, spread = (usual, UNKNOWN_SPREAD) if row.account_share is None else (row.account_share, GIVEN_SPREAD)
    if known is not None and share_now > 0:
        base = {segment: share * wanted / share_now for segment, share in known.base_share.items()}
    else:
        base = dict.fromkeys(scenario.segment_names, wanted)
    if not 0 < max(base.values()) <= 1 + 1e-9:
        raise TableError(
            f"{name}: {row.partner} has account_share {wanted:g}, which would be {max(base.values()):.0%} of a "
            "segment's accounts; allowed: above 0, and no more than arises in the segments in which the scenario gives "
            "it accounts"
        )
    new = Partner(name=row.partner, label="believer", base_share={}) if known is None else known
    return new.model_copy(update={"base_share": base}), spread


# Into a scenario


def plans_to_mend(scenario: Scenario) -> list[str]:
    """Problems, a sentence each, of the scenario's plans that its partners do not allow any more."""
    found: list[str] = []
    for split in (scenario.status_quo, *scenario.plans):
        try:
            TimePlan.from_split(scenario, split)
        except PlanError as problem:
            found += problem.problems
    return found


def with_intake(scenario: Scenario, intake: Intake) -> Scenario:
    """The scenario with these partners in place of its own; candidates stay.

    Raises ScenarioError if that makes no scenario, as when accounts sum to more than all.
    """
    chances = [getattr(scenario.segment_prior, estimate.label) for estimate in intake.estimates]
    by_chance = sum(chances) / len(chances)
    right = intake.labels_right

    def accuracy(labels: float) -> float:
        """A label is right with probability accuracy + (1 - accuracy) * its share of the prior."""
        share = labels / len(chances)
        return round(max(0.0, (share - by_chance) / (1 - by_chance)), 3) if by_chance < 1 else 1.0

    labels = Range(
        low=accuracy(right.low),
        likely=accuracy(right.likely),
        high=accuracy(right.high),
        source=f"intake of {intake.name}: how sure the labels of its {len(chances)} partners are",
    )
    return scenario.variant(
        partners=tuple(_partner(estimate, scenario, intake) for estimate in intake.estimates),
        assumptions=scenario.assumptions.model_copy(update={"label_accuracy": labels}),
    )


def _partner(estimate: PartnerEstimate, scenario: Scenario, intake: Intake) -> Partner:
    known = estimate.partner
    factor = estimate.opportunities_per_quarter.likely / opportunities_in_accounts(known, scenario)
    base = {segment: float(f"{share * factor:.3g}") for segment, share in known.base_share.items()}
    own = known.traits.model_copy(
        update={
            "skill_start": estimate.skill,
            "engagement_start": estimate.engagement,
            "reactive_support_hours": estimate.reactive_support_hours,
        }
    )
    partner = known.model_copy(
        update={"label": estimate.label, "base_share": base, "source": _source(estimate, intake), "traits": own}
    )
    room = {**_ceiling("skill", partner, estimate, scenario), **_ceiling("engagement", partner, estimate, scenario)}
    return partner.model_copy(update={"traits": own.model_copy(update=room)})


def _ceiling(stock: str, partner: Partner, estimate: PartnerEstimate, scenario: Scenario) -> dict[str, Range]:
    """Ceiling and level alone of its own, where the level found is above the ceiling of a kind it may be.

    Own traits hold whichever kind is true, so both are those of its label, raised to what was found.
    """
    start: Range = getattr(partner.traits, f"{stock}_start")
    as_kind = [getattr(scenario.traits(partner, kind), f"{stock}_ceiling") for kind in PARTNER_SEGMENTS]
    ambitious = estimate.row.ambition is not None and estimate.row.ambition >= AMBITIOUS
    if not ambitious and all(start.high <= ceiling.low for ceiling in as_kind):
        return {}
    as_label = scenario.traits(partner, estimate.label)
    ceiling: Range = getattr(as_label, f"{stock}_ceiling")
    low = max(ceiling.low, start.high)
    raised = Range(
        low=low,
        likely=max(ceiling.likely, low),
        high=1.0 if ambitious else max(ceiling.high, low),
        source=f"as {estimate.label}, at least what the intake found"
        + (f"; ambition {AMBITIOUS} may outgrow its kind, judgement" if ambitious else ""),
    )
    return {f"{stock}_ceiling": raised, f"{stock}_alone": getattr(as_label, f"{stock}_alone")}


def _source(estimate: PartnerEstimate, intake: Intake) -> str:
    row = estimate.row
    seen = {
        name.replace("_", " "): getattr(row, name)
        for name in PartnerRow.model_fields
        if name not in ("partner", "note") and getattr(row, name) is not None
    }
    words = ", ".join(f"{name} {value:g}" for name, value in seen.items()) or "nothing but its name"
    chances = ", ".join(f"{kind} {estimate.kinds[kind]:.0%}" for kind in PARTNER_SEGMENTS)
    return f"intake of {intake.name} ({intake.weeks:g} week{'' if intake.weeks == 1 else 's'}): {words}; {chances}"
