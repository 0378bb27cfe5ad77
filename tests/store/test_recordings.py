"""Recordings: one file and one row for the same audio, in step through crashes and deletions."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from heliograph.store import (
    RecordingFacts,
    Store,
    StoreUnavailableError,
    UnknownRecordError,
    _files,
    _recordings,
    adopt_orphans,
    delete_run,
    load_overview,
    load_recording,
    load_waiting_recordings,
    purge_recording,
    purge_run,
    recording_path,
    save_participant,
    save_recording,
)
from tests.store.processes import LEAN

AUDIO = b"fLaC" + bytes(range(256)) * 500
KILLED = (
    LEAN
    + """
import os, pathlib, signal, sys
from heliograph.store import RecordingFacts, RecordingSource, Store, save_recording
from heliograph.store import _files, _recordings
module, name = {"_files": _files, "_recordings": _recordings}[sys.argv[3]], sys.argv[4]
def die(*arguments, **keywords):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(module, name, die)
with Store.open(pathlib.Path(sys.argv[1]), workspace="sandbox", synthetic=True) as store:
    facts = RecordingFacts(media_type="audio/flac", source=RecordingSource.WEBRTC, speech_s=20.25)
    save_recording(store, pathlib.Path(sys.argv[2]), facts=facts, participant_id=1)
"""
)
HOLDING = (
    LEAN
    + """
import pathlib, sys, time
from heliograph.store import Store, _files
with Store.open(pathlib.Path(sys.argv[1]), workspace="sandbox", synthetic=True) as store:
    store.hold_live_lock()
    with _files._temporary(store):
        print("writing", flush=True)
        time.sleep(60)
