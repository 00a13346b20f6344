"""From a YAML document to a validated object and back, with errors a person can act on.

`Declared` is the base of everything a person writes: frozen, unknown keys refused with a guess at what was meant. Every
field is made by `declare` and so carries its unit, meaning and source; error sentences, the JSON Schema and the
screens take their words from there.
"""

from __future__ import annotations

import difflib
import json
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

from immutabledict import immutabledict
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, model_validator
from pydantic import ValidationError as PydanticError
from pydantic_core import PydanticCustomError

from sim.errors import InputError

LARGEST_FILE_BYTES = 2_000_000
_SHOW = reprlib.Repr()
_SHOW.maxstring = _SHOW.maxother = 60
_SHOW.maxlevel = _SHOW.maxdict = _SHOW.maxlist = 3
T = TypeVar("T", bound="Declared")
V = TypeVar("V")

FrozenMap = Annotated[
    Mapping[str, V],
    AfterValidator(lambda value: immutabledict(value)),
    PlainSerializer(lambda value: dict(value)),
]
Items = Annotated[tuple[V, ...], Field(strict=False)]
"""An immutable list: YAML gives lists, the model keeps tuples."""


@dataclass(frozen=True)
class SourceText:
    """The text a document was loaded from, kept for its comments. Two documents with equal values are equal."""

    text: str | None = field(default=None, compare=False)


def show(value: object) -> str:
    """A value as it may stand in an error sentence: short, on one line, whatever it is."""
    return _SHOW.repr(value).replace("\n", " ")


