"""Small territories for tests: dictionaries of plain numbers, to be changed in one place at a time."""

from __future__ import annotations

import copy
import dataclasses
import tempfile
from pathlib import Path
from typing import Any

from sim import Ledger, Market, Scenario, TimePlan, draw_market, simulate
from sim.coefficients import Coefficients, with_tables

TRAITS = {
    "achiever": {
        "skill_start": 0.8,
        "skill_ceiling": 0.92,
        "skill_alone": 0.75,
        "engagement_start": 0.75,
        "engagement_ceiling": 0.95,
        "engagement_alone": 0.7,
        "teachability": 0.35,
        "reactive_support_hours": 0.0,
    },
    "believer": {
        "skill_start": 0.3,
        "skill_ceiling": 0.85,
        "skill_alone": 0.1,
        "engagement_start": 0.4,
        "engagement_ceiling": 0.9,
        "engagement_alone": 0.08,
        "teachability": 1.0,
        "reactive_support_hours": 0.0,
    },
    "deceiver": {
        "skill_start": 0.15,
        "skill_ceiling": 0.25,
        "skill_alone": 0.04,
        "engagement_start": 0.3,
        "engagement_ceiling": 0.35,
        "engagement_alone": 0.03,
        "teachability": 0.1,
        "reactive_support_hours": 0.0,
    },
}
ASSUMPTIONS = {
    "coach_gain_per_week": 0.022,
    "coach_tau_hours": 1.5,
    "joint_plan_gain_per_week": 0.05,
    "joint_plan_tau_hours": 1.0,
    "socialise_gain_per_week": 0.004,
    "socialise_tau_hours": 0.25,
    "practice_gain_per_win": 0.002,
    "guided_practice_gain_per_deal": 0.02,
    "skill_half_life_weeks": 39.0,
    "engagement_half_life_weeks": 13.0,
    "skill_exponent": 0.5,
    "engagement_exponent": 0.5,
    "conflict_penalty": 0.01,
    "prospecting_half_life_weeks": 4.0,
    "label_accuracy": 1.0,
}


def stage(**changes: Any) -> dict[str, Any]:
    """A stage that every deal passes at once, after eight exponential hours of work on average; nobody gives up."""
    return {
        "mean_hours": 8.0,
        "advance_probability": 1.0,
        "buyer_lag_weeks": 0.0,
        "patience_weeks": None,
        "hours_shape": 1.0,
        **changes,
    }


def segment(name: str = "only", **changes: Any) -> dict[str, Any]:
    """A segment with one stage, every opportunity seen, Poisson arrivals and independent outcomes."""
    return {
        "name": name,
        "opportunities_per_quarter": 26.0,
        "demand_cv": 0.0,
        "deal_size_median_usd": 1000.0,
        "deal_size_sigma": 0.0,
        "win_rate_shock": 0.0,
        "stages": [stage()],
        "inbound_share": 1.0,
        "prospecting_yield": 0.0,
        **changes,
    }


def partner(name: str = "Pine", **changes: Any) -> dict[str, Any]:
    """A believer with every account of the segment "only" in its base."""
    return {"name": name, "label": "believer", "base_share": {"only": 1.0}, **changes}


def candidate(name: str = "Cypress", **changes: Any) -> dict[str, Any]:
    return partner(name, **{"recruiting_hours": 8.0, "sign_probability": 1.0, "onboarding_weeks": 2, **changes})


def territory(**changes: Any) -> Scenario:
    """One segment, no partners, a 40-hour week, four quarters, a status quo without partner time."""
    return Scenario.model_validate(territory_dict(**changes))


def territory_dict(**changes: Any) -> dict[str, Any]:
    assumptions = {**ASSUMPTIONS, **changes.pop("assumptions", {})}
    return copy.deepcopy(
        {
            "name": "test territory",
            "horizon_quarters": 4,
            "territory_manager": {"hours_per_week": 40.0},
            "quota": {"first_quarter_usd": 10_000.0},
            "market_map": [segment()],
            "partner_segments": TRAITS,
            "segment_prior": {"achiever": 0.2, "believer": 0.4, "deceiver": 0.4},
            "assumptions": assumptions,
            "status_quo": {"name": "status quo", "partner_share": 0.0},
            **changes,
        }
    )


