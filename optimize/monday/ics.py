"""The Monday sheet as a calendar file (ICS).

Times are floating, without a time zone: nine o'clock is nine o'clock wherever the manager is, in summer and winter.
An event has the same UID whenever it is made for the same scenario's name, quarter, person and use, so that importing
again updates; and nothing depends on the clock. Selling is marked as free: that is where customers' appointments go.
The names of the three partner segments are in no file, because calendars are forwarded.

Left out: reading calendars (nexthour/calibrate/calendar/ics_file.py).
"""

import datetime
import json
import re
import uuid
from pathlib import Path
from typing import Any

from optimize.monday.diary import Block
from optimize.monday.sheet import MondaySheet
from sim.documents.files import write_whole
from sim.documents.messages import without_links
from sim.errors import PlanError
from sim.plan import ACTIVITY_WORDS, Who
from sim.terms import PARTNER_SEGMENTS, WEEKS_PER_QUARTER

PURPOSE = {
    "sell": "Own deals, and the appointments that customers make.",
    "prospect": "Find opportunities of {target} that you would not see otherwise.",
    "coach": "So that {target} wins more of its own deals.",
    "joint_plan": "So that {target} brings more deals of its accounts.",
    "co_sell": "Work on open deals of {target} together; it learns by doing.",
    "sell_for": "Work on open deals of {target} in its place.",
    "socialise": "Stay in touch with {target}.",
    "recruit": "Win {target} as a partner.",
}


def calendar_text(sheet: MondaySheet, who: Who = "territory_manager") -> bytes:
    """The calendar of one person, UTF-8. Raises PlanError if nobody has that role."""
    import icalendar

    scenario = sheet.scenario
    if who == "channel_account_manager" and scenario.channel_account_manager is None:
        raise PlanError(f"scenario {scenario.name!r} has no channel account manager, so there is no calendar of one")
    provenance = scenario.provenance(0)
    calendar = icalendar.Calendar()
    for name, value in (
        ("PRODID", "-//Next Hour//Monday sheet//EN"),
        ("VERSION", "2.0"),
        ("CALSCALE", "GREGORIAN"),
        ("X-WR-CALNAME", f"{_forwardable(scenario.name)}, quarter {sheet.quarter}"),
        ("X-NEXTHOUR-VERSION", provenance["nexthour"]),
        ("X-NEXTHOUR-SCENARIO", _forwardable(scenario.name)),
        ("X-NEXTHOUR-SCENARIO-DIGEST", provenance["scenario_digest"]),
        # Not its name, which may say of a partner what it should not read.
        ("X-NEXTHOUR-PLAN-DIGEST", sheet.plan.digest()),
        ("X-NEXTHOUR-QUARTER", str(sheet.quarter)),
    ):
        calendar.add(name, value)
    for line in sheet.lines:
        # Not by day, so that a sitting that moves to another day keeps its number.
        blocks = sorted(line.blocks, key=lambda block: (block.every_weeks, -block.minutes)) if line.who == who else ()
        for number, block in enumerate(blocks):
            if days := sheet.days(block):
                calendar.add_component(_event(sheet, block, number, days))
    return bytes(calendar.to_ical())


def write_calendar(sheet: MondaySheet, path: Path | str, who: Who = "territory_manager") -> None:
    """Write the calendar of one person. Raises PlanError if nobody has that role, or the file cannot be written."""
    write_whole(path, calendar_text(sheet, who), PlanError)


def _event(sheet: MondaySheet, block: Block, number: int, days: tuple[datetime.date, ...]) -> Any:
    import icalendar

    first = datetime.datetime.combine(days[0], block.start)
    event = icalendar.Event()
    event.add("UID", _uid(sheet, block, number))
    event.add("DTSTAMP", datetime.datetime.combine(sheet.scenario.calendar.first_day, datetime.time(), datetime.UTC))
    event.add("SUMMARY", without_links(block.what))
    purpose = without_links(PURPOSE[block.activity].format(target=block.target))
    event.add("DESCRIPTION", f"{purpose}\n{block.cadence}.")
    event.add("CATEGORIES", [ACTIVITY_WORDS[block.activity]])
    event.add("DTSTART", first)
    event.add("DTEND", first + datetime.timedelta(minutes=block.minutes))
    until = datetime.datetime.combine(days[-1], block.start)
    event.add("RRULE", {"FREQ": "WEEKLY", "INTERVAL": block.every_weeks, "UNTIL": until})
    weeks = range(block.first_week, WEEKS_PER_QUARTER + 1, block.every_weeks)
    for day in (sheet.day(block.weekday, week) for week in weeks):
        if days[0] < day < days[-1] and day not in days:
            event.add("EXDATE", datetime.datetime.combine(day, block.start))
    event.add("TRANSP", "TRANSPARENT" if block.activity == "sell" else "OPAQUE")
    return event


def _uid(sheet: MondaySheet, block: Block, number: int) -> str:
    """An id from what the block is for and its number among such, not from when it is: a block that moves keeps it."""
    key = json.dumps([sheet.scenario.name, sheet.quarter, block.who, block.activity, block.target, number])
    return f"{uuid.uuid5(uuid.NAMESPACE_URL, f'nexthour:{key}')}@nexthour"


def _forwardable(text: str) -> str:
    return without_links(re.sub("|".join(PARTNER_SEGMENTS), "partner", text, flags=re.IGNORECASE))
