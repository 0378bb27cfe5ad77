"""Whose a take is, and at what rate, is not forgotten because its facts can't be read for a moment."""

import errno
import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from heliograph.audio import SpoolError, TakeEnd, chunk_registry, discard_empty_takes, load_take, load_takes
from heliograph.audio.chunk_registry import open_chunk_take
from heliograph.audio.chunk_take import ChunkTake
from heliograph.audio.take_facts import FACTS_FILE, read_facts
from tests.audio.sounds import to_int16
from tests.audio.test_chunks import TAKE, let_time_pass, make_ending, make_sound

RATE_HZ = 16_000
PIECE = to_int16(make_sound(1)[:RATE_HZ] / 32768).tobytes()
SAID = {"capture": "lossless"}
OTHER = "another-take"


def begin(folder: Path, name: str = TAKE) -> ChunkTake:
    """A take with one second in it."""
    take = open_chunk_take(folder, name)
    take.begin(rate_hz=RATE_HZ, participant_note="7", facts=SAID)
    take.put(0, PIECE, bits=16, sha256=hashlib.sha256(PIECE).hexdigest())
    return take


def refuse(patch: pytest.MonkeyPatch, code: int = errno.EMFILE, name: str = TAKE) -> None:
    """The system can't open the facts of one take."""
    real = Path.read_text

    def read(path: Path, *args: str, **named: str) -> str:
        if path.name == FACTS_FILE and path.parent.name == name:
            raise OSError(code, os.strerror(code))
        return real(path, *args, **named)

    patch.setattr(Path, "read_text", read)


def forget(folder: Path, _patch: pytest.MonkeyPatch) -> None:
    (folder / TAKE / FACTS_FILE).unlink()


def damage(folder: Path, _patch: pytest.MonkeyPatch) -> None:
    (folder / TAKE / FACTS_FILE).write_bytes(b'{"started_utc": "20')


def block(_folder: Path, patch: pytest.MonkeyPatch) -> None:
    refuse(patch)


@pytest.mark.parametrize("spoil", [forget, damage, block])
def test_the_end_of_a_take_takes_nothing_back_of_what_was_known_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Path, pytest.MonkeyPatch], None]
) -> None:
    take = begin(tmp_path)
    begun = read_facts(tmp_path / TAKE)
    with monkeypatch.context() as patch:
        spoil(tmp_path, patch)
        take.finish(make_ending([PIECE], RATE_HZ, facts={"channels": "1"}))
    ended = read_facts(tmp_path / TAKE)
    assert (ended.participant_note, ended.sample_rate_hz, ended.started_utc) == ("7", RATE_HZ, begun.started_utc)
    assert (ended.end, ended.processing) == (TakeEnd.STOPPED, {**SAID, "channels": "1"})
    assert load_take(tmp_path, TAKE).duration_s == 1


@pytest.mark.parametrize("code", [errno.EMFILE, errno.EIO, errno.EACCES])
def test_a_take_whose_facts_cannot_be_read_now_is_listed_later_and_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, code: int
) -> None:
    for name in (TAKE, OTHER):
        begin(tmp_path, name)
        let_time_pass(tmp_path, name)
    with monkeypatch.context() as patch:
        refuse(patch, code)
        assert [take.token for take in load_takes(tmp_path)] == [OTHER]
        assert TAKE in caplog.text
        with pytest.raises(SpoolError):
            load_take(tmp_path, TAKE)
    assert {take.token: take.facts.participant_note for take in load_takes(tmp_path)} == {TAKE: "7", OTHER: "7"}


def test_a_finished_take_is_not_listed_without_its_participant_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(tmp_path).finish(make_ending([PIECE], RATE_HZ))
    let_time_pass(tmp_path)
    with monkeypatch.context() as patch:
        refuse(patch)
        assert load_takes(tmp_path) == []
    assert [take.facts.participant_note for take in load_takes(tmp_path)] == ["7"]


def test_a_take_is_gone_on_with_only_when_its_facts_were_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(tmp_path)
    chunk_registry._takes.clear()
    chunk_registry._recent.clear()
    take = open_chunk_take(tmp_path, TAKE)
    with monkeypatch.context() as patch:
        refuse(patch)
        with pytest.raises(SpoolError):
            take.finish(make_ending([PIECE], RATE_HZ))
    assert take.participant_note == "7"
    take.finish(make_ending([PIECE], RATE_HZ))
    assert load_take(tmp_path, TAKE).facts.sample_rate_hz == RATE_HZ


def test_what_cannot_be_read_now_is_not_swept_and_keeps_no_other_from_being_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (TAKE, "a-take-over-webrtc", "empty-1", "empty-2"):
        (tmp_path / name).mkdir()
    (tmp_path / TAKE / "chunks").mkdir()
    then = time.time() - 3600
    for folder in tmp_path.iterdir():
        os.utime(folder, (then, then))
    real = Path.stat

    def stat(path: Path, **named: bool) -> os.stat_result:
        if path.name == "audio.pcm" and path.parent.name == "a-take-over-webrtc":
            raise OSError(errno.EIO, "Input/output error")
        return real(path, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", stat)
        refuse(patch)
        assert discard_empty_takes(tmp_path) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-take-over-webrtc", TAKE]


@pytest.mark.parametrize("changes", [{"sample_rate_hz": float("inf")}, {"end": "?"}, {"processing": []}])
def test_facts_that_make_no_sense_count_as_lost(tmp_path: Path, changes: dict[str, object]) -> None:
    begin(tmp_path)
    path = tmp_path / TAKE / FACTS_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    assert (read_facts(tmp_path / TAKE).participant_note, read_facts(tmp_path / TAKE).end) == ("", TakeEnd.CUT_OFF)
