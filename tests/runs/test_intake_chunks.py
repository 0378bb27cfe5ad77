"""A take in pieces is kept whole while its browser goes on sending: nothing that was accepted is lost."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from heliograph.audio import SpoolError, StorageProblem
from heliograph.audio.chunk_files import compute_whole_hash
from heliograph.audio.chunk_registry import hold_chunk_take, open_chunk_take
from heliograph.audio.chunk_take import ChunkError, ChunkProblem, Ending
from heliograph.audio.spool import CHUNKS_PATIENCE_S, SpooledTake, load_take, load_takes
from heliograph.audio.take_facts import TakeEnd, read_facts, write_facts
from heliograph.runs import intake
from heliograph.runs.intake import discard_unfinished, keep_take, load_beginning, load_unfinished
from heliograph.store import (
    DiskFullError,
    Store,
    from_utc_text,
    load_waiting_recordings,
    recording_path,
    to_utc_text,
)
from thymia_api.speech import decode_recording

RATE_HZ = 48_000
TAKE = "take-0123456789"
SOUND = np.random.default_rng(3).integers(-3000, 3000, 3 * RATE_HZ).astype("<i2")
PIECES = [SOUND[at : at + RATE_HZ].tobytes() for at in range(0, SOUND.size, RATE_HZ)]


@pytest.fixture
def store(tmp_path):
    opened = Store.open(tmp_path / "sandbox", workspace="sandbox", synthetic=True)
    open_chunk_take(opened.spool_folder, TAKE).begin(rate_hz=RATE_HZ, participant_note="", facts={})
    yield opened
    opened.close()


def put(store: Store, index: int) -> bool:
    digest = hashlib.sha256(PIECES[index]).hexdigest()
    return open_chunk_take(store.spool_folder, TAKE).put(index, PIECES[index], bits=16, sha256=digest)


def finish(store: Store, end: TakeEnd = TakeEnd.STOPPED) -> None:
    whole = compute_whole_hash(hashlib.sha256(piece).digest() for piece in PIECES)
    ending = Ending(chunks=3, samples=SOUND.size, whole_sha256=whole, end=end)
    open_chunk_take(store.spool_folder, TAKE).finish(ending)


def list_silent(store: Store) -> SpooledTake:
    """The take as it is listed half a minute after its last piece."""
    then = time.time() - CHUNKS_PATIENCE_S - 1
    os.utime(store.spool_folder / TAKE / "chunks", (then, then))
    (found,) = load_takes(store.spool_folder)
    return found


def refuse(store: Store, index: int) -> ChunkProblem:
    with pytest.raises(ChunkError) as refused:
        put(store, index)
    return refused.value.reason


@pytest.mark.parametrize("step", ["inspect_take", "write_flac", "save_recording", "discard_take"])
def test_a_piece_that_comes_while_its_take_is_kept_is_not_accepted(store, monkeypatch, step):
    """So its browser still has it; afterwards it is told that the take is settled."""
    for index in range(2):
        put(store, index)
    take = list_silent(store)
    real, reasons = getattr(intake, step), []

    def work(*args, **named):
        reasons.append(refuse(store, 2))
        return real(*args, **named)

    monkeypatch.setattr(intake, step, work)
    recording = keep_take(store, take, participant_id=None)
    assert reasons == [ChunkProblem.BEING_KEPT]
    assert refuse(store, 2) is ChunkProblem.SETTLED
    kept = decode_recording(recording_path(store, recording))
    assert np.array_equal(np.round(kept.samples * 32768).astype(np.int16), SOUND[: 2 * RATE_HZ])


def test_when_keeping_fails_the_take_goes_on(store, monkeypatch):
    for index in range(2):
        put(store, index)
    take = list_silent(store)

    def fail(*_args, **_named):
        raise DiskFullError("no room")

    with monkeypatch.context() as patch:
        patch.setattr(intake, "save_recording", fail)
        with pytest.raises(DiskFullError):
            keep_take(store, take, participant_id=None)
    assert put(store, 2) is True
    finish(store)
    assert load_take(store.spool_folder, TAKE).samples == SOUND.size


def test_what_came_after_the_take_was_listed_is_kept_too(store):
    put(store, 0)
    listed = list_silent(store)
    put(store, 1)
    put(store, 2)
    finish(store)
    recording = keep_take(store, listed, participant_id=None)
    kept = decode_recording(recording_path(store, recording))
    assert np.array_equal(np.round(kept.samples * 32768).astype(np.int16), SOUND)
    assert recording.facts.missing_share == 0


def test_a_take_that_goes_on_arriving_is_not_cut_off(store):
    put(store, 0)
    listed = list_silent(store)
    put(store, 1)
    with pytest.raises(SpoolError) as refused:
        keep_take(store, listed, participant_id=None)
    assert refused.value.kind is StorageProblem.BUSY
    assert load_waiting_recordings(store) == []
    assert put(store, 2) is True


def test_a_take_whose_note_says_another_participant_goes_on_and_is_not_kept(store):
    """What was listed may be older than the note that stands in the take."""
    put(store, 0)
    listed = list_silent(store)
    path = store.spool_folder / TAKE / "take.json"
    path.write_text(path.read_text().replace('"participant_note": ""', '"participant_note": "2"'))
    with pytest.raises(SpoolError, match="choose that one"):
        keep_take(store, listed, participant_id=1)
    assert load_waiting_recordings(store) == []
    assert put(store, 1) is True
    assert not (store.spool_folder / TAKE / "take.flac").exists()


def test_a_piece_that_comes_while_its_take_is_discarded_is_not_accepted(store, monkeypatch):
    put(store, 0)
    list_silent(store)
    (unfinished,) = load_unfinished(store)
    real, reasons = intake.discard_take, []

    def work(take):
        reasons.append(refuse(store, 1))
        real(take)

    monkeypatch.setattr(intake, "discard_take", work)
    discard_unfinished(store, unfinished)
    assert reasons == [ChunkProblem.BEING_KEPT]
    assert refuse(store, 1) is ChunkProblem.SETTLED
    assert not (store.spool_folder / TAKE).exists()


def test_what_somebody_else_keeps_right_now_is_neither_kept_nor_discarded(store):
    put(store, 0)
    take = list_silent(store)
    (unfinished,) = load_unfinished(store)
    with hold_chunk_take(store.spool_folder, TAKE):
        with pytest.raises(ChunkError):
            keep_take(store, take, participant_id=None)
        with pytest.raises(ChunkError):
            discard_unfinished(store, unfinished)
    assert load_take(store.spool_folder, TAKE).samples == RATE_HZ


@pytest.mark.parametrize(
    ("end", "told"),
    [(None, "connection_lost"), (TakeEnd.ABANDONED, "abandoned"), (TakeEnd.STOPPED, "stopped")],
)
def test_how_a_take_ended_is_stored_with_it(store, end, told):
    """What a browser that is gone would still have sent leaves no hole: the end is all that tells of it."""
    for index in range(3):
        put(store, index)
    if end is not None:
        finish(store, end)
    recording = keep_take(store, list_silent(store), participant_id=None)
    assert recording.facts.processing["ended"] == told
    assert recording.facts.missing_share == 0


@pytest.mark.parametrize(
    ("kept_for", "is_believed"),
    [
        (timedelta(days=3), True),
        (timedelta(), True),
        (timedelta(milliseconds=-1), False),
        (timedelta(days=400), False),
        ("2026-11-20T10:00:00", False),
        ("0001-01-01T00:00:00+14:00", False),
        ("yesterday", False),
        ("", False),
    ],
)
def test_what_a_browser_sends_days_later_began_when_it_says_where_that_can_be(store, kept_for, is_believed):
    put(store, 0)
    started_utc = list_silent(store).facts.started_utc
    told = kept_for
    if isinstance(kept_for, timedelta):
        told = to_utc_text(from_utc_text(started_utc) - kept_for)
    take = store.spool_folder / TAKE
    write_facts(take, replace(read_facts(take), processing={"began_utc": told}))
    began_utc = told if is_believed else started_utc
    (found,) = load_unfinished(store)
    assert found.started_utc == began_utc
    recording = keep_take(store, found.item, participant_id=None)
    assert recording.facts.processing["began_utc"] == began_utc
    assert load_beginning(recording) == from_utc_text(began_utc)


def test_only_a_take_that_was_not_ended_by_somebody_is_called_interrupted(store):
    for index in range(3):
        put(store, index)
    list_silent(store)
    assert [found.cut_off for found in load_unfinished(store)] == [True]
    finish(store)
    assert [found.cut_off for found in load_unfinished(store)] == [False]
