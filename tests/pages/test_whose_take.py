"""A recording belongs to the participant for whom it was made, whoever is chosen when it arrives."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.audio import CapturePhase, CaptureSnapshot
from heliograph.audio.spool import discard_take, load_take, load_takes
from heliograph.runs.intake import keep_take
from heliograph.runs.recorders import RecorderMode, save_recorder_mode
from heliograph.store import load_waiting_recordings
from heliograph.ui import lossless, recorder
from heliograph.ui.webrtc import MicrophoneState
from heliograph.ui.workspace import get_workspace
from tests.pages.browsers import Browser, run

FIRST, SECOND = "take_first", "take_second"


@pytest.fixture
def browser(home, monkeypatch) -> Browser:
    found = Browser(get_workspace().store)
    monkeypatch.setattr(lossless, "_read_report", lambda _found: found.report)
    return found


def kept(browser: Browser) -> list[int | None]:
    """Whose recordings were made out of takes."""
    return [whose for _, whose in load_waiting_recordings(browser.store)]


def choose(app: Any, label: str) -> None:
    app.selectbox(key="record_participant_label").set_value(label)
    run(app)


def said(elements: Any) -> list[str]:
    return [element.value.replace("\\", "") for element in elements]


def offered(app: Any) -> list[str]:
    return [box.label for box in app.expander if "not submitted yet" in box.label]


def test_what_arrives_for_the_chosen_participant_goes_up_for_review(open_page, browser, people):
    app = open_page("record", participant=str(people[0]))
    browser.record(FIRST, people[0])
    browser.tell("recording", FIRST, take_first=people[0])
    run(app)
    browser.finish(FIRST)
    browser.tell("check")
    run(app)
    assert kept(browser) == [people[0]]
    assert len(app.session_state["record_waiting"]) == 1


def test_what_was_saved_around_a_restart_goes_up_for_review_in_the_session_after_it(open_page, browser, people):
    """The new session has never heard of its recording."""
    app = open_page("record", participant=str(people[0]))
    browser.record(FIRST, people[0])
    browser.finish(FIRST)
    browser.tell("saved", FIRST)
    run(app)
    assert kept(browser) == [people[0]]
    assert len(app.session_state["record_waiting"]) == 1
    run(app)
    assert len(app.session_state["record_waiting"]) == 1


def test_what_arrives_when_another_participant_is_chosen_stays_with_its_own(open_page, browser, people):
    app = open_page("record", participant=str(people[0]))
    browser.record(FIRST, people[0])
    browser.tell("sending", FIRST, take_first=people[0])
    run(app)
    choose(app, "P-002")
    browser.finish(FIRST)
    run(app)
    assert kept(browser) == []
    assert app.session_state["record_waiting"] == []
    assert said(app.toast) == ["A recording of P-001 has arrived. Choose P-001 to review it."]
    browser.tell("check")
    run(app)
    assert not app.toast
    assert offered(app) == []
    choose(app, "P-001")
    assert offered(app) == ["1 earlier recording not submitted yet"]
    (review,) = [button for button in app.button if button.key and button.key.startswith("record_found_review")]
    review.click()
    run(app)
    assert kept(browser) == [people[0]]
    assert load_takes(browser.store.spool_folder) == []


def test_before_anybody_is_chosen_the_label_of_what_waits_is_said(open_page, browser, people):
    browser.record(FIRST, people[1])
    browser.finish(FIRST)
    app = open_page("record")
    assert said(app.info) == ["Recordings not submitted yet: P-002. Choose the participant to go on."]


def test_a_take_that_ends_while_the_next_is_recorded_is_offered_and_not_reviewed(open_page, browser, people):
    """In an outage a second one may be begun while the first is still in the browser."""
    app = open_page("record", participant=str(people[0]))
    browser.record(FIRST, people[0])
    browser.tell("sending", FIRST, take_first=people[0])
    run(app)
    browser.record(SECOND, people[0])
    browser.tell("recording", SECOND, take_first=people[0], take_second=people[0])
    run(app)
    assert offered(app) == []
    browser.finish(FIRST)
    run(app)
    assert kept(browser) == []
    browser.tell("recording", SECOND, take_second=people[0])
    run(app)
    assert offered(app) == ["1 earlier recording not submitted yet"]
    browser.finish(SECOND)
    browser.tell("check")
    run(app)
    assert kept(browser) == [people[0]]
    assert [take.token for take in load_takes(browser.store.spool_folder)] == [FIRST]


def test_a_second_take_may_arrive_before_the_first(open_page, browser, people):
    app = open_page("record", participant=str(people[0]))
    for take in (FIRST, SECOND):
        browser.record(take, people[0])
    browser.tell("sending", SECOND, take_first=people[0], take_second=people[0])
    run(app)
    browser.finish(SECOND)
    browser.tell("check", take_first=people[0])
    run(app)
    assert len(app.session_state["record_waiting"]) == 1
    browser.finish(FIRST)
    browser.tell("check")
    run(app)
    assert kept(browser) == [people[0]]
    app.session_state["record_waiting"] = []
    run(app)
    assert offered(app) == ["2 earlier recordings not submitted yet"]


def test_a_take_that_goes_on_under_a_new_name_is_followed_and_kept_once(open_page, browser, people):
    """When somebody took up what had arrived of it, the browser sends the whole again as another take."""
    app = open_page("record", participant=str(people[0]))
    browser.record(FIRST, people[0])
    browser.tell("recording", FIRST, take_first=people[0])
    run(app)
    assert app.session_state["record_lossless_desk"].take == FIRST
    browser.finish(FIRST)
    discard_take(load_take(browser.store.spool_folder, FIRST))
    browser.record(SECOND, people[0])
    browser.tell("recording", SECOND, take_second=people[0])
    run(app)
    assert app.session_state["record_lossless_desk"].take == SECOND
    browser.finish(SECOND)
    browser.tell("check")
    run(app)
    assert kept(browser) == [people[0]]
    assert load_takes(browser.store.spool_folder) == []


def test_a_take_that_its_browser_gave_up_is_no_longer_shown_as_running(open_page, browser, people):
    app = open_page("record", participant=str(people[0]))
    browser.record(FIRST, people[0])
    browser.tell("recording", FIRST, take_first=people[0])
    run(app)
    browser.tell("off")
    run(app)
    assert app.session_state["record_lossless_desk"].take is None


@pytest.mark.parametrize(("phase", "locked"), [("recording", True), ("sending", False), ("check", False)])
def test_nobody_else_can_be_chosen_while_something_is_recorded(open_page, browser, people, phase, locked):
    app = open_page("record", participant=str(people[0]))
    browser.tell(phase, FIRST, take_first=people[0])
    run(app)
    label = app.selectbox(key="record_participant_label")
    (kind,) = [group for group in app.segmented_control if group.label == "Participant"]
    assert (label.disabled, kind.disabled) == (locked, locked)
    assert (label.value, kind.value) == ("P-001", "Existing")
    assert ("Stop it to choose another" in (label.help or "")) is locked


class Capture:
    """In place of the one that WebRTC feeds: it ended, with a take in the spool."""

    def __init__(self, browser: Browser, participant_id: int) -> None:
        browser.record(FIRST, participant_id)
        browser.finish(FIRST)
        self._browser, self.token = browser, FIRST

    def snapshot(self):
        return CaptureSnapshot(phase=CapturePhase.FINISHED)

    def finish(self, timeout: float):
        return load_take(self._browser.store.spool_folder, FIRST)


@pytest.fixture
def webrtc(browser, people, monkeypatch) -> None:
    save_recorder_mode(browser.store, RecorderMode.WEBRTC)
    state = MicrophoneState(connecting=True, connected=True)
    monkeypatch.setattr(recorder, "show_microphone", lambda *args, **kwargs: state)


@pytest.mark.parametrize("is_own", [True, False])
def test_a_take_over_webrtc_belongs_to_the_participant_of_its_note_too(open_page, browser, people, webrtc, is_own):
    app = open_page("record", participant=str(people[0]))
    desk = app.session_state["record_desk"]
    desk.capture, desk.began = Capture(browser, people[0] if is_own else people[1]), True
    run(app)
    assert kept(browser) == ([people[0]] if is_own else [])
    assert len(app.toast) == (0 if is_own else 1)
    assert len(load_takes(browser.store.spool_folder)) == (0 if is_own else 1)


def test_over_webrtc_whoever_is_chosen_at_start_is_whose_take_it_is(open_page, browser, people, webrtc):
    """The microphone check may have begun with another participant."""
    app = open_page("record", participant=str(people[0]))
    choose(app, "P-002")
    app.button(key="record_start").click()
    run(app)
    assert app.session_state["record_desk"].capture._participant_note == str(people[1])
    assert app.selectbox(key="record_participant_label").disabled


@pytest.mark.parametrize("is_lossless", [True, False])
def test_a_take_is_not_offered_while_it_is_being_saved(
    open_page, browser, people, webrtc, monkeypatch, is_lossless
):
    from heliograph.ui import keeping

    claimed = []

    def keep(store, take, **options):
        claimed.append(recorder.own_tokens())
        return keep_take(store, take, **options)

    monkeypatch.setattr(keeping, "keep_take", keep)
    save_recorder_mode(browser.store, RecorderMode.LOSSLESS if is_lossless else RecorderMode.WEBRTC)
    app = open_page("record", participant=str(people[0]))
    if is_lossless:
        browser.record(FIRST, people[0])
        browser.tell("recording", FIRST, take_first=people[0])
        run(app)
        browser.finish(FIRST)
        browser.tell("check")
    else:
        desk = app.session_state["record_desk"]
        desk.capture, desk.began = Capture(browser, people[0]), True
    run(app)
    assert claimed == [{FIRST}]
    assert kept(browser) == [people[0]]
