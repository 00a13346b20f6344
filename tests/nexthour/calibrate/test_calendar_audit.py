"""An hour of a calendar is counted once, under what it was for, or it is listed; nothing vanishes, nothing is guessed.

Claims: a calendar with every case worked by hand gives exactly these hours; hours read = hours by activity + without a
rule + left out + shared, and those that count are as long as the time in which anything took place, whatever the
calendar; the split that is written gives the audited hours back; a hostile calendar is one sentence, in seconds; a
subject is seen only where no rule explains it, and nothing is sent anywhere.
"""

from __future__ import annotations

import datetime
import gzip
import os
import socket
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from nexthour.calibrate.calendar import ics_file
from nexthour.calibrate.calendar.audit import ALLOCATABLE, Audit, CalendarRules, audit_calendar, load_calendar_rules
from nexthour.calibrate.calendar.status_quo import UNKNOWN_REFUSED, remarks, with_status_quo
from sim import TimePlan, load_scenario, save_scenario
from sim.documents.declared import validate
from sim.errors import TableError
from sim.scenario import Scenario
from sim.terms import PARTNER_ACTIVITIES
from tests import ROOT

pytestmark = pytest.mark.generated

MADE_UP = ROOT / "scenarios" / "made_up_calendar.ics"
MADE_UP_RULES = ROOT / "scenarios" / "mappings" / "made_up_calendar.yaml"
checked = settings(
    derandomize="FRESH_SEEDS" not in os.environ,
    database=None,
    deadline=None,
    max_examples=int(os.environ.get("EXAMPLES", "150")),
)
ROUNDED = 0.01
"""Hours a week that rounding the shares of a split may cost."""
RULES: dict[str, Any] = {
    "time_zone": "Europe/Berlin",
    "me": ["Me@Firm.example"],
    "partners": [
        {"name": "Birch IT", "domains": ["birch.example"]},
        {"name": "Cedar Networks", "words": ["Cedar"]},
        {"name": "Ivy Consulting", "words": ["Ivy"]},
    ],
    "activities": [
        {"activity": "other", "words": ["internal"]},
        {"activity": "coach", "words": ["training"]},
        {"activity": "joint_plan", "words": ["plan"]},
        {"activity": "recruit", "words": ["contract talk"]},
        {"activity": "prospect", "words": ["cold calls"]},
        {"activity": "support", "with_partner": True, "words": ["problem"]},
        {"activity": "sell", "words": ["visit", "offer", "demo"], "with_partner": False},
    ],
}


def rules(**changes: Any) -> CalendarRules:
    return validate(CalendarRules, {**RULES, **changes}, "rules", TableError)


def event(subject: str, start: str, end: str, *more: str, uid: str = "") -> str:
    """An event; `start` and `end` begin with what stands after the name of the property."""
    uids = [f"UID:{uid}"] if uid else []
    return "\r\n".join(
        ["BEGIN:VEVENT", *uids, f"SUMMARY:{subject}", f"DTSTART{start}", f"DTEND{end}", *more, "END:VEVENT"]
    )


def berlin(text: str) -> str:
    return f";TZID=Europe/Berlin:{text}"


def calendar(*events: str, head: str = "") -> bytes:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *filter(None, [head]), *events, "END:VCALENDAR", ""]).encode()


def audited(
    data: bytes, first: str | None = None, last: str | None = None, name: str = "mine.ics", **changes: Any
) -> Audit:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        days = [None if day is None else datetime.date.fromisoformat(day) for day in (first, last)]
        return audit_calendar(path, rules(**changes), *days)


def hours(audit: Audit) -> dict[tuple[str, str], float]:
    return {(part.activity, part.partner): part.hours for part in audit.by_activity}


def left_out(audit: Audit) -> dict[str, tuple[int, float]]:
    return {left.why: (left.events, left.hours) for left in audit.left_out}


def missing_hours(audit: Audit) -> float:
    parts = (*audit.by_activity, *audit.unknown, *audit.left_out)
    return audit.read_hours - sum(part.hours for part in parts) - audit.shared_hours


