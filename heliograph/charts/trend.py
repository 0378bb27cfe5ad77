"""One participant over time: one biomarker large, the five others small, on one true time axis.

The figure carries everything that a screenshot needs to be read alone: whose it is, the unit and its direction,
how many results, what the bands and marks mean, the workspace, whether the scores are synthetic, the day it was
drawn, and where and why lines break.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from heliograph.charts._palette import BIOMARKER_COLOURS, MUTED, Mode
from heliograph.charts._text import escape_plotly
from heliograph.charts.trend_control import CONFOUNDERS, make_confounder, make_control
from heliograph.charts.trend_events import count_lanes, make_events
from heliograph.charts.trend_layers import (
    FlagLayer,
    TrendLayers,
    make_baseline,
    make_breaks,
    make_flags,
    make_noise_floor,
    make_slope,
    name_breaks,
)
from heliograph.charts.trend_layout import (
    Panel,
    Trace,
    compute_panels,
    make_direction,
    make_layout,
    make_panel_title,
    make_score_axis,
    widen_short_span,
)
from heliograph.charts.trend_points import (
    SVG_POINTS,
    compute_break_after_days,
    has_warnings,
    make_crosses,
    make_points,
    prepare_rows,
)
from heliograph.charts.trend_words import make_legend, make_note, make_title, place_legend, place_note, wrap_words
from thymia_api import BIOMARKERS, Biomarker

__all__ = [
    "TrendCounts",
    "TrendLayers",
    "compute_break_after_days",
    "compute_trend_counts",
    "plot_trend",
]

RESULT = "complete_ok"
NO_RESULT = ("complete_error", "failed")
REQUIRED = ("run_id", "session_local", "state", "warnings", "error_code", "tags", "asleep_local", "awake_local")


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
        with_warnings=int((results & has_warnings(frame)).sum()),
        without_result=int(without.sum()),
        in_progress=int((~results & ~without).sum()),
    )


def plot_trend(
    frame: pd.DataFrame,
    *,
    participant_label: str,
    workspace: str,
    synthetic: bool,
    drawn_on: date,
    mode: Mode = "light",
    buckets: bool = False,
    main: str = "mental_strain",
    layers: TrendLayers | None = None,
) -> go.Figure:
    """Draw every run of one participant.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a run, as `heliograph.store.load_trend` gives it, with a column `quality` (good, fair, poor,
        unknown) where it is known; it becomes the shape of the point. Not changed.
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
        Mental strain has no buckets and stays continuous. Levels are never averaged or interpolated, so that
        bands, slopes and control charts are left out where they are shown.
    main : str
        Name of the biomarker that is shown large.
    layers : TrendLayers, optional
        What analysis found, drawn around the runs.

    Returns
    -------
    plotly.graph_objects.Figure
        Every point carries its run's id as `customdata[0]`.

    Raises
    ------
    ValueError
        When `frame` lacks a column that the figure needs, or there is no biomarker called `main`.
    """
    _check(frame, main)
    layers = layers or TrendLayers()
    rows = prepare_rows(frame)
    results = rows[rows["state"] == RESULT].reset_index(drop=True)
    without = rows[rows["state"].isin(NO_RESULT)].reset_index(drop=True)
    drawing = _Drawing(results, layers, mode, buckets, main)
    note = make_note(
        results, without=len(without), break_days=drawing.break_days, layers=layers, buckets=buckets,
        workspace=workspace, drawn_on=drawn_on,
    )  # fmt: skip
    drawing.draw(note_lines=len(note), title_lines=int(synthetic) + len(wrap_words(layers.values_words)))
    drawing.annotations.append(place_note(note, mode))
    drawing.layout["title"] = make_title(participant_label, synthetic, layers.values_words, mode)
    widen_short_span(drawing.layout, rows["at"])
    if len(without):
        drawing.traces.append(make_crosses(without, mode))
    if not len(results):
        drawing.annotations.append({
            "text": "No results in this period", "x": 0.5, "y": 0.5, "xref": "paper", "yref": "y domain",
            "showarrow": False, "font": {"size": 16, "color": MUTED[mode]},
        })  # fmt: skip
    return go.Figure({"data": drawing.traces, "layout": drawing.layout | {"annotations": drawing.annotations}})


class _Drawing:
    """One figure in the making: what its panels share."""

    def __init__(self, results: pd.DataFrame, layers: TrendLayers, mode: Mode, buckets: bool, main: str) -> None:
        self.results, self.layers, self.mode, self.buckets = results, layers, mode, buckets
        first = next(entry for entry in BIOMARKERS if entry.name == main)
        self.biomarkers = [first, *(entry for entry in BIOMARKERS if entry.name != main)]
        self.traces: list[Trace] = []
        self.annotations: list[dict[str, Any]] = []
        self.layout: dict[str, Any] = {}
        self.break_days = compute_break_after_days(results["at"])
        self.breaks = {entry.run_id for entry in layers.breaks}
        self.has_breaks = bool(name_breaks(layers.breaks, results))
        self.legend = [] if self._is_stepped(first) else make_legend(layers, first, mode)

    def draw(self, *, note_lines: int, title_lines: int) -> None:
        """Fill traces, annotations and layout."""
        main = self.biomarkers[0]
        stepped = self._is_stepped(main)
        control = self._find_control() if not stepped else None
        confounders = self._find_confounders()
        lanes = count_lanes(self.layers.events, self.results["at"]) + self.has_breaks
        panels = compute_panels(
            lanes=lanes, legend_lines=len(self.legend), control=control is not None,
            confounders=0 if confounders is None else len(CONFOUNDERS), title_lines=title_lines,
        )  # fmt: skip
        self.layout = make_layout(self.mode, panels, note_lines)
        scored = [panel for panel in panels if panel.kind in ("main", "small")]
        for biomarker, panel in zip(self.biomarkers, scored, strict=True):
            self._draw_biomarker(biomarker, panels, panel, lanes)
        if self.legend:
            self.annotations.append(place_legend(self.legend, self.mode))
        self.traces += make_breaks(self.layers.breaks, self.results, self.mode, lane=0)
        self.traces.extend(
            make_events(self.layers.events, self.results["at"], self.mode, first_lane=int(self.has_breaks))
        )
        if control is not None and self.layers.control is not None:
            panel = next(panel for panel in panels if panel.kind == "control")
            layer = replace(self.layers.control, rows=control)
            colour = BIOMARKER_COLOURS[self.mode][main.name]
            traces, axis = make_control(layer, panels, panel, colour, self.mode)
            self._place(traces, axis, panels, panel, f"<b>Drift</b>  {self._mute(layer.words)}")
        if confounders is not None:
            strips = [panel for panel in panels if panel.kind == "confounder"]
            for number, panel in enumerate(strips):
                traces, axis = make_confounder(confounders, number, panels, panel, self.mode)
                self._place(traces, axis, panels, panel, self._mute(CONFOUNDERS[number][1]))

    def _draw_biomarker(self, biomarker: Biomarker, panels: list[Panel], panel: Panel, lanes: int) -> None:
        stepped = self._is_stepped(biomarker)
        column = biomarker.bucketed if stepped and biomarker.bucketed else biomarker.continuous
        large = panel.kind == "main"
        colour = BIOMARKER_COLOURS[self.mode][biomarker.name]
        axes = {"xaxis": panel.x, "yaxis": panel.y}
        scores = self.results[column]
        if large and self.layers.values is not None and not stepped:
            scores = self.results["run_id"].map(self.layers.values).astype(float)
        rows, values = self.results[scores.notna()], scores[scores.notna()]
        flags = [flag for flag in self.layers.flags if flag.column == biomarker.continuous]
        if not stepped:
            self._draw_bands(biomarker, rows, values, axes, colour, large)
        self.traces.extend(
            make_points(
                rows, values, title=biomarker.title, colour=colour, axes=axes, mode=self.mode, large=large,
                stepped=stepped, break_days=self.break_days, breaks=self.breaks, remarks=_describe_flags(flags),
            )
        )  # fmt: skip
        if not stepped:
            self.traces.extend(make_flags(flags, rows, values, axes, self.mode, large=large))
        axis = make_score_axis(panels, panel, lanes=lanes if large else 0, stepped=stepped)
        title = (
            f"<span style='color:{colour}'>■</span> <b>{biomarker.title}</b>{' · levels' if stepped else ''}"
            f"  {self._mute(biomarker.reads.partition(';')[0])}"
        )
        self._place([], axis, panels, panel, title)
        self.annotations.append(make_direction(panels, panel, self.mode))

    def _draw_bands(
        self,
        biomarker: Biomarker,
        rows: pd.DataFrame,
        values: pd.Series,
        axes: dict[str, str],
        colour: str,
        large: bool,
    ) -> None:
        """What lies under the points: noise floor and slope in the main panel, own normal range in all."""
        if large and self.layers.mdc is not None and 1 < len(rows) <= SVG_POINTS:
            broken = list(rows["run_id"].isin(list(self.breaks)))
            self.traces.append(make_noise_floor(rows, values, self.layers.mdc, broken, self.mode))
        if baseline := self.layers.baselines.get(biomarker.continuous):
            self.traces.extend(make_baseline(baseline, rows, colour, axes))
        if large and self.layers.slope is not None and len(rows) > 1:
            self.traces.append(make_slope(self.layers.slope, rows["at"], self.mode))

    def _place(
        self,
        traces: list[Trace],
        axis: dict[str, Any],
        panels: list[Panel],
        panel: Panel,
        title: str,
    ) -> None:
        self.traces += traces
        self.layout[panel.y_key] = axis
        lines = len(self.legend) if panel.kind == "main" else 0
        self.annotations.append(make_panel_title(panels, panel, title, self.mode, legend_lines=lines))

    def _is_stepped(self, biomarker: Biomarker) -> bool:
        return self.buckets and biomarker.bucketed is not None

    def _find_control(self) -> pd.DataFrame | None:
        """The control chart's rows of the runs in view."""
        if self.layers.control is None:
            return None
        rows = self.layers.control.rows
        rows = rows[rows["run_id"].isin(self.results["run_id"])]
        return rows if len(rows) else None

    def _find_confounders(self) -> pd.DataFrame | None:
        """What is known of the runs in view; None where nothing is."""
        if self.layers.confounders is None:
            return None
        columns = [column for column, *_ in CONFOUNDERS]
        rows = self.results[["run_id", "at"]].merge(self.layers.confounders, on="run_id", how="left")
        return rows if rows[columns].notna().any().any() else None

    def _mute(self, text: str) -> str:
        return f"<span style='color:{MUTED[self.mode]}'>{text}</span>"


def _describe_flags(flags: list[FlagLayer]) -> dict[int, str]:
    words = {"up": "flag: above own normal", "down": "flag: below own normal"}
    return {
        flag.run_id: words.get(flag.direction, "flag") + (" (dismissed)" if flag.dismissed else "")
        for flag in flags
    }


def _check(frame: pd.DataFrame, main: str) -> None:
    needed = set(REQUIRED) | {name for b in BIOMARKERS for name in (b.continuous, b.bucketed) if name}
    if missing := sorted(needed - set(frame.columns)):
        raise ValueError(f"the trend frame lacks {', '.join(missing)}")
    if main not in {biomarker.name for biomarker in BIOMARKERS}:
        raise ValueError(f"no biomarker is called {escape_plotly(main)}")
