"""The Monday sheet: a quarter of a plan becomes blocks that a calendar can hold and that add up to the plan.

Claims: hours that are eighths come out exactly, others within what the sheet says; a block is half hours, never
overlaps another of the same person, lies in the working day, and none is in a week off; a partner has one
weekday; weeks are level; the calendar file has the same blocks, and is the same file every time.
"""

from __future__ import annotations

import datetime
import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import icalendar
import numpy as np
import pytest
import recurring_ical_events
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from nexthour.report.plan import change_lines
from nexthour.terminal.main import app
from nexthour.terminal.monday import print_sheet
from optimize.monday.diary import (
    BREAK_MINUTES,
    DAY_BEGINS,
    EVERY_WEEKS,
    HALF_HOUR,
    WEEKDAYS,
    WEEKS,
    Block,
    day_length,
    sittings,
)
from optimize.monday.ics import calendar_text, write_calendar
from optimize.monday.sheet import MondaySheet, changes, monday_sheet
from sim import PlanError, Scenario, TimePlan, load_scenario, save_scenario
from sim.plan import ACTIVITY_WORDS
from sim.terms import PARTNER_SEGMENTS
from tests import BASELINE
from tests.helpers import candidate, partner, plan_of, rows, segment, territory
from tests.strategies import plans, scenarios

pytestmark = pytest.mark.generated

SHORT = {"horizon_quarters": 4, "market_map": [segment("only"), segment("web")]}
PARTNERS = [partner("Pine", base_share={"only": 0.3}), partner("Oak", base_share={"only": 0.3}), partner("Thorn")]
PARTNERS[2] = {**PARTNERS[2], "label": "deceiver", "base_share": {"web": 0.2}}
KEPT = ("UID", "DTSTART")
USES = [
    *itertools.product(("coach", "joint_plan", "co_sell", "sell_for", "socialise"), ("Pine", "Oak", "Thorn")),
    ("recruit", "Cypress"),
    ("prospect", "only"),
    ("prospect", "web"),
]


def here(**changes: Any) -> Scenario:
    """Three partners, a candidate, two segments, 40 hours a week."""
    return territory(**{**SHORT, "partners": PARTNERS, "candidates": [candidate(base_share={"only": 0.1})], **changes})


def week_of(block: Block) -> set[tuple[int, str, int]]:
    """(week of four, weekday, half hour of the day) that a block takes."""
    begins = block.start.hour * 60 + block.start.minute
    slots = range(begins // HALF_HOUR, (begins + block.minutes) // HALF_HOUR)
    weeks = range(block.first_week - 1, WEEKS, block.every_weeks)
    return {(week, block.weekday, slot) for week in weeks for slot in slots}


def check(sheet: MondaySheet) -> None:
    """What is true of every sheet."""
    for who, hours in (
        ("territory_manager", sheet.scenario.territory_manager.hours_per_week),
        ("channel_account_manager", getattr(sheet.scenario.channel_account_manager, "hours_per_week", 0.0)),
    ):
        blocks = [block for block in sheet.blocks if block.who == who]
        taken = Counter(cell for block in blocks for cell in week_of(block))
        assert not taken or max(taken.values()) == 1, "two blocks at the same time"
        last = DAY_BEGINS.hour * 60 + BREAK_MINUTES + day_length(hours) * HALF_HOUR
        for block in blocks:
            begins = block.start.hour * 60 + block.start.minute
            assert block.minutes >= 30 and block.minutes % 30 == 0 and begins % 30 == 0
            assert block.every_weeks in EVERY_WEEKS and 1 <= block.first_week <= block.every_weeks
            assert DAY_BEGINS.hour * 60 <= begins and begins + block.minutes <= last
            assert begins + block.minutes <= 12 * 60 or begins >= 13 * 60, "over the break"
    first = sheet.first_day
    for block in sheet.blocks:
        for day in sheet.days(block):
            assert WEEKDAYS[day.weekday()] == block.weekday
            assert (day - first).days // 7 + 1 not in sheet.weeks_off and 0 <= (day - first).days < 13 * 7


def events(text: bytes) -> list[Any]:
    return list(icalendar.Calendar.from_ical(text).walk("VEVENT"))


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], prog_name="nexthour", env={"COLUMNS": "80"})


