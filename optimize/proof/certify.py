"""The certificate of a plan, made in markets that the search never saw, and the one-hour test.

Left out: the search (reconcile.py, moves.py).
"""

import math
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from optimize.milp.solve import BY_PERIOD
from optimize.objective import RUN_OFF_QUARTERS
from optimize.proof.solution import Certificate, HourTest
from optimize.search.baseline_plans import constant_splits
from optimize.search.evaluate import Purpose, Trials, Tried, preference
from optimize.search.moves import TESTED_HOURS, Evidence, Move
from optimize.search.reconcile import Planner, Reconciled
from sim.arrays import FloatArray
from sim.plan import PlanTable, TimePlan
from sim.scenario import Scenario
from sim.split_hours import equal_runs
from sim.study import estimates
from sim.study.batches import world_credit
from sim.study.estimates import Estimate
from sim.study.request import RunSettings
from sim.terms import PARTNER_ACTIVITIES

MOST_ALIKE = 3
"""How many of the changes that the one-hour test tries may share a move."""
SURE, LOOKS = 0.95, 2
"""Confidence of all intervals of a test together, and looks at it, a second one included."""


def certify(
    planner: Planner, found: Reconciled, evidence: Evidence | None, name: str, begun: float
) -> tuple[TimePlan, Certificate]:
    """Try plan, base and the most promising moves of an hour in fresh markets.

    `evidence` is on moves of an hour, if there is any; `begun` by the performance counter. A move that gains in fresh
    markets is made, and the plan tried again in markets that are fresh once more.
    """
    trials, problem, objective, effort = planner.trials, planner.problem, planner.objective, planner.trials.effort
    base, against = base_of(planner)
    best_split, split = _best_split(planner)
    (ours, going_on, splits), test = _test_fresh(planner, found.tried.table, evidence, [base, split])
    (promise,) = trials.of([ours.table])
    plan = as_plan(planner.scenario, ours.table, name)
    worlds_ahead, worlds_ahead_of_split = _compare_in_worlds(planner, plan, best_split)
    ahead = slice(problem.past, None)
    by_quarter = _by_quarter(trials, ours) - _by_quarter(trials, going_on)
    difference = estimates.mean(ours.value - going_on.value)
    attained, base_attained = (trials.attainment(one.direct_usd, one.partner_usd) for one in (ours, going_on))
    at_quota, base_at_quota = attained >= 1, base_attained >= 1
    exit_usd, exit_difference_usd = _year_after(planner, ours, going_on)
    solved, bounded = found.solved, math.isfinite(found.solved.bound_usd)
    certificate = Certificate(
        wanted=objective.name,
        outcome=solved.outcome,
        objective=solved.objective_usd,
        bound=solved.bound_usd if bounded else None,
        gap=solved.gap if bounded else None,
        fluid_limit=found.first.value(objective),
        promised=promise.mean,
        realised_estimate=estimates.mean(ours.value),
        promised_direct_usd=float(promise.direct_usd[:, ahead].sum(axis=1).mean()),
        realised_direct_usd=float(ours.direct_usd[:, ahead].sum(axis=1).mean()),
        promised_partner_usd=float(promise.partner_usd[:, ahead].sum(axis=(1, 2)).mean()),
        realised_partner_usd=float(ours.partner_usd[:, ahead].sum(axis=(1, 2)).mean()),
        against=against,
        base=estimates.mean(going_on.value),
        difference=difference,
        difference_share=_share(difference, going_on.mean),
        difference_by_quarter=tuple(estimates.mean(one) for one in by_quarter.T),
        payback_quarter=estimates.payback_quarter(by_quarter.mean(axis=0)),
        markets_ahead=estimates.share(int((ours.value > going_on.value).sum()), len(ours.value)),
        best_split=best_split,
        over_best_split=_share(estimates.mean(ours.value - splits.value), splits.mean),
        worlds_ahead=worlds_ahead,
        worlds_ahead_of_split=worlds_ahead_of_split,
        attainment_by_quarter=tuple(estimates.mean(one) for one in attained.T),
        floors_missed=ours.missed,
        chance_of_quota=tuple(estimates.share(int(one.sum()), len(one)) for one in at_quota.T),
        quarters_at_quota=estimates.mean(at_quota[:, ahead].sum(axis=1).astype(float)),
        base_quarters_at_quota=estimates.mean(base_at_quota[:, ahead].sum(axis=1).astype(float)),
        rounding_gain=found.rounding_gain,
        exit_usd=exit_usd,
        exit_difference_usd=exit_difference_usd,
        hour_test=test,
        simulated_runs=trials.runs + (0 if worlds_ahead is None else 3 * effort.worlds * effort.markets_a_world),
        seconds=time.perf_counter() - begun,
    )
    return plan, certificate


def _year_after(planner: Planner, ours: Tried, going_on: Tried) -> tuple[Estimate | None, Estimate | None]:
    """Credit of the year after the horizon and the difference from going on, US dollars; None if it does not count."""
    if len(planner.objective.quarter_weight) <= planner.problem.quarters:
        return None, None
    credit = (planner.problem.credit_usd(one.direct_usd, one.partner_usd) for one in (ours, going_on))
    exit_usd, base_exit_usd = (usd[:, -RUN_OFF_QUARTERS:].sum(axis=1) for usd in credit)
    return estimates.mean(exit_usd), estimates.mean(exit_usd - base_exit_usd)


