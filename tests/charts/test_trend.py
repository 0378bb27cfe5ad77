"""What the trend figure shows, on frames whose values are known."""

from __future__ import annotations

import json
import sys
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from heliograph.charts import compute_break_after_days, compute_trend_counts, plot_trend
from thymia_api import BIOMARKERS

sys.path.insert(0, str(Path(__file__).parent))
from frames import make_trend_frame

DAY = 24


def plot(frame, **changes):
    settings = {
        "participant_label": "P-001",
        "workspace": "sandbox",
        "synthetic": True,
        "drawn_on": date(2026, 5, 1),
    }
    return plot_trend(frame, **(settings | changes))


def points(figure, title):
    return next(trace for trace in figure.data if trace.name == title)


def line(figure, title):
    return next(trace for trace in figure.data if trace.name == f"{title} line")


def texts(figure):
    title = figure.layout.title
    return " ".join([title.text, title.subtitle.text, *(note.text for note in figure.layout.annotations)])


def test_every_result_is_a_point_of_every_biomarker_at_its_own_time_and_value():
    frame = make_trend_frame([0, 25, 50])
    figure = plot(frame)
    for biomarker in BIOMARKERS:
        trace = points(figure, biomarker.title)
        assert list(trace.x) == list(frame["session_local"])
        assert list(trace.y) == list(frame[biomarker.continuous])
        assert [entry[0] for entry in trace.customdata] == [1, 2, 3]


def test_the_time_axis_is_a_true_one_shared_by_all_panels():
    figure = plot(make_trend_frame([0, DAY]))
    assert figure.layout.xaxis.type == "date"
    assert figure.layout.xaxis2.type == "date"
    assert figure.layout.xaxis2.matches == "x"
    assert {trace.xaxis for trace in figure.data} == {"x", "x2"}


def test_mental_strain_has_the_tallest_panel_and_no_panels_overlap():
    layout = plot(make_trend_frame([0])).layout
    domains = [layout[f"yaxis{number or ''}"].domain for number in ("", 2, 3, 4, 5, 6)]
    heights = [top - bottom for bottom, top in domains]
    assert heights[0] > 2 * max(heights[1:])
    assert all(upper[0] > lower[1] for upper, lower in pairwise(domains))


def test_every_panel_spans_the_whole_scale_whatever_the_values_are():
    layout = plot(make_trend_frame([0, DAY])).layout
    for number in ("", 2, 3, 4, 5, 6):
        low, high = layout[f"yaxis{number}"].range
        assert low < 0
        assert high > 1


def test_a_missed_day_of_a_daily_protocol_breaks_the_line_and_is_said():
    figure = plot(make_trend_frame([0, DAY, 2 * DAY, 4 * DAY, 5 * DAY]))
    assert [value is None for value in line(figure, "Mental strain").y] == [
        False,
        False,
        False,
        True,
        False,
        False,
    ]
    assert "Lines break after more than a day without a result." in texts(figure)


def test_a_weekly_protocol_stays_joined_and_breaks_at_a_missed_week():
    figure = plot(make_trend_frame([7 * DAY * week for week in (0, 1, 2, 4, 5)]))
    assert [value is None for value in line(figure, "Stress").y].count(True) == 1
    assert "more than 10 days" in texts(figure)


@pytest.mark.parametrize(
    ("days", "expected"), [([], 1), ([0], 1), ([0, 0, 0], 1), ([0, 1, 2], 1), ([0, 7, 14], 10), ([0, 2, 4], 3)]
)
def test_lines_break_at_one_and_a_half_times_the_usual_spacing(days, expected):
    times = pd.Series(pd.to_datetime(["2026-03-02T08:00"] * len(days))) + pd.to_timedelta(days, unit="D")
    assert compute_break_after_days(times) == expected


def test_several_sessions_a_day_stay_apart_and_joined():
    figure = plot(make_trend_frame([0, 3, 6]))
    assert len(set(points(figure, "Mental strain").x)) == 3
    assert None not in line(figure, "Mental strain").y


def test_a_missing_score_leaves_out_its_point_only():
    frame = make_trend_frame([0, DAY, 2 * DAY])
    frame.loc[1, "uniform_stress"] = np.nan
    figure = plot(frame)
    assert [entry[0] for entry in points(figure, "Stress").customdata] == [1, 3]
    assert len(points(figure, "Distress").x) == 3


def test_results_with_warnings_are_hollow_and_say_what_the_warning_is():
    trace = points(plot(make_trend_frame([0, DAY], warned=[1])), "Mental strain")
    full, hollow = trace.marker.color
    assert full == trace.marker.line.color
    assert hollow == "#ffffff"
    assert "warning: low snr" in trace.customdata[1][1]


