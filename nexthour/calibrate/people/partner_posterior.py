"""The table of what is seen of partners, and the posterior of its kind, skill and engagement: Bayes' rule on a grid.

Deals in the table are those registered in one period; of these some are won, some still open. Blank is "not known",
which is not 0. Amounts are left out: they tell which deals a partner gets, not how well it sells.

A partner is of one of three kinds; its skill and engagement lie about what the scenario says of that kind, each for
itself. With the equations of the model (docs/model.md), and fit, W and the mix of segments from the scenario:

    registered deals ~ negative binomial, mean = opportunities in its accounts * engagement^beta
    wins             ~ beta-binomial of the deals decided, mean = fit * W * skill^alpha
    help asked for   ~ lognormal about what a partner of its kind takes
    ambition, certified people, deals found without help ~ ordered probit, see INDICATORS

Given the kind, skill and engagement are then independent, so all that is seen is a product over three short grids. What
is not known has no factor. Every spread and all of INDICATORS are judgement and stand here once.

Left out: that levels move (what is found is the mean over the period), growth of the market in the period, the luck
that partners share, and that the market map and the exponents may themselves be wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
import scipy
from pydantic import Field, model_validator

from nexthour.calibrate.files.hand_filled_table import read_rows
from nexthour.calibrate.files.notation import Decimal
from sim.arrays import FloatArray
from sim.documents.declared import Declared, declare
from sim.documents.messages import show
from sim.errors import TableError
from sim.scenario import Partner, Scenario
from sim.tape import pass_probabilities
from sim.terms import PARTNER_SEGMENTS, WEEKS_PER_QUARTER, Name, PartnerSegment, Share

Count = Annotated[int, Field(ge=0, le=100_000)]


class PartnerRow(Declared):
    """What can be seen of one partner."""

    partner: Name = declare("name of the partner", unit="text")
    registered_deals: Count | None = declare("deals it registered in the period", unit="deals", default=None)
    wins: Count | None = declare("of these, won so far by its own people", unit="deals", default=None)
    still_open: Count | None = declare("of these, not decided yet", unit="deals", default=None)
    found_alone: Count | None = declare("of these, found without your help", unit="deals", default=None)
    help_hours_per_week: float | None = declare(
        "hours of you that it asks for", unit="hours a week", default=None, ge=0, le=40
    )
    ambition: int | None = declare(
        "1: content as it is, to 5: wants to grow much and acts on it", unit="1 to 5", default=None, ge=1, le=5
    )
    certified_people: Count | None = declare("its people with your certificates", unit="people", default=None)
    account_share: Share | None = declare(
        "share of all opportunities of the territory that arise in its accounts, 0 to 1", unit="share", default=None
    )
    note: str = declare("anything to remember; not used", unit="text", default="", max_length=1000)

    @model_validator(mode="after")
    def _parts_of_what_it_registered(self) -> Self:
        parts = {name: getattr(self, name) for name in ("wins", "still_open", "found_alone")}
        known = {name: value for name, value in parts.items() if value is not None}
        if self.registered_deals is None:
            if known:
                raise ValueError(f"{next(iter(known))} is given without registered_deals; give both or neither")
            return self
        known["wins and still_open"] = known.get("wins", 0) + known.get("still_open", 0)
        for name, value in known.items():
            if value > self.registered_deals:
                raise ValueError(
                    f"{name}: {value:,} of {self.registered_deals:,} registered deals; allowed: at most all of them"
                )
        return self

    @property
    def found_alone_share(self) -> float | None:
        """Share of the registered deals that it found without help, if there are any."""
        return (
            self.found_alone / self.registered_deals if self.found_alone is not None and self.registered_deals else None
        )


def read_partners(
    path: Path | str, decimal: Decimal | None = None, encoding: str | None = None
) -> tuple[PartnerRow, ...]:
    """Read the rows of a CSV or XLSX file (read_rows has the options). Raises TableError, one sentence."""
    rows = [row for _, row in read_rows(path, PartnerRow, decimal, encoding)]
    names = [row.partner for row in rows]
    for name in names:
        if names.count(name) > 1:
            raise TableError(f"{path}: the partner {show(name)} stands twice; put what is known of it into one row")
    shares = sum(row.account_share for row in rows if row.account_share is not None)
    if shares > 1 + 1e-9:
        raise TableError(f"{path}: account_share sums to {shares:g}; allowed: at most 1, all opportunities there are")
    return tuple(rows)


About = Literal["kind", "skill", "engagement"]

KIND_SPREAD = 1.25
"""How much partners of a kind differ: for two in three the odds are within a factor of 3.5 of the kind's."""
LIKE_NO_KIND = 0.15
"""Share of partners whose level may as well lie anywhere from 0 to 1."""
HELP_SPREAD = 0.6
"""Logarithmic spread of the help that partners of a kind ask for: a factor of 1.8 either way."""
LEAST_HELP_HOURS = 0.05
"""Hours that 0 counts as on the logarithmic scale."""
TOO_GOOD = 0.01
"""A partner that would win as much as this rarely, were it as skilled as the manager, has another fit."""

