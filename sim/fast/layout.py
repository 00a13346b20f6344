"""How a run lies in memory: records and named tuples of arrays, for the compiled engine.

Three sorts: `Numbers` and `Plans` follow from a scenario and its plans (engine.py fills them; what is a single number
there is declared in coefficients.py), `Tapes` are the markets (tape.py), and `Workspace` is what stands at a moment of
a run. `Run` holds all of them. Where something is a yes or no, it is 1 or 0.

Left out: what is done with it (kernel.py).
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

from numpy.typing import NDArray

from sim.arrays import record, record_of
from sim.coefficients import Coefficients, PartnerNumbers, SegmentNumbers, TraitNumbers
from sim.tally import Sums
from sim.tape import Tapes
from sim.tape_numbers import TapeNumbers


class Trouble(IntEnum):
    """Why a run stopped before its end."""

    NONE = 0
    LEVEL = 1  # a partner's skill or engagement is not between 0 and 1
    REACH = 2  # the reach of a segment is not between 0 and 1
    CREDIT = 3  # quota credit is not a number
    QUEUE = 4  # more events than the queue can hold
    TIME = 5  # an event before the present


# ---------------------------------------------------------------- what is given


RUN = record_of(Coefficients)
SEGMENT = record_of(SegmentNumbers)
STAGE_NUMBERS = record(("pass_below", "<f8"), ("worth_per_hour", "<f8"))
PARTNER_NUMBERS = record_of(PartnerNumbers)
TRAITS = record_of(TraitNumbers)
QUARTER = record(
    ("gifts_begin", "<i8"),
    ("gifts_end", "<i8"),
    ("has_prospect_shares", "<i8"),
    ("idle_ticks", "<i8"),
    ("discipline", "<f8"),
    ("quota_usd", "<f8"),
)
GIFT = record(
    ("of", "<i8"),  # APPOINTMENT, CAM or ASSIST
    ("partner", "<i8"),
    ("activity", "<i8"),
    ("kind", "<i8"),  # of its record
    ("ticks", "<i8"),
    ("hours", "<f8"),  # the channel account manager's
)
"""Hours a week that the plan gives to a partner."""
SEGMENT_PLAN = record(("prospect_ticks", "<i8"), ("prospect_share", "<f8"), ("coverage_mode", "<i8"))


class Numbers(NamedTuple):
    """The numbers of a scenario that every run needs, besides its tape."""

    run: NDArray[Any]
    """RUN, shape (1,)"""
    segments: NDArray[Any]
    """SEGMENT, shape (segments,)"""
    stages: NDArray[Any]
    """STAGE_NUMBERS, shape (segments, MAX_STAGES)"""
    partners: NDArray[Any]
    """PARTNER_NUMBERS, shape (partners,)"""
    traits: NDArray[Any]
    """TRAITS, shape (partners, true segments)"""
    expected: NDArray[Any]
    """opportunities a week, history first, shape (segments, weeks)"""
    bases: NDArray[Any]
    """share of the segment's accounts, shape (segments, partners)"""
    fit: NDArray[Any]
    """shape (partners, segments)"""
    week_off: NDArray[Any]
    """1 for a week off, shape (weeks of the horizon,)"""


class Plans(NamedTuple):
    """Time plans, each with row 0 for the history."""

    quarters: NDArray[Any]
    """QUARTER, shape (plans, 1 + quarters)"""
    gifts: NDArray[Any]
    """GIFT, all quarters of all plans one after another: appointments, the CAM's, assists"""
    segment_plans: NDArray[Any]
    """SEGMENT_PLAN, shape (plans, 1 + quarters, segments)"""
    parked: NDArray[Any]
    """shape (plans, 1 + quarters, partners)"""


# ---------------------------------------------------------------- what changes


