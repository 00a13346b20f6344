"""Does the simulated funnel give back what it was fitted to?

The scenario is simulated under its status quo. Partner deals that come up in the history are followed to
their end: there, partners are as skilled and engaged as they are today. Direct deals are followed for longer,
as the manager stays what he is. The same simulation finds what the table does not say: the buyer's lags that
give the recorded cycle, the share of deals the manager sees, and a quota.

Left out: later quarters, in which partners change; deals that went cold, which a table of closed deals has
not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from calibrate.build import Knobs, RowKnobs, nearest
from calibrate.fit import Cell
from sim.batches import Progress
from sim.experiment import simulate as run
from sim.ledger import NOBODY, TICKS_PER_QUARTER, TICKS_PER_WEEK, WON, Kind
from sim.market import draw_market
from sim.plan import TimePlan
from sim.scenario import Scenario, Segment

if TYPE_CHECKING:
    import pandas as pd

FIRST_WEEK = -20
"""Deals are followed from this week of the history on; before it the queues are still filling."""
LAST_DIRECT_WEEK = 39
"""Direct deals that come up before this week are followed, partner deals before week 0."""
QUARTERS = 4
FEWEST = 30
"""Simulated deals below which nothing is said of a cell."""
STANDARD_ERRORS = 3.0
ROUNDING = 0.03
MADE_QUOTA = 0.57


@dataclass(frozen=True, eq=False)
class Simulated:
    """What came of the deals followed, and the credit of the first quarters."""

    deals: pd.DataFrame
    """columns replication, row, route, end (a Kind), amount_usd, weeks, settles (the tape's U)"""
    found_share: float
    """share of the opportunities of direct rows that the manager saw"""
    credit_usd: Any
    """shape (replications, QUARTERS)"""


@dataclass(frozen=True)
class Check:
    """One number of one cell, in the table and in the simulation."""

    segment: str
    route: str
    what: str
    observed: float
    simulated: float
    tolerance: float
    """three standard errors of the simulation, and 3% of the observed for what is rounded or found by search
    """
    deals: int
    """simulated deals behind it"""

    @property
    def agrees(self) -> bool:
        return bool(abs(self.simulated - self.observed) <= self.tolerance)


def simulate(
    scenario: Scenario, cells: Sequence[Cell], replications: int, seed: int, progress: Progress | None = None
) -> Simulated:
    """The scenario under its status quo, over its history and QUARTERS quarters."""
    import numpy as np
    import pandas as pd

    short = _shortened(scenario)
    plan = TimePlan.status_quo(short)
    shares = np.array([*(short.credit_share(p) for p in short.all_partners), 1.0])
    direct = [i for i, cell in enumerate(cells) if cell.route == "direct"]
    followed, credit, seen, arisen = [], np.zeros((replications, QUARTERS)), 0, 0
    for replication in range(replications):
        market = draw_market(short, seed, replication)
        ledger = run(short, plan, market, engine="compiled")
        found = _between(ledger.of(Kind.FOUND), LAST_DIRECT_WEEK)
        registered = _between(ledger.of(Kind.REGISTERED), 0)
        arrived = _between(ledger.of(Kind.ARRIVED), LAST_DIRECT_WEEK)
        seen += int(np.isin(found["segment"], direct).sum())
        arisen += int(np.isin(arrived["segment"], direct).sum())
        ended = ledger.of(*WON, Kind.LOST, Kind.NO_DECISION)
        begun = np.concatenate([found["opportunity"], registered["opportunity"]])
        ended = ended[np.isin(ended["opportunity"], begun)]
        followed.append(_frame(ended, replication, cells).assign(settles=market.settles[ended["opportunity"]]))
        won = ledger.of(*WON)
        won = won[won["tick"] >= 0]
        # A direct deal's partner is NOBODY, -1: the last of the shares, all of it.
        quarter = won["tick"] // TICKS_PER_QUARTER
        credit[replication] = np.bincount(
            quarter, weights=won["amount_usd"] * shares[won["partner"]], minlength=QUARTERS
        )
        if progress is not None:
            progress(replication + 1, replications)
    return Simulated(pd.concat(followed, ignore_index=True), seen / max(arisen, 1), credit)


def _shortened(scenario: Scenario) -> Scenario:
    """The scenario over QUARTERS quarters: what is written by quarter is cut to them."""
    status_quo, quota = scenario.status_quo, scenario.quota
    if isinstance(status_quo.partner_share, tuple):
        status_quo = status_quo.model_copy(update={"partner_share": status_quo.partner_share[:QUARTERS]})
    if quota.by_quarter_usd is not None:
        quota = quota.model_copy(update={"by_quarter_usd": quota.by_quarter_usd[:QUARTERS]})
    return scenario.variant(horizon_quarters=QUARTERS, status_quo=status_quo, quota=quota)


def _between(records: Any, week: int) -> Any:
    """The records from FIRST_WEEK to before `week`."""
    return records[(records["tick"] >= FIRST_WEEK * TICKS_PER_WEEK) & (records["tick"] < week * TICKS_PER_WEEK)]


def _frame(ended: Any, replication: int, cells: Sequence[Cell]) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    return pd.DataFrame(
        {
            "replication": replication,
            "row": np.array([cell.row for cell in cells])[ended["segment"]],
            "route": np.where(ended["partner"] == NOBODY, "direct", "partner"),
            "end": ended["kind"],
            "amount_usd": ended["amount_usd"],
            "weeks": ended["value"],
        }
    )


def improve(knobs: Knobs, cells: Sequence[Cell], template: Scenario, scenario: Scenario, seen: Simulated) -> Knobs:
    """Better knobs after a simulation: lags moved by what the cycle is off, the others as found in it."""
    import numpy as np

    rows = dict(knobs.rows)
    for cell, segment in zip(cells, scenario.market_map, strict=True):
        if cell.route == "direct":
            before = rows.get(cell.row, RowKnobs())
            rows[cell.row] = _improve_row(before, cell, segment, nearest(cell, template), seen)
    quota = float(np.quantile(seen.credit_usd, 1 - MADE_QUOTA))
    return replace(knobs, rows=rows, found_share=seen.found_share, quota_usd=max(1000.0, float(f"{quota:.2g}")))


def _improve_row(knobs: RowKnobs, cell: Cell, segment: Segment, like: Segment, seen: Simulated) -> RowKnobs:
    """Factors compare closed deals with all that began in the same markets, so that luck cancels out."""
    import numpy as np

    begun, closed = _begun(seen, cell), _closed(seen, cell)
    won = float(closed["won"].mean()) if len(closed) >= FEWEST else 0.0
    if won == 0:
        return knobs
    chances = np.cumprod([s.advance_probability for s in segment.stages])
    reached = np.array([1.0, *chances[:-1]])
    slope = float(reached @ [s.buyer_lag_weeks for s in like.stages])
    off = cell.cycle_weeks - float(closed["weeks"].mean())
    amounts, of_closed = begun["amount_usd"], closed["amount_usd"]
    return RowKnobs(
        lag_scale=max(0.0, knobs.lag_scale + off / slope) if slope > 0 else knobs.lag_scale,
        win_factor=float((begun["settles"] < chances[-1]).mean()) / won,
        median_factor=float(amounts.median() / of_closed.median()),
        mean_factor=float(amounts.mean() / of_closed.mean()),
    )


def compare(cells: Sequence[Cell], seen: Simulated) -> tuple[Check, ...]:
    """Observed and simulated, four numbers a cell. Amounts are of all closed deals: in the model size and
    result are apart.
    """
    from math import sqrt

    checks = []
    for cell in cells:
        deals = _closed(seen, cell)
        if len(deals) < FEWEST:
            continue
        n, amounts = len(deals), deals["amount_usd"]
        for what, observed, simulated, error in (
            ("win rate", cell.win_rate, deals["won"].mean(), _clustered_error(deals, "won")),
            (
                "median amount",
                cell.median_usd,
                amounts.median(),
                sqrt(1.5708 / n) * cell.sigma * cell.median_usd,
            ),
            ("mean amount", cell.mean_usd, amounts.mean(), amounts.std() / sqrt(n)),
            ("cycle weeks", cell.cycle_weeks, deals["weeks"].mean(), _clustered_error(deals, "weeks")),
        ):
            tolerance = STANDARD_ERRORS * float(error) + ROUNDING * float(observed)
            checks.append(Check(cell.segment, cell.route, what, float(observed), float(simulated), tolerance, n))
    return tuple(checks)


def _begun(seen: Simulated, cell: Cell) -> pd.DataFrame:
    """Simulated deals of a cell."""
    return seen.deals[(seen.deals["row"] == cell.row) & (seen.deals["route"] == cell.route)]


def _closed(seen: Simulated, cell: Cell) -> pd.DataFrame:
    """Those of them that were won or lost."""
    its = _begun(seen, cell)
    its = its[its["end"] != Kind.NO_DECISION]
    return its.assign(won=its["end"] != Kind.LOST)


def _clustered_error(deals: pd.DataFrame, column: str) -> float:
    """Standard error of a mean over deals that share a market: of the ratio of two sums over replications."""
    sums = deals.groupby("replication")[column].agg(["sum", "size"])
    off = sums["sum"] - sums["size"] * deals[column].mean()
    return float((off**2).sum() ** 0.5 / len(deals))
