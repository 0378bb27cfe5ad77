"""The noise floor flow on Record: it explains, counts, tags by itself and says when there is enough."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import streamlit as st

from heliograph.store import StudySettings, load_participant, load_run_detail, save_study_settings
from heliograph.ui import noise_floor
from heliograph.ui.noise_floor import load_noise_set
from tests.pages import demo

NOW = datetime(2026, 3, 2, 9, 0)


def add_set(store, person, first, *minutes, tags=None):
    for minute in (0, *minutes):
        at = first + timedelta(minutes=minute)
        demo.add_session(store, person, at, key=f"{at}", score=0.3 + minute / 100, tags=tags or {})


def test_sets_are_counted_with_or_without_the_tag_and_single_sessions_are_not(store):
    person = demo.add_participant(store, "P-001")
    add_set(store, person, NOW - timedelta(days=3), 5)
    add_set(store, person, NOW - timedelta(days=2), 4, 9, tags={"repeat": "noise floor"})
    add_set(store, person, NOW - timedelta(days=1))
    found = load_noise_set(store, person, now=NOW)
    assert (found.n_sets, found.n_runs, found.needed, found.under_way) == (2, 5, 5, 0)


def test_the_window_is_that_of_the_settings(store):
    person = demo.add_participant(store, "P-001")
    add_set(store, person, NOW - timedelta(days=3), 25)
    assert load_noise_set(store, person, now=NOW).n_sets == 0
    save_study_settings(store, StudySettings(repeat_window_min=30))
    assert load_noise_set(store, person, now=NOW).n_sets == 1


def test_the_set_under_way_holds_the_tagged_recordings_of_the_open_window_without_results_too(store):
    person = demo.add_participant(store, "P-001")
    tag = {"repeat": "noise floor"}
    demo.add_session(store, person, NOW - timedelta(minutes=40), key="old", tags=tag)
    demo.add_session(store, person, NOW - timedelta(minutes=12), key="other")
    demo.add_session(store, person, NOW - timedelta(minutes=10), key="one", tags=tag)
    demo.add_session(store, person, NOW - timedelta(minutes=2), key="two", tags=tag, state=demo.RunState.RUNNING)
    found = load_noise_set(store, person, now=NOW)
    assert found.under_way == 2
    assert found.until == NOW + timedelta(minutes=5)
    assert load_noise_set(store, person, now=NOW + timedelta(minutes=6)).under_way == 1


@pytest.mark.parametrize(
    ("n_sets", "words"),
    [(0, "0 of 5"), (4, "1 more is needed"), (5, "enough"), (9, "9 sets with results: enough")],
)
def test_the_page_says_how_many_sets_are_needed(n_sets, words):
    told = noise_floor.tell_so_far(noise_floor.NoiseSet(n_sets, 2 * n_sets, 5, 0, None, 15))
    assert words in told


@pytest.mark.parametrize(
    ("made", "words"), [(0, "first recording"), (1, "second before 09:15"), (2, "A third one"), (3, "complete")]
)
def test_the_page_says_what_comes_next(made, words):
    until = NOW + timedelta(minutes=15) if made else None
    assert words in noise_floor.tell_next(noise_floor.NoiseSet(0, 0, 5, made, until, 15))


def test_a_session_of_a_set_is_tagged_and_others_are_not(store, monkeypatch):
    one, other = (load_participant(store, demo.add_participant(store, label)) for label in ("P-001", "P-002"))
    monkeypatch.setattr(st, "session_state", {})
    assert noise_floor.noise_tags(one) == {}
    st.session_state["record_noise_of"] = one.id
    assert noise_floor.noise_tags(one) == {"repeat": "noise floor"}
    assert noise_floor.noise_tags(other) == {}


def test_a_submitted_recording_of_a_set_has_the_tag_and_the_page_tells_the_next_step(open_page, home, store):
    demo.add_participant(store, "P-001")
    person = demo.add_participant(store, "P-002")
    app = open_page("record")
    app.session_state["record_waiting"] = [demo.add_real_recording(store, home)]
    app.session_state["record_noise_of"] = person
    app.selectbox(key="record_participant_label").set_value("P-002").run()
    assert any("Tagged by itself: repeat" in caption.value for caption in app.caption)
    app.button(key="record_submit").click().run()
    (run,) = app.session_state["record_runs"]
    assert load_run_detail(store, run).tags == {"repeat": "noise floor"}
    assert any("Make the second before" in info.value for info in app.info)
