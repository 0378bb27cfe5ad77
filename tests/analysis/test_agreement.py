"""Correlation within and between participants, and limits of agreement."""

from __future__ import annotations

import math

import numpy as np
import pytest

from heliograph.analysis.agreement import compute_between_correlation, compute_bland_altman, compute_rmcorr
from tests.analysis.bland_altman import LARGE, MINI, read_ph


def test_the_correlation_within_subjects_is_the_published_one():
    """Bland and Altman (1995): r = -0.51, P = 0.0008 with 38 degrees of freedom. Bakdash and Marusich (2017) give
    -0.507 with 95 % interval -0.71 to -0.23."""
    found = compute_rmcorr(*read_ph())
    assert found.level == "within"
    assert found.r == pytest.approx(-0.5067697, abs=1e-6)
    assert found.df == 38
    assert found.p == pytest.approx(0.0008471081, abs=1e-7)
    assert (found.low, found.high) == (pytest.approx(-0.71, abs=0.005), pytest.approx(-0.23, abs=0.005))
    assert (found.n_participants, found.n_runs) == (8, 47)


def test_the_correlation_between_subjects_is_the_published_one():
    """Bland and Altman (1995), part 2, BMJ 310:633: from the printed means of the eight subjects, weighted by the
    number of observations, r = 0.08 and P = 0.9."""
    counts = [4, 4, 9, 5, 8, 6, 3, 8]
    persons, ph, paco2 = read_ph()
    means = [[round(float(v[persons == s].mean()), 2) for s in range(1, 9)] for v in (ph, paco2)]
    assert means[0][:3] == [6.49, 7.05, 7.36]
    found = compute_between_correlation(persons, *(np.repeat(part, counts) for part in means), weighted=True)
    assert found.level == "between"
    assert round(found.r, 2) == 0.08
    assert round(found.p, 1) == 0.9
    assert (found.n_participants, found.n_runs) == (8, 47)


def test_participants_count_once_each_unless_weighted():
    persons, x = np.repeat([1, 2, 3, 4], [1, 1, 1, 7]), np.repeat([1.0, 2, 3, 9], [1, 1, 1, 7])
    y = np.repeat([2.0, 1, 4, 3], [1, 1, 1, 7])
    assert compute_between_correlation(persons, x, y).r == pytest.approx(
        np.corrcoef([1, 2, 3, 9], [2, 1, 4, 3])[0, 1]
    )
    assert compute_between_correlation(persons, x, y, weighted=True).r == pytest.approx(np.corrcoef(x, y)[0, 1])


def test_the_two_levels_can_have_opposite_signs():
    persons = np.repeat(np.arange(6), 5)
    rng = np.random.default_rng(1)
    own, shift = rng.normal(0, 1, 30), np.repeat(np.arange(6.0), 5)
    x, y = shift * 5 + own, shift * 5 - own
    assert compute_rmcorr(persons, x, y).r < -0.9
    assert compute_between_correlation(persons, x, y).r > 0.9


def test_participants_with_one_run_and_runs_with_a_gap_do_not_count_within():
    persons, x, y = ["a"] * 4 + ["b"] * 4 + ["c", "d"], list(range(8)), [1.0, 3, 2, 4, 5, 8, 7, 6]
    base = compute_rmcorr(persons[:8], x, y)
    more = compute_rmcorr([*persons, "a", None], [*x, 9, 9, np.nan, 4], [*y, 9, 9, 3, 5])
    assert (more.r, more.df, more.n_runs) == (base.r, base.df, base.n_runs)
    assert (base.n_participants, base.df) == (2, 5)


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_too_few_runs_are_counted_in_words(n):
    within = compute_rmcorr(["a"] * n, range(n), range(n))
    assert math.isnan(within.r)
    assert within.note == f"not enough repeated runs within participants ({max(n - 2, 0)} of 3 degrees of freedom)"
    between = compute_between_correlation(range(n), range(n), range(n))
    assert math.isnan(between.r)
    assert between.note == f"not enough participants ({n} of 4)"


