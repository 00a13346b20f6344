"""The planner on a large territory, 12 partners, 3 candidates and 6 segments: python -m benchmarks.large_planner

Processor seconds to build and to solve the fluid model to 1%, again after one limit has changed, and seconds of a whole
plan with its certificate.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from optimize import Limits, optimize_plan
from optimize.milp.model import Rates
from optimize.milp.program import fluid_program
from optimize.milp.solve import solve
from optimize.objective import Objective
from optimize.problem import PlanningProblem
from sim import Scenario, TimePlan, load_scenario

BASELINE = Path(__file__).parent.parent / "scenarios" / "baseline.yaml"
PARTNERS, CANDIDATES, SEGMENTS = 12, 3, 6
GAP = 0.01
LIMITS: dict[str, dict[str, Any]] = {
    "no limits": {},
    "a floor of 90% in Q1": {"floors": {1: 0.9}},
    "no recruiting": {"recruit": False},
    "at most 20% with partners": {"max_partner_share": 0.2},
    "partner hours change by 2 a week at most": {"largest_change_hours": 2.0},
}


def large() -> Scenario:
    """The baseline with a sixth segment and more partners, whose bases are those of others, scaled to fit."""
    scenario = load_scenario(BASELINE)
    market = [segment.model_dump() for segment in scenario.market_map]
    market.append({**market[1], "name": "sixth"})
    people = {}
    for kind, many in (("partners", PARTNERS), ("candidates", CANDIDATES)):
        known = [person.model_dump() for person in getattr(scenario, kind)]
        more = [{**known[i % len(known)], "name": f"{kind} {i + 1}"} for i in range(len(known), many)]
        people[kind] = [{**person, "base_share": {**person["base_share"], "sixth": 0.05}} for person in (*known, *more)]
    everybody = [*people["partners"], *people["candidates"]]
    for segment in market:
        total = sum(person["base_share"].get(segment["name"], 0.0) for person in everybody)
        for person in everybody:
            if segment["name"] in person["base_share"]:
                person["base_share"][segment["name"]] *= min(1.0, 0.95 / total)
    return scenario.variant(market_map=market[:SEGMENTS], **people)


def main() -> None:
    """The table, and the certificate of a whole plan."""
    scenario = large()
    problem, modes = PlanningProblem.of(scenario), ("partner_first",) * SEGMENTS
    history = TimePlan.status_quo(scenario).table(scenario)
    objective, rates = Objective.of(scenario, "quota_credit"), Rates.at_first(problem)
    table = Table("limits", "variables", "rows", "build, CPU s", "solve, CPU s", "gap")
    for says, given in LIMITS.items():
        begun = time.process_time()
        model = fluid_program(problem, objective, Limits.of(scenario, given), modes, rates, history)  # type: ignore[arg-type]
        built = time.process_time()
        solved = solve(model, modes, gap=GAP)  # type: ignore[arg-type]
        done = time.process_time()
        table.add_row(
            says,
            f"{model.lp.numVariables():,}",
            f"{model.lp.numConstraints():,}",
            f"{built - begun:.1f}",
            f"{done - built:.1f}",
            f"{solved.gap:.2%}",
        )
    console = Console(width=120)
    console.print(table)
    certificate = optimize_plan(scenario).certificate
    console.print(
        f"whole plan: {certificate.seconds:.0f} s, {certificate.simulated_runs:,} runs, "
        f"{certificate.difference_share.value:+.1%} over the status quo, "
        f"promise off by {certificate.promise_off:+.1%}; {certificate.hour_test.says}"
    )


if __name__ == "__main__":
    main()
