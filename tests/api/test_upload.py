"""A recording is streamed with its length declared, from the right place, as often as it can be sent again."""

from __future__ import annotations

import asyncio
import io
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from thymia_api import (
    NO_RETRY,
    AsyncThymiaClient,
    InvalidInputError,
    UploadError,
    UploadRefusedError,
)
from thymia_api._recording import guess_media_type

AUDIO = b"fLaC" + bytes(range(256)) * 1000
OK = (200, {}, b"")
BUSY = (503, {"retry-after": "0"}, b"<Error><Code>SlowDown</Code></Error>")


class OneWayStream(io.RawIOBase):
    """A pipe: gives few bytes at a time and cannot seek."""

    def __init__(self, content: bytes) -> None:
        self._inner = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._inner.read(min(len(buffer), 1000))
        buffer[: len(piece)] = piece
        return len(piece)


def _make_path(folder: Path) -> Path:
    path = folder / "take.bin"
    path.write_bytes(AUDIO)
    return path


SOURCES: dict[str, Callable[[Path], Any]] = {
    "bytes": lambda folder: AUDIO,
    "bytearray": lambda folder: bytearray(AUDIO),
    "memoryview": lambda folder: memoryview(AUDIO),
    "path": _make_path,
    "text path": lambda folder: str(_make_path(folder)),
    "stream": lambda folder: io.BytesIO(AUDIO),
    "one-way stream": lambda folder: OneWayStream(AUDIO),
}


@pytest.mark.parametrize("source", SOURCES)
def test_every_kind_of_recording_arrives_whole_after_a_retry_with_its_length_and_not_chunked(
    make_client: Callable[..., Any], make_server: Callable[..., Any], tmp_path: Path, source: str
) -> None:
    server = make_server(BUSY, OK)
    make_client().upload_recording(f"{server.url}/put?sig=abc%2Fdef&a=", SOURCES[source](tmp_path))
    assert len(server.received) == 2
    for received in server.received:
        assert (received.method, received.path) == ("PUT", "/put?sig=abc%2Fdef&a=")
        assert received.body == AUDIO
        assert received.headers["content-length"] == str(len(AUDIO))
        assert received.headers["content-type"] == "audio/flac"
        assert "transfer-encoding" not in received.headers


def test_a_stream_that_cannot_seek_is_sent_straight_and_once_when_its_length_is_given(
    make_client: Callable[..., Any], make_server: Callable[..., Any]
) -> None:
    server = make_server(BUSY, OK)
    with pytest.raises(UploadError) as caught:
        make_client().upload_recording(server.url, OneWayStream(AUDIO), content_length=len(AUDIO))
    assert not isinstance(caught.value, UploadRefusedError)
    assert [received.body for received in server.received] == [AUDIO]
    assert server.received[0].headers["content-length"] == str(len(AUDIO))


def test_a_stream_is_sent_from_where_it_stands_at_every_attempt_and_left_open(
    make_client: Callable[..., Any], make_server: Callable[..., Any]
) -> None:
    server = make_server(BUSY, BUSY, OK)
    stream = io.BytesIO(b"header" + AUDIO)
    stream.seek(6)
    make_client().upload_recording(server.url, stream)
    assert [received.body for received in server.received] == [AUDIO] * 3
    assert not stream.closed


def test_progress_counts_up_to_the_total_and_starts_again_with_every_attempt(
    make_client: Callable[..., Any], make_server: Callable[..., Any]
) -> None:
    server = make_server(BUSY, OK)
    seen: list[tuple[int, int | None]] = []
    make_client().upload_recording(server.url, AUDIO, progress=lambda sent, total: seen.append((sent, total)))
    assert {total for _, total in seen} == {len(AUDIO)}
    counts = [sent for sent, _ in seen]
    second = counts.index(0, 1)
    for attempt in (counts[:second], counts[second:]):
        assert attempt[0] == 0
        assert attempt[-1] == len(AUDIO)
        assert attempt == sorted(set(attempt))
        assert len(attempt) > 3


def test_an_error_of_the_callback_passes_through_and_ends_the_upload(
    make_client: Callable[..., Any], make_server: Callable[..., Any]
) -> None:
    server = make_server(OK)

    def progress(sent: int, total: int | None) -> None:
        if sent:
            raise KeyError("cancelled by its owner")

    with pytest.raises(KeyError, match="cancelled"):
        make_client().upload_recording(server.url, AUDIO, progress=progress)


