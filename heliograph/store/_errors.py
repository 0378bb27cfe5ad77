"""The store's errors, with what happened as attributes and a message that names the path and what to do.

StoreError
├── StoreUnavailableError        the files cannot be used right now
│   ├── StoreUnwritableError     no permission, read-only, not a folder
│   ├── DiskFullError
│   └── StoreBusyError           another process holds the database for too long
├── StoreDamagedError            not a database, not ours, or corrupted
├── StoreTooNewError             written by a newer version of Heliograph
├── WrongWorkspaceError          belongs to another workspace
├── SQLiteTooOldError            this Python's SQLite has no STRICT tables
├── ConstraintError              the change would break the store's rules; nothing was written
└── UnknownRecordError           no such participant, recording or run
"""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path


class StoreError(Exception):
    """Root of everything the store raises; `path` is the file or folder concerned."""

    def __init__(self, message: str, *, path: Path | None = None) -> None:
        super().__init__(message)
        self.path = path


class StoreUnavailableError(StoreError):
    """The files of the store cannot be used right now."""


class StoreUnwritableError(StoreUnavailableError):
    """The store's folder or a file in it cannot be made or written."""


class DiskFullError(StoreUnavailableError):
    """There is no room left; nothing of the change was kept."""


class StoreBusyError(StoreUnavailableError):
    """The database stayed locked for longer than the timeout."""


class StoreDamagedError(StoreError):
    """The database file is not a readable Heliograph database."""


class StoreTooNewError(StoreError):
    """The database holds `migrations` that this version does not know; it was not touched."""

    def __init__(self, message: str, *, path: Path, migrations: tuple[str, ...]) -> None:
        super().__init__(message, path=path)
        self.migrations = migrations


class WrongWorkspaceError(StoreError):
    """The database belongs to the workspace `found`, not to `expected`; it was not touched."""

    def __init__(self, message: str, *, path: Path, expected: str, found: str) -> None:
        super().__init__(message, path=path)
        self.expected = expected
        self.found = found


class SQLiteTooOldError(StoreError):
    """The SQLite library of this Python is older than the store needs."""


class ConstraintError(StoreError):
    """A value or reference that the schema refuses; the whole transaction was undone."""


class UnknownRecordError(StoreError, LookupError):
    """There is no such record (any more)."""


_UNWRITABLE_CODES = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}
_UNWRITABLE_ERRNOS = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EEXIST,
    errno.ENOENT,
}
_FULL_ERRNOS = {errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC}


def _explain_full(path: Path) -> DiskFullError:
    return DiskFullError(
        f"There is no room left to write {path}. Free some disk space and try again; nothing was changed.",
        path=path,
    )


def _explain_unwritable(path: Path, reason: object) -> StoreUnwritableError:
    return StoreUnwritableError(
        f"{path} cannot be written ({reason}). Check that its folder exists and belongs to the user that runs"
        " Heliograph, or set HELIOGRAPH_HOME to a folder that does.",
        path=path,
    )


def map_sqlite_error(error: sqlite3.Error, path: Path) -> StoreError | None:
    """The store's error for what SQLite said about the database at `path`; None for errors that are bugs of
    ours."""
    if isinstance(error, sqlite3.IntegrityError):
        return ConstraintError(
            f"The change was refused by a rule of {path} ({error}); nothing was written.", path=path
        )
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return _explain_full(path)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusyError(
            f"{path} is locked by another process. Close the program that has it open (a database browser, a"
            " backup, a second server) and try again; nothing was changed.",
            path=path,
        )
    if code in _UNWRITABLE_CODES:
        return _explain_unwritable(path, error)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreDamagedError(
            f"{path} is damaged or is not a Heliograph database ({error}). Move it away together with its -wal and"
            " -shm files and put back a backup, or start with an empty workspace; the recordings beside it are"
            " not affected.",
            path=path,
        )
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOLFS, sqlite3.SQLITE_PROTOCOL):
        return StoreUnavailableError(
            f"Reading or writing {path} failed ({error}). Check the disk; network drives are not supported.",
            path=path,
        )
    return None


def map_os_error(error: OSError, path: Path) -> StoreError:
    """The store's error for what the operating system said about `path`."""
    if error.errno in _FULL_ERRNOS:
        return _explain_full(path)
    if error.errno in _UNWRITABLE_ERRNOS:
        return _explain_unwritable(path, error.strerror or error)
    return StoreUnavailableError(f"{path} cannot be used ({error}). Check the disk and try again.", path=path)