def sentence(result: Result) -> str:
    """The one line of an error."""
    assert result.exit_code in (1, 2) and "Traceback" not in result.output
    (line,) = result.stderr.splitlines()
    return line


# Cadence


@given(st.integers(1, 600))
def test_sittings_add_up(half_hours: int) -> None:
    made = sittings(half_hours)
    assert sum(long * WEEKS // every for long, every in made) == half_hours
    assert all(1 <= long <= 6 and every in EVERY_WEEKS for long, every in made)
    # None is shorter than an hour while a rarer one could be longer.
    assert all(long >= 2 for long, every in made if every < WEEKS)


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        (0.125, ["30 min every fourth"]),
        (0.25, ["1 h every fourth"]),
        (0.375, ["1.5 h every fourth"]),
        (0.5, ["1 h every other"]),
        (0.75, ["1.5 h every other"]),
        (1, ["1 h every"]),
        (1.25, ["1 h every", "1 h every fourth"]),
        (3, ["3 h every"]),
        (5, ["2.5 h every", "2.5 h every"]),
    ],
)
def test_cadences_in_words(hours: float, said: list[str]) -> None:
    sheet = monday_sheet(here(), plan_of(here(), ("coach", "Pine", hours)))
    assert sorted(block.cadence.rsplit(" ", 1)[0] for block in sheet.blocks) == said
    assert all(block.says == f"Pine: coaching, {block.cadence}" for block in sheet.blocks)
    assert all(block.cadence.endswith(block.weekday) and block.weekday in WEEKDAYS for block in sheet.blocks)


def test_a_partner_has_one_day_and_coaching_goes_before_joint_planning() -> None:
    hours = [(activity, name, 0.5) for name in ("Pine", "Oak") for activity in ("joint_plan", "coach")]
    sheet = monday_sheet(here(), plan_of(here(), *hours))
    for name in ("Pine", "Oak"):
        coach, planning = sorted((b for b in sheet.blocks if b.target == name), key=lambda b: b.start)
        assert (coach.activity, planning.activity) == ("coach", "joint_plan") and coach.end == planning.start
        assert (coach.weekday, coach.first_week) == (planning.weekday, planning.first_week)
    first = {block.target: block.first_week for block in sheet.blocks}
    assert sorted(first.values()) == [1, 2], "both in the same fortnight"


def test_a_second_visit_is_on_the_day_that_the_partner_knows() -> None:
    hours = [("coach", "Pine", 1.5), ("joint_plan", "Pine", 0.75), ("socialise", "Pine", 0.375)]
    sheet = monday_sheet(here(), plan_of(here(), *hours))
    assert len({block.weekday for block in sheet.blocks}) == 1
    assert max(Counter(week for block in sheet.blocks for week, _, _ in week_of(block)).values()) == 6


def test_long_sittings_are_on_several_days() -> None:
    sheet = monday_sheet(here(), plan_of(here(), ("coach", "Pine", 8.0)))
    assert [b.minutes for b in sheet.blocks] == [180, 150, 150]
    assert len({b.weekday for b in sheet.blocks}) == 3


# Adding up


@st.composite
def quarter_hours(draw: Any) -> dict[tuple[str, str], float]:
    """Hours a week by use, in quarters of an hour, together 40 at the most."""
    hours, left = {}, 160
    for use in draw(st.lists(st.sampled_from(USES), unique=True, max_size=len(USES))):
        quarters = draw(st.integers(0, min(left, 24)))
        left -= quarters
        hours[use] = quarters / 4
    return hours


