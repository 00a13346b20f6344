"""The eight claims of the source, on the baseline, with common random numbers and 95% intervals on paired differences.

Each claim is measured twice (sim/claims/measures.py): as it stands, when every figure must lie on the claimed side
(sim/claims/claims.py), and with the mechanism behind it switched off, when it must no longer show.
"""

from __future__ import annotations

import os

import numpy as np
import pytest

from sim import Scenario, TimePlan, load_scenario, replicate
from sim.claims.claims import CLAIMS, LUNCH_LIMIT, SKILL_GAP, Claim, Finding
from sim.claims.measures import (
    Measurements,
    Territories,
    assume,
    attainment_change,
    believers_gain,
    better_mix,
    constant_split,
    first_hours,
    labelled,
    lunch_effect,
    one_believer,
    reach_of_believers,
    recruiting,
    skill_after_8_quarters,
    sold_both_ways,
    ten_points_more,
    with_cam,
)
from sim.study.estimates import Estimate, mean

pytestmark = pytest.mark.generated

RUNS = int(os.environ.get("CLAIMS_RUNS", "1000"))
SEED = int(os.environ.get("CLAIMS_SEED", "2014"))
BASELINE = load_scenario("scenarios/baseline.yaml")
BELIEVERS, DECEIVERS = labelled(BASELINE, "believer"), labelled(BASELINE, "deceiver")
RICH = (load_scenario(f"scenarios/two-territories-{kind}-rich.yaml") for kind in ("partner", "direct"))
MEASURED = Measurements(Territories(BASELINE, *RICH), RUNS, SEED)
NO_LEARNING = assume(
    BASELINE,
    coach_gain_per_week=0.0,
    joint_plan_gain_per_week=0.0,
    practice_gain_per_win=0.0,
    guided_practice_gain_per_deal=0.0,
)


def alike(scenario: Scenario) -> Scenario:
    """All kinds of partner are like Believers."""
    believer = scenario.partner_segments.believer
    kinds = scenario.partner_segments.model_copy(update={"deceiver": believer, "achiever": believer})
    return scenario.variant(partner_segments=kinds)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: f"claim_{claim.number}")
def test_the_claim_holds(claim: Claim) -> None:
    findings = list(claim.findings(MEASURED))
    assert findings
    for finding in findings:
        assert finding.holds, f"{finding.what}: {finding.estimate}"


def test_a_figure_holds_only_if_its_whole_interval_lies_on_the_claimed_side() -> None:
    def verdict(low: float, high: float, **side: float) -> str:
        return Finding("it", Estimate((low + high) / 2, low, high, 100), "USD", **side).verdict

    assert verdict(1, 2, above=0) == verdict(-2, -1, below=0) == verdict(-1, 1, above=-2, below=2) == "holds"
    assert verdict(-1, 2, above=0) == verdict(-2, 1, below=0) == verdict(-1, 3, above=-2, below=2) == "not clear"
    assert verdict(-2, -1, above=0) == verdict(1, 2, below=0) == verdict(3, 4, above=-2, below=2) == "does not hold"


# Off ------------------------------------------------------------ without its mechanism no claim shows


def test_claim_1_fails_when_lunches_work_like_planning() -> None:
    planning = BASELINE.assumptions.joint_plan_gain_per_week.likely
    assert lunch_effect(MEASURED, assume(BASELINE, socialise_gain_per_week=planning)).low > LUNCH_LIMIT


@pytest.mark.parametrize("margin", [0.0, 0.2, 0.5])
def test_claim_2_selling_for_partners_costs_the_margin(margin: float) -> None:
    found = list(sold_both_ways(MEASURED, one_believer(BASELINE, margin)))
    amounts = [pair for one in found for pair in one.gross_usd]
    assert len(amounts) > 5
    assert all(as_partner == direct for as_partner, direct in amounts)
    assert [one.credit_for_partner for one in found] == pytest.approx([1 - margin] * len(found))
    assert [one.credit_direct for one in found] == pytest.approx([1] * len(found))


