"""The pages Start, Lab, Compare and The long game, without a browser.

Claims: a page shows the numbers of sim.compare for the same state, and those that `nexthour compare --json` prints;
every control moves what it names; a link brings a state back; a link that makes no sense is told in one sentence; names
from anybody do no harm; what is saved is found again.
"""

from __future__ import annotations

import base64
import html
import json
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import streamlit as st
from typer.testing import CliRunner

from nexthour.app.pages import start
from nexthour.app.state import cache, lab_fields, library, url_state
from nexthour.report.numbers import count_of_total, usd
from nexthour.report.text import CAVEAT
from nexthour.terminal.main import app
from sim import Scenario, TimePlan, compare, load_scenario, save_scenario
from sim.assumptions import assumptions
from sim.fast.engine import run_all
from sim.plan import ACTIVITY_WORDS
from sim.study.sensitivity import run_sensitivity
from tests.helpers import partner, segment, territory
from tests.nexthour.app.pages import AtOnce, metrics, page, pictures, tables, texts, wrong

BASELINE = Path("scenarios/baseline.yaml")
NASTY = "<b>x</b> \"q\" 'q' [l](u) :red[z] $a$ `c` 🦄 =1+1"


@pytest.fixture(autouse=True)
def own_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NEXTHOUR_LIBRARY", str(tmp_path))
    monkeypatch.setattr(cache, "MARKETS", 200)
    monkeypatch.setattr(cache, "FEW_WORLDS", 5)
    return tmp_path


@pytest.fixture(scope="module", autouse=True)
def no_caches_left() -> Any:
    yield
    st.cache_resource.clear()


def small(**changes: Any) -> Scenario:
    usual: dict[str, Any] = {
        "market_map": [segment("large", opportunities_per_quarter=9), segment("small", opportunities_per_quarter=20)],
        "partners": [
            partner("Pine", label="believer", base_share={"large": 0.4, "small": 0.3}),
            partner("Thorn", label="deceiver", base_share={"small": 0.3}),
        ],
        "horizon_quarters": 4,
    }
    return territory(**{**usual, **changes})


def saved(scenario: Scenario) -> str:
    return library.save_document(scenario, "scenarios")


# What every page does


@pytest.mark.parametrize("name", ["start", "lab", "compare", "stories"])
def test_a_page_opens(name: str) -> None:
    test = page(name)
    assert wrong(test) == []
    assert CAVEAT in html.unescape(texts(test)) or name == "stories"


@pytest.mark.parametrize("name", ["start", "lab", "compare", "stories"])
def test_a_link_that_makes_no_sense_is_told_once_and_replaced(name: str) -> None:
    test = page(name, {"scenario": "basline", "seed": "x"})
    said = wrong(test)
    assert sorted(said) == [
        "The link says scenario is 'basline'; did you mean baseline?",
        "The link says seed is 'x'; allowed: a whole number from 0 to 1,000,000,000.",
    ]
    unknown = wrong(page(name, {"colour": "red"}))
    assert len(unknown) == 1 and unknown[0].startswith(
        "The link says 'colour', which this page does not know; allowed: "
    )


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("aux", "aux-file"), ("NUL", "nul-file"), ("con", "con-file"), ("prn!", "prn-file"), ("COM1", "com1-file"),
        ("lpt\N{SUPERSCRIPT ONE}", "lpt1-file"), ("auxiliary", "auxiliary"), ("aux 2", "aux-2"), ("com10", "com10"),
        ("Plan Ä", "plan-a"), ("?", "unnamed"),
    ],
)  # fmt: skip
def test_a_name_becomes_a_file_name_that_every_system_takes(name: str, stem: str) -> None:
    assert library.file_stem(name) == stem


def test_a_scenario_file_that_is_broken_is_told_and_the_baseline_shown(own_library: Path) -> None:
    (own_library / "scenarios").mkdir()
    (own_library / "scenarios" / "broken.yaml").write_text("name: [")
    test = page("lab", {"scenario": "broken"})
    said = wrong(test)
    assert len(said) == 1 and "not YAML" in said[0]
    assert metrics(test)


@pytest.mark.parametrize("name", ["start", "lab", "compare", "territory", "imports"])
def test_a_scenario_that_is_deleted_while_it_is_open_is_told(name: str, own_library: Path) -> None:
    test = page(name, {"scenario": saved(small(name="Gone"))})
    assert wrong(test) == []
    (own_library / "scenarios" / "gone.yaml").unlink()
    assert wrong(test.run()) == ["The scenario gone is not there any more; choose another"]
    assert test.session_state["scenario"] == library.DEFAULT
    assert wrong(test.run()) == []


