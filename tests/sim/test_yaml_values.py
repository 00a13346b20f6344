"""Claim: a YAML text gives the values that YAML 1.2 means, or is refused before it is expanded.

Left out: sentences about documents (test_inputs.py).
"""

from __future__ import annotations

import datetime
import random
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from sim.documents import yaml_file
from sim.documents.declared import MOST_VALUES
from sim.documents.yaml_file import LAST_LINE, LONGEST_WITH_COMMENTS, OWN_LAST_LINE, PROMISE, WITHOUT_COMMENTS
from sim.documents.yaml_values import MOST_DIRECTIVES, MOST_ODD_KEYS, NotYaml, yaml_values
from sim.errors import PlanError, ScenarioError
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


COLLIDING = 2**61 - 1
"""The whole multiples of it are one number to Python's mappings until they are compared."""


def many_directives(many: int, end: str = "\n") -> str:
    return "".join(f"%TAG !{number}! x{end}" for number in range(many)) + f"---{end}a: 1{end}"


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
        ("".join(f"{number * COLLIDING}: 1\n" for number in range(MOST_ODD_KEYS + 1)), "over 100 keys are numbers"),
        ("".join(f"{number}.5: 1\n" for number in range(MOST_ODD_KEYS + 1)), "over 100 keys are numbers"),
        ("- {1: 1}\n" * (MOST_ODD_KEYS + 1), "over 100 keys are numbers"),
        *(
            (many_directives(MOST_DIRECTIVES + 1, end), "over 20 lines begin with %")
            for end in ("\n", "\r", "\r\n", "\x85", "\u2028", "\u2029")
        ),
        ("a: 1\n...\n" + many_directives(MOST_DIRECTIVES + 1), "over 20 lines begin with %"),
    ],
)
def test_what_is_no_document_is_refused(text: str, why: str) -> None:
    with pytest.raises(NotYaml, match=why):
        yaml_values(text)


def test_a_few_directives_and_keys_that_are_no_text_are_read() -> None:
    assert yaml_values("%YAML 1.2\n" + many_directives(MOST_DIRECTIVES - 1)) == {"a": 1}
    assert yaml_values("a: 5\n# %\nb: '%'\nc: |\n" + "  %\n" * 50)["a"] == 5
    odd = {number * COLLIDING: 1 for number in range(MOST_ODD_KEYS)}
    assert yaml_values("".join(f"{key}: 1\n" for key in odd)) == odd


def test_a_line_is_named_where_directives_are_too_many() -> None:
    with pytest.raises(NotYaml) as refused:
        yaml_values("# a comment\n" + many_directives(1000))
    assert refused.value.line == MOST_DIRECTIVES + 2


