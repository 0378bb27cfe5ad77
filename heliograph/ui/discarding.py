"""Discarding a recording: asked first, in place of a slip of the finger.

The question stands in the page and not in a dialog: the recorder's component draws the page anew whenever it has
something to tell, and that would close a dialog under somebody's hands.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import streamlit as st

from heliograph.audio import AudioError
from heliograph.store import StoreError
from heliograph.ui import messages
from heliograph.ui.problems import show_problem
from thymia_api.speech import SpeechError

__all__ = ["confirm_discard", "offer_discard"]

ASKED = "record_discard_asked"


def offer_discard(
    label: str, *, key: str, kind: Literal["secondary", "tertiary"] = "secondary", icon: str | None = None
) -> None:
    """Draw the button that asks; the question itself is drawn by `confirm_discard` with the same key."""
    st.button(label, key=key, type=kind, icon=icon, on_click=_ask, args=(key,))


def confirm_discard(key: str, discard: Callable[[], object]) -> None:
    """Draw the question once it is asked; `discard` is called when it is answered, before the page is drawn anew.

    There is one question at a time: asking about another recording takes its place.
    """
    if st.session_state.get(ASKED) != key:
        return
    st.warning(messages.DISCARD_ASKED, icon=":material/delete:")
    with st.container(horizontal=True):
        st.button("Discard for good", key=f"{key}_sure", on_click=_discard, args=(key, discard))
        st.button("Keep it", key=f"{key}_keep", on_click=_ask, args=(None,))


def _ask(key: str | None) -> None:
    st.session_state[ASKED] = key


def _discard(key: str, discard: Callable[[], object]) -> None:
    if st.session_state.pop(ASKED, None) != key:
        return  # The second press of a double click.
    try:
        discard()
    except (AudioError, SpeechError, StoreError) as error:
        show_problem(error)
        return
    st.toast(messages.DISCARDED, icon=":material/check:")
