"""nexthour check: say what is wrong in scenario and plan files."""

from typing import Annotated

import typer

from nexthour.packaged import scenario_path
from nexthour.report.numbers import count_of
from nexthour.terminal.common import AsJson, fail, print_json

OTHER_FILES = {
    "amount": "a mapping file, for nexthour calibrate --mapping",
    "activities": "a file of rules, for nexthour hours --rules",
    "by_quarter": "a file of actuals, for nexthour plan --actuals",
}
"""What a file is that is neither scenario nor plan, by a key that each of that kind has."""


def command(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Scenario or plan files.")],
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
            line = _contents_of(scenario_path(file))
        except InputError as problem:
            problems = problem.problems
        found.append({"file": file, "ok": not problems, "problems": list(problems)})
        if not as_json and line:
            print(f"{file}: ok, {line}")
        for sentence in () if as_json else problems:
            fail(sentence, 1)
    if as_json:
        print_json(found)
    if not all(entry["ok"] for entry in found):
        raise typer.Exit(1)


def _contents_of(file: str) -> str:
    """What a usable scenario or plan file holds. Raises InputError."""
    from nexthour.report.comparison import hours_note
    from sim import InputError, TimePlan, load_scenario
    from sim.documents.yaml_file import read_yaml
    from sim.study.options import SEED, WORLDS_OF_SENSITIVITY

    data, _ = read_yaml(file, InputError)
    if isinstance(data, dict) and "market_map" not in data:
        if "hours" in data:
            plan = TimePlan.load(file)
            return f"plan {plan.name!r} with {count_of(len(plan.hours), 'row')}"
        for key, other in OTHER_FILES.items():
            if key in data:
                raise InputError(f"{file}: is {other}; give the path of a scenario or plan file")
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
    note = hours_note(scenario, SEED.default, WORLDS_OF_SENSITIVITY.default)
    return f"scenario {scenario.name!r}: {', '.join(parts)}{'. ' if note else ''}{note}"
