"""What happened so far: what was seen is told from what cannot have been, and markets like it are like it.

Claims: figures are those of the ledger; a band holds 80 of 100 markets; what lies outside is named, leading first; a
market is nearest to its own past; kept markets are those of the pool; and what is still to come is told better in kept
markets than in all. How much better is printed (pytest -s).
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from optimize import Effort, optimize_plan
from optimize.replan import actuals as module
from optimize.replan.actuals import (
    KNOWN,
    KPI_BY_NAME,
    KPI_BY_PARTNER,
    Actuals,
    Deviation,
    Figure,
    band,
    find_deviations,
)
from optimize.replan.matching import markets_like, most_like, partner_kinds, past_and_coming, slopes
from sim import PlanError, Scenario, SimulationError, TimePlan, draw_market, kpis, load_scenario, replicate, simulate
from sim.kpis import Tally
from sim.ledger import PARTNER_WON, TICKS_PER_QUARTER, Kind
from sim.market import draw_tapes
from sim.study.batches import table_bookings, table_values
from sim.study.experiment import keep_tapes
from sim.tape import tape_numbers
from tests import ROOT
from tests.helpers import partner, segment, stage, territory
from tests.strategies import scenarios

pytestmark = pytest.mark.generated

POOL, KEPT, TRUE, PAST = 4000, 200, 300, 4
"""Markets of the pool, those kept of it, true markets outside of it, and quarters that are past."""


def slow(**changes: Any) -> Scenario:
    """Deals of twenty weeks and more, three partners whose labels are right in three of five, eight quarters."""
    stages = [stage(mean_hours=2.0, advance_probability=0.8, buyer_lag_weeks=5.0, patience_weeks=6.0)] * 4
    market = segment(opportunities_per_quarter=12, deal_size_median_usd=50_000, deal_size_sigma=0.7, inbound_share=0.2,
                     prospecting_yield=0.3, stages=stages)  # fmt: skip
    known = {
        "horizon_quarters": 8,
        "quota": {"first_quarter_usd": 150_000.0},
        "market_map": [market],
        "partners": [
            partner(name, label=label, base_share={"only": 0.2})
            for name, label in (("Pine", "believer"), ("Thorn", "deceiver"), ("Oak", "achiever"))
        ],
        "status_quo": {"name": "today", "partner_share": 0.15},
        "assumptions": {"label_accuracy": 0.6},
    }
    return territory(**{**known, **changes})


SLOW = slow()
TODAY = TimePlan.status_quo(SLOW)


def ledger_of(replication: int) -> Any:
    return simulate(SLOW, TODAY, draw_market(SLOW, 7, replication))


def seen_in(replication: int, quarters: int = PAST) -> dict[str, Any]:
    """All that a manager could write down in a market, as plain data."""
    tally = Tally.of(ledger_of(replication))
    tables = KPI_BY_NAME, KPI_BY_PARTNER
    own, each = ({name: kpi.of(tally).tolist() for name, kpi in table.items()} for table in tables)

    def number(unit: str, value: float) -> float:
        return int(value) if unit in ("deals", "partners") else value

    by_quarter = [
        {
            "quarter": q + 1,
            **{n: number(KPI_BY_NAME[n].unit, own[n][q]) for n in KNOWN if n not in ("skill", "engagement")},
            "partners": {
                name: {n: number(KPI_BY_PARTNER[n].unit, each[n][q][p]) for n in each}
                for p, name in enumerate(SLOW.partner_names)
            },
        }
        for q in range(quarters)
    ]
    return {
        "by_quarter": by_quarter,
        "open_pipeline_usd": own["pipeline_coverage"][quarters] * SLOW.quota_usd()[quarters],
    }


# What was seen


def test_the_file_of_the_document_can_be_loaded_and_saved(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "replan.md").read_text(encoding="utf-8"), re.DOTALL)
    path = tmp_path / "actuals.yaml"
    path.write_text(shown, encoding="utf-8")
    actuals, scenario = Actuals.load(path), load_scenario(ROOT / "scenarios" / "baseline.yaml")
    seen = actuals.figures(scenario)
    assert actuals.quarters == 2 and seen[Figure(2, "registered_deals", "Birch IT")] == 2
    assert seen[Figure(3, "pipeline_coverage")] == pytest.approx(1_950_000 / scenario.quota_usd()[2])
    actuals.save(tmp_path / "again.yaml")
    assert Actuals.load(tmp_path / "again.yaml") == actuals and (tmp_path / "actuals.schema.json").exists()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"by_quarter": []}, "by_quarter is empty"),
        ({"by_quarter": [{"quarter": 2, "conflicts": 1}]}, "quarter 2 without quarter 1; add it"),
        ({"by_quarter": [{"quarter": 1}, {"quarter": 1}]}, "has quarter 1 twice"),
        ({"by_quarter": [{"quarter": 1, "registred_deals": 3}]}, "did you mean registered_deals?"),
        ({"by_quarter": [{"quarter": 1, "partners": {"Pine": {"won": 3}}}]}, "did you mean won_usd?"),
        ({"by_quarter": [{"quarter": 1, "partner_wins": -1}]}, "partner_wins is -1; allowed: a whole number from 0"),
        ({"by_quarter": [{"quarter": 1, "skill": 30}]}, "skill is 30; allowed: a number from 0 to 1"),
        ({"by_quarter": [{"quarter": 1}]}, "no figure is given; give one or more of open_pipeline_usd, credit_usd"),
        ({"by_quarter": [{"quarter": 1, "partners": {"Pina": {"won_usd": 3}}}]}, "partner 'Pina'; did you mean Pine?"),
        ({"by_quarter": [{"quarter": q} for q in range(1, 9)]}, "8 quarters are past, and the horizon has 8"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PlanError) as caught:
        markets_like(SLOW, TODAY, Actuals.of(given))
    assert sentence in str(caught.value) and "\n" not in str(caught.value) and "more problem" not in str(caught.value)


def test_a_whole_horizon_can_be_held_against_the_plan_but_not_planned_again() -> None:
    rows = [{"quarter": q, "direct_wins": 10**4 if q == 8 else None} for q in range(1, 9)]
    whole = Actuals.of({"by_quarter": rows, "open_pipeline_usd": 1e6})
    assert whole.figures(SLOW) == {Figure(8, "direct_wins"): 10**4}
    (found,) = find_deviations(SLOW, TODAY, whole)
    assert found.figure.quarter == 8 and found.actual > found.high
    with pytest.raises(PlanError, match="allowed: at most 7, so that there is a quarter to plan"):
        optimize_plan(SLOW, followed=TODAY, actuals=whole)
    with pytest.raises(PlanError, match="9 quarters are past, and the horizon has 8; allowed: at most 8"):
        Actuals.of({"by_quarter": [*rows, {"quarter": 9, "direct_wins": 1}]}).figures(SLOW)


def test_figures_are_those_of_the_ledger() -> None:
    records = ledger_of(3).records
    records = records[records["tick"] >= 0]
    quarter = records["tick"] // TICKS_PER_QUARTER + 1
    figures = [Figure(2, "registered_deals", "Thorn"), Figure(4, "won_usd", "Oak"), Figure(3, "direct_wins")]
    past, coming = past_and_coming(SLOW, TODAY, figures, PAST, range(5), 7)
    registered = (records["kind"] == Kind.REGISTERED) & (records["partner"] == 1) & (quarter == 2)
    won = np.isin(records["kind"], PARTNER_WON)
    direct = records["kind"] == Kind.WON_DIRECT
    usd = records["amount_usd"]
    assert past[3].tolist() == [
        registered.sum(),
        usd[won & (records["partner"] == 2) & (quarter == 4)].sum(),
        (direct & (quarter == 3)).sum(),
    ]
    each = [usd[won & (records["partner"] == p) & (quarter > PAST)].sum() for p in range(3)]
    assert coming[3].tolist() == [usd[direct & (quarter == 5)].sum(), usd[direct & (quarter > 5)].sum(), *each]
    assert registered.any() and sum(each) > 0


# Bands and deviations


def test_a_band_holds_eighty_of_a_hundred_markets() -> None:
    outcomes = replicate(SLOW, TODAY, Effort.normal.band_markets)
    for name in ("credit_usd", "registered_deals", "engagement"):
        values = outcomes[name][:, 1]
        low, high = band(values)
        assert (values < low).mean() <= 0.1 and (values > high).mean() <= 0.1
        assert (values <= low).mean() >= 0.1 and (values >= high).mean() >= 0.1


def test_what_lies_outside_is_named_and_leading_figures_come_first() -> None:
    outcomes = replicate(SLOW, TODAY, Effort.normal.band_markets)
    (_, credit_high), (registered_low, registered_high), (cold_low, _) = (
        band(outcomes[name][:, quarter - 1])
        for name, quarter in (("credit_usd", 1), ("registered_deals", 2), ("gone_cold", 1))
    )
    given = [
        {
            "quarter": 1,
            "credit_usd": credit_high + 1,
            "gone_cold": int(cold_low),
            "direct_wins": 99,
        },
        {"quarter": 2, "registered_deals": int(registered_high) + 3, "partners": {"Oak": {"registered_deals": 99}}},
    ]
    found = find_deviations(SLOW, TODAY, Actuals.of({"by_quarter": given}))
    assert [(one.figure, one.figure.when) for one in found] == [
        (Figure(2, "registered_deals", "Oak"), "leading"),
        (Figure(2, "registered_deals"), "leading"),
        (Figure(1, "direct_wins"), "lagging"),
        (Figure(1, "credit_usd"), "lagging"),
    ]
    assert found[2].surprise < found[1].surprise
    assert found[0].surprise == pytest.approx(2 / (1 + Effort.normal.band_markets)) and 0.15 < found[3].surprise < 0.21
    assert found[1].says == (
        f"Q2 registered deals {registered_high + 3:.0f}: the plan has {registered_low:.0f} to {registered_high:.0f} "
        "in 80 of 100 markets"
    )
    assert found[0].says.startswith("Q2 Oak, registered deals 99: the plan has ")
    assert found[3].says.startswith(f"Q1 quota credit ${credit_high + 1:,.0f}: the plan has $")


def test_the_surprise_is_the_share_of_markets_as_far_out() -> None:
    values = np.arange(99.0)
    assert module._surprise(values, 0.0) == module._surprise(values, 98.0) == pytest.approx(0.04)
    assert module._surprise(values, 49.0) == 1.0
    assert Deviation(Figure(1, "skill"), 0.9, 0.2, 0.4, 0.1).says.startswith("Q1 partner skill 0.90: the plan has 0.20")


# Markets like what happened


@pytest.mark.parametrize("replication", [17, 41])
def test_a_market_is_nearest_to_its_own_past(replication: int) -> None:
    match = markets_like(SLOW, TODAY, Actuals.of(seen_in(replication)), 1, pool=100)
    assert match.tapes.batches[0].replications.tolist() == [replication]
    assert match.median_distance == pytest.approx(0, abs=1e-9) and match.pool_distance > 0.5


def test_kept_markets_are_those_of_the_pool() -> None:
    match = markets_like(SLOW, TODAY, Actuals.of(seen_in(200)), 30, pool=100)
    numbers = np.concatenate([batch.replications for batch in match.tapes.batches])
    assert len(numbers) == 30 == match.tapes.replications and (np.diff(numbers) > 0).all() and numbers[-1] < 100
    assert match.tapes.replications == 0.3 * match.pool and match.median_distance < match.pool_distance
    table = TODAY.table(SLOW)
    kept, pool = table_bookings(SLOW, [table], match.tapes, 7), table_bookings(SLOW, [table], range(100), 7)
    assert (kept.direct == pool.direct[:, numbers]).all() and (kept.partner == pool.partner[:, numbers]).all()
    assert (
        replicate(SLOW, TODAY, 30, tapes=match.tapes).credit_usd == replicate(SLOW, TODAY, 100).credit_usd[numbers]
    ).all()
    with pytest.raises(SimulationError, match="another territory"):
        table_bookings(SLOW, [table], match.tapes, 8)


def test_the_pool_is_at_least_what_is_wanted() -> None:
    actuals = Actuals.of({"by_quarter": [{"quarter": 1, "registered_deals": 3}]})
    with pytest.raises(SimulationError, match="pool is 20; allowed: a whole number from 30"):
        markets_like(SLOW, TODAY, actuals, 30, pool=20)


def test_what_cannot_have_been_is_said() -> None:
    given = seen_in(200, 2)
    as_it_was = markets_like(SLOW, TODAY, Actuals.of(given), 50, pool=1000)
    assert not as_it_was.outside and as_it_was.says.startswith("of 1,000 markets the 50 most like what happened")
    given["by_quarter"][1]["registered_deals"] *= 10
    wrong = markets_like(SLOW, TODAY, Actuals.of(given), 50, pool=1000)
    assert wrong.outside and len(wrong.farthest) == 1 and len(as_it_was.farthest) == 3
    assert wrong.says.startswith("what happened is outside what the scenario thinks possible: Q2 registered deals ")
    assert wrong.says.endswith("check the numbers or calibrate again")


def test_figures_that_never_vary_and_partners_that_are_not_there_do_no_harm() -> None:
    alone = slow(partners=[], status_quo={"name": "today", "partner_share": 0.0})
    given = {"by_quarter": [{"quarter": 1, "partner_wins": 0, "conflicts": 2, "direct_wins": 3}]}
    match = markets_like(alone, TimePlan.status_quo(alone), Actuals.of(given), 20, pool=100)
    assert match.tapes.replications == 20 and np.isfinite(match.median_distance)
    assert partner_kinds(match.tapes).shape == (0, 3)


def test_what_is_to_come_is_told_better_in_markets_like_the_past() -> None:
    """True markets outside of the pool: their own quarters 5 to 8 against the mean of the kept, and of all."""
    figures = list(Actuals.of(seen_in(0)).figures(SLOW))
    past, coming = past_and_coming(SLOW, TODAY, figures, PAST, range(POOL + TRUE), 7)
    pool, true = slice(POOL), slice(POOL, POOL + TRUE)
    by = slopes(past[pool], coming[pool])
    kept = [most_like(past[pool], by, actual, KEPT) for actual in past[true]]

    def error_left(values: np.ndarray[Any, Any]) -> float:
        """Mean squared error of the kept markets' mean over that of all; `values` (markets, ...)."""
        means = np.array([values[markets].mean(axis=0) for markets in kept])
        return float(np.square(means - values[true]).sum() / np.square(values[pool].mean(axis=0) - values[true]).sum())

    def later(tally: Tally) -> np.ndarray[Any, Any]:
        each = kpis.bookings_by_partner(tally)[..., PAST:, :].sum(axis=-2)
        skill = KPI_BY_NAME["skill"].of(tally)[..., PAST - 1 : PAST]
        return np.concatenate([skill, each, kpis.credit_usd(tally)[..., PAST:]], axis=-1)

    values = table_values(SLOW, [TODAY.table(SLOW)], range(POOL + TRUE), 7, later)[0]
    skill, partners, credit = values[:, 0], values[:, 1:4], values[:, 4:]
    kinds = draw_tapes(tape_numbers(SLOW, 7), range(POOL + TRUE)).partner_luck["true_segment"]
    prior = np.mean(kinds[pool, None] == kinds[true], axis=(0, 2))
    after = np.array([np.mean(kinds[markets] == truth) for markets, truth in zip(kept, kinds[true], strict=True)])
    print(
        f"\nsquared error left: credit of the next quarter {error_left(credit[:, 0]):.2f}, of the next year "
        f"{error_left(credit.sum(axis=1)):.2f}, by partner {error_left(partners):.2f}, skill {error_left(skill):.2f}; "
        f"share of the true kind {prior.mean():.2f} before, {after.mean():.2f} after"
    )
    # With seeds 7 to 9 and 500 true markets: .69 to .73, .80 to .87, .88 to .89, .52 to .61, and .09 to .10 more.
    assert error_left(credit[:, 0]) < 0.85 and error_left(credit.sum(axis=1)) < 0.95
    assert error_left(partners) < 0.95 and error_left(skill) < 0.75
    assert after.mean() > prior.mean() + 0.05


