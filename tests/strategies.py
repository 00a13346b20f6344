"""Generated territories and plans: small, valid, and reaching into every corner of the model.

Every coverage mode, activity and kind of partner; a channel account manager; candidates; exits; parking;
capacity 0; discipline; an open pipeline; weeks off and demand profiles; no demand, no margin, no lag, no cycle;
4 to 6 quarters. Many times are round and many shapes 50 (almost constant), so that things happen close together.

Drawn like this, many territories are nearly empty. A `lively` one has demand, deals that advance, partners with
accounts and engagement, and hours of the plan for all of it.

A `Case` is a run and how its market is made: drawn, drawn in another world, or drawn and then rounded, so that many
things happen in the same tick and many marks lie exactly on what they are compared with.
"""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st

from sim import Market, Scenario, TimePlan, draw_market
from sim.ledger import NEVER, TICKS_PER_WEEK
from sim.terms import CAM_ACTIVITIES, COVERAGE_MODES, PARTNER_ACTIVITIES, PARTNER_SEGMENTS
from tests.helpers import ASSUMPTIONS

share = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1, allow_subnormal=False).map(lambda x: round(x, 4)))
level = st.one_of(st.sampled_from([0.3, 0.7, 1.0]), share)
shape = st.sampled_from([0.5, 1.0, 2.0, 50.0])
BIASED_OFF = st.sampled_from([False, False, True])
BIASED_ON = st.sampled_from([True, True, False])


def number(least: float, most: float, *special: float) -> st.SearchStrategy[float]:
    """A number with few digits, `special` values as often as all others together."""
    usual = st.floats(least, most, allow_subnormal=False).map(lambda x: min(most, max(least, round(x, 3))))
    return st.one_of(st.sampled_from(special), usual) if special else usual


@st.composite
def stages(draw: Any, lively: bool = False) -> dict[str, Any]:
    return {
        "mean_hours": draw(number(0.1, 12, 1.0, 4.0) if lively else number(0.1, 60, 1.0, 8.0)),
        "advance_probability": draw(
            st.sampled_from([1.0, 0.9, 0.7, 0.5]) if lively else st.one_of(st.sampled_from([1.0, 0.9, 0.7]), share)
        ),
        "buyer_lag_weeks": draw(number(0, 4, 0.0, 1.0)),
        "patience_weeks": draw(st.one_of(st.none(), number(0.05, 6, 1.0))),
        "hours_shape": draw(shape),
        "lag_shape": draw(shape),
        "patience_shape": draw(shape),
    }


@st.composite
def segments(draw: Any, name: str, lively: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "opportunities_per_quarter": draw(number(10, 40, 20.0) if lively else number(0, 30, 0.0, 12.0)),
        "growth_per_quarter": draw(number(-0.5, 0.5, 0.0)),
        "demand_cv": draw(number(0, 2, 0.0, 0.4)),
        "deal_size_median_usd": draw(number(0.1, 1e5, 1000.0)),
        "deal_size_sigma": draw(number(0, 2, 0.0)),
        "win_rate_shock": draw(number(0, 0.95, 0.0)),
        "stages": draw(st.lists(stages(lively), min_size=1, max_size=4)),
        "inbound_share": draw(st.sampled_from([0.3, 0.7, 1.0]) if lively else share),
        "prospecting_yield": draw(number(0, 5, 0.0)),
        "competition": draw(number(0.1, 2, 1.0) if lively else number(0.1, 10, 1.0)),
    }


@st.composite
def traits(draw: Any, lively: bool = False) -> dict[str, Any]:
    """A whole set of traits: start and alone-level under their ceiling."""
    out: dict[str, Any] = {"teachability": draw(share), "reactive_support_hours": draw(number(0, 2, 0.0))}
    how_far = st.sampled_from([0.6, 0.8, 1.0]) if lively else level
    for stock in ("skill", "engagement"):
        ceiling = out[f"{stock}_ceiling"] = draw(how_far)
        for when in ("start", "alone"):
            out[f"{stock}_{when}"] = min(ceiling, round(ceiling * draw(how_far), 4))
    return out


