"""The fluid model as a mixed-integer linear program: one function for each family of rows, with its formula.

Everything is concave where it has to be (alpha + beta <= 1), so curves are tangents; what is not (what partners bring,
seen from the manager's pool) is linear at the path of the last plan (`Rates`), and solved again until it stands.

Money is in thousands of US dollars, hours are a week's. Hours, stocks and deals of a candidate are expected ones: times
the chance that it has signed.

Left out: selling for partners (the test of single hours tries it in the simulator), and every simplification of
problem.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pulp
from numpy.typing import NDArray

from optimize.limits import Limits
from optimize.objective import Objective
from optimize.problem import HISTORY, LAGS, FloatArray, PlanningProblem, share_of_value, value_of_next
from sim.plan import PlanTable
from sim.rules import power
from sim.scenario import PARTNER_ACTIVITIES, WEEKS_PER_QUARTER, CoverageMode

Array = NDArray[Any]
"""of variables, expressions and numbers"""
COACH, JOINT_PLAN, CO_SELL, SELL_FOR, SOCIALISE, RECRUIT = range(len(PARTNER_ACTIVITIES))
DEVELOPING = (COACH, JOINT_PLAN, SOCIALISE)
GAIN_TANGENTS = (0.0, 0.2, 0.45, 0.75, 1.1, 1.6, 2.3, 3.5)
"""Hours of help, in tau."""
REACH_TANGENTS = (0.0, 0.1, 0.25, 0.45, 0.7, 1.0, 1.5, 2.3, 4.0)
"""Prospecting hours times yield over the pool."""
VALUE_TANGENTS = (0.005, 0.02, 0.05, 0.1, 0.18, 0.28, 0.4, 0.52, 0.64, 0.75, 0.85, 0.93, 0.98, 1 - 1e-9)
"""Share of the deals found that is started."""
LEVEL_RATIOS = tuple(float(1.45**k) for k in range(-7, 8))
"""Skill over engagement."""
LEVELS = (0.1, 0.3, 0.6, 0.9)
"""Their geometric mean, where it matters: alpha + beta < 1."""
MOST_TAUS = 4.0
"""Hours of help above which nothing more is learned, in tau."""
LEAST_DEALS = 1e-6
"""A quarter, below which a partner has none: a solver loses its way among numbers so far apart."""
SLACK_USD_K = 1e6
UNIT = 1000.0


@dataclass(frozen=True)
class Rates:
    """What the last simulation, or the last plan, says of the model. T periods, P partners, S segments."""

    direct: FloatArray
    """realised over promised credit of the manager's deals, shape (T,)"""
    partner: FloatArray
    """the same of partners' deals, shape (T, P)"""
    skill: FloatArray
    """of an active partner, shape (T, P): where curves are taken as straight"""
    engagement: FloatArray
    reach: FloatArray
    """shape (T, S)"""

    @classmethod
    def at_first(cls, problem: PlanningProblem) -> Rates:
        """Nothing known: the model is right and partners stay as they are."""
        shape = problem.periods, len(problem.scenario.all_partners)
        return cls(
            direct=np.ones(problem.periods),
            partner=np.ones(shape),
            skill=np.broadcast_to(problem.skill.start, shape),
            engagement=np.broadcast_to(problem.engagement.start, shape),
            reach=np.broadcast_to(problem.inbound, (problem.periods, len(problem.inbound))),
        )


@dataclass
class Model:
    """The program and its variables: arrays over periods (history first), of variables, expressions and numbers."""

    problem: PlanningProblem
    lp: Any
    sell: Array
    prospect: Array
    partner: Array
    """hours by (period, activity, partner)"""
    cam: Array
    carried: Array
    """1 for a carried partner, the chance of being there for a candidate, shape (T, P)"""
    active: Array
    recruits: dict[tuple[int, int], Any]
    """(period, partner) -> 1 if it is recruited in that quarter"""
    skill: Array = field(default_factory=lambda: np.empty(0))
    engagement: Array = field(default_factory=lambda: np.empty(0))
    """means over the weeks of a quarter, shape (T, P)"""
    direct_usd_k: Array = field(default_factory=lambda: np.empty(0))
    """bookings by period"""
    partner_usd_k: Array = field(default_factory=lambda: np.empty(0))
    """gross bookings by period and partner"""
    found: Array = field(default_factory=lambda: np.empty(0))
    pool: Array = field(default_factory=lambda: np.empty(0))
    limits: dict[str, tuple[Any, str]] = field(default_factory=dict)
    """name of a row -> (the slack that gives it up, what it says)"""


