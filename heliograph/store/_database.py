"""Opening a workspace's folder and giving out connections: one for each block, private files, migrations
under a lock between processes, and one writer at a time in this process (`BEGIN IMMEDIATE` orders the
processes)."""

from __future__ import annotations

import errno
import importlib
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from heliograph.store._errors import (
    SQLiteTooOldError,
    StoreBusyError,
    StoreDamagedError,
    StoreTooNewError,
    WrongWorkspaceError,
    map_os_error,
    map_sqlite_error,
)
from heliograph.store._migrations import APPLICATION_ID, MIGRATION_SET, NAMES, collect_migrations
from heliograph.store._times import now_utc_text

if TYPE_CHECKING:
    from filelock import BaseFileLock
    from sqlite_utils import Database

MIN_SQLITE = (3, 37, 0)  # STRICT tables
BUSY_TIMEOUT_S = 30.0  # SQLite's waiting is not fair: with several busy writers one may wait for many turns
MIGRATE_TIMEOUT_S = 120.0
WAL_LIMIT_BYTES = 64 * 1024 * 1024

DATABASE_NAME = "heliograph.db"
RECORDINGS_NAME = "recordings"
SPOOL_NAME = "spool"
WORKER_LOCK_NAME = "worker.lock"
MIGRATE_LOCK_NAME = "migrate.lock"

_turns: dict[Path, threading.Lock] = {}
_turns_guard = threading.Lock()


