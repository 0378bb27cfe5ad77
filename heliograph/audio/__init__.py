"""Recording without a screen: capture, spool, FLAC, quality, waveform and prompts."""

from .capture import (
    MAX_TAKE_S,
    POST_ROLL_S,
    Capture,
    CapturePhase,
    CaptureSnapshot,
    flush_all,
    live_tokens,
)
from .errors import (
    AudioError,
    CaptureError,
    FlacError,
    PromptError,
    RecordingTooLargeError,
    SpoolError,
    StorageProblem,
)
from .flac import encode_flac, write_flac
from .inspection import MAX_FILE_BYTES, InspectedFile, InspectedTake, inspect_file, inspect_take
from .levels import HeardLevel
from .prompts import Passage, PromptSet, Question, load_prompts
from .quality import Quality, QualityRow, Verdict, compute_quality
from .spool import SpooledTake, discard_empty_takes, discard_take, load_take, load_takes
from .take_facts import TakeEnd, TakeFacts
from .verdicts import judge_quality
from .waveform import compute_peaks

__all__ = [
    "MAX_FILE_BYTES",
    "MAX_TAKE_S",
    "POST_ROLL_S",
    "AudioError",
    "Capture",
    "CaptureError",
    "CapturePhase",
    "CaptureSnapshot",
    "FlacError",
    "HeardLevel",
    "InspectedFile",
    "InspectedTake",
    "Passage",
    "PromptError",
    "PromptSet",
    "Quality",
    "QualityRow",
    "Question",
    "RecordingTooLargeError",
    "SpoolError",
    "SpooledTake",
    "StorageProblem",
    "TakeEnd",
    "TakeFacts",
    "Verdict",
    "compute_peaks",
    "compute_quality",
    "discard_empty_takes",
    "discard_take",
    "encode_flac",
    "flush_all",
    "inspect_file",
    "inspect_take",
    "judge_quality",
    "live_tokens",
    "load_prompts",
    "load_take",
    "load_takes",
    "write_flac",
]
