"""The numbers of a territory that docs/model.md names, worked out from the scenario and the plan's table of hours.

Every function is one equation or one sentence of docs/model.md, in the order of that document. Left out: what happens
with these numbers from week to week (weeks.py, manager.py, deals.py), and the marks of the tape (marks.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sim.ledger import TICKS_PER_WEEK
from sim.plan import PlanTable
from sim.scenario import Candidate, Partner, Scenario, Segment
from sim.terms import HISTORY_WEEKS, PARTNER_ACTIVITIES, PARTNER_SEGMENTS, WEEKS_PER_QUARTER

WEEKS_PER_YEAR = 52
APPOINTED = ("coach", "joint_plan", "socialise", "recruit")
ON_DEALS = ("co_sell", "sell_for")
NO_IDLE_HOURS = 1e-6
LEVELS = ("start", "ceiling", "alone")


# ---------------------------------------------------------------- the market map


def chances_to_pass(segment: Segment) -> list[float]:
    """The chance that a deal passes stages 1 to k, for each k; competition divides the odds of the last stage."""
    chances, product = [], 1.0
    for k, stage in enumerate(segment.stages, 1):
        a = stage.advance_probability
        if k == len(segment.stages):
            a = a / (a + (1 - a) * segment.competition)
        product *= a
        chances.append(product)
    return chances


def expected_by_week(scenario: Scenario, segment: Segment) -> list[float]:
    """Opportunities expected in each week, the 26 of history first, at the rates and profile of quarter 1."""
    calendar, out = scenario.calendar, []
    for week in range(-HISTORY_WEEKS, weeks_in(scenario)):
        quarter = max(0, week // WEEKS_PER_QUARTER)
        rate = segment.opportunities_per_quarter / WEEKS_PER_QUARTER * (1 + segment.growth_per_quarter) ** quarter
        rate *= relative(calendar.demand_by_week_of_quarter, week % WEEKS_PER_QUARTER)
        rate *= relative(calendar.demand_by_quarter_of_year, quarter % 4)
        out.append(rate)
    return out


def relative(profile: tuple[float, ...], at: int) -> float:
    """What a profile says at a place, against the mean of the profile; 1 without one."""
    return profile[at] / (sum(profile) / len(profile)) if profile else 1.0


def worth_of_a_visit_hour(segment: Segment) -> list[float]:
    """Win probability left by expected hours left, for a deal in each stage; 0 where no deal can be."""
    passes, out = chances_to_pass(segment), []
    for k in range(len(segment.stages)):
        here = passes[k - 1] if k else 1.0
        if here == 0:
            out.append(0.0)
            continue
        hours = 0.0
        for j in range(k, len(segment.stages)):
            hours += segment.stages[j].mean_hours * (passes[j - 1] / here if j > k else 1.0)
        out.append(passes[-1] / here / hours)
    return out


# ---------------------------------------------------------------- partners


@dataclass(frozen=True)
class Nature:
    """What a partner is truly like, by the likely values."""

    skill: dict[str, float]  # start, ceiling, alone
    engagement: dict[str, float]
    teachability: float
    support_ticks: int


def nature(scenario: Scenario, partner: Partner, true_segment: int) -> Nature:
    """The traits of a partner's true segment; the partner's own traits go first."""
    general = getattr(scenario.partner_segments, PARTNER_SEGMENTS[true_segment])

    def likely(trait: str) -> float:
        own = getattr(partner.traits, trait)
        chosen = getattr(general, trait) if own is None else own
        return float(chosen.likely)

    return Nature(
        {level: likely(f"skill_{level}") for level in LEVELS},
        {level: likely(f"engagement_{level}") for level in LEVELS},
        likely("teachability"),
        ticks_of(scenario, likely("reactive_support_hours")),
    )


def fit_in(partner: Partner, segment: Segment) -> float:
    """How well the partner's offer fits a segment."""
    return partner.fit_by_segment.get(segment.name, partner.fit)


def credit_of_a_dollar(scenario: Scenario, partner: Partner) -> float:
    """Quota credit of one dollar booked through a partner: gross, net of margin, or a factor."""
    counts = scenario.quota_credit
    if isinstance(counts, str):
        return {"gross": 1.0, "net": 1.0 - partner.margin}[counts]
    return counts