@settings(max_examples=60, deadline=None)
@given(quarter_hours(), st.sampled_from([0.0, 0.5, 1.0]))
@example({use: 2.25 for use in USES[:17]}, 1.0)
@example({use: 0.25 for use in USES}, 1.0)
def test_blocks_add_up_to_the_plan(hours: dict[tuple[str, str], float], selling: float) -> None:
    rest = (40 - sum(hours.values())) * selling // 0.125 * 0.125
    scenario = here()
    planned = [(*use, a_week) for use, a_week in hours.items()]
    sheet = monday_sheet(scenario, plan_of(scenario, *planned, ("sell", None, rest)), quarter=2)
    check(sheet)
    for line in sheet.lines:
        assert line.in_blocks == line.planned, line.use
    assert sheet.hours_off() == 0
    assert {line.use: line.planned for line in sheet.lines if line.use[0] != "sell"} == {
        use: a_week for use, a_week in hours.items() if a_week
    }


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_plan_of_any_scenario_has_a_sheet(data: st.DataObject) -> None:
    scenario = data.draw(scenarios())
    plan = data.draw(plans(scenario))
    for quarter in (1, scenario.horizon_quarters):
        sheet = monday_sheet(scenario, plan, quarter)
        check(sheet)
        # The total to a sixteenth, and each use to an eighth: a sixteenth of rounding, more if selling cannot make up.
        for who in ("territory_manager", "channel_account_manager"):
            assert abs(sheet.hours_off(who)) <= 1 / 16 + 1e-6
        for line in sheet.lines:
            assert line.use[0] == "sell" or abs(line.planned - line.in_blocks) <= 1 / 8 + 1e-9


def test_weeks_are_level_and_lonely_half_hours_stay_free() -> None:
    scenario = here()
    hours = [("coach", "Pine", 1.25), ("coach", "Oak", 0.5), ("joint_plan", "Thorn", 0.25), ("prospect", "web", 2.5)]
    sheet = monday_sheet(scenario, plan_of(scenario, *hours, ("sell", None, 30.0)))
    by_week = Counter(week for block in sheet.blocks for week, _, _ in week_of(block))
    assert max(by_week.values()) - min(by_week.values()) <= 1
    assert min(block.minutes for block in sheet.blocks) >= 60


@pytest.mark.parametrize(("selling", "spread"), [(10.0, 1), (10.25, 0), (32.75, 0)])
def test_selling_levels_the_weeks(selling: float, spread: int) -> None:
    sheet = monday_sheet(here(), plan_of(here(), ("coach", "Pine", 0.25), ("sell", None, selling)))
    by_week = Counter(week for block in sheet.blocks for week, _, _ in week_of(block))
    assert max(by_week.values()) - min(by_week.values()) == spread


def test_a_half_hour_over_in_two_of_four_weeks_is_every_other_week() -> None:
    sheet = monday_sheet(here(), plan_of(here(), ("sell", None, 32.25)))
    assert max(block.every_weeks for block in sheet.blocks) == 2


def test_a_lonely_half_hour_is_left_free() -> None:
    hours = [("coach", "Pine", 2.5), ("sell", None, 26.0)]
    sheet = monday_sheet(here(), plan_of(here(), *hours))
    assert min(block.minutes for block in sheet.blocks) > 30 and sheet.hours_off() == 0


def test_selling_takes_up_what_rounding_leaves() -> None:
    scenario = here()
    hours = [("coach", name, 0.30) for name in ("Pine", "Oak", "Thorn")]
    sheet = monday_sheet(scenario, plan_of(scenario, *hours, ("sell", None, 20.05)))
    by_use = {line.use: line.in_blocks for line in sheet.lines}
    assert by_use["coach", "Pine"] == 0.25 and by_use["sell", None] == 20.25
    assert sheet.hours_off() == -0.05
    assert any("holds 0.05 h a week more than the plan" in note for note in sheet.notes)


def test_without_selling_what_was_rounded_most_makes_up_for_it() -> None:
    for hours, blocks, off in ((0.19, [0.125, 0.25, 0.25], -0.055), (0.17, [0.25, 0.125, 0.125], 0.01)):
        sheet = monday_sheet(here(), plan_of(here(), *(("coach", name, hours) for name in ("Pine", "Oak", "Thorn"))))
        assert [line.in_blocks for line in sheet.lines] == blocks and sheet.hours_off() == pytest.approx(off)


def test_hours_too_small_for_a_block_are_named() -> None:
    sheet = monday_sheet(here(), plan_of(here(), ("coach", "Pine", 0.05), ("sell", None, 10.0)))
    assert [block.activity for block in sheet.blocks if block.activity != "sell"] == []
    assert "Planned, but without a block: Pine: coaching, 0.05 h a week." in sheet.notes


