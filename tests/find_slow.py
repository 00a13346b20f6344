"""Which tests are too slow for make test-fast, from a timed run: python -m tests.find_slow LOG

    .venv/bin/python -m pytest --durations=0 > LOG

A test is slow if one of its cases takes LONGEST_CASE seconds or all of them LONGEST_TEST; their names go to
tests/slow.txt, which tests/conftest.py marks. Time them on an idle machine.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

LONGEST_CASE, LONGEST_TEST = 0.4, 1.5
"""Seconds, set-up included."""
LIST = Path(__file__).with_name("slow.txt")
ROW = re.compile(r"^([\d.]+)s (?:call|setup|teardown)\s+(\S+?)(?:\[.*)?$", re.MULTILINE)


def slow_tests(log: str) -> list[str]:
    """The names of slow tests, without their cases, in what pytest printed."""
    cases = defaultdict[str, list[float]](list)
    for seconds, name in ROW.findall(log):
        cases[name].append(float(seconds))
    return sorted(name for name, times in cases.items() if max(times) >= LONGEST_CASE or sum(times) >= LONGEST_TEST)


if __name__ == "__main__":
    LIST.write_text("\n".join(slow_tests(Path(sys.argv[1]).read_text(encoding="utf-8"))) + "\n", encoding="utf-8")
