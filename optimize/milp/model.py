"""What the families of rows share: the program with its variables, and what rows and variables are called.

The symbols of formulas here and in docs/planner.md:

    t   period: two quarters of history (h1, h2), those of the horizon (q1, ...), those of the run-off (r1, ...)
    p   partner, candidates last          s   segment          k   number of a tangent
    a   activity of the manager or the account manager with a partner
    h   hours a week                      H   hours a week of a person
    c   1 if a partner is carried         n   1 if it is there; of a candidate both times the chance that it signs
    z   1 if a candidate is recruited     S   skill, E   engagement: times n
    x   what a curve is taken at          u   deals, w   share of them that is won

Money is in thousands of US dollars. Hours, stocks and deals of a candidate are expected ones: times the chance that it
has signed. A row is called `family(period,partner or segment,...)`; a variable has its place in arrays before that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pulp
from numpy.typing import NDArray
from scipy import special

from optimize.problem import HISTORY, PlanningProblem
from sim.arrays import FloatArray
from sim.coefficients import CO_SELL, COACH, JOINT_PLAN, SELL_FOR, SOCIALISE
from sim.rules import power

Array = NDArray[Any]
"""an array of variables, expressions and numbers"""
DEVELOPING = (COACH, JOINT_PLAN, SOCIALISE)
"""Activities that change a partner's stocks whether or not it has deals."""
ON_DEALS = (CO_SELL, SELL_FOR)
"""Activities that take deals of the partner."""
UNIT = 1000.0
LONGEST_LABEL = 20


@dataclass(frozen=True)
class Rates:
    """What the last simulation, or the last plan, says of the model. T periods, P partners, S segments, M markets."""

    direct: FloatArray
    """realised over promised bookings of the manager, shape (T,)"""
    partner: FloatArray
    """realised over promised bookings of partners, shape (T, P)"""
    skill: FloatArray
    """skill of an active partner, shape (T, P): where curves are taken as straight"""
    engagement: FloatArray
    reach: FloatArray
    """shape (T, S)"""
    luck: FloatArray | None = None
    """bookings in some markets over their mean: the manager's, the partners', shape (2, M, quarters); None at first"""

    @classmethod
    def at_first(cls, problem: PlanningProblem) -> Rates:
        """The rates before any simulation: the model is right, and partners stay as they are."""
        shape = problem.periods, len(problem.scenario.all_partners)
        return cls(
            direct=np.ones(problem.periods),
            partner=np.ones(shape),
            skill=np.broadcast_to(problem.skill.start, shape),
            engagement=np.broadcast_to(problem.engagement.start, shape),
            reach=np.broadcast_to(problem.inbound, (problem.periods, len(problem.inbound))),
        )


@dataclass(frozen=True)
class LimitRow:
    """A row that somebody asked for."""

    key: str
    """key of the limit (Limits.says)"""
    slack: Any
    """how far it is given up: 0 unless the model is elastic"""


def labels_of(names: Sequence[str]) -> tuple[str, ...]:
    """Names as every LP file can hold them, numbered where two would be the same.

    >>> labels_of(["Birch IT", "Birch/IT", "Thorn"])
    ('Birch_IT.0', 'Birch_IT.1', 'Thorn')
    """
    labels = [re.sub(r"\W", "_", name, flags=re.ASCII)[:LONGEST_LABEL] for name in names]
    return tuple(label if labels.count(label) == 1 else f"{label}.{i}" for i, label in enumerate(labels))


@dataclass
class Model:
    """The program and its variables: arrays over periods (history first), of variables, expressions and numbers."""

    problem: PlanningProblem
    elastic: bool = False
    """whether limits may be given up, at a price"""
    lp: Any = field(default_factory=lambda: pulp.LpProblem("hours", pulp.LpMaximize))
    sell: Array = field(init=False)
    prospect: Array = field(init=False)
    partner: Array = field(init=False)
    """hours by (period, activity, partner)"""
    channel_account_manager: Array = field(init=False)
    """hours of the channel account manager by (period, activity, partner)"""
    carried: Array = field(init=False)
    """1 for a carried partner, the chance of being there for a candidate, shape (T, P)"""
    active: Array = field(init=False)
    """1 for a partner that is there, the chance of that for a candidate, shape (T, P)"""
    recruits: dict[tuple[int, int], Any] = field(default_factory=dict)
    """(period, partner) -> 1 if it is recruited in that quarter"""
    skill: Array = field(init=False)
    engagement: Array = field(init=False)
    """means over the weeks of a quarter, shape (T, P)"""
    direct_usd_k: Array = field(init=False)
    """bookings by period"""
    partner_usd_k: Array = field(init=False)
    """gross bookings by period and partner"""
    found: Array = field(init=False)
    pool: Array = field(init=False)
    limits: list[LimitRow] = field(default_factory=list)
    sell_is_fixed: set[int] = field(default_factory=set)
    """periods in which it is locked; in all others what nobody needs is for selling"""

    def __post_init__(self) -> None:
        horizon, run_off = self.problem.quarters, self.problem.periods - HISTORY - self.problem.quarters
        parts = (("h", HISTORY), ("q", horizon), ("r", run_off))
        self.period_labels = tuple(f"{part}{i + 1}" for part, count in parts for i in range(count))
        self.partner_labels = labels_of(self.problem.scenario.partner_names)
        self.segment_labels = labels_of(self.problem.scenario.segment_names)

    def at_partner(self, t: int, p: int) -> tuple[str, str]:
        """The labels of a period and a partner."""
        return self.period_labels[t], self.partner_labels[p]

    def at_segment(self, t: int, s: int) -> tuple[str, str]:
        """The labels of a period and a segment."""
        return self.period_labels[t], self.segment_labels[s]

    def row(self, row: Any, family: str, *labels: str) -> None:
        """Add a row to the program under the name of its family and place."""
        self.lp += row, _name(family, labels)

    def variable(
        self, family: str, place: Sequence[int], labels: Sequence[str], most: float | None = None, binary: bool = False
    ) -> Any:
        """A new variable from 0 to `most`; `labels` say what the numbers of its `place` mean.

        The numbers come first in the name because PuLP 3 orders columns by name, and in another order HiGHS finds
        another of the plans within the gap.
        """
        name = _name("_".join([family, *map(str, place)]), labels)
        return self.lp.add_variable(name, 0, most, pulp.LpBinary if binary else pulp.LpContinuous)

    def variables(self, family: str, *axes: Sequence[str], most: float | None = None) -> Array:
        """An array of variables from 0 to `most`, with a label for each place along each axis."""
        array = np.empty([len(axis) for axis in axes], dtype=object)
        for place in np.ndindex(*array.shape):
            labels = [axis[i] for axis, i in zip(axes, place, strict=True)]
            array[place] = self.variable(family, place, labels, most)
        return array


def _name(family: str, labels: Sequence[str]) -> str:
    return f"{family}({','.join(labels)})" if labels else family


def total(terms: Iterable[Any]) -> Any:
    """The sum of terms, as an expression."""
    return pulp.lpSum(terms)


def is_number(value: Any) -> bool:
    """Whether a cell of the model is neither a variable nor an expression."""
    return isinstance(value, int | float)


def coming(problem: PlanningProblem) -> range:
    """Periods whose hours are still to be planned, the run-off included."""
    return range(HISTORY + problem.past, problem.periods)


def to_plan(problem: PlanningProblem) -> range:
    """Periods whose hours are still to be planned within the horizon."""
    return range(HISTORY + problem.past, HISTORY + problem.quarters)


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
