"""What goes with sleep in the voice: within persons from run to run, and between persons, from one mixed model for
each biomarker. The two effects stand apart in every figure and table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from heliograph.charts import escape_plotly
from heliograph.store import StudySettings, load_labels, load_study_settings
from heliograph.ui.levels_panel import (
    ADJUSTMENTS,
    Side,
    SixWords,
    format_interval,
    show_sides,
    show_six,
    tabulate_six,
)
from heliograph.ui.sleep_panel import SleepRows
from heliograph.ui.workspace import Workspace
from thymia_api import BIOMARKERS, Biomarker

if TYPE_CHECKING:
    import pandas as pd

    from heliograph.analysis.levels_apart import LevelsApart
    from heliograph.charts.cohort_frame import FigureAbout
    from heliograph.charts.two_levels import Slope

__all__ = ["compare_people", "fit_six", "show_sleep_and_voice"]


@dataclass(frozen=True)
class Predictor:
    """A sleep measure: its column, its unit (one, many), and whether it is one number a person."""

    title: str
    column: str
    unit: str = "hour"
    units: str = "hours"
    is_personal: bool = False


PREDICTORS = {
    predictor.title: predictor
    for predictor in (
        Predictor("Sleep duration", "sleep_h"),
        Predictor("Middle of sleep", "mid_sleep_h"),
        Predictor("Hours awake at the recording", "hours_awake"),
        Predictor("Irregularity", "mid_sleep_sd_h", is_personal=True),
        Predictor("Sleep Regularity Index", "sri", "point", "points", is_personal=True),
        Predictor("Social jetlag", "social_jetlag_h", is_personal=True),
    )
}
# More rows take longer than a person wants to wait without having asked for it.
FIT_AT_ONCE_ROWS = 6_000
KEPT_FITS = 8


@st.fragment
def show_sleep_and_voice(workspace: Workspace, found: SleepRows, about: FigureAbout) -> None:
    """Draw the choices, both figures, and the six biomarkers at both levels."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        words = st.selectbox(
            "Sleep measure",
            list(PREDICTORS),
            key="sleep_measure",
            bind="query-params",
            persist_state="session",
            width=260,
        )
        titles = {biomarker.title: biomarker for biomarker in BIOMARKERS}
        title = st.selectbox(
            "Biomarker",
            list(titles),
            index=4,
            key="sleep_biomarker",
            bind="query-params",
            persist_state="session",
            width=220,
        )
    predictor = PREDICTORS.get(words or "", next(iter(PREDICTORS.values())))
    biomarker = titles.get(title or "", BIOMARKERS[0])
    settings = load_study_settings(workspace.store)
    rows = _add_personal(found.rows, predictor)
    table = _fit_when_wanted(workspace, found, rows, predictor, settings)
    _show_one(workspace, rows, predictor, biomarker, table, about)
    if table is not None:
        st.subheader("All six biomarkers", anchor=False)
        show_six(
            table, _word_six(predictor, settings), about=about, key="sleep",
            file_name=f"heliograph-sleep-{predictor.column}",
        )  # fmt: skip
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

    from heliograph.analysis import fit_within_between

    fits = [
        fit_within_between(
            rows, biomarker.continuous, predictor, confidence=settings.confidence,
            n_participants_total=totals[0], n_runs_total=totals[1],
        )
        for biomarker in BIOMARKERS
    ]  # fmt: skip
    parts = [
        tabulate_six(
            level,
            settings,
            predictor=predictor,
            estimate=[getattr(fit, level) for fit in fits],
            low=[getattr(fit, f"{level}_low") for fit in fits],
            high=[getattr(fit, f"{level}_high") for fit in fits],
            p=[getattr(fit, f"{level}_p") for fit in fits],
            n_participants=[fit.n_participants for fit in fits],
            n_runs=[fit.n_runs for fit in fits],
            formula=[fit.report.formula for fit in fits],
            note=[_join_notes(fit.note, fit.problems if level == "within" else ()) for fit in fits],
        )
        for level in ("within", "between")
    ]
    return pd.concat(parts, ignore_index=True)


