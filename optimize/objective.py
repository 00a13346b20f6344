"""What a plan is to have most of.

Left out: limits (limits.py), and what the credit after the horizon counts (exit_weight of optimize_plan).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from sim.documents import show
from sim.errors import PlanError
from sim.scenario import WEEKS_PER_QUARTER, WEEKS_PER_YEAR, Scenario

FloatArray = NDArray[np.float64]
Name = Literal["quota_credit", "net_bookings"]
WORDS: dict[str, str] = {"quota_credit": "quota credit", "net_bookings": "net bookings"}
YEARS_PER_QUARTER = WEEKS_PER_QUARTER / WEEKS_PER_YEAR


@dataclass(frozen=True)
class Objective:
    """Bookings in US dollars, each partner's times a share, each quarter's times a weight."""

    name: Name
    partner_share: FloatArray
    """of a partner's gross bookings, shape (partners,)"""
    quarter_weight: FloatArray
    """by quarter of the horizon, shape (quarters,)"""

    @classmethod
    def of(cls, scenario: Scenario, name: str, discount_rate: float) -> Objective:
        """By name; `discount_rate` a year. Raises PlanError for one that is not known."""
        if name not in get_args(Name):
            raise PlanError(f"objective is {show(name)}; allowed: {', '.join(get_args(Name))}")
        number = isinstance(discount_rate, int | float) and not isinstance(discount_rate, bool)
        if not number or not 0 <= discount_rate <= 1:
            raise PlanError(f"discount_rate is {show(discount_rate)}; allowed: a number from 0 to 1, a year")
        partners = scenario.all_partners
        shares = [scenario.credit_share(its) if name == "quota_credit" else 1 - its.margin for its in partners]
        years = (np.arange(scenario.horizon_quarters) + 0.5) * YEARS_PER_QUARTER
        return cls(name, np.array(shares), (1 + discount_rate) ** -years)  # type: ignore[arg-type]

    def by_quarter(self, direct: FloatArray, partner: FloatArray) -> FloatArray:
        """Of bookings by quarter (..., quarters) and (..., quarters, partners): shape (..., quarters)."""
        return np.asarray((direct + partner @ self.partner_share) * self.quarter_weight)

    def value(self, direct: FloatArray, partner: FloatArray) -> FloatArray:
        """The same over the horizon: shape (...)."""
        return np.asarray(self.by_quarter(direct, partner).sum(axis=-1))
