# ruff: noqa: E501, RUF005 - sentences stand as they are read
"""Claim: what a person or a program writes into a scenario or a plan is valid, or one sentence says what is wrong.

Corruption is generated: the plain data of a good file with junk put, inserted or missing at random places.
"""

from __future__ import annotations

import copy
import datetime
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from sim.documents.declared import validate
from sim.errors import InputError, PlanError, ScenarioError
from sim.plan import TimePlan
from sim.scenario import Scenario, load_scenario
from tests import BASELINE
from tests.hostile.on_text import corrupted

pytestmark = pytest.mark.generated

GOOD = YAML(typ="safe", pure=True).load(BASELINE.read_text(encoding="utf-8"))
SCENARIO = load_scenario(BASELINE)
PLAN = TimePlan.constant(SCENARIO, 0.2, focus="believers", park=["Fir Solutions"]).model_dump()
JARGON = ("constrained", "instance of", "valid ", "tuple", "dictionary", "Traceback", "[type=", "pydantic")

junk = st.one_of(
    st.sampled_from(
        [None, True, -1, 0, 2, 10**400, -(10**400), float("nan"), float("inf"), -0.5, 1e300, "", "x", " ", [], {}]
        + [
            [None],
            {"name": "x"},
            {1: 2},
            {None: 1},
            {True: 1},
            [[[]]],
            "\x00",
            "a\nb",
            "<b>x</b>",
            "\ud800",
            "é" * 10_000,
        ]
        + [datetime.date(2026, 1, 5), datetime.datetime(2026, 1, 5, 1), b"x", (1, 2), {1, 2}, np.float64(0.5), object()]
        + [{"low": 1, "likely": 0, "high": 2}, [0.1, "x"], np.array([0.1, float("nan")]), {"coach": float("nan")}]
    ),
    st.floats(),
    st.integers(),
    st.text(max_size=20),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


def check_sentence(problem: InputError, start: str) -> None:
    text = str(problem)
    assert text.startswith(start), text
    assert text.isprintable(), text
    assert len(text) <= 400, text
    assert not any(word in text for word in JARGON), text
    assert len(problem.problems) == 1 or f"({len(problem.problems) - 1:,} more problem" in text


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(rng=st.randoms(use_true_random=False), values=st.lists(junk, min_size=1, max_size=3))
def test_a_corrupted_scenario_is_valid_or_one_sentence(rng: random.Random, values: list[Any]) -> None:
    data = GOOD
    for value in values:
        data = corrupted(data, rng, value)
    try:
        made = validate(Scenario, data, "f.yaml", ScenarioError)
    except ScenarioError as problem:
        check_sentence(problem, "f.yaml: ")
    else:
        assert validate(Scenario, made.model_dump(), "again", ScenarioError) == made


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(rng=st.randoms(use_true_random=False), value=junk)
def test_a_corrupted_plan_is_valid_or_one_sentence(rng: random.Random, value: Any) -> None:
    try:
        plan = validate(TimePlan, corrupted(PLAN, rng, value), "p.yaml", PlanError)
    except PlanError as problem:
        check_sentence(problem, "p.yaml: ")
        return
    try:
        plan.table(SCENARIO)
    except PlanError as problem:
        check_sentence(problem, "plan ")


@settings(max_examples=300, deadline=None, derandomize=True)
@given(share=junk, mix=junk, focus=junk, which=st.integers(0, 2))
def test_whatever_a_program_hands_to_constant(share: Any, mix: Any, focus: Any, which: int) -> None:
    words = [{"partner_share": share}, {"partner_share": 0.1, "mix": mix}, {"partner_share": 0.1, "focus": focus}][
        which
    ]
    try:
        TimePlan.constant(SCENARIO, **words)
    except PlanError as problem:
        check_sentence(problem, "")


@settings(max_examples=150, deadline=None, derandomize=True)
@given(text=st.text(max_size=200) | st.text(alphabet="{}[]&*!|>-:?,#%@`'\"\n\t ab01<~", max_size=60))
def test_any_text_is_yaml_or_one_sentence(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    for load, error in ((load_scenario, ScenarioError), (TimePlan.load, PlanError)):
        with pytest.raises(error) as caught:
            load(file)
        check_sentence(caught.value, str(file))


TEXT = BASELINE.read_text(encoding="utf-8")
LAUGHS = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10)
)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (TEXT.replace("  hours_per_week", "\thours_per_week"), "line"),
        (TEXT + "\nname: again\n", 'duplicate key "name"'),
        ("", "holds nothing, not a scenario"),
        ("- 1", "holds [1]"),
        ("a: \0", "not YAML"),
        (TEXT.encode("utf-16"), "save the file as UTF-8"),
        ("#" * 3_000_000, "at most 1,000,000"),
        ("[" * 5000, "nested too deeply"),
        ("&a {name: *a}", "nested too deeply"),
        (LAUGHS, "nested aliases"),
        ("a: *b", "undefined alias"),
        ("name: 2026-13-45", "month"),
        ("name: " + "9" * 6000, "name is '999"),
        ("1: 2", "unknown key 1"),
        ("null: 2", "unknown key null"),
    ],
)
def test_broken_files(tmp_path: Path, content: str | bytes, says: str) -> None:
    file = tmp_path / "f.yaml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ScenarioError) as caught:
        load_scenario(file)
    check_sentence(caught.value, str(file))
    assert says in str(caught.value)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    assert load_scenario(tmp_path / "f.yaml") == SCENARIO


