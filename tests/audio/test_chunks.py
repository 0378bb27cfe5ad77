"""A take in numbered pieces is kept in any order, doubled or late, and says exactly what it lacks."""

import hashlib
import os
import random
import stat
import time
from pathlib import Path

import numpy as np
import pytest

from heliograph.audio import (
    CaptureError,
    CapturePhase,
    SpoolError,
    TakeEnd,
    discard_empty_takes,
    discard_take,
    encode_flac,
    inspect_take,
    load_take,
    load_takes,
    write_flac,
)
from heliograph.audio.chunk_files import compute_whole_hash, describe_stretches, unpack_samples
from heliograph.audio.chunk_registry import find_chunk_take, open_chunk_take
from heliograph.audio.chunk_take import MAX_CHUNKS, ChunkError, ChunkProblem, ChunkTake, Ending
from heliograph.audio.spool import CHUNKS_PATIENCE_S
from tests.audio.sounds import load_speech, to_int16

RATE_HZ = 48_000
TAKE = "take-0123456789"
FACTS = {"capture": "lossless", "echo_cancellation": "off"}


def make_sound(seconds: float = 3.5, *, bits: int = 16, seed: int = 1) -> np.ndarray:
    top = 1 << (bits - 1)
    return np.random.default_rng(seed).integers(-top, top, round(seconds * RATE_HZ)).astype(np.int32)


def pack(samples: np.ndarray, bits: int = 16) -> bytes:
    if bits == 16:
        return samples.astype("<i2").tobytes()
    return samples.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()


def cut(samples: np.ndarray, bits: int = 16) -> list[bytes]:
    return [pack(samples[at : at + RATE_HZ], bits) for at in range(0, samples.size, RATE_HZ)]


def put(take: ChunkTake, index: int, data: bytes, bits: int = 16) -> bool:
    return take.put(index, data, bits=bits, sha256=hashlib.sha256(data).hexdigest())


def make_ending(pieces: list[bytes], samples: int, **changes: object) -> Ending:
    digests = [hashlib.sha256(piece).digest() for piece in pieces]
    said = {"chunks": len(pieces), "samples": samples, "whole_sha256": compute_whole_hash(digests)}
    return Ending(**{**said, **changes})  # type: ignore[arg-type]


def begin(spool: Path, name: str = TAKE) -> ChunkTake:
    take = open_chunk_take(spool, name)
    take.begin(rate_hz=RATE_HZ, participant_note="7", facts=FACTS)
    return take


def let_time_pass(spool: Path, name: str = TAKE) -> None:
    """As if the last piece had come long ago."""
    then = time.time() - CHUNKS_PATIENCE_S - 1
    os.utime(spool / name / "chunks", (then, then))


@pytest.mark.parametrize("bits", [16, 24])
def test_pieces_in_any_order_and_doubled_become_the_same_flac(tmp_path: Path, bits: int) -> None:
    sound = make_sound(bits=bits)
    pieces = cut(sound, bits)
    take = begin(tmp_path)
    order = [*range(len(pieces)), *range(len(pieces))]
    random.Random(3).shuffle(order)
    news = [put(take, index, pieces[index], bits) for index in order]
    assert sum(news) == len(pieces)
    take.finish(make_ending(pieces, sound.size))
    spooled = take.take_up()
    assert (spooled.samples, spooled.bits, spooled.missing_share, spooled.holes) == (sound.size, bits, 0, ())
    assert np.array_equal(spooled.load_samples(), sound)
    encoded = write_flac(spooled, tmp_path / "out.flac").read_bytes()
    assert encoded == encode_flac(sound.astype(np.int16 if bits == 16 else np.int32), RATE_HZ)


def test_a_take_of_both_widths_is_kept_at_the_wider_one(tmp_path: Path) -> None:
    narrow, wide = make_sound(1), make_sound(1, bits=24)
    take = begin(tmp_path)
    put(take, 0, pack(narrow))
    put(take, 1, pack(wide, 24), 24)
    take.finish(make_ending([pack(narrow), pack(wide, 24)], 2 * RATE_HZ))
    assert np.array_equal(take.take_up().load_samples(), np.concatenate([narrow << 8, wide]))


