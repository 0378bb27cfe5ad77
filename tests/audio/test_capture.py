"""A capture keeps every frame and tells the truth about what is missing."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from heliograph.audio import (
    Capture,
    CaptureError,
    CapturePhase,
    HeardLevel,
    TakeEnd,
    capture,
    find_capture,
    flush_all,
    live_tokens,
    load_takes,
    spool,
)
from tests.audio.sounds import RATE_HZ, load_speech, make_noise, make_tone, make_webrtc_frames, to_int16
from thymia_api.speech import MIN_SPEECH_S, measure_speech

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Every capture's thread ends."""
    yield
    flush_all()
    assert live_tokens() == frozenset()
    wait_until(lambda: not any(thread.name.startswith("capture-") for thread in threading.enumerate()), 2.0)


def wait_until(condition: Callable[[], bool], timeout: float = 10.0) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def record(folder: Path, frames: list[av.AudioFrame], **options: float) -> Capture:
    recorder = Capture(folder, token="t1", participant_note="P-001", **options)
    recorder.begin()
    for frame in frames:
        recorder.push(frame)
    return recorder


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


def test_it_stops_by_itself_at_full_length_and_ignores_what_comes_after(tmp_path: Path) -> None:
    samples = to_int16(make_tone(3.0))
    recorder = record(tmp_path, make_webrtc_frames(samples), max_s=2.01)
    wait_until(lambda: recorder.snapshot().phase is CapturePhase.FINISHED)
    assert recorder.snapshot().end is TakeEnd.FULL_LENGTH
    recorder.push(make_webrtc_frames(samples)[0])
    take = recorder.finish()
    assert np.array_equal(take.load_samples(), samples[: round(2.01 * RATE_HZ)])
    assert live_tokens() == frozenset()


def test_the_post_roll_keeps_what_arrives_after_the_click(tmp_path: Path) -> None:
    frames = make_webrtc_frames(to_int16(make_tone(3.0)))
    recorder = record(tmp_path, frames[:10])
    recorder.request_stop(post_roll_s=0.3)
    assert recorder.snapshot().is_stopping
    began = time.monotonic()
    sent = 10
    while recorder.snapshot().phase is not CapturePhase.FINISHED:
        recorder.push(frames[sent])
        sent += 1
        time.sleep(0.02)
    assert 0.3 <= time.monotonic() - began < 0.8
    take = recorder.finish()
    kept = take.samples // 960
    assert 20 <= kept <= 27
    assert take.facts.end is TakeEnd.STOPPED


def test_finish_returns_what_there_is_when_frames_stopped_arriving_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture, "_LOST_BEFORE_STOP_S", 0.2)
    recorder = record(tmp_path, make_webrtc_frames(to_int16(make_tone(1.0))))
    time.sleep(0.5)
    assert recorder.snapshot().last_frame_age_s > 0.4
    take = recorder.finish()
    assert take.facts.end is TakeEnd.CONNECTION_LOST
    assert take.duration_s == pytest.approx(1.0)
    assert "connection" in (recorder.snapshot().problem or "")


def test_a_lost_connection_ends_the_take_without_anybody_asking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture, "CONNECTION_LOST_S", 0.3)
    recorder = record(tmp_path, make_webrtc_frames(to_int16(make_tone(1.0))))
    wait_until(lambda: recorder.snapshot().phase is CapturePhase.FINISHED)
    assert recorder.snapshot().end is TakeEnd.CONNECTION_LOST
    assert load_takes(tmp_path)[0].facts.end is TakeEnd.CONNECTION_LOST


def test_nothing_recorded_is_said_in_words(tmp_path: Path) -> None:
    recorder = Capture(tmp_path, token="t1")
    recorder.begin()
    with pytest.raises(CaptureError, match="Nothing was recorded"):
        recorder.finish()
    monitored = Capture(tmp_path, token="t2")
    monitored.push(make_webrtc_frames(to_int16(make_tone(0.1)))[0])
    with pytest.raises(CaptureError, match="Nothing was recorded"):
        monitored.finish()
    assert monitored.abandon() is None
    assert load_takes(tmp_path) == []


