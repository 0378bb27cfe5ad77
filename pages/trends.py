"""Trends: one participant, every run on a true time axis."""

import streamlit as st

from heliograph.store import load_trend
from heliograph.ui.frame import show_disclaimer, show_header
from heliograph.ui.trend_panel import choose_range, choose_trend_participant, show_no_participants, show_trend

workspace = show_header("Trends")
with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
    participant = choose_trend_participant(workspace.store)
    if participant is not None:
        since_local = choose_range()
        buckets = st.toggle("Levels instead of scores", key="trends_levels", bind="query-params")

if participant is None:
    show_no_participants()
else:
    frame = load_trend(workspace.store, participant.id, since_local=since_local)
    show_trend(workspace, participant, frame, buckets=buckets)
    show_disclaimer()
