"""One participant over time: mental strain large, the five other biomarkers small, on one true time axis.

The figure carries everything that a screenshot needs to be read alone: whose it is, the unit and its direction,
how many results, the workspace, whether the scores are synthetic, the day it was drawn and where lines break.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from heliograph.charts._palette import BACKGROUNDS, BIOMARKER_COLOURS, INK, LEVEL_NAMES, MUTED, Mode
from heliograph.charts._template import make_template
from heliograph.charts._text import escape_plotly
from thymia_api import BIOMARKERS, Biomarker

__all__ = [
    "TrendCounts",
    "compute_break_after_days",
    "compute_trend_counts",
    "plot_trend",
    "write_trend_csv",
]

RESULT = "complete_ok"
NO_RESULT = ("complete_error", "failed")

TOP_PX, MAIN_PX, SMALL_PX, GAP_PX, AFTER_MAIN_PX, BOTTOM_PX = 104, 250, 84, 32, 64, 146
HEIGHT_PX = TOP_PX + MAIN_PX + AFTER_MAIN_PX + 5 * SMALL_PX + 4 * GAP_PX + BOTTOM_PX
LEFT_PX, RIGHT_PX = 56, 14
TEXT_PX = 8  # Titles and notes begin here, left of the axes: a phone needs the width.
# Above this SVG gets slow (20 s for 100 000 points against 5 s): draw by WebGL.
SVG_POINTS = 1500
# A session counts as missed when the spacing to the next one exceeds this multiple of the usual spacing.
MISSED_SPACING = 1.5
# Scores lie in [0, 1]; the margins keep whole markers inside, and the crosses of sessions without a result.
Y_RANGE = (-0.1, 1.07)
CROSS_Y = -0.045
# Sessions closer together than this are shown within a few whole days, not spread over minutes.
SHORTEST_SPAN = pd.Timedelta(days=3)
SHOWN_TAGS = 4


@dataclass(frozen=True)
class TrendCounts:
    """How many rows of a trend frame are results, results with warnings, without a result, and still open."""

    results: int
    with_warnings: int
    without_result: int
    in_progress: int


def compute_trend_counts(frame: pd.DataFrame) -> TrendCounts:
    """Count the rows of a trend frame by what the figure does with them."""
    results = frame["state"] == RESULT
    without = frame["state"].isin(NO_RESULT)
    return TrendCounts(
        results=int(results.sum()),
        with_warnings=int((results & _has_warnings(frame)).sum()),
        without_result=int(without.sum()),
        in_progress=int((~results & ~without).sum()),
    )


def compute_break_after_days(times: pd.Series) -> int:
    """Whole days without a result after which the line breaks.

    Parameters
    ----------
    times : pandas.Series of datetime64
        Session times in order, without missing values.

    Returns
    -------
    int
        1.5 times the median spacing between neighbouring days that have a result, rounded down and at least 1:
        a daily protocol breaks at one missed day, a weekly one at a missed week.
    """
    days = pd.Series(times.dt.normalize().unique()).sort_values()
    spacing = days.diff().dropna().dt.days
    return max(1, math.floor(MISSED_SPACING * float(spacing.median()))) if len(spacing) else 1


def write_trend_csv(frame: pd.DataFrame) -> bytes:
    """The charted frame as UTF-8 CSV for R and pandas: one row a run, NA for what is missing."""
    flags = {name: frame[name].map({True: "TRUE", False: "FALSE"}) for name in frame.select_dtypes("bool")}
    text: str = frame.assign(**flags).to_csv(
        index=False, na_rep="NA", lineterminator="\n", date_format="%Y-%m-%dT%H:%M:%S%z"
    )
    return text.encode("utf-8")


def plot_trend(
    frame: pd.DataFrame,
    *,
    participant_label: str,
    workspace: str,
    synthetic: bool,
    drawn_on: date,
    mode: Mode = "light",
    buckets: bool = False,
) -> go.Figure:
    """Draw every run of one participant.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a run, as `heliograph.store.load_trend` gives it. Not changed.
    participant_label : str
        Shown in the title as typed; markup in it stays text.
    workspace : str
        Name of the workspace, for the note under the figure.
    synthetic : bool
        Whether the scores come from a sandbox; said in the title.
    drawn_on : datetime.date
        Today, for the note under the figure.
    mode : {"light", "dark"}
        The page that the figure stands on.
    buckets : bool
        Show the five bucketed biomarkers as steps over four named levels instead of the continuous scores.
        Mental strain has no buckets and stays continuous. Levels are never averaged or interpolated.

    Returns
    -------
    plotly.graph_objects.Figure
        Every point carries its run's id as `customdata[0]`.

    Raises
    ------
    ValueError
        When `frame` lacks a column that the figure needs.
    """
    _check_columns(frame)
    rows = frame.assign(
        at=pd.to_datetime(frame["session_local"]),
        asleep_local=pd.to_datetime(frame["asleep_local"]),
        awake_local=pd.to_datetime(frame["awake_local"]),
    ).sort_values(["at", "run_id"], kind="stable")
    rows["told"] = pd.Series(
        [_describe_run(row) for row in rows.to_dict("records")], index=rows.index, dtype=object
    )
    results = rows[rows["state"] == RESULT].reset_index(drop=True)
    without = rows[rows["state"].isin(NO_RESULT)].reset_index(drop=True)
    break_days = compute_break_after_days(results["at"])
    domains = _compute_domains()
    figure = go.Figure(layout=_make_layout(mode, domains))
    _widen_short_span(figure, rows["at"])
    for number, biomarker in enumerate(BIOMARKERS):
        stepped = buckets and biomarker.bucketed is not None
        column = biomarker.bucketed if stepped and biomarker.bucketed else biomarker.continuous
        for trace in _make_traces(results, biomarker, column, number, mode, stepped, break_days):
            figure.add_trace(trace)
        figure.update_layout({f"yaxis{number + 1 if number else ''}": _make_y_axis(number, domains, stepped)})
        figure.add_annotation(_make_panel_title(biomarker, number, domains, mode, stepped))
    if len(without):
        figure.add_trace(_make_crosses(without, mode))
    if not len(results):
        figure.add_annotation(
            text="No results in this period", x=0.5, y=0.5, xref="paper", yref="y domain", showarrow=False,
            font={"size": 16, "color": MUTED[mode]},
        )  # fmt: skip
    _write_title(figure, participant_label, synthetic, mode)
    counts = compute_trend_counts(rows)
    _write_note(figure, _make_note(counts, break_days, buckets, workspace, drawn_on), mode)
    return figure


def _check_columns(frame: pd.DataFrame) -> None:
    needed = {"run_id", "session_local", "state", "warnings", "error_code", "tags", "asleep_local", "awake_local"}
    needed |= {name for b in BIOMARKERS for name in (b.continuous, b.bucketed) if name}
    if missing := sorted(needed - set(frame.columns)):
        raise ValueError(f"the trend frame lacks {', '.join(missing)}")


def _has_warnings(frame: pd.DataFrame) -> pd.Series:
    return (
        frame["warnings"]
        .map(lambda value: isinstance(value, str) and value not in {"", "[]", "null"})
        .astype(bool)
    )


def _compute_domains() -> list[tuple[float, float]]:
    """Each panel's (bottom, top) as shares of the plotting area, mental strain first."""
    inside = HEIGHT_PX - TOP_PX - BOTTOM_PX
    tops = [0] + [MAIN_PX + AFTER_MAIN_PX + n * (SMALL_PX + GAP_PX) for n in range(5)]
    heights = [MAIN_PX] + [SMALL_PX] * 5
    return [
        (max(0.0, 1 - (top + height) / inside), 1 - top / inside)
        for top, height in zip(tops, heights, strict=True)
    ]


