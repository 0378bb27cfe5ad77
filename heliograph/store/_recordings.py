"""Recordings: a file named by its hash and a row with what was measured, kept in step through crashes."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from heliograph.store import _files
from heliograph.store._database import Store
from heliograph.store._errors import UnknownRecordError
from heliograph.store._records import Recording, RecordingFacts
from heliograph.store._rows import insert_row, select_rows, select_value, to_recording
from heliograph.store._times import now_utc_text

if TYPE_CHECKING:
    from sqlite_utils import Database

_LOGGER = logging.getLogger(__name__)
_ASIDE = re.compile(r"(?P<name>(?P<id>[0-9a-f]{64})\.[a-z0-9]+)" + re.escape(_files.ASIDE_SUFFIX))
_FACTS = re.compile(r"(?P<name>(?P<id>[0-9a-f]{64})\.[a-z0-9]+)" + re.escape(_files.FACTS_SUFFIX))


def save_recording(
    store: Store, source_path: Path, *, facts: RecordingFacts, participant_id: int | None = None
) -> Recording:
    """Keeps a copy of the file at `source_path` and the facts about it; on return both are on the disk for
    good. It waits (`load_waiting_recordings`) for the participant it was made for until its first run.

    The same bytes again are the same recording: the first facts stay, and a purged one gets its file back and
    waits again. One that a run still uses does not wait again. Of two participants the last holds; None leaves
    what is known of that.
    The source is left where it is. Raises OSError when it cannot be opened, `UnknownRecordError` when there is
    no such participant, `DiskFullError` and others of `StoreUnavailableError` when the copy cannot be written.
    """
    with source_path.open("rb") as source, _files.mapped_os_errors(store.recordings_folder):
        temporary, recording_id, size = _files.copy_to_temporary(store, source)
        try:
            with store.write() as db:
                _refuse_unknown(db, participant_id)
                _keep(store, db, temporary, recording_id, size, facts, participant_id)
        finally:
            temporary.unlink(missing_ok=True)
        _facts_path(store, _files.name_file(recording_id, facts.media_type)).unlink(missing_ok=True)
    return load_recording(store, recording_id)


def load_recording(store: Store, recording_id: str) -> Recording:
    """The recording; raises `UnknownRecordError`."""
    with store.read() as db:
        found = select_recording(db, recording_id)
    if found is None:
        raise UnknownRecordError(f"There is no recording {recording_id} in this workspace.")
    return found


def recording_path(store: Store, recording: Recording) -> Path:
    """Where the recording's file is, or was before it was purged."""
    return store.recordings_folder / recording.file_name


def purge_recording(store: Store, recording_id: str) -> bool:
    """Deletes the file and keeps the row with its facts, `purged_utc` set; False when that had been done
    before."""
    with file_deletions(store) as doomed, store.write() as db:
        purge_in(store, db, recording_id, doomed)
    return bool(doomed)


def adopt_orphans(store: Store) -> int:
    """Repairs what crashes left behind: gives files that were named before their row was written their row
    (returns how many), finishes or undoes deletions that were cut short, and sweeps temporary files of dead
    processes. Files whose bytes do not match their name are left alone and logged."""
    with _files.mapped_os_errors(store.recordings_folder):
        _files.sweep_temporaries(store)
        adopted = 0
        for path in sorted(store.recordings_folder.iterdir()):
            if match := _ASIDE.fullmatch(path.name):
                _settle_deletion(store, path, match["id"], match["name"])
            elif match := _FACTS.fullmatch(path.name):
                adopted += _adopt(store, path, match["id"], match["name"])
    return adopted


def select_recording(db: Database, recording_id: str) -> Recording | None:
    """The recording in an open block."""
    rows = select_rows(db, "SELECT * FROM recordings WHERE id = ?", (recording_id,))
    return to_recording(rows[0]) if rows else None


def is_waiting(db: Database, recording_id: str) -> bool:
    """Whether the recording waits to be submitted, in an open block."""
    return bool(select_rows(db, "SELECT 1 FROM waiting_recordings WHERE recording_id = ?", (recording_id,)))


@contextmanager
def file_deletions(store: Store) -> Iterator[list[Recording]]:
    """Surrounds a write block that deletes or purges: the files of the recordings in the list are removed
    after the commit, and come back when the block fails."""
    doomed: list[Recording] = []
    with _files.mapped_os_errors(store.recordings_folder):
        try:
            yield doomed
        except BaseException:
            for recording in doomed:
                _files.bring_back(recording_path(store, recording))
            raise
        for recording in doomed:
            _files.aside(recording_path(store, recording)).unlink(missing_ok=True)


