"""Other ways to a recording, and what the page says where the live recorder has no chance."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import expect

from heliograph.store import RecordingSource, RunState
from tests.browser.journeys import (
    LONG_MS,
    choose_recorder,
    choose_way,
    expect_result,
    expect_review,
    microphone,
    open_record,
    quality,
    submit,
    upload,
)
from tests.sandbox.recordings import ENCODINGS, encode, make_speech

pytestmark = pytest.mark.browser

NO_UDP = "--webrtc-ip-handling-policy=disable_non_proxied_udp"  # As a strict firewall does.


def test_the_built_in_recorder_goes_the_same_way(server, page):
    """Recorded by the browser itself, checked alike, submitted, scored."""
    number = open_record(page, server, "Built-in")
    choose_way(page, "Built-in recorder")
    recorder = page.get_by_test_id("stAudioInput")
    recorder.get_by_role("button", name="Record").click()
    # Wherever the played loop of 11 s begins, 22 s of it hold 15 s of speech.
    expect(recorder).to_contain_text(re.compile("00:2[2-9]|00:[3-5]"), timeout=LONG_MS)
    recorder.get_by_role("button", name="Stop recording").click()
    expect_review(page)
    assert float(quality(page, "Speech").split()[0]) >= 10
    submit(page)
    expect_result(page)
    (run,) = server.runs_of(number)
    recording, _ = server.recording_of(run)
    assert (recording.facts.source, recording.facts.sample_rate_hz) == (RecordingSource.BUILTIN, 16_000)


def test_blocked_webrtc_is_said_in_plain_words_and_the_other_ways_are_offered(server, open_window, launch):
    """Within some 12 seconds of turning the microphone on; and the other way is one click away."""
    page = open_window(launch(NO_UDP))
    open_record(page, server, "Firewalled")
    choose_recorder(page, "WebRTC")
    microphone(page).get_by_role("button", name="Turn on the microphone").click()
    asked = time.monotonic()
    said = page.get_by_text("The live recorder can't reach this computer's server")
    expect(said).to_be_visible(timeout=LONG_MS)
    assert time.monotonic() - asked < 15
    expect(said).to_contain_text("Built-in recorder")
    expect(said).to_contain_text("Upload files")
    expect(page.get_by_role("button", name="Start recording")).to_be_disabled()
    choose_way(page, "Built-in recorder")
    expect(page.get_by_test_id("stAudioInput").get_by_role("button", name="Record")).to_be_enabled()


def test_a_denied_microphone_is_said_and_files_still_work(server, open_window, launch):
    """The frame of the microphone names the refusal; nothing hangs, and uploading is not in the way."""
    page = open_window(launch(microphone=None))
    open_record(page, server, "Denied")
    choose_recorder(page, "WebRTC")
    microphone(page).get_by_role("button", name="Turn on the microphone").click()
    refusal = microphone(page).get_by_text(re.compile("permission denied|not found|blocks the microphone", re.I))
    expect(refusal.first).to_be_visible()
    expect(page.get_by_role("button", name="Start recording")).to_have_count(0)
    upload(page, ("speech.mp3", encode(make_speech(20), "mp3")))
    expect_review(page)


def test_files_of_all_formats_go_on_and_the_broken_one_is_named(server, page):
    """Six good files and a bad one in one upload: six runs, and a sentence about the seventh."""
    number = open_record(page, server, "Uploader")
    speech = make_speech(20)
    files = [(f"speech.{kind}", encode(speech, kind)) for kind in ENCODINGS]
    upload(page, *files, ("broken_file.wav", b"RIFF this is no recording" * 40))
    expect_review(page)
    expect(page.get_by_text(re.compile(r"broken.?_file\.wav"))).to_be_visible()
    expect(page.get_by_text("Recording 6 of 6")).to_be_visible()
    submit(page)
    expect_result(page, 6)
    runs = server.runs_of(number)
    assert [run.state for run in runs] == [RunState.COMPLETE_OK] * 6
    assert len({run.recording_id for run in runs}) == 6
