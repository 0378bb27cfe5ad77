"""The figure of two measures on one scale."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from heliograph.analysis import compute_bland_altman
from heliograph.charts.agreement import plot_bland_altman
from heliograph.charts.cohort_frame import FigureAbout
from tests.analysis.bland_altman import LARGE, MINI

ABOUT = FigureAbout("pilot", True, date(2026, 5, 1))


def plot(pairs, limits, **changes):
    words = {"title": "Agreement", "lines": ["A − B"], "notes": ["n"], "unit": "l/min", "about": ABOUT}
    return plot_bland_altman(pairs, limits, **(words | changes))


def make_pairs(first, second):
    return pd.DataFrame(
        {"participant_id": range(len(first)), "label": "<b>P</b>", "first": first, "second": second}
    )


def texts(figure):
    return " ".join(note.text for note in figure.layout.annotations)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_the_lines_stand_at_the_published_limits(mode):
    """Bland and Altman (1986): mean difference -2.1 l/min, s 38.8 l/min, limits -79.7 and 75.5 (with 2 s)."""
    limits = compute_bland_altman(LARGE, MINI)
    figure = plot(make_pairs(LARGE, MINI), limits, mode=mode)
    lines = sorted(shape.y0 for shape in figure.layout.shapes if shape.type == "line")
    assert lines[1] == pytest.approx(-2.1, abs=0.05)
    assert (lines[0], lines[2]) == (pytest.approx(-78.1, abs=0.1), pytest.approx(73.9, abs=0.1))
    assert sum(shape.type == "rect" for shape in figure.layout.shapes) == 3
    dots = figure.data[0]
    assert list(dots.y)[:2] == [-18, -35]
    assert list(dots.x)[:2] == [503, 412.5]
    low, high = figure.layout.yaxis.range
    assert low == -high
    assert high > limits.high_high


def test_the_figure_says_unit_workspace_and_that_scores_are_synthetic_and_labels_stay_text():
    figure = plot(make_pairs(LARGE, MINI), compute_bland_altman(LARGE, MINI))
    assert "l/min" in figure.layout.xaxis.title.text
    assert "Synthetic sandbox scores" in figure.layout.title.subtitle.text
    assert "Workspace pilot" in texts(figure)
    assert "<b>P</b>" not in str(figure.data[0].customdata)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_pairs_are_points_without_limits(n):
    figure = plot(make_pairs(LARGE[:n], MINI[:n]), compute_bland_altman(LARGE[:n], MINI[:n]))
    assert len(figure.data[0].x) == n
    assert not [shape for shape in figure.layout.shapes if shape.type == "rect"]


def test_pairs_that_are_all_equal_have_an_axis_around_zero():
    figure = plot(make_pairs([3, 3, 3, 3], [3, 3, 3, 3]), compute_bland_altman([3.0] * 4, [3.0] * 4))
    low, high = figure.layout.yaxis.range
    assert low < 0 < high
    assert np.isfinite(high)


def test_a_missing_column_is_named():
    with pytest.raises(ValueError, match="label"):
        plot(make_pairs(LARGE, MINI).drop(columns="label"), compute_bland_altman(LARGE, MINI))
