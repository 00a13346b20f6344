"""nexthour partners: what partners are like, from what is seen of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nexthour.packaged import file_path
from nexthour.report import calibration
from nexthour.report.text import one_line
from nexthour.terminal.common import AsJson, print_json
from nexthour.terminal.options import OR_NAME, DecimalMark, Encoding, Out, ScenarioToFit, template_path
from nexthour.terminal.tables import plain_console, print_block, print_items, print_next, table_of

if TYPE_CHECKING:
    from nexthour.calibrate.people.partner_intake import Intake
    from sim import Scenario


def command(
    table: Annotated[
        str,
        typer.Argument(
            metavar="TABLE", help=f"CSV or XLSX, a row a partner{OR_NAME}; start from scenarios/blank_partners.csv."
        ),
    ],
    out: Out,
    scenario_file: ScenarioToFit = None,
    weeks: Annotated[float, typer.Option(help="Length of the period that the table is about.")] = 52.0,
    decimal: DecimalMark = None,
    encoding: Encoding = None,
    as_json: AsJson = False,
) -> None:
    """Say what partners are like, from what you see of them.

    Write down what you know and leave blank what you do not: blank is not 0. Columns: see docs/calibration.md.

    \b
    Example:
      nexthour partners made_up_partners --out mine.yaml
    """
    from nexthour.calibrate.people.partner_intake import infer_partners, plans_to_mend, with_intake
    from nexthour.calibrate.people.partner_posterior import read_partners
    from sim import load_scenario, save_scenario

    table = file_path(table, "table")
    scenario_file = template_path(scenario_file, out, table)
    rows, before = read_partners(table, decimal, encoding), load_scenario(scenario_file)
    intake = infer_partners(rows, before, weeks, Path(table).name)
    made = with_intake(before, intake)
    save_scenario(made, out)
    mend = plans_to_mend(made)
    if as_json:
        print_json({"written": out, "scenario_digest": made.digest(), **intake.as_dict(), "plans_to_mend": mend})
        return
    print_intake(intake, before, made, out, mend)
    print_next("check" if mend else "compare", out)


def print_intake(intake: Intake, before: Scenario, made: Scenario, out: str, mend: Sequence[str]) -> None:
    """Print what each partner is like and how sure that is; `mend` says which plans no longer fit."""
    console = plain_console()
    console.print(f"Wrote {out}: {calibration.label_accuracy(intake)}.", style="bold")
    print_block(console, table_of(calibration.intake_table(intake, before)), calibration.intake_notes(intake))
    if asked := calibration.open_questions(intake):
        console.print("\nTo be surer, ask or watch:")
        print_items(console, asked)
    if gone := calibration.missing_partners(before, made):
        print_block(console, gone)
    for sentence in mend:
        console.print(f"\nTo be mended in {out}: {one_line(sentence)}.")
