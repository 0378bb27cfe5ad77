"""What a browser still keeps of earlier recordings is sent from wherever Record is, and never from two places."""

from __future__ import annotations

import json
from typing import Any

import pytest

from heliograph.audio.permits import compute_workspace_name, load_permit_key
from heliograph.runs.recorders import RecorderMode, save_recorder_mode
from heliograph.ui import lossless
from heliograph.ui.workspace import get_workspace
from tests.pages import demo
from tests.pages.browsers import Browser


def mounted(app: Any) -> list[dict[str, Any]]:
    """The data of the lossless recorder's components on the page."""
    found = [entry.proto for entry in app.get("bidi_component")]
    return [json.loads(one.json) for one in found if one.component_name == "heliograph_lossless"]


def choose_way(app: Any, way: str) -> None:
    (group,) = [one for one in app.segmented_control if one.label == "How to record"]
    group.set_value(way).run()
    assert not app.exception


def test_the_recorder_itself_carries_what_is_kept(open_page, person):
    (data,) = mounted(open_page("record", participant=str(person)))
    assert (data["headless"], data["note"]) == (False, str(person))


def test_the_recorder_stops_before_a_recording_is_too_long_for_thymia(open_page, person):
    (data,) = mounted(open_page("record", participant=str(person)))
    assert data["max_s"] == 170


def test_the_courier_is_there_before_a_participant_is_chosen(open_page, person):
    (data,) = mounted(open_page("record"))
    own = compute_workspace_name(load_permit_key(get_workspace().store.folder))
    assert (data["headless"], data["note"], data["workspace"]) == (True, "", own)


@pytest.mark.parametrize("way", ["Built-in recorder", "Upload files", "Send a link"])
def test_the_courier_is_there_with_every_other_way_to_record(open_page, person, way):
    app = open_page("record", participant=str(person))
    choose_way(app, way)
    assert [data["headless"] for data in mounted(app)] == [True]
    choose_way(app, "Record live")
    assert [data["headless"] for data in mounted(app)] == [False]


def test_the_courier_is_there_during_review_and_while_a_run_goes_on(open_page, store, home, person):
    app = open_page("record", participant=str(person))
    app.session_state["record_waiting"] = [demo.add_real_recording(store, home)]
    app.run()
    assert [data["headless"] for data in mounted(app)] == [True]
    app.session_state["record_waiting"] = []
    app.session_state["record_runs"] = [1]
    app.run()
    assert [data["headless"] for data in mounted(app)] == [True]


def test_the_courier_is_there_with_webrtc(open_page, person, monkeypatch):
    from heliograph.ui import recorder
    from heliograph.ui.webrtc import MicrophoneState

    monkeypatch.setattr(
        recorder, "show_microphone", lambda *args, **kwargs: MicrophoneState(connecting=False, connected=False)
    )
    save_recorder_mode(get_workspace().store, RecorderMode.WEBRTC)
    assert [data["headless"] for data in mounted(open_page("record", participant=str(person)))] == [True]


@pytest.mark.parametrize("key", [lossless.RECORDER_KEY, lossless.COURIER_KEY])
def test_what_is_on_its_way_is_not_offered_and_may_be_sent(open_page, person, monkeypatch, key):
    """Whichever of the two told of it: the other's word is still there in the run that replaces it."""
    browser = Browser(get_workspace().store)
    browser.record("take_first", person)
    browser.finish("take_first")
    monkeypatch.setattr(lossless, "_load_report", lambda asked: browser.report if asked == key else {})
    assert "P-001" in open_page("record").info[0].value.replace("\\", "")
    browser.tell("off", take_first=person)
    app = open_page("record")
    assert not app.info
    (data,) = mounted(app)
    assert set(data["permits"]) == ({"take_first"} if key == lossless.COURIER_KEY else set())
