"""Whatever ends a write, a kill or a disk that is full, the old file stands or the new one, never another.

Claims, of every command that writes and of saving in the app (writers.py), at random moments: each visible file is the
old or the new one to the last byte; what is left over is hidden and named as unfinished, so no list of the app shows
it; a write that has no room ends in one sentence and exit code 1, and one that ends in 0 has written everything.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sim.documents.files import UNFINISHED
from tests.writers import KILL, WRITERS

FAULTS, MANY_FAULTS = 4, 200
QUICK_WRITERS = ["TimePlan.save", "save_scenario", "mapping", "monday", "app plans", "app actuals"]
"""Those that have something to write within a second or two."""
Contents = dict[str, bytes]
SCHEMA = ".schema.json"
OLD_SCHEMA = '{"title": "%s"}'
"""Such as an earlier version wrote, which is replaced."""


@contextmanager
def writer(name: str, folder: Path) -> Iterator[Any]:
    """Something to call with a fault and a number, that gives how the process ended and what it said."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.writers", name, str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert child.stdin is not None
    assert child.stdout is not None

    def fault(kind: str, number: float) -> tuple[int, str]:
        child.stdin.write(json.dumps([kind, number]) + "\n")  # type: ignore[union-attr]
        child.stdin.flush()  # type: ignore[union-attr]
        code, said = json.loads(child.stdout.readline())  # type: ignore[union-attr]
        return code, said

    with child:
        try:
            assert json.loads(child.stdout.readline() or '"nothing"') == "ready"
            yield fault
        finally:
            child.stdin.close()
            child.kill()


def contents(folder: Path) -> Contents:
    """What stands in the visible files of a folder, by path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in files(folder) if path.name[0] != "."}


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def without_schemas(files: Contents) -> Contents:
    """The files that were asked for."""
    return {file: data for file, data in files.items() if not file.endswith(SCHEMA)}


def put(folder: Path, old: Contents) -> None:
    """Have the folder hold these files and nothing else."""
    for path in files(folder):
        path.unlink()
    for name, data in old.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)


def before(name: str, new: Contents) -> Contents:
    """What stands there when the write begins: another file of each name; in the app, which replaces nothing, none."""
    schemas = {file: (OLD_SCHEMA % json.loads(new[file])["title"]).encode() for file in new if file.endswith(SCHEMA)}
    if name.startswith("app "):
        return schemas
    return {file: data[: len(data) // 2].swapcase() for file, data in new.items()} | schemas


def check(folder: Path, old: Contents, new: Contents) -> None:
    """Each file is the old or the new one, and what is beside them is hidden and unfinished."""
    found = contents(folder)
    assert found.keys() <= old.keys() | new.keys()
    assert old.keys() <= found.keys()
    for name, data in found.items():
        assert data in (old.get(name), new[name]), f"{name} has {len(data)} bytes, neither old nor new"
    for path in files(folder):
        assert path.name[0] != "." or path.name.endswith(UNFINISHED)


def meet_faults(name: str, folder: Path, number: int, draw: random.Random) -> None:
    """Let a writer meet so many kills and as many full disks."""
    folder.mkdir(exist_ok=True)
    with writer(name, folder) as fault:
        new = contents(folder)
        old = before(name, new)
        put(folder, old)
        code, said = fault("none", 0)
        assert code == 0, said
        assert contents(folder) == new
        steps, seconds = json.loads(said.splitlines()[-1])
        for turn in range(number):
            put(folder, old)
            kill = ("step", draw.randint(1, steps)) if turn % 2 else ("time", draw.random() * seconds * 1.5)
            code, said = fault(*kill)
            assert code in (KILL, 0), said
            check(folder, old, new)
        largest = max(map(len, new.values())), max(map(len, without_schemas(new).values()))
        put(folder, old)
        assert check_no_room(folder, old, new, *fault("room", 0))
        for turn in range(number - 1):
            put(folder, old)
            most = largest[turn % 2] * 11 // 10
            check_no_room(folder, old, new, *fault("room", draw.randint(0, most)))


def check_no_room(folder: Path, old: Contents, new: Contents, code: int, said: str) -> bool:
    """A write without room fails in one sentence, or all that was asked for is there; returns whether it failed."""
    check(folder, old, new)
    assert [path for path in files(folder) if path.name[0] == "."] == []
    if code == 0:
        assert without_schemas(contents(folder)) == without_schemas(new)
    else:
        assert code == 1, said
        assert said.startswith("error: ") and said.count("\n") == 1, said
        assert "cannot be written" in said
    return code != 0


@pytest.mark.parametrize("name", QUICK_WRITERS)
def test_a_kill_or_a_full_disk_leaves_the_old_file_or_the_new_one(name: str, tmp_path: Path) -> None:
    meet_faults(name, tmp_path / "out", FAULTS, random.Random(7))


@pytest.mark.long
@pytest.mark.parametrize("name", WRITERS)
def test_many_kills_and_full_disks_leave_the_old_file_or_the_new_one(name: str, tmp_path: Path) -> None:
    seed = time.time_ns()
    print("seed", seed)  # shown where the test fails
    meet_faults(name, tmp_path / "out", MANY_FAULTS, random.Random(seed))


def filled(folder: Path, free: int) -> None:
    """Leave so many bytes free, or some less, on the disk of a folder."""
    (folder / "filler").unlink(missing_ok=True)
    state = os.statvfs(folder)
    (folder / "filler").write_bytes(bytes(max(0, state.f_bavail * state.f_bsize - free)))


@pytest.mark.long
@pytest.mark.parametrize("name", ["calibrate", "monday", "save_scenario", "app plans"])
def test_a_disk_that_is_full_leaves_the_old_file_or_the_new_one(name: str, tmp_path: Path) -> None:
    """On a disk of its own, where this may be had."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if (
        shutil.which("mount") is None
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("no disk may be made here")
    try:
        folder, draw = disk / "out", random.Random(7)
        folder.mkdir()
        with writer(name, folder) as fault:
            new = contents(folder)
            old = before(name, new)
            failed = 0
            for _ in range(MANY_FAULTS):
                (disk / "filler").unlink(missing_ok=True)
                put(folder, old)
                filled(disk, draw.randint(0, sum(map(len, new.values())) * 2))
                code, said = fault("room", 2**30)
                failed += check_no_room(folder, old, new, code, said)
            assert failed
    finally:
        subprocess.run(["umount", disk], check=True)