@pytest.mark.parametrize("week", [3.0, 20.0, 60.0])
def test_days_are_as_long_as_the_week_needs(week: float) -> None:
    scenario = here(territory_manager={"hours_per_week": week})
    sheet = monday_sheet(scenario, plan_of(scenario, ("coach", "Pine", 1.0), ("sell", None, week - 1.0)))
    check(sheet)
    assert sheet.hours_off() == 0


def test_what_no_day_holds_is_said() -> None:
    scenario = here(territory_manager={"hours_per_week": 100})
    sheet = monday_sheet(scenario, plan_of(scenario, ("coach", "Pine", 1.0), ("sell", None, 99.0)))
    check(sheet)
    assert sheet.hours_off() == 30
    assert any("30.00 h a week less than the plan" in note and "full at midnight" in note for note in sheet.notes)


def test_an_account_manager_of_a_thousand_hours_fills_the_days_and_no_more() -> None:
    scenario = here(channel_account_manager={"hours_per_week": 1000, "factor": 1.0})
    hours = [
        {"activity": "coach", "target": name, "hours_per_week": 330.0, "who": "channel_account_manager"}
        for name in ("Pine", "Oak", "Thorn")
    ]
    sheet = monday_sheet(scenario, TimePlan.from_table(scenario, hours, "much"))
    check(sheet)
    assert sheet.hours_off("channel_account_manager") == 990 - 70
    assert any("Thorn: coaching, 330.00 h a week" in note for note in sheet.notes)


def test_weeks_off_have_no_blocks_in_any_year() -> None:
    scenario = here(horizon_quarters=8, calendar={"weeks_off": [2, 15]})
    plan = plan_of(scenario, ("coach", "Pine", 1.0), ("sell", None, 20.0))
    for quarter, off in ((1, (2,)), (2, (2,)), (3, ()), (5, (2,)), (6, (2,))):
        sheet = monday_sheet(scenario, plan, quarter)
        check(sheet)
        assert sheet.weeks_off == off
        assert sheet.first_day == datetime.date(2026, 1, 5) + datetime.timedelta(days=91 * (quarter - 1))
        assert len(sheet.days(next(b for b in sheet.blocks if b.activity == "coach"))) == 13 - len(off)


def test_a_quarter_that_begins_on_a_wednesday_stays_in_its_weeks() -> None:
    scenario = here(calendar={"first_day": datetime.date(2026, 7, 1), "weeks_off": [1]})
    sheet = monday_sheet(scenario, plan_of(scenario, ("sell", None, 40.0)))
    check(sheet)
    days = {day for block in sheet.blocks for day in sheet.days(block)}
    assert min(days) == datetime.date(2026, 7, 8) and max(days) == datetime.date(2026, 9, 29)
    assert len(days) == 12 * 5


def test_notes_say_what_is_not_there() -> None:
    traits = {
        name: {**kind, "reactive_support_hours": 0.5} for name, kind in here().model_dump()["partner_segments"].items()
    }
    scenario = here(partner_segments=traits, calendar={"weeks_off": [5]})
    hours = [("coach", "Cypress", 1.0), ("coach", "Pine", 1.0)]
    plan = plan_of(scenario, *hours, parked=[{"partner": "Thorn"}], discipline=0.5)
    support, off, later, kept = monday_sheet(scenario, plan).notes
    assert "reactive support, about 1.0 h a week (Pine, Oak)" in support
    assert "week 5 (from 2 Feb 2026)" in off and later.endswith(": Cypress.") and "50%" in kept


# The calendar file


@pytest.fixture(scope="module")
def sheet() -> MondaySheet:
    scenario = here(
        calendar={"weeks_off": [1, 7]},
        channel_account_manager={"hours_per_week": 8, "factor": 1.0},
    )
    managed = {
        "activity": "coach",
        "target": "Pine",
        "hours_per_week": 2.25,
        "who": "channel_account_manager",
    }
    hours = rows(
        ("coach", "Pine", 1.25), ("joint_plan", "Pine", 0.5), ("co_sell", "Oak", 0.75), ("recruit", "Cypress", 3.5),
        ("prospect", "web", 2.25), ("socialise", "Thorn", 0.125), ("sell", None, 28.5),
    )  # fmt: skip
    return monday_sheet(scenario, TimePlan.from_table(scenario, [*hours, managed], "mine"))


