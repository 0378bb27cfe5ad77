"""What a run's state, its failure and its result are called, and what to do about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from heliograph.charts import name_level
from heliograph.store import FailureReason, RecordingSource, Run, RunRow, RunState
from heliograph.ui.markup import escape
from heliograph.ui.messages._advice import Advice
from thymia_api import ErrorCode

__all__ = [
    "ERROR_CODES",
    "FAILURES",
    "STATES",
    "StateWords",
    "describe_error_code",
    "describe_failure",
    "describe_level",
    "describe_retrying",
    "describe_run_problem",
    "describe_source",
    "describe_state",
]


@dataclass(frozen=True, slots=True)
class StateWords:
    """A run's state: its name in plain words, what that means, and how a badge shows it."""

    name: str
    meaning: str
    icon: str
    colour: str


STATES: Final[dict[str, StateWords]] = {
    RunState.QUEUED: StateWords("Queued", "Waiting for its turn to be sent.", ":material/schedule:", "gray"),
    RunState.CREATED: StateWords(
        "Registered", "thymia knows the run; the recording goes next.", ":material/assignment:", "blue"
    ),
    RunState.UPLOADING: StateWords("Uploading", "The recording is on its way.", ":material/upload:", "blue"),
    RunState.WAITING: StateWords(
        "Waiting for the participant",
        "The activity link has not been used yet.",
        ":material/hourglass_empty:",
        "violet",
    ),
    RunState.RUNNING: StateWords(
        "Being analysed", "The model is at work.", ":material/progress_activity:", "blue"
    ),
    RunState.COMPLETE_OK: StateWords("Result ready", "The scores are here.", ":material/check_circle:", "green"),
    RunState.COMPLETE_ERROR: StateWords(
        "No result", "The recording could not be scored.", ":material/block:", "orange"
    ),
    RunState.FAILED: StateWords(
        "Not carried out", "The run ended before it was scored.", ":material/error:", "red"
    ),
}

ERROR_CODES: Final[dict[str, Advice]] = {
    ErrorCode.RECORDING_INVALID_FORMAT: Advice(
        "The file is not in a format that thymia reads.",
        "Convert it to FLAC, WAV, MP3, MP4, Ogg or WebM and submit it as a new run.",
    ),
    ErrorCode.RECORDING_TOO_SHORT: Advice(
        "The recording has less than 10 seconds of speech; pauses do not count.",
        "Ask the participant to speak for longer and make a new recording.",
    ),
    ErrorCode.RECORDING_TOO_LONG: Advice(
        "The recording is longer than 3 minutes.", "Trim it to less than 3 minutes and submit it as a new run."
    ),
    ErrorCode.TRANSCRIPTION_FAILED: Advice(
        "No speech was found in the recording.",
        "Check the microphone, listen to the recording, and make a new one.",
    ),
    ErrorCode.INTERNAL: Advice(
        "thymia's service failed on this recording.",
        "Retry as a new run. If it fails again, contact thymia's support with the run's id at thymia.",
    ),
}

FAILURES: Final[dict[str, Advice]] = {
    FailureReason.UPLOAD_URL_EXPIRED: Advice(
        "The recording did not reach thymia within the hour that an upload link is valid.",
        "A new run for the same recording takes its place; retry as a new run if there is none.",
    ),
    FailureReason.UPLOAD_REFUSED: Advice(
        "thymia's storage refused the recording.",
        "Retry as a new run. If that is refused too, check that nothing between here and thymia changes uploads.",
    ),
    FailureReason.REJECTED: Advice(
        "thymia refused the details that were sent with this run.",
        "See the details below, correct the participant or the session, and submit the recording again.",
    ),
    FailureReason.UNKNOWN_AT_THYMIA: Advice(
        "thymia does not know this run's id.",
        "Check that the key belongs to the account and region that made the run; then retry as a new run.",
    ),
    FailureReason.DELETED_BEFORE_FETCH: Advice(
        "thymia deleted the data, as was asked for, before the result could be fetched.",
        "The result is lost. Retry as a new run if the recording is still here.",
    ),
    FailureReason.RECORDING_MISSING: Advice(
        "The recording's file is no longer in this workspace.",
        "Put the file back from a backup and retry, or make a new recording.",
    ),
    FailureReason.UNREADABLE_ANSWER: Advice(
        "thymia's answer could not be read.",
        "Fetch the run again. If that fails too, look for a newer version of Heliograph.",
    ),
    FailureReason.ACTIVITY_ABANDONED: Advice(
        "The participant did not complete the activity in time.", "Create a new activity and send the new link."
    ),
}

SOURCES: Final[dict[str, str]] = {
    RecordingSource.LOSSLESS: "lossless recorder",
    RecordingSource.WEBRTC: "live recorder",
    RecordingSource.BUILTIN: "built-in recorder",
    RecordingSource.UPLOAD: "uploaded file",
}


def describe_state(state: str) -> StateWords:
    """The words for a run's state; an unknown one shows itself."""
    return STATES.get(state) or StateWords(state.replace("_", " "), "", ":material/help:", "gray")


def describe_retrying(problem: str) -> str:
    """A run that keeps failing on its way and is tried again; `problem` is the last attempt's."""
    return f"It keeps failing and is tried again by itself. Last attempt: {escape(problem)}."


def describe_source(source: str) -> str:
    """Which door a recording came through."""
    return SOURCES.get(source, source)


def describe_error_code(code: str | None) -> Advice:
    """What thymia's error code means and what to do; codes that are new to this version fall back to a retry."""
    if code and code in ERROR_CODES:
        return ERROR_CODES[code]
    return Advice(
        f"thymia could not score the recording ({escape(code or 'without a reason')}).",
        "Retry as a new run. If it fails again, contact thymia's support with the run's id at thymia.",
    )


def describe_failure(failure: str | None) -> Advice:
    """What a failure reason means and what to do."""
    if failure and failure in FAILURES:
        return FAILURES[failure]
    return Advice(f"The run was not carried out ({escape(failure or 'reason unknown')}).", "Retry as a new run.")


def describe_run_problem(run: Run | RunRow) -> Advice | None:
    """What is wrong with a run that ended without a result; None for all others."""
    if run.state == RunState.COMPLETE_ERROR:
        return describe_error_code(run.error_code)
    if run.state == RunState.FAILED:
        return describe_failure(run.failure)
    return None


def describe_level(value: float) -> str:
    """The word for a bucketed value; a value that is none of the four shows itself."""
    return name_level(value) or f"{value:g}"
