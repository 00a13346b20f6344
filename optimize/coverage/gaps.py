"""Gap analysis: what of each segment's opportunities is seen, by whom, and what it would cost to see more.

Coverage is counted in simulated ledgers. Remedies (remedies.py) are priced one by one, each on top of a plan and in the
same markets as it. Which partners to develop and which mode to change to is chosen in markets that the prices do not
come from.

Left out: remedies together (that is a plan: the planner's work), and what an account manager costs in money.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from optimize.coverage.remedies import (
    Ground,
    RemedyOption,
    account_manager_option,
    at_ceilings,
    coverage_options,
    development_option,
    prospecting_option,
    recruiting_options,
    with_account_manager,
)
from optimize.effort import Effort
from optimize.objective import Objective
from optimize.proof.certify import as_plan
from optimize.search.evaluate import Purpose
from sim.arrays import FloatArray
from sim.kpis import COVERAGE_KINDS
from sim.plan import PlanTable, TimePlan
from sim.progress import Progress, silent
from sim.scenario import Scenario
from sim.study import estimates
from sim.study.batches import table_bookings, table_coverage
from sim.study.estimates import Estimate
from sim.study.options import SEED
from sim.study.request import check_plan
from sim.tape import MAX_SEED, check_seed

TABLES_AT_A_TIME = 32
"""A territory with many partners has many remedies, and their bookings would fill the memory."""

LEAKED = list(COVERAGE_KINDS).index("leaked")
RemedyKind = Literal["develop", "recruit", "account_manager", "direct", "coverage_mode"]
REMEDY_WORDS: dict[RemedyKind, str] = {
    "develop": "develop",
    "recruit": "recruit",
    "account_manager": "account manager",
    "direct": "direct",
    "coverage_mode": "coverage",
}
"""What people see for each kind."""


@dataclass(frozen=True)
class Coverage:
    """Who saw a segment's opportunities over the horizon, as shares of them; the three sum to 1."""

    found: Estimate
    """share found by the manager"""
    brought: Estimate
    """share brought by a partner, and not taken by the manager"""
    leaked: Estimate
    """share seen by nobody"""

    @property
    def seen(self) -> Estimate:
        """Share that the manager or a partner sees."""
        leaked = self.leaked
        return Estimate(1 - leaked.value, 1 - leaked.high, 1 - leaked.low, leaked.observations)


@dataclass(frozen=True)
class Remedy:
    """One thing to do for a segment, on top of the plan, and its price. Money is quota credit over the horizon.

    A remedy that is not possible says why, and has no figures.
    """

    kind: RemedyKind
    what: str = ""
    whom: tuple[str, ...] = ()
    """partners or candidates"""
    why_not: str = ""
    manager_hours: float = 0.0
    """hours over the horizon, taken from selling"""
    account_manager_hours: float = 0.0
    """hours over the horizon, on top of those there are"""
    gain_usd: Estimate | None = None
    """paired, over all segments: a partner sells in others too"""
    gain_per_hour_usd: Estimate | None = None
    """per hour of the manager, or of the account manager; None if it takes none"""
    payback_quarter: int | None = None
    seen: Estimate | None = None
    """share of the segment's opportunities that somebody sees then"""
    seen_change: Estimate | None = None
    """paired, against the plan"""
    plan: TimePlan | None = None
    """the plan with the remedy"""
    scenario: Scenario | None = None
    """the territory of that plan, which may have an account manager more"""

    @property
    def verdict(self) -> str:
        """Whether the remedy is ahead, behind or not clearly different, or why it is not possible, in words."""
        return self.why_not if self.gain_usd is None else self.gain_usd.verdict

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON, without the territory."""
        fields = asdict(replace(self, plan=None, scenario=None))
        del fields["scenario"]
        plan = None if self.plan is None else self.plan.model_dump(mode="json")
        return {**fields, "plan": plan, "verdict": self.verdict}


@dataclass(frozen=True)
class SegmentGap:
    """One row of the market map. Coverage is None where too few markets have an opportunity to say."""

    segment: str
    opportunities: Estimate
    """number over the horizon"""
    value_usd: float
    """value of one opportunity: mean amount times the manager's chance to win it"""
    today: Coverage | None
    """coverage under the status quo"""
    planned: Coverage | None
    """coverage under the plan, if one is given"""
    reachable: Coverage | None
    """every partner and candidate there and at its engagement ceiling, the manager's other hours as in the plan"""
    gap_usd: Estimate
    """what nobody sees, under the plan or else the status quo, times the value of an opportunity"""
    remedies: tuple[Remedy, ...]
    """remedies that gain first, then those without a clear difference, those that cost, those that are not possible"""


