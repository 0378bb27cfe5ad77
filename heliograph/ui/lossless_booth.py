"""Recording without loss: the component in the page, the ring over it from what has arrived, and keeping the take.

The browser names the take and records it whether or not this session lives; the session follows what it says.
After a restart of the server a new session takes the recording up in the middle.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import streamlit as st

from heliograph.audio import CapturePhase, CaptureSnapshot, SpoolError
from heliograph.audio.chunk_registry import find_chunk_take
from heliograph.audio.chunk_take import ChunkTake
from heliograph.audio.spool import SpooledTake
from heliograph.audio.take_facts import TakeEnd
from heliograph.store import Participant
from heliograph.ui.keeping import keep_for_review
from heliograph.ui.live_ring import TICK_S, show_live_ring
from heliograph.ui.lossless import LosslessState, load_owned, load_state, show_lossless
from heliograph.ui.problems import show_problem
from heliograph.ui.workspace import Workspace

__all__ = [
    "is_recording_losslessly",
    "load_recorded_losslessly",
    "own_lossless_takes",
    "rest_lossless",
    "show_lossless_booth",
    "was_recording_losslessly",
]


@dataclass
class _Desk:
    """The take of one browser session that is under way, and those that were dealt with.

    `recording` is what the browser last said; its own word is gone when another page is drawn.
    """

    take: str | None = None
    recording: bool = False
    settled: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)


def show_lossless_booth(workspace: Workspace, participant: Participant) -> LosslessState:
    """Draw the recorder; what it recorded goes up for review by itself, in the rerun that follows."""
    desk = _desk()
    live = st.container()
    state = show_lossless(workspace, participant_id=participant.id)
    desk.recording = state.recording
    if state.take is not None and state.take not in desk.settled:
        desk.take = state.take
    if desk.take is None:
        return state
    found = _find(workspace, desk.take)
    try:
        is_finished = found is not None and found.snapshot().phase is CapturePhase.FINISHED
    except SpoolError as error:
        show_problem(error)
        return state
    if found is not None and is_finished:
        _keep(workspace, participant, desk, found)
    elif desk.take != state.take and desk.take not in load_owned():
        desk.take = None  # The browser has given it up: what there is of it is offered above.
    elif state.recording or (found is not None and found.participant_note == str(participant.id)):
        with live.container(key="record_live"):
            _show_live(workspace, desk)
    return state


def rest_lossless() -> None:
    """To be called by a run of the page that doesn't draw the recorder: what its browser sends still arrives."""
    desk = _desk()
    desk.take, desk.recording = None, False


def was_recording_losslessly() -> bool:
    """Whether the browser was recording when Record was last drawn."""
    return _desk().recording


def is_recording_losslessly() -> bool:
    """Whether the browser was recording when it last said something; its end may be here before its word of it."""
    state = load_state()
    return state.recording and state.take not in _desk().settled


def load_recorded_losslessly() -> int | None:
    """Who was chosen when the browser began what it records; None: not known."""
    return load_state().whose


def own_lossless_takes() -> set[str]:
    """The take that this browser session is making or saving right now, and those that its browser still sends."""
    take = _desk().take
    return {*load_owned(), *([take] if take is not None else [])}


def _desk() -> _Desk:
    desk: _Desk = st.session_state.setdefault("record_lossless_desk", _Desk())
    return desk


def _find(workspace: Workspace, take: str) -> ChunkTake | None:
    return find_chunk_take(workspace.store.spool_folder, take)


@st.fragment(run_every=TICK_S)
def _show_live(workspace: Workspace, desk: _Desk) -> None:
    found = _find(workspace, desk.take) if desk.take is not None else None
    try:
        snapshot = found.snapshot() if found is not None else CaptureSnapshot(phase=CapturePhase.RECORDING)
    except SpoolError as error:
        show_problem(error)
        return
    if snapshot.phase is CapturePhase.FINISHED:
        st.rerun()
    show_live_ring(snapshot, with_level=False)


def _keep(workspace: Workspace, participant: Participant, desk: _Desk, found: ChunkTake) -> None:
    def take_up() -> SpooledTake | None:
        """Not what the person gave up: that stays in the spool and is offered above."""
        if desk.take != found.token or found.snapshot().end is TakeEnd.ABANDONED:
            return None
        return found.take_up()

    def let_go() -> None:
        desk.settled.add(found.token)
        if desk.take == found.token:
            desk.take = None

    keep_for_review(workspace, participant, desk.lock, take_up=take_up, let_go=let_go)
