"""Where the lossless recorder sends its pieces: `/capture`, beside Streamlit, which neither guards nor sees it.

    GET  /capture/worklet.js              the recorder's code for the audio thread
    PUT  /capture/takes/{take}            begin, and again with more facts: JSON; the answer is what has arrived
    PUT  /capture/takes/{take}/{number}   one piece: the samples themselves
    POST /capture/takes/{take}/finish     the end: number of pieces, samples and their hash, as JSON

Each request but the first comes from a page of ours and carries a permit for that one take in its header
`X-Capture-Permit` (Authorization is left to a proxy that asks for a password); nothing that was recorded can be
read here. Sizes are bounded while a body arrives, and whoever is refused often has to wait. Each refusal says its
`reason` as JSON, which tells it from a refusal by a proxy.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from heliograph.audio import SpoolError
from heliograph.audio.chunk_registry import open_chunk_take
from heliograph.audio.chunk_take import MAX_CHUNK_BYTES, ChunkError, ChunkProblem, ChunkState, Ending
from heliograph.audio.permits import Permit, PermitError, PermitProblem, check_permit
from heliograph.audio.take_facts import TakeEnd

__all__ = ["make_capture_app"]

MAX_JSON_BYTES = 16_384
BODY_TIMEOUT_S = 30.0
# A recorder sends one piece a second, and after an outage all that waited: a burst, then a trickle.
TAKE_BURST, TAKE_PER_S = 300.0, 10.0
REFUSED_BURST, REFUSED_PER_S = 30.0, 0.5
LOGGED_EVERY_S = 60.0
_LOGGED_CHARS = 100
_MAX_BUCKETS = 2_000
_WORKLET = Path(__file__).parents[1] / "ui" / "lossless" / "worklet.js"
_ENDS = {end.value: end for end in (TakeEnd.STOPPED, TakeEnd.FULL_LENGTH, TakeEnd.ABANDONED)}
_STATUS = {
    ChunkProblem.BAD_REQUEST: 400,
    ChunkProblem.TOO_LARGE: 413,
    ChunkProblem.TOO_MANY: 413,
    ChunkProblem.DAMAGED: 422,
    ChunkProblem.SETTLED: 410,
    ChunkProblem.BEING_KEPT: 503,
}
_NUMBER = re.compile(r"[0-9]{1,9}")
_USUAL_PORT = re.compile(r":(80|443)$")
_LOGGER = logging.getLogger("heliograph.capture")

Handle = Callable[[Request], Awaitable[Response]]


class _RefusedError(Exception):
    """The answer to a request that goes no further."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class _Buckets:
    """Token buckets by name, the oldest forgotten first; used on the event loop only."""

    def __init__(self, burst: float, per_s: float, clock: Callable[[], float]) -> None:
        self._burst, self._per_s, self._clock = burst, per_s, clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str) -> bool:
        """Whether there is one more; asking in vain costs nothing, and a clock that is set back empties none."""
        now = self._clock()
        level, since = self._levels.pop(name, (self._burst, now))
        level = min(self._burst, level + max(0.0, now - since) * self._per_s)
        is_there = level >= 1
        self._levels[name] = (level - is_there, now)
        if len(self._levels) > _MAX_BUCKETS:
            self._levels.popitem(last=False)
        return is_there


