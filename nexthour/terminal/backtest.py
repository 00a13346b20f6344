"""nexthour backtest: predict deals that the fit has not seen."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from nexthour.packaged import file_path
from nexthour.report.numbers import count_of, whole, whole_percent
from nexthour.terminal.common import AsJson, print_json
from nexthour.terminal.options import Export, MappingFile
from nexthour.terminal.tables import make_table, plain_console, print_block

if TYPE_CHECKING:
    from nexthour.calibrate import Backtest


def command(
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
    from nexthour.calibrate.fit.predict import backtest as hold_out

    columns = load_mapping(file_path(mapping, "mapping file"))
    result = hold_out(read_deals(file_path(export, "table"), columns), fit_on, share)
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


def print_backtest(result: Backtest) -> None:
    """Print how well a fit predicted what it had not seen."""
    console = plain_console()
    inside = sum(prediction.inside for prediction in result.predictions)
    console.print(
        f"{whole(inside)} of {count_of(len(result.predictions), 'number')} held out lie in their 90% interval "
        f"({whole_percent(result.covered)}).",
        style="bold",
    )
    console.print(f"Fitted on {whole(result.deals_seen)} deals, told of {whole(result.deals_held_out)} others.")
    table = make_table("of a territory and route", "cells", "inside", "interval", "error", "error of\nplain mean")
    for row in result.summary():
        shares = [row[name] for name in ("width", "error", "error by route")]
        width, *errors = ("" if share is None else whole_percent(share) for share in shares)
        table.add_row(row["what"], whole(row["cells"]), whole_percent(row["covered"]), width and f"±{width}", *errors)
    print_block(
        console,
        table,
        "Interval and error: as shares of the real number. Plain mean: the route's, all territories. Weeks that were "
        "not seen have wide intervals: a quarter's end is not like its beginning.",
    )
