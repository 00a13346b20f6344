"""Trying cases in a process of its own, which is ended where it hangs."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

HANG_SECONDS = 120.0
"""After which a case is taken to hang, on however slow a machine."""


@dataclass
class Tried:
    """What came of some cases."""

    cases: int = 0
    faults: list[str] = field(default_factory=list)
    """each begins with the case's number"""
    slowest: tuple[float, str] = (0.0, "")
    largest: tuple[float, str] = (0.0, "")
    by_kind: dict[str, int] = field(default_factory=dict)
    tell: Callable[[str], object] = str
    """is told each fault as it is found"""

    def add(self, fault: str) -> None:
        """Note a fault."""
        self.faults.append(fault)
        self.tell(fault)


def try_cases(first: int, count: int, large: bool = False, tell: Callable[[str], object] = str) -> Tried:
    """Try the cases from `first` on; where the process dies or hangs, the case is named and the next ones go on."""
    tried, end = Tried(tell=tell), first + count
    while first < end:
        first = _try_until_trouble(first, end - first, large, tried)
    return tried


def _try_until_trouble(first: int, count: int, large: bool, tried: Tried) -> int:
    """Try cases in one process; returns the number of the first one that was not tried."""
    words = [sys.executable, "-m", "tests.hostile.worker", str(first), str(count), "large" if large else "small"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        lines = _lines_of(process.stdout)
        complaints = _lines_of(process.stderr)
        begun, told, done = first - 1, "before the first case", False
        try:
            for line in _within(lines, HANG_SECONDS):
                if line is None:
                    tried.add(f"{begun} ({told}): hangs for {HANG_SECONDS:g} seconds")
                    break
                said: dict[str, Any] = json.loads(line)
                done = said.get("done", False)
                if "begins" in said:
                    begun, told = said["begins"], said["told"]
                elif "ends" in said:
                    _note(tried, said, told)
                    first = said["ends"] + 1
            else:
                if not done:
                    why = " ".join("".join(rest).split())[-300:] if (rest := list(_rest(complaints))) else ""
                    tried.add(f"{begun} ({told}): ends the process with {process.wait()} {why}")
        finally:
            process.kill()
    return first + count if done else max(begun + 1, first) if begun >= first else first + count


def _note(tried: Tried, said: dict[str, Any], told: str) -> None:
    name = f"{said['ends']} ({told})"
    tried.cases += 1
    for fault in said["faults"]:
        tried.add(f"{name}: {fault}")
    tried.slowest = max(tried.slowest, (said["seconds"], name))
    tried.largest = max(tried.largest, (said["megabytes"], name))
    tried.by_kind[said["kind"]] = tried.by_kind.get(said["kind"], 0) + 1


def _lines_of(stream: IO[str]) -> queue.Queue[str | None]:
    """The lines of a stream as they come; None at its end."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in stream:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    return lines


def _within(lines: queue.Queue[str | None], seconds: float) -> Iterator[str | None]:
    """Lines until the end of the stream; None, and no more, if nothing comes for so long."""
    while True:
        try:
            line = lines.get(timeout=seconds)
        except queue.Empty:
            yield None
            return
        if line is None:
            return
        yield line


def _rest(lines: queue.Queue[str | None]) -> Iterator[str]:
    while (line := lines.get(timeout=HANG_SECONDS)) is not None:
        yield line
