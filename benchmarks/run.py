"""How fast runs are, next to SimPy, Ciw and salabim on the same machine in the same minutes: `make bench`.

A speed in milliseconds says as much about the machine as about the program. So every line also stands as a ratio within
the same run. Shortest or middle of several repetitions, as the line says; nothing is asserted.

An event is one that SimPy schedules: the compiled engine is credited with the events that SimPy needs for the very same
runs, though it handles fewer.
"""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import simpy
from rich.console import Console
from rich.table import Table

from benchmarks.queues import QUEUES
from sim import TimePlan, compare, draw_market, load_scenario, replicate, sensitivity
from sim.assumptions import assumptions
from sim.coefficients import with_tables
from sim.fast import engine
from sim.market import draw_tapes
from sim.study.experiment import keep_tapes
from sim.tally import empty_sums
from sim.tape import tape_numbers
from sim.territory import Territory

SCENARIO = Path(__file__).parent.parent / "scenarios" / "baseline.yaml"
SEED = 7
REPLICATIONS = 20
"""Whose events are counted one by one, in SimPy."""

START = """
import time
begin = time.perf_counter()
import sim
imported = time.perf_counter()
scenario = sim.load_scenario({scenario!r})
plan = sim.TimePlan.status_quo(scenario)
import sim.market, sim.study.experiment
ready = time.perf_counter()
sim.replicate(scenario, plan, 1)
done = time.perf_counter()
print(imported - begin, done - ready)
"""
MEMORY = """
import pathlib, sim
scenario = sim.load_scenario({scenario!r})
sim.replicate(scenario, sim.TimePlan.status_quo(scenario), {replications})
(peak,) = (line for line in pathlib.Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(peak.split()[1])
"""


def seconds(call: Callable[[], Any], repetitions: int = 15) -> float:
    """Middle of the times of a call, after one that does not count (it imports and warms up)."""
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