@st.composite
def partners(
    draw: Any, name: str, names: list[str], most_base: float, is_candidate: bool, lively: bool = False
) -> dict[str, Any]:
    some = st.sampled_from([0.5, 1.0]) if lively else level
    out = {
        "name": name,
        "label": draw(st.sampled_from(PARTNER_SEGMENTS)),
        "base_share": {n: round(draw(some) * most_base, 5) for n in names if lively or draw(st.booleans())},
        "margin": draw(share),
        "capacity_deals": draw(st.sampled_from([1, 2, 2, 8, 0] if lively else [0, 1, 2, 8])),
        "cycle_weeks": draw(number(0, 12, 0.0, 1.0, 4.0)),
        "cycle_shape": draw(shape),
        "fit": draw(number(1, 3, 1.0) if lively else number(0, 3, 1.0)),
        "fit_by_segment": {n: draw(number(0, 3, 0.0)) for n in names if draw(BIASED_OFF)},
        "exit_hazard_per_year": draw(
            st.sampled_from([0.0, 0.0, 0.5, 2.0, 4.0] if lively else [0.0, 0.0, 0.5, 4.0, 20.0])
        ),
    }
    if draw(BIASED_OFF):
        out["traits"] = draw(traits(lively))
    if is_candidate:
        out["recruiting_hours"] = draw(number(0, 20 if lively else 60, 0.0, 5.0))
        out["sign_probability"] = draw(share)
        out["onboarding_weeks"] = draw(st.sampled_from([0, 1, 8]))
    return out


@st.composite
def open_deals(draw: Any, market_map: list[dict[str, Any]], routes: list[str]) -> dict[str, Any]:
    chosen = draw(st.sampled_from(market_map))
    return {
        "segment": chosen["name"],
        "stage": draw(st.integers(1, len(chosen["stages"]))),
        "amount_usd": draw(st.sampled_from([0, 1000, 1000, 50_000])),
        "age_weeks": draw(number(0, 30, 0.0)),
        "route": draw(st.sampled_from(routes)),
    }


@st.composite
def calendars(draw: Any) -> dict[str, Any]:
    out: dict[str, Any] = {"weeks_off": draw(st.lists(st.integers(1, 52), max_size=4))}
    for field, length in (("demand_by_week_of_quarter", 13), ("demand_by_quarter_of_year", 4)):
        if draw(BIASED_OFF):
            first = draw(number(0.1, 5))
            out[field] = [first, *draw(st.lists(number(0, 5, 0.0), min_size=length - 1, max_size=length - 1))]
    return out


@st.composite
def assumptions(draw: Any) -> dict[str, float]:
    out = dict(ASSUMPTIONS)
    for name in ("coach_gain_per_week", "joint_plan_gain_per_week", "socialise_gain_per_week"):
        out[name] = draw(st.sampled_from([0.0, out[name], 0.5]))
    for name in ("practice_gain_per_win", "guided_practice_gain_per_deal", "conflict_penalty"):
        out[name] = draw(st.sampled_from([0.0, out[name], 0.3]))
    out["skill_exponent"], out["engagement_exponent"] = draw(
        st.sampled_from([(0.5, 0.5), (0.0, 1.0), (1.0, 0.0), (0.35, 0.4)])
    )
    out["label_accuracy"] = draw(share)
    out["skill_half_life_weeks"] = draw(st.sampled_from([0.5, 39.0]))
    out["engagement_half_life_weeks"] = draw(st.sampled_from([0.5, 13.0]))
    return out


@st.composite
def scenarios(draw: Any, horizon: st.SearchStrategy[int] | None = None, lively: bool = False) -> Scenario:
    """A valid territory of up to 3 segments, 3 partners and 2 candidates."""
    names = ["north", "south", "web"][: draw(st.integers(1, 3))]
    market_map = [draw(segments(name, lively)) for name in names]
    n_partners, n_candidates = draw(st.integers(1 if lively else 0, 3)), draw(st.integers(0, 2))
    most_base = 1 / max(1, n_partners + n_candidates)
    its_partners = [draw(partners(f"Partner {i}", names, most_base, False, lively)) for i in range(n_partners)]
    candidates = [draw(partners(f"Candidate {i}", names, most_base, True, lively)) for i in range(n_candidates)]
    document: dict[str, Any] = {
        "name": "generated",
        "horizon_quarters": draw(st.integers(4, 6) if horizon is None else horizon),
        "territory_manager": {"hours_per_week": draw(st.sampled_from([20.0, 32.0, 37.3]))},
        "calendar": draw(calendars()),
        "quota": {
            "first_quarter_usd": draw(number(3.0, 1e6, 1000.0)),
            "growth_per_year": draw(number(-0.5, 1, 0.0)),
        },
        "quota_credit": draw(st.sampled_from(["gross", "net", 0.0, 0.5])),
        "market_map": market_map,
        "partner_segments": {kind: draw(traits(lively)) for kind in PARTNER_SEGMENTS},
        "segment_prior": draw(
            st.sampled_from([(0.2, 0.4, 0.4), (1.0, 0.0, 0.0), (0.0, 0.5, 0.5)]).map(
                lambda prior: dict(zip(PARTNER_SEGMENTS, prior, strict=True))
            )
        ),
        "partners": its_partners,
        "candidates": candidates,
        "assumptions": draw(assumptions()),
        "status_quo": {
            "name": "status quo",
            "partner_share": draw(share) * 0.5 if its_partners else 0.0,
            "mix": draw(st.sampled_from([{"coach": 0.5, "joint_plan": 0.5}, {"co_sell": 0.5, "sell_for": 0.5}])),
            "prospect_share": draw(st.sampled_from([0.0, 0.3])),
            "coverage_mode": draw(st.sampled_from(COVERAGE_MODES)),
        },
    }
    if (its_partners or candidates) and draw(st.booleans()):
        document["channel_account_manager"] = {
            "hours_per_week": draw(number(0, 40, 20.0)),
            "factor": draw(number(0, 3, 1.0)),
        }
    if draw(BIASED_OFF):
        routes = ["direct", *(p["name"] for p in its_partners)]
        document["open_pipeline"] = draw(st.lists(open_deals(market_map, routes), max_size=8))
    return Scenario.model_validate(document)


