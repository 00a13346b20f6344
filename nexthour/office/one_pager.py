"""One slide about one plan: the answer, what to stop and start, what it costs now and when it pays back.

The chart and the table are PowerPoint's own and can be edited. Left out: the other plans of the comparison, and what
would turn the verdict (sim/study/sensitivity.py).
"""

from __future__ import annotations

import datetime
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION, XL_TICK_LABEL_POSITION, XL_TICK_MARK
from pptx.enum.dml import MSO_LINE
from pptx.enum.text import MSO_ANCHOR, MSO_AUTO_SIZE, PP_ALIGN
from pptx.util import Inches, Pt

from nexthour.office.colours import DARK
from nexthour.office.provenance import Provenance
from nexthour.report.comparison import challengers, difference_interval, headline, how_sure, payback, result_of, verdict
from nexthour.report.numbers import count_of, tenths, usd
from nexthour.report.text import CAVEAT, forwardable_line, shorten_name, with_article, with_capital
from optimize.monday.sheet import CHANGE_KINDS, Change, changes
from sim import Comparison, PlanError, Scenario, TimePlan
from sim.documents.messages import listed
from sim.plan import ACTIVITY_WORDS
from sim.study.estimates import Estimate
from sim.terms import COVERAGE_WORDS

TITLE_ONLY = 5
"""The layout of python-pptx's own template that has a title and nothing else."""
INK, PALE, RULE = "12263A", "4A5560", "D5DBE1"
MEAN, ENDS = DARK[0], DARK[1]
KIND_INKS = {"stop": "B34700", "start": "00664A", "more": "00664A", "less": "B34700", "keep": PALE}
MOST_LETTERS, COVERAGE_LETTERS = 24, 64
MOST_ROWS = 8
"""Rows of the table; smaller changes are counted in the last."""
LEFT, WIDE, GAP = 0.6, 12.13, 0.45
LEFT_WIDE = 5.6
RIGHT = LEFT + LEFT_WIDE + GAP
RIGHT_WIDE = WIDE - LEFT_WIDE - GAP
TOP, ROW = 2.32, 0.355
"""All in inches."""


def one_pager(comparison: Comparison, plan_name: str, day: datetime.date) -> bytes:
    """A .pptx file with one slide about a plan against the baseline plan.

    Raises PlanError if the plan is not in the comparison or is the baseline itself.
    """
    result_of(comparison, plan_name)
    if plan_name == comparison.baseline:
        others = ", ".join(challengers(comparison)) or "nothing, as it is alone"
        raise PlanError(f"{plan_name!r} is what the others are measured against; allowed: {others}")
    provenance = Provenance.of(comparison, day)
    presentation = Presentation()
    presentation.slide_width, presentation.slide_height = Inches(13.333), Inches(7.5)
    slide = presentation.slides.add_slide(presentation.slide_layouts[TITLE_ONLY])
    _title(slide, headline(comparison, plan_name))
    _add_text(slide, (LEFT, 1.37, WIDE, 0.4), how_sure(comparison, plan_name), 16, PALE)
    _changes(slide, comparison, plan_name)
    _cards(slide, comparison, plan_name)
    _chart(slide, comparison, plan_name)
    _add_text(slide, (LEFT, 6.5, WIDE, 0.35), f"Simulated, so no forecast. {CAVEAT}", 12, INK)
    _add_text(slide, (LEFT, 6.87, WIDE, 0.3), provenance.line, 10, PALE)
    notes = (verdict(comparison, plan_name), f"To get it again: {provenance.again}", CAVEAT)
    slide.notes_slide.notes_text_frame.text = "\n".join(map(forwardable_line, notes))
    about = presentation.core_properties
    about.title = forwardable_line(headline(comparison, plan_name))
    about.author = about.last_modified_by = "Next Hour"
    about.created = about.modified = datetime.datetime(day.year, day.month, day.day)
    out = BytesIO()
    presentation.save(out)
    return make_timeless(out.getvalue(), day)


