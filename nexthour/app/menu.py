"""The pages and their places in the menu, so that one page can link to another."""

from collections.abc import Mapping
from importlib import import_module
from types import ModuleType

import streamlit as st

from nexthour.app.state import url_state

FIRST = "start"
MENU: Mapping[str, Mapping[str, str]] = {
    "Explore": {
        "start": "Start",
        "lab": "Lab",
        "compare": "Compare",
        "find_plan": "Find a plan",
        "territory": "Territory",
        "stories": "The long game",
    },
    "Data": {"imports": "Import", "method": "Method"},
}
"""The title of each page by its module in pages/, whose `show` draws it; in sections of the menu."""
ADDRESSES = {"imports": "import", "stories": "long-game"}
"""Addresses of pages that are not the name of their module, by that name."""


def draw_app() -> None:
    """Draw the page that the address names: what app.py does at every click."""
    st.set_page_config("Next Hour", layout="wide", initial_sidebar_state="auto")
    st.navigation(menu(), position="hidden").run()


def menu() -> dict[str, list[st.Page]]:
    """All pages by section; made anew for each visitor, as Streamlit keeps something of a visit in them."""
    return {section: [page_entry(page) for page in pages] for section, pages in MENU.items()}


def page_entry(page: str) -> st.Page:
    """The entry of a page for Streamlit. Its module is imported when somebody goes there."""

    def show() -> None:
        load_page(page).show()

    titles = {name: title for pages in MENU.values() for name, title in pages.items()}
    return st.Page(show, title=titles[page], url_path=page_address(page) or None, default=page == FIRST)


def page_names() -> list[str]:
    """The names of all pages, as their modules are called."""
    return [page for section in MENU.values() for page in section]


def load_page(page: str) -> ModuleType:
    """The module of a page."""
    return import_module(f"nexthour.app.pages.{page}")


def page_address(page: str) -> str:
    """The address of a page, below the app's own, which is the first page's."""
    return "" if page == FIRST else ADDRESSES.get(page, page.replace("_", "-"))


def draw_menu() -> None:
    """The menu, for the sidebar: to each page as it was left.

    Streamlit's own is a list whose items are none to a screen reader.
    """
    for section, pages in MENU.items():
        st.markdown(f"**{section}**")
        for page in pages:
            st.page_link(page_entry(page), query_params=url_state.address_of(page))


def page_link(page: str, label: str, scenario_id: str = "", **parameters: list[str]) -> None:
    """A link to a page; `parameters` are of its address, as url_state.as_words gives them. The markets go along."""
    words = {"scenario": [scenario_id]} if scenario_id else {}
    seed = {"seed": [str(st.session_state["seed"])]}
    st.page_link(page_entry(page), label=label, query_params=words | parameters | seed)
