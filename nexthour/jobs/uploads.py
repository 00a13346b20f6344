"""Files that visitors hand over: bytes with a name, on disk only while they are read.

The name is what a sentence calls the file, never a path. Left out: Streamlit, and what the files hold.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sim import InputError
from sim.errors import short_line

LONGEST_NAME = 60
ON_SCREEN = {"give --decimal": "set the decimal mark to"}
"""What the terminal calls a control, and what a page does."""


@dataclass(frozen=True)
class Upload:
    """A file of a visitor."""

    name: str
    """on one line, short; anything may stand in it"""
    data: bytes

    @classmethod
    def of(cls, name: str, data: bytes) -> Upload:
        """A file by the name that the visitor's machine gives it."""
        return cls(short_line(name)[:LONGEST_NAME].strip() or "the file", data)

    @cached_property
    def digest(self) -> str:
        """Equal names and bytes, equal text."""
        return hashlib.sha256(self.name.encode() + b"\0" + self.data).hexdigest()[:16]


@contextmanager
def on_disk(upload: Upload) -> Iterator[Path]:
    """The file, gone afterwards. An InputError names it as the visitor does, and the controls as the page does."""
    with tempfile.TemporaryDirectory() as away:
        path = Path(away) / "upload"
        path.write_bytes(upload.data)
        try:
            yield path
        except InputError as problem:
            raise type(problem)(*(_as_seen(said, path, upload.name) for said in problem.problems)) from None


def _as_seen(said: str, path: Path, name: str) -> str:
    said = said.replace(str(path), name)
    for terminal, page in ON_SCREEN.items():
        said = said.replace(terminal, page)
    return said
