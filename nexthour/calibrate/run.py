"""The fit of a scenario to a table of deals: simulated again and again until it gives the table back.

Left out: what the table says of each cell (fit/cells.py), and how cells become a scenario (fit/cells_to_scenario.py).
"""

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import pandas as pd

from nexthour.calibrate.deals.deal_table import Deals, read_deals
from nexthour.calibrate.deals.mapping import Mapping
from nexthour.calibrate.fit.cells import Cell, DealPeriod, fit_cells
from nexthour.calibrate.fit.cells_to_scenario import Grounds, Knobs, build_scenario
from nexthour.calibrate.fit.open_pipeline import open_pipeline
from nexthour.calibrate.fit.simulated_funnel import Check, check_closings, improve_knobs, simulate_closings
from sim import Scenario, TableError
from sim.progress import Progress, part_of

PASSES = 11
MOST_A_QUARTER = 2000
FEW_QUARTERS = 4
"""Quarters below which their luck is mostly the prior's."""
ONE_CYCLE = "How long a partner takes in each segment: in the model it has one cycle, the mean."
ALWAYS_SILENT = (
    "What an hour of the manager does to a partner: it is the template's judgement (nexthour judgement).",
    "Hours, patience and inbound share of each stage: they are the template's judgement, scaled where said above.",
    "Opportunities that nobody saw: there are as many as the simulation needs to close the table's deals.",
)
"""What no table of deals says."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A scenario and what it was fitted from."""

    scenario: Scenario
    grounds: Grounds
    hours_scale: float
    """share of the template's hours that a deal takes, so that one manager has time for the table's deals"""
    rejected: pd.DataFrame
    """columns row and reason; rows read = rows used + rows rejected"""
    rows_read: int

    @property
    def cells(self) -> tuple[Cell, ...]:
        """What the table says of each segment and route, in the order of the scenario's market map."""
        return tuple(self.grounds.cells)

    @property
    def closed_used(self) -> int:
        """Number of closed deals that were fitted."""
        return sum(cell.deals for cell in self.cells)

    @property
    def open_used(self) -> int:
        """Number of open deals in the scenario's pipeline."""
        return len(self.scenario.open_pipeline or ())

    @property
    def rows_used(self) -> int:
        return self.closed_used + self.open_used

    @property
    def open_usd(self) -> int:
        """Amount of the open pipeline in US dollars."""
        return sum(deal.amount_usd for deal in self.scenario.open_pipeline or ())

    @property
    def silent(self) -> tuple[str, ...]:
        """What the table could not say, a sentence each."""
        several = any(len(rows) > 1 for rows in self.grounds.sellers.values())
        return (*_silent_on_cells(self.cells), *([ONE_CYCLE] if several else []), *ALWAYS_SILENT)

    def rejected_by_reason(self) -> dict[str, int]:
        """Number of rejected rows by reason, the most frequent first."""
        reasons = self.rejected["reason"].str.replace(r"\bin row \d+ already", "in another row already", regex=True)
        return {str(reason): int(rows) for reason, rows in reasons.value_counts().items()}

    def report_rows(self) -> list[dict[str, Any]]:
        """The report's row for each segment and route. Amounts are of won deals; low and high are 90% intervals."""
        return [_report_row(cell, self.scenario) for cell in self.cells]


def calibrate(
    export: Path | str | Deals,
    mapping: Mapping,
    template: Scenario,
    territory_fraction: float,
    *,
    seed: int = 1,
    replications: int = 200,
    progress: Progress | None = None,
) -> Fit:
    """Fit a scenario to the closed opportunities of an export, with its open ones as the open pipeline.

    `export` is a file, or the deals read from it under this mapping. `territory_fraction` is the share of the export
    that is this one territory, above 0 and at most 1; open deals are taken only where it is 1. What does not follow
    from the table alone is found in PASSES simulations, the last of `replications` markets, the others of a quarter.
    `progress` gets markets done and markets in all. Raises TableError, one sentence, if the file, the mapping, the
    template or the fraction cannot be used.
    """
    deals = export if isinstance(export, Deals) else read_deals(export, mapping)
    if isinstance(territory_fraction, bool) or not 0 < territory_fraction <= 1:
        raise TableError(
            f"territory_fraction is {territory_fraction!r}; allowed: above 0, at most 1 (share of the table)"
        )
    cells, small = fit_cells(deals.closed, deals.opened, DealPeriod.of(deals, mapping), deals.name)
    most = max(cell.opportunities_per_quarter.value for cell in cells) * territory_fraction
    if most > MOST_A_QUARTER:
        raise TableError(
            f"{deals.name}: one segment has {most:,.0f} deals a quarter, more than one manager's territory; give a "
            f"smaller territory_fraction (at most {MOST_A_QUARTER:,} a segment)"
        )
    if most < 1:
        raise TableError(
            f"{deals.name}: with a territory_fraction of {territory_fraction:g} the largest segment has {most:.2g} "
            "deals a quarter, too few to fit; give a larger territory_fraction (at least 1 a quarter)"
        )
    grounds = Grounds.of(cells, template, deals, mapping.source, territory_fraction)
    knobs, scenario = _find_knobs(grounds, seed, replications, progress)
    pipeline, left = None, deals.open.assign(reason="open, but only a part of the table is this territory")
    left = left.rename_axis("row").reset_index()[["row", "reason"]]
    if mapping.takes_open_deals and territory_fraction == 1:
        pipeline, left = open_pipeline(deals.open, [cell.row for cell in cells], grounds.sellers)
        scenario = build_scenario(grounds, knobs, pipeline)
    rejected = pd.concat([rows for rows in (deals.rejected, small, left) if len(rows)] or [deals.rejected])
    return Fit(scenario, grounds, knobs.hours_scale, rejected.sort_values("row", ignore_index=True), deals.rows_read)


