"""Files to take away from a comparison: workbook, slide, picture, plan and scenario.

A file is made when somebody asks for it. Left out: what is in them (nexthour/office/).
"""

from __future__ import annotations

import datetime
from collections.abc import Callable

import streamlit as st

from nexthour.app.charts.vega import Spec
from nexthour.app.page import caption
from nexthour.office.one_pager import one_pager
from nexthour.office.picture import png
from nexthour.office.provenance import Provenance, file_name
from nexthour.office.workbook import workbook
from sim import Comparison
from sim.documents.yaml_file import Document

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
YAML, PNG = "application/yaml", "image/png"
PICTURE_WIDTH = 900
"""Pixels of a picture that is saved; on a screen it is as wide as its place."""


def draw(comparison: Comparison, name: str, spec: Spec) -> None:
    """Draw the buttons of a comparison; the slide is about one plan of it, and `spec` is the picture."""
    day, scenario, plan = datetime.date.today(), comparison.scenario, comparison[name].plan
    provenance = Provenance.of(comparison, day)
    picture = {**spec, "width": PICTURE_WIDTH, "title": spec["description"], "background": "white"}
    files: dict[str, tuple[Callable[[], str | bytes], str, str, str]] = {
        "One slide (PowerPoint)": (lambda: one_pager(comparison, name, day), "one-pager", "pptx", PPTX),
        "Workbook (Excel)": (lambda: workbook(comparison, day, name), "comparison", "xlsx", XLSX),
        "Picture (PNG)": (lambda: png(picture, provenance=provenance.line), "picture", "png", PNG),
        "Plan (YAML)": (lambda: _text_with_provenance(plan, provenance), "plan", "yaml", YAML),
        "Scenario (YAML)": (lambda: _text_with_provenance(scenario, provenance), "scenario", "yaml", YAML),
    }
    with st.container(horizontal=True):
        for label, (data, what, ending, mime) in files.items():
            st.download_button(
                label, data, file_name(scenario, what, day, ending), mime, on_click="ignore", key=f"download {what}"
            )
    caption(f"Slide, plan and Excel's list of deals are of {name}. Each file says: {provenance.line}.")


def _text_with_provenance(document: Document, provenance: Provenance) -> str:
    return f"{document.text()}\n# {provenance.line}\n"