def build(
    problem: PlanningProblem,
    objective: Objective,
    limits: Limits,
    modes: tuple[CoverageMode, ...],
    rates: Rates,
    history: PlanTable,
    exit_weight: float,
    elastic: bool = False,
) -> Model:
    """The whole program. With `elastic`, limits may be given up at a price."""
    model = _hours(problem, history)
    _recruiting(model, limits)
    _carrying(model, limits)
    _stocks(model)
    brought = _brought(model, rates)
    _output(model, modes, rates, brought)
    _direct(model, modes, history.coverage_mode, rates, brought)
    _week(model)
    _limits(model, limits, model.direct_usd_k + model.partner_usd_k @ problem.credit_share, elastic)
    wanted = model.direct_usd_k + model.partner_usd_k @ objective.partner_share
    # The history counts too: then the manager worked for what mattered.
    weight = np.ones(problem.periods)
    weight[HISTORY : HISTORY + problem.quarters] = objective.quarter_weight
    weight[HISTORY + problem.quarters :] = exit_weight * objective.quarter_weight[-1]
    slack = sum((its for its, _ in model.limits.values()), 0.0) if elastic else 0.0
    model.lp.setObjective(_sum(weight * wanted) - SLACK_USD_K * slack)
    return model


def _sum(terms: Iterable[Any]) -> Any:
    return pulp.lpSum(terms)


def _variables(lp: Any, name: str, shape: tuple[int, ...], most: float | None = None) -> Array:
    its = np.empty(shape, dtype=object)
    for place in np.ndindex(*shape):
        its[place] = lp.add_variable("_".join([name, *map(str, place)]), 0, most)
    return its


def _planned(problem: PlanningProblem) -> range:
    """Periods whose hours are planned: the horizon and the run-off."""
    return range(HISTORY, problem.periods)


def _in_horizon(problem: PlanningProblem) -> range:
    return range(HISTORY, HISTORY + problem.quarters)


def _hours(problem: PlanningProblem, history: PlanTable) -> Model:
    """Variables of the plan. In the history they are numbers, in the run-off nobody is developed or recruited."""
    lp = pulp.LpProblem("hours", pulp.LpMaximize)
    segments, partners = len(problem.sigma), len(problem.scenario.all_partners)
    after, own = problem.periods - HISTORY, problem.scenario.territory_manager.hours_per_week
    cam = problem.scenario.channel_account_manager

    def whole(past: FloatArray, coming: Array) -> Array:
        return np.concatenate([np.repeat(past[None], HISTORY, axis=0).astype(object), coming])

    def of_partners(name: str, most: float) -> Array:
        its: Array = np.zeros((after, len(PARTNER_ACTIVITIES), partners), dtype=object)
        for a in (*DEVELOPING, CO_SELL):
            if most and not (name == "cam" and a == CO_SELL):
                its[: problem.quarters, a] = _variables(
                    lp, f"{name}_{PARTNER_ACTIVITIES[a]}", (problem.quarters, partners)
                )
        return its

    carried = np.ones((problem.periods, partners), dtype=object)
    carried[:HISTORY, : problem.established] = 1.0 - history.parked[0, : problem.established]
    carried[:, problem.established :] = 0.0
    return Model(
        problem=problem,
        lp=lp,
        sell=whole(history.sell[:1], _variables(lp, "sell", (after, 1), own))[:, 0],
        prospect=whole(history.prospect[0], _variables(lp, "prospect", (after, segments), own)),
        partner=whole(history.partner[0], of_partners("manager", own)),
        cam=whole(history.channel_account_manager[0], of_partners("cam", cam.hours_per_week if cam else 0.0)),
        carried=carried,
        active=carried.copy(),
        recruits={},
    )