def test_24_bits_keep_their_sign() -> None:
    sound = np.array([-(1 << 23), -1, 0, 1, (1 << 23) - 1, -256, 255], dtype=np.int32)
    assert np.array_equal(unpack_samples(pack(sound, 24), 24), sound)


def test_everything_is_private(tmp_path: Path) -> None:
    put(begin(tmp_path), 0, cut(make_sound(1))[0])
    for path in [tmp_path / TAKE, *(tmp_path / TAKE).rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.parametrize(
    ("index", "data", "changes", "reason"),
    [
        (0, pack(make_sound(1, seed=9)), {}, ChunkProblem.DIFFERENT),  # Another sound under the same number.
        (1, b"\0" * 96_000, {"sha256": "0" * 64}, ChunkProblem.DAMAGED),
        (1, b"\0" * 96_002, {}, ChunkProblem.TOO_LARGE),
        (1, b"\0" * 3, {}, ChunkProblem.BAD_REQUEST),
        (1, b"", {}, ChunkProblem.BAD_REQUEST),
        (1, b"\0\0\0", {"bits": 8}, ChunkProblem.BAD_REQUEST),
        (-1, b"\0\0", {}, ChunkProblem.TOO_MANY),
        (MAX_CHUNKS, b"\0\0", {}, ChunkProblem.TOO_MANY),
        (3, b"\0" * 96_000, {}, ChunkProblem.DIFFERENT),  # After the short one, which was the last.
    ],
)
def test_a_piece_that_does_not_belong_is_refused_and_changes_nothing(
    tmp_path: Path, index: int, data: bytes, changes: dict[str, object], reason: ChunkProblem
) -> None:
    take = begin(tmp_path)
    put(take, 0, cut(make_sound())[0])
    put(take, 2, pack(make_sound(0.5)))
    before = take.state()
    said = {"bits": 16, "sha256": hashlib.sha256(data).hexdigest(), **changes}
    with pytest.raises(ChunkError) as refused:
        take.put(index, data, **said)  # type: ignore[arg-type]
    assert refused.value.reason == reason
    assert take.state() == before


def test_a_short_piece_in_the_middle_is_refused(tmp_path: Path) -> None:
    take = begin(tmp_path)
    put(take, 2, cut(make_sound())[0])
    with pytest.raises(ChunkError) as refused:
        put(take, 1, pack(make_sound(0.5)))
    assert refused.value.reason == ChunkProblem.DIFFERENT


def test_nothing_can_be_added_to_what_was_not_begun_or_is_finished(tmp_path: Path) -> None:
    sound = make_sound(2)
    pieces = cut(sound)
    take = open_chunk_take(tmp_path, TAKE)
    with pytest.raises(ChunkError) as refused:
        put(take, 0, pieces[0])
    assert refused.value.reason == ChunkProblem.NOT_BEGUN
    take.begin(rate_hz=RATE_HZ, participant_note="7", facts=FACTS)
    with pytest.raises(ChunkError) as refused:
        take.begin(rate_hz=44_100, participant_note="7", facts=FACTS)
    assert refused.value.reason == ChunkProblem.DIFFERENT
    for index, piece in enumerate(pieces):
        put(take, index, piece)
    take.finish(make_ending(pieces, sound.size))
    take.finish(make_ending(pieces, sound.size))  # Its answer was lost: asked again.
    assert put(take, 1, pieces[1]) is False
    with pytest.raises(ChunkError) as refused:
        put(take, 2, pieces[0])
    assert refused.value.reason == ChunkProblem.FINISHED


@pytest.mark.parametrize("rate_hz", [0, -1, 7_999, 192_001, 10**9])
def test_a_rate_that_no_microphone_has_is_refused(tmp_path: Path, rate_hz: int) -> None:
    with pytest.raises(ChunkError):
        open_chunk_take(tmp_path, TAKE).begin(rate_hz=rate_hz, participant_note="", facts={})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "facts", [{"Name": "x"}, {"name": "x" * 201}, {"name": 4}, {f"name_{n}": "x" for n in range(41)}]
)
def test_facts_are_a_few_short_texts(tmp_path: Path, facts: dict[str, str]) -> None:
    with pytest.raises(ChunkError):
        open_chunk_take(tmp_path, TAKE).begin(rate_hz=RATE_HZ, participant_note="", facts=facts)


