"""nexthour frontier: what this year's attainment costs in the run-rate with which the next one begins.

Left out: how the points are found (optimize/proof/frontier.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from nexthour.report import plan as report
from nexthour.report.text import CAVEAT, one_line
from nexthour.terminal.common import AsJson, EffortName, ScenarioFile, Seed, print_json, read_scenario, status_line
from nexthour.terminal.tables import effort_words, make_table, plain_console, print_again
from optimize.options import FRONTIER_POINTS, FRONTIER_THROUGH, OPTIONS
from sim.study.options import SEED

if TYPE_CHECKING:
    from optimize import Frontier


def command(
    scenario_file: ScenarioFile,
    points: Annotated[int, typer.Option(help=FRONTIER_POINTS.help)] = FRONTIER_POINTS.default,
    through: Annotated[int, typer.Option(help=FRONTIER_THROUGH.help)] = FRONTIER_THROUGH.default,
    no_recruiting: Annotated[bool, typer.Option("--no-recruiting", help=OPTIONS["recruit"].help)] = False,
    effort: EffortName = OPTIONS["effort"].default,
    seed: Seed = SEED.default,
    as_json: AsJson = False,
) -> None:
    """What this year's attainment costs in next year's run-rate.

    \b
    Examples:
      nexthour frontier baseline
      nexthour frontier baseline --points 4 --through 8
    """
    import optimize

    scenario = read_scenario(scenario_file)
    with status_line() as progress:
        found = optimize.frontier(
            scenario, points, seed, through=through, effort=effort, recruit=not no_recruiting, progress=progress
        )
    if as_json:
        print_json(found.as_dict())
        return
    print_frontier(found)
    flags = ["--no-recruiting"] if no_recruiting else []
    words = ["--points", points, "--through", through, *flags, *effort_words(effort)]
    print_again(scenario, ["frontier", scenario_file, *words, "--seed", seed])


def print_frontier(frontier: Frontier) -> None:
    """Print the points of a frontier that are proven, and the status quo."""
    out = plain_console()
    out.print(one_line(frontier.scenario.question or frontier.scenario.name), style="bold")
    out.print()
    out.print(report.frontier_question(frontier))
    table = make_table("", *report.FRONTIER_COLUMNS)
    for point in (*(point for point in frontier.points if point.proven), frontier.status_quo):
        table.add_row(*report.frontier_row(point))
    out.print(table)
    for line in report.frontier_notes(frontier):
        out.print(line)
    out.print()
    out.print(CAVEAT)
