"""Claim: what happens, happens when docs/model.md says, to the tick and in its order.

Each market here is written by hand, and each expected list was worked out on paper from "Time and order" and "A week".
Times are hours of a 32-hour week from the first moment of quarter 1 (one hour is 2,048 ticks), so week 1 of the
quarter begins at hour 0, week 2 at hour 32. Every mean and every drawn number differs, so that they cannot be mixed up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from sim import Ledger, Market, Scenario, TimePlan, draw_market
from sim.ledger import NEVER, NOBODY, TICKS_PER_WEEK, Kind
from sim.tape import MAX_STAGES
from sim.terms import PARTNER_SEGMENTS
from tests.helpers import TRAITS, all_selling, candidate, partner, plan_of, run_in, segment, stage, territory

HOURS = 32.0
TICKS_PER_HOUR = TICKS_PER_WEEK // 32
BELIEVER = PARTNER_SEGMENTS.index("believer")
DEAL_KINDS = (
    *(Kind.TAKEN_OVER, Kind.FOUND, Kind.REGISTERED, Kind.CONFLICT, Kind.ADVANCED, Kind.STARTED, Kind.LEAKED),
    *(Kind.WON_DIRECT, Kind.WON_PARTNER, Kind.WON_CO_SOLD, Kind.WON_SOLD_FOR, Kind.LOST, Kind.NO_DECISION),
    *(Kind.PARTNER_LEFT, Kind.REPLACED, Kind.VISIT, Kind.CO_SELL, Kind.SELL_FOR, Kind.LEFT),
)


@dataclass(frozen=True)
class Marks:
    """One opportunity of a hand-written tape; times in hours. It is seen by all and won unless it says otherwise."""

    at: float
    effort: tuple[float, ...] = (8.0,)
    lag: tuple[float, ...] = (0.0,)
    patience: float | None = None
    cycle: float = 0.0
    amount_usd: int = 1000
    owner: int = NOBODY
    settles: float = 0.0
    found: float = 0.0
    brought: float = 0.0
    stage: int = 0


def tape(
    scenario: Scenario,
    *marks: Marks,
    exit_hours: float | None = None,
    signing: float = 0.0,
    segments: int = 1,
) -> Market:
    """A market that consists of `marks`, all of one segment, with every partner what its label says."""
    partners = len(scenario.all_partners)

    def by_stage(rows: list[tuple[float, ...]]) -> np.ndarray[Any, Any]:
        return np.array([[ticks(h) for h in row] + [0] * (MAX_STAGES - len(row)) for row in rows], dtype=np.int64)

    return replace(
        draw_market(scenario, 7),
        tick=np.array([ticks(m.at) for m in marks]),
        segment=np.zeros(len(marks), dtype=np.int64),
        owner=np.array([m.owner for m in marks]),
        amount_usd=np.array([m.amount_usd for m in marks]),
        settles=np.array([m.settles for m in marks]),
        found=np.array([m.found for m in marks]),
        brought=np.array([m.brought for m in marks]),
        stage=np.array([m.stage for m in marks]),
        age_ticks=np.zeros(len(marks), dtype=np.int64),
        cycle_ticks=np.array([ticks(m.cycle) for m in marks]),
        effort_ticks=by_stage([m.effort for m in marks]),
        lag_ticks=by_stage([m.lag for m in marks]),
        patience_ticks=np.array([[NEVER if m.patience is None else ticks(m.patience)] * MAX_STAGES for m in marks]),
        true_segment=np.full(partners, BELIEVER),
        exit_ticks=np.full(partners, NEVER if exit_hours is None else ticks(exit_hours)),
        signing=np.full(partners, signing),
    )


def ticks(hours: float) -> int:
    exact = hours * TICKS_PER_HOUR
    assert exact == round(exact), f"{hours} h is not a whole number of ticks"
    return round(exact)


def here(**changes: Any) -> Scenario:
    return territory(**{"territory_manager": {"hours_per_week": HOURS}, **changes})


def story(ledger: Ledger, *kinds: Kind) -> list[tuple[Any, ...]]:
    """(hour, kind, opportunity, hours or whatever the value is), arrivals and the partners' levels left out."""
    ledger.check()
    return [
        (r["tick"] / TICKS_PER_HOUR, Kind(r["kind"]), int(r["opportunity"]), float(r["value"]))
        for r in ledger.of(*(kinds or DEAL_KINDS))
    ]


