"""The models of a cohort: what to compare, the button that fits them, and what they found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

import pandas as pd
import streamlit as st

from heliograph.analysis import adjust_p, compute_paired_change, fit_levels, fit_mixed_model
from heliograph.analysis.model_reports import ModelReport, tabulate_reports
from heliograph.analysis.multiplicity import ADJUSTMENTS
from heliograph.analysis.terms import PARTICIPANTS_NEEDED
from heliograph.store import CONTINUOUS_COLUMNS, LEVEL_COLUMNS, Sample, load_cohort_cells
from heliograph.ui.cohort_controls import CHOICE_PX
from heliograph.ui.cohort_data import CohortScene
from heliograph.ui.cohort_groups import load_cells
from heliograph.ui.cohort_model_tables import FittedModels, show_fitted
from heliograph.ui.cohort_patterns import load_runs_of
from heliograph.ui.cohort_words import name_groups
from thymia_api import BIOMARKERS

__all__ = ["show_models"]

FITTED_KEY = "cohorts_fitted"
GROUPS, PERIODS = "Two groups", "Two periods"
TITLES = {name: b.title for b in BIOMARKERS for name in (b.continuous, b.bucketed) if name}


@dataclass(frozen=True)
class Pair:
    """Two conditions or periods of the same participants: their cells, and the words for them."""

    before: pd.DataFrame
    after: pd.DataFrame
    words: str


@dataclass(frozen=True)
class Question:
    """What is fitted: the reference group, whether time counts, and the pair that is compared."""

    reference: str | None
    time: bool
    paired: str
    begin: str
    end: str


def show_models(scene: CohortScene) -> None:
    """Draw the choices, the button and the results of the last fit, as long as they answer these choices."""
    grouping = scene.choice.grouping
    cells = load_cells(scene, grouping, "none")
    if cells.empty:
        st.info("No results to fit a model to. Clear the filters, or choose others.")
        return
    titles = name_groups(grouping, _list_groups(cells, scene))
    if not titles:
        st.info(
            f"Every group has fewer than {scene.settings.small_group} participants: nothing may be shown of them."
        )
        return
    question = _ask(scene, cells, titles)
    asked = repr((scene.choice, scene.settings, question))
    if st.button("Fit the models", key="cohorts_fit", type="primary", icon=":material/calculate:"):
        st.session_state[FITTED_KEY] = (asked, _fit(scene, cells, titles, question))
    fitted = st.session_state.get(FITTED_KEY)
    if fitted is None:
        st.caption(
            "Fits a mixed model of each of the six scores, the change within participants, and a model of the"
            " levels. Takes a few seconds; with very many results up to a minute."
        )
    elif fitted[0] != asked:
        st.caption("The choices have changed since the models were fitted. Fit them again to see the results.")
    else:
        show_fitted(scene, fitted[1])


def _list_groups(cells: pd.DataFrame, scene: CohortScene) -> list[str]:
    people = cells.groupby("group")["participant_id"].nunique()
    return list(
        people.index[people >= scene.settings.small_group] if scene.settings.suppress_small else people.index
    )


def _ask(scene: CohortScene, cells: pd.DataFrame, titles: dict[str, str]) -> Question:
    """Draw the choices of the models."""
    compared = len(titles) > 1
    reference, weekly = None, scene.choice.grouping == "week"
    names = list(titles.values())
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        if compared:
            first = _find_reference(cells, titles)
            reference = _choose("Compare the groups with", names, first, "cohorts_reference")
        time = st.toggle(
            "Change per week",
            value=True,
            key="cohorts_time",
            bind="query-params",
            persist_state="session",
            disabled=weekly or not compared,
            help="Whether scores may rise or fall from week to week, in each group at its own rate.",
        )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        paired = PERIODS
        if compared:
            paired = st.segmented_control(
                "Change within participants between", (GROUPS, PERIODS), default=GROUPS, required=True,
                key="cohorts_paired", bind="query-params", persist_state="session",
            ) or GROUPS  # fmt: skip
        if paired == GROUPS:
            begin = _choose("From", names, 0, "cohorts_pair_from")
            end = _choose("To", names, 1, "cohorts_pair_to")
        else:
            begin = end = _choose_split(cells).isoformat()
    return Question(reference, not weekly and (time or not compared), paired, begin, end)


def _find_reference(cells: pd.DataFrame, titles: dict[str, str]) -> int:
    """The place of the first group that is large enough to be compared with; of the first one without any."""
    people = cells.groupby("group")["participant_id"].nunique()
    return next((place for place, group in enumerate(titles) if people[group] >= PARTICIPANTS_NEEDED), 0)


def _choose(label: str, offered: list[str], index: int, key: str) -> str:
    if st.session_state.get(key) not in (None, *offered):
        st.session_state.pop(key, None)
    return (
        st.selectbox(
            label, offered, index=index, key=key, bind="query-params", persist_state="session", width=CHOICE_PX
        )
        or offered[index]
    )


def _choose_split(cells: pd.DataFrame) -> date:
    first, last = cells["first_day"].min(), cells["last_day"].max()
    middle = (first + (last - first) / 2).date()
    chosen = st.date_input(
        "Change within participants from before this day to after", value=middle, key="cohorts_split",
        bind="query-params", persist_state="session", format="YYYY-MM-DD", width=360,
        help="The day itself belongs to the second period.",
        min_value=date(2000, 1, 1), max_value=date(2100, 1, 1),
    )  # fmt: skip
    return chosen if isinstance(chosen, date) else middle


def _fit(scene: CohortScene, cells: pd.DataFrame, titles: dict[str, str], question: Question) -> FittedModels:
    """Fit everything, with a bar that says what is being fitted."""
    rows, sample = load_runs_of(scene, scene.choice.grouping)
    rows = rows[rows["group"].isin(titles)].assign(group=lambda frame: frame["group"].map(titles))
    grouped = len(titles) > 1
    pair = _load_pair(scene, cells, titles, question)
    steps = len(CONTINUOUS_COLUMNS) + len(LEVEL_COLUMNS) + 1
    bar = st.progress(0.0, "Fitting…")
    mixed: list[ModelReport] = []
    for number, column in enumerate(CONTINUOUS_COLUMNS):
        bar.progress(number / steps, f"{TITLES[column]}: mixed model ({number + 1} of {steps})")
        mixed.append(_fit_one(fit_mixed_model, scene, rows, sample, column, question, grouped))
    levels: list[ModelReport] = []
    for number, column in enumerate(LEVEL_COLUMNS, start=len(CONTINUOUS_COLUMNS)):
        bar.progress(number / steps, f"{TITLES[column]}: levels ({number + 1} of {steps})")
        if grouped or question.time:
            levels.append(_fit_one(fit_levels, scene, rows, sample, column, question, grouped))
    bar.progress((steps - 1) / steps, f"Change within participants ({steps} of {steps})")
    paired = _compare(scene, pair)
    bar.empty()
    p_adjust = scene.settings.p_adjust
    return FittedModels(
        mixed=tabulate_reports(mixed, p_adjust=p_adjust),
        levels=tabulate_reports(levels, p_adjust=p_adjust),
        paired=paired,
        paired_words=pair.words,
        sample=sample,
    )


def _fit_one(
    fit: Callable[..., ModelReport],
    scene: CohortScene,
    rows: pd.DataFrame,
    sample: Sample,
    column: str,
    question: Question,
    grouped: bool,
) -> ModelReport:
    return fit(
        rows,
        column,
        group="group" if grouped else None,
        time=question.time,
        reference=question.reference if grouped else None,
        confidence=scene.settings.confidence,
        # Without hidden groups there are fewer rows than the sample has; what was drawn is told beside the tables.
        n_participants_total=None if scene.settings.suppress_small else sample.n_participants_total,
        n_runs_total=None if scene.settings.suppress_small else sample.n_runs_total,
    )


def _load_pair(scene: CohortScene, cells: pd.DataFrame, titles: dict[str, str], question: Question) -> Pair:
    if question.paired == GROUPS:
        groups = {title: group for group, title in titles.items()}
        before, after = (cells[cells["group"] == groups[name]] for name in (question.begin, question.end))
        return Pair(before, after, f"{question.end} minus {question.begin}")
    wanted, day = scene.choice.cohort_filter, question.begin
    first = replace(wanted, until_local=min(day, wanted.until_local or day))
    second = replace(wanted, since_local=max(day, wanted.since_local or day))
    before, after = (load_cohort_cells(scene.workspace.store, half) for half in (first, second))
    return Pair(before, after, f"From {date.fromisoformat(day):%d %b %Y} on, minus before")


def _tell_pair(n: int, note: str, pair: Pair) -> str:
    if n == 0 and len(pair.before) and len(pair.after):
        return f"No participant has results on both sides ({pair.words}). Two periods can be compared instead."
    return f"{note[:1].upper()}{note[1:]}." if note else ""


def _compare(scene: CohortScene, pair: Pair) -> pd.DataFrame:
    """The change of every score within the participants who have both, as one table."""
    found = []
    before, after = pair.before.set_index("participant_id"), pair.after.set_index("participant_id")
    for column in CONTINUOUS_COLUMNS:
        change = compute_paired_change(before[column], after[column], confidence=scene.settings.confidence)
        both = before.index[before[column].notna()].intersection(after.index[after[column].notna()])
        found.append(
            {
                "column": column,
                "term": pair.words,
                "estimate": change.mean_change,
                "low": change.low,
                "high": change.high,
                "d_z": change.d_z,
                "hedges_g_av": change.hedges_g_av,
                "p": change.p,
                "n_participants": change.n,
                "n_runs": int(before.loc[both, "n_runs"].sum() + after.loc[both, "n_runs"].sum()),
                "n_unpaired": change.n_unpaired,
                "method": change.method,
                "problems": _tell_pair(change.n, change.note, pair),
            }
        )
    table = pd.DataFrame(found)
    method = scene.settings.p_adjust
    tests = int(table["p"].notna().sum())
    told = f"{ADJUSTMENTS[method]} over {tests} tests" if tests else ""
    return table.assign(p_adjusted=adjust_p(table["p"], method).to_numpy(), p_method=told)
