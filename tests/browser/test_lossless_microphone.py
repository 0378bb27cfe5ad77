"""What the lossless recorder says of its microphone: too narrow, taken away, gone, in the background."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import SPEECH
from tests.browser.journeys import (
    LONG_MS,
    expect_review,
    open_record,
    record_until,
    stop_recording,
)
from tests.browser.lossless_microphones import load_captured, start_made
from tests.browser.microphones import FAKE_RATE_HZ, compare_exactly, load_mono, write_wav

pytestmark = pytest.mark.browser

RATE_HZ = 48_000
TRACK = "window[Symbol.for('heliograph.recorder')].track"
NARROW = "like a telephone"


@pytest.fixture(scope="module")
def played() -> np.ndarray:
    return load_mono(SPEECH, RATE_HZ)


@pytest.fixture(scope="module")
def headset(launch, tmp_path_factory: pytest.TempPathFactory) -> Browser:
    """A Chromium that hears through a line for 8000 samples a second, as a Bluetooth headset's."""
    narrow = load_mono(SPEECH, 8_000)[np.newaxis]
    frame = av.AudioFrame.from_ndarray(narrow, "s16", "mono")
    frame.sample_rate = 8_000
    resampler = av.AudioResampler("s16", "mono", FAKE_RATE_HZ)
    wide = np.concatenate([part.to_ndarray()[0] for one in (frame, None) for part in resampler.resample(one)])
    path: Path = tmp_path_factory.mktemp("microphone") / "headset.wav"
    write_wav(path, np.tile(wide, 12), FAKE_RATE_HZ)
    return launch(microphone=path)


def test_a_headset_s_bandwidth_is_told_before_recording(server, open_window, headset):
    page = open_window(headset)
    number = open_record(page, server, "Headset")
    page.get_by_role("button", name="Turn on the microphone").click()
    expect(page.get_by_text(f"nothing above 4 kHz, {NARROW}")).to_be_visible(timeout=LONG_MS)
    page.get_by_role("button", name="Start recording").click()
    record_until(page, 3)
    stop_recording(page)
    facts = load_captured(server, number)[0].facts
    assert float(facts.processing["microphone_bandwidth_hz"]) == 4000


def test_a_whole_microphone_is_not_called_narrow(server, page):
    open_record(page, server, "Whole")
    page.get_by_role("button", name="Turn on the microphone").click()
    page.wait_for_function("window[Symbol.for('heliograph.recorder')]?.bandwidth?.edge > 9000", timeout=LONG_MS)
    expect(page.get_by_text("Your voice is heard well")).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_text(NARROW)).to_have_count(0)


def test_a_microphone_taken_away_by_a_call_is_told_and_time_stays_true(server, page, played):
    """No sound for some seconds: silence stands there, what is before and after is exact, and all is told."""
    number = start_made(page, server, "Call", played, RATE_HZ)
    page.evaluate(f"madeMicrophone.context.suspend(); {TRACK}.dispatchEvent(new Event('mute'))")
    expect(page.get_by_text("The microphone is taken away right now")).to_be_visible()
    expect(page.get_by_text("that part is silent")).to_have_count(0)
    page.wait_for_timeout(5000)
    page.evaluate(f"madeMicrophone.context.resume(); {TRACK}.dispatchEvent(new Event('unmute'))")
    expect(page.get_by_text("that part is silent")).to_be_visible()
    expect(page.get_by_text("The microphone is taken away right now")).to_have_count(0)
    page.wait_for_timeout(4000)
    stop_recording(page)
    expect(page.get_by_text("The microphone was taken away from 0:")).to_be_visible()
    expect(page.get_by_text("No sound came from the microphone, silence stands there")).to_be_visible()
    recording, captured = load_captured(server, number)
    facts = recording.facts
    start_s, end_s = (float(text) for text in facts.processing["filled_stretches_s"].split("-"))
    assert 4.5 < end_s - start_s < 8
    assert facts.missing_share == pytest.approx((end_s - start_s) / facts.duration_s, rel=0.05)
    assert abs(facts.duration_s - facts.wall_clock_s) < 0.5
    start, end = (round(at * RATE_HZ) for at in (start_s, end_s))
    assert not captured[start + RATE_HZ // 50 : end - RATE_HZ // 50].any()
    # Chromium's Web Audio fades a source in and out for an instant where it is stopped and started.
    margin = RATE_HZ // 10
    assert compare_exactly(captured[: start - margin], played).wrong == 0
    assert compare_exactly(captured[end + margin :], played).wrong == 0


def test_a_microphone_that_is_unplugged_ends_the_recording_and_keeps_it(server, page, played):
    number = start_made(page, server, "Unplugged", played, RATE_HZ)
    page.evaluate(f"{TRACK}.dispatchEvent(new Event('ended'))")
    expect_review(page)
    expect(page.get_by_text("The microphone was disconnected at 0:")).to_be_visible()
    recording, captured = load_captured(server, number)
    assert recording.facts.processing["filled_stretches_s"] == "none"
    assert compare_exactly(captured, played).wrong == 0


def test_a_page_in_the_background_records_on_and_says_so(server, page, played):
    """As with a locked screen where the browser goes on; what it kept from recording would be missing time."""
    number = start_made(page, server, "Background", played, RATE_HZ)
    page.evaluate(
        """() => {
          window.put = (hidden) => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
          };
          put(true);
        }"""
    )
    page.wait_for_timeout(2500)
    page.evaluate("put(false)")
    expect(page.get_by_text("This page was in the background for a while")).to_be_visible()
    stop_recording(page)
    expect(page.get_by_text("The page was in the background from 0:")).to_be_visible()
    recording, captured = load_captured(server, number)
    assert compare_exactly(captured, played).wrong == 0
    assert "hidden" in recording.facts.processing["events"]
