"""One run in full: where it stands or how it ended, its recording, what was sent, and every moment of its life."""

from __future__ import annotations

import streamlit as st

from heliograph.runs.submission import is_recording_there
from heliograph.store import (
    OPEN_STATES,
    Recording,
    RunDetail,
    RunKind,
    Store,
    UnknownRecordError,
    load_ratings,
    load_run_detail,
    recording_path,
)
from heliograph.ui import messages
from heliograph.ui.demographics import describe_accent, describe_language, describe_sex
from heliograph.ui.formats import (
    format_bytes,
    format_clock_utc,
    format_local,
    format_seconds,
    format_utc,
    plain_line,
)
from heliograph.ui.interruptions import describe_interruptions
from heliograph.ui.markup import escape
from heliograph.ui.query import clear_param
from heliograph.ui.ratings import list_ratings
from heliograph.ui.raw_answers import show_raw_answers
from heliograph.ui.result_card import show_run_outcome
from heliograph.ui.run_actions import show_run_actions, show_saved_notice
from heliograph.ui.run_progress import TICK_S, show_run_progress
from heliograph.ui.theme import show_facts
from heliograph.ui.workspace import get_workspace

__all__ = ["show_run_detail"]


def show_run_detail(store: Store, run_id: int) -> None:
    """Draw the page of a run; says so in plain words when there is none with this number."""
    if st.button("All runs", key="runs_back", icon=":material/arrow_back:", type="tertiary"):
        clear_param("run")
        st.rerun()
    show_saved_notice()
    try:
        detail = load_run_detail(store, run_id)
    except UnknownRecordError:
        st.info(f"There is no run {run_id} in this workspace. It may have been deleted.")
        return
    _show_head(detail)
    if detail.run.state in OPEN_STATES:
        show_run_progress(detail.run)
    else:
        show_run_outcome(detail)
    show_run_actions(detail)
    left, right = st.columns([1, 1], gap="large")
    with left:
        _show_recording(store, detail)
        _show_transcript(detail)
    with right:
        st.subheader("Sent with the run", anchor=False)
        show_facts(_list_metadata(detail))
        if ratings := load_ratings(store, run_id):
            st.subheader("Ratings", anchor=False)
            show_facts(list_ratings(ratings))
    st.subheader("Timeline", anchor=False)
    moving = detail.run.state in OPEN_STATES
    st.fragment(_show_timeline, run_every=TICK_S if moving else None)(run_id)
    with st.expander("Raw answers of the API", icon=":material/data_object:"):
        st.caption("As received. The signature of the upload link is hidden.")
        show_raw_answers(detail.answers)


def _show_head(detail: RunDetail) -> None:
    run, words = detail.run, messages.describe_state(detail.run.state)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(f"Run {run.id}", anchor=False, width="content")
        if run.state not in OPEN_STATES:  # Its steps below are live; this line is not.
            st.badge(words.name, icon=words.icon, color=words.colour)  # type: ignore[arg-type]  # a name of theirs
    st.text(f"Participant {plain_line(detail.participant.label)} · session of {format_local(run.session_local)}")
    with st.container(horizontal=True, gap="medium"):
        st.page_link(
            "trends.py", label="Trend of this participant", icon=":material/show_chart:",
            query_params={"participant": str(run.participant_id)},
        )  # fmt: skip
        for other, words_before in [
            (run.repeats_run_id, "Repeats run"),
            *((n, "Repeated by run") for n in detail.repeated_by),
        ]:
            if other is not None:
                st.page_link(
                    "runs.py",
                    label=f"{words_before} {other}",
                    icon=":material/replay:",
                    query_params={"run": str(other)},
                )
    if run.deletion_due_utc and not run.deleted_at_thymia_utc:
        st.caption(f"thymia deletes {_what_goes(detail)} at {format_utc(run.deletion_due_utc)}.")


def _show_recording(store: Store, detail: RunDetail) -> None:
    st.subheader("Recording", anchor=False)
    recording = detail.recording
    if recording is None:
        activity = detail.run.kind == RunKind.ACTIVITY
        st.caption("thymia recorded this session; the audio is not kept here." if activity else "None.")
        return
    if is_recording_there(store, recording.id):
        st.audio(recording_path(store, recording), format=recording.facts.media_type)
    else:
        gone = f"deleted here at {format_utc(recording.purged_utc)}" if recording.purged_utc else "missing"
        st.caption(f"The audio file is {gone}. What was measured remains.")
    show_facts(_list_recording(recording, detail.run.quality_override))


def _list_recording(recording: Recording, override: str | None) -> list[tuple[str, str]]:
    facts = recording.facts
    measured = [
        ("Speech", format_seconds(facts.speech_s)),
        ("Length", format_seconds(facts.duration_s)),
        ("Level of the voice", _number(facts.level_dbfs, "dBFS")),
        ("Clipping", _share(facts.clipped_share)),
        ("Signal to noise", _number(facts.snr_db, "dB")),
        ("Effective bandwidth", "–" if facts.bandwidth_hz is None else f"{facts.bandwidth_hz / 1000:.1f} kHz"),
        ("Gaps", _share(facts.missing_share)),
        ("File", f"{escape(facts.media_type)}, {format_bytes(recording.byte_size)}"),
        ("Recorded with", messages.describe_source(facts.source)),
    ]
    if happened := describe_interruptions(facts.processing):
        measured.append(("Interruptions", " ".join(happened)))
    return [*measured, ("Used despite warnings because", escape(override))] if override else measured


def _number(value: float | None, unit: str) -> str:
    return "–" if value is None else f"{value:.1f} {unit}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _show_transcript(detail: RunDetail) -> None:
    spoken = [section.transcript for section in detail.sections if section.transcript]
    if not spoken:
        return
    key = "runs_transcript"
    if st.toggle("Show the transcript", key=key, value=False):
        st.caption("What was said can identify a person.")
        for text in spoken:
            st.text(text)


def _show_timeline(run_id: int) -> None:
    try:
        detail = load_run_detail(get_workspace().store, run_id)
    except UnknownRecordError:
        return
    st.table(
        {
            "Time (UTC)": [format_clock_utc(event.at_utc) for event in detail.events],
            "State": [messages.describe_state(event.state).name for event in detail.events],
            "Note": [escape(event.detail or "") for event in detail.events],
        },
        border="horizontal",
        hide_index=True,
    )


def _list_metadata(detail: RunDetail) -> list[tuple[str, str]]:
    run = detail.run
    facts = [
        ("Label", escape(detail.participant.label)),
        ("Date of birth", run.date_of_birth),
        ("Birth sex", describe_sex(run.birth_sex)),
        ("Language", describe_language(run.language)),
        *([("Accent", describe_accent(run.accent))] if run.accent else []),
        ("Fell asleep", format_local(run.asleep_local)),
        ("Woke up", format_local(run.awake_local)),
        ("Recorded", format_local(run.recorded_local)),
        *((f"Tag {escape(name)}", escape(value)) for name, value in detail.tags.items()),
        (
            "Deletion at thymia",
            f"{_what_goes(detail)}, 12 hours after completion" if run.delete_data else "not asked for",
        ),
        ("Id at thymia", run.thymia_id or "none yet"),
    ]
    if run.failure_detail:
        facts.append(("What went wrong", escape(run.failure_detail)))
    if run.error_reason:
        facts.append(("thymia's reason (for debugging)", escape(run.error_reason)))
    return facts


def _what_goes(detail: RunDetail) -> str:
    return "the recording" if detail.run.data_to_delete else "recording, inputs and results"
