"""Claim: a split in words becomes rows whose hours add up to the week, and a plan that cannot be done is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.errors import PlanError
from sim.plan import TimePlan
from sim.scenario import ChannelAccountManager, Scenario, load_scenario
from sim.terms import PARTNER_ACTIVITIES
from tests import BASELINE

COACH, JOINT_PLAN, CO_SELL = (PARTNER_ACTIVITIES.index(a) for a in ("coach", "joint_plan", "co_sell"))
ROW = {"activity": "coach", "target": "Birch IT", "hours_per_week": 2}


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario(BASELINE)


def test_the_hours_add_up_to_the_week(scenario: Scenario) -> None:
    hours = TimePlan.constant(scenario, 0.25, prospect_share=0.1).hours_by_activity(scenario)
    # Support by hand: 1 achiever .3, 4 believers .5, 3 deceivers 1.
    np.testing.assert_allclose(hours["support"], 5.3)
    np.testing.assert_allclose(hours["coach"] + hours["joint_plan"], 0.25 * 26.7)
    np.testing.assert_allclose(hours["prospect"], 0.1 * 26.7)
    np.testing.assert_allclose(hours["sell"], 0.65 * 26.7)
    np.testing.assert_allclose(hours["idle"], 0, atol=1e-9)


@pytest.mark.parametrize(("word", "count"), [("even", 8), ("achievers", 1), ("believers", 4), ("deceiver", 3)])
def test_focus_words(scenario: Scenario, word: str, count: int) -> None:
    each = TimePlan.constant(scenario, 0.2, focus=word).table(scenario).partner[0].sum(axis=0)
    assert (each > 0).sum() == count
    np.testing.assert_allclose(each[each > 0], 0.2 * 26.7 / count)


def test_focus_weights_and_parking(scenario: Scenario) -> None:
    plan = TimePlan.constant(scenario, 0.2, focus={"Birch IT": 3, "Cedar Networks": 1}, park=["Fir Solutions"])
    table = plan.table(scenario)
    np.testing.assert_allclose(table.support, 4.3)
    np.testing.assert_allclose(table.partner[:, COACH, 1], 0.6 * 0.75 * 0.2 * 27.7)
    assert table.parked[:, 5].all() and table.parked.sum() == scenario.horizon_quarters


def test_a_ramp_moves_evenly_and_stays(scenario: Scenario) -> None:
    hours = TimePlan.ramp(scenario, 0.1, 0.3, 5).table(scenario).partner.sum(axis=(1, 2)) / 26.7
    np.testing.assert_allclose(hours[:6], [0.1, 0.15, 0.2, 0.25, 0.3, 0.3])
    np.testing.assert_allclose(hours[5:], 0.3)


def test_the_channel_account_manager_does_what_the_role_can(scenario: Scenario) -> None:
    helped = scenario.variant(channel_account_manager={"hours_per_week": 20})
    plan = TimePlan.constant(helped, 0.2, mix={"coach": 0.5, "co_sell": 0.5}, focus="believers")
    table = plan.table(helped)
    np.testing.assert_allclose(table.channel_account_manager[:, COACH, 1:5], 5)
    assert table.channel_account_manager[:, CO_SELL].sum() == 0
    np.testing.assert_allclose(table.channel_account_manager.sum(axis=(1, 2)), 20)


def test_summary(scenario: Scenario) -> None:
    plan = TimePlan.from_table(scenario, [ROW, {"activity": "sell", "hours_per_week": 20, "from_quarter": 3}], "mine")
    assert plan.summary(scenario).splitlines() == [
        "mine",
        "Q1-Q2, a week: reactive support 5.3 h, coaching 2.0 h, idle 24.7 h. With partners: Birch IT 2.0 h.",
        "Q3-Q12, a week: reactive support 5.3 h, coaching 2.0 h, selling 20.0 h, idle 4.7 h. "
        "With partners: Birch IT 2.0 h.",
    ]


def test_numbers_of_numpy_are_numbers(scenario: Scenario) -> None:
    assert TimePlan.constant(scenario, np.float64(0.2)) == TimePlan.constant(scenario, 0.2)
    assert TimePlan.constant(scenario, np.array([0.1, 0.2])) == TimePlan.constant(scenario, [0.1, 0.2])
    assert TimePlan.constant(scenario, np.int64(0), name="x") == TimePlan.constant(scenario, 0, name="x")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([ROW, ROW], "plan 'p': coach Birch IT in quarter 1 stands in two rows; keep one"),
        ([{**ROW, "to_quarter": 13}], "plan 'p': quarter 13 is after the horizon; allowed: 1 to 12"),
        ([{**ROW, "target": "Birch"}], "plan 'p': coach: unknown partner 'Birch'; did you mean Birch IT?"),
        ([{**ROW, "who": "channel_account_manager"}], "the channel account manager has 2 hours a week in quarter 1"),
        (
            [{**ROW, "hours_per_week": 50}],
            "the manager has 55.3 hours a week in quarter 1, 5.3 of them reactive support",
        ),
        ([{**ROW, "activity": "sell"}], "plan 'p': hours[0]: sell has a target"),
        ([{**ROW, "from_quarter": 3, "to_quarter": 2}], "to_quarter 2 is before from_quarter 3"),
        ([1], "plan 'p': hours[0] is 1; allowed: a mapping with the keys activity"),
        (None, "plan 'p': hours is null; allowed: a list"),
    ],
)
def test_rows_that_cannot_be_done(scenario: Scenario, rows: Any, says: str) -> None:
    with pytest.raises(PlanError) as caught:
        TimePlan.from_table(scenario, rows, "p")
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "ramp", [("a", 0.3, 5), (0.1, 2, 5), (0.1, 0.2, 0), (0.1, 0.2, 2.5), (0.1, 0.2, True), (0, 1, 13)]
)
def test_ramps_that_cannot_be_done(scenario: Scenario, ramp: Any) -> None:
    with pytest.raises(PlanError, match=r"^TimePlan\.ramp: .* allowed: "):
        TimePlan.ramp(scenario, *ramp)


def test_support_beyond_the_week(scenario: Scenario) -> None:
    small = scenario.variant(territory_manager={"hours_per_week": 5})
    with pytest.raises(PlanError, match=r"reactive support takes 5\.3 hours a week of 5; park partners"):
        TimePlan.constant(small)


def test_a_plan_file_keeps_its_comments_and_has_its_schema(scenario: Scenario, tmp_path: Path) -> None:
    plan = TimePlan.constant(scenario, 0.2, park=["Fir Solutions"])
    plan.save(tmp_path / "p.yaml")
    text = (tmp_path / "p.yaml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=plan.schema.json\n")
    assert (tmp_path / "plan.schema.json").exists()
    (tmp_path / "p.yaml").write_text(text + "# mine\n", encoding="utf-8")
    again = TimePlan.load(tmp_path / "p.yaml")
    again.save(tmp_path / "q.yaml")
    assert again == plan
    assert (tmp_path / "q.yaml").read_text(encoding="utf-8") == text.replace("# end\n", "# mine\n# end\n")


def test_candidates_can_have_hours_for_when_they_are_partners(scenario: Scenario) -> None:
    candidate = scenario.candidates[0].name
    table = TimePlan.constant(scenario, 0.1, focus={"Birch IT": 1, candidate: 3}).table(scenario)
    by_partner = dict(zip(scenario.partner_names, table.partner[0].sum(axis=0), strict=True))
    assert by_partner[candidate] == pytest.approx(3 * by_partner["Birch IT"]) and by_partner[candidate] > 0


def test_a_channel_account_manager_can_recruit_where_there_are_only_candidates(scenario: Scenario) -> None:
    cam = ChannelAccountManager(hours_per_week=10)
    alone = scenario.variant(partners=(), channel_account_manager=cam, plans=())
    table = TimePlan.constant(alone, 0.1, mix={"recruit": 1.0}).table(alone)
    np.testing.assert_allclose(table.channel_account_manager.sum(axis=(1, 2)), 10)
