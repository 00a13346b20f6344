"""From a table of closed opportunities to a scenario.

    fit = calibrate("deals.csv", load_mapping("mapping.yaml"), template, territory_fraction=0.005)
    fit.scenario, fit.report_rows(), fit.rejected
    check_fit(fit.scenario, fit, replications=200, seed=1)

Right, small and honest: win rate, deal size and cycle by segment and route come from the table, everything
else stays the template's judgement and says so. Left out: what a manager's hours do (no table has it), and a
test on held-out weeks.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path

from calibrate.build import Knobs, Size, build
from calibrate.check import Check, compare, improve, simulate
from calibrate.fit import Cell, fit_cells
from calibrate.table import Mapping, Rejected, load_mapping, make_mapping, read_deals
from sim.batches import Progress
from sim.errors import TableError
from sim.scenario import Scenario

__all__ = [
    "Cell",
    "Check",
    "Fit",
    "Mapping",
    "Rejected",
    "calibrate",
    "check_fit",
    "load_mapping",
    "make_mapping",
]

PASSES = 3


@dataclass(frozen=True)
class Fit:
    """A scenario and what it was fitted from."""

    scenario: Scenario
    cells: tuple[Cell, ...]
    """in the order of the scenario's market map"""
    rejected: tuple[Rejected, ...]
    """rows not used, by line; rows read = rows used + rows rejected"""
    rows_read: int

    @property
    def rows_used(self) -> int:
        return sum(cell.deals for cell in self.cells)

    def rejected_by_reason(self) -> dict[str, int]:
        """Number of rejected rows by reason, the most frequent first."""
        from collections import Counter

        return dict(Counter(row.reason for row in self.rejected).most_common())

    def report_rows(self) -> list[dict[str, str | float]]:
        """A row for each segment and route. Amounts are of won deals; intervals are 95%."""
        return [_report_row(cell, self.scenario) for cell in self.cells]


def calibrate(
    csv_path: Path | str,
    mapping: Mapping,
    template: Scenario,
    territory_fraction: float,
    *,
    seed: int = 1,
    replications: int = 200,
    progress: Progress | None = None,
) -> Fit:
    """A scenario fitted from closed opportunities.

    `territory_fraction` is the share of the table that is this one territory, above 0 and at most 1. The lags
    are found in PASSES simulations, the last of `replications` markets, the others of a third. `progress` gets
    markets done and markets in all. Raises TableError, one sentence, if the table, the mapping, the template or
    the fraction cannot be used.
    """
    if isinstance(territory_fraction, bool) or not 0 < territory_fraction <= 1:
        raise TableError(
            f"territory_fraction is {territory_fraction!r}; allowed: above 0, at most 1 (share of the table)"
        )
    deals = read_deals(csv_path, mapping)
    cells, small = fit_cells(deals)
    size = Size(deals.name, mapping.source, mapping.quarters, territory_fraction)
    most = max(cell.deals for cell in cells) / mapping.quarters * territory_fraction
    if most > 2000:
        raise TableError(
            f"{csv_path}: one segment has {most:,.0f} opportunities a quarter, more than one manager's "
            f"territory; "
            "give a smaller territory_fraction (at most 2,000 a segment)"
        )
    knobs = Knobs()
    scenario = build(cells, template, size, knobs)
    turns = [max(1, replications // 3)] * (PASSES - 1) + [replications]
    for turn, markets in enumerate(turns):
        before, total = sum(turns[:turn]), sum(turns)
        seen = simulate(scenario, cells, markets, seed + turn, _after(progress, before, total))
        knobs = improve(knobs, cells, template, scenario, seen)
        scenario = build(cells, template, size, knobs)
    rejected = tuple(sorted((*deals.rejected, *small), key=lambda row: row.line))
    return Fit(scenario, cells, rejected, deals.rows_read)


def check_fit(
    scenario: Scenario, fit: Fit, replications: int = 200, seed: int = 1000, progress: Progress | None = None
) -> tuple[Check, ...]:
    """Observed against simulated win rate, amounts and cycle of each cell; cells with too few simulated deals
    are left out.
    """
    return compare(fit.cells, simulate(scenario, fit.cells, replications, seed, progress))


def _after(progress: Progress | None, before: int, total: int) -> Progress | None:
    """The same progress for a part of the work that begins after `before` of `total`."""
    return progress and (lambda done, _: progress(before + done, total))


def _report_row(cell: Cell, scenario: Scenario) -> dict[str, str | float]:
    segment = next(s for s in scenario.market_map if s.name == cell.row)
    return {
        "segment": cell.segment,
        "route": cell.route,
        "deals": cell.deals,
        "win rate": cell.win_rate,
        "win rate low": cell.win_low,
        "win rate high": cell.win_high,
        "interval": "by weeks" if cell.by_week else "binomial",
        "manager's win rate": prod(s.advance_probability for s in segment.stages),
        "median amount": cell.median_usd,
        "mean amount": cell.mean_usd,
        "sigma": segment.deal_size_sigma,
        "cycle weeks": cell.cycle_weeks,
        "cycle weeks won": cell.won_cycle_weeks,
        "cycle weeks lost": cell.lost_cycle_weeks,
        "opportunities a quarter": segment.opportunities_per_quarter,
    }
