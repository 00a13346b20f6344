"""The planner's parts against something that cannot be wrong in the same way.

Claims: on tiny instances the solver's plan equals the best of all discrete decisions tried one by one; the model's
stocks are those of the weekly rule; the value of an hour is what a little more of it brings; rounding keeps totals and
limits; the one-hour test finds a poor plan out; what risk counts is what is missing, market by market.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pulp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nexthour.terminal.plan import print_solution
from optimize import Effort, Limits, PlanningError, optimize_plan
from optimize.milp import solve as solving
from optimize.milp.model import Model, Rates
from optimize.milp.program import fluid_program
from optimize.milp.solve import hour_values_usd, solve
from optimize.objective import Objective
from optimize.problem import HISTORY, PlanningProblem
from optimize.proof import certify
from optimize.search.evaluate import Purpose, Trials
from optimize.search.rounding import RECRUIT, STEP_HOURS, apportion, round_hours
from sim import PlanError, Scenario, TimePlan, load_scenario
from sim.coefficients import COACH, JOINT_PLAN, SOCIALISE
from sim.rules import next_level, saturating_gain, share_forgotten
from sim.study import estimates
from sim.study.batches import table_bookings
from tests.helpers import candidate, partner, segment
from tests.optimize.test_planner import BASELINE, MIX, fluid, small

pytestmark = pytest.mark.generated

FEW = Effort(search_markets=300, certificate_markets=1000, design_markets=10, worlds=3)
"""Where a test is not about markets."""


def tiny(**changes: Any) -> Scenario:
    """Four quarters, a partner worth little support, a candidate: seven decisions between yes and no."""
    return small(
        horizon_quarters=4,
        partners=[partner("Thorn", label="deceiver", base_share={"large": 0.1, "small": 0.1})],
        candidates=[candidate("Cypress", base_share={"large": 0.2}, recruiting_hours=10.0, onboarding_weeks=2)],
        **changes,
    )


def discrete(model: Model) -> list[Any]:
    return [variable for variable in model.lp.variables() if variable.cat != pulp.LpContinuous]


# The solver


@pytest.mark.parametrize("exit_weight", [0.0, 1.0])
def test_the_plan_is_the_best_of_all_discrete_decisions(exit_weight: float) -> None:
    scenario, modes = tiny(), ("partner_first",) * 2
    found = solve(fluid(scenario, exit_weight), modes, gap=1e-7)
    decisions = discrete(fluid(scenario, exit_weight))
    assert 6 <= len(decisions) <= 9
    values = []
    for chosen in itertools.product((0, 1), repeat=len(decisions)):
        model = fluid(scenario, exit_weight)
        for decision, value in zip(discrete(model), chosen, strict=True):
            decision.bounds(value, value)
            decision.cat = pulp.LpContinuous
        model.lp.solve(pulp.HiGHS(msg=False))
        if model.lp.sol_status == pulp.LpSolutionOptimal:
            values.append(1000 * float(pulp.value(model.lp.objective)))
    assert len(values) > 10 and max(values) > sorted(values)[-2] * (1 + 1e-9)
    assert found.objective_usd == pytest.approx(max(values), rel=1e-6)


def test_the_models_stocks_are_those_of_the_weekly_rule() -> None:
    """Given the plan's hours; tangents may lie above a curve by a little."""
    scenario = load_scenario(BASELINE)
    problem, a = PlanningProblem.of(scenario), scenario.assumptions
    plan = solve(fluid(scenario), ("partner_first",) * 5, gap=0.005)
    seen = 0
    for stock, levels, uses in (
        (problem.skill, plan.skill, ((COACH, a.coach_gain_per_week, a.coach_tau_hours, True),)),
        (
            problem.engagement,
            plan.engagement,
            (
                (JOINT_PLAN, a.joint_plan_gain_per_week, a.joint_plan_tau_hours, True),
                (SOCIALISE, a.socialise_gain_per_week, a.socialise_tau_hours, False),
            ),
        ),
    ):
        half_life = a.skill_half_life_weeks if stock is problem.skill else a.engagement_half_life_weeks
        forgotten = share_forgotten(half_life.likely)
        for p in range(len(scenario.partners)):
            level = float(stock.start[p])
            for q in range(problem.quarters):
                rest = stock.parked[p] if plan.table.parked[q, p] else stock.alone[p]
                gained = sum(
                    saturating_gain(gain.likely, float(plan.table.partner[q, use, p]), tau.likely)
                    * (problem.teachability[p] if taught else 1.0)
                    for use, gain, tau, taught in uses
                )
                weeks = []
                for _ in range(13):
                    weeks.append(level)
                    level = next_level(level, float(rest), float(stock.ceiling[p]), forgotten, gained)
                practised = stock is problem.skill and plan.table.partner[: q + 1, 2, p].any()
                if not practised:  # guided practice is left out of this rule
                    assert levels[HISTORY + q, p] == pytest.approx(np.mean(weeks), abs=0.02)
                    seen += abs(weeks[-1] - stock.start[p]) > 0.05
    assert seen > 20


