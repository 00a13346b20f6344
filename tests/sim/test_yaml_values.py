"""Claim: a YAML text gives the values that YAML 1.2 means, or is refused before it is expanded.

Left out: sentences about documents (test_inputs.py).
"""

from __future__ import annotations

import datetime
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from sim.documents.declared import MOST_VALUES
from sim.documents.yaml_file import LAST_LINE, PROMISE
from sim.documents.yaml_values import NotYaml, yaml_values
from sim.errors import PlanError
from sim.plan import TimePlan
from sim.scenario import load_scenario
from tests import BASELINE

SCENARIO = load_scenario(BASELINE)
PLAIN = st.text(alphabet="0123456789+-.eE_xobaftrunlTRUEFALSNIyinf~", min_size=1, max_size=7)


def peer(text: str) -> Any:
    """What another library takes it for."""
    return YAML(typ="safe", pure=True).load(text)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(words=st.lists(PLAIN, min_size=1, max_size=5))
def test_words_and_numbers_are_what_another_library_takes_them_for(words: list[str]) -> None:
    text = "".join(f"- {word}\n" for word in words)
    try:
        expected = peer(text)
    except (YAMLError, ValueError, TypeError, AttributeError, IndexError):
        return
    try:
        found = yaml_values(text)
    except NotYaml:
        found = None
    # Where the other library reads more as numbers than the standard's core schema, ours stay text.
    alike = found is not None and all(
        repr(one) == repr(other) or isinstance(one, str) for one, other in zip(found, expected, strict=True)
    )
    assert alike or "_" in text, f"{text!r}: {found} instead of {expected}"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("-12", -12), ("010", 10), ("0o17", 15), ("0x1F", 31), ("1_000", 1000),
        ("1.5", 1.5), (".5", 0.5), ("1.", 1.0), ("1e5", 1e5), ("1.5E-3", 0.0015), ("-.inf", float("-inf")),
        ("true", True), ("False", False), ("yes", "yes"), ("no", "no"), ("null", None), ("~", None), ("", None),
        ("2026-01-31", datetime.date(2026, 1, 31)), ("1:30", "1:30"), ("'5'", "5"), ("!!str 5", "5"),
        ("!!float 5", 5.0), ("nothing", "nothing"), ("9" * 500, "9" * 500),
    ],
)  # fmt: skip
def test_a_value_is_what_the_standard_says(text: str, value: Any) -> None:
    found = yaml_values(text)
    assert found == value and type(found) is type(value)


def test_merged_keys_come_after_own_ones_and_the_first_mapping_counts() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {x: 0, <<: [*a, *b]}\nd: {<<: *a}\ne: {'<<': 3}"
    values = yaml_values(text)
    assert values["c"] == {"x": 0, "y": 1, "z": 2} == peer(text)["c"]
    assert values["d"] == {"x": 1, "y": 1} and values["e"] == {"<<": 3}


def laughs(mapping: bool) -> str:
    """A few hundred letters that mean ten to the ninth values."""
    lines = ["x0: &x0 {a: 1}"]
    for level in range(1, 10):
        many = ",".join([f"*x{level - 1}"] * 10)
        lines.append(f"x{level}: &x{level}\n  <<: [{many}]" if mapping else f"x{level}: &x{level} [{many}]")
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (laughs(True), "means more than"),
        (laughs(False), "means more than"),
        ("- a\n" * (MOST_VALUES + 1), "means more than"),
        (
            "a: &a {" + ",".join(f"k{i}: 1" for i in range(10_000)) + "}\nb: {<<: [" + "*a," * 90_000 + "]}",
            "means more",
        ),
        ("[" * 900_000, "nested too deeply"),
        ("- " * 400_000, "nested too deeply"),
        ("&a [*a]", "nested too deeply"),
        ("a: 1\na: 2", 'duplicate key "a"'),
        ("a: *b", "undefined alias"),
        ("? [a]\n: 1", "unhashable key"),
        ("<<: 3", "expected a mapping"),
        ("a: 1\n---\nb: 1", "second document"),
        ("!!python/object:os.system x", "could not determine a constructor"),
        ("!!int x", "is no int"),
        ("2026-13-40", "month"),
        ("0x_", "invalid literal"),
        ("a: \x07", "control characters"),
    ],
)
def test_what_is_no_document_is_refused(text: str, why: str) -> None:
    with pytest.raises(NotYaml, match=why):
        yaml_values(text)


def test_a_plan_that_was_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    path, plan = tmp_path / "p.yaml", TimePlan.constant(SCENARIO, 0.2)
    plan.save(path)
    whole = path.read_bytes()
    assert whole.endswith(f"{LAST_LINE}\n".encode()) and PROMISE.encode() in whole
    cuts = {*random.Random(7).sample(range(len(whole) - 1), 150), *range(len(whole) - 12, len(whole) - 1)}
    for cut in sorted(cuts):
        path.write_bytes(whole[:cut])
        with pytest.raises(PlanError):
            TimePlan.load(path)
    path.write_bytes(whole[:-1])
    assert TimePlan.load(path) == plan


def test_a_plan_of_before_has_no_last_line_and_is_read(tmp_path: Path) -> None:
    plan = TimePlan.constant(SCENARIO, 0.2)
    plan.save(tmp_path / "p.yaml")
    lines = (tmp_path / "p.yaml").read_text(encoding="utf-8").splitlines()
    (tmp_path / "p.yaml").write_text("\n".join(line for line in lines if line not in (PROMISE, LAST_LINE)))
    assert TimePlan.load(tmp_path / "p.yaml") == plan


def test_what_is_written_below_the_last_line_is_not_read_as_whole(tmp_path: Path) -> None:
    plan = TimePlan.constant(SCENARIO, 0.2)
    plan.save(tmp_path / "p.yaml")
    whole = (tmp_path / "p.yaml").read_text(encoding="utf-8")
    (tmp_path / "p.yaml").write_text(f"{whole}\n# my own words\n", encoding="utf-8")
    assert TimePlan.load(tmp_path / "p.yaml") == plan
    (tmp_path / "p.yaml").write_text(f"{whole}note: more\n", encoding="utf-8")
    with pytest.raises(PlanError, match='is cut off, as its last line is not "# end"'):
        TimePlan.load(tmp_path / "p.yaml")
