"""The commands that make a scenario fit a company: from its exports, its calendar and its judgement.

Each reads files, calls calibrate, writes a scenario and prints what was found. Left out: any computing.
"""

from __future__ import annotations

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cli_common import AsJson, print_json, progress
from terminal_calibrate import print_fit

CHECK_REPLICATIONS = 100
"""Markets in which a fitted scenario is simulated again."""
DEFAULT_TEMPLATE = Path(__file__).resolve().parent / "scenarios" / "baseline.yaml"


def calibrate(
    csv_file: Annotated[str, typer.Argument(metavar="CSV", help="A table of closed deals.", show_default=False)],
    mapping: Annotated[
        str, typer.Option(help="A file that says which column means what.", metavar="FILE", show_default=False)
    ],
    out: Annotated[str, typer.Option(help="The scenario file to write.", metavar="FILE", show_default=False)],
    template: Annotated[
        str | None,
        typer.Option(
            help="The scenario that gives what no table of deals can. Default: scenarios/baseline.yaml of Next Hour.",
            metavar="FILE",
        ),
    ] = None,
    fraction: Annotated[float, typer.Option(help="The share of the table that is this one territory.")] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Fit a scenario's segments to a table of closed deals.

    \b
    Example:
      nexthour calibrate deals.csv --mapping mapping.yaml --out mine.yaml --fraction 0.01
    """
    from calibrate import calibrate as fit_table
    from calibrate import check_fit, load_mapping
    from sim import TableError, load_scenario, save_scenario

    template = template or _default_template()
    if Path(out).is_dir():
        raise TableError(f"--out {out} is a folder; give the path of a scenario file to write")
    for read in (csv_file, mapping, template):
        if Path(out).exists() and Path(read).exists() and Path(out).samefile(read):
            raise TableError(f"--out {out} would overwrite what is read; choose another path")
    if not Path(out).resolve().parent.is_dir():
        # Found now, not after the minutes that fitting takes.
        raise TableError(f"{out}: cannot be written (no such folder); choose another path")
    columns, judgement = load_mapping(mapping), load_scenario(template)
    with progress("fitting") as bar:
        fit = fit_table(csv_file, columns, judgement, fraction, progress=bar)
    save_scenario(fit.scenario, out)
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
                "fit": fit.report_rows(),
                "simulated_again": [{**asdict(check), "agrees": check.agrees} for check in checks],
            }
        )
        return
    print_fit(fit, out, checks)
    print("\nNext:\n  " + shlex.join(["nexthour", "compare", out]))


# What the commands share


def _default_template() -> str:
    """The baseline scenario beside this file, as seen from here. Raises InputError if it is not there."""
    from sim import InputError

    if not DEFAULT_TEMPLATE.is_file():
        raise InputError(
            f"{DEFAULT_TEMPLATE}: no such file; name with --template the scenario that gives what no table of deals can"
        )
    here = Path.cwd().resolve()
    inside = DEFAULT_TEMPLATE.is_relative_to(here)
    return str(DEFAULT_TEMPLATE.relative_to(here) if inside else DEFAULT_TEMPLATE)


COMMANDS = (calibrate,)
"""In the order in which help lists them."""
