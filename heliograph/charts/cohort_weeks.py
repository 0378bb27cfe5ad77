"""Groups over time: each week's group mean with its interval, and below it every participant's own line.

Weeks without results stay empty: lines break there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from heliograph.charts._palette import (
    BACKGROUNDS,
    BIOMARKER_COLOURS,
    GROUP_COLOURS,
    GROUP_DASHES,
    GROUP_SYMBOLS,
    MUTED,
    Mode,
    fade,
)
from heliograph.charts._text import escape_plotly
from heliograph.charts.cohort_frame import (
    WEEK_MS,
    FigureAbout,
    Panels,
    check_columns,
    count_of,
    make_panel_figure,
    make_panel_title,
    pick_spread,
    shorten,
    stack_panels,
    stamp_cohort,
)
from thymia_api import Biomarker

__all__ = ["GROUPS_SHOWN", "LINES_SHOWN", "plot_cohort_weeks"]

LINES_SHOWN = 100
GROUPS_SHOWN = len(GROUP_COLOURS["light"])
ONE_PX, COMPARED_PX, GROUP_PX, GAP_PX = 320, 240, 150, 34
WEEK = pd.Timedelta(days=7)
MONDAYS_NAMED = 26  # Ticks stand on Mondays up to this many weeks, on months beyond.
# Side by side within the week, so that intervals of groups do not cover each other.
SPREAD = pd.Timedelta(hours=96)
TICK_FORMATS = [
    {"dtickrange": [None, "M1"], "value": "%e %b\n%Y"},
    {"dtickrange": ["M1", "M12"], "value": "%b\n%Y"},
    {"dtickrange": ["M12", None], "value": "%Y"},
]


def plot_cohort_weeks(
    cells: pd.DataFrame,
    trajectory: pd.DataFrame,
    titles: Mapping[str, str],
    *,
    biomarker: Biomarker,
    grouping_title: str,
    confidence: float,
    about: FigureAbout,
    mode: Mode = "light",
) -> go.Figure:
    """Draw the weekly course of each group and of its participants.

    Parameters
    ----------
    cells : pandas.DataFrame
        One row a participant, group and week: `participant_id`, `group`, `period` (the week's Monday), `n_runs`,
        `value` (the mean of that person's runs of the week), `label` (may be missing). Not changed.
    trajectory : pandas.DataFrame
        One row a group and week: `group`, `period`, `n_participants`, `n_runs`, `mean`, `low`, `high`, `small`.
    titles : mapping
        Group → its name, in the order of drawing; at most `GROUPS_SHOWN` are drawn, those with most people.
    biomarker, grouping_title, confidence, about, mode
        As in `plot_cohort_groups`.

    Returns
    -------
    plotly.graph_objects.Figure
        With two or more groups the first panel compares their means; then one panel a group. At most
        `LINES_SHOWN` participants are drawn in all, and the notes say so; points of their lines carry the
        participant's id as `customdata[0]`.

    Raises
    ------
    ValueError
        When a frame lacks a column that the figure needs.
    """
    check_columns(cells, ["participant_id", "group", "period", "n_runs", "value"])
    check_columns(trajectory, ["group", "period", "n_participants", "n_runs", "mean", "low", "high", "small"])
    names = shorten(titles, max_chars=28)
    groups = _choose_groups(trajectory, list(names))
    compared = len(groups) > 1
    heights = [COMPARED_PX] + [GROUP_PX] * len(groups) if compared else [ONE_PX]
    panels = stack_panels(heights, gap_px=GAP_PX)
    figure = make_panel_figure(panels, mode)
    shown = set(pick_spread(sorted({int(person) for person in cells["participant_id"]}), LINES_SHOWN))
    for number, group in enumerate(groups):
        colour = GROUP_COLOURS[mode][number] if compared else BIOMARKER_COLOURS[mode][biomarker.name]
        weeks = trajectory[trajectory["group"] == group].sort_values("period")
        if compared:
            figure.add_trace(_make_compared(weeks, number, len(groups), names[group], mode))
        panel = number + 1 if compared else 0
        people = cells[(cells["group"] == group) & cells["participant_id"].isin(shown)]
        for trace in [_make_people(people, mode), *_make_course(weeks, colour, number, names[group], mode)]:
            figure.add_trace(trace.update(xaxis=_axis("x", panel), yaxis=_axis("y", panel)))
        text = _make_group_title(weeks, names[group], colour, mode) if compared else _tell_n(weeks)
        figure.add_annotation(make_panel_title(text, panels.domains[panel][1], mode))
    if compared:
        figure.add_annotation(make_panel_title("<b>Means of the groups</b>", panels.domains[0][1], mode))
    _lay_out_axes(figure, panels, trajectory)
    return stamp_cohort(
        figure,
        title=f"{biomarker.title} by week{f' and {grouping_title}' if grouping_title else ''}",
        lines=["Score from 0 to 1 · <b>higher is worse</b>"],
        notes=_make_notes(cells, shown, trajectory, len(groups), len(names), confidence),
        about=about,
        mode=mode,
    )


def _choose_groups(trajectory: pd.DataFrame, order: list[str]) -> list[str]:
    most = trajectory.groupby("group")["n_participants"].max()
    known = [group for group in order if group in most.index]
    chosen = sorted(known, key=lambda group: -most[group])[:GROUPS_SHOWN]
    return [group for group in known if group in chosen]


def _axis(letter: str, panel: int) -> str:
    return f"{letter}{panel + 1 if panel else ''}"


def _lay_out_axes(figure: go.Figure, panels: Panels, trajectory: pd.DataFrame) -> None:
    first, last = trajectory["period"].min(), trajectory["period"].max()
    ends = None if pd.isna(first) else [_as_text(first - WEEK / 2), _as_text(last + WEEK / 2)]
    bottom = len(panels.domains) - 1
    for panel, domain in enumerate(panels.domains):
        x: dict[str, Any] = {
            "type": "date", "range": ends, "anchor": _axis("y", panel), "tickformatstops": TICK_FORMATS,
            "minallowed": ends and ends[0], "maxallowed": ends and ends[1],
            "showticklabels": panel == bottom, "ticks": "outside" if panel == bottom else "",
        }  # fmt: skip
        if panel:
            x["matches"] = "x"
        if not pd.isna(first) and (last - first) / WEEK < MONDAYS_NAMED:
            x |= {"tick0": _as_text(first), "dtick": WEEK_MS * max(1, round((last - first) / WEEK / 4))}
        y = {
            "domain": domain, "range": [-0.03, 1.03], "fixedrange": True, "anchor": _axis("x", panel),
            "tickvals": [0, 0.5, 1] if panel else [0, 0.25, 0.5, 0.75, 1],
        }  # fmt: skip
        figure.update_layout({f"xaxis{panel + 1 if panel else ''}": x, f"yaxis{panel + 1 if panel else ''}": y})


def _make_compared(weeks: pd.DataFrame, number: int, count: int, name: str, mode: Mode) -> go.Scatter:
    """One group's means in the panel that compares them, moved a little aside."""
    aside = SPREAD * ((number + 0.5) / count - 0.5)
    x, rows = _break_weeks(weeks)
    colour = GROUP_COLOURS[mode][number]
    return go.Scatter(
        x=[None if week is None else _as_text(week + aside) for week in x],
        y=_column(rows, "mean"), mode="lines+markers", name=name,
        line={"color": colour, "width": 2, "dash": GROUP_DASHES[number]},
        marker={"symbol": GROUP_SYMBOLS[number], "size": 9, "color": _fill(rows, colour, mode),
                "line": {"color": colour, "width": 1.5}},
        error_y={"type": "data", "symmetric": False, "color": colour, "thickness": 1.4, "width": 3,
                 "array": _reach(rows, "high"), "arrayminus": _reach(rows, "low")},
        text=[_describe_week(row) for row in rows],
        hovertemplate=f"<b>{name} {'%{y:.2f}'}</b><br>%{{text}}<extra></extra>",
        selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}}, xaxis="x", yaxis="y",
    )  # fmt: skip