def _make_layout(mode: Mode, domains: list[tuple[float, float]]) -> go.Layout:
    shared = {"type": "date", "hoverformat": "%a %e %b %Y, %H:%M", "tickformatstops": TICK_FORMATS}
    return go.Layout(
        template=make_template(mode),
        height=HEIGHT_PX,
        margin={"t": TOP_PX, "b": BOTTOM_PX, "l": LEFT_PX, "r": RIGHT_PX},
        hovermode="closest",
        xaxis={**shared, "anchor": "y"},
        # The small panels share this one; it follows the first, so that zooming one moves all.
        xaxis2={**shared, "anchor": f"y{len(domains)}", "matches": "x", "showspikes": True,
                "spikemode": "across", "spikethickness": 1, "spikedash": "dot", "spikesnap": "data",
                "spikecolor": MUTED[mode]},
    )  # fmt: skip


def _widen_short_span(figure: go.Figure, times: pd.Series) -> None:
    """Give one session, or a few of one day, room of some days around them; Plotly would show minutes."""
    first, last = times.min(), times.max()
    if pd.isna(first) or last - first >= SHORTEST_SPAN:
        return
    ends = [first.normalize() - pd.Timedelta(days=2), last.normalize() + pd.Timedelta(days=3)]
    figure.update_xaxes(range=[end.strftime("%Y-%m-%dT%H:%M:%S") for end in ends], dtick=86_400_000)


