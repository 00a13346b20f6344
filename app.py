"""The app, for `streamlit run app.py`: its server, and the script that Streamlit runs at every click."""

import streamlit as st

if __name__ == "__main__":
    from nexthour.app.menu import draw_app

    draw_app()
else:
    from nexthour.app.server import MIDDLEWARE, lifespan

    app = st.App(__file__, middleware=MIDDLEWARE, lifespan=lifespan)
