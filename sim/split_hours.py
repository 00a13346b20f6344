"""Hours of a split in a manager's words: the rows of a plan.

"20% with Believers, coaching and joint planning" becomes hours a week by quarter, activity and target. Shares are of
the hours that are left after the reactive support of the partners that are carried. The channel account manager spends
all hours on the same mix and focus, as far as that role can.

Left out: what the rows mean to the simulation (plan.py, territory.py).
"""

from typing import Any

from sim.documents.messages import known_keys, show
from sim.errors import PlanError
from sim.scenario import Scenario
from sim.split import Split
from sim.terms import CAM_ACTIVITIES, DEFAULT_MIX, LABEL_WORDS


def hours_of_split(scenario: Scenario, split: Split) -> list[dict[str, Any]]:
    """The rows of hours that `split` means in `scenario`. Raises PlanError if it cannot be done there."""
    where = f"split {show(split.name)}"
    try:
        known_keys(f"{where}: park", split.park, [p.name for p in scenario.partners], "partner")
        weights = _focus_weights(scenario, split)
    except ValueError as problem:
        raise PlanError(str(problem)) from None
    if len(split.shares(1)) > scenario.horizon_quarters:
        raise PlanError(
            f"{where}: partner_share has {len(split.shares(1))} numbers; "
            f"allowed: at most {scenario.horizon_quarters}, one for each quarter"
        )
    carried = [p for p in scenario.partners if p.name not in split.park]
    support = sum(expected_support(scenario, p.name) for p in carried)
    hours = scenario.territory_manager.hours_per_week
    if support > hours + 1e-6:
        raise PlanError(
            f"{where}: reactive support takes {support:g} hours a week of {hours:g}; "
            "park partners or give the manager more hours"
        )
    free = max(0.0, hours - support)
    shares, rows = split.shares(scenario.horizon_quarters), []
    for first, last in equal_runs(list(shares)):
        end = None if last == len(shares) - 1 else last + 1  # the last run is open
        quarters = {"from_quarter": first + 1, "to_quarter": end}
        rows += [{**row, **quarters} for row in _manager_rows(scenario, split, weights, free, shares[first])]
    return rows + _cam_rows(scenario, split, weights)


def expected_support(scenario: Scenario, name: str) -> float:
    """Hours a week of reactive support that a carried partner is expected to take, going by its label."""
    return _support(scenario.as_planned, name)


def count_worlds_short_of_hours(scenario: Scenario, seed: int, worlds: int) -> int:
    """Count the plausible worlds in which reactive support alone takes more hours than the manager has, all carried.

    Such a world is simulated too: the support is given as far as the hours go, and nothing is left for selling.
    """
    hours = scenario.territory_manager.hours_per_week
    carried = [partner.name for partner in scenario.partners]
    most = sum(scenario.traits(p, p.label).reactive_support_hours.high for p in scenario.partners)
    if most <= hours:
        return 0
    drawn = (scenario.world(seed, world) for world in range(worlds))
    return sum(sum(_support(world, name) for name in carried) > hours for world in drawn)


def _support(scenario: Scenario, name: str) -> float:
    partner = scenario.all_partners[scenario.partner_names.index(name)]
    return scenario.traits(partner, partner.label).reactive_support_hours.likely


def _focus_weights(scenario: Scenario, split: Split) -> dict[str, float]:
    """Share of the partner hours for each carried partner; sums to 1, or is empty where there is nobody."""
    carried = {p.name: p.label for p in scenario.partners if p.name not in split.park}
    if isinstance(split.focus, str):
        label = LABEL_WORDS.get(split.focus, split.focus)
        chosen = {name: 1.0 for name, of_partner in carried.items() if label in ("even", of_partner)}
    else:
        # A candidate may be named too: its hours go to selling until it is a partner.
        known = [*carried, *(c.name for c in scenario.candidates)]
        known_keys(f"split {show(split.name)}: focus", split.focus, known, "partner")
        chosen = {name: weight for name, weight in split.focus.items() if weight > 0}
    total = sum(chosen.values())
    return {name: weight / total for name, weight in chosen.items()}


def equal_runs(values: list[Any]) -> list[tuple[int, int]]:
    """First and last index of each run of equal neighbours."""
    starts = [i for i, value in enumerate(values) if i == 0 or value != values[i - 1]]
    return list(zip(starts, [*(s - 1 for s in starts[1:]), len(values) - 1], strict=True))


def _manager_rows(
    scenario: Scenario, split: Split, weights: dict[str, float], free: float, share: float
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    mix = {activity: part for activity, part in split.mix.items() if share > 0 and part > 0}
    for activity, part in mix.items():
        for target, weight in _targets(scenario, split, activity, weights).items():
            hours = free * share * part * weight
            rows.append({"activity": activity, "target": target, "hours_per_week": hours})
    names = scenario.segment_names
    if split.prospect_share > 0:
        each = free * split.prospect_share / len(names)
        rows += [{"activity": "prospect", "target": name, "hours_per_week": each} for name in names]
    return [*rows, {"activity": "sell", "hours_per_week": max(0.0, free * (1 - share - split.prospect_share))}]


def _targets(scenario: Scenario, split: Split, activity: str, weights: dict[str, float]) -> dict[str, float]:
    candidates = scenario.candidates
    targets = {c.name: 1 / len(candidates) for c in candidates} if activity == "recruit" else weights
    if not targets:
        focus = split.focus if isinstance(split.focus, str) else dict(split.focus)
        raise PlanError(
            f"split {show(split.name)}: there is nobody to {activity} with focus {show(focus)}; "
            "allowed: a focus on partners that are there and not parked, recruit only with candidates"
        )
    return targets


def _cam_rows(scenario: Scenario, split: Split, weights: dict[str, float]) -> list[dict[str, Any]]:
    cam = scenario.channel_account_manager
    if cam is None:
        return []
    can = {
        a: s
        for a, s in split.mix.items()
        if a in CAM_ACTIVITIES and s > 0 and (scenario.candidates if a == "recruit" else weights)
    }
    mix = can or (DEFAULT_MIX if weights else {})
    return [
        {
            "activity": activity,
            "target": target,
            "hours_per_week": cam.hours_per_week * part / sum(mix.values()) * weight,
            "who": "channel_account_manager",
        }
        for activity, part in mix.items()
        for target, weight in _targets(scenario, split, activity, weights).items()
    ]