def compare_people(rows: pd.DataFrame, column: str, settings: StudySettings) -> pd.DataFrame:
    """One row a biomarker: the change of persons' mean scores for one unit more of a measure that is one number a
    person (in every row of theirs), with p adjusted over the six."""
    from heliograph.analysis.between_slope import compute_between_slope
    from heliograph.analysis.levels_apart import compute_levels_apart

    people = [
        compute_levels_apart(rows["participant_id"], rows[column], rows[biomarker.continuous]).people
        for biomarker in BIOMARKERS
    ]
    found = [compute_between_slope(part["x"], part["y"], confidence=settings.confidence) for part in people]
    return tabulate_six(
        "between",
        settings,
        predictor=column,
        estimate=[entry.slope for entry in found],
        low=[entry.low for entry in found],
        high=[entry.high for entry in found],
        p=[entry.p for entry in found],
        n_participants=[entry.n for entry in found],
        n_runs=[int(part["n_runs"].sum()) for part in people],
        formula=f"mean score ~ {column}",
        note=[entry.note for entry in found],
    )


def _add_personal(rows: pd.DataFrame, predictor: Predictor) -> pd.DataFrame:
    """The rows with a measure that is one number a person in each of that person's rows."""
    if not predictor.is_personal:
        return rows
    from heliograph.analysis.sleep_people import compute_sleep_people

    people = compute_sleep_people(rows).set_index("participant_id")[predictor.column]
    return rows.assign(**{predictor.column: rows["participant_id"].map(people)})


def _join_notes(note: str, problems: tuple[str, ...]) -> str:
    return " ".join(text.rstrip(".") + "." for text in (note, *problems) if text).rstrip(".")


def _fit_when_wanted(
    workspace: Workspace, found: SleepRows, every: pd.DataFrame, predictor: Predictor, settings: StudySettings
) -> pd.DataFrame | None:
    """The six models: fitted once for the same data, at once where that is quick, else after a press."""
    rows = every[every[predictor.column].notna()]
    if predictor.is_personal:
        return compare_people(rows, predictor.column, settings)
    newest = str(rows["session_local"].max()) if len(rows) else ""
    wanted = (
        predictor.column,
        found.chosen,
        len(rows),
        newest,
        settings.confidence,
        settings.p_adjust,
        workspace.name,
    )
    kept: dict[Any, pd.DataFrame] = st.session_state.setdefault("sleep_fits", {})
    if wanted not in kept:
        if len(rows) > FIT_AT_ONCE_ROWS and not st.button("Fit the models", key="sleep_fit", type="primary"):
            st.caption(f"Six models over {len(rows):,} runs take some seconds.")
            return None
        with st.spinner("Fitting six models…"):
            totals = (found.sample.n_participants_total, found.sample.n_runs_total)
            kept[wanted] = fit_six(rows, predictor.column, settings, totals=totals)
        while len(kept) > KEPT_FITS:
            del kept[next(iter(kept))]
    return kept[wanted]


def _show_one(
    workspace: Workspace,
    rows: pd.DataFrame,
    predictor: Predictor,
    biomarker: Biomarker,
    table: pd.DataFrame | None,
    about: FigureAbout,
) -> None:
    from heliograph.analysis.levels_apart import compute_levels_apart

    apart = compute_levels_apart(rows["participant_id"], rows[predictor.column], rows[biomarker.continuous])
    labels = load_labels(workspace.store, [int(number) for number in apart.people["participant_id"]])
    found: dict[str, dict[Any, Any]] = {}
    if table is not None:
        found = {str(row["level"]): row for row in table[table["name"] == biomarker.name].to_dict("records")}
    sides: dict[str, Side | str] = {"between": _word_between(predictor, biomarker, apart, found.get("between"))}
    if predictor.is_personal:
        sides["within"] = f"{predictor.title} is one number a person: there is nothing to compare within persons."
    else:
        sides["within"] = _word_within(predictor, biomarker, apart, found.get("within"))
    show_sides(
        apart, labels, sides, biomarker=biomarker, about=about, key=f"sleep_{biomarker.name}",
        file_name=f"heliograph-sleep-{predictor.column}-{biomarker.name}",
    )  # fmt: skip


