"""Putting runs into the queue: one transaction a run, and the same submission twice is one run."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from heliograph.store._database import Store
from heliograph.store._errors import UnknownRecordError
from heliograph.store._records import FailureReason, NewRun, RunState
from heliograph.store._rows import insert_row, select_value
from heliograph.store._self_report import add_ratings
from heliograph.store._times import now_utc_text, to_local_text

if TYPE_CHECKING:
    from sqlite_utils import Database


def add_run(store: Store, new: NewRun) -> int:
    """Queues a run with its tags, ratings and first event in one transaction and returns its id; when
    `submission_key` is known already, from whatever process, nothing is written and the id it got is returned. A
    run that repeats another and brings no ratings takes that one's. Raises `ConstraintError` when the participant
    or the recording does not exist."""
    with store.write() as db:
        return _add(store, db, new)


def replace_run(
    store: Store, old_id: int, new: NewRun, *, failure: FailureReason, detail: str | None = None
) -> int:
    """Ends the run `old_id` as failed and queues `new`, which repeats it, in one transaction; returns the new
    id. The old run's ratings go along unless `new` brings its own. With a `submission_key` that is known already
    nothing changes. Raises `UnknownRecordError` when `old_id` is gone."""
    with store.write() as db:
        known = _select_by_key(db, new.submission_key)
        if known is not None:
            return known
        sql = (
            "UPDATE runs SET state = ?, failure = ?, failure_detail = ?, next_step_utc = NULL, needs_attention = 0"
            " WHERE id = ?"
        )
        values = (RunState.FAILED.value, failure.value, detail, old_id)
        if db.conn.execute(sql, values).rowcount == 0:
            raise UnknownRecordError(f"There is no run {old_id} in this workspace.")
        add_event(db, old_id, RunState.FAILED, detail or failure.value)
        new_id = _add(store, db, new)
        db.conn.execute("UPDATE runs SET repeats_run_id = ? WHERE id = ?", (old_id, new_id))
        if not new.ratings and new.repeats_run_id is None:
            _copy_ratings(db, old_id, new_id)
        return new_id


def add_event(db: Database, run_id: int, state: RunState, detail: str | None) -> None:
    """Writes a moment of a run's life within a write block."""
    insert_row(db, "run_events", {"run_id": run_id, "at_utc": now_utc_text(), "state": state, "detail": detail})


def _add(store: Store, db: Database, new: NewRun) -> int:
    known = _select_by_key(db, new.submission_key)
    if known is not None:
        return known
    now = now_utc_text()
    session_local = new.session_local or new.recorded_local or to_local_text(datetime.now())
    run_id = insert_row(
        db,
        "runs",
        {
            "submission_key": new.submission_key,
            "kind": new.kind,
            "participant_id": new.participant_id,
            "recording_id": new.recording_id,
            "repeats_run_id": new.repeats_run_id,
            "synthetic": store.synthetic,
            "date_of_birth": new.date_of_birth,
            "birth_sex": new.birth_sex,
            "language": new.language,
            "accent": new.accent,
            "asleep_local": new.asleep_local,
            "awake_local": new.awake_local,
            "recorded_local": new.recorded_local,
            "session_local": session_local,
            "delete_data": new.delete_data,
            "data_to_delete": new.data_to_delete,
            "activity_type": new.activity_type,
            "quality_override": new.quality_override,
            "state": RunState.QUEUED,
            "queued_utc": now,
            "next_step_utc": new.next_step_utc or now,
        },
    )
    db.conn.executemany(
        "INSERT INTO tags (run_id, name, value, session_local) VALUES (?, ?, ?, ?)",
        [(run_id, name, value, session_local) for name, value in new.tags.items()],
    )
    add_ratings(db, run_id, new.ratings)
    if not new.ratings and new.repeats_run_id is not None:
        _copy_ratings(db, new.repeats_run_id, run_id)
    add_event(db, run_id, RunState.QUEUED, None)
    return run_id


def _copy_ratings(db: Database, old_id: int, new_id: int) -> None:
    sql = "INSERT INTO ratings (run_id, scale, value) SELECT ?, scale, value FROM ratings WHERE run_id = ?"
    db.conn.execute(sql, (new_id, old_id))


def _select_by_key(db: Database, submission_key: str) -> int | None:
    found = select_value(db, "SELECT id FROM runs WHERE submission_key = ?", (submission_key,))
    return None if found is None else int(found)
