"""What models found, as a figure: one panel a question, one row a biomarker, each estimate with its interval
against no change."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from heliograph.charts._palette import BACKGROUNDS, BIOMARKER_COLOURS, INK, MUTED, Mode
from heliograph.charts._text import escape_plotly
from heliograph.charts.cohort_frame import (
    FigureAbout,
    check_columns,
    count_of,
    make_panel_figure,
    make_panel_title,
    stack_panels,
    stamp_cohort,
)
from thymia_api import BIOMARKERS, Biomarker

__all__ = ["PANELS_SHOWN", "plot_cohort_estimates"]

PANELS_SHOWN = 6
ROW_PX, GAP_PX = 27, 64  # A gap holds the ticks of the panel above and the title of the one below.
LEFT_PX = 118
MARGIN = 0.08
TICKS = 7
FARTHEST_RATIO = 1000.0  # A ratio that could be anything would flatten the others.


def plot_cohort_estimates(
    table: pd.DataFrame,
    *,
    title: str,
    unit: str,
    notes: Sequence[str],
    confidence: float,
    about: FigureAbout,
    mode: Mode = "light",
    ratio: bool = False,
) -> go.Figure:
    """Draw estimates with their intervals.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a question and biomarker: `term` (the question in words), `column` (a score or bucket),
        `estimate`, `low`, `high` (NaN where there is none), `p_adjusted`, `n_participants`, `n_runs`. Panels stand
        in the frame's order of terms, at most `PANELS_SHOWN`. Not changed.
    title : str
        Of the figure.
    unit : str
        What an estimate counts, below the title.
    notes : sequence of str
        How the estimates came about, below the panels.
    confidence : float
        Of the intervals.
    about : FigureAbout
        Workspace, day, synthetic or not, and what was chosen.
    mode : {"light", "dark"}
        The page that the figure stands on.
    ratio : bool
        Whether estimates are ratios: nothing changed at 1 instead of 0, and the axes are logarithmic.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    ValueError
        When the frame lacks a column that the figure needs.
    """
    check_columns(table, ["term", "column", "estimate", "low", "high", "p_adjusted", "n_participants", "n_runs"])
    terms = list(dict.fromkeys(table["term"]))
    shown = terms[:PANELS_SHOWN]
    present = [biomarker for biomarker in BIOMARKERS if table["column"].isin(_columns_of(biomarker)).any()]
    panels = stack_panels([ROW_PX * max(1, len(present))] * max(1, len(shown)), gap_px=GAP_PX)
    figure = make_panel_figure(panels, mode, left_px=LEFT_PX)
    for number, term in enumerate(shown):
        rows = table[table["term"] == term]
        axis = str(number + 1) if number else ""
        for place, biomarker in enumerate(present):
            found = rows[rows["column"].isin(_columns_of(biomarker))]
            if len(found):
                trace = _make_estimate(found.iloc[0].to_dict(), biomarker, place, confidence, ratio, mode)
                figure.add_trace(trace.update(xaxis=f"x{axis}", yaxis=f"y{axis}"))
        figure.update_layout(
            {
                f"xaxis{axis}": {
                    "anchor": f"y{axis}", "range": _compute_range(rows, ratio), "fixedrange": True,
                    **({"type": "log", "tickvals": _choose_ticks(_compute_range(rows, ratio))} if ratio else
                       {"type": "linear", "nticks": 6}),
                },
                f"yaxis{axis}": {
                    "anchor": f"x{axis}", "domain": panels.domains[number], "fixedrange": True, "showgrid": False,
                    "range": [len(present) - 0.5, -0.5], "tickvals": list(range(len(present))),
                    "ticktext": [biomarker.title for biomarker in present],
                },
            }
        )  # fmt: skip
        figure.add_shape(
            type="line", x0=1 if ratio else 0, x1=1 if ratio else 0, y0=0, y1=1, xref=f"x{axis}",
            yref=f"y{axis} domain", layer="below", line={"color": MUTED[mode], "width": 1.5},
        )  # fmt: skip
        words = f"<b>{escape_plotly(_begin(str(term)), max_chars=52)}</b>"
        figure.add_annotation(make_panel_title(words, panels.domains[number][1], mode, left_px=LEFT_PX))
    below = [f"Lines: {confidence:.0%} intervals · filled: adjusted p below {1 - confidence:.2g}", *notes]
    if len(terms) > len(shown):
        below.append(f"The first {len(shown)} of {len(terms)} comparisons; all are in the table.")
    return stamp_cohort(figure, title=title, lines=[unit, _describe_n(table)], notes=below, about=about, mode=mode)


def _begin(term: str) -> str:
    """A term as a heading; a group's name at its beginning stays as typed."""
    return f"Change{term.removeprefix('change')}" if term.startswith("change ") else term