def _find_knobs(grounds: Grounds, seed: int, replications: int, progress: Progress | None) -> tuple[Knobs, Scenario]:
    knobs = Knobs()
    scenario = build_scenario(grounds, knobs)
    turns = [max(1, replications // 4)] * (PASSES - 1) + [replications]
    for turn, markets in enumerate(turns):
        before, total = sum(turns[:turn]), sum(turns)
        funnel = simulate_closings(scenario, grounds.cells, markets, seed + turn, part_of(progress, before, total))
        knobs = improve_knobs(knobs, grounds, scenario, funnel)
        scenario = build_scenario(grounds, knobs)
    return knobs, scenario


def check_fit(
    scenario: Scenario, fit: Fit, replications: int = 200, seed: int = 1000, progress: Progress | None = None
) -> tuple[Check, ...]:
    """Simulate a scenario and check win rate, amounts, cycle and number of deals of each cell against the fit.

    Cells with too few simulated deals are left out.
    """
    return check_closings(fit.grounds, simulate_closings(scenario, fit.cells, replications, seed, progress))


def _report_row(cell: Cell, scenario: Scenario) -> dict[str, Any]:
    segment = next(s for s in scenario.market_map if s.name == cell.row)
    row: dict[str, Any] = {
        "segment": cell.segment,
        "route": cell.route,
        "deals": cell.deals,
        "won": cell.won,
        "weeks": cell.weeks,
        "quarters": cell.quarters,
        "design effect": cell.design_effect,
        "won without amount": cell.without_amount,
        "observed win rate": cell.observed_win_rate,
    }
    for name, number in {
        "win rate": cell.win_rate,
        "win rate shock": cell.win_rate_shock,
        "median amount": cell.median_usd,
        "mean amount": cell.mean_usd,
        "sigma": cell.sigma,
        "cycle weeks": cell.cycle_weeks,
        "deals a quarter": cell.opportunities_per_quarter,
        "demand cv": cell.demand_cv,
    }.items():
        for end, value in (("", "value"), (" low", "low"), (" high", "high")):
            row[name + end] = None if number is None else getattr(number, value)
    return row | {
        "cycle shape": cell.cycle_shape,
        "cycle weeks won": cell.won_cycle_weeks,
        "cycle weeks lost": cell.lost_cycle_weeks,
        "manager's win rate": prod(s.advance_probability for s in segment.stages),
        "opportunities a quarter": segment.opportunities_per_quarter,
    }


def _silent_on_cells(cells: tuple[Cell, ...]) -> list[str]:
    """What the table leaves open of some cells, a sentence each that names their rows."""
    found = {
        "How quarters differ (win_rate_shock is mostly prior)": [c.row for c in cells if c.quarters < FEW_QUARTERS],
        "How weeks differ (demand_cv is the default)": [c.row for c in cells if c.demand_cv is None],
        "Whether deals of one week share their fate (no days, or too few weeks)": [c.row for c in cells if not c.weeks],
    }
    return [f"{what}: {_list_rows(rows, len(cells))}." for what, rows in found.items() if rows]


def _list_rows(rows: list[str], total: int) -> str:
    if len(rows) == total:
        return "all rows"
    return "; ".join(rows[:3]) + (f" and {len(rows) - 3} more" if len(rows) > 3 else "")
