"""Indicators as people read them: their words, and their numbers on the scale of these words.

Skill and engagement are levels between 0 and 1 in the model. A manager knows how often a partner wins, and how much of
what its accounts hold it brings: so a level is raised to its exponent of the scenario before it is shown, and what is
entered is brought back. That keeps the order, so a range is the range of the levels.

Left out: what an indicator counts (sim/kpis.py), and Streamlit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nexthour.report import numbers
from optimize.replan.actuals import OF_MARKETS, Actuals, Deviation, Figure, band
from sim import Outcomes, Scenario
from sim.arrays import FloatArray
from sim.kpis import KPIS, Kpi
from sim.study import estimates
from sim.study.estimates import Estimate

WORDS = {
    "skill": "partners win, of 100 deals that you would win",
    "engagement": "partners bring, of 100 deals of their accounts",
    "leakage": "seen by nobody, of 100 opportunities",
}
"""Words in place of the label of a KPI that is shown out of 100, by its name."""
BY_NAME = {kpi.name: kpi for kpi in KPIS}


@dataclass(frozen=True)
class Indicator:
    """One row of the table of indicators, in the words of the screen."""

    kpi: Kpi
    exponent: float = 1.0

    @classmethod
    def of(cls, name: str, scenario: Scenario) -> Indicator:
        return cls(BY_NAME[name], numbers.exponents(scenario).get(name, 1.0))

    @property
    def label(self) -> str:
        unit = ", times quota" if self.kpi.unit == "times quota" else ""
        return WORDS.get(self.kpi.name, self.kpi.label) + unit

    @property
    def is_money(self) -> bool:
        return self.kpi.unit == "US dollars"

    @property
    def of_100(self) -> bool:
        return self.kpi.unit.startswith("share")

    @property
    def unit(self) -> str:
        """The unit of the numbers on screen."""
        if not self.of_100:
            return self.kpi.unit
        return "of 100" if self.kpi.name in WORDS else "% " + self.kpi.unit.removeprefix("share ")

    def on_screen(self, value: Any) -> Any:
        """A number of the model, or an array of them, on the scale of the screen."""
        return value**self.exponent * (100 if self.of_100 else 1)

    def from_screen(self, value: float) -> float:
        """A number of the screen as the model has it. With an exponent of 0 the level does not matter."""
        share = value / 100 if self.of_100 else value
        return float(share ** (1 / self.exponent)) if self.exponent else share

    def text(self, value: float) -> str:
        """A number on the scale of the screen."""
        if self.is_money:
            return numbers.usd(value)
        if self.of_100:
            return numbers.plain_whole(value) + ("" if self.kpi.name in WORDS else "%")
        if self.kpi.unit == "times quota":
            return numbers.hundredths(value)
        return numbers.whole(value) if value == round(value) or value >= 100 else numbers.tenths(value)

    def with_half(self, estimate: Estimate) -> str:
        """A mean with half of its interval, both to the place that the interval lets tell."""
        spread = numbers.half_width(estimate)
        if self.is_money or spread == 0:
            return f"{self.text(estimate.value)} ±{self.text(spread)}"
        return numbers.with_half_width(estimate, "%" if self.of_100 and self.kpi.name not in WORDS else "")


@dataclass(frozen=True)
class Quarter:
    """An indicator in a quarter, on the scale of the screen: as planned, and what was seen."""

    quarter: int
    planned: Estimate
    low: float
    high: float
    """the ends between which it lies in 80 of 100 markets"""
    actual: float | None

    @property
    def outside(self) -> bool:
        return self.actual is not None and not self.low <= self.actual <= self.high


def indicator_by_quarter(indicator: Indicator, outcomes: Outcomes, actuals: Actuals | None) -> list[Quarter]:
    """The indicator in every quarter under a plan, with what was seen of it."""
    seen = {} if actuals is None else actuals.figures(outcomes.scenario)
    quota_usd = outcomes.scenario.quota_usd()
    rows = []
    for q, levels in enumerate(outcomes[indicator.kpi.name].T, 1):
        low, high = (float(indicator.on_screen(value)) for value in band(levels))
        level = _actual_level(indicator.kpi.name, q, seen, quota_usd[q - 1])
        values: FloatArray = indicator.on_screen(levels)
        rows.append(
            Quarter(q, estimates.mean(values), low, high, None if level is None else float(indicator.on_screen(level)))
        )
    return rows


def _actual_level(name: str, quarter: int, seen: dict[Figure, float], quota_usd: float) -> float | None:
    if name == "attainment":
        credit = seen.get(Figure(quarter, "credit_usd"))
        return None if credit is None or not quota_usd else credit / quota_usd
    return seen.get(Figure(quarter, name))


def deviation_sentence(deviation: Deviation, scenario: Scenario) -> str:
    """What was seen outside of its range, as a sentence in the words of the screen."""
    if deviation.figure.partner is not None:
        return f"{deviation.says}."
    one = Indicator.of(deviation.figure.name, scenario)
    actual, low, high = (one.text(one.on_screen(value)) for value in (deviation.actual, deviation.low, deviation.high))
    return f"Q{deviation.figure.quarter} {one.label}: {actual}; the plan has {low} to {high} in {OF_MARKETS}."
