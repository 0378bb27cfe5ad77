"""What an error of the client, the store or the runs means for the person at the page, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

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
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreTooNewError,
    StoreUnwritableError,
    UnknownRecordError,
    WrongWorkspaceError,
)
from heliograph.ui.markup import escape
from heliograph.ui.messages._advice import Advice
from heliograph.ui.messages._runs import describe_state
from thymia_api import (
    AuthenticationError,
    ConnectionFailedError,
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

__all__ = ["describe_problem"]


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
