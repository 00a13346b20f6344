"""Writes scenarios/made_up_recruiting.csv: first contacts of a channel manager who does not exist, from known numbers.

Run as `python -m tests.make_recruiting`. A test checks that the committed file is what this writes. One row is unusable
on purpose, as in any export.
"""

from __future__ import annotations

import csv
import datetime
import io

import numpy as np

from tests import SCENARIOS

FILE = SCENARIOS / "made_up_recruiting.csv"
FIRST_DAY = datetime.date(2025, 9, 1)
AS_OF = datetime.date(2026, 6, 30)
KINDS = {"introduced": (60, 0.5), "trade fair": (90, 0.25), "cold": (150, 0.1)}
"""Contacts, and the share of them that signs."""
SPOILED = 40


def text() -> str:
    rng = np.random.default_rng(2026)
    rows = []
    for kind, (contacts, share) in KINDS.items():
        for _ in range(contacts):
            began = FIRST_DAY + datetime.timedelta(days=int(rng.integers(0, 7 * 26)))
            ended = began + datetime.timedelta(days=int(50 * rng.weibull(1.2)))
            signs = rng.random() < share and ended <= AS_OF
            rows.append([kind, began.isoformat(), ended.isoformat() if signs else ""])
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(("Contact", "Kind", "First contact", "Signed"))
    for i, place in enumerate(rng.permutation(len(rows))):
        kind, began, ended = rows[place]
        write((f"made up {i + 1:03d}", kind, "" if i == SPOILED else began, ended))
    return out.getvalue()


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