def test_the_calendar_has_every_occurrence_and_no_other(sheet: MondaySheet) -> None:
    for who in ("territory_manager", "channel_account_manager"):
        calendar = icalendar.Calendar.from_ical(calendar_text(sheet, who))
        found = recurring_ical_events.of(calendar).between(
            sheet.first_day - datetime.timedelta(days=400), sheet.first_day + datetime.timedelta(days=800)
        )
        times = [(event["DTSTART"].dt, event["DTEND"].dt, str(event["SUMMARY"])) for event in found]
        wanted = [
            (datetime.datetime.combine(day, block.start), datetime.datetime.combine(day, block.end), block.what)
            for block in sheet.blocks
            if block.who == who
            for day in sheet.days(block)
        ]
        assert wanted and sorted(times) == sorted(wanted)
        for (_, over, _), (begins, _, _) in itertools.pairwise(sorted(times)):
            assert over <= begins, "two appointments at the same time"
        hours = Counter[str]()
        for begins, over, what in times:
            hours[what] += (over - begins).total_seconds() / 3600
        weeks = {begins.isocalendar().week for begins, _, _ in times}
        assert weeks == {3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14}, "weeks 1 and 7 from 5 January are off"
        in_blocks = Counter[str]()
        for block in sheet.blocks:
            if block.who == who:
                in_blocks[block.what] += block.minutes / 60 * len(sheet.days(block))
        assert hours == in_blocks


def test_hours_of_a_year_of_calendars_are_those_of_the_plan() -> None:
    scenario = here()
    plan = plan_of(scenario, ("coach", "Pine", 0.5), ("prospect", "web", 2.25), ("sell", None, 30.0))
    hours = Counter[str]()
    for quarter in range(1, 5):
        calendar = icalendar.Calendar.from_ical(calendar_text(monday_sheet(scenario, plan, quarter)))
        first = scenario.calendar.first_day
        for event in recurring_ical_events.of(calendar).between(first, first + datetime.timedelta(weeks=52)):
            hours[str(event["CATEGORIES"].cats[0])] += (event["DTEND"].dt - event["DTSTART"].dt).total_seconds() / 3600
    for word, weekly in ((ACTIVITY_WORDS["coach"], 0.5), ("prospecting", 2.25), ("selling", 30.0)):
        # An every-other-week block of an hour happens six or seven times in each of four quarters.
        assert hours[word] == pytest.approx(52 * weekly, abs=4 * 2)


def test_the_calendar_is_the_same_every_time_and_uids_stay(sheet: MondaySheet) -> None:
    text = calendar_text(sheet)
    again = monday_sheet(Scenario.model_validate(sheet.scenario.model_dump()), sheet.plan)
    assert calendar_text(again) == text
    uids = [str(event["UID"]) for event in events(text)]
    assert len(set(uids)) == len(uids) == len([b for b in sheet.blocks if b.who == "territory_manager"])


def test_a_block_that_moves_keeps_its_uid(sheet: MondaySheet) -> None:
    def coaching(of: MondaySheet) -> dict[str, set[str]]:
        coaching = [event for event in events(calendar_text(of)) if str(event["SUMMARY"]) == "Pine: coaching"]
        return {word: {str(event[word] if word == "UID" else event[word].dt) for event in coaching} for word in KEPT}

    scenario = sheet.scenario
    before, busy = ([("coach", "Pine", 1.25)], [("coach", "Pine", 1.25), ("coach", "Oak", 2.5)])
    one, other = (monday_sheet(scenario, plan_of(scenario, *hours)) for hours in (before, busy))
    assert coaching(one)["DTSTART"] != coaching(other)["DTSTART"] and coaching(one)["UID"] == coaching(other)["UID"]
    uids = [str(event["UID"]) for event in events(calendar_text(other))]
    assert len(uids) == len(set(uids)) == 3
    assert not coaching(monday_sheet(scenario, other.plan, 2))["UID"] & coaching(other)["UID"], "another quarter"


