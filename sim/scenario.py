"""A scenario: one territory, its manager, its partners, and what we assume about them.

Everything is frozen and validated when made. Each field declares its unit, meaning, bounds and source once;
error sentences, the JSON Schema and the screens read them from here. Numbers nobody can measure are a
`Range`: low, likely and high, with a source.

This file is long because it declares every input, once: it is a list to look things up in.

Left out: recognised revenue (the model has bookings), several managers, prices as a decision.
"""

from __future__ import annotations

import dataclasses
import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, PrivateAttr, Tag, model_validator

from sim.documents.declared import Declared, FrozenMap, Items, declare, is_whole, validate, word_or_number
from sim.documents.messages import known_keys, show
from sim.documents.yaml_file import Document
from sim.errors import InputError, ScenarioError
from sim.ranges import HoursRange, Range, ShareRange, SupportRange, WeeksRange, YieldRange, draw_ranges
from sim.split import Split
from sim.terms import (
    HISTORY_QUARTERS,
    MAX_USD,
    PARTNER_SEGMENTS,
    WEEKS_PER_QUARTER,
    WEEKS_PER_YEAR,
    Name,
    PartnerSegment,
    Share,
)

MAX_OPPORTUNITIES = 500_000
"""Expected opportunities of one market, above which a scenario is refused: a run would take minutes and gigabytes."""


SMALLEST_QUOTA_USD = 1

WeibullShape = Annotated[float, Field(ge=0.3, le=50)]


class Stage(Declared):
    """One stage of the funnel: the manager's work, then the buyer's answer."""

    mean_hours: float = declare("mean hours of the manager's work", unit="hours", gt=0, le=2000)
    advance_probability: Share = declare("probability that the deal passes this stage", unit="probability")
    buyer_lag_weeks: float = declare("mean time until the buyer answers", unit="weeks", ge=0, le=104)
    patience_weeks: float | None = declare(
        "mean time the buyer waits for the manager's first hour; null waits for ever", unit="weeks", gt=0, le=520
    )
    hours_shape: WeibullShape = declare(
        "spread of the hours: Weibull shape, 1 is exponential, larger is more even", unit="none", default=2.0
    )
    lag_shape: WeibullShape = declare("spread of the answer time: Weibull shape", unit="none", default=1.5)
    patience_shape: WeibullShape = declare("spread of the patience: Weibull shape", unit="none", default=2.0)


class Segment(Declared):
    """One row of the market map."""

    name: Name = declare("name of the segment", unit="text")
    source: str = declare("where the numbers come from", unit="text", default="judgement", max_length=1000)
    opportunities_per_quarter: float = declare(
        "opportunities that arise in the first quarter, seen or not", unit="opportunities a quarter", ge=0, le=20_000
    )
    growth_per_quarter: float = declare("growth of that number", unit="share a quarter", default=0.0, ge=-0.5, le=0.5)
    demand_cv: float = declare(
        "over-dispersion: coefficient of variation of the gamma factor of a week's demand; 0 is Poisson",
        unit="none",
        source="weekly win/loss sample: cv^2 about .15",
        default=0.4,
        ge=0,
        le=3,
    )
    deal_size_median_usd: float = declare("median deal size", unit="US dollars", gt=0, le=1e9)
    deal_size_sigma: float = declare("lognormal spread of the deal size", unit="none", default=0.7, ge=0, le=3)
    win_rate_shock: float = declare(
        "quarter-wide luck of the market: loading of a segment's deals on one common factor of the quarter",
        unit="correlation loading",
        source="win/loss sample: win rates of cells vary by .05-.08 more than chance",
        default=0.2,
        ge=0,
        le=0.95,
    )
    stages: Items[Stage] = declare("the funnel, one to four stages in order", unit="list", min_length=1, max_length=4)
    inbound_share: Share = declare("share of the pool that calls by itself", unit="share")
    prospecting_yield: YieldRange = declare(
        "how fast prospecting widens the reach: reach = 1-(1-inbound)*exp(-yield*hours/pool)",
        unit="opportunities an hour",
    )
    competition: float = declare(
        "how hard others fight for these deals, 1 is as today: divides the odds of the last stage",
        unit="ratio",
        default=1.0,
        ge=0.1,
        le=10,
    )


