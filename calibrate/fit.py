"""Closed deals to numbers: win rate, deal size and cycle of each cell, a cell being a segment and a route.

Modelled: the share won with a 95% interval; won amounts as a lognormal that keeps their median and mean; the
recorded cycle as a Weibull that keeps its mean.

* Amounts are those of won deals. In the model a deal's size does not decide whether it is won, in real tables
  large deals are won less often; so one of the two must give, and bookings (won amounts) are what plans are
  judged by. The spread is the one that gives the mean back with the median: by the standard deviation of
  logarithms a capped or rounded column would book far too much. 0 counts as an amount that was not recorded.
* Cycles are those of all closed deals, won and lost: in the model the outcome hardly changes a partner's
  cycle, and the whole sample gives the right number of open deals. Where won and lost differ, the time to a
  booking is that much off.

Left out: what the manager did for these deals (no table says so), deals that went cold without being closed,
trends, seasons. Routes are compared as found: who gets which deal was somebody's choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from calibrate.table import Deals, Rejected
from sim.documents import show
from sim.errors import TableError

if TYPE_CHECKING:
    import pandas as pd

FEWEST_DEALS = 20
FEWEST_WON = 3
MOST_SEGMENTS = 25
SMALLEST_CYCLE_WEEKS = 0.5 / 7
"""What a recorded cycle of 0 days counts as in the shape: half a day."""


@dataclass(frozen=True)
class Cell:
    """What a table says of one segment and route."""

    segment: str
    route: str
    deals: int
    won: int
    win_rate: float
    win_low: float
    win_high: float
    by_week: bool
    """whether the interval respects that deals of one week share their luck"""
    without_amount: int
    """won deals whose amount is 0"""
    median_usd: float
    mean_usd: float
    mean_usd_error: float
    """standard error"""
    sigma: float
    cycle_weeks: float
    cycle_error: float
    """standard error"""
    cycle_shape: float
    won_cycle_weeks: float
    lost_cycle_weeks: float

    @property
    def row(self) -> str:
        """Name of the cell's row of the market map: deals of two routes differ in size, so each route is a
        row of its own.
        """
        return f"{self.segment}, {self.route}"


def spread(median: float, mean: float, otherwise: float) -> float:
    """Sigma of the lognormal with this median and mean, `otherwise` where there is none; at most 3.

    >>> round(spread(40_000, 93_600, 1.0), 2)
    1.3
    """
    from math import log, sqrt

    return float(min(sqrt(2 * log(mean / median)) if mean > median else otherwise, 3.0))


def fit_cells(deals: Deals) -> tuple[tuple[Cell, ...], tuple[Rejected, ...]]:
    """The cells, largest first within a route, and the rows of cells too small to fit. Raises TableError."""
    cells, rejected = [], []
    for (segment, route), group in deals.frame.groupby(["segment", "route"], sort=True):
        priced = int((group["won"] & (group["amount_usd"] > 0)).sum())
        if len(group) < FEWEST_DEALS or priced < FEWEST_WON or group["won"].all():
            why = f"{segment}, {route}: too few deals ({len(group)}, {priced} of them won with an amount)"
            rejected += [Rejected(int(line), why) for line in group["line"]]
        else:
            cells.append(_cell(str(segment), str(route), group))
    for route in ("direct", "partner"):
        if not any(cell.route == route for cell in cells):
            raise TableError(
                f"{deals.name}: no segment has enough {route} deals; a segment needs {FEWEST_DEALS}, "
                f"{FEWEST_WON} of them won "
                "with an amount and one lost; map a coarser segment column"
            )
    segments = {cell.segment for cell in cells}
    if len(segments) > MOST_SEGMENTS:
        raise TableError(
            f"{deals.name}: {len(segments)} segments; at most {MOST_SEGMENTS} are fitted; map a coarser "
            f"column than that of "
            f"{show(cells[0].segment)}"
        )
    return tuple(sorted(cells, key=lambda c: (c.route, -c.deals, c.segment))), tuple(rejected)


def _cell(segment: str, route: str, group: pd.DataFrame) -> Cell:
    from math import log

    from scipy import stats

    won = group["won"]
    amounts = group.loc[won & (group["amount_usd"] > 0), "amount_usd"]
    cycle = group["cycle_weeks"]
    median, mean = amounts.median(), amounts.mean()
    low, high, by_week = _win_interval(group)
    shape = stats.weibull_min.fit(cycle.clip(lower=SMALLEST_CYCLE_WEEKS), floc=0)[0]
    return Cell(
        segment=segment,
        route=route,
        deals=len(group),
        won=int(won.sum()),
        win_rate=float(won.mean()),
        win_low=low,
        win_high=high,
        by_week=by_week,
        without_amount=int(won.sum()) - len(amounts),
        median_usd=median,
        mean_usd=mean,
        mean_usd_error=_error(amounts),
        sigma=spread(median, mean, amounts.map(log).std()),
        cycle_weeks=float(cycle.mean()),
        cycle_error=_error(cycle),
        cycle_shape=float(min(max(shape, 0.3), 50.0)),
        won_cycle_weeks=float(cycle[won].mean()),
        lost_cycle_weeks=float(cycle[~won].mean()),
    )


def _error(values: pd.Series[float]) -> float:
    """Standard error of the mean."""
    return float(values.std() / len(values) ** 0.5)


def _win_interval(group: pd.DataFrame) -> tuple[float, float, bool]:
    """95% interval of the share won: by resampling whole weeks where they are known, else Wilson's."""
    import numpy as np
    from scipy import stats

    weeks = group.groupby("closed_week")["won"].agg(["sum", "size"])
    if len(weeks) < 5:
        exact = stats.binomtest(int(group["won"].sum()), len(group)).proportion_ci(method="wilson")
        return float(exact.low), float(exact.high), False

    def share(won: Any, deals: Any, axis: int = -1) -> Any:
        return won.sum(axis=axis) / deals.sum(axis=axis)

    blocks = stats.bootstrap(
        (weeks["sum"].to_numpy(), weeks["size"].to_numpy()), share, paired=True, method="percentile",
        n_resamples=2000, rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    return float(blocks.low), float(blocks.high), True
