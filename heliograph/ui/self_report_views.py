"""The three views of the Self-report page; the address keeps which one is open."""

from __future__ import annotations

import streamlit as st

from heliograph.ui.query import restore_choices

__all__ = ["AGREEMENT", "QUESTIONNAIRES", "SAME_SCALE", "choose_view"]

AGREEMENT, SAME_SCALE, QUESTIONNAIRES = "Beside the voice", "Two measures", "Import"
VIEWS = (AGREEMENT, SAME_SCALE, QUESTIONNAIRES)


def choose_view() -> str:
    """Draw the views as one row of buttons."""
    restore_choices("selfreport_")
    chosen = st.segmented_control(
        "View", VIEWS, default=VIEWS[0], required=True, key="selfreport_view",
        bind="query-params", persist_state="session", label_visibility="collapsed",
    )  # fmt: skip
    return chosen or VIEWS[0]
