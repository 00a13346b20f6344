"""The terminal's way to find a plan: nexthour plan.

Left out: how a plan is found (optimize/), and what it looks like (nexthour/terminal/show_plan.py).
"""

from __future__ import annotations

import shlex
from inspect import signature
from pathlib import Path
from typing import Annotated, Any

import typer

from nexthour.packaged import scenario_path
from nexthour.report.plan import lock_of
from nexthour.terminal.common import AsJson, ScenarioFile, Seed, check_out, print_json, read_scenario, status_line
from nexthour.terminal.show_plan import print_frontier, print_solution
from nexthour.terminal.tables import print_again

Pairs = list[str] | None


def plan(
    scenario_file: ScenarioFile,
    out: Annotated[Path | None, typer.Option(help="Write the plan to this YAML file.", metavar="FILE")] = None,
    floor: Annotated[
        Pairs,
        typer.Option(help="Least attainment in a quarter, as in 1=0.9; may be repeated.", metavar="QUARTER=SHARE"),
    ] = None,
    early_floor: Annotated[
        float | None, typer.Option(help="Least attainment of the first four quarters together.", metavar="SHARE")
    ] = None,
    lock: Annotated[
        Pairs,
        typer.Option(
            help="Fix hours a week, as in 'coach:Birch IT=2' or 'sell=20@1-4' (quarters).",
            metavar="USE=HOURS",
        ),
    ] = None,
    min_partner_share: Annotated[float, typer.Option(help="Least share of the hours planned for partners.")] = 0.0,
    max_partner_share: Annotated[float, typer.Option(help="Most of it.")] = 1.0,
    largest_change: Annotated[
        float | None, typer.Option(help="Most by which partner hours a week change between quarters.", metavar="HOURS")
    ] = None,
    no_recruiting: Annotated[bool, typer.Option("--no-recruiting", help="Recruit nobody.")] = False,
    only: Annotated[
        list[str] | None, typer.Option(help="Only these partners get hours; may be repeated.", metavar="PARTNER")
    ] = None,
    coverage: Annotated[
        Pairs,
        typer.Option(help="Fix a segment's coverage mode, as in enterprise=direct.", metavar="SEGMENT=MODE"),
    ] = None,
    objective: Annotated[
        str, typer.Option(help="quota_credit, net_bookings, expected_shortfall (the least) or quarters_at_quota.")
    ] = "quota_credit",
    discount_rate: Annotated[float, typer.Option(help="How much less a later booking is worth, a year.")] = 0.0,
    exit_weight: Annotated[
        float, typer.Option(help="How much credit of the year after the horizon counts, 0 to 1.", metavar="WEIGHT")
    ] = 0.0,
    followed: Annotated[
        Path | None, typer.Option(help="The plan so far, to plan again from here.", metavar="FILE")
    ] = None,
    from_quarter: Annotated[
        int | None, typer.Option(help="The first quarter that is still to be planned.", metavar="QUARTER")
    ] = None,
    actuals: Annotated[Path | None, typer.Option(help="What was seen of the quarters so far.", metavar="FILE")] = None,
    why: Annotated[
        bool, typer.Option("--why", help="Also say what an hour is worth, what limits cost, what would turn it.")
    ] = False,
    seed: Seed = 7,
    as_json: AsJson = False,
) -> None:
    """Find the best plan, and say how good that is.

    \b
    Examples:
      nexthour plan scenarios/baseline.yaml --out plan.yaml
      nexthour plan scenarios/baseline.yaml --floor 1=0.9 --floor 2=0.9 --no-recruiting
      nexthour plan scenarios/baseline.yaml --followed plan.yaml --actuals actuals.yaml
      nexthour compare scenarios/baseline.yaml --plan plan.yaml
    """
    import sim
    from optimize import Actuals, explain, optimize_plan

    scenario = read_scenario(scenario_file)
    if out is not None:
        check_out(out, scenario_path(scenario_file), *(its for its in (followed, actuals) if its is not None))
    with status_line() as progress:
        solution = optimize_plan(
            scenario,
            objective,
            discount_rate=discount_rate,
            floors={_quarter(word): _number("--floor", word, value) for word, value in _pairs("--floor", floor)},
            early_floor=early_floor,
            locks=[_lock(word) for word in lock or ()],
            seed=seed,
            min_partner_share=min_partner_share,
            max_partner_share=max_partner_share,
            largest_change_hours=largest_change,
            recruit=not no_recruiting,
            only_partners=only,
            coverage_mode=dict(_pairs("--coverage", coverage)),
            exit_weight=exit_weight,
            followed=None if followed is None else sim.TimePlan.load(followed),
            from_quarter=from_quarter,
            actuals=None if actuals is None else Actuals.load(actuals),
            progress=progress,
        )
        reasons = explain(solution) if why else None
    if out is not None:
        solution.plan.save(out)
    if as_json:
        print_json({**solution.as_dict(), **({"why": reasons.as_dict()} if reasons else {})})
        return
    print_solution(solution, reasons)
    if out is not None:
        next_words = ["nexthour", "monday", scenario_file, "--plan", str(out), "--quarter", str(solution.quarter)]
        print(f"\nWrote {out}. Next:\n  {shlex.join(next_words)}")
    repeated = (("--floor", floor), ("--lock", lock), ("--coverage", coverage), ("--only", only))
    words = [word for option, values in repeated for value in values or () for word in (option, value)]
    single = {
        "objective": objective,
        "discount_rate": discount_rate,
        "early_floor": early_floor,
        "min_partner_share": min_partner_share,
        "max_partner_share": max_partner_share,
        "largest_change": largest_change,
        "exit_weight": exit_weight,
        "followed": followed,
        "from_quarter": from_quarter,
        "actuals": actuals,
    }
    usual = {name: parameter.default for name, parameter in signature(plan).parameters.items()}
    for name, value in single.items():
        words += [f"--{name.replace('_', '-')}", str(value)] if value != usual[name] else []
    words += ["--no-recruiting"] if no_recruiting else []
    words += ["--why"] if why else []
    print_again(scenario, ["plan", scenario_file, *words, "--seed", seed])


