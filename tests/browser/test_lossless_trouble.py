"""Lossless recordings in trouble: discarded elsewhere, one during another's outage, a computer asleep."""

from __future__ import annotations

import os
import re
import time

import numpy as np
import pytest
from playwright.sync_api import expect

from heliograph.audio.spool import (
    CHUNKS_PATIENCE_S,
    SpooledTake,
    TakeEnd,
    discard_take,
    load_take,
    load_takes,
)
from tests.browser.conftest import SPEECH
from tests.browser.journeys import (
    LONG_MS,
    UNFINISHED,
    expect_review,
    open_page,
    open_record,
    record_until,
    review_found,
    stop_recording,
)
from tests.browser.lossless_microphones import LATE_S, expect_exact, expect_stretches, load_captured, start_made
from tests.browser.microphones import compare_exactly, load_mono
from tests.browser.servers import AppServer

pytestmark = pytest.mark.browser

RATE_HZ = 48_000
PIECES = "**/capture/takes/**"
UNREACHABLE = ("ERR_FAILED", "/capture/", "ERR_INTERNET_DISCONNECTED", "ERR_CONNECTION")


@pytest.fixture(scope="module")
def played() -> np.ndarray:
    return load_mono(SPEECH, RATE_HZ)


@pytest.fixture
def outage(watch) -> None:
    """The browser says that it can't reach the server; in any other test that is a failure."""
    watch.expected += UNREACHABLE


def wait_for_take(server: AppServer, participant_id: int) -> SpooledTake:
    """The one recording of somebody that arrives in the spool, for nobody to review yet."""
    deadline = time.monotonic() + LONG_MS / 1000
    while time.monotonic() < deadline:
        takes = load_takes(server.home / "sandbox" / "spool")
        found = [take for take in takes if take.facts.participant_note == str(participant_id)]
        if found:
            (take,) = found
            return take
        time.sleep(0.5)
    raise AssertionError("it did not arrive")


@pytest.mark.usefixtures("outage")
def test_a_recording_that_is_discarded_elsewhere_while_it_runs_arrives_whole_all_the_same(server, page, played):
    """Its browser was away for a while, and somebody took it for finished."""
    number = start_made(page, server, "Taken up early", played, RATE_HZ)
    page.route(PIECES, lambda route: route.abort())
    expect(page.get_by_text("The server can't be reached")).to_be_visible()
    spool = server.home / "sandbox" / "spool"
    (folder,) = [folder for folder in spool.iterdir() if (folder / "chunks").is_dir()]
    long_ago = time.time() - CHUNKS_PATIENCE_S - 1
    os.utime(folder / "chunks", (long_ago, long_ago))
    discard_take(load_take(spool, folder.name))
    page.unroute(PIECES)
    record_until(page, 8)
    stop_recording(page)
    recording, _ = expect_exact(server, number, played)
    assert recording.facts.duration_s > 8
    assert abs(recording.facts.duration_s - recording.facts.wall_clock_s) < 0.5


@pytest.mark.usefixtures("outage")
def test_another_recording_can_begin_while_the_first_waits_for_the_server(server, page, played):
    """The first one is offered as not submitted yet when it has arrived; both are exact."""
    number = start_made(page, server, "Two in a row", played, RATE_HZ)
    page.route(PIECES, lambda route: route.abort())
    page.wait_for_timeout(1500)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text("is kept in this browser")).to_be_visible()
    page.get_by_role("button", name="Start recording").click()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    page.wait_for_timeout(2500)
    page.unroute(PIECES)
    record_until(page, 3)
    stop_recording(page)
    second, _ = expect_exact(server, number, played)
    assert second.facts.duration_s > 3
    first = wait_for_take(server, number)
    assert first.facts.end is TakeEnd.STOPPED
    assert compare_exactly(first.load_samples(), played).wrong == 0
    open_page(page, f"{server.url}/record?participant={number}", "Record")
    expect(page.get_by_text(UNFINISHED).first).to_be_visible(timeout=LONG_MS)