def told(scenario: Scenario, plan: TimePlan, market: Market, *kinds: Kind) -> list[tuple[Any, ...]]:
    return story(run_in(scenario, plan, market), *kinds)


def two_stages(**changes: Any) -> dict[str, Any]:
    return segment(stages=[stage(), stage(mean_hours=5.0)], **changes)


# ---------------------------------------------------------------- the manager's own deals


def test_a_direct_deal_goes_through_two_stages() -> None:
    scenario = here(market_map=[two_stages()])
    market = tape(scenario, Marks(at=1, effort=(3, 2), lag=(5, 4)))
    assert told(scenario, all_selling(scenario), market) == [
        (1, Kind.FOUND, 0, 0),
        (1, Kind.VISIT, 0, 3),
        (9, Kind.ADVANCED, 0, 1),
        (9, Kind.VISIT, 0, 2),
        (15, Kind.WON_DIRECT, 0, 14 / 32),
    ]


@pytest.mark.parametrize(
    ("settles", "end"),
    [(0.29, Kind.WON_DIRECT), (0.3, Kind.LOST), (0.49, Kind.LOST)],
)
def test_one_uniform_settles_both_stages(settles: float, end: Kind) -> None:
    """a1 = .5, a1 * a2 = .3: U = .49 passes the first stage and fails at the second; U at the bound does not pass."""
    stages = [stage(advance_probability=0.5), stage(advance_probability=0.6)]
    scenario = here(market_map=[segment(stages=stages)])
    market = tape(scenario, Marks(at=1, effort=(3, 2), lag=(5, 4), settles=settles), Marks(at=2, settles=0.5))
    steps = told(scenario, all_selling(scenario), market, Kind.ADVANCED, Kind.LOST, Kind.WON_DIRECT)
    assert [step[:3] for step in steps] == [(9, Kind.ADVANCED, 0), (12, Kind.LOST, 1), (18, end, 0)]


def test_a_visit_once_begun_is_finished_over_the_week_boundary() -> None:
    """Each week begins with four hours of prospecting. The bigger deal that arrives meanwhile must wait."""
    scenario = here()
    plan = plan_of(scenario, ("prospect", "only", 4.0), ("sell", None, 28.0))
    market = tape(scenario, Marks(at=30, effort=(5,)), Marks(at=33, effort=(1,), amount_usd=9000))
    assert told(scenario, plan, market) == [
        (30, Kind.FOUND, 0, 0),
        (30, Kind.VISIT, 0, 2),
        (33, Kind.FOUND, 1, 0),
        (36, Kind.VISIT, 0, 3),
        (39, Kind.VISIT, 1, 1),
        (39, Kind.WON_DIRECT, 0, 9 / 32),
        (40, Kind.WON_DIRECT, 1, 7 / 32),
    ]


def test_the_most_valuable_comes_next_and_ties_go_by_number() -> None:
    """By amount, as the mean hours are the same: the manager does not know that deal 5 will take twenty hours."""
    scenario = here()
    market = tape(
        scenario,
        Marks(at=0, effort=(8,)),
        Marks(at=1, effort=(1,)),
        Marks(at=2, effort=(1,), amount_usd=3000),
        Marks(at=3, effort=(1,)),
        Marks(at=4, effort=(1,), amount_usd=3000),
        Marks(at=5, effort=(20,), amount_usd=3001),
    )
    assert told(scenario, all_selling(scenario), market, Kind.VISIT) == [
        (0, Kind.VISIT, 0, 8),
        (8, Kind.VISIT, 5, 20),
        (28, Kind.VISIT, 2, 1),
        (29, Kind.VISIT, 4, 1),
        (30, Kind.VISIT, 1, 1),
        (31, Kind.VISIT, 3, 1),
    ]


