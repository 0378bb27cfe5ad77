"""The noise floor of the whole study is worked out once for everybody, and anew when results come or go."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest

from heliograph.analysis import compute_reliability, find_repeats
from heliograph.store import StudySettings, count_results, delete_run, load_cohort_runs, load_overview
from heliograph.ui import trend_noise
from heliograph.ui.trend_noise import load_study_reliability
from tests.pages import demo
from thymia_api import BIOMARKERS

BEGIN = datetime(2026, 3, 2, 9, 0)
SETTINGS = StudySettings()
COLUMN = "mental_strain"


@pytest.fixture
def store(home, monkeypatch):
    monkeypatch.setattr(trend_noise, "_kept", None)
    opened = demo.open_store(home)
    for number in range(3):
        person = demo.add_participant(opened, f"P-{number}")
        for day in range(3):
            add_pair(opened, person, day)
    yield opened
    opened.close()


@pytest.fixture
def computed(monkeypatch):
    """Every time that runs are loaded for a noise floor."""
    loads = []

    def load(*args, **options):
        loads.append(options)
        return load_cohort_runs(*args, **options)

    monkeypatch.setattr(trend_noise, "load_cohort_runs", load)
    return loads


def add_pair(store, person, day):
    """Two recordings five minutes apart."""
    for minute in (0, 5):
        at = BEGIN + timedelta(days=day, minutes=minute)
        demo.add_session(store, person, at, key=f"{person} {at}", score=0.3 + day / 10 + minute * person / 200)


def work_out(store, settings=SETTINGS):
    rows, _ = load_cohort_runs(store)
    found = {
        entry.continuous: find_repeats(rows, entry.continuous, settings.repeat_window_min) for entry in BIOMARKERS
    }
    return {
        column: compute_reliability(repeats["group"], repeats["value"], settings.confidence)
        for column, repeats in found.items()
    }


def wait_for_threads():
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and thread.name.endswith("(_renew_behind)"):
            thread.join(10)


def test_results_are_counted_at_no_cost(store):
    assert count_results(store) == 18 == load_overview(store).state_counts[demo.RunState.COMPLETE_OK]


def test_it_is_worked_out_once_whoever_asks(store, computed):
    first = load_study_reliability(store, SETTINGS)
    assert repr(first) == repr(work_out(store))  # some are NaN
    assert first[COLUMN].n_groups == 9
    assert load_study_reliability(store, SETTINGS) is first
    assert len(computed) == 1


def test_two_sessions_of_trends_share_it(open_page, store, computed):
    person = demo.add_participant(store, "alone")
    demo.add_session(store, person, BEGIN, key="one", score=0.4)
    for _ in range(2):
        open_page("trends", participant=str(person))
    assert len(computed) == 1


def test_a_new_result_or_one_deleted_is_seen_at_once(store):
    assert load_study_reliability(store, SETTINGS)[COLUMN].n_groups == 9
    add_pair(store, demo.add_participant(store, "late"), 0)
    assert load_study_reliability(store, SETTINGS)[COLUMN] == work_out(store)[COLUMN]
    assert load_study_reliability(store, SETTINGS)[COLUMN].n_groups == 10
    delete_run(store, 1)
    assert load_study_reliability(store, SETTINGS)[COLUMN].n_groups == 9


def test_other_settings_are_another_question(store):
    load_study_reliability(store, SETTINGS)
    narrow = StudySettings(repeat_window_min=1)
    assert load_study_reliability(store, narrow)[COLUMN].n_groups == 0


def test_a_sample_is_renewed_behind_the_scenes_and_not_more_often_than_each_minute(store, computed, monkeypatch):
    monkeypatch.setattr(trend_noise, "SAMPLED_RUNS", 12)
    first = load_study_reliability(store, SETTINGS)
    assert first[COLUMN].n_groups == 6
    add_pair(store, 1, 8)
    assert load_study_reliability(store, SETTINGS) is first
    wait_for_threads()
    assert len(computed) == 1  # a minute has not passed
    monkeypatch.setattr(trend_noise, "RENEWED_AFTER_S", 0.0)
    assert load_study_reliability(store, SETTINGS) is first  # nobody waits
    wait_for_threads()
    assert len(computed) == 2
    assert load_study_reliability(store, SETTINGS) is not first
    wait_for_threads()
    assert len(computed) == 2


def test_a_store_that_was_closed_meanwhile_is_no_trouble(store, monkeypatch):
    monkeypatch.setattr(trend_noise, "SAMPLED_RUNS", 12)
    load_study_reliability(store, SETTINGS)
    kept = trend_noise._kept
    store.close()
    trend_noise._renew_behind(store, SETTINGS, kept)
    assert trend_noise._kept is kept
