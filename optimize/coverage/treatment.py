"""Channel segmentation: where each partner stands, by results and commitment, and how a plan treats it.

The treatment is read off the plan's hours, in words that a partner may read. Where it is not the usual one for what the
manager believes the partner to be, a reason is given if one can be computed.

Left out: whether the plan is right to do so (the planner, and its certificate).
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from optimize.coverage.remedies import in_a_sentence
from optimize.effort import Effort
from optimize.objective import Objective
from optimize.problem import HISTORY, PlanningProblem
from optimize.search.rounding import STEP_HOURS
from sim.arrays import FloatArray
from sim.plan import ACTIVITY_WORDS, PlanTable, TimePlan
from sim.rules import bring_probability
from sim.scenario import Scenario
from sim.split_hours import equal_runs
from sim.study import estimates
from sim.study.batches import table_bookings
from sim.study.estimates import Estimate
from sim.study.options import SEED
from sim.study.request import check_plan
from sim.terms import PARTNER_ACTIVITIES, TREATMENTS

SEEN_AS_DEVELOPMENT = ("coach", "joint_plan", "co_sell")
"""Activities of which more than STEP_HOURS a week in some quarter is development."""
LEAST_SAID = 0.05
"""Hours a week that are worth a word."""

TreatmentWord = Literal["Maintain", "Develop", "Limit", "Recruit", "Leave"]
LEAST_TO_MOST = ("Limit", "Maintain", "Develop")


@dataclass(frozen=True)
class Treatment:
    """One partner or candidate in the grid, and what the plan does with it."""

    partner: str
    is_candidate: bool
    treatment: TreatmentWord
    says: str
    """what the plan does with it, one sentence"""
    usual: TreatmentWord | None
    """the usual treatment of what the manager believes it is; None for a candidate"""
    reason: str
    """why not the usual one, as far as can be computed"""
    results: Estimate
    """share of quota credit under the status quo"""
    commitment: float
    """share of its accounts' opportunities that it brings today"""
    value_share: float
    """share of the market's value that lies in its accounts"""
    high_results: bool
    """whether results are above the mean of the partners"""
    high_commitment: bool

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def treatments(
    scenario: Scenario, plan: TimePlan, seed: int = SEED.default, effort: Effort | str = Effort.normal
) -> tuple[Treatment, ...]:
    """Each partner, then each candidate, once. Raises PlanError if the plan does not fit."""
    check_plan("plan", plan)
    table = plan.table(scenario)
    problem = PlanningProblem.of(scenario)
    direct, credit = credit_today(scenario, Effort.of(effort).results_markets, seed)
    total = float(direct.mean() + credit.sum(axis=1).mean())
    results = [estimates.mean(usd).scaled(1 / total if total > 0 else 0.0) for usd in credit.T]
    beta = scenario.assumptions.engagement_exponent.likely
    commitment = [bring_probability(float(engagement), beta) for engagement in problem.engagement.start]
    market = problem.demand[HISTORY : HISTORY + problem.quarters].sum(axis=0) * problem.value_usd
    value = problem.base @ market / max(float(market.sum()), 1.0)
    there = slice(problem.established)
    average = float(np.mean([result.value for result in results[there]])) if results[there] else 0.0
    kept = 1 - Objective.of(scenario, "quota_credit", 0.0).partner_share
    rows = []
    for p, partner in enumerate(scenario.all_partners):
        is_candidate = p >= problem.established
        word = _treatment_word(table, p, is_candidate)
        usual = None if is_candidate else cast(TreatmentWord, TREATMENTS[partner.label])
        reason = ""
        if usual not in (None, word):
            more = LEAST_TO_MOST.index(word) > LEAST_TO_MOST.index(usual)
            reason = _reason(more, value[p], value[there], kept[p], kept[there])
        rows.append(
            Treatment(
                partner=partner.name,
                is_candidate=is_candidate,
                treatment=word,
                says=f"{partner.name}: {word}. {_treatment_sentence(table, p, is_candidate)}.",
                usual=usual,
                reason=reason,
                results=results[p],
                commitment=commitment[p],
                value_share=float(value[p]),
                high_results=not is_candidate and results[p].value > average,
                high_commitment=commitment[p] > float(np.mean(commitment[there] or [1.0])),
            )
        )
    return tuple(rows)


