"""Faults put between a caller and the sandbox, as pure ASGI middleware, and the mark on every answer.

What happens to the n-th request is drawn from the seed and n, so that a run of requests sees the same faults
each time. A cut is a real one under `python -m thymia_api.sandbox`: the server's protocol puts a function
that drops the connection into the request's scope (see `_server`). Under another server the sandbox can only
break off an answer: the head arrives, the body does not.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from thymia_api.sandbox.execution import Execution
from thymia_api.sandbox.settings import FaultKind, SandboxSettings

MARK = ("x-thymia-sandbox", "synthetic-scores")
"""Header of every answer of a sandbox."""
CUT_EXTENSION = "thymia_api.sandbox.cut"
"""Key in `scope["extensions"]`: a function of one bool (reset instead of close) that drops the connection."""

_EXEMPT_PREFIXES = ("/activity/", "/_sandbox/")
_UPLOAD_PREFIX = "/recordings/"
_REFUSALS = {FaultKind.RATE_LIMIT: 429, FaultKind.HTTP_500: 500, FaultKind.HTTP_503: 503}
_WITH_RETRY_AFTER = {FaultKind.RATE_LIMIT, FaultKind.HTTP_503}
_RETRY_AFTER_S = 1
_ONLY_UPLOADS = {FaultKind.UPLOAD_CUT}
_ONLY_JSON = {FaultKind.CUT_ANSWER, FaultKind.TRUNCATED_JSON}


def _route_path(scope: Scope) -> str:
    path: str = scope["path"]
    root_path: str = scope.get("root_path", "")
    return path[len(root_path) :] if root_path and path.startswith(f"{root_path}/") else path


class MarkMiddleware:
    """Marks every answer as the sandbox's, and makes sure that the background threads are there."""

    def __init__(self, app: ASGIApp, execution: Execution) -> None:
        self._app = app
        self._execution = execution

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._execution.wake(work=False)

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[MARK[0]] = MARK[1]
            await send(message)

        await self._app(scope, receive, send_marked)


class FaultMiddleware:
    """Does to some requests what networks and servers do; never to the activity page."""

    def __init__(self, app: ASGIApp, settings: SandboxSettings) -> None:
        self._app = app
        self._settings = settings
        self._numbers = itertools.count()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or make it fail in the way that was drawn for it."""
        fault, source = self._draw(scope)
        if fault is None:
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(self._app, scope, receive, send, source)
        if fault in _REFUSALS:
            await exchange.refuse(_REFUSALS[fault], with_retry_after=fault in _WITH_RETRY_AFTER)
        elif fault is FaultKind.HTTP_502:
            await exchange.act()
            await exchange.refuse(502)
        elif fault is FaultKind.SLOW:
            await exchange.act()
            await asyncio.sleep(self._settings.slow_seconds)
            await exchange.answer()
        elif fault is FaultKind.CUT_BEFORE:
            await exchange.cut()
        elif fault is FaultKind.CUT_DURING:
            await exchange.act(cut_when_received=True)
        elif fault is FaultKind.CUT_AFTER:
            await exchange.act()
            await exchange.cut()
        elif fault is FaultKind.UPLOAD_CUT:
            await exchange.act(cut_at_share=source.uniform(0.1, 0.9))
        else:
            await exchange.act()
            await exchange.answer_half(announce_all=fault is FaultKind.CUT_ANSWER)

    def _draw(self, scope: Scope) -> tuple[FaultKind | None, random.Random]:
        source = random.Random()
        if scope["type"] != "http" or not self._settings.fault_rate:
            return None, source
        path = _route_path(scope)
        if path.startswith(_EXEMPT_PREFIXES):
            return None, source
        source.seed(f"{self._settings.fault_seed}:{next(self._numbers)}")
        impossible = _ONLY_JSON if path.startswith(_UPLOAD_PREFIX) else _ONLY_UPLOADS
        kinds = sorted(self._settings.fault_kinds - impossible - {FaultKind.RUN_ERROR})
        is_hit = source.random() < self._settings.fault_rate
        return (source.choice(kinds) if is_hit and kinds else None), source


class _Exchange:
    """One request and its answer, which is held back so that it can be lost."""

    def __init__(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, source: random.Random) -> None:
        self._app = app
        self._scope = scope
        self._receive = receive
        self._send = send
        self._source = source
        self._start: Message = {}
        self._body = b""
        self._is_cut = False

    async def act(self, *, cut_when_received: bool = False, cut_at_share: float | None = None) -> None:
        """Let the server carry the request out; the answer is kept. The connection may go meanwhile."""
        length = int(Headers(scope=self._scope).get("content-length", "0"))
        left = None if cut_at_share is None else int(length * cut_at_share)
        has_body = length > 0

        async def receive() -> Message:
            nonlocal left
            if self._is_cut and left is not None:
                return {"type": "http.disconnect"}
            message = await self._receive()
            if left is not None and message["type"] == "http.request":
                body = message.get("body", b"")
                if len(body) >= left or not message.get("more_body", False):
                    await self.cut()
                    return {"type": "http.request", "body": body[:left], "more_body": True}
                left -= len(body)
            elif cut_when_received and not message.get("more_body", False):
                await self.cut()
            return message

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._start = message
            elif message["type"] == "http.response.body":
                self._body += message.get("body", b"")

        if cut_when_received and not has_body:
            await self.cut()
        await self._app(self._scope, receive, send)
        if cut_when_received and not self._is_cut:
            await self.cut()

    async def refuse(self, status: int, *, with_retry_after: bool = False) -> None:
        """Answer with an error of the sandbox's making, after the request has been read."""
        more = not self._start
        while more:
            message = await self._receive()
            more = message["type"] == "http.request" and message.get("more_body", False)
        headers = {"retry-after": str(_RETRY_AFTER_S)} if with_retry_after else {}
        answer = JSONResponse({"detail": "Injected by the sandbox"}, status, headers)
        await answer(self._scope, self._receive, self._send)

    async def answer(self) -> None:
        """Send the answer that was kept."""
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": self._body})

    async def answer_half(self, *, announce_all: bool) -> None:
        """Send half of the kept answer: as if it were all, or announcing all and then dropping the line."""
        half = self._body[: len(self._body) // 2]
        headers = MutableHeaders(raw=[(name, value) for name, value in self._start["headers"]])
        headers["content-length"] = str(len(self._body if announce_all else half))
        await self._send({**self._start, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": half, "more_body": announce_all})
        if announce_all:
            self._drop(reset=False)

    async def cut(self) -> None:
        """Drop the connection before a byte of an answer: half of the times closed, half of the times reset."""
        if self._is_cut:
            return
        self._is_cut = True
        if not self._drop(reset=self._source.random() < 0.5):
            # A server that does not let go of its connection: announce a body that never comes.
            headers: list[tuple[bytes, bytes]] = [(b"content-length", b"1")]
            await self._send({"type": "http.response.start", "status": 200, "headers": headers})
            await self._send({"type": "http.response.body", "body": b"", "more_body": True})

    def _drop(self, *, reset: bool) -> bool:
        extensions: dict[str, Any] = self._scope.get("extensions") or {}
        drop = extensions.get(CUT_EXTENSION)
        if drop is not None:
            drop(reset)
        return drop is not None
