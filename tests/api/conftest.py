"""Both clients behind one face, so that every test of behaviour holds for each; and a real local HTTP server."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
import stamina

from thymia_api import AsyncThymiaClient, ThymiaClient

API_KEY = "sk-Very+Secret/Key_0123456789"


@pytest.fixture(autouse=True)
def _no_waits() -> Iterator[None]:
    """Retries happen, and never sleep."""
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


@pytest.fixture
def api_key() -> str:
    return API_KEY


class Driver:
    """Calls a client's methods by name and returns their results, whichever kind it is."""

    def __init__(self, client: ThymiaClient | AsyncThymiaClient, runner: asyncio.Runner) -> None:
        self.client = client
        self._runner = runner

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.client, name)

        def call(*args: Any, **options: Any) -> Any:
            if isinstance(self.client, ThymiaClient):
                return method(*args, **options)
            return self._runner.run(method(*args, **options))

        return call


@pytest.fixture(params=["blocking", "asynchronous"])
def make_client(request: pytest.FixtureRequest) -> Iterator[Callable[..., Driver]]:
    """Return a factory: `make_client(handler_or_None, **options)`; the handler serves httpx.MockTransport."""
    made: list[Driver] = []
    with asyncio.Runner() as runner:

        def make(handler: Callable[[httpx.Request], httpx.Response] | None = None, **options: Any) -> Driver:
            if handler is not None:
                options["transport"] = httpx.MockTransport(handler)
            options.setdefault("api_key", API_KEY)
            if request.param == "blocking":
                made.append(Driver(ThymiaClient(**options), runner))
            else:
                made.append(Driver(AsyncThymiaClient(**options), runner))
            return made[-1]

        yield make
        for driver in made:
            if isinstance(driver.client, ThymiaClient):
                driver.client.close()
            else:
                runner.run(driver.client.aclose())


@dataclass
class Received:
    """One request as the server saw it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class LocalServer:
    """A real server on loopback: answers in turn (status, headers, body); the last answer stays."""

    url: str
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)

    def take_answer(self) -> tuple[int, dict[str, str], bytes]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def make_server() -> Iterator[Callable[..., LocalServer]]:
    """Return a factory of servers: `make_server((status, headers, body), …)`."""
    running: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def make(*answers: tuple[int, dict[str, str], bytes]) -> LocalServer:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 10

            def _serve(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(int(headers.get("content-length", 0)))
                local.received.append(Received(self.command, self.path, headers, body))
                status, extra, answer = local.take_answer()
                self.send_response(status)
                for name, value in {"content-length": str(len(answer)), **extra}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_PUT = do_POST = _serve  # noqa: N815

            def handle(self) -> None:
                # A client that gives up closes its side; that is not the server's failure.
                with contextlib.suppress(ConnectionError):
                    super().handle()

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        local = LocalServer(f"http://127.0.0.1:{server.server_port}", list(answers))
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        running.append((server, thread))
        return local

    yield make
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()