class Store:
    """A workspace's database and recordings. Make it with `Store.open`; any thread may use it; close it at
    the end."""

    def __init__(self, folder: Path, *, workspace: str, synthetic: bool, anchor: sqlite3.Connection) -> None:
        self.folder = folder
        self.workspace = workspace
        self.synthetic = synthetic
        self.token = secrets.token_hex(6)
        self._anchor: sqlite3.Connection | None = anchor
        self._live_lock: BaseFileLock | None = None
        self._guard = threading.Lock()
        self._writer: int | None = None
        with _turns_guard:
            self._turn = _turns.setdefault(folder, threading.Lock())

    @classmethod
    def open(cls, folder: Path, *, workspace: str, synthetic: bool) -> Store:
        """Opens the store in `folder`, making or migrating it if need be; any number of processes may do so
        at once.

        Raises `StoreTooNewError`, `WrongWorkspaceError` or `StoreDamagedError` without touching the database,
        and `StoreUnavailableError` when the files cannot be used.
        """
        if sqlite3.sqlite_version_info < MIN_SQLITE:
            raise SQLiteTooOldError(
                f"Heliograph needs SQLite {'.'.join(map(str, MIN_SQLITE))} or newer, and this Python has"
                f" {sqlite3.sqlite_version}. Use a newer Python (python.org's installers bring a newer SQLite)."
            )
        folder = folder.absolute()
        path = folder / DATABASE_NAME
        try:
            _make_private_folder(folder)
            folder = folder.resolve()
            path = folder / DATABASE_NAME
            importlib.import_module("heliograph.store._sqlite_utils")
            with _migrate_lock(folder):
                _refuse_foreign(path, workspace=workspace, synthetic=synthetic)
                for name in (RECORDINGS_NAME, SPOOL_NAME):
                    _make_private_folder(folder / name)
                _make_private_file(path)
                anchor = _connect(path, check_same_thread=False)
                try:
                    _migrate(anchor, path, workspace=workspace, synthetic=synthetic)
                    anchor.execute("SELECT count(*) FROM workspace").fetchone()
                except BaseException:
                    anchor.close()
                    raise
        except sqlite3.Error as error:
            mapped = map_sqlite_error(error, path)
            if mapped is None:
                raise
            raise mapped from error
        except OSError as error:
            raise map_os_error(error, Path(error.filename) if error.filename else folder) from error
        return cls(folder, workspace=workspace, synthetic=synthetic, anchor=anchor)

    @property
    def database_path(self) -> Path:
        """The SQLite file."""
        return self.folder / DATABASE_NAME

    @property
    def recordings_folder(self) -> Path:
        """Where recordings lie, named by their hash."""
        return self.folder / RECORDINGS_NAME

    @property
    def spool_folder(self) -> Path:
        """Where recordings in progress are kept by `heliograph.audio`."""
        return self.folder / SPOOL_NAME

    @property
    def worker_lock_path(self) -> Path:
        """The file that the one worker of this workspace locks."""
        return self.folder / WORKER_LOCK_NAME

    @contextmanager
    def read(self) -> Iterator[Database]:
        """A connection that sees one snapshot and cannot write; it must not leave the block or the thread."""
        with self._connection() as db:
            db.conn.execute("PRAGMA query_only = ON")
            db.conn.execute("BEGIN")
            yield db

    @contextmanager
    def write(self) -> Iterator[Database]:
        """A connection in a transaction of its own, committed durably when the block ends and undone when it
        raises.

        Blocks of one store exclude each other, in this process and between processes; they do not nest
        (RuntimeError). Raises `StoreBusyError` after `BUSY_TIMEOUT_S`.
        """
        if self._writer == threading.get_ident():
            raise RuntimeError("write() blocks do not nest")
        if not self._turn.acquire(timeout=BUSY_TIMEOUT_S):
            raise StoreBusyError(
                f"Another part of this program is writing to {self.database_path} for too long. Try again.",
                path=self.database_path,
            )
        try:
            self._writer = threading.get_ident()
            with self._connection() as db:
                db.conn.execute("PRAGMA secure_delete = ON")
                db.conn.execute("BEGIN IMMEDIATE")
                yield db
                db.conn.execute("COMMIT")
        finally:
            self._writer = None
            self._turn.release()

    def hold_live_lock(self) -> None:
        """Marks this store's temporary files as those of a living process, until `close` or the process
        ends."""
        from filelock import FileLock

        with self._guard:
            if self._live_lock is None:
                lock = FileLock(self.live_lock_path(self.token), mode=0o600, thread_local=False)
                lock.acquire(timeout=10)
                self._live_lock = lock

    def live_lock_path(self, token: str) -> Path:
        """The lock file of the store object known by `token`."""
        return self.recordings_folder / f".live-{token}"

    def close(self) -> None:
        """Closes what the store holds open; calling it again does nothing. Blocks still running keep their
        own connections and end normally; new ones raise RuntimeError."""
        with self._guard:
            anchor, self._anchor = self._anchor, None
            lock, self._live_lock = self._live_lock, None
        if lock is not None:
            lock.release()
            self.live_lock_path(self.token).unlink(missing_ok=True)
        if anchor is not None:
            anchor.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def _connection(self) -> Iterator[Database]:
        from heliograph.store._sqlite_utils import Database

        if self._anchor is None:
            raise RuntimeError(f"the store in {self.folder} is closed")
        path = self.database_path
        try:
            with closing(_connect(path)) as connection:
                yield Database(connection, execute_plugins=False)
        except sqlite3.Error as error:
            mapped = map_sqlite_error(error, path)
            if mapped is None:
                raise
            raise mapped from error


