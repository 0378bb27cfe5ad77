"""After a restart many takes go on at once: none waits for another, and no piece for what the page listens to."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from heliograph.audio import CapturePhase, SpoolError, StorageProblem, chunk_registry, chunk_take
from heliograph.audio.chunk_meter import ChunkMeter
from heliograph.audio.chunk_registry import find_chunk_take, open_chunk_take
from tests.audio.test_chunks import RATE_HZ, TAKE, begin, cut, make_ending, make_sound, put

PIECES = cut(make_sound(3))


def leave_behind(spool: Path) -> None:
    """A take of which two seconds came before the server was started again: nothing of it is in memory."""
    take = begin(spool)
    put(take, 0, PIECES[0])
    put(take, 1, PIECES[1])
    del take
    chunk_registry._recent.clear()
    assert (spool, TAKE) not in chunk_registry._takes


@contextmanager
def stopped_inside(
    patch: pytest.MonkeyPatch, owner: object, name: str, work: Callable[[], object]
) -> Iterator[None]:
    """While `work` waits in another thread at its first call of `owner.name`."""
    real, is_inside, may_go = getattr(owner, name), threading.Event(), threading.Event()

    def wait(*args: object, **named: object) -> object:
        patch.setattr(owner, name, real)
        is_inside.set()
        assert may_go.wait(10)
        return real(*args, **named)

    patch.setattr(owner, name, wait)
    thread = threading.Thread(target=work)
    thread.start()
    assert is_inside.wait(10)
    try:
        yield
    finally:
        may_go.set()
        thread.join(10)


def is_done_soon(work: Callable[[], object]) -> bool:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(5)
    return not thread.is_alive()


def test_a_take_does_not_wait_for_another_that_is_read_from_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_behind(tmp_path)
    again: list[bool] = []

    def go_on() -> None:
        again.append(put(open_chunk_take(tmp_path, TAKE), 1, PIECES[1]))

    with stopped_inside(monkeypatch, chunk_take, "load_chunk_bytes", go_on):
        assert is_done_soon(lambda: put(begin(tmp_path, "another-take"), 0, PIECES[0]))
    assert again == [False]


def test_a_piece_does_not_wait_for_a_page_that_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_behind(tmp_path)
    take = open_chunk_take(tmp_path, TAKE)
    with stopped_inside(monkeypatch, ChunkMeter, "_hear", take.snapshot):
        assert is_done_soon(lambda: put(take, 2, PIECES[2]))
    assert take.snapshot().elapsed_s == 3


def test_the_page_can_look_at_a_take_whose_sound_is_being_removed(tmp_path: Path) -> None:
    leave_behind(tmp_path)
    take = find_chunk_take(tmp_path, TAKE)
    assert take is not None
    assert take.participant_note == "7"
    shutil.rmtree(tmp_path / TAKE)
    assert (take.snapshot().phase, take.snapshot().elapsed_s) == (CapturePhase.RECORDING, 0)


def test_what_could_not_be_read_is_listened_to_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = begin(tmp_path)
    for index, piece in enumerate(PIECES):
        put(take, index, piece)
    take.finish(make_ending(PIECES, 3 * RATE_HZ))
    second = tmp_path / TAKE / "chunks" / "000001.s16"
    second.rename(tmp_path / "aside")
    assert take.snapshot().elapsed_s == 1
    (tmp_path / "aside").rename(second)
    assert (take.snapshot().elapsed_s, take.snapshot().phase) == (3, CapturePhase.FINISHED)


def test_a_take_that_cannot_be_read_is_said_and_goes_on_when_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_behind(tmp_path)

    def fail(*_args: object) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(chunk_take, "load_chunk_bytes", fail)
        with pytest.raises(SpoolError, match="Input/output error"):
            put(open_chunk_take(tmp_path, TAKE), 2, PIECES[2])
    take = open_chunk_take(tmp_path, TAKE)
    assert put(take, 0, PIECES[0]) is False
    assert put(take, 2, PIECES[2]) is True


def test_a_disk_that_is_full_at_the_end_is_said_and_the_end_can_be_told_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = begin(tmp_path)
    put(take, 0, PIECES[0])

    def fail(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(SpoolError) as failed:
            take.finish(make_ending(PIECES[:1], RATE_HZ))
    assert failed.value.kind is StorageProblem.DISK_FULL
    assert take.snapshot().phase is CapturePhase.RECORDING
    take.finish(make_ending(PIECES[:1], RATE_HZ))
    assert take.snapshot().phase is CapturePhase.FINISHED
