"""The commands that make a scenario fit a company: from its exports, its calendar and its judgement.

Each reads files, calls calibrate, writes a scenario and prints what was found. Left out: any computing.
"""

from __future__ import annotations

import datetime
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from nexthour.packaged import packaged
from nexthour.terminal.common import AsJson, check_out, print_json, progress
from nexthour.terminal.show_calibrate import (
    print_audit,
    print_backtest,
    print_fit,
    print_intake,
    print_judgement,
    print_proposal,
    print_recruiting,
    print_remarks,
)

CHECK_REPLICATIONS = 100
"""Markets in which a fitted scenario is simulated again."""
DEFAULT_TEMPLATE = packaged("scenarios/baseline.yaml")

Export = Annotated[
    str, typer.Argument(metavar="EXPORT", help="Deals exported from a CRM, CSV or XLSX.", show_default=False)
]
MappingFile = Annotated[
    str, typer.Option(help="A file that says which column means what.", metavar="FILE", show_default=False)
]
Out = Annotated[str, typer.Option(help="The scenario file to write.", metavar="FILE", show_default=False)]
ScenarioToFit = Annotated[
    str | None,
    typer.Option(
        "--scenario",
        help="The scenario that the table is about. Default: scenarios/baseline.yaml of Next Hour.",
        metavar="FILE",
    ),
]
MaybeOut = Annotated[
    str | None,
    typer.Option("--out", help="The scenario file to write. Without it, nothing is written.", metavar="FILE"),
]
DecimalMark = Annotated[
    Literal[".", ","] | None, typer.Option(help="Decimal mark of the table, if its numbers are not plain as in 1234.5.")
]
Encoding = Annotated[
    str | None, typer.Option(help="Encoding of a text file that is not UTF-8, such as cp1252.", metavar="NAME")
]


