"""nexthour recruiting: how likely a contact signs and when, from a funnel of first contacts."""

from __future__ import annotations

import datetime
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from nexthour.packaged import file_path
from nexthour.report.numbers import count_of, interval, plain_whole, tenths, tenths_percent, whole, whole_percent
from nexthour.report.text import one_line
from nexthour.terminal.common import AsJson, print_json
from nexthour.terminal.options import OR_NAME, Encoding, MaybeOut, ScenarioToFit, print_written, scenario_to_write
from nexthour.terminal.tables import make_table, plain_console, print_block

if TYPE_CHECKING:
    from nexthour.calibrate.people.recruiting import HoldOut, Recruiting
    from nexthour.calibrate.people.recruiting_contacts import Contacts


def command(
    funnel: Annotated[str, typer.Argument(metavar="FUNNEL", help=f"A table of first contacts, CSV or XLSX{OR_NAME}.")],
    contacted: Annotated[str, typer.Option(help="Column of the date of first contact.", metavar="COLUMN")],
    signed: Annotated[str, typer.Option(help="Column of the date of signing, empty if not.", metavar="COLUMN")],
    as_of: Annotated[
        datetime.datetime,
        typer.Option(help="The day on which the table was exported.", formats=["%Y-%m-%d"], metavar="DATE"),
    ],
    kind: Annotated[str | None, typer.Option(help="Column of the kind of contact.", metavar="COLUMN")] = None,
    date_order: Annotated[
        Literal["YMD", "DMY", "MDY"] | None,
        typer.Option(help="Order of day, month and year, unless dates are 2026-01-31."),
    ] = None,
    separator: Annotated[
        Literal[",", ";", "\t", "|"],
        typer.Option(help="Between the columns of a CSV file: , ; | or a tab.", metavar="MARK"),
    ] = ",",
    encoding: Encoding = None,
    scenario_file: ScenarioToFit = None,
    out: MaybeOut = None,
    about: Annotated[str, typer.Option(help="Who was contacted, for the scenario's source.", metavar="TEXT")] = "",
    as_json: AsJson = False,
) -> None:
    """How likely does a contact sign, and when?

    From a recruiting funnel to the candidates of a scenario.

    \b
    Example:
      nexthour recruiting funnel.csv --contacted "First contact" --signed Signed --as-of 2026-06-30
    """
    from pydantic_core import to_jsonable_python

    from nexthour.calibrate.files.table_file import Layout
    from nexthour.calibrate.people.recruiting import fit_recruiting, hold_out, with_recruiting
    from nexthour.calibrate.people.recruiting_contacts import read_contacts
    from sim import TableError, load_scenario, save_scenario
    from sim.documents.declared import validate

    funnel = file_path(funnel, "table")
    template = scenario_to_write(scenario_file, out, funnel)
    layout = validate(Layout, {"separator": separator, "encoding": encoding}, "the options", TableError)
    contacts = read_contacts(funnel, contacted, signed, as_of.date(), kind, date_order, layout)
    fitted = fit_recruiting(contacts)
    try:
        checked = hold_out(contacts)
    except TableError:
        checked = None  # too few of them for two parts
    if template is not None and out is not None:
        save_scenario(with_recruiting(load_scenario(template), fitted, about), out)
    if as_json:
        counts = {"rows_read": contacts.rows_read, "rejected": contacts.rejected_by_reason(), "written": out}
        print_json(to_jsonable_python({**asdict(fitted), "hold_out": checked and asdict(checked), **counts}))
        return
    print_recruiting(fitted, contacts, checked)
    print_written(out)


def print_recruiting(fitted: Recruiting, contacts: Contacts, checked: HoldOut | None) -> None:
    """Print how likely and how soon contacts sign, by kind, and how well the early ones predict the later."""
    console, chance, horizon = plain_console(), fitted.sign_probability, plain_whole(fitted.horizon_weeks)
    console.print(
        f"{tenths_percent(chance.value)} of first contacts sign within {horizon} weeks "
        f"({interval(chance, tenths_percent)}).",
        style="bold",
    )
    console.print(
        f"{whole(fitted.signed)} of {whole(fitted.contacts)} contacts of {fitted.first} to {fitted.last} in "
        f"{one_line(fitted.name)} had signed on {fitted.as_of}. Intervals are 90%"
        + (", and respect weeks." if fitted.by_week else "; weeks are too few to be respected.")
    )
    times = fitted.weeks_to_sign
    console.print(
        f"Half of those who sign do so in {tenths(times[0.5].value)} weeks ({interval(times[0.5], tenths)}), "
        f"one in ten in {tenths(times[0.1].value)}, nine in ten in {tenths(times[0.9].value)}."
    )
    late = f"{whole_percent(fitted.late_share)} of them sign in the last quarter of {horizon} weeks"
    console.print(
        f"{late}: who has not signed by then counts as never signing."
        if fitted.is_flat
        else f"{late}: they have not been followed long enough, and {tenths_percent(chance.value)} is a lower bound."
    )
    if fitted.kinds:
        about = "Kinds borrow from each other. A kind written down after the outcome is known says little."
        print_block(console, _kind_table(fitted), about)
    for reason, rows in contacts.rejected_by_reason().items():
        console.print(f"Not used, {one_line(reason)}: {count_of(rows, 'row')}.")
    if checked is None:
        print_block(console, "Too few weeks or contacts to predict the later ones from the earlier.")
        return
    print_block(
        console,
        f"Check: the contacts before {checked.from_date} predict that {interval(checked.predicted, tenths_percent)} "
        f"of the {whole(checked.contacts)} after sign within {plain_whole(checked.within_weeks)} weeks; "
        f"{tenths_percent(checked.observed)} did" + ("." if checked.holds else ", which is outside."),
    )


def _kind_table(fitted: Recruiting) -> Any:
    table = make_table("kind", "contacts", "signed", "alone", "with the\nothers", "90% interval")
    for kind in fitted.kinds:
        chance = kind.sign_probability
        table.add_row(
            one_line(kind.name),
            whole(kind.contacts),
            whole(kind.signed),
            tenths_percent(kind.alone),
            tenths_percent(chance.value),
            f"{tenths_percent(chance.low)}-{tenths_percent(chance.high)}",
        )
    return table