def test_value_is_amount_times_remaining_win_probability_over_remaining_mean_hours() -> None:
    """Stages of 8 and 5 mean hours, a = .5 and .8: $1,000 in stage 2 is worth 1000 * .8 / 5 = $160 an hour.

    A new deal of $2,000 is worth 2000 * .4 / (8 + .5 * 5) = $76, one of $5,000 $190. Deal 0 is in stage 2 at hour 10.
    """
    scenario = here(
        market_map=[segment(stages=[stage(advance_probability=0.5), stage(mean_hours=5.0, advance_probability=0.8)])]
    )
    market = tape(
        scenario,
        Marks(at=0, effort=(1, 1), lag=(2, 0)),
        Marks(at=1, effort=(9, 1), lag=(90, 0), amount_usd=50_000),
        Marks(at=4, effort=(2, 1), lag=(90, 0), amount_usd=2000),
        Marks(at=5, effort=(2, 1), lag=(90, 0), amount_usd=5000),
    )
    assert told(scenario, all_selling(scenario), market, Kind.VISIT)[:5] == [
        (0, Kind.VISIT, 0, 1),
        (1, Kind.VISIT, 1, 9),
        (10, Kind.VISIT, 3, 2),
        (12, Kind.VISIT, 0, 1),
        (13, Kind.VISIT, 2, 2),
    ]


def test_patience_ends_while_the_manager_is_busy_but_not_at_the_moment_of_the_first_hour() -> None:
    """Both wait from hour 1; deal 2 gives up at 7.5, deal 1 would at 8, when the visit before it ends (rank 1
    before 5).

    Then it is patient, whatever its effort, as the first hour has come; and again with a fresh patience in stage 2.
    """
    scenario = here(market_map=[two_stages()])
    market = tape(
        scenario,
        Marks(at=0, effort=(8, 1), lag=(90, 0)),
        Marks(at=1, effort=(9, 3), lag=(4, 0), patience=7),
        Marks(at=1, patience=6.5),
    )
    assert told(scenario, all_selling(scenario), market) == [
        (0, Kind.FOUND, 0, 0),
        (0, Kind.VISIT, 0, 8),
        (1, Kind.FOUND, 1, 0),
        (1, Kind.FOUND, 2, 0),
        (7.5, Kind.NO_DECISION, 2, 6.5 / 32),
        (8, Kind.VISIT, 1, 9),
        (21, Kind.ADVANCED, 1, 1),
        (21, Kind.VISIT, 1, 3),
        (24, Kind.WON_DIRECT, 1, 23 / 32),
        (98, Kind.ADVANCED, 0, 1),
        (98, Kind.VISIT, 0, 1),
        (99, Kind.WON_DIRECT, 0, 99 / 32),
    ]


def test_a_returning_buyer_comes_before_an_arrival_of_the_same_instant() -> None:
    """The manager is free at hour 6: the return (rank 2) takes it, though the arrival (rank 4) is worth ten times
    more.
    """
    scenario = here(market_map=[two_stages()])
    market = tape(
        scenario,
        Marks(at=0, effort=(2, 3), lag=(4, 0)),
        Marks(at=6, effort=(1, 1), lag=(0, 0), amount_usd=10_000),
    )
    assert told(scenario, all_selling(scenario), market) == [
        (0, Kind.FOUND, 0, 0),
        (0, Kind.VISIT, 0, 2),
        (6, Kind.ADVANCED, 0, 1),
        (6, Kind.VISIT, 0, 3),
        (6, Kind.FOUND, 1, 0),
        (9, Kind.VISIT, 1, 1),
        (9, Kind.WON_DIRECT, 0, 9 / 32),
        (10, Kind.ADVANCED, 1, 1),
        (10, Kind.VISIT, 1, 1),
        (11, Kind.WON_DIRECT, 1, 5 / 32),
    ]


def test_a_week_off_has_no_hours() -> None:
    scenario = here(calendar={"weeks_off": [2]}, partners=[partner(base_share={})])
    plan = plan_of(scenario, ("coach", "Pine", 2.0), ("prospect", "only", 3.0), ("sell", None, 27.0))
    market = tape(scenario, Marks(at=31, effort=(3,), patience=34))
    ledger = run_in(scenario, plan, market)
    assert story(ledger) == [
        (31, Kind.FOUND, 0, 0),
        (31, Kind.VISIT, 0, 1),
        (69, Kind.VISIT, 0, 2),
        (71, Kind.WON_DIRECT, 0, 40 / 32),
    ]
    assert [event for event in story(ledger, Kind.COACH, Kind.PROSPECT, Kind.SELL_TIME) if event[0] in range(100)] == [
        *[(0, Kind.COACH, -1, 2), (2, Kind.PROSPECT, -1, 3), (5, Kind.SELL_TIME, -1, 27)],
        *[(64, Kind.COACH, -1, 2), (66, Kind.PROSPECT, -1, 3), (69, Kind.SELL_TIME, -1, 27)],
        *[(96, Kind.COACH, -1, 2), (98, Kind.PROSPECT, -1, 3)],
    ]


