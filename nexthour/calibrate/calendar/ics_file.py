"""The occurrences in an ICS calendar, repeating events laid out with their exceptions.

A calendar can ask for more repetitions than a computer can lay out, on purpose or not: rules that repeat within a day
are refused before any is followed, rules that match no day are not followed, and laying out stops after a while. A line
can hold a million values, so what is read is bounded by the values on it too.

Left out: tasks, alarms, and every property of an event but subject, categories, times, status and people.
"""

import datetime
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from nexthour.calibrate.calendar.occurrence import YEARS, CalendarPeriod, CalendarSpec, Entry, is_zone
from sim.documents.messages import show
from sim.errors import TableError

LAST_LINE = b"END:VCALENDAR"
"""The library takes the beginning of it for all of it."""
MOST_LINES = 120_000
"""Lines that are looked at; descriptions and whatever else nobody looks at are not among them.

To read four more values or parameters on a line takes as long as another line, one more category as long as one, one
more date or part of a rule as long as two.
"""
MOST_LETTERS = 10_000_000
"""Bytes of the lines that are looked at, by far more than as many lines have."""
LONGEST_PROPERTY = 100_000
"""Bytes of one property: the dates of four years of days are 25,000."""
MOST_OF_A_SERIES = 1_000
"""Categories, people and tens of letters of an event that repeats, as each occurrence has all of them."""
MOST_DATES = 10_000
"""Dates that one event and its exceptions name one by one."""
MOST_EVENTS = 100_000
LONGEST_REPEATED = datetime.timedelta(days=31)
"""Longest event that may repeat: a longer one overlaps itself without end."""
LAYOUT_SECONDS = 3.0
"""Time of the processor, for this alone, after which laying out is given up: one rule may take a second."""
LAST_LEAP_CYCLE = 9972
"""First of the last 28 years there are: in as many, every day of a year falls on every day of the week."""
LOOKED_AT = (
    "BEGIN", "END", "VERSION", "PRODID", "CALSCALE", "UID", "SUMMARY", "CATEGORIES", "STATUS", "TRANSP", "ATTENDEE",
    "ORGANIZER", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID", "SEQUENCE",
    "TZID", "TZNAME", "TZOFFSETFROM", "TZOFFSETTO", "X-WR-TIMEZONE", "X-MICROSOFT-CDO-ALLDAYEVENT",
    "X-MICROSOFT-CDO-BUSYSTATUS",
)  # fmt: skip
OTHER_LINE = re.compile(
    rb"^(?!(?:%s)[:;])[A-Za-z0-9-]+[:;][^\n]*+(?:\n[ \t][^\n]*+)*+(?:\n|\Z)" % "|".join(LOOKED_AT).encode(),
    re.MULTILINE | re.IGNORECASE,
)
"""A property that is not looked at, with the lines on which it goes on."""
LONG_PROPERTY = re.compile(rb"^[^\n]{%d}" % (LONGEST_PROPERTY + 1), re.MULTILINE)
DATES_OR_RULE = re.compile(rb"^(?:RDATE|EXDATE|RRULE|EXRULE)[:;][^\n]*", re.MULTILINE | re.IGNORECASE)
CATEGORIES = re.compile(rb"^CATEGORIES[:;][^\n]*", re.MULTILINE | re.IGNORECASE)
PARAMETER = rb';([A-Za-z0-9-]++)=(?:"[^"\n]*+"|[^";:,\n]*+)(?:,(?:"[^"\n]*+"|[^";:,\n]*+))*+'
PERSON = re.compile(rb"^(ATTENDEE|ORGANIZER)((?:%s)++)(?=:)" % PARAMETER, re.MULTILINE | re.IGNORECASE)
PARAMETERS_LOOKED_AT = (b"CN", b"PARTSTAT")
"""Those of a person."""
REPEATS = ("RRULE", "RDATE", "EXRULE", "EXDATE", "RECURRENCE-ID")
"""Properties of events that the library of repeating events has to see."""
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

    if not data.rstrip().upper().endswith(LAST_LINE):
        raise TableError(
            f"{path}: is cut off or no calendar, as its last line is not {LAST_LINE.decode()}; export it again as ICS"
        )
    data = _looked_at(data)
    if (why := _too_much(data)) is not None:
        raise TableError(f"{path}: {why}; export a shorter period")
    try:
        calendar = icalendar.Calendar.from_ical(data.decode("utf-8-sig"))
        parts = calendar.walk()
    except UnicodeDecodeError as problem:
        raise TableError(f"{path}: not UTF-8 text (byte {problem.start}); export it again as ICS") from None
    except Exception:
        # The library lets many kinds escape for malformed calendars, and says in words of its own why.
        raise TableError(
            f"{path}: is no calendar that can be read (a line or a part of it makes no sense); export it again as ICS"
        ) from None
    for part in parts:
        for rule in _values(part, "RRULE"):
            if isinstance(rule, dict):
                _check_rule(rule, part.name or "", path)
    written = calendar.walk("VEVENT")
    events = [event for event in written if _span(event) is not None and _matches_some_day(event)]
    return WrittenCalendar(calendar, events, len(written) - len(events))


