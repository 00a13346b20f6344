"""What people say a partner would sell with more or less help, and the gain and tau that say the same in the model.

    rows = read_judgement("judgement.csv")
    judgement = fit_judgement(rows, scenario)
    save_scenario(with_judgement(scenario, judgement), "mine.yaml")

Decision calculus (Little 1970, "Models and managers: the concept of a decision calculus", Management Science 16): a
person says what a partner would sell in a year with no help, today's, more, and as much as it can use. Gain and tau of
the model are those whose year is nearest to the answers, by least squares on sales in shares of today's. A year is 52
weeks of the stock that the activity moves (skill for coaching, engagement for joint planning), from the partner's
start, with sales in proportion to stock^exponent; the other stock stays as it is and cancels.

Left out: practice by the partner's own wins, growth of the market, that a person's gain and tau go together, and
whether people are right. Several people's answers stand side by side; the range is as wide as they differ.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, inf, log
from pathlib import Path
from statistics import median
from typing import Any, Literal, Self

import numpy as np
import scipy
from pydantic import model_validator

from nexthour.calibrate.files.hand_filled_table import read_rows
from nexthour.calibrate.files.notation import Decimal
from sim.arrays import FloatArray
from sim.documents.declared import Declared, declare
from sim.documents.messages import guess, show
from sim.errors import TableError
from sim.ranges import Range
from sim.rules import next_level, saturating_gain, share_forgotten
from sim.scenario import PartnerTraits, Scenario
from sim.terms import PARTNER_SEGMENTS, WEEKS_PER_YEAR, Name

HelpActivity = Literal["coach", "joint_plan"]
STOCKS: Mapping[str, str] = {"coach": "skill", "joint_plan": "engagement"}
AMOUNTS: Mapping[str, float] = {
    "with_none": 0.0,
    "with_today": 1.0,
    "with_half_more": 1.5,
    "with_double": 2.0,
    "with_all_it_can_use": inf,
}
"""The hours that each question asks about, in multiples of today's."""
ANSWER_ERROR = 0.05
"""How well anybody can say such a thing, as a share of today's sales. Judgement."""
TOLERANCE = 0.2
"""An answer that the model misses by more than this share of today's sales is one that it cannot give. Smaller misses
widen the person's own range."""
Bounds = tuple[float, float]
GAIN_BOUNDS: Bounds = (0.0, 1.0)
TAU_BOUNDS: Bounds = (0.01, 100.0)
"""Lowest and highest gain and tau that a scenario allows."""
GAIN_VAGUE, TAU_VAGUE = 2.0, log(3)
"""How vague the two are where answers say nothing of them: gain in multiples of the scenario's, tau by a factor of 3
either way. Judgement."""
FEW = 2
"""Number of people up to which the range stays as wide as the scenario's was."""
NO_GAIN = 1e-3
"""Share of the scenario's gain below which there is none."""
QUANTILE = 1.645
"""Standard errors either way that make 90%."""
LONGEST_SOURCE = 1000
"""Letters that a source may have."""


