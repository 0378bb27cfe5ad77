"""Rows taken apart into distances within persons and means between them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from heliograph.analysis.levels_apart import compute_levels_apart
from tests.analysis.bland_altman import read_ph


def test_the_common_slope_explains_the_published_sum_of_squares():
    """Bland and Altman (1995), table II: analysis of variance for pH with subjects and PaCO2; the sums of squares
    are 0.1153 for PaCO2 (1 degree of freedom) and 0.3337 for the residual (38)."""
    persons, ph, paco2 = read_ph()
    apart = compute_levels_apart(persons, paco2, ph)
    explained = apart.slope_within * float((apart.points["x"] * apart.points["y"]).sum())
    assert explained == pytest.approx(0.1153, abs=5e-5)
    residual = float(((apart.points["y"] - apart.slope_within * apart.points["x"]) ** 2).sum())
    assert residual == pytest.approx(0.3337, abs=5e-5)
    assert list(apart.people["n_runs"]) == [4, 4, 9, 5, 8, 6, 3, 8]


def test_distances_sum_to_nothing_in_every_person_and_the_slopes_of_the_levels_are_their_own():
    rng = np.random.default_rng(3)
    persons = np.repeat(np.arange(6), 5)
    own, shift = rng.normal(0, 1, 30), np.repeat(np.arange(6.0), 5)
    apart = compute_levels_apart(persons, shift * 5 + own, shift * 10 - own)
    sums = apart.points.groupby("participant_id")[["x", "y"]].sum()
    assert np.allclose(sums, 0)
    assert apart.slope_within == pytest.approx(-1)
    assert apart.slope_between > 1.5
    assert np.allclose(apart.people["slope"], -1)


def test_a_person_with_one_run_has_a_mean_and_no_distance():
    apart = compute_levels_apart([1, 1, 2], [1, 3, 9], [0.1, 0.3, 0.9])
    assert list(apart.points["participant_id"]) == [1, 1]
    assert list(apart.people["n_runs"]) == [2, 1]
    assert apart.people["slope"].isna().all()


@pytest.mark.parametrize(
    ("persons", "x", "y"),
    [([], [], []), ([1], [1], [1]), ([1, 1], [2, 2], [0.1, 0.4]), ([1, 1], [math.nan, 1], [1, math.nan]),
     ([1, 1, 2, 2], [0.1 + 0.2, 0.3, 0.3, 0.1 + 0.2], [1, 2, 3, 4])],
    ids=["nothing", "one run", "no variation", "nothing complete", "traces of rounding"],
)  # fmt: skip
def test_where_there_is_no_slope_none_is_made_up(persons, x, y):
    apart = compute_levels_apart(persons, x, y)
    assert math.isnan(apart.slope_within)
    assert math.isnan(apart.slope_between)
    assert apart.people["slope"].isna().all()


def test_lengths_that_differ_are_refused():
    with pytest.raises(ValueError, match="2, 1, 2"):
        compute_levels_apart([1, 1], [1], [1, 2])
