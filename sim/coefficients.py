"""Numbers that follow from a scenario, a plan and nothing else, worked out once before a run.

Engines read them and never the documents: two engines that read the same numbers can agree to the last bit. Hours
become ticks here; row 0 of everything "by quarter" is the history, rows 1 and up are the quarters.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sim.ledger import TICKS_PER_WEEK, Kind
from sim.plan import ROUNDING_HOURS, PlanTable
from sim.rules import share_forgotten
from sim.scenario import Candidate, Partner, PartnerTraits, Scenario, Segment
from sim.tape import pass_probabilities, weekly_demand
from sim.terms import COVERAGE_MODES, PARTNER_ACTIVITIES, PARTNER_SEGMENTS, WEEKS_PER_QUARTER, WEEKS_PER_YEAR

COACH, JOINT_PLAN, CO_SELL, SELL_FOR, SOCIALISE, RECRUIT = range(len(PARTNER_ACTIVITIES))
APPOINTMENT_KINDS = {COACH: Kind.COACH, JOINT_PLAN: Kind.JOINT_PLAN, SOCIALISE: Kind.SOCIALISE, RECRUIT: Kind.RECRUIT}
CAM_KINDS = {
    COACH: Kind.CAM_COACH,
    JOINT_PLAN: Kind.CAM_JOINT_PLAN,
    SOCIALISE: Kind.CAM_SOCIALISE,
    RECRUIT: Kind.CAM_RECRUIT,
}
ASSIST_KINDS = {CO_SELL: Kind.CO_SELL, SELL_FOR: Kind.SELL_FOR}
DIRECT, PARTNER_LED, DIRECT_FIRST, PARTNER_FIRST = range(len(COVERAGE_MODES))


@dataclass(frozen=True)
class SegmentNumbers:
    """The numbers of one segment. Single numbers reach the compiled engine by themselves."""

    stages: int
    pass_below: tuple[float, ...]  # a deal passes stage k if its U is below this
    win_probability: float
    worth_per_hour: tuple[float, ...]
    """win probability left / expected hours left, at each stage: with the amount, the order of visits"""
    assist_worth_per_hour: float  # worth per hour of the lump of a partner's deal, sold for it from start to end
    value_per_opportunity: float  # mean amount * win probability in US dollars
    inbound_share: float
    prospecting_yield: float
    demand: tuple[float, ...]  # expected opportunities by week, history first
    bases: tuple[tuple[int, float], ...]  # (partner, share of the segment's accounts) for each that has any


@dataclass(frozen=True)
class TraitNumbers:
    """The numbers of a partner if one segment is its true one; all but the last are a trait's likely values."""

    skill_start: float
    skill_ceiling: float
    skill_alone: float
    engagement_start: float
    engagement_ceiling: float
    engagement_alone: float
    teachability: float
    support_ticks: int


@dataclass(frozen=True)
class PartnerNumbers:
    """The numbers of one partner or candidate."""

    fit: tuple[float, ...]  # by segment
    credit_share: float
    capacity_deals: int
    traits: tuple[TraitNumbers, ...]  # by true segment
    is_candidate: bool
    recruiting_hours: float
    sign_probability: float
    onboarding_weeks: int


@dataclass(frozen=True)
class QuarterNumbers:
    """What the plan says for one quarter (or the history)."""

    appointments: tuple[tuple[int, int, int], ...]
    """(partner, activity, ticks a week), in this order, for all that has any and is not work on deals"""
    assists: tuple[tuple[int, int, int], ...]
    """(activity, partner, ticks a week), in this order, for work on partners' deals"""
    cam_hours: tuple[tuple[int, int, float], ...]  # (partner, activity, hours a week) of the channel account manager
    prospect_ticks: tuple[int, ...]
    prospect_shares: tuple[float, ...] | None
    """how planned prospecting divides over the segments, None where none is planned"""
    idle_ticks: int
    parked: tuple[bool, ...]
    coverage_mode: tuple[int, ...]
    discipline: float
    quota_usd: float