class PartnerTraits(Declared):
    """What a partner's true segment decides. In a partner's own `traits` each number replaces the segment's."""

    skill_start: ShareRange = declare("skill today, 1 wins as often as the manager", unit="share")
    skill_ceiling: ShareRange = declare("highest skill it can reach", unit="share")
    skill_alone: ShareRange = declare("level its skill drifts to when left alone", unit="share")
    engagement_start: ShareRange = declare("engagement today, 1 brings every opportunity of its accounts", unit="share")
    engagement_ceiling: ShareRange = declare("highest engagement it can reach", unit="share")
    engagement_alone: ShareRange = declare("level its engagement drifts to when left alone", unit="share")
    teachability: ShareRange = declare("how much of the manager's help sticks", unit="share")
    reactive_support_hours: SupportRange = declare("hours of the manager it takes while carried", unit="hours a week")

    @model_validator(mode="after")
    def _under_the_ceiling(self) -> Self:
        if problem := self.above_ceiling():
            raise ValueError(problem)
        return self

    def above_ceiling(self) -> str:
        """What is wrong with the ceilings, or nothing."""
        for stock in ("skill", "engagement"):
            ceiling: Range = getattr(self, f"{stock}_ceiling")
            for level in ("start", "alone"):
                value: Range = getattr(self, f"{stock}_{level}")
                if value.high > ceiling.low:
                    return (
                        f"{stock}_{level} {value.high:g} is above {stock}_ceiling {ceiling.low:g}; "
                        "allowed: at most the ceiling, at its low end too"
                    )
        return ""


class OwnTraits(Declared):
    """Traits in which one partner differs from its segment, whichever segment is true."""

    skill_start: ShareRange | None = declare("skill today", unit="share", default=None)
    skill_ceiling: ShareRange | None = declare("highest skill it can reach", unit="share", default=None)
    skill_alone: ShareRange | None = declare("level its skill drifts to when left alone", unit="share", default=None)
    engagement_start: ShareRange | None = declare("engagement today", unit="share", default=None)
    engagement_ceiling: ShareRange | None = declare("highest engagement it can reach", unit="share", default=None)
    engagement_alone: ShareRange | None = declare(
        "level its engagement drifts to when left alone", unit="share", default=None
    )
    teachability: ShareRange | None = declare("how much of the manager's help sticks", unit="share", default=None)
    reactive_support_hours: SupportRange | None = declare(
        "hours of the manager it takes while carried", unit="hours a week", default=None
    )


class PartnerSegments(Declared):
    """The three kinds of partner and what each is like."""

    achiever: PartnerTraits = declare("sells on autopilot; time changes little (Maintain)", unit="traits")
    believer: PartnerTraits = declare("willing, with gaps; time pays here (Develop)", unit="traits")
    deceiver: PartnerTraits = declare("takes much, noisily, and gives little (Limit)", unit="traits")


class SegmentPrior(Declared):
    """How common each kind of partner is, for labels that are wrong."""

    achiever: Share = declare("share of partners that are achievers", unit="share")
    believer: Share = declare("share of partners that are believers", unit="share")
    deceiver: Share = declare("share of partners that are deceivers", unit="share")

    @model_validator(mode="after")
    def _sums_to_one(self) -> Self:
        total = self.achiever + self.believer + self.deceiver
        if abs(total - 1) > 1e-6:
            raise ValueError(f"the three shares sum to {total:g}; allowed: a sum of 1")
        return self


