"""The address of a page: numbers of runs and participants in it, read with care, since anybody can type there."""

from __future__ import annotations

import streamlit as st

from heliograph.ui.frame import just_entered

__all__ = ["clear_param", "read_id", "restore_choices"]

MAX_ID = 2**63 - 1  # SQLite's largest integer.


def read_id(name: str) -> int | None:
    """The positive whole number that the address gives for `name` (the last one), or None."""
    text = st.query_params.get(name, "")
    if not (text.isascii() and text.isdigit()):
        return None
    number = int(text) if len(text) < 20 else 0
    return number if 0 < number <= MAX_ID else None


def clear_param(name: str) -> None:
    """Take a parameter out of the address; nothing happens when it is not there."""
    if name in st.query_params:
        del st.query_params[name]


def restore_choices(prefix: str) -> None:
    """Bring a page's choices back when one comes to it again by an address without any; to be called before they
    are drawn, with what their keys begin with.

    When one leaves a page, Streamlit pushes an address of that page without its choices; when Back leads there, it
    sets every widget bound to the address to its default. A run that draws none of them lets them be. In the next
    one, which no longer counts as going back, those that persist in the session are as they were.
    """
    seen = f"{prefix}choices_seen"
    addressed = any(name.startswith(prefix) for name in st.query_params)
    if just_entered() and st.session_state.get(seen) and not addressed:
        st.rerun()
    st.session_state[seen] = True
