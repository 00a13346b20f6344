"""The app, for `streamlit run app.py`. What it shows is in nexthour/app/."""

from nexthour.app.menu import draw_app

draw_app()
