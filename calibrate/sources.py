"""A file as rows of cells: CSV in any of its dialects, plain or gzipped, and XLSX workbooks.

What a file is, its first bytes say, not its name. A `Layout` says what cannot be known from them. Rows keep the number
a spreadsheet shows; a row that cannot be put under the header is not dropped but listed in `misfits`. Whatever is no
table is refused in one sentence. Memory does not grow with the number of rows.

Left out: what the columns mean (mapping.py, deals.py), numbers and dates in text (notation.py), XLS, ODS and HTML.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal
from xml.etree.ElementTree import iterparse

from pydantic import AfterValidator, Field

from sim.documents import Declared, declare, guess, show
from sim.errors import TableError

if TYPE_CHECKING:
    import pandas as pd

LARGEST_BYTES = 1_000_000_000
"""Of a file, packed or unpacked."""
LARGEST_PARTS_BYTES = 200_000_000
"""Of what a workbook holds beside its sheets: its texts are kept in memory."""
LONGEST_LINE = 10_000_000
MOST_COLUMNS = 100_000
MOST_ROWS_OF_A_SHEET = 1_048_576
MOST_SPOILED = 200_000
CHUNK_ROWS, CHUNK_CELLS = 500, 500_000
"""Of what is read at a time: few enough to stay in the processor's cache."""
HEADER_SEARCH_ROWS = 30
SEPARATORS = (",", ";", "\t", "|")
ENCODING_BY_MARK = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
WORKBOOK, GZIP = b"PK\x03\x04", b"\x1f\x8b"
OTHER_KINDS = {
    b"\xd0\xcf\x11\xe0": "an old .xls workbook or one with a password; save it as .xlsx without a password, or as CSV",
    b"%PDF": "a PDF; export the table as CSV or XLSX",
    b"<": "a web page or XML, which some programs call .xls; export as CSV or XLSX",
}


def _is_encoding(name: str) -> str:
    try:
        "".encode(name)
    except (LookupError, ValueError):
        raise ValueError(f"{show(name)} is no text encoding; allowed: names such as cp1252 or utf-16") from None
    return name


class Layout(Declared):
    """How a file is laid out, as far as its bytes do not say it."""

    separator: Literal[",", ";", "\t", "|"] = declare(
        "what stands between the columns of a text file", unit="character", default=","
    )
    encoding: Annotated[str, Field(min_length=1, max_length=40), AfterValidator(_is_encoding)] | None = declare(
        "encoding of a text file, such as cp1252; null: UTF-8, or UTF-16 with its mark", unit="name", default=None
    )
    sheet: Annotated[str, Field(min_length=1, max_length=100)] | None = declare(
        "sheet of a workbook; null: the first one that is visible", unit="name", default=None
    )
    header_row: int = declare(
        "row of the column names; rows above it are skipped", unit="row", default=1, ge=1, le=1000
    )


PLAIN = Layout()


