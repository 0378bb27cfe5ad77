"""Record: choose who, get a recording one way or another, review it, submit, and watch the run."""

import streamlit as st

from heliograph.ui import recorder
from heliograph.ui.frame import just_entered, show_header
from heliograph.ui.intake_forms import show_refused, take_builtin_recording, take_uploads
from heliograph.ui.noise_floor import show_noise_floor, show_noise_progress
from heliograph.ui.participant_form import choose_participant
from heliograph.ui.recorder_words import STOP_FIRST
from heliograph.ui.steps import STEPS, show_steps
from heliograph.ui.submission import show_activity_request, show_submit, show_submitted, show_unfinished
from heliograph.ui.waiting import put_back, waiting_recordings

LIVE, BUILTIN, UPLOAD, ACTIVITY = WAYS = ("Record live", "Built-in recorder", "Upload files", "Send a link")

workspace = show_header("Record")
if just_entered():
    recorder.rest_recorder()
steps_box = st.container(gap=None)  # What carries earlier recordings takes no room where there are none.
recording = recorder.is_recording()
if recording:
    put_back()  # A review in place of the recorder would end the recording.
participant = choose_participant(
    workspace.store, key="record_participant", recording=recording, recorded=recorder.load_recorded()
)

done = 2 if waiting_recordings() else 3 if st.session_state.get("record_runs") else 1
step = 0 if participant is None else 1 if recording else done
with steps_box:
    show_steps(STEPS[step])
    if step != 1:
        recorder.show_no_recorder(workspace)

if participant is None:
    show_unfinished(workspace, None)
    show_submitted(workspace)
elif step == 2:
    show_refused(st.session_state.pop("record_refused", []))
    show_submit(workspace, participant)
elif step == 3:
    show_noise_progress(workspace, participant)
    show_submitted(workspace)
else:
    show_unfinished(workspace, participant)
    usual = BUILTIN if recorder.prefers_builtin(workspace) else LIVE
    show_noise_floor(workspace, participant)
    way = st.segmented_control(
        "How to record",
        WAYS,
        default=usual,
        key=f"record_way_{usual}",
        disabled=recording,  # Streamlit then takes back what was pressed before the page knew of the recording.
        help=STOP_FIRST if recording else None,
        required=True,
        persist_state="session",
    )
    if way != LIVE:
        with steps_box:
            recorder.show_no_recorder(workspace)
    if way in (LIVE, BUILTIN):
        prompt_box, recorder_box = st.columns([3, 2], gap="large")
        with prompt_box:
            recorder.show_prompt(participant.language)
        with recorder_box, st.container(key="record_booth"):
            if way == LIVE:
                recorder.show_recorder(workspace, participant)
            else:
                take_builtin_recording(workspace, participant)
    elif way == UPLOAD:
        take_uploads(workspace, participant)
    else:
        show_activity_request(workspace, participant)
