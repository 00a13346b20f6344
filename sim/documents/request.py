"""What somebody asks for, as one value: checked when it is made, said in words, and read back from them.

A `Request` declares each field once, with its meaning, unit, bounds and default. Python, the command line, an address
and a form take them from there. Words are what a command line and an address are made of: a name, and one text or
several. Fields that are as usual need no words.

A field is said under its own name and by its own kind: a number as a number, yes or no, a list as a text for each item,
a mapping as `key=value` for each item. A `Vocabulary` names the fields that are said in another way.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, get_args, get_origin

from pydantic.fields import FieldInfo

from sim.documents.declared import Declared, validate
from sim.documents.messages import bare_type, guess, show
from sim.errors import InputError

YES_OR_NO = {"yes": True, "no": False, "true": True, "false": False}


@dataclass(frozen=True)
class Wording:
    """How one field is said: the name it has, and how a value becomes texts and is read from them."""

    word: str
    write: Callable[[Any], list[str]]
    """no text at all for a word that says everything by standing there"""
    read: Callable[[Sequence[str]], Any]
    """what cannot be read may stay text, which the field's declaration then refuses; or raise ValueError"""


Vocabulary = Mapping[str, "Wording | str | None"]
"""Fields that are said in another way: by this wording, in the usual way under this name, or not at all."""


class Request(Declared):
    """What somebody asks for: one frozen value, the same from Python, a command line, an address or a form."""

    vocabulary: ClassVar[Vocabulary] = {}

    def digest(self) -> str:
        """A short fingerprint of every value: equal requests, equal text, in whatever order mappings were written."""
        values = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(values.encode()).hexdigest()[:16]

    def words(self, vocabulary: Vocabulary | None = None, always: Collection[str] = ()) -> dict[str, list[str]]:
        """The request as texts by name, of every field that is not as usual and of those that `always` names.

        Without a `vocabulary`, in that of the class.
        """
        said = {}
        for name, field, wording in type(self)._wordings(vocabulary):
            value = getattr(self, name)
            if name in always or value != field.get_default(call_default_factory=True):
                said[wording.word] = wording.write(value)
        return said

    def options(self, vocabulary: Vocabulary | None = None, always: Collection[str] = ()) -> list[str]:
        """The request as options of a command line: `--name text` for each text, `--name` alone for a mere flag."""
        options: list[str] = []
        for word, texts in self.words(vocabulary, always).items():
            options += [part for text in texts for part in (f"--{word}", text)] or [f"--{word}"]
        return options

    @classmethod
    def from_words(
        cls,
        words: Mapping[str, Sequence[str]],
        where: str,
        error: type[InputError],
        vocabulary: Vocabulary | None = None,
        **values: Any,
    ) -> Self:
        """The request that these words say, and these values of fields that have no words.

        Raises `error`, a sentence for each thing that is wrong, which begins with `where`.
        """
        wordings = {wording.word: (name, wording) for name, _, wording in cls._wordings(vocabulary)}
        problems = []
        for word, texts in words.items():
            if word not in wordings:
                problems.append(f"{where}: unknown word {show(word)}; {guess(word, list(wordings))}")
                continue
            name, wording = wordings[word]
            try:
                values[name] = wording.read(texts)
            except ValueError as problem:
                problems.append(f"{where}: {word}: {problem}")
        if problems:
            raise error(*problems)
        return validate(cls, values, where, error)

    @classmethod
    def _wordings(cls, vocabulary: Vocabulary | None) -> Iterator[tuple[str, FieldInfo, Wording]]:
        special = cls.vocabulary if vocabulary is None else vocabulary
        for name, field in cls.model_fields.items():
            wording = special.get(name, name)
            if isinstance(wording, str):
                wording = usual_wording(field.annotation, wording)
            if wording is not None:
                yield name, field, wording


def usual_wording(annotation: Any, word: str) -> Wording:
    """How values of a type are said: numbers, yes or no and texts as they are, lists and mappings item by item."""
    kind = bare_type(annotation, ())[0]
    inner = [part for part in get_args(kind) if part is not Ellipsis]
    if get_origin(kind) is tuple:
        return Wording(
            word,
            lambda items: [_text(item) for item in items] or [""],
            lambda texts: tuple(_value(inner[-1], text) for text in texts if text),
        )
    if isinstance(get_origin(kind), type) and issubclass(get_origin(kind), Mapping):
        return Wording(
            word,
            lambda items: [f"{key}={_text(value)}" for key, value in items.items()] or [""],
            lambda texts: {key: _value(inner[-1], value) for key, value in keys_and_values(texts)},
        )
    return Wording(word, lambda value: [_text(value)], lambda texts: _value(kind, texts[-1]))


def flag(word: str, value: bool) -> Wording:
    """Yes or no that is said by a word standing there, which means `value`, or not."""
    return Wording(word, lambda _: [], lambda _: value)


def keys_and_values(texts: Sequence[str]) -> list[tuple[str, str]]:
    """The keys and values in texts such as `key=value`, each key once. Raises ValueError."""
    found: dict[str, str] = {}
    for text in filter(None, texts):
        key, mark, value = text.rpartition("=")
        if not mark or not key:
            raise ValueError(f"{show(text)}: write it as NAME=VALUE")
        if key in found:
            raise ValueError(f"{show(key)} is given twice; keep one")
        found[key] = value
    return list(found.items())


def _text(value: Any) -> str:
    """One value as text, exactly; a whole number without its point."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _value(annotation: Any, text: str) -> Any:
    """One value of a type; text that is none of it stays text."""
    kind = bare_type(annotation, ())[0]
    try:
        if kind is bool:
            return YES_OR_NO[text]
        return kind(text) if kind in (int, float) else text
    except (KeyError, ValueError):
        return text
