"""Method: what the model is, whether it does what it claims, where it ends, and the words it uses.

What is told stands in docs/ and is shown from there; the claims are measured on demand (method_claims.py). Left out:
the planner and calibration, which have documents of their own in docs/.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from nexthour import version
from nexthour.app.controls import choose_part
from nexthour.app.page import PageContext, caption, draw_page, heading, lead_text
from nexthour.app.sections import method_claims
from nexthour.app.state import documents, url_state
from nexthour.app.state.url_state import Field
from nexthour.report.text import CAVEAT
from sim import Scenario

PAGE = "method"
PART = "part"
MODEL, GLOSSARY, README = "docs/model.md", "docs/glossary.md", "README.md"
SHORT = ((MODEL, "The question"), (README, "How sure"), (MODEL, "Territory"))
"""Documents and headings for somebody who reads one page."""
LIMITS, SOURCES = "Limits", "Published magnitudes"
DIFFERENCES = "Where we differ from or add to the first design, and why"
WRAPPED = '<style>[data-testid="stMarkdownPre"] code {white-space: pre-wrap !important}</style>'
"""Equations that would not fit are broken, not cut off."""


def show() -> None:
    """Draw the page."""
    draw_page(PAGE, "Method", _page, _fields)


def _fields(context: PageContext) -> Sequence[Field]:
    return [url_state.choice(PART, list(PARTS), next(iter(PARTS)))]


def _page(context: PageContext) -> None:
    part = choose_part("What to read", {word: title for word, (title, _) in PARTS.items()}, PART)
    PARTS[part][1](context)


def _draw_short(context: PageContext) -> None:
    lead_text(CAVEAT)
    for name, title in SHORT:
        st.subheader(title, anchor=False)
        st.markdown(documents.document_sections(name)[title])


def _draw_equations(context: PageContext) -> None:
    caption(
        "The whole model as built, by what it is about. Words in code font are names in the code and in scenario files."
    )
    others = (LIMITS, SOURCES, DIFFERENCES, "", *(title for _, title in SHORT))
    st.html(WRAPPED)
    for title, text in documents.document_sections(MODEL).items():
        if title not in others:
            with st.expander(title, expanded=title.startswith("Stocks")):
                st.markdown(text)


def _draw_limits(context: PageContext) -> None:
    lead_text(CAVEAT)
    st.markdown(documents.document_sections(MODEL)[LIMITS])
    with st.expander(DIFFERENCES):
        st.markdown(documents.document_sections(MODEL)[DIFFERENCES])


def _draw_glossary(context: PageContext) -> None:
    for title, text in documents.document_sections(GLOSSARY).items():
        if title:
            heading(title)
        st.markdown(text)


def _draw_sources(context: PageContext) -> None:
    st.markdown(documents.document_sections(MODEL)[SOURCES])
    caption("Where a number of the scenario comes from stands at each number: in the Lab under the assumptions.")


def _draw_version(context: PageContext) -> None:
    st.markdown("**To get the same numbers again, and to cite them**")
    st.code(citation(context.scenario, context.seed), language=None, wrap_lines=True)
    caption(
        "The digest is a fingerprint of every value of the scenario: equal digests, equal scenarios. With the same "
        "version, scenario and seed every number is the same, on any machine."
    )


def citation(scenario: Scenario, seed: int) -> str:
    """What a result was made of, as one writes it under a figure."""
    return (
        f"Next Hour {version()}: a simulator and planner for a territory manager's time.\n"
        f"Scenario: {scenario.name}, digest {scenario.digest()}. Seed: {seed}."
    )


PARTS: dict[str, tuple[str, Callable[[PageContext], None]]] = {
    "short": ("In short", _draw_short),
    "equations": ("Equations", _draw_equations),
    "claims": ("Claims", method_claims.draw),
    "limits": ("Limits", _draw_limits),
    "glossary": ("Glossary", _draw_glossary),
    "sources": ("Published magnitudes", _draw_sources),
    "version": ("Version", _draw_version),
}
"""Title and drawing of each section, by its word in the address."""