def frontier(
    scenario_file: ScenarioFile,
    points: Annotated[int, typer.Option(help="How many plans, from the most patient to the hastiest.")] = 6,
    through: Annotated[int, typer.Option(help="Quarters that are planned; the year after them is the exit.")] = 4,
    no_recruiting: Annotated[bool, typer.Option("--no-recruiting", help="Recruit nobody.")] = False,
    seed: Seed = 7,
    as_json: AsJson = False,
) -> None:
    """What this year's attainment costs in next year's run-rate.

    \b
    Examples:
      nexthour frontier scenarios/baseline.yaml
      nexthour frontier scenarios/baseline.yaml --points 4 --through 8
    """
    import optimize

    scenario = read_scenario(scenario_file)
    with status_line() as progress:
        its = optimize.frontier(scenario, points, seed, through=through, recruit=not no_recruiting, progress=progress)
    if as_json:
        print_json(its.as_dict())
        return
    print_frontier(its)
    words = ["--points", points, "--through", through, *(["--no-recruiting"] if no_recruiting else [])]
    print_again(scenario, ["frontier", scenario_file, *words, "--seed", seed])


def _pairs(option: str, words: Pairs) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for word in words or ():
        name, mark, value = word.rpartition("=")
        if not mark or not name:
            raise typer.BadParameter(f"{option} {word!r}: write it as NAME=VALUE")
        if name in dict(pairs):
            raise typer.BadParameter(f"{option} {name} is given twice; keep one")
        pairs.append((name, value))
    return pairs


def _quarter(word: str) -> int:
    if not word.isdecimal():
        raise typer.BadParameter(f"--floor: {word!r} is no quarter; write it as 1=0.9")
    return int(word)


def _lock(word: str) -> dict[str, Any]:
    try:
        return lock_of(word)
    except ValueError as problem:
        raise typer.BadParameter(f"--lock {word}: {problem}") from None


def _number(option: str, word: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise typer.BadParameter(f"{option} {word}={value}: {value!r} is no number; write it as {word}=0.9") from None
