"""The views that compare groups: participant means side by side, and week by week."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from heliograph.analysis import compute_group_summary, compute_group_trajectory, mark_small
from heliograph.charts import Mode
from heliograph.charts.cohort_frame import count_of
from heliograph.charts.cohort_groups import plot_cohort_groups
from heliograph.charts.cohort_weeks import LINES_SHOWN, plot_cohort_weeks
from heliograph.store import load_cohort_cells
from heliograph.ui.cohort_data import CohortScene, add_labels, hide_small, remember, tell_hidden
from heliograph.ui.cohort_words import name_groups, title_of_grouping
from heliograph.ui.figures import show_chart
from heliograph.ui.markup import escape
from thymia_api import Biomarker

if TYPE_CHECKING:
    import plotly.graph_objects as go

__all__ = ["load_cells", "show_groups", "show_nothing_found", "show_weeks"]

LABELS_LOADED = 5000
OPENED_KEY = "cohorts_opened"


def show_groups(scene: CohortScene) -> None:
    """Participant means by group, with each group's mean and interval."""
    biomarker = scene.choice.biomarker
    grouping = scene.choice.grouping
    cells = load_cells(scene, grouping, "none")
    means = cells.rename(columns={biomarker.continuous: "value"}).dropna(subset=["value"])
    if means.empty:
        show_nothing_found(scene)
        return
    confidence = scene.settings.confidence
    marked = mark_small(
        compute_group_summary(cells, biomarker.continuous, confidence=confidence), scene.settings.small_group
    )
    summary = hide_small(marked, scene.settings)
    tell_hidden(len(marked) - len(summary), "group", scene.settings)
    if summary.empty:
        return
    means = means[means["group"].isin(summary["group"])]
    titles = name_groups(grouping, summary["group"])
    _say_what_is_missing(means, titles, grouping)
    labelled = add_labels(means, scene, LABELS_LOADED)
    about = scene.make_about()

    def make(mode: Mode) -> go.Figure:
        return plot_cohort_groups(
            labelled, summary, titles, biomarker=biomarker, grouping_title=scene.choice.grouping_title,
            confidence=confidence, about=about, mode=mode,
        )  # fmt: skip

    clicked = show_chart(
        make, key=f"cohorts_groups_{_count_opened()}", clickable=True,
        alt=f"{biomarker.title}: means of {count_of(means['participant_id'].nunique(), 'participant')} in"
        f" {count_of(len(titles), 'group')}, each with its mean and interval. The table below has the numbers.",
        numbers=_make_group_numbers(summary, means, biomarker, scene), file_name="heliograph-cohort-groups",
    )  # fmt: skip
    _open_participant(clicked)
    if not scene.settings.suppress_small:
        st.caption("Click a dot to open that participant's trend.")
    _show_group_table(summary, titles, confidence)


def show_weeks(scene: CohortScene) -> None:
    """Every participant's weeks, with each group's weekly mean and interval."""
    biomarker = scene.choice.biomarker
    grouping = scene.choice.grouping
    if grouping == "week":
        st.caption("Weeks are the time axis here, so all participants are shown as one group.")
        grouping = "none"
    cells = load_cells(scene, grouping, "week")
    points = cells.rename(columns={biomarker.continuous: "value"}).dropna(subset=["value"])
    if points.empty:
        show_nothing_found(scene)
        return
    confidence = scene.settings.confidence
    marked = mark_small(
        compute_group_trajectory(cells, biomarker.continuous, confidence=confidence), scene.settings.small_group
    )
    trajectory = hide_small(marked, scene.settings)
    tell_hidden(len(marked) - len(trajectory), "week of a group", scene.settings, many="weeks of a group")
    if trajectory.empty:
        return
    points = points.merge(trajectory[["group", "period"]], on=["group", "period"])
    titles = name_groups(grouping, trajectory["group"])
    _say_what_is_missing(points, titles, grouping)
    labelled = add_labels(points, scene, LINES_SHOWN)
    about = scene.make_about()

    def make(mode: Mode) -> go.Figure:
        return plot_cohort_weeks(
            labelled, trajectory, titles, biomarker=biomarker, grouping_title=title_of_grouping(grouping),
            confidence=confidence, about=about, mode=mode,
        )  # fmt: skip

    clicked = show_chart(
        make, key=f"cohorts_weeks_{_count_opened()}", clickable=True,
        alt=f"{biomarker.title} by week: {count_of(points['participant_id'].nunique(), 'participant')} and"
        f" the means of {count_of(len(titles), 'group')} with intervals",
        numbers=_make_group_numbers(trajectory, points, biomarker, scene), file_name="heliograph-cohort-weeks",
    )  # fmt: skip
    _open_participant(clicked)


