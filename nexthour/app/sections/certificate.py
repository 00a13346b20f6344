"""A plan that was found, as people see it: what it gains, hour by hour, how good it is, and why.

The sentences are those of the terminal (nexthour/report/plan.py). Left out: the search (find_plan.py), and the week
(pages/find_plan.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from nexthour.app.charts import plan as plan_charts
from nexthour.app.charts.tables import html_table
from nexthour.app.page import caption, escaped, lead_text, picture
from nexthour.report import plan as plan_report
from nexthour.report.numbers import count_of, count_of_total, interval, of_100, signed_percent, whole_percent
from nexthour.report.text import with_capital
from sim.plan import ACTIVITY_WORDS

if TYPE_CHECKING:
    from optimize import Answer, Explanation

NAME = "this plan"
NUMBER_WIDTH = 165
"""Pixels of a number with its label."""


def draw_headline(answer: Answer) -> None:
    """Draw what a plan gains against what is done today, and how surely."""
    certificate = answer.certificate
    share, worlds, quota = certificate.difference_share, certificate.worlds_ahead, certificate.chance_of_quota[-1]
    numbers = (
        (f"Against {certificate.against}", signed_percent(share.value), f"95% interval {interval(share)}."),
        (
            "Markets ahead",
            of_100(certificate.markets_ahead.value),
            f"{count_of_total(certificate.markets_ahead)} markets.",
        ),
        (
            "Worlds better",
            "not known" if worlds is None else of_100(worlds.value),
            "Plausible worlds: sets of assumptions drawn from their ranges. After a past there are none.",
        ),
        (
            f"Chance of quota, Q{answer.scenario.horizon_quarters}",
            whole_percent(quota.value),
            f"95% interval {interval(quota, whole_percent)}.",
        ),
    )
    with st.container(horizontal=True, gap="small"):  # two beside each other on a phone
        for label, value, more in numbers:
            st.metric(escaped(label), value, help=more, width=NUMBER_WIDTH)
    lead_text(f"This plan is {plan_report.difference(certificate)}. {plan_report.totals(answer)}")
    if missed := plan_report.floors_missed(certificate):
        st.warning(escaped(missed))
    for line in plan_report.so_far_lines(answer):
        caption(line)


def draw_hours(answer: Answer) -> None:
    """Draw a plan by quarter, and what it changes in the first."""
    scenario, plan = answer.scenario, answer.plan
    st.subheader(f"What changes in Q{answer.quarter}, hours a week", anchor=False)
    *changes, cost = plan_report.first_quarter_lines(answer)
    _draw_list(changes, bold_kind=True)
    caption(f"{with_capital(cost)}.")
    for line in (*plan_report.parked_lines(answer), *plan_report.coverage_lines(answer)):
        caption(line)
    hours_by = plan.table(scenario)
    by_activity = {ACTIVITY_WORDS[use]: row for use, row in plan.hours_by_activity(scenario).items()}
    partner_hours = hours_by.partner.sum(axis=1)
    by_partner = {name: partner_hours[:, p] for p, name in enumerate(scenario.partner_names)}
    left, right = st.columns(2, gap="large")
    with left:
        picture(plan_charts.hours_heat(by_activity, f"{NAME}, by activity"))
    with right:
        if partner_hours.any():
            picture(plan_charts.hours_heat(by_partner, f"{NAME}, by partner"))
        else:
            caption("Nobody among the partners gets planned hours.")
    with st.expander("The same as a table"):
        quarters = [f"Q{q}" for q in range(1, scenario.horizon_quarters + 1)]
        rows = [[word.strip(), *map(plan_report.hours_cell, row)] for word, row in plan_report.hours_rows(answer)]
        st.html(html_table(f"Hours a week under {NAME}", ["On what", *quarters], rows))
    picture(plan_charts.attainment_bars(answer.certificate.attainment_by_quarter, NAME))


def draw_certificate(answer: Answer) -> None:
    """Draw the certificate, in words."""
    st.subheader("How good it is, and how we know", anchor=False)
    _draw_list(plan_report.certificate_lines(answer))
    markets = count_of(answer.certificate.realised_estimate.observations, "market")
    caption(f"Figures without an interval are means over {markets} or come from the solver, and have none.")


def draw_reasons(answer: Answer, explanation: Explanation) -> None:
    """Draw what an hour is worth, what limits cost, and what would have to be true for another plan to win."""
    if explanation.hour_value_usd:
        picture(plan_charts.hour_value_bars(explanation.hour_value_usd, answer.quarter))
    _draw_list(plan_report.reason_lines(answer, explanation))


def _draw_list(lines: list[str], bold_kind: bool = False) -> None:
    """A line each; with `bold_kind`, what stands before the colon is what to look for."""
    st.markdown("\n".join(f"- {_kind_first(line) if bold_kind else escaped(with_capital(line))}" for line in lines))


def _kind_first(line: str) -> str:
    kind, _, what = line.partition(": ")
    return f"**{escaped(with_capital(kind))}:** {escaped(what)}"
