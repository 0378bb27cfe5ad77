"""Participants by weeks: how far each week lies from that person's own baseline. The scale is centred at zero,
where nothing changed; weeks without results stay empty."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from heliograph.charts._palette import (
    DIVERGING,
    Mode,
)
from heliograph.charts._text import escape_plotly
from heliograph.charts.cohort_frame import (
    FigureAbout,
    check_columns,
    count_of,
    make_panel_figure,
    make_panel_title,
    make_scale_key,
    stack_panels,
    stamp_cohort,
)
from thymia_api import Biomarker

__all__ = ["ROWS_SHOWN", "plot_cohort_heat"]

ROWS_SHOWN = 60
LABEL_CHARS = 12
ROW_PX, SHORT_ROW_PX, LEAST_PX = 20, 30, 60
LEFT_PX = 96
# Smaller deviations than this never fill the scale: noise would look like change.
LEAST_REACH = 0.1


def plot_cohort_heat(
    deviations: pd.DataFrame,
    *,
    biomarker: Biomarker,
    baseline_runs: int | None,
    begin: int = 0,
    order: str = "",
    without_baseline: int = 0,
    about: FigureAbout,
    mode: Mode = "light",
) -> go.Figure:
    """Draw the deviation of every participant's weeks from their own baseline.

    Parameters
    ----------
    deviations : pandas.DataFrame
        One row a participant and week: `participant_id`, `participant` (as typed), `week` (its Monday),
        `n_runs`, `n_baseline`, `value` (mean of the week minus the own baseline's mean). Rows are drawn in the
        frame's order of participants, at most `ROWS_SHOWN`; colours mean the same for all of them. Not changed.
    biomarker : thymia_api.Biomarker
        For the title.
    baseline_runs : int or None
        How many first results make a baseline, for the notes; None where it is a window of days.
    begin : int
        How many participants come before the one in the first row.
    order : str
        The frame's order in words, for the notes.
    without_baseline : int
        How many are left out because they have no full baseline.
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
    check_columns(deviations, ["participant_id", "participant", "week", "n_runs", "n_baseline", "value"])
    known = deviations[deviations["value"].notna()]
    everybody = list(dict.fromkeys(int(number) for number in known["participant_id"]))
    people = everybody[begin : begin + ROWS_SHOWN]
    shown = known[known["participant_id"].isin(people)]
    weeks = _list_weeks(known["week"])
    height = max(LEAST_PX, len(people) * (SHORT_ROW_PX if len(people) <= 20 else ROW_PX))
    figure = make_panel_figure(stack_panels([height]), mode, left_px=LEFT_PX)
    reach = _compute_reach(known["value"])
    figure.add_trace(_make_heat(shown, people, weeks, reach, mode))
    key = make_scale_key(f"better −{reach:.1f}", f"+{reach:.1f} worse", mode)
    figure.add_annotation(make_panel_title(key, 1, mode, left_px=LEFT_PX))
    _lay_out_axes(figure, shown, people, weeks)
    return stamp_cohort(
        figure,
        title=f"{biomarker.title}: change from own baseline",
        lines=[
            "Difference of scores (0 to 1) · <b>higher is worse</b>",
            _tell_n(begin, len(people), len(everybody), order),
        ],
        notes=_make_notes(without_baseline, baseline_runs),
        about=about,
        mode=mode,
    )


def _list_weeks(weeks: pd.Series) -> list[pd.Timestamp]:
    """Every Monday from the first to the last: a missed week keeps its place."""
    return [] if weeks.empty else list(pd.date_range(weeks.min(), weeks.max(), freq="7D"))


def _make_heat(
    shown: pd.DataFrame, people: Sequence[int], weeks: Sequence[Any], reach: float, mode: Mode
) -> go.Heatmap:
    cells = {(int(row["participant_id"]), row["week"]): row for row in shown.to_dict("records")}
    rows = [[cells.get((person, week)) for week in weeks] for person in people]
    return go.Heatmap(
        x=[week.strftime("%Y-%m-%d") for week in weeks],
        y=list(range(len(people))),
        z=[[None if cell is None else float(cell["value"]) for cell in row] for row in rows],
        customdata=[["" if cell is None else _describe_cell(cell) for cell in row] for row in rows],
        hovertemplate="<b>%{z:+.2f}</b><br>%{customdata}<extra></extra>", hoverongaps=False,
        colorscale=[list(stop) for stop in DIVERGING[mode]], zmin=-reach, zmax=reach, zmid=0, xgap=2, ygap=2,
        showscale=False,
    )  # fmt: skip


def _compute_reach(values: pd.Series) -> float:
    """The scale's end, the same on both sides: the largest deviation rounded up to a tenth."""
    largest = float(values.abs().max()) if len(values) else 0.0
    return max(LEAST_REACH, math.ceil(largest * 10 - 1e-9) / 10)


def _describe_cell(row: dict[Any, Any]) -> str:
    return (
        f"{escape_plotly(str(row['participant']), max_chars=36)}<br>week of {row['week']:%d %b %Y}"
        f"<br>{count_of(int(row['n_runs']), 'result')}; baseline of {int(row['n_baseline'])}"
    )


def _lay_out_axes(figure: go.Figure, shown: pd.DataFrame, people: Sequence[int], weeks: Sequence[Any]) -> None:
    names = dict(zip(shown["participant_id"], shown["participant"], strict=True))
    x: dict[str, Any] = {"type": "date", "showgrid": False}
    if weeks:
        every = max(1, math.ceil(len(weeks) / 5))
        x |= {"tickvals": [week.strftime("%Y-%m-%d") for week in weeks[::every]], "tickformat": "%e %b\n%Y"}
    if len(weeks) == 1:
        x["range"] = [
            f"{day:%Y-%m-%d}" for day in (weeks[0] - pd.Timedelta(days=5), weeks[0] + pd.Timedelta(days=5))
        ]
    figure.update_layout(
        xaxis=x,
        yaxis={
            "tickvals": list(range(len(people))), "range": [len(people) - 0.5, -0.5], "showgrid": False,
            "ticktext": [escape_plotly(str(names[person]), max_chars=LABEL_CHARS) for person in people],
            "fixedrange": True,
        },
    )  # fmt: skip


def _tell_n(begin: int, drawn: int, total: int, order: str) -> str:
    n = f"n = {count_of(total, 'participant')}"
    if drawn < total:
        n += f", {begin + 1:,} to {begin + drawn:,} shown"
    return f"{n} · {order[0].lower()}{order[1:]}" if order and total > 1 else n


def _make_notes(without: int, baseline_runs: int | None) -> list[str]:
    notes = [
        f"Week's mean minus the mean of {_tell_baseline(baseline_runs)}.",
        "Empty: no results in that week.",
    ]
    if without:
        notes.append(f"{count_of(without, 'participant')} without a full baseline: left out.")
    return notes


def _tell_baseline(baseline_runs: int | None) -> str:
    return "the baseline's days" if baseline_runs is None else f"the first {baseline_runs} results"
