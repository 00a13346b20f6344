"""Claim: a request is the same value from Python, from the words of a command line and from those of an address."""

from __future__ import annotations

from inspect import signature
from pathlib import Path
from typing import ClassVar, Literal

import pytest

from sim import SimulationError, TimePlan, compare, load_scenario, replicate, sensitivity
from sim.documents.declared import FrozenMap, Items, declare
from sim.documents.request import Request, Vocabulary, flag
from sim.errors import PlanError
from sim.study.request import ComparisonRequest
from sim.terms import Share
from tests import BASELINE


class Trip(Request):
    """A request with a field of every kind."""

    vocabulary: ClassVar[Vocabulary] = {"goal": "for", "rested": None}

    goal: Literal["sun", "snow"] = declare("what it is for", unit="text", default="sun")
    days: int = declare("how long it lasts", unit="days", default=7, ge=1, le=30)
    budget_usd: float | None = declare("most it may cost", unit="US dollars", default=None, gt=0)
    rested: bool = declare("whether there is a rest before it", unit="yes or no", default=True)
    guided: bool = declare("whether somebody shows the way", unit="yes or no", default=False)
    stops: Items[str] | None = declare("where to stop; anywhere if not given", unit="names", default=None)
    shares: FrozenMap[Share] = declare("share of the days, by place", unit="share by place", default={})
    luck: Share = declare("chance of good weather", unit="share", default=0.5)


FULL = Trip(
    goal="snow",
    days=3,
    budget_usd=0.1 + 0.2,
    guided=True,
    stops=("Oslo", "a=b"),
    shares={"x=y": 0.25, "Oslo": 1.0},
    luck=0.07,
)


def test_a_request_that_is_as_usual_needs_no_words() -> None:
    assert Trip().words() == {} and Trip.from_words({}, "trip", PlanError) == Trip()


def test_words_say_the_whole_request_and_read_back_as_it() -> None:
    words = FULL.words()
    assert words == {
        "for": ["snow"],
        "days": ["3"],
        "budget_usd": ["0.30000000000000004"],
        "guided": ["yes"],
        "stops": ["Oslo", "a=b"],
        "shares": ["x=y=0.25", "Oslo=1"],
        "luck": ["0.07"],
    }
    assert Trip.from_words(words, "trip", PlanError) == FULL
    nowhere = Trip(stops=())
    assert nowhere.words() == {"stops": [""]} and Trip.from_words(nowhere.words(), "trip", PlanError) == nowhere


def test_a_command_line_and_an_address_may_have_words_of_their_own() -> None:
    special: Vocabulary = {"rested": flag("no-rest", False), "luck": "chance"}
    trip = Trip(rested=False, luck=0.07)
    assert trip.options(special) == ["--no-rest", "--chance", "0.07"]
    assert trip.options(special, always=("days",)) == ["--days", "7", "--no-rest", "--chance", "0.07"]
    assert Trip.from_words(trip.words(special), "trip", PlanError, special) == trip


def test_a_field_without_words_is_given_as_a_value() -> None:
    assert Trip(rested=False).words() == {}
    assert Trip.from_words({}, "trip", PlanError, rested=False) == Trip(rested=False)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"dais": ["3"]}, "trip: unknown word 'dais'; did you mean days?"),
        ({"days": ["many"]}, "trip: days is 'many'; allowed: a whole number from 1 to 30 (how long it lasts, in days)"),
        ({"days": ["31"]}, "trip: days is 31; allowed: a whole number from 1 to 30 (how long it lasts, in days)"),
        ({"shares": ["Oslo"]}, "trip: shares: 'Oslo': write it as NAME=VALUE"),
        ({"shares": ["Oslo=.1", "Oslo=.2"]}, "trip: shares: 'Oslo' is given twice; keep one"),
        ({"guided": ["maybe"]}, "trip: guided is 'maybe'; allowed: true or false (whether somebody shows the way)"),
    ],
)
def test_words_that_make_no_sense_are_refused_in_one_sentence(words: dict[str, list[str]], sentence: str) -> None:
    with pytest.raises(PlanError) as refused:
        Trip.from_words(words, "trip", PlanError)
    assert str(refused.value) == sentence


def test_equal_requests_have_equal_digests() -> None:
    turned = Trip(**{**dict(FULL), "shares": {"Oslo": 1.0, "x=y": 0.25}})
    assert turned == FULL and turned.digest() == FULL.digest()
    assert Trip(days=8).digest() != Trip().digest()


# ---------------------------------------------------------------- of a comparison


def test_a_comparison_is_asked_for_by_names_files_and_numbers(tmp_path: Path) -> None:
    scenario = load_scenario(BASELINE)
    mine = TimePlan.constant(scenario, 0.1, name="mine")
    mine.save(tmp_path / "mine.yaml")
    request = ComparisonRequest.of(plans=[str(tmp_path / "mine.yaml")], baseline="no partner time", worlds=None)
    assert list(request.chosen_plans(scenario, "here")) == ["no partner time", "mine"]
    assert request.options(always=("seed",)) == [
        *("--plan", str(tmp_path / "mine.yaml"), "--baseline", "no partner time", "--seed", "7")
    ]
    assert ComparisonRequest.from_words(request.words(), "link", PlanError) == request
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