def test_unplanned_hours_are_idle_at_the_end_of_the_week() -> None:
    scenario = here()
    plan = plan_of(scenario, ("sell", None, 20.0))
    market = tape(scenario, Marks(at=18, effort=(5,)), Marks(at=25, effort=(1,)))
    assert told(scenario, plan, market) == [
        (18, Kind.FOUND, 0, 0),
        (18, Kind.VISIT, 0, 2),
        (25, Kind.FOUND, 1, 0),
        (32, Kind.VISIT, 0, 3),
        (35, Kind.VISIT, 1, 1),
        (35, Kind.WON_DIRECT, 0, 17 / 32),
        (36, Kind.WON_DIRECT, 1, 11 / 32),
    ]


def test_spare_selling_hours_count_as_prospecting_from_the_next_week() -> None:
    """26 idle weeks of history: A = 32 * (1 - 2^(-26/4)). Week 1 spares 32 - 12 hours; pool 26 / 13 = 2 a week."""
    scenario = here(market_map=[segment(inbound_share=0.2, prospecting_yield=0.05)])
    ledger = run_in(scenario, all_selling(scenario), tape(scenario, Marks(at=1, effort=(12,))))
    before = 32 * (1 - 2 ** (-26 / 4))
    after = before + (1 - 2 ** (-1 / 4)) * (20 - before)
    expected = [1 - 0.8 * math.exp(-0.05 * a / 2) for a in (before, after)]
    assert ledger.of(Kind.REACH)["value"][:2].tolist() == pytest.approx(expected, rel=1e-12)


# ---------------------------------------------------------------- whose opportunity it is


@pytest.mark.parametrize(
    ("mode", "seen_by_both", "brought_only", "found_only"),
    [
        ("direct", [Kind.FOUND], [Kind.LEAKED], [Kind.FOUND]),
        ("partner_led", [Kind.REGISTERED], [Kind.REGISTERED], [Kind.LEAKED]),
        ("direct_first", [Kind.CONFLICT, Kind.FOUND], [Kind.REGISTERED], [Kind.FOUND]),
        ("partner_first", [Kind.REGISTERED], [Kind.REGISTERED], [Kind.FOUND]),
    ],
)
def test_who_keeps_an_opportunity_of_a_partners_account(
    mode: str, seen_by_both: list[Kind], brought_only: list[Kind], found_only: list[Kind]
) -> None:
    """The manager's reach is .5; engagement .4 brings with probability .4^.5 = .632. Seen by nobody, it leaks
    anyway.
    """
    scenario = here(market_map=[segment(inbound_share=0.5)], partners=[partner(base_share={"only": 0.5})])
    pine = {"owner": 0, "effort": (1.0,)}
    market = tape(
        scenario,
        Marks(at=1, found=0.49, brought=0.63, **pine),
        Marks(at=2, found=0.51, brought=0.63, **pine),
        Marks(at=3, found=0.49, brought=0.64, **pine),
        Marks(at=4, found=0.51, brought=0.64, **pine),
        Marks(at=5, found=0.49),
        Marks(at=6, found=0.51),
    )
    plan = all_selling(scenario, coverage_mode={"only": mode})
    seen = told(scenario, plan, market, Kind.FOUND, Kind.REGISTERED, Kind.CONFLICT, Kind.LEAKED)
    expected = [seen_by_both, brought_only, found_only, [Kind.LEAKED], [Kind.FOUND], [Kind.LEAKED]]
    assert [(kind, who) for _, kind, who, _ in seen] == [(k, i) for i, kinds in enumerate(expected) for k in kinds]


