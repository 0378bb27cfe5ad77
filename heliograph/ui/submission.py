"""The last steps of Record: what was found from before, the session, submitting, and the run as it goes."""

from __future__ import annotations

from functools import partial

import streamlit as st

from heliograph.audio import AudioError
from heliograph.audio.capture import live_tokens
from heliograph.runs import ActivitySubmission, RunsError, UploadSubmission, submit_activity, submit_upload
from heliograph.runs.intake import (
    Unfinished,
    discard_recording,
    discard_unfinished,
    keep_unfinished,
    load_unfinished,
)
from heliograph.store import (
    Participant,
    Recording,
    StoreError,
    UnknownRecordError,
    from_utc_text,
    load_recording,
    to_local_text,
)
from heliograph.ui.buttons import sure_button
from heliograph.ui.discarding import confirm_discard, offer_discard
from heliograph.ui.focus import show_focused_heading
from heliograph.ui.formats import format_local, format_seconds
from heliograph.ui.noise_floor import noise_tags
from heliograph.ui.problems import show_problem
from heliograph.ui.recorder import is_recording, own_tokens
from heliograph.ui.recorder_words import STOP_FIRST
from heliograph.ui.review import show_review
from heliograph.ui.run_progress import show_run_progress
from heliograph.ui.session_form import ask_session, to_local
from heliograph.ui.waiting import describe_owner, waiting_recordings
from heliograph.ui.workspace import Workspace
from thymia_api.speech import SpeechError

__all__ = ["show_activity_request", "show_submit", "show_submitted", "show_unfinished"]


def show_unfinished(workspace: Workspace, participant: Participant | None) -> None:
    """Recordings that were cut off or never submitted: nobody has to make them again.

    Those of the chosen participant can be reviewed or discarded; of the others it is said that they wait.
    """
    waiting = waiting_recordings()
    making = {*live_tokens(), *own_tokens()}
    found = load_unfinished(workspace.store, exclude_takes=making, exclude_recordings=waiting)
    if participant is None:
        whose = {describe_owner(workspace.store, item.participant_id) for item in found}
        if found:
            st.info(f"Recordings not submitted yet: {', '.join(sorted(whose))}. Choose the participant to go on.")
        return
    own = [item for item in found if item.participant_id in (participant.id, None)]
    if not own:
        return
    title = f"{len(own)} earlier recording{'s' if len(own) > 1 else ''} not submitted yet"
    with st.expander(title, icon=":material/restore:", expanded=True):
        for item in own:
            _show_unfinished(workspace, participant, item)


def show_submit(workspace: Workspace, participant: Participant) -> None:
    """Review what is waiting, ask for the session, and submit everything with one button."""
    recordings = _load_waiting(workspace)
    problems: list[str] = []
    unusable = False
    reasons: dict[str, str] = {}
    show_focused_heading("Review", key="record_focus_review")
    for number, recording in enumerate(recordings, start=1):
        if len(recordings) > 1:
            st.markdown(f"**Recording {number} of {len(recordings)}**")
        review = show_review(workspace, recording)
        reasons[recording.id] = review.reason
        unusable = unusable or review.failed
        if review.problem:
            problems.append(review.problem)
        key = f"record_discard_{recording.id[:8]}"
        offer_discard("Discard this recording", key=key, icon=":material/delete:")
        confirm_discard(key, partial(_discard_reviewed, workspace, recording, waiting_recordings()))
    if unusable:
        for problem in dict.fromkeys(problems):
            st.warning(problem)
        return
    st.subheader("Session", anchor=False)
    session = ask_session(
        workspace.store, participant, key="record_session", recordings=recordings, own_tags=noise_tags(participant)
    )
    problems += session.problems
    for problem in dict.fromkeys(problems):
        st.warning(problem)
    label = "Submit" if len(recordings) == 1 else f"Submit {len(recordings)} recordings"
    # Never greyed out: a press is also what ends typing in the field above it.
    about = tuple(recording.id for recording in recordings)
    waiting, shown = waiting_recordings(), _shown_runs()
    refusal = st.container()  # Above the button, which may stand at the screen's lower edge.
    if not sure_button(label, key="record_submit", kind="primary", icon=":material/send:", about=about):
        return
    if problems:
        refusal.error("Not submitted yet: see the notes above.")
        return
    runs = []
    try:
        for recording in recordings:
            runs.append(
                submit_upload(
                    workspace.store,
                    UploadSubmission(
                        # The same recording for the same person is the same run, also after a reload.
                        submission_key=f"record:{participant.id}:{recording.id}",
                        participant_id=participant.id,
                        recording_id=recording.id,
                        asleep_local=session.times.asleep,
                        awake_local=session.times.awake,
                        recorded_local=session.times.recorded,
                        ratings=session.ratings,
                        tags=session.tags,
                        delete_data=session.delete_data,
                        data_to_delete=session.data_to_delete,
                        quality_override=reasons[recording.id] or None,
                    ),
                )
            )
    except (RunsError, StoreError) as error:
        show_problem(error)
        return
    # In place: a rerun may break in whenever the session state is touched.
    shown[:] = runs
    waiting.clear()
    workspace.wake_worker()
    st.rerun()


