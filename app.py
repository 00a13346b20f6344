"""The app's entry: page config and navigation. What a page shows is in views/, a file each."""

import streamlit as st

from views.pages import menu

st.set_page_config("Next Hour", layout="wide", initial_sidebar_state="auto")
st.navigation(menu(), position="hidden").run()