@pytest.mark.parametrize("path", [".", "no such.yaml", "", "a\0b", "x" * 5000, None, 3])
def test_paths_that_are_no_file(path: Any) -> None:
    with pytest.raises(ScenarioError, match="cannot be read"):
        load_scenario(path)


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (("market_map", 0, "inbound_share"), 2, "market_map[0].inbound_share (enterprise) is 2; allowed: a number from 0 to 1 (share of the pool that calls by itself)"),
        (("status_quo", "partner_share"), "x", "status_quo.partner_share is 'x'; allowed: a number from 0 to 1, or a list of 1 to 20 (share of the hours left after reactive support that goes to partners: one number, or one a quarter (the last goes on))"),
        (("quota_credit",), "nett", "quota_credit is 'nett'; allowed: gross or net, or a number from 0 to 1 (credit of a partner booking: gross, net of margin, or a factor)"),
        (("status_quo", "focus"), "belivers", "status_quo: focus: unknown word 'belivers'; did you mean believers? (or weights by partner)"),
        (("market_map", 1, "stages", 2, "patience_weeks"), -1, "market_map[1].stages[2].patience_weeks (mid-market) is -1; allowed: a number above 0 and at most 520, or null (mean time the buyer waits for the manager's first hour; null waits for ever, in weeks)"),
        (("partners", 2, "lable"), 1, "partners[2] (Cedar Networks): unknown key 'lable'; did you mean label?"),
        (("partners", 1, "name"), "Alder Systems", "partners and candidates: the name 'Alder Systems' stands twice; give each its own"),
        (("segment_prior",), {"achiever": 0.5, "believer": 0.5}, "segment_prior.deceiver is missing (share of partners that are deceivers); add it"),
        (("partner_segments", "believer", "skill_start"), "x", "partner_segments.believer.skill_start is 'x'; allowed: a number, or low, likely and high (skill today, 1 wins as often as the manager)"),
    ],
)  # fmt: skip
def test_the_sentence(path: tuple[Any, ...], value: Any, sentence: str) -> None:
    data = copy.deepcopy(GOOD)
    node = data
    for part in path[:-1]:
        node = node[part]
    node[path[-1]] = value
    with pytest.raises(ScenarioError) as caught:
        validate(Scenario, data, "f.yaml", ScenarioError)
    assert str(caught.value) == f"f.yaml: {sentence}"
