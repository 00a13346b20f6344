"""From the fluid model's promise to a plan that was tried: solve, simulate, correct, solve again, round.

The fluid model knows no queues, so its forecast is corrected by what the simulator makes of its plan, and the corrected
model is solved again until promise and simulation agree. Floors that the simulation misses are asked for a little
higher. Of all plans met, the best in the simulator goes on; its cells are rounded to quarters of an hour a week, which
a calendar can hold.

Left out: moving single hours (moves.py), and how good the plan is in markets nobody saw (certify.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from optimize.limits import Limits
from optimize.milp.model import Model, Rates
from optimize.milp.program import fluid_program
from optimize.milp.solve import NoPlan, PlanningError, Solved, clash, solve
from optimize.problem import HISTORY
from optimize.search.evaluate import CLEAR_GAIN, MISSED, Trials, Tried, gain, preference
from optimize.search.rounding import round_hours
from sim.arrays import FloatArray
from sim.coefficients import CO_SELL
from sim.plan import PlanTable
from sim.progress import Progress
from sim.terms import COVERAGE_MODES, CoverageMode

AGREE = 0.02
"""Promise and simulation agree if they differ by less, as a share."""
PROSPECTING_SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
CO_SELLING_SHARES = (0.0, 0.5, 1.0)


@dataclass(frozen=True)
class Reconciled:
    """The plan, and how it came about."""

    tried: Tried
    """the rounded plan, tried"""
    rounding_gain: float
    """mean of the objective after rounding less before, in the same markets, as a share"""
    solved: Solved
    """the fluid model's last plan and its bound, corrected"""
    first: Solved
    """the fluid model's first plan, uncorrected: the fluid limit"""
    modes: tuple[CoverageMode, ...]
    rates: Rates
    """rates of the last solve"""


