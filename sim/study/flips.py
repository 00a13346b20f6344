"""Where a verdict turns: the values of an assumption at which the mean difference of a plan is nil.

On each side of the likely value one turn is looked for, the nearest that these steps can see:

1. Outwards: the plausible end, halfway to the farthest value, and that one. The first at which the difference is
   clearly on the other side ends a stretch in which the flip lies. A response that turns and turns back between two of
   these values is not seen, nor one that turns by less than 200 markets can tell.
2. Regula falsi makes the stretch short.
3. Two values around the flip get more and more markets, until the interval of the flip is short enough. They are near,
   so that the response between them is a straight line, but as far apart as luck demands.

A plan that is neither ahead nor behind as assumed has a sign too, that of its mean, and flips where that changes.

Searches are generators that yield what they want to know, so that all of them run their markets at once: paired
differences, one plan's quota credit less the baseline plan's over the horizon, each run once and kept. All values of
all assumptions meet the same markets, the first ones of the seed.
"""

from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import NamedTuple, TypeVar

import numpy as np

from sim.arrays import FloatArray
from sim.assumptions import Assumption, with_value
from sim.plan import TimePlan
from sim.progress import Progress, part_of
from sim.scenario import Scenario
from sim.study import estimates
from sim.study.batches import variant_credit, world_credit
from sim.study.estimates import CONFIDENCE, Estimate, Verdict
from sim.study.request import RunSettings

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


SIGHT_MARKETS = 25
"""Markets at values beyond what is plausible: only the sign is wanted."""
DOUBT_MARKETS = 200
"""Markets after which a value is taken not to turn the verdict if it does not do so clearly."""
CLEAR = 0.99
"""Confidence that a value is on the other side: a hundred or more are looked at, and some deceive."""
SEARCH_MARKETS, SEARCH_STEPS = 100, 3
SHORT_STRETCH = 0.5
"""Longest that a stretch may be to be short, as a share of its end that is farther from 0."""
FEWEST_MARKETS = 100
MOST_MARKETS = 1.0
"""Markets at each of two values around the flip that matters most, as a multiple of those of the verdict."""
RUNS = 18
"""Runs, again as a multiple, that an analysis of twenty assumptions takes anyway: with few, flips get what is left."""
PRECISION = 0.03
"""Half the width of a flip's interval that is aimed at, as a share of its value: then it is hardly ever 5% off."""
CLOSEST, WIDEST = 0.05, 0.4
"""Least and most distance of the last two values from the flip, as a share of it."""
CLEAR_SLOPE = 4.0
"""Standard errors by which the differences at these two should differ."""
MOVES = 3
"""How often the last two values are moved if the flip proves not to lie between them, or moved apart if they do not
differ."""

T = TypeVar("T")
Search = Generator[list[Ask], None, T]


@dataclass(frozen=True)
class Flip:
    """The value of an assumption at which a verdict turns."""

    value: float
    """value at which the mean difference is nil"""
    low: float
    high: float
    """95% interval for the luck of the markets, cut at the farthest values looked at"""
    share_of_likely: float | None
    """value / likely; None where the likely value is 0"""
    plausible: bool
    """whether it lies in the assumption's range"""
    beyond: Verdict
    """the verdict on its far side"""

    @property
    def precise(self) -> bool:
        """Whether the interval is as short as is aimed at."""
        return max(self.value - self.low, self.high - self.value) <= PRECISION * self.value


class Stretch(NamedTuple):
    """An assumption's values between which a plan's difference changes its sign."""

    plan: str
    assumption: Assumption
    near: float
    """end on the side of the likely value"""
    far: float
    slope: float
    """change of the difference with the value, in US dollars, when the stretch was found"""


def distance(assumption: Assumption, flip: Flip) -> tuple[bool, float]:
    """How far a flip is from what is likely: a plausible one is nearer than any other, then by steps of the range."""
    step = assumption.likely - assumption.low if flip.value < assumption.likely else assumption.high - assumption.likely
    return not flip.plausible, abs(flip.value - assumption.likely) / (step or assumption.high - assumption.low)


