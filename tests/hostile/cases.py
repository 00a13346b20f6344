# ruff: noqa: E501 - attacks stand in lists, as wide as they are
"""Cases: each made from its number alone."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.hostile.handed_in import HANDED_IN, HandedIn
from tests.hostile.on_bytes import LARGE, SMALL, Room
from tests.hostile.readers import READERS, Reader

PATHS_OF_100, HANDED_IN_OF_100 = 6, 18
"""How many cases of a hundred are odd paths, and odd values of a program, a link or a command; the rest are files."""


@dataclass(frozen=True)
class Case:
    """One hostile input. It is either a file for a reader, or a value that is handed in."""

    number: int
    told: str
    """what it is, in words"""
    reader: Reader | None = None
    path: str = ""
    handed_in: HandedIn | None = None
    value: Any = None

    @property
    def kind(self) -> str:
        """What is attacked."""
        return (
            self.reader.name if self.reader is not None else self.handed_in.name if self.handed_in is not None else ""
        )


def make_case(number: int, folder: Path, large: bool = False) -> Case:
    """The case of a number; its file, if it is one, is written into the folder."""
    rng = random.Random(number)
    room = LARGE if large else SMALL
    die = rng.randrange(100)
    if die < HANDED_IN_OF_100:
        kind = rng.choice(HANDED_IN)
        return Case(number, kind.name, handed_in=kind, value=kind.make(rng, room))
    reader = rng.choice(READERS)
    if die < HANDED_IN_OF_100 + PATHS_OF_100:
        told, path = rng.choice(ODD_PATHS)(folder, reader)
        return Case(number, f"{reader.name}: {told}", reader, path)
    content, told = make_content(rng, reader, room)
    path = folder / f"case{reader.ending}"
    path.write_bytes(content)
    return Case(number, f"{reader.name}: {told}, {len(content):,} bytes", reader, str(path))


def make_content(rng: random.Random, reader: Reader, room: Room) -> tuple[bytes, str]:
    """The bytes of a file that was attacked, and by what."""
    good = rng.choice(reader.good())
    data, told = good.encode() if isinstance(good, str) else good, []
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        attack = rng.choice(reader.attacks)
        data = attack(rng, data, room)
        told.append(attack.__name__)
        if len(data) > 2 * room.bytes:
            break
    return data[: 2 * room.bytes], " and ".join(told)


def _fifo(folder: Path, reader: Reader) -> tuple[str, str]:
    path = folder / f"fifo{reader.ending}"
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    return "a pipe", str(path)


def _socket(folder: Path, reader: Reader) -> tuple[str, str]:
    path = folder / "s"
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))
    return "a socket", str(path)


def _loop(folder: Path, reader: Reader) -> tuple[str, str]:
    path = folder / f"loop{reader.ending}"
    path.unlink(missing_ok=True)
    path.symlink_to(path)
    return "a link to itself", str(path)


def _to_device(folder: Path, reader: Reader) -> tuple[str, str]:
    path = folder / f"device{reader.ending}"
    path.unlink(missing_ok=True)
    path.symlink_to("/dev/zero")
    return "a link to a device", str(path)


def _folder(folder: Path, reader: Reader) -> tuple[str, str]:
    path = folder / f"folder{reader.ending}"
    path.mkdir(exist_ok=True)
    return "a folder", str(path)


def _no_rights(folder: Path, reader: Reader) -> tuple[str, str]:
    path = folder / f"locked{reader.ending}"
    if not path.exists():
        path.write_bytes(b"x")
        path.chmod(0)
    return "a file without rights", str(path)


def _named(name: str) -> Callable[[Path, Reader], tuple[str, str]]:
    def make(folder: Path, reader: Reader) -> tuple[str, str]:
        path, good = folder / (name + reader.ending), reader.good()[0]
        path.write_bytes((good.encode() if isinstance(good, str) else good)[:-100])
        return f"a file named {name!r}", str(path)

    return make


def _just(path: str) -> Callable[[Path, Reader], tuple[str, str]]:
    return lambda folder, reader: (f"the path {path[:40]!r}", path)


ODD_PATHS: tuple[Callable[[Path, Reader], tuple[str, str]], ...] = (
    _fifo, _socket, _loop, _to_device, _folder, _no_rights, _just("/dev/zero"), _just("/dev/full"), _just("/dev/null"), _just(""), _just("."),
    _just("/"), _just("/proc/self/mem"), _just("/proc/self/environ"), _just("/sys"), _just("a\0b"), _just("x" * 300), _just("x" * 100_000), _just("/" * 5000),
    _just("a/" * 3000 + "x.yaml"), _just("http://evil.example/x.yaml"), _just("file:///etc/passwd"), _just("\udc80\udcff.csv"), _just("~"),
    _just("baselin"), _just("\u202ex"), _just("--help"), _just("-"), _just("no such file.yaml"), _named("a\nb"), _named("\u202e\u2066x"),
    _named("\x1b[31mred"), _named("=1+1 <b>"), _named("x" * 200), _named("é" * 100), _named("\udcff"), _named(" "), _named("http:"),
)  # fmt: skip
