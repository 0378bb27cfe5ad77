"""The same checks for every way in: a take from the spool, the built-in recorder's file, an uploaded file."""

import threading
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thymia_api.speech import (
    MAX_DURATION_S,
    SPEECH_SAMPLE_RATE_HZ,
    DecodedRecording,
    SpeechMeter,
    UnreadableReason,
    UnreadableRecordingError,
    decode_recording,
    measure_speech,
)

from .errors import RecordingTooLargeError, SpoolError
from .frames import SpeechFeed
from .quality import Quality, compute_quality
from .spool import SpooledTake

MAX_FILE_BYTES = 250_000_000
"""More than three minutes take in any of the six formats (96 kHz stereo float WAV: 138 MB)."""

_LOOKED_AT_S = MAX_DURATION_S + 1.0  # A second more tells that it is too long; an hour more tells nothing else.
# A file of 200 kB can unpack to half a gigabyte of silence: two at a time is what a small machine bears.
_turns = threading.BoundedSemaphore(2)


class InspectedFile(NamedTuple):
    """A file that can be submitted if its quality allows: what it holds and how good it is."""

    recording: DecodedRecording
    quality: Quality


class InspectedTake(NamedTuple):
    """A spooled take's samples (mono, at its own rate and width) and how good they are."""

    samples: NDArray[np.int16] | NDArray[np.int32]
    quality: Quality


def inspect_file(source: Path | bytes, name: str = "") -> InspectedFile:
    """Decode and measure a file; `name` is only for the message. Blocking, about 15 ms per second of audio.

    Raises `UnreadableRecordingError` or `RecordingTooLargeError`; a file that is too long or has too little speech
    is no error here but fails `judge_quality`. Of a longer one than thymia takes only the beginning is looked at.
    """
    try:
        byte_size = len(source) if isinstance(source, bytes) else source.stat().st_size
    except OSError as error:
        message = f"The file can't be opened: {error.strerror or error}."
        raise UnreadableRecordingError(message, reason=UnreadableReason.UNREADABLE_FILE) from error
    if byte_size > MAX_FILE_BYTES:
        raise RecordingTooLargeError(byte_size, MAX_FILE_BYTES)
    with _turns:
        try:
            recording = decode_recording(source, max_s=_LOOKED_AT_S)
        except UnreadableRecordingError as error:
            if not name:
                raise
            raise UnreadableRecordingError(f"{name}: {error}", reason=error.reason) from error
        quality = compute_quality(
            recording.samples,
            recording.sample_rate_hz,
            speech=measure_speech(recording.samples_16k),
            duration_s=recording.duration_s,
        )
    return InspectedFile(recording, quality)


def inspect_take(take: SpooledTake) -> InspectedTake:
    """Load and measure a take, its gaps included; SpoolError when it is gone or holds nothing."""
    samples = take.load_samples()
    if not samples.size:
        raise SpoolError("This take holds no sound.")
    feed, meter = SpeechFeed(SPEECH_SAMPLE_RATE_HZ, from_hz=take.facts.sample_rate_hz), SpeechMeter()
    meter.feed(feed.convert((samples >> (take.bits - 16)).astype(np.int16)))
    meter.feed(feed.flush())
    quality = compute_quality(
        samples.astype(np.float32) / np.float32(1 << (take.bits - 1)),
        take.facts.sample_rate_hz,
        speech=meter.finish(),
        missing_share=take.missing_share,
    )
    return InspectedTake(samples, quality)