def test_partner_kinds_are_those_of_the_tapes() -> None:
    tapes = keep_tapes(SLOW, [5, 9, 30, 31], 7)
    true = np.array([draw_market(SLOW, 7, replication).true_segment for replication in (5, 9, 30, 31)])
    assert partner_kinds(tapes) == pytest.approx(np.array([(true == kind).mean(axis=0) for kind in range(3)]).T)


# Any territory


@settings(max_examples=int(os.environ.get("EXAMPLES", "12")), deadline=None, suppress_health_check=list(HealthCheck))
@given(scenarios(), st.integers(1, 3), st.sampled_from([0, 1, 40]))
def test_any_scenario_has_markets_like_anything_that_was_seen(scenario: Scenario, quarters: int, many: int) -> None:
    row = {name: min(many, 1) if name in ("skill", "engagement") else many for name in KNOWN}
    partners = {name: {"registered_deals": many, "won_usd": 1000 * many} for name in scenario.partner_names}
    by_quarter = [{"quarter": q, **row, "partners": partners} for q in range(1, quarters + 1)]
    actuals, plan = Actuals.of({"by_quarter": by_quarter, "open_pipeline_usd": many}), TimePlan.status_quo(scenario)
    match = markets_like(scenario, plan, actuals, 5, pool=25)
    assert (
        match.tapes.replications == 5 and np.isfinite([match.median_distance, match.pool_distance, match.beyond]).all()
    )
    assert "\n" not in match.says and partner_kinds(match.tapes).sum() == pytest.approx(len(partners))
    off = find_deviations(scenario, plan, actuals, effort=Effort(band_markets=25))
    assert all("\n" not in deviation.says for deviation in off)
