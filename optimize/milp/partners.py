"""Rows of the partners: their stocks, what they bring, and what they win.

What is not concave, as what partners bring seen from the manager's pool, is linear at the path of the last plan.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from optimize.milp.program import LEAST_DEALS, UNIT, Array, Model, Rates, is_number, total
from optimize.problem import HISTORY, LAGS, PlanningProblem, largest_first
from sim.arrays import FloatArray
from sim.coefficients import CO_SELL, COACH, JOINT_PLAN, SELL_FOR, SOCIALISE
from sim.rules import power, saturating_gain
from sim.scenario import CoverageMode

GAIN_TANGENTS = (0.0, 0.25, 0.6, 1.0, 1.6, 2.6)
"""Hours of help, in tau."""
HELPED_TANGENTS = (0.02, 0.1, 0.28, 0.52, 0.75, 0.93, 1 - 1e-9)
"""Share of a partner's deals that the manager helps with."""
LEVEL_RATIOS = tuple(float(1.45**k) for k in range(-7, 8))
"""Skill over engagement."""
LEVELS = (0.1, 0.3, 0.6, 0.9)
"""Their geometric mean, where it matters: alpha + beta < 1."""
FLOW_TANGENTS = (0.05, 0.1, 0.2, 0.35, 0.55, 0.75, 0.95)
"""Skill, where a partner's people are busy."""


def add_stocks(model: Model) -> None:
    """x' = kept * x + (1 - kept) * rest + gained, weekly, summed over a quarter of constant hours; x <= ceiling.

    rest = parked level + (alone - parked level) * carried; gained <= every tangent of gain * (1 - exp(-h / tau)).
    """
    problem, a = model.problem, model.problem.scenario.assumptions
    cam = problem.scenario.channel_account_manager
    hours = model.partner + (cam.factor if cam else 0.0) * model.cam
    partners = range(len(problem.scenario.all_partners))
    for name, stock in (("skill", problem.skill), ("engagement", problem.engagement)):
        mean = np.empty(model.active.shape, dtype=object)
        for p in partners:
            teach, there = float(problem.teachability[p]), problem.established > p
            chance = 1.0 if there else problem.candidates[p - problem.established].sign_probability
            now: Any = float(stock.start[p]) if there else 0.0
            for t in range(problem.periods):
                if t < HISTORY:
                    mean[t, p] = now
                    continue
                active, carried = model.active[t, p], model.carried[t, p]
                if not there:
                    before = model.active[t - 1, p]
                    now = now + stock.start[p] * (active - before)
                gained = []
                for activity, most, tau, sticks in _gains(name, a, teach):
                    h = hours[t, activity, p]
                    if (is_number(h) and h == 0) or most * sticks == 0:
                        continue
                    g = model.lp.add_variable(f"{name}_{activity}_{t}_{p}", 0)
                    gained.append(g)
                    if is_number(h):  # it was given already
                        model.lp += g <= chance * saturating_gain(most, h, tau) * sticks
                        continue
                    for x in GAIN_TANGENTS:
                        slope, at = np.exp(-x) / tau, 1 - np.exp(-x) - x * np.exp(-x)
                        model.lp += g <= most * sticks * (at * carried + slope * chance * h)
                lump = lump_hours(problem, p, t)
                if name == "skill" and lump and t < HISTORY + problem.quarters:
                    practised = model.lp.add_variable(f"practised_{t}_{p}", 0)
                    each = teach * a.guided_practice_gain_per_deal.likely / lump
                    model.lp += practised <= each * chance * model.partner[t, CO_SELL, p]
                    gained.append(practised)
                gain = total(gained)
                rest = stock.parked[p] * active + (stock.alone[p] - stock.parked[p]) * carried
                mean[t, p] = model.lp.add_variable(f"{name}_{t}_{p}", 0)
                model.lp += (
                    mean[t, p]
                    == stock.kept_on_average * now + (1 - stock.kept_on_average) * rest + stock.gain_on_average * gain
                )
                following = model.lp.add_variable(f"{name}_end_{t}_{p}", 0)
                model.lp += following == stock.kept * now + (1 - stock.kept) * rest + stock.gain_at_end * gain
                model.lp += following <= stock.ceiling[p] * active
                now = following
        if name == "skill":
            model.skill = mean
        else:
            model.engagement = mean


def _gains(stock: str, a: Any, teach: float) -> list[tuple[int, float, float, float]]:
    """(activity, gain a week, tau, how much of it sticks) of what lifts a stock."""
    if stock == "skill":
        return [(COACH, a.coach_gain_per_week.likely, a.coach_tau_hours.likely, teach)]
    return [
        (JOINT_PLAN, a.joint_plan_gain_per_week.likely, a.joint_plan_tau_hours.likely, teach),
        (SOCIALISE, a.socialise_gain_per_week.likely, a.socialise_tau_hours.likely, 1.0),
    ]


def lump_hours(problem: PlanningProblem, p: int, t: int) -> float:
    """The manager's mean hours for a co-sold deal of a partner."""
    volume = problem.demand[t] * problem.base[p]
    return float(volume @ problem.deal_hours / volume.sum() / 2) if volume.sum() >= LEAST_DEALS else 0.0


