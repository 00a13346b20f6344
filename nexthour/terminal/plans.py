"""Which plans a command is about: its options, and the plans that their words name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sim import Scenario, TimePlan

DEFAULT_REPLICATIONS = 1000
Plans = Annotated[
    list[str] | None,
    typer.Option(
        "--plan", help="A plan named in the scenario, or a plan file; may be repeated. Default: all it names."
    ),
]
Baseline = Annotated[
    str | None, typer.Option(help="The plan to measure against. Default: the status quo.", metavar="NAME_OR_FILE")
]
Replications = Annotated[int, typer.Option(help="Number of markets; more give narrower intervals.")]
Workers = Annotated[int | None, typer.Option(help="Processor cores to use. Default: all of them.", metavar="CORES")]


def find_plan(scenario: Scenario, scenario_file: str, name_or_file: str) -> TimePlan:
    """The plan of that name in the scenario, else the plan in that file. Raises PlanError."""
    from sim import PlanError, TimePlan
    from sim.documents.messages import guess, show

    named = {split.name: split for split in (scenario.status_quo, *scenario.plans)}
    if name_or_file in named:
        return TimePlan.from_split(scenario, named[name_or_file])
    if Path(name_or_file).suffix in (".yaml", ".yml") or Path(name_or_file).is_file():
        plan = TimePlan.load(name_or_file)
        plan.table(scenario)
        return plan
    meant = guess(name_or_file, list(named))
    raise PlanError(f"{scenario_file}: no plan {show(name_or_file)}; {meant} (or give a plan file, .yaml)")


def plans_to_compare(
    scenario: Scenario, scenario_file: str, wanted: list[str] | None, baseline: str | None
) -> dict[str, TimePlan]:
    """The plans to compare by name, the baseline first.

    Raises PlanError if nothing is left to compare with it, or two plans share a name.
    """
    from sim import PlanError

    first = scenario.status_quo.name if baseline is None else baseline
    others = [scenario.status_quo.name, *(split.name for split in scenario.plans)] if wanted is None else wanted
    plans: dict[str, TimePlan] = {}
    for name in dict.fromkeys((first, *others)):
        plan = find_plan(scenario, scenario_file, name)
        if plan.name in plans:
            raise PlanError(f"{name}: another plan is named {plan.name!r} too; change one of the names")
        plans[plan.name] = plan
    if len(plans) == 1:
        raise PlanError(f"{scenario_file}: nothing to compare with {first!r}; name another plan with --plan")
    return plans


def repeated_words(
    command: str,
    scenario_file: str,
    plans: list[str] | None,
    baseline: str | None,
    replications: int,
    seed: int,
    *more: object,
) -> list[object]:
    """The words that run a command that compares plans again."""
    named = [word for name in plans or () for word in ("--plan", name)]
    base = [] if baseline is None else ["--baseline", baseline]
    return [command, scenario_file, *named, *base, "--replications", replications, "--seed", seed, *more]
