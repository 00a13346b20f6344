"""Key performance indicators: pure functions of a ledger.

`KPIS` is the one table of indicators by quarter: its name in code, its label on screen, its unit, and whether it lags
(what happened) or leads (what is coming). To add one, add a row. Below it stand the breakdowns by route, segment and
partner.

Left out: means over markets and intervals (estimates.py). History does not count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sim.ledger import (
    CAM_HOURS,
    ENDINGS,
    NOBODY,
    PARTNER_WON,
    PLANNED_HOURS,
    TICKS_PER_QUARTER,
    TICKS_PER_WEEK,
    WON,
    Kind,
    Ledger,
)
from sim.plan import ACTIVITY_WORDS
from sim.scenario import WEEKS_PER_QUARTER

FloatArray = NDArray[np.float64]
LAST_WEEK = WEEKS_PER_QUARTER - 1
FUNNEL = (Kind.FOUND, Kind.REGISTERED, Kind.TAKEN_OVER)
"""Records with which somebody begins to work an opportunity."""


@dataclass(frozen=True)
class Kpi:
    """One indicator by quarter."""

    name: str
    label: str
    unit: str
    when: Literal["lagging", "leading"]
    of: Callable[[Ledger], FloatArray]
    """a ledger to an array of shape (quarters,)"""


def by_quarter(ledger: Ledger, records: NDArray[Any], weights: NDArray[Any] | None = None) -> FloatArray:
    """Count of the records in each quarter, or the sum of their `weights`: shape (quarters,). History is left out."""
    counted = records["tick"] >= 0
    quarters = records["tick"][counted] // TICKS_PER_QUARTER
    chosen = None if weights is None else weights[counted]
    return np.bincount(quarters, chosen, minlength=ledger.scenario.horizon_quarters).astype(np.float64)


def count(*kinds: Kind) -> Callable[[Ledger], FloatArray]:
    """The indicator that counts records of these kinds."""
    return lambda ledger: by_quarter(ledger, ledger.of(*kinds))


def hours(*kinds: Kind) -> Callable[[Ledger], FloatArray]:
    """The indicator that sums the hours of these kinds over a quarter."""

    def of(ledger: Ledger) -> FloatArray:
        records = ledger.of(*kinds)
        return by_quarter(ledger, records, records["value"])

    return of


def bookings(*kinds: Kind) -> Callable[[Ledger], FloatArray]:
    """The indicator that sums gross bookings of these kinds, in US dollars."""

    def of(ledger: Ledger) -> FloatArray:
        records = ledger.of(*kinds)
        return by_quarter(ledger, records, records["amount_usd"])

    return of


def credit_usd(ledger: Ledger, *kinds: Kind) -> FloatArray:
    """Quota credit of won deals in US dollars: partner bookings count by the scenario's `quota_credit`."""
    return _shared_bookings(
        ledger, kinds or WON, [ledger.scenario.credit_share(p) for p in ledger.scenario.all_partners]
    )


def _credit(*kinds: Kind) -> Callable[[Ledger], FloatArray]:
    return lambda ledger: credit_usd(ledger, *kinds)


def net_bookings_usd(ledger: Ledger) -> FloatArray:
    """Bookings less the partners' margins, in US dollars."""
    return _shared_bookings(ledger, WON, [1 - p.margin for p in ledger.scenario.all_partners])


def attainment(ledger: Ledger) -> FloatArray:
    """Quota credit / quota."""
    return credit_usd(ledger) / np.array(ledger.scenario.quota_usd())


def pipeline_coverage(ledger: Ledger) -> FloatArray:
    """Amount of the deals open as the quarter begins / quota."""
    begun, ended = ledger.of(*FUNNEL), ledger.of(*ENDINGS)
    ended = ended[ended["kind"] != Kind.LEAKED]
    starts = np.arange(ledger.scenario.horizon_quarters) * TICKS_PER_QUARTER

    def total_before(records: NDArray[Any]) -> FloatArray:
        # An open pipeline takes over in the first moment of quarter 1, and is there as the quarter begins.
        ticks = records["tick"] - np.isin(records["kind"], (Kind.TAKEN_OVER, Kind.REPLACED))
        totals = np.concatenate([[0], np.cumsum(records["amount_usd"])])
        return totals[np.searchsorted(ticks, starts, side="left")].astype(np.float64)

    return (total_before(begun) - total_before(ended)) / np.array(ledger.scenario.quota_usd())


