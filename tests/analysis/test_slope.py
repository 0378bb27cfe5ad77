"""The slope per week against Sen's own example, and at its edges."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from heliograph.analysis import compute_slope_per_week

START = pd.Timestamp("2026-03-02 08:00")
# P. K. Sen, Journal of the American Statistical Association 63 (1968) 1379-1389, section 6: seven points, slope 4,
# 93 % interval from 26/7 to 35/8 (as corrected in the tests of R's deming package: the paper's list of slopes
# has a slip).
SEN_T = [1, 2, 3, 4, 10, 12, 18]
SEN_Y = [9, 15, 19, 20, 45, 55, 78]


def at_weeks(weeks):
    return START + pd.to_timedelta(np.asarray(weeks, dtype=float) * 7, unit="D")


def test_slope_and_interval_are_those_of_sens_example():
    slope = compute_slope_per_week(at_weeks(SEN_T), SEN_Y, confidence=0.93)
    assert slope.per_week == pytest.approx(4)
    assert (slope.low, slope.high) == (pytest.approx(26 / 7), pytest.approx(35 / 8))
    assert (slope.n, slope.problem) == (7, None)


def test_the_line_can_be_drawn_from_its_start():
    slope = compute_slope_per_week(at_weeks(SEN_T), SEN_Y)
    # Sen's line is 6 + 4·t; this one begins at t = 1 and passes through the medians (4, 20).
    assert slope.start == at_weeks([1])[0]
    assert slope.intercept + 4 * 3 == pytest.approx(20)


def test_the_order_of_rows_and_missing_rows_do_not_matter():
    weeks, scores = [*SEN_T, 5, np.nan], [*SEN_Y, np.nan, 3]
    shuffled = np.random.default_rng(1).permutation(len(weeks))
    times = at_weeks(weeks)[shuffled]
    slope = compute_slope_per_week(times, np.asarray(scores, dtype=float)[shuffled], 0.93)
    assert (slope.n, slope.per_week, slope.low) == (7, pytest.approx(4), pytest.approx(26 / 7))


def test_one_odd_run_does_not_turn_the_slope():
    weeks = np.arange(10)
    scores = 0.2 + 0.01 * weeks
    scores[7] = 1.0
    assert compute_slope_per_week(at_weeks(weeks), scores).per_week == pytest.approx(0.01, abs=1e-9)


@pytest.mark.parametrize("n", [0, 1, 2, 4])
def test_too_few_runs_have_no_slope_and_say_so(n):
    slope = compute_slope_per_week(at_weeks(range(n)), [0.1, 0.3, 0.2, 0.5][:n])
    assert np.isnan([slope.per_week, slope.low, slope.high]).all()
    assert slope.problem == f"not enough runs for a slope ({n} of 5)"


def test_runs_of_the_same_time_have_no_slope_among_themselves():
    times = at_weeks([0, 0, 1, 1, 2, 2])
    slope = compute_slope_per_week(times, [0.1, 0.3, 0.2, 0.4, 0.3, 0.5])
    assert slope.per_week == pytest.approx(0.1)
    assert slope.low < 0.1 < slope.high
    alone = compute_slope_per_week(at_weeks([1] * 6), [0.1, 0.3, 0.2, 0.4, 0.3, 0.5])
    assert np.isnan(alone.per_week)
    assert "same time" in alone.problem


def test_equal_scores_have_a_level_slope_without_an_interval():
    slope = compute_slope_per_week(at_weeks(range(6)), [0.4] * 6)
    assert slope.per_week == 0
    assert np.isnan([slope.low, slope.high]).all()
    assert "all 6 scores are the same" in slope.problem


def test_very_many_runs_are_sampled_the_same_every_time():
    rng = np.random.default_rng(2)
    weeks = np.sort(rng.uniform(0, 200, 3000))
    scores = 0.001 * weeks + rng.normal(0, 0.05, 3000)
    first = compute_slope_per_week(at_weeks(weeks), scores)
    assert first == compute_slope_per_week(at_weeks(weeks), scores)
    assert first.n == 3000
    assert first.low < 0.001 < first.high


def test_impossible_input_is_named():
    with pytest.raises(ValueError, match="95"):
        compute_slope_per_week(at_weeks(SEN_T), SEN_Y, 95)
    with pytest.raises(ValueError, match="7 times do not fit 6 values"):
        compute_slope_per_week(at_weeks(SEN_T), SEN_Y[:6])
