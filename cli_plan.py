"""The terminal's way to find a plan: nexthour plan.

Left out: how a plan is found (optimize/), and what it looks like (terminal_plan.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli_common import AsJson, Seed, print_json, saying
from terminal import print_again
from terminal_plan import print_solution

Pairs = list[str] | None


def plan(
    scenario_file: Annotated[str, typer.Argument(metavar="SCENARIO", help="A scenario file.", show_default=False)],
    out: Annotated[Path | None, typer.Option(help="Write the plan to this YAML file.", metavar="FILE")] = None,
    floor: Annotated[
        Pairs,
        typer.Option(help="Least attainment in a quarter, as in 1=0.9; may be repeated.", metavar="QUARTER=SHARE"),
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
        str, typer.Option(help="What there is to be most of: quota_credit, or net_bookings, less margins.")
    ] = "quota_credit",
    discount_rate: Annotated[float, typer.Option(help="How much less a later booking is worth, a year.")] = 0.0,
    exit_weight: Annotated[
        float, typer.Option(help="How much credit of the year after the horizon counts, 0 to 1.", metavar="WEIGHT")
    ] = 0.0,
    seed: Seed = 7,
    as_json: AsJson = False,
) -> None:
    """Find the best plan, and say how good that is.

    \b
    Examples:
      nexthour plan scenarios/baseline.yaml --out plan.yaml
      nexthour plan scenarios/baseline.yaml --floor 1=0.9 --floor 2=0.9 --no-recruiting
      nexthour compare scenarios/baseline.yaml --plan plan.yaml
    """
    import sim
    from optimize import optimize_plan

    scenario = sim.load_scenario(scenario_file)
    with saying() as told:
        solution = optimize_plan(
            scenario,
            objective,
            discount_rate=discount_rate,
            floors={_quarter(word): _number(word, value) for word, value in _pairs("--floor", floor)},
            seed=seed,
            min_partner_share=min_partner_share,
            max_partner_share=max_partner_share,
            largest_change_hours=largest_change,
            recruit=not no_recruiting,
            only_partners=only,
            coverage_mode=dict(_pairs("--coverage", coverage)),
            exit_weight=exit_weight,
            told=told,
        )
    if out is not None:
        solution.plan.save(out)
    if as_json:
        print_json(solution.as_dict())
        return
    print_solution(solution)
    if out is not None:
        print(f"\nWrote {out}. Next:\n  nexthour compare {scenario_file} --plan {out} --worlds 100")
    repeated = (("--floor", floor), ("--coverage", coverage), ("--only", only))
    words = [word for option, values in repeated for value in values or () for word in (option, value)]
    single = (
        ("--objective", objective, "quota_credit"),
        ("--discount-rate", discount_rate, 0.0),
        ("--min-partner-share", min_partner_share, 0.0),
        ("--max-partner-share", max_partner_share, 1.0),
        ("--largest-change", largest_change, None),
        ("--exit-weight", exit_weight, 0.0),
    )
    words += [str(word) for option, value, usual in single if value != usual for word in (option, value)]
    words += ["--no-recruiting"] if no_recruiting else []
    print_again(scenario, ["plan", scenario_file, *words, "--seed", seed])


def _pairs(option: str, words: Pairs) -> list[tuple[str, str]]:
    pairs = []
    for word in words or ():
        name, mark, value = word.rpartition("=")
        if not mark or not name:
            raise typer.BadParameter(f"{option} {word!r}: write it as NAME=VALUE")
        pairs.append((name, value))
    return pairs


def _quarter(word: str) -> int:
    if not word.isdecimal():
        raise typer.BadParameter(f"--floor: {word!r} is no quarter; write it as 1=0.9")
    return int(word)


def _number(word: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise typer.BadParameter(f"--floor {word}={value}: {value!r} is no number; write it as 1=0.9") from None
