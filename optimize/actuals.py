"""What happened so far: the ground for planning again in the middle of a horizon.

The past is the plan that was followed and what was seen of it (`Actuals`). Nothing of the present is made up from that:
of many markets, simulated under the plan that was followed, those are kept whose past is most like what happened
(approximate Bayesian computation by rejection; Tavaré et al. 1997, Beaumont, Zhang & Balding 2002). The open pipeline,
what partners truly are, their skill and engagement, who has left: in these markets all of it is there, and fits
together. A planner then searches in them alone.

What to compare is not obvious: a hundred figures of a past hold a hundred strokes of luck, and few of them say anything
of what is to come. So a market is as near as its past lets the same be expected (Fearnhead & Prangle 2012): the figures
are first put together, by regression over the markets, into what they tell of bookings to come, the manager's own and
each partner's.

How much it helps. Most credit of the next year comes from deals that nobody has seen yet, and no past tells of these:
in the baseline territory the error of its forecast hardly falls, and that mostly by the open pipeline, which is worth
entering. What is learnt well is the partners: who is what, who has left, and what each will bring. docs/replan.md has
the figures, and tells how to use it.

Left out: the assumptions, which stay the scenario's own (calibrate/), and the planning (reconcile.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from sim import kpis
from sim.batches import KeptTapes, check_count, check_plan, table_values
from sim.documents import Declared, Document, FrozenMap, Items, declare, validate
from sim.errors import InputError, PlanError
from sim.experiment import keep_tapes
from sim.kpis import Kpi, Tally
from sim.market import check_seed
from sim.plan import TimePlan
from sim.scenario import MAX_USD, PARTNER_SEGMENTS, Scenario, known_keys

FloatArray = NDArray[np.float64]
BAND_MARKETS = 1000
"""As many as a comparison has, so that a range on screen and a deviation come from the same runs."""
BAND = (0.1, 0.9)
"""Quantiles between which a figure is as planned."""
WANTED, PLANNED_IN = 500, 1000
MARKETS_EACH = 20
"""Markets of the pool for each that is kept, within the two limits below."""
LEAST_POOL, MOST_POOL = 4_000, 20_000
MOST_FIGURES = 1000
RIDGE = 0.1
"""Weight of no slope at all, in pools: it keeps figures that are sums of each other, or too many, from being played off
against each other."""
OUTSIDE_SHARE, OUTSIDE_SPREADS = 0.005, 1.0
"""What happened is outside of what the scenario thinks possible if a smaller share of markets is as far from the middle
(Box 1980), or a figure is farther than that from every one of them: some one in a hundred markets that are possible."""
FARTHEST = 3
"""Figures that are named then."""

KPIS = {kpi.name: kpi for kpi in kpis.KPIS}
BY_PARTNER = {
    kpi.name: kpi
    for kpi in (
        Kpi("registered_deals", "registered deals", "deals", "leading", kpis.registered_by_partner),
        Kpi("won_usd", "bookings, gross", "US dollars", "lagging", kpis.bookings_by_partner),
    )
}
"""Indicators by partner, of shape (..., quarters, partners)."""

Usd = Annotated[float, Field(ge=0, le=MAX_USD)]
Count = Annotated[int, Field(ge=0, le=10**6)]
Level = Annotated[float, Field(ge=0, le=1)]
Times = Annotated[float, Field(ge=0, le=1000)]


def _seen(kpi: Kpi) -> Any:
    """A figure that may be given, in the words of its indicator."""
    return declare(kpi.label, unit=kpi.unit, source="what was seen", default=None)


class PartnerActuals(Declared):
    """What was seen of one partner in a quarter."""

    registered_deals: Count | None = _seen(BY_PARTNER["registered_deals"])
    won_usd: Usd | None = _seen(BY_PARTNER["won_usd"])


class QuarterActuals(Declared):
    """What was seen in a quarter that is past: as much of it as is known."""

    quarter: int = declare("which quarter, from 1", unit="quarter", ge=1, le=20)
    credit_usd: Usd | None = _seen(KPIS["credit_usd"])
    bookings_usd: Usd | None = _seen(KPIS["bookings_usd"])
    direct_credit_usd: Usd | None = _seen(KPIS["direct_credit_usd"])
    partner_credit_usd: Usd | None = _seen(KPIS["partner_credit_usd"])
    direct_wins: Count | None = _seen(KPIS["direct_wins"])
    partner_wins: Count | None = _seen(KPIS["partner_wins"])
    gone_cold: Count | None = _seen(KPIS["gone_cold"])
    pipeline_coverage: Times | None = _seen(KPIS["pipeline_coverage"])
    registered_deals: Count | None = _seen(KPIS["registered_deals"])
    active_partners: Count | None = _seen(KPIS["active_partners"])
    skill: Level | None = _seen(KPIS["skill"])
    engagement: Level | None = _seen(KPIS["engagement"])
    conflicts: Count | None = _seen(KPIS["conflicts"])
    partners: FrozenMap[PartnerActuals] = declare(
        "the same of single partners", unit="figures by partner", source="what was seen", default={}
    )


KNOWN = tuple(name for name in QuarterActuals.model_fields if name in KPIS)
"""Indicators that a manager may know."""


@dataclass(frozen=True)
class Figure:
    """One thing that can be seen: an indicator, or one of a partner, in a quarter from 1."""

    quarter: int
    name: str
    partner: str | None = None

    @property
    def kpi(self) -> Kpi:
        return KPIS[self.name] if self.partner is None else BY_PARTNER[self.name]

    @property
    def what(self) -> str:
        """Its label, with the partner's name."""
        return self.kpi.label if self.partner is None else f"{self.partner}, {self.kpi.label}"

    @property
    def when(self) -> Literal["lagging", "leading"]:
        return self.kpi.when

    def shown(self, value: float) -> str:
        """A value of it, as people read it."""
        if self.kpi.unit == "US dollars":
            return f"${value:,.0f}"
        return f"{value:,.0f}" if self.kpi.unit in ("deals", "partners") else f"{value:.2f}"