def test_claim_2_fails_without_guided_practice() -> None:
    scenario = assume(one_believer(BASELINE, 0.2), guided_practice_gain_per_deal=0.0)
    sold_for, co_sold = (skill_after_8_quarters(MEASURED, scenario, a) for a in ("sell_for", "co_sell"))
    assert mean(co_sold - sold_for).low < SKILL_GAP


def test_claim_3_fails_when_partners_cannot_learn() -> None:
    assert MEASURED.gain(NO_LEARNING, constant_split(NO_LEARNING, 0.0), constant_split(NO_LEARNING, 0.2)).high > 0


def test_claim_3_attainment_does_not_clearly_fall_when_quota_shrinks() -> None:
    assert attainment_change(MEASURED, -0.08).high > 0


def test_claim_4_fails_when_nobody_signs() -> None:
    nobody = tuple(c.model_copy(update={"sign_probability": 0.0}) for c in BASELINE.candidates)
    scenario = BASELINE.variant(candidates=nobody)
    assert MEASURED.gain(scenario, *recruiting(scenario)).low < 0


def test_claim_5_deceivers_cost_nothing_special_when_all_partners_are_alike() -> None:
    scenario = alike(assume(BASELINE, label_accuracy=1.0))
    assert mean(first_hours(MEASURED, scenario, DECEIVERS)).high > 0


def test_claim_5_the_gain_shrinks_with_the_accuracy_of_labels() -> None:
    sure, half, blind = (believers_gain(MEASURED, assume(BASELINE, label_accuracy=a)) for a in (1.0, 0.5, 0.0))
    assert mean(sure).value > mean(half).value > mean(blind).value


def test_claim_5_accuracy_does_not_matter_when_all_partners_are_alike() -> None:
    sure, blind = (believers_gain(MEASURED, alike(assume(BASELINE, label_accuracy=a))) for a in (1.0, 0.0))
    assert np.array_equal(sure, blind)


def test_claim_6_fails_when_those_hours_are_worth_nothing() -> None:
    idle = with_cam(BASELINE, factor=0.0)
    assert np.array_equal(ten_points_more(MEASURED, idle), ten_points_more(MEASURED, BASELINE))


def test_claim_7_reach_does_not_matter_when_partners_cannot_learn() -> None:
    off = {
        name: getattr(NO_LEARNING.assumptions, name).likely
        for name in ("coach_gain_per_week", "joint_plan_gain_per_week")
    }
    many, few = (ten_points_more(MEASURED, assume(reach_of_believers(BASELINE, f), **off)) for f in (1.5, 0.5))
    assert mean(many - few).low < 0


def test_claim_8_fails_when_no_activity_works() -> None:
    better, old, _ = better_mix(NO_LEARNING)
    assert MEASURED.gain(NO_LEARNING, better, old).low < 0


# Scale ----------------------------------------------------------- what the likely numbers amount to


def test_the_baseline_is_modest() -> None:
    """57% of quarters make quota; a good plan gains 5-15%; untouched partners bring 15-25% of credit."""
    quo = TimePlan.status_quo(BASELINE)
    made = mean((MEASURED.credit(BASELINE, quo) >= np.array(BASELINE.quota_usd())).mean(axis=1))
    assert made.low < 0.57 < made.high
    base = MEASURED.credit(BASELINE, quo).sum(axis=1).mean()
    good = MEASURED.gain(BASELINE, constant_split(BASELINE, 0.2, park=DECEIVERS), quo).scaled(1 / base)
    assert 0.05 < good.value < 0.15
    for plan in (
        constant_split(BASELINE, 0.0),
        constant_split(BASELINE, 0.0, park=[p.name for p in BASELINE.partners]),
    ):
        outcomes = replicate(BASELINE, plan, RUNS, SEED, workers=1)
        assert 0.15 < outcomes["partner_credit_usd"].sum() / outcomes.credit_usd.sum() < 0.25