def test_a_scenario_of_another_plan_that_is_deleted_does_no_harm(own_library: Path) -> None:
    test = page("compare", {"a_in": saved(load_scenario(BASELINE).variant(name="Gone"))})
    (own_library / "scenarios" / "gone.yaml").unlink()
    assert wrong(test.run()) == []


def test_a_slider_moved_on_before_the_browser_has_the_address_stays_moved() -> None:
    test = page("lab", {"scenario": saved(small()), "share": "30"})
    test.slider(key="share").set_value(31).run()
    assert "31" in test.query_params["share"]
    test.query_params["share"] = "30"  # the browser has not heard of 31 yet
    test.slider(key="share").set_value(32).run()
    assert test.slider(key="share").value == 32 and "32" in test.query_params["share"]
    test.query_params["share"] = "30"  # the back button
    test.run()
    assert test.slider(key="share").value == 30 and "30" in test.query_params["share"]


def test_what_did_not_change_is_not_sent_to_the_browser_again() -> None:
    test = page("lab", {"scenario": saved(small()), "share": "30"})
    test.slider(key="share").set_value(31).run()
    assert not test.slider(key="share").proto.set_value


def test_what_should_not_happen_is_one_sentence_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("by <b>zero</b>")

    monkeypatch.setattr(cache, "comparison", fails)
    test = page("lab")
    (said,) = wrong(test)
    assert said.startswith("This should not happen (ZeroDivisionError: by <b>zero</b>); please report it")


@pytest.mark.parametrize("name", ["start", "lab", "compare"])
def test_names_from_anybody_do_no_harm(name: str) -> None:
    scenario = small(
        name=NASTY,
        question=NASTY,
        partners=[partner(NASTY, label="believer", base_share={NASTY: 0.3})],
        market_map=[segment(NASTY, opportunities_per_quarter=9)],
        plans=[{"name": NASTY, "partner_share": 0.3, "focus": "believers"}],
    )
    test = page(name, {"scenario": saved(scenario)})
    assert wrong(test) == []
    for block in test.get("html"):
        assert "<b>x</b>" not in block.proto.body
    for markdown in test.markdown:
        assert NASTY not in markdown.value  # escaped: as it stands it would be bold, a link, red, a formula


EVERYWHERE = [
    *((name, {}) for name in ("start", "lab", "compare", "find_plan", "method")),
    ("lab", {"assume": f"{NASTY}: prospecting yield"}),
    *(("territory", {"section": part}) for part in ("map", "partners", "indicators", "together")),
    *(("imports", {"part": part}) for part in ("deals", "partners", "judgement", "library")),
]


@pytest.mark.parametrize(("name", "says"), EVERYWHERE)
@pytest.mark.parametrize("called", [NASTY, "x" * 80, "🦄" * 40])
def test_a_scenario_with_odd_names_and_an_open_pipeline_opens_everywhere(
    name: str, says: dict[str, str], called: str
) -> None:
    other = called[:-1] + "b"
    scenario = small(
        name=called,
        question=called,
        partners=[partner(called, label="believer", base_share={called: 0.3})],
        market_map=[
            segment(called, opportunities_per_quarter=9, prospecting_yield={"low": 0.1, "likely": 0.2, "high": 0.3}),
            segment(other, opportunities_per_quarter=9),
        ],
        open_pipeline=[
            {"segment": called, "amount_usd": 90_000, "age_weeks": 3.0},
            {"segment": other, "amount_usd": 20_000, "age_weeks": 9.0},
            {"segment": called, "amount_usd": 50_000, "route": called},
        ],
        plans=[{"name": called, "partner_share": 0.3, "focus": "believers"}],
    )
    library.save_document(TimePlan.constant(scenario, 0.4).model_copy(update={"name": other}), "plans")
    says = {key: word.replace(NASTY, called) for key, word in says.items()}
    test = page(name, {"scenario": saved(scenario), **says})
    assert wrong(test) == []
    for block in test.get("html"):
        assert "<b>x</b>" not in block.proto.body
    for markdown in test.markdown:
        assert NASTY not in markdown.value


