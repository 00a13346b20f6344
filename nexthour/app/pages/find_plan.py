"""Find a plan: what is wanted and what must hold, the search, and what was found.

Nothing is searched until somebody asks. What was found stays in the server under what was asked for, so a reload or a
link shows it again; after a restart of the server it is searched anew when asked.

Left out: the form (plan_form.py), how a job goes (job_status.py), and what a plan looks like (certificate.py,
frontier.py), and where a block of the Monday sheet stands (optimize/monday/sheet.py).
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from nexthour.app import job_status
from nexthour.app.charts.tables import html_table
from nexthour.app.page import PageContext, caption, caveat, draw_page, escaped
from nexthour.app.sections import certificate, frontier, plan_form, save_plan
from nexthour.app.state import library, url_state
from nexthour.app.state.url_state import Field
from nexthour.report.plan import clock, from_week
from nexthour.report.text import with_capital
from sim import NextHourError
from sim.errors import short_line
from sim.split import Split

if TYPE_CHECKING:
    from optimize import Answer, PlanRequest
    from optimize.monday.sheet import MondaySheet
    from sim.plan import Who

PAGE = plan_form.PAGE
PARTS = {
    "plan": "The plan",
    "good": "How good it is",
    "why": "Why this plan",
    "years": "This year or next",
    "monday": "Monday sheet",
}
WHOSE: dict[Who, str] = {"territory_manager": "Territory manager", "channel_account_manager": "Channel account manager"}


def show() -> None:
    """Draw the page."""
    draw_page(PAGE, "Find a plan", _page, _fields)


def _fields(context: PageContext) -> Sequence[Field]:
    asked = plan_form.fields(context)
    first = next(int(url_state.peek(PAGE, field)) for field in asked if field.key == "from")
    return [
        *asked,
        url_state.choice("show", list(PARTS), next(iter(PARTS))),
        url_state.number("quarter", 1, context.scenario.horizon_quarters, first),
        *frontier.fields_of_frontier(context),
    ]


def _page(context: PageContext) -> None:
    from optimize.request import PlanRequest

    plan_form.arriving()
    state = {field.key: st.session_state[field.key] for field in plan_form.fields(context)}
    request, problem = None, ""
    try:
        request = plan_form.request_of(context, state)
    except NextHourError as wrong:
        problem = plan_form.on_the_page(short_line(str(wrong)))
    job = None if request is None else job_status.wanted_job("plan", context, {"request": request})
    is_new = job is None or job.state == "failed"
    with st.expander("What to find, and what must hold", expanded=is_new):
        plan_form.controls(context)
    if request is None:
        st.error(escaped(problem))
    elif not is_new or request != PlanRequest(seed=context.seed):
        caption(f"Asked for: {plan_form.request_words(request)}.")
    if is_new:
        job_status.start_button(
            "Find the plan", "plan", context, {"request": request}, type="primary", disabled=bool(problem)
        )
        caption(
            "It takes a minute or a few. The plan may change every quarter, and is tried in thousands of markets that "
            "the search never saw."
        )
    job_status.offer_to_cancel_another("plan", job, "Another search of yours still goes on.")
    if (
        request is not None
        and job is not None
        and (answer := job_status.result_or_progress(job, "Finding the plan")) is not None
    ):
        _draw_answer(context, request, answer)
    caveat()


def _draw_answer(context: PageContext, request: PlanRequest, answer: Answer) -> None:
    certificate.draw_headline(answer)
    asked = with_capital(plan_form.request_words(request))
    name = textwrap.shorten(asked, library.LONGEST_NAME, placeholder=" …")
    save_plan.draw(context, answer.plan, name, "plan", _best_split(answer))
    st.segmented_control("Look at", list(PARTS), key="show", format_func=PARTS.__getitem__, required=True)
    part = st.session_state["show"]
    if part == "plan":
        certificate.draw_hours(answer)
    elif part == "good":
        certificate.draw_certificate(answer)
    elif part == "why":
        _draw_reasons(context, request, answer)
    elif part == "years":
        frontier.draw(context, request)
    else:
        _draw_monday_sheet(answer)


def _draw_reasons(context: PageContext, request: PlanRequest, answer: Answer) -> None:
    st.subheader("Why, and what would change it", anchor=False)
    job = job_status.wanted_job("reasons", context, {"request": request})
    if job is None or job.state == "failed":
        caption(
            "What an hour is worth in each quarter, what each limit costs, how flat the top is, and what would have to "
            "be true for the next best plan to win. It takes about as long as finding the plan."
        )
        job_status.start_button("Why this plan?", "reasons", context, {"request": request})
    if job is not None and (result := job_status.result_or_progress(job, "Finding the reasons")) is not None:
        certificate.draw_reasons(answer, result)


def _best_split(answer: Answer) -> Split | None:
    """What the certificate measures against, in words that a link can carry."""
    from optimize.search.baseline_plans import splits

    return next((split for split in splits(answer.scenario) if split.name == answer.certificate.best_split), None)


def _draw_monday_sheet(answer: Answer) -> None:
    """A quarter as blocks of the week, for the eye and for the calendar."""
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
