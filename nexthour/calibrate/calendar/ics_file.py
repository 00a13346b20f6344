"""The occurrences in an ICS calendar, repeating events laid out with their exceptions.

A calendar can ask for more repetitions than a computer can lay out, on purpose or not: rules that repeat within a day
are refused before any is followed, and laying out stops after a while.

Left out: tasks, alarms, and every property of an event but subject, categories, times, status and people.
"""

import datetime
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from nexthour.calibrate.calendar.occurrence import YEARS, CalendarPeriod, CalendarSpec, Entry, is_zone
from sim.errors import TableError

MOST_LINES = 600_000
MOST_EVENTS = 100_000
LONGEST_REPEATED = datetime.timedelta(days=31)
"""Longest event that may repeat: a longer one overlaps itself without end."""
LAYOUT_SECONDS = 20.0
"""Time after which laying out is given up: a rule that matches no day is searched for to the year 9999."""
FREQUENCIES = {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}


@dataclass(frozen=True)
class WrittenCalendar:
    """A calendar before its repeating events are laid out."""

    calendar: Any
    events: list[Any]
    """events whose times make sense"""
    unreadable: int
    """number of events whose times make no sense"""

    def spans(self) -> list[Any]:
        """First and last moment of each single appointment; of all events if there is none.

        A repeating event has no end of its own, and whole days are birthdays and holidays.
        """
        single = [event for event in self.events if not _values(event, "RRULE") and not _whole_days(event)]
        return [_span(event) for event in single or self.events]


def read_ics_calendar(data: bytes, path: Path | str) -> WrittenCalendar:
    """Read the calendar in a file, with no rule in it that cannot be followed in time. Raises TableError."""
    import icalendar

    lines = len(re.findall(rb"\n[^ \t\r\n]", data))
    if lines > MOST_LINES or data.upper().count(b"BEGIN:VEVENT") > MOST_EVENTS:
        raise TableError(f"{path}: over {MOST_EVENTS:,} events or {MOST_LINES:,} lines; export a shorter period")
    try:
        calendar = icalendar.Calendar.from_ical(data.decode("utf-8-sig"))
        parts = calendar.walk()
    except UnicodeDecodeError as problem:
        raise TableError(f"{path}: not UTF-8 text (byte {problem.start}); export it again as ICS") from None
    except Exception as problem:
        # The library lets many kinds escape for malformed calendars.
        reason = " ".join(str(problem).split())[:80] or type(problem).__name__
        raise TableError(f"{path}: is no calendar that can be read ({reason}); export it again as ICS") from None
    for part in parts:
        for rule in _values(part, "RRULE"):
            if isinstance(rule, dict):
                _check_rule(rule, part.name or "", path)
    written = calendar.walk("VEVENT")
    events = [event for event in written if _span(event) is not None]
    return WrittenCalendar(calendar, events, len(written) - len(events))


def _check_rule(rule: dict[str, Any], part: str, path: Path | str) -> None:
    """Raises TableError for a rule that repeats more often than appointments do, or for ever on one spot."""
    often, interval = str((rule.get("FREQ") or ["DAILY"])[0]).upper(), (rule.get("INTERVAL") or [1])[0]
    # What says when summer begins and ends does so once a year, since 1601.
    allowed = {"YEARLY"} if part in ("STANDARD", "DAYLIGHT") else FREQUENCIES
    several = any(len(rule.get(word, [])) > 1 for word in ("BYHOUR", "BYMINUTE", "BYSECOND"))
    if often not in allowed or several or not 1 <= interval <= 1000:
        raise TableError(
            f"{path}: a rule repeats with FREQ={often[:20]}, INTERVAL={str(interval)[:20]}"
            f"{', several times a day' if several else ''}; allowed: {', '.join(sorted(allowed))} with an INTERVAL "
            "from 1 to 1000, once a day; delete that event and export again"
        )


def _values(part: Any, name: str) -> list[Any]:
    value = part.get(name, [])
    return value if isinstance(value, list) else [value]


def _whole_days(event: Any) -> bool:
    timed = isinstance(event["DTSTART"].dt, datetime.datetime)
    return not timed or str(event.get("X-MICROSOFT-CDO-ALLDAYEVENT", "")).upper() == "TRUE"


