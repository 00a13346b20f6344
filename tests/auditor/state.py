"""What stands at a moment of the auditor's own run: deals, partners, the week, and what is due next.

A `Story` is told forward by functions of deals.py, manager.py and weeks.py. Each record it expects goes at once to
`Reader.expect` (reader.py), which compares it with the next of the ledger. Left out: every rule.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from sim.ledger import HISTORY_START, NOBODY, TICKS_PER_WEEK, Kind
from sim.market import Market
from sim.plan import PlanTable
from sim.scenario import Partner, Scenario, Segment
from sim.terms import PARTNER_SEGMENTS
from tests.auditor import numbers
from tests.auditor.reader import Because, Reader

BOUNDARY, WORK_ENDS, ANSWER, CLOSING, ARRIVAL, PATIENCE_ENDS, BLOCK = range(1, 8)
"""The ranks of events within a tick."""
Step = Callable[[], None]


@dataclass(eq=False)
class Deal:
    """An opportunity that the manager or a partner has."""

    id: int
    segment: int
    amount: int
    u: float
    stage: int
    effort: list[int]
    lag: list[int]
    patience: list[int]
    cycle: int
    opened: int
    partner: int
    since: int
    """tick from which somebody has it"""
    over: bool = False
    waits: bool = False
    waits_begun: int = 0
    """number of its waits so far, so that patience with an earlier one is known as such"""
    visit_left: int = 0
    has_people: bool = False
    closes: int | None = None
    help: str | None = None
    help_left: int = 0


@dataclass(eq=False)
class PartnerStands:
    """A partner or candidate at a moment."""

    index: int
    partner: Partner
    nature: numbers.Nature
    skill: float
    engagement: float
    labelled_support: int
    """ticks of support that the label says"""
    active: bool
    settled: bool
    active_since: int = 0
    recruited: float = 0.0
    onboarded_week: int | None = None
    hours: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    """worth of this week's hours by activity"""
    conflicts: int = 0
    own_wins: int = 0
    guided: int = 0
    history: str = "as it starts"
    """what last week did to the stocks"""
    people_at_work: int = 0
    line: list[Deal] = field(default_factory=list)
    deals: dict[int, Deal] = field(default_factory=dict)


@dataclass
class Week:
    """What the manager does in a week, in ticks."""

    ends: int
    selling_ends: int
    appointments: list[tuple[int, str, int]] = field(default_factory=list)
    on_deals: list[tuple[str, int, int]] = field(default_factory=list)
    prospecting: list[tuple[int, int]] = field(default_factory=list)
    is_late: bool = False
    """whether `discipline` has a say"""


class Story:
    """The territory as docs/model.md tells it, at a moment."""

    def __init__(self, scenario: Scenario, plan: PlanTable, history: PlanTable, market: Market, reader: Reader) -> None:
        self.scenario, self.market, self.reader = scenario, market, reader
        self.segments: tuple[Segment, ...] = scenario.market_map
        self.passes = [numbers.chances_to_pass(s) for s in self.segments]
        self.visit_worth = [numbers.worth_of_a_visit_hour(s) for s in self.segments]
        self.expected = [numbers.expected_by_week(scenario, s) for s in self.segments]
        self.rows = [numbers.row_of(scenario, plan, q) for q in range(scenario.horizon_quarters)]
        self.row = self.history = numbers.row_of(scenario, history, 0)
        self.quarter = 0
        hour = numbers.hour_in_ticks(scenario)
        self.prospecting = [ticks / hour for ticks in self.history.prospecting]
        self.reach = [0.0] * len(self.segments)
        self.pool = [0.0] * len(self.segments)
        self.partners = [self.partner_at_first(p, partner) for p, partner in enumerate(scenario.all_partners)]
        self.own: dict[int, Deal] = {}
        self.waiting: list[tuple[float, int, Deal, int]] = []
        """(minus the worth of an hour, id, deal, number of the wait) of deals that began to wait for the manager; those
        that wait no longer may still be there"""
        self.visited: Deal | None = None
        self.free_in: Week | None = None
        self.free_since = 0
        self.spare_ticks = 0
        self.credit_usd = 0.0
        self.pace = ""
        """how the quarter goes, in words, where `discipline` has a say"""
        self.credit_by_quarter: defaultdict[int, float] = defaultdict(float)
        self.week = Week(HISTORY_START + TICKS_PER_WEEK, HISTORY_START)
        self.met: Counter[str] = Counter()
        """how often a condition that a test wants to reach was met"""
        self.now = HISTORY_START
        self.calendar: list[tuple[int, int, int, int, Step]] = []
        self.scheduled = 0
        self.at_once: deque[Step] = deque()

    def partner_at_first(self, index: int, partner: Partner) -> PartnerStands:
        nature = numbers.nature(self.scenario, partner, int(self.market.true_segment[index]))
        carried = numbers.candidate_of(partner) is None
        labelled = numbers.nature(self.scenario, partner, PARTNER_SEGMENTS.index(partner.label)).support_ticks
        start = nature.skill["start"], nature.engagement["start"]
        return PartnerStands(index, partner, nature, *start, labelled, carried, carried)

    # ---------------------------------------------------------------- what happens next

    def due(self, delay: int, rank: int, step: Step, id: int = 0) -> None:
        """Have a step happen in so many ticks, in the order of (tick, rank, id)."""
        self.scheduled += 1
        heapq.heappush(self.calendar, (self.now + delay, rank, id, self.scheduled, step))

    def tell(self) -> None:
        """Let everything happen that is due before the end of the horizon."""
        end = numbers.weeks_in(self.scenario) * TICKS_PER_WEEK
        while self.calendar and self.calendar[0][0] < end:
            self.now, _, _, _, step = heapq.heappop(self.calendar)
            step()
            while self.at_once:
                self.at_once.popleft()()

    # ---------------------------------------------------------------- what is written

    def write(
        self,
        kind: Kind,
        says: str,
        opportunity: int = NOBODY,
        partner: int = NOBODY,
        segment: int = NOBODY,
        amount: int = 0,
        value: float = 0.0,
        because: Because = "",
    ) -> None:
        """Expect a record; `says` names the sentence of docs/model.md, `because` tells the numbers that led to it."""
        self.reader.expect((self.now, int(kind), opportunity, partner, segment, amount, value), says, because)

    def hours(self, ticks: int) -> float:
        return ticks / numbers.hour_in_ticks(self.scenario)

    def write_hours(
        self, kind: Kind, says: str, ticks: int, deal: Deal | None = None, partner: int = NOBODY, segment: int = NOBODY
    ) -> None:
        """Expect hours, at the moment they begin; those on a deal are of whoever has it."""
        if deal is None:
            self.write(kind, says, NOBODY, partner, segment, value=self.hours(ticks), because=self.pace)
        else:
            hours = self.hours(ticks)
            self.write(kind, says, deal.id, deal.partner, deal.segment, value=hours, because=self.pace)

    def win_chance(self, segment: int) -> float:
        """W, the chance to win with the manager's skill."""
        return self.passes[segment][-1]
