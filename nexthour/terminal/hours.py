"""nexthour hours: where the hours of a calendar went, and the status quo that they make."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nexthour.packaged import file_path
from nexthour.report.numbers import count_of, hours_in_all, tenths, whole, whole_percent
from nexthour.report.text import one_line
from nexthour.terminal.common import AsJson, print_json
from nexthour.terminal.options import OR_NAME, MaybeOut, ScenarioToFit, print_written, scenario_to_write
from nexthour.terminal.tables import make_table, plain_console, print_block

if TYPE_CHECKING:
    from nexthour.calibrate.calendar.audit import Audit

UNKNOWN_SHOWN = 15
DAYS_SHOWN = 5


def command(
    calendar: Annotated[str, typer.Argument(metavar="CALENDAR", help=f"A calendar, as ICS or CSV{OR_NAME}.")],
    rules: Annotated[str, typer.Option(help=f"A file that says what events were for{OR_NAME}.", metavar="FILE")],
    scenario_file: ScenarioToFit = None,
    out: MaybeOut = None,
    first: Annotated[
        datetime.datetime | None,
        typer.Option("--from", help="First day. Default: of the export.", formats=["%Y-%m-%d"], metavar="DATE"),
    ] = None,
    last: Annotated[
        datetime.datetime | None,
        typer.Option("--to", help="Last day. Default: of the export.", formats=["%Y-%m-%d"], metavar="DATE"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Where did the hours go? A calendar to the status quo.

    Only subject, categories, times, status and people of an event are looked at, and nothing leaves this machine. A
    subject is shown only where no rule says what the event was for.

    \b
    Examples:
      nexthour hours made_up_calendar --rules made_up_calendar
      nexthour hours calendar.ics --rules rules.yaml --scenario mine.yaml --out mine-today.yaml
    """
    from pydantic_core import to_jsonable_python

    from nexthour.calibrate.calendar.audit import audit_calendar, load_calendar_rules
    from nexthour.calibrate.calendar.status_quo import remarks, remarks_on_calendar, with_status_quo
    from sim import load_scenario, save_scenario

    calendar, rules = file_path(calendar, "calendar"), file_path(rules, "file of rules")
    template = scenario_to_write(scenario_file, out, calendar, rules)
    audit = audit_calendar(calendar, load_calendar_rules(rules), first and first.date(), last and last.date())
    sentences, digest = list(remarks_on_calendar(audit)), None
    if not as_json:
        print_audit(audit)
    if template is not None and out is not None:
        before = load_scenario(template)
        made = with_status_quo(before, audit)
        sentences, digest = remarks(before, audit), made.digest()
        save_scenario(made, out)
    if as_json:
        found = {
            **to_jsonable_python(asdict(audit)),
            "hours_per_week": {row.activity: audit.hours_per_week(row.activity) for row in audit.by_activity},
            "unknown_share": audit.unknown_share,
        }
        print_json({**found, "remarks": sentences, "written": out, "scenario_digest": digest})
        return
    if sentences:
        print_block(plain_console(), *sentences)
    print_written(out)


def print_audit(audit: Audit) -> None:
    """Print a time audit: hours by activity, what was read and left out, and events without a rule."""
    console, period = plain_console(), audit.period
    length = ", the whole export" if period.whole_export else ""
    console.print(
        f"{tenths(audit.weeks)} weeks with work in {one_line(audit.name)}, {period.first} to {period.last}{length}.",
        style="bold",
    )
    print_block(console, _activity_table(audit))
    by_kind = (audit.by_activity, audit.unknown, audit.left_out)
    explained, unknown, left_out = (hours_in_all(sum(row.hours for row in rows)) for rows in by_kind)
    print_block(
        console,
        f"{hours_in_all(audit.read_hours)} hours of {count_of(audit.events, 'event')} read = {explained} with a rule + "
        f"{unknown} without + {left_out} left out + {hours_in_all(audit.shared_hours)} at the same time as others "
        "(events at the same time share it).",
    )
    for row in audit.left_out:
        console.print(
            f"  left out, {row.why}: {count_of(row.events, 'event')}, {hours_in_all(row.hours)} hours{_days(row.days)}"
        )
    if audit.unknown:
        console.print("\nNo rule says what these were for; give the largest a rule:")
        console.print(_unknown_table(audit))
        if len(audit.unknown) > UNKNOWN_SHOWN:
            console.print(f"and {whole(len(audit.unknown) - UNKNOWN_SHOWN)} more (all with --json)")


def _activity_table(audit: Audit) -> Any:
    from nexthour.calibrate.calendar.audit import ALLOCATABLE, AUDITED_WORDS

    total = audit.hours_per_week()
    table = make_table("hours a week", "hours", "share")
    table.add_column("with", overflow="fold", vertical="bottom")
    for activity in (*ALLOCATABLE, "other"):
        hours = audit.hours_per_week(activity)
        if hours:
            each = sorted(audit.hours_by_partner((activity,)).items(), key=lambda item: -item[1])
            share = "" if activity == "other" else whole_percent(hours / total)
            named = ", ".join(f"{one_line(name)} {tenths(hours_each)}" for name, hours_each in each)
            table.add_row(AUDITED_WORDS[activity], tenths(hours), share, named)
    table.add_row("no rule", tenths(audit.unknown_per_week), "", "")
    return table


def _unknown_table(audit: Audit) -> Any:
    table = make_table("subject", "events", "hours")
    table.add_column("why", overflow="fold", vertical="bottom")
    for row in audit.unknown[:UNKNOWN_SHOWN]:
        table.add_row(one_line(row.subject) or "(none)", whole(row.events), hours_in_all(row.hours), one_line(row.why))
    return table


def _days(days: Sequence[object]) -> str:
    if not days:
        return ""
    more = f" and {whole(len(days) - DAYS_SHOWN)} more" if len(days) > DAYS_SHOWN else ""
    return f" ({', '.join(map(str, days[:DAYS_SHOWN]))}{more})"
