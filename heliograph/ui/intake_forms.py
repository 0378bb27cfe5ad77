"""The two other ways to a recording: the browser's built-in recorder, and files."""

from __future__ import annotations

import streamlit as st

from heliograph.audio import AudioError
from heliograph.runs.intake import keep_file
from heliograph.store import Participant, Recording, RecordingSource, StoreError
from heliograph.ui.markup import escape
from heliograph.ui.problems import show_problem
from heliograph.ui.waiting import review_recordings
from heliograph.ui.workspace import Workspace
from thymia_api.speech import SpeechError

__all__ = ["show_refused", "take_builtin_recording", "take_uploads"]

FORM_PX = 640
FORMATS = ["flac", "mp3", "mp4", "m4a", "ogg", "oga", "webm", "wav"]
SAMPLE_RATE = 16_000  # At 48 kHz browsers switch their own processing on.


def take_builtin_recording(workspace: Workspace, participant: Participant) -> None:
    """The browser's own recorder: no live meter, no network needed while speaking. Kept as soon as it arrives."""
    serial = st.session_state.setdefault("record_builtin_serial", 0)
    heard = st.audio_input(
        "Press the microphone, speak, press again to stop",
        sample_rate=SAMPLE_RATE,
        key=f"record_builtin_{serial}",
    )
    st.caption(
        "At least 10 seconds of speech, at most 3 minutes. Works where the live recorder is blocked;"
        " keep this page open until the review appears."
    )
    if heard is None:
        return
    try:
        with st.spinner("Saving the recording …"):
            recording = keep_file(
                workspace.store, heard.getvalue(), source=RecordingSource.BUILTIN, participant_id=participant.id
            )
    except (AudioError, SpeechError, StoreError) as error:
        show_problem(error)
        return
    st.session_state["record_builtin_serial"] = serial + 1
    review_recordings(recording)


def take_uploads(workspace: Workspace, participant: Participant) -> None:
    """Files of the six formats, several at once; those that can't be read are named and left out."""
    serial = st.session_state.setdefault("record_upload_serial", 0)
    with st.form(f"record_upload_form_{serial}", border=False, width=FORM_PX):
        files = st.file_uploader(
            "Recordings",
            type=FORMATS,
            accept_multiple_files=True,
            key=f"record_upload_{serial}",
        )
        st.caption(
            "FLAC, MP3, MP4, Ogg, WebM or WAV, each with at least 10 seconds of speech and at most 3 minutes long."
            " Files chosen together get the same session details."
        )
        sent = st.form_submit_button("Check the files", type="primary")
    if not sent:
        return
    if not files:
        st.warning("Choose one or more files first.")
        return
    kept: list[Recording] = []
    refused: list[tuple[Exception, str]] = []
    progress = st.progress(0.0, "Checking …")
    for number, file in enumerate(files, start=1):
        try:
            kept.append(
                keep_file(
                    workspace.store, file.getvalue(), source=RecordingSource.UPLOAD, participant_id=participant.id
                )
            )
        except (AudioError, SpeechError, StoreError) as error:
            refused.append((error, escape(file.name)))
        progress.progress(number / len(files), f"Checked {number} of {len(files)}")
    progress.empty()
    if kept:
        st.session_state["record_upload_serial"] = serial + 1
        st.session_state["record_refused"] = refused  # Said once, beside the review of the others.
        review_recordings(*kept)
    show_refused(refused)


def show_refused(refused: list[tuple[Exception, str]]) -> None:
    """One error box for each file that was not taken."""
    for error, name in refused:
        show_problem(error, about=name)
