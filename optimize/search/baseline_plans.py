"""Constant splits and ramps: what a manager could do without a planner, to measure a plan against.

A few by default; benchmarks/planner.py asks for some 250.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sim import PlanError, Scenario, TimePlan
from sim.documents.declared import validate
from sim.split import Split
from sim.terms import DEFAULT_MIX

SHARES = (0.0, 0.1, 0.2, 0.3, 0.4)
FOCUSES = ("even", "believers")


def constant_splits(scenario: Scenario, tried: Iterable[Split] | None = None) -> dict[str, TimePlan]:
    """The plans of those splits, the usual ones if none are given, that the scenario allows, by name."""
    plans: dict[str, TimePlan] = {}
    for split in splits(scenario) if tried is None else tried:
        try:
            plans.setdefault(split.name, TimePlan.from_split(scenario, split))
        except PlanError:
            continue
    return plans


def splits(
    scenario: Scenario,
    shares: Iterable[float | Sequence[float]] = SHARES,
    mixes: Sequence[Mapping[str, float]] = (DEFAULT_MIX,),
    focuses: Iterable[str] = FOCUSES,
) -> Iterator[Split]:
    """Constant splits, and ramps where a share has one for each quarter, with deceivers carried and parked.

    Those too that the scenario does not allow.
    """
    deceivers = [partner.name for partner in scenario.partners if partner.label == "deceiver"]
    for park, mix, focus, share in itertools.product(([], deceivers)[: 1 + bool(deceivers)], mixes, focuses, shares):
        percent = f"{share:.0%}" if isinstance(share, int | float) else f"{share[0]:.0%} to {share[-1]:.0%}"
        whom = "all partners" if focus == "even" else focus.capitalize()
        name = f"{percent} with {whom}" if share else "no partner time"
        name += f", {len(park)} parked" if park else ""
        name += f", mix {mixes.index(mix) + 1}" if len(mixes) > 1 else ""
        written = {"name": name, "partner_share": share, "mix": mix, "focus": focus, "park": park}
        yield validate(Split, written, "a constant split", PlanError)
