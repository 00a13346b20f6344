"""A document as a YAML file: read, checked, and written back with its comments.

A `Document` is a whole file: it keeps the text it came from, and what did not change is written back as it stood.

Left out: how the fields of a document are declared and checked (declared.py).
"""

import json
import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from io import StringIO
from itertools import takewhile
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import PrivateAttr

from sim.documents.declared import Declared, schema_text, validate
from sim.documents.files import path_text, read_regular, write_whole
from sim.documents.messages import show
from sim.documents.yaml_values import NotYaml, yaml_values
from sim.errors import InputError

LARGEST_FILE_BYTES = 1_000_000
EDITORS_LINE = "# yaml-language-server: $schema="
PROMISE, LAST_LINE = '# This file is whole if it has its last line, "# end".', "# end"
"""What `save` puts below the first line and at the end: a file that was cut off has the one and not the other."""
OWN_LAST_LINE = "#  end"
"""What a person's own comment "# end" becomes, so that the end of the file is the only one."""
LONGEST_WITH_COMMENTS = 100_000
"""Letters of a text up to which comments are kept when values change: of a longer one it would take seconds."""
WITHOUT_COMMENTS = (
    f"# Comments were left out when this was saved, as the file before had over {LONGEST_WITH_COMMENTS:,} letters.\n"
)


@dataclass(frozen=True)
class SourceText:
    """The text a document was loaded from, kept for its comments, and its file, for sentences.

    Two documents with equal values are equal.
    """

    text: str | None = field(default=None, compare=False)
    path: str = field(default="", compare=False)


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
    def load(cls, path: Path | str) -> Self:
        """The document in a YAML file. Raises the class's error, a sentence for each thing that is wrong."""
        data, text = read_yaml(path, cls.error)
        if not isinstance(data, Mapping):
            holds = "nothing" if data is None else f"{show(data)}"
            raise cls.error(f"{path_text(path)}: holds {holds}, not {cls.kind}; {cls.start_from}")
        document = validate(cls, data, path_text(path), cls.error)
        document._source = SourceText(_without_marks(text), path_text(path))
        return document

    def save(self, path: Path | str, *, replace: bool = True) -> bool:
        """Write it as YAML, and beside it, if it can be, its JSON Schema, which the first line names for editors.

        Comments and order of the file it was loaded from are kept, and the text of every value that is the same; if
        values changed, only up to LONGEST_WITH_COMMENTS, and beyond it a line at the head says that they are gone. The
        file is written whole or not at all. Without `replace`, a file that is there stays, and False is returned.
        """
        if not write_whole(path, self.text(), self.error, replace=replace):
            return False
        schema, text = Path(path).parent / self.schema_file, schema_text(type(self))
        if _may_hold_schema(schema, type(self), text):
            with suppress(self.error):  # the document is there, and whole; editors do without
                write_whole(schema, text, self.error)
        return True

    def of_file(self) -> str:
        """The file it was loaded from, as a sentence about it begins: "plan.yaml: "; empty if it was from none."""
        return f"{self._source.path}: " if self._source.path else ""

    def forget_file(self) -> None:
        """Leave the file it was loaded from out of sentences, as it is none that people know."""
        self._source = replace(self._source, path="")

    def text(self) -> str:
        """What `save` would put into the file."""
        from ruamel.yaml.error import YAMLError

        after = self._written_values()
        text, original = None, self._source.text
        if original:
            # A file with anchors cannot always be changed in one place only; then the comments have to go.
            with suppress(ValueError, NotYaml, YAMLError):
                text = self._changed(original, after)
        if text is None:
            text = _yaml_text(after, "")
            if original and len(original) > LONGEST_WITH_COMMENTS and "#" in original:
                text = WITHOUT_COMMENTS + text
        first = "" if text.startswith(EDITORS_LINE) else f"{EDITORS_LINE}{self.schema_file}\n"
        return marked_whole(first + text)

    def _changed(self, original: str, after: Any) -> str | None:
        """The `original` text, with what is not as in `after` changed; None if that cannot be done."""
        before = self.model_validate(yaml_values(original))._written_values()
        text = original
        if before != after:
            if len(original) > LONGEST_WITH_COMMENTS:
                return None
            text = _yaml_text(_merge(_yaml_formatted_like(original).load(original), before, after), original)
        return text if self.model_validate(yaml_values(text))._written_values() == after else None

    def _written_values(self) -> Any:
        return _with_whole_numbers(self.model_dump(exclude_unset=True))


