"""The numbers nobody can measure, as a list: what each is called, what is plausible, where its flip is looked for, and
the scenario in which one of them is another.

An assumption is a `Range` of the scenario that has a width. One more stands for all of them that say what the manager's
time does to a partner: PARTNER_TIME scales these together, which is what a sceptic asks first.

Left out: what a plan is worth under another value (sensitivity.py), and drawing all of them at once (`Scenario.world`).
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pydantic import AfterValidator

from sim.documents.declared import items_of
from sim.documents.messages import declaration, guess, show
from sim.errors import ScenarioError
from sim.ranges import Range, Within, with_ranges
from sim.scenario import Assumptions, PartnerTraits, Scenario, Segment
from sim.terms import PARTNER_SEGMENTS

PARTNER_TIME = "effect of all partner time"
PARTNER_TIME_GAINS = (
    "coach_gain_per_week",
    "joint_plan_gain_per_week",
    "socialise_gain_per_week",
    "guided_practice_gain_per_deal",
)
PARTNER_TIME_RANGE = (0.5, 1.5)
FARTHEST = 2.0
"""Times the highest plausible value, up to which flips are looked for: nobody need know what a model says beyond."""
_FIELDS = {name: field for model in (Segment, PartnerTraits, Assumptions) for name, field in model.model_fields.items()}


@dataclass(frozen=True)
class Assumption:
    """One number nobody can measure."""

    path: str
    """place in the scenario; PARTNER_TIME for all gains of partner time"""
    name: str
    meaning: str
    unit: str
    likely: float
    low: float
    high: float
    """low to high is plausible"""
    least: float
    most: float
    """flips are looked for from least to most: what its field allows while all others are as likely, and FARTHEST"""
    source: str

    def plausible(self, value: float) -> bool:
        """Whether a value lies in the plausible range."""
        return self.low <= value <= self.high


def assumptions(scenario: Scenario) -> tuple[Assumption, ...]:
    """All assumptions with a width, in the order of the file; if there is any gain of partner time, all gains first."""
    found: list[Assumption] = []

    def collect(path: str, value: Range) -> Range:
        if value.low < value.high:
            found.append(_assumption_at(scenario, path, value))
        return value

    with_ranges(scenario, collect)
    named = Counter(one.name for one in found)
    found = [replace(one, name=one.path) if named[one.name] > 1 else one for one in found]
    largest = max(getattr(scenario.assumptions, name).likely for name in PARTNER_TIME_GAINS)
    return (_partner_time(largest), *found) if scenario.all_partners and largest else tuple(found)


def assumptions_named(scenario: Scenario, wanted: Iterable[Assumption | str]) -> tuple[Assumption, ...]:
    """The wanted ones of the scenario's assumptions, each given as it is, by its path or by its name.

    Raises ScenarioError for one that the scenario has not, or that has no width.
    """
    known = assumptions(scenario)
    by_word = {word: one for one in reversed(known) for word in (one.name, one.path)}
    wanted = [wanted] if isinstance(wanted, Assumption | str) else items_of(wanted)
    if not isinstance(wanted, list):
        raise ScenarioError(f"{scenario.name}: of is {show(wanted)}; allowed: a list of assumptions, by name")
    chosen = []
    for one in wanted:
        assumption = by_word.get(one) if isinstance(one, str) else one
        if assumption not in known:
            what = one.name if isinstance(one, Assumption) else one
            meant = guess(what, [other.name for other in known])
            raise ScenarioError(f"{scenario.name}: no assumption {show(what)} with a low and a high; {meant}")
        chosen.append(assumption)
    return tuple(dict.fromkeys(chosen))


def with_value(scenario: Scenario, assumption: Assumption, value: float) -> Scenario:
    """The scenario in which the assumption is `value`, from its `least` to its `most`."""
    if assumption.path != PARTNER_TIME:
        return with_ranges(scenario, lambda _, old: old.fixed(value), only=assumption.path)
    scaled = {f".assumptions.{name}" for name in PARTNER_TIME_GAINS}
    return with_ranges(scenario, lambda path, old: old.fixed(old.likely * value) if path in scaled else old)


def _partner_time(largest_gain: float) -> Assumption:
    most = min(FARTHEST * PARTNER_TIME_RANGE[1], 1 / largest_gain)
    return Assumption(
        path=PARTNER_TIME,
        name=PARTNER_TIME,
        meaning="what coaching, planning, visits and guided practice add, all scaled together",
        unit="times as assumed",
        likely=1.0,
        low=PARTNER_TIME_RANGE[0],
        high=min(PARTNER_TIME_RANGE[1], most),
        least=0.0,
        most=most,
        source="judgement: half as much to half as much again",
    )


def _assumption_at(scenario: Scenario, path: str, value: Range) -> Assumption:
    # A path begins with a dot and ends with the field; what is in brackets may be any text.
    field = path.rpartition(".")[2]
    words, owner = field.replace("_", " "), _owner(path)
    least, most = _bounds_at(scenario, path, field)
    return Assumption(
        path=path,
        name=f"{owner}: {words}" if owner else words,
        meaning=str(_FIELDS[field].description),
        unit=declaration(_FIELDS[field])["unit"],
        likely=value.likely,
        low=value.low,
        high=value.high,
        least=least,
        most=max(value.high, min(most, FARTHEST * value.high)),
        source=value.source,
    )


def _owner(path: str) -> str:
    """The segment, partner or kind of partner that a path passes through, if any."""
    named = re.search(r"\[(.*)\]", path)
    if named:
        return named.group(1)
    return f"{path.split('.')[2]}s" if path.startswith(".partner_segments.") else ""


def _bounds_at(scenario: Scenario, path: str, field: str) -> tuple[float, float]:
    """Bounds of the field, narrowed by what must hang together with it."""
    bounds = next(m.func for m in _FIELDS[field].metadata if isinstance(m, AfterValidator))
    assert isinstance(bounds, Within)
    if field in ("skill_exponent", "engagement_exponent"):
        other = "engagement_exponent" if field == "skill_exponent" else "skill_exponent"
        return bounds.least, 1 - getattr(scenario.assumptions, other).likely
    stock, _, level = field.rpartition("_")
    if stock not in ("skill", "engagement"):
        return bounds.least, bounds.most
    # The traits this level is part of: one partner's, whatever its kind, or a kind's and those of its partners without
    # an own level.
    kind = path.split(".")[2] if path.startswith(".partner_segments.") else None
    traits = [getattr(scenario.partner_segments, kind)] if kind else []
    for partner in scenario.all_partners:
        has_own = getattr(partner.traits, field) is not None
        if (kind and not has_own) or f"[{partner.name}]" in path:
            traits += [scenario.traits(partner, segment) for segment in PARTNER_SEGMENTS if kind in (None, segment)]
    if level == "ceiling":
        lower = (getattr(each, f"{stock}_{name}").likely for each in traits for name in ("start", "alone"))
        return max(lower), bounds.most
    return bounds.least, min(getattr(each, f"{stock}_ceiling").likely for each in traits)
