"""Rows of the partners: their stocks, what they bring, and what they win.

What is not concave, as what partners bring seen from the manager's pool, is linear at the path of the last plan.
"""

from typing import Any

import numpy as np

from optimize.milp.model import (
    UNIT,
    Array,
    Model,
    Rates,
    is_number,
    largest_first_tangent,
    power_tangent,
    saturation_tangent,
    total,
)
from optimize.problem import HISTORY, LAGS, PlanningProblem, Stock
from sim.arrays import FloatArray
from sim.coefficients import CO_SELL, COACH, JOINT_PLAN, SELL_FOR, SOCIALISE
from sim.rules import power, saturating_gain
from sim.terms import PARTNER_ACTIVITIES, CoverageMode

LEAST_DEALS = 1e-6
"""A quarter, below which a partner has none: a solver loses its way among numbers so far apart."""
GAIN_TANGENTS = (0.0, 0.25, 0.6, 1.0, 1.6, 2.6)
"""Hours of help, in tau."""
HELPED_TANGENTS = (0.02, 0.1, 0.28, 0.52, 0.75, 0.93, 1 - 1e-9)
"""Share of a partner's deals that the manager helps with."""
LEVEL_RATIOS = tuple(float(1.45**k) for k in range(-7, 8))
"""Skill over engagement."""
MIDDLE_LEVELS = (0.1, 0.3, 0.6, 0.9)
"""The geometric mean of skill and engagement, where it matters: alpha + beta < 1."""
FLOW_TANGENTS = (0.05, 0.1, 0.2, 0.35, 0.55, 0.75, 0.95)
"""Skill, where a partner's people are busy."""


# Stocks


def add_stocks(model: Model) -> None:
    """Skill and engagement of every partner, quarter by quarter."""
    problem = model.problem
    for name, stock in (("skill", problem.skill), ("engagement", problem.engagement)):
        mean = np.empty(model.active.shape, dtype=object)
        for p in range(len(problem.scenario.all_partners)):
            there = p < problem.established
            now: Any = float(stock.start[p]) if there else 0.0
            for t in range(problem.periods):
                if t < HISTORY:
                    mean[t, p] = now
                    continue
                if not there:
                    now = now + stock.start[p] * (model.active[t, p] - model.active[t - 1, p])
                gained = _gains(model, name, t, p)
                if name == "skill" and lump_hours(problem, p, t) and t < HISTORY + problem.quarters:
                    gained.append(_practice(model, t, p))
                mean[t, p], now = _levels(model, name, stock, now, total(gained), t, p)
        if name == "skill":
            model.skill = mean
        else:
            model.engagement = mean


def _gains(model: Model, stock: str, t: int, p: int) -> list[Any]:
    """gain_tangent(t,p,stock,a,k): g <= tangent k of gain (1 - exp(-h / tau)), times c; gain_given(...): of the past.

    The factor c is the perspective of the curve, which makes the relaxation tight.
    """
    problem, chance = model.problem, model.problem.sign_probability(p)
    gained = []
    for activity, most, tau, sticks in _ways_to_gain(problem, stock, p):
        own, others = (hours[t, activity, p] for hours in (model.partner, model.channel_account_manager))
        h = own + problem.account_manager_factor * others
        if (is_number(h) and h == 0) or most * sticks == 0:
            continue
        labels = (*model.at_partner(t, p), stock, PARTNER_ACTIVITIES[activity])
        g = model.variable(stock, (activity, t, p), labels)
        gained.append(g)
        if is_number(h):
            model.row(g <= chance * saturating_gain(most, h, tau) * sticks, "gain_given", *labels)
            continue
        for k, x in enumerate(GAIN_TANGENTS):
            at, slope = saturation_tangent(x)
            row = g <= most * sticks * (at * model.carried[t, p] + slope / tau * chance * h)
            model.row(row, "gain_tangent", *labels, f"k{k}")
    return gained


def _ways_to_gain(problem: PlanningProblem, stock: str, p: int) -> list[tuple[int, float, float, float]]:
    """(activity, gain a week, tau, how much of it sticks) of what lifts a stock of a partner."""
    a, teach = problem.scenario.assumptions, float(problem.teachability[p])
    if stock == "skill":
        return [(COACH, a.coach_gain_per_week.likely, a.coach_tau_hours.likely, teach)]
    return [
        (JOINT_PLAN, a.joint_plan_gain_per_week.likely, a.joint_plan_tau_hours.likely, teach),
        (SOCIALISE, a.socialise_gain_per_week.likely, a.socialise_tau_hours.likely, 1.0),
    ]


