"""The lines of a text file, plain or gzipped, in the encoding that its mark or the user names; UTF-8 if nobody does.

An encoding is not guessed: nearly every file is valid in several, and says something else in each.

Left out: what the lines mean (table_file.py).
"""

import codecs
import gzip
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from nexthour.calibrate.files.workbooks import INNOCENT_BYTES, LARGEST_BYTES, MOST_TIMES
from sim.errors import TableError

LONGEST_LINE = 10_000_000
ENCODING_BY_MARK = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


@dataclass(eq=False)
class Lines:
    """The lines of a text, with their ends. Raises TableError where it is none, and what reading a file raises."""

    path: Path
    raw: IO[bytes]
    gzipped: bool
    marked: str | None
    """encoding that the byte order mark says, if there is one"""
    asked: str | None
    """encoding that the user names, if any"""
    characters: int = 0
    """number of characters read so far"""

    def __iter__(self) -> Iterator[str]:
        number, most = 0, LARGEST_BYTES
        if self.gzipped:
            most = min(most, max(INNOCENT_BYTES, MOST_TIMES * os.fstat(self.raw.fileno()).st_size))
        unpacked: Any = gzip.GzipFile(fileobj=self.raw) if self.gzipped else self.raw
        try:
            with io.TextIOWrapper(unpacked, encoding=self._codec(), newline="") as stream:
                for number, line in enumerate(iter(partial(stream.readline, LONGEST_LINE), ""), 1):
                    self.characters += len(line)
                    if "\0" in line:
                        raise TableError(
                            f"{self.path}: line {number} holds a NUL character, so it is no text or in another "
                            "encoding; set encoding"
                        )
                    if self.characters > most and most < LARGEST_BYTES:
                        raise TableError(
                            f"{self.path}: unpacks to over {MOST_TIMES} times its size; unpack it, and look whether it "
                            "is what it should be"
                        )
                    if len(line) >= LONGEST_LINE or self.characters > LARGEST_BYTES:
                        raise TableError(
                            f"{self.path}: line {number} is too much; at most {LONGEST_LINE:,} characters in a line "
                            f"and {LARGEST_BYTES:,} in all are read, split the file"
                        )
                    yield line
        except UnicodeError as problem:
            named = self.asked or ("UTF-16" if self.marked == "utf-16" else "UTF-8")
            byte = f" (byte {problem.object[problem.start]:#04x})" if isinstance(problem, UnicodeDecodeError) else ""
            raise TableError(
                f"{self.path}: not {named} text, in line {number + 1} or soon after{byte}; set encoding to that of the "
                "file, for example cp1252 if it comes from Excel on Windows"
            ) from None

    def _codec(self) -> str:
        """The name of a codec that drops the byte order mark."""
        asked = None if self.asked is None else codecs.lookup(self.asked).name
        if asked is not None and self.marked is not None and not asked.startswith(self.marked):
            raise TableError(f"{self.path}: begins with the mark of {self.marked}, not {asked}; remove encoding")
        name = self.marked or asked or "utf-8"
        return "utf-8-sig" if name == "utf-8" else name
