"""Deleting the local copy when thymia deletes its own: the promise of `deleteData`, kept here too if so chosen.

A workspace's setting `purge_with_thymia` (off unless set to "on") decides. With `dataToDelete: ["RECORDINGS"]`
only the recording's file goes; otherwise results, transcript and verbatim answers go with it, and the run's row
stays with `purged_utc`. Failed earlier attempts at the same recording go the same way. A recording that another
run still needs, or was told to keep, stays until that run lets it go.
"""

from __future__ import annotations

from heliograph.store import (
    FINAL_STATES,
    Run,
    RunState,
    Store,
    load_run,
    load_setting,
    purge_run,
    save_setting,
)

PURGE_SETTING = "purge_with_thymia"


def load_purge_setting(store: Store) -> bool:
    """Whether this workspace deletes its own copy when thymia does."""
    return load_setting(store, PURGE_SETTING) == "on"


def save_purge_setting(store: Store, purge: bool) -> None:
    """Choose it; holds for deadlines from now on."""
    save_setting(store, PURGE_SETTING, "on" if purge else "off")


def is_purge_due(run: Run, now_utc: str) -> bool:
    """Whether a complete run's data should be gone by `now_utc` (the store's text), and is still here.

    Only the deadline counts, not a 404 before it: that may come from a key of another account.
    """
    if run.purged_utc is not None or not run.delete_data:
        return False
    return run.deletion_due_utc is not None and run.deletion_due_utc <= now_utc


def holds_recording(other: Run, now_utc: str) -> bool:
    """Whether another run of the same recording keeps the file from being deleted."""
    if other.purged_utc is not None:
        return False
    if other.state not in FINAL_STATES or not other.delete_data:
        return True
    if other.state == RunState.FAILED:
        return False
    return not is_purge_due(other, now_utc)


def purge(store: Store, run: Run, now_utc: str) -> None:
    """Delete the local copy of a run that is due, and of the attempts that only held on to its recording.

    Killed in the middle it is simply done again: the run itself, which makes it due, goes last.
    """
    for other in _load_other_runs(store, run):
        if other.purged_utc is None and not holds_recording(other, now_utc):
            purge_run(store, other.id, recording_only=bool(other.data_to_delete))
    purge_run(store, run.id, recording_only=bool(run.data_to_delete))


def _load_other_runs(store: Store, run: Run) -> list[Run]:
    with store.read() as db:
        rows = db.conn.execute(
            "SELECT id FROM runs WHERE recording_id = ? AND id <> ?", (run.recording_id, run.id)
        ).fetchall()
    return [load_run(store, run_id) for (run_id,) in rows]
