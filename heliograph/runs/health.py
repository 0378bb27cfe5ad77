"""What the worker knows about the way to thymia: how many requests in a row failed, and how to say so.

The texts end up in the store and in logs, so they are made here from typed evidence: no key, no address with a
signature, no participant's label can be in them.
"""

from __future__ import annotations

from thymia_api import (
    ConnectionFailedError,
    InvalidInputError,
    InvalidRequestError,
    RequestTimeoutError,
    StatusError,
    ThymiaError,
    UnreadableResponseError,
    UploadError,
)

MAX_ISSUES, MAX_ISSUE_CHARS = 20, 300
"""Of a refusal so much is kept: it is stored with the run and shown to a person."""


def describe_problem(problem: ThymiaError) -> str:
    """What to store, log and show about an error: one line, or for a 422 one a field, in the API's words."""
    match problem:
        case InvalidRequestError() if problem.issues:
            return _describe_issues(problem)
        case UploadError():
            return f"storage answered {problem.status} to the upload"
        case StatusError():
            return f"thymia answered {problem.status}"
        case RequestTimeoutError():
            return "no answer in time"
        case ConnectionFailedError():
            return "the connection failed" if problem.sent is False else "the connection broke off"
        case UnreadableResponseError():
            return "the answer could not be read"
        case InvalidInputError():
            return "thymia's earlier answer holds an address or id that cannot be used"
    return type(problem).__name__


def _describe_issues(problem: InvalidRequestError) -> str:
    lines = [
        f"{'.'.join(str(part) for part in issue.loc if part != 'body') or 'request'}: {issue.msg}"
        for issue in problem.issues[:MAX_ISSUES]
    ]
    lines = [line if len(line) <= MAX_ISSUE_CHARS else line[:MAX_ISSUE_CHARS] + "…" for line in lines]
    if len(problem.issues) > MAX_ISSUES:
        lines.append(f"… and {len(problem.issues) - MAX_ISSUES} more")
    return "\n".join(lines)


class ApiHealth:
    """Counts problems in a row; used on the event loop only."""

    def __init__(self, problems_until_unreachable: int) -> None:
        self._limit = problems_until_unreachable
        self._in_a_row = 0
        self.problem: str | None = None
        """What is wrong while thymia counts as unreachable, else None."""
        self.n_answers = 0

    def note_problem(self, problem: ThymiaError) -> None:
        """Count a request that thymia did not answer sensibly; the storage for uploads is somebody else."""
        if isinstance(problem, UploadError | InvalidInputError):
            return
        self._in_a_row += 1
        if self._in_a_row >= self._limit:
            self.problem = describe_problem(problem)

    def note_answer(self) -> None:
        """thymia answered: all is well."""
        self._in_a_row = 0
        self.problem = None
        self.n_answers += 1