def test_the_value_of_an_hour_is_what_a_little_more_of_it_brings() -> None:
    scenario, modes, little = small(), ("partner_first",) * 2, 0.05
    model = fluid(scenario)
    before = solve(model, modes, gap=1e-7)
    kept = [round(decision.value()) for decision in discrete(model)]
    values = hour_values_usd(model)
    assert (values > 0).any()
    for q in (0, 2, 4):
        more = fluid(scenario)
        for decision, value in zip(discrete(more), kept, strict=True):
            decision.bounds(value, value)
        (row,) = [row for row in more.lp.constraints() if row.name == f"week(q{q + 1})"]
        row.changeRHS(scenario.territory_manager.hours_per_week + little)
        after = solve(more, modes, gap=1e-7)
        brought = (after.objective_usd - before.objective_usd) / (13 * little)
        assert values[q] == pytest.approx(brought, rel=0.02, abs=1.0)


def test_a_limit_that_cannot_be_kept_says_what_giving_it_up_would_bring() -> None:
    with pytest.raises(PlanningError) as caught:
        optimize_plan(small(), floors={1: 9.0}, max_partner_share=0.3)
    assert "without it the model's limit is $" in str(caught.value) and "30%" not in str(caught.value)


def test_limits_that_have_to_give_way_together_are_named_together() -> None:
    with pytest.raises(PlanningError, match="giving up one is not enough; give up or loosen together: ") as caught:
        optimize_plan(small(), floors={1: 9.0, 2: 9.0})
    assert "in Q1" in str(caught.value) and "in Q2" in str(caught.value)


def test_a_floor_that_the_free_plan_keeps_costs_nothing() -> None:
    """The model's first forecast is not that of the simulator, so no floor is tested against it."""
    free = optimize_plan(small(), effort=FEW).certificate
    floor = free.attainment_by_quarter[0].value - 0.05
    certificate = optimize_plan(small(), floors={1: floor}, effort=FEW).certificate
    assert certificate.floors_missed == 0.0 and certificate.realised == pytest.approx(free.realised, rel=0.005)


def test_a_floor_that_costs_is_kept_in_the_simulator() -> None:
    free = optimize_plan(small(), effort=FEW).certificate
    floor = free.attainment_by_quarter[0].value + 0.03
    certificate = optimize_plan(small(), floors={1: floor}, effort=FEW).certificate
    assert certificate.attainment_by_quarter[0].value > floor - 0.05 and certificate.realised <= free.realised * 1.005


@pytest.mark.parametrize(
    ("activity", "target", "hours"),
    [("coach", "Pine", 8.0), ("socialise", "Pine", 5.0), ("co_sell", "Pine", 16.0), ("sell_for", "Pine", 1.0)],
)
def test_a_lock_may_be_larger_than_any_plan_would_choose(activity: str, target: str, hours: float) -> None:
    lock = {"activity": activity, "target": target, "hours_per_week": hours}
    limits = Limits.of(small(), {"locks": [lock]})
    assert not limits.broken(small(), optimize_plan(small(), locks=[lock], effort=FEW).plan.table(small()))


