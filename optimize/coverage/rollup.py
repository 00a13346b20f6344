"""The rollup: several territories, each simulated on its own, added up.

Opportunities and who sees them today are added by the name of the segment, partners by their name: one that works with
several managers is one partner. What is added is each territory's own page, market by market: the status quo in the
markets of its gap analysis (gaps.py) and of its grid of partners (treatment.py). So totals are the sums of these pages,
and a total's interval is that of the sums, whatever the territories' luck has in common.

Left out: remedies, which belong to a territory and its manager; partners and segments under different names, which are
taken for different ones; and what two managers would do to each other, as no territory knows of another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from optimize.coverage.gaps import Coverage, coverage_of
from optimize.coverage.treatment import credit_today
from optimize.effort import Effort
from optimize.problem import PlanningProblem
from sim import Scenario, ScenarioError
from sim.arrays import FloatArray
from sim.documents.messages import listed, show
from sim.kpis import COVERAGE_KINDS
from sim.plan import PlanTable, TimePlan
from sim.progress import Progress, silent
from sim.study import estimates
from sim.study.batches import table_coverage
from sim.study.estimates import Estimate
from sim.study.options import SEED
from sim.tape import check_seed
from sim.terms import PartnerSegment

FOUND, BROUGHT, LEAKED = (list(COVERAGE_KINDS).index(kind) for kind in ("found", "registered", "leaked"))


@dataclass(frozen=True)
class SegmentRow:
    """Opportunities over the horizon and who sees them today: of a segment, or of all of them."""

    opportunities: Estimate
    found: Estimate
    """opportunities found by the managers"""
    brought: Estimate
    """opportunities brought by partners, and not taken by a manager"""
    leaked: Estimate
    """opportunities seen by nobody"""
    coverage: Coverage | None
    """shares of them, as in a gap analysis; None where too few markets have an opportunity to say"""
    value_usd: Estimate
    """value of all of them: mean amount times the manager's chance to win, each territory's own"""
    gap_usd: Estimate
    """value of those that nobody sees"""


@dataclass(frozen=True)
class TerritoryTotals:
    """The part of one territory in the rollup."""

    scenario: Scenario
    by_segment: dict[str, SegmentRow]
    total: SegmentRow
    quota_usd: float
    """quota over the horizon"""
    credit_usd: Estimate
    """quota credit over the horizon under the status quo"""


@dataclass(frozen=True)
class PartnerInTerritory:
    """What one territory says of a partner."""

    territory: str
    label: PartnerSegment
    """what its manager believes the partner to be"""
    is_candidate: bool
    credit_usd: Estimate
    """quota credit over the horizon under the status quo"""
    opportunities: Estimate
    """number in its accounts over the horizon"""
    manager_hours: float
    """hours a week under the status quo, mean over the horizon"""
    account_manager_hours: float


@dataclass(frozen=True)
class SharedPartner:
    """One partner or candidate, whoever works with it; figures are summed over territories."""

    name: str
    territories: tuple[PartnerInTerritory, ...]
    credit_usd: Estimate
    opportunities: Estimate
    label: PartnerSegment | None
    """what the partner is believed to be; None if managers disagree"""
    manager_hours: float
    """hours a week from all managers together"""
    account_manager_hours: float
    """hours a week from all account managers together"""

    @property
    def labels(self) -> str:
        """What the partner is believed to be, in words, with who believes what if managers disagree."""
        if self.label is not None:
            return self.label
        return "managers disagree: " + listed(
            [f"{territory.label} in {territory.territory}" for territory in self.territories]
        )


@dataclass(frozen=True)
class Rollup:
    """Several territories as one market."""

    seed: int
    quarters: int
    territories: tuple[TerritoryTotals, ...]
    by_segment: dict[str, SegmentRow]
    """rows in the order in which territories name segments"""
    total: SegmentRow
    partners: tuple[SharedPartner, ...]
    """partners with most quota credit first"""
    quota_usd: float
    credit_usd: Estimate
    """quota credit over the horizon under the status quo; the next two sum to it"""
    direct_credit_usd: Estimate
    partner_credit_usd: Estimate

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        sums = ("total", "credit_usd", "direct_credit_usd", "partner_credit_usd")
        return {
            "quarters": self.quarters,
            "quota_usd": self.quota_usd,
            **{name: asdict(getattr(self, name)) for name in sums},
            "segments": _rows(self.by_segment),
            "partners": [asdict(partner) for partner in self.partners],
            "territories": [
                {
                    **territory.scenario.provenance(self.seed),
                    "total": asdict(territory.total),
                    "segments": _rows(territory.by_segment),
                    "quota_usd": territory.quota_usd,
                    "credit_usd": asdict(territory.credit_usd),
                }
                for territory in self.territories
            ],
        }


def roll_up(
    scenarios: Iterable[Scenario],
    seed: int = SEED.default,
    progress: Progress | None = None,
    effort: Effort | str = Effort.normal,
) -> Rollup:
    """The map of several territories together, each as in its own gap analysis with this seed.

    `progress` hears what is going on, and may raise. Raises ScenarioError if there is no territory, or two that have
    one name or different horizons, SimulationError for a seed that is none.
    """
    check_seed("seed", seed)
    given = _check_territories(scenarios)
    effort, progress = Effort.of(effort), progress or silent
    pages = []
    for scenario in given:
        progress(0, 0, f"counting who sees what in {scenario.name}")
        pages.append(_Page.of(scenario, effort, seed))
    segments = list(dict.fromkeys(name for scenario in given for name in scenario.segment_names))
    names = list(dict.fromkeys(name for scenario in given for name in scenario.partner_names))
    partners = [_partner(name, [page for page in pages if name in page.scenario.partner_names]) for name in names]
    direct = sum(page.direct_usd for page in pages)
    through_partners = sum(page.partner_usd.sum(axis=1) for page in pages)
    return Rollup(
        seed=seed,
        quarters=given[0].horizon_quarters,
        territories=tuple(page.territory() for page in pages),
        by_segment={name: _row(pages, [name]) for name in segments},
        total=_row(pages, segments),
        partners=tuple(sorted(partners, key=lambda partner: -partner.credit_usd.value)),
        quota_usd=sum(sum(scenario.quota_usd()) for scenario in given),
        credit_usd=estimates.mean(direct + through_partners),
        direct_credit_usd=estimates.mean(np.asarray(direct)),
        partner_credit_usd=estimates.mean(np.asarray(through_partners)),
    )


@dataclass(frozen=True, eq=False)
class _Page:
    """What is counted in one territory, market by market."""

    scenario: Scenario
    table: PlanTable
    seen: FloatArray
    """opportunities, shape (markets, COVERAGE_KINDS, segments)"""
    value_usd: FloatArray
    """value of one opportunity, shape (segments,)"""
    base: FloatArray
    """share of a segment's opportunities that come from a partner's accounts, shape (partners, segments)"""
    direct_usd: FloatArray
    """quota credit of the manager's own, shape (markets,)"""
    partner_usd: FloatArray
    """quota credit of each partner, shape (markets, partners)"""

    @classmethod
    def of(cls, scenario: Scenario, effort: Effort, seed: int) -> _Page:
        table, problem = TimePlan.status_quo(scenario).table(scenario), PlanningProblem.of(scenario)
        (seen,) = table_coverage(scenario, [table], effort.coverage_markets, seed)
        credit = credit_today(scenario, effort.results_markets, seed)
        return cls(scenario, table, seen, problem.value_usd, problem.base, *credit)

    def territory(self) -> TerritoryTotals:
        names = self.scenario.segment_names
        return TerritoryTotals(
            self.scenario,
            by_segment={name: _row([self], [name]) for name in names},
            total=_row([self], names),
            quota_usd=sum(self.scenario.quota_usd()),
            credit_usd=estimates.mean(self.direct_usd + self.partner_usd.sum(axis=1)),
        )


