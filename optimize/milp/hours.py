"""Rows of the week: what its hours are for, whom the manager recruits, carries and parks."""

from typing import Any

import numpy as np

from optimize.limits import Limits
from optimize.milp.model import DEVELOPING, ON_DEALS, Array, Model, coming, is_number, to_plan, total
from optimize.problem import HISTORY
from sim.coefficients import COACH, JOINT_PLAN, RECRUIT, SOCIALISE
from sim.plan import PlanTable
from sim.terms import PARTNER_ACTIVITIES

MOST_TAUS = 4.0
"""Hours of help above which nothing more is learned, in tau."""
RECRUITING_WEEKS = 11.0
"""Weeks of a quarter in which a candidate is recruited, so that rounding and weeks off leave it no hours short."""


def add_hours(model: Model, history: PlanTable) -> None:
    """Variables of the plan. In the past they are numbers; in the run-off nobody is developed or recruited."""
    problem = model.problem
    partners, own = len(problem.scenario.all_partners), problem.scenario.territory_manager.hours_per_week
    cam = problem.scenario.channel_account_manager
    ahead = model.period_labels[HISTORY + problem.past :]

    def with_past(name: str, planned: Array) -> Array:
        before = np.repeat(getattr(history, name)[:1], HISTORY, axis=0)
        if problem.followed is not None:
            before = np.concatenate([before, getattr(problem.followed, name)[: problem.past]])
        return np.concatenate([before.astype(object), planned])

    def planned_hours(who: str, activities: tuple[int, ...]) -> Array:
        hours: Array = np.zeros((len(ahead), len(PARTNER_ACTIVITIES), partners), dtype=object)
        planned = len(to_plan(problem))
        for a in activities:
            family = f"{who}_{PARTNER_ACTIVITIES[a]}"
            hours[:planned, a] = model.variables(family, ahead[:planned], model.partner_labels)
        return hours

    there = np.repeat((np.arange(partners) < problem.established)[None], problem.periods, axis=0)
    parked = with_past("parked", np.zeros((len(ahead), partners), dtype=bool)).astype(bool)
    model.sell = with_past("sell", model.variables("sell", ahead, most=own))
    model.prospect = with_past("prospect", model.variables("prospect", ahead, model.segment_labels, most=own))
    model.partner = with_past("partner", planned_hours("manager", (*DEVELOPING, *ON_DEALS) if own else ()))
    model.channel_account_manager = with_past(
        "channel_account_manager", planned_hours("cam", DEVELOPING if cam and cam.hours_per_week else ())
    )
    model.carried = (there & ~parked).astype(float).astype(object)
    model.active = there.astype(float).astype(object)


def add_week(model: Model) -> None:
    """The rows of both persons' weeks."""
    for t in coming(model.problem):
        _week(model, t)
        if model.problem.scenario.channel_account_manager is not None and t in to_plan(model.problem):
            _account_managers_week(model, t)


def _week(model: Model, t: int) -> None:
    """week(t): sell + prospecting + partner hours + support of those carried <= H."""
    support = model.problem.support_hours * model.carried[t]
    uses = [model.sell[t], *model.prospect[t], *model.partner[t].ravel(), *support]
    own = model.problem.scenario.territory_manager.hours_per_week
    model.row(total(uses) <= own, "week", model.period_labels[t])


def _account_managers_week(model: Model, t: int) -> None:
    """cam_week(t): hours of the account manager <= H of the account manager."""
    most = model.problem.scenario.channel_account_manager.hours_per_week  # type: ignore[union-attr]
    model.row(total(model.channel_account_manager[t].ravel()) <= most, "cam_week", model.period_labels[t])


