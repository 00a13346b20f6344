"""The rows of a sheet of an XLSX workbook, in memory that does not grow with them.

Two kinds of cell look empty to whoever reads only values, and are not: cells merged with others, and formulas whose
value was never stored. They come as `Spoiled`. Formulas that have one are that value; widths that a sheet claims are
not believed.

Left out: styles, charts, comments, passwords.
"""

import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from xml.etree.ElementTree import iterparse

from sim.documents.messages import guess, show
from sim.errors import TableError

LARGEST_BYTES = 1_000_000_000
"""Largest file that is read, packed or unpacked."""
LARGEST_PARTS_BYTES = 200_000_000
"""Most that a workbook may hold beside its sheets: its texts are kept in memory."""
INNOCENT_BYTES, MOST_TIMES = 10_000_000, 100
"""A part larger than this that unpacks to more times its size is taken for a bomb, as Apache POI does."""
MOST_ROWS_OF_A_SHEET = 1_048_576
MOST_SPOILED = 200_000


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
    import openpyxl

    # What a workbook holds beside cells (styles, validation, extensions) is nobody's concern here.
    warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")
    try:
        archive = _checked_archive(path, raw)
        sheet = _sheet(openpyxl.load_workbook(raw, read_only=True, data_only=True), path, sheet_name)
        spoiled = _spoiled_cells(archive, sheet._worksheet_path, path, header_row)
        sheet.reset_dimensions()  # exporters write wrong ones, and rows beyond them would be dropped
        for row, values in enumerate(sheet.iter_rows(max_col=width, values_only=True), 1):
            if row > MOST_ROWS_OF_A_SHEET:
                raise TableError(f"{path}: over {MOST_ROWS_OF_A_SHEET:,} rows in a sheet; split it")
            cells = ["" if value is None else value for value in values]
            for first, last, reason in spoiled.get(row, ()):
                for column in range(first - 1, min(last, len(cells))):
                    cells[column] = Spoiled(reason)
            yield cells
    except (TableError, GeneratorExit, MemoryError):
        raise
    except Exception as problem:
        # The workbook library lets many kinds escape for malformed archives and sheets.
        what = " ".join(str(problem).split())[:80] or type(problem).__name__
        raise TableError(f"{path}: is no XLSX workbook that can be read ({what}); save it again or as CSV") from None


def _checked_archive(path: Path, raw: IO[bytes]) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(raw)
    sizes = {info.filename: info.file_size for info in archive.infolist()}
    if "xl/workbook.xml" not in sizes:
        raise TableError(f"{path}: is an archive but no XLSX workbook; unpack it, or save as XLSX or CSV")
    if any(info.file_size > max(INNOCENT_BYTES, MOST_TIMES * info.compress_size) for info in archive.infolist()):
        raise TableError(f"{path}: a part of it unpacks to over {MOST_TIMES} times its size; save it again or as CSV")
    unpacked = sum(sizes.values())
    beside = sum(size for name, size in sizes.items() if not name.startswith("xl/worksheets/"))
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


def _spoiled_cells(
    archive: zipfile.ZipFile, part: str, path: Path, header_row: int
) -> dict[int, list[tuple[int, int, str]]]:
    """Merged cells and formulas without a value, by row below the header: first and last column, and the reason.

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
            for row in range(max(first, header_row + 1), last + 1):
                count += 1
                if count > MOST_SPOILED:
                    raise TableError(f"{path}: {place} and over {MOST_SPOILED:,} rows more {why}")
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
