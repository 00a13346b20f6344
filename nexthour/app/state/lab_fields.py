"""What the Lab is about, as the address of a page holds it: a split of the week, and assumptions tried at another value
than the scenario thinks likely.

Shares are written in percent. What is given to each activity are parts, so that no slider has to give way to another.
"""

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any

from nexthour.app.state import cache, url_state
from nexthour.app.state.url_state import Field
from nexthour.report.numbers import count_of, plain_number
from sim import PlanError, Scenario, TimePlan
from sim.assumptions import Assumption, with_value
from sim.documents.declared import validate
from sim.plan import ACTIVITY_WORDS
from sim.split import Split
from sim.terms import COVERAGE_MODES, COVERAGE_WORDS, DEFAULT_MIX, LABEL_WORDS, TREATMENTS

MIXED = ("coach", "joint_plan", "co_sell", "sell_for", "socialise")
"""Activities that a split may hold. Recruiting needs a plan of its own: it ends."""
CHOSEN = "chosen"
FOCUS = {
    "even": "all of them, evenly",
    **{word: f"{word.capitalize()} ({TREATMENTS[label]})" for word, label in LABEL_WORDS.items()},
    CHOSEN: "those I choose",
}
MODES = {
    mode: f"{COVERAGE_WORDS[mode]}: {what}"
    for mode, what in {
        "partner_first": "the partner keeps what both see",
        "direct_first": "you take what both see",
        "partner_led": "you leave its accounts alone",
        "direct": "partners bring nothing",
    }.items()
}
MODE = "mode "
"""The beginning of the key of a segment's coverage mode."""
NAMED_SEGMENTS = 2
"""Most segments with another coverage that a plan's name names."""
LONGEST_SPLIT = 100_000
"""Bytes that a word of an address may unpack to."""
MOST_TIME = 80
"""Percent of the week that may go to partners, or to prospecting."""
USUAL_SHARE, USUAL_FOCUS = 20, "believers"
"""A split to begin with: interesting, and not the best."""


def coverage_key(segment: str) -> str:
    """The field of a segment's coverage mode."""
    return f"{MODE}{segment}"


def fields_of_split(scenario: Scenario) -> list[Field]:
    """The fields that say a split."""
    partners = [partner.name for partner in scenario.partners]
    has_usual = any(partner.label == LABEL_WORDS[USUAL_FOCUS] for partner in scenario.partners)
    return [
        url_state.number("share", 0, MOST_TIME, USUAL_SHARE if partners else 0),
        url_state.choice("focus", list(FOCUS), USUAL_FOCUS if has_usual else "even"),
        url_state.several("with", partners),
        *(url_state.number(activity, 0, 100, 100 * DEFAULT_MIX.get(activity, 0)) for activity in MIXED),
        url_state.several("park", partners),
        url_state.number("prospect", 0, MOST_TIME, 0),
        *(url_state.choice(coverage_key(name), COVERAGE_MODES, "partner_first") for name in scenario.segment_names),
    ]


def todays_fields(scenario: Scenario) -> dict[str, Any]:
    """Today's split as values of the fields; nothing if they cannot say it."""
    status_quo = scenario.status_quo
    if (
        isinstance(status_quo.partner_share, tuple)
        or not isinstance(status_quo.focus, str)
        or not status_quo.mix.keys() <= set(MIXED)
    ):
        return {}
    modes = status_quo.coverage_mode
    share, prospect = round(100 * status_quo.partner_share), round(100 * status_quo.prospect_share)
    if max(share, prospect) > MOST_TIME:
        return {}
    return {
        "share": share,
        "focus": status_quo.focus,
        **{activity: round(100 * status_quo.mix.get(activity, 0)) for activity in MIXED},
        "park": list(status_quo.park),
        "prospect": prospect,
        **{
            coverage_key(name): modes if isinstance(modes, str) else modes.get(name, "partner_first")
            for name in scenario.segment_names
        },
    }