# Day before month by name: 03/04 would be read in two ways.
TICK_FORMATS = [
    {"dtickrange": [None, 86_399_999], "value": "%H:%M\n%e %b %Y"},
    {"dtickrange": [86_400_000, "M1"], "value": "%e %b\n%Y"},
    {"dtickrange": ["M1", "M12"], "value": "%b\n%Y"},
    {"dtickrange": ["M12", None], "value": "%Y"},
]


def _make_y_axis(number: int, domains: list[tuple[float, float]], stepped: bool) -> dict[str, Any]:
    axis: dict[str, Any] = {
        "domain": domains[number],
        "range": Y_RANGE,
        "fixedrange": True,
        "anchor": "x" if number == 0 else "x2",
        "tickvals": [0, 0.25, 0.5, 0.75, 1] if number == 0 else [0, 0.5, 1],
    }
    if stepped:
        axis |= {"tickvals": list(LEVEL_NAMES), "ticktext": list(LEVEL_NAMES.values())}
    return axis


def _make_panel_title(
    biomarker: Biomarker, number: int, domains: list[tuple[float, float]], mode: Mode, stepped: bool
) -> dict[str, Any]:
    scale = " · levels" if stepped else ""
    colour = BIOMARKER_COLOURS[mode][biomarker.name]
    return {
        "text": f"<span style='color:{colour}'>■</span> <b>{biomarker.title}</b>{scale}"
        f"  <span style='color:{MUTED[mode]}'>{biomarker.reads.partition(';')[0]}</span>",
        "x": 0, "xref": "paper", "xanchor": "left", "y": domains[number][1], "yref": "paper", "yanchor": "bottom",
        "xshift": TEXT_PX - LEFT_PX, "yshift": 2, "showarrow": False, "align": "left",
        "font": {"size": 15 if number == 0 else 13, "color": INK[mode]},
    }  # fmt: skip


def _make_traces(
    results: pd.DataFrame,
    biomarker: Biomarker,
    column: str,
    number: int,
    mode: Mode,
    stepped: bool,
    break_days: int,
) -> list[go.Scatter | go.Scattergl]:
    """The line (broken at missed sessions) and, over it, the points."""
    rows = results[results[column].notna()]
    colour = BIOMARKER_COLOURS[mode][biomarker.name]
    kind = go.Scattergl if len(rows) > SVG_POINTS else go.Scatter
    axes = {"xaxis": "x" if number == 0 else "x2", "yaxis": f"y{number + 1 if number else ''}"}
    line_x, line_y = _break_line(rows["at"], rows[column], break_days)
    hollow = _has_warnings(rows)
    size = 9 if number == 0 else 7
    line = kind(
        x=line_x, y=line_y, mode="lines", hoverinfo="skip", connectgaps=False, name=f"{biomarker.title} line",
        line={"color": colour, "width": 2 if number == 0 else 1.5, "shape": "hv" if stepped else "linear"},
        opacity=0.55, **axes,
    )  # fmt: skip
    points = kind(
        x=_as_text(rows["at"]), y=[float(value) for value in rows[column]], mode="markers", name=biomarker.title,
        customdata=list(rows["told"]),
        hovertemplate=f"<b>{biomarker.title} {'%{y:.2f}'}</b><br>%{{customdata[1]}}<extra></extra>",
        marker={"size": size, "color": [BACKGROUNDS[mode] if warned else colour for warned in hollow],
                "line": {"color": colour, "width": 1.6}},
        # A click selects: the other points must not fade.
        selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}}, **axes,
    )  # fmt: skip
    return [line, points]


def _make_crosses(without: pd.DataFrame, mode: Mode) -> go.Scatter:
    return go.Scatter(
        x=_as_text(without["at"]), y=[CROSS_Y] * len(without), mode="markers", name="no result", cliponaxis=False,
        customdata=list(without["told"]),
        hovertemplate="<b>No result</b><br>%{customdata[1]}<extra></extra>",
        marker={"symbol": "x-thin", "size": 9, "line": {"color": INK[mode], "width": 2}},
        selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}}, xaxis="x", yaxis="y",
    )  # fmt: skip


