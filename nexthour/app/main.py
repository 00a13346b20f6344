"""The app's entry, which Streamlit runs at every click: page config and navigation."""

import streamlit as st

from nexthour.app.menu import menu


def draw_app() -> None:
    """Draw the page that the address names."""
    st.set_page_config("Next Hour", layout="wide", initial_sidebar_state="auto")
    st.navigation(menu(), position="hidden").run()


if __name__ == "__main__":
    draw_app()