def forgotten(half_life_weeks: Any) -> float:
    """f = 1 - 2^(-1/half-life)."""
    return 1.0 - 2.0 ** (-1.0 / half_life_weeks.likely)


def gain(most: Any, hours: float, tau: Any) -> float:
    """gain_per_week * (1 - exp(-h / tau))."""
    return most.likely * (1.0 - math.exp(-hours / tau.likely))


def next_stock(level: float, f: float, resting: float, gains: float, ceiling: float) -> float:
    """x <- max(0, min(ceiling, x + f * (alone - x) + gains))."""
    return max(0.0, min(ceiling, level + f * (resting - level) + gains))


# ---------------------------------------------------------------- the quota, and hours as ticks


def quota_of(scenario: Scenario, quarter: int) -> float:
    """Quota of a quarter, from 1, in whole dollars: as listed, or the first with a year's growth in four quarters."""
    quota = scenario.quota
    if quota.by_quarter_usd is not None:
        exact = quota.by_quarter_usd[quarter - 1]
    else:
        exact = (quota.first_quarter_usd or 0.0) * (1 + quota.growth_per_year) ** ((quarter - 1) / 4)
    return float(max(1, round(exact)))


def weeks_in(scenario: Scenario) -> int:
    return scenario.horizon_quarters * WEEKS_PER_QUARTER


def hour_in_ticks(scenario: Scenario) -> float:
    return TICKS_PER_WEEK / scenario.territory_manager.hours_per_week


def ticks_of(scenario: Scenario, hours: float) -> int:
    """Hours as a whole number of ticks: the manager's week is all ticks of a week."""
    return min(TICKS_PER_WEEK, round(hours / scenario.territory_manager.hours_per_week * TICKS_PER_WEEK))


# ---------------------------------------------------------------- what the plan says for a quarter


@dataclass(frozen=True)
class Row:
    """What a plan says for one quarter, hours as ticks, in the order in which they are handed out."""

    appointments: list[tuple[int, str, int]]  # partner, activity, ticks
    on_deals: list[tuple[str, int, int]]  # activity, partner, ticks
    account_manager: list[tuple[str, int, float]]  # activity, partner, hours
    prospecting: list[int]  # ticks by segment
    prospecting_shares: list[float] | None  # None where none is planned
    idle: int
    parked: list[bool]
    mode: tuple[str, ...]
    discipline: float


def row_of(scenario: Scenario, table: PlanTable, quarter: int) -> Row:
    """What the table says for a quarter, from 0."""
    activities: dict[str, list[float]] = {}
    helped: dict[str, list[float]] = {}
    for i, name in enumerate(PARTNER_ACTIVITIES):
        activities[name] = table.partner[quarter, i].tolist()
        helped[name] = table.channel_account_manager[quarter, i].tolist()
    prospecting = table.prospect[quarter].tolist()
    everybody = range(len(scenario.partners) + len(scenario.candidates))
    planned = sum(map(sum, activities.values())) + sum(prospecting)
    planned += float(table.sell[quarter]) + float(table.support[quarter])
    idle = scenario.territory_manager.hours_per_week - planned

    def ticks(activity: str, p: int) -> int:
        return ticks_of(scenario, activities[activity][p])

    return Row(
        [(p, a, ticks(a, p)) for p in everybody for a in APPOINTED if activities[a][p] > 0],
        [(a, p, ticks(a, p)) for a in ON_DEALS for p in everybody if activities[a][p] > 0],
        [(a, p, hours) for a in PARTNER_ACTIVITIES for p, hours in enumerate(helped[a]) if hours > 0],
        [ticks_of(scenario, hours) for hours in prospecting],
        [hours / sum(prospecting) for hours in prospecting] if sum(prospecting) > 0 else None,
        ticks_of(scenario, idle) if idle > NO_IDLE_HOURS else 0,
        table.parked[quarter].tolist(),
        table.coverage_mode,
        table.discipline,
    )


def candidate_of(partner: Partner) -> Candidate | None:
    return partner if isinstance(partner, Candidate) else None
