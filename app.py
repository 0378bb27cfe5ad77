"""The process: the pages, the worker's life and, in the sandbox workspace, the sandbox API. Draws nothing."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import streamlit as st
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from heliograph.config import SettingError
from heliograph.server.headers import SecurityHeaders
from heliograph.store import StoreError, adopt_orphans
from heliograph.ui.warm_up import warm_up
from heliograph.ui.workspace import close_workspace, find_capture_path, find_sandbox_path, get_workspace

STOP_TIMEOUT_S = 5.0
PREPARE_AFTER_S = 2.0  # By then a browser that was opened with the server has its first page.
_LOGGER = logging.getLogger("heliograph.app")

try:
    workspace = get_workspace()
except (SettingError, StoreError) as error:
    raise SystemExit(f"heliograph: {error}") from None


class Later:
    """An ASGI app that is made at its first request, off the event loop."""

    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        self._make = make
        self._making = asyncio.Lock()
        self.app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._making:
            if self.app is None:
                self.app = await asyncio.to_thread(self._make)
        await self.app(scope, receive, send)


def make_sandbox() -> ASGIApp:
    """The sandbox API, its state beside the workspace's database."""
    from thymia_api.sandbox import SandboxSettings, StateError, create_app

    folder = workspace.store.folder / "sandbox"
    try:
        return create_app(SandboxSettings(api_key=workspace.sandbox_key, state_dir=folder))
    except StateError as error:
        _LOGGER.error("the sandbox can't start: %s; move that folder away, then start again", error)
        return PlainTextResponse("The sandbox can't start; the server's log says why.", 503)


sandbox = Later(make_sandbox)


def sandbox_route() -> BaseRoute:
    """The sandbox, or in any other workspace a plain 404 instead of Streamlit's own page."""
    if workspace.settings.embedded_sandbox:
        return Mount(find_sandbox_path(), app=sandbox)
    return Route(find_sandbox_path() + "/{path:path}", lambda request: PlainTextResponse("Not Found", 404))


def make_capture() -> ASGIApp:
    """Where the lossless recorder sends what it records."""
    from heliograph.audio.permits import load_permit_key
    from heliograph.server.capture_routes import make_capture_app

    store = workspace.store
    return make_capture_app(store.spool_folder, lambda: load_permit_key(store.folder))


def prepare() -> None:
    """What takes a second or two and nobody has to wait for; in a thread of its own."""
    warm_up(workspace.store)
    from heliograph.audio import discard_empty_takes
    from heliograph.ui import webrtc

    webrtc.prepare()
    discard_empty_takes(workspace.store.spool_folder)
    adopt_orphans(workspace.store)
    gc.collect()
    gc.freeze()  # Streamlit collects garbage after every rerun; what is imported by now need not be looked at.


async def work(stop: asyncio.Event) -> None:
    """Prepare, then carry runs out until `stop` is set."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), PREPARE_AFTER_S)
        return
    try:
        await asyncio.to_thread(prepare)
    except Exception:
        _LOGGER.exception("the preparations failed; runs are carried out all the same")
    from heliograph.runs import Worker

    worker = Worker(workspace.store, make_client=workspace.make_async_client)
    workspace.wake_worker = worker.wake
    await worker.run(stop)


def close() -> None:
    """Keep what is being recorded, and end what the sandbox still does."""
    from heliograph.audio import capture

    capture.flush_all()
    if sandbox.app is not None and hasattr(sandbox.app, "state"):
        sandbox.app.state.sandbox.close()


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Run the worker beside the server."""
    stop = asyncio.Event()
    task = asyncio.create_task(work(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(asyncio.to_thread(close), asyncio.wait({task}, timeout=STOP_TIMEOUT_S))
        close_workspace()


app = st.App(
    "pages/_navigation.py",
    lifespan=lifespan,
    routes=[sandbox_route(), Mount(find_capture_path(), app=Later(make_capture))],
    middleware=[Middleware(SecurityHeaders)],
)
