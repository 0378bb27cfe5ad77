"""thymia's answers as they came, for debugging, without what lets a reader act: the upload link's signature."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import streamlit as st

from heliograph.store import Answer
from heliograph.ui.formats import format_clock_utc

__all__ = ["mask_body", "show_raw_answers"]

UPLOAD_URL_FIELD = "recordingUploadUrl"
HIDDEN = "?(signature hidden)"
SIGNED_URL = re.compile(r"(https?://[^\s\"'?\\]+)\?[^\s\"'\\]+")


def mask_body(body: str) -> Any:
    """The answer's JSON with the query of every URL hidden, save the activity's link, made to be passed on.

    A body that is not JSON is returned as text, masked alike.
    """
    try:
        return _mask(json.loads(body))
    except ValueError:
        return SIGNED_URL.sub(rf"\1{HIDDEN}", body)


def show_raw_answers(answers: Sequence[Answer]) -> None:
    """Draw every answer about a run, newest first."""
    for answer in reversed(answers):
        st.caption(f"{answer.operation} · {format_clock_utc(answer.received_utc)} UTC")
        masked = mask_body(answer.body)
        if isinstance(masked, str):
            st.code(masked, language=None, wrap_lines=True)
        else:
            st.json(masked)


def _mask(value: Any, field: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _mask(entry, key) for key, entry in value.items()}
    if isinstance(value, list):
        return [_mask(entry, field) for entry in value]
    if isinstance(value, str) and field != "activityLink":
        return SIGNED_URL.sub(rf"\1{HIDDEN}", value)
    return value
