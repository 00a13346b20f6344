"""Options that several commands share, and what becomes of them: of those that compare plans, and of those that fit a
scenario to a company by its exports, calendar and judgement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from nexthour.packaged import BASELINE_SCENARIO, scenario_path
from nexthour.terminal.common import check_out
from nexthour.terminal.tables import print_next
from sim.study.options import BASELINE, PLANS, REPLICATIONS, WORKERS

if TYPE_CHECKING:
    from sim import Scenario
    from sim.study.request import ComparisonRequest

PlanOption = Annotated[list[str] | None, typer.Option(PLANS.flag("plans"), help=PLANS.help)]
Baseline = Annotated[str | None, typer.Option(help=BASELINE.help, metavar="NAME_OR_FILE")]
Replications = Annotated[int, typer.Option(help=REPLICATIONS.help)]
Workers = Annotated[int | None, typer.Option(help=WORKERS.help, metavar="CORES")]


def comparison_request(context: typer.Context, replications: int, **options: Any) -> ComparisonRequest:
    """What the options of a command ask for. Raises SimulationError for a number that is out of bounds."""
    from sim.study.request import ComparisonRequest

    # Where markets take long, those that nobody asked for are fewer.
    source = context.get_parameter_source("replications")
    usual = source is not None and source.name == "DEFAULT"
    return ComparisonRequest.of(replications=None if usual else replications, **options)


def resolve(request: ComparisonRequest, scenario: Scenario, scenario_file: str) -> ComparisonRequest:
    """The request with plans by name. Raises PlanError, also if nothing is to be compared with the baseline."""
    from sim import PlanError

    resolved = request.resolve(scenario, scenario_file)
    if len(resolved.plans_by_name) == 1:
        first = request.baseline or resolved.baseline
        raise PlanError(f"{scenario_file}: nothing to compare with {first!r}; name another plan with --plan")
    return resolved


OR_NAME = ", or the name of one that comes with Next Hour"
"""What may stand where a command reads a file of a company."""
Export = Annotated[str, typer.Argument(metavar="EXPORT", help=f"Deals exported from a CRM, CSV or XLSX{OR_NAME}.")]
MappingFile = Annotated[str, typer.Option(help=f"A file that says which column means what{OR_NAME}.", metavar="FILE")]
Out = Annotated[str, typer.Option(help="The scenario file to write.", metavar="FILE")]
ScenarioToFit = Annotated[
    str | None,
    typer.Option(
        "--scenario",
        help="The scenario that the table is about. Default: baseline, which comes with Next Hour.",
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


def template_path(scenario_file: str | None, out: str, *others: str) -> str:
    """The scenario file to start from, by default the baseline's. Raises InputError if `out` cannot be written."""
    path = scenario_path(scenario_file or BASELINE_SCENARIO)
    check_out(out, path, *others)
    return path


def scenario_to_write(scenario_file: str | None, out: str | None, *others: str) -> str | None:
    """The scenario to read if one is to be written. Raises InputError if it cannot be, or is read for nothing."""
    from sim import TableError

    if out is None:
        if scenario_file is not None:
            raise TableError(f"--scenario {scenario_file} is read to write another; add --out, the file to write")
        return None
    return template_path(scenario_file, out, *others)


def print_written(out: str | None) -> None:
    """Print which file was written, if one was, and what to do with it next."""
    if out is not None:
        print_next("compare", out, after=f"Wrote {out}. ")