def two_segments(mean_hours: float = 25.0, **changes: Any) -> Scenario:
    """Two segments, a believer and a deceiver, six quarters."""
    stages = [stage(mean_hours=mean_hours, advance_probability=0.4, buyer_lag_weeks=3.0, patience_weeks=6.0)]
    market = [
        segment("large", opportunities_per_quarter=12, deal_size_median_usd=50_000, deal_size_sigma=0.7,
                inbound_share=0.2, prospecting_yield=0.3, stages=stages),
        segment("small", opportunities_per_quarter=50, deal_size_median_usd=9_000, deal_size_sigma=0.7,
                inbound_share=0.1, prospecting_yield=0.2, stages=stages),
    ]  # fmt: skip
    partners = [
        partner("Pine", base_share={"large": 0.3, "small": 0.3}),
        partner("Thorn", label="deceiver", base_share={"large": 0.1, "small": 0.1}),
    ]
    known = {
        "horizon_quarters": 6,
        "quota": {"first_quarter_usd": 150_000.0},
        "territory_manager": {"hours_per_week": 30},
    }
    return territory(**{**known, "market_map": market, "partners": partners, **changes})


def rows(*hours: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Plan rows from (activity, target, hours a week[, first quarter[, last quarter]])."""
    words = ("activity", "target", "hours_per_week", "from_quarter", "to_quarter")
    return [dict(zip(words, row, strict=False)) for row in hours]


def plan_of(scenario: Scenario, *hours: tuple[Any, ...], **rest: Any) -> TimePlan:
    return TimePlan.from_table(scenario, rows(*hours), "test plan", **rest)


def all_selling(scenario: Scenario, **rest: Any) -> TimePlan:
    """Every hour of the week is selling time."""
    return plan_of(scenario, ("sell", None, scenario.territory_manager.hours_per_week), **rest)


def numbers_of_run(scenario: Scenario, plan: TimePlan) -> Coefficients:
    """The numbers of a run of a plan."""
    return with_tables(scenario, plan.table(scenario), TimePlan.status_quo(scenario).table(scenario))


def run_once(scenario: Scenario, plan: TimePlan, seed: int = 7, replication: int = 0) -> Ledger:
    return run_in(scenario, plan, draw_market(scenario, seed, replication))


def run_in(scenario: Scenario, plan: TimePlan, market: Market) -> Ledger:
    return simulate(scenario, plan, market)


def explain_difference(one: Ledger, other: Ledger, plan: TimePlan | None = None, how: str = "") -> str:
    """Where two ledgers of one run part, in words, and how to get them again; nothing if they are equal.

    Gives the records before that, the first that differs and its fields as they are, and writes the scenario and the
    plan into a new folder. `how` says what else the run needs.
    """
    if one.digest() == other.digest():
        return ""
    rows = min(len(one.records), len(other.records))
    # Bytes, not numbers: -0.0 is not 0.0, and one NaN may be another.
    same = [a.tobytes() == b.tobytes() for a, b in zip(one.records[:rows], other.records[:rows], strict=True)]
    first = same.index(False) if False in same else rows
    lines = [f"The ledgers differ from record {first} on, of {len(one.records)} and {len(other.records)}."]
    lines += [f"  both   {_in_words(one, row)}" for row in range(max(0, first - 5), first)]
    lines += [f"  one    {_in_words(one, first)}", f"  other  {_in_words(other, first)}"]
    if first < rows:
        for field in one.records.dtype.names or ():
            a, b = one.records[field][first], other.records[field][first]
            if a.tobytes() != b.tobytes():
                lines.append(f"  {field}: {a.item()!r} and {b.item()!r}")
    return "\n".join([*lines, *_again(one, plan, how)])


def _in_words(ledger: Ledger, row: int) -> str:
    if row >= len(ledger.records):
        return "ends here"
    try:
        return next(dataclasses.replace(ledger, records=ledger.records[row : row + 1]).lines())
    except (ValueError, IndexError):
        return f"{ledger.records[row]}, which cannot be said in words"


def _again(ledger: Ledger, plan: TimePlan | None, how: str) -> list[str]:
    folder = Path(tempfile.mkdtemp(prefix="difference-"))
    ledger.scenario.save(folder / "scenario.yaml")
    lines = ["Again:", f"  scenario = load_scenario({str(folder / 'scenario.yaml')!r})"]
    if plan is not None:
        plan.save(folder / "plan.yaml")
        lines.append(f"  plan = TimePlan.load({str(folder / 'plan.yaml')!r})")
    return [
        *lines,
        f"  seed {ledger.seed}, replication {ledger.replication}, plan {ledger.plan_name!r}",
        *how.splitlines(),
    ]
