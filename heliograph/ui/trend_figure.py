"""From what analysis says to the trend figure and its numbers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from heliograph.analysis import Slope
from heliograph.charts import Mode, compute_trend_counts, plot_trend
from heliograph.charts.trend_layers import (
    BaselineLayer,
    BreakLayer,
    ControlLayer,
    EventLayer,
    FlagLayer,
    SlopeLayer,
    TrendLayers,
)
from heliograph.store import Flag, Participant, StudyEvent
from heliograph.ui.figures import show_chart
from heliograph.ui.run_table import count_opened, open_run
from heliograph.ui.trend_changes import word_reason
from heliograph.ui.trend_noise import NoiseFloor
from heliograph.ui.trend_reading import TrendReading
from heliograph.ui.workspace import Workspace
from thymia_api import Biomarker

__all__ = [
    "DRIFT",
    "NOISE",
    "PARTS",
    "SLEEP",
    "SLOPE",
    "make_breaks",
    "make_layers",
    "make_numbers",
    "show_figure",
]

NOISE, SLOPE, DRIFT, SLEEP = "Noise floor", "Slope", "Drift chart", "Sleep and time of day"
PARTS = (NOISE, SLOPE, DRIFT, SLEEP)
"""What can be taken out of the figure."""


def make_breaks(breaks: pd.DataFrame) -> list[BreakLayer]:
    """Where runs stop being comparable. Figures get published: they don't tell birth date, sex or accent."""
    return [
        BreakLayer(int(run_id), tuple(word_reason(reason, private=True) for reason in reasons))
        for run_id, reasons in zip(breaks["run_id"], breaks["reasons"], strict=True)
    ]


def make_layers(
    reading: TrendReading,
    biomarker: Biomarker,
    *,
    slope: Slope,
    floor: NoiseFloor,
    flags: Sequence[Flag],
    events: Sequence[StudyEvent],
    parts: Collection[str],
) -> TrendLayers:
    """Everything that is drawn around the runs; `parts` are those of `PARTS` that are wanted."""
    settings = reading.settings
    adjusted = reading.adjusted if reading.adjusted is not None and reading.adjusted.problem is None else None
    return TrendLayers(
        baselines={column: _make_baseline(reading, column) for column in reading.drifts},
        control=_make_control(reading, biomarker) if DRIFT in parts else None,
        slope=SlopeLayer(slope.n, slope.per_week, slope.low, slope.high, slope.intercept, slope.start)
        if SLOPE in parts and slope.problem is None and slope.start is not None
        else None,
        mdc=floor.mdc if NOISE in parts else None,
        mdc_n=floor.n_runs,
        flags=[
            FlagLayer(flag.run_id, flag.column_name, flag.direction, flag.dismissed_utc is not None)
            for flag in flags
            if flag.chart == settings.chart and (adjusted is None or flag.column_name != biomarker.continuous)
        ],
        breaks=make_breaks(reading.breaks),
        events=[
            EventLayer(event.on_local, event.kind, event.note, event.participant_id is None) for event in events
        ],
        confounders=reading.confounders if SLEEP in parts else None,
        values=None
        if adjusted is None
        else dict(zip(reading.results["run_id"].astype(int), reading.scores.astype(float), strict=True)),
        values_words=None if adjusted is None else f"{biomarker.title} adjusted: {adjusted.model}",
    )


def show_figure(
    workspace: Workspace,
    participant: Participant,
    frame: pd.DataFrame,
    reading: TrendReading,
    biomarker: Biomarker,
    layers: TrendLayers,
    *,
    buckets: bool,
) -> None:
    """Draw the figure of the runs in `frame` with its downloads; a click on a point opens the run."""
    name, synthetic, today = workspace.name, workspace.synthetic, date.today()

    def make(mode: Mode) -> go.Figure:
        return plot_trend(
            frame, participant_label=participant.label, workspace=name, synthetic=synthetic, drawn_on=today,
            mode=mode, buckets=buckets, main=biomarker.name, layers=layers,
        )  # fmt: skip

    counts = compute_trend_counts(frame)
    clicked = show_chart(
        make, key=f"trends_figure_{count_opened()}",
        alt=f"{biomarker.title} and five more biomarkers over time: {counts.results} results,"
        f" {counts.without_result} sessions without",
        numbers=make_numbers(frame, reading, biomarker), file_name=f"heliograph-trend-{participant.id}",
        clickable=True,
    )  # fmt: skip
    if clicked is not None:
        open_run(clicked)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Click a point to open its run.", width="content")
        st.page_link(
            "runs.py", label="These runs as a list", icon=":material/list:",
            query_params={"participant": str(participant.id)},
        )  # fmt: skip


def make_numbers(frame: pd.DataFrame, reading: TrendReading, biomarker: Biomarker) -> pd.DataFrame:
    """The frame behind the figure with what was computed for each run of the main biomarker."""
    drift = reading.get_drift(biomarker)
    computed = reading.confounders.assign(charted=reading.scores)
    computed["breaks_comparability"] = computed["run_id"].isin(reading.breaks["run_id"])
    computed["in_baseline"] = computed["run_id"].isin(list(drift.run_ids))
    chart = drift.chart[["run_id", "z", "low", "high", "flag"]].add_prefix(f"{reading.settings.chart}_")
    chart = chart.rename(columns={f"{reading.settings.chart}_run_id": "run_id"})
    numbers = frame.merge(computed, on="run_id", how="left").merge(chart, on="run_id", how="left")
    numbers = numbers.rename(columns={"charted": f"{biomarker.name}_charted"})
    own = drift.baseline
    return numbers.assign(
        own_normal_mean=own.mean, own_normal_low=own.low, own_normal_high=own.high, own_normal_n=own.n
    )


def _make_baseline(reading: TrendReading, column: str) -> BaselineLayer:
    drift = reading.drifts[column]
    baseline, (low, high) = drift.baseline, drift.band
    return BaselineLayer(
        n=baseline.n, low=low, high=high, mean=baseline.mean, confidence=baseline.confidence,
        problem=baseline.problem, run_ids=drift.run_ids,
    )  # fmt: skip


def _make_control(reading: TrendReading, biomarker: Biomarker) -> ControlLayer | None:
    drift, settings = reading.get_drift(biomarker), reading.settings
    if not drift.baseline.is_enough:
        return None
    if settings.chart == "cusum":
        words = f"CUSUM, k = {settings.cusum_k:g}, limit h = {settings.cusum_h:g} standard deviations"
        return ControlLayer("CUSUM", words, drift.chart)
    words = f"EWMA, λ = {settings.ewma_lambda:g}, limits of width {settings.ewma_width:g}"
    rows = drift.chart[[name for name in drift.chart if name != "z_low"]]
    return ControlLayer("EWMA", words, rows)
