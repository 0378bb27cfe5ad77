"""uvicorn with a way to drop the connection of a request, for `python -m thymia_api.sandbox`.

uvicorn gives an app no means to close its connection without an answer. `H11Protocol` is not documented as
an extension point, so this is the one file that subclasses it: it wraps the app per connection and puts a
function into `scope["extensions"]`.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from thymia_api.sandbox.faults import CUT_EXTENSION

# Linger switched on for 0 s: closing sends a reset.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class CuttableProtocol(H11Protocol):
    """HTTP/1.1 of uvicorn whose requests can drop their connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wrap the app for this connection."""
        super().connection_made(transport)
        self.app: Any = _with_cut(self.app, transport)


def _with_cut(app: ASGIApp, transport: asyncio.Transport) -> ASGIApp:
    def cut(reset: bool) -> None:
        if reset:
            connection: socket.socket = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            transport.abort()
        else:
            transport.close()

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "extensions": {**(scope.get("extensions") or {}), CUT_EXTENSION: cut}}
        await app(scope, receive, send)
        if transport.is_closing():
            # uvicorn learns of the loss in the loop's next turns; until then it would miss an answer.
            for _ in range(3):
                await asyncio.sleep(0)

    return call
