"""Recordings that are kept and wait to be submitted, and for whom they were made. Triggers keep the list: a
recording waits from the moment it is stored until its first run, its purge or its deletion, so it stays short
whatever the number of runs."""

from __future__ import annotations

from heliograph.store._database import Store
from heliograph.store._recordings import delete_in, file_deletions, is_waiting, purge_in
from heliograph.store._records import Recording
from heliograph.store._rows import select_rows, select_value, to_recording

WAITING = """
    SELECT w.participant_id AS waits_for, c.* FROM waiting_recordings AS w
    CROSS JOIN recordings AS c ON c.id = w.recording_id ORDER BY c.created_utc, c.rowid
"""


def load_waiting_recordings(store: Store) -> list[tuple[Recording, int | None]]:
    """The recordings that wait, oldest first, each with the participant it was made for (None: not known)."""
    with store.read() as db:
        rows = select_rows(db, WAITING)
    waiting_for = [row.pop("waits_for") for row in rows]
    return [(to_recording(row), participant_id) for row, participant_id in zip(rows, waiting_for, strict=True)]


def discard_waiting_recording(store: Store, recording_id: str) -> bool:
    """Removes a waiting recording, file and row; False, and nothing changed, when it does not wait (any more).
    The row stays, as purged, for runs that were purged before the same audio was saved again."""
    with file_deletions(store) as doomed, store.write() as db:
        if not is_waiting(db, recording_id):
            return False
        if select_value(db, "SELECT 1 FROM runs WHERE recording_id = ? LIMIT 1", (recording_id,)) is None:
            delete_in(store, db, recording_id, doomed)
        else:
            purge_in(store, db, recording_id, doomed)
    return True
