"""What a plan is asked for is one value, and the same from Python, the terminal and an address.

Claims: keywords and a request mean the same; every field has its option and its default; efforts are named, and normal
is the default; what makes no sense is one sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest

from optimize import Effort, Limits, PlanRequest, optimize_plan
from optimize.effort import EFFORTS
from optimize.limits import lock_text, parse_lock
from optimize.options import OPTIONS, ObjectiveName
from sim import PlanError, TimePlan
from tests.optimize.test_planner import small

LOCK = {"activity": "coach", "target": "Pine", "hours_per_week": 1.0, "from_quarter": 2, "to_quarter": 3}
ASKED: dict[str, Any] = {
    "objective": "net_bookings", "discount_rate": 0.1, "exit_weight": 0.5, "floors": {3: 0.9}, "locks": [LOCK],
    "max_partner_share": 0.3, "recruit": False, "only_partners": ["Pine"], "coverage_mode": {"large": "direct"},
    "effort": "quick", "seed": 9, "from_quarter": 2, "followed": TimePlan.status_quo(small()),
}  # fmt: skip


def test_every_field_has_an_option_and_takes_its_default_from_it() -> None:
    assert list(OPTIONS) == list(PlanRequest.model_fields)
    usual = PlanRequest()
    for name, option in OPTIONS.items():
        value = getattr(usual, name)
        assert (value.name if name == "effort" else value) == option.default or not value, name
    assert all(name in OPTIONS["objective"].help for name in get_args(ObjectiveName))
    assert all(name in OPTIONS["effort"].help for name in EFFORTS)


def test_plain_values_and_a_request_are_the_same() -> None:
    request = PlanRequest.of(small(), ASKED)
    assert PlanRequest.of(small(), dict(request)) == request
    assert PlanRequest.of(small(), dict(request) | {"seed": 8}).seed == 8
    assert request.effort is Effort.quick and request.quarters_over == 1
    assert request.limits == Limits.of(small(), {name: ASKED.get(name) for name in Limits.model_fields})
    assert PlanRequest.of(small(), {}) == PlanRequest()


def test_equal_requests_have_one_digest_and_others_have_others() -> None:
    digest = PlanRequest.of(small(), ASKED).digest()
    assert PlanRequest.of(small(), dict(reversed(ASKED.items()))).digest() == digest
    changed = {"seed": 8, "effort": "normal", "floors": {4: 0.9}, "locks": [], "recruit": True}
    assert all(PlanRequest.of(small(), {**ASKED, name: value}).digest() != digest for name, value in changed.items())


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"effort": "quik"}, "effort is 'quik'; did you mean quick?"),
        ({"no_such_limit": 1}, "unknown key 'no_such_limit'"),
        ({"from_quarter": 2.5}, "from_quarter is 2.5; allowed: a whole number from 1 to 6"),
        ({"seed": 7, "locks": [{**LOCK, "from_quarter": 1}], "from_quarter": 2}, "locks[0]: quarter 1 is over"),
    ],
)
def test_a_request_that_makes_no_sense_is_one_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PlanError) as caught:
        PlanRequest.of(small(), given)
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Effort(worlds=1), "worlds is 1; allowed: a whole number from 2 to 10,000"),
        (lambda: PlanRequest(min_partner_share=2.0), "min_partner_share is 2.0; allowed: a number from 0 to 1"),
        (lambda: PlanRequest(min_partner_share=0.5, max_partner_share=0.1), "min_partner_share 0.5 is above"),
        (lambda: PlanRequest(effort={"worlds": 1}), "worlds is 1; allowed"),
        (lambda: PlanRequest(no_such_limit=1), "unknown key 'no_such_limit'"),
        (lambda: PlanRequest.of(small(), {"floors": {1: 11.0}}), "floors.1 is 11.0; allowed: a number from 0 to 10"),
        (lambda: PlanRequest.of(small(), {"floors": {9: 0.5}}), "floors: quarter '9' is not in the horizon"),
    ],
)
def test_values_that_make_no_sense_are_refused_in_the_same_way_however_they_are_given(
    make: Callable[[], object], sentence: str
) -> None:
    with pytest.raises(PlanError) as caught:
        make()
    assert str(caught.value).startswith(sentence)


def test_what_is_no_request_is_refused_in_one_sentence() -> None:
    with pytest.raises(PlanError, match="request is 7; allowed: a PlanRequest, or its fields as keywords"):
        optimize_plan(small(), request=7)  # type: ignore[arg-type]


def test_more_effort_is_more_of_everything() -> None:
    quick, normal, thorough = (dict(effort) for effort in EFFORTS.values())
    assert list(EFFORTS) == ["quick", "normal", "thorough"] and Effort.normal == Effort()
    for name, value in normal.items():
        assert quick[name] == value or quick[name] < value, name
        assert thorough[name] >= value, name
    assert [Effort.of(name).name for name in EFFORTS] == list(EFFORTS) and Effort(worlds=7).name == ""


def test_the_text_of_a_lock_is_read_back() -> None:
    assert parse_lock(lock_text("coach", "Pine", 1.0, 2, 3)) == LOCK


def test_a_keyword_that_is_none_is_a_mistake_of_the_program() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'no_such_limit'"):
        optimize_plan(small(), no_such_limit=1)
