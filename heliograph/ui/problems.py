"""Errors as a person sees them: what happened, and what to do."""

from __future__ import annotations

import streamlit as st

from heliograph.audio import AudioError
from heliograph.ui.messages import describe_problem
from thymia_api.speech import SpeechError

__all__ = ["show_problem"]


def show_problem(error: BaseException, *, about: str | None = None) -> None:
    """One error box; `about` (Markdown, already escaped) says what it is about, such as a file's name."""
    # Errors about a recording say themselves what is wrong and what to do.
    text = str(error) if isinstance(error, AudioError | SpeechError) else describe_problem(error).text
    st.error(f"{f'**{about}**: ' if about else ''}{text}")
