"""How the numbers of a trend are computed, in words with the numbers of this very participant."""

from __future__ import annotations

import streamlit as st

from heliograph.analysis import compute_cusum_arl, compute_ewma_arl, compute_false_alarm_chance
from heliograph.store import StudySettings
from heliograph.ui.trend_reading import TrendReading
from thymia_api import Biomarker

__all__ = ["describe_method", "show_method"]

NEXT_RUNS = 20


def show_method(reading: TrendReading, biomarker: Biomarker) -> None:
    """A popover that computes nothing until it is opened."""
    with st.popover(
        "How this is computed", icon=":material/function:", type="tertiary", key="trends_method", on_change="rerun"
    ) as popover:
        if popover.open:
            st.markdown(describe_method(reading, biomarker))


def describe_method(reading: TrendReading, biomarker: Biomarker) -> str:
    """Markdown: baseline, control chart with its false alarms, slope, noise floor, adjustment."""
    settings, baseline = reading.settings, reading.get_drift(biomarker).baseline
    lines = [
        f"**Own normal range.** {_describe_choice(settings)} of this person (n = {baseline.n}). The band is a"
        f" {settings.confidence:.0%} prediction interval for one new run, mean ± t·s·√(1 + 1/n): wide when n is"
        f" small. One run in {1 / (1 - settings.confidence):.0f} falls outside by chance.",
        _describe_chart(settings),
    ]
    if baseline.is_enough:
        chance = compute_false_alarm_chance(
            baseline.n, NEXT_RUNS, chart="cusum" if settings.chart == "cusum" else "ewma",
            lam=settings.ewma_lambda, width=settings.ewma_width, k=settings.cusum_k, h=settings.cusum_h,
        )  # fmt: skip
        lines.append(
            f"**False alarms.** With n = {baseline.n} baseline runs, an unchanged person is flagged at least once"
            f" in the next {NEXT_RUNS} runs with a chance of {chance:.0%} for each biomarker (simulated, for"
            " independent, normal scores). Runs close in time are alike and raise it."
        )
    lines += [
        "**Slope.** Theil–Sen: the median slope of all pairs of runs in the range shown, with Sen's interval; a"
        " few odd runs don't move it.",
        f"**Noise floor.** Recordings of a person at most {settings.repeat_window_min} minutes apart measure the"
        " same state: baseline and drift count only the first of them. From their differences: SEM, the standard"
        " error of one measurement, and"
        " MDC95 = 1.96·√2·SEM. A step smaller than that can't be told from noise.",
        "**Comparability.** The line is cut where the recorder, its processing, bandwidth, noise, length of"
        " speech, language, accent, birth date or sex changed markedly: a step there may be the recording's.",
        "**Adjusted.** A linear model of this person's scores on hours slept, hours awake and time of day; what it"
        " explains is taken out.",
    ]
    return "\n\n".join(lines)


def _describe_choice(settings: StudySettings) -> str:
    if settings.baseline_until:
        since = f"from {settings.baseline_from} " if settings.baseline_from else ""
        return f"The results {since}until {settings.baseline_until}"
    since = f" from {settings.baseline_from} on" if settings.baseline_from else ""
    return f"The first {settings.baseline_runs} results{since}"


def _describe_chart(settings: StudySettings) -> str:
    if settings.chart == "cusum":
        arl = compute_cusum_arl(settings.cusum_k, settings.cusum_h)
        return (
            f"**Drift.** A two-sided CUSUM with allowance k = {settings.cusum_k:g} and limit h ="
            f" {settings.cusum_h:g} standard deviations; each run is compared with all before it. In an unchanged"
            f" person a false flag comes every {arl:.0f} runs on average (ARL)."
        )
    arl = compute_ewma_arl(settings.ewma_lambda, settings.ewma_width)
    return (
        f"**Drift.** An exponentially weighted moving average: λ = {settings.ewma_lambda:g} is the weight of the"
        f" newest run, the limits are {settings.ewma_width:g} standard errors wide, widened for the small"
        f" baseline. With a baseline known for certain, a false flag comes every {arl:.0f} runs on average (ARL)."
    )
