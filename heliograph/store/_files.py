"""Files of recordings on the disk: written to a temporary name, fsynced and renamed; set aside before they
are deleted, so that a crash in the middle can be told from a deletion that was meant."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import BinaryIO

from heliograph.store._database import Store
from heliograph.store._errors import map_os_error
from heliograph.store._records import RecordingFacts, RecordingSource

TEMPORARY_PREFIX = ".incoming-"
ASIDE_SUFFIX = ".deleting"
FACTS_SUFFIX = ".facts.json"
CHUNK_BYTES = 1 << 20
EXTENSIONS = {
    "audio/flac": "flac",
    "audio/x-flac": "flac",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/mp4": "mp4",
    "audio/m4a": "mp4",
    "audio/x-m4a": "mp4",
    "video/mp4": "mp4",
    "audio/ogg": "ogg",
    "application/ogg": "ogg",
    "audio/webm": "webm",
    "video/webm": "webm",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/vnd.wave": "wav",
}


@contextmanager
def mapped_os_errors(path: Path) -> Iterator[None]:
    """Turns what the operating system says about `path` into the store's errors."""
    try:
        yield
    except OSError as error:
        raise map_os_error(error, path) from error


def name_file(recording_id: str, media_type: str) -> str:
    """`<hash>.<extension>`; `bin` for a media type that is not one of the six formats'."""
    return f"{recording_id}.{EXTENSIONS.get(media_type.split(';', maxsplit=1)[0].strip().lower(), 'bin')}"


def hash_file(path: Path) -> str:
    """SHA-256 of the file's bytes, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copy_to_temporary(store: Store, reader: BinaryIO) -> tuple[Path, str, int]:
    """Copies what `reader` gives durably to a temporary file beside the recordings: its path, SHA-256 (hex)
    and size in bytes."""
    store.hold_live_lock()
    digest, size = hashlib.sha256(), 0
    with _temporary(store) as (temporary, writer):
        while chunk := reader.read(CHUNK_BYTES):
            digest.update(chunk)
            writer.write(chunk)
            size += len(chunk)
    return temporary, digest.hexdigest(), size


def write_facts(store: Store, file_name: str, facts: RecordingFacts, participant_id: int | None = None) -> None:
    """Puts the facts beside a file that is about to get its name, and the participant it was made for, for
    `adopt_orphans` after a crash."""
    store.hold_live_lock()
    values = {field.name: getattr(facts, field.name) for field in fields(facts)}
    others = {"processing": dict(facts.processing), "participant_id": participant_id}
    content = json.dumps(values | others, ensure_ascii=False)
    with _temporary(store) as (temporary, writer):
        writer.write(content.encode())
    temporary.replace(store.recordings_folder / f"{file_name}{FACTS_SUFFIX}")


def read_facts(path: Path) -> tuple[RecordingFacts, int | None]:
    """What `write_facts` wrote; the participant is None where an earlier version did."""
    content = {"participant_id": None, **json.loads(path.read_bytes())}
    participant_id = content.pop("participant_id")
    return RecordingFacts(**{**content, "source": RecordingSource(content["source"])}), participant_id


def publish(temporary: Path, target: Path) -> None:
    """Gives the fsynced `temporary` its final name, durably."""
    temporary.replace(target)
    sync_folder(target.parent)


def set_aside(path: Path) -> bool:
    """First half of a deletion, within the transaction that records it; False when there is no file."""
    try:
        path.replace(aside(path))
    except FileNotFoundError:
        return False
    sync_folder(path.parent)
    return True


def bring_back(path: Path) -> None:
    """Undoes `set_aside`."""
    if not path.exists():
        with suppress(FileNotFoundError):
            publish(aside(path), path)


def aside(path: Path) -> Path:
    """The name of a file that is being deleted."""
    return path.with_name(path.name + ASIDE_SUFFIX)


def sync_folder(folder: Path) -> None:
    """Makes renames in `folder` durable; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep_temporaries(store: Store) -> int:
    """Removes temporary files whose process is gone, and returns how many."""
    from filelock import FileLock, Timeout

    removed = 0
    tokens = {path.name.removeprefix(".live-") for path in store.recordings_folder.glob(".live-*")}
    leftovers: dict[str, list[Path]] = {}
    for path in store.recordings_folder.glob(f"{TEMPORARY_PREFIX}*"):
        leftovers.setdefault(path.name.removeprefix(TEMPORARY_PREFIX).split("-")[0], []).append(path)
    for token in sorted(tokens | set(leftovers)):
        if token == store.token:
            continue
        lock = FileLock(store.live_lock_path(token), mode=0o600, thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        try:
            for path in leftovers.get(token, []):
                path.unlink(missing_ok=True)
                removed += 1
        finally:
            lock.release()
        with suppress(FileNotFoundError, PermissionError):
            store.live_lock_path(token).unlink()
    return removed


@contextmanager
def _temporary(store: Store) -> Iterator[tuple[Path, BinaryIO]]:
    path = store.recordings_folder / f"{TEMPORARY_PREFIX}{store.token}-{secrets.token_hex(6)}"
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield path, file
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