def _practice(model: Model, t: int, p: int) -> Any:
    """practice(t,p): g <= gain of a guided deal times deals co-sold."""
    problem, chance = model.problem, model.problem.sign_probability(p)
    per_deal = float(problem.teachability[p]) * problem.scenario.assumptions.guided_practice_gain_per_deal.likely
    practised = model.variable("practised", (t, p), model.at_partner(t, p))
    each = per_deal / lump_hours(problem, p, t)
    model.row(practised <= each * chance * model.partner[t, CO_SELL, p], "practice", *model.at_partner(t, p))
    return practised


def _levels(model: Model, name: str, stock: Stock, now: Any, gain: Any, t: int, p: int) -> tuple[Any, Any]:
    """stock_mean, stock_end(t,p,stock): x = kept x + (1 - kept) rest + gained, weekly, over 13 weeks of constant hours.

    rest = parked level + (level alone - parked level) c; stock_ceiling: x at the end <= ceiling n.
    Returns the mean over the weeks, and the level at the end.
    """
    labels = *model.at_partner(t, p), name
    rest = stock.parked[p] * model.active[t, p] + (stock.alone[p] - stock.parked[p]) * model.carried[t, p]
    mean = model.variable(name, (t, p), labels)
    drift = stock.kept_on_average * now + (1 - stock.kept_on_average) * rest
    model.row(mean == drift + stock.gain_on_average * gain, "stock_mean", *labels)
    end = model.variable(f"{name}_end", (t, p), labels)
    drift = stock.kept * now + (1 - stock.kept) * rest
    model.row(end == drift + stock.gain_at_end * gain, "stock_end", *labels)
    model.row(end <= stock.ceiling[p] * model.active[t, p], "stock_ceiling", *labels)
    return mean, end


def lump_hours(problem: PlanningProblem, p: int, t: int) -> float:
    """The manager's mean hours for a co-sold deal of a partner; 0 if it has none."""
    volume = problem.demand[t] * problem.base[p]
    return float(volume @ problem.deal_hours / volume.sum() / 2) if volume.sum() >= LEAST_DEALS else 0.0


# What partners bring and win


def brought_share(model: Model, rates: Rates) -> Array:
    """Share of its accounts' opportunities that a partner brings, E^beta, straight at the last path: shape (T, P).

    Where tangents could bring more than there is, lines through the ceilings take their place.
    """
    problem = model.problem
    beta, ceiling = problem.scenario.assumptions.engagement_exponent.likely, problem.engagement.ceiling
    at = np.maximum(rates.engagement, 0.01)
    here, most = (np.array([[power(float(x), beta) for x in row] for row in level]) for level in (at, ceiling[None]))
    slope = here * beta / at
    through = np.divide(most - here, ceiling - at, out=np.zeros_like(at), where=ceiling > at)
    too_much = ((here + slope * (ceiling - at)) @ problem.base > 1).any(axis=1, keepdims=True)
    slope = np.where(too_much, through, slope)
    return np.asarray(((here - slope * at) * model.active + slope * model.engagement) * problem.stays)


def add_output(model: Model, modes: tuple[CoverageMode, ...], rates: Rates, brought: Array) -> None:
    """The partners' gross bookings by quarter, from the deals that they and the manager win."""
    problem, shape = model.problem, model.active.shape
    terms: list[list[list[Any]]] = [[[] for _ in range(shape[1])] for _ in range(shape[0])]
    for t, p in np.ndindex(*shape):
        if problem.scenario.open_pipeline is not None and t < HISTORY:
            continue
        volume = problem.demand[t] * problem.base[p] * _kept_share(modes, rates, t)
        if volume.sum() < LEAST_DEALS or (is_number(model.active[t, p]) and model.active[t, p] == 0):
            continue
        stays = float(problem.stays[t, p])
        value = float(volume @ (problem.value_usd * problem.fit[p])) / UNIT
        usd_k = value * stays * _wins(model, rates, volume, t, p)
        alone = power(max(float(rates.skill[t, p]), 0.0), problem.scenario.assumptions.skill_exponent.likely)
        extra = float(volume @ (problem.value_usd * np.maximum(1 - problem.fit[p] * alone, 0))) / UNIT
        # Selling for a partner takes all stage hours of a deal, co-selling half.
        hours = model.partner[t, CO_SELL, p] + 0.5 * model.partner[t, SELL_FOR, p]
        if not (is_number(hours) and hours == 0) and extra > 0:
            usd_k = usd_k + extra * stays * _helped(model, hours, brought[t, p], volume, t, p)
        for j in range(LAGS):
            if t + j < problem.periods and problem.partner_closes[p, j] > 0:
                terms[t + j][p].append(float(problem.partner_closes[p, j]) * usd_k)
    model.partner_usd_k = np.zeros(shape, dtype=object)
    for t, p in np.ndindex(*shape):
        model.partner_usd_k[t, p] = float(rates.partner[t, p]) * total(terms[t][p])


