"""Two small posteriors on grids: a win rate with the luck of quarters, and a rate of arrivals with the luck of weeks.

They are the model's own laws (docs/model.md), so what they say of `win_rate_shock` and `demand_cv` can be put into a
scenario as it is:

* within a quarter the fate of a segment's deals is tied by a one-factor Gaussian copula of size L: given the quarter's
  luck z, a deal is won with probability Phi((x - L z) / sqrt(1 - L^2)), x = Phi^-1(win rate) (Vasicek 2002);
* a week's opportunities are Poisson with a gamma factor of mean 1 and coefficient of variation v: negative binomial.

Where the table is silent the prior speaks: one quarter says nothing of L. Priors are stated here and nowhere else.

Errors of statistics of deals come from drawing runs of weeks again, as deals of one week, and of the next, share their
luck: circular blocks (Politis & Romano 1992), as long as the cube root of the weeks.

Left out: how deals become counts, and what one cell lends another (cells.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy.special import gammaln, log_ndtr, logsumexp, ndtri

from sim.arrays import FloatArray

SURENESS = 0.90
"""Probability that every interval in calibrate covers."""
LUCK_SCALE = 0.25
"""Half-normal prior of `win_rate_shock`. Judgement: quarters in which a win rate of 50% becomes 40 or 60% are usual."""
DISPERSION = 0.4
DISPERSION_SPREAD = 0.8
"""Lognormal prior of `demand_cv`. Judgement: the model's default, give or take a factor of two."""


@dataclass(frozen=True)
class Interval:
    """A number with its 90% interval."""

    value: float
    low: float
    high: float

    @classmethod
    def on_grid(cls, grid: FloatArray, mass: FloatArray) -> Interval:
        """Median and central interval of a distribution on a grid, each point standing for what lies around it."""
        below = np.cumsum(mass) / mass.sum() - mass / mass.sum() / 2
        tail = (1 - SURENESS) / 2
        middle, low, high = np.interp([0.5, tail, 1 - tail], below, grid)
        return cls(float(middle), float(low), float(high))

    def scaled(self, factor: float) -> Interval:
        """The number in another unit, times a positive `factor`."""
        return Interval(self.value * factor, self.low * factor, self.high * factor)


@dataclass(frozen=True)
class Normal:
    """A number on a scale on which its posterior is about normal."""

    mean: float
    error: float
    """standard deviation of it"""
    t: float
    """half-width of the 90% interval in standard deviations"""

    @classmethod
    def of(cls, grid: FloatArray, mass: FloatArray) -> Normal:
        """The normal with mean, deviation and 90% interval of a distribution given on a grid."""
        fitted = Interval.on_grid(grid, mass)
        mean = float(np.average(grid, weights=mass))
        error = float(np.average((grid - mean) ** 2, weights=mass) ** 0.5)
        return cls(mean, error, (fitted.high - fitted.low) / 2 / error)

    def fitted(self, back: Callable[[float], float]) -> Interval:
        """Value and interval on the usual scale, to which `back` leads."""
        return Interval(*(float(back(self.mean + side * self.error)) for side in (0, -self.t, self.t)))


@dataclass(frozen=True)
class WinRate:
    """What the deals of a cell say of its win rate, and of the luck of its quarters."""

    probit: Normal
    """Phi^-1 of the win rate"""
    luck: Interval


def win_rate(won: FloatArray, lost: FloatArray) -> WinRate:
    """Posterior of win rate and luck from the deals won and lost in each quarter, shape (quarters,) each.

    Counts may be fractions (deals of one week that share their fate count for fewer). The prior of the win rate is
    flat.
    """
    deals = won.sum() + lost.sum()
    centre = float(ndtri((won.sum() + 0.5) / (deals + 1)))
    # Wide enough for binomial luck and for that of quarters, in which the prior of L lives.
    reach = 8 / np.sqrt(deals + 4) + 4 * LUCK_SCALE / np.sqrt(len(won)) + 0.2
    x = np.linspace(centre - reach, centre + reach, 81)[:, None, None]
    sizes = np.linspace(0.005, 0.8, 41)
    size = sizes[None, :, None]
    z = np.linspace(-5, 5, 161)
    at = (x - size * z) / np.sqrt(1 - size**2)
    passes, fails = log_ndtr(at), log_ndtr(-at)
    weight = -(z**2) / 2
    likelihood = sum(logsumexp(w * passes + f * fails + weight, axis=2) for w, f in zip(won, lost, strict=True))
    log_posterior = likelihood - (sizes[None, :] / LUCK_SCALE) ** 2 / 2 - x[:, :, 0] ** 2 / 2
    mass = np.exp(log_posterior - log_posterior.max())
    return WinRate(Normal.of(x[:, 0, 0], mass.sum(axis=1)), Interval.on_grid(sizes, mass.sum(axis=0)))


@dataclass(frozen=True)
class Arrivals:
    """What the weeks of a cell say of its opportunities."""

    log_per_week: Normal
    log_dispersion: Normal
    """logarithm of the coefficient of variation of a week's gamma factor"""


