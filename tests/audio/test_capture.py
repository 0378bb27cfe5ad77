"""A capture keeps every frame and tells the truth about what is missing."""

import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from heliograph.audio import Capture, CapturePhase, HeardLevel, TakeEnd, load_takes
from tests.audio.captures import record, wait_until
from tests.audio.sounds import RATE_HZ, load_speech, make_noise, make_tone, make_webrtc_frames, to_int16
from thymia_api.speech import MIN_SPEECH_S

pytestmark = pytest.mark.usefixtures("no_thread_is_left")


def test_every_sample_of_every_frame_is_kept(tmp_path: Path) -> None:
    samples = to_int16(load_speech()[: RATE_HZ * 10])
    take = record(tmp_path, make_webrtc_frames(samples, first_pts=123_456)).finish()
    assert np.array_equal(take.load_samples(), samples)
    assert take.facts.end is TakeEnd.STOPPED
    assert take.facts.participant_note == "P-001"
    assert take.missing_share == 0
    assert [known.token for known in load_takes(tmp_path)] == ["t1"]


def test_the_live_speech_count_is_the_batch_measure(tmp_path: Path) -> None:
    samples = to_int16(load_speech(2))
    recorder = record(tmp_path, make_webrtc_frames(samples))
    take = recorder.finish()
    from heliograph.audio import inspect_take

    live_s = recorder.snapshot().speech_s
    assert live_s > MIN_SPEECH_S
    assert live_s == pytest.approx(inspect_take(take).quality.speech_s, abs=0.1)


def test_jumps_of_the_timestamps_become_silence_so_that_time_stays_true(tmp_path: Path) -> None:
    samples = to_int16(make_noise(4.0, rms=0.1))
    frames = make_webrtc_frames(samples)
    lost = set(range(50, 55)) | {120}
    take = record(tmp_path, [frame for number, frame in enumerate(frames) if number not in lost]).finish()
    expected = samples.copy()
    for number in lost:
        expected[number * 960 : (number + 1) * 960] = 0
    assert np.array_equal(take.load_samples(), expected)
    assert take.facts.filled_s == pytest.approx(6 * 0.02)
    assert take.missing_share == pytest.approx(6 * 0.02 / 4.0, abs=1e-6)


def test_a_restarted_or_wrapped_timestamp_adds_no_hours_of_silence(tmp_path: Path) -> None:
    samples = to_int16(make_tone(1.0))
    frames = make_webrtc_frames(samples)
    far = make_webrtc_frames(samples, first_pts=2**32 - 1)
    back = make_webrtc_frames(samples, first_pts=0)
    unstamped = make_webrtc_frames(samples)
    for frame in unstamped:
        frame.pts = None
    take = record(tmp_path, [*frames, *far, *back, *unstamped]).finish()
    assert take.duration_s == pytest.approx(4.0)
    assert take.facts.filled_s == 0