class CaptureService:
    """The handlers; `load_key` gives the key that permits are signed with."""

    def __init__(
        self,
        spool_folder: Path,
        load_key: Callable[[], bytes],
        *,
        clock: Callable[[], float] = time.time,
        body_timeout_s: float = BODY_TIMEOUT_S,
    ) -> None:
        self._spool_folder = spool_folder
        self._load_key = load_key
        self._key: bytes | None = None
        self._clock = clock
        self._body_timeout_s = body_timeout_s
        self._by_take = _Buckets(TAKE_BURST, TAKE_PER_S, clock)
        self._by_address = _Buckets(REFUSED_BURST, REFUSED_PER_S, clock)
        self._logged = _Buckets(1.0, 1.0 / LOGGED_EVERY_S, clock)

    async def begin(self, request: Request) -> Response:
        permit = self._admit(request)
        said = await self._read_json(request)
        try:
            rate_hz, facts = _as_int(said.get("rate_hz")), _as_object(said.get("facts", {}))
            lost, skipped = (_as_int(said.get(name, 0)) for name in ("lost_samples", "skipped_samples"))
        except TypeError:
            raise _RefusedError(400, "bad_request") from None

        def work() -> ChunkState:
            take = open_chunk_take(self._spool_folder, permit.take)
            return take.begin(
                rate_hz=rate_hz,
                participant_note=permit.participant_note,
                facts=facts,
                lost_samples=lost,
                skipped_samples=skipped,
            )

        return _answer(await run_in_threadpool(work))

    async def put(self, request: Request) -> Response:
        permit = self._admit(request)
        number = request.path_params["number"]
        if not _NUMBER.fullmatch(number):
            raise _RefusedError(404, "bad_request")
        bits = {"audio/l16": 16, "audio/l24": 24}.get(request.headers.get("content-type", "").lower())
        if bits is None:
            raise _RefusedError(415, "bad_request")
        data = await self._read_body(request, MAX_CHUNK_BYTES)
        sha256 = request.headers.get("x-chunk-sha256", "")

        def work() -> bool:
            take = open_chunk_take(self._spool_folder, permit.take)
            return take.put(int(number), data, bits=bits, sha256=sha256)

        is_new = await run_in_threadpool(work)
        return JSONResponse({"chunk": int(number)}, 201 if is_new else 200)

    async def finish(self, request: Request) -> Response:
        permit = self._admit(request)
        said = await self._read_json(request)
        try:
            ending = Ending(
                chunks=_as_int(said["chunks"]),
                samples=_as_int(said["samples"]),
                whole_sha256=str(said["sha256"]),
                end=_ENDS[said.get("end", TakeEnd.STOPPED.value)],
                wall_clock_s=float(said.get("wall_clock_s", 0.0)),
                lost_samples=_as_int(said.get("lost_samples", 0)),
                skipped_samples=_as_int(said.get("skipped_samples", 0)),
                facts=_as_object(said.get("facts", {})),
            )
        except (KeyError, ValueError, TypeError, OverflowError):
            raise _RefusedError(400, "bad_request") from None

        def work() -> ChunkState:
            take = open_chunk_take(self._spool_folder, permit.take)
            take.finish(ending)
            return take.state()

        return _answer(await run_in_threadpool(work))

    def guarded(self, handle: Handle) -> Handle:
        """The same handler, every refusal of which is a short JSON answer."""

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except _RefusedError as refused:
                headers = {"Connection": "close"} if refused.status in (408, 413) else {}
                return _say(refused.status, refused.reason, headers=headers)
            except ChunkError as error:
                return _say(_STATUS.get(error.reason, 409), error.reason, missing=list(error.missing))
            except SpoolError as error:
                _LOGGER.error("a piece of a recording could not be stored: %s", error)
                return _say(507, str(error.kind))
            except ClientDisconnect:
                return _say(400, "bad_request")

        return answer

    def _admit(self, request: Request) -> Permit:
        """The permit of a request of ours; refused before any of its body is read."""
        now_s = self._clock()
        try:
            if not _is_same_site(request):
                raise _RefusedError(403, "other_site")
            text = request.headers.get("x-capture-permit", "")
            if not text:
                raise _RefusedError(401, "no_permit")
            if self._key is None:
                self._key = self._load_key()
            permit = check_permit(self._key, text, take=request.path_params["take"], now_s=now_s)
        except (PermitError, _RefusedError) as error:
            if isinstance(error, PermitError) and error.reason is PermitProblem.EXPIRED:
                raise _RefusedError(401, "expired") from None  # Ours: it needs a new one, not to wait.
            address = request.client.host if request.client else ""
            if not self._by_address.take(address):
                raise _RefusedError(429, "too_often") from None
            if isinstance(error, PermitError):
                raise _RefusedError(401, str(error.reason)) from None
            if error.status == 403:
                self._log_other_site(request)
            raise
        if not self._by_take.take(permit.take):
            raise _RefusedError(429, "too_often")
        return permit

    def _log_other_site(self, request: Request) -> None:
        """For whoever set up the proxy: what the browser calls this server, and what the proxy calls it."""
        origin = request.headers.get("origin", "")[:_LOGGED_CHARS]
        if self._logged.take(origin):
            told = ", ".join(_told_hosts(request))[:_LOGGED_CHARS]
            _LOGGER.warning(
                "refused a recorder's request from a page of %r: this server is known as %r", origin, told
            )

    async def _read_body(self, request: Request, limit: int) -> bytes:
        stated = request.headers.get("content-length", "0")
        if not _NUMBER.fullmatch(stated) or int(stated) > limit:
            raise _RefusedError(413, "too_large")
        body = bytearray()
        try:
            async with asyncio.timeout(self._body_timeout_s):
                async for part in request.stream():
                    body += part
                    if len(body) > limit:
                        raise _RefusedError(413, "too_large")
        except TimeoutError:
            raise _RefusedError(408, "too_slow") from None
        return bytes(body)

    async def _read_json(self, request: Request) -> dict[str, Any]:
        try:
            said = json.loads(await self._read_body(request, MAX_JSON_BYTES))
        except (ValueError, RecursionError):
            raise _RefusedError(400, "bad_request") from None
        if not isinstance(said, dict):
            raise _RefusedError(400, "bad_request")
        return said


