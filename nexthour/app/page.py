"""The page around a page: the choice of the scenario, the state in the address, and errors in one sentence.

    draw_page("lab", "Lab", body, fields)

Left out: what a page shows.
"""

import html
import logging
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from nexthour import version
from nexthour.app.charts.vega import Spec, rows_apart
from nexthour.app.menu import draw_menu
from nexthour.app.state import cache, later, library, url_state, visit
from nexthour.app.state.url_state import Field
from nexthour.report.numbers import count_of, whole
from nexthour.report.text import CAVEAT, unexpected_error, with_capital
from sim import NextHourError, Scenario, TimePlan
from sim.documents.messages import without_links
from sim.errors import short_line
from sim.fast.engine import run_all
from sim.study.one_run import slow_runs
from sim.study.options import SEED

LARGEST_SEED = 10**9
"""Larger ones are for programs."""
ANSWER_SECONDS = 0.12
"""A rest in which the browser draws the first answer, before it gets all else."""
LIGHT_INK, DARK_INK = "#1F1F1F", "#EDEDED"
# Streamlit writes white on the primary colour, which is light in the dark.
STYLE = """<style>
.nh-note {font-size: .875rem; line-height: 1.45; opacity: .85; margin: 0 0 .25rem 0}
h2 {font-size: 1.35rem !important}
.nh-said {font-size: 1.15rem; line-height: 1.5; margin: 0 0 .5rem 0}
[data-testid="stMainBlockContainer"] {padding-top: 3.25rem; padding-bottom: 3rem; max-width: 86rem}
[data-testid="stMetricValue"] {font-size: 1.4rem}
[data-testid="stMetricLabel"] p {white-space: normal}
[data-testid^="stBaseButton-primary"] p {color: light-dark(#FFFFFF, #10202B)}
[data-tag] {background-color: #0063A0 !important; color: #FFFFFF}
button[data-variant="segmented_control"][aria-checked="true"] {color: inherit !important; font-weight: 600}
.nh-chain {display: flex; flex-wrap: wrap; gap: .4rem 1.6rem; list-style: none;
  padding: 0 !important; margin: .25rem 0 .5rem 0 !important}
.nh-chain li {position: relative; border: 1px solid color-mix(in srgb, currentColor 30%, transparent);
  border-radius: .5rem; padding: .35rem .6rem; font-size: .875rem; line-height: 1.35; margin: 0 !important}
.nh-chain li span {display: block; opacity: .85}
[data-testid="stMain"] [data-testid="stPageLink-NavLink"] p {text-decoration: underline}
.nh-chain li:not(:last-child)::after {content: "→"; position: absolute; right: -1.25rem; top: 35%}
@media (max-width: 640px) {[data-testid="stMainBlockContainer"] {padding-left: 1rem; padding-right: 1rem}}
</style>"""


@dataclass(frozen=True)
class PageContext:
    """What a page is about now: the scenario, the plans that can be followed in it, and the seed of the markets."""

    scenario_id: str
    scenario: Scenario
    plans: dict[str, TimePlan]
    """the plans by their name, the status quo first"""
    seed: int
    draw_sidebar: Callable[[], None] = lambda: None
    """draws the sidebar, where a page is to do that after its first answer"""


FieldsOf = Callable[[PageContext], Sequence[Field]]


def draw_page(
    page: str,
    title: str,
    body: Callable[[PageContext], None],
    fields: FieldsOf = lambda context: (),
    chooses_scenario: bool = True,
    answers_first: bool = False,
) -> None:
    """Draw the frame, then the page within it. `fields` is what the page's address holds beside scenario and seed.

    A page that is not about one scenario does not offer to choose it. One that answers first draws the sidebar itself,
    by its context, whenever it is drawn again: each element takes the browser some time.

    Whatever goes wrong is one sentence on the page; what should not happen goes to the server's log too.
    """
    st.html(STYLE)
    st.title(title, anchor=False)
    try:
        is_new = visit.current().page != page
        context, all_fields, wrong = _read_address(page, fields)
        # At once: the body may take a while, or be cut short by the next change.
        url_state.write_address(page, all_fields)
        if answers_first and not is_new:
            context = replace(context, draw_sidebar=partial(_late_sidebar, context, chooses_scenario))
        else:
            _sidebar(context, chooses_scenario)
        for sentence in wrong:
            st.warning(escaped(sentence))
        body(context)
        if run_all.missing:
            caption(slow_runs(context.scenario))
        url_state.write_address(page, all_fields)
    except NextHourError as problem:
        st.error(escaped(short_line(str(problem))))
    except Exception as problem:
        logging.getLogger(__name__).exception("page %s", page)
        st.error(escaped(f"{with_capital(unexpected_error(problem))} with the address of this page."))


