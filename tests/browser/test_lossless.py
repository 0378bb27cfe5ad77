"""What the lossless recorder stores is what the microphone gave, whatever happens (`-s` shows figures)."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Error, Page, Route, expect

from heliograph.audio.spool import CHUNKS_PATIENCE_S
from heliograph.runs.intake import keep_unfinished, load_unfinished
from heliograph.store import RecordingSource
from tests.browser.conftest import SPEECH
from tests.browser.journeys import (
    LONG_MS,
    expect_result,
    microphone,
    open_page,
    open_record,
    quality,
    record_until,
    review_found,
    settle,
    start_lossless,
    stop_recording,
    submit,
)
from tests.browser.lossless_microphones import FAKE_RATE_HZ, QUANTUM, expect_exact, load_captured, make_microphone
from tests.browser.microphones import compare_exactly, load_mono, write_wav
from tests.browser.servers import AppServer

pytestmark = pytest.mark.browser

PIECES = "**/capture/takes/**"
UNREACHABLE = (
    "ERR_INTERNET_DISCONNECTED",
    "ERR_FAILED",
    "ERR_CONNECTION",
    "ERR_EMPTY_RESPONSE",
    "/capture/",
)


@pytest.fixture(scope="module")
def played() -> np.ndarray:
    """What the microphone plays over and over."""
    return load_mono(SPEECH, FAKE_RATE_HZ)


@pytest.fixture(scope="module")
def exact_browser(launch, tmp_path_factory: pytest.TempPathFactory, played) -> Browser:
    """A Chromium whose fake microphone plays a file at the microphone's own rate."""
    path: Path = tmp_path_factory.mktemp("microphone") / "own_rate.wav"
    write_wav(path, np.tile(played, 12), FAKE_RATE_HZ)
    return launch(microphone=path)


@pytest.fixture
def page(open_window, exact_browser, watch) -> Page:
    watch.expected += UNREACHABLE
    return open_window(exact_browser)


@pytest.fixture(scope="module")
def restarted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """A server that tests of this module kill and start again."""
    with AppServer(tmp_path_factory.mktemp("home")) as running:
        yield running


def outlast(page: Page, seconds: float) -> None:
    page.wait_for_timeout(1000 * seconds)


def test_every_sample_of_the_microphone_is_stored_at_its_own_rate(server, page, played):
    """44.1 kHz: bit for bit the played file, submitted and scored."""
    number = open_record(page, server, "Lossless 44")
    start_lossless(page)
    record_until(page, 10)
    stop_recording(page)
    recording, _ = expect_exact(server, number, played)
    facts = recording.facts
    assert facts.sample_rate_hz == FAKE_RATE_HZ
    assert abs(facts.duration_s - facts.wall_clock_s) < 0.1
    assert facts.processing["echo_cancellation"] == "off"
    assert facts.processing["sample_bits"] == "16"
    assert float(quality(page, "Gaps").split()[0]) < 1  # A made microphone may itself pause for an instant.
    submit(page)
    expect_result(page)
    (run,) = server.runs_of(number)
    assert server.recording_of(run)[0].facts.source == RecordingSource.LOSSLESS


def test_a_microphone_at_48_khz_is_stored_at_48_khz(server, page):
    """Nothing is resampled on the way."""
    played = load_mono(SPEECH, 48_000)
    make_microphone(page, played, 48_000)
    number = open_record(page, server, "Lossless 48")
    start_lossless(page)
    record_until(page, 6)
    stop_recording(page)
    recording, _ = expect_exact(server, number, played)
    assert recording.facts.sample_rate_hz == 48_000
    assert recording.facts.processing["captured_by"] == "media track"


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
    """As in browsers other than Chromium: through the audio thread, whose blocks all arrive. A microphone that is
    itself late, as Chromium's made one on a starved computer, leaves dead silence, and that is known."""
    page.add_init_script("delete window.MediaStreamTrackProcessor")
    number = open_record(page, server, "Lossless context")
    start_lossless(page)
    record_until(page, 2)
    with busy_computer():
        outlast(page, 8)
    stop_recording(page)
    recording, captured = load_captured(server, number)
    processing = recording.facts.processing
    assert processing["captured_by"] == "audio context"
    assert compare_exactly(captured, played).wrong <= 2 * QUANTUM or float(processing["silent_input_s"]) > 0.01