def _test_fresh(
    planner: Planner, table: PlanTable, evidence: Evidence | None, compared: list[PlanTable]
) -> tuple[list[Tried], HourTest]:
    """The plan, and those it is compared with, in fresh markets; and its one-hour test there."""
    trials, turns = planner.trials, planner.trials.effort.certifying_turns
    for turn in range(turns):
        planner.progress(0, 0, "trying it in fresh markets, and every move of an hour")
        tested, count = most_promising(trials, table, turn, evidence)
        first, *rest = trials.fresh([table, *compared, *tested], trials.effort.certificate_markets, Purpose.FRESH, turn)
        after = [moved for moved in rest[len(compared) :] if preference(moved)[0] >= preference(first)[0]]
        test = hour_test(first, after, count)
        if after and not test.passed and test.largest_gain.low <= 0 and trials.alike is None:
            # Not because a move gains, but because that is not known well enough: look at as many markets again.
            again = [table, *(tried.table for tried in after)]
            more = trials.fresh(again, trials.effort.certificate_markets, Purpose.FRESH, turns + turn)
            pairs = zip([first, *after], more, strict=True)
            both = [replace(one, value=np.append(one.value, other.value)) for one, other in pairs]
            test = hour_test(both[0], both[1:], count)
        if test.largest_gain.low <= 0 or turn == turns - 1:
            break
        table, evidence = max(after, key=preference).table, None
    return [first, *rest[: len(compared)]], test


def _best_split(planner: Planner) -> tuple[str, PlanTable]:
    """The best of some constant splits, by name; after a past, from here on."""
    splits = {
        name: from_here(planner, constant_split.table(planner.scenario))
        for name, constant_split in constant_splits(planner.scenario).items()
    }
    markets = planner.trials.effort.split_markets
    scores = [tried.mean for tried in planner.trials.fresh(list(splits.values()), markets, Purpose.SPLITS)]
    best = list(splits)[int(np.argmax(scores))]
    return best, splits[best]


def base_of(planner: Planner) -> tuple[PlanTable, str]:
    """What a plan is measured against: the status quo, or after a past the plan that was followed."""
    if planner.problem.followed is not None:
        return planner.problem.followed, "going on as before"
    return planner.history, "the status quo"


def from_here(planner: Planner, table: PlanTable) -> PlanTable:
    """A plan from the present quarter on; what is over stays what it was."""
    followed, past = planner.problem.followed, planner.problem.past
    if followed is None:
        return table
    joined: dict[str, Any] = {
        name: np.concatenate([getattr(followed, name)[:past], getattr(table, name)[past:]]) for name in BY_PERIOD
    }
    return replace(followed, **joined)


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
    by_whom = {"territory_manager": table.partner, "channel_account_manager": table.channel_account_manager}
    for who, hours in by_whom.items():
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
    kept = {"parked": parked, "coverage_mode": modes, "discipline": table.discipline}
    return TimePlan.from_table(scenario, rows, name, **kept)


def most_promising(
    trials: Trials, table: PlanTable, turn: int, evidence: Evidence | None = None
) -> tuple[list[PlanTable], int]:
    """The plan after those exchanges of an hour that look best, not too many alike; and of how many these are."""
    evidence = evidence or Evidence.of(trials, table, TESTED_HOURS, len(trials.effort.move_hours) + turn)
    exchanges, best, shared = evidence.exchanges(), list[PlanTable](), Counter[Move]()
    for exchange in exchanges:
        if any(shared[move] >= MOST_ALIKE for move in exchange.moves):
            continue
        after = exchange.on(trials, evidence.base)
        if after is not None:
            best.append(after)
            shared.update(exchange.moves)
        if len(best) == trials.effort.tested_moves:
            break
    return best, len(exchanges)


def hour_test(base: Tried, after: list[Tried], count: int) -> HourTest:
    """The one-hour test of a plan, from what it got and what it got `after` the best of `count` moves."""
    if not after or not base.mean:
        return HourTest(count, 0, Estimate(0.0, 0.0, 0.0, len(base.value)))
    confidence = 1 - (1 - SURE) / len(after) / LOOKS
    gains = [estimates.mean(moved.value - base.value, confidence) for moved in after]
    value, low, high = (float(max(getattr(gain, part) for gain in gains)) for part in ("value", "low", "high"))
    return HourTest(count, len(after), _share(Estimate(value, low, high, len(base.value)), base.mean))


def _compare_in_worlds(planner: Planner, plan: TimePlan, split: str) -> tuple[Estimate | None, Estimate | None]:
    """Share of plausible worlds in which the plan has more quota credit than the status quo, and than the split."""
    if planner.problem.followed is not None:
        return None, None  # worlds know nothing of what happened so far
    splits = constant_splits(planner.scenario)
    plans = {"status quo": TimePlan.status_quo(planner.scenario), "split": splits[split], "plan": plan}
    seed, effort = planner.trials.seed + Purpose.FRESH, planner.trials.effort
    credit = world_credit(planner.scenario, plans, effort.worlds, effort.markets_a_world, seed, RunSettings())
    shares = [
        estimates.share_of_worlds((credit[:, 2] - credit[:, other])[:, None], lambda means: means[:, 0] > 0)
        for other in (0, 1)
    ]
    return shares[0], shares[1]


def _by_quarter(trials: Trials, tried: Tried) -> FloatArray:
    values = trials.objective.by_quarter(tried.direct_usd, tried.partner_usd)
    return np.asarray(values[:, : trials.problem.quarters])


def _share(estimate: Estimate, of: float) -> Estimate:
    return estimate.scaled(1 / abs(of)) if of else estimate.scaled(0.0)
