"""Declared inputs: each field with its unit, meaning, bounds and source, checked when made.

`Declared` is the base of everything a person writes: frozen, unknown keys refused with a guess at what was meant. Every
field is made by `declare`; error sentences, the JSON Schema and the screens take their words from there.

Left out: the wording of what is wrong (messages.py) and files (yaml_file.py).
"""

import json
import sys
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Annotated, Any, TypeVar

from immutabledict import immutabledict
from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, PlainSerializer, model_validator
from pydantic import ValidationError as PydanticError
from pydantic_core import PydanticCustomError

from sim.documents.messages import sentence, show
from sim.errors import InputError

MOST_VALUES = 100_000
"""Aliases let a short file mean a billion values; no real document has this many."""
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
            for key in data:
                if key not in cls.model_fields:
                    # The guess at what was meant comes later (messages.sentence): a file may have many of them.
                    # pydantic cannot take every key: some are no text, some no text that can be encoded.
                    plain = key if isinstance(key, str) and key.isascii() else ""
                    found = {"shown": show(key), "key": plain, "known": list(cls.model_fields)}
                    raise PydanticCustomError("unknown_key", "unknown key", found)
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
    """`data` as a `model`, or `error` with a sentence for each thing that is wrong in it."""
    try:
        data = _without_numpy(data, [MOST_VALUES])
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


def _without_numpy(value: Any, left: list[int]) -> Any:
    """`value` with the numbers and arrays of numpy as plain ones; counts down what is `left` to be read."""
    left[0] -= 1
    if left[0] < 0:
        raise _TooMany
    if _is_of_numpy(value, "generic", "ndarray"):
        return value.tolist()
    if isinstance(value, Mapping):
        return {key: _without_numpy(inner, left) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_numpy(inner, left) for inner in value]
    return value


def schema_text(model: type[Declared]) -> str:
    """The JSON Schema of `model` as text, with unit, meaning, bounds and source of every field."""
    return json.dumps(model.model_json_schema(), indent=1, ensure_ascii=False) + "\n"
