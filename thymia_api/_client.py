"""The blocking client."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from types import TracebackType
from typing import NoReturn, Self, TypeVar
from uuid import UUID

import httpx
from pydantic import SecretStr

from thymia_api._answers import Account, ActivityRunCreated, ModelRun, UploadRunCreated
from thymia_api._config import POLL_S, WAIT_TIMEOUT_S, Region
from thymia_api._exceptions import ConnectionFailedError, ThymiaError, UploadError
from thymia_api._model_bases import ResponseModel
from thymia_api._recording import Progress, RecordingInput, RecordingSource
from thymia_api._requests import ActivityRunCreate, UploadRunCreate
from thymia_api._retry import RetryPolicy
from thymia_api._transports import ApiKey, EnvironmentTransport, GuardedTransport
from thymia_api._wire import (
    HTTPX_ERRORS,
    AnswerBuffer,
    Call,
    PollClock,
    Upload,
    Wire,
    call_account,
    call_activity_run,
    call_run,
    call_upload_run,
    parse_upload_url,
)

__all__ = ["ThymiaClient"]

AnswerT = TypeVar("AnswerT", bound=ResponseModel)


class ThymiaClient:
    """Speaks to thymia's REST API; threads may share one. Close it, or use it as a context manager.

    `base_url` (a proxy, a test server) wins over `region`. `transport` is any httpx transport and is closed with
    the client; without one, the proxy settings and certificates of the environment apply. `timeout` is in seconds
    for each step of a request (connect, read, write, free connection). `sleep` and `clock` are those of
    `wait_for_run`.

    Every method raises errors below `ThymiaError` only, apart from those of the caller's own file and callbacks.
    """

    def __init__(
        self,
        api_key: str | SecretStr,
        *,
        region: Region | str = Region.DEFAULT,
        base_url: str | None = None,
        transport: httpx.BaseTransport | None = None,
        retry: RetryPolicy | None = None,
        timeout: float | httpx.Timeout | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        key = ApiKey(api_key)
        del api_key
        self._wire = Wire(key, region, base_url, timeout)
        self._retry = RetryPolicy() if retry is None else retry
        self._sleep = sleep
        self._clock = clock
        inner = EnvironmentTransport() if transport is None else transport
        self._http = httpx.Client(transport=GuardedTransport(inner, self._wire.guard), **self._wire.client_options)

    def __repr__(self) -> str:
        wire = getattr(self, "_wire", None)
        return f"<{type(self).__name__} of {wire.base_url if wire else 'no address'}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client holds an API key and cannot be pickled or copied")

    def __enter__(self) -> Self:
        self._http.__enter__()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._http.__exit__(exc_type, exc_value, traceback)

    def close(self) -> None:
        """Close the connections; the client cannot be used afterwards."""
        self._http.close()

    @property
    def base_url(self) -> str:
        """The address of the API."""
        return str(self._wire.base_url)

    def get_account(self) -> Account:
        """Fetch the account behind the key: the cheapest check of a key (`AuthenticationError` if it is bad)."""
        return self._exchange(call_account())

    def create_upload_run(self, request: UploadRunCreate) -> UploadRunCreated:
        """Create a run for a recording of one's own. Keep its id: a run can only be found again by that."""
        return self._exchange(call_upload_run(request))

    def create_activity_run(self, request: ActivityRunCreate) -> ActivityRunCreated:
        """Create a run whose recording a hosted activity captures. Keep its id: there is no list of runs."""
        return self._exchange(call_activity_run(request))

    def get_run(self, run_id: str | UUID) -> ModelRun:
        """Fetch a run of either kind; `NotFoundError` for an unknown one and for one whose data was deleted."""
        return self._exchange(call_run(run_id))

    def wait_for_run(
        self,
        run_id: str | UUID,
        *,
        poll_s: float = POLL_S,
        timeout_s: float = WAIT_TIMEOUT_S,
        on_status: Callable[[ModelRun], None] | None = None,
    ) -> ModelRun:
        """Poll until the run is final and return it, be it ok or in error.

        `RunTimeoutError`, after `timeout_s`, carries the last state.

        `on_status` is called with the first state and at every change of the status. An error that outlasts the
        retry policy is raised; the run goes on, and waiting may be started again.
        """
        polls = PollClock(poll_s, timeout_s, self._clock)
        call = call_run(run_id)
        while True:
            run = self._exchange(call)
            if polls.is_news(run) and on_status is not None:
                on_status(run)
            if run.is_final:
                return run
            self._sleep(polls.compute_wait(run))

    def upload_recording(
        self,
        upload_url: str,
        recording: RecordingInput,
        *,
        content_type: str | None = None,
        content_length: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Send a recording to the pre-signed URL of a run, without the API key.

        `recording` is bytes, a path, or a binary stream, which is read from its present position and left open. It
        is sent in pieces with its length declared, again from the start on a retry. A stream that cannot seek is
        spooled first, or, when `content_length` is given, sent straight and never again. The media type is told by
        the first bytes, else by the file's name. `progress` gets the bytes handed over so far (0 at the start of
        every attempt) and their total.

        Raises `UploadRefusedError` when the URL has expired (1 h), is wrong or was used already.
        """
        url = parse_upload_url(upload_url)
        with RecordingSource.open(recording, content_type=content_type, content_length=content_length) as source:
            attempt = _UploadAttempt(self._http, self._wire, Upload(url, source), progress)
            if source.repeatable:
                self._retry.run("PUT", attempt.send)
            else:
                attempt.send()

    def _exchange(self, call: Call[AnswerT]) -> AnswerT:
        return self._retry.run(call.method, partial(self._send, call))

    def _send(self, call: Call[AnswerT]) -> AnswerT:
        failure: ThymiaError | None = None
        try:
            response = _receive(self._http, self._http.build_request(**self._wire.get_call_arguments(call)))
        except HTTPX_ERRORS as error:
            failure = self._wire.name_failure(call.label, error)
        if failure is not None:
            raise failure
        return self._wire.read_answer(call, response)


def _receive(http: httpx.Client, request: httpx.Request) -> httpx.Response:
    response = http.send(request, stream=True)
    buffer = AnswerBuffer(response)
    try:
        for piece in response.iter_bytes():
            if not buffer.take(piece):
                break
    finally:
        response.close()
    return buffer.close()


class _UploadAttempt:
    """Sends one recording, and remembers between attempts whether an earlier one may have arrived."""

    def __init__(self, http: httpx.Client, wire: Wire, upload: Upload, progress: Progress | None) -> None:
        self._http = http
        self._wire = wire
        self._upload = upload
        self._progress = progress
        self._may_have_arrived = False

    def send(self) -> None:
        failure: ThymiaError | None = None
        arguments = self._wire.get_upload_arguments(self._upload)
        try:
            response = _receive(self._http, self._http.build_request(content=self._iterate(), **arguments))
        except HTTPX_ERRORS as error:
            failure = self._wire.name_failure(self._upload.label, error, upload=self._upload)
        if failure is not None:
            if isinstance(failure, ConnectionFailedError) and failure.sent is not False:
                self._may_have_arrived = True
            raise failure
        try:
            self._wire.check_upload(self._upload, response, may_have_arrived=self._may_have_arrived)
        except UploadError as error:
            self._may_have_arrived = self._may_have_arrived or error.status >= httpx.codes.INTERNAL_SERVER_ERROR
            raise

    def _iterate(self) -> Iterator[bytes]:
        source, sent = self._upload.source, 0
        source.rewind()
        self._report(sent)
        while sent < source.size:
            piece = source.read(sent)
            yield piece
            sent += len(piece)
            self._report(sent)

    def _report(self, sent: int) -> None:
        if self._progress is not None:
            self._progress(sent, self._upload.source.size)
