"""What the planner knows of a territory: expected values by quarter, worked out once from a scenario.

A fluid model: deals are volumes, partners are what they are on average over the segments they may truly belong to, and
everything that happens within a quarter happens at its mean. It leaves out (the simulator has all of it):

* queues: a deal waits for the manager, and patience may end; buyers call when the manager is busy;
* the spread of stage hours and lags, and market-wide luck;
* which of its three segments a partner truly is, beyond the mean of its traits;
* channel conflicts, practice by a partner's own wins, and spare selling time that becomes prospecting.

So its forecast is corrected by simulation (reconcile.py) before anybody sees it.

Rows of everything "by period" are two quarters of history, the horizon, and the run-off after it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from sim.arrays import FloatArray
from sim.coefficients import RECRUIT, of_the_scenario
from sim.errors import SimulationError
from sim.plan import PlanTable
from sim.rules import partner_win_probability, resting_level
from sim.scenario import Candidate, Scenario, Stage
from sim.split_hours import expected_support
from sim.terms import HISTORY_QUARTERS, PARTNER_SEGMENTS, WEEKS_PER_QUARTER, WEEKS_PER_YEAR

HISTORY = HISTORY_QUARTERS
"""Periods before the horizon."""
LAGS = 4
"""Quarters, from that of its beginning, in which a deal may end; later ends count in the last."""


@dataclass(frozen=True)
class Stock:
    """Skill or engagement of the partners, arrays of shape (partners,)."""

    start: FloatArray
    ceiling: FloatArray
    alone: FloatArray
    parked: FloatArray
    """level it drifts to while parked"""
    kept: float
    """share of the distance from the resting level that is left after a quarter"""
    kept_on_average: float
    """share of that distance left on average over the weeks of the quarter"""

    @property
    def gain_at_end(self) -> float:
        """What a gain of 1 a week has added when the quarter ends."""
        return (1 - self.kept) / self._forgotten

    @property
    def gain_on_average(self) -> float:
        """What a gain of 1 a week has added on average over the weeks of the quarter."""
        return (1 - self.kept_on_average) / self._forgotten

    @property
    def _forgotten(self) -> float:
        return 1 - self.kept ** (1 / WEEKS_PER_QUARTER)


@dataclass(frozen=True)
class PlanningProblem:
    """Expected-value coefficients of a scenario. S segments, P partners (candidates last), T periods."""

    scenario: Scenario
    whole: Scenario
    """the scenario with the run-off"""
    quarters: int
    """number of quarters of the horizon"""
    past: int
    """number of quarters that are over"""
    followed: PlanTable | None
    """what was done in these"""
    demand: FloatArray
    """expected opportunities, shape (T, S)"""
    weeks_worked: FloatArray
    """weeks of a period that are not off, shape (T,)"""
    quota_usd: FloatArray
    """quota by quarter, shape (quarters,)"""
    value_usd: FloatArray
    """mean amount times the manager's win probability, shape (S,)"""
    sigma: FloatArray
    """lognormal spread of amounts, shape (S,)"""
    inbound: FloatArray
    prospecting_yield: FloatArray
    work_hours: FloatArray
    """hours that a deal takes by quarters since it was started, shape (S, LAGS)"""
    closes: FloatArray
    """share of the manager's deals that end, by quarters since they were started, shape (S, LAGS)"""
    deal_hours: FloatArray
    """all stage hours of a deal that goes to its end, shape (S,)"""
    base: FloatArray
    """share of a segment's accounts that are a partner's, shape (P, S)"""
    fit: FloatArray
    """shape (P, S)"""
    credit_share: FloatArray
    partner_closes: FloatArray
    """share of a partner's deals that end, by quarters since they were registered, shape (P, LAGS)"""
    flow_limit: FloatArray
    """deals that a partner's people can take on in a quarter, shape (P,); infinite where they take no time"""
    stays: FloatArray
    """share of the partners that have not left, shape (T, P)"""
    skill: Stock
    engagement: Stock
    teachability: FloatArray
    support_hours: FloatArray
    """a week, of a carried partner, as a plan counts them, shape (P,)"""
    carried_open_usd: FloatArray
    """quota credit still to come from the scenario's open pipeline, shape (T,)"""
    carried_open_hours: FloatArray
    """the manager's hours that it takes, shape (T,)"""
    prospecting_kept: float
    prospecting_kept_on_average: float

    @classmethod
    def of(
        cls, scenario: Scenario, run_off: int = 0, followed: PlanTable | None = None, past: int = 0
    ) -> PlanningProblem:
        """The problem of a scenario, with a `run_off` of quarters whose credit may count, after `past` quarters.

        `followed` is the plan of those quarters. Raises SimulationError for numbers that cannot be worked with.
        """
        whole = scenario.longer(run_off) if run_off else scenario
        try:
            numbers = of_the_scenario(whole, quarters=())
        except ArithmeticError as problem:
            raise SimulationError(f"scenario {scenario.name!r}: {problem}") from problem
        segments, partners = scenario.market_map, scenario.all_partners
        periods = HISTORY + whole.horizon_quarters
        passes = [list(segment.pass_below) for segment in numbers.segments]
        open_usd, open_hours = _open_pipeline(scenario, periods, passes)
        years = np.maximum(np.arange(periods) - HISTORY + 0.5, 0)[:, None] * WEEKS_PER_QUARTER / WEEKS_PER_YEAR
        base = np.zeros((len(partners), len(segments)))
        for s, segment_numbers in enumerate(numbers.segments):
            for p, share in segment_numbers.bases:
                base[p, s] = share
        return cls(
            scenario=scenario,
            whole=whole,
            quarters=scenario.horizon_quarters,
            past=past,
            followed=followed,
            demand=np.column_stack([_by_period(np.array(segment.demand)) for segment in numbers.segments]),
            weeks_worked=_by_period(1.0 - np.append(np.zeros(HISTORY * WEEKS_PER_QUARTER), numbers.week_off)),
            quota_usd=np.array(scenario.quota_usd()),
            value_usd=np.array([segment.value_per_opportunity for segment in numbers.segments]),
            sigma=np.array([segment.deal_size_sigma for segment in segments]),
            inbound=np.array([segment.inbound_share for segment in numbers.segments]),
            prospecting_yield=np.array([segment.prospecting_yield for segment in numbers.segments]),
            work_hours=np.array(
                [_work_hours(segment.stages, chances) for segment, chances in zip(segments, passes, strict=True)]
            ),
            closes=np.array(
                [_lag_shares(sum(stage.buyer_lag_weeks for stage in segment.stages)) for segment in segments]
            ),
            deal_hours=np.array([sum(stage.mean_hours for stage in segment.stages) for segment in segments]),
            base=base,
            fit=np.array([partner.fit for partner in numbers.partners]).reshape(base.shape),
            credit_share=np.array([partner.credit_share for partner in numbers.partners]),
            partner_closes=np.array(
                [_lag_shares(partner.cycle_weeks, partner.cycle_shape) for partner in partners]
            ).reshape(len(partners), LAGS),
            flow_limit=np.array(
                [p.capacity_deals * WEEKS_PER_QUARTER / p.cycle_weeks if p.cycle_weeks else np.inf for p in partners]
            ),
            stays=np.exp(-years * np.array([[partner.exit_hazard_per_year for partner in partners]])),
            skill=_stock(scenario, "skill", numbers.skill_forgotten),
            engagement=_stock(scenario, "engagement", numbers.engagement_forgotten),
            teachability=_expected(scenario, "teachability"),
            support_hours=np.array([expected_support(scenario, partner.name) for partner in partners]),
            carried_open_usd=open_usd,
            carried_open_hours=open_hours,
            prospecting_kept=(1 - numbers.prospecting_forgotten) ** WEEKS_PER_QUARTER,
            prospecting_kept_on_average=_on_average(1 - numbers.prospecting_forgotten),
        )

    def sign_probability(self, p: int) -> float:
        """Chance that a partner is there once it was won; 1 for those that are there from the first day."""
        return 1.0 if p < self.established else self.scenario.candidates[p - self.established].sign_probability

    @property
    def periods(self) -> int:
        """Number of quarters of history, horizon and run-off."""
        return len(self.demand)

    @property
    def established(self) -> int:
        """Number of partners that are there from the first day; the others are candidates."""
        return len(self.scenario.partners)

    @property
    def account_manager_factor(self) -> float:
        """What an hour of the account manager is worth in the manager's; 0 if there is none."""
        cam = self.scenario.channel_account_manager
        return cam.factor if cam else 0.0

    def credit_usd(self, direct_usd: FloatArray, partner_usd: FloatArray) -> FloatArray:
        """Quota credit of bookings, shapes (..., quarters) and (..., quarters, partners): shape (..., quarters)."""
        return np.asarray(direct_usd + partner_usd @ self.credit_share)

    def ready_after(self, candidate: Candidate) -> int:
        """Quarters from that in which a candidate is recruited to the first in which it sells."""
        return 1 + round(candidate.onboarding_weeks / WEEKS_PER_QUARTER)

    def recruited_in(self, k: int) -> int | None:
        """The past quarter, from 0, in which candidate k had all the hours it needed; None if it did not."""
        enough = np.flatnonzero(self._recruiting_hours_given(k) >= self.scenario.candidates[k].recruiting_hours)
        return int(enough[0]) if len(enough) else None

    def recruiting_hours_left(self, k: int) -> float:
        """Hours that candidate k still needs until it decides."""
        return self.scenario.candidates[k].recruiting_hours - float(self._recruiting_hours_given(k)[-1:].sum())

    def _recruiting_hours_given(self, k: int) -> FloatArray:
        """Up to the end of each past quarter, shape (past,)."""
        if self.followed is None:
            return np.zeros(0)
        account_manager = self.followed.channel_account_manager * self.account_manager_factor
        hours = (self.followed.partner + account_manager)[: self.past, RECRUIT, self.established + k]
        return np.cumsum(hours * self.weeks_worked[HISTORY : HISTORY + self.past])