def read_yaml(path: Path | str, error: type[InputError]) -> tuple[object, str]:
    """The plain data of a YAML file and its text; `error` if it cannot be read as YAML or was cut off."""
    where, data = path_text(path), read_regular(path, LARGEST_FILE_BYTES, error, "a YAML file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise error(f"{where}: not UTF-8 text (byte {problem.start}); save the file as UTF-8") from None
    if PROMISE in text and not _ends_as_promised(text):
        raise error(
            f'{where}: is cut off, as its last line is not "{LAST_LINE}"; take another copy, or put that line at the '
            "end if nothing else is missing"
        )
    try:
        return yaml_values(text), text
    except NotYaml as problem:
        line = f" line {problem.line}" if problem.line else ""
        raise error(f"{where}:{line} not YAML: {problem.why}; correct the line") from None


def marked_whole(text: str) -> str:
    """A text with a line at the head and one at the end, by which `read_yaml` knows that nothing of it is missing."""
    first, end, rest = text.partition("\n") if text.startswith(EDITORS_LINE) else ("", "", text)
    if LAST_LINE in rest:
        lines = rest.splitlines(keepends=True)
        rest = "".join(line.replace(LAST_LINE, OWN_LAST_LINE) if _is_last(line) else line for line in lines)
    return f"{first}{end}{PROMISE}\n{rest}{'' if rest.endswith(chr(10)) else chr(10)}{LAST_LINE}\n"


def _is_last(line: str) -> bool:
    return line.rstrip() == LAST_LINE


def _says_nothing(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _place_of_end(lines: Sequence[str]) -> int | None:
    """The place of the line that says that the file is whole, below which only comments stand; None without one."""
    below = takewhile(lambda number: _says_nothing(lines[number]), reversed(range(len(lines))))
    return next((number for number in below if _is_last(lines[number])), None)


def _ends_as_promised(text: str) -> bool:
    return _place_of_end(text.splitlines()) is not None


def _without_marks(text: str) -> str:
    """A text without the lines that say it is whole, which would stand where they stood though values are added."""
    lines = text.splitlines(keepends=True)
    head = takewhile(lambda number: _says_nothing(lines[number]), range(len(lines)))
    promise = next((number for number in head if lines[number].strip() == PROMISE), None)
    if promise is None:
        return text
    marks = (promise, _place_of_end(lines))
    return "".join(line for number, line in enumerate(lines) if number not in marks)


def _may_hold_schema(path: Path, model: type[Document], text: str) -> bool:
    """Whether the schema of `model` may be written here: not over what is up to date, or somebody else's."""
    if not os.path.lexists(path):
        return True
    try:
        there = read_regular(path, LARGEST_FILE_BYTES, model.error, "a schema").decode()
        return there != text and json.loads(there).get("title") == model.__name__
    except (InputError, ValueError, AttributeError, RecursionError):
        return False


def _with_whole_numbers(value: Any) -> Any:
    """Plain data as a person would write it: lists, and whole numbers without a decimal point."""
    if isinstance(value, Mapping):
        return {key: _with_whole_numbers(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_with_whole_numbers(inner) for inner in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value


def _yaml_formatted_like(original: str) -> Any:
    """A YAML reader and writer that keeps quotes and lines, and indents lists as `original` does."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 100_000
    dash = re.search(r"^\S[^\n]*:[^\S\n]*(?:#[^\n]*)?\n(?:\s*#[^\n]*\n)*( *)- ", original, re.MULTILINE)
    offset = len(dash.group(1)) if dash else 2
    yaml.indent(mapping=2, sequence=offset + 2, offset=offset)
    return yaml


def _yaml_text(document: Any, original: str) -> str:
    out = StringIO()
    _yaml_formatted_like(original).dump(document, out)
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
