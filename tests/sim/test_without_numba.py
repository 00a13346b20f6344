"""Claim: where Numba or llvmlite cannot be imported, Next Hour goes on: the same numbers, one sentence, more time.

In a process of its own, in which they are blocked, with a cache in which nothing is compiled.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sim import TimePlan, draw_market, load_scenario, simulate
from tests import BASELINE, ROOT

BEGIN = f"""
import sys
for package in sys.argv[1].split():
    sys.modules[package] = None
import sim
scenario = sim.load_scenario({str(BASELINE)!r})
status_quo = sim.TimePlan.status_quo(scenario)
"""
NO_NUMBA, NO_LLVM, NEITHER = "numba", "llvmlite", "numba llvmlite"


def run_without(packages: str, script: str, cache: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + script, packages],
        env={**os.environ, "NEXTHOUR_CACHE": str(cache)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize("packages", [NO_NUMBA, NO_LLVM, NEITHER])
def test_a_ledger_is_the_same_without_them(packages: str, tmp_path: Path) -> None:
    scenario = load_scenario(BASELINE)
    digest = simulate(scenario, TimePlan.status_quo(scenario), draw_market(scenario, 7, 3)).digest()
    script = "print(sim.simulate(scenario, status_quo, sim.draw_market(scenario, 7, 3)).digest())"
    done = run_without(packages, script, tmp_path)
    assert (done.stdout, done.stderr) == (f"{digest}\n", "")


def test_the_compiled_engine_asked_for_by_name_is_refused_in_one_sentence(tmp_path: Path) -> None:
    script = """
try:
    sim.simulate(scenario, status_quo, sim.draw_market(scenario, 7), engine="compiled")
except sim.SimulationError as problem:
    print(problem)
"""
    (sentence,) = run_without(NO_NUMBA, script, tmp_path).stdout.splitlines()
    assert sentence.startswith("the compiled engine cannot be had, as numba cannot be imported (ModuleNotFoundError: ")
    assert sentence.endswith("install numba and llvmlite again, or use the engine simpy, which gives the same")


def test_what_was_compiled_before_runs_without_numba() -> None:
    """Linking takes llvmlite alone."""
    from sim.native.compiler import cache_folder

    scenario = load_scenario(BASELINE)
    digest = simulate(scenario, TimePlan.status_quo(scenario), draw_market(scenario, 7), engine="compiled").digest()
    script = 'print(sim.simulate(scenario, status_quo, sim.draw_market(scenario, 7), engine="compiled").digest())'
    assert run_without(NO_NUMBA, script, cache_folder()).stdout == f"{digest}\n"
