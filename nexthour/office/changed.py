"""What a plan changes, short enough for a slide: one line for each activity and what becomes of it.

Left out: the hours of each partner (optimize/monday/changes.py has them).
"""

from __future__ import annotations

from dataclasses import dataclass

from nexthour.report.text import shorten_name
from optimize.monday.changes import CHANGE_KINDS, Change, changes
from sim import Scenario, TimePlan
from sim.documents.messages import listed
from sim.plan import ACTIVITY_WORDS
from sim.terms import COVERAGE_WORDS

LINE_LETTERS, NAME_LETTERS = 40, 22


@dataclass(frozen=True)
class ChangedUse:
    """An activity with all whose hours for it change in the same way. Hours a week, in all."""

    kind: str
    what: str
    targets: str
    """partners, candidates or segments, as many as there is room for; empty for selling"""
    today: float
    planned: float


def changed_uses(scenario: Scenario, plan: TimePlan, against: TimePlan, quarter: int = 1) -> list[ChangedUse]:
    """The uses of the manager's time in a quarter (from 1) by kind of change, the largest of each kind first."""
    groups: dict[tuple[str, str], list[Change]] = {}
    for change in changes(scenario, plan, quarter, against):
        groups.setdefault((change.kind, change.activity), []).append(change)
    uses = []
    for (kind, activity), group in groups.items():
        what, names = ACTIVITY_WORDS[activity], [change.target for change in group if change.target]
        today, planned = (sum(change.today for change in group), sum(change.planned for change in group))
        uses.append(ChangedUse(kind, what, _targets(scenario, names, LINE_LETTERS - len(what)), today, planned))
    return sorted(uses, key=lambda use: (CHANGE_KINDS.index(use.kind), -abs(use.planned - use.today), -use.today))


def changed_coverage(scenario: Scenario, plan: TimePlan, against: TimePlan) -> list[str]:
    """The segments that the plan covers in another way, with that way: enterprise direct."""
    modes, before = (one.table(scenario).coverage_mode for one in (plan, against))
    return [
        f"{shorten_name(name, NAME_LETTERS)} {COVERAGE_WORDS[mode]}"
        for name, mode, today in zip(scenario.segment_names, modes, before, strict=True)
        if mode != today
    ]


def _targets(scenario: Scenario, names: list[str], letters: int) -> str:
    """The names as far as the letters carry; that of every partner in two words."""
    if len(names) > 1 and set(names) == {partner.name for partner in scenario.partners}:
        return "every partner"
    return listed([shorten_name(name, NAME_LETTERS) for name in sorted(names)], letters)
