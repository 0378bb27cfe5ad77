"""Below a trend: the newest changes, those within measurement noise greyed, and changes of the recording."""

from __future__ import annotations

import math
from datetime import date

import pandas as pd
import streamlit as st

from heliograph.store import Store
from heliograph.ui.markup import escape
from heliograph.ui.messages import describe_source
from heliograph.ui.trend_noise import NoiseFloor, load_noise_floor
from heliograph.ui.trend_reading import TrendReading
from heliograph.ui.trend_verdict import format_day
from thymia_api import BIOMARKERS, Biomarker

__all__ = [
    "format_change",
    "make_change_rows",
    "make_step_rows",
    "show_breaks",
    "show_changes",
    "show_person_changes",
    "word_reason",
]

SHOWN_STEPS = 10
SHOWN_BREAKS = 12
SOURCES = {"activity": "thymia's activity"}
PRIVATE_FACTS = ("date of birth", "birth sex", "language", "accent")


def show_changes(store: Store, reading: TrendReading, biomarker: Biomarker) -> None:
    """Draw the newest change of each biomarker and the last steps of the chosen one; computed when opened."""
    with st.expander(
        "Changes and noise floor", key="trends_changes", icon=":material/compare_arrows:", on_change="rerun"
    ) as panel:
        if panel.open:
            _show_changes(store, reading, biomarker)


def _show_changes(store: Store, reading: TrendReading, biomarker: Biomarker) -> None:
    settings = reading.settings
    floors = {
        entry.continuous: load_noise_floor(store, reading.results, entry.continuous, settings)
        for entry in BIOMARKERS
    }
    floor = floors[biomarker.continuous]
    st.markdown(f"**Noise floor of {biomarker.title.lower()}:** {floor.words}")
    st.table(make_change_rows(reading, floors), border="horizontal", hide_index=True)
    st.caption("Greyed: not distinguishable from measurement noise, or within the own normal range.")
    if steps := make_step_rows(reading, biomarker, floor):
        st.markdown(f"**Last steps of {biomarker.title.lower()}**")
        st.table(steps, border="horizontal", hide_index=True)


def show_breaks(breaks: pd.DataFrame) -> None:
    """List where runs stop being comparable with those before, newest first."""
    with st.expander(
        f"What changed between runs ({len(breaks)})", key="trends_breaks", icon=":material/link_off:"
    ):
        if breaks.empty:
            st.caption("All runs are alike: recorder, processing, bandwidth, noise, length, and person.")
            return
        st.markdown("\n".join(_list_breaks(breaks.iloc[::-1].head(SHOWN_BREAKS))))
        if len(breaks) > SHOWN_BREAKS:
            st.caption(f"The newest {SHOWN_BREAKS} of {len(breaks)}.")
        st.caption(
            "A step there may be the recording's, not the person's. Levels are benchmarked on birth date, sex and"
            " language: when one of these changed, levels before and after don't compare."
        )


def show_person_changes(breaks: pd.DataFrame, today: date) -> None:
    """One line when facts about the person changed, since levels are benchmarked on them."""
    changed = breaks[breaks["about"].isin(["person", "both"])]
    if changed.empty:
        return
    newest = changed.iloc[-1]
    facts = [
        reason.partition(": ")[0] for reason in newest["reasons"] if reason.partition(": ")[0] in PRIVATE_FACTS
    ]
    st.caption(
        f":material/info: Another {' and '.join(facts)} since {format_day(newest['at'], today)}:"
        " levels before and after don't compare."
    )


def word_reason(reason: str, *, private: bool = False) -> str:
    """A reason of `find_breaks` as people know its words; with `private` without facts about the person."""
    about, _, change = reason.partition(": ")
    if about == "source":
        return " to ".join(SOURCES.get(name, describe_source(name)) for name in change.split(" to "))
    return f"another {about}" if private and about in PRIVATE_FACTS else reason


def make_change_rows(reading: TrendReading, floors: dict[str, NoiseFloor]) -> dict[str, list[str]]:
    """One row a biomarker: newest score, change from the run before and from the own mean; columns of Markdown."""
    rows: dict[str, list[str]] = {
        "Biomarker": [],
        "Newest": [],
        "Last step": [],
        "Noise floor": [],
        "From own mean": [],
        "Own normal range": [],
    }
    for biomarker in BIOMARKERS:
        scores = reading.get_scores(biomarker).dropna()
        baseline = reading.get_drift(biomarker).baseline
        floor = floors[biomarker.continuous]
        newest = float(scores.iloc[-1]) if len(scores) else math.nan
        step = newest - float(scores.iloc[-2]) if len(scores) > 1 else math.nan
        inside = baseline.is_enough and baseline.low <= newest <= baseline.high
        rows["Biomarker"].append(biomarker.title)
        rows["Newest"].append("–" if math.isnan(newest) else f"{newest:.2f}")
        rows["Last step"].append(format_change(step, floor.mdc is not None and abs(step) <= floor.mdc))
        rows["Noise floor"].append("not known" if floor.mdc is None else f"±{floor.mdc:.2f} (n = {floor.n_runs})")
        away = newest - baseline.mean if baseline.is_enough else math.nan
        rows["From own mean"].append(format_change(away, inside))
        low, high = reading.get_drift(biomarker).band
        band = f"{low:.2f} to {high:.2f} (n = {baseline.n})"
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


def _list_breaks(breaks: pd.DataFrame) -> list[str]:
    return [
        f"- {row['at']:%d %b %Y, %H:%M}, run {row['run_id']}:"
        f" {escape('; '.join(word_reason(reason) for reason in row['reasons']))}"
        for row in breaks.to_dict("records")
    ]


def format_change(value: float, greyed: bool) -> str:
    """A signed change as Markdown: grey where it says nothing, bold where it does; a dash for none."""
    if math.isnan(value):
        return "–"
    text = f"{value:+.2f}".replace("-", "−") if abs(value) >= 0.005 else "0.00"
    return f":gray[{text}]" if greyed else f"**{text}**"