LEVELS = (np.arange(400) + 0.5) / 400
"""Grid of skill and of engagement."""
STEPS = np.linspace(-3, 3, 41)
"""Grid of the opportunities in the accounts, in standard deviations of their logarithm."""


@dataclass(frozen=True)
class WeakSign:
    """A weak sign: its value speaks for a level, give or take `looseness`.

    Ordered probit: P(value < bounds[i]) = Phi((levels[i] - level) / looseness).
    """

    column: str
    about: About
    bounds: tuple[float, ...]
    levels: tuple[float, ...]
    looseness: float
    question: str

    def likelihoods(self) -> FloatArray:
        """Likelihood of each value by level, or by kind: shape (values, LEVELS) or (values, kinds)."""
        level = np.array([DRIVE[kind] for kind in PARTNER_SEGMENTS]) if self.about == "kind" else LEVELS
        cuts = np.array([-np.inf, *self.levels, np.inf])[:, None]
        return np.asarray(np.diff(scipy.stats.norm.cdf((cuts - level) / self.looseness), axis=0))

    def row_of(self, value: float) -> int:
        """The row of the likelihoods that belongs to a value."""
        return sum(value >= bound for bound in self.bounds)


INDICATORS = (
    WeakSign("certified_people", "skill", (1, 2, 4), (0.2, 0.4, 0.6), 0.30, "how many of its people are certified"),
    WeakSign("found_alone_share", "engagement", (0.2, 0.4, 0.6), (0.2, 0.4, 0.6), 0.25, "which deals it found alone"),
    WeakSign("ambition", "kind", (2, 3, 4, 5), (0.2, 0.4, 0.6, 0.8), 0.30, "how ambitious it is"),
)
DRIVE: Mapping[PartnerSegment, float] = {"achiever": 0.5, "believer": 0.8, "deceiver": 0.25}
"""Drive, which ambition shows: Believers want to grow, Achievers are content, Deceivers do little for it."""
SETTLED_BY: Mapping[frozenset[str], str] = {
    frozenset({"achiever", "believer"}): "leave it alone for a quarter: do its deals hold?",
    frozenset({"believer", "deceiver"}): "plan with it for a quarter: do its deals rise by a third?",
    frozenset({"achiever", "deceiver"}): "count its deals and wins for another quarter",
}
"""The observation that tells two kinds apart: that in which the model has them differ most."""


@dataclass(frozen=True, eq=False)
class Posterior:
    """Chances in proportion: of the kind, times those of skill and of engagement given the kind."""

    kind: FloatArray
    """chance of each kind, shape (kinds,)"""
    skill: FloatArray
    """shape (kinds, LEVELS)"""
    engagement: FloatArray
    """shape (kinds, LEVELS)"""

    def update(self, about: About, likelihood: FloatArray) -> Posterior:
        """The posterior after one more observation, independent of the others."""
        return replace(self, **{about: getattr(self, about) * likelihood})

    def weights(self) -> FloatArray:
        """Weights of the kinds, in proportion to their probabilities, shape (kinds,)."""
        return np.asarray(self.kind * self.skill.sum(axis=1) * self.engagement.sum(axis=1))

    def kinds(self) -> FloatArray:
        """Probability of each kind, shape (kinds,)."""
        weights = self.weights()
        return weights / weights.sum()

    def level(self, about: Literal["skill", "engagement"]) -> FloatArray:
        """Probability of each level, shape (LEVELS,)."""
        given = getattr(self, about)
        return np.asarray(self.kinds() @ (given / given.sum(axis=1, keepdims=True)))


