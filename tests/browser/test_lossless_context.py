"""The lossless recorder in browsers that have no way round the audio thread: what it can't hear is told."""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import SPEECH
from tests.browser.journeys import open_record, record_until, start_lossless, stop_recording
from tests.browser.lossless_microphones import LATE_S, compute_skipped, expect_stretches, load_captured
from tests.browser.microphones import FAKE_RATE_HZ, find_stretches, load_mono

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def played() -> np.ndarray:
    """What the microphone plays over and over."""
    return load_mono(SPEECH, FAKE_RATE_HZ)


@pytest.fixture
def page(open_window, exact_browser) -> Page:
    """A Chromium without the track processor that other browsers lack."""
    page: Page = open_window(exact_browser)
    page.add_init_script("delete window.MediaStreamTrackProcessor")
    return page


@contextlib.contextmanager
def busy_computer() -> Iterator[None]:
    """As many programs as there are cores that want all of them."""
    programs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


def test_an_audio_context_loses_nothing_on_a_busy_computer_or_tells(server, page, played):
    """A microphone that is itself late, as on a starved computer, leaves dead silence, and that is told."""
    number = open_record(page, server, "Lossless context")
    start_lossless(page)
    record_until(page, 2)
    with busy_computer():
        page.wait_for_timeout(8000)
    stop_recording(page)
    recording, captured = load_captured(server, number)
    processing = recording.facts.processing
    assert processing["captured_by"] == "audio context"
    silent = expect_stretches(captured, played, round(LATE_S * FAKE_RATE_HZ))
    assert float(processing["silent_input_s"]) >= silent / FAKE_RATE_HZ - 0.01


def test_what_an_audio_context_did_not_hear_is_told_to_the_second(server, page, played):
    """A context that stood still for two thirds of a second: nothing is made up, but what is missing is known."""
    number = open_record(page, server, "Lossless gap")
    start_lossless(page)
    record_until(page, 2)
    page.evaluate(
        """async () => {
          const { context } = window[Symbol.for("heliograph.recorder")].source;
          await context.suspend();
          await new Promise((done) => setTimeout(done, 650));
          await context.resume();
        }"""
    )
    page.wait_for_timeout(4000)
    stop_recording(page)
    expect(page.get_by_text("of sound are missing near 0:")).to_be_visible()
    recording, captured = load_captured(server, number)
    facts = recording.facts
    second, missing_s = (float(text) for text in facts.processing["skipped_s"].split(": "))
    expect_stretches(captured, played, FAKE_RATE_HZ)
    stretches = find_stretches(captured, played)
    jumped, at = max((compute_skipped(*pair, played), pair[1].start) for pair in itertools.pairwise(stretches))
    assert abs(at / FAKE_RATE_HZ - second) < 2
    # What the device had ready when the context stood still, a tenth of a second at most, still came.
    assert jumped / FAKE_RATE_HZ - 0.02 < missing_s < jumped / FAKE_RATE_HZ + 0.15
    assert facts.missing_share == pytest.approx(missing_s / (facts.duration_s + missing_s), rel=0.05)
