"""The main job in a real browser: participant, microphone, ring, review, submit, result, trend."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import expect

from heliograph.store import RunState
from tests.browser.conftest import DEEPER_RATE_HZ, SPEECH
from tests.browser.journeys import (
    LONG_MS,
    UNFINISHED,
    add_sleep_times,
    choose,
    choose_way,
    enter_participant,
    expect_page,
    expect_result,
    expect_review,
    give_reasons,
    open_page,
    open_record,
    quality,
    record_until,
    review_found,
    set_moment,
    settle,
    start_recording,
    stop_recording,
    submit,
    submit_button,
    upload,
)
from tests.browser.microphones import compare, load_mono
from tests.sandbox.recordings import encode, make_speech

pytestmark = pytest.mark.browser


def test_from_the_microphone_to_a_point_on_the_trend(server, page):
    """The whole way without touching anything but the pages; the new run is a point on the trend."""
    open_page(page, f"{server.url}/record", "Record")
    enter_participant(page, "Main job")
    expect(page.get_by_text("Born 1990-01-01")).to_be_visible(timeout=LONG_MS)
    start_recording(page)
    record_until(page, 11)
    stop_recording(page)
    for row in ("Speech", "Length", "Level", "Clipping", "Signal", "bandwidth", "Gaps"):
        assert quality(page, row)
    assert float(quality(page, "Speech").split()[0]) >= 10
    submit(page)
    expect(page.get_by_role("heading", name="Run", exact=True)).to_be_focused(timeout=LONG_MS)
    expect_result(page)
    expect(page.get_by_text("Synthetic", exact=False).first).to_be_visible()
    page.get_by_role("link", name="See the trend").click()
    expect_page(page, "Trends")
    expect(page.locator(".js-plotly-plot .scatterlayer .point").first).to_be_visible(timeout=LONG_MS)
    number = int(re.search(r"participant=(\d+)", page.url)[1])
    (run,) = server.runs_of(number)
    assert (run.state, run.synthetic) == (RunState.COMPLETE_OK, True)


def test_two_people_at_once_get_their_own_recording_and_run(server, open_window, launch, deeper_microphone_file):
    """Two browsers with different voices record at the same time: neither loses or gets anything of the other."""
    voices = [load_mono(SPEECH), load_mono(SPEECH, DEEPER_RATE_HZ)]
    pages = [open_window(), open_window(launch(microphone=deeper_microphone_file))]
    people = [open_record(page, server, f"Pair {number}") for number, page in enumerate(pages)]
    for page in pages:
        start_recording(page)
    for page in pages:
        record_until(page, 10)
    for page in pages:
        stop_recording(page)
    for page in pages:
        submit(page)
    for page in pages:
        expect_result(page)
    for person, own, other in zip(people, voices, reversed(voices), strict=True):
        (run,) = server.runs_of(person)
        recording, file = server.recording_of(run)
        heard = load_mono(file)
        assert recording.facts.missing_share == 0
        assert compare(heard, own).correlation > 0.9
        assert compare(heard, other).correlation < 0.5


def test_leaving_the_page_in_mid_recording_loses_nothing(server, page):
    """Off to Trends and back: what was recorded is offered again and can be reviewed."""
    number = open_record(page, server, "Leaver")
    start_recording(page)
    record_until(page, 3)
    page.get_by_role("link", name="Trends").first.click()
    expect_page(page, "Trends")
    page.get_by_role("link", name="Record").first.click()
    expect_page(page, "Record")
    if f"participant={number}" not in page.url:
        choose(page, "Label", "Leaver")
    review_found(page)
    assert float(quality(page, "Speech").split()[0]) >= 3


def test_a_click_before_the_page_has_loaded_its_fields_keeps_the_participant(server, page):
    """On a slow line one can choose how to record while the field with the participant is still being fetched."""
    held = []

    def hold(route):
        held.append(route)

    page.route("**/Selectbox.*.js", hold)
    number = server.add_participant("Hasty")
    page.goto(f"{server.url}/record?participant={number}")
    choose_way(page, "Upload files")
    assert page.get_by_role("combobox", name="Label").count() == 0
    for route in held:
        route.continue_()
    expect(page.get_by_role("combobox", name="Label")).to_have_value("Hasty")
    upload(page, ("speech.flac", encode(make_speech(20), "flac")))
    expect_review(page)
    assert f"participant={number}" in page.url


def test_a_double_click_on_submit_is_one_run_and_odd_sleep_times_are_asked_about(server, page):
    """Woken up after the recording is refused, 17 hours of sleep are asked about; then one run, not two."""
    number = open_record(page, server, "Sleeper")
    upload(page, ("speech.flac", encode(make_speech(20), "flac")))
    expect_review(page)
    give_reasons(page)
    now = datetime.now().replace(second=0, microsecond=0)
    add_sleep_times(page)
    set_moment(page, "Recorded at", now - timedelta(hours=2))
    set_moment(page, "Woke up", now - timedelta(hours=1))
    expect(page.get_by_text("Woke up must be before the recording.")).to_be_visible()
    submit_button(page).click()
    expect(page.get_by_text("Not submitted yet")).to_be_visible()
    set_moment(page, "Fell asleep", now - timedelta(hours=20))
    set_moment(page, "Woke up", now - timedelta(hours=3))
    expect(page.get_by_text("Sleep of 17.0 hours is unusual")).to_be_visible()
    submit_button(page).click()
    expect(page.get_by_text("Not submitted yet")).to_be_visible()
    assert server.runs_of(number) == []
    page.get_by_text("Yes, the participant slept 17.0 hours").click()
    expect(page.get_by_text("Sleep of 17.0 hours is unusual")).to_be_hidden()
    settle(page)
    submit_button(page).dblclick()
    expect_result(page)
    (run,) = server.runs_of(number)
    assert run.asleep_local == f"{now - timedelta(hours=20):%Y-%m-%dT%H:%M:%S}"
    page.reload()
    settle(page)
    assert len(server.runs_of(number)) == 1


def test_discarding_by_keyboard_asks_first_and_keeps_what_is_not_answered(server, page):
    """Enter on Discard only asks, twice as once; the answer is the next stop of the keyboard."""
    number = open_record(page, server, "Slip")
    upload(page, ("speech.flac", encode(make_speech(21), "flac")))
    expect_review(page)
    question = page.get_by_role("alert").filter(has_text="It cannot be brought back.")
    discard = page.get_by_role("button", name="Discard this recording")
    discard.focus()
    for _ in range(2):
        page.keyboard.press("Enter")
        expect(question).to_be_visible()
        settle(page)
    expect(discard).to_be_focused()
    page.get_by_role("button", name="Keep it").press("Enter")
    expect(question).to_be_hidden()
    page.goto(f"{server.url}/record?participant={number}")
    expect(page.get_by_text(UNFINISHED)).to_be_visible(timeout=LONG_MS)
    settle(page)
    page.get_by_role("button", name="Discard").focus()
    page.keyboard.press("Enter")
    expect(question).to_be_visible()
    settle(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Discard for good")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Discarded.")).to_be_visible()
    expect(page.get_by_text(UNFINISHED)).to_have_count(0)
    page.reload()
    settle(page)
    expect(page.get_by_text(UNFINISHED)).to_have_count(0)


def test_what_is_wrong_with_a_new_participant_is_said_and_nothing_is_saved(server, page):
    """A missing birth sex, a date that does not exist and a label that is taken."""
    server.add_participant("Taken")
    open_page(page, f"{server.url}/record", "Record")
    enter_participant(page, "No sex", sex=None)
    expect(page.get_by_text("Enter the birth sex.")).to_be_visible()
    choose(page, "Month of birth", "February")
    choose(page, "Day of birth", "30")
    enter_participant(page, "No such day")
    expect(page.get_by_text("February 1990 has no day 30.")).to_be_visible()
    choose(page, "Day of birth", "28")
    enter_participant(page, "Taken")
    expect(page.get_by_text("exists already")).to_be_visible()
    enter_participant(page, "<b>Fine</b> [now](https://example.org)")
    expect(page.get_by_text("Born 1990-02-28")).to_be_visible(timeout=LONG_MS)
    settle(page)
