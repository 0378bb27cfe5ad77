"""Recordings are decoded by content, within bounds, and everything else is one clear error."""

import json
import os
import struct
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest

from tests.audio.sounds import (
    CODINGS,
    RATE_HZ,
    SAMPLE,
    encode,
    encode_video_only,
    load_speech,
    make_tone,
    resample,
    to_int16,
)
from thymia_api.speech import (
    DECODE_LIMIT_S,
    MEDIA_TYPES,
    RecordingFormat,
    SpeechError,
    UnreadableReason,
    UnreadableRecordingError,
    decode_recording,
    identify_format,
)
from thymia_api.speech._decoding import mix_to_mono

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("coding", CODINGS)
def test_each_format_is_decoded_whatever_the_file_is_called(coding: str, tmp_path: Path) -> None:
    sound = load_speech()[: RATE_HZ * 3]
    path = tmp_path / "holiday.txt"
    path.write_bytes(encode(sound, coding))
    recording = decode_recording(path)
    assert recording.format == coding.split("-", maxsplit=1)[0]
    assert recording.media_type == MEDIA_TYPES[recording.format]
    assert recording.duration_s == pytest.approx(3.0, abs=0.06)
    assert recording.samples.size == round(recording.duration_s * recording.sample_rate_hz)
    assert recording.samples_16k.size == pytest.approx(recording.duration_s * 16_000, abs=2)
    assert not recording.is_cut
    assert recording.failed_packets == 0
    # The same sound comes out: its envelope follows the original's.
    envelope = [
        np.abs(x[: 3 * r].reshape(60, -1)).mean(axis=1)
        for x, r in (
            (np.pad(recording.samples_16k, (0, 48_000))[:48_000], 16_000),
            (resample(sound, RATE_HZ, 16_000), 16_000),
        )
    ]
    assert np.corrcoef(*envelope)[0, 1] > 0.95


def test_bytes_and_path_give_the_same_samples() -> None:
    from_path, from_bytes = decode_recording(SAMPLE), decode_recording(SAMPLE.read_bytes())
    assert np.array_equal(from_path.samples, from_bytes.samples)
    assert (from_path.sample_rate_hz, from_path.channels, from_path.duration_s) == (44_100, 2, 11.0)


def test_wav_samples_are_exact() -> None:
    samples = to_int16(load_speech()[:RATE_HZ])
    recording = decode_recording(encode(samples.astype(np.float32) / 32768, "wav"))
    assert np.array_equal(recording.samples * 32768, samples)


def test_equal_channels_mix_to_the_same_level_as_one() -> None:
    """FFmpeg's own float mix would add 3 dB."""
    tone = make_tone(1.0, amplitude=0.5)
    both = np.stack([tone, tone])
    path_frame = av.AudioFrame.from_ndarray(both, format="fltp", layout="stereo")
    path_frame.sample_rate = RATE_HZ
    assert np.array_equal(mix_to_mono(path_frame), tone)


def test_the_picture_beside_the_sound_is_ignored() -> None:
    recording = decode_recording(encode(load_speech()[: RATE_HZ * 2], "mp4", video=True))
    assert recording.format is RecordingFormat.MP4
    assert recording.duration_s == pytest.approx(2.0, abs=0.06)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", UnreadableReason.EMPTY),
        (b"Dear diary, this is no recording. " * 100, UnreadableReason.UNKNOWN_FORMAT),
        (b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n", UnreadableReason.UNKNOWN_FORMAT),
        (b"RIFF\x24\x00\x00\x00WAVE", UnreadableReason.DAMAGED),
        (b"RIFF\x24\x00\x00\x00AVI LIST", UnreadableReason.UNKNOWN_FORMAT),
        (b"fLaC", UnreadableReason.DAMAGED),
        (b"OggS" + bytes(1000), UnreadableReason.DAMAGED),
        (b"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00qt  ", UnreadableReason.UNKNOWN_FORMAT),
        (b"\x1a\x45\xdf\xa3\x8b\x42\x82\x88matroska", UnreadableReason.UNKNOWN_FORMAT),
        (b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm", UnreadableReason.DAMAGED),
        (b"ID3\x04\x00\x00\x00\x00\x00\x00", UnreadableReason.DAMAGED),
        (b"\xff\xf1\x50\x80" * 100, UnreadableReason.UNKNOWN_FORMAT),
    ],
)
def test_what_is_no_recording_is_refused_with_a_reason(content: bytes, reason: UnreadableReason) -> None:
    with pytest.raises(UnreadableRecordingError) as caught:
        decode_recording(content)
    assert caught.value.reason is reason
    assert str(caught.value).endswith(".")
    assert isinstance(caught.value, SpeechError)


