"""Levels: proportional odds with runs clustered in participants."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from heliograph.analysis import ordinal
from heliograph.analysis.cumulative_logit import fit_cumulative_logit
from heliograph.analysis.ordinal import fit_all_levels, fit_levels

# Agresti (2013), Categorical Data Analysis, 3rd edition, table 12.3, as in the data set table_12.3 of R's
# CatDataAnalysis (https://rdrr.io/cran/CatDataAnalysis/man/table_12.3.html): patients by minutes to fall asleep
# (under 20, to 30, to 60, over 60), at first (rows) and later (columns).
INSOMNIA = {
    "active": [[7, 4, 1, 0], [11, 5, 2, 2], [13, 23, 3, 1], [9, 17, 13, 8]],
    "placebo": [[7, 4, 2, 1], [14, 5, 1, 0], [6, 9, 18, 2], [4, 11, 14, 22]],
}


def read_insomnia() -> pd.DataFrame:
    """One row per patient and occasion, the occasions one week apart."""
    pairs = [
        (treatment, first, second)
        for treatment, table in INSOMNIA.items()
        for first, row in enumerate(table)
        for second, count in enumerate(row)
        for _ in range(count)
    ]
    days = pd.to_datetime(["2026-01-05", "2026-01-12"])
    rows = [
        (number, treatment, day, level)
        for number, (treatment, *levels) in enumerate(pairs)
        for day, level in zip(days, levels, strict=True)
    ]
    return pd.DataFrame(rows, columns=["participant_id", "treatment", "session_local", "level"])


def make_levels(people: int = 16, runs: int = 12, *, effect: float = 0.0, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), runs)
    hidden = rng.normal(0, 1, people)[person] + rng.logistic(size=len(person)) + effect * (person % 2)
    days = pd.to_timedelta(np.tile(np.arange(runs) * 3.0, people), unit="D")
    return pd.DataFrame(
        {
            "participant_id": person,
            "session_local": pd.Timestamp("2026-01-05 08:00") + days,
            "group": np.where(person % 2, "B", "A"),
            "level": np.digitize(hidden, [-1, 0, 1.5]).astype(float),
        }
    )


def test_the_insomnia_trial_gives_the_log_odds_and_errors_of_statsmodels():
    """Its generalised estimating equations, with independence as working correlation, are another programme's
    way to the same model: the log odds of P(Y > j) for the occasion, the treatment and their interaction."""
    from statsmodels.genmod.cov_struct import OrdinalIndependence
    from statsmodels.genmod.generalized_estimating_equations import OrdinalGEE

    rows = read_insomnia()
    assert rows["participant_id"].nunique() == 239
    treated = (rows["treatment"] == "active").to_numpy(dtype=float)
    later = rows["session_local"].dt.day.to_numpy() == 12
    x = np.column_stack([later, treated, treated * later]).astype(float)
    persons = rows["participant_id"].to_numpy()
    fit = fit_cumulative_logit(rows["level"].to_numpy(), x, persons, corrected=False)
    other = OrdinalGEE(rows["level"].to_numpy(), x, persons, cov_struct=OrdinalIndependence()).fit()
    assert fit.coefficients == pytest.approx(np.asarray(other.params)[3:], abs=1e-5)
    assert np.sqrt(np.diag(fit.covariance)) == pytest.approx(np.asarray(other.bse)[3:], abs=1e-5)
    assert fit.coefficients.tolist() == pytest.approx([-1.038, -0.034, -0.708], abs=5e-4)
    assert fit.converged
    corrected = fit_cumulative_logit(rows["level"].to_numpy(), x, persons)
    assert (np.diag(corrected.covariance) > np.diag(fit.covariance)).all()


def test_the_report_gives_them_as_odds_ratios():
    report = fit_levels(
        read_insomnia(), "level", group="treatment", time=True, reference="placebo", centre_weeks=0.0
    )
    assert report.scale == "odds ratio"
    assert report.terms["kind"].tolist() == ["group", "time", "interaction"]
    assert np.log(report.terms["estimate"]).tolist() == pytest.approx([-0.034, -1.038, -0.708], abs=5e-4)
    assert (report.terms["low"] < report.terms["estimate"]).all()
    assert report.terms["p"].iloc[0] > 0.8
    assert report.terms["p"].iloc[1] < 1e-6
    assert report.terms["n_participants"].tolist() == [239, 120, 239]
    assert report.terms["n_runs"].tolist() == [478, 240, 478]


def test_statsmodels_gives_the_same_estimates():
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    rows = make_levels(20, 10, effect=0.8)
    x = (rows["group"] == "B").to_numpy(dtype=float)[:, None]
    levels = rows["level"].to_numpy(dtype=int)
    other = OrderedModel(levels, x, distr="logit").fit(method="bfgs", disp=0)
    fit = fit_cumulative_logit(levels, x, rows["participant_id"].to_numpy())
    assert fit.coefficients[0] == pytest.approx(other.params[0], abs=1e-4)
    assert -fit.thresholds[0] == pytest.approx(other.params[1], abs=1e-4)


def test_repeating_every_run_changes_nothing_since_participants_are_what_counts():
    rows = make_levels(effect=0.5)
    once = fit_levels(rows, "level", group="group").terms.iloc[0]
    twice = fit_levels(pd.concat([rows, rows]), "level", group="group").terms.iloc[0]
    assert twice["low"] == pytest.approx(once["low"], rel=1e-6)
    assert twice["df"] == once["df"] == 14
    assert twice["n_runs"] == 2 * once["n_runs"]


def test_levels_are_names_in_order_whatever_their_numbers():
    rows = make_levels(effect=0.5)
    thirds = fit_levels(rows.assign(level=rows["level"] / 3), "level", group="group")
    assert thirds.terms.equals(fit_levels(rows, "level", group="group").terms)


@pytest.mark.parametrize("people", [0, 1, 2, 8])
def test_too_few_participants_are_not_fitted(people):
    report = fit_levels(make_levels(people, 6), "level", group="group")
    assert not report.fitted
    assert report.note.startswith("Not enough data")


def test_one_run_each_is_enough_for_levels():
    assert fit_levels(make_levels(60, 1, effect=1.0), "level", group="group").fitted


def test_one_level_only_and_an_infinite_ratio_are_said():
    rows = make_levels()
    assert "no spread" in fit_levels(rows.assign(level=2.0), "level", group="group").note
    floored = rows.assign(level=rows["level"].where(rows["group"] == "B", 0.0))
    report = fit_levels(floored, "level", group="group")
    assert report.note == "Every run of group A is at the lowest level: its odds ratio would be infinite."
    assert not report.fitted
    split = rows.assign(level=rows["session_local"].rank(method="dense").gt(6).astype(float))
    assert "infinite" in fit_levels(split, "level", time=True).note


def test_rare_levels_and_ratios_that_differ_between_levels_are_mentioned():
    rows = make_levels(40, 10)
    rare = rows.assign(level=rows["level"].where(rows["level"] < 3, 2.0))
    rare.loc[[0, 13], "level"] = 3.0
    assert "1 of 4 levels has fewer than 5 runs." in fit_levels(rare, "level", group="group").problems
    rng = np.random.default_rng(2)
    wide = np.where(rows["group"] == "B", rng.choice([0.0, 3.0], len(rows)), rng.choice([1.0, 2.0], len(rows)))
    wide[:20] = np.tile([0.0, 1, 2, 3], 5)
    told = " ".join(fit_levels(rows.assign(level=wide), "level", group="group").problems)
    assert "the odds ratio differs between the levels" in told


def test_gaps_are_left_out_and_a_sample_is_called_one(monkeypatch):
    rows = make_levels()
    rows.loc[:2, "level"] = np.nan
    report = fit_levels(rows, "level", group="group", n_participants_total=90, n_runs_total=900)
    assert report.n_runs == len(rows) - 3
    assert report.sampled
    assert report.problems[:2] == (
        "Fitted to a random sample: 16 of 90 participants, 192 of 900 runs.",
        "3 of 192 runs lack a value the model needs and are left out.",
    )
    monkeypatch.setattr(ordinal, "LEVELS_ROW_LIMIT", 150)
    assert fit_levels(rows, "level", group="group").n_participants == 12


def test_a_model_of_nothing_is_refused():
    with pytest.raises(ValueError, match="nothing to compare"):
        fit_levels(make_levels(), "level")
    with pytest.raises(ValueError, match="the rows lack mood"):
        fit_levels(make_levels(), "mood", group="group")


def test_five_biomarkers_share_one_table():
    rows = make_levels(effect=1.5)
    rows["other"] = make_levels(seed=5)["level"]
    rows["empty"] = math.nan
    table = fit_all_levels(rows, ["level", "other", "empty"], group="group")
    known = table[table["fitted"]]
    assert known["p_method"].unique().tolist() == ["Holm over 2 tests"]
    assert (known["p_adjusted"] >= known["p"]).all()
    assert table["fitted"].tolist() == [True, True, False]
