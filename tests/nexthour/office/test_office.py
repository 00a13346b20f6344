"""Files that people send each other: what stands in them reconciles with the comparison and the ledger, no text of
anybody's becomes a formula, and no partner reads what it is taken for.
"""

from __future__ import annotations

import datetime
import re
import zipfile
from io import BytesIO
from typing import Any

import numpy as np
import openpyxl
import pytest
from pptx import Presentation
from pptx.enum.chart import XL_CHART_TYPE

from nexthour.office.one_pager import MOST_ROWS, one_pager
from nexthour.office.picture import png
from nexthour.office.provenance import Provenance, file_name
from nexthour.office.rows import OUTCOMES, deal_rows, field_rows
from nexthour.office.workbook import workbook
from nexthour.report.comparison import challengers, headline, verdict
from nexthour.report.text import CAVEAT, forwardable
from sim import Comparison, PlanError, Scenario, TimePlan, compare, draw_market, kpis, load_scenario, simulate
from sim.ledger import ENDINGS, WON, Kind
from sim.ranges import Range, with_ranges
from sim.terms import PARTNER_SEGMENTS
from tests import ROOT
from tests.helpers import partner, segment, stage, territory

DAY = datetime.date(2026, 3, 2)
NASTY = '=HYPERLINK("http://evil","x") <b>Believers</b> 😀'
NAMES = (NASTY, "+1+1", "-2", "@SUM(A1)", "http://evil")
TAKEN_FOR = re.compile("|".join(PARTNER_SEGMENTS), re.IGNORECASE)
SHEETS = ["Summary", "By quarter", "Hours", "Assumptions", "Deals", "About"]


def scenario_of(**changes: Any) -> Scenario:
    """A segment won one time in two, a Believer and a Deceiver, and every word anybody could write a formula."""
    return territory(
        **{
            "name": NASTY,
            "question": "=1+1",
            "source": "@cmd",
            "market_map": [
                segment(NAMES[1], inbound_share=0.6, stages=[stage(advance_probability=0.5)]),
                segment(NAMES[4], opportunities_per_quarter=10.0, inbound_share=0.5),
            ],
            "partners": [
                partner(NAMES[2], base_share={NAMES[1]: 0.6}, margin=0.2),
                partner(NAMES[3], base_share={NAMES[1]: 0.3, NAMES[4]: 0.5}, label="deceiver"),
            ],
            "status_quo": {"name": "status quo", "partner_share": 0.2},
            **changes,
        }
    )


def compared(scenario: Scenario, replications: int = 8, worlds: int = 0, **more: TimePlan) -> Comparison:
    today = TimePlan.status_quo(scenario)
    helped = TimePlan.constant(scenario, 0.3, focus="believers", name=NASTY)
    return compare(
        scenario,
        {today.name: today, helped.name: helped, **more},
        replications,
        worlds=worlds,
        replications_per_world=2,
    )


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compared(scenario_of(), worlds=3)


@pytest.fixture(scope="module")
def sheets(comparison: Comparison) -> dict[bool, openpyxl.Workbook]:
    """The workbook as formulas (False) and as the values kept with them (True)."""
    data = workbook(comparison, DAY)
    return {kept: openpyxl.load_workbook(BytesIO(data), data_only=kept) for kept in (False, True)}


def table(sheet: Any, heads_row: int = 1) -> list[dict[str, Any]]:
    """Rows by column head; of heads that stand twice, the first."""
    rows = list(sheet.iter_rows(min_row=heads_row, values_only=True))
    return [dict(reversed(list(zip(rows[0], row, strict=True)))) for row in rows[1:]]


def slide_of(data: bytes) -> Any:
    return Presentation(BytesIO(data)).slides[0]


def slide_text(slide: Any) -> str:
    texts = [shape.text_frame.text for shape in slide.shapes if shape.has_text_frame]
    for shape in slide.shapes:
        if shape.has_table:
            texts += [cell.text_frame.text for row in shape.table.rows for cell in row.cells]
    return "\n".join(texts)


