"""The choices behind the statistics: defaults, limits that name the field, and flags that follow a change."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest

from heliograph.store import (
    RunState,
    Section,
    Store,
    StudySettings,
    advance_run,
    load_flags_due,
    load_setting,
    load_study_settings,
    replace_flags,
    save_setting,
    save_study_settings,
)
from heliograph.store._study_settings import CHOICES, FLAG_FIELDS, LIMITS

WRONG = [
    ("baseline_runs", 2),
    ("baseline_runs", 51),
    ("baseline_runs", 5.0),
    ("baseline_runs", True),
    ("baseline_from", "1 May"),
    ("baseline_from", "20260501"),
    ("baseline_until", 7),
    ("confidence", 1.0),
    ("confidence", float("nan")),
    ("confidence", "0.95"),
    ("ewma_lambda", 0.0),
    ("ewma_width", float("inf")),
    ("cusum_k", -0.1),
    ("cusum_h", 0),
    ("chart", "shewhart"),
    ("repeat_window_min", 0),
    ("small_group", 1),
    ("suppress_small", 1),
    ("p_adjust", "none"),
    ("rating_scales", ("mood",)),
    ("rating_scales", ("kss", "kss")),
    ("rating_scales", "kss"),
]


def test_nothing_saved_gives_the_defaults_and_what_is_saved_comes_back(store: Store) -> None:
    assert load_study_settings(store) == StudySettings()
    chosen = StudySettings(
        baseline_runs=7,
        baseline_from="2026-01-01",
        baseline_until="2026-02-01",
        confidence=0.9,
        chart="cusum",
        suppress_small=True,
        p_adjust="bh",
        rating_scales=("kss", "stress_0_10"),
    )
    save_study_settings(store, chosen)
    assert load_study_settings(store) == chosen


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_value_that_makes_no_sense_is_refused_by_its_name_and_changes_nothing(
    store: Store, name: str, value: Any
) -> None:
    with pytest.raises(ValueError, match=name):
        save_study_settings(store, replace(StudySettings(), **{name: value}))
    assert load_setting(store, "study") is None


def test_a_window_that_ends_before_it_begins_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="baseline_until"):
        save_study_settings(store, StudySettings(baseline_from="2026-02-01", baseline_until="2026-01-31"))
    day = StudySettings(baseline_from="2026-02-01", baseline_until="2026-02-01")
    save_study_settings(store, day)
    assert load_study_settings(store) == day


@pytest.mark.parametrize("text", ["", "no json", "[]", "7", '{"baseline_runs": 900, "chart": null, "more": 1}'])
def test_what_another_version_kept_is_read_as_far_as_it_makes_sense(store: Store, text: str) -> None:
    save_setting(store, "study", text)
    assert load_study_settings(store) == StudySettings()
    save_setting(store, "study", json.dumps({"baseline_runs": 900, "confidence": 0.9, "rating_scales": ["kss"]}))
    assert load_study_settings(store) == StudySettings(confidence=0.9, rating_scales=("kss",))


def test_every_default_lies_within_its_limits() -> None:
    for name, (low, high) in LIMITS.items():
        assert low <= getattr(StudySettings(), name) <= high
    for name, choices in CHOICES.items():
        assert getattr(StudySettings(), name) in choices
    assert set(FLAG_FIELDS) <= {field.name for field in fields(StudySettings)}


def test_flags_are_due_after_a_change_that_decides_about_them_and_after_no_other(
    store: Store, make_run: Any
) -> None:
    run_id = make_run("k")
    make_run("somebody without results", label="P-2")
    section = Section(section=0, start_s=0, finish_s=1, stress=0.33)
    advance_run(store, run_id, expect=list(RunState), state=RunState.COMPLETE_OK, sections=[section])
    (due,) = load_flags_due(store)
    replace_flags(store, 1, [], version=due.version)
    save_study_settings(store, StudySettings(small_group=9, confidence=0.9))
    assert load_flags_due(store) == []
    save_study_settings(store, StudySettings(small_group=9, confidence=0.9, ewma_width=3.0))
    assert [entry.participant_id for entry in load_flags_due(store)] == [1]
