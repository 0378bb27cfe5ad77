"""What all cohort figures share: stacked panels measured in pixels, group titles, scales of colour, and the words
that let a figure be read away from its page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from heliograph.charts._palette import BACKGROUNDS, DIVERGING, INK, MUTED, Mode
from heliograph.charts._stamp import AXIS_PX, TEXT_PX, stamp
from heliograph.charts._template import make_template
from heliograph.charts._text import escape_plotly

__all__ = [
    "WEEK_MS",
    "FigureAbout",
    "Panels",
    "check_columns",
    "count_of",
    "make_panel_figure",
    "make_panel_title",
    "make_scale_key",
    "outline",
    "pick_spread",
    "shorten",
    "stack_panels",
    "stamp_cohort",
]

LEFT_PX, RIGHT_PX = 44, 20
WEEK_MS = 7 * 86_400_000


@dataclass(frozen=True)
class FigureAbout:
    """What a figure says about its origin: the workspace, whether scores are synthetic, the day, and in words
    which results were chosen (empty for all)."""

    workspace: str
    synthetic: bool
    drawn_on: date
    chosen: str = ""


@dataclass(frozen=True)
class Panels:
    """Panels from top to bottom: the plotting area's height, and each panel's (bottom, top) as shares of it."""

    inside_px: int
    domains: tuple[tuple[float, float], ...]


def stack_panels(heights_px: Sequence[int], *, gap_px: int = 0, head_px: int = 0) -> Panels:
    """Panels of the given heights with a gap (room for titles) above each but the first, which has `head_px`."""
    inside = head_px + sum(heights_px) + gap_px * (len(heights_px) - 1)
    domains = []
    top = head_px
    for height in heights_px:
        domains.append((max(0.0, 1 - (top + height) / inside), 1 - top / inside))
        top += height + gap_px
    return Panels(inside, tuple(domains))


def make_panel_figure(panels: Panels, mode: Mode, *, left_px: int = LEFT_PX) -> go.Figure:
    """An empty figure as high as its panels; `stamp_cohort` adds the room for title and notes."""
    return go.Figure(
        layout={
            "template": make_template(mode),
            "height": panels.inside_px,
            "margin": {"l": left_px, "r": RIGHT_PX},
            "hovermode": "closest",
        }
    )


def make_panel_title(
    text: str, top: float, mode: Mode, *, left_px: int = LEFT_PX, size: int = 13
) -> dict[str, Any]:
    """An annotation above a panel whose upper end is at the share `top`."""
    return {
        "text": text, "x": 0, "xref": "paper", "xanchor": "left", "y": top, "yref": "paper", "yanchor": "bottom",
        "xshift": TEXT_PX - left_px, "yshift": 5, "showarrow": False, "align": "left",
        "font": {"size": size, "color": INK[mode]},
    }  # fmt: skip


def stamp_cohort(
    figure: go.Figure,
    *,
    title: str,
    lines: Sequence[str],
    notes: Sequence[str],
    about: FigureAbout,
    mode: Mode,
    axis_px: int = AXIS_PX,
) -> go.Figure:
    """Write title, units, n, what was chosen, the synthetic line, notes, workspace and date onto a figure."""
    chosen = [f"Only {escape_plotly(about.chosen, max_chars=90)}"] if about.chosen else []
    stamp(
        figure, title=title, subtitle_lines=[*lines, *chosen], notes=notes, workspace=about.workspace,
        synthetic=about.synthetic, drawn_on=about.drawn_on, mode=mode, axis_px=axis_px,
    )  # fmt: skip
    return figure


def check_columns(frame: pd.DataFrame, needed: Sequence[str]) -> None:
    """Raise `ValueError` naming the columns that a figure needs and the frame lacks."""
    if missing := sorted(set(needed) - set(frame.columns)):
        raise ValueError(f"the frame lacks {', '.join(missing)}")


def count_of(number: int, one: str, many: str = "") -> str:
    """`1 result`, `12 results`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def shorten(titles: Mapping[str, str], *, max_chars: int) -> dict[str, str]:
    """Group titles safe for a figure, each at most `max_chars` long."""
    return {value: escape_plotly(title, max_chars=max_chars) for value, title in titles.items()}


def pick_spread(ids: Sequence[int], limit: int) -> list[int]:
    """At most `limit` of the ids, the same ones at every call, spread over all by Knuth's multiplicative hash."""
    if len(ids) <= limit:
        return list(ids)
    chosen = set(sorted(ids, key=lambda number: (number * 2654435761 % 2**32, number))[:limit])
    return [number for number in ids if number in chosen]


def make_scale_key(low: str, high: str, mode: Mode) -> str:
    """The diverging scale as a line of text: its ends in words around its colours. Takes no colour bar's room."""
    blocks = "".join(f"<span style='color:{colour};font-size:18px'>■</span>" for _, colour in DIVERGING[mode])
    return (
        f"<span style='color:{MUTED[mode]}'>{low}</span> {blocks} <span style='color:{MUTED[mode]}'>{high}</span>"
    )


def outline(mode: Mode) -> dict[str, Any]:
    """The thin line in the page's colour that keeps overlapping marks apart."""
    return {"color": BACKGROUNDS[mode], "width": 1}
