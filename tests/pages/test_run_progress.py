"""The widget that Record and Runs share: the steps of a run on its way, then how it ended."""

from __future__ import annotations

from datetime import datetime

import pytest
from streamlit.testing.v1 import AppTest

from heliograph.store import FailureReason, NewRun, RunKind, RunState, replace_run
from tests.pages import demo

NOW = datetime(2026, 3, 2, 8, 0)


def draw(run_id: int) -> None:
    import streamlit as st

    import heliograph.ui.run_progress as progress

    # Links lead to pages that this small script has not.
    progress.st.page_link = lambda *args, **kwargs: None  # type: ignore[assignment]
    st.session_state["state"] = progress.show_run_progress(run_id)


def show(run_id: int, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    import streamlit as st

    monkeypatch.setattr(st, "page_link", st.page_link)  # Put back after the test.
    app = AppTest.from_function(draw, args=(run_id,)).run()
    assert not app.exception
    return app


@pytest.mark.parametrize("state", ["queued", "created", "uploading", "running", "waiting"])
def test_a_run_under_way_shows_its_step_and_returns_its_state(store, person, monkeypatch, state):
    app = show(demo.add_session(store, person, NOW, key="a", state=RunState(state)), monkeypatch)
    assert app.session_state["state"] == state
    assert app.caption


def test_a_finished_run_shows_its_card(store, person, monkeypatch):
    app = show(demo.add_session(store, person, NOW, key="a"), monkeypatch)
    assert app.session_state["state"] == "complete_ok"
    assert "hg-scores" in app.get("html")[0].proto.body


def test_a_run_without_a_result_shows_what_to_do(store, person, monkeypatch):
    app = show(demo.add_session(store, person, NOW, key="a", state=RunState.COMPLETE_ERROR), monkeypatch)
    assert "Ask the participant" in app.error[0].value


def test_a_deleted_run_is_told_and_nothing_breaks(store, monkeypatch):
    assert "no longer" in show(99, monkeypatch).info[0].value


def test_a_run_whose_upload_link_expired_is_followed_to_its_successor(store, person, monkeypatch):
    old = demo.add_session(store, person, NOW, key="a", state=RunState.UPLOADING)
    new = NewRun(
        submission_key="b", kind=RunKind.UPLOAD, participant_id=person, date_of_birth="1988-01-01",
        birth_sex="FEMALE", language="en-GB", repeats_run_id=old,
    )  # fmt: skip
    replace_run(store, old, new, failure=FailureReason.UPLOAD_URL_EXPIRED, detail="expired")
    app = show(old, monkeypatch)
    assert app.session_state["state"] == "queued"
    assert not app.error
