"""nexthour mapping: propose which column of an export means what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from nexthour.packaged import file_path
from nexthour.report.text import one_line
from nexthour.terminal.common import AsJson, check_out, print_json
from nexthour.terminal.options import Encoding, Export
from nexthour.terminal.tables import plain_console, print_block, print_items, print_next

if TYPE_CHECKING:
    from nexthour.calibrate.deals.mapping_proposal import Proposal


def command(
    export: Export,
    out: Annotated[str, typer.Option(help="The mapping file to write.", metavar="FILE")],
    encoding: Encoding = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of a workbook. Default: the first.", metavar="NAME")] = None,
    as_json: AsJson = False,
) -> None:
    """Propose which column of an export means what.

    What cannot be known is asked.

    Salesforce, HubSpot and Dynamics are recognised by their headers. Answer the questions in the file that is written,
    then give it to nexthour calibrate.

    \b
    Example:
      nexthour mapping made_up_salesforce --out mapping.yaml
    """
    from nexthour.calibrate.deals.mapping_proposal import propose_mapping, save_proposal
    from nexthour.calibrate.files.table_file import Layout
    from sim import TableError
    from sim.documents.declared import validate

    table = file_path(export, "table")
    check_out(out, table)
    layout = validate(Layout, {"encoding": encoding, "sheet": sheet}, "the options", TableError)
    proposal = propose_mapping(table, layout)
    save_proposal(proposal, out)
    if as_json:
        print_json({"written": out, **proposal.as_dict()})
        return
    print_proposal(proposal, out)
    print_next("calibrate", export, "--mapping", out, "--out", "mine.yaml")


def print_proposal(proposal: Proposal, out: str) -> None:
    """Print the columns that a mapping names, and the questions that it leaves open."""
    console, questions = plain_console(), proposal.questions
    crm = f"an export of {proposal.crm}" if proposal.crm else "an export of no CRM that is known"
    console.print(f"Wrote {out} for {one_line(proposal.file)}, {crm}.", style="bold")
    print_block(console, *(f"  {name:<16} {one_line(column)}" for name, column in proposal.columns().items()))
    if questions:
        which = "this question stands" if len(questions) == 1 else f"these {len(questions)} questions stand"
        print_block(console, f'What no program can know: {which} in {out} as "?", beside what the file says.')
        print_items(console, map(one_line, questions))
    else:
        print_block(console, "Nothing is open; read it through before you use it.")