def test_a_name_of_ten_thousand_letters_is_refused_in_one_sentence(own_library: Path) -> None:
    text = BASELINE.read_text().replace("name: Baseline territory", f"name: {'x' * 10_000}")
    (own_library / "scenarios").mkdir()
    (own_library / "scenarios" / "long.yaml").write_text(text)
    (said,) = wrong(page("lab", {"scenario": "long"}))
    assert "name" in said and len(said) < 420


@pytest.mark.parametrize("name", ["start", "lab", "compare"])
def test_what_takes_a_while_says_what_it_is(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    @contextmanager
    def spinner(text: str) -> Iterator[None]:
        said.append(text)
        yield

    monkeypatch.setattr(st, "spinner", spinner)
    assert wrong(page(name)) == []
    assert said == ["Simulating 12 quarters in 100 markets: 5 segments, 10 partners ..."]


@pytest.mark.parametrize("name", ["start", "lab", "compare"])
def test_without_machine_code_fewer_markets_are_run_and_the_page_says_so(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_all, "missing", "numba cannot be imported")
    scenario = small(plans=[{"name": "with Pine", "partner_share": 0.3, "focus": "believers"}])
    test = page(name, {"scenario": saved(scenario)})
    assert wrong(test) == []
    assert "numba cannot be imported, so the simulation runs as plain Python" in texts(test)
    assert re.search(r"\b100 (simulated )?markets", texts(test)) and not re.search(
        r"\b200 (simulated )?markets", texts(test)
    )


# Start


def test_start_says_when_a_plan_is_ahead_and_when_not() -> None:
    scenario = load_scenario(BASELINE)
    plans = {split.name: TimePlan.from_split(scenario, split) for split in (scenario.status_quo, *scenario.plans)}
    result = compare(scenario, plans, cache.MARKETS, baseline="no partner time")["20% with Believers"]
    early, late = (round(100 * result.markets_ahead_by_quarter[q].value) for q in (1, 11))
    said = texts(page("start"))
    assert f"is ahead of no partner time in {early} of 100 markets after 2 quarters, and in {late} of 100" in said


def test_start_of_a_scenario_with_one_plan() -> None:
    assert wrong(page("start", {"scenario": saved(small(plans=[]))})) == []


def test_a_picture_says_each_number_once_and_shortly_when_it_is_read_aloud() -> None:
    for spec in (*pictures(page("start")), *pictures(page("lab"))):
        assert all(spec["config"][mark]["aria"] is False for mark in ("text", "rule", "tick", "area"))
        told = [row["told"] for layer in spec["layer"] for row in layer["data"]["values"] if "told" in row]
        assert told and all(re.match(r"quarter \d+: ", text) and len(text) < 50 for text in told)
    (start_spec,) = pictures(page("start"))
    assert re.fullmatch(r"quarter 12: \d+, 95% \d+ to \d+", start_spec["layer"][0]["data"]["values"][-1]["told"])


# Lab


@pytest.mark.parametrize("file", sorted(path.stem for path in library.BUILT_IN.glob("*.yaml")))
def test_todays_split_in_the_labs_fields_is_todays_plan(file: str) -> None:
    scenario = load_scenario(library.BUILT_IN / f"{file}.yaml")
    state = {field.key: field.default for field in lab_fields.fields_of_split(scenario)} | lab_fields.todays_fields(
        scenario
    )
    lab, now = (
        plan.table(scenario) for plan in (lab_fields.plan_of_fields(scenario, state), TimePlan.status_quo(scenario))
    )
    assert lab.coverage_mode == now.coverage_mode
    assert lab.partner == pytest.approx(now.partner, abs=0.01) and lab.prospect == pytest.approx(now.prospect, abs=0.01)


def test_the_sales_leaders_door_changes_coverage_alone() -> None:
    scenario = load_scenario(BASELINE)
    says = start._coverage_example(scenario)
    test = page("lab", says)
    assert wrong(test) == []
    state = {field.key: test.session_state[field.key] for field in lab_fields.fields_of_split(scenario)}
    assert {key: value for key, value in lab_fields.todays_fields(scenario).items() if state[key] != value} == {
        "mode enterprise": "partner_first", "mode small business": "partner_first",
    }  # fmt: skip


def test_the_lab_shows_the_numbers_of_compare() -> None:
    scenario = load_scenario(BASELINE)
    plan = TimePlan.constant(scenario, 0.35, {"coach": 0.25, "co_sell": 0.75}, "even", park=["Fir Solutions"])
    compared = compare(
        scenario, {"status quo": TimePlan.status_quo(scenario), "p": plan}, cache.MARKETS, 3, worlds=cache.FEW_WORLDS
    )
    test = page("lab", {"share": "35", "focus": "even", "coach": "25", "joint_plan": "0", "co_sell": "75",
                        "park": "Fir Solutions", "seed": "3"})  # fmt: skip
    assert wrong(test) == []
    result = compared["p"]
    assert metrics(test) == {
        "Attainment": f"{result.attainment.value:.0%}",
        "Chance of quota": f"{result.quarters_at_quota.value:.0%}",
        "Against the status quo": f"{result.difference_share.value:+.1%}",
        "Markets ahead": f"{100 * result.markets_ahead.value:.0f} of 100",
        "Worlds better": f"{100 * result.worlds_ahead.value:.0f} of 100",  # type: ignore[union-attr]
    }


def test_tapes_that_are_too_large_are_drawn_again_and_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario, seed = small(), 11
    plan = TimePlan.status_quo(scenario)
    assert cache._tapes(scenario, cache.FIRST_MARKETS, seed) is not None
    kept = cache.outcomes(scenario, plan, cache.FIRST_MARKETS, seed)
    st.cache_resource.clear()
    monkeypatch.setattr(cache, "LARGEST_TAPES", 100_000)
    assert cache._tapes(scenario, cache.FIRST_MARKETS, seed) is None
    drawn = cache.outcomes(scenario, plan, cache.FIRST_MARKETS, seed)
    assert drawn is not kept
    assert (drawn.values == kept.values).all()


def test_a_class_that_caches_know_by_its_name_is_there() -> None:
    """Streamlit hashes by the name alone: a class that moved would be hashed in another way, or not at all."""
    for name in (name for name in cache.BY_DIGEST if isinstance(name, str)):
        module, _, class_name = name.rpartition(".")
        assert getattr(import_module(module), class_name).__module__ == module


def test_the_lab_shows_what_the_terminal_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "FEW_WORLDS", 20)
    words = ["compare", str(BASELINE), "--plan", "20% with Believers", "--replications", "200", "--worlds", "20"]
    plan = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)["plans"]["20% with Believers"]
    shown = metrics(page("lab"))
    assert shown["Against the status quo"] == f"{plan['difference_share']['value']:+.1%}"
    assert shown["Attainment"] == f"{plan['attainment']['value']:.0%}"
    assert shown["Worlds better"] == f"{100 * plan['worlds_ahead']['value']:.0f} of 100"


