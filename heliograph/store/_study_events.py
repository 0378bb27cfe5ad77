"""Events of a study: dated notes about one participant or about everybody."""

from __future__ import annotations

from datetime import datetime

from heliograph.store._database import Store
from heliograph.store._rows import insert_row, select_rows
from heliograph.store._study_records import StudyEvent
from heliograph.store._times import now_utc_text

EVENTS = """
    SELECT * FROM study_events WHERE participant_id = :participant
    UNION ALL SELECT * FROM study_events WHERE participant_id IS NULL ORDER BY on_local, id
"""


def add_event(store: Store, *, participant_id: int | None, on_local: str, kind: str, note: str = "") -> int:
    """Notes an event (`on_local` is a day or a wall time; without a participant it is the whole study's) and
    returns its id. ValueError for a day that is none or an empty kind, `ConstraintError` for a participant who
    does not exist."""
    check_local(on_local)
    kind = kind.strip()
    if not kind:
        raise ValueError("an event needs a kind, such as medication or exam")
    row = {
        "participant_id": participant_id,
        "on_local": on_local,
        "kind": kind,
        "note": note.strip(),
        "created_utc": now_utc_text(),
    }
    with store.write() as db:
        return insert_row(db, "study_events", row)


def load_events(store: Store, participant_id: int | None) -> list[StudyEvent]:
    """The participant's events and the whole study's by date; for None the whole study's alone."""
    with store.read() as db:
        return [StudyEvent(**row) for row in select_rows(db, EVENTS, {"participant": participant_id})]


def load_event_kinds(store: Store) -> list[str]:
    """The kinds there are, sorted."""
    with store.read() as db:
        return [row["kind"] for row in select_rows(db, "SELECT DISTINCT kind FROM study_events ORDER BY kind")]


def delete_event(store: Store, event_id: int) -> bool:
    """Removes an event; False when it was gone already."""
    with store.write() as db:
        return db.conn.execute("DELETE FROM study_events WHERE id = ?", (event_id,)).rowcount > 0


def check_local(text: str) -> None:
    """ValueError unless `text` is a day (`YYYY-MM-DD`) or a local wall time as the store writes them."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    forms = () if moment is None else (moment.date().isoformat(), moment.isoformat(timespec="seconds"))
    if text not in forms or (moment is not None and moment.tzinfo is not None):
        raise ValueError(f"{text!r} is neither a day (YYYY-MM-DD) nor a wall time (YYYY-MM-DDTHH:MM:SS)")