def _looked_at(data: bytes) -> bytes:
    """The lines of a calendar that are looked at, each property on one line, without what nobody looks at."""
    data = OTHER_LINE.sub(b"", data.replace(b"\r\n", b"\n"))
    return PERSON.sub(_person_looked_at, data.replace(b"\n ", b"").replace(b"\n\t", b""))


def _person_looked_at(person: re.Match[bytes]) -> bytes:
    parameters = re.finditer(PARAMETER, person[2])
    return person[1] + b"".join(one[0] for one in parameters if one[1].upper() in PARAMETERS_LOOKED_AT)


def _too_much(data: bytes) -> str | None:
    """What there is too much of to be read in time, if anything."""
    if (found := LONG_PROPERTY.search(data)) is not None:
        name = re.split(rb"[:;]", found[0][:30])[0].decode("ascii", "replace")
        return f"{show(name)} is followed by over {LONGEST_PROPERTY:,} letters"
    if len(data) > MOST_LETTERS:
        return f"over {MOST_LETTERS:,} letters on times, subjects and people of events"
    lists = sum(2 + 2 * line.count(b",") for line in DATES_OR_RULE.findall(data))
    lists += sum(line.count(b",") for line in CATEGORIES.findall(data))
    if data.count(b"\n") + (data.count(b",") + data.count(b";")) // 4 + lists > MOST_LINES:
        return f"over {MOST_LINES:,} lines or lists as long on times, subjects and people of events"
    return None


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


def _matches_some_day(event: Any) -> bool:
    """Whether each rule of an event matches a day at all; one that matches none is followed to the year 9999."""
    start = event["DTSTART"].dt
    return all(_rule_matches(rule.to_ical().decode(), start.month, start.day) for rule in _values(event, "RRULE"))


@lru_cache(10_000)
def _rule_matches(rule: str, month: int, day: int) -> bool:
    """Whether a rule that begins on this day of a year, its interval left aside, matches a day in the last years."""
    from dateutil.rrule import rrulestr

    parts = [part for part in rule.split(";") if not part.startswith(("COUNT=", "UNTIL=", "INTERVAL="))]
    try:
        days = rrulestr(";".join(parts), dtstart=datetime.datetime(LAST_LEAP_CYCLE, month, day))
        return next(iter(days), None) is not None
    except Exception:
        # A rule that makes no sense is told when it is followed.
        return True


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
    deadline = time.thread_time() + LAYOUT_SECONDS
    entries, unreadable = list[Entry](), written.unreadable
    for series in _series(written.events):
        span = None if len(series) > 1 or any(name in series[0] for name in REPEATS) else _span(series[0])
        if span is not None and (not calendar_zone or getattr(span[0], "tzinfo", span) is not None):
            # Nearly all are like this, and laying out takes long.
            entries.append(_entry(series[0], span[0], span[1], reading))
        else:
            # Each series in a calendar of its own, so that a bad one costs no other.
            alone = icalendar.Calendar()
            if is_zone(calendar_zone):
                alone["X-WR-TIMEZONE"] = calendar_zone
            for event in series:
                alone.add_component(event)
            try:
                if sum(len(dates.dts) for event in series for dates in _values(event, "RDATE")) > MOST_DATES:
                    raise ValueError("too many dates")
                if sum(map(_size, series)) > MOST_OF_A_SERIES + 10 * len(series):
                    raise ValueError("too many people and categories")
                found = recurring_ical_events.of(alone).between(opens, closes)
                entries += [_entry(event, event["DTSTART"].dt, event["DTEND"].dt, reading) for event in found]
            except Exception:
                # A rule is checked when it is followed, and raises many kinds.
                unreadable += len(series)
        if time.thread_time() > deadline or len(entries) > MOST_EVENTS:
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


def _size(event: Any) -> int:
    """Categories, people and tens of letters of an event."""
    people = len(_values(event, "ATTENDEE")) + len(_values(event, "ORGANIZER"))
    letters = len(str(event.get("SUMMARY", ""))) + sum(map(len, event.categories))
    return len(event.categories) + people + letters // 10


def _entry(event: Any, start: datetime.date, end: datetime.date, reading: CalendarSpec) -> Entry:
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
        start=start,
        end=end,
        whole_days=whole_days,
        status="cancelled" if "CANCELLED" in marks else "declined" if declined else "free" if free else "",
    )
