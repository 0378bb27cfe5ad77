"""Which recordings this browser session has up for review."""

from __future__ import annotations

import streamlit as st

from heliograph.store import Recording

__all__ = ["review_recordings", "waiting_recordings"]


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