def _week(model: Model) -> None:
    """sell + prospecting + partner hours + support of those carried <= the week; likewise of the account manager."""
    problem = model.problem
    own, cam = problem.scenario.territory_manager.hours_per_week, problem.scenario.channel_account_manager
    for t in _planned(problem):
        support = problem.support_hours * model.carried[t]
        uses = [model.sell[t], *model.prospect[t], *model.partner[t].ravel(), *support]
        model.lp += _sum(uses) <= own, f"week_{t}"
        if cam is not None and t in _in_horizon(problem):
            model.lp += _sum(model.cam[t].ravel()) <= cam.hours_per_week, f"cam_week_{t}"


def _recruiting(model: Model, limits: Limits) -> None:
    """A candidate is recruited in one quarter, or never; it is there, if it signs, from ready_after quarters later."""
    problem = model.problem
    cam = problem.scenario.channel_account_manager
    for k, candidate in enumerate(problem.candidates):
        p = problem.established + k
        if not limits.recruit or not limits.may_get_hours(candidate.name):
            continue
        ready = problem.ready_after(candidate)
        starts = [t for t in _in_horizon(problem) if t + ready < problem.periods and problem.weeks_worked[t] > 1]
        for t in starts:
            model.recruits[t, p] = z = model.lp.add_variable(f"recruit_{t}_{p}", 0, 1, pulp.LpBinary)
            # Eleven weeks, so that rounding and weeks off do not leave it a little short of what it needs.
            needed = candidate.recruiting_hours / min(11.0, model.problem.weeks_worked[t] - 1.0)
            model.partner[t, RECRUIT, p] = model.lp.add_variable(f"manager_recruit_{t}_{p}", 0)
            given = model.partner[t, RECRUIT, p]
            if cam is not None:
                model.cam[t, RECRUIT, p] = model.lp.add_variable(f"cam_recruit_{t}_{p}", 0)
                given = given + cam.factor * model.cam[t, RECRUIT, p]
            model.lp += given >= needed * z, f"recruiting_{t}_{p}"
        if starts:
            model.lp += _sum(model.recruits[t, p] for t in starts) <= 1, f"recruited_once_{p}"
        for t in _planned(problem):
            signed = [model.recruits[start, p] for start in starts if start + ready <= t]
            model.active[t, p] = candidate.sign_probability * _sum(signed)
            model.carried[t, p] = model.active[t, p]


def _carrying(model: Model, limits: Limits) -> None:
    """Hours only for those who are carried: h <= most * carried. Parked ones cost nothing and drift lower."""
    problem = model.problem
    own = problem.scenario.territory_manager.hours_per_week
    a = problem.scenario.assumptions
    tau = {COACH: a.coach_tau_hours, JOINT_PLAN: a.joint_plan_tau_hours, SOCIALISE: a.socialise_tau_hours}
    for t in _in_horizon(problem):
        for p, name in enumerate(problem.scenario.partner_names):
            if p < problem.established:
                model.carried[t, p] = model.lp.add_variable(f"carried_{t}_{p}", 0, 1, pulp.LpBinary)
                present = model.carried[t, p]
            elif model.recruits:
                present = _sum(
                    z for (start, k), z in model.recruits.items() if k == p and _is_ready(problem, start, p, t)
                )
            else:
                present = 0.0
            for hours in (model.partner, model.cam):
                for activity in (*DEVELOPING, CO_SELL):
                    most = min(own, MOST_TAUS * tau[activity].likely) if activity in tau else own / 2
                    if not limits.may_get_hours(name):
                        most = 0.0
                    if not isinstance(hours[t, activity, p], int | float):
                        model.lp += hours[t, activity, p] <= most * present
    for t in _planned(problem):
        for p in range(problem.established):
            if t >= HISTORY + problem.quarters:
                model.carried[t, p] = model.carried[HISTORY + problem.quarters - 1, p]


