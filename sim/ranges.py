"""Numbers nobody can measure, as ranges: their bounds, changing them one by one, and drawing all of them at once.

Left out: which assumptions a scenario makes (scenario.py), and what people call them (assumptions.py).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import AfterValidator, GetJsonSchemaHandler, model_serializer, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from sim.documents.declared import Declared, declare

T = TypeVar("T", bound=Declared)


class Range(Declared):
    """A number nobody can measure: the ends of what is plausible, the likely value, and where they come from.

    A bare number in a file is a range without width.
    """

    in_words: ClassVar[str] = "a number, or low, likely and high"

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "number"}, handler.resolve_ref_schema(handler(core))]}

    low: float = declare("lowest plausible value", unit="as the field")
    likely: float = declare("the value used unless worlds are drawn", unit="as the field")
    high: float = declare("highest plausible value", unit="as the field")
    source: str = declare("where the three numbers come from", unit="text", default="judgement", max_length=1000)

    @model_validator(mode="before")
    @classmethod
    def _from_number(cls, data: Any) -> Any:
        if isinstance(data, (int, float)) and not isinstance(data, bool):
            return {"low": data, "likely": data, "high": data}
        return data

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.low <= self.likely <= self.high:
            raise ValueError(f"low {self.low}, likely {self.likely}, high {self.high} are not in this order; sort them")
        return self

    @model_serializer(mode="wrap")
    def _as_number(self, default: Any) -> Any:
        return self.likely if self.low == self.high and self.source == "judgement" else default(self)

    def fixed(self, value: float) -> Range:
        """A range without width, with the same source."""
        return Range.model_construct(low=value, likely=value, high=value, source=self.source)

    def at(self, share: float) -> float:
        """Inverse of the triangular distribution on (low, likely, high): `share` in [0, 1) to a value."""
        width = self.high - self.low
        if width == 0:
            return self.likely
        if share * width < self.likely - self.low:
            return self.low + float((share * width * (self.likely - self.low)) ** 0.5)
        return self.high - float(((1 - share) * width * (self.high - self.likely)) ** 0.5)


@dataclass(frozen=True)
class Within:
    """Bounds of a range, checked at both ends."""

    least: float
    most: float

    def __call__(self, value: Range) -> Range:
        for end in (value.low, value.high):
            if not self.least <= end <= self.most:
                raise ValueError(f"{end:g} is out of bounds; allowed: {self.least:g} to {self.most:g}")
        return value


ShareRange = Annotated[Range, AfterValidator(Within(0, 1))]
WeeksRange = Annotated[Range, AfterValidator(Within(0.5, 520))]
HoursRange = Annotated[Range, AfterValidator(Within(0.01, 100))]
YieldRange = Annotated[Range, AfterValidator(Within(0, 50))]
SupportRange = Annotated[Range, AfterValidator(Within(0, 40))]


def with_ranges(inputs: T, change: Callable[[str, Range], Range], only: str = "") -> T:
    """The inputs with `change(path, range)` in place of every range, or of the one whose path is `only`.

    A path names segments and partners: `.market_map[enterprise].prospecting_yield`. Nothing is validated again.
    """

    def changed(value: Any, path: str) -> Any:
        if not only.startswith(path) and only:
            return value
        if isinstance(value, Range):
            return change(path, value)
        if isinstance(value, Declared):
            parts = ((name, inner, changed(inner, f"{path}.{name}")) for name, inner in value)
            new = {name: part for name, inner, part in parts if part is not inner}
            return value.model_copy(update=new) if new else value
        if isinstance(value, tuple):
            items = tuple(changed(inner, f"{path}[{getattr(inner, 'name', i)}]") for i, inner in enumerate(value))
            return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
        return value

    return changed(inputs, "")


def draw_ranges(inputs: T, seed: int, world: int) -> T:
    """The inputs with each range replaced by one value drawn from it.

    Draws are independent and triangular; the address of a draw is the checksum of the field's path, so another
    assumption changes no draw.
    """
    from sim.streams import Stream, uniforms

    def draw(path: str, value: Range) -> Range:
        mark = uniforms(seed, world, Stream.WORLD, zlib.crc32(path.encode()), 1)[0]
        return value.fixed(value.at(float(mark)))

    return with_ranges(inputs, draw)
