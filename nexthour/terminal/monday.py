"""The terminal's way to a Monday sheet: nexthour monday.

Left out: how blocks come about (optimize/monday/sheet.py), and what they look like (nexthour/terminal/show_monday.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nexthour.terminal.common import AsJson, ScenarioFile, check_out, print_json
from nexthour.terminal.show_monday import print_sheet
from nexthour.terminal.tables import print_again


def monday(
    scenario_file: ScenarioFile,
    plan: Annotated[str, typer.Option(help="A plan file.", metavar="FILE", show_default=False)],
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
      nexthour plan scenarios/baseline.yaml --out FILE
      nexthour monday scenarios/baseline.yaml --plan FILE --quarter 1 --ics FILE
    """
    import sim
    from optimize.monday.ics import write_calendar
    from optimize.monday.sheet import monday_sheet

    if account_manager and ics is None:
        raise typer.BadParameter("--account-manager says whose calendar file is written; give --ics FILE too")
    scenario = sim.load_scenario(scenario_file)
    sheet = monday_sheet(scenario, sim.TimePlan.load(plan), quarter)
    if ics is not None:
        check_out(ics, scenario_file, plan, option="--ics")
        write_calendar(sheet, ics, "channel_account_manager" if account_manager else "territory_manager")
    if as_json:
        print_json(sheet.as_dict())
        return
    print_sheet(sheet)
    if ics is not None:
        print(f"\nWrote {ics}.\nImport it into a calendar of its own: importing again then updates it.")
    print_again(scenario, ["monday", scenario_file, "--plan", plan, "--quarter", quarter])
