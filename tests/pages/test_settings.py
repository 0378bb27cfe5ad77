"""The settings page checks the key, keeps the deletion choice, and never shows a secret."""

from __future__ import annotations

import httpx
import pytest

from heliograph.runs import load_purge_setting, save_purge_setting
from heliograph.runs.recorders import RecorderMode, load_recorder_mode, save_recorder_mode
from heliograph.ui import recorder
from heliograph.ui.webrtc import MicrophoneState
from heliograph.ui.workspace import Workspace, get_workspace
from thymia_api import ThymiaClient

KEY = "k-very-secret-0123456789"


def answer_with(monkeypatch: pytest.MonkeyPatch, status: int, body: object) -> None:
    """Have the workspace's client get this answer instead of asking a server."""
    transport = httpx.MockTransport(lambda _request: httpx.Response(status, json=body))
    monkeypatch.setattr(
        Workspace,
        "make_client",
        lambda self: ThymiaClient(self.api_key, base_url="http://api.test", transport=transport, retry=None),
    )


def whole_page(app) -> str:
    return str(app)


def test_a_working_key_is_confirmed_with_its_account(open_page, monkeypatch):
    answer_with(monkeypatch, 200, {"id": "acc-1", "features": ["one"]})
    app = open_page("settings")
    app.button(key="settings_check").click().run()
    assert "The key works. Account acc\\-1" in app.success[0].value


def test_a_refused_key_is_explained(open_page, monkeypatch):
    answer_with(monkeypatch, 401, {"detail": "no"})
    app = open_page("settings")
    app.button(key="settings_check").click().run()
    assert "does not accept the API key" in app.error[0].value
    assert "THYMIA_REGION" in app.error[0].value


def test_something_else_behind_the_address_is_explained(open_page, monkeypatch):
    answer_with(monkeypatch, 200, ["hello"])
    app = open_page("settings")
    app.button(key="settings_check").click().run()
    assert "THYMIA_BASE_URL" in app.error[0].value


def test_the_key_is_never_on_the_page(open_page, monkeypatch):
    monkeypatch.setenv("THYMIA_API_KEY", KEY)
    monkeypatch.setenv("THYMIA_BASE_URL", "http://127.0.0.1:9/")
    answer_with(monkeypatch, 401, {"detail": KEY})
    app = open_page("settings")
    assert "set" in [value for table in app.table for value in table.value["value"]]
    app.button(key="settings_check").click().run()
    assert app.error
    assert KEY not in whole_page(app)


def test_the_deletion_choice_is_off_first_and_is_kept(open_page):
    app = open_page("settings")
    assert app.toggle(key="settings_purge").value is False
    app.toggle(key="settings_purge").set_value(True).run()
    assert load_purge_setting(get_workspace().store)
    assert open_page("settings").toggle(key="settings_purge").value is True


@pytest.mark.parametrize("choice", [True, False])
def test_a_page_that_was_overtaken_does_not_undo_the_deletion_choice_of_another_person(open_page, choice):
    store = get_workspace().store
    save_purge_setting(store, not choice)
    app = open_page("settings")
    save_purge_setting(store, choice)
    app.run()
    assert load_purge_setting(store) is choice
    assert app.toggle(key="settings_purge").value is choice


@pytest.mark.parametrize(
    ("choice", "words", "way", "live"),
    [
        (RecorderMode.WEBRTC, "WebRTC", "Record live", ["webrtc"]),
        (RecorderMode.BUILTIN, "The browser's built-in recorder", "Built-in recorder", []),
        (RecorderMode.LOSSLESS, "Lossless", "Record live", ["lossless"]),
        (RecorderMode.AUTOMATIC, "Automatic", "Record live", ["lossless"]),
    ],
)
def test_the_chosen_recorder_is_kept_and_is_the_one_that_record_offers(
    open_page, person, monkeypatch, choice, words, way, live
):
    store = get_workspace().store
    before = RecorderMode.LOSSLESS if choice is RecorderMode.AUTOMATIC else RecorderMode.AUTOMATIC
    save_recorder_mode(store, before)
    off = MicrophoneState(connecting=False, connected=False)
    monkeypatch.setattr(recorder, "show_microphone", lambda *args, **kwargs: off)
    app = open_page("settings")
    assert app.selectbox(key="settings_recorder").value == before
    assert words in app.selectbox(key="settings_recorder").options
    app.selectbox(key="settings_recorder").set_value(choice).run()
    assert load_recorder_mode(store) is choice
    assert [toast.value for toast in app.toast] == ["Saved."]
    chosen = {}
    for group in open_page("record", participant=str(person)).segmented_control:
        chosen.setdefault(group.label, []).append(group.value)
    assert (chosen["How to record"], chosen.get("Recorder", [])) == ([way], live)


def test_a_page_that_was_overtaken_does_not_undo_the_recorder_that_another_person_chose(open_page):
    store = get_workspace().store
    app = open_page("settings")
    save_recorder_mode(store, RecorderMode.BUILTIN)
    app.run()
    assert load_recorder_mode(store) is RecorderMode.BUILTIN
    assert app.selectbox(key="settings_recorder").value is RecorderMode.BUILTIN