class Actuals(Document):
    """What was seen so far, quarter by quarter."""

    schema_file: ClassVar[str] = "actuals.schema.json"
    kind: ClassVar[str] = "what happened so far"
    start_from: ClassVar[str] = "docs/replan.md shows one"
    error: ClassVar[type[InputError]] = PlanError

    by_quarter: Annotated[Items[QuarterActuals], Field(max_length=20)] = declare(
        "the quarters that are past, from the first", unit="list", source="what was seen"
    )
    open_pipeline_usd: Usd | None = declare(
        "amount of all deals that are open today, the manager's and the partners'",
        unit="US dollars",
        source="what was seen",
        default=None,
    )

    @model_validator(mode="after")
    def _without_gaps(self) -> Self:
        if not self.by_quarter:
            raise ValueError("by_quarter is empty; add a quarter that is past, or plan from the first with no actuals")
        counts = Counter(its.quarter for its in self.by_quarter)
        for quarter in range(1, max(counts) + 1):
            if counts[quarter] > 1:
                raise ValueError(f"by_quarter has quarter {quarter} twice; keep one")
            if counts[quarter] == 0:
                raise ValueError(
                    f"by_quarter has quarter {max(counts)} without quarter {quarter}; add it, if only as "
                    f"'quarter: {quarter}' (quarters count from 1, the first of the scenario)"
                )
        return self

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Actuals:
        """What is given as plain data. Raises PlanError, a sentence for each thing that is wrong."""
        return validate(cls, given, "actuals", PlanError)

    @classmethod
    def load(cls, path: Path | str) -> Actuals:
        """What a YAML file holds. Raises PlanError, a sentence for each thing that is wrong in it."""
        return cls.read(path)

    def save(self, path: Path | str) -> None:
        """Write it as YAML, keeping comments, and its JSON Schema beside it."""
        self.write(path)

    @property
    def quarters(self) -> int:
        """How many are past."""
        return len(self.by_quarter)

    def figures(self, scenario: Scenario) -> dict[Figure, float]:
        """Everything that was seen. Raises PlanError if it does not fit the scenario, or nothing was."""
        horizon, seen = scenario.horizon_quarters, dict[Figure, float]()
        if self.quarters >= horizon:
            raise PlanError(
                f"actuals: {self.quarters} quarters are past, and the horizon has {horizon}; "
                f"allowed: at most {horizon - 1}, so that there is a quarter to plan"
            )
        for row in self.by_quarter:
            try:
                known_keys(f"quarter {row.quarter}: partners", row.partners, scenario.partner_names, "partner")
            except ValueError as problem:
                raise PlanError(f"actuals: {problem}") from None
            seen |= {Figure(row.quarter, name): value for name in KNOWN if (value := getattr(row, name)) is not None}
            for partner, its in row.partners.items():
                seen |= {Figure(row.quarter, name, partner): value for name, value in its if value is not None}
        if self.open_pipeline_usd is not None:
            # Coverage is that at a quarter's start: that of the first quarter to come is known today.
            quota_usd = scenario.quota_usd()[self.quarters]
            seen[Figure(self.quarters + 1, "pipeline_coverage")] = self.open_pipeline_usd / quota_usd
        if not seen:
            raise PlanError(f"actuals: no figure is given; give one or more of open_pipeline_usd, {', '.join(KNOWN)}")
        return seen


