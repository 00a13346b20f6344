"""From a YAML document to a validated object and back, with errors a person can act on.

`Declared` is the base of everything a person writes: frozen, unknown keys refused with a guess at what was
meant. Every field is made by `declare` and so carries its unit, meaning and source; error sentences, the JSON
Schema and the screens take their words from there. A `Document` is a whole file: it keeps the text it came
from, and what did not change is written back as it stood.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self, TypeVar

from immutabledict import immutabledict
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PlainSerializer,
    PrivateAttr,
    model_validator,
)
from pydantic import ValidationError as PydanticError
from pydantic_core import PydanticCustomError

from sim.documents.messages import guess, listed, sentence, show
from sim.errors import InputError

__all__ = [
    "Declared",
    "Document",
    "FrozenMap",
    "Items",
    "declare",
    "guess",
    "is_share",
    "is_whole",
    "items_of",
    "listed",
    "one_or_many",
    "read_yaml",
    "schema_text",
    "show",
    "validate",
    "word_or_number",
]

LARGEST_FILE_BYTES = 1_000_000
MOST_VALUES = 200_000
"""Aliases let a short file mean a billion values; no real document has this many."""
T = TypeVar("T", bound="Declared")
V = TypeVar("V")


def _frozen(value: Mapping[str, V]) -> immutabledict[str, V]:
    return immutabledict(value)


def _thawed(value: Mapping[str, V]) -> dict[str, V]:
    return dict(value)


FrozenMap = Annotated[Mapping[str, V], AfterValidator(_frozen), PlainSerializer(_thawed)]
Items = Annotated[tuple[V, ...], Field(strict=False)]
"""An immutable list: YAML gives lists, the model keeps tuples."""


def _one_or_many(value: object) -> str:
    return "~many" if isinstance(value, Mapping | list | tuple) else "~one"


def _word_or_number(value: object) -> str:
    return "~word" if isinstance(value, str) else "~number"


# Tagged, a wrong value is measured against the one thing it looks like, and there is one sentence about it.
one_or_many = Discriminator(_one_or_many)
"""For a union of Tag("~one") and Tag("~many")."""
word_or_number = Discriminator(_word_or_number)
"""For a union of Tag("~word") and Tag("~number")."""


@dataclass(frozen=True)
class SourceText:
    """The text a document was loaded from, kept for its comments. Two documents with equal values are equal."""

    text: str | None = field(default=None, compare=False)


def _of_numpy(value: object, *kinds: str) -> bool:
    """Whether `value` is of these types of numpy. Where nobody has loaded it nothing is, and it stays unloaded."""
    if "numpy" not in sys.modules:
        return False
    import numpy as np

    return isinstance(value, tuple(getattr(np, kind) for kind in kinds))


def is_whole(value: Any, least: int, most: int) -> bool:
    """Whether a program handed in a whole number from `least` to `most`; true is not a number."""
    whole = isinstance(value, int) or _of_numpy(value, "integer")
    return whole and not isinstance(value, bool) and bool(least <= value <= most)


def is_share(value: Any) -> bool:
    """Whether a program handed in a number from 0 to 1; true is not a number."""
    number = isinstance(value, float | int) or _of_numpy(value, "floating")
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
                    text = f"unknown key {show(key)}; {guess(key, list(cls.model_fields))}"
                    raise PydanticCustomError("unknown_key", "{text}", {"text": text})
            # Strict numbers, but nested documents come as plain mappings and lists.
            return dict(data)
        return data

    def digest(self) -> str:
        """A short fingerprint of every value: equal objects, equal text."""
        import hashlib

        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


class Document(Declared):
    """A whole file, with its comments."""

    schema_file: ClassVar[str]
    """name of the JSON Schema that is written beside the file"""
    kind: ClassVar[str]
    """what to call it, with its article"""
    start_from: ClassVar[str]
    """where somebody whose file is something else can see what is wanted"""
    error: ClassVar[type[InputError]]

    _source: SourceText = PrivateAttr(SourceText())

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """The document in a YAML file. Raises the class's error, a sentence for each thing that is wrong."""
        data, text = read_yaml(path, cls.error)
        if not isinstance(data, Mapping):
            holds = "nothing" if data is None else f"{show(data)}"
            raise cls.error(f"{path}: holds {holds}, not {cls.kind}; {cls.start_from}")
        made = validate(cls, data, str(path), cls.error)
        made._source = SourceText(text)
        return made

    def write(self, path: Path | str) -> None:
        """Write it as YAML, and its JSON Schema beside it, which the first line names for editors.

        Comments and order of the file it was loaded from are kept, and the text of every value that is the
        same.
        """
        _write(path, self.text(), self.error)
        schema, text = Path(path).parent / self.schema_file, schema_text(type(self))
        if not schema.is_file() or schema.read_text(encoding="utf-8", errors="replace") != text:
            _write(schema, text, self.error)

    def text(self) -> str:
        """What `write` would put into the file."""
        after = _whole(self.model_dump(exclude_unset=True))
        original = self._source.text
        text = None
        if original:
            before = _whole(type(self).model_validate(_load(original)).model_dump(exclude_unset=True))
            text = original if before == after else _merged(original, before, after)
            # A file with anchors cannot always be changed in one place only; then the comments have to go.
            try:
                kept = _whole(type(self).model_validate(_load(text)).model_dump(exclude_unset=True)) == after
            except ValueError:
                kept = False
            text = text if kept else None
        if text is None:
            text = _dump(after, "")
        first = "# yaml-language-server:"
        return text if text.startswith(first) else f"{first} $schema={self.schema_file}\n{text}"


