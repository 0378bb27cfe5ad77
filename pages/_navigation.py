"""The frame around every screen: the page's settings and the navigation."""

import streamlit as st

from heliograph.ui.frame import ICON, note_page
from heliograph.ui.leaving import tell_left_recording

st.set_page_config(page_title="Heliograph", page_icon=ICON, layout="wide")

page = st.navigation(
    [
        st.Page("overview.py", title="Overview", icon=":material/home:", default=True),
        st.Page("record.py", title="Record", icon=":material/mic:"),
        st.Page("runs.py", title="Runs", icon=":material/list:"),
        st.Page("trends.py", title="Trends", icon=":material/show_chart:"),
        st.Page("cohorts.py", title="Cohorts", icon=":material/group:"),
        st.Page("sleep.py", title="Sleep", icon=":material/bedtime:"),
        st.Page("self_report.py", title="Self-report", icon=":material/assignment:"),
        st.Page("settings.py", title="Settings", icon=":material/settings:"),
    ],
    position="top",
)
note_page(page.url_path)
tell_left_recording(page.url_path)
page.run()
