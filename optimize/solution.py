"""What the planner hands over: the plan, and how good it is and how we know.

The certificate is made in markets that the search never saw.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from optimize.objective import Name
from optimize.reconcile import STEP_HOURS, Planner, Reconciled
from optimize.solve import Outcome
from sim import estimates
from sim.batches import table_bookings
from sim.estimates import Estimate
from sim.plan import PlanTable, TimePlan
from sim.scenario import PARTNER_ACTIVITIES, Scenario
from sim.split import equal_runs, expected_support

MARKETS = 2000
PROMISE_SEED, FRESH_SEED, NEXT_SEED = 1_000_003, 2_000_003, 1_000_000
"""Added to the seed of the search: markets of the promise, fresh ones, and the same once more."""
TESTED_MOVES = 8
TURNS = 2
"""Of certifying, if a move of an hour gained and was made."""
SURE = 0.95


@dataclass(frozen=True)
class HourTest:
    """Whether moving one hour a week over four quarters would gain."""

    moves: int
    """tried in the markets of the search"""
    tested: int
    """the most promising of them, tried in fresh markets"""
    largest_gain: Estimate
    """of these, as a share of the plan's credit; the largest ends of their simultaneous 95% intervals"""

    @property
    def says(self) -> str:
        """In words."""
        if self.largest_gain.low > 0:
            return f"one of {self.moves} moves of an hour a week still gains {self.largest_gain.value:.2%} of credit"
        most = max(self.largest_gain.high, 0.0)
        return f"none of {self.moves} moves of an hour a week gains more than {most:.2%} of credit"


@dataclass(frozen=True)
class Certificate:
    """How good the plan is, and how we know. Money is the objective over the horizon, in US dollars."""

    objective: Name

    outcome: Outcome
    """of the solver: proven within the gap, or stopped by time"""
    objective_usd: float
    """of the corrected fluid model, history included"""
    bound_usd: float
    gap: float
    fluid_limit_usd: float
    """the uncorrected model's forecast: more than any manager with queues gets"""
    promised_usd: float
    """mean in markets after the search, to which the forecast was set"""
    realised_usd: Estimate
    """in fresh markets"""
    promised_direct_usd: float
    realised_direct_usd: float
    status_quo_usd: Estimate
    difference_usd: Estimate
    """paired, from the status quo"""
    difference_share: Estimate
    difference_by_quarter_usd: tuple[Estimate, ...]
    payback_quarter: int | None
    """from which the plan's total is ahead of the status quo's for good; None if it never is"""
    hour_test: HourTest
    simulated_runs: int
    seconds: float

    @property
    def promise_off(self) -> float:
        """Promised over realised, less 1; 0 where nothing is realised."""
        return self.promised_usd / self.realised_usd.value - 1 if self.realised_usd.value else 0.0


@dataclass(frozen=True)
class Change:
    """What becomes of one use of the manager's time. Hours a week."""

    activity: str
    target: str | None
    """partner, candidate or segment"""
    today: float
    planned: float

    @property
    def kind(self) -> Literal["stop", "start", "more", "less", "keep"]:
        """In a word; what goes on and changes by less than a quarter of an hour is kept."""
        if self.planned == 0:
            return "stop"
        if self.today == 0:
            return "start"
        if abs(self.planned - self.today) < STEP_HOURS:
            return "keep"
        return "more" if self.planned > self.today else "less"


@dataclass(frozen=True)
class Solution:
    """A plan with its certificate."""

    scenario: Scenario
    seed: int
    plan: TimePlan
    certificate: Certificate

    def changes(self, quarter: int = 1) -> tuple[Change, ...]:
        """Every use of the manager's time in a quarter (from 1) against the status quo, the largest change first."""
        today, planned = (_uses(self.scenario, its, quarter) for its in (TimePlan.status_quo(self.scenario), self.plan))
        both = [Change(*use, today.get(use, 0.0), planned.get(use, 0.0)) for use in {**planned, **today}]
        return tuple(sorted(both, key=lambda its: -abs(its.planned - its.today)))

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            **self.scenario.provenance(self.seed),
            "plan": self.plan.model_dump(mode="json"),
            "certificate": asdict(self.certificate),
            "changes_in_quarter_1": [{**asdict(its), "kind": its.kind} for its in self.changes()],
        }


def _uses(scenario: Scenario, plan: TimePlan, quarter: int) -> dict[tuple[str, str | None], float]:
    """Hours a week by activity and target."""
    table, q = plan.table(scenario), quarter - 1
    uses: dict[tuple[str, str | None], float] = {("sell", None): float(table.sell[q])}
    uses |= {("prospect", name): float(h) for name, h in zip(scenario.segment_names, table.prospect[q], strict=True)}
    for activity, hours in zip(PARTNER_ACTIVITIES, table.partner[q], strict=True):
        uses |= {(activity, name): float(h) for name, h in zip(scenario.partner_names, hours, strict=True)}
    for partner in scenario.partners:
        p = scenario.partner_names.index(partner.name)
        uses["support", partner.name] = 0.0 if table.parked[q, p] else expected_support(scenario, partner.name)
    return {use: hours for use, hours in uses.items() if hours > 0}