def test_the_calendar_says_where_it_is_from_and_nothing_of_what_partners_are_believed_to_be() -> None:
    scenario = load_scenario(BASELINE).variant(name="Believers first; no Deceivers")
    plan = TimePlan.constant(scenario, 0.2, focus="believers", name="20% with Believers, none with Deceivers")
    text = calendar_text(monday_sheet(scenario, plan))
    calendar = icalendar.Calendar.from_ical(text)
    assert str(calendar["X-NEXTHOUR-SCENARIO-DIGEST"]) == scenario.digest()
    assert str(calendar["X-NEXTHOUR-PLAN-DIGEST"]) == plan.digest()
    assert str(calendar["X-NEXTHOUR-VERSION"]) == scenario.provenance(0)["nexthour"]
    unfolded = text.decode().replace("\r\n ", "").lower()
    assert not [word for word in PARTNER_SEGMENTS if word in unfolded]
    free = {str(event["TRANSP"]) for event in events(text) if str(event["SUMMARY"]) == "Selling"}
    assert free == {"TRANSPARENT"}
    assert all(event["DTSTART"].dt.tzinfo is None for event in events(text))
    begins = datetime.datetime(2026, 1, 5, tzinfo=datetime.UTC)
    assert {event["DTSTAMP"].dt for event in events(text)} == {begins}


@pytest.mark.parametrize(
    "name",
    ['Smith, Sons; "Best" \\ Co: 50%', "Łódź 🚀 {target}", "a\\nb", "x" * 80, "日本" * 40, "line\u2028break\x85"],
)
def test_any_name_comes_through(name: str) -> None:
    scenario = here(partners=[partner(name, base_share={"only": 0.3})], name=name)
    text = calendar_text(monday_sheet(scenario, plan_of(scenario, ("coach", name, 1.0))))
    assert max(map(len, text.split(b"\r\n"))) <= 75
    (event,) = events(text)
    assert str(event["SUMMARY"]) == f"{name}: coaching"
    assert str(event["DESCRIPTION"]) == f"So that {name} wins more of its own deals.\n1 h every Monday."
    assert str(icalendar.Calendar.from_ical(text)["X-NEXTHOUR-SCENARIO"]) == name


# Refusals


def test_what_cannot_be_done_is_a_sentence(tmp_path: Path, sheet: MondaySheet) -> None:
    scenario = here()
    plan = plan_of(scenario, ("sell", None, 40.0))
    for quarter in (0, 5, 1.5, "1", True):
        with pytest.raises(PlanError, match="allowed: a whole number from 1 to 4"):
            monday_sheet(scenario, plan, quarter)  # type: ignore[arg-type]
    with pytest.raises(PlanError, match="has 40 hours a week in quarter 1, 0 of them reactive support; allowed: 30"):
        monday_sheet(here(territory_manager={"hours_per_week": 30}), plan)
    with pytest.raises(PlanError, match="no channel account manager"):
        calendar_text(monday_sheet(scenario, plan), "channel_account_manager")
    with pytest.raises(PlanError, match="cannot be written"):
        write_calendar(sheet, tmp_path / "no folder" / "x.ics")
    with pytest.raises(PlanError, match="9999"):
        monday_sheet(here(calendar={"first_day": datetime.date(9999, 12, 1)}), plan)


# The terminal


@pytest.fixture
def files(tmp_path: Path, sheet: MondaySheet) -> tuple[Path, Path]:
    save_scenario(sheet.scenario, tmp_path / "here.yaml")
    sheet.plan.save(tmp_path / "mine.yaml")
    return tmp_path / "here.yaml", tmp_path / "mine.yaml"


def test_the_terminal_prints_and_writes(files: tuple[Path, Path], sheet: MondaySheet, tmp_path: Path) -> None:
    scenario, plan = files
    shown = run("monday", scenario, "--plan", plan, "--ics", tmp_path / "m.ics")
    assert shown.exit_code == 0, shown.output
    assert (tmp_path / "m.ics").read_bytes() == calendar_text(sheet)
    for block in sheet.blocks:
        if block.activity != "sell":
            assert f"{block.cadence}, {block.start.hour}:{block.start.minute:02}" in shown.output, block.says
    assert shown.output.count("the rest") == 1
    assert "The account manager's hours a week" in shown.output and "start: " in shown.output
    assert "week 4, 26 Jan" in shown.output and "Weeks off" in shown.output
    assert max(map(len, shown.output.split("\nWrote ")[0].splitlines())) <= 80
    run("monday", scenario, "--plan", plan, "--ics", tmp_path / "cam.ics", "--account-manager")
    assert (tmp_path / "cam.ics").read_bytes() == calendar_text(sheet, "channel_account_manager")


