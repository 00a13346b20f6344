# ruff: noqa: E501 - attacks stand in lists, as wide as they are
"""Attacks on a file of any kind: what a bad disk, a wrong program or a foe does to its bytes."""

from __future__ import annotations

import gzip
import io
import random
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Room:
    """How large hostile inputs may be."""

    bytes: int
    items: int
    """rows, columns, keys or events"""
    unpacked: int
    """bytes of what a bomb unpacks to"""


SMALL = Room(1_000_000, 20_000, 20_000_000)
LARGE = Room(20_000_000, 100_000, 3_000_000_000)
Attack = Callable[[random.Random, bytes, Room], bytes]


def cut_off(rng: random.Random, data: bytes, room: Room) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def flip_bytes(rng: random.Random, data: bytes, room: Room) -> bytes:
    changed = bytearray(data or b"x")
    for _ in range(rng.choice([1, 1, 3, 30])):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def insert_bytes(rng: random.Random, data: bytes, room: Room) -> bytes:
    place = rng.randrange(len(data) + 1)
    piece = rng.choice(
        [
            rng.randbytes(rng.choice([1, 5, 300])), b"\0", b"\x1b[31m", b"\xff\xfe", b"\r", b"\n\n", b'"', b"'", b"\xed\xa0\x80",
            "\u202e\u2066evil\u2069".encode(), b"\x1a", b"\x7f", b"\x85", "\u2028".encode(), b"\t", b",", b"\xc0\x80",
        ]
    )  # fmt: skip
    return data[:place] + piece * rng.choice([1, 1, 1, 50]) + data[place:]


def leave_out_bytes(rng: random.Random, data: bytes, room: Room) -> bytes:
    first, last = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    return data[:first] + data[last:]


def repeat_bytes(rng: random.Random, data: bytes, room: Room) -> bytes:
    first, last = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    piece = data[first:last]
    times = min(rng.choice([2, 100, 100_000]), room.bytes // max(1, len(piece)))
    return data[:first] + piece * times + data[last:]


def move_bytes(rng: random.Random, data: bytes, room: Room) -> bytes:
    a, b, c = sorted(rng.randrange(len(data) + 1) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def in_another_encoding(rng: random.Random, data: bytes, room: Room) -> bytes:
    text = data.decode("utf-8", "replace")
    name = rng.choice(
        ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "cp037", "utf-7", "shift-jis"]
    )
    return text.replace("a", rng.choice(["a", "ä", "\u0430"])).encode(name, "replace")


def with_mark(rng: random.Random, data: bytes, room: Room) -> bytes:
    mark = rng.choice(
        [b"\xef\xbb\xbf", b"\xef\xbb\xbf" * 2, b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0", b"\x2b\x2f\x76"]
    )
    return mark + data


def as_another_kind(rng: random.Random, data: bytes, room: Room) -> bytes:
    return rng.choice(
        [
            b"", b" ", b"\n", b"\xef\xbb\xbf", b"\0", b"%PDF-1.7\n", b"\xd0\xcf\x11\xe0" + data, b"<html><table>", b"PK\x03\x04",
            b"PK\x05\x06" + bytes(18), b"\x1f\x8b", b"\x1f\x8b\x08" + data, b"\x7fELF" + data, b"{}", b"[]", b"null", b"---\n...",
            b"\n" * min(room.bytes, 10 * room.items), b" " * room.bytes, b"," * room.items, b'"' * room.items, b"x" * room.bytes,
            b"BEGIN:VCALENDAR\n", rng.randbytes(rng.choice([3, 1000, 100_000])),
        ]
    )  # fmt: skip


def packed(rng: random.Random, data: bytes, room: Room) -> bytes:
    whole = gzip.compress(data)
    return rng.choice(
        [whole, whole[: len(whole) // 2], whole[:-4], whole + b"junk", gzip.compress(whole), whole + whole]
    )


def packed_bomb(rng: random.Random, data: bytes, room: Room) -> bytes:
    piece, squeezed = (
        rng.choice([b"\0", b"a", b"a,", b"\n", b"1,2\n", b"BEGIN:VEVENT\n", b"- "]) * 500_000,
        io.BytesIO(),
    )
    with gzip.GzipFile(fileobj=squeezed, mode="wb", compresslevel=1) as file:
        file.write(data)
        for _ in range(room.unpacked // 20 // len(piece)):
            file.write(piece)
    return squeezed.getvalue()


def archived(rng: random.Random, data: bytes, room: Room) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            rng.choice(["../../etc/passwd", "xl/workbook.xml", "a.csv", "[Content_Types].xml", "a/" * 200]), data
        )
    return out.getvalue()


def raw_deflate(rng: random.Random, data: bytes, room: Room) -> bytes:
    return zlib.compress(data)


ATTACKS: tuple[Attack, ...] = (
    cut_off, cut_off, flip_bytes, flip_bytes, insert_bytes, insert_bytes, leave_out_bytes, repeat_bytes, move_bytes,
    in_another_encoding, with_mark, as_another_kind, packed, packed_bomb, archived, raw_deflate,
)  # fmt: skip
