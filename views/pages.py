"""The pages and their places in the menu, so that one page can link to another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module

import streamlit as st

FIRST = "start"
MENU: Mapping[str, Mapping[str, str]] = {
    "Explore": {
        "start": "Start",
        "lab": "Lab",
        "compare": "Compare",
        "find_plan": "Find a plan",
        "long_game": "The long game",
    },
}
"""By section: the module of each page in views/, whose `show` draws it, and its title."""


def menu() -> dict[str, list[st.Page]]:
    """All pages by section; made anew for each visitor, as Streamlit keeps something of a visit in them."""
    return {section: [place(page) for page in pages] for section, pages in MENU.items()}


def place(page: str) -> st.Page:
    """The page in views/ of this name. It is imported when somebody goes there."""

    def show() -> None:
        import_module(f"views.{page}").show()

    titles = {name: title for pages in MENU.values() for name, title in pages.items()}
    # Streamlit serves the first page at the address of the app itself.
    address = None if page == FIRST else page.replace("_", "-")
    return st.Page(show, title=titles[page], url_path=address, default=page == FIRST)


def link(page: str, label: str, says: Mapping[str, Sequence[str]]) -> None:
    """A link to a page; `says` are its query parameters, as links.written gives them."""
    st.page_link(place(page), label=label, query_params={key: list(words) for key, words in says.items()})
