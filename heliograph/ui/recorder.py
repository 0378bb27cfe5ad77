"""Recording with the live meter: which recorder, microphone check, prompt, the ring of speech seconds, stop.

The one seam between the page and its recorders: lossless (`lossless_booth`) or WebRTC, here. With WebRTC the
browser's audio flows into a `Capture` from the moment the microphone is on; *recording* is only what lies between
Start and Stop. The page polls snapshots in a fragment; no frame passes through Streamlit.
"""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass, field

import streamlit as st

from heliograph.audio.capture import Capture, CapturePhase
from heliograph.audio.prompts import load_prompts
from heliograph.audio.spool import SpooledTake
from heliograph.runs.recorders import RecorderMode, load_recorder_mode
from heliograph.store import Participant
from heliograph.ui.drawing import show_drawing
from heliograph.ui.keeping import keep_for_review
from heliograph.ui.live_ring import SILENT_LINE_S, TICK_S, show_live_ring
from heliograph.ui.lossless import show_courier
from heliograph.ui.lossless_booth import (
    is_recording_losslessly,
    load_recorded_losslessly,
    own_lossless_takes,
    rest_lossless,
    show_lossless_booth,
    was_recording_losslessly,
)
from heliograph.ui.meters import draw_level
from heliograph.ui.recorder_words import MODE_HELP, MODES, STOP_FIRST, WORDS
from heliograph.ui.webrtc import MicrophoneState, show_microphone
from heliograph.ui.workspace import Workspace

__all__ = [
    "is_recording",
    "load_recorded",
    "own_tokens",
    "prefers_builtin",
    "rest_recorder",
    "show_no_recorder",
    "show_prompt",
    "show_recorder",
    "was_recording",
]

CONNECT_PATIENCE_S = 8.0
HEARD_PATIENCE_S = 2.0  # "Connected" is told half a second or so after sound flows, or on a busy computer never.
POST_ROLL_S = 0.5  # What is still on its way when Stop is pressed.
FINISH_TIMEOUT_S = 10.0
BLOCKED = (
    "The live recorder can't reach this computer's server. Networks with strict firewalls often block it. "
    "Choose **Built-in recorder** or **Upload files** above: the recording is checked in the same way."
)

ALLOW = "Where the browser blocks it, allow it in the address bar, then turn it on again."


@dataclass
class _Desk:
    """The recorder of one browser session. `serial` names the stream: a new one for every mounting.

    `whose` is the participant who was chosen at Start.
    """

    capture: Capture | None = None
    began: bool = False
    whose: int | None = None
    connecting_since: float | None = None
    heard_since: float | None = None
    mounted: bool = False
    serial: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def stream_key(self) -> str:
        return f"record_stream_{self.serial}"


def show_recorder(workspace: Workspace, participant: Participant) -> None:
    """Draw the recorder; what it recorded goes up for review by itself, in the rerun that follows."""
    if _choose_mode(workspace) is RecorderMode.LOSSLESS:
        _rest_stream()
        state = show_lossless_booth(workspace, participant)
        is_automatic = load_recorder_mode(workspace.store) is RecorderMode.AUTOMATIC
        if state.unsupported and is_automatic and "record_mode_fallback" not in st.session_state:
            fallback = RecorderMode.WEBRTC if state.webrtc else RecorderMode.BUILTIN
            st.session_state["record_mode_fallback"] = fallback
            st.rerun()
    else:
        rest_lossless()
        _show_stream(workspace, participant)
        show_courier(workspace)


def prefers_builtin(workspace: Workspace) -> bool:
    """Whether this session records with the browser's own recorder unless somebody chooses otherwise."""
    return _find_usual(workspace) is RecorderMode.BUILTIN


def show_no_recorder(workspace: Workspace) -> None:
    """For a run of the page that doesn't draw the recorder: what the browser still keeps is sent all the same.

    What was being recorded stays in the spool and is offered as not submitted yet.
    """
    rest_recorder()
    show_courier(workspace)


def rest_recorder() -> None:
    """Forget what was being recorded: the recorder's component, and stream, are gone."""
    rest_lossless()
    _rest_stream()


