"""When people sleep, and the five measures of it, one dot a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from heliograph.charts._palette import BACKGROUNDS, INK, MUTED, Mode, fade
from heliograph.charts._text import escape_plotly
from heliograph.charts.cohort_frame import (
    FigureAbout,
    check_columns,
    count_of,
    make_panel_figure,
    make_panel_title,
    pick_spread,
    stack_panels,
    stamp_cohort,
)

__all__ = ["NIGHTS_SHOWN", "ROWS_SHOWN", "MeasureView", "format_clock", "plot_sleep_measures", "plot_sleep_times"]

ROW_PX, STRIP_PX, GAP_PX, HEAD_PX = 24, 62, 56, 16
LABELS_PX, LEFT_PX = 92, 16
ROWS_SHOWN, NIGHTS_SHOWN, DOTS_SHOWN = 40, 60, 400
NIGHT_COLOUR: dict[Mode, str] = {"light": "#1f6f78", "dark": "#5cc2cc"}
JITTER_STEPS = 7


@dataclass(frozen=True)
class MeasureView:
    """How a measure is shown: its column, its title with the unit, and whether its values are clock hours."""

    column: str
    title: str
    clock: bool = False


def format_clock(hours: float) -> str:
    """Hours since midnight, which may be negative or above 24, as `23:15`."""
    minutes = round(hours * 60) % (24 * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def plot_sleep_times(
    nights: pd.DataFrame, labels: Mapping[int, str], *, about: FigureAbout, mode: Mode = "light"
) -> go.Figure:
    """Draw every sleep as a line on the clock, one row a person, early sleepers on top.

    Parameters
    ----------
    nights : pandas.DataFrame
        One row a sleep: `participant_id`, `asleep_h` and `awake_h` (hours since midnight of the waking day; the
        first is mostly negative), `mid_sleep_h`. Not changed.
    labels : mapping
        Participant → label, as typed.
    about : FigureAbout
        Workspace, day, synthetic or not, and what was chosen.
    mode : {"light", "dark"}
        The page that the figure stands on.

    Returns
    -------
    plotly.graph_objects.Figure
        Of more than `ROWS_SHOWN` people some are shown, the same ones each time, and of each person the newest
        `NIGHTS_SHOWN` sleeps; the notes say so.

    Raises
    ------
    ValueError
        When `nights` lacks a column that the figure needs.
    """
    check_columns(nights, ["participant_id", "asleep_h", "awake_h", "mid_sleep_h"])
    known = nights[nights["asleep_h"].notna() & nights["awake_h"].notna()]
    middle = known.groupby("participant_id")["mid_sleep_h"].median().sort_values(kind="stable")
    everybody = [int(number) for number in middle.index]
    chosen = set(pick_spread(everybody, ROWS_SHOWN))
    people = [number for number in everybody if number in chosen]
    figure = make_panel_figure(stack_panels([ROW_PX * max(2, len(people))], gap_px=0), mode, left_px=LABELS_PX)
    rows = {number: row for row, number in enumerate(people)}
    shown = known[known["participant_id"].isin(people)].groupby("participant_id").tail(NIGHTS_SHOWN)
    figure.add_trace(_make_nights(shown, rows, mode))
    figure.add_trace(_make_middles(middle, known, rows, labels, mode))
    first, last = (shown["asleep_h"].min(), shown["awake_h"].max()) if len(shown) else (-2.0, 8.0)
    figure.update_layout(
        xaxis=_make_clock_axis(float(first), float(last)),
        yaxis={"range": [max(2, len(people)) - 0.4, -0.6], "fixedrange": True, "showgrid": False,
               "tickvals": list(rows.values()),
               "ticktext": [escape_plotly(labels.get(number, str(number)), max_chars=12) for number in people]},
    )  # fmt: skip
    notes = ["Line: one sleep. Dot: the person's median middle of sleep.", "Early sleepers on top."]
    if len(people) < len(everybody):
        notes.append(f"{len(people)} of {count_of(len(everybody), 'participant')} are shown.")
    return stamp_cohort(
        figure,
        title="Sleep times",
        lines=[
            "Local clock time, from falling asleep to waking up",
            f"n = {count_of(len(everybody), 'participant')}, {count_of(len(known), 'sleep')}",
        ],
        notes=notes,
        about=about,
        mode=mode,
    )


def plot_sleep_measures(
    people: pd.DataFrame,
    summary: pd.DataFrame,
    views: Sequence[MeasureView],
    *,
    about: FigureAbout,
    mode: Mode = "light",
) -> go.Figure:
    """Draw one strip a measure: a dot a person, the median and the middle half.

    Parameters
    ----------
    people : pandas.DataFrame
        One row a person: `participant_id`, `label` (as typed) and each view's column. Not changed.
    summary : pandas.DataFrame
        One row a measure: `column`, `n_participants`, `median`, `low`, `high` (the middle half).
    views : sequence of MeasureView
        The strips, from top to bottom.
    about : FigureAbout
        Workspace, day, synthetic or not, and what was chosen.
    mode : {"light", "dark"}
        The page that the figure stands on.

    Returns
    -------
    plotly.graph_objects.Figure
        Every dot carries its participant's id as `customdata[0]`. A measure that nobody has says so.

    Raises
    ------
    ValueError
        When a frame lacks a column that the figure needs.
    """
    check_columns(people, ["participant_id", "label", *(view.column for view in views)])
    check_columns(summary, ["column", "n_participants", "median", "low", "high"])
    panels = stack_panels([STRIP_PX] * len(views), gap_px=GAP_PX, head_px=HEAD_PX)
    figure = make_panel_figure(panels, mode, left_px=LEFT_PX)
    stats = {str(row["column"]): row for row in summary.to_dict("records")}
    for number, view in enumerate(views):
        axis = f"{number + 1}" if number else ""
        known = people[people[view.column].notna()].sort_values(view.column)
        shown = known[known["participant_id"].isin(pick_spread(list(known["participant_id"]), DOTS_SHOWN))]
        for trace in _make_strip(shown, stats[view.column], view, axis, mode):
            figure.add_trace(trace)
        figure.update_layout(
            {
                f"xaxis{axis}": _make_measure_axis(known[view.column], view) | {"anchor": f"y{axis}"},
                f"yaxis{axis}": {"domain": panels.domains[number], "anchor": f"x{axis}", "range": [-1, 1],
                                 "visible": False, "fixedrange": True},
            }
        )  # fmt: skip
        n = int(stats[view.column]["n_participants"])
        told = f"<b>{view.title}</b>  <span style='color:{MUTED[mode]}'>n = {count_of(n, 'participant')}</span>"
        if not n:
            told += f"  <span style='color:{MUTED[mode]}'>· not enough data yet</span>"
        top = panels.domains[number][1]
        figure.add_annotation(make_panel_title(told, top, mode, left_px=LEFT_PX, size=14))
    return stamp_cohort(
        figure,
        title="Sleep, person by person",
        lines=["One dot a participant: the mean of their own sleeps"],
        notes=["Thick line: median of the participants. Band: their middle half."],
        about=about,
        mode=mode,
    )


def _make_nights(nights: pd.DataFrame, rows: Mapping[int, int], mode: Mode) -> go.Scatter:
    x: list[float | None] = []
    y: list[float | None] = []
    for person, asleep, awake in zip(nights["participant_id"], nights["asleep_h"], nights["awake_h"], strict=True):
        x += [float(asleep), float(awake), None]
        y += [rows[int(person)], rows[int(person)], None]
    return go.Scatter(
        x=x, y=y, mode="lines", hoverinfo="skip", name="sleeps",
        line={"color": fade(NIGHT_COLOUR[mode], 0.16), "width": 9},
    )  # fmt: skip


def _make_middles(
    middle: pd.Series, known: pd.DataFrame, rows: Mapping[int, int], labels: Mapping[int, str], mode: Mode
) -> go.Scatter:
    n = known.groupby("participant_id").size()
    return go.Scatter(
        x=[float(middle[number]) for number in rows], y=list(rows.values()), mode="markers", name="middles",
        customdata=[
            [number, f"{escape_plotly(labels.get(number, str(number)), max_chars=36)}<br>median middle of sleep "
                     f"{format_clock(float(middle[number]))}<br>{count_of(int(n[number]), 'sleep')}"]
            for number in rows
        ],
        hovertemplate="%{customdata[1]}<extra></extra>",
        marker={"color": INK[mode], "size": 8, "line": {"color": BACKGROUNDS[mode], "width": 1.5}},
    )  # fmt: skip


def _make_strip(
    shown: pd.DataFrame, stats: Mapping[Any, Any], view: MeasureView, axis: str, mode: Mode
) -> list[go.Scatter]:
    colour = NIGHT_COLOUR[mode]
    on = {"xaxis": f"x{axis}", "yaxis": f"y{axis}"}
    steps = [((place * 3) % JITTER_STEPS - JITTER_STEPS // 2) / JITTER_STEPS for place in range(len(shown))]
    told = [
        [
            int(row["participant_id"]),
            escape_plotly(str(row["label"]), max_chars=36),
            _format(row[view.column], view),
        ]
        for row in shown.to_dict("records")
    ]
    dots = go.Scatter(
        x=[float(value) for value in shown[view.column]], y=steps, mode="markers", name=view.title,
        customdata=told, hovertemplate="<b>%{customdata[1]}</b><br>%{customdata[2]}<extra></extra>",
        marker={"color": fade(colour, 0.75), "size": 9, "line": {"color": BACKGROUNDS[mode], "width": 1}}, **on,
    )  # fmt: skip
    if not int(stats["n_participants"]):
        return [dots]
    low, high, median = (float(stats[name]) for name in ("low", "high", "median"))
    band = go.Scatter(
        x=[low, high, high, low], y=[-0.8, -0.8, 0.8, 0.8], mode="lines", fill="toself", hoverinfo="skip",
        fillcolor=fade(colour, 0.14), line={"width": 0}, name="middle half", **on,
    )  # fmt: skip
    line = go.Scatter(
        x=[median, median], y=[-0.9, 0.9], mode="lines", hoverinfo="skip", name="median",
        line={"color": INK[mode], "width": 3}, **on,
    )  # fmt: skip
    return [band, line, dots]


def _make_clock_axis(first: float, last: float) -> dict[str, Any]:
    step = 2 if last - first <= 14 else 4
    ticks = list(range(int(first // step) * step, int(-(-last // step)) * step + 1, step))
    return {
        "range": [first - 0.3, last + 0.3], "tickvals": ticks, "ticktext": [format_clock(at) for at in ticks],
        "fixedrange": True,
    }  # fmt: skip


def _make_measure_axis(values: pd.Series, view: MeasureView) -> dict[str, Any]:
    if not len(values):
        return {"range": [0, 1], "showticklabels": False, "showgrid": False}
    low, high = float(values.min()), float(values.max())
    air = max(0.25, (high - low) * 0.06)
    if not view.clock:
        return {"range": [low - air, high + air], "nticks": 7}
    step = next((step for step in (0.5, 1, 2, 3) if (high - low + 2 * air) / step <= 8), 4)
    ticks = [step * place for place in range(int((low - air) // step), int((high + air) // step) + 1)]
    return {
        "range": [low - air, high + air], "tickvals": ticks, "ticktext": [format_clock(at) for at in ticks]
    }  # fmt: skip


def _format(value: float, view: MeasureView) -> str:
    return format_clock(value) if view.clock else f"{value:.2f}"
