"""From the fluid model's promise to a plan that was tried: simulate, correct, solve again, then move single hours.

The fluid model knows no queues, so its forecast is corrected by what the simulator makes of its plan. The corrected
model is solved again, until promise and simulation agree. Of all plans met, the best in the simulator goes on: cells
are rounded to quarters of an hour a week, which a calendar can hold, and hours are moved between uses while that helps.

Everything here meets the same markets (common random numbers); the certificate is made in others (solution.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from optimize.limits import Limits
from optimize.milp import CO_SELL, DEVELOPING, SELL_FOR, Model, Rates, build
from optimize.objective import Objective
from optimize.problem import HISTORY, FloatArray, PlanningProblem
from optimize.solve import NoPlan, Solved, clash, solve
from sim.batches import BATCH_RUNS, Bookings, KeptTapes, table_bookings
from sim.experiment import keep_tapes
from sim.plan import Hours, PlanTable, TimePlan
from sim.scenario import COVERAGE_MODES, PARTNER_ACTIVITIES, CoverageMode, Scenario

MARKETS, SCREENING_MARKETS = 500, 100
FIRST_SOLVES = 2
"""Solves until the path at which curves are taken as straight is that of the plan."""
ROUNDS = 4
"""Of simulating and solving again."""
AGREE = 0.02
"""Promise and simulation agree if they differ by less, as a share."""
STEP_HOURS = 0.25
"""What hours a week are multiples of: an hour every fourth week."""
PROSPECTING_SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
MOVE_HOURS = (1.0, 0.5)
"""Hours a week that are moved, a round each, the largest first."""
WINDOW_QUARTERS = 4
CLEAR = 2.0
"""Standard errors by which a change must gain."""
BEST_MOVES = 14
Told = Callable[[str], None]


@dataclass(frozen=True)
class Tried:
    """A plan and what the simulator made of it."""

    table: PlanTable
    direct_usd: FloatArray
    """bookings by market and quarter"""
    partner_usd: FloatArray
    """the same by partner, gross, shape (markets, quarters, partners)"""
    total_usd: FloatArray
    """the objective over the horizon, by market"""


@dataclass(frozen=True)
class Reconciled:
    """The plan, and how it came about."""

    tried: Tried
    solved: Solved
    """the fluid model's last plan and its bound, corrected"""
    first: Solved
    """its first one, uncorrected: the fluid limit"""


