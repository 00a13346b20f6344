"""Assumptions that are tried at another value than the scenario thinks likely, as the address of a page holds them.

Left out: their controls (lab.py), and what they do to a verdict (sim/study/sensitivity.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nexthour.app.state import url_state
from nexthour.app.state.url_state import Field
from nexthour.report.numbers import plain_number
from sim import Scenario
from sim.assumptions import Assumption, assumptions, with_value

CHANGED = "assume"
"""The field that holds which assumptions are another value."""


def value_key(assumption: Assumption) -> str:
    """The field that holds the value of an assumption."""
    return f"assume {assumption.name}"


def fields_of_assumptions(page: str, scenario: Scenario) -> list[Field]:
    """What is changed, and a value for each of these."""
    by_name = {assumption.name: assumption for assumption in assumptions(scenario)}
    changed = url_state.several(CHANGED, list(by_name))
    chosen = [by_name[name] for name in url_state.allowed_value(page, changed)]
    return [
        changed,
        *(
            url_state.number(value_key(assumption), assumption.least, assumption.most, assumption.likely, whole=False)
            for assumption in chosen
        ),
    ]


def _changed(scenario: Scenario, state: Mapping[str, Any]) -> dict[Assumption, float]:
    values = {
        assumption: state[value_key(assumption)]
        for assumption in assumptions(scenario)
        if assumption.name in state[CHANGED]
    }
    return {assumption: value for assumption, value in values.items() if value != assumption.likely}


def apply_changes(scenario: Scenario, state: Mapping[str, Any]) -> Scenario:
    """The scenario with the assumptions that were changed."""
    for assumption, value in _changed(scenario, state).items():
        scenario = with_value(scenario, assumption, value)
    return scenario


def changes_in_words(scenario: Scenario, state: Mapping[str, Any]) -> str:
    """What was changed, "" if nothing was."""
    return "; ".join(
        f"{assumption.name} {plain_number(value)} instead of {plain_number(assumption.likely)}"
        for assumption, value in _changed(scenario, state).items()
    )
