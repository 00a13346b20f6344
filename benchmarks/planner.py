"""The planner against the best of 200 constant splits and ramps, on every scenario file: python -m benchmarks.planner

Constant splits are chosen with as many markets as the planner's search has, and all are scored in the same fresh ones.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from optimize import optimize_plan
from optimize.objective import Objective
from optimize.search.baseline_plans import constant_splits, splits
from sim import TimePlan, load_scenario
from sim.study.batches import table_bookings
from sim.study.estimates import Estimate, mean

FOLDER = Path(__file__).parent.parent / "scenarios"
SEED, FRESH_SEED = 7, 77
SEARCH_MARKETS, FRESH_MARKETS = 500, 2000
SHARES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4)
MIXES = (
    {"coach": 0.6, "joint_plan": 0.4},
    {"coach": 0.3, "joint_plan": 0.7},
    {"coach": 0.5, "joint_plan": 0.3, "co_sell": 0.2},
)
FOCUSES = ("even", "believers", "achievers")
RAMPS = ((0.4, 0.0, 12), (0.4, 0.1, 8), (0.3, 0.0, 12), (0.3, 0.1, 6), (0.1, 0.3, 6), (0.25, 0.0, 12))


def row(file: Path) -> list[str]:
    """One line of the table."""
    scenario = load_scenario(file)
    ramps = [np.linspace(a, b, min(n, scenario.horizon_quarters)).tolist() for a, b, n in RAMPS]
    constant = list(constant_splits(scenario, splits(scenario, (*SHARES, *ramps), MIXES, FOCUSES)).values())
    tables = [plan.table(scenario) for plan in constant]
    objective = Objective.of(scenario, "quota_credit")
    tried = objective.value(*table_bookings(scenario, tables, range(SEARCH_MARKETS), SEED)).mean(axis=1)
    best = constant[int(tried.argmax())]
    solution = optimize_plan(scenario, seed=SEED)
    plans = [TimePlan.status_quo(scenario), best, solution.plan]
    fresh = table_bookings(scenario, [plan.table(scenario) for plan in plans], range(FRESH_MARKETS), FRESH_SEED)
    quo, split, plan = objective.value(*fresh)
    certificate = solution.certificate
    assert certificate.gap is not None and certificate.worlds_ahead is not None
    direct, partner = certificate.promise_off_by_route
    return [
        file.stem,
        f"{len(constant)}",
        _k(quo.mean()),
        _k(split.mean()),
        _k(plan.mean()),
        _share(mean(plan - quo), quo.mean()),
        _share(mean(plan - split), split.mean()),
        _k(certificate.promised),
        f"{certificate.promise_off:+.1%}, {direct:+.1%}, {partner:+.1%}",
        _k(certificate.fluid_limit),
        f"{certificate.gap:.1%}",
        f"{max(certificate.hour_test.largest_gain.high, 0):.2%}",
        f"{certificate.rounding_gain:+.1%}",
        f"{certificate.worlds_ahead.value:.0%}",
        f"{certificate.seconds:.0f}",
    ]


def _k(amount: float) -> str:
    return f"{amount / 1000:,.0f}"


def _share(difference: Estimate, of: float) -> str:
    share = difference.scaled(1 / of)
    return f"{share.value:+.1%} ({share.low:+.1%} to {share.high:+.1%})"


def main() -> None:
    """The table, a scenario at a time."""
    named = [Path(word) for word in sys.argv[1:]]
    table = Table(
        "scenario", "splits", "status quo, $k", "best split", "plan", "plan over status quo", "plan over best split",
        "promised", "off, own, partners'", "fluid limit", "gap", "an hour moved gains at most", "rounding",
        "worlds ahead", "seconds",
    )  # fmt: skip
    for file in named or sorted(FOLDER.glob("*.yaml")):
        table.add_row(*row(file))
    Console(width=240).print(table)


if __name__ == "__main__":
    main()