@dataclass(frozen=True)
class Coefficients:
    """All numbers of a run."""

    weeks: int
    ticks_per_hour: float
    segments: tuple[SegmentNumbers, ...]
    partners: tuple[PartnerNumbers, ...]
    quarters: tuple[QuarterNumbers, ...]
    week_off: tuple[bool, ...]  # by week of the horizon
    cam_factor: float
    coach_gain: float
    coach_tau: float
    joint_plan_gain: float
    joint_plan_tau: float
    socialise_gain: float
    socialise_tau: float
    practice_gain: float
    guided_practice_gain: float
    skill_forgotten: float
    engagement_forgotten: float
    skill_exponent: float
    engagement_exponent: float
    conflict_penalty: float
    prospecting_forgotten: float


def with_tables(scenario: Scenario, plan: PlanTable, history: PlanTable) -> Coefficients:
    """The numbers of a run with plans already laid out as tables.

    The tables may come from another world's scenario: a plan is made once, from what is thought likely.
    """
    return plans_with_tables(scenario, [plan], history)[0]


def plans_with_tables(scenario: Scenario, plans: Sequence[PlanTable], history: PlanTable) -> list[Coefficients]:
    """The numbers of runs of several plans laid out as tables, which differ in their quarters only."""
    quotas = scenario.quota_usd()
    before = _quarter(scenario, history, 0, quotas[0])
    quarters = [(before, *(_quarter(scenario, plan, q, quota) for q, quota in enumerate(quotas))) for plan in plans]
    first = of_the_scenario(scenario, quarters[0])
    return [first, *(replace(first, quarters=quarter) for quarter in quarters[1:])]


def of_the_scenario(scenario: Scenario, quarters: tuple[QuarterNumbers, ...]) -> Coefficients:
    """The numbers of a run whose plan says `quarters`."""
    a = scenario.assumptions
    cam = scenario.channel_account_manager
    weeks = scenario.horizon_quarters * WEEKS_PER_QUARTER
    off = {week - 1 for week in scenario.calendar.weeks_off}
    return Coefficients(
        weeks=weeks,
        ticks_per_hour=TICKS_PER_WEEK / scenario.territory_manager.hours_per_week,
        segments=tuple(_segment(scenario, segment) for segment in scenario.market_map),
        partners=tuple(_partner(scenario, partner) for partner in scenario.all_partners),
        quarters=quarters,
        week_off=tuple(week % WEEKS_PER_YEAR in off for week in range(weeks)),
        cam_factor=0.0 if cam is None else cam.factor,
        coach_gain=a.coach_gain_per_week.likely,
        coach_tau=a.coach_tau_hours.likely,
        joint_plan_gain=a.joint_plan_gain_per_week.likely,
        joint_plan_tau=a.joint_plan_tau_hours.likely,
        socialise_gain=a.socialise_gain_per_week.likely,
        socialise_tau=a.socialise_tau_hours.likely,
        practice_gain=a.practice_gain_per_win.likely,
        guided_practice_gain=a.guided_practice_gain_per_deal.likely,
        skill_forgotten=share_forgotten(a.skill_half_life_weeks.likely),
        engagement_forgotten=share_forgotten(a.engagement_half_life_weeks.likely),
        skill_exponent=a.skill_exponent.likely,
        engagement_exponent=a.engagement_exponent.likely,
        conflict_penalty=a.conflict_penalty.likely,
        prospecting_forgotten=share_forgotten(a.prospecting_half_life_weeks.likely),
    )


