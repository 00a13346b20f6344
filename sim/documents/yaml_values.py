"""The values that a YAML text means, or a refusal, in a time that grows with the text and with nothing else.

A text of some hundred letters can mean billions of values (aliases of aliases, keys merged from what was merged), so
what it means is counted while it is read and given up when it is more than any document holds. Two things would take
the square of their number and are therefore bounded: directives, each compared with all before it, and keys that are
no text, as numbers can be chosen that Python's mappings cannot tell apart without comparing them all.

Values are those of YAML 1.2, with dates and merge keys (`<<`) of 1.1.

Left out: files and what the values are for.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable
from itertools import islice
from typing import Any

import yaml

from sim.documents.declared import MOST_VALUES

DEEPEST = 40
LONGEST_NUMBER = 400
"""Letters of a number; a longer one stays text."""
MOST_DIRECTIVES = 20
DIRECTIVE = re.compile("(?:^|[\r\x85\u2028\u2029])\ufeff?%", re.MULTILINE)
"""Beginning of a line that is a directive, with each line break that there is in YAML."""
MOST_ODD_KEYS = 100
"""Keys in a text that are no text, such as numbers: no document has any, but then its own sentence says which."""
TAG = "tag:yaml.org,2002:"


class NotYaml(Exception):
    """A text is no YAML, or means too much: why, and its line, counted from 1."""

    def __init__(self, why: str, line: int | None) -> None:
        super().__init__(why)
        self.why, self.line = why, line


def yaml_values(text: str) -> Any:
    """The plain data of a YAML text: None, numbers, text, dates, lists and mappings. Raises NotYaml."""
    if (directive := next(islice(DIRECTIVE.finditer(text), MOST_DIRECTIVES, None), None)) is not None:
        line = len(text[: directive.start() + 1].splitlines())
        raise NotYaml(f"over {MOST_DIRECTIVES} lines begin with %", line)
    try:
        return _Reader(text).document()
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        why = getattr(problem, "problem", None) or getattr(problem, "reason", None) or "cannot be read"
        raise NotYaml(str(why), None if mark is None else mark.line + 1) from None


class _Reader:
    """Reads a text event by event; values with an anchor are kept with the number of values that they mean."""

    def __init__(self, text: str) -> None:
        self.events = yaml.parse(text, Loader=yaml.CSafeLoader)
        self.anchors: dict[str, tuple[Any, int] | None] = {}
        self.values = 0
        self.odd_keys = 0

    def document(self) -> Any:
        next(self.events)
        if isinstance(next(self.events), yaml.StreamEndEvent):
            return None
        value = self.value(next(self.events), 0)
        next(self.events)
        event = next(self.events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise _not_yaml("a second document begins", event)
        return value

    def value(self, event: Any, depth: int) -> Any:
        """The value that begins with this event; what is behind an alias counts each time."""
        before = self.values
        self.count(1, event)
        kind = type(event)
        if kind is yaml.ScalarEvent:
            value = _scalar(event)
        elif kind is yaml.AliasEvent:
            if event.anchor not in self.anchors:
                raise _not_yaml(f"found undefined alias {event.anchor[:60]!r}", event)
            if (anchored := self.anchors[event.anchor]) is None:
                raise _not_yaml("an alias stands in what it means, so it is nested too deeply", event)
            value, size = anchored
            self.count(size, event)
            return value
        elif depth > DEEPEST:
            raise _not_yaml("nested too deeply", event)
        else:
            self.count(1, event)  # to check what is in it takes time too
            if event.anchor is not None:
                self.anchors[event.anchor] = None
            value = (self.items if kind is yaml.SequenceStartEvent else self.mapping)(event, depth)
        if event.anchor is not None:
            self.anchors[event.anchor] = value, self.values - before
        return value

    def items(self, event: Any, depth: int) -> list[Any]:
        _check_tag(event, "seq")
        items = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self.value(event, depth + 1))
        return items

    def mapping(self, event: Any, depth: int) -> dict[Any, Any]:
        _check_tag(event, "map")
        own: dict[Any, Any] = {}
        merged: dict[Any, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.value(event, depth + 1)
            value = self.value(next(self.events), depth + 1)
            if key == "<<" and getattr(event, "implicit", (False,))[0]:
                merged = self.merge(value, event)
            elif isinstance(key, dict | list):
                raise _not_yaml("found unhashable key", event)
            elif not isinstance(key, str) and self.are_too_many_odd():
                raise _not_yaml(f"over {MOST_ODD_KEYS} keys are numbers or other things that are no text", event)
            elif key in own:
                raise _not_yaml(f'found duplicate key "{str(key)[:60]}"', event)
            else:
                own[key] = value
        return merged | own if merged else own

    def are_too_many_odd(self) -> bool:
        """Whether one more key that is no text is one too many."""
        self.odd_keys += 1
        return self.odd_keys > MOST_ODD_KEYS

    def merge(self, value: Any, event: Any) -> dict[Any, Any]:
        """The keys of one mapping or of several, of which the first that has a key decides."""
        merged: dict[Any, Any] = {}
        for part in value if isinstance(value, list) else [value]:
            if not isinstance(part, dict):
                raise _not_yaml("expected a mapping or list of mappings for merging", event)
            self.count(len(part), event)
            for key in part:
                merged.setdefault(key, part[key])
        return merged

    def count(self, more: int, event: Any) -> None:
        self.values += more
        if self.values > MOST_VALUES:
            raise _not_yaml(f"it means more than {MOST_VALUES:,} values, perhaps by nested aliases", event)


def _not_yaml(why: str, event: Any) -> NotYaml:
    return NotYaml(why, event.start_mark.line + 1)


def _check_tag(event: Any, kind: str) -> None:
    if event.tag not in (None, "!", TAG + kind):
        raise _not_yaml(f"could not determine a constructor for the tag {event.tag[:60]!r}", event)


def _whole(text: str) -> int:
    if text.isdecimal():
        return int(text)
    plain = text.replace("_", "").lower()
    sign, digits = (-1 if plain[0] == "-" else 1), plain.lstrip("+-")
    for prefix, base in (("0b", 2), ("0o", 8), ("0x", 16)):
        if digits.startswith(prefix):
            return sign * int(digits[2:], base)
    return sign * int(digits)


def _real(text: str) -> float:
    if text[-1].isdecimal() and "_" not in text:
        return float(text)
    plain = text.replace("_", "").lower()
    if plain.endswith((".inf", ".nan")):
        return math.nan if plain.endswith(".nan") else (-math.inf if plain[0] == "-" else math.inf)
    return float(plain)


def _is_true(text: str) -> bool:
    return text.lower() == "true"


READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "int": (r"[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)", _whole),
    "float": (
        r"[-+]?(?:(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?|\.(?:inf|Inf|INF))"
        r"|\.(?:nan|NaN|NAN)",
        _real,
    ),
    "null": (r"~|null|Null|NULL|", lambda text: None),
    "bool": (r"true|True|TRUE|false|False|FALSE", _is_true),
    "timestamp": (r"[0-9]{4}-[0-9]{2}-[0-9]{2}", datetime.date.fromisoformat),
}
"""What an unquoted text is taken for: the pattern of YAML 1.2's core schema, and how it is read."""
UNQUOTED = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, (pattern, _) in READERS.items()))
FIRST_LETTERS = frozenset("~nNtTfF+-.0123456789")


def _scalar(event: Any) -> Any:
    text, tag = event.value, event.tag
    if tag == TAG + "str":
        return text
    found = None
    if (not text or text[0] in FIRST_LETTERS) and len(text) <= LONGEST_NUMBER:
        found = UNQUOTED.fullmatch(text)
    if tag is None or tag == "!":
        if found is None or not event.implicit[0]:
            return text
        kind = found.lastgroup or "null"
    else:
        kind = tag.removeprefix(TAG)
        if kind not in READERS:
            raise _not_yaml(f"could not determine a constructor for the tag {tag[:60]!r}", event)
        if found is None or found.lastgroup not in (kind, "int" if kind == "float" else kind):
            raise _not_yaml(f"{text[:60]!r} is no {kind}", event)
    try:
        return READERS[kind][1](text)
    except (ValueError, OverflowError) as problem:
        raise _not_yaml(" ".join(str(problem).split())[:100], event) from None