def test_a_conflict_lowers_engagement_the_next_week() -> None:
    """Left alone, engagement stays at .4. Two conflicts in week 1 take .02; then it drifts back with half-life 13."""
    steady = partner(traits={"engagement_start": 0.4, "engagement_alone": 0.4, "engagement_ceiling": 1.0})
    scenario = here(partners=[steady])
    market = tape(scenario, Marks(at=1, owner=0, effort=(1,)), Marks(at=31, owner=0, effort=(1,)))
    ledger = run_in(scenario, all_selling(scenario, coverage_mode={"only": "direct_first"}), market)
    assert story(ledger, Kind.CONFLICT) == [(1, Kind.CONFLICT, 0, 0), (31, Kind.CONFLICT, 1, 0)]
    back = 0.38 + (1 - 2 ** (-1 / 13)) * 0.02
    assert ledger.of(Kind.ENGAGEMENT)["value"][:3].tolist() == pytest.approx([0.4, 0.38, back], abs=1e-12)


# ---------------------------------------------------------------- partners' deals


def unskilled(**changes: Any) -> dict[str, Any]:
    """A partner that wins nothing alone and brings everything, for ever."""
    never = {"skill_start": 0.0, "skill_alone": 0.0}
    always = {"engagement_start": 1.0, "engagement_ceiling": 1.0, "engagement_alone": 1.0}
    return partner(traits={**never, **always}, **changes)


def partner_led(scenario: Scenario, *hours: tuple[Any, ...], **rest: Any) -> TimePlan:
    return plan_of(scenario, *hours, coverage_mode={"only": "partner_led"}, **rest)


@pytest.mark.parametrize(
    ("late_ticks", "end"), [(0, Kind.WON_CO_SOLD), (1, Kind.LOST)], ids=["in time", "one tick too late"]
)
def test_co_selling_counts_if_complete_by_the_closing_date(late_ticks: int, end: Kind) -> None:
    """Eight hours of stages are a lump of four, from hour 0: done at 4 (rank 1), before a closing at 4 (rank 3)."""
    scenario = here(partners=[unskilled()])
    plan = partner_led(scenario, ("co_sell", "Pine", 6.0), ("sell", None, 26.0))
    worked = 4 - late_ticks / TICKS_PER_HOUR
    market = tape(scenario, Marks(at=0, owner=0, effort=(8,), cycle=worked))
    ledger = run_in(scenario, plan, market)
    assert story(ledger) == [
        (0, Kind.REGISTERED, 0, 0),
        (0, Kind.STARTED, 0, 0),
        (0, Kind.CO_SELL, 0, worked),
        (worked, end, 0, worked / 32),
    ]
    # Nobody needs the rest of the block: it is selling time.
    assert story(ledger, Kind.SELL_TIME)[26] == (worked, Kind.SELL_TIME, -1, 32 - worked)
    practised = ledger.of(Kind.SKILL)["value"][1]
    assert practised == pytest.approx(0.02 if end == Kind.WON_CO_SOLD else 0.0, abs=1e-12)


def test_a_partner_alone_wins_by_its_skill_at_closing_and_learns_from_it() -> None:
    """skill .25 and fit .8: wins if U < .8 * .5 * .25^.5 = .2. The win adds .002 at the next week boundary."""
    able = partner(fit=0.8, traits={"skill_start": 0.25, "skill_alone": 0.25})
    scenario = here(partners=[able], market_map=[segment(stages=[stage(advance_probability=0.5)])])
    market = tape(
        scenario,
        Marks(at=1, owner=0, cycle=5, settles=0.199),
        Marks(at=2, owner=0, cycle=1, settles=0.2),
        Marks(at=33, owner=0, cycle=5, settles=0.2),
    )
    ledger = run_in(scenario, partner_led(scenario, ("sell", None, 32.0)), market)
    assert story(ledger) == [
        (1, Kind.REGISTERED, 0, 0),
        (1, Kind.STARTED, 0, 0),
        (2, Kind.REGISTERED, 1, 0),
        (2, Kind.STARTED, 1, 0),
        (3, Kind.LOST, 1, 1 / 32),
        (6, Kind.WON_PARTNER, 0, 5 / 32),
        (33, Kind.REGISTERED, 2, 0),
        (33, Kind.STARTED, 2, 0),
        (38, Kind.WON_PARTNER, 2, 5 / 32),
    ]
    assert ledger.of(Kind.SKILL)["value"][:2].tolist() == pytest.approx([0.25, 0.252], abs=1e-12)