CONTROLS = {
    "share": 40,
    "coach": 0,
    "joint_plan": 100,
    "co_sell": 80,
    "sell_for": 90,
    "socialise": 100,
    "prospect": 30,
}


@pytest.mark.parametrize("key", CONTROLS)
def test_every_slider_moves_the_plan(key: str) -> None:
    scenario = small()
    scenario_id = saved(scenario)
    test = page("lab", {"scenario": scenario_id})
    before = {field.key: test.session_state[field.key] for field in lab_fields.fields_of_split(scenario)}
    test.slider(key=key).set_value(CONTROLS[key]).run()
    assert wrong(test) == []
    assert test.query_params[key] == str(CONTROLS[key])
    state = {**before, key: CONTROLS[key]}
    plan, usual = (lab_fields.plan_of_fields(scenario, sets) for sets in (state, before))
    assert plan.hours != usual.hours
    assert f" {plan.name}: " in texts(test).replace("\\", "")
    (bars,) = pictures(test)[1]["layer"]
    drawn = sum(row["hours"] for row in bars["data"]["values"])
    assert drawn == pytest.approx(sum(hours.sum() for hours in plan.hours_by_activity(scenario).values()), abs=0.05)


def test_focus_parking_and_coverage_move_the_plan() -> None:
    scenario = small()
    test = page("lab", {"scenario": saved(scenario)})
    test.selectbox(key="focus").set_value(lab_fields.CHOSEN).run()
    assert wrong(test) == ["No partner is chosen for the partner time; choose one, or another focus"]
    test.multiselect(key="with").set_value(["Thorn"]).run()
    assert wrong(test) == [] and "20% with Thorn" in texts(test)
    test.multiselect(key="park").set_value(["Pine"]).run()
    assert "1 parked" in texts(test)
    test.selectbox(key=lab_fields.coverage_key("large")).set_value("direct").run()
    assert "20% with Thorn, 1 parked, large direct" in texts(test)
    assert "Coverage: large direct" in [expander.label for expander in test.expander]
    test.slider(key="coach").set_value(55).run()
    assert "20% with Thorn, 1 parked, mostly coaching, large direct" in texts(test)
    test.slider(key="coach").set_value(40).run()
    assert "on 2 activities" in texts(test)
    assert test.query_params[lab_fields.coverage_key("large")] == "direct"


