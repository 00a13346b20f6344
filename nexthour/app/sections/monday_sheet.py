"""The Monday sheet of a found plan: a quarter as blocks of the week, for the eye and for the calendar.

Left out: where a block stands (optimize/monday/sheet.py), and the calendar's format (optimize/monday/ics.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from nexthour.app.charts.tables import html_table
from nexthour.app.page import caption
from nexthour.report.plan import clock, from_week

if TYPE_CHECKING:
    from optimize import Answer
    from optimize.monday.sheet import MondaySheet
    from sim.plan import Who

WHOSE: dict[Who, str] = {"territory_manager": "Territory manager", "channel_account_manager": "Channel account manager"}


def draw(answer: Answer) -> None:
    """Draw the sheet of the quarter in the field `quarter`."""
    from optimize.monday.sheet import monday_sheet

    st.subheader("Into the calendar", anchor=False)
    st.selectbox(
        "Quarter", range(1, answer.scenario.horizon_quarters + 1), key="quarter", format_func=lambda q: f"Q{q}"
    )
    sheet = monday_sheet(answer.scenario, answer.plan, st.session_state["quarter"])
    day = sheet.first_day
    caption(
        f"Q{sheet.quarter} begins on {day.day} {day:%b} {day.year}. What is not in the table is for selling; the "
        "calendar file has blocks for that too."
    )
    for who, name in WHOSE.items():
        has_lines = any(line.who == who for line in sheet.lines)
        if not has_lines and who != "territory_manager":
            continue
        st.html(blocks_table(sheet, who, f"{name}, Q{sheet.quarter}"))
        _draw_download(sheet, who)
    for line in sheet.notes:
        caption(line)


def blocks_table(sheet: MondaySheet, who: Who, title: str) -> str:
    """What begins when, by day of the week; all but selling, which takes what that leaves."""
    rows = [
        (block.weekday, clock(block.start), block.what, block.cadence + from_week(block))
        for block in sheet.blocks
        if block.who == who and block.activity != "sell"
    ]
    return html_table(title, ["Day", "At", "What", "How often"], rows)


def _draw_download(sheet: MondaySheet, who: Who) -> None:
    from optimize.monday.ics import calendar_text

    st.download_button(
        f"Calendar file of Q{sheet.quarter} (ICS)", calendar_text(sheet, who), key=f"ics {who}",
        file_name=f"next-hour-q{sheet.quarter}{'' if who == 'territory_manager' else '-account-manager'}.ics",
        mime="text/calendar", on_click="ignore",
        help="Import it into a calendar of its own: importing again then updates it.",
    )  # fmt: skip