# As planned, or not


@dataclass(frozen=True)
class Band:
    """Between what values a figure lies in 80 of 100 markets."""

    figure: Figure
    low: float
    high: float


@dataclass(frozen=True)
class Deviation:
    """A figure that was seen outside its band. One in five is, by luck alone."""

    figure: Figure
    actual: float
    low: float
    high: float
    surprise: float
    """share of markets at least as far out, to either side"""

    @property
    def says(self) -> str:
        """In words."""
        its = self.figure
        return (
            f"Q{its.quarter} {its.what} {its.shown(self.actual)}: the plan has {its.shown(self.low)} to "
            f"{its.shown(self.high)} in {100 * (BAND[1] - BAND[0]):.0f} of 100 markets"
        )


def bands(scenario: Scenario, plan: TimePlan, quarters: int, seed: int = 7) -> tuple[Band, ...]:
    """The band of everything that can be seen in the first quarters of a plan, single partners last.

    Of the quarter after them, the pipeline that it begins with.
    """
    check_count("quarters", quarters, 1)
    if quarters > scenario.horizon_quarters:
        raise PlanError(f"quarters is {quarters}; allowed: 1 to {scenario.horizon_quarters}, those of the horizon")
    past = range(1, quarters + 1)
    figures = [Figure(quarter, name) for quarter in past for name in KNOWN]
    if quarters < scenario.horizon_quarters:
        figures.append(Figure(quarters + 1, "pipeline_coverage"))
    figures += [
        Figure(quarter, name, partner) for quarter in past for partner in scenario.partner_names for name in BY_PARTNER
    ]
    values = _in_markets(scenario, plan, figures, seed)
    return tuple(Band(figure, *_band(its)) for figure, its in zip(figures, values.T, strict=True))


def deviations(scenario: Scenario, plan: TimePlan, actuals: Actuals, seed: int = 7) -> tuple[Deviation, ...]:
    """What was seen outside its band under the plan that was followed: leading figures first, then by surprise."""
    seen = actuals.figures(scenario)
    values = _in_markets(scenario, plan, list(seen), seed)
    found = []
    for (figure, actual), its in zip(seen.items(), values.T, strict=True):
        low, high = _band(its)
        if not low <= actual <= high:
            found.append(Deviation(figure, actual, low, high, _surprise(its, actual)))
    return tuple(sorted(found, key=lambda its: (its.figure.when != "leading", its.surprise)))


def _band(values: FloatArray) -> tuple[float, float]:
    """Values that did occur: of a count, whole numbers."""
    low, high = np.quantile(values, BAND, method="inverted_cdf")
    return float(low), float(high)


def _surprise(values: FloatArray, actual: float) -> float:
    """Share at least as far out, what happened among them, as it did (Davison & Hinkley 1997, section 4.2)."""
    rarer = min(np.count_nonzero(values <= actual), np.count_nonzero(values >= actual))
    return min(1.0, 2 * (1 + rarer) / (1 + len(values)))


# Markets like what happened


