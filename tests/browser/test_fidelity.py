"""What WebRTC and the built-in recorder store, against what the microphone heard (`pytest -s` shows figures)."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from heliograph.store import Recording, load_waiting_recordings, recording_path
from tests.browser.conftest import SPEECH
from tests.browser.journeys import (
    LONG_MS,
    choose_way,
    expect_review,
    open_record,
    record_until,
    start_recording,
    stop_recording,
)
from tests.browser.microphones import RATE_HZ, Match, compare, load_mono
from tests.browser.servers import AppServer

pytestmark = pytest.mark.browser


def print_figures(how: str, recording: Recording, captured: np.ndarray, match: Match) -> None:
    figures = {
        "length_s": round(captured.size / RATE_HZ, 3),
        "wall_clock_s": recording.facts.wall_clock_s,
        "missing_share": recording.facts.missing_share,
        "lag_s": round(match.lag_s, 4),
        "drift_ms": round(match.drift_ms, 3),
        "correlation": round(match.correlation, 4),
        "snr_db": round(match.snr_db, 2),
        "coherence_0.1-1_1-4_4-7_khz": [round(value, 4) for value in match.coherence],
    }
    print(f"\n{how} against played file: {json.dumps(figures)}")


def load_only(server: AppServer, number: int) -> tuple[Recording, np.ndarray]:
    """The one recording of somebody that waits for its review, at 48 kHz."""
    with server.store() as store:
        (recording,) = [found for found, owner in load_waiting_recordings(store) if owner == number]
        return recording, load_mono(recording_path(store, recording))


def test_a_recording_through_webrtc_matches_the_played_file(server, page):
    """Nothing is missing, nothing is longer or shorter than it was, and the sound is the file's."""
    number = open_record(page, server, "Fidelity")
    start_recording(page)
    record_until(page, 6)
    stop_recording(page)
    recording, captured = load_only(server, number)
    facts = recording.facts
    match = compare(captured, load_mono(SPEECH))
    print_figures("WebRTC", recording, captured, match)
    assert facts.missing_share == 0
    assert abs(captured.size / RATE_HZ - facts.wall_clock_s) < 0.1
    assert abs(match.drift_ms) < 2
    assert match.correlation >= 0.9
    assert match.snr_db >= 6
    low, middle, high = match.coherence
    assert low > 0.95
    assert middle > 0.95
    assert high > 0.85


def test_a_recording_of_the_built_in_recorder_matches_the_played_file(server, page):
    """Up to the 8 kHz that its rate leaves it."""
    number = open_record(page, server, "Fidelity built-in")
    choose_way(page, "Built-in recorder")
    recorder = page.get_by_test_id("stAudioInput")
    recorder.get_by_role("button", name="Record").click()
    expect(recorder).to_contain_text(re.compile("00:1[2-9]|00:[2-5]"), timeout=LONG_MS)
    recorder.get_by_role("button", name="Stop recording").click()
    expect_review(page)
    recording, captured = load_only(server, number)
    match = compare(captured, load_mono(SPEECH))
    print_figures("built-in recorder", recording, captured, match)
    assert abs(match.drift_ms) < 2
    assert match.correlation >= 0.95
    assert match.snr_db >= 15
    assert match.coherence[1] > 0.95
