"""Start: a first true answer, and the ways on.

The answer is about two of the scenario's plans: the one with the least time for partners, and the one that ends ahead
of it in most markets. Left out: what anybody should do; that is for the other pages.
"""

import streamlit as st

from nexthour.app.charts.comparison import markets_ahead
from nexthour.app.menu import page_link
from nexthour.app.page import PageContext, caption, caveat, draw_page, lead_text, picture, simulating
from nexthour.app.state import cache, lab_fields, url_state
from nexthour.report import comparison as report
from nexthour.report.numbers import count_of, of_100, usd
from nexthour.report.text import with_article
from sim import Comparison, Scenario
from sim.study.request import ComparisonRequest

EARLY = 2
"""Quarters after which the answer looks first."""


def show() -> None:
    """Draw the page."""
    draw_page("start", "Where should the next hour go?", _page)


def _page(context: PageContext) -> None:
    caption(
        "A territory manager's hour goes to a direct deal now, or to a partner who may sell more later. "
        f"{context.scenario.name}: {context.scenario.question}"
    )
    base = _least_partner_plan(context)
    request = ComparisonRequest(plans={base: context.plans[base], **context.plans}, seed=context.seed)
    place = st.empty()
    for stage in cache.stages(context.scenario, request, with_worlds=False):
        with simulating(context.scenario, stage.replications):
            comparison = cache.comparison(context.scenario, stage)
        with place.container():
            _draw_answer(comparison)
    _draw_doors(context)
    caveat()


def _least_partner_plan(context: PageContext) -> str:
    named = [context.scenario.status_quo.name, *(split.name for split in context.scenario.plans)]
    return min(named, key=lambda name: float(context.plans[name].table(context.scenario).partner.sum()))


def _draw_answer(comparison: Comparison) -> None:
    others = report.challengers(comparison)
    if not others:
        caption("This scenario names one plan only; the Lab has more.")
        return
    best = max(others, key=lambda name: others[name].markets_ahead.value)
    lead_text(when_ahead(comparison, best))
    picture(markets_ahead(others[best].markets_ahead_by_quarter, best, with_article(comparison.baseline)))
    if reason := report.explain_difference(comparison, best):
        caption(f"Why: {reason}")
    caption(
        f"{count_of(comparison.replications, 'simulated market')}, the same for both plans; lines on the bars are 95% "
        f"intervals. {report.verdict(comparison, best)}"
    )


def when_ahead(comparison: Comparison, name: str) -> str:
    """When a plan is ahead of the baseline and when not, in one sentence."""
    result, quarters = comparison[name], comparison.scenario.horizon_quarters
    early, late = (of_100(result.markets_ahead_by_quarter[q - 1].value) for q in (min(EARLY, quarters), quarters))
    lowest = min(result.difference_to_quarter_usd, key=lambda total: total.value)
    quarter = result.difference_to_quarter_usd.index(lowest) + 1
    dip = f"; at worst it is {usd(-lowest.value)} behind, in quarter {quarter}" if lowest.high < 0 else ""
    return (
        f"{name} is ahead of {with_article(comparison.baseline)} in {early} markets after "
        f"{count_of(min(EARLY, quarters), 'quarter')}, and in {late} after {quarters}{dip}."
    )


def _draw_doors(context: PageContext) -> None:
    doors = st.columns(3, gap="medium")
    with doors[0].container(border=True):
        st.markdown("**Sales leader**")
        caption(
            "Which segments direct, which shared, which left to partners? The hours stay as today; see the quarters."
        )
        page_link("lab", "Test a coverage strategy", context.scenario_id, **_coverage_example(context.scenario))
    with doors[1].container(border=True):
        st.markdown("**Territory manager**")
        caption("How much of the week for partners, for whom, and on what? Move the split, and see what an hour does.")
        page_link("lab", "Compare time splits", context.scenario_id)
    with doors[2].container(border=True):
        st.markdown("**Trainer**")
        caption("Five short stories. The room predicts, then sees what happened in a thousand markets.")
        page_link("stories", "Show a team the long game")


def _coverage_example(scenario: Scenario) -> dict[str, list[str]]:
    """The dearest deals direct, the smallest left to partners: something to begin with.

    Nothing else is other than today, so that what is seen comes from coverage.
    """
    by_size = sorted(scenario.market_map, key=lambda segment: segment.deal_size_median_usd)
    modes = {
        lab_fields.coverage_key(by_size[0].name): "partner_led",
        lab_fields.coverage_key(by_size[-1].name): "direct",
    }
    return url_state.as_words({**lab_fields.todays_fields(scenario), **modes}, lab_fields.fields_of_split(scenario))
