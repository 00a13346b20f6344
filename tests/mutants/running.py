"""Makes a fault in a copy of the checkout, and runs the tests that could notice it there.

Every fault has a copy of its own in a temporary folder, with a copy of its own of the compiled code that the code
without a fault needs: nothing of one fault is left for the next, and the checkout is never touched.

Left out: which faults are run, and what is made of the results (__main__.py).
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

from tests import ROOT
from tests.mutants.faults import Fault

SURVIVED, LIMIT = "SURVIVED", "the time limit"
SETUP_SECONDS, TIMES_LONGER = 180, 5
"""A run with a fault may compile anew, and may be that many times as long as without."""
WITHOUT_SECONDS = 1800
"""The time limit of tests on code without a fault."""
FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - |$)", re.MULTILINE)
NOT_HANDED_ON = ("PYTEST_", "PYTHON", "SEED", "FRESH_SEEDS", "EXAMPLES", "CLAIMS_")
"""Beginnings of the names of variables that would make tests other than those of `make test`."""
PASSED, TESTS_FAILED, INTERRUPTED = 0, 1, 2
"""What pytest exits with; a module that cannot be imported interrupts it."""


@dataclass(frozen=True)
class Result:
    """What became of a fault."""

    noticed_by: str
    """the test, or the time limit; SURVIVED if none"""
    seconds: float

    @property
    def survived(self) -> bool:
        return self.noticed_by == SURVIVED


def listed_files(root: Path) -> list[str]:
    """The files of a checkout that git knows or would add."""
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, cwd=root, capture_output=True, check=True)
    return [name for name in listed.stdout.decode().split("\0") if name and (root / name).is_file()]


def copy_checkout(target: Path, root: Path = ROOT) -> None:
    """Copy these files, with what is changed in them."""
    for name in listed_files(root):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / name, target / name)


def environment(copy: Path, cache: Path) -> dict[str, str]:
    """The environment in which Python imports what stands in `copy`, whatever is installed; code is kept in `cache`."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(NOT_HANDED_ON)}
    return {**mine, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1", "NEXTHOUR_CACHE": str(cache)}


def run_tests(fault: Fault | None, tests: Sequence[str], cache: Path, limit: float, root: Path = ROOT) -> Result:
    """Run files of tests in a copy of the checkout with the fault, until the first that fails.

    Compiled code is read from `cache`, and what is compiled anew is kept there only if there is no fault. Raises
    ValueError if the fault does not fit the code, RuntimeError if the tests cannot be run.
    """
    with TemporaryDirectory(prefix="mutant-") as folder:
        copy, own_cache = Path(folder, "checkout"), Path(folder, "cache")
        copy.mkdir()
        copy_checkout(copy, root)
        if fault is not None:
            shutil.copytree(cache, own_cache)
            for file, text in fault.edited(copy).items():
                (copy / file).write_text(text, encoding="utf-8")
        words = [sys.executable, "-m", "pytest", "-x", "-n0", "-q", "--tb=short", "-p", "no:cacheprovider", *tests]
        begun = time.monotonic()
        code, printed = run_group(words, copy, environment(copy, cache if fault is None else own_cache), limit)
        seconds = time.monotonic() - begun
    if code is None:
        return Result(LIMIT, seconds)
    if code == PASSED:
        return Result(SURVIVED, seconds)
    if code in (TESTS_FAILED, INTERRUPTED) or code < 0:
        found = FAILED.search(printed)
        return Result(found[1] if found else f"exit code {code}", seconds)
    raise RuntimeError(f"pytest could not run {' '.join(tests)}:\n{printed[-2000:]}")


def run_group(words: list[str], folder: Path, env: dict[str, str], limit: float) -> tuple[int | None, str]:
    """Run a program and whatever it starts, all of which ends here; gives its exit code, None past the limit."""
    with TemporaryFile() as printed:  # and not a pipe, which a child that is left would hold open
        program = subprocess.Popen(
            words,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        _GOING.add(program.pid)
        try:
            code: int | None = program.wait(limit)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _end(program.pid)
            program.wait()
            _GOING.discard(program.pid)
        printed.seek(0)
        return code, printed.read().decode(errors="replace")


_GOING = set[int]()
"""Groups of processes that run now."""


def end_all() -> None:
    """End every program that runs; whoever waits for one goes on."""
    for group in tuple(_GOING):
        _end(group)


def _end(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