def in_fresh_process(text: str, **environment: str) -> list[float]:
    """What a program of its own prints, as numbers."""
    text = text.replace("{scenario!r}", repr(str(SCENARIO)))
    done = subprocess.run(
        [sys.executable, "-c", text], env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    return [float(word) for word in done.stdout.split()]


def starts() -> dict[str, float]:
    """Seconds of `import sim`, and of the first compiled run with nothing kept and with the code kept."""
    with tempfile.TemporaryDirectory() as folder:
        _, cold = in_fresh_process(START, NEXTHOUR_CACHE=folder)
        again = [in_fresh_process(START, NEXTHOUR_CACHE=folder) for _ in range(3)]
    return {
        "import sim": min(imported for imported, _ in again),
        "first compiled run, code kept": min(first for _, first in again),
        "first compiled run, nothing kept: compiles": cold,
    }


def sensitivity_of_twenty() -> tuple[int, float]:
    """Runs and seconds of a sensitivity analysis with 20 assumptions and 2 plans, all else as it is by itself."""
    scenario = load_scenario(SCENARIO)
    plans = {split.name: TimePlan.from_split(scenario, split) for split in (scenario.status_quo, scenario.plans[-1])}
    all_of_partner_time, *others = assumptions(scenario)
    runs = 0

    def count(done: int, _: int) -> None:
        nonlocal runs
        runs = done

    of = [all_of_partner_time, *others[-19:]]
    took = seconds(lambda: sensitivity(scenario, plans, seed=SEED, of=of, progress=count), 3)
    return runs, took


def measure() -> list[Table]:
    """All measurements, as tables."""
    scenario = load_scenario(SCENARIO)
    plan = TimePlan.status_quo(scenario)
    history = TimePlan.status_quo(scenario).table(scenario)
    coefficients = with_tables(scenario, plan.table(scenario), history)
    markets = [draw_market(scenario, SEED, r) for r in range(REPLICATIONS)]
    territories = [Territory(coefficients, market) for market in markets]
    records = sum(len(territory.run()) for territory in territories)
    events = sum(events_of(territory.env) for territory in territories)

    tape, numbers, plans = (
        tape_numbers(scenario, SEED),
        engine.lay_out_numbers(coefficients),
        engine.lay_out_plans([coefficients]),
    )
    tapes = draw_tapes(tape, range(REPLICATIONS), whole=True)
    sums = empty_sums(1 + scenario.horizon_quarters, len(scenario.all_partners), 1, REPLICATIONS)

    def with_tape() -> None:
        engine.run_plans(tape, draw_tapes(tape, range(REPLICATIONS)), numbers, plans, sums)

    reference = seconds(lambda: Territory(coefficients, markets[0]).run()) * REPLICATIONS
    drawing = seconds(lambda: draw_tapes(tape, range(REPLICATIONS)), 51)
    given = seconds(lambda: engine.run_plans(tape, tapes, numbers, plans, sums), 51)
    both = seconds(with_tape, 51)

    one = Table(title=f"One run of {scenario.name}, {scenario.horizon_quarters} quarters, {plan.name}, one processor")
    for column in ("what", "measured", "times as fast as SimPy"):
        one.add_column(column, justify="left" if column == "what" else "right")
    for what, took in {
        "SimPy engine, market given": reference,
        "compiled engine, tape kept": given,
        "compiled engine, tape drawn too": both,
        "drawing the tape, as far as every run needs it": drawing,
    }.items():
        ratio = "" if took == drawing else f"{reference / took:,.0f}"
        one.add_row(what, f"{took / REPLICATIONS * 1000:.3f} ms", ratio)

    bare = {name: run() / seconds(run, 5) for name, run in QUEUES.items()}
    speed = Table(
        title=f"Events a second ({events / REPLICATIONS:,.0f} events, {records / REPLICATIONS:,.0f} records a run)"
    )
    for column in ("what", "measured", "times SimPy's M/M/1"):
        speed.add_column(column, justify="left" if column == "what" else "right")
    rates = {f"{name}, M/M/1 queue": rate for name, rate in bare.items()}
    rates |= {
        "SimPy engine": events / reference,
        "compiled engine, tape kept": events / given,
        "compiled engine, tape drawn too": events / both,
        "compiled engine, tape kept: records": records / given,
    }
    for what, rate in rates.items():
        speed.add_row(what, f"{rate:,.0f}", f"{rate / bare['SimPy']:,.2f}")

    many = Table(title=f"Many runs, {os.cpu_count()} processors")
    for column in ("what", "measured", "a run"):
        many.add_column(column, justify="left" if column == "what" else "right")
    kept = keep_tapes(scenario, 100, SEED)
    twenty = {f"{share} points": TimePlan.constant(scenario, share / 100, focus="believers") for share in range(20)}
    for what, runs, call in (
        ("1,000 replications", 1000, lambda: replicate(scenario, plan, 1000, SEED)),
        ("1,000 replications, one processor", 1000, lambda: replicate(scenario, plan, 1000, SEED, workers=1)),
        ("100 replications, tapes kept", 100, lambda: replicate(scenario, plan, 100, SEED, tapes=kept)),
        ("20 plans, 200 replications of each", 4000, lambda: compare(scenario, twenty, 200, SEED)),
    ):
        took = seconds(call, 5)
        many.add_row(what, f"{took * 1000:,.0f} ms", f"{took / runs * 1000:.3f} ms")
    runs, took = sensitivity_of_twenty()
    many.add_row("sensitivity, 20 assumptions, 2 plans", f"{took * 1000:,.0f} ms", f"{took / runs * 1000:.3f} ms")
    many.add_section()
    for what, took in starts().items():
        many.add_row(what, f"{took:.2f} s", "")
    many.add_section()
    for replications in (10, 1000, 4000):
        (kilobytes,) = in_fresh_process(MEMORY.replace("{replications}", str(replications)))
        many.add_row(f"most memory of a program, {replications:,} replications", f"{kilobytes / 1024:,.0f} MiB", "")
    for table in (one, speed, many):
        table.title_justify = "left"
    return [one, speed, many]


if __name__ == "__main__":
    Console().print(*measure(), sep="\n")
