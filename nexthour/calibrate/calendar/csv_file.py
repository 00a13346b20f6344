"""The rows of a calendar that Outlook or Google wrote as CSV; they have laid out repeating events themselves.

A cell that is not what its column says stops the reading: to leave out such rows only would lose hours.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from nexthour.calibrate.calendar.occurrence import CalendarColumns, Entry
from nexthour.calibrate.files.notation import EPOCH, Question, Reason, parse_day
from nexthour.calibrate.files.table_file import Layout, read_small
from sim.documents.messages import show
from sim.errors import TableError

MOST_ROWS = 20_000
CLOCKS = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p")


def read_csv_calendar(path: Path | str, columns: CalendarColumns) -> tuple[list[Entry], int]:
    """Read the rows of a calendar; second, the number of those that end before they begin. Raises TableError."""
    needed = dict.fromkeys(
        (columns.subject, columns.start_date, columns.start_time, columns.end_date, columns.end_time)
    )
    rest = dict.fromkeys((*columns.all_day, *columns.show_as, *columns.categories, *columns.people))
    optional = [column for column in rest if column not in needed]
    frame = read_small(
        path, list(needed), Layout(**columns.model_dump(include=set(Layout.model_fields))), MOST_ROWS, optional
    )
    entries = [
        _row(dict(zip(frame.columns, cells, strict=True)), row, columns, path) for row, *cells in frame.itertuples()
    ]
    ordered = [entry for entry in entries if entry.start <= entry.end]
    return ordered, len(entries) - len(ordered)


def _row(cells: dict[str, Any], row: int, columns: CalendarColumns, path: Path | str) -> Entry:
    for column, cell in cells.items():
        if not isinstance(cell, str):
            raise TableError(f"{path}: row {row}: {column} is {show(cell)}, not text; save the calendar as CSV")

    def filled(names: Sequence[str]) -> list[str]:
        return [cells[name] for name in names if cells[name]]

    def date(column: str) -> datetime.date:
        return _date(cells[column], column, row, columns, path)

    def moment(day: str, clock: str) -> datetime.datetime:
        return datetime.datetime.combine(date(day), _clock(cells[clock], clock, row, path))

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


def _date(cell: str, column: str, row: int, columns: CalendarColumns, path: Path | str) -> datetime.date:
    try:
        days = parse_day(cell, columns.date_order)
    except Question as question:
        raise TableError(f"{path}: row {row}: {column} {show(cell)} {question.text}; {question.answer}") from None
    if isinstance(days, Reason):
        raise TableError(f"{path}: row {row}: {column} {show(cell)} {days}; correct the row")
    return EPOCH + datetime.timedelta(days=days)


def _clock(cell: str, column: str, row: int, path: Path | str) -> datetime.time:
    time = _time_of_day(" ".join(cell.upper().replace(".", "").split()))
    if time is None:
        raise TableError(f"{path}: row {row}: {column} is {show(cell)}; allowed: times such as 14:30 or 2:30 PM")
    return time


@cache
def _time_of_day(text: str) -> datetime.time | None:
    for form in CLOCKS:
        try:
            return datetime.datetime.strptime(text, form).time()
        except ValueError:
            continue
    return None
