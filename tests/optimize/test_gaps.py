"""Gap analysis: coverage is that of the ledgers, and a remedy's price that of two plans compared on the same markets.

Claims: the shares of a segment sum to 1; prospecting lowers leakage; a candidate that never signs costs hours; there is
nobody to develop without partners; developing a deceiver is worth less than developing a believer; an hour of
prospecting does not draw all spare time with it; remedies are chosen in other markets than they are priced in; every
partner has one treatment; any territory has a gap analysis.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from nexthour.report import gaps as telling_gap
from nexthour.terminal.gap import print_gaps
from nexthour.terminal.main import app
from optimize import Effort
from optimize.coverage import gaps
from optimize.coverage.gaps import Coverage, GapAnalysis, Remedy, gap_analysis, map_market
from optimize.coverage.remedies import Ground, prospecting_option
from optimize.coverage.treatment import treatments
from optimize.search.evaluate import Purpose
from sim import PlanError, Scenario, TimePlan, compare, draw_market, save_scenario, simulate
from sim.kpis import coverage_by_segment
from sim.study.estimates import mean
from tests.helpers import candidate, partner, plan_of, segment, territory, two_segments
from tests.strategies import plans, scenarios

pytestmark = pytest.mark.generated

SEED = 11
LABELS = ("achiever", "believer", "deceiver")


def small(**changes: Any) -> Scenario:
    """Two segments, and more in both than the manager has time for; and a candidate."""
    return two_segments(**{"candidates": [candidate("Cypress", base_share={"large": 0.2})], **changes})


def analysis_of(scenario: Scenario, plan: TimePlan | None = None, seed: int = SEED) -> GapAnalysis:
    return gap_analysis(scenario, plan, seed, effort=Effort.quick)


@pytest.fixture(scope="module")
def found() -> GapAnalysis:
    return analysis_of(small())


def remedy(analysis: GapAnalysis, kind: str, name: str = "large") -> Remedy:
    (row,) = (row for row in analysis.segments if row.segment == name)
    (one,) = (one for one in row.remedies if one.kind == kind)
    return one


def gain(one: Remedy) -> Any:
    assert one.gain_usd is not None, one.why_not
    return one.gain_usd


# Coverage


def test_coverage_is_that_of_the_reference_engines_ledgers(found: GapAnalysis) -> None:
    scenario, counts = found.scenario, []
    for replication in range(Effort.quick.coverage_markets):
        market = draw_market(scenario, SEED, replication)
        counts.append(coverage_by_segment(simulate(scenario, found.plan, market)))
    for s, row in enumerate(found.segments):
        total = np.array([sum(count[kind][s] for kind in count) for count in counts])
        assert row.today is not None and row.opportunities == mean(total)
        leaked = np.array([count["leaked"][s] for count in counts])
        for mine, kind in ((row.today.found, "found"), (row.today.brought, "registered")):
            assert mine.value == pytest.approx(np.mean([count[kind][s] for count in counts] / total))
        assert row.gap_usd.value == pytest.approx(leaked.mean() * row.value_usd)


def test_the_shares_of_a_segment_sum_to_one(found: GapAnalysis) -> None:
    analysis = analysis_of(small(), TimePlan.constant(small(), 0.3, focus="believers"))
    for row in analysis.segments:
        for which in (row.today, row.planned, row.reachable):
            assert which is not None
            assert which.found.value + which.brought.value + which.leaked.value == pytest.approx(1)
            assert which.seen.low <= which.seen.value <= which.seen.high
    assert all(row.planned is None for row in found.segments)


def test_a_plan_with_more_development_has_partners_bring_more_and_the_ceiling_is_higher() -> None:
    scenario = small()
    analysis = analysis_of(scenario, TimePlan.constant(scenario, 0.2, {"joint_plan": 1.0}, "believers"))
    for row in analysis.segments:
        assert row.today and row.planned and row.reachable
        assert row.today.brought.high < row.planned.brought.low
        assert row.planned.brought.high < row.reachable.brought.low


def test_at_the_ceiling_partners_bring_what_engagement_allows() -> None:
    """Own ceilings go before those of the kind; a candidate is as if signed, a parked one as if carried."""
    own = {"engagement_ceiling": 0.64, "engagement_start": 0.1, "engagement_alone": 0.1}
    scenario = small(
        partners=[partner("Pine", base_share={"large": 0.5}), partner("Thorn", base_share={"small": 1.0}, traits=own)],
        candidates=[candidate("Cypress", base_share={"large": 0.5}, sign_probability=0.0)],
    )
    parked = plan_of(scenario, ("sell", None, 30.0), parked=[{"partner": "Thorn"}])
    large, small_one = analysis_of(scenario, parked).segments
    assert large.reachable and small_one.reachable
    # All but the week or two in which Cypress signs; engagement .9 and .64, exponent .5.
    assert large.reachable.brought.value == pytest.approx(0.9**0.5, abs=0.03)
    assert small_one.reachable.brought.value == pytest.approx(0.8, abs=0.02)


# Remedies


def test_a_gain_is_that_of_an_independent_comparison(found: GapAnalysis) -> None:
    compared = 0
    for row in found.segments:
        for one in row.remedies:
            if one.gain_usd is None:
                continue
            assert one.plan is not None and one.scenario is not None
            named = {"base": found.plan, "with it": one.plan}
            again = compare(one.scenario, named, Effort.quick.remedy_markets, SEED + Purpose.PRICING)["with it"]
            assert one.gain_usd.value == pytest.approx(again.difference_usd.value)
            assert one.gain_usd.low == pytest.approx(again.difference_usd.low)
            assert one.payback_quarter == again.payback_quarter and one.verdict == again.verdict
            if one.gain_per_hour_usd is not None:
                hours = one.manager_hours or one.account_manager_hours
                assert one.gain_per_hour_usd.value * hours == pytest.approx(one.gain_usd.value)
            compared += 1
    assert compared == 9  # one candidate, with accounts in one of two segments


def test_remedies_keep_the_plans_discipline_and_parking() -> None:
    scenario = small()
    plan = plan_of(scenario, ("sell", None, 25.0), ("coach", "Pine", 5.0), discipline=0.4,
                   parked=[{"partner": "Thorn", "from_quarter": 3}])  # fmt: skip
    analysis = analysis_of(scenario, plan)
    tables = [
        one.plan.table(one.scenario)
        for row in analysis.segments
        for one in row.remedies
        if one.plan is not None and one.scenario is not None
    ]
    assert tables
    for table in tables:
        assert table.discipline == 0.4 and (table.parked[:, 1] == (np.arange(6) >= 2)).all()


def test_leakage_falls_with_prospecting(found: GapAnalysis) -> None:
    for row in found.segments:
        change = remedy(found, "direct", row.segment).seen_change
        assert change is not None and change.low > 0


def test_prospecting_does_not_draw_all_spare_time_with_it() -> None:
    scenario = small()
    selling = plan_of(scenario, ("sell", None, 30.0)).table(scenario)
    ground = Ground(
        problem=Ground.of(scenario, TimePlan.status_quo(scenario), 10, SEED).problem,
        base=selling,
        spare_hours=np.full(6, 9.0),
        spare_shares=np.array([0.5, 0.5]),
    )
    option = prospecting_option(ground, 0)
    assert option is not None and option.manager_hours == pytest.approx(6 * 13)
    assert option.table.prospect == pytest.approx(np.tile([0.55, 0.45], (6, 1)), abs=1e-5)
    planned = replace(ground, base=replace(selling, sell=selling.sell - 1, prospect=np.tile([0.0, 1.0], (6, 1))))
    again = prospecting_option(planned, 0)
    assert again is not None
    assert again.table.prospect == pytest.approx(np.tile([2 / 11, 20 / 11], (6, 1)), abs=1e-5)


def test_the_spare_hours_and_shares_are_those_of_the_simulation() -> None:
    scenario = small(partners=[partner("Pine", base_share={"large": 0.5})], candidates=[])
    led, first = (
        Ground.of(scenario, plan_of(scenario, ("sell", None, 30.0), coverage_mode={"large": mode}), 10, SEED)
        for mode in ("partner_led", "direct_first")
    )
    value = first.problem.value_usd * (12, 50)
    assert first.spare_shares[0] == pytest.approx(value[0] / value.sum(), abs=0.03)
    assert led.spare_shares[0] == pytest.approx(0.5 * value[0] / (0.5 * value[0] + value[1]), abs=0.03)
    assert (led.spare_hours > 0).all() and (led.spare_hours < 30).all()


def test_a_candidate_that_never_signs_costs_hours_and_gains_nothing() -> None:
    sure, never = (
        remedy(analysis_of(small(candidates=[cypress])), "recruit")
        for cypress in (
            candidate("Cypress", base_share={"large": 0.2}, recruiting_hours=150.0, sign_probability=signs)
            for signs in (1.0, 0.0)
        )
    )
    assert never.manager_hours >= 150 and gain(never).high < 0 and never.payback_quarter is None
    assert sure.seen_change is not None and never.seen_change is not None
    assert sure.seen_change.low > 0 > never.seen_change.high


def test_recruiting_takes_as_many_quarters_as_selling_has_hours_for() -> None:
    scenario = small(candidates=[candidate("Cypress", base_share={"large": 0.2}, recruiting_hours=70.0)])
    plan = plan_of(scenario, ("sell", None, 4.0), ("prospect", "large", 26.0))
    one = remedy(analysis_of(scenario, plan), "recruit")
    assert one.plan is not None and one.whom == ("Cypress",)
    given = one.plan.table(scenario).partner[:, 5, 2]
    assert given[0] == 4.0 and given[1] >= (70 - 4 * 12) / 12 and not given[2:].any()
    tight = plan_of(scenario, ("sell", None, 0.5), ("prospect", "large", 29.5))
    assert remedy(analysis_of(scenario, tight), "recruit").why_not == "selling has too few hours for it"
    already = plan_of(scenario, ("sell", None, 20.0), ("recruit", "Cypress", 6.0))
    assert remedy(analysis_of(scenario, already), "recruit").why_not == "already in the plan"


def test_recruiting_spares_the_weeks_off() -> None:
    off = list(range(1, 11))
    scenario = small(calendar={"weeks_off": off}, candidates=[candidate("Cypress", base_share={"large": 0.2})])
    one = remedy(analysis_of(scenario), "recruit")
    assert one.plan is not None
    assert one.plan.table(scenario).partner[0, 5, 2] == pytest.approx(4.0)  # eight hours in three weeks, one to spare
    assert remedy(analysis_of(scenario), "direct").manager_hours == pytest.approx(6 * 13 - 20)


def test_without_partners_there_is_nobody_to_develop() -> None:
    analysis = analysis_of(small(partners=[], candidates=[]))
    for row in analysis.segments:
        by_kind = {one.kind: one for one in row.remedies}
        for kind in ("develop", "account_manager", "coverage_mode"):
            assert by_kind[kind].why_not == "no partner that is carried has accounts here"
            assert by_kind[kind].gain_usd is None and by_kind[kind].plan is None
        assert by_kind["recruit"].why_not == "no candidate has accounts here"
        assert by_kind["direct"].gain_usd is not None


def test_hours_that_are_not_there_cannot_be_moved() -> None:
    scenario = small()
    analysis = analysis_of(scenario, plan_of(scenario, ("coach", "Pine", 30.0)))
    assert remedy(analysis, "direct").why_not == remedy(analysis, "develop").why_not == "selling has no hours left"
    assert remedy(analysis, "account_manager").gain_usd is not None


def test_developing_a_deceiver_is_worth_less() -> None:
    believer, deceiver = (
        gain(
            remedy(
                gap_analysis(
                    small(partners=[partner("Pine", label=label, base_share={"large": 0.4, "small": 0.4})]), seed=SEED
                ),
                "develop",
            )
        )
        for label in ("believer", "deceiver")
    )
    assert deceiver.high < believer.low


def test_the_partner_that_pays_best_is_chosen_and_parked_ones_are_not(found: GapAnalysis) -> None:
    assert remedy(found, "develop").whom == ("Pine",)
    scenario = small()
    parked = plan_of(scenario, ("sell", None, 30.0), parked=[{"partner": "Pine"}])
    analysis = analysis_of(scenario, parked)
    assert remedy(analysis, "develop").whom == ("Thorn",) == remedy(analysis, "account_manager").whom


def test_an_account_manager_comes_on_top() -> None:
    for cam, hours in ((None, 5.0), ({"hours_per_week": 8, "factor": 1.0}, 13.0)):
        scenario = small(channel_account_manager=cam)
        analysis = analysis_of(scenario)
        one = remedy(analysis, "account_manager")
        assert one.scenario is not None and one.plan is not None
        here, table = one.scenario.channel_account_manager, one.plan.table(one.scenario)
        assert here is not None and here.hours_per_week == hours and here.factor == (1.0 if cam else 0.8)
        assert table.channel_account_manager.sum(axis=(1, 2)) == pytest.approx(hours)
        assert table.sell == pytest.approx(analysis.plan.table(scenario).sell)
        assert one.account_manager_hours == pytest.approx(5 * 13 * 6) and one.manager_hours == 0


def test_remedies_are_not_chosen_where_they_are_priced(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: dict[int, set[int]] = {}
    really = gaps.table_bookings

    def noted(scenario: Scenario, tables: Any, markets: range, seed: int) -> Any:
        seeds.setdefault(len(markets), set()).add(seed)
        return really(scenario, tables, markets, seed)

    monkeypatch.setattr(gaps, "table_bookings", noted)
    analysis_of(small(), seed=2**63 - 1)
    assert seeds.keys() == {Effort.quick.remedy_markets, Effort.quick.screening_markets}
    assert not seeds[Effort.quick.remedy_markets] & seeds[Effort.quick.screening_markets]


def test_many_tables_are_tried_in_parts_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = analysis_of(small()).as_dict()
    monkeypatch.setattr(gaps, "TABLES_AT_A_TIME", 2)
    assert analysis_of(small()).as_dict() == whole


def test_those_that_gain_come_first(found: GapAnalysis) -> None:
    order = {"ahead": 0, "no clear difference": 1, "behind": 2}
    for row in found.segments:
        groups = [order.get(one.verdict, 3) for one in row.remedies]
        assert groups == sorted(groups)
        assert {one.kind for one in row.remedies} == set(gaps.REMEDY_WORDS)
    assert remedy(found, "recruit", "small").why_not == "no candidate has accounts here"


# Treatment


def test_every_partner_has_one_treatment_in_words() -> None:
    scenario = small(
        partners=[partner(f"{label} {i}", label=label, base_share={"large": 0.1}) for label in LABELS for i in (1, 2)],
        candidates=[candidate("Cypress", base_share={"large": 0.2}), candidate("Yew", base_share={"small": 0.2})],
    )
    plan = plan_of(
        scenario,
        ("sell", None, 10.0), ("coach", "believer 1", 1.5, 1, 4), ("joint_plan", "believer 1", 1.0, 1, 4),
        ("coach", "deceiver 1", 0.5, 1, 2), ("co_sell", "believer 2", 0.2, 2, 2), ("recruit", "Cypress", 3.0, 1, 1),
        ("joint_plan", "Cypress", 1.0, 3, 6),
        parked=[{"partner": "deceiver 1", "from_quarter": 3}, {"partner": "deceiver 2"},
                {"partner": "achiever 1", "from_quarter": 2, "to_quarter": 3}],
    )  # fmt: skip
    rows = treatments(scenario, plan, SEED, Effort.quick)
    assert [one.partner for one in rows] == scenario.partner_names
    said = {one.partner: one.says.split(": ", 1)[1] for one in rows}
    assert said == {
        "achiever 1": "Limit. Parked Q2-Q3.",
        "achiever 2": "Maintain. Carried, without planned hours.",
        "believer 1": "Develop. Coaching 1.5 h and joint planning 1 h a week in Q1-Q4, then left to sell.",
        "believer 2": "Maintain. Co-selling 0.2 h a week in Q2, then left to sell.",
        "deceiver 1": "Develop. Coaching 0.5 h a week in Q1-Q2, parked Q3-Q6.",
        "deceiver 2": "Limit. Parked throughout.",
        "Cypress": "Recruit. Recruiting 3 h a week in Q1, joint planning 1 h a week in Q3-Q6.",
        "Yew": "Leave. Not recruited.",
    }
    assert [one.usual for one in rows] == ["Maintain"] * 2 + ["Develop"] * 2 + ["Limit"] * 2 + [None] * 2


def test_results_are_shares_of_the_credit_today_and_commitment_is_what_is_brought() -> None:
    scenario = small(candidates=[])
    pine, thorn = treatments(scenario, TimePlan.status_quo(scenario), SEED, Effort.quick)
    today = compare(scenario, {"today": TimePlan.status_quo(scenario)}, Effort.quick.results_markets, SEED)["today"]
    assert pine.results.value + thorn.results.value == pytest.approx(today.partner_share_of_credit)
    assert pine.commitment == pytest.approx(0.4**0.5) and thorn.commitment == pytest.approx(0.3**0.5)
    assert (pine.high_results, pine.high_commitment) == (True, True)
    assert (thorn.high_results, thorn.high_commitment) == (False, False)


def test_what_speaks_against_the_usual_treatment_is_said() -> None:
    scenario = small(
        partners=[
            partner("Pine", base_share={"large": 0.02}, margin=0.2),
            partner("Oak", base_share={"large": 0.4}, margin=0.6),
            partner("Thorn", label="deceiver", base_share={"large": 0.2}, margin=0.2),
        ]
    )
    plan = plan_of(scenario, ("sell", None, 10.0), ("coach", "Thorn", 1.0), parked=[{"partner": "Oak"}])
    pine, oak, thorn, _ = treatments(scenario, plan, SEED, Effort.quick)
    assert "less than an average partner's" in pine.reason and "bookings" not in pine.reason
    assert oak.reason == "40% of its bookings count, 67% on average"
    assert thorn.reason == "80% of its bookings count, 67% on average"


# The terminal


def run(*words: str) -> Any:
    return CliRunner().invoke(app, list(words), prog_name="nexthour", env={"COLUMNS": "80"})


def test_gap_prints_and_gives_json(tmp_path: Path, found: GapAnalysis) -> None:
    path, plan_path = tmp_path / "small.yaml", tmp_path / "plan.yaml"
    save_scenario(small(question="", name="small [red]territory[/red]"), path)
    TimePlan.constant(small(), 0.2, focus="believers", name="more time").save(plan_path)
    for words in ([], ["--plan", str(plan_path)]):
        shown = run("gap", str(path), "--seed", "3", "--effort", "quick", *words)
        assert shown.exit_code == 0, shown.output
        text = shown.output
        assert text.startswith("small [red]territory[/red]")
        assert "The largest gap is" in text and "95% interval" in text and "not possible: recruit" in text
        assert ("the plan" in text) == bool(words) == ("The plan: more time." in text)
        for word in ("achiever", "believer", "deceiver", "socialise"):
            assert word not in text.lower()
        assert all(len(line) <= 80 for line in text.splitlines() if not line.startswith("  nexthour gap"))
        assert f"nexthour gap {path}" in text and "--effort quick --seed 3" in text
    save_scenario(small(), path)
    data = json.loads(run("gap", str(path), "--seed", str(SEED), "--effort", "quick", "--json").output)
    assert data["scenario"] == "test territory" and data["seed"] == SEED
    segment_row = data["segments"][0]
    assert segment_row["today"]["leaked"]["value"] == found.segments[0].today.leaked.value  # type: ignore[union-attr]
    assert [one["verdict"] for one in segment_row["remedies"]] == [one.verdict for one in found.segments[0].remedies]
    assert [one["partner"] for one in data["treatments"]] == ["Pine", "Thorn", "Cypress"]


def test_a_wrong_word_is_one_sentence(tmp_path: Path) -> None:
    path, plan_path = tmp_path / "small.yaml", tmp_path / "plan.yaml"
    save_scenario(small(), path)
    plan_of(small(), ("coach", "Thorn", 1.0)).save(plan_path)
    other = tmp_path / "other.yaml"
    save_scenario(small(partners=[]), other)
    for words, said in (
        (["gap", str(tmp_path / "none.yaml")], "none.yaml"),
        (["gap", str(path), "--plan", str(tmp_path / "none.yaml")], "none.yaml"),
        (["gap", str(other), "--plan", str(plan_path)], "unknown partner 'Thorn'"),
        (["gap", str(path), "--seed", "-1"], "seed"),
    ):
        shown = run(*words)
        assert shown.exit_code == 1 and said in shown.stderr and shown.stdout == ""
        assert len(shown.stderr.strip().splitlines()) == 1 and "Traceback" not in shown.stderr


def test_what_is_no_plan_is_an_error() -> None:
    for call in (gap_analysis, treatments):
        with pytest.raises(PlanError, match="allowed: a TimePlan"):
            call(small(), "plan")  # type: ignore[operator]


# Any territory


@settings(max_examples=int(os.environ.get("EXAMPLES", "12")), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_territory_has_a_gap_analysis(data: st.DataObject) -> None:
    scenario = data.draw(scenarios())
    plan = data.draw(st.one_of(st.none(), plans(scenario)))
    few = Effort(remedy_markets=4, screening_markets=4, coverage_markets=4, spare_markets=4, results_markets=4)
    analysis = gap_analysis(scenario, plan, SEED, effort=few)
    words = treatments(scenario, analysis.plan, SEED, few)
    assert [row.segment for row in analysis.segments] == scenario.segment_names
    assert [one.partner for one in words] == scenario.partner_names
    for row in analysis.segments:
        for which in (row.today, row.planned, row.reachable):
            if isinstance(which, Coverage):
                assert which.found.value + which.brought.value + which.leaked.value == pytest.approx(1)
        for one in row.remedies:
            assert bool(one.why_not) == (one.gain_usd is None)
            if one.plan is not None and one.scenario is not None:
                one.plan.table(one.scenario)
    json.dumps([analysis.as_dict(), [one.as_dict() for one in words]], allow_nan=False)
    print_gaps(analysis, words)


def test_where_nothing_is_left_out_no_gap_is_told() -> None:
    seen = territory(market_map=[segment(inbound_share=1.0)])
    assert telling_gap.largest_gap(map_market(seen)) == "There is no gap: somebody sees every opportunity today."
