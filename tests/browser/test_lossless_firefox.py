"""The lossless recorder in Firefox: from the microphone to the result, sample for sample."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from heliograph.__main__ import find_firefox
from heliograph.store import Recording, load_waiting_recordings, recording_path
from tests.browser.conftest import SPEECH
from tests.browser.firefox import FIND, Firefox
from tests.browser.lossless_microphones import RECORD_ONCE, expect_whole, make_microphone_script
from tests.browser.microphones import load_mono
from tests.browser.servers import AppServer

pytestmark = [pytest.mark.browser, pytest.mark.skipif(find_firefox() is None, reason="no Firefox here")]
RECORDER = "window[Symbol.for('heliograph.recorder')]"


def turn_on(firefox: Firefox, url: str) -> None:
    firefox.open(url)
    firefox.press("Turn on the microphone")
    firefox.wait_for(f"['check', 'off'].includes({RECORDER}.phase)")
    problem = firefox.evaluate(f"{RECORDER}.problem")
    if problem == "no_output" and shutil.which("pulseaudio") is None:
        pytest.skip("no sound output here")
    assert problem is None


def expect_review(firefox: Firefox) -> None:
    firefox.wait_for("[...document.querySelectorAll('h2, h3')].some((one) => one.innerText === 'Review')")


def load_only(server: AppServer, participant_id: int) -> Recording:
    with server.store() as store:
        (recording,) = [found for found, owner in load_waiting_recordings(store) if owner == participant_id]
    return recording


def test_from_the_microphone_to_the_result_sample_for_sample(server, tmp_path: Path):
    """The same journey as in Chromium, at 48 kHz and through the AudioWorklet; the left channel is dead."""
    once = np.trim_zeros(np.tile(load_mono(SPEECH, 48_000), 2)[: 18 * 48_000])
    number = server.add_participant("Firefox")
    with Firefox(tmp_path) as firefox:
        firefox.add_script(make_microphone_script(once, 48_000, channels=2))
        turn_on(firefox, f"{server.url}/record?participant={number}")
        firefox.wait_for(f"({FIND})('Start recording') !== undefined")
        firefox.evaluate(f"({RECORD_ONCE})(({FIND})('Start recording'))")
        expect_review(firefox)
        recording = load_only(server, number)
        with server.store() as store:
            captured = load_mono(recording_path(store, recording), 48_000)
        assert recording.facts.sample_rate_hz == 48_000
        assert recording.facts.processing["captured_by"] == "audio context"
        assert recording.facts.processing["filled_stretches_s"] == "none"
        expect_whole(captured, once)
        firefox.fill("Reason for submitting despite the warnings", "test recording")
        firefox.press("Submit")
        firefox.wait_for("document.querySelector('.hg-scores') !== null")
    (run,) = server.runs_of(number)
    assert server.recording_of(run)[0].id == recording.id


def test_firefox_s_own_fake_microphone_is_heard_and_described(server, tmp_path: Path):
    """Through the browser's real getUserMedia: its tone, and what it says of the microphone."""
    number = server.add_participant("Firefox fake")
    with Firefox(tmp_path) as firefox:
        turn_on(firefox, f"{server.url}/record?participant={number}")
        firefox.press("Start recording")
        firefox.wait_for(f"{RECORDER}.recorded > 4 * {RECORDER}.rate")
        firefox.press("Stop")
        expect_review(firefox)
    recording = load_only(server, number)
    facts = recording.facts
    with server.store() as store:
        captured = load_mono(recording_path(store, recording), facts.sample_rate_hz)
    print(f"\n{facts}")
    assert facts.processing["filled_stretches_s"] == "none"
    assert facts.processing["echo_cancellation"] == "off"
    assert facts.duration_s is not None
    assert facts.duration_s > 4
    power = np.abs(np.fft.rfft(captured * np.hanning(captured.size))) ** 2
    tone = int(np.argmax(power))
    assert abs(tone * facts.sample_rate_hz / captured.size - 1000) < 1
    assert power[tone - 4 : tone + 5].sum() / power.sum() > 0.99  # Any piece lost or doubled spreads it.
