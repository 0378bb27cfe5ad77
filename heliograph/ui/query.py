"""The address of a page: numbers of runs and participants in it, read with care, since anybody can type there."""

from __future__ import annotations

import streamlit as st

__all__ = ["clear_param", "read_id"]

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
