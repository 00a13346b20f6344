"""Import, partners: what is seen of each partner, and what kind it is, how skilled and how engaged.

The same calls and words as `nexthour partners`. Left out: the ways in (entry.py).
"""

import streamlit as st

import nexthour.report.calibration as report
from nexthour.app import controls
from nexthour.app.page import PageContext, caption, escaped, lead_text
from nexthour.app.sections import entry
from nexthour.calibrate.people.partner_intake import Intake, infer_partners, plans_to_mend, with_intake
from nexthour.calibrate.people.partner_posterior import PartnerRow, read_partners
from sim import NextHourError, Scenario

KIND = entry.TableKind(
    "partners", PartnerRow, ("partner",), read_partners, "blank_partners.csv", "made_up_partners.csv"
)
LEAST_WEEKS, MOST_WEEKS, USUAL_WEEKS = 1, 520, 52
INTRODUCTION = (
    "Write down what you see of each partner, a row each; the scenario in the sidebar gives the rest, a partner's "
    "accounts and margin by its name."
)


def draw(context: PageContext) -> None:
    """Draw the section."""
    table = entry.draw(KIND, {"partner": [partner.name for partner in context.scenario.partners]})
    if table is None:
        return
    weeks = st.number_input(
        "Length of the period that the table is about, in weeks up to today", LEAST_WEEKS, MOST_WEEKS, USUAL_WEEKS,
        key="partners weeks",
    )  # fmt: skip
    try:
        intake, scenario = infer_scenario(table, context.scenario, weeks)
    except NextHourError as problem:
        controls.draw_problems(problem)
        return
    _draw_result(intake, context.scenario, scenario)
    controls.draw_save_form(without_impossible_plans(scenario), f"{context.scenario.name}, own partners", "partners")


@st.cache_resource(max_entries=20, show_spinner="Reading what the partners did ...", hash_funcs=entry.BY_CONTENT)
def infer_scenario(table: entry.FilledTable[PartnerRow], before: Scenario, weeks: float) -> tuple[Intake, Scenario]:
    """What is to be believed of the partners, and the scenario that has them. Raises NextHourError."""
    intake = infer_partners(table.rows, before, weeks, table.name)
    return intake, with_intake(before, intake)


def without_impossible_plans(scenario: Scenario) -> Scenario:
    """The scenario with those of its plans that its partners allow."""
    alone = {split.name: scenario.variant(plans=(split,)) for split in scenario.plans}
    at_all = plans_to_mend(scenario.variant(plans=()))
    return scenario.variant(plans=[split for split in scenario.plans if plans_to_mend(alone[split.name]) == at_all])


def _draw_result(intake: Intake, before: Scenario, scenario: Scenario) -> None:
    lead_text(f"{report.label_accuracy(intake)}.")
    controls.results_table(report.intake_table(intake, before), "How to treat each partner, and how sure that is")
    caption(report.intake_notes(intake))
    if asked := report.open_questions(intake):
        st.markdown("**To be surer, ask or watch**\n" + "\n".join(f"* {escaped(line)}" for line in asked))
    if gone := report.missing_partners(before, scenario):
        caption(gone)
    for sentence in plans_to_mend(scenario):
        st.warning(escaped(f"Left out, as these partners do not allow it: {sentence}."))
