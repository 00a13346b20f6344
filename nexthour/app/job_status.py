"""Long work as people see it: how it goes, a button that stops it, and then what was found.

    searching.at_once("gaps", at, {"plan": plan}, "Pricing the remedies", "Price the remedies")

begins it when the page is opened. Where it waits until somebody asks, a button calls `begin`, and `known` and `result`
show the rest.

The page looks at its own search once a second, and at nothing else; when that is over the whole page is drawn again.
Nobody knows how long a search takes, so there is no bar. Left out: where the work is done (searches/).
"""

from __future__ import annotations

import html
from typing import Any

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from nexthour import jobs
from nexthour.app.page import At, note, plain
from nexthour.jobs import Kind, Search
from nexthour.report.numbers import count_of
from nexthour.report.text import one_line, with_capital

LOOKS_SECONDS = 1.0


def known(kind: Kind, at: At, arguments: dict[str, Any]) -> Search | None:
    """The search for this, if anybody began it; those that were cancelled count as none."""
    job = jobs.known(kind, at.scenario, at.seed, **arguments)
    return None if job is None or job.state == "cancelled" else job


def begin(kind: Kind, at: At, arguments: dict[str, Any]) -> None:
    """Begin the search for this, or join it."""
    _begun(kind, at, arguments)


def at_once(kind: Kind, at: At, arguments: dict[str, Any], what: str, again: str) -> Any:
    """What was found, begun without being asked for; until then, how it goes, and None.

    A search that failed, or that this visitor stopped, is begun anew by a button only: `again` is its label.
    """
    job = jobs.known(kind, at.scenario, at.seed, **arguments)
    is_stopped = job is not None and job.state == "cancelled"
    if job is None or (is_stopped and job.key != _wanted_here().get(kind)):
        job, is_stopped = _begun(kind, at, arguments), False
    found = None if is_stopped else result(job, what)
    if job.state in ("cancelled", "failed"):
        st.button(again, on_click=begin, args=(kind, at, arguments), key=f"again {kind}")
    return found


def offer_to_cancel_another(kind: Kind, but: Search | None, says: str) -> None:
    """If what this visitor wanted last still goes on, and is not the one that is looked at."""
    job = jobs.find(_wanted_here().get(kind, ""))
    if job is not None and job is not but and _is_active(job):
        note(says)
        st.button("Cancel that one", on_click=cancel, args=(job.key,))


def was_wanted(kind: Kind) -> bool:
    """Whether this visitor wanted such a search before, of this or of something else."""
    return kind in _wanted_here()


def result(search: Search, what: str) -> Any:
    """What was found; until then, how it goes, and None."""
    if _is_active(search):
        search.join(_me())
        _wanted_here()[search.kind] = search.key
        _watched(search.key, what)
        return None
    if search.state == "failed":
        sentence = one_line(search.problem)
        begins_with_a_word = sentence.partition(" ")[0].isalpha()  # and not with the name of a file
        st.error(plain(with_capital(sentence) if begins_with_a_word else sentence))
        return None
    return search.result


def cancel(key: str) -> None:
    """This visitor does not want it any more. Neither do visitors who are gone, such as this one before a reload."""
    job = jobs.find(key)
    if job is None:
        return
    gone = [who for who in job.wanted_by if runtime.exists() and not runtime.get_instance().is_active_session(who)]
    for who in (*gone, _me()):
        job.cancel(who)


def how_it_goes(search: Search) -> str:
    """In words."""
    if search.state == "waiting":
        return f"Waiting: {search.place} {'search is' if search.place == 1 else 'searches are'} before it."
    said = one_line(search.says) or "getting ready"
    return f"{with_capital(said)}."


@st.fragment(run_every=LOOKS_SECONDS)
def _watched(key: str, what: str) -> None:
    job = jobs.find(key)
    if job is None or not _is_active(job):
        st.rerun()
    with st.container(border=True):
        # Read aloud when it changes; the seconds are not.
        st.html(f'<p class="nh-said" role="status">{html.escape(how_it_goes(job))}</p>')
        so_far = count_of(round(job.seconds), "second")
        note(f"{what}: {so_far} so far. You may go elsewhere meanwhile; what is found will be here.")
        if _me() in job.wanted_by:
            st.button("Cancel", key=f"cancel {job.kind}", on_click=cancel, args=(key,))
        else:
            note("Somebody else waits for the same, so it goes on.")


def _begun(kind: Kind, at: At, arguments: dict[str, Any]) -> Search:
    job = jobs.start(kind, at.scenario, at.seed, who=_me(), **arguments)
    _wanted_here()[kind] = job.key
    return job


def _is_active(search: Search) -> bool:
    return search.state in ("waiting", "running")


def _wanted_here() -> dict[Kind, str]:
    """By kind, the key of the search that this visitor wanted last."""
    wanted: dict[Kind, str] = st.session_state.setdefault("searching", {})
    return wanted


def _me() -> str:
    context = get_script_run_ctx()
    return "" if context is None else context.session_id
