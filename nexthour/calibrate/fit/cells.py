"""Closed deals to numbers: what a table says of each cell, a cell being a segment and a route.

* Win rate and the luck of quarters: the model's own law (posterior.py). Deals of one week share their fate in real
  tables; counts are divided by how much more weeks differ than chance (design effect; Rao and Scott 1992).
* Amounts are those of won deals. In the model a deal's size does not decide whether it is won, in real tables large
  deals are won less often; so one of the two must give, and bookings (won amounts) are what plans are judged by. The
  spread is the one that gives the mean back with the median: by the standard deviation of logarithms a capped or
  rounded column would book far too much. 0 counts as an amount that was not recorded.
* Cycles: cycles.py.
* Opportunities and their dispersion come from the weeks in which deals were opened, corrected for those of the last
  weeks, which had not closed yet. Without days, opportunities are the deals of the period.

Intervals are 90%. Those of amounts and cycles come from runs of weeks with closings, drawn again (posterior.py).
Small cells borrow strength from the others of their route (posterior.shrink).

Left out: what the manager did for these deals (no table says so), deals that went cold without being closed, trends,
seasons. Routes are compared as found: who gets which deal was somebody's choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray
from scipy.special import ndtr

from nexthour.calibrate.deals.deal_table import Deals
from nexthour.calibrate.deals.mapping import Mapping
from nexthour.calibrate.files.notation import EPOCH
from nexthour.calibrate.fit.cycles import deal_weights, mean_cycle, weibull_shape
from nexthour.calibrate.fit.posterior import (
    DISPERSION,
    FEWEST_WEEKS,
    SURENESS,
    Interval,
    Normal,
    arrivals,
    bootstrap_weeks,
    first_and_last,
    shrink_cells,
    win_rate,
)
from sim.arrays import FloatArray
from sim.documents.messages import show
from sim.errors import TableError
from sim.terms import WEEKS_PER_QUARTER

DAYS_PER_QUARTER = 7 * WEEKS_PER_QUARTER
FEWEST_DEALS = 5
"""Deals that a cell needs; what these do not say, the others of the route do."""
FEWEST_IN_ROUTE = 20
FEWEST_WON_IN_ROUTE = 3
MOST_SEGMENTS = 25
LEAST_IN_WEEKS = 0.25
"""Share of a cell's deals that were opened in weeks that can be used."""
SEEN_LEAST = 0.5
"""Weeks of which a smaller share has closed say nothing of arrivals."""


@dataclass(frozen=True)
class Cell:
    """What a table says of one segment and route. Intervals are 90%."""

    segment: str
    route: str
    deals: int
    won: int
    weeks: int
    """weeks with closings; 0 where the table has no days"""
    quarters: int
    """quarters of opening; 0 where the table has no days"""
    win_rate: Interval
    win_rate_shock: Interval
    design_effect: float
    """how many times as much the win rates of weeks differ as by chance"""
    without_amount: int
    """won deals whose amount is 0"""
    median_usd: Interval
    mean_usd: Interval
    sigma: Interval
    cycle_weeks: Interval
    cycle_shape: float
    won_cycle_weeks: float
    lost_cycle_weeks: float
    opportunities_per_quarter: Interval
    """opportunities of the whole table"""
    demand_cv: Interval | None
    """None where the table has too few weeks to say"""

    @property
    def row(self) -> str:
        """Name of the cell's row of the market map."""
        return row_name(self.segment, self.route)

    @property
    def observed_win_rate(self) -> float:
        """Share of the cell's deals that were won, before anything is borrowed from others."""
        return self.won / self.deals