def chart_of(slide: Any) -> Any:
    (chart,) = (shape.chart for shape in slide.shapes if shape.has_chart)
    return chart


# The workbook


def test_sheets_and_their_order(sheets: dict[bool, Any]) -> None:
    assert sheets[False].sheetnames == SHEETS
    assert all(sheet.freeze_panes for sheet in sheets[False] if sheet.title != "About")
    assert all(sheet.page_setup.orientation == "landscape" for sheet in sheets[False])


def test_summary_is_the_comparison(comparison: Comparison, sheets: dict[bool, Any]) -> None:
    rows = table(sheets[True]["Summary"], 4)[:2]
    for (name, result), row in zip(comparison.results.items(), rows, strict=True):
        assert row["Plan"] == forwardable(name)
        assert row["Quota credit, mean"] == pytest.approx(result.credit_usd.value)
        assert (row["P10 of markets"], row["P90 of markets"]) == pytest.approx(
            (result.credit_p10_usd, result.credit_p90_usd)
        )
        assert row["Attainment"] == pytest.approx(result.attainment.value)
        assert row["Chance of quota"] == pytest.approx(result.quarters_at_quota.value)
    challenger = comparison[NASTY]
    difference_usd = challenger.difference_usd
    assert (rows[1]["Difference"], rows[1]["95% low"], rows[1]["95% high"]) == pytest.approx(
        (difference_usd.value, difference_usd.low, difference_usd.high)
    )
    assert rows[1]["Ahead in markets"] == f"{round(challenger.markets_ahead.value * 8)} of 8"
    assert challenger.worlds_ahead is not None
    assert rows[1]["Better in plausible worlds"] == f"{round(challenger.worlds_ahead.value * 3)} of 3"
    assert rows[1]["In words"] == forwardable(verdict(comparison, NASTY))


def test_quarters_add_up_to_the_total_live_and_kept(comparison: Comparison, sheets: dict[bool, Any]) -> None:
    kept, live = (table(sheets[values]["By quarter"]) for values in (True, False))
    for name, result in comparison.results.items():
        ours = [i for i, row in enumerate(kept) if row["Plan"] == forwardable(name)]
        *quarters, total = ours
        assert [kept[i]["Quarter"] for i in ours] == ["Q1", "Q2", "Q3", "Q4", "total"]
        credit = sum(kept[i]["Quota credit, mean"] for i in quarters)
        assert kept[total]["Quota credit, mean"] == pytest.approx(credit)
        assert credit == pytest.approx(result.credit_usd.value)
        # Rows of the sheet count from 1 and the heads are the first.
        cells = f"{quarters[0] + 2}:{{}}{quarters[-1] + 2}"
        assert live[total]["Quota credit, mean"] == f"=SUM(D{cells.format('D')})"
        assert live[total]["Attainment"] == f"=D{total + 2}/C{total + 2}"
        assert kept[total]["Attainment"] == pytest.approx(result.attainment.value)
        if name == comparison.baseline:
            continue
        assert live[total]["Difference"] == f"=SUM(H{cells.format('H')})"
        so_far = np.cumsum([kept[i]["Difference"] for i in quarters])
        assert kept[total]["Difference"] == pytest.approx(so_far[-1]) == pytest.approx(result.difference_usd.value)
        assert [kept[i]["Difference so far"] for i in quarters] == pytest.approx(so_far.tolist())
        assert live[quarters[1]]["Difference so far"] == f"=SUM(H${quarters[0] + 2}:H{quarters[1] + 2})"


def test_the_workbooks_chart_is_native_and_points_at_the_difference_so_far(sheets: dict[bool, Any]) -> None:
    (chart,) = sheets[False]["By quarter"]._charts
    (series,) = chart.series
    assert series.val.numRef.f == "'By quarter'!$K$8:$K$11"
    assert [sheets[True]["By quarter"][cell].value for cell in ("A8", "B8", "B11")] == [forwardable(NASTY), "Q1", "Q4"]


