"""Does the verdict hold if we are wrong? One assumption at a time, and all of them at once.

* The tornado: the difference between a plan and the baseline plan with each assumption at its low and its high end.
* Flips (flips.py): the values of an assumption at which the difference is nil.
* Worlds: all assumptions drawn at once. In how many is the plan ahead, and what does each plan leave on the table
  against the best of the plans compared (its regret; Savage 1951)?

All of this meets the same markets, so that what an assumption changes is not drowned by luck. The difference as assumed
is known from more markets than the others, and serves them as a control.

A plan is laid out once, from what is thought likely: the manager does not know which world is true.

Left out: assumptions varied in pairs; numbers without a width, such as margins.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sim.arrays import FloatArray
from sim.assumptions import Assumption, assumptions, assumptions_named
from sim.errors import PlanError, SimulationError
from sim.plan import TimePlan
from sim.progress import Progress
from sim.scenario import Scenario
from sim.study import estimates, flips
from sim.study.estimates import Estimate, Verdict, plain_data
from sim.study.flips import Ask, Differences, Flip
from sim.study.options import BASELINE, SEED, WORLDS_OF_SENSITIVITY
from sim.study.request import ComparisonRequest, check_count, check_plans

END_REPLICATIONS = (50, 100)
"""Markets at the low and the high end of an assumption, as many as END_PRECISION needs."""
END_PRECISION = 0.01
"""Half the width of the interval at an end that is aimed at: bars are read by eye."""


@dataclass(frozen=True)
class Swing:
    """One bar of the tornado, as shares of the baseline plan's mean credit as assumed."""

    assumption: Assumption
    at_low: Estimate
    at_high: Estimate
    width: float
    """distance from the lowest to the highest of the differences at low, as assumed and at high"""
    flips: tuple[Flip, ...]
    """values at which the verdict turns: at most one below the likely value and one above"""


@dataclass(frozen=True)
class Robustness:
    """What would have to be true for one plan's verdict to turn."""

    plan: TimePlan
    difference_share: Estimate
    """difference from the baseline plan as assumed, as a share of its mean credit"""
    verdict: Verdict
    swings: tuple[Swing, ...]
    """the longest bar first"""
    worlds_ahead: Estimate | None
    """share of plausible worlds in which the plan is better on average; None without worlds"""

    @property
    def weakest(self) -> tuple[Assumption, Flip] | None:
        """The assumption whose flip is nearest, in widths of the plausible range on its side; a plausible one first."""
        found = [(swing.assumption, flip) for swing in self.swings for flip in swing.flips]
        return min(found, key=lambda pair: flips.distance(*pair), default=None)


@dataclass(frozen=True)
class Regret:
    """What a plan leaves on the table against the best of the plans compared: shares of the baseline's credit."""

    mean: Estimate
    worst_tenth: float
    """what is exceeded in a tenth of the worlds"""
    worst: float
    best_in: Estimate
    """share of worlds in which no other plan is better"""