def _wins(model: Model, rates: Rates, volume: FloatArray, t: int, p: int) -> Any:
    """wins_tangent(t,p,k): w <= tangent k of S^alpha E^beta; flow_tangent(t,p,k): of S^alpha flow limit / volume.

    S is that of the quarters in which its deals close.
    """
    problem, a = model.problem, model.problem.scenario.assumptions
    alpha, beta = a.skill_exponent.likely, a.engagement_exponent.likely
    closing = [min(t + j, problem.periods - 1) for j in range(LAGS)]
    skill = total(problem.partner_closes[p, j] * model.skill[at, p] for j, at in enumerate(closing))
    labels, active = model.at_partner(t, p), model.active[t, p]
    wins = model.variable("wins", (t, p), labels)
    for k, levels in enumerate(_levels_of_tangents(alpha, beta, rates, t, p)):
        top, constant, by_skill, by_engagement = power_tangent(*levels, alpha, beta)
        row = wins <= top * (constant * active + by_skill * skill + by_engagement * model.engagement[t, p])
        model.row(row, "wins_tangent", *labels, f"k{k}")
    at_most = problem.flow_limit[p] / volume.sum()
    for k, s0 in enumerate(FLOW_TANGENTS if at_most < 1 else ()):
        row = wins <= at_most * power(s0, alpha) * ((1 - alpha) * active + alpha / s0 * skill)
        model.row(row, "flow_tangent", *labels, f"k{k}")
    return wins


def _helped(model: Model, hours: Any, brought: Any, volume: FloatArray, t: int, p: int) -> Any:
    """helped_tangent(t,p,k): value helped with <= tangent k of E^beta L(deals helped with / E^beta); helped <= E^beta.

    A co-sold or sold-for deal is won as often as the manager wins; the largest are taken first.
    """
    problem, labels = model.problem, model.at_partner(t, p)
    helped = model.variable("helped", (t, p), labels)
    sigma = float(volume @ problem.sigma / volume.sum())
    deals = problem.weeks_worked[t] * hours / (lump_hours(problem, p, t) * volume.sum())
    for k, x in enumerate(HELPED_TANGENTS):
        at, slope = largest_first_tangent(x, sigma)
        model.row(helped <= at * brought + slope * deals, "helped_tangent", *labels, f"k{k}")
    model.row(helped <= brought, "helped", *labels)
    return helped


def _kept_share(modes: tuple[CoverageMode, ...], rates: Rates, t: int) -> FloatArray:
    """Share of what a partner brings that it may keep, by segment."""
    keep = {"direct": 0.0, "partner_led": 1.0, "partner_first": 1.0}
    return np.array([keep.get(mode, 1.0 - rates.reach[t, s]) for s, mode in enumerate(modes)])


def _levels_of_tangents(alpha: float, beta: float, rates: Rates, t: int, p: int) -> list[tuple[float, float]]:
    """Skill and engagement at which skill^alpha * engagement^beta has a tangent, the last path among them."""
    middles = MIDDLE_LEVELS if alpha + beta < 1 - 1e-9 else MIDDLE_LEVELS[1:2]
    grid = [(middle * ratio**0.5, middle / ratio**0.5) for middle in middles for ratio in LEVEL_RATIOS]
    return [*grid, (max(float(rates.skill[t, p]), 0.01), max(float(rates.engagement[t, p]), 0.01))]
