"""A rating or questionnaire beside the biomarkers: do they move together within persons, and do persons who are
high on one lie high on the other? Two questions, two figures, never one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import streamlit as st

from heliograph.charts import escape_plotly
from heliograph.runs.ratings import SCALES
from heliograph.store import (
    StudySettings,
    load_labels,
    load_questionnaire_pairs,
    load_rating_pairs,
    load_study_settings,
)
from heliograph.ui.levels_panel import (
    ADJUSTMENTS,
    Side,
    SixWords,
    format_interval,
    show_sides,
    show_six,
    tabulate_six,
)
from heliograph.ui.markup import escape
from heliograph.ui.self_report_measures import Measure, choose_measure, load_measures
from heliograph.ui.workspace import Workspace
from thymia_api import BIOMARKERS, Biomarker

if TYPE_CHECKING:
    import pandas as pd

    from heliograph.analysis.levels_apart import LevelsApart

__all__ = ["show_agreement", "show_no_self_report"]

ROW_LIMIT = 20_000
DAYS = {"the same day": 0, "1 day": 1, "3 days": 3, "7 days": 7, "14 days": 14}
# The biomarker that a rating asks about most directly; all six are shown below.
LIKELY = {"stress_0_10": "stress", "energy_0_10": "exhaustion", "kss": "sleep_propensity"}
ASKED = {
    "within": "When a person reports more than is usual for them, does their voice score higher than usual?",
    "between": "Do persons who report more than others also score higher than others?",
}


@dataclass(frozen=True)
class Pairs:
    """Rows of `participant_id`, `value` and the six scores; what one row is called; what was chosen, sampled."""

    rows: pd.DataFrame
    one: str
    chosen: str
    sampled: str


@st.fragment
def show_agreement(workspace: Workspace) -> None:
    """Draw the choices, both figures, and the six biomarkers at both levels."""
    measures = load_measures(workspace.store)
    if not measures:
        show_no_self_report()
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        measure = choose_measure(measures, "Self-report", key="selfreport_measure")
        biomarker = _choose_biomarker(measure)
        within_days = 0 if measure.is_rating else _choose_days()
    with st.spinner("Reading the results…"):
        pairs = _load_pairs(workspace, measure, within_days)
    if not len(pairs.rows):
        st.info(f"No result lies beside {escape(measure.title)} yet. {_tell_what_is_missing(measure)}")
        return
    _show_pairs(workspace, measure, biomarker, pairs)


def show_no_self_report() -> None:
    """What stands where there is nothing to compare."""
    with st.container(border=True):
        st.markdown(
            "**No self-report yet.** Choose ratings under Analysis in Settings: each recording then asks for them"
            " with one tap. Or import the totals of questionnaires here, from a CSV file."
        )
        if st.button("Open Settings", key="selfreport_settings", icon=":material/settings:"):
            st.switch_page("settings.py")


def _choose_biomarker(measure: Measure) -> Biomarker:
    titles = {biomarker.title: biomarker for biomarker in BIOMARKERS}
    likely = next((b.title for b in BIOMARKERS if b.name == LIKELY.get(measure.key)), BIOMARKERS[0].title)
    key = "selfreport_biomarker"
    if st.session_state.get(key) not in (None, *titles):
        st.session_state.pop(key, None)
    chosen = st.selectbox(
        "Biomarker", list(titles), index=list(titles).index(likely), key=key,
        bind="query-params", persist_state="session", width=220,
    )  # fmt: skip
    return titles[chosen or likely]


def _choose_days() -> int:
    chosen = st.selectbox(
        "Runs within", list(DAYS), index=2, key="selfreport_days",
        bind="query-params", persist_state="session", width=160,
        help="Each questionnaire is compared with the mean of the runs at most this far from its day.",
    )  # fmt: skip
    return DAYS.get(chosen or "3 days", 3)


def _load_pairs(workspace: Workspace, measure: Measure, within_days: int) -> Pairs:
    if not measure.is_rating:
        frame = load_questionnaire_pairs(workspace.store, measure.key, within_days=within_days)
        frame = frame[frame["n_runs"] > 0].rename(columns={"score": "value"})
        near = next(words for words, days in DAYS.items() if days == within_days)
        chosen = (
            f"questionnaires with runs within {near}" if within_days else "questionnaires with runs of that day"
        )
        return Pairs(frame, "questionnaire", chosen, "")
    frame, sample = load_rating_pairs(workspace.store, measure.key, limit=ROW_LIMIT)
    told = f"A sample: {sample.n_participants:,} of {sample.n_participants_total:,} participants, whole ones."
    return Pairs(frame, "run", "", told if sample.sampled else "")


def _tell_what_is_missing(measure: Measure) -> str:
    if measure.is_rating:
        return "The runs that were rated have no result so far."
    return "Widen “Runs within”, or record nearer to the questionnaire."


def _show_pairs(workspace: Workspace, measure: Measure, biomarker: Biomarker, pairs: Pairs) -> None:
    from heliograph.analysis.levels_apart import compute_levels_apart
    from heliograph.charts.cohort_frame import FigureAbout

    settings = load_study_settings(workspace.store)
    about = FigureAbout(workspace.name, workspace.synthetic, date.today(), pairs.chosen)
    table = compute_correlations(pairs.rows, settings)
    apart = compute_levels_apart(
        pairs.rows["participant_id"], pairs.rows["value"], pairs.rows[biomarker.continuous]
    )
    labels = load_labels(workspace.store, [int(number) for number in apart.people["participant_id"]])
    rows = {str(row["level"]): row for row in table[table["name"] == biomarker.name].to_dict("records")}
    file_name = f"heliograph-self-report-{measure.key if measure.is_rating else 'questionnaire'}"
    if pairs.sampled:
        st.caption(pairs.sampled)
    show_sides(
        apart, labels, _word_sides(measure, biomarker, pairs, apart, rows), biomarker=biomarker, about=about,
        key=f"selfreport_{biomarker.name}", file_name=f"{file_name}-{biomarker.name}",
    )  # fmt: skip
    st.subheader("All six biomarkers", anchor=False)
    if tells := _tell_direction(measure):
        st.caption(tells)
    show_six(
        table, _word_six(measure, settings), about=about, key="selfreport", file_name=file_name
    )  # fmt: skip


def compute_correlations(rows: pd.DataFrame, settings: StudySettings) -> pd.DataFrame:
    """One row a biomarker and level: r with its interval, n, and p adjusted over the six of a level."""
    import pandas as pd

    from heliograph.analysis import compute_between_correlation, compute_rmcorr

    parts = []
    for level, compute in (("within", compute_rmcorr), ("between", compute_between_correlation)):
        found = [
            compute(rows["participant_id"], rows["value"], rows[b.continuous], confidence=settings.confidence)
            for b in BIOMARKERS
        ]
        part = tabulate_six(
            level,
            settings,
            estimate=[entry.r for entry in found],
            low=[entry.low for entry in found],
            high=[entry.high for entry in found],
            p=[entry.p for entry in found],
            n_participants=[entry.n_participants for entry in found],
            n_runs=[entry.n_runs for entry in found],
            df=[entry.df for entry in found],
            note=[entry.note for entry in found],
        )
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _word_sides(
    measure: Measure, biomarker: Biomarker, pairs: Pairs, apart: LevelsApart, rows: dict[str, dict[Any, Any]]
) -> dict[str, Side]:
    from heliograph.charts.two_levels import Slope

    words = escape_plotly(measure.title, max_chars=40)
    means = apart.people[["x", "y"]].mean()
    within, between = apart.slope_within, apart.slope_between
    return {
        "within": Side(
            asked=ASKED["within"],
            title=f"{biomarker.title} within persons",
            lines=[f"beside {words}", "Score: <b>higher is worse</b>", _tell_r(rows["within"], pairs.one)],
            notes=[
                f"Point: one {pairs.one}, minus the person's own means",
                "Thin: each person · thick: all together",
            ],
            x_title=f"{words}, minus own mean",
            slope=Slope(within) if within == within else None,
        ),
        "between": Side(
            asked=ASKED["between"],
            title=f"{biomarker.title} between persons",
            lines=[f"beside {words}", "Score: <b>higher is worse</b>", _tell_r(rows["between"], pairs.one)],
            notes=[f"Dot: one person, the mean of their {pairs.one}s", "Line: least squares over the persons"],
            x_title=f"{words}, person's mean",
            slope=Slope(between, at_x=float(means["x"]), at_y=float(means["y"])) if between == between else None,
        ),
    }


def _tell_r(row: dict[Any, Any], one: str) -> str:
    n = f"n = {row['n_participants']} participants, {row['n_runs']} {one}s"
    if row["estimate"] != row["estimate"]:
        return f"{row['note']} · {n}"
    return f"r = {format_interval(row['estimate'], row['low'], row['high'])} · {n}"


def _tell_direction(measure: Measure) -> str:
    if measure.key == "energy_0_10":
        return "More energy is better and a higher score is worse: a negative r means that the two agree."
    if measure.key in SCALES:
        return "A positive r means that the two agree."
    return "Whether a positive r means agreement depends on what a high total means for this questionnaire."


def _word_six(measure: Measure, settings: StudySettings) -> SixWords:
    level = f"{100 * settings.confidence:g} %"
    return SixWords(
        title=f"Beside {measure.title}",
        lines=["Correlation r, from −1 to 1", f"with {level} intervals"],
        notes=[
            "Filled: within persons (repeated measures correlation)",
            "Hollow: between persons (correlation of their means)",
            f"p in the table: adjusted over six by {ADJUSTMENTS.get(settings.p_adjust, settings.p_adjust)}",
        ],
        units={"within": "<b>Within persons</b>", "between": "<b>Between persons</b>"},
        statistic="r",
        limits=(-1.05, 1.05),
    )