BIRCH = "ATTENDEE;CN=Ben:mailto:Ben@sales.birch.example"
EVERY_CASE = calendar(
    # Five Mondays: one deleted, one moved to Tuesday and made two hours, one cancelled; two stay.
    event("Training", berlin("20260302T090000"), berlin("20260302T100000"), "RRULE:FREQ=WEEKLY;COUNT=5",
          "EXDATE;TZID=Europe/Berlin:20260309T090000", BIRCH, uid="weekly"),
    event("Training", berlin("20260317T140000"), berlin("20260317T160000"),
          "RECURRENCE-ID;TZID=Europe/Berlin:20260316T090000", BIRCH, uid="weekly"),
    event("Training", berlin("20260323T090000"), berlin("20260323T100000"), "STATUS:CANCELLED",
          "RECURRENCE-ID;TZID=Europe/Berlin:20260323T090000", BIRCH, uid="weekly"),
    # Nine o'clock in New York is 14:00 in Berlin, as America has summer time already; the visit beside it is at 14:00.
    event("Plan with Cedar", ";TZID=America/New_York:20260310T090000", ";TZID=America/New_York:20260310T100000"),
    event("Visit", berlin("20260310T140000"), berlin("20260310T150000")),
    # By its Windows name, by no name (then the manager's), and in UTC.
    event("Visit", ";TZID=W. Europe Standard Time:20260311T140000", ";TZID=W. Europe Standard Time:20260311T150000"),
    event("Visit", ":20260311T140000", ":20260311T150000"),
    event("Visit", ":20260311T130000Z", ":20260311T140000Z"),
    # The clock jumps from two to three in this night: five hours, not six.
    event("Cold calls to Tokyo", berlin("20260328T230000"), berlin("20260329T050000")),
    # Over the first midnight of the period, and over its last.
    event("Offer", berlin("20260301T220000"), berlin("20260302T013000")),
    event("Offer", berlin("20260405T233000"), berlin("20260406T030000")),
    # Two, then three at the same time.
    event("Demo", berlin("20260305T100000"), berlin("20260305T120000"), "STATUS:TENTATIVE"),
    event("Internal: forecast of Cedar", berlin("20260305T110000"), berlin("20260305T130000")),
    *(event(word, berlin("20260306T100000"), berlin("20260306T110000")) for word in ("Demo", "Offer", "Dentist")),
    event("Ivy\\, contract", berlin("20260312T100000"), berlin("20260312T110000"), "CATEGORIES:Red,Contract talk"),
    event("Problem", berlin("20260313T100000"), berlin("20260313T104500"), BIRCH).replace("DTEND", "X-END", 1)
    .replace("END:VEVENT", "DURATION:PT45M\r\nEND:VEVENT"),
    # Nobody knows with whom, and what for.
    event("Training", berlin("20260313T120000"), berlin("20260313T130000")),
    event("Visit", berlin("20260313T130000"), berlin("20260313T143000"), BIRCH),
    # What does not count.
    event("Holiday", ";VALUE=DATE:20260318", ";VALUE=DATE:20260320"),
    event("Round table", berlin("20260319T100000"), berlin("20260319T120000"),
          "ATTENDEE;PARTSTAT=DECLINED:mailto:me@firm.example"),
    event("Visit", berlin("20260319T130000"), berlin("20260319T143000"),
          "ATTENDEE;PARTSTAT=DECLINED:mailto:other@firm.example"),
    event("Visit", berlin("20260324T100000"), berlin("20260324T113000"), "TRANSP:TRANSPARENT"),
    event("Visit", berlin("20260324T130000"), berlin("20260324T133000"), "X-MICROSOFT-CDO-BUSYSTATUS:FREE"),
    event("Canceled: Visit", berlin("20260325T100000"), berlin("20260325T103000")),
    event("Visit", berlin("20260326T100000"), berlin("20260326T100000")),
    event("Trade fair", berlin("20260331T080000"), berlin("20260402T080000")),
    # What cannot be read.
    event("Visit", ":garbage", ":garbage"),
    event("Visit", berlin("20260401T100000"), berlin("20260401T090000")),
    event("Visit", berlin("20260401T100000"), berlin("20260401T110000"), "RRULE:FREQ=SOMETIMES"),
    event("Visit", berlin("20260401T100000"), berlin("20260401T110000"), "RRULE:FREQ=DAILY;BYHOUR=25"),
)  # fmt: skip


def test_every_case_worked_by_hand() -> None:
    audit = audited(EVERY_CASE, "2026-03-02", "2026-04-05")
    third = 1 / 3
    assert hours(audit) == pytest.approx(
        {
            ("coach", "Birch IT"): 1 + 2 + 1,
            ("joint_plan", "Cedar Networks"): 0.5,
            ("sell", ""): 0.5 + 1 + 1.5 + 0.5 + (1 + 0.5) + 2 * third + 1.5,
            ("prospect", ""): 5,
            ("other", ""): 0.5 + 1,
            ("recruit", "Ivy Consulting"): 1,
            ("support", "Birch IT"): 0.75,
        }
    )
    assert {(found.subject, found.why): (found.events, pytest.approx(found.hours)) for found in audit.unknown} == {
        ("Visit", "no rule, with Birch IT"): (1, 1.5),
        ("Training", "coaching, but with no known partner"): (1, 1),
        ("Dentist", "no rule"): (1, third),
    }
    assert left_out(audit) == {
        "all day": (1, 48),
        "declined": (1, 2),
        "free": (2, 2),
        "cancelled": (2, 1.5),
        "no duration": (1, 0),
        "over 16 hours": (1, 48),
        "cannot be read": (4, 0),
    }
    # One hour with another; three visits at once; one hour of two events; one hour of three.
    assert audit.shared_hours == pytest.approx(1 + 2 + 1 + 2)
    assert missing_hours(audit) == pytest.approx(0)
    assert audit.weeks == 5 and not audit.period.whole_export and audit.knows_me
    assert next(left for left in audit.left_out if left.why == "over 16 hours").days == (datetime.date(2026, 3, 31),)


