"""The package's face: what it exports, what importing it loads, and that both clients are alike."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib import import_module, resources
from pathlib import Path
from typing import Any

import httpx
import pytest

import thymia_api
from thymia_api import AsyncThymiaClient, ThymiaClient
from thymia_api._transports import find_proxy

ROOT = Path(__file__).parents[2]
MODULES = [
    f"thymia_api.{path.stem}" for path in sorted((ROOT / "thymia_api").glob("_*.py")) if path.stem != "__init__"
]


def test_the_exports_are_those_of_the_modules_and_nothing_else() -> None:
    declared = {name for module in MODULES for name in getattr(import_module(module), "__all__", ())}
    assert set(thymia_api.__all__) == declared
    assert len(thymia_api.__all__) == len(set(thymia_api.__all__))
    assert all(hasattr(thymia_api, name) for name in thymia_api.__all__)
    public = {name for name, value in vars(thymia_api).items() if not name.startswith("_")}
    assert {name for name in public if not inspect.ismodule(getattr(thymia_api, name))} == set(thymia_api.__all__)


def test_the_package_is_marked_as_typed() -> None:
    assert resources.files("thymia_api").joinpath("py.typed").is_file()


def test_importing_it_loads_httpx_pydantic_stamina_and_the_standard_library_only() -> None:
    program = (
        "import sys, json; before = set(sys.modules); import thymia_api; "
        "print(json.dumps(sorted({name.split('.')[0] for name in set(sys.modules) - before})))"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(json.loads(done.stdout)) - set(sys.stdlib_module_names)
    loaded = {name for name in loaded if not name.startswith(("__", "_sysconfigdata"))}
    # The second line is what the three libraries themselves load.
    allowed = {"thymia_api", "httpx", "pydantic", "stamina"}
    allowed |= {"httpcore", "h11", "certifi", "idna", "anyio", "sniffio", "click", "rich", "pygments"}
    allowed |= {"pydantic_core", "annotated_types", "typing_extensions", "typing_inspection", "tenacity"}
    assert {"thymia_api", "httpx", "pydantic", "stamina"} <= loaded
    assert loaded <= allowed


def test_both_clients_have_the_same_methods_with_the_same_parameters() -> None:
    def describe(kind: type[Any]) -> dict[str, list[tuple[str, Any, Any]]]:
        return {
            name: [
                (parameter.name, parameter.kind, parameter.default)
                for parameter in inspect.signature(method).parameters.values()
            ]
            for name, method in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_") and name not in ("close", "aclose")
        }

    assert describe(ThymiaClient) == describe(AsyncThymiaClient)
    assert len(describe(ThymiaClient)) == 6
    blocking, asynchronous = (inspect.signature(kind).parameters for kind in (ThymiaClient, AsyncThymiaClient))
    assert list(blocking) == list(asynchronous)


def test_public_functions_say_what_they_do() -> None:
    silent = [
        f"{kind.__name__}.{name}"
        for kind in (ThymiaClient, AsyncThymiaClient)
        for name, method in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_") and not method.__doc__
    ]
    silent += [
        name
        for name in thymia_api.__all__
        if inspect.isclass(kind := getattr(thymia_api, name)) and not kind.__doc__
    ]
    assert silent == []


class _Closable(httpx.MockTransport):
    is_closed = False

    def close(self) -> None:
        self.is_closed = True

    async def aclose(self) -> None:
        self.is_closed = True


def test_a_client_closes_its_transport_when_its_block_ends() -> None:
    import asyncio

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"id": "a", "features": []})

    transport = _Closable(answer)
    with ThymiaClient("k", transport=transport) as client:
        assert client.get_account().id == "a"
        assert not transport.is_closed
    assert transport.is_closed

    async def use(transport: _Closable) -> None:
        async with AsyncThymiaClient("k", transport=transport) as client:
            assert (await client.get_account()).id == "a"
            assert not transport.is_closed

    transport = _Closable(answer)
    asyncio.run(use(transport))
    assert transport.is_closed


def test_threads_may_share_a_client(make_server: Callable[..., Any]) -> None:
    server = make_server((200, {}, b'{"id": "a", "features": []}'))
    ids: list[str] = []
    with ThymiaClient("k", base_url=server.url) as client:
        threads = [
            threading.Thread(target=lambda: ids.extend(client.get_account().id for _ in range(20)))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert ids == ["a"] * 160


@pytest.fixture
def proxy_free(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No proxy setting of the machine that runs the tests."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


def test_the_proxy_of_the_environment_is_used_unless_the_host_is_excepted(proxy_free: pytest.MonkeyPatch) -> None:
    url = httpx.URL("https://api.thymia.ai/v1")
    assert find_proxy(url) is None
    proxy_free.setenv("https_proxy", "proxy.example:3128")
    assert find_proxy(url) == "http://proxy.example:3128"
    assert find_proxy(httpx.URL("http://api.thymia.ai/")) is None
    proxy_free.setenv("no_proxy", "localhost,.thymia.ai")
    assert find_proxy(url) is None
    proxy_free.delenv("no_proxy")
    proxy_free.delenv("https_proxy")
    proxy_free.setenv("all_proxy", "http://all.example")
    assert find_proxy(url) == "http://all.example"


def test_requests_go_through_the_proxy(
    proxy_free: pytest.MonkeyPatch, make_client: Callable[..., Any], make_server: Callable[..., Any]
) -> None:
    proxy = make_server((200, {}, b'{"id": "a", "features": []}'))
    direct = make_server((200, {}, b'{"id": "b", "features": []}'))
    proxy_free.setenv("http_proxy", proxy.url)
    client = make_client(base_url="http://api.example")
    assert client.get_account().id == "a"
    assert proxy.received[0].path == "http://api.example/v1/account"
    proxy_free.setenv("no_proxy", "127.0.0.1")
    assert make_client(base_url=direct.url).get_account().id == "b"
