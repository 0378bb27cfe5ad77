"""The panel on Settings for what stands behind the statistics: baseline, drift, repeats, small groups, ratings."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import streamlit as st

from heliograph.runs.ratings import SCALES
from heliograph.store import StoreError, StudySettings, load_study_settings, save_study_settings
from heliograph.ui.buttons import sure_button
from heliograph.ui.problems import show_problem
from heliograph.ui.workspace import Workspace

__all__ = ["show_study_settings"]

PREFIX = "study_"
FIRST_RUNS, DATES = "First runs", "Between two dates"
CONFIDENCES = (0.9, 0.95, 0.99)
CHARTS = {"ewma": "EWMA", "cusum": "CUSUM"}
ADJUSTMENTS = {"holm": "Holm", "bh": "Benjamini–Hochberg"}
FIELD_PX, DATE_PX = 205, 170
LONGEST = 100_000  # Beyond this a run length is a figure of speech, and its computation loses its digits.
# What the form shows for a setting that is wrong: the store names the field.
FIELD_NAMES = {
    "baseline_runs": "Runs in the baseline",
    "baseline_from": "The first day of the baseline",
    "baseline_until": "The last day of the baseline",
    "confidence": "Confidence",
    "ewma_lambda": "Weight of the newest run",
    "ewma_width": "Width of the limits",
    "cusum_k": "Allowance",
    "cusum_h": "Decision limit",
    "repeat_window_min": "Minutes between repeats",
    "small_group": "Smallest group",
}


def show_study_settings(workspace: Workspace) -> None:
    """Draw the panel; nothing is kept until Save is pressed."""
    saved = load_study_settings(workspace.store)
    st.subheader("Analysis", anchor=False)
    st.caption("Holds for everybody who works with this workspace. Changing it recomputes; no data is changed.")
    if message := st.session_state.pop(f"{PREFIX}done", None):
        st.success(message, icon=":material/check:")
    _follow_store(saved)
    _ask_ratings()
    _ask_baseline(saved)
    _ask_chart(saved)
    _ask_rest(saved)
    chosen = _read_form(saved)
    if chosen != saved:
        st.caption("Not saved yet.")
    with st.container(horizontal=True):
        save = sure_button("Save analysis settings", key=f"{PREFIX}save", kind="primary", icon=":material/save:")
        if chosen != StudySettings() and sure_button("Back to defaults", key=f"{PREFIX}reset", kind="tertiary"):
            _save(workspace, replace(StudySettings(), rating_scales=chosen.rating_scales), "Defaults restored.")
    if save:
        _save(workspace, chosen, "Saved.")


def _follow_store(saved: StudySettings) -> None:
    """Fill the fields when the page opens, and again when another person saved something else."""
    overtaken = st.session_state.get(f"{PREFIX}seen") != saved
    st.session_state[f"{PREFIX}seen"] = saved
    values: dict[str, Any] = {
        "kind": DATES if saved.baseline_from or saved.baseline_until else FIRST_RUNS,
        "runs": saved.baseline_runs,
        "from": date.fromisoformat(saved.baseline_from) if saved.baseline_from else None,
        "until": date.fromisoformat(saved.baseline_until) if saved.baseline_until else None,
        "confidence": saved.confidence,
        "chart": saved.chart,
        "lambda": saved.ewma_lambda,
        "width": saved.ewma_width,
        "k": saved.cusum_k,
        "h": saved.cusum_h,
        "window": saved.repeat_window_min,
        "small": saved.small_group,
        "suppress": saved.suppress_small,
        "adjust": saved.p_adjust,
        "scales": list(saved.rating_scales),
    }
    for name, value in values.items():
        # Streamlit forgets the value of a field that was not on screen.
        if overtaken or PREFIX + name not in st.session_state:
            st.session_state[PREFIX + name] = value


def _ask_ratings() -> None:
    st.pills(
        "Ratings asked at each recording", list(SCALES), selection_mode="multi",
        format_func=lambda name: SCALES[name].short, key=f"{PREFIX}scales",
        help="One tap each, on Record, always optional. They are stored with the run and compared in Self-report.",
    )  # fmt: skip


def _ask_baseline(saved: StudySettings) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control("Baseline", [FIRST_RUNS, DATES], key=f"{PREFIX}kind", required=True)
        if kind == FIRST_RUNS:
            st.number_input("Runs in the baseline", 3, 50, value=None, step=1, key=f"{PREFIX}runs", width=FIELD_PX)
        else:
            st.date_input("From", key=f"{PREFIX}from", value=None, format="YYYY-MM-DD", width=DATE_PX)
            st.date_input(
                "Until, not included", key=f"{PREFIX}until", value=None, format="YYYY-MM-DD", width=DATE_PX
            )
        options = sorted({*CONFIDENCES, saved.confidence})
        st.selectbox(
            "Confidence", options, format_func=lambda level: f"{100 * level:g} %", key=f"{PREFIX}confidence",
            width=120, help="Of the baseline's band and of every interval.",
        )  # fmt: skip
    st.caption(
        "What is normal for a participant: their own first valid runs, or those of a fixed period."
        " The band is wide where the baseline holds few runs."
    )


def _ask_chart(saved: StudySettings) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chart = st.segmented_control(
            "Drift is found by", list(CHARTS), format_func=lambda name: CHARTS[name], key=f"{PREFIX}chart",
            required=True,
            help="EWMA follows a weighted mean of the newest runs; CUSUM adds up deviations from the baseline.",
        )  # fmt: skip
        if chart == "ewma":
            st.number_input(
                "Weight λ of the newest run", 0.01, 1.0, value=None, step=0.05, format="%.2f",
                key=f"{PREFIX}lambda", width=FIELD_PX,
                help="Small: slow drifts are found. 1: every run is judged by itself.",
            )  # fmt: skip
            st.number_input(
                "Width of the limits, in SD",
                0.5,
                6.0,
                value=None,
                step=0.1,
                format="%.3f",
                key=f"{PREFIX}width",
                width=FIELD_PX,
            )
        else:
            st.number_input(
                "Allowance k, in SD", 0.0, 3.0, value=None, step=0.1, format="%.2f",
                key=f"{PREFIX}k", width=FIELD_PX, help="Half of the shift that is to be found.",
            )  # fmt: skip
            st.number_input(
                "Decision limit h, in SD", 0.5, 20.0, value=None, step=0.5, format="%.2f", key=f"{PREFIX}h",
                width=FIELD_PX,
            )  # fmt: skip
    st.caption(_describe_run_length(saved))


def _ask_rest(saved: StudySettings) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input(
            "Minutes between repeats", 1, 24 * 60, value=None, step=5, key=f"{PREFIX}window", width=FIELD_PX,
            help="Recordings of one participant at most this far apart are repeats: they show the noise floor.",
        )  # fmt: skip
        st.number_input(
            "Smallest group", 2, 100, value=None, step=1, key=f"{PREFIX}small", width=FIELD_PX,
            help="Groups with fewer participants are marked in Cohorts.",
        )  # fmt: skip
        st.selectbox(
            "p values adjusted by", list(ADJUSTMENTS), format_func=lambda name: ADJUSTMENTS[name],
            key=f"{PREFIX}adjust", width=200, help="Over the six biomarkers of a table.",
        )  # fmt: skip
    st.toggle(
        "Leave small groups out of figures and tables", key=f"{PREFIX}suppress",
        help="For sharing: numbers of a few people can point at a person.",
    )  # fmt: skip


def _describe_run_length(saved: StudySettings) -> str:
    """How often the chart on screen gives a false alarm."""
    from heliograph.analysis import compute_cusum_arl, compute_ewma_arl

    form = _read_form(saved)
    if form.chart == "ewma":
        length = compute_ewma_arl(form.ewma_lambda, form.ewma_width)
    else:
        length = compute_cusum_arl(form.cusum_k, form.cusum_h)
    about = f"about **{float(f'{length:.2g}'):,.0f}" if 0 < length < LONGEST else f"more than **{LONGEST:,}"
    return (
        f"Without any drift this chart gives a false flag once in {about} runs** of a biomarker"
        " (the average run length, for a baseline known exactly; a short baseline makes the limits wider)."
    )


def _read_form(saved: StudySettings) -> StudySettings:
    """What the fields hold now; a field that is not on screen keeps its saved value."""
    form = {name: st.session_state.get(PREFIX + name) for name in _FORM}
    by_dates = form["kind"] == DATES
    return replace(
        saved,
        baseline_runs=_or(form["runs"], saved.baseline_runs),
        baseline_from=_to_day(form["from"]) if by_dates else None,
        baseline_until=_to_day(form["until"]) if by_dates else None,
        confidence=_or(form["confidence"], saved.confidence),
        chart=_or(form["chart"], saved.chart),
        ewma_lambda=_or(form["lambda"], saved.ewma_lambda),
        ewma_width=_or(form["width"], saved.ewma_width),
        cusum_k=_or(form["k"], saved.cusum_k),
        cusum_h=_or(form["h"], saved.cusum_h),
        repeat_window_min=_or(form["window"], saved.repeat_window_min),
        small_group=_or(form["small"], saved.small_group),
        suppress_small=bool(form["suppress"]),
        p_adjust=_or(form["adjust"], saved.p_adjust),
        rating_scales=tuple(name for name in SCALES if name in (form["scales"] or ())),
    )


_FORM = (
    "kind", "runs", "from", "until", "confidence", "chart", "lambda", "width", "k", "h", "window", "small",
    "suppress", "adjust", "scales",
)  # fmt: skip


def _or(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None else value


def _to_day(value: object) -> str | None:
    return value.isoformat() if isinstance(value, date) else None


def _save(workspace: Workspace, settings: StudySettings, message: str) -> None:
    try:
        save_study_settings(workspace.store, settings)
    except ValueError as error:
        field, _, problem = str(error).partition(" ")
        st.error(f"Not saved. {FIELD_NAMES.get(field, field)} {problem}.")
        return
    except StoreError as error:
        show_problem(error)
        return
    workspace.wake_worker()
    st.session_state[f"{PREFIX}done"] = message
    del st.session_state[f"{PREFIX}seen"]
    st.rerun()
