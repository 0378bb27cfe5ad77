"""The asynchronous client: the same methods as the blocking one, to be awaited, for asyncio.

Reading a recording from disk happens in threads; callbacks are called on the event loop and must be quick.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
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
from thymia_api._transports import ApiKey, AsyncEnvironmentTransport, AsyncGuardedTransport
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

__all__ = ["AsyncThymiaClient"]

AnswerT = TypeVar("AnswerT", bound=ResponseModel)


class AsyncThymiaClient:
    """Speaks to thymia's REST API on one event loop. Close it, or use it as an asynchronous context manager.

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
        transport: httpx.AsyncBaseTransport | None = None,
        retry: RetryPolicy | None = None,
        timeout: float | httpx.Timeout | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        key = ApiKey(api_key)
        del api_key
        self._wire = Wire(key, region, base_url, timeout)
        self._retry = RetryPolicy() if retry is None else retry
        self._sleep = sleep
        self._clock = clock
        inner = AsyncEnvironmentTransport() if transport is None else transport
        self._http = httpx.AsyncClient(
            transport=AsyncGuardedTransport(inner, self._wire.guard), **self._wire.client_options
        )

    def __repr__(self) -> str:
        wire = getattr(self, "_wire", None)
        return f"<{type(self).__name__} of {wire.base_url if wire else 'no address'}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client holds an API key and cannot be pickled or copied")

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._http.__aexit__(exc_type, exc_value, traceback)

    async def aclose(self) -> None:
        """Close the connections; the client cannot be used afterwards."""
        await self._http.aclose()

    @property
    def base_url(self) -> str:
        """The address of the API."""
        return str(self._wire.base_url)

    async def get_account(self) -> Account:
        """Fetch the account behind the key: the cheapest check of a key (`AuthenticationError` if it is bad)."""
        return await self._exchange(call_account())

    async def create_upload_run(self, request: UploadRunCreate) -> UploadRunCreated:
        """Create a run for a recording of one's own. Keep its id: a run can only be found again by that."""
        return await self._exchange(call_upload_run(request))

    async def create_activity_run(self, request: ActivityRunCreate) -> ActivityRunCreated:
        """Create a run whose recording a hosted activity captures. Keep its id: there is no list of runs."""
        return await self._exchange(call_activity_run(request))

    async def get_run(self, run_id: str | UUID) -> ModelRun:
        """Fetch a run of either kind; `NotFoundError` for an unknown one and for one whose data was deleted."""
        return await self._exchange(call_run(run_id))

    async def wait_for_run(
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
            run = await self._exchange(call)
            if polls.is_news(run) and on_status is not None:
                on_status(run)
            if run.is_final:
                return run
            await self._sleep(polls.compute_wait(run))

    async def upload_recording(
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
        with await _open_source(recording, content_type=content_type, content_length=content_length) as source:
            attempt = _UploadAttempt(self._http, self._wire, Upload(url, source), progress)
            if source.repeatable:
                await self._retry.run_async("PUT", attempt.send)
            else:
                await attempt.send()

    async def _exchange(self, call: Call[AnswerT]) -> AnswerT:
        return await self._retry.run_async(call.method, partial(self._send, call))

    async def _send(self, call: Call[AnswerT]) -> AnswerT:
        failure: ThymiaError | None = None
        try:
            request = self._http.build_request(**self._wire.get_call_arguments(call))
            response = await _receive(self._http, request)
        except HTTPX_ERRORS as error:
            failure = self._wire.name_failure(call.label, error)
        if failure is not None:
            raise failure
        return self._wire.read_answer(call, response)


async def _receive(http: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    response = await http.send(request, stream=True)
    buffer = AnswerBuffer(response)
    try:
        async for piece in response.aiter_bytes():
            if not buffer.take(piece):
                break
    finally:
        await response.aclose()
    return buffer.close()


async def _open_source(
    recording: RecordingInput, *, content_type: str | None, content_length: int | None
) -> RecordingSource:
    """Open it in a thread; when this is cancelled meanwhile, close what the thread is still going to open."""
    opening = asyncio.ensure_future(
        asyncio.to_thread(
            RecordingSource.open, recording, content_type=content_type, content_length=content_length
        )
    )
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_opened)
        raise


def _close_opened(opening: asyncio.Future[RecordingSource]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


class _UploadAttempt:
    """Sends one recording, and remembers between attempts whether an earlier one may have arrived."""

    def __init__(self, http: httpx.AsyncClient, wire: Wire, upload: Upload, progress: Progress | None) -> None:
        self._http = http
        self._wire = wire
        self._upload = upload
        self._progress = progress
        self._may_have_arrived = False

    async def send(self) -> None:
        failure: ThymiaError | None = None
        arguments = self._wire.get_upload_arguments(self._upload)
        try:
            request = self._http.build_request(content=self._iterate(), **arguments)
            response = await _receive(self._http, request)
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

    async def _iterate(self) -> AsyncIterator[bytes]:
        source, sent = self._upload.source, 0
        await asyncio.to_thread(source.rewind)
        self._report(sent)
        while sent < source.size:
            piece = await asyncio.to_thread(source.read, sent)
            yield piece
            sent += len(piece)
            self._report(sent)

    def _report(self, sent: int) -> None:
        if self._progress is not None:
            self._progress(sent, self._upload.source.size)
