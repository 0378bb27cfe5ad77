"""What goes with sleep in the voice: within persons from run to run, and between persons, from one mixed model for
each biomarker. The two effects stand apart in every figure and table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from heliograph.charts import escape_plotly
from heliograph.store import StudySettings, load_labels, load_study_settings
from heliograph.ui.levels_panel import ADJUSTMENTS, Side, SixWords, format_interval, show_sides, show_six
from heliograph.ui.sleep_panel import SleepRows
from heliograph.ui.workspace import Workspace
from thymia_api import BIOMARKERS, Biomarker

if TYPE_CHECKING:
    import pandas as pd

    from heliograph.analysis.levels_apart import LevelsApart
    from heliograph.charts.cohort_frame import FigureAbout

__all__ = ["fit_six", "show_sleep_and_voice"]

PREDICTORS = {
    "Sleep duration": "sleep_h",
    "Middle of sleep": "mid_sleep_h",
    "Hours awake at the recording": "hours_awake",
}
# More rows take longer than a person wants to wait without having asked for it.
FIT_AT_ONCE_ROWS = 6_000
KEPT_FITS = 8


@st.fragment
def show_sleep_and_voice(workspace: Workspace, found: SleepRows, about: FigureAbout) -> None:
    """Draw the choices, both figures, and the six biomarkers at both levels."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        words = st.selectbox(
            "Sleep measure", list(PREDICTORS), key="sleep_measure", bind="query-params", width=260
        )
        titles = {biomarker.title: biomarker for biomarker in BIOMARKERS}
        title = st.selectbox(
            "Biomarker",
            list(titles),
            index=4,
            key="sleep_biomarker",
            bind="query-params",
            width=220,
        )
    words, biomarker = words or next(iter(PREDICTORS)), titles.get(title or "", BIOMARKERS[0])
    predictor = PREDICTORS[words]
    settings = load_study_settings(workspace.store)
    table = _fit_when_wanted(workspace, found, predictor, settings)
    _show_one(workspace, found, words, biomarker, table, about)
    if table is not None:
        st.subheader("All six biomarkers", anchor=False)
        show_six(
            table, _word_six(words, settings), about=about, key="sleep", file_name=f"heliograph-sleep-{predictor}"
        )
        st.caption(
            "Neither effect is a cause. Within persons compares a person with themselves; between persons compares"
            " people who differ in many other ways as well."
        )


def fit_six(
    rows: pd.DataFrame, predictor: str, settings: StudySettings, *, totals: tuple[int, int]
) -> pd.DataFrame:
    """One row a biomarker and level: the change of the score for one hour more, from one model a biomarker, with p
    adjusted over the six of a level. `totals` are participants and runs before any sampling."""
    import pandas as pd

    from heliograph.analysis import adjust_p, fit_within_between

    fits = [
        fit_within_between(
            rows, biomarker.continuous, predictor, confidence=settings.confidence,
            n_participants_total=totals[0], n_runs_total=totals[1],
        )
        for biomarker in BIOMARKERS
    ]  # fmt: skip
    parts = []
    for level in ("within", "between"):
        p = [getattr(fit, f"{level}_p") for fit in fits]
        part = pd.DataFrame(
            {
                "name": [biomarker.name for biomarker in BIOMARKERS],
                "level": level,
                "predictor": predictor,
                "estimate": [getattr(fit, level) for fit in fits],
                "low": [getattr(fit, f"{level}_low") for fit in fits],
                "high": [getattr(fit, f"{level}_high") for fit in fits],
                "confidence": settings.confidence,
                "p": p,
                "p_adjusted": list(adjust_p(p, settings.p_adjust)),
                "p_adjusted_by": settings.p_adjust,
                "n_participants": [fit.n_participants for fit in fits],
                "n_runs": [fit.n_runs for fit in fits],
                "formula": [fit.report.formula for fit in fits],
                "note": [_join_notes(fit.note, fit.problems if level == "within" else ()) for fit in fits],
            }
        )
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _join_notes(note: str, problems: tuple[str, ...]) -> str:
    return " ".join(text.rstrip(".") + "." for text in (note, *problems) if text).rstrip(".")


def _fit_when_wanted(
    workspace: Workspace, found: SleepRows, predictor: str, settings: StudySettings
) -> pd.DataFrame | None:
    """The six models: fitted once for the same data, at once where that is quick, else after a press."""
    rows = found.rows[found.rows[predictor].notna()]
    newest = str(rows["session_local"].max()) if len(rows) else ""
    wanted = (predictor, found.chosen, len(rows), newest, settings.confidence, settings.p_adjust, workspace.name)
    kept: dict[Any, pd.DataFrame] = st.session_state.setdefault("sleep_fits", {})
    if wanted not in kept:
        if len(rows) > FIT_AT_ONCE_ROWS and not st.button("Fit the models", key="sleep_fit", type="primary"):
            st.caption(f"Six models over {len(rows):,} runs take some seconds.")
            return None
        with st.spinner("Fitting six models…"):
            totals = (found.sample.n_participants_total, found.sample.n_runs_total)
            kept[wanted] = fit_six(rows, predictor, settings, totals=totals)
        while len(kept) > KEPT_FITS:
            del kept[next(iter(kept))]
    return kept[wanted]


