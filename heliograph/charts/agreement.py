"""How far apart two measures on one scale lie: the difference of each pair over its mean, with the limits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go

from heliograph.charts._palette import BACKGROUNDS, INK, MUTED, Mode, fade
from heliograph.charts._text import escape_plotly
from heliograph.charts.cohort_frame import (
    FigureAbout,
    check_columns,
    make_panel_figure,
    stack_panels,
    stamp_cohort,
)

if TYPE_CHECKING:
    from heliograph.analysis import BlandAltman

__all__ = ["plot_bland_altman"]

PANEL_PX, LEFT_PX, RIGHT_PX, AXIS_PX = 360, 52, 96, 54
PAIR_COLOUR: dict[Mode, str] = {"light": "#1f6f78", "dark": "#5cc2cc"}
ROOM = 1.12


def plot_bland_altman(
    pairs: pd.DataFrame,
    limits: BlandAltman,
    *,
    title: str,
    lines: Sequence[str],
    notes: Sequence[str],
    unit: str,
    about: FigureAbout,
    mode: Mode = "light",
) -> go.Figure:
    """Draw the differences of pairs with their mean and the 95 % limits of agreement.

    Parameters
    ----------
    pairs : pandas.DataFrame
        One row a pair: `participant_id`, `label` (as typed), `first`, `second`. Not changed.
    limits : BlandAltman
        What was computed from these pairs; NaN limits are not drawn.
    title, lines, notes : str and sequences of str
        The words on the figure; user text in lines and notes must be escaped already.
    unit : str
        Of both axes, escaped.
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
        When `pairs` lacks a column that the figure needs.
    """
    check_columns(pairs, ["participant_id", "label", "first", "second"])
    figure = make_panel_figure(stack_panels([PANEL_PX]), mode, left_px=LEFT_PX)
    difference, mean = pairs["first"] - pairs["second"], (pairs["first"] + pairs["second"]) / 2
    for at, low, high, name, dash in (
        (limits.high, limits.high_low, limits.high_high, "upper limit", "dash"),
        (limits.bias, limits.bias_low, limits.bias_high, "mean difference", "solid"),
        (limits.low, limits.low_low, limits.low_high, "lower limit", "dash"),
    ):
        if math.isfinite(at):
            _add_level(figure, at, low, high, name, dash, mode)
    figure.add_trace(_make_pairs(pairs, mean, difference, mode))
    ends = [value for value in (*difference, limits.high_high, limits.low_low, 0.0) if math.isfinite(value)]
    reach = max(abs(value) for value in ends) * ROOM or 1.0
    figure.update_layout(
        margin={"r": RIGHT_PX},
        xaxis={"title": {"text": f"Mean of both ({unit})", "standoff": 6}},
        yaxis={"title": {"text": f"Difference ({unit})", "standoff": 6}, "range": [-reach, reach],
               "zeroline": True, "zerolinecolor": MUTED[mode], "zerolinewidth": 1},
    )  # fmt: skip
    return stamp_cohort(figure, title=title, lines=lines, notes=notes, about=about, mode=mode, axis_px=AXIS_PX)


def _add_level(figure: go.Figure, at: float, low: float, high: float, name: str, dash: str, mode: Mode) -> None:
    if math.isfinite(low) and math.isfinite(high):
        figure.add_hrect(y0=low, y1=high, fillcolor=fade(INK[mode], 0.09), line_width=0, layer="below")
    figure.add_hline(y=at, line={"color": INK[mode], "width": 1.8, "dash": dash})
    figure.add_annotation(
        text=f"{name}<br><b>{at:+.2f}</b>".replace("-", "−"), x=1, xref="paper", xanchor="left", xshift=6,
        y=at, yanchor="middle", showarrow=False, align="left", font={"size": 11, "color": INK[mode]},
    )  # fmt: skip


def _make_pairs(pairs: pd.DataFrame, mean: pd.Series, difference: pd.Series, mode: Mode) -> go.Scatter:
    told: list[list[Any]] = [
        [int(number), escape_plotly(str(label), max_chars=36), f"{first:g}", f"{second:g}"]
        for number, label, first, second in zip(
            pairs["participant_id"], pairs["label"], pairs["first"].round(2), pairs["second"].round(2), strict=True
        )
    ]
    return go.Scatter(
        x=[float(value) for value in mean], y=[float(value) for value in difference], mode="markers",
        name="pairs", customdata=told,
        hovertemplate="<b>%{customdata[1]}</b><br>%{customdata[2]} and %{customdata[3]}<extra></extra>",
        marker={"color": fade(PAIR_COLOUR[mode], 0.7), "size": 9,
                "line": {"color": BACKGROUNDS[mode], "width": 1}},
    )  # fmt: skip
