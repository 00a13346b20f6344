"""How a run lies in memory: records and named tuples of arrays, for the compiled engine.

Three sorts: `Numbers` and `Plans` follow from a scenario and its plans (engine.py fills them; what is a single number
there is declared in coefficients.py), `Tapes` are the markets (tape.py), and `Workspace` is what stands at a moment of
a run. `Run` holds all of them. Where something is a yes or no, it is 1 or 0.

Left out: what is done with it (kernel.py).
"""

from enum import IntEnum
from typing import Any, NamedTuple

from numpy.typing import NDArray

from sim.arrays import record, record_of
from sim.coefficients import Coefficients, PartnerNumbers, SegmentNumbers, TraitNumbers
from sim.tally import Sums
from sim.tape import TapeNumbers, Tapes


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
STAGE_NUMBERS = record(("pass_below worth_per_hour", "<f8"))
PARTNER_NUMBERS = record_of(PartnerNumbers)
TRAITS = record_of(TraitNumbers)
QUARTER = record(("gifts_begin gifts_end has_prospect_shares idle_ticks", "<i8"), ("discipline quota_usd", "<f8"))
GIFT = record(
    ("of", "<i8"),  # APPOINTMENT, CAM or ASSIST
    ("partner activity", "<i8"),
    ("kind", "<i8"),  # of its record
    ("ticks", "<i8"),
    ("hours", "<f8"),  # the channel account manager's
)
"""Hours a week that the plan gives to a partner."""
SEGMENT_PLAN = record(("prospect_ticks", "<i8"), ("prospect_share", "<f8"), ("coverage_mode", "<i8"))


class Numbers(NamedTuple):
    """The numbers of a scenario that every run needs, besides its tape."""

    run: NDArray[Any]  # RUN, shape (1,)
    segments: NDArray[Any]  # SEGMENT, shape (segments,)
    stages: NDArray[Any]  # STAGE_NUMBERS, shape (segments, MAX_STAGES)
    partners: NDArray[Any]  # PARTNER_NUMBERS, shape (partners,)
    traits: NDArray[Any]  # TRAITS, shape (partners, true segments)
    expected: NDArray[Any]  # opportunities a week, history first, shape (segments, weeks)
    bases: NDArray[Any]  # share of the segment's accounts, shape (segments, partners)
    fit: NDArray[Any]  # shape (partners, segments)
    week_off: NDArray[Any]  # 1 for a week off, shape (weeks of the horizon,)


class Plans(NamedTuple):
    """Time plans, each with row 0 for the history."""

    quarters: NDArray[Any]  # QUARTER, shape (plans, 1 + quarters)
    gifts: NDArray[Any]  # GIFT, all quarters of all plans one after another: appointments, the CAM's, assists
    segment_plans: NDArray[Any]  # SEGMENT_PLAN, shape (plans, 1 + quarters, segments)
    parked: NDArray[Any]  # shape (plans, 1 + quarters, partners)


# ---------------------------------------------------------------- what changes


DEAL = record(
    ("amount_usd opened_at came_at closes_at patient_until cycle visit_left assist_left", "<i8"),
    ("u", "<f8"),
    ("earlier later", "<i4"),  # its partner's open deals, in the order in which they came
    ("behind", "<i4"),  # next in its partner's line
    ("segment partner stage assisted_by", "<i2"),
    ("open waiting in_capacity", "<i1"),
)
PARTNER_STATE = record(
    ("skill engagement bring recruited_hours", "<f8"),
    ("active_since onboarded_week active settled parked", "<i8"),
    ("conflicts own_wins guided working", "<i8"),
    ("first_open last_open first_in_line last_in_line", "<i8"),
)
KNOWN_GAIN = record(("hours gain", "<f8"))
SEGMENT_STATE = record(("reach pool prospecting", "<f8"), ("given", "<i8"))
BLOCK = record(("partner segment activity kind ticks", "<i8"))
NODE = record(("key next", "<i8"))
WAITING = record(("worth", "<f8"), ("id", "<i8"))
NOW = record(
    ("tick replication plan", "<i8"),
    ("row", "<i8"),  # of the replication among the tapes
    ("start", "<i8"),  # of its arrivals
    ("quarter", "<i8"),  # row of the plan
    ("sums", "<i8"),  # row of the sums
    ("records trouble", "<i8"),
    ("credit_usd", "<f8"),
    ("appointments assists prospects sell_until ends_at", "<i8"),  # the week
    # the manager, and the week it is in: the one above may be the next already
    ("phase due at week_assists week_prospects week_sell_until week_end", "<i8"),
    ("until ticks visited visiting assisting called idle_since spare_ticks", "<i8"),
    ("waiting woken", "<i8"),  # how long the lists are
    ("soonest", "<i8"),  # the next dated event, or NEVER
    ("bucket", "<i8"),  # where it lies
    ("bucket_shift", "<i8"),  # a bucket is 2 ** bucket_shift ticks
    ("nodes free_node", "<i8"),
)


class Workspace(NamedTuple):
    """What stands at a moment of a run. Nothing in it need be set beforehand."""

    now: NDArray[Any]  # NOW, shape (1,)
    deals: NDArray[Any]  # DEAL, shape (opportunities,)
    partners: NDArray[Any]  # PARTNER_STATE, shape (partners,)
    hours: NDArray[Any]
    """worth of last week's hours, the channel account manager's included, shape (partners, ACTIVITIES)"""
    gains: NDArray[Any]  # KNOWN_GAIN, shape (partners, ACTIVITIES)
    segments: NDArray[Any]  # SEGMENT_STATE, shape (segments,)
    blocks: NDArray[Any]  # BLOCK: appointments, assists, prospecting of the week, shape (3, most of one sort)
    waiting: NDArray[Any]  # WAITING: deals waiting for a visit, a heap, shape (opportunities,)
    woken: NDArray[Any]  # deals whose partner's people are free, shape (opportunities,)
    nodes: NDArray[Any]  # NODE: events to come, in chains, shape (events,)
    buckets: NDArray[Any]  # first node of each bucket: a calendar queue (Brown 1988), shape (buckets,)


class Run(NamedTuple):
    """All that the functions below need, in one hand."""

    tape: TapeNumbers
    tapes: Tapes
    numbers: Numbers
    plans: Plans
    work: Workspace
    of_run: Sums  # of the present run
    sums: Sums  # of all runs, shapes (plans, replications, ...)
    records: NDArray[Any]  # RECORD: filled with the ledger of the last run, as far as it goes
