"""The review of a recording before it is submitted: listen, look, and one row for each measure of quality."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from heliograph.audio.quality import QualityRow, Verdict
from heliograph.charts import Mode
from heliograph.runs.intake import compute_rows, load_waveform
from heliograph.store import Recording, recording_path
from heliograph.ui.drawing import show_drawing
from heliograph.ui.interruptions import describe_interruptions
from heliograph.ui.meters import draw_waveform
from heliograph.ui.theme import get_mode
from heliograph.ui.workspace import Workspace

__all__ = ["Review", "make_quality_html", "show_review"]

COLUMNS = 600
# Sign, word, and the sign's colour on a light and on a dark page (4.5 : 1 or more).
VERDICTS: dict[Verdict, tuple[str, str, dict[Mode, str]]] = {
    Verdict.PASS: ("✓", "Good", {"light": "#137a4b", "dark": "#3ecf8e"}),
    Verdict.WARN: ("!", "Check", {"light": "#a35200", "dark": "#ffb454"}),
    Verdict.FAIL: ("✕", "Not usable", {"light": "#b3261e", "dark": "#ff8a80"}),
}
STYLE = """
<style>
.hg-quality { display: grid; grid-template-columns: max-content minmax(7rem, max-content) 1fr; gap: .5rem 1.2rem;
  line-height: 1.3; align-items: baseline; }
.hg-quality > div { display: contents; }
.hg-quality span, .hg-quality b { min-width: 0; overflow-wrap: anywhere; }
.hg-quality .hg-verdict { font-weight: 600; white-space: nowrap; }
.hg-quality .hg-advice { grid-column: 2 / -1; opacity: .8; font-size: .9rem; margin: -.3rem 0 .2rem; }
@media (max-width: 640px) {
  .hg-quality { column-gap: .8rem; grid-template-columns: max-content 1fr 1fr; }
}
</style>
"""


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
            return (
                "This recording can't be submitted: see the row marked “Not usable”. Discard it and record again."
            )
        if self.warned and not self.reason:
            return "Give a reason for submitting despite the rows marked “Check”, or record again."
        return None


def show_review(workspace: Workspace, recording: Recording) -> Review:
    """Draw player, waveform and quality rows; asks for a reason where a row warns."""
    path = recording_path(workspace.store, recording)
    lows, highs = _waveform(str(path), recording.id)
    rows = compute_rows(recording)
    heard_box, quality_box = st.columns(2, gap="large")
    with heard_box:
        show_drawing(draw_waveform(lows, highs), key=f"record_waveform_{recording.id[:8]}")
        st.audio(str(path), format=recording.facts.media_type)
    quality_box.html(make_quality_html(rows, get_mode()))
    for happened in describe_interruptions(recording.facts.processing):
        quality_box.caption(f":material/info: {happened}")
    verdicts = {row.verdict for row in rows}
    failed, warned = Verdict.FAIL in verdicts, Verdict.WARN in verdicts
    reason = ""
    if warned and not failed:
        reason = quality_box.text_input(
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


def make_quality_html(rows: Sequence[QualityRow], mode: Mode) -> str:
    """One line a measure: verdict, name, number, and what to do where it is not good."""
    return f'{STYLE}<div class="hg-quality" role="list">{"".join(_make_row(row, mode) for row in rows)}</div>'


def _make_row(row: QualityRow, mode: Mode) -> str:
    sign, word, colours = VERDICTS[row.verdict]
    advised = row.verdict is not Verdict.PASS and row.advice
    advice = f'<span class="hg-advice">{html.escape(row.advice)}</span>' if advised else ""
    return (
        f'<div role="listitem"><span class="hg-verdict" style="color:{colours[mode]}">{sign} {word}</span>'
        f"<b>{html.escape(row.label)}</b><span>{html.escape(row.text)}</span>{advice}</div>"
    )
