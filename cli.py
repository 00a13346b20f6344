"""The terminal entry: reads the words of a command, calls the library, prints what comes back.

`_Commands` is where every failure becomes one sentence and an exit code: 0 done, 1 the input is wrong, 2 the command is
wrong, 130 stopped by Ctrl-C. Everything heavy is imported inside a command, so that help is instant.

Left out: any computing. A number printed here is a field of what sim or calibrate returned.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from terminal import count, one_line, plain_console, print_again, print_comparison, print_fit, print_market, version

if TYPE_CHECKING:
    from sim import Ledger, Scenario, TimePlan
    from sim.batches import Progress

DEFAULT_REPLICATIONS = 1000
CHECK_REPLICATIONS = 100
"""Markets in which a fitted scenario is simulated again."""
DEFAULT_TEMPLATE = Path(__file__).resolve().parent / "scenarios" / "baseline.yaml"
QUIET_SECONDS = 1.0
"""Work shorter than this shows no progress bar."""


class _Commands(TyperGroup):
    """The group of commands, with every way to fail turned into one line and an exit code."""

    def main(self, *args: Any, **extra: Any) -> Any:
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")
        try:
            code = super().main(*args, **{**extra, "standalone_mode": False})
            sys.stdout.flush()
        except typer.TyperException as problem:
            where = getattr(problem, "ctx", None)
            hint = f" (see {where.command_path} --help)" if where is not None else ""
            code = _fail(problem.format_message().rstrip(".") + hint, problem.exit_code)
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (typer.TyperException, typer.Exit):
            raise
        except KeyboardInterrupt:
            raise typer.Exit(_fail("stopped", 130, label="nexthour")) from None
        except BrokenPipeError:
            # The reader has seen enough. Python would complain once more when it closes stdout.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except Exception as problem:
            # Not imported here: sim itself may be what cannot be imported.
            errors = sys.modules.get("sim.errors")
            if errors is not None and isinstance(problem, errors.NextHourError):
                raise typer.Exit(_fail(str(problem), 1)) from None
            if "NEXTHOUR_TRACEBACK" in os.environ:
                raise
            what = f"{type(problem).__name__}: {problem}"
            raise typer.Exit(
                _fail(f"this should not happen ({what}); please report it, with NEXTHOUR_TRACEBACK=1 set", 1)
            ) from None


app = typer.Typer(cls=_Commands, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

ScenarioFile = Annotated[str, typer.Argument(metavar="SCENARIO", help="A scenario file.", show_default=False)]
Seed = Annotated[int, typer.Option(help="Which markets: the same seed gives the same ones.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print only JSON.")]


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
            _fail(sentence, 1)
    if as_json:
        _print_json(found)
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
        _print_json(_ledger_as_dict(scenario, chosen, happened, with_lines=ledger))
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
    plan: Annotated[
        list[str] | None,
        typer.Option(help="A plan named in the scenario, or a plan file; may be repeated. Default: all it names."),
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(help="The plan to measure against. Default: the status quo.", metavar="NAME_OR_FILE")
    ] = None,
    replications: Annotated[
        int, typer.Option(help="Number of markets; more give narrower intervals.")
    ] = DEFAULT_REPLICATIONS,
    seed: Seed = 7,
    worlds: Annotated[
        int,
        typer.Option(help="Also try this many plausible sets of assumptions, in 20 markets each."),
    ] = 0,
    workers: Annotated[
        int | None, typer.Option(help="Processor cores to use. Default: all of them.", metavar="CORES")
    ] = None,
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
    with _progress(f"{len(plans)} plans in {replications:,} markets") as progress:
        comparison = sim.compare(
            scenario, plans, replications, seed,
            worlds=worlds, workers=workers, scheduler=scheduler, progress=progress,
        )  # fmt: skip
    if as_json:
        _print_json(comparison.as_dict())
        return
    again: list[object] = ["compare", scenario_file]
    again += [word for name in plan or () for word in ("--plan", name)]
    again += [] if baseline is None else ["--baseline", baseline]
    again += ["--replications", replications, "--seed", seed, *(["--worlds", worlds] if worlds else [])]
    print_comparison(comparison)
    print_again(scenario, again)


@app.command()
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
    with _progress("fitting") as progress:
        fit = fit_table(csv_file, columns, judgement, fraction, progress=progress)
    save_scenario(fit.scenario, out)
    with _progress("simulating again") as progress:
        checks = check_fit(fit.scenario, fit, CHECK_REPLICATIONS, progress=progress)
    reasons = fit.rejected_by_reason()
    if as_json:
        done = {"written": out, "scenario_digest": fit.scenario.digest(), "rows_read": fit.rows_read}
        _print_json(
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
    from sim.documents import schema_text

    print(schema_text(TimePlan if plan else Scenario), end="")


# What the commands read


def _checked(file: str) -> str:
    """What a usable scenario or plan file holds. Raises InputError."""
    from sim import InputError, TimePlan, load_scenario
    from sim.documents import read_yaml

    data, _ = read_yaml(file, InputError)
    if isinstance(data, dict) and "hours" in data and "market_map" not in data:
        plan = TimePlan.load(file)
        return f"plan {plan.name!r} with {count(len(plan.hours), 'row')}"
    scenario = load_scenario(file)
    for split in (scenario.status_quo, *scenario.plans):
        try:
            TimePlan.from_split(scenario, split)
        except InputError as problem:
            raise InputError(*(f"{file}: {sentence}" for sentence in problem.problems)) from None
    parts = [
        count(scenario.horizon_quarters, "quarter"),
        count(len(scenario.market_map), "segment"),
        count(len(scenario.partners), "partner"),
        f"{count(len(scenario.plans), 'plan')} beside the status quo",
    ]
    return f"scenario {scenario.name!r}: {', '.join(parts)}"


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


def _plan(scenario: Scenario, scenario_file: str, name_or_file: str) -> TimePlan:
    """The plan of that name in the scenario, else the plan in that file. Raises PlanError."""
    from sim import PlanError, TimePlan
    from sim.documents import guess, show

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


@contextmanager
def _progress(what: str) -> Iterator[Progress | None]:
    """A bar on stderr, for people only, once the work has taken QUIET_SECONDS; above it, what the library tells."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from sim import compiled

    console = plain_console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    bar = Progress(TextColumn(what), BarColumn(), TimeRemainingColumn(), console=console, transient=True)
    task, begun, told_before = bar.add_task(what, total=None), time.monotonic(), compiled.tell

    def show(done: int, total: int) -> None:
        bar.update(task, completed=done, total=total)
        if time.monotonic() - begun > QUIET_SECONDS:
            bar.start()

    def tell(text: str) -> None:
        console.print(text)
        bar.start()

    compiled.tell = tell
    try:
        yield show
    finally:
        compiled.tell = told_before
        bar.stop()


def _print_json(data: object) -> None:
    print(json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False))


def _fail(sentence: str, code: int, label: str = "error") -> int:
    print(f"{label}: {one_line(sentence)}", file=sys.stderr)
    return code


if __name__ == "__main__":
    main()
