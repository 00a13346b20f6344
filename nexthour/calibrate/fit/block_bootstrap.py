"""Block bootstrap: errors of statistics of deals, by drawing runs of weeks again.

Deals of one week, and of the next, share their luck.

Circular blocks (Politis & Romano 1992), as long as the cube root of the weeks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from nexthour.calibrate.fit.posterior import SURENESS, Normal
from sim.arrays import FloatArray

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
