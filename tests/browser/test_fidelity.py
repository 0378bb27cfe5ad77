"""What the live recorder stores is what the microphone heard, sample for sample (`pytest -s` shows figures)."""

from __future__ import annotations

import json

import pytest

from heliograph.store import load_recording, load_waiting_recordings, recording_path
from tests.browser.conftest import SPEECH
from tests.browser.journeys import open_record, record_until, start_recording, stop_recording
from tests.browser.microphones import RATE_HZ, compare, load_mono

pytestmark = pytest.mark.browser


def test_a_recording_through_the_browser_matches_the_played_file(server, page):
    """Nothing is missing, nothing is longer or shorter than it was, and the sound is the file's."""
    number = open_record(page, server, "Fidelity")
    start_recording(page)
    record_until(page, 6)
    stop_recording(page)
    with server.store() as store:
        (recording,) = [found for found, owner in load_waiting_recordings(store) if owner == number]
        facts = load_recording(store, recording.id).facts
        captured = load_mono(recording_path(store, recording))
    match = compare(captured, load_mono(SPEECH))
    figures = {
        "length_s": round(captured.size / RATE_HZ, 3),
        "wall_clock_s": round(facts.wall_clock_s, 3),
        "missing_share": facts.missing_share,
        "lag_s": round(match.lag_s, 4),
        "drift_ms": round(match.drift_ms, 3),
        "correlation": round(match.correlation, 4),
        "snr_db": round(match.snr_db, 2),
        "coherence_0.1-1_1-4_4-7_khz": [round(value, 4) for value in match.coherence],
    }
    print(f"\ncapture against played file: {json.dumps(figures)}")
    assert facts.missing_share == 0
    assert abs(captured.size / RATE_HZ - facts.wall_clock_s) < 0.1
    assert abs(match.drift_ms) < 2
    assert match.correlation >= 0.9
    assert match.snr_db >= 6
    low, middle, high = match.coherence
    assert low > 0.95
    assert middle > 0.95
    assert high > 0.85
