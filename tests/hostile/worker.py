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
from tests.hostile.judging import judge, run_command
from tests.hostile.readers import READERS

ADDRESS_SPACE = 12 * 2**30
"""So that no case takes the machine with it."""


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
        warm_up(folder)
        for number in range(first, first + count):
            case = make_case(number, folder, large)
            tell(begins=number, told=case.told)
            faults, cost = judge(case, folder / "out.yaml")
            tell(ends=number, kind=case.kind, faults=faults, seconds=cost.seconds, megabytes=cost.megabytes)
    tell(done=True)


def _end_with_parent(parent: int) -> None:
    """End this process, whatever it hangs in, where nobody waits for it any more."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def warm_up(folder: Path) -> None:
    """Hand every reader what is good, which it must take; what is loaded on the way is not a case's cost."""
    for reader in READERS:
        for good in reader.good():
            path = folder / f"good{reader.ending}"
            path.write_bytes(good.encode() if isinstance(good, str) else good)
            reader.read(path)
        if reader.quick:
            run = run_command(reader.words(str(path), str(folder / "out.yaml")))
            assert run.code == 0, (reader.name, run)


if __name__ == "__main__":
    main()
