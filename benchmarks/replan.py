"""What the past tells of what is to come: error of the forecast in markets like the past, as a share of that in all.

    python -m benchmarks.replan

Every true market lies outside the pool; its first quarters are what happened, and its later ones what is forecast.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from optimize.replan.actuals import KNOWN, KPI_BY_PARTNER, Figure
from optimize.replan.matching import most_like, past_and_coming, slopes
from sim import Scenario, TimePlan, kpis, load_scenario
from sim.arrays import FloatArray
from sim.kpis import KPIS, Tally
from sim.market import draw_tapes
from sim.study.batches import table_values
from sim.tape import tape_numbers

SCENARIOS = Path(__file__).parents[1] / "scenarios"
POOL, KEPT, TRUE, PAST, SEED = 10_000, 500, 500, 4, 7
GUESSED = ("skill", "engagement")
"""Indicators that few managers can put a number to, left out."""


def error_left(scenario: Scenario, with_partners: bool) -> list[float]:
    """Of credit of the next quarter and the next year, of bookings by partner and of skill; then the kinds, twice."""
    plan, past = TimePlan.status_quo(scenario), range(1, PAST + 1)
    figures = [Figure(quarter, name) for quarter in past for name in KNOWN if name not in GUESSED]
    figures.append(Figure(PAST + 1, "pipeline_coverage"))
    if with_partners:
        figures += [
            Figure(q, name, partner) for q in past for partner in scenario.partner_names for name in KPI_BY_PARTNER
        ]
    markets, pool, true = range(POOL + TRUE), slice(POOL), slice(POOL, POOL + TRUE)
    seen, coming = past_and_coming(scenario, plan, figures, PAST, markets, SEED)
    by = slopes(seen[pool], coming[pool])
    kept = [most_like(seen[pool], by, actual, KEPT) for actual in seen[true]]
    skill = next(kpi for kpi in KPIS if kpi.name == "skill")

    def later(tally: Tally) -> FloatArray:
        year = slice(PAST, PAST + 4)
        return np.concatenate(
            [
                kpis.credit_usd(tally)[..., year],
                skill.of(tally)[..., PAST - 1 : PAST],
                kpis.bookings_by_partner(tally)[..., year, :].sum(axis=-2),
            ],
            axis=-1,
        )

    values = table_values(scenario, [plan.table(scenario)], markets, SEED, later)[0]
    kinds = draw_tapes(tape_numbers(scenario, SEED), markets).partner_luck["true_segment"]

    def left(credit: FloatArray) -> float:
        means = np.array([credit[rows].mean(axis=0) for rows in kept])
        return float(np.square(means - credit[true]).sum() / np.square(credit[pool].mean(axis=0) - credit[true]).sum())

    before = np.mean([(kinds[pool] == truth).mean() for truth in kinds[true]])
    after = np.mean([(kinds[rows] == truth).mean() for rows, truth in zip(kept, kinds[true], strict=True)])
    return [
        left(values[:, 0]),
        left(values[:, :4].sum(axis=1)),
        left(values[:, 5:]),
        left(values[:, 4]),
        float(before),
        float(after),
    ]


def main() -> None:
    table = Table("scenario", "seen", "credit, quarter", "credit, year", "by partner", "skill", "kind before", "after")
    for name in ("baseline", "two-territories-partner-rich"):
        scenario = load_scenario(SCENARIOS / f"{name}.yaml")
        doubted = scenario.variant(assumptions={**scenario.assumptions.model_dump(), "label_accuracy": 0.6})
        for territory, label in ((scenario, name), (doubted, f"{name}, labels .6")):
            for with_partners in (False, True):
                figures = error_left(territory, with_partners)
                table.add_row(label, "partners too" if with_partners else "totals", *(f"{f:.2f}" for f in figures))
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
