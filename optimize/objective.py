"""The objective of a plan: what it is to have most of.

Left out: limits (limits.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimize.options import OBJECTIVES, ObjectiveName
from sim import PlanError, Scenario
from sim.arrays import FloatArray
from sim.documents.messages import show
from sim.terms import WEEKS_PER_QUARTER, WEEKS_PER_YEAR

OBJECTIVE_WORDS: dict[ObjectiveName, str] = {
    "quota_credit": "quota credit",
    "net_bookings": "net bookings",
    "expected_shortfall": "credit short of quota",
    "quarters_at_quota": "quarters at quota",
}
RISK: tuple[ObjectiveName, ...] = ("expected_shortfall", "quarters_at_quota")
RUN_OFF_QUARTERS = 4
"""Quarters after the horizon whose credit is the exit value."""
YEARS_PER_QUARTER = WEEKS_PER_QUARTER / WEEKS_PER_YEAR


@dataclass(frozen=True)
class Objective:
    """What counts of bookings by quarter; more is better, so a shortfall is negative."""

    name: ObjectiveName
    partner_share: FloatArray
    """share of a partner's gross bookings that counts, shape (partners,)"""
    quarter_weight: FloatArray
    """weights of the horizon and the run-off, shape (quarters,)"""
    quota_usd: FloatArray
    """quota by quarter, shape (quarters,)"""

    @classmethod
    def of(
        cls, scenario: Scenario, name: str, discount_rate: float = 0.0, exit_weight: float = 0.0, past: int = 0
    ) -> Objective:
        """The objective of a name; `exit_weight` is that of the run-off, 0 if there is none; `past` quarters count 0.

        `discount_rate` is a year's. Raises PlanError for a number or a name that is not allowed.
        """
        check_objective(name, discount_rate, exit_weight)
        partners = scenario.all_partners
        shares = [
            1 - partner.margin if name == "net_bookings" else scenario.credit_share(partner) for partner in partners
        ]
        quarters = scenario.horizon_quarters
        weight = (1 + discount_rate) ** -((np.arange(quarters) + 0.5) * YEARS_PER_QUARTER)
        weight[:past] = 0.0
        whole = scenario.longer(RUN_OFF_QUARTERS) if exit_weight else scenario
        after = np.full(whole.horizon_quarters - quarters, exit_weight * weight[-1])
        return cls(name, np.array(shares), np.append(weight, after), np.array(whole.quota_usd()))  # type: ignore[arg-type]

    @property
    def is_risk(self) -> bool:
        """Whether the objective looks at each market's quarters and not at means."""
        return self.name in RISK

    def by_quarter(self, direct: FloatArray, partner: FloatArray) -> FloatArray:
        """What counts of bookings by quarter, shapes (..., quarters) and (..., quarters, partners): (..., quarters)."""
        booked = direct + partner @ self.partner_share
        if self.name == "expected_shortfall":
            booked = np.minimum(booked - self.quota_usd, 0.0)
        elif self.name == "quarters_at_quota":
            booked = (booked >= self.quota_usd).astype(np.float64)
        return np.asarray(booked * self.quarter_weight)

    def value(self, direct: FloatArray, partner: FloatArray) -> FloatArray:
        """What counts of bookings by quarter, summed over the horizon: shape (...)."""
        return np.asarray(self.by_quarter(direct, partner).sum(axis=-1))


def check_objective(name: object, discount_rate: object, exit_weight: object) -> None:
    """Raise PlanError for a name of an objective, a discount rate a year or an exit weight that is not allowed."""
    if name not in tuple(OBJECTIVES):
        raise PlanError(f"objective is {show(name)}; allowed: {', '.join(OBJECTIVES)}")
    for what, share, unit in (("discount_rate", discount_rate, ", a year"), ("exit_weight", exit_weight, "")):
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise PlanError(f"{what} is {show(share)}; allowed: a number from 0 to 1{unit}")
    if exit_weight and name in RISK:
        raise PlanError(f"exit_weight is {exit_weight:g} with {name}; allowed: 0, or another objective")
