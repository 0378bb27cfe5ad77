"""The band of a participant's own normal, against published factors and at its edges."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from heliograph.analysis import compute_baseline, select_baseline

# Factors r of the two-sided 95 % prediction interval mean ± r·s for one new observation of a normal distribution.
# For 2 to 15 the list in src/statistics/pred_int.jl of https://github.com/JuliaHealth/NeuroAnalyzer.jl, in two
# decimals; for 20 the example of predIntNormK in R's EnvStats, https://rdrr.io/cran/EnvStats/man/predIntNormK.html.
FACTORS_95 = {
    2: 15.56, 3: 4.97, 4: 3.56, 5: 3.04, 6: 2.78, 7: 2.62, 8: 2.51, 9: 2.43, 10: 2.37, 11: 2.33, 12: 2.29,
    13: 2.26, 14: 2.24, 15: 2.22,
}  # fmt: skip
FACTOR_OF_20 = 2.144711


def make_scores(n):
    """Scores with mean 0.4 and standard deviation 0.1."""
    raw = np.arange(n, dtype=float)
    return 0.4 + 0.1 * (raw - raw.mean()) / raw.std(ddof=1)


def make_runs(offsets_h, scores, **columns):
    at = pd.Timestamp("2026-03-02 08:00") + pd.to_timedelta(np.asarray(offsets_h, dtype=float), unit="h")
    run_ids = np.arange(1, len(scores) + 1)
    return pd.DataFrame({"run_id": run_ids, "session_local": at, "score": np.asarray(scores, float), **columns})


@pytest.mark.parametrize(("n", "factor"), FACTORS_95.items())
def test_the_band_has_the_published_width_for_one_new_observation(n, factor):
    baseline = compute_baseline(make_scores(n), first=None, needed=2)
    assert (baseline.high - baseline.mean) / baseline.sd == pytest.approx(factor, abs=0.0051)
    assert (baseline.mean - baseline.low) / baseline.sd == pytest.approx(factor, abs=0.0051)


def test_the_band_of_twenty_has_the_published_width():
    baseline = compute_baseline(make_scores(20), first=None, needed=2)
    assert (baseline.high - baseline.mean) / baseline.sd == pytest.approx(FACTOR_OF_20, abs=5e-7)


def test_only_the_first_scores_that_exist_make_the_baseline():
    values = [np.nan, 0.2, 0.3, np.nan, 0.4, 0.9, 0.9]
    baseline = compute_baseline(values, first=3)
    assert (baseline.n, baseline.mean, baseline.needed) == (3, pytest.approx(0.3), 3)
    assert baseline.is_enough
    assert baseline.method == "first 3 runs"


@pytest.mark.parametrize("n", [0, 1, 2, 4])
def test_too_few_runs_make_no_band_and_say_how_many_are_missing(n):
    baseline = compute_baseline(make_scores(5)[:n])
    assert not baseline.is_enough
    assert baseline.problem == f"not enough runs for a baseline ({n} of 5)"
    assert np.isnan(baseline.low)
    assert np.isnan(baseline.high)


def test_two_runs_make_a_very_wide_band_when_asked_for():
    baseline = compute_baseline([0.4, 0.6], first=2)
    assert baseline.high - baseline.mean == pytest.approx(12.706 * 0.141421 * np.sqrt(1.5), rel=1e-4)


@pytest.mark.parametrize("score", [0.0, 0.1 + 0.2, 1.0])
def test_equal_scores_make_no_band_and_say_why(score):
    baseline = compute_baseline([score, score, 0.3 if score == 0.1 + 0.2 else score, score, score])
    assert baseline.sd == 0
    assert not baseline.is_enough
    assert "all 5 scores are the same" in baseline.problem
    assert np.isnan(baseline.low)


def test_a_chosen_window_needs_three_runs():
    assert not compute_baseline([0.1, 0.2], first=None).is_enough
    assert compute_baseline([0.1, 0.2, 0.4], first=None).is_enough


@pytest.mark.parametrize(("option", "value"), [("confidence", 0), ("confidence", 95), ("first", 1), ("needed", 1)])
def test_impossible_settings_are_named(option, value):
    with pytest.raises(ValueError, match=str(value)):
        compute_baseline([0.1, 0.2, 0.3], **{option: value})


def test_the_first_runs_are_chosen_by_time_whatever_the_order_of_rows():
    frame = make_runs([48, 0, 24, 72], [0.3, 0.1, 0.2, 0.4])
    assert select_baseline(frame, "score", first=2).tolist() == [False, True, True, False]


def test_runs_of_the_same_time_follow_their_ids():
    frame = make_runs([0, 0, 0], [0.1, 0.2, 0.3]).iloc[::-1]
    assert select_baseline(frame, "score", first=2).tolist() == [False, True, True]


def test_runs_without_a_score_or_a_completed_result_do_not_count():
    frame = make_runs(
        [0, 24, 48, 72],
        [0.1, np.nan, 0.3, 0.4],
        state=["complete_error", "complete_ok", "complete_ok", "complete_ok"],
    )
    assert select_baseline(frame, "score", first=5).tolist() == [False, False, True, True]


def test_a_window_takes_every_run_through_the_end_of_its_last_day():
    frame = make_runs([0, 24, 39.9, 40], [0.1, 0.2, 0.3, 0.4])
    chosen = select_baseline(frame, "score", first=1, since="2026-03-03", until="2026-03-03")
    assert chosen.tolist() == [False, True, True, False]


def test_a_beginning_alone_still_takes_the_first_runs():
    frame = make_runs([0, 24, 48, 72], [0.1, 0.2, 0.3, 0.4])
    assert select_baseline(frame, "score", first=2, since="2026-03-03").tolist() == [False, True, True, False]


def test_an_empty_frame_chooses_nothing_and_frames_are_not_changed():
    frame = make_runs([0, 24], [0.1, 0.2])
    before = frame.copy()
    select_baseline(frame, "score", until="2026-03-02")
    pd.testing.assert_frame_equal(frame, before)
    assert select_baseline(frame.iloc[:0], "score").empty
    assert select_baseline(frame.iloc[:0], "score", until="2026-03-02").empty


def test_a_run_without_a_time_does_not_count_and_times_may_be_text():
    frame = make_runs([0, 24, 48], [0.1, 0.2, 0.3])
    frame.loc[1, "session_local"] = pd.NaT
    assert select_baseline(frame, "score").tolist() == [True, False, True]
    text = frame.assign(session_local=["2026-03-02T08:00:00", "2026-03-01T08:00:00", "2026-03-03T08:00:00"])
    assert select_baseline(text, "score", first=1).tolist() == [False, True, False]
