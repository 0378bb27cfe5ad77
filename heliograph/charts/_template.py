"""The one Plotly template: fonts, grid and colours of every figure, light and dark.

Figures are shown with Streamlit's own theme switched off, so that the picture on the page, a screenshot and an
exported file are the same.
"""

from __future__ import annotations

import plotly.graph_objects as go

from heliograph.charts._palette import BACKGROUNDS, BIOMARKER_COLOURS, INK, MUTED, Mode

__all__ = ["FONT_FAMILY", "make_template"]

FONT_FAMILY = '"Source Sans", "Source Sans Pro", "Segoe UI", "Helvetica Neue", Arial, sans-serif'
GRID: dict[Mode, str] = {"light": "#e6ebed", "dark": "#273136"}
AXIS_LINE: dict[Mode, str] = {"light": "#b4c0c5", "dark": "#4a5a61"}
HOVER_BACKGROUND: dict[Mode, str] = {"light": "#ffffff", "dark": "#1c2428"}


def make_template(mode: Mode) -> go.layout.Template:
    """A fresh template for figures on a light or a dark page."""
    axis = {
        "gridcolor": GRID[mode],
        "linecolor": AXIS_LINE[mode],
        "tickcolor": AXIS_LINE[mode],
        "tickfont": {"color": MUTED[mode], "size": 12},
        "zeroline": False,
        "automargin": False,
        "title": {"font": {"color": MUTED[mode], "size": 12}},
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT_FAMILY, "size": 13, "color": INK[mode]},
            "title": {
                "x": 0,
                "xref": "container",
                "xanchor": "left",
                "font": {"size": 19, "color": INK[mode], "weight": 600},
            },
            "paper_bgcolor": BACKGROUNDS[mode],
            "plot_bgcolor": BACKGROUNDS[mode],
            "colorway": list(BIOMARKER_COLOURS[mode].values()),
            "xaxis": {**axis, "showgrid": True, "showline": True, "ticks": "outside", "ticklen": 4},
            "yaxis": {**axis, "showgrid": True, "showline": False, "ticks": ""},
            "hoverlabel": {
                "bgcolor": HOVER_BACKGROUND[mode],
                "bordercolor": AXIS_LINE[mode],
                "font": {"family": FONT_FAMILY, "size": 13, "color": INK[mode]},
                "align": "left",
            },
            "showlegend": False,
            "dragmode": "pan",
        }
    )
