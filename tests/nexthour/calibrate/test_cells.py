"""From an export simulated with known numbers, the fit's 90% intervals cover these numbers in 85 to 95 of 100 cases.

The truth is drawn anew for each territory; its deals are simulated by the model, written as a CRM would export them,
and read again, with the open ones and without. Every cell is a case. `make test-long` has 200 territories of eight
cells; the default has fewer, and fails only where less than 1 in 1,000 such runs would fall if the true coverage were
85% or 95%.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from nexthour.calibrate import make_mapping, read_deals
from nexthour.calibrate.fit.cells import Cell, DealPeriod, fit_cells, spread
from nexthour.calibrate.fit.posterior import Interval, arrivals, shrink, win_rate
from sim import draw_market, simulate
from sim.errors import TableError
from tests.helpers import all_selling, partner, segment, stage, territory
from tests.nexthour.office.files import BEGINS, MAPPING, export

pytestmark = pytest.mark.generated

LONG = os.environ.get("FRESH_SEEDS") == "1"
TERRITORIES = 200 if LONG else 8
SEED = int(os.environ.get("CLAIMS_SEED", "2026"))
FALSE_ALARM = 0.001
CLOSED_ONLY = ", without open deals"
OPENED, LASTED = f"opportunities{CLOSED_ONLY}", f"cycle weeks{CLOSED_ONLY}"
SKILL, ENGAGEMENT, BASE = 0.36, 0.49, 0.5
"""With exponents of one half: partners win .6 times as often as the manager and bring .7 of their half."""


def known_territory(rng: np.random.Generator) -> tuple[Any, dict[tuple[str, str], dict[str, float]]]:
    """A territory in which nothing is short of time, and what is true of each of its cells."""
    segments, truth = [], {}
    for k in range(4):
        numbers = {
            "opportunities": float(rng.uniform(8, 120)),
            "win rate": float(rng.uniform(0.15, 0.6)),
            "win rate shock": float(rng.uniform(0, 0.4)),
            "demand cv": float(rng.uniform(0.1, 0.8)),
            "median": float(rng.uniform(5e3, 1e5)),
            "sigma": float(rng.uniform(0.4, 1.3)),
        }
        only = stage(mean_hours=0.01, advance_probability=numbers["win rate"], buyer_lag_weeks=float(rng.uniform(1, 8)))
        segments.append(
            segment(
                f"s{k}",
                opportunities_per_quarter=numbers["opportunities"],
                demand_cv=numbers["demand cv"],
                win_rate_shock=numbers["win rate shock"],
                deal_size_median_usd=numbers["median"],
                deal_size_sigma=numbers["sigma"],
                stages=[only],
            )
        )
        brought = BASE * ENGAGEMENT**0.5
        truth[f"s{k}", "partner"] = {
            **numbers, "opportunities": numbers["opportunities"] * brought, "win rate": numbers["win rate"] * SKILL**0.5
        }  # fmt: skip
        truth[f"s{k}", "direct"] = {**numbers, "opportunities": numbers["opportunities"] * (1 - brought)}
    stock = {
        "skill_start": SKILL, "skill_ceiling": SKILL, "skill_alone": SKILL, "reactive_support_hours": 0,
        "engagement_start": ENGAGEMENT, "engagement_ceiling": ENGAGEMENT, "engagement_alone": ENGAGEMENT,
    }  # fmt: skip
    cycle_weeks = float(rng.uniform(2, 10))
    pine = partner(
        "Pine",
        base_share={f"s{k}": BASE for k in range(4)},
        capacity_deals=10_000,
        cycle_weeks=cycle_weeks,
        cycle_shape=1.5,
        traits=stock,
    )
    for (name, route), numbers in truth.items():
        lag = segments[int(name[1])]["stages"][0]["buyer_lag_weeks"]
        numbers["cycle weeks"] = cycle_weeks if route == "partner" else lag
    made = territory(
        horizon_quarters=int(rng.choice([4, 8, 12])),
        market_map=segments,
        partners=[pine],
        assumptions={"practice_gain_per_win": 0.0},
    )
    return made, truth


def fitted_cells(table: pd.DataFrame, quarters: int, folder: Path) -> tuple[Cell, ...]:
    path = folder / "export.csv"
    table.to_csv(path, index=False)
    last = BEGINS + pd.Timedelta(days=quarters * 91 - 1)
    mapping = make_mapping({**MAPPING, "as_of": last.date()})
    deals = read_deals(path, mapping)
    assert deals.rows_read == len(table) == deals.rows_used + len(deals.rejected)
    cells, _ = fit_cells(deals.closed, deals.opened, DealPeriod.of(deals, mapping), deals.name)
    return cells


@pytest.fixture(scope="module")
def covered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[bool]]:
    """Whether the interval of each number of each cell covers the truth."""
    rng, folder = np.random.default_rng(SEED), tmp_path_factory.mktemp("exports")
    hits: dict[str, list[bool]] = {}
    for case in range(TERRITORIES):
        made, truth = known_territory(rng)
        ledger = simulate(made, all_selling(made), draw_market(made, SEED + case), engine="compiled")
        table = export(ledger)
        for cell in fitted_cells(table[table["Stage"] != "Open"], made.horizon_quarters, folder):
            for what, interval in ((OPENED, cell.opportunities_per_quarter), (LASTED, cell.cycle_weeks)):
                true = truth[cell.segment, cell.route][what.removesuffix(CLOSED_ONLY)]
                hits.setdefault(what, []).append(interval.low <= true <= interval.high)
        for cell in fitted_cells(table, made.horizon_quarters, folder):
            said: dict[str, Interval | None] = {
                "opportunities": cell.opportunities_per_quarter,
                "win rate": cell.win_rate,
                "win rate shock": cell.win_rate_shock,
                "demand cv": cell.demand_cv,
                "median": cell.median_usd,
                "sigma": cell.sigma,
                "cycle weeks": cell.cycle_weeks,
            }
            for what, true in truth[cell.segment, cell.route].items():
                fitted = said[what]
                assert fitted is not None
                hits.setdefault(what, []).append(fitted.low <= true <= fitted.high)
    print({what: f"{np.mean(held):.3f} of {len(held)}" for what, held in hits.items()})
    return hits


WHAT = ("opportunities", "win rate", "win rate shock", "demand cv", "median", "sigma", "cycle weeks", OPENED, LASTED)


@pytest.mark.parametrize("what", WHAT)
def test_intervals_cover_the_numbers_that_made_the_export(what: str, covered: dict[str, list[bool]]) -> None:
    hits, cases = sum(covered[what]), len(covered[what])
    assert stats.binom.cdf(hits, cases, 0.85) > FALSE_ALARM, f"{what}: too narrow, {hits} of {cases}"
    assert stats.binom.sf(hits - 1, cases, 0.95) > FALSE_ALARM, f"{what}: too wide, {hits} of {cases}"


def test_more_quarters_narrow_the_interval_of_a_win_rate() -> None:
    few, many = (win_rate(np.full(n, 12.0), np.full(n, 28.0)).probit for n in (2, 12))
    assert many.error < few.error / 2


def test_quarters_that_differ_mean_luck_and_a_wider_interval() -> None:
    even = win_rate(np.full(8, 20.0), np.full(8, 80.0))
    uneven = win_rate(np.array([5.0, 35] * 4), np.array([95.0, 65] * 4))
    assert uneven.luck.low > even.luck.value and uneven.probit.error > 2 * even.probit.error


def test_arrivals_of_weeks_that_the_table_shows_in_part_are_scaled_up() -> None:
    counts, seen = np.array([10.0] * 8 + [5, 5]), np.array([1.0] * 8 + [0.5, 0.5])
    log_rate = arrivals(counts, seen).log_per_week
    assert abs(np.exp(log_rate.mean) - 10) < 0.5
    wrong = arrivals(counts, np.ones(10)).log_per_week
    assert np.exp(wrong.mean) < 9.5


def test_small_cells_borrow_and_large_ones_do_not() -> None:
    values, errors = shrink(np.array([0.0, 0.1, -0.1, 1.0]), np.array([0.02, 0.02, 0.02, 1.0]))
    assert abs(values[0]) < 0.01 and abs(values[3]) < 0.3
    assert errors[3] < 0.5 and errors[0] <= 0.0201


def test_two_cells_say_nothing_of_a_third() -> None:
    values, errors = shrink(np.array([0.0, 1.0]), np.array([0.5, 0.5]))
    assert values.tolist() == [0.0, 1.0] and errors.tolist() == [0.5, 0.5]


@pytest.mark.parametrize(("median", "mean"), [(1.0, 1.0), (2.0, 1.0)])
def test_a_mean_no_larger_than_the_median_has_almost_no_spread(median: float, mean: float) -> None:
    assert spread(median, mean) == 0.05


def deals(**changes: Any) -> pd.DataFrame:
    """Forty deals of each route, half of them won, one a day."""
    day = np.arange(80.0)
    table = {
        "segment": "all", "territory": "", "route": np.where(day < 40, "direct", "partner"), "partner": "",
        "won": day % 2 == 0, "amount_usd": 1000.0 + day, "cycle_weeks": 2.0, "closed_day": day,
        "created_day": day - 14, "age_weeks": np.nan,
    }  # fmt: skip
    return pd.DataFrame({**table, **changes})


def test_without_days_nothing_is_said_of_weeks_and_deals_count_one_by_one() -> None:
    table = deals(closed_day=np.nan, created_day=np.nan)
    cells, _ = fit_cells(table, table, DealPeriod(quarters=2), "x")
    assert {(cell.weeks, cell.quarters, cell.demand_cv, cell.design_effect) for cell in cells} == {(0, 0, None, 1.0)}
    assert cells[0].opportunities_per_quarter.value == pytest.approx(20)


def test_weeks_that_share_their_fate_count_for_fewer_deals() -> None:
    week = np.arange(80) // 7
    shared = deals(won=week % 2 == 0, route="direct")
    both = pd.concat([shared, deals(route="partner")])
    direct, own = fit_cells(both, both, DealPeriod(1, 0, 0, 79), "x")[0]
    assert direct.design_effect > 3 and own.design_effect < 1.5
    width = {cell.route: cell.win_rate.high - cell.win_rate.low for cell in (direct, own)}
    assert width["direct"] > 1.5 * width["partner"]


def test_a_cell_too_small_is_rejected_with_its_reason() -> None:
    table = pd.concat([deals(), deals(segment="giant").iloc[:1]], ignore_index=True)
    cells, small = fit_cells(table, table, DealPeriod(1, 0, 0, 79), "x")
    assert small["reason"].tolist() == ["giant, direct: fewer than 5 deals"] and small["row"].tolist() == [80]
    assert len(table) == sum(cell.deals for cell in cells) + len(small)


def test_a_route_without_enough_deals_is_refused() -> None:
    table = deals(route="direct")
    with pytest.raises(
        TableError, match="0 partner deals in segments of at least 5, 0 of them won with an amount; allowed"
    ):
        fit_cells(table, table, DealPeriod(1, 0, 0, 79), "x")


def test_a_cell_without_a_win_has_a_win_rate_that_is_not_nothing() -> None:
    rate = win_rate(np.array([0.0]), np.array([80.0])).probit.fitted(special.ndtr)
    assert rate.low > 0.0001 and 0.024 < rate.high < 0.15  # Jeffreys: .024, without luck of the quarter


def test_deals_still_open_lengthen_the_cycle() -> None:
    rng = np.random.default_rng(1)
    begun = rng.uniform(0, 90, 800)
    cycle = rng.exponential(40, 800)
    ended = begun + cycle < 91
    table = pd.DataFrame(
        {
            "segment": "all", "route": np.where(np.arange(800) % 2 == 0, "direct", "partner"),
            "won": rng.random(800) < 0.4, "amount_usd": 1000.0,
            "created_day": begun, "closed_day": begun + cycle, "cycle_weeks": cycle / 7,
            "age_weeks": np.where(ended, np.nan, (91 - begun) / 7),
        }
    )  # fmt: skip
    cells, _ = fit_cells(table[ended], table, DealPeriod(1, 0, 0, 90, open_deals_shown=True), "x")
    naive = table[ended]["cycle_weeks"].mean()
    # What can be known: the mean of the cycles that end within the longest one seen, 13 weeks.
    known = table[table["cycle_weeks"] <= table[ended]["cycle_weeks"].max()]["cycle_weeks"].mean()
    assert naive < 0.8 * known
    assert all(cell.cycle_weeks.low < known < cell.cycle_weeks.high for cell in cells)


def period_of(closed: list[str], folder: Path) -> DealPeriod:
    """The period of an export of closed deals, half of them a partner's, half won."""
    deals = len(closed)
    table = pd.DataFrame(
        {
            "Opportunity ID": [f"S{i}" for i in range(deals)],
            "Segment": "s0",
            "Partner Account": ["Pine", ""] * (deals // 2),
            "Amount": 10_000,
            "Created Date": "2016-12-05",
            "Close Date": closed,
            "Stage": ["Closed Won", "Closed Won", "Closed Lost", "Closed Lost"] * (deals // 4),
        }
    )
    table.to_csv(folder / "export.csv", index=False)
    mapping = make_mapping({**MAPPING, "stage": None, "stages": {}})
    return DealPeriod.of(read_deals(folder / "export.csv", mapping), mapping)


@pytest.mark.parametrize("stray", ["2017-03-01", "2026-06-01"])
def test_one_stray_year_does_not_stretch_the_period(stray: str, tmp_path: Path) -> None:
    days = pd.date_range("2024-01-08", periods=60, freq="6D").strftime("%Y-%m-%d").tolist()
    usual, strayed = (period_of([*days[:-1], last], tmp_path).quarters for last in (days[-1], stray))
    assert strayed == pytest.approx(usual, abs=0.2)


def test_closings_of_a_few_days_give_no_rate(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="closed within less than 6 weeks"):
        period_of([f"2024-02-{1 + i % 9:02d}" for i in range(40)], tmp_path)
