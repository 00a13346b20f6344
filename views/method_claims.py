"""Method, claims: the eight claims of the source, measured on the baseline as tests/test_claims.py does.

Left out: the twins of the tests, in which the mechanism behind a claim is off.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isinf

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

import telling
from sim.claims import CLAIMS, Claim, Finding, Measured, Territories, Unit
from telling_calibrate import Rows
from views import controls, library, runs
from views.frame import At, caveat, note, plain, said

MARKETS = 300
TERRITORIES = ("baseline", "two-territories-partner-rich", "two-territories-direct-rich")
MARKS = {"holds": "✓", "not clear": "?", "does not hold": "✗"}
RUN = "claims measured"
"""The seed with which the claims were asked for in this visit."""


def body(at: At) -> None:
    """Draw the section."""
    note(
        f"Measured on the baseline in {MARKETS} markets, the same for every plan; each figure is a paired difference "
        "with its 95% interval, and the whole interval must lie on the claimed side."
    )
    asked = st.button(f"Measure them now, with seed {at.seed}", type="primary", key="measure claims")
    if asked:
        st.session_state[RUN] = at.seed
    measuring = st.session_state.get(RUN) == at.seed
    summary = st.empty()
    if not measuring:
        summary.markdown("This takes some twenty seconds the first time.")
    # Each claim has its place, filled as soon as it is measured.
    places = [st.empty() for _ in CLAIMS]
    for claim, place in zip(CLAIMS, places, strict=True):
        place.markdown(f"**{claim.number}. {plain(claim.statement)}**")
    if measuring:
        _measure(at.seed, summary, places)


def _measure(seed: int, summary: DeltaGenerator, places: Sequence[DeltaGenerator]) -> None:
    hold = 0
    for done, (claim, place) in enumerate(zip(CLAIMS, places, strict=True)):
        summary.progress(done / len(CLAIMS), f"Measuring claim {claim.number} ... (a click anywhere stops it)")
        found = findings(claim.number, MARKETS, seed)
        hold += all(its.holds for its in found)
        with place.container():
            _show(claim, found)
    with summary.container():
        said(f"{hold} of {len(CLAIMS)} claims hold.")
        caveat()


def _show(claim: Claim, found: Sequence[Finding]) -> None:
    verdicts = [its.verdict for its in found]
    verdict = next((word for word in ("does not hold", "not clear") if word in verdicts), "holds")
    st.markdown(f"**{claim.number}. {plain(claim.statement)}** {MARKS[verdict]} {verdict}")
    rows = tuple((its.what, figure(its), wanted(its), f"{MARKS[its.verdict]} {its.verdict}") for its in found)
    headers = ("figure", "measured, with 95% interval", "claimed", "verdict")
    controls.table(Rows(headers, rows), f"Figures of claim {claim.number}")


@st.cache_resource(max_entries=80, show_spinner=False)
def findings(number: int, markets: int, seed: int) -> list[Finding]:
    """The figures of a claim."""
    claim = next(its for its in CLAIMS if its.number == number)
    return list(claim.findings(_measured(markets, seed)))


@st.cache_resource(max_entries=3, show_spinner=False)
def _measured(markets: int, seed: int) -> Measured:
    files = library.scenario_files()
    return Measured(Territories(*(runs.scenario(its_id, files) for its_id in TERRITORIES)), markets, seed)


def figure(its: Finding) -> str:
    """The figure with its interval."""
    value, low, high = (_said(number, its.unit) for number in (its.estimate.value, its.estimate.low, its.estimate.high))
    unit = " points" if its.unit == "points" else ""
    return f"{value}{unit}" if low == high else f"{value}{unit} ({low} to {high})"


def wanted(its: Finding) -> str:
    """Where the interval must lie."""
    low, high = (None if isinf(end) else _said(end, its.unit) for end in (its.above, its.below))
    if low == high:
        return f"{low}"
    if its.above > -inf and its.below < inf:
        return f"{low} to {high}"
    return f"above {low}" if low is not None else f"below {high}"


def _said(number: float, unit: Unit) -> str:
    if unit == "USD":
        return telling.usd(number, sign=number != 0)
    if unit == "quarter":
        return "never" if isinf(number) else f"quarter {round(number)}"
    if unit == "points":
        return f"{100 * number:+.0f}" if number else "0"
    return f"{number:.1%}" if unit == "share" else f"{number:+.3f}"
