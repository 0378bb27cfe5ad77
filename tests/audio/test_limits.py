"""Files made to exhaust: small ones that unpack without end cost no more than the longest recording allowed."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from heliograph.audio import flac, inspection
from heliograph.audio.verdicts import judge_quality

SILENCE = flac.encode_flac(np.zeros(8_000 * 1_200, dtype=np.int16), 8_000)


def test_of_a_file_that_unpacks_to_far_more_only_the_beginning_is_looked_at() -> None:
    assert len(SILENCE) < 250_000
    found = inspection.inspect_file(SILENCE)
    assert found.recording.samples.size / 8_000 <= 181
    assert found.quality.duration_s == pytest.approx(1_200)
    assert [row.verdict for row in judge_quality(found.quality) if "length" in row.label.lower()] == ["fail"]


def test_no_more_than_two_files_are_unpacked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    under_way, most, lock = 0, 0, threading.Lock()
    really_decode = inspection.decode_recording

    def count(*arguments: object, **options: object) -> object:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        try:
            return really_decode(*arguments, **options)  # type: ignore[arg-type]
        finally:
            with lock:
                under_way -= 1

    monkeypatch.setattr(inspection, "decode_recording", count)
    short = flac.encode_flac(np.zeros(80_000, dtype=np.int16), 8_000)
    with ThreadPoolExecutor(6) as pool:
        assert len(list(pool.map(inspection.inspect_file, [short] * 12))) == 12
    assert 1 <= most <= 2