def guess(word: object, known: list[str]) -> str:
    """The end of a sentence about an unknown word: what was probably meant, or what there is."""
    close = difflib.get_close_matches(str(word)[:100], known, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return f"allowed: {', '.join(known)}" if known else "nothing is allowed here"


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
                    raise PydanticCustomError(
                        "unknown_key",
                        "{text}",
                        {"text": f"unknown key {show(key)}; {guess(key, list(cls.model_fields))}"},
                    )
            # Strict numbers, but nested documents come as plain mappings and lists.
            return dict(data)
        return data

    def digest(self) -> str:
        """A short fingerprint of every value: equal objects, equal text."""
        import hashlib

        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


def validate(model: type[T], data: object, where: str, error: type[InputError]) -> T:
    """`data` as a `model`, or `error` with a sentence for each thing that is wrong in it."""
    try:
        return model.model_validate(data)
    except PydanticError as problems:
        raise error(*(_sentence(model, p, where) for p in problems.errors(include_url=False))) from None
    except RecursionError:
        raise error(f"{where}: the document is nested too deeply; allowed: what the schema shows") from None


def read_yaml(path: Path | str, error: type[InputError]) -> tuple[object, str]:
    """The plain data of a YAML file and its text; `error` if it cannot be read as YAML."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    where = str(path)
    try:
        file = Path(path)
        if file.stat().st_size > LARGEST_FILE_BYTES:
            raise error(
                f"{where}: the file has {file.stat().st_size:,} bytes; at most {LARGEST_FILE_BYTES:,} are read"
            )
        text = file.read_text(encoding="utf-8-sig")
        return YAML(typ="safe", pure=True).load(text), text
    except OSError as problem:
        raise error(
            f"{where}: cannot be read ({problem.strerror or problem}); give the path of a YAML file"
        ) from None
    except UnicodeDecodeError as problem:
        raise error(f"{where}: not UTF-8 text (byte {problem.start}); save the file as UTF-8") from None
    except YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark is not None else ""
        what = " ".join(str(getattr(problem, "problem", None) or problem).split())[:200]
        raise error(f"{where}:{line} not YAML: {what}; correct the line") from None
    except RecursionError:
        raise error(f"{where}: the document is nested too deeply; allowed: what the schema shows") from None
    except (ValueError, TypeError, AttributeError, KeyError, IndexError, OverflowError) as problem:
        # The YAML library lets these escape for some malformed scalars (dates, numbers, tags, null bytes).
        raise error(f"{where}: not YAML: {' '.join(str(problem).split())[:200]}; correct the value") from None


def write_yaml(
    path: Path | str, data: dict[str, Any], original: str | None, schema: str, error: type[InputError]
) -> None:
    """Write `data`; where `original` is the text it came from, keep its comments and order.

    The first line names the JSON Schema file, so that editors complete and check the document.
    """
    from io import StringIO

    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.width = 140
    yaml.indent(mapping=2, sequence=4, offset=2)
    document = yaml.load(original) if original else None
    document = _merge(document, data)
    out = StringIO()
    if not (original or "").startswith("# yaml-language-server:"):
        out.write(f"# yaml-language-server: $schema={schema}\n")
    yaml.dump(document, out)
    try:
        Path(path).write_text(out.getvalue(), encoding="utf-8")
    except OSError as problem:
        raise error(
            f"{path}: cannot be written ({problem.strerror or problem}); choose another path"
        ) from None


def write_schema(model: type[Declared], path: Path, error: type[InputError]) -> None:
    """Write the JSON Schema of `model`, with unit, meaning, bounds and source of every field."""
    try:
        path.write_text(schema_text(model), encoding="utf-8")
    except OSError as problem:
        raise error(
            f"{path}: cannot be written ({problem.strerror or problem}); choose another path"
        ) from None


def schema_text(model: type[Declared]) -> str:
    """The JSON Schema of `model` as text."""
    return json.dumps(model.model_json_schema(), indent=1, ensure_ascii=False) + "\n"


def _merge(old: Any, new: Any) -> Any:
    """`new` laid over a commented document, touching only what differs so that comments stay where they are."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [key for key in old if key not in new]:
            del old[key]
        for key, value in new.items():
            old[key] = _merge(old[key], value) if key in old else value
        return old
    if isinstance(new, tuple):
        new = list(new)
    if isinstance(old, list) and isinstance(new, list):
        for i, value in enumerate(new):
            if i < len(old):
                old[i] = _merge(old[i], value)
            else:
                old.append(value)
        del old[len(new) :]
        return old
    return old if old == new and type(old) is not bool else new


def _sentence(model: type[Declared], problem: Any, where: str) -> str:
    """One sentence for one validation problem: file, field, value, what is allowed, how to mend it."""
    loc = tuple(part for part in problem["loc"] if not (isinstance(part, str) and _is_union_tag(part)))
    path = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in loc).lstrip(".") or "the document"
    named = _name_of(problem, path)
    declared = _declared_at(model, loc)
    kind, value = problem["type"], problem["input"]
    if kind == "missing":
        return f"{where}: {named} is missing{_meaning(declared)}; add it"
    if kind in ("unknown_key", "value_error"):
        text = problem["ctx"]["text"] if kind == "unknown_key" else str(problem["ctx"]["error"])
        at = "" if path == "the document" else f"{named}: "
        return f"{where}: {at}{text}"
    return f"{where}: {named} is {show(value)}; allowed: {_allowed(problem)}{_meaning(declared)}"


def _allowed(problem: Any) -> str:
    text: str = problem["msg"]
    for start in ("Input should be ", "Value should be ", "Input "):
        text = text.removeprefix(start)
    return text[0].lower() + text[1:]


def _meaning(declared: Any) -> str:
    if declared is None or not declared.description:
        return ""
    unit = (declared.json_schema_extra or {}).get("unit", "")
    return f" ({declared.description}{', ' + unit if unit else ''})"


def _name_of(problem: Any, path: str) -> str:
    """The path; where the thing has a name of its own, that too."""
    value = problem["input"]
    name = value.get("name") if isinstance(value, Mapping) else None
    return f"{path} ({name})" if isinstance(name, str) and name and len(name) < 60 else path


def _is_union_tag(part: str) -> bool:
    return "[" in part or part in {"float", "int", "str", "none", "date"}


def _declared_at(model: Any, loc: tuple[Any, ...]) -> Any:
    """The declaration of the field at `loc`, or None where the path leaves the declared fields."""
    declared = None
    for part in loc:
        if isinstance(part, int):
            continue
        fields = getattr(model, "model_fields", {})
        if part not in fields:
            return declared
        declared = fields[part]
        model = next(iter(_models_in(declared.annotation)), None)
    return declared


def _models_in(annotation: Any) -> list[Any]:
    if isinstance(annotation, type) and issubclass(annotation, Declared):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models_in(inner)]
