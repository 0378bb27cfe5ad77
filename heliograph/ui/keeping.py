"""From a take that has ended to a recording under review, whichever recorder made it."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

import streamlit as st

from heliograph.audio import AudioError
from heliograph.audio.spool import SpooledTake
from heliograph.runs.intake import keep_take, noted_participant
from heliograph.store import Participant, StoreError
from heliograph.ui.problems import show_problem
from heliograph.ui.waiting import tell_left, waiting_recordings
from heliograph.ui.workspace import Workspace
from thymia_api.speech import SpeechError

__all__ = ["keep_for_review"]


def keep_for_review(
    workspace: Workspace,
    participant: Participant,
    lock: Lock,
    *,
    take_up: Callable[[], SpooledTake | None],
    let_go: Callable[[], None],
) -> None:
    """Put a take up for review, in the rerun that follows; what can't be kept stays in the spool and is offered.

    So does what another participant recorded: it may arrive when somebody else was chosen long ago.
    A rerun may break in at every call of Streamlit, and the next run may begin while this one still saves: `lock`
    is the recorder's, so that only one of them keeps the take, and what it notes it notes in one go.

    Parameters
    ----------
    workspace, participant
        Where the take is kept, and who is chosen now.
    lock
        Held from `take_up` to `let_go`.
    take_up
        The take, or None where there is nothing to keep (any more). May raise `AudioError`.
    let_go
        Ends the recorder's claim on the take, whatever came of it; called once it is kept, for a take that nobody
        claims is offered as not submitted yet.
    """
    waiting = waiting_recordings()
    problem: Exception | None = None
    left: list[int | None] = []
    with st.spinner("Saving the recording …"), lock:
        try:
            take = take_up()
            if take is not None and (whose := noted_participant(take)) != participant.id:
                left.append(whose)
            elif take is not None:
                waiting.append(keep_take(workspace.store, take, participant_id=participant.id).id)
        except (AudioError, SpeechError, StoreError) as error:
            problem = error
        let_go()
    for whose in left:
        tell_left(workspace.store, whose)
    if problem is None:
        st.rerun()
    show_problem(problem)
