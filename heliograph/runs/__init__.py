"""Carrying runs out: people submit, and the one worker of the workspace takes each run through its life at thymia.

`submit_*`, `repeat_run`, `request_refetch`, `delete_run_locally` and `dismiss_attention` are quick and may be
called from any thread; `Worker.run` is one asyncio task of the server. No streamlit here.
"""

from heliograph.runs._exceptions import (
    FieldIssue,
    InvalidSubmissionError,
    RecordingMissingError,
    RunPurgedError,
    RunsError,
    RunStateError,
    UnknownRunError,
)
from heliograph.runs.options import WorkerOptions
from heliograph.runs.retention import load_purge_setting, save_purge_setting
from heliograph.runs.submission import (
    ActivitySubmission,
    UploadSubmission,
    delete_run_locally,
    dismiss_attention,
    repeat_run,
    request_refetch,
    submit_activity,
    submit_upload,
)
from heliograph.runs.worker import PauseReason, Worker

__all__ = [
    "ActivitySubmission",
    "FieldIssue",
    "InvalidSubmissionError",
    "PauseReason",
    "RecordingMissingError",
    "RunPurgedError",
    "RunStateError",
    "RunsError",
    "UnknownRunError",
    "UploadSubmission",
    "Worker",
    "WorkerOptions",
    "delete_run_locally",
    "dismiss_attention",
    "load_purge_setting",
    "repeat_run",
    "request_refetch",
    "save_purge_setting",
    "submit_activity",
    "submit_upload",
]
