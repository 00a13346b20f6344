"""Claim: a field that people may write is alive everywhere, or named here as not, with the reason.

Each field of a segment, a partner, a candidate and the assumptions is changed alone, within its bounds. The numbers of
a run must change, for its tape or for its weeks, and so must the planner's program. A new field that only one of them
knows fails here, and so does a reason that has ceased to be true.

Left out: whether a field acts as it should (test_timelines.py, test_claims.py); fields of the territory as a whole.
"""

from __future__ import annotations

import copy
import hashlib
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from optimize import Limits
from optimize.milp.model import Rates
from optimize.milp.program import fluid_program
from optimize.objective import Objective
from optimize.problem import PlanningProblem
from sim import Scenario, ScenarioError, TimePlan
from sim.coefficients import of_the_scenario
from sim.documents.declared import Declared, validate
from sim.ranges import Range
from sim.scenario import Assumptions, Candidate, OwnTraits, Partner, PartnerTraits, Segment, Stage
from sim.tape import tape_numbers
from tests.helpers import candidate, partner, segment, stage, territory_dict

LABELS = {
    "Segment.name": "a label",
    "Segment.source": "where numbers come from",
    "Partner.name": "a label",
    "Partner.source": "where numbers come from",
    "Candidate.name": "a label",
    "Candidate.source": "where numbers come from",
}
"""Fields that nothing is computed from."""
NOT_PLANNED = {
    "Segment.demand_cv": "of mean 1, and the fluid planner works with means",
    "Segment.win_rate_shock": "of mean 0, and the fluid planner works with means",
    "Stage.patience_weeks": "the planner knows no queues; its forecast is corrected by simulation",
    "Stage.patience_shape": "as patience_weeks",
    "Stage.hours_shape": "the fluid planner works with mean hours",
    "Stage.lag_shape": "the fluid planner works with mean lags",
    "Assumptions.practice_gain_per_win": "the planner leaves practice by a partner's own wins out",
    "Assumptions.conflict_penalty": "the planner leaves channel conflicts out",
}
"""Fields that a run depends on and the planner's program does not."""
PARTS = {"Segment.stages": Stage, "Partner.traits": OwnTraits, "Candidate.traits": OwnTraits}
"""Fields whose own fields are looked at."""
PLACES: tuple[tuple[type[Declared], tuple[str | int, ...]], ...] = (
    (Segment, ("market_map", 0)),
    (Stage, ("market_map", 0, "stages", 0)),
    (Partner, ("partners", 0)),
    (OwnTraits, ("partners", 0, "traits")),
    (Candidate, ("candidates", 0)),
    (OwnTraits, ("candidates", 0, "traits")),
    *((PartnerTraits, ("partner_segments", kind)) for kind in ("achiever", "believer", "deceiver")),
    (Assumptions, ("assumptions",)),
)
CASES = [
    pytest.param(model, (*place, field), id=".".join(map(str, (*place, field))))
    for model, place in PLACES
    for field in model.model_fields
    if f"{model.__name__}.{field}" not in PARTS
]


def written() -> dict[str, Any]:
    """A small territory in which every field has something to act on."""
    stages = [stage(advance_probability=0.6, buyer_lag_weeks=3.0, patience_weeks=5.0) for _ in range(2)]
    return territory_dict(
        market_map=[segment(deal_size_sigma=0.5, stages=stages, inbound_share=0.4, prospecting_yield=0.2)],
        partners=[
            partner(base_share={"only": 0.4}, capacity_deals=2, traits={}),
            partner("Oak", label="achiever", base_share={"only": 0.1}),  # support is planned by label
            partner("Thorn", label="deceiver", base_share={"only": 0.1}),
        ],
        candidates=[candidate(base_share={"only": 0.3}, capacity_deals=1, sign_probability=0.7, traits={})],
        assumptions={"label_accuracy": 0.7, "skill_exponent": 0.4, "engagement_exponent": 0.4},
    )


def others(value: Any) -> Iterator[Any]:
    """Other values for a field, some of which it allows."""
    if isinstance(value, Range):
        yield from others(value.likely)
    elif isinstance(value, dict) or hasattr(value, "keys"):
        yield {key: 0.9 * old for key, old in value.items()} or {"only": 1.2}
    elif isinstance(value, str):
        yield from ("deceiver", "achiever", "something else")
    elif isinstance(value, int):
        yield value + 13
    elif value:
        yield from (1.1 * value, 0.9 * value)
    else:
        yield from (0.9, 0.2, 0.1)


def changed(place: tuple[str | int, ...]) -> Scenario:
    """The territory with another value in one place, the first that is allowed there."""
    inner: Any = validate(Scenario, written(), "as written", ScenarioError)
    for part in place:
        inner = inner[part] if isinstance(part, int) else getattr(inner, part)
    for value in others(inner):
        document = copy.deepcopy(written())
        if place[-1] == "name":  # other places name it too
            document = renamed(document, inner, value)
        holder = document
        for part in place[:-1]:
            holder = holder[part]  # type: ignore[index]
        holder[place[-1]] = value  # type: ignore[index]
        try:
            scenario = validate(Scenario, document, "changed", ScenarioError)
        except ScenarioError:
            continue
        return scenario
    raise AssertionError(f"{place} takes no other value")


def renamed(document: Any, old: str, new: str) -> Any:
    """The document with a name replaced, as a key and as a value."""
    if isinstance(document, dict):
        return {new if key == old else key: renamed(inner, old, new) for key, inner in document.items()}
    if isinstance(document, list):
        return [renamed(inner, old, new) for inner in document]
    return new if document == old else document


def run_digest(scenario: Scenario) -> str:
    """A digest of all numbers of a run, for its tape and for its weeks."""
    arrays = b"".join(array.tobytes() for array in tape_numbers(scenario, 1))
    return hashlib.sha256(repr(of_the_scenario(scenario, quarters=())).encode() + arrays).hexdigest()


def program_digest(scenario: Scenario) -> str:
    """A digest of the planner's program, as the file that a solver reads."""
    problem = PlanningProblem.of(scenario)
    modes = ("partner_first",) * len(scenario.market_map)
    history = TimePlan.status_quo(scenario).table(scenario)
    objective, limits = Objective.of(scenario, "quota_credit", 0.0, 0.0), Limits.of(scenario, {})
    model = fluid_program(problem, objective, limits, modes, Rates.at_first(problem), history)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "program.lp"
        model.lp.writeLP(str(file))
        return hashlib.sha256(file.read_bytes()).hexdigest()


@cache
def digests_as_written() -> tuple[str, str]:
    scenario = Scenario.model_validate(written())
    return run_digest(scenario), program_digest(scenario)


@pytest.mark.parametrize(("model", "place"), CASES)
def test_a_field_is_alive_everywhere_or_named_as_not(model: type[Declared], place: tuple[str | int, ...]) -> None:
    name, scenario = f"{model.__name__}.{place[-1]}", changed(place)
    run, program = digests_as_written()
    assert (run_digest(scenario) != run) == (name not in LABELS)
    if place[-1] != "name":  # rows are called by it
        assert (program_digest(scenario) != program) == (name not in LABELS and name not in NOT_PLANNED)


def test_every_reason_is_of_a_field_that_is_there() -> None:
    names = {f"{model.__name__}.{field}" for model, _ in PLACES for field in model.model_fields}
    assert {*LABELS, *NOT_PLANNED, *PARTS} <= names
