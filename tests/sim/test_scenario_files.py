"""Every file in scenarios/ can be used as it stands, and every teaching scenario tells its story.

A teaching scenario is the baseline with a few values changed; `CHANGES` lists them, so that a change of the baseline is
carried along. A story is a paired difference whose 95% interval leaves 0 out, at a fixed seed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from ruamel.yaml import YAML

from sim import Comparison, Scenario, TimePlan, compare, load_scenario
from sim.documents.declared import schema_text
from sim.study.estimates import Estimate, mean
from tests import SCENARIOS

FILES = sorted(path.name for path in SCENARIOS.glob("*.yaml"))
SPLITS = {"status_quo", "plans"}
WORDS = {"name", "question"}
PARTNER_REACH = {
    "market_map[*].inbound_share",
    "partners[*].base_share.*",
    "partners[*].margin",
}
CHANGES = {
    "lunch-trap.yaml": SPLITS,
    "hero-seller.yaml": SPLITS,
    "rising-quota.yaml": SPLITS | {"quota.growth_per_year"},
    "squeaky-wheel.yaml": SPLITS,
    "patient-builder.yaml": {"plans"},
    "without-channel-account-manager.yaml": SPLITS,
    "with-channel-account-manager.yaml": SPLITS | {"channel_account_manager"},
    "two-territories-partner-rich.yaml": SPLITS | PARTNER_REACH,
    "two-territories-direct-rich.yaml": SPLITS | PARTNER_REACH | {"market_map[*].opportunities_per_quarter"},
}
"""Paths of the values in which a teaching scenario differs from the baseline, besides `WORDS`."""


def load(file: str) -> Scenario:
    return load_scenario(SCENARIOS / file)


def differing(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """Paths of the values that differ between two trees; splits are compared as wholes."""
    both = (one, other)
    if path not in SPLITS and all(isinstance(tree, Mapping) for tree in both):
        for key in [*one, *(key for key in other if key not in one)]:
            inner = "*" if path.endswith("base_share") else key
            yield from differing(one.get(key), other.get(key), f"{path}.{inner}".lstrip("."))
    elif path not in SPLITS and all(isinstance(tree, (list, tuple)) for tree in both) and len(one) == len(other):
        for inner, twin in zip(one, other, strict=True):
            yield from differing(inner, twin, f"{path}[*]")
    elif one != other:
        yield path


@pytest.mark.parametrize("file", FILES)
def test_every_file_loads_and_its_plans_can_be_done(file: str) -> None:
    scenario = load(file)
    for split in (scenario.status_quo, *scenario.plans):
        TimePlan.from_split(scenario, split)
    assert 1 <= len(scenario.plans) <= 3


@pytest.mark.parametrize("file", FILES)
def test_every_file_names_its_schema_and_opens_with_its_question(file: str) -> None:
    lines = (SCENARIOS / file).read_text(encoding="utf-8").splitlines()
    assert lines[0] == f"# yaml-language-server: $schema={Scenario.schema_file}"
    end = next(i for i, line in enumerate(lines) if not line.startswith("#"))
    head = " ".join(line.lstrip("# ") for line in lines[1:end])
    assert re.search(r"Question: .*\?.* Numbers: ", head)
    assert load(file).question.endswith("?")


def test_the_schema_beside_the_files_is_that_of_the_code() -> None:
    assert (SCENARIOS / Scenario.schema_file).read_text(encoding="utf-8") == schema_text(Scenario)


def test_every_file_but_the_baseline_is_a_listed_variant() -> None:
    assert set(FILES) == {"baseline.yaml", *CHANGES}


@pytest.mark.parametrize("file", CHANGES)
def test_a_teaching_scenario_differs_from_the_baseline_only_where_listed(file: str) -> None:
    found = set(differing(load("baseline.yaml").model_dump(), load(file).model_dump()))
    assert found == WORDS | CHANGES[file]


def test_the_channel_account_manager_is_all_that_differs_between_the_two_files() -> None:
    here, there = load("with-channel-account-manager.yaml"), load("without-channel-account-manager.yaml")
    assert set(differing(here.model_dump(), there.model_dump())) == WORDS | {"channel_account_manager"}


# Stories


def told(file: str, *others: str) -> Comparison:
    """The status quo of a file and the named ones of its plans, on the same markets."""
    scenario = load(file)
    splits = {split.name: split for split in scenario.plans}
    plans = {name: TimePlan.from_split(scenario, splits[name]) for name in others}
    today = TimePlan.status_quo(scenario)
    return compare(scenario, {today.name: today, **plans}, 1000, seed=7, workers=1)


def gain(comparison: Comparison, plan: str, over: str | None = None, quarters: slice = slice(None)) -> Estimate:
    """Credit of `plan` over that of another plan (else the status quo) in these quarters: paired, US dollars."""
    outcomes = comparison.outcomes
    difference = outcomes[plan].credit_usd - outcomes[over or comparison.baseline].credit_usd
    return mean(difference[:, quarters].sum(axis=1))


FIRST_TWO, LAST_FOUR = slice(0, 2), slice(-4, None)


def test_lunch_trap_the_same_share_well_spent_wins() -> None:
    fewer, better = "half as many visits", "the same time coaching and planning"
    c = told("lunch-trap.yaml", fewer, better, f"{better} with Believers")
    assert gain(c, fewer).low > 0
    assert gain(c, better).low > 0
    assert gain(c, f"{better} with Believers", fewer).low > 0


def test_hero_seller_co_selling_wins_and_leaves_skill() -> None:
    c = told("hero-seller.yaml", "co-selling instead")
    assert gain(c, "co-selling instead").low > 0
    skill = [c.outcomes[name]["skill"][:, -1] for name in ("co-selling instead", c.baseline)]
    # Mean of all partners. Without guided practice only a trace is left, from their own wins; .02 is more than that.
    assert mean(skill[0] - skill[1]).low > 0.02


def test_rising_quota_no_partner_time_is_ahead_at_first_and_behind_at_the_end() -> None:
    c = told("rising-quota.yaml", "30% with Believers")
    assert gain(c, "30% with Believers", quarters=FIRST_TWO).high < 0
    assert gain(c, "30% with Believers").low > 0
    alone = c.outcomes[c.baseline].attainment
    assert mean(alone[:, LAST_FOUR].mean(axis=1) - alone[:, :4].mean(axis=1)).high < 0
    assert mean(alone[:, -1]).high < 1 < mean(alone[:, 0]).low


def test_squeaky_wheel_believers_beat_deceivers_and_parking_adds() -> None:
    plans = ("20% with Believers", "20% with Believers, Deceivers parked")
    c = told("squeaky-wheel.yaml", *plans)
    assert gain(c, plans[0]).low > 0
    assert gain(c, plans[1], plans[0]).low > 0


def test_patient_builder_pays_first_and_harvests_later() -> None:
    c = told("patient-builder.yaml", "develop first, then harvest")
    assert gain(c, "develop first, then harvest", quarters=FIRST_TWO).high < 0
    assert gain(c, "develop first, then harvest").low > 0
    payback = c["develop first, then harvest"].payback_quarter
    assert payback is not None and payback > 2


def test_a_channel_account_manager_makes_the_managers_partner_time_worth_less() -> None:
    plan = "20% of the manager's time"
    alone = told("without-channel-account-manager.yaml", plan)
    helped = told("with-channel-account-manager.yaml", plan)

    def total(c: Comparison, name: str) -> np.ndarray:
        return c.outcomes[name].credit_usd.sum(axis=1)

    worth = [total(c, plan) - total(c, c.baseline) for c in (alone, helped)]
    assert mean(worth[0]).low > 0
    assert mean(worth[1] - worth[0]).high < 0
    assert mean(total(helped, plan) - total(alone, plan)).low > 0


@pytest.mark.parametrize(("file", "sign"), [("partner-rich", 1), ("direct-rich", -1)])
def test_ten_points_more_partner_time_are_right_in_one_territory_and_wrong_in_the_other(file: str, sign: int) -> None:
    c = told(f"two-territories-{file}.yaml", "10 points more with Believers")
    more = gain(c, "10 points more with Believers")
    assert more.clear
    assert np.sign(more.value) == sign


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.yaml")), ids=lambda path: path.stem)
def test_editors_find_nothing_wrong(path: Path) -> None:
    """The JSON Schema that the first line names accepts the file; with one bound broken it does not."""
    schema = json.loads((SCENARIOS / "scenario.schema.json").read_text())
    document = json.loads(json.dumps(YAML(typ="safe", pure=True).load(path.read_text()), default=str))
    jsonschema.validate(document, schema)
    document["market_map"][0]["inbound_share"] = 2
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, schema)
