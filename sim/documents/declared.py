"""Declared inputs: each field with its unit, meaning, bounds and source, checked when made.

`Declared` is the base of everything a person writes: frozen, unknown keys refused with a guess at what was meant. Every
field is made by `declare`; error sentences, the JSON Schema and the screens take their words from there.

Left out: the wording of what is wrong (messages.py) and files (yaml_file.py).
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from immutabledict import immutabledict
from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, PlainSerializer, Tag, model_validator
from pydantic import ValidationError as PydanticError
from pydantic_core import PydanticCustomError

from sim.documents.messages import bare_type, bounds_of, sentence
from sim.errors import InputError

MOST_VALUES = 100_000
"""Aliases let a short file mean a billion values; no real document has this many."""
MOST_ITEMS = 20_000
"""Of a list whose field declares no bound, and keys of a mapping of names to values."""
LONG = 1_000
"""Length of a list or a mapping from which on its bound is looked at before what is in it."""
MOST_SENTENCES = 50
"""More about one document nobody reads; of the rest there is the number."""
T = TypeVar("T", bound="Declared")
V = TypeVar("V")


def _frozen(value: Mapping[str, V]) -> immutabledict[str, V]:
    return immutabledict(value)


def _thawed(value: Mapping[str, V]) -> dict[str, V]:
    return dict(value)


FrozenMap = Annotated[Mapping[str, V], AfterValidator(_frozen), PlainSerializer(_thawed)]
Items = Annotated[tuple[V, ...], Field(strict=False)]
"""An immutable list: YAML gives lists, the model keeps tuples."""


# Tagged, a wrong value is measured against the one kind it looks like, and there is one sentence about it.
one_or_many = Discriminator(lambda value: "~many" if isinstance(value, Mapping | list | tuple) else "~one")
"""For a union of Tag("~one") and Tag("~many")."""
word_or_number = Discriminator(lambda value: "~word" if isinstance(value, str) else "~number")
"""For a union of Tag("~word") and Tag("~number")."""


def _is_of_numpy(value: object, *kinds: str) -> bool:
    """Whether `value` is of these types of numpy. Where nobody has loaded it nothing is, and it stays unloaded."""
    if "numpy" not in sys.modules:
        return False
    import numpy as np

    return isinstance(value, tuple(getattr(np, kind) for kind in kinds))


def is_whole(value: Any, least: int, most: int) -> bool:
    """Whether a program handed in a whole number from `least` to `most`; true is not a number."""
    whole = isinstance(value, int) or _is_of_numpy(value, "integer")
    return whole and not isinstance(value, bool) and bool(least <= value <= most)


def is_share(value: Any) -> bool:
    """Whether a program handed in a number from 0 to 1; true is not a number."""
    number = isinstance(value, float | int) or _is_of_numpy(value, "floating")
    return number and not isinstance(value, bool) and bool(0 <= value <= 1)


def items_of(value: object) -> Any:
    """What is in an iterable, the first 20,000; any other value, text and maps among them, as it is."""
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping):
        return list(islice(value, 20_000))
    return value


def declare(meaning: str, *, unit: str, source: str = "judgement", default: Any = ..., **bounds: Any) -> Any:
    """A field with its meaning, unit, source and bounds; without a default it must be written."""
    return Field(default, description=meaning, json_schema_extra={"unit": unit, "source": source}, **bounds)


class Declared(BaseModel):
    """Base of all inputs: frozen, no unknown keys, no infinities, no silent conversions of numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _know_every_key(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            if not data.keys() <= cls.model_fields.keys():
                # Which, and what was meant, is looked for later (messages.sentence): a file may have many of them.
                raise PydanticCustomError("unknown_key", "unknown key")
            # Strict numbers, but nested documents come as plain mappings and lists.
            return dict(data)
        return data

    def digest(self) -> str:
        """A short fingerprint of every value: equal objects, equal text."""
        import hashlib

        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


class Request(Declared):
    """What somebody asks for, as one value: the same from Python, a command line, a page or a job."""

    def digest(self) -> str:
        """A short fingerprint of every value: equal requests, equal text, in whatever order mappings were written."""
        import hashlib

        values = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(values.encode()).hexdigest()[:16]


def validate(model: type[T], data: object, where: str, error: type[InputError]) -> T:
    """`data` as a `model`, or `error` with a sentence for each thing that is wrong in it.

    If lists or mappings are far too long, this is all that is told: to say what is wrong with all that is in them takes
    long.
    """
    try:
        left = _Left()
        data = _without_numpy(data, left)
        if left.has_long and (too_long := list(islice(_too_long(model, (), data, ()), MOST_SENTENCES))):
            raise error(*(sentence(model, problem, data, where) for problem in too_long))
        return model.model_validate(data)
    except PydanticError as problems:
        found = problems.errors(include_url=False)
        sentences = (sentence(model, problem, data, where) for problem in found[:MOST_SENTENCES])
        raise error(*sentences, untold=max(0, len(found) - MOST_SENTENCES)) from None
    except RecursionError:
        raise error(f"{where}: the document is nested too deeply; allowed: what the schema shows") from None
    except _TooMany:
        raise error(
            f"{where}: the document means more than {MOST_VALUES:,} values; write it without nested aliases"
        ) from None


class _TooMany(Exception):
    pass


class _Left:
    """How many values may still be read, and whether a list or a mapping among them was long."""

    def __init__(self) -> None:
        self.values, self.has_long = MOST_VALUES, False


def _without_numpy(value: Any, left: _Left) -> Any:
    """`value` with the numbers and arrays of numpy as plain ones; counts down what is `left` to be read."""
    left.values -= 1
    if left.values < 0:
        raise _TooMany
    if _is_of_numpy(value, "generic", "ndarray"):
        return value.tolist()
    if isinstance(value, Mapping):
        left.has_long |= len(value) > LONG
        return {key: _without_numpy(inner, left) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        left.has_long |= len(value) > LONG
        return [_without_numpy(inner, left) for inner in value]
    return value


def _too_long(annotation: Any, metadata: tuple[Any, ...], data: Any, loc: tuple[Any, ...]) -> Iterator[dict[str, Any]]:
    """A problem, as pydantic would tell it, for each long list or mapping that is longer than what is allowed."""
    if not isinstance(data, Mapping | list):
        return
    annotation, metadata, _ = bare_type(annotation, metadata)
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        for member in inside:
            _, of_member, _ = bare_type(member, ())
            tags = tuple(item.tag for item in of_member if isinstance(item, Tag))
            yield from _too_long(member, (), data, (*loc, *tags))
    elif isinstance(data, Mapping):
        fields = getattr(annotation, "model_fields", {})
        for key in data.keys() & fields.keys() if fields else ():
            yield from _too_long(fields[key].annotation, tuple(fields[key].metadata), data[key], (*loc, key))
        if not fields and len(data) > MOST_ITEMS:
            yield _told(loc, data, f"has {len(data):,} keys; allowed: at most {MOST_ITEMS:,}")
        elif not fields and origin is Mapping:
            for key, value in data.items():
                yield from _too_long(inside[-1], (), value, (*loc, key))
    elif origin is tuple:
        most = bounds_of(annotation, metadata).get("max_length")
        if most is not None and len(data) > max(LONG, most):
            yield {"type": "too_long", "loc": loc, "input": data}
        elif len(data) > MOST_ITEMS:
            yield _told(loc, data, f"has {len(data):,} items; allowed: at most {MOST_ITEMS:,}")
        else:
            for number, item in enumerate(data):
                yield from _too_long(inside[0], (), item, (*loc, number))


def _told(loc: tuple[Any, ...], data: Any, what: str) -> dict[str, Any]:
    return {"type": "value_error", "loc": loc, "input": data, "ctx": {"error": what}}


def schema_text(model: type[Declared]) -> str:
    """The JSON Schema of `model` as text, with unit, meaning, bounds and source of every field."""
    return json.dumps(model.model_json_schema(), indent=1, ensure_ascii=False) + "\n"
