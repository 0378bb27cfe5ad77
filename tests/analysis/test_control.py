"""Control charts against the NIST/SEMATECH handbook's examples, and run lengths against published tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from heliograph.analysis import (
    Baseline,
    compute_baseline,
    compute_cusum_arl,
    compute_cusum_chart,
    compute_ewma_arl,
    compute_ewma_chart,
    compute_false_alarm_chance,
)

# NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.4 (itl.nist.gov/div898/handbook/pmc/section3/pmc324.htm):
# weight 0.3, start 50, s 2.0539, limits at 3; 52.5884 and 47.4115 when they stand still.
NIST_EWMA_X = [52.0, 47.0, 53.0, 49.3, 50.1, 47.0, 51.0, 50.1, 51.2, 50.5,
               49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1]  # fmt: skip
NIST_EWMA_Z = [50.60, 49.52, 50.56, 50.18, 50.16, 49.21, 49.75, 49.85, 50.26, 50.33,
               50.11, 49.36, 49.52, 50.05, 49.38, 49.92, 50.73, 51.23, 51.94, 51.99]  # fmt: skip
# The same, 6.3.2.3 (pmc323.htm): target 325, k 0.3175 and h 4.1959 in the data's unit, s of a mean 0.635.
NIST_CUSUM_X = [324.925, 324.675, 324.725, 324.350, 325.350, 325.225, 324.125,
                324.525, 325.225, 324.600, 324.625, 325.150, 328.325, 327.250,
                327.825, 328.500, 326.675, 327.775, 326.875, 328.350]  # fmt: skip
NIST_CUSUM_UP = [0, 0, 0, 0, 0.03, 0, 0, 0, 0, 0, 0, 0, 3.01, 4.94, 7.45, 10.63, 11.99, 14.44, 16.00, 19.04]
NIST_CUSUM_DOWN = [0, 0.01, 0, 0.33, 0, 0, 0.56, 0.72, 0.17, 0.25, 0.31, 0, 0, 0, 0, 0, 0, 0, 0, 0]
SHIFTS = [0, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5]


def know(mean, sd):
    """A baseline of so many runs that it is known."""
    return Baseline(10**9, mean, sd, mean - 2 * sd, mean + 2 * sd, 0.95, 5, "known")


def test_the_ewma_is_that_of_the_handbook_and_nothing_is_flagged():
    chart = compute_ewma_chart(NIST_EWMA_X, know(50, 2.0539), lam=0.3, width=3)
    assert chart["z"].to_numpy() == pytest.approx(NIST_EWMA_Z, abs=0.0051)
    assert chart["high"].iloc[-1] == pytest.approx(52.5884, abs=1e-3)
    assert chart["low"].iloc[-1] == pytest.approx(47.4115, abs=1e-3)
    assert chart["flag"].isna().all()


def test_the_first_limits_are_exact_ones():
    chart = compute_ewma_chart([50, 50], know(50, 1), lam=0.3, width=3)
    assert chart["high"].iloc[0] - 50 == pytest.approx(3 * 0.3, rel=1e-4)
    assert chart["high"].iloc[1] - 50 == pytest.approx(3 * 0.3 * np.sqrt(1 + 0.7**2), rel=1e-4)


def test_the_baselines_own_error_widens_the_limits_as_far_as_the_average_forgot_it():
    # The first average is a weighted new run: its error is that of a prediction, times the weight.
    baseline = Baseline(5, 0.4, 0.1, 0.1, 0.7, 0.95, 5, "known")
    chart = compute_ewma_chart([0.4] * 60, baseline, lam=0.2, width=2.962)
    half = (chart["high"] - chart["centre"]).to_numpy()
    factor = half[0] / (0.1 * 0.2 * np.sqrt(1 + 1 / 5))
    assert half[-1] == pytest.approx(factor * 0.1 * np.sqrt(0.2 / 1.8 + 1 / 5), rel=1e-5)
    assert factor == pytest.approx(4.0, abs=0.05)


def test_few_baseline_runs_widen_the_limits():
    widths = []
    for n in (3, 5, 10, 1000):
        baseline = Baseline(n, 0, 1, -2, 2, 0.95, 3, "known")
        widths.append(compute_ewma_chart([0] * 30, baseline)["high"].iloc[-1])
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] == pytest.approx(2.962 / 3, rel=0.01)


def test_runs_beyond_a_limit_are_flagged_with_their_direction():
    chart = compute_ewma_chart([0, 5, 5, -1, -9, -9], know(0, 1), lam=0.5, width=3)
    assert chart["flag"].tolist() == [None, "up", "up", None, "down", "down"]


def test_a_missing_score_is_passed_over_and_no_step():
    gap = compute_ewma_chart([1, np.nan, 0.5], know(0, 1))
    whole = compute_ewma_chart([1, 0.5], know(0, 1))
    assert gap.iloc[[0, 2]][["z", "low", "high"]].to_numpy() == pytest.approx(
        whole[["z", "low", "high"]].to_numpy()
    )
    assert gap.iloc[1][["z", "low", "high", "flag"]].isna().all()


def test_charts_keep_the_index_and_do_not_know_the_time():
    values = pd.Series([0.1, 0.2], index=[7, 3])
    assert compute_ewma_chart(values, know(0, 1)).index.tolist() == [7, 3]
    assert compute_cusum_chart(values, know(0, 1)).index.tolist() == [7, 3]


@pytest.mark.parametrize("values", [[], [np.nan], [0.4], [0.4, 0.4]])
@pytest.mark.parametrize("start", [[], [0.3], [0.3, 0.4, 0.5], [0.3] * 5])
def test_without_a_usable_baseline_nothing_is_flagged(values, start):
    baseline = compute_baseline(start)
    assert not baseline.is_enough
    for chart in (compute_ewma_chart(values, baseline), compute_cusum_chart(values, baseline)):
        assert len(chart) == len(values)
        assert chart["flag"].isna().all()
        assert chart.iloc[:, 2].isna().all()


def test_the_cusum_is_that_of_the_handbook_and_flags_from_the_fourteenth_on():
    chart = compute_cusum_chart(NIST_CUSUM_X, know(325, 0.635), k=0.5, h=4.1959 / 0.635)
    # The handbook's own sums carry rounding from one row to the next.
    assert (0.635 * chart["up"]).to_numpy() == pytest.approx(NIST_CUSUM_UP, abs=0.02)
    assert (0.635 * chart["down"]).to_numpy() == pytest.approx(NIST_CUSUM_DOWN, abs=0.02)
    assert chart["flag"].tolist() == [None] * 13 + ["up"] * 7


def test_the_cusum_learns_from_runs_inside_its_limit_as_hawkins_does():
    # The deviate of each run is that of Student's t against all runs before it.
    from scipy import stats

    rng = np.random.default_rng(4)
    runs = rng.normal(0.5, 0.1, 12)
    chart = compute_cusum_chart(runs[5:], compute_baseline(runs[:5]))
    for position in range(7):
        before = runs[: 5 + position]
        t = (runs[5 + position] - before.mean()) / (before.std(ddof=1) * np.sqrt(1 + 1 / len(before)))
        expected = stats.norm.ppf(stats.t.cdf(t, len(before) - 1))
        assert chart["score"].iloc[position] == pytest.approx(expected)


def test_an_absurd_run_has_a_finite_sum_and_is_flagged():
    chart = compute_cusum_chart([1e6, -1e6], know(0, 1))
    assert np.isfinite(chart[["score", "up", "down"]].to_numpy()).all()
    assert chart["flag"].iloc[0] == "up"


@pytest.mark.parametrize(
    ("make", "settings"),
    [
        (compute_ewma_chart, {"lam": 0}),
        (compute_ewma_chart, {"lam": 1.01}),
        (compute_ewma_chart, {"width": 0}),
        (compute_cusum_chart, {"k": -0.1}),
        (compute_cusum_chart, {"h": 0}),
    ],
)
def test_settings_that_make_no_chart_are_named(make, settings):
    with pytest.raises(ValueError, match=str(next(iter(settings.values())))):
        make([0.1], know(0, 1), **settings)


@pytest.mark.parametrize(
    ("lam", "width", "lengths"),
    [
        (0.5, 3.071, [500, 255, 88.8, 35.9, 17.5, 6.53, 3.63, 1.93, 1.07]),
        (0.03, 2.437, [500, 76.7, 29.3, 17.6, 12.6, 8.07, 5.99, 4.03, 2.55]),
    ],
)
def test_ewma_run_lengths_are_those_of_lucas_and_saccucci(lam, width, lengths):
    # Technometrics 32 (1990), table 3.
    for shift, length in zip(SHIFTS, lengths, strict=True):
        assert compute_ewma_arl(lam, width, shift=shift, limits="asymptotic") == pytest.approx(length, rel=3e-3)


def test_ewma_run_lengths_are_those_of_crowder_and_of_sas():
    # Crowder, Technometrics 29 (1987), table 1; SAS/QC User's Guide (1999): 11.154267016.
    assert compute_ewma_arl(0.5, 2, limits="asymptotic") == pytest.approx(26.45, abs=0.005)
    assert compute_ewma_arl(0.05, 2, limits="asymptotic") == pytest.approx(127.53, abs=0.005)
    assert compute_ewma_arl(0.25, 3, shift=1, limits="asymptotic") == pytest.approx(11.154267016, abs=1e-8)


def test_run_lengths_with_exact_limits_are_those_of_steiner():
    # Journal of Quality Technology 31 (1999), table 2: weight 0.05, limits at 3; found there by a coarser method.
    lengths = {0: 1353, 0.25: 127, 0.5: 32.5, 0.75: 15.6, 1: 9.0, 1.5: 4.5, 2: 2.8, 2.5: 2.0, 3: 1.6, 4: 1.1}
    for shift, length in lengths.items():
        assert compute_ewma_arl(0.05, 3, shift=shift) == pytest.approx(length, rel=0.03, abs=0.15)


def test_an_ewma_of_weight_one_is_shewharts_chart():
    assert compute_ewma_arl(1, 3) == pytest.approx(370.398, abs=1e-3)
    assert compute_ewma_arl(1, 3, limits="asymptotic") == pytest.approx(370.398, abs=1e-3)


# The documentation of xcusum.arl in R's spc reprints all that follows from the papers and the manual:
# https://search.r-project.org/CRAN/refmans/spc/html/xcusum.arl.html.
def test_cusum_run_lengths_are_those_of_lucas_and_crosier():
    """Lucas and Crosier (1982), Technometrics 24:199, table 1: two-sided, k = 1/2, h = 4, without a head start."""
    lengths = {0: 168, 0.25: 74.2, 0.5: 26.6, 0.75: 13.3, 1: 8.38, 1.5: 4.75, 2: 3.34, 2.5: 2.62, 3: 2.19}
    for shift, length in lengths.items():
        assert compute_cusum_arl(0.5, 4, shift=shift) == pytest.approx(length, rel=3e-3)
    for shift, length in {4: 1.71, 5: 1.31}.items():
        assert compute_cusum_arl(0.5, 4, shift=shift) == pytest.approx(length, abs=0.006)


def test_the_cusum_run_length_is_that_of_waldmann():
    """Waldmann (1986), Technometrics 28:61, table 6: two-sided, k = 0.6, h = 3, shift 0.2 downwards, 65.4; spc's
    own example rounds to that one decimal, too."""
    assert compute_cusum_arl(0.6, 3, shift=-0.2) == pytest.approx(65.4, abs=0.1)


def test_the_cusum_run_length_is_that_of_sas():
    """SAS/QC manual (1999): two-sided, k = 0.25, h = 8, shift 2.5."""
    assert compute_cusum_arl(0.25, 8, shift=2.5) == pytest.approx(4.1500826715, abs=2e-6)


def test_the_defaults_mean_one_false_flag_in_some_five_hundred_runs():
    # Lucas & Saccucci's pair 0.2 and 2.962 is made for 500 with constant limits; exact ones take a few off.
    assert compute_ewma_arl(0.2, 2.962, limits="asymptotic") == pytest.approx(500, rel=2e-3)
    assert compute_ewma_arl(0.2, 2.962) == pytest.approx(494, abs=1)


def test_run_lengths_refuse_impossible_settings():
    with pytest.raises(ValueError, match="0 and 3"):
        compute_ewma_arl(0, 3)
    with pytest.raises(ValueError, match="-1 and 5"):
        compute_cusum_arl(-1, 5)


def test_a_known_baseline_has_the_false_alarms_that_the_run_length_says():
    # Run lengths are nearly geometric: chance within N is 1 - (1 - 1/ARL)^N.
    for chart, arl in (("ewma", compute_ewma_arl(0.2, 2.962)), ("cusum", compute_cusum_arl(0.5, 5))):
        chance = compute_false_alarm_chance(100_000, 100, chart=chart)
        assert chance == pytest.approx(1 - (1 - 1 / arl) ** 100, abs=0.015)


@pytest.mark.parametrize("chart", ["ewma", "cusum"])
def test_a_baseline_of_few_runs_has_the_false_alarms_of_a_known_one_over_fifty_runs(chart):
    known = compute_false_alarm_chance(100_000, 50, chart=chart)
    for n in (3, 5, 10, 20):
        assert compute_false_alarm_chance(n, 50, chart=chart) == pytest.approx(known, abs=0.01)


def test_limits_too_wide_to_simulate_are_those_of_a_single_run():
    # Student's t with 4 degrees of freedom, tail 3.4e-6 (width 4.5): 30.6.
    baseline = Baseline(5, 0, 1, -3, 3, 0.95, 5, "known")
    chart = compute_ewma_chart([0], baseline, lam=0.2, width=4.5)
    assert chart["high"].iloc[0] == pytest.approx(30.6 * 0.2 * np.sqrt(1.2), rel=1e-3)


def test_false_alarm_chances_are_the_same_every_time_and_zero_without_runs():
    compute_false_alarm_chance.cache_clear()
    first = compute_false_alarm_chance(5, 20)
    compute_false_alarm_chance.cache_clear()
    assert compute_false_alarm_chance(5, 20) == first
    assert compute_false_alarm_chance(5, 0) == 0


@pytest.mark.parametrize(("arguments", "word"), [((1, 20), "1"), ((5, -1), "-1")])
def test_false_alarm_chances_refuse_what_makes_no_sense(arguments, word):
    with pytest.raises(ValueError, match=word):
        compute_false_alarm_chance(*arguments)
    with pytest.raises(ValueError, match="shewhart"):
        compute_false_alarm_chance(5, 20, chart="shewhart")
