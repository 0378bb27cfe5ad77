"""Bodies coming in, bounded and off the event loop, and the error bodies that go out."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from xml.sax.saxutils import escape

from fastapi import HTTPException, Request, Response
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

MAX_JSON_BYTES = 1_000_000
MAX_RECORDING_BYTES = 200_000_000
"""Largest recording that is taken in; the longest uncompressed one allowed is about 35 MB."""
_CHUNK_BYTES = 1_000_000
_DRAIN_BYTES = 2 * MAX_RECORDING_BYTES

Body = TypeVar("Body", bound=BaseModel)


class TooLargeError(Exception):
    """A body is larger than what is taken in."""


class UploadInterruptedError(Exception):
    """The client went away before the whole body had arrived."""


@dataclass(frozen=True, kw_only=True)
class ReceivedFile:
    """A body on disk, fsynced."""

    path: Path
    sha256: str
    size: int


async def receive_json(request: Request, model: type[Body]) -> Body:
    """The request's JSON body as `model`; HTTPException 400, 413 or 422, the last in the documented shape."""
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > MAX_JSON_BYTES:
                raise HTTPException(413, "Request body is too large")
    except ClientDisconnect:  # nobody hears the answer; an error of ours would be logged
        raise HTTPException(400, "Request body is incomplete") from None
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        issue = {"loc": ["header", "content-type"], "msg": "Must be application/json", "type": "content_type"}
        raise HTTPException(422, [issue])
    try:
        return model.model_validate_json(bytes(content), by_alias=True, by_name=False)
    except ValidationError as error:
        raise HTTPException(422, [format_issue(issue, "body") for issue in error.errors()]) from None


def format_issue(issue: Any, *place: str) -> dict[str, Any]:
    """One of pydantic's issues in the documented shape, without an echo of what was sent."""
    return {"loc": [*place, *issue["loc"]], "msg": issue["msg"], "type": issue["type"]}


async def receive_file(request: Request, folder: Path) -> ReceivedFile:
    """Write the request's body to a new file in `folder`; on any error the file is removed.

    Raises `TooLargeError` (the rest is read and thrown away, so that the client hears the answer) and
    `UploadInterruptedError`.
    """
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > MAX_RECORDING_BYTES:
        await drain(request)
        raise TooLargeError
    path = folder / f"{secrets.token_hex(16)}.part"
    descriptor = await run_in_threadpool(os.open, path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    digest = hashlib.sha256()
    size = 0
    try:
        try:
            pending = bytearray()
            async for chunk in request.stream():
                pending += chunk
                size += len(chunk)
                if size > MAX_RECORDING_BYTES:
                    await drain(request)
                    raise TooLargeError
                if len(pending) >= _CHUNK_BYTES:
                    await run_in_threadpool(_append, descriptor, digest, bytes(pending))
                    pending.clear()
            await run_in_threadpool(_append, descriptor, digest, bytes(pending))
            await run_in_threadpool(os.fsync, descriptor)
        finally:
            os.close(descriptor)
    except BaseException as error:
        with contextlib.suppress(OSError):
            path.unlink()
        if isinstance(error, ClientDisconnect):
            raise UploadInterruptedError from None
        raise
    return ReceivedFile(path=path, sha256=digest.hexdigest(), size=size)


def _append(descriptor: int, digest: Any, content: bytes) -> None:
    digest.update(content)
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


async def drain(request: Request) -> None:
    """Read and forget the rest of the body, up to a limit; an answer given before that may never be heard."""
    size = 0
    with contextlib.suppress(ClientDisconnect, RuntimeError):
        async for chunk in request.stream():
            size += len(chunk)
            if size > _DRAIN_BYTES:
                return


def format_storage_error(status: int, code: str, message: str) -> Response:
    """An error as object storage answers it: XML."""
    content = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
    )
    return Response(content, status, media_type="application/xml")