def brought_of(model: Model, rates: Rates) -> Array:
    """Share of its accounts' opportunities that a partner brings, engagement^beta, straight at the last path.

    Where tangents could bring more than there is, lines through the ceilings take their place.
    """
    problem = model.problem
    beta, ceiling = problem.scenario.assumptions.engagement_exponent.likely, problem.engagement.ceiling
    at = np.maximum(rates.engagement, 0.01)
    here, most = (np.array([[power(float(x), beta) for x in row] for row in its]) for its in (at, ceiling[None]))
    slope = here * beta / at
    through = np.divide(most - here, ceiling - at, out=np.zeros_like(at), where=ceiling > at)
    too_much = ((here + slope * (ceiling - at)) @ problem.base > 1).any(axis=1, keepdims=True)
    slope = np.where(too_much, through, slope)
    return np.asarray(((here - slope * at) * model.active + slope * model.engagement) * problem.stays)


def add_output(model: Model, modes: tuple[CoverageMode, ...], rates: Rates, brought: Array) -> None:
    """A partner's wins: <= tangents of min(engagement^beta, flow limit / volume) * skill^alpha.

    Skill is that of the quarters in which its deals close. A co-sold or sold-for deal is won as often as the manager
    wins; of the partner's deals the largest are taken: tangents of the lognormal's Lorenz curve.
    """
    problem, a = model.problem, model.problem.scenario.assumptions
    alpha, beta = a.skill_exponent.likely, a.engagement_exponent.likely
    shape = model.active.shape
    credit: Array = np.zeros(shape, dtype=object)
    terms: list[list[list[Any]]] = [[[] for _ in range(shape[1])] for _ in range(shape[0])]
    for t, p in np.ndindex(*shape):
        if problem.scenario.open_pipeline is not None and t < HISTORY:
            continue
        volume = problem.demand[t] * problem.base[p] * _theirs(modes, rates, t)
        if volume.sum() < LEAST_DEALS or (is_number(model.active[t, p]) and model.active[t, p] == 0):
            continue
        closing = [min(t + j, problem.periods - 1) for j in range(LAGS)]
        skill = total(problem.partner_closes[p, j] * model.skill[at, p] for j, at in enumerate(closing))
        wins = model.lp.add_variable(f"wins_{t}_{p}", 0)
        for s0, e0 in _points(alpha, beta, rates, t, p):
            top = power(s0, alpha) * power(e0, beta)
            model.lp += wins <= top * (
                (1 - alpha - beta) * model.active[t, p] + alpha / s0 * skill + beta / e0 * model.engagement[t, p]
            )
        at_most = problem.flow_limit[p] / volume.sum()
        if at_most < 1:
            for s0 in FLOW_TANGENTS:
                model.lp += wins <= at_most * power(s0, alpha) * ((1 - alpha) * model.active[t, p] + alpha / s0 * skill)
        stays = float(problem.stays[t, p])
        value = float(volume @ (problem.value_usd * problem.fit[p])) / UNIT
        alone = power(max(float(rates.skill[t, p]), 0.0), alpha)
        extra = float(volume @ (problem.value_usd * np.maximum(1 - problem.fit[p] * alone, 0))) / UNIT
        usd_k = value * stays * wins
        # Selling for a partner takes all stage hours of a deal, co-selling half.
        hours = model.partner[t, CO_SELL, p] + 0.5 * model.partner[t, SELL_FOR, p]
        if not (is_number(hours) and hours == 0) and extra > 0:
            helped = model.lp.add_variable(f"helped_{t}_{p}", 0)
            sigma = float(volume @ problem.sigma / volume.sum())
            deals = problem.weeks_worked[t] * hours / (lump_hours(problem, p, t) * volume.sum())
            for x in HELPED_TANGENTS:
                at, slope = largest_first(x, sigma)
                model.lp += helped <= at * brought[t, p] + slope * deals
            model.lp += helped <= brought[t, p]
            usd_k = usd_k + extra * stays * helped
        for j in range(LAGS):
            if t + j < problem.periods and problem.partner_closes[p, j] > 0:
                terms[t + j][p].append(float(problem.partner_closes[p, j]) * usd_k)
    for t, p in np.ndindex(*shape):
        credit[t, p] = float(rates.partner[t, p]) * total(terms[t][p])
    model.partner_usd_k = credit


def _theirs(modes: tuple[CoverageMode, ...], rates: Rates, t: int) -> FloatArray:
    """Share of what a partner brings that it may keep, by segment."""
    keep = {"direct": 0.0, "partner_led": 1.0, "partner_first": 1.0}
    return np.array([keep.get(mode, 1.0 - rates.reach[t, s]) for s, mode in enumerate(modes)])


def _points(alpha: float, beta: float, rates: Rates, t: int, p: int) -> list[tuple[float, float]]:
    """Skill and engagement at which skill^alpha * engagement^beta has a tangent, the last path among them."""
    middles = LEVELS if alpha + beta < 1 - 1e-9 else LEVELS[1:2]
    grid = [(middle * ratio**0.5, middle / ratio**0.5) for middle in middles for ratio in LEVEL_RATIOS]
    return [*grid, (max(float(rates.skill[t, p]), 0.01), max(float(rates.engagement[t, p]), 0.01))]