def validate(model: type[T], data: object, where: str, error: type[InputError]) -> T:
    """`data` as a `model`, or `error` with a sentence for each thing that is wrong in it."""
    try:
        data = _plain(data, [MOST_VALUES])
        return model.model_validate(data)
    except PydanticError as problems:
        found = problems.errors(include_url=False)
        raise error(*(sentence(model, problem, data, where) for problem in found)) from None
    except RecursionError:
        raise error(f"{where}: the document is nested too deeply; allowed: what the schema shows") from None
    except _TooMany:
        raise error(
            f"{where}: the document means more than {MOST_VALUES:,} values; write it without nested aliases"
        ) from None


class _TooMany(Exception):
    pass


def _plain(value: Any, left: list[int]) -> Any:
    """`value` with the numbers and arrays of numpy as plain ones; counts down what is `left` to be read."""
    left[0] -= 1
    if left[0] < 0:
        raise _TooMany
    if _of_numpy(value, "generic", "ndarray"):
        return value.tolist()
    if isinstance(value, Mapping):
        return {key: _plain(inner, left) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner, left) for inner in value]
    return value


def read_yaml(path: Path | str, error: type[InputError]) -> tuple[object, str]:
    """The plain data of a YAML file and its text; `error` if it cannot be read as YAML."""
    from ruamel.yaml.error import YAMLError

    where = str(path) if len(str(path)) <= 250 else f"{str(path)[:247]}..."
    if not isinstance(path, str | Path) or "\0" in where:
        raise error(f"{show(path)}: cannot be read; give the path of a YAML file")
    try:
        file = Path(path)
        size = file.stat().st_size
        if size > LARGEST_FILE_BYTES:
            raise error(f"{where}: the file has {size:,} bytes; allowed: at most {LARGEST_FILE_BYTES:,}")
        text = file.read_text(encoding="utf-8-sig")
        return _load(text), text
    except InputError:
        raise
    except OSError as problem:
        said = problem.strerror or problem
        raise error(f"{where}: cannot be read ({said}); give the path of a YAML file") from None
    except UnicodeDecodeError as problem:
        raise error(f"{where}: not UTF-8 text (byte {problem.start}); save the file as UTF-8") from None
    except YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark is not None else ""
        what = _first_line(getattr(problem, "problem", None) or problem)
        raise error(f"{where}:{line} not YAML: {what}; correct the line") from None
    except RecursionError:
        raise error(f"{where}: the document is nested too deeply; allowed: what the schema shows") from None
    except Exception as problem:
        # The YAML library lets many kinds escape for malformed scalars (dates, numbers, tags, null bytes).
        raise error(f"{where}: not YAML: {_first_line(problem)}; correct the value") from None


def _first_line(problem: object) -> str:
    lines = str(problem).strip().splitlines() or [type(problem).__name__]
    return " ".join(lines[0].split())[:160]


def _load(text: str) -> object:
    from ruamel.yaml import YAML

    return YAML(typ="safe", pure=True).load(text)


def _write(path: Path | str, text: str, error: type[InputError]) -> None:
    try:
        Path(path).write_text(text, encoding="utf-8")
    except (OSError, ValueError) as problem:
        said = getattr(problem, "strerror", None) or problem
        raise error(f"{path}: cannot be written ({said}); choose another path") from None


def schema_text(model: type[Declared]) -> str:
    """The JSON Schema of `model` as text, with unit, meaning, bounds and source of every field."""
    return json.dumps(model.model_json_schema(), indent=1, ensure_ascii=False) + "\n"


def _whole(value: Any) -> Any:
    """Plain data as a person would write it: lists, and whole numbers without a decimal point."""
    if isinstance(value, Mapping):
        return {key: _whole(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(inner) for inner in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value


def _yaml_like(original: str) -> Any:
    """A YAML reader and writer that keeps quotes and lines, and indents lists as `original` does."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 100_000
    dash = re.search(r"^\S[^\n]*:[^\S\n]*(?:#[^\n]*)?\n(?:\s*#[^\n]*\n)*( *)- ", original, re.MULTILINE)
    offset = len(dash.group(1)) if dash else 2
    yaml.indent(mapping=2, sequence=offset + 2, offset=offset)
    return yaml


def _merged(original: str, before: Any, after: Any) -> str:
    return _dump(_merge(_yaml_like(original).load(original), before, after), original)


def _dump(document: Any, original: str) -> str:
    out = StringIO()
    _yaml_like(original).dump(document, out)
    return out.getvalue()


def _merge(old: Any, before: Any, after: Any) -> Any:
    """The change from `before` to `after` made in a commented document, touching nothing else."""
    if before == after and type(before) is type(after):
        return old
    if isinstance(old, dict) and isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() - after.keys():
            old.pop(key, None)
        for key, value in after.items():
            old[key] = _merge(old[key], before[key], value) if key in before and key in old else value
        return old
    if isinstance(old, list) and isinstance(before, list) and isinstance(after, list):
        for i, value in enumerate(after):
            if i < len(before):
                old[i] = _merge(old[i], before[i], value)
            else:
                old.append(value)
        del old[len(after) :]
        return old
    return after
