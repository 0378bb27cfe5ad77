"""Two questions kept apart: what goes with what *within* persons, and what goes with what *between* them.

The first is drawn from each run's distance to its own person's mean, the second from one mean a person. No figure
here takes both at once in one coordinate system, so that the two can't be mixed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from heliograph.charts._palette import BACKGROUNDS, BIOMARKER_COLOURS, INK, MUTED, Mode, fade
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
from thymia_api import BIOMARKERS

__all__ = ["PEOPLE_SHOWN", "Slope", "plot_between", "plot_effects", "plot_within"]

PANEL_PX, ROW_PX, HEAD_PX = 300, 27, 16
LEFT_PX, NAMES_PX, AXIS_PX = 52, 128, 54
PEOPLE_SHOWN = 60
SVG_POINTS = 1500
ROOM = 1.08  # Air around the outermost point.
LEAST_SPAN = 0.1


@dataclass(frozen=True)
class Slope:
    """A straight line through (`at_x`, `at_y`) with the interval of its slope; `low` and `high` None where there
    is none."""

    slope: float
    low: float | None = None
    high: float | None = None
    at_x: float = 0.0
    at_y: float = 0.0


def plot_within(
    points: pd.DataFrame,
    person_lines: pd.DataFrame,
    *,
    title: str,
    lines: Sequence[str],
    notes: Sequence[str],
    x_title: str,
    colour: str,
    slope: Slope | None,
    about: FigureAbout,
    mode: Mode = "light",
) -> go.Figure:
    """Draw each run's distance to its own person's means.

    Parameters
    ----------
    points : pandas.DataFrame
        One row a run: `participant_id`, `x` and `y`, both minus the person's own mean. Not changed.
    person_lines : pandas.DataFrame
        One row a person: `participant_id`, `low_x`, `high_x` and `slope`: a thin line through the origin.
    title, lines, notes, x_title : str and sequences of str
        The words on the figure; user text in them must be escaped already.
    colour : str
        Of the biomarker.
    slope : Slope or None
        The common slope, drawn thick, with its interval as a wedge. None draws none.
    about : FigureAbout
        Workspace, day, synthetic or not, and what was chosen.
    mode : {"light", "dark"}
        The page that the figure stands on.

    Returns
    -------
    plotly.graph_objects.Figure
        One panel, with the origin in its middle.

    Raises
    ------
    ValueError
        When a frame lacks a column that the figure needs.
    """
    check_columns(points, ["participant_id", "x", "y"])
    check_columns(person_lines, ["participant_id", "low_x", "high_x", "slope"])
    figure = make_panel_figure(stack_panels([PANEL_PX], gap_px=0), mode, left_px=LEFT_PX)
    reach_x, reach_y = _reach(points["x"]), _reach(points["y"])
    shown = pick_spread(sorted({int(number) for number in person_lines["participant_id"]}), PEOPLE_SHOWN)
    figure.add_trace(_make_person_lines(person_lines[person_lines["participant_id"].isin(shown)], colour))
    figure.add_trace(_make_points(points, colour, opacity=0.45, size=5, told="one run"))
    if slope is not None:
        for trace in _make_slope(slope, (-reach_x, reach_x), colour, mode):
            figure.add_trace(trace)
    figure.update_layout(
        xaxis=_make_axis(x_title, (-reach_x, reach_x), mode),
        yaxis=_make_axis("Score minus own mean", (-reach_y, reach_y), mode),
    )
    told = list(notes)
    if len(shown) < len(person_lines):
        told.append(f"Thin lines: {len(shown)} of {count_of(len(person_lines), 'person', 'persons')}")
    return stamp_cohort(
        figure, title=title, lines=lines, notes=told, about=about, mode=mode, axis_px=AXIS_PX
    )  # fmt: skip


def plot_between(
    means: pd.DataFrame,
    *,
    title: str,
    lines: Sequence[str],
    notes: Sequence[str],
    x_title: str,
    colour: str,
    slope: Slope | None,
    about: FigureAbout,
    mode: Mode = "light",
) -> go.Figure:
    """Draw one dot a person: their mean score over their mean of something else.

    Parameters
    ----------
    means : pandas.DataFrame
        One row a person: `participant_id`, `x`, `y`, `n_runs`, `label` (as typed). Not changed.
    title, lines, notes, x_title : str and sequences of str
        The words on the figure; user text in them must be escaped already.
    colour : str
        Of the biomarker.
    slope : Slope or None
        The line between persons with the interval of its slope. None draws none.
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
        When `means` lacks a column that the figure needs.
    """
    check_columns(means, ["participant_id", "x", "y", "n_runs", "label"])
    figure = make_panel_figure(stack_panels([PANEL_PX], gap_px=0), mode, left_px=LEFT_PX)
    low, high = _span(means["x"])
    figure.add_trace(_make_people(means, colour, mode))
    if slope is not None:
        for trace in _make_slope(slope, (low, high), colour, mode):
            figure.add_trace(trace)
    figure.update_layout(
        xaxis=_make_axis(x_title, (low, high), mode),
        yaxis=_make_axis("Mean score", (-0.03, 1.03), mode)
        | {"tickvals": [0, 0.25, 0.5, 0.75, 1], "zeroline": False},
    )
    return stamp_cohort(
        figure, title=title, lines=lines, notes=notes, about=about, mode=mode, axis_px=AXIS_PX
    )  # fmt: skip


def plot_effects(
    effects: pd.DataFrame,
    *,
    title: str,
    lines: Sequence[str],
    notes: Sequence[str],
    units: Mapping[str, str],
    limits: tuple[float, float] | None,
    about: FigureAbout,
    mode: Mode = "light",
) -> go.Figure:
    """Draw estimates with intervals for the six biomarkers, one panel for each level.

    Parameters
    ----------
    effects : pandas.DataFrame
        One row an estimate: `name` (of a biomarker), `level` (`within` or `between`), `estimate`, `low`, `high`
        (NaN where there is none), `n_participants`, `n_runs`. Not changed.
    title, lines, notes : str and sequences of str
        The words on the figure.
    units : mapping
        `within` and `between` → the words over their panel, with the unit.
    limits : tuple of float or None
        The ends of both axes, for correlations; None fits each panel to its intervals.
    about : FigureAbout
        Workspace, day, synthetic or not, and what was chosen.
    mode : {"light", "dark"}
        The page that the figure stands on.

    Returns
    -------
    plotly.graph_objects.Figure
        A panel for each level that has rows, with an x axis of its own.

    Raises
    ------
    ValueError
        When `effects` lacks a column that the figure needs.
    """
    check_columns(effects, ["name", "level", "estimate", "low", "high", "n_participants", "n_runs"])
    levels = [level for level in ("within", "between") if (effects["level"] == level).any()]
    panels = stack_panels([ROW_PX * len(BIOMARKERS)] * max(1, len(levels)), gap_px=66, head_px=HEAD_PX)
    figure = make_panel_figure(panels, mode, left_px=NAMES_PX)
    names = [biomarker.name for biomarker in BIOMARKERS]
    for number, level in enumerate(levels):
        rows = effects[(effects["level"] == level) & effects["name"].isin(names)]
        axis = "" if number == 0 else "2"
        figure.add_trace(_make_estimates(rows, level, names, axis, mode))
        ends = limits or _fit_estimates(rows)
        figure.update_layout(
            {
                f"xaxis{axis}": _make_axis("", ends, mode) | {"anchor": f"y{axis}"},
                f"yaxis{axis}": {
                    "domain": panels.domains[number], "anchor": f"x{axis}", "fixedrange": True, "showgrid": False,
                    "range": [len(names) - 0.5, -0.5], "tickvals": list(range(len(names))),
                    "ticktext": [biomarker.title for biomarker in BIOMARKERS],
                },
            }
        )  # fmt: skip
        top = panels.domains[number][1]
        figure.add_annotation(make_panel_title(units[level], top, mode, left_px=NAMES_PX, size=14))
    return stamp_cohort(
        figure, title=title, lines=lines, notes=notes, about=about, mode=mode
    )  # fmt: skip


def _make_axis(title: str, ends: tuple[float, float], mode: Mode) -> dict[str, Any]:
    return {
        "title": {"text": title, "standoff": 6}, "range": list(ends), "zeroline": ends[0] < 0 < ends[1],
        "zerolinecolor": MUTED[mode], "zerolinewidth": 1, "automargin": False,
    }  # fmt: skip


def _reach(values: pd.Series) -> float:
    furthest = float(values.abs().max()) if values.notna().any() else 0.0
    return max(LEAST_SPAN, furthest * ROOM)


def _span(values: pd.Series) -> tuple[float, float]:
    if not values.notna().any():
        return (0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    air = max(LEAST_SPAN, (high - low) * (ROOM - 1))
    return (low - air, high + air)


def _fit_estimates(rows: pd.DataFrame) -> tuple[float, float]:
    ends = pd.concat([rows["estimate"], rows["low"], rows["high"]]).dropna()
    reach = max(0.01, float(ends.abs().max()) * ROOM) if len(ends) else 0.1
    return (-reach, reach)


def _make_person_lines(person_lines: pd.DataFrame, colour: str) -> go.Scatter:
    x: list[float | None] = []
    y: list[float | None] = []
    for row in person_lines[person_lines["slope"].notna()].to_dict("records"):
        x += [float(row["low_x"]), float(row["high_x"]), None]
        y += [float(row["low_x"]) * float(row["slope"]), float(row["high_x"]) * float(row["slope"]), None]
    return go.Scatter(
        x=x,
        y=y,
        mode="lines",
        hoverinfo="skip",
        name="each person",
        line={"color": fade(colour, 0.45), "width": 1},
    )


def _make_points(points: pd.DataFrame, colour: str, *, opacity: float, size: int, told: str) -> Any:
    kind = go.Scattergl if len(points) > SVG_POINTS else go.Scatter
    return kind(
        x=[float(value) for value in points["x"]], y=[float(value) for value in points["y"]], mode="markers",
        name=told, hovertemplate="%{x:+.2f}, %{y:+.2f}<extra></extra>",
        marker={"color": fade(colour, opacity), "size": size},
    )  # fmt: skip


def _make_people(means: pd.DataFrame, colour: str, mode: Mode) -> go.Scatter:
    told = [
        [
            int(row["participant_id"]),
            f"{escape_plotly(str(row['label']), max_chars=36)}<br>{count_of(int(row['n_runs']), 'run')}",
        ]
        for row in means.to_dict("records")
    ]
    return go.Scatter(
        x=[float(value) for value in means["x"]], y=[float(value) for value in means["y"]], mode="markers",
        name="one person", customdata=told,
        hovertemplate="<b>%{customdata[1]}</b><br>%{x:.2f}, score %{y:.2f}<extra></extra>",
        marker={"color": colour, "size": 10, "line": {"color": BACKGROUNDS[mode], "width": 1}},
    )  # fmt: skip


def _make_slope(slope: Slope, ends: tuple[float, float], colour: str, mode: Mode) -> list[go.Scatter]:
    """The wedge of slopes inside the interval, and the line."""
    near = [slope.at_x, *ends]
    x = sorted(near)
    traces = []
    if slope.low is not None and slope.high is not None:
        steep = [max(slope.low * (at - slope.at_x), slope.high * (at - slope.at_x)) + slope.at_y for at in x]
        flat = [min(slope.low * (at - slope.at_x), slope.high * (at - slope.at_x)) + slope.at_y for at in x]
        traces.append(
            go.Scatter(
                x=[*x, *reversed(x)], y=[*steep, *reversed(flat)], mode="lines", fill="toself", hoverinfo="skip",
                fillcolor=fade(INK[mode], 0.12), line={"width": 0}, name="interval of the slope",
            )
        )  # fmt: skip
    line = [slope.slope * (at - slope.at_x) + slope.at_y for at in x]
    traces.append(
        go.Scatter(
            x=x, y=line, mode="lines", hoverinfo="skip", name="slope", line={"color": INK[mode], "width": 2.5}
        )
    )
    return traces


def _make_estimates(rows: pd.DataFrame, level: str, names: Sequence[str], axis: str, mode: Mode) -> go.Scatter:
    shown = rows[rows["estimate"].notna()]
    told = [
        f"{count_of(int(row['n_participants']), 'participant')}, {count_of(int(row['n_runs']), 'run')}"
        for row in shown.to_dict("records")
    ]
    colours = [BIOMARKER_COLOURS[mode][str(name)] for name in shown["name"]]
    above = [max(0.0, high - at) for high, at in zip(shown["high"], shown["estimate"], strict=True)]
    below = [max(0.0, at - low) for low, at in zip(shown["low"], shown["estimate"], strict=True)]
    return go.Scatter(
        x=[float(value) for value in shown["estimate"]], y=[names.index(str(name)) for name in shown["name"]],
        mode="markers", name=level, customdata=told, xaxis=f"x{axis}", yaxis=f"y{axis}",
        hovertemplate="%{x:+.3f}<br>%{customdata}<extra></extra>",
        error_x={"type": "data", "symmetric": False, "array": above, "arrayminus": below,
                 "color": INK[mode], "thickness": 1.5, "width": 4},
        marker={"size": 11, "color": colours if level == "within" else BACKGROUNDS[mode],
                "symbol": "circle" if level == "within" else "diamond",
                "line": {"color": colours, "width": 2.5}},
    )  # fmt: skip
