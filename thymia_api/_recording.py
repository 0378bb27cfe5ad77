"""A recording on its way to storage: its length, its media type, and its bytes in pieces.

Storage behind a pre-signed URL refuses chunked encoding, so the length has to be known before the first byte
leaves. A stream that cannot seek is sent straight, once, if its length is given, and otherwise spooled to a
temporary file.
"""

from __future__ import annotations

import io
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, BinaryIO, Final, Self

from thymia_api._config import UPLOAD_CHUNK_BYTES
from thymia_api._exceptions import InputIssue, InvalidInputError

RecordingInput = bytes | bytearray | memoryview | str | os.PathLike[str] | BinaryIO
Progress = Callable[[int, int | None], None]

UNKNOWN_MEDIA_TYPE: Final = "application/octet-stream"
_HEAD_BYTES: Final = 64
_MEMORY_SPOOL_BYTES: Final = 8 * 1024 * 1024
_MEDIA_TYPE_FORM = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+( *;[ -~]*)?", re.ASCII)

_MEDIA_TYPES: Final = {
    ".flac": "audio/flac",
    ".mp3": "audio/mpeg",
    ".mp4": "audio/mp4",
    ".m4a": "audio/mp4",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".webm": "audio/webm",
    ".wav": "audio/wav",
}


def guess_media_type(head: bytes, file_name: str = "") -> str:
    """Return the media type of one of the six formats by its first bytes, else by the file's name."""
    if head[:4] == b"fLaC":
        return "audio/flac"
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "audio/wav"
    if head[:4] == b"OggS":
        return "audio/ogg"
    if head[:4] == b"\x1aE\xdf\xa3":
        return "audio/webm"
    if head[4:8] == b"ftyp":
        return "audio/mp4"
    # An MPEG audio frame: eleven sync bits, and a layer that is not the reserved 0, which AAC streams use.
    is_mpeg_frame = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[1] & 0x06 != 0
    if head[:3] == b"ID3" or is_mpeg_frame:
        return "audio/mpeg"
    return _MEDIA_TYPES.get(Path(file_name).suffix.lower(), UNKNOWN_MEDIA_TYPE)


def _refuse(problem: str, field: str = "recording") -> InvalidInputError:
    return InvalidInputError([InputIssue(field, problem)])


def _read(stream: IO[bytes], count: int) -> bytes:
    piece: object = stream.read(count)
    if piece is None:
        raise _refuse("must be a blocking stream")
    if not isinstance(piece, bytes | bytearray | memoryview):
        raise _refuse("must be opened in binary mode")
    return bytes(piece)


def _can_seek(stream: IO[bytes]) -> bool:
    try:
        return stream.seekable()
    except AttributeError:
        return False


class RecordingSource:
    """An open recording, a context manager. Its methods block: asynchronous code calls them in a thread."""

    def __init__(
        self,
        stream: IO[bytes],
        *,
        size: int,
        repeatable: bool,
        is_owned: bool,
        content_type: str | None,
        name: str,
    ) -> None:
        self._stream = stream
        self._start = stream.tell() if repeatable else 0
        self._pending = b""
        self._is_owned = is_owned
        self.size = size
        self.repeatable = repeatable
        if size == 0:
            raise _refuse("is empty")
        self._pending = _read(stream, min(_HEAD_BYTES, size))
        self.content_type = content_type or guess_media_type(self._pending, name)

    @classmethod
    def open(
        cls, recording: RecordingInput, *, content_type: str | None = None, content_length: int | None = None
    ) -> Self:
        """Open the recording and look at its head. Raises `OSError` for a file that cannot be read.

        A stream is taken from its present position and is never closed; `content_length` is its length in bytes
        and matters only for one that cannot seek.
        """
        if content_type is not None and not _MEDIA_TYPE_FORM.fullmatch(content_type):
            raise _refuse("must look like audio/flac", "content_type")
        stream, name, is_owned = _open_stream(recording)
        try:
            if _can_seek(stream):
                start = stream.tell()
                size = stream.seek(0, os.SEEK_END) - start
                stream.seek(start)
                if content_length not in (None, size):
                    raise _refuse(f"differs from the recording's length ({size})", "content_length")
                repeatable = True
            elif content_length is not None:
                size, repeatable = content_length, False
                if size < 0:
                    raise _refuse("must not be negative", "content_length")
            else:
                stream, size = _spool(stream)
                is_owned = repeatable = True
            return cls(
                stream, size=size, repeatable=repeatable, is_owned=is_owned, content_type=content_type, name=name
            )
        except BaseException:
            if is_owned:
                stream.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close what was opened here; a caller's stream stays open."""
        if self._is_owned:
            self._stream.close()

    def rewind(self) -> None:
        """Go back to where the recording starts."""
        if self.repeatable:
            self._pending = b""
            self._stream.seek(self._start)

    def read(self, sent: int) -> bytes:
        """Return the next piece after `sent` bytes; a recording that has become shorter is refused."""
        count = min(UPLOAD_CHUNK_BYTES, self.size - sent)
        piece, self._pending = self._pending[:count], self._pending[count:]
        piece = piece or _read(self._stream, count)
        if not piece:
            raise _refuse(f"ended after {sent} of {self.size} bytes")
        return piece


def _open_stream(recording: RecordingInput) -> tuple[IO[bytes], str, bool]:
    if isinstance(recording, bytes | bytearray | memoryview):
        return io.BytesIO(recording), "", True
    if isinstance(recording, str | os.PathLike):
        return Path(recording).open("rb"), os.fspath(recording), True
    if not hasattr(recording, "read"):
        raise _refuse("must be bytes, a path or a stream opened in binary mode")
    name = getattr(recording, "name", "")
    return recording, name if isinstance(name, str) else "", False


def _spool(stream: IO[bytes]) -> tuple[IO[bytes], int]:
    spool = tempfile.SpooledTemporaryFile(max_size=_MEMORY_SPOOL_BYTES)  # noqa: SIM115
    try:
        while piece := _read(stream, UPLOAD_CHUNK_BYTES):
            spool.write(piece)
        size = spool.tell()
        spool.seek(0)
    except BaseException:
        spool.close()
        raise
    return spool, size
