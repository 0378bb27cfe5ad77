"""Choosing a participant and showing all their runs. The address names them by number, never by label."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from heliograph.charts import compute_trend_counts
from heliograph.runs.flags import refresh_participant_flags
from heliograph.store import (
    Participant,
    RunFilter,
    Store,
    StoreError,
    UnknownRecordError,
    load_events,
    load_flags,
    load_participant,
    load_runs,
    load_study_settings,
    load_trend,
    search_participants,
)
from heliograph.ui.formats import format_local, plain_line
from heliograph.ui.frame import show_disclaimer
from heliograph.ui.query import clear_param, read_id
from heliograph.ui.trend_changes import show_breaks, show_changes, show_person_changes
from heliograph.ui.trend_events import choose_events, show_events
from heliograph.ui.trend_figure import PARTS, make_layers, show_figure
from heliograph.ui.trend_flags import show_flags, show_trend_notice
from heliograph.ui.trend_method import show_method
from heliograph.ui.trend_noise import load_noise_floor
from heliograph.ui.trend_reading import judge_recordings, read_slope, read_trend
from heliograph.ui.trend_verdict import make_verdict, show_verdict
from heliograph.ui.workspace import Workspace, get_workspace
from thymia_api import BIOMARKERS, Biomarker

__all__ = ["show_trends"]

RANGES: dict[str, int | None] = {"30 days": 30, "60 days": 60, "90 days": 90, "All": None}
OFFERED = 200
ADJUST = "Adjusted for sleep, hours awake and time of day"


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
        "Range",
        list(RANGES),
        default="All",
        required=True,
        key="trends_range",
        bind="query-params",
        persist_state="session",
    )
    days = RANGES.get(chosen or "All")
    return f"{date.today() - timedelta(days=days)}T00:00:00" if days else None


def show_no_participants() -> None:
    """What stands in an empty workspace."""
    with st.container(border=True):
        st.markdown("**No participants yet.** A trend begins with the first session.")
        if st.button("Record a session", key="trends_record", type="primary", icon=":material/mic:"):
            st.switch_page("record.py")


@st.fragment
def show_trends() -> None:
    """Draw the page below its head. Whatever is chosen draws this part anew and nothing else."""
    _show_body(get_workspace())
    show_trend_notice()  # Last: a run that is broken off before it leaves the notice to the one that follows.


def _show_body(workspace: Workspace) -> None:
    with st.container(key="trends_body"):
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            participant = choose_trend_participant(workspace.store)
            if participant is not None:
                biomarker = _choose_biomarker()
                since_local = choose_range()
        if participant is None:
            show_no_participants()
            return
        _show_participant(workspace, participant, biomarker, since_local)
        show_disclaimer()


def _show_participant(
    workspace: Workspace, participant: Participant, biomarker: Biomarker, since_local: str | None
) -> None:
    store = workspace.store
    frame = load_trend(store, participant.id)
    shown = frame[frame["session_local"] >= since_local] if since_local else frame
    if shown.empty:
        _show_empty(store, participant)
        return
    with suppress(StoreError):  # the worker finds them later; a full disk must not hide the trend
        refresh_participant_flags(store, participant.id)
    settings, flags = load_study_settings(store), load_flags(store, participant.id)
    events = load_events(store, participant.id)
    verdict_place = st.container()
    row = st.container(horizontal=True, vertical_alignment="center", gap="medium")
    buckets, adjust, parts = _choose_view(row, biomarker)
    reading = read_trend(frame, biomarker, settings, adjust=adjust)
    dismissed = {(flag.column_name, flag.run_id) for flag in flags if flag.dismissed_utc is not None}
    with verdict_place:
        if len(reading.results):
            show_verdict(make_verdict(reading, participant.label, date.today(), dismissed=dismissed))
            show_person_changes(reading.breaks, date.today())
    with row:
        show_method(reading, biomarker)
    counts = compute_trend_counts(shown)
    if counts.in_progress:
        st.caption(f"{counts.in_progress} more under way; not in the figure yet.")
    if reading.adjusted is not None and reading.adjusted.problem is not None:
        st.caption(f"Not adjusted: {reading.adjusted.problem}.")
    floor = load_noise_floor(store, reading.results, biomarker.continuous, settings)
    layers = make_layers(
        reading, biomarker, slope=read_slope(reading, since_local), floor=floor,
        flags=flags, events=choose_events(events), parts=parts,
    )  # fmt: skip
    drawn = shown.assign(quality=judge_recordings(shown))
    show_figure(workspace, participant, drawn, reading, biomarker, layers, buckets=buckets)
    show_flags(flags)
    show_changes(store, reading, biomarker)
    show_breaks(reading.breaks)
    show_events(participant.id, events)


def _choose_biomarker() -> Biomarker:
    titles = {biomarker.title: biomarker for biomarker in BIOMARKERS}
    chosen = st.selectbox(
        "Shown large",
        list(titles),
        key="trends_biomarker",
        bind="query-params",
        persist_state="session",
        width=200,
    )
    return titles.get(chosen or "", BIOMARKERS[0])


def _choose_view(row: DeltaGenerator, biomarker: Biomarker) -> tuple[bool, bool, list[str]]:
    """Levels or scores, adjusted or not, and what is drawn besides."""
    with row:
        buckets = st.toggle(
            "Levels instead of scores", key="trends_levels", bind="query-params", persist_state="session"
        )
        adjust = st.toggle(
            ADJUST,
            key="trends_adjusted",
            bind="query-params",
            persist_state="session",
            disabled=buckets and biomarker.bucketed is not None,
        )
        with st.popover("In the figure", icon=":material/layers:", type="tertiary"):
            parts = st.pills(
                "Shown besides the runs", PARTS, default=list(PARTS), selection_mode="multi", key="trends_parts",
                persist_state="session",
            )  # fmt: skip
    return buckets, adjust, list(parts or [])


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