def _read_address(page: str, fields: FieldsOf) -> tuple[PageContext, list[Field], list[str]]:
    files = library.scenario_files()
    which = url_state.choice("scenario", list(files), library.DEFAULT)
    seed = url_state.number("seed", SEED.least, LARGEST_SEED, SEED.default)
    scenario_id = url_state.peek(page, which)
    try:
        scenario, problem = cache.scenario(scenario_id, files), ""
    except NextHourError as error:
        scenario, problem = cache.scenario(library.DEFAULT, files), short_line(str(error))
        scenario_id = library.DEFAULT
    context = PageContext(scenario_id, scenario, cache.known_plans(scenario), int(url_state.peek(page, seed)))
    all_fields = [which, seed, *fields(context)]
    wrong = url_state.read_address(page, all_fields)
    if problem:
        st.session_state["scenario"] = scenario_id
        wrong.append(problem)
    return context, all_fields, wrong


def _late_sidebar(context: PageContext, chooses_scenario: bool) -> None:
    later.rest(ANSWER_SECONDS)
    _sidebar(context, chooses_scenario)


def _sidebar(context: PageContext, chooses_scenario: bool) -> None:
    with st.sidebar:
        draw_menu()
        st.divider()
        if chooses_scenario:
            names = list(library.scenario_files())
            st.selectbox("Scenario", names, key="scenario", format_func=library.scenario_title)
            caption(context.scenario.question or context.scenario.name)
        with st.expander("Markets"):
            st.number_input("Seed: the same seed gives the same markets", 0, LARGEST_SEED, key="seed", step=1)
        about = f" · scenario {context.scenario.digest()}" if chooses_scenario else ""
        caption(f"Next Hour {version()}{about}")


def caption(text: str) -> None:
    """Show small print. Not by st.caption, whose contrast is too weak to read."""
    st.html(_caption_html(text))


def caption_rest(number: int, what: str = "") -> None:
    """Say in small print how many more there are than are shown, if there are."""
    if number > 0:
        caption(f"and {whole(number)} more{what}")


def lead_text(text: str) -> None:
    """Show the sentence that matters, in large print."""
    st.html(_lead_text_html(text))


def replace_lead_text(place: DeltaGenerator, text: str, small: str) -> DeltaGenerator:
    """Show large print over small print at a place; at what this returns, the next text takes its place.

    In st.empty it would be gone between the two, and controls below it would jump under the hand that moves them.
    """
    return place.html(_lead_text_html(text) + _caption_html(small))


def simulating(scenario: Scenario, markets: int) -> AbstractContextManager[None]:
    """Say what is computed if that takes a while. Only as long as there is nothing to see: it would push that down."""
    if markets > cache.FIRST_MARKETS:
        return nullcontext()
    size = ", ".join(
        count_of(len(parts), noun)
        for parts, noun in ((scenario.market_map, "segment"), (scenario.all_partners, "partner"))
    )
    quarters = count_of(scenario.horizon_quarters, "quarter")
    return st.spinner(f"Simulating {quarters} in {count_of(markets, 'market')}: {size} ...")


def _caption_html(text: str) -> str:
    return f'<p class="nh-note">{html.escape(text)}</p>' if text else ""


def _lead_text_html(text: str) -> str:
    return f'<p class="nh-said">{html.escape(text)}</p>'


def heading(title: str) -> None:
    """Show a heading within a page."""
    st.header(title, anchor=False)


def step_chain(links: Sequence[tuple[str, str]]) -> None:
    """Show steps that lead from one to the next, in a row that wraps; a step is what it is and its value."""
    steps = "".join(f"<li><span>{html.escape(what)}</span><b>{html.escape(value)}</b></li>" for what, value in links)
    st.html(f'<ol class="nh-chain">{steps}</ol>')


def caveat() -> None:
    """Show the limit of the model, where a recommendation stands."""
    caption(f"{CAVEAT} A simulation is not a forecast.")


def escaped(text: str) -> str:
    """Text that Streamlit, which reads Markdown, shows as it is: names come from anybody."""
    # Addresses become links in the text that is left once marks have been taken away, so marks do not help.
    return re.sub(r"([\\`*_{}\[\]<>()#+\-.!|~$:&])", r"\\\1", without_links(text))


def picture(spec: Spec, on_select: Callable[[], None] | None = None, key: str | None = None) -> None:
    """Show a picture under its title, which is read aloud too; `on_select` is called when something in it is chosen."""
    st.markdown(f"**{escaped(spec['description'])}**")
    # Streamlit gives the theme's colours to axes and legends, but not to text that is drawn.
    ink = DARK_INK if st.context.theme.type == "dark" else LIGHT_INK
    width: Literal["content", "stretch"] = "content" if "concat" in spec else "stretch"
    # Read aloud is what a bar, a point or a line says, once: not the numbers and intervals drawn beside it.
    silent = {mark: {"aria": False} for mark in ("rule", "tick", "area")}
    shown = {**spec, "config": {**silent, "text": {"color": ink, "aria": False}}}
    st.vega_lite_chart(rows_apart(shown), width=width, key=key, on_select="ignore" if on_select is None else on_select)