def _connect(path: Path, *, check_same_thread: bool = True, mode: str = "rw") -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={mode}", uri=True, timeout=BUSY_TIMEOUT_S, check_same_thread=check_same_thread
    )
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}")
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def _migrate_lock(folder: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    path = folder / MIGRATE_LOCK_NAME
    try:
        with FileLock(path, timeout=MIGRATE_TIMEOUT_S, mode=0o600, thread_local=False):
            yield
    except Timeout as error:
        raise StoreBusyError(
            f"Another process has been preparing the database in {folder} for {MIGRATE_TIMEOUT_S:.0f} s."
            " Wait for it or end it, then start again.",
            path=path,
        ) from error


def _refuse_foreign(path: Path, *, workspace: str, synthetic: bool) -> None:
    """Looks at an existing database without leaving a trace: not even a log file appears beside it."""
    if not path.exists() or path.stat().st_size == 0:
        return
    log = path.with_name(f"{path.name}-wal")
    unlogged = not log.exists() or log.stat().st_size == 0
    with closing(_connect(path, mode="ro&immutable=1" if unlogged else "ro")) as connection:
        _refuse(connection, path, workspace=workspace, synthetic=synthetic)


def _refuse(connection: sqlite3.Connection, path: Path, *, workspace: str, synthetic: bool) -> None:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables <= {"_sqlite_migrations", "sqlite_sequence"}:
        return
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    if application_id != APPLICATION_ID or "_sqlite_migrations" not in tables:
        raise StoreDamagedError(
            f"{path} is an SQLite database, but not one of Heliograph's. Move it away, or set HELIOGRAPH_HOME to"
            " another folder.",
            path=path,
        )
    unknown = tuple(name for name in _load_applied(connection) if name not in NAMES)
    if unknown:
        message = (
            f"{path} was written by a newer version of Heliograph (unknown here: {', '.join(unknown)}). Get that"
            " version, or set HELIOGRAPH_HOME to another folder; the database was not changed."
        )
        raise StoreTooNewError(message, path=path, migrations=unknown)
    found = connection.execute("SELECT name, synthetic FROM workspace").fetchone()
    if found is not None and found != (workspace, int(synthetic)):
        raise WrongWorkspaceError(
            f"{path} belongs to the workspace {found[0]!r} ({'synthetic' if found[1] else 'real'} scores), not to"
            f" {workspace!r} ({'synthetic' if synthetic else 'real'} scores). Put it back into the folder of its"
            " workspace; it was not changed.",
            path=path,
            expected=workspace,
            found=str(found[0]),
        )


def _load_applied(connection: sqlite3.Connection) -> list[str]:
    sql = "SELECT name FROM _sqlite_migrations WHERE migration_set = ? ORDER BY id"
    return [name for (name,) in connection.execute(sql, (MIGRATION_SET,))]


def _migrate(connection: sqlite3.Connection, path: Path, *, workspace: str, synthetic: bool) -> None:
    if connection.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
        raise sqlite3.OperationalError(f"no write-ahead log at {path}")
    has_table = connection.execute("SELECT 1 FROM sqlite_master WHERE name = '_sqlite_migrations'").fetchone()
    if has_table and set(_load_applied(connection)) >= set(NAMES):
        return
    from heliograph.store._sqlite_utils import Database

    connection.execute("PRAGMA foreign_keys = OFF")  # a later migration may rebuild a table that others point to
    connection.execute("BEGIN IMMEDIATE")  # apply() itself begins deferred; inside ours it uses savepoints
    try:
        _refuse(connection, path, workspace=workspace, synthetic=synthetic)
        collect_migrations().apply(Database(connection, execute_plugins=False))
        broken = connection.execute("PRAGMA foreign_key_check").fetchone()
        if broken is not None:
            raise StoreDamagedError(
                f"{path} has rows that point to nothing ({broken}); restore a backup.", path=path
            )
        connection.execute(
            "INSERT INTO workspace (id, name, synthetic, created_utc) VALUES (1, ?, ?, ?) ON CONFLICT DO NOTHING",
            (workspace, int(synthetic), now_utc_text()),
        )
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
    connection.execute("PRAGMA foreign_keys = ON")


def _make_private_folder(folder: Path) -> None:
    for parent in reversed(folder.parents):
        if not parent.exists():
            with suppress(FileExistsError):
                parent.mkdir(mode=0o700)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "it is not a folder", str(folder))
    folder.chmod(0o700)


def _make_private_file(path: Path) -> None:
    """SQLite gives -wal and -shm the mode of the database file: one made 0600 beforehand keeps all three
    private, without changing the umask of the whole process."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        with suppress(FileNotFoundError):
            path.with_name(name).chmod(0o600)
