"""What was not as planned: figures outside the range that the plan has in most simulated markets.

One figure in five is outside by luck alone, so each comes with its surprise.

Left out: what follows from it (matching.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimize.effort import Effort
from optimize.replan.actuals import Actuals, Figure, values_of
from sim import Scenario, TimePlan
from sim.arrays import FloatArray
from sim.study.batches import table_values
from sim.study.options import SEED
from sim.study.request import check_plan
from sim.tape import check_seed

BAND = (0.1, 0.9)
"""Quantiles between which a figure is as planned."""
OF_MARKETS = f"{100 * (BAND[1] - BAND[0]):.0f} of 100 markets"
"""How many of them have it there, in words."""


@dataclass(frozen=True)
class Deviation:
    """A figure that was seen outside its band. One in five is, by luck alone."""

    figure: Figure
    actual: float
    low: float
    high: float
    surprise: float
    """share of markets at least as far out, to either side"""

    @property
    def says(self) -> str:
        """The deviation in words."""
        figure = self.figure
        return (
            f"Q{figure.quarter} {figure.what} {figure.shown(self.actual)}: the plan has {figure.shown(self.low)} to "
            f"{figure.shown(self.high)} in {OF_MARKETS}"
        )


def find_deviations(
    scenario: Scenario, plan: TimePlan, actuals: Actuals, seed: int = SEED.default, effort: Effort | str = Effort.normal
) -> tuple[Deviation, ...]:
    """What was seen outside its band under the plan that was followed: leading figures first, then by surprise."""
    seen = actuals.figures(scenario)
    check_plan("plan", plan)
    check_seed("seed", seed)
    markets = range(Effort.of(effort).band_markets)
    values = table_values(scenario, [plan.table(scenario)], markets, seed, lambda tally: values_of(tally, [*seen]))[0]
    found = []
    for (figure, actual), simulated in zip(seen.items(), values.T, strict=True):
        low, high = band(simulated)
        if not low <= actual <= high:
            found.append(Deviation(figure, actual, low, high, _surprise(simulated, actual)))
    return tuple(sorted(found, key=lambda deviation: (deviation.figure.when != "leading", deviation.surprise)))


def band(values: FloatArray) -> tuple[float, float]:
    """The ends between which a figure is as planned: values that did occur, so of a count whole numbers."""
    low, high = np.quantile(values, BAND, method="inverted_cdf")
    return float(low), float(high)


def _surprise(values: FloatArray, actual: float) -> float:
    """Share at least as far out, what happened among them, as it did (Davison & Hinkley 1997, section 4.2)."""
    rarer = min(np.count_nonzero(values <= actual), np.count_nonzero(values >= actual))
    return min(1.0, 2 * (1 + rarer) / (1 + len(values)))
