"""How long deals take: mean cycle, its Weibull shape, and the share of deals that a table can show.

Cycles are those of all closed deals, won and lost: in the model the outcome hardly changes a partner's cycle, and the
whole sample gives the right number of open deals. Where won and lost differ, the time to a booking is that much off.

A table that ends on some day has the short cycles of its last weeks and lacks the long ones.

* With open deals: these have lasted their age already (Kaplan & Meier 1958, among the deals that close within the
  longest cycle seen).
* Without: deals opened in a week and closed n weeks later are as many as the week had deals, times the share of
  cycles of n weeks, wherever closing falls into the table's weeks (a run-off triangle; Kremer 1982). Both factors
  come from proportional fitting, whether deals were chosen by day of opening or of closing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from nexthour.calibrate.fit.posterior import Normal, bootstrap_weeks
from sim.arrays import FloatArray

SMALLEST_WEEKS = 0.5 / 7
"""Shortest cycle that counts in the shape: one recorded as 0 days took half a day."""
LEAST_SHAPE, MOST_SHAPE = 0.3, 50.0
"""Bounds of the shape that the model allows."""
PASSES = 10
"""Passes of proportional fitting. More would fit the luck of the few deals that show a short table's longest cycles."""


def mean_cycle(group: pd.DataFrame, opened: pd.DataFrame, first_day: float, last_day: float) -> Normal:
    """Logarithm of the mean cycle in weeks of a cell's deals. Days and columns as in fit_cells."""
    ages = opened["age_weeks"].dropna().to_numpy()
    weeks = np.concatenate([group["cycle_weeks"].to_numpy(), ages])
    censored = np.arange(len(weeks)) >= len(group)
    begun = np.concatenate([group["created_day"], opened.loc[opened["age_weeks"].notna(), "created_day"]])
    closed_day = np.append(group["closed_day"], np.full(len(ages), np.nan))

    def log_mean(which: NDArray[Any]) -> list[float]:
        if censored.any():
            mean = _mean_with_open(weeks[which], censored[which])
        else:
            weights = deal_weights(begun[which], closed_day[which], first_day, last_day)
            mean = float(np.average(weeks[which], weights=weights))
        return [float(np.log(max(mean, SMALLEST_WEEKS)))]

    # By weeks of opening: a deal that is still open has no other.
    (cycle,) = bootstrap_weeks(begun, log_mean, len(weeks))
    return cycle


def _mean_with_open(weeks: FloatArray, censored: NDArray[np.bool_]) -> float:
    """Mean of the cycles of deals that close, in weeks, from the cycles of closed deals and the ages of open ones."""
    if not censored.any():
        return float(weeks.mean())
    if censored.all():
        return 0.0
    curve = scipy.stats.ecdf(scipy.stats.CensoredData.right_censored(weeks, censored)).cdf
    closing = np.diff(curve.probabilities, prepend=0.0)
    return float((curve.quantiles * closing).sum() / closing.sum())


def deal_weights(created_day: FloatArray, closed_day: FloatArray, first_day: float, last_day: float) -> FloatArray:
    """How much each closed deal stands for among all that were opened, shape (deals,), in all 1.

    The table has the deals that were closed from `first_day`, the first of a week, to `last_day`; without days, and if
    it has none of them, all stand for as much.
    """
    weeks = np.floor((last_day + 1 - first_day) / 7)
    created, closed = (np.floor((days - first_day) / 7) for days in (created_day, closed_day))
    shown = (closed >= 0) & (closed < weeks)
    if not shown.any():
        return np.full(len(closed), 1 / len(closed))
    begun, lasted = created[shown].astype(int), (closed - created)[shown].astype(int)
    cohort, age = begun - begun.min(), np.arange(lasted.max() + 1)
    of_cohort, of_age = np.bincount(cohort), np.bincount(lasted)
    # Ages at which a cohort's closing is shown, and cohorts whose closing at an age is shown: from and to, excluded.
    ages = np.clip(np.array([[0], [weeks]]) - (np.arange(len(of_cohort)) + begun.min()), 0, len(age)).astype(int)
    cohorts = np.clip(np.array([[0], [weeks]]) - age - begun.min(), 0, len(of_cohort)).astype(int)
    share = of_age / of_age.sum()
    for _ in range(PASSES):
        opened = np.divide(of_cohort, _between(share, ages), where=of_cohort > 0, out=np.zeros(len(of_cohort)))
        share = np.divide(of_age, _between(opened, cohorts), where=of_age > 0, out=np.zeros(len(of_age)))
        share /= share.sum()
    stands = np.zeros(len(closed))
    stands[shown] = (share / np.maximum(of_age, 1))[lasted]
    return stands


def _between(values: FloatArray, places: NDArray[np.int_]) -> FloatArray:
    sums = np.concatenate([[0.0], np.cumsum(values)])
    return np.asarray(sums[places[1]] - sums[places[0]])


def weibull_shape(cycle_weeks: pd.Series[float]) -> float:
    """Shape of the cycles of closed deals."""
    weeks = cycle_weeks.clip(lower=SMALLEST_WEEKS)
    if weeks.max() < weeks.min() * (1 + 1e-6):
        return MOST_SHAPE
    return float(np.clip(scipy.stats.weibull_min.fit(weeks, floc=0)[0], LEAST_SHAPE, MOST_SHAPE))
