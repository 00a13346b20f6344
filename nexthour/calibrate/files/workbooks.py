"""The rows of a sheet of an XLSX workbook, in memory that does not grow with them.

Two kinds of cell look empty to whoever reads only values, and are not: cells merged with others, and formulas whose
value was never stored. They come as `Spoiled`. Formulas that have one are that value; widths that a sheet claims are
not believed.

Left out: styles, charts, comments, passwords.
"""

import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from xml.etree.ElementTree import Element, ParseError, iterparse

from sim.documents.messages import guess, show
from sim.errors import TableError

LARGEST_BYTES = 1_000_000_000
"""Largest file that is read, packed or unpacked."""
LARGEST_PARTS_BYTES = 200_000_000
"""Most that a workbook may hold beside its sheets: its texts are kept in memory."""
INNOCENT_BYTES, MOST_TIMES = 5_000_000, 100
"""A part larger than this that unpacks to more times its size is taken for a bomb, as Apache POI does."""
MOST_ROWS_OF_A_SHEET = 1_048_576
MOST_BLANKS = 30_000_000
"""Most cells that rows of a sheet lack: a short row under a wide header is filled."""
MOST_ELEMENTS = 100_000
"""Most elements of a row, or of what follows the rows: all of them are in memory at once. A row
has 16,384 cells at most, with up to three elements in each."""
MOST_ELEMENTS_BESIDE = 50_000
"""Most elements of a part beside sheets and texts, such as styles."""
MOST_TEXTS, INNOCENT_TEXTS = 1_000_000, 50_000
"""Most texts; with more than the second number, each takes a byte or more of the archive, or they are a bomb."""
MOST_SHEETS = 200
MOST_SPOILED, MOST_SPOILED_CELLS = 200_000, 2_000_000
SHEETS, TEXTS, BOOK = "xl/worksheets/", "xl/sharedstrings.xml", "xl/workbook.xml"
ROW = re.compile(rb"<(?:[\w.-]+:)?row\b")
NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHEET = re.compile(rb"<(?:[\w.-]+:)?sheet\s")
TEXT = re.compile(rb"<(?:[\w.-]+:)?si[\s/>]")
ENCODING = re.compile(rb"""<\?xml[^>]{0,200}encoding=["']([^"']{0,40})""")


@dataclass(frozen=True)
class Spoiled:
    """A cell that reads as empty, and is not."""

    reason: str


def sheet_rows(
    path: Path, raw: IO[bytes], sheet_name: str | None, header_row: int, width: int | None
) -> Iterator[list[Any]]:
    """Read every row of a sheet from the first, cut and filled to `width` if that is given.

    Without a name it is the first visible sheet. Cells are as they are typed, an empty one "". Raises TableError.
    """
    # What a workbook holds beside cells (styles, validation, extensions) is nobody's concern here.
    warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")
    try:
        archive = _checked_archive(path, raw)
        _check_parts_beside(archive, path)
        sheet = _sheet(_open_book(raw), path, sheet_name)
        spoiled = _spoiled_cells(archive, sheet._worksheet_path, path, header_row)
        for row, values in _rows_from_first(sheet, width, path):
            cells = ["" if value is None else value for value in values]
            for first, last, reason in spoiled.get(row, ()):
                for column in range(first - 1, min(last, len(cells))):
                    cells[column] = Spoiled(reason)
            yield cells
    except (TableError, GeneratorExit, MemoryError):
        raise
    except Exception as problem:
        # The workbook library lets many kinds escape for malformed archives and sheets.
        raise TableError(
            f"{path}: is no XLSX workbook that can be read ({_reason(problem)}); save it again or as CSV"
        ) from None


def _open_book(raw: IO[bytes]) -> Any:
    """The workbook as its library reads it, but for the texts, which the library takes very long to read."""
    from openpyxl.reader.excel import ExcelReader
    from openpyxl.xml.constants import SHARED_STRINGS

    class Reader(ExcelReader):  # type: ignore[misc]
        def read_strings(self) -> None:
            part = self.package.find(SHARED_STRINGS)
            if part is not None:
                with self.archive.open(part.PartName[1:]) as source:
                    self.shared_strings = list(_texts(source))

    reader = Reader(raw, read_only=True, data_only=True)
    reader.read()
    return reader.wb


