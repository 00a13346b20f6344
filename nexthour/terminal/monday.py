"""nexthour monday: a quarter of a plan as blocks in a calendar, and what to stop and start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nexthour.packaged import scenario_path
from nexthour.report.numbers import hundredths
from nexthour.report.plan import change_lines, clock, from_week
from nexthour.report.text import one_line
from nexthour.terminal.common import AsJson, ScenarioFile, check_out, print_json, read_scenario
from nexthour.terminal.tables import make_table, plain_console, print_again, print_block, print_items

if TYPE_CHECKING:
    from optimize.monday.diary import Block
    from optimize.monday.sheet import MondaySheet
    from sim.plan import Who


def command(
    scenario_file: ScenarioFile,
    plan: Annotated[str, typer.Option(help="A plan file.", metavar="FILE")],
    quarter: Annotated[int, typer.Option(help="Which quarter, from 1.")] = 1,
    ics: Annotated[Path | None, typer.Option(help="Write the blocks to this calendar file.", metavar="FILE")] = None,
    account_manager: Annotated[
        bool, typer.Option("--account-manager", help="The calendar file is the channel account manager's.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put a quarter of a plan into the calendar, as blocks.

    Also says what to stop, start and keep against today's plan.

    \b
    Examples:
      nexthour plan baseline --out FILE
      nexthour monday baseline --plan FILE --quarter 1 --ics FILE
    """
    import sim
    from optimize.monday.ics import write_calendar
    from optimize.monday.sheet import monday_sheet

    if account_manager and ics is None:
        raise typer.BadParameter("--account-manager says whose calendar file is written; give --ics FILE too")
    scenario = read_scenario(scenario_file)
    sheet = monday_sheet(scenario, sim.TimePlan.load(plan), quarter)
    if ics is not None:
        check_out(ics, scenario_path(scenario_file), plan, option="--ics")
        write_calendar(sheet, ics, "channel_account_manager" if account_manager else "territory_manager")
    if as_json:
        print_json(sheet.as_dict())
        return
    print_sheet(sheet)
    if ics is not None:
        print(f"\nWrote {ics}.\nImport it into a calendar of its own: importing again then updates it.")
    print_again(scenario, ["monday", scenario_file, "--plan", plan, "--quarter", quarter])


def print_sheet(sheet: MondaySheet) -> None:
    """Print a Monday sheet: what to stop and start, the cadences, and the weeks at a glance."""
    out = plain_console()
    day = sheet.first_day
    out.print(f"{one_line(sheet.plan.name)}: quarter {sheet.quarter}, from {day.day} {day:%b} {day.year}", style="bold")
    out.print("\nAgainst the status quo, hours a week")
    print_items(out, change_lines(sheet.scenario, sheet.changes))
    for who in dict.fromkeys(line.who for line in sheet.lines):
        whose = "The account manager's hours a week" if who == "channel_account_manager" else "Hours a week"
        print_block(out, whose, _cadences(sheet, who))
        if blocks := [block for block in sheet.blocks if block.who == who]:
            weeks = max(block.every_weeks for block in blocks)
            which = "Every week" if weeks == 1 else f"Weeks 1 to {weeks}, then again"
            print_block(out, which, _weeks(sheet, blocks, weeks))
    if sheet.notes:
        print_block(out, *map(one_line, sheet.notes))


def _cadences(sheet: MondaySheet, who: Who) -> Any:
    """Cadences by partner and segment, with hours a week in the plan and in blocks."""
    from sim.plan import ACTIVITY_WORDS

    table = make_table("", "when", "plan", "blocks", right=False)
    for column in table.columns:
        column.vertical = "top"
    for column in table.columns[-2:]:
        column.justify, column.no_wrap = "right", True
    before = None
    order = [*sheet.scenario.partner_names, *sheet.scenario.segment_names, None]
    lines = (line for line in sheet.lines if line.who == who)
    for line in sorted(lines, key=lambda line: order.index(line.use[1])):
        activity, target = line.use
        if target is not None and target != before:
            table.add_row(one_line(target))
            before = target
        word = ACTIVITY_WORDS[activity]
        blocks = [f"{block.cadence}, {clock(block.start)}{from_week(block)}" for block in line.blocks]
        when = "the rest" if activity == "sell" else "\n".join(blocks) or "no block"
        table.add_row(f"  {word}" if target else word, when, hundredths(line.planned), hundredths(line.in_blocks))
    return table


def _weeks(sheet: MondaySheet, blocks: list[Block], weeks: int) -> Any:
    """A row for each day and a column for each week: when whom or what."""
    from optimize.monday.diary import WEEKDAYS

    begins = [sheet.week_begins(week) for week in range(1, weeks + 1)]
    heads = (f"week {week}, {day.day} {day:%b}" for week, day in enumerate(begins, start=1))
    days = sorted(WEEKDAYS, key=lambda weekday: sheet.day(weekday, 1))
    table = make_table("", *heads, right=False)
    for column in table.columns:
        column.vertical, column.overflow, column.no_wrap = "top", "ellipsis", True
    table.columns[0].min_width = 3
    for column in table.columns[1:]:
        column.ratio = 1
    table.expand = weeks > 1
    for day in days:
        of_day = [block for block in blocks if block.weekday == day]
        weekly = ([b for b in of_day if (week - b.first_week) % b.every_weeks == 0] for week in range(1, weeks + 1))
        table.add_row(day[:3], *("\n".join(_day(those)) for those in weekly))
        if day != days[-1]:
            table.add_row()
    return table


def _day(blocks: list[Block]) -> Iterator[str]:
    """A line for each thing that begins, and when the last one ends; what goes on with the same one is not said."""
    from sim.plan import ACTIVITY_WORDS

    before, over = "", None
    for block in sorted(blocks, key=lambda block: block.start):
        name = one_line(block.target or ACTIVITY_WORDS[block.activity])
        if name != before or block.start != over:
            yield f"{clock(block.start)} {name}"
        before, over = name, block.end
    if over is not None:
        yield f"{clock(over)} -"
