"""Paired differences of plans under other assumptions: asked for by market, run once, and kept.

A difference is one plan's quota credit less the baseline plan's, over the horizon, in one market. All values of all
assumptions meet the same markets, the first ones of the seed.

Left out: which values are worth asking for (flips.py, sensitivity.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sim.arrays import FloatArray
from sim.assumptions import Assumption, with_value
from sim.plan import TimePlan
from sim.progress import Progress, part_of
from sim.scenario import Scenario
from sim.study import estimates
from sim.study.batches import variant_credit, world_credit
from sim.study.estimates import CONFIDENCE, Estimate
from sim.study.settings import RunSettings

_Key = tuple[str, str, float]
"""Plan, path of the assumption, value."""


class Ask(NamedTuple):
    """A wish to know a plan's differences in a number of markets while an assumption has a value."""

    plan: str
    assumption: Assumption
    value: float
    markets: int


@dataclass(eq=False)
class Differences:
    """The differences known so far, in US dollars. `progress` sees its total rise with every wish."""

    scenario: Scenario
    plans: Mapping[str, TimePlan]  # the baseline first
    seed: int
    workers: int | None = None
    progress: Progress | None = None

    def __post_init__(self) -> None:
        self.baseline, *self.others = self.plans
        self.markets = self.runs = 0
        self._known: dict[_Key, FloatArray] = {}

    def run_as_assumed(self, markets: int) -> float:
        """Run what is assumed; returns the baseline plan's mean credit in US dollars."""
        ((base, *others),) = self._credit([self.scenario], self.others, range(markets), len(self.plans) * markets)
        self._known |= {(name, "", 0.0): credit - base for name, credit in zip(self.others, others, strict=True)}
        self.markets = markets
        return float(base.mean())

    def run(self, asks: Iterable[Ask]) -> None:
        """Run what is not known yet of all that is asked for."""
        largest: dict[_Key, Ask] = {}
        for ask in asks:
            key = _key(*ask[:3])
            if ask.markets > max(len(self._known.get(key, ())), largest[key].markets if key in largest else 0):
                largest[key] = ask
        wanted: dict[tuple[Assumption, float, range], list[str]] = defaultdict(list)
        for key, ask in largest.items():
            missing = range(len(self._known.get(key, ())), ask.markets)
            wanted[ask.assumption, ask.value, missing].append(ask.plan)
        # Values that want the same plans in the same markets share the tapes of these.
        together: dict[tuple[tuple[str, ...], range], list[tuple[Assumption, float]]] = defaultdict(list)
        for (assumption, at, markets), plans in wanted.items():
            together[tuple(plans), markets].append((assumption, at))
        total = self.runs + sum((1 + len(names)) * len(markets) * len(of) for (names, markets), of in together.items())
        for (names, markets), values in together.items():
            variants = [with_value(self.scenario, *value) for value in values]
            for value, (base, *others) in zip(values, self._credit(variants, names, markets, total), strict=True):
                for name, credit in zip(names, others, strict=True):
                    key = _key(name, *value)
                    self._known[key] = np.concatenate([self._known.get(key, credit[:0]), credit - base])

    def by_world(self, worlds: int, markets: int) -> FloatArray:
        """The differences in drawn worlds, each with its own markets: shape (worlds, plans, markets)."""
        plans = self.plans
        if not worlds:
            return np.empty((0, len(plans), markets))
        settings = self._settings(self.runs + worlds * len(plans) * markets)
        credit = world_credit(self.scenario, plans, worlds, markets, self.seed, settings)
        self.runs += credit.size
        return credit - credit[:, :1]

    def of(self, plan: str, assumption: Assumption | None = None, value: float = 0.0) -> FloatArray:
        """The differences that have been run, shape (markets,); without an assumption, those of the verdict."""
        known = self._known[_key(plan, assumption, value)]
        return known[: self.markets] if assumption is None else known

    def estimate(self, plan: str, assumption: Assumption, value: float, confidence: float = CONFIDENCE) -> Estimate:
        """The mean difference, with the difference as assumed as a control, which is known from more markets."""
        return estimates.mean_with_control(self.of(plan, assumption, value)[: self.markets], self.of(plan), confidence)

    def _credit(self, variants: Sequence[Scenario], names: Sequence[str], markets: range, total: int) -> FloatArray:
        plans = {name: self.plans[name] for name in (self.baseline, *names)}
        credit = variant_credit(self.scenario, variants, plans, markets, self.seed, self._settings(total))
        self.runs += credit.size
        return credit

    def _settings(self, total: int) -> RunSettings:
        return RunSettings(workers=self.workers, progress=part_of(self.progress, self.runs, total))


def _key(plan: str, assumption: Assumption | None, value: float) -> _Key:
    """The key under which differences are kept. The likely value of any assumption is what is assumed."""
    if assumption is None or value == assumption.likely:
        return plan, "", 0.0
    return plan, assumption.path, value
