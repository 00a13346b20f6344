"""Plans tried in the simulator: in which markets, and what of it counts.

Plans of a search meet the same markets (common random numbers). Which markets these are is decided once: as they come,
or those that look like what happened so far (matching.py). After the horizon comes the run-off, if it counts: nobody is
developed any more, and those hours go to selling.

Left out: which plans are worth trying (reconcile.py, moves.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum, unique
from functools import cache

import numpy as np

from optimize.effort import Effort
from optimize.limits import Limits
from optimize.objective import Objective
from optimize.options import EARLY_QUARTERS
from optimize.problem import PlanningProblem
from sim.arrays import FloatArray
from sim.plan import PlanTable
from sim.study.batches import table_bookings
from sim.study.experiment import keep_tapes
from sim.study.one_run import slow_runs
from sim.study.request import KeptTapes

Alike = Callable[[int], Sequence[int]]
"""Seed to the numbers of its markets that look like what happened."""


@unique
class Purpose(IntEnum):
    """What markets are for; added to the seed of the search, so that no two purposes share any."""

    SEARCH = 0
    FRESH = 2_000_003
    SCREENING = 3_000_003
    SPLITS = 4_000_003
    WHY = 5_000_003
    ACCEPTING = 6_000_003
    PRICING = 7_000_003
    CHOOSING = 8_000_003


CLEAR_GAIN = 2.0
"""Standard errors by which a change must gain."""
MISSED = 0.005
"""Share of quota by which a floor may be missed: markets are too few to see less."""


@dataclass(frozen=True)
class Tried:
    """A plan and what the simulator made of it, arrays by market. Q quarters, those of the run-off included."""

    table: PlanTable
    direct_usd: FloatArray
    """bookings, shape (markets, Q)"""
    partner_usd: FloatArray
    """gross bookings by partner, shape (markets, Q, partners)"""
    value: FloatArray
    """value of the objective, shape (markets,)"""
    missed: float
    """share of quota by which it misses floors, all of them together"""

    @property
    def mean(self) -> float:
        """The mean of the objective over markets."""
        return float(self.value.mean())


class Trials:
    """A planning problem and the markets in which its plans are tried. `runs` counts them."""

    def __init__(
        self,
        problem: PlanningProblem,
        objective: Objective,
        limits: Limits,
        seed: int,
        effort: Effort = Effort.normal,
        alike: Alike | None = None,
    ) -> None:
        """`alike` singles out markets that look like a past."""
        self.problem, self.objective, self.limits, self.seed, self.effort = problem, objective, limits, seed, effort
        self.alike = alike and cache(alike)
        slow_runs(problem.whole)  # who has to wait for plain Python hears of it before the first solve
        self.kept = keep_tapes(problem.whole, self._numbers(effort.search_markets, Purpose.SEARCH, 0), seed)
        self.runs = 0

    def of(self, tables: Sequence[PlanTable]) -> list[Tried]:
        """Each plan in the kept markets."""
        return self.tried(tables, self.kept, self.seed)

    def fresh(self, tables: Sequence[PlanTable], markets: int, purpose: Purpose, part: int = 0) -> list[Tried]:
        """Each plan in markets that are drawn for it and forgotten: a `part` of those of a purpose.

        The number of markets that look like a past is limited: then parts come round again, and there may be fewer.
        """
        return self.tried(tables, self._numbers(markets, purpose, part), self.seed + purpose)

    def _numbers(self, markets: int, purpose: Purpose, part: int) -> Sequence[int]:
        if self.alike is None:
            return range(part * markets, (part + 1) * markets)
        numbers = self.alike(self.seed + purpose)
        parts = max(1, len(numbers) // markets)
        return numbers[part % parts * markets :][:markets]

    def tried(self, tables: Sequence[PlanTable], markets: KeptTapes | Sequence[int], seed: int) -> list[Tried]:
        """Each plan in some markets."""
        booked = table_bookings(self.problem.whole, [self._with_run_off(table) for table in tables], markets, seed)
        self.runs += booked.direct.shape[0] * booked.direct.shape[1]
        values = self.objective.value(booked.direct, booked.partner)
        return [
            Tried(*one, missed=sum(self.missed(*one[1:3]).values()))
            for one in zip(tables, booked.direct, booked.partner, values, strict=True)
        ]

    def best(self, tables: Sequence[PlanTable]) -> Tried:
        """The best of some plans."""
        return max(self.of(tables), key=preference)

    def attainment(self, direct_usd: FloatArray, partner_usd: FloatArray) -> FloatArray:
        """Quota credit over quota, shape (markets, quarters)."""
        credit = self.problem.credit_usd(direct_usd, partner_usd)
        return np.asarray(credit[:, : self.problem.quarters] / self.problem.quota_usd)

    def missed(self, direct_usd: FloatArray, partner_usd: FloatArray) -> dict[str, float]:
        """Share of quota by which each floor is missed on average, by the key of the limit."""
        attained = self.attainment(direct_usd, partner_usd).mean(axis=0)
        floors = {
            f"floors {quarter}": (floor, attained[int(quarter) - 1]) for quarter, floor in self.limits.floors.items()
        }
        if self.limits.early_floor is not None:
            quota = self.problem.quota_usd[:EARLY_QUARTERS]
            floors["early_floor"] = self.limits.early_floor, attained[:EARLY_QUARTERS] @ quota / quota.sum()
        return {key: max(0.0, float(floor - seen)) for key, (floor, seen) in floors.items()}

    def _with_run_off(self, table: PlanTable) -> PlanTable:
        after = self.problem.whole.horizon_quarters - self.problem.quarters
        if not after:
            return table
        own = self.problem.scenario.territory_manager.hours_per_week

        def longer(values: FloatArray, times: float = 1.0) -> FloatArray:
            return np.concatenate([values, np.repeat(values[-1:], after, axis=0) * times])

        support, prospect = longer(table.support), longer(table.prospect)
        return replace(
            table,
            sell=np.append(table.sell, (own - support - prospect.sum(axis=1))[-after:]),
            prospect=prospect,
            partner=longer(table.partner, 0.0),
            channel_account_manager=longer(table.channel_account_manager, 0.0),
            parked=np.concatenate([table.parked, np.repeat(table.parked[-1:], after, axis=0)]),
            support=support,
        )


def preference(tried: Tried) -> tuple[float, float]:
    """The order of plans, the largest being the best: floors come first, then the mean of the objective."""
    return -max(0.0, round(tried.missed - MISSED, 4)), tried.mean


def gain(tried: Tried, base: Tried) -> float:
    """Mean paired gain in standard errors; below any if floors are missed by more than before."""
    if preference(tried)[0] < preference(base)[0]:
        return -np.inf
    difference = tried.value - base.value
    error = float(difference.std(ddof=1)) / len(difference) ** 0.5
    return float(difference.mean()) / error if error > 0 else 0.0