def test_recording_starts_at_begin_and_the_check_before_stores_nothing(tmp_path: Path) -> None:
    recorder = Capture(tmp_path, token="t1")
    assert recorder.snapshot().phase is CapturePhase.MONITORING
    assert recorder.snapshot().last_frame_age_s is None
    for frame in make_webrtc_frames(to_int16(load_speech()[RATE_HZ // 2 : RATE_HZ * 2])):
        recorder.push(frame)
    wait_until(lambda: recorder.snapshot().level_dbfs > -40)
    seen = recorder.snapshot()
    assert seen.heard in (HeardLevel.GOOD, HeardLevel.TOO_LOUD)
    assert (seen.samples, seen.elapsed_s, seen.phase) == (0, 0.0, CapturePhase.MONITORING)
    assert list(tmp_path.iterdir()) == []
    recorder.begin(participant_note="P-002")
    recorder.begin(participant_note="ignored")
    tone = to_int16(make_tone(1.0))
    for frame in make_webrtc_frames(tone, first_pts=10_000_000):
        recorder.push(frame)
    wait_until(lambda: recorder.snapshot().phase is CapturePhase.RECORDING)
    take = recorder.finish()
    assert np.array_equal(take.load_samples(), tone)
    assert take.facts.participant_note == "P-002"
    assert take.facts.filled_s == 0


def test_frames_that_wait_on_the_other_side_of_begin_and_stop_are_not_in_the_take(tmp_path: Path) -> None:
    tone = to_int16(make_tone(1.0))
    recorder = Capture(tmp_path, token="t1")
    for frame in make_webrtc_frames(to_int16(make_noise(0.2))):
        recorder.push(frame)
    time.sleep(0.001)
    recorder.begin()
    for frame in make_webrtc_frames(tone, first_pts=9600):
        recorder.push(frame)
    recorder.request_stop(post_roll_s=0.0)
    time.sleep(0.001)
    for frame in make_webrtc_frames(to_int16(make_noise(0.2)), first_pts=57_600):
        recorder.push(frame)
    assert np.array_equal(recorder.finish().load_samples(), tone)


def test_silence_is_heard_as_nothing_and_full_scale_as_too_loud(tmp_path: Path) -> None:
    for token, amplitude, heard in (
        ("a", 0.0, HeardLevel.NOTHING),
        ("b", 0.001, HeardLevel.QUIET),
        ("c", 0.05, HeardLevel.GOOD),
        ("d", 0.99, HeardLevel.TOO_LOUD),
    ):
        recorder = Capture(tmp_path, token=token)
        for frame in make_webrtc_frames(to_int16(make_tone(1.0, amplitude=amplitude))):
            recorder.push(frame)
        wait_until(
            lambda r=recorder, h=heard: (
                (r.snapshot().heard is h and r.snapshot().peak_dbfs != -100) or h is HeardLevel.NOTHING
            )
        )
        assert recorder.snapshot().heard is heard
        recorder.abandon()


@pytest.mark.parametrize(
    ("layout", "sample_format", "rate_hz"),
    [
        ("mono", "s16", 48_000),
        ("stereo", "s16p", 44_100),
        ("stereo", "fltp", 48_000),
        ("mono", "flt", 16_000),
        ("stereo", "s32", 48_000),
        ("mono", "u8", 8_000),
        ("5.1", "fltp", 48_000),
    ],
)
def test_frames_of_any_format_and_rate_become_mono_at_48_khz(
    layout: str, sample_format: str, rate_hz: int, tmp_path: Path
) -> None:
    tone = make_tone(1.0, hz=300, rate_hz=rate_hz, amplitude=0.4)
    channels = av.AudioLayout(layout).nb_channels
    scaled = {
        "s16": tone * 32767,
        "s16p": tone * 32767,
        "s32": tone.astype(np.float64) * 2**31,
        "u8": tone * 127 + 128,
    }.get(sample_format, tone)
    dtype = {"s16": "i2", "s16p": "i2", "s32": "i4", "u8": "u1"}.get(sample_format, "f4")
    lanes = np.tile(scaled.astype(dtype), (channels, 1))
    frames, size = [], rate_hz // 50
    for start in range(0, rate_hz, size):
        part = lanes[:, start : start + size]
        array = np.ascontiguousarray(part) if sample_format.endswith("p") else part.T.reshape(1, -1).copy()
        frame = av.AudioFrame.from_ndarray(array, format=sample_format, layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate_hz, start, Fraction(1, rate_hz)
        frames.append(frame)
    take = record(tmp_path, frames).finish()
    heard = take.load_samples().astype(np.float64) / 32768
    assert take.samples == pytest.approx(RATE_HZ, abs=60)
    assert np.sqrt(np.mean(heard[2000:-2000] ** 2)) == pytest.approx(0.4 / 2**0.5, rel=0.02)


def test_a_change_of_rate_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    first = make_webrtc_frames(to_int16(make_tone(1.0)))
    second = make_webrtc_frames(to_int16(make_tone(1.0, rate_hz=16_000)), first_pts=16_000, rate_hz=16_000)
    third = make_webrtc_frames(to_int16(make_tone(1.0)), first_pts=96_000)
    take = record(tmp_path, [*first, *second, *third]).finish()
    assert take.duration_s == pytest.approx(3.0, abs=0.002)
    assert take.facts.filled_s == 0


def test_time_that_shows_in_no_timestamp_still_counts_as_missing(tmp_path: Path) -> None:
    """A blocked event loop loses sound without a gap in the timestamps; the clock tells."""
    take = record(tmp_path, make_webrtc_frames(to_int16(make_tone(1.0)))).finish()
    from dataclasses import replace

    slow = replace(take, facts=replace(take.facts, wall_clock_s=6.5))
    assert slow.unaccounted_s == pytest.approx(5.0)
    assert slow.missing_share == pytest.approx(5 / 6)


def test_push_only_enqueues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Capture, "_start_thread", lambda self: None)
    recorder = Capture(tmp_path, token="t1")
    recorder.begin()
    frames = make_webrtc_frames(to_int16(make_tone(1.0)))
    for frame in frames:
        recorder.push(frame)
    assert [frame for _, frame in recorder._frames] == frames
    assert recorder.snapshot().samples == 0
    assert list(tmp_path.iterdir()) == []


def test_clipped_samples_are_counted_live(tmp_path: Path) -> None:
    samples = to_int16(np.clip(make_tone(1.0, amplitude=2.0), -1, 1))
    recorder = record(tmp_path, make_webrtc_frames(samples))
    recorder.finish()
    assert recorder.snapshot().clipped_share == pytest.approx(2 / 3, abs=0.01)