def mapping(
    export: Export,
    out: Annotated[str, typer.Option(help="The mapping file to write.", metavar="FILE", show_default=False)],
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
      nexthour mapping scenarios/made_up_salesforce.csv --out mapping.yaml
    """
    from nexthour.calibrate.deals.mapping_proposal import propose_mapping, save_proposal
    from nexthour.calibrate.files.table_file import Layout
    from sim import TableError
    from sim.documents.yaml_file import validate

    check_out(out, export)
    said = {"encoding": encoding, "sheet": sheet}
    given = {name: word for name, word in said.items() if word is not None}
    proposal = propose_mapping(export, validate(Layout, given, "the options", TableError))
    save_proposal(proposal, out)
    if as_json:
        print_json({"written": out, **proposal.as_dict()})
        return
    print_proposal(proposal, out)
    print("\nNext:\n  " + shlex.join(["nexthour", "calibrate", export, "--mapping", out, "--out", "mine.yaml"]))


def calibrate(
    csv_file: Export,
    mapping: MappingFile,
    out: Out,
    template: Annotated[
        str | None,
        typer.Option(
            help="The scenario that gives what no table of deals can. Default: scenarios/baseline.yaml of Next Hour.",
            metavar="FILE",
        ),
    ] = None,
    fraction: Annotated[float, typer.Option(help="The share of the table that is this one territory.")] = 1.0,
    rejects: Annotated[
        str | None, typer.Option(help="A CSV file to write: each row that is not used, and why.", metavar="FILE")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fit a scenario to the deals of an export.

    Segments are fitted to the closed deals; the open ones become the open pipeline.

    \b
    Example:
      nexthour calibrate deals.csv --mapping mapping.yaml --out mine.yaml --fraction 0.01
    """
    from nexthour.calibrate import calibrate as fit_table
    from nexthour.calibrate import check_fit, load_mapping
    from nexthour.calibrate.deals.deal_table import save_rejected
    from sim import load_scenario, save_scenario

    template = template or _default_template()
    check_out(out, csv_file, mapping, template)
    if rejects is not None:
        check_out(rejects, csv_file, mapping, template, out, option="--rejects")
    columns, judgement = load_mapping(mapping), load_scenario(template)
    with progress("fitting") as bar:
        fit = fit_table(csv_file, columns, judgement, fraction, progress=bar)
    save_scenario(fit.scenario, out)
    if rejects is not None:
        save_rejected(fit.rejected, rejects)
    with progress("simulating again") as bar:
        checks = check_fit(fit.scenario, fit, CHECK_REPLICATIONS, progress=bar)
    reasons = fit.rejected_by_reason()
    if as_json:
        done = {"written": out, "scenario_digest": fit.scenario.digest(), "rows_read": fit.rows_read}
        print_json(
            {
                **done,
                "rows_used": fit.rows_used,
                "rejected": reasons,
                "open_deals": fit.open_used,
                "open_usd": fit.open_usd,
                "hours_scale": fit.hours_scale,
                "fit": fit.report_rows(),
                "simulated_again": [{**asdict(check), "agrees": check.agrees} for check in checks],
                "silent": list(fit.silent),
            }
        )
        return
    print_fit(fit, out, checks)
    print("\nNext:\n  " + shlex.join(["nexthour", "compare", out]))


def backtest(
    export: Export,
    mapping: MappingFile,
    fit_on: Annotated[
        list[str] | None,
        typer.Option(help="A territory to fit on; may be repeated. Default: all.", metavar="TERRITORY"),
    ] = None,
    share: Annotated[float, typer.Option(help="Share of the closings, the earliest, to fit on.")] = 0.65,
    as_json: AsJson = False,
) -> None:
    """Predict deals that the fit has not seen.

    Fit on some territories and the early weeks, predict the rest, and say how often the real number was inside.

    \b
    Example:
      nexthour backtest deals.csv --mapping mapping.yaml --fit-on North --fit-on East
    """
    from nexthour.calibrate import load_mapping, read_deals
    from nexthour.calibrate.fit.backtest import backtest as hold_out

    result = hold_out(read_deals(export, load_mapping(mapping)), fit_on, share)
    if as_json:
        cells = [{**asdict(prediction), "inside": prediction.inside} for prediction in result.predictions]
        print_json(
            {
                "deals_seen": result.deals_seen,
                "deals_held_out": result.deals_held_out,
                "covered": result.covered,
                "summary": result.summary(),
                "cells": cells,
            }
        )
        return
    print_backtest(result)


def partners(
    table: Annotated[
        str,
        typer.Argument(
            metavar="TABLE",
            help="CSV or XLSX, a row a partner; start from scenarios/blank_partners.csv.",
            show_default=False,
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
      nexthour partners scenarios/made_up_partners.csv --out mine.yaml
    """
    from nexthour.calibrate.people.partner_intake import infer_partners, plans_to_mend, read_partners, with_intake
    from sim import load_scenario, save_scenario

    scenario_file = scenario_file or _default_template()
    check_out(out, table, scenario_file)
    rows, before = read_partners(table, decimal, encoding), load_scenario(scenario_file)
    intake = infer_partners(rows, before, weeks, Path(table).name)
    made = with_intake(before, intake)
    save_scenario(made, out)
    mend = plans_to_mend(made)
    if as_json:
        print_json({"written": out, "scenario_digest": made.digest(), **intake.as_dict(), "plans_to_mend": mend})
        return
    print_intake(intake, before, made, out, mend)
    print("\nNext:\n  " + shlex.join(["nexthour", "check" if mend else "compare", out]))


def judgement(
    table: Annotated[
        str,
        typer.Argument(
            metavar="TABLE",
            help="CSV or XLSX, a row an answer; start from scenarios/blank_judgement.csv.",
            show_default=False,
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
      nexthour judgement scenarios/made_up_judgement.csv --out mine.yaml
    """
    from nexthour.calibrate.people.judgement import fit_judgement, read_judgement, with_judgement
    from sim import load_scenario, save_scenario

    scenario_file = scenario_file or _default_template()
    check_out(out, table, scenario_file)
    rows, before = read_judgement(table, decimal, encoding), load_scenario(scenario_file)
    found = fit_judgement(rows, before, Path(table).name)
    made = with_judgement(before, found)
    save_scenario(made, out)
    if as_json:
        print_json({"written": out, "scenario_digest": made.digest(), **found.as_dict()})
        return
    print_judgement(found, before, out)
    print("\nNext:\n  " + shlex.join(["nexthour", "compare", out, "--worlds", "100"]))


def hours(
    calendar: Annotated[str, typer.Argument(metavar="CALENDAR", help="A calendar, as ICS or CSV.", show_default=False)],
    rules: Annotated[
        str, typer.Option(help="A file that says what events were for.", metavar="FILE", show_default=False)
    ],
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
      nexthour hours calendar.ics --rules rules.yaml
      nexthour hours calendar.ics --rules rules.yaml --scenario mine.yaml --out mine-today.yaml
    """
    from pydantic_core import to_jsonable_python

    from nexthour.calibrate.calendar.audit import audit_calendar, load_calendar_rules
    from nexthour.calibrate.calendar.status_quo import remarks, remarks_on_calendar, with_status_quo
    from sim import load_scenario, save_scenario

    template = _scenario_to_write(scenario_file, out, calendar, rules)
    audit = audit_calendar(calendar, load_calendar_rules(rules), first and first.date(), last and last.date())
    said, digest = list(remarks_on_calendar(audit)), None
    if as_json:
        found: dict[str, Any] = {
            **to_jsonable_python(asdict(audit)),
            "hours_per_week": {its.activity: audit.hours_per_week(its.activity) for its in audit.by_activity},
            "unknown_share": audit.unknown_share,
        }
    else:
        print_audit(audit)
    if template is not None and out is not None:
        before = load_scenario(template)
        made = with_status_quo(before, audit)
        said, digest = remarks(before, audit), made.digest()
        save_scenario(made, out)
    if as_json:
        print_json({**found, "remarks": said, "written": out, "scenario_digest": digest})
        return
    print_remarks(said)
    _print_written(out)


def recruiting(
    funnel: Annotated[
        str, typer.Argument(metavar="FUNNEL", help="A table of first contacts, CSV or XLSX.", show_default=False)
    ],
    contacted: Annotated[
        str, typer.Option(help="Column of the date of first contact.", metavar="COLUMN", show_default=False)
    ],
    signed: Annotated[
        str, typer.Option(help="Column of the date of signing, empty if not.", metavar="COLUMN", show_default=False)
    ],
    as_of: Annotated[
        datetime.datetime,
        typer.Option(
            help="The day on which the table was exported.", formats=["%Y-%m-%d"], metavar="DATE", show_default=False
        ),
    ],
    kind: Annotated[
        str | None, typer.Option(help="Column of the kind of contact.", metavar="COLUMN", show_default=False)
    ] = None,
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
    about: Annotated[
        str, typer.Option(help="Who was contacted, for the scenario's source.", metavar="TEXT", show_default=False)
    ] = "",
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
    from sim.documents.yaml_file import validate

    template = _scenario_to_write(scenario_file, out, funnel)
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
    _print_written(out)


# What the commands share


def _scenario_to_write(scenario_file: str | None, out: str | None, *others: str) -> str | None:
    """The scenario to read if one is to be written. Raises InputError if it cannot be, or is read for nothing."""
    from sim import TableError

    if out is None:
        if scenario_file is not None:
            raise TableError(f"--scenario {scenario_file} is read to write another; add --out, the file to write")
        return None
    scenario_file = scenario_file or _default_template()
    check_out(out, scenario_file, *others)
    return scenario_file


def _print_written(out: str | None) -> None:
    if out is not None:
        print(f"\nWrote {out}. Next:\n  " + shlex.join(["nexthour", "compare", out]))


def _default_template() -> str:
    """The baseline scenario beside this file, as seen from here. Raises InputError if it is not there."""
    from sim import InputError

    if not DEFAULT_TEMPLATE.is_file():
        raise InputError(
            f"{DEFAULT_TEMPLATE}: no such file; name with --template or --scenario the scenario to start from"
        )
    here = Path.cwd().resolve()
    inside = DEFAULT_TEMPLATE.is_relative_to(here)
    return str(DEFAULT_TEMPLATE.relative_to(here) if inside else DEFAULT_TEMPLATE)


COMMANDS = (mapping, calibrate, backtest, partners, judgement, hours, recruiting)
"""In the order in which help lists them."""
