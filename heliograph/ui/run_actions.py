"""What a person can do with a run: retry it, ask thymia again, take it off the list, delete it here."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import streamlit as st

from heliograph.runs import (
    RunsError,
    delete_run_locally,
    dismiss_attention,
    repeat_run,
    request_refetch,
)
from heliograph.store import FINAL_STATES, RunDetail, StoreError
from heliograph.ui import messages
from heliograph.ui.query import clear_param
from heliograph.ui.workspace import get_workspace
from thymia_api import InvalidInputError

__all__ = ["dismiss_run", "show_run_actions", "show_saved_notice"]

NOTICE_KEY = "run_actions_notice"


def show_run_actions(detail: RunDetail) -> None:
    """The row of buttons of a run's page."""
    run = detail.run
    with st.container(horizontal=True, key="runs_actions"):
        if st.button(
            "Retry as a new run",
            key="runs_retry",
            icon=":material/replay:",
            disabled=run.state not in FINAL_STATES,
        ):
            _repeat(run.id)
        if st.button("Fetch again", key="runs_refetch", icon=":material/sync:", disabled=run.thymia_id is None):
            _do(lambda: request_refetch(get_workspace().store, run.id), "thymia is asked about this run again.")
        if run.needs_attention and st.button("Dismiss", key="runs_dismiss", icon=":material/done:"):
            dismiss_run(run.id)
        if st.button("Delete here", key="runs_delete", icon=":material/delete:"):
            confirm_deletion(run.id)


def show_saved_notice() -> None:
    """The outcome of the last action, once, after the page was drawn anew."""
    if notice := st.session_state.pop(NOTICE_KEY, None):
        st.toast(notice, icon=":material/check:")


def dismiss_run(run_id: int) -> None:
    """Take a run off the list of what needs attention and draw the page anew."""
    _do(lambda: dismiss_attention(get_workspace().store, run_id), f"Run {run_id} needs no attention any more.")


@st.dialog("Delete this run here?")
def confirm_deletion(run_id: int) -> None:
    """Ask once more, and say what is lost and what is not."""
    st.markdown(messages.DELETION_EXPLAINED)
    sure = st.checkbox("I understand that this can't be undone", key="runs_delete_sure")
    if st.button("Delete", key="runs_delete_now", type="primary", disabled=not sure, icon=":material/delete:"):
        clear_param("run")
        _do(lambda: delete_run_locally(get_workspace().store, run_id), f"Run {run_id} was deleted here.")


def _repeat(run_id: int) -> None:
    """One new run for each press of the button, however often the browser repeats itself."""
    key = st.session_state.setdefault(f"run_actions_repeat_{run_id}", f"repeat:{secrets.token_hex(12)}")
    try:
        new_id = repeat_run(get_workspace().store, run_id, submission_key=key)
    except (RunsError, StoreError, InvalidInputError) as error:
        st.error(messages.describe_problem(error).text)
        return
    del st.session_state[f"run_actions_repeat_{run_id}"]
    get_workspace().wake_worker()
    st.session_state[NOTICE_KEY] = f"Run {new_id} repeats run {run_id}."
    st.query_params["run"] = str(new_id)
    st.rerun()


def _do(act: Callable[[], object], done: str) -> None:
    try:
        act()
    except (RunsError, StoreError) as error:
        st.error(messages.describe_problem(error).text)
        return
    get_workspace().wake_worker()
    st.session_state[NOTICE_KEY] = done
    st.rerun()
