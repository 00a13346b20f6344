"""Markets like what happened: all that is there in the middle of a horizon, as far as the past tells of it.

The past is the plan that was followed and what was seen of it (actuals.py). Nothing of the present is made up from
that: of many markets, simulated under the plan that was followed, those are kept whose past is most like what happened
(approximate Bayesian computation by rejection; Tavaré et al. 1997, Beaumont, Zhang & Balding 2002). The open pipeline,
what partners truly are, their skill and engagement, who has left: in these markets all of it is there, and fits
together. A planner then searches in them alone.

What to compare is not obvious: a hundred figures of a past hold a hundred strokes of luck, and few of them say anything
of what is to come. So a market is as near as its past lets the same be expected (Fearnhead & Prangle 2012): the figures
are first put together, by regression over the markets, into what they tell of bookings to come, the manager's own and
each partner's.

How much it helps is in docs/replan.md, with figures.

Left out: the assumptions, which stay the scenario's own (calibrate/), and the planning (reconcile.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimize.effort import Effort
from optimize.replan.actuals import Actuals, Figure, values_of
from sim import PlanError, Scenario, TimePlan, kpis
from sim.arrays import FloatArray
from sim.kpis import Tally
from sim.study.batches import table_values
from sim.study.experiment import keep_tapes
from sim.study.options import SEED
from sim.study.request import KeptTapes, check_count, check_plan
from sim.tape import check_seed
from sim.terms import PARTNER_SEGMENTS

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


@dataclass(frozen=True, eq=False)
class Match:
    """The markets that are most like what happened, and how like it they are.

    A distance is the root mean square over the figures of how far one is from what happened, in standard deviations of
    the pool and by the square roots of figures.
    """

    tapes: KeptTapes
    """tapes in order of their numbers, for `table_bookings` and `compare`"""
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
    def outside(self) -> bool:
        """Whether what happened is outside of what the scenario thinks possible."""
        return self.as_far_out < OUTSIDE_SHARE or self.beyond > OUTSIDE_SPREADS

    @property
    def says(self) -> str:
        """How like the markets are to what happened, in words."""
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
    wanted: int = 500,
    seed: int = SEED.default,
    *,
    pool: int | None = None,
) -> Match:
    """The `wanted` markets most like what happened under the plan that was followed, of a `pool` of them.

    The pool has 20 times as many unless it is given, from 4,000 to 20,000. Another seed gives other markets.
    """
    actuals.check_coming(scenario)
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
    kept = most_like(past, slopes(past, coming), actual, wanted)
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
class Past:
    """Quarters that are over: the plan that was followed in them, and what was seen."""

    scenario: Scenario
    followed: TimePlan
    actuals: Actuals
    markets: int = Effort.normal.like_markets
    """number that is kept, of ten times as many"""

    def match(self, seed: int) -> Match:
        """The markets most like this past."""
        return markets_like(self.scenario, self.followed, self.actuals, self.markets, seed, pool=10 * self.markets)

    def like_numbers(self, seed: int) -> list[int]:
        """The numbers of the markets most like this past."""
        return [int(number) for batch in self.match(seed).tapes.batches for number in batch.replications]


def past_and_coming(
    scenario: Scenario, plan: TimePlan, figures: Sequence[Figure], quarters: int, markets: range, seed: int
) -> tuple[FloatArray, FloatArray]:
    """The figures of markets under a plan, and what they bring after `quarters` of them: shape (markets, ...) each."""
    check_plan("plan", plan)
    check_seed("seed", seed)

    def both(tally: Tally) -> FloatArray:
        return np.concatenate([values_of(tally, figures), _still_to_come(tally, quarters)], axis=-1)

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


def most_like(past: FloatArray, by: FloatArray, actual: FloatArray, wanted: int) -> NDArray[np.int64]:
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


def _still_to_come(tally: Tally, quarters: int) -> FloatArray:
    """Gross bookings after `quarters`: the manager's own of the next and of the rest, then each partner's."""
    direct = kpis.direct_bookings_usd(tally)
    own = [direct[..., quarters], direct[..., quarters + 1 :].sum(axis=-1)]
    return np.concatenate([np.stack(own, axis=-1), kpis.bookings_by_partner(tally)[..., quarters:, :].sum(axis=-2)], -1)


def _in_spreads(of: FloatArray, values: FloatArray) -> FloatArray:
    """`values` from the means of the columns of `of`, in their standard deviations; as it is where there is none."""
    spread = of.std(axis=0)
    return np.asarray((values - of.mean(axis=0)) / np.where(spread > 0, spread, 1.0))
