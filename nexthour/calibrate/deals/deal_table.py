"""The deals of a CRM export: closed ones, open ones, and for every other row the reason why it is not used.

Rows read = rows used + rows rejected. A row is rejected for the first thing that is wrong with it; what shows that the
whole column is written in another way than the mapping says stops the reading (notation.Question).

A date counts as a day, its time and zone left out. Days of closed deals count from 1970-01-01 where the export has
dates, and back from the export where it has days ago.

Left out: stages that a deal passed, changes of amount, who worked on it.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nexthour.calibrate.deals.mapping import ALL_DEALS, PERHAPS_NOBODY, Mapping
from nexthour.calibrate.files.notation import (
    EPOCH,
    Question,
    Reason,
    cell_text,
    currency_codes,
    is_currency,
    parse_boolean,
    parse_day,
    parse_label,
    parse_money,
    parse_number,
)
from nexthour.calibrate.files.table_file import TableFile, open_table, save_text
from sim.documents.messages import show
from sim.errors import TableError
from sim.progress import Progress

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from sim.arrays import FloatArray

    Days = FloatArray

MOST_USD = 10**9
MOST_OF_A_CURRENCY = 10**15
MOST_DAYS = 3640
LONGEST_QUIET_DAYS = 182
"""Between the last opening or closing and the day of the export."""
ROWS_AT_ONCE = 20_000
REMEMBERED = 50_000
"""Different cells of a column whose meaning is remembered: most columns repeat themselves."""
LOST, WON, OPEN, UNKNOWN = range(4)
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
        return len(self.closed) + len(self.open)

    @property
    def opened(self) -> pd.DataFrame:
        """Every deal as it was opened: segment, route, partner, created_day, and age_weeks, NaN if it is closed."""
        import pandas as pd

        both = [its for its in (self.closed.assign(age_weeks=float("nan")), self.open) if len(its)]
        return pd.concat(both or [self.open])[["segment", "route", "partner", "created_day", "age_weeks"]]


def read_deals(path: Path | str, mapping: Mapping, progress: Progress | None = None) -> Deals:
    """The deals of a CSV or XLSX file. `progress` gets bytes read and bytes in all. Raises TableError, one sentence."""
    import pandas as pd

    table = open_table(path, mapping)
    reader = _Reader(mapping, str(path))
    closed, still_open = [], []
    rejected: dict[int, str] = {}
    rows_read = 0
    for block in table.blocks(list(dict.fromkeys(mapping.columns().values())), ROWS_AT_ONCE):
        ended, pending, reasons = reader.read(block)
        rows_read += len(block)
        closed.append(ended)
        still_open.append(pending)
        rejected.update(reasons)
        if progress is not None:
            progress(table.read_bytes, table.size_bytes)
    rows_read += len(table.misfits)
    rejected.update(table.misfits)
    deals = Deals(
        table.name,
        _joined(closed, CLOSED_COLUMNS),
        _joined(still_open, OPEN_COLUMNS),
        pd.Series(rejected, dtype=object, name="reason").sort_index().rename_axis("row").reset_index(),
        rows_read,
    )
    _check_meaning(deals, mapping, table)
    return deals


def save_rejected(rejected: pd.DataFrame, path: Path | str) -> None:
    """Write rows and reasons as CSV. Raises TableError."""
    save_text(path, rejected_text(rejected), "utf-8-sig")


def rejected_text(rejected: pd.DataFrame) -> str:
    """Rows and reasons as CSV.

    What a spreadsheet would take for a formula (a name of a column may be one) gets an apostrophe before it.
    """
    safe = ["'" + reason if reason.startswith(FORMULA_STARTS) else reason for reason in rejected["reason"]]
    return rejected.assign(reason=safe).to_csv(index=False, lineterminator="\n")


def _joined(frames: list[pd.DataFrame], columns: tuple[str, ...]) -> pd.DataFrame:
    import pandas as pd

    there = [frame for frame in frames if len(frame)]
    return pd.concat(there) if there else frames[0] if frames else pd.DataFrame(columns=list(columns))


def _check_meaning(deals: Deals, mapping: Mapping, table: TableFile) -> None:
    """Raises TableError if no row can be used, or nothing is what the mapping names."""
    if not deals.rows_used:
        first = deals.rejected.head(1).itertuples()
        why = "".join(f"; row {its.row}: {its.reason}" for its in first)
        raise TableError(f"{table.path}: none of its {deals.rows_read:,} rows can be used{why}; correct the mapping")
    closed = deals.closed
    last = (its.max() for its in (closed["closed_day"], closed["created_day"], deals.open["created_day"]) if len(its))
    latest = max((float(its) for its in last if isfinite(its)), default=None)
    as_of = mapping.as_of if mapping.closed is not None else None
    if as_of is not None and latest is not None and _day(as_of) - latest > LONGEST_QUIET_DAYS:
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


def _day(date: datetime.date) -> float:
    return float((date - EPOCH).days)


# One block of rows


@dataclass(frozen=True)
class _Reading:
    """How some cells of a row become one thing."""

    fields: tuple[str, ...]
    """of the mapping; a reason is about the column of the first that the file has"""
    read: Callable[..., Any]
    """one cell for each column there is to what it means, or a Reason"""
    otherwise: Any
    """what stands in for it in a row that is rejected"""
    matters: tuple[int, ...] = (LOST, WON, OPEN)
    """to deals that ended so"""


@dataclass
class _Block:
    """Rows under way: what was found wrong with them so far."""

    frame: pd.DataFrame
    reasons: dict[int, str] = field(default_factory=dict)
    """by place in the block, the first thing wrong"""

    def reject(self, where: NDArray[np.bool_], reason: str) -> None:
        for place in where.nonzero()[0].tolist():
            self.reasons.setdefault(place, reason)


class _Reader:
    """Reads blocks of one file under one mapping; remembers ids, so that a deal counts once."""

    def __init__(self, mapping: Mapping, path: str) -> None:
        self.mapping, self.path, self.columns = mapping, path, mapping.columns()
        self.row_by_id: dict[str, int] = {}
        self.readings = dict(_readings(mapping))

    def read(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, dict[int, str]]:
        """The closed and the open deals of a block, and the reason by row of the others."""
        import numpy as np

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
        amount = self._numbers("amount", block, outcome)
        blank = np.array([not cell_text(cell) for cell in frame[self.columns["amount"]]], dtype=bool)
        block.reject(blank & (outcome == OPEN), f"{self.columns['amount']} is empty")
        created, closed, cycle, age = self._days(block, outcome)
        stage = self._numbers("stage", block, outcome)
        used = np.ones(len(frame), dtype=bool)
        used[list(block.reasons)] = False
        common = {**{name: np.array(cells, dtype=object) for name, cells in texts.items()}, "amount_usd": amount}
        ended = {**common, "won": outcome == WON, "cycle_weeks": cycle / 7, "created_day": created}
        ended["closed_day"] = closed
        pending = {**common, "stage": stage, "age_weeks": age / 7, "created_day": created}
        rows = frame.index
        return (
            _frame(ended, CLOSED_COLUMNS, rows, used & (outcome != OPEN)),
            _frame(pending, OPEN_COLUMNS, rows, used & (outcome == OPEN)).astype({"stage": np.int64}),
            {int(rows[place]): reason for place, reason in block.reasons.items()},
        )

    def _reject_repeated(self, block: _Block) -> None:
        column = self.columns.get("id")
        if column is None:
            return
        for place, (row, its) in enumerate(zip(block.frame.index, map(cell_text, block.frame[column]), strict=True)):
            first = self.row_by_id.setdefault(its, row)
            if not its:
                block.reasons[place] = f"{column} is empty"
            elif first != row:
                block.reasons[place] = f"{column} stands in row {first} already"

    def _days(self, block: _Block, outcome: NDArray[Any]) -> tuple[Days, Days, Days, Days]:
        """Day of opening, day of closing, days between them, and age of open deals in days."""
        import numpy as np

        mapping, columns = self.mapping, self.columns
        as_of = np.nan if mapping.as_of is None else _day(mapping.as_of)
        closed = self._numbers("closed", block, outcome)
        ago = self._numbers("closed_days_ago", block, outcome)
        closed = -ago if mapping.closed_days_ago is not None else closed
        if mapping.created is not None:
            created = self._numbers("created", block, outcome)
            cycle = closed - created
            block.reject((outcome != OPEN) & (cycle < 0), f"{columns['closed']} is before {columns['created']}")
            block.reject((outcome != OPEN) & (closed > as_of), f"{columns['closed']} is after the day of the export")
            block.reject(created > as_of, f"{columns['created']} is after the day of the export")
            longest = f"{columns['created']} is over {MOST_DAYS:,} days before the end"
            block.reject(np.where(outcome == OPEN, as_of - created, cycle) > MOST_DAYS, longest)
        else:
            cycle = self._numbers("cycle_days", block, outcome)
            created = closed - cycle
            if mapping.closed is not None:
                block.reject(closed > as_of, f"{columns['closed']} is after the day of the export")
        return created, closed, cycle, as_of - created

    def _numbers(self, name: str, block: _Block, outcome: NDArray[Any]) -> Days:
        import numpy as np

        return np.array(self._column(name, block, outcome), dtype=np.float64)

    def _column(self, name: str, block: _Block, outcome: NDArray[Any] | None) -> list[Any]:
        """What the cells of a reading mean; a row where they mean nothing is rejected."""
        reading = self.readings[name]
        named = [self.columns[its] for its in reading.fields if its in self.columns]
        if not named:
            return [reading.otherwise] * len(block.frame)
        cells = [block.frame[column].tolist() for column in named]
        try:
            found = list(map(reading.read, *cells))
        except Question:
            raise self._asked(reading, named, cells, block.frame.index.tolist()) from None
        wrong = [] if Reason not in set(map(type, found)) else enumerate(found)
        for place, value in wrong:
            if isinstance(value, Reason):
                found[place] = reading.otherwise
                if outcome is None or outcome[place] in reading.matters:
                    block.reasons.setdefault(place, f"{named[0]} {value}")
        return found

    def _asked(self, reading: _Reading, named: list[str], cells: list[list[Any]], rows: list[int]) -> TableError:
        """The question that a cell of these raises."""
        for row, *its in zip(rows, *cells, strict=True):
            try:
                reading.read(*its)
            except Question as asked:
                where = f"{self.path}: row {row}: {named[0]} is {show(its[0])}, which {asked.text}"
                return TableError(f"{where}; {asked.answer} in the mapping")
        raise AssertionError("a question comes from a cell")


def _frame(columns: dict[str, Any], names: tuple[str, ...], rows: Any, where: NDArray[np.bool_]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame({name: columns[name][where] for name in names}, index=rows[where])


# What cells mean


def _readings(mapping: Mapping) -> Iterator[tuple[str, _Reading]]:
    closed = (LOST, WON)

    def number_of_days(cell: Any) -> float | Reason:
        return parse_number(cell, mapping.decimal, MOST_DAYS)

    def date(cell: Any) -> float | Reason:
        return parse_day(cell, mapping.date_order)

    nan = float("nan")
    found = {
        "outcome": _Reading(("is_closed", "is_won", "result"), _outcome(mapping), UNKNOWN),
        "seller": _Reading(("route", "partner_name"), _seller(mapping), ("", "")),
        "segment": _Reading(("segment",), _segment(mapping), ALL_DEALS),
        "territory": _Reading(("territory",), parse_label, ""),
        "amount": _Reading(("amount", "currency_column"), _usd(mapping), nan),
        "created": _Reading(("created",), date, nan),
        "closed": _Reading(("closed",), date, nan, closed),
        "cycle_days": _Reading(("cycle_days",), number_of_days, nan, closed),
        "closed_days_ago": _Reading(("closed_days_ago",), number_of_days, nan, closed),
        "stage": _Reading(("stage",), _stage(mapping), nan, (OPEN,)),
    }
    for name, reading in found.items():
        remembering = lru_cache(REMEMBERED, typed=True)(reading.read)
        yield name, _Reading(reading.fields, remembering, reading.otherwise, reading.matters)


def _outcome(mapping: Mapping) -> Callable[..., int | Reason]:
    usable = OPEN if mapping.takes_open_deals else Reason("is open; to use open deals give stage, stages and as_of")
    if mapping.result is None:

        def of_truths(is_closed: Any, is_won: Any) -> int | Reason:
            closed, won = parse_boolean(is_closed), parse_boolean(is_won)
            if isinstance(closed, Reason):
                return closed
            if isinstance(won, Reason):
                return Reason(f"is {cell_text(is_closed)}, and {mapping.is_won} {won}")
            if won and not closed:
                return Reason(f"is {cell_text(is_closed)}, but {mapping.is_won} is {cell_text(is_won)}")
            return (WON if won else LOST) if closed else usable

        return of_truths
    meaning: dict[str, int] = {
        **dict.fromkeys(mapping.won, WON),
        **dict.fromkeys(mapping.lost, LOST),
        **dict.fromkeys(mapping.open_values, OPEN),
    }
    otherwise = "neither won, lost nor open" if mapping.open_values else "neither won nor lost"
    return lambda cell: meaning.get(cell_text(cell), Reason(f"{show(cell_text(cell))} is {otherwise}"))


def _seller(mapping: Mapping) -> Callable[..., tuple[str, str] | Reason]:
    """Route and partner's name."""

    def named(cell: Any) -> tuple[str, str] | Reason:
        name = parse_label(cell)
        if isinstance(name, Reason):
            return name
        if name.lower() in PERHAPS_NOBODY and name not in mapping.direct:
            raise Question("may mean that no partner sold", "list it under direct if so, else write the name out")
        return ("direct", "") if name in ("", *mapping.direct) else ("partner", name)

    if mapping.route is None:
        return named

    def routed(cell: Any, name: Any = "") -> tuple[str, str] | Reason:
        if cell_text(cell) in mapping.direct:
            return "direct", ""
        if cell_text(cell) not in mapping.partner:
            return Reason(f"{show(cell_text(cell))} is neither direct nor partner")
        partner = parse_label(name)
        if isinstance(partner, Reason):
            return Reason(f"{show(cell_text(cell))} is usable, but {mapping.partner_name} {partner}")
        return "partner", partner

    return routed


