"""Sleep and time of each run, and what adjusting for them does."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from heliograph.analysis import adjust_for_confounders, compute_confounders


def make_times(rows):
    return pd.DataFrame(
        {
            name: pd.to_datetime(pd.Series(values, dtype="object"))
            for name, values in zip(("session_local", "asleep_local", "awake_local"), zip(*rows, strict=True),
                                    strict=True)
        }
    )  # fmt: skip


def make_person(n, seed=1):
    """Scores made of sleep, waking and a daily wave, and what they were made of."""
    rng = np.random.default_rng(seed)
    confounders = pd.DataFrame(
        {"sleep_h": rng.normal(7, 1, n), "hours_awake": rng.uniform(0, 14, n), "hour": rng.uniform(7, 23, n)}
    )
    wave = 0.05 * np.cos(2 * np.pi * (confounders["hour"] - 15) / 24)
    scores = 0.4 - 0.06 * (confounders["sleep_h"] - 7) + 0.01 * confounders["hours_awake"] + wave
    return pd.Series(scores + rng.normal(0, 0.02, n)), confounders


def test_sleep_waking_and_time_of_day_are_hours():
    frame = make_times([("2026-03-02T08:30:00", "2026-03-01T23:00:00", "2026-03-02T06:30:00")])
    assert compute_confounders(frame).iloc[0].tolist() == [7.5, 2.0, 8.5]


@pytest.mark.parametrize(
    ("row", "missing"),
    [
        (("2026-03-02T08:00:00", None, "2026-03-02T06:00:00"), ["sleep_h"]),
        (("2026-03-02T08:00:00", "2026-03-01T23:00:00", None), ["sleep_h", "hours_awake"]),
        (("2026-03-02T05:00:00", "2026-03-01T23:00:00", "2026-03-02T06:00:00"), ["hours_awake"]),
        (("2026-03-02T08:00:00", "2026-03-02T06:00:00", "2026-03-02T06:00:00"), ["sleep_h"]),
        (("2026-03-02T08:00:00", "2026-02-28T06:00:00", "2026-03-02T06:00:00"), ["sleep_h"]),
        (("2026-03-09T08:00:00", "2026-03-01T23:00:00", "2026-03-02T06:00:00"), ["hours_awake"]),
        ((None, None, None), ["sleep_h", "hours_awake", "hour"]),
    ],
)
def test_missing_or_impossible_times_are_missing_values(row, missing):
    found = compute_confounders(make_times([row, ("2026-03-02T08:00:00", "2026-03-01T23:00:00",
                                                  "2026-03-02T06:00:00")])).iloc[0]  # fmt: skip
    assert found[found.isna()].index.tolist() == missing


def test_an_empty_frame_has_no_confounders():
    found = compute_confounders(make_times([(None, None, None)]).iloc[:0])
    assert found.empty
    assert found.columns.tolist() == ["sleep_h", "hours_awake", "hour"]


def test_least_squares_are_those_that_nist_certifies():
    # NIST StRD, Longley: six collinear predictors, 16 rows (itl.nist.gov/div898/strd/lls/data/Longley.shtml).
    from statsmodels.datasets import longley

    data = longley.load_pandas()
    found = adjust_for_confounders(data.endog, data.exog, runs_per_term=1)
    assert found.r_squared == pytest.approx(0.995479004577296, rel=1e-12)
    certified = [15.0618722713733, -0.0358191792925910, -2.02022980381683, -1.03322686717359,
                 -0.0511041056535807, 1829.15146461355]  # fmt: skip
    assert list(found.slopes.values()) == pytest.approx(certified, rel=1e-8)
    spread = np.sqrt(((found.values - data.endog.mean()) ** 2).sum() / 9)
    assert spread == pytest.approx(304.854073561965, rel=1e-9)


def test_adjusting_takes_the_known_part_out_and_keeps_the_mean():
    scores, confounders = make_person(60)
    found = adjust_for_confounders(scores, confounders)
    assert found.values.mean() == pytest.approx(scores.mean())
    assert found.values.std() == pytest.approx(0.02, rel=0.3)
    assert found.slopes["sleep_h"] == pytest.approx(-0.06, abs=0.01)
    assert found.slopes["hours_awake"] == pytest.approx(0.01, abs=0.002)
    assert (found.n, found.needed, found.problem) == (60, 40, None)
    assert found.model == "least squares on sleep duration and hours awake and time of day, n = 60"


@pytest.mark.parametrize(
    ("n", "model"),
    [
        (10, "least squares on sleep duration, n = 10"),
        (20, "least squares on sleep duration and hours awake, n = 20"),
        (39, "least squares on sleep duration and hours awake, n = 39"),
    ],
)
def test_fewer_runs_carry_fewer_terms_and_the_model_is_named(n, model):
    assert adjust_for_confounders(*make_person(n)).model == model


@pytest.mark.parametrize("n", [0, 1, 2, 9])
def test_too_few_runs_are_not_adjusted_and_say_so(n):
    scores, confounders = make_person(n)
    found = adjust_for_confounders(scores, confounders)
    assert found.values.isna().all()
    assert len(found.values) == n
    assert found.problem == f"not enough runs with sleep times to adjust for ({n} of 10)"


def test_runs_with_something_missing_stay_missing_and_do_not_count():
    scores, confounders = make_person(60)
    scores[3], confounders.loc[5, "sleep_h"] = np.nan, np.nan
    found = adjust_for_confounders(scores, confounders)
    assert found.values.index[found.values.isna()].tolist() == [3, 5]
    assert found.n == 58


def test_what_does_not_vary_or_repeats_another_is_left_out():
    scores, confounders = make_person(60)
    same = confounders.assign(sleep_h=7.0)
    assert adjust_for_confounders(scores, same).model == "least squares on hours awake and time of day, n = 60"
    twice = confounders.assign(hours_awake=2 * confounders["sleep_h"] + 1)
    assert adjust_for_confounders(scores, twice).model == (
        "least squares on sleep duration and time of day, n = 60"
    )
    flat = confounders.assign(sleep_h=7.0, hours_awake=2.0, hour=9.0)
    found = adjust_for_confounders(scores, flat)
    assert found.values.isna().all()
    assert "does not vary" in found.problem


def test_sleep_that_nobody_entered_leaves_the_time_of_day():
    scores, confounders = make_person(60)
    unknown = confounders.assign(sleep_h=np.nan, hours_awake=np.nan)
    assert adjust_for_confounders(scores, unknown).model == "least squares on time of day, n = 60"


def test_equal_scores_stay_equal():
    _, confounders = make_person(40)
    found = adjust_for_confounders(pd.Series(np.full(40, 0.5)), confounders)
    assert found.values.to_numpy() == pytest.approx(np.full(40, 0.5))
    assert np.isnan(found.r_squared)


def test_rows_are_matched_by_index_only():
    scores, confounders = make_person(30)
    with pytest.raises(ValueError, match="same index"):
        adjust_for_confounders(scores, confounders.set_index(confounders.index + 1))
