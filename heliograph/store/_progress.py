"""The worker's side of runs: what is due, moving a run on by compare-and-set, and taking data away again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from heliograph.store._database import Store
from heliograph.store._recordings import delete_in, file_deletions, is_waiting, purge_in, recording_path
from heliograph.store._records import Recording, Run, RunState, Section
from heliograph.store._rows import insert_row, select_rows, select_value, to_column, to_run
from heliograph.store._submissions import add_event
from heliograph.store._times import now_utc_text

if TYPE_CHECKING:
    from sqlite_utils import Database

CHANGEABLE = frozenset(
    {
        "recording_id",
        "failure",
        "failure_detail",
        "thymia_id",
        "thymia_status",
        "upload_url",
        "upload_url_expires_utc",
        "activity_link",
        "error_code",
        "error_reason",
        "warnings",
        "created_utc",
        "run_utc",
        "completed_utc",
        "deletion_due_utc",
        "deleted_at_thymia_utc",
        "next_step_utc",
        "attempts",
        "last_problem",
        "needs_attention",
    }
)
"""The columns of `runs` that `advance_run` may change besides `state`; what was submitted stays as it was."""

DUE_RUNS = "SELECT * FROM runs WHERE next_step_utc <= :now ORDER BY next_step_utc, id LIMIT :limit"
NEXT_DUE = "SELECT min(next_step_utc) FROM runs WHERE next_step_utc IS NOT NULL"
DUE_PURGES = """
    SELECT * FROM runs WHERE deletion_due_utc <= :now AND purged_utc IS NULL ORDER BY deletion_due_utc LIMIT :limit
"""
_NO_CHANGES: Mapping[str, object] = MappingProxyType({})


def load_due_runs(store: Store, now_utc: str, limit: int = 50) -> list[Run]:
    """Runs whose next step is due at `now_utc`, longest due first."""
    with store.read() as db:
        return [to_run(row) for row in select_rows(db, DUE_RUNS, {"now": now_utc, "limit": limit})]


def load_next_due_utc(store: Store) -> str | None:
    """When the next step of any run is due, perhaps in the past; None when no run waits for a step."""
    with store.read() as db:
        found = select_value(db, NEXT_DUE)
    return None if found is None else str(found)


def load_due_purges(store: Store, now_utc: str, limit: int = 50) -> list[Run]:
    """Runs whose data thymia has deleted by `now_utc` and this store still holds."""
    with store.read() as db:
        return [to_run(row) for row in select_rows(db, DUE_PURGES, {"now": now_utc, "limit": limit})]


def advance_run(
    store: Store,
    run_id: int,
    *,
    expect: Collection[RunState],
    state: RunState,
    detail: str | None = None,
    changes: Mapping[str, object] = _NO_CHANGES,
    answer: tuple[str, str] | None = None,
    sections: Sequence[Section] | None = None,
) -> bool:
    """Moves a run to `state` in one transaction, if it is in one of `expect` (compare-and-set); False, and
    nothing written, when it is not any more or is deleted.

    `changes` are columns of `CHANGEABLE` (lists and mappings become JSON; ValueError for another name).
    `answer` is (operation, body): a `get` is kept only when it differs from the one before. `sections`, when
    given, replace the run's results. An event is written when the state or, with a `detail`, the last event's
    detail changes.
    """
    unknown = sorted(set(changes) - CHANGEABLE)
    if unknown:
        raise ValueError(f"these columns of a run cannot be changed: {', '.join(unknown)}")
    state = RunState(state)
    with store.write() as db:
        current = select_value(db, "SELECT state FROM runs WHERE id = ?", (run_id,))
        if current is None or RunState(current) not in expect:
            return False
        values: dict[str, object] = dict(changes)
        if current != state:
            values["state"] = state
        if values:
            assignments = ", ".join(f"{name} = ?" for name in values)
            sql = f"UPDATE runs SET {assignments} WHERE id = ?"  # noqa: S608 - names are of CHANGEABLE
            db.conn.execute(sql, [*(to_column(value) for value in values.values()), run_id])
        if current != state or (detail is not None and detail != _select_last_detail(db, run_id)):
            add_event(db, run_id, state, detail)
        if answer is not None:
            _add_answer(db, run_id, *answer)
        if sections is not None:
            _replace_sections(db, run_id, sections)
    return True


def delete_run(store: Store, run_id: int) -> Path | None:
    """Deletes a run with everything that hangs on it; runs that repeat it stay. Its recording goes too unless
    another run uses it or, saved anew after a purge, it waits to be submitted: the path of the removed file is
    returned, else None. A run that is gone already is no error."""
    with file_deletions(store) as doomed, store.write() as db:
        recording_id = select_value(db, "SELECT recording_id FROM runs WHERE id = ?", (run_id,))
        db.conn.execute("DELETE FROM runs WHERE id = ?", (run_id,))
        if recording_id is not None and not is_waiting(db, recording_id):
            delete_in(store, db, recording_id, doomed)
    return recording_path(store, doomed[0]) if doomed else None


def purge_run(store: Store, run_id: int, *, recording_only: bool = False) -> bool:
    """Takes away what a run holds of the participant, as thymia does when all data is to be deleted: results,
    answers, tags, ratings, flags, sleep times, links, and the recording's file unless a run that is not purged
    uses it (`recording_only`: the file alone). The run, its session time, states and events stay. False when it
    is gone or was purged before."""
    with file_deletions(store) as doomed, store.write() as db:
        rows = select_rows(db, "SELECT recording_id FROM runs WHERE id = ? AND purged_utc IS NULL", (run_id,))
        if not rows:
            return False
        db.conn.execute("UPDATE runs SET purged_utc = ? WHERE id = ?", (now_utc_text(), run_id))
        if not recording_only:
            for table in ("results", "answers", "tags", "ratings", "flags"):
                db.conn.execute(f"DELETE FROM {table} WHERE run_id = ?", (run_id,))  # noqa: S608
            sql = (
                "UPDATE runs SET asleep_local = NULL, awake_local = NULL, upload_url = NULL, activity_link = NULL,"
                " warnings = NULL WHERE id = ?"
            )
            db.conn.execute(sql, (run_id,))
        _purge_unused(store, db, rows[0]["recording_id"], doomed)
    return True


def _purge_unused(store: Store, db: Database, recording_id: str | None, doomed: list[Recording]) -> None:
    sql = "SELECT 1 FROM runs WHERE recording_id = ? AND purged_utc IS NULL LIMIT 1"
    if recording_id is not None and select_value(db, sql, (recording_id,)) is None:
        purge_in(store, db, recording_id, doomed)


def _select_last_detail(db: Database, run_id: int) -> str | None:
    sql = "SELECT detail FROM run_events WHERE run_id = ? ORDER BY id DESC LIMIT 1"
    found = select_value(db, sql, (run_id,))
    return None if found is None else str(found)


def _add_answer(db: Database, run_id: int, operation: str, body: str) -> None:
    last = "SELECT body FROM answers WHERE run_id = ? AND operation = 'get' ORDER BY id DESC LIMIT 1"
    if operation == "get" and select_value(db, last, (run_id,)) == body:
        return
    row = {"run_id": run_id, "operation": operation, "received_utc": now_utc_text(), "body": body}
    insert_row(db, "answers", row)


def _replace_sections(db: Database, run_id: int, sections: Sequence[Section]) -> None:
    db.conn.execute("DELETE FROM results WHERE run_id = ?", (run_id,))
    for section in sections:
        row = {field.name: getattr(section, field.name) for field in fields(section)}
        insert_row(db, "results", {"run_id": run_id} | row)
