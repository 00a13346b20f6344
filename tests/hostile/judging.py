# ruff: noqa: E501 - attacks stand in lists, as wide as they are
"""What must hold of every case: a result, or one sentence; no traceback; not long, not much memory."""

from __future__ import annotations

import contextlib
import io
import re
import resource
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim.errors import InputError, NextHourError
from tests.hostile.cases import Case

LONGEST_SECONDS = 5.0
"""Of the processor, so that a busy machine changes nothing."""
MOST_MEMORY_MB = 500.0
JARGON = (
    "constrained", "instance of", "valid ", "tuple", "dictionary", "Traceback", "[type=", "pydantic", "NoneType",
    "Exceeds the limit", "sys.set", "this should not happen", "Error(", "codec can't", "list index", "not subscriptable", "unhashable type",
    "positional argument", "recursion depth", "has no attribute",
)  # fmt: skip
ACCEPTED = "accepted"
LONGEST_SENTENCE = 400
ONE_PROBLEM = re.compile(r"(error|nexthour): .+")
PLAIN_MEMORY = Path("/proc/self/status")


def wrong_with_text(text: str, start: str = "") -> str:
    """What is wrong with a sentence that people read, or nothing."""
    if not text.startswith(start):
        return f"does not begin with {start!r}: {text!r}"
    if not text.isprintable() or not text.strip():
        return f"is not printable: {text!r}"
    if len(text) > LONGEST_SENTENCE:
        return f"has {len(text)} letters: {text!r}"
    return next((f"says {word!r}: {text!r}" for word in JARGON if word in text), "")


def check_sentence(problem: InputError, start: str) -> None:
    """Fail unless the text of an error is a sentence that begins so and counts the other problems."""
    assert not (fault := wrong_with_text(str(problem), start)), fault
    more = len(problem.problems) - 1 + problem.untold
    assert not more or f"({more:,} more problem" in str(problem), str(problem)


@dataclass(frozen=True)
class CommandRun:
    """What a command of the terminal did."""

    words: list[str]
    code: Any
    out: str
    err: str


def run_command(words: list[str]) -> CommandRun:
    """Run a command of the terminal in this process."""
    from nexthour.terminal.main import app

    out, err, code = io.StringIO(), io.StringIO(), None
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
        warnings.simplefilter("always")
        try:
            app(list(words), prog_name="nexthour")
        except SystemExit as left:
            code = left.code
    return CommandRun(words, code, out.getvalue(), err.getvalue())


def wrong_with_run(run: CommandRun, codes: tuple[int, ...] = (0, 1, 2)) -> str:
    """What is wrong with what a command did, or nothing."""
    if run.code not in codes:
        return f"exit code {run.code}: {run.err[:300]!r}"
    lines = run.err.split("\n")[:-1] if run.err else []
    if run.code and not lines:
        # check --json and nothing else tells what is wrong on stdout
        return "" if run.out else f"exit code {run.code} without a word"
    if not run.code and lines:
        return f"succeeds, and says {run.err[:300]!r}"
    for line in lines:
        if not ONE_PROBLEM.fullmatch(line):
            return f"says {line[:300]!r}"
        if fault := wrong_with_text(
            line[:-1] if len(line) > LONGEST_SENTENCE and line.endswith(")") else line.partition(": ")[2]
        ):
            return fault
    if run.words[0] != "check" and len(lines) > 1:
        return f"says {len(lines)} sentences: {run.err[:400]!r}"
    shown = run.out.replace("\n", "")
    odd = next((letter for letter in shown if not letter.isprintable()), None)
    return "" if odd is None else f"prints {odd!r}"


