"""From replications to statements: means, paired differences, shares, each with its interval.

Two plans are compared market by market: what they share cancels, and the interval is that of the difference. Left out:
where the numbers come from (experiment.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A value with its 95% interval and the number of independent observations behind it."""

    value: float
    low: float
    high: float
    observations: int

    @property
    def clear(self) -> bool:
        """Whether the interval leaves 0 out."""
        return self.low > 0 or self.high < 0

    def scaled(self, factor: float) -> Estimate:
        """The same in another unit; `factor` is positive."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor, self.observations)


def mean(values: NDArray[np.float64], confidence: float = CONFIDENCE) -> Estimate:
    """Mean of independent values (n,) with Student's interval; a single value has an endless one."""
    from scipy import stats

    n, centre = len(values), float(np.mean(values))
    if n < 2:
        return Estimate(centre, -np.inf, np.inf, n)
    half = float(stats.t.ppf((1 + confidence) / 2, n - 1) * np.std(values, ddof=1) / np.sqrt(n))
    return Estimate(centre, centre - half, centre + half, n)


def share(successes: int, trials: int, confidence: float = CONFIDENCE) -> Estimate:
    """Share of successes with Wilson's interval (1927)."""
    from scipy import stats

    # Tested against the share itself: it has no bearing on the interval, and spares the search for a p-value.
    test = stats.binomtest(successes, trials, successes / trials)
    interval = test.proportion_ci(confidence, method="wilson")
    return Estimate(successes / trials, float(interval.low), float(interval.high), trials)


def replications_needed(values: NDArray[np.float64], half_width: float, confidence: float = CONFIDENCE) -> int:
    """Replications after which the interval of the mean of `values` is about +- `half_width`."""
    from scipy import stats

    spread = float(stats.norm.ppf((1 + confidence) / 2) * np.std(values, ddof=1))
    return max(2, int(np.ceil((spread / half_width) ** 2)))


def payback_quarter(difference_by_quarter: NDArray[np.float64]) -> int | None:
    """First quarter (from 1) from which the cumulated mean difference stays above 0; None if it does not at the end."""
    cumulated = np.cumsum(difference_by_quarter)
    if len(cumulated) == 0 or cumulated[-1] <= 0:
        return None
    behind = np.flatnonzero(cumulated <= 0)
    return int(behind[-1]) + 2 if len(behind) else 1