def _texts(source: IO[bytes]) -> Iterator[str]:
    """Each text of a workbook, its pieces of several formats joined; how to pronounce it is left out."""
    for item in _elements(source, f"{{{NAMESPACE}}}si"):
        plain = item.findall(f"{{{NAMESPACE}}}t") + item.findall(f"{{{NAMESPACE}}}r/{{{NAMESPACE}}}t")
        yield "".join(piece.text or "" for piece in plain).replace("x005F_", "")


def _reason(problem: Exception) -> str:
    """What is wrong with a workbook, by what its library raises."""
    if isinstance(problem, ParseError):
        return f"line {problem.position[0]} of a part of it is broken XML"
    if isinstance(problem, KeyError):
        return "a part of it is missing"
    if isinstance(problem, OSError | EOFError | zipfile.BadZipFile | zlib.error | NotImplementedError | RuntimeError):
        return "its archive is damaged or has a password"
    return "a cell or a part of it makes no sense"


def _rows_from_first(sheet: Any, width: int | None, path: Path) -> Iterator[tuple[int, list[Any]]]:
    """Number and values of each row from 1 on, cut and filled to `width`; one that is not there, or blank, is empty.

    What else a sheet holds (links, validation, formats) is passed over, so that nothing wrong in it matters.
    """
    from openpyxl.worksheet._reader import ROW_TAG, WorkSheetParser

    book, number, blanks = sheet.parent, 0, 0
    with sheet._get_source() as source:
        parser = WorkSheetParser(
            source, sheet._shared_strings, data_only=True, epoch=book.epoch, date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )  # fmt: skip
        for element in _elements(source, ROW_TAG):
            row, cells = parser.parse_row(element)
            if row <= number:
                raise TableError(
                    f"{path}: row {row} stands twice or out of order in its sheet; save the workbook again"
                )
            if row > MOST_ROWS_OF_A_SHEET:
                raise TableError(f"{path}: over {MOST_ROWS_OF_A_SHEET:,} rows in a sheet; split it")
            yield from ((gap, []) for gap in range(number + 1, row))
            number = row
            values = [None] * (width or max((cell["column"] for cell in cells), default=0)) if cells else []
            blanks += len(values) - len(cells)
            if blanks > MOST_BLANKS:
                raise TableError(f"{path}: over {MOST_BLANKS:,} blank cells under the header; save it as CSV")
            for cell in cells:
                if 1 <= cell["column"] <= len(values):
                    values[cell["column"] - 1] = cell["value"]
            yield number, values


def _elements(source: IO[bytes], tag: str) -> Iterator[Element]:
    """The elements of a tag as they end; no more than one of them is kept."""
    above: list[Element] = []
    for event, element in iterparse(source, ("start", "end")):
        if event == "start":
            above.append(element)
            continue
        above.pop()
        if element.tag == tag:
            yield element
            element.clear()
            if above:
                above[-1].remove(element)


def _checked_archive(path: Path, raw: IO[bytes]) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(raw)
    sizes = {info.filename: info.file_size for info in archive.infolist()}
    if BOOK not in sizes:
        raise TableError(f"{path}: is an archive but no XLSX workbook; unpack it, or save as XLSX or CSV")
    if any(info.file_size > max(INNOCENT_BYTES, MOST_TIMES * info.compress_size) for info in archive.infolist()):
        raise TableError(f"{path}: a part of it unpacks to over {MOST_TIMES} times its size; save it again or as CSV")
    unpacked = sum(sizes.values())
    beside = sum(size for name, size in sizes.items() if not name.startswith(SHEETS))
    if unpacked > LARGEST_BYTES or beside > LARGEST_PARTS_BYTES:
        raise TableError(
            f"{path}: {unpacked:,} bytes unpacked, {beside:,} of them beside the sheets; at most "
            f"{LARGEST_BYTES:,} and {LARGEST_PARTS_BYTES:,} are read, save as CSV"
        )
    return archive


def _sheet(book: Any, path: Path, name: str | None) -> Any:
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    if name is not None:
        if name not in sheets:
            raise TableError(f"{path}: no sheet {show(name)}; {guess(name, list(sheets))}")
        return sheets[name]
    visible = [sheet for sheet in sheets.values() if sheet.sheet_state == "visible"]
    if not visible:
        raise TableError(f"{path}: has no visible sheet with cells; set sheet to the one to read")
    return visible[0]


