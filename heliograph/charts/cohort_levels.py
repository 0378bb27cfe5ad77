"""The four levels of a biomarker as shares: by group, and by week in each group. Levels are counted, never
averaged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from heliograph.charts._palette import (
    BACKGROUNDS,
    INK,
    LEVEL_COLOURS,
    LEVEL_NAMES,
    MUTED,
    Mode,
    write_on,
)
from heliograph.charts.cohort_frame import (
    WEEK_MS,
    FigureAbout,
    check_columns,
    count_of,
    make_panel_figure,
    make_panel_title,
    shorten,
    stack_panels,
    stamp_cohort,
)
from thymia_api import Biomarker

__all__ = ["GROUPS_SHOWN", "ROWS_SHOWN", "compute_level_shares", "plot_level_shares", "plot_level_weeks"]

LEVELS = tuple(LEVEL_NAMES.values())
ROWS_SHOWN, GROUPS_SHOWN = 30, 8
ROW_PX, WEEK_PANEL_PX, ONE_WEEK_PANEL_PX, GAP_PX = 58, 130, 260, 34
LEFT_PX, WEEK_LEFT_PX = 16, 44
WRITTEN_FROM = 0.1  # Narrower parts have no room for their share.


def compute_level_shares(
    levels: pd.DataFrame, people: pd.DataFrame, column: str, *, weekly: bool = False
) -> pd.DataFrame:
    """Counts of one bucket's levels as shares.

    Parameters
    ----------
    levels : pandas.DataFrame
        As `heliograph.store.load_cohort_levels` gives it: `group`, `period`, `column`, `level`, `n_runs`.
    people : pandas.DataFrame
        As `heliograph.store.load_cohort_people` gives it: `group`, `period`, `n_participants`; by week if
        `weekly`, otherwise without periods, so that nobody counts twice.
    column : str
        The bucket.
    weekly : bool
        Whether each period stands for itself; otherwise a group's periods are counted together.

    Returns
    -------
    pandas.DataFrame
        `group`, `period`, `level`, `n_runs`, `share` (of `group_runs`, the group's results of the period) and
        `n_participants`. Groups and periods without results of this bucket have no rows.
    """
    keys = ["group", "period"]
    if not weekly:
        levels, people = levels.assign(period=pd.NaT), people.assign(period=pd.NaT)
    own = levels[levels["column"] == column][[*keys, "level", "n_runs"]]
    own = own.groupby([*keys, "level"], dropna=False, as_index=False)["n_runs"].sum()
    totals = (
        own.groupby(keys, dropna=False, as_index=False)["n_runs"].sum().rename(columns={"n_runs": "group_runs"})
    )
    counts = own.merge(totals[totals["group_runs"] > 0], on=keys)
    counts = counts.merge(people, on=keys, how="left")
    return counts.assign(share=counts["n_runs"] / counts["group_runs"])


def plot_level_shares(
    counts: pd.DataFrame,
    titles: Mapping[str, str],
    *,
    biomarker: Biomarker,
    grouping_title: str,
    about: FigureAbout,
    mode: Mode = "light",
) -> go.Figure:
    """Draw one bar a group, divided by the share of its results at each level.

    Parameters
    ----------
    counts : pandas.DataFrame
        One row a group and level: `group`, `level` (0 to 3), `n_runs`, `share` (of the group's results),
        `group_runs`, `n_participants`, `small`. Not changed.
    titles : mapping
        Group → its name, in the order of drawing.
    biomarker, grouping_title, about, mode
        As in `plot_cohort_groups`.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    ValueError
        When the frame lacks a column that the figure needs.
    """
    check_columns(counts, ["group", "level", "n_runs", "share", "group_runs", "n_participants", "small"])
    names = shorten(titles, max_chars=28)
    known = [group for group in names if (counts["group"] == group).any()]
    groups = known[-ROWS_SHOWN:]
    figure = make_panel_figure(stack_panels([ROW_PX * max(1, len(groups))]), mode, left_px=LEFT_PX)
    shown = counts[counts["group"].isin(groups)]
    for level, word in enumerate(LEVELS):
        rows = shown[shown["level"] == level].set_index("group").reindex(groups)
        figure.add_trace(_make_part(rows, level, word, mode))
    for number, group in enumerate(groups):
        row = shown[shown["group"] == group].iloc[0]
        small = " · ▲ small" if row["small"] else ""
        people = count_of(int(row["n_participants"]), "participant")
        told = f"{people}, {count_of(int(row['group_runs']), 'result')}"
        figure.add_annotation(
            text=f"<b>{names[group]}</b>  <span style='color:{MUTED[mode]}'>{told}{small}</span>",
            x=0, xref="paper", xanchor="left", xshift=8 - LEFT_PX, y=-number - 0.06, yanchor="top",
            showarrow=False, font={"size": 13, "color": INK[mode]},
        )  # fmt: skip
    figure.update_layout(
        barmode="stack", bargap=0,
        xaxis={"range": [0, 1], "tickformat": ".0%", "tickvals": [0, 0.25, 0.5, 0.75, 1], "fixedrange": True},
        yaxis={"range": [-max(1, len(groups)), 0], "visible": False, "fixedrange": True},
    )  # fmt: skip
    figure.add_annotation(make_panel_title(_make_key(mode), 1, mode, left_px=LEFT_PX))
    by = f" by {grouping_title}" if grouping_title else ""
    return stamp_cohort(
        figure, title=f"{biomarker.title}: levels{by}", lines=["Share of results · <b>higher is worse</b>"],
        notes=_make_notes(len(groups), len(known), bool(shown["small"].any())), about=about, mode=mode,
    )  # fmt: skip


def plot_level_weeks(
    counts: pd.DataFrame,
    titles: Mapping[str, str],
    *,
    biomarker: Biomarker,
    grouping_title: str,
    about: FigureAbout,
    mode: Mode = "light",
) -> go.Figure:
    """Draw one panel a group with one divided bar a week.

    Parameters
    ----------
    counts : pandas.DataFrame
        As for `plot_level_shares`, for each `period` (a Monday): shares and n are those of the group's week.
    titles : mapping
        Group → its name, in the order of drawing; at most `GROUPS_SHOWN` are drawn.
    biomarker, grouping_title, about, mode
        As in `plot_cohort_groups`.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    ValueError
        When the frame lacks a column that the figure needs.
    """
    needed = ["group", "period", "level", "n_runs", "share", "group_runs", "n_participants", "small"]
    check_columns(counts, needed)
    names = shorten(titles, max_chars=28)
    known = [group for group in names if (counts["group"] == group).any()]
    groups = known[:GROUPS_SHOWN]
    heights = [WEEK_PANEL_PX if len(groups) > 1 else ONE_WEEK_PANEL_PX] * max(1, len(groups))
    panels = stack_panels(heights, gap_px=GAP_PX, head_px=GAP_PX)
    figure = make_panel_figure(panels, mode, left_px=WEEK_LEFT_PX)
    weeks = counts["period"]
    for number, group in enumerate(groups):
        rows = counts[counts["group"] == group].sort_values("period")
        axis = str(number + 1) if number else ""
        for level, word in enumerate(LEVELS):
            part = rows[rows["level"] == level]
            figure.add_trace(_make_week_part(part, level, word, mode).update(xaxis=f"x{axis}", yaxis=f"y{axis}"))
        x = _make_week_axis(weeks, bottom=number == len(groups) - 1) | {"anchor": f"y{axis}"}
        if number:
            x["matches"] = "x"
        y = {"domain": panels.domains[number], "range": [0, 1], "tickvals": [0, 0.5, 1], "tickformat": ".0%",
             "anchor": f"x{axis}", "fixedrange": True}  # fmt: skip
        figure.update_layout({f"xaxis{axis}": x, f"yaxis{axis}": y})
        small = " · ▲ small" if bool(rows["small"].all()) else ""
        told = f"<span style='color:{MUTED[mode]}'>{_tell_weekly_n(rows)}{small}</span>"
        figure.add_annotation(
            make_panel_title(
                f"<b>{names[group]}</b>  {told}", panels.domains[number][1], mode, left_px=WEEK_LEFT_PX
            )
        )
    figure.update_layout(barmode="stack", bargap=0.12)
    key = make_panel_title(_make_key(mode), 1, mode, left_px=WEEK_LEFT_PX)
    figure.add_annotation(key)
    by = f" and {grouping_title}" if grouping_title else ""
    return stamp_cohort(
        figure, title=f"{biomarker.title}: levels by week{by}", about=about, mode=mode,
        lines=["Share of results · <b>higher is worse</b>"],
        notes=_make_notes(len(groups), len(known), bool(counts["small"].any()), weekly=True),
    )  # fmt: skip


def _make_part(rows: pd.DataFrame, level: int, word: str, mode: Mode) -> go.Bar:
    shares = [0.0 if pd.isna(share) else float(share) for share in rows["share"]]
    return go.Bar(
        x=shares, y=[-number - 0.68 for number in range(len(rows))], orientation="h", width=0.5, name=word,
        marker={"color": LEVEL_COLOURS[mode][level], "line": {"color": BACKGROUNDS[mode], "width": 1.5}},
        text=[f"{share:.0%}" if share >= WRITTEN_FROM else "" for share in shares], textposition="inside",
        insidetextanchor="middle", textangle=0, constraintext="none",
        textfont={"color": write_on(LEVEL_COLOURS[mode][level]), "size": 13, "weight": 600},
        customdata=[0 if pd.isna(count) else int(count) for count in rows["n_runs"]],
        hovertemplate=f"<b>{word} {'%{x:.0%}'}</b><br>%{{customdata}} results<extra></extra>",
    )  # fmt: skip


def _make_week_part(rows: pd.DataFrame, level: int, word: str, mode: Mode) -> go.Bar:
    told = [
        f"{int(row['n_runs'])} of {count_of(int(row['group_runs']), 'result')}"
        f"<br>{count_of(int(row['n_participants']), 'participant')}<br>week of {row['period']:%d %b %Y}"
        for row in rows.to_dict("records")
    ]
    return go.Bar(
        x=[week.strftime("%Y-%m-%d") for week in rows["period"]], y=[float(share) for share in rows["share"]],
        width=WEEK_MS * 0.86, name=word, customdata=told,
        marker={
            "color": LEVEL_COLOURS[mode][level], "line": {"color": BACKGROUNDS[mode], "width": 1},
            "pattern": {
                "shape": ["/" if small else "" for small in rows["small"]], "size": 7, "solidity": 0.25,
                "bgcolor": LEVEL_COLOURS[mode][level], "fgcolor": BACKGROUNDS[mode], "fillmode": "replace",
            },
        },
        hovertemplate=f"<b>{word} {'%{y:.0%}'}</b><br>%{{customdata}}<extra></extra>",
    )  # fmt: skip


def _make_week_axis(weeks: pd.Series, *, bottom: bool) -> dict[str, Any]:
    axis: dict[str, Any] = {
        "type": "date", "showgrid": False, "showticklabels": bottom, "ticks": "outside" if bottom else "",
    }  # fmt: skip
    if len(weeks):
        half = pd.Timedelta(days=3.7)
        days = list(pd.date_range(weeks.min(), weeks.max(), freq="7D"))
        named = days[:: max(1, -(-len(days) // 5))]
        axis |= {
            "range": [f"{end:%Y-%m-%dT%H:%M:%S}" for end in (weeks.min() - half, weeks.max() + half)],
            "tickvals": [f"{day:%Y-%m-%d}" for day in named], "tickformat": "%e %b\n%Y",
        }  # fmt: skip
    return axis


def _tell_weekly_n(rows: pd.DataFrame) -> str:
    low, high = int(rows["n_participants"].min()), int(rows["n_participants"].max())
    return f"n = {low:,} a week" if low == high else f"n = {low:,} to {high:,} a week"


def _make_key(mode: Mode) -> str:
    squares = [
        f"<span style='color:{colour};font-size:17px'>■</span> {word}"
        for colour, word in zip(LEVEL_COLOURS[mode], LEVELS, strict=True)
    ]
    return "   ".join(squares)


def _make_notes(drawn: int, known: int, small: bool, *, weekly: bool = False) -> list[str]:
    notes = ["Counts results: who recorded more often counts more.", "Levels are counted, never averaged."]
    if weekly:
        notes.append("n counts participants · empty: no results that week")
    if drawn < known:
        notes.append(f"{drawn} of {known} groups; all are in the CSV.")
    if small:
        notes.append("Hatched: few participants that week." if weekly else "▲ small group: read with care.")
    return notes
