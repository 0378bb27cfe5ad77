"""Takes on disk are private, listed, finalised or discarded, and damage to one hides no other."""

import os
import stat
from pathlib import Path

import numpy as np
import pytest

from heliograph.audio import (
    SpoolError,
    StorageProblem,
    TakeEnd,
    discard_empty_takes,
    discard_take,
    load_take,
    load_takes,
)
from heliograph.audio.spool import TakeWriter

SOUND = np.arange(-1000, 1000, dtype=np.int16)


def write_take(folder: Path, token: str = "t1", sound: np.ndarray = SOUND) -> None:
    writer = TakeWriter(folder, token, participant_note="P-001 <b>")
    writer.append(sound)
    writer.close(end=TakeEnd.STOPPED, filled_s=0.5, wall_clock_s=1.5)


def test_a_take_is_listed_with_when_how_long_and_for_whom(tmp_path: Path) -> None:
    write_take(tmp_path)
    [take] = load_takes(tmp_path)
    assert take == load_take(tmp_path, "t1")
    assert np.array_equal(take.load_samples(), SOUND)
    assert take.duration_s == 2000 / 48_000
    facts = take.facts
    assert (facts.participant_note, facts.filled_s, facts.wall_clock_s) == ("P-001 <b>", 0.5, 1.5)
    assert len(facts.started_utc) == 24
    assert facts.started_utc.endswith("Z")


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_folders_and_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_take(tmp_path / "spool")
    finally:
        os.umask(before)
    for path in [tmp_path / "spool", *(tmp_path / "spool").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_take_in_progress_is_not_offered_and_becomes_so_when_it_ends(tmp_path: Path) -> None:
    writer = TakeWriter(tmp_path, "t1")
    writer.append(SOUND)
    assert load_takes(tmp_path) == []
    with pytest.raises(SpoolError, match="still being recorded") as caught:
        load_take(tmp_path, "t1")
    assert caught.value.kind is StorageProblem.BUSY
    assert discard_empty_takes(tmp_path) == 0
    writer.close(end=TakeEnd.STOPPED, filled_s=0, wall_clock_s=0)
    assert [take.token for take in load_takes(tmp_path)] == ["t1"]
    assert load_takes(tmp_path, exclude={"t1"}) == []


def test_a_discarded_take_is_gone_and_discarding_twice_is_no_error(tmp_path: Path) -> None:
    write_take(tmp_path)
    take = load_take(tmp_path, "t1")
    discard_take(take)
    discard_take(take)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SpoolError, match="does not exist any more"):
        load_take(tmp_path, "t1")
    with pytest.raises(SpoolError):
        take.load_samples()


def test_an_odd_byte_at_the_end_is_trimmed(tmp_path: Path) -> None:
    write_take(tmp_path)
    with (tmp_path / "t1" / "audio.pcm").open("ab") as file:
        file.write(b"\x01")
    [take] = load_takes(tmp_path)
    assert take.samples == 2000
    assert np.array_equal(take.load_samples(), SOUND)


@pytest.mark.parametrize("facts", [None, b"", b"{", b'{"started_utc": 1}', b"\xff\xfe", b"[]", b'{"end": "?"}'])
def test_sound_without_readable_facts_is_still_offered(facts: bytes | None, tmp_path: Path) -> None:
    write_take(tmp_path)
    if facts is None:
        (tmp_path / "t1" / "take.json").unlink()
    else:
        (tmp_path / "t1" / "take.json").write_bytes(facts)
    [take] = load_takes(tmp_path)
    assert take.facts.end is TakeEnd.CUT_OFF
    assert take.samples == 2000


def test_foreign_things_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    write_take(tmp_path)
    (tmp_path / "note.txt").write_text("x")
    (tmp_path / "empty").mkdir()
    (tmp_path / "not a token!").mkdir()
    assert [take.token for take in load_takes(tmp_path)] == ["t1"]
    assert load_takes(tmp_path / "missing") == []


def test_old_takes_without_sound_are_swept_and_no_others(tmp_path: Path) -> None:
    write_take(tmp_path)
    write_take(tmp_path, "empty", SOUND[:0])
    assert [take.token for take in load_takes(tmp_path)] == ["t1"]
    assert discard_empty_takes(tmp_path) == 0, "a take that is being created this minute stays"
    os.utime(tmp_path / "empty", (1, 1))
    os.utime(tmp_path / "t1", (1, 1))
    assert discard_empty_takes(tmp_path) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["t1"]


@pytest.mark.parametrize("token", ["", "../x", "a/b", "a b", "x" * 81, "ä"])
def test_a_token_cannot_leave_the_folder(token: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="token"):
        TakeWriter(tmp_path, token)
    with pytest.raises(ValueError, match="token"):
        load_take(tmp_path, token)


def test_one_token_is_one_take(tmp_path: Path) -> None:
    write_take(tmp_path)
    with pytest.raises(SpoolError, match="already a take"):
        TakeWriter(tmp_path, "t1")


def test_a_failed_last_sync_keeps_the_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = TakeWriter(tmp_path, "t1")
    writer.append(SOUND)

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(SpoolError, match="disk is full") as caught:
        writer.sync(filled_s=0, wall_clock_s=0)
    assert caught.value.kind is StorageProblem.DISK_FULL
    take = writer.close(end=TakeEnd.STOPPED, filled_s=0, wall_clock_s=0)
    assert take.facts.end is TakeEnd.STORAGE_FAILED
    assert np.array_equal(load_take(tmp_path, "t1").load_samples(), SOUND)


def test_an_upload_that_a_killed_process_left_half_way_is_removed_after_an_hour(tmp_path: Path) -> None:
    old, new = tmp_path / "incoming-old", tmp_path / "incoming-new"
    for path in (old, new):
        path.write_bytes(b"a voice")
    os.utime(old, (1, 1))
    assert load_takes(tmp_path) == []
    assert discard_empty_takes(tmp_path) == 0
    assert (old.exists(), new.exists()) == (False, True)
