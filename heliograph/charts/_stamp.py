"""What makes a figure readable without its page: title, units, notes with n, workspace and the day of drawing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from heliograph.charts._palette import MUTED, Mode
from heliograph.charts._text import escape_plotly

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["SYNTHETIC_LINE", "stamp"]

SYNTHETIC_LINE = "Synthetic sandbox scores: they mean nothing"
TEXT_PX = 8  # Titles and notes begin here, left of the axes: a phone needs the width.
TITLE_PX, SUBTITLE_LINE_PX, NOTE_LINE_PX = 34, 19, 17
ABOVE_PANEL_PX = 30
AXIS_PX = 42
BELOW_NOTES_PX = 12


def stamp(
    figure: go.Figure,
    *,
    title: str,
    subtitle_lines: Sequence[str],
    notes: Sequence[str],
    workspace: str,
    synthetic: bool,
    drawn_on: date,
    mode: Mode,
    axis_px: int = AXIS_PX,
) -> None:
    """Write the words around a figure and make its margins and height hold them; the plotting area stays as tall
    as it is.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        Changed. Its layout's `height` is that of the plotting area before the call, that of the whole after it.
    title : str
        Plain text as people typed it; markup in it stays text.
    subtitle_lines : sequence of str
        Units and direction of the scale, at most about 60 characters each (a phone's width). Plotly's own markup
        counts: user text in them is escaped by the caller.
    notes : sequence of str
        n, what symbols and bands mean, what is left out; below the axes. Markup as above.
    workspace : str
        Name of the workspace.
    synthetic : bool
        Whether the scores come from a sandbox; said under the title.
    drawn_on : datetime.date
        Today.
    mode : {"light", "dark"}
        The page that the figure stands on.
    axis_px : int
        Room between the plotting area and the notes, for tick labels and the axis's title.
    """
    above = [*subtitle_lines, *([f"<b>{SYNTHETIC_LINE}</b>"] if synthetic else [])]
    below = [*notes, f"Workspace {escape_plotly(workspace)} · drawn {drawn_on:%d %b %Y}"]
    top_px = TITLE_PX + SUBTITLE_LINE_PX * len(above) + ABOVE_PANEL_PX
    bottom_px = axis_px + math.ceil(NOTE_LINE_PX * len(below)) + BELOW_NOTES_PX
    left_px = figure.layout.margin.l if figure.layout.margin.l is not None else 56
    figure.update_layout(
        title={
            "text": escape_plotly(title, max_chars=60),
            "subtitle": {"text": "<br>".join(above), "font": {"size": 13, "color": MUTED[mode]}},
            "x": 0, "xref": "container", "xanchor": "left",
            "y": 1, "yref": "container", "yanchor": "top", "pad": {"t": 10, "l": TEXT_PX},
        },
        height=(figure.layout.height or 300) + top_px + bottom_px,
        margin={"t": top_px, "b": bottom_px, "l": left_px,
                "r": figure.layout.margin.r if figure.layout.margin.r is not None else 14},
    )  # fmt: skip
    figure.add_annotation(
        text="<br>".join(below), x=0, xref="paper", xanchor="left", xshift=TEXT_PX - left_px,
        y=0, yref="paper", yanchor="top", yshift=-axis_px,
        showarrow=False, align="left", font={"size": 12, "color": MUTED[mode]}, name="notes",
    )  # fmt: skip