class Partner(Declared):
    """A channel partner, as the manager knows it."""

    name: Name = declare("name of the partner", unit="text")
    source: str = declare("where the numbers come from", unit="text", default="judgement", max_length=1000)
    label: PartnerSegment = declare("what the manager believes it is", unit="achiever, believer or deceiver")
    base_share: FrozenMap[Share] = declare("share of each segment's accounts that are its own", unit="share by segment")
    margin: Share = declare("share of a booking that the partner keeps", unit="share", default=0.2)
    capacity_deals: int = declare("deals its people work at once", unit="deals", default=8, ge=0, le=10_000)
    cycle_weeks: float = declare("mean time from start of work to closing", unit="weeks", default=8.0, ge=0, le=104)
    cycle_shape: WeibullShape = declare("spread of that time: Weibull shape", unit="none", default=1.5)
    fit: float = declare("how well its offer fits: multiplies its win rate", unit="ratio", default=1.0, ge=0, le=3)
    fit_by_segment: FrozenMap[Annotated[float, Field(ge=0, le=3)]] = declare(
        "fit where a segment differs", unit="ratio by segment", default={}, validate_default=True
    )
    exit_hazard_per_year: float = declare("rate at which it leaves", unit="exits a year", default=0.0, ge=0, le=20)
    traits: OwnTraits = declare("traits in which it differs from its segment", unit="traits", default=OwnTraits())


class Candidate(Partner):
    """A partner not yet signed. Until its onboarding ends its accounts are house accounts."""

    recruiting_hours: float = declare("hours until it decides", unit="hours", ge=0, le=5000)
    sign_probability: Share = declare("probability that it signs", unit="probability")
    onboarding_weeks: int = declare("time from signing to its first deal", unit="weeks", default=8, ge=0, le=104)


class TerritoryManager(Declared):
    """The territory manager, whose time it is."""

    hours_per_week: float = declare(
        "allocatable hours",
        unit="hours a week",
        source="about 65% of a seller's week (CSO Insights 2011)",
        default=32.0,
        gt=0,
        le=100,
    )


class ChannelAccountManager(Declared):
    """A colleague whose hours are all for partners."""

    hours_per_week: float = declare("hours for partner work", unit="hours a week", ge=0, le=1000)
    factor: float = declare(
        "worth of one of these hours against one of the manager's", unit="ratio", default=0.8, ge=0, le=3
    )


class Calendar(Declared):
    """When things happen within the year."""

    first_day: datetime.date = declare("first day of quarter 1", unit="date", default=datetime.date(2026, 1, 5))
    weeks_off: Items[Annotated[int, Field(ge=1, le=WEEKS_PER_YEAR)]] = declare(
        "weeks of every year, counted from first_day, in which the manager is away", unit="weeks 1-52", default=()
    )
    demand_by_week_of_quarter: Items[Annotated[float, Field(ge=0, le=1000)]] = declare(
        "relative demand of the 13 weeks of a quarter; empty is flat", unit="ratio", default=()
    )
    demand_by_quarter_of_year: Items[Annotated[float, Field(ge=0, le=1000)]] = declare(
        "relative demand of the 4 quarters of a year; empty is flat", unit="ratio", default=()
    )

    @model_validator(mode="after")
    def _whole_profiles(self) -> Self:
        for field, length in (("demand_by_week_of_quarter", WEEKS_PER_QUARTER), ("demand_by_quarter_of_year", 4)):
            profile = getattr(self, field)
            if profile and (len(profile) != length or sum(profile) <= 0):
                raise ValueError(
                    f"{field} has {len(profile)} numbers with sum {sum(profile):g}; "
                    f"allowed: {length} numbers with a sum above 0, or none"
                )
        return self


class Quota(Declared):
    """The rising number: a first quarter with growth, or a list."""

    first_quarter_usd: float | None = declare("quota of quarter 1", unit="US dollars", default=None, gt=0, le=MAX_USD)
    growth_per_year: float = declare("growth of the quota", unit="share a year", default=0.0, ge=-0.9, le=5)
    by_quarter_usd: Items[Annotated[float, Field(gt=0, le=MAX_USD)]] | None = declare(
        "quota of each quarter, instead of the two above", unit="US dollars", default=None
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.first_quarter_usd is None) == (self.by_quarter_usd is None):
            raise ValueError("give either first_quarter_usd (with growth_per_year) or by_quarter_usd, and not both")
        return self

    def of_quarter(self, quarter: int) -> float:
        """Quota of `quarter` (from 1) in whole US dollars, at least one, also past what was checked: see `longer`."""
        return float(max(SMALLEST_QUOTA_USD, round(self.exact_usd(quarter))))

    def exact_usd(self, quarter: int) -> float:
        """Quota of `quarter` (from 1) in US dollars, as it is written or grows."""
        if self.by_quarter_usd is not None:
            return self.by_quarter_usd[quarter - 1]
        assert self.first_quarter_usd is not None
        return self.first_quarter_usd * (1 + self.growth_per_year) ** ((quarter - 1) / 4)


