"""The ledger: everything that happened, in order, and nothing else.

An engine writes records; everything anybody wants to know is computed from them later (kpis.py). Two engines agree when
their ledgers have the same digest. Times are integer ticks, 65,536 to a week, from the first moment of quarter 1;
history is negative. Hours are written when they begin.

Left out: what would have happened under another plan (experiment.py) and what the manager could know at the time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import SimulationError
from sim.scenario import WEEKS_PER_QUARTER, Scenario

TICKS_PER_WEEK = 65_536
TICKS_PER_QUARTER = WEEKS_PER_QUARTER * TICKS_PER_WEEK
NOBODY = -1
"""No opportunity, no partner or no segment in a record."""


class Kind(IntEnum):
    """What a record says, and what its `value` is."""

    # An opportunity begins. partner: owner of the account.
    ARRIVED = 1
    TAKEN_OVER = 2  # open on the first day; partner: who works it; value: its age in weeks
    # Who has it.
    FOUND = 3  # the manager
    REGISTERED = 4  # its partner
    CONFLICT = 5  # the manager took what its partner had brought too
    # On the way.
    ADVANCED = 6  # a deal of the manager's passed a stage; value: stages passed
    STARTED = 7  # the partner's people, or the manager selling for it, began; value: weeks it waited
    # It ends, in exactly one of these ways.
    LEAKED = 10  # seen by nobody
    WON_DIRECT = 11  # value, for all won and lost: age in weeks
    WON_PARTNER = 12
    WON_CO_SOLD = 13
    WON_SOLD_FOR = 14
    LOST = 15
    NO_DECISION = 16  # nobody had time for it in time
    PARTNER_LEFT = 17
    REPLACED = 18  # a history's open deal, replaced by the scenario's open pipeline
    # The manager's hours; value: hours.
    SUPPORT = 20
    COACH = 21
    JOINT_PLAN = 22
    SOCIALISE = 23
    RECRUIT = 24
    CO_SELL = 25
    SELL_FOR = 26
    PROSPECT = 27
    SELL_TIME = 28  # set aside for selling; what visits leave of it is spare and becomes prospecting
    VISIT = 29  # used on one deal, out of the selling time
    # The channel account manager's hours; value: hours.
    CAM_COACH = 31
    CAM_JOINT_PLAN = 32
    CAM_SOCIALISE = 33
    CAM_RECRUIT = 34
    # Partners and the market, as they stand for the week that begins.
    SKILL = 40
    ENGAGEMENT = 41
    REACH = 42
    SIGNED = 43
    DECLINED = 44
    ONBOARDED = 45
    LEFT = 46


WON = (Kind.WON_DIRECT, Kind.WON_PARTNER, Kind.WON_CO_SOLD, Kind.WON_SOLD_FOR)
PARTNER_WON = WON[1:]
BEGINNINGS = (Kind.ARRIVED, Kind.TAKEN_OVER)
ENDINGS = (Kind.LEAKED, *WON, Kind.LOST, Kind.NO_DECISION, Kind.PARTNER_LEFT, Kind.REPLACED)
PLANNED_HOURS = (
    Kind.SUPPORT,
    Kind.COACH,
    Kind.JOINT_PLAN,
    Kind.SOCIALISE,
    Kind.RECRUIT,
    Kind.CO_SELL,
    Kind.SELL_FOR,
    Kind.PROSPECT,
    Kind.SELL_TIME,
)
"""Kinds whose hours add up to the manager's week."""
CAM_HOURS = (Kind.CAM_COACH, Kind.CAM_JOINT_PLAN, Kind.CAM_SOCIALISE, Kind.CAM_RECRUIT)

RECORD = np.dtype(
    [
        ("tick", "<i8"),
        ("kind", "<i2"),
        ("opportunity", "<i4"),
        ("partner", "<i2"),
        ("segment", "<i2"),
        ("amount_usd", "<i8"),
        ("value", "<f8"),
    ]
)
"""One record. `value` is hours, weeks, a level or a count: `Kind` says which."""


