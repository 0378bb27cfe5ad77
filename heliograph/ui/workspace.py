"""The workspace that this process serves: its settings, its store and the way to its API.

There is one per process. `get_workspace` opens it at the first call, so that a page works the same under the
server, which calls it before it starts, and in a test of that page alone.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
from streamlit import config as streamlit_config

from heliograph.config import Settings, load_settings
from heliograph.store import Store
from thymia_api import BASE_URLS, NO_RETRY, AsyncThymiaClient, Region, ThymiaClient

__all__ = [
    "CAPTURE_PATH",
    "SANDBOX_PATH",
    "OwnServerTransport",
    "Workspace",
    "close_workspace",
    "find_capture_path",
    "find_own_host",
    "find_sandbox_path",
    "get_workspace",
]

CAPTURE_PATH = "/capture"
SANDBOX_PATH = "/sandbox"
CHECK_TIMEOUT_S = 10.0


@dataclass
class Workspace:
    """One workspace, open. Threads may share it: the store opens a connection for each use."""

    settings: Settings
    store: Store
    sandbox_key: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    wake_worker: Callable[[], None] = field(default=lambda: None, repr=False)

    @property
    def name(self) -> str:
        return self.settings.workspace

    @property
    def synthetic(self) -> bool:
        return self.settings.synthetic

    @property
    def base_url(self) -> str:
        """Where the API is. The embedded sandbox's address is known once the server's port is."""
        if self.settings.thymia_base_url is not None:
            return str(self.settings.thymia_base_url).rstrip("/")
        if not self.settings.embedded_sandbox:
            return BASE_URLS[Region(self.settings.region)]
        scheme = "https" if streamlit_config.get_option("server.sslCertFile") else "http"
        port = streamlit_config.get_option("server.port")
        return f"{scheme}://{find_own_host()}:{port}{find_sandbox_path()}"

    @property
    def api_key(self) -> str:
        """The secret itself: for a client's constructor, never for a page, a log or the store."""
        if self.settings.embedded_sandbox or self.settings.thymia_api_key is None:
            return self.sandbox_key
        return self.settings.thymia_api_key.get_secret_value()

    def make_client(self) -> ThymiaClient:
        """A client for a question that a page asks while somebody waits for the answer."""
        transport = httpx.HTTPTransport(verify=False) if self.settings.embedded_sandbox else None
        return ThymiaClient(self.api_key, base_url=self.base_url, timeout=CHECK_TIMEOUT_S, transport=transport)

    def make_async_client(self) -> AsyncThymiaClient:
        """The worker's client. It doesn't repeat anything by itself: the worker plans each next step."""
        transport = OwnServerTransport(self.base_url) if self.settings.embedded_sandbox else None
        return AsyncThymiaClient(self.api_key, base_url=self.base_url, retry=NO_RETRY, transport=transport)


class OwnServerTransport(httpx.AsyncBaseTransport):
    """Brings every request to this very server, whatever port it names.

    The embedded sandbox's upload addresses are stored with their runs; a server that takes over from one that
    died, or the same one started on another port, serves the same sandbox at its own address. A certificate of
    this server is made out to the name that visitors use, so it is not checked here, where we talk to ourselves.
    """

    def __init__(self, base_url: str, inner: httpx.AsyncBaseTransport | None = None) -> None:
        self._own = httpx.URL(base_url)
        self._inner = inner or httpx.AsyncHTTPTransport(verify=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        own = self._own
        request.url = request.url.copy_with(scheme=own.scheme, host=own.host, port=own.port)
        request.headers["host"] = request.url.netloc.decode("ascii")
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def find_sandbox_path() -> str:
    """Where the embedded sandbox is mounted."""
    return _find_path(SANDBOX_PATH)


def find_capture_path() -> str:
    """Where the lossless recorder's addresses are mounted."""
    return _find_path(CAPTURE_PATH)


def _find_path(own: str) -> str:
    """Streamlit moves its own addresses under a base path, not ours."""
    path = str(streamlit_config.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{path}{own}" if path else own


def find_own_host() -> str:
    """The host under which this server reaches itself, in brackets where it is an IPv6 address."""
    address = str(streamlit_config.get_option("server.address") or "")
    if address in ("", "0.0.0.0", "::"):  # noqa: S104
        return "127.0.0.1"
    return f"[{address}]" if ":" in address else address


_workspace: Workspace | None = None
_lock = threading.Lock()


def get_workspace() -> Workspace:
    """The process's workspace, opened at the first call; raises `SettingError` or `StoreError`."""
    global _workspace  # noqa: PLW0603 - one per process is the point
    with _lock:
        if _workspace is None:
            settings = load_settings()
            store = Store.open(
                settings.workspace_folder, workspace=settings.workspace, synthetic=settings.synthetic
            )
            _workspace = Workspace(settings=settings, store=store)
        return _workspace


def close_workspace() -> None:
    """Close the store; the next `get_workspace` opens anew, with the settings of that moment."""
    global _workspace  # noqa: PLW0603
    with _lock:
        if _workspace is not None:
            _workspace.store.close()
        _workspace = None
