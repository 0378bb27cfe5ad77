"""The views beside the groups' means: shares of levels, and how the biomarkers move together within persons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from heliograph.analysis import compute_within_correlations, mark_small
from heliograph.charts import LEVEL_NAMES, Mode
from heliograph.charts.cohort_correlations import plot_cohort_correlations
from heliograph.charts.cohort_frame import count_of
from heliograph.charts.cohort_levels import compute_level_shares, plot_level_shares, plot_level_weeks
from heliograph.store import (
    CONTINUOUS_COLUMNS,
    Sample,
    load_cohort_levels,
    load_cohort_people,
    load_cohort_runs,
)
from heliograph.ui.cohort_data import CohortScene, hide_small, remember, tell_hidden
from heliograph.ui.cohort_groups import show_nothing_found
from heliograph.ui.cohort_words import name_groups, title_of_grouping
from heliograph.ui.figures import show_chart
from thymia_api import BIOMARKERS, Biomarker

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["RUNS_LIMIT", "load_runs_of", "show_correlations", "show_levels", "tell_sample"]

RUNS_LIMIT = 20_000
TITLES = {biomarker.continuous: biomarker.title for biomarker in BIOMARKERS}


def show_levels(scene: CohortScene) -> None:
    """Shares of the four levels, by group and by week."""
    biomarker = scene.choice.biomarker
    grouping = scene.choice.grouping
    overall = _load_shares(scene, biomarker, grouping, weekly=False)
    if overall.empty:
        show_nothing_found(scene)
        return
    _show_level_chart(scene, biomarker, overall, grouping, weekly=False)
    if grouping != "week":
        by_week = _load_shares(scene, biomarker, grouping, weekly=True)
        _show_level_chart(scene, biomarker, by_week, grouping, weekly=True)


def show_correlations(scene: CohortScene) -> None:
    """How the six biomarkers move together within persons."""
    rows, sample = load_runs_of(scene, "none")
    if rows.empty:
        show_nothing_found(scene)
        return
    found = compute_within_correlations(rows, CONTINUOUS_COLUMNS, confidence=scene.settings.confidence)
    marked = mark_small(found, scene.settings.small_group)
    shown = hide_small(marked, scene.settings)
    tell_hidden(len(marked) - len(shown), "pair", scene.settings)
    tell_sample(sample)
    if shown["r"].notna().sum() == 0:
        if notes := [str(note) for note in shown["note"] if note]:
            st.info(f"No correlation can be computed: {notes[0]}.")
        return
    about = scene.make_about()
    confidence = scene.settings.confidence

    def make(mode: Mode) -> go.Figure:
        return plot_cohort_correlations(shown, confidence=confidence, about=about, mode=mode)

    show_chart(
        make, key="cohorts_correlations", numbers=shown, file_name="heliograph-cohort-correlations",
        alt="Within-person correlations of the six biomarkers; the table below has every number",
    )  # fmt: skip
    _show_correlation_table(shown, confidence)


def load_runs_of(scene: CohortScene, grouping: str) -> tuple[pd.DataFrame, Sample]:
    """Single results for a model, of a seeded sample of whole participants where there are very many."""
    store, wanted = scene.workspace.store, scene.choice.cohort_filter
    return remember(
        "runs", scene, lambda: load_cohort_runs(store, wanted, group=grouping, limit=RUNS_LIMIT), grouping=grouping
    )


def tell_sample(sample: Sample) -> None:
    """Say how many participants were drawn, where not all of them are used."""
    if sample.sampled:
        st.caption(
            f"Computed from a random sample of {sample.n_participants:,} of {sample.n_participants_total:,}"
            f" participants with all their results ({sample.n_runs:,} of {sample.n_runs_total:,});"
            " it is the same each time."
        )


def _load_shares(scene: CohortScene, biomarker: Biomarker, grouping: str, *, weekly: bool) -> pd.DataFrame:
    """Shares by group, or by group and week; runs of both are counted from the same weeks."""
    store, wanted = scene.workspace.store, scene.choice.cohort_filter
    levels = remember(
        "levels",
        scene,
        lambda: load_cohort_levels(store, wanted, group=grouping, period="week"),
        grouping=grouping,
    )
    period = "week" if weekly else "none"
    people = remember(
        f"people {period}",
        scene,
        lambda: load_cohort_people(store, wanted, group=grouping, period=period),
        grouping=grouping,
    )
    shares = compute_level_shares(levels, people, biomarker.bucketed or "", weekly=weekly)
    return mark_small(shares, scene.settings.small_group)


def _show_level_chart(
    scene: CohortScene, biomarker: Biomarker, marked: pd.DataFrame, grouping: str, *, weekly: bool
) -> None:
    counts = hide_small(marked, scene.settings)
    one, many = ("week of a group", "weeks of a group") if weekly else ("group", "groups")
    tell_hidden((len(marked) - len(counts)) // len(LEVEL_NAMES), one, scene.settings, many=many)
    if counts.empty:
        return
    titles = name_groups(grouping, counts["group"])
    about = scene.make_about()
    plot = plot_level_weeks if weekly else plot_level_shares

    def make(mode: Mode) -> go.Figure:
        return plot(
            counts, titles, biomarker=biomarker, grouping_title=title_of_grouping(grouping), about=about, mode=mode
        )

    show_chart(
        make, key=f"cohorts_levels_{'weeks' if weekly else 'groups'}",
        numbers=counts.assign(biomarker=biomarker.bucketed, grouping=grouping),
        file_name=f"heliograph-cohort-levels{'-by-week' if weekly else ''}",
        alt=f"{biomarker.title}: shares of the four levels {'by week ' if weekly else ''}in"
        f" {count_of(len(titles), 'group')}; the CSV has the numbers",
    )  # fmt: skip


def _show_correlation_table(found: pd.DataFrame, confidence: float) -> None:
    table = pd.DataFrame(
        {
            "Biomarkers": [f"{TITLES[row.a]} – {TITLES[row.b].lower()}" for row in found.itertuples()],
            "r": found["r"].to_numpy(),
            f"{confidence:.0%} interval": [
                "–" if pd.isna(row.low) else f"{row.low:.2f} to {row.high:.2f}" for row in found.itertuples()
            ],
            "df": found["df"].to_numpy(),
            "Participants": found["n_participants"].to_numpy(),
            "Results": found["n_runs"].to_numpy(),
            "Note": [
                "; ".join([*(["small group"] if row.small else []), *([row.note] if row.note else [])])
                for row in found.itertuples()
            ],
        }
    )
    with st.expander("Numbers as a table", key="cohorts_correlations_table", icon=":material/table:"):
        st.dataframe(
            table, hide_index=True, column_config={"r": st.column_config.NumberColumn(format="%.2f")},
            placeholder="–", alt="Pairs of biomarkers with their within-person correlation",
        )  # fmt: skip