def _find_usual(workspace: Workspace) -> RecorderMode:
    """The workspace's mode; automatic is the first that the browser can, as far as it has told.

    A recording in progress keeps its recorder, whatever is chosen on Settings meanwhile.
    """
    if is_recording() and "record_usual" in st.session_state:
        return RecorderMode(st.session_state["record_usual"])
    usual = load_recorder_mode(workspace.store)
    if usual is RecorderMode.AUTOMATIC:
        usual = RecorderMode(st.session_state.get("record_mode_fallback", RecorderMode.LOSSLESS))
    st.session_state["record_usual"] = usual
    return usual


def _choose_mode(workspace: Workspace) -> RecorderMode:
    """The usual one of the two that are live, unless this session chose the other."""
    usual = RecorderMode.WEBRTC if _find_usual(workspace) is RecorderMode.WEBRTC else RecorderMode.LOSSLESS
    chosen = st.segmented_control(
        "Recorder",
        list(MODES),
        default=usual,
        format_func=MODES.__getitem__,
        key=f"record_mode_{usual}",
        help=STOP_FIRST if is_recording() else MODE_HELP,
        disabled=is_recording(),
        required=True,
        persist_state="session",
    )
    return RecorderMode(chosen)


def _show_stream(workspace: Workspace, participant: Participant) -> None:
    """The recorder over WebRTC.

    The microphone is turned on with the component's own button. Told to connect by the page instead, the
    component connects several times over when it is drawn again meanwhile, and mixes the answers up.
    """
    desk = _desk()
    desk.mounted = True
    capture = desk.capture
    if capture is None:
        desk.began, desk.connecting_since, desk.heard_since = False, None, None
        capture = desk.capture = Capture(
            workspace.store.spool_folder, token=secrets.token_hex(12), participant_note=str(participant.id)
        )
    state = show_microphone(desk.stream_key, capture, ice_servers=workspace.settings.heliograph_ice_servers)
    if capture.snapshot().phase is CapturePhase.FINISHED:
        _keep(workspace, participant, desk, capture)
    elif desk.began:
        _show_recording(desk)
    elif state.connected or state.connecting:
        if desk.connecting_since is None:
            desk.connecting_since = time.monotonic()
        _show_check(desk, state, participant)
    else:
        if desk.connecting_since is not None:
            st.warning(BLOCKED, icon=":material/wifi_off:")
        st.caption(f"{WORDS['off']} {ALLOW}")


def _rest_stream() -> None:
    desk = _desk()
    if desk.mounted:
        desk.mounted = False
        desk.serial += 1
        _close(desk)


def _desk() -> _Desk:
    desk: _Desk = st.session_state.setdefault("record_desk", _Desk())
    return desk


def is_recording() -> bool:
    """Whether something is being recorded right now, as far as this run of the page knows; not: being sent."""
    return _running_mode() is not None


def was_recording() -> bool:
    """The same as known to a run of another page, the first after Record was left."""
    desk = _desk()
    return was_recording_losslessly() or (desk.began and desk.capture is not None)


def load_recorded() -> int | None:
    """The participant whose recording runs; None: there is none, or it is not known whose."""
    match _running_mode():
        case RecorderMode.LOSSLESS:
            return load_recorded_losslessly()
        case RecorderMode.WEBRTC:
            return _desk().whose
    return None


def _running_mode() -> RecorderMode | None:
    desk = _desk()
    if is_recording_losslessly():
        return RecorderMode.LOSSLESS
    return RecorderMode.WEBRTC if desk.began and desk.capture is not None else None


def own_tokens() -> set[str]:
    """The takes that this browser session is making, sending or saving right now."""
    capture = _desk().capture
    return own_lossless_takes() | ({capture.token} if capture is not None else set())