def test_selling_that_is_locked_leaves_hours_idle_where_there_is_nothing_else_to_do() -> None:
    market = [segment("only", opportunities_per_quarter=20, prospecting_yield=0.0, stages=small().market_map[0].stages)]
    scenario = small(market_map=market, partners=[partner("Pine", base_share={"only": 0.2})])
    lock = {"activity": "sell", "hours_per_week": 5.0}
    solution = optimize_plan(scenario, locks=[lock], max_partner_share=0.1, effort=FEW)
    assert solution.plan.table(scenario).sell == pytest.approx(5.0)


def test_purposes_share_no_markets() -> None:
    """A seed for each, and a part of these for each turn."""
    assert len({int(purpose) for purpose in Purpose}) == len(Purpose)
    scenario = small()
    problem, limits = PlanningProblem.of(scenario), Limits.of(scenario, {})
    trials = Trials(problem, Objective.of(scenario, "quota_credit"), limits, 7, Effort(search_markets=25))
    parts = [set(trials._numbers(50, Purpose.FRESH, part)) for part in range(3)]
    assert not parts[0] & parts[1] and not parts[1] & parts[2]


# Limits, checked again


@pytest.mark.parametrize(
    ("limits", "key"),
    [
        ({"max_partner_share": 0.1}, "max_partner_share"),
        ({"min_partner_share": 0.5}, "min_partner_share"),
        ({"largest_change_hours": 1.0}, "largest_change_hours"),
        ({"only_partners": ["Thorn"]}, "only_partners"),
        ({"coverage_mode": {"large": "direct"}}, "coverage_mode"),
        ({"locks": [{"activity": "coach", "target": "Pine", "hours_per_week": 1}]}, "locks 0"),
        ({"locks": [{"activity": "prospect", "target": "large", "hours_per_week": 1}]}, "locks 0"),
        ({"locks": [{"activity": "sell", "hours_per_week": 1, "from_quarter": 2, "to_quarter": 2}]}, "locks 0"),
    ],
)
def test_a_limit_that_is_broken_is_seen(limits: dict[str, Any], key: str) -> None:
    scenario = small()
    asked = Limits.of(scenario, limits)
    table = TimePlan.constant(scenario, [0.3, 0.2, 0.3, 0.3, 0.3, 0.3], MIX, "believers").table(scenario)
    assert asked.broken(scenario, table) == (key,)
    assert asked.given() == (key,) and asked.without(key).given() == ()
    assert asked.without(key).broken(scenario, table) == ()
    assert asked.says(key)


def test_recruiting_that_is_forbidden_is_seen() -> None:
    scenario = tiny()
    hours = [{"activity": "recruit", "target": "Cypress", "hours_per_week": 1.0, "to_quarter": 1}]
    table = TimePlan.from_table(scenario, hours, "recruits").table(scenario)
    assert Limits.of(scenario, {"recruit": False}).broken(scenario, table) == ("recruit",)
    assert Limits.of(scenario, {}).broken(scenario, table) == ()


# Rounding


@given(
    arrays(float, (3, 4), elements=st.floats(0, 3)),
    st.booleans(),
)
def test_apportioned_hours_keep_their_total(hours: Any, up: bool) -> None:
    total = hours.sum() / STEP_HOURS
    steps = int(np.ceil(total) if up else np.floor(total))
    given = apportion(hours, steps)
    assert (given[hours < 1e-9] == 0).all() and given / STEP_HOURS == pytest.approx(np.round(given / STEP_HOURS))
    assert (abs(given - hours) <= STEP_HOURS + 1e-6).all()
    if (hours > 1e-3).any():
        assert given.sum() == pytest.approx(min(steps, np.ceil(hours / STEP_HOURS).sum()) * STEP_HOURS, abs=STEP_HOURS)


