"""A search as people see it: how it goes, and a button that stops it.

The page looks at its own search once a second, and at nothing else; when that is over the whole page is drawn again.
Nobody knows how long a search takes, so there is no bar. Left out: what was found.
"""

from __future__ import annotations

import html
from typing import Any

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

import searches
import telling
from searches import Kind, Search
from views.frame import At, note, plain

LOOKS_SECONDS = 1.0


def known(kind: Kind, at: At, arguments: dict[str, Any]) -> Search | None:
    """The search for this, if anybody began it; those that were cancelled count as none."""
    its = searches.known(kind, at.scenario, at.seed, **arguments)
    return None if its is None or its.state == "cancelled" else its


def begin(kind: Kind, at: At, arguments: dict[str, Any]) -> None:
    """Begin the search for this, or join it."""
    its = searches.start(kind, at.scenario, at.seed, who=_me(), **arguments)
    st.session_state.setdefault("searching", {})[kind] = its.key


def going_on(kind: Kind, but: Search | None) -> Search | None:
    """What this visitor began last, if it still goes on and is not the one that is looked at."""
    its = searches.find(st.session_state.get("searching", {}).get(kind, ""))
    return its if its is not None and its is not but and _is_active(its) else None


def result(its: Search, what: str) -> Any:
    """What was found; until then, how it goes, and None."""
    if _is_active(its):
        its.join(_me())
        _watched(its.key, what)
        return None
    if its.state == "failed":
        sentence = telling.one_line(its.problem)
        st.error(plain(f"{sentence[:1].upper()}{sentence[1:]}"))
        return None
    return its.result


def cancel(key: str) -> None:
    """This visitor does not want it any more. Neither do visitors who are gone, such as this one before a reload."""
    its = searches.find(key)
    if its is None:
        return
    gone = [who for who in its.wanted_by if runtime.exists() and not runtime.get_instance().is_active_session(who)]
    for who in (*gone, _me()):
        its.cancel(who)


def how_it_goes(its: Search) -> str:
    """In words."""
    if its.state == "waiting":
        return f"Waiting: {its.place} {'search is' if its.place == 1 else 'searches are'} before it."
    said = telling.one_line(its.says) or "getting ready"
    return f"{said[0].upper()}{said[1:]}."


@st.fragment(run_every=LOOKS_SECONDS)
def _watched(key: str, what: str) -> None:
    its = searches.find(key)
    if its is None or not _is_active(its):
        st.rerun()
    with st.container(border=True):
        # Read aloud when it changes; the seconds are not.
        st.html(f'<p class="nh-said" role="status">{html.escape(how_it_goes(its))}</p>')
        so_far = telling.count(round(its.seconds), "second")
        note(f"{what}: {so_far} so far. You may go elsewhere meanwhile; what is found will be here.")
        if st.button("Cancel", key=f"cancel {its.kind}", on_click=cancel, args=(key,)):
            note("Somebody else waits for the same, so it goes on.")


def _is_active(its: Search) -> bool:
    return its.state in ("waiting", "running")


def _me() -> str:
    context = get_script_run_ctx()
    return "" if context is None else context.session_id