def test_selling_for_a_partner_frees_its_people_for_the_next_deal() -> None:
    """Capacity 1: deal 1 stands in line. The manager works deal 0 (8 hours, 4 a week from hour 32) and is through at
    hour 68: only then are the partner's people free, and deal 1 starts.
    """
    scenario = here(partners=[unskilled(capacity_deals=1)])
    plan = partner_led(scenario, ("sell_for", "Pine", 4.0), ("sell", None, 28.0))
    market = tape(
        scenario,
        Marks(at=1, owner=0, amount_usd=2000, cycle=256),
        Marks(at=2, owner=0, amount_usd=1000, cycle=100, patience=80),
    )
    assert told(scenario, plan, market) == [
        (1, Kind.REGISTERED, 0, 0),
        (1, Kind.STARTED, 0, 0),
        (2, Kind.REGISTERED, 1, 0),
        (32, Kind.SELL_FOR, 0, 4),
        (64, Kind.SELL_FOR, 0, 4),
        (68, Kind.STARTED, 1, 66 / 32),
        (96, Kind.SELL_FOR, 1, 4),
        (128, Kind.SELL_FOR, 1, 4),
        (168, Kind.WON_SOLD_FOR, 1, 166 / 32),
        (257, Kind.WON_SOLD_FOR, 0, 8),
    ]


def test_a_deal_that_only_the_manager_began_and_did_not_finish_is_lost() -> None:
    """No people (capacity 0): the manager takes the deal from the line at hour 32 and has done 4 of its 8 hours when it
    closes, 20 hours later. Nobody else worked it: lost, though its U would win.
    """
    scenario = here(partners=[unskilled(capacity_deals=0)])
    plan = partner_led(scenario, ("sell_for", "Pine", 4.0), ("sell", None, 28.0))
    market = tape(scenario, Marks(at=1, owner=0, amount_usd=2000, cycle=20, settles=0.0))
    assert told(scenario, plan, market) == [
        (1, Kind.REGISTERED, 0, 0),
        (32, Kind.SELL_FOR, 0, 4),
        (32, Kind.STARTED, 0, 31 / 32),
        (52, Kind.LOST, 0, 51 / 32),
    ]


def test_selling_for_a_partner_may_take_a_deal_out_of_its_line() -> None:
    """The deal in line is worth more: it begins at hour 32 without the partner's people; deal 2 goes on waiting."""
    scenario = here(partners=[unskilled(capacity_deals=1)])
    plan = partner_led(scenario, ("sell_for", "Pine", 8.0), ("sell", None, 24.0))
    market = tape(
        scenario,
        Marks(at=1, owner=0, amount_usd=2000, cycle=35),
        Marks(at=2, owner=0, amount_usd=3000, cycle=20, patience=31),
        Marks(at=3, owner=0, amount_usd=1000, cycle=10, patience=40),
    )
    assert told(scenario, plan, market) == [
        (1, Kind.REGISTERED, 0, 0),
        (1, Kind.STARTED, 0, 0),
        (2, Kind.REGISTERED, 1, 0),
        (3, Kind.REGISTERED, 2, 0),
        (32, Kind.SELL_FOR, 1, 8),
        (32, Kind.STARTED, 1, 30 / 32),
        (36, Kind.LOST, 0, 35 / 32),
        (36, Kind.STARTED, 2, 33 / 32),
        (46, Kind.LOST, 2, 43 / 32),
        (52, Kind.WON_SOLD_FOR, 1, 50 / 32),
    ]


def test_a_partner_with_no_capacity_lets_everything_grow_cold() -> None:
    scenario = here(partners=[unskilled(capacity_deals=0)])
    market = tape(scenario, Marks(at=1, owner=0, patience=5))
    assert told(scenario, partner_led(scenario, ("sell", None, 32.0)), market) == [
        (1, Kind.REGISTERED, 0, 0),
        (6, Kind.NO_DECISION, 0, 5 / 32),
    ]


