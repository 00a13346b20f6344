"""The options of commands that compare plans, and the request that they make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

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
