"""Groups of participants: the participant is the unit."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from heliograph.analysis.cohorts import (
    compute_group_summary,
    compute_group_trajectory,
    compute_within_correlations,
    mark_small,
    suppress_small,
)


def make_cells(groups: dict[str, list[float]], *, n_runs: int = 4) -> pd.DataFrame:
    rows = [(name, value) for name, values in groups.items() for value in values]
    return pd.DataFrame(rows, columns=["group", "score"]).assign(
        participant_id=range(len(rows)), n_runs=n_runs, period=pd.NaT
    )


def test_the_interval_of_a_mean_is_that_of_the_handbook():
    """NIST/SEMATECH e-Handbook 1.3.5.2, heat flow meters: n = 195, mean 9.261460, standard deviation 0.022789;
    95 % interval 9.258242 to 9.264679."""
    values = np.arange(195.0)
    values = 9.261460 + 0.022789 * (values - values.mean()) / values.std(ddof=1)
    row = compute_group_summary(make_cells({"meters": list(values)}), "score").iloc[0]
    assert row["n_participants"] == 195
    assert (row["low"], row["high"]) == (
        pytest.approx(9.258242, abs=1e-6),
        pytest.approx(9.264679, abs=1e-6),
    )


def test_a_participant_counts_once_however_many_runs_they_have():
    cells = pd.DataFrame(
        {"participant_id": [1, 2, 3], "group": "a", "n_runs": [1, 500, 2], "score": [0.1, 0.3, 0.5]}
    )
    row = compute_group_summary(cells, "score").iloc[0]
    assert row["mean"] == pytest.approx(0.3)
    assert row["sd"] == pytest.approx(0.2)
    assert (row["n_participants"], row["n_runs"]) == (3, 503)
    assert row["high"] - row["mean"] == pytest.approx(4.302653 * 0.2 / math.sqrt(3), abs=1e-5)


def test_periods_of_a_participant_are_merged_by_their_runs():
    cells = pd.DataFrame(
        {"participant_id": [1, 1, 2], "group": "a", "n_runs": [3, 1, 5], "score": [0.2, 0.6, 0.9]}
    )
    row = compute_group_summary(cells, "score").iloc[0]
    assert row["mean"] == pytest.approx((0.3 + 0.9) / 2)
    assert (row["n_participants"], row["n_runs"]) == (2, 9)


def test_each_period_of_each_group_has_a_row_of_its_own_and_a_missing_one_has_none():
    weeks = pd.to_datetime(["2026-01-05", "2026-01-12", "2026-01-05", "2026-01-19"])
    cells = pd.DataFrame(
        {"participant_id": [1, 1, 2, 3], "group": ["a", "a", "a", "b"], "n_runs": 2, "score": [0.1, 0.2, 0.3, 0.4]}
    ).assign(period=weeks)
    table = compute_group_trajectory(cells, "score")
    assert list(zip(table["group"], table["period"].dt.day, strict=True)) == [("a", 5), ("a", 12), ("b", 19)]
    assert table["mean"].tolist() == pytest.approx([0.2, 0.2, 0.4])
    assert table["n_participants"].tolist() == [2, 1, 1]
    assert table["low"].isna().tolist() == [False, True, True]
    assert compute_group_trajectory(cells.assign(period=pd.NaT), "score").empty


def test_one_participant_has_a_mean_and_no_interval_and_two_have_a_wide_one():
    table = compute_group_summary(make_cells({"a": [0.4], "b": [0.4, 0.6]}), "score").set_index("group")
    assert table.loc["a", "mean"] == 0.4
    assert math.isnan(table.loc["a", "low"])
    assert table.loc["a", "note"] == "not enough participants for an interval (1 of 2)"
    assert table.loc["b", "high"] - table.loc["b", "low"] == pytest.approx(2 * 12.7062 * 0.1, abs=1e-4)
    assert table.loc["b", "note"] == ""


def test_nobody_no_score_and_no_spread():
    cells = make_cells({"a": [0.4, 0.4, np.nan], "b": [np.nan]})
    table = compute_group_summary(cells, "score")
    assert table["group"].tolist() == ["a"]
    assert table.loc[0, ["n_participants", "sd", "low", "high"]].tolist() == [2, 0.0, 0.4, 0.4]
    assert compute_group_summary(cells.iloc[:0], "score").empty
    assert "needed" in compute_group_summary(cells.iloc[:0], "score")


def test_an_impossible_confidence_is_refused():
    with pytest.raises(ValueError, match="95"):
        compute_group_summary(make_cells({"a": [1.0]}), "score", confidence=95)


def test_within_person_correlations_give_each_pair_once_with_its_own_n():
    rng = np.random.default_rng(1)
    persons = np.repeat(np.arange(6), 10)
    base = rng.normal(0, 1, 60)
    rows = pd.DataFrame({"participant_id": persons, "x": base + persons, "y": base * 2 - persons, "z": 1.0})
    rows.loc[:4, "y"] = np.nan
    table = compute_within_correlations(rows, ["x", "y", "z"]).set_index(["a", "b"])
    assert list(table.index) == [("x", "y"), ("x", "z"), ("y", "z")]
    assert table.loc[("x", "y"), "r"] == pytest.approx(1.0)
    assert table.loc[("x", "y"), "df"] == 55 - 6 - 1
    assert table.loc[("x", "z"), "note"] == "the second measure does not vary within participants"
    assert compute_within_correlations(rows.iloc[:0], ["x", "y"])["n_runs"].tolist() == [0]
    assert compute_within_correlations(rows, ["x"]).empty


def test_small_groups_are_marked_and_lose_every_number_for_sharing():
    table = compute_group_summary(make_cells({"a": [0.1, 0.2, 0.3, 0.4], "b": [0.5] * 5}), "score")
    assert mark_small(table, 5)["small"].tolist() == [True, False]
    shared = suppress_small(table, 5).set_index("group")
    numbers = ["n_participants", "n_runs", "mean", "sd", "low", "high"]
    assert shared.loc["a", numbers].isna().all()
    assert shared.loc["a", "note"] == "hidden: fewer than 5 participants"
    assert shared.loc["b", "n_participants"] == 5
    assert "small" not in table