def test_the_whole_export_is_from_its_first_appointment_to_its_last() -> None:
    old = event("Birthday", ";VALUE=DATE:19700103", ";VALUE=DATE:19700104", "RRULE:FREQ=YEARLY", uid="b")
    weekly = event("Visit", berlin("20250106T090000"), berlin("20250106T100000"), "RRULE:FREQ=WEEKLY", uid="w")
    ends = [event("Demo", berlin(f"{day}T120000"), berlin(f"{day}T130000")) for day in ("20260302", "20260329")]
    audit = audited(calendar(old, weekly, *ends))
    period = audit.period
    assert (str(period.first), str(period.last), period.whole_export) == ("2026-03-02", "2026-03-29", True)
    assert hours(audit) == {("sell", ""): 4 + 2}


@pytest.mark.parametrize(("zone", "shared"), [("America/New_York", 1), ("Europe/Berlin", 0), ("Nowhere/Land", 0)])
def test_times_without_a_zone_are_in_that_of_the_calendar_or_else_of_the_manager(zone: str, shared: float) -> None:
    both = [
        event("Visit", ":20260311T090000", ":20260311T100000"),
        event("Demo", ":20260311T130000Z", ":20260311T140000Z"),
    ]
    audit = audited(calendar(*both, head=f"X-WR-TIMEZONE:{zone}"), "2026-03-09", "2026-03-15")
    assert audit.shared_hours == pytest.approx(shared)  # nine in New York is 13:00 UTC


def test_an_empty_week_is_no_week_of_work() -> None:
    days = ("20260302", "20260318", "20260401")
    audit = audited(
        calendar(*(event("Visit", berlin(f"{day}T100000"), berlin(f"{day}T120000")) for day in days)),
        "2026-03-02",
        "2026-04-01",
    )
    # Of four weeks and three days the second and fourth are empty, and the last is three days long.
    assert audit.weeks == pytest.approx((7 + 7 + 3) / 7)
    assert audit.hours_per_week("sell") == pytest.approx(6 / (17 / 7))


def test_rules_are_whole_words_in_any_case_and_the_first_wins() -> None:
    first = [{"activity": "other", "words": ["sell"]}, {"activity": "sell", "domains": ["buyer.example"]}]
    day = (berlin("20260302T100000"), berlin("20260302T110000"))
    people = {"SELL-off": "a@b.example", "Resell": "a@b.example"}
    people |= {"Sellers": "it@buyer.example", "Sellers ": "it@notbuyer.example"}
    audit = audited(
        calendar(*(event(subject, *day, f"ATTENDEE:mailto:{who}") for subject, who in people.items())),
        "2026-03-02", "2026-03-08", activities=first, partners=[],
    )  # fmt: skip
    assert hours(audit) == pytest.approx({("other", ""): 1 / 4, ("sell", ""): 1 / 4})
    assert [(found.subject, found.why) for found in audit.unknown] == [("Resell", "no rule"), ("Sellers", "no rule")]


# ------------------------------------------------------------------------ whatever the calendar

MINUTES = st.integers(0, 7 * 24 * 60)
SPANS = st.lists(
    st.tuples(MINUTES, st.integers(0, 1500), st.sampled_from(["Visit", "Internal", "Dentist", "Canceled: Visit"])),
    min_size=1, max_size=12,
)  # fmt: skip


@checked
@given(SPANS)
def test_nothing_vanishes_and_no_minute_counts_twice(spans: list[tuple[int, int, str]]) -> None:
    monday = datetime.datetime(2026, 3, 2, tzinfo=datetime.UTC)
    spans = [*spans, (600, 30, "Visit")]
    events, busy = [], set[int]()
    for begins, length, word in spans:
        start, end = (monday + datetime.timedelta(minutes=m) for m in (begins, begins + length))
        events.append(event(word, f":{start:%Y%m%dT%H%M%SZ}", f":{end:%Y%m%dT%H%M%SZ}"))
        if length <= 960 and not word.startswith("Canceled"):
            busy |= {m for m in range(begins, begins + length) if m < 7 * 24 * 60}
    audit = audited(calendar(*events), "2026-03-02", "2026-03-08", time_zone="UTC")
    assert missing_hours(audit) == pytest.approx(0, abs=1e-6)
    counted = sum(part.hours for part in (*audit.by_activity, *audit.unknown))
    assert counted == pytest.approx(len(busy) / 60, abs=1e-6)


# ------------------------------------------------------------------------ CSV

