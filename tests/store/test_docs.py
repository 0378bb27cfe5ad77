"""docs/store.md describes the schema there is: every table and every column, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from heliograph.store import FailureReason, RecordingSource, RunKind, RunState, Section, Store, advance_run
from heliograph.store._migrations import NAMES

DOCS = Path(__file__).parents[2] / "docs" / "store.md"
TABLE_SECTIONS = re.compile(r"^### (\w+)\n(.*?)(?=^##)", re.MULTILINE | re.DOTALL)
WORDS_OF_VALUES = {
    *(state.value for state in RunState),
    *(kind.value for kind in RunKind),
    *(source.value for source in RecordingSource),
    *(reason.value for reason in FailureReason),
    *[
        "on",
        "off",
        "unknown",
        "create",
        "get",
        "sandbox",
        "participants",
        "recordings",
        "attention",
        "open_flags",
        "trend_source",
        "cohort_source",
        "stress_0_10",
        "energy_0_10",
        "kss",
        "ewma",
        "cusum",
        "up",
        "down",
    ],
}


def load_columns(store: Store) -> dict[str, list[str]]:
    """The columns of each table of ours."""
    with store.read() as db:
        names = [name for name in db.table_names() if not name.startswith(("_", "sqlite_"))]
        return {name: [column.name for column in db[name].columns] for name in names}


def test_every_table_and_column_is_described_and_nothing_else(store: Store) -> None:
    described = dict(TABLE_SECTIONS.findall(DOCS.read_text(encoding="utf-8")))
    columns = load_columns(store)
    assert sorted(described) == sorted(columns)
    for table, text in described.items():
        named = set(re.findall(r"`(\w+)`", text))
        assert set(columns[table]) - named == set(), f"columns of {table} that are not described"
        elsewhere = WORDS_OF_VALUES | set(columns["runs"]) | set(columns)
        assert named - set(columns[table]) - elsewhere == set(), f"columns that {table} does not have"


def test_every_state_of_a_run_is_described() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert [state.value for state in RunState if f"`{state.value}`" not in text] == []


def test_the_pandas_example_runs(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.chdir(store.folder)
    names: dict[str, object] = {}
    exec(example, names)
    names["connection"].close()  # type: ignore[attr-defined]
    assert isinstance(names["scores"], pd.DataFrame)
    assert {"label", "session_local", "mental_strain"} <= set(names["scores"].columns)


def test_the_sql_example_runs_and_averages_within_participants_first(store: Store, make_run: Any) -> None:
    (example,) = re.findall(r"```sql\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    for number, (label, score) in enumerate([("P-1", 0.1), ("P-1", 0.3), ("P-2", 0.8)]):
        run_id = make_run(f"k{number}", label=label, tags={"arm": "a"}, recorded_local="2026-01-01T08:00:00")
        section = Section(section=0, start_s=0, finish_s=1, uniform_stress=score)
        advance_run(store, run_id, expect=list(RunState), state=RunState.COMPLETE_OK, sections=[section])
    with store.read() as db:
        ((arm, participants, runs, mean),) = db.conn.execute(example.strip().rstrip(";")).fetchall()
    assert (arm, participants, runs, mean) == ("a", 2, 3, pytest.approx(0.5))


def test_every_migration_is_described() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert [name for name in NAMES if f"`{name}`" not in text] == []