def _show_one(
    workspace: Workspace,
    found: SleepRows,
    words: str,
    biomarker: Biomarker,
    table: pd.DataFrame | None,
    about: FigureAbout,
) -> None:
    from heliograph.analysis.levels_apart import compute_levels_apart

    predictor = PREDICTORS[words]
    apart = compute_levels_apart(
        found.rows["participant_id"], found.rows[predictor], found.rows[biomarker.continuous]
    )
    labels = load_labels(workspace.store, [int(number) for number in apart.people["participant_id"]])
    rows: dict[str, dict[Any, Any]] = {}
    if table is not None:
        rows = {str(row["level"]): row for row in table[table["name"] == biomarker.name].to_dict("records")}
    show_sides(
        apart, labels, _word_sides(words, biomarker, apart, rows), biomarker=biomarker, about=about,
        key=f"sleep_{biomarker.name}", file_name=f"heliograph-sleep-{predictor}-{biomarker.name}",
    )  # fmt: skip


def _word_sides(
    words: str, biomarker: Biomarker, apart: LevelsApart, rows: dict[str, dict[Any, Any]]
) -> dict[str, Side]:
    from heliograph.charts.two_levels import Slope

    measure = escape_plotly(words)
    means = apart.people[["x", "y"]].mean()
    centre = {"within": (0.0, 0.0), "between": (float(means["x"]), float(means["y"]))}
    fallback = {"within": apart.slope_within, "between": apart.slope_between}
    slopes: dict[str, Slope | None] = {}
    for level, (at_x, at_y) in centre.items():
        row = rows.get(level)
        if row is not None and row["estimate"] == row["estimate"]:
            slopes[level] = Slope(row["estimate"], row["low"], row["high"], at_x, at_y)
        else:
            slope = fallback[level]
            slopes[level] = Slope(slope, at_x=at_x, at_y=at_y) if slope == slope else None
    lower = words[0].lower() + words[1:]
    n_within = int((apart.people["n_runs"] >= 2).sum())
    counts = {
        "within": f"n = {n_within} participants, {len(apart.points)} runs",
        "between": f"n = {len(apart.people)} participants, {int(apart.people['n_runs'].sum())} runs",
    }
    return {
        "within": Side(
            asked=f"When a person's {lower} is above their own mean, does their score move with it?",
            title=f"{biomarker.title} within persons",
            lines=[
                f"over {measure}",
                "Score: <b>higher is worse</b>",
                _tell(rows.get("within")),
                counts["within"],
            ],
            notes=[
                "Point: one run, minus the person's own means",
                *_explain(rows, "thin: each person · thick: all"),
            ],
            x_title=f"{measure}, hours from own mean",
            slope=slopes["within"],
        ),
        "between": Side(
            asked=f"Do persons with a higher mean of {lower} have higher scores?",
            title=f"{biomarker.title} between persons",
            lines=[
                f"over {measure}",
                "Score: <b>higher is worse</b>",
                _tell(rows.get("between")),
                counts["between"],
            ],
            notes=["Dot: the means of one person", *_explain(rows, "line: over the persons")],
            x_title=f"{measure}, person's mean in hours",
            slope=slopes["between"],
        ),
    }


def _explain(rows: dict[str, dict[Any, Any]], lines: str) -> list[str]:
    if not rows:
        return [lines.capitalize()]
    level = f"{100 * float(rows['within']['confidence']):g} %"
    return [f"{lines.capitalize()} (mixed model)", f"Grey: {level} interval of the slope"]


def _tell(row: dict[Any, Any] | None) -> str:
    if row is None or row["estimate"] != row["estimate"]:
        return "No estimate yet" if row is None else str(row["note"])[:60]
    return f"{format_interval(row['estimate'], row['low'], row['high'], digits=3)} per hour more"


def _word_six(words: str, settings: StudySettings) -> SixWords:
    return SixWords(
        title=f"{words} and the voice",
        lines=["Change of the score for one hour more", f"with {100 * settings.confidence:g} % intervals"],
        notes=[
            "Right of 0: the score is higher, which is worse",
            "Mixed model with person's mean and deviation (Mundlak)",
            f"p in the table: adjusted over six by {ADJUSTMENTS.get(settings.p_adjust, settings.p_adjust)}",
        ],
        units={"within": "<b>Within persons</b>", "between": "<b>Between persons</b>"},
        statistic="Per hour",
        limits=None,
        digits=3,
    )