def test_sessions_without_a_result_are_crosses_under_the_axis_with_the_reason():
    figure = plot(make_trend_frame([0, DAY, 2 * DAY], states=["complete_ok", "complete_error", "failed"]))
    crosses = points(figure, "no result")
    assert [entry[0] for entry in crosses.customdata] == [2, 3]
    assert all(value < 0 for value in crosses.y)
    assert "recording too short" in crosses.customdata[0][1]


def test_runs_under_way_are_counted_but_not_drawn():
    frame = make_trend_frame([0, DAY], states=["complete_ok", "running"])
    assert compute_trend_counts(frame).in_progress == 1
    assert len(points(plot(frame), "Mental strain").x) == 1


def test_levels_are_steps_over_four_names_and_mental_strain_stays_continuous():
    frame = make_trend_frame([0, DAY, 2 * DAY])
    figure = plot(frame, buckets=True)
    assert list(points(figure, "Stress").y) == list(frame["stress"])
    assert line(figure, "Stress").line.shape == "hv"
    assert figure.layout.yaxis3.ticktext == ("lowest", "lower", "higher", "highest")
    assert list(points(figure, "Mental strain").y) == list(frame["mental_strain"])
    assert line(figure, "Mental strain").line.shape == "linear"


def test_a_screenshot_says_whose_it_is_the_scale_how_many_where_and_when():
    said = texts(
        plot(make_trend_frame([0, DAY, 2 * DAY], warned=[0], states=["complete_ok", "complete_ok", "failed"]))
    )
    for part in (
        "P-001",
        "0 to 1",
        "higher is worse",
        "n = 2",
        "warnings (1)",
        "none (1)",
        "Workspace sandbox",
        "01 May 2026",
        "Synthetic",
    ):
        assert part in said


def test_real_scores_are_not_called_synthetic():
    assert "ynthetic" not in texts(plot(make_trend_frame([0]), synthetic=False, workspace="live-ca"))


def test_hover_tells_date_sleep_tags_and_run():
    told = points(plot(make_trend_frame([0], tags={"phase": "baseline"})), "Stress").customdata[0][1]
    for part in ("Mon 02 Mar 2026, 08:00", "slept 8.0 h, awake for 1.0 h", "phase: baseline", "run 1"):
        assert part in told


def test_hover_names_four_tags_and_counts_the_others():
    told = points(plot(make_trend_frame([0], tags={f"t{n}": "v" for n in range(20)})), "Stress").customdata[0][1]
    assert "t3: v" in told
    assert "t4: v" not in told
    assert "and 16 more tags" in told


def test_markup_in_labels_and_tags_stays_text():
    hostile = '<a href="https://e.test">x</a><b>$y$'
    figure = plot(make_trend_frame([0], tags={hostile: hostile}), participant_label=hostile)
    for text in (figure.layout.title.text, points(figure, "Stress").customdata[0][1]):
        assert "<a" not in text
        assert "&lt;a" in text
        assert "$" not in text


@pytest.mark.parametrize("buckets", [False, True])
@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("offsets", [[], [0], [0, 1, 2, 700 * DAY]])
def test_no_run_one_run_and_far_apart_runs_are_drawn(offsets, mode, buckets):
    figure = plot(make_trend_frame(offsets), mode=mode, buckets=buckets)
    json.loads(figure.to_json())
    assert len(points(figure, "Mental strain").x) == len(offsets)
    assert ("No results in this period" in texts(figure)) == (not offsets)


def test_long_trends_are_drawn_by_webgl():
    assert points(plot(make_trend_frame([DAY * n for n in range(1501)])), "Stress").type == "scattergl"
    assert points(plot(make_trend_frame([DAY * n for n in range(1500)])), "Stress").type == "scatter"


def test_the_frame_is_not_changed():
    frame = make_trend_frame([0, DAY], warned=[1])
    before = frame.copy(deep=True)
    plot(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_a_frame_without_a_needed_column_is_refused_by_name():
    with pytest.raises(ValueError, match="uniform_stress"):
        plot(make_trend_frame([0]).drop(columns="uniform_stress"))


@pytest.mark.parametrize("offsets_h", [[0], [0, 3, 9]])
def test_a_single_session_or_day_stands_among_whole_days_not_minutes(offsets_h):
    first, last = (pd.Timestamp(end) for end in plot(make_trend_frame(offsets_h)).layout.xaxis.range)
    assert last - first >= pd.Timedelta(days=4)
    assert first < pd.Timestamp("2026-03-02T08:00:00") < last


def test_sessions_over_weeks_keep_the_axis_that_fits_them():
    assert plot(make_trend_frame([DAY * n for n in range(20)])).layout.xaxis.range is None
