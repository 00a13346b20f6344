"""A name that looks like an address becomes no link; a sentence names its file, and counts as people do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nexthour.app.page import escaped
from nexthour.app.state.library import read_upload
from nexthour.packaged import packaged
from nexthour.terminal.main import app
from optimize.monday.ics import calendar_text
from optimize.monday.sheet import monday_sheet
from sim import PlanError, TimePlan, load_scenario
from sim.documents.messages import without_links

ADDRESSES = ("http://evil.example/x", "HTTPS://evil.example", "www.evil.example", "WWW.Evil.example", "me@evil.example")
LINKS = re.compile(r"https?://[-.\w]+|www\.[-.\w]+|[-.\w+]+@[-\w]+(\.[-\w]+)+", re.IGNORECASE)
"""What Streamlit's Markdown, and programs for mail and calendars, make links of."""
MARK = re.compile(r"\\([^\w\s])")
SCENARIO = packaged("scenarios") / "baseline.yaml"
OF_NOBODY = "name: mine\nhours: [{activity: coach, target: Nobody, hours_per_week: 1}]\n"


@pytest.mark.parametrize("address", ADDRESSES)
def test_markdown_makes_no_link_of_a_name(address: str) -> None:
    text = MARK.sub(r"\1", escaped(f"{address} and ({address})"))
    assert LINKS.search(address)
    assert not LINKS.search(text)
    assert text.replace("\N{WORD JOINER}", "") == f"{address} and ({address})"


def test_other_names_stay_as_they_are() -> None:
    for name in ("Birch IT", "and/or", "3:4", "www", "a.b", "http"):
        assert without_links(name) == name


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_calendar_has_no_link_in_it(address: str, tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    text = SCENARIO.read_text(encoding="utf-8").replace("Birch IT", address)
    path.write_text(text.replace("name: Baseline territory", f"name: {address}"), encoding="utf-8")
    made = load_scenario(path)
    assert address in (made.name, *made.partner_names)
    found = calendar_text(monday_sheet(made, TimePlan.constant(made, 0.3), 1)).decode()
    unfolded = found.replace("\r\n ", "")
    assert address in unfolded.replace("\N{WORD JOINER}", "")
    assert not [line for line in unfolded.splitlines() if not line.startswith("UID") and LINKS.search(line)]


@pytest.mark.parametrize("words", [["compare"], ["monday"], ["sensitivity"], ["gap"]])
def test_the_file_of_a_plan_is_named_when_it_names_an_unknown_partner(words: list[str], tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(OF_NOBODY, encoding="utf-8")
    said = CliRunner().invoke(app, [*words, "baseline", "--plan", str(plan)])
    assert said.exit_code == 1
    assert said.stderr.startswith(f"error: {plan}: plan 'mine': coach: unknown partner 'Nobody'; allowed: Alder"), said


def test_an_upload_goes_by_no_path_of_this_machine() -> None:
    plan = read_upload(TimePlan, OF_NOBODY.encode(), "mine.yaml")
    with pytest.raises(PlanError, match=r"^plan 'mine': coach: unknown partner"):
        plan.table(load_scenario(SCENARIO))


def test_no_sentence_tells_how_to_set_up_python() -> None:
    said = CliRunner().invoke(app, ["plan", "baseline", "--floor", f"{'9' * 5000}=0.9"])
    assert (said.exit_code, said.stderr.count("\n")) == (2, 1)
    assert "is no quarter; write it as 1=0.9" in said.stderr
    assert "sys." not in said.stderr


def test_one_day_is_no_days(tmp_path: Path) -> None:
    event = "UID:1", "SUMMARY:x", "DTSTART:20260105T090000", "DTEND:20260105T100000"
    lines = "BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", *event, "END:VEVENT", "END:VCALENDAR", ""
    calendar = tmp_path / "one.ics"
    calendar.write_text("\r\n".join(lines), encoding="utf-8")
    said = CliRunner().invoke(app, ["hours", str(calendar), "--rules", "made_up_calendar"])
    assert "from 2026-01-05 to 2026-01-05 is 1 day; allowed" in said.stderr