def test_hours_fill_the_week(comparison: Comparison, sheets: dict[bool, Any]) -> None:
    kept, live = (table(sheets[values]["Hours"]) for values in (True, False))
    totals = [i for i, row in enumerate(kept) if row["The manager's hours a week"] == "total"]
    assert len(totals) == 2
    for i in totals:
        assert [kept[i][q] for q in ("Q1", "Q4", "Mean")] == pytest.approx([40.0] * 3)
        assert str(live[i]["Q1"]).startswith("=SUM(")
    coaching = [row for row in kept if row["The manager's hours a week"] == "coaching"]
    assert coaching[1]["Q2"] == pytest.approx(0.3 * 40 * 0.6)
    assert comparison[NASTY].plan.hours_by_activity(comparison.scenario)["coach"][1] == pytest.approx(0.3 * 40 * 0.6)


def test_every_assumption_is_listed_with_unit_meaning_and_source() -> None:
    baseline = load_scenario(ROOT / "scenarios" / "baseline.yaml")
    rows = {row.where: row for row in field_rows(baseline)}
    ranges: list[Range] = []
    with_ranges(baseline, lambda _, value: ranges.append(value) or value)  # type: ignore[func-returns-value]
    wide = [value for value in ranges if value.low < value.high]
    assert len(wide) == sum(row.low is not None for row in rows.values()) > 20
    row, declared = rows["assumptions > skill half life weeks"], baseline.assumptions.skill_half_life_weeks
    assert (row.low, row.value, row.high) == (declared.low, declared.likely, declared.high)
    assert (row.unit, row.source) == ("weeks", declared.source)
    assert row.meaning == "time in which half of unused skill is forgotten"
    assert rows["partners > Birch IT > base share > mid-market"].value == 0.1
    assert rows["market map > enterprise > stages > 2 > mean hours"].value == 14
    assert rows["partners > Birch IT > fit"].source == "judgement"
    assert rows["market map > enterprise > demand cv"].source.startswith("weekly win/loss sample")
    assert all(row.unit and row.meaning and row.source for row in rows.values())
    two_sources = scenario_of(market_map=[segment(NAMES[1], source="its own"), segment(NAMES[4])])
    rows = {row.where: row for row in field_rows(two_sources)}
    assert rows[f"market map > {NAMES[1]} > stages > 1 > mean hours"].source == "its own"
    assert rows[f"market map > {NAMES[4]} > stages > 1 > mean hours"].source == "@cmd"


def test_deals_credit_is_the_ledgers(comparison: Comparison, sheets: dict[bool, Any]) -> None:
    kept, live = (sheets[values]["Deals"] for values in (True, False))
    scenario = comparison.scenario
    ledger = simulate(scenario, comparison[NASTY].plan, draw_market(scenario, comparison.seed, 0), engine="compiled")
    by_quarter = kpis.credit_usd(kpis.Tally.of(ledger))
    rows = [row for row in table(kept, 3) if row["Opportunity"] is not None]
    for q, credit in enumerate(by_quarter.tolist(), start=1):
        won = [row for row in rows if row["Quarter closed"] == q and row["Outcome"].startswith("won")]
        for row in won:
            # The partners keep 20%.
            assert row["Quota credit"] == pytest.approx(row["Amount"] * (1 if row["Route"] == "direct" else 0.8))
        listed = sum(row["Quota credit"] for row in rows if row["Quarter closed"] == q)
        assert listed == pytest.approx(credit)
        assert kept.cell(3 + q, 12).value == pytest.approx(credit)
        assert live.cell(3 + q, 12).value == f"=SUMIFS($I$4:$I${3 + len(rows)},$F$4:$F${3 + len(rows)},K{3 + q})"
        assert comparison.outcomes[NASTY].credit_usd[0, q - 1] == pytest.approx(credit)
    assert by_quarter.sum() > 0
    assert kept.cell(8, 12).value == pytest.approx(by_quarter.sum())
    assert live.cell(8, 12).value == "=SUM(L4:L7)"


