"""Groups side by side: every participant's own mean as a dot, their cloud, and the group's mean with its interval.

A dot is a person, never a run: somebody who recorded more often counts no more than the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from heliograph.charts._palette import BIOMARKER_COLOURS, INK, MUTED, Mode, fade
from heliograph.charts._text import escape_plotly
from heliograph.charts.cohort_frame import (
    FigureAbout,
    check_columns,
    count_of,
    make_panel_figure,
    outline,
    pick_spread,
    shorten,
    stack_panels,
    stamp_cohort,
)
from thymia_api import Biomarker

__all__ = ["DOTS_SHOWN", "ROWS_SHOWN", "plot_cohort_groups"]

ROW_PX, FLAT_ROW_PX = 92, 64
ROWS_SHOWN = 30
DOTS_SHOWN = 200  # of each group; the mean, interval and n are always of all.
CLOUD_FROM = 10  # Below this a smoothed outline would show more than is known.
CLOUD_VALUES = 1000
# Where things lie in a row, as shares of its height from its upper end.
TITLE_AT, MEAN_AT, DOTS_FROM, DOTS_TO = 0.02, 0.66, 0.75, 0.92
FLAT_MEAN_AT, FLAT_DOTS_FROM, FLAT_DOTS_TO = 0.5, 0.63, 0.9
JITTER_STEPS = 5
LEFT_PX = 16


def plot_cohort_groups(
    means: pd.DataFrame,
    summary: pd.DataFrame,
    titles: Mapping[str, str],
    *,
    biomarker: Biomarker,
    grouping_title: str,
    confidence: float,
    about: FigureAbout,
    mode: Mode = "light",
) -> go.Figure:
    """Draw participant means by group with the group's mean and t interval.

    Parameters
    ----------
    means : pandas.DataFrame
        One row a participant and group: `participant_id`, `group`, `n_runs`, `value` (the mean of that person's
        runs), `label` (as typed; may be missing). Not changed.
    summary : pandas.DataFrame
        One row a group: `group`, `n_participants`, `n_runs`, `mean`, `low`, `high` (NaN where there is no
        interval), `small`.
    titles : mapping
        Group → its name for people, in the order in which groups are drawn.
    biomarker : thymia_api.Biomarker
        Gives the title and the colour.
    grouping_title : str
        What the groups are, for the title; empty for one group of all.
    confidence : float
        Of the interval, for its name in the notes.
    about : FigureAbout
        Workspace, day, synthetic or not, and what was chosen.
    mode : {"light", "dark"}
        The page that the figure stands on.

    Returns
    -------
    plotly.graph_objects.Figure
        Every dot carries its participant's id as `customdata[0]`.

    Raises
    ------
    ValueError
        When a frame lacks a column that the figure needs.
    """
    check_columns(means, ["participant_id", "group", "n_runs", "value"])
    check_columns(summary, ["group", "n_participants", "n_runs", "mean", "low", "high", "small"])
    names = shorten(titles, max_chars=22)
    known = [row for row in _in_order(summary, names) if row["n_participants"] > 0]
    rows = known[-ROWS_SHOWN:]
    clouds = any(row["n_participants"] >= CLOUD_FROM for row in rows)
    panels = stack_panels([(ROW_PX if clouds else FLAT_ROW_PX) * max(1, len(rows))])
    figure = make_panel_figure(panels, mode, left_px=LEFT_PX)
    colour = BIOMARKER_COLOURS[mode][biomarker.name]
    hidden = 0
    for number, row in enumerate(rows):
        people = means[(means["group"] == row["group"]) & means["value"].notna()].sort_values("value")
        shown = people[people["participant_id"].isin(pick_spread(list(people["participant_id"]), DOTS_SHOWN))]
        hidden += len(people) - len(shown)
        if row["n_participants"] >= CLOUD_FROM:
            figure.add_trace(_make_cloud(people, number, colour))
        figure.add_trace(_make_dots(shown, number, colour, mode, clouds))
        figure.add_trace(_make_mean(row, number, mode, clouds))
        figure.add_annotation(_make_row_title(row, names[row["group"]], number, mode))
    figure.update_layout(
        xaxis={"range": [-0.01, 1.01], "tickvals": [0, 0.25, 0.5, 0.75, 1], "zeroline": False},
        yaxis={"range": [-max(1, len(rows)), 0], "visible": False, "fixedrange": True},
    )
    by = f" by {grouping_title}" if grouping_title else ""
    return stamp_cohort(
        figure,
        title=f"{biomarker.title}{by}",
        lines=["Score from 0 to 1 · <b>higher is worse</b>"],
        notes=_make_notes(rows, len(known), hidden, clouds, confidence),
        about=about,
        mode=mode,
    )


def _in_order(summary: pd.DataFrame, names: Mapping[str, str]) -> list[dict[Any, Any]]:
    found = {row["group"]: row for row in summary.to_dict("records")}
    return [found[group] for group in names if group in found]


def _make_cloud(people: pd.DataFrame, number: int, colour: str) -> go.Violin:
    values = people["value"]
    if len(values) > CLOUD_VALUES:
        values = values.iloc[:: len(values) // CLOUD_VALUES + 1]
    return go.Violin(
        x=[float(value) for value in values], y0=-number - MEAN_AT, orientation="h", side="positive", width=0.62,
        points=False, spanmode="hard", scalemode="width", hoverinfo="skip", name="cloud",
        line={"color": fade(colour, 0.5), "width": 1}, fillcolor=fade(colour, 0.16),
    )  # fmt: skip


def _make_dots(people: pd.DataFrame, number: int, colour: str, mode: Mode, clouds: bool) -> go.Scatter:
    first, last = (DOTS_FROM, DOTS_TO) if clouds else (FLAT_DOTS_FROM, FLAT_DOTS_TO)
    # Neighbours in value get different heights, the same at every drawing.
    heights = [
        first + (last - first) * (place * 3 % JITTER_STEPS) / (JITTER_STEPS - 1) for place in range(len(people))
    ]
    return go.Scatter(
        x=[float(value) for value in people["value"]], y=[-number - height for height in heights], mode="markers",
        name="participants", customdata=[_describe_person(row) for row in people.to_dict("records")],
        hovertemplate="<b>%{customdata[1]}</b><br>mean %{x:.2f} of %{customdata[2]}<extra></extra>",
        marker={"size": 7, "color": colour, "opacity": 0.75, "line": outline(mode)},
        selected={"marker": {"opacity": 0.75}}, unselected={"marker": {"opacity": 0.75}},
    )  # fmt: skip


def _describe_person(row: dict[Any, Any]) -> list[Any]:
    label = row.get("label")
    name = escape_plotly(label, max_chars=36) if isinstance(label, str) else "One participant"
    return [int(row["participant_id"]), name, count_of(int(row["n_runs"]), "result")]


def _make_mean(row: dict[Any, Any], number: int, mode: Mode, clouds: bool) -> go.Scatter:
    known = not pd.isna(row["low"])
    mean = float(row["mean"])
    return go.Scatter(
        x=[mean], y=[-number - (MEAN_AT if clouds else FLAT_MEAN_AT)], mode="markers", name="group mean",
        marker={"symbol": "diamond", "size": 12, "color": INK[mode], "line": outline(mode)},
        error_x={"type": "data", "symmetric": False, "visible": known, "color": INK[mode], "thickness": 2.4,
                 "width": 6, "array": [float(row["high"]) - mean if known else 0],
                 "arrayminus": [mean - float(row["low"]) if known else 0]},
        hovertemplate=f"<b>mean {mean:.2f}</b><br>{_describe_n(row)}<extra></extra>",
        selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}},
    )  # fmt: skip


def _describe_n(row: dict[Any, Any]) -> str:
    return f"{count_of(int(row['n_participants']), 'participant')}, {count_of(int(row['n_runs']), 'result')}"


def _make_row_title(row: dict[Any, Any], name: str, number: int, mode: Mode) -> dict[str, Any]:
    told = f"n = {int(row['n_participants']):,} · mean {row['mean']:.2f}"
    told += " (no interval)" if pd.isna(row["low"]) else f" ({row['low']:.2f} to {row['high']:.2f})"
    told = told.replace("-", "−")
    if row["small"]:
        told += " · ▲ small"
    return {
        "text": f"<b>{name}</b>  <span style='color:{MUTED[mode]}'>{told}</span>",
        "x": 0, "xref": "paper", "xanchor": "left", "xshift": 8 - LEFT_PX, "y": -number - TITLE_AT, "yref": "y",
        "yanchor": "top", "showarrow": False, "align": "left", "font": {"size": 13, "color": INK[mode]},
    }  # fmt: skip


def _make_notes(rows: list[dict[Any, Any]], known: int, hidden: int, clouds: bool, confidence: float) -> list[str]:
    notes = [
        "● one participant's mean · n counts participants",
        f"◆ mean of participants with its {confidence:.0%} t interval",
    ]
    if clouds:
        notes.append(f"Outline: where the dots lie, from n = {CLOUD_FROM} on.")
    if hidden:
        notes.append(f"Dots: at most {DOTS_SHOWN} a group, {hidden:,} not drawn.")
    if known > len(rows):
        notes.append(f"The last {len(rows)} of {known} groups; all are in the CSV.")
    if any(row["small"] for row in rows):
        notes.append("▲ small group: read its mean with care.")
    if any(pd.isna(row["low"]) for row in rows):
        notes.append("No interval: it takes two participants who differ.")
    return notes
