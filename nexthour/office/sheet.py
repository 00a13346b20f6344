"""A worksheet that takes text as text and numbers as numbers, in a few styles and ready to print.

Text comes from anybody: it is written as a string, never as a formula or a link, on one line, in words that can be
forwarded. A formula is written with its value, for readers that do not calculate.

Left out: what stands in the sheets (workbook.py).
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from io import BytesIO
from math import isfinite
from textwrap import wrap
from typing import Any

import xlsxwriter

from nexthour.report.text import forwardable_line
from sim.study.estimates import Estimate

LONGEST_TEXT = 32_000
"""A cell holds 32,767 letters."""
NO_NUMBER = "none"
A4 = 9
LINE_HEIGHT, HIGHEST_ROW = 15, 405
"""Heights of rows in points."""
WRAP_ROOM = 3
"""Letters of a column's width that a wrapped line does without: capitals are wider than most."""
NUMBERS = {
    "usd": "$#,##0;-$#,##0",
    "change": "+$#,##0;-$#,##0;$0",
    "share": "0.0%",
    "change_share": "+0.0%;-0.0%;0.0%",
    "hours": "0.00",
    "weeks": "0.0",
    "count": "#,##0",
    "plain": "General",
}
"""Number formats by what the number is."""
HEAD = {"bold": True, "text_wrap": True, "valign": "bottom", "bottom": 1, "bg_color": "#E8EEF4"}
TEXTS: dict[str, dict[str, Any]] = {
    "title": {"bold": True, "font_size": 16},
    "head": {**HEAD, "indent": 1},
    "head_right": {**HEAD, "align": "right"},
    "text": {"indent": 1},
    "wrap": {"text_wrap": True, "indent": 1},
    "note": {"font_color": "#555555", "italic": True},
}
"""Looks of text by its kind."""
TOTAL = {"bold": True, "top": 1}


class Book:
    """A workbook in memory."""

    def __init__(self, title: str, footer: str, day: datetime.date) -> None:
        self._bytes = BytesIO()
        self._book = xlsxwriter.Workbook(
            self._bytes,
            {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
        )
        # Otherwise it is the time of day at which it is made, and no two files are equal.
        made = datetime.datetime(day.year, day.month, day.day, tzinfo=datetime.UTC)
        self._book.set_properties({"title": forwardable_line(title), "author": "Next Hour", "created": made})
        self._footer = footer
        self._formats: dict[tuple[str, bool], Any] = {}

    def sheet(self, name: str, widths: Sequence[float], repeat: int) -> Sheet:
        """A new sheet whose columns have these widths in letters; its first `repeat` rows stay and are printed on
        every page."""
        worksheet = self._book.add_worksheet(name)
        for column, width in enumerate(widths):
            worksheet.set_column(column, column, width)
        worksheet.freeze_panes(repeat, 1)
        worksheet.hide_gridlines(2)
        worksheet.set_landscape()
        worksheet.set_paper(A4)
        worksheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        worksheet.fit_to_pages(1, 0)
        if repeat:
            worksheet.repeat_rows(0, repeat - 1)
        worksheet.set_footer(f"&L{self._footer.replace('&', '&&')}&RPage &P of &N")
        return Sheet(self, worksheet, name, widths)

    def line_chart(self) -> Any:
        """A new line chart, which belongs on a sheet."""
        return self._book.add_chart({"type": "line"})

    def style(self, name: str, total: bool = False) -> Any:
        """A number format of NUMBERS or a kind of text; a total is bold under a line."""
        if (name, total) not in self._formats:
            own = {"num_format": NUMBERS[name], "align": "right"} if name in NUMBERS else TEXTS[name]
            looks = {"font_name": "Calibri", "font_size": 11, "valign": "top", **own}
            self._formats[name, total] = self._book.add_format(looks | (TOTAL if total else {}))
        return self._formats[name, total]

    def close(self) -> bytes:
        """End the workbook and return the bytes of its file."""
        self._book.close()
        return self._bytes.getvalue()


class Sheet:
    """A worksheet of a book. Rows and columns count from 0."""

    def __init__(self, book: Book, worksheet: Any, name: str, widths: Sequence[float]) -> None:
        self.book, self.worksheet, self.name, self.widths = book, worksheet, name, widths

    def text(self, row: int, column: int, text: str, style: str = "text", total: bool = False) -> None:
        """Write text that anybody may have made."""
        safe = forwardable_line(text)[:LONGEST_TEXT]
        self.worksheet.write_string(row, column, safe, self.book.style(style, total))

    def heads(self, row: int, words: Sequence[str], texts: Sequence[int] = (0,)) -> None:
        """Write the heads of columns; those of `texts` hold text, the others numbers."""
        for column, word in enumerate(words):
            self.text(row, column, word, "head" if column in texts else "head_right")
        self._fit_height(row, max(self._lines(column, word) for column, word in enumerate(words)))

    def wrapped(self, row: int, texts: Mapping[int, str]) -> None:
        """Write text by column, on as many lines as it takes."""
        lines = 1
        for column, text in texts.items():
            self.text(row, column, text, "wrap")
            lines = max(lines, self._lines(column, text))
        self._fit_height(row, lines)

    def _lines(self, column: int, text: str) -> int:
        return len(wrap(text, max(1, int(self.widths[column]) - WRAP_ROOM)))

    def _fit_height(self, row: int, lines: int) -> None:
        # Not every reader makes a row as high as its text; none goes above the highest.
        self.worksheet.set_row(row, min(HIGHEST_ROW, LINE_HEIGHT * lines))

    def number(self, row: int, column: int, value: float, style: str, total: bool = False) -> None:
        """Write a number; an endless end of an interval is none."""
        if isfinite(value):
            self.worksheet.write_number(row, column, value, self.book.style(style, total))
        else:
            self.worksheet.write_string(row, column, NO_NUMBER, self.book.style(style, total))

    def numbers(self, row: int, column: int, values: Sequence[float], style: str, total: bool = False) -> None:
        """Write numbers into the cells of a row, from a column on."""
        for i, value in enumerate(values):
            self.number(row, column + i, value, style, total)

    def estimate(self, row: int, column: int, estimate: Estimate, style: str, total: bool = False) -> None:
        """Write value, low and high into three cells."""
        self.numbers(row, column, (estimate.value, estimate.low, estimate.high), style, total)

    def formula(self, row: int, column: int, formula: str, value: float, style: str, total: bool = True) -> None:
        """Write a formula, and `value`, which is what it gives."""
        self.worksheet.write_formula(row, column, formula, self.book.style(style, total), value)
