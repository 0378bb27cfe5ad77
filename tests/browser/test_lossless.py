"""What the lossless recorder stores is what the microphone gave, whatever happens (`-s` shows figures)."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Error, Page, Route, expect

from heliograph.audio.spool import CHUNKS_PATIENCE_S
from heliograph.runs.intake import keep_unfinished, load_unfinished
from heliograph.store import RecordingSource
from tests.browser.conftest import SPEECH
from tests.browser.journeys import (
    LONG_MS,
    expect_result,
    expect_review,
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
    turn_on_lossless,
)
from tests.browser.lossless_microphones import (
    RECORD_ONCE,
    expect_exact,
    expect_whole,
    load_captured,
    make_microphone,
    recorded_s,
)
from tests.browser.microphones import FAKE_RATE_HZ, compare_exactly, load_mono
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


@pytest.fixture
def page(open_window, exact_browser) -> Page:
    return open_window(exact_browser)


@pytest.fixture
def outage(watch) -> None:
    """The browser says that it can't reach the server; in any other test that is a failure."""
    watch.expected += UNREACHABLE


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


@pytest.mark.parametrize(
    ("source", "rate_hz", "channels"),
    [("media track", 48_000, 1), ("media track", 44_100, 2), ("audio context", 48_000, 2)],
)
def test_what_is_heard_between_start_and_stop_is_stored_in_its_length(server, page, source, rate_hz, channels):
    """To the sample at both ends and at the microphone's own rate; of two channels, the one that is not dead."""
    once = np.trim_zeros(load_mono(SPEECH, rate_hz)[: 5 * rate_hz])
    if source == "audio context":
        page.add_init_script("delete window.MediaStreamTrackProcessor")
    make_microphone(page, once, rate_hz, channels)
    number = open_record(page, server, f"Once {source} {rate_hz}")
    turn_on_lossless(page)
    page.get_by_role("button", name="Start recording").evaluate(RECORD_ONCE)
    expect_review(page)
    recording, captured = load_captured(server, number)
    assert recording.facts.sample_rate_hz == rate_hz
    assert recording.facts.processing["captured_by"] == source
    assert recording.facts.processing["channels"] == {1: "one", 2: "two, one dead, right taken"}[channels]
    expect_whole(captured, once)


@pytest.mark.usefixtures("outage")
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


@pytest.mark.usefixtures("outage")
def test_stopping_without_a_network_keeps_the_recording_until_there_is_one(server, page, played):
    number = open_record(page, server, "Stopped offline")
    start_lossless(page)
    record_until(page, 2)
    page.context.set_offline(True)
    outlast(page, 4)
    recorded = recorded_s(page)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("is kept in this browser")).to_be_visible()
    page.context.set_offline(False)
    expect_review(page)
    expect_exact(server, number, played, at_least_s=recorded)


@pytest.mark.usefixtures("outage")
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
    expect_review(page)
    recording, _ = expect_exact(server, number, played)
    assert recording.facts.duration_s == 7


@pytest.mark.usefixtures("outage")
def test_failing_requests_and_lost_answers_lose_and_double_nothing(server, page, played):
    """One request in ten fails on its way there, one in ten on its way back, some are overtaken by others."""
    chance = random.Random(4)
    happened = {"lost": 0, "answer lost": 0, "late": 0}
    late: list[Route] = []
    arrived: list[int] = []

    def pass_on(route: Route) -> None:
        if is_early(route):
            arrived.append(int(route.request.url.rsplit("/", 1)[1]))
        route.continue_()

    def is_early(route: Route) -> bool:
        """Surely not the last piece, which others can't overtake."""
        name = route.request.url.rsplit("/", 1)[1]
        return name.isdigit() and int(name) < 10

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
        elif fate < 0.5 and is_early(route) and not late:
            happened["late"] += 1
            late.append(route)
        else:
            pass_on(route)
            while late:
                pass_on(late.pop())

    page.route(PIECES, spoil)
    number = open_record(page, server, "Bad network")
    start_lossless(page)
    record_until(page, 12)
    recorded = recorded_s(page)
    stop_recording(page)
    expect_exact(server, number, played, at_least_s=recorded)
    assert min(happened.values()) > 0
    assert arrived != sorted(arrived)


@pytest.mark.usefixtures("outage")
def test_a_server_restarted_twice_in_mid_recording_loses_nothing(restarted, page, played):
    """The page stays open and records on; the new server takes the recording up where the old one was."""
    number = open_record(page, restarted, "Restart")
    start_lossless(page)
    record_until(page, 3)
    for how, speech_s in ((signal.SIGTERM, 8), (signal.SIGKILL, 13)):
        restarted.restart(how)
        record_until(page, speech_s)
    recorded = recorded_s(page)
    stop_recording(page)
    expect_exact(restarted, number, played, at_least_s=recorded)