def add_recruiting(model: Model, limits: Limits) -> None:
    """Candidates are recruited in one quarter or never, and there, if they sign, from ready_after quarters later."""
    problem = model.problem
    for k, candidate in enumerate(problem.scenario.candidates):
        p, began = problem.established + k, problem.recruited_in(k)
        if began is not None:
            model.recruits[HISTORY + began, p] = 1.0
        elif limits.recruit and limits.may_get_hours(candidate.name):
            ready = problem.ready_after(candidate)
            starts = [t for t in to_plan(problem) if t + ready < problem.periods and problem.weeks_worked[t] > 1]
            for t in starts:
                _recruiting(model, t, p)
            if starts:
                _recruited_once(model, starts, p)
        for t in range(HISTORY, problem.periods):
            model.active[t, p] = candidate.sign_probability * present(model, t, p)
            model.carried[t, p] = model.active[t, p]


def _recruiting(model: Model, t: int, p: int) -> None:
    """recruiting(t,p): h + factor h of the account manager >= z (hours that it needs, spread over the quarter)."""
    problem, labels = model.problem, model.at_partner(t, p)
    model.recruits[t, p] = z = model.variable("recruit", (t, p), labels, 1, binary=True)
    left, weeks = problem.recruiting_hours_left(p - problem.established), problem.weeks_worked[t] - 1.0
    needed = left / min(RECRUITING_WEEKS, weeks)
    given: Any = model.variable("manager_recruit", (t, p), labels)
    model.partner[t, RECRUIT, p] = given
    if problem.scenario.channel_account_manager is not None:
        model.channel_account_manager[t, RECRUIT, p] = model.variable("cam_recruit", (t, p), labels)
        given = given + problem.account_manager_factor * model.channel_account_manager[t, RECRUIT, p]
    model.row(given >= needed * z, "recruiting", *labels)


def _recruited_once(model: Model, starts: list[int], p: int) -> None:
    """recruited_once(p): sum of z over t <= 1."""
    model.row(total(model.recruits[t, p] for t in starts) <= 1, "recruited_once", model.partner_labels[p])


def present(model: Model, t: int, p: int) -> float | Array:
    """1 if a candidate was recruited early enough to sell in period t, should it sign."""
    ready = model.problem.ready_after(model.problem.scenario.candidates[p - model.problem.established])
    starts = [z for (start, k), z in model.recruits.items() if k == p and start + ready <= t]
    return float(sum(starts)) if all(is_number(z) for z in starts) else total(starts)


def add_carrying(model: Model, limits: Limits) -> None:
    """Whom the manager carries. Parked partners get no hours, cost none and drift lower."""
    problem = model.problem
    for t in to_plan(problem):
        for p in range(len(problem.scenario.all_partners)):
            if p < problem.established:
                model.carried[t, p] = model.variable("carried", (t, p), model.at_partner(t, p), 1, binary=True)
            _hours_if_carried(model, limits, t, p)
    last = HISTORY + problem.quarters - 1
    for t in range(last + 1, problem.periods):
        model.carried[t, : problem.established] = model.carried[last, : problem.established]


def _hours_if_carried(model: Model, limits: Limits, t: int, p: int) -> None:
    """hours_if_carried(t,p,a), of a candidate if it was recruited: h <= c times the most that can be of use."""
    problem, a = model.problem, model.problem.scenario.assumptions
    name, there = problem.scenario.partner_names[p], model.carried[t, p]
    if p >= problem.established:
        there = present(model, t, p)
    cam = problem.scenario.channel_account_manager
    tau = {COACH: a.coach_tau_hours, JOINT_PLAN: a.joint_plan_tau_hours, SOCIALISE: a.socialise_tau_hours}
    for who, hours, week in (
        ("territory_manager", model.partner, problem.scenario.territory_manager.hours_per_week),
        ("channel_account_manager", model.channel_account_manager, 0.0 if cam is None else cam.hours_per_week),
    ):
        for activity in (*DEVELOPING, *ON_DEALS):
            word = PARTNER_ACTIVITIES[activity]
            most = min(week, MOST_TAUS * tau[activity].likely) if activity in tau else week / 2
            most = max(most, limits.locked_hours(word, name, who, t - HISTORY + 1))
            if not limits.may_get_hours(name):
                most = 0.0
            if not is_number(hours[t, activity, p]):
                family = "hours_if_carried" if hours is model.partner else "cam_hours_if_carried"
                model.row(hours[t, activity, p] <= most * there, family, *model.at_partner(t, p), word)