class JudgementRow(Declared):
    """One person's answers on one partner: sales in a year in any unit, so long as it is the same along the row."""

    person: Name = declare("who says it", unit="text")
    partner: Name = declare("a partner of the scenario, or achiever, believer or deceiver", unit="text")
    activity: HelpActivity = declare("the help that changes; all else stays as today", unit="text")
    hours_per_week: float = declare("hours of it today", unit="hours a week", gt=0, le=40)
    with_none: float = declare("its sales in a year with none of it", unit="sales a year", ge=0)
    with_today: float = declare("its sales in a year with today's hours", unit="sales a year", gt=0)
    with_half_more: float | None = declare(
        "its sales in a year with half as much again", unit="sales a year", default=None, ge=0
    )
    with_double: float = declare("its sales in a year with double", unit="sales a year", ge=0)
    with_all_it_can_use: float = declare("its sales in a year with as much as it can use", unit="sales a year", ge=0)
    note: str = declare("anything to remember; not used", unit="text", default="", max_length=1000)

    @model_validator(mode="after")
    def _more_help_never_sells_less(self) -> Self:
        for (less, before), (more, after) in pairwise(self.answers()):
            if after < before:
                raise ValueError(
                    f"{more} {after:g} is below {less} {before:g}; allowed: sales that do not fall with more help "
                    "(the model has no help that harms)"
                )
        if self.with_double <= self.with_none < self.with_all_it_can_use:
            raise ValueError(
                f"with_double {self.with_double:g} is no more than with_none, and with_all_it_can_use is; "
                "allowed: answers that rise from the first hours on, or all the same"
            )
        return self

    def answers(self) -> Iterator[tuple[str, float]]:
        """Each question with its answer, from no help to most; unanswered ones are left out."""
        for question in AMOUNTS:
            answer = getattr(self, question)
            if answer is not None:
                yield question, answer

    def rises_faster_later(self) -> bool:
        """Whether later hours are said to bring more than earlier ones, which the model's response never does."""
        points = [(AMOUNTS[question], answer) for question, answer in self.answers() if AMOUNTS[question] < inf]
        slopes = [(b - a) / (y - x) for (x, a), (y, b) in pairwise(points)]
        return any(after > before + 1e-9 * self.with_today for before, after in pairwise(slopes))


@dataclass(frozen=True)
class FittedAnswer:
    """One answer beside what the model says with the fitted gain and tau: sales in shares of today's."""

    row: JudgementRow
    question: str
    stated: float
    fitted: float


@dataclass(frozen=True)
class Opinion:
    """One person's gain and tau of one activity."""

    person: str
    activity: HelpActivity
    gain: Range
    """gain a week, and how well the answers say it: 90%"""
    tau: Range | None
    """hours a week; None if the person says that this help changes nothing"""
    answers: tuple[FittedAnswer, ...]

    @property
    def missed(self) -> tuple[FittedAnswer, ...]:
        """The answers that the model cannot give together with the others; if there are any, the person is left out."""
        return tuple(answer for answer in self.answers if abs(answer.stated - answer.fitted) > TOLERANCE)


@dataclass(frozen=True)
class Judgement:
    """Everybody's opinion, and the ranges that they make of the scenario's assumptions."""

    name: str
    opinions: tuple[Opinion, ...]
    ranges: Mapping[str, Range]
    """field of `assumptions` to its range"""

    def as_dict(self) -> dict[str, Any]:
        """Ranges and opinions as plain data, for JSON."""
        return {
            "table": self.name,
            "ranges": {field: dict(fitted) for field, fitted in self.ranges.items()},
            "opinions": [
                {
                    "person": opinion.person,
                    "activity": opinion.activity,
                    "gain_per_week": dict(opinion.gain),
                    "tau_hours": None if opinion.tau is None else dict(opinion.tau),
                    "left_out": bool(opinion.missed),
                    "answers": [
                        {"partner": a.row.partner, "question": a.question, "said": a.stated, "fitted": a.fitted}
                        for a in opinion.answers
                    ],
                }
                for opinion in self.opinions
            ],
        }


def read_judgement(
    path: Path | str, decimal: Decimal | None = None, encoding: str | None = None
) -> tuple[JudgementRow, ...]:
    """Read the rows of a CSV or XLSX file (read_rows has the options). Raises TableError, one sentence."""
    rows = read_rows(path, JudgementRow, decimal, encoding)
    seen: dict[tuple[str, str, str], str] = {}
    for where, row in rows:
        key = (row.person, row.partner, row.activity)
        if key in seen:
            raise TableError(f"{where}: {row.person} on {row.activity} with {row.partner} stands at {seen[key]} too")
        seen[key] = where
    return tuple(row for _, row in rows)


