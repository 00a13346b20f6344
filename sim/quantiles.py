"""What a mark means: the quantile of a distribution at that share. To be compiled.

Plain functions of numbers, as rules.py. Left out: which mark decides what (drawing.py).
"""

from __future__ import annotations

import math

from scipy.special import ndtr, ndtri

from sim.ledger import TICKS_PER_WEEK
from sim.rules import power
from sim.streams import LOWEST_HALF_STEP

LONGEST_WEEKS = 1e9


def exponential(mark: float) -> float:
    """Quantile of the unit exponential."""
    return -math.log(1.0 - mark)


def normal(mark: float) -> float:
    """Quantile of the standard normal; a mark of 0 stands for the middle of its step."""
    return ndtri(max(mark, LOWEST_HALF_STEP))


def duration(mark: float, scale_weeks: float, exponent: float) -> int:
    """Quantile of the Weibull distribution with this scale and shape 1 / exponent, in whole ticks."""
    return whole_ticks(scale_weeks * power(exponential(mark), exponent))


def remaining(mark: float, scale_weeks: float, exponent: float, age_weeks: float) -> int:
    """Ticks that a Weibull duration still lasts which has lasted `age_weeks` already."""
    if scale_weeks == 0.0:
        return 0
    # Of the two equal forms, the one whose power cannot overflow.
    if age_weeks <= scale_weeks:
        total = scale_weeks * power(power(age_weeks / scale_weeks, 1.0 / exponent) + exponential(mark), exponent)
    else:
        total = age_weeks * power(1.0 + exponential(mark) * power(scale_weeks / age_weeks, 1.0 / exponent), exponent)
    return whole_ticks(max(0.0, total - age_weeks))


def whole_ticks(weeks: float) -> int:
    """Weeks in ticks, at most LONGEST_WEEKS of them."""
    return round(min(weeks, LONGEST_WEEKS) * TICKS_PER_WEEK)


def settling(mark: float, shock: float, own_luck: float, quarter_luck: float) -> float:
    """The U that settles a deal: uniform, and correlated within a segment's quarter by a Gaussian copula."""
    if shock == 0.0:
        return mark
    return ndtr(shock * quarter_luck + own_luck * normal(mark))