def test_an_abandoned_take_stays_in_the_spool(tmp_path: Path) -> None:
    take = record(tmp_path, make_webrtc_frames(to_int16(make_tone(1.0)))).abandon()
    assert take is not None
    assert take.facts.end is TakeEnd.ABANDONED
    assert [known.samples for known in load_takes(tmp_path)] == [RATE_HZ]


def test_a_stopping_server_keeps_all_live_takes(tmp_path: Path) -> None:
    recorders = []
    for number in range(3):
        recorder = Capture(tmp_path, token=f"t{number}")
        recorder.begin()
        for frame in make_webrtc_frames(to_int16(make_tone(0.5))):
            recorder.push(frame)
        recorders.append(recorder)
    assert live_tokens() == {"t0", "t1", "t2"}
    assert find_capture("t1") is recorders[1]
    assert flush_all() == 0
    assert find_capture("t1") is None
    takes = load_takes(tmp_path)
    assert [take.facts.end for take in takes] == [TakeEnd.SERVER_STOPPED] * 3
    assert [take.duration_s for take in takes] == [0.5] * 3


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


def test_a_full_disk_is_told_in_words_and_keeps_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno
    import os

    real_write, written = os.write, []

    def write(descriptor: int, data: bytes) -> int:
        if sum(written) > 40_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(real_write(descriptor, data))
        return written[-1]

    monkeypatch.setattr(spool.os, "write", write)
    recorder = record(tmp_path, [])
    for frame in make_webrtc_frames(to_int16(make_tone(3.0))):
        recorder.push(frame)
        time.sleep(0.005)
    wait_until(lambda: recorder.snapshot().phase is CapturePhase.FINISHED)
    seen = recorder.snapshot()
    assert "disk is full" in (seen.problem or "")
    assert seen.end is TakeEnd.STORAGE_FAILED
    take = recorder.finish()
    assert take.samples * 2 == sum(written) > 40_000


def test_a_spool_that_cannot_be_written_is_told_in_words(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file where the folder should be")
    recorder = Capture(tmp_path / "spool", token="t1")
    recorder.begin()
    recorder.push(make_webrtc_frames(to_int16(make_tone(0.1)))[0])
    wait_until(lambda: recorder.snapshot().phase is CapturePhase.FINISHED)
    assert recorder.snapshot().end is TakeEnd.STORAGE_FAILED
    with pytest.raises(CaptureError):
        recorder.finish()


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


CHILD = """
import sys, time
from pathlib import Path
from tests.audio.sounds import load_speech, make_webrtc_frames, to_int16
from heliograph.audio import Capture
recorder = Capture(Path(sys.argv[1]), token="t1", participant_note="P-007")
recorder.begin()
for number, frame in enumerate(make_webrtc_frames(to_int16(load_speech()))):
    recorder.push(frame)
    print(number + 1, flush=True)
    time.sleep(float(sys.argv[2]))
"""


@pytest.mark.parametrize("after_frames", [30, 61, 150])
def test_kill_9_in_mid_recording_loses_only_the_last_instant(after_frames: int, tmp_path: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path), "0.02"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with child:
        pushed = 0
        for line in child.stdout or ():
            pushed = int(line)
            if pushed >= after_frames:
                assert load_takes(tmp_path) == [], "a take in progress in another process is not offered"
                child.kill()
                break
        pushed += len((child.stdout.read() if child.stdout else "").split())
    [take] = load_takes(tmp_path)
    assert take.facts.end is TakeEnd.CUT_OFF
    assert take.facts.participant_note == "P-007"
    kept = take.load_samples()
    assert np.array_equal(kept, to_int16(load_speech())[: kept.size])
    assert pushed * 0.02 - kept.size / RATE_HZ < 0.5
    assert measure_speech(kept[::3].copy()).speech_s >= 0


def test_a_forgotten_capture_does_not_hold_up_the_exit_and_is_kept(tmp_path: Path) -> None:
    began = time.monotonic()
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path), "0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (child.returncode, child.stderr) == (0, "")
    assert time.monotonic() - began < 15
    [take] = load_takes(tmp_path)
    assert take.facts.end is TakeEnd.SERVER_STOPPED
    assert take.duration_s == pytest.approx(11.0, abs=0.03)
    assert json.loads((take.folder / "take.json").read_text())["end"] == "server_stopped"
