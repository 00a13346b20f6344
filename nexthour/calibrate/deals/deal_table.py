"""The deals of a CRM export: closed ones, open ones, and for every other row the reason why it is not used.

Rows read = rows used + rows rejected. A row is rejected for the first thing that is wrong with it; what shows that the
whole column is written in another way than the mapping says stops the reading (notation.Question).

A date counts as a day, its time and zone left out. Days of closed deals count from 1970-01-01 where the export has
dates, and back from the export where it has days ago.

Left out: what a cell means (mapping.py), stages that a deal passed, changes of amount, who worked on it.
"""

import datetime
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nexthour.calibrate.deals.mapping import IS_OPEN, IS_WON, MOST_DAYS, Mapping, Meaning, meanings
from nexthour.calibrate.files.notation import EPOCH, Question, Reason, as_text
from nexthour.calibrate.files.table_file import TableFile, open_table
from sim.arrays import FloatArray
from sim.documents.files import write_whole
from sim.documents.messages import show
from sim.errors import TableError
from sim.progress import Progress

LONGEST_QUIET_DAYS = 182
"""Longest time that may lie between the last opening or closing and the day of the export."""
ROWS_AT_ONCE = 20_000
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
CLOSED_COLUMNS = (
    "segment", "territory", "route", "partner", "won", "amount_usd", "cycle_weeks", "created_day", "closed_day",
)  # fmt: skip
OPEN_COLUMNS = ("segment", "territory", "route", "partner", "stage", "amount_usd", "age_weeks", "created_day")


@dataclass(frozen=True, eq=False)
class Deals:
    """The usable rows of an export, and the others."""

    name: str
    """name of the file, without its folder"""
    closed: pd.DataFrame
    """CLOSED_COLUMNS, by row of the file: route is direct or partner, partner a name or "", days NaN if not known"""
    open: pd.DataFrame
    """OPEN_COLUMNS, by row of the file: stage from 1"""
    rejected: pd.DataFrame
    """columns row and reason, by row"""
    rows_read: int
    """rows below the header that are not blank"""

    @property
    def rows_used(self) -> int:
        """Number of deals, closed and open."""
        return len(self.closed) + len(self.open)

    @property
    def opened(self) -> pd.DataFrame:
        """Every deal as it was opened: segment, route, partner, created_day, and age_weeks, NaN if it is closed."""
        deals = [frame for frame in (self.closed.assign(age_weeks=float("nan")), self.open) if len(frame)]
        return pd.concat(deals or [self.open])[["segment", "route", "partner", "created_day", "age_weeks"]]


def read_deals(path: Path | str, mapping: Mapping, progress: Progress | None = None) -> Deals:
    """Read the deals of a CSV or XLSX file. `progress` gets bytes read and bytes in all. Raises TableError."""
    table = open_table(path, mapping)
    reader = _Reader(mapping, str(path))
    closed_frames, open_frames = [], []
    rejected: dict[int, str] = {}
    rows_read = 0
    for block in table.blocks(list(dict.fromkeys(mapping.columns().values())), ROWS_AT_ONCE):
        closed, still_open, reasons = reader.read(block)
        rows_read += len(block)
        closed_frames.append(closed)
        open_frames.append(still_open)
        rejected.update(reasons)
        if progress is not None:
            progress(table.read_bytes, table.size_bytes)
    rows_read += len(table.misfits)
    rejected.update(table.misfits)
    deals = Deals(
        table.name,
        _join(closed_frames, CLOSED_COLUMNS),
        _join(open_frames, OPEN_COLUMNS),
        pd.Series(rejected, dtype=object, name="reason").sort_index().rename_axis("row").reset_index(),
        rows_read,
    )
    _check_meaning(deals, mapping, table)
    return deals


def save_rejected(rejected: pd.DataFrame, path: Path | str) -> None:
    """Write rejected rows and their reasons as CSV. Raises TableError."""
    write_whole(path, rejected_text(rejected).encode("utf-8-sig", "replace"), TableError)


