"""The page Find a plan, without a browser.

Claims: nothing is searched until somebody asks; every control moves the argument of the planner that it names; a link
brings a wish back, and its result; limits that clash are told in their sentence, and the form stays; the certificate is
said as in the terminal; a plan that is saved is found in Compare and in the Lab; files reopen.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import icalendar
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from nexthour.app import job_status
from nexthour.app.charts import plan as plan_charts
from nexthour.app.pages import find_plan as sheet_view
from nexthour.app.sections import frontier as frontier_view
from nexthour.app.sections import plan_form
from nexthour.app.state import actuals_store, cache, library
from nexthour.jobs import Job, Jobs
from nexthour.report import plan as plan_report
from nexthour.report.text import CAVEAT
from optimize import (
    Actuals,
    Answer,
    Explanation,
    Frontier,
    PlanRequest,
    Solution,
    explain,
    frontier,
    optimize_plan,
)
from optimize.monday.sheet import monday_sheet, uses
from sim import Scenario, TimePlan
from tests.helpers import candidate, partner, segment, territory
from tests.nexthour.app.pages import AtOnce, labels, metrics, page, press, tables, texts, wrong

NASTY = "<b>x</b> \"q\" 'q' [l](u) :red[z] $a$ `c` 🦄"


def small(**changes: Any) -> Scenario:
    """Planned in some seconds."""
    usual: dict[str, Any] = {
        "name": "small",
        "market_map": [segment(opportunities_per_quarter=6, inbound_share=0.3, prospecting_yield=0.3)],
        "partners": [partner(), partner("Thorn", label="deceiver", base_share={})],
        "candidates": [candidate(base_share={})],
    }
    return territory(**{**usual, **changes})


@pytest.fixture(autouse=True)
def own_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NEXTHOUR_LIBRARY", str(tmp_path))
    monkeypatch.setattr(cache, "MARKETS", 200)
    monkeypatch.setattr(cache, "FEW_WORLDS", 5)
    return tmp_path


@pytest.fixture(scope="module", autouse=True)
def no_caches_left() -> Iterator[None]:
    yield
    st.cache_resource.clear()


@pytest.fixture(scope="module")
def solution() -> Solution:
    return optimize_plan(small(), early_floor=0.01)


@pytest.fixture(scope="module")
def answer(solution: Solution) -> Answer:
    return solution.answer


@pytest.fixture(scope="module")
def reasons(solution: Solution) -> Explanation:
    return explain(solution)


@pytest.fixture(scope="module")
def drawn() -> Frontier:
    return frontier(small(), 3)


@pytest.fixture
def found(request: pytest.FixtureRequest) -> AtOnce:
    made = {"plan": "answer", "frontier": "drawn", "reasons": "reasons"}
    return AtOnce(lambda task: request.getfixturevalue(made[task.kind]))


@pytest.fixture
def small_id() -> str:
    return library.save_document(small(), "scenarios")


def asking(scenario: Scenario | None = None, **given: Any) -> dict[str, Any]:
    """The arguments of a job for a plan that is asked for."""
    return {"request": PlanRequest.of(small() if scenario is None else scenario, {"seed": 7, **given})}


def find(test: AppTest) -> AppTest:
    return press(test, "Find the plan")


# What is asked


def test_nothing_is_searched_until_somebody_asks(found: AtOnce) -> None:
    test = page("find_plan", jobs=found)
    assert wrong(test) == [] and found.asked == []
    assert "Find the plan" in labels(test) and CAVEAT in html.unescape(texts(test))
    assert not metrics(test)
    test = find(test)
    assert found.asked == [("plan", asking())]


def test_a_link_that_makes_no_sense_is_told_in_one_sentence_a_thing(found: AtOnce, small_id: str) -> None:
    says = {"scenario": small_id, "objective": "quota", "least": "200", "lock": "coach:Pina=2", "floors": "Q9",
            "actuals": "none here", "colour": "red"}  # fmt: skip
    said = wrong(page("find_plan", says, jobs=found))
    assert len(said) == len(says) - 1
    assert sum("'coach:Pina=2'" in sentence and "unknown target 'Pina'" in sentence for sentence in said) == 1
    assert found.asked == []


SET: dict[str, tuple[Callable[[AppTest], Any], dict[str, Any]]] = {
    "objective": (lambda t: t.selectbox(key="objective").set_value("net_bookings"), {"objective": "net_bookings"}),
    "after": (lambda t: t.slider(key="after").set_value(50), {"exit_weight": 0.5}),
    "discount": (lambda t: t.slider(key="discount").set_value(10), {"discount_rate": 0.1}),
    "early": (lambda t: t.number_input(key="early").set_value(80.0), {"early_floor": 0.8}),
    "early 0": (lambda t: t.number_input(key="early").set_value(0.0), {"early_floor": 0.0}),
    "least": (lambda t: t.slider(key="least").set_value(10), {"min_partner_share": 0.1}),
    "most": (lambda t: t.slider(key="most").set_value(0), {"max_partner_share": 0.0}),
    "change": (lambda t: t.number_input(key="change").set_value(0.0), {"largest_change_hours": 0.0}),
    "recruit": (lambda t: t.radio(key="recruit").set_value("no"), {"recruit": False}),
    "only": (lambda t: t.multiselect(key="only").set_value(["Thorn"]), {"only_partners": ["Thorn"]}),
    "fix only": (lambda t: t.selectbox(key="fix only").set_value("direct"), {"coverage_mode": {"only": "direct"}}),
    "floors": (lambda t: t.multiselect(key="floors").set_value(["Q2"]), {"floors": {2: 0.9}}),
}


@pytest.mark.parametrize("control", SET)
def test_every_control_moves_the_argument_it_names_and_the_link_says_it(
    found: AtOnce, small_id: str, control: str
) -> None:
    move, argument = SET[control]
    test = page("find_plan", {"scenario": small_id}, jobs=found)
    move(test).run()
    assert wrong(test) == [] and "Asked for: " in texts(test)
    says = dict(test.query_params)
    assert len(says) == 2, says
    find(test)
    assert found.asked == [("plan", asking(**argument))]
    again = page("find_plan", says, jobs=found)
    assert metrics(again), "a reload finds the same search"
    assert len(found.asked) == 1


def test_the_floor_of_a_quarter_has_its_own_number(found: AtOnce, small_id: str) -> None:
    test = page("find_plan", {"scenario": small_id, "floors": ["Q1", "Q3"], "floor Q3": "40"}, jobs=found)
    test.number_input(key="floor Q1").set_value(20).run()
    find(test)
    assert found.asked == [("plan", asking(floors={1: 0.2, 3: 0.4}))]


def test_hours_are_locked_and_unlocked(found: AtOnce, small_id: str) -> None:
    test = page("find_plan", {"scenario": small_id}, jobs=found)
    test.selectbox(key="lock what").set_value("coach").run()
    test.selectbox(key="lock whom").set_value("Thorn")
    test.number_input(key="lock hours").set_value(1.5)
    test.number_input(key="lock first").set_value(2)
    test.number_input(key="lock last").set_value(3)
    press(test, "Add this lock")
    assert wrong(test) == [] and "coaching Thorn locked at 1.5 hours from Q2 to Q3" in texts(test)
    assert test.query_params["lock"] == "coach:Thorn=1.5@2-3"
    test.selectbox(key="lock what").set_value("sell").run()
    press(test, "Add this lock")
    find(test)
    row = {"activity": "coach", "target": "Thorn", "hours_per_week": 1.5, "from_quarter": 2, "to_quarter": 3}
    other = {"activity": "sell", "hours_per_week": 1.5, "from_quarter": 2, "to_quarter": 3}
    assert found.asked == [("plan", asking(locks=[row, other]))]
    press(test, "Remove")
    find(test)
    assert found.asked[1] == ("plan", asking(locks=[other]))


def test_a_lock_that_makes_no_sense_is_told_and_the_others_stay(found: AtOnce, small_id: str) -> None:
    test = page("find_plan", {"scenario": small_id, "lock": "sell=20@1-4"}, jobs=found)
    test.number_input(key="lock first").set_value(3)
    test.number_input(key="lock last").set_value(2)
    press(test, "Add this lock")
    (said,) = wrong(test)
    assert "to_quarter 2 is before from_quarter 3" in said
    assert test.query_params["lock"] == "sell=20@1-4"


def test_limits_that_clash_are_told_at_once_and_the_form_stays(found: AtOnce, small_id: str) -> None:
    test = page("find_plan", {"scenario": small_id, "least": "60", "most": "40"}, jobs=found)
    (said,) = wrong(test)
    assert said.startswith("Least time with partners 0.6 is above most time with partners 0.4; allowed: ")
    assert next(button for button in test.button if button.label == "Find the plan").disabled
    assert (test.slider(key="least").value, test.slider(key="most").value) == (60, 40)
    test.slider(key="least").set_value(40).run()
    assert wrong(test) == []


def test_a_search_that_fails_says_why_and_can_be_begun_again(found: AtOnce, small_id: str) -> None:
    found.state, found.problem = "failed", "no plan keeps to all limits: drop one"
    test = find(page("find_plan", {"scenario": small_id, "early": "300"}, jobs=found))
    assert wrong(test) == ["No plan keeps to all limits: drop one"]
    assert test.number_input(key="early").value == 300 and "Find the plan" in labels(test)


# How it goes


def test_a_search_can_be_watched_and_cancelled(found: AtOnce, small_id: str) -> None:
    found.state = "running"
    test = find(page("find_plan", {"scenario": small_id}, jobs=found))
    job = found.made[-1]
    assert "Getting ready." in texts(test) and not metrics(test)
    job.says = "simulating and correcting, 2 of 4"
    assert "Simulating and correcting, 2 of 4." in texts(test.run())
    assert "Find the plan" not in labels(test)
    press(test, "Cancel")
    assert job.state == "cancelled" and "Find the plan" in labels(test) and wrong(test) == []


def test_a_search_with_other_limits_that_goes_on_can_be_cancelled(found: AtOnce, small_id: str) -> None:
    found.state = "running"
    test = find(page("find_plan", {"scenario": small_id}, jobs=found))
    job = found.made[-1]
    test.slider(key="most").set_value(50).run()
    assert "Another search of yours still goes on." in texts(test) and "Find the plan" in labels(test)
    press(test, "Cancel that one")
    assert job.state == "cancelled" and "Another search" not in texts(test)


def test_who_waits_is_told_for_how_many(found: AtOnce, small_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found.state = "running"
    find(page("find_plan", {"scenario": small_id}, jobs=found))
    job = found.made[-1]
    job.state = "waiting"
    monkeypatch.setattr(Job, "place", 1)
    assert job_status.progress_text(job) == "Waiting: 1 search is before it."
    monkeypatch.setattr(Job, "place", 2)
    assert job_status.progress_text(job) == "Waiting: 2 searches are before it."


def test_from_the_button_to_the_certificate(small_id: str) -> None:
    """With the worker that there is in truth."""
    with closing(Jobs()) as jobs:
        test = find(page("find_plan", {"scenario": small_id, "early": "1"}, jobs))
        job = jobs.known("plan", small(), request=PlanRequest(early_floor=0.01))
        assert job is not None and job.wait(300) and job.state == "done", job and job.problem
        test.run()
    assert wrong(test) == [] and metrics(test)
    test.segmented_control(key="show").set_value("good").run()
    for line in plan_report.certificate_lines(job.result):
        assert line[1:] in texts(test).replace("\\", "")


# What is found


@pytest.fixture
def shown(found: AtOnce, small_id: str) -> Callable[..., AppTest]:
    def shown_page(**says: str) -> AppTest:
        found.start("plan", small(), request=PlanRequest())
        return page("find_plan", {"scenario": small_id, **says}, jobs=found)

    return shown_page


def test_the_headline_is_the_certificates(shown: Callable[..., AppTest], answer: Answer) -> None:
    test, certificate = shown(), answer.certificate
    assert wrong(test) == []
    assert plan_report.difference(certificate) in html.unescape(texts(test))
    assert plan_report.totals(answer) in html.unescape(texts(test))
    assert metrics(test)[f"Against {certificate.against}"] == f"{certificate.difference_share.value:+.1%}"


def test_the_plan_is_a_picture_and_a_table(shown: Callable[..., AppTest], answer: Answer) -> None:
    test = shown()
    (rows,) = tables(test).values()
    assert rows[1:] == [
        [word.strip(), *map(plan_report.hours_cell, row)] for word, row in plan_report.hours_rows(answer)
    ]
    assert "Attainment by quarter under this plan" in texts(test)
    *changes, cost = plan_report.first_quarter_lines(answer)
    assert f"{cost[1:]}." in html.unescape(texts(test))
    for line in changes:
        kind, _, what = line.partition(": ")
        assert f"**{kind.capitalize()}:** {what}" in texts(test).replace("\\", "")


def test_reasons_are_searched_on_demand(shown: Callable[..., AppTest], found: AtOnce, reasons: Explanation,
                                        answer: Answer) -> None:  # fmt: skip
    test = shown(show="why")
    assert [kind for kind, _ in found.asked] == ["plan"]
    press(test, "Why this plan?")
    assert found.asked[1] == ("reasons", asking()) and wrong(test) == []
    for line in plan_report.reason_lines(answer, reasons):
        assert line[1:] in texts(test).replace("\\", "")


def test_the_frontier_is_drawn_on_demand_and_a_point_can_be_kept(
    shown: Callable[..., AppTest], found: AtOnce, drawn: Frontier
) -> None:
    test = shown(show="years")
    press(test, "Draw this year against the next")
    kind, arguments = found.asked[1]
    assert kind == "frontier" and arguments == {**asking(), "through": 4}
    assert wrong(test) == []
    names = [point.plan.name for point in drawn.points if point.proven]
    assert test.radio(key="point").options == [name.replace("frontier", "plan") for name in names]
    test.radio(key="point").set_value(names[-1]).run()
    assert test.query_params["point"] == names[-1]
    (rows,) = tables(test).values()
    assert [row[0] for row in rows[1:]] == [*test.radio(key="point").options, "status quo"]
    test.text_input[-1].set_value("Hasty")
    [button for button in test.button if button.label == "Save"][-1].click().run()
    assert wrong(test) == [] and library.plans_for(small())["Hasty"].hours == drawn.points[-1].plan.hours


def test_a_plan_of_some_quarters_goes_on_as_in_the_last() -> None:
    long, short = small(horizon_quarters=8), small()
    plan = TimePlan.from_table(short, [
        {"activity": "sell", "hours_per_week": 30, "from_quarter": 1, "to_quarter": 4},
        {"activity": "coach", "target": "Pine", "hours_per_week": 2, "from_quarter": 1, "to_quarter": 2},
    ], "short")  # fmt: skip
    extended = frontier_view.going_on(long, plan, 4)
    assert uses(long, extended, 8) == uses(short, plan, 4) and uses(long, extended, 2) == uses(short, plan, 2)
    assert frontier_view.going_on(short, plan, 4) == plan


def test_a_plan_that_is_saved_is_found_in_compare_and_in_the_lab(
    shown: Callable[..., AppTest], answer: Answer, small_id: str
) -> None:
    test = shown()
    test.text_input[0].set_value("Mine")
    press(test, "Save")
    assert wrong(test) == [] and [success.value.replace("\\", "") for success in test.success] == ["Saved as Mine."]
    assert "Save" not in labels(test), "it is saved, and a reload knows that"
    assert library.plans_for(small())["Mine"].hours == answer.plan.hours
    says = {link.proto.label: parse_qs(link.proto.query_string) for link in test.get("page_link")}
    assert says["See it in the Lab"]["plan"] == ["Mine"]
    compared = says["Compare it with the best constant split"]
    assert compared["a"] == compared["plan"] == ["Mine"], "the slide is of what was found"
    assert wrong(page("compare", {"scenario": small_id, "a": "Mine", "c": "none"})) == []
    lab = page("lab", {"scenario": small_id, "plan": "Mine"})
    assert wrong(lab) == [] and not lab.slider and "Hours a week under Mine" in texts(lab)
    press(lab, "Begin a split of your own")
    assert wrong(lab) == [] and lab.slider(key="share").value == 20 and "plan" not in lab.query_params


@pytest.mark.parametrize(("name", "says"), [(" ", "A plan needs a name"), ("status quo", "is the name of a plan")])
def test_a_name_that_will_not_do_is_told(shown: Callable[..., AppTest], name: str, says: str) -> None:
    test = shown()
    test.text_input[0].set_value(name)
    press(test, "Save")
    (said,) = wrong(test)
    assert says in said and metrics(test)


def test_files_reopen(
    shown: Callable[..., AppTest], answer: Answer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files: dict[str, bytes] = {}

    def kept(label: str, data: Any, *, file_name: str, **_: Any) -> None:
        files[Path(file_name).suffix] = data if isinstance(data, bytes) else data.encode()

    monkeypatch.setattr(st, "download_button", kept)
    test = shown(show="monday", quarter="2")
    assert wrong(test) == []
    (tmp_path / "plan.yaml").write_bytes(files[".yaml"])
    assert TimePlan.load(tmp_path / "plan.yaml").hours == answer.plan.hours
    calendar = icalendar.Calendar.from_ical(files[".ics"])
    sheet = monday_sheet(answer.scenario, answer.plan, 2)
    assert len(calendar.walk("VEVENT")) == sum(bool(sheet.days(block)) for block in sheet.blocks)
    assert not any(word in files[".ics"].decode().lower() for word in ("achiever", "believer", "deceiver"))
    (heads, *rows) = tables(test)["Territory manager, Q2"]
    assert heads == ["Day", "At", "What", "How often"]
    assert len(rows) == sum(block.activity != "sell" for block in sheet.blocks) > 0
    assert "<td>" not in sheet_view.blocks_table(sheet, "channel_account_manager", "nobody")


# Planning again


def test_planning_again_in_the_middle(found: AtOnce, small_id: str) -> None:
    test = page("find_plan", {"scenario": small_id}, jobs=found)
    test.number_input(key="from").set_value(2).run()
    assert wrong(test) == []
    find(test)
    assert found.asked == [("plan", asking(from_quarter=2, followed=TimePlan.status_quo(small())))]


def test_what_was_seen_on_territory_is_what_is_planned_from(found: AtOnce, small_id: str) -> None:
    actuals = [Actuals.of({"by_quarter": [{"quarter": 1, "credit_usd": usd}]}) for usd in (5000, 6000)]
    for actual in actuals:
        actuals_store.save_actuals(small(), actual)
    actuals_store.save_actuals(small(name="another"), actuals[0])
    test = page("find_plan", {"scenario": small_id, "actuals": "1"}, jobs=found)
    assert wrong(test) == []
    assert test.selectbox(key="actuals").options == [
        "nothing yet", "as entered before, version 1 of 2", "as entered last",
    ]  # fmt: skip
    find(test)
    assert found.asked == [("plan", asking(actuals=actuals[0], followed=TimePlan.status_quo(small())))]
    assert "again from Q2, after the status quo and what was seen of it" in texts(test)
    test.selectbox(key="actuals").set_value("2").run()
    find(test)
    assert found.asked[1] == ("plan", asking(actuals=actuals[1], followed=TimePlan.status_quo(small())))
    test.multiselect(key="floors").set_value(["Q1"]).run()
    (said,) = wrong(test)
    assert "quarter 1 is over" in said
    actuals_store.versions(small())[2].write_text("by_quarter: []")
    (said,) = wrong(page("find_plan", {"scenario": small_id, "actuals": "2"}, jobs=found))
    assert "by_quarter is empty" in said
    (said,) = wrong(page("find_plan", {"scenario": small_id, "actuals": "9"}, jobs=found))
    assert said == "The link says actuals is '9'; allowed: none, 1, 2."


def test_a_file_of_what_was_seen_is_kept_as_the_latest(found: AtOnce, small_id: str) -> None:
    actuals_store.save_actuals(small(), Actuals.of({"by_quarter": [{"quarter": 1, "credit_usd": 5000}]}))
    test = page("find_plan", {"scenario": small_id}, jobs=found)
    test.file_uploader(key="actuals file").upload("q.yaml", b"by_quarter: [{quarter: 1, credit_usd: 7000}]").run()
    assert wrong(test) == [] and test.selectbox(key="actuals").value == "2"
    assert actuals_store.read_actuals(small()) == Actuals.of({"by_quarter": [{"quarter": 1, "credit_usd": 7000}]})
    test.file_uploader(key="actuals file").upload("q.yaml", b"by_quarter: [{quarter: 1, credit: 7000}]").run()
    (said,) = wrong(test)
    assert "q.yaml" in said and actuals_store.latest(small()) == 2


def test_names_from_anybody_do_no_harm(found: AtOnce, answer: Answer) -> None:
    scenario = small(
        name=NASTY, question=NASTY, candidates=[], market_map=[segment(NASTY, opportunities_per_quarter=6)],
        partners=[partner(NASTY, base_share={NASTY: 0.5})],
    )  # fmt: skip
    plan = TimePlan.constant(scenario, 0.2, name=NASTY)
    found_answer = Answer(scenario, 7, plan, answer.certificate, 1, None, (), "")
    found.make = lambda task: found_answer
    found.start("plan", scenario, request=PlanRequest())
    for part in ("plan", "monday"):
        test = page("find_plan", {"scenario": library.save_document(scenario, "scenarios"), "show": part}, jobs=found)
        assert wrong(test) == []
        for block in test.get("html"):
            assert "<b>x</b>" not in block.proto.body
        for markdown in test.markdown:
            assert NASTY not in markdown.value
        assert tables(test)


# Pictures


def test_pictures_carry_their_data_and_a_description(drawn: Frontier, answer: Answer) -> None:
    points = [(point.plan.name, point.attainment, point.exit_usd) for point in (*drawn.points, drawn.status_quo)]
    points_spec = plan_charts.frontier_points(points, "status quo", "frontier 2", "title")
    rows = points_spec["layer"][0]["data"]["values"]
    assert [row["kind"] for row in rows] == ["a plan", "the chosen plan", "a plan", "today"]
    assert rows[0]["attained"] == drawn.points[0].attainment.value
    bars = plan_charts.attainment_bars(answer.certificate.attainment_by_quarter, "it")
    worth = plan_charts.hour_value_bars([1.0, 2.0, 3.0], 2)
    assert [row["q"] for row in worth["layer"][0]["data"]["values"]] == [2, 3]
    for spec in (points_spec, bars, worth):
        assert spec["description"] and "data" not in spec and spec["$schema"].endswith("/vega-lite/v6.json")


def test_the_same_wish_is_the_same_search() -> None:
    field = plan_form.optional("early", 0, 1000)
    assert field.write(None) == [] and field.parse(field.write(12.5)) == 12.5
