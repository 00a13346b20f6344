"""What a visitor's session holds beside the values of its controls: one object, made once and read through `current`.

Left out: the values of controls, which Streamlit keeps under their keys, and what sections of pages keep beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from nexthour.jobs import JobKind, Jobs

Words = dict[str, list[str]]
"""What an address says: texts by query parameter."""
KEY = "visit"


@dataclass
class Visit:
    """A visitor's way through the app, and the jobs of the server that the visitor may use."""

    jobs: Jobs
    wanted: dict[JobKind, str] = field(default_factory=dict)
    """by kind, the key of the job that this visitor wanted last"""
    page: str = ""
    """the page of the last run"""
    left: dict[str, Any] = field(default_factory=dict)
    """the values of that page's fields at the end of the run"""
    trail: list[Words] = field(default_factory=list)
    """the addresses that it wrote since it was arrived at"""
    shared: Words = field(default_factory=dict)
    """what all pages are about: it goes along from page to page"""
    kept: dict[str, Words] = field(default_factory=dict)
    """by page, its address as it was left"""
    complaints: dict[str, list[str]] = field(default_factory=dict)
    """by page, what is wrong with the address by which it was opened, a sentence each"""


@st.cache_resource(show_spinner=False)
def server_jobs() -> Jobs:
    """The jobs of this server process, made when the first visitor comes."""
    return Jobs()


def current() -> Visit:
    """The visit of the session that runs now."""
    if KEY not in st.session_state:
        st.session_state[KEY] = Visit(server_jobs())
    visit: Visit = st.session_state[KEY]
    return visit


def session_id() -> str:
    """What tells this visitor from others, "" outside of a session."""
    context = get_script_run_ctx()
    return "" if context is None else context.session_id
