"""What is wrong with an input, in one sentence: file, field, value, what is allowed, how to mend it.

The words come from the declarations: bounds and types say what is allowed, meaning and unit stand in parentheses. The
path names the partner or segment it passes through, since nobody counts list items in a file.

Left out: which inputs are wrong (declared.py and the models decide that).
"""

import datetime
import difflib
import math
import re
import reprlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, Tag
from pydantic.fields import FieldInfo

LIST_LETTERS = 160
WORD_JOINER = "\N{WORD JOINER}"
"""A character that nobody sees."""
WORDLESS_UNITS = ("", "none", "share", "probability", "as the field")
MEANING_ROOM = 340
"""Letters of a sentence beyond which the meaning of the field is left out: a long file name leaves no room for it."""


def declaration(field: FieldInfo) -> Mapping[str, Any]:
    """What `declare` says of a field beside its meaning and bounds: its unit, its source and so on, by word."""
    extra = field.json_schema_extra
    return extra if isinstance(extra, dict) else {}


class _Show(reprlib.Repr):
    """A short `repr` that speaks YAML where the two differ and cannot be made to fail or to print much."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 60
        self.maxlevel = self.maxdict = self.maxlist = self.maxtuple = self.maxset = 3

    def repr_int(self, value: int, level: int) -> str:
        if value.bit_length() > 128:
            return f"a whole number of about {max(1, int(value.bit_length() * math.log10(2))):,} digits"
        return repr(value)

    def repr_bool(self, value: bool, level: int) -> str:
        return "true" if value else "false"

    def repr_NoneType(self, value: None, level: int) -> str:
        return "null"

    def repr_date(self, value: datetime.date, level: int) -> str:
        return f"the date {value.isoformat()}"

    def repr_datetime(self, value: datetime.datetime, level: int) -> str:
        return f"the time {value.isoformat()}"


_SHOW = _Show()


def show(value: object) -> str:
    """A value as it may stand in an error sentence: short, on one line, whatever it is."""
    text = " ".join(_SHOW.repr(value).split())
    return text if len(text) <= 100 else f"{text[:97]}..."


def guess(key: object, known: list[str]) -> str:
    """The end of a sentence about an unknown word: what was probably meant, or what there is."""
    close = difflib.get_close_matches(key[:100], known, n=1) if isinstance(key, str) else []
    if close:
        return f"did you mean {close[0]}?"
    return f"allowed: {listed(known)}" if known else "nothing is allowed here"


def known_keys(where: str, keys: Iterable[str], known: list[str], kind: str) -> None:
    """Raise ValueError with a guess if one of `keys` is not among the `known` names."""
    for key in keys:
        if key not in known:
            raise ValueError(f"{where}: unknown {kind} {show(key)}; {guess(key, known)}")


def without_links(text: str) -> str:
    """Text that looks the same, and that no program takes for an address to be followed: names come from anybody.

    Programs that show text make links of "www.", "http://" and of mail addresses, whatever stands around them.
    """
    return re.sub(r"(?<=www)(?=\.)|(?<=:)(?=//)|(?=@)", WORD_JOINER, text, flags=re.IGNORECASE)


def listed(words: list[str], letters: int = LIST_LETTERS) -> str:
    """The words with commas, as many as fit into this number of letters: by default, a sentence."""
    shown: list[str] = []
    for word in words:
        if shown and sum(map(len, shown)) + 2 * len(shown) + len(word) > letters:
            return f"{', '.join(shown)} and {len(words) - len(shown)} more"
        shown.append(word)
    return ", ".join(shown)


def sentence(model: type[BaseModel], problem: Any, data: object, where: str) -> str:
    """One validation problem of pydantic, found in `data` read as a `model`, in our words."""
    spot = _spot_of(model, tuple(problem["loc"]), data)
    at = spot.path + (f" ({spot.owner})" if spot.owner else "")
    kind, value = problem["type"], problem["input"]
    meaning = _meaning_words(spot)
    if kind == "missing":
        text = f"{where}: {at or 'the document'} is missing{meaning}; add it"
    elif kind in ("unknown_key", "value_error"):
        said = _unknown_key(value, spot.annotation) if kind == "unknown_key" else str(problem["ctx"]["error"])
        text, meaning = f"{where}: {at}{': ' if at else ''}{said}", ""
    elif spot.is_key:
        text = f"{where}: {at} has the key {show(value)}; allowed: keys that are text (put it in quotes){meaning}"
    else:
        what = f"has {len(value)} items" if kind in ("too_long", "too_short") else f"is {show(value)}"
        allowed = spot.either or (allowed_words(spot.annotation, spot.metadata) if spot.annotation else problem["msg"])
        if spot.optional:
            allowed += ", or null"
        text = f"{where}: {at or 'the document'} {what}; allowed: {allowed}{meaning}"
    return text if len(text) <= MEANING_ROOM or not meaning else text.replace(meaning, "", 1)


def _unknown_key(data: Mapping[Any, Any], model: type[BaseModel]) -> str:
    known = list(model.model_fields)
    key = next(key for key in data if key not in known)
    return f"unknown key {show(key)}; {guess(key, known)}"


@dataclass(frozen=True)
class _Spot:
    """Where a problem lies: the path as written in the file, who it belongs to, and what is declared there."""

    path: str
    owner: str
    annotation: Any
    metadata: tuple[Any, ...]
    declared: FieldInfo | None
    optional: bool
    is_key: bool
    either: str
    """what is allowed in all, where the field takes things of two kinds"""


def _spot_of(model: type[BaseModel], loc: tuple[Any, ...], data: object) -> _Spot:
    path, owner, declared, optional, either = "", "", None, False, ""
    annotation: Any = model
    metadata: tuple[Any, ...] = ()
    is_key = loc[-1:] == ("[key]",)
    for part in loc[:-2] if is_key else loc:
        branch = _tagged_member(annotation, part)
        if branch is not None:
            either = allowed_words(annotation)
            annotation, metadata = branch
            continue
        either = ""
        fields = getattr(annotation, "model_fields", {})
        if part in fields:
            declared = fields[part]
            annotation, metadata = declared.annotation, tuple(declared.metadata)
        else:
            # Inside a list or a map: what is declared is its last argument.
            inner = [a for a in get_args(annotation) if a is not Ellipsis]
            annotation, metadata = (inner[-1], ()) if inner else (None, ())
        annotation, metadata, optional = bare_type(annotation, metadata)
        path += f"[{part}]" if isinstance(part, int) else f".{_plain_word(part)}"
        data = _value_inside(data, part)
        if isinstance(part, int):
            name = _value_inside(data, "name")
            if isinstance(name, str) and len(name) <= 60 and name.isprintable():
                owner = name
    return _Spot(path.lstrip("."), owner, annotation, metadata, declared, optional, is_key, either)


def _plain_word(word: object) -> str:
    """A name as it stands in the file, if it is one line of moderate length."""
    return word if isinstance(word, str) and len(word) <= 60 and word.isprintable() else show(word)


def _value_inside(data: object, part: Any) -> object:
    if isinstance(data, Mapping):
        return data.get(part)
    if isinstance(data, BaseModel):
        return getattr(data, str(part), None)
    if isinstance(data, list | tuple) and isinstance(part, int) and part < len(data):
        return data[part]
    return None


def _tagged_member(annotation: Any, part: object) -> tuple[Any, tuple[Any, ...]] | None:
    """The member of a union that pydantic means by the tag `part`."""
    for member in get_args(annotation) if get_origin(annotation) in (Union, UnionType) else ():
        inner, metadata, _ = bare_type(member, ())
        if any(isinstance(m, Tag) and m.tag == part for m in metadata):
            return inner, metadata
    return None


def bare_type(annotation: Any, metadata: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...], bool]:
    """The type without Annotated and null, what was annotated, and whether null is allowed."""
    optional = False
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *more = get_args(annotation)
            metadata = (*metadata, *more)
        elif get_origin(annotation) in (Union, UnionType) and NoneType in get_args(annotation):
            optional = True
            rest = tuple(a for a in get_args(annotation) if a is not NoneType)
            annotation = Union[rest]  # noqa: UP007 - made at run time
        else:
            return annotation, metadata, optional


def bounds_of(annotation: Any, metadata: tuple[Any, ...] = ()) -> dict[str, Any]:
    """Bounds of a field by name: ge, gt, le, lt, min_length, max_length."""
    _, metadata, _ = bare_type(annotation, metadata)
    found: dict[str, Any] = {}
    for item in _flat_metadata(metadata):
        for name in ("ge", "gt", "le", "lt", "min_length", "max_length"):
            value = getattr(item, name, None)
            if value is not None:
                found[name] = value
    return found


def _flat_metadata(metadata: tuple[Any, ...]) -> Iterator[Any]:
    for item in metadata:
        if isinstance(item, FieldInfo):
            yield from _flat_metadata(tuple(item.metadata))
        else:
            yield item


def allowed_words(annotation: Any, metadata: tuple[Any, ...] = ()) -> str:
    """What a field takes, both ends of its bounds named."""
    annotation, metadata, _ = bare_type(annotation, metadata)
    bounds = bounds_of(annotation, metadata)
    origin = get_origin(annotation)
    if origin is Literal:
        return " or ".join([", ".join(get_args(annotation)[:-1]), get_args(annotation)[-1]]).removeprefix(" or ")
    if annotation in (float, int):
        return ("a whole number" if annotation is int else "a number") + _interval_words(bounds)
    if annotation is bool:
        return "true or false"
    if annotation is str:
        least, most = bounds.get("min_length"), bounds.get("max_length")
        return "text" + (f" of {least or 0} to {most:,} letters" if most else "") + (" on one line" if least else "")
    if annotation is datetime.date:
        return "a date such as 2026-01-05"
    if origin is tuple:
        least, most = bounds.get("min_length", 0), bounds.get("max_length")
        return "a list" + (f" of {least} to {most:,}" if most else "")
    if origin in (Union, UnionType):
        return ", or ".join(allowed_words(member) for member in get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        keys = listed(list(annotation.model_fields))
        return getattr(annotation, "in_words", "") or f"a mapping with the keys {keys}"
    return "a mapping of names to values"


def _interval_words(bounds: dict[str, Any]) -> str:
    low, high = bounds.get("ge"), bounds.get("le")
    if low is not None and high is not None:
        return f" from {_number_words(low)} to {_number_words(high)}"
    words = [
        f"{word} {_number_words(bounds[name])}"
        for name, word in (("gt", "above"), ("ge", "at least"), ("le", "at most"), ("lt", "below"))
        if name in bounds
    ]
    return f" {' and '.join(words)}" if words else ""


def _number_words(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:g}"


def _meaning_words(spot: _Spot) -> str:
    """The meaning of the field; its unit too where a number is wanted and the meaning does not say it already."""
    if spot.declared is None or not spot.declared.description:
        return ""
    meaning = spot.declared.description
    unit = str(declaration(spot.declared).get("unit", ""))
    number = spot.annotation in (float, int) or hasattr(spot.annotation, "in_words")
    if not number or unit in WORDLESS_UNITS or unit in meaning or " or " in unit:
        return f" ({meaning})"
    if unit.startswith(meaning):
        return f" ({unit})"
    return f" ({meaning}, {'in ' if unit.split(maxsplit=1)[0].endswith('s') or unit == 'US dollars' else ''}{unit})"
