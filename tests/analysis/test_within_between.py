"""Effects within participants apart from effects between them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from heliograph.analysis.within_between import fit_within_between, split_within_between
from tests.analysis.bland_altman import read_ph


def make_rows(people: int = 12, runs: int = 10, *, within: float = -0.03, between: float = 0.05) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    person = np.repeat(np.arange(people), runs)
    mean = rng.normal(7.5, 0.8, people)[person]
    away = rng.normal(0, 1, len(person))
    score = 0.5 + between * (mean - 7.5) + within * away + rng.normal(0, 0.02, people)[person]
    score = score + rng.normal(0, 0.02, len(person))
    return pd.DataFrame({"participant_id": person, "sleep_h": mean + away, "score": score})


def test_with_fixed_persons_the_effect_within_is_that_of_the_published_analysis_of_covariance():
    """Bland and Altman (1995), table II: of the variation in pH, 0.1153 is due to PaCO2 within subjects and 0.3337
    is residual with 38 degrees of freedom, F = 13.1. Mundlak (1978): a random intercept beside the person's mean
    leaves the coefficient of that analysis, so that its square over its variance is F."""
    persons, ph, paco2 = read_ph()
    rows = split_within_between(pd.DataFrame({"participant_id": persons, "ph": ph, "paco2": paco2}), "paco2")
    away = rows["ph"] - rows.groupby("participant_id")["ph"].transform("mean")
    slope = (away * rows["deviation"]).sum() / (rows["deviation"] ** 2).sum()
    explained = slope**2 * (rows["deviation"] ** 2).sum()
    assert explained == pytest.approx(0.1153, abs=5e-5)
    assert (away**2).sum() - explained == pytest.approx(0.3337, abs=1e-4)
    three = rows.groupby("participant_id").head(2)  # Two runs each: no slopes of their own.
    found = fit_within_between(three, "ph", "paco2")
    plain = split_within_between(three[["participant_id", "ph", "paco2"]], "paco2")
    own = plain["ph"] - plain.groupby("participant_id")["ph"].transform("mean")
    assert found.within == pytest.approx(
        float((own * plain["deviation"]).sum() / (plain["deviation"] ** 2).sum()), abs=1e-8
    )


def test_effects_of_opposite_sign_are_told_apart():
    found = fit_within_between(make_rows(), "score", "sleep_h")
    assert found.within == pytest.approx(-0.03, abs=0.005)
    assert found.between == pytest.approx(0.05, abs=0.02)
    assert found.within_low < found.within < found.within_high < 0
    assert 0 < found.between_low < found.between < found.between_high
    assert found.within_p < 1e-6
    assert (found.n_participants, found.n_runs) == (12, 120)
    assert found.report.terms["kind"].tolist() == ["intercept", "within", "between"]


def test_the_scale_of_the_predictor_only_scales_the_effects():
    rows = make_rows()
    hours = fit_within_between(rows, "score", "sleep_h")
    minutes = fit_within_between(rows.assign(sleep_h=rows["sleep_h"] * 60), "score", "sleep_h")
    assert minutes.within * 60 == pytest.approx(hours.within, rel=1e-4)
    assert minutes.between_high * 60 == pytest.approx(hours.between_high, rel=1e-3)


def test_deviations_sum_to_nothing_in_every_participant():
    rows = make_rows(3, 4)
    rows.loc[0, "sleep_h"] = np.nan
    split = split_within_between(rows, "sleep_h")
    assert len(split) == 11
    assert split.groupby("participant_id")["deviation"].sum().abs().max() < 1e-12
    assert (split["person_mean"] + split["deviation"]).tolist() == pytest.approx(split["sleep_h"].tolist())
    assert "deviation" not in rows


@pytest.mark.parametrize("people", [0, 1, 2, 4])
def test_too_few_participants_are_not_fitted(people):
    found = fit_within_between(make_rows(people), "score", "sleep_h")
    assert not found.fitted
    assert found.note == f"Not enough data: too few participants ({people} of 5)."
    assert math.isnan(found.within)
    assert math.isnan(found.between_p)


def test_what_cannot_be_told_apart_is_said():
    rows = make_rows()
    flat = rows.assign(sleep_h=rows["participant_id"] + 0.1)
    assert fit_within_between(flat, "score", "sleep_h").note == "sleep_h does not vary within any participant."
    own = split_within_between(rows, "sleep_h")
    same = rows.assign(sleep_h=np.tile(np.arange(10.0), 12))
    assert fit_within_between(same, "score", "sleep_h").note == "sleep_h does not vary between participants."
    assert "no spread" in fit_within_between(rows.assign(score=1.0), "score", "sleep_h").note
    assert fit_within_between(own.head(0), "score", "sleep_h").n_runs == 0
    single = rows.drop_duplicates("participant_id")
    assert "within any participant" in fit_within_between(single, "score", "sleep_h").note


def test_gaps_and_samples_are_reported():
    rows = make_rows()
    rows.loc[:6, "score"] = np.nan
    found = fit_within_between(rows, "score", "sleep_h", n_participants_total=50, n_runs_total=500)
    assert found.n_runs == 113
    assert found.report.sampled
    assert found.problems[0] == "Fitted to a random sample: 12 of 50 participants, 120 of 500 runs."
    assert found.problems[1] == "7 of 120 runs lack the score or sleep_h and are left out."
    with pytest.raises(ValueError, match="the rows lack naps"):
        fit_within_between(rows, "score", "naps")