def test_long_names_are_cut_with_a_mark(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    scenario = here(partners=[partner("Hazel Trading and Sons, Incorporated", base_share={})])
    hours = [("coach", "Hazel Trading and Sons, Incorporated", 1.25)]
    print_sheet(monday_sheet(scenario, plan_of(scenario, *hours)))
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Mon")]
    assert line.count("9:00 Hazel") == line.count("…") == 4


def test_json_is_the_sheet(files: tuple[Path, Path], sheet: MondaySheet) -> None:
    scenario, plan = files
    data = json.loads(run("monday", scenario, "--plan", plan, "--json").stdout)
    assert "seed" not in data and data["scenario_digest"] == sheet.scenario.digest()
    assert [block_row["says"] for block_row in data["blocks"]] == [block.says for block in sheet.blocks]
    assert [len(block_row["days"]) for block_row in data["blocks"]] == [
        len(sheet.days(block)) for block in sheet.blocks
    ]
    assert data["hours_off"] == {"territory_manager": 0.0, "channel_account_manager": 0.0}


def test_the_terminal_fails_in_a_sentence(files: tuple[Path, Path], tmp_path: Path) -> None:
    scenario, plan = files
    assert "--plan" in sentence(run("monday", scenario))
    assert "no such file" in sentence(run("monday", scenario, "--plan", tmp_path / "none.yaml")).lower()
    assert "allowed: a whole number from 1 to 4" in sentence(run("monday", scenario, "--plan", plan, "--quarter", 9))
    assert "is a folder" in sentence(run("monday", scenario, "--plan", plan, "--ics", tmp_path))
    assert "would overwrite" in sentence(run("monday", scenario, "--plan", plan, "--ics", plan))
    assert "--ics" in sentence(run("monday", scenario, "--plan", plan, "--account-manager"))


def test_a_full_week_has_no_room_to_spare_and_still_adds_up() -> None:
    scenario = here(territory_manager={"hours_per_week": 32.5})
    hours = [(*use, 2.0) for use in USES[:16]]
    sheet = monday_sheet(scenario, plan_of(scenario, *hours, ("sell", None, 0.5)))
    check(sheet)
    assert sheet.hours_off() == 0
    taken = np.zeros(WEEKS)
    for block in sheet.blocks:
        for week, _, _ in week_of(block):
            taken[week] += 0.5
    assert (taken == 32.5).all()


def test_changes_are_told_by_activity_and_who_is_left_once() -> None:
    scenario = territory(
        partners=[partner(name, base_share={"only": 0.2}) for name in ("Pine", "Thorn", "Oak")],
        candidates=[candidate("Fig", base_share={"only": 0.2})],
    )
    today = TimePlan.constant(scenario, 0.3, focus="even", mix={"coach": 0.5, "socialise": 0.5})
    hours = [
        {"activity": "sell", "hours_per_week": 20},
        {"activity": "coach", "target": "Pine", "hours_per_week": 3},
        {"activity": "sell_for", "target": "Pine", "hours_per_week": 1},
        {"activity": "coach", "target": "Thorn", "hours_per_week": 2.5},
        {"activity": "recruit", "target": "Fig", "hours_per_week": 1.5},
        {"activity": "prospect", "target": scenario.segment_names[0], "hours_per_week": 0.5},
    ]
    plan = TimePlan.from_table(scenario, hours, "new", parked=[{"partner": "Oak"}])
    segment_name = scenario.segment_names[0]
    assert change_lines(scenario, changes(scenario, plan, 1, today)) == [
        "stop: all time with Oak; visits without agenda with Pine, Thorn",
        f"start: recruiting Fig 1.50; selling for Pine 1.00; prospecting in {segment_name} 0.50",
        "more: coaching with Pine 2.00 to 3.00, Thorn 2.00 to 2.50",
        "less: selling 28.00 to 20.00",
    ]
