"""Frames in, Plotly figures out. Nothing here draws on a screen, reads the store or knows the clock."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from heliograph.charts._palette import BACKGROUNDS, BIOMARKER_COLOURS, INK, LEVEL_NAMES, Mode, name_level
from heliograph.charts._text import escape_plotly

if TYPE_CHECKING:
    from heliograph.charts._template import make_template
    from heliograph.charts.trend import (
        TrendCounts,
        compute_break_after_days,
        compute_trend_counts,
        plot_trend,
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
]

# Plotly and pandas take a second to import, and the first page needs neither.
_MAKERS = {"make_template": "heliograph.charts._template"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MAKERS.get(name, "heliograph.charts.trend")), name)
