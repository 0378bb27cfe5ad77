"""The noise floor against published analyses of variance, and which recordings count as repeated."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from heliograph.analysis import compute_reliability, find_repeats

# P. E. Shrout, J. L. Fleiss, Psychological Bulletin 86 (1979) 420-428, table 2: six targets, four judges;
# within mean square 6.26, between 11.24, ICC(1,1) 0.17. Interval as printed by R's psych::ICC: -0.133 to 0.72.
SHROUT_FLEISS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
# R. R. Sokal, F. J. Rohlf, Biometry, box 9.1: width of the scutum of ticks from four hosts, unequal groups; mean
# squares 602.6 and 114.5, n0 9.009, so (602.6 - 114.5)/9.009 = 54.2 is the variance among hosts, 32.1 % of all.
TICKS = [
    [380, 376, 360, 368, 372, 366, 374, 382],
    [350, 356, 358, 376, 338, 342, 366, 350, 344, 364],
    [354, 360, 362, 352, 366, 372, 362, 344, 342, 358, 351, 348, 348],
    [376, 344, 342, 372, 374, 360],
]


def measure(groups, **options):
    labels = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    return compute_reliability(labels, np.concatenate([np.asarray(g, float) for g in groups]), **options)


def make_runs(minutes, scores, **columns):
    at = pd.Timestamp("2026-03-02 08:00") + pd.to_timedelta(np.asarray(minutes, dtype=float), unit="m")
    return pd.DataFrame(
        {"run_id": range(1, len(scores) + 1), "session_local": at, "stress": np.asarray(scores, float), **columns}
    )


def test_icc_and_sem_are_those_of_shrout_and_fleiss():
    found = measure(SHROUT_FLEISS)
    assert (found.n_groups, found.n_runs) == (6, 24)
    assert found.icc == pytest.approx(0.17, abs=0.005)
    assert (found.icc_low, found.icc_high) == (pytest.approx(-0.133, abs=5e-4), pytest.approx(0.72, abs=5e-3))
    assert found.sem**2 == pytest.approx(6.26, abs=0.005)


def test_unequal_groups_are_analysed_as_sokal_and_rohlf_do():
    found = measure(TICKS, needed=2)
    assert found.sem**2 == pytest.approx(114.5, abs=0.05)
    assert found.icc == pytest.approx(0.321, abs=5e-4)
    assert found.icc_low < found.icc < found.icc_high


def test_the_minimal_detectable_change_is_weirs():
    # J. P. Weir, Journal of Strength and Conditioning Research 19 (2005) 231-240: MDC = SEM · 1.96 · sqrt(2).
    found = measure(SHROUT_FLEISS)
    assert found.mdc == pytest.approx(2.77 * found.sem, rel=1e-3)
    assert found.mdc_low / found.sem_low == found.mdc_high / found.sem_high == found.mdc / found.sem


def test_the_interval_of_the_sem_is_that_of_chi_square():
    # Quantiles of chi-square with 18 degrees of freedom: 8.231 and 31.526 (any table).
    found = measure(SHROUT_FLEISS)
    assert found.sem_low == pytest.approx(np.sqrt(18 * found.sem**2 / 31.526), rel=1e-4)
    assert found.sem_high == pytest.approx(np.sqrt(18 * found.sem**2 / 8.231), rel=1e-4)


@pytest.mark.parametrize("n", [0, 1, 2, 4])
def test_too_few_groups_measure_nothing_and_say_so(n):
    found = compute_reliability([i // 2 for i in range(2 * n)], [0.1 * i % 0.7 for i in range(2 * n)])
    assert (found.n_groups, found.n_runs) == (n, 2 * n)
    assert found.problem == f"not enough repeated recordings ({n} of 5 groups)"
    assert np.isnan([found.icc, found.sem, found.mdc, found.icc_low, found.sem_high]).all()


def test_missing_scores_and_single_recordings_are_left_out():
    groups = [[*group, np.nan] for group in SHROUT_FLEISS] + [[5.0], [np.nan, 3.0], [np.nan]]
    assert measure(groups) == measure(SHROUT_FLEISS)


def test_repeats_without_any_difference_have_no_noise_to_measure():
    found = measure([[0.1 + 0.2, 0.3], [0.5, 0.5], [0.4, 0.4], [0.2, 0.2], [0.6, 0.6]])
    assert "same score" in found.problem
    assert np.isnan(found.sem)


def test_groups_that_do_not_differ_have_an_icc_below_zero():
    found = measure([[0.1, 0.9], [0.9, 0.1], [0.2, 0.8], [0.8, 0.2], [0.5, 0.6]])
    assert found.icc < 0
    assert found.problem is None


def test_impossible_input_is_named():
    with pytest.raises(ValueError, match="95"):
        compute_reliability([0, 0], [1, 2], 95)
    with pytest.raises(ValueError, match="2 groups do not fit 3 values"):
        compute_reliability([0, 0], [1, 2, 3])
    with pytest.raises(ValueError, match="above 0"):
        find_repeats(make_runs([0], [0.1]), "stress", 0)


def test_recordings_within_the_window_of_the_first_one_are_a_group():
    frame = make_runs([0, 10, 20, 1440, 1450, 2880], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    found = find_repeats(frame, "stress", 15)
    # 20 is within 15 of 10, but not of 0, which opened the group; nor has it a companion.
    assert found["run_id"].tolist() == [1, 2, 4, 5]
    assert found["group"].tolist() == [0, 0, 1, 1]
    assert found["value"].tolist() == [0.1, 0.2, 0.4, 0.5]


def test_the_end_of_the_window_belongs_to_it():
    assert len(find_repeats(make_runs([0, 15], [0.1, 0.2]), "stress", 15)) == 2
    assert find_repeats(make_runs([0, 15.1], [0.1, 0.2]), "stress", 15).empty


def test_recordings_of_different_people_are_no_repeats():
    frame = make_runs([0, 1, 2, 3], [0.1, 0.2, 0.3, 0.4], participant_id=[1, 2, 1, 2])
    found = find_repeats(frame, "stress")
    assert found[["participant_id", "run_id", "group"]].to_numpy().tolist() == [
        [1, 1, 0],
        [1, 3, 0],
        [2, 2, 1],
        [2, 4, 1],
    ]


def test_the_same_recording_submitted_again_is_no_repeat():
    facts = {
        "duration_s": [20.0, 20.0, 21.5],
        "level_dbfs": [-20.1, -20.1, -19.0],
        "peak_dbfs": [-3.0, -3.0, -2.0],
    }
    again = make_runs([0, 0, 5], [0.3, 0.3, 0.4], **facts)
    assert find_repeats(again, "stress")["run_id"].tolist() == [1, 3]
    unknown = make_runs([0, 0, 5], [0.3, 0.3, 0.4], **{name: [np.nan] * 3 for name in facts})
    assert find_repeats(unknown, "stress")["run_id"].tolist() == [1, 2, 3]


def test_results_that_are_missing_or_ended_in_an_error_are_no_repeats():
    frame = make_runs([0, 1, 2, 3], [0.1, np.nan, 0.2, 0.3])
    frame["state"] = ["complete_ok", "complete_ok", "complete_ok", "complete_error"]
    assert find_repeats(frame, "stress")["run_id"].tolist() == [1, 3]


@pytest.mark.parametrize("n", [0, 1])
def test_none_or_one_recording_has_no_repeats(n):
    found = find_repeats(make_runs([0] * n, [0.1] * n), "stress")
    assert found.empty
    assert {"group", "run_id", "session_local", "value"} <= set(found.columns)


def test_repeats_go_straight_into_the_reliability():
    rng = np.random.default_rng(5)
    minutes = np.concatenate([[day * 1440, day * 1440 + 6] for day in range(12)])
    scores = np.repeat(rng.normal(0.4, 0.1, 12), 2) + rng.normal(0, 0.03, 24)
    found = find_repeats(make_runs(minutes, scores).sample(frac=1, random_state=1), "stress")
    reliability = compute_reliability(found["group"], found["value"])
    assert (reliability.n_groups, reliability.n_runs) == (12, 24)
    assert reliability.sem == pytest.approx(np.sqrt(np.mean(np.diff(scores.reshape(12, 2)) ** 2) / 2))
