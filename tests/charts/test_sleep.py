"""Figures of sleep, and of anything that is shown within persons and between them."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from heliograph.analysis.levels_apart import compute_levels_apart
from heliograph.analysis.sleep_people import PEOPLE_MEASURES, compute_sleep_summary
from heliograph.charts.cohort_frame import FigureAbout
from heliograph.charts.sleep import (
    NIGHTS_SHOWN,
    ROWS_SHOWN,
    MeasureView,
    format_clock,
    plot_sleep_measures,
    plot_sleep_times,
)
from heliograph.charts.two_levels import PEOPLE_SHOWN, Slope, plot_between, plot_effects, plot_within
from thymia_api import BIOMARKERS

ABOUT = FigureAbout("pilot", True, date(2026, 5, 1), "the last 30 days")
VIEWS = (MeasureView("duration_h", "Duration, hours"), MeasureView("mid_sleep_h", "Middle of sleep", clock=True))
HOSTILE = "<img src=x> $x$ %{y}"


def texts(figure):
    title = figure.layout.title
    return " ".join([title.text, title.subtitle.text, *(note.text for note in figure.layout.annotations)])


def trace(figure, name):
    return next(entry for entry in figure.data if entry.name == name)


def make_nights(people, nights=3):
    rows = [
        {"participant_id": person, "asleep_h": -1 + person / 10, "awake_h": 7 + person / 10 + night / 60,
         "mid_sleep_h": 3 + person / 10}
        for person in range(people) for night in range(nights)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["participant_id", "asleep_h", "awake_h", "mid_sleep_h"])


def check_frame(figure):
    """What every figure must say without its page."""
    told = texts(figure)
    assert "Synthetic sandbox scores: they mean nothing" in told
    assert "Workspace pilot · drawn 01 May 2026" in told
    assert "the last 30 days" in told


@pytest.mark.parametrize(("hours", "text"), [(-0.75, "23:15"), (0, "00:00"), (25.5, "01:30"), (7.999, "08:00")])
def test_hours_are_shown_as_clock_times(hours, text):
    assert format_clock(hours) == text


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_every_sleep_is_a_line_from_falling_asleep_to_waking_up(mode):
    figure = plot_sleep_times(make_nights(3), {0: "P-001", 1: HOSTILE, 2: "P-003"}, about=ABOUT, mode=mode)
    check_frame(figure)
    assert "n = 3 participants, 9 sleeps" in texts(figure)
    lines = trace(figure, "sleeps")
    assert list(lines.x[:2]) == [-1, 7]
    assert len(lines.x) == 9 * 3
    assert [entry[0] for entry in trace(figure, "middles").customdata] == [0, 1, 2]
    assert "<img" not in str(figure)


def test_of_many_people_and_nights_some_are_shown_and_the_figure_says_so():
    figure = plot_sleep_times(make_nights(ROWS_SHOWN + 60, 1), {}, about=ABOUT)
    assert len(figure.layout.yaxis.tickvals) == ROWS_SHOWN
    assert f"{ROWS_SHOWN} of {ROWS_SHOWN + 60} participants are shown" in texts(figure)
    one = plot_sleep_times(make_nights(1, NIGHTS_SHOWN + 20), {}, about=ABOUT)
    assert len(trace(one, "sleeps").x) == 3 * NIGHTS_SHOWN
    assert f"{NIGHTS_SHOWN + 20} sleeps" in texts(one)


def test_without_sleeps_the_figure_is_empty_and_stands():
    assert "n = 0 participants" in texts(plot_sleep_times(make_nights(0), {}, about=ABOUT))


def test_each_measure_is_a_strip_with_a_dot_a_person_and_its_own_n():
    people = pd.DataFrame({name: [6.0, 7.0, np.nan] for name in PEOPLE_MEASURES})
    people = people.assign(participant_id=[1, 2, 3], label=["A", HOSTILE, "C"], mid_sleep_h=np.nan)
    figure = plot_sleep_measures(people, compute_sleep_summary(people), VIEWS, about=ABOUT)
    check_frame(figure)
    assert list(trace(figure, "Duration, hours").x) == [6, 7]
    assert trace(figure, "median").x[0] == 6.5
    assert "n = 2 participants" in texts(figure)
    assert "n = 0 participants" in texts(figure)
    assert "not enough data yet" in texts(figure)
    assert "<img" not in str(figure)


WORDS = {"title": "Stress", "lines": ["a line"], "notes": ["a note"], "x_title": "hours", "colour": "#123456"}


def test_within_persons_only_distances_are_drawn_with_a_thin_line_a_person_and_a_wedge():
    rng = np.random.default_rng(1)
    apart = compute_levels_apart(np.repeat([1, 2, 3], 4), rng.normal(50, 1, 12), rng.normal(0.5, 0.1, 12))
    figure = plot_within(apart.points, apart.people, slope=Slope(-0.1, -0.2, 0.05), about=ABOUT, **WORDS)
    check_frame(figure)
    assert max(abs(value) for value in trace(figure, "one run").x) < 10
    assert list(trace(figure, "each person").x).count(None) == 3
    wedge = trace(figure, "interval of the slope")
    assert max(wedge.y) > 0 > min(wedge.y)
    low, high = figure.layout.xaxis.range
    assert low == -high


def test_of_many_people_some_lines_are_drawn_and_the_figure_says_so():
    persons = np.repeat(np.arange(PEOPLE_SHOWN + 5), 3)
    apart = compute_levels_apart(persons, np.arange(len(persons)) % 7, np.linspace(0, 1, len(persons)))
    figure = plot_within(apart.points, apart.people, slope=None, about=ABOUT, **WORDS)
    assert list(trace(figure, "each person").x).count(None) == PEOPLE_SHOWN
    assert f"{PEOPLE_SHOWN} of {PEOPLE_SHOWN + 5} persons" in texts(figure)
    assert "slope" not in [entry.name for entry in figure.data]


def test_between_persons_there_is_one_dot_a_person_on_the_whole_scale():
    people = pd.DataFrame(
        {"participant_id": [1, 2], "x": [6.0, 8.0], "y": [0.3, 0.6], "n_runs": [4, 9], "label": ["A", HOSTILE]}
    )
    figure = plot_between(people, slope=Slope(0.15, at_x=7, at_y=0.45), about=ABOUT, **WORDS)
    check_frame(figure)
    assert [entry[0] for entry in trace(figure, "one person").customdata] == [1, 2]
    assert figure.layout.yaxis.range == (-0.03, 1.03)
    line = trace(figure, "slope")
    assert line.y[1] == pytest.approx(0.45)
    assert "<img" not in str(figure)


@pytest.mark.parametrize("n", [0, 1])
def test_figures_of_nothing_and_of_one_run_stand(n):
    apart = compute_levels_apart([1] * n, [7.0] * n, [0.5] * n)
    plot_within(apart.points, apart.people, slope=None, about=ABOUT, **WORDS)
    plot_between(apart.people.assign(label="A"), slope=None, about=ABOUT, **WORDS)


def make_effects():
    names = [biomarker.name for biomarker in BIOMARKERS]
    effects = pd.DataFrame(
        {"name": names * 2, "level": ["within"] * 6 + ["between"] * 6, "estimate": 0.1, "low": 0.0, "high": 0.3,
         "n_participants": 12, "n_runs": 300}
    )  # fmt: skip
    effects.loc[2, ["estimate", "low", "high"]] = np.nan
    return effects


def plot_six(effects, limits=None):
    return plot_effects(
        effects, title="All", lines=["r"], notes=["n"], units={"within": "Within", "between": "Between"},
        limits=limits, about=ABOUT,
    )  # fmt: skip


def test_the_two_levels_have_panels_axes_and_marks_of_their_own():
    figure = plot_six(make_effects(), (-1, 1))
    check_frame(figure)
    within, between = trace(figure, "within"), trace(figure, "between")
    assert (within.xaxis, between.xaxis) == ("x", "x2")
    assert within.marker.symbol != between.marker.symbol
    assert figure.layout.xaxis2.matches is None
    assert len(within.x) == 5
    assert len(between.x) == 6
    assert list(within.error_x.array) == pytest.approx([0.2] * 5)
    assert figure.layout.yaxis.domain[0] > figure.layout.yaxis2.domain[1]


def test_a_level_without_rows_gets_no_panel():
    effects = make_effects()
    figure = plot_six(effects[effects["level"] == "between"])
    assert [entry.name for entry in figure.data] == ["between"]
    assert "Within" not in texts(figure)


def test_without_limits_each_panel_fits_its_own_intervals():
    effects = make_effects()
    effects.loc[effects["level"] == "between", "high"] = 3.0
    figure = plot_six(effects)
    assert figure.layout.xaxis.range[1] < 0.4
    assert figure.layout.xaxis2.range[1] > 3


def test_a_frame_without_a_needed_column_is_refused_by_name():
    with pytest.raises(ValueError, match="n_runs"):
        plot_six(make_effects().drop(columns="n_runs"))
    with pytest.raises(ValueError, match="asleep_h"):
        plot_sleep_times(make_nights(1).drop(columns="asleep_h"), {}, about=ABOUT)
