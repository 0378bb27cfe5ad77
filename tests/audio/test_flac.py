"""FLAC holds exactly what was recorded, and the same sound is always the same file."""

import hashlib
import os
import stat
from pathlib import Path

import numpy as np
import pytest

from heliograph.audio import FlacError, SpoolError, TakeEnd, encode_flac, flac, load_take, write_flac
from heliograph.audio.spool import TakeWriter
from tests.audio.sounds import RATE_HZ, load_speech, make_noise, to_int16
from thymia_api.speech import RecordingFormat, decode_recording

SOUNDS = {
    "speech": to_int16(load_speech()),
    "noise at full scale": to_int16(make_noise(2, rms=0.5)),
    "silence": np.zeros(5000, dtype=np.int16),
    "extremes": np.array([-32768, 32767] * 3000, dtype=np.int16),
    "one sample": np.array([1234], dtype=np.int16),
    "not a whole block": to_int16(load_speech())[:4609],
}


@pytest.mark.parametrize("name", SOUNDS)
@pytest.mark.parametrize("rate_hz", [48_000, 44_100, 16_000])
def test_decoding_gives_the_same_samples(name: str, rate_hz: int) -> None:
    samples = SOUNDS[name]
    recording = decode_recording(encode_flac(samples, rate_hz))
    assert recording.format is RecordingFormat.FLAC
    assert (recording.sample_rate_hz, recording.channels) == (rate_hz, 1)
    assert np.array_equal(recording.samples * 32768, samples)


def test_the_same_samples_give_the_same_bytes_without_a_version_or_time() -> None:
    samples = SOUNDS["speech"]
    first, second = encode_flac(samples, RATE_HZ), encode_flac(samples.copy(), RATE_HZ)
    assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest()
    assert b"Lav" not in first[:4096]
    assert len(first) < 0.7 * samples.nbytes


def write_take(folder: Path, samples: np.ndarray) -> None:
    writer = TakeWriter(folder, "t1")
    writer.append(samples)
    writer.close(end=TakeEnd.STOPPED, filled_s=0, wall_clock_s=0)


def test_a_take_is_written_privately_and_stays_in_the_spool(tmp_path: Path) -> None:
    write_take(tmp_path / "spool", SOUNDS["speech"])
    take = load_take(tmp_path / "spool", "t1")
    path = write_flac(take, tmp_path / "take.flac")
    assert np.array_equal(decode_recording(path).samples * 32768, SOUNDS["speech"])
    assert load_take(tmp_path / "spool", "t1") == take
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["spool", "take.flac"]
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_cannot_be_written_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_take(tmp_path / "spool", SOUNDS["speech"])
    take = load_take(tmp_path / "spool", "t1")

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(SpoolError, match="disk is full"):
        write_flac(take, tmp_path / "take.flac")
    assert [entry.name for entry in tmp_path.iterdir()] == ["spool"]


def test_an_encoder_that_changes_one_sample_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    encode = flac._encode

    def damage(samples: np.ndarray, rate_hz: int) -> bytes:
        changed = samples.copy()
        changed[100] += 1
        return encode(changed, rate_hz)

    monkeypatch.setattr(flac, "_encode", damage)
    with pytest.raises(FlacError, match="exactly what was recorded"):
        encode_flac(SOUNDS["speech"], RATE_HZ)


@pytest.mark.parametrize("wrong", [np.zeros(0, np.int16), np.zeros((2, 5), np.int16), np.zeros(5, np.float32)])
def test_only_mono_int16_is_taken(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="mono int16"):
        encode_flac(wrong, RATE_HZ)
