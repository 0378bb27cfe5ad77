"""Choosing a participant and showing all their runs. The address names them by number, never by label."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import streamlit as st

from heliograph.charts import compute_trend_counts, plot_trend, write_trend_csv
from heliograph.store import (
    Participant,
    RunFilter,
    Store,
    UnknownRecordError,
    load_participant,
    load_runs,
    search_participants,
)
from heliograph.ui.formats import format_local, plain_line
from heliograph.ui.query import clear_param, read_id
from heliograph.ui.run_table import count_opened, open_run
from heliograph.ui.theme import get_mode, show_figure
from heliograph.ui.workspace import Workspace

__all__ = ["choose_range", "choose_trend_participant", "show_no_participants", "show_trend"]

RANGES: dict[str, int | None] = {"30 days": 30, "60 days": 60, "90 days": 90, "All": None}
OFFERED = 200


def choose_trend_participant(store: Store) -> Participant | None:
    """Draw the picker; None when there is nobody in the workspace."""
    offered = search_participants(store, limit=OFFERED)
    current = _load_addressed(store)
    if current is not None and current.id not in {person.id for person in offered}:
        offered = [current, *offered]
    if not offered:
        return None
    people = {person.id: person for person in offered}
    key = "trends_participant"
    if current is not None and st.session_state.get(key) != current.id:
        st.session_state[key] = current.id
    elif st.session_state.get(key, 0) not in people:
        st.session_state.pop(key, None)
    chosen = st.selectbox(
        "Participant",
        list(people),
        format_func=lambda number: plain_line(people[number].label) if number in people else str(number),
        key=key,
        on_change=_address_choice,
        persist_state="session",
        width=320,
        help="Type to search."
        if len(offered) < OFFERED
        else f"The first {OFFERED} are offered; search in Runs for others.",
    )
    if chosen is None:
        return None
    clear_param("run")  # Streamlit leaves it here when one goes back from a run.
    if read_id("participant") != chosen:
        st.query_params["participant"] = str(chosen)
    return people.get(chosen)


def choose_range() -> str | None:
    """Draw the ranges; returns the first wall time that is shown, None for all."""
    chosen = st.segmented_control(
        "Range", list(RANGES), default="All", required=True, key="trends_range", bind="query-params"
    )
    days = RANGES.get(chosen or "All")
    return f"{date.today() - timedelta(days=days)}T00:00:00" if days else None


def show_no_participants() -> None:
    """What stands in an empty workspace."""
    with st.container(border=True):
        st.markdown("**No participants yet.** A trend begins with the first session.")
        if st.button("Record a session", key="trends_record", type="primary", icon=":material/mic:"):
            st.switch_page("record.py")


def show_trend(workspace: Workspace, participant: Participant, frame: pd.DataFrame, *, buckets: bool) -> None:
    """Draw the figure of a trend frame with its CSV; a click on a point opens the run."""
    if frame.empty:
        _show_empty(workspace.store, participant)
        return
    counts = compute_trend_counts(frame)
    if counts.in_progress:
        st.caption(f"{counts.in_progress} more under way; not in the figure yet.")
    figure = plot_trend(
        frame,
        participant_label=participant.label,
        workspace=workspace.name,
        synthetic=workspace.synthetic,
        drawn_on=date.today(),
        mode=get_mode(),
        buckets=buckets,
    )
    clicked = show_figure(
        figure, key=f"trends_figure_{participant.id}_{count_opened()}",
        alt=f"Six biomarkers over time: {counts.results} results, {counts.without_result} sessions without",
    )  # fmt: skip
    if clicked is not None:
        open_run(clicked)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Click a point to open its run.", width="content")
        st.download_button(
            "Download CSV", write_trend_csv(frame), file_name=f"heliograph-trend-{participant.id}.csv",
            mime="text/csv", key="trends_csv", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        st.page_link(
            "runs.py", label="These runs as a list", icon=":material/list:",
            query_params={"participant": str(participant.id)},
        )  # fmt: skip


def _show_empty(store: Store, participant: Participant) -> None:
    newest = load_runs(store, RunFilter(participant_label=participant.label), limit=1)
    if not newest:
        st.info("No runs yet for this participant. Record a session to begin the trend.")
        return
    day = format_local(newest[0].session_local)
    st.info(f"No sessions in this range. The newest one was on {day}; choose a longer range.")


def _load_addressed(store: Store) -> Participant | None:
    number = read_id("participant")
    if number is None:
        return None
    try:
        return load_participant(store, number)
    except UnknownRecordError:
        clear_param("participant")
        return None


def _address_choice() -> None:
    st.query_params["participant"] = str(st.session_state["trends_participant"])
