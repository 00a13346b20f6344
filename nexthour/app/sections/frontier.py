"""This year against the next: plans from the most patient to the hastiest, as points to choose from.

Left out: how they are found (optimize/proof/frontier.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from nexthour.app import job_status
from nexthour.app.charts import plan as plan_charts
from nexthour.app.charts.tables import html_table
from nexthour.app.page import PageContext, caption, picture
from nexthour.app.sections import save_plan
from nexthour.app.state import url_state
from nexthour.app.state.url_state import Field
from nexthour.report import plan as plan_report
from nexthour.report.text import with_capital
from optimize.options import FRONTIER_THROUGH
from sim import Scenario, TimePlan

if TYPE_CHECKING:
    from optimize import Frontier, PlanRequest

PICTURE, CHOSEN_POINT, THROUGH = "frontier picture", "point", "through"
"""Keys: the picture, the field of the chosen point, and that of the last planned quarter."""


def fields_of_frontier(context: PageContext) -> Sequence[Field]:
    """The fields of the picture."""
    horizon = context.scenario.horizon_quarters
    least = min(FRONTIER_THROUGH.least, horizon)
    return [url_state.number(THROUGH, least, horizon, least), url_state.text(CHOSEN_POINT)]


def draw(context: PageContext, request: PlanRequest) -> None:
    """Draw this year against the next, or offer to find it."""
    from optimize.request import PlanRequest

    st.subheader("This year against the next", anchor=False)
    horizon = context.scenario.horizon_quarters
    if horizon < FRONTIER_THROUGH.least:
        caption("The scenario has less than a year, so there is no next one to weigh it against.")
        return
    caption(
        "What does this year's attainment cost in the run-rate with which the next one begins? Plans with the same "
        "limits, from the most patient to the hastiest."
    )
    if horizon > FRONTIER_THROUGH.least:
        st.selectbox(
            "Quarters that are planned; the run-rate is that of the year after them",
            range(FRONTIER_THROUGH.least, horizon + 1), key=THROUGH,
        )  # fmt: skip
    through = st.session_state[THROUGH]
    # The objective is the frontier's own, so whoever changes that of the plan sees the same one.
    arguments = {"request": PlanRequest(**dict(request.limits), seed=request.seed), "through": through}
    job = job_status.wanted_job("frontier", context, arguments)
    if job is None or job.state == "failed":
        job_status.start_button("Draw this year against the next", "frontier", context, arguments)
    if job is not None and (result := job_status.result_or_progress(job, "Finding plans to draw")) is not None:
        _draw_frontier(context, result)


def _draw_frontier(context: PageContext, frontier: Frontier) -> None:
    proven = [point for point in frontier.points if point.proven]
    names = [point.plan.name for point in proven]
    for line in plan_report.frontier_notes(frontier):
        caption(line)
    if not names:
        return
    if st.session_state[CHOSEN_POINT] not in names:
        st.session_state[CHOSEN_POINT] = names[len(names) // 2]
    chosen = st.session_state[CHOSEN_POINT]
    drawn = [(point.plan.name, point.attainment, point.exit_usd) for point in (*proven, frontier.status_quo)]
    spec = plan_charts.frontier_points(
        drawn, frontier.status_quo.plan.name, chosen, plan_report.frontier_question(frontier)
    )
    picture(spec, on_select=_choose_clicked, key=PICTURE)
    st.radio("The chosen plan", names, key=CHOSEN_POINT, horizontal=True, format_func=_point_title)
    rows = [plan_report.frontier_row(point) for point in (*proven, frontier.status_quo)]
    heads = ["Plan", *map(with_capital, plan_report.FRONTIER_COLUMNS)]
    st.html(html_table("The plans of the picture", heads, [[_point_title(name), *row] for name, *row in rows]))
    point = proven[names.index(chosen)]
    plan = going_on(context.scenario, point.plan, frontier.scenario.horizon_quarters)
    if frontier.scenario.horizon_quarters < context.scenario.horizon_quarters:
        caption(
            f"As it is saved, what it does in Q{frontier.scenario.horizon_quarters} goes on to the end of the horizon."
        )
    save_plan.draw(context, plan, f"this year against the next, {_point_title(chosen)}", "point")


def going_on(scenario: Scenario, plan: TimePlan, through: int) -> TimePlan:
    """A plan of the first quarters, with what it does in the last of them until the end of the horizon."""
    if through >= scenario.horizon_quarters:
        return plan
    rows: dict[str, Any] = {
        name: tuple(
            row.model_copy(update={"to_quarter": None}) if row.to_quarter == through else row
            for row in getattr(plan, name)
        )
        for name in ("hours", "parked")
    }
    return plan.model_copy(update=rows)


def _point_title(name: str) -> str:
    return name.replace("frontier", "plan")


def _choose_clicked() -> None:
    """A click on a point is the choice of its name; one beside all points is none."""
    chosen = st.session_state[PICTURE].selection[plan_charts.POINT]
    if chosen:
        st.session_state[CHOSEN_POINT] = chosen[0]["name"]
