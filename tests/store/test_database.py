"""Connections, privacy of files, one writer at a time, and what people are told when the files cannot be used."""

from __future__ import annotations

import sqlite3
import stat
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from heliograph.store import (
    ConstraintError,
    DiskFullError,
    RecordingFacts,
    SQLiteTooOldError,
    Store,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreUnwritableError,
    load_setting,
    save_participant,
    save_recording,
    save_setting,
)
from heliograph.store import _database as database
from tests.store.processes import run_together

WRITING = """
import pathlib
from heliograph.store import Store
with Store.open(pathlib.Path(sys.argv[1]), workspace="sandbox", synthetic=True) as store:
    wait()
    for _ in range(60):
        with store.write() as db:
            (n,) = db.conn.execute("SELECT coalesce(max(CAST(value AS INTEGER)), 0) FROM settings").fetchone()
            values = (f"{sys.argv[2]}-{n + 1}", str(n + 1))
            db.conn.execute("INSERT INTO settings (key, value) VALUES (?, ?)", values)
"""


def modes(folder: Path) -> dict[str, str]:
    """The permissions of everything in `folder`."""
    return {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in folder.rglob("*")}


def is_private(folder: Path) -> bool:
    """Whether folders are 0700 and files 0600."""
    return all(
        stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
        for path in [folder, *folder.rglob("*")]
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_files_and_folders_are_private_to_the_user(home: Path, facts: RecordingFacts, tmp_path: Path) -> None:
    (tmp_path / "take.flac").write_bytes(b"audio")
    with Store.open(home, workspace="sandbox", synthetic=True) as store:
        save_recording(store, tmp_path / "take.flac", facts=facts)
        assert is_private(home.parent), modes(home.parent)
        names = {"heliograph.db", "heliograph.db-wal", "heliograph.db-shm", "recordings", "spool"}
        assert names <= set(modes(home))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_a_store_that_was_opened_to_others_is_made_private_again(home: Path) -> None:
    Store.open(home, workspace="sandbox", synthetic=True).close()
    home.chmod(0o755)
    (home / "heliograph.db").chmod(0o644)
    with Store.open(home, workspace="sandbox", synthetic=True):
        assert is_private(home), modes(home)


def test_three_writing_processes_lose_no_transaction_and_none_fails(home: Path) -> None:
    Store.open(home, workspace="sandbox", synthetic=True).close()
    answers = run_together(WRITING, [(str(home), str(n)) for n in range(3)])
    assert answers == [("", "", 0)] * 3
    with Store.open(home, workspace="sandbox", synthetic=True) as store, store.read() as db:
        values = sorted(int(value) for (value,) in db.conn.execute("SELECT value FROM settings"))
    assert values == list(range(1, 181)), "each transaction saw the one before it"


def test_threads_write_one_after_another(store: Store) -> None:
    def count_up() -> None:
        for _ in range(25):
            with store.write() as db:
                row = db.conn.execute("SELECT value FROM settings WHERE key = 'n'").fetchone()
                value = 1 + (int(row[0]) if row else 0)
                db.conn.execute("INSERT OR REPLACE INTO settings (key, value) VALUES ('n', ?)", (str(value),))

    threads = [threading.Thread(target=count_up) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert load_setting(store, "n") == "150"


def test_a_write_block_that_raises_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(KeyError), store.write() as db:  # noqa: PT012
        db.execute("INSERT INTO settings (key, value) VALUES ('a', 'b')")  # sqlite-utils' execute: no commit here
        raise KeyError
    assert load_setting(store, "a") is None


def test_a_read_block_cannot_write_and_sees_one_snapshot(store: Store) -> None:
    save_setting(store, "a", "1")
    with store.read() as db:
        query = "SELECT value FROM settings WHERE key = 'a'"
        assert db.conn.execute(query).fetchone() == ("1",)
        save_setting(store, "a", "2")
        assert db.conn.execute(query).fetchone() == ("1",)
    with pytest.raises(StoreUnwritableError), store.read() as db:
        db.conn.execute("DELETE FROM settings")
    assert load_setting(store, "a") == "2"


def test_write_blocks_do_not_nest_and_say_so(store: Store) -> None:
    with store.write(), pytest.raises(RuntimeError, match="do not nest"), store.write():
        pass
    save_setting(store, "still", "writable")


def test_a_closed_store_says_that_it_is_closed(home: Path) -> None:
    store = Store.open(home, workspace="sandbox", synthetic=True)
    store.close()
    store.close()
    with pytest.raises(RuntimeError, match="closed"):
        load_setting(store, "a")


def test_foreign_keys_are_enforced_and_named_as_a_constraint(store: Store) -> None:
    with pytest.raises(ConstraintError, match="FOREIGN KEY"), store.write() as db:
        db.conn.execute("INSERT INTO run_events (run_id, at_utc, state) VALUES (1, '', 'queued')")


def test_a_home_below_a_regular_file_is_named_as_unwritable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreUnwritableError, match="HELIOGRAPH_HOME") as caught:
        Store.open(tmp_path / "file" / "sandbox", workspace="sandbox", synthetic=True)
    assert str(tmp_path / "file") in str(caught.value)


def test_a_home_that_is_a_regular_file_is_named_as_unwritable_and_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("not a folder")
    path.chmod(0o640)
    with pytest.raises(StoreUnwritableError, match="not a folder"):
        Store.open(path, workspace="sandbox", synthetic=True)
    assert path.read_text() == "not a folder"
    assert sys.platform == "win32" or stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_database_that_has_become_a_folder_is_named_as_unwritable(home: Path) -> None:
    (home / "heliograph.db").mkdir(parents=True)
    with pytest.raises(StoreError, match=r"heliograph\.db"):
        Store.open(home, workspace="sandbox", synthetic=True)


def test_a_full_disk_undoes_the_change_and_says_what_to_do(store: Store) -> None:
    save_setting(store, "before", "kept")
    with pytest.raises(DiskFullError, match="Free some disk space") as caught, store.write() as db:  # noqa: PT012
        (pages,) = db.conn.execute("PRAGMA page_count").fetchone()
        db.conn.execute(f"PRAGMA max_page_count = {pages + 2}")
        db.conn.execute("INSERT INTO settings (key, value) VALUES ('first', 'fits')")
        db.conn.execute("INSERT INTO settings (key, value) VALUES ('big', ?)", ("x" * 100_000,))
    assert str(store.database_path) in str(caught.value)
    assert load_setting(store, "before") == "kept"
    assert load_setting(store, "first") is None


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_while_a_recording_is_copied_leaves_no_file(
    store: Store, facts: RecordingFacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from heliograph.store import _files

    def refuse(handle: int) -> None:
        with Path("/dev/full").open("wb", buffering=0) as full:
            full.write(b"x")

    (tmp_path / "take.flac").write_bytes(b"audio")
    monkeypatch.setattr(_files.os, "fsync", refuse)
    with pytest.raises(DiskFullError, match="recordings"):
        save_recording(store, tmp_path / "take.flac", facts=facts)
    assert [path for path in store.recordings_folder.iterdir() if not path.name.startswith(".live-")] == []


@pytest.mark.parametrize("content", [b"this is no database, it is a letter to a friend" * 100, b"\x00" * 8192])
def test_a_file_that_is_no_database_is_named_as_damaged_and_not_touched(home: Path, content: bytes) -> None:
    home.mkdir(parents=True)
    (home / "heliograph.db").write_bytes(content)
    with pytest.raises(StoreDamagedError, match="backup"):
        Store.open(home, workspace="sandbox", synthetic=True)
    assert (home / "heliograph.db").read_bytes() == content


def test_a_database_with_a_broken_page_is_named_as_damaged(home: Path) -> None:
    with Store.open(home, workspace="sandbox", synthetic=True) as store:
        person = {"date_of_birth": "1980-01-01", "birth_sex": "MALE", "language": "en"}
        for n in range(200):
            save_participant(store, label=f"P-{n}", **person)
        with store.read() as db:
            (root,) = db.conn.execute("SELECT rootpage FROM sqlite_master WHERE name = 'participants'").fetchone()
    with (home / "heliograph.db").open("r+b") as file:
        file.seek((root - 1) * 4096)
        file.write(b"\xff" * 4096)
    with (
        Store.open(home, workspace="sandbox", synthetic=True) as store,
        pytest.raises(StoreDamagedError, match=r"heliograph\.db is damaged"),
        store.read() as db,
    ):
        db.conn.execute("SELECT * FROM participants").fetchall()


def test_a_database_that_another_program_holds_is_named_as_locked(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.1)
    with closing(sqlite3.connect(store.database_path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusyError, match="locked by another process") as caught:
            save_setting(store, "a", "b")
        other.execute("ROLLBACK")
    assert str(store.database_path) in str(caught.value)
    save_setting(store, "a", "b")


def test_a_database_that_vanished_is_not_made_anew(store: Store) -> None:
    for path in store.folder.glob("heliograph.db*"):
        path.rename(path.with_name("moved-" + path.name))
    with pytest.raises(StoreUnwritableError):
        save_setting(store, "a", "b")
    assert not store.database_path.exists()


def test_an_sqlite_without_strict_tables_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database.sqlite3, "sqlite_version_info", (3, 36, 0))
    with pytest.raises(SQLiteTooOldError, match=r"3\.37\.0"):
        Store.open(home, workspace="sandbox", synthetic=True)
    assert not home.exists()
