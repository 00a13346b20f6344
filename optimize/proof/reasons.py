"""Why this plan: what an hour is worth, what limits cost, how flat the top is, and what would have to be true for the
next best plan to win.

All but the value of an hour is simulated. Left out: how good the plan is (certify.py).
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from optimize.limits import Limits
from optimize.milp.solve import NoPlan, hour_values_usd, solve
from optimize.proof.certify import as_plan, base_of, from_here
from optimize.proof.solution import Solution
from optimize.search.baseline_plans import constant_splits
from optimize.search.evaluate import MISSED, Purpose, Tried
from optimize.search.reconcile import Planner, Reconciled
from sim.coefficients import RECRUIT
from sim.plan import PlanTable
from sim.study import estimates
from sim.study.estimates import Estimate
from sim.study.sensitivity import NoQuotaCredit, Robustness, sensitivity

SCALES = (0.0, 0.25, 0.5, 0.65, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
"""Times the plan's hours with partners."""
FLAT = 0.01
"""A share of what the plan gets that nobody would notice."""
ALIKE = 0.002
"""Plans closer than this are one plan."""


@dataclass(frozen=True)
class LimitCost:
    """What a limit costs: the corrected model's best plan without it, less that with it."""

    says: str
    cost_share: float
    """share of the objective; 0 for a limit that does not bind"""


@dataclass(frozen=True)
class RunnerUp:
    """The next best plan of another kind, and what would have to be true for it to win."""

    says: str
    behind_share: Estimate
    """paired, the plan less this one, as a share of the plan's"""
    robustness: Robustness | None
    """the plan's lead over it, by assumption; None after a past, or if it has no quota credit"""


@dataclass(frozen=True)
class Explanation:
    """The reasons for a plan."""

    hour_value_usd: tuple[float, ...]
    """value of one more hour by quarter, by the corrected model; empty if the objective is not money"""
    limits: tuple[LimitCost, ...]
    partner_share: float
    """share of the manager's hours over the horizon, as planned"""
    flat_shares: tuple[float, float]
    """least and most of it that are within 1% of the plan, more or less of the same"""
    runner_up: RunnerUp | None
    robustness: Robustness | None
    """the plan's lead over what is done today; None after a past, or if that has no quota credit"""
    markets_without_credit: int
    """markets in which what is done today has no quota credit, if it has none in any; else 0"""

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        runner_up = self.runner_up
        return {
            "hour_value_usd": self.hour_value_usd,
            "limits": [asdict(limit) for limit in self.limits],
            "partner_share": self.partner_share,
            "flat_shares": self.flat_shares,
            "turned_by": _weakest(self.robustness),
            "markets_without_credit": self.markets_without_credit,
            "runner_up": runner_up
            and {
                "says": runner_up.says,
                "behind_share": asdict(runner_up.behind_share),
                "turned_by": _weakest(runner_up.robustness),
            },
        }


def explain(solution: Solution) -> Explanation:
    """The reasons for a plan that was found; takes about as long as finding it."""
    planner, found = solution.planner, solution.found
    planner.progress(0, 0, "what an hour is worth, and what limits cost")
    limits = planner.limits
    if solution.certificate.floors_missed > MISSED:
        limits = limits.without_floors()  # no plan of the model need keep them; the certificate says so
    model = planner.model(found.modes, found.rates, limits)
    solved = solve(model, found.modes, solver=planner.solver, seconds=planner.seconds)
    values = hour_values_usd(model, planner.solver, planner.seconds) if not planner.objective.is_risk else np.zeros(0)
    costs = tuple(_limit_cost(planner, found, limits, solved.objective_usd, key) for key in limits.given())
    planner.progress(0, 0, "how flat the top is")
    table = solution.plan.table(solution.scenario)
    scaled = [one for scale in SCALES if (one := _scale_partner_hours(planner, table, scale)) is not None]
    alternatives = dict(_alternatives(planner, solution))
    tables, markets = [table, *scaled, *alternatives.values()], planner.trials.effort.reason_markets
    tried, *rest = planner.trials.fresh(tables, markets, Purpose.WHY)
    by_scale, others = rest[: len(scaled)], rest[len(scaled) :]
    flat = [one for one in by_scale if one.mean >= tried.mean - FLAT * abs(tried.mean)]
    near = [_partner_share(planner, one.table) for one in (tried, *flat)]
    planner.progress(0, 0, "what would have to be true for another plan to win")
    robustness = _robustness(planner, solution, base_of(planner)[0], "base")
    without_credit = robustness is None and planner.problem.followed is None
    return Explanation(
        hour_value_usd=tuple(float(value) for value in values),
        limits=costs,
        partner_share=_partner_share(planner, table),
        flat_shares=(min(near), max(near)),
        runner_up=_runner_up(planner, solution, tried, dict(zip(alternatives, others, strict=True))),
        robustness=robustness,
        markets_without_credit=planner.trials.effort.flip_markets if without_credit else 0,
    )