def test_of_very_many_things_that_a_link_says_a_few_are_told() -> None:
    link = {f"k{number}": ["x"] for number in range(3000)}
    said, told = url_state.read_words(link, [url_state.text("words")])
    assert said == {"words": ""} and len(told) == url_state.MOST_UNKNOWN + 1
    assert told[-1] == "The link says 2,995 more things that this page does not know; allowed: words."


@pytest.mark.parametrize(
    ("parts", "name"), [((34, 33, 33), "20% with Believers, on 3 activities"), ((60, 20, 20), "mostly coaching")]
)
def test_only_what_gets_more_than_half_is_called_most_of_it(parts: tuple[int, int, int], name: str) -> None:
    says = {key: str(part) for key, part in zip(("coach", "joint_plan", "socialise"), parts, strict=True)}
    test = page("lab", {"scenario": saved(small()), **says})
    assert wrong(test) == [] and str(test.text_input[-1].value).endswith(name)


def test_no_activity_is_told() -> None:
    test = page("lab", {"coach": "0", "joint_plan": "0"})
    assert wrong(test) == ["No activity has any part of the partner time; give one of them some, or set the time to 0%"]


def test_an_assumption_that_is_changed_changes_the_answer() -> None:
    test = page("lab")
    usual = metrics(test)["Against the status quo"]
    test.multiselect(key="assume").set_value(["effect of all partner time"]).run()
    assert metrics(test)["Against the status quo"] == usual
    test.number_input(key="assume effect of all partner time").set_value(0.0).run()
    assert wrong(test) == []
    assert float(metrics(test)["Against the status quo"][:-1]) < float(usual[:-1])


def test_changed_assumptions_come_along_to_compare() -> None:
    scenario = load_scenario(BASELINE)
    assumption = next(one for one in assumptions(scenario) if one.name == "coach gain per week")
    test = page("lab", {"assume": assumption.name, "assume coach gain per week": "0.03", "share": "33"})
    (query,) = [one.proto.query_string for one in test.get("page_link") if "lab=" in one.proto.query_string]
    says = parse_qs(query)
    assert says["assume"] == [assumption.name] and says["assume coach gain per week"] == ["0.03"]
    compared = page("compare", says)
    assert wrong(compared) == []
    assert "coach gain per week 0.03 instead of 0.022" in texts(compared)
    cells = {row[0]: row[2] for row in tables(compared)["The plans side by side"]}
    assert cells[""] == "33% with Believers"
    assert cells["Difference"].startswith(metrics(test)["Against the status quo"])
    compared.button[0].click().run()
    assert wrong(compared) == [] and "instead of" not in texts(compared) and "assume" not in compared.query_params
    other = {row[0]: row[2] for row in tables(compared)["The plans side by side"]}["Difference"]
    assert other != cells["Difference"]


def test_an_assumption_that_another_scenario_does_not_make_is_left_behind() -> None:
    name = "enterprise: prospecting yield"
    scenario_id = saved(small())
    assert name not in [assumption.name for assumption in assumptions(small())]
    test = page("compare", {"assume": name, f"assume {name}": "0.4"})
    assert wrong(test) == [] and "instead of" in texts(test)
    test.selectbox(key="scenario").set_value(scenario_id).run()
    assert wrong(test) == [] and "instead of" not in texts(test)


ASSUMED = "What is assumed: the scenario's likely values and what is plausible"


def test_every_assumption_stands_in_a_table_that_can_be_read_aloud() -> None:
    test = page("lab")
    assert not test.dataframe
    heads, *rows = tables(test)[ASSUMED]
    assert heads == ["Assumption", "Low", "Likely", "High", "Unit", "Meaning", "Source"]
    assert rows == [
        [
            assumption.name,
            f"{assumption.low:g}",
            f"{assumption.likely:g}",
            f"{assumption.high:g}",
            assumption.unit,
            assumption.meaning,
            assumption.source,
        ]
        for assumption in assumptions(load_scenario(BASELINE))
    ]


