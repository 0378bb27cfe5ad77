"""Change of the same participants between two conditions."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from heliograph.analysis.paired import compute_paired_change


def test_the_extra_sleep_of_ten_patients_is_that_of_student():
    """Student (1908), Biometrika 6:1–25: hours gained with two drugs. The paired t test of these data, t = 4.06
    and p = 0.0028 with 95 % interval 0.70 to 2.46, is in many textbooks."""
    first = pd.Series([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
    second = pd.Series([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
    change = compute_paired_change(first, second)
    assert change.n == 10
    assert change.mean_change == pytest.approx(1.58)
    assert change.sd_change == pytest.approx(1.23, abs=0.005)
    assert change.d_z == pytest.approx(4.06 / math.sqrt(10), abs=0.002)
    assert change.p == pytest.approx(0.0028, abs=0.00005)
    # Skewed by one patient, so that the bootstrap reaches farther up than t does.
    assert change.low == pytest.approx(0.70, abs=0.35)
    assert change.high > 2.46


def test_effect_sizes_are_those_of_two_rated_films():
    """Lakens (2013), Front Psychol 4:863, table 1: means 8.7 and 7.7, standard deviations 0.82 and 0.95, t(9) =
    4.74, p = .001, 95 % interval of the difference 0.52 to 1.48, Hedges's g_av = 1.08, d_z = 1.50."""
    one = pd.Series([9, 7, 8, 9, 8, 9, 9, 10, 9, 9])
    other = pd.Series([9, 6, 7, 8, 7, 9, 8, 8, 8, 7])
    change = compute_paired_change(other, one)
    assert (change.mean_before, change.mean_after) == (pytest.approx(7.7), pytest.approx(8.7))
    assert change.d_z == pytest.approx(1.5)
    assert change.hedges_g_av == pytest.approx(1.08, abs=0.005)
    assert change.p == pytest.approx(0.001, abs=0.0005)
    assert (change.low, change.high) == (pytest.approx(0.52, abs=0.05), pytest.approx(1.48, abs=0.05))


def test_the_bootstrap_interval_is_that_of_nine_mice():
    """Efron and Tibshirani (1993), section 12.5: survival of the control mice, mean 56.22 days, 90 % bootstrap-t
    interval 35.82 to 116.74 from 1,000 resamples."""
    days = pd.Series([52.0, 104, 146, 10, 51, 30, 40, 27, 46])
    change = compute_paired_change(days * 0, days, confidence=0.90, n_boot=20_000)
    assert change.mean_change == pytest.approx(56.22, abs=0.005)
    assert change.low == pytest.approx(35.82, abs=1)
    assert change.high == pytest.approx(116.74, abs=4)


def test_participants_are_matched_by_index_and_those_without_a_partner_are_counted():
    before = pd.Series({"a": 1.0, "b": 2.0, "c": 4.0, "d": 3.0, "e": 5.0, "f": 9.0, "g": np.nan})
    after = pd.Series({"e": 5.5, "d": 4.0, "c": 4.2, "b": 2.9, "a": 1.1, "g": 7.0, "h": 8.0})
    change = compute_paired_change(before, after)
    assert (change.n, change.n_unpaired) == (5, 3)
    assert change.mean_change == pytest.approx((0.1 + 0.9 + 0.2 + 1.0 + 0.5) / 5)


def test_the_same_data_give_the_same_interval():
    before, after = pd.Series(range(8), dtype=float), pd.Series([1.1, 1, 4.3, 3, 6, 5.2, 9, 8])
    assert compute_paired_change(before, after) == compute_paired_change(before, after)
    assert compute_paired_change(before, after) != compute_paired_change(before, after, seed=2)


@pytest.mark.parametrize("n", [0, 1, 2, 4])
def test_too_few_participants_get_no_interval_and_are_counted(n):
    before = pd.Series(np.arange(n, dtype=float))
    change = compute_paired_change(before, before + np.linspace(0.1, 0.3, n))
    assert change.n == n
    assert math.isnan(change.low)
    assert math.isnan(change.p)
    assert change.note == f"not enough participants with both values ({n} of 5)"


def test_without_spread_there_is_no_interval_and_no_effect_size():
    before = pd.Series([1.0, 2, 3, 4, 5, 6])
    change = compute_paired_change(before, before + 0.1)
    assert change.mean_change == pytest.approx(0.1)
    assert all(math.isnan(value) for value in (change.low, change.high, change.d_z, change.p))
    assert "same amount" in change.note


def test_many_equal_changes_get_no_interval_rather_than_a_false_one():
    before = pd.Series(np.zeros(6))
    change = compute_paired_change(before, pd.Series([0.0, 0, 0, 0, 0, 1]))
    assert math.isnan(change.low)
    assert "same amount" in change.note


def test_a_participant_twice_and_an_impossible_confidence_are_refused():
    twice = pd.Series([1.0, 2.0], index=["a", "a"])
    with pytest.raises(ValueError, match="participant a stands twice"):
        compute_paired_change(twice, twice)
    with pytest.raises(ValueError, match="95"):
        compute_paired_change(pd.Series([1.0]), pd.Series([1.0]), confidence=95)
