"""The recorder's addresses, on a spool and a clock of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette

from heliograph.server.capture_routes import (
    make_capture_app,
)
from tests.capture.recorder import KEY, OWN, Clock
from tests.sandbox.clients import TestClient


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(tmp_path: Path, clock: Clock) -> Starlette:
    return make_capture_app(tmp_path / "spool", lambda: KEY, clock=clock, body_timeout_s=0.3)


@pytest.fixture
def client(app: Starlette) -> Iterator[TestClient]:
    with TestClient(app, base_url=OWN, raise_server_exceptions=False) as client:
        yield client
