"""A line over persons."""

from __future__ import annotations

import math

import numpy as np
import pytest

from heliograph.analysis.between_slope import compute_between_slope

# Anscombe (1973), American Statistician 27:17-21, the first of four data sets.
X = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5]
Y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]


def test_the_line_is_the_published_one():
    """Anscombe (1973): b1 = 0.5 with the estimated standard error 0.118; t with 9 degrees of freedom is 2.262."""
    found = compute_between_slope(X, Y)
    assert (found.n, round(found.slope, 3)) == (11, 0.5)
    assert (found.high - found.low) / 2 == pytest.approx(2.262 * 0.118, abs=5e-4)
    assert found.p == pytest.approx(0.00217, abs=1e-5)


def test_persons_with_a_missing_value_are_left_out():
    assert compute_between_slope([*X, 3, math.nan], [*Y, math.nan, 5]) == compute_between_slope(X, Y)


@pytest.mark.parametrize("n", [0, 1, 2, 4])
def test_too_few_persons_get_no_line_and_the_reason(n):
    found = compute_between_slope(X[:n], Y[:n])
    assert math.isnan(found.slope)
    assert found.note == f"not enough participants ({n} of 5)"


def test_a_measure_that_is_the_same_for_all_gets_no_line():
    found = compute_between_slope([0.1 + 0.2] * 3 + [0.3] * 3, [1, 2, 3, 4, 5, 6])
    assert math.isnan(found.slope)
    assert "same for all" in found.note


def test_a_score_that_is_the_same_for_all_is_a_flat_line_and_a_perfect_one_has_no_doubt():
    flat = compute_between_slope(X, [0.5] * 11)
    assert (flat.slope, flat.low, flat.high, flat.p) == (0, 0, 0, 1)
    straight = compute_between_slope(X, [2.0 * value for value in X])
    assert (straight.slope, straight.p) == (2, pytest.approx(0, abs=1e-9))


def test_the_interval_covers_the_true_slope_as_often_as_it_says():
    rng = np.random.default_rng(7)
    inside = 0
    for _ in range(2000):
        x = rng.normal(0, 1, 12)
        found = compute_between_slope(x, 0.3 * x + rng.normal(0, 1, 12), confidence=0.9)
        inside += found.low <= 0.3 <= found.high
    assert inside / 2000 == pytest.approx(0.9, abs=0.02)


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="2, 1"):
        compute_between_slope([1, 2], [1])
    with pytest.raises(ValueError, match="confidence"):
        compute_between_slope(X, Y, confidence=1)