@st.composite
def plans(draw: Any, scenario: Scenario, name: str = "generated plan", lively: bool = False) -> TimePlan:
    """A plan that fits: two runs of quarters, each with its own parking, hours over anything, and idleness."""
    horizon = scenario.horizon_quarters
    cut = draw(st.integers(1, horizon - 1))
    hours: list[dict[str, Any]] = []
    parked: list[dict[str, Any]] = []
    for first, last in ((1, cut), (cut + 1, horizon)):
        when = {"from_quarter": first, "to_quarter": last}
        off = [p.name for p in scenario.all_partners if draw(BIASED_OFF)]
        parked += [{"partner": p, **when} for p in off]
        carried = [p for p in scenario.partners if p.name not in off]
        wooed = [c.name for c in scenario.candidates if c.name not in off]
        support = sum(scenario.traits(p, p.label).reactive_support_hours.likely for p in carried)
        cells: list[tuple[str, str | None]] = [("sell", None)]
        cells += [("prospect", n) for n in scenario.segment_names]
        # A candidate may be helped before it is a partner: the hours go to selling until then.
        others = [(a, p) for a in PARTNER_ACTIVITIES if a != "recruit" for p in (*(p.name for p in carried), *wooed)]
        others += [("recruit", c) for c in wooed]
        left = scenario.territory_manager.hours_per_week - support
        chosen = draw(st.lists(st.sampled_from([*cells, *others]), unique=True, max_size=8))
        if others:
            least = min(4, len(others)) if lively else 0
            more = draw(st.lists(st.sampled_from(others), unique=True, min_size=least, max_size=6))
            wooing = [("recruit", c) for c in wooed if lively and draw(BIASED_ON)]
            chosen += [cell for cell in dict.fromkeys([*more, *wooing]) if cell not in chosen]
        weights = [draw(number(0.1, 5, 1.0)) for _ in chosen]
        used = left * draw(st.sampled_from([1.0, 0.6]))
        hours += [
            {"activity": a, "target": t, "hours_per_week": 0.999 * used * w / sum(weights), **when}
            for (a, t), w in zip(chosen, weights, strict=True)
        ]
        cam = scenario.channel_account_manager
        can = [cell for cell in others if cell[0] in CAM_ACTIVITIES]
        if cam is not None and can:
            some = draw(st.lists(st.sampled_from(can), unique=True, min_size=1 if lively else 0, max_size=3))
            wooing = [("recruit", c) for c in wooed if lively and draw(BIASED_ON)]
            picked = list(dict.fromkeys([*some, *wooing]))
            hours += [
                {
                    "activity": a,
                    "target": t,
                    "hours_per_week": 0.99 * cam.hours_per_week / len(picked),
                    **when,
                }
                | {"who": "channel_account_manager"}
                for a, t in picked
            ]
    modes = {n: draw(st.sampled_from(COVERAGE_MODES)) for n in scenario.segment_names if draw(st.booleans())}
    discipline = draw(st.sampled_from([1.0, 1.0, 0.0, 0.4]))
    return TimePlan.from_table(scenario, hours, name, coverage_mode=modes, parked=parked, discipline=discipline)


@st.composite
def runs(
    draw: Any, horizon: st.SearchStrategy[int] | None = None, lively: bool = False
) -> tuple[Scenario, TimePlan, int]:
    """A territory, a plan for it, and a seed."""
    scenario = draw(scenarios(horizon, lively))
    return scenario, draw(plans(scenario, lively=lively)), draw(st.integers(0, 10_000))


# ---------------------------------------------------------------- cases


