"""Claim: in every scenario that can be made, all indicators are finite, at the ends of what is allowed too.

Scenarios are the baseline with some numbers replaced by others from their declared bounds, the ends as often as what
lies between. Where the whole is refused, it is in a sentence.

Left out: scenarios built from nothing (tests/strategies.py).
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import annotated_types
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sim import PlanError, Scenario, TimePlan, compare, load_scenario
from sim.documents.declared import Declared
from sim.ranges import Range, Within
from sim.study.estimates import plain_data
from tests import BASELINE
from tests.sim.test_properties import checked

pytestmark = pytest.mark.generated

SCENARIO = load_scenario(BASELINE)
Path = tuple[str | int, ...]


def numbers(value: Any, path: Path = ()) -> Iterator[tuple[Path, float, float, bool]]:
    """Every number of a document: its path, its least and most, and whether it is a whole one."""
    for name, field in type(value).model_fields.items():
        inner, here = getattr(value, name), (*path, name)
        bounds = {type(one): one for one in field.metadata}
        if isinstance(inner, Range):
            within = bounds.get(Within, Within(0, 1))
            yield here, within.least, within.most, False
        elif isinstance(inner, Declared):
            yield from numbers(inner, here)
        elif isinstance(inner, tuple):
            for i, item in enumerate(inner):
                if isinstance(item, Declared):
                    yield from numbers(item, (*here, i))
        elif isinstance(inner, int | float) and not isinstance(inner, bool):
            least = getattr(bounds.get(annotated_types.Ge), "ge", getattr(bounds.get(annotated_types.Gt), "gt", 0))
            most = getattr(bounds.get(annotated_types.Le), "le", getattr(bounds.get(annotated_types.Lt), "lt", 1))
            yield here, least, most, isinstance(inner, int)


NUMBERS = list(numbers(SCENARIO))
DIVISORS = [number for number in NUMBERS if number[0][0] in ("quota", "territory_manager")]
"""Numbers that indicators are shares of, varied more often than others."""


def another(draw: random.Random, least: float, most: float, whole: bool) -> float:
    """A number within bounds: an end of them, or one between, small ones as likely as large ones."""
    between = least + (most - least) * 10 ** draw.uniform(-9, 0)
    number = draw.choice([least, most, between, between])
    return int(number) if whole else float(number)


def changed(seed: int) -> dict[str, Any]:
    """The baseline's document with some numbers replaced."""
    draw, document = random.Random(seed), SCENARIO.model_dump(mode="json", exclude_unset=True)
    some = draw.sample(NUMBERS, draw.choice([1, 1, 2, 4, 8])) + draw.choice([[], DIVISORS])
    for path, least, most, whole in some:
        place: Any = document
        for step in path[:-1]:
            place = place.setdefault(step, {}) if isinstance(step, str) else place[step]
        number = another(draw, least, most, whole)
        if isinstance(place.get(path[-1]), dict):
            number = dict.fromkeys(("low", "likely", "high"), number) | {"source": "a test"}  # type: ignore[assignment]
        place[path[-1]] = number
    return document


def endless(value: Any, path: str = "") -> Iterator[str]:
    """The places in plain data where a number is none, or infinite."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from endless(inner, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for i, inner in enumerate(value):
            yield from endless(inner, f"{path}[{i}]")
    elif isinstance(value, float) and not np.isfinite(value):
        yield path


def test_the_numbers_that_are_varied_are_those_of_the_whole_file() -> None:
    paths = {".".join(map(str, path)) for path, *_ in NUMBERS}
    assert len(NUMBERS) > 150
    assert {"quota.growth_per_year", "assumptions.coach_tau_hours", "partners.0.margin"} <= paths


@settings(checked, max_examples=checked.max_examples // 2)  # of a large market a run takes seconds
@given(st.integers(0, 10**9))
def test_every_indicator_is_finite(seed: int) -> None:
    try:
        scenario = Scenario.model_validate(changed(seed))
        plans = {"status quo": TimePlan.status_quo(scenario), "other": TimePlan.constant(scenario, 0.2)}
    except (ValidationError, PlanError):
        assume(False)
    comparison = compare(scenario, plans, replications=2, worlds=2, workers=1)
    for name, outcomes in comparison.outcomes.items():
        assert np.isfinite(outcomes.values).all(), f"{name}: {scenario.digest()}"
    assert not list(endless(plain_data(comparison.as_dict()))), scenario.digest()