def _check_parts_beside(archive: zipfile.ZipFile, path: Path) -> None:
    """Raise TableError for more than a workbook says beside its sheets; they are checked when they are read."""
    for info in archive.infolist():
        if info.filename.endswith((".xml", ".rels")) and not info.filename.startswith(SHEETS):
            with archive.open(info) as stream:
                _check_part(stream, path, info)


def _spoiled_cells(
    archive: zipfile.ZipFile, part: str, path: Path, header_row: int
) -> dict[int, list[tuple[int, int, str]]]:
    """Merged cells and formulas without a value, by row below the header: first and last column, and the reason.

    Reading cells, the library shows neither: the one looks empty, and so does the other.
    """
    from openpyxl.utils import range_boundaries

    with archive.open(part) as stream:
        if not _check_sheet(stream, path):
            return {}
    found: dict[int, list[tuple[int, int, str]]] = {}
    count = cells = 0
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
            for row in range(max(first, header_row + 1), last + 1):
                count, cells = count + 1, cells + last_column - first_column + 1
                if count > MOST_SPOILED or cells > MOST_SPOILED_CELLS:
                    most = f"{MOST_SPOILED:,} rows" if count > MOST_SPOILED else f"{MOST_SPOILED_CELLS:,} cells"
                    raise TableError(f"{path}: {place} and over {most} more {why}")
                found.setdefault(row, []).append((first_column, last_column, f"{place} {why}"))
    return found


def _has_value(cell: Any) -> bool:
    """Whether a cell with a formula says what the formula gives; a text may be stored as empty."""
    value = cell.find("{*}v")
    return value is not None and (bool(value.text) or cell.get("t") == "str")


def _check_sheet(stream: IO[bytes], path: Path) -> bool:
    """Whether a sheet may have merged cells or formulas. Raises TableError for more elements than a row can have."""
    mentioned, before, elements = False, b"", 0
    while chunk := stream.read(1_000_000):
        if not before:
            _check_head(chunk, path)
        both = before + chunk
        mentioned |= any(word in both for word in (b":f", b"<f", b"mergeCell "))
        for number, piece in enumerate(ROW.split(chunk)):
            elements = piece.count(b"<") - piece.count(b"</") + (0 if number else elements)
            if elements > MOST_ELEMENTS:
                raise TableError(
                    f"{path}: over {MOST_ELEMENTS:,} elements in a row of a sheet or after its rows; save it as CSV"
                )
        before = chunk[-16:]
    return mentioned


def _check_part(stream: IO[bytes], path: Path, info: zipfile.ZipInfo) -> None:
    """Raise TableError for a part with more elements than workbooks have."""
    texts = info.filename.lower() == TEXTS
    elements, sheets, before = 0, 0, b""
    while chunk := stream.read(1_000_000):
        if not before:
            _check_head(chunk, path)
        elements += len(TEXT.findall(chunk)) if texts else chunk.count(b"<") - chunk.count(b"</")
        sheets += len(SHEET.findall(chunk)) if info.filename == BOOK else 0
        before = chunk
        if sheets > MOST_SHEETS:
            raise TableError(f"{path}: over {MOST_SHEETS:,} sheets; keep those to read, or save one as CSV")
        if texts and elements > min(MOST_TEXTS, max(INNOCENT_TEXTS, info.compress_size)):
            raise TableError(f"{path}: over {elements:,} texts in {info.compress_size:,} bytes; save it as CSV")
        if not texts and elements > MOST_ELEMENTS_BESIDE:
            raise TableError(f"{path}: over {MOST_ELEMENTS_BESIDE:,} elements in {show(info.filename)}; save it as CSV")


def _check_head(start: bytes, path: Path) -> None:
    """Raise TableError for XML that defines words of its own, which can mean anything, or is no UTF-8."""
    encoding = ENCODING.search(start[:1000])
    other = encoding is not None and encoding[1].lower() not in (b"utf-8", b"us-ascii")
    if other or b"<!DOCTYPE" in start or b"\0" in start[:100]:
        raise TableError(
            f"{path}: is no XLSX workbook that can be read (a part of it is XML of another kind); save it again or as "
            "CSV"
        )