class OpenDeal(Declared):
    """A deal that is open on the first day."""

    segment: Name = declare("its segment", unit="name")
    stage: int = declare("the stage it is in, from 1", unit="stage", default=1, ge=1, le=4)
    amount_usd: int = declare("its amount", unit="US dollars", ge=0, le=MAX_USD)
    age_weeks: float = declare("time since it was opened", unit="weeks", default=0.0, ge=0, le=520)
    route: Name = declare("direct, or the name of the partner that works it", unit="name", default="direct")


class Assumptions(Declared):
    """How people respond: the numbers that no public data identifies. All are run, not only shown."""

    coach_gain_per_week: ShareRange = declare("most skill that coaching adds in a week", unit="skill a week")
    coach_tau_hours: HoursRange = declare("hours of coaching after which 63% of that is had", unit="hours a week")
    joint_plan_gain_per_week: ShareRange = declare(
        "most engagement that planning adds in a week", unit="engagement a week"
    )
    joint_plan_tau_hours: HoursRange = declare("hours of planning after which 63% of that is had", unit="hours a week")
    socialise_gain_per_week: ShareRange = declare(
        "most engagement that visits without agenda add in a week", unit="engagement a week"
    )
    socialise_tau_hours: HoursRange = declare("hours after which 63% of that is had", unit="hours a week")
    practice_gain_per_win: ShareRange = declare("skill that a partner's own win adds", unit="skill a win")
    guided_practice_gain_per_deal: ShareRange = declare("skill that a co-sold deal adds", unit="skill a deal")
    skill_half_life_weeks: WeeksRange = declare("time in which half of unused skill is forgotten", unit="weeks")
    engagement_half_life_weeks: WeeksRange = declare("time in which half of engagement fades", unit="weeks")
    skill_exponent: ShareRange = declare("alpha: partner's win rate = fit * win rate * skill^alpha", unit="none")
    engagement_exponent: ShareRange = declare("beta: partner brings with probability engagement^beta", unit="none")
    conflict_penalty: ShareRange = declare("engagement lost by a deal taken from the partner", unit="engagement a deal")
    prospecting_half_life_weeks: WeeksRange = declare("how long prospecting keeps working", unit="weeks")
    label_accuracy: ShareRange = declare("probability that a label is the true segment", unit="probability")

    @model_validator(mode="after")
    def _concave(self) -> Self:
        if self.skill_exponent.high + self.engagement_exponent.high > 1 + 1e-9:
            raise ValueError(
                f"skill_exponent {self.skill_exponent.high:g} + engagement_exponent {self.engagement_exponent.high:g} "
                "at their high ends are above 1; allowed: a sum of at most 1"
            )
        return self


@dataclasses.dataclass(frozen=True)
class DrawnFrom:
    """The scenario whose world this one is, if it is one; equal territories are equal wherever they come from."""

    scenario: Scenario | None = dataclasses.field(default=None, compare=False)


