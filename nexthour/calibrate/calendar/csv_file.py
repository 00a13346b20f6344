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
