"""Nothing on Record takes the recorder away while it records, and whose the recording is stays in sight."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from heliograph.runs.recorders import RecorderMode, save_recorder_mode
from heliograph.ui import lossless, messages, recorder
from heliograph.ui.recorder_words import STOP_FIRST
from heliograph.ui.webrtc import MicrophoneState
from heliograph.ui.workspace import get_workspace
from tests.pages import demo
from tests.pages.browsers import Browser, run

FIRST, SECOND = "take_first", "take_second"
MODES = [RecorderMode.LOSSLESS, RecorderMode.WEBRTC]


@pytest.fixture
def browser(home, monkeypatch) -> Browser:
    found = Browser(get_workspace().store)
    monkeypatch.setattr(lossless, "_read_report", lambda _found: found.report)
    state = MicrophoneState(connecting=True, connected=True)
    monkeypatch.setattr(recorder, "show_microphone", lambda *args, **kwargs: state)
    return found


def open_recording(
    open_page,
    browser: Browser,
    participant_id: int,
    mode: RecorderMode,
    press: Callable[[Any], Any] = lambda _: None,
) -> Any:
    """Record, with a recording that runs; `press` is done between Start and the page's word of it."""
    save_recorder_mode(browser.store, mode)
    app = open_page("record", participant=str(participant_id))
    press(app)
    if mode is RecorderMode.LOSSLESS:
        browser.record(SECOND, participant_id)
        browser.tell("recording", SECOND, take_second=participant_id)
    else:
        app.button(key="record_start").click()
    return run(app)


def group(app: Any, label: str) -> Any:
    return next(one for one in app.segmented_control if one.label == label)


def said(elements: Any) -> list[str]:
    return [element.value.replace("\\", "") for element in elements]


def is_drawn(app: Any, mode: RecorderMode) -> bool:
    if mode is RecorderMode.WEBRTC:
        return bool([button for button in app.button if button.key == "record_stop"])
    found = [entry.proto for entry in app.get("bidi_component")]
    parts = [json.loads(one.json) for one in found if one.component_name == "heliograph_lossless"]
    return [part["headless"] for part in parts] == [False]


def end(app: Any, browser: Browser) -> Any:
    """The lossless recording comes to its end."""
    browser.finish(SECOND)
    browser.tell("check")
    return run(app)


@pytest.mark.parametrize("mode", MODES)
def test_a_recording_up_for_review_waits_in_the_list_while_another_is_made(
    open_page, store, home, browser, people, mode
):
    """It came up in the moment in which Start was pressed again."""
    app = open_recording(open_page, browser, people[0], mode)
    earlier = demo.add_real_recording(store, home)
    app.session_state["record_waiting"] = [earlier]
    run(app)
    assert is_drawn(app, mode)
    assert app.expander[0].label == "1 earlier recording not submitted yet"
    if mode is RecorderMode.LOSSLESS:
        end(app, browser)
        (reviewed,) = app.session_state["record_waiting"]
        assert reviewed != earlier


@pytest.mark.parametrize("mode", MODES)
def test_what_would_take_the_recorder_away_can_not_be_pressed_and_says_why(
    open_page, store, home, browser, people, mode
):
    demo.add_real_recording(store, home)
    app = open_recording(open_page, browser, people[0], mode)
    review = next(button for button in app.button if button.label == "Review")
    locked = [review, group(app, "How to record"), group(app, "Recorder")]
    assert [(one.disabled, one.help) for one in locked] == [(True, STOP_FIRST)] * 3


PRESSES = {
    "Review": lambda app, _: next(button for button in app.button if button.label == "Review").click(),
    "How to record": lambda app, _: group(app, "How to record").set_value("Upload files"),
    "Recorder": lambda app, mode: group(app, "Recorder").set_value(next(one for one in MODES if one != mode)),
    "New participant": lambda app, _: group(app, "Participant").set_value("New"),
    "No participant": lambda app, _: app.selectbox(key="record_participant_label").set_value(None),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("press", PRESSES.values(), ids=PRESSES)
def test_a_press_that_is_faster_than_the_page_does_not_end_the_recording(
    open_page, store, home, browser, people, mode, press
):
    """A browser tells of Start when it has begun; what is pressed in that moment comes with it."""
    demo.add_real_recording(store, home)
    app = open_recording(open_page, browser, people[0], mode, lambda app: press(app, mode))
    assert is_drawn(app, mode)
    assert app.session_state["record_waiting"] == []
    assert app.selectbox(key="record_participant_label").value == "P-001"
    assert (group(app, "How to record").value, group(app, "Recorder").value) == ("Record live", mode)


def test_when_the_recording_has_ended_everything_can_be_chosen_again(open_page, browser, people):
    app = open_recording(open_page, browser, people[0], RecorderMode.LOSSLESS)
    browser.tell("off")
    run(app)
    assert not group(app, "How to record").disabled
    group(app, "How to record").set_value("Upload files")
    run(app)
    assert group(app, "How to record").value == "Upload files"


def test_the_end_of_a_recording_may_be_here_before_the_browser_says_so(open_page, browser, people):
    """The last piece and the browser's word come by different ways."""
    app = open_recording(open_page, browser, people[0], RecorderMode.LOSSLESS)
    browser.finish(SECOND)
    run(app)
    assert len(app.session_state["record_waiting"]) == 1
    assert "Review" in [heading.value for heading in app.subheader]


def test_whose_the_recording_is_stands_where_another_participant_would_be_chosen(open_page, browser, people):
    app = open_recording(open_page, browser, people[0], RecorderMode.WEBRTC)
    label = app.selectbox(key="record_participant_label")
    assert label.disabled
    assert label.help.replace("\\", "").startswith("The recording that is being made belongs to P-001.")
    assert not app.warning or "belongs to" not in str(said(app.warning))


def test_whoever_was_chosen_too_late_is_told_at_once_whose_the_recording_is(open_page, browser, people):
    """The browser records for the participant that it was told of last."""

    app = open_page("record", participant=str(people[0]))
    app.selectbox(key="record_participant_label").set_value("P-002")
    run(app)
    browser.record(SECOND, people[0])
    browser.tell("recording", SECOND, take_second=people[0])
    run(app)
    assert is_drawn(app, RecorderMode.LOSSLESS)
    (told,) = [text for text in said(app.warning) if "belongs to" in text]
    assert told.startswith("The recording that is being made belongs to **P-001**: it had begun before P-002")
    assert "belongs to P-001" in app.selectbox(key="record_participant_label").help.replace("\\", "")
    end(app, browser)
    assert said(app.toast) == ["A recording of P-001 has arrived. Choose P-001 to review it."]


@pytest.mark.parametrize("mode", MODES)
def test_whoever_leaves_record_in_mid_recording_is_told_once_where_it_is_kept(open_page, browser, people, mode):
    app = open_recording(open_page, browser, people[0], mode)
    app.switch_page("runs.py")
    assert said(run(app).toast) == [messages.RECORD_LEFT]
    assert said(run(app).toast) == []


def test_whoever_leaves_record_without_a_recording_is_told_nothing(open_page, browser, people):
    app = open_page("record", participant=str(people[0]))
    app.switch_page("runs.py")
    assert said(run(app).toast) == []
