"""Rows of SQLite to the store's records and back; the one place that knows which columns hold JSON, flags or
enums."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

from heliograph.store._records import (
    SCORE_COLUMNS,
    Participant,
    Recording,
    RecordingFacts,
    RecordingSource,
    Run,
    RunKind,
    RunRow,
    RunState,
)

if TYPE_CHECKING:
    from sqlite_utils import Database

Column: TypeAlias = str | int | float | None

RUN_ROW_COLUMNS = ", ".join(
    [
        "r.id, r.participant_id, p.label AS participant_label, r.kind, r.state, r.failure, r.error_code",
        "r.warnings, r.session_local, r.queued_utc, r.completed_utc, r.deletion_due_utc, r.last_problem",
        "r.needs_attention, r.synthetic, r.recording_id",
        "(SELECT json_group_object(t.name, t.value) FROM tags AS t WHERE t.run_id = r.id) AS tags",
        *(f"s.{name}" for name in SCORE_COLUMNS),
    ]
)
RUN_ROW_JOINS = (
    " JOIN participants AS p ON p.id = r.participant_id"
    " LEFT JOIN results AS s ON s.run_id = r.id AND s.section = 0"
)


def select_rows(
    db: Database, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()
) -> list[dict[str, Any]]:
    """The rows of a query as dicts by column name."""
    cursor = db.conn.execute(sql, parameters)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def select_value(db: Database, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> Any:
    """The first column of the first row, None when there is no row."""
    row = db.conn.execute(sql, parameters).fetchone()
    return None if row is None else row[0]


def to_column(value: object) -> Column:
    """A value as a column holds it: enums by value, flags as 0 and 1, lists and mappings as JSON (any Unicode
    kept)."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool):
        return int(value)
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, Mapping):
        return json.dumps(dict(value), ensure_ascii=False)
    if isinstance(value, (list, tuple, set, frozenset)):
        return json.dumps(list(value), ensure_ascii=False)
    raise TypeError(f"a column cannot hold {type(value).__name__}")


def insert_row(db: Database, table: str, row: Mapping[str, object]) -> int:
    """Inserts `row` and returns its rowid; table and column names are the store's own, never a caller's
    text."""
    names = ", ".join(row)
    marks = ", ".join("?" * len(row))
    sql = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608
    cursor = db.conn.execute(sql, [to_column(value) for value in row.values()])
    return int(cursor.lastrowid or 0)


def to_participant(row: Mapping[str, Any]) -> Participant:
    """A row of `participants`."""
    return Participant(**row)


def to_recording(row: Mapping[str, Any]) -> Recording:
    """A row of `recordings`."""
    own = {name: row[name] for name in ("id", "file_name", "byte_size", "created_utc", "purged_utc")}
    facts = {name: value for name, value in row.items() if name not in own}
    facts["source"] = RecordingSource(row["source"])
    facts["processing"] = json.loads(row["processing"])
    return Recording(**own, facts=RecordingFacts(**facts))


def to_run(row: Mapping[str, Any]) -> Run:
    """A row of `runs`."""
    return Run(
        **{
            **row,
            "kind": RunKind(row["kind"]),
            "state": RunState(row["state"]),
            "synthetic": bool(row["synthetic"]),
            "delete_data": bool(row["delete_data"]),
            "needs_attention": bool(row["needs_attention"]),
            "data_to_delete": None if row["data_to_delete"] is None else tuple(json.loads(row["data_to_delete"])),
            "warnings": _to_warnings(row["warnings"]),
        }
    )


def to_run_row(row: Mapping[str, Any]) -> RunRow:
    """A row of a query over `RUN_ROW_COLUMNS`."""
    own = {name: value for name, value in row.items() if name not in SCORE_COLUMNS}
    return RunRow(
        **{
            **own,
            "kind": RunKind(row["kind"]),
            "state": RunState(row["state"]),
            "synthetic": bool(row["synthetic"]),
            "needs_attention": bool(row["needs_attention"]),
            "warnings": _to_warnings(row["warnings"]),
            "tags": json.loads(row["tags"]),
            "scores": {name: row[name] for name in SCORE_COLUMNS if row[name] is not None},
        }
    )


def _to_warnings(text: str | None) -> tuple[str, ...]:
    return () if text is None else tuple(str(warning) for warning in json.loads(text))
