"""Buttons whose press is not lost when another rerun breaks in.

Streamlit tells a script of a press in one run only. When that run is replaced by the next one before it reaches
the button, as the recorder's component does while it loads, the press is gone. Noted by a callback, which runs
before anything can break in, it waits for the run that gets there.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Literal

import streamlit as st

__all__ = ["sure_button"]


def sure_button(
    label: str,
    *,
    key: str,
    kind: Literal["primary", "secondary", "tertiary"] = "secondary",
    icon: str | None = None,
    about: Hashable = True,
    disabled_because: str | None = None,
) -> bool:
    """Draw a button; True in exactly one run for each press, however many runs were broken off in between.

    `about` is what the button works on: the second press of a double click, told when that is done already, is
    no press on what stands here next. With `disabled_because`, a sentence, it can't be pressed; nor does a press
    count that was made before the page said so.
    """
    disabled = disabled_because is not None
    st.button(
        label,
        key=key,
        type=kind,
        icon=icon,
        disabled=disabled,
        help=disabled_because,
        on_click=_note,
        args=(key, about),
    )
    pressed = st.session_state.pop(f"{key}_pressed", None) == about
    return bool(pressed and not disabled)


def _note(key: str, about: Hashable) -> None:
    st.session_state[f"{key}_pressed"] = about
