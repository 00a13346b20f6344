"""Every number and word of a scenario as a row: where it stands, its range, its unit, what it means, its source.

The rows come from the declarations of sim/scenario.py, so a new field is listed without a change here.

Left out: any judgement of the numbers (sim/study/sensitivity.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic.fields import FieldInfo

from sim import Scenario
from sim.documents.declared import Declared
from sim.documents.messages import declaration
from sim.ranges import Range

Value = float | str


@dataclass(frozen=True)
class FieldRow:
    """One value of a scenario."""

    where: str
    low: float | None
    """only of what has a range"""
    value: Value
    """the likely one, if it has a range"""
    high: float | None
    unit: str
    meaning: str
    source: str


def field_rows(scenario: Scenario) -> Iterator[FieldRow]:
    """Every field in the order of the declarations, defaults included."""
    yield from _of_model(scenario, "", scenario.source)


def _of_model(model: Declared, where: str, source: str) -> Iterator[FieldRow]:
    """`source` is that of what holds the model, unless it names its own."""
    if "source" in model.model_fields_set:
        source = getattr(model, "source", source)
    for name, field in type(model).model_fields.items():
        words = name.replace("_", " ")
        # Nobody wrote a default: its source is the declaration's.
        written_by = source if name in model.model_fields_set else declaration(field)["source"]
        yield from _of_value(getattr(model, name), f"{where} > {words}" if where else words, field, written_by)


def _of_value(value: object, where: str, field: FieldInfo, source: str) -> Iterator[FieldRow]:
    unit, meaning = declaration(field)["unit"], str(field.description)
    if isinstance(value, Range):
        wide = value.low < value.high
        low, high = (value.low, value.high) if wide else (None, None)
        yield FieldRow(where, low, value.likely, high, unit, meaning, value.source)
    elif isinstance(value, Declared):
        yield from _of_model(value, where, source)
    elif isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _of_value(inner, f"{where} > {key}", field, source)
    elif isinstance(value, tuple) and any(isinstance(inner, Declared) for inner in value):
        for i, inner in enumerate(value, start=1):
            yield from _of_value(inner, f"{where} > {getattr(inner, 'name', i)}", field, source)
    else:
        yield FieldRow(where, None, _plain(value), None, unit, meaning, source)


def _plain(value: object) -> Value:
    if isinstance(value, int | float):
        return value
    if isinstance(value, tuple | Mapping):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