def fit_judgement(rows: Sequence[JudgementRow], scenario: Scenario, name: str = "the table") -> Judgement:
    """Fit gain and tau of each person and activity, and pool them to ranges. Raises TableError, one sentence.

    likely is the median of the people; low and high are the lowest and highest that each one's own answers allow.
    FEW people, or one, do not make a range narrower, in proportion, than the scenario had. Who gives answers that the
    model cannot give is kept among the opinions, and left out of the ranges.
    """
    for row in rows:
        _traits(row, scenario, name)
    grouped: dict[tuple[HelpActivity, str], list[JudgementRow]] = {}
    for row in rows:
        grouped.setdefault((row.activity, row.person), []).append(row)
    opinions = tuple(_fit_opinion(answered, scenario, name) for answered in grouped.values())
    ranges: dict[str, Range] = {}
    for activity in dict.fromkeys(opinion.activity for opinion in opinions):
        usable = [opinion for opinion in opinions if opinion.activity == activity and not opinion.missed]
        gains = {opinion.person: opinion.gain for opinion in usable}
        taus = {opinion.person: opinion.tau for opinion in usable if opinion.tau is not None}
        for field, stated, bounds in (
            (f"{activity}_gain_per_week", gains, GAIN_BOUNDS),
            (f"{activity}_tau_hours", taus, TAU_BOUNDS),
        ):
            if stated:
                ranges[field] = _pool(stated, getattr(scenario.assumptions, field), bounds, name)
    return Judgement(name, opinions, ranges)


def with_judgement(scenario: Scenario, judgement: Judgement) -> Scenario:
    """The scenario with these ranges in place of its own."""
    return scenario.variant(assumptions=scenario.assumptions.model_copy(update=dict(judgement.ranges)))


def _traits(row: JudgementRow, scenario: Scenario, name: str) -> PartnerTraits:
    """Traits of the partner as its label has them. Raises TableError if the scenario does not know it."""
    for partner in scenario.all_partners:
        if partner.name == row.partner:
            return scenario.traits(partner, partner.label)
    if row.partner not in PARTNER_SEGMENTS:
        known = [*scenario.partner_names, *PARTNER_SEGMENTS]
        raise TableError(f"{name}: {row.person} on unknown partner {show(row.partner)}; {guess(row.partner, known)}")
    traits: PartnerTraits = getattr(scenario.partner_segments, row.partner)
    return traits


def yearly_sales(row: JudgementRow, traits: PartnerTraits, scenario: Scenario, gain: float, tau: float) -> list[float]:
    """Sales of a year in shares of today's, one for each question that `row` answers."""
    stock = STOCKS[row.activity]
    start, alone, ceiling = (getattr(traits, f"{stock}_{level}").likely for level in ("start", "alone", "ceiling"))
    forgotten = share_forgotten(getattr(scenario.assumptions, f"{stock}_half_life_weeks").likely)
    exponent = getattr(scenario.assumptions, f"{stock}_exponent").likely

    def sales(amount: float) -> float:
        gained = traits.teachability.likely * saturating_gain(gain, amount * row.hours_per_week, tau)
        level, sold = start, 0.0
        for _ in range(WEEKS_PER_YEAR):
            sold += level**exponent
            level = next_level(level, alone, ceiling, forgotten, gained)
        return sold

    today = sales(AMOUNTS["with_today"])
    return [sales(AMOUNTS[question]) / today for question, _ in row.answers()]


