"""Does the simulated funnel give back what it was fitted to?

The scenario is simulated under its status quo. Partner deals that come up in the history are followed to
their end: there, partners are as skilled and engaged as they are today. Direct deals are followed for longer, as the
manager stays what he is. The same simulation finds what the table does not say: the stages' chances that give the wins
back although some deals go cold, the buyer's lags that give the recorded cycle, the opportunities that arise for one
that somebody closes, and a quota.

Left out: later quarters, in which partners change; the open pipeline.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

import numpy as np
import pandas as pd

from nexthour.calibrate.fit.cells import Cell
from nexthour.calibrate.fit.cells_to_scenario import Grounds, Knobs, RowKnobs, most_similar_segment, per_quarter
from sim import TimePlan, draw_market, simulate
from sim.ledger import NOBODY, TICKS_PER_QUARTER, TICKS_PER_WEEK, WON, Kind
from sim.progress import Progress
from sim.scenario import Scenario, Segment
from sim.terms import WEEKS_PER_QUARTER

FIRST_WEEK = -20
"""Deals are followed from this week of the history on; before it the queues are still filling."""
LAST_DIRECT_WEEK = 39
"""Direct deals that come up before this week are followed, partner deals before week 0."""
QUARTERS = 4
FEWEST = 30
"""Simulated deals below which nothing is said of a cell."""
STANDARD_ERRORS = 3.0
ROUNDING = 0.03
MOST_OPPORTUNITIES_PER_DEAL = 20.0
USUAL_COLD = 0.24
"""Share of deals that end without a decision (CSO Insights 2016). If more go cold, a deal takes less time than thought.
"""
MADE_QUOTA = 0.57


@dataclass(frozen=True, eq=False)
class SimulatedFunnel:
    """The ends of the deals followed, and the credit of the first quarters."""

    deals: pd.DataFrame
    """columns replication, row, route, end (a Kind), amount_usd, weeks, settles (the tape's U)"""
    credit_usd: Any
    """shape (replications, QUARTERS)"""


@dataclass(frozen=True)
class Check:
    """One number of one cell, as fitted to the table and in the simulation."""

    segment: str
    route: str
    what: str
    fitted: float
    simulated: float
    tolerance: float
    """three standard errors of the simulation, and 3% of the fitted for what is rounded or found by search"""
    deals: int
    """simulated deals behind it"""

    @property
    def agrees(self) -> bool:
        """Whether the simulated number lies within the tolerance of the fitted one."""
        return bool(abs(self.simulated - self.fitted) <= self.tolerance)


def simulate_closings(
    scenario: Scenario, cells: Sequence[Cell], replications: int, seed: int, progress: Progress | None = None
) -> SimulatedFunnel:
    """Simulate the scenario under its status quo, over its history and QUARTERS quarters."""
    short = _shorten(scenario)
    plan = TimePlan.status_quo(short)
    shares = np.array([*(short.credit_share(p) for p in short.all_partners), 1.0])
    rows = np.array([cell.row for cell in cells])
    followed, credit = [], np.zeros((replications, QUARTERS))
    for replication in range(replications):
        market = draw_market(short, seed, replication)
        ledger = simulate(short, plan, market, engine="compiled")
        found = _opportunities_before(ledger.of(Kind.FOUND), LAST_DIRECT_WEEK)
        registered = _opportunities_before(ledger.of(Kind.REGISTERED), 0)
        ended = ledger.of(*WON, Kind.LOST, Kind.NO_DECISION)
        ended = ended[np.isin(ended["opportunity"], np.concatenate([found, registered]))]
        deals = {
            "replication": replication,
            "row": rows[ended["segment"]],
            "route": np.where(ended["partner"] == NOBODY, "direct", "partner"),
            "end": ended["kind"],
            "amount_usd": ended["amount_usd"],
            "weeks": ended["value"],
            "settles": market.settles[ended["opportunity"]],
        }
        followed.append(pd.DataFrame(deals))
        won = ledger.of(*WON)
        won = won[won["tick"] >= 0]
        # A direct deal's partner is NOBODY, -1: the last of the shares, all of it.
        credit_usd = won["amount_usd"] * shares[won["partner"]]
        credit[replication] = np.bincount(won["tick"] // TICKS_PER_QUARTER, weights=credit_usd, minlength=QUARTERS)
        if progress is not None:
            progress(replication + 1, replications)
    return SimulatedFunnel(pd.concat(followed, ignore_index=True), credit)


def _shorten(scenario: Scenario) -> Scenario:
    """The scenario over QUARTERS quarters, without its open pipeline: what is written by quarter is cut to them."""
    status_quo, quota = scenario.status_quo, scenario.quota
    if isinstance(status_quo.partner_share, tuple):
        status_quo = status_quo.model_copy(update={"partner_share": status_quo.partner_share[:QUARTERS]})
    if quota.by_quarter_usd is not None:
        quota = quota.model_copy(update={"by_quarter_usd": quota.by_quarter_usd[:QUARTERS]})
    return scenario.variant(horizon_quarters=QUARTERS, status_quo=status_quo, quota=quota, open_pipeline=None)


def _opportunities_before(records: Any, week: int) -> Any:
    """The opportunities of the records from FIRST_WEEK to before `week`."""
    since, until = FIRST_WEEK * TICKS_PER_WEEK, week * TICKS_PER_WEEK
    return records["opportunity"][(records["tick"] >= since) & (records["tick"] < until)]


def improve_knobs(knobs: Knobs, grounds: Grounds, scenario: Scenario, funnel: SimulatedFunnel) -> Knobs:
    """Move each knob by as much as its number was off in the simulation."""
    direct = funnel.deals[funnel.deals["route"] == "direct"]
    cold = float((direct["end"] == Kind.NO_DECISION).mean())
    rows = dict(knobs.rows)
    for cell, segment in zip(grounds.cells, scenario.market_map, strict=True):
        if cell.route == "direct":
            rows[cell.row] = _improve_row(knobs.of(cell.row), cell, segment, grounds, funnel, cold)
    per_deal = [row.opportunities_per_deal for row in rows.values()]
    for cell in grounds.cells:
        if cell.route == "partner":
            # Nothing in the table says what partners do not bring: as much as the manager does not find.
            rows[cell.row] = RowKnobs(opportunities_per_deal=float(np.mean(per_deal)))
    quota = float(np.quantile(funnel.credit_usd, 1 - MADE_QUOTA))
    hours = min(1.0, knobs.hours_scale * (1 - cold) / (1 - USUAL_COLD))
    return replace(knobs, rows=rows, hours_scale=hours, quota_usd=max(1000.0, float(f"{quota:.2g}")))


def _improve_row(
    knobs: RowKnobs, cell: Cell, segment: Segment, grounds: Grounds, funnel: SimulatedFunnel, cold: float
) -> RowKnobs:
    """Factors compare closed deals with all that began in the same markets, so that luck cancels out.

    `cold` is the share of all direct deals that nobody had time for.
    """
    begun, closed = _simulated_deals(funnel, cell), _closed_deals(funnel, cell)
    won = float(closed["won"].mean()) if len(closed) >= FEWEST else 0.0
    if won == 0:
        return knobs
    chances = np.cumprod([s.advance_probability for s in segment.stages])
    reached = np.array([1.0, *chances[:-1]])
    slope = float(reached @ [s.buyer_lag_weeks for s in most_similar_segment(cell, grounds.template).stages])
    weeks_short = cell.cycle_weeks.value - float(closed["weeks"].mean())
    amounts, closed_amounts = begun["amount_usd"], closed["amount_usd"]
    # What goes cold beyond the usual is mended by hours, not by more opportunities.
    share_in_time = min(1.0, (1 - cold) / (1 - USUAL_COLD))
    wanted = knobs.opportunities_per_deal * per_quarter(cell, grounds)
    per_deal = wanted / deals_a_quarter(cell, funnel) * share_in_time
    return RowKnobs(
        lag_scale=max(0.0, knobs.lag_scale + weeks_short / slope) if slope > 0 else knobs.lag_scale,
        win_factor=float((begun["settles"] < chances[-1]).mean()) / won,
        median_factor=float(amounts.median() / closed_amounts.median()),
        mean_factor=float(amounts.mean() / closed_amounts.mean()),
        opportunities_per_deal=min(max(per_deal, 1.0), MOST_OPPORTUNITIES_PER_DEAL),
    )


def deals_a_quarter(cell: Cell, funnel: SimulatedFunnel) -> float:
    """Simulated deals of a cell that were closed, of those that came up in a quarter."""
    last = LAST_DIRECT_WEEK if cell.route == "direct" else 0
    markets = len(funnel.credit_usd)
    return len(_closed_deals(funnel, cell)) / markets / (last - FIRST_WEEK) * WEEKS_PER_QUARTER


def check_closings(grounds: Grounds, funnel: SimulatedFunnel) -> tuple[Check, ...]:
    """Check five simulated numbers of each cell against the fit. Amounts are of all closed deals: in the model a deal's
    size does not decide its result.
    """
    checks = []
    for cell in grounds.cells:
        deals = _closed_deals(funnel, cell)
        if len(deals) < FEWEST:
            continue
        n, amounts, median = len(deals), deals["amount_usd"], cell.median_usd.value
        quarterly = per_quarter(cell, grounds)
        for what, fitted, value, error in (
            ("win rate", cell.win_rate.value, deals["won"].mean(), _clustered_error(deals, "won")),
            ("median amount", median, amounts.median(), sqrt(1.5708 / n) * cell.sigma.value * median),
            ("mean amount", cell.mean_usd.value, amounts.mean(), amounts.std() / sqrt(n)),
            ("cycle weeks", cell.cycle_weeks.value, deals["weeks"].mean(), _clustered_error(deals, "weeks")),
            ("deals a quarter", quarterly, deals_a_quarter(cell, funnel), _count_error(cell, funnel)),
        ):
            tolerance = STANDARD_ERRORS * float(error) + ROUNDING * float(fitted)
            checks.append(Check(cell.segment, cell.route, what, float(fitted), float(value), tolerance, n))
    return tuple(checks)


def _simulated_deals(funnel: SimulatedFunnel, cell: Cell) -> pd.DataFrame:
    return funnel.deals[(funnel.deals["row"] == cell.row) & (funnel.deals["route"] == cell.route)]


def _closed_deals(funnel: SimulatedFunnel, cell: Cell) -> pd.DataFrame:
    """Simulated deals of a cell that were won or lost, with the column won."""
    deals = _simulated_deals(funnel, cell)
    deals = deals[deals["end"] != Kind.NO_DECISION]
    return deals.assign(won=deals["end"] != Kind.LOST)


def _clustered_error(deals: pd.DataFrame, column: str) -> float:
    """Standard error of a mean over deals that share a market: of the ratio of two sums over replications."""
    sums = deals.groupby("replication")[column].agg(["sum", "size"])
    off = sums["sum"] - sums["size"] * deals[column].mean()
    return float((off**2).sum() ** 0.5 / len(deals))


def _count_error(cell: Cell, funnel: SimulatedFunnel) -> float:
    """Standard error of deals_a_quarter: its spread between markets."""
    markets = len(funnel.credit_usd)
    counts = _closed_deals(funnel, cell).groupby("replication").size().reindex(range(markets), fill_value=0)
    return float(counts.std() / counts.mean() / markets**0.5 * deals_a_quarter(cell, funnel))
