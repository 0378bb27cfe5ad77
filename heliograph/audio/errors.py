"""Errors of `heliograph.audio`.

    AudioError
    ├── SpoolError                 (evidence: .kind; the take can't be written, read or kept)
    ├── FlacError                  (what was written does not decode to what was recorded)
    ├── CaptureError               (nothing was recorded, or the recorder did not finish in time)
    ├── RecordingTooLargeError     (evidence: .byte_size, .limit_bytes)
    └── PromptError                (a prompt file is missing or malformed)

Files that can't be decoded raise `thymia_api.speech.UnreadableRecordingError`.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum


class AudioError(Exception):
    """Root of every error that `heliograph.audio` raises on purpose; `str()` is fit for a person."""


class StorageProblem(StrEnum):
    """What is wrong with the place where recordings are kept."""

    DISK_FULL = "disk_full"
    NOT_WRITABLE = "not_writable"
    BUSY = "busy"
    OTHER = "other"


class SpoolError(AudioError):
    """A take could not be written, read or kept; `kind` says what is wrong with the storage."""

    def __init__(self, message: str, *, kind: StorageProblem = StorageProblem.OTHER) -> None:
        super().__init__(message)
        self.kind = kind

    @classmethod
    def from_os_error(cls, error: OSError) -> "SpoolError":
        """Say in words what an operating-system error means for a recording."""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return cls("The disk is full: free some space, then record again.", kind=StorageProblem.DISK_FULL)
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            return cls(
                "The folder for recordings can't be written: check its permissions.",
                kind=StorageProblem.NOT_WRITABLE,
            )
        return cls(f"The recording can't be stored: {error.strerror or error}.")


@contextmanager
def storage_errors() -> Iterator[None]:
    """Within it, what the operating system refuses is a `SpoolError`."""
    try:
        yield
    except OSError as error:
        raise SpoolError.from_os_error(error) from error


class FlacError(AudioError):
    """The encoded FLAC does not hold exactly the samples that were recorded."""


class CaptureError(AudioError):
    """There is no take to return: nothing was recorded, or the recorder did not finish in time."""


class RecordingTooLargeError(AudioError):
    """A file is larger than any recording that thymia takes."""

    def __init__(self, byte_size: int, limit_bytes: int) -> None:
        super().__init__(
            f"The file has {byte_size / 1e6:.0f} MB; recordings of up to {limit_bytes / 1e6:.0f} MB are taken."
        )
        self.byte_size = byte_size
        self.limit_bytes = limit_bytes


class PromptError(AudioError):
    """A prompt file is missing or breaks a rule; the message names the file and the rule."""
