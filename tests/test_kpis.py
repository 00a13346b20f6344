"""Breakdowns of a ledger written by hand: what each partner and each segment had, counted on paper."""

from __future__ import annotations

from typing import Any

import numpy as np

from sim import kpis
from sim.ledger import NOBODY, RECORD, TICKS_PER_WEEK, Kind, Ledger
from tests.helpers import candidate, partner, segment, territory


def written(*records: tuple[float, Kind, int, int, int]) -> Ledger:
    """A ledger of (week, kind, partner, segment, amount); partners Pine, Oak (margin 25%) and the candidate Cypress."""
    scenario = territory(
        market_map=[segment(), segment("other")],
        partners=[partner(base_share={}, margin=0.0), partner("Oak", base_share={}, margin=0.25)],
        candidates=[candidate(base_share={}, margin=0.0)],
        quota_credit="net",
    )
    rows: list[tuple[Any, ...]] = [
        (round(week * TICKS_PER_WEEK), kind, i, who, where, amount, 0.0)
        for i, (week, kind, who, where, amount) in enumerate(records)
    ]
    return Ledger(scenario, "by hand", 1, 0, np.array(rows, dtype=RECORD))


def test_weeks_to_first_deal_counts_from_the_first_day_or_from_onboarding() -> None:
    ledger = written(
        (-3, Kind.WON_PARTNER, 0, 0, 100),  # history does not count
        (2, Kind.WON_DIRECT, NOBODY, 0, 100),  # nobody's
        (4.5, Kind.WON_CO_SOLD, 0, 0, 100),
        (6, Kind.LOST, 1, 0, 100),  # not a win
        (10, Kind.ONBOARDED, 2, NOBODY, 0),
        (12, Kind.WON_PARTNER, 0, 0, 100),  # not the first
        (17.25, Kind.WON_SOLD_FOR, 2, 0, 100),
        (20, Kind.WON_PARTNER, 2, 0, 100),
    )
    weeks = kpis.weeks_to_first_deal(ledger)
    assert weeks[[0, 2]].tolist() == [4.5, 7.25]
    assert np.isnan(weeks[1])


def test_credit_by_partner_is_of_the_horizon_and_net_of_margin() -> None:
    ledger = written(
        (-1, Kind.WON_PARTNER, 0, 0, 1000),
        (1, Kind.WON_PARTNER, 0, 0, 100),
        (2, Kind.WON_CO_SOLD, 1, 1, 200),
        (3, Kind.WON_DIRECT, NOBODY, 1, 400),
        (4, Kind.WON_SOLD_FOR, 1, 0, 200),
    )
    assert kpis.credit_by_partner_usd(ledger).tolist() == [100.0, 300.0, 0.0]


def test_coverage_by_segment_counts_who_saw_what() -> None:
    ledger = written(
        (-1, Kind.FOUND, NOBODY, 0, 10),
        (1, Kind.FOUND, NOBODY, 0, 10),
        (2, Kind.LEAKED, NOBODY, 1, 10),
        (3, Kind.REGISTERED, 1, 1, 10),
        (4, Kind.LEAKED, NOBODY, 1, 10),
    )
    seen = {how: counts.tolist() for how, counts in kpis.coverage_by_segment(ledger).items()}
    assert seen == {"found": [1.0, 0.0], "registered": [0.0, 1.0], "leaked": [0.0, 2.0]}