def level(kind: Kind) -> Callable[[Ledger], FloatArray]:
    """The indicator that averages a level over the active partners in the last week of each quarter; 0 without any."""

    def of(ledger: Ledger) -> FloatArray:
        records = ledger.of(kind)
        records = records[records["tick"] // TICKS_PER_WEEK % WEEKS_PER_QUARTER == LAST_WEEK]
        total, partners = by_quarter(ledger, records, records["value"]), by_quarter(ledger, records)
        return np.divide(total, partners, out=np.zeros_like(total), where=partners > 0)

    return of


def active_partners(ledger: Ledger) -> FloatArray:
    """Partners with at least one registered deal in the quarter."""
    records = ledger.of(Kind.REGISTERED)
    pairs = np.unique(np.stack([records["tick"] // TICKS_PER_QUARTER, records["partner"]]), axis=1)
    quarters = pairs[0][pairs[0] >= 0]
    return np.bincount(quarters, minlength=ledger.scenario.horizon_quarters).astype(np.float64)


def leakage(ledger: Ledger) -> FloatArray:
    """Share of the opportunities that nobody saw."""
    arrived, leaked = count(Kind.ARRIVED)(ledger), count(Kind.LEAKED)(ledger)
    return np.divide(leaked, arrived, out=np.zeros_like(leaked), where=arrived > 0)


def utilisation(ledger: Ledger) -> FloatArray:
    """Hours used, spare selling time left out, / the quarter's hours."""
    planned, selling, visits = (
        hours(*PLANNED_HOURS)(ledger),
        hours(Kind.SELL_TIME)(ledger),
        hours(Kind.VISIT)(ledger),
    )
    return (planned - selling + visits) / (ledger.scenario.territory_manager.hours_per_week * WEEKS_PER_QUARTER)


def spare_hours(ledger: Ledger) -> FloatArray:
    """Selling time that no deal needed; it goes to prospecting."""
    return hours(Kind.SELL_TIME)(ledger) - hours(Kind.VISIT)(ledger)


def worked(activity: str, kind: Kind) -> Kpi:
    """The indicator of the manager's hours for one activity."""
    return Kpi(f"hours_{activity}", f"hours: {ACTIVITY_WORDS[activity]}", "hours", "leading", hours(kind))


KPIS = (
    Kpi("credit_usd", "quota credit", "US dollars", "lagging", credit_usd),
    Kpi("attainment", "attainment", "share of quota", "lagging", attainment),
    Kpi("bookings_usd", "bookings, gross", "US dollars", "lagging", bookings(*WON)),
    Kpi("net_bookings_usd", "bookings, net of margins", "US dollars", "lagging", net_bookings_usd),
    Kpi("direct_credit_usd", "quota credit, direct", "US dollars", "lagging", _credit(Kind.WON_DIRECT)),
    Kpi("partner_credit_usd", "quota credit, partners", "US dollars", "lagging", _credit(*PARTNER_WON)),
    Kpi("direct_wins", "wins, direct", "deals", "lagging", count(Kind.WON_DIRECT)),
    Kpi("partner_wins", "wins, partners", "deals", "lagging", count(*PARTNER_WON)),
    Kpi("gone_cold", "deals gone cold", "deals", "lagging", count(Kind.NO_DECISION)),
    Kpi("pipeline_coverage", "pipeline coverage at the start", "times quota", "leading", pipeline_coverage),
    Kpi("registered_deals", "registered deals", "deals", "leading", count(Kind.REGISTERED)),
    Kpi("active_partners", "active partners", "partners", "leading", active_partners),
    Kpi("skill", "partner skill", "share", "leading", level(Kind.SKILL)),
    Kpi("engagement", "partner engagement", "share", "leading", level(Kind.ENGAGEMENT)),
    Kpi("conflicts", "channel conflicts", "deals", "leading", count(Kind.CONFLICT)),
    Kpi("leakage", "leakage: seen by nobody", "share of opportunities", "leading", leakage),
    Kpi("utilisation", "utilisation", "share of hours", "leading", utilisation),
    worked("support", Kind.SUPPORT),
    worked("coach", Kind.COACH),
    worked("joint_plan", Kind.JOINT_PLAN),
    worked("co_sell", Kind.CO_SELL),
    worked("sell_for", Kind.SELL_FOR),
    worked("socialise", Kind.SOCIALISE),
    worked("recruit", Kind.RECRUIT),
    Kpi("hours_prospect", "hours: prospecting, planned", "hours", "leading", hours(Kind.PROSPECT)),
    worked("sell", Kind.VISIT),
    Kpi("hours_cam", "hours: channel account manager", "hours", "leading", hours(*CAM_HOURS)),
    Kpi("hours_spare", "hours: prospecting, spare", "hours", "leading", spare_hours),
)  # fmt: skip


def summarise(ledger: Ledger) -> FloatArray:
    """Every indicator of one ledger: shape (KPIS, quarters)."""
    return np.stack([kpi.of(ledger) for kpi in KPIS])


def coverage_by_segment(ledger: Ledger) -> dict[str, FloatArray]:
    """Opportunities of the horizon by segment and by who saw them: found, registered, leaked, each (segments,)."""
    kinds = {"found": Kind.FOUND, "registered": Kind.REGISTERED, "leaked": Kind.LEAKED}
    return {name: _count_by(ledger, "segment", len(ledger.scenario.market_map), kind) for name, kind in kinds.items()}


def credit_by_partner_usd(ledger: Ledger) -> FloatArray:
    """Quota credit over the horizon by partner, candidates last: shape (partners,)."""
    won = ledger.of(*PARTNER_WON)
    won = won[won["tick"] >= 0]
    shares = np.array([ledger.scenario.credit_share(p) for p in ledger.scenario.all_partners])
    return np.bincount(won["partner"], won["amount_usd"], minlength=len(shares)) * shares


def weeks_to_first_deal(ledger: Ledger) -> FloatArray:
    """Weeks from becoming active to the first win, by partner; NaN where there was none."""
    weeks = np.full(len(ledger.scenario.all_partners), np.nan)
    begins = np.zeros(len(weeks))
    onboarded = ledger.of(Kind.ONBOARDED)
    begins[onboarded["partner"]] = onboarded["tick"]
    won = ledger.of(*PARTNER_WON)
    for record in won[won["tick"] >= 0][::-1]:
        weeks[record["partner"]] = (record["tick"] - begins[record["partner"]]) / TICKS_PER_WEEK
    return weeks


def _shared_bookings(ledger: Ledger, kinds: tuple[Kind, ...], partner_shares: list[float]) -> FloatArray:
    records = ledger.of(*kinds)
    # Index NOBODY (-1) is the last: a direct booking counts whole.
    assert NOBODY == -1
    shares = np.array([*partner_shares, 1.0])
    return by_quarter(ledger, records, records["amount_usd"] * shares[records["partner"]])


def _count_by(ledger: Ledger, column: str, length: int, kind: Kind) -> FloatArray:
    records = ledger.of(kind)
    records = records[records["tick"] >= 0]
    return np.bincount(records[column], minlength=length).astype(np.float64)
