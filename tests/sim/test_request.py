"""Claim: what a comparison is asked for is one value, which says its own options and refuses what makes no sense."""

from __future__ import annotations

from inspect import signature
from pathlib import Path

import pytest

from sim import SimulationError, TimePlan, compare, load_scenario, replicate, sensitivity
from sim.errors import PlanError
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
    assert list(request.chosen_plans(scenario, "here")) == ["no partner time", "mine"]
    assert request.options("seed") == [
        *("--plan", str(tmp_path / "mine.yaml"), "--baseline", "no partner time", "--seed", "7")
    ]
    everything = ComparisonRequest().chosen_plans(scenario, "here")
    assert list(everything) == [scenario.status_quo.name, *(split.name for split in scenario.plans)]
    with pytest.raises(PlanError, match="here: no plan 'mime'"):
        ComparisonRequest(plans=("mime",)).chosen_plans(scenario, "here")


def test_defaults_of_a_comparison_stand_in_one_place() -> None:
    usual = ComparisonRequest()
    for function in (compare, replicate, sensitivity):
        defaults = {name: parameter.default for name, parameter in signature(function).parameters.items()}
        assert defaults["seed"] == usual.seed and defaults["replications"] is None
    assert usual.markets(load_scenario(BASELINE)) == usual.replications == 1000


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