def _break_line(
    times: pd.Series, values: pd.Series, break_days: int
) -> tuple[list[str | None], list[float | None]]:
    """Points of the line with a None between two results more than `break_days` calendar days apart."""
    far = times.dt.normalize().diff().dt.days > break_days
    x: list[str | None] = []
    y: list[float | None] = []
    for text, value, broken in zip(_as_text(times), values, far, strict=True):
        if broken:
            x.append(text)
            y.append(None)
        x.append(text)
        y.append(float(value))
    return x, y


def _as_text(times: pd.Series) -> list[str]:
    return list(times.dt.strftime("%Y-%m-%dT%H:%M:%S"))


def _describe_run(row: dict[Any, Any]) -> list[Any]:
    """`[run id, hover text]` of a row: its date, sleep, tags, warnings or reason, and how to open it."""
    lines = [f"{row['at']:%a %d %b %Y, %H:%M}"]
    if sleep := _describe_sleep(row):
        lines.append(sleep)
    if row["state"] == "complete_error":
        code = row["error_code"] if isinstance(row["error_code"], str) else "reason unknown"
        lines.append(escape_plotly(code.removeprefix("ERR_").replace("_", " ").lower()))
    elif row["state"] == "failed":
        lines.append("the run failed")
    lines += [f"warning: {escape_plotly(str(text))}" for text in _read_json(row["warnings"], list)[:2]]
    tags = _read_json(row["tags"], dict)
    lines += [
        f"{escape_plotly(str(k), max_chars=24)}: {escape_plotly(str(v), max_chars=36)}"
        for k, v in list(tags.items())[:SHOWN_TAGS]
    ]
    if len(tags) > SHOWN_TAGS:
        lines.append(f"and {len(tags) - SHOWN_TAGS} more tags")
    lines.append(f"run {row['run_id']} · click to open")
    return [int(row["run_id"]), "<br>".join(lines)]


def _describe_sleep(row: dict[Any, Any]) -> str | None:
    asleep, awake = row["asleep_local"], row["awake_local"]
    if pd.isna(asleep) or pd.isna(awake):
        return None
    slept_h = (awake - asleep).total_seconds() / 3600
    text = f"slept {slept_h:.1f} h"
    if row["at"] >= awake:
        text += f", awake for {(row['at'] - awake).total_seconds() / 3600:.1f} h"
    return text


def _read_json(value: Any, kind: type[Any]) -> Any:
    """The JSON of a text column as `kind`; empty for what is missing or something else."""
    if not isinstance(value, str) or not value:
        return kind()
    try:
        found = json.loads(value)
    except ValueError:
        return kind()
    return found if isinstance(found, kind) else kind()


def _write_title(figure: go.Figure, label: str, synthetic: bool, mode: Mode) -> None:
    subtitle = "Score from 0 to 1 · <b>higher is worse</b>"
    if synthetic:
        subtitle += "<br><b>Synthetic sandbox scores: they mean nothing</b>"
    figure.update_layout(
        title={
            "text": f"Participant {escape_plotly(label, max_chars=36)}",
            "subtitle": {"text": subtitle, "font": {"size": 13, "color": MUTED[mode]}},
            "y": 1, "yref": "container", "yanchor": "top", "pad": {"t": 10, "l": TEXT_PX},
        }
    )  # fmt: skip


def _make_note(counts: TrendCounts, break_days: int, buckets: bool, workspace: str, drawn_on: date) -> list[str]:
    """The lines under the axes; a phone shows about 55 characters of each."""
    days = "a day" if break_days == 1 else f"{break_days} days"
    lines = [
        f"● result (n = {counts.results})  ○ with warnings ({counts.with_warnings})"
        f"  ✕ none ({counts.without_result})",
        f"Lines break after more than {days} without a result.",
        "A state at one point in time, no diagnosis.",
        f"Workspace {workspace} · drawn {drawn_on:%d %b %Y}",
        "Session times are the participant's own.",
    ]
    if buckets:
        lines.insert(2, "Levels are steps: no value between them, no average.")
    return lines


def _write_note(figure: go.Figure, lines: list[str], mode: Mode) -> None:
    figure.add_annotation(
        text="<br>".join(lines), x=0, xref="paper", xanchor="left", xshift=TEXT_PX - LEFT_PX,
        y=0, yref="paper", yanchor="top", yshift=-42,
        showarrow=False, align="left", font={"size": 12, "color": MUTED[mode]},
    )  # fmt: skip