def test_the_table_says_where_the_verdict_turns() -> None:
    known = assumptions(load_scenario(BASELINE))[:1]
    few = {"replications": 40}
    jobs = AtOnce(lambda task: run_sensitivity(task.scenario, task.arguments["request"].model_copy(update=few), known))
    test = page("lab", {"share": "30", "turns": "yes"}, jobs)
    assert "The verdict: " in texts(test), "what follows may be a sentence of its own"
    heads, first, second, *_ = tables(test)[ASSUMED]
    assert heads[4] == "Verdict turns" and re.match(r"at [\d.]+", first[4]) and second[4] == ""


def test_a_split_that_is_saved_is_found_in_compare() -> None:
    scenario = small()
    scenario_id = saved(scenario)
    test = page("lab", {"scenario": scenario_id, "share": "30"})
    test.text_input[-1].set_value("My plan")
    next(button for button in test.button if button.label == "Save").click().run()
    assert wrong(test) == []
    assert [success.value.replace("\\", "") for success in test.success] == ["Saved as My plan. It is in Compare now."]
    assert "My plan" in library.plans_for(scenario)
    assert wrong(page("compare", {"scenario": scenario_id, "a": "My plan"})) == []


def test_a_split_cannot_be_saved_under_the_name_of_another_plan_of_the_scenario() -> None:
    scenario_id = saved(small())
    test = page("lab", {"scenario": scenario_id, "share": "30"})
    test.text_input[-1].set_value(small().status_quo.name)
    next(button for button in test.button if button.label == "Save").click().run()
    (said,) = wrong(test)
    assert "is the name of a plan of this scenario already" in said and not test.success and library.plan_files() == {}


def test_a_split_that_is_saved_twice_under_a_name_is_one_file_and_another_one_of_this_name_gets_a_number() -> None:
    test = page("lab", {"scenario": saved(small()), "share": "30"})
    for share in (30, 30, 31):
        test.slider(key="share").set_value(share).run()
        test.text_input[-1].set_value("Mine")
        next(button for button in test.button if button.label == "Save").click().run()
        assert wrong(test) == []
    assert set(library.plan_files()) == {"mine", "mine-2"}


def test_a_territory_without_partners_can_be_looked_at() -> None:
    scenario_id = saved(small(partners=[], plans=[]))
    test = page("lab", {"scenario": scenario_id})
    assert wrong(test) == [] and test.slider(key="share").disabled
    assert wrong(page("compare", {"scenario": scenario_id})) == []


# Compare


def test_compare_shows_the_numbers_of_compare() -> None:
    scenario = load_scenario(BASELINE)
    plans = {split.name: TimePlan.from_split(scenario, split) for split in (scenario.status_quo, *scenario.plans)}
    compared = compare(scenario, plans, cache.MARKETS, worlds=cache.FEW_WORLDS)
    test = page("compare")
    assert wrong(test) == []
    cells = [cell for row in tables(test)["The plans side by side"] for cell in row]
    for name, result in compared.results.items():
        assert name in cells
        assert any(cell.startswith(usd(result.credit_usd.value)) for cell in cells)
        if name != "status quo":
            share = result.difference_share
            assert f"{share.value:+.1%} ({share.low:+.1%} to {share.high:+.1%})" in cells
            assert count_of_total(result.markets_ahead) in cells
            assert count_of_total(result.worlds_ahead) in cells  # type: ignore[arg-type]


def test_the_best_plan_is_looked_at_first() -> None:
    assert page("compare").session_state["closer"] == "20% with Believers"


def test_only_a_plan_that_was_chosen_to_be_looked_at_closer_is_in_the_address() -> None:
    test = page("compare")
    assert "plan" not in test.query_params
    test.segmented_control(key="closer").set_value("no partner time").run()
    assert test.query_params["plan"] == "no partner time"
    assert "under no partner time" in texts(test)


def test_a_split_from_the_lab_comes_along_in_the_link() -> None:
    scenario = load_scenario(BASELINE)
    state = {field.key: field.default for field in lab_fields.fields_of_split(scenario)} | {
        "share": 1,
        "park": ["Fir Solutions"],
    }
    word = lab_fields.pack_split(lab_fields.split_of_fields(scenario, state))
    test = page("compare", {"lab": word})
    assert wrong(test) == []
    assert test.selectbox(key="a").value == "1% with Believers, 1 parked"
    assert test.session_state["closer"] == "1% with Believers, 1 parked"  # though 20% is better


