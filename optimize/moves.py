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

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from optimize.milp.program import DEVELOPING, ON_DEALS
from optimize.problem import FloatArray, PlanningProblem
from optimize.trials import CLEAR, Trials, Tried, gain, rank
from sim.plan import PlanTable

WINDOW_QUARTERS = 4
WINDOW_STEP = 2
"""Quarters from a window to the next: windows overlap."""
TOGETHER = 12
"""Changes that are tried together."""
DESIGNS_PER_MOVE, DESIGN_MARKETS, GROUPS = 1.0, 50, 10
"""Sets of changes, the markets in which each is tried, and the groups of sets that share these."""
PRIOR = 0.001
"""How much a change is expected to gain or lose, as a share of credit: estimates are drawn towards none."""
SPREAD = 0.03
"""Of the paired difference in a market, as a share of credit."""
Told = Callable[[str], None]
BEST_SETS = (3, 8, 20)
"""Numbers of the most promising changes that are made together and tried."""
MOVE_HOURS = (1.0, 0.5)
"""Hours a week that are moved, a round each."""
PROMISING = 0.6
"""Share of the moves that a second look is for, the best (successive halving: Jamieson & Talwalkar 2016)."""
ACCEPT_MARKETS = 1000
"""In which sets of moves are tried, others in each round."""
SCREENING_SEED, ACCEPT_SEED = 3_000_003, 6_000_003
"""Added to the seed of the search."""


@dataclass(frozen=True)
class Move:
    """Hours a week that go from selling to another use, or back if negative, over some quarters."""

    use: str
    """prospect or partner"""
    activity: int
    """of PARTNER_ACTIVITIES; 0 for prospecting"""
    target: int
    """segment or partner"""
    quarters: slice
    hours: float

    @property
    def cell(self) -> tuple[str, int, int]:
        """The use that hours go to or come from."""
        return self.use, self.activity, self.target

    def of(self, hours: float) -> Move:
        """The same with so many hours."""
        return replace(self, hours=hours if self.hours > 0 else -hours)

    def on(self, table: PlanTable) -> PlanTable | None:
        """The plan after it; None if there is nothing to move."""
        window = self.quarters
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
        window = slice(first, min(first + WINDOW_QUARTERS, problem.quarters))
        for sign in (1, -1):
            for s in range(len(scenario.segment_names)):
                yield Move("prospect", 0, s, window, sign * hours)
            for p in range(len(scenario.partner_names)):
                for activity in (*DEVELOPING, *ON_DEALS):
                    yield Move("partner", activity, p, window, sign * hours)


def moved(
    trials: Trials, table: PlanTable, some: Sequence[Move], most: int | None = None
) -> tuple[PlanTable, list[int]]:
    """The plan after those of some moves that it and the limits allow, up to `most` of them; and which these are."""
    made: list[int] = []
    for i, move in enumerate(some):
        if len(made) == most:
            break
        its = move.on(table)
        if its is not None and not trials.limits.broken(trials.problem.scenario, its, trials.problem.past):
            table, made = its, [*made, i]
    return table, made


@dataclass
class Evidence:
    """What is known of some moves of a plan: which were made together, and what that gained."""

    base: PlanTable
    some: list[Move]
    made: FloatArray
    """1 for a move that was made, shape (designs, moves)"""
    gains: FloatArray
    """shape (designs,)"""

    @classmethod
    def of_nothing(cls, trials: Trials, base: PlanTable, hours: float) -> Evidence:
        """Of all moves of so many hours that the plan and the limits allow."""
        some = [its for its in moves(trials.problem, hours) if moved(trials, base, [its])[1]]
        return cls(base, some, np.zeros((0, len(some))), np.zeros(0))

    def gather(self, trials: Trials, among: Sequence[int], turn: int) -> None:
        """Try random sets of some of the moves."""
        rng = np.random.default_rng([trials.seed, turn])
        designs = -(-int(DESIGNS_PER_MOVE * len(among)) // GROUPS) * GROUPS
        made, tables = np.zeros((designs, len(self.some))), []
        for design in made:
            order = rng.permutation(among)
            table, which = moved(trials, self.base, [self.some[i] for i in order], TOGETHER)
            design[order[which]] = 1.0
            tables.append(table)
        gains = np.empty(designs)
        for group in range(GROUPS):
            # Each group in markets of its own, and the plan itself with it.
            those = [self.base, *tables[group::GROUPS]]
            first, *others = trials.fresh(those, DESIGN_MARKETS, SCREENING_SEED, turn * GROUPS + group)
            gains[group::GROUPS] = [other.mean - first.mean for other in others]
        self.made, self.gains = np.concatenate([self.made, made]), np.append(self.gains, gains)

    def most_promising(self) -> list[int]:
        """Those that are worth another look; all of them if nothing is known yet."""
        if not len(self.gains):
            return list(range(len(self.some)))
        return [int(i) for i in np.argsort(-self.estimates(), kind="stable")[: int(PROMISING * len(self.some)) + 1]]

    def estimates(self) -> FloatArray:
        """What each move gains, in units of the objective, drawn towards 0: shape (moves,)."""
        ridge = (SPREAD / PRIOR) ** 2 / DESIGN_MARKETS
        return np.asarray(
            np.linalg.solve(self.made.T @ self.made + ridge * np.eye(len(self.some)), self.made.T @ self.gains)
        )


def polished(trials: Trials, tried: Tried, told: Told) -> tuple[Tried, Evidence]:
    """The plan after some rounds, in each the most promising moves made together if that gains.

    A round adds to what others learnt of the same plan. What is known of whole hours comes with the plan.
    """
    known: dict[float, Evidence] = {}
    for turn, hours in enumerate(MOVE_HOURS):
        told(f"moving {hours:g} h a week between uses, {turn + 1} of {len(MOVE_HOURS)}")
        its = known.setdefault(hours, Evidence.of_nothing(trials, tried.table, hours))
        if not its.some:
            continue
        its.gather(trials, its.most_promising(), turn)
        gains = its.estimates()
        promising = [its.some[i] for i in np.argsort(-gains, kind="stable") if gains[i] > 0]
        sets = [moved(trials, tried.table, promising, most)[0] for most in BEST_SETS if promising]
        before, *after = trials.fresh([tried.table, *sets], ACCEPT_MARKETS, ACCEPT_SEED, turn)
        best = max(after, key=rank, default=before)
        if gain(best, before) > CLEAR:
            tried, known = best, {}
    return tried, known.get(1.0, Evidence.of_nothing(trials, tried.table, 1.0))