def _word_within(
    predictor: Predictor, biomarker: Biomarker, apart: LevelsApart, row: dict[Any, Any] | None
) -> Side:
    n_people = int((apart.people["n_runs"] >= 2).sum())
    return Side(
        asked=f"When a person's {_lower(predictor)} is above their own mean, does their score move with it?",
        title=f"{biomarker.title} within persons",
        lines=[*_list_lines(predictor, row), f"n = {n_people} participants, {len(apart.points)} runs"],
        notes=[
            "Point: one run, minus the person's own means",
            "Thin: each person · thick: all" + (" (mixed model)" if row else ""),
            *_explain_band(row),
        ],
        x_title=f"{escape_plotly(predictor.title)}, {predictor.units} from own mean",
        slope=_make_slope(row, apart.slope_within, 0.0, 0.0),
    )


def _word_between(
    predictor: Predictor, biomarker: Biomarker, apart: LevelsApart, row: dict[Any, Any] | None
) -> Side:
    centre = apart.people[["x", "y"]].mean()
    by_model = " (mixed model)" if row and not predictor.is_personal else ""
    of_whom = "" if predictor.is_personal else "mean of "
    n = f"n = {len(apart.people)} participants, {int(apart.people['n_runs'].sum())} runs"
    return Side(
        asked=f"Do persons with a higher {of_whom}{_lower(predictor)} have higher scores?",
        title=f"{biomarker.title} between persons",
        lines=[*_list_lines(predictor, row), n],
        notes=["Dot: one person", f"Line: over the persons{by_model}", *_explain_band(row)],
        x_title=f"{escape_plotly(predictor.title)}, {predictor.units}" + (", person's mean" if of_whom else ""),
        slope=_make_slope(row, apart.slope_between, float(centre["x"]), float(centre["y"])),
    )


def _make_slope(row: dict[Any, Any] | None, plain: float, at_x: float, at_y: float) -> Slope | None:
    """The estimate with its interval, else the plain least squares line, else none."""
    from heliograph.charts.two_levels import Slope

    if row is not None and row["estimate"] == row["estimate"]:
        return Slope(row["estimate"], row["low"], row["high"], at_x, at_y)
    return Slope(plain, at_x=at_x, at_y=at_y) if plain == plain else None


def _lower(predictor: Predictor) -> str:
    title = predictor.title
    return title if title.startswith("Sleep Reg") else title[0].lower() + title[1:]


def _list_lines(predictor: Predictor, row: dict[Any, Any] | None) -> list[str]:
    lines = [f"over {escape_plotly(predictor.title)}", "Score: <b>higher is worse</b>"]
    if row is None:
        return [*lines, "No estimate yet"]
    if row["estimate"] != row["estimate"]:
        return [*lines, "No estimate: see below"]
    interval = format_interval(row["estimate"], row["low"], row["high"], digits=3)
    return [*lines, f"{interval} per {predictor.unit} more"]


def _explain_band(row: dict[Any, Any] | None) -> list[str]:
    if row is None or row["estimate"] != row["estimate"]:
        return []
    return [f"Grey: {100 * float(row['confidence']):g} % interval of the slope"]


def _word_six(predictor: Predictor, settings: StudySettings) -> SixWords:
    by_model = "Mixed model with person's mean and deviation (Mundlak)"
    return SixWords(
        title=f"{predictor.title} and the voice",
        lines=[
            f"Change of the score for one {predictor.unit} more",
            f"with {100 * settings.confidence:g} % intervals",
        ],
        notes=[
            "Right of 0: the score is higher, which is worse",
            "Least squares over means, each person once" if predictor.is_personal else by_model,
            f"p in the table: adjusted over six by {ADJUSTMENTS.get(settings.p_adjust, settings.p_adjust)}",
        ],
        units={"within": "<b>Within persons</b>", "between": "<b>Between persons</b>"},
        statistic=f"Per {predictor.unit}",
        limits=None,
        digits=3,
    )
