"""Widgets, forms and messages: everything that is drawn by Streamlit and belongs to more than one page."""
