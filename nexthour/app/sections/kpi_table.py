"""Leading and lagging indicators by quarter: as a plan has them in 1,000 markets, and as they turned out.

What was seen is entered in a form, quarter by quarter, or uploaded as a file, and kept (actuals_store.py). Left out:
planning again (find_plan.py), which takes it from there.
"""

from typing import Any

import streamlit as st

from nexthour.app import menu
from nexthour.app.charts import indicators
from nexthour.app.charts import territory as territory_charts
from nexthour.app.charts.indicators import Indicator, Quarter
from nexthour.app.charts.tables import html_table
from nexthour.app.page import PageContext, caption, escaped, heading, lead_text, picture
from nexthour.app.state import actuals_store, cache, library
from nexthour.report.numbers import count_of, points
from nexthour.report.text import with_article, with_capital
from optimize.replan.actuals import KNOWN, KPI_BY_PARTNER, OF_MARKETS, Actuals
from sim import NextHourError, Outcomes, Scenario, TimePlan
from sim.errors import short_line
from sim.kpis import KPIS

WHEN = {"leading": "Leading: what is coming", "lagging": "Lagging: what happened"}
HOURS = "Hours by activity: leading too"
MOST_SAID = 8
"""Number of deviations that are told at once."""


def draw(context: PageContext, plan: TimePlan) -> None:
    """Draw planned and actual, then the entry of what was seen."""
    scenario = context.scenario
    actuals = None
    try:
        actuals = actuals_store.read_actuals(scenario)
    except NextHourError as problem:
        st.error(escaped(f"What was entered cannot be used: {short_line(str(problem))}"))
    outcomes = cache.outcomes(scenario, plan, cache.usual_markets(scenario), context.seed)
    _draw_deviations(context, plan, actuals)
    left, right = st.columns(2)
    labels = {kpi.name: Indicator.of(kpi.name, scenario).label for kpi in KPIS}
    left.selectbox("Indicator of the picture", list(labels), key="indicator", format_func=labels.__getitem__)
    numbers = range(1, scenario.horizon_quarters + 1)
    right.selectbox("Quarter of the tables", numbers, key="quarter", format_func=lambda quarter: f"Q{quarter}")
    indicator = Indicator.of(st.session_state["indicator"], scenario)
    quarters = indicators.indicator_by_quarter(indicator, outcomes, actuals)
    title = f"{with_capital(indicator.label)}: planned (line, band of {OF_MARKETS}) and actual"
    picture(territory_charts.planned_and_actual(indicator, quarters, title))
    _draw_tables(outcomes, actuals, st.session_state["quarter"])
    _draw_entry(scenario, actuals, st.session_state["quarter"])
    _draw_files(scenario, actuals)


def _draw_deviations(context: PageContext, plan: TimePlan, actuals: Actuals | None) -> None:
    if actuals is None:
        lead_text(
            "Nothing was entered yet of what happened. Enter a quarter below: what is not as planned is told here."
        )
        return
    off, figures = (
        cache.plan_deviations(context.scenario, plan, actuals, context.seed),
        len(actuals.figures(context.scenario)),
    )
    outside = f"{len(off)} of {count_of(figures, 'figure')} {'is' if len(off) == 1 else 'are'}"
    lead_text(
        f"{outside} outside the range of {OF_MARKETS} under {with_article(plan.name)}. By luck alone one in five is."
    )
    sentences = [
        f"{one.figure.when.capitalize()}. {indicators.deviation_sentence(one, context.scenario)}" for one in off
    ]
    for deviation, sentence in zip(off[:MOST_SAID], sentences, strict=False):
        st.markdown(escaped(f"{sentence} As far out or more: {points(deviation.surprise)} of 100 markets."))
    if off[MOST_SAID:]:
        with st.expander(f"{count_of(len(off) - MOST_SAID, 'more figure')} outside"):
            for sentence in sentences[MOST_SAID:]:
                st.markdown(escaped(sentence))
    if actuals.quarters < context.scenario.horizon_quarters:
        version = str(actuals_store.latest(context.scenario))
        menu.page_link("find_plan", "Plan again from here", context.scenario_id, so_far=[plan.name], actuals=[version])


def _draw_tables(outcomes: Outcomes, actuals: Actuals | None, quarter: int) -> None:
    heads = [f"Q{quarter}", "Planned", f"In {OF_MARKETS}", "Actual"]
    rows: dict[str, list[list[str]]] = {}
    for kpi in KPIS:
        indicator = Indicator.of(kpi.name, outcomes.scenario)
        part = HOURS if kpi.unit == "hours" else WHEN[kpi.when]
        by_quarter = indicators.indicator_by_quarter(indicator, outcomes, actuals)
        rows.setdefault(part, []).append(_table_row(indicator, by_quarter[quarter - 1]))
    for words in WHEN.values():
        st.html(html_table(f"{words}, in Q{quarter}", heads, rows[words]))
    with st.expander(HOURS):
        st.html(html_table(f"{HOURS}, in Q{quarter}", heads, rows[HOURS]))
    caption(
        f"Planned: the mean over {count_of(outcomes.replications, 'market')} with its 95% interval. Skill and "
        "engagement of partners are told by what they do: how many of the deals that you would win a partner wins, and "
        "how many it brings."
    )


