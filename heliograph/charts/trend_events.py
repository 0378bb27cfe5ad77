"""Dated notes above a participant's runs: a dashed line each, with its kind in words; or, where words would meet
on a phone, with a number that the notes under the figure explain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from heliograph.charts._palette import BACKGROUNDS, INK, Mode
from heliograph.charts._text import escape_plotly
from heliograph.charts.trend_layers import EventLayer
from heliograph.charts.trend_layout import LANE, SCORE_RANGE, Trace, make_scatter, make_uprights
from heliograph.charts.trend_points import as_text

__all__ = ["count_lanes", "list_numbered", "make_events"]

EVENT_CHARS = 16
WORDED_LANES, NUMBERED_LANES = 3, 5
# Widths on the narrowest screen, a phone: of the time axis, of a letter, of the mark beside words, of a number.
AXIS_PX, LETTER_PX, MARK_PX, NUMBER_PX = 260, 6, 14, 20
OUTSIDE = 0.03  # Share of the span by which notes may stand out of it.

Ends = tuple[float, float]


@dataclass(frozen=True)
class _Placed:
    """A note at a share of the time axis: its row from the top, and the ends of what is written of it."""

    event: EventLayer
    at: float
    lane: int
    ends: Ends
    number: int = 0

    @property
    def is_leftward(self) -> bool:
        return self.at - self.ends[0] > self.ends[1] - self.at


def count_lanes(events: Sequence[EventLayer], times: pd.Series) -> int:
    """Rows of dated notes that the main panel needs above its scores."""
    return 1 + max((entry.lane for entry in _place(events, times)), default=-1)


def list_numbered(events: Sequence[EventLayer], times: pd.Series) -> list[tuple[int, EventLayer]]:
    """The notes that stand with a number instead of words, in order; none where there is room for words."""
    return [(entry.number, entry.event) for entry in _place(events, times) if entry.number]


def make_events(events: Sequence[EventLayer], times: pd.Series, mode: Mode, *, first_lane: int) -> list[Trace]:
    """A dashed line up to the mark of each dated note, with its kind in words or its number."""
    placed = _place(events, times)
    if not placed:
        return []
    x = as_text(pd.Series([pd.to_datetime(entry.event.on_local) for entry in placed]))
    lanes = 1 + max(entry.lane for entry in placed)
    heights = [SCORE_RANGE[1] + LANE * (first_lane + lanes - 1 - entry.lane + 0.45) for entry in placed]
    numbered = placed[0].number > 0
    look: dict[str, Any]
    if numbered:
        look = {
            "text": [str(entry.number) for entry in placed], "textposition": "middle center",
            "marker": {"symbol": "square", "size": 17, "color": BACKGROUNDS[mode],
                       "line": {"color": INK[mode], "width": 1}},
        }  # fmt: skip
    else:
        look = {
            "text": [escape_plotly(entry.event.kind, max_chars=EVENT_CHARS) for entry in placed],
            "textposition": ["middle left" if entry.is_leftward else "middle right" for entry in placed],
            "marker": {"symbol": "triangle-down", "size": 9, "color": INK[mode]},
        }  # fmt: skip
    return [
        make_uprights(x, heights, "dash", INK[mode], "event line"),
        make_scatter(
            x=x, y=heights, mode="markers+text", name="event", cliponaxis=False,
            textfont={"size": 11, "color": INK[mode]}, hovertext=[_describe(entry.event) for entry in placed],
            hoverinfo="text", xaxis="x", yaxis="y", **look,
        ),
    ]  # fmt: skip


def _describe(event: EventLayer) -> str:
    return (
        f"<b>{escape_plotly(event.kind)}</b><br>{pd.to_datetime(event.on_local):%a %d %b %Y}"
        + (f"<br>{escape_plotly(event.note, max_chars=90)}" if event.note else "")
        + ("<br>whole study" if event.whole_study else "")
    )


def _place(events: Sequence[EventLayer], times: pd.Series) -> list[_Placed]:
    """Each event in the span of `times`, in order of time: all with words, or all with numbers."""
    if not len(times) or not events:
        return []
    first, last = times.min().normalize(), times.max()
    span = max(last - first, pd.Timedelta(days=3))
    ordered = sorted(events, key=lambda event: event.on_local)
    found = [(event, float((pd.to_datetime(event.on_local) - first) / span)) for event in ordered]
    inside = [(event, at) for event, at in found if -OUTSIDE <= at <= 1 + OUTSIDE]
    return _place_words(inside) or _place_numbers(inside)


def _place_words(events: Sequence[tuple[EventLayer, float]]) -> list[_Placed]:
    """Each in the highest row, and on the side of its line, with room for its words; nothing when one has none."""
    placed: list[_Placed] = []
    for event, at in events:
        mark = MARK_PX / 2 / AXIS_PX
        width = (LETTER_PX * min(len(event.kind), EVENT_CHARS) + MARK_PX) / AXIS_PX
        sides = [(at - mark, at + width), (at - width, at + mark)]
        rooms = [
            (lane, ends)
            for lane in range(WORDED_LANES)
            for ends in sides
            if ends[0] >= -2 * OUTSIDE and ends[1] <= 1 + 2 * OUTSIDE and _is_free(placed, lane, at, ends)
        ]
        if not rooms:
            return []
        placed.append(_Placed(event, at, *rooms[0]))
    return placed


def _place_numbers(events: Sequence[tuple[EventLayer, float]]) -> list[_Placed]:
    """Each in the highest row where its number has room, else in the lowest. Lines pass behind numbers."""
    placed: list[_Placed] = []
    for number, (event, at) in enumerate(events, start=1):
        ends = (at - NUMBER_PX / 2 / AXIS_PX, at + NUMBER_PX / 2 / AXIS_PX)
        taken = {other.lane for other in placed if other.ends[1] > ends[0]}
        lanes = [lane for lane in range(NUMBERED_LANES) if lane not in taken]
        placed.append(_Placed(event, at, lanes[0] if lanes else NUMBERED_LANES - 1, ends, number))
    return placed


def _is_free(placed: Sequence[_Placed], lane: int, at: float, ends: Ends) -> bool:
    """Whether what is written in that row meets no other, and no line on its way up meets anything written."""
    for other in placed:
        if other.lane == lane and other.ends[0] < ends[1] and ends[0] < other.ends[1]:
            return False
        if other.lane < lane and ends[0] < other.at < ends[1]:
            return False
        if other.lane > lane and other.ends[0] < at < other.ends[1]:
            return False
    return True