class Planner:
    """A scenario, its limits, and the markets in which plans are tried."""

    def __init__(
        self,
        problem: PlanningProblem,
        objective: Objective,
        limits: Limits,
        seed: int,
        exit_weight: float,
        solver: str,
        told: Told,
    ) -> None:
        self.objective = objective
        self.problem, self.scenario, self.limits = problem, problem.scenario, limits
        self.exit_weight, self.solver, self.told = exit_weight, solver, told
        self.seed = seed
        self.tapes = keep_tapes(self.scenario, MARKETS, seed)
        self.few = KeptTapes(self.tapes.numbers, self.tapes.batches[: SCREENING_MARKETS // BATCH_RUNS["compiled"]])
        self.history = TimePlan.status_quo(self.scenario).table(self.scenario)
        self.simulated = 0

    def plan(self) -> Reconciled:
        """The best plan found. Raises PlanningError if the limits clash."""
        modes = self._first_modes()
        rates = Rates.at_first(self.problem)
        self.told("solving")
        first, rates = self._solved(modes, rates, FIRST_SOLVES)
        solved, best = first, self._best([first.table])
        for turn in range(ROUNDS):
            self.told(f"simulating and correcting, {turn + 1} of {ROUNDS}")
            tried = self._best(list(self._prospecting_less(solved.table)))
            if turn == 0:
                tried = self._best_modes(tried)
                modes = tried.table.coverage_mode
            best = max(best, tried, key=lambda its: float(its.total_usd.mean()))
            off = self._off(solved, tried)
            if turn == ROUNDS - 1 or (off < AGREE and turn > 0):
                break
            rates = self._corrected(rates, solved, tried)
            solved, rates = self._solved(modes, rates)
        best = self._polished(self._try([self._rounded(best.table)])[0])
        return Reconciled(best, solved, first)

    # Solving

    def _solved(self, modes: tuple[CoverageMode, ...], rates: Rates, solves: int = 1) -> tuple[Solved, Rates]:
        for _ in range(solves):
            model = self._model(modes, rates)
            try:
                solved = solve(model, modes, solver=self.solver)
            except NoPlan:
                raise self._explained(modes, rates) from None
            there = solved.skill > 0
            rates = replace(
                rates,
                skill=np.where(there, solved.skill, rates.skill),
                engagement=np.where(there, solved.engagement, rates.engagement),
                reach=solved.reach,
            )
        return solved, rates

    def _model(self, modes: tuple[CoverageMode, ...], rates: Rates, elastic: bool = False) -> Model:
        return build(
            self.problem,
            self.objective,
            self.limits,
            modes,
            rates,
            self.history,
            self.exit_weight,
            elastic,
        )

    def _explained(self, modes: tuple[CoverageMode, ...], rates: Rates) -> NoPlan:
        """Which limits clash: the fewest that have to give way."""
        given = clash(self._model(modes, rates, elastic=True), self.solver)
        if not given:
            return NoPlan("no plan fits this territory: support of its partners takes more than the week; park some")
        said = "; ".join(dict.fromkeys(says for says, _ in given))
        return NoPlan(f"the limits clash, and no plan keeps to all of them; give up or loosen: {said}")

    def _first_modes(self) -> tuple[CoverageMode, ...]:
        names = self.scenario.segment_names
        return tuple(self.limits.coverage_mode.get(name, "partner_first") for name in names)

    # Trying

    def _try(self, tables: Sequence[PlanTable], tapes: KeptTapes | None = None) -> list[Tried]:
        tapes = tapes or self.tapes
        its: Bookings = table_bookings(self.scenario, tables, tapes, self.seed)
        self.simulated += len(tables) * tapes.replications
        totals = self.objective.value(its.direct, its.partner)
        return [Tried(*one) for one in zip(tables, its.direct, its.partner, totals, strict=True)]

    def _best(self, tables: Sequence[PlanTable]) -> Tried:
        return max(self._try(tables), key=lambda its: float(its.total_usd.mean()))

    def _prospecting_less(self, table: PlanTable) -> Iterator[PlanTable]:
        """Spare selling time becomes prospecting by itself, so planned prospecting may be too much of it."""
        locked = {row.target for row in self.limits.locks if row.activity == "prospect"}
        free = np.array([name not in locked for name in self.scenario.segment_names])
        selling = any(row.activity == "sell" for row in self.limits.locks)
        for share in (1.0,) if selling else PROSPECTING_SHARES:
            less = np.where(free, share, 1.0) * table.prospect
            yield replace(table, prospect=less, sell=table.sell + (table.prospect - less).sum(axis=1))

    def _best_modes(self, tried: Tried) -> Tried:
        """Each segment's coverage mode in turn, the others as they are: what gains clearly is kept."""
        for s, name in enumerate(self.scenario.segment_names):
            if name in self.limits.coverage_mode:
                continue
            now = tried.table.coverage_mode
            others = [
                replace(tried.table, coverage_mode=(*now[:s], mode, *now[s + 1 :]))
                for mode in COVERAGE_MODES
                if mode != now[s]
            ]
            best = self._best(others)
            if _gain(best, tried) > CLEAR:
                tried = best
        return tried

    def _off(self, solved: Solved, tried: Tried) -> float:
        return abs(solved.value_usd(self.objective) / max(float(tried.total_usd.mean()), 1.0) - 1)

    def _corrected(self, rates: Rates, solved: Solved, tried: Tried) -> Rates:
        """Rates times realised over promised: of the manager by quarter, of a partner over the horizon."""
        end = HISTORY + self.problem.quarters
        direct, partner = rates.direct.copy(), rates.partner.copy()
        ratio = _ratio(tried.direct_usd.mean(axis=0), solved.direct_usd[HISTORY:end])
        direct[HISTORY:end] *= ratio
        direct[end:] *= ratio[-4:].mean()
        theirs = tried.partner_usd.mean(axis=0).sum(axis=0), solved.partner_usd[HISTORY:end].sum(axis=0)
        partner *= _ratio(*theirs)
        return replace(rates, direct=direct, partner=partner)

    # Rounding and moving hours

    def _rounded(self, table: PlanTable) -> PlanTable:
        """Hours in steps; what is left over, or missing, is selling. Recruiting keeps all the hours it needs."""
        recruit = len(PARTNER_ACTIVITIES) - 1
        partner, cam = (_steps(its) for its in (table.partner, table.channel_account_manager))
        for rounded, whole in ((partner, table.partner), (cam, table.channel_account_manager)):
            rounded[:, recruit] = np.ceil(whole[:, recruit] / STEP_HOURS - 1e-9) * STEP_HOURS
        own = self.scenario.territory_manager.hours_per_week
        rounded_table = replace(table, prospect=_steps(table.prospect), partner=partner, channel_account_manager=cam)
        for locked in self.limits.locks:
            rounded_table = _with_lock(self.scenario, rounded_table, table, locked)
        # A week that rounding overfills stays as it was.
        if self.scenario.channel_account_manager is not None:
            over = cam.sum(axis=(1, 2)) > self.scenario.channel_account_manager.hours_per_week
            cam[over] = table.channel_account_manager[over]
        left = own - table.support - rounded_table.prospect.sum(axis=1) - rounded_table.partner.sum(axis=(1, 2))
        full = left < 0
        for name in ("prospect", "partner"):
            getattr(rounded_table, name)[full] = getattr(table, name)[full]
        return replace(rounded_table, sell=np.where(full, table.sell, left))

    def _polished(self, tried: Tried) -> Tried:
        """Move hours between selling and each other use, over a few quarters at a time, while that clearly gains."""
        if self.limits.floors or self.limits.largest_change_hours is not None:
            return tried  # a move could break what only the model watches
        for hours in MOVE_HOURS:
            self.told(f"moving {hours:g} h a week between uses")
            usable = [(move, its) for move in self.moves(hours) if (its := self.moved(tried.table, move)) is not None]
            best = self._screen(tried.table, [its for _, its in usable], BEST_MOVES)
            if not best:
                continue
            alone = self._try([usable[i][1] for i in best])
            # Moves that gain alone may not gain together, so they are made one after another, each on trial.
            for i in (i for i, its in zip(best, alone, strict=True) if _gain(its, tried) > CLEAR):
                moved = self.moved(tried.table, usable[i][0])
                if moved is not None and _gain(after := self._try([moved])[0], tried) > CLEAR:
                    tried = after
        return tried

    def screened(self, table: PlanTable, others: Sequence[PlanTable], most: int) -> list[PlanTable]:
        """The most promising of some tables, in few of the markets of the search."""
        return [others[i] for i in self._screen(table, others, most)]

    def _screen(self, table: PlanTable, others: Sequence[PlanTable], most: int) -> list[int]:
        if not others:
            return []
        base, *tried = self._try([table, *others], self.few)
        gains = np.array([float((its.total_usd - base.total_usd).mean()) for its in tried])
        return [int(i) for i in np.argsort(-gains, kind="stable")[:most]]

    def moves(self, hours: float) -> Iterator[tuple[str, int, int, int, float]]:
        """(use, activity, target, first quarter, hours to it from selling, or back)."""
        quarters = self.problem.quarters
        for first in range(0, quarters, WINDOW_QUARTERS):
            for s in range(len(self.scenario.segment_names)):
                yield from (("prospect", 0, s, first, sign * hours) for sign in (1, -1))
            for p, name in enumerate(self.scenario.partner_names):
                for activity in (*DEVELOPING, CO_SELL, SELL_FOR):
                    if self.limits.may_get_hours(name):
                        yield from (("partner", activity, p, first, sign * hours) for sign in (1, -1))

    def moved(self, table: PlanTable, move: tuple[str, int, int, int, float]) -> PlanTable | None:
        """The table after a move, or None if there is nothing to move or the limits do not allow it."""
        use, activity, target, first, hours = move
        window = slice(first, min(first + WINDOW_QUARTERS, self.problem.quarters))
        changed = getattr(table, use).copy()
        cells = changed[window, target] if use == "prospect" else changed[window, activity, target]
        if use == "partner" and table.parked[window, target].any():
            return None
        if self._is_locked(use, activity, target):
            return None
        given = np.clip(cells + hours, 0, None) - cells
        sell = table.sell.copy()
        sell[window] -= given
        if (sell[window] < 0).any() or not given.any():
            return None
        if use == "prospect":
            changed[window, target] += given
        else:
            changed[window, activity, target] += given
            share = changed.sum(axis=(1, 2)) / self.scenario.territory_manager.hours_per_week
            low, high = self.limits.min_partner_share, self.limits.max_partner_share
            if (share[window] < low - 1e-9).any() or (share[window] > high + 1e-9).any():
                return None
        return replace(table, **{use: changed, "sell": sell})

    def _is_locked(self, use: str, activity: int, target: int) -> bool:
        names = self.scenario.segment_names if use == "prospect" else self.scenario.partner_names
        word = "prospect" if use == "prospect" else PARTNER_ACTIVITIES[activity]
        return any(
            row.activity == "sell" or (row.activity == word and row.target == names[target])
            for row in self.limits.locks
        )


def _gain(its: Tried, base: Tried) -> float:
    """Mean paired gain in standard errors."""
    difference = its.total_usd - base.total_usd
    error = float(difference.std(ddof=1)) / len(difference) ** 0.5
    return float(difference.mean()) / error if error > 0 else 0.0


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """part / whole, from a third to three; 1 where there is nothing."""
    its = np.divide(part, whole, out=np.ones_like(whole), where=(whole > 1.0) & (part > 1.0))
    return np.clip(its, 1 / 3, 3.0)


def _steps(hours: FloatArray) -> FloatArray:
    return np.asarray(np.round(hours / STEP_HOURS) * STEP_HOURS)


def _with_lock(scenario: Scenario, table: PlanTable, exact: PlanTable, row: Hours) -> PlanTable:
    """The table with a locked cell as it was before rounding."""
    quarters = slice(row.from_quarter - 1, row.to_quarter)
    if row.activity == "sell":
        return exact
    if row.activity == "prospect":
        s = scenario.segment_names.index(row.target or "")
        table.prospect[quarters, s] = exact.prospect[quarters, s]
    else:
        name = "partner" if row.who == "territory_manager" else "channel_account_manager"
        a, p = PARTNER_ACTIVITIES.index(row.activity), scenario.partner_names.index(row.target or "")
        getattr(table, name)[quarters, a, p] = getattr(exact, name)[quarters, a, p]
    return table
