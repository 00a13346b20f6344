"""A comparison has the same totals wherever it is told.

Claims: the Lab, Compare, the workbook, the slide and `nexthour compare --json` agree on every number of a plan to the
last digit shown; the terminal gets there from nothing but the files that the page gives away.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import streamlit as st
from openpyxl import load_workbook
from pptx import Presentation
from typer.testing import CliRunner

from nexthour.app.state import cache, lab_fields, library
from nexthour.report.numbers import usd
from nexthour.report.text import forwardable_line, with_article
from nexthour.terminal.main import app
from sim import TimePlan, load_scenario
from tests.nexthour.app.pages import metrics, page, tables, texts, wrong

MARKETS, WORLDS = 150, 20
BASELINE = Path("scenarios/baseline.yaml")


@pytest.fixture(autouse=True)
def own_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXTHOUR_LIBRARY", str(tmp_path / "library"))
    monkeypatch.setattr(cache, "MARKETS", MARKETS)
    monkeypatch.setattr(cache, "FEW_WORLDS", WORLDS)


@pytest.fixture(scope="module", autouse=True)
def no_caches_left() -> Iterator[None]:
    yield
    st.cache_resource.clear()


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the page gives to download, by label."""
    given: dict[str, Any] = {}
    monkeypatch.setattr(st, "download_button", lambda label, data, *_, **__: given.update({label: data}))
    return given


def as_usual() -> tuple[str, dict[str, Any]]:
    return "20% with Believers", {}


def a_split_of_ones_own() -> tuple[str, dict[str, Any]]:
    says = {"share": "45", "focus": "even", "coach": "0", "co_sell": "80", "park": "Fir Solutions", "prospect": "10",
            "mode enterprise": "direct", "seed": "3"}  # fmt: skip
    test = page("lab", says)
    state = {field.key: test.session_state[field.key] for field in lab_fields.fields_of_split(load_scenario(BASELINE))}
    return lab_fields.name_of_fields(state), says


def a_changed_assumption() -> tuple[str, dict[str, Any]]:
    name = "coach gain per week"
    return "33% with Believers", {"share": "33", "assume": name, f"assume {name}": "0.028"}


def a_saved_plan() -> tuple[str, dict[str, Any]]:
    plan = TimePlan.constant(load_scenario(BASELINE), 0.5, focus="even")
    library.save_document(plan.model_copy(update={"name": "half for all"}), "plans")
    return "half for all", {"plan": "half for all"}


def a_saved_plan_in_another_scenario() -> tuple[str, dict[str, Any]]:
    scenario = load_scenario(library.BUILT_IN / "with-channel-account-manager.yaml")
    library.save_document(TimePlan.constant(scenario, 0.4).model_copy(update={"name": "two fifths"}), "plans")
    return "two fifths", {"scenario": "with-channel-account-manager", "plan": "two fifths", "seed": "11"}


@pytest.mark.parametrize(
    "state", [as_usual, a_split_of_ones_own, a_changed_assumption, a_saved_plan, a_saved_plan_in_another_scenario]
)
def test_page_files_and_terminal_agree(state: Any, files: dict[str, Any], tmp_path: Path) -> None:
    name, says = state()
    lab = page("lab", says)
    (way,) = [
        link.proto.query_string for link in lab.get("page_link") if link.proto.label == "Compare it with other plans"
    ]
    compared = page("compare", {**parse_qs(way), "plan": name, **({"seed": says["seed"]} if "seed" in says else {})})
    assert wrong(lab) == wrong(compared) == []
    heads, *rows = tables(compared)["The plans side by side"]
    shown = {row[0]: row[heads.index(name)] for row in rows}

    for label, file in (("Scenario (YAML)", "scenario.yaml"), ("Plan (YAML)", "plan.yaml")):
        (tmp_path / file).write_text(files[label](), encoding="utf-8")
    words = ["compare", str(tmp_path / "scenario.yaml"), "--plan", str(tmp_path / "plan.yaml"), "--seed",
             says.get("seed", "7"), "--replications", str(MARKETS), "--worlds", str(WORLDS), "--json"]  # fmt: skip
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)["plans"][name]

    assert shown == as_told(told)
    assert metrics(lab)["Attainment"] == f"{told['attainment']['value']:.0%}"
    assert metrics(lab)[f"Against {with_article(heads[1])}"] == f"{told['difference_share']['value']:+.1%}"
    assert metrics(lab)["Markets ahead"] == f"{100 * told['markets_ahead']['value']:.0f} of 100"
    assert metrics(lab)["Worlds better"] == f"{100 * told['worlds_ahead']['value']:.0f} of 100"

    book = load_workbook(BytesIO(files["Workbook (Excel)"]()), data_only=True)["Summary"]
    shown = forwardable_line(name)
    cells = next([cell.value for cell in row] for row in book.iter_rows(min_row=5) if row[0].value == shown)
    assert cells[1:4] == pytest.approx([told["credit_usd"]["value"], told["credit_p10_usd"], told["credit_p90_usd"]])
    assert cells[4:7] == pytest.approx(
        [told["attainment"]["value"], told["quarters_at_quota"]["value"], told["partner_share_of_credit"]]
    )
    for first, kpi in ((7, "difference_usd"), (10, "difference_share")):
        assert cells[first : first + 3] == pytest.approx([told[kpi][end] for end in ("value", "low", "high")])

    slide = Presentation(BytesIO(files["One slide (PowerPoint)"]())).slides[0]
    verdict = slide.notes_slide.notes_text_frame.text.splitlines()[0]
    assert verdict in forwardable_line(html.unescape(texts(compared)))
    (chart,) = [shape.chart for shape in slide.shapes if shape.has_chart]
    last = [list(series.values)[-1] for series in chart.plots[0].series]
    assert any(value == pytest.approx(told["difference_usd"]["value"], rel=1e-3) for value in last)


def as_told(plan: Mapping[str, Any]) -> dict[str, str]:
    """The column of the page's table, from the terminal's numbers."""
    credit, share = plan["credit_usd"], plan["difference_share"]

    def percent(of: Mapping[str, float]) -> str:
        return f"{of['value']:.0%} ({of['low']:.1%} to {of['high']:.1%})"

    def count(of: Mapping[str, float]) -> str:
        return f"{round(of['value'] * of['observations']):,} of {of['observations']:,}"

    payback = plan["payback_quarter"]
    return {
        "Quota credit": f"{usd(credit['value'])} ({usd(credit['low'])} to {usd(credit['high'])})",
        "P10 to P90": f"{usd(plan['credit_p10_usd'])} to {usd(plan['credit_p90_usd'])}",
        "Attainment": percent(plan["attainment"]),
        "Chance of quota in an average quarter": percent(plan["quarters_at_quota"]),
        "Through partners": f"{plan['partner_share_of_credit']:.0%}",
        "Difference": f"{share['value']:+.1%} ({share['low']:+.1%} to {share['high']:+.1%})",
        "Markets ahead": count(plan["markets_ahead"]),
        "Plausible worlds better in": count(plan["worlds_ahead"]),
        "Pays back in": "never" if payback is None else f"quarter {payback}",
    }