def judge(case: Case, out: Path) -> tuple[list[str], Cost]:
    """Everything that is wrong with how a case is taken, and the most that one way to take it costs."""
    faults, costs = list[str](), list[Cost]()
    ways = [_by_value] if case.handed_in is not None else [_by_python, _by_terminal]
    for way in ways:
        with measured() as cost:
            found = list(way(case, out))
        costs += cost
        faults += [text for text in found if text != ACCEPTED]
        if cost[0].seconds > LONGEST_SECONDS:
            faults.append(f"{way.__name__.strip('_')}: takes {cost[0].seconds:.1f} seconds of the processor")
        if cost[0].megabytes > MOST_MEMORY_MB:
            faults.append(f"{way.__name__.strip('_')}: takes {cost[0].megabytes:,.0f} MB")
        if ACCEPTED in found and case.reader is not None and not case.reader.quick:
            break
    return faults, Cost(max(cost.seconds for cost in costs), max(cost.megabytes for cost in costs))


def _by_value(case: Case, out: Path) -> Iterator[str]:
    assert case.handed_in is not None
    with _no_warning() as warned:
        refusal, fault = _taken(case.handed_in.take, case.value)
    if fault:
        yield fault
    if refusal is not None and (fault := wrong_with_text(str(refusal))):
        yield fault
    yield from warned


def _by_python(case: Case, out: Path) -> Iterator[str]:
    """What is wrong with how Python reads the case; ACCEPTED if it does."""
    assert case.reader is not None
    with _no_warning() as warned:
        refusal, fault = _taken(case.reader.read, Path(case.path) if case.path else case.path)
    if fault:
        yield f"Python: {fault}"
    yield from (f"Python: {text}" for text in warned)
    if refusal is None:
        yield ACCEPTED
        return
    for text in refusal.problems if isinstance(refusal, InputError) else (str(refusal),):
        if fault := wrong_with_text(text):
            yield f"Python: {fault}"


def _by_terminal(case: Case, out: Path) -> Iterator[str]:
    assert case.reader is not None
    with contextlib.suppress(FileNotFoundError):
        out.unlink()
    try:
        run = run_command(case.reader.words(case.path, str(out)))
    except Exception as problem:
        yield f"terminal: {type(problem).__name__}: {problem}"
        return
    if fault := wrong_with_run(run):
        yield f"terminal: {fault}"


def _taken(take: Any, value: Any) -> tuple[NextHourError | None, str]:
    """The refusal, if there is one; and how the product failed, if it did."""
    try:
        take(value)
    except NextHourError as problem:
        return problem, ""
    except Exception as problem:
        return None, f"{type(problem).__name__}: {str(problem)[:300]}{_place_of(problem)}"
    return None, ""


def _place_of(problem: BaseException) -> str:
    trace, place = problem.__traceback__, ""
    while trace is not None:
        place, trace = f" (line {trace.tb_lineno} of {Path(trace.tb_frame.f_code.co_filename).name})", trace.tb_next
    return place


@contextlib.contextmanager
def _no_warning() -> Iterator[list[str]]:
    """What Python warns of, as faults: people would read it."""
    told: list[str] = []
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        yield told
    told += dict.fromkeys(
        f"warns: {one.category.__name__}: {str(one.message)[:200]} ({Path(one.filename).name})"
        for one in seen
        if one.category is not ResourceWarning
    )


@dataclass(frozen=True)
class Cost:
    """What a case took."""

    seconds: float
    megabytes: float


@contextlib.contextmanager
def measured() -> Iterator[list[Cost]]:
    """Time of the processor and memory that a piece of work takes; the list gets the cost when it is done."""
    cost: list[Cost] = []
    _forget_peak()
    before, begun = _memory("VmRSS"), time.process_time()
    try:
        yield cost
    finally:
        cost.append(Cost(time.process_time() - begun, max(0.0, _memory("VmHWM") - before)))


def _forget_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _memory(name: str) -> float:
    """A figure of this process's memory in megabytes; where there is none of it, the highest so far."""
    try:
        found = re.search(rf"^{name}:\s+(\d+) kB", PLAIN_MEMORY.read_text(encoding="ascii"), re.MULTILINE)
    except OSError:
        found = None
    if found is not None:
        return int(found[1]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 1024)
