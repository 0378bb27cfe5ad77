"""The process: the pages, the worker's life and, in the sandbox workspace, the sandbox API. Draws nothing."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Mount, Route

from heliograph.audio import capture, discard_empty_takes
from heliograph.config import SettingError
from heliograph.runs import Worker
from heliograph.store import StoreError, adopt_orphans
from heliograph.ui import webrtc
from heliograph.ui.headers import SecurityHeaders
from heliograph.ui.workspace import SANDBOX_PATH, close_workspace, get_workspace

STOP_TIMEOUT_S = 5.0

try:
    workspace = get_workspace()
except (SettingError, StoreError) as error:
    raise SystemExit(f"heliograph: {error}") from None


def sandbox_route() -> BaseRoute:
    """The sandbox API, or in any other workspace a plain 404 instead of Streamlit's own page."""
    if not workspace.settings.embedded_sandbox:
        return Route(SANDBOX_PATH + "/{path:path}", lambda request: PlainTextResponse("Not Found", 404))
    from thymia_api.sandbox import SandboxSettings, create_app

    settings = SandboxSettings(api_key=workspace.sandbox_key, state_dir=workspace.store.folder / "sandbox")
    return Mount(SANDBOX_PATH, app=create_app(settings))


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Run the worker beside the server; on the way out keep what is being recorded, then stop the worker."""
    webrtc.prepare()
    await asyncio.to_thread(adopt_orphans, workspace.store)
    await asyncio.to_thread(discard_empty_takes, workspace.store.spool_folder)
    stop = asyncio.Event()
    worker = Worker(workspace.store, make_client=workspace.make_async_client)
    workspace.wake_worker = worker.wake
    task = asyncio.create_task(worker.run(stop))
    gc.collect()
    gc.freeze()  # Streamlit collects garbage after every rerun; what is imported by now need not be looked at.
    try:
        yield
    finally:
        await asyncio.to_thread(capture.flush_all)
        stop.set()
        await asyncio.wait({task}, timeout=STOP_TIMEOUT_S)
        close_workspace()


app = st.App(
    "pages/_navigation.py",
    lifespan=lifespan,
    routes=[sandbox_route()],
    middleware=[Middleware(SecurityHeaders)],
)