def _make_people(people: pd.DataFrame, mode: Mode) -> go.Scatter:
    """All participants of a panel as one trace: a None between two people and at missed weeks."""
    x: list[str | None] = []
    y: list[float | None] = []
    told: list[list[Any] | None] = []
    for _, own in people.dropna(subset=["value"]).sort_values("period").groupby("participant_id"):
        weeks, rows = _break_weeks(own)
        x += [*(None if week is None else _as_text(week) for week in weeks), None]
        y += [*_column(rows, "value"), None]
        told += [*(None if row is None else _describe_point(row) for row in rows), None]
    return go.Scatter(
        x=x, y=y, mode="lines+markers", name="participants", connectgaps=False, customdata=told,
        line={"color": fade(MUTED[mode], 0.38), "width": 1},
        marker={"size": 3.5, "color": fade(MUTED[mode], 0.55)},
        hovertemplate="<b>%{customdata[1]} %{y:.2f}</b><br>%{customdata[2]}<extra></extra>",
        selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}},
    )  # fmt: skip


def _make_course(weeks: pd.DataFrame, colour: str, number: int, name: str, mode: Mode) -> list[go.Scatter]:
    """The group's mean over its participants' lines, with a band for the interval that breaks at missed weeks."""
    x, rows = _break_weeks(weeks)
    traces = []
    for piece in _split(x, rows):
        known = [(week, row) for week, row in piece if not pd.isna(row["low"])]
        there = [_as_text(week) for week, _ in known]
        traces.append(
            go.Scatter(
                x=there + there[::-1],
                y=[float(row["high"]) for _, row in known] + [float(row["low"]) for _, row in known[::-1]],
                fill="toself", fillcolor=fade(colour, 0.22), line={"width": 0}, mode="lines", hoverinfo="skip",
                name="interval",
            )
        )  # fmt: skip
    mean = go.Scatter(
        x=[None if week is None else _as_text(week) for week in x], y=_column(rows, "mean"), mode="lines+markers",
        name=f"{name} mean", text=[_describe_week(row) for row in rows],
        line={"color": colour, "width": 2.6},
        marker={"size": 7, "color": _fill(rows, colour, mode), "symbol": GROUP_SYMBOLS[number],
                "line": {"color": colour, "width": 1.5}},
        hovertemplate="<b>mean %{y:.2f}</b><br>%{text}<extra></extra>",
        selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}},
    )  # fmt: skip
    return [*traces, mean]


