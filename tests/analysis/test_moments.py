"""Recordings repeated within minutes are told apart from new moments, and do not raise false flags."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from heliograph.analysis import compute_false_alarm_chance, find_flags, mark_repeats

START = pd.Timestamp("2026-03-02 08:00")


def make_runs(minutes, scores, **columns):
    at = START + pd.to_timedelta(np.asarray(minutes, dtype=float), unit="m")
    return pd.DataFrame(
        {"run_id": range(1, len(scores) + 1), "session_local": at, "stress": np.asarray(scores, float), **columns}
    )


def test_all_but_the_first_recording_of_a_moment_are_repeats():
    frame = make_runs([0, 10, 15, 20, 1440], [0.1, 0.2, 0.3, 0.4, 0.5])
    # 20 is more than 15 minutes after the recording that opened the moment: a new one.
    assert mark_repeats(frame, "stress", 15).tolist() == [False, True, True, False, False]


def test_the_order_of_rows_does_not_matter_and_ties_follow_the_ids():
    frame = make_runs([5, 0, 0], [0.3, 0.1, 0.2]).iloc[::-1]
    assert mark_repeats(frame, "stress", 15).to_dict() == {2: True, 1: False, 0: True}


def test_a_run_without_a_score_or_a_completed_result_neither_opens_a_moment_nor_repeats_one():
    frame = make_runs([0, 5, 12], [np.nan, 0.2, 0.3])
    assert mark_repeats(frame, "stress", 10).tolist() == [False, False, True]
    frame = make_runs([0, 5, 12], [0.1, 0.2, 0.3], state=["complete_error", "complete_ok", "complete_ok"])
    assert mark_repeats(frame, "stress", 10).tolist() == [False, False, True]


@pytest.mark.parametrize("n", [0, 1, 2])
def test_no_window_marks_nothing(n):
    marked = mark_repeats(make_runs([0] * n, [0.1] * n), "stress", 0)
    assert marked.dtype == bool
    assert marked.tolist() == [False] * n
    assert mark_repeats(make_runs([0] * n, [0.1] * n), "stress", 15).sum() == max(0, n - 1)


def test_repeats_are_neither_baseline_nor_steps_of_the_chart():
    scores = [0.30, 0.31, 0.34, 0.32, 0.36, 0.33, 0.9, 0.9, 0.9, 0.9]
    minutes = [0, 5, 1440, 2880, 4320, 5760, 7200, 8640, 10080, 11520]
    flags = find_flags(make_runs(minutes, scores), ["stress"], repeat_window_min=15)
    without = make_runs(minutes, scores).drop(index=1)
    pd.testing.assert_frame_equal(flags, find_flags(without, ["stress"]))


def test_pairs_among_the_first_runs_do_not_raise_false_flags():
    rng = np.random.default_rng(6)
    flagged = []
    for _ in range(400):
        days = np.concatenate([np.repeat(np.arange(3), 2), np.arange(3, 60)])
        states = rng.normal(0.4, 0.08, 60)[days]
        frame = make_runs(days * 1440 + np.r_[[0, 6] * 3, [0] * 57], states + rng.normal(0, 0.03, len(days)))
        flagged.append([
            len(find_flags(frame[:58], ["stress"], repeat_window_min=window)) > 0 for window in (0, 15)
        ])  # fmt: skip
    with_pairs, without = np.mean(flagged, axis=0)
    assert without == pytest.approx(compute_false_alarm_chance(5, 50), abs=0.03)
    assert with_pairs > 1.8 * without
