"""The planner against black-box search (CMA-ES) in the planner's own space: python -m benchmarks.search [FILES]

The search has 1, 4 and 16 times 20,000 replications, every one counted, those of its last choice too. Five searches
begin at the plan followed today, and at 16 times five more at the planner's plan. All are scored in the same fresh
markets, and the best of the five there stands for the search, which favours it. The claim: less than half a percent
ahead of the planner, with 95% confidence.

Left out: other searchers, and time: what the planner spends is said in replications. `--seeds 2` is a shorter contest.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed
from rich.console import Console
from rich.table import Table

from benchmarks.encoding import Encoding
from optimize import optimize_plan
from optimize.objective import Objective
from sim import Scenario, TimePlan, load_scenario
from sim.arrays import FloatArray
from sim.plan import PlanTable
from sim.study.batches import table_bookings
from sim.study.estimates import Estimate, mean

FOLDER = Path(__file__).parent.parent / "scenarios"
FILES = (FOLDER / "baseline.yaml", FOLDER / "two-territories-direct-rich.yaml")
SEED, FRESH_SEED, FRESH_MARKETS = 7, 90_000_007, 4000
UNIT_REPLICATIONS = 20_000
NOT_INFERIOR = 0.005
SEEDS_APART = 1_000_000
"""Between two searches: each generation of one has a seed of its own."""
LAST_CHOICE, CHOICES = 0.05, 6
"""Share of the budget for choosing among so many plans at the end."""


class Way(NamedTuple):
    """How a search goes about it. It moves on through encodings, each begun where the last one ended."""

    times: int
    """the unit of replications"""
    from_ours: bool
    knots: tuple[int, ...]
    step: float
    """standard deviation at first, halved with each encoding"""
    markets: int
    """in which each plan is tried"""


WAYS = (
    Way(1, False, (2,), 0.3, 25),
    Way(4, False, (2,), 0.3, 25),
    Way(16, False, (2, 4, 12), 0.4, 25),
    Way(16, True, (6, 12), 0.1, 50),
)
"""The strongest tried for each budget, on the baseline: docs/planner.md says what else was."""


def search(scenario: Scenario, start: PlanTable, way: Way, replications: int, seed: int) -> PlanTable:
    """The best plan that CMA-ES finds with at most so many replications."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is nothing to draw with
        import cma

    objective = Objective.of(scenario, "quota_credit", 0.0)
    used = turn = 0

    def credit(tables: Sequence[PlanTable], markets: int) -> FloatArray:
        nonlocal used, turn
        used, turn = used + len(tables) * markets, turn + 1
        bookings = table_bookings(scenario, tables, range(markets), seed * SEEDS_APART + turn)
        return objective.value(*bookings).mean(axis=1)

    table, kept = start, [start]
    for stage, knots in enumerate(way.knots):
        encoding = Encoding(scenario, min(knots, scenario.horizon_quarters))
        # With hundreds of dimensions and a few thousand tries, a whole covariance matrix is not learned in time.
        options = {"CMA_diagonal": True, "seed": seed, "verbose": -9}
        cmaevolution_strategy = cma.CMAEvolutionStrategy(encoding.encode(table), way.step / 2**stage, options)
        end = (1 - LAST_CHOICE) * replications * (stage + 1) / len(way.knots)
        centres = []
        while used + cmaevolution_strategy.popsize * way.markets <= end:
            vectors = cmaevolution_strategy.ask()
            # A generation meets the same markets and the next one others: nothing is gained by fitting their luck.
            cmaevolution_strategy.tell(vectors, -credit([encoding.decode(vector) for vector in vectors], way.markets))
            centres.append(cmaevolution_strategy.mean.copy())
        if centres:
            table = encoding.decode(np.mean(centres[-(len(centres) // 8 + 1) :], axis=0))
            kept += [encoding.decode(centres[-1]), table]
    kept = kept[-CHOICES:] if not way.from_ours else [start, *kept[1:][1 - CHOICES :]]
    last = credit(kept, (replications - used) // len(kept))
    return kept[int(last.argmax())]


def rows(file: Path, seeds: int) -> list[list[str]]:
    """The table's lines for a scenario, one for each way."""
    scenario = load_scenario(file)
    objective = Objective.of(scenario, "quota_credit", 0.0)
    solution = optimize_plan(scenario, seed=SEED)
    ours, today = solution.plan.table(scenario), TimePlan.status_quo(scenario).table(scenario)
    jobs = [(way, seed) for way in WAYS for seed in range(1, seeds + 1)]
    found = Parallel(n_jobs=-1)(
        delayed(search)(scenario, ours if way.from_ours else today, way, way.times * UNIT_REPLICATIONS, seed)
        for way, seed in jobs
    )
    plan, *others = objective.value(*table_bookings(scenario, [ours, *found], range(FRESH_MARKETS), FRESH_SEED))
    lines = []
    for w, way in enumerate(WAYS):
        best, *rest = sorted(others[w * seeds : (w + 1) * seeds], key=lambda row: -float(row.mean()))
        ahead = [mean(searched - plan).scaled(1 / float(plan.mean())) for searched in (best, *rest)]
        lines.append(
            [
                file.stem,
                f"{way.times}x from {'our plan' if way.from_ours else 'today'}",
                f"{way.times * UNIT_REPLICATIONS:,}",
                f"{solution.certificate.simulated_runs:,}",
                f"{plan.mean() / 1000:,.0f}",
                f"{best.mean() / 1000:,.0f}",
                _interval(ahead[0]),
                f"{np.median([lead.value for lead in ahead]):+.2%}",
                f"{ahead[-1].value:+.2%}",
                verdict(ahead[0]),
            ]
        )
    return lines


def verdict(ahead: Estimate) -> str:
    """Of the search's lead over the planner as a share: whether the planner is worse by half a percent at most."""
    if ahead.high <= NOT_INFERIOR:
        return "not inferior"
    return "inferior" if ahead.low > NOT_INFERIOR else "not shown"


def _interval(estimate: Estimate) -> str:
    return f"{estimate.value:+.2%} ({estimate.low:+.2%} to {estimate.high:+.2%})"


def main() -> None:
    """The table, a scenario at a time."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks.search", description="The planner against CMA-ES.")
    asked.add_argument("files", nargs="*", type=Path, default=FILES, help="scenario files")
    asked.add_argument("--seeds", type=int, default=5, help="searches in each row")
    given = asked.parse_args()
    table = Table(
        "scenario", "search", "its replications", "the planner's", "plan, $k", "best search, $k",
        "best search over plan", "median", "worst", "the planner is",
    )  # fmt: skip
    for file in given.files:
        for line in rows(file, given.seeds):
            table.add_row(*line)
    Console(width=200).print(table)


if __name__ == "__main__":
    main()
