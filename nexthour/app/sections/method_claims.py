"""Method, claims: the eight claims of the source, measured on the baseline as tests/sim/test_claims.py does.

Left out: the twins of the tests, in which the mechanism behind a claim is off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf, isinf

import streamlit as st

from nexthour.app import job_status
from nexthour.app.charts.tables import html_table
from nexthour.app.page import PageContext, caption, caveat, escaped, lead_text
from nexthour.app.state import cache, library
from nexthour.report.numbers import signed_thousandths, signed_whole, tenths_percent, usd
from sim.claims.claims import CLAIMS, Claim, Finding, Unit

TERRITORIES = ("baseline", "two-territories-partner-rich", "two-territories-direct-rich")
MARKS = {"holds": "✓", "not clear": "?", "does not hold": "✗"}


def draw(context: PageContext) -> None:
    """Draw the section."""
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
