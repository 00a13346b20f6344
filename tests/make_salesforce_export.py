"""Writes scenarios/made_up_salesforce.csv: opportunities, closed and open, of a company that does not exist.

Run as `python -m tests.make_salesforce_export`. It is laid out as Salesforce lays out a formatted report saved as CSV:
a title, American dates and thousands, the stage as result, the partner's account, totals at the end. Opportunities come
up evenly and close after a Weibull time; those that have not closed on the day of the export are open. A few rows are
unusable on purpose, as in any export.
"""

from __future__ import annotations

import csv
import datetime
import io

import numpy as np

from tests import SCENARIOS

FILE = SCENARIOS / "made_up_salesforce.csv"
AS_OF = datetime.date(2026, 6, 30)
FIRST = datetime.date(2025, 1, 1)
STAGES = ("Prospecting", "Qualification", "Proposal", "Negotiation")
PARTNERS = ("Alder Systems", "Birch IT", "Cedar Networks", "Dogwood Public")
SORTS = {
    # segment, who sells: deals, win rate, median amount, mean days
    ("mid-size", ""): (150, 0.30, 40_000, 60),
    ("mid-size", "partner"): (100, 0.35, 20_000, 45),
    ("small", ""): (120, 0.25, 12_000, 40),
    ("small", "partner"): (150, 0.40, 8_000, 30),
}
SIGMA, SHAPE = 0.6, 1.5
HEADER = (
    "Opportunity ID", "Opportunity Name", "Account Name", "Stage", "Amount", "Close Date", "Created Date",
    "Customer Size", "Region", "Partner Account", "Opportunity Owner",
)  # fmt: skip
SPOILED = {
    40: ("Amount", ""),
    111: ("Close Date", "12/31/2024"),
    222: ("Stage", "On Hold"),
}
REPEATED = 333
"""The deal that stands in the report twice."""


def text() -> str:
    """The whole file."""
    rng = np.random.default_rng(2026)
    deals = [
        (size, PARTNERS[int(rng.integers(len(PARTNERS)))] if seller else "", win_rate, median, days)
        for (size, seller), (number, win_rate, median, days) in SORTS.items()
        for _ in range(number)
    ]
    rows = [_row(place, *deals[int(which)], rng) for place, which in enumerate(rng.permutation(len(deals)))]
    for place, (column, value) in SPOILED.items():
        rows[place][HEADER.index(column)] = value
    rows.insert(REPEATED + 1, rows[REPEATED])
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(["Made-up opportunities: no such company exists"])
    write([])
    write(HEADER)
    for row in rows:
        write(row)
    write([])
    write([f"Grand Totals ({len(rows)} records)"])
    return out.getvalue()


def _row(
    place: int, size: str, partner: str, win_rate: float, median: float, days: float, rng: np.random.Generator
) -> list[str]:
    from math import gamma

    created = FIRST + datetime.timedelta(days=int(rng.integers((AS_OF - FIRST).days)))
    cycle = round(days / gamma(1 + 1 / SHAPE) * float(rng.weibull(SHAPE)))
    closed = created + datetime.timedelta(days=cycle)
    won = rng.random() < win_rate
    amount = round(median * float(np.exp(SIGMA * rng.standard_normal())), -2)
    if closed <= AS_OF:
        stage = "Closed Won" if won else "Closed Lost"
    else:
        stage = STAGES[min(3, 4 * (AS_OF - created).days // max(cycle, 1))]
    name = f"Account {place:03d}"
    return [
        f"006X{place:05d}", f"{name} {size}", name, stage, f"{amount:,.2f}", _american(closed), _american(created),
        size, ("East", "West")[place % 2], partner, ("A. Adams", "B. Brown", "C. Clark")[place % 3],
    ]  # fmt: skip


def _american(date: datetime.date) -> str:
    return f"{date.month}/{date.day}/{date.year}"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
