"""What app.py, which Streamlit runs at every click, draws: page config and navigation."""

import streamlit as st

from nexthour.app.menu import menu


def draw_app() -> None:
    """Draw the page that the address names."""
    st.set_page_config("Next Hour", layout="wide", initial_sidebar_state="auto")
    st.navigation(menu(), position="hidden").run()
