"""What both clients share: how requests are built, answers read, and failures named. Nothing here does I/O."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar

import httpx

from thymia_api._answers import Account, ActivityRunCreated, HTTPValidationError, ModelRun, UploadRunCreated
from thymia_api._config import (
    DEFAULT_TIMEOUT,
    MAX_ANSWER_BYTES,
    USER_AGENT,
    Region,
    check_run_id,
    parse_url,
    resolve_base_url,
)
from thymia_api._exceptions import (
    AuthenticationError,
    ConnectionFailedError,
    InputIssue,
    InvalidInputError,
    InvalidRequestError,
    NotFoundError,
    RateLimitedError,
    RequestTimeoutError,
    RunTimeoutError,
    ServerError,
    StatusError,
    ThymiaError,
    UnreadableResponseError,
    UploadError,
    UploadRefusedError,
)
from thymia_api._model_bases import RequestModel, ResponseModel
from thymia_api._recording import RecordingSource
from thymia_api._requests import ActivityRunCreate, UploadRunCreate
from thymia_api._retry import parse_retry_after
from thymia_api._transports import KEY_MARK, URL_MARK, ApiKey, RequestGuard, hide_signature

AnswerT = TypeVar("AnswerT", bound=ResponseModel)

# Everything that httpx raises on purpose; its four roots have no common one.
HTTPX_ERRORS: Final = (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict, httpx.StreamError)

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
_SENT = (httpx.ReadTimeout, httpx.TooManyRedirects, httpx.HTTPStatusError)

_RUNS_PATH = "/v1/models/mental-wellness"
_ACTIVITY_RUNS_PATH = "/v1/models/mental-wellness-activity"
_ACCOUNT_PATH = "/v1/account"
_REQUEST_ID_HEADERS = ("x-request-id", "x-amzn-requestid", "x-amz-request-id", "x-correlation-id")
_UNAUTHORIZED, _NOT_FOUND, _UNPROCESSABLE, _TOO_MANY = 401, 404, 422, 429
_RETRYABLE_STORAGE_STATUSES = (408, _TOO_MANY)
_TRANSFER_HEADERS = frozenset({"content-encoding", "content-length", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Call(Generic[AnswerT]):
    """One request to the API and the model of its answer."""

    method: str
    path: str
    answer: type[AnswerT]
    content: bytes | None = field(default=None, repr=False)

    @property
    def label(self) -> str:
        return f"{self.method} {self.path}"


class AnswerBuffer:
    """Gathers the body of one answer, decompressed, up to `MAX_ANSWER_BYTES`."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._content = bytearray()

    def take(self, piece: bytes) -> bool:
        """Add the next piece; False when there is too much already: the rest is not to be read."""
        self._content += piece
        return len(self._content) <= MAX_ANSWER_BYTES

    def close(self) -> httpx.Response:
        """Return the answer with what was read of its body."""
        headers = [(name, value) for name, value in self._response.headers.multi_items()]
        kept = [(name, value) for name, value in headers if name.lower() not in _TRANSFER_HEADERS]
        return httpx.Response(self._response.status_code, headers=kept, content=bytes(self._content))


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload and its pre-signed address, which no `repr` shows."""

    url: httpx.URL = field(repr=False)
    source: RecordingSource

    @property
    def label(self) -> str:
        return f"PUT of the recording to {self.url.host}"


def call_account() -> Call[Account]:
    return Call("GET", _ACCOUNT_PATH, Account)


def call_upload_run(request: UploadRunCreate) -> Call[UploadRunCreated]:
    return Call("POST", _RUNS_PATH, UploadRunCreated, _encode(request, UploadRunCreate))


def call_activity_run(request: ActivityRunCreate) -> Call[ActivityRunCreated]:
    return Call("POST", _ACTIVITY_RUNS_PATH, ActivityRunCreated, _encode(request, ActivityRunCreate))


def call_run(run_id: object) -> Call[ModelRun]:
    return Call("GET", f"{_RUNS_PATH}/{check_run_id(run_id)}", ModelRun)


def _encode(request: RequestModel, expected: type[RequestModel]) -> bytes:
    if not isinstance(request, expected):
        problem = f"must be a {expected.__name__}, not a {type(request).__name__}"
        raise InvalidInputError([InputIssue("request", problem)])
    return json.dumps(request.to_wire(), ensure_ascii=False, separators=(",", ":")).encode()


class Wire:
    """The API's address and key, and everything that depends on them."""

    def __init__(
        self,
        key: ApiKey,
        region: Region | str,
        base_url: str | None,
        timeout: float | httpx.Timeout | None,
    ) -> None:
        key.check()
        self._key = key
        self.base_url = resolve_base_url(region, base_url)
        self.guard = RequestGuard(self._key, self.base_url)
        self.client_options: dict[str, Any] = {
            "headers": {"user-agent": USER_AGENT, "accept": "application/json"},
            "timeout": DEFAULT_TIMEOUT if timeout is None else timeout,
            "follow_redirects": False,
            "trust_env": False,
        }

    def get_call_arguments(self, call: Call[Any]) -> dict[str, Any]:
        """Arguments for `build_request`; the key is only asked for by a mark."""
        arguments: dict[str, Any] = {
            "method": call.method,
            "url": str(self.base_url).rstrip("/") + call.path,
            "extensions": {KEY_MARK: True},
        }
        if call.content is not None:
            arguments |= {"content": call.content, "headers": {"content-type": "application/json"}}
        return arguments

    def get_upload_arguments(self, upload: Upload) -> dict[str, Any]:
        """Arguments for `build_request`, the content apart; the address is shown without its query."""
        return {
            "method": "PUT",
            "url": upload.url.copy_with(query=None, fragment=None, username="", password=""),
            "headers": {
                "content-type": upload.source.content_type,
                "content-length": str(upload.source.size),
                "accept": "*/*",
            },
            "extensions": {URL_MARK: upload.url},
        }

    def read_answer(self, call: Call[AnswerT], response: httpx.Response) -> AnswerT:
        """Return the answer's model or raise the error that the status stands for."""
        if not response.is_success:
            raise self._name_status(call.label, response)
        if len(response.content) > MAX_ANSWER_BYTES:
            problem = f"{call.label}: the answer is larger than {MAX_ANSWER_BYTES} bytes"
            raise UnreadableResponseError(problem, body="", status=response.status_code)
        try:
            text: str | None = response.content.decode("utf-8")
        except UnicodeDecodeError:
            text = None
        if text is None:
            body = response.content.decode("utf-8", "replace")
            raise UnreadableResponseError(
                f"{call.label}: the answer is not UTF-8", body=body, status=response.status_code
            )
        try:
            return call.answer.from_body(text)
        except UnreadableResponseError as error:
            error.status = response.status_code
            raise

    def check_upload(self, upload: Upload, response: httpx.Response, *, may_have_arrived: bool) -> None:
        """Raise `UploadError` or `UploadRefusedError` unless the storage took the recording."""
        status = response.status_code
        if response.is_success:
            return
        is_final = not response.is_server_error and status not in _RETRYABLE_STORAGE_STATUSES
        kind, advice = UploadError, ""
        if is_final:
            kind = UploadRefusedError
            advice = ": the upload URL has expired, is wrong or was used already; create a new run"
            if response.is_redirect:
                advice = ": redirects are not followed"
            elif may_have_arrived:
                advice = ": an earlier attempt may have arrived; fetch the run before creating a new one"
        raise kind(
            f"{upload.label} was answered {status}{advice}",
            earlier_attempt_may_have_arrived=may_have_arrived,
            **self._collect_evidence(response, upload.url),
        )

    def name_failure(self, label: str, error: Exception, *, upload: Upload | None = None) -> ThymiaError:
        """Return our error for one of `HTTPX_ERRORS`; to be raised outside the `except` block, unchained."""
        detail = type(error).__name__
        # Texts of protocol errors quote header values.
        if str(error) and not isinstance(error, httpx.ProtocolError):
            text = self._key.hide_in(str(error))
            detail += ": " + (hide_signature(upload.url, text) if upload else text)
        if isinstance(error, httpx.InvalidURL):
            return InvalidInputError(
                [InputIssue("upload_url" if upload else "base_url", "is not a valid address")]
            )
        if isinstance(error, httpx.DecodingError):
            return UnreadableResponseError(
                f"{label}: the answer cannot be decoded ({type(error).__name__})", body=""
            )
        sent: bool | None = None
        if isinstance(error, _NEVER_SENT):
            sent = False
        elif isinstance(error, _SENT):
            sent = True
        kind = RequestTimeoutError if isinstance(error, httpx.TimeoutException) else ConnectionFailedError
        return kind(f"{label}: no complete answer ({detail})", sent=sent)

    def _name_status(self, label: str, response: httpx.Response) -> StatusError:
        status, evidence = response.status_code, self._collect_evidence(response, None)
        message = f"{label} was answered {status}"
        if status == _UNAUTHORIZED:
            return AuthenticationError(
                f"{message}: the API key is missing, wrong or of another region", **evidence
            )
        if status == _NOT_FOUND:
            return NotFoundError(f"{message}: no such run, or its data has been deleted", **evidence)
        if status == _UNPROCESSABLE:
            issues = _parse_validation_issues(evidence["body"])
            parts = "; ".join(f"{'.'.join(map(str, issue.loc))}: {issue.msg}" for issue in issues)
            return InvalidRequestError(
                f"{message}: {parts or 'the request is malformed'}", issues=issues, **evidence
            )
        if status == _TOO_MANY:
            return RateLimitedError(f"{message}: too many requests", **evidence)
        if response.is_server_error:
            return ServerError(f"{message}: the service failed", **evidence)
        if response.is_redirect:
            host = httpx.URL(_get_location(response)).host or "another path of the same host"
            return StatusError(f"{message}: redirects are not followed (to {host}); check base_url", **evidence)
        return StatusError(message, **evidence)

    def _collect_evidence(self, response: httpx.Response, upload_url: httpx.URL | None) -> dict[str, Any]:
        body = self._key.hide_in(response.content.decode("utf-8", "replace"))
        request_ids = (response.headers.get(name) for name in _REQUEST_ID_HEADERS)
        return {
            "status": response.status_code,
            "body": body if upload_url is None else hide_signature(upload_url, body),
            "request_id": next((found for found in request_ids if found), None),
            "retry_after_s": parse_retry_after(response.headers.get("retry-after"), now=datetime.now(UTC)),
        }