def _by_period(weekly: FloatArray) -> FloatArray:
    return np.asarray(weekly.reshape(-1, WEEKS_PER_QUARTER).sum(axis=1))


def _lag_shares(mean_weeks: float, shape: float = np.inf) -> FloatArray:
    """Share of deals, begun at any time of a quarter, that end 0, 1, ... quarters later: shape (LAGS,).

    Their time is Weibull of this mean and shape; of an infinite one, always the same.
    """
    if mean_weeks == 0:
        return np.eye(1, LAGS)[0]
    chances = (np.arange(400) + 0.5) / 400
    times = np.full(400, mean_weeks)
    if np.isfinite(shape):
        times = mean_weeks * (-np.log(1 - chances)) ** (1 / shape) / special.gamma(1 + 1 / shape)
    whole, part = np.divmod(times / WEEKS_PER_QUARTER, 1)
    both = np.append(whole, whole + 1).clip(0, LAGS - 1).astype(int)
    return np.bincount(both, np.append(1 - part, part), minlength=LAGS) / 400


def _work_hours(stages: tuple[Stage, ...], passes: list[float]) -> FloatArray:
    hours, lag_weeks, reached = np.zeros(LAGS), 0.0, 1.0
    for stage, passed in zip(stages, passes, strict=True):
        hours += reached * stage.mean_hours * _lag_shares(lag_weeks)
        lag_weeks, reached = lag_weeks + stage.buyer_lag_weeks, passed
    return hours


