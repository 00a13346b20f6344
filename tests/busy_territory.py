"""A busy territory, and a plan for it, in which every rule of the model decides something: for tests of rules.

Two of three segments have accounts that both sides may see, everybody is helped in every way, labels are often wrong,
somebody leaves, one candidate signs and one does not, and in the last quarter the week is full.
"""

from __future__ import annotations

from functools import cache

from sim import Market, Scenario, TimePlan, draw_market
from tests.helpers import TRAITS, candidate, partner, plan_of, segment, stage, territory

SEEDS = (1, 2, 3)


@cache
def busy() -> Scenario:
    """A territory of five quarters in which every rule decides something."""
    traits = {
        kind: {**TRAITS[kind], "teachability": 0.6, "reactive_support_hours": hours}
        for kind, hours in (("achiever", 0.3), ("believer", 0.5), ("deceiver", 1.5))
    }
    steps = [
        stage(mean_hours=3.0, advance_probability=0.8, buyer_lag_weeks=0.5, patience_weeks=3.0),
        stage(mean_hours=6.0, advance_probability=0.6, buyer_lag_weeks=1.0, patience_weeks=1.5),
    ]
    names = ["north", "south", "web"]
    some = {"deal_size_sigma": 0.6, "inbound_share": 0.3, "prospecting_yield": 0.1, "growth_per_quarter": 0.1}
    market_map = [
        segment("north", **some, opportunities_per_quarter=40.0, competition=2.5, stages=steps),
        segment("south", **some, opportunities_per_quarter=30.0, stages=steps[:1], competition=0.6),
        segment(
            "web",
            **some,
            opportunities_per_quarter=30.0,
            stages=[*steps, stage(mean_hours=20.0, advance_probability=0.3)],
        ),
    ]
    base = dict.fromkeys(names, 0.2)
    return territory(
        horizon_quarters=5,
        market_map=market_map,
        partner_segments=traits,
        partners=[
            partner("Pine", base_share=base, capacity_deals=1, cycle_weeks=3.0, fit=0.7),
            partner("Thorn", base_share=base, label="deceiver", capacity_deals=4, exit_hazard_per_year=0.8),
            partner("Oak", base_share=base, label="achiever", cycle_weeks=4.0, capacity_deals=2),
        ],
        candidates=[
            candidate(
                "Cypress",
                base_share=base,
                recruiting_hours=9.0,
                onboarding_weeks=3,
                traits={"reactive_support_hours": 6.0},
            ),
            candidate("Yew", base_share={"web": 0.1}, recruiting_hours=6.0, sign_probability=0.0),
        ],
        channel_account_manager={"hours_per_week": 6.0, "factor": 0.5},
        assumptions={"label_accuracy": 0.5, "socialise_gain_per_week": 0.02, "conflict_penalty": 0.03,
                     "coach_gain_per_week": 0.06, "guided_practice_gain_per_deal": 0.03, "practice_gain_per_win": 0.01},
        calendar={"weeks_off": [7, 33]},
        quota={"first_quarter_usd": 14_000.0, "growth_per_year": 0.2},
        open_pipeline=[
            {"segment": "north", "stage": 2, "amount_usd": 3000, "age_weeks": 5.0},
            {"segment": "south", "stage": 1, "amount_usd": 2000, "age_weeks": 9.0, "route": "Oak"},
            {"segment": "north", "stage": 2, "amount_usd": 1500, "age_weeks": 2.0, "route": "Pine"},
        ],
    )  # fmt: skip


@cache
def busy_plan() -> TimePlan:
    """A plan for `busy` with hours for everything, all three partners parked or helped at some time."""
    helped = [
        (activity, name, hours, *quarters)
        for name, quarters in (("Pine", ()), ("Oak", (1, 3)), ("Thorn", ()))
        for activity, hours in (
            ("coach", 1.0),
            ("joint_plan", 0.7),
            ("socialise", 0.4),
            ("co_sell", 2.0),
            ("sell_for", 1.5),
        )
    ]
    plan = plan_of(
        busy(),
        ("sell", None, 14.0, 1, 4),
        ("prospect", "north", 24.8, 5, 5),
        *helped,
        ("recruit", "Cypress", 1.0),
        ("recruit", "Yew", 1.0),
        coverage_mode={"north": "partner_first", "south": "direct_first", "web": "partner_led"},
        parked=[{"partner": "Oak", "from_quarter": 4}],
        discipline=0.4,
    )
    colleague = [
        {"activity": activity, "target": "Pine", "hours_per_week": 2.0, "who": "channel_account_manager"}
        for activity in ("coach", "joint_plan", "socialise")
    ]
    rows = [row.model_dump() for row in plan.hours]
    rest = {"coverage_mode": plan.coverage_mode, "parked": plan.parked, "discipline": plan.discipline}
    return TimePlan.from_table(busy(), [*rows, *colleague], "busy plan", **rest)


@cache
def busy_market(number: int) -> Market:
    return draw_market(busy(), number)