def test_every_deal_of_the_horizon_is_listed_once(comparison: Comparison) -> None:
    scenario = comparison.scenario
    ledger = simulate(scenario, comparison[NASTY].plan, draw_market(scenario, 7, 0), engine="compiled")
    listed = list(deal_rows(ledger))
    assert len({deal.opportunity for deal in listed}) == len(listed)
    won = ledger.of(*WON)
    assert sum(deal.outcome.startswith("won") for deal in listed) == (won["tick"] >= 0).sum()
    assert sum(deal.outcome == "lost" for deal in listed) == (ledger.of(Kind.LOST)["tick"] >= 0).sum() > 0
    assert any(deal.opened_week < 0 for deal in listed), "deals of the history that are still open belong to it"
    assert all(deal.closed_week is None or deal.closed_week >= 0 for deal in listed)
    assert {*OUTCOMES} == {*ENDINGS} - {Kind.LEAKED, Kind.REPLACED}
    assert {deal.route for deal in listed} >= {"direct", NAMES[2]}


def test_an_open_pipeline_replaces_the_historys_deals() -> None:
    scenario = scenario_of(
        open_pipeline=[{"segment": NAMES[1], "stage": 1, "amount_usd": 777, "age_weeks": 5.0, "route": NAMES[2]}]
    )
    ledger = simulate(scenario, TimePlan.status_quo(scenario), draw_market(scenario, 7, 0), engine="compiled")
    (taken_over,) = (deal for deal in deal_rows(ledger) if deal.opened_week < 0)
    assert (taken_over.amount_usd, taken_over.opened_week, taken_over.route) == (777, -5.0, NAMES[2])


def test_deals_of_another_plan_and_of_none(comparison: Comparison) -> None:
    book = openpyxl.load_workbook(BytesIO(workbook(comparison, DAY, deals_of="status quo")))
    assert book["Deals"]["A1"].value.startswith("status quo: every deal of one market")
    with pytest.raises(PlanError, match="did you mean status quo"):
        workbook(comparison, DAY, deals_of="status qou")


def test_about_says_how_to_get_it_again(comparison: Comparison, sheets: dict[bool, Any]) -> None:
    about = dict(sheets[False]["About"].iter_rows(values_only=True))
    assert about["Digest of the scenario"] == comparison.scenario.digest()
    assert (about["Seed"], about["Markets"], about["Plausible worlds"]) == ("7", "8", "3")
    assert about["Made on"] == "2026-03-02"
    assert about["To get it again"] == "nexthour compare SCENARIO --replications 8 --seed 7 --worlds 3"
    assert CAVEAT in about["What it is not"]
    assert about[f"Plan {forwardable(NASTY)}"] == f"digest {comparison[NASTY].plan.digest()}"


def test_no_text_becomes_a_formula_or_a_link(sheets: dict[bool, Any]) -> None:
    formulas = re.compile(r"=(SUM|AVERAGE|SUMIFS)\([A-Z0-9$:,]+\)|=[A-Z]+\d+/[A-Z]*\d+")
    seen = set()
    for sheet in sheets[False]:
        for cell in (cell for row in sheet.iter_rows() for cell in row):
            assert cell.hyperlink is None
            seen.add(cell.value)
            if cell.data_type == "f":
                assert formulas.fullmatch(cell.value), (sheet.title, cell.coordinate, cell.value)
    assert {"=1+1", "@cmd", forwardable(NASTY), *NAMES[1:]} <= seen, "they stand there as text"


def test_no_partner_reads_what_it_is_taken_for(comparison: Comparison) -> None:
    for data in (workbook(comparison, DAY), one_pager(comparison, NASTY, DAY)):
        assert not TAKEN_FOR.search(_all_text(data))
    assert "Limit partner" in _all_text(workbook(comparison, DAY))


