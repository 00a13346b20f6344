"""Files that visitors hand over: bytes with a name, on disk only while they are read.

The name is what a sentence calls the file, never a path. Left out: Streamlit, and what the files hold.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sim import InputError
from sim.errors import short_line

LONGEST_FILE_NAME = 60
DECIMAL_MARK = "give --decimal", "set the decimal mark to"
"""The terminal's words for a control, and the page's."""


@dataclass(frozen=True)
class Upload:
    """A file of a visitor."""

    name: str
    """one short line, in which anything may stand"""
    data: bytes

    @classmethod
    def of(cls, name: str, data: bytes) -> Upload:
        """A file by the name that the visitor's machine gives it."""
        return cls(short_line(name)[:LONGEST_FILE_NAME].strip() or "the file", data)

    @cached_property
    def digest(self) -> str:
        """A digest of name and bytes: equal files, equal text."""
        return hashlib.sha256(self.name.encode() + b"\0" + self.data).hexdigest()[:16]


@contextmanager
def on_disk(upload: Upload) -> Iterator[Path]:
    """The path of a file that is gone afterwards. An InputError names file and controls as the visitor sees them."""
    with ExitStack() as stack:
        try:
            path = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))) / "upload"
            path.write_bytes(upload.data)
        except OSError as problem:
            raise InputError(
                f"{upload.name}: this machine cannot hold it while it is read ({problem.strerror}); "
                f"make room in {tempfile.gettempdir() if tempfile.tempdir else 'its folder of temporary files'}"
            ) from None
        try:
            yield path
        except InputError as problem:
            sentences = (text.replace(str(path), upload.name).replace(*DECIMAL_MARK) for text in problem.problems)
            raise type(problem)(*sentences) from None
