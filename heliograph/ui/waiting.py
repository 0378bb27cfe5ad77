"""Which recordings this browser session has up for review, and whose those are that it hasn't."""

from __future__ import annotations

import streamlit as st

from heliograph.store import Recording, Store, UnknownRecordError, load_participant
from heliograph.ui.markup import escape

__all__ = ["describe_owner", "put_back", "review_recordings", "tell_left", "waiting_recordings"]


def review_recordings(*recordings: Recording) -> None:
    """Put recordings up for review, in the rerun that follows."""
    waiting = waiting_recordings()
    waiting += [recording.id for recording in recordings if recording.id not in waiting]
    st.rerun()


def waiting_recordings() -> list[str]:
    """The ids, in the order in which they came; the list itself, to be changed in place.

    Fetch it before work that must not be lost: a rerun may break in whenever the session state is touched.
    """
    waiting: list[str] = st.session_state.setdefault("record_waiting", [])
    return waiting


def put_back() -> None:
    """Take everything from review: it is offered as not submitted yet again."""
    waiting_recordings().clear()


def tell_left(store: Store, participant_id: int | None) -> None:
    """Say that a recording has arrived that is not the chosen participant's: it waits for its own."""
    whose = describe_owner(store, participant_id)
    text = f"A recording of {whose} has arrived. Choose {whose} to review it."
    st.toast(text, icon=":material/restore:", duration="long")


def describe_owner(store: Store, participant_id: int | None) -> str:
    """The label of the participant that a recording was noted for, as Markdown."""
    try:
        return escape(load_participant(store, participant_id or 0).label)
    except UnknownRecordError:
        return "participant not known"
