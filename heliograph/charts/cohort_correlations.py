"""How the six biomarkers move together within persons: one square a pair, with the correlation written in it."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from heliograph.charts._palette import (
    DIVERGING,
    MUTED,
    Mode,
    blend,
    write_on,
)
from heliograph.charts.cohort_frame import (
    FigureAbout,
    check_columns,
    count_of,
    make_panel_figure,
    stack_panels,
    stamp_cohort,
)
from thymia_api import BIOMARKERS

__all__ = ["plot_cohort_correlations"]

ROW_PX = 54
LEFT_PX = 112
HEAD_ROWS = 0.2  # Room above the first row for the first column's name.


def plot_cohort_correlations(
    correlations: pd.DataFrame, *, confidence: float, about: FigureAbout, mode: Mode = "light"
) -> go.Figure:
    """Draw the lower half of the matrix of repeated-measures correlations.

    Parameters
    ----------
    correlations : pandas.DataFrame
        One row a pair: `a`, `b` (columns of continuous scores), `r`, `low`, `high`, `df`, `n_participants`,
        `n_runs`; `r` is NaN where there is not enough data. Not changed.
    confidence : float
        Of the intervals in the hover text.
    about : FigureAbout
        Workspace, day, synthetic or not, and what was chosen.
    mode : {"light", "dark"}
        The page that the figure stands on.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    ValueError
        When the frame lacks a column that the figure needs.
    """
    check_columns(correlations, ["a", "b", "r", "low", "high", "df", "n_participants", "n_runs"])
    order = [biomarker.continuous for biomarker in BIOMARKERS]
    cells: dict[tuple[str, str], dict[Any, Any]] = {}
    for row in correlations.to_dict("records"):
        low, high = sorted((order.index(row["a"]), order.index(row["b"])))
        cells[order[high], order[low]] = row
    down, across = order[1:], order[:-1]
    grid = [[cells.get((one, other)) for other in across] for one in down]
    figure = make_panel_figure(stack_panels([round(ROW_PX * (len(down) + HEAD_ROWS))]), mode, left_px=LEFT_PX)
    figure.add_trace(_make_heat(grid, confidence, mode))
    for number, row in enumerate(grid):
        for place, cell in enumerate(row):
            if cell is not None:
                figure.add_annotation(_write_cell(cell, place, number, mode))
    titles = {biomarker.continuous: biomarker.title for biomarker in BIOMARKERS}
    # The upper half is empty: each column's name stands there, above its first square.
    for place, name in enumerate(across):
        figure.add_annotation(
            text=titles[name].replace(" ", "<br>"), x=place - 0.5, y=place - 0.52, xanchor="left",
            yanchor="bottom", showarrow=False, align="left", font={"size": 12, "color": MUTED[mode]},
        )  # fmt: skip
    figure.update_layout(
        xaxis={"visible": False, "fixedrange": True, "range": [-0.5, 4.5]},
        yaxis={"tickvals": list(range(5)), "ticktext": [titles[name] for name in down], "showgrid": False,
               "range": [4.5, -0.5 - HEAD_ROWS], "fixedrange": True},
    )  # fmt: skip
    return stamp_cohort(
        figure,
        title="How biomarkers move together",
        lines=["Within-person correlation, from −1 to 1", _describe_n(correlations)],
        notes=[
            "Repeated-measures correlation: when a person's",
            "score is above their own mean, is the other too?",
            "Hover for interval, n and df; all are in the table.",
        ],
        about=about,
        mode=mode,
        axis_px=12,
    )


def _make_heat(grid: list[list[dict[Any, Any] | None]], confidence: float, mode: Mode) -> go.Heatmap:
    return go.Heatmap(
        x=list(range(5)), y=list(range(5)),
        z=[[None if cell is None or pd.isna(cell["r"]) else float(cell["r"]) for cell in row] for row in grid],
        customdata=[["" if cell is None else _describe(cell, confidence) for cell in row] for row in grid],
        hovertemplate="%{customdata}<extra></extra>", hoverongaps=False, showscale=False, xgap=3, ygap=3,
        colorscale=[list(stop) for stop in DIVERGING[mode]], zmin=-1, zmax=1,
    )  # fmt: skip


def _write_cell(cell: dict[Any, Any], x: int, y: int, mode: Mode) -> dict[str, Any]:
    known = not pd.isna(cell["r"])
    ink = write_on(blend(DIVERGING[mode], (1 + float(cell["r"])) / 2)) if known else MUTED[mode]
    return {
        "text": f"{cell['r']:.2f}".replace("-", "−") if known else "–", "x": x, "y": y, "showarrow": False,
        "font": {"size": 14, "color": ink},
    }  # fmt: skip


def _describe(cell: dict[Any, Any], confidence: float) -> str:
    titles = {biomarker.continuous: biomarker.title for biomarker in BIOMARKERS}
    n = f"{count_of(int(cell['n_participants']), 'participant')}, {count_of(int(cell['n_runs']), 'result')}"
    return (
        f"<b>{titles[cell['a']]} and {titles[cell['b']].lower()}: {cell['r']:.2f}</b>"
        f"<br>{confidence:.0%} interval {cell['low']:.2f} to {cell['high']:.2f}<br>{n}, df = {int(cell['df'])}"
    )


def _describe_n(correlations: pd.DataFrame) -> str:
    known = correlations[correlations["r"].notna()]
    if known.empty:
        return "Not enough results"
    people, runs, df = (sorted({int(n) for n in known[name]}) for name in ("n_participants", "n_runs", "df"))
    return f"n = {_span(people)} participants, {_span(runs)} results · df = {_span(df)}"


def _span(numbers: list[int]) -> str:
    return f"{numbers[0]:,}" if len(numbers) == 1 else f"{numbers[0]:,} to {numbers[-1]:,}"