def arrivals(counts: FloatArray, seen: FloatArray) -> Arrivals:
    """Posterior of arrivals a week and their dispersion, from weekly counts, shape (weeks,).

    `seen` is the share of each week's opportunities that the table can show (others had not closed yet). The prior of
    the rate is flat in its logarithm.
    """
    mean = max(float(counts.sum() / seen.sum()), 0.5 / float(seen.sum()))
    error = np.sqrt((1 / mean + 4 * DISPERSION**2) / len(counts))
    log_rate = np.linspace(np.log(mean) - 5 * error, np.log(mean) + 5 * error, 81)[:, None, None]
    log_cv = (np.log(DISPERSION) + np.linspace(-3.5, 2.5, 61) * DISPERSION_SPREAD)[None, :, None]
    shape = np.exp(-2 * log_cv)
    expected = np.exp(log_rate) * seen
    # A negative binomial; terms without the two parameters are left out.
    likelihood = (
        gammaln(counts + shape) - gammaln(shape) + shape * np.log(shape / (shape + expected))
        + counts * np.log(expected / (shape + expected))
    ).sum(axis=2)  # fmt: skip
    log_posterior = likelihood - ((log_cv[:, :, 0] - np.log(DISPERSION)) / DISPERSION_SPREAD) ** 2 / 2
    mass = np.exp(log_posterior - log_posterior.max())
    return Arrivals(Normal.of(log_rate[:, 0, 0], mass.sum(axis=1)), Normal.of(log_cv[0, :, 0], mass.sum(axis=0)))


def shrink(values: FloatArray, errors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Estimates and standard errors of some cells, shape (cells,), after they have borrowed from each other.

    Normal cells around a normal mean; mean and spread are not known either, and are averaged over with flat priors
    (Gelman et al., Bayesian Data Analysis, section 5.4). Fewer than three cells say nothing of their spread and stay as
    they are.
    """
    cells = len(values)
    if cells < 3:
        return values, errors
    widest = 3 * max(float(np.std(values, ddof=1)), float(errors.mean()))
    spread = np.linspace(0.01, 1, 100)[:, None] * widest
    weight = 1 / (errors**2 + spread**2)
    mean_variance = 1 / weight.sum(axis=1, keepdims=True)
    mean = (weight * values).sum(axis=1, keepdims=True) * mean_variance
    fit = (np.log(weight) - weight * (values - mean) ** 2).sum(axis=1, keepdims=True) + np.log(mean_variance)
    mass = np.exp((fit - fit.max()) / 2)
    mass /= mass.sum()
    own, common = errors**-2, spread**-2
    shrunken = (own * values + common * mean) / (own + common)
    variance = 1 / (own + common) + (common / (own + common)) ** 2 * mean_variance
    middle = (mass * shrunken).sum(axis=0)
    return middle, (mass * (variance + (shrunken - middle) ** 2)).sum(axis=0) ** 0.5


def shrink_cells(cells: Sequence[Normal]) -> list[Normal]:
    """Cells with intervals, after they have borrowed from each other as in `shrink`."""
    means, errors = shrink(np.array([cell.mean for cell in cells]), np.array([cell.error for cell in cells]))
    both = zip(cells, means.tolist(), errors.tolist(), strict=True)
    return [replace(cell, mean=mean, error=error) for cell, mean, error in both]


FEWEST_WEEKS = 6
"""Weeks below which nothing is said of how weeks differ."""
STRAYS = 0.01
"""Share of the days at either end that does not open the period: a wrong year would stretch it."""
DRAWS = 200
LEAST_LOG_ERROR = 1e-3
"""Least standard error of a logarithm: amounts that are all the same are not known for ever."""


def first_and_last(days: NDArray[Any]) -> tuple[float, float]:
    """The days between which all lie but the first and the last hundredth, and one at least at either end."""
    first, last = np.quantile(days, STRAYS, method="higher"), np.quantile(days, 1 - STRAYS, method="lower")
    return float(first), float(max(first, last))


def bootstrap_weeks(days: FloatArray, statistic: Callable[[NDArray[Any]], list[float]], size: int) -> list[Normal]:
    """Statistics of deals, with errors by drawing runs of weeks again; `statistic` takes the places of the deals drawn.

    Deals are drawn one by one where the days are not known or the weeks are too few.
    """
    weeks = np.unique(days // 7) if np.isfinite(days).all() else np.array([])
    one_by_one = len(weeks) < FEWEST_WEEKS
    units = np.arange(size) if one_by_one else np.searchsorted(weeks, days // 7)
    blocks = size if one_by_one else len(weeks)
    length = 1 if one_by_one else max(1, round(blocks ** (1 / 3)))
    drawn = np.array([statistic(places) for places in _draw_deals(units, blocks, length)])
    free = max(1.0, blocks / length - 1)
    errors = np.maximum(drawn.std(axis=0, ddof=1) * ((free + 1) / free) ** 0.5, LEAST_LOG_ERROR)
    t = float(scipy.stats.t.ppf((1 + SURENESS) / 2, free))
    values = statistic(np.arange(size))
    return [Normal(value, float(error), t) for value, error in zip(values, errors, strict=True)]


def _draw_deals(units: NDArray[Any], blocks: int, length: int) -> Iterator[NDArray[Any]]:
    """Places of the deals of runs of `length` neighbouring blocks, drawn until there are as many blocks as before."""
    rng = np.random.default_rng(1)
    order = np.argsort(units, kind="stable")
    edges = np.searchsorted(units[order], np.arange(blocks + 1))
    for _ in range(DRAWS):
        starts = rng.integers(0, blocks, -(-blocks // length))
        chosen = (starts[:, None] + np.arange(length)).ravel()[:blocks] % blocks
        sizes = edges[chosen + 1] - edges[chosen]
        begins = np.repeat(edges[chosen] - np.concatenate([[0], np.cumsum(sizes)[:-1]]), sizes)
        places = order[begins + np.arange(sizes.sum())]
        if len(places):
            yield places
