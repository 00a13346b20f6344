"""nexthour plan: the best plan, what it gains, its hours, and how good it is and how we know.

Its options are those of a PlanRequest (optimize/options.py). Left out: any computing (optimize/), and the sentences
(nexthour/report/plan.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from inspect import Parameter, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nexthour.packaged import scenario_path
from nexthour.report import plan as report
from nexthour.report.text import CAVEAT, one_line
from nexthour.terminal.common import AsJson, ScenarioFile, check_out, print_json, read_scenario, status_line
from nexthour.terminal.tables import make_table, plain_console, print_again, print_items, print_next
from optimize.options import OPTIONS
from sim.study.options import Option

if TYPE_CHECKING:
    from optimize import Answer, Explanation

QUARTERS_AT_ONCE = 6
LONGEST_QUARTER = 20
"""Digits of a number that is read at all: of some thousand, Python says in its own words that they are too many."""
REPEATED_FIRST = ("floors", "locks", "coverage_mode", "only_partners")
"""What may be repeated comes first in the words that get a plan again, and mere flags last."""


def command(
    scenario_file: ScenarioFile,
    out: Annotated[Path | None, typer.Option(help="Write the plan to this YAML file.", metavar="FILE")] = None,
    why: Annotated[
        bool, typer.Option("--why", help="Also say what an hour is worth, what limits cost, what would turn it.")
    ] = False,
    as_json: AsJson = False,
    **words: Any,
) -> None:
    """Find the best plan, and say how good that is.

    \b
    Examples:
      nexthour plan baseline --out plan.yaml
      nexthour plan baseline --floor 1=0.9 --floor 2=0.9 --no-recruiting
      nexthour plan baseline --followed plan.yaml --actuals actuals.yaml
      nexthour compare baseline --plan plan.yaml
    """
    from optimize import PlanRequest, explain, optimize_plan

    scenario = read_scenario(scenario_file)
    if out is not None:
        files = (words["followed"], words["actuals"])
        check_out(out, scenario_path(scenario_file), *(file for file in files if file is not None))
    request = PlanRequest.of(scenario, _asked(words))
    with status_line() as progress:
        solution = optimize_plan(scenario, request=request, progress=progress)
        reasons = explain(solution) if why else None
    if out is not None:
        solution.plan.save(out)
    if as_json:
        print_json({**solution.as_dict(), **({"why": reasons.as_dict()} if reasons else {})})
        return
    print_solution(solution, reasons)
    if out is not None:
        words_next = ("monday", scenario_file, "--plan", str(out), "--quarter", str(solution.quarter))
        print_next(*words_next, after=f"Wrote {out}. ")
    again = [*_words_again(words), *(["--why"] if why else [])]
    print_again(scenario, ["plan", scenario_file, *again, "--seed", request.seed])


def print_solution(solution: Answer, reasons: Explanation | None = None) -> None:
    """Print a plan: what it gains, its hours by quarter, what becomes of partners, and how good it is."""
    out, scenario, certificate = plain_console(), solution.scenario, solution.certificate
    out.print(one_line(scenario.question or scenario.name), style="bold")
    out.print()
    out.print(f"{solution.plan.name}: {report.difference(certificate)}. {report.totals(solution)}")
    for first in range(0, scenario.horizon_quarters, QUARTERS_AT_ONCE):
        out.print()
        out.print("Hours a week")
        out.print(_hours(solution, range(first, min(first + QUARTERS_AT_ONCE, scenario.horizon_quarters))))
    out.print()
    for line in (*report.parked_lines(solution), *report.coverage_lines(solution)):
        out.print(line)
    titled = (
        (f"Q{solution.quarter} against {certificate.against}, hours a week", report.first_quarter_lines(solution)),
        ("What happened so far", report.so_far_lines(solution)),
        ("How good it is, and how we know", report.certificate_lines(solution)),
        ("Why, and what would change it", report.reason_lines(solution, reasons) if reasons is not None else []),
    )
    for title, lines in titled:
        if lines:
            out.print()
            out.print(title)
        print_items(out, lines)
    out.print()
    out.print(CAVEAT)


def _hours(solution: Answer, quarters: range) -> Any:
    table = make_table("", *(f"Q{q + 1}" for q in quarters))
    for word, hours in report.hours_rows(solution):
        table.add_row(word, *(report.hours_cell(hours[q]) for q in quarters))
    return table


def _asked(words: dict[str, Any]) -> dict[str, Any]:
    """The fields of the request that the options say. Raises BadParameter, a sentence, for a text that says none."""
    import sim
    from optimize import Actuals

    floors = [(_quarter(word), _number("--floor", word, value)) for word, value in _pairs("--floor", words["floors"])]
    followed, actuals = words["followed"], words["actuals"]
    return {
        **words,
        "floors": dict(floors),
        "locks": [_lock(word) for word in words["locks"] or ()],
        "recruit": not words["recruit"],
        "coverage_mode": dict(_pairs("--coverage", words["coverage_mode"])),
        "followed": None if followed is None else sim.TimePlan.load(followed),
        "actuals": None if actuals is None else Actuals.load(actuals),
    }


def _words_again(words: dict[str, Any]) -> Iterator[str]:
    later = [name for name in OPTIONS if name not in REPEATED_FIRST and OPTIONS[name].kind is not bool]
    for name in (*REPEATED_FIRST, *later):
        option, value = OPTIONS[name], words[name]
        if name != "seed" and value != _default(option):
            for text in value if option.kind is list else [value]:
                yield from (option.flag(name), str(text))
    yield from (option.flag(name) for name, option in OPTIONS.items() if option.kind is bool and words[name])


def _default(option: Option) -> Any:
    """What the terminal takes for an option that is not given: a flag is off, and a list not there."""
    return {bool: False, list: None}.get(option.kind, option.default)


def _pairs(option: str, words: list[str] | None) -> list[tuple[str, str]]:
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
    if not word.isdecimal() or len(word) > LONGEST_QUARTER:
        word = f"{word[:LONGEST_QUARTER]}..." if len(word) > LONGEST_QUARTER else word
        raise typer.BadParameter(f"--floor: {word!r} is no quarter; write it as 1=0.9")
    return int(word)


def _lock(word: str) -> dict[str, Any]:
    from optimize.limits import parse_lock

    try:
        return parse_lock(word)
    except ValueError as problem:
        raise typer.BadParameter(f"--lock {word}: {problem}") from None


def _number(option: str, word: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise typer.BadParameter(f"{option} {word}={value}: {value!r} is no number; write it as {word}=0.9") from None


def _parameter(name: str, option: Option) -> Parameter:
    """An option as a parameter of the command, for Typer to read."""
    default = _default(option)
    kind: Any = list[str] if option.kind is list else option.kind
    shown = typer.Option(option.flag(name), help=option.help, metavar=option.metavar)
    taken = kind if default is not None else kind | None
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[taken, shown])


def _with_options(function: Any) -> None:
    """Give a function a parameter for each option, before those of its own that are about the answer."""
    *own, _ = signature(function, eval_str=True).parameters.values()
    scenario_file, out, why, as_json = (parameter.replace(kind=Parameter.KEYWORD_ONLY) for parameter in own)
    *asked, seed = (_parameter(name, option) for name, option in OPTIONS.items())
    parameters = [scenario_file, out, *asked, why, seed, as_json]
    function.__signature__ = signature(function).replace(parameters=parameters, return_annotation=None)
    function.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}


_with_options(command)
