"""The planner: what it proposes can be done, keeps to every limit, and is good in markets it never saw.

Claims: the fluid model's formulas are those of the simulator's rules; two solvers agree; a solution checked again in
plain Python is feasible; in limit cases the plan is the obvious one; relaxing a limit never hurts; limits that clash
are named and no plan leaves; promise and fresh markets agree; the plan beats constant splits.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from nexthour.terminal.main import app
from nexthour.terminal.plan import print_solution
from optimize import Effort, Limits, PlanningError, Solution, optimize_plan
from optimize.milp.model import Model, Rates, share_of_value, value_of_next
from optimize.milp.program import fluid_program
from optimize.milp.solve import Solved, solve
from optimize.objective import RUN_OFF_QUARTERS, Objective
from optimize.problem import HISTORY, LAGS, PlanningProblem
from optimize.search import moves
from optimize.search.rounding import STEP_HOURS
from sim import PlanError, Scenario, TimePlan, compare, load_scenario
from sim.rules import next_level, saturating_gain, share_forgotten
from tests import BASELINE
from tests.helpers import candidate, partner, segment, stage, territory, two_segments
from tests.strategies import scenarios

pytestmark = pytest.mark.generated

MIX = {"coach": 0.6, "joint_plan": 0.4}


def small(**changes: Any) -> Scenario:
    """Two segments whose deals the manager has time for."""
    return two_segments(6.0, **changes)


def fluid(scenario: Scenario, exit_weight: float = 0.0, objective: str = "quota_credit", **limits: Any) -> Model:
    history = TimePlan.status_quo(scenario).table(scenario)
    problem = PlanningProblem.of(scenario, RUN_OFF_QUARTERS if exit_weight else 0)
    return fluid_program(
        problem,
        Objective.of(scenario, objective, 0.0, exit_weight),
        Limits.of(scenario, limits),
        ("partner_first",) * len(scenario.market_map),
        Rates.at_first(problem),
        history,
    )


def solved(scenario: Scenario, solver: str = "highs", gap: float = 1e-6, **limits: Any) -> Solved:
    return solve(fluid(scenario, **limits), ("partner_first",) * len(scenario.market_map), solver=solver, gap=gap)


# Formulas


def test_a_quarter_of_constant_hours_is_thirteen_weeks_of_the_rule() -> None:
    scenario = small()
    problem = PlanningProblem.of(scenario)
    forgotten = share_forgotten(scenario.assumptions.skill_half_life_weeks.likely)
    gain = saturating_gain(0.022, 1.2, 1.5)
    level, levels = 0.3, []
    for _ in range(13):
        levels.append(level)
        level = next_level(level, 0.1, 1.0, forgotten, gain)
    skill = problem.skill
    assert level == pytest.approx(skill.kept * 0.3 + (1 - skill.kept) * 0.1 + skill.gain_at_end * gain)
    mean = skill.kept_on_average * 0.3 + (1 - skill.kept_on_average) * 0.1 + skill.gain_on_average * gain
    assert np.mean(levels) == pytest.approx(mean)


def test_the_largest_deals_hold_the_lorenz_curves_share_of_the_value() -> None:
    amounts = np.sort(np.random.default_rng(1).lognormal(0, 0.7, 400_000))[::-1]
    for share in (0.05, 0.3, 0.8):
        top = amounts[: int(share * len(amounts))].sum() / amounts.sum()
        assert float(share_of_value(np.array(share), 0.7)) == pytest.approx(top, rel=0.01)
        step = 1e-5
        slope = (share_of_value(np.array(share + step), 0.7) - share_of_value(np.array(share - step), 0.7)) / (2 * step)
        assert float(value_of_next(np.array(share), 0.7)) == pytest.approx(float(slope), rel=1e-3)


def test_every_deal_ends_in_some_quarter() -> None:
    problem = PlanningProblem.of(load_scenario(BASELINE))
    assert problem.closes.sum(axis=1) == pytest.approx(1.0)
    assert problem.partner_closes.sum(axis=1) == pytest.approx(1.0)
    assert problem.closes.shape[1] == LAGS
    # A partner's eight weeks, of any shape: begun evenly in a quarter, 8 / 13 end a quarter later on average.
    assert problem.partner_closes[0] @ np.arange(LAGS) == pytest.approx(8 / 13, rel=0.02)


# The solver


def test_two_solvers_agree() -> None:
    highs, cbc = (solved(small(), solver) for solver in ("highs", "cbc"))
    assert highs.objective_usd == pytest.approx(cbc.objective_usd, rel=1e-4)
    assert highs.outcome == cbc.outcome == "optimal"
    assert highs.bound_usd >= cbc.objective_usd * (1 - 1e-4)


def test_a_solution_is_feasible_when_checked_again() -> None:
    scenario = load_scenario(BASELINE)
    plan = solved(scenario, gap=0.005, min_partner_share=0.2, max_partner_share=0.4, largest_change_hours=3.0)
    table, own = plan.table, scenario.territory_manager.hours_per_week
    used = table.sell + table.prospect.sum(axis=1) + table.partner.sum(axis=(1, 2)) + table.support
    assert (used <= own + 1e-6).all() and (table.partner >= 0).all() and (table.prospect >= 0).all()
    with_partners = table.partner.sum(axis=(1, 2))
    assert (with_partners >= 0.2 * own - 1e-3).all() and (with_partners <= 0.4 * own + 1e-3).all()
    assert (abs(np.diff(with_partners)) <= 3.0 + 1e-3).all()
    assert (table.partner.sum(axis=1)[table.parked] == 0).all()
    ceiling = PlanningProblem.of(scenario).skill.ceiling
    assert (plan.skill <= ceiling + 1e-6).all()


@pytest.mark.parametrize(
    ("tight", "loose"),
    [
        ({"recruit": False}, {}),
        ({"only_partners": ["Pine"]}, {}),
        ({"max_partner_share": 0.05}, {"max_partner_share": 0.2}),
        ({"min_partner_share": 0.5}, {"min_partner_share": 0.2}),
        ({"largest_change_hours": 0.0}, {"largest_change_hours": 4.0}),
        ({"floors": {1: 0.6}}, {"floors": {1: 0.1}}),
    ],
)
def test_relaxing_a_limit_never_hurts(tight: dict[str, Any], loose: dict[str, Any]) -> None:
    scenario = small(candidates=[candidate("Cypress", base_share={"large": 0.2})])
    assert solved(scenario, **tight).objective_usd <= solved(scenario, **loose).objective_usd * (1 + 1e-5)


def test_more_partner_gain_never_hurts() -> None:
    little, much = (small(assumptions={"coach_gain_per_week": gain}) for gain in (0.01, 0.03))
    assert solved(little).objective_usd <= solved(much).objective_usd * (1 + 1e-6)


def test_exit_value_keeps_up_development() -> None:
    scenario = small()
    modes = ("partner_first",) * 2
    without, with_it = (solve(fluid(scenario, exit_weight=weight), modes) for weight in (0.0, 1.0))
    assert with_it.table.partner[-1, :2].sum() > 0.3 and without.table.partner[-1, :2].sum() < 0.01
    assert len(with_it.table.sell) == 6 and len(with_it.direct_usd) == HISTORY + 6 + RUN_OFF_QUARTERS


# No plan


def test_a_floor_out_of_reach_is_named_and_no_plan_leaves() -> None:
    with pytest.raises(PlanningError) as caught:
        optimize_plan(small(), floors={1: 9.0, 2: 0.1})
    assert "the limits clash" in str(caught.value) and "attainment of at least 900% in Q1" in str(caught.value)
    assert "Q2" not in str(caught.value) and "\n" not in str(caught.value)


def test_an_unknown_solver_and_no_time_are_errors() -> None:
    with pytest.raises(PlanningError, match="solver is 'gurobi'; allowed: highs, cbc"):
        optimize_plan(small(), solver="gurobi")
    with pytest.raises(PlanningError, match="found no plan in the time"):
        solve(fluid(load_scenario(BASELINE)), ("partner_first",) * 5, seconds=0.001)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"objective": "happiness"}, "objective is 'happiness'; allowed: quota_credit, net_bookings"),
        ({"exit_weight": 2}, "exit_weight is 2; allowed: a number from 0 to 1"),
        ({"floors": {9: 0.5}}, "quarter '9' is not in the horizon; allowed: 1 to 6"),
        ({"floors": {1: -1}}, "floors"),
        ({"only_partners": ["Pina"]}, "only_partners: unknown partner 'Pina'; did you mean Pine?"),
        ({"min_partner_share": 0.5, "max_partner_share": 0.2}, "min_partner_share 0.5 is above"),
        ({"coverage_mode": {"large": "mine"}}, "coverage_mode"),
        ({"locks": [{"activity": "coach", "target": "Pina", "hours_per_week": 1}]}, "unknown target 'Pina'"),
        ({"locks": 5}, "locks"),
        ({"only_partners": "Pine"}, "only_partners"),
        ({"name": ""}, "name"),
        ({"seed": 2**63 - 1}, "seed is 9223372036854775807; allowed: at most"),
    ],
)
def test_a_limit_that_makes_no_sense_is_one_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PlanError) as caught:
        optimize_plan(small(), **given)
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


# Whole plans


@pytest.fixture(scope="module")
def found() -> Solution:
    return optimize_plan(load_scenario(BASELINE))


def test_the_plan_beats_constant_splits_in_fresh_markets(found: Solution) -> None:
    scenario = found.scenario
    plans = {"plan": found.plan}
    deceivers = [partner.name for partner in scenario.partners if partner.label == "deceiver"]
    for share in (0.0, 0.1, 0.2, 0.3):
        for park in ([], deceivers):
            name = f"{share:.0%} {len(park)}"
            plans[name] = TimePlan.constant(scenario, share, MIX, "believers", park=park, name=name)
    comparison = compare(scenario, plans, 400, seed=99, baseline="plan")
    assert all(comparison[name].verdict == "behind" for name in plans if name != "plan")


def test_promise_and_fresh_markets_agree(found: Solution) -> None:
    certificate = found.certificate
    assert abs(certificate.promise_off) < 0.02 and certificate.outcome == "optimal" and 0 <= certificate.gap <= 0.01
    assert certificate.gap == pytest.approx(certificate.bound / certificate.objective - 1)
    assert all(abs(off) < 0.05 for off in certificate.promise_off_by_route)
    assert abs(certificate.rounding_gain) < 0.01 and certificate.hour_test.passed and certificate.hour_test.moves > 1000
    assert certificate.fluid_limit > certificate.interval[1]
    assert certificate.difference_share.low > 0.1


def test_the_plan_is_in_steps_that_a_calendar_can_hold(found: Solution) -> None:
    steps = [row.hours_per_week / STEP_HOURS for row in found.plan.hours if row.activity not in ("sell", "recruit")]
    assert steps == pytest.approx(np.round(steps))


@pytest.mark.long
def test_the_same_seed_gives_the_same_plan(found: Solution) -> None:
    again = optimize_plan(load_scenario(BASELINE))
    assert again.plan == found.plan and again.certificate.interval == found.certificate.interval


def test_the_same_seed_gives_the_same_plan_of_a_small_territory() -> None:
    one, other = (optimize_plan(small(), effort="quick") for _ in range(2))
    assert one.plan == other.plan and one.certificate.interval == other.certificate.interval


def test_without_partners_there_is_no_partner_time() -> None:
    solution = optimize_plan(small(partners=[]))
    assert {row.activity for row in solution.plan.hours} <= {"sell", "prospect"}


def test_partners_that_keep_everything_get_no_time() -> None:
    keep = [partner("Pine", base_share={"large": 0.3, "small": 0.3}, margin=1.0)]
    solution = optimize_plan(small(partners=keep))
    assert not [row for row in solution.plan.hours if row.activity in ("coach", "joint_plan", "co_sell", "sell_for")]


def test_locks_and_limits_hold_in_the_plan() -> None:
    lock = {"activity": "coach", "target": "Thorn", "hours_per_week": 1.1, "from_quarter": 2, "to_quarter": 3}
    scenario = small()
    solution = optimize_plan(scenario, locks=[lock], max_partner_share=0.2, coverage_mode={"small": "partner_led"})
    table = solution.plan.table(scenario)
    assert table.partner[1:3, 0, 1] == pytest.approx(1.1)
    assert (table.partner.sum(axis=(1, 2)) <= 0.2 * 30 + STEP_HOURS).all()
    assert solution.plan.coverage_mode["small"] == "partner_led"


def test_net_bookings_pay_for_margins_that_credit_does_not_see() -> None:
    """With gross credit a partner's margin costs the quota nothing, and the firm half of the booking."""
    dear = [partner("Pine", base_share={"large": 0.3, "small": 0.3}, margin=0.9)]
    scenario = small(partners=dear, quota_credit="gross")
    credit, net = (
        solve(fluid(scenario, objective=name), ("partner_first",) * 2) for name in ("quota_credit", "net_bookings")
    )
    assert credit.table.partner.sum() > net.table.partner.sum() + 5
    solution = optimize_plan(scenario, "net_bookings", discount_rate=0.1)
    assert solution.certificate.wanted == "net_bookings" and abs(solution.certificate.promise_off) < 0.02


