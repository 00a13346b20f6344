"""A document as a YAML file: read, checked, and written back with its comments.

A `Document` is a whole file: it keeps the text it came from, and what did not change is written back as it stood.

Left out: how the fields of a document are declared and checked (declared.py).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import PrivateAttr

from sim.documents.declared import Declared, schema_text, validate
from sim.documents.messages import show
from sim.errors import InputError

LARGEST_FILE_BYTES = 1_000_000


@dataclass(frozen=True)
class SourceText:
    """The text a document was loaded from, kept for its comments. Two documents with equal values are equal."""

    text: str | None = field(default=None, compare=False)


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
            raise cls.error(f"{path}: holds {holds}, not {cls.kind}; {cls.start_from}")
        made = validate(cls, data, str(path), cls.error)
        made._source = SourceText(text)
        return made

    def save(self, path: Path | str) -> None:
        """Write it as YAML, and its JSON Schema beside it, which the first line names for editors.

        Comments and order of the file it was loaded from are kept, and the text of every value that is the same.
        """
        _write(path, self.text(), self.error)
        schema, text = Path(path).parent / self.schema_file, schema_text(type(self))
        if not schema.is_file() or schema.read_text(encoding="utf-8", errors="replace") != text:
            _write(schema, text, self.error)

    def text(self) -> str:
        """What `save` would put into the file."""
        after = self._written_values()
        text, original = None, self._source.text
        if original:
            before = self.model_validate(_parse(original))._written_values()
            text = original
            if before != after:
                text = _yaml_text(_merge(_yaml_formatted_like(original).load(original), before, after), original)
            # A file with anchors cannot always be changed in one place only; then the comments have to go.
            try:
                kept = self.model_validate(_parse(text))._written_values() == after
            except ValueError:
                kept = False
        if text is None or not kept:
            text = _yaml_text(after, "")
        first = "# yaml-language-server:"
        return text if text.startswith(first) else f"{first} $schema={self.schema_file}\n{text}"

    def _written_values(self) -> Any:
        return _with_whole_numbers(self.model_dump(exclude_unset=True))


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
        return _parse(text), text
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


def _parse(text: str) -> object:
    from ruamel.yaml import YAML

    return YAML(typ="safe", pure=True).load(text)


def _write(path: Path | str, text: str, error: type[InputError]) -> None:
    try:
        Path(path).write_text(text, encoding="utf-8")
    except (OSError, ValueError) as problem:
        said = getattr(problem, "strerror", None) or problem
        raise error(f"{path}: cannot be written ({said}); choose another path") from None


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
