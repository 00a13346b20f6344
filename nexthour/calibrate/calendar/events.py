"""The events of a period in a calendar export: those that took place, and those that did not count, with the reason.

Times become instants, so a night in which the clocks change has the hours it had; an event that reaches beyond the
period counts as far as it lies within.

Left out: what an event was for (audit.py).
"""

from __future__ import annotations

import datetime
import gzip
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nexthour.calibrate.calendar import csv_file, ics_file
from nexthour.calibrate.calendar.occurrence import (
    EARLIEST_YEAR,
    LATEST_YEAR,
    CalendarPeriod,
    CalendarSpec,
    Entry,
)
from nexthour.calibrate.files.table_file import GZIP
from sim.documents.files import read_regular
from sim.errors import TableError

LARGEST_CALENDAR_BYTES = 20_000_000
SHORTEST_PERIOD_DAYS, LONGEST_PERIOD_DAYS = 7, 731
LONGEST_HOURS = 16.0
"""Longest event that is taken as work; what lasts longer is a trip, an offer or a mistake."""


@dataclass(frozen=True)
class Event:
    """One event, as far as it lies within the period."""

    subject: str
    categories: str
    people: tuple[str, ...]
    """addresses and names, in small letters"""
    begins: datetime.datetime
    """time in UTC, as that of the end"""
    ends: datetime.datetime
    left_out: str
    """why it does not count, or nothing"""

    @property
    def hours(self) -> float:
        """Length of the event within the period."""
        return (self.ends - self.begins).total_seconds() / 3600


@dataclass(frozen=True)
class CalendarExport:
    """The events of a period in an export."""

    name: str
    """name of the file, without its folder"""
    period: CalendarPeriod
    events: tuple[Event, ...]
    """sorted by their beginning"""
    unreadable: int
    """events whose times or rules make no sense: nobody knows their hours"""


def read_events(
    path: Path | str, reading: CalendarSpec, first: datetime.date | None = None, last: datetime.date | None = None
) -> CalendarExport:
    """Read the events from `first` to `last` day; without both, of the whole export. Raises TableError."""
    data = _unpacked_bytes(path)
    if b"BEGIN:VCALENDAR" in data[:10_000].upper():
        written = ics_file.read_ics_calendar(data, path)
        period = _period(written.spans(), reading, first, last, path)
        entries, unreadable = ics_file.expand_occurrences(written, period, reading, path)
    elif Path(path).suffix.lower() in (".ics", ".ical"):
        raise TableError(f"{path}: holds no BEGIN:VCALENDAR; export the calendar as ICS, or as CSV and name it .csv")
    else:
        entries, unreadable = csv_file.read_csv_calendar(path, reading.csv)
        period = _period([(entry.start, entry.end) for entry in entries], reading, first, last, path)
    within = [event for entry in entries if (event := _within(entry, period, reading)) is not None]
    if not within:
        raise TableError(f"{path}: no event from {period.first} to {period.last}; choose another period or export")
    return CalendarExport(Path(path).name, period, tuple(sorted(within, key=lambda event: event.begins)), unreadable)


def _unpacked_bytes(path: Path | str) -> bytes:
    """The whole file, unpacked. Raises TableError."""
    try:
        data = read_regular(path, LARGEST_CALENDAR_BYTES, TableError, "an ICS or CSV file")
        if data.startswith(GZIP):
            data = gzip.GzipFile(fileobj=io.BytesIO(data)).read(LARGEST_CALENDAR_BYTES + 1)
    except (OSError, EOFError, ValueError, zlib.error) as problem:
        what = getattr(problem, "strerror", None) or " ".join(str(problem).split())[:100]
        raise TableError(f"{str(path)[:200]}: cannot be read ({what}); give an ICS or CSV file") from None
    if len(data) > LARGEST_CALENDAR_BYTES:
        raise TableError(f"{path}: over {LARGEST_CALENDAR_BYTES:,} bytes; export a shorter period")
    return data


def _period(
    spans: Sequence[Any],
    reading: CalendarSpec,
    first: datetime.date | None,
    last: datetime.date | None,
    path: Path | str,
) -> CalendarPeriod:
    """The period asked for; else from the first to the last day that is written in the export."""
    if not spans:
        raise TableError(f"{path}: holds no event whose times can be read; export the calendar with its events")
    period = CalendarPeriod(
        min(reading.day_of(start) for start, _ in spans) if first is None else first,
        max(reading.day_of(end) for _, end in spans) if last is None else last,
        first is None and last is None,
    )
    if (
        not SHORTEST_PERIOD_DAYS <= period.days <= LONGEST_PERIOD_DAYS
        or not EARLIEST_YEAR < period.first.year < LATEST_YEAR
    ):
        raise TableError(
            f"{path}: from {period.first} to {period.last} is {period.days:,} days; allowed: {SHORTEST_PERIOD_DAYS} to "
            f"{LONGEST_PERIOD_DAYS}; say from which day to which"
        )
    return period


def _within(entry: Entry, period: CalendarPeriod, reading: CalendarSpec) -> Event | None:
    start, end = reading.instant(entry.start), reading.instant(entry.end)
    opens, closes = reading.instant(period.first), reading.instant(period.last + datetime.timedelta(days=1))
    begins, ends = max(start, opens), min(end, closes)
    if begins > ends or begins == closes or (ends == opens and start < opens):
        return None
    subject = " ".join(entry.subject.split())[:200]
    hours = (end - start).total_seconds() / 3600
    why = ""
    if entry.status:
        why = entry.status
    elif subject.casefold().startswith(tuple(prefix.casefold() for prefix in reading.cancelled_prefixes)):
        why = "cancelled"
    elif entry.whole_days:
        why = "all day"
    elif hours == 0:
        why = "no duration"
    elif hours > LONGEST_HOURS:
        why = f"over {LONGEST_HOURS:g} hours"
    return Event(subject, entry.categories, entry.people, begins, ends, why)
