"""Errors of `thymia_api.speech`; a recording that can't be read says why in `.reason`."""

from enum import StrEnum


class UnreadableReason(StrEnum):
    """Why a recording could not be read; stable names for code, the message is for people."""

    EMPTY = "empty"
    UNKNOWN_FORMAT = "unknown_format"
    NO_AUDIO = "no_audio"
    UNSUPPORTED_AUDIO = "unsupported_audio"
    DAMAGED = "damaged"
    INCOMPLETE = "incomplete"
    TOO_SLOW = "too_slow"
    UNREADABLE_FILE = "unreadable_file"


class SpeechError(Exception):
    """Root of every error that `thymia_api.speech` raises on purpose."""


class UnreadableRecordingError(SpeechError, ValueError):
    """The bytes are no complete recording in one of the six formats; `str()` is fit for a person."""

    def __init__(self, message: str, *, reason: UnreadableReason) -> None:
        super().__init__(message)
        self.reason = reason
