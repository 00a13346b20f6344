"""The events of a period in a calendar export: those that took place, and those that did not count, with the reason.

Times become instants, so a night in which the clocks change has the hours it had; an event that reaches beyond the
period counts as far as it lies within.

Outlook and Google have laid out repeating events themselves in the rows of a CSV file. A cell there that is not what
its column says stops the reading: to leave out such rows only would lose hours.

Left out: what an event was for (audit.py), and the format of ICS files (ics_file.py).
"""

import datetime
import gzip
import io
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from nexthour.calibrate.calendar import ics_file
from nexthour.calibrate.calendar.occurrence import YEARS, CalendarColumns, CalendarPeriod, CalendarSpec, Entry
from nexthour.calibrate.files.notation import EPOCH, Question, Reason, parse_day
from nexthour.calibrate.files.table_file import GZIP, Layout, read_small
from sim.documents.files import read_regular
from sim.documents.messages import show
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
        entries, unreadable = read_csv_calendar(path, reading.csv)
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
    if not SHORTEST_PERIOD_DAYS <= period.days <= LONGEST_PERIOD_DAYS or not YEARS[0] < period.first.year < YEARS[-1]:
        raise TableError(
            f"{path}: from {period.first} to {period.last} is {period.days:,} "
            f"day{'' if period.days == 1 else 's'}; allowed: {SHORTEST_PERIOD_DAYS} to "
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


MOST_ROWS = 20_000
CLOCKS = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p")


def read_csv_calendar(path: Path | str, columns: CalendarColumns) -> tuple[list[Entry], int]:
    """Read the rows of a calendar; second, the number of those that end before they begin. Raises TableError."""
    times = (columns.start_date, columns.start_time, columns.end_date, columns.end_time)
    needed = dict.fromkeys((columns.subject, *times))
    rest = dict.fromkeys((*columns.all_day, *columns.show_as, *columns.categories, *columns.people))
    optional = [column for column in rest if column not in needed]
    layout = Layout(**columns.model_dump(include=set(Layout.model_fields)))
    frame = read_small(path, list(needed), layout, MOST_ROWS, optional)
    records = zip(frame.index, frame.to_dict("records"), strict=True)
    entries = [_row(cells, columns, f"{path}: row {row}") for row, cells in records]
    ordered = [entry for entry in entries if entry.start <= entry.end]
    return ordered, len(entries) - len(ordered)


def _row(cells: dict[Any, Any], columns: CalendarColumns, where: str) -> Entry:
    for column, cell in cells.items():
        if not isinstance(cell, str):
            raise TableError(f"{where}: {column} is {show(cell)}, not text; save the calendar as CSV")

    def filled(names: Sequence[str]) -> list[str]:
        return [cells[name] for name in names if cells[name]]

    def date(column: str) -> datetime.date:
        try:
            days = parse_day(cells[column], columns.date_order)
        except Question as question:
            raise question.about(f"{where}: {column}", cells[column]) from None
        if isinstance(days, Reason):
            raise TableError(f"{where}: {column} {show(cells[column])} {days}; correct the row")
        return EPOCH + datetime.timedelta(days=days)

    def moment(day: str, clock: str) -> datetime.datetime:
        day_begun, time = date(day), _time_of_day(" ".join(cells[clock].upper().replace(".", "").split()))
        if time is None:
            raise TableError(f"{where}: {clock} is {show(cells[clock])}; allowed: times such as 14:30 or 2:30 PM")
        return datetime.datetime.combine(day_begun, time)

    whole_days = not cells[columns.start_time] or bool({*filled(columns.all_day)} & {*columns.all_day_values})
    if whole_days:
        start = date(columns.start_date)
        last = date(columns.end_date) if cells[columns.end_date] else start
        end = last if last != start else start + datetime.timedelta(days=1)
    else:
        start = moment(columns.start_date, columns.start_time)
        end = moment(columns.end_date if cells[columns.end_date] else columns.start_date, columns.end_time)
    return Entry(
        subject=cells[columns.subject],
        categories=" ".join(filled(columns.categories)),
        people=tuple(person.strip().lower() for cell in filled(columns.people) for person in re.split("[;,<>]", cell)),
        start=start,
        end=end,
        whole_days=whole_days,
        status="free" if not whole_days and {*filled(columns.show_as)} & {*columns.free_values} else "",
    )


@cache
def _time_of_day(text: str) -> datetime.time | None:
    for form in CLOCKS:
        try:
            return datetime.datetime.strptime(text, form).time()
        except ValueError:
            continue
    return None
