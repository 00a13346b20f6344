"""Where every random number comes from.

A mark is a uniform in [0, 1) with an address: (seed, replication, stream, entity, index). The address goes straight
into the key and counter of a Philox generator (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011),
so a mark never depends on how many others were drawn before it, on the plan, or on the number of workers.

This is the only file that makes a generator. Numbers in `Stream` are never changed or used again: a stored seed must
give the same market next year.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Stream(IntEnum):
    """The table of streams: what each mark decides, and what `entity` and `index` count within it."""

    ARRIVAL = 1  # time to the next opportunity; entity: segment; index: opportunity of the segment
    DEMAND = 2  # gamma factor of a week's demand; entity: segment; index: week, history first
    OUTCOME = 3  # the U that settles a deal; entity: segment; index: opportunity
    SHOCK = 4  # luck of a segment's quarter; entity: segment; index: quarter, the two history quarters first
    AMOUNT = 5  # deal size; entity: segment; index: opportunity
    OWNER = 6  # whose account it is; entity: segment; index: opportunity
    FOUND = 7  # whether the manager would find it; entity: segment; index: opportunity
    BROUGHT = 8  # whether its partner would bring it; entity: segment; index: opportunity
    CYCLE = 9  # the partner's sales cycle; entity: segment; index: opportunity
    EFFORT = 10  # hours of a stage; entity: segment * 16 + stage; index: opportunity
    BUYER_LAG = 11  # the buyer's answer time; entity: segment * 16 + stage; index: opportunity
    PATIENCE = 12  # the buyer's patience; entity: segment * 16 + stage; index: opportunity
    LABEL = 13  # whether a label is right; entity: partner; index: 0
    TRUE_SEGMENT = 14  # the true segment where it is not; entity: partner; index: 0
    EXIT = 15  # when a partner leaves; entity: partner; index: 0
    SIGNING = 16  # whether a candidate signs; entity: partner; index: 0
    PIPELINE = 17  # marks of an open deal taken over at the start; entity: deal; index: which mark
    WORLD = 18  # a drawn assumption, replication = world; entity: checksum of its path; index: 0


def uniforms(seed: int, replication: int, stream: Stream, entity: int, count: int) -> NDArray[np.float64]:
    """The first `count` marks of one (stream, entity): shape (count,), in [0, 1). A larger count only appends."""
    bits = np.random.Philox(key=[seed, replication], counter=[0, 0, entity, stream])
    return np.random.Generator(bits).random(count)