def show_activity_request(workspace: Workspace, participant: Participant) -> None:
    """A link under which the participant records by themselves, on a page that thymia hosts."""
    st.markdown("The participant opens the link on their own phone or computer and records there.")
    session = ask_session(workspace.store, participant, key="record_activity")
    for problem in session.problems:
        st.warning(problem)
    pad: dict[str, str] = st.session_state.setdefault("record_activity_pad", {"key": _new_key()})
    shown, key = _shown_runs(), pad["key"]
    pressed = sure_button("Create link", key="record_activity_create", kind="primary", about=key)
    if pressed and session.problems:
        st.error("Not created yet: see the notes above.")
    elif pressed:
        try:
            run = submit_activity(
                workspace.store,
                ActivitySubmission(
                    submission_key=key,
                    participant_id=participant.id,
                    asleep_local=session.times.asleep,
                    awake_local=session.times.awake,
                    tags=session.tags,
                    delete_data=session.delete_data,
                    data_to_delete=session.data_to_delete,
                ),
            )
        except (RunsError, StoreError) as error:
            show_problem(error)
            return
        shown[:] = [run]
        pad["key"] = _new_key()
        workspace.wake_worker()
        st.rerun()


def show_submitted(workspace: Workspace) -> None:
    """The runs of this visit, live, each with its result card once it is there."""
    runs = _shown_runs()
    if not runs:
        return
    show_focused_heading("Runs" if len(runs) > 1 else "Run", key=f"record_focus_run_{runs[0]}")
    for run_id in runs:
        show_run_progress(run_id)
    if sure_button("Record another", key="record_another", icon=":material/add:", about=tuple(runs)):
        runs.clear()
        st.rerun()


def _discard_reviewed(workspace: Workspace, recording: Recording, waiting: list[str]) -> None:
    discard_recording(workspace.store, recording.id)
    if recording.id in waiting:
        waiting.remove(recording.id)


def _load_waiting(workspace: Workspace) -> list[Recording]:
    """What is up for review; a recording discarded elsewhere in the meantime is forgotten here too."""
    waiting, found = waiting_recordings(), []
    for name in list(waiting):
        try:
            found.append(load_recording(workspace.store, name))
        except UnknownRecordError:
            waiting.remove(name)
    return found


def _shown_runs() -> list[int]:
    """The runs of this visit; the list itself, to be changed in place."""
    runs: list[int] = st.session_state.setdefault("record_runs", [])
    return runs


def _new_key() -> str:
    import secrets

    return f"activity:{secrets.token_hex(12)}"


def _show_unfinished(workspace: Workspace, participant: Participant, item: Unfinished) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        began = format_local(to_local_text(to_local(from_utc_text(item.started_utc))))
        st.markdown(f"{began} · {format_seconds(item.duration_s)}", width="content")
        if item.cut_off:
            st.badge("interrupted", color="orange")
        waiting = waiting_recordings()
        keep = sure_button(
            "Review",
            key=f"record_found_review_{item.key}",
            disabled_because=STOP_FIRST if is_recording() else None,
        )
        key = f"record_found_discard_{item.key}"
        offer_discard("Discard", key=key, kind="tertiary")
    confirm_discard(key, partial(discard_unfinished, workspace.store, item))
    try:
        if keep:
            waiting.append(keep_unfinished(workspace.store, item, participant_id=participant.id).id)
            st.rerun()
    except (AudioError, SpeechError, StoreError) as error:
        show_problem(error)
