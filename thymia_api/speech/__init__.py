"""What thymia measures in a recording: readable at all, how long, and how many seconds of speech.

Shared by everything that has to know before (the recorder) or instead of (the sandbox) the service whether
a recording will be accepted. `thymia_api` itself does not import this package: it needs numpy, PyAV and a
speech detector, which the client alone does not.

    SpeechError
    └── UnreadableRecordingError   (evidence: .reason)
"""

from ._containers import MEDIA_TYPES, RecordingFormat, identify_format
from ._decoding import DECODE_LIMIT_S, DecodedRecording, decode_recording
from ._detectors import DetectorBackend
from ._errors import SpeechError, UnreadableReason, UnreadableRecordingError
from ._meters import (
    MAX_DURATION_S,
    MIN_SPEECH_S,
    SPEECH_SAMPLE_RATE_HZ,
    SpeechMeasure,
    SpeechMeter,
    SpeechSegment,
    measure_speech,
)

__all__ = [
    "DECODE_LIMIT_S",
    "MAX_DURATION_S",
    "MEDIA_TYPES",
    "MIN_SPEECH_S",
    "SPEECH_SAMPLE_RATE_HZ",
    "DecodedRecording",
    "DetectorBackend",
    "RecordingFormat",
    "SpeechError",
    "SpeechMeasure",
    "SpeechMeter",
    "SpeechSegment",
    "UnreadableReason",
    "UnreadableRecordingError",
    "decode_recording",
    "identify_format",
    "measure_speech",
]
