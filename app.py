"""The app, for `streamlit run app.py`. What it shows is in nexthour/app/."""

from nexthour.app.main import draw_app

draw_app()