def prior(scenario: Scenario) -> Posterior:
    """What is believed of a partner before anything is seen of it."""
    cells = len(LEVELS)
    edges = scipy.special.logit(np.linspace(0, 1, cells + 1))

    def around(level: float) -> FloatArray:
        centre = scipy.special.logit(min(max(level, LEVELS[0]), LEVELS[-1]))
        usual = np.diff(scipy.stats.norm.cdf(edges, centre, KIND_SPREAD))
        return np.asarray((1 - LIKE_NO_KIND) * usual + LIKE_NO_KIND / cells)

    traits = [getattr(scenario.partner_segments, kind) for kind in PARTNER_SEGMENTS]
    return Posterior(
        kind=np.array([getattr(scenario.segment_prior, kind) for kind in PARTNER_SEGMENTS]),
        skill=np.stack([around(trait.skill_start.likely) for trait in traits]),
        engagement=np.stack([around(trait.engagement_start.likely) for trait in traits]),
    )


def posterior(
    before: Posterior, row: PartnerRow, partner: Partner, account_spread: float, scenario: Scenario, weeks: float
) -> tuple[Posterior, FloatArray]:
    """The prior updated with all that the row says; and the chances of its accounts, shape (STEPS,).

    The opportunities in its accounts are those of `partner` times exp(account_spread * STEPS).
    """
    after = before
    accounts = np.ones(LEVELS.shape)[:, None] * scipy.stats.norm.pdf(STEPS)
    if row.registered_deals is not None:
        accounts = accounts * likelihood_of_registered(row.registered_deals, partner, account_spread, scenario, weeks)
        after = after.update("engagement", accounts.sum(axis=1))
        if row.wins is not None:
            after = after.update("skill", likelihood_of_wins(row, partner, scenario, weeks))
    if row.help_hours_per_week is not None:
        after = after.update("kind", likelihood_of_help(np.array([row.help_hours_per_week]), scenario)[0])
    for indicator in INDICATORS:
        value = getattr(row, indicator.column)
        if value is not None:
            after = after.update(indicator.about, indicator.likelihoods()[indicator.row_of(value)])
    # Given engagement, nothing but the registered deals says anything of the accounts.
    given = accounts / np.maximum(accounts.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    return after, after.level("engagement") @ given


# Likelihoods


def opportunities_by_segment(partner: Partner, scenario: Scenario) -> FloatArray:
    """Opportunities a quarter that arise in a partner's accounts, shape (segments,)."""
    return np.array([partner.base_share.get(s.name, 0.0) * s.opportunities_per_quarter for s in scenario.market_map])


def opportunities_in_accounts(partner: Partner, scenario: Scenario) -> float:
    """Opportunities a quarter that arise in a partner's accounts, in all."""
    return float(opportunities_by_segment(partner, scenario).sum())


def likelihood_of_registered(
    deals: int, partner: Partner, account_spread: float, scenario: Scenario, weeks: float
) -> FloatArray:
    """Likelihood of the registered deals by engagement and accounts, shape (LEVELS, STEPS); 1 at its highest."""
    expected = opportunities_by_segment(partner, scenario) * weeks / WEEKS_PER_QUARTER
    cv = np.array([s.demand_cv for s in scenario.market_map])
    # A week's demand varies by demand_cv, independently; over the period this averages out.
    varies = float(((expected * cv) ** 2).sum() / weeks / expected.sum() ** 2)
    size = 1 / max(varies, 1e-9)
    mean = LEVELS[:, None] ** scenario.assumptions.engagement_exponent.likely
    mean = mean * expected.sum() * np.exp(account_spread * STEPS)
    return _at_most_one(scipy.stats.nbinom.logpmf(deals, size, size / (size + mean)))


def likelihood_of_wins(row: PartnerRow, partner: Partner, scenario: Scenario, weeks: float) -> FloatArray:
    """Likelihood of the wins by skill, shape (LEVELS,); 1 at its highest."""
    deals, a, b = _wins_distribution(row, partner, scenario, weeks, LEVELS)
    return _at_most_one(scipy.stats.betabinom.logpmf(row.wins, deals, a, b))


def wins_too_often(row: PartnerRow, partner: Partner, scenario: Scenario, weeks: float) -> bool:
    """Whether even a partner as skilled as the manager would hardly win as much, if fit and win rates are right."""
    if row.wins is None:
        return False
    deals, a, b = _wins_distribution(row, partner, scenario, weeks, np.ones(1))
    return bool(scipy.stats.betabinom.sf(row.wins - 1, deals, a, b)[0] < TOO_GOOD)


def _wins_distribution(
    row: PartnerRow, partner: Partner, scenario: Scenario, weeks: float, skill: FloatArray
) -> tuple[int, FloatArray, FloatArray]:
    """Deals and the two parameters of the beta-binomial at each skill."""
    shares = opportunities_by_segment(partner, scenario)
    chance, variance = np.zeros(skill.shape), np.zeros(skill.shape)
    for segment, share in zip(scenario.market_map, shares / shares.sum(), strict=True):
        fit = partner.fit_by_segment.get(segment.name, partner.fit)
        wins = fit * pass_probabilities(segment)[-1] * skill**scenario.assumptions.skill_exponent.likely
        wins = np.clip(wins, 1e-6, 1 - 1e-6)
        # All deals of a segment's quarter share one factor: its slope is L * phi(Phi^-1(p)), see the copula.
        luck = segment.win_rate_shock * scipy.stats.norm.pdf(scipy.stats.norm.ppf(wins))
        chance += share * wins
        variance += (share * luck) ** 2 / max(1.0, weeks / WEEKS_PER_QUARTER)
    assert row.registered_deals is not None
    decided = _decided_share(partner, weeks) if row.still_open is None else 1.0
    chance, variance = chance * decided, variance * decided**2
    size = np.clip(chance * (1 - chance) / np.maximum(variance, 1e-12) - 1, 0.1, 1e7)
    return row.registered_deals - (row.still_open or 0), chance * size, (1 - chance) * size


def _decided_share(partner: Partner, weeks: float) -> float:
    """Expected share of the deals registered over the period that are decided at its end."""
    scale = max(partner.cycle_weeks, 1e-6) / scipy.special.gamma(1 + 1 / partner.cycle_shape)
    ages = (np.arange(200) + 0.5) / 200 * weeks
    return float(scipy.stats.weibull_min.cdf(ages, partner.cycle_shape, scale=scale).mean())


def likelihood_of_help(hours: FloatArray, scenario: Scenario) -> FloatArray:
    """Likelihood of the help asked for by kind, shape (hours, kinds)."""
    usual = [getattr(scenario.partner_segments, kind).reactive_support_hours.likely for kind in PARTNER_SEGMENTS]
    centre = np.log(np.maximum(usual, LEAST_HELP_HOURS))
    return np.asarray(scipy.stats.norm.pdf(np.log(np.maximum(hours, LEAST_HELP_HOURS))[:, None], centre, HELP_SPREAD))


def _at_most_one(logarithms: FloatArray) -> FloatArray:
    """Likelihoods in proportion to these logarithms, the highest of them 1, so that not all vanish."""
    return np.asarray(np.exp(logarithms - logarithms.max()))


def settling_question(row: PartnerRow, after: Posterior, scenario: Scenario) -> str:
    """The blank that is expected to tell most about the kind, else what tells the two likeliest kinds apart."""
    if row.registered_deals is None or row.wins is None:
        return "how many deals it registers and wins"
    known = after.kinds()
    whole = after.weights().sum()
    # Expected probability of the kind that will then be the likeliest.
    gains = {
        question: sum(after.update(about, answer).weights().max() for answer in answers) / whole - known.max()
        for question, about, answers in _open_questions(row, scenario)
    }
    best = max(gains, key=lambda question: gains[question], default=None)
    if best is not None and gains[best] > 0.01:
        return best
    order = np.argsort(known)
    return SETTLED_BY[frozenset(PARTNER_SEGMENTS[i] for i in order[-2:])]


def _open_questions(row: PartnerRow, scenario: Scenario) -> Iterator[tuple[str, About, FloatArray]]:
    """Each question not answered yet, what it tells about, and the likelihood of each answer."""
    for indicator in INDICATORS:
        if getattr(row, indicator.column) is None and (row.registered_deals or indicator.about != "engagement"):
            yield indicator.question, indicator.about, indicator.likelihoods()
    if row.help_hours_per_week is None:
        answers = likelihood_of_help(np.geomspace(LEAST_HELP_HOURS, 20, 60), scenario)
        yield "how many hours of you it asks for", "kind", answers / answers.sum(axis=0)
