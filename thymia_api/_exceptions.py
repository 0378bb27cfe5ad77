"""Everything this package raises on purpose, each with typed evidence.

    ThymiaError
    ├── InvalidInputError (also a ValueError)   refused before the network; .issues
    ├── ConnectionFailedError                   no complete answer; .sent
    │   └── RequestTimeoutError                 … because time ran out
    ├── StatusError                             .status .body .request_id .retry_after_s
    │   ├── AuthenticationError                 401: key missing, wrong, or of another region
    │   ├── NotFoundError                       404: no such run, or its data was deleted
    │   ├── InvalidRequestError                 422; .issues
    │   ├── RateLimitedError                    429
    │   ├── ServerError                         5xx
    │   └── UploadError                         the storage behind the upload URL answered an error
    │       └── UploadRefusedError              … a final one (4xx): expired, wrong signature, used already
    ├── UnreadableResponseError                 an answer that is not what the contract promises; .body
    └── RunTimeoutError                         waiting took too long; .run is the last state seen

Errors of httpx are never chained to these: a request can carry the API key, and a pre-signed URL its signature.
A run that ends in `COMPLETE_ERROR` is data, not an exception. Errors of the caller's own file (`OSError`) and of
the caller's callbacks pass through as they are.
"""

from __future__ import annotations

from collections.abc import Iterable

from thymia_api._answers import ModelRun, ValidationIssue
from thymia_api._value_errors import InputIssue, InvalidInputError, ThymiaError, UnreadableResponseError

__all__ = [
    "AuthenticationError",
    "ConnectionFailedError",
    "InputIssue",
    "InvalidInputError",
    "InvalidRequestError",
    "NotFoundError",
    "RateLimitedError",
    "RequestTimeoutError",
    "RunTimeoutError",
    "ServerError",
    "StatusError",
    "ThymiaError",
    "UnreadableResponseError",
    "UploadError",
    "UploadRefusedError",
]


class ConnectionFailedError(ThymiaError):
    """No complete answer came back.

    `sent` is False when the request provably never left, True when all of it was sent, None when that is unknown.
    Only False makes it certain that the server has not acted.
    """

    def __init__(self, message: str, *, sent: bool | None) -> None:
        self.sent = sent
        super().__init__(message)


class RequestTimeoutError(ConnectionFailedError):
    """A time-out of one step: connecting, sending, reading, or waiting for a free connection."""


class StatusError(ThymiaError):
    """The server answered with an error status, or with a redirect, which is never followed.

    `body` is for debugging and has no dependable structure; `retry_after_s` is the server's `Retry-After`.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        body: str = "",
        request_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        self.status = status
        self.body = body
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        super().__init__(message)


class AuthenticationError(StatusError):
    """401: the key is missing or invalid. Trying again with the same key is useless."""


class NotFoundError(StatusError):
    """404: no such run, or its data has been deleted (12 h after completion when `delete_data` was set)."""


class InvalidRequestError(StatusError):
    """422: the service refused the request; `issues` is empty when the answer is not in the documented shape."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        body: str = "",
        request_id: str | None = None,
        retry_after_s: float | None = None,
        issues: Iterable[ValidationIssue] = (),
    ) -> None:
        self.issues = tuple(issues)
        super().__init__(message, status=status, body=body, request_id=request_id, retry_after_s=retry_after_s)


class RateLimitedError(StatusError):
    """429: too many requests."""


class ServerError(StatusError):
    """5xx: the service failed."""


class UploadError(StatusError):
    """The object storage behind an upload URL answered an error. It says nothing about the API key."""

    def __init__(
        self,
        message: str,
        *,
        status: int,
        body: str = "",
        request_id: str | None = None,
        retry_after_s: float | None = None,
        earlier_attempt_may_have_arrived: bool = False,
    ) -> None:
        self.earlier_attempt_may_have_arrived = earlier_attempt_may_have_arrived
        super().__init__(message, status=status, body=body, request_id=request_id, retry_after_s=retry_after_s)


class UploadRefusedError(UploadError):
    """The storage will not take this upload: the URL has expired (1 h), is wrong, or was used already.

    When `earlier_attempt_may_have_arrived` is True an attempt before this one lost its answer: look at the run
    before creating a new one.
    """


class RunTimeoutError(ThymiaError):
    """The run was not complete in time; `run` is its last known state. It goes on at the service: wait again."""

    def __init__(self, message: str, *, run: ModelRun, timeout_s: float) -> None:
        self.run = run
        self.timeout_s = timeout_s
        super().__init__(message)