@dataclass(frozen=True)
class DealPeriod:
    """The period in which the table's deals were opened and closed. Days as in Deals."""

    quarters: float
    """length of the period"""
    quarter_begins: float = 0.0
    """a day on which a quarter, and with it a week, begins"""
    first_day: float = np.nan
    """the first day of a week in which deals were closed; NaN where the table has no days"""
    last_day: float = np.nan
    """day of the export, else of the last closing"""
    open_deals_shown: bool = False
    """whether deals that are still open are in the table too, so that no opening is missing"""

    @classmethod
    def of(cls, deals: Deals, mapping: Mapping) -> DealPeriod:
        """The period of an export; closings before the first or after the last hundredth do not stretch it."""
        days = deals.closed["closed_day"]
        if days.isna().any():
            if mapping.quarters is None:
                raise TableError(f"{deals.name}: without a day of closing, quarters has to be given in the mapping")
            return cls(mapping.quarters)
        first, last = first_and_last(days.to_numpy())
        begins = float((mapping.quarter_begins - EPOCH).days) if mapping.closed is not None else float(last) + 1
        shown = mapping.takes_open_deals and len(deals.open) > 0
        if shown and mapping.as_of is not None:
            last = float((mapping.as_of - EPOCH).days)
        # The week that was under way on the first day is left out.
        first = begins + 7 * float(np.ceil((first - begins) / 7))
        quarters = (last + 1 - first) / DAYS_PER_QUARTER if mapping.quarters is None else mapping.quarters
        if quarters * WEEKS_PER_QUARTER < FEWEST_WEEKS:
            raise TableError(
                f"{deals.name}: its deals were closed within less than {FEWEST_WEEKS} weeks; "
                "take a longer period, or say in the mapping how many quarters it is"
            )
        return cls(quarters, begins, first, last, shown)


RowWords = TypeVar("RowWords", str, "pd.Series[str]")


def row_name(segment: RowWords, route: RowWords) -> RowWords:
    """Name of the market map's row of a segment and route: deals of two routes differ in size, so each is a row."""
    return segment + ", " + route


def spread(median: float, mean: float) -> float:
    """Sigma of the lognormal with this median and mean; at least .05, at most 3.

    >>> round(spread(40_000, 93_600), 2)
    1.3
    """
    return float(np.clip(np.sqrt(2 * np.log(max(mean / median, 1.0))), 0.05, 3.0))


def fit_cells(
    closed: pd.DataFrame, opened: pd.DataFrame, period: DealPeriod, name: str
) -> tuple[tuple[Cell, ...], pd.DataFrame]:
    """Fit the cells, direct before partner and the largest first, and the rows of cells too small to fit (row, reason).

    `closed` is as in Deals.closed; `opened` has segment, route, created_day and age_weeks of every deal, the age NaN
    if it is closed. Raises TableError if a route has too little.
    """
    rejected = [pd.DataFrame({"row": [], "reason": []})]
    routes: dict[str, dict[str, pd.DataFrame]] = {}
    for route in ("direct", "partner"):
        groups = {str(segment): group for segment, group in closed[closed["route"] == route].groupby("segment")}
        routes[route] = {segment: group for segment, group in groups.items() if len(group) >= FEWEST_DEALS}
        for segment in groups.keys() - routes[route].keys():
            why = f"{segment}, {route}: fewer than {FEWEST_DEALS} deals"
            rejected.append(pd.DataFrame({"row": groups[segment].index, "reason": why}))
        _check_enough(routes[route], route, name)
    cells = list[Cell]()
    for route, large in routes.items():
        by_segment = opened[opened["route"] == route].groupby("segment")
        cells += _fit_route(route, large, {str(segment): deals for segment, deals in by_segment}, period)
    segments = {cell.segment for cell in cells}
    if len(segments) > MOST_SEGMENTS:
        raise TableError(
            f"{name}: {len(segments)} segments; at most {MOST_SEGMENTS} are fitted; map a coarser column than that of "
            f"{show(cells[0].segment)}"
        )
    return tuple(sorted(cells, key=lambda c: (c.route, -c.deals, c.segment))), pd.concat(rejected).sort_values("row")


def _check_enough(groups: dict[str, pd.DataFrame], route: str, name: str) -> None:
    deals = sum(len(group) for group in groups.values())
    won = sum(int((group["won"] & (group["amount_usd"] > 0)).sum()) for group in groups.values())
    lost = sum(int((~group["won"]).sum()) for group in groups.values())
    if deals and not lost:
        raise TableError(
            f"{name}: no {route} deal is lost; a win rate needs lost ones: are they left out of the export?"
        )
    if deals < FEWEST_IN_ROUTE or won < FEWEST_WON_IN_ROUTE:
        raise TableError(
            f"{name}: {deals} {route} deals in segments of at least {FEWEST_DEALS}, {won} of them won with an amount; "
            f"allowed: at least {FEWEST_IN_ROUTE} of each route, {FEWEST_WON_IN_ROUTE} won with an amount; take a "
            "longer period or a coarser segment, and see that the mapping names who sold"
        )


