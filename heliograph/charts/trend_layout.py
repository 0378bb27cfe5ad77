"""Where the panels of the trend figure stand: one large, what belongs to it right below, five small ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from heliograph.charts._palette import INK, LEVEL_NAMES, MUTED, Mode
from heliograph.charts._stamp import TEXT_PX
from heliograph.charts._template import make_template

__all__ = [
    "LANE",
    "LEFT_PX",
    "SCORE_RANGE",
    "Panel",
    "Trace",
    "compute_height",
    "compute_panels",
    "make_direction",
    "make_layout",
    "make_panel_title",
    "make_scatter",
    "make_score_axis",
    "make_uprights",
    "widen_short_span",
]

Trace = dict[str, Any]
Kind = Literal["main", "control", "confounder", "small"]

TOP_PX, MAIN_PX, CONTROL_PX, CONFOUNDER_PX, SMALL_PX = 84, 270, 100, 40, 76
TITLE_PX, LINE_PX, AFTER_GROUP_PX = 30, 16, 66
LEFT_PX, RIGHT_PX = 60, 14
# Scores lie in [0, 1]; the margins keep whole markers inside, and the crosses of sessions without a result.
SCORE_RANGE = (-0.1, 1.07)
LANE = 0.1  # One row of dated notes above the scores, in units of the score.
# Sessions closer together than this are shown within a few whole days, not spread over minutes.
SHORTEST_SPAN = pd.Timedelta(days=3)

# Day before month by name: 03/04 would be read in two ways.
TICK_FORMATS = [
    {"dtickrange": [None, 86_399_999], "value": "%H:%M\n%e %b %Y"},
    {"dtickrange": [86_400_000, "M1"], "value": "%e %b\n%Y"},
    {"dtickrange": ["M1", "M12"], "value": "%b\n%Y"},
    {"dtickrange": ["M12", None], "value": "%Y"},
]


@dataclass(frozen=True)
class Panel:
    """One panel: its axes' names in traces, its place in pixels from the top of the figure."""

    kind: Kind
    x: str
    number: int
    top_px: float
    height_px: float

    @property
    def y(self) -> str:
        return f"y{self.number}" if self.number > 1 else "y"

    @property
    def y_key(self) -> str:
        return f"yaxis{self.number}" if self.number > 1 else "yaxis"


def compute_panels(
    *, lanes: int, legend_lines: int, control: bool, confounders: int, title_lines: int
) -> list[Panel]:
    """The panels from top to bottom: main, control chart, confounders, and five small ones.

    The main panel grows by its `lanes` of dated notes and moves down by the lines of its legend, so that its
    scale of scores keeps its size. The main panel's y-axis is the first, the small panels' the second to sixth.
    """
    panels: list[Panel] = []
    at: float = TOP_PX + LINE_PX * title_lines + LINE_PX * legend_lines
    lane_px = LANE * MAIN_PX / (SCORE_RANGE[1] - SCORE_RANGE[0])
    panels.append(Panel("main", "x", 1, at, MAIN_PX + lanes * lane_px))
    at += panels[0].height_px
    number = 7
    if control:
        panels.append(Panel("control", "x", number, at + TITLE_PX, CONTROL_PX))
        at += TITLE_PX + CONTROL_PX
        number += 1
    for _ in range(confounders):
        panels.append(Panel("confounder", "x", number, at + TITLE_PX, CONFOUNDER_PX))
        at += TITLE_PX + CONFOUNDER_PX
        number += 1
    at += AFTER_GROUP_PX
    for small in range(5):
        panels.append(Panel("small", "x2", 2 + small, at, SMALL_PX))
        at += SMALL_PX + TITLE_PX
    return panels


def compute_height(panels: list[Panel], note_lines: int) -> float:
    """Height of the figure: its panels and, below the last axis, its notes."""
    last = panels[-1]
    return last.top_px + last.height_px + 58 + LINE_PX * note_lines


def make_scatter(*, type: str = "scatter", **fields: Any) -> Trace:
    """A trace as a plain mapping, which Plotly checks once, with the whole figure: that takes most of the time.
    Arrays are not looked at value by value, as lists are."""
    arrays: dict[str, Any] = {
        name: np.array(fields[name], dtype=object) for name in ("x", "y", "customdata") if name in fields
    }
    return {"type": type, **fields, **arrays}


