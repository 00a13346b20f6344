"""Claim: what a comparison is asked for is one value, which says its own options and refuses what makes no sense."""

from __future__ import annotations

import re
from inspect import signature
from pathlib import Path

import pytest

from sim import SimulationError, TimePlan, compare, load_scenario, replicate, sensitivity
from sim.errors import PlanError
from sim.study.experiment import run_comparison
from sim.study.request import ComparisonRequest
from tests import BASELINE


def test_equal_requests_have_equal_digests() -> None:
    asked = ComparisonRequest(plans=("a",), replications=9)
    assert asked.digest() == ComparisonRequest(replications=9, plans=("a",)).digest()
    assert asked.digest() != ComparisonRequest(plans=("a",), replications=8).digest()


def test_a_comparison_is_asked_for_by_names_files_and_numbers(tmp_path: Path) -> None:
    scenario = load_scenario(BASELINE)
    mine = TimePlan.constant(scenario, 0.1, name="mine")
    mine.save(tmp_path / "mine.yaml")
    request = ComparisonRequest.of(plans=[str(tmp_path / "mine.yaml")], baseline="no partner time", worlds=None)
    resolved = request.resolve(scenario, "here")
    assert list(resolved.plans or ()) == ["no partner time", "mine"] and resolved.baseline == "no partner time"
    assert resolved.resolve(scenario, "here") == resolved
    assert request.options("seed") == [
        *("--plan", str(tmp_path / "mine.yaml"), "--baseline", "no partner time", "--seed", "7")
    ]
    everything = ComparisonRequest().resolve(scenario, "here").plans
    assert list(everything or ()) == [scenario.status_quo.name, *(split.name for split in scenario.plans)]
    with pytest.raises(PlanError, match="here: no plan 'mime'"):
        ComparisonRequest(plans=("mime",)).resolve(scenario, "here")


def test_defaults_of_a_comparison_stand_in_one_place() -> None:
    usual = ComparisonRequest()
    for function in (compare, replicate, sensitivity):
        defaults = {name: parameter.default for name, parameter in signature(function).parameters.items()}
        assert defaults["seed"] == usual.seed and defaults["replications"] is None
    assert usual.resolve(load_scenario(BASELINE), "here").replications == usual.replications == 1000


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"replications": 0}, "replications is 0; allowed: a whole number from 1 to 10,000,000"),
        ({"worlds": -1}, "worlds is -1; allowed: a whole number from 0 to 10,000,000"),
        ({"seed": -1}, "seed is -1; allowed: a whole number from 0 to 2**63 - 1"),
    ],
)
def test_a_comparison_with_a_number_out_of_bounds_is_refused(given: dict[str, int], sentence: str) -> None:
    with pytest.raises(SimulationError) as refused:
        ComparisonRequest.of(**given)
    assert str(refused.value) == sentence
    with pytest.raises(SimulationError, match=re.escape(sentence)):
        ComparisonRequest(**given)


def test_the_plans_of_a_request_may_be_plans() -> None:
    scenario = load_scenario(BASELINE)
    today, mine = TimePlan.status_quo(scenario), TimePlan.constant(scenario, 0.1, name="mine")
    request = ComparisonRequest.of(plans={"mine": mine, "today": today}, baseline="today", replications=2)
    comparison = run_comparison(scenario, request)
    assert comparison.as_dict() == compare(scenario, {"mine": mine, "today": today}, 2, baseline="today").as_dict()
    assert request.digest() != ComparisonRequest.of(**dict(request) | {"plans": {"mine": today}}).digest()
    with pytest.raises(PlanError, match=r"plans\.mine is 3; allowed"):
        ComparisonRequest(plans={"mine": 3})
    with pytest.raises(PlanError, match=r"plans\[1\] is 3; allowed"):
        ComparisonRequest(plans=["mine", 3])
