"""The terminal entry: reads the words of a command, calls the library, prints what comes back.

Commands that read a company's own data are in calibrate.py, what all share in common.py. Everything heavy
is imported inside a command, so that help is instant.

Left out: any computing. A number printed here is a field of what sim or calibrate returned.
"""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nexthour import version
from nexthour.report.numbers import count_of
from nexthour.terminal import calibrate, gap, monday, serve
from nexthour.terminal import plan as cli_plan
from nexthour.terminal.common import AsJson, Commands, ScenarioFile, Seed, fail, print_json, progress
from nexthour.terminal.show_sensitivity import print_sensitivity
from nexthour.terminal.tables import print_again, print_comparison, print_market

if TYPE_CHECKING:
    from sim import Ledger, Scenario, TimePlan

DEFAULT_REPLICATIONS = 1000

app = typer.Typer(cls=Commands, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

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


def main() -> None:
    """Run the command line in sys.argv."""
    app(prog_name="nexthour")


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"nexthour {version()}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def nexthour(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Where should a territory manager's next hour go?

    \b
    Start here:
      nexthour app
      nexthour compare scenarios/baseline.yaml
    """
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command(short_help="Say what is wrong in scenario and plan files.")
def check(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Scenario or plan files.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Say whether scenario and plan files can be used, and everything that is wrong in them.

    \b
    Example:
      nexthour check scenarios/*.yaml
    """
    from sim.errors import InputError

    found = []
    for file in files:
        line, problems = "", tuple[str, ...]()
        try:
            line = _checked(file)
        except InputError as problem:
            problems = problem.problems
        found.append({"file": file, "ok": not problems, "problems": list(problems)})
        if not as_json and line:
            print(f"{file}: ok, {line}")
        for sentence in () if as_json else problems:
            fail(sentence, 1)
    if as_json:
        print_json(found)
    if not all(its["ok"] for its in found):
        raise typer.Exit(1)


@app.command()
def simulate(
    scenario_file: ScenarioFile,
    plan: Annotated[
        str | None, typer.Option(help="A plan named in the scenario, or a plan file. Default: the status quo.")
    ] = None,
    seed: Seed = 7,
    replication: Annotated[int, typer.Option(help="Which market of the seed.")] = 0,
    ledger: Annotated[bool, typer.Option("--ledger", help="Print everything that happened, a line each.")] = False,
    as_json: AsJson = False,
) -> None:
    """Run one plan in one market and show the quarters.

    \b
    Examples:
      nexthour simulate scenarios/baseline.yaml
      nexthour simulate scenarios/baseline.yaml --plan "20% with Believers" --seed 8
      nexthour simulate scenarios/baseline.yaml --ledger | less
    """
    import sim

    scenario = sim.load_scenario(scenario_file)
    chosen = _plan(scenario, scenario_file, scenario.status_quo.name if plan is None else plan)
    happened = sim.simulate(scenario, chosen, sim.draw_market(scenario, seed, replication))
    if as_json:
        print_json(_ledger_as_dict(scenario, chosen, happened, with_lines=ledger))
    elif ledger:
        for line in happened.lines():
            print(line)
    else:
        print_market(scenario, chosen, happened)
        again = ["simulate", scenario_file, "--plan", plan or chosen.name, "--seed", seed, "--replication", replication]
        print_again(scenario, again)


@app.command(short_help="Compare plans on the same markets: which is better?")
def compare(
    scenario_file: ScenarioFile,
    plan: Plans = None,
    baseline: Baseline = None,
    replications: Replications = DEFAULT_REPLICATIONS,
    seed: Seed = 7,
    worlds: Annotated[
        int,
        typer.Option(help="Also try this many plausible sets of assumptions, in 20 markets each."),
    ] = 0,
    flips: Annotated[
        bool,
        typer.Option("--flips", help="Also say which assumption turns each verdict; nexthour sensitivity says more."),
    ] = False,
    workers: Workers = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Run on other machines: where their Dask scheduler is, as in tcp://host:8786.", metavar="ADDRESS"
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare plans on the same markets: which is better, by how much, how surely.

    \b
    Examples:
      nexthour compare scenarios/baseline.yaml
      nexthour compare scenarios/baseline.yaml --plan "20% with Believers" --worlds 100
      nexthour compare scenarios/baseline.yaml --plan my-plan.yaml --json > result.json
    """
    import sim

    scenario = sim.load_scenario(scenario_file)
    plans = _plans_to_compare(scenario, scenario_file, plan, baseline)
    with progress(f"{len(plans)} plans in {replications:,} markets") as bar:
        comparison = sim.compare(
            scenario, plans, replications, seed,
            worlds=worlds, workers=workers, scheduler=scheduler, progress=bar,
        )  # fmt: skip
    known, why_not = None, ""
    if flips:
        try:
            with progress("what turns the verdicts") as bar:
                known = sim.sensitivity(scenario, plans, replications, seed, worlds=0, workers=workers, progress=bar)
        except sim.NextHourError as problem:
            why_not = f"No flips: {problem}"
    if as_json:
        print_json({**comparison.as_dict(), **({"sensitivity": known.as_dict()} if known else {})})
        return
    print_comparison(comparison, known)
    if why_not:
        typer.echo(f"\n{why_not}", err=True)
    more = [*(["--worlds", worlds] if worlds else []), *(["--flips"] if flips else [])]
    print_again(scenario, _again("compare", scenario_file, plan, baseline, replications, seed, *more))


@app.command(short_help="Say which assumption turns each verdict, and where.")
def sensitivity(
    scenario_file: ScenarioFile,
    plan: Plans = None,
    baseline: Baseline = None,
    replications: Replications = DEFAULT_REPLICATIONS,
    seed: Seed = 7,
    worlds: Annotated[int, typer.Option(help="Number of plausible sets of assumptions, in 20 markets each.")] = 100,
    of: Annotated[
        list[str] | None,
        typer.Option(help="An assumption to vary, by name; may be repeated. Default: all.", metavar="ASSUMPTION"),
    ] = None,
    workers: Workers = None,
    as_json: AsJson = False,
) -> None:
    """Say on which assumptions each verdict rests: at which value it turns, and in how many plausible worlds it holds.

    \b
    Examples:
      nexthour sensitivity scenarios/baseline.yaml
      nexthour sensitivity scenarios/baseline.yaml --plan "20% with Believers"
      nexthour sensitivity scenarios/baseline.yaml --of "coach gain per week" --replications 4000
    """
    import sim

    scenario = sim.load_scenario(scenario_file)
    plans = _plans_to_compare(scenario, scenario_file, plan, baseline)
    with progress(f"{len(plans)} plans under other assumptions") as bar:
        result = sim.sensitivity(
            scenario, plans, replications, seed, worlds=worlds, of=of, workers=workers, progress=bar
        )
    if as_json:
        print_json(result.as_dict())
        return
    print_sensitivity(result)
    more = ["--worlds", worlds, *(word for name in of or () for word in ("--of", name))]
    print_again(scenario, _again("sensitivity", scenario_file, plan, baseline, replications, seed, *more))


for _command in (
    serve.app,
    cli_plan.plan,
    cli_plan.frontier,
    gap.gap,
    gap.rollup,
    monday.monday,
    *calibrate.COMMANDS,
):
    app.command()(_command)


@app.command(short_help="Print the JSON Schema of scenario files.")
def schema(
    plan: Annotated[bool, typer.Option("--plan", help="That of plan files, not of scenario files.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Changes nothing: a schema is JSON.")] = False,
) -> None:
    """Print the JSON Schema of scenario files: every field with its unit, meaning and bounds.

    \b
    Example:
      nexthour schema > scenario.schema.json
    """
    from sim import Scenario, TimePlan
    from sim.documents.yaml_file import schema_text

    print(schema_text(TimePlan if plan else Scenario), end="")


# What the commands read


def _checked(file: str) -> str:
    """What a usable scenario or plan file holds. Raises InputError."""
    from sim import InputError, TimePlan, load_scenario
    from sim.documents.yaml_file import read_yaml

    data, _ = read_yaml(file, InputError)
    if isinstance(data, dict) and "hours" in data and "market_map" not in data:
        plan = TimePlan.load(file)
        return f"plan {plan.name!r} with {count_of(len(plan.hours), 'row')}"
    scenario = load_scenario(file)
    for split in (scenario.status_quo, *scenario.plans):
        try:
            TimePlan.from_split(scenario, split)
        except InputError as problem:
            raise InputError(*(f"{file}: {sentence}" for sentence in problem.problems)) from None
    parts = [
        count_of(scenario.horizon_quarters, "quarter"),
        count_of(len(scenario.market_map), "segment"),
        count_of(len(scenario.partners), "partner"),
        f"{count_of(len(scenario.plans), 'plan')} beside the status quo",
    ]
    return f"scenario {scenario.name!r}: {', '.join(parts)}"


def _plan(scenario: Scenario, scenario_file: str, name_or_file: str) -> TimePlan:
    """The plan of that name in the scenario, else the plan in that file. Raises PlanError."""
    from sim import PlanError, TimePlan
    from sim.documents.yaml_file import guess, show

    named = {split.name: split for split in (scenario.status_quo, *scenario.plans)}
    if name_or_file in named:
        return TimePlan.from_split(scenario, named[name_or_file])
    if Path(name_or_file).suffix in (".yaml", ".yml") or Path(name_or_file).is_file():
        plan = TimePlan.load(name_or_file)
        plan.table(scenario)
        return plan
    meant = guess(name_or_file, list(named))
    raise PlanError(f"{scenario_file}: no plan {show(name_or_file)}; {meant} (or give a plan file, .yaml)")


def _plans_to_compare(
    scenario: Scenario, scenario_file: str, wanted: list[str] | None, baseline: str | None
) -> dict[str, TimePlan]:
    """The baseline first. Raises PlanError if nothing is left to compare with it, or two plans share a name."""
    from sim import PlanError

    first = scenario.status_quo.name if baseline is None else baseline
    others = [scenario.status_quo.name, *(split.name for split in scenario.plans)] if wanted is None else wanted
    plans: dict[str, TimePlan] = {}
    for name in dict.fromkeys((first, *others)):
        plan = _plan(scenario, scenario_file, name)
        if plan.name in plans:
            raise PlanError(f"{name}: another plan is named {plan.name!r} too; change one of the names")
        plans[plan.name] = plan
    if len(plans) == 1:
        raise PlanError(f"{scenario_file}: nothing to compare with {first!r}; name another plan with --plan")
    return plans


# What the commands share


def _again(
    command: str,
    scenario_file: str,
    plans: list[str] | None,
    baseline: str | None,
    replications: int,
    seed: int,
    *more: object,
) -> list[object]:
    """The words of a command that compares plans."""
    named = [word for name in plans or () for word in ("--plan", name)]
    base = [] if baseline is None else ["--baseline", baseline]
    return [command, scenario_file, *named, *base, "--replications", replications, "--seed", seed, *more]


def _ledger_as_dict(scenario: Scenario, plan: TimePlan, ledger: Ledger, with_lines: bool) -> dict[str, Any]:
    from sim import kpis

    tally = kpis.Tally.of(ledger)
    return {
        "scenario": scenario.name,
        "scenario_digest": scenario.digest(),
        "plan": plan.name,
        "seed": ledger.seed,
        "replication": ledger.replication,
        "ledger_digest": ledger.digest(),
        "kpis": {kpi.name: kpi.of(tally).tolist() for kpi in kpis.KPIS},
        "segments": {
            name: {how: int(seen[i]) for how, seen in kpis.coverage_by_segment(ledger).items()}
            for i, name in enumerate(scenario.segment_names)
        },
        "partners": {
            name: {"credit_usd": credit, "weeks_to_first_deal": None if isnan(weeks) else weeks}
            for name, credit, weeks in zip(
                scenario.partner_names,
                kpis.credit_by_partner_usd(ledger).tolist(),
                kpis.weeks_to_first_deal(ledger).tolist(),
                strict=True,
            )
        },
        **({"ledger": list(ledger.lines())} if with_lines else {}),
    }


if __name__ == "__main__":
    main()
