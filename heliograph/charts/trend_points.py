"""The runs of a trend as points and broken lines, with what a hover tells of each."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from heliograph.charts._palette import BACKGROUNDS, INK, Mode
from heliograph.charts._text import escape_plotly
from heliograph.charts.trend_layout import Trace, make_scatter

__all__ = [
    "QUALITY_SYMBOLS",
    "as_text",
    "break_line",
    "compute_break_after_days",
    "has_warnings",
    "make_crosses",
    "make_points",
    "prepare_rows",
]

# A session counts as missed when the spacing to the next one exceeds this multiple of the usual spacing.
MISSED_SPACING = 1.5
# Above this SVG gets slow (20 s for 100 000 points against 5 s): draw by WebGL.
SVG_POINTS = 1500
CROSS_Y = -0.045
SHOWN_TAGS = 4
QUALITY_SYMBOLS = {"good": "circle", "fair": "diamond", "poor": "triangle-up", "unknown": "square"}
"""The shape of a point by the recording's quality."""
PROCESSING = {"echo_cancellation": "echo", "noise_suppression": "noise", "auto_gain_control": "gain"}
TOLD = (
    "run_id", "at", "state", "error_code", "warnings", "tags", "kind", "source", "speech_s", "snr_db",
    "bandwidth_hz", "processing", "asleep_local", "awake_local",
)  # fmt: skip
"""The columns that a hover text is made of."""
SOURCES = {
    "lossless": "lossless recorder",
    "webrtc": "live recorder",
    "builtin": "built-in recorder",
    "upload": "uploaded file",
}


def has_warnings(frame: pd.DataFrame) -> pd.Series:
    """Which rows of a trend frame have warnings from the service."""
    return (
        frame["warnings"]
        .map(lambda value: isinstance(value, str) and value not in {"", "[]", "null"})
        .astype(bool)
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


def prepare_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """A trend frame in order of time, with the columns `at`, `told` (`[run id, hover text]`) and `quality`."""
    rows = frame.assign(
        at=pd.to_datetime(frame["session_local"]),
        asleep_local=pd.to_datetime(frame["asleep_local"]),
        awake_local=pd.to_datetime(frame["awake_local"]),
    ).sort_values(["at", "run_id"], kind="stable")
    if "quality" not in rows:
        rows["quality"] = "good"
    told = [_describe_run(row) for row in rows[[name for name in TOLD if name in rows]].to_dict("records")]
    rows["told"] = pd.Series(told, index=rows.index, dtype=object)
    return rows


def as_text(times: pd.Series) -> list[str]:
    """Times as Plotly takes them."""
    texts: list[str] = np.datetime_as_string(times.to_numpy(dtype="datetime64[s]")).tolist()
    return texts


def break_line(
    times: pd.Series, values: pd.Series, break_days: int, breaks: pd.Series | None = None
) -> tuple[list[str | None], list[float | None]]:
    """Points of a line with a None where more than `break_days` calendar days lie between two results, and
    before every row that `breaks` marks."""
    days = times.to_numpy(dtype="datetime64[D]")
    parted = np.zeros(len(days), dtype=bool)
    parted[1:] = np.diff(days) > np.timedelta64(break_days, "D")
    if breaks is not None:
        parted |= breaks.to_numpy(dtype=bool)
    x: list[str | None] = []
    y: list[float | None] = []
    for text, value, broken in zip(as_text(times), values, parted.tolist(), strict=True):
        if broken and x:
            x.append(text)
            y.append(None)
        x.append(text)
        y.append(float(value))
    return x, y


def make_points(
    rows: pd.DataFrame,
    values: pd.Series,
    *,
    title: str,
    colour: str,
    axes: Mapping[str, str],
    mode: Mode,
    large: bool,
    stepped: bool,
    break_days: int,
    breaks: Collection[int],
    remarks: Mapping[int, str],
) -> list[Trace]:
    """The line (broken at missed sessions and where runs stop being comparable) and, over it, the points.

    `remarks` are lines of our own added to the hover text of a run.
    """
    kind = "scattergl" if len(rows) > SVG_POINTS else "scatter"
    parted = rows["run_id"].isin(list(breaks))
    line_x, line_y = break_line(rows["at"], values, break_days, parted)
    size = 9 if large else 7
    line = make_scatter(
        type=kind, x=line_x, y=line_y, mode="lines", hoverinfo="skip", connectgaps=False, name=f"{title} line",
        line={"color": colour, "width": 2 if large else 1.5, "shape": "hv" if stepped else "linear"},
        opacity=0.55, **axes,
    )  # fmt: skip
    told = [
        [run_id, f"{text}<br>{remarks[run_id]}" if run_id in remarks else text] for run_id, text in rows["told"]
    ]
    points = make_scatter(
        type=kind, x=as_text(rows["at"]), y=[float(value) for value in values], mode="markers", name=title,
        customdata=told,
        hovertemplate=f"<b>{title} {'%{y:.2f}'}</b><br>%{{customdata[1]}}<extra></extra>",
        marker={"size": size,
                "symbol": _shorten([QUALITY_SYMBOLS.get(name, "square") for name in rows["quality"]]),
                "color": _shorten([BACKGROUNDS[mode] if warned else colour for warned in has_warnings(rows)]),
                "line": {"color": colour, "width": 1.6}},
        # A click selects: the other points must not fade.
        selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}}, **axes,
    )  # fmt: skip
    return [line, points]


def make_crosses(without: pd.DataFrame, mode: Mode) -> Trace:
    """Crosses under the main panel for sessions that gave no result."""
    return make_scatter(
        x=as_text(without["at"]), y=[CROSS_Y] * len(without), mode="markers", name="no result", cliponaxis=False,
        customdata=list(without["told"]),
        hovertemplate="<b>No result</b><br>%{customdata[1]}<extra></extra>",
        marker={"symbol": "x-thin", "size": 9, "line": {"color": INK[mode], "width": 2}},
        selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}}, xaxis="x", yaxis="y",
    )  # fmt: skip


def _shorten(values: list[str]) -> list[str] | str:
    """One value for all where they are all the same."""
    return values[0] if len(set(values)) == 1 else values


def _describe_run(row: dict[Any, Any]) -> list[Any]:
    """`[run id, hover text]` of a row: its date, recording, sleep, tags, warnings or reason, how to open it."""
    lines = [f"{row['at']:%a %d %b %Y, %H:%M}"]
    lines += [text for text in (_describe_recording(row), _describe_sleep(row)) if text]
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


def _describe_recording(row: dict[Any, Any]) -> str | None:
    """Source, speech, noise and bandwidth, as far as they are known."""
    source = row.get("source")
    parts = []
    if row.get("kind") == "activity":
        parts.append("thymia's activity")
    elif isinstance(source, str) and source:
        parts.append(SOURCES.get(source, escape_plotly(source)))
    for column, text in (("speech_s", "{:.0f} s speech"), ("snr_db", "SNR {:.0f} dB")):
        if pd.notna(row.get(column)):
            parts.append(text.format(row[column]))
    if pd.notna(row.get("bandwidth_hz")):
        parts.append(f"{row['bandwidth_hz'] / 1000:.1f} kHz")
    if steps := _read_json(row.get("processing"), dict):
        working = [words for name, words in PROCESSING.items() if steps.get(name) in ("on", True)]
        if working or all(steps.get(name) in ("off", False) for name in PROCESSING):
            parts.append(f"processed: {', '.join(working)}" if working else "not processed")
    return " · ".join(parts) or None


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
