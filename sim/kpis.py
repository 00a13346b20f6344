"""Key performance indicators: pure functions of the sums of a run, the same for one ledger and for many compiled runs.

`KPIS` is the one table of indicators by quarter: its name in code, its label on screen, its unit, and whether it lags
(what happened) or leads (what is coming). To add one, add a row. Below it stand the breakdowns by route, segment and
partner, which need the ledger itself.

A run's indicators are the same to the last bit alone and among others: what is not a whole number is added term by
term, over kinds and over partners, as numpy's own sums take an order that depends on the shape.

Left out: means over markets and intervals (estimates.py). History does not count.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from sim.arrays import FloatArray
from sim.errors import SimulationError
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
from sim.scenario import Scenario
from sim.tally import ENGAGEMENTS, KINDS, SKILLS, Sums, empty_sums
from sim.terms import WEEKS_PER_QUARTER

FUNNEL = (Kind.FOUND, Kind.REGISTERED, Kind.TAKEN_OVER)
"""Records with which somebody begins to work an opportunity."""
CLOSINGS = tuple(kind for kind in ENDINGS if kind != Kind.LEAKED)
"""Records with which a worked opportunity ends."""
USED_HOURS = (*(kind for kind in PLANNED_HOURS if kind != Kind.SELL_TIME), Kind.VISIT)
"""The manager's hours, spare selling time left out."""


@dataclass(frozen=True, eq=False)
class Tally:
    """The sums of one run of a scenario, or of many: then every array below has their leading axes too."""

    scenario: Scenario
    sums: Sums

    @classmethod
    def of(cls, ledger: Ledger) -> Self:
        """Add up one ledger. Raises SimulationError if it is longer than its scenario or has other partners."""
        from sim.fast.engine import add_up_ledger

        scenario, records = ledger.scenario, np.ascontiguousarray(ledger.records)
        quarters, partners = scenario.horizon_quarters, len(scenario.all_partners)
        # Compiled code would write past the end of the sums.
        ends = quarters * TICKS_PER_QUARTER
        kinds, whose = records["kind"], records["partner"]
        somebody = np.isin(kinds, (*PARTNER_WON, Kind.REGISTERED))
        if (
            records["tick"].max(initial=0) >= ends
            or not ((whose >= NOBODY) & (whose < partners) & ~(somebody & (whose == NOBODY))).all()
            or not ((kinds >= 0) & (kinds < KINDS)).all()
        ):
            raise SimulationError(
                f"scenario {scenario.name!r}, plan {ledger.plan_name!r}: the ledger is another scenario's; "
                f"it goes beyond {quarters} quarters, {partners} partners or the kinds of records"
            )
        sums = empty_sums(1 + quarters, partners)
        add_up_ledger(records, sums)
        return cls(scenario, sums)


@dataclass(frozen=True)
class Kpi:
    """One indicator by quarter."""

    name: str
    label: str
    unit: str
    when: Literal["lagging", "leading"]
    of: Callable[[Tally], FloatArray]
    """sums to an array of shape (..., quarters)"""


def count(*kinds: Kind) -> Callable[[Tally], FloatArray]:
    """The indicator that counts records of these kinds."""
    return lambda tally: _total_by_quarter(tally, "count", kinds)


def hours(*kinds: Kind) -> Callable[[Tally], FloatArray]:
    """The indicator that sums the hours of these kinds over a quarter."""
    return lambda tally: _total_by_quarter(tally, "value", kinds)


def bookings(*kinds: Kind) -> Callable[[Tally], FloatArray]:
    """The indicator that sums gross bookings of these kinds, in US dollars."""
    return lambda tally: _total_by_quarter(tally, "amount_usd", kinds)


direct_bookings_usd = bookings(Kind.WON_DIRECT)
"""Bookings without a partner; they are quota credit as they are."""


def partner_credit_usd(tally: Tally) -> FloatArray:
    """Quota credit of the partners' bookings in US dollars, by the scenario's `quota_credit`."""
    return _partner_bookings(tally, map(tally.scenario.credit_share, tally.scenario.all_partners))


def bookings_by_partner(tally: Tally) -> FloatArray:
    """Gross bookings through each partner in US dollars: shape (..., quarters, partners)."""
    return tally.sums.by_partner["won_usd"][..., 1:, :].astype(np.float64)


def registered_by_partner(tally: Tally) -> FloatArray:
    """Deals registered by each partner: shape (..., quarters, partners)."""
    return tally.sums.by_partner["registered"][..., 1:, :].astype(np.float64)


def credit_usd(tally: Tally) -> FloatArray:
    """Quota credit of won deals in US dollars."""
    return direct_bookings_usd(tally) + partner_credit_usd(tally)


def net_bookings_usd(tally: Tally) -> FloatArray:
    """Bookings less the partners' margins, in US dollars."""
    return direct_bookings_usd(tally) + _partner_bookings(tally, (1 - p.margin for p in tally.scenario.all_partners))


def attainment(tally: Tally) -> FloatArray:
    """Quota credit / quota."""
    return credit_usd(tally) / np.array(tally.scenario.quota_usd())


