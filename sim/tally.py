"""A ledger added up: counts, values and amounts by quarter and kind of record. All indicators follow from it (kpis.py).

The compiled engine adds up while it runs and need not keep the ledger; `Tally.of(ledger)` adds up one that was kept.
Both add the same numbers in the same order with the same function, so the sums are equal to the last bit.

Row 0 is the history, with the open pipeline that takes its place in the first moment of quarter 1; row q is quarter q.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.ledger import TICKS_PER_QUARTER, TICKS_PER_WEEK, Kind
from sim.terms import WEEKS_PER_QUARTER

KINDS = max(Kind) + 1
SKILLS, ENGAGEMENTS = 0, 1
"""Columns of `levels`."""
BY_KIND = np.dtype([("count", "<i8"), ("value", "<f8"), ("amount_usd", "<i8")], align=True)
BY_PARTNER = np.dtype([("registered", "<i8"), ("won_usd", "<i8")], align=True)
LEVEL = np.dtype([("count", "<i8"), ("value", "<f8")], align=True)


class Sums(NamedTuple):
    """The sums of one run, or of many: arrays with the same leading axes."""

    by_kind: NDArray[Any]  # BY_KIND, shape (..., 1 + quarters, KINDS)
    by_partner: NDArray[Any]  # BY_PARTNER, shape (..., 1 + quarters, partners)
    levels: NDArray[Any]  # LEVEL in the last week of the quarter, shape (..., 1 + quarters, 2)


def empty_sums(rows: int, partners: int, *leading: int) -> Sums:
    """Sums of nothing: `rows` for the history and the quarters."""
    return Sums(
        np.zeros((*leading, rows, KINDS), BY_KIND),
        np.zeros((*leading, rows, partners), BY_PARTNER),
        np.zeros((*leading, rows, 2), LEVEL),
    )


def clear(sums: Sums) -> None:
    """Make the sums of one run those of nothing."""
    for row in range(len(sums.by_kind)):
        for kind in range(KINDS):
            entry = sums.by_kind[row, kind]
            entry.count = entry.amount_usd = 0
            entry.value = 0.0
        for p in range(sums.by_partner.shape[1]):
            partner = sums.by_partner[row, p]
            partner.registered = partner.won_usd = 0
        for which in range(2):
            level = sums.levels[row, which]
            level.count = 0
            level.value = 0.0


def store_sums(of_run: Sums, sums: Sums, plan: int, r: int) -> None:
    """Put the sums of one run among those of all runs."""
    for row in range(len(of_run.by_kind)):
        for kind in range(KINDS):
            sums.by_kind[plan, r, row, kind] = of_run.by_kind[row, kind]
        for p in range(of_run.by_partner.shape[1]):
            sums.by_partner[plan, r, row, p] = of_run.by_partner[row, p]
        for which in range(2):
            sums.levels[plan, r, row, which] = of_run.levels[row, which]


def row_of(tick: int) -> int:
    """The row of the sums to which most kinds of record at this tick belong."""
    return 0 if tick < 0 else tick // TICKS_PER_QUARTER + 1


def is_last_week(tick: int) -> bool:
    """Whether the tick lies in the last week of its quarter."""
    return tick // TICKS_PER_WEEK % WEEKS_PER_QUARTER == WEEKS_PER_QUARTER - 1


def add_record(sums: Sums, row: int, tick: int, kind: int, partner: int, amount_usd: int, value: float) -> None:
    """Add one record to the sums of its run; `row` is the tick's."""
    if kind == Kind.TAKEN_OVER or kind == Kind.REPLACED:
        row = 0
    entry = sums.by_kind[row, kind]
    entry.count += 1
    entry.value += value
    entry.amount_usd += amount_usd
    if kind == Kind.WON_PARTNER or kind == Kind.WON_CO_SOLD or kind == Kind.WON_SOLD_FOR:
        sums.by_partner[row, partner].won_usd += amount_usd
    elif kind == Kind.REGISTERED:
        sums.by_partner[row, partner].registered += 1
    elif (kind == Kind.SKILL or kind == Kind.ENGAGEMENT) and is_last_week(tick):
        level = sums.levels[row, SKILLS if kind == Kind.SKILL else ENGAGEMENTS]
        level.count += 1
        level.value += value


def add_up_ledger(records: NDArray[Any], sums: Sums) -> int:
    """Add all records of a ledger to the sums of one run."""
    for i in range(len(records)):
        record = records[i]
        add_record(sums, row_of(record.tick), record.tick, record.kind, record.partner, record.amount_usd, record.value)
    return len(records)