def credit_today(scenario: Scenario, markets: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Quota credit in US dollars over the horizon under the status quo, by market: the manager's own, shape (markets,),
    and by partner, candidates last, shape (markets, partners)."""
    objective = Objective.of(scenario, "quota_credit", 0.0)
    booked = table_bookings(scenario, [TimePlan.status_quo(scenario).table(scenario)], range(markets), seed)
    return booked.direct[0].sum(axis=1), booked.partner[0].sum(axis=1) * objective.partner_share


def _hours(table: PlanTable, p: int) -> FloatArray:
    """Hours a week for a partner, the account manager's too: shape (quarters, PARTNER_ACTIVITIES)."""
    return np.asarray(table.partner[:, :, p] + table.channel_account_manager[:, :, p])


def _treatment_word(table: PlanTable, p: int, is_candidate: bool) -> TreatmentWord:
    hours = _hours(table, p)
    if is_candidate:
        return "Recruit" if hours[:, PARTNER_ACTIVITIES.index("recruit")].any() else "Leave"
    developing = hours[:, [PARTNER_ACTIVITIES.index(activity) for activity in SEEN_AS_DEVELOPMENT]].sum(axis=1)
    if developing.max() > STEP_HOURS:
        return "Develop"
    return "Limit" if table.parked[:, p].any() else "Maintain"


def _treatment_sentence(table: PlanTable, p: int, is_candidate: bool) -> str:
    parked, given = table.parked[:, p], list(_hours_in_words(table, p))
    if is_candidate and _treatment_word(table, p, is_candidate) == "Leave":
        return "Not recruited"
    if parked.all() and not is_candidate:
        return "Parked throughout"
    parts = [words for words, _ in given]
    if table.channel_account_manager[:, :, p].any():
        parts.append("the account manager's hours included")
    if parked.any() and not is_candidate:
        parts.append(f"parked {_quarters_in_words(parked)}")
    elif given and max(last for _, last in given) < len(parked) - 1:
        parts.append("then left to sell")
    said = ", ".join(parts) or "carried, without planned hours"
    return said[0].upper() + said[1:]


def _hours_in_words(table: PlanTable, p: int) -> Iterator[tuple[str, int]]:
    """Hours in words, activities with the same quarters together, and the last of those quarters."""
    hours = _hours(table, p)
    by_quarters: dict[bytes, list[int]] = {}
    for activity in range(len(PARTNER_ACTIVITIES)):
        some = hours[:, activity] >= LEAST_SAID
        if some.any():
            by_quarters.setdefault(some.tobytes(), []).append(activity)
    in_order = sorted(by_quarters.items(), key=lambda item: int(np.frombuffer(item[0], bool).argmax()))
    for written, activities in in_order:
        some = np.frombuffer(written, bool)
        words = [f"{ACTIVITY_WORDS[PARTNER_ACTIVITIES[a]]} {_range_text(hours[some, a])} h" for a in activities]
        yield f"{in_a_sentence(words)} a week in {_quarters_in_words(some)}", int(np.flatnonzero(some)[-1])


def _range_text(hours: FloatArray) -> str:
    low, high = (f"{float(value):.2f}".rstrip("0").rstrip(".") for value in (hours.min(), hours.max()))
    return low if low == high else f"{low}-{high}"


def _quarters_in_words(some: NDArray[np.bool_]) -> str:
    runs = [(first, last) for first, last in equal_runs(some.tolist()) if some[first]]
    return in_a_sentence([f"Q{a + 1}" if a == b else f"Q{a + 1}-Q{b + 1}" for a, b in runs])


def _reason(more: bool, value: float, values: FloatArray, kept: float, all_kept: FloatArray) -> str:
    """Why a partner gets `more` than usual, or less: its accounts, its margin; nothing if neither speaks for it."""
    reasons = []
    if (value > values.mean()) if more else (value < values.mean()):
        reasons.append(
            f"its accounts hold {value:.1%} of the market's value, {'more' if more else 'less'} than an average "
            f"partner's {values.mean():.1%}"
        )
    if (kept < all_kept.mean() - 0.005) if more else (kept > all_kept.mean() + 0.005):
        reasons.append(f"{1 - kept:.0%} of its bookings count, {1 - all_kept.mean():.0%} on average")
    return " and ".join(reasons)
