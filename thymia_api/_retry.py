"""The one retry policy: what is tried again, how long the waits are, and how `Retry-After` is read.

GET and PUT are tried again after a failed connection, 408, 429 and 5xx; GET also after an answer that cannot be
read. POST only when the request provably never left, or on 429/503 with `Retry-After`: anything else could create
a second run. The loop is stamina's, so its instrumentation, `set_active(False)` and `set_testing(True)` apply.
"""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Final, TypeVar

import stamina

from thymia_api._exceptions import (
    ConnectionFailedError,
    InputIssue,
    InvalidInputError,
    StatusError,
    UnreadableResponseError,
)

__all__ = ["NO_RETRY", "RetryPolicy"]

T = TypeVar("T")

_REQUEST_TIMEOUT = 408
_TOO_MANY_REQUESTS = 429
_SERVICE_UNAVAILABLE = 503
_FIRST_SERVER_ERROR = 500
_SECONDS = re.compile(r"\d{1,9}(\.\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often and how patiently a client tries again.

    Waits grow exponentially from `wait_initial_s` to `wait_max_s`, with up to `wait_jitter_s` added. A
    `Retry-After` takes the place of the computed wait; when it asks for more than `max_retry_after_s` the error is
    raised at once and carries it. No new attempt is planned once `total_s` have passed (None: no such limit).
    `attempts=1` switches retries off.
    """

    attempts: int = 4
    total_s: float | None = 60.0
    wait_initial_s: float = 0.5
    wait_max_s: float = 10.0
    wait_jitter_s: float = 1.0
    max_retry_after_s: float = 60.0

    def __post_init__(self) -> None:
        issues = []
        if self.attempts < 1:
            issues.append(InputIssue("retry.attempts", "must be at least 1"))
        for name in (field.name for field in fields(self) if field.name.endswith("_s")):
            value = getattr(self, name)
            if value is not None and not 0 <= value < math.inf:
                issues.append(InputIssue(f"retry.{name}", "must be a number of seconds, 0 or more"))
        if self.total_s == 0:
            issues.append(InputIssue("retry.total_s", "must be more than 0; attempts=1 switches retries off"))
        if issues:
            raise InvalidInputError(issues)

    def run(self, method: str, send: Callable[[], T]) -> T:
        """Call `send` until it succeeds or the policy gives up; raises the last error."""
        if self.attempts == 1:
            return send()
        caller = stamina.RetryingCaller(**self._get_options())
        return caller(partial(self.compute_backoff, method), send)

    async def run_async(self, method: str, send: Callable[[], Awaitable[T]]) -> T:
        """The same for a coroutine function."""
        if self.attempts == 1:
            return await send()
        caller = stamina.AsyncRetryingCaller(**self._get_options())
        return await caller(partial(self.compute_backoff, method), send)

    def _get_options(self) -> dict[str, Any]:
        return {
            "attempts": self.attempts,
            "timeout": self.total_s,
            "wait_initial": self.wait_initial_s,
            "wait_max": self.wait_max_s,
            "wait_jitter": self.wait_jitter_s,
        }

    def compute_backoff(self, method: str, error: Exception) -> bool | float:
        """Return False to give up, True to try again after the policy's wait, or the seconds to wait."""
        repeatable = method in ("GET", "PUT")
        if isinstance(error, ConnectionFailedError):
            return repeatable or error.sent is False
        if isinstance(error, UnreadableResponseError):
            return method == "GET"
        if not isinstance(error, StatusError):
            return False
        if repeatable:
            again = error.status in (_REQUEST_TIMEOUT, _TOO_MANY_REQUESTS) or error.status >= _FIRST_SERVER_ERROR
        else:
            again = error.status in (_TOO_MANY_REQUESTS, _SERVICE_UNAVAILABLE) and error.retry_after_s is not None
        if again and error.retry_after_s is not None:
            return error.retry_after_s if error.retry_after_s <= self.max_retry_after_s else False
        return again


NO_RETRY: Final = RetryPolicy(attempts=1)


def parse_retry_after(value: str | None, *, now: datetime) -> float | None:
    """Return the seconds that a `Retry-After` header asks for: a number or an HTTP date; None if unreadable."""
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # the latter for years and offsets of twenty digits
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