def _fit_opinion(rows: Sequence[JudgementRow], scenario: Scenario, name: str) -> Opinion:
    activity, person = rows[0].activity, rows[0].person
    answered = [(row, _traits(row, scenario, name)) for row in rows]
    usual_gain = getattr(scenario.assumptions, f"{activity}_gain_per_week").likely
    usual_tau = getattr(scenario.assumptions, f"{activity}_tau_hours").likely
    asked = [(row, question, answer / row.with_today) for row in rows for question, answer in row.answers()]

    def sales(gain: float, tau: float) -> FloatArray:
        return np.concatenate([yearly_sales(row, traits, scenario, gain, tau) for row, traits in answered])

    if (sales(GAIN_BOUNDS[1], usual_tau) == sales(0.0, usual_tau)).all():
        raise TableError(
            f"{name}: {person} on {activity}: no help changes what {rows[0].partner} sells in scenario "
            f"{scenario.name!r} (its teachability is 0, or it is at its ceiling); ask about another partner"
        )
    stated = np.array([answer for _, _, answer in asked])
    usual_gain = usual_gain if usual_gain > 0 else GAIN_BOUNDS[1] / 100
    gain, tau, says_something = _fit_gain_and_tau(sales, stated, usual_gain, usual_tau)
    fitted = sales(gain.likely, tau.likely).tolist()
    answers = tuple(FittedAnswer(*question, value) for question, value in zip(asked, fitted, strict=True))
    return Opinion(person, activity, gain, tau if says_something else None, answers)


def _fit_gain_and_tau(
    sales: Callable[[float, float], FloatArray], stated: FloatArray, usual_gain: float, usual_tau: float
) -> tuple[Range, Range, bool]:
    """Gain and tau that give sales nearest to those stated, with 90% intervals; and whether there is any gain."""

    def misses(x: FloatArray) -> FloatArray:
        return sales(float(x[0]) * usual_gain, exp(float(x[1]))) - stated

    bounds = ((0.0, log(TAU_BOUNDS[0])), (GAIN_BOUNDS[1] / usual_gain, log(TAU_BOUNDS[1])))
    tight = {"xtol": 1e-12, "ftol": 1e-12, "gtol": 1e-12}
    starts = [(1.0, log(usual_tau) + shift) for shift in (-TAU_VAGUE, 0.0, TAU_VAGUE)]
    found = [scipy.optimize.least_squares(misses, start, bounds=bounds, **tight) for start in starts]
    best = min(found, key=lambda fit: float(fit.cost))
    # Answers are as good as ANSWER_ERROR, or as the model misses them. Where they say nothing of a number, it is vague.
    error = max(ANSWER_ERROR, (2 * best.cost / len(stated)) ** 0.5)
    precision = best.jac.T @ best.jac / error**2 + np.diag([GAIN_VAGUE**-2, TAU_VAGUE**-2])
    off = QUANTILE * np.linalg.inv(precision).diagonal() ** 0.5
    says_something = bool(best.x[0] > NO_GAIN)
    gain = best.x[0] if says_something else 0.0
    return (
        _bounded_range((gain - off[0]) * usual_gain, gain * usual_gain, (gain + off[0]) * usual_gain, GAIN_BOUNDS),
        _bounded_range(exp(best.x[1] - off[1]), exp(best.x[1]), exp(best.x[1] + off[1]), TAU_BOUNDS),
        says_something,
    )


def _bounded_range(low: float, likely: float, high: float, bounds: Bounds, source: str = "judgement") -> Range:
    low, likely, high = (float(f"{min(max(x, bounds[0]), bounds[1]):.4g}") for x in (low, likely, high))
    return Range(low=low, likely=likely, high=high, source=source)


def _pool(stated: Mapping[str, Range], before: Range, bounds: Bounds, name: str) -> Range:
    likely = median(one.likely for one in stated.values())
    low, high = min(one.low for one in stated.values()), max(one.high for one in stated.values())
    few = len(stated) <= FEW and before.likely > 0
    if few:
        low, high = min(low, likely * before.low / before.likely), max(high, likely * before.high / before.likely)
    people = [f"{person} {one.likely:g} ({one.low:g} to {one.high:g})" for person, one in stated.items()]
    source = (
        f"judgement of {len(stated)} in {name}, decision calculus (Little 1970); likely: median, ends: the widest of "
        f"each one's 90%{', no narrower than before' if few else ''}: "
    )
    while len(source) + len("; ".join(people)) > LONGEST_SOURCE:
        people = [*people[:-2], "and others"]
    return _bounded_range(low, likely, high, bounds, source + "; ".join(people))