def show_prompt(language: str) -> None:
    """The text to read or the question to answer, in the participant's language."""
    prompts = load_prompts(language)
    passages = {f"Read aloud: {passage.title}": passage for passage in prompts.passages}
    questions = {f"Answer: {question.text}": question for question in prompts.questions}
    chosen = st.selectbox(
        "What to say",
        [*passages, *questions],
        key=f"record_prompt_{prompts.language}",
        help="The same text in every session keeps recordings comparable.",
    )
    with st.container(border=True, key="record_prompt_text"):
        if chosen in passages:
            st.caption("Please read this aloud, at your usual pace and volume.")
            st.markdown(passages[chosen].text)
            st.caption(passages[chosen].origin)
        else:
            st.caption("Please answer in your own words, for half a minute or longer.")
            st.markdown(f"##### {questions[chosen].text}")


def _close(desk: _Desk) -> None:
    if desk.capture is not None:
        desk.capture.abandon()
    desk.capture = None


def _show_check(desk: _Desk, state: MicrophoneState, participant: Participant) -> None:
    """Before recording: is the microphone heard? Whoever is chosen at Start is whose recording it will be."""
    connected = state.connected or _is_heard_long(desk)
    _show_check_live(desk, connected=connected)
    st.button(
        "Start recording",
        key="record_start",
        type="primary",
        icon=":material/fiber_manual_record:",
        disabled=not connected,
        on_click=_begin,
        args=(desk, participant.id),
    )


@st.fragment(run_every=TICK_S)
def _show_check_live(desk: _Desk, *, connected: bool) -> None:
    if desk.capture is None:
        return
    snapshot = desk.capture.snapshot()
    if snapshot.phase is CapturePhase.FINISHED:
        st.rerun()
    waited = time.monotonic() - (desk.connecting_since or time.monotonic())
    heard = snapshot.last_frame_age_s is not None and snapshot.last_frame_age_s < SILENT_LINE_S
    if not heard:
        desk.heard_since = None
    elif desk.heard_since is None:
        desk.heard_since = time.monotonic()
    if not connected and _is_heard_long(desk):
        st.rerun()
    level, peak = (snapshot.level_dbfs, snapshot.peak_dbfs) if heard else (None, None)
    show_drawing(draw_level(level, peak), key="record_check_level")
    if not heard and waited > CONNECT_PATIENCE_S:
        st.warning(BLOCKED, icon=":material/wifi_off:")
    elif not connected or not heard:
        st.caption("Connecting … allow the microphone if your browser asks.")
    else:
        st.caption(WORDS[snapshot.heard])


def _is_heard_long(desk: _Desk) -> bool:
    """Whether sound has been flowing for a while, whatever the component said last."""
    return desk.heard_since is not None and time.monotonic() - desk.heard_since > HEARD_PATIENCE_S


def _begin(desk: _Desk, participant_id: int) -> None:
    if desk.capture is not None:
        desk.capture.begin(participant_note=str(participant_id))
        desk.began, desk.whose = True, participant_id


def _stop(desk: _Desk) -> None:
    if desk.capture is not None:
        desk.capture.request_stop(post_roll_s=POST_ROLL_S)


def _show_recording(desk: _Desk) -> None:
    with st.container(key="record_live"):
        _show_recording_live(desk)
    with st.container(horizontal=True):
        st.button("Stop", key="record_stop", type="primary", icon=":material/stop:", on_click=_stop, args=(desk,))
        st.button(
            "Start again",
            key="record_abandon",
            help="What was recorded so far is listed above as not submitted yet; discard it there.",
            on_click=_close,
            args=(desk,),
        )


@st.fragment(run_every=TICK_S)
def _show_recording_live(desk: _Desk) -> None:
    if desk.capture is None:
        return
    snapshot = desk.capture.snapshot()
    if snapshot.phase is CapturePhase.FINISHED:
        st.rerun()
    show_live_ring(snapshot)


def _keep(workspace: Workspace, participant: Participant, desk: _Desk, capture: Capture) -> None:
    """Put up for review what was recorded; drops a mere microphone check."""
    if not desk.began:
        _close(desk)
        st.rerun()

    def take_up() -> SpooledTake | None:
        return capture.finish(timeout=FINISH_TIMEOUT_S) if desk.capture is capture else None

    def let_go() -> None:
        if desk.capture is capture:
            desk.capture = None

    keep_for_review(workspace, participant, desk.lock, take_up=take_up, let_go=let_go)