def pipeline_coverage(tally: Tally) -> FloatArray:
    """Amount of the deals open as the quarter begins / quota."""
    begun, ended = (_by_row(tally, "amount_usd", kinds) for kinds in (FUNNEL, CLOSINGS))
    # An open pipeline stands in the row of history: it is there as quarter 1 begins.
    open_usd = np.cumsum(begun - ended, axis=-1)[..., :-1]
    return open_usd / np.array(tally.scenario.quota_usd())


def level(which: int) -> Callable[[Tally], FloatArray]:
    """The indicator that averages a level over the active partners in the last week of each quarter; 0 without any."""

    def of(tally: Tally) -> FloatArray:
        levels = tally.sums.levels[..., 1:, which]
        return _ratio(levels["value"], levels["count"])

    return of


def active_partners(tally: Tally) -> FloatArray:
    """Partners with at least one registered deal in the quarter."""
    return np.count_nonzero(registered_by_partner(tally), axis=-1).astype(np.float64)


def leakage(tally: Tally) -> FloatArray:
    """Share of the opportunities that nobody saw."""
    return _ratio(count(Kind.LEAKED)(tally), count(Kind.ARRIVED)(tally))


def utilisation(tally: Tally) -> FloatArray:
    """Hours used, spare selling time left out, / the quarter's hours."""
    return hours(*USED_HOURS)(tally) / (tally.scenario.territory_manager.hours_per_week * WEEKS_PER_QUARTER)


def spare_hours(tally: Tally) -> FloatArray:
    """Selling time that no deal needed; it goes to prospecting."""
    return hours(Kind.SELL_TIME)(tally) - hours(Kind.VISIT)(tally)


def _by_row(tally: Tally, column: str, kinds: Iterable[Kind]) -> NDArray[Any]:
    """A column of `by_kind`, these kinds together: shape (..., 1 + quarters)."""
    by_kind = tally.sums.by_kind[column]
    total = np.zeros(by_kind.shape[:-1], by_kind.dtype)
    for kind in kinds:
        total += by_kind[..., kind]
    return total


def _total_by_quarter(tally: Tally, column: str, kinds: Iterable[Kind]) -> FloatArray:
    return _by_row(tally, column, kinds)[..., 1:].astype(np.float64)


def _partner_bookings(tally: Tally, shares: Iterable[float]) -> FloatArray:
    """Bookings through partners, each partner's times its share: shape (..., quarters)."""
    won_usd = tally.sums.by_partner["won_usd"][..., 1:, :]
    total = np.zeros(won_usd.shape[:-1])
    for p, share in enumerate(shares):
        total += share * won_usd[..., p]
    return total


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> FloatArray:
    """part / whole; 0 where there is no whole."""
    return np.divide(part, whole, out=np.zeros(whole.shape), where=whole > 0)


def worked(activity: str, kind: Kind) -> Kpi:
    """The indicator of the manager's hours for one activity."""
    return Kpi(f"hours_{activity}", f"hours: {ACTIVITY_WORDS[activity]}", "hours", "leading", hours(kind))


KPIS = (
    Kpi("credit_usd", "quota credit", "US dollars", "lagging", credit_usd),
    Kpi("attainment", "attainment", "share of quota", "lagging", attainment),
    Kpi("bookings_usd", "bookings, gross", "US dollars", "lagging", bookings(*WON)),
    Kpi("net_bookings_usd", "bookings, net of margins", "US dollars", "lagging", net_bookings_usd),
    Kpi("direct_credit_usd", "quota credit, direct", "US dollars", "lagging", direct_bookings_usd),
    Kpi("partner_credit_usd", "quota credit, partners", "US dollars", "lagging", partner_credit_usd),
    Kpi("direct_wins", "wins, direct", "deals", "lagging", count(Kind.WON_DIRECT)),
    Kpi("partner_wins", "wins, partners", "deals", "lagging", count(*PARTNER_WON)),
    Kpi("gone_cold", "deals gone cold", "deals", "lagging", count(Kind.NO_DECISION)),
    Kpi("pipeline_coverage", "pipeline coverage at the start", "times quota", "leading", pipeline_coverage),
    Kpi("registered_deals", "registered deals", "deals", "leading", count(Kind.REGISTERED)),
    Kpi("active_partners", "active partners", "partners", "leading", active_partners),
    Kpi("skill", "partner skill", "share", "leading", level(SKILLS)),
    Kpi("engagement", "partner engagement", "share", "leading", level(ENGAGEMENTS)),
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


def summarise(tally: Tally) -> FloatArray:
    """All indicators of a run, or of many: shape (..., KPIS, quarters)."""
    return np.stack([kpi.of(tally) for kpi in KPIS], axis=-2)


COVERAGE_KINDS = {"found": Kind.FOUND, "registered": Kind.REGISTERED, "leaked": Kind.LEAKED}
"""Who saw an opportunity: the manager, its partner, nobody. Each ends in exactly one of these."""


def coverage_by_segment(ledger: Ledger) -> dict[str, FloatArray]:
    """Opportunities of the horizon by segment and by who saw them, the COVERAGE_KINDS: each of shape (segments,)."""
    counts = {}
    for name, kind in COVERAGE_KINDS.items():
        seen = ledger.of(kind)
        seen = seen[seen["tick"] >= 0]
        counts[name] = np.bincount(seen["segment"], minlength=len(ledger.scenario.market_map)).astype(np.float64)
    return counts


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
