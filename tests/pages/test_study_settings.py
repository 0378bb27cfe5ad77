"""The analysis panel on Settings: what is chosen is kept by Save alone, and what it means is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from heliograph.store import StudySettings, load_study_settings, save_study_settings
from heliograph.ui.workspace import get_workspace


def captions(app):
    return " ".join(caption.value for caption in app.caption)


def test_the_panel_shows_the_defaults_and_how_often_they_give_a_false_flag(open_page):
    app = open_page("settings")
    assert app.number_input(key="study_runs").value == 5
    assert app.number_input(key="study_lambda").value == 0.2
    assert "once in about **490 runs**" in captions(app)
    assert "Not saved yet" not in captions(app)


def test_choices_are_kept_by_save_and_by_nothing_else(open_page):
    store = get_workspace().store
    app = open_page("settings")
    app.number_input(key="study_runs").set_value(7)
    app.selectbox(key="study_confidence").set_value(0.9)
    app.toggle(key="study_suppress").set_value(True)
    app.button_group(key="study_scales").set_value(["kss", "stress_0_10"]).run()
    assert "Not saved yet" in captions(app)
    assert load_study_settings(store) == StudySettings()
    app.button(key="study_save").click().run()
    assert load_study_settings(store) == StudySettings(
        baseline_runs=7, confidence=0.9, suppress_small=True, rating_scales=("stress_0_10", "kss")
    )
    assert any("Saved" in message.value for message in app.success)
    assert open_page("settings").number_input(key="study_runs").value == 7


def test_another_chart_shows_its_own_numbers_and_keeps_those_of_the_first(open_page):
    app = open_page("settings")
    app.number_input(key="study_lambda").set_value(0.4).run()
    before = captions(app)
    app.button_group(key="study_chart").set_value("cusum").run()
    assert app.number_input(key="study_k").value == 0.5
    assert "470 runs" in captions(app)
    assert captions(app) != before
    app.button(key="study_save").click().run()
    saved = load_study_settings(get_workspace().store)
    assert (saved.chart, saved.cusum_h, saved.ewma_width) == ("cusum", 5.0, 2.962)


def test_a_baseline_of_dates_is_kept_and_one_that_ends_before_it_begins_is_refused(open_page):
    store = get_workspace().store
    app = open_page("settings")
    app.button_group(key="study_kind").set_value("Between two dates").run()
    app.date_input(key="study_from").set_value(date(2026, 3, 10))
    app.date_input(key="study_until").set_value(date(2026, 3, 1)).run()
    app.button(key="study_save").click().run()
    assert "Not saved" in app.error[0].value
    assert load_study_settings(store) == StudySettings()
    app.date_input(key="study_until").set_value(date(2026, 3, 20)).run()
    app.button(key="study_save").click().run()
    assert load_study_settings(store).baseline_until == "2026-03-20"
    app = open_page("settings")
    assert app.button_group(key="study_kind").value == "Between two dates"
    app.button_group(key="study_kind").set_value("First runs").run()
    assert app.number_input(key="study_runs").value == 5
    app.button(key="study_save").click().run()
    assert load_study_settings(store) == StudySettings()


def test_a_page_that_was_overtaken_shows_what_another_person_saved(open_page):
    store = get_workspace().store
    app = open_page("settings")
    save_study_settings(store, replace(StudySettings(), small_group=8))
    app.run()
    assert app.number_input(key="study_small").value == 8
    assert load_study_settings(store).small_group == 8


def test_defaults_come_back_and_leave_the_ratings_alone(open_page):
    store = get_workspace().store
    save_study_settings(store, StudySettings(baseline_runs=12, rating_scales=("kss",)))
    app = open_page("settings")
    app.button(key="study_reset").click().run()
    assert load_study_settings(store) == StudySettings(rating_scales=("kss",))
    assert app.number_input(key="study_runs").value == 5


@pytest.mark.parametrize("field", ["study_width", "study_h", "study_window", "study_small"])
def test_an_emptied_field_keeps_what_was_saved(open_page, field):
    app = open_page("settings")
    if field == "study_h":
        app.button_group(key="study_chart").set_value("cusum").run()
    app.number_input(key=field).set_value(None).run()
    assert not app.exception
    app.button(key="study_save").click().run()
    assert replace(load_study_settings(get_workspace().store), chart="ewma") == StudySettings()