@dataclass(frozen=True, eq=False)
class Match:
    """The markets that are most like what happened, and how like it they are.

    A distance is the root mean square over the figures of how far one is from what happened, in standard deviations of
    the pool and by the square roots of figures.
    """

    tapes: KeptTapes
    """in order of their numbers, for `table_bookings` and `compare`"""
    pool: int
    """markets from which they were taken"""
    median_distance: float
    pool_distance: float
    """the median of the whole pool"""
    as_far_out: float
    """share of the pool at least as far from its middle as what happened"""
    beyond: float
    """how far the figure farthest out is from the nearest market's, in standard deviations; 0 if none is outside all"""
    farthest: tuple[str, ...]
    """the figures farthest out, in words"""

    @property
    def share_kept(self) -> float:
        return self.tapes.replications / self.pool

    @property
    def outside(self) -> bool:
        """Whether what happened is outside of what the scenario thinks possible."""
        return self.as_far_out < OUTSIDE_SHARE or self.beyond > OUTSIDE_SPREADS

    @property
    def says(self) -> str:
        """In words."""
        if self.outside:
            return (
                f"what happened is outside what the scenario thinks possible: {'; '.join(self.farthest)}; "
                "check the numbers or calibrate again"
            )
        return (
            f"of {self.pool:,} markets the {self.tapes.replications:,} most like what happened: "
            f"{self.median_distance:.2f} standard deviations from it by figure, where half of all are within "
            f"{self.pool_distance:.2f}"
        )


def markets_like(
    scenario: Scenario,
    plan: TimePlan,
    actuals: Actuals,
    wanted: int = WANTED,
    seed: int = 7,
    *,
    pool: int | None = None,
) -> Match:
    """The `wanted` markets most like what happened under the plan that was followed, of a `pool` of them.

    The pool has 20 times as many unless it is given, from 4,000 to 20,000. Another seed gives other markets.
    """
    seen = actuals.figures(scenario)
    if len(seen) > MOST_FIGURES:
        raise PlanError(
            f"actuals: {len(seen):,} figures are given; allowed: at most {MOST_FIGURES:,}; "
            "leave out the oldest of single partners"
        )
    check_count("wanted", wanted, 1)
    pool = max(wanted, min(max(MARKETS_EACH * wanted, LEAST_POOL), MOST_POOL)) if pool is None else pool
    check_count("pool", pool, wanted)
    figures, actual = list(seen), np.array(list(seen.values()), float)
    past, coming = past_and_coming(scenario, plan, figures, actuals.quarters, range(pool), seed)
    kept = nearest(past, slopes(past, coming), actual, wanted)
    roots = np.sqrt(past)
    standard, off = _in_spreads(roots, roots), _in_spreads(roots, np.sqrt(actual))
    gaps = np.sqrt(np.square(standard - off).mean(axis=1))
    out = np.square(standard).sum(axis=1)
    beyond = np.maximum(0, np.maximum(off - standard.max(axis=0), standard.min(axis=0) - off))
    return Match(
        tapes=keep_tapes(scenario, kept.tolist(), seed),
        pool=pool,
        median_distance=float(np.median(gaps[kept])),
        pool_distance=float(np.median(gaps)),
        as_far_out=float((1 + np.count_nonzero(out >= np.square(off).sum())) / (1 + pool)),
        beyond=float(beyond.max()),
        # Where single figures are outside, the others are none of it.
        farthest=tuple(
            f"Q{figures[i].quarter} {figures[i].what} {figures[i].shown(actual[i])} "
            f"({figures[i].shown(past[:, i].mean())} on average)"
            for i in np.lexsort((-np.abs(off), -beyond))[: min(FARTHEST, np.count_nonzero(beyond) or FARTHEST)]
        ),
    )


@dataclass(frozen=True)
class Seen:
    """A past: the plan that was followed, and what was seen of it."""

    scenario: Scenario
    followed: TimePlan
    actuals: Actuals

    def match(self, seed: int) -> Match:
        """Markets most like it, as many as a planner wants."""
        return markets_like(self.scenario, self.followed, self.actuals, PLANNED_IN, seed, pool=10 * PLANNED_IN)

    def possible(self, seed: int) -> Match:
        """The same. Raises PlanError if nothing like it is: then a number is wrong, or the scenario."""
        its = self.match(seed)
        if its.outside:
            raise PlanError(f"actuals: {its.says}")
        return its

    def alike(self, seed: int) -> list[int]:
        """Their numbers."""
        return [int(number) for batch in self.match(seed).tapes.batches for number in batch.replications]

    def deviations(self, seed: int) -> tuple[Deviation, ...]:
        """What was not as planned, the most surprising first within leading and lagging figures."""
        return deviations(self.scenario, self.followed, self.actuals, seed)


