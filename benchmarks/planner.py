"""The planner against the best of 200 constant splits and ramps, on every scenario file: python -m benchmarks.planner

Constant splits are chosen with as many markets as the planner's search has, and all are scored in the same fresh ones.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from optimize import optimize_plan
from optimize.objective import Objective
from sim import PlanError, Scenario, TimePlan, compare, load_scenario
from sim.batches import table_bookings
from sim.estimates import Estimate, mean

FOLDER = Path(__file__).parent.parent / "scenarios"
SEED, FRESH_SEED = 7, 77
SEARCH_MARKETS, FRESH_MARKETS, WORLDS = 500, 2000, 100
SHARES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4)
MIXES = (
    {"coach": 0.6, "joint_plan": 0.4},
    {"coach": 0.3, "joint_plan": 0.7},
    {"coach": 0.5, "joint_plan": 0.3, "co_sell": 0.2},
)
FOCUSES = ("even", "believers", "achievers")
RAMPS = ((0.4, 0.0, 12), (0.4, 0.1, 8), (0.3, 0.0, 12), (0.3, 0.1, 6), (0.1, 0.3, 6), (0.25, 0.0, 12))


def constants(scenario: Scenario) -> dict[str, TimePlan]:
    """Shares, mixes, focuses and ramps, with deceivers parked or not; those that the scenario allows."""
    deceivers = [partner.name for partner in scenario.partners if partner.label == "deceiver"]
    plans: dict[str, TimePlan] = {}
    for park, mix, focus in itertools.product(([], deceivers), MIXES, FOCUSES):
        ramps = [np.linspace(a, b, min(n, scenario.horizon_quarters)).tolist() for a, b, n in RAMPS]
        for share in (*SHARES, *ramps):
            name = f"split {len(plans)}"
            try:
                plans[name] = TimePlan.constant(scenario, share, mix, focus, park=park, name=name)
            except PlanError:
                continue
    return plans


def row(file: Path) -> list[str]:
    """One line of the table."""
    scenario = load_scenario(file)
    splits = constants(scenario)
    tables = [plan.table(scenario) for plan in splits.values()]
    objective = Objective.of(scenario, "quota_credit", 0.0)
    tried = objective.value(*table_bookings(scenario, tables, SEARCH_MARKETS, SEED)).mean(axis=1)
    best = list(splits.values())[int(tried.argmax())]
    solution = optimize_plan(scenario, seed=SEED)
    plans = [TimePlan.status_quo(scenario), best, solution.plan]
    fresh = table_bookings(scenario, [plan.table(scenario) for plan in plans], FRESH_MARKETS, FRESH_SEED)
    quo, split, plan = objective.value(*fresh)
    its = solution.certificate
    worlds = compare(scenario, {"status quo": plans[0], "plan": solution.plan}, 100, SEED, worlds=WORLDS)[
        "plan"
    ].worlds_ahead
    assert worlds is not None
    return [
        file.stem,
        f"{len(splits)}",
        _k(quo.mean()),
        _k(split.mean()),
        _k(plan.mean()),
        _share(mean(plan - quo), quo.mean()),
        _share(mean(plan - split), split.mean()),
        _k(its.promised_usd),
        _k(its.fluid_limit_usd),
        f"{its.gap:.1%}",
        f"{max(its.hour_test.largest_gain.high, 0):.2%}",
        f"{worlds.value:.0%}",
        f"{its.seconds:.0f}",
    ]


def _k(amount: float) -> str:
    return f"{amount / 1000:,.0f}"


def _share(difference: Estimate, of: float) -> str:
    its = difference.scaled(1 / of)
    return f"{its.value:+.1%} ({its.low:+.1%} to {its.high:+.1%})"


def main() -> None:
    """The table, a scenario at a time."""
    named = [Path(word) for word in sys.argv[1:]]
    table = Table(
        "scenario", "splits", "status quo, $k", "best split", "plan", "plan over status quo", "plan over best split",
        "promised", "fluid limit", "gap", "an hour moved gains at most", "worlds ahead", "seconds",
    )  # fmt: skip
    for file in named or sorted(FOLDER.glob("*.yaml")):
        table.add_row(*row(file))
    Console(width=240).print(table)


if __name__ == "__main__":
    main()
