"""A CSV of closed opportunities, read through an explicit mapping of its columns.

Nothing is guessed and nothing is converted on the way in: a column is used if the mapping names it, a value
counts as won, lost, direct or partner if the mapping lists it, a number is plain digits with the mapping's
decimal mark. A row that cannot be used is rejected with its line and the reason, so rows read = rows used +
rows rejected.

Left out: open opportunities, dates (the period is given in the mapping), currencies.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from sim.documents import Declared, FrozenMap, Items, declare, guess, read_yaml, show, validate
from sim.errors import TableError

if TYPE_CHECKING:
    import pandas as pd

LARGEST_TABLE_BYTES = 200_000_000
MOST_USD = 10**9
MOST_DAYS = 3650
Column = Annotated[str, Field(min_length=1, max_length=200)]
Values = Annotated[Items[Annotated[str, Field(max_length=200)]], Field(min_length=1)]
SegmentLabel = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")]


class Mapping(Declared):
    """Which column says what, and which of its values mean what."""

    amount: Column = declare("column of the amount in US dollars; 0 is taken as not recorded", unit="column")
    result: Column = declare("column that says how the opportunity ended", unit="column")
    won: Values = declare("values of it that mean won", unit="values")
    lost: Values = declare("values of it that mean lost", unit="values")
    route: Column = declare("column that says who sold", unit="column")
    direct: Values = declare("values of it that mean the company's own sellers", unit="values")
    partner: Values = declare("values of it that mean a partner", unit="values")
    segment: Column = declare("column of the segment: something known before the deal is", unit="column")
    cycle_days: Column = declare("column of the days from opening to closing", unit="column")
    segments: FrozenMap[SegmentLabel] = declare(
        "names for values of the segment column; others are rejected. Empty: every value is its own name",
        unit="name by value", default={}, validate_default=True,
    )  # fmt: skip
    id: Column | None = declare("column that must differ in every row", unit="column", default=None)
    closed_days_ago: Column | None = declare(
        "column of the days from closing to the extract; with it intervals respect weeks",
        unit="column",
        default=None,
    )
    quarters: float = declare(
        "length of the period in which these deals closed", unit="quarters", default=1.0, gt=0, le=80
    )
    separator: Literal[",", ";", "\t", "|"] = declare("what stands between columns", unit="character", default=",")
    decimal: Literal[".", ","] = declare("decimal mark of the numbers", unit="character", default=".")
    source: Annotated[str, Field(max_length=300)] = declare(
        "what the file is and whether it is real; quoted in the scenario", unit="text", default=""
    )

    @model_validator(mode="after")
    def _one_meaning(self) -> Self:
        for column, one, other in (("result", "won", "lost"), ("route", "direct", "partner")):
            both = sorted(set(getattr(self, one)) & set(getattr(self, other)))
            if both:
                raise ValueError(f"{column} {show(both[0])} stands under {one} and under {other}; keep one")
        if len(set(self.segments.values())) != len(self.segments):
            raise ValueError("two values of segments have the same name; give each its own")
        return self

    def columns(self) -> dict[str, str]:
        """Field to column, for the columns that are used."""
        fields = ("amount", "result", "route", "segment", "cycle_days", "id", "closed_days_ago")
        return {field: getattr(self, field) for field in fields if getattr(self, field) is not None}


@dataclass(frozen=True)
class Rejected:
    """One row that is not used."""

    line: int
    """the line of the file on which the row ends, the header being 1"""
    reason: str


@dataclass(frozen=True, eq=False)
class Deals:
    """The usable rows of a table, and the others."""

    name: str
    """name of the file, without its folder"""
    frame: pd.DataFrame
    """columns segment, route (direct or partner), won, amount_usd, cycle_weeks, closed_week (-1 where not
    mapped), line
    """
    rejected: tuple[Rejected, ...]

    @property
    def rows_read(self) -> int:
        return len(self.frame) + len(self.rejected)


class _Unusable(Exception):
    """A row that is rejected, with the reason."""


def load_mapping(path: Path | str) -> Mapping:
    """The mapping in a YAML file. Raises TableError, a sentence for each thing that is wrong in it."""
    data, _ = read_yaml(path, TableError)
    return make_mapping(data, str(path))


def make_mapping(data: object, where: str = "mapping") -> Mapping:
    """A mapping from plain data, as from the options of a command: {"amount": "Value", "won": ["Won"]}."""
    if not isinstance(data, dict):
        raise TableError(
            f"{where}: holds {type(data).__name__}, not a mapping; start from a file in scenarios/mappings/"
        )
    return validate(Mapping, data, where, TableError)


def read_deals(path: Path | str, mapping: Mapping) -> Deals:
    """The closed opportunities of a CSV file (or .csv.gz). Raises TableError, one sentence."""
    import pandas as pd

    where = str(path)
    used: list[tuple[Any, ...]] = []
    rejected: list[Rejected] = []
    seen: dict[str, int] = {}
    records = _records(_text(path), mapping.separator, where)
    header = next(records, None)
    if header is None:
        raise TableError(f"{where}: the file is empty; give a CSV file with a header and closed opportunities")
    places = _places(header[1], mapping, where)
    for line, fields in records:
        try:
            if len(fields) != len(header[1]):
                raise _Unusable(f"{len(fields)} fields under {len(header[1])} columns")
            row = {field: fields[place].strip() for field, place in places.items()}
            used.append((*_deal(row, line, mapping, seen, where), line))
        except _Unusable as reason:
            rejected.append(Rejected(line, str(reason)))
    columns = ["segment", "route", "won", "amount_usd", "cycle_weeks", "closed_week", "line"]
    deals = Deals(Path(path).name, pd.DataFrame(used, columns=columns), tuple(rejected))
    _check_enough(deals, mapping, where)
    return deals


def _text(path: Path | str) -> str:
    where, file = str(path), Path(path)
    try:
        if file.stat().st_size > LARGEST_TABLE_BYTES:
            raise TableError(
                f"{where}: {file.stat().st_size:,} bytes; at most {LARGEST_TABLE_BYTES:,} are read, split the file"
            )
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as stream:
            data = stream.read(LARGEST_TABLE_BYTES + 1)
        if len(data) > LARGEST_TABLE_BYTES:
            raise TableError(
                f"{where}: over {LARGEST_TABLE_BYTES:,} bytes unpacked; at most that is read, split the file"
            )
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise TableError(f"{where}: not UTF-8 text (byte {problem.start}); save the file as UTF-8") from None
    except (OSError, EOFError, zlib.error, ValueError) as problem:
        what = getattr(problem, "strerror", None) or " ".join(str(problem).split())[:100]
        raise TableError(f"{where}: cannot be read ({what}); give the path of a CSV file") from None


def _records(text: str, separator: str, where: str) -> Iterator[tuple[int, list[str]]]:
    """Line and fields of each row that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for fields in reader:
            if any(field.strip() for field in fields):
                yield reader.line_num, fields
    except csv.Error as problem:
        raise TableError(f"{where}: line {reader.line_num} is not CSV ({problem}); correct the quotes there") from None


