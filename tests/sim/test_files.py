"""Claim: a file is read only if it is regular and small enough, and written whole or not at all.

Left out: kills and full disks at random moments (tests/test_nothing_is_lost.py).
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sim.documents import files
from sim.documents.files import read_regular, write_whole
from sim.errors import InputError
from tests import ROOT


def read(path: Path | str, most: int = 100) -> bytes:
    return read_regular(path, most, InputError, "a YAML file")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match=r"pipe: cannot be read \(is not a regular file\); give the path of a YAML"):
        read(tmp_path / "pipe")


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/tty"])
def test_a_device_is_not_read(device: str) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read(device)


def test_a_file_that_says_it_is_empty_and_is_not_is_read_to_the_bound(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="allowed: at most 100"):
        read("/proc/self/maps")


def test_a_file_of_the_most_bytes_is_read_and_one_more_is_not(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 100)
    assert read(path) == b"x" * 100
    path.write_bytes(b"x" * 101)
    with pytest.raises(InputError, match="has 101 bytes; allowed: at most 100"):
        read(path)


def test_what_stands_there_stays_if_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(InputError, match=r"cannot be written \(No space left on device\); choose another path"):
        write_whole(path, b"new", InputError)
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["a"]


def test_it_is_on_disk_before_it_is_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, steps = tmp_path / "a", list[str]()
    path.write_bytes(b"old")
    flush, replace = os.fsync, os.replace
    monkeypatch.setattr(files.os, "fsync", lambda handle: (steps.append("flush"), flush(handle)))
    monkeypatch.setattr(files.os, "replace", lambda a, b: (steps.append("replace"), replace(a, b)))
    write_whole(path, b"new", InputError)
    assert steps == ["flush", "replace", "flush"] and path.read_bytes() == b"new"


def test_a_name_as_long_as_there_may_be_is_written(tmp_path: Path) -> None:
    write_whole(tmp_path / ("é" * 127), b"new", InputError)  # 254 of 255 bytes
    assert len(os.listdir(tmp_path)) == 1


def test_a_file_that_may_not_be_written_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"old")
    monkeypatch.setattr(files.os, "access", lambda *_: False)  # the superuser, who may run this, has every right
    assert not write_whole(tmp_path / "a", b"new", InputError, replace=False)
    with pytest.raises(InputError, match=r"cannot be written \(Permission denied\)"):
        write_whole(tmp_path / "a", b"new", InputError)
    assert (tmp_path / "a").read_bytes() == b"old"


def test_rights_and_links_stay(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    (tmp_path / "a").chmod(0o640)
    (tmp_path / "link").symlink_to("a")
    write_whole(tmp_path / "link", "new", InputError)
    assert (tmp_path / "link").is_symlink() and (tmp_path / "a").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_a_device_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    write_whole("/dev/null", b"new", InputError)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_pipe_or_a_folder_is_not_written_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(InputError, match="cannot be written"):
            write_whole(path, b"new", InputError)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_pipe_that_is_read_is_written_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE) as reader:
        while not write_whole_if_read(tmp_path / "pipe", b"x" * 20_000):
            assert reader.poll() is None
        assert reader.communicate(timeout=60)[0] == b"x" * 20_000


def write_whole_if_read(path: Path, data: bytes) -> bool:
    try:
        return write_whole(path, data, InputError)
    except InputError:  # nobody reads it yet
        return False


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="no file stands for what is printed")
@pytest.mark.parametrize("into", ["pipe", "file"])
def test_what_is_printed_into_is_written_on(tmp_path: Path, into: str) -> None:
    script = "from sim.documents.files import *; print(1); write_whole('/dev/stdout', '2\\n', InputError); print(3)"
    if into == "pipe":
        said = subprocess.run([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    else:
        with (tmp_path / "said").open("wb") as file:
            subprocess.run([sys.executable, "-c", script], cwd=ROOT, stdout=file, check=True)
        said = (tmp_path / "said").read_bytes()
    assert said == b"1\n2\n3\n"


@pytest.mark.parametrize("has_second_names", [True, False])
def test_of_many_who_make_one_file_one_succeeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_second_names: bool
) -> None:
    def no_link(source: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    if not has_second_names:
        monkeypatch.setattr(files.os, "link", no_link)
    made = list[int]()

    def make(number: int) -> None:
        if write_whole(tmp_path / "a", str(number), InputError, replace=False):
            made.append(number)

    threads = [threading.Thread(target=make, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1 and (tmp_path / "a").read_text() == str(made[0]) and os.listdir(tmp_path) == ["a"]