def test_an_end_counts_only_when_number_length_and_hash_agree(tmp_path: Path) -> None:
    sound = make_sound(3.5)
    pieces = cut(sound)
    take = begin(tmp_path)
    for index in (0, 1, 3):
        put(take, index, pieces[index])
    with pytest.raises(ChunkError) as refused:
        take.finish(make_ending(pieces, sound.size))
    assert (refused.value.reason, refused.value.missing) == (ChunkProblem.INCOMPLETE, (2,))
    with pytest.raises(CaptureError):
        take.take_up()
    put(take, 2, pieces[2])
    wrong = [
        make_ending(pieces, sound.size - 1),
        make_ending(pieces[:3], sound.size),
        make_ending(pieces, sound.size, whole_sha256="0" * 64),
        make_ending(pieces, sound.size, whole_sha256="no hash"),
        make_ending(pieces, sound.size, wall_clock_s=float("nan")),
        make_ending(pieces, sound.size, lost_samples=-1),
    ]
    for ending in wrong:
        with pytest.raises(ChunkError):
            take.finish(ending)
    assert take.snapshot().phase is CapturePhase.RECORDING
    take.finish(make_ending(pieces, sound.size, facts={"channels": "one"}))
    assert take.take_up().facts.processing == {**FACTS, "channels": "one"}


