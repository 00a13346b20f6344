"""A file as rows of cells: CSV in any of its dialects, plain or gzipped, and XLSX workbooks (workbooks.py).

What a file is, its first bytes say, not its name. A `Layout` says what cannot be known from them. Rows keep the number
a spreadsheet shows; a row that cannot be put under the header is not dropped but listed in `misfits`. Whatever is no
table is refused in one sentence. Memory does not grow with the number of rows.

Left out: what the columns mean (mapping.py, deal_table.py), numbers and dates in text (notation.py), XLS, ODS and HTML.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, Field

from nexthour.calibrate.files.text_lines import ENCODING_BY_MARK, Lines
from nexthour.calibrate.files.workbooks import LARGEST_BYTES, Spoiled, sheet_rows
from sim.documents.declared import Declared, declare
from sim.documents.messages import guess, show
from sim.errors import TableError

if TYPE_CHECKING:
    import pandas as pd

MOST_COLUMNS = 100_000
CHUNK_STEP, CHUNK_ROWS, CHUNK_CELLS, CHUNK_CHARACTERS = 25, 500, 500_000, 20_000_000
"""Most rows, cells and characters read at a time: few enough to stay in the processor's cache."""
HEADER_SEARCH_ROWS = 30
LONGEST_PATH_SHOWN = 250
SEPARATORS = (",", ";", "\t", "|")
WORKBOOK, GZIP = b"PK\x03\x04", b"\x1f\x8b"
OTHER_KINDS = {
    b"\xd0\xcf\x11\xe0": "an old .xls workbook or one with a password; save it as .xlsx without a password, or as CSV",
    b"%PDF": "a PDF; export the table as CSV or XLSX",
    b"BEGIN:VCALENDAR": "a calendar, for nexthour hours; give a table, as CSV or XLSX",
    b"# yaml-language-server": "a file of Next Hour; give a table, as CSV or XLSX",
    b"# This file is whole if": "a file of Next Hour; give a table, as CSV or XLSX",
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
class TableFile:
    """A file whose rows stand under a header."""

    path: Path
    layout: Layout
    header: tuple[str, ...]
    is_workbook: bool
    size_bytes: int
    read_bytes: int = 0
    """how far into the file the last block reached"""
    misfits: list[tuple[int, str]] = field(default_factory=list)
    """row number and reason of each row that no block has; complete once the blocks have been consumed"""

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self.path.name

    def blocks(self, columns: Sequence[str], rows: int = 100_000) -> Iterator[pd.DataFrame]:
        """The rows that are not blank, about `rows` at a time, as frames of these columns indexed by row number.

        Cells are stripped text; in a workbook also numbers, booleans or times, as they are typed. An empty one is "".
        Raises TableError, one sentence.
        """
        places = [self._place(column) for column in columns]
        numbers, cells = list[int](), [list[Any]() for _ in places]
        self.misfits.clear()
        kept: dict[str, str] = {}
        for more, fitting in self._fitting(places, rows):
            numbers += more
            for column, place in zip(cells, places, strict=True):
                stripped = list(map(_strip if self.is_workbook else str.strip, map(itemgetter(place), fitting)))
                # Text that repeats itself is kept once. In a workbook it is anyway, and there 1 is not true.
                column.extend(stripped if self.is_workbook else map(kept.setdefault, stripped, stripped))
            if len(numbers) >= rows:
                yield _frame(columns, cells, numbers)
                numbers, cells = [], [[] for _ in places]
                kept.clear()
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
                yield self._keep_fitting(numbers[skip:], chunk[skip:], places)

    def _keep_fitting(
        self, numbers: Sequence[int], chunk: list[list[Any]], places: list[int]
    ) -> tuple[Sequence[int], list[list[Any]]]:
        """Numbers and cells of a chunk's rows, without the blank ones and the misfits."""
        width = len(self.header)
        if not self.is_workbook and {*map(len, chunk)} == {width} and all(map(str.strip, map(itemgetter(0), chunk))):
            return numbers, chunk  # nearly all chunks are like this, and looking at each row takes long
        good = []
        for number, cells in zip(numbers, chunk, strict=True):
            if not any(not isinstance(cell, str) or cell.strip() for cell in cells):
                continue
            if len(cells) != width:
                self.misfits.append((number, _misfit_reason(len(cells), width)))
                continue
            spoiled = [cells[place] for place in places if isinstance(cells[place], Spoiled)]
            if spoiled:
                self.misfits.append((number, spoiled[0].reason))
            else:
                good.append((number, cells))
        return [number for number, _ in good], [cells for _, cells in good]

    def _place(self, column: str) -> int:
        """The index of a column in the header. Raises TableError if it is not there once."""
        places = self._places.get(column, ())
        if not places:
            rows = enumerate(first_rows(self.path, self.layout), 1)
            row = next((number for number, cells in rows if column in cells), None)
            known = sorted({*self.header} - {""})
            meant = f"row {row} has it: set header_row to {row}" if row else guess(column, known)
            raise TableError(f"{self.path}: no column {show(column)} in row {self.layout.header_row}; {meant}")
        if len(places) > 1:
            raise TableError(f"{self.path}: the column {show(column)} stands twice; rename one")
        return places[0]

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        """Each column with the places at which it stands in the header."""
        places: dict[str, list[int]] = {}
        for place, column in enumerate(self.header):
            places.setdefault(column, []).append(place)
        return places


@lru_cache
def _misfit_reason(fields: int, width: int) -> str:
    many = f"over {_most_kept(width) - 1:,}" if fields == _most_kept(width) else f"{fields:,}"
    return f"{many} field{'s' if fields > 1 else ''} under {width:,} columns"


def _most_kept(width: int) -> int:
    """Fields that are kept of a row, so that a row of millions of them does not fill the memory."""
    return 2 * width + 2


def _strip(cell: Any) -> Any:
    return cell.strip() if isinstance(cell, str) else cell


def _frame(columns: Sequence[str], cells: list[list[Any]], numbers: list[int]) -> pd.DataFrame:
    import pandas as pd

    rows = np.empty((len(cells), len(numbers)), dtype=object)
    for place, column in enumerate(cells):
        rows[place] = column
    return pd.DataFrame(rows.T, index=pd.Index(numbers, name="row"), columns=list(columns), dtype=object)


def open_table(path: Path | str, layout: Layout = PLAIN) -> TableFile:
    """Open a CSV file, plain or gzipped, or a sheet of a workbook. Raises TableError, one sentence."""
    kind, row = _file_kind(path), layout.header_row
    if layout.sheet is not None and not kind.is_workbook:
        raise TableError(f"{path}: is a text file and has no sheets; remove sheet from the mapping")
    try:
        with _records(path, layout, row) as (chunks, _):
            cells = next(islice(chain.from_iterable(chunks), row - 1, None), None)
    except TableError:
        _check_separator(kind, layout)
        raise
    if cells is None and row == 1:
        raise TableError(f"{path}: the file is empty; give a CSV or XLSX file with a header")
    header = tuple(str(cell).strip() for cell in cells or ())
    if not any(header):
        state = "is not there" if cells is None else "is blank"
        raise TableError(f"{path}: row {row} {state}; set header_row to the row of the column names")
    if len(header) == 1:
        _check_separator(kind, layout)
    if len(header) > MOST_COLUMNS:
        raise TableError(f"{path}: {len(header):,} columns; at most {MOST_COLUMNS:,} are read, export fewer")
    return TableFile(Path(path), layout, header, kind.is_workbook, kind.size_bytes)


def is_workbook(path: Path | str) -> bool:
    """Whether a file is an XLSX workbook, whatever its name. Raises TableError."""
    return _file_kind(path).is_workbook


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

    Index and cells as in TableFile.blocks. Raises TableError, one sentence, for a row that does not fit too.
    """
    import pandas as pd

    table = open_table(path, layout)
    present = [*columns, *(column for column in optional if column in table.header)]
    frame = next(table.blocks(present, most_rows + 1), None)
    if frame is None:
        frame = pd.DataFrame(columns=present, index=pd.Index([], name="row"), dtype=object)
    if len(frame) > most_rows:
        raise TableError(f"{path}: more than {most_rows:,} rows; allowed: at most {most_rows:,}")
    if table.misfits:
        row, reason = table.misfits[0]
        raise TableError(f"{path}: row {row}: {reason}; correct the row")
    return frame.reindex(columns=[*columns, *optional], fill_value="")


@dataclass(frozen=True)
class _FileKind:
    """What the first bytes of a file say it is."""

    path: Path
    size_bytes: int
    gzipped: bool
    is_workbook: bool
    encoding: str | None
    """encoding that its byte order mark says"""


def _file_kind(path: Path | str) -> _FileKind:
    """What a file is. Raises TableError for what is no table, with how to make it one."""
    with _as_table_errors(path):
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
    return _FileKind(path, size_bytes, gzipped, start.startswith(WORKBOOK), encoding)


@contextmanager
def _records(
    path: Path | str, layout: Layout, size: int, width: int | None = None
) -> Iterator[tuple[Iterator[list[list[Any]]], IO[bytes]]]:
    """Every row from the first, blank ones too, `size` at a time, and the open file.

    Rows of a workbook are cut and filled to `width`, if that is given.
    """
    kind = _file_kind(path)
    with _as_table_errors(path), kind.path.open("rb") as raw:
        lines = Lines(kind.path, raw, kind.gzipped, kind.encoding, layout.encoding)
        if kind.is_workbook:
            records = sheet_rows(kind.path, raw, layout.sheet, layout.header_row, width)
        else:
            most, read = _most_kept(width or MOST_COLUMNS), csv.reader(lines, delimiter=layout.separator, strict=True)
            records = (cells if len(cells) <= most else cells[:most] for cells in read)
        yield _chunks(records, size, lines), raw


def _chunks(records: Iterator[list[Any]], size: int, lines: Lines) -> Iterator[list[list[Any]]]:
    row = 1
    while True:
        chunk, end = list[list[Any]](), lines.characters + CHUNK_CHARACTERS
        try:
            while len(chunk) < size and lines.characters < end:
                before = len(chunk)
                chunk.extend(islice(records, min(size - before, CHUNK_STEP)))
                if len(chunk) == before:
                    break
        except csv.Error as problem:
            row += len(chunk)
            raise TableError(f"{lines.path}: row {row} is not CSV ({problem}); correct the quotes there") from None
        if not chunk:
            return
        yield chunk
        row += len(chunk)


@contextmanager
def _as_table_errors(path: Path | str) -> Iterator[None]:
    """Turns whatever reading a file can raise into a TableError of one sentence."""
    try:
        yield
    except (OSError, EOFError, zlib.error, ValueError) as problem:
        what = getattr(problem, "strerror", None) or " ".join(str(problem).split())[:100]
        where = path if len(str(path)) <= LONGEST_PATH_SHOWN and "\0" not in str(path) else show(str(path))
        raise TableError(f"{where}: cannot be read ({what}); give the path of a CSV or XLSX file") from None


def _check_separator(kind: _FileKind, layout: Layout) -> None:
    """Raises TableError if the header looks as if another separator were meant."""
    if kind.is_workbook:
        return
    with _as_table_errors(kind.path), kind.path.open("rb") as raw:
        lines = Lines(kind.path, raw, kind.gzipped, kind.encoding, layout.encoding)
        line = next(islice(lines, layout.header_row - 1, None), "")
    likeliest = max(SEPARATORS, key=line.count)
    if line.count(likeliest) > line.count(layout.separator):
        raise TableError(
            f"{kind.path}: the columns are not separated by {layout.separator!r}; set separator to {likeliest!r}"
        )
