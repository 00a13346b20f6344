"""Writes scenarios/made_up_closed_deals.csv: closed deals of a company that does not exist, from known
numbers.

Run as `python -m tests.make_closed_deals`. Tests check that the committed file is what this writes, and that
the fit finds TRUTH again. A few rows are unusable on purpose, as in any export.
"""

from __future__ import annotations

import csv
import io

import numpy as np

from tests import SCENARIOS

FILE = SCENARIOS / "made_up_closed_deals.csv"
TRUTH = {
    # segment, sold by: deals, win rate, median amount, sigma, mean days, Weibull shape
    ("mid-size", "own team"): (110, 0.30, 40_000, 0.6, 42, 1.5),
    ("mid-size", "reseller"): (60, 0.35, 20_000, 0.6, 30, 1.5),
    ("small", "own team"): (80, 0.25, 12_000, 0.6, 30, 1.5),
    ("small", "reseller"): (90, 0.40, 8_000, 0.6, 25, 1.5),
}
SPOILED = {
    5: ("Outcome", "Open"),
    71: ("Value USD", ""),
    150: ("Sold by", "web shop"),
    230: ("Value USD", "0"),
}
HEADER = ("Deal", "Account size", "Sold by", "Outcome", "Value USD", "Days open", "Closed days ago")


def text(times: int = 1) -> str:
    """The whole file, or one with `times` as many deals."""
    from math import gamma

    rng = np.random.default_rng(2026)
    rows = []
    for (size, seller), (deals, win_rate, median, sigma, days, shape) in TRUTH.items():
        for _ in range(deals * times):
            outcome = "Won" if rng.random() < win_rate else "Lost"
            amount = round(median * float(np.exp(sigma * rng.standard_normal())), -2)
            open_days = round(days / gamma(1 + 1 / shape) * float(rng.weibull(shape)))
            closed_days_ago = int(rng.integers(1, 92))
            rows.append([size, seller, outcome, f"{amount:.0f}", str(open_days), str(closed_days_ago)])
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(HEADER)
    for i, place in enumerate(rng.permutation(len(rows))):
        row = dict(zip(HEADER, [f"D{i + 1:04d}", *rows[place]], strict=True))
        if i in SPOILED:
            column, value = SPOILED[i]
            row[column] = value
        write(row.values())
    return out.getvalue()


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
