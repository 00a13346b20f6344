"""Every deal of one market, from its ledger: who had it, when it came and went, and what it counts.

A deal is an opportunity that somebody began to work. Left out: opportunities that nobody saw, and what was over before
the first day.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sim import Ledger
from sim.kpis import FUNNEL
from sim.ledger import ENDINGS, NOBODY, TICKS_PER_QUARTER, TICKS_PER_WEEK, WON, Kind

DIRECT_ROUTE = "direct"
OPEN_AT_THE_END = "open at the end"
OUTCOMES = {
    Kind.WON_DIRECT: "won by the manager",
    Kind.WON_PARTNER: "won by the partner",
    Kind.WON_CO_SOLD: "won, sold together",
    Kind.WON_SOLD_FOR: "won, sold for the partner",
    Kind.LOST: "lost",
    Kind.NO_DECISION: "gone cold",
    Kind.PARTNER_LEFT: "partner left",
}
"""What people see for each way in which a deal of the horizon ends."""


@dataclass(frozen=True)
class DealRow:
    """One deal of a market. Weeks count from the first moment of quarter 1; below 0 is history."""

    opportunity: int
    segment: str
    route: str
    """DIRECT_ROUTE, or the partner that brought it"""
    opened_week: float
    closed_week: float | None
    closed_quarter: int | None
    """quarter, counted from 1"""
    outcome: str
    amount_usd: int
    credit_usd: float


def deal_rows(ledger: Ledger) -> Iterator[DealRow]:
    """The deals in the order in which they were opened."""
    scenario = ledger.scenario
    segments, partners = scenario.segment_names, scenario.all_partners
    endings = ledger.of(*ENDINGS)[["opportunity", "tick", "kind"]].tolist()
    ended = {opportunity: (tick, Kind(kind)) for opportunity, tick, kind in endings}
    for record in ledger.of(*FUNNEL):
        opportunity, amount = int(record["opportunity"]), int(record["amount_usd"])
        tick, kind = ended.get(opportunity, (None, None))
        if kind == Kind.REPLACED or (tick is not None and tick < 0):
            continue
        partner = None if record["partner"] == NOBODY else partners[record["partner"]]
        credited = 1.0 if partner is None else scenario.credit_share(partner)
        # Taken over on the first day, it is older than its record.
        age_weeks = float(record["value"]) if record["kind"] == Kind.TAKEN_OVER else 0.0
        yield DealRow(
            opportunity=opportunity,
            segment=segments[record["segment"]],
            route=DIRECT_ROUTE if partner is None else partner.name,
            opened_week=float(record["tick"]) / TICKS_PER_WEEK - age_weeks,
            closed_week=None if tick is None else tick / TICKS_PER_WEEK,
            closed_quarter=None if tick is None else tick // TICKS_PER_QUARTER + 1,
            outcome=OPEN_AT_THE_END if kind is None else OUTCOMES[kind],
            amount_usd=amount,
            credit_usd=amount * credited if kind in WON else 0.0,
        )
