"""The page Territory, without a browser, and its pictures.

Claims: its numbers are those of gap_analysis, treatments, roll_up, replicate and Actuals, and so of `nexthour gap
--json`; every control moves what it names; a link brings a state back, and one that makes no sense is told in one
sentence; long work can be stopped and begun again; what was seen is kept in new files, survives a reload, and is
refused in one sentence where it cannot be; names from anybody do no harm.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from nexthour.app.charts import indicators
from nexthour.app.charts import territory as territory_charts
from nexthour.app.charts.indicators import Indicator
from nexthour.app.state import actuals_store, cache, library
from nexthour.jobs import Jobs
from nexthour.report import gaps as gap_report
from nexthour.report.numbers import usd
from nexthour.report.text import CAVEAT
from nexthour.terminal.main import app
from optimize import Effort
from optimize.coverage.gaps import REMEDY_WORDS, gap_analysis, map_market
from optimize.coverage.rollup import roll_up
from optimize.coverage.treatment import treatments
from optimize.replan.actuals import Actuals, find_deviations
from sim import PlanError, Scenario, TimePlan, replicate, save_scenario
from tests.helpers import candidate, partner, segment, two_segments
from tests.nexthour.app.pages import AtOnce, labels, page, pictures, press, tables, texts, wrong

NASTY = "<b>x</b> \"q\" 'q' [l](u) :red[z] $a$ `c` 🦄 =1+1"
SEED = 7
FEW = Effort.quick.model_copy(update={"band_markets": 100})


@pytest.fixture(scope="module", autouse=True)
def few_markets() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "MARKETS", 100)
        patch.setattr(cache, "EFFORT", FEW)
        yield
    st.cache_resource.clear()


@pytest.fixture(autouse=True)
def own_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NEXTHOUR_LIBRARY", str(tmp_path))
    return tmp_path


@pytest.fixture
def at_once() -> AtOnce:
    return AtOnce()


def small(**changes: Any) -> Scenario:
    """Two segments, four quarters, and more in both than the manager has time for; and a candidate."""
    known = {
        "name": "small territory",
        "horizon_quarters": 4,
        "candidates": [candidate("Cypress", base_share={"large": 0.2})],
        "plans": [{"name": "with Pine", "partner_share": 0.3, "focus": "believers"}],
    }
    return two_segments(**{**known, **changes})


def opened(section: str = "map", scenario: Scenario | None = None, jobs: Jobs | None = None, **says: Any) -> AppTest:
    scenario = small() if scenario is None else scenario
    return page(
        "territory", {"scenario": library.save_document(scenario, "scenarios"), "section": section, **says}, jobs
    )


def chosen(scenario: Scenario) -> TimePlan:
    return TimePlan.from_split(scenario, scenario.plans[0])


def box(test: AppTest, label: str) -> Any:
    """The number box with a label."""
    (found,) = [one for one in test.number_input if one.label.replace("\\", "") == label]
    return found


# Market map, gaps


def test_the_market_map_is_that_of_the_gap_analysis() -> None:
    scenario = small()
    test = opened()
    assert wrong(test) == []
    analysis = gap_analysis(scenario, None, SEED, effort=FEW)
    assert gap_report.largest_gap(analysis) in html.unescape(texts(test))
    rows = tables(test)["Market map over 4 quarters"][1:]
    for row, one in zip(rows, analysis.segments, strict=True):
        assert one.today is not None
        assert row[0] == one.segment and row[2] == f"{one.opportunities.value:,.0f}"
        assert row[5:8] == [f"{share.value:.0%}" for share in (one.today.found, one.today.brought, one.today.leaked)]
        assert row[8] == usd(one.gap_usd.value)


def test_the_map_and_the_gaps_are_those_of_the_terminal(tmp_path: Path) -> None:
    scenario, plan = small(), chosen(small())
    save_scenario(scenario, tmp_path / "mine.yaml")
    plan.save(tmp_path / "plan.yaml")
    words = ["gap", str(tmp_path / "mine.yaml"), "--plan", str(tmp_path / "plan.yaml"), "--effort", "quick", "--json"]
    printed = json.loads(CliRunner().invoke(app, words).stdout)
    on_map = tables(opened(plan="with Pine"))["Market map over 4 quarters"][1:]
    test = opened("gaps", plan="with Pine")
    covered = tables(test)["Seen by somebody, of all opportunities"][1:]
    for one, row, seen_row in zip(printed["segments"], on_map, covered, strict=True):
        for cell, who in zip(row[5:8], ("found", "brought", "leaked"), strict=True):
            assert cell == f"{one['today'][who]['value']:.0%} → {one['planned'][who]['value']:.0%}"
        assert row[8] == usd(one["gap_usd"]["value"]) and seen_row[-1].startswith(row[8])
        shares = [f"{1 - one[which]['leaked']['value']:.0%}" for which in ("today", "planned", "reachable")]
        assert seen_row[1:5] == [*shares, "100%"]
    priced = {
        (
            f"{REMEDY_WORDS[remedy['kind']]}: {remedy['what']}",
            usd(remedy["gain_usd"]["value"], sign=True),
        )
        for one in printed["segments"]
        for remedy in one["remedies"]
        if remedy["gain_usd"] is not None
    }
    shown = [row for name, rows in tables(test).items() if "clear" in name for row in rows[1:]]
    assert {(row[0], row[1]) for row in shown} == priced


def test_a_plan_adds_bars_and_the_way_from_today() -> None:
    scenario = small()
    (today,), (both,) = pictures(opened()), pictures(opened(plan="with Pine"))
    assert len(today["layer"][0]["data"]["values"]) == 6 and len(both["layer"][0]["data"]["values"]) == 12
    before = [row["share"] for row in today["layer"][0]["data"]["values"]]
    assert [row["share"] for row in both["layer"][0]["data"]["values"] if row["when"] == "today"] == before
    segment = map_market(scenario, chosen(scenario), SEED, FEW).segments[0]
    assert segment.planned is not None
    shares = [
        row["share"]
        for row in both["layer"][0]["data"]["values"]
        if (row["segment"], row["when"]) == ("large", "with the plan")
    ]
    assert shares == pytest.approx(
        [segment.planned.found.value, segment.planned.brought.value, segment.planned.leaked.value]
    )


def test_remedies_are_best_first_and_those_of_one_segment_can_be_had_alone(at_once: AtOnce) -> None:
    test = opened("gaps", jobs=at_once)
    every = [row for name, rows in tables(test).items() if "clear" in name for row in rows[1:]]
    test.selectbox("segment").set_value("small").run()
    some = [row for name, rows in tables(test).items() if "clear" in name for row in rows[1:]]
    assert {row[6] for row in some} == {"small"} and len(some) < len(every)
    assert CAVEAT in html.unescape(texts(test))
    assert "small: not possible: recruit (" in texts(test)
    assert len(at_once.asked) == 1
    job = at_once.made[-1]
    result = job.result.analysis
    assert gap_report.best_hour(result) in html.unescape(texts(test))


def test_a_remedy_can_be_kept_as_a_plan_and_compared(at_once: AtOnce) -> None:
    test = opened("gaps", jobs=at_once)
    (choice,) = [selectbox for selectbox in test.selectbox if selectbox.label == "Remedy"]
    wanted = choice.options[1]
    choice.set_value(wanted).run()
    next(button for button in test.button if button.label == "Save").click().run()
    assert wrong(test) == [] and [success.value.replace("\\", "") for success in test.success] == [
        f"Saved as {wanted}."
    ]
    kept = library.plans_for(small())[wanted]
    job = at_once.made[-1]
    priced = [remedy for one in job.result.analysis.segments for remedy in one.remedies if remedy.plan is not None]
    assert kept.hours in [remedy.plan.hours for remedy in priced if remedy.what in wanted]
    assert not any("account manager" in option for option in choice.options)
    scenario_id = library.save_document(small(), "scenarios")
    for name, says in (("compare", {"a": wanted}), ("lab", {"plan": wanted})):
        assert wrong(page(name, {"scenario": scenario_id, **says}, jobs=at_once)) == []


def test_the_search_is_for_the_plan_that_is_chosen(at_once: AtOnce) -> None:
    opened("gaps", jobs=at_once)
    opened("gaps", plan="with Pine", jobs=at_once)
    assert [arguments.get("plan") and arguments["plan"].name for _, arguments in at_once.asked] == [None, "with Pine"]


def test_pricing_goes_on_beside_the_map_is_stopped_and_begun_again(at_once: AtOnce) -> None:
    at_once.state = "running"
    test = opened("gaps", jobs=at_once)
    job = at_once.made[-1]
    job.says = "pricing them"
    test.run()
    assert "Pricing them." in texts(test) and tables(test)  # the map is there already
    press(test, "Cancel")
    assert len(at_once.asked) == 1 and "Cancel" not in labels(test)
    press(test, "Price the remedies")
    assert len(at_once.asked) == 2 and "Cancel" in labels(test)

    at_once.state, at_once.problem = "failed", "the search was stopped by the system; start it again"
    job = at_once.made[-1]
    job.end("failed", problem=at_once.problem)
    test.run()
    assert wrong(test) == ["The search was stopped by the system; start it again"] and len(at_once.asked) == 2
    at_once.state = "done"
    press(test, "Price the remedies")
    assert wrong(test) == [] and len(at_once.asked) == 3 and any("clear" in name for name in tables(test))


def test_what_another_visitor_cancelled_is_begun_for_this_one(at_once: AtOnce) -> None:
    at_once.state = "cancelled"
    at_once.start("gaps", small(), seed=SEED, effort=FEW)
    at_once.state = "done"
    test = opened("gaps", jobs=at_once)
    assert len(at_once.asked) == 2 and any("clear" in name for name in tables(test))


# Partners


def test_the_grid_is_that_of_the_treatments() -> None:
    scenario = small()
    test = opened("partners", plan="with Pine")
    (picture,) = pictures(test)
    points = next(layer for layer in picture["layer"] if layer["mark"]["type"] == "point")["data"]["values"]
    found = treatments(scenario, chosen(scenario), SEED, FEW)
    assert [(point["partner"], point["treatment"]) for point in points] == [
        ("Pine", "Develop"),
        ("Thorn", found[1].treatment),
    ]
    assert [point["credit"] for point in points] == pytest.approx(
        [100 * treatment.results.value for treatment in found[:2]]
    )
    mean = sum(100 * treatment.commitment for treatment in found[:2]) / 2
    assert picture["layer"][0]["encoding"]["x"]["datum"] == pytest.approx(mean)
    rows = tables(test)["Treatment under with Pine"][1:]
    assert [row[1] for row in rows] == [treatment.treatment for treatment in found]
    assert rows[1][-1] == gap_report.unusual_treatment(found[1]) != ""
    assert rows[2][0] == "Cypress (candidate)" and rows[2][1] == "Leave"


def test_another_plan_is_another_treatment() -> None:
    test = opened("partners")
    before = tables(test)["Treatment under status quo"][1]
    test.selectbox("plan").set_value("with Pine").run()
    assert before[1] == "Maintain" and tables(test)["Treatment under with Pine"][1][1] == "Develop"


@pytest.mark.parametrize("section", ["map", "gaps", "partners", "indicators", "together"])
def test_a_scenario_without_partners_has_every_section(section: str) -> None:
    test = opened(section, small(partners=[], candidates=[], plans=[]))
    assert wrong(test) == []
    if section == "partners":
        assert "no partners and no candidates" in texts(test)


@pytest.mark.parametrize("section", ["map", "gaps", "partners", "indicators", "together"])
def test_names_from_anybody_do_no_harm(section: str) -> None:
    scenario = small(
        name=NASTY,
        question=NASTY,
        partners=[partner(NASTY, base_share={NASTY: 0.3})],
        candidates=[],
        market_map=[segment(NASTY, opportunities_per_quarter=9)],
        plans=[{"name": NASTY, "partner_share": 0.3, "focus": "believers"}],
    )
    test = opened(section, scenario, plan=NASTY)
    assert wrong(test) == []
    for block in test.get("html"):
        assert "<b>x</b>" not in block.proto.body
    for markdown in test.markdown:
        assert NASTY not in markdown.value
    assert any(NASTY in html.unescape(block.proto.body) for block in test.get("html"))


# Links


def test_the_address_holds_the_state_and_brings_it_back() -> None:
    test = opened("indicators", plan="with Pine", quarter="2", indicator="skill")
    assert wrong(test) == []
    assert test.segmented_control("section").value == "indicators" and test.selectbox("plan").value == "with Pine"
    assert test.selectbox("quarter").value == 2 and test.selectbox("indicator").value == "skill"
    test.selectbox("quarter").set_value(3).run()
    assert test.query_params["quarter"] == "3" and "in Q3" in " ".join(tables(test))
    test.segmented_control("section").set_value("partners").run()
    assert test.query_params["section"] == "partners" and test.query_params["quarter"] == "3"


@pytest.mark.parametrize(
    ("says", "sentence"),
    [
        ({"section": "mop"}, "The link says section is 'mop'; did you mean map?"),
        ({"plan": "with Pines"}, "The link says plan is 'with Pines'; did you mean with Pine?"),
        ({"quarter": "5"}, "The link says quarter is '5'; allowed: a whole number from 1 to 4."),
        ({"segment": "larg"}, "The link says segment is 'larg'; did you mean large?"),
        ({"territories": "baselin"}, "The link says territories is 'baselin'; did you mean baseline?"),
        ({"indicator": "skil"}, "The link says indicator is 'skil'; did you mean skill?"),
    ],
)
def test_a_link_that_makes_no_sense_is_told_in_one_sentence(says: dict[str, str], sentence: str) -> None:
    assert wrong(opened(**says)) == [sentence]


# Planned and actual


def test_what_is_planned_is_that_of_replicate() -> None:
    scenario = small()
    outcomes = replicate(scenario, chosen(scenario), cache.MARKETS, SEED)
    found = tables(opened("indicators", plan="with Pine", quarter="2"))
    lagging = {row[0]: row[1:] for row in found["Lagging: what happened, in Q2"][1:]}
    low, high = np.quantile(outcomes.credit_usd[:, 1], (0.1, 0.9), method="inverted_cdf")
    assert lagging["quota credit"][0].startswith(usd(outcomes.credit_usd[:, 1].mean()))
    assert lagging["quota credit"][1] == f"{usd(low)} to {usd(high)}"
    leading = {row[0]: row[1:] for row in found["Leading: what is coming, in Q2"][1:]}
    wins = 100 * (outcomes["skill"][:, 1] ** 0.5).mean()
    assert leading[indicators.WORDS["skill"]][0].startswith(f"{wins:.1f}")


def test_the_indicator_of_the_picture_is_the_one_chosen() -> None:
    test = opened("indicators")
    assert pictures(test)[0]["description"].startswith("Quota credit: ")
    test.selectbox("indicator").set_value("registered_deals").run()
    (picture,) = pictures(test)
    outcomes = replicate(small(), TimePlan.status_quo(small()), cache.MARKETS, SEED)
    assert picture["description"].startswith("Registered deals: ")
    means = [row["mean"] for row in picture["layer"][0]["data"]["values"]]
    assert means == pytest.approx(outcomes["registered_deals"].mean(axis=0).tolist())


def test_what_is_entered_is_kept_survives_a_reload_and_is_told_where_it_is_not_as_planned(own_library: Path) -> None:
    test = opened("indicators")
    assert "Nothing was entered yet" in texts(test) and "this corrects it" not in texts(test)
    box(test, "Quota credit, US dollars").set_value(1.0)
    box(test, "Registered deals").set_value(0)
    box(test, "Partners win, of 100 deals that you would win").set_value(50.0)
    box(test, "Pine: registered deals").set_value(0)
    save(test)
    (file,) = (own_library / "actuals").glob("*.yaml")
    assert file.name == f"{small().digest()}-1.yaml"
    actuals = Actuals.load(file)
    (row,) = actuals.by_quarter
    assert (row.credit_usd, row.registered_deals, row.skill) == (1.0, 0, pytest.approx(0.25))
    again = opened("indicators")  # a new visit
    assert wrong(again) == []
    assert box(again, "Quota credit, US dollars").value == 1.0
    off = find_deviations(small(), TimePlan.status_quo(small()), actuals, SEED, FEW)
    said = texts(again).replace("\\", "")
    assert f"{len(off)} of 4 figures are outside" in said and "Q1 is saved; this corrects it." in said
    assert len(off) == 4 or len(off) == 3
    for one in off:
        assert indicators.deviation_sentence(one, small()) in said
    shown = {row[0]: row[-1] for row in tables(again)["Lagging: what happened, in Q1"][1:]}
    assert shown["quota credit"] == "$1 ▼ below" and shown["attainment"] == "0% ▼ below" and shown["wins, direct"] == ""
    actual = [picture for picture in pictures(again)[0]["layer"] if "actual" in str(picture["encoding"]["y"])]
    assert actual[0]["data"]["values"] == [{"q": 1, "actual": 1.0, "said": "$1", "where": "actual, outside"}]


def save(test: AppTest) -> None:
    (button,) = [button for button in test.button if button.label == "Save"]
    button.click().run()


def test_nothing_that_was_entered_is_overwritten(own_library: Path) -> None:
    test = opened("indicators", quarter="2")
    box(test, "Wins, direct").set_value(3)
    box(test, "Amount of all deals that are open after Q2, US dollars").set_value(5000.0)
    save(test)
    box(test, "Wins, direct").set_value(4)
    save(test)
    one, two = (Actuals.load(path) for path in sorted((own_library / "actuals").glob("*.yaml")))
    assert (one.by_quarter[1].direct_wins, two.by_quarter[1].direct_wins) == (3, 4)
    assert one.quarters == 2 and two.open_pipeline_usd == 5000.0  # Q1 is there, without figures
    test.selectbox("quarter").set_value(1).run()
    box(test, "Wins, direct").set_value(9)
    save(test)
    actuals = actuals_store.read_actuals(small())
    assert (
        actuals is not None
        and [row.direct_wins for row in actuals.by_quarter] == [9, 4]
        and actuals.open_pipeline_usd == 5000.0
    )


def test_what_was_not_changed_in_the_form_stays_to_the_last_digit() -> None:
    actuals_store.save_actuals(
        small(), Actuals.of({"by_quarter": [{"quarter": 1, "skill": 0.123456789, "credit_usd": 1234.56789}]})
    )
    test = opened("indicators")
    box(test, "Wins, direct").set_value(2)
    save(test)
    actuals = actuals_store.read_actuals(small())
    assert actuals is not None and (actuals.by_quarter[0].skill, actuals.by_quarter[0].credit_usd) == (
        0.123456789,
        1234.56789,
    )


def test_an_empty_form_is_told_in_one_sentence(own_library: Path) -> None:
    test = opened("indicators", quarter="3")
    save(test)
    assert wrong(test) == ["Nothing is entered for Q3; enter one figure or more"]
    assert not (own_library / "actuals").exists()


def test_figures_that_are_taken_out_are_gone() -> None:
    actuals_store.save_actuals(small(), Actuals.of({"by_quarter": [{"quarter": 1, "direct_wins": 2}]}))
    test = opened("indicators")
    box(test, "Wins, direct").set_value(None)
    save(test)
    assert wrong(test) == [] and actuals_store.read_actuals(small()) is None


def test_the_last_quarter_is_held_against_the_plan_with_nothing_left_to_plan() -> None:
    actuals_store.save_actuals(
        small(), Actuals.of({"by_quarter": [{"quarter": q, "direct_wins": 2} for q in (1, 2, 3)]})
    )
    test = opened("indicators", quarter="4")
    assert not [box for box in test.number_input if "are open after" in box.label]
    box(test, "Wins, direct").set_value(500)
    save(test)
    assert wrong(test) == [] and "1 of 4 figures is outside" in texts(test) and "500" in texts(test)
    assert not [link for link in test.get("page_link") if link.proto.label == "Plan again from here"]
    there = page("find_plan", {"scenario": "small-territory", "actuals": "2"})
    (said,) = wrong(there)
    assert "4 quarters are past, and the horizon has 4; allowed: at most 3" in said


def upload(test: AppTest, text: str, name: str = "mine.yaml") -> AppTest:
    test.file_uploader[0].set_value((name, text.encode(), "application/yaml"))
    return test.run()


def test_a_file_is_taken_once_somebody_says_so() -> None:
    test = upload(opened("indicators"), "by_quarter: [{quarter: 1, direct_wins: 2, gone_cold: 1}]")
    assert (
        wrong(test) == []
        and "mine.yaml holds 2 figures of 1 quarter." in texts(test)
        and actuals_store.read_actuals(small()) is None
    )
    (use,) = [button for button in test.button if button.label == "Use it"]
    use.click().run()
    actuals = actuals_store.read_actuals(small())
    assert actuals is not None and actuals.by_quarter[0].gone_cold == 1
    assert "is what counts here" in " ".join(one.value for one in test.success)
    again = upload(opened("indicators"), "by_quarter: [{quarter: 1, direct_wins: 3}]")
    assert [one.label for one in again.button if one.label.startswith("Use")] == [
        "Use it in place of the 1 quarter entered"
    ]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("by_quarter: [", "mine.yaml: "),
        ("[1, 2]", "not what happened so far"),
        ("by_quarter: [{quarter: 1, wins: 2}]", "wins"),
        ("by_quarter: [{quarter: 1, direct_wins: -2}]", "direct_wins"),
        ("by_quarter: [{quarter: 2, direct_wins: 2}]", "without quarter 1"),
        ("by_quarter: [{quarter: 1}]", "no figure is given"),
        ("by_quarter: [{quarter: 1, partners: {Pin: {won_usd: 1}}}]", "Pine"),
        ("\x00\x01", "mine.yaml"),
    ],
)
def test_a_file_that_is_wrong_is_told_in_one_sentence(text: str, part: str, own_library: Path) -> None:
    test = upload(opened("indicators"), text)
    (said,) = wrong(test)
    assert part in said and "Traceback" not in said and "\n" not in said and len(said) < 500
    assert not (own_library / "actuals").exists()
    assert tables(test)


def test_from_what_was_entered_one_plans_again(at_once: AtOnce) -> None:
    for wins in (2, 3):
        actuals_store.save_actuals(small(), Actuals.of({"by_quarter": [{"quarter": 1, "direct_wins": wins}]}))
    test = opened("indicators", plan="with Pine", seed="12", jobs=at_once)
    (link,) = [link for link in test.get("page_link") if link.proto.label == "Plan again from here"]
    says = parse_qs(link.proto.query_string)
    assert says == {"scenario": ["small-territory"], "seed": ["12"], "so_far": ["with Pine"], "actuals": ["2"]}
    there = page("find_plan", says, jobs=at_once)
    assert wrong(there) == [] and there.selectbox(key="so_far").value == "with Pine"
    assert "again from Q2, after with Pine and what was seen of it" in texts(there)


def test_a_kept_file_that_somebody_broke_is_told_and_the_rest_shown(own_library: Path) -> None:
    number = actuals_store.save_actuals(small(), Actuals.of({"by_quarter": [{"quarter": 1, "direct_wins": 2}]}))
    actuals_store.versions(small())[number].write_text("by_quarter: [")
    test = opened("indicators")
    (said,) = wrong(test)
    assert said.startswith("What was entered cannot be used: ") and tables(test)


def test_two_that_save_at_once_get_two_files(own_library: Path) -> None:
    actuals = Actuals.of({"by_quarter": [{"quarter": 1, "direct_wins": 2}]})
    (own_library / "actuals").mkdir()
    (own_library / "actuals" / f"{small().digest()}-1.yaml").touch()  # another is about to write it
    assert actuals_store.save_actuals(small(), actuals) == 2
    (own_library / "actuals" / f"{small().digest()}-1.yaml").unlink()  # an old one; the next must count all the same
    assert actuals_store.save_actuals(small(), actuals) == 3
    with pytest.raises(PlanError, match="Pine"):
        actuals_store.save_actuals(
            small(), Actuals.of({"by_quarter": [{"quarter": 1, "partners": {"Pin": {"won_usd": 1}}}]})
        )


def test_what_a_manager_enters_of_a_level_comes_back_as_it_was() -> None:
    indicator = Indicator.of("engagement", small())
    assert indicator.on_screen(0.49) == pytest.approx(70) and indicator.from_screen(70) == pytest.approx(0.49)
    assert Indicator.of("registered_deals", small()).on_screen(7.0) == 7.0


# Several territories


def test_the_territories_together_are_those_of_the_roll_up() -> None:
    other = small(
        name="other",
        partners=[
            partner("Pine", base_share={"large": 0.2}),
            partner("Fir", label="achiever", base_share={"small": 0.2}),
        ],
    )
    scenario_id = library.save_document(other, "scenarios")
    test = opened("together", territories=[scenario_id])
    assert wrong(test) == []
    together = roll_up([small(), other], SEED, effort=FEW)
    assert f"nobody sees {together.total.leaked.value:,.0f} of {together.total.opportunities.value:,.0f}" in texts(test)
    assert (FEW.coverage_markets, FEW.results_markets) == (30, 50)
    assert "Means over simulated markets of each territory: 30 for opportunities, 50 for quota credit." in texts(test)
    rows = tables(test)["Market map over 4 quarters"][1:]
    assert [row[0] for row in rows] == [*together.by_segment, "All segments"]
    assert rows[-1][-1].startswith(usd(together.total.gap_usd.value))
    assert [row[0] for row in tables(test)["By territory"][1:]] == ["small territory", "other", "All territories"]
    partners = tables(test)["Partners, each once"][1:]
    assert [row[0].removesuffix(" (candidate)") for row in partners] == [one.name for one in together.partners]
    assert sum(row[0] == "Pine" for row in partners) == 1


def test_of_many_partners_the_sentence_names_a_few_and_the_table_all() -> None:
    names = [f"Partner {number}" for number in range(1, 31)]
    test = opened("partners", small(partners=[partner(name, base_share={"small": 0.01}) for name in names]))
    assert wrong(test) == []
    said = re.search(r'class="nh-said">(.*?)</p>', "".join(block.proto.body for block in test.get("html")))
    assert said is not None and len(said[1]) < 200
    assert re.search(r"Partner 1, Partner 2, .* and \d+ more", said[1])
    (rows,) = (rows for caption, rows in tables(test).items() if caption.startswith("Treatment under"))
    assert {row[0].removesuffix(" (candidate)") for row in rows[1:]} == {*names, "Cypress"}


def test_a_territory_more_moves_the_total_and_alone_it_is_the_market_map() -> None:
    scenario_id = library.save_document(small(name="other"), "scenarios")
    test = opened("together")
    alone = tables(test)["Market map over 4 quarters"][1:]
    on_map = tables(opened())["Market map over 4 quarters"][1:]
    assert [row[-1].split(" ±")[0] for row in alone[:2]] == [row[-1] for row in on_map]
    test.multiselect("territories").set_value([scenario_id]).run()
    together = tables(test)["Market map over 4 quarters"][1:]
    assert "2 territories" in texts(test) and together[-1][1] != alone[-1][1]
    assert test.query_params["territories"] == scenario_id


def test_territories_that_cannot_be_added_up_are_told_in_one_sentence() -> None:
    scenario_id = library.save_document(small(name="longer", horizon_quarters=5), "scenarios")
    (said,) = wrong(opened("together", territories=[scenario_id]))
    assert "horizon_quarters is 4" in said


# Pictures


def test_every_picture_has_words_and_its_data_and_every_colour_a_second_cue() -> None:
    bars = [territory_charts.SegmentBar("a", when, 100.0, 0.5, 0.2, 0.3) for when in ("today", "with the plan")]
    market = territory_charts.market_map_bars(bars, "title")
    assert market["description"] == "title" and "data" not in market
    assert all("data" in layer for layer in market["layer"])
    encoding = market["layer"][0]["encoding"]
    assert encoding["fill"]["scale"]["domain"] == encoding["strokeDash"]["scale"]["domain"]
    ends = [(row["from"], row["to"]) for row in market["layer"][0]["data"]["values"][:3]]
    assert np.allclose(ends, [(0, 50), (50, 70), (70, 100)])
    points = [{"partner": "P", "treatment": "Limit", "brings": 50.0, "credit": 3.0, "low": 2.0, "high": 4.0}]
    for layer in territory_charts.partner_grid(points, (50.0, 3.0), "t")["layer"]:
        if layer["mark"]["type"] == "point":
            assert layer["encoding"]["shape"]["field"] == layer["encoding"]["color"]["field"] == "treatment"
    assert len({shape for _, shape in territory_charts.TREATMENT_LOOKS.values()}) == 5


def test_names_in_the_grid_do_not_cover_each_other() -> None:
    points = [
        {"partner": f"P{i}", "treatment": "Limit", "brings": 50.0, "credit": 0.5, "low": 0.4, "high": 10.0}
        for i in range(6)
    ]
    layers = territory_charts.partner_grid(points, (50.0, 0.5), "t")["layer"]
    heights = sorted(
        row["at"] for layer in layers if layer["mark"]["type"] == "text" for row in layer["data"]["values"]
    )
    assert min(np.diff(heights)) >= territory_charts.LINE * 11.5 - 1e-9 and heights[0] >= 0 and len(heights) == 6


def test_a_bar_without_worth_has_no_length_and_no_number() -> None:
    (first, *_) = territory_charts.market_map_bars([territory_charts.SegmentBar("a", "today", 0.0, 0, 0, 1.0)], "t")[
        "layer"
    ]
    assert [(row["from"], row["to"]) for row in first["data"]["values"]] == [(0, 0)] * 3
