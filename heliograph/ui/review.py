"""The review of a recording before it is submitted: listen, look, and one row for each measure of quality."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import streamlit as st

from heliograph.audio.quality import QualityRow, Verdict
from heliograph.runs.intake import compute_rows, load_waveform
from heliograph.store import Recording, recording_path
from heliograph.ui.drawing import show_drawing
from heliograph.ui.meters import draw_waveform
from heliograph.ui.workspace import Workspace

__all__ = ["Review", "show_review"]

COLUMNS = 600
ICONS: dict[Verdict, tuple[str, Literal["green", "orange", "red"], str]] = {
    Verdict.PASS: (":material/check_circle:", "green", "Good"),
    Verdict.WARN: (":material/warning:", "orange", "Check"),
    Verdict.FAIL: (":material/cancel:", "red", "Not usable"),
}


class Review:
    """What the review found: may the recording be submitted, and for what reason where that is doubtful."""

    def __init__(self, *, failed: bool, warned: bool, reason: str) -> None:
        self.failed = failed
        self.warned = warned
        self.reason = reason.strip()

    @property
    def problem(self) -> str | None:
        """What keeps it from being submitted, in a sentence."""
        if self.failed:
            return "This recording can't be submitted: see the row marked “Not usable” and record again."
        if self.warned and not self.reason:
            return "Give a reason for submitting despite the rows marked “Check”, or record again."
        return None


def show_review(workspace: Workspace, recording: Recording) -> Review:
    """Draw player, waveform and quality rows; asks for a reason where a row warns."""
    path = recording_path(workspace.store, recording)
    lows, highs = _waveform(str(path), recording.id)
    show_drawing(draw_waveform(lows, highs), key=f"record_waveform_{recording.id[:8]}")
    st.audio(str(path), format=recording.facts.media_type)
    rows = compute_rows(recording)
    with st.container(border=True, key=f"record_quality_{recording.id[:8]}"):
        for row in rows:
            _show_row(row)
    verdicts = {row.verdict for row in rows}
    failed, warned = Verdict.FAIL in verdicts, Verdict.WARN in verdicts
    reason = ""
    if warned and not failed:
        reason = st.text_input(
            "Reason for submitting despite the warnings",
            key=f"record_reason_{recording.id[:8]}",
            max_chars=200,
            placeholder="For example: the participant can't be recorded again",
            help="Kept with the run, so that an analysis can leave it out.",
        )
    return Review(failed=failed, warned=warned, reason=reason)


@st.cache_data(show_spinner=False, max_entries=20)
def _waveform(path: str, _recording_id: str) -> tuple[list[float], list[float]]:
    return load_waveform(Path(path), COLUMNS)


def _show_row(row: QualityRow) -> None:
    icon, colour, word = ICONS[row.verdict]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(word, icon=icon, color=colour, width=110)
        st.markdown(f"**{row.label}**", width=190)
        st.markdown(row.text, width="content")
    if row.verdict is not Verdict.PASS and row.advice:
        st.caption(row.advice)
