"""What can be done about a gap in coverage: each remedy as the table of a plan with it.

An hour a week is moved from selling to developing a partner or to prospecting, over the whole horizon; a candidate is
recruited as early as selling hours allow, and may be developed afterwards; hours of an account manager come on top; a
coverage mode costs no hours.

Left out: which of them is worth it (gaps.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from optimize.milp.solve import LEAST_HOURS
from optimize.problem import HISTORY, PlanningProblem
from optimize.search.rounding import STEP_HOURS
from sim.arrays import FloatArray
from sim.coefficients import COACH, JOINT_PLAN, RECRUIT
from sim.kpis import COVERAGE_KINDS
from sim.plan import ACTIVITY_WORDS, PlanTable, TimePlan
from sim.scenario import ChannelAccountManager, Scenario
from sim.study.batches import table_coverage
from sim.study.experiment import replicate
from sim.terms import COVERAGE_MODES, COVERAGE_WORDS, PARTNER_SEGMENTS, WEEKS_PER_QUARTER, CoverageMode

MOVED_HOURS = 1.0
"""Hours a week from selling to a remedy."""
ACCOUNT_MANAGER_HOURS = 5.0
"""Hours a week of an account manager, on top of those there are."""
DEVELOPED_BY = (COACH, JOINT_PLAN)
"""Hours of a remedy for a partner divide evenly over these."""
DEVELOPING_WORDS = f"{ACTIVITY_WORDS['coach']} and {ACTIVITY_WORDS['joint_plan']}, by halves"


class RemedyOption(NamedTuple):
    """A remedy that can be tried. Hours over the horizon, in weeks that are not off."""

    what: str
    whom: tuple[str, ...]
    table: PlanTable
    manager_hours: float = 0.0
    account_manager_hours: float = 0.0


@dataclass(frozen=True)
class Ground:
    """A territory and the plan on top of which remedies come."""

    problem: PlanningProblem
    base: PlanTable
    spare_hours: FloatArray
    """a week, of selling time that no deal needs and that becomes prospecting, by quarter"""
    spare_shares: FloatArray
    """shares of it by segment, where no prospecting is planned: by the value of what partners do not have"""

    @classmethod
    def of(cls, scenario: Scenario, plan: TimePlan, markets: int, seed: int) -> Ground:
        """The ground of a plan, whose spare time is simulated. Raises PlanError if the plan does not fit."""
        problem, base = PlanningProblem.of(scenario), plan.table(scenario)
        spare = replicate(scenario, plan, markets, seed)["hours_spare"].mean(axis=0)
        seen = table_coverage(scenario, [base], markets, seed)[0].sum(axis=0)
        brought = seen[list(COVERAGE_KINDS).index("registered")] / np.maximum(seen.sum(axis=0), 1)
        taken = {
            "direct": np.zeros_like(brought),
            "direct_first": np.zeros_like(brought),
            "partner_first": brought,
            "partner_led": problem.base[: problem.established].sum(axis=0),
        }
        pool = np.array([1 - taken[mode][s] for s, mode in enumerate(base.coverage_mode)])
        value = pool * seen.sum(axis=0) * problem.value_usd
        return cls(problem, base, spare / WEEKS_PER_QUARTER, value / max(float(value.sum()), 1.0))

    @property
    def scenario(self) -> Scenario:
        return self.problem.scenario

    @property
    def weeks_worked(self) -> FloatArray:
        """Weeks that are not off, by quarter of the horizon."""
        return self.problem.weeks_worked[HISTORY : HISTORY + self.problem.quarters]

    def carried(self, p: int) -> NDArray[np.bool_]:
        """Quarters in which hours for a partner are not lost: it is there, and not parked."""
        base, problem = self.base, self.problem
        there = np.full(problem.quarters, p < problem.established)
        recruiting = np.flatnonzero(base.partner[:, RECRUIT, p] + base.channel_account_manager[:, RECRUIT, p])
        if len(recruiting):
            candidate = problem.scenario.candidates[p - problem.established]
            there = np.arange(problem.quarters) >= recruiting[-1] + problem.ready_after(candidate)
        return ~base.parked[:, p] & there

    def carried_in(self, s: int) -> list[int]:
        """Partners with accounts in a segment that are carried in some quarter."""
        return [p for p in np.flatnonzero(self.problem.base[:, s] > 0).tolist() if self.carried(p).any()]

    def for_selling(self) -> FloatArray:
        """Hours a week that can be moved from selling, by quarter."""
        return np.minimum(self.base.sell, MOVED_HOURS)


def development_option(ground: Ground, p: int) -> RemedyOption | None:
    """Coaching and joint planning for a partner while it is carried; None if selling has no hours left then."""
    hours = ground.for_selling() * ground.carried(p)
    if not hours.any():
        return None
    name = ground.scenario.partner_names[p]
    table = _with_development(ground.base, p, hours)
    return RemedyOption(name, (name,), _digits(table), float(hours @ ground.weeks_worked))


def _with_development(table: PlanTable, p: int, hours: FloatArray) -> PlanTable:
    partner = table.partner.copy()
    for activity in DEVELOPED_BY:
        partner[:, activity, p] += hours / len(DEVELOPED_BY)
    return replace(table, partner=partner, sell=table.sell - hours)


def prospecting_option(ground: Ground, s: int) -> RemedyOption | None:
    """Prospecting in a segment; None if selling has no hours left.

    Spare selling time is divided as what is planned. So what is planned is divided as all prospecting would be with an
    hour more in the segment: else the hour would draw all spare time into it.
    """
    hours = ground.for_selling()
    if not hours.any():
        return None
    planned = ground.base.prospect.sum(axis=1)
    none = (planned == 0)[:, None]
    shares = np.where(none, ground.spare_shares, ground.base.prospect / np.where(none, 1.0, planned[:, None]))
    all_of_it = (planned + ground.spare_hours)[:, None] * shares
    all_of_it[:, s] += hours
    total = all_of_it.sum(axis=1, keepdims=True)
    divided = (planned + hours)[:, None] * all_of_it / np.where(total > 0, total, 1.0)
    prospect = np.where((hours > 0)[:, None], divided, ground.base.prospect)
    table = replace(ground.base, prospect=prospect, sell=ground.base.sell - hours)
    return RemedyOption(ACTIVITY_WORDS["prospect"], (), _digits(table), float(hours @ ground.weeks_worked))


def recruiting_options(ground: Ground, s: int) -> list[RemedyOption] | str:
    """Recruiting the candidate with the largest base in a segment, from the first quarter; or why it cannot be done.

    Alone, and with an hour a week of development once it sells.
    """
    problem, base = ground.problem, ground.base
    there = [p for p in range(problem.established, len(problem.base)) if problem.base[p, s] > 0]
    if not there:
        return "no candidate has accounts here"
    left = [p for p in there if not (base.partner + base.channel_account_manager)[:, RECRUIT, p].any()]
    if not left:
        return "already in the plan"
    p = max(left, key=lambda p: float(problem.base[p, s]))
    candidate = problem.scenario.candidates[p - problem.established]
    partner, sell, parked = base.partner.copy(), base.sell.copy(), base.parked.copy()
    missing, until = candidate.recruiting_hours, 0
    for q, weeks in enumerate(ground.weeks_worked):
        # A week to spare, so that rounding does not leave it a little short of what it needs.
        a_week = max(missing / (weeks - 1), STEP_HOURS) if weeks > 1 else 0.0
        given = min(np.ceil(a_week / STEP_HOURS) * STEP_HOURS, sell[q])
        partner[q, RECRUIT, p] += given
        sell[q] -= given
        missing, until = missing - given * max(weeks - 1, 0), q
        if missing <= 0 and given > 0:
            break
    else:
        return "selling has too few hours for it"
    parked[:, p] = False
    said = f"{candidate.name} in {'Q1' if until == 0 else f'Q1-Q{until + 1}'}"
    signed = replace(base, partner=partner, sell=sell, parked=parked)
    sells = np.arange(problem.quarters) >= until + problem.ready_after(candidate)
    then = _with_development(signed, p, np.where(sells, np.minimum(sell, MOVED_HOURS), 0.0))
    hours = candidate.recruiting_hours
    alone = RemedyOption(said, (candidate.name,), _digits(signed), hours)
    more = float((sell - then.sell) @ ground.weeks_worked)
    return (
        [alone, RemedyOption(f"{said}, then developed", alone.whom, _digits(then), hours + more)] if more else [alone]
    )


def account_manager_option(ground: Ground, partners: Sequence[int]) -> RemedyOption:
    """An account manager who coaches and plans with some partners, evenly, while they are carried."""
    hours = np.zeros_like(ground.base.channel_account_manager)
    carried = np.array([ground.carried(p) for p in partners])
    each = ACCOUNT_MANAGER_HOURS / np.maximum(carried.sum(axis=0), 1)
    for p, is_carried in zip(partners, carried, strict=True):
        for activity in DEVELOPED_BY:
            hours[:, activity, p] = each * is_carried / len(DEVELOPED_BY)
    names = tuple(ground.scenario.partner_names[p] for p in partners)
    return RemedyOption(
        f"{ACCOUNT_MANAGER_HOURS:g} h a week with {in_a_sentence(names)}",
        names,
        _digits(replace(ground.base, channel_account_manager=ground.base.channel_account_manager + hours)),
        account_manager_hours=float(hours.sum()) * WEEKS_PER_QUARTER,
    )


def with_account_manager(scenario: Scenario) -> Scenario:
    """The territory with those hours of an account manager more, of the usual worth if it has none."""
    cam = scenario.channel_account_manager
    more = (
        ChannelAccountManager(hours_per_week=ACCOUNT_MANAGER_HOURS)
        if cam is None
        else cam.model_copy(update={"hours_per_week": cam.hours_per_week + ACCOUNT_MANAGER_HOURS})
    )
    return scenario.model_copy(update={"channel_account_manager": more})


def coverage_options(ground: Ground, s: int) -> list[RemedyOption]:
    """The segment's other coverage modes; none where no partner has accounts, as modes are the same there."""
    now = ground.base.coverage_mode
    return [
        RemedyOption(
            f"{COVERAGE_WORDS[mode]} instead of {COVERAGE_WORDS[now[s]]}",
            (),
            _digits(replace(ground.base, coverage_mode=(*now[:s], mode, *now[s + 1 :]))),
        )
        for mode in COVERAGE_MODES
        if mode != now[s] and ground.carried_in(s)
    ]


