"""Long work as a page shows it: how it goes, how to stop it, and then its result.

    its = long_work.result("gaps", at.scenario, at.seed, label="Price the remedies", plan=plan)
    if its is not None: ...

It is begun at once. Who stopped it is asked before it is begun again; who leaves the page finds it done later.

Left out: where the work is done (searches/).
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import streamlit as st

import searches
from searches import Kind, Search
from sim import Scenario
from telling import count
from views.frame import note, plain

LOOK_AGAIN_SECONDS = 0.7


def result(kind: Kind, scenario: Scenario, seed: int, *, label: str, **arguments: Any) -> Any:
    """What the work gives once it is done; until then None, and how it goes is on the page."""
    what = (kind, scenario.digest(), seed, repr(sorted(arguments.items())))
    kept: dict[str, tuple[Any, Search]] = st.session_state.setdefault("searches", {})
    search = kept[kind][1] if kind in kept and kept[kind][0] == what else None
    if search is None or (search.state in ("cancelled", "failed") and st.button(label, key=f"again {kind}")):
        search = searches.start(kind, scenario, seed, who=_who(), **arguments)
    kept[kind] = what, search
    if search.state == "done":
        return search.result
    if search.state == "failed":
        st.error(plain(search.problem))
    elif search.state == "cancelled":
        note("Stopped.")
    else:
        _progress(search)
    return None


@st.fragment(run_every=LOOK_AGAIN_SECONDS)
def _progress(search: Search) -> None:
    if search.state not in ("waiting", "running"):
        st.rerun()
    said = f"{search.says or 'starting'} … {search.seconds:.0f} s"
    if search.state == "waiting":
        said = f"waiting for {count(search.place, 'other search')}".replace("searchs", "searches")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(plain(said[0].upper() + said[1:]), width="stretch")
        if st.button("Stop", key=f"stop {search.kind}"):
            search.cancel(_who())
            st.rerun()


def _who() -> str:
    """This visit, whose wish to stop counts."""
    return str(st.session_state.setdefault("who", uuid4().hex))
