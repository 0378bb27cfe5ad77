"""Numbers that stand on a colour can be read there, on a light page and on a dark one."""

from __future__ import annotations

import sys
from itertools import combinations
from pathlib import Path

import pandas as pd
import pytest

from heliograph.charts._palette import DIVERGING, blend
from heliograph.charts.cohort_correlations import plot_cohort_correlations
from heliograph.charts.cohort_levels import plot_level_shares
from thymia_api import BIOMARKERS

sys.path.insert(0, str(Path(__file__).parent))
from cohort_frames import ABOUT, STRESS
from test_palette import contrast


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_each_share_is_written_in_a_colour_that_can_be_read_on_its_part(mode):
    counts = pd.DataFrame({"level": range(4), "n_runs": 5, "share": 0.25})
    counts = counts.assign(group="A", group_runs=20, n_participants=6, small=False)
    figure = plot_level_shares(
        counts, {"A": "A"}, biomarker=STRESS, grouping_title="study arm", about=ABOUT, mode=mode
    )
    assert [trace.text for trace in figure.data] == [("25%",)] * 4
    for trace in figure.data:
        assert contrast(trace.textfont.color, trace.marker.color) >= 4.5


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("r", [-1, -0.8, -0.6, -0.4, 0, 0.3, 0.5, 0.7, 0.95])
def test_each_correlation_is_written_in_a_colour_that_can_be_read_on_its_square(mode, r):
    columns = [biomarker.continuous for biomarker in BIOMARKERS]
    frame = pd.DataFrame(
        [(a, b, r, r - 0.1, r + 0.1, 100, 12, 113) for a, b in combinations(columns, 2)],
        columns=["a", "b", "r", "low", "high", "df", "n_participants", "n_runs"],
    )
    figure = plot_cohort_correlations(frame, confidence=0.95, about=ABOUT, mode=mode)
    written = f"{r:.2f}".replace("-", "−")
    inks = [note.font.color for note in figure.layout.annotations if note.text == written]
    assert len(inks) == 15
    assert all(contrast(ink, blend(DIVERGING[mode], (1 + r) / 2)) >= 4.5 for ink in inks)