DEEP = base64.urlsafe_b64encode(zlib.compress(b"[" * 90_000)).decode()


@pytest.mark.parametrize("word", ["x", "eJw=", "🦄", "A" * 5000, "eJyrViouTVKyUlAqLU4tUqoFADIQBZY=", DEEP])
def test_a_word_that_no_lab_made_is_told(word: str) -> None:
    (said,) = wrong(page("compare", {"lab": word}))
    assert said.startswith("The link says lab is ")


def test_plans_of_two_scenarios_meet() -> None:
    test = page("compare", {"b_in": "with-channel-account-manager", "b": "10% of the manager's time"})
    assert wrong(test) == []
    assert "10% of the manager's time (" in texts(test).replace("\\", "").replace("&#x27;", "'")


def test_scenarios_of_other_lengths_cannot_be_compared() -> None:
    short = saved(small())
    test = page("compare", {"b_in": short, "b": small().status_quo.name})
    (said,) = wrong(test)
    assert "has another horizon (4) than" in said


@pytest.mark.parametrize("none", ["none", ""])
def test_only_todays_split_is_nothing_to_compare(none: str) -> None:
    test = page("compare", {"a": none, "b": none, "c": none})
    assert wrong(test) == [] and "Choose a plan to compare" in texts(test)


ODD = ["none", "best", "no plan", "this one", "x" * 80, NASTY, "🦄" * 40, "a (Baseline territory)"]


@pytest.mark.parametrize("name", ODD)
def test_a_plan_may_be_called_anything(name: str) -> None:
    scenario = small()
    library.save_document(TimePlan.constant(scenario, 0.4).model_copy(update={"name": name}), "plans")
    test = page("compare", {"scenario": saved(scenario), "a": name, "b": ""})
    assert wrong(test) == []
    assert test.selectbox(key="a").value == name and test.session_state["closer"] == name
    (heads, *rows) = tables(test)["The plans side by side"]
    assert heads == ["", scenario.status_quo.name, name]
    (text,) = {row[2] for row in rows if row[0] == "Markets ahead"}
    assert text.endswith(f" of {cache.MARKETS}")


def test_a_saved_plan_called_status_quo_is_one_of_many_where_todays_split_is_called_otherwise() -> None:
    scenario = small(status_quo={**small().status_quo.model_dump(), "name": "as today"})
    library.save_document(TimePlan.constant(scenario, 0.4).model_copy(update={"name": "status quo"}), "plans")
    test = page("compare", {"scenario": saved(scenario), "a": "status quo", "b": "", "c": ""})
    assert wrong(test) == []
    assert tables(test)["The plans side by side"][0] == ["", "as today", "status quo"]


def test_two_plans_of_one_name_of_two_scenarios_of_one_name_are_two(own_library: Path) -> None:
    first, second = saved(small()), saved(small(name="Second", horizon_quarters=4, quota={"first_quarter_usd": 9e4}))
    path = own_library / "scenarios" / f"{second}.yaml"
    path.write_text(path.read_text().replace("name: Second", f"name: {small().name}"))
    quo = small().status_quo.name
    test = page("compare", {"scenario": first, "a": quo, "a_in": second, "b": quo, "b_in": first, "c": ""})
    assert wrong(test) == []
    shown = f"{quo} ({small().name})"
    assert tables(test)["The plans side by side"][0] == ["", quo, shown, f"{shown}, B"]


def test_a_plan_that_is_not_compared_cannot_be_looked_at_closer() -> None:
    test = page("compare", {"plan": "20% with Belivers"})
    assert wrong(test) == ["The link says plan is '20% with Belivers'; did you mean 20% with Believers?"]
    test.selectbox(key="a").set_value("").run()
    assert not [sentence for sentence in wrong(test) if "did you mean" not in sentence]


# The long game


def test_nothing_is_shown_before_the_prediction() -> None:
    test = page("stories", {"story": "squeaky-wheel"})
    assert wrong(test) == []
    assert "95% interval" not in texts(test) and not test.get("vega_lite_chart")
    test.radio(key="best").set_value("20% with Believers").run()
    test.slider(key="by").set_value(10).run()
    test.button[0].click().run()
    assert wrong(test) == []
    scenario = load_scenario("scenarios/squeaky-wheel.yaml")
    plans = {split.name: TimePlan.from_split(scenario, split) for split in (scenario.status_quo, *scenario.plans)}
    share = compare(scenario, plans, cache.MARKETS)["20% with Believers"].difference_share
    assert f"For 20% with Believers you said +10%; it is {share.value:+.1%}" in texts(test)


