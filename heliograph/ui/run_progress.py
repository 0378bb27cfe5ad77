"""A run on its way: its steps, drawn anew from the store while it moves.

Only a run that is under way ticks. When it has ended the page is drawn once more as a whole, which also removes
the timer from the browser.
"""

from __future__ import annotations

import streamlit as st

from heliograph.store import (
    OPEN_STATES,
    FailureReason,
    Run,
    RunDetail,
    RunKind,
    RunState,
    Store,
    UnknownRecordError,
    load_run,
    load_run_detail,
)
from heliograph.ui import messages
from heliograph.ui.formats import format_utc
from heliograph.ui.markup import escape
from heliograph.ui.result_card import show_run_outcome
from heliograph.ui.workspace import get_workspace

__all__ = ["TICK_S", "show_run_progress"]

TICK_S = 2.0
# A participant may take days to open an activity's link.
WAITING_TICK_S = 10.0

UPLOAD_STEPS = (RunState.QUEUED, RunState.CREATED, RunState.UPLOADING, RunState.RUNNING)
ACTIVITY_STEPS = (RunState.QUEUED, RunState.WAITING, RunState.RUNNING)


def show_run_progress(run: Run | int) -> RunState | None:
    """Draw where a run stands, and once it has ended its result card or what went wrong.

    While it is under way its steps update by themselves, and the page is drawn anew once when it ends. A run whose
    upload link expired is followed to the one that took its place. Takes the run or its id; returns the state
    drawn, None for a run that is no longer in the workspace.
    """
    store = get_workspace().store
    try:
        detail = _follow(store, load_run_detail(store, run if isinstance(run, int) else run.id))
    except UnknownRecordError as error:
        st.info(messages.describe_problem(error).text)
        return None
    now = detail.run
    if now.state in OPEN_STATES:
        every = WAITING_TICK_S if now.state == RunState.WAITING else TICK_S
        st.fragment(_draw_steps, run_every=every)(now.id)
        return now.state
    show_run_outcome(detail)
    with st.container(horizontal=True, gap="medium"):
        st.page_link(
            "runs.py", label=f"Open run {now.id}", icon=":material/list:", query_params={"run": str(now.id)}
        )
        st.page_link(
            "trends.py", label="See the trend", icon=":material/show_chart:",
            query_params={"participant": str(now.participant_id)},
        )  # fmt: skip
    return now.state


def _follow(store: Store, detail: RunDetail) -> RunDetail:
    """The run itself, or the last one that took the place of a run whose upload link had expired."""
    while detail.run.failure == FailureReason.UPLOAD_URL_EXPIRED and detail.repeated_by:
        detail = load_run_detail(store, max(detail.repeated_by))
    return detail


def _draw_steps(run_id: int) -> None:
    try:
        run = load_run(get_workspace().store, run_id)
    except UnknownRecordError:
        st.rerun()
    if run.state not in OPEN_STATES:
        st.rerun()
    words = messages.describe_state(run.state)
    steps = ACTIVITY_STEPS if run.kind == RunKind.ACTIVITY else UPLOAD_STEPS
    position = steps.index(run.state) if run.state in steps else 1
    with st.container(border=True, key=f"run_progress_{run_id}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            for number, step in enumerate((*steps, RunState.COMPLETE_OK)):
                _draw_step(step, done=number < position, current=number == position)
        st.caption(words.meaning)
        if run.activity_link and run.state == RunState.WAITING:
            st.markdown("Send this link to the participant, or open it on their device:")
            st.code(run.activity_link, language=None, wrap_lines=True)
        if run.last_problem:
            again = f" Next attempt: {format_utc(run.next_step_utc)}." if run.next_step_utc else ""
            st.caption(f"Last attempt: {escape(run.last_problem)}.{again}")


def _draw_step(step: RunState, *, done: bool, current: bool) -> None:
    words = messages.describe_state(step)
    if done:
        st.badge(words.name, icon=":material/check:", color="green")
    elif current:
        st.badge(words.name, icon=words.icon, color="blue")
    else:
        st.badge(words.name, color="gray")