OUTLOOK = (
    '"Subject","Start Date","Start Time","End Date","End Time","All day event","Required Attendees","Categories",'
    '"Show time as","Description"\r\n'
)
ROWS = (
    '"Training","3/2/2026","9:00:00 AM","3/2/2026","10:30:00 AM","False","Ben <b@birch.example>;X","","2","secret"\r\n'
    '"Offer","3/8/2026","11:30:00 PM","3/9/2026","1:00:00 AM","False","","","2","two\nlines"\r\n'
    '"Away","3/3/2026","12:00:00 AM","3/5/2026","12:00:00 AM","True","","","3",""\r\n'
    '"Visit","3/4/2026","9:00:00 AM","3/4/2026","10:00:00 AM","False","","","3",""\r\n'
    '"Talk","3/5/2026","9:00:00 AM","3/5/2026","10:00:00 AM","False","Ivy Smith","Red;Contract talk","2",""\r\n'
    '"Visit","3/5/2026","10:00:00 AM","3/5/2026","9:00:00 AM","False","","","2",""\r\n'
)


def test_outlook_writes_csv() -> None:
    audit = audited((OUTLOOK + ROWS).encode(), name="mine.csv", csv={"date_order": "MDY"})
    assert hours(audit) == pytest.approx(
        {("coach", "Birch IT"): 1.5, ("sell", ""): 1.5, ("recruit", "Ivy Consulting"): 1}
    )
    assert left_out(audit) == {"all day": (1, 48), "free": (1, 1), "cannot be read": (1, 0)}
    assert (str(audit.period.first), str(audit.period.last)) == ("2026-03-02", "2026-03-09")


def test_google_writes_csv() -> None:
    text = (
        "Subject;Start Date;Start Time;End Date;End Time;All Day Event\n"
        "Visit;02.03.2026;14:00;02.03.2026;15:15;False\nAway;03.03.2026;;;;True\n"
        "Demo;09.03.2026;8:00 am;;9:00 a.m.;False\n"
    )
    audit = audited(text.encode(), name="mine.csv", csv={"date_order": "DMY", "separator": ";"})
    assert hours(audit) == pytest.approx({("sell", ""): 2.25})
    assert left_out(audit) == {"all day": (1, 24)}


@pytest.mark.parametrize(
    ("text", "csv", "says"),
    [
        (
            OUTLOOK + ROWS,
            {},
            "row 2: Start Date '3/2/2026' can be read in several ways; set date_order to DMY, MDY or YMD",
        ),
        (OUTLOOK + ROWS.replace("3/2/", "3/20/"), {"date_order": "DMY"}, "is not in the order DMY; correct date_order"),
        (OUTLOOK + ROWS.replace("9:00:00 AM", "25:00"), {"date_order": "MDY"}, "Start Time is '25:00'; allowed: times"),
        (OUTLOOK + ROWS.replace("3/2/2026", "2/30/2026"), {"date_order": "MDY"}, "is a day that does not exist"),
        (OUTLOOK.replace("Subject", "Betreff"), {}, "no column 'Subject' in row 1"),
        (OUTLOOK, {}, "holds no event whose times can be read"),
        (OUTLOOK.replace(",", ";") + ROWS, {}, "set separator to ';'"),
    ],
)
def test_a_csv_that_has_to_be_asked_about(text: str, csv: dict[str, str], says: str) -> None:
    with pytest.raises(TableError) as caught:
        audited(text.encode(), name="mine.csv", csv=csv)
    assert says in str(caught.value) and "\n" not in str(caught.value)


# ------------------------------------------------------------------------ hostile files

LINES = """
BEGIN:VCALENDAR BEGIN:VEVENT BEGIN:VEVENT END:VEVENT END:VEVENT END:VCALENDAR BEGIN:VTIMEZONE TZID:Mine
END:VTIMEZONE BEGIN:STANDARD END:STANDARD TZOFFSETFROM:+0100 TZOFFSETTO:+9999 DTSTART:20260302T090000
DTSTART:20260302T090000Z DTSTART;VALUE=DATE:20260302 DTSTART;TZID=Mine:20260302T090000 DTSTART:00010101T000000
DTEND:20260302T100000 DTEND:20260302T100000Z DTEND:99991231T235959Z DURATION:PT1H DURATION:-P1D DURATION:P9999999D
UID:1 UID:1 RECURRENCE-ID:20260309T090000 RECURRENCE-ID;RANGE=THISANDFUTURE:20260309T090000Z EXDATE:20260302T090000
EXDATE;VALUE=DATE:20260302 RDATE:20260304T090000 RDATE;VALUE=PERIOD:20260304T090000Z/PT2H RDATE:x
RRULE:FREQ=WEEKLY RRULE:FREQ=DAILY;COUNT=9 RRULE:FREQ=DAILY;UNTIL=20260309 RRULE:FREQ=MONTHLY;BYDAY=9MO
RRULE:FREQ=WEEKLY;BYSETPOS=0 RRULE:INTERVAL=2 RRULE: RRULE:FREQ=YEARLY;BYDAY=,, SEQUENCE:x SEQUENCE:2
SUMMARY:Visit SUMMARY;LANGUAGE= CATEGORIES:, ATTENDEE:mailto: ATTENDEE;CN=:x@birch.example STATUS:CANCELLED
X-WR-TIMEZONE:UTC X-WR-TIMEZONE: : ;:
"""