def parse_upload_url(upload_url: str) -> httpx.URL:
    """Return the pre-signed address; a refusal does not quote it."""
    return parse_url("upload_url", upload_url)


def _get_location(response: httpx.Response) -> str:
    location = response.headers.get("location", "")
    try:
        httpx.URL(location)
    except httpx.InvalidURL:
        return ""
    return str(location)


def _parse_validation_issues(body: str) -> tuple[Any, ...]:
    try:
        return HTTPValidationError.from_body(body).detail
    except UnreadableResponseError:
        return ()


class PollClock:
    """When to ask for a run again, and when to stop."""

    def __init__(self, poll_s: float, timeout_s: float, clock: Callable[[], float]) -> None:
        issues = []
        if not 0 < poll_s < math.inf:
            issues.append(InputIssue("poll_s", "must be more than 0 seconds"))
        if not timeout_s >= 0:
            issues.append(InputIssue("timeout_s", "must be 0 seconds or more"))
        if issues:
            raise InvalidInputError(issues)
        self._poll_s = poll_s
        self._timeout_s = timeout_s
        self._clock = clock
        self._deadline = clock() + timeout_s
        self._last_status: str | None = None

    def is_news(self, run: ModelRun) -> bool:
        """Return whether the status differs from that of the state before."""
        is_news, self._last_status = run.status != self._last_status, run.status
        return is_news

    def compute_wait(self, run: ModelRun) -> float:
        """Return the seconds until the next poll, the last one at the deadline; then raise `RunTimeoutError`."""
        left_s = self._deadline - self._clock()
        if left_s <= 0:
            message = f"run {run.id} is still {run.status} after {self._timeout_s:g} s; it goes on at the service"
            raise RunTimeoutError(message, run=run, timeout_s=self._timeout_s)
        return min(self._poll_s, left_s)