"""
)


@pytest.fixture
def take(tmp_path: Path) -> Path:
    """A recording that somebody has just made."""
    path = tmp_path / "take.flac"
    path.write_bytes(AUDIO)
    return path


def list_files(store: Store) -> list[str]:
    """What lies in the recordings folder, lock files of living stores aside."""
    return sorted(path.name for path in store.recordings_folder.iterdir() if not path.name.startswith(".live-"))


def list_owners(store: Store) -> list[int | None]:
    """For whom recordings wait."""
    return [participant_id for _, participant_id in load_waiting_recordings(store)]


def kill_while_saving(home: Path, take: Path, module: str, function: str) -> None:
    """A process that saves the take of participant 1 dies where it would call the function."""
    with Store.open(home, workspace="sandbox", synthetic=True) as store:
        save_participant(store, label="P-1", date_of_birth="1980-01-01", birth_sex="FEMALE", language="en-GB")
    process = subprocess.run(
        [sys.executable, "-c", KILLED, str(home), str(take), module, function],
        cwd=Path(__file__).parents[2],
        check=False,
        timeout=60,
    )
    assert process.returncode == -signal.SIGKILL


def test_a_recording_is_named_by_the_hash_of_its_bytes_and_keeps_its_facts(
    store: Store, take: Path, facts: RecordingFacts
) -> None:
    saved = save_recording(store, take, facts=facts)
    assert saved.id == hashlib.sha256(AUDIO).hexdigest()
    assert recording_path(store, saved).read_bytes() == AUDIO
    assert list_files(store) == [f"{saved.id}.flac"]
    assert load_recording(store, saved.id) == saved
    assert (saved.facts, saved.byte_size, saved.purged_utc) == (facts, len(AUDIO), None)
    assert take.exists()


@pytest.mark.parametrize(
    ("media_type", "extension"), [("audio/webm;codecs=opus", "webm"), ("text/../../x", "bin")]
)
def test_the_extension_comes_from_the_media_type_alone(
    store: Store, take: Path, facts: RecordingFacts, media_type: str, extension: str
) -> None:
    saved = save_recording(store, take, facts=replace(facts, media_type=media_type))
    assert saved.file_name == f"{saved.id}.{extension}"


def test_the_same_audio_twice_is_one_file_and_one_row_with_the_first_facts(
    store: Store, take: Path, facts: RecordingFacts
) -> None:
    first = save_recording(store, take, facts=facts)
    again = save_recording(store, take, facts=replace(facts, media_type="audio/wav", speech_s=1.0))
    assert again == first
    assert list_files(store) == [first.file_name]
    assert load_overview(store).n_recordings == 1


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGKILL")
@pytest.mark.parametrize(
    ("module", "function", "adopted"),
    [
        ("_files", "write_facts", 0),
        ("_files", "publish", 0),
        ("_files", "sync_folder", 1),
        ("_recordings", "_insert", 1),
        ("_recordings", "_assign", 1),
    ],
)
def test_after_a_kill_at_any_step_of_saving_the_recording_is_whole_or_was_never_there(
    home: Path, take: Path, facts: RecordingFacts, module: str, function: str, adopted: int
) -> None:
    kill_while_saving(home, take, module, function)
    with Store.open(home, workspace="sandbox", synthetic=True) as store:
        assert load_overview(store).n_recordings == 0
        assert adopt_orphans(store) == adopted
        assert adopt_orphans(store) == 0
        assert load_overview(store).n_recordings == adopted
        name = hashlib.sha256(AUDIO).hexdigest()
        assert list_files(store) == [f"{name}.flac"] * adopted
        if adopted:
            assert load_recording(store, name).facts.speech_s == 20.25
        assert list_owners(store) == [1] * adopted
        saved = save_recording(store, take, facts=facts)
        assert recording_path(store, saved).read_bytes() == AUDIO


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGKILL")
def test_a_recording_has_its_participant_from_the_moment_it_is_stored(home: Path, take: Path) -> None:
    kill_while_saving(home, take, "_recordings", "_facts_path")
    with Store.open(home, workspace="sandbox", synthetic=True) as store:
        assert list_owners(store) == [1]
        assert adopt_orphans(store) == 0
        assert list_owners(store) == [1]
        assert list_files(store) == [f"{hashlib.sha256(AUDIO).hexdigest()}.flac"]


def test_a_file_whose_bytes_do_not_match_its_name_is_not_adopted(
    store: Store, facts: RecordingFacts, caplog: pytest.LogCaptureFixture
) -> None:
    name = f"{'0' * 64}.flac"
    (store.recordings_folder / name).write_bytes(b"something else")
    _files.write_facts(store, name, facts)
    assert adopt_orphans(store) == 0
    assert "do not match" in caplog.text
    assert (store.recordings_folder / name).read_bytes() == b"something else"


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGKILL")
def test_temporary_files_are_swept_only_when_their_process_is_gone(home: Path, store: Store) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(home)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == b"writing\n"
            adopt_orphans(store)
            assert len(list_files(store)) == 1
        finally:
            os.kill(process.pid, signal.SIGKILL)
            process.wait(timeout=10)
    deadline = time.monotonic() + 5
    while list_files(store) and time.monotonic() < deadline:
        adopt_orphans(store)
    assert [path.name for path in store.recordings_folder.iterdir()] == []


def test_purging_a_recording_keeps_its_row_and_facts_and_saving_it_again_brings_the_file_back(
    store: Store, take: Path, facts: RecordingFacts
) -> None:
    saved = save_recording(store, take, facts=facts)
    assert purge_recording(store, saved.id) is True
    assert purge_recording(store, saved.id) is False
    purged = load_recording(store, saved.id)
    assert purged.purged_utc is not None
    assert purged.facts == facts
    assert list_files(store) == []
    assert save_recording(store, take, facts=facts) == saved
    assert recording_path(store, saved).read_bytes() == AUDIO


def test_a_deleted_run_takes_its_recording_along_unless_another_run_uses_it(
    store: Store, take: Path, facts: RecordingFacts, make_run: Any
) -> None:
    saved = save_recording(store, take, facts=facts)
    first, second = (make_run(key, recording_id=saved.id) for key in ("a", "b"))
    assert delete_run(store, first) is None
    assert recording_path(store, saved).exists()
    assert delete_run(store, second) == recording_path(store, saved)
    assert list_files(store) == []
    assert delete_run(store, second) is None
    with pytest.raises(UnknownRecordError):
        load_recording(store, saved.id)


def test_a_purged_run_takes_its_file_along_only_when_no_other_run_needs_it(
    store: Store, take: Path, facts: RecordingFacts, make_run: Any
) -> None:
    saved = save_recording(store, take, facts=facts)
    first, second = (make_run(key, recording_id=saved.id) for key in ("a", "b"))
    assert purge_run(store, first, recording_only=True)
    assert recording_path(store, saved).exists()
    assert purge_run(store, second, recording_only=True)
    assert not recording_path(store, saved).exists()
    assert load_recording(store, saved.id).purged_utc is not None


def test_a_deletion_that_cannot_be_committed_brings_the_file_back(
    store: Store, take: Path, facts: RecordingFacts, make_run: Any
) -> None:
    saved = save_recording(store, take, facts=facts)
    with pytest.raises(KeyError), _recordings.file_deletions(store) as doomed, store.write() as db:  # noqa: PT012
        _recordings.delete_in(store, db, saved.id, doomed)
        assert not recording_path(store, saved).exists()
        raise KeyError
    assert recording_path(store, saved).read_bytes() == AUDIO
    assert load_recording(store, saved.id) == saved


@pytest.mark.parametrize("committed", [False, True])
def test_a_deletion_cut_short_by_a_crash_is_undone_before_its_commit_and_finished_after_it(
    store: Store, take: Path, facts: RecordingFacts, committed: bool
) -> None:
    saved = save_recording(store, take, facts=facts)
    path = recording_path(store, saved)
    _files.set_aside(path)
    if committed:
        with store.write() as db:
            db.conn.execute("DELETE FROM recordings WHERE id = ?", (saved.id,))
    assert adopt_orphans(store) == 0
    assert list_files(store) == ([] if committed else [saved.file_name])


def test_a_source_that_is_not_there_is_the_callers_error_and_an_unwritable_folder_the_stores(
    store: Store, take: Path, facts: RecordingFacts
) -> None:
    with pytest.raises(FileNotFoundError):
        save_recording(store, take.with_name("nowhere"), facts=facts)
    store.recordings_folder.rmdir()
    store.recordings_folder.write_text("a file where the folder should be")
    with pytest.raises(StoreUnavailableError, match="recordings"):
        save_recording(store, take, facts=facts)