def test_a_partner_that_leaves_loses_its_deals_and_its_accounts() -> None:
    """It stays 1.5 weeks, so it is gone at the boundary of week 3: what it works and what waits is lost; then the
    manager finds its accounts, which are house accounts now. Its coaching hours go to selling."""
    scenario = here(partners=[unskilled(capacity_deals=1)])
    plan = partner_led(scenario, ("coach", "Pine", 4.0), ("sell", None, 28.0))
    market = tape(
        scenario,
        Marks(at=1, owner=0, cycle=256),
        Marks(at=2, owner=0, cycle=256),
        Marks(at=64, owner=0, effort=(1,)),
        exit_hours=48,
    )
    ledger = run_in(scenario, plan, market)
    assert story(ledger) == [
        (1, Kind.REGISTERED, 0, 0),
        (1, Kind.STARTED, 0, 0),
        (2, Kind.REGISTERED, 1, 0),
        (64, Kind.LEFT, -1, 0),
        (64, Kind.PARTNER_LEFT, 0, 63 / 32),
        (64, Kind.PARTNER_LEFT, 1, 62 / 32),
        (64, Kind.FOUND, 2, 0),
        (64, Kind.VISIT, 2, 1),
        (65, Kind.WON_DIRECT, 2, 1 / 32),
    ]
    assert story(ledger, Kind.COACH) == [(0, Kind.COACH, -1, 4), (32, Kind.COACH, -1, 4)]
    assert story(ledger, Kind.SELL_TIME)[26:29] == [
        (4, Kind.SELL_TIME, -1, 28),
        (36, Kind.SELL_TIME, -1, 28),
        (64, Kind.SELL_TIME, -1, 32),
    ]


@pytest.mark.parametrize(("signing", "signs"), [(0.49, True), (0.5, False)])
def test_a_candidate_decides_after_its_hours_and_brings_after_its_onboarding(signing: float, signs: bool) -> None:
    """Eight hours at five a week: decided at the boundary of week 3 (hour 64), a partner two weeks later (hour 128).

    Recruiting hours left in the plan go to selling. Its accounts are house accounts until it is a partner.
    """
    scenario = here(candidates=[candidate(sign_probability=0.5)])
    plan = partner_led(scenario, ("recruit", "Cypress", 5.0), ("sell", None, 27.0))
    market = tape(
        scenario,
        Marks(at=127, owner=0, effort=(1,)),
        Marks(at=128, owner=0, effort=(1,), cycle=2),
        signing=signing,
    )
    ledger = run_in(scenario, plan, market)
    assert story(ledger, Kind.RECRUIT, Kind.SIGNED, Kind.DECLINED, Kind.ONBOARDED) == [
        (0, Kind.RECRUIT, -1, 5),
        (32, Kind.RECRUIT, -1, 5),
        (64, Kind.SIGNED if signs else Kind.DECLINED, -1, 0),
        *([(128, Kind.ONBOARDED, -1, 0)] if signs else []),
    ]
    assert [event[3] for event in story(ledger, Kind.SELL_TIME)][26:29] == [27, 27, 32]
    assert story(ledger, Kind.FOUND, Kind.REGISTERED) == [
        (127, Kind.FOUND, 0, 0),
        (128, Kind.REGISTERED if signs else Kind.FOUND, 1, 0),
    ]


# ---------------------------------------------------------------- the calendar


def test_discipline_drops_partner_hours_in_weeks_10_to_13_of_a_quarter_that_is_behind() -> None:
    """Quota $13,000. $10,000 at hour 1 is just enough for week 10 (not less than 13,000 * 10/13) and too little for
    weeks 11 and 12; $3,000 in week 12 makes week 13 whole. Nothing in quarter 2: all its last four weeks are halved."""
    scenario = here(quota={"first_quarter_usd": 13_000.0}, partners=[partner(base_share={})])
    plan = plan_of(scenario, ("coach", "Pine", 8.0), ("sell", None, 24.0), discipline=0.5)
    late = 11 * 32 + 10.0
    market = tape(scenario, Marks(at=0, effort=(1,), amount_usd=10_000), Marks(at=late, effort=(1,), amount_usd=3000))
    ledger = run_in(scenario, plan, market)
    coached = ledger.of(Kind.COACH)["value"].tolist()
    assert coached[:26] == [8.0] * 9 + [8.0, 4.0, 4.0, 8.0] + [8.0] * 9 + [4.0] * 4
    assert ledger.of(Kind.SELL_TIME)["value"].tolist()[26:52] == [32 - h for h in coached[:26]]


