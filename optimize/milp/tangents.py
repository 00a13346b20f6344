"""Tangents of concave curves: a row for each keeps a variable below the curve.

Each is a value where the curve begins and a slope. Left out: at which points they are taken (partners.py, direct.py).
"""

from __future__ import annotations

import numpy as np
from scipy import special

from sim.arrays import FloatArray
from sim.rules import power


def saturation_tangent(x: float, at_none: float = 0.0) -> tuple[float, float]:
    """Tangent at x of 1 - (1 - at_none) exp(-x): its value at 0, and its slope.

    >>> saturation_tangent(0.0), saturation_tangent(0.0, at_none=0.25)
    ((0.0, 1.0), (0.25, 0.75))
    >>> at, slope = saturation_tangent(1.5)
    >>> bool(np.isclose(at + 1.5 * slope, 1 - np.exp(-1.5))), bool(at + 3.0 * slope > 1 - np.exp(-3.0))
    (True, True)
    """
    left = (1 - at_none) * np.exp(-x)
    return float(1 - left - x * left), float(left)


def power_tangent(skill: float, engagement: float, alpha: float, beta: float) -> tuple[float, float, float, float]:
    """Tangent of skill^alpha engagement^beta: the value, and shares of it by unit of 1, of skill and of engagement.

    With alpha + beta = 1 the curve is a cone: its tangents depend on skill / engagement alone, and have no constant.

    >>> power_tangent(0.25, 1.0, 0.5, 0.5)
    (0.5, 0.0, 2.0, 0.5)
    >>> top, constant, by_skill, by_engagement = power_tangent(0.4, 0.6, 0.5, 0.3)
    >>> round(constant + by_skill * 0.4 + by_engagement * 0.6, 12)
    1.0
    """
    top = power(skill, alpha) * power(engagement, beta)
    return top, 1 - alpha - beta, alpha / skill, beta / engagement


def share_of_value(started: FloatArray, sigma: FloatArray | float) -> FloatArray:
    """Share of the value of lognormal deals that lies in the largest `started` of them: Phi(sigma - Phi^-1(1 - x)).

    The Lorenz curve of the lognormal (Aitchison & Brown 1957), from the top.
    """
    return np.asarray(special.ndtr(sigma - special.ndtri(1 - started)))


def value_of_next(started: FloatArray, sigma: FloatArray | float) -> FloatArray:
    """Amount of the smallest of the largest `started`, over the mean amount: the slope of share_of_value."""
    return np.asarray(np.exp(sigma * special.ndtri(1 - started) - np.square(sigma) / 2))


def largest_first_tangent(started: float, sigma: float) -> tuple[float, float]:
    """Tangent of share_of_value: its value at none of the deals, and its slope.

    >>> largest_first_tangent(0.3, 0.0)  # all deals are alike: a third of them is a third of the value
    (0.0, 1.0)
    >>> at, slope = largest_first_tangent(0.5, 1.0)
    >>> round(at + 0.5 * slope, 4), slope < 1  # half of them hold more than half of it, and the next is below the mean
    (0.8413, True)
    """
    slope = float(value_of_next(np.array(started), sigma))
    # Numbers that are nothing but rounding mislead a presolver.
    return round(float(share_of_value(np.array(started), sigma)) - started * slope, 12), slope