def _limit_cost(planner: Planner, found: Reconciled, limits: Limits, objective_usd: float, key: str) -> LimitCost:
    without, modes = limits.without(key), found.modes
    if key == "coverage_mode":
        opened = set(limits.coverage_mode)
        names = planner.scenario.segment_names
        modes = tuple("partner_first" if n in opened else mode for n, mode in zip(names, modes, strict=True))
    free = planner.solve(modes, found.rates, without)
    # Both are known to within the solver's gap only.
    gained = (free.objective_usd - objective_usd) / abs(objective_usd) if objective_usd else 0.0
    return LimitCost(limits.says(key), gained if gained > free.gap else 0.0)


def _partner_share(planner: Planner, table: PlanTable) -> float:
    ahead = slice(planner.problem.past, None)
    own = planner.scenario.territory_manager.hours_per_week
    return float(table.partner[ahead].sum(axis=(1, 2)).mean() / own)


def _scale_partner_hours(planner: Planner, table: PlanTable, scale: float) -> PlanTable | None:
    """The plan with `scale` times its partner hours, recruiting as it is; None if week or limits do not allow it."""
    times = np.full(table.partner.shape, scale)
    times[: planner.problem.past] = 1.0
    times[:, RECRUIT] = 1.0
    partner = table.partner * times
    sell = table.sell - (partner - table.partner).sum(axis=(1, 2))
    scaled = replace(table, partner=partner, sell=sell)
    fits = (sell >= 0).all() and not planner.limits.broken(planner.scenario, scaled, planner.problem.past)
    return scaled if fits else None


def _alternatives(planner: Planner, solution: Solution) -> Iterator[tuple[str, PlanTable]]:
    """Plans of another kind: what the model finds with one decision forbidden, and splits without a planner."""
    found, table = solution.found, solution.plan.table(solution.scenario)
    hours, names = table.partner[planner.problem.past :], planner.scenario.partner_names
    forbidden: dict[str, dict[str, Any]] = {}
    if hours[:, RECRUIT].any() and planner.limits.recruit:
        forbidden["the best plan without recruiting"] = {"recruit": False}
    if hours.any():
        first = names[int(hours.sum(axis=(0, 1)).argmax())]
        rest = tuple(name for name in names if name != first and planner.limits.may_get_hours(name))
        forbidden[f"the best plan without time for {first}"] = {"only_partners": rest}
        busiest = hours.sum(axis=(1, 2)).max() / planner.scenario.territory_manager.hours_per_week
        forbidden["the best plan with at most half of the partner time"] = {"max_partner_share": float(busiest / 2)}
    for name, changed in forbidden.items():
        try:
            yield name, planner.solve(found.modes, found.rates, planner.limits.model_copy(update=changed)).table
        except NoPlan:
            continue
    base, today = base_of(planner)
    splits = {name: plan.table(planner.scenario) for name, plan in constant_splits(planner.scenario).items()}
    for name, whole in (*splits.items(), (today, base)):
        other = from_here(planner, whole)
        if not planner.limits.broken(planner.scenario, other, planner.problem.past):
            yield name, other


def _runner_up(planner: Planner, solution: Solution, tried: Tried, others: dict[str, Tried]) -> RunnerUp | None:
    apart = {says: one for says, one in others.items() if abs(one.mean - tried.mean) > ALIKE * abs(tried.mean)}
    if not apart or not tried.mean:
        return None
    says = max(apart, key=lambda name: apart[name].mean)
    behind = estimates.mean(tried.value - apart[says].value).scaled(1 / abs(tried.mean))
    return RunnerUp(says, behind, _robustness(planner, solution, apart[says].table, "runner-up"))


def _robustness(planner: Planner, solution: Solution, other: PlanTable, name: str) -> Robustness | None:
    """How the plan's lead over another, if that has any, depends on what is assumed, in quota credit."""
    if planner.problem.followed is not None:
        return None  # assumptions would have to be those under which the past is likely
    plans = {name: as_plan(solution.scenario, other, name), "the plan": solution.plan}
    markets = planner.trials.effort.flip_markets
    try:
        return sensitivity(solution.scenario, plans, markets, solution.seed, worlds=0)["the plan"]
    except NoQuotaCredit:
        return None


def _weakest(robustness: Robustness | None) -> dict[str, Any] | None:
    if robustness is None or robustness.weakest is None:
        return None
    assumption, flip = robustness.weakest
    return {"assumption": assumption.name, "flip": asdict(flip)}