def split_of_fields(scenario: Scenario, state: Mapping[str, Any]) -> Split:
    """The split that the fields say. Raises PlanError, one sentence, if that cannot be done."""
    share, chosen = state["share"] / 100, list(state["with"])
    parts = {activity: state[activity] for activity in MIXED if state[activity]}
    if share and not parts:
        raise PlanError("No activity has any part of the partner time; give one of them some, or set the time to 0%")
    if share and state["focus"] == CHOSEN and not chosen:
        raise PlanError("No partner is chosen for the partner time; choose one, or another focus")
    focus: Any = dict.fromkeys(chosen, 1.0) if state["focus"] == CHOSEN else state["focus"]
    written = {
        "name": name_of_fields(state),
        "partner_share": share,
        "mix": {activity: part / sum(parts.values()) for activity, part in parts.items()} or DEFAULT_MIX,
        "focus": focus if focus else "even",
        "prospect_share": state["prospect"] / 100,
        "coverage_mode": {
            segment: mode
            for segment in scenario.segment_names
            if (mode := state[coverage_key(segment)]) != "partner_first"
        },
        "park": list(state["park"]),
    }
    return validate(Split, written, "the split", PlanError)


def plan_of_fields(scenario: Scenario, state: Mapping[str, Any]) -> TimePlan:
    """The plan that the fields mean. Raises PlanError."""
    return TimePlan.from_split(scenario, split_of_fields(scenario, state))


def name_of_fields(state: Mapping[str, Any]) -> str:
    """A name that says what is particular: 20% with Believers, 2 parked."""
    whom = {"even": "all partners", CHOSEN: " and ".join(state["with"])}.get(
        state["focus"], state["focus"].capitalize()
    )
    partner_time = f"{state['share']}% with {whom}" if state["share"] else "no partner time"
    if len(partner_time) > 50:
        partner_time = f"{state['share']}% with {count_of(len(state['with']), 'partner')}"
    more = [f"{len(state['park'])} parked"] if state["park"] else []
    usual = {activity: 100 * DEFAULT_MIX.get(activity, 0) for activity in MIXED}
    if state["share"] and any(state[activity] != usual[activity] for activity in MIXED):
        given = [state[activity] for activity in MIXED if state[activity]]
        most = max(MIXED, key=lambda activity: state[activity])
        is_most = 2 * state[most] > sum(given)
        more.append(f"mostly {ACTIVITY_WORDS[most]}" if is_most else f"on {len(given)} activities")
    more += [f"{state['prospect']}% prospecting"] if state["prospect"] else []
    changed = coverage_changes(state)
    more += changed if len(changed) <= NAMED_SEGMENTS else [f"{len(changed)} segments covered otherwise"]
    return ", ".join([partner_time, *more])[:80]


def coverage_changes(state: Mapping[str, Any]) -> list[str]:
    """The segments that are not covered as usual: enterprise direct."""
    modes = {key.removeprefix(MODE): mode for key, mode in state.items() if key.startswith(MODE)}
    return [f"{segment} {COVERAGE_WORDS[mode]}" for segment, mode in modes.items() if mode != "partner_first"]


def pack_split(split: Split) -> str:
    """A split as a word for an address."""
    return base64.urlsafe_b64encode(zlib.compress(split.model_dump_json(exclude_unset=True).encode())).decode()


def unpack_split(word: str) -> Split:
    """The split that `pack_split` put into a word. Raises ValueError that says what is allowed."""
    try:
        text = zlib.decompressobj().decompress(base64.urlsafe_b64decode(word), LONGEST_SPLIT)
        return validate(Split, json.loads(text), "the link", PlanError)
    except PlanError as problem:
        raise ValueError(str(problem)) from None
    except (ValueError, RecursionError, zlib.error):
        raise ValueError("allowed: what the Lab puts into a link to Compare") from None


CHANGED = "assume"
"""The field that holds which assumptions are another value."""


def value_key(assumption: Assumption) -> str:
    """The field that holds the value of an assumption."""
    return f"assume {assumption.name}"


def fields_of_assumptions(page: str, scenario: Scenario) -> list[Field]:
    """What is changed, and a value for each of these."""
    by_name = {assumption.name: assumption for assumption in cache.known_assumptions(scenario)}
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
    if not state[CHANGED]:
        return {}
    values = {
        assumption: state[value_key(assumption)]
        for assumption in cache.known_assumptions(scenario)
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