DEAL = record(
    ("amount_usd", "<i8"),
    ("opened_at", "<i8"),
    ("came_at", "<i8"),
    ("closes_at", "<i8"),
    ("patient_until", "<i8"),
    ("cycle", "<i8"),
    ("visit_left", "<i8"),
    ("assist_left", "<i8"),
    ("u", "<f8"),
    ("earlier", "<i4"),  # its partner's open deals, in the order in which they came
    ("later", "<i4"),
    ("behind", "<i4"),  # next in its partner's line
    ("segment", "<i2"),
    ("partner", "<i2"),
    ("stage", "<i2"),
    ("assisted_by", "<i2"),
    ("open", "<i1"),
    ("waiting", "<i1"),
    ("in_capacity", "<i1"),
)
PARTNER_STATE = record(
    ("skill", "<f8"),
    ("engagement", "<f8"),
    ("bring", "<f8"),
    ("recruited_hours", "<f8"),
    ("active_since", "<i8"),
    ("onboarded_week", "<i8"),
    ("active", "<i8"),
    ("settled", "<i8"),
    ("parked", "<i8"),
    ("conflicts", "<i8"),
    ("own_wins", "<i8"),
    ("guided", "<i8"),
    ("working", "<i8"),
    ("first_open", "<i8"),
    ("last_open", "<i8"),
    ("first_in_line", "<i8"),
    ("last_in_line", "<i8"),
)
KNOWN_GAIN = record(("hours", "<f8"), ("gain", "<f8"))
SEGMENT_STATE = record(("reach", "<f8"), ("pool", "<f8"), ("prospecting", "<f8"), ("given", "<i8"))
BLOCK = record(("partner", "<i8"), ("segment", "<i8"), ("activity", "<i8"), ("kind", "<i8"), ("ticks", "<i8"))
NODE = record(("key", "<i8"), ("next", "<i8"))
WAITING = record(("worth", "<f8"), ("id", "<i8"))
NOW = record(
    ("tick", "<i8"),
    ("replication", "<i8"),
    ("plan", "<i8"),
    ("row", "<i8"),  # of the replication among the tapes
    ("start", "<i8"),  # of its arrivals
    ("quarter", "<i8"),  # row of the plan
    ("sums", "<i8"),  # row of the sums
    ("records", "<i8"),
    ("trouble", "<i8"),
    ("credit_usd", "<f8"),
    # the week
    ("appointments", "<i8"),
    ("assists", "<i8"),
    ("prospects", "<i8"),
    ("sell_until", "<i8"),
    ("ends_at", "<i8"),
    # the manager, and the week it is in: the one above may be the next already
    ("phase", "<i8"),
    ("due", "<i8"),
    ("at", "<i8"),
    ("week_assists", "<i8"),
    ("week_prospects", "<i8"),
    ("week_sell_until", "<i8"),
    ("week_end", "<i8"),
    ("until", "<i8"),
    ("ticks", "<i8"),
    ("visited", "<i8"),
    ("visiting", "<i8"),
    ("assisting", "<i8"),
    ("called", "<i8"),
    ("idle_since", "<i8"),
    ("spare_ticks", "<i8"),
    # how long the lists are
    ("waiting", "<i8"),
    ("woken", "<i8"),
    ("soonest", "<i8"),  # the next dated event, or NEVER
    ("bucket", "<i8"),  # where it lies
    ("bucket_shift", "<i8"),  # a bucket is 2 ** bucket_shift ticks
    ("nodes", "<i8"),
    ("free_node", "<i8"),
)


class Workspace(NamedTuple):
    """What stands at a moment of a run. Nothing in it need be set beforehand."""

    now: NDArray[Any]
    """NOW, shape (1,)"""
    deals: NDArray[Any]
    """DEAL, shape (opportunities,)"""
    partners: NDArray[Any]
    """PARTNER_STATE, shape (partners,)"""
    hours: NDArray[Any]
    """worth of last week's hours, the channel account manager's included, shape (partners, ACTIVITIES)"""
    gains: NDArray[Any]
    """KNOWN_GAIN, shape (partners, ACTIVITIES)"""
    segments: NDArray[Any]
    """SEGMENT_STATE, shape (segments,)"""
    blocks: NDArray[Any]
    """BLOCK: appointments, assists, prospecting of the week, shape (3, most of one sort)"""
    waiting: NDArray[Any]
    """WAITING: deals waiting for a visit, a heap, shape (opportunities,)"""
    woken: NDArray[Any]
    """deals whose partner's people are free, shape (opportunities,)"""
    nodes: NDArray[Any]
    """NODE: events to come, in chains, shape (events,)"""
    buckets: NDArray[Any]
    """first node of each bucket: a calendar queue (Brown 1988), shape (buckets,)"""


class Run(NamedTuple):
    """All that the functions below need, in one hand."""

    tape: TapeNumbers
    tapes: Tapes
    numbers: Numbers
    plans: Plans
    work: Workspace
    of_run: Sums
    """of the present run"""
    sums: Sums
    """of all runs, shapes (plans, replications, ...)"""
    records: NDArray[Any]
    """RECORD: filled with the ledger of the last run, as far as it goes"""