def test_what_an_audio_context_did_not_hear_is_told_to_the_second(server, page, played):
    """A context that stood still for two thirds of a second: nothing is made up, but what is missing is known."""
    page.add_init_script("delete window.MediaStreamTrackProcessor")
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
    outlast(page, 4)
    stop_recording(page)
    expect(page.get_by_text("of sound are missing near 0:")).to_be_visible()
    recording, captured = load_captured(server, number)
    facts = recording.facts
    second, missing_s = (float(text) for text in facts.processing["skipped_s"].split(": "))
    around = slice(round((second - 2) * FAKE_RATE_HZ), round((second + 1) * FAKE_RATE_HZ))
    before = compare_exactly(captured[: around.start], played)
    after = compare_exactly(captured[around.stop :], played)
    assert before.wrong == after.wrong == 0
    jumped = (after.lag - around.stop - before.lag) % played.size / FAKE_RATE_HZ
    # What the device had ready when the context stood still, a tenth of a second at most, still came.
    assert jumped - 0.02 < missing_s < jumped + 0.15
    assert facts.missing_share == pytest.approx(missing_s / (facts.duration_s + missing_s), rel=0.05)


def test_twenty_seconds_without_a_network_lose_nothing(server, page, played):
    """Recording goes on, the person is told, and everything arrives afterwards."""
    number = open_record(page, server, "Outage")
    start_lossless(page)
    record_until(page, 2)
    page.context.set_offline(True)
    expect(page.get_by_text("The server can't be reached")).to_be_visible()
    outlast(page, 20)
    page.context.set_offline(False)
    record_until(page, 16)
    stop_recording(page)
    recording, _ = expect_exact(server, number, played)
    assert recording.facts.duration_s > 24


def test_stopping_without_a_network_keeps_the_recording_until_there_is_one(server, page, played):
    number = open_record(page, server, "Stopped offline")
    start_lossless(page)
    record_until(page, 2)
    page.context.set_offline(True)
    outlast(page, 4)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("is kept in this browser")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_role("heading", name="Review", exact=True)).to_be_visible(timeout=LONG_MS)
    expect_exact(server, number, played)


def test_recording_stops_by_itself_at_its_limit_without_a_server(server, page, played):
    """Exactly at the limit, which is 170 s for people and 7 s here; sent when there is a server again."""
    number = open_record(page, server, "Limit")
    page.wait_for_function("window[Symbol.for('heliograph.recorder')] !== undefined")
    page.evaluate(
        "Object.defineProperty(window[Symbol.for('heliograph.recorder')], 'maxSeconds', {get: () => 7, set() {}})"
    )
    start_lossless(page)
    outlast(page, 2)
    page.context.set_offline(True)
    expect(page.get_by_text("is kept in this browser")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_role("heading", name="Review", exact=True)).to_be_visible(timeout=LONG_MS)
    recording, _ = expect_exact(server, number, played)
    assert recording.facts.duration_s == 7


def test_failing_requests_and_lost_answers_lose_and_double_nothing(server, page, played):
    """One request in ten fails on its way there, one in ten on its way back; some arrive late."""
    chance = random.Random(4)
    happened = {"lost": 0, "answer lost": 0}

    def spoil(route: Route) -> None:
        fate = chance.random()
        if fate < 0.1:
            happened["lost"] += 1
            route.abort()
        elif fate < 0.2:
            happened["answer lost"] += 1
            route.fetch()
            route.abort()
        elif fate < 0.3:
            route.fulfill(response=route.fetch(), status=503)
        else:
            route.continue_()

    page.route(PIECES, spoil)
    number = open_record(page, server, "Bad network")
    start_lossless(page)
    record_until(page, 12)
    stop_recording(page)
    expect_exact(server, number, played)
    assert min(happened.values()) > 0


def test_a_server_restarted_twice_in_mid_recording_loses_nothing(restarted, page, played):
    """The page stays open and records on; the new server takes the recording up where the old one was."""
    number = open_record(page, restarted, "Restart")
    start_lossless(page)
    record_until(page, 3)
    for how, speech_s in ((signal.SIGTERM, 8), (signal.SIGKILL, 13)):
        restarted.restart(how)
        record_until(page, speech_s)
    stop_recording(page)
    expect_exact(restarted, number, played)


def test_a_reload_in_mid_recording_loses_nothing(server, page, played):
    """What the page had recorded until then is sent by the next one, and offered."""
    number = open_record(page, server, "Lossless reload")
    start_lossless(page)
    record_until(page, 4)
    page.reload()
    settle(page)
    review_found(page)
    recording, _ = expect_exact(server, number, played)
    assert recording.facts.duration_s > 4