def _is_ready(problem: PlanningProblem, start: int, p: int, t: int) -> bool:
    return start + problem.ready_after(problem.candidates[p - problem.established]) <= t


def _stocks(model: Model) -> None:
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
                    if isinstance(h, int | float) or most * sticks == 0:
                        continue
                    g = model.lp.add_variable(f"{name}_{activity}_{t}_{p}", 0)
                    for x in GAIN_TANGENTS:
                        slope, at = np.exp(-x) / tau, 1 - np.exp(-x) - x * np.exp(-x)
                        model.lp += g <= most * sticks * (at * carried + slope * chance * h)
                    gained.append(g)
                if name == "skill" and t < HISTORY + problem.quarters:
                    lump = _lump_hours(problem, p, t)
                    each = teach * a.guided_practice_gain_per_deal.likely / lump if lump else 0.0
                    gained.append(each * chance * model.partner[t, CO_SELL, p])
                gain = _sum(gained)
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


def _lump_hours(problem: PlanningProblem, p: int, t: int) -> float:
    """The manager's mean hours for a co-sold deal of a partner."""
    volume = problem.demand[t] * problem.base[p]
    return float(volume @ problem.deal_hours / volume.sum() / 2) if volume.sum() >= LEAST_DEALS else 0.0


def _brought(model: Model, rates: Rates) -> Array:
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


