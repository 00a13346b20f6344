"""What deals of other territories or later weeks should look like, and whether they do: the test of a fit.

From deals that were seen: the chance to win and the cycle by segment and size of deal (a deal's amount is known when it
is opened; small ones are won more often), the luck of territories and weeks (effects.py), and how much the weeks of one
territory differ. Drawn many times for the deals of a cell (a territory and a route), with their segments and
amounts, that gives each number a middle and a 90% interval:

* win rate; won amount per opportunity; quantiles of the cycle; variance / mean of the closings of whole weeks.

The error is set beside that of the plain forecast: the number of the route over all deals seen.

`backtest` fits on some territories and early weeks and predicts the others: does the real number lie where it was said
to? Left out: how many deals close in each week, and which (they are given); trends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from nexthour.calibrate.deals.deal_table import Deals
from nexthour.calibrate.fit.cycles import SMALLEST_WEEKS
from nexthour.calibrate.fit.effects import Blocks, ObservedBlocks, Sizes, draw_effects
from nexthour.calibrate.fit.posterior import SURENESS, Interval, arrivals, first_and_last
from sim.arrays import FloatArray
from sim.documents.messages import guess, show
from sim.errors import TableError

WEEKLY_DISPERSION = "weekly dispersion"
"""Variance / mean of the closings of whole weeks."""
SIZE_BANDS = 6
QUANTILES = (0.25, 0.5, 0.75, 0.9)
DRAWS = 400
FEWEST = 20
"""Deals below which nothing is said of a cell."""
FEWEST_COUNTED_WEEKS = 3
"""Whole weeks below which nothing is said of how they differ."""
WIN_SIZES = Sizes(territory=0.05, week=0.45, territory_in_week=0.3, time=0.6, territory_in_time=0.25)
"""Prior of effects on the chance to win, as shares of it. Of the order that maximum likelihood finds in the public
win/loss sample (weeks .4 to .5, territories in them .2 to .3, lasting territories about .1 or less); that of times is
judgement: quarters end with a rush."""
CYCLE_SIZES = Sizes(territory=0.03, week=0.15, territory_in_week=0.15, time=0.25, territory_in_time=0.15)
"""Prior of effects on the cycle, as shares of it."""
MOST_BLOCKS = 300
"""Blocks above which weeks are put together."""
LEAST_FACTOR = 0.05
"""Least factor that an effect leaves: a normal effect may say that there is less than nothing."""


@dataclass(frozen=True)
class Prediction:
    """One number of one cell."""

    territory: str
    route: str
    what: str
    deals: int
    predicted: Interval
    by_route: float
    """the plain forecast: the same number of the route, over all deals seen"""
    observed: float

    @property
    def inside(self) -> bool:
        """Whether the real number lies in the 90% interval."""
        return self.predicted.low <= self.observed <= self.predicted.high


def predict(seen: pd.DataFrame, others: pd.DataFrame, seed: int = 1) -> tuple[Prediction, ...]:
    """Predict every number of every cell of `others`, from the deals `seen`; both as Deals.closed.

    Outcome and cycle of the others are only compared with. Raises TableError if the deals seen have no days or too
    little of a route.
    """
    rng = np.random.default_rng(seed)
    found = list[Prediction]()
    for route in ("direct", "partner"):
        known, wanted = seen[seen["route"] == route], others[others["route"] == route]
        if wanted.empty:
            continue
        if len(known) < FEWEST or known["won"].all() or not known["won"].any():
            raise TableError(
                f"{len(known)} {route} deals to predict from; allowed: at least {FEWEST}, won and lost ones; "
                "fit on more territories or weeks"
            )
        if known["closed_day"].isna().any() or wanted["closed_day"].isna().any():
            raise TableError("without a day of closing no deal is predicted; map closed, or closed_days_ago")
        found += _predict_route(route, known, wanted, rng)
    return tuple(found)


def _predict_route(route: str, known: pd.DataFrame, wanted: pd.DataFrame, rng: Any) -> list[Prediction]:
    groups = [(str(name), group) for name, group in wanted.groupby("territory") if len(group) >= FEWEST]
    if not groups:
        return []
    grid = _Grid.of(known, [group for _, group in groups])
    mix = _Mix.of(known)
    wins = draw_effects(_win_effects(known, mix, grid), grid.blocks, WIN_SIZES, DRAWS, rng)
    cycles = draw_effects(_cycle_effects(known, mix, grid), grid.blocks, CYCLE_SIZES, DRAWS, rng)
    # What cycles would be without the luck of their blocks, so that it is not counted twice.
    mix = mix.with_cycles(known, np.maximum(1 + cycles.mean(axis=0)[grid.known_at], LEAST_FACTOR))
    dispersions = _dispersions(known)
    found = []
    for (name, group), at in zip(groups, grid.wanted_at, strict=True):
        drawn = mix.draw(group, wins[:, at], cycles[:, at], rng) | _draw_dispersion(group, dispersions, rng)
        observed, forecast = observed_numbers(group), _plain_forecast(known)
        for what, values in drawn.items():
            # The median: an effect that leaves less than nothing is cut off, which lifts the mean.
            low, middle, high = np.quantile(values, [(1 - SURENESS) / 2, 0.5, (1 + SURENESS) / 2])
            predicted = Interval(float(middle), float(low), float(high))
            found.append(Prediction(name, route, what, len(group), predicted, forecast[what], observed[what]))
    return found


def observed_numbers(group: pd.DataFrame) -> dict[str, float]:
    """The real numbers of some deals that are predicted of others."""
    found = {
        "win rate": float(group["won"].mean()),
        "won amount per opportunity": float((group["amount_usd"] * group["won"]).mean()),
    }
    for q in QUANTILES:
        found[_cycle_name(q)] = float(group["cycle_weeks"].quantile(q))
    counts = whole_weeks(group["closed_day"])
    if len(counts) >= FEWEST_COUNTED_WEEKS:
        found[WEEKLY_DISPERSION] = float(counts.var(ddof=1) / counts.mean())
    return found


def _cycle_name(q: float) -> str:
    return f"cycle weeks, {q:.0%} quantile"


def _plain_forecast(known: pd.DataFrame) -> dict[str, float]:
    """The numbers of the whole route; dispersion is the territories' mean, as that of their sum is not comparable."""
    pooled = observed_numbers(known)
    each = [observed_numbers(group).get(WEEKLY_DISPERSION) for _, group in known.groupby("territory")]
    dispersions = [value for value in each if value is not None]
    return pooled | {WEEKLY_DISPERSION: float(np.mean(dispersions)) if dispersions else float("nan")}