def purge_in(store: Store, db: Database, recording_id: str, doomed: list[Recording]) -> None:
    """Purges a recording within a write block inside `file_deletions`."""
    found = select_recording(db, recording_id)
    if found is None or found.purged_utc is not None:
        return
    db.conn.execute("UPDATE recordings SET purged_utc = ? WHERE id = ?", (now_utc_text(), recording_id))
    doomed.append(found)
    _files.set_aside(recording_path(store, found))


def delete_in(store: Store, db: Database, recording_id: str, doomed: list[Recording]) -> None:
    """Deletes a recording, row and file, within a write block inside `file_deletions`, unless a run refers to
    it."""
    found = select_recording(db, recording_id)
    if found is None or select_rows(db, "SELECT 1 FROM runs WHERE recording_id = ? LIMIT 1", (recording_id,)):
        return
    db.conn.execute("DELETE FROM recordings WHERE id = ?", (recording_id,))
    doomed.append(found)
    _files.set_aside(recording_path(store, found))


def _refuse_unknown(db: Database, participant_id: int | None) -> None:
    if participant_id is None:
        return
    if select_value(db, "SELECT 1 FROM participants WHERE id = ?", (participant_id,)) is None:
        raise UnknownRecordError(f"There is no participant {participant_id} in this workspace.")


def _keep(
    store: Store,
    db: Database,
    temporary: Path,
    recording_id: str,
    size: int,
    facts: RecordingFacts,
    participant_id: int | None,
) -> None:
    found = select_recording(db, recording_id)
    if found is not None:
        path = recording_path(store, found)
        if not path.exists():
            _files.publish(temporary, path)
        if found.purged_utc is not None:
            db.conn.execute("UPDATE recordings SET purged_utc = NULL WHERE id = ?", (recording_id,))
        _assign(db, recording_id, participant_id)
        return
    name = _files.name_file(recording_id, facts.media_type)
    _files.write_facts(store, name, facts, participant_id)
    _files.publish(temporary, store.recordings_folder / name)
    _insert(db, recording_id, name, size, facts, participant_id)


def _insert(
    db: Database, recording_id: str, name: str, size: int, facts: RecordingFacts, participant_id: int | None
) -> None:
    measured = {field.name: getattr(facts, field.name) for field in fields(facts)}
    own = {"id": recording_id, "file_name": name, "byte_size": size, "created_utc": now_utc_text()}
    insert_row(db, "recordings", own | measured)
    _assign(db, recording_id, participant_id)


def _assign(db: Database, recording_id: str, participant_id: int | None) -> None:
    """Notes for whom a recording waits; nothing happens to one that does not wait."""
    # An orphan may have waited for its adoption for longer than its participant was in the database.
    sql = (
        "UPDATE waiting_recordings SET participant_id = (SELECT id FROM participants WHERE id = ?)"
        " WHERE recording_id = ?"
    )
    if participant_id is not None:
        db.conn.execute(sql, (participant_id, recording_id))


def _adopt(store: Store, facts_path: Path, recording_id: str, name: str) -> bool:
    path = store.recordings_folder / name
    if not path.exists():  # the crash came before the file got its name, or another process is in between
        with store.write():
            if not path.exists():
                facts_path.unlink(missing_ok=True)
        return False
    if _files.hash_file(path) != recording_id:
        _LOGGER.warning("the bytes of %s do not match its name; it is left alone", path)
        return False
    try:
        facts, participant_id = _files.read_facts(facts_path)
    except FileNotFoundError:  # another process has just finished with it
        return False
    except (json.JSONDecodeError, TypeError, ValueError, KeyError):
        _LOGGER.warning("%s cannot be read; it is left alone", facts_path)
        return False
    with store.write() as db:
        missing = select_recording(db, recording_id) is None and path.exists()
        if missing:
            _insert(db, recording_id, name, path.stat().st_size, facts, participant_id)
    facts_path.unlink(missing_ok=True)
    return missing


def _settle_deletion(store: Store, aside: Path, recording_id: str, name: str) -> None:
    with store.write() as db:
        found = select_recording(db, recording_id)
        wanted = found is not None and found.purged_utc is None
        target = store.recordings_folder / name
        if wanted and aside.exists() and not target.exists():
            _files.publish(aside, target)
        else:
            aside.unlink(missing_ok=True)


def _facts_path(store: Store, name: str) -> Path:
    return store.recordings_folder / f"{name}{_files.FACTS_SUFFIX}"