def _span(event: Any) -> Any:
    """First and last moment of an event as it is written, or None if they make no sense."""
    try:
        start = event["DTSTART"].dt
        timed = isinstance(start, datetime.datetime)
        if "DTEND" in event:
            end = event["DTEND"].dt
        elif "DURATION" in event:
            end = start + event["DURATION"].dt
        else:
            end = start if timed else start + datetime.timedelta(days=1)
        if isinstance(end, datetime.datetime) != timed or not YEARS[0] <= start.year <= end.year <= YEARS[-1]:
            return None
        if timed and (start.tzinfo is None) != (end.tzinfo is None):
            return None
        # As instants, as clocks show an hour twice when summer ends.
        aware = timed and start.tzinfo is not None
        lasts = end.astimezone(datetime.UTC) - start.astimezone(datetime.UTC) if aware else end - start
        rules = _values(event, "RRULE")
        if lasts < datetime.timedelta(0) or not all(isinstance(rule, dict) for rule in rules):
            return None
        return None if rules and lasts > LONGEST_REPEATED else (start, end)
    except Exception:
        # A malformed value raises what it likes when it is looked at.
        return None


def expand_occurrences(
    written: WrittenCalendar, period: CalendarPeriod, reading: CalendarSpec, path: Path | str
) -> tuple[list[Entry], int]:
    """Lay out every occurrence of the period; second, the number of events that nobody can place.

    Raises TableError if they are too many.
    """
    import icalendar
    import recurring_ical_events

    zone = ZoneInfo(reading.time_zone)
    opens = datetime.datetime.combine(period.first, datetime.time(), zone)
    closes = datetime.datetime.combine(period.last + datetime.timedelta(days=1), datetime.time(), zone)
    calendar_zone = str(written.calendar.get("X-WR-TIMEZONE", ""))
    deadline = time.monotonic() + LAYOUT_SECONDS
    entries, unreadable = list[Entry](), written.unreadable
    for series in _series(written.events):
        # Each series in a calendar of its own, so that a bad one costs no other.
        alone = icalendar.Calendar()
        if is_zone(calendar_zone):
            alone["X-WR-TIMEZONE"] = calendar_zone
        for event in series:
            alone.add_component(event)
        try:
            entries += [_entry(event, reading) for event in recurring_ical_events.of(alone).between(opens, closes)]
        except Exception:
            # A rule is checked when it is followed, and raises many kinds.
            unreadable += len(series)
        if time.monotonic() > deadline or len(entries) > MOST_EVENTS:
            raise TableError(
                f"{path}: its events from {period.first} to {period.last} are over {MOST_EVENTS:,}, or take over "
                f"{LAYOUT_SECONDS:g} seconds to lay out; take a shorter period, or export without odd repeating events"
            )
    return entries, unreadable


def _series(events: list[Any]) -> Iterator[list[Any]]:
    """Groups of events, each with its exceptions, which have the same UID."""
    by_uid: dict[str, list[Any]] = {}
    for number, event in enumerate(events):
        by_uid.setdefault(str(event.get("UID", "")) or f"\0{number}", []).append(event)
    yield from by_uid.values()


def _entry(event: Any, reading: CalendarSpec) -> Entry:
    people, declined = list[str](), False
    own = {address.lower() for address in reading.me}
    for person in [*_values(event, "ATTENDEE"), *_values(event, "ORGANIZER")]:
        address = str(person).lower().removeprefix("mailto:")
        people += [address, str(person.params.get("CN", "")).lower()]
        declined |= address in own and str(person.params.get("PARTSTAT", "")).upper() == "DECLINED"
    marks = {str(event.get(name, "")).upper() for name in ("STATUS", "TRANSP", "X-MICROSOFT-CDO-BUSYSTATUS")}
    whole_days = _whole_days(event)
    free = bool(marks & {"TRANSPARENT", "FREE"}) and not whole_days
    return Entry(
        subject=str(event.get("SUMMARY", "")),
        categories=" ".join(event.categories),
        people=tuple(filter(None, people)),
        start=event["DTSTART"].dt,
        end=event["DTEND"].dt,
        whole_days=whole_days,
        status="cancelled" if "CANCELLED" in marks else "declined" if declined else "free" if free else "",
    )
