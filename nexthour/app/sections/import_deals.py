"""Import, deals: an export of a CRM, what its columns mean, and the scenario that is fitted to it.

The same calls and words as `nexthour mapping` and `nexthour calibrate`. Left out: the form of the mapping
(mapping_form.py), and back-testing, which the terminal does (nexthour backtest).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from typing import Any

import streamlit as st

import nexthour.report.calibration as report
from nexthour.app import controls, job_status
from nexthour.app.page import PageContext, caption, caption_rest, escaped, lead_text
from nexthour.app.sections import mapping_form
from nexthour.app.state import library, visit
from nexthour.calibrate import Fit, make_mapping
from nexthour.calibrate.deals.deal_table import rejected_text
from nexthour.calibrate.deals.mapping import Mapping as DealMapping
from nexthour.calibrate.deals.mapping import unanswered
from nexthour.calibrate.deals.mapping_proposal import Proposal, propose_mapping
from nexthour.calibrate.files.table_file import Layout
from nexthour.jobs import FittedScenario, Upload, on_disk
from nexthour.report.calibration import TextTable
from nexthour.report.numbers import count_of, digits, tenths, usd, whole, whole_percent
from nexthour.report.text import with_capital
from sim import NextHourError, TableError
from sim.documents.declared import validate
from sim.documents.yaml_file import marked_whole, read_yaml

LARGEST_MB, LARGEST_MAPPING_MB = 20, 1
EXAMPLE, EXAMPLE_MAPPING = "made_up_salesforce.csv", "mappings/made_up_salesforce.yaml"
FIT_SEED, MARKETS, MARKETS_AGAIN = 1, 200, 100
"""The numbers of the terminal, whatever the seed of the page."""
REASONS_SHOWN, ROWS_SHOWN = 20, 100
KEY = "deals"
SPREADSHEET_ENCODING = "utf-8-sig"
FITTED: Mapping[str, Callable[[float], str]] = {
    "win rate": whole_percent,
    "win rate shock": digits,
    "median amount": usd,
    "mean amount": usd,
    "sigma": digits,
    "cycle weeks": tenths,
    "deals a quarter": tenths,
    "demand cv": digits,
}
"""Fitted numbers, and how each is written."""


@dataclass(frozen=True)
class Draft:
    """An export with what was proposed for it."""

    upload: Upload
    proposal: Proposal
    base: dict[str, Any]
    """the mapping that the form begins with"""
    number: int
    """counts drafts, so that each has controls of its own"""


INTRODUCTION = (
    "Upload the opportunities that your CRM exports, won, lost and open. The scenario in the sidebar gives what no "
    "table of deals can."
)


def draw(context: PageContext) -> None:
    """Draw the section."""
    _draw_ways_in()
    given = visit.current().imports[KEY]
    if given.problem:
        controls.draw_problems(given.problem)
    draft: Draft | None = given.content
    if draft is None:
        return
    crm = f"an export of {draft.proposal.crm}" if draft.proposal.crm else "an export of no CRM that is known"
    st.subheader("What its columns mean", anchor=False)
    lead_text(f"{draft.upload.name}: {crm}.")
    try:
        mapping = mapping_form.draw(draft.upload, draft.proposal, draft.base, f"map{draft.number}")
        _draw_mapping_file(mapping)
        _draw_fit(context, draft, mapping)
    except NextHourError as problem:
        controls.draw_problems(problem)


def _draw_ways_in() -> None:
    ways, others = st.columns([2, 1], gap="large", vertical_alignment="bottom")
    with ways:
        upload = controls.upload_control("Deals, CSV or XLSX", f"{KEY} file", LARGEST_MB)
    if upload is not None:
        _propose_mapping(upload)
    with others:
        if st.button("Try it with a made-up export", key=f"{KEY} example"):
            _propose_mapping(Upload.of(EXAMPLE, (library.BUILT_IN / EXAMPLE).read_bytes()))
            data, _ = read_yaml(library.BUILT_IN / EXAMPLE_MAPPING, TableError)
            _begin_with_mapping(data)
    given = visit.current().imports[KEY]
    if given.upload is not None:
        with st.expander("Columns or letters look wrong?"):
            base = given.content.base if given.content else {}
            layout = mapping_form.draw_layout(base, f"layout {given.upload.digest}")
            if st.button("Read it again", key=f"{KEY} again"):
                _propose_mapping(given.upload, layout)


def _propose_mapping(upload: Upload, layout: dict[str, Any] | None = None) -> None:
    """Propose a mapping; if the file cannot be read, the draft there was goes, as it is about another file."""
    given = visit.current().imports[KEY]
    given.upload, given.content, given.problem = upload, None, None
    try:
        with on_disk(upload) as path:
            asked = validate(Layout, layout or {}, "the layout", TableError)
            proposal = propose_mapping(path, asked, mapping_form.MOST_ROWS_LOOKED_AT)
    except NextHourError as problem:
        given.problem = problem
        return
    mapping = {**proposal.mapping, "source": f"export {upload.name}"}
    _keep_draft(Draft(upload, replace(proposal, file=upload.name, mapping=mapping), mapping, 0))


def _begin_with_mapping(data: object) -> None:
    """Begin the form again with another mapping. Raises TableError."""
    draft: Draft = visit.current().imports[KEY].content
    if not isinstance(data, dict):
        raise TableError("the mapping holds no fields; start from the one that can be downloaded here")
    fields = {str(name): value for name, value in data.items() if name in DealMapping.model_fields}
    layout = {name: draft.base[name] for name in mapping_form.LAYOUT if name in draft.base}
    _keep_draft(replace(draft, base=layout | fields))


def _keep_draft(draft: Draft) -> None:
    this_visit = visit.current()
    this_visit.drafts += 1
    this_visit.imports[KEY].content = replace(draft, number=this_visit.drafts)


def _draw_mapping_file(mapping: dict[str, Any]) -> None:
    with st.expander("Use a mapping again"):
        st.download_button("Download this mapping", _yaml_text(mapping), "mapping.yaml", "text/yaml", on_click="ignore")
        file = controls.upload_control("A mapping, YAML", f"{KEY} mapping", LARGEST_MAPPING_MB)
        if file is None:
            return
        with on_disk(file) as path:
            data, _ = read_yaml(path, TableError)
            if isinstance(data, dict) and "amount" in data and not list(unanswered(data)):
                make_mapping(data, str(path))  # so that its mistakes are told before they are shown as answers
        _begin_with_mapping(data)
        st.rerun()


def _yaml_text(mapping: dict[str, Any]) -> str:
    from ruamel.yaml import YAML

    out = StringIO()
    YAML().dump(mapping, out)
    return marked_whole(out.getvalue())


def _draw_fit(context: PageContext, draft: Draft, mapping: dict[str, Any]) -> None:
    st.subheader("Fit", anchor=False)
    questions = list(unanswered(mapping))
    if questions:
        asked = (f"* {escaped(mapping_form.question(name))}" for name, _ in questions)
        st.info("\n".join(["Still to be answered:", *asked]))
    fraction = st.number_input(
        "The share of the table that is this one territory", 0.001, 1.0, 1.0, 0.05, key=f"{KEY} fraction",
        format="%.3g",
    )  # fmt: skip
    if questions:
        st.button("Fit a scenario", disabled=True)
        return
    arguments = {
        "upload": draft.upload, "mapping": make_mapping(mapping, "mapping"), "fraction": fraction, "markets": MARKETS,
        "markets_again": MARKETS_AGAIN, "seed": FIT_SEED,
    }  # fmt: skip
    job = job_status.wanted_job("fit", context, arguments)
    if job is None or job.state == "failed":
        job_status.start_button("Fit a scenario", "fit", context, arguments, type="primary")
        if job is None and "fit" in visit.current().last_jobs:
            caption("With these answers nothing has been fitted yet.")
    job_status.offer_to_cancel_another("fit", job, "Another fit of yours still goes on.")
    if job is not None and (result := job_status.result_or_progress(job, "Fitting")) is not None:
        _draw_result(result)
        controls.draw_save_form(result.fit.scenario, result.fit.scenario.name, f"{KEY} {draft.upload.digest}")


def _draw_result(result: FittedScenario) -> None:
    fit = result.fit
    headline = report.fitted_to(fit)
    lead_text(f"{with_capital(headline)}.")
    caption(report.rows_read(fit))
    controls.results_table(report.fit_table(fit.report_rows()), "Fitted numbers by segment and route")
    caption(report.ABOUT_FIT)
    if fewer := report.scaled_hours(fit, "the share above"):
        caption(fewer)
    with st.expander("Every fitted number with its 90% interval"):
        controls.results_table(intervals(fit), "By segment and route")
    _draw_rejected(fit)
    first, *others = report.check_lines(result.checks, rows=len(fit.cells))
    with st.expander(escaped(first), expanded=bool(others)):
        st.markdown(controls.bullets(others) if others else "All of them.")
    with st.expander("What the table could not say"):
        st.markdown(controls.bullets(fit.silent))


def intervals(fit: Fit) -> TextTable:
    """The fitted numbers of each segment and route, with their intervals."""

    def cell(row: dict[str, Any], name: str) -> str:
        ends = [row[name + end] for end in ("", " low", " high")]
        if None in ends:
            return "not fitted"
        value, low, high = map(FITTED[name], ends)
        return f"{value} ({low} to {high})"

    rows = fit.report_rows()
    told_rows = ((row["segment"], row["route"], *(cell(row, name) for name in FITTED)) for row in rows)
    return TextTable(("segment", "route", *FITTED), tuple(told_rows))


def _draw_rejected(fit: Fit) -> None:
    if not len(fit.rejected):
        return
    with st.expander(f"{count_of(len(fit.rejected), 'row')} not used, and why", expanded=True):
        reasons = list(fit.rejected_by_reason().items())
        shown: Sequence[tuple[str, str]] = [(whole(rows), reason) for reason, rows in reasons[:REASONS_SHOWN]]
        if len(reasons) < len(fit.rejected):
            controls.results_table(TextTable(("rows", "reason"), tuple(shown)), "Why rows were not used")
        caption_rest(len(reasons) - REASONS_SHOWN, " reasons, all in the file")
        each = fit.rejected.head(ROWS_SHOWN)
        rows = tuple((whole(row), str(reason)) for row, reason in zip(each["row"], each["reason"], strict=True))
        controls.results_table(TextTable(("row of the file", "reason"), rows), "Rows that were not used")
        caption_rest(len(fit.rejected) - ROWS_SHOWN, " rows, all in the file")
        data = rejected_text(fit.rejected).encode(SPREADSHEET_ENCODING)
        st.download_button("Download the rows not used", data, "not_used.csv", "text/csv", on_click="ignore")
