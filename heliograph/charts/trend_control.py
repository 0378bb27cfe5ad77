"""The panels right below the main one: the control chart, and sleep and time of day at each run."""

from __future__ import annotations

from typing import Any

import pandas as pd

from heliograph.charts._palette import MUTED, Mode, fade
from heliograph.charts.trend_layers import FLAG_COLOURS, ControlLayer
from heliograph.charts.trend_layout import Panel, Trace, compute_domain, make_scatter
from heliograph.charts.trend_points import as_text

__all__ = ["CONFOUNDERS", "make_confounder", "make_control"]

# Column, title, lowest upper end of the axis, ticks.
CONFOUNDERS: tuple[tuple[str, str, float, list[float]], ...] = (
    ("sleep_h", "Hours slept", 11.0, [0, 8]),
    ("hours_awake", "Hours awake at the recording", 17.0, [0, 8, 16]),
    ("hour", "Time of day", 24.0, [6, 18]),
)
BAND = 0.12


def make_control(
    layer: ControlLayer, panels: list[Panel], panel: Panel, colour: str, mode: Mode
) -> tuple[list[Trace], dict[str, Any]]:
    """The chart's statistic between its limits, and the y-axis that holds them."""
    rows = layer.rows
    axes = {"xaxis": panel.x, "yaxis": panel.y}
    x = as_text(rows["at"])
    grey = {"color": MUTED[mode], "width": 1, "dash": "dash"}
    high, low = _floats(rows["high"]), _floats(rows["low"])
    traces = [
        make_scatter(x=x, y=high, mode="lines", line=grey, hoverinfo="skip", name="upper limit", **axes),
        make_scatter(x=x, y=low, mode="lines", line=grey, hoverinfo="skip", name="lower limit", fill="tonexty",
                   fillcolor=fade(MUTED[mode], BAND), **axes),
        make_scatter(x=x, y=_floats(rows["centre"]), mode="lines", hoverinfo="skip", name="centre",
                   line={"color": MUTED[mode], "width": 1, "dash": "dot"}, **axes),
    ]  # fmt: skip
    sides = ["z"] + (["z_low"] if "z_low" in rows else [])
    for side in sides:
        traces.append(
            make_scatter(
                x=x, y=_floats(rows[side]), mode="lines+markers", name=layer.name,
                line={"color": colour, "width": 1.5}, marker={"size": 4, "color": colour},
                customdata=[[int(run_id)] for run_id in rows["run_id"]],
                hovertemplate=f"<b>{layer.name} %{{y:.3f}}</b><br>%{{x}}<br>run %{{customdata[0]}}<extra></extra>",
                selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}}, **axes,
            )
        )  # fmt: skip
    traces += _make_marks(rows, axes, mode)
    values = pd.concat([rows[name] for name in (*sides, "high", "low")]).astype(float)
    room = 0.12 * (values.max() - values.min()) if len(values) else 0.0
    axis = {
        "domain": compute_domain(panels, panel), "anchor": panel.x, "fixedrange": True, "nticks": 4,
        "range": [values.min() - room, values.max() + room] if room > 0 else None, "tickformat": ".2~f",
    }  # fmt: skip
    return traces, axis


def make_confounder(
    rows: pd.DataFrame, number: int, panels: list[Panel], panel: Panel, mode: Mode
) -> tuple[list[Trace], dict[str, Any]]:
    """One strip of dots (`number` in `CONFOUNDERS`): what was known about a run besides its voice."""
    column, title, top, ticks = CONFOUNDERS[number]
    known = rows[rows[column].notna()]
    dots = make_scatter(
        x=as_text(known["at"]), y=_floats(known[column]), mode="markers", name=title,
        marker={"size": 5, "color": MUTED[mode]},
        hovertemplate=f"<b>{title}: %{{y:.1f}}</b><br>%{{x}}<extra></extra>", xaxis=panel.x, yaxis=panel.y,
    )  # fmt: skip
    highest = max(top, float(known[column].max()) * 1.05) if len(known) else top
    axis = {
        "domain": compute_domain(panels, panel), "anchor": panel.x, "fixedrange": True, "tickvals": ticks,
        "range": [-0.08 * highest, highest],
        "ticktext": [f"{tick:02.0f}:00" if column == "hour" else f"{tick:g}" for tick in ticks],
    }  # fmt: skip
    return [dots], axis


def _make_marks(rows: pd.DataFrame, axes: dict[str, str], mode: Mode) -> list[Trace]:
    """Triangles, up or down, where the statistic is outside its limits."""
    found = rows[rows["flag"].isin(["up", "down"])]
    if not len(found):
        return []
    low = found["z_low"] if "z_low" in found else found["z"]
    y = found["z"].where(found["flag"] == "up", low)
    return [
        make_scatter(
            x=as_text(found["at"]), y=_floats(y), mode="markers", hoverinfo="skip", name="outside",
            marker={"symbol": [f"triangle-{side}" for side in found["flag"]], "size": 11,
                    "color": FLAG_COLOURS[mode]}, **axes,
        )
    ]  # fmt: skip


def _floats(values: pd.Series) -> list[float]:
    return [float(value) for value in values]
