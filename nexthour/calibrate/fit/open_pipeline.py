"""Open deals of an export to a scenario's `open_pipeline`, equal to the dollar.

A deal of a partner goes to the partner that has it, a direct one to the manager; segments are rows of the market map,
as in cells.py. Amounts become whole dollars by rounding their running sum, so each is within a dollar of the export and
their sum is that of the export.

Left out: how likely a deal is (its stage says), and deals whose segment could not be fitted (they are listed).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from nexthour.calibrate.fit.cells import row_name
from sim.scenario import OpenDeal

MOST_AGE_WEEKS = 520.0
OTHERS = "other partners"
"""Name under which stand the deals of partners that are too small for a name of their own."""


def open_pipeline(
    deals: pd.DataFrame, rows: Collection[str], sellers: Mapping[str, Collection[str]]
) -> tuple[tuple[OpenDeal, ...], pd.DataFrame]:
    """Turn open deals into a pipeline; second, the rows of the file that cannot be in it (columns row and reason).

    `deals` as Deals.open; `rows` are the names of the market map, `sellers` the rows each partner sells to.
    """
    row = row_name(deals["segment"], deals["route"])
    partner = _deal_owners(deals, row, sellers)
    reasons = np.where(
        ~row.isin(list(rows)),
        "open, but too few closed deals of " + row + " to fit it by",
        "open, but its partner " + deals["partner"] + " has no closed deals",
    )
    usable = (row.isin(list(rows)) & ((deals["route"] == "direct") | partner.isin(list(sellers)))).to_numpy()
    rejected = pd.DataFrame({"row": deals.index[~usable], "reason": reasons[~usable]})
    deal = deals[usable]
    whole_usd = np.diff(np.round(np.cumsum(deal["amount_usd"].to_numpy())), prepend=0.0)
    pipeline = tuple(
        OpenDeal(
            segment=segment,
            stage=int(stage),
            amount_usd=int(amount),
            age_weeks=round(min(float(age), MOST_AGE_WEEKS), 2),
            route="direct" if route == "direct" else name,
        )
        for segment, stage, amount, age, route, name in zip(
            row[usable], deal["stage"], whole_usd, deal["age_weeks"], deal["route"], partner[usable], strict=True
        )
    )
    return pipeline, rejected


def _deal_owners(deals: pd.DataFrame, row: pd.Series[str], sellers: Mapping[str, Collection[str]]) -> pd.Series[str]:
    """The partner that has each deal. Where the export does not name it, the partners of the row have deals in turn."""
    partner = deals["partner"].copy()
    if OTHERS in sellers:
        partner[(partner != "") & ~partner.isin(list(sellers))] = OTHERS
    nameless = deals[(deals["route"] == "partner") & (deals["partner"] == "")]
    for name, of_row in nameless.groupby(row[nameless.index]):
        turn = [seller for seller, sold in sellers.items() if name in sold]
        if turn:
            partner[of_row.index] = [turn[i % len(turn)] for i in range(len(of_row))]
    return partner
