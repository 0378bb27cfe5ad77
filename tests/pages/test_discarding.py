"""A recording is discarded only after a question, once, and that is said."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.audio.spool import load_takes
from heliograph.store import StoreBusyError, load_waiting_recordings
from heliograph.ui import lossless, messages, submission
from heliograph.ui.workspace import get_workspace
from tests.pages import demo
from tests.pages.browsers import Browser, run

TAKE = "take_first"


@pytest.fixture(params=["review", "list", "list of takes"])
def place(request, open_page, home, person, monkeypatch) -> tuple[Any, str]:
    """Record with one recording, under review, listed, or listed and still a take; and the label of its button."""
    browser = Browser(get_workspace().store)
    monkeypatch.setattr(lossless, "_read_report", lambda _found: browser.report)
    if request.param == "list of takes":
        browser.record(TAKE, person)
        browser.finish(TAKE)
    else:
        recording = demo.add_real_recording(browser.store, home)
    app = open_page("record", participant=str(person))
    if request.param == "review":
        app.session_state["record_waiting"] = [recording]
        run(app)
    return app, "Discard this recording" if request.param == "review" else "Discard"


def press(app: Any, label: str) -> None:
    (button,) = [found for found in app.button if found.label == label]
    button.click()
    run(app)


def count_kept() -> int:
    store = get_workspace().store
    return len(load_waiting_recordings(store)) + len(load_takes(store.spool_folder))


def is_asked(app: Any) -> bool:
    return messages.DISCARD_ASKED in [warning.value for warning in app.warning]


def test_after_the_first_presses_the_recording_is_still_there_and_a_question_stands(place):
    app, label = place
    assert not is_asked(app)
    press(app, label)
    assert (count_kept(), is_asked(app)) == (1, True)
    press(app, label)
    assert (count_kept(), is_asked(app)) == (1, True)
    run(app)
    assert is_asked(app), "a page that draws itself anew takes no question away"


def test_keeping_it_takes_the_question_away_and_nothing_else(place):
    app, label = place
    press(app, label)
    press(app, "Keep it")
    assert (count_kept(), is_asked(app)) == (1, False)
    assert label in [button.label for button in app.button]


def test_an_answer_discards_it_for_good_and_that_is_said_once(place):
    app, label = place
    press(app, label)
    press(app, "Discard for good")
    assert (count_kept(), is_asked(app)) == (0, False)
    assert [toast.value for toast in app.toast] == [messages.DISCARDED]
    assert label not in [button.label for button in app.button]
    assert not run(app).toast


def test_what_can_not_be_discarded_stays_and_the_reason_is_said(place, monkeypatch):
    app, label = place
    problem = StoreBusyError("busy")

    def fail(*_args):
        raise problem

    for name in ("discard_recording", "discard_unfinished"):
        monkeypatch.setattr(submission, name, fail)
    press(app, label)
    press(app, "Discard for good")
    assert count_kept() == 1
    assert [error.value for error in app.error] == [messages.describe_problem(problem).text]
    assert not app.toast


def test_one_question_stands_at_a_time_and_is_about_the_recording_that_was_pressed(open_page, store, home, person):
    kept = demo.add_real_recording(store, home)
    gone = demo.add_recording(store, home, 1)
    app = open_page("record", participant=str(person))
    for recording in (kept, gone):
        app.button(key=f"record_found_discard_{recording[:12]}").click()
        run(app)
    press(app, "Discard for good")
    assert [found.id for found, _ in load_waiting_recordings(store)] == [kept]
