"""Change of the same participants between two conditions."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from heliograph.analysis.paired import compute_paired_change


def test_the_extra_sleep_of_ten_patients_is_that_of_student():
    """Student (1908), Biometrika 6:1-25: hours gained with two drugs, R's data set `sleep`. R's t.test with
    paired = TRUE gives t = -4.0621, p = 0.002833 and a 95 % interval from -2.4598858 to -0.7001142; data and test:
    https://byuistats.github.io/Statistics-Notebook/Analyses/t%20Tests/Examples/SleepPairedt.html."""
    first = pd.Series([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
    second = pd.Series([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
    change = compute_paired_change(first, second)
    assert change.n == 10
    assert change.mean_change == pytest.approx(1.58)
    assert change.sd_change == pytest.approx(1.23, abs=0.005)
    assert change.d_z == pytest.approx(4.0621 / math.sqrt(10), abs=2e-5)
    assert change.p == pytest.approx(0.002833, abs=5e-7)
    # Skewed by one patient, so that the bootstrap reaches farther up than t does.
    assert change.low == pytest.approx(0.70, abs=0.35)
    assert change.high > 2.46


def test_effect_sizes_are_those_of_two_rated_films():
    """Lakens (2013), Front Psychol 4:863, https://pmc.ncbi.nlm.nih.gov/articles/PMC3840331: means 8.7 and 7.7,
    standard deviations 0.82 and 0.95. R's apa tests itself on these data: t(9) = 4.74, p = .001, d_z = 1.50
    (https://github.com/dgromer/apa, tests/testthat/test-t-apa.R). g_av by hand from the printed deviations: their
    mean is 0.885 and the correction 1 - 3/(4 · 20 - 9). The interval of t: 1 ± 2.262/4.74."""
    one = pd.Series([9, 7, 8, 9, 8, 9, 9, 10, 9, 9])
    other = pd.Series([9, 6, 7, 8, 7, 9, 8, 8, 8, 7])
    change = compute_paired_change(other, one)
    assert (change.mean_before, change.mean_after) == (pytest.approx(7.7), pytest.approx(8.7))
    assert change.d_z == pytest.approx(1.5)
    assert change.hedges_g_av == pytest.approx(1 / 0.885 * (1 - 3 / 71), abs=0.005)
    assert change.p == pytest.approx(0.001, abs=0.0005)
    assert (change.low, change.high) == (pytest.approx(0.52, abs=0.05), pytest.approx(1.48, abs=0.05))


def test_the_bootstrap_interval_is_that_of_all_resamples_of_nine_mice():
    """Survival of the control mice of Efron and Tibshirani (1993), An Introduction to the Bootstrap; the data set
    mouse.c of R's bootstrap, https://rdrr.io/cran/bootstrap/man/mouse.c.html. Nine values have 24,310 different
    resamples: the interval of them all, each with its chance, is what drawing at random comes close to."""
    days = np.array([52.0, 104, 146, 10, 50, 31, 40, 27, 46])
    drawn = np.array(list(itertools.combinations_with_replacement(range(9), 9)))
    orders = [math.factorial(9) / math.prod(map(math.factorial, Counter(row).values())) for row in drawn.tolist()]
    away, spread = days[drawn].mean(axis=1) - days.mean(), days[drawn].std(axis=1, ddof=1)
    t = np.divide(away * 3, spread, out=np.copysign(np.full(len(drawn), np.inf), away), where=spread > 0)
    chance = np.cumsum(np.array(orders)[np.argsort(t)]) / 9**9
    below, above = np.sort(t)[np.searchsorted(chance, [0.05, 0.95])]
    error = days.std(ddof=1) / 3
    survival = pd.Series(days)
    change = compute_paired_change(survival * 0, survival, confidence=0.90, n_boot=100_000)
    assert (len(drawn), chance[-1]) == (24_310, pytest.approx(1))
    assert change.mean_change == pytest.approx(56.22, abs=0.005)
    assert change.low == pytest.approx(days.mean() - above * error, abs=0.5)
    assert change.high == pytest.approx(days.mean() - below * error, abs=2)


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