def test_a_discount_makes_later_bookings_worth_less() -> None:
    objective = Objective.of(small(), "quota_credit", 0.1)
    assert objective.quarter_weight[0] == pytest.approx(1.1**-0.125) and objective.quarter_weight[4] == pytest.approx(
        1.1**-1.125
    )
    with pytest.raises(PlanError, match="discount_rate is -1; allowed: a number from 0 to 1"):
        optimize_plan(small(), discount_rate=-1)


def test_a_floor_is_kept_in_the_forecast() -> None:
    scenario = small()
    free = solved(scenario)
    quota, shares = scenario.quota_usd()[0], PlanningProblem.of(scenario).credit_share
    first = float(free.direct_usd[HISTORY] + free.partner_usd[HISTORY] @ shares)
    floor = first / quota + 0.01
    bound = solved(scenario, floors={1: floor})
    assert float(bound.direct_usd[HISTORY] + bound.partner_usd[HISTORY] @ shares) >= floor * quota * (1 - 1e-6)
    assert bound.objective_usd <= free.objective_usd


# The terminal


def test_plan_prints_writes_and_gives_json(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    from sim import save_scenario

    save_scenario(small(), path)
    out = tmp_path / "plan.yaml"
    shown = CliRunner().invoke(app, ["plan", str(path), "--out", str(out), "--no-recruiting"])
    assert shown.exit_code == 0, shown.output
    assert "How good it is, and how we know" in shown.output and "One-hour test" in shown.output
    assert f"nexthour plan {path} --no-recruiting --seed 7" in shown.output.replace("\n", " ")
    assert TimePlan.load(out).table(small())
    data = json.loads(CliRunner().invoke(app, ["plan", str(path), "--json"]).output)
    assert data["certificate"]["outcome"] == "optimal" and data["plan"]["hours"]


@pytest.mark.parametrize("words", [["--floor", "1"], ["--floor", "x=1"], ["--floor", "1=x"], ["--coverage", "large"]])
def test_a_wrong_word_is_one_sentence(words: list[str]) -> None:
    shown = CliRunner().invoke(app, ["plan", str(BASELINE), *words])
    assert shown.exit_code == 2 and "Traceback" not in shown.output


# Any territory


@settings(max_examples=int(os.environ.get("EXAMPLES", "12")), deadline=None, suppress_health_check=list(HealthCheck))
@given(scenarios(), st.sampled_from([0.0, 1.0]))
def test_any_scenario_has_a_plan_that_fits(scenario: Scenario, exit_weight: float) -> None:
    little = Effort(search_markets=25, certificate_markets=25, split_markets=25, worlds=3, design_markets=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moves, "DESIGNS_PER_MOVE", 0.2)
        solution = optimize_plan(scenario, exit_weight=exit_weight, effort=little)
    assert solution.plan.table(scenario).sell.shape == (scenario.horizon_quarters,)
    assert solution.certificate.outcome == "optimal" and np.isfinite(solution.certificate.realised)


def test_changes_against_today_add_up(found: Solution) -> None:
    scenario = found.scenario
    for quarter in (1, scenario.horizon_quarters):
        changes = found.changes(quarter)
        week = scenario.territory_manager.hours_per_week
        assert sum(change.today for change in changes) == pytest.approx(week)
        assert sum(change.planned for change in changes) == pytest.approx(week)
    kinds = {(change.activity, change.target): change.kind for change in found.changes()}
    assert kinds["sell", None] == "less" and kinds["recruit", "Ivy Consulting"] == "start"
    parked = {row.partner for row in found.plan.parked if row.from_quarter == 1}
    assert parked and all(kind == "stop" for (_, target), kind in kinds.items() if target in parked)


def test_the_payback_is_that_of_the_differences(found: Solution) -> None:
    certificate = found.certificate
    total = np.cumsum([difference.value for difference in certificate.difference_by_quarter])
    assert total[-1] == pytest.approx(certificate.difference.value)
    assert certificate.payback_quarter is not None and (total[certificate.payback_quarter - 1 :] > 0).all()
    assert total[certificate.payback_quarter - 2] <= 0


def test_a_lock_of_the_account_manager_is_not_rounded() -> None:
    lock = {"activity": "coach", "target": "Pine", "hours_per_week": 1.1, "who": "channel_account_manager"}
    scenario = small(channel_account_manager={"hours_per_week": 8, "factor": 1.0})
    table = optimize_plan(scenario, locks=[lock]).plan.table(scenario)
    assert table.channel_account_manager[:, 0, 0] == pytest.approx(1.1)


def test_a_plan_that_realises_nothing_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    nothing = [segment(stages=[stage(advance_probability=0.0)])]
    print_solution(optimize_plan(territory(market_map=nothing)))
    assert "$0 of quota credit against $0" in capsys.readouterr().out
