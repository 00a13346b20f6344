"""nexthour judgement: what people expect of more help, as gains of a scenario."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nexthour.packaged import file_path
from nexthour.report import calibration
from nexthour.report.text import CAVEAT
from nexthour.terminal.common import AsJson, print_json
from nexthour.terminal.options import OR_NAME, DecimalMark, Encoding, Out, ScenarioToFit, template_path
from nexthour.terminal.tables import plain_console, print_block, print_next, table_of

if TYPE_CHECKING:
    from nexthour.calibrate.people.judgement import Judgement
    from sim import Scenario


def command(
    table: Annotated[
        str,
        typer.Argument(
            metavar="TABLE", help=f"CSV or XLSX, a row an answer{OR_NAME}; start from scenarios/blank_judgement.csv."
        ),
    ],
    out: Out,
    scenario_file: ScenarioToFit = None,
    decimal: DecimalMark = None,
    encoding: Encoding = None,
    as_json: AsJson = False,
) -> None:
    """Turn what people expect of more help into gains.

    Ask several: what would it sell in a year with none of your coaching, with today's, with double, with as much as it
    can use? Columns: see docs/calibration.md.

    \b
    Example:
      nexthour judgement made_up_judgement --out mine.yaml
    """
    from nexthour.calibrate.people.judgement import fit_judgement, read_judgement, with_judgement
    from sim import load_scenario, save_scenario

    table = file_path(table, "table")
    scenario_file = template_path(scenario_file, out, table)
    rows, before = read_judgement(table, decimal, encoding), load_scenario(scenario_file)
    found = fit_judgement(rows, before, Path(table).name)
    made = with_judgement(before, found)
    save_scenario(made, out)
    if as_json:
        print_json({"written": out, "scenario_digest": made.digest(), **found.as_dict()})
        return
    print_judgement(found, before, out)
    print_next("compare", out, "--worlds", "100")


def print_judgement(judgement: Judgement, before: Scenario, out: str) -> None:
    """Print what each person expects, what all of them say together, and what the model cannot say."""
    console = plain_console()
    console.print(f"Wrote {out}, with what {calibration.people_count(judgement)} said.", style="bold")
    for rows in calibration.opinion_tables(judgement, before):
        print_block(console, table_of(rows))
    console.print(calibration.ABOUT_PEOPLE)
    answers = table_of(calibration.answer_table(judgement))
    print_block(console, calibration.ABOUT_ANSWERS, answers, calibration.ABOUT_WHOM)
    for line in (*calibration.doubt_lines(judgement), CAVEAT):
        print_block(console, line)
