"""nexthour calibrate: a scenario fitted to the deals of an export, and how well it fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nexthour.packaged import file_path
from nexthour.report import calibration
from nexthour.report.numbers import whole
from nexthour.report.text import one_line
from nexthour.terminal.common import AsJson, check_out, print_json, progress
from nexthour.terminal.options import Export, MappingFile, Out, template_path
from nexthour.terminal.tables import plain_console, print_block, print_items, print_next, table_of

if TYPE_CHECKING:
    from nexthour.calibrate import Check, Fit

CHECK_REPLICATIONS = 100
"""Markets in which a fitted scenario is simulated again."""
REASONS_SHOWN = 5


def command(
    csv_file: Export,
    mapping: MappingFile,
    out: Out,
    template: Annotated[
        str | None,
        typer.Option(
            help="The scenario that gives what no table of deals can. Default: baseline, which comes with Next Hour.",
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

    csv_file, mapping = file_path(csv_file, "table"), file_path(mapping, "mapping file")
    template = template_path(template, out, csv_file, mapping)
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
    if as_json:
        print_json({"written": out, **_fit_as_dict(fit, checks)})
        return
    print_fit(fit, out, checks)
    print_next("compare", out)


def _fit_as_dict(fit: Fit, checks: Sequence[Check]) -> dict[str, Any]:
    return {
        "scenario_digest": fit.scenario.digest(),
        "rows_read": fit.rows_read,
        "rows_used": fit.rows_used,
        "rejected": fit.rejected_by_reason(),
        "open_deals": fit.open_used,
        "open_usd": fit.open_usd,
        "hours_scale": fit.hours_scale,
        "fit": fit.report_rows(),
        "simulated_again": [{**asdict(check), "agrees": check.agrees} for check in checks],
        "silent": list(fit.silent),
    }


def print_fit(fit: Fit, out: str, checks: Sequence[Check]) -> None:
    """Print what was read, fitted and not used, and whether the simulated funnel agrees."""
    reasons = fit.rejected_by_reason()
    console = plain_console()
    console.print(f"Wrote {out}, {calibration.fitted_to(fit)}.", style="bold")
    console.print(calibration.rows_read(fit))
    print_block(console, table_of(calibration.fit_table(fit.report_rows())), calibration.ABOUT_FIT)
    if fewer := calibration.scaled_hours(fit, "--fraction"):
        console.print(fewer)
    if reasons:
        console.print(f"\n{whole(len(fit.rejected))} rows were not used:")
        print_items(console, [f"{whole(rows)}: {one_line(why)}" for why, rows in list(reasons.items())[:REASONS_SHOWN]])
        if len(reasons) > REASONS_SHOWN:
            print_items(console, [f"and {whole(len(reasons) - REASONS_SHOWN)} more reasons (all with --json)"])
    first, *others = calibration.check_lines(checks, rows=len(fit.cells))
    print_block(console, first)
    print_items(console, others)
    console.print("\nWhat the table could not say:")
    print_items(console, map(one_line, fit.silent))
