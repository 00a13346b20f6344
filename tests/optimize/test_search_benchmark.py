"""The plan space of the contest with black-box search: any vector is a plan that fits, and comes back.

The search itself is no test: it takes minutes, and a library that only benchmarks need.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.encoding import Encoding
from benchmarks.search import verdict
from optimize.proof.certify import as_plan
from sim import Scenario, TimePlan, load_scenario
from sim.plan import PlanTable
from sim.study.estimates import Estimate
from sim.terms import PARTNER_ACTIVITIES
from tests import BASELINE
from tests.helpers import TRAITS, candidate, partner, territory
from tests.strategies import scenarios

RECRUIT = PARTNER_ACTIVITIES.index("recruit")
DIGITS_HOURS = 1e-5
"""Plans have six digits, and hours are kept as roots."""


def close(one: PlanTable, other: PlanTable) -> None:
    """The same decisions and hours."""
    for field in fields(PlanTable):
        a, b = getattr(one, field.name), getattr(other, field.name)
        assert a == b if isinstance(a, tuple) else np.allclose(a, b, rtol=0, atol=DIGITS_HOURS), field.name


@st.composite
def vectors(draw: Any, encoding: Encoding) -> np.ndarray[Any, Any]:
    """From all about nothing to far overfull."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    return rng.normal(
        draw(st.sampled_from([-1.0, 0.0, 1.0])), draw(st.sampled_from([0.0, 0.3, 3.0])), encoding.dimensions
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_vector_is_a_plan_that_fits_and_comes_back(data: st.DataObject) -> None:
    scenario = data.draw(scenarios())
    full = Encoding(scenario, scenario.horizon_quarters)
    for encoding in (full, Encoding(scenario, data.draw(st.integers(2, 3)))):
        table = encoding.decode(data.draw(vectors(encoding)))
        close(as_plan(scenario, table, "decoded").table(scenario), table)
        close(full.decode(full.encode(table)), table)


def test_the_plan_followed_today_is_a_vector_of_few_knots() -> None:
    scenario = load_scenario(BASELINE)
    today = TimePlan.status_quo(scenario).table(scenario)
    for knots in (2, 3, scenario.horizon_quarters):
        encoding = Encoding(scenario, knots)
        close(encoding.decode(encoding.encode(today)), today)


def test_support_that_takes_more_than_the_week_is_parked() -> None:
    names = ["A", "B", "C", "D"]
    scenario = territory(
        partners=[partner(name, label="deceiver", base_share={"only": 0.2}) for name in names],
        partner_segments={kind: {**traits, "reactive_support_hours": 1.0} for kind, traits in TRAITS.items()},
        territory_manager={"hours_per_week": 3.0},
        status_quo={"name": "status quo", "partner_share": 0.0, "park": names},
    )
    encoding = Encoding(scenario, 2)
    table = encoding.decode(np.zeros(encoding.dimensions))
    assert table.parked.all()
    close(as_plan(scenario, table, "decoded").table(scenario), table)


def recruiting(scenario: Scenario, hours_per_week: float) -> PlanTable:
    """Only recruiting, in the second quarter; the rest is selling."""
    table = TimePlan.constant(scenario, 0.0).table(scenario)
    partner_hours = table.partner.copy()
    partner_hours[1, RECRUIT, -1] = hours_per_week
    return replace(table, partner=partner_hours, sell=table.sell - partner_hours.sum(axis=(1, 2)))


def test_recruiting_is_all_that_a_candidate_needs_or_nothing() -> None:
    needs_30, needs_300 = (
        territory(candidates=[candidate("C", recruiting_hours=hours)], territory_manager={"hours_per_week": 10})
        for hours in (30, 300)
    )
    full = Encoding(needs_30, needs_30.horizon_quarters)
    recruited = recruiting(needs_30, 2.75)  # 30 hours in eleven weeks, in quarters of an hour
    close(full.decode(full.encode(recruited)), recruited)
    assert not replace(full, scenario=needs_300).decode(full.encode(recruited)).partner.any()


def test_two_candidates_share_one_week() -> None:
    both = [candidate(name, recruiting_hours=66, base_share={"only": 0.4}) for name in "CD"]
    scenario = territory(candidates=both, territory_manager={"hours_per_week": 10})
    encoding = Encoding(scenario, scenario.horizon_quarters)
    hours = encoding.decode(np.ones(encoding.dimensions) * 0.1).partner[0, RECRUIT]
    assert hours.tolist() == [6.0, 0.0]


@pytest.mark.parametrize("who", ["partner", "channel_account_manager"])
def test_who_recruits_comes_back(who: str) -> None:
    scenario = territory(
        candidates=[candidate("C", recruiting_hours=30)], channel_account_manager={"hours_per_week": 10, "factor": 1.0}
    )
    encoding = Encoding(scenario, scenario.horizon_quarters)
    nobody = TimePlan.constant(scenario, 0.0).table(scenario)
    idle = np.zeros_like(nobody.partner)
    hours = idle.copy()
    hours[1, RECRUIT, 0] = 2.75
    given = {"partner": idle, "channel_account_manager": idle, who: hours}
    decoded = encoding.decode(encoding.encode(replace(nobody, **given)))
    for name, expected in given.items():
        assert np.allclose(getattr(decoded, name), expected), name


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(-0.01, 0.005, "not inferior"), (0.004, 0.006, "not shown"), (0.0051, 0.01, "inferior")],
)
def test_a_verdict_is_that_of_the_whole_interval(low: float, high: float, said: str) -> None:
    assert verdict(Estimate((low + high) / 2, low, high, 100)) == said
