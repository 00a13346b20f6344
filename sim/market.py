"""The market writes a tape: all that happens whatever the manager does.

When opportunities arise, whose account each is, its size, the one uniform that settles it, whether the manager or its
partner would see it, how long everything takes; which partners are what they seem, when they leave, whether candidates
sign. The tape knows nothing of a plan, so two plans meet the identical market.

Durations are rounded once, here, to whole ticks. Left out: what is done with all this (territory.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from sim.arrays import FloatArray
from sim.documents.declared import is_whole
from sim.documents.messages import show
from sim.ledger import HISTORY_START, LARGEST_USD, NEVER, NOBODY, TICKS_PER_QUARTER
from sim.native.compiler import Compiled
from sim.scenario import Scenario
from sim.tape import DRAWN, DRAWN_STAGE, FULL, MAX_STAGES, TapeNumbers, Tapes, check_seed, empty_tapes, tape_numbers
from sim.terms import PARTNER_SEGMENTS

TickArray = NDArray[np.int64]
MARKS = ("settles", "found", "brought", "signing")
"""Columns of a market that are uniforms."""
LUCK_BY_PARTNER = ("true_segment", "exit_ticks", "signing")


@dataclass(frozen=True)
class DrawnFor:
    """The properties of a scenario that a market must fit."""

    stages_by_segment: tuple[tuple[str, int], ...]
    partners: tuple[str, ...]
    horizon_quarters: int
    open_deals: int
    has_open_pipeline: bool

    @classmethod
    def of(cls, scenario: Scenario) -> DrawnFor:
        """The properties of one scenario."""
        return cls(
            stages_by_segment=tuple((segment.name, len(segment.stages)) for segment in scenario.market_map),
            partners=tuple(scenario.partner_names),
            horizon_quarters=scenario.horizon_quarters,
            open_deals=len(scenario.open_pipeline or ()),
            has_open_pipeline=scenario.open_pipeline is not None,
        )


@dataclass(frozen=True, eq=False)
class Market:
    """A market as drawn: arrays over opportunities (n) in order of arrival, and over partners, candidates last.

    A deal of the scenario's open pipeline is an opportunity too; those come first, `open_deals` of them.
    """

    seed: int
    replication: int
    drawn_for: DrawnFor
    open_deals: int
    tick: TickArray
    """arrival, shape (n,)"""
    segment: TickArray
    """index of the segment, shape (n,)"""
    owner: TickArray
    """index of the partner whose account it is, NOBODY for a house account, shape (n,)"""
    amount_usd: TickArray
    """whole US dollars, shape (n,)"""
    settles: FloatArray
    """U, the uniform that decides how far the deal gets, shape (n,)"""
    found: FloatArray
    """the manager sees it if this is below the reach, shape (n,)"""
    brought: FloatArray
    """a draw: the partner brings it if this is below engagement^beta, shape (n,)"""
    stage: TickArray
    """stages already passed at arrival, shape (n,)"""
    age_ticks: TickArray
    """time since it was opened, at arrival, shape (n,)"""
    cycle_ticks: TickArray
    """the owner's time from start of work to closing, shape (n,)"""
    effort_ticks: TickArray
    """the manager's work by stage, shape (n, MAX_STAGES)"""
    lag_ticks: TickArray
    """the buyer's answer time by stage, shape (n, MAX_STAGES)"""
    patience_ticks: TickArray
    """the buyer's patience by stage, NEVER if endless, shape (n, MAX_STAGES)"""
    true_segment: TickArray
    """index into PARTNER_SEGMENTS, shape (partners,)"""
    exit_ticks: TickArray
    """time from becoming active to leaving, NEVER if it stays, shape (partners,)"""
    signing: FloatArray
    """a candidate signs if this is below its probability, shape (partners,)"""

    def problem(self, scenario: Scenario) -> str | None:
        """What is impossible about it, in words, or None. A market may have been made by hand."""
        check_seed("seed of the market", self.seed)
        check_seed("replication of the market", self.replication)
        if not is_whole(self.open_deals, 0, self.drawn_for.open_deals) or self.open_deals != self.drawn_for.open_deals:
            return f"open_deals of the market is {show(self.open_deals)}; allowed: {self.drawn_for.open_deals}"
        n = len(self.tick) if isinstance(self.tick, np.ndarray) and self.tick.ndim else 0
        partners, segments = len(scenario.all_partners), len(scenario.market_map)
        stages = np.array([len(segment.stages) for segment in scenario.market_map])
        for name, shape in {
            **dict.fromkeys(("tick", "segment", "owner", "amount_usd", "found", "brought", *BY_OPPORTUNITY), (n,)),
            **dict.fromkeys(BY_STAGE, (n, MAX_STAGES)),
            **dict.fromkeys(LUCK_BY_PARTNER, (partners,)),
        }.items():
            column = getattr(self, name)
            kind = "f" if name in MARKS else "i"
            if not isinstance(column, np.ndarray) or column.shape != shape or column.dtype.kind != kind:
                numbers = "numbers" if kind == "f" else "whole numbers"
                return f"{name} of the market is {show(column)}; allowed: an array of {numbers} of shape {shape}"
        limits = {
            "segment": (0, segments - 1),
            "owner": (NOBODY, partners - 1),
            "true_segment": (0, len(PARTNER_SEGMENTS) - 1),
            "amount_usd": (0, LARGEST_USD),
            **dict.fromkeys(MARKS, (0, 1)),
            **dict.fromkeys(("age_ticks", "cycle_ticks", "exit_ticks", *BY_STAGE), (0, NEVER)),
        }
        for name, (low, high) in limits.items():
            column = getattr(self, name)
            if not ((column >= low) & (column <= high)).all():  # what is no number is on neither side
                return f"{name} of the market holds an impossible value; allowed: {low} to {high:,}"
        if not ((self.stage >= 0) & (self.stage < stages[self.segment])).all():
            return "stage of the market holds a stage that its segment does not have"
        arrivals = self.tick[self.open_deals :]
        end = scenario.horizon_quarters * TICKS_PER_QUARTER
        if (np.diff(arrivals) < 0).any() or ((arrivals < HISTORY_START) | (arrivals >= end)).any():
            return "tick of the market is not in order of time, from the history's first week to the horizon's last"
        if self.open_deals > n:
            return f"the market has {n} opportunities; allowed: at least its {self.open_deals} open deals"
        return None


