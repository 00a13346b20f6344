"""Rows of the week: what its hours are for, whom the manager recruits, carries and parks."""

from __future__ import annotations

import numpy as np
import pulp

from optimize.limits import Limits
from optimize.milp.program import DEVELOPING, ON_DEALS, Array, Model, coming, is_number, to_plan, total, variables
from optimize.problem import HISTORY, PlanningProblem
from sim.coefficients import COACH, JOINT_PLAN, RECRUIT, SOCIALISE
from sim.plan import PlanTable
from sim.scenario import PARTNER_ACTIVITIES

MOST_TAUS = 4.0
"""Hours of help above which nothing more is learned, in tau."""
RECRUITING_WEEKS = 11.0
"""Of a quarter, so that rounding and weeks off do not leave recruiting a little short of what it needs."""


def add_hours(problem: PlanningProblem, history: PlanTable) -> Model:
    """Variables of the plan. In the past they are numbers; in the run-off nobody is developed or recruited."""
    lp = pulp.LpProblem("hours", pulp.LpMaximize)
    segments, partners = len(problem.sigma), len(problem.scenario.all_partners)
    after, own = problem.periods - HISTORY - problem.past, problem.scenario.territory_manager.hours_per_week
    cam = problem.scenario.channel_account_manager

    def whole(name: str, then: Array) -> Array:
        before = np.repeat(getattr(history, name)[:1], HISTORY, axis=0)
        if problem.followed is not None:
            before = np.concatenate([before, getattr(problem.followed, name)[: problem.past]])
        return np.concatenate([before.astype(object), then])

    def of_partners(name: str, most: float) -> Array:
        its: Array = np.zeros((after, len(PARTNER_ACTIVITIES), partners), dtype=object)
        planned = len(to_plan(problem))
        for a in DEVELOPING if name == "cam" else (*DEVELOPING, *ON_DEALS):
            if most:
                its[:planned, a] = variables(lp, f"{name}_{PARTNER_ACTIVITIES[a]}", (planned, partners))
        return its

    there = np.repeat((np.arange(partners) < problem.established)[None], problem.periods, axis=0)
    parked = whole("parked", np.zeros((after, partners), dtype=bool)).astype(bool)
    return Model(
        problem=problem,
        lp=lp,
        sell=whole("sell", variables(lp, "sell", (after,), own)),
        prospect=whole("prospect", variables(lp, "prospect", (after, segments), own)),
        partner=whole("partner", of_partners("manager", own)),
        cam=whole("channel_account_manager", of_partners("cam", cam.hours_per_week if cam else 0.0)),
        carried=(there & ~parked).astype(float).astype(object),
        active=there.astype(float).astype(object),
        recruits={},
    )


def add_week(model: Model) -> None:
    """sell + prospecting + partner hours + support of those carried <= the week; likewise of the account manager."""
    problem = model.problem
    own, cam = problem.scenario.territory_manager.hours_per_week, problem.scenario.channel_account_manager
    for t in coming(problem):
        support = problem.support_hours * model.carried[t]
        uses = [model.sell[t], *model.prospect[t], *model.partner[t].ravel(), *support]
        model.lp += total(uses) <= own, f"week_{t}"
        if cam is not None and t in to_plan(problem):
            model.lp += total(model.cam[t].ravel()) <= cam.hours_per_week, f"cam_week_{t}"


def add_recruiting(model: Model, limits: Limits) -> None:
    """A candidate is recruited in one quarter, or never; it is there, if it signs, from ready_after quarters later."""
    problem = model.problem
    cam = problem.scenario.channel_account_manager
    for k, candidate in enumerate(problem.candidates):
        p = problem.established + k
        began = problem.recruited_in(k)
        if began is not None:
            model.recruits[HISTORY + began, p] = 1.0
        elif limits.recruit and limits.may_get_hours(candidate.name):
            ready = problem.ready_after(candidate)
            starts = [t for t in to_plan(problem) if t + ready < problem.periods and problem.weeks_worked[t] > 1]
            for t in starts:
                model.recruits[t, p] = z = model.lp.add_variable(f"recruit_{t}_{p}", 0, 1, pulp.LpBinary)
                needed = problem.recruiting_hours_left(k) / min(RECRUITING_WEEKS, problem.weeks_worked[t] - 1.0)
                model.partner[t, RECRUIT, p] = model.lp.add_variable(f"manager_recruit_{t}_{p}", 0)
                given = model.partner[t, RECRUIT, p]
                if cam is not None:
                    model.cam[t, RECRUIT, p] = model.lp.add_variable(f"cam_recruit_{t}_{p}", 0)
                    given = given + cam.factor * model.cam[t, RECRUIT, p]
                model.lp += given >= needed * z, f"recruiting_{t}_{p}"
            if starts:
                model.lp += total(model.recruits[t, p] for t in starts) <= 1, f"recruited_once_{p}"
        for t in range(HISTORY, problem.periods):
            model.active[t, p] = candidate.sign_probability * present(model, t, p)
            model.carried[t, p] = model.active[t, p]


def present(model: Model, t: int, p: int) -> float | Array:
    """1 if a candidate was recruited early enough to sell in period t, should it sign."""
    ready = model.problem.ready_after(model.problem.candidates[p - model.problem.established])
    starts = [z for (start, k), z in model.recruits.items() if k == p and start + ready <= t]
    return float(sum(starts)) if all(is_number(z) for z in starts) else total(starts)


def add_carrying(model: Model, limits: Limits) -> None:
    """Hours only for those who are carried: h <= most * carried. Parked ones cost nothing and drift lower."""
    problem = model.problem
    own, a = problem.scenario.territory_manager.hours_per_week, problem.scenario.assumptions
    cam = problem.scenario.channel_account_manager
    tau = {COACH: a.coach_tau_hours, JOINT_PLAN: a.joint_plan_tau_hours, SOCIALISE: a.socialise_tau_hours}
    for t in to_plan(problem):
        for p, name in enumerate(problem.scenario.partner_names):
            if p < problem.established:
                model.carried[t, p] = there = model.lp.add_variable(f"carried_{t}_{p}", 0, 1, pulp.LpBinary)
            else:
                there = present(model, t, p)
            for who, hours, week in (
                ("territory_manager", model.partner, own),
                ("channel_account_manager", model.cam, 0.0 if cam is None else cam.hours_per_week),
            ):
                for activity in (*DEVELOPING, *ON_DEALS):
                    most = min(week, MOST_TAUS * tau[activity].likely) if activity in tau else week / 2
                    most = max(most, limits.locked_hours(PARTNER_ACTIVITIES[activity], name, who, t - HISTORY + 1))
                    if not limits.may_get_hours(name):
                        most = 0.0
                    if not is_number(hours[t, activity, p]):
                        model.lp += hours[t, activity, p] <= most * there
    last = HISTORY + problem.quarters - 1
    for t in range(last + 1, problem.periods):
        model.carried[t, : problem.established] = model.carried[last, : problem.established]