class Case(NamedTuple):
    """A run, and how its market is made. `market_of` makes it."""

    scenario: Scenario
    plan: TimePlan
    seed: int
    replication: int = 0
    world: int | None = None
    """the drawn world in which it is run; the plan stays the one made for the likely world"""
    step: int = 0
    """ticks to whole multiples of which its times are rounded"""


def world_of(case: Case) -> Scenario:
    """The scenario in which the case is run."""
    return case.scenario if case.world is None else case.scenario.world(case.seed, case.world)


def market_of(case: Case) -> Market:
    market = draw_market(world_of(case), case.seed, case.replication)
    return rounded(market, case.step) if case.step else market


def rounded(market: Market, step: int) -> Market:
    """The same with times in whole steps (0 among them), marks in tenths, amounts in thousands."""

    def whole(ticks: Any) -> Any:
        return np.where(ticks == NEVER, NEVER, (ticks + step // 2) // step * step)

    def tenths(marks: Any) -> Any:
        return np.floor(marks * 10) / 10

    return dataclasses.replace(
        market,
        tick=market.tick // step * step,
        amount_usd=market.amount_usd // 1000 * 1000,
        settles=tenths(market.settles),
        found=tenths(market.found),
        brought=tenths(market.brought),
        age_ticks=whole(market.age_ticks),
        cycle_ticks=whole(market.cycle_ticks),
        effort_ticks=whole(market.effort_ticks),
        lag_ticks=whole(market.lag_ticks),
        patience_ticks=whole(market.patience_ticks),
        exit_ticks=whole(market.exit_ticks),
        signing=tenths(market.signing),
    )


@st.composite
def as_drawn(draw: Any, horizon: st.SearchStrategy[int] | None = None) -> Case:
    """A run in the market as it is drawn, of any replication."""
    return Case(*draw(runs(horizon, draw(BIASED_ON))), draw(st.sampled_from([0, 1, 2**63 - 1])))


@st.composite
def round_times(draw: Any) -> Case:
    """A run in which times are whole weeks, halves or eighths, so that many events share a tick."""
    return Case(
        *draw(runs(None, draw(BIASED_ON))),
        step=draw(st.sampled_from([TICKS_PER_WEEK // 8, TICKS_PER_WEEK // 2, TICKS_PER_WEEK])),
    )


@st.composite
def in_worlds(draw: Any) -> Case:
    """A run in a drawn world."""
    lively = draw(BIASED_ON)
    scenario = draw(uncertain(draw(scenarios(None, lively))))
    return Case(
        scenario, draw(plans(scenario, lively=lively)), draw(st.integers(0, 10_000)), 0, draw(st.integers(0, 9))
    )


@st.composite
def uncertain(draw: Any, scenario: Scenario) -> Scenario:
    """The scenario with ranges in place of its assumptions, yields and kinds of partner; likely values stay."""
    wide = draw(st.sampled_from([0.1, 0.5, 1.0]))

    def around(likely: float, least: float, most: float) -> dict[str, float]:
        return {
            "low": max(least, likely * (1 - wide)),
            "likely": likely,
            "high": max(likely, min(most, likely * (1 + wide))),
        }

    bounds = {"coach_tau_hours": (0.01, 100), "joint_plan_tau_hours": (0.01, 100), "socialise_tau_hours": (0.01, 100)}
    assumed: dict[str, Any] = {}
    for name, assumption in scenario.assumptions:
        if name.endswith("_exponent"):
            assumed[name] = around(assumption.likely, 0, assumption.likely)  # their sum must stay at most 1
        elif name.endswith("_weeks"):
            assumed[name] = around(assumption.likely, 0.5, 520)
        else:
            assumed[name] = around(assumption.likely, *bounds.get(name, (0, 1)))
    kinds: dict[str, Any] = {}
    for kind, assumption in scenario.partner_segments:
        kinds[kind] = {
            "teachability": around(assumption.teachability.likely, 0, 1),
            "reactive_support_hours": around(assumption.reactive_support_hours.likely, 0, 40),
        }
        for stock in ("skill", "engagement"):
            ceiling = getattr(assumption, f"{stock}_ceiling").likely
            kinds[kind][f"{stock}_ceiling"] = {"low": ceiling, "likely": ceiling, "high": min(1, ceiling * (1 + wide))}
            for when in ("start", "alone"):
                name = f"{stock}_{when}"
                kinds[kind][name] = around(getattr(assumption, name).likely, 0, ceiling)
    return scenario.variant(
        assumptions=assumed,
        partner_segments=kinds,
        market_map=[
            dict(s) | {"prospecting_yield": around(s.prospecting_yield.likely, 0, 50)} for s in scenario.market_map
        ],
    )