def at_ceilings(ground: Ground) -> tuple[Scenario, PlanTable]:
    """The territory in which every partner brings what it can and every candidate signs at once, and the plan for it.

    All are carried, and may bring what they like; the manager's other hours stay as they are.
    """
    scenario, base = ground.scenario, ground.base

    def at_ceiling(traits: Any) -> Any:
        # Own traits that are not given stay so: those of the partner's kind are at their ceiling too.
        top = traits.engagement_ceiling
        return traits.model_copy(update={"engagement_start": top, "engagement_alone": top})

    kinds: dict[str, Any] = {kind: at_ceiling(getattr(scenario.partner_segments, kind)) for kind in PARTNER_SEGMENTS}
    signs = {"recruiting_hours": 0.0, "sign_probability": 1.0, "onboarding_weeks": 0}
    there = scenario.model_copy(
        update={
            "partner_segments": scenario.partner_segments.model_copy(update=kinds),
            "partners": tuple(p.model_copy(update={"traits": at_ceiling(p.traits)}) for p in scenario.partners),
            "candidates": tuple(
                c.model_copy(update={"traits": at_ceiling(c.traits), **signs}) for c in scenario.candidates
            ),
        }
    )
    partner = base.partner.copy()
    # Who needs no hours still signs in a week in which it gets some; all of them go back to selling afterwards.
    partner[:, RECRUIT, ground.problem.established :] = STEP_HOURS
    all_may: CoverageMode = "partner_first"
    modes = (all_may,) * len(base.coverage_mode)
    return there, replace(base, partner=partner, parked=np.zeros_like(base.parked), coverage_mode=modes)


def _digits(table: PlanTable) -> PlanTable:
    """The table with the digits that a written plan has, rounded down so that no week is overfilled."""
    arrays = ("sell", "prospect", "partner", "channel_account_manager")
    down = {name: np.floor(np.round(getattr(table, name) / LEAST_HOURS, 3)) / (1 / LEAST_HOURS) for name in arrays}
    return replace(table, **down)


def in_a_sentence(names: Sequence[str]) -> str:
    """Names with an "and", as a sentence has them."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
