"""Recordings wait from the moment they are kept until their first run, and none is lost from the list."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from heliograph.store import (
    RecordingFacts,
    RunState,
    Store,
    UnknownRecordError,
    _files,
    adopt_orphans,
    advance_run,
    delete_run,
    discard_waiting_recording,
    load_recording,
    load_waiting_recordings,
    purge_recording,
    purge_run,
    recording_path,
    save_participant,
    save_recording,
)

PERSON = {"date_of_birth": "1980-01-01", "birth_sex": "FEMALE", "language": "en-GB"}


@pytest.fixture
def take(tmp_path: Path) -> Path:
    """A recording that somebody has just made."""
    path = tmp_path / "take.flac"
    path.write_bytes(b"fLaC" + bytes(1000))
    return path


def waiting(store: Store) -> list[tuple[str, int | None]]:
    """The ids that wait, and for whom."""
    return [(recording.id, participant_id) for recording, participant_id in load_waiting_recordings(store)]


def leave_orphan(store: Store, take: Path, facts: RecordingFacts, participant_id: int | None) -> str:
    """As a process leaves it that dies between naming the file and writing the row."""
    name = f"{_files.hash_file(take)}.flac"
    _files.write_facts(store, name, facts, participant_id)
    (store.recordings_folder / name).write_bytes(take.read_bytes())
    return name


def test_recordings_wait_from_the_moment_they_are_kept_oldest_first(
    store: Store, take: Path, facts: RecordingFacts
) -> None:
    first = save_recording(store, take, facts=facts)
    take.write_bytes(b"another")
    second = save_recording(store, take, facts=facts)
    assert load_waiting_recordings(store) == [(first, None), (second, None)]
    take.write_bytes(b"fLaC" + bytes(1000))
    assert save_recording(store, take, facts=facts) == first
    assert waiting(store) == [(first.id, None), (second.id, None)], "the same audio again waits once"


@pytest.mark.parametrize("later", [False, True], ids=["with its first run", "given to a run later"])
def test_a_recording_waits_no_more_once_a_run_has_it_and_saving_it_again_changes_nothing(
    store: Store, take: Path, facts: RecordingFacts, make_run: Any, later: bool
) -> None:
    saved = save_recording(store, take, facts=facts)
    make_run("activity")
    assert waiting(store) == [(saved.id, None)], "a run without a recording leaves it waiting"
    run_id = make_run("k", recording_id=None if later else saved.id)
    if later:
        changes = {"recording_id": saved.id}
        advance_run(store, run_id, expect=list(RunState), state=RunState.RUNNING, changes=changes)
    assert waiting(store) == []
    save_recording(store, take, facts=facts)
    assert waiting(store) == []


def test_a_recording_waits_for_its_participant_and_saved_again_for_the_last_that_was_named(
    store: Store, take: Path, facts: RecordingFacts, make_run: Any
) -> None:
    people = [save_participant(store, label=label, **PERSON) for label in ("P-1", "P-2")]
    for named, holds in [(None, None), (people[0], people[0]), (people[1], people[1]), (None, people[1])]:
        saved = save_recording(store, take, facts=facts, participant_id=named)
        assert waiting(store) == [(saved.id, holds)]
    make_run("k", recording_id=saved.id)
    save_recording(store, take, facts=facts, participant_id=people[0])
    assert waiting(store) == [], "one that was submitted does not come back"


def test_a_recording_for_a_participant_who_does_not_exist_is_refused_and_leaves_nothing(
    store: Store, take: Path, facts: RecordingFacts
) -> None:
    with pytest.raises(UnknownRecordError):
        save_recording(store, take, facts=facts, participant_id=99)
    assert waiting(store) == []
    assert not [path for path in store.recordings_folder.iterdir() if not path.name.startswith(".live-")]


def test_a_participant_who_is_deleted_leaves_the_recording_waiting_for_nobody(
    store: Store, take: Path, facts: RecordingFacts
) -> None:
    participant_id = save_participant(store, label="P-1", **PERSON)
    saved = save_recording(store, take, facts=facts, participant_id=participant_id)
    with store.write() as db:
        db.conn.execute("DELETE FROM participants WHERE id = ?", (participant_id,))
    assert waiting(store) == [(saved.id, None)]


def test_discarding_removes_row_and_file_and_is_done_once(store: Store, take: Path, facts: RecordingFacts) -> None:
    saved = save_recording(store, take, facts=facts)
    assert discard_waiting_recording(store, saved.id) is True
    assert waiting(store) == []
    assert not recording_path(store, saved).exists()
    with pytest.raises(UnknownRecordError):
        load_recording(store, saved.id)
    assert discard_waiting_recording(store, saved.id) is False


def test_a_recording_that_a_run_uses_cannot_be_discarded(
    store: Store, take: Path, facts: RecordingFacts, make_run: Any
) -> None:
    saved = save_recording(store, take, facts=facts)
    make_run("k", recording_id=saved.id)
    assert discard_waiting_recording(store, saved.id) is False
    assert load_recording(store, saved.id) == saved
    assert recording_path(store, saved).exists()


def test_deleting_a_recording_takes_it_off_the_list(store: Store, take: Path, facts: RecordingFacts) -> None:
    saved = save_recording(store, take, facts=facts)
    with store.write() as db:
        db.conn.execute("DELETE FROM recordings WHERE id = ?", (saved.id,))
        assert db["waiting_recordings"].count == 0


def test_the_recording_of_a_deleted_run_goes_with_it_and_does_not_wait_again(
    store: Store, take: Path, facts: RecordingFacts, make_run: Any
) -> None:
    saved = save_recording(store, take, facts=facts)
    first, second = (make_run(key, recording_id=saved.id) for key in ("a", "b"))
    delete_run(store, first)
    assert waiting(store) == []
    delete_run(store, second)
    assert waiting(store) == []
    assert not recording_path(store, saved).exists()


@pytest.mark.parametrize(("named", "holds"), [(None, None), (1, 1), (99, None)])
def test_an_orphan_that_was_adopted_after_a_crash_waits_for_its_participant_if_there_is_such_a_one(
    store: Store, take: Path, facts: RecordingFacts, named: int | None, holds: int | None
) -> None:
    save_participant(store, label="P-1", **PERSON)
    name = leave_orphan(store, take, facts, named)
    assert waiting(store) == []
    assert adopt_orphans(store) == 1
    ((found, participant_id),) = load_waiting_recordings(store)
    assert (found.file_name, found.facts, participant_id) == (name, facts, holds)


def test_an_orphan_that_an_earlier_version_left_waits_for_nobody(
    store: Store, take: Path, facts: RecordingFacts
) -> None:
    beside = store.recordings_folder / (leave_orphan(store, take, facts, None) + _files.FACTS_SUFFIX)
    stored = json.loads(beside.read_bytes())
    del stored["participant_id"]
    beside.write_text(json.dumps(stored))
    assert adopt_orphans(store) == 1
    ((found, participant_id),) = load_waiting_recordings(store)
    assert (found.facts, participant_id) == (facts, None)


def test_an_orphan_is_its_participants_also_when_it_is_saved_again_before_it_is_adopted(
    store: Store, take: Path, facts: RecordingFacts
) -> None:
    save_participant(store, label="P-1", **PERSON)
    leave_orphan(store, take, facts, 1)
    saved = save_recording(store, take, facts=facts, participant_id=1)
    assert adopt_orphans(store) == 0
    assert waiting(store) == [(saved.id, 1)]


def test_a_purged_recording_does_not_wait_and_waits_again_when_it_is_saved_again(
    store: Store, take: Path, facts: RecordingFacts
) -> None:
    saved = save_recording(store, take, facts=facts)
    purge_recording(store, saved.id)
    assert waiting(store) == []
    save_recording(store, take, facts=facts)
    assert waiting(store) == [(saved.id, None)]


def test_audio_of_a_purged_run_that_is_saved_again_waits_and_survives_that_runs_deletion(
    store: Store, take: Path, facts: RecordingFacts, make_run: Any
) -> None:
    saved = save_recording(store, take, facts=facts)
    run_id = make_run("k", recording_id=saved.id)
    purge_run(store, run_id)
    assert waiting(store) == []
    save_recording(store, take, facts=facts)
    assert waiting(store) == [(saved.id, None)]
    assert delete_run(store, run_id) is None
    assert waiting(store) == [(saved.id, None)]
    assert recording_path(store, saved).exists()


def test_discarding_audio_of_a_purged_run_removes_the_file_and_keeps_the_runs_facts(
    store: Store, take: Path, facts: RecordingFacts, make_run: Any
) -> None:
    saved = save_recording(store, take, facts=facts)
    purge_run(store, make_run("k", recording_id=saved.id))
    save_recording(store, take, facts=facts)
    assert discard_waiting_recording(store, saved.id) is True
    assert waiting(store) == []
    assert not recording_path(store, saved).exists()
    assert load_recording(store, saved.id).purged_utc is not None


def test_a_file_that_comes_back_for_a_run_that_still_needs_it_does_not_wait(
    store: Store, take: Path, facts: RecordingFacts, make_run: Any
) -> None:
    saved = save_recording(store, take, facts=facts)
    make_run("k", recording_id=saved.id)
    purge_recording(store, saved.id)
    save_recording(store, take, facts=facts)
    assert recording_path(store, saved).exists()
    assert waiting(store) == []
