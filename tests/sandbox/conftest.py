"""Sandboxes inside the test's process, without a lifespan, as they are when mounted."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.sandbox.clients import TestClient
from tests.sandbox.servers import KEY
from thymia_api.sandbox import SandboxSettings, create_app

MakeClient = Callable[..., TestClient]


@pytest.fixture
def make_client() -> Iterator[MakeClient]:
    """Makes clients of new sandboxes; `client.app.state.sandbox` leads to the parts."""
    apps = []

    def make(**settings: Any) -> TestClient:
        app = create_app(SandboxSettings(**{"api_key": KEY, "processing_seconds": 0.0, **settings}))
        apps.append(app)
        return TestClient(app, headers={"x-api-key": KEY}, base_url="http://sandbox.test")

    yield make
    for app in apps:
        app.state.sandbox.close()


@pytest.fixture
def client(make_client: MakeClient) -> TestClient:
    """A client of a sandbox that completes runs at once."""
    return make_client()


@pytest.fixture
def pass_hours() -> Callable[[TestClient, float], None]:
    """Moves a sandbox's clock forward."""

    def move(client: TestClient, hours: float) -> None:
        sandbox = client.app.state.sandbox  # type: ignore[attr-defined]
        clock = sandbox.state.clock
        sandbox.state.clock = dataclasses.replace(clock, anchor_virtual_s=clock.anchor_virtual_s + hours * 3600)
        sandbox.execution.wake()

    return move