def test_a_tab_closed_offline_sends_its_recording_at_the_next_visit(server, page, played):
    """Closed while nothing could be sent; opened again in the same browser, it arrives to the last second."""
    number = open_record(page, server, "Lossless closed")
    start_lossless(page)
    record_until(page, 3)
    page.route(PIECES, lambda route: route.abort())
    outlast(page, 6)
    context = page.context
    page.close()
    again = context.new_page()
    open_page(again, f"{server.url}/record?participant={number}", "Record")
    review_found(again)
    recording, _ = expect_exact(server, number, played)
    assert recording.facts.duration_s > 8


def test_leaving_the_page_in_mid_recording_loses_nothing(server, page, played):
    number = open_record(page, server, "Lossless leaver")
    start_lossless(page)
    record_until(page, 3)
    page.get_by_role("link", name="Trends").first.click()
    expect(page.get_by_role("heading", name="Trends", exact=True)).to_be_visible(timeout=LONG_MS)
    outlast(page, 3)
    open_page(page, f"{server.url}/record?participant={number}", "Record")
    review_found(page)
    expect_exact(server, number, played)


def test_a_recording_that_never_ends_is_offered_with_its_holes(server, page, played):
    """A browser that is gone for good: what arrived is kept, silence where it did not, and that is said."""
    number = open_record(page, server, "Lossless partial")
    start_lossless(page)
    page.route("**/capture/takes/*/6", lambda route: route.abort())
    page.route("**/finish", lambda route: route.abort())
    outlast(page, 11)
    with contextlib.suppress(Error):
        page.goto("chrome://crash")
    time.sleep(1)  # What was on its way arrives.
    long_ago = time.time() - CHUNKS_PATIENCE_S - 1
    with server.store() as store:
        for pieces in store.spool_folder.glob("*/chunks"):
            os.utime(pieces, (long_ago, long_ago))
        (found,) = [one for one in load_unfinished(store) if one.participant_id == number]
        recording = keep_unfinished(store, found, participant_id=number)
    assert recording.facts.processing["missing_stretches_s"] == "6.00-7.00"
    assert recording.facts.missing_share == pytest.approx(1 / recording.facts.duration_s, rel=0.01)
    _, captured = load_captured(server, number)
    hole = slice(6 * FAKE_RATE_HZ, 7 * FAKE_RATE_HZ)
    assert not captured[hole].any()
    assert compare_exactly(captured[: hole.start], played).wrong == 0


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); }",
         "The browser blocks the microphone"),
        ("navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotFoundError'); }",
         "No microphone found"),
        ("navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotReadableError'); }",
         "another program may use it"),
        ("Object.defineProperty(window, 'isSecureContext', { value: false })", "Open it over HTTPS"),
    ],
)  # fmt: skip
def test_why_there_is_no_microphone_is_said_in_plain_words(server, page, script, said):
    page.add_init_script(script)
    open_record(page, server, f"No microphone {said}")
    page.get_by_role("button", name="Turn on the microphone").click()
    expect(page.get_by_role("status").filter(has_text=said)).to_be_visible()
    expect(page.get_by_role("button", name="Turn on the microphone")).to_be_enabled()
    expect(page.get_by_role("button", name="Start recording")).to_be_hidden()


def test_a_browser_that_cannot_record_losslessly_gets_the_next_recorder(server, page):
    """Automatic means: WebRTC there, without anybody having to choose it."""
    page.add_init_script("delete window.AudioWorkletNode; delete window.MediaStreamTrackProcessor")
    open_record(page, server, "Old browser")
    expect(page.get_by_role("radio", name="WebRTC")).to_be_checked(timeout=LONG_MS)
    expect(microphone(page).get_by_role("button", name="Turn on the microphone")).to_be_visible(timeout=LONG_MS)


def test_the_keyboard_is_enough(server, page, played):
    """Turn on, start and stop with Tab and Enter; the focus goes from Start to Stop."""
    number = open_record(page, server, "Keyboard")
    page.get_by_role("button", name="Turn on the microphone").press("Enter")
    expect(page.get_by_text("Your voice is heard well")).to_be_visible(timeout=LONG_MS)
    page.get_by_role("button", name="Start recording").press("Enter")
    stop = page.get_by_role("button", name="Stop", exact=True)
    expect(stop).to_be_focused()
    record_until(page, 2)
    stop.press("Enter")
    expect(page.get_by_role("heading", name="Review", exact=True)).to_be_visible(timeout=LONG_MS)
    expect_exact(server, number, played)