@settings(max_examples=40, deadline=None)
@given(
    arrays(float, (6, 2, 2), elements=st.floats(0, 2)),
    st.sampled_from([{"max_partner_share": 0.2}, {"largest_change_hours": 2.0}, {"min_partner_share": 0.05}, {}]),
)
def test_rounding_keeps_limits_that_held(hours: Any, given_limits: dict[str, Any]) -> None:
    scenario = small()
    limits = Limits.of(scenario, given_limits)
    empty = TimePlan.from_table(scenario, [], "nothing").table(scenario)
    partner = empty.partner.copy()
    partner[:, :2] = hours
    left = 30 - empty.support - partner.sum(axis=(1, 2))
    table = replace(empty, partner=partner, sell=left)
    in_steps = round_hours(scenario, limits, table, 0)
    if not limits.broken(scenario, table):
        assert in_steps is not table and not limits.broken(scenario, in_steps)
        assert in_steps.partner / STEP_HOURS == pytest.approx(np.round(in_steps.partner / STEP_HOURS))
    used = in_steps.sell + in_steps.support + in_steps.prospect.sum(axis=1) + in_steps.partner.sum(axis=(1, 2))
    assert used == pytest.approx(30.0)


def test_recruiting_keeps_all_hours_it_needs() -> None:
    scenario = tiny()
    empty = TimePlan.from_table(scenario, [], "nothing").table(scenario)
    empty.partner[0, RECRUIT, 1], empty.partner[0, COACH, 0] = 0.91, 0.4
    in_steps = round_hours(scenario, Limits.of(scenario, {}), replace(empty, sell=empty.sell + 20), 0)
    assert in_steps.partner[0, RECRUIT, 1] == 1.0 and in_steps.partner[0, COACH, 0] == 0.25


# The one-hour test


@pytest.mark.long
def test_a_constant_split_does_not_pass_the_one_hour_test() -> None:
    scenario = load_scenario(BASELINE)
    problem, limits = PlanningProblem.of(scenario), Limits.of(scenario, {})
    trials = Trials(problem, Objective.of(scenario, "quota_credit"), limits, 7, Effort(search_markets=25))
    constant = TimePlan.constant(scenario, 0.2, MIX, "believers").table(scenario)
    tested, count = certify.most_promising(trials, constant, 0)
    base, *after = trials.fresh([constant, *tested], trials.effort.certificate_markets, Purpose.FRESH)
    test = certify.hour_test(base, after, count)
    assert not test.passed and test.largest_gain.low > 0 and test.says.startswith("not passed")
    assert test.tested == 6 and test.moves > 1000


# Risk


def test_what_is_short_is_counted_market_by_market() -> None:
    scenario = small(quota={"by_quarter_usd": [100.0, 100.0, 100.0, 100.0, 100.0, 100.0]})
    direct = np.array([[50.0, 150, 100, 100, 99, 300]])
    nothing = np.zeros((1, 6, 2))
    short = Objective.of(scenario, "expected_shortfall")
    assert short.value(direct, nothing) == pytest.approx([-51.0])
    assert Objective.of(scenario, "quarters_at_quota").value(direct, nothing) == pytest.approx([4.0])
    assert short.is_risk and not Objective.of(scenario, "net_bookings").is_risk
    with pytest.raises(PlanError, match="exit_weight is 1 with expected_shortfall; allowed: 0, or another objective"):
        Objective.of(scenario, "expected_shortfall", 0.0, 1)