def _output(model: Model, modes: tuple[CoverageMode, ...], rates: Rates, brought: Array) -> None:
    """A partner's wins: <= tangents of min(engagement^beta, flow limit / volume) * skill^alpha.

    Skill is that of the quarters in which its deals close. A co-sold deal is won as often as the manager wins; of the
    partner's deals the largest are taken: tangents of the lognormal's Lorenz curve.
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
        if volume.sum() < LEAST_DEALS or (isinstance(model.active[t, p], float | int) and model.active[t, p] == 0):
            continue
        closing = [min(t + j, problem.periods - 1) for j in range(LAGS)]
        skill = _sum(problem.partner_closes[p, j] * model.skill[at, p] for j, at in enumerate(closing))
        wins = model.lp.add_variable(f"wins_{t}_{p}", 0)
        for s0, e0 in _points(alpha, beta, rates, t, p):
            top = power(s0, alpha) * power(e0, beta)
            model.lp += wins <= top * (
                (1 - alpha - beta) * model.active[t, p] + alpha / s0 * skill + beta / e0 * model.engagement[t, p]
            )
        at_most = problem.flow_limit[p] / volume.sum()
        if at_most < 1:
            for s0 in (0.05, 0.1, 0.2, 0.35, 0.55, 0.75, 0.95):
                model.lp += wins <= at_most * power(s0, alpha) * ((1 - alpha) * model.active[t, p] + alpha / s0 * skill)
        stays = float(problem.stays[t, p])
        value = float(volume @ (problem.value_usd * problem.fit[p])) / UNIT
        alone = power(max(float(rates.skill[t, p]), 0.0), alpha)
        extra = float(volume @ (problem.value_usd * np.maximum(1 - problem.fit[p] * alone, 0))) / UNIT
        usd_k = value * stays * wins
        hours = model.partner[t, CO_SELL, p]
        if not isinstance(hours, int | float) and extra > 0:
            helped = model.lp.add_variable(f"co_sold_{t}_{p}", 0)
            sigma = float(volume @ problem.sigma / volume.sum())
            deals = problem.weeks_worked[t] * hours / (_lump_hours(problem, p, t) * volume.sum())
            for x in VALUE_TANGENTS:
                at, slope = _largest_first(x, sigma)
                model.lp += helped <= at * brought[t, p] + slope * deals
            model.lp += helped <= brought[t, p]
            usd_k = usd_k + extra * stays * helped
        for j in range(LAGS):
            if t + j < problem.periods and problem.partner_closes[p, j] > 0:
                terms[t + j][p].append(float(problem.partner_closes[p, j]) * usd_k)
    for t, p in np.ndindex(*shape):
        credit[t, p] = float(rates.partner[t, p]) * _sum(terms[t][p])
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


def _direct(
    model: Model,
    modes: tuple[CoverageMode, ...],
    history_modes: tuple[CoverageMode, ...],
    rates: Rates,
    brought: Array,
) -> None:
    """The manager's own deals.

    pool = demand less what is in partners' hands
    found <= tangents of pool * (1 - (1 - inbound) * exp(-yield * prospecting / pool))
    started <= found; its value <= tangents of found * L(started / found), as the largest are taken first
    hours of what was started, in this and the next quarters, <= hours to sell
    """
    problem = model.problem
    periods, segments = problem.demand.shape
    average = _prospecting(model)
    started, value = (_variables(model.lp, name, (periods, segments)) for name in ("started", "value"))
    model.found = _variables(model.lp, "found", (periods, segments))
    model.pool = np.empty((periods, segments), dtype=object)
    spare = _variables(model.lp, "spare", (HISTORY,))
    worth = problem.demand[0] * problem.value_usd
    worth = worth / worth.sum() if worth.sum() > 0 else np.zeros(segments)
    for t, s in np.ndindex(periods, segments):
        mode = (history_modes if t < HISTORY else modes)[s]
        pool = problem.demand[t, s] * (1 - _in_their_hands(model, mode, brought, t, s))
        hours = average[t, s]
        if t < HISTORY:
            hours = hours + float(worth[s]) * spare[t]
        model.pool[t, s] = pool
        for x in REACH_TANGENTS:
            left = (1 - problem.inbound[s]) * np.exp(-x)
            if problem.prospecting_yield[s] == 0 and x > 0:
                continue
            model.lp += (
                model.found[t, s]
                <= float(1 - left - x * left) * pool
                + float(problem.prospecting_yield[s] * left * WEEKS_PER_QUARTER) * hours
            )
        model.lp += started[t, s] <= model.found[t, s]
        for x in VALUE_TANGENTS:
            at, slope = _largest_first(x, float(problem.sigma[s]))
            model.lp += value[t, s] <= at * model.found[t, s] + slope * started[t, s]
    open_from_history = problem.scenario.open_pipeline is None
    # Of the deals that are open on the first day, the share for which there is time.
    open_worked = model.lp.add_variable("open_worked", 0, 1)
    credit: Array = np.zeros(periods, dtype=object)
    for t in range(periods):
        begun = [
            (j, s)
            for j in range(min(LAGS, t + 1))
            for s in range(segments)
            if open_from_history or t < HISTORY or t - j >= HISTORY
        ]
        work = _sum(
            float(problem.work_hours[s, j]) * started[t - j, s] for j, s in begun if problem.work_hours[s, j] > 0
        )
        idle = WEEKS_PER_QUARTER * spare[t] if t < HISTORY else 0.0
        model.lp += (
            work + idle + float(problem.carried_open_hours[t]) * open_worked
            <= float(problem.weeks_worked[t]) * model.sell[t],
            f"work_{t}",
        )
        won = _sum(
            float(problem.closes[s, j] * problem.value_usd[s] / UNIT) * value[t - j, s]
            for j, s in begun
            if problem.closes[s, j] > 0
        )
        credit[t] = float(rates.direct[t]) * (won + float(problem.carried_open_usd[t]) / UNIT * open_worked)
    model.direct_usd_k = credit


def _largest_first(started: float, sigma: float) -> tuple[float, float]:
    """Tangent of the share of value that lies in the largest deals: at none of them, and for each more."""
    slope = float(value_of_next(np.array(started), sigma))
    # Numbers that are nothing but rounding mislead a presolver.
    return round(float(share_of_value(np.array(started), sigma)) - started * slope, 12), slope


def _prospecting(model: Model) -> Array:
    """Prospecting hours a week, averaged as reach is: last week's count for most, older ones fade."""
    problem = model.problem
    average = np.empty(model.prospect.shape, dtype=object)
    for s in range(model.prospect.shape[1]):
        now: Any = model.prospect[0, s]
        for t in range(problem.periods):
            hours = model.prospect[t, s] * float(problem.weeks_worked[t] / WEEKS_PER_QUARTER)
            kept = problem.prospecting_kept_on_average
            average[t, s] = kept * now + (1 - kept) * hours
            now = problem.prospecting_kept * now + (1 - problem.prospecting_kept) * hours
    return average


