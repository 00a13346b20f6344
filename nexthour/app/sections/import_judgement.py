"""Import, judgement: what people expect of more help, and the gains that say the same in the model.

The same calls and words as `nexthour judgement`. Left out: the ways in (entry.py).
"""

import streamlit as st

import nexthour.report.calibration as report
from nexthour.app import controls
from nexthour.app.page import PageContext, caption, caveat, escaped, lead_text
from nexthour.app.sections import entry
from nexthour.calibrate.people.judgement import Judgement, JudgementRow, fit_judgement, read_judgement, with_judgement
from sim import NextHourError, Scenario

KIND = entry.TableKind(
    "judgement", JudgementRow, ("person", "partner", "activity"), read_judgement, "blank_judgement.csv",
    "made_up_judgement.csv",
)  # fmt: skip
INTRODUCTION = (
    "Ask several, each alone: what would this partner sell in a year with none of your coaching, with today's, "
    "with double, with as much as it can use? Any unit, so long as it is the same along the row."
)


def draw(context: PageContext) -> None:
    """Draw the section."""
    table = entry.draw(
        KIND, {"partner": entry.partners_and_kinds([partner.name for partner in context.scenario.partners])}
    )
    if table is None:
        return
    try:
        judgement, scenario = fit_scenario(table, context.scenario)
    except NextHourError as problem:
        controls.draw_problems(problem)
        return
    _draw_result(judgement, context.scenario)
    controls.draw_save_form(scenario, f"{context.scenario.name}, own judgement", "judgement")
    caveat()


@st.cache_resource(max_entries=20, show_spinner="Fitting ...", hash_funcs=entry.BY_CONTENT)
def fit_scenario(table: entry.FilledTable[JudgementRow], before: Scenario) -> tuple[Judgement, Scenario]:
    """What was said as gains, and the scenario that has them. Raises NextHourError."""
    judgement = fit_judgement(table.rows, before, table.name)
    return judgement, with_judgement(before, judgement)


def _draw_result(judgement: Judgement, before: Scenario) -> None:
    lead_text(f"What {report.people_count(judgement)} said, as gains a week.")
    for rows in report.opinion_tables(judgement, before):
        controls.results_table(rows, f"What each person's answers mean for {rows.headers[0]}")
    caption(report.ABOUT_PEOPLE)
    st.markdown(f"**{report.ABOUT_ANSWERS}**")
    controls.results_table(report.answer_table(judgement), report.ABOUT_ANSWERS)
    caption(report.ABOUT_WHOM)
    for line in report.doubt_lines(judgement):
        st.warning(escaped(line))
