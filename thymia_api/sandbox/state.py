"""What a sandbox remembers: runs, the recordings handed in, and a log of what was done, in one SQLite file.

Several processes may share one folder. Every block opens its own connection (none crosses a thread), writes
run under BEGIN IMMEDIATE, recordings are files written to a temporary name, fsynced and renamed before their
row says that they are there. Erased rows are overwritten on disk (`secure_delete`, and the WAL is truncated).
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import sqlite3
import tempfile
import time
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from thymia_api.sandbox._rows import Outcome, RunRow
from thymia_api.sandbox.clock import VirtualClock

SCHEMA_VERSION = 1
DELETION_DELAY_S = 12 * 3600
"""From completion to deletion of a run's data, in seconds on the sandbox's clock."""
BUSY_TIMEOUT_S = 10.0
_ABANDONED_UPLOAD_S = 3600.0

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE runs (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, user_label TEXT NOT NULL, request TEXT NOT NULL,
  delete_data INTEGER NOT NULL, recordings_only INTEGER NOT NULL,
  activity_token TEXT UNIQUE, activity_expires_s REAL,
  created_s REAL NOT NULL, run_s REAL, completed_s REAL,
  recording_name TEXT, recording_sha256 TEXT, recording_bytes INTEGER,
  status TEXT, error_code TEXT, error_reason TEXT, warnings TEXT, results TEXT, deletion_due_s REAL
) STRICT;
CREATE INDEX runs_pending ON runs (run_s) WHERE run_s IS NOT NULL AND status IS NULL;
CREATE INDEX runs_deletion_due ON runs (deletion_due_s) WHERE deletion_due_s IS NOT NULL;
CREATE TABLE log (
  id INTEGER PRIMARY KEY, at_s REAL NOT NULL, run_id TEXT NOT NULL, event TEXT NOT NULL, detail TEXT
) STRICT;
CREATE INDEX log_run ON log (run_id, id);
"""


class LogEvent(NamedTuple):
    """Something that was done with a run, at a second of the sandbox's clock."""

    at_s: float
    event: str
    detail: str | None


class StateError(Exception):
    """The state folder can't be used; the message says which and why."""