def test_a_reload_in_mid_recording_loses_nothing(server, page, played):
    """What the page had recorded until then is sent by the next one, and offered."""
    number = open_record(page, server, "Lossless reload")
    start_lossless(page)
    record_until(page, 4)
    recorded = recorded_s(page)
    page.reload()
    settle(page)
    review_found(page)
    expect_exact(server, number, played, at_least_s=recorded)


@pytest.mark.usefixtures("outage")
def test_a_tab_closed_offline_sends_its_recording_at_the_next_visit(server, page, played):
    """Closed while nothing could be sent; opened again in the same browser, it arrives to the last second."""
    number = open_record(page, server, "Lossless closed")
    start_lossless(page)
    record_until(page, 3)
    page.route(PIECES, lambda route: route.abort())
    outlast(page, 6)
    context = page.context
    recorded = recorded_s(page)
    page.close()
    again = context.new_page()
    open_page(again, f"{server.url}/record?participant={number}", "Record")
    review_found(again)
    expect_exact(server, number, played, at_least_s=recorded)


def test_leaving_the_page_in_mid_recording_loses_nothing(server, page, played):
    number = open_record(page, server, "Lossless leaver")
    start_lossless(page)
    record_until(page, 3)
    recorded = recorded_s(page)
    page.get_by_role("link", name="Trends").first.click()
    expect(page.get_by_text("The recording ended when you left Record")).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_role("heading", name="Trends", exact=True)).to_be_visible(timeout=LONG_MS)
    outlast(page, 3)
    open_page(page, f"{server.url}/record?participant={number}", "Record")
    review_found(page)
    expect_exact(server, number, played, at_least_s=recorded)


@pytest.mark.usefixtures("outage")
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
    before = compare_exactly(captured[: hole.start], played)
    after = compare_exactly(captured[hole.stop :], played)
    assert before.wrong == after.wrong == 0
    assert (after.lag - before.lag) % played.size == hole.stop % played.size
    assert captured.size >= 10 * FAKE_RATE_HZ


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
    if "isSecureContext" not in script:  # That is told at once.
        page.get_by_role("button", name="Turn on the microphone").click()
    expect(page.get_by_role("status").filter(has_text=said)).to_be_visible()
    expect(page.get_by_role("button", name="Turn on the microphone")).to_be_enabled()
    expect(page.get_by_role("button", name="Start recording")).to_be_hidden()


def test_a_microphone_that_was_blocked_is_told_before_anybody_presses_a_button(server, open_window, launch):
    """At the next visit, until it is allowed in the browser; without any microphone, that is told."""
    strict = launch("--use-fake-device-for-media-stream", microphone=None)
    page = open_window(strict)
    open_record(page, server, "Blocked")
    turn_on = page.get_by_role("button", name="Turn on the microphone")
    turn_on.click()
    blocked = page.get_by_text("The browser blocks the microphone")
    expect(blocked).to_be_visible()
    page.reload()
    expect(turn_on).to_be_visible(timeout=LONG_MS)
    expect(blocked).to_be_visible()
    page.context.grant_permissions(["microphone"])
    expect(blocked).to_have_count(0)
    turn_on.click()
    expect(page.get_by_role("button", name="Start recording")).to_be_visible()
    bare = open_window(launch(microphone=None))
    open_record(bare, server, "No microphone")
    bare.get_by_role("button", name="Turn on the microphone").click()
    expect(bare.get_by_text("No microphone found")).to_be_visible()


def test_a_browser_that_cannot_record_losslessly_gets_the_next_recorder(server, page):
    """Automatic means: WebRTC there, without anybody having to choose it."""
    page.add_init_script("delete window.AudioWorkletNode; delete window.MediaStreamTrackProcessor")
    open_record(page, server, "Old browser")
    expect(page.get_by_role("radio", name="WebRTC")).to_be_checked(timeout=LONG_MS)
    expect(microphone(page).get_by_role("button", name="Turn on the microphone")).to_be_visible(timeout=LONG_MS)


def test_the_keyboard_is_enough(server, page, played):
    """Turn on, start and stop with Tab and Enter; the focus goes from Start to Stop and on to the review."""
    number = open_record(page, server, "Keyboard")
    page.get_by_role("button", name="Turn on the microphone").press("Enter")
    expect(page.get_by_text("Your voice is heard well")).to_be_visible(timeout=LONG_MS)
    page.get_by_role("button", name="Start recording").press("Enter")
    stop = page.get_by_role("button", name="Stop", exact=True)
    expect(stop).to_be_focused()
    record_until(page, 2)
    stop.press("Enter")
    expect(page.get_by_role("heading", name="Review", exact=True)).to_be_focused(timeout=LONG_MS)
    expect_exact(server, number, played)