@dataclass(frozen=True, eq=False)
class Ledger:
    """What happened in one market under one plan."""

    scenario: Scenario
    plan_name: str
    seed: int
    replication: int
    records: NDArray[Any]
    """structured array of RECORD, in the order in which things happened"""

    def digest(self) -> str:
        """SHA-256 of the records: equal ledgers, equal text."""
        return hashlib.sha256(self.records.tobytes()).hexdigest()

    def of(self, *kinds: Kind) -> NDArray[Any]:
        """The records of these kinds, history included."""
        if len(kinds) == 1:
            return self.records[self.records["kind"] == kinds[0]]
        return self.records[np.isin(self.records["kind"], kinds)]

    def before(self, quarter: int) -> NDArray[Any]:
        """The records before `quarter` (from 1)."""
        return self.records[self.records["tick"] < (quarter - 1) * TICKS_PER_QUARTER]

    def lines(self) -> Iterator[str]:
        """The records as text, one line each, for reading."""
        segments, partners = self.scenario.segment_names, self.scenario.partner_names
        for tick, kind, opportunity, partner, segment, amount, value in self.records.tolist():
            words = [f"week {tick / TICKS_PER_WEEK:9.4f}", Kind(kind).name.lower().replace("_", " ")]
            words += [f"#{opportunity}"] if opportunity != NOBODY else []
            words += [partners[partner]] if partner != NOBODY else []
            words += [segments[segment]] if segment != NOBODY else []
            words += [f"${amount:,}"] if amount else []
            words += [f"{value:g}"] if value else []
            yield "  ".join(words)

    def check(self) -> None:
        """Raise SimulationError unless the records are a possible story.

        Proven: the records are in order of time, inside the horizon, and name segments and partners that exist. Numbers
        are numbers. Planned hours never exceed the week, visits never the selling time of their week. Opportunities are
        numbered without gaps; each begins once, is at once found, registered or leaked, or was taken over, and ends at
        most once and later, with the segment, amount and age that follow from its beginning. Only the manager's own
        opportunities end as won directly, only a partner's in a partner's ways, and with that partner; each stage was
        visited before it was passed or lost, help was given before it won, and nothing happens to what is over.
        Partners start deals in the order in which they came, never more at once than they have people. A partner that
        left has no deal and appears no more; a history that was replaced has no open deal.

        Not proven, as only the tape could tell: that the right deals were won, and that a deal without an ending is
        open. A vanished ending shows where a partner's people or queue would be blocked by it, not on the manager's
        own deals. A win of a partner's that the manager helped with could also have been its own. Hours that were
        never written, and levels of skill, engagement and reach, are not examined.
        """
        for problem in (*self._number_problems(), *self._hour_problems(), *self._after_leaving(), *_stories(self)):
            raise SimulationError(
                f"scenario {self.scenario.name!r}, plan {self.plan_name!r}, seed {self.seed}, "
                f"replication {self.replication}: {problem}"
            )

    def _number_problems(self) -> Iterator[str]:
        records, scenario = self.records, self.scenario
        if (np.diff(records["tick"]) < 0).any():
            yield "the records are not in order of time"
        if (records["tick"] >= scenario.horizon_quarters * TICKS_PER_QUARTER).any():
            yield "a record is later than the horizon"
        if not np.isin(records["kind"], list(Kind)).all():
            yield "a record is of no known kind"
        for field, names in (("partner", scenario.partner_names), ("segment", scenario.segment_names)):
            if ((records[field] < NOBODY) | (records[field] >= len(names))).any():
                yield f"a record names a {field} that does not exist"
        if not (np.isfinite(records["value"]) & (records["value"] >= 0)).all():
            yield "a value is negative or not a number"

    def _holder_problems(self) -> Iterator[str]:
        held = self.of(Kind.FOUND, Kind.REGISTERED, Kind.TAKEN_OVER)
        holder = dict(zip(held["opportunity"].tolist(), held["partner"].tolist(), strict=True))
        ended = self.of(*(kind for kind in ENDINGS if kind != Kind.LEAKED))
        for kind, opportunity, partner in ended[["kind", "opportunity", "partner"]].tolist():
            if holder.get(opportunity) != partner:
                yield f"opportunity {opportunity} ends with somebody who never had it"
            elif kind in WON and (kind == Kind.WON_DIRECT) != (partner == NOBODY):
                yield f"opportunity {opportunity} is {Kind(kind).name} by the wrong side"
        over = set(ended["opportunity"].tolist())
        for gone in self.of(Kind.LEFT)["partner"].tolist():
            if any(partner == gone and opportunity not in over for opportunity, partner in holder.items()):
                yield f"{self.scenario.partner_names[gone]} has left and still has an open deal"

    def _hour_problems(self) -> Iterator[str]:
        most = self.scenario.territory_manager.hours_per_week
        by_kind = {kinds: self._hours_by_week(*kinds) for kinds in (PLANNED_HOURS, (Kind.SELL_TIME,), (Kind.VISIT,))}
        planned, selling, visits = by_kind.values()
        if planned.size and planned.max() > most + 1e-6:
            yield f"week {int(planned.argmax()) - self._weeks_before} holds {planned.max():g} hours of {most:g}"
        if (visits > selling + 1e-6).any():
            yield f"visits exceed the selling time in week {int((visits - selling).argmax()) - self._weeks_before}"

    def _after_leaving(self) -> Iterator[str]:
        for row in np.flatnonzero(self.records["kind"] == Kind.LEFT).tolist():
            gone, later = self.records["partner"][row], self.records[row + 1 :]
            later = later[(later["partner"] == gone) & (later["kind"] != Kind.ARRIVED)]
            ends = (later["kind"] == Kind.PARTNER_LEFT) & (later["tick"] == self.records["tick"][row])
            if not ends.all():
                what = Kind(later["kind"][~ends][0]).name.lower()
                yield f"{self.scenario.partner_names[gone]} has left and still has a record: {what}"

    @property
    def _weeks_before(self) -> int:
        return int(-(self.records["tick"].min(initial=0) // TICKS_PER_WEEK))

    def _hours_by_week(self, *kinds: Kind) -> NDArray[np.float64]:
        chosen = self.of(*kinds)
        weeks = chosen["tick"] // TICKS_PER_WEEK + self._weeks_before
        length = int(self.records["tick"].max(initial=0) // TICKS_PER_WEEK) + self._weeks_before + 1
        return np.bincount(weeks, weights=chosen["value"], minlength=length).astype(np.float64)


@dataclass(slots=True)
class _Story:
    """One opportunity, as far as the records have told it."""

    tick: int
    kind: int
    partner: int
    segment: int
    amount: int
    age: float
    held: bool
    stages_passed: int | None = 0
    """None if it was taken over in an unknown stage"""
    visited: bool = False
    helped: int = 0
    started: bool = False
    over: bool = False


STORY_KINDS = (
    *(*BEGINNINGS, Kind.FOUND, Kind.REGISTERED, Kind.CONFLICT, Kind.ADVANCED, Kind.STARTED, *ENDINGS),
    *(Kind.VISIT, Kind.CO_SELL, Kind.SELL_FOR, Kind.LEFT),
)
"""What `Ledger.check` follows record by record."""


def _stories(ledger: Ledger) -> Iterator[str]:
    """What is impossible in the lives of opportunities, in the order of the records."""
    reader = _Reader(ledger)
    for record in ledger.of(*STORY_KINDS).tolist():
        if problem := reader.read(*record):
            yield f"opportunity {record[2]}, {Kind(record[1]).name.lower()} in week " + (
                f"{record[0] / TICKS_PER_WEEK:.2f}: {problem}"
            )
            return
    yield from reader.problems_at_the_end()


class _Reader:
    """Reads the records of opportunities in order; each word of trouble is a sentence, no trouble is empty."""

    def __init__(self, ledger: Ledger) -> None:
        self.stages = [len(segment.stages) for segment in ledger.scenario.market_map]
        self.people = [partner.capacity_deals for partner in ledger.scenario.all_partners]
        self.sold_for = set(ledger.of(Kind.SELL_FOR)["opportunity"].tolist())
        self.replaced = ledger.scenario.open_pipeline is not None
        self.stories: dict[int, _Story] = {}
        self.queues: list[dict[int, None]] = [{} for _ in self.people]
        self.working = [0] * len(self.people)
        self.left: set[int] = set()

    def read(self, tick: int, kind: int, id: int, partner: int, segment: int, amount: int, value: float) -> str:
        if kind == Kind.LEFT:
            self.left.add(partner)
            return ""
        if kind in BEGINNINGS:
            return self.begin(id, _Story(tick, kind, partner, segment, amount, value, kind == Kind.TAKEN_OVER))
        story = self.stories.get(id)
        if story is None:
            return "it never began"
        if story.over:
            return "it is over already"
        if story.segment != segment:
            return "it began in another segment"
        if kind in (Kind.FOUND, Kind.REGISTERED, Kind.LEAKED, Kind.CONFLICT):
            return self.hold(story, tick, kind, id, partner, amount, value)
        if not story.held:
            return "nobody has it"
        if story.partner != partner:
            return "somebody else has it"
        if kind in ENDINGS:
            return self.end(story, tick, kind, id, amount, value)
        return self.go_on(story, tick, kind, id, value)

    def begin(self, id: int, story: _Story) -> str:
        if id in self.stories:
            return "it has begun before"
        self.stories[id] = story
        if story.kind == Kind.TAKEN_OVER:
            story.stages_passed = None
            if story.tick != 0:
                return "not on the first day"
            if story.partner != NOBODY:
                self.queues[story.partner][id] = None
        return ""

    def hold(self, story: _Story, tick: int, kind: int, id: int, partner: int, amount: int, value: float) -> str:
        if story.held or story.tick != tick:
            return "that was settled when it began"
        if kind == Kind.CONFLICT:
            return "" if partner == story.partner != NOBODY else "it is not this partner's account"
        if story.amount != amount:
            return f"it began with ${story.amount:,}, not ${amount:,}"
        if kind == Kind.REGISTERED:
            if partner != story.partner or partner == NOBODY:
                return "it is not this partner's account"
            self.queues[partner][id] = None
        elif partner != NOBODY:
            return "a partner has no part in it"
        story.partner, story.held, story.over = partner, True, kind == Kind.LEAKED
        return ""

    def go_on(self, story: _Story, tick: int, kind: int, id: int, value: float) -> str:
        if (story.partner == NOBODY) != (kind in (Kind.ADVANCED, Kind.VISIT)):
            return "it is a partner's" if story.partner != NOBODY else "it is the manager's"
        if kind == Kind.VISIT:
            story.visited = True
        elif kind == Kind.ADVANCED:
            if not story.visited:
                return "it was not visited in this stage"
            if story.stages_passed not in (None, value - 1) or not 0 < value < self.stages[story.segment]:
                return f"it cannot have passed {value:g} stages"
            story.stages_passed, story.visited = int(value), False
        elif kind == Kind.STARTED:
            if story.started:
                return "it has started before"
            story.started = True
            if abs(value - (tick - story.tick) / TICKS_PER_WEEK) > 1e-6:
                return f"it did not wait {value:g} weeks"
            return self.start(story.partner, id)
        elif story.helped not in (0, kind):
            return "it is helped in two ways"
        elif kind == Kind.CO_SELL and not story.started:
            return "its partner has not started"
        else:
            story.helped = kind
        return ""

    def start(self, partner: int, id: int) -> str:
        """A deal that the manager sells for the partner may start out of turn, and takes no people in the end."""
        queue = self.queues[partner]
        first = next(iter(queue), None)
        queue.pop(id, None)
        if id in self.sold_for:
            return ""
        self.working[partner] += 1
        if first != id:
            return f"opportunity {first} came first and still waits"
        return "its partner's people are all busy" if self.working[partner] > self.people[partner] else ""

    def end(self, story: _Story, tick: int, kind: int, id: int, amount: int, value: float) -> str:
        story.over = True
        if story.amount != amount:
            return f"it began with ${story.amount:,}, not ${amount:,}"
        if abs(value - self.age(story, tick)) > 1e-6:
            return f"it is {self.age(story, tick):g} weeks old, not {value:g}"
        if (kind == Kind.REPLACED) != (self.replaced and story.tick < 0 <= tick):
            return "only deals of a history are replaced, and all of them"
        if story.partner == NOBODY:
            return self.end_of_the_managers(story, kind)
        self.queues[story.partner].pop(id, None)
        if story.started and id not in self.sold_for:
            self.working[story.partner] -= 1
        return self.end_of_a_partners(story, kind)

    def age(self, story: _Story, tick: int) -> float:
        return (tick - story.tick) / TICKS_PER_WEEK + (story.age if story.kind == Kind.TAKEN_OVER else 0.0)

    def end_of_the_managers(self, story: _Story, kind: int) -> str:
        if kind == Kind.REPLACED:
            return ""
        if kind in PARTNER_WON or kind == Kind.PARTNER_LEFT:
            return "it is the manager's"
        if (kind == Kind.NO_DECISION) == story.visited:
            return "it was visited in this stage" if story.visited else "it was not visited in this stage"
        if kind == Kind.WON_DIRECT and story.stages_passed not in (None, self.stages[story.segment] - 1):
            return f"it has passed {story.stages_passed} stages only"
        return ""

    def end_of_a_partners(self, story: _Story, kind: int) -> str:
        if kind == Kind.WON_DIRECT:
            return "it is a partner's"
        if (kind == Kind.PARTNER_LEFT) != (story.partner in self.left):
            return "its partner has left" if story.partner in self.left else "its partner has not left"
        if kind in (Kind.PARTNER_LEFT, Kind.REPLACED):
            return ""
        if (kind == Kind.NO_DECISION) == story.started:
            return "its partner has started" if story.started else "its partner has not started"
        needed = {Kind.WON_CO_SOLD: Kind.CO_SELL, Kind.WON_SOLD_FOR: Kind.SELL_FOR}.get(Kind(kind))
        return "the manager did not help so" if needed is not None and story.helped != needed else ""

    def problems_at_the_end(self) -> Iterator[str]:
        if sorted(self.stories) != list(range(len(self.stories))):
            yield "opportunities are not numbered without gaps"
        for id, story in self.stories.items():
            if not story.held:
                yield f"opportunity {id} is not found, registered or leaked"
            elif not story.over and story.partner in self.left:
                yield f"opportunity {id} is open although its partner has left"
            elif not story.over and self.replaced and story.tick < 0:
                yield f"opportunity {id} of the history is open although it was replaced"
