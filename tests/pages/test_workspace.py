"""The workspace's way to its API: the embedded sandbox is found wherever this server listens."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from heliograph.ui import workspace as module
from heliograph.ui.workspace import OwnServerTransport, find_own_host, find_sandbox_path


@pytest.mark.parametrize("port", [8501, 8502, 80])
def test_an_upload_address_of_a_server_that_died_leads_to_this_one_with_its_signature(port: int) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    async def send() -> None:
        transport = OwnServerTransport(f"http://127.0.0.1:{port}/sandbox", httpx.MockTransport(answer))
        async with httpx.AsyncClient(transport=transport) as client:
            await client.put("http://127.0.0.1:9999/sandbox/recordings/a%2Fb?sig=x%2By", content=b"sound")

    asyncio.run(send())
    authority = "127.0.0.1" if port == 80 else f"127.0.0.1:{port}"
    assert [str(request.url) for request in seen] == [f"http://{authority}/sandbox/recordings/a%2Fb?sig=x%2By"]
    assert [request.headers["host"] for request in seen] == [authority]
    assert [request.content for request in seen] == [b"sound"]


@pytest.mark.parametrize(
    ("address", "host"),
    [
        (None, "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("::", "127.0.0.1"),
        ("10.0.0.7", "10.0.0.7"),
        ("::1", "[::1]"),
    ],
)
def test_the_embedded_sandbox_is_asked_at_the_address_the_server_listens_on(
    address: str | None, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.streamlit_config, "get_option", lambda name: address)
    assert find_own_host() == host


@pytest.mark.parametrize(
    ("base", "path"),
    [("", "/sandbox"), (None, "/sandbox"), ("voice", "/voice/sandbox"), ("/a/b/", "/a/b/sandbox")],
)
def test_the_embedded_sandbox_lies_under_the_servers_base_path(
    base: str | None, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.streamlit_config, "get_option", lambda name: base)
    assert find_sandbox_path() == path