def make_capture_app(
    spool_folder: Path,
    load_key: Callable[[], bytes],
    *,
    clock: Callable[[], float] = time.time,
    body_timeout_s: float = BODY_TIMEOUT_S,
) -> Starlette:
    """The ASGI app to be mounted at `/capture`; whatever else is asked for there is a plain 404."""
    service = CaptureService(spool_folder, load_key, clock=clock, body_timeout_s=body_timeout_s)

    def route(path: str, handle: Handle, method: str) -> Route:
        return Route(path, service.guarded(handle), methods=[method])

    return Starlette(
        routes=[
            Route("/worklet.js", _send_worklet, methods=["GET"]),
            route("/takes/{take}/finish", service.finish, "POST"),
            route("/takes/{take}/{number}", service.put, "PUT"),
            route("/takes/{take}", service.begin, "PUT"),
            Route("/{path:path}", _say_not_found, methods=["GET", "PUT", "POST"]),
        ]
    )


async def _send_worklet(_request: Request) -> Response:
    text = await run_in_threadpool(_WORKLET.read_text, "utf-8")
    return Response(text, media_type="text/javascript", headers={"Cache-Control": "no-cache"})


async def _say_not_found(_request: Request) -> Response:
    return PlainTextResponse("Not Found", 404)


def _is_same_site(request: Request) -> bool:
    """Whether a page of ours asks: there must be an Origin, and it must fit this host.

    Proxies may have changed the Host, and each may add to the header in which they tell so; a page of another site
    can't set that one. Origins leave out the port that is usual, some proxies don't.
    """
    own = {_normalise_host(host) for line in _told_hosts(request) for host in line.split(",")}
    try:
        host = urlsplit(request.headers.get("origin", "")).netloc
    except ValueError:
        return False
    return _normalise_host(host) in own - {""}


def _told_hosts(request: Request) -> list[str]:
    return [request.headers.get("host", ""), *request.headers.getlist("x-forwarded-host")]


def _normalise_host(host: str) -> str:
    return _USUAL_PORT.sub("", host.strip().lower())


def _as_int(value: object) -> int:
    if type(value) is not int:
        raise TypeError(f"not a whole number: {value!r}")
    return value


def _as_object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"not an object: {value!r}")
    return value


def _answer(state: ChunkState) -> Response:
    return _with_no_store(JSONResponse({"chunks": state.chunks, "missing": list(state.missing)}))


def _say(
    status: int, reason: str, *, missing: list[int] | None = None, headers: dict[str, str] | None = None
) -> Response:
    said: dict[str, object] = {"reason": str(reason)}
    if missing:
        said["missing"] = missing
    return _with_no_store(JSONResponse(said, status, headers=headers))


def _with_no_store(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
