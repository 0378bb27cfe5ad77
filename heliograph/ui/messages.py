"""Every wording that people see about states, errors and the worker, in one place. Each says what to do next.

Evidence comes from below (codes, reasons, exceptions with their fields); the words are only here. Nothing in
this module repeats an exception's own text unless it was written for people, and never a secret or a URL.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from heliograph.charts import LEVEL_NAMES, name_level
from heliograph.runs import (
    InvalidSubmissionError,
    RecordingMissingError,
    RunPurgedError,
    RunsError,
    RunStateError,
    UnknownRunError,
)
from heliograph.store import (
    DiskFullError,
    FailureReason,
    RecordingSource,
    Run,
    RunRow,
    RunState,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreTooNewError,
    StoreUnwritableError,
    UnknownRecordError,
    WorkerState,
    WorkerStatus,
    WrongWorkspaceError,
)
from heliograph.ui.markup import escape
from thymia_api import (
    AuthenticationError,
    ConnectionFailedError,
    ErrorCode,
    InvalidInputError,
    InvalidRequestError,
    NotFoundError,
    RateLimitedError,
    RequestTimeoutError,
    ServerError,
    StatusError,
    ThymiaError,
    UnreadableResponseError,
)

__all__ = [
    "DELETION_EXPLAINED",
    "DISCLAIMER",
    "HIGHER_IS_WORSE",
    "IMAGE_BUSY",
    "IMAGE_FAILED",
    "IMAGE_HELP",
    "IMAGE_SLOW",
    "KEY_HELP",
    "LEVEL_WORDS",
    "NO_IMAGE_BROWSER",
    "POINT_IN_TIME",
    "PURGE_EXPLAINED",
    "RESULT_EMPTY",
    "RESULT_GONE",
    "SANDBOX_BANNER",
    "SYNTHETIC_BADGE",
    "Advice",
    "Notice",
    "StateWords",
    "describe_error_code",
    "describe_failure",
    "describe_level",
    "describe_problem",
    "describe_retrying",
    "describe_run_problem",
    "describe_source",
    "describe_state",
    "describe_worker",
    "escape",
    "worker_notice",
]

DISCLAIMER: Final = (
    "Helios is a wellness model, not a medical device. Scores are not diagnoses and must not guide treatment."
)
POINT_IN_TIME: Final = (
    "One recording shows a state at one point in time. Take a baseline over several sessions and read the trend."
)
HIGHER_IS_WORSE: Final = "Scores run from 0 to 1; higher is worse."
SANDBOX_BANNER: Final = (
    "**Sandbox: every score is synthetic and means nothing.** Settings say how to work with thymia."
)
RESULT_GONE: Final = "The result was deleted here when thymia deleted its own, as was chosen in Settings."
RESULT_EMPTY: Final = "thymia finished this run without any score. Fetch it again, or retry as a new run."
PURGE_EXPLAINED: Final = (
    "Off: results that were fetched stay here. On: for runs submitted with deletion, this workspace removes"
    " its own recording, results and transcript at the same time as thymia, 12 hours after completion."
)
KEY_HELP: Final = (
    "Set the environment variable `THYMIA_API_KEY` (and `THYMIA_REGION`), or write this into"
    " `.streamlit/secrets.toml`:"
)
DELETION_EXPLAINED: Final = (
    "The run, its scores, transcript, timeline and thymia's answers are removed from this workspace, and its"
    " recording too unless another run uses it. **Nothing changes at thymia**, and a run deleted here can't be"
    " found again: thymia has no list of runs."
)
IMAGE_HELP: Final = "180 mm wide, on white. Takes some seconds."
NO_IMAGE_BROWSER: Final = (
    "This server has no Chromium or Chrome to draw images with: install one, or use the camera button of the"
    " figure, which makes a PNG."
)
IMAGE_BUSY: Final = "The last image was not drawn because others were in front of it. Press again in a moment."
IMAGE_SLOW: Final = (
    "The last image took too long and was given up. Choose a shorter range, or use the camera button."
)
IMAGE_FAILED: Final = (
    "The last image could not be drawn: the server's Chromium did not start or broke off, and its log says why."
    " The camera button of the figure makes a PNG."
)
SYNTHETIC_BADGE: Final = "Synthetic scores"
LEVEL_WORDS: Final = (
    "Levels compare with people of the same age, birth sex and language: " + ", ".join(LEVEL_NAMES.values()) + "."
)


@dataclass(frozen=True, slots=True)
class Advice:
    """What happened, in one sentence, and what to do now, in another."""

    what: str
    action: str

    @property
    def text(self) -> str:
        return f"{self.what} {self.action}".strip()


@dataclass(frozen=True, slots=True)
class Notice:
    """A line for the head of every page; `severe` when work stands still until somebody acts."""

    text: str
    severe: bool


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

# What keeps the worker from work, by the reason that it writes into its status row.
PAUSES: Final[dict[str, Advice]] = {
    "invalid_key": Advice(
        "**thymia does not accept the API key.** Nothing is being sent; recordings and runs are safe here.",
        "Check THYMIA_API_KEY and THYMIA_REGION (a key belongs to one region), then restart the server.",
    ),
    "wrong_server": Advice(
        "**The server that answers does not fit this workspace** (synthetic and real scores must never meet)."
        " Nothing is being sent.",
        "Check THYMIA_BASE_URL and HELIOGRAPH_WORKSPACE, then restart the server.",
    ),
}  # fmt: skip
OTHER_PAUSE: Final = Advice(
    "**The worker is paused.** Nothing is being sent; recordings and runs are safe here.",
    "See the server's log for the reason, then restart the server.",
)
UNREACHABLE: Final = (
    "**thymia can't be reached at the moment** ({since}). Recording and submitting go on as usual: runs wait here"
    " and are sent by themselves."
)
WORKER_STATES: Final[dict[str, str]] = {
    WorkerState.WORKING: "Working",
    WorkerState.STANDBY: "Standing by: another process works for this workspace",
    WorkerState.PAUSED: "Paused",
    WorkerState.STOPPED: "Not running",
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


def describe_worker(status: WorkerStatus) -> str:
    """One line for the settings page."""
    words = WORKER_STATES.get(status.state, str(status.state))
    return f"{words}: {_plain(_pause(status).text)}" if status.state == WorkerState.PAUSED else words


def worker_notice(status: WorkerStatus) -> Notice | None:
    """What stands at the head of every page while the worker can't work; None while all is well.

    Whether it is the key (severe: it waits for a person) or the network (it goes on by itself) is told apart.
    """
    if status.state == WorkerState.PAUSED:
        return Notice(_pause(status).text, severe=True)
    if status.api_problem and status.state == WorkerState.WORKING:
        since = f"since {status.api_problem_since_utc[11:16]} UTC" if status.api_problem_since_utc else "just now"
        return Notice(UNREACHABLE.format(since=since), severe=False)
    return None


def describe_problem(error: BaseException) -> Advice:
    """What an error of the client, the store or the runs means for the person at the page, and what to do."""
    kind = next((kind for kind in type(error).__mro__ if kind in PROBLEMS), None)
    if kind is None:
        return Advice("Something went wrong that Heliograph did not expect.", "The server's log has the details.")
    what, action = PROBLEMS[kind]
    evidence = {name: make(error) for name, make in EVIDENCE.items() if f"{{{name}}}" in what}
    return Advice(what.format(**evidence), action)


def _list_fields(error: BaseException) -> str:
    """The names that a 422 answer gives, in brackets."""
    issues = getattr(error, "issues", ())
    fields = sorted({str(issue.loc[-1]) for issue in issues if issue.loc})
    return f" ({escape(', '.join(fields))})" if fields else ""


def _list_issues(error: BaseException) -> str:
    """What is wrong with each field of a submission; these texts are made of names and limits, for people."""
    issues = getattr(error, "issues", ())
    return escape(
        "; ".join(
            f"{issue.field.replace('_', ' ')}: {getattr(issue, 'message', None) or getattr(issue, 'problem', '')}"
            for issue in issues
        )
    )


# What a text may name of an error. None of it can hold a secret.
EVIDENCE: Final[dict[str, Callable[[Any], str]]] = {
    "status": lambda error: str(error.status),
    "fields": _list_fields,
    "issues": _list_issues,
    "where": lambda error: f" ({escape(str(error.path))})" if error.path else "",
    "run": lambda error: str(error.run_id),
    "state": lambda error: describe_state(error.state).name,
}
LATER: Final = "Try again in a few minutes."
PROBLEMS: Final[dict[type, tuple[str, str]]] = {
    ThymiaError: ("The request to thymia failed.", LATER),
    AuthenticationError: (
        "thymia does not accept the API key.",
        "Check THYMIA_API_KEY and THYMIA_REGION (a key belongs to one region), then restart the server.",
    ),
    NotFoundError: ("thymia does not know this run, or has deleted its data.", "Deleted runs can't be fetched."),
    RateLimitedError: ("thymia asks us to slow down.", "Wait a minute and try again."),
    ServerError: ("thymia's service has a problem (status {status}).", LATER),
    InvalidRequestError: ("thymia refused the request{fields}.", "Correct what it names and try again."),
    StatusError: ("thymia answered with status {status}.", LATER),
    RequestTimeoutError: ("thymia did not answer in time.", "Check the network and try again."),
    ConnectionFailedError: (
        "thymia can't be reached.",
        "Check the network, the proxy and THYMIA_BASE_URL, and try again.",
    ),
    UnreadableResponseError: (
        "The answer is not what thymia's API sends.",
        "Check THYMIA_BASE_URL: something else may be answering there.",
    ),
    InvalidInputError: ("thymia would refuse this: {issues}.", "Correct it and try again."),
    StoreError: ("The workspace can't be used right now{where}.", "Check the disk and try again."),
    DiskFullError: ("The disk is full{where}; nothing was changed.", "Free some space and try again."),
    StoreUnwritableError: (
        "The workspace can't be written{where}.",
        "Check the folder's owner and rights, or set HELIOGRAPH_HOME to another folder.",
    ),
    StoreBusyError: (
        "Another program holds the database{where}; nothing was changed.",
        "Close database browsers and backups that have it open and try again.",
    ),
    StoreTooNewError: (
        "The database was written by a newer version of Heliograph{where}; it was not touched.",
        "Update Heliograph, or set HELIOGRAPH_HOME to another folder.",
    ),
    WrongWorkspaceError: (
        "The database belongs to another workspace{where}; it was not touched.",
        "Put the folder back under its own name.",
    ),
    StoreDamagedError: ("The database is damaged{where}.", "Put back a backup; recordings are not affected."),
    UnknownRecordError: ("This is no longer in the workspace.", "Go back to the list."),
    RunsError: ("This can't be done.", "Reload the page and try again."),
    InvalidSubmissionError: ("This can't be submitted: {issues}.", "Correct it and submit again."),
    UnknownRunError: ("Run {run} is no longer in this workspace.", "Go back to the list."),
    RunStateError: (
        "This can't be done while run {run} is in the state “{state}”.",
        "Wait until it has moved on, then try again.",
    ),
    RunPurgedError: ("The data of run {run} was deleted here on purpose.", "It can't be brought back."),
    RecordingMissingError: (
        "The recording's file is no longer in this workspace.",
        "Put the file back from a backup and retry, or make a new recording.",
    ),
}


def _pause(status: WorkerStatus) -> Advice:
    return PAUSES.get(status.reason or "", OTHER_PAUSE)


def _plain(text: str) -> str:
    return text.replace("**", "")
