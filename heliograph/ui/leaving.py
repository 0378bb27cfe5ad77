"""What is said on another page to somebody who left Record in the middle of a recording."""

from __future__ import annotations

import streamlit as st

from heliograph.ui import messages
from heliograph.ui.frame import just_entered

__all__ = ["tell_left_recording"]

_DESKS = ("record_lossless_desk", "record_desk")


def tell_left_recording(page: str) -> None:
    """Called by the navigation before it runs `page` (its path); says it once."""
    if page == "record" or not just_entered() or not any(desk in st.session_state for desk in _DESKS):
        return
    from heliograph.ui.recorder import rest_recorder, was_recording  # Costs half a second: only where it was used.

    if was_recording():
        rest_recorder()
        st.toast(messages.RECORD_LEFT, icon=":material/mic_off:", duration="long")