def _title(slide: Any, text: str) -> None:
    shape = slide.shapes.title
    _place(shape, (LEFT, 0.35, WIDE, 0.95))
    shape.text_frame.word_wrap = True
    shape.text_frame.vertical_anchor = MSO_ANCHOR.BOTTOM
    _no_margins(shape.text_frame)
    # Names may be long: a title of three lines has to fit where one of two does.
    size = 28 if len(text) <= 110 else 20
    shape.text_frame.paragraphs[0].alignment = PP_ALIGN.LEFT
    _add_run(shape.text_frame.paragraphs[0], text, size, INK, bold=True)


def _changes(slide: Any, comparison: Comparison, plan_name: str) -> None:
    base = shorten_name(with_article(comparison.baseline), MOST_LETTERS)
    _add_text(slide, (LEFT, 1.88, LEFT_WIDE, 0.35), f"From Monday, hours a week against {base}", 14, INK, bold=True)
    plans = comparison.scenario, comparison[plan_name].plan, comparison[comparison.baseline].plan
    uses, coverage = changed_uses(*plans), changed_coverage(*plans)
    room = MOST_ROWS - bool(coverage)
    largest = sorted(uses, key=lambda use: -abs(use.planned - use.today))[: room - 1]
    shown = uses if len(uses) <= room else [use for use in uses if use in largest]
    rows = max(1, min(len(uses), room) + bool(coverage))
    frame = slide.shapes.add_table(rows, 3, *map(Inches, (LEFT, TOP, LEFT_WIDE, ROW * rows)))
    frame._element.nvGraphicFramePr.cNvPr.set("descr", "What to stop, start and keep, in hours a week")
    table = frame.table
    table.first_row = table.horz_banding = False
    for column, width in enumerate((0.75, 3.6, 1.25)):
        table.columns[column].width = Inches(width)
    if coverage:
        _cell(table.cell(0, 0), [("COVER", 12, INK, True)])
        _cell(table.cell(0, 1), [(listed(coverage, COVERAGE_LETTERS), 13 if len(coverage) == 1 else 11, INK, False)])
        table.cell(0, 1).merge(table.cell(0, 2))
    for i, use in enumerate(shown, int(bool(coverage))):
        _fill_row(table, i, use)
    if len(shown) < len(uses):
        _cell(table.cell(rows - 1, 1), [(f"and {count_of(len(uses) - len(shown), 'smaller change')}", 12, PALE, False)])
    for i in range(rows):
        table.rows[i].height = Inches(ROW)
        for column in range(3):
            _style_cell(table.cell(i, column))


def _fill_row(table: Any, i: int, use: ChangedUse) -> None:
    _cell(table.cell(i, 0), [(use.kind.upper(), 12, KIND_INKS[use.kind], True)])
    names = [(f"  {use.targets}", 11, PALE, False)] if use.targets else []
    _cell(table.cell(i, 1), [(use.what, 13, INK, False), *names])
    hours = tenths(use.planned) if use.kind == "keep" else f"{tenths(use.today)} → {tenths(use.planned)}"
    _cell(table.cell(i, 2), [(hours, 13, INK, False)])
    table.cell(i, 2).text_frame.paragraphs[0].alignment = PP_ALIGN.RIGHT


def _cards(slide: Any, comparison: Comparison, plan_name: str) -> None:
    result = comparison[plan_name]
    first = result.difference_by_quarter_usd[0]
    words = {"ahead": "Gained in quarter 1", "behind": "Cost in quarter 1"}.get(first.verdict, "Quarter 1, not clear")
    back = payback(comparison, result) if result.difference_usd.clear else "no clear difference"
    over = f"Over {count_of(comparison.scenario.horizon_quarters, 'quarter')}"
    wide = (LEFT_WIDE - 0.2) / 2
    for left, head, big, small in (
        (LEFT, words, usd(first.value, sign=True), difference_interval(first)),
        (LEFT + wide + 0.2, over, with_capital(back), "by the mean of the markets"),
    ):
        card = slide.shapes.add_textbox(*map(Inches, (left, 5.32, wide, 1.02)))
        card.fill.solid()
        card.fill.fore_color.rgb = RGBColor.from_string("EEF3F8")
        frame = card.text_frame
        frame.word_wrap, frame.auto_size, frame.vertical_anchor = True, MSO_AUTO_SIZE.NONE, MSO_ANCHOR.MIDDLE
        _add_run(frame.paragraphs[0], head, 11, PALE, bold=True)
        _add_run(frame.add_paragraph(), big, 22 if len(big) <= 12 else 16, INK, bold=True)
        _add_run(frame.add_paragraph(), small, 11, PALE)