@dataclass(eq=False)
class Table:
    """A file whose rows stand under a header."""

    path: Path
    layout: Layout
    header: tuple[str, ...]
    is_workbook: bool
    size_bytes: int
    read_bytes: int = 0
    """how far into the file the last block reached"""
    misfits: list[tuple[int, str]] = field(default_factory=list)
    """row and reason of those that no block has; complete once the blocks have been consumed"""

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self.path.name

    def blocks(self, columns: Sequence[str], rows: int = 100_000) -> Iterator[pd.DataFrame]:
        """The rows that are not blank, about so many at a time, as frames of these columns indexed by row number.

        Cells are stripped text; in a workbook also numbers, booleans or times, as they are typed. An empty one is "".
        Raises TableError, one sentence.
        """
        places = [self._place(column) for column in columns]
        numbers, cells = list[int](), [list[Any]() for _ in places]
        self.misfits.clear()
        known: dict[str, str] = {}
        for more, fitting in self._fitting(places, rows):
            numbers += more
            for column, place in zip(cells, places, strict=True):
                its = list(map(_stripped if self.is_workbook else str.strip, map(itemgetter(place), fitting)))
                # Text that repeats itself is kept once. In a workbook it is anyway, and there 1 is not true.
                column.extend(its if self.is_workbook else map(known.setdefault, its, its))
            if len(numbers) >= rows:
                yield _frame(columns, cells, numbers)
                numbers, cells = [], [[] for _ in places]
                known.clear()
        self.read_bytes = self.size_bytes
        if numbers:
            yield _frame(columns, cells, numbers)

    def _fitting(self, places: list[int], rows: int) -> Iterator[tuple[Sequence[int], list[list[Any]]]]:
        """The rows that stand under the header, a chunk at a time: their numbers and their cells."""
        width = len(self.header)
        size = max(1, min(rows, CHUNK_ROWS, CHUNK_CELLS // width))
        with _records(self.path, self.layout, size, width) as (chunks, raw):
            number = 1
            for chunk in chunks:
                numbers, number = range(number, number + len(chunk)), number + len(chunk)
                skip = max(0, self.layout.header_row + 1 - numbers.start)
                self.read_bytes = self.size_bytes if raw.closed else raw.tell()
                yield self._sorted_out(numbers[skip:], chunk[skip:], places)

    def _sorted_out(
        self, numbers: Sequence[int], chunk: list[list[Any]], places: list[int]
    ) -> tuple[Sequence[int], list[list[Any]]]:
        """The rows without the blank ones and the misfits."""
        width = len(self.header)
        if not self.is_workbook and {*map(len, chunk)} == {width} and all(map(str.strip, map(itemgetter(0), chunk))):
            return numbers, chunk  # nearly all chunks are like this, and looking at each row takes long
        good = []
        for number, cells in zip(numbers, chunk, strict=True):
            if not any(not isinstance(cell, str) or cell.strip() for cell in cells):
                continue
            if len(cells) != width:
                fields = f"{len(cells):,} field{'s' if len(cells) > 1 else ''}"
                self.misfits.append((number, f"{fields} under {width:,} columns"))
                continue
            spoiled = [cells[place] for place in places if isinstance(cells[place], _Spoiled)]
            if spoiled:
                self.misfits.append((number, spoiled[0].reason))
            else:
                good.append((number, cells))
        return [number for number, _ in good], [cells for _, cells in good]

    def _place(self, column: str) -> int:
        if column not in self.header:
            rows = enumerate(first_rows(self.path, self.layout), 1)
            row = next((number for number, cells in rows if column in cells), None)
            meant = (
                f"row {row} has it: set header_row to {row}" if row else guess(column, sorted({*self.header} - {""}))
            )
            raise TableError(f"{self.path}: no column {show(column)} in row {self.layout.header_row}; {meant}")
        if self.header.count(column) > 1:
            raise TableError(f"{self.path}: the column {show(column)} stands twice; rename one")
        return self.header.index(column)


def _stripped(cell: Any) -> Any:
    return cell.strip() if isinstance(cell, str) else cell


def _frame(columns: Sequence[str], cells: list[list[Any]], numbers: list[int]) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    made = np.empty((len(cells), len(numbers)), dtype=object)
    for place, column in enumerate(cells):
        made[place] = column
    return pd.DataFrame(made.T, index=pd.Index(numbers, name="row"), columns=list(columns), dtype=object)


@dataclass(frozen=True)
class _Spoiled:
    """A cell that reads as empty, and is not."""

    reason: str


def open_table(path: Path | str, layout: Layout = PLAIN) -> Table:
    """A CSV file, plain or gzipped, or a sheet of a workbook. Raises TableError, one sentence."""
    kind, row = _kind(path), layout.header_row
    if layout.sheet is not None and not kind.is_workbook:
        raise TableError(f"{path}: is a text file and has no sheets; remove sheet from the mapping")
    try:
        with _records(path, layout, row) as (chunks, _):
            chunk = next(chunks, [])
    except TableError:
        _check_separator(kind, layout)
        raise
    if not chunk and row == 1:
        raise TableError(f"{path}: the file is empty; give a CSV or XLSX file with a header")
    header = tuple(str(cell).strip() for cell in chunk[row - 1]) if len(chunk) == row else ()
    if not any(header):
        there = "is blank" if len(chunk) == row else "is not there"
        raise TableError(f"{path}: row {row} {there}; set header_row to the row of the column names")
    if len(header) == 1:
        _check_separator(kind, layout)
    if len(header) > MOST_COLUMNS:
        raise TableError(f"{path}: {len(header):,} columns; at most {MOST_COLUMNS:,} are read, export fewer")
    return Table(Path(path), layout, header, kind.is_workbook, kind.size_bytes)


def is_workbook(path: Path | str) -> bool:
    """Whether a file is an XLSX workbook, whatever its name. Raises TableError."""
    return _kind(path).is_workbook


def first_rows(path: Path | str, layout: Layout = PLAIN, rows: int = HEADER_SEARCH_ROWS) -> list[tuple[str, ...]]:
    """The first rows of a file as text, whatever they are; as many as can be read. Raises TableError."""
    found: list[tuple[str, ...]] = []
    try:
        with _records(path, layout, 1) as (chunks, _):
            for (cells,) in islice(chunks, rows):
                found.append(tuple(str(cell).strip() for cell in cells))
    except TableError:
        if not found:
            raise
    return found


def read_small(
    path: Path | str,
    columns: Sequence[str],
    layout: Layout = PLAIN,
    most_rows: int = 20_000,
    optional: Sequence[str] = (),
) -> pd.DataFrame:
    """A table made by hand: these columns, and the optional ones, "" where the file has no such column.

    Index and cells as in Table.blocks. Raises TableError, one sentence, for a row that does not fit too.
    """
    import pandas as pd

    table = open_table(path, layout)
    there = [*columns, *(column for column in optional if column in table.header)]
    frame = next(table.blocks(there, most_rows + 1), None)
    if frame is None:
        frame = pd.DataFrame(columns=there, index=pd.Index([], name="row"), dtype=object)
    if len(frame) > most_rows:
        raise TableError(f"{path}: more than {most_rows:,} rows; allowed: at most {most_rows:,}")
    if table.misfits:
        row, reason = table.misfits[0]
        raise TableError(f"{path}: row {row}: {reason}; correct the row")
    return frame.reindex(columns=[*columns, *optional], fill_value="")


def save_text(path: Path | str, text: str, encoding: str = "utf-8") -> None:
    """Write a text file. Raises TableError."""
    try:
        Path(path).write_text(text, encoding=encoding, errors="replace", newline="")
    except (OSError, ValueError) as problem:
        what = getattr(problem, "strerror", None) or problem
        raise TableError(f"{path}: cannot be written ({what}); choose another path") from None


# A file on disk


@dataclass(frozen=True)
class _Kind:
    """What the first bytes of a file say."""

    path: Path
    size_bytes: int
    gzipped: bool
    is_workbook: bool
    encoding: str | None
    """of its byte order mark"""


def _kind(path: Path | str) -> _Kind:
    with _refusals(path):
        path = Path(path)
        size_bytes = path.stat().st_size
        if not path.is_file():
            what = "a folder" if path.is_dir() else "not a file"
            raise TableError(f"{path}: is {what}; give the path of a CSV or XLSX file")
        if size_bytes > LARGEST_BYTES:
            raise TableError(f"{path}: {size_bytes:,} bytes; at most {LARGEST_BYTES:,} are read, split the file")
        with path.open("rb") as raw:
            start = raw.read(512)
            gzipped = start.startswith(GZIP)
            if gzipped:
                raw.seek(0)
                start = gzip.GzipFile(fileobj=raw).read(512)
    if gzipped and start.startswith((GZIP, WORKBOOK)):
        raise TableError(f"{path}: is an archive in a gzip file; unpack it")
    for mark, kind in OTHER_KINDS.items():
        if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(mark):
            raise TableError(f"{path}: is {kind}")
    encoding = next((name for mark, name in ENCODING_BY_MARK.items() if start.startswith(mark)), None)
    return _Kind(path, size_bytes, gzipped, start.startswith(WORKBOOK), encoding)


@contextmanager
def _records(
    path: Path | str, layout: Layout, size: int, width: int | None = None
) -> Iterator[tuple[Iterator[list[list[Any]]], IO[bytes]]]:
    """Every row from the first, blank ones too, `size` at a time, and the open file.

    Rows of a workbook are cut and filled to `width`, if that is given.
    """
    kind = _kind(path)
    with _refusals(path), kind.path.open("rb") as raw:
        if kind.is_workbook:
            records = _sheet_records(kind, raw, layout, width)
        else:
            records = csv.reader(_lines(kind, raw, layout), delimiter=layout.separator, strict=True)
        yield _chunks(records, size, kind), raw


def _chunks(records: Iterator[list[Any]], size: int, kind: _Kind) -> Iterator[list[list[Any]]]:
    row = 1
    while True:
        chunk: list[list[Any]] = []
        try:
            chunk.extend(islice(records, size))
        except csv.Error as problem:
            row += len(chunk)
            raise TableError(f"{kind.path}: row {row} is not CSV ({problem}); correct the quotes there") from None
        if not chunk:
            return
        yield chunk
        row += len(chunk)


@contextmanager
def _refusals(path: Path | str) -> Iterator[None]:
    """What reading a file can raise becomes one sentence."""
    try:
        yield
    except (OSError, EOFError, zlib.error, ValueError) as problem:
        what = getattr(problem, "strerror", None) or " ".join(str(problem).split())[:100]
        where = path if "\0" not in str(path) else show(str(path))
        raise TableError(f"{where}: cannot be read ({what}); give the path of a CSV or XLSX file") from None


# Text


def _lines(kind: _Kind, raw: IO[bytes], layout: Layout) -> Iterator[str]:
    """The lines of a text, as long as it is one."""
    unpacked: Any = gzip.GzipFile(fileobj=raw) if kind.gzipped else raw
    left, number = LARGEST_BYTES, 0
    try:
        with io.TextIOWrapper(unpacked, encoding=_encoding(kind, layout), newline="") as stream:
            for number, line in enumerate(iter(partial(stream.readline, LONGEST_LINE), ""), 1):
                left -= len(line)
                if "\0" in line:
                    raise TableError(
                        f"{kind.path}: line {number} holds a NUL character, so it is no text or in another encoding; "
                        "set encoding"
                    )
                if len(line) >= LONGEST_LINE or left < 0:
                    raise TableError(
                        f"{kind.path}: line {number} is too much; at most {LONGEST_LINE:,} characters in a line and "
                        f"{LARGEST_BYTES:,} in all are read, split the file"
                    )
                yield line
    except UnicodeError as problem:
        named = layout.encoding or ("UTF-16" if kind.encoding == "utf-16" else "UTF-8")
        byte = f" (byte {problem.object[problem.start]:#04x})" if isinstance(problem, UnicodeDecodeError) else ""
        raise TableError(
            f"{kind.path}: not {named} text, soon after line {number}{byte}; set encoding to that of the file, "
            "for example cp1252 if it comes from Excel on Windows"
        ) from None


def _encoding(kind: _Kind, layout: Layout) -> str:
    """The name of the codec; it drops a byte order mark."""
    asked = None if layout.encoding is None else codecs.lookup(layout.encoding).name
    if asked is not None and kind.encoding is not None and not asked.startswith(kind.encoding):
        raise TableError(f"{kind.path}: begins with the mark of {kind.encoding}, not {asked}; remove encoding")
    name = kind.encoding or asked or "utf-8"
    return "utf-8-sig" if name == "utf-8" else name


def _check_separator(kind: _Kind, layout: Layout) -> None:
    """Raises TableError if the header looks as if another separator were meant."""
    if kind.is_workbook:
        return
    with _refusals(kind.path), kind.path.open("rb") as raw:
        line = next(islice(_lines(kind, raw, layout), layout.header_row - 1, None), "")
    found = max(SEPARATORS, key=line.count)
    if line.count(found) > line.count(layout.separator):
        raise TableError(
            f"{kind.path}: the columns are not separated by {layout.separator!r}; set separator to {found!r}"
        )


# Workbooks


def _sheet_records(kind: _Kind, raw: IO[bytes], layout: Layout, width: int | None) -> Iterator[list[Any]]:
    import openpyxl

    # What a workbook holds beside cells (styles, validation, extensions) is nobody's concern here.
    warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")
    try:
        archive = _checked_archive(kind, raw)
        sheet = _sheet(openpyxl.load_workbook(raw, read_only=True, data_only=True), kind, layout)
        spoiled = _spoiled_cells(archive, sheet._worksheet_path, kind, layout)
        sheet.reset_dimensions()  # exporters write wrong ones, and rows beyond them would be dropped
        for row, values in enumerate(sheet.iter_rows(max_col=width, values_only=True), 1):
            if row > MOST_ROWS_OF_A_SHEET:
                raise TableError(f"{kind.path}: over {MOST_ROWS_OF_A_SHEET:,} rows in a sheet; split it")
            cells = ["" if value is None else value for value in values]
            for first, last, reason in spoiled.get(row, ()):
                for column in range(first - 1, min(last, len(cells))):
                    cells[column] = _Spoiled(reason)
            yield cells
    except (TableError, GeneratorExit, MemoryError):
        raise
    except Exception as problem:
        # The workbook library lets many kinds escape for malformed archives and sheets.
        what = " ".join(str(problem).split())[:80] or type(problem).__name__
        raise TableError(
            f"{kind.path}: is no XLSX workbook that can be read ({what}); save it again or as CSV"
        ) from None


def _checked_archive(kind: _Kind, raw: IO[bytes]) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(raw)
    sizes = {info.filename: info.file_size for info in archive.infolist()}
    if "xl/workbook.xml" not in sizes:
        raise TableError(f"{kind.path}: is an archive but no XLSX workbook; unpack it, or save as XLSX or CSV")
    unpacked = sum(sizes.values())
    beside = sum(size for name, size in sizes.items() if not name.startswith("xl/worksheets/"))
    if unpacked > LARGEST_BYTES or beside > LARGEST_PARTS_BYTES:
        raise TableError(
            f"{kind.path}: {unpacked:,} bytes unpacked, {beside:,} of them beside the sheets; at most "
            f"{LARGEST_BYTES:,} and {LARGEST_PARTS_BYTES:,} are read, save as CSV"
        )
    return archive


def _sheet(book: Any, kind: _Kind, layout: Layout) -> Any:
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    if layout.sheet is not None:
        if layout.sheet not in sheets:
            raise TableError(f"{kind.path}: no sheet {show(layout.sheet)}; {guess(layout.sheet, list(sheets))}")
        return sheets[layout.sheet]
    visible = [sheet for sheet in sheets.values() if sheet.sheet_state == "visible"]
    if not visible:
        raise TableError(f"{kind.path}: has no visible sheet with cells; set sheet to the one to read")
    return visible[0]


def _spoiled_cells(
    archive: zipfile.ZipFile, part: str, kind: _Kind, layout: Layout
) -> dict[int, list[tuple[int, int, str]]]:
    """By row below the header: first and last column, and the reason, of merged cells and formulas without a value.

    Reading cells, the library shows neither: the one looks empty, and so does the other.
    """
    from openpyxl.utils import range_boundaries

    with archive.open(part) as stream:
        if not _mentions(stream, b":f", b"<f", b"mergeCell "):
            return {}
    found: dict[int, list[tuple[int, int, str]]] = {}
    count = 0
    with archive.open(part) as stream:
        for _, element in iterparse(stream):
            tag = element.tag.rpartition("}")[2]
            if tag == "c" and element.find("{*}f") is not None and not _has_value(element):
                place, why = element.get("r", ""), "is a formula without a stored value; open and save the workbook"
            elif tag == "mergeCell":
                place, why = element.get("ref", ""), "are merged; fill in each cell"
            else:
                if tag == "row":
                    element.clear()
                continue
            first_column, first, last_column, last = range_boundaries(place)
            for row in range(max(first, layout.header_row + 1), last + 1):
                count += 1
                if count > MOST_SPOILED:
                    raise TableError(f"{kind.path}: {place} and over {MOST_SPOILED:,} rows more {why}")
                found.setdefault(row, []).append((first_column, last_column, f"{place} {why}"))
    return found


def _has_value(cell: Any) -> bool:
    """Whether a cell with a formula says what the formula gives; a text may be stored as empty."""
    value = cell.find("{*}v")
    return value is not None and (bool(value.text) or cell.get("t") == "str")


def _mentions(stream: IO[bytes], *words: bytes) -> bool:
    before = b""
    while chunk := stream.read(1_000_000):
        if any(word in before + chunk for word in words):
            return True
        before = chunk[-16:]
    return False
