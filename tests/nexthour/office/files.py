"""A simulated territory's deals as a CRM would export them: what is known is then only what a table can show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from sim import Ledger
from sim.ledger import TICKS_PER_WEEK, WON, Kind

BEGINS = pd.Timestamp("2024-01-01")
"""First day of quarter 1, a Monday."""
TICKS_PER_DAY = TICKS_PER_WEEK / 7
MAPPING: dict[str, Any] = {
    "id": "Opportunity ID",
    "segment": "Segment",
    "partner_name": "Partner Account",
    "amount": "Amount",
    "currency": "USD",
    "result": "Stage",
    "won": ["Closed Won"],
    "lost": ["Closed Lost"],
    "stage": "Stage",
    "stages": {"Open": 1},
    "created": "Created Date",
    "closed": "Close Date",
    "quarter_begins": BEGINS.date(),
}
"""How to read it; `as_of` is missing."""


def export(ledger: Ledger, since_week: int = 0) -> pd.DataFrame:
    """Every deal that somebody worked and that was opened since that week, one row each, as on the last day."""
    begun = ledger.of(Kind.FOUND, Kind.REGISTERED)
    begun = begun[begun["tick"] >= since_week * TICKS_PER_WEEK]
    ended = ledger.of(*WON, Kind.LOST, Kind.NO_DECISION)
    how = {int(r["opportunity"]): (_outcome(int(r["kind"])), int(r["tick"])) for r in ended}
    names = ledger.scenario.partner_names
    rows: list[dict[str, Any]] = []
    for record in begun:
        outcome, tick = how.get(int(record["opportunity"]), ("Open", None))
        registered = record["kind"] == Kind.REGISTERED
        rows.append(
            {
                "Opportunity ID": f"S{int(record['opportunity']):06d}",
                "Segment": ledger.scenario.segment_names[record["segment"]],
                "Partner Account": names[record["partner"]] if registered else "",
                "Amount": int(record["amount_usd"]),
                "Created Date": _day(int(record["tick"])),
                "Close Date": "" if tick is None else _day(tick),
                "Stage": outcome,
            }
        )
    return pd.DataFrame(rows)


def _outcome(kind: int) -> str:
    return "Closed Won" if kind in WON else "No Decision" if kind == Kind.NO_DECISION else "Closed Lost"


def _day(tick: int) -> str:
    return str((BEGINS + pd.Timedelta(days=int(np.floor(tick / TICKS_PER_DAY)))).date())