class Scenario(Document):
    """One territory and what is assumed of it. Make variants with `variant`, which validates again."""

    schema_file: ClassVar[str] = "scenario.schema.json"
    kind: ClassVar[str] = "a scenario"
    start_from: ClassVar[str] = "start from a file in scenarios/"
    error: ClassVar[type[InputError]] = ScenarioError

    name: Name = declare("name of the scenario", unit="text")
    question: str = declare("the question it asks", unit="text", default="", max_length=2000)
    source: str = declare("where its numbers come from", unit="text", default="judgement", max_length=4000)
    horizon_quarters: int = declare("length of the simulation", unit="quarters", default=12, ge=4, le=20)
    territory_manager: TerritoryManager = declare("the manager", unit="part", default=TerritoryManager())
    calendar: Calendar = declare("when things happen", unit="part", default=Calendar())
    quota: Quota = declare("the rising number", unit="part")
    quota_credit: Annotated[
        Annotated[Literal["gross", "net"], Tag("~word")] | Annotated[Share, Tag("~number")], word_or_number
    ] = declare("credit of a partner booking: gross, net of margin, or a factor", unit="word or share", default="net")
    market_map: Items[Segment] = declare("the segments", unit="list", min_length=1, max_length=50)
    partner_segments: PartnerSegments = declare("what each kind of partner is like", unit="part")
    segment_prior: SegmentPrior = declare("how common each kind is", unit="part")
    partners: Items[Partner] = declare("the partners", unit="list", default=(), max_length=200)
    candidates: Items[Candidate] = declare("partners to recruit", unit="list", default=(), max_length=100)
    channel_account_manager: ChannelAccountManager | None = declare(
        "a colleague for partner work, or null", unit="part", default=None
    )
    assumptions: Assumptions = declare("how people respond", unit="part")
    status_quo: Split = declare("the split followed today; everything is measured against it", unit="part")
    plans: Items[Split] = declare("splits to compare with it", unit="list", default=(), max_length=200)
    open_pipeline: Items[OpenDeal] | None = declare(
        "deals open on the first day, in place of those of the simulated history", unit="list", default=None
    )

    _drawn_from: DrawnFrom = PrivateAttr(DrawnFrom())

    @property
    def as_planned(self) -> Scenario:
        """The scenario as people plan in it: of a plausible world, the one it was drawn from."""
        return self._drawn_from.scenario or self

    @property
    def all_partners(self) -> tuple[Partner, ...]:
        """Partners, then candidates: the order of every array over partners."""
        return self.partners + self.candidates

    @property
    def segment_names(self) -> list[str]:
        return [segment.name for segment in self.market_map]

    @property
    def partner_names(self) -> list[str]:
        """Names of partners, then of candidates."""
        return [partner.name for partner in self.all_partners]

    def traits(self, partner: Partner, segment: PartnerSegment) -> PartnerTraits:
        """What `partner` is like if `segment` is its true segment."""
        own = {name: value for name, value in partner.traits if value is not None}
        return getattr(self.partner_segments, segment).model_copy(update=own)

    def credit_share(self, partner: Partner) -> float:
        """Quota credit of one dollar booked through `partner`."""
        if self.quota_credit == "gross":
            return 1.0
        if self.quota_credit == "net":
            return 1.0 - partner.margin
        return float(self.quota_credit)

    def quota_usd(self) -> tuple[float, ...]:
        """Quota by quarter in US dollars, one for each quarter of the horizon."""
        return tuple(self.quota.of_quarter(q) for q in range(1, self.horizon_quarters + 1))

    def variant(self, **changes: Any) -> Scenario:
        """A copy with some fields replaced, validated as a whole."""
        written = {name: value for name, value in self if name in self.model_fields_set}
        made = validate(Scenario, {**written, **changes}, f"a variant of {self.name}", ScenarioError)
        made._source = self._source
        return made

    def longer(self, quarters: int) -> Scenario:
        """The territory simulated for more quarters, past what a file may say; for fewer, if negative.

        A list of quotas goes on with its last.
        """
        quota = self.quota
        if quota.by_quarter_usd is not None:
            longer = quota.by_quarter_usd + quota.by_quarter_usd[-1:] * quarters
            quota = quota.model_copy(update={"by_quarter_usd": longer})
        return self.model_copy(update={"horizon_quarters": self.horizon_quarters + quarters, "quota": quota})

    def provenance(self, seed: int) -> dict[str, Any]:
        """What every JSON result begins with: version, scenario and seed."""
        return {"nexthour": version("nexthour"), "scenario": self.name, "scenario_digest": self.digest(), "seed": seed}

    def world(self, seed: int, world: int) -> Scenario:
        """The scenario in plausible world `world` (from 0): each range replaced by one value drawn from it.

        Plans are made with what is likely, so a plan that fits the scenario fits its worlds, though reactive support
        may take more hours there; then selling gives way (docs/model.md).

        Raises ScenarioError for a seed or world outside [0, 2**63).
        """
        for word, number in (("seed", seed), ("world", world)):
            if not is_whole(number, 0, 2**63 - 1):
                raise ScenarioError(
                    f"a world of {self.name}: {word} is {show(number)}; allowed: a whole number from 0 to 2^63 - 1"
                )
        drawn = draw_ranges(self, seed, world).model_copy()
        drawn._drawn_from = DrawnFrom(self)
        return drawn

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        _unique("market_map", self.segment_names)
        _unique("partners and candidates", self.partner_names)
        _unique("status_quo and plans", [self.status_quo.name, *(plan.name for plan in self.plans)])
        quotas = self.quota.by_quarter_usd
        if quotas is not None and len(quotas) != self.horizon_quarters:
            allowed = f"{self.horizon_quarters}, one for each quarter"
            raise ValueError(f"quota.by_quarter_usd has {len(quotas)} numbers; allowed: {allowed}")
        self._check_quota()
        self._check_demand()
        self._check_partners()
        self._check_open_pipeline()
        return self

    def _check_quota(self) -> None:
        for quarter in range(1, self.horizon_quarters + 1):
            if (quota_usd := self.quota.exact_usd(quarter)) < SMALLEST_QUOTA_USD:
                raise ValueError(
                    f"quota: quarter {quarter} has {quota_usd:.2f} dollars, and attainment is a share of it; allowed: "
                    f"at least {SMALLEST_QUOTA_USD} dollar in every quarter"
                )

    def _check_demand(self) -> None:
        quarters = range(-HISTORY_QUARTERS, self.horizon_quarters)
        total = sum(
            s.opportunities_per_quarter * (1 + s.growth_per_quarter) ** max(q, 0)
            for s in self.market_map
            for q in quarters
        )
        if total > MAX_OPPORTUNITIES:
            raise ValueError(
                f"market_map has {total:,.0f} opportunities over the horizon; allowed: at most {MAX_OPPORTUNITIES:,}; "
                "lower opportunities_per_quarter, growth_per_quarter or the horizon"
            )

    def _check_partners(self) -> None:
        if "direct" in self.partner_names:
            raise ValueError("a partner is named 'direct', which means the manager's own route; give it another name")
        for partner in self.all_partners:
            for field in ("base_share", "fit_by_segment"):
                known_keys(f"{partner.name}: {field}", getattr(partner, field), self.segment_names, "segment")
            for segment in PARTNER_SEGMENTS:
                if problem := self.traits(partner, segment).above_ceiling():
                    raise ValueError(f"{partner.name}: traits as {segment}: {problem}")
        for name in self.segment_names:
            total = sum(partner.base_share.get(name, 0.0) for partner in self.all_partners)
            if total > 1 + 1e-9:
                raise ValueError(
                    f"the base shares of {name} sum to {total:g} over partners and candidates; allowed: at most 1"
                )
        if self.channel_account_manager is not None and not self.all_partners:
            raise ValueError("channel_account_manager has no partner to work with; set it to null or add partners")

    def _check_open_pipeline(self) -> None:
        for i, deal in enumerate(self.open_pipeline or ()):
            where = f"open_pipeline[{i}]"
            known_keys(f"{where}.segment", [deal.segment], self.segment_names, "segment")
            known_keys(f"{where}.route", [deal.route], ["direct", *(p.name for p in self.partners)], "route")
            stages = len(self.market_map[self.segment_names.index(deal.segment)].stages)
            if deal.stage > stages:
                raise ValueError(f"{where}.stage is {deal.stage}; allowed: 1 to {stages}, the stages of {deal.segment}")


def _unique(where: str, names: list[str]) -> None:
    for i, name in enumerate(names):
        if name in names[:i]:
            raise ValueError(f"{where}: the name {show(name)} stands twice; give each its own")


def load_scenario(path: Path | str) -> Scenario:
    """The scenario in a YAML file. Raises ScenarioError, a sentence for each thing that is wrong in it."""
    return Scenario.load(path)


def save_scenario(scenario: Scenario, path: Path | str) -> None:
    """Write a scenario as YAML, and its JSON Schema beside it. Raises ScenarioError if a file cannot be written.

    Comments and order of the file it was loaded from are kept.
    """
    scenario.save(path)
