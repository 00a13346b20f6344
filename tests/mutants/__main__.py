"""Make faults, one at a time, and see which tests notice: python -m tests.mutants --help

Results are kept in build/mutants.jsonl, so what was stopped goes on where it was. They are those of one state of the
checkout: a commit, or what stands there now.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

from tests import ROOT
from tests.mutants.faults import ALIKE, Fault, all_faults
from tests.mutants.running import (
    SETUP_SECONDS,
    TIMES_LONGER,
    WITHOUT_SECONDS,
    Result,
    end_all,
    listed_files,
    run_tests,
)

BUILD = ROOT / "build"
WANTED, WANTED_OF_PACKAGE, WANTED_ALIKE = 0.95, 0.90, 0.97
"""Least shares of faults that are noticed: of all, of each package, and of those alike in both engines."""


class Kept:
    """The results of one state of the checkout, by name: of a fault, or of a file of tests without a fault."""

    def __init__(self, file: Path, state: str) -> None:
        self.file, self.state = file, state
        self.results: dict[str, Result] = {}
        for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
            row = json.loads(line)
            if row["state"] == state:
                self.results[row["name"]] = Result(row["noticed_by"], row["seconds"])

    def add(self, name: str, result: Result) -> None:
        """Keep a result at once, so that it outlasts whatever comes."""
        self.results[name] = result
        self.file.parent.mkdir(exist_ok=True)
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"name": name, "state": self.state, **asdict(result)}) + "\n")


def state_of(root: Path) -> str:
    """The commit of a checkout, with a digest of its files if they are not those of the commit."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=root, capture_output=True, check=True, text=True).stdout.strip()

    commit = git("rev-parse", "HEAD")
    if not git("status", "--porcelain"):
        return commit
    digest = hashlib.sha256()
    for name in listed_files(root):
        digest.update(name.encode() + b"\0" + (root / name).read_bytes())
    return f"{commit}+{digest.hexdigest()[:16]}"


def chosen(faults: Sequence[Fault], part: str, packages: Sequence[str], words: str) -> list[Fault]:
    """The faults of some packages whose names have these words, and of them every so many-th: "1/8" from the first."""
    which, _, of = part.partition("/")
    some = [fault for fault in faults if (not packages or fault.package in packages) and words in fault.name]
    return some[int(which) - 1 :: int(of)]


def check_without(tests: Sequence[str], kept: Kept, cache: Path) -> None:
    """Run files of tests on the code as it is: who fails there notices nothing. Raises SystemExit if one does."""
    for file in tests:
        if file not in kept.results:
            result = run_tests(None, [file], cache, WITHOUT_SECONDS)
            if not result.survived:
                raise SystemExit(f"{result.noticed_by} fails without a fault; mend it first")
            kept.add(file, result)
            print(f"{file} passes without a fault, {result.seconds:.0f} s", flush=True)


def run_faults(faults: Sequence[Fault], kept: Kept, cache: Path, at_once: int) -> None:
    """Make the faults, some at once, and tell of each."""
    with ThreadPoolExecutor(at_once) as workers:
        going: dict[Future[Result], Fault] = {}
        try:
            for fault in faults:
                usual = sum(kept.results[file].seconds for file in fault.tests)
                limit = SETUP_SECONDS + TIMES_LONGER * usual
                going[workers.submit(run_tests, fault, fault.tests, cache, limit)] = fault
            for done in as_completed(going):
                fault, result = going[done], done.result()
                kept.add(fault.name, result)
                print(f"{fault.package}: {fault.name} | {result.noticed_by} | {result.seconds:.0f} s", flush=True)
        except BaseException:
            workers.shutdown(wait=False, cancel_futures=True)
            end_all()
            raise


def table(faults: Sequence[Fault], results: dict[str, Result]) -> tuple[list[str], bool]:
    """The faults by package with the shares that were noticed, in lines; and whether all shares are as wanted."""
    lines, fine = [f"{'package':<12} faults  equivalent  run  noticed  share  wanted"], True
    packages = list(dict.fromkeys(fault.package for fault in faults))
    for name in [*packages, "all"]:
        some = [fault for fault in faults if name in (fault.package, "all")]
        wanted = WANTED if name == "all" else WANTED_ALIKE if name == ALIKE else WANTED_OF_PACKAGE
        seen = [results[fault.name] for fault in some if not fault.equivalent and fault.name in results]
        noticed, equivalent = sum(not one.survived for one in seen), sum(bool(fault.equivalent) for fault in some)
        fine = fine and noticed >= wanted * len(seen)
        share = f"{noticed / len(seen):.0%}" if seen else ""
        lines.append(
            f"{name:<12} {len(some):6}  {equivalent:10}  {len(seen):3}  {noticed:7}  {share:>5}  {wanted:6.0%}"
        )
    return lines, fine


def survivors(faults: Sequence[Fault], results: dict[str, Result]) -> Iterator[str]:
    """The faults that no test noticed."""
    for fault in faults:
        if not fault.equivalent and fault.name in results and results[fault.name].survived:
            yield f"{fault.package}: {fault.name}"


def main(words: Sequence[str] | None = None) -> int:
    """Make the faults that are asked for; 1 if fewer are noticed than is wanted."""
    faults = all_faults()
    reader = argparse.ArgumentParser("python -m tests.mutants", description="Make faults, and see which tests notice.")
    reader.add_argument("--part", default="1/1", metavar="1/8", help="the first of eight parts of equal size")
    packages = sorted({fault.package for fault in faults})
    reader.add_argument("--package", action="append", default=[], choices=packages, help="of this package; repeatable")
    reader.add_argument("--name", default="", help="with these words in the name")
    reader.add_argument("--again", action="store_true", help="those too whose result is kept")
    reader.add_argument("--at-once", type=int, default=2, metavar="N", help="how many at a time (2)")
    reader.add_argument("--list", action="store_true", help="only name them")
    asked = reader.parse_args(words)
    faults = chosen(faults, asked.part, asked.package, asked.name)
    if asked.list:
        print("\n".join(f"{fault.package}: {fault.name}" for fault in faults))
        return 0
    kept, cache = Kept(BUILD / "mutants.jsonl", state_of(ROOT)), BUILD / "mutants-cache"
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    real = [fault for fault in faults if not fault.equivalent]
    to_run = [fault for fault in real if asked.again or fault.name not in kept.results]
    check_without(list(dict.fromkeys(file for fault in to_run for file in fault.tests)), kept, cache)
    run_faults(to_run, kept, cache, asked.at_once)
    lines, fine = table(faults, kept.results)
    print("\n".join(["", *(f"SURVIVED {name}" for name in survivors(faults, kept.results)), "", *lines]))
    return 0 if fine else 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    sys.exit(main())
