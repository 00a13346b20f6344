"""What lies on a tape: opportunities, their stages, the luck of partners and of quarters.

Left out: the numbers it is drawn from (tape_numbers.py), and how (drawing.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.arrays import FloatArray, record
from sim.tape_numbers import MAX_STAGES
from sim.terms import WEEKS_PER_QUARTER

ARRIVAL = record(
    ("tick amount_usd", "<i8"),
    ("found brought", "<f8"),
    ("settles", "<f8"),  # U; its mark, until that is drawn
    ("cycle", "<f8"),  # the mark of it
    ("age", "<i8"),
    ("cycle_ticks", "<i4"),
    ("number", "<i4"),  # opportunity of its segment, from 0
    ("segment owner stage", "<i2"),
    ("drawn", "<i2"),  # which of what is drawn later has been: U_DRAWN, CYCLE_DRAWN, STAGE_DRAWN << stage
)
"""An opportunity on a tape."""
U_DRAWN, CYCLE_DRAWN, STAGE_DRAWN = 1, 2, 4
ALL_DRAWN = STAGE_DRAWN * 2**MAX_STAGES - 1
KEPT_STAGE = record(("effort lag patience", "<i4"))
"""A stage of an opportunity on a tape, in ticks."""
LONGEST_KEPT = 2**31 - 1
"""Ticks, some 600 years: a longer duration ends after every horizon too, and takes half the room."""
DRAWN = record(("settles", "<f8"), ("cycle stage age", "<i8"))
DRAWN_STAGE = record(("effort lag patience", "<i8"))
"""An opportunity and its stages, whole, for readers."""
PARTNER_LUCK = record(("true_segment exit_ticks", "<i8"), ("signing", "<f8"))
NEXT = record(("tick at week", "<i8"), ("position", "<f8"), ("first", "<i8"))
"""How far a segment's tape has come: the next opportunity's tick and place in the chunk, the week and the position in
it from 0 to 1, and the number of the chunk's first opportunity."""
AHEAD = record(("gap", "<f8"), ("owner amount_usd", "<i8"), ("found brought settles cycle", "<f8"))
"""An opportunity of a chunk."""
CHUNK = 16
"""Opportunities of a segment that are drawn at a time: a processor does several at once if they follow each other."""
FULL = -1
"""Given back where an array was too short for what was drawn."""


class Tapes(NamedTuple):
    """The tapes of some replications, one after another."""

    replications: NDArray[np.int64]  # their numbers, shape (replications,)
    starts: NDArray[np.int64]
    """opportunities of replication r: arrivals[starts[r]:starts[r + 1]], shape (replications + 1,)"""
    arrivals: NDArray[Any]  # ARRIVAL, open deals first, then in order of (tick, segment), shape (opportunities,)
    stages: NDArray[Any]  # KEPT_STAGE, of those that are drawn, shape (opportunities, MAX_STAGES)
    partner_luck: NDArray[Any]  # PARTNER_LUCK, shape (replications, partners)
    quarter_luck: FloatArray
    """normal score of a segment's quarter, history first, shape (replications, segments, quarters)"""
    rates: FloatArray  # workspace, shape (segments, weeks)
    sizes: FloatArray  # workspace, shape (CHUNK,)
    nexts: NDArray[Any]  # NEXT, workspace, shape (segments,)
    ahead: NDArray[Any]  # AHEAD, workspace, shape (segments, CHUNK)


def empty_tapes(replications: Sequence[int], room: int, segments: int, partners: int, weeks: int) -> Tapes:
    """Room for the tapes of these replications with `room` opportunities in all; `weeks` has those of history."""
    runs = len(replications)
    return Tapes(
        replications=np.array(replications, dtype=np.int64),
        starts=np.zeros(runs + 1, np.int64),
        arrivals=np.empty(room, ARRIVAL),
        stages=np.empty((room, MAX_STAGES), KEPT_STAGE),
        partner_luck=np.empty((runs, partners), PARTNER_LUCK),
        quarter_luck=np.empty((runs, segments, weeks // WEEKS_PER_QUARTER)),
        rates=np.empty((segments, weeks)),
        sizes=np.empty(CHUNK),
        nexts=np.empty(segments, NEXT),
        ahead=np.empty((segments, CHUNK), AHEAD),
    )