def _columns_of(biomarker: Biomarker) -> list[str]:
    return [name for name in (biomarker.continuous, biomarker.bucketed) if name]


def _compute_range(rows: pd.DataFrame, ratio: bool) -> list[float]:
    """From the lowest end to the highest, no change always inside; in powers of ten for ratios."""
    ends = [float(end) for name in ("low", "high", "estimate") for end in rows[name].dropna()]
    if ratio:
        ends = [math.log10(min(max(end, 1 / FARTHEST_RATIO), FARTHEST_RATIO)) for end in ends]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    margin = MARGIN * (high - low) if high > low else 0.1
    return [low - margin, high + margin]


def _choose_ticks(ends: list[float]) -> list[float]:
    """A few round ratios within a range of powers of ten, as many as a phone has room for."""
    for steps in ((1, 1.1, 1.2, 1.3, 1.5, 1.7, 2, 2.5), (1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        sides = [(step * 10**power) ** sign for power in range(4) for step in steps for sign in (1, -1)]
        ticks = sorted({float(f"{side:.2g}") for side in sides if ends[0] <= math.log10(side) <= ends[1]})
        if len(ticks) <= TICKS:
            return ticks
    return [1.0]


def _make_estimate(
    row: dict[Any, Any], biomarker: Biomarker, place: int, confidence: float, ratio: bool, mode: Mode
) -> go.Scatter:
    colour = BIOMARKER_COLOURS[mode][biomarker.name]
    if pd.isna(row["estimate"]):
        return go.Scatter(
            x=[1 if ratio else 0], y=[place], mode="text", text=["  no estimate"], hoverinfo="skip",
            textposition="middle right", textfont={"color": MUTED[mode], "size": 12}, name=biomarker.title,
        )  # fmt: skip
    estimate = float(row["estimate"])
    known = not pd.isna(row["low"])
    clear = not pd.isna(row["p_adjusted"]) and row["p_adjusted"] < round(1 - confidence, 6)
    sign = "" if ratio else "+"
    interval = f"{row['low']:{sign}.3g} to {row['high']:{sign}.3g}" if known else "no interval"
    told = f"{count_of(int(row['n_participants']), 'participant')}, {count_of(int(row['n_runs']), 'result')}"
    p = "" if pd.isna(row["p_adjusted"]) else f"<br>adjusted p {_write_p(row['p_adjusted'])}"
    return go.Scatter(
        x=[estimate], y=[place], mode="markers", name=biomarker.title,
        marker={"size": 11, "color": colour if clear else BACKGROUNDS[mode],
                "line": {"color": colour, "width": 2}},
        error_x={"type": "data", "symmetric": False, "visible": known, "color": colour, "thickness": 2.2,
                 "width": 5, "array": [float(row["high"]) - estimate if known else 0],
                 "arrayminus": [estimate - float(row["low"]) if known else 0]},
        hovertemplate=f"<b>{biomarker.title} {estimate:{sign}.3g}</b><br>{interval}{p}<br>{told}<extra></extra>",
        hoverlabel={"font": {"color": INK[mode]}},
    )  # fmt: skip


def _write_p(p: float) -> str:
    return "below 0.001" if p < 0.001 else f"{p:.3f}"


def _describe_n(table: pd.DataFrame) -> str:
    people, runs = int(table["n_participants"].max()), int(table["n_runs"].max())
    return f"n = {count_of(people, 'participant')}, {count_of(runs, 'result')} at most"