def _segment(scenario: Scenario, segment: Segment) -> SegmentNumbers:
    passes = pass_probabilities(segment)
    worth = []
    for k in range(len(segment.stages)):
        so_far = 1.0 if k == 0 else passes[k - 1]
        # Hours still expected, given that the deal has come to stage k: later stages only if it gets there.
        hours = sum(
            stage.mean_hours * (1.0 if k + j == k else passes[k + j - 1] / so_far if so_far > 0 else 0.0)
            for j, stage in enumerate(segment.stages[k:])
        )
        worth.append(passes[-1] / so_far / hours if so_far > 0 else 0.0)
    if not all(math.isfinite(value) for value in worth):
        raise ArithmeticError(f"segment {segment.name!r} takes so little time that an hour of it is worth no number")
    mean_amount = segment.deal_size_median_usd * float(np.exp(segment.deal_size_sigma**2 / 2))
    return SegmentNumbers(
        stages=len(segment.stages),
        pass_below=tuple(passes),
        win_probability=passes[-1],
        worth_per_hour=tuple(worth),
        assist_worth_per_hour=passes[-1] / sum(stage.mean_hours for stage in segment.stages),
        value_per_opportunity=mean_amount * passes[-1],
        inbound_share=segment.inbound_share,
        prospecting_yield=segment.prospecting_yield.likely,
        demand=tuple(weekly_demand(scenario, segment).tolist()),
        bases=tuple(
            (p, partner.base_share[segment.name])
            for p, partner in enumerate(scenario.all_partners)
            if partner.base_share.get(segment.name, 0.0) > 0
        ),
    )


def _partner(scenario: Scenario, partner: Partner) -> PartnerNumbers:
    candidate = partner if isinstance(partner, Candidate) else None
    return PartnerNumbers(
        fit=tuple(partner.fit_by_segment.get(name, partner.fit) for name in scenario.segment_names),
        credit_share=scenario.credit_share(partner),
        capacity_deals=partner.capacity_deals,
        traits=tuple(_traits(scenario, scenario.traits(partner, segment)) for segment in PARTNER_SEGMENTS),
        is_candidate=candidate is not None,
        recruiting_hours=candidate.recruiting_hours if candidate else 0.0,
        sign_probability=candidate.sign_probability if candidate else 0.0,
        onboarding_weeks=candidate.onboarding_weeks if candidate else 0,
    )


def _traits(scenario: Scenario, traits: PartnerTraits) -> TraitNumbers:
    numbers = {name: value.likely for name, value in traits if name in TraitNumbers.__dataclass_fields__}
    return TraitNumbers(**numbers, support_ticks=_ticks(scenario, traits.reactive_support_hours.likely))


def _quarter(scenario: Scenario, table: PlanTable, q: int, quota_usd: float) -> QuarterNumbers:
    hours = scenario.territory_manager.hours_per_week
    idle = hours - (table.sell[q] + table.prospect[q].sum() + table.partner[q].sum() + table.support[q])
    prospect, cam = table.prospect[q], table.channel_account_manager[q]
    given = [(a, p, _ticks(scenario, table.partner[q, a, p])) for a, p in np.argwhere(table.partner[q] > 0).tolist()]
    by_partner = sorted(given, key=lambda gift: gift[1])
    return QuarterNumbers(
        appointments=tuple((p, a, ticks) for a, p, ticks in by_partner if a in APPOINTMENT_KINDS),
        assists=tuple((a, p, ticks) for a, p, ticks in given if a in ASSIST_KINDS),
        cam_hours=tuple((p, a, cam[a, p]) for a, p in np.argwhere(cam > 0).tolist()),
        prospect_ticks=tuple(_ticks(scenario, h) for h in prospect.tolist()),
        prospect_shares=tuple((prospect / prospect.sum()).tolist()) if prospect.sum() > 0 else None,
        # What rounding leaves over is selling time, not idleness.
        idle_ticks=_ticks(scenario, idle) if idle > ROUNDING_HOURS else 0,
        parked=tuple(table.parked[q].tolist()),
        coverage_mode=tuple(COVERAGE_MODES.index(mode) for mode in table.coverage_mode),
        discipline=table.discipline,
        quota_usd=quota_usd,
    )


def _ticks(scenario: Scenario, hours: float) -> int:
    return min(round(hours / scenario.territory_manager.hours_per_week * TICKS_PER_WEEK), TICKS_PER_WEEK)
