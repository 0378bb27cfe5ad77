"""The heat map of a cohort: how far each participant's weeks lie from their own baseline, in the order and on the
page that one chooses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from heliograph.analysis.baseline import MIN_BASELINE_RUNS
from heliograph.charts import Mode
from heliograph.charts.cohort_frame import count_of
from heliograph.charts.cohort_heat import ROWS_SHOWN, plot_cohort_heat
from heliograph.store import StudySettings, load_cohort_deviations
from heliograph.ui.cohort_controls import CHOICE_PX
from heliograph.ui.cohort_data import CohortScene, remember, tell_hidden
from heliograph.ui.cohort_groups import show_nothing_found
from heliograph.ui.figures import show_chart
from thymia_api import Biomarker

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["show_heat"]

LARGEST, BY_LABEL = "Largest change first", "By label"
PAGE_KEY = "cohorts_page"
PAGES_PX = 340  # As wide as its content, Streamlit leaves numbers out; this much a phone has.
PARTICIPANTS_READ = 2_000  # They take a second or two, and are kept for a minute.


def show_heat(scene: CohortScene) -> None:
    """Participants by weeks, against each one's own baseline."""
    settings = scene.settings
    deviations, total = _load(scene)
    if deviations.empty:
        show_nothing_found(scene)
        return
    if settings.suppress_small and total < settings.small_group:
        tell_hidden(1, "group", settings)
        return
    needed = count_needed(settings)
    rows = deviations[deviations["n_baseline"] >= needed].rename(
        columns={scene.choice.biomarker.continuous: "value"}
    )
    rows = rows[rows["value"].notna()]
    if rows.empty:
        best = int(deviations["n_baseline"].max())
        st.info(
            f"Not enough results for a baseline yet: the participant with most has {best} of {needed}."
            " A baseline can be set in Settings."
        )
        return
    if settings.suppress_small:
        rows = rows.assign(participant=(pd.factorize(rows["participant_id"])[0] + 1).astype(str))
    n_read = deviations["participant_id"].nunique()
    if n_read < total:
        st.caption(
            f"The first {n_read:,} of {total:,} participants by label are considered; filters bring the others."
        )
    n_people = rows["participant_id"].nunique()
    _show_chart(scene, rows, n_without=n_read - n_people, n_people=n_people)


def count_needed(settings: StudySettings) -> int:
    """Results that a baseline needs: those of Settings, or for dated ones as many as everywhere else."""
    return settings.baseline_runs if settings.baseline_until is None else MIN_BASELINE_RUNS


def sort_by_change(rows: pd.DataFrame) -> pd.DataFrame:
    """Participants with the largest change in any week, up or down, first; each one's rows stay together."""
    largest = rows["value"].abs().groupby(rows["participant_id"]).transform("max")
    order = pd.DataFrame({"largest": -largest, "place": pd.factorize(rows["participant_id"])[0]})
    return rows.loc[order.sort_values(["largest", "place"], kind="stable").index]


def _load(scene: CohortScene) -> tuple[pd.DataFrame, int]:
    settings = scene.settings
    return remember(
        "deviations",
        scene,
        lambda: load_cohort_deviations(
            scene.workspace.store, scene.choice.cohort_filter, baseline_runs=settings.baseline_runs,
            baseline_from=settings.baseline_from, baseline_until=settings.baseline_until,
            repeat_window_min=settings.repeat_window_min, limit_participants=PARTICIPANTS_READ,
        ),
    )  # fmt: skip


def _show_chart(scene: CohortScene, rows: pd.DataFrame, *, n_people: int, n_without: int) -> None:
    biomarker, settings = scene.choice.biomarker, scene.settings
    order, page = _choose_rows(n_people)
    if order == LARGEST:
        rows = sort_by_change(rows)
    about = scene.make_about()
    baseline_runs = settings.baseline_runs if settings.baseline_until is None else None

    def make(mode: Mode) -> go.Figure:
        return plot_cohort_heat(
            rows, biomarker=biomarker, begin=(page - 1) * ROWS_SHOWN, without_baseline=n_without, order=order,
            baseline_runs=baseline_runs, about=about, mode=mode,
        )  # fmt: skip

    show_chart(
        make, key="cohorts_heat", numbers=_make_numbers(rows, biomarker, scene),
        file_name="heliograph-cohort-deviations",
        alt=f"{biomarker.title}: change from the own baseline by week for {count_of(n_people, 'participant')},"
        f" {ROWS_SHOWN} at a time; the CSV has the numbers of all",
    )  # fmt: skip


def _choose_rows(n_people: int) -> tuple[str, int]:
    """Draw the order and, where there are more participants than rows, the pages."""
    n_pages = -(-n_people // ROWS_SHOWN)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        order = st.selectbox(
            "Order",
            (LARGEST, BY_LABEL),
            key="cohorts_order",
            bind="query-params",
            persist_state="session",
            width=CHOICE_PX + 30,
        )
        if n_pages == 1:
            return order, 1
        if not 1 <= st.session_state.get(PAGE_KEY, 1) <= n_pages:
            del st.session_state[PAGE_KEY]
        page = st.pagination(n_pages, key=PAGE_KEY, bind="query-params", persist_state="session", width=PAGES_PX)
    return order, page


def _make_numbers(rows: pd.DataFrame, biomarker: Biomarker, scene: CohortScene) -> pd.DataFrame:
    numbers = rows[["participant_id", "week", "n_runs", "n_baseline", "value"]].rename(
        columns={"value": "deviation"}
    )
    if scene.settings.suppress_small:
        numbers = numbers.assign(participant_id=rows["participant"])
    return numbers.assign(biomarker=biomarker.continuous)
