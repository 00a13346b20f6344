"""Try cases by their numbers: python -m tests.hostile FIRST [COUNT] [large]"""

from __future__ import annotations

import sys
from functools import partial

from tests.hostile.watching import try_cases

if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word != "large"]
    tell = partial(print, flush=True)
    tried = try_cases(numbers[0], numbers[1] if len(numbers) > 1 else 1, "large" in sys.argv, tell)
    print(f"{tried.cases:,} cases, {len(tried.faults)} faults: {tried.by_kind}")
    for figure, (value, name) in (("seconds", tried.slowest), ("MB", tried.largest)):
        print(f"most {figure}: {value:.2f}, by {name}")
    sys.exit(bool(tried.faults))
