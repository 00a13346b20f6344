"""The process in which cases are tried: it tells each before it begins and what came of it, a line of JSON each."""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from tests.hostile.cases import make_case
from tests.hostile.judging import LONGEST_SECONDS, MOST_MEMORY_MB, faults_of, measured, run_command
from tests.hostile.readers import READERS

ADDRESS_SPACE = 12 * 2**30
"""So that no case takes the machine with it."""
THOROUGH_ONE_IN = 40
"""In the long run, of cases that a slow command would take, how many it is given."""


def main() -> None:
    """Try the cases of these numbers: first, how many, and whether they are large."""
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    first, count, large = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "large"
    told = os.fdopen(os.dup(1), "w", encoding="utf-8")

    def tell(**what: Any) -> None:
        print(json.dumps(what), file=told, flush=True)

    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= {"NEXTHOUR_LIBRARY": name, "COLUMNS": "200"}
        os.environ.pop("NEXTHOUR_TRACEBACK", None)
        _begin_quick_fits()
        warm_up(folder, thorough=large)
        for number in range(first, first + count):
            case = make_case(number, folder, large)
            tell(begins=number, told=case.told)
            with measured() as cost:
                faults = list(faults_of(case, folder / "out.yaml", large and number % THOROUGH_ONE_IN == 0))
            if cost[0].seconds > LONGEST_SECONDS:
                faults.append(f"takes {cost[0].seconds:.1f} seconds of the processor")
            if cost[0].megabytes > MOST_MEMORY_MB:
                faults.append(f"takes {cost[0].megabytes:,.0f} MB")
            tell(ends=number, kind=case.kind, faults=faults, seconds=cost[0].seconds, megabytes=cost[0].megabytes)
    tell(done=True)


def _end_with_parent(parent: int) -> None:
    """End this process, whatever it hangs in, where nobody waits for it any more."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _begin_quick_fits() -> None:
    """Few markets, as what they say is not looked at."""
    from nexthour.terminal import calibrate

    calibrate.CHECK_REPLICATIONS = 2


def warm_up(folder: Path, thorough: bool) -> None:
    """Hand every reader what is good, which it must take; what is loaded on the way is not a case's cost."""
    for reader in READERS:
        for good in reader.good():
            path = folder / f"good{reader.ending}"
            path.write_bytes(good.encode() if isinstance(good, str) else good)
            reader.read(path)
        if reader.quick or thorough:
            run = run_command(reader.words(str(path), str(folder / "out.yaml")))
            assert run.code == 0 or "--actuals" in run.words, (reader.name, run)


if __name__ == "__main__":
    main()