class Planner:
    """Trials, and a solver that proposes plans for them."""

    def __init__(self, trials: Trials, history: PlanTable, solver: str, progress: Progress) -> None:
        self.trials, self.history, self.progress = trials, history, progress
        self.solver, self.seconds = solver, trials.effort.solver_seconds
        self.problem, self.limits, self.objective = trials.problem, trials.limits, trials.objective
        self.scenario = trials.problem.scenario

    def plan(self) -> Reconciled:
        """The best plan found. Raises PlanningError if the limits clash."""
        modes = self._first_modes()
        # Floors are of attainment, which the model knows only when it was corrected.
        rates, limits = Rates.at_first(self.problem), self.limits.without_floors()
        self.progress(0, 0, "solving")
        first, rates = self._solve_to_path(modes, rates, limits, self.trials.effort.first_solves)
        solved, used = first, rates
        best = self.trials.best([first.table])
        rounds = self.trials.effort.correcting_rounds
        for turn in range(rounds):
            self.progress(0, 0, f"simulating and correcting, {turn + 1} of {rounds}")
            tried = self.trials.best(list(self._less_prospecting(solved.table)))
            tried = self.trials.best(list(self._less_co_selling(tried.table)))
            if turn == 0:
                tried = self._try_modes(tried)
                modes = tried.table.coverage_mode
            best = max(best, tried, key=preference)
            done = self._disagreement(solved, tried) < AGREE and turn > 0 and tried.missed <= MISSED
            if turn == rounds - 1 or done:
                break
            used = self._correct_rates(rates, solved, tried)
            limits = self._tighten_floors(limits, tried)
            try:
                solved, rates = self._solve_to_path(modes, used, limits)
            except PlanningError:
                if limits == self.limits and best.missed > MISSED:
                    raise
                break  # the best plan met so far stands; the certificate says by how much it misses floors
        table = round_hours(self.scenario, self.limits, best.table, self.problem.past)
        (tried,) = self.trials.of([table])
        gained = (tried.mean - best.mean) / abs(best.mean) if best.mean else 0.0
        return Reconciled(tried, gained, solved, first, modes, used)

    def model(self, modes: tuple[CoverageMode, ...], rates: Rates, limits: Limits, elastic: bool = False) -> Model:
        """The fluid model at some rates."""
        return fluid_program(self.problem, self.objective, limits, modes, rates, self.history, elastic)

    # Solving

    def solve(self, modes: tuple[CoverageMode, ...], rates: Rates, limits: Limits) -> Solved:
        """The best plan of the fluid model at some rates. Raises PlanningError, NoPlan if the limits clash."""
        return solve(self.model(modes, rates, limits), modes, solver=self.solver, seconds=self.seconds)

    def _solve_to_path(
        self, modes: tuple[CoverageMode, ...], rates: Rates, limits: Limits, solves: int = 1
    ) -> tuple[Solved, Rates]:
        for _ in range(solves):
            try:
                solved = self.solve(modes, rates, limits)
            except NoPlan:
                raise self._explain_clash(modes, rates, limits) from None
            there = solved.skill > 0
            rates = replace(
                rates,
                skill=np.where(there, solved.skill, rates.skill),
                engagement=np.where(there, solved.engagement, rates.engagement),
                reach=solved.reach,
            )
        return solved, rates

    def _explain_clash(self, modes: tuple[CoverageMode, ...], rates: Rates, limits: Limits) -> NoPlan:
        """Say which limits clash, and what giving up one of them would bring; or which have to give way together."""
        enough = []
        for key in limits.given():
            try:
                solved = self.solve(modes, rates, limits.without(key))
            except PlanningError:
                continue
            usd = self.problem.credit_usd(solved.direct_usd, solved.partner_usd)
            usd = usd[HISTORY : HISTORY + self.problem.quarters].sum() / 1e6
            enough.append(f"{limits.says(key)} (without it the model's limit is ${usd:,.2f}M of quota credit)")
        if enough:
            return NoPlan(
                f"the limits clash, and no plan keeps to all of them; give up or loosen {', or '.join(enough)}"
            )
        given = clash(self.model(modes, rates, limits, elastic=True), self.solver, self.seconds)
        if not given:
            return NoPlan("no plan fits this territory: support of its partners takes more than the week; park some")
        together = "; ".join(limits.says(key) for key in given)
        return NoPlan(f"the limits clash, and giving up one is not enough; give up or loosen together: {together}")

    def _first_modes(self) -> tuple[CoverageMode, ...]:
        fixed = dict(self.limits.coverage_mode)
        if self.problem.followed is not None:
            fixed = dict(zip(self.scenario.segment_names, self.problem.followed.coverage_mode, strict=True)) | fixed
        return tuple(fixed.get(name, "partner_first") for name in self.scenario.segment_names)

    # Trying

    def _less_prospecting(self, table: PlanTable) -> Iterator[PlanTable]:
        """Spare selling time becomes prospecting by itself, so planned prospecting may be too much of it."""
        locked = {row.target for row in self.limits.locks if row.activity == "prospect"}
        free = np.array([name not in locked for name in self.scenario.segment_names])
        selling = any(row.activity == "sell" for row in self.limits.locks)
        ahead = (np.arange(self.problem.quarters) >= self.problem.past)[:, None]
        for share in (1.0,) if selling else PROSPECTING_SHARES:
            less = np.where(free & ahead, share, 1.0) * table.prospect
            yield replace(table, prospect=less, sell=table.sell + (table.prospect - less).sum(axis=1))

    def _less_co_selling(self, table: PlanTable) -> Iterator[PlanTable]:
        """The model picks the largest of a quarter's deals; a manager can only help with those that are open."""
        locked = any(row.activity in ("co_sell", "sell") for row in self.limits.locks)
        ahead = np.arange(self.problem.quarters) >= self.problem.past
        for share in (1.0,) if locked else CO_SELLING_SHARES:
            partner = table.partner.copy()
            partner[ahead, CO_SELL] *= share
            less = replace(table, partner=partner, sell=table.sell + (table.partner - partner).sum(axis=(1, 2)))
            if share == 1.0 or not self.limits.broken(self.scenario, less, self.problem.past):
                yield less

    def _try_modes(self, tried: Tried) -> Tried:
        """Each segment's coverage mode in turn, the others as they are: what gains clearly is kept."""
        if self.problem.past:
            return tried  # a mode is for the whole horizon
        for s, name in enumerate(self.scenario.segment_names):
            if name in self.limits.coverage_mode:
                continue
            now = tried.table.coverage_mode
            others = [
                replace(tried.table, coverage_mode=(*now[:s], mode, *now[s + 1 :]))
                for mode in COVERAGE_MODES
                if mode != now[s]
            ]
            best = self.trials.best(others)
            if gain(best, tried) > CLEAR_GAIN:
                tried = best
        return tried

    def _disagreement(self, solved: Solved, tried: Tried) -> float:
        """Difference of promise and simulation, as a share of what was booked."""
        quarters = slice(HISTORY, HISTORY + self.problem.quarters)
        share = self.objective.partner_share
        promised = (solved.direct_usd + solved.partner_usd @ share)[quarters].sum()
        realised = (tried.direct_usd + tried.partner_usd @ share)[:, : self.problem.quarters].sum(axis=1).mean()
        return abs(promised / max(float(realised), 1.0) - 1)

    def _correct_rates(self, rates: Rates, solved: Solved, tried: Tried) -> Rates:
        """Rates times realised over promised: of the manager by quarter, of a partner over the horizon."""
        direct, partner = rates.direct.copy(), rates.partner.copy()
        direct[HISTORY:] *= _ratio(tried.direct_usd.mean(axis=0), solved.direct_usd[HISTORY:])
        ahead = slice(self.problem.past, None)
        partner *= _ratio(
            tried.partner_usd[:, ahead].mean(axis=0).sum(axis=0), solved.partner_usd[HISTORY:][ahead].sum(axis=0)
        )
        luck = None
        if self.objective.is_risk:
            some = slice(self.trials.effort.lucky_markets)
            of_partners = tried.partner_usd[some] @ self.objective.partner_share
            luck = np.stack([_luck(tried.direct_usd[some]), _luck(of_partners)])
        return replace(rates, direct=direct, partner=partner, luck=luck)

    def _tighten_floors(self, limits: Limits, tried: Tried) -> Limits:
        """Floors if the simulation missed one; and if it did with them, higher by what it missed."""
        if tried.missed <= MISSED:
            return limits
        if limits == self.limits.without_floors():
            return self.limits
        missed = self.trials.missed(tried.direct_usd, tried.partner_usd)
        floors = {quarter: floor + missed[f"floors {quarter}"] for quarter, floor in limits.floors.items()}
        early = None if limits.early_floor is None else limits.early_floor + missed["early_floor"]
        return limits.model_copy(update={"floors": floors, "early_floor": early})


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """part / whole, from a third to three; 1 where there is nothing."""
    ratio = np.divide(part, whole, out=np.ones_like(whole), where=(whole > 1.0) & (part > 1.0))
    return np.clip(ratio, 1 / 3, 3.0)


def _luck(usd: FloatArray) -> FloatArray:
    """Each market's bookings over their mean, by quarter; 1 where there are none."""
    mean = usd.mean(axis=0)
    return np.divide(usd, mean, out=np.ones_like(usd), where=mean > 1.0)
