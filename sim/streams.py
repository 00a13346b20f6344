"""Where every random number comes from.

A mark is a uniform in [0, 1) with an address: (seed, replication, stream, entity, index). The address goes straight
into the key and counter of a Philox generator (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011),
so a mark never depends on how many others were drawn before it, on the plan, or on the number of workers.

Philox makes four marks at a time. `uniforms` asks NumPy for a row of them; `four_marks` is the same generator as a
scalar function that can be compiled, because a market needs a few marks at each of thousands of addresses, and making
a NumPy generator costs as long as a thousand marks. Marks that are wanted together have neighbouring indices.

This is the only file that makes a generator. Numbers in `Stream` are never changed or used again: a stored seed must
give the same market next year.
"""

from collections.abc import Callable
from enum import IntEnum

import numpy as np

from sim.arrays import FloatArray


class Stream(IntEnum):
    """The table of streams: what each mark decides, and what `entity` and `index` count within it.

    1, 3 and 5 to 17 were one stream for each kind of mark, up to version 0.1.
    """

    DEMAND = 2  # quantile of a week's demand; entity: segment; index: week, history first
    SHOCK = 4  # luck of a segment's quarter; entity: segment; index: quarter, the two history quarters first
    WORLD = 18  # a drawn assumption, replication = world; entity: checksum of its path; index: 0
    OPPORTUNITY = 19  # entity: segment; index: 8 * opportunity of the segment + which (drawing.py)
    STAGE = 20  # entity: 16 * segment + stage; index: 4 * opportunity + which: effort, lag, patience
    PARTNER = 21  # entity: partner; index: label right, true segment, stay, signing
    OPEN_DEAL = 22  # entity: deal of the open pipeline; index: U, remaining cycle, then as STAGE from 4 on


MULTIPLIERS = np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157)
WEYL = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B)
ROUNDS = 10
"""Constants of Philox4x64-10."""
UNUSED_BITS = np.uint64(11)
MARK_STEP = 2.0**-53
LOWEST_HALF_STEP = 2.0**-54
SHORTEST_ROW = 64
"""Marks that are drawn at once where a row is looked up in: making a generator costs as long as a thousand."""
Marks = tuple[float, ...]


def uniforms(seed: int, replication: int, stream: Stream, entity: int, count: int) -> FloatArray:
    """The first `count` marks of one (stream, entity): shape (count,), in [0, 1). A larger count only appends."""
    bits = np.random.Philox(key=[seed, replication], counter=[0, 0, entity, stream])
    return np.random.Generator(bits).random(count)


def four_marks(seed: int, replication: int, stream: int, entity: int, block: int) -> Marks:
    """The marks with index 4 * block to 4 * block + 3 of one (stream, entity)."""
    key0, key1 = np.uint64(seed), np.uint64(replication)
    # NumPy counts once before it draws.
    c0, c1, c2, c3 = np.uint64(block + 1), np.uint64(0), np.uint64(entity), np.uint64(stream)
    for _ in range(ROUNDS):
        c0, c1, c2, c3 = one_round(c0, c1, c2, c3, key0, key1)
        key0, key1 = key0 + WEYL[0], key1 + WEYL[1]
    return mark_of(c0), mark_of(c1), mark_of(c2), mark_of(c3)


def eight_marks(seed: int, replication: int, stream: int, entity: int, block: int) -> Marks:
    """The marks of this block and the next: a processor does two rounds at a time as quickly as one."""
    key0, key1 = np.uint64(seed), np.uint64(replication)
    c0, c1, c2, c3 = np.uint64(block + 1), np.uint64(0), np.uint64(entity), np.uint64(stream)
    d0, d1, d2, d3 = np.uint64(block + 2), c1, c2, c3
    for _ in range(ROUNDS):
        c0, c1, c2, c3 = one_round(c0, c1, c2, c3, key0, key1)
        d0, d1, d2, d3 = one_round(d0, d1, d2, d3, key0, key1)
        key0, key1 = key0 + WEYL[0], key1 + WEYL[1]
    return mark_of(c0), mark_of(c1), mark_of(c2), mark_of(c3), mark_of(d0), mark_of(d1), mark_of(d2), mark_of(d3)


class RowsOfMarks:
    """The marks of `four_marks` and `eight_marks`, looked up in rows that NumPy draws: quicker for Python."""

    def __init__(self) -> None:
        self._rows: dict[tuple[int, int, int, int], list[float]] = {}

    def four_marks(self, seed: int, replication: int, stream: int, entity: int, block: int) -> list[float]:
        """The marks with index 4 * block to 4 * block + 3 of one (stream, entity)."""
        return self._row(seed, replication, stream, entity, 4 * block + 4)[4 * block : 4 * block + 4]

    def eight_marks(self, seed: int, replication: int, stream: int, entity: int, block: int) -> list[float]:
        """The marks of this block and the next."""
        return self._row(seed, replication, stream, entity, 4 * block + 8)[4 * block : 4 * block + 8]

    def _row(self, seed: int, replication: int, stream: int, entity: int, end: int) -> list[float]:
        """A row of at least `end` marks."""
        address = seed, replication, stream, entity
        row = self._rows.get(address)
        if row is None or len(row) < end:
            count = max(SHORTEST_ROW, 2 * end)
            row = self._rows[address] = uniforms(seed, replication, Stream(stream), entity, count).tolist()
        return row


def marks_by_rows() -> dict[str, Callable[..., list[float]]]:
    """What the names of the two functions mean where Python draws a market."""
    rows = RowsOfMarks()
    return {"four_marks": rows.four_marks, "eight_marks": rows.eight_marks}


def one_round(
    c0: np.uint64, c1: np.uint64, c2: np.uint64, c3: np.uint64, key0: np.uint64, key1: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """One round of Philox4x64."""
    high0, low0 = wide_product(MULTIPLIERS[0], c0)
    high1, low1 = wide_product(MULTIPLIERS[1], c2)
    return high1 ^ c1 ^ key0, low1, high0 ^ c3 ^ key1, low0


def mark_of(bits: np.uint64) -> float:
    """64 random bits as a uniform in [0, 1): the upper 53, as NumPy does."""
    return float(bits >> UNUSED_BITS) * MARK_STEP


def wide_product(a: np.uint64, b: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Upper and lower 64 bits of the 128-bit product: one instruction, where compiled."""
    product = int(a) * int(b)
    return np.uint64(product >> 64), np.uint64(product & (2**64 - 1))