@pytest.mark.parametrize(
    ("says", "problem"),
    [
        ({}, None),
        ({"best": "colour"}, "The link says best is 'colour'; allowed: "),
        ({"best": "coaching insted"}, "The link says best is 'coaching insted'; did you mean coaching instead?"),
        ({"best": "coaching instead", "by": "61"}, "The link says by is '61'; allowed: a whole number from -60 to 60."),
    ],
)
def test_nobody_is_told_to_have_said_what_a_link_says_wrongly(says: dict[str, str], problem: str | None) -> None:
    test = page("stories", {"story": "hero-seller", "seen": "yes", **says})
    assert [sentence[: len(problem or "")] for sentence in wrong(test)] == ([] if problem is None else [problem])
    said = texts(test)
    assert (
        "the most quota credit has" in said.lower() and "you said" not in said.replace("You said", "you said").lower()
    )


def test_a_prediction_comes_along_in_a_link_and_another_story_asks_anew() -> None:
    says = {"story": "hero-seller", "best": "coaching instead", "by": "5", "seen": "yes"}
    test = page("stories", says)
    assert wrong(test) == [] and "coaching instead" in texts(test)
    test.segmented_control[0].set_value("lunch-trap").run()
    assert test.radio(key="best").value == load_scenario("scenarios/lunch-trap.yaml").status_quo.name


# The library


def test_nothing_that_is_saved_is_overwritten() -> None:
    scenario = small(name="Mine")
    first, again = saved(scenario), saved(scenario)
    other = saved(small(name="Mine", horizon_quarters=5))
    assert (first, again, other) == ("mine", "mine", "mine-2")
    assert load_scenario(library.scenario_files()["mine-2"]).name == "Mine 2"
    assert load_scenario(library.scenario_files()["mine"]) == scenario


def test_a_saved_scenario_cannot_hide_one_that_comes_with_it(own_library: Path) -> None:
    assert saved(small(name="Baseline")) == "baseline-2"
    save_scenario(small(), own_library / "scenarios" / "baseline.yaml")
    assert library.scenario_files()["baseline"].parent == library.BUILT_IN


def test_a_plan_that_a_link_names_is_not_shown_twice() -> None:
    scenario_id = saved(small())
    for name in ("mine", "yours"):
        library.save_document(TimePlan.constant(small(), 0.3, name=name), "plans")
    test = page("compare", {"scenario": scenario_id, "a": "mine"})
    shown = [test.selectbox(key=slot).value for slot in "abc"]
    assert wrong(test) == [] and shown[0] == "mine" and len(set(shown)) == 3


def test_two_that_save_a_name_at_once_get_two_files(own_library: Path) -> None:
    (own_library / "scenarios").mkdir()
    (own_library / "scenarios" / "mine.yaml").touch()  # another is about to write it
    assert "mine" not in library.scenario_files()
    assert saved(small(name="Mine")) == "mine-2" and library.scenario_files()["mine-2"].stat().st_size


def test_a_folder_in_the_library_is_no_file_of_it(own_library: Path) -> None:
    for kind in ("scenarios", "plans"):
        (own_library / kind / "folder.yaml").mkdir(parents=True)
    assert "folder" not in library.scenario_files() and library.plan_files() == {}


def test_every_activity_of_a_split_has_its_slider() -> None:
    assert set(lab_fields.MIXED) | {"sell", "prospect", "recruit", "support", "idle"} == set(ACTIVITY_WORDS)


@pytest.mark.parametrize("there", [False, True])
def test_a_library_that_cannot_be_written_is_told_and_nothing_is_lost(
    there: bool, own_library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = page("lab", {"scenario": saved(small()), "share": "33"})
    plans = own_library / "plans"
    if there:
        plans.mkdir()
        monkeypatch.setattr(library.os, "access", lambda path, mode: False)
    else:
        plans.write_text("not a folder")
    test.text_input[-1].set_value("My plan")
    next(button for button in test.button if button.label == "Save").click().run()
    why = "Permission denied" if there else "File exists"
    assert wrong(test) == [f"{plans}: cannot be written ({why}); set NEXTHOUR_LIBRARY to a folder that can"]
    assert test.slider(key="share").value == 33 and test.text_input[-1].value == "My plan"
    assert "33" in test.query_params["share"]
