"""The overview counts what there is, lists what needs somebody, and is still while nothing moves."""

from __future__ import annotations

from datetime import datetime

import pytest
import streamlit as st

from heliograph.store import RunState, load_run, save_worker
from heliograph.ui.frame import NOTICE_EVERY_S
from tests.pages import demo

NOW = datetime(2026, 3, 2, 8, 0)


def tiles(app) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def test_tiles_count_runs_by_state(open_page, store, person):
    for number, state in enumerate(RunState):
        demo.add_session(store, person, NOW, key=str(number), state=state)
    shown = tiles(open_page("overview"))
    assert shown["Participants"] == "1"
    assert shown["Results"] == "1"
    assert shown["In progress"] == "4"
    assert shown["Waiting"] == "1"
    assert shown["No result"] == "1"
    assert shown["Not carried out"] == "1"


def test_a_run_without_a_result_is_listed_with_what_to_do_and_can_be_dismissed(open_page, store, person):
    run_id = demo.add_session(store, person, NOW, key="a", state=RunState.COMPLETE_ERROR)
    app = open_page("overview")
    assert any("Ask the participant to speak for longer" in text.value for text in app.markdown)
    app.button(key=f"overview_dismiss_{run_id}").click().run()
    assert not app.exception
    assert not load_run(store, run_id).needs_attention
    assert f"overview_dismiss_{run_id}" not in [button.key for button in app.button]


def test_latest_results_show_the_continuous_scores(open_page, store, person):
    demo.add_session(store, person, NOW, key="a", score=0.42)
    frame = open_page("overview").dataframe[0].value
    assert frame["Mental strain"].tolist() == [0.42]
    assert frame["Participant"].tolist() == ["P-001"]


def test_a_coming_deletion_is_announced(open_page, store, person):
    demo.add_session(store, person, NOW, key="a", delete_data=True)
    app = open_page("overview")
    assert "Deletions at thymia" in [entry.value for entry in app.subheader]
    assert app.dataframe[-1].value["When"][0].startswith("in 11 h")


def test_an_unreachable_api_is_said_on_every_page_and_nothing_else_changes(open_page, store, person):
    demo.add_session(store, person, NOW, key="a")
    save_worker(
        store, state="working", api_problem="no answer in time", api_problem_since_utc="2026-03-02T07:00:00.000Z"
    )
    for page in ("overview", "runs", "trends", "settings"):
        app = open_page(page)
        assert any("can't be reached" in warning.value and "07:00 UTC" in warning.value for warning in app.warning)
        assert not app.error


def test_a_refused_key_is_said_on_every_page_with_what_to_do(open_page, store, person):
    save_worker(store, state="paused", reason="invalid_key")
    for page in ("overview", "runs", "trends", "settings"):
        assert any("THYMIA_API_KEY" in error.value for error in open_page(page).error)


def test_a_label_with_markup_is_shown_as_typed(open_page, store):
    person = demo.add_participant(store, demo.HOSTILE[:50])
    demo.add_session(store, person, NOW, key="a", state=RunState.FAILED)
    demo.add_session(store, person, NOW, key="b")
    app = open_page("overview")
    assert any(demo.HOSTILE[:50] in text.value for text in app.text)
    assert not any("<img" in text.value for text in app.markdown)
    assert app.dataframe[0].value["Participant"].tolist() == [demo.HOSTILE[:50]]


@pytest.mark.parametrize(
    ("state", "expected"), [("running", True), ("queued", True), ("waiting", False), ("complete_ok", False)]
)
def test_the_page_updates_by_itself_only_while_a_run_is_moving(
    open_page, store, person, monkeypatch, state, expected
):
    demo.add_session(store, person, NOW, key="a", state=RunState(state))
    every: list[float | None] = []
    real = st.fragment

    def watch(func=None, *, run_every=None, **rest):
        every.append(run_every)
        return real(func, run_every=run_every, **rest)

    monkeypatch.setattr("heliograph.ui.overview_panels.st.fragment", watch)
    open_page("overview")
    assert [run_every is not None for run_every in every if run_every != NOTICE_EVERY_S] == [expected]


def test_a_run_that_ended_since_the_last_draw_stops_the_updates(open_page, store, person):
    run_id = demo.add_session(store, person, NOW, key="a", state=RunState.RUNNING)
    app = open_page("overview")
    assert tiles(app)["In progress"] == "1"
    demo.finish(store, run_id)
    app.run()
    assert tiles(app)["In progress"] == "0"
    assert app.dataframe[0].value["Run"].tolist() == [run_id]