def find_flips(
    known: Differences, varied: Sequence[Assumption], replications: int
) -> dict[tuple[str, str], tuple[Flip, ...]]:
    """Find the flips of every plan and assumption (its path), the one below the likely value first.

    Markets are few. Every flip gets some, and the one of each plan that matters most gets most of them.
    """
    sides = [(name, one, side) for name in known.others for one in varied for side in values_outwards(one)]
    found_stretches = run_together(known, [find_stretch(known, *side, replications) for side in sides])
    stretches = [stretch for stretch in found_stretches if stretch is not None]
    short = run_together(known, [shorten(known, stretch, replications) for stretch in stretches])
    fair = max(2, replications // 10, replications // (2 * max(1, len(short))))
    beyond = [stretch.far for stretch in stretches]
    flips = run_together(known, [settle(known, *place, fair) for place in zip(short, beyond, strict=True)])
    nearest: dict[str, int] = {}
    for i in sorted(range(len(short)), key=lambda i: distance(short[i].assumption, flips[i])):
        nearest.setdefault(short[i].plan, i)
    vague = [i for i in nearest.values() if not flips[i].precise]
    most = MOST_MARKETS * replications
    if vague:
        # A market at two values, with the plan and the baseline plan, is four runs.
        most = max(most, (RUNS * replications - known.runs) / (4 * len(vague)))
    again = [settle(known, short[i], beyond[i], int(most), about=flips[i]) for i in vague]
    for i, flip in zip(vague, run_together(known, again), strict=True):
        flips[i] = flip
    found: dict[tuple[str, str], tuple[Flip, ...]] = {(name, side.path): () for name, side, _ in sides}
    for stretch, flip, far in zip(short, flips, beyond, strict=True):
        # An interval of all values on this side says that there may be no flip.
        ends = sorted((stretch.assumption.likely, far))
        if ends[0] < flip.low or flip.high < ends[1]:
            found[stretch.plan, stretch.assumption.path] += (flip,)
    return found


def run_together(known: Differences, searches: Sequence[Search[T]]) -> list[T]:
    """Run searches side by side: what they find, in their order. What they ask for at a time is run at once."""
    found: dict[int, T] = {}
    going = dict(enumerate(searches))
    while going:
        asks: list[Ask] = []
        for i, search in list(going.items()):
            try:
                asks += next(search)
            except StopIteration as end:
                found[i] = end.value
                del going[i]
        known.run(asks)
    return [found[i] for i in range(len(searches))]


def values_outwards(assumption: Assumption) -> list[list[float]]:
    """The values looked at on each side, from the likely value outwards."""
    sides = ((assumption.low, assumption.least), (assumption.high, assumption.most))
    values = [dict.fromkeys((end, (end + farthest) / 2, farthest)) for end, farthest in sides]
    return [[value for value in side if value != assumption.likely] for side in values]


def find_stretch(
    known: Differences, plan: str, assumption: Assumption, values: Sequence[float], most: int
) -> Search[Stretch | None]:
    """Find where the sign of the mean difference changes along `values`, if at all, with up to `most` markets."""
    assumed = float(known.of(plan).mean())
    if assumed == 0:
        return None
    cap = min(DOUBT_MARKETS, most)
    asks = [Ask(plan, assumption, value, min(SIGHT_MARKETS, cap)) for value in values]
    while asks:
        yield asks
        asks = []
        for value in values:
            seen = known.estimate(plan, assumption, value, CLEAR)
            # Doubtful is what pulls towards the other side and is not clear.
            if not seen.clear and seen.value / assumed < 0.5 and seen.observations < cap:
                asks.append(Ask(plan, assumption, value, min(2 * seen.observations, cap)))
    near = assumption.likely
    for value in values:
        seen = known.estimate(plan, assumption, value, CLEAR)
        if seen.value / assumed > 0:
            near = value
        elif seen.clear:
            change = known.of(plan, assumption, value).mean() - known.of(plan, assumption, near).mean()
            return Stretch(plan, assumption, near, value, float(change) / (value - near))
    return None


def shorten(known: Differences, stretch: Stretch, most: int) -> Search[Stretch]:
    """Shorten a stretch around the flip, by regula falsi."""
    sign = np.sign(known.of(stretch.plan).mean())
    for _ in range(SEARCH_STEPS):
        if abs(stretch.far - stretch.near) <= SHORT_STRETCH * max(stretch.far, stretch.near):
            break
        between = _between(known, stretch)
        yield [Ask(stretch.plan, stretch.assumption, between, min(SEARCH_MARKETS, most))]
        same = known.of(stretch.plan, stretch.assumption, between).mean() * sign > 0
        stretch = stretch._replace(near=between) if same else stretch._replace(far=between)
    return stretch


def _between(known: Differences, stretch: Stretch) -> float:
    """The value where the straight line between the ends is nil, but not too near to either."""
    near, far = (
        float(known.of(stretch.plan, stretch.assumption, value).mean()) for value in (stretch.near, stretch.far)
    )
    place = near / (near - far) if near * far < 0 else 0.5
    return stretch.near + (stretch.far - stretch.near) * min(max(place, 0.1), 0.9)


def settle(known: Differences, stretch: Stretch, far: float, most: int, about: Flip | None = None) -> Search[Flip]:
    """Find the flip that lies in a short stretch, or near `about`, from at most `most` markets at each value.

    The ends of the stretch come from few markets; it lies between the likely value and `far`, which is surely beyond.

    Between two values the difference is taken for straight. So the value found is run too: if the three do not
    lie on a straight line, it ends a shorter stretch, and the search goes on there.
    """
    value = _between(known, stretch) if about is None else about.value
    half_distance = _half_distance(known, stretch, value, most)
    if about is not None:
        # Wide enough for the flip to lie between them.
        half_distance = min(max(half_distance, (about.high - about.low) / 2), max(half_distance, WIDEST * value))
    sign = np.sign(known.of(stretch.plan).mean())
    within = stretch._replace(near=stretch.assumption.likely, far=far)
    for move in range(MOVES + 1):
        left, right = _clamped(within, value - half_distance), _clamped(within, value + half_distance)
        if left == right:
            break
        markets = 0
        while markets < most:
            markets = min(max(2 * markets, FEWEST_MARKETS), most)
            yield [Ask(stretch.plan, stretch.assumption, end, markets) for end in (left, right)]
            at_left, at_right = (known.of(stretch.plan, stretch.assumption, end)[:markets] for end in (left, right))
            place = estimates.zero_between(at_left, at_right)
            if isfinite(place.low):
                value = _clamped(within, left + (right - left) * place.value)
            low, high = (_clamped(within, left + (right - left) * end) for end in (place.low, place.high))
            flip = _flip(known, stretch, value, low, high)
            outside = place.low > 1 or place.high < 0
            if flip.precise or (outside and move < MOVES):
                break
        if outside:
            continue
        if not isfinite(place.low):
            if half_distance >= WIDEST * value:
                break
            half_distance = WIDEST * value
            continue
        if about is None and not flip.precise:
            break  # there are few markets yet
        yield [Ask(stretch.plan, stretch.assumption, value, markets)]
        here, share = known.of(stretch.plan, stretch.assumption, value)[:markets], (value - left) / (right - left)
        bent = estimates.mean(here - (1 - share) * at_left - share * at_right, CLEAR).clear
        if not bent or value in (within.near, within.far):
            break
        within = within._replace(near=value) if here.mean() * sign > 0 else within._replace(far=value)
        # Bent: between the value that is not the flip and the end beyond it, until that is checked again.
        flip = _flip(known, stretch, value, min(within.near, within.far), max(within.near, within.far))
        value, half_distance = _between(known, within), max(half_distance / 2, abs(within.far - within.near) / 100)
    return flip


def _half_distance(known: Differences, stretch: Stretch, value: float, most: int) -> float:
    """How far from the flip the last two values must be to differ more than luck makes them."""
    luck = float(known.of(stretch.plan, stretch.assumption, stretch.far).std()) * (2 / most) ** 0.5
    enough = min(max(CLEAR_SLOPE * luck / (2 * abs(stretch.slope)), CLOSEST * value), WIDEST * value)
    return max(enough, abs(stretch.far - stretch.near) / 100)


def _clamped(stretch: Stretch, value: float) -> float:
    return min(max(value, min(stretch.near, stretch.far)), max(stretch.near, stretch.far))


def _flip(known: Differences, stretch: Stretch, value: float, low: float, high: float) -> Flip:
    assumption = stretch.assumption
    return Flip(
        value=value,
        low=min(low, value),
        high=max(high, value),
        share_of_likely=value / assumption.likely if assumption.likely else None,
        plausible=assumption.plausible(value),
        beyond="behind" if known.of(stretch.plan).mean() > 0 else "ahead",
    )