def make_layout(mode: Mode, panels: list[Panel], note_lines: int) -> dict[str, Any]:
    """The layout with both time axes; the small panels' one follows the first, so that zooming one moves all."""
    height = compute_height(panels, note_lines)
    top, bottom = panels[0].top_px, panels[-1].top_px + panels[-1].height_px
    shared = {
        "type": "date", "hoverformat": "%a %e %b %Y, %H:%M", "tickformatstops": TICK_FORMATS, "showspikes": True,
        "spikemode": "across", "spikethickness": 1, "spikedash": "dot", "spikesnap": "data",
        "spikecolor": MUTED[mode],
    }  # fmt: skip
    group = [panel for panel in panels if panel.x == "x"]
    return {
        "template": make_template(mode),
        "height": height,
        "margin": {"t": top, "b": height - bottom, "l": LEFT_PX, "r": RIGHT_PX},
        "hovermode": "closest",
        "xaxis": {**shared, "anchor": group[-1].y},
        "xaxis2": {**shared, "anchor": panels[-1].y, "matches": "x"},
    }


def compute_domain(panels: list[Panel], panel: Panel) -> tuple[float, float]:
    """A panel's (bottom, top) as shares of the plotting area."""
    top, bottom = panels[0].top_px, panels[-1].top_px + panels[-1].height_px
    inside = bottom - top
    start = panel.top_px - top
    return max(0.0, 1 - (start + panel.height_px) / inside), min(1.0, 1 - start / inside)


def make_score_axis(panels: list[Panel], panel: Panel, *, lanes: int, stepped: bool) -> dict[str, Any]:
    """The y-axis of a panel of scores from 0 to 1, or of four named levels."""
    axis: dict[str, Any] = {
        "domain": compute_domain(panels, panel),
        "range": (SCORE_RANGE[0], SCORE_RANGE[1] + LANE * lanes),
        "fixedrange": True,
        "anchor": panel.x,
        "tickvals": [0, 0.25, 0.5, 0.75, 1] if panel.kind == "main" else [0, 0.5, 1],
    }
    if stepped:
        axis |= {"tickvals": list(LEVEL_NAMES), "ticktext": list(LEVEL_NAMES.values())}
    return axis


def make_panel_title(
    panels: list[Panel], panel: Panel, text: str, mode: Mode, *, legend_lines: int = 0
) -> dict[str, Any]:
    """The annotation over a panel and the lines of its legend, left of its axis."""
    sizes = {"main": 15, "control": 13, "confounder": 12, "small": 13}
    return {
        "text": text, "x": 0, "xref": "paper", "xanchor": "left", "y": compute_domain(panels, panel)[1],
        "yref": "paper", "yanchor": "bottom", "xshift": TEXT_PX - LEFT_PX, "yshift": 2 + LINE_PX * legend_lines,
        "showarrow": False,
        "align": "left", "font": {"size": sizes[panel.kind], "color": INK[mode]},
    }  # fmt: skip


def make_direction(panels: list[Panel], panel: Panel, mode: Mode) -> dict[str, Any]:
    """The words beside an axis of scores that say which way is worse."""
    bottom, top = compute_domain(panels, panel)
    return {
        "text": "worse →", "textangle": -90, "x": 0, "xref": "paper", "xanchor": "center", "xshift": 7 - LEFT_PX,
        "y": (bottom + top) / 2, "yref": "paper", "yanchor": "middle", "showarrow": False,
        "font": {"size": 11, "color": MUTED[mode]},
    }  # fmt: skip


def widen_short_span(layout: dict[str, Any], times: pd.Series) -> None:
    """Give one session, or a few of one day, room of some days around them; Plotly would show minutes."""
    first, last = times.min(), times.max()
    if pd.isna(first) or last - first >= SHORTEST_SPAN:
        return
    ends = [first.normalize() - pd.Timedelta(days=2), last.normalize() + pd.Timedelta(days=3)]
    for axis in ("xaxis", "xaxis2"):
        layout[axis] |= {"range": [end.strftime("%Y-%m-%dT%H:%M:%S") for end in ends], "dtick": 86_400_000}


def make_uprights(x: list[str], tops: list[float], dash: str, colour: str, name: str) -> Trace:
    """A line through the main panel at each of `x`, up to its own top."""
    return make_scatter(
        x=[entry for at in x for entry in (at, at, None)],
        y=[entry for top in tops for entry in (SCORE_RANGE[0], top, None)], mode="lines", hoverinfo="skip",
        name=name, line={"color": colour, "width": 1, "dash": dash}, opacity=0.8, xaxis="x", yaxis="y",
    )  # fmt: skip