def test_a_large_file_is_never_in_memory_as_a_whole(make_client: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "large.wav"
    with path.open("wb") as file:
        file.truncate(200_000_000)
    received = 0

    class Sink(httpx.BaseTransport, httpx.AsyncBaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal received
            for piece in request.stream:  # type: ignore[union-attr]
                received += len(piece)
            return httpx.Response(200)

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal received
            async for piece in request.stream:  # type: ignore[union-attr]
                received += len(piece)
            return httpx.Response(200)

    client = make_client(transport=Sink())
    tracemalloc.start()
    try:
        client.upload_recording("https://s/x", path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert received == 200_000_000
    assert peak < 4_000_000


@pytest.mark.parametrize(
    ("recording", "options", "field"),
    [
        (b"", {}, "recording"),
        (io.StringIO("text"), {}, "recording"),
        (12, {}, "recording"),
        (None, {}, "recording"),
        (b"abc", {"content_type": "audio"}, "content_type"),
        (b"abc", {"content_type": "audio/flac\r\nx: y"}, "content_type"),
        (b"abc", {"content_length": 4}, "content_length"),
        (OneWayStream(b"abc"), {"content_length": -1}, "content_length"),
        (OneWayStream(b""), {}, "recording"),
    ],
)
def test_what_cannot_be_a_recording_never_leaves(
    make_client: Callable[..., Any], recording: Any, options: dict[str, Any], field: str
) -> None:
    client = make_client(lambda request: pytest.fail("sent"))
    with pytest.raises(InvalidInputError, match=f"^{field}: "):
        client.upload_recording("https://s/x", recording, **options)


@pytest.mark.parametrize("url", ["", "s/x?sig=secret", "ftp://s/x?sig=secret", "https://", None])
def test_an_upload_url_that_is_none_is_refused_without_being_quoted(
    make_client: Callable[..., Any], url: Any
) -> None:
    with pytest.raises(InvalidInputError, match=r"^upload_url: ") as caught:
        make_client(lambda request: pytest.fail("sent")).upload_recording(url, b"abc")
    assert "secret" not in str(caught.value)


def test_a_missing_file_is_the_callers_own_error(make_client: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        make_client(lambda request: pytest.fail("sent")).upload_recording("https://s/x", tmp_path / "none.wav")


def test_a_recording_that_becomes_shorter_on_the_way_is_refused(
    make_client: Callable[..., Any], make_server: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"\0" * 1_000_000)

    def progress(sent: int, total: int | None) -> None:
        if sent:
            with path.open("r+b") as file:
                file.truncate(100_000)

    with pytest.raises(InvalidInputError, match=r"recording: ended after 100000 of 1000000 bytes"):
        make_client().upload_recording(make_server(OK).url, path, progress=progress)


@pytest.mark.parametrize(
    ("head", "name", "media_type"),
    [
        (b"fLaC\0\0", "x.wav", "audio/flac"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "", "audio/wav"),
        (b"RF64\xff\xff\xff\xffWAVEds64", "", "audio/wav"),
        (b"RIFF\x24\0\0\0AVI LIST", "", "application/octet-stream"),
        (b"OggS\0\2", "x.bin", "audio/ogg"),
        (b"\x1aE\xdf\xa3\x9f", "", "audio/webm"),
        (b"\0\0\0\x20ftypM4A ", "", "audio/mp4"),
        (b"ID3\4\0", "", "audio/mpeg"),
        (b"\xff\xfb\x90\x64", "", "audio/mpeg"),
        (b"\xff\xf3\x90\x64", "", "audio/mpeg"),
        (b"\xff\xf1\x50\x80", "", "application/octet-stream"),
        (b"hello", "a/b/Take.MP3", "audio/mpeg"),
        (b"hello", "take.opus", "audio/ogg"),
        (b"", "take.txt", "application/octet-stream"),
        (b"\xff", "", "application/octet-stream"),
    ],
)
def test_the_media_type_is_told_by_the_first_bytes_and_then_by_the_name(
    head: bytes, name: str, media_type: str
) -> None:
    assert guess_media_type(head, name) == media_type


def test_a_media_type_that_is_given_is_the_one_that_is_sent(
    make_client: Callable[..., Any], make_server: Callable[..., Any]
) -> None:
    server = make_server(OK)
    make_client().upload_recording(server.url, AUDIO, content_type="audio/x-flac; rate=48000")
    assert server.received[0].headers["content-type"] == "audio/x-flac; rate=48000"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412])
def test_a_final_refusal_by_the_storage_says_nothing_about_the_key(
    make_client: Callable[..., Any], make_server: Callable[..., Any], status: int
) -> None:
    body = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
    server = make_server((status, {"x-amz-request-id": "AMZ1"}, body))
    with pytest.raises(UploadRefusedError, match=f"answered {status}: the upload URL has expired") as caught:
        make_client().upload_recording(server.url, AUDIO)
    assert (caught.value.status, caught.value.request_id) == (status, "AMZ1")
    assert "Request has expired" in caught.value.body
    assert not caught.value.earlier_attempt_may_have_arrived
    assert len(server.received) == 1


def test_the_event_loop_is_free_while_a_slow_disk_is_read() -> None:
    class SlowStream(io.BytesIO):
        def read(self, *args: Any) -> bytes:
            import time

            time.sleep(0.1)
            return super().read(*args)

    async def upload() -> int:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.005)
                ticks += 1

        ticking = asyncio.create_task(tick())
        transport = httpx.MockTransport(lambda request: httpx.Response(200))
        async with AsyncThymiaClient("k", transport=transport, retry=NO_RETRY) as client:
            await client.upload_recording("https://s/x", SlowStream(AUDIO))
        ticking.cancel()
        return ticks

    assert asyncio.run(upload()) > 20
