"""Claim: a scenario survives the way to a file and back, word for word where nothing changed, and cannot be altered."""

from __future__ import annotations

import difflib
import json
import pickle
from pathlib import Path

import pytest

from sim.documents.declared import Declared, schema_text
from sim.documents.yaml_file import LAST_LINE, PROMISE
from sim.errors import ScenarioError
from sim.plan import TimePlan
from sim.scenario import Scenario, load_scenario, save_scenario
from tests import BASELINE

TEXT = BASELINE.read_text(encoding="utf-8")


def everything_declared(base: type[Declared] = Declared) -> list[type[Declared]]:
    return [
        m for sub in base.__subclasses__() for m in (sub, *everything_declared(sub)) if m.__module__.startswith("sim.")
    ]


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario(BASELINE)


def changed_lines(before: str, after: str) -> list[str]:
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))
    return [line for line in lines[2:] if not line.startswith("@@")]


def test_an_unchanged_scenario_is_written_word_for_word(scenario: Scenario, tmp_path: Path) -> None:
    save_scenario(scenario, tmp_path / "a.yaml")
    written = (tmp_path / "a.yaml").read_text(encoding="utf-8")
    assert changed_lines(TEXT, written) == [f"+{PROMISE}", f"+{LAST_LINE}"]
    assert load_scenario(tmp_path / "a.yaml") == scenario


def test_a_variant_changes_only_its_lines(scenario: Scenario, tmp_path: Path) -> None:
    save_scenario(scenario.variant(horizon_quarters=8), tmp_path / "a.yaml")
    written = (tmp_path / "a.yaml").read_text(encoding="utf-8")
    assert changed_lines(TEXT, written) == [
        f"+{PROMISE}", "-horizon_quarters: 12", "+horizon_quarters: 8", f"+{LAST_LINE}",
    ]  # fmt: skip


def test_a_file_with_anchors_changes_only_what_is_meant(scenario: Scenario, tmp_path: Path) -> None:
    shared = TEXT.replace("territory_manager:\n", "territory_manager: &tm\n").replace(
        "\nquota:\n", "\nplans: &p []\nquota:\n"
    )
    shared = shared[: shared.index("\nplans:\n") + 1]
    (tmp_path / "a.yaml").write_text(
        shared.replace("plans: &p []", "plans: &p []\nopen_pipeline: *p"), encoding="utf-8"
    )
    loaded = load_scenario(tmp_path / "a.yaml")
    changed = loaded.variant(open_pipeline=[{"segment": "enterprise", "amount_usd": 5}])
    save_scenario(changed, tmp_path / "b.yaml")
    assert load_scenario(tmp_path / "b.yaml") == changed


def test_a_scenario_made_by_code_is_readable(scenario: Scenario, tmp_path: Path) -> None:
    made = Scenario.model_validate(scenario.model_dump())
    save_scenario(made, tmp_path / "a.yaml")
    text = (tmp_path / "a.yaml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=scenario.schema.json\n")
    assert "  hours_per_week: 32\n" in text
    assert "!!" not in text and "&" not in text.replace("Fudge &", "").replace("Tatel &", "")
    assert load_scenario(tmp_path / "a.yaml") == made == scenario


def test_every_declared_field_says_unit_meaning_and_source() -> None:
    models = everything_declared()
    assert len(models) >= 18
    for model in models:
        schema = model.model_json_schema()
        fields = next(branch["properties"] for branch in schema.get("anyOf", [schema]) if "properties" in branch)
        for name, spec in fields.items():
            for word in ("unit", "description", "source"):
                assert spec.get(word), f"{model.__name__}.{name} has no {word}"


@pytest.mark.parametrize("model", [Scenario, TimePlan])
def test_the_schema_is_a_schema(model: type[Declared]) -> None:
    schema = json.loads(schema_text(model))
    definitions = set(schema["$defs"])

    def walk(node: object) -> None:
        if isinstance(node, dict):
            if "$ref" in node:
                assert node["$ref"].removeprefix("#/$defs/") in definitions
            for inner in node.values():
                walk(inner)
        elif isinstance(node, list):
            for inner in node:
                walk(inner)

    walk(schema)
    assert schema["type"] == "object" and schema["additionalProperties"] is False


def test_the_schema_is_written_beside_the_file(scenario: Scenario, tmp_path: Path) -> None:
    schema = tmp_path / "scenario.schema.json"
    schema.write_text('{"title": "Scenario", "properties": {}}', encoding="utf-8")
    save_scenario(scenario, tmp_path / "a.yaml")
    assert schema.read_text(encoding="utf-8") == schema_text(Scenario)


@pytest.mark.parametrize("content", [b"\xff mine", b'{"title": "Mine"}', b"[1]"])
def test_a_file_of_somebody_else_is_not_written_over_by_a_schema(
    scenario: Scenario, tmp_path: Path, content: bytes
) -> None:
    schema = tmp_path / "scenario.schema.json"
    schema.write_bytes(content)
    save_scenario(scenario, tmp_path / "a.yaml")
    assert schema.read_bytes() == content


def test_pickle_hash_and_digest(scenario: Scenario) -> None:
    again = pickle.loads(pickle.dumps(scenario))
    assert again == scenario and hash(again) == hash(scenario) and again.digest() == scenario.digest()
    assert scenario.variant(horizon_quarters=8).digest() != scenario.digest()


def test_nothing_can_be_altered(scenario: Scenario) -> None:
    with pytest.raises(ValueError, match="frozen"):
        scenario.horizon_quarters = 8  # type: ignore[misc]
    with pytest.raises(ValueError, match="frozen"):
        scenario.partners[0].fit = 2.0  # type: ignore[misc]
    for frozen in (scenario.partners[0].base_share, scenario.status_quo.mix):
        with pytest.raises(TypeError):
            frozen["enterprise"] = 1.0  # type: ignore[index]
    assert isinstance(scenario.partners, tuple)


def test_a_market_too_large_to_run_is_refused(scenario: Scenario) -> None:
    crowded = tuple(
        s.model_copy(update={"opportunities_per_quarter": 20_000.0, "growth_per_quarter": 0.5})
        for s in scenario.market_map
    )
    with pytest.raises(ScenarioError, match="opportunities over the horizon; allowed: at most 500,000"):
        scenario.variant(market_map=crowded)


def test_no_partner_may_be_named_like_the_managers_own_route(scenario: Scenario) -> None:
    first = scenario.partners[0].model_copy(update={"name": "direct"})
    with pytest.raises(ScenarioError, match="named 'direct'"):
        scenario.variant(partners=(first, *scenario.partners[1:]), plans=())
