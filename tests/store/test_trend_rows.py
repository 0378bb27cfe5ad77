"""The rows of the trend and of the cohort, which triggers keep, are those that the other tables give, through
every kind of change."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from heliograph.store import (
    SCORE_COLUMNS,
    TREND_COLUMNS,
    RecordingFacts,
    RunState,
    Section,
    Store,
    advance_run,
    delete_run,
    load_trend,
    purge_run,
    save_recording,
)

SEED = 20261
STEPS = 80
DIRECT_CHANGES = (
    "UPDATE runs SET session_local = '2020-01-01T00:00:00' WHERE id = 1",
    "UPDATE runs SET participant_id = 2 WHERE id = 1",
    "UPDATE runs SET language = 'ja', accent = 'KE', quality_override = 'x', asleep_local = NULL WHERE id = 1",
    "UPDATE runs SET recording_id = NULL WHERE id = 1",
    "UPDATE tags SET value = 'changed' WHERE run_id = 1 AND name = 'arm'",
    "UPDATE tags SET run_id = 2, name = 'moved' WHERE run_id = 1 AND name = 'arm'",
    "DELETE FROM tags WHERE run_id = 1",
    "INSERT INTO tags (run_id, name, value, session_local) VALUES (1, 'new', 'é', '2026-01-01T00:00:00')",
    "UPDATE results SET stress = 0.66, uniform_stress = 0.7 WHERE run_id = 1",
    "UPDATE results SET section = 5 WHERE run_id = 1",
    "UPDATE results SET run_id = 2 WHERE run_id = 1",
    "DELETE FROM results WHERE run_id = 1",
    "INSERT INTO results (run_id, section, start_s, finish_s, stress) VALUES (2, 0, 0.0, 1.0, 0.33)",
    "UPDATE recordings SET speech_s = 1.5, source = 'upload', snr_db = 3.0",
    "UPDATE runs SET date_of_birth = '1990-12-31', birth_sex = 'MALE' WHERE id = 1",
    """UPDATE recordings SET processing = '{"noise_suppression": "on"}', sample_rate_hz = 16000""",
    "INSERT INTO ratings (run_id, scale, value) VALUES (1, 'kss', 3.0)",
    "UPDATE ratings SET value = 9.0 WHERE run_id = 1",
    "UPDATE ratings SET run_id = 2, scale = 'moved' WHERE run_id = 1",
    "DELETE FROM ratings WHERE run_id = 1",
    "UPDATE runs SET state = 'failed' WHERE id = 1",
    "DELETE FROM runs WHERE id = 1",
)
LEAVE_NO_RESULT = ("results SET section", "results SET run_id", "FROM results", "'failed'", "FROM runs")


def load_both(store: Store) -> tuple[list[Any], list[Any]]:
    """The rows that are kept and the rows as they should be, of the trend and of the cohort."""
    kept: list[Any] = []
    computed: list[Any] = []
    with store.read() as db:
        for table in ("trend", "cohort"):
            names = ", ".join(load_names(store, table))
            kept += db.conn.execute(f"SELECT {names} FROM {table} ORDER BY run_id").fetchall()
            computed += db.conn.execute(f"SELECT {names} FROM {table}_source ORDER BY run_id").fetchall()
    return kept, computed


def load_names(store: Store, table: str) -> list[str]:
    """The columns of a table or view, in order."""
    with store.read() as db:
        return [row[1] for row in db.conn.execute(f"PRAGMA table_info({table})")]


@pytest.fixture
def recording_id(store: Store, facts: RecordingFacts, tmp_path: Path) -> str:
    """A recording to give to runs."""
    (tmp_path / "take.flac").write_bytes(b"audio")
    return save_recording(store, tmp_path / "take.flac", facts=facts).id


def test_the_kept_rows_have_the_columns_of_the_computed_ones_in_their_order(store: Store) -> None:
    kept = load_names(store, "trend")
    assert kept == load_names(store, "trend_source")
    assert sorted(kept) == sorted(("participant_id", *TREND_COLUMNS))
    assert [*load_names(store, "cohort"), "session_local"] == load_names(store, "cohort_source")


@pytest.mark.parametrize("change", DIRECT_CHANGES)
def test_a_change_of_any_table_behind_the_trend_reaches_its_row(
    store: Store, make_run: Any, recording_id: str, change: str
) -> None:
    for key in ("a", "b"):
        rated = {"ratings": {"stress_0_10": 2}, "awake_local": "2026-01-01T06:00:00"}
        make_run(key, label=f"P-{key}", recording_id=recording_id, tags={"arm": key}, accent="GB", **rated)
    section = Section(section=0, start_s=0, finish_s=1, stress=0.33)
    advance_run(store, 1, expect=list(RunState), state=RunState.COMPLETE_OK, sections=[section])
    before, _ = load_both(store)
    with store.write() as db:
        assert db.conn.execute(change).rowcount > 0
    kept, computed = load_both(store)
    assert kept == computed
    assert kept != before
    with store.read() as db:
        results = [run_id for (run_id,) in db.conn.execute("SELECT run_id FROM cohort")]
    assert (1 in results) == (not any(words in change for words in LEAVE_NO_RESULT))


def test_the_session_that_tags_repeat_follows_the_runs(store: Store, make_run: Any) -> None:
    make_run("k", tags={"arm": "a"}, recorded_local="2026-03-01T09:00:00")
    sql = "SELECT t.session_local, r.session_local FROM tags AS t JOIN runs AS r ON r.id = t.run_id"
    with store.write() as db:
        assert db.conn.execute(sql).fetchall() == [("2026-03-01T09:00:00",) * 2]
        db.conn.execute("UPDATE runs SET session_local = '2020-01-01T00:00:00'")
        assert db.conn.execute(sql).fetchall() == [("2020-01-01T00:00:00",) * 2]


def test_after_any_sequence_of_changes_the_kept_rows_are_the_computed_ones(
    store: Store, make_run: Any, recording_id: str
) -> None:
    chance = random.Random(SEED)
    runs: list[int] = []
    most_results = 0
    for step in range(STEPS):
        kind = chance.choices(["add", "advance", "score", "purge", "delete"], [5, 4, 4, 1, 1])[0]
        if kind == "add" or not runs:
            tags = {name: str(step) for name in chance.sample(["a", "b", "c"], chance.randrange(4))}
            day = f"2026-01-{chance.randrange(1, 29):02d}T08:00:00"
            chosen = chance.choice([None, recording_id])
            label = f"P-{chance.randrange(3)}"
            given = {"tags": tags, "recorded_local": day, "recording_id": chosen, "ratings": {"kss": step}}
            runs.append(make_run(f"k{step}", label=label, **given))
        elif kind == "delete":
            delete_run(store, runs.pop(chance.randrange(len(runs))))
            with store.read() as db:  # the last run with it takes the recording along
                if not db.conn.execute("SELECT 1 FROM recordings").fetchall():
                    break
        elif kind == "purge":
            purge_run(store, chance.choice(runs))
        else:
            scores = {name: chance.random() for name in chance.sample(SCORE_COLUMNS, 4)}
            sections = [
                Section(section=n, start_s=n, finish_s=n + 1, **scores) for n in range(chance.randrange(3))
            ]
            changes: dict[str, object] = {"error_code": f"E{step}", "warnings": [str(step)]}
            state = chance.choice([*RunState, *[RunState.COMPLETE_OK] * 8])
            advance_run(
                store,
                chance.choice(runs),
                expect=list(RunState),
                state=state,
                changes=changes if kind == "advance" else {},
                sections=sections if kind == "score" else None,
            )
        kept, computed = load_both(store)
        assert kept == computed
        most_results = max(most_results, len(kept) - len(runs))
    assert len(runs) > 10
    assert most_results > 2


def test_what_a_purge_takes_away_is_gone_from_the_trend(store: Store, make_run: Any) -> None:
    run_id = make_run("k", tags={"private": "note"}, asleep_local="2026-01-01T23:00:00")
    section = Section(section=0, start_s=0, finish_s=1, stress=1.0)
    changes = {"warnings": ["LOW_SNR"]}
    advance_run(
        store, run_id, expect=list(RunState), state=RunState.COMPLETE_OK, changes=changes, sections=[section]
    )
    assert load_trend(store, 1)["stress"].tolist() == [1.0]
    purge_run(store, run_id)
    row = load_trend(store, 1).iloc[0]
    assert row[list(SCORE_COLUMNS)].isna().all()
    assert row[["asleep_local", "warnings"]].isna().all()
    assert (row["run_id"], row["tags"]) == (run_id, "{}")


def test_a_change_that_is_undone_leaves_the_trend_as_it_was(store: Store, make_run: Any) -> None:
    make_run("k", tags={"a": "b"})
    before, _ = load_both(store)
    with pytest.raises(KeyError), store.write() as db:  # noqa: PT012
        db.conn.execute("DELETE FROM runs")
        raise KeyError
    assert load_both(store) == (before, before)