def test_a_measure_that_does_not_vary_has_no_correlation():
    persons = np.repeat([1, 2, 3, 4], 4)
    steady, moving = np.repeat([0.1, 0.2, 0.3, 0.4], 4), np.tile([1.0, 2, 3, 5], 4)
    assert compute_rmcorr(persons, steady, moving).note == "the first measure does not vary within participants"
    assert math.isnan(compute_rmcorr(persons, steady, moving).low)
    found = compute_between_correlation(persons, steady, moving)
    assert found.note == "the second measure does not vary between participants"


def test_a_perfect_correlation_has_no_width():
    persons = np.repeat([1, 2], 4)
    found = compute_rmcorr(persons, np.arange(8), np.arange(8) * 2.0)
    assert (found.r, found.low, found.high, found.p) == (1.0, 1.0, 1.0, 0.0)


def test_limits_of_agreement_of_peak_flow_are_the_published_ones():
    """Bland and Altman (1986): mean difference -2.1, standard deviation 38.8 l/min, interval of the bias -22.0 to
    17.8; their limits take 2 for 1.96 and their intervals of the limits approximate."""
    found = compute_bland_altman(LARGE, MINI)
    assert (found.n, found.n_participants) == (17, 17)
    assert found.bias == pytest.approx(-2.1, abs=0.05)
    assert found.sd == pytest.approx(38.8, abs=0.05)
    assert (found.bias_low, found.bias_high) == (pytest.approx(-22.0, abs=0.1), pytest.approx(17.8, abs=0.1))
    assert (found.low, found.high) == (pytest.approx(-79.7, abs=1.7), pytest.approx(75.5, abs=1.7))
    assert (found.low_low, found.low_high) == (pytest.approx(-114.3, abs=2), pytest.approx(-45.1, abs=2))
    assert (found.high_low, found.high_high) == (pytest.approx(40.9, abs=2), pytest.approx(110.1, abs=2))


def test_repeated_pairs_count_participants_not_pairs():
    rng = np.random.default_rng(4)
    persons = np.repeat(np.arange(12), 20)
    difference = rng.normal(0, 1, 12)[persons] + rng.normal(0, 0.5, 240)
    naive = compute_bland_altman(difference, np.zeros(240))
    found = compute_bland_altman(difference, np.zeros(240), persons=persons)
    assert (found.n, found.n_participants) == (240, 12)
    assert found.bias == pytest.approx(naive.bias)
    assert found.sd >= naive.sd
    assert found.bias_high - found.bias_low > 3 * (naive.bias_high - naive.bias_low)
    assert found.low_low < found.low < found.low_high < found.high_low < found.high < found.high_high


def test_repeated_pairs_that_differ_only_within_participants_agree_with_single_ones():
    rng = np.random.default_rng(5)
    difference = rng.normal(2, 1, 400)
    found = compute_bland_altman(difference, np.zeros(400), persons=np.repeat(np.arange(200), 2))
    assert found.sd == pytest.approx(compute_bland_altman(difference, np.zeros(400)).sd, rel=0.03)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_pairs_give_no_limits(n):
    found = compute_bland_altman(range(n), [5] * n)
    assert found.n == n
    assert math.isnan(found.low)
    assert found.note == f"not enough pairs for limits of agreement ({n} of 3)"


def test_pairs_of_too_few_participants_give_no_limits():
    found = compute_bland_altman(range(8), [5] * 8, persons=["a"] * 4 + ["b"] * 4)
    assert found.note == "not enough participants for limits of agreement (2 of 3)"


def test_gaps_are_left_out_and_equal_differences_are_said():
    found = compute_bland_altman([1, 2, 3, np.nan, 5], [0, 1, 2, 3, np.nan])
    assert (found.n, found.bias, found.sd) == (3, 1.0, 0.0)
    assert found.note == "all differences are the same"


def test_columns_of_different_length_and_an_impossible_confidence_are_refused():
    with pytest.raises(ValueError, match="2, 2, 1"):
        compute_rmcorr([1, 1], [1, 2], [1])
    with pytest.raises(ValueError, match="confidence"):
        compute_between_correlation([1], [1], [1], confidence=1.0)