def test_an_open_pipeline_takes_the_place_of_the_historys_open_deals() -> None:
    """History leaves a visit half done and a partner's deal under way. Both are replaced on the first day; the direct
    deal is in stage 2 and visited at once for its two hours, and the partner has room for the other."""
    pipeline = [
        {"segment": "only", "stage": 2, "amount_usd": 500, "age_weeks": 1.0},
        {"segment": "only", "stage": 1, "amount_usd": 700, "age_weeks": 2.0, "route": "Pine"},
    ]
    split = {"name": "status quo", "partner_share": 0.0, "coverage_mode": "partner_led"}
    half = unskilled(capacity_deals=1, base_share={"only": 0.5})
    scenario = here(market_map=[two_stages()], partners=[half], open_pipeline=pipeline, status_quo=split)
    taken_over = [
        Marks(at=0, effort=(90, 2), lag=(90, 3), amount_usd=500, stage=1),
        Marks(at=0, owner=0, cycle=5, amount_usd=700),
    ]
    market = tape(
        scenario,
        *taken_over,
        Marks(at=-3, owner=0, cycle=40),
        Marks(at=-2, effort=(40, 1), lag=(0, 0)),
    )
    market = replace(market, age_ticks=np.array([ticks(32), ticks(64), 0, 0]))
    assert told(scenario, partner_led(scenario, ("sell", None, 32.0)), market) == [
        (-3, Kind.REGISTERED, 2, 0),
        (-3, Kind.STARTED, 2, 0),
        (-2, Kind.FOUND, 3, 0),
        (-2, Kind.VISIT, 3, 2),
        (0, Kind.REPLACED, 2, 3 / 32),
        (0, Kind.REPLACED, 3, 2 / 32),
        (0, Kind.TAKEN_OVER, 0, 1),
        (0, Kind.TAKEN_OVER, 1, 2),
        (0, Kind.STARTED, 1, 0),
        (0, Kind.VISIT, 0, 2),
        # The buyer's return (rank 2) comes before the partner's closing (rank 3).
        (5, Kind.WON_DIRECT, 0, 1 + 5 / 32),
        (5, Kind.LOST, 1, 2 + 5 / 32),
    ]


def test_help_support_and_neglect_move_the_stocks_once_a_week() -> None:
    """One hour of coaching and half an hour of planning a week, one of support; then parked from quarter 2 on, when the
    levels it drifts to are halved and nothing is given."""
    traits = {**TRAITS["believer"], "reactive_support_hours": 1.0}
    scenario = here(partners=[partner(base_share={})], partner_segments={**TRAITS, "believer": traits})
    plan = TimePlan.from_table(
        scenario,
        [
            {"activity": "coach", "target": "Pine", "hours_per_week": 1.0, "to_quarter": 1},
            {"activity": "joint_plan", "target": "Pine", "hours_per_week": 0.5, "to_quarter": 1},
            {"activity": "sell", "hours_per_week": 29.5},
        ],
        "help, then none",
        parked=[{"partner": "Pine", "from_quarter": 2}],
    )
    ledger = run_in(scenario, plan, tape(scenario, Marks(at=1, found=1.0)))
    coached, planned = 0.022 * (1 - math.exp(-1 / 1.5)), 0.05 * (1 - math.exp(-0.5))
    skill, engagement = [0.3], [0.4]
    for week in range(1, 16):
        # The boundary of week 14 is still about the help of week 13; parking begins after it.
        parked = week > 13
        resting = 0.5 if parked else 1.0
        help_given = 0.0 if parked else 1.0
        skill.append(skill[-1] + (1 - 2 ** (-1 / 39)) * (0.1 * resting - skill[-1]) + help_given * coached)
        drift = (1 - 2 ** (-1 / 13)) * (0.08 * resting - engagement[-1])
        engagement.append(engagement[-1] + drift + help_given * planned)
    assert ledger.of(Kind.SKILL)["value"][:16].tolist() == pytest.approx(skill, rel=1e-12)
    assert ledger.of(Kind.ENGAGEMENT)["value"][:16].tolist() == pytest.approx(engagement, rel=1e-12)
    assert len(ledger.of(Kind.SUPPORT)) == 26 + 13
    assert len(ledger.of(Kind.COACH)) == 13
