"""The lossless recorder in Firefox: from the microphone to the review, sample for sample."""

from __future__ import annotations

from pathlib import Path

import pytest

from heliograph.store import load_waiting_recordings, recording_path
from tests.browser.conftest import SPEECH
from tests.browser.firefox import Firefox, find_firefox
from tests.browser.lossless_microphones import make_microphone_script
from tests.browser.microphones import compare_exactly, load_mono

pytestmark = [pytest.mark.browser, pytest.mark.skipif(find_firefox() is None, reason="no Firefox here")]
RECORDER = "window[Symbol.for('heliograph.recorder')]"


def record(firefox: Firefox, url: str, seconds: int) -> None:
    firefox.open(url)
    firefox.press("Turn on the microphone")
    firefox.wait_for(f"['check', 'off'].includes({RECORDER}.phase)")
    assert firefox.evaluate(f"{RECORDER}.problem") is None
    firefox.press("Start recording")
    firefox.wait_for(f"{RECORDER}.recorded > {seconds} * {RECORDER}.rate")
    firefox.press("Stop")
    firefox.wait_for("[...document.querySelectorAll('h2, h3')].some((one) => one.innerText === 'Review')")


def test_every_sample_of_a_made_microphone_is_stored(server, tmp_path: Path):
    """The same journey as in Chromium, at 48 kHz and through the AudioWorklet."""
    played = load_mono(SPEECH, 48_000)
    number = server.add_participant("Firefox")
    with Firefox(tmp_path) as firefox:
        firefox.add_script(make_microphone_script(played, 48_000))
        record(firefox, f"{server.url}/record?participant={number}", 12)
    with server.store() as store:
        (recording,) = [found for found, owner in load_waiting_recordings(store) if owner == number]
        captured = load_mono(recording_path(store, recording), 48_000)
    match = compare_exactly(captured, played)
    print(f"\nFirefox against played file: {match}, {recording.facts}")
    assert recording.facts.sample_rate_hz == 48_000
    assert recording.facts.processing["captured_by"] == "audio context"
    assert recording.facts.processing["filled_stretches_s"] == "none"
    assert match.snr_db >= 90


def test_firefox_s_own_fake_microphone_goes_the_whole_way(server, tmp_path: Path):
    """Through the browser's real getUserMedia: what it says of the microphone is stored."""
    number = server.add_participant("Firefox fake")
    with Firefox(tmp_path) as firefox:
        record(firefox, f"{server.url}/record?participant={number}", 4)
    with server.store() as store:
        (recording,) = [found for found, owner in load_waiting_recordings(store) if owner == number]
    print(f"\n{recording.facts}")
    assert recording.facts.processing["filled_stretches_s"] == "none"
    assert recording.facts.duration_s is not None
    assert recording.facts.duration_s > 4