def whole_weeks(days: pd.Series[float]) -> NDArray[np.int64]:
    """Number of deals in each whole week, shape (weeks,). Strays do not open a week."""
    first, last = first_and_last(days.to_numpy())
    weeks = int((last + 1 - first) // 7)
    week = ((days - first) // 7).astype(int)
    return np.bincount(week[(week >= 0) & (week < weeks)], minlength=weeks)


@dataclass(frozen=True, eq=False)
class _Mix:
    """What segment and size of a deal say of its outcome and cycle. A kind is a segment and a band of amounts."""

    edges: FloatArray
    kinds: dict[tuple[str, int], int]
    won: FloatArray
    """Beta posterior of the chance to win, by kind; the last is for kinds that were not seen"""
    lost: FloatArray
    cycles: list[FloatArray]
    """weeks, by kind"""

    @classmethod
    def of(cls, known: pd.DataFrame) -> _Mix:
        amounts = known.loc[known["amount_usd"] > 0, "amount_usd"]
        shares = np.linspace(0, 1, SIZE_BANDS + 1)[1:-1]
        edges = np.unique(np.quantile(amounts, shares)) if len(amounts) else np.array([])
        bands = _bands(known, edges)
        kinds = {kind: i for i, kind in enumerate(sorted(set(zip(known["segment"], bands, strict=True))))}
        which = np.array([kinds[kind] for kind in zip(known["segment"], bands, strict=True)])
        wins = np.bincount(which, known["won"].astype(float), len(kinds))
        deals = np.bincount(which, minlength=len(kinds))
        a, b = _beta_of(wins, deals)
        made = cls(edges, kinds, np.append(wins + a, a), np.append(deals - wins + b, b), [])
        return made.with_cycles(known, np.ones(len(known)))

    def with_cycles(self, known: pd.DataFrame, factor: FloatArray) -> _Mix:
        """The mix with the cycles of the known deals, each divided by its factor."""
        weeks, which = known["cycle_weeks"].to_numpy() / factor, self.kind(known)
        return replace(self, cycles=[*(weeks[which == i] for i in range(len(self.kinds))), weeks])

    def kind(self, deals: pd.DataFrame) -> NDArray[np.int64]:
        """Kind of each deal."""
        unseen = len(self.kinds)
        both = zip(deals["segment"], _bands(deals, self.edges), strict=True)
        return np.array([self.kinds.get(kind, unseen) for kind in both])

    def chance(self, deals: pd.DataFrame) -> FloatArray:
        """Chance to win of each deal."""
        return np.asarray((self.won / (self.won + self.lost))[self.kind(deals)])

    def usual_cycle(self, deals: pd.DataFrame) -> FloatArray:
        """Mean cycle of deals like each, in weeks."""
        return np.array([max(weeks.mean(), SMALLEST_WEEKS) for weeks in self.cycles])[self.kind(deals)]

    def draw(self, group: pd.DataFrame, wins: FloatArray, cycles: FloatArray, rng: Any) -> dict[str, FloatArray]:
        """Numbers of a cell, drawn with these effects on each deal: shape (draws, deals) each."""
        kind, amounts = self.kind(group), group["amount_usd"].to_numpy()
        drawn: dict[str, list[float]] = {"win rate": [], "won amount per opportunity": []}
        quantiles = []
        for on_win, on_cycle in zip(wins, cycles, strict=True):
            chance = rng.beta(self.won, self.lost)[kind]
            won = rng.random(len(kind)) < chance * np.maximum(1 + on_win, LEAST_FACTOR)
            drawn["win rate"].append(won.mean())
            drawn["won amount per opportunity"].append((won * amounts).mean())
            weeks = np.empty(len(kind))
            for k in np.unique(kind):
                of_kind = kind == k
                weeks[of_kind] = rng.choice(self.cycles[k], of_kind.sum())
            quantiles.append(np.quantile(np.round(weeks * np.maximum(1 + on_cycle, LEAST_FACTOR) * 7) / 7, QUANTILES))
        by_name = {_cycle_name(q): np.array(quantiles)[:, i] for i, q in enumerate(QUANTILES)}
        return {name: np.array(values) for name, values in drawn.items()} | by_name


def _bands(deals: pd.DataFrame, edges: FloatArray) -> NDArray[np.int64]:
    """Band of each amount; amounts that were not recorded have one of their own."""
    return np.where(deals["amount_usd"] > 0, 1 + np.searchsorted(edges, deals["amount_usd"]), 0)


def _beta_of(won: NDArray[Any], deals: NDArray[np.int64]) -> tuple[float, float]:
    """The Beta distribution of the chances of kinds, by maximum likelihood of their wins (beta-binomial)."""
    mean = float((won.sum() + 0.5) / (deals.sum() + 1))

    def unlikely(log_weight: float) -> float:
        weight = np.exp(log_weight)
        return -float(scipy.stats.betabinom.logpmf(won, deals, mean * weight, (1 - mean) * weight).sum())

    weight = float(np.exp(scipy.optimize.minimize_scalar(unlikely, bounds=(0, 8), method="bounded").x))
    return mean * weight, (1 - mean) * weight


@dataclass(frozen=True)
class _Grid:
    """Blocks of the known deals first, then those of the wanted ones."""

    blocks: Blocks
    known: Blocks
    known_at: NDArray[np.int64]
    """block of each known deal"""
    wanted_at: list[NDArray[np.int64]]
    """block of each wanted deal, by group"""

    @classmethod
    def of(cls, known: pd.DataFrame, groups: list[pd.DataFrame]) -> _Grid:
        every = pd.concat([known, *groups])
        weeks, n = (every["closed_day"] // 7).to_numpy(int), len(known)
        together = max(1, -(-known["territory"].nunique() * int(np.ptp(weeks[:n]) + 1) // MOST_BLOCKS))
        keys = np.stack([pd.factorize(every["territory"])[0], (weeks - weeks.min()) // together], axis=1)
        seen, at = np.unique(keys[:n], axis=0, return_inverse=True)
        wanted, where = np.unique(keys[n:], axis=0, return_inverse=True)
        place, week = np.concatenate([seen, wanted]).T
        new = ~np.isin(week, seen[:, 1])
        first = len(seen)
        ends = np.cumsum([len(group) for group in groups])[:-1]
        return cls(
            Blocks(place, week, new),
            Blocks(place[:first], week[:first], new[:first]),
            at.ravel(),
            np.split(first + where.ravel(), ends),
        )


def _win_effects(known: pd.DataFrame, mix: _Mix, grid: _Grid) -> ObservedBlocks:
    """The share by which the wins of each block are off what its mix of deals says."""
    chance = mix.chance(known)
    won, expected = np.bincount(grid.known_at, known["won"].astype(float)), np.bincount(grid.known_at, chance)
    variance = np.bincount(grid.known_at, chance * (1 - chance))
    return ObservedBlocks(grid.known, won / expected - 1, variance**0.5 / expected)


def _cycle_effects(known: pd.DataFrame, mix: _Mix, grid: _Grid) -> ObservedBlocks:
    """The share by which the cycles of each block are off what its mix of deals says."""
    weeks, usual = known["cycle_weeks"].to_numpy(), mix.usual_cycle(known)
    expected = np.bincount(grid.known_at, usual)
    spread = float((weeks - usual).std())
    error = spread * np.bincount(grid.known_at) ** 0.5 / expected
    return ObservedBlocks(grid.known, np.bincount(grid.known_at, weeks) / expected - 1, error)


def _dispersions(known: pd.DataFrame) -> list[tuple[float, float]]:
    """Mean and error of the logarithm of `demand_cv` of the closings of each territory."""
    found = []
    for _, group in known.groupby("territory"):
        counts = whole_weeks(group["closed_day"]).astype(float)
        if len(counts) >= FEWEST_COUNTED_WEEKS:
            log_dispersion = arrivals(counts, np.ones(len(counts))).log_dispersion
            found.append((log_dispersion.mean, log_dispersion.error))
    return found


def _draw_dispersion(group: pd.DataFrame, dispersions: list[tuple[float, float]], rng: Any) -> dict[str, FloatArray]:
    """Variance / mean of weeks that share the deals of a cell as unevenly as those of a territory seen, any of them."""
    counts = whole_weeks(group["closed_day"])
    if len(counts) < FEWEST_COUNTED_WEEKS or not dispersions:
        return {}
    which = rng.integers(0, len(dispersions), DRAWS)
    mean, error = np.array(dispersions)[which].T
    shape = np.exp(-2 * (mean + error * rng.normal(size=DRAWS)))
    weights = rng.gamma(np.repeat(shape[:, None], len(counts), axis=1))
    drawn = rng.multinomial(int(counts.sum()), weights / weights.sum(axis=1, keepdims=True))
    return {WEEKLY_DISPERSION: drawn.var(axis=1, ddof=1) / drawn.mean(axis=1)}


@dataclass(frozen=True)
class Backtest:
    """Predictions of the deals held out, beside what came of them."""

    predictions: tuple[Prediction, ...]
    deals_seen: int
    deals_held_out: int

    @property
    def covered(self) -> float:
        """Share of the numbers that lie in their 90% interval."""
        return float(np.mean([prediction.inside for prediction in self.predictions]))

    def summary(self) -> list[dict[str, Any]]:
        """A row for each kind of number: how many there are and the share covered, then as shares of the real number
        half the width of the interval and the errors of this forecast and of the plain one (None where all are 0).
        """
        rows = []
        for what in dict.fromkeys(prediction.what for prediction in self.predictions):
            of_kind = [one for one in self.predictions if one.what == what]
            positive = [one for one in of_kind if one.observed > 0]
            rows.append(
                {
                    "what": what,
                    "cells": len(of_kind),
                    "covered": float(np.mean([one.inside for one in of_kind])),
                    "width": _mean((one.predicted.high - one.predicted.low) / one.observed / 2 for one in positive),
                    "error": _mean(abs(one.predicted.value / one.observed - 1) for one in positive),
                    "error by route": _mean(abs(one.by_route / one.observed - 1) for one in positive),
                }
            )
        return rows


def _mean(values: Iterable[float]) -> float | None:
    listed = list(values)
    return float(np.mean(listed)) if listed else None


def backtest(
    deals: Deals, territories: Sequence[str] | None = None, until_share: float = 1.0, seed: int = 1
) -> Backtest:
    """Predict the deals of other territories, and of the weeks after the first `until_share` of the closings.

    `territories` are those fitted on, all if None. The deals seen are theirs, closed in the early weeks; all others are
    held out, early and late ones apart. Raises TableError if nothing is left to fit on or to predict.
    """
    closed = deals.closed
    if closed["closed_day"].isna().any():
        raise TableError(
            f"{deals.name}: deals without a closing day cannot be predicted; map closed, or closed_days_ago"
        )
    known = sorted(set(closed["territory"]))
    for name in territories or ():
        if name not in known:
            raise TableError(f"{deals.name}: no territory {show(name)}; {guess(name, known)}")
    if not 0 < until_share <= 1:
        raise TableError(f"until_share is {until_share!r}; allowed: above 0, at most 1 (share of the closings)")
    chosen = closed["territory"].isin(known if territories is None else list(territories))
    # Whole weeks, so that none is on both sides.
    week = closed["closed_day"] // 7
    early = week <= week.quantile(until_share)
    seen, rest = closed[chosen & early], closed[~(chosen & early)]
    if rest.empty:
        raise TableError(f"{deals.name}: no deal is left to predict; name fewer territories or a smaller until_share")
    parts = [rest[early[rest.index]], rest[~early[rest.index]]]
    found = [prediction for part in parts if len(part) for prediction in predict(seen, part, seed)]
    if not found:
        raise TableError(f"{deals.name}: no cell that was held out has enough deals; hold out more")
    return Backtest(tuple(found), len(seen), len(rest))
