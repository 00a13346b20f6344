"""Method: what the model is, whether it does what it claims, where it ends, and the words it uses.

What is told stands in docs/ and is shown from there; the claims are measured on the baseline as
tests/sim/test_claims.py does, without the twins in which the mechanism behind a claim is off. Left out: the planner and
calibration, which have documents of their own in docs/.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import inf, isinf

import streamlit as st

from nexthour import version
from nexthour.app import job_status
from nexthour.app.charts.tables import html_table
from nexthour.app.controls import choose_part
from nexthour.app.page import PageContext, caption, caveat, draw_page, escaped, heading, lead_text
from nexthour.app.state import cache, documents, library, url_state
from nexthour.app.state.url_state import Field
from nexthour.report.numbers import signed_thousandths, signed_whole, tenths_percent, usd
from nexthour.report.text import CAVEAT
from sim import Scenario
from sim.claims.claims import CLAIMS, Claim, Finding, Unit

TERRITORIES = ("baseline", "two-territories-partner-rich", "two-territories-direct-rich")
MARKS = {"holds": "✓", "not clear": "?", "does not hold": "✗"}


def _draw_claims(context: PageContext) -> None:
    markets = cache.EFFORT.claim_markets
    caption(
        f"Measured on the baseline in {markets} markets, the same for every plan; each figure is a paired difference "
        "with its 95% interval, and the whole interval must lie on the claimed side."
    )
    files = library.scenario_files()
    baseline, *others = (cache.scenario(scenario_id, files) for scenario_id in TERRITORIES)
    here = replace(context, scenario=baseline)
    asked = {"others": others, "markets": markets, "seed": context.seed}
    job = job_status.wanted_job("claims", here, asked)
    if job is None or job.state == "failed":
        job_status.start_button(f"Measure them now, with seed {context.seed}", "claims", here, asked, type="primary")
        caption("This takes some twenty seconds the first time.")
    found = None if job is None else job_status.result_or_progress(job, "Measuring the claims")
    if found is None:
        st.markdown("\n\n".join(f"**{claim.number}. {escaped(claim.statement)}**" for claim in CLAIMS))
        return
    hold = sum(all(finding.holds for finding in figures) for figures in found)
    lead_text(f"{hold} of {len(CLAIMS)} claims hold.")
    caveat()
    for claim, figures in zip(CLAIMS, found, strict=True):
        _draw_claim(claim, figures)


def _draw_claim(claim: Claim, found: Sequence[Finding]) -> None:
    verdicts = [finding.verdict for finding in found]
    verdict = next((word for word in ("does not hold", "not clear") if word in verdicts), "holds")
    rows = [
        [finding.what, figure_text(finding), claimed_range(finding), f"{MARKS[finding.verdict]} {finding.verdict}"]
        for finding in found
    ]
    heads = ["Figure", "Measured, with 95% interval", "Claimed", "Verdict"]
    st.html(html_table(f"{claim.number}. {claim.statement} {MARKS[verdict]} {verdict}", heads, rows))


def figure_text(finding: Finding) -> str:
    """The figure with its interval."""
    value, low, high = (
        _number_text(number, finding.unit)
        for number in (finding.estimate.value, finding.estimate.low, finding.estimate.high)
    )
    unit = " points" if finding.unit == "points" else ""
    return f"{value}{unit}" if low == high else f"{value}{unit} ({low} to {high})"


def claimed_range(finding: Finding) -> str:
    """The range in which the interval must lie."""
    low, high = (None if isinf(end) else _number_text(end, finding.unit) for end in (finding.above, finding.below))
    if low == high:
        return f"{low}"
    if finding.above > -inf and finding.below < inf:
        return f"{low} to {high}"
    return f"above {low}" if low is not None else f"below {high}"


def _number_text(number: float, unit: Unit) -> str:
    if unit == "USD":
        return usd(number, sign=number != 0)
    if unit == "quarter":
        return "never" if isinf(number) else f"quarter {round(number)}"
    if unit == "points":
        return signed_whole(100 * number) if number else "0"
    return tenths_percent(number) if unit == "share" else signed_thousandths(number)


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
    "claims": ("Claims", _draw_claims),
    "limits": ("Limits", _draw_limits),
    "glossary": ("Glossary", _draw_glossary),
    "sources": ("Published magnitudes", _draw_sources),
    "version": ("Version", _draw_version),
}
"""Title and drawing of each section, by its word in the address."""