GROWING: dict[str, Callable[[int], str]] = {
    "directives": many_directives,
    "keys that are alike": lambda many: "".join(f"{number * COLLIDING}: 1\n" for number in range(1, many)),
    "keys": lambda many: "".join(f"k{number}: 1\n" for number in range(many)),
    "long keys": lambda many: "".join(f"{'x' * 100}{number}: 1\n" for number in range(many // 4)),
    "anchors": lambda many: "".join(f"- &a{number} x\n" for number in range(many)),
    "aliases": lambda many: "".join(f"- &a{number} x\n- *a{number}\n" for number in range(many // 2)),
    "flow": lambda many: "[" + "a: b," * many + "]",
    "flow within flow": lambda many: "[" * 39 + "[a, b]," * (many // 3) + "]" * 39,
    "a deepening indent": lambda many: "".join(" " * depth + "a:\n" for depth in range(many // 100)),
    "a long text": lambda many: "a: " + "x " * 20 * many,
    "a text of many lines": lambda many: "a: x" + "\n" * 10 * many + " y",
    "escapes": lambda many: 'a: "' + "\\u0041\\\n" * 4 * many + '"',
    "a block": lambda many: "a: |9\n" + f"{' ' * 9}a\n" * 4 * many,
    "a block of blank lines": lambda many: "a: |\n" + "".join(" " * length + "\n" for length in range(many // 20)),
    "comments": lambda many: "# x\n" * 10 * many + "a: 1",
    "tabs": lambda many: "a:" + "\t" * 40 * many + "b",
    "documents": lambda many: "---\n" * 10 * many,
    "tags": lambda many: "- !!str x\n" * many,
    "a long tag": lambda many: f"%TAG !n! {'x' * 20 * many}\n---\n- !n!a b",
}


@pytest.mark.parametrize("kind", GROWING)
def test_twice_as_much_takes_twice_as_long_not_four_times(kind: str) -> None:
    def seconds(many: int) -> float:
        text, found = GROWING[kind](many), list[float]()
        for _ in range(3):
            begun = time.process_time()
            with suppress(NotYaml):
                yaml_values(text)
            found.append(time.process_time() - begun)
        return min(found)

    few, many = seconds(10_000), seconds(20_000)
    assert many < 3 * few + 0.02, f"{kind}: {few:.3f} and {many:.3f} seconds"


@pytest.mark.parametrize(
    ("field", "content", "what"),
    [
        ("partners", ["- {}"] * 40_000, "partners has 40000 items; allowed: a list of 0 to 200 (the partners)"),
        ("plans", ["- 1"] * 40_000, "plans has 40000 items; allowed: a list of 0 to 200 (splits to compare with it)"),
        ("open_pipeline", ["- {}"] * 40_000, "open_pipeline: has 40,000 items; allowed: at most 20,000"),
        ("status_quo", ["  park:", *["  - 1"] * 40_000], "status_quo.park: has 40,000 items; allowed: at most 20,000"),
        (
            "status_quo", ["  mix:", *(f"    k{n}: x" for n in range(40_000))],
            "status_quo.mix: has 40,000 keys; allowed: at most 20,000",
        ),
        (
            "status_quo", ["  partner_share: [" + "x," * 2000 + "]"],
            "status_quo.partner_share has 2000 items; allowed: a number from 0 to 1, or a list of 1 to 20",
        ),
    ],
)  # fmt: skip
def test_what_is_in_a_list_that_is_too_long_is_not_looked_at(
    field: str, content: list[str], what: str, tmp_path: Path
) -> None:
    (tmp_path / "s.yaml").write_text("\n".join(["name: x", f"{field}:", *content]), encoding="utf-8")
    with pytest.raises(ScenarioError) as refused:
        load_scenario(tmp_path / "s.yaml")
    assert len(refused.value.problems) == 1 and not refused.value.untold
    assert what in str(refused.value)


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


def test_a_line_and_a_new_end_can_be_added(tmp_path: Path) -> None:
    plan, path = TimePlan.constant(SCENARIO, 0.2), tmp_path / "p.yaml"
    plan.save(path)
    whole = path.read_text(encoding="utf-8").replace("discipline: 1\n", "")
    added = f"{whole}discipline: 0.5\n{LAST_LINE}\n# and a word\n\n"
    path.write_text(added, encoding="utf-8")
    loaded = TimePlan.load(path)
    assert loaded.discipline == 0.5
    loaded.save(path)
    assert TimePlan.load(path) == loaded
    assert path.read_text(encoding="utf-8").splitlines().count(LAST_LINE) == 1
    for cut in range(1, len(path.read_bytes()) - 1):
        if path.read_bytes()[cut : cut + 1] == b"\n":
            (tmp_path / "cut.yaml").write_bytes(path.read_bytes()[:cut])
            with pytest.raises(PlanError):
                TimePlan.load(tmp_path / "cut.yaml")


def test_comments_that_read_as_the_last_line_stay_comments(tmp_path: Path) -> None:
    own = BASELINE.read_text(encoding="utf-8").replace("status_quo:", f"{LAST_LINE}\nstatus_quo:", 1)
    assert PROMISE not in own
    (tmp_path / "s.yaml").write_text(f"{own}\n{LAST_LINE}\n", encoding="utf-8")
    scenario = load_scenario(tmp_path / "s.yaml")
    for _ in range(3):
        scenario.save(tmp_path / "s.yaml")
        scenario = load_scenario(tmp_path / "s.yaml")
        lines = (tmp_path / "s.yaml").read_text(encoding="utf-8").splitlines()
        assert lines.count(LAST_LINE) == 1 == lines.count(PROMISE) and lines[-1] == LAST_LINE
        assert lines.count(OWN_LAST_LINE) == 2 and lines[lines.index(OWN_LAST_LINE) + 1].startswith("status_quo:")


def test_a_promise_that_stands_below_a_comment_of_a_person_is_removed(tmp_path: Path) -> None:
    plan, path = TimePlan.constant(SCENARIO, 0.2), tmp_path / "p.yaml"
    plan.save(path)
    path.write_text(f"# mine\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    TimePlan.load(path).save(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines.count(PROMISE) == 1 and "# mine" in lines


@pytest.mark.parametrize("many", [10, 100_000])
def test_comments_of_a_long_text_are_left_out_and_this_is_said(
    many: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "s.yaml").write_text(BASELINE.read_text(encoding="utf-8") + "# mine\n" * many, encoding="utf-8")
    scenario = load_scenario(tmp_path / "s.yaml")
    assert scenario.text().count("# mine") == many, "what did not change stays as it stood"
    if many > LONGEST_WITH_COMMENTS / 7:
        monkeypatch.setattr(yaml_file, "_yaml_formatted_like", only_to_write)
    changed = scenario.model_copy(update={"name": "another"})
    text = changed.text()
    assert ("# mine" in text) == (many == 10) != (WITHOUT_COMMENTS in text)
    (tmp_path / "t.yaml").write_text(text, encoding="utf-8")
    assert load_scenario(tmp_path / "t.yaml") == changed


def only_to_write(original: str) -> YAML:
    assert not original, "a long text is not read with its comments"
    return YAML()
