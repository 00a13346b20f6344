"""Several territories as one market: the rollup. A partner of several territories is counted once.

Left out: how they are added up (optimize/coverage/rollup.py).
"""

from collections.abc import Sequence

import streamlit as st

import nexthour.report.gaps as report
from nexthour.app.charts import territory as territory_charts
from nexthour.app.charts.tables import html_table
from nexthour.app.charts.territory import SegmentBar
from nexthour.app.page import PageContext, caption, lead_text, picture
from nexthour.app.state import cache, library
from nexthour.report.numbers import count_of, count_with_half_width, tenths, usd_with_half_width, whole
from optimize.coverage.rollup import Rollup, SegmentRow, SharedPartner
from sim import Scenario
from sim.terms import TREATMENTS


def draw(context: PageContext) -> None:
    """Draw the choice of territories, and what they are together. The scenario of the page is one of them."""
    files = library.scenario_files()
    others = [scenario_id for scenario_id in files if scenario_id != context.scenario_id]
    st.multiselect(
        f"Together with {library.scenario_title(context.scenario_id)}",
        others + [name for name in st.session_state["territories"] if name not in others],
        key="territories", format_func=library.scenario_title, placeholder="Choose territories",
    )  # fmt: skip
    chosen = [scenario_id for scenario_id in st.session_state["territories"] if scenario_id != context.scenario_id]
    scenarios: list[Scenario] = [context.scenario, *(cache.scenario(scenario_id, files) for scenario_id in chosen)]
    with st.spinner("Adding up"):
        rollup = cache.rollup(tuple(scenarios), context.seed)
    _draw_rollup(rollup)


def _draw_rollup(rollup: Rollup) -> None:
    total, quarters = rollup.total, count_of(rollup.quarters, "quarter")
    many = len(rollup.territories)
    who = "This territory alone" if many == 1 else f"{many} territories"
    lead_text(f"{who}: {report.unseen_opportunities(rollup)}.")
    bars = [
        SegmentBar.of(name, "today", row.value_usd.value, row.coverage)
        for name, row in rollup.by_segment.items()
        if row.coverage is not None
    ]
    title = f"What the opportunities of {quarters} are worth, and who sees them today"
    picture(territory_charts.market_map_bars(bars, title, "managers"))
    rows = [*rollup.by_segment.items(), ("All segments", total)]
    st.html(_map_table(f"Market map over {quarters}", "Segment", rows))
    if many > 1:
        rows = [*((one.scenario.name, one.total) for one in rollup.territories), ("All territories", total)]
        st.html(_map_table("By territory", "Territory", rows))
    caption(
        f"Means over simulated markets of each territory: {whole(total.opportunities.observations)} for opportunities, "
        f"{whole(rollup.credit_usd.observations)} for quota credit. "
        f"{report.credit_against_quota(rollup)} ± is the 95% interval. {report.ALONE} {report.ADDED_UP}"
    )
    if rollup.partners:
        heads = [
            "Partner", "Usual treatment", "Territories", "Quota credit", "Deals of its accounts",
            "Managers' hours a week", "Account managers'",
        ]  # fmt: skip
        st.html(html_table("Partners, each once", heads, [_partner_row(one, many) for one in rollup.partners]))
        caption("Hours are those of today's plans, from all managers together.")


def _map_table(title: str, first: str, rows: Sequence[tuple[str, SegmentRow]]) -> str:
    heads = [
        first, "Opportu\u00adnities", "Worth", "Found by managers", "Brought by partners", "Seen by nobody",
        "Gap, worth",
    ]  # fmt: skip
    cells = [
        [
            name, count_with_half_width(row.opportunities), usd_with_half_width(row.value_usd),
            *map(count_with_half_width, (row.found, row.brought, row.leaked)), usd_with_half_width(row.gap_usd),
        ]
        for name, row in rows
    ]  # fmt: skip
    return html_table(title, heads, cells)


def _partner_row(partner: SharedPartner, many: int) -> list[str]:
    where = "all" if len(partner.territories) == many else ", ".join(one.territory for one in partner.territories)
    name, credit = partner.name, usd_with_half_width(partner.credit_usd)
    if all(one.is_candidate for one in partner.territories):
        name, credit = f"{partner.name} (candidate)", "not yet"
    accounts = count_with_half_width(partner.opportunities)
    hours = [tenths(partner.manager_hours), tenths(partner.account_manager_hours)]
    return [name, _usual_treatment(partner), where, credit, accounts, *hours]


def _usual_treatment(partner: SharedPartner) -> str:
    """The treatment that goes with what its managers believe it to be, and who believes what if they disagree."""
    if partner.label is not None:
        return TREATMENTS[partner.label]
    opinions = (f"{TREATMENTS[one.label]} in {one.territory}" for one in partner.territories)
    return f"managers disagree: {', '.join(opinions)}"
