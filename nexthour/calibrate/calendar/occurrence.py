"""An occurrence as a calendar export has it, and what has to be known to read one.

Left out: the files (ics_file.py, events.py), and which part of an occurrence lies in a period (events.py).
"""

import datetime
from dataclasses import dataclass
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from nexthour.calibrate.files.notation import DateOrder
from nexthour.calibrate.files.table_file import Layout
from sim.documents.declared import Declared, Items, declare
from sim.documents.messages import show

YEARS = range(1900, 2201)
"""Years in which events may lie; birthdays repeat since long ago."""
Column = Annotated[str, Field(min_length=1, max_length=200)]
Texts = Annotated[Items[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=500)]


def is_zone(name: str) -> bool:
    """Whether a time zone of this name is known."""
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return False
    return True


def _zone_name(name: str) -> str:
    if not is_zone(name):
        raise ValueError(f"{show(name)} is no time zone; allowed: names such as Europe/Berlin or UTC")
    return name


class CalendarColumns(Layout):
    """How a calendar is written as CSV. Defaults: the English columns of Outlook and Google."""

    date_order: DateOrder | None = declare(
        "order of day, month and year: DMY, MDY or YMD; null: dates such as 2026-01-31", unit="order", default=None
    )
    subject: Column = declare("column of the subject", unit="column", default="Subject")
    start_date: Column = declare("column of the first day", unit="column", default="Start Date")
    start_time: Column = declare("column of the time it begins", unit="column", default="Start Time")
    end_date: Column = declare("column of the last day", unit="column", default="End Date")
    end_time: Column = declare("column of the time it ends", unit="column", default="End Time")
    all_day: Texts = declare(
        "columns that say whether it takes whole days", unit="columns", default=("All day event", "All Day Event")
    )
    all_day_values: Texts = declare("values of them that mean yes", unit="values", default=("True", "TRUE", "true"))
    show_as: Texts = declare("columns that say how it blocks the time", unit="columns", default=("Show time as",))
    free_values: Texts = declare("values of them that mean free", unit="values", default=("3", "Free"))
    categories: Texts = declare("columns of the categories", unit="columns", default=("Categories",))
    people: Texts = declare(
        "columns of the people", unit="columns",
        default=("Meeting Organizer", "Required Attendees", "Optional Attendees"),
    )  # fmt: skip


class CalendarSpec(Declared):
    """How an export is to be read."""

    time_zone: Annotated[str, Field(min_length=1, max_length=60), AfterValidator(_zone_name)] = declare(
        "the manager's time zone, such as Europe/Berlin: days, and times without a zone, are in it", unit="name"
    )
    me: Texts = declare(
        "the manager's own mail addresses, to know which invitations were declined", unit="addresses", default=()
    )
    cancelled_prefixes: Texts = declare(
        "what the subject of a cancelled event begins with", unit="words", default=("Canceled:", "Cancelled:")
    )
    csv: CalendarColumns = declare(
        "how a CSV export is written; an ICS export needs none of it", unit="part", default=CalendarColumns()
    )

    def instant(self, moment: datetime.date) -> datetime.datetime:
        """A moment in UTC; a date stands for its midnight, and without a zone times are in the manager's."""
        if not isinstance(moment, datetime.datetime):
            moment = datetime.datetime.combine(moment, datetime.time())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(self.time_zone))
        return moment.astimezone(datetime.UTC)

    def day_of(self, moment: datetime.date) -> datetime.date:
        """The manager's date at that moment."""
        if not isinstance(moment, datetime.datetime):
            return moment
        return self.instant(moment).astimezone(ZoneInfo(self.time_zone)).date()


@dataclass(frozen=True)
class CalendarPeriod:
    """A period of whole days, both ends included."""

    first: datetime.date
    last: datetime.date
    whole_export: bool
    """whether nobody asked for other days"""

    @property
    def days(self) -> int:
        """Number of days."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class Entry:
    """An occurrence as the file has it, its times in any zone or none."""

    subject: str
    categories: str
    people: tuple[str, ...]
    start: datetime.date
    end: datetime.date
    whole_days: bool
    status: str
    """cancelled, declined, free or nothing"""
