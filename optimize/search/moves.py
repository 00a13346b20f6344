"""Small changes of a plan, and which of them gain in the simulator.

A change of an hour gains a thousandth of credit, and two plans that differ by an hour meet the same luck only at first:
a deal visited a day later shifts every visit after it, so the difference of two runs spreads by some 3% of credit
however small the change. To see a thousandth takes a thousand runs, for each of some hundred changes. But as the
spread does not grow with the change, a dozen changes tried together cost no more runs than one. So plans with random
sets of changes are tried, and a ridge regression tells them apart (random balance designs: Satterthwaite 1959; Kleijnen
2015, Design and Analysis of Simulation Experiments, ch. 4).

Left out: proof (certify.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from optimize.milp.model import DEVELOPING, ON_DEALS
from optimize.problem import PlanningProblem
from optimize.search.evaluate import CLEAR_GAIN, Purpose, Trials, Tried, gain, preference
from sim.arrays import FloatArray
from sim.plan import PlanTable
from sim.progress import Progress

WINDOW_QUARTERS = 4
WINDOW_STEP = 2
"""Quarters from a window to the next: windows overlap."""
TOGETHER = 12
"""Changes that are tried together."""
DESIGNS_PER_MOVE, GROUPS = 1.0, 10
"""Sets of changes, and the groups of sets that share the markets in which they are tried."""
PRIOR = 0.001
"""How much a change is expected to gain or lose, as a share of credit: estimates are drawn towards none."""
SPREAD = 0.03
"""Spread of the paired difference in a market, as a share of credit."""
BEST_SETS = (3, 8, 20)
"""Numbers of the most promising moves that are made together and tried."""
TESTED_HOURS = 1.0
"""Hours a week that the one-hour test moves."""


@dataclass(frozen=True)
class Move:
    """Hours a week that go from selling to another use, or back if negative, over some quarters."""

    use: str
    """prospect or partner"""
    activity: int
    """place in PARTNER_ACTIVITIES; 0 for prospecting"""
    target: int
    """segment or partner"""
    quarters: range
    hours: float

    @property
    def cell(self) -> tuple[str, int, int]:
        """The use that hours go to or come from."""
        return self.use, self.activity, self.target

    def on(self, table: PlanTable) -> PlanTable | None:
        """The plan after it; None if there is nothing to move."""
        window = slice(self.quarters.start, self.quarters.stop)
        if self.use == "partner" and table.parked[window, self.target].any():
            return None
        changed = getattr(table, self.use).copy()
        cells = changed[window, self.target] if self.use == "prospect" else changed[window, self.activity, self.target]
        given = np.clip(cells + self.hours, 0, None) - cells
        sell = table.sell.copy()
        sell[window] -= given
        if (sell[window] < 0).any() or not given.any():
            return None
        cells += given
        return replace(table, **{self.use: changed, "sell": sell})


def moves(problem: PlanningProblem, hours: float) -> Iterator[Move]:
    """Every hour that may go to a use or come from it, over windows of the quarters to come."""
    scenario = problem.scenario
    last = max(problem.past, problem.quarters - WINDOW_QUARTERS)
    for first in sorted({*range(problem.past, last, WINDOW_STEP), last}):
        window = range(first, min(first + WINDOW_QUARTERS, problem.quarters))
        for sign in (1, -1):
            for s in range(len(scenario.segment_names)):
                yield Move("prospect", 0, s, window, sign * hours)
            for p in range(len(scenario.partner_names)):
                for activity in (*DEVELOPING, *ON_DEALS):
                    yield Move("partner", activity, p, window, sign * hours)


@dataclass(frozen=True)
class Evidence:
    """Moves that a plan allows, and what each of them gains: drawn towards 0, in units of the objective."""

    base: PlanTable
    some: list[Move]
    gains: FloatArray
    """gain of each move, shape (moves,)"""

    @classmethod
    def of(cls, trials: Trials, base: PlanTable, hours: float, turn: int) -> Evidence:
        """Try random sets of all moves of some hours, in markets of its own for each `turn`.

        Limits do not matter here: a move may break one that another move mends.
        """
        some = [move for move in moves(trials.problem, hours) if move.on(base) is not None]
        rng = np.random.default_rng([trials.seed, turn])
        designs = -(-int(DESIGNS_PER_MOVE * len(some)) // GROUPS) * GROUPS
        in_sets, tables = np.zeros((designs, len(some))), []
        for design in in_sets:
            table = base
            for i in rng.permutation(len(some))[:TOGETHER]:
                after = some[i].on(table)
                if after is not None:
                    table, design[i] = after, 1.0
            tables.append(table)
        gains, markets = np.zeros(designs), trials.effort.design_markets
        for group in range(GROUPS if some else 0):
            # Each group in markets of its own, and the plan itself with it.
            those = [base, *tables[group::GROUPS]]
            first, *others = trials.fresh(those, markets, Purpose.SCREENING, turn * GROUPS + group)
            gains[group::GROUPS] = [other.mean - first.mean for other in others]
        ridge = (SPREAD / PRIOR) ** 2 / markets
        estimates = np.linalg.solve(in_sets.T @ in_sets + ridge * np.eye(len(some)), in_sets.T @ gains)
        return cls(base, some, np.asarray(estimates, np.float64))

    def exchanges(self) -> list[Exchange]:
        """Every one with selling, and between two uses in the same quarters, the most promising first.

        Between two uses it is a move from the first to selling and one from there to the second.
        """
        single = [Exchange(float(gain), (move,)) for gain, move in zip(self.gains, self.some, strict=True)]
        pairs = [
            Exchange(of.gain + to.gain, (*of.moves, *to.moves))
            for to in single
            for of in single
            if to.moves[0].hours > 0 > of.moves[0].hours
            and of.moves[0].quarters == to.moves[0].quarters
            and of.moves[0].cell != to.moves[0].cell
        ]
        return sorted([*single, *pairs], key=lambda exchange: -exchange.gain)


class Exchange(NamedTuple):
    """Hours exchanged with selling, by one move, or between two uses, by two."""

    gain: float
    """gain as it is estimated"""
    moves: tuple[Move, ...]

    def on(self, trials: Trials, table: PlanTable) -> PlanTable | None:
        """The plan after it; None if it or the limits do not allow that."""
        after: PlanTable | None = table
        for move in self.moves:
            after = None if after is None else move.on(after)
        broken = after is None or trials.limits.broken(trials.problem.scenario, after, trials.problem.past)
        return None if broken else after


def polish(trials: Trials, tried: Tried, progress: Progress) -> tuple[Tried, Evidence | None]:
    """The plan after some rounds, in each the most promising exchanges made together if that gains.

    With it comes the evidence on whole hours, unless the plan has changed since.
    """
    of_hours: Evidence | None = None
    rounds = trials.effort.move_hours
    for turn, hours in enumerate(rounds):
        progress(0, 0, f"moving {hours:g} h a week between uses, {turn + 1} of {len(rounds)}")
        evidence = Evidence.of(trials, tried.table, hours, turn)
        of_hours = evidence if hours == TESTED_HOURS else of_hours
        sets = list(_promising_sets(trials, tried.table, evidence))
        if not sets:
            continue
        before, *after = trials.fresh([tried.table, *sets], trials.effort.accepting_markets, Purpose.ACCEPTING, turn)
        best = max(after, key=preference)
        if gain(best, before) > CLEAR_GAIN:
            tried, of_hours = best, None
    return tried, of_hours


def _promising_sets(trials: Trials, table: PlanTable, evidence: Evidence) -> Iterator[PlanTable]:
    """The plan after the most promising exchanges that gain, as many as each of BEST_SETS says; each move once."""
    used: set[Move] = set()
    for exchange in evidence.exchanges():
        if exchange.gain <= 0 or len(used) >= BEST_SETS[-1]:
            break
        after = None if used & set(exchange.moves) else exchange.on(trials, table)
        if after is not None:
            before = len(used)
            table = after
            used |= set(exchange.moves)
            if any(before < most <= len(used) for most in BEST_SETS):
                yield table