@dataclass(frozen=True)
class GapAnalysis:
    """The market map with its gaps."""

    scenario: Scenario
    seed: int
    effort: Effort
    plan: TimePlan
    """the plan on top of which remedies are priced"""
    is_status_quo: bool
    segments: tuple[SegmentGap, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        rows = [
            {
                **asdict(replace(segment, remedies=())),
                "ideal": 1.0,
                "remedies": [remedy.as_dict() for remedy in segment.remedies],
            }
            for segment in self.segments
        ]
        return {**self.scenario.provenance(self.seed), "plan": self.plan.model_dump(mode="json"), "segments": rows}


def gap_analysis(
    scenario: Scenario,
    plan: TimePlan | None = None,
    seed: int = SEED.default,
    progress: Progress | None = None,
    effort: Effort | str = Effort.normal,
) -> GapAnalysis:
    """Coverage of every segment today, with `plan`, reachable and ideal, and the remedies for what is missing.

    Remedies are priced on top of `plan`, or of the status quo. `progress` hears what is going on, and may raise. Raises
    PlanError if the plan does not fit.
    """
    effort, progress = Effort.of(effort), progress or silent
    ground = _check_ground(scenario, plan, seed, effort)
    more = with_account_manager(scenario)

    progress(0, 0, "choosing among remedies")
    chosen = _choose_options(ground, more, effort.screening_markets, seed)
    of_manager = [option for row in chosen for kind, option in row.items() if kind == "account_manager"]
    others = [option for row in chosen for kind, option in row.items() if kind != "account_manager"]

    progress(0, 0, "pricing them")
    gains = _gains_usd(scenario, ground.base, others, effort.remedy_markets, seed + Purpose.PRICING)
    gains |= _gains_usd(more, ground.base, of_manager, effort.remedy_markets, seed + Purpose.PRICING)

    progress(0, 0, "counting who sees what")
    bare, markets = _without_remedies(ground, plan, effort, seed), effort.coverage_markets
    planned, *counts = table_coverage(scenario, [ground.base, *_tables(others)], markets, seed)
    if _tables(of_manager):
        counts += list(table_coverage(more, _tables(of_manager), markets, seed))
    after = dict(zip(map(id, _tables(others) + _tables(of_manager)), counts, strict=True))

    rows = []
    for s, row in enumerate(bare.segments):
        remedies = [
            Remedy(kind, why_not=option)
            if isinstance(option, str)
            else _price(
                kind,
                option,
                more if kind == "account_manager" else scenario,
                bare.plan.name,
                gains[id(option.table)],
                _seen_share(planned[..., s]),
                _seen_share(after[id(option.table)][..., s]),
            )
            for kind, option in chosen[s].items()
        ]
        rows.append(replace(row, remedies=tuple(sorted(remedies, key=remedy_order))))
    return replace(bare, segments=tuple(rows))


def map_market(
    scenario: Scenario, plan: TimePlan | None = None, seed: int = SEED.default, effort: Effort | str = Effort.normal
) -> GapAnalysis:
    """A gap analysis without remedies, which take nearly all of the time. Raises PlanError if the plan does not fit."""
    effort = Effort.of(effort)
    return _without_remedies(_check_ground(scenario, plan, seed, effort), plan, effort, seed)


def _check_ground(scenario: Scenario, plan: TimePlan | None, seed: int, effort: Effort) -> Ground:
    if plan is not None:
        check_plan("plan", plan)
    check_seed("seed", seed)
    return Ground.of(scenario, TimePlan.status_quo(scenario) if plan is None else plan, effort.spare_markets, seed)


def _without_remedies(ground: Ground, plan: TimePlan | None, effort: Effort, seed: int) -> GapAnalysis:
    scenario, markets = ground.scenario, effort.coverage_markets
    status_quo = TimePlan.status_quo(scenario)
    there, at_their_best = at_ceilings(ground)
    (reachable,) = table_coverage(there, [at_their_best], markets, seed)
    now = [status_quo.table(scenario), *([] if plan is None else [ground.base])]
    counts = table_coverage(scenario, now, markets, seed)
    today, planned = counts[0], counts[-1]
    rows = []
    for s, name in enumerate(scenario.segment_names):
        value_usd = float(ground.problem.value_usd[s])
        rows.append(
            SegmentGap(
                segment=name,
                opportunities=estimates.mean(today[..., s].sum(axis=1)),
                value_usd=value_usd,
                today=coverage_of(today[..., s]),
                planned=None if plan is None else coverage_of(planned[..., s]),
                reachable=coverage_of(reachable[..., s]),
                gap_usd=estimates.mean(planned[:, LEAKED, s] * value_usd),
                remedies=(),
            )
        )
    return GapAnalysis(scenario, seed, effort, status_quo if plan is None else plan, plan is None, tuple(rows))


def _price(
    kind: RemedyKind,
    option: RemedyOption,
    scenario: Scenario,
    base_name: str,
    gain: FloatArray,
    before: FloatArray,
    after: FloatArray,
) -> Remedy:
    """The remedy with its price, from `gain` by market and quarter and the share that is seen `before` and `after`."""
    total = estimates.mean(gain.sum(axis=1))
    hours = option.manager_hours or option.account_manager_hours
    plan = as_plan(scenario, option.table, f"{base_name} + {REMEDY_WORDS[kind]}"[:80])
    return Remedy(
        kind=kind,
        what=option.what,
        whom=option.whom,
        manager_hours=option.manager_hours,
        account_manager_hours=option.account_manager_hours,
        gain_usd=total,
        gain_per_hour_usd=total.scaled(1 / hours) if hours else None,
        payback_quarter=estimates.payback_quarter(gain.mean(axis=0)),
        seen=estimates.mean(after) if len(after) > 1 else None,
        seen_change=estimates.mean(after - before) if len(after) > 1 else None,
        plan=plan,
        scenario=scenario,
    )


def _choose_options(
    ground: Ground, more: Scenario, markets: int, seed: int
) -> list[dict[RemedyKind, RemedyOption | str]]:
    """The best remedy of each kind by segment, or why there is none.

    `more` is the territory with an account manager more. Who gets those hours: the first of the segment's
    partners, in the order of what developing them gains.
    """
    scenario, segments = ground.scenario, range(len(ground.scenario.market_map))
    partners = {
        p: option for p in range(len(scenario.all_partners)) if (option := development_option(ground, p)) is not None
    }
    modes, recruits = [coverage_options(ground, s) for s in segments], [recruiting_options(ground, s) for s in segments]
    lists = [some for some in (*modes, *recruits) if not isinstance(some, str)]
    tried = [*partners.values(), *(option for some in lists for option in some)]
    by_table = _gains_usd(scenario, ground.base, tried, markets, seed + Purpose.CHOOSING)

    def gain(option: RemedyOption) -> float:
        return float(by_table[id(option.table)].mean())

    with_manager: list[list[RemedyOption]] = []
    for s in segments:
        there = sorted(ground.carried_in(s), key=lambda p: -gain(partners[p]) if p in partners else 0.0)
        with_manager.append([account_manager_option(ground, there[:most]) for most in range(1, len(there) + 1)])
    of_manager = [option for some in with_manager for option in some]
    by_table |= _gains_usd(more, ground.base, of_manager, markets, seed + Purpose.CHOOSING)

    def best(some: Sequence[RemedyOption] | str, why_not: str = "") -> RemedyOption | str:
        return some if isinstance(some, str) else max(some, key=gain) if some else why_not

    nobody, no_hours = "no partner that is carried has accounts here", "selling has no hours left"
    chosen: list[dict[RemedyKind, RemedyOption | str]] = []
    for s in segments:
        there = ground.carried_in(s)
        chosen.append(
            {
                "develop": best([partners[p] for p in there if p in partners], no_hours if there else nobody),
                "recruit": best(recruits[s]),
                "account_manager": best(with_manager[s], nobody),
                "direct": prospecting_option(ground, s) or no_hours,
                "coverage_mode": best(modes[s], nobody),
            }
        )
    return chosen


def _gains_usd(
    scenario: Scenario, base: PlanTable, options: Iterable[RemedyOption | str], markets: int, seed: int
) -> dict[int, FloatArray]:
    """Quota credit in US dollars against the plan, paired, by the id of a table: shape (markets, quarters)."""
    credit = Objective.of(scenario, "quota_credit", 0.0)
    tables = _tables(options)
    if not tables:
        return {}
    totals = []
    for first in range(0, 1 + len(tables), TABLES_AT_A_TIME):
        some = [base, *tables][first : first + TABLES_AT_A_TIME]
        booked = table_bookings(scenario, some, range(markets), seed % (MAX_SEED + 1))
        totals += list(credit.by_quarter(booked.direct, booked.partner))
    return {id(table): total - totals[0] for table, total in zip(tables, totals[1:], strict=True)}


def _tables(options: Iterable[RemedyOption | str]) -> list[PlanTable]:
    """Each table once: a partner may be the one to develop in several segments."""
    return list({id(option.table): option.table for option in options if not isinstance(option, str)}.values())


def coverage_of(counts: FloatArray) -> Coverage | None:
    """Coverage from counts by market, shape (markets, COVERAGE_KINDS); None if too few have an opportunity."""
    shares = _shares(counts)
    if len(shares) < 2:
        return None
    by_kind: Sequence[Estimate] = [estimates.mean(share) for share in shares.T]
    return Coverage(*by_kind)


def _seen_share(counts: FloatArray) -> FloatArray:
    return 1 - _shares(counts)[:, LEAKED]


def _shares(counts: FloatArray) -> FloatArray:
    """Shares by kind in the markets that have opportunities, which are the same under any plan."""
    totals = counts.sum(axis=1, keepdims=True)
    some = totals[:, 0] > 0
    return np.asarray(counts[some] / totals[some])


def remedy_order(remedy: Remedy) -> tuple[int, float]:
    """The order of remedies: what gains, by what it gains an hour; what is not clear; what costs; what cannot be."""
    if remedy.gain_usd is None:
        return 3, 0.0
    group = ("ahead", "no clear difference", "behind").index(remedy.gain_usd.verdict)
    per_hour = remedy.gain_per_hour_usd
    return group, -np.inf if per_hour is None else -per_hour.value
