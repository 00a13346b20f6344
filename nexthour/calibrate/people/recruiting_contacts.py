"""First contacts of a recruiting funnel: when they began, when they signed, and of which kind they are.

A row that cannot be used is rejected with its number and the reason: rows read = rows used + rows rejected. A date that
shows that the whole column, or the day of the export, is other than said stops the reading.

Left out: what the rows mean for a candidate (recruiting.py), steps between first contact and signature.
"""

from __future__ import annotations

import datetime
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from nexthour.calibrate.files.notation import EPOCH, DateOrder, Question, Reason, as_text, parse_day
from nexthour.calibrate.files.table_file import PLAIN, Layout, open_table
from sim.documents.messages import show
from sim.errors import TableError

FEWEST_CONTACTS, FEWEST_SIGNED = 30, 5


@dataclass(frozen=True, eq=False)
class Contacts:
    """The usable rows of a funnel, and the others."""

    name: str
    """name of the file, without its folder"""
    as_of_day: float
    frame: pd.DataFrame
    """contacted_day, signed_day (NaN if not signed; days from 1970-01-01), kind; indexed by row"""
    rejected: tuple[tuple[int, str], ...]
    """row number and reason, by row"""

    @property
    def rows_read(self) -> int:
        """Number of rows, used and rejected."""
        return len(self.frame) + len(self.rejected)

    def check_enough(self) -> None:
        """Raise TableError if there are too few contacts, or too few that signed, to say anything."""
        signed = int(self.frame["signed_day"].notna().sum())
        if len(self.frame) < FEWEST_CONTACTS or signed < FEWEST_SIGNED:
            why = next(iter(self.rejected_by_reason()), "")
            raise TableError(
                f"{self.name}: {len(self.frame)} usable contact{'' if len(self.frame) == 1 else 's'}, "
                f"{signed} of them signed; allowed: at least "
                f"{FEWEST_CONTACTS} and {FEWEST_SIGNED}; take a longer period"
                + (f" (rejected rows: {why})" if why else "")
            )

    def rejected_by_reason(self) -> dict[str, int]:
        """Number of rejected rows by reason, the most frequent first."""
        return dict(Counter(reason for _, reason in self.rejected).most_common())

    def between(self, first_day: float, last_day: float) -> Contacts:
        """The contacts first made from `first_day` to `last_day`, both included; rejected rows are left out."""
        chosen = self.frame["contacted_day"].between(first_day, last_day)
        return Contacts(self.name, self.as_of_day, self.frame[chosen], ())


def read_contacts(
    path: Path | str,
    contacted: str,
    signed: str,
    as_of: datetime.date,
    kind: str | None = None,
    date_order: DateOrder | None = None,
    layout: Layout = PLAIN,
) -> Contacts:
    """Read the first contacts of a CSV or XLSX file that was exported on `as_of`; columns by name.

    Raises TableError, one sentence.
    """
    table = open_table(path, layout)
    columns = [contacted, signed, *([kind] if kind is not None else [])]
    reader = _Reader(path, contacted, signed, as_of, date_order)
    rows, rejected = list[tuple[Any, ...]](), list[tuple[int, str]]()
    for block in table.blocks(list(dict.fromkeys(columns))):
        for row, began, ended, *kinds in block[columns].itertuples(name=None):
            days = reader.days(row, began, ended)
            if isinstance(days, Reason):
                rejected.append((row, days))
            else:
                rows.append((row, *days, as_text(kinds[0])[:60] if kinds else ""))
    frame = pd.DataFrame(rows, columns=["row", "contacted_day", "signed_day", "kind"]).set_index("row")
    contacts = Contacts(table.name, float((as_of - EPOCH).days), frame, tuple(sorted([*rejected, *table.misfits])))
    contacts.check_enough()
    return contacts


@dataclass(frozen=True)
class _Reader:
    path: Path | str
    contacted: str
    signed: str
    as_of: datetime.date
    date_order: DateOrder | None

    def days(self, row: int, contacted: Any, signed: Any) -> tuple[float, float] | Reason:
        """Days of first contact and signing, the latter NaN if there is none, or why they cannot be used."""
        began = self._day(row, self.contacted, contacted)
        ended = float("nan") if signed == "" else self._day(row, self.signed, signed)
        if isinstance(began, Reason):
            return began
        if isinstance(ended, Reason):
            return ended
        extract = (self.as_of - EPOCH).days
        if ended > extract:
            raise TableError(
                f"{self.path}: row {row}: {self.signed} is {show(signed)}, after {self.as_of}, the day of "
                "the export as you say; give the right day"
            )
        if began > extract:
            return Reason(f"{self.contacted} is after {self.as_of}")
        return Reason(f"{self.signed} is before {self.contacted}") if ended < began else (began, ended)

    def _day(self, row: int, column: str, cell: Any) -> float | Reason:
        try:
            value = parse_day(cell, self.date_order)
        except Question as question:
            raise question.about(f"{self.path}: row {row}: {column}", cell) from None
        return Reason(f"{column} {value}") if isinstance(value, Reason) else value