def _in_their_hands(model: Model, mode: CoverageMode, brought: Array, t: int, s: int) -> Any:
    """Expected share of a segment's opportunities that the manager cannot find."""
    problem = model.problem
    base = problem.base[:, s]
    if mode == "partner_first":
        return _sum(float(base[p]) * brought[t, p] for p in np.flatnonzero(base))
    if mode == "partner_led":
        return _sum(float(base[p] * problem.stays[t, p]) * model.active[t, p] for p in np.flatnonzero(base))
    return 0.0


def _limits(model: Model, limits: Limits, credit: Array, elastic: bool) -> None:
    """The rows that people ask for. Each may be given up, at a price, to find out which of them clash."""
    problem, scenario = model.problem, model.problem.scenario

    def row(name: str, says: str, left: Any, sense: str, right: Any) -> None:
        slack = model.lp.add_variable(f"slack_{name}", 0) if elastic else 0.0
        over = model.lp.add_variable(f"over_{name}", 0) if elastic and sense == "==" else 0.0
        if elastic:
            model.limits[name] = slack + over, says
        if sense == ">=":
            model.lp += left + slack >= right, name
        elif sense == "<=":
            model.lp += left - slack <= right, name
        else:
            model.lp += left + slack - over == right, name

    own = scenario.territory_manager.hours_per_week
    theirs = [_sum(model.partner[t].ravel()) for t in range(problem.periods)]
    for t in _in_horizon(problem):
        quarter = t - HISTORY + 1
        floor = limits.floor(quarter)
        if floor is not None:
            says = f"attainment of at least {floor:.0%} in Q{quarter}"
            row(f"floor_{quarter}", says, credit[t], ">=", floor * problem.quota_usd[t - HISTORY] / UNIT)
        if limits.min_partner_share > 0:
            says = f"at least {limits.min_partner_share:.0%} of the hours with partners"
            row(f"least_share_{quarter}", says, theirs[t], ">=", limits.min_partner_share * own)
        if limits.max_partner_share < 1:
            says = f"at most {limits.max_partner_share:.0%} of the hours with partners"
            row(f"most_share_{quarter}", says, theirs[t], "<=", limits.max_partner_share * own)
        if limits.largest_change_hours is not None and t > HISTORY:
            says = f"partner hours that change by at most {limits.largest_change_hours:g} a week between quarters"
            change = theirs[t] - theirs[t - 1]
            row(f"rise_{quarter}", says, change, "<=", limits.largest_change_hours)
            row(f"fall_{quarter}", says, change, ">=", -limits.largest_change_hours)
    for i, lock in enumerate(limits.locks):
        for q in range(lock.from_quarter - 1, lock.to_quarter or problem.quarters):
            says = f"{lock.activity} {lock.target or ''} locked at {lock.hours_per_week:g} hours in Q{q + 1}".replace(
                "  ", " "
            )
            row(f"lock_{i}_{q + 1}", says, _cell(model, lock, HISTORY + q), "==", lock.hours_per_week)


def _cell(model: Model, lock: Any, t: int) -> Any:
    scenario = model.problem.scenario
    if lock.activity == "sell":
        return model.sell[t]
    if lock.activity == "prospect":
        return model.prospect[t, scenario.segment_names.index(lock.target)]
    hours = model.partner if lock.who == "territory_manager" else model.cam
    its = hours[t, PARTNER_ACTIVITIES.index(lock.activity), scenario.partner_names.index(lock.target)]
    return its + 0 * model.sell[t]
