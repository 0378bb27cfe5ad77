"""Flags: runs at which a participant left their own baseline. Whose flags are to be found anew is known by
triggers; the finding is done elsewhere, and what it gives replaces what was there, dismissals aside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, fields
from typing import TYPE_CHECKING, Any

from heliograph.store._database import Store
from heliograph.store._errors import UnknownRecordError
from heliograph.store._rows import select_rows, select_value
from heliograph.store._study_records import Flag, FlagKey, FlagsDue, NewFlag
from heliograph.store._times import now_utc_text

if TYPE_CHECKING:
    from sqlite_utils import Database

_COLUMNS = ", ".join(
    "p.label AS participant_label" if field.name == "participant_label" else f"f.{field.name}"
    for field in fields(Flag)
)
FLAGS = f"""
    SELECT {_COLUMNS} FROM flags AS f JOIN participants AS p ON p.id = f.participant_id
    WHERE f.participant_id = :participant ORDER BY f.session_local, f.run_id, f.column_name, f.chart
"""  # noqa: S608 - names are the store's own
OPEN_FLAGS = f"""
    SELECT {_COLUMNS} FROM flags AS f INDEXED BY flags_open CROSS JOIN participants AS p ON p.id = f.participant_id
    WHERE f.dismissed_utc IS NULL ORDER BY f.session_local DESC, f.run_id DESC LIMIT :limit
"""  # noqa: S608 - names are the store's own
OPEN_COUNT = "SELECT n FROM totals WHERE name = 'open_flags'"
FLAGS_DUE = "SELECT participant_id, version FROM flags_due ORDER BY participant_id LIMIT :limit"
FLAGS_DUE_OF_ONE = "SELECT participant_id, version FROM flags_due WHERE participant_id = :participant"
METHOD_SETTING = "flags_method"
_KEY = "participant_id = ? AND column_name = ? AND chart = ? AND run_id = ?"
_SAVE = """
    INSERT INTO flags (participant_id, column_name, chart, run_id, session_local, direction, value, limit_value,
        n_baseline, found_utc)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (participant_id, column_name, chart, run_id) DO UPDATE SET session_local = excluded.session_local,
        direction = excluded.direction, value = excluded.value, limit_value = excluded.limit_value,
        n_baseline = excluded.n_baseline
"""


def load_flags_due(store: Store, limit: int = 50, *, participant_id: int | None = None) -> list[FlagsDue]:
    """Participants whose flags are to be found anew; with `participant_id` that one alone, if they are."""
    with store.read() as db:
        if participant_id is not None:
            return [FlagsDue(**row) for row in select_rows(db, FLAGS_DUE_OF_ONE, {"participant": participant_id})]
        return [FlagsDue(**row) for row in select_rows(db, FLAGS_DUE, {"limit": limit})]


def mark_flags_due(store: Store, participant_id: int | None) -> None:
    """Has the flags of the participant, or of everybody (None), found anew."""
    with store.write() as db:
        mark_flags_due_in(db, participant_id)


def mark_flags_due_in(db: Database, participant_id: int | None) -> None:
    """The same within a write block."""
    if participant_id is None:
        db.conn.execute("DELETE FROM flags_due")
        db.conn.execute(
            "INSERT INTO flags_due (participant_id, version) SELECT id, random() FROM participants AS p WHERE"
            " EXISTS (SELECT 1 FROM cohort AS c WHERE c.participant_id = p.id)"
            " OR EXISTS (SELECT 1 FROM flags AS f WHERE f.participant_id = p.id)"
        )
        return
    db.conn.execute("DELETE FROM flags_due WHERE participant_id = ?", (participant_id,))
    db.conn.execute("INSERT INTO flags_due (participant_id, version) VALUES (?, random())", (participant_id,))


def mark_flags_due_for_method(store: Store, method: str) -> bool:
    """Has everybody's flags found anew when the last ones were found by another method; whether they were. It
    costs a look-up when they were not."""
    sql = "SELECT value FROM settings WHERE key = ?"
    with store.read() as db:
        if select_value(db, sql, (METHOD_SETTING,)) == method:
            return False
    with store.write() as db:
        if select_value(db, sql, (METHOD_SETTING,)) == method:
            return False
        db.conn.execute("INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)", (METHOD_SETTING, method))
        mark_flags_due_in(db, None)
    return True


def replace_flags(store: Store, participant_id: int, flags: Sequence[NewFlag], *, version: int) -> None:
    """Makes `flags` the participant's flags in one transaction. One that is there already keeps when it was
    found and its dismissal; one that is not found any more goes. Flags of runs that were deleted meanwhile are
    left out. The participant is no longer due, unless results changed since `load_flags_due` gave
    `version`."""
    now = now_utc_text()
    with store.write() as db:
        kept = {(flag.column_name, flag.chart, flag.run_id) for flag in flags}
        sql = "SELECT column_name, chart, run_id FROM flags WHERE participant_id = ?"
        for key in db.conn.execute(sql, (participant_id,)).fetchall():
            if key not in kept:
                db.conn.execute(f"DELETE FROM flags WHERE {_KEY}", (participant_id, *key))  # noqa: S608
        for flag in flags:
            if select_value(db, "SELECT 1 FROM runs WHERE id = ?", (flag.run_id,)) is not None:
                db.conn.execute(_SAVE, (participant_id, *astuple(flag), now))
        sql = "DELETE FROM flags_due WHERE participant_id = ? AND version = ?"
        db.conn.execute(sql, (participant_id, version))


def load_flags(store: Store, participant_id: int) -> list[Flag]:
    """The participant's flags by session, dismissed ones included."""
    with store.read() as db:
        return _load(db, FLAGS, {"participant": participant_id})


def load_open_flags(store: Store, limit: int = 50) -> list[Flag]:
    """Flags that nobody dismissed, latest session first."""
    with store.read() as db:
        return _load(db, OPEN_FLAGS, {"limit": limit})


def count_open_flags(store: Store) -> int:
    """How many flags nobody dismissed, at the cost of one look-up."""
    with store.read() as db:
        return int(select_value(db, OPEN_COUNT))


def dismiss_flag(store: Store, key: FlagKey, note: str) -> None:
    """Dismisses a flag with a note, again if need be; raises `UnknownRecordError` when it is gone."""
    _set_dismissal(store, key, now_utc_text(), note)


def restore_flag(store: Store, key: FlagKey) -> None:
    """Takes a dismissal back; raises `UnknownRecordError` when the flag is gone."""
    _set_dismissal(store, key, None, None)


def _set_dismissal(store: Store, key: FlagKey, dismissed_utc: str | None, note: str | None) -> None:
    sql = f"UPDATE flags SET dismissed_utc = ?, dismissed_note = ? WHERE {_KEY}"  # noqa: S608
    with store.write() as db:
        if db.conn.execute(sql, (dismissed_utc, note, *astuple(key))).rowcount == 0:
            raise UnknownRecordError(f"Run {key.run_id} has no such flag (any more).")


def _load(db: Database, sql: str, parameters: dict[str, Any]) -> list[Flag]:
    return [Flag(**row) for row in select_rows(db, sql, parameters)]
