"""The Sleep page: the range, and one of two views on the runs whose sleep is known."""

from __future__ import annotations

from datetime import date

import streamlit as st

from heliograph.ui.query import restore_choices
from heliograph.ui.sleep_models import show_sleep_and_voice
from heliograph.ui.sleep_panel import VIEWS, choose_range, load_rows, show_sample, show_sleep
from heliograph.ui.views import choose_view
from heliograph.ui.workspace import Workspace

__all__ = ["show_sleep_page"]


def show_sleep_page(workspace: Workspace) -> None:
    """Draw the page below its head."""
    from heliograph.charts.cohort_frame import FigureAbout

    restore_choices("sleep_")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        view = choose_view(VIEWS, key="sleep_view")
        chosen = choose_range()
    with st.spinner("Reading the results…"):
        found = load_rows(workspace, chosen)
    if not len(found.rows):
        _show_nothing(chosen)
        return
    show_sample(found.sample)
    about = FigureAbout(workspace.name, workspace.synthetic, date.today(), found.chosen)
    if view == VIEWS[0]:
        show_sleep(workspace, found, about)
    else:
        show_sleep_and_voice(workspace, found, about)


def _show_nothing(chosen: str) -> None:
    if chosen != "All":
        st.info("No result with sleep times in this range. Choose a longer one.")
        return
    with st.container(border=True):
        st.markdown(
            "**No sleep times yet.** Switch on *Add sleep times* when you submit a recording, and say when the"
            " participant fell asleep and woke up. They appear here once a run has its result."
        )
        if st.button("Record a session", key="sleep_record", type="primary", icon=":material/mic:"):
            st.switch_page("record.py")