def _row(pages: Sequence[_Page], segments: Sequence[str]) -> SegmentRow:
    """The sum over those of some segments that are there."""
    parts = [
        (page.seen[..., names.index(name)], page.value_usd[names.index(name)])
        for page in pages
        for name in segments
        if name in (names := page.scenario.segment_names)
    ]
    seen = np.sum([counts for counts, _ in parts], axis=0)
    worth_usd = np.sum([counts * each for counts, each in parts], axis=0)
    return SegmentRow(
        opportunities=estimates.mean(seen.sum(axis=1)),
        found=estimates.mean(seen[:, FOUND]),
        brought=estimates.mean(seen[:, BROUGHT]),
        leaked=estimates.mean(seen[:, LEAKED]),
        coverage=coverage_of(seen),
        value_usd=estimates.mean(worth_usd.sum(axis=1)),
        gap_usd=estimates.mean(worth_usd[:, LEAKED]),
    )


def _partner(name: str, pages: Sequence[_Page]) -> SharedPartner:
    parts, credit_usd, opportunities = [], [], []
    for page in pages:
        p = page.scenario.partner_names.index(name)
        partner = page.scenario.all_partners[p]
        credit_usd.append(page.partner_usd[:, p])
        opportunities.append(page.seen.sum(axis=1) @ page.base[p])
        parts.append(
            PartnerInTerritory(
                territory=page.scenario.name,
                label=partner.label,
                is_candidate=p >= len(page.scenario.partners),
                credit_usd=estimates.mean(credit_usd[-1]),
                opportunities=estimates.mean(opportunities[-1]),
                manager_hours=float(page.table.partner[:, :, p].sum(axis=1).mean()),
                account_manager_hours=float(page.table.channel_account_manager[:, :, p].sum(axis=1).mean()),
            )
        )
    labels = {part.label for part in parts}
    return SharedPartner(
        name,
        tuple(parts),
        estimates.mean(np.sum(credit_usd, axis=0)),
        estimates.mean(np.sum(opportunities, axis=0)),
        label=labels.pop() if len(labels) == 1 else None,
        manager_hours=sum(part.manager_hours for part in parts),
        account_manager_hours=sum(part.account_manager_hours for part in parts),
    )


def _check_territories(scenarios: Iterable[Scenario]) -> list[Scenario]:
    given = list(scenarios)
    if not given:
        raise ScenarioError("there is no territory; allowed: one or more")
    for scenario in given:
        if not isinstance(scenario, Scenario):
            raise ScenarioError(
                f"a territory is {show(scenario)}; allowed: a Scenario, as load_scenario(file) gives one"
            )
    names = [scenario.name for scenario in given]
    for name in names:
        if names.count(name) > 1:
            raise ScenarioError(f"{names.count(name)} territories are named {name!r}; give each a name of its own")
    first = given[0]
    for scenario in given[1:]:
        if scenario.horizon_quarters != first.horizon_quarters:
            raise ScenarioError(
                f"horizon_quarters is {first.horizon_quarters} in {first.name!r} and {scenario.horizon_quarters} in "
                f"{scenario.name!r}; allowed: the same in all territories, so that they can be added up"
            )
    return given


def _rows(by_segment: dict[str, SegmentRow]) -> list[dict[str, Any]]:
    return [{"segment": name, **asdict(row)} for name, row in by_segment.items()]
