"""Which recorder a workspace prefers: a setting of its own, with an order for when nothing is chosen.

Automatic takes the lossless recorder where the browser can do it, else WebRTC where the browser has that (whether
the network lets it through shows only in use), else the browser's built-in one. All three end in the same
stored recording; `Recording.facts.source` tells them apart.
"""

from __future__ import annotations

from enum import StrEnum

from heliograph.store import Store, load_setting, save_setting

__all__ = ["RecorderMode", "load_recorder_mode", "save_recorder_mode"]

RECORDER_SETTING = "recorder"


class RecorderMode(StrEnum):
    """How sound gets from the browser to the server."""

    AUTOMATIC = "automatic"
    LOSSLESS = "lossless"
    WEBRTC = "webrtc"
    BUILTIN = "builtin"


def load_recorder_mode(store: Store) -> RecorderMode:
    """What was chosen for this workspace; automatic where nothing, or nothing that this version knows, was."""
    stored = load_setting(store, RECORDER_SETTING)
    return RecorderMode(stored) if stored in set(RecorderMode) else RecorderMode.AUTOMATIC


def save_recorder_mode(store: Store, mode: RecorderMode) -> None:
    """Choose it; open pages follow when they are drawn next, those that are recording when they have done so."""
    save_setting(store, RECORDER_SETTING, mode.value)