def rejected_text(rejected: pd.DataFrame) -> str:
    """Rejected rows and their reasons as CSV text.

    What a spreadsheet would take for a formula (a name of a column may be one) gets an apostrophe before it.
    """
    safe = ["'" + reason if reason.startswith(FORMULA_STARTS) else reason for reason in rejected["reason"]]
    return rejected.assign(reason=safe).to_csv(index=False, lineterminator="\n")


def _join(frames: list[pd.DataFrame], columns: tuple[str, ...]) -> pd.DataFrame:
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled) if filled else frames[0] if frames else pd.DataFrame(columns=list(columns))


def _check_meaning(deals: Deals, mapping: Mapping, table: TableFile) -> None:
    """Raises TableError if no row can be used, or nothing is what the mapping names."""
    if not deals.rows_used:
        first_rejected = deals.rejected.head(1).itertuples()
        why = "".join(f"; row {rejected.row}: {rejected.reason}" for rejected in first_rejected)
        rows = "its one row cannot" if deals.rows_read == 1 else f"none of its {deals.rows_read:,} rows can"
        raise TableError(f"{table.path}: {rows} be used{why}; correct the mapping")
    closed = deals.closed
    columns = (closed["closed_day"], closed["created_day"], deals.open["created_day"])
    latest = max((float(days.max()) for days in columns if len(days) and isfinite(days.max())), default=None)
    as_of = mapping.as_of if mapping.closed is not None else None
    if as_of is not None and latest is not None and _days_from_epoch(as_of) - latest > LONGEST_QUIET_DAYS:
        raise TableError(
            f"{table.path}: as_of is {as_of}, but nothing was opened or closed in the half year before; "
            "give the day of the export in the mapping"
        )
    for column, name, found in (
        (mapping.result, "won", bool(closed["won"].any())),
        (mapping.result, "lost", not closed["won"].all()),
        (mapping.route, "direct", bool((closed["route"] == "direct").any())),
        (mapping.route, "partner", bool((closed["route"] == "partner").any())),
    ):
        if len(closed) and column is not None and not found:
            raise TableError(
                f"{table.path}: no usable row has {column} {', '.join(getattr(mapping, name))} ({name}); "
                "correct the mapping"
            )


def _days_from_epoch(date: datetime.date) -> float:
    return float((date - EPOCH).days)


@dataclass
class _Block:
    """Rows that are being read, with the reasons found so far to reject some."""

    frame: pd.DataFrame
    reasons: dict[int, str] = field(default_factory=dict)
    """first reason to reject a row, by its place in the block"""

    def reject(self, where: NDArray[np.bool_], reason: str) -> None:
        """Reject the rows at the places that `where` has as true, unless they are rejected already."""
        for place in where.nonzero()[0].tolist():
            self.reasons.setdefault(place, reason)


