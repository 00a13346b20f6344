"""Claim: whatever is handed in, there is a result or one sentence, soon and in little memory.

A thousand cases here, ten thousand larger ones of fresh numbers in the long run; `python -m tests.hostile NUMBER` tries
one again. The judge itself is tried too: it must see every kind of fault.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sim import TableError
from tests.hostile import judging
from tests.hostile.cases import Case
from tests.hostile.handed_in import HANDED_IN, HandedIn
from tests.hostile.readers import READERS
from tests.hostile.watching import try_cases

CASES, PARTS = 1_000, 2
LONG_CASES, LONG_PARTS = 10_000, 20
FIRST_LONG = int(os.environ.get("SEED", "1")) % 10**6 * LONG_CASES


def _try(first: int, count: int, large: bool) -> set[str]:
    tried = try_cases(first, count, large)
    assert not tried.faults, "\n".join(tried.faults)
    assert tried.cases == count
    return set(tried.by_kind)


@pytest.mark.parametrize("part", range(PARTS))
def test_hostile_inputs_are_a_result_or_one_sentence(part: int) -> None:
    count = CASES // PARTS
    kinds = _try(part * count, count, large=False)
    assert kinds == {reader.name for reader in READERS} | {kind.name for kind in HANDED_IN}


@pytest.mark.long
@pytest.mark.parametrize("part", range(LONG_PARTS))
def test_many_large_hostile_inputs_are_a_result_or_one_sentence(part: int) -> None:
    count = LONG_CASES // LONG_PARTS
    first = FIRST_LONG + part * count
    print(f"cases {first} to {first + count - 1}, large")
    _try(first, count, large=True)


# The judge


def _faults(take: Callable[[Any], object], value: Any = None) -> list[str]:
    handed_in = HandedIn("a value", lambda rng, room: value, take)
    return judging.judge(Case(0, "a value", handed_in=handed_in, value=value), Path("nowhere"))[0]


def _raise(problem: Exception) -> Callable[[Any], object]:
    def take(value: Any) -> object:
        raise problem

    return take


def _warn(value: Any) -> None:
    warnings.warn("of something", RuntimeWarning, stacklevel=1)


@pytest.mark.parametrize(
    ("take", "fault"),
    [
        (_raise(KeyError("x")), "KeyError: 'x' (line"),
        (_raise(TableError("f: Input should be a valid number")), "says 'valid '"),
        (_raise(TableError("")), "is not printable"),
        (_warn, "warns: RuntimeWarning: of something"),
    ],
)
def test_the_judge_sees_how_python_fails(take: Callable[[Any], object], fault: str) -> None:
    (found,) = _faults(take)
    assert found.startswith(fault)
    assert _faults(_raise(TableError("f: is empty; give another"))) == []


@pytest.mark.parametrize(
    ("run", "fault"),
    [
        (judging.CommandRun(["plan"], 3, "", "error: x\n"), "exit code 3"),
        (judging.CommandRun(["plan"], 1, "", ""), "exit code 1 without a word"),
        (judging.CommandRun(["plan"], 0, "", "RuntimeWarning: x\n"), "succeeds, and says"),
        (judging.CommandRun(["plan"], 1, "", "Traceback (most recent call last):\n"), "says 'Traceback"),
        (judging.CommandRun(["plan"], 1, "", "error: one\nerror: two\n"), "says 2 sentences"),
        (judging.CommandRun(["plan"], 1, "", "error: this should not happen (x)\n"), "says 'this should not happen'"),
        (judging.CommandRun(["plan"], 0, "\x1b[2J", ""), "prints '\\x1b'"),
        (judging.CommandRun(["plan"], 1, "", f"error: {'x' * 500}\n"), "has 500 letters"),
    ],
)
def test_the_judge_sees_how_a_command_fails(run: judging.CommandRun, fault: str) -> None:
    assert judging.wrong_with_run(run).startswith(fault)


def test_time_and_memory_are_measured() -> None:
    with judging.measured() as cost:
        begun = time.process_time()
        while time.process_time() < begun + 0.05:
            pass
        held = bytearray(60_000_000)
        held[::4096] = b"x" * len(held[::4096])
    assert cost[0].seconds >= 0.05
    if sys.platform == "linux":
        assert cost[0].megabytes > 50