def _segment(mapping: Mapping) -> Callable[..., str | Reason]:
    def named(cell: Any) -> str | Reason:
        if mapping.segments:
            return mapping.segments.get(cell_text(cell), Reason(f"{show(cell_text(cell))} is not among the segments"))
        return parse_label(cell) or Reason("is empty")

    return named


def _stage(mapping: Mapping) -> Callable[..., int | Reason]:
    return lambda cell: mapping.stages.get(cell_text(cell), Reason(f"{show(cell_text(cell))} is not among the stages"))


def _usd(mapping: Mapping) -> Callable[..., float | Reason]:
    rates = {"USD": 1.0, **mapping.usd_per}

    def read(cell: Any, currency: Any = "") -> float | Reason:
        if not cell_text(cell):
            return 0.0  # not recorded; to reject it would leave out lost deals, of which many have none
        value, mark = parse_money(cell, mapping.decimal, MOST_OF_A_CURRENCY)
        if isinstance(value, Reason):
            return value
        code = cell_text(currency) or mapping.currency
        if code is None:
            return Reason("has no currency")
        if mark and is_currency(code) and code not in currency_codes(mark):
            if len(currency_codes(mark)) > 1:
                return Reason(f"is in {mark}, not in {code}")
            code = currency_codes(mark)[0]
        if code not in rates:
            return Reason(f"is in {show(code)}, for which usd_per has no rate")
        usd = value * rates[code]
        return usd if usd <= MOST_USD else Reason(f"is out of bounds; allowed: 0 to {MOST_USD:,} US dollars")

    return read
