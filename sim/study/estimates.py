"""From replications to statements: means, paired differences, shares, each with its interval.

Two plans are compared market by market: what they share cancels, and the interval is that of the difference. Left out:
where the numbers come from (experiment.py).

Quantiles are scipy.special's, the same as scipy.stats': that takes a second or two to load, for which every first
visitor of the app would wait.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel
from scipy.special import ndtri, stdtrit

from sim.arrays import FloatArray

CONFIDENCE = 0.95
WORLD_DRAWS = 200
Verdict = Literal["ahead", "behind", "no clear difference"]


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

    @property
    def verdict(self) -> Verdict:
        """What a difference says of a plan."""
        return "no clear difference" if not self.clear else "ahead" if self.low > 0 else "behind"

    def scaled(self, factor: float) -> Estimate:
        """The estimate in another unit: value and interval times `factor`, which is positive."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor, self.observations)


def _student_factor(confidence: float, freedom: int) -> float:
    """Half the width of Student's interval in standard errors."""
    return float(stdtrit(freedom, (1 + confidence) / 2))


def mean(values: FloatArray, confidence: float = CONFIDENCE) -> Estimate:
    """Mean of independent values (n,) with Student's interval; a single value has an endless one."""
    n, centre = len(values), float(np.mean(values))
    if n < 2:
        return Estimate(centre, -np.inf, np.inf, n)
    half_width = float(_student_factor(confidence, n - 1) * np.std(values, ddof=1) / np.sqrt(n))
    return Estimate(centre, centre - half_width, centre + half_width, n)


def mean_with_control(values: FloatArray, control: FloatArray, confidence: float = CONFIDENCE) -> Estimate:
    """Mean of `values` (n,), helped by a `control` (m,) whose first n belong to the same markets, m >= n.

    How far the control's mean over all m is from that over the first n tells the luck of the first n, which is taken
    off in proportion (regression estimator with double sampling; Cochran, Sampling Techniques, 1977, chapter 12).
    """
    n, m = len(values), len(control)
    same = control[:n]
    spread = float(np.var(same, ddof=1)) if n > 2 else 0.0
    if m == n or spread == 0.0:
        return mean(values, confidence)
    slope = float(np.cov(values, same)[0, 1]) / spread
    centre = float(np.mean(values) + slope * (np.mean(control) - np.mean(same)))
    rest = float(np.var(values - slope * same, ddof=2))
    error = (rest / n + slope**2 * float(np.var(control, ddof=1)) / m) ** 0.5
    half_width = float(_student_factor(confidence, n - 2)) * error
    return Estimate(centre, centre - half_width, centre + half_width, n)


def zero_between(left: FloatArray, right: FloatArray, confidence: float = CONFIDENCE) -> Estimate:
    """The zero of the straight line from the mean of `left` (n,) at 0 to that of `right` (n,) at 1, by pairs.

    The interval is Fieller's (1954): all places at which a mean of 0 is not excluded. It is endless where the line may
    be level.
    """
    n, start, step = len(left), float(np.mean(left)), float(np.mean(right - left))
    value = -start / step if step else np.nan
    if n < 2:
        return Estimate(value, -np.inf, np.inf, n)
    k = float(_student_factor(confidence, n - 1)) ** 2 / n
    (start_var, both), (_, step_var) = np.cov(left, right - left).tolist()
    # start + place * step lies within its interval of 0 where a * place^2 + 2 * b * place + c <= 0.
    a, b, c = step**2 - k * step_var, start * step - k * both, start**2 - k * start_var
    if a <= 0:
        return Estimate(value, -np.inf, np.inf, n)
    root = max(0.0, b**2 - a * c) ** 0.5
    return Estimate(value, (-b - root) / a, (-b + root) / a, n)


def share(successes: int, trials: int, confidence: float = CONFIDENCE) -> Estimate:
    """Share of successes with Wilson's interval (1927), as `scipy.stats.binomtest` gives it."""
    z, observed = float(ndtri((1 + confidence) / 2)), successes / trials
    twice = 2 * (trials + z**2)
    middle = (2 * trials * observed + z**2) / twice
    half_width = z / twice * (4 * trials * observed * (1 - observed) + z**2) ** 0.5
    low = 0.0 if successes == 0 else middle - half_width
    high = 1.0 if successes == trials else middle + half_width
    return Estimate(observed, low, high, trials)


def share_of_worlds(values: FloatArray, counts: Callable[[FloatArray], NDArray[np.bool_]]) -> Estimate:
    """Share of the worlds that count, from differences of plans in markets: shape (worlds, plans, markets).

    `counts` says which worlds do, of their true means (worlds, plans). The 95% interval is Wilson's, as if these were
    known, or where it is wider that of worlds drawn again with markets drawn again (a bootstrap's percentiles): if
    worlds hardly differ, the luck of all markets decides for all of them.
    """
    worlds, _, markets = values.shape

    def counted(differences: FloatArray) -> NDArray[np.bool_]:
        return counts(np.stack([true_means(differences[:, p]) for p in range(differences.shape[1])], axis=1))

    seen = share(int(counted(values).sum()), worlds)
    rng = np.random.default_rng(1)
    again = []
    for _ in range(WORLD_DRAWS):
        which = rng.integers(0, markets, (worlds, 1, markets))
        drawn = np.take_along_axis(values, which, axis=2)[rng.integers(0, worlds, worlds)]
        again.append(counted(drawn).mean())
    low, high = np.quantile(again, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(seen.value, min(seen.low, float(low)), max(seen.high, float(high)), worlds)


def true_means(values: FloatArray) -> FloatArray:
    """Means of groups (groups, n), drawn together until they vary as much as the true means do: shape (groups,).

    The luck of few values makes means lie farther apart than they should; how much is known from the spread within the
    groups (constrained empirical Bayes; Louis 1984, JASA 79).
    """
    groups, n = values.shape
    means = values.mean(axis=1)
    if groups < 2 or n < 2:
        return means
    luck, spread = float(values.var(axis=1, ddof=1).mean() / n), float(means.var(ddof=1))
    together = max(0.0, 1 - luck / spread) ** 0.5 if spread else 1.0
    return means.mean() + together * (means - means.mean())


def replications_needed(values: FloatArray, half_width: float, confidence: float = CONFIDENCE) -> int:
    """Replications after which the interval of the mean of `values` is about +- `half_width`."""
    spread = float(ndtri((1 + confidence) / 2) * np.std(values, ddof=1))
    return max(2, int(np.ceil((spread / half_width) ** 2)))


def payback_quarter(difference_by_quarter: FloatArray) -> int | None:
    """First quarter (from 1) from which the cumulated mean difference stays above 0; None if it does not at the end."""
    cumulated = np.cumsum(difference_by_quarter)
    if len(cumulated) == 0 or cumulated[-1] <= 0:
        return None
    behind = np.flatnonzero(cumulated <= 0)
    return int(behind[-1]) + 2 if len(behind) else 1


def plain_data(value: Any) -> Any:
    """Results as plain data for JSON: dataclasses as mappings, tuples as lists, endless numbers as null."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value):
        return {part.name: plain_data(getattr(value, part.name)) for part in fields(value)}
    if isinstance(value, Mapping):
        return {name: plain_data(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain_data(inner) for inner in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
