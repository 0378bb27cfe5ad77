"""Measured quality follows known changes of real speech, and each verdict has its number and advice."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from heliograph.audio import (
    Quality,
    RecordingTooLargeError,
    Verdict,
    compute_quality,
    inspect_file,
    inspect_take,
    inspection,
    judge_quality,
    load_take,
)
from heliograph.audio.quality import compute_clipped_share
from heliograph.audio.spool import TakeWriter
from heliograph.audio.take_facts import TakeEnd
from tests.audio.sounds import (
    RATE_HZ,
    SAMPLE,
    encode,
    load_speech,
    load_speech_16k,
    low_pass,
    make_noise,
    make_tone,
    to_int16,
)
from thymia_api.speech import SpeechMeasure, SpeechSegment, UnreadableRecordingError, measure_speech

GOOD = Quality(
    speech_s=30.0,
    duration_s=45.0,
    level_dbfs=-25.0,
    peak_dbfs=-8.0,
    clipped_share=0.0,
    snr_db=35.0,
    bandwidth_hz=12_000.0,
    missing_share=0.0,
    sample_rate_hz=48_000,
)


def measure(samples: np.ndarray, **options: float) -> Quality:
    return compute_quality(samples, RATE_HZ, speech=measure_speech(load_speech_16k()), **options)


def find_verdicts(quality: Quality) -> dict[str, Verdict]:
    return {row.name: row.verdict for row in judge_quality(quality)}


def test_the_old_recording_is_judged_truthfully() -> None:
    """Too short in speech, fair in noise and level, dull as radio of 1961 was."""
    quality = inspect_file(SAMPLE, "jfk.flac").quality
    assert quality.level_dbfs == pytest.approx(-15.3, abs=1)
    assert quality.snr_db == pytest.approx(25, abs=4)
    assert quality.bandwidth_hz == pytest.approx(5_400, abs=600)
    verdicts = find_verdicts(quality)
    assert verdicts.pop("speech") is Verdict.FAIL
    assert verdicts.pop("bandwidth") is Verdict.WARN
    assert set(verdicts.values()) == {Verdict.PASS}


@pytest.mark.parametrize("gain_db", [-30, -20, -10, 0])
def test_level_and_peak_follow_the_gain_and_the_rest_stays(gain_db: int) -> None:
    reference, quality = measure(load_speech()), measure(load_speech() * np.float32(10 ** (gain_db / 20)))
    assert quality.level_dbfs - reference.level_dbfs == pytest.approx(gain_db, abs=0.1)
    assert quality.peak_dbfs - reference.peak_dbfs == pytest.approx(gain_db, abs=0.1)
    assert quality.snr_db == pytest.approx(reference.snr_db, abs=0.2)
    assert quality.bandwidth_hz == pytest.approx(reference.bandwidth_hz, abs=300)


def test_a_full_scale_sine_has_minus_3_dbfs() -> None:
    whole = SpeechMeasure(4.0, (SpeechSegment(0.0, 4.0),))
    quality = compute_quality(make_tone(5.0, amplitude=1.0), RATE_HZ, speech=whole)
    assert quality.level_dbfs == pytest.approx(-3.01, abs=0.02)
    assert quality.peak_dbfs == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("snr_db", [0, 5, 10, 15, 20])
def test_noise_at_a_known_ratio_is_estimated_within_2_db(snr_db: int) -> None:
    clean = measure(load_speech())
    rms = 10 ** ((clean.level_dbfs - snr_db) / 20)
    noisy = measure(load_speech() + make_noise(11.0, rms=rms)[: load_speech().size])
    # The recording's own noise (25 dB) adds to ours.
    assert noisy.snr_db == pytest.approx(snr_db, abs=2)
    assert (find_verdicts(noisy)["snr"] is Verdict.WARN) == (noisy.snr_db < 15)


@pytest.mark.parametrize("cutoff_hz", [2_000, 3_400, 4_000])
def test_a_low_passed_voice_has_the_bandwidth_of_the_filter(cutoff_hz: int) -> None:
    assert measure(low_pass(load_speech(), cutoff_hz)).bandwidth_hz == pytest.approx(cutoff_hz, abs=400)


def test_a_bright_voice_has_its_bandwidth_and_ends_at_an_8_khz_filter() -> None:
    """Noise bursts in the rhythm of speech stand for fricatives, which the old recording lacks."""
    segments = measure_speech(load_speech_16k()).segments
    at = np.arange(load_speech().size) / RATE_HZ
    in_speech = np.any([(at >= start) & (at < end) for start, end in segments], axis=0)
    hiss = make_noise(11.0, rms=0.01)[: at.size] * in_speech * (np.sin(2 * np.pi * 3 * at) > 0)
    bright = (load_speech() + hiss).astype(np.float32)
    assert measure(bright).bandwidth_hz > 18_000
    assert measure(low_pass(bright, 8_000)).bandwidth_hz == pytest.approx(8_000, abs=400)
    assert find_verdicts(measure(low_pass(bright, 8_000)))["bandwidth"] is Verdict.PASS
    assert find_verdicts(measure(low_pass(bright, 4_000)))["bandwidth"] is Verdict.WARN


@pytest.mark.parametrize("gain", [2.0, 4.0, 8.0])
def test_clipping_is_measured_and_seen_even_when_it_was_turned_down_afterwards(gain: float) -> None:
    loud = load_speech() * np.float32(gain)
    expected = float(np.mean(np.abs(loud) >= 1))
    clipped = to_int16(np.clip(loud, -1, 1)).astype(np.float32) / 32768
    assert compute_clipped_share(clipped) == pytest.approx(expected, rel=0.05)
    assert compute_clipped_share(clipped * np.float32(0.5)) == pytest.approx(expected, rel=0.2)
    assert find_verdicts(measure(clipped))["clipping"] is Verdict.WARN


def test_tones_noise_and_speech_at_a_good_level_are_not_called_clipped() -> None:
    for sound in (
        load_speech(),
        make_noise(5, rms=0.1),
        *(make_tone(2, hz=hz, amplitude=0.9) for hz in (80, 440, 3000)),
    ):
        assert compute_clipped_share(to_int16(sound).astype(np.float32) / 32768) == 0.0


@pytest.mark.parametrize("sound", [np.zeros(RATE_HZ * 5, np.float32), make_noise(5), make_tone(5)])
def test_without_speech_noise_and_bandwidth_are_not_invented(sound: np.ndarray) -> None:
    quality = compute_quality(sound, RATE_HZ, speech=SpeechMeasure(0.0, ()))
    assert (quality.snr_db, quality.bandwidth_hz) == (None, None)
    rows = {row.name: row for row in judge_quality(quality)}
    assert rows["speech"].verdict is Verdict.FAIL
    assert rows["snr"].verdict is rows["bandwidth"].verdict is Verdict.WARN
    assert "not enough speech" in rows["snr"].text
    assert rows["snr"].value is None


def test_speech_without_a_pause_is_said_to_be_unmeasurable() -> None:
    speech = load_speech()[: RATE_HZ * 2]
    quality = compute_quality(speech, RATE_HZ, speech=SpeechMeasure(2.0, (SpeechSegment(0.0, 2.0),)))
    assert quality.snr_db is None
    row = {row.name: row for row in judge_quality(quality)}["snr"]
    assert "not enough silence to measure" in row.text
    assert row.verdict is Verdict.WARN


def test_silence_put_in_for_lost_packets_is_not_taken_for_a_quiet_room() -> None:
    holes = load_speech().copy()
    for start_s, end_s in ((2.3, 3.2), (4.4, 5.4), (7.7, 8.1)):  # most of all pauses
        holes[int(start_s * RATE_HZ) : int(end_s * RATE_HZ)] = 0
    assert measure(holes).snr_db == 80
    assert 10 < (measure(holes, missing_share=0.2).snr_db or 0) < 30


def test_digital_silence_between_words_reads_as_80_db_or_more() -> None:
    segments = measure_speech(load_speech_16k()).segments
    gated = np.zeros_like(load_speech())
    for start, end in segments:
        gated[int(start * RATE_HZ) : int(end * RATE_HZ)] = load_speech()[int(start * RATE_HZ) : int(end * RATE_HZ)]
    quality = measure(gated)
    assert quality.snr_db == 80
    assert {row.name: row.text for row in judge_quality(quality)}["snr"] == "80 dB or more"


@pytest.mark.parametrize(
    ("change", "name", "verdict"),
    [
        ({"speech_s": 9.99}, "speech", Verdict.FAIL),
        ({"speech_s": 10.0}, "speech", Verdict.WARN),
        ({"speech_s": 15.0}, "speech", Verdict.PASS),
        ({"duration_s": 180.0}, "length", Verdict.PASS),
        ({"duration_s": 180.01}, "length", Verdict.FAIL),
        ({"level_dbfs": -42.1}, "level", Verdict.WARN),
        ({"level_dbfs": -7.9}, "level", Verdict.WARN),
        ({"clipped_share": 0.0002}, "clipping", Verdict.WARN),
        ({"snr_db": 14.9}, "snr", Verdict.WARN),
        ({"snr_db": None, "snr_note": "not enough silence to measure"}, "snr", Verdict.WARN),
        ({"bandwidth_hz": 4000.0}, "bandwidth", Verdict.WARN),
        ({"bandwidth_hz": None}, "bandwidth", Verdict.WARN),
        ({"missing_share": 0.02}, "gaps", Verdict.WARN),
    ],
)
def test_each_limit_changes_one_row_with_number_unit_and_advice(
    change: dict[str, float], name: str, verdict: Verdict
) -> None:
    rows = judge_quality(replace(GOOD, **change))
    assert [row.name for row in rows] == ["speech", "length", "level", "clipping", "snr", "bandwidth", "gaps"]
    for row in rows:
        assert row.verdict is (verdict if row.name == name else Verdict.PASS)
        assert bool(row.advice) is (row.verdict is not Verdict.PASS)
        assert row.unit in row.text or row.value is None or row.name == "bandwidth"


@pytest.mark.parametrize(
    ("source", "words"),
    [("webrtc", "The network lost sound"), ("lossless", "a busy computer"), ("upload", "Sound is missing:")],
)
def test_the_advice_against_gaps_fits_the_recorder(source: str, words: str) -> None:
    advice = judge_quality(replace(GOOD, missing_share=0.02), source=source)[-1].advice
    assert words in advice
    assert ("network" in advice) is (source == "webrtc")


def test_a_failing_number_is_never_rounded_to_a_passing_one() -> None:
    texts = {row.name: row.text for row in judge_quality(replace(GOOD, speech_s=9.97, duration_s=180.01))}
    assert texts["speech"] == "9.9 s"
    assert texts["length"] == "180.1 s"


def test_a_long_file_fails_by_its_whole_length_though_only_its_beginning_is_decoded() -> None:
    quality = inspect_file(encode(np.tile(load_speech(), 40), "flac"), "long.flac").quality
    assert quality.duration_s == pytest.approx(440, abs=0.1)
    assert find_verdicts(quality)["length"] is Verdict.FAIL


def test_unreadable_and_oversized_files_are_refused_with_their_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UnreadableRecordingError, match=r"^notes\.wav: This is not a"):
        inspect_file(b"some text", "notes.wav")
    with pytest.raises(UnreadableRecordingError, match="can't be opened"):
        inspect_file(tmp_path / "missing.wav", "missing.wav")
    with (tmp_path / "big.wav").open("wb") as file:
        file.truncate(500_000_000)
    with pytest.raises(RecordingTooLargeError, match="500 MB") as caught:
        inspect_file(tmp_path / "big.wav", "big.wav")
    assert caught.value.limit_bytes == inspection.MAX_FILE_BYTES


def test_a_take_is_inspected_with_its_gaps(tmp_path: Path) -> None:
    writer = TakeWriter(tmp_path, "t1")
    writer.append(to_int16(load_speech(2)))
    writer.close(end=TakeEnd.STOPPED, filled_s=2.2, wall_clock_s=22.0)
    samples, quality = inspect_take(load_take(tmp_path, "t1"))
    assert samples.size == load_speech(2).size
    assert quality.speech_s == pytest.approx(15.2, abs=0.5)
    assert quality.missing_share == pytest.approx(0.1)
    assert find_verdicts(quality)["gaps"] is Verdict.WARN


def test_wrong_arrays_are_refused() -> None:
    for wrong in (np.zeros(0, np.float32), np.zeros((2, 3), np.float32)):
        with pytest.raises(ValueError, match="one dimension"):
            compute_quality(wrong, RATE_HZ, speech=SpeechMeasure(0.0, ()))
