"""Mixed models of group, time and their interaction."""

from __future__ import annotations

import math
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from heliograph.analysis import mixed
from heliograph.analysis.mixed import fit_all, fit_mixed_model
from heliograph.analysis.model_reports import tabulate_reports

sys.path.insert(0, str(Path(__file__).parent))
from growth import read_growth, read_reaction

WEEK = pd.Timedelta(days=7)


def make_pilot(people: int = 12, runs: int = 10, *, seed: int = 1, slopes: float = 0.0) -> pd.DataFrame:
    """Two groups, `runs` a participant over 8 weeks, score 0.5 ± 0.1 between and ± 0.1 within participants."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), runs)
    week = np.tile(np.linspace(0, 8, runs), people)
    score = 0.5 + rng.normal(0, 0.1, people)[person] + rng.normal(0, slopes, people)[person] * week
    return pd.DataFrame(
        {
            "participant_id": person,
            "session_local": pd.Timestamp("2026-01-05 08:00") + week * WEEK,
            "group": np.where(person % 2, "B", "A"),
            "score": score + rng.normal(0, 0.1, len(person)),
        }
    )


def read_error(terms: pd.DataFrame, row: int) -> float:
    from scipy import stats

    found = terms.iloc[row]
    return float((found["high"] - found["low"]) / 2 / stats.t.ppf(0.975, found["df"]))


def test_growth_curves_of_boys_and_girls_are_the_published_ones():
    """Pinheiro and Bates (2000), Mixed-Effects Models in S and S-PLUS, section 4.1, and nlme: distance on
    Sex * (age - 11) with random intercept and slope by REML: 24.969 (0.486), -2.321 (0.761), 0.784 (0.086),
    -0.305 (0.135); standard deviations 1.830, 0.180 and 1.310; interval of the sex difference -3.889 to -0.753."""
    report = fit_mixed_model(read_growth(), "score", group="sex", time=True, reference="Male")
    terms = report.terms
    assert terms["kind"].tolist() == ["intercept", "group", "time", "interaction"]
    assert terms["estimate"].tolist() == pytest.approx([24.96875, -2.32102, 0.784375, -0.304830], abs=1e-5)
    errors = [read_error(terms, row) for row in range(4)]
    assert errors == pytest.approx([0.4860, 0.7614, 0.0860, 0.1347], abs=5e-5)
    assert (terms["low"].iloc[1], terms["high"].iloc[1]) == (
        pytest.approx(-3.8891900, abs=1e-5),
        pytest.approx(-0.7528555, abs=1e-5),
    )
    spreads = (report.sd_participants, report.sd_slopes, report.sd_residual)
    assert spreads == pytest.approx((1.8303268, 0.1803454, 1.310040), abs=1e-5)
    # Balanced: Satterthwaite's degrees of freedom are those of 27 children in two groups.
    assert terms["df"].tolist() == pytest.approx([25] * 4, abs=0.01)
    assert report.converged
    assert not report.singular


def test_reaction_times_without_sleep_are_the_published_ones():
    """Bates, Mächler, Bolker and Walker (2015), J Stat Softw 67(1): 251.405 (6.825) and 10.467 (1.546) ms a day,
    standard deviations 24.740, 5.922 and 25.592."""
    report = fit_mixed_model(read_reaction(), "score", time=True, centre_weeks=0.0)
    assert report.terms["term"].tolist() == ["mean at week 0.0", "change per week"]
    assert report.terms["estimate"].tolist() == pytest.approx([251.405, 7 * 10.467], abs=0.005)
    assert read_error(report.terms, 0) == pytest.approx(6.825, abs=0.002)
    assert read_error(report.terms, 1) == pytest.approx(7 * 1.546, abs=0.005)
    assert (report.sd_slopes / 7 * 7, report.sd_residual) == (
        pytest.approx(7 * 5.922, abs=0.03),
        pytest.approx(25.592, abs=0.005),
    )
    assert report.terms["df"].tolist() == pytest.approx([17, 17], abs=0.01)


def test_statsmodels_agrees_where_it_converges():
    from statsmodels.regression.mixed_linear_model import MixedLM

    rows = make_pilot(slopes=0.03)
    report = fit_mixed_model(rows, "score", group="group", slopes="none")
    x = np.column_stack([np.ones(len(rows)), rows["group"] == "B"]).astype(float)
    other = MixedLM(rows["score"].to_numpy() * 100, x, rows["participant_id"].to_numpy()).fit(reml=True)
    assert report.terms["estimate"].tolist() == pytest.approx(list(other.fe_params / 100), abs=1e-6)
    assert read_error(report.terms, 1) == pytest.approx(other.bse_fe[1] / 100, rel=1e-4)
    assert report.sd_participants == pytest.approx(float(np.sqrt(other.cov_re[0, 0])) / 100, rel=1e-3)


def test_terms_say_in_words_what_they_compare_and_on_whom_they_rest():
    rows = make_pilot(12, 8)
    rows.loc[rows["participant_id"] == 0, "group"] = "C"
    rows = pd.concat(
        [rows, make_pilot(10, 8, seed=2).assign(group="C", participant_id=lambda d: d.participant_id + 50)]
    )
    report = fit_mixed_model(rows, "score", group="group", time=True, reference="B")
    assert report.groups == ("B", "A", "C")
    assert report.terms["term"].tolist() == [
        "B at week 4.0",
        "A − B at week 4.0",
        "C − B at week 4.0",
        "change per week in B",
        "A − B: difference of change per week",
        "C − B: difference of change per week",
    ]
    assert report.terms["n_participants"].tolist() == [6, 11, 17, 6, 11, 17]
    assert report.terms["n_runs"].tolist() == [48, 88, 136, 48, 88, 136]
    assert math.isnan(report.terms["p"].iloc[0])
    assert report.terms["p"].iloc[1:].notna().all()


def test_slopes_without_spread_are_dropped_aloud_and_degrees_of_freedom_stay_those_of_the_participants():
    reports = [fit_mixed_model(make_pilot(seed=seed), "score", time=True) for seed in range(8)]
    report = next(found for found in reports if "singular" in " ".join(found.problems))
    assert (
        "Participants do not differ measurably in their change per week (singular fit): fitted without."
        in report.problems
    )
    assert report.formula == "score ~ week + (1 | participant)"
    assert report.terms.set_index("kind").loc["time", "df"] <= 11
    assert math.isnan(report.sd_slopes)


def test_slopes_that_follow_from_the_level_are_kept_and_taken_as_unrelated_to_it():
    rng = np.random.default_rng(6)
    rows = make_pilot(12, 10).assign(score=0.0)
    own = rng.normal(0, 0.1, 12)[rows["participant_id"]]
    week = (rows["session_local"] - rows["session_local"].min()) / WEEK
    rows["score"] = own * (1 + 0.2 * (week - 4)) + rng.normal(0, 0.1, len(rows))
    report = fit_mixed_model(rows, "score", time=True)
    assert report.formula == "score ~ week + (1 + week || participant)"
    assert "fitted as unrelated" in report.problems[0]
    assert report.sd_slopes > 0
    assert report.terms.set_index("kind").loc["time", "df"] < 20


def test_participants_without_spread_are_a_singular_fit_that_is_reported():
    rng = np.random.default_rng(3)
    rows = make_pilot(10, 6).assign(score=np.tile([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 10) + rng.normal(0, 1e-3, 60))
    report = fit_mixed_model(rows, "score", group="group")
    assert report.fitted
    assert report.singular
    assert any("singular fit" in text for text in report.problems)
    assert report.terms["df"].max() <= 8


def test_a_fit_that_does_not_converge_says_so(monkeypatch):
    from heliograph.analysis import reml

    fitted = reml.fit_reml
    monkeypatch.setattr(
        mixed,
        "fit_reml",
        lambda *arguments, **options: mixed.replace(
            fitted(*arguments, **options), converged=False, message="too many iterations"
        ),
    )
    report = fit_mixed_model(make_pilot(), "score", group="group")
    assert not report.converged
    assert "The fit did not converge (too many iterations): do not use it." in report.problems


def test_random_slopes_need_participants_with_three_times():
    two_times = make_pilot(12, 2, slopes=0.05)
    assert fit_mixed_model(two_times, "score", time=True).formula == "score ~ week + (1 | participant)"
    assert "week |" in fit_mixed_model(make_pilot(12, 6, slopes=0.05), "score", time=True).formula
    assert (
        "week |" not in fit_mixed_model(make_pilot(12, 6, slopes=0.05), "score", time=True, slopes="none").formula
    )


def test_a_condition_that_participants_change_between_gets_slopes_of_its_own():
    rng = np.random.default_rng(4)
    rows = make_pilot(14, 12).assign(group=np.tile(["off", "on"], 84))
    effect = rng.normal(0.1, 0.15, 14)[rows["participant_id"]]
    rows["score"] += effect * (rows["group"] == "on")
    report = fit_mixed_model(rows, "score", group="group")
    assert "group |" in report.formula
    assert report.terms["df"].iloc[1] == pytest.approx(13, abs=0.5)
    assert report.terms["n_participants"].iloc[1] == 14


@pytest.mark.parametrize("people", [0, 1, 2, 4])
def test_too_few_participants_are_not_fitted(people):
    report = fit_mixed_model(make_pilot(people, 6), "score", time=True)
    assert not report.fitted
    assert report.terms.empty
    assert f"{people} of 5" in report.note
    assert report.note.startswith("Not enough data")


def test_a_small_group_is_left_out_by_name_and_two_groups_must_remain():
    rows = make_pilot(16, 6)
    rows.loc[rows["participant_id"] < 3, "group"] = "C"
    report = fit_mixed_model(rows, "score", group="group")
    assert report.fitted
    assert report.groups == ("A", "B")
    assert "Not enough participants, left out: group C: 3 of 5." in report.problems
    few = fit_mixed_model(make_pilot(8, 6), "score", group="group")
    assert few.note == "Not enough data: too few participants (group A: 4 of 5, group B: 4 of 5)."
    alone = fit_mixed_model(rows.assign(group="only"), "score", group="group")
    assert alone.note == "Not enough data: there is only one group to compare (1 of 2)."
    small = fit_mixed_model(rows, "score", group="group", reference="C")
    assert small.note.startswith("Not enough data in the reference group")


def test_what_cannot_be_fitted_is_said_in_words():
    rows = make_pilot(12, 6)
    assert "no spread" in fit_mixed_model(rows.assign(score=0.4), "score", group="group").note
    single = rows.drop_duplicates("participant_id")
    assert "no participant has two runs" in fit_mixed_model(single, "score", group="group").note
    once = rows.assign(session_local=pd.Timestamp("2026-01-05"))
    assert "at one time only" in fit_mixed_model(once, "score", time=True).note
    many = make_pilot(70, 3).assign(group=lambda d: (d["participant_id"] % 13).astype(str))
    assert fit_mixed_model(many, "score", group="group").note.startswith("Too many groups")
    first = rows.groupby("participant_id")["session_local"].transform("min")
    tied = rows.assign(group=np.where(rows["session_local"] == first, "first", "later"))
    assert fit_mixed_model(tied, "score", group="group", time=True).note.startswith("Group and time")


def test_runs_without_a_value_are_left_out_and_counted():
    rows = make_pilot(12, 6)
    rows.loc[:4, "score"] = np.nan
    rows.loc[10, "group"] = None
    report = fit_mixed_model(rows, "score", group="group")
    assert report.n_runs == 66
    assert report.problems[0] == "6 of 72 runs lack a value the model needs and are left out."


def test_scores_at_the_end_of_the_scale_skew_and_runs_that_follow_each_other_are_mentioned():
    rows = make_pilot(12, 12)
    floored = rows.assign(score=(rows["score"] - 0.5).clip(lower=0))
    told = " ".join(fit_mixed_model(floored, "score", group="group").problems)
    assert "of the scores stand at the lowest value (0)" in told
    rng = np.random.default_rng(2)
    skewed = rows.assign(score=rows["score"] + rng.exponential(1, len(rows)) ** 2)
    assert "skewed" in " ".join(fit_mixed_model(skewed, "score", group="group").problems)
    walk = rng.normal(0, 0.1, (12, 12)).cumsum(axis=1).ravel()
    following = rows.assign(score=rows["score"] * 0.1 + walk)
    told = " ".join(fit_mixed_model(following, "score", time=True, slopes="none").problems)
    assert "Neighbouring runs of a participant are alike" in told
    assert fit_mixed_model(rows, "score", group="group").problems == ()


def test_a_sample_is_called_one(monkeypatch):
    rows = make_pilot(12, 10)
    report = fit_mixed_model(rows, "score", group="group", n_participants_total=400, n_runs_total=9000)
    assert report.sampled
    assert report.problems == ("Fitted to a random sample: 12 of 400 participants, 120 of 9,000 runs.",)
    assert (report.n_participants_total, report.n_runs_total) == (400, 9000)
    monkeypatch.setattr(mixed, "MIXED_ROW_LIMIT", 105)
    drawn = fit_mixed_model(rows, "score")
    assert (drawn.n_participants, drawn.n_runs) == (10, 100)
    assert drawn.sampled
    assert drawn.problems[0] == "Fitted to a random sample: 10 of 12 participants, 100 of 120 runs."
    again = fit_mixed_model(rows, "score")
    assert drawn.terms.equals(again.terms)
    assert not fit_mixed_model(make_pilot(8, 10), "score").sampled


def test_missing_columns_references_and_options_are_named():
    rows = make_pilot()
    with pytest.raises(ValueError, match="the rows lack mood"):
        fit_mixed_model(rows, "mood")
    with pytest.raises(ValueError, match="'Z' is none of the groups"):
        fit_mixed_model(rows, "score", group="group", reference="Z")
    with pytest.raises(ValueError, match="always"):
        fit_mixed_model(rows, "score", slopes="always")
    with pytest.raises(ValueError, match="confidence"):
        fit_mixed_model(rows, "score", confidence=95)


def test_several_scores_share_one_table_with_p_adjusted_over_them():
    rows = make_pilot(16, 8)
    rng = np.random.default_rng(1)
    for name, effect in (("one", 0.3), ("two", 0.1), ("three", 0.0)):
        rows[name] = rows["score"] + effect * (rows["group"] == "B") + rng.normal(0, 0.05, len(rows))
    rows["none"] = np.nan
    table = fit_all(rows, ["one", "two", "three", "none"], group="group", p_adjust="holm")
    groups = table[table["kind"] == "group"].set_index("column")
    assert groups["p_method"].unique().tolist() == ["Holm over 3 tests"]
    assert groups.loc["one", "p_adjusted"] == pytest.approx(3 * groups.loc["one", "p"])
    assert table.loc[table["kind"] == "intercept", "p_adjusted"].isna().all()
    lost = table[table["column"] == "none"].iloc[0]
    assert not lost["fitted"]
    assert lost["problems"].startswith("Not enough data")
    assert math.isnan(lost["estimate"])
    bh = fit_all(rows, ["one", "two"], group="group", p_adjust="bh")
    assert "Benjamini–Hochberg over 2 tests" in set(bh["p_method"])
    assert tabulate_reports([]).empty


def test_ten_thousand_runs_of_two_hundred_participants_take_well_under_a_second():
    rows = make_pilot(200, 50, slopes=0.02)
    fit_mixed_model(rows, "score", time=True)
    begun = time.process_time()
    report = fit_mixed_model(rows, "score", group="group", time=True)
    assert time.process_time() - begun < 1
    assert report.converged


def test_no_warning_escapes_a_difficult_fit():
    rows = make_pilot(5, 3, seed=9)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit_mixed_model(rows.assign(score=rows["score"] * 1e-9), "score", time=True)
        fit_mixed_model(rows.assign(score=rows["score"] * 1e9), "score", time=True)
