"""What the families of rows share: the program with its variables, and the path at which curves are straight.

Money is in thousands of US dollars, hours are a week's. Hours, stocks and deals of a candidate are expected ones: times
the chance that it has signed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pulp
from numpy.typing import NDArray

from optimize.problem import HISTORY, PlanningProblem
from sim.arrays import FloatArray
from sim.coefficients import CO_SELL, COACH, JOINT_PLAN, SELL_FOR, SOCIALISE

Array = NDArray[Any]
"""of variables, expressions and numbers"""
DEVELOPING = (COACH, JOINT_PLAN, SOCIALISE)
"""Activities that change a partner's stocks whether or not it has deals."""
ON_DEALS = (CO_SELL, SELL_FOR)
"""Activities that take deals of the partner."""
LEAST_DEALS = 1e-6
"""A quarter, below which a partner has none: a solver loses its way among numbers so far apart."""
UNIT = 1000.0


@dataclass(frozen=True)
class Rates:
    """What the last simulation, or the last plan, says of the model. T periods, P partners, S segments, M markets."""

    direct: FloatArray
    """realised over promised bookings of the manager, shape (T,)"""
    partner: FloatArray
    """the same of partners, shape (T, P)"""
    skill: FloatArray
    """of an active partner, shape (T, P): where curves are taken as straight"""
    engagement: FloatArray
    reach: FloatArray
    """shape (T, S)"""
    luck: FloatArray | None = None
    """bookings in some markets over their mean: the manager's, the partners', shape (2, M, quarters); None at first"""

    @classmethod
    def at_first(cls, problem: PlanningProblem) -> Rates:
        """Nothing known: the model is right and partners stay as they are."""
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
    """of the limit (Limits.says)"""
    slack: Any
    """how far it is given up: 0 unless the model is elastic"""


@dataclass
class Model:
    """The program and its variables: arrays over periods (history first), of variables, expressions and numbers."""

    problem: PlanningProblem
    lp: Any
    sell: Array
    prospect: Array
    partner: Array
    """hours by (period, activity, partner)"""
    cam: Array
    carried: Array
    """1 for a carried partner, the chance of being there for a candidate, shape (T, P)"""
    active: Array
    recruits: dict[tuple[int, int], Any]
    """(period, partner) -> 1 if it is recruited in that quarter"""
    skill: Array = field(default_factory=lambda: np.empty(0))
    engagement: Array = field(default_factory=lambda: np.empty(0))
    """means over the weeks of a quarter, shape (T, P)"""
    direct_usd_k: Array = field(default_factory=lambda: np.empty(0))
    """bookings by period"""
    partner_usd_k: Array = field(default_factory=lambda: np.empty(0))
    """gross bookings by period and partner"""
    found: Array = field(default_factory=lambda: np.empty(0))
    pool: Array = field(default_factory=lambda: np.empty(0))
    limits: list[LimitRow] = field(default_factory=list)
    sell_is_fixed: set[int] = field(default_factory=set)
    """periods in which it is locked; in all others what nobody needs is for selling"""


def total(terms: Iterable[Any]) -> Any:
    """Their sum, as an expression."""
    return pulp.lpSum(terms)


def is_number(its: Any) -> bool:
    """Whether it is neither a variable nor an expression."""
    return isinstance(its, int | float)


def variables(lp: Any, name: str, shape: tuple[int, ...], most: float | None = None) -> Array:
    """An array of variables from 0 to `most`."""
    its = np.empty(shape, dtype=object)
    for place in np.ndindex(*shape):
        its[place] = lp.add_variable("_".join([name, *map(str, place)]), 0, most)
    return its


def coming(problem: PlanningProblem) -> range:
    """Periods whose hours are still to be planned, the run-off included."""
    return range(HISTORY + problem.past, problem.periods)


def to_plan(problem: PlanningProblem) -> range:
    """Periods whose hours are still to be planned within the horizon."""
    return range(HISTORY + problem.past, HISTORY + problem.quarters)