def _break_weeks(frame: pd.DataFrame) -> tuple[list[Any], list[dict[Any, Any] | None]]:
    """Weeks and rows in order with a None where a week or more is missing between two."""
    x: list[Any] = []
    rows: list[dict[Any, Any] | None] = []
    for row in frame.to_dict("records"):
        if x and row["period"] - x[-1] > WEEK:
            x.append(None)
            rows.append(None)
        x.append(row["period"])
        rows.append(row)
    return x, rows


def _split(x: list[Any], rows: list[dict[Any, Any] | None]) -> list[list[tuple[Any, dict[Any, Any]]]]:
    pieces: list[list[tuple[Any, dict[Any, Any]]]] = [[]]
    for week, row in zip(x, rows, strict=True):
        if row is None:
            pieces.append([])
        else:
            pieces[-1].append((week, row))
    return pieces


def _column(rows: list[dict[Any, Any] | None], name: str) -> list[float | None]:
    return [None if row is None else float(row[name]) for row in rows]


def _fill(rows: list[dict[Any, Any] | None], colour: str, mode: Mode) -> list[str]:
    """Weeks of small groups are hollow."""
    return [BACKGROUNDS[mode] if row is not None and row["small"] else colour for row in rows]


def _reach(rows: list[dict[Any, Any] | None], end: str) -> list[float | None]:
    return [
        None if row is None or pd.isna(row[end]) else abs(float(row[end]) - float(row["mean"])) for row in rows
    ]


def _as_text(day: Any) -> str:
    return str(day.strftime("%Y-%m-%dT%H:%M:%S"))


def _describe_week(row: dict[Any, Any] | None) -> str:
    """Hover text of a group's week. It stands in `text`, not in `customdata`: a click on a mean opens nobody."""
    if row is None:
        return ""
    interval = "no interval" if pd.isna(row["low"]) else f"{row['low']:.2f} to {row['high']:.2f}"
    people = count_of(int(row["n_participants"]), "participant")
    small = " · small group" if row["small"] else ""
    return f"{interval}<br>week of {row['period']:%d %b %Y}<br>{people}, {_runs(row)}{small}"


def _describe_point(row: dict[Any, Any]) -> list[Any]:
    label = row.get("label")
    name = escape_plotly(label, max_chars=36) if isinstance(label, str) else "One participant"
    return [int(row["participant_id"]), name, f"week of {row['period']:%d %b %Y}<br>{_runs(row)}"]


def _runs(row: dict[Any, Any]) -> str:
    return count_of(int(row["n_runs"]), "result")


def _tell_n(weeks: pd.DataFrame) -> str:
    low, high = int(weeks["n_participants"].min()), int(weeks["n_participants"].max())
    return f"n = {low:,} a week" if low == high else f"n = {low:,} to {high:,} a week"


def _make_group_title(weeks: pd.DataFrame, name: str, colour: str, mode: Mode) -> str:
    small = " · ▲ small" if bool(weeks["small"].all()) else ""
    square = f"<span style='color:{colour}'>■</span>"
    return f"{square} <b>{name}</b>  <span style='color:{MUTED[mode]}'>{_tell_n(weeks)}{small}</span>"


def _make_notes(
    cells: pd.DataFrame, shown: set[int], trajectory: pd.DataFrame, drawn: int, known: int, confidence: float
) -> list[str]:
    total = cells["participant_id"].nunique()
    notes = [
        f"Mean of participants with its {confidence:.0%} t interval",
        f"Thin lines: {count_of(len(shown), 'participant')}"
        if total <= len(shown)
        else f"Thin lines: showing {len(shown)} of {total:,} participants",
        "n counts participants · lines break at missed weeks",
    ]
    if drawn < known:
        notes.append(f"The {drawn} largest of {known} groups; all are in the CSV.")
    if bool(trajectory["small"].any()):
        notes.append("○ hollow: few participants that week, read with care.")
    return notes
