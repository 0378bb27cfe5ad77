"""Captures in tests: one that has been given frames, and waiting for what its thread does."""

import time
from collections.abc import Callable
from pathlib import Path

import av

from heliograph.audio import Capture


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
