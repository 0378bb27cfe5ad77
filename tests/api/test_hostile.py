"""Answers that no honest service gives: they cost little, change nothing, and end in an error of ours."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thymia_api import (
    NO_RETRY,
    ActivityRunCreated,
    AsyncThymiaClient,
    AuthenticationError,
    ModelRun,
    ThymiaClient,
    ThymiaError,
    UnreadableResponseError,
    UploadRunCreated,
)
from thymia_api._config import MAX_ANSWER_BYTES
from thymia_api._recording import RecordingSource
from thymia_api._retry import parse_retry_after
from thymia_api._transports import find_proxy

NOW_UTC = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Mon, 01 Jan 2020 00:00:00 +999999999999999999999",
        "Mon, 01 Jan 2020 99999999999999999:00:00 GMT",
        "-5",
        "1e9",
        "9" * 400,
        "٣",
        "\0",
    ],
)
def test_an_absurd_retry_after_is_none_at_all(text: str) -> None:
    assert parse_retry_after(text, now=NOW_UTC) is None


@given(st.text() | st.from_regex(r"Mon, \d{1,30} Jan -?\d{1,30} \d+:\d+:\d+ [+-]?\d{1,30}"))
def test_no_retry_after_raises_or_is_negative(text: str) -> None:
    seconds = parse_retry_after(text, now=NOW_UTC)
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize("run_id", ["", "../../account", "a/b", "a?b", "x" * 500, "\0", "\u202e", " a"])
def test_a_new_run_with_an_id_that_cannot_be_asked_for_is_unreadable(run_id: str) -> None:
    for kind, address in ((UploadRunCreated, "recordingUploadUrl"), (ActivityRunCreated, "activityLink")):
        with pytest.raises(UnreadableResponseError):
            kind.from_body(json.dumps({"id": run_id, address: "https://host/x"}))


@pytest.mark.parametrize(
    "address",
    [
        "",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "//host/x",
        "http://",
        "http://[::1",
        "http://host:99999/",
        "http://host/a b",
        "http://host/\n<b>",
        "http://host/\u202egpj",
    ],
)
def test_an_upload_url_or_activity_link_that_is_not_plain_http_is_unreadable(address: str) -> None:
    for kind, name in ((UploadRunCreated, "recordingUploadUrl"), (ActivityRunCreated, "activityLink")):
        with pytest.raises(UnreadableResponseError):
            kind.from_body(json.dumps({"id": "a", name: address}))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", '"x"', "[]", "9" * 5000])
@pytest.mark.parametrize("place", ["start", "score"])
def test_numbers_that_are_none_make_an_answer_unreadable(number: str, place: str) -> None:
    start, score = (number, "0.5") if place == "start" else ("0", number)
    section = f'{{"startSecs": {start}, "finishSecs": 1, "distress": {{"value": {score}}}}}'
    with pytest.raises(UnreadableResponseError):
        ModelRun.from_body(f'{{"id": "a", "status": "COMPLETE_OK", "results": {{"sections": [{section}]}}}}')


class _Endless(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body without an end; counts what was taken from it."""

    def __init__(self, piece: bytes) -> None:
        self.piece = piece
        self.taken = 0

    def __iter__(self) -> Any:
        while True:
            self.taken += len(self.piece)
            yield self.piece

    async def __aiter__(self) -> Any:
        for piece in self:
            yield piece


def _exchange(kind: str, handle: Any) -> None:
    transport = httpx.MockTransport(handle)

    async def ask() -> None:
        async with AsyncThymiaClient("key12345", transport=transport, retry=NO_RETRY) as client:
            await client.get_account()

    if kind == "asynchronous":
        asyncio.run(ask())
        return
    with ThymiaClient("key12345", transport=transport, retry=NO_RETRY) as client:
        client.get_account()


@pytest.mark.parametrize("kind", ["blocking", "asynchronous"])
@pytest.mark.parametrize(("status", "error"), [(200, UnreadableResponseError), (401, AuthenticationError)])
def test_an_endless_answer_is_left_unread_and_its_status_still_counts(
    kind: str, status: int, error: type[ThymiaError]
) -> None:
    body = _Endless(b" " * 100_000)
    with pytest.raises(error):
        _exchange(kind, lambda request: httpx.Response(status, stream=body))
    assert body.taken < MAX_ANSWER_BYTES + 1_000_000


@pytest.mark.parametrize("kind", ["blocking", "asynchronous"])
def test_a_small_answer_that_unpacks_without_end_is_left_unread(kind: str) -> None:
    bomb = gzip.compress(b" " * (4 * MAX_ANSWER_BYTES))
    with pytest.raises(UnreadableResponseError, match="larger"):
        _exchange(kind, lambda request: httpx.Response(200, headers={"content-encoding": "gzip"}, content=bomb))


@pytest.mark.parametrize("kind", ["blocking", "asynchronous"])
def test_a_compressed_answer_is_read_as_it_was_meant(kind: str) -> None:
    body = gzip.compress(b'{"id": "a", "features": []}')
    _exchange(kind, lambda request: httpx.Response(200, headers={"content-encoding": "gzip"}, content=body))


@pytest.mark.parametrize("url", ["http://127.0.0.1:8501/sandbox", "http://localhost:1/", "http://[::1]:5/"])
def test_this_computer_is_never_asked_through_a_proxy(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    assert find_proxy(httpx.URL(url)) is None
    assert find_proxy(httpx.URL("http://elsewhere.example/")) == "http://proxy.example:3128"


def test_an_upload_that_is_cancelled_while_its_file_is_being_opened_leaves_no_file_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.flac"
    path.write_bytes(b"fLaC" * 100)
    opened: list[RecordingSource] = []
    may_open = threading.Event()
    really_open = RecordingSource.open

    def open_late(*arguments: Any, **options: Any) -> RecordingSource:
        may_open.wait(5)
        opened.append(really_open(*arguments, **options))
        return opened[-1]

    monkeypatch.setattr(RecordingSource, "open", open_late)

    async def cancel_early() -> None:
        transport = httpx.MockTransport(lambda request: httpx.Response(200))
        async with AsyncThymiaClient("key12345", transport=transport, retry=NO_RETRY) as client:
            task = asyncio.create_task(client.upload_recording("http://storage.test/a", path))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            may_open.set()
            for _ in range(100):
                await asyncio.sleep(0.01)
                if opened and opened[0]._stream.closed:
                    return

    asyncio.run(cancel_early())
    gc.collect()
    assert [source._stream.closed for source in opened] == [True]