@pytest.mark.parametrize("name", ["expected_shortfall", "quarters_at_quota"])
def test_the_goal_of_risk_is_what_its_markets_miss(name: str) -> None:
    """At the solver's plan, worked out again: the mean over markets of what each misses."""
    scenario = small(quota={"by_quarter_usd": [60_000.0, 260_000, 200_000, 200_000, 200_000, 200_000]})
    problem, objective = PlanningProblem.of(scenario), Objective.of(scenario, name)
    luck = np.random.default_rng(3).lognormal(-0.05, 0.3, (2, 20, 6))
    rates = replace(Rates.at_first(problem), luck=luck)
    history = TimePlan.status_quo(scenario).table(scenario)
    model = fluid_program(problem, objective, Limits.of(scenario, {}), ("partner_first",) * 2, rates, history)
    plan = solve(model, ("partner_first",) * 2, gap=1e-6)
    own = plan.direct_usd[HISTORY:]
    of_partners = (plan.partner_usd @ objective.partner_share)[HISTORY:]
    credit = luck[0] * own + luck[1] * of_partners
    quota = objective.quota_usd
    if name == "expected_shortfall":
        missing = np.maximum(quota - credit, 0.0).mean(axis=0).sum()
    else:
        spread = np.maximum(luck.mean(axis=0).std(axis=0), 0.05)
        hinge = np.maximum(1 + (quota - credit) / (quota * spread), 0.0)
        missing = quota.mean() * hinge.mean(axis=0).sum()
        assert (hinge >= (credit < quota)).all()
    everything = (plan.direct_usd + plan.partner_usd @ objective.partner_share).sum()
    assert plan.objective_usd == pytest.approx(0.01 * everything - missing, rel=1e-4, abs=20.0)


@pytest.mark.long
def test_less_is_short_if_that_is_what_is_wanted() -> None:
    """A quota that is steep in the first year: credit over the horizon is bought by developing then, and this not."""
    few = Effort(search_markets=200, certificate_markets=500, design_markets=10, worlds=5)
    scenario = load_scenario(BASELINE).variant(quota={"by_quarter_usd": [700_000.0] * 4 + [50_000.0] * 8})
    credit, short = (optimize_plan(scenario, name, effort=few) for name in ("quota_credit", "expected_shortfall"))
    wanted = Objective.of(scenario, "expected_shortfall")
    tables = [solution.plan.table(scenario) for solution in (credit, short)]
    less_short = estimates.mean(np.subtract(*wanted.value(*table_bookings(scenario, tables, range(1000), 5))[::-1]))
    assert less_short.low > 10_000
    assert short.certificate.wanted == "expected_shortfall" and short.certificate.realised < 0
    assert short.certificate.difference.low > 0


# No plan


@pytest.mark.parametrize("solver", ["highs", "cbc"])
def test_a_model_without_end_is_an_error(solver: str) -> None:
    model = fluid(small())
    endless = model.lp.add_variable("endless", 0)
    model.lp += endless + model.sell[HISTORY] >= 0
    model.lp.setObjective(model.lp.objective + endless)
    with pytest.raises(PlanningError, match="no end to its credit"):
        solve(model, ("partner_first",) * 2, solver=solver)


def test_a_solver_that_is_missing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulp.HiGHS, "available", lambda self: False)
    with pytest.raises(PlanningError, match="the solver highs is not installed"):
        optimize_plan(small())


@pytest.mark.parametrize("value", [None, float("nan")])
def test_numbers_that_are_missing_are_an_error(monkeypatch: pytest.MonkeyPatch, value: float | None) -> None:
    monkeypatch.setattr(solving, "_run_solver", lambda *rest: ("optimal", 1.0))
    monkeypatch.setattr(pulp.LpVariable, "value", lambda self: value)
    with pytest.raises(PlanningError, match="gave a plan with numbers missing"):
        solve(fluid(small()), ("partner_first",) * 2)


def test_a_plan_that_time_stopped_is_not_called_proven(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither by the certificate nor by the terminal; a bound that nobody knows is nothing, in JSON too."""
    ran = solving._run_solver
    monkeypatch.setattr(solving, "_run_solver", lambda lp, *rest: ("feasible", np.inf) if ran(lp, *rest) else None)
    solution = optimize_plan(small(), effort=Effort(search_markets=50, certificate_markets=50, worlds=2))
    assert solution.certificate.outcome == "feasible" and solution.certificate.bound is None is solution.certificate.gap
    assert json.dumps(solution.as_dict(), allow_nan=False)
    print_solution(solution)
    shown = " ".join(capsys.readouterr().out.split())
    assert "The solver ran out of time" in shown and "proven" not in shown