def _expected(scenario: Scenario, trait: str) -> FloatArray:
    """Mean of a trait over the segments that partners may truly be of, by what they are labelled: shape (P,)."""
    accuracy, prior = scenario.assumptions.label_accuracy.likely, scenario.segment_prior
    means = np.zeros(len(scenario.all_partners))
    for p, partner in enumerate(scenario.all_partners):
        for name in PARTNER_SEGMENTS:
            chance = accuracy * (name == partner.label) + (1 - accuracy) * getattr(prior, name)
            means[p] += chance * getattr(scenario.traits(partner, name), trait).likely
    return means


def _stock(scenario: Scenario, name: str, forgotten: float) -> Stock:
    kept = 1 - forgotten
    alone = _expected(scenario, f"{name}_alone")
    return Stock(
        start=_expected(scenario, f"{name}_start"),
        ceiling=_expected(scenario, f"{name}_ceiling"),
        alone=alone,
        parked=resting_level(1.0, parked=True) * alone,
        kept=kept**WEEKS_PER_QUARTER,
        kept_on_average=_on_average(kept),
    )


def _on_average(kept_in_a_week: float) -> float:
    """Share left of what was there as the quarter began, on average over its weeks."""
    return float((kept_in_a_week ** np.arange(WEEKS_PER_QUARTER)).mean())


def _open_pipeline(scenario: Scenario, periods: int, passes: list[list[float]]) -> tuple[FloatArray, FloatArray]:
    """Credit to come and hours to give, by period, of the deals that are open on the first day."""
    credit, hours = np.zeros(periods), np.zeros(periods)
    partners = {partner.name: p for p, partner in enumerate(scenario.partners)}
    skill = _expected(scenario, "skill_start")

    def end(usd: float, lags: FloatArray, of: FloatArray) -> None:
        of[HISTORY : HISTORY + LAGS] += usd * lags[: periods - HISTORY]

    for deal in scenario.open_pipeline or ():
        s = scenario.segment_names.index(deal.segment)
        segment, chances = scenario.market_map[s], passes[s]
        if deal.route == "direct":
            reached = chances[deal.stage - 2] if deal.stage > 1 else 1.0
            left = segment.stages[deal.stage - 1 :]
            rest = [chance / reached if reached > 0 else 0.0 for chance in chances[deal.stage - 1 :]]
            lag_weeks, comes_to = 0.0, 1.0
            for stage, passed in zip(left, rest, strict=True):
                end(comes_to * stage.mean_hours, _ending_after(lag_weeks), hours)
                lag_weeks, comes_to = lag_weeks + stage.buyer_lag_weeks, passed
            end(deal.amount_usd * comes_to, _ending_after(lag_weeks), credit)
        else:
            p = partners[deal.route]
            partner = scenario.partners[p]
            fit = partner.fit_by_segment.get(deal.segment, partner.fit)
            alpha = scenario.assumptions.skill_exponent.likely
            wins = partner_win_probability(fit, chances[-1], float(skill[p]), alpha)
            end(deal.amount_usd * wins * scenario.credit_share(partner), _ending_after(partner.cycle_weeks), credit)
    return credit, hours


def _ending_after(weeks: float) -> FloatArray:
    """The whole of what ends some weeks after the first day, by quarter: shape (LAGS,)."""
    return np.eye(LAGS)[min(int(weeks // WEEKS_PER_QUARTER), LAGS - 1)]