def _all_text(office_file: bytes) -> str:
    """Every part of the file and of the files in it."""
    with zipfile.ZipFile(BytesIO(office_file)) as parts:
        whole = {name: parts.read(name) for name in parts.namelist()}
    return "\n".join(
        _all_text(data) if name.endswith(".xlsx") else f"{name}\n{data.decode('utf-8', 'replace')}"
        for name, data in whole.items()
    )


def test_the_same_day_gives_the_same_bytes(comparison: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    first = workbook(comparison, DAY), one_pager(comparison, NASTY, DAY)
    monkeypatch.setattr("time.time", lambda: 2e9)
    monkeypatch.setattr("time.localtime", lambda *_: datetime.datetime(2033, 5, 18, 3, 33).timetuple())
    assert (workbook(comparison, DAY), one_pager(comparison, NASTY, DAY)) == first
    for data in first:
        with zipfile.ZipFile(BytesIO(data)) as parts:
            assert b"2026-03-02T00:00:00Z" in parts.read("docProps/core.xml")
            assert {entry.date_time for entry in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    made = _all_text(first[1])
    assert len(re.findall("2026-03-02T00:00:00Z", made)) == 4, "the slide's two, and those of the workbook in its chart"


# The slide


def test_slide_has_the_answer_the_changes_and_a_native_chart(comparison: Comparison) -> None:
    slide = slide_of(one_pager(comparison, NASTY, DAY))
    assert slide.shapes.title.text_frame.text == forwardable(headline(comparison, NASTY))
    said = slide_text(slide)
    for needed in (comparison.scenario.digest(), "seed 7", "8 markets", "3 plausible worlds", "2026-03-02", CAVEAT):
        assert needed in said
    assert (
        verdict(comparison, NASTY).replace("Believers", "Develop partners") in slide.notes_slide.notes_text_frame.text
    )
    (rows,) = (shape.table.rows for shape in slide.shapes if shape.has_table)
    lines = [tuple(cell.text_frame.text for cell in row.cells) for row in rows]
    # 20% of 40 hours, .6 of them coaching, evenly; then 30%, all of it with the first.
    assert ("MORE", f"coaching  {NAMES[2]}", "2.4 → 7.2") in lines
    assert ("STOP", f"coaching  {NAMES[3]}", "2.4 → 0.0") in lines
    assert ("LESS", "selling", "32.0 → 28.0") in lines


def test_what_is_covered_otherwise_stands_above_the_hours() -> None:
    scenario = load_scenario("scenarios/baseline.yaml")
    today = TimePlan.status_quo(scenario)
    modes = {"enterprise": "direct", "small business": "partner_led"}
    plan = TimePlan.constant(scenario, 0.3, name="new", park=["Fir Solutions"], coverage_mode=modes)
    slide = slide_of(one_pager(compare(scenario, {"today": today, "new": plan}, 8), "new", DAY))
    (rows,) = (list(shape.table.rows) for shape in slide.shapes if shape.has_table)
    assert [cell.text_frame.text for cell in rows[0].cells][:2] == [
        "COVER", "enterprise direct, small business partner-led",
    ]  # fmt: skip
    kinds = [row.cells[0].text_frame.text for row in rows]
    assert kinds.count("COVER") == 1 and "STOP" in kinds and len(rows) <= MOST_ROWS


def test_chart_holds_the_difference_so_far_with_its_interval(comparison: Comparison) -> None:
    chart = chart_of(slide_of(one_pager(comparison, NASTY, DAY)))
    assert chart.chart_type == XL_CHART_TYPE.LINE
    credit = {name: outcome.credit_usd for name, outcome in comparison.outcomes.items()}
    so_far = np.cumsum(credit[NASTY] - credit["status quo"], axis=1)
    half = 2.364624 * so_far.std(axis=0, ddof=1) / 8**0.5  # Student's t, 7 degrees of freedom
    mean = so_far.mean(axis=0)
    assert list(chart.plots[0].categories) == ["Q1", "Q2", "Q3", "Q4"]
    for series, values in zip(chart.plots[0].series, (mean, mean - half, mean + half), strict=True):
        assert list(series.values) == pytest.approx(values.tolist(), rel=1e-5)
    dashes = {series.format.line.dash_style for series in chart.plots[0].series}
    assert len(dashes) == 3, "told apart without colour"
    # What is edited in PowerPoint is the workbook in the chart.
    rows = openpyxl.load_workbook(BytesIO(chart.part.chart_workbook.xlsx_part.blob)).active
    assert [row[1] for row in rows.iter_rows(min_row=2, values_only=True)] == pytest.approx(mean.tolist())


def test_the_first_quarter_and_the_payback_stand_on_the_slide(comparison: Comparison) -> None:
    said = slide_text(slide_of(one_pager(comparison, NASTY, DAY)))
    first = comparison[NASTY].difference_by_quarter_usd[0]
    words = {"ahead": "Gained in quarter 1", "behind": "Cost in quarter 1"}.get(first.verdict, "Quarter 1, not clear")
    assert words in said
    assert "Over 4 quarters" in said


def test_what_is_gained_and_what_is_lost_at_once() -> None:
    scenario = territory()
    plans = {"idle": TimePlan.from_table(scenario, [], "idle"), "status quo": TimePlan.status_quo(scenario)}
    gained = slide_text(slide_of(one_pager(compare(scenario, plans, 4), "status quo", DAY)))
    assert "Gained in quarter 1" in gained and "Ahead since quarter 1" in gained
    lost = slide_text(slide_of(one_pager(compare(scenario, plans, 4, baseline="status quo"), "idle", DAY)))
    assert "Cost in quarter 1" in lost and "Does not pay back within 4 quarters" in lost


@pytest.mark.parametrize("replications", [1, 2])
def test_a_plan_equal_to_the_baseline(replications: int) -> None:
    scenario = scenario_of()
    same = TimePlan.status_quo(scenario).model_copy(update={"name": "same"})
    comparison = compared(scenario, replications, same=same)
    said = slide_text(slide := slide_of(one_pager(comparison, "same", DAY)))
    assert "KEEP" in said and "STOP" not in said
    assert set(chart_of(slide).plots[0].series[0].values) == {0.0}
    assert len(chart_of(slide).plots[0].series) == (1 if replications == 1 else 3)
    book = openpyxl.load_workbook(BytesIO(workbook(comparison, DAY, deals_of="same")), data_only=True)
    row = table(book["Summary"], 4)[2]
    assert (row["Difference"], row["95% low"]) == (0, "none" if replications == 1 else 0)


def test_no_credit_at_all() -> None:
    scenario = scenario_of(
        market_map=[segment(NAMES[1], stages=[stage(advance_probability=0.0)]), segment(NAMES[4], inbound_share=0.0)],
        partners=[],
        status_quo={"name": "status quo", "partner_share": 0.0},
    )
    idle = TimePlan.from_table(scenario, [], "nothing")
    comparison = compare(scenario, {"nothing": idle, "status quo": TimePlan.status_quo(scenario)}, 4)
    assert comparison.baseline == "nothing"
    slide = slide_of(one_pager(comparison, "status quo", DAY))
    assert (
        slide.shapes.title.text_frame.text == "status quo: no quota credit in any market, and none under nothing either"
    )
    book = openpyxl.load_workbook(BytesIO(workbook(comparison, DAY)), data_only=True)
    assert table(book["Summary"], 4)[1]["Quota credit, mean"] == 0
    assert dict(book["About"].iter_rows(values_only=True))["To get it again"].count("--baseline PLAN") == 1


def test_a_plan_alone_has_a_workbook_but_no_slide() -> None:
    scenario = scenario_of()
    comparison = compare(scenario, {"alone": TimePlan.status_quo(scenario)}, 2)
    assert not challengers(comparison)
    assert openpyxl.load_workbook(BytesIO(workbook(comparison, DAY))).sheetnames == SHEETS
    with pytest.raises(PlanError, match="'alone' is what the others are measured against; allowed: nothing"):
        one_pager(comparison, "alone", DAY)
    with pytest.raises(PlanError, match="'other' is not in the comparison; allowed: alone"):
        one_pager(comparison, "other", DAY)


def test_many_long_names_fit_the_slide() -> None:
    names = [f"{i}{'W' * 78}{i}" for i in range(9)]
    shares = [{NAMES[1]: 0.1} for _ in names]
    scenario = scenario_of(
        market_map=[segment(NAMES[1])],
        partners=[partner(name, base_share=share) for name, share in zip(names, shares, strict=True)],
    )
    mix = {"coach": 0.2, "joint_plan": 0.2, "co_sell": 0.2, "sell_for": 0.2, "socialise": 0.2}
    wild = TimePlan.constant(
        scenario, 0.9, mix=mix, focus={names[0]: 1, names[1]: 1}, name="W" * 80, prospect_share=0.05
    )
    today = TimePlan.status_quo(scenario).model_copy(update={"name": "M" * 80})
    comparison = compare(scenario, {today.name: today, wild.name: wild}, 2)
    slide = slide_of(one_pager(comparison, wild.name, DAY))
    (rows,) = (list(shape.table.rows) for shape in slide.shapes if shape.has_table)
    assert len(rows) == 8
    assert rows[-1].cells[1].text_frame.text == "and 2 smaller changes"
    assert ("LESS", "selling") in [tuple(row.cells[i].text_frame.text for i in (0, 1)) for row in rows]
    assert max(len(row.cells[1].text_frame.text) for row in rows) <= 60
    assert ("W" * 80) in slide.shapes.title.text_frame.text


# Pictures, names and texts


def spec_of(**changes: Any) -> dict[str, Any]:
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "width": 300,
        "height": 150,
        "data": {"values": [{"a": 1, "b": 2}, {"a": 2, "b": 3}]},
        "mark": "line",
        "encoding": {"x": {"field": "a", "type": "quantitative"}, "y": {"field": "b", "type": "quantitative"}},
        **changes,
    }


def size_of(picture: bytes) -> tuple[int, int]:
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    return int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])