class State:
    """The state of one sandbox. Every method may be called from any thread; none may run on an event loop."""

    def __init__(self, folder: Path | None, *, clock_rate: float) -> None:
        """Open or make the folder (a temporary one for None); raises `StateError`."""
        self.shared = folder is not None
        self.folder = Path(tempfile.mkdtemp(prefix="thymia-sandbox-")) if folder is None else folder.absolute()
        self._path = self.folder / "sandbox.db"
        self.recordings = self.folder / "recordings"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            self.recordings.mkdir(mode=0o700, exist_ok=True)
            with FileLock(self.folder / "open.lock", timeout=30, mode=0o600):
                os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
                # One connection stays open, so that closing the others never checkpoints and drops the WAL.
                self._anchor = sqlite3.connect(self._path, check_same_thread=False)
                self._anchor.execute("PRAGMA journal_mode=WAL")
                self.secret, self.clock = self._set_up(clock_rate)
        except (OSError, sqlite3.Error, TimeoutError) as error:
            raise StateError(f"the state folder {self.folder} can't be used: {error}") from error
        self.close = weakref.finalize(self, _close, self._anchor, None if self.shared else self.folder)

    def _set_up(self, clock_rate: float) -> tuple[bytes, VirtualClock]:
        with self._write() as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise StateError(f"the state folder {self.folder} was written by a newer version")
            if version == 0:
                for statement in _SCHEMA.split(";"):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            meta = dict(db.execute("SELECT key, value FROM meta").fetchall())
            now_s = time.time()
            if "clock" in meta:
                clock = VirtualClock(**json.loads(meta["clock"]))
                if clock.rate != clock_rate:
                    clock = clock.with_rate(clock_rate, now_s)
            else:
                clock = VirtualClock(clock_rate, now_s, now_s)
            meta.setdefault("secret", secrets.token_hex(32))
            meta["clock"] = json.dumps(vars(clock))
            db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(meta.items()))
        return bytes.fromhex(meta["secret"]), clock

    @contextlib.contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        try:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA synchronous=NORMAL")
            db.execute("PRAGMA secure_delete=ON")
            yield db
        finally:
            db.close()

    @contextlib.contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._read() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def _log(self, db: sqlite3.Connection, run_id: str, event: str, detail: str | None = None) -> None:
        db.execute(
            "INSERT INTO log (at_s, run_id, event, detail) VALUES (?, ?, ?, ?)",
            (self.clock.now(), run_id, event, detail),
        )

    # Runs

    def add_run(
        self,
        *,
        run_id: str,
        kind: str,
        request: Mapping[str, object],
        user_label: str,
        delete_data: bool,
        recordings_only: bool,
        created_s: float,
        activity_token: str | None = None,
        activity_expires_s: float | None = None,
    ) -> None:
        """Write a new run down; `request` is the validated body."""
        with self._write() as db:
            db.execute(
                "INSERT INTO runs (id, kind, user_label, request, delete_data, recordings_only, created_s,"
                " activity_token, activity_expires_s) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    run_id,
                    kind,
                    user_label,
                    json.dumps(request),
                    delete_data,
                    recordings_only,
                    created_s,
                    activity_token,
                    activity_expires_s,
                ),
            )
            self._log(db, run_id, "created", kind)

    def load_run(self, run_id: str) -> RunRow | None:
        """The run, or None when there is none or its deletion is due, whether or not it is carried out yet."""
        return self._load_run("id", run_id)

    def load_activity(self, token: str) -> RunRow | None:
        """The run behind an activity's token, likewise."""
        return self._load_run("activity_token", token)

    def _load_run(self, column: str, value: str) -> RunRow | None:
        with self._read() as db:
            row = db.execute(f"SELECT * FROM runs WHERE {column} = ?", (value,)).fetchone()  # noqa: S608
        run = RunRow.from_row(row) if row is not None else None
        return None if run is None or run.is_erased(self.clock.now()) else run

    def attach_recording(self, run_id: str, part: Path, *, sha256: str, size: int) -> bool:
        """Make the fsynced file `part` (in `recordings`) the run's one recording; False when it has one already.

        The file is renamed before the row is written; a crash in between leaves a file without a row, which
        `remove_strays` removes, and a run that still waits.
        """
        name = f"{run_id}-{secrets.token_hex(8)}.recording"
        path = self.recordings / name
        part.rename(path)
        _fsync_folder(self.recordings)
        with self._write() as db:
            changed = db.execute(
                "UPDATE runs SET run_s = ?, recording_name = ?, recording_sha256 = ?, recording_bytes = ?"
                " WHERE id = ? AND run_s IS NULL",
                (self.clock.now(), name, sha256, size, run_id),
            ).rowcount
            if changed:
                self._log(db, run_id, "uploaded", sha256)
        if not changed:
            path.unlink()
        return bool(changed)

    # Execution

    def start_execution(self, *, skip: frozenset[str]) -> RunRow | None:
        """The longest waiting run with a recording and no outcome, logged as started; None when there is none."""
        with self._read() as db:
            rows = db.execute(
                "SELECT * FROM runs WHERE run_s IS NOT NULL AND status IS NULL ORDER BY run_s LIMIT ?",
                (len(skip) + 1,),
            ).fetchall()
        for row in rows:
            if row["id"] not in skip:
                with self._write() as db:
                    self._log(db, row["id"], "execution_started")
                return RunRow.from_row(row)
        return None

    def finish_execution(self, run: RunRow, outcome: Outcome, *, completed_s: float) -> bool:
        """Write the outcome, to be seen from `completed_s` on; False when the run has one already."""
        with self._write() as db:
            changed = db.execute(
                "UPDATE runs SET status = ?, error_code = ?, error_reason = ?, warnings = ?, results = ?,"
                " completed_s = ?, deletion_due_s = ? WHERE id = ? AND status IS NULL",
                (
                    outcome.status,
                    outcome.error_code,
                    outcome.error_reason,
                    json.dumps(outcome.warnings) if outcome.warnings else None,
                    json.dumps(outcome.results) if outcome.results is not None else None,
                    completed_s,
                    completed_s + DELETION_DELAY_S if run.delete_data else None,
                    run.id,
                ),
            ).rowcount
            if changed:
                self._log(db, run.id, "executed", outcome.error_code or outcome.status)
        return bool(changed)

    # Deletion

    def load_next_deletion(self) -> float | None:
        """Virtual second at which the next deletion is due; None when none is planned."""
        with self._read() as db:
            row = db.execute(
                "SELECT deletion_due_s FROM runs WHERE deletion_due_s IS NOT NULL ORDER BY deletion_due_s LIMIT 1"
            ).fetchone()
        return float(row[0]) if row is not None else None

    def erase_due(self) -> int:
        """Carry out the deletions that are due: files first, then rows; returns how many runs were touched."""
        with self._read() as db:
            rows = db.execute(
                "SELECT * FROM runs WHERE deletion_due_s IS NOT NULL AND deletion_due_s <= ?",
                (self.clock.now(),),
            ).fetchall()
            for run in map(RunRow.from_row, rows):
                if run.recording_name is not None:
                    (self.recordings / run.recording_name).unlink(missing_ok=True)
        if not rows:
            return 0
        with self._write() as db:
            for run in map(RunRow.from_row, rows):
                db.execute("UPDATE log SET detail = NULL WHERE run_id = ?", (run.id,))
                if run.recordings_only:
                    db.execute(
                        "UPDATE runs SET recording_name = NULL, recording_sha256 = NULL, recording_bytes = NULL,"
                        " deletion_due_s = NULL WHERE id = ?",
                        (run.id,),
                    )
                    self._log(db, run.id, "recording_deleted")
                else:
                    db.execute("DELETE FROM runs WHERE id = ?", (run.id,))
                    self._log(db, run.id, "deleted")
        with self._read() as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return len(rows)

    def remove_strays(self) -> None:
        """Remove files that a killed process left behind: no row knows them and nobody has written for an hour."""
        with self._read() as db:
            known = {
                row[0] for row in db.execute("SELECT recording_name FROM runs WHERE recording_name IS NOT NULL")
            }
        for path in self.recordings.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if path.name not in known and time.time() - path.stat().st_mtime > _ABANDONED_UPLOAD_S:
                    path.unlink()

    # Inspection

    def load_log(self) -> tuple[list[RunRow], dict[str, list[LogEvent]]]:
        """Every run that is still there, and every logged event by run id (deleted runs too), oldest first."""
        events: dict[str, list[LogEvent]] = {}
        with self._read() as db:
            runs = [RunRow.from_row(row) for row in db.execute("SELECT * FROM runs ORDER BY created_s")]
            for row in db.execute("SELECT at_s, run_id, event, detail FROM log ORDER BY id"):
                event = LogEvent(row["at_s"], row["event"], row["detail"])
                events.setdefault(row["run_id"], []).append(event)
        return runs, events


def _fsync_folder(folder: Path) -> None:
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _close(anchor: sqlite3.Connection, temporary: Path | None) -> None:
    anchor.close()
    if temporary is not None:
        shutil.rmtree(temporary, ignore_errors=True)