def _chart(slide: Any, comparison: Comparison, plan_name: str) -> None:
    """The difference so far by quarter with both ends of its interval, as a native chart."""
    so_far = comparison[plan_name].difference_to_quarter_usd
    base = shorten_name(with_article(comparison.baseline), MOST_LETTERS)
    last = so_far[-1]
    head = f"Quota credit against {base}: {usd(last.value, sign=True)} after {count_of(len(so_far), 'quarter')}"
    _add_text(slide, (RIGHT, 1.88, RIGHT_WIDE, 0.35), head, 14, INK, bold=True)
    form = _money_format(so_far)
    data = CategoryChartData(number_format=form)
    data.categories = [f"Q{q}" for q in range(1, len(so_far) + 1)]
    data.add_series("mean", [estimate.value for estimate in so_far])
    # One market has no interval.
    if comparison.replications > 1:
        data.add_series("95% low", [estimate.low for estimate in so_far])
        data.add_series("95% high", [estimate.high for estimate in so_far])
    room = map(Inches, (RIGHT - 0.1, TOP - 0.02, RIGHT_WIDE + 0.1, 4.06))
    frame = slide.shapes.add_chart(XL_CHART_TYPE.LINE, *room, data)
    frame._element.nvGraphicFramePr.cNvPr.set("descr", forwardable_line(f"{head}, {difference_interval(last)}"))
    chart = frame.chart
    chart.has_title, chart.has_legend = False, True
    chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False
    chart.font.size, chart.font.color.rgb = Pt(11), RGBColor.from_string(PALE)
    _axes(chart, form)
    if not any(estimate.value for estimate in so_far):
        # Left to itself the axis of a level line counts in cents.
        chart.value_axis.minimum_scale, chart.value_axis.maximum_scale, chart.value_axis.major_unit = -1, 1, 1
    looks = ((MEAN, MSO_LINE.SOLID, 3.0), (ENDS, MSO_LINE.DASH, 1.5), (ENDS, MSO_LINE.ROUND_DOT, 1.5))
    for series, (colour, dash, width) in zip(chart.plots[0].series, looks, strict=False):
        series.smooth = False
        line = series.format.line
        line.color.rgb, line.dash_style, line.width = RGBColor.from_string(colour[1:]), dash, Pt(width)


def _axes(chart: Any, form: str) -> None:
    value, category = chart.value_axis, chart.category_axis
    value.tick_labels.number_format, value.tick_labels.number_format_is_linked = form, False
    value.format.line.fill.background()
    value.major_gridlines.format.line.color.rgb = RGBColor.from_string(RULE)
    # Where the baseline is: quarters stand below it, not on it.
    category.format.line.color.rgb, category.format.line.width = RGBColor.from_string(INK), Pt(1)
    category.major_tick_mark = XL_TICK_MARK.NONE
    category.tick_label_position = XL_TICK_LABEL_POSITION.LOW


def _money_format(values: Sequence[Estimate]) -> str:
    """Dollars as they are in the chart's data, in thousands or millions on its axis."""
    largest = max(abs(value.value) for value in values)
    thousands = "" if largest < 10_000 else ',"k"' if largest < 10_000_000 else ',,"M"'
    return f"+$#,##0{thousands};-$#,##0{thousands};$0"


