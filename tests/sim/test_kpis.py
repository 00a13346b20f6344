"""Indicators are what the records say, and the same to the last bit for one run and for that run among many.

Every indicator of generated ledgers (tests/strategies.py) is counted a second time straight from the records. The
breakdowns are of a ledger written by hand: what each partner and each segment had, counted on paper.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray

from sim import Scenario, SimulationError, TimePlan, draw_market, kpis, load_scenario, simulate
from sim.ledger import (
    CAM_HOURS,
    ENDINGS,
    NOBODY,
    PARTNER_WON,
    PLANNED_HOURS,
    RECORD,
    TICKS_PER_QUARTER,
    TICKS_PER_WEEK,
    WON,
    Kind,
    Ledger,
)
from sim.tally import Sums, empty_sums
from sim.terms import WEEKS_PER_QUARTER
from tests.helpers import candidate, partner, run_once, segment, territory
from tests.sim.test_properties import checked
from tests.strategies import runs

pytestmark = pytest.mark.generated


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


def counted(ledger: Ledger) -> dict[str, NDArray[Any]]:
    """Every indicator by quarter, from the records alone."""
    scenario, records = ledger.scenario, ledger.records
    quarters, quota = scenario.horizon_quarters, np.array(scenario.quota_usd())
    kind, tick, partners = records["kind"], records["tick"], records["partner"]

    def total(weights: NDArray[Any] | None, *kinds: Kind, also: Any = True) -> NDArray[Any]:
        chosen = (tick >= 0) & np.isin(kind, kinds) & also
        return np.bincount(tick[chosen] // TICKS_PER_QUARTER, None if weights is None else weights[chosen], quarters)

    def ratio(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[Any]:
        return np.array([p / w if w else 0.0 for p, w in zip(part, whole, strict=True)])

    amount, hours = records["amount_usd"], records["value"]
    # The last entry is for NOBODY, who is -1.
    credit = amount * np.array([*map(scenario.credit_share, scenario.all_partners), 1.0])[partners]
    net = amount * np.array([*(1 - partner.margin for partner in scenario.all_partners), 1.0])[partners]
    last_week = tick // TICKS_PER_WEEK % WEEKS_PER_QUARTER == WEEKS_PER_QUARTER - 1
    registering = [
        len(np.unique(partners[(kind == Kind.REGISTERED) & (tick // TICKS_PER_QUARTER == q)])) for q in range(quarters)
    ]
    selling, visits = total(hours, Kind.SELL_TIME), total(hours, Kind.VISIT)
    week = scenario.territory_manager.hours_per_week
    return {
        "credit_usd": total(credit, *WON),
        "attainment": total(credit, *WON) / quota,
        "bookings_usd": total(amount, *WON),
        "net_bookings_usd": total(net, *WON),
        "direct_credit_usd": total(credit, Kind.WON_DIRECT),
        "partner_credit_usd": total(credit, *PARTNER_WON),
        "direct_wins": total(None, Kind.WON_DIRECT),
        "partner_wins": total(None, *PARTNER_WON),
        "gone_cold": total(None, Kind.NO_DECISION),
        "pipeline_coverage": np.array([open_usd(ledger, q) for q in range(quarters)]) / quota,
        "registered_deals": total(None, Kind.REGISTERED),
        "active_partners": np.array(registering),
        "skill": ratio(total(hours, Kind.SKILL, also=last_week), total(None, Kind.SKILL, also=last_week)),
        "engagement": ratio(
            total(hours, Kind.ENGAGEMENT, also=last_week), total(None, Kind.ENGAGEMENT, also=last_week)
        ),
        "conflicts": total(None, Kind.CONFLICT),
        "leakage": ratio(total(None, Kind.LEAKED), total(None, Kind.ARRIVED)),
        "utilisation": (total(hours, *PLANNED_HOURS) - selling + visits) / (week * WEEKS_PER_QUARTER),
        "hours_support": total(hours, Kind.SUPPORT),
        "hours_coach": total(hours, Kind.COACH),
        "hours_joint_plan": total(hours, Kind.JOINT_PLAN),
        "hours_co_sell": total(hours, Kind.CO_SELL),
        "hours_sell_for": total(hours, Kind.SELL_FOR),
        "hours_socialise": total(hours, Kind.SOCIALISE),
        "hours_recruit": total(hours, Kind.RECRUIT),
        "hours_prospect": total(hours, Kind.PROSPECT),
        "hours_sell": visits,
        "hours_cam": total(hours, *CAM_HOURS),
        "hours_spare": selling - visits,
    }


def open_usd(ledger: Ledger, quarter: int) -> int:
    """Amount of the deals open as the quarter (from 0) begins, deal by deal."""
    open_deals: dict[int, int] = {}
    for record in ledger.records:
        kind = record["kind"]
        # An open pipeline takes over in the first moment of quarter 1, and is there as the quarter begins.
        if record["tick"] >= quarter * TICKS_PER_QUARTER and kind not in (Kind.TAKEN_OVER, Kind.REPLACED):
            continue
        if kind in (Kind.FOUND, Kind.REGISTERED, Kind.TAKEN_OVER):
            open_deals[record["opportunity"]] = int(record["amount_usd"])
        elif kind in ENDINGS:
            open_deals.pop(record["opportunity"], None)  # a leaked one was never open
    return sum(open_deals.values())


@checked
@given(runs())
def test_indicators_are_what_the_records_say(run: tuple[Scenario, TimePlan, int]) -> None:
    scenario, plan, seed = run
    ledger = run_once(scenario, plan, seed)
    tally = kpis.Tally.of(ledger)
    expected = counted(ledger)
    assert list(expected) == [kpi.name for kpi in kpis.KPIS]
    for kpi in kpis.KPIS:
        assert kpi.of(tally) == pytest.approx(expected[kpi.name], rel=1e-9, abs=1e-9), kpi.name


def made_up_sums(scenario: Scenario, *leading: int) -> Sums:
    """Sums of nothing that happened: numbers with all their digits, so that another order of adding shows."""
    draw = np.random.default_rng(1)
    sums = empty_sums(1 + scenario.horizon_quarters, len(scenario.all_partners), *leading)
    for array in sums:
        for name in array.dtype.names:
            array[name] = draw.integers(0, 10**9, array.shape)
            if array.dtype[name] == np.float64:
                array[name] *= draw.uniform(size=array.shape)
    return sums


def test_a_run_has_the_same_bits_alone_and_among_others() -> None:
    many = [partner(f"Partner {i}", base_share={}, margin=1 / (3 + i)) for i in range(20)]
    scenario = territory(partners=many, quota_credit="net")
    sums = made_up_sums(scenario, 3, 50)
    # Laid out another way in memory than a run alone: numpy's own sums then take another order.
    together = kpis.summarise(kpis.Tally(scenario, Sums(*map(np.asfortranarray, sums))))
    assert together.shape == (3, 50, len(kpis.KPIS), scenario.horizon_quarters)
    for plan in range(3):
        for r in range(50):
            alone = kpis.summarise(kpis.Tally(scenario, Sums(*(array[plan, r].copy() for array in sums))))
            assert alone.tobytes() == together[plan, r].tobytes()


def test_a_ledger_beyond_its_scenario_is_refused() -> None:
    scenario = load_scenario("scenarios/baseline.yaml").variant(horizon_quarters=5)
    ledger = simulate(scenario, TimePlan.status_quo(scenario), draw_market(scenario, 7))
    shorter, without = scenario.variant(horizon_quarters=4), scenario.variant(candidates=(), partners=())
    for other in (shorter, without):
        with pytest.raises(SimulationError, match="the ledger is another scenario's"):
            kpis.Tally.of(Ledger(other, ledger.plan_name, ledger.seed, 0, ledger.records))
