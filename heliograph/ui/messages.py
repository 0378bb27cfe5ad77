"""Every wording that people see about states, errors and the worker, in one place. Each says what to do next.

Evidence comes from below (codes, reasons, exceptions with their fields); the words are only here. Nothing in
this module repeats an exception's own text unless it was written for people, and never a secret or a URL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from heliograph.charts import LEVEL_NAMES
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
    "KEY_HELP",
    "LEVEL_WORDS",
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
    "**Sandbox: every score here is synthetic and means nothing.** No recording leaves this machine."
    " To work with thymia, set an API key (see Settings)."
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
    return next((name for level, name in LEVEL_NAMES.items() if abs(level - value) < 0.01), f"{value:g}")


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
    if isinstance(error, ThymiaError):
        return _describe_thymia_error(error)
    if isinstance(error, StoreError):
        return _describe_store_error(error)
    if isinstance(error, RunsError):
        return _describe_runs_error(error)
    return Advice("Something went wrong that Heliograph did not expect.", "The server's log has the details.")


def _describe_thymia_error(error: ThymiaError) -> Advice:
    match error:
        case AuthenticationError():
            return Advice(
                "thymia does not accept the API key.",
                "Check THYMIA_API_KEY and THYMIA_REGION (a key belongs to one region), then restart the server.",
            )
        case NotFoundError():
            return Advice(
                "thymia does not know this run, or has deleted its data.",
                "Runs deleted on request can't be fetched.",
            )
        case RateLimitedError():
            return Advice("thymia asks us to slow down.", "Wait a minute and try again.")
        case ServerError():
            return Advice(
                f"thymia's service has a problem (status {error.status}).", "Try again in a few minutes."
            )
        case InvalidRequestError():
            fields = ", ".join(sorted({str(issue.loc[-1]) for issue in error.issues if issue.loc}))
            return Advice(
                f"thymia refused the request{' (' + escape(fields) + ')' if fields else ''}.",
                "Correct what it names and try again.",
            )
        case RequestTimeoutError():
            return Advice("thymia did not answer in time.", "Check the network and try again.")
        case ConnectionFailedError():
            return Advice(
                "thymia can't be reached.", "Check the network, the proxy and THYMIA_BASE_URL, and try again."
            )
        case UnreadableResponseError():
            return Advice(
                "The answer is not what thymia's API sends.",
                "Check THYMIA_BASE_URL: something else may be answering there.",
            )
        case InvalidInputError():
            return Advice(f"{escape(str(error))}.", "Correct it and try again.")
        case StatusError():
            return Advice(f"thymia answered with status {error.status}.", "Try again in a few minutes.")
        case _:
            return Advice("The request to thymia failed.", "Try again in a few minutes.")


def _describe_store_error(error: StoreError) -> Advice:
    where = f" ({escape(str(error.path))})" if error.path else ""
    match error:
        case DiskFullError():
            return Advice(f"The disk is full{where}; nothing was changed.", "Free some space and try again.")
        case StoreUnwritableError():
            return Advice(
                f"The workspace can't be written{where}.",
                "Check the folder's owner and rights, or set HELIOGRAPH_HOME to another folder.",
            )
        case StoreBusyError():
            return Advice(
                f"Another program holds the database{where}; nothing was changed.",
                "Close database browsers and backups that have it open and try again.",
            )
        case StoreTooNewError():
            return Advice(
                f"The database was written by a newer version of Heliograph{where}; it was not touched.",
                "Update Heliograph, or set HELIOGRAPH_HOME to another folder.",
            )
        case WrongWorkspaceError():
            return Advice(
                f"The database belongs to another workspace{where}; it was not touched.",
                "Put the folder back under its own name.",
            )
        case StoreDamagedError():
            return Advice(f"The database is damaged{where}.", "Put back a backup; recordings are not affected.")
        case UnknownRecordError():
            return Advice("This is no longer in the workspace.", "Go back to the list.")
        case _:
            return Advice(f"The workspace can't be used right now{where}.", "Check the disk and try again.")


def _describe_runs_error(error: RunsError) -> Advice:
    match error:
        case InvalidSubmissionError():
            issues = "; ".join(f"{issue.field.replace('_', ' ')}: {issue.message}" for issue in error.issues)
            return Advice(f"This can't be submitted: {escape(issues)}.", "Correct it and submit again.")
        case UnknownRunError():
            return Advice(f"Run {error.run_id} is no longer in this workspace.", "Go back to the list.")
        case RunStateError():
            return Advice(
                f"This can't be done while run {error.run_id} is in the state"
                f" “{describe_state(error.state).name}”.",
                "Wait until it has moved on, then try again.",
            )
        case RunPurgedError():
            return Advice(
                f"The data of run {error.run_id} was deleted here on purpose.", "It can't be brought back."
            )
        case RecordingMissingError():
            return FAILURES[FailureReason.RECORDING_MISSING]
        case _:
            return Advice("This can't be done.", "Reload the page and try again.")


def _pause(status: WorkerStatus) -> Advice:
    return PAUSES.get(status.reason or "", OTHER_PAUSE)


def _plain(text: str) -> str:
    return text.replace("**", "")