def test_a_film_without_sound_is_refused() -> None:
    with pytest.raises(UnreadableRecordingError, match="MP4 file has no sound track") as caught:
        decode_recording(encode_video_only())
    assert caught.value.reason is UnreadableReason.NO_AUDIO


@pytest.mark.parametrize("coding", ["wav", "flac", "mp4", "webm"])
@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9])
def test_a_file_that_was_cut_short_is_refused_when_its_format_states_the_length(coding: str, kept: float) -> None:
    content = encode(
        load_speech()[: RATE_HZ * 5], coding, options={"movflags": "faststart"} if coding == "mp4" else {}
    )
    with pytest.raises(UnreadableRecordingError) as caught:
        decode_recording(content[: int(len(content) * kept)])
    assert caught.value.reason in (UnreadableReason.INCOMPLETE, UnreadableReason.DAMAGED)


@pytest.mark.parametrize("placeholder", [0xFFFF_FFFF, 0x7FFF_F000, 0])
def test_a_wav_written_to_a_pipe_is_read_to_its_end(placeholder: int) -> None:
    content = bytearray(encode(load_speech()[:RATE_HZ], "wav"))
    at = content.index(b"data") + 4
    content[at : at + 4] = placeholder.to_bytes(4, "little")
    assert decode_recording(bytes(content)).duration_s == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("coding", "options"), [("webm", {"live": "1"}), ("mp4", {"movflags": "frag_keyframe+empty_moov"})]
)
def test_what_browsers_record_states_no_length_and_is_read_to_its_end(
    coding: str, options: dict[str, str]
) -> None:
    assert decode_recording(encode(load_speech(), coding, options=options)).duration_s == pytest.approx(
        11, abs=0.05
    )


def test_a_missing_file_and_a_folder_are_unreadable(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.wav", tmp_path):
        with pytest.raises(UnreadableRecordingError) as caught:
            decode_recording(path)
        assert caught.value.reason is UnreadableReason.UNREADABLE_FILE


def test_decoding_stops_at_the_limit_and_tells_the_whole_length() -> None:
    content = encode(np.tile(load_speech(), 2), "flac")
    recording = decode_recording(content, max_s=5.0)
    assert recording.is_cut
    assert recording.samples.size == 5 * RATE_HZ
    assert recording.duration_s == pytest.approx(22.0, abs=0.01)
    with pytest.raises(ValueError, match="max_s must be positive"):
        decode_recording(content, max_s=0)


def make_wav_head(size: int) -> bytes:
    sound = (b"fmt ", 16, 1, 1, RATE_HZ, RATE_HZ * 2, 2, 16, b"data", size - 44)
    return struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", size - 8, b"WAVE", *sound)


def test_a_half_gigabyte_recording_costs_no_more_than_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "hours.wav"
    size = 500_000_000
    with path.open("wb") as file:
        file.write(make_wav_head(size))
        file.truncate(size)  # sparse: takes no room
    began = time.monotonic()
    recording = decode_recording(path)
    assert recording.is_cut
    assert recording.samples.nbytes <= DECODE_LIMIT_S * RATE_HZ * 4
    assert recording.duration_s == pytest.approx((size - 44) / 2 / RATE_HZ, rel=0.001)
    assert time.monotonic() - began < 20


def test_a_half_gigabyte_of_nothing_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "zeros.mp3"
    with path.open("wb") as file:
        file.truncate(500_000_000)
    began = time.monotonic()
    with pytest.raises(UnreadableRecordingError, match="not a FLAC, MP3"):
        decode_recording(path)
    assert time.monotonic() - began < 1


def test_a_thousand_mutated_files_give_samples_or_the_one_error_and_not_a_word_on_stderr() -> None:
    began = time.monotonic()
    child = subprocess.run(
        [sys.executable, "-m", "tests.audio.mutated_files"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert child.returncode == 0, child.stderr[-2000:]
    assert child.stderr == ""
    outcome = json.loads(child.stdout)
    assert outcome["unexpected"] == []
    assert 100 < outcome["decoded"] < 900
    assert outcome["slowest_s"] < 5
    assert time.monotonic() - began < 60
    assert all(message.endswith(".") and "[Errno" not in message for message in outcome["messages"])


def test_formats_are_told_from_their_first_bytes() -> None:
    for coding in CODINGS:
        assert identify_format(encode(make_tone(0.5), coding)[:65536]) == coding.split("-")[0]
    assert identify_format(b"") is None
    assert identify_format(b"ID3\x03\x00\x00\x00\x00\x00\x05xxxxxfLaC") is RecordingFormat.FLAC
