# ruff: noqa: E501 - attacks stand in lists, as wide as they are
"""Values that a program, a link or a command line hands in, other than files."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from tests.hostile import good_files
from tests.hostile.on_bytes import Room
from tests.hostile.on_text import DATES, JUNK, NUMBERS, WORDS, corrupted

OBJECTS: tuple[Any, ...] = (b"x", (1, 2), {1, 2}, object(), 10**5000, 1 + 2j, range(5), int, lambda: 1)
WORDS_OF_A_LINK = (*NUMBERS, *WORDS, *DATES)


@dataclass(frozen=True)
class HandedIn:
    """One way to hand in a value."""

    name: str
    make: Callable[[random.Random, Room], Any]
    take: Callable[[Any], object]
    """what the product makes of it; raises InputError"""


@cache
def _good(kind: str) -> Any:
    text = {
        "mapping": good_files.mapping_texts, "rules": good_files.rules_texts, "actuals": good_files.actuals_texts,
        "plan": good_files.plan_texts, "scenario": lambda: (good_files.text_of("baseline.yaml"),),
    }[kind]()[0]  # fmt: skip
    return yaml.safe_load(text)


def _junk(rng: random.Random) -> Any:
    return rng.choice(
        [rng.choice(JUNK), rng.choice(OBJECTS), rng.choice(WORDS), rng.uniform(-2, 2), 10 ** rng.randrange(20)]
    )


def _corrupted(kind: str) -> Callable[[random.Random, Room], Any]:
    def make(rng: random.Random, room: Room) -> Any:
        data = _good(kind)
        for _ in range(rng.choice([1, 1, 2, 5])):
            if isinstance(data, dict | list) and data:
                data = corrupted(data, rng, _junk(rng))
        return data if rng.random() < 0.95 else _junk(rng)

    return make


def _validated(kind: str) -> Callable[[Any], object]:
    def take(data: Any) -> object:
        from nexthour.calibrate.calendar.audit import CalendarRules
        from nexthour.calibrate.deals.mapping import make_mapping
        from optimize.replan.actuals import Actuals
        from sim import PlanError, Scenario, ScenarioError, TableError, TimePlan
        from sim.documents.declared import validate

        if kind == "mapping":
            return make_mapping(data)
        model, error = {
            "rules": (CalendarRules, TableError), "actuals": (Actuals, PlanError), "plan": (TimePlan, PlanError),
            "scenario": (Scenario, ScenarioError),
        }[kind]  # fmt: skip
        made: Any = validate(model, data, "the data", error)
        if kind == "actuals":
            from tests.hostile.readers import baseline

            made.figures(baseline())
        return made.digest()

    return take


def _range_of(rng: random.Random, room: Room) -> Any:
    numbers = [0, 1, -1, 0.5, 1e100, -1e100, 5e-324, float("nan"), float("inf"), 10**400, True, None, "1", 1e-9]
    whole = {name: rng.choice(numbers) for name in ("low", "likely", "high")}
    return rng.choice(
        [whole, dict(sorted(whole.items(), key=lambda item: str(item[1]))), rng.choice(numbers), _junk(rng)]
    )


def _take_range(value: Any) -> object:
    from sim import ScenarioError
    from sim.documents.declared import validate
    from sim.ranges import Range

    made = validate(Range, value, "the range", ScenarioError)
    # What is drawn from a range lies in it, whatever the range.
    for share in (0.0, 0.3, 0.999999):
        assert made.low <= made.at(share) <= made.high, f"{made!r} at {share} is {made.at(share)}"
    return made.digest()


def _link(rng: random.Random, room: Room) -> dict[str, list[str]]:
    known = ["scenario", "seed", "markets", "share", "plan", "part", "park", "words", "x"]
    keys = rng.sample(known, rng.randrange(1, 5)) + [rng.choice(WORDS_OF_A_LINK) for _ in range(rng.choice([0, 1, 3]))]
    if rng.random() < 0.1:
        keys += [f"k{i}" for i in range(room.items // 20)]
    said = {key: [rng.choice(WORDS_OF_A_LINK) for _ in range(rng.choice([1, 1, 1, 3]))] for key in keys}
    if rng.random() < 0.1:
        said[keys[0]] = ["x" * room.bytes] * 2 if rng.random() < 0.5 else [f"x{i}" for i in range(room.items)]
    return said


def _take_link(said: dict[str, list[str]]) -> object:
    """A page that has a field of each kind is opened by this link; what is wrong in it is told in sentences."""
    from nexthour.app.state import url_state

    fields = (
        url_state.choice("scenario", ["baseline", "lunch-trap"], "baseline"), url_state.number("seed", 0, 10**6, 1),
        url_state.number("share", 0, 1, 0.5, whole=False), url_state.several("park", ["Birch IT", "Fir Solutions"]),
        url_state.optional_field(url_state.number("markets", 1, 1000, 100)), url_state.text("words"),
    )  # fmt: skip
    values, wrong = url_state.read_words(said, fields)
    assert values.keys() == {field.key for field in fields}
    from tests.hostile.judging import wrong_with_text

    assert len(wrong) <= 30, f"{len(wrong)} sentences about one link"
    for sentence in wrong:
        assert not (fault := wrong_with_text(sentence)), fault
    return values


def _command_line(rng: random.Random, room: Room) -> list[str]:
    commands = ["check", "simulate", "compare", "plan", "frontier", "gap", "rollup", "monday", "mapping", "calibrate", "backtest",
                "partners", "judgement", "hours", "recruiting", "schema", "sensitivity", "x", ""]  # fmt: skip
    options = ["--seed", "--markets", "--effort", "--json", "--out", "--weeks", "--fraction", "--decimal", "--encoding", "--quarter",
               "--as-of", "--from", "--to", "--zzz", "--sheet", "--rejects", "--scenario", "--worlds"]  # fmt: skip
    line = [rng.choice(commands)]
    for _ in range(rng.choice([1, 2, 4])):
        line.append(rng.choice(options) if rng.random() < 0.5 else rng.choice(WORDS_OF_A_LINK))
    # With what no command takes, none of them begins to work.
    return [*line, "--no-such-option"]


def _take_command_line(words: list[str]) -> object:
    from tests.hostile.judging import run_command, wrong_with_run

    assert not (fault := wrong_with_run(run_command(words), codes=(1, 2))), fault
    return None


HANDED_IN: tuple[HandedIn, ...] = (
    *(HandedIn(f"data of a {kind}", _corrupted(kind), _validated(kind)) for kind in ("scenario", "plan", "mapping", "rules", "actuals")),
    HandedIn("a range", _range_of, _take_range),
    HandedIn("a link", _link, _take_link),
    HandedIn("a link", _link, _take_link),
    HandedIn("a command line", _command_line, _take_command_line),
)  # fmt: skip
