"""How fast a run is, next to SimPy itself on the same machine in the same minute: `make bench`.

A speed in milliseconds says as much about the machine as about the program. So every line also stands as a
ratio: a step's time to that of one whole run, and events a second to those of a bare M/M/1 queue in SimPy.
Medians of several repetitions; nothing is asserted.

Left out: many replications at once. They are independent, so they take as many times longer as there are of
them, over the number of processors.
"""

from __future__ import annotations

import gc
import random
import statistics
import time
import tracemalloc
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import simpy
from rich.console import Console
from rich.table import Table

from sim import Ledger, TimePlan, draw_market, load_scenario
from sim.coefficients import derive
from sim.kpis import Tally, summarise
from sim.territory import Territory

SCENARIO = Path(__file__).parent.parent / "scenarios" / "baseline.yaml"
SEED = 7
REPETITIONS = 15
CUSTOMERS = 5_000


def seconds(call: Callable[[], Any], repetitions: int = REPETITIONS) -> float:
    """Median time of a call, after one that does not count (it imports and warms up)."""
    call()
    times = []
    for _ in range(repetitions):
        gc.collect()
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def events_of(env: simpy.Environment) -> int:
    """How many events the environment has scheduled; asking counts as one more."""
    return next(env._eid)


def peak_bytes(call: Callable[[], Any]) -> int:
    """Most memory that Python objects and arrays made by a call hold at once."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def queue() -> simpy.Environment:
    """An M/M/1 queue, 80% busy, after SimPy's own bank example: the bare cost of events."""
    env = simpy.Environment()
    teller = simpy.Resource(env)
    draw = random.Random(SEED)

    def customer() -> Generator[simpy.Event, Any, None]:
        with teller.request() as turn:
            yield turn
            yield env.timeout(draw.expovariate(1.0))

    def source() -> Generator[simpy.Event, Any, None]:
        for _ in range(CUSTOMERS):
            yield env.timeout(draw.expovariate(0.8))
            env.process(customer())

    env.process(source())
    env.run()
    return env


def measure() -> Table:
    """All measurements, as a table."""
    scenario = load_scenario(SCENARIO)
    plan = TimePlan.status_quo(scenario)
    numbers = derive(scenario, plan)
    market = draw_market(scenario, SEED)
    territory = Territory(numbers, market)
    ledger = Ledger(scenario, plan.name, SEED, 0, territory.run())
    events = events_of(territory.env)

    def whole_run() -> None:
        records = Territory(numbers, draw_market(scenario, SEED)).run()
        summarise(Tally.of(Ledger(scenario, plan.name, SEED, 0, records)))

    engine = seconds(lambda: Territory(numbers, market).run())
    whole = seconds(whole_run)
    steps = {
        "derive the numbers of a run": seconds(lambda: derive(scenario, plan)),
        "draw the market": seconds(lambda: draw_market(scenario, SEED)),
        "engine, market given": engine,
        "engine, market drawn too": seconds(lambda: Territory(numbers, draw_market(scenario, SEED)).run()),
        "indicators of the ledger": seconds(lambda: summarise(Tally.of(ledger))),
        "draw, simulate, summarise": whole,
    }
    bare = events_of(queue()) / seconds(queue)
    rates = {
        "SimPy, M/M/1 queue: events": bare,
        "engine: events": events / engine,
        "engine: ledger records": len(ledger.records) / engine,
    }
    table = Table(
        title=f"{scenario.name}, {scenario.horizon_quarters} quarters, {plan.name}, "
        f"median of {REPETITIONS}: {events:,} events, {len(ledger.records):,} records",
        title_justify="left",
    )
    table.add_column("what")
    table.add_column("measured", justify="right")
    table.add_column("ratio", justify="right")
    table.add_column("of what")
    for what, took in steps.items():
        table.add_row(what, f"{took * 1000:.1f} ms", f"{took / whole:.2f}", "the last of these")
    table.add_section()
    for what, rate in rates.items():
        table.add_row(what, f"{rate:,.0f} a second", f"{rate / bare:.2f}", "SimPy's events")
    table.add_section()
    ledger_bytes = ledger.records.nbytes
    peak = peak_bytes(whole_run)
    table.add_row("ledger", f"{ledger_bytes / 2**20:.2f} MiB", "1.00", "the ledger")
    table.add_row("most memory of a whole run", f"{peak / 2**20:.2f} MiB", f"{peak / ledger_bytes:.2f}", "the ledger")
    return table


if __name__ == "__main__":
    Console().print(measure())
