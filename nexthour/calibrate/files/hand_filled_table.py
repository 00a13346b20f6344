"""A small table that people fill in by hand: each row becomes a validated document whose fields are the columns.

What separates the columns is seen from the header, since its names are known. A blank cell is "not known" and stays
away from the document; a column that nobody knows is refused, because a misspelt one would count as blank.

Left out: what the rows mean (partner_posterior.py, judgement.py), and large tables (deal_table.py).
"""

from pathlib import Path
from typing import Any, TypeVar

from nexthour.calibrate.files.notation import Decimal, Question, Reason, as_text, parse_number
from nexthour.calibrate.files.table_file import SEPARATORS, Layout, open_table, read_small
from sim.documents.declared import Declared, validate
from sim.documents.messages import guess, listed, show
from sim.errors import TableError

MOST_ROWS = 2_000
MOST = 1e15
T = TypeVar("T", bound=Declared)


def read_rows(
    path: Path | str, model: type[T], decimal: Decimal | None = None, encoding: str | None = None
) -> list[tuple[str, T]]:
    """Read the rows of a CSV or XLSX file, each with the place where it stands ("table.csv: row 3").

    `decimal` is the decimal mark if numbers are not plain as in 1234.5, `encoding` that of a text file which is not
    UTF-8. Raises TableError, one sentence.
    """
    fields = model.model_fields
    required = [name for name, field in fields.items() if field.is_required()]
    optional = [name for name in fields if name not in required]
    layout = _find_layout(path, list(fields), encoding)
    for column in open_table(path, layout).header:
        if column and column not in fields:
            raise TableError(f"{path}: unknown column {show(column)}; {guess(column, list(fields))}")
    frame = read_small(path, required, layout, MOST_ROWS, optional)
    if frame.empty:
        raise TableError(f"{path}: has no rows under its header; add one for each {required[0]}")
    read = []
    for row, cells in zip(frame.index, frame.to_dict("records"), strict=True):
        where = f"{path}: row {row}"
        data = {str(name): _value(model, str(name), cell, decimal, where) for name, cell in cells.items() if cell != ""}
        read.append((where, validate(model, data, where, TableError)))
    return read


def _find_layout(path: Path | str, columns: list[str], encoding: str | None) -> Layout:
    """The layout whose header has most of these columns. Raises TableError, for a file that is no table too."""
    found: list[tuple[int, Layout]] = []
    refused: list[TableError] = []
    for mark in SEPARATORS:
        layout = validate(Layout, {"separator": mark, "encoding": encoding}, str(path), TableError)
        try:
            found.append((len({*open_table(path, layout).header} & {*columns}), layout))
        except TableError as problem:
            refused.append(problem)
    if not found:
        raise refused[0]
    columns_found, best = max(found, key=lambda candidate: candidate[0])
    if columns_found == 0:
        raise TableError(f"{path}: its header has none of the columns {listed(columns)}; start from a blank table")
    return best


def _value(model: type[Declared], name: str, cell: Any, decimal: Decimal | None, where: str) -> Any:
    """A cell as text or as a number, as its field wants it; what is no number stays what it is, and is refused."""
    if model.model_fields[name].json_schema_extra["unit"] == "text":  # type: ignore[index]
        return as_text(cell)
    try:
        value = parse_number(cell, decimal, MOST)
    except Question as question:
        answer = question.answer.replace("set decimal to", "give --decimal")
        raise TableError(f"{where}: {name} {show(cell)} {question.text}; {answer}") from None
    if isinstance(value, Reason):
        raise TableError(f"{where}: {name} {show(cell)} {value}; leave the cell blank if it is not known")
    return int(value) if value.is_integer() else value
