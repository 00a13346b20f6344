"""Pictures and tables, made of plain data: Vega-Lite specifications and HTML. Left out: Streamlit."""