def as_plan(scenario: Scenario, table: PlanTable, name: str) -> TimePlan:
    """The rows of a table: one for each cell and run of quarters in which it is the same."""
    rows: list[dict[str, Any]] = []

    def cell(activity: str, target: str | None, hours: Any, who: str) -> None:
        values = [round(float(value), 6) for value in hours]
        for first, last in equal_runs(values):
            if values[first] > 0:
                rows.append(
                    {
                        "activity": activity, "target": target, "hours_per_week": values[first],
                        "from_quarter": first + 1, "to_quarter": last + 1, "who": who,
                    }
                )  # fmt: skip

    cell("sell", None, table.sell, "territory_manager")
    for s, segment in enumerate(scenario.segment_names):
        cell("prospect", segment, table.prospect[:, s], "territory_manager")
    for who, hours in (
        ("territory_manager", table.partner),
        ("channel_account_manager", table.channel_account_manager),
    ):
        for a, activity in enumerate(PARTNER_ACTIVITIES):
            for p, partner in enumerate(scenario.partner_names):
                cell(activity, partner, hours[:, a, p], who)
    parked = [
        {"partner": partner, "from_quarter": first + 1, "to_quarter": last + 1}
        for p, partner in enumerate(scenario.partner_names)
        for first, last in equal_runs(table.parked[:, p].tolist())
        if table.parked[first, p]
    ]
    modes: Mapping[str, str] = dict(zip(scenario.segment_names, table.coverage_mode, strict=True))
    return TimePlan.from_table(scenario, rows, name, parked=parked, coverage_mode=modes)


def certified(planner: Planner, found: Reconciled, name: str, begun: float) -> tuple[TimePlan, Certificate]:
    """Try plan, status quo and every move of an hour in fresh markets; `begun` is by the performance counter.

    A move that gains there is made, and the plan tried again in markets that are fresh once more.
    """
    scenario, table = planner.scenario, found.tried.table
    for turn in range(TURNS):
        planner.told("trying it in fresh markets, and every move of an hour")
        promise, seed = (planner.seed + first + turn * NEXT_SEED // 2 for first in (PROMISE_SEED, FRESH_SEED))
        moves = [its for move in planner.moves(1.0) if (its := planner.moved(table, move)) is not None]
        screened = planner.screened(table, moves, TESTED_MOVES)
        fresh = table_bookings(scenario, [table, planner.history, *screened], MARKETS, seed)
        by_quarter = planner.objective.by_quarter(fresh.direct, fresh.partner)
        total = by_quarter.sum(axis=-1)
        test = _hour_test(total[0], total[2:], len(moves))
        planner.simulated += total.size
        if test.largest_gain.low <= 0 or turn == TURNS - 1:
            break
        table = screened[int((total[2:] - total[0]).mean(axis=1).argmax())]
    promised = table_bookings(scenario, [table], MARKETS, promise)
    realised, status_quo = (estimates.mean(its) for its in total[:2])
    difference = estimates.mean(total[0] - total[1])
    certificate = Certificate(
        objective=planner.objective.name,
        outcome=found.solved.outcome,
        objective_usd=found.solved.objective_usd,
        bound_usd=found.solved.bound_usd,
        gap=found.solved.gap,
        fluid_limit_usd=found.first.value_usd(planner.objective),
        promised_usd=float(planner.objective.value(promised.direct, promised.partner).mean()),
        realised_usd=realised,
        promised_direct_usd=float(promised.direct[0].sum(axis=1).mean()),
        realised_direct_usd=float(fresh.direct[0].sum(axis=1).mean()),
        status_quo_usd=status_quo,
        difference_usd=difference,
        difference_share=difference.scaled(1 / status_quo.value) if status_quo.value else difference.scaled(0.0),
        difference_by_quarter_usd=tuple(estimates.mean(its) for its in (by_quarter[0] - by_quarter[1]).T),
        payback_quarter=estimates.payback_quarter((by_quarter[0] - by_quarter[1]).mean(axis=0)),
        hour_test=test,
        simulated_runs=planner.simulated + MARKETS,
        seconds=time.perf_counter() - begun,
    )
    return as_plan(scenario, table, name), certificate


def _hour_test(base: Any, moved: Any, moves: int) -> HourTest:
    if not len(moved) or base.mean() <= 0:
        return HourTest(moves, 0, Estimate(0.0, 0.0, 0.0, len(base)))
    confidence = 1 - (1 - SURE) / len(moved)
    gains = [estimates.mean(its - base, confidence) for its in moved]
    value, low, high = (float(max(getattr(its, part) for its in gains)) for part in ("value", "low", "high"))
    return HourTest(moves, len(moved), Estimate(value, low, high, len(base)).scaled(1 / base.mean()))