def _table_row(indicator: Indicator, row: Quarter) -> list[str]:
    actual = "" if row.actual is None else indicator.text(row.actual)
    if row.outside:
        assert row.actual is not None
        actual += f" {'▲ above' if row.actual > row.high else '▼ below'}"
    band = f"{indicator.text(row.low)} to {indicator.text(row.high)}"
    return [indicator.label, indicator.with_half(row.planned), band, actual]


# Entry


def _draw_entry(scenario: Scenario, actuals: Actuals | None, quarter: int) -> None:
    heading(f"What happened in Q{quarter}")
    past = 0 if actuals is None else actuals.quarters
    given: dict[str, Any] = {}
    if actuals is not None and quarter <= past:
        given = actuals.by_quarter[quarter - 1].model_dump(mode="json", exclude_none=True)
    # What is in the boxes belongs to this quarter of this version of the file.
    where = f"{scenario.digest()} {actuals_store.latest(scenario)} {quarter}"
    with st.form(f"actuals {where}"):
        saved = f" Q{quarter} is saved; this corrects it." if given.keys() - {"quarter"} else ""
        caption(f"As much as is known; an empty box is not known.{saved} Another quarter is chosen above the picture.")
        row: dict[str, Any] = {"quarter": quarter, "partners": {}}
        columns = st.columns(2)
        for i, name in enumerate(KNOWN):
            indicator = Indicator.of(name, scenario)
            with columns[i % 2]:
                row[name] = _figure_box(indicator, given.get(name), f"{name} {where}")
        if scenario.partner_names:
            with st.expander("By partner"):
                for name in scenario.partner_names:
                    row["partners"][name] = _partner_boxes(name, given.get("partners", {}).get(name, {}), where)
        open_usd = None
        # It is of today, the end of the last quarter that was entered, and tells of a quarter to come.
        if past <= quarter < scenario.horizon_quarters:
            entered = actuals.open_pipeline_usd if actuals is not None and quarter == past else None
            label = f"Amount of all deals that are open after Q{quarter}, US dollars"
            open_usd = _number_box(label, entered, f"open {where}")
        if st.form_submit_button("Save"):
            actuals_store.save_actuals(scenario, actuals_store.with_quarter(actuals, row, open_usd))
            st.rerun()
    caption("Saved on this machine, for this scenario as it is now. Nothing is overwritten: each save is a new file.")


def _figure_box(indicator: Indicator, level: float | None, key: str) -> float | None:
    """A box for an indicator, on the scale of the screen; what it says, on that of the model."""
    label = with_capital(indicator.label)
    if indicator.of_100:
        shown = None if level is None else round(float(indicator.on_screen(level)), 2)
        entered = _number_box(label, shown, key, 100.0)
        # Rounding is for the eye: what was not changed stays as it is.
        return None if entered is None else level if entered == shown else indicator.from_screen(entered)
    is_count = indicator.kpi.unit in ("deals", "partners")
    return _number_box(f"{label}, {indicator.unit}" if indicator.is_money else label, level, key, whole=is_count)


def _partner_boxes(partner: str, given: dict[str, Any], where: str) -> dict[str, float | None]:
    """The boxes of a single partner: what they say, by name of the figure."""
    row: dict[str, float | None] = {}
    for (name, kpi), column in zip(KPI_BY_PARTNER.items(), st.columns(2), strict=True):
        label, is_count = f"{partner}: {kpi.label}", kpi.unit == "deals"
        with column:
            row[name] = _number_box(label, given.get(name), f"{partner} {name} {where}", whole=is_count)
    return row


def _number_box(
    label: str, value: float | None, key: str, most: float | None = None, whole: bool = False
) -> float | None:
    """A box that can be empty. A number of its own to begin with could not be taken out again."""
    st.session_state.setdefault(key, int(value) if whole and value is not None else value)
    if whole:
        return st.number_input(escaped(label), 0, 10**6, None, key=key, step=1, placeholder="not known")
    return st.number_input(escaped(label), 0.0, most, None, key=key, format="%.10g", placeholder="not known")


# Files


def _draw_files(scenario: Scenario, actuals: Actuals | None) -> None:
    left, right = st.columns(2)
    with left:
        st.markdown("**Take it with you**")
        if actuals is None:
            caption("There is nothing to download yet.")
        else:
            st.download_button("Download as YAML", actuals.text(), "actuals.yaml", "application/yaml")
            caption("The file that nexthour plan --actuals reads.")
    with right:
        _draw_upload(scenario, actuals)


def _draw_upload(scenario: Scenario, actuals: Actuals | None) -> None:
    label, key = "Upload what happened, a YAML file", f"upload {scenario.digest()}"
    file = st.file_uploader(label, type=["yaml", "yml"], key=key)
    if file is None:
        return
    try:
        uploaded = library.read_upload(Actuals, file.getvalue(), file.name)
        figures = len(uploaded.figures(scenario))
    except NextHourError as problem:
        st.error(escaped(short_line(str(problem))))
        return
    if uploaded == actuals:
        st.success(escaped(f"{file.name} is what counts here: {_count_figures(uploaded, figures)}."))
        return
    instead = "" if actuals is None else f" in place of the {count_of(actuals.quarters, 'quarter')} entered"
    caption(f"{file.name} holds {_count_figures(uploaded, figures)}.")
    if st.button(f"Use it{instead}"):
        actuals_store.save_actuals(scenario, uploaded)
        st.rerun()


def _count_figures(actuals: Actuals, figures: int) -> str:
    return f"{count_of(figures, 'figure')} of {count_of(actuals.quarters, 'quarter')}"
