"""What a visitor's session holds beside the values of its controls: one object, made once and read through `current`.

Left out: the values of controls, which Streamlit keeps under their keys.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from nexthour.jobs import JobKind, Jobs, Upload
from sim import NextHourError

Words = dict[str, list[str]]
"""What an address says: texts by query parameter."""
KEY = "visit"


@dataclass
class Imported:
    """What a section of the page Import has been given."""

    upload: Upload | None = None
    """the file that was handed over last"""
    content: Any = None
    """what was read of it"""
    problem: NextHourError | None = None
    """what is wrong with it, or with the row entered last"""


@dataclass
class Visit:
    """A visitor's way through the app, and the jobs of the server that the visitor may use."""

    jobs: Jobs
    last_jobs: dict[JobKind, str] = field(default_factory=dict)
    """the key of the job of each kind that this visitor wanted last"""
    page: str = ""
    """the page of the last run"""
    left: dict[str, Any] = field(default_factory=dict)
    """the values of that page's fields at the end of the run"""
    trail: list[Words] = field(default_factory=list)
    """the addresses that it wrote since it was arrived at"""
    shared: Words = field(default_factory=dict)
    """what all pages are about: it goes along from page to page"""
    kept: dict[str, Words] = field(default_factory=dict)
    """the address of each page as it was left"""
    complaints: dict[str, list[str]] = field(default_factory=dict)
    """what is wrong with the address by which each page was opened, a sentence each"""
    imports: dict[str, Imported] = field(default_factory=lambda: defaultdict(Imported))
    """what each section of the page Import holds, by its key"""
    drafts: int = 0
    """the number of mappings that were begun, so that each has controls of its own"""
    taken: dict[str, str] = field(default_factory=dict)
    """the id of the file that was taken last from each upload control, by its key"""
    saved: dict[str, str] = field(default_factory=dict)
    """the id of the scenario that was saved last by each form, by its key"""
    lock_problem: str = ""
    """why the hours asked for last cannot be locked; told once"""
    actuals_read: str = ""
    """the version of what was seen that was read just now, until the page is drawn with it"""


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
