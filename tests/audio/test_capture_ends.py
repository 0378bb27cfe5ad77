"""However a capture ends, what was recorded is kept, and the end has a name."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from heliograph.audio import (
    Capture,
    CaptureError,
    CapturePhase,
    TakeEnd,
    capture,
    flush_all,
    live_tokens,
    load_takes,
    spool,
)
from tests.audio.captures import record, wait_until
from tests.audio.sounds import RATE_HZ, load_speech, make_tone, make_webrtc_frames, to_int16

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.usefixtures("no_thread_is_left")


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
    for number in range(3):
        recorder = Capture(tmp_path, token=f"t{number}")
        recorder.begin()
        for frame in make_webrtc_frames(to_int16(make_tone(0.5))):
            recorder.push(frame)
    assert live_tokens() == {"t0", "t1", "t2"}
    assert flush_all() == 0
    assert live_tokens() == frozenset()
    takes = load_takes(tmp_path)
    assert [take.facts.end for take in takes] == [TakeEnd.SERVER_STOPPED] * 3
    assert [take.duration_s for take in takes] == [0.5] * 3


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
