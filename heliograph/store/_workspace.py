"""What the workspace knows about itself: its settings, its worker, its size and schema."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from dataclasses import fields

from heliograph.store._database import Store
from heliograph.store._migrations import MIGRATION_SET
from heliograph.store._records import StoreFacts, WorkerState, WorkerStatus
from heliograph.store._rows import select_rows, select_value, to_column

_WORKER_COLUMNS = tuple(field.name for field in fields(WorkerStatus))


def load_setting(store: Store, key: str) -> str | None:
    """The value of a setting of this workspace, None when it was never set."""
    with store.read() as db:
        found = select_value(db, "SELECT value FROM settings WHERE key = ?", (key,))
    return None if found is None else str(found)


def save_setting(store: Store, key: str, value: str | None) -> None:
    """Sets a setting; None takes it away."""
    with store.write() as db:
        if value is None:
            db.conn.execute("DELETE FROM settings WHERE key = ?", (key,))
            return
        sql = (
            "INSERT INTO settings (key, value) VALUES (?, ?)"
            " ON CONFLICT (key) DO UPDATE SET value = excluded.value"
        )
        db.conn.execute(sql, (key, value))


def load_worker(store: Store) -> WorkerStatus:
    """What the worker last said about itself."""
    with store.read() as db:
        row = select_rows(db, f"SELECT {', '.join(_WORKER_COLUMNS)} FROM worker")[0]  # noqa: S608
    return WorkerStatus(**{**row, "state": WorkerState(row["state"])})


def save_worker(store: Store, **changes: object) -> None:
    """Changes fields of `WorkerStatus`; ValueError for a name that is none of them."""
    unknown = sorted(set(changes) - set(_WORKER_COLUMNS))
    if unknown:
        raise ValueError(f"a worker has no {', '.join(unknown)}")
    if not changes:
        return
    if "state" in changes:
        changes["state"] = WorkerState(str(changes["state"]))
    assignments = ", ".join(f"{name} = ?" for name in changes)
    with store.write() as db:
        values = [to_column(value) for value in changes.values()]
        db.conn.execute(f"UPDATE worker SET {assignments} WHERE id = 1", values)  # noqa: S608


def load_store_facts(store: Store) -> StoreFacts:
    """Where the store is, how large the database is with its log, and which schema it has."""
    size = 0
    for suffix in ("", "-wal"):
        with suppress(FileNotFoundError):
            size += store.database_path.with_name(store.database_path.name + suffix).stat().st_size
    with store.read() as db:
        sql = "SELECT name FROM _sqlite_migrations WHERE migration_set = ? ORDER BY id DESC LIMIT 1"
        schema_version = str(select_value(db, sql, (MIGRATION_SET,)))
        created_utc = str(select_value(db, "SELECT created_utc FROM workspace"))
    return StoreFacts(
        folder=str(store.folder),
        database_bytes=size,
        schema_version=schema_version,
        sqlite_version=sqlite3.sqlite_version,
        created_utc=created_utc,
    )