def _add_text(
    slide: Any, room: tuple[float, float, float, float], text: str, size: int, ink: str, bold: bool = False
) -> None:
    """A line of text at (left, top, width, height) in inches."""
    frame = slide.shapes.add_textbox(*map(Inches, room)).text_frame
    frame.word_wrap = True
    _no_margins(frame)
    _add_run(frame.paragraphs[0], text, size, ink, bold)


def _add_run(paragraph: Any, text: str, size: int, ink: str, bold: bool = False) -> None:
    run = paragraph.add_run()
    run.text = forwardable_line(text)
    run.font.size, run.font.bold, run.font.color.rgb = Pt(size), bold, RGBColor.from_string(ink)


def _cell(cell: Any, runs: Sequence[tuple[str, int, str, bool]]) -> None:
    for text, size, ink, bold in runs:
        _add_run(cell.text_frame.paragraphs[0], text, size, ink, bold)


def _style_cell(cell: Any) -> None:
    cell.fill.background()
    cell.vertical_anchor = MSO_ANCHOR.MIDDLE
    cell.margin_left = cell.margin_right = Inches(0.05)
    cell.margin_top = cell.margin_bottom = Inches(0.02)


def _place(shape: Any, room: tuple[float, float, float, float]) -> None:
    shape.left, shape.top, shape.width, shape.height = map(Inches, room)


def _no_margins(frame: Any) -> None:
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0


EARLIEST = (1980, 1, 1, 0, 0, 0)
"""A zip file knows no earlier time."""
MADE = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def make_timeless(office_file: bytes, day: datetime.date) -> bytes:
    """Date a document, its parts and the workbooks in it to midnight of a day."""
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(office_file)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = old.read(name)
            if name.endswith(".xlsx"):
                part = make_timeless(part, day)
            elif name == "docProps/core.xml":
                part = MADE.sub(f"{day.isoformat()}T00:00:00Z".encode(), part)
            entry = zipfile.ZipInfo(name, EARLIEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, part)
    return out.getvalue()


LINE_LETTERS, NAME_LETTERS = 40, 22


@dataclass(frozen=True)
class ChangedUse:
    """An activity with all whose hours for it change in the same way. Hours a week, in all."""

    kind: str
    what: str
    targets: str
    """partners, candidates or segments, as many as there is room for; empty for selling"""
    today: float
    planned: float


def changed_uses(scenario: Scenario, plan: TimePlan, against: TimePlan, quarter: int = 1) -> list[ChangedUse]:
    """The uses of the manager's time in a quarter (from 1) by kind of change, the largest of each kind first."""
    groups: dict[tuple[str, str], list[Change]] = {}
    for change in changes(scenario, plan, quarter, against):
        groups.setdefault((change.kind, change.activity), []).append(change)
    uses = []
    for (kind, activity), group in groups.items():
        what, names = ACTIVITY_WORDS[activity], [change.target for change in group if change.target]
        today, planned = (sum(change.today for change in group), sum(change.planned for change in group))
        uses.append(ChangedUse(kind, what, _targets(scenario, names, LINE_LETTERS - len(what)), today, planned))
    return sorted(uses, key=lambda use: (CHANGE_KINDS.index(use.kind), -abs(use.planned - use.today), -use.today))


def changed_coverage(scenario: Scenario, plan: TimePlan, against: TimePlan) -> list[str]:
    """The segments that the plan covers in another way, with that way: enterprise direct."""
    modes, before = (one.table(scenario).coverage_mode for one in (plan, against))
    return [
        f"{shorten_name(name, NAME_LETTERS)} {COVERAGE_WORDS[mode]}"
        for name, mode, today in zip(scenario.segment_names, modes, before, strict=True)
        if mode != today
    ]


def _targets(scenario: Scenario, names: list[str], letters: int) -> str:
    """The names as far as the letters carry; that of every partner in two words."""
    if len(names) > 1 and set(names) == {partner.name for partner in scenario.partners}:
        return "every partner"
    return listed([shorten_name(name, NAME_LETTERS) for name in sorted(names)], letters)