class _Reader:
    """Reads blocks of one file under one mapping; remembers ids, so that a deal counts once."""

    def __init__(self, mapping: Mapping, path: str) -> None:
        self.mapping, self.path, self.columns = mapping, path, mapping.columns()
        self.row_by_id: dict[str, int] = {}
        self.meanings = meanings(mapping)

    def read(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, dict[int, str]]:
        """The closed and the open deals of a block, and the reason by row of the others."""
        block = _Block(frame)
        self._reject_repeated(block)
        outcome = np.array(self._column("outcome", block, None), dtype=np.int64)
        sellers = self._column("seller", block, outcome)
        texts: dict[str, Any] = {
            "segment": self._column("segment", block, outcome),
            "territory": self._column("territory", block, outcome),
            "route": [route for route, _ in sellers],
            "partner": [name for _, name in sellers],
        }
        amount = self._number_column("amount", block, outcome)
        blank = np.array([not as_text(cell) for cell in frame[self.columns["amount"]]], dtype=bool)
        block.reject(blank & (outcome == IS_OPEN), f"{self.columns['amount']} is empty")
        created, closed, cycle, age = self._days(block, outcome)
        stage = self._number_column("stage", block, outcome)
        used = np.ones(len(frame), dtype=bool)
        used[list(block.reasons)] = False
        common = {**{name: np.array(cells, dtype=object) for name, cells in texts.items()}, "amount_usd": amount}
        ended = {**common, "won": outcome == IS_WON, "cycle_weeks": cycle / 7, "created_day": created}
        ended["closed_day"] = closed
        pending = {**common, "stage": stage, "age_weeks": age / 7, "created_day": created}
        rows = frame.index
        return (
            _frame(ended, CLOSED_COLUMNS, rows, used & (outcome != IS_OPEN)),
            _frame(pending, OPEN_COLUMNS, rows, used & (outcome == IS_OPEN)).astype({"stage": np.int64}),
            {int(rows[place]): reason for place, reason in block.reasons.items()},
        )

    def _reject_repeated(self, block: _Block) -> None:
        column = self.columns.get("id")
        if column is None:
            return
        ids = map(as_text, block.frame[column])
        for place, (row, deal_id) in enumerate(zip(block.frame.index, ids, strict=True)):
            first = self.row_by_id.setdefault(deal_id, row)
            if not deal_id:
                block.reasons[place] = f"{column} is empty"
            elif first != row:
                block.reasons[place] = f"{column} stands in row {first} already"

    def _days(self, block: _Block, outcome: NDArray[Any]) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Day of opening, day of closing, days between them, and age of open deals in days."""
        mapping, columns = self.mapping, self.columns
        as_of = np.nan if mapping.as_of is None else _days_from_epoch(mapping.as_of)
        closed = self._number_column("closed", block, outcome)
        ago = self._number_column("closed_days_ago", block, outcome)
        closed = -ago if mapping.closed_days_ago is not None else closed
        if mapping.created is not None:
            created = self._number_column("created", block, outcome)
            cycle = closed - created
            block.reject((outcome != IS_OPEN) & (cycle < 0), f"{columns['closed']} is before {columns['created']}")
            block.reject((outcome != IS_OPEN) & (closed > as_of), f"{columns['closed']} is after the day of the export")
            block.reject(created > as_of, f"{columns['created']} is after the day of the export")
            longest = f"{columns['created']} is over {MOST_DAYS:,} days before the end"
            block.reject(np.where(outcome == IS_OPEN, as_of - created, cycle) > MOST_DAYS, longest)
        else:
            cycle = self._number_column("cycle_days", block, outcome)
            created = closed - cycle
            if mapping.closed is not None:
                block.reject(closed > as_of, f"{columns['closed']} is after the day of the export")
        return created, closed, cycle, as_of - created

    def _number_column(self, name: str, block: _Block, outcome: NDArray[Any]) -> FloatArray:
        return np.array(self._column(name, block, outcome), dtype=np.float64)

    def _column(self, name: str, block: _Block, outcome: NDArray[Any] | None) -> list[Any]:
        """The value of a meaning in every row; a row whose cells have none is rejected."""
        meaning = self.meanings[name]
        named = [self.columns[field] for field in meaning.fields if field in self.columns]
        if not named:
            return [meaning.otherwise] * len(block.frame)
        cells = [block.frame[column].tolist() for column in named]
        try:
            values = list(map(meaning.read, *cells))
        except Question:
            raise self._question_error(meaning, named[0], cells, block.frame.index.tolist()) from None
        wrong = [] if Reason not in set(map(type, values)) else enumerate(values)
        for place, value in wrong:
            if isinstance(value, Reason):
                values[place] = meaning.otherwise
                if outcome is None or outcome[place] in meaning.matters:
                    block.reasons.setdefault(place, f"{named[0]} {value}")
        return values

    def _question_error(self, meaning: Meaning, column: str, cells: list[list[Any]], rows: list[int]) -> TableError:
        """The error that asks the first question that these cells raise."""
        for row, *of_row in zip(rows, *cells, strict=True):
            try:
                meaning.read(*of_row)
            except Question as question:
                where = f"{self.path}: row {row}: {column} is {show(of_row[0])}, which {question.text}"
                return TableError(f"{where}; {question.answer} in the mapping")
        raise AssertionError("a question comes from a cell")


def _frame(columns: dict[str, Any], names: tuple[str, ...], rows: Any, where: NDArray[np.bool_]) -> pd.DataFrame:
    """The columns of these names, with the rows at the places that `where` has as true."""
    return pd.DataFrame({name: columns[name][where] for name in names}, index=rows[where])