@dataclass(frozen=True)
class Sensitivity:
    """Every plan against the baseline plan, under other assumptions."""

    scenario: Scenario
    seed: int
    replications: int
    worlds: int
    baseline: str
    plans: Mapping[str, Robustness]
    """results by plan, without the baseline"""
    regret: Mapping[str, Regret]
    """regret by plan, the baseline first; empty without worlds"""
    by_world: FloatArray = field(repr=False, compare=False)
    """mean difference from the baseline plan in US dollars: shape (worlds, plans), as in `regret`"""

    def __getitem__(self, plan: str) -> Robustness:
        return self.plans[plan]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON: every figure with its interval, null where that is endless."""
        return {
            **self.scenario.provenance(self.seed),
            "replications": self.replications,
            "worlds": self.worlds,
            "baseline": self.baseline,
            "plans": {
                name: {
                    "plan": plan.plan.model_dump(mode="json"),
                    "difference_share": plain_data(plan.difference_share),
                    "verdict": plan.verdict,
                    "worlds_ahead": plain_data(plan.worlds_ahead),
                    "weakest": plan.weakest
                    and {"assumption": plan.weakest[0].name, "flip": plain_data(plan.weakest[1])},
                    "tornado": plain_data(plan.swings),
                }
                for name, plan in self.plans.items()
            },
            "left_on_the_table": {name: plain_data(regret) for name, regret in self.regret.items()},
        }


class NoQuotaCredit(SimulationError):
    """The plan that others are measured against has no quota credit, of which differences are shares."""


def sensitivity(
    scenario: Scenario,
    plans: Mapping[str, TimePlan],
    replications: int | None = None,
    seed: int = SEED.default,
    baseline: str | None = BASELINE.default,
    worlds: int = WORLDS_OF_SENSITIVITY.default,
    *,
    of: Iterable[Assumption | str] | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Sensitivity:
    """How the verdict on each plan against `baseline` (the first if not named) depends on what is assumed.

    `replications` is the number of markets of the verdict; a flip gets about as many at each of two values, more where
    few assumptions are varied. `of` are the assumptions to vary, by name or path or from `assumptions(scenario)`; all
    if None. `progress` sees its total rise as flips are found, and may raise to stop. Results do not depend on
    `workers`.

    Raises PlanError, ScenarioError or SimulationError if something given cannot be used.
    """
    check_plans("sensitivity", plans)
    request = ComparisonRequest.of(plans=plans, baseline=baseline, replications=replications, seed=seed, worlds=worlds)
    return run_sensitivity(scenario, request, of, workers, progress)


def run_sensitivity(
    scenario: Scenario,
    request: ComparisonRequest,
    of: Iterable[Assumption | str] | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Sensitivity:
    """What `sensitivity` gives, for a request."""
    request = request.resolve(scenario, "sensitivity")
    plans = request.plans_by_name
    replications, seed, worlds, first = request.replications, request.seed, request.worlds, str(request.baseline)
    check_count("replications", replications, 2)
    if len(plans) < 2:
        raise PlanError(f"sensitivity: {first} is the only plan; give one to compare with it")
    varied = assumptions(scenario) if of is None else assumptions_named(scenario, of)
    ordered = {first: plans[first], **{name: plan for name, plan in plans.items() if name != first}}
    known = Differences(scenario, ordered, seed, workers, progress)
    base = known.run_as_assumed(replications)
    if base == 0:
        raise NoQuotaCredit(
            f"sensitivity: {first} has no quota credit in any of {replications:,} markets, and differences are shares "
            "of it; give another baseline or more replications"
        )
    _run_ends(known, varied, base)
    turns = flips.find_flips(known, varied, replications)
    in_worlds = known.by_world(worlds, request.replications_per_world)
    robust = {
        name: _robustness(known, name, varied, turns, base, in_worlds[:, p])
        for p, name in enumerate(known.others, start=1)
    }
    by_world = np.empty((0, len(ordered)))
    if worlds:
        by_world = np.stack([estimates.true_means(in_worlds[:, p]) for p in range(len(ordered))], axis=1)
    regret = _regrets(list(ordered), in_worlds, by_world / base) if worlds else {}
    return Sensitivity(scenario, seed, replications, worlds, first, robust, regret, by_world)


def _run_ends(known: Differences, varied: Sequence[Assumption], base: float) -> None:
    """Run the ends of the bars, in more and more markets until their intervals are short enough for the eye."""
    asks = [Ask(name, one, end, 0) for name in known.others for one in varied for end in (one.low, one.high)]
    for markets in END_REPLICATIONS:
        known.run(ask._replace(markets=min(markets, known.markets)) for ask in asks)
        ends = {ask: known.estimate(*ask[:3]) for ask in asks}
        asks = [ask for ask, end in ends.items() if end.high - end.low > 2 * END_PRECISION * base]


def _robustness(
    known: Differences,
    name: str,
    varied: Sequence[Assumption],
    turns: Mapping[tuple[str, str], Sequence[Flip]],
    base: float,
    in_worlds: FloatArray,
) -> Robustness:
    difference = estimates.mean(known.of(name)).scaled(1 / base)
    swings = []
    for one in varied:
        low, high = (known.estimate(name, one, end).scaled(1 / base) for end in (one.low, one.high))
        seen = (low.value, difference.value, high.value)
        swings.append(Swing(one, low, high, max(seen) - min(seen), tuple(turns[name, one.path])))
    return Robustness(
        plan=known.plans[name],
        difference_share=difference,
        verdict=difference.verdict,
        swings=tuple(sorted(swings, key=lambda swing: -swing.width)),
        worlds_ahead=(
            estimates.share_of_worlds(in_worlds[:, None], lambda means: means[:, 0] > 0) if len(in_worlds) else None
        ),
    )


def _regrets(names: Sequence[str], in_worlds: FloatArray, by_world: FloatArray) -> dict[str, Regret]:
    """What each plan leaves on the table, from what it is worth by world: by market, and its true mean."""

    def best_in(p: int) -> Estimate:
        return estimates.share_of_worlds(in_worlds, lambda means: means[:, p] == means.max(axis=1))

    regrets = by_world.max(axis=1, keepdims=True) - by_world
    return {
        name: Regret(
            mean=estimates.mean(regret),
            worst_tenth=float(np.quantile(regret, 0.9)),
            worst=float(regret.max()),
            best_in=best_in(p),
        )
        for p, (name, regret) in enumerate(zip(names, regrets.T, strict=True))
    }
