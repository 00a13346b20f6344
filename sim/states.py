"""What stands at a moment of a run: an open deal, a partner, this week's hours. Plain values that change, no behaviour.

`Columns` is the tape as the SimPy engine reads it. Left out: what changes them (territory.py).
"""

from __future__ import annotations

from collections import deque
from typing import Any

from sim.coefficients import PartnerNumbers
from sim.ledger import NEVER, Kind
from sim.market import Market
from sim.terms import PARTNER_ACTIVITIES


class Deal:
    """An opportunity somebody works."""

    __slots__ = (
        "amount", "assist_left", "assisted_by", "closes_at", "cycle", "effort", "id", "in_capacity", "lag", "opened_at",
        "over", "partner", "patience", "reply", "segment", "stage", "u", "visit_left",
    )  # fmt: skip

    def __init__(self, market: Columns, id: int, now: int, partner: int) -> None:
        self.id = id
        self.segment: int = market.segment[id]
        self.amount: int = market.amount_usd[id]
        self.u: float = market.settles[id]
        self.stage: int = market.stage[id]
        self.effort: list[int] = market.effort_ticks[id]
        self.lag: list[int] = market.lag_ticks[id]
        self.patience: list[int] = market.patience_ticks[id]
        self.cycle: int = market.cycle_ticks[id]
        self.opened_at = now - market.age_ticks[id]
        self.partner = partner
        self.over = self.in_capacity = False
        self.reply: Any = None
        """the event that ends its wait, while it waits"""
        self.visit_left = self.assist_left = 0
        self.closes_at = NEVER
        self.assisted_by: int | None = None


class Columns:
    """The tape's arrays as plain lists, which Python reads several times as fast as array elements."""

    def __init__(self, market: Market) -> None:
        for name in (
            "tick", "segment", "owner", "amount_usd", "settles", "found", "brought", "stage", "age_ticks",
            "cycle_ticks", "effort_ticks", "lag_ticks", "patience_ticks", "true_segment", "exit_ticks", "signing",
        ):  # fmt: skip
            setattr(self, name, getattr(market, name).tolist())
        self.open_deals = market.open_deals
        self.has_open_pipeline = market.drawn_for.has_open_pipeline

    # Only tells the type checker what the columns set above are.
    def __getattr__(self, name: str) -> list[Any]:
        raise AttributeError(name)


class PartnerState:
    """One partner or candidate as it stands."""

    def __init__(self, index: int, numbers: PartnerNumbers, true_segment: int) -> None:
        self.index = index
        self.numbers = numbers
        self.traits = numbers.traits[true_segment]
        self.skill = self.traits.skill_start
        self.engagement = self.traits.engagement_start
        self.active = self.settled = not numbers.is_candidate
        self.active_since = 0
        self.recruited_hours = 0.0
        self.onboarded_week = -1
        self.parked = False
        self.hours = [0.0] * len(PARTNER_ACTIVITIES)
        """worth of last week's hours by activity, the channel account manager's included"""
        self.conflicts = self.own_wins = self.guided = self.working = 0
        self.queue: deque[Deal] = deque()
        self.open: dict[int, Deal] = {}

    @property
    def carried(self) -> bool:
        return self.active and not self.parked


class WeekPlan:
    """Who gets what this week, in ticks, in the order of the blocks."""

    def __init__(self) -> None:
        self.appointments: list[tuple[int, Kind, int]] = []
        self.assists: list[tuple[int, int, int]] = []
        self.prospect: list[tuple[int, int]] = []
        self.sell_until = self.ends_at = 0