def past_and_coming(
    scenario: Scenario, plan: TimePlan, figures: Sequence[Figure], quarters: int, markets: range, seed: int
) -> tuple[FloatArray, FloatArray]:
    """The figures of markets under a plan, and what they bring after so many quarters: shape (markets, ...) each."""
    _check(plan, seed)

    def both(tally: Tally) -> FloatArray:
        return np.concatenate([_values(tally, figures), _still_to_come(tally, quarters)], axis=-1)

    values = table_values(scenario, [plan.table(scenario)], markets, seed, both)[0]
    return values[:, : len(figures)], values[:, len(figures) :]


def slopes(past: FloatArray, coming: FloatArray) -> FloatArray:
    """How much the past of markets tells of what they bring, by ridge regression: shape (figures, coming).

    Linear in the square roots of the figures, as counts and amounts are skewed and their roots are even (Bartlett
    1936). All are in standard deviations, so what the past tells little of moves little.
    """
    roots = np.sqrt(past)
    standard = _in_spreads(roots, roots)
    normal = standard.T @ standard + RIDGE * len(past) * np.eye(past.shape[1])
    return np.asarray(np.linalg.solve(normal, standard.T @ _in_spreads(coming, coming)))


def nearest(past: FloatArray, by: FloatArray, actual: FloatArray, wanted: int) -> NDArray[np.int64]:
    """The rows whose past lets the same be expected as what happened, in order of their numbers: shape (wanted,).

    `by` are the slopes. Of rows that are as near, those with lower numbers.
    """
    roots = np.sqrt(past)
    distance = np.square(_in_spreads(roots, roots) @ by - _in_spreads(roots, np.sqrt(actual)) @ by).sum(axis=1)
    return np.sort(np.argsort(distance, kind="stable")[:wanted])


def partner_kinds(tapes: KeptTapes) -> FloatArray:
    """Share of the markets in which each partner truly is of each kind: shape (partners, PARTNER_SEGMENTS)."""
    true = np.concatenate([batch.partner_luck["true_segment"] for batch in tapes.batches])
    return (true[..., None] == np.arange(len(PARTNER_SEGMENTS))).mean(axis=0)


def _in_markets(scenario: Scenario, plan: TimePlan, figures: Sequence[Figure], seed: int) -> FloatArray:
    """The figures of a plan in simulated markets: shape (BAND_MARKETS, figures)."""
    _check(plan, seed)
    table = plan.table(scenario)
    return table_values(scenario, [table], range(BAND_MARKETS), seed, lambda tally: _values(tally, figures))[0]


def _check(plan: TimePlan, seed: int) -> None:
    check_plan("plan", plan)
    check_seed("seed", seed)


def _values(tally: Tally, figures: Sequence[Figure]) -> FloatArray:
    """Shape (..., figures)."""
    names = tally.scenario.partner_names
    its = {kpi: kpi.of(tally) for kpi in {figure.kpi for figure in figures}}
    return np.stack(
        [
            its[figure.kpi][..., figure.quarter - 1]
            if figure.partner is None
            else its[figure.kpi][..., figure.quarter - 1, names.index(figure.partner)]
            for figure in figures
        ],
        axis=-1,
    )


def _still_to_come(tally: Tally, quarters: int) -> FloatArray:
    """Gross bookings after so many quarters: the manager's own of the next and of the rest, then each partner's."""
    direct = kpis.direct_bookings_usd(tally)
    own = [direct[..., quarters], direct[..., quarters + 1 :].sum(axis=-1)]
    return np.concatenate([np.stack(own, axis=-1), kpis.bookings_by_partner(tally)[..., quarters:, :].sum(axis=-2)], -1)


def _in_spreads(of: FloatArray, values: FloatArray) -> FloatArray:
    """`values` from the means of the columns of `of`, in their standard deviations; as it is where there is none."""
    spread = of.std(axis=0)
    return np.asarray((values - of.mean(axis=0)) / np.where(spread > 0, spread, 1.0))
