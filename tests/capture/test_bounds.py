"""The recorder's addresses keep their bounds: sizes, times, numbers, and how often one may ask in vain."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette

from heliograph.server.capture_routes import (
    MAX_JSON_BYTES,
    REFUSED_BURST,
    TAKE_BURST,
)
from tests.capture.recorder import (
    BEGINNING,
    OWN,
    PIECE,
    TAKE,
    Clock,
    begin,
    finish,
    permit,
    piece_headers,
    put,
    written,
)
from tests.sandbox.clients import TestClient


def test_a_piece_that_is_too_large_is_refused_before_it_is_read(client, clock, tmp_path):
    begin(client, clock)
    for data in (b"\0" * 576_002, PIECE + b"\0\0"):
        assert put(client, clock, 0, data).status_code == 413
    assert put(client, clock, 0, PIECE, **{"Content-Length": "99999999999"}).status_code in (400, 413)
    answer = client.put(f"/takes/{TAKE}", headers=permit(clock), content=b" " * (MAX_JSON_BYTES + 1))
    assert answer.status_code == 413
    assert written(tmp_path) == []


def ask_raw(app: Starlette, clock: Clock, parts: Iterator[bytes | float]) -> int:
    """Send a body part by part (a number: wait so long) without stating its length; returns the status."""
    headers = {**permit(clock), **piece_headers(), "Host": "heliograph.test"}
    scope = {
        "type": "http",
        "method": "PUT",
        "path": f"/takes/{TAKE}/0",
        "raw_path": b"",
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "server": ("heliograph.test", 80),
        "client": ("127.0.0.1", 1),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    taken = [0]
    status: list[int] = []

    async def receive() -> dict[str, Any]:
        part = next(parts)
        if isinstance(part, float):
            await asyncio.sleep(part)
            part = b"\0"
        taken[0] += len(part)
        assert taken[0] < 1_000_000, "the server reads on and on"
        return {"type": "http.request", "body": part, "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            status.append(message["status"])

    asyncio.run(app(scope, receive, send))
    return status[0]


def test_an_endless_upload_is_cut_off(app, client, clock, tmp_path):
    begin(client, clock)

    def endless() -> Iterator[bytes | float]:
        while True:
            yield b"\0" * 10_000

    assert ask_raw(app, clock, endless()) == 413
    assert written(tmp_path) == []


def test_an_upload_that_trickles_is_cut_off(app, client, clock, tmp_path):
    begin(client, clock)

    def trickle() -> Iterator[bytes | float]:
        while True:
            yield 0.02

    assert ask_raw(app, clock, trickle()) == 408
    assert written(tmp_path) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"[" * 10_000,
        b'{"rate_hz": "48000"}',
        b'{"rate_hz": true}',
        b'{"rate_hz": 48000, "facts": []}',
        b'{"rate_hz": 48000, "facts": {"a": {}}}',
        b'{"rate_hz": 1e99}',
        b'{"rate_hz": 48000, "lost_samples": "1"}',
        b'{"rate_hz": 48000, "skipped_samples": -1}',
        b'{"rate_hz": 48000, "facts": {"label": "half \\ud83c"}}',
    ],
)
def test_a_beginning_that_makes_no_sense_is_a_400(client, clock, tmp_path, body):
    assert client.put(f"/takes/{TAKE}", headers=permit(clock), content=body).status_code == 400
    assert not (tmp_path / "spool").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"chunks": "1"},
        {"chunks": 0},
        {"chunks": 10**9},
        {"samples": None},
        {"end": "cut_off"},
        {"end": []},
        {"wall_clock_s": "NaN"},
        {"wall_clock_s": "Infinity"},
        {"wall_clock_s": -1},
        {"wall_clock_s": 10**400},
        {"facts": "x"},
        {"facts": [[1, "x"]]},
        {"lost_samples": -5},
    ],
)
def test_an_end_that_makes_no_sense_is_a_400(client, clock, changes):
    begin(client, clock)
    put(client, clock, 0)
    assert finish(client, clock, [PIECE], **changes).status_code == 400


def test_one_take_may_not_flood_the_server(client, clock):
    begin(client, clock)
    headers = permit(clock)

    def ask() -> int:
        return client.put(f"/takes/{TAKE}", headers=headers, json=BEGINNING).status_code

    assert [ask() for _ in range(int(TAKE_BURST) + 5)].count(429) >= 4
    begin(client, clock, "take-other-1234")
    clock.now_s += 10
    assert ask() == 200


def refuse_until_too_often(client: TestClient) -> None:
    headers = {"X-Capture-Permit": "a.b", "Origin": OWN}
    answers = [client.put(f"/takes/{TAKE}", headers=headers) for _ in range(int(REFUSED_BURST) + 1)]
    assert answers[-1].status_code == 429


def test_a_permit_that_ran_out_is_said_whatever_others_at_the_same_address_do(client, clock):
    """Only on a 401 does the browser ask for a new one; several may sit behind one proxy."""
    begin(client, clock)
    refuse_until_too_often(client)
    expired = {**permit(clock, lasts_s=0), **piece_headers()}
    for _ in range(int(REFUSED_BURST) + 5):
        answer = client.put(f"/takes/{TAKE}/0", headers=expired, content=PIECE)
        assert (answer.status_code, answer.json()) == (401, {"reason": "expired"})


@pytest.mark.parametrize("clock_set_back_s", [0, 3_600])
def test_asking_once_a_second_in_vain_is_answered_again_soon(client, clock, clock_set_back_s):
    """A try that is one too many does not put off the next, nor does a clock that is set back."""
    refuse_until_too_often(client)
    clock.now_s -= clock_set_back_s
    answers = []
    for _ in range(10):
        clock.now_s += 1
        answers.append(
            client.put(f"/takes/{TAKE}", headers={"X-Capture-Permit": "a.b", "Origin": OWN}).status_code
        )
    assert answers.count(401) >= 4


def test_guessing_is_slowed_down_and_harms_nobody_who_has_a_permit(client, clock):
    begin(client, clock)
    refuse_until_too_often(client)
    assert put(client, clock, 0).status_code == 201


@pytest.mark.parametrize("number", ["9" * 5_000, "-1", "1.5", "٣", "x", "finish"])
def test_what_is_no_number_of_a_piece_is_not_found(client, clock, tmp_path, number):
    path = f"/takes/{TAKE}/{number}"
    assert client.put(path, headers={"Origin": OWN}, content=PIECE).status_code == 401
    answer = client.put(path, headers={**permit(clock), **piece_headers()}, content=PIECE)
    assert (answer.status_code, answer.json()) == (404, {"reason": "bad_request"})
    assert written(tmp_path) == []
