"""Record offers the recorder that the workspace prefers; a session may take another."""

from __future__ import annotations

import time

import pytest

from heliograph.audio.levels import HeardLevel
from heliograph.runs.recorders import RecorderMode, save_recorder_mode
from heliograph.store import save_participant
from heliograph.ui import lossless, recorder
from heliograph.ui.recorder_words import WORDS
from heliograph.ui.webrtc import MicrophoneState
from heliograph.ui.workspace import get_workspace


@pytest.fixture
def participant(home) -> str:
    number = save_participant(
        get_workspace().store,
        label="P-001",
        date_of_birth="1990-01-01",
        birth_sex="FEMALE",
        language="en-GB",
        accent=None,
    )
    return str(number)


@pytest.fixture
def no_microphone(monkeypatch) -> None:
    monkeypatch.setattr(
        recorder, "show_microphone", lambda *args, **kwargs: MicrophoneState(connecting=False, connected=False)
    )


def chosen(app, label: str) -> str:
    return next(group.value for group in app.segmented_control if group.label == label)


@pytest.mark.parametrize("mode", [RecorderMode.AUTOMATIC, RecorderMode.LOSSLESS])
def test_the_lossless_recorder_comes_first(open_page, participant, mode):
    save_recorder_mode(get_workspace().store, mode)
    app = open_page("record", participant=participant)
    assert chosen(app, "How to record") == "Record live"
    assert chosen(app, "Recorder") == "lossless"


def test_a_workspace_may_prefer_the_built_in_recorder(open_page, participant):
    save_recorder_mode(get_workspace().store, RecorderMode.BUILTIN)
    app = open_page("record", participant=participant)
    assert chosen(app, "How to record") == "Built-in recorder"


def test_a_workspace_may_prefer_webrtc(open_page, participant, no_microphone):
    save_recorder_mode(get_workspace().store, RecorderMode.WEBRTC)
    app = open_page("record", participant=participant)
    assert chosen(app, "Recorder") == "webrtc"


@pytest.mark.parametrize(
    ("told", "mode", "way", "live"),
    [
        ({"unsupported": True, "webrtc": True}, RecorderMode.AUTOMATIC, "Record live", "webrtc"),
        ({"unsupported": True}, RecorderMode.AUTOMATIC, "Record live", "webrtc"),
        ({"unsupported": True, "webrtc": False}, RecorderMode.AUTOMATIC, "Built-in recorder", None),
        ({"unsupported": False, "webrtc": False}, RecorderMode.AUTOMATIC, "Record live", "lossless"),
        ({"unsupported": True, "webrtc": False}, RecorderMode.LOSSLESS, "Record live", "lossless"),
    ],
)
def test_automatic_takes_the_first_recorder_that_the_browser_can(
    open_page, participant, monkeypatch, no_microphone, told, mode, way, live
):
    monkeypatch.setattr(lossless, "_read_report", lambda _found: told)
    save_recorder_mode(get_workspace().store, mode)
    app = open_page("record", participant=participant)
    assert chosen(app, "How to record") == way
    assert [group.value for group in app.segmented_control if group.label == "Recorder"] == (
        [live] if live else []
    )


@pytest.mark.parametrize("mode", [RecorderMode.WEBRTC, RecorderMode.BUILTIN])
def test_a_recording_in_progress_keeps_its_recorder_whatever_settings_say(
    open_page, participant, monkeypatch, no_microphone, mode
):
    told = {"phase": "check"}
    monkeypatch.setattr(lossless, "_read_report", lambda _found: told)
    app = open_page("record", participant=participant)
    told["phase"] = "recording"
    save_recorder_mode(get_workspace().store, mode)
    app.run()
    assert (chosen(app, "How to record"), chosen(app, "Recorder")) == ("Record live", "lossless")
    told["phase"] = "check"
    app.run()
    live = [group.value for group in app.segmented_control if group.label == "Recorder"]
    assert (chosen(app, "How to record"), live) == (
        ("Built-in recorder", []) if mode is RecorderMode.BUILTIN else ("Record live", ["webrtc"])
    )


@pytest.mark.parametrize("told", [{"unsupported": True}, {"unsupported": True, "webrtc": False}])
def test_a_browser_that_cannot_record_losslessly_may_be_asked_to_all_the_same(
    open_page, participant, monkeypatch, no_microphone, told
):
    """It says so then; it is not sent away again and again."""
    monkeypatch.setattr(lossless, "_read_report", lambda _found: told)
    app = open_page("record", participant=participant)
    for label, choice in [("How to record", "Record live"), ("Recorder", "lossless")]:
        next(group for group in app.segmented_control if group.label == label).set_value(choice).run()
    assert (chosen(app, "How to record"), chosen(app, "Recorder")) == ("Record live", "lossless")


@pytest.mark.parametrize(("heard_for_s", "can_start"), [(None, False), (0.5, False), (5.0, True)])
def test_a_voice_that_is_heard_is_enough_to_start(open_page, participant, monkeypatch, heard_for_s, can_start):
    """On a busy computer the browser's word that it is connected can fail to come, though sound flows."""
    monkeypatch.setattr(
        recorder, "show_microphone", lambda *args, **kwargs: MicrophoneState(connecting=True, connected=False)
    )
    save_recorder_mode(get_workspace().store, RecorderMode.WEBRTC)
    app = open_page("record", participant=participant)
    desk = app.session_state["record_desk"]
    desk.heard_since = None if heard_for_s is None else time.monotonic() - heard_for_s
    monkeypatch.setattr(recorder, "_show_check_live", lambda *args, **kwargs: None)
    app.run()
    (start,) = [button for button in app.button if button.label == "Start recording"]
    assert start.disabled is not can_start


@pytest.mark.parametrize(
    "report",
    [
        None,
        5,
        {"takes": 7},
        {"takes": [None, {}, {"take": "../up", "note": "1"}, {"take": "take-0123456789", "note": "x"}]},
        {"takes": [{"take": ["a"], "note": {}}], "take": 9, "phase": []},
    ],
)
def test_what_a_browser_reports_is_not_trusted(home, report):
    """Only names that takes can have and numbers of participants get a permit."""
    from heliograph.ui.lossless import _issue_permits, _read_report

    assert _issue_permits(get_workspace(), _read_report({"report": report})) == {}


@pytest.mark.parametrize("heard", HeardLevel)
def test_the_microphone_check_has_a_sentence_for_each_level(heard):
    """Both recorders say the same of the same level."""
    assert WORDS[heard].endswith((".", "?"))
