"""What one sees while recording, whatever the recorder: the ring of speech seconds, the level, and advice."""

from __future__ import annotations

import streamlit as st

from heliograph.audio.capture import CaptureSnapshot
from heliograph.ui.drawing import show_drawing, show_live_text
from heliograph.ui.meters import GOOD_SPEECH_S, NEEDED_SPEECH_S, draw_level, draw_ring

__all__ = ["SILENT_LINE_S", "TICK_S", "show_live_ring"]

TICK_S = 0.5
RING_PX = 140
SILENT_LINE_S = 4.0  # Nothing for so long is no mere delay: the connection is gone, or the microphone.


def show_live_ring(snapshot: CaptureSnapshot, *, with_level: bool = True) -> None:
    """Draw a running recording; `with_level` False where the browser draws its own."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium", wrap=False):
        with st.container(width=RING_PX):
            show_drawing(draw_ring(snapshot.speech_s, snapshot.elapsed_s), key="record_ring", reveal=True)
        with st.container(width="stretch", gap="xsmall"):
            if with_level:
                show_drawing(draw_level(snapshot.level_dbfs, snapshot.peak_dbfs), key="record_level")
            _tell_progress(snapshot)


def _tell_progress(snapshot: CaptureSnapshot) -> None:
    if snapshot.last_frame_age_s is not None and snapshot.last_frame_age_s > SILENT_LINE_S:
        st.warning("Nothing arrives at the server right now. What was recorded is kept; waiting for more …")
        return
    if snapshot.speech_s < NEEDED_SPEECH_S:
        text = f"Keep speaking: at least {NEEDED_SPEECH_S:.0f} seconds of speech are needed."
    elif snapshot.speech_s < GOOD_SPEECH_S:
        text = "Enough to be analysed; a little more makes it safe."
    else:
        text = "Plenty of speech. Stop whenever the text ends."
    show_live_text(text, key="record_progress")