def show_nothing_found(scene: CohortScene) -> None:
    """What stands where no result passes the filters."""
    if scene.choice.chosen:
        st.info("No results match these filters. Clear them, or choose others.")
    else:
        st.info("No results with this score yet.")


def load_cells(scene: CohortScene, grouping: str, period: str) -> pd.DataFrame:
    """The store's cells of the chosen results, shared by all views that count participants."""
    store, wanted = scene.workspace.store, scene.choice.cohort_filter
    return remember(
        f"cells {period}",
        scene,
        lambda: load_cohort_cells(store, wanted, group=grouping, period=period),
        grouping=grouping,
    )


def _say_what_is_missing(means: pd.DataFrame, titles: dict[str, str], grouping: str) -> None:
    people = means["participant_id"].nunique()
    if people == 1:
        st.info(
            "Only one participant has results here: one person's mean has no interval and no group to compare."
        )
    elif grouping != "none" and len(titles) == 1:
        only = escape(next(iter(titles.values())))
        st.info(f"All results fall into one group ({only}): there is nothing to compare it with.")
    elif means.groupby("participant_id")["group"].nunique().max() > 1:
        st.caption(
            "The same participants stand in several groups, so the groups are not independent of each other."
            " *Models* compares them within participants."
        )


def _make_group_numbers(
    summary: pd.DataFrame, means: pd.DataFrame, biomarker: Biomarker, scene: CohortScene
) -> pd.DataFrame:
    """Groups first, then participants (by number, never by label), as rows of one frame. Where small groups are
    suppressed a single person's row is the smallest group of all, and stays out."""
    groups = summary.assign(row="group").drop(columns=["needed"], errors="ignore")
    people = means.assign(row="participant", mean=means["value"])
    wanted = ["row", "group", "period", "participant_id", "n_runs", "mean"]
    people = people[[name for name in wanted if name in people.columns and (name != "period" or name in groups)]]
    frame = groups if scene.settings.suppress_small else pd.concat([groups, people], ignore_index=True)
    if "participant_id" in frame:
        frame = frame.astype({"participant_id": "Int64", "n_participants": "Int64"})
    first = ["row", "grouping", "group", "period", "participant_id", "biomarker"]
    frame = frame.assign(
        biomarker=biomarker.continuous, grouping=scene.choice.grouping, confidence=scene.settings.confidence
    )
    return frame[[name for name in first if name in frame] + [name for name in frame if name not in first]]


def _show_group_table(summary: pd.DataFrame, titles: dict[str, str], confidence: float) -> None:
    rows = summary.set_index("group").reindex(list(titles))
    table = pd.DataFrame(
        {
            "Group": list(titles.values()),
            "Participants": rows["n_participants"].astype(int).to_numpy(),
            "Results": rows["n_runs"].astype(int).to_numpy(),
            "Mean": rows["mean"].to_numpy(),
            f"{confidence:.0%} interval": [_write_interval(row) for row in rows.to_dict("records")],
            "Spread (SD)": rows["sd"].to_numpy(),
            "Note": [_write_note(row) for row in rows.to_dict("records")],
        }
    )
    score = st.column_config.NumberColumn(format="%.2f")
    with st.expander("Numbers as a table", key="cohorts_groups_table", icon=":material/table:"):
        st.dataframe(
            table, hide_index=True, column_config={"Mean": score, "Spread (SD)": score}, placeholder="–",
            alt="Groups with participants, results, mean and interval",
        )  # fmt: skip


def _write_interval(row: dict[str, float]) -> str:
    return "–" if pd.isna(row["low"]) else f"{row['low']:.2f} to {row['high']:.2f}"


def _write_note(row: dict[str, object]) -> str:
    parts = ["small group"] if row["small"] else []
    return "; ".join([*parts, str(row["note"])] if row["note"] else parts)


def _count_opened() -> int:
    opened: int = st.session_state.get(OPENED_KEY, 0)
    return opened


def _open_participant(participant_id: int | None) -> None:
    if participant_id is not None:
        # Part of the figures' keys: one that kept its selection would open the same trend again on the way back.
        st.session_state[OPENED_KEY] = _count_opened() + 1
        st.switch_page("trends.py", query_params={"participant": str(participant_id)})