def test_what_the_recorder_lost_itself_counts_as_missing(tmp_path: Path) -> None:
    sound = make_sound(2)
    pieces = cut(sound)
    take = begin(tmp_path)
    for index, piece in enumerate(pieces):
        put(take, index, piece)
    take.finish(make_ending(pieces, sound.size, lost_samples=RATE_HZ // 10, wall_clock_s=2.0))
    assert take.take_up().missing_share == pytest.approx(0.05)


def test_a_take_without_an_end_is_offered_later_with_silence_where_pieces_are_missing(tmp_path: Path) -> None:
    sound = make_sound(5)
    pieces = cut(sound)
    take = begin(tmp_path)
    for index in (0, 3, 4):
        put(take, index, pieces[index])
    assert load_takes(tmp_path) == []  # Its browser may still be there.
    with pytest.raises(SpoolError):
        load_take(tmp_path, TAKE)
    let_time_pass(tmp_path)
    (found,) = load_takes(tmp_path)
    assert (found.samples, found.facts.participant_note) == (sound.size, "7")
    assert found.facts.end is TakeEnd.CONNECTION_LOST
    assert found.missing_share == pytest.approx(0.4)
    assert describe_stretches(found.holes, RATE_HZ) == "1.00-3.00"
    expected = sound.copy()
    expected[RATE_HZ : 3 * RATE_HZ] = 0
    assert np.array_equal(found.load_samples(), expected)


def test_late_pieces_still_complete_a_take_that_nobody_took_up(tmp_path: Path) -> None:
    sound = make_sound(3)
    pieces = cut(sound)
    put(begin(tmp_path), 2, pieces[2])
    let_time_pass(tmp_path)
    assert load_takes(tmp_path)[0].missing_share == pytest.approx(2 / 3)
    take = open_chunk_take(tmp_path, TAKE)
    for index in (0, 1):
        put(take, index, pieces[index])
    take.finish(make_ending(pieces, sound.size, end=TakeEnd.ABANDONED))
    assert load_takes(tmp_path)[0].missing_share == 0


def test_what_was_kept_or_discarded_takes_no_more_pieces(tmp_path: Path) -> None:
    pieces = cut(make_sound(3))
    take = begin(tmp_path)
    put(take, 0, pieces[0])
    let_time_pass(tmp_path)
    discard_take(load_take(tmp_path, TAKE))
    for late in (take, open_chunk_take(tmp_path, TAKE), ChunkTake(tmp_path, TAKE)):
        with pytest.raises(ChunkError) as refused:
            put(late, 1, pieces[1])
        assert refused.value.reason == ChunkProblem.SETTLED
        with pytest.raises(ChunkError) as refused:
            late.begin(rate_hz=RATE_HZ, participant_note="7", facts=FACTS)
        assert refused.value.reason == ChunkProblem.SETTLED
    assert not (tmp_path / TAKE).exists()


def test_a_new_process_goes_on_where_the_old_one_was(tmp_path: Path) -> None:
    """Counts, meters and what is refused are those of the pieces on the disk, whatever lies beside them."""
    sound = to_int16(load_speech()).astype(np.int32)[: 8 * RATE_HZ]
    pieces = cut(sound)
    first = begin(tmp_path)
    for index in range(5):
        put(first, index, pieces[index])
    folder = tmp_path / TAKE / "chunks"
    (folder / ".000005.s16.1.part").write_bytes(b"half")
    (folder / "000006.s24").write_bytes(b"\0" * 4)
    second = ChunkTake(tmp_path, TAKE)
    assert second.snapshot().speech_s == first.snapshot().speech_s > 0
    assert second.snapshot().samples == 5 * RATE_HZ
    (folder / "000006.s24").unlink()
    assert put(second, 4, pieces[4]) is False
    for index in range(5, 8):
        put(second, index, pieces[index])
    second.finish(make_ending(pieces, sound.size))
    third = ChunkTake(tmp_path, TAKE)
    assert third.snapshot().phase is CapturePhase.FINISHED
    assert np.array_equal(third.take_up().load_samples(), sound)


def test_the_live_count_is_that_of_the_review_and_waits_for_what_is_missing(tmp_path: Path) -> None:
    sound = to_int16(load_speech()).astype(np.int32)
    pieces = cut(sound)
    take = begin(tmp_path)
    assert find_chunk_take(tmp_path, TAKE) is take
    for index in reversed(range(1, len(pieces))):
        put(take, index, pieces[index])
    waiting = take.snapshot()
    assert (waiting.elapsed_s, waiting.speech_s, waiting.missing_s) == (0, 0, 1)
    put(take, 0, pieces[0])
    live = take.snapshot()
    assert live.phase is CapturePhase.RECORDING
    assert live.elapsed_s == pytest.approx(sound.size / RATE_HZ)
    take.finish(make_ending(pieces, sound.size))
    measured = inspect_take(take.take_up()).quality
    assert measured.speech_s == pytest.approx(live.speech_s, abs=0.1)
    assert take.snapshot().speech_s == pytest.approx(measured.speech_s, abs=0.001)


def test_takes_that_were_begun_and_got_nothing_are_swept(tmp_path: Path) -> None:
    begin(tmp_path)
    assert discard_empty_takes(tmp_path) == 0
    let_time_pass(tmp_path)
    then = time.time() - 100
    os.utime(tmp_path / TAKE, (then, then))
    assert discard_empty_takes(tmp_path) == 1


def test_a_full_disk_is_said_and_the_piece_can_be_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = begin(tmp_path)
    data = cut(make_sound(1))[0]

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(SpoolError, match="disk is full"):
            put(take, 0, data)
    assert [path.name for path in (tmp_path / TAKE / "chunks").iterdir()] == []
    assert put(take, 0, data) is True


@pytest.mark.parametrize("name", ["", "../up", "a/b", "a" * 81, "ü" * 10])
def test_a_name_that_is_no_token_makes_no_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="token"):
        ChunkTake(tmp_path / "spool", name).begin(rate_hz=RATE_HZ, participant_note="", facts={})
    assert not (tmp_path / "spool").exists()


def test_time_without_sound_that_the_recorder_told_of_counts_as_missing(tmp_path: Path):
    """Nothing stands in its place, so it adds to the time there was; in old notes of a take it is not there."""
    sound = make_sound(4)
    take = begin(tmp_path)
    for index, piece in enumerate(pieces := cut(sound)):
        put(take, index, piece)
    take.finish(make_ending(pieces, sound.size, skipped_samples=RATE_HZ, wall_clock_s=5.0))
    stored = load_take(tmp_path, TAKE)
    assert stored.duration_s == 4
    assert stored.unaccounted_s == 1
    assert stored.missing_share == pytest.approx(1 / 5)
    notes = tmp_path / TAKE / "take.json"
    notes.write_text(notes.read_text().replace('"skipped_samples": 48000, ', ""))
    assert load_take(tmp_path, TAKE).unaccounted_s == 0.5


def test_an_end_with_less_than_nothing_skipped_is_refused(tmp_path: Path):
    take = begin(tmp_path)
    put(take, 0, piece := pack(make_sound(1)))
    with pytest.raises(ChunkError) as refused:
        take.finish(make_ending([piece], RATE_HZ, skipped_samples=-1))
    assert refused.value.reason is ChunkProblem.BAD_REQUEST
