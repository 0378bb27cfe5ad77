"""While a take is kept or discarded nothing is accepted that would be lost, and what a kill leaves is no take."""

import errno
import os
import shutil
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from heliograph.audio import (
    SpoolError,
    chunk_registry,
    discard_empty_takes,
    discard_take,
    load_take,
    load_takes,
    spool,
)
from heliograph.audio import chunk_take as chunk_takes
from heliograph.audio.chunk_registry import find_chunk_take, hold_chunk_take, open_chunk_take
from heliograph.audio.chunk_take import ChunkError, ChunkProblem, ChunkTake
from heliograph.audio.spool import CHUNKS_PATIENCE_S
from heliograph.audio.take_facts import TakeFacts, write_facts
from tests.audio.test_chunks import FACTS, RATE_HZ, TAKE, begin, cut, let_time_pass, make_ending, make_sound, put

PIECES = cut(make_sound(3))


def refusal(take: ChunkTake, index: int) -> ChunkProblem:
    with pytest.raises(ChunkError) as refused:
        put(take, index, PIECES[index])
    return refused.value.reason


def open_many(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """So many others that the first is no longer among those that are remembered."""
    patch.setattr(chunk_registry, "_MAX_RECENT", 2)
    for number in range(3):
        open_chunk_take(folder, f"other-take-{number}")
    assert (folder, TAKE) not in chunk_registry._recent


def test_a_take_that_is_held_takes_nothing_and_then_goes_on(tmp_path: Path) -> None:
    take = begin(tmp_path)
    put(take, 0, PIECES[0])
    with hold_chunk_take(tmp_path, TAKE):
        assert refusal(take, 1) is ChunkProblem.BEING_KEPT
        for change in (
            lambda: take.finish(make_ending(PIECES[:1], RATE_HZ)),
            lambda: take.begin(rate_hz=RATE_HZ, participant_note="7", facts=FACTS),
        ):
            with pytest.raises(ChunkError) as refused:
                change()
            assert refused.value.reason is ChunkProblem.BEING_KEPT
        assert take.state().chunks == 1
    assert put(take, 1, PIECES[1]) is True


def test_only_one_keeps_a_take_at_a_time(tmp_path: Path) -> None:
    put(begin(tmp_path), 0, PIECES[0])
    with hold_chunk_take(tmp_path, TAKE):
        with pytest.raises(ChunkError, match="right now"), hold_chunk_take(tmp_path, TAKE):
            raise AssertionError("held twice")
        assert refusal(open_chunk_take(tmp_path, TAKE), 1) is ChunkProblem.BEING_KEPT
    with hold_chunk_take(tmp_path, TAKE):
        pass


def test_a_held_take_stays_held_when_it_is_no_longer_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(begin(tmp_path), 0, PIECES[0])
    with hold_chunk_take(tmp_path, TAKE):
        open_many(tmp_path, monkeypatch)
        assert refusal(open_chunk_take(tmp_path, TAKE), 1) is ChunkProblem.BEING_KEPT


def test_a_take_in_use_is_the_same_for_everybody_however_many_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = begin(tmp_path)
    open_many(tmp_path, monkeypatch)
    assert open_chunk_take(tmp_path, TAKE) is take


def test_holding_waits_for_the_piece_that_is_being_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when so many takes came in meanwhile that this one is no longer remembered."""
    begin(tmp_path)
    is_writing, may_write = threading.Event(), threading.Event()
    store_chunk = chunk_takes.store_chunk

    def store_slowly(*args: object) -> None:
        is_writing.set()
        assert may_write.wait(10)
        store_chunk(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(chunk_takes, "store_chunk", store_slowly)
    writing = threading.Thread(target=lambda: put(open_chunk_take(tmp_path, TAKE), 0, PIECES[0]))
    writing.start()
    assert is_writing.wait(10)
    open_many(tmp_path, monkeypatch)
    seen: list[int] = []

    def hold() -> None:
        with hold_chunk_take(tmp_path, TAKE):
            seen.append(len(list((tmp_path / TAKE / "chunks").glob("*.s16"))))

    holding = threading.Thread(target=hold)
    holding.start()
    holding.join(0.3)
    assert seen == []
    may_write.set()
    writing.join(10)
    holding.join(10)
    assert seen == [1]


def test_a_piece_that_comes_after_a_take_was_listed_does_not_change_what_was_listed(tmp_path: Path) -> None:
    take = begin(tmp_path)
    put(take, 0, PIECES[0])
    let_time_pass(tmp_path)
    (listed,) = load_takes(tmp_path)
    put(take, 2, PIECES[2])
    assert np.array_equal(listed.load_samples(), make_sound(3)[:RATE_HZ])


def test_what_a_kill_in_the_middle_of_discarding_leaves_is_offered_to_nobody_and_swept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = begin(tmp_path)
    for index, piece in enumerate(PIECES):
        put(take, index, piece)
    take.finish(make_ending(PIECES, 3 * RATE_HZ))

    def be_killed(folder: Path) -> None:
        (folder / "take.json").unlink()
        (folder / "chunks" / "000001.s16").unlink()
        raise SystemExit("killed")

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", be_killed)
        with pytest.raises(SystemExit):
            discard_take(load_take(tmp_path, TAKE))
    let_time_pass(tmp_path)
    assert load_takes(tmp_path) == []
    with pytest.raises(SpoolError, match="does not exist any more"):
        load_take(tmp_path, TAKE)
    assert find_chunk_take(tmp_path, TAKE) is None
    for late in (take, ChunkTake(tmp_path, TAKE)):
        assert refusal(late, 1) is ChunkProblem.SETTLED
    discard_empty_takes(tmp_path)
    assert not (tmp_path / TAKE).exists()
    assert refusal(open_chunk_take(tmp_path, TAKE), 1) is ChunkProblem.SETTLED


def test_marks_of_what_was_settled_are_forgotten_at_last(tmp_path: Path) -> None:
    put(begin(tmp_path), 0, PIECES[0])
    let_time_pass(tmp_path)
    discard_take(load_take(tmp_path, TAKE))
    discard_empty_takes(tmp_path)
    assert refusal(open_chunk_take(tmp_path, TAKE), 1) is ChunkProblem.SETTLED
    os.utime(tmp_path / ".settled" / TAKE, (1, 1))
    discard_empty_takes(tmp_path)
    assert refusal(open_chunk_take(tmp_path, TAKE), 1) is ChunkProblem.NOT_BEGUN


@pytest.mark.skipif(os.name != "posix", reason="folders can be synced on POSIX only")
def test_the_facts_of_a_take_survive_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is synced after the new file has taken the old one's place: before, the old one may come back."""
    synced: list[tuple[bool, bool]] = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        synced.append((is_folder, (tmp_path / "take.json").exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    write_facts(tmp_path, TakeFacts(started_utc="2026-11-21T00:00:00.000Z"))
    assert synced == [(False, False), (True, True)]


@pytest.mark.parametrize(("told_s", "stored_s"), [(86_399.0, 86_399.0), (86_400.0, 86_400.0), (3e6, 86_400.0)])
def test_a_computer_that_slept_for_days_can_still_end_its_take(
    tmp_path: Path, told_s: float, stored_s: float
) -> None:
    take = begin(tmp_path)
    put(take, 0, PIECES[0])
    take.finish(make_ending(PIECES[:1], RATE_HZ, wall_clock_s=told_s))
    assert load_take(tmp_path, TAKE).facts.wall_clock_s == stored_s
    assert take.snapshot().wall_clock_s == stored_s


@pytest.mark.parametrize("told_s", [float("nan"), float("inf"), -1.0])
def test_a_clock_that_makes_no_sense_ends_nothing(tmp_path: Path, told_s: float) -> None:
    take = begin(tmp_path)
    put(take, 0, PIECES[0])
    with pytest.raises(ChunkError) as refused:
        take.finish(make_ending(PIECES[:1], RATE_HZ, wall_clock_s=told_s))
    assert refused.value.reason is ChunkProblem.BAD_REQUEST


def list_one(folder: Path) -> None:
    assert [take.token for take in load_takes(folder)] == ["another-take"]


def sweep_none(folder: Path) -> None:
    assert discard_empty_takes(folder) == 0


def load_none(folder: Path) -> None:
    with pytest.raises(SpoolError, match="does not exist any more"):
        load_take(folder, TAKE)


@pytest.mark.parametrize("work", [list_one, sweep_none, load_none])
@pytest.mark.parametrize("name", ["time", "is_settled", "read_facts", "load_chunks"])
def test_a_take_that_somebody_removes_while_it_is_looked_at_is_gone_and_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: Callable[[Path], None], name: str
) -> None:
    for token in (TAKE, "another-take"):
        put(begin(tmp_path, token), 0, PIECES[0])
        let_time_pass(tmp_path, token)
        os.utime(tmp_path / token, (1, 1))
    owner = spool.time if name == "time" else spool
    real = getattr(owner, name)

    def look(*args: object) -> object:
        shutil.rmtree(tmp_path / TAKE, ignore_errors=True)
        return real(*args)

    monkeypatch.setattr(owner, name, look)
    work(tmp_path)


def test_a_take_that_cannot_be_read_is_a_spool_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(begin(tmp_path), 0, PIECES[0])
    let_time_pass(tmp_path)

    def fail(*_args: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(spool, "load_chunks", fail)
    with pytest.raises(SpoolError, match="Input/output error"):
        load_take(tmp_path, TAKE)


def test_a_clock_that_was_set_back_hides_no_take_that_was_cut_off(tmp_path: Path) -> None:
    put(begin(tmp_path), 0, PIECES[0])
    for ahead_s, listed in [(CHUNKS_PATIENCE_S - 5, []), (CHUNKS_PATIENCE_S + 5, [TAKE]), (86_400, [TAKE])]:
        then = time.time() + ahead_s
        os.utime(tmp_path / TAKE / "chunks", (then, then))
        assert [take.token for take in load_takes(tmp_path)] == listed
