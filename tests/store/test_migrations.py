"""Migrations are frozen, every shipped schema upgrades, and foreign or newer databases are refused untouched."""

from __future__ import annotations

import hashlib
import inspect
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from heliograph.store import (
    RunState,
    Section,
    Store,
    StoreDamagedError,
    StoreTooNewError,
    WrongWorkspaceError,
    advance_run,
    count_open_flags,
    delete_run,
    load_cohort_cells,
    load_flags_due,
    load_store_facts,
)
from heliograph.store import _migrations as migrations
from tests.store.processes import run_together

SCHEMAS = Path(__file__).parent / "schemas"
SHIPPED = {
    "m001_first_schema": "0eecc80c1a08677cb992feb7f0a30aa8d9e58ab1e6f216a819e24eae07f1de17",
    "m002_analysis": "f790efda56849cc85a5f23b922597b61363713f667c65bcb09f5e7dbaa9f0f91",
}
FILLING = """
    INSERT INTO participants VALUES
        (2, 'P-2', '1990-01-01', 'MALE', 'de', NULL, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z');
    INSERT INTO recordings (id, file_name, media_type, byte_size, source, sample_rate_hz, processing, created_utc)
        VALUES (printf('%064d', 1), 'a.flac', 'audio/flac', 9, 'webrtc', 48000, '{"noise_suppression": "off"}',
            '2026-01-01T00:00:00.000Z');
    INSERT INTO runs (id, submission_key, kind, participant_id, recording_id, synthetic, date_of_birth, birth_sex,
        language, session_local, delete_data, state, queued_utc)
        VALUES
        (1, 'a', 'upload', 1, printf('%064d', 1), 1, '1980-01-01', 'FEMALE', 'en-GB', '2026-01-01T08:00:00', 0,
            'complete_ok', '2026-01-01T08:00:00.000Z'),
        (2, 'b', 'upload', 1, NULL, 1, '1980-01-01', 'FEMALE', 'en-GB', '2026-01-02T08:00:00', 0,
            'complete_error', '2026-01-02T08:00:00.000Z'),
        (3, 'c', 'upload', 2, NULL, 1, '1990-01-01', 'MALE', 'de', '2026-01-03T08:00:00', 0,
            'running', '2026-01-03T08:00:00.000Z');
    INSERT INTO tags VALUES (1, 'arm', 'a', '2026-01-01T08:00:00');
    INSERT INTO results (run_id, section, start_s, finish_s, stress) VALUES (1, 0, 0.0, 9.0, 0.66);
"""
OPENING = """
import pathlib
import sqlite_utils
from heliograph.store import Store, save_participant
wait()
with Store.open(pathlib.Path(sys.argv[1]), workspace="sandbox", synthetic=True) as store:
    save_participant(store, label=sys.argv[2], date_of_birth="1980-01-01", birth_sex="MALE", language="en")
"""


def dump_schema(path: Path) -> list[str]:
    """What the database holds besides rows, one statement each, in a fixed order."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type, name"
        ).fetchall()
    return [sql for (sql,) in rows]


def make_shipped(folder: Path, dump: Path) -> Path:
    """A database as the version that shipped `dump` left it."""
    folder.mkdir(parents=True)
    path = folder / "heliograph.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(dump.read_text())
        connection.execute("PRAGMA journal_mode = WAL")
    return path


def snapshot(folder: Path) -> dict[str, bytes]:
    """The database's files and their bytes."""
    return {path.name: path.read_bytes() for path in folder.glob("heliograph.db*")}


def test_migrations_that_have_shipped_have_not_changed() -> None:
    sources = {m.__name__: hashlib.sha256(inspect.getsource(m).encode()).hexdigest() for m in migrations.ALL}
    assert sources == SHIPPED, "a shipped migration is frozen: add a new one instead"


def test_migrations_are_named_by_their_number() -> None:
    assert [name[:5] for name in migrations.NAMES] == [f"m{n:03d}_" for n in range(1, len(migrations.ALL) + 1)]


def test_each_migration_has_a_dump_of_the_schema_it_shipped() -> None:
    assert sorted(path.stem for path in SCHEMAS.glob("*.sql")) == sorted(migrations.NAMES)


@pytest.mark.parametrize("dump", sorted(SCHEMAS.glob("*.sql")), ids=lambda path: path.stem)
def test_every_shipped_schema_upgrades_to_the_one_a_fresh_store_gets_and_keeps_its_rows(
    dump: Path, home: Path, store: Store, tmp_path: Path
) -> None:
    path = make_shipped(tmp_path / "old", dump)
    with Store.open(path.parent, workspace="sandbox", synthetic=True) as upgraded:
        assert dump_schema(path) == dump_schema(store.database_path)
        assert load_store_facts(upgraded).schema_version == migrations.NAMES[-1]
        with upgraded.read() as db:
            labels = [label for (label,) in db.conn.execute("SELECT label FROM participants")]
            assert labels == ["shipped"]


