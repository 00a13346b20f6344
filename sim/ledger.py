"""The ledger: everything that happened, in order, and nothing else.

An engine writes records; everything anybody wants to know is computed from them later (kpis.py). Two engines agree when
their ledgers have the same digest. Times are integer ticks, 65,536 to a week, from the first moment of quarter 1;
history is negative. Hours are written when they begin.

Left out: what would have happened under another plan (experiment.py) and what the manager could know at the time.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.arrays import FloatArray
from sim.errors import SimulationError
from sim.scenario import Scenario
from sim.terms import HISTORY_WEEKS, WEEKS_PER_QUARTER

TICKS_PER_WEEK = 65_536
TICKS_PER_QUARTER = WEEKS_PER_QUARTER * TICKS_PER_WEEK
HISTORY_START = -HISTORY_WEEKS * TICKS_PER_WEEK
NOBODY = -1
"""No opportunity, no partner or no segment in a record."""
LARGEST_USD = 10**12
"""Largest amount of one deal: sums of any number of them stay exact."""
NEVER = 2**62
"""A tick that does not come."""


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
"""One record of what happened. `value` is hours, weeks, a level or a count: `Kind` says which."""


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
        """Raise SimulationError unless hours, opportunities and money balance.

        Each opportunity begins once and ends at most once, in one way, after it began; the manager's recorded hours
        never exceed the week; visits fit in the selling time; every won amount is the amount that arrived; a deal ends
        with whoever had it, and a partner that left has none. Not proven, as only the tape could tell: that the right
        deals were won, and that a deal without an ending is still open.
        """
        for problem in (*self._opportunity_problems(), *self._holder_problems(), *self._hour_problems()):
            raise SimulationError(
                f"scenario {self.scenario.name!r}, plan {self.plan_name!r}, seed {self.seed}, "
                f"replication {self.replication}: {problem}"
            )

    def _opportunity_problems(self) -> Iterator[str]:
        begun, ended = self.of(*BEGINNINGS), self.of(*ENDINGS)
        amounts = dict(zip(begun["opportunity"].tolist(), begun["amount_usd"].tolist(), strict=True))
        starts = dict(zip(begun["opportunity"].tolist(), begun["tick"].tolist(), strict=True))
        if len(amounts) != len(begun):
            yield "an opportunity begins twice"
        if len(np.unique(ended["opportunity"])) != len(ended):
            yield "an opportunity ends twice"
        for tick, opportunity, amount in ended[["tick", "opportunity", "amount_usd"]].tolist():
            if opportunity not in amounts:
                yield f"opportunity {opportunity} ends but never began"
            elif amounts[opportunity] != amount:
                yield f"opportunity {opportunity} began with ${amounts[opportunity]:,} and ended with ${amount:,}"
            elif starts[opportunity] > tick:
                yield f"opportunity {opportunity} ends before it begins"
        held = self.of(Kind.FOUND, Kind.REGISTERED, Kind.LEAKED, Kind.TAKEN_OVER)
        if sorted(held["opportunity"].tolist()) != sorted(amounts):
            yield "an opportunity is not found, registered or leaked exactly once"
        if (np.diff(self.records["tick"]) < 0).any():
            yield "the records are not in order of time"

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
        sorts = (PLANNED_HOURS, (Kind.SELL_TIME,), (Kind.VISIT,))
        planned, selling, visits = (self._hours_by_week(*kinds) for kinds in sorts)
        if planned.size and planned.max() > most + 1e-6:
            yield f"week {int(planned.argmax()) - self._weeks_before} holds {planned.max():g} hours of {most:g}"
        if (visits > selling + 1e-6).any():
            yield f"visits exceed the selling time in week {int((visits - selling).argmax()) - self._weeks_before}"
        if (self.records["value"] < 0).any() or not np.isfinite(self.records["value"]).all():
            yield "a value is negative or not a number"

    @property
    def _weeks_before(self) -> int:
        return int(-(self.records["tick"].min(initial=0) // TICKS_PER_WEEK))

    def _hours_by_week(self, *kinds: Kind) -> FloatArray:
        chosen = self.of(*kinds)
        weeks = chosen["tick"] // TICKS_PER_WEEK + self._weeks_before
        length = int(self.records["tick"].max(initial=0) // TICKS_PER_WEEK) + self._weeks_before + 1
        return np.bincount(weeks, weights=chosen["value"], minlength=length).astype(np.float64)