def test_sleep_is_silence_of_its_length_and_is_told(server, page, played):
    """As with a closed lid: the page's own clock stands still meanwhile, the clock of the day does not."""
    number = start_made(page, server, "Slept", played, RATE_HZ)
    page.evaluate("() => { const day = Date.now; Date.now = () => day() + 6000; }")
    page.wait_for_timeout(3000)
    stop_recording(page)
    expect(page.get_by_text("No sound came from the microphone, silence stands there")).to_be_visible()
    recording, captured = load_captured(server, number)
    facts = recording.facts
    start_s, end_s = (float(text) for text in facts.processing["filled_stretches_s"].split("-"))
    assert 5.9 < end_s - start_s < 6.3
    assert "slept" in facts.processing["events"]
    silent = expect_stretches(captured, played, round(LATE_S * RATE_HZ))
    assert abs(silent / RATE_HZ - (end_s - start_s)) < LATE_S
    assert not captured[round(start_s * RATE_HZ) :][: 5 * RATE_HZ][RATE_HZ // 100 :].any()


def test_a_sleep_beyond_the_limit_ends_the_recording_where_it_began(server, page, played):
    number = start_made(page, server, "Slept for long", played, RATE_HZ)
    page.evaluate("() => { const day = Date.now; Date.now = () => day() + 3 * 86400000; }")
    expect_review(page)
    recording, _ = expect_exact(server, number, played)
    assert recording.facts.duration_s < 60


@pytest.mark.usefixtures("outage")
def test_a_kept_recording_is_sent_from_record_whatever_is_shown_there(server, page, played):
    """Nobody is chosen, and another way to record is: the browser sends what it had kept."""
    number = start_made(page, server, "Courier", played, RATE_HZ)
    page.route(PIECES, lambda route: route.abort())
    page.wait_for_timeout(2500)
    context = page.context
    page.close()
    again = context.new_page()
    again.route(PIECES, lambda route: route.abort())
    open_page(again, f"{server.url}/record", "Record")
    expect(again.get_by_text("An earlier recording is kept in this browser")).to_be_visible(timeout=LONG_MS)
    expect(again.get_by_text(re.compile(r"\d+ s are waiting to be sent"))).to_be_visible()
    again.unroute(PIECES)
    expect(again.get_by_text("An earlier recording is kept in this browser")).to_be_hidden(timeout=LONG_MS)
    open_page(again, f"{server.url}/record?participant={number}", "Record")
    review_found(again)
    expect_exact(server, number, played)


def test_leaving_while_the_browser_still_asks_leaves_no_microphone_on(server, page):
    page.add_init_script(
        """
        window.streams = [];
        const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (wanted) => {
          await new Promise((done) => { window.allow = done; });
          const stream = await real(wanted);
          streams.push(stream);
          return stream;
        };
        """
    )
    open_record(page, server, "Gone while asked")
    page.get_by_role("button", name="Turn on the microphone").click()
    page.wait_for_function("window.allow !== undefined")
    page.get_by_role("link", name="Trends").first.click()
    expect(page.get_by_role("heading", name="Trends", exact=True)).to_be_visible(timeout=LONG_MS)
    page.wait_for_timeout(2000)
    page.evaluate("allow()")
    page.wait_for_function(
        "streams.length === 1 && streams[0].getTracks().every((one) => one.readyState === 'ended')"
    )


def test_a_chosen_microphone_stays_chosen_and_its_absence_is_told(server, page):
    open_record(page, server, "Chooser")
    page.get_by_role("button", name="Turn on the microphone").press("Enter")
    start = page.get_by_role("button", name="Start recording")
    expect(start).to_be_focused()
    select = page.get_by_label("Microphone", exact=True)
    names = select.locator("option").all_inner_texts()
    select.select_option(label=names[2])
    expect(select).to_be_enabled()
    page.reload()
    page.get_by_role("button", name="Turn on the microphone").click()
    expect(start).to_be_visible()
    assert select.evaluate("element => element.selectedOptions[0].label") == names[2]
    page.evaluate("localStorage.setItem('heliograph.microphone', 'unplugged since')")
    page.reload()
    page.get_by_role("button", name="Turn on the microphone").click()
    expect(page.get_by_text("The microphone chosen before can't be opened")).to_be_visible()
    expect(start).to_be_visible()
