"""Claim: where Numba or llvmlite cannot be imported, Next Hour goes on: the same numbers, one sentence, more time.

In a process of its own, which finds packages of these names that fail, with a cache in which nothing is compiled.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sim import Scenario, TimePlan, compare, draw_market, load_scenario, simulate
from sim.native.compiler import Records
from tests import BASELINE, ROOT

BEGIN = f"""
import hashlib, sim
scenario = sim.load_scenario({str(BASELINE)!r})
status_quo = sim.TimePlan.status_quo(scenario)
"""
SENTENCE = (
    "numba cannot be imported (OSError: no such file), so the simulation runs as plain Python: the same numbers, "
    "hundreds of times as slowly, in 100 markets unless you say how many; install numba and llvmlite again to have it "
    "fast.\n"
)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario(BASELINE)


def run_without(package: str, script: str, folder: Path, cache: Path | None = None) -> tuple[str, str]:
    """What a script prints, and what it says on stderr, where a package cannot be imported."""
    broken = folder / "broken" / package
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text('raise OSError("no such file")')
    (folder / "script.py").write_text(BEGIN + script)
    path = os.pathsep.join([str(broken.parent), str(ROOT)])
    done = subprocess.run(
        [sys.executable, folder / "script.py"],
        env={**os.environ, "PYTHONPATH": path, "NEXTHOUR_CACHE": str(cache or folder / "cache")},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


@pytest.mark.parametrize("package", ["numba", "llvmlite"])
def test_a_ledger_is_the_same_and_nothing_is_said(package: str, scenario: Scenario, tmp_path: Path) -> None:
    digest = simulate(scenario, TimePlan.status_quo(scenario), draw_market(scenario, 7, 3)).digest()
    script = "print(sim.simulate(scenario, status_quo, sim.draw_market(scenario, 7, 3)).digest())"
    assert run_without(package, script, tmp_path) == (f"{digest}\n", "")


def test_a_comparison_is_the_same_and_says_once_what_is_missing(scenario: Scenario, tmp_path: Path) -> None:
    plans = {"a": TimePlan.status_quo(scenario), "b": TimePlan.constant(scenario, 0.2, focus="believers")}
    comparison = compare(scenario, plans, 2, worlds=2, replications_per_world=1)
    values = b"".join(outcomes.values.tobytes() for outcomes in comparison.outcomes.values())
    script = """
from sim.study.one_run import usual_replications
plans = {"a": status_quo, "b": sim.TimePlan.constant(scenario, 0.2, focus="believers")}
comparison = sim.compare(scenario, plans, 2, worlds=2, replications_per_world=1)
values = b"".join(outcomes.values.tobytes() for outcomes in comparison.outcomes.values())
print(hashlib.sha256(values).hexdigest(), comparison["b"].worlds_ahead.value, usual_replications(scenario))
"""
    worlds_ahead = comparison["b"].worlds_ahead
    assert worlds_ahead is not None
    expected = f"{hashlib.sha256(values).hexdigest()} {worlds_ahead.value} 100\n"
    assert run_without("numba", script, tmp_path) == (expected, SENTENCE)


def test_coverage_by_segment_is_the_same(scenario: Scenario, tmp_path: Path) -> None:
    from sim.study.batches import table_coverage

    coverage = table_coverage(scenario, [TimePlan.status_quo(scenario).table(scenario)], 2, 7)
    script = """
from sim.study.batches import table_coverage
print(table_coverage(scenario, [status_quo.table(scenario)], 2, 7).tolist())
"""
    assert run_without("numba", script, tmp_path) == (f"{coverage.tolist()}\n", SENTENCE)


@pytest.mark.long
def test_a_planner_says_what_is_missing_before_it_solves(tmp_path: Path) -> None:
    script = """
from optimize import optimize_plan
def stop(done, total, says=""):
    print(says)
    raise SystemExit
optimize_plan(scenario, effort="quick", progress=stop)
"""
    assert run_without("numba", script, tmp_path) == ("solving\n", SENTENCE)


def test_the_compiled_engine_asked_for_by_name_is_refused_in_one_sentence(tmp_path: Path) -> None:
    script = """
try:
    sim.simulate(scenario, status_quo, sim.draw_market(scenario, 7), engine="compiled")
except sim.SimulationError as problem:
    print(problem)
"""
    sentence = (
        "the compiled engine cannot be had, as llvmlite cannot be imported (OSError: no such file); install numba and "
        "llvmlite again, or use the engine simpy, which gives the same\n"
    )
    assert run_without("llvmlite", script, tmp_path) == (sentence, "")


def test_what_was_compiled_before_runs_without_numba(scenario: Scenario, tmp_path: Path) -> None:
    """Linking takes llvmlite alone."""
    from sim.native.kept_code import cache_folder

    digest = simulate(scenario, TimePlan.status_quo(scenario), draw_market(scenario, 7), engine="compiled").digest()
    script = """
print(sim.simulate(scenario, status_quo, sim.draw_market(scenario, 7), engine="compiled").digest())
"""
    assert run_without("numba", script, tmp_path, cache_folder()) == (f"{digest}\n", "")


def test_records_that_other_processes_share_are_only_read() -> None:
    array = np.array([(1.0,), (2.0,)], dtype=[("hours", "f8")])
    array.flags.writeable = False
    records = Records(array)
    assert records[1].hours == 2.0
    records.close()
