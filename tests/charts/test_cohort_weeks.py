"""Groups over time: participants' own lines, group means with intervals, gaps where weeks are missing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from heliograph.charts.cohort_weeks import GROUPS_SHOWN, LINES_SHOWN, plot_cohort_weeks

sys.path.insert(0, str(Path(__file__).parent))
from cohort_frames import ABOUT, STRESS, make_summary, make_weeks, traces, words_of


def plot(cells, **changes):
    settings = {
        "titles": {group: group for group in cells["group"].unique()},
        "biomarker": STRESS,
        "grouping_title": "study arm",
        "confidence": 0.95,
        "about": ABOUT,
    } | changes
    trajectory = make_summary(cells, by=("group", "period"))
    return plot_cohort_weeks(cells, trajectory, settings.pop("titles"), **settings)


def count_people(figure):
    return {entry[0] for trace in traces(figure, "participants") for entry in trace.customdata if entry}


def test_one_group_is_one_panel_and_two_are_compared_first():
    assert {trace.yaxis for trace in plot(make_weeks({"all": 6})).data} == {"y"}
    figure = plot(make_weeks({"A": 6, "B": 6}))
    assert {trace.yaxis for trace in figure.data} == {"y", "y2", "y3"}
    assert "Means of the groups" in words_of(figure)


def test_all_panels_share_one_true_time_axis_over_the_whole_scale():
    layout = plot(make_weeks({"A": 2, "B": 2})).layout
    assert layout.xaxis2.matches == layout.xaxis3.matches == "x"
    assert layout.xaxis.type == "date"
    for axis in (layout.yaxis, layout.yaxis2, layout.yaxis3):
        assert axis.range[0] < 0
        assert axis.range[1] > 1


def test_at_most_a_hundred_participants_are_drawn_and_the_number_of_all_is_told():
    cells = make_weeks({"A": 150, "B": 90}, weeks=(0, 1))
    figure = plot(cells)
    assert len(count_people(figure)) == LINES_SHOWN
    assert f"showing {LINES_SHOWN} of 240 participants" in words_of(figure)
    assert count_people(plot(cells)) == count_people(figure)


def test_every_participant_is_drawn_where_there_are_few():
    figure = plot(make_weeks({"A": 7}))
    assert count_people(figure) == set(range(1, 8))
    assert "7 participants" in words_of(figure)


def test_a_missed_week_breaks_the_participants_line_the_mean_and_its_band():
    figure = plot(make_weeks({"A": 2}, weeks=(0, 1, 3, 4)))
    person = traces(figure, "participants")[0]
    assert list(person.x[:6])[2] is None
    assert list(traces(figure, "A mean")[0].y)[2] is None
    assert len(traces(figure, "interval")) == 2


def test_a_band_is_drawn_only_where_there_is_an_interval():
    cells = make_weeks({"A": 1})
    assert not any(trace.x for trace in traces(plot(cells), "interval"))


def test_weeks_of_small_groups_are_hollow_and_it_is_said():
    figure = plot(make_weeks({"A": 4, "B": 8}))
    small, large = (traces(figure, f"{group} mean")[0] for group in "AB")
    assert set(small.marker.color) == {"#ffffff"}
    assert "#ffffff" not in large.marker.color
    assert "○ hollow" in words_of(figure)


def test_of_many_groups_the_largest_are_drawn_and_the_number_is_told():
    figure = plot(make_weeks({f"G{number}": number + 1 for number in range(9)}, weeks=(0, 1)))
    assert f"The {GROUPS_SHOWN} largest of 9 groups" in words_of(figure)
    assert not traces(figure, "G0 mean")
    assert traces(figure, "G8 mean")


def test_groups_differ_by_symbol_and_dash_besides_colour():
    figure = plot(make_weeks({"A": 6, "B": 6}))
    first, second = traces(figure, "A")[0], traces(figure, "B")[0]
    assert first.marker.symbol != second.marker.symbol
    assert first.line.dash != second.line.dash


def test_a_click_on_a_mean_opens_nobody():
    figure = plot(make_weeks({"A": 6, "B": 6}))
    for trace in (*traces(figure, "A"), *traces(figure, "A mean")):
        assert trace.customdata is None
        assert "6 participants" in trace.text[0]


def test_the_figure_can_be_read_alone():
    words = words_of(plot(make_weeks({"A": 6, "B": 6})))
    for part in ("Stress by week and study arm", "higher is worse", "n = 6 a week", "Synthetic", "Workspace pilot",
                 "01 May 2026", "95% t interval"):  # fmt: skip
        assert part in words


def test_hostile_labels_stay_text_and_a_missing_column_is_named():
    cells = make_weeks({"A": 2}).assign(label="<script>x</script>")
    assert "<script>" not in str(plot(cells))
    with pytest.raises(ValueError, match="period"):
        plot_cohort_weeks(
            cells.drop(columns="period"), make_summary(cells), {"A": "A"}, biomarker=STRESS, grouping_title="",
            confidence=0.95, about=ABOUT,
        )  # fmt: skip