def _places(header: list[str], mapping: Mapping, where: str) -> dict[str, int]:
    names = [name.strip() for name in header]
    for separator in ",;\t|":
        if len(names) == 1 and separator in names[0] and separator != mapping.separator:
            raise TableError(f"{where}: the header is one column; set separator to {separator!r} in the mapping")
    places = {}
    for field, column in mapping.columns().items():
        if column not in names:
            raise TableError(
                f"{where}: no column {show(column)} for {field}; {guess(column, sorted(set(filter(None, names))))}"
            )
        if names.count(column) > 1:
            raise TableError(f"{where}: the column {show(column)} for {field} stands twice; rename one")
        places[field] = names.index(column)
    return places


def _deal(row: dict[str, str], line: int, mapping: Mapping, seen: dict[str, int], where: str) -> tuple[Any, ...]:
    """One usable row, or _Unusable with the reason."""
    if mapping.id is not None:
        first = seen.setdefault(row["id"], line)
        if first != line:
            raise _Unusable(f"{mapping.id} stands in an earlier row already")
    route = "direct" if row["route"] in mapping.direct else "partner" if row["route"] in mapping.partner else None
    if route is None:
        raise _Unusable(f"{mapping.route} {show(row['route'])} is neither direct nor partner")
    if row["result"] not in (*mapping.won, *mapping.lost):
        raise _Unusable(f"{mapping.result} {show(row['result'])} is neither won nor lost")
    segment = mapping.segments.get(row["segment"]) if mapping.segments else row["segment"]
    if segment is None:
        raise _Unusable(f"{mapping.segment} {show(row['segment'])} is not among the segments")
    if not re.fullmatch(r"[^\x00-\x1f\x7f]{1,60}", segment):
        raise _Unusable(f"{mapping.segment} is empty, long or not plain text; allowed: 1 to 60 characters")
    amount = _number(row["amount"], mapping.amount, MOST_USD, mapping, line, where)
    days = _number(row["cycle_days"], mapping.cycle_days, MOST_DAYS, mapping, line, where)
    week = -1
    if mapping.closed_days_ago is not None:
        week = int(_number(row["closed_days_ago"], mapping.closed_days_ago, MOST_DAYS, mapping, line, where) // 7)
    return segment, route, row["result"] in mapping.won, amount, days / 7, week


def _number(text: str, column: str, most: float, mapping: Mapping, line: int, where: str) -> float:
    """A plain number from 0 to `most`.

    Another decimal mark or a thousands mark stops the reading of the whole file: to reject only the rows that
    have one would lose the large amounts and keep the small ones.
    """
    if not re.fullmatch(rf"[+-]?[0-9]+([{mapping.decimal}][0-9]+)?([eE][+-]?[0-9]{{1,3}})?", text):
        if re.fullmatch(r"[^0-9A-Za-z]*[0-9][0-9.,' \u00a0\u202f]*", text):
            raise TableError(
                f"{where}: line {line}: {column} is {show(text)}; allowed: digits with at most one "
                f"{mapping.decimal!r} as decimal mark, nothing else; export plain numbers or set decimal "
                f"in the mapping"
            )
        raise _Unusable(f"{column} is not a number" if text else f"{column} is empty")
    value = float(text.replace(mapping.decimal, "."))
    if not value >= 0 or value > most:
        raise _Unusable(f"{column} is out of bounds; allowed: 0 to {most:,}")
    return value


def _check_enough(deals: Deals, mapping: Mapping, where: str) -> None:
    frame = deals.frame
    if frame.empty:
        why = f"; line {deals.rejected[0].line}: {deals.rejected[0].reason}" if deals.rejected else ""
        raise TableError(f"{where}: none of its {deals.rows_read} rows can be used{why}; correct the mapping")
    for column, field, found in (
        (mapping.result, "won", bool(frame["won"].any())),
        (mapping.result, "lost", not frame["won"].all()),
        (mapping.route, "direct", bool((frame["route"] == "direct").any())),
        (mapping.route, "partner", bool((frame["route"] == "partner").any())),
    ):
        if not found:
            raise TableError(
                f"{where}: no usable row has {column} {', '.join(getattr(mapping, field))} ({field}); "
                f"correct the mapping"
            )