def test_what_the_first_schema_held_is_in_the_trend_and_the_cohort_and_flags_are_due_for_results(
    tmp_path: Path,
) -> None:
    path = make_shipped(tmp_path / "old", SCHEMAS / "m001_first_schema.sql")
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(FILLING)
        old = connection.execute("SELECT * FROM trend ORDER BY run_id").fetchall()
    with Store.open(path.parent, workspace="sandbox", synthetic=True) as store:
        with store.read() as db:
            for table in ("trend", "cohort"):
                names = ", ".join(column.name for column in db[table].columns)
                kept, computed = (
                    db.conn.execute(f"SELECT {names} FROM {source} ORDER BY run_id").fetchall()
                    for source in (table, f"{table}_source")
                )
                assert kept == computed
            new = db.conn.execute("SELECT * FROM trend ORDER BY run_id").fetchall()
            assert [row[: len(old[0])] for row in new] == old
            assert [row[len(old[0]) :] for row in new] == [
                ('{"noise_suppression": "off"}', 48000, "1980-01-01", "FEMALE", "{}"),
                (None, None, "1980-01-01", "FEMALE", "{}"),
                (None, None, "1990-01-01", "MALE", "{}"),
            ]
            assert db.conn.execute("SELECT run_id, day, stress, age FROM cohort").fetchall() == [(1, 20454, 2, 46)]
        assert [due.participant_id for due in load_flags_due(store)] == [1]
        assert count_open_flags(store) == 0
        advance_run(
            store,
            3,
            expect=list(RunState),
            state=RunState.COMPLETE_OK,
            sections=[Section(section=0, start_s=0, finish_s=1, stress=1.0)],
        )
        assert [due.participant_id for due in load_flags_due(store)] == [1, 2]
        delete_run(store, 1)
        assert load_cohort_cells(store)["participant_id"].tolist() == [2]


def test_a_migration_that_fails_half_way_leaves_the_database_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_shipped(tmp_path / "old", SCHEMAS / "m001_first_schema.sql")
    before = dump_schema(path)

    def m002_analysis(db: Any) -> None:
        db.executescript("CREATE TABLE half (id INTEGER); DROP VIEW trend_source; SELECT * FROM nowhere;")

    monkeypatch.setattr(migrations, "ALL", (migrations.m001_first_schema, m002_analysis))
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        Store.open(path.parent, workspace="sandbox", synthetic=True)
    assert dump_schema(path) == before
    monkeypatch.undo()
    with Store.open(path.parent, workspace="sandbox", synthetic=True) as store:
        assert load_store_facts(store).schema_version == migrations.NAMES[-1]


def test_all_tables_of_ours_are_strict(store: Store) -> None:
    with store.read() as db:
        rows = db.conn.execute(
            "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND type <> 'view'"
        ).fetchall()
    loose = {name for name, strict in rows if not strict}
    assert loose == {"_sqlite_migrations", "sqlite_schema", "sqlite_sequence"}


def test_many_processes_may_open_a_new_store_at_once(home: Path) -> None:
    answers = run_together(OPENING, [(str(home), f"P-{n}") for n in range(4)])
    assert answers == [("", "", 0)] * 4
    with Store.open(home, workspace="sandbox", synthetic=True) as store, store.read() as db:
        assert db["participants"].count == 4
        assert db["workspace"].count == 1


@pytest.mark.parametrize("logged", [False, True], ids=["closed", "with a log"])
def test_a_database_from_a_newer_version_is_refused_and_not_touched(home: Path, logged: bool) -> None:
    Store.open(home, workspace="sandbox", synthetic=True).close()
    path = home / "heliograph.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE things_to_come (id INTEGER PRIMARY KEY)")
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('heliograph', 'm999_future', '')"
        )
        connection.commit()
        if logged:
            before = snapshot(home)
            assert before["heliograph.db-wal"]
            with pytest.raises(StoreTooNewError):
                Store.open(home, workspace="sandbox", synthetic=True)
            after = snapshot(home)
            assert {name: after[name] for name in ("heliograph.db", "heliograph.db-wal")} == {
                name: before[name] for name in ("heliograph.db", "heliograph.db-wal")
            }
            return
    before = snapshot(home)
    with pytest.raises(StoreTooNewError, match="newer version of Heliograph") as caught:
        Store.open(home, workspace="sandbox", synthetic=True)
    assert caught.value.migrations == ("m999_future",)
    assert str(path) in str(caught.value)
    assert snapshot(home) == before


@pytest.mark.parametrize(("workspace", "synthetic"), [("live-us", True), ("sandbox", False)])
def test_a_database_of_another_workspace_is_refused_and_not_touched(
    home: Path, workspace: str, synthetic: bool
) -> None:
    Store.open(home, workspace="sandbox", synthetic=True).close()
    before = snapshot(home)
    with pytest.raises(WrongWorkspaceError, match="'sandbox'") as caught:
        Store.open(home, workspace=workspace, synthetic=synthetic)
    assert (caught.value.expected, caught.value.found) == (workspace, "sandbox")
    assert snapshot(home) == before


def test_somebody_elses_database_is_refused_and_not_touched(home: Path) -> None:
    home.mkdir(parents=True)
    with closing(sqlite3.connect(home / "heliograph.db")) as connection:
        connection.execute("CREATE TABLE recipes (id INTEGER PRIMARY KEY)")
    before = snapshot(home)
    with pytest.raises(StoreDamagedError, match="not one of Heliograph's"):
        Store.open(home, workspace="sandbox", synthetic=True)
    assert snapshot(home) == before


def test_a_first_opening_that_was_killed_half_way_is_completed_by_the_next(home: Path) -> None:
    home.mkdir(parents=True)
    with closing(sqlite3.connect(home / "heliograph.db")) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(
            "CREATE TABLE _sqlite_migrations"
            " (id INTEGER PRIMARY KEY, migration_set TEXT, name TEXT, applied_at TEXT)"
        )
    with Store.open(home, workspace="sandbox", synthetic=True) as store:
        assert load_store_facts(store).schema_version == migrations.NAMES[-1]
