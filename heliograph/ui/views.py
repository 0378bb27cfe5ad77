"""The views of a page as one row of buttons; the address and the session keep which one is open."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

__all__ = ["choose_view"]


def choose_view(views: Sequence[str], *, key: str) -> str:
    """Draw the buttons, the first one pressed at first, and return the view that is open."""
    chosen = st.segmented_control(
        "View", views, default=views[0], required=True, key=key,
        bind="query-params", persist_state="session", label_visibility="collapsed",
    )  # fmt: skip
    return chosen or views[0]
