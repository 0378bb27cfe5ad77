"""Callers who leave in the middle, send nonsense, or look where they may not: quiet, private, unmoved."""

from __future__ import annotations

import socket
import stat
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.sandbox.clients import TestClient
from tests.sandbox.conftest import MakeClient
from tests.sandbox.servers import BODY, KEY, RUNS, SandboxProcess


def leave_in_the_middle(url: str, request: str) -> None:
    """Send the beginning of a request, and hang up."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    with socket.create_connection((parts.hostname, parts.port or 80)) as connection:
        connection.sendall(request.replace("\n", "\r\n").encode())
        time.sleep(0.2)


@pytest.mark.parametrize("options", [(), ("--fault-rate", "1", "--fault-kinds", "slow", "--slow-seconds", "0")])
def test_a_client_that_dies_in_the_middle_of_a_request_leaves_no_word_in_the_log(options: tuple[str, ...]) -> None:
    with SandboxProcess(*options) as sandbox:
        _, upload_url = sandbox.create()
        path = upload_url.removeprefix(sandbox.url)
        head = f"Host: x\nx-api-key: {KEY}\nContent-Type: application/json\nContent-Length: 1000\n\n{{"
        leave_in_the_middle(sandbox.url, f"POST {RUNS} HTTP/1.1\n{head}")
        leave_in_the_middle(sandbox.url, f"POST {RUNS}-activity HTTP/1.1\n{head}")
        leave_in_the_middle(sandbox.url, f"PUT {path} HTTP/1.1\n{head}")
        leave_in_the_middle(sandbox.url, f"PUT {path[:-1]} HTTP/1.1\n{head}")
        leave_in_the_middle(sandbox.url, f"PUT /activity/none/recording HTTP/1.1\n{head}")
        assert sandbox.client.get("/v1/account").is_success
        assert sandbox.kill() == ""


def test_everything_in_the_state_folder_is_private_whatever_the_umask(
    make_client: MakeClient, tmp_path: Path
) -> None:
    client = make_client(state_dir=tmp_path / "deep" / "state")
    created = client.post(RUNS, json=BODY).json()
    assert client.put(created["recordingUploadUrl"], content=b"not audio").status_code == 200
    folder = tmp_path / "deep" / "state"
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*"))}
    assert {"state", "recordings", "sandbox.db", "open.lock"} <= set(found)
    assert {name: oct(mode) for name, mode in found.items() if mode & 0o077} == {}


@pytest.mark.parametrize(
    "path",
    [
        "/recordings/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/recordings/a?X-Sandbox-Expires=99999999999999999999&X-Sandbox-Signature=a",
        "/recordings/a?X-Sandbox-Expires=%C2%B2&X-Sandbox-Signature=%ED%A0%80",
        "/recordings/a?X-Sandbox-Expires=1&X-Sandbox-Expires=2",
        "/activity/%00/recording",
        "/activity/%2e%2e/recording",
        "/activity/' OR 1=1 --/recording",
    ],
)
def test_an_upload_to_an_address_that_was_never_given_out_writes_nothing(client: TestClient, path: str) -> None:
    answer = client.put(path, content=b"x" * 1000, headers={"x-api-key": ""})
    assert 400 <= answer.status_code < 500
    recordings = client.app.state.sandbox.state.recordings  # type: ignore[attr-defined]
    assert list(recordings.iterdir()) == []


@pytest.mark.parametrize("key", [b"\xff\xfe", "é".encode(), b"", b"x" * 10_000])
def test_a_key_of_any_bytes_is_just_wrong(client: TestClient, key: bytes) -> None:
    assert client.get("/v1/account", headers={"x-api-key": key}).status_code == 401
