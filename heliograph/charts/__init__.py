"""Frames in, Plotly figures out. Nothing here draws on a screen, reads the store or knows the clock."""

from heliograph.charts._palette import BACKGROUNDS, BIOMARKER_COLOURS, INK, LEVEL_NAMES, Mode, name_level
from heliograph.charts._template import make_template
from heliograph.charts._text import escape_plotly
from heliograph.charts.trend import (
    TrendCounts,
    compute_break_after_days,
    compute_trend_counts,
    plot_trend,
    write_trend_csv,
)

__all__ = [
    "BACKGROUNDS",
    "BIOMARKER_COLOURS",
    "INK",
    "LEVEL_NAMES",
    "Mode",
    "TrendCounts",
    "compute_break_after_days",
    "compute_trend_counts",
    "escape_plotly",
    "make_template",
    "name_level",
    "plot_trend",
    "write_trend_csv",
]
