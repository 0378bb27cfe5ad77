"""What is claimed about one participant's numbers holds on simulated people: bands and intervals cover as often as
they say, flags are raised by chance as rarely as documented, and the known noise is found again. All seeded."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from heliograph.analysis import (
    compute_baseline,
    compute_cusum_chart,
    compute_ewma_chart,
    compute_false_alarm_chance,
    compute_reliability,
    compute_slope_per_week,
    find_flags,
)

CLAIMED, WITHIN = 0.95, 0.015
MEAN, SD = 0.4, 0.1
START = pd.Timestamp("2026-03-02 08:00")


def make_unchanged_people(n_people, n_runs, seed):
    """Scores (people × runs) of people who do not change."""
    return np.random.default_rng(seed).normal(MEAN, SD, (n_people, n_runs))


@pytest.mark.parametrize("n", [3, 5, 10, 20])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_the_baseline_band_covers_a_new_run_as_often_as_it_says(n, confidence):
    people = make_unchanged_people(6000, n + 1, seed=n)
    inside = 0
    for scores in people:
        band = compute_baseline(scores[:n], first=None, confidence=confidence)
        inside += band.low <= scores[n] <= band.high
    assert inside / len(people) == pytest.approx(confidence, abs=WITHIN)


@pytest.mark.parametrize("n", [5, 10, 20])
def test_an_unchanged_person_is_flagged_by_the_ewma_as_rarely_as_documented(n):
    people = make_unchanged_people(2500, n + 50, seed=100 + n)
    flagged = [
        compute_ewma_chart(scores[n:], compute_baseline(scores[:n], first=None))["flag"].notna().any()
        for scores in people
    ]
    documented = compute_false_alarm_chance(n, 50)
    assert np.mean(flagged) == pytest.approx(documented, abs=WITHIN)
    # That of a known baseline: one false flag in some 494 runs.
    assert documented == pytest.approx(1 - (1 - 1 / 494) ** 50, abs=0.01)


@pytest.mark.parametrize("n", [5, 20])
def test_an_unchanged_person_is_flagged_by_the_cusum_as_rarely_as_documented(n):
    people = make_unchanged_people(2000, n + 50, seed=200 + n)
    flagged = [
        compute_cusum_chart(scores[n:], compute_baseline(scores[:n], first=None))["flag"].notna().any()
        for scores in people
    ]
    documented = compute_false_alarm_chance(n, 50, chart="cusum")
    assert np.mean(flagged) == pytest.approx(documented, abs=WITHIN)


def test_flags_of_a_whole_participant_come_as_documented_and_a_lasting_change_is_found():
    columns = ["strain", "stress", "distress"]
    rng = np.random.default_rng(7)
    at = START + pd.to_timedelta(np.sort(rng.uniform(0, 60, 55)), unit="D")
    unchanged = changed = 0
    for _ in range(150):
        scores = rng.normal(MEAN, SD, (55, 3))
        frame = pd.DataFrame(scores, columns=columns).assign(run_id=range(55), session_local=at)
        unchanged += find_flags(frame, columns)["column_name"].nunique()
        frame.loc[10:, "stress"] += 3 * SD
        changed += "stress" in set(find_flags(frame, ["stress"])["column_name"])
    assert unchanged / 450 == pytest.approx(compute_false_alarm_chance(5, 50), abs=0.04)
    assert changed / 150 > 0.85


@pytest.mark.parametrize("noise", ["normal", "heavy tails"])
@pytest.mark.parametrize("n", [10, 30])
def test_the_interval_of_the_slope_covers_the_true_slope_as_often_as_it_says(n, noise):
    rng = np.random.default_rng(300 + n)
    true, inside, replications = 0.02, 0, 1800
    for _ in range(replications):
        days = np.sort(rng.uniform(0, 56, n).round())
        errors = rng.normal(0, SD, n) if noise == "normal" else SD * rng.standard_t(3, n)
        slope = compute_slope_per_week(START + pd.to_timedelta(days, unit="D"), true * days / 7 + errors)
        inside += slope.low <= true <= slope.high
    assert inside / replications == pytest.approx(CLAIMED, abs=WITHIN)


def simulate_repeats(rng, sizes, icc):
    """Groups and scores with a within-group standard deviation of `SD`."""
    groups = np.repeat(np.arange(len(sizes)), sizes)
    between = SD * np.sqrt(icc / (1 - icc))
    return groups, MEAN + rng.normal(0, between, len(sizes))[groups] + rng.normal(0, SD, len(groups))


@pytest.mark.parametrize("icc", [0.3, 0.8])
@pytest.mark.parametrize(
    "sizes", [[2] * 6, [2] * 25, [2, 3, 4, 2, 2, 3, 2, 2, 4, 3, 2, 2]], ids=["6 pairs", "25 pairs", "unequal"]
)
def test_the_intervals_of_icc_and_sem_cover_the_truth_as_often_as_they_say(sizes, icc):
    rng = np.random.default_rng(len(sizes))
    found = [compute_reliability(*simulate_repeats(rng, sizes, icc)) for _ in range(2500)]
    covered_icc = np.mean([entry.icc_low <= icc <= entry.icc_high for entry in found])
    covered_sem = np.mean([entry.sem_low <= SD <= entry.sem_high for entry in found])
    assert covered_icc == pytest.approx(CLAIMED, abs=WITHIN)
    assert covered_sem == pytest.approx(CLAIMED, abs=WITHIN)


def test_sem_and_minimal_detectable_change_find_the_known_noise_again():
    rng = np.random.default_rng(11)
    found = [compute_reliability(*simulate_repeats(rng, [2] * 20, 0.7)) for _ in range(1500)]
    assert np.mean([entry.sem**2 for entry in found]) == pytest.approx(SD**2, rel=0.03)
    assert np.median([entry.icc for entry in found]) == pytest.approx(0.7, abs=0.02)
    steps = np.abs(np.diff(rng.normal(MEAN, SD, (len(found), 2)), axis=1))[:, 0]
    # A little over 5 %: the noise itself was estimated, from 20 pairs.
    beyond = np.mean(steps > np.array([entry.mdc for entry in found]))
    assert beyond == pytest.approx(0.05, abs=0.02)