def is_audit_or_sentence(data: bytes, name: str) -> None:
    try:
        audit = audited(data, "2026-03-02", "2026-04-05", name)
    except TableError as sentence:
        assert str(sentence) and "\n" not in str(sentence)
    else:
        assert missing_hours(audit) == pytest.approx(0, abs=1e-6)


@checked
@given(
    st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=200).map(lambda data: b"BEGIN:VCALENDAR\r\n" + data),
        st.binary(max_size=60).map(lambda data: gzip.compress(data)[:-4]),
        st.lists(st.sampled_from(LINES.split()), max_size=25).map(
            lambda lines: "\r\n".join(
                ["BEGIN:VCALENDAR", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR"]
            ).encode()
        ),
    ),
    st.sampled_from(["mine.ics", "mine.csv", "mine"]),
)
def test_any_bytes_are_an_audit_or_one_sentence(data: bytes, name: str) -> None:
    is_audit_or_sentence(data, name)


def repeating(rule: str) -> bytes:
    return calendar(event("Visit", berlin("20200302T090000"), berlin("20200302T100000"), f"RRULE:{rule}"))


ZONE_BOMB = "\r\n".join(
    ["BEGIN:VTIMEZONE", "TZID:Mine"]
    + [
        line
        for kind in ("STANDARD", "DAYLIGHT")
        for line in (f"BEGIN:{kind}", "DTSTART:16010101T000000", "RRULE:FREQ=SECONDLY", "TZOFFSETFROM:+0100",
                     "TZOFFSETTO:+0200", f"END:{kind}")
    ]
    + ["END:VTIMEZONE"]
)  # fmt: skip
IN_THAT_ZONE = event("Visit", ";TZID=Mine:20260302T090000", ";TZID=Mine:20260302T100000")
BOMBS = {
    "every second for 100 years": repeating("FREQ=SECONDLY;UNTIL=21200101T000000Z"),
    "every minute": repeating("FREQ=MINUTELY"),
    "for ever on one spot": repeating("FREQ=DAILY;INTERVAL=0"),
    "every second by another name": repeating(
        f"FREQ=DAILY;BYHOUR={','.join(map(str, range(24)))};BYMINUTE={','.join(map(str, range(60)))}"
    ),
    "a summer time that begins every second": calendar(IN_THAT_ZONE, head=ZONE_BOMB),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_at_once(name: str) -> None:
    began = time.monotonic()
    with pytest.raises(TableError, match=r"a rule repeats with FREQ=.*allowed: .*; delete that event"):
        audited(BOMBS[name], "2026-03-02", "2026-04-05")
    assert time.monotonic() - began < 2


def test_laying_out_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    daily = repeating("FREQ=DAILY")
    assert hours(audited(daily, "2026-03-02", "2026-04-05")) == {("sell", ""): 35}
    monkeypatch.setattr(ics_file, "MOST_EVENTS", 30)
    with pytest.raises(TableError, match=r"are over 30, or take over .* seconds to lay out; take a shorter period"):
        audited(daily, "2026-03-02", "2026-04-05")
    monkeypatch.undo()
    monkeypatch.setattr(ics_file, "LAYOUT_SECONDS", -1.0)
    with pytest.raises(TableError, match="seconds to lay out"):
        audited(daily, "2026-03-02", "2026-04-05")


ONE = event("Visit", berlin("20260302T100000"), berlin("20260302T110000"))


def test_a_rule_that_matches_no_day_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    def followed(*_: object) -> None:
        raise AssertionError("followed")

    never = "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=3"
    data = calendar(
        *(event("Visit", berlin("20260302T100000"), berlin("20260302T110000"), never) for _ in range(50)), ONE
    )
    monkeypatch.setattr("recurring_ical_events.of", followed)
    audit = audited(data, "2026-03-02", "2026-04-05")
    assert left_out(audit)["cannot be read"] == (50, 0)


def with_line(line: str) -> str:
    return event("Visit", berlin("20260302T100000"), berlin("20260302T110000"), line)


def test_dates_of_one_event_that_are_too_many_are_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    dates = with_line(f"RDATE{berlin('20260303T100000,20260304T100000')}")
    assert hours(audited(calendar(dates, ONE), "2026-03-02", "2026-04-05")) == {("sell", ""): 3}
    monkeypatch.setattr(ics_file, "MOST_DATES", 1)
    assert left_out(audited(calendar(dates, ONE), "2026-03-02", "2026-04-05"))["cannot be read"] == (1, 0)


@pytest.mark.parametrize(
    "line",
    ["CATEGORIES:" + "a," * 1_200, "CATEGORIES:" + "a" * 20_000, "\r\n".join(["ATTENDEE:mailto:a@b"] * 1_200), "long"],
)
def test_what_is_long_does_not_repeat(line: str) -> None:
    subject, more = ("Visit " + "a" * 20_000, []) if line == "long" else ("Visit", [line])
    for rule, left in ((None, (0, 0)), ("RRULE:FREQ=DAILY", (1, 0))):
        lines = [*more, rule] if rule else more
        text = event(subject, berlin("20260302T100000"), berlin("20260302T110000"), *lines)
        audit = audited(calendar(text, ONE), "2026-03-02", "2026-04-05")
        assert left_out(audit).get("cannot be read", (0, 0)) == left


def test_a_full_calendar_of_two_years_is_not_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    def reached(*_: object) -> None:
        raise ValueError("parsed")

    more = "CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=TRUE"
    people = [f'ATTENDEE;{more};CN="P, {n}"\r\n ;X-NUM-GUESTS=0:mailto:p{n}@x' for n in range(4)]
    moment = ":20260302T100000Z"
    meeting = event("Visit", moment, moment, *people, "SEQUENCE:0", "STATUS:CONFIRMED", "DESCRIPTION:x", uid="u")
    monkeypatch.setattr("icalendar.Calendar.from_ical", reached)
    with pytest.raises(TableError, match="is no calendar that can be read"):
        audited(calendar(*[meeting] * 7_000))


def test_of_people_only_name_and_answer_are_read() -> None:
    line = 'ATTENDEE;X="a;CN=b:c",d;CN="E, F:G;X=h";PARTSTAT=DECLINED;ROLE=X:mailto:me@firm.example;CN=z'
    data = calendar(with_line(line))
    (visit,) = ics_file.read_ics_calendar(data, "c.ics").events
    assert dict(visit["ATTENDEE"].params) == {"CN": "E, F:G;X=h", "PARTSTAT": "DECLINED"}
    assert visit["ATTENDEE"] == "mailto:me@firm.example;CN=z"
    audit = audited(calendar(with_line(line.removesuffix(";CN=z")), ONE), "2026-03-02", "2026-04-05")
    assert left_out(audit)["declined"] == (1, 1)


def test_a_large_file_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_reached(*_: object) -> None:
        raise AssertionError("parsed")

    monkeypatch.setattr("icalendar.Calendar.from_ical", not_reached)
    for data, says in (
        (b"BEGIN:VCALENDAR\n" + b" " * 20_000_000, "at most 20,000,000"),
        (b"BEGIN:VCALENDAR\n" + b"UID:B\n" * 120_001 + b"END:VCALENDAR\n", "over 120,000 lines"),
        (calendar(with_line("CATEGORIES:" + "a," * 1_000_000)), "'CATEGORIES' is followed by over 100,000 letters"),
        (calendar(with_line("RDATE:" + "20260302T100000," * 1_000_000)), "'RDATE' is followed by over 100,000"),
        (calendar(with_line("RDATE:" + "20260302T100000,\r\n " * 10_000)), "'RDATE' is followed by over 100,000"),
        (calendar(*[with_line("RDATE:" + "20260302T100000," * 1_000)] * 60), "over 120,000 lines or lists as long"),
        (calendar(*[with_line("CATEGORIES:" + "a," * 40_000)] * 12), "over 120,000 lines or lists as long"),
        (calendar(*[with_line("SUMMARY:" + "a" * 90_000)] * 120), "over 10,000,000 letters"),
        (calendar(with_line("RRULE:FREQ=WEEKLY" + ";COUNT=2" * 1_000_000)), "'RRULE' is followed by over 100,000"),
        (gzip.compress(b"BEGIN:VCALENDAR\n" + b" " * 20_000_000), "over 20,000,000 bytes"),
    ):
        with pytest.raises(TableError, match=says):
            audited(data)


@pytest.mark.parametrize(
    ("data", "days", "says"),
    [
        (b"", (None, None), "holds no BEGIN:VCALENDAR"),
        (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", (None, None), "holds no event whose times can be read"),
        (calendar(ONE).decode().encode("utf-16"), (None, None), "holds no BEGIN:VCALENDAR"),
        (calendar(ONE.replace("Visit", "Café")).decode().encode("latin-1"), (None, None), "not UTF-8 text (byte"),
        (calendar(ONE), (None, None), "from 2026-03-02 to 2026-03-02 is 1 day; allowed: 7 to 731"),
        (calendar(ONE), ("2026-03-02", "2026-02-01"), "allowed: 7 to 731; say from which day to which"),
        (calendar(ONE), ("0001-01-01", "0001-02-01"), "allowed: 7 to 731"),
        (calendar(ONE), ("2024-03-02", "2026-04-01"), "is 761 days; allowed: 7 to 731"),
        (calendar(ONE), ("2025-03-02", "2025-04-01"), "no event from 2025-03-02 to 2025-04-01"),
        (calendar(ONE.replace("Visit", "internal")), ("2026-03-02", "2026-03-08"), "none of its 1 events from"),
    ],
)
def test_a_calendar_that_says_nothing_is_one_sentence(data: bytes, days: tuple[str, str], says: str) -> None:
    with pytest.raises(TableError) as caught:
        audited(data, *days)
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_rules_that_say_nothing_are_one_sentence(tmp_path: Path) -> None:
    for changes, says in (
        ({"time_zone": "Berlin"}, "'Berlin' is no time zone; allowed: names such as Europe/Berlin"),
        ({"activities": []}, "activities has 0 items; allowed: a list of 1 to 500"),
        ({"activities": [{"activity": "coaching"}]}, "allowed: coach, joint_plan"),
        ({"partners": [{"name": "Birch IT"}]}, "'Birch IT' has neither words nor domains"),
        ({"activites": []}, "did you mean activities?"),
    ):
        with pytest.raises(TableError) as caught:
            rules(**changes)
        assert says in str(caught.value)
    (tmp_path / "empty.yaml").write_text("")
    for path in (tmp_path / "empty.yaml", tmp_path / "absent.yaml"):
        with pytest.raises(TableError):
            load_calendar_rules(path)


# ------------------------------------------------------------------------ the split


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario(ROOT / "scenarios" / "baseline.yaml")


@pytest.fixture(scope="module")
def made_up() -> Audit:
    return audit_calendar(MADE_UP, load_calendar_rules(MADE_UP_RULES))


def week(*events: tuple[str, float]) -> Audit:
    """One week with these events, by subject and hours, one after the other."""
    begins = datetime.datetime(2026, 3, 2, tzinfo=datetime.UTC)
    written = []
    for subject, length in events:
        ends = begins + datetime.timedelta(hours=length)
        written.append(event(subject, f":{begins:%Y%m%dT%H%M%SZ}", f":{ends:%Y%m%dT%H%M%SZ}"))
        begins = ends
    return audited(calendar(*written), "2026-03-02", "2026-03-08", time_zone="UTC")


def test_the_split_gives_the_audited_hours_back(scenario: Scenario, made_up: Audit, tmp_path: Path) -> None:
    save_scenario(with_status_quo(scenario, made_up), tmp_path / "today.yaml")
    made = load_scenario(tmp_path / "today.yaml")
    planned = TimePlan.status_quo(made).hours_by_activity(made)
    for activity in (*PARTNER_ACTIVITIES, "prospect"):
        assert made_up.hours_per_week(activity) > 0
        assert planned[activity][0] == pytest.approx(made_up.hours_per_week(activity), abs=ROUNDED)
    table = TimePlan.status_quo(made).table(made)
    each = dict(zip(made.partner_names, table.partner[0, :-1].sum(axis=0), strict=True))  # but recruiting
    audited_each = made_up.hours_by_partner(PARTNER_ACTIVITIES[:-1])
    for name in made.partner_names:
        assert each[name] == pytest.approx(audited_each.get(name, 0), abs=ROUNDED)
    assert made.status_quo.name == scenario.status_quo.name and made.plans == scenario.plans
    assert made.source.startswith("Status quo: hours of made_up_calendar.ics, 2026-01-05 to 2026-03-27")


def test_a_calendar_of_the_whole_week_comes_back_with_selling_and_support(scenario: Scenario) -> None:
    # All 32 hours, 5.3 of them support, as the scenario's partners are expected to take.
    audit = week(("Training Cedar", 4), ("Plan Cedar", 1), ("Cold calls", 2), ("Problem Cedar", 5.3), ("Visit", 12),
                 ("Visit", 7.7))  # fmt: skip
    made = with_status_quo(scenario, audit)
    planned = TimePlan.status_quo(made).hours_by_activity(made)
    for activity in ALLOCATABLE:
        assert planned[activity][0] == pytest.approx(audit.hours_per_week(activity), abs=ROUNDED)
    assert planned["idle"][0] == pytest.approx(0, abs=1e-9)
    assert made.status_quo.partner_share == pytest.approx(5 / (32 - 5.3), abs=1e-4)
    assert [said for said in remarks(scenario, audit) if "calendar" in said or "mix" in said] == []


@pytest.mark.parametrize(
    ("events", "says"),
    [
        ([("Training Cedar", 4), ("Dentist", 2)], "33% of the hours have no rule; allowed: at most 25%"),
        ([("Visit", 4)], "no hour of it is partner work; if that is so, set partner_share of status_quo to 0"),
        ([("Training Cedar", 10), ("Visit", 15), ("Offer", 9)], "34.0 h a week are allocatable work, more than the 32"),
        ([("Training Cedar", 15), ("Cold calls", 14)], "partner work and prospecting are more than the 26.7 that"),
        ([("Contract talk Cedar", 4)], "recruiting with Cedar Networks, which is no candidate of Baseline territory"),
        ([("Training Ivy", 4)], "partner work with Ivy Consulting, which is no partner of Baseline territory"),
    ],
)  # fmt: skip
def test_an_audit_that_is_no_split_is_one_sentence(
    scenario: Scenario, events: list[tuple[str, float]], says: str
) -> None:
    with pytest.raises(TableError) as caught:
        with_status_quo(scenario, week(*events))
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_remarks_say_what_the_calendar_cannot(scenario: Scenario) -> None:
    parked = scenario.variant(
        status_quo=scenario.status_quo.model_copy(update={"park": ("Cedar Networks", "Fir Solutions")})
    )
    audit = week(("Training Cedar", 4), ("Visit", 12), ("Problem Cedar", 1), ("Dentist", 3))
    assert audit.unknown_share == pytest.approx(3 / 20) and audit.unknown_share < UNKNOWN_REFUSED
    said = " ".join(remarks(parked, audit))
    assert "1.0 weeks are few" in said and "15% of the hours have no rule" in said
    # 32 h less 4.3 of support (Fir stays parked) less 16 recorded; 4 of 16 and 4 of 27.7 are partner work.
    assert "11.7 h a week are in no calendar" in said and "25% instead of 14%" in said
    assert "Support is 1.0 h a week in the calendar, and stays 4.3 h in the scenario" in said
    made = with_status_quo(parked, audit)
    assert made.status_quo.park == ("Fir Solutions",)
    assert made.status_quo.coverage_mode == scenario.status_quo.coverage_mode


def test_only_recruiting_is_a_split_too(scenario: Scenario) -> None:
    made = with_status_quo(scenario, week(("Contract talk Ivy", 3)))
    assert made.status_quo.mix == {"recruit": 1} and made.status_quo.focus == scenario.status_quo.focus
    assert TimePlan.status_quo(made).hours_by_activity(made)["recruit"][0] == pytest.approx(3, abs=ROUNDED)


# ------------------------------------------------------------------------ the command


def run(*words: object) -> Any:
    from nexthour.terminal import main

    return CliRunner().invoke(main.app, [str(word) for word in words], prog_name="nexthour", env={"COLUMNS": "80"})


def test_the_command_writes_what_the_library_says(scenario: Scenario, made_up: Audit, tmp_path: Path) -> None:
    out = tmp_path / "today.yaml"
    result = run(
        "hours", MADE_UP, "--rules", MADE_UP_RULES, "--scenario", ROOT / "scenarios/baseline.yaml", "--out", out
    )
    assert result.exit_code == 0, result.output
    assert load_scenario(out) == with_status_quo(scenario, made_up)
    for words in (
        f"{made_up.read_hours:,.1f} hours of {made_up.events} events",
        "the \nwhole export",
        "Project Bluebird",
    ):
        assert words in result.output
    again = run("hours", MADE_UP, "--rules", MADE_UP_RULES, "--from", "2026-02-02", "--to", "2026-03-01", "--json")
    assert again.exit_code == 0 and '"first": "2026-02-02"' in again.output and '"written": null' in again.output


def test_the_command_shows_the_unknown_before_it_refuses(tmp_path: Path) -> None:
    path, out = tmp_path / "mine.ics", tmp_path / "out.yaml"
    path.write_bytes(EVERY_CASE)
    few = tmp_path / "rules.yaml"
    few.write_text("time_zone: UTC\nactivities: [{activity: sell, words: [offer]}]\n")
    baseline = ROOT / "scenarios" / "baseline.yaml"
    period = ("--from", "2026-03-02", "--to", "2026-04-05")
    result = run("hours", path, "--rules", few, "--scenario", baseline, "--out", out, *period)
    assert result.exit_code == 1 and "Dentist" in result.output and not out.exists()
    assert "% of the hours have no rule; allowed: at most 25%" in " ".join(result.output.split())
    shown = run("hours", path, "--rules", few, *period)
    assert shown.exit_code == 0 and "The rules have no address under `me`" in " ".join(shown.output.split())
    for words in (("--scenario", baseline), ("--scenario", baseline, "--out", baseline), ("--out", few)):
        result = run("hours", path, "--rules", few, *words)
        assert result.exit_code == 1
        assert "add --out" in result.output or "choose another path" in result.output


def test_subjects_stay_private(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_socket(*_: object, **__: object) -> None:
        raise AssertionError("something wants to leave the machine")

    monkeypatch.setattr(socket, "socket", no_socket)
    monkeypatch.setattr(socket, "getaddrinfo", no_socket)
    secret = event("Visit Acme merger", berlin("20260302T100000"), berlin("20260302T110000"), "DESCRIPTION:hush", BIRCH)
    private = event("Internal: layoffs", berlin("20260303T100000"), berlin("20260303T110000"), "LOCATION:roof")
    unknown = event("Dentist", berlin("20260304T100000"), berlin("20260304T110000"), "DESCRIPTION:tooth")
    with tempfile.TemporaryDirectory() as folder:
        path, file = Path(folder) / "mine.ics", Path(folder) / "rules.yaml"
        path.write_bytes(calendar(secret, private, unknown))
        file.write_text(
            "time_zone: UTC\nactivities: [{activity: sell, words: [visit]}, {activity: other, words: [internal]}]"
        )
        for how in ((), ("--json",)):
            result = run("hours", path, "--rules", file, "--from", "2026-03-02", "--to", "2026-03-08", *how)
            assert result.exit_code == 0 and "Dentist" in result.output
            for word in ("Acme", "layoffs", "hush", "roof", "tooth", "Ben", "birch"):
                assert word not in result.output
