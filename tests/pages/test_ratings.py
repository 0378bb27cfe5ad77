"""Ratings: asked where Settings say so, kept with the run, shown with it."""

from __future__ import annotations

from datetime import datetime

import pytest

from heliograph.runs import InvalidSubmissionError, UploadSubmission, repeat_run, submit_upload
from heliograph.runs.ratings import SCALES, check_rating
from heliograph.store import (
    RATING_SCALES,
    StudySettings,
    load_ratings,
    save_ratings,
    save_study_settings,
)
from tests.pages import demo


def test_the_scales_are_those_that_the_store_can_ask_for():
    assert tuple(SCALES) == RATING_SCALES
    assert list(SCALES["kss"].anchors) == list(SCALES["kss"].steps) == list(range(1, 10))


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [("kss", 1, True), ("kss", 9, True), ("kss", 0, False), ("kss", 4.5, False), ("stress_0_10", 0, True),
     ("energy_0_10", 11, False), ("mood", 1, False), ("kss", float("nan"), False)],
)  # fmt: skip
def test_a_rating_is_a_step_of_its_scale(name, value, right):
    assert (check_rating(name, value) is None) is right


def test_ratings_are_submitted_with_the_recording_and_a_repetition_keeps_them(home, store):
    person = demo.add_participant(store, "P-001")
    recording = demo.add_recording(store, home, 1)
    submission = UploadSubmission(
        submission_key="a", participant_id=person, recording_id=recording, ratings={"kss": 7, "stress_0_10": 0}
    )
    run = submit_upload(store, submission)
    assert load_ratings(store, run) == {"kss": 7, "stress_0_10": 0}
    wrong = UploadSubmission(
        submission_key="b", participant_id=person, recording_id=recording, ratings={"kss": 10}
    )
    with pytest.raises(InvalidSubmissionError, match=r"ratings\.kss"):
        submit_upload(store, wrong)
    done = demo.add_session(store, person, datetime.now(), key="c", recording_id=recording)
    save_ratings(store, done, {"kss": 3})
    assert load_ratings(store, repeat_run(store, done, submission_key="d")) == {"kss": 3}


def test_a_runs_page_shows_its_ratings_in_words(open_page, store):
    run = demo.add_session(store, demo.add_participant(store, "P-001"), datetime.now(), key="a")
    save_ratings(store, run, {"kss": 8, "energy_0_10": 2})
    values = [value for table in open_page("runs", run=str(run)).table for value in table.value.iloc[:, 1]]
    assert any("8 of 9" in str(value) and "some effort to stay awake" in str(value) for value in values)
    assert any("2 of 10" in str(value) for value in values)


def rating_groups(app):
    return [group for group in app.get("button_group") if group.label.startswith("How ")]


def review_on_record(open_page, home, store):
    demo.add_participant(store, "P-001")
    recording = demo.add_real_recording(store, home)
    app = open_page("record")
    app.session_state["record_waiting"] = [recording]
    app.selectbox(key="record_participant_label").set_value("P-001").run()
    assert not app.exception, [entry.message for entry in app.exception]
    return app


def test_record_asks_only_for_the_scales_that_were_chosen(open_page, home, store):
    assert not rating_groups(review_on_record(open_page, home, store))
    save_study_settings(store, StudySettings(rating_scales=("kss",)))
    app = review_on_record(open_page, home, store)
    (pills,) = rating_groups(app)
    assert "How sleepy" in pills.label
    assert any("extremely alert" in caption.value for caption in app.caption)


def test_a_tap_on_record_is_stored_with_the_run(open_page, home, store):
    save_study_settings(store, StudySettings(rating_scales=("kss", "stress_0_10")))
    app = review_on_record(open_page, home, store)
    next(group for group in rating_groups(app) if "sleepy" in group.label).set_value(7).run()
    assert any("sleepy, no effort" in caption.value for caption in app.caption)
    app.button(key="record_submit").click().run()
    (run,) = app.session_state["record_runs"]
    assert load_ratings(store, run) == {"kss": 7}