BY_OPPORTUNITY = {"settles": "settles", "stage": "stage", "age_ticks": "age", "cycle_ticks": "cycle"}
BY_STAGE = {"effort_ticks": "effort", "lag_ticks": "lag", "patience_ticks": "patience"}
"""Columns of a market and the fields of a tape that was drawn whole."""


def draw_market(scenario: Scenario, seed: int, replication: int = 0) -> Market:
    """The market of one replication. Raises SimulationError for a seed or replication outside [0, 2**63)."""
    check_seed("replication", replication)
    numbers = tape_numbers(scenario, seed)
    tapes = draw_tapes(numbers, [int(replication)])
    drawn = np.zeros(len(tapes.arrivals), DRAWN)
    stages = np.zeros((len(drawn), MAX_STAGES), DRAWN_STAGE)
    _compiled("draw_whole")(numbers, tapes, 0, drawn, stages)
    arrivals, luck = tapes.arrivals, tapes.partner_luck[0]
    return Market(
        seed=int(seed),
        replication=int(replication),
        drawn_for=DrawnFor.of(scenario),
        open_deals=len(numbers.open_deals),
        found=arrivals["found"].copy(),
        brought=arrivals["brought"].copy(),
        **{name: arrivals[name].astype("<i8") for name in ("tick", "segment", "owner", "amount_usd")},
        **{name: drawn[field].copy() for name, field in BY_OPPORTUNITY.items()},
        **{name: stages[field].copy() for name, field in BY_STAGE.items()},
        **{name: luck[name].copy() for name in LUCK_BY_PARTNER},
    )


def draw_tapes(numbers: TapeNumbers, replications: Sequence[int], *, whole: bool = False) -> Tapes:
    """The tapes of these replications: some 240 kB each for the baseline.

    Those that are not `whole` are completed by the runs that read them, so only one thread may.
    """
    runs, partners, open_deals = len(replications), len(numbers.partners), len(numbers.open_deals)
    segments, weeks = numbers.demand.shape
    # As many as come with ten standard deviations: a gamma mixture of Poissons has variance m + sum of (cv m)^2.
    expected = numbers.demand.sum()
    variance = expected + ((numbers.demand**2).sum(axis=1) * numbers.factors.var(axis=1)).sum()
    room = int(runs * (expected + open_deals) + 10 * (runs * variance) ** 0.5 + 64)
    while True:
        tapes = empty_tapes(replications, room, segments, partners, weeks)
        drawn = _compiled("draw_all_tapes")(numbers, tapes)
        if drawn != FULL:
            tapes = tapes._replace(arrivals=tapes.arrivals[:drawn], stages=tapes.stages[:drawn])
            if whole:
                _compiled("draw_rest")(numbers, tapes)
            return tapes
        room *= 2


def redraw_partners(numbers: TapeNumbers, tapes: Tapes) -> Tapes:
    """Draw the partners again as these numbers say; the rest of the tapes is shared with the old ones."""
    tapes = tapes._replace(partner_luck=np.empty_like(tapes.partner_luck))
    _compiled("draw_all_partners")(numbers, tapes)
    return tapes


@cache
def _compiled(function: str) -> Compiled:
    from sim import drawing, rules, streams, tape

    return Compiled(getattr(drawing, function), rules, streams, tape, drawing, as_python=streams.marks_by_rows)
