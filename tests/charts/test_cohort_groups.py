"""Groups side by side: dots are participants, never runs, and the figure says what it shows."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

from heliograph.charts.cohort_groups import CLOUD_FROM, DOTS_SHOWN, ROWS_SHOWN, plot_cohort_groups

sys.path.insert(0, str(Path(__file__).parent))
from cohort_frames import ABOUT, STRESS, make_means, make_summary, traces, words_of


def plot(means, summary=None, **changes):
    summary = make_summary(means) if summary is None else summary
    settings = {
        "titles": {group: group for group in means["group"].unique()},
        "biomarker": STRESS,
        "grouping_title": "study arm",
        "confidence": 0.95,
        "about": ABOUT,
    } | changes
    return plot_cohort_groups(means, summary, settings.pop("titles"), **settings)


def test_every_participant_is_one_dot_however_many_runs_they_have():
    means = make_means({"A": [0.2, 0.3], "B": [0.5]}).assign(n_runs=[500, 1, 7])
    dots = traces(plot(means), "participants")
    assert [list(trace.x) for trace in dots] == [[0.2, 0.3], [0.5]]
    assert [entry[0] for trace in dots for entry in trace.customdata] == [1, 2, 3]
    assert dots[0].customdata[0][2] == "500 results"


def test_the_mean_of_each_group_carries_its_interval_and_its_n():
    figure = plot(make_means({"A": [0.2, 0.4], "B": [0.5, 0.7]}))
    mean = traces(figure, "group mean")[0]
    assert mean.x[0] == pytest.approx(0.3)
    assert mean.error_x.array[0] == pytest.approx(0.1)
    assert "n = 2 · mean 0.30 (0.20 to 0.40)" in words_of(figure)


def test_one_participant_has_no_interval_and_it_is_said():
    figure = plot(make_means({"A": [0.2]}))
    assert traces(figure, "group mean")[0].error_x.visible is False
    assert "(no interval)" in words_of(figure)
    assert "it takes two participants" in words_of(figure)


def test_groups_stand_in_the_order_that_is_asked_for():
    means = make_means({"b": [0.1, 0.2], "a": [0.8, 0.9]})
    figure = plot(means, titles={"a": "First", "b": "Second"})
    assert [trace.x[0] for trace in traces(figure, "participants")] == [0.8, 0.1]


def test_small_groups_are_marked():
    means = make_means({"A": [0.1] * 4, "B": [0.2] * 5})
    assert words_of(plot(means)).count("▲ small") == 2  # at the group, and in the notes


def test_a_cloud_is_drawn_for_larger_groups_only():
    means = make_means({"A": [0.1 + 0.01 * number for number in range(CLOUD_FROM)], "B": [0.2, 0.3]})
    assert len(traces(plot(means), "cloud")) == 1


def test_many_participants_are_a_spread_of_dots_and_the_rest_is_told():
    means = make_means({"A": [number / 1000 for number in range(900)]})
    figure = plot(means)
    shown = traces(figure, "participants")[0]
    assert len(shown.x) == DOTS_SHOWN
    assert f"at most {DOTS_SHOWN} a group, 700 not drawn" in words_of(figure)
    assert "n = 900" in words_of(figure)
    assert list(shown.x) == list(traces(plot(means), "participants")[0].x)


def test_of_many_groups_the_last_are_drawn_and_the_number_is_told():
    means = make_means({f"{number:03d}": [0.1, 0.2] for number in range(40)})
    figure = plot(means)
    assert len(traces(figure, "group mean")) == ROWS_SHOWN
    assert f"The last {ROWS_SHOWN} of 40 groups" in words_of(figure)


def test_the_figure_says_where_it_is_from_and_which_way_is_worse():
    words = words_of(plot(make_means({"A": [0.1, 0.2]})))
    for part in ("Stress by study arm", "higher is worse", "Score from 0 to 1", "Synthetic sandbox scores",
                 "Workspace pilot", "01 May 2026", "95% t interval"):  # fmt: skip
        assert part in words


def test_markup_in_labels_and_groups_stays_text():
    means = make_means({"<b>x</b>": [0.1, 0.2]}).assign(label="<img src=x>")
    figure = plot(means)
    assert "<img" not in str(figure)
    assert "&lt;b&gt;x" in words_of(figure)


def test_without_labels_nobody_is_named():
    figure = plot(make_means({"A": [0.1, 0.2]}).assign(label=None))
    assert traces(figure, "participants")[0].customdata[0][1] == "One participant"


def test_missing_scores_are_left_out_and_no_group_at_all_is_an_empty_figure():
    means = make_means({"A": [0.1, float("nan"), 0.3]})
    assert list(traces(plot(means), "participants")[0].x) == [0.1, 0.3]
    empty = make_means({"A": [0.1]}).iloc[:0]
    assert not plot(empty, make_summary(make_means({"A": [0.1]})).iloc[:0]).data


def test_a_frame_without_a_column_is_named():
    with pytest.raises(ValueError, match="value"):
        plot(make_means({"A": [0.1]}).drop(columns="value"), pd.DataFrame())
