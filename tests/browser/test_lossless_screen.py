"""What the lossless recorder shows and says at each moment, with a made microphone and server."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from heliograph.ui.recorder_words import WORDS
from tests.browser.lossless_scripts import open_made_page, run_recorder

pytestmark = pytest.mark.browser


@pytest.fixture
def page(open_window) -> Page:
    return open_made_page(open_window())


def test_a_microphone_that_was_just_turned_on_is_not_doubted_at_once(page):
    """Silent at first, as people are."""
    found = run_recorder(
        page,
        """
        await recorder.turnOn();
        recorder.level = { rms: 0, peak: 0, at: now() };
        for (const view of recorder.views) view.heardAt = view.advisedAt = 0;
        pass(1);
        recorder.changed();
        const early = status();
        pass(3);
        recorder.changed();
        return [early, status()];
        """,
    )
    assert found == [WORDS["listening"], WORDS["nothing"]]


def test_during_an_outage_the_ring_is_marked_and_the_recorded_seconds_are_told(page):
    """The server draws the ring: while it is away, what stands there is old."""
    found = run_recorder(
        page,
        """
        const mark = () => document.documentElement.dataset.heliographRecorder ?? null;
        const sender = await start();
        await hear(2);
        await sleep(200);
        const before = [mark(), find(".count").textContent];
        answer = () => [502, {}];
        await hear(6);
        await sleep(300);
        recorder.changed();
        const during = [mark(), find(".count").textContent];
        await recorder.stop();
        const stopped = [mark(), status()];
        answer = () => null;
        sender.wake();
        await sender.closed;
        return [before, during, stopped, mark()];
        """,
    )
    waiting = WORDS["waiting_now"].replace("{recorded}", "8").replace("{seconds}", "6")
    assert found == [[None, ""], ["out", waiting], ["sending", WORDS["unsent"]], None]


def test_the_text_to_read_does_not_move_when_an_outage_begins(page):
    found = run_recorder(
        page,
        """
        const style = document.createElement("style");
        style.textContent = CSS;
        root.append(style);
        host.style.width = "340px";
        await start();
        await hear(1);
        const height = () => host.getBoundingClientRect().height;
        const before = height();
        answer = () => [502, {}];
        await hear(6);
        await sleep(300);
        recorder.changed();
        return [before, height(), status()];
        """,
    )
    assert isinstance(found, list)
    before, during, said = found
    assert said == WORDS["outage"]
    assert during <= before + 1


def test_after_start_again_it_is_said_what_became_of_the_take(page):
    found = run_recorder(
        page,
        """
        await start();
        await hear(2);
        find(".again").click();
        await recorder.sender.closed;
        const told = status();
        recorder.start();
        await hear(1);
        return [told, status()];
        """,
    )
    assert found == [WORDS["given_up"], WORDS["recording"]]


def test_what_waits_from_earlier_is_not_taken_for_the_next_recording(page):
    found = run_recorder(
        page,
        """
        answer = () => [502, {}];
        await leave("e".repeat(24), [0, 1, 2]);
        await recorder.collect();
        await recorder.turnOn();
        recorder.changed();
        return [find(".count").textContent, find(".count").hidden];
        """,
    )
    assert found == [WORDS["earlier"].replace("{seconds}", "3"), False]


def test_the_browser_asks_before_a_recording_is_left_and_never_otherwise(page):
    found = run_recorder(
        page,
        """
        const asks = () => !window.dispatchEvent(new Event("beforeunload", { cancelable: true }));
        const before = asks();
        const sender = await start();
        await hear(1);
        const during = asks();
        await recorder.stop();
        await sender.closed;
        return [before, during, asks()];
        """,
    )
    assert found == [False, True, False]
