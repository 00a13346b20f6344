"""Planning again from here, the reasons for a plan, and the frontier.

Claims: what is over stays as it was, to the digit; plans are tried in markets that look like what happened; what does
not fit together is one sentence; a runner-up is behind; a limit that binds costs; a frontier trades this year for the
next, and shows no point that is not proven.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from nexthour.report.plan import reason_lines
from nexthour.terminal.main import app
from optimize import Actuals, Effort, Solution, explain, frontier, optimize_plan
from optimize.milp.solve import BY_PERIOD
from optimize.proof import frontier as tradeoff
from optimize.replan.actuals import find_deviations
from optimize.replan.matching import Past
from sim import PlanError, SimulationError, TimePlan, load_scenario, save_scenario
from tests.helpers import candidate
from tests.optimize.test_planner import BASELINE, MIX, small

ACTUALS = {
    "by_quarter": [
        {"quarter": 1, "credit_usd": 300_000, "registered_deals": 14},
        {"quarter": 2, "credit_usd": 150_000, "registered_deals": 14, "gone_cold": 4},
    ]
}


FEW = Effort(
    search_markets=200, certificate_markets=400, worlds=5, like_markets=200, reason_markets=400, flip_markets=50,
    frontier_markets=200,
)  # fmt: skip
"""Where a test is not about markets."""


def followed() -> TimePlan:
    """With recruiting hours enough, of which some come before the past ends."""
    hours = [
        {"activity": "sell", "hours_per_week": 20.0},
        {"activity": "coach", "target": "Pine", "hours_per_week": 1.3},
        {"activity": "recruit", "target": "Cypress", "hours_per_week": 1.1, "to_quarter": 2},
    ]
    return TimePlan.from_table(territory(), hours, "so far", parked=[{"partner": "Thorn", "to_quarter": 1}])


def territory() -> Any:
    return small(candidates=[candidate("Cypress", base_share={"large": 0.2}, recruiting_hours=20.0)])


@pytest.fixture
def again() -> Solution:
    return optimize_plan(territory(), followed=followed(), actuals=Actuals.of(ACTUALS), effort=FEW)


def test_what_is_over_stays_as_it_was(again: Solution) -> None:
    scenario = territory()
    before, after = followed().table(scenario), again.plan.table(scenario)
    for name in BY_PERIOD:
        assert (getattr(before, name)[:2] == getattr(after, name)[:2]).all(), name
    assert (before.sell[2:] != after.sell[2:]).any() and again.quarter == 3
    certificate = again.certificate
    assert certificate.against == "going on as before" and certificate.worlds_ahead is None
    assert [one.value for one in certificate.difference_by_quarter[:2]] == [0.0, 0.0]
    assert certificate.difference.low > 0 and abs(certificate.promise_off) < 0.05
    # 28.6 hours are given in two quarters, so the candidate decided in the second: it is not recruited once more.
    assert not after.partner[2:, -1].any()


def test_plans_are_tried_in_markets_that_look_like_the_past(again: Solution) -> None:
    """Those that the actuals single out, and no others; what was not as planned is named."""
    numbers = [int(one) for batch in again.planner.trials.kept.batches for one in batch.replications]
    seen = Past(territory(), followed(), Actuals.of(ACTUALS), FEW.like_markets)
    assert numbers == seen.like_numbers(7) and numbers != list(range(len(numbers)))
    assert again.deviations == find_deviations(seen.scenario, seen.followed, seen.actuals, 7)
    assert any("Q2" in deviation.says for deviation in again.deviations)
    assert again.alike == seen.match(7).says


def test_a_past_that_the_scenario_thinks_impossible_is_not_planned_on() -> None:
    impossible = Actuals.of({"by_quarter": [{"quarter": 1, "credit_usd": 90_000_000}]})
    with pytest.raises(PlanError, match="actuals: what happened is outside what the scenario thinks possible"):
        optimize_plan(small(), actuals=impossible, effort=FEW)


def test_after_a_past_hours_are_compared_with_those_followed(again: Solution) -> None:
    by_use = {(change.activity, change.target): change for change in again.changes()}
    assert by_use["coach", "Pine"].today == 1.3 and by_use["sell", None].today == 20.0


def test_without_actuals_the_past_is_that_of_the_plan() -> None:
    solution = optimize_plan(territory(), from_quarter=2, effort=FEW)
    today = TimePlan.status_quo(territory()).table(territory())
    assert (solution.plan.table(territory()).partner[0] == today.partner[0]).all() and solution.alike == ""


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"from_quarter": 7}, "from_quarter is 7; allowed: a whole number from 1 to 6"),
        ({"from_quarter": 0}, "from_quarter is 0; allowed: a whole number from 1 to 6"),
        ({"from_quarter": 2, "actuals": Actuals.of(ACTUALS)}, "from_quarter is 2, but actuals end with quarter 2"),
        ({"followed": TimePlan.status_quo(small())}, "followed: a plan so far needs from_quarter"),
        ({"followed": TimePlan.status_quo(small()), "from_quarter": 1}, "so nothing was followed yet"),
        ({"actuals": {}}, "actuals is {}; allowed: Actuals"),
        ({"followed": {}, "from_quarter": 2}, "followed is {}; allowed: a TimePlan"),
        ({"from_quarter": 3, "floors": {2: 0.5}}, "floors: quarter 2 is over; allowed: quarter 3 and later"),
        ({"from_quarter": 3, "early_floor": 0.5}, "early_floor: quarter 1 is over"),
        (
            {"from_quarter": 3, "locks": [{"activity": "sell", "hours_per_week": 9}]},
            "locks[0]: quarter 1 is over; allowed: quarter 3 and later",
        ),
    ],
)
def test_a_past_that_does_not_fit_is_one_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PlanError) as caught:
        optimize_plan(small(), **given)
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


# Why


def test_reasons_add_up() -> None:
    solution = optimize_plan(small(), max_partner_share=0.05, floors={6: 0.1}, effort=FEW)
    reasons = explain(solution)
    assert len(reasons.hour_value_usd) == 6 and reasons.hour_value_usd[0] > reasons.hour_value_usd[-1] >= 0
    by_limit = {limit.says: limit.cost_share for limit in reasons.limits}
    assert by_limit["at most 5% of the hours with partners"] > 0.002
    assert by_limit["attainment of at least 10% in Q6"] == 0.0
    low, high = reasons.flat_shares
    assert 0 <= low <= reasons.partner_share <= high <= 1
    assert reasons.runner_up is not None and reasons.runner_up.behind_share.value > 0
    assert json.dumps(reasons.as_dict())
    assert reasons.robustness is not None and not reasons.markets_without_credit


def test_reasons_of_a_plan_without_partners() -> None:
    reasons = explain(optimize_plan(small(partners=[]), effort=FEW))
    assert reasons.partner_share == 0.0 and reasons.flat_shares == (0.0, 0.0)


def test_reasons_where_there_is_nothing_to_win_name_the_file(tmp_path: Path) -> None:
    scenario = small()
    segments = tuple(s.model_copy(update={"opportunities_per_quarter": 0.0}) for s in scenario.market_map)
    path = tmp_path / "none.yaml"
    save_scenario(scenario.model_copy(update={"market_map": segments}), path)
    solution = optimize_plan(load_scenario(path), effort=FEW)
    reasons = explain(solution)
    assert reasons.robustness is None and reasons.markets_without_credit > 0
    said = reason_lines(solution, reasons)[-1]
    assert said == (
        f"Against {solution.certificate.against}: it has no quota credit in any of {reasons.markets_without_credit} "
        f"markets, so no assumption can turn a lead over it; see whether the segments of {path} have opportunities."
    )


# The frontier


def test_a_frontier_trades_this_year_for_the_next() -> None:
    found = frontier(load_scenario(BASELINE), 4, effort=FEW)
    early, late = found.points[-1], found.points[0]
    assert len(found.points) == 4 and all(point.proven for point in found.points)
    assert early.attainment.value > late.attainment.value + 0.2 and early.exit_usd.value < late.exit_usd.value
    assert np.diff([point.attainment.value for point in found.points]).min() > -0.02
    assert late.plan.table(found.scenario).partner.sum() > early.plan.table(found.scenario).partner.sum()
    assert json.dumps(found.as_dict())


def test_a_point_that_is_not_proven_is_said_and_not_drawn(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from nexthour.terminal.frontier import print_frontier

    solve = tradeoff.solve
    monkeypatch.setattr(tradeoff, "solve", lambda *a, **k: replace(solve(*a, **k), outcome="feasible"))
    found = frontier(small(), 3, effort=FEW)
    assert not any(point.proven for point in found.points)
    print_frontier(found)
    shown = capsys.readouterr().out
    assert "did not prove them in time: frontier 1, frontier 2, frontier 3" in " ".join(shown.split())
    assert not [line for line in shown.split("\n") if line.startswith("frontier 1 ")]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"objective": "net_bookings"}, "objective is not for a frontier; leave it out"),
        ({"seed": -1}, "seed is -1; allowed"),
        ({"points": 1}, "points is 1; allowed: a whole number from 2 to 20"),
        ({"through": 3}, "through is 3; allowed: a whole number from 4 to 6"),
        ({"floors": {5: 0.5}, "through": 4}, "floors: quarter '5' is not in the horizon; allowed: 1 to 4"),
    ],
)
def test_a_frontier_that_makes_no_sense_is_one_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises((PlanError, SimulationError), match=sentence):
        frontier(small(), **given)


# The terminal


def test_plan_again_and_frontier_in_the_terminal(tmp_path: Path) -> None:
    file, plan, actuals = (str(tmp_path / name) for name in ("small.yaml", "plan.yaml", "actuals.yaml"))
    save_scenario(small(), file)
    TimePlan.constant(small(), 0.2, MIX, "believers").save(plan)
    Actuals.of(ACTUALS).save(actuals)
    words = ["plan", file, "--followed", plan, "--actuals", actuals, "--why", "--lock", "coach:Pine=1.1@3-4"]
    words += ["--effort", "quick"]
    shown = CliRunner().invoke(app, words)
    assert shown.exit_code == 0, shown.output
    for said in (
        "Q3 against going on as before",
        "From Q3 to Q6",
        "chance of quota",
        "in Q3 ",
        "What happened so far",
        "going on as before",
        "One more hour is worth",
        "Next best",
    ):
        assert said in " ".join(shown.output.split())
    assert "coaching Pine locked at 1.1 hours from Q3 to Q4" in shown.output.replace("\n", " ")
    data = json.loads(CliRunner().invoke(app, [*words, "--json"]).output)
    assert data["deviations"] and data["why"]["hour_value_usd"] and data["changes"] and data["quarter"] == 3
    words = ["frontier", file, "--points", "2", "--effort", "quick"]
    shown = CliRunner().invoke(app, words)
    assert shown.exit_code == 0 and "status quo" in shown.output and "--through 4 --effort quick" in shown.output
    found = frontier(load_scenario(file), 2, effort=Effort.quick)
    assert json.loads(CliRunner().invoke(app, [*words, "--json"]).output) == json.loads(json.dumps(found.as_dict()))


@pytest.mark.parametrize("lock", ["coach:Pine", "coach:Pine=x", "coach:Pine=1@a-b", "fly=1"])
def test_a_lock_that_cannot_be_read_is_one_sentence(tmp_path: Path, lock: str) -> None:
    file = str(tmp_path / "small.yaml")
    save_scenario(small(), file)
    shown = CliRunner().invoke(app, ["plan", file, "--lock", lock])
    assert shown.exit_code in (1, 2) and "Traceback" not in shown.output and shown.output.count("\n") < 9