def _fit_route(
    route: str, groups: dict[str, pd.DataFrame], opened: dict[str, pd.DataFrame], period: DealPeriod
) -> list[Cell]:
    rates = _fit_win_rates(list(groups.values()), period)
    sizes = _pool_amounts([_log_amounts(group) for group in groups.values()])
    cycles = shrink_cells(
        [mean_cycle(group, opened[segment], period.first_day, period.last_day) for segment, group in groups.items()]
    )
    demand = [_fit_demand(opened[segment]["created_day"], group, period) for segment, group in groups.items()]
    cells = []
    for (segment, group), (rate, luck, effect), size, cycle, (per_quarter, cv) in zip(
        groups.items(), rates, sizes, cycles, demand, strict=True
    ):
        won, days = group["won"], group["closed_day"]
        priced = int((won & (group["amount_usd"] > 0)).sum())
        known = bool(days.notna().all())
        cell = Cell(
            segment=segment,
            route=route,
            deals=len(group),
            won=int(won.sum()),
            weeks=len(np.unique(days // 7)) if known else 0,
            quarters=len(np.unique(_quarter(group, period))) if known else 0,
            win_rate=rate,
            win_rate_shock=luck,
            design_effect=effect,
            without_amount=int(won.sum()) - priced,
            median_usd=size[0],
            mean_usd=size[1],
            sigma=size[2],
            cycle_weeks=cycle.fitted(np.exp),
            cycle_shape=weibull_shape(group["cycle_weeks"]),
            won_cycle_weeks=float(group["cycle_weeks"][won].mean()) if won.any() else float(np.exp(cycle.mean)),
            lost_cycle_weeks=float(group["cycle_weeks"][~won].mean()) if not won.all() else float(np.exp(cycle.mean)),
            opportunities_per_quarter=per_quarter,
            demand_cv=cv,
        )
        cells.append(cell)
    return cells


def _quarter(group: pd.DataFrame, period: DealPeriod) -> NDArray[Any]:
    """Quarter in which each deal was opened: then its luck is drawn (docs/model.md)."""
    return np.floor((group["created_day"].to_numpy() - period.quarter_begins) / DAYS_PER_QUARTER)


def _fit_win_rates(groups: Sequence[pd.DataFrame], period: DealPeriod) -> list[tuple[Interval, Interval, float]]:
    counted = [_by_quarter(group, period) for group in groups]
    alone = [win_rate(won / effect, lost / effect) for won, lost, effect in counted]
    rates = shrink_cells([posterior.probit for posterior in alone])
    both = zip(rates, alone, counted, strict=True)
    return [(rate.fitted(ndtr), posterior.luck, effect) for rate, posterior, (_, _, effect) in both]


def _by_quarter(group: pd.DataFrame, period: DealPeriod) -> tuple[FloatArray, FloatArray, float]:
    """Deals won and lost by quarter of opening, and the design effect of weeks within quarters."""
    if group["closed_day"].isna().any():
        won = float(group["won"].sum())
        return np.array([won]), np.array([len(group) - won]), 1.0
    frame = group.assign(quarter=_quarter(group, period), week=group["closed_day"] // 7)
    quarters = frame.groupby("quarter")["won"].agg(["sum", "size"])
    weeks = frame.groupby(["quarter", "week"])["won"].agg(["sum", "size"]).reset_index()
    rate = weeks["quarter"].map(quarters["sum"] / quarters["size"])
    chance = float((weeks["size"] * rate * (1 - rate)).sum())
    free = len(weeks) - len(quarters)
    effect = 1.0
    if free >= FEWEST_WEEKS and chance > 0:
        effect = max(1.0, float(((weeks["sum"] - weeks["size"] * rate) ** 2).sum()) / chance * len(weeks) / free)
    return quarters["sum"].to_numpy(float), (quarters["size"] - quarters["sum"]).to_numpy(float), effect


def _log_amounts(group: pd.DataFrame) -> tuple[Normal, Normal] | None:
    """Logarithms of the median amount and of mean / median; None where too few won deals have one."""
    priced = group[group["won"] & (group["amount_usd"] > 0)]
    if len(priced) < FEWEST_WON_IN_ROUTE:
        return None
    amounts = priced["amount_usd"].to_numpy()

    def logarithms(values: FloatArray) -> list[float]:
        median = float(np.median(values))
        return [float(np.log(median)), float(np.log(values.mean() / median))]

    days = priced["closed_day"].to_numpy()
    median, ratio = bootstrap_weeks(days, lambda which: logarithms(amounts[which]), len(amounts))
    return median, ratio


def _pool_amounts(sizes: Sequence[tuple[Normal, Normal] | None]) -> list[tuple[Interval, Interval, Interval]]:
    """Median, mean and sigma of each cell; a cell without amounts gets those of its route."""
    known = [size for size in sizes if size is not None]
    medians, ratios = (iter(shrink_cells([size[k] for size in known])) for k in range(2))
    middle = tuple(_pooled_normal([size[k] for size in known]) for k in range(2))
    return [_as_amounts(*middle) if size is None else _as_amounts(next(medians), next(ratios)) for size in sizes]


def _pooled_normal(cells: Sequence[Normal]) -> Normal:
    """What is known of a cell of which nothing was seen: mean and spread of the others."""
    means = np.array([cell.mean for cell in cells])
    error = float(np.hypot(means.std(), np.mean([cell.error for cell in cells])))
    return Normal(float(means.mean()), error, max(cell.t for cell in cells))


def _as_amounts(median: Normal, ratio: Normal) -> tuple[Interval, Interval, Interval]:
    mean_ratio = ratio.fitted(lambda log: np.exp(max(log, 0.0)))
    sigma = Interval(*(spread(1.0, end) for end in (mean_ratio.value, mean_ratio.low, mean_ratio.high)))
    middle = median.mean + np.log(mean_ratio.value)
    error = float(np.hypot(median.error, ratio.error))
    return median.fitted(np.exp), Normal(middle, error, median.t).fitted(np.exp), sigma


def _fit_demand(days: pd.Series[float], group: pd.DataFrame, period: DealPeriod) -> tuple[Interval, Interval | None]:
    """Opportunities a quarter and `demand_cv` of a cell, from the days on which its deals were opened."""
    weekly = _weekly_counts(days, group, period)
    # Where hardly any deal was opened in a whole week of the period, these weeks say nothing of how many there are.
    if weekly is None or weekly[0].sum() < LEAST_IN_WEEKS * len(group):
        shown = period.open_deals_shown and np.isfinite(period.first_day)
        deals = int(days.between(period.first_day, period.last_day).sum()) if shown else len(group)
        return _deals_per_quarter(deals, period), None
    weeks = arrivals(*weekly)
    return weeks.log_per_week.fitted(np.exp).scaled(WEEKS_PER_QUARTER), weeks.log_dispersion.fitted(np.exp)


def _deals_per_quarter(deals: int, period: DealPeriod) -> Interval:
    """Deals / quarters, where nothing is known of weeks: the interval is that of weeks as dispersed as usual."""
    value = max(deals, 0.5) / period.quarters
    error = (1 / max(deals, 0.5) + DISPERSION**2 / (WEEKS_PER_QUARTER * period.quarters)) ** 0.5
    return Normal(float(np.log(value)), float(error), float(scipy.stats.norm.ppf((1 + SURENESS) / 2))).fitted(np.exp)


def _weekly_counts(
    days: pd.Series[float], group: pd.DataFrame, period: DealPeriod
) -> tuple[FloatArray, FloatArray] | None:
    """Deals opened in each whole week of the period, and the share of them that the table can show."""
    if days.isna().any() or not np.isfinite(period.first_day):
        return None
    first = period.first_day
    weeks = int((period.last_day + 1 - first) // 7)
    if weeks < FEWEST_WEEKS:
        return None
    counts = np.bincount(((days - first) // 7).astype(int).clip(-1, weeks) + 1, minlength=weeks + 2)[1 : weeks + 1]
    seen = np.ones(weeks)
    if not period.open_deals_shown:
        left = (period.last_day - (first + 7 * np.arange(weeks) + 3.5)) / 7
        stands = deal_weights(group["created_day"].to_numpy(), group["closed_day"].to_numpy(), first, period.last_day)
        order = np.argsort(group["cycle_weeks"].to_numpy())
        closed = np.concatenate([[0.0], np.cumsum(stands[order])])
        seen = closed[np.searchsorted(group["cycle_weeks"].to_numpy()[order], left, side="right")]
    usable = seen >= SEEN_LEAST
    return (counts[usable].astype(float), seen[usable]) if usable.sum() >= FEWEST_WEEKS else None