@pytest.mark.parametrize("title", [None, "A title", ["two", "lines"], {"text": "its own", "subtitle": "and more"}])
def test_a_picture_with_its_provenance(title: Any, comparison: Comparison) -> None:
    spec = spec_of() if title is None else spec_of(title=title)
    wide, high = size_of(png(spec))
    more_wide, more_high = size_of(png(spec, provenance=Provenance.of(comparison, DAY).line))
    assert wide >= 600 and high >= 300
    assert more_high > high, "the line is in the picture"
    assert more_wide < wide + 80, "and does not widen it"
    assert size_of(png(spec, scale=1))[0] == pytest.approx(wide / 2, abs=2)


def test_a_picture_fetches_nothing() -> None:
    with pytest.raises(ValueError, match="not allowed"):
        png(spec_of(data={"url": "https://example.org/data.json"}))


def test_file_names_are_safe_everywhere() -> None:
    name = file_name(scenario_of(), "One pager", DAY, "pptx")
    assert name == "nexthour-hyperlink-http-evil-x-b-develop-partners-b-one-pager-2026-03-02.pptx"
    for given in ("con", "../../etc/passwd", "日本", "Ünïcödé", "a" * 80, "..."):
        scenario = scenario_of(name=given)
        assert re.fullmatch(r"nexthour-[a-z0-9][a-z0-9-]{0,80}-2026-03-02\.xlsx", file_name(scenario, "x", DAY, "xlsx"))
    assert scenario_of(name="日本").digest() in file_name(scenario_of(name="日本"), "x", DAY, "xlsx")


def test_the_text_of_a_document_is_what_is_written(tmp_path: Any) -> None:
    scenario = scenario_of()
    for document in (scenario, TimePlan.status_quo(scenario)):
        document.save(tmp_path / "mine.yaml")
        assert (tmp_path / "mine.yaml").read_text(encoding="utf-8") == document.text()
