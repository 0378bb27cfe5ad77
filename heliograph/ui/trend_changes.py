"""Below a trend: the newest changes, those within measurement noise greyed, and changes of the recording."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from heliograph.charts.trend_layers import BreakLayer
from heliograph.ui.markup import escape
from heliograph.ui.trend_noise import NoiseFloor
from heliograph.ui.trend_reading import TrendReading
from thymia_api import BIOMARKERS, Biomarker

__all__ = ["format_change", "make_change_rows", "make_step_rows", "show_breaks", "show_changes"]

SHOWN_STEPS = 10


def show_changes(reading: TrendReading, biomarker: Biomarker, floors: dict[str, NoiseFloor]) -> None:
    """Draw the newest change of each biomarker and the last steps of the chosen one."""
    floor = floors[biomarker.continuous]
    st.markdown(f"**Noise floor of {biomarker.title.lower()}:** {floor.words}")
    st.table(make_change_rows(reading, floors), border="horizontal", hide_index=True)
    st.caption("Greyed: not distinguishable from measurement noise, or within the own normal range.")
    if steps := make_step_rows(reading, biomarker, floor):
        st.markdown(f"**Last steps of {biomarker.title.lower()}**")
        st.table(steps, border="horizontal", hide_index=True)


def show_breaks(breaks: Sequence[BreakLayer], results: pd.DataFrame) -> None:
    """List where recordings stop being comparable with those before, newest first."""
    with st.expander(f"Changes of recording ({len(breaks)})", key="trends_breaks", icon=":material/link_off:"):
        if not breaks:
            st.caption("All recordings are alike: recorder, processing, bandwidth, noise, length, and facts sent.")
            return
        at = results.set_index("run_id")["session_local"]
        lines = [
            f"- {at[entry.run_id]:%d %b %Y, %H:%M}, run {entry.run_id}: {escape('; '.join(entry.reasons))}"
            for entry in reversed(breaks)
            if entry.run_id in at.index
        ]
        st.markdown("\n".join(lines))
        st.caption(
            "A step there may be the recording's, not the person's. Levels are benchmarked on birth date, sex and"
            " language: when one of these changed, levels before and after don't compare."
        )


def make_change_rows(reading: TrendReading, floors: dict[str, NoiseFloor]) -> dict[str, list[str]]:
    """One row a biomarker: newest score, change from the run before and from the own mean; columns of Markdown."""
    rows: dict[str, list[str]] = {
        "Biomarker": [],
        "Newest": [],
        "From the run before": [],
        "Noise floor": [],
        "From own mean": [],
        "Own normal range": [],
    }
    for biomarker in BIOMARKERS:
        scores = reading.results[biomarker.continuous].dropna()
        baseline = reading.get_drift(biomarker).baseline
        floor = floors[biomarker.continuous]
        newest = float(scores.iloc[-1]) if len(scores) else math.nan
        step = newest - float(scores.iloc[-2]) if len(scores) > 1 else math.nan
        inside = baseline.is_enough and baseline.low <= newest <= baseline.high
        rows["Biomarker"].append(biomarker.title)
        rows["Newest"].append("–" if math.isnan(newest) else f"{newest:.2f}")
        rows["From the run before"].append(format_change(step, floor.mdc is not None and abs(step) <= floor.mdc))
        rows["Noise floor"].append("not known" if floor.mdc is None else f"±{floor.mdc:.2f} (n = {floor.n_runs})")
        away = newest - baseline.mean if baseline.is_enough else math.nan
        rows["From own mean"].append(format_change(away, inside))
        band = f"{baseline.low:.2f} to {baseline.high:.2f} (n = {baseline.n})"
        rows["Own normal range"].append(band if baseline.is_enough else "no baseline")
    return rows


def make_step_rows(reading: TrendReading, biomarker: Biomarker, floor: NoiseFloor) -> dict[str, list[str]]:
    """The last steps from result to result, newest first; empty with fewer than two results."""
    rows = reading.results.assign(score=reading.scores).dropna(subset="score")
    rows = rows.assign(step=rows["score"].diff()).iloc[1:].tail(SHOWN_STEPS).iloc[::-1]
    if rows.empty:
        return {}
    broken = set(reading.breaks["run_id"])
    words = []
    for run_id, step in zip(rows["run_id"], rows["step"], strict=True):
        if run_id in broken:
            words.append("not comparable: the recording changed")
        elif floor.mdc is None:
            words.append(":gray[noise floor not known]")
        else:
            words.append(":gray[within the noise floor]" if abs(step) <= floor.mdc else "more than noise")
    greyed = [word.startswith(":gray") and "within" in word for word in words]
    return {
        "Session": [f"{at:%d %b %Y, %H:%M}" for at in rows["session_local"]],
        biomarker.title: [f"{score:.2f}" for score in rows["score"]],
        "Change": [format_change(step, grey) for step, grey in zip(rows["step"], greyed, strict=True)],
        "Reading": words,
    }


def format_change(value: float, greyed: bool) -> str:
    """A signed change as Markdown: grey where it says nothing, bold where it does; a dash for none."""
    if math.isnan(value):
        return "–"
    text = f"{value:+.2f}".replace("-", "−")
    return f":gray[{text}]" if greyed else f"**{text}**"
