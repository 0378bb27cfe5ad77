"""The panels of the overview: counts, what needs attention, latest results, first steps in an empty workspace."""

from __future__ import annotations

import streamlit as st

from heliograph.store import Flag, Overview, RunRow, RunState, count_open_flags, load_open_flags, load_overview
from heliograph.ui import messages
from heliograph.ui.formats import format_local, format_until, format_utc, plain_line
from heliograph.ui.frame import show_disclaimer
from heliograph.ui.run_actions import dismiss_run, show_saved_notice
from heliograph.ui.run_table import open_run, show_run_table
from heliograph.ui.trend_flags import describe_flags, open_trend
from heliograph.ui.workspace import Workspace, get_workspace

__all__ = ["show_overview"]

TICK_S = 3.0
# A run that waits for a participant may do so for days: it is no reason to redraw the page.
MOVING = (RunState.QUEUED, RunState.CREATED, RunState.UPLOADING, RunState.RUNNING)
TILE_PX = 168
ATTENTION_ROWS = 5
DRIFT_FLAGS = 60


def show_overview(workspace: Workspace) -> None:
    """Draw the overview; it updates by itself while a run is moving, and is still otherwise."""
    overview = load_overview(workspace.store)
    show_saved_notice()
    if not overview.n_runs:
        _show_first_steps(workspace)
        return
    st.fragment(_draw, run_every=TICK_S if _count(overview, *MOVING) else None)(
        ticking=_count(overview, *MOVING) > 0
    )


def _draw(*, ticking: bool) -> None:
    overview = load_overview(get_workspace().store)
    if ticking and not _count(overview, *MOVING):
        st.rerun()  # Removes the timer.
    _show_tiles(overview)
    _show_attention(overview)
    st.subheader("Latest results", anchor=False)
    if overview.latest_results:
        show_run_table(overview.latest_results, key="overview_results", results_only=True)
        st.caption(f"{messages.HIGHER_IS_WORSE} Click a row to open its run.")
        show_disclaimer()
    else:
        st.caption("No results yet. They appear here as soon as a run is complete.")
    _show_deletions(overview)


def _show_tiles(overview: Overview) -> None:
    waiting = _count(overview, RunState.WAITING)
    tiles = [
        ("Participants", overview.n_participants, None),
        ("Recordings", overview.n_recordings, None),
        ("Results", _count(overview, RunState.COMPLETE_OK), None),
        ("In progress", _count(overview, *MOVING), _break_down(overview)),
        ("Waiting", waiting, "Activities whose link the participant has not used yet."),
        ("No result", _count(overview, RunState.COMPLETE_ERROR), "The recording could not be scored."),
        ("Not carried out", _count(overview, RunState.FAILED), "The run ended before it was scored."),
    ]
    with st.container(horizontal=True, key="overview_tiles"):
        for label, value, explanation in tiles:
            st.metric(label, f"{value:,}", border=True, width=TILE_PX, help=explanation)


def _show_attention(overview: Overview) -> None:
    store = get_workspace().store
    n_flags = count_open_flags(store)
    if not overview.n_attention and not n_flags:
        return
    st.subheader(f"Needs attention ({overview.n_attention + n_flags:,})", anchor=False)
    shown = overview.attention[:ATTENTION_ROWS]
    for row in shown:
        with st.container(border=True, key=f"overview_attention_{row.id}"):
            _show_attention_row(row)
    if overview.n_attention > len(shown):
        st.caption(f"The newest {len(shown)} are shown. Dismiss or retry them to see the others.")
    if n_flags:
        _show_drifts(load_open_flags(store, DRIFT_FLAGS), n_flags)


def _show_attention_row(row: RunRow) -> None:
    problem = messages.describe_run_problem(row)
    words = messages.describe_state(row.state)
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(width="stretch", gap="xsmall"):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.badge(words.name, icon=words.icon, color=words.colour)  # type: ignore[arg-type]  # a name of theirs
                whose = plain_line(row.participant_label)
                st.text(f"Run {row.id} · {whose} · {format_local(row.session_local)}", width="content")
            if problem:
                st.markdown(f"{problem.what} **{problem.action}**")
            elif row.last_problem:
                st.markdown(messages.describe_retrying(row.last_problem))
        with st.container(horizontal=True, width="content"):
            if st.button("Open", key=f"overview_open_{row.id}", icon=":material/arrow_forward:"):
                open_run(row.id)
            if st.button("Dismiss", key=f"overview_dismiss_{row.id}", icon=":material/done:"):
                dismiss_run(row.id)


def _show_drifts(flags: list[Flag], n_flags: int) -> None:
    """One row a participant, in the order of their newest flag."""
    people: dict[int, list[Flag]] = {}
    for flag in flags:
        people.setdefault(flag.participant_id, []).append(flag)
    for participant_id in list(people)[:ATTENTION_ROWS]:
        with st.container(border=True, key=f"overview_drift_{participant_id}"):
            _show_drift_row(people[participant_id])
    if len(people) > ATTENTION_ROWS or len(flags) < n_flags:
        st.caption(f"{n_flags:,} open flags; those with the newest are shown. Dismiss flags in Trends.")


def _show_drift_row(flags: list[Flag]) -> None:
    newest = flags[0]
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(width="stretch", gap="xsmall"):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.badge("Drift", icon=":material/flag:", color="orange")
                whose = plain_line(newest.participant_label)
                st.text(f"{whose} · newest flag {format_local(newest.session_local)}", width="content")
            st.markdown(f"{describe_flags(flags)} **Look at the trend; dismiss what has an explanation.**")
        if st.button("Open trend", key=f"overview_trend_{newest.participant_id}", icon=":material/arrow_forward:"):
            open_trend(newest)


def _show_deletions(overview: Overview) -> None:
    due = [row for row in overview.upcoming_deletions if row.deletion_due_utc]
    if not due:
        return
    st.subheader("Deletions at thymia", anchor=False)
    st.dataframe(
        {
            "When": [format_until(row.deletion_due_utc or "") for row in due],
            "Deleted at": [format_utc(row.deletion_due_utc) for row in due],
            "Participant": [plain_line(row.participant_label) for row in due],
            "Run": [row.id for row in due],
        },
        key="overview_deletions",
        hide_index=True,
        width="content",
        alt="Runs whose data thymia deletes soon",
    )
    st.caption(
        "Asked for when these runs were submitted. Results that are here stay here unless Settings say otherwise."
    )


def _show_first_steps(workspace: Workspace) -> None:
    with st.container(border=True, key="overview_first_steps"):
        st.subheader("From a voice to a trend in four steps", anchor=False)
        st.markdown(
            "1. **Choose Record** and enter a participant: a label (no name), birth date and sex, language.\n"
            "2. **Read a passage aloud.** A ring counts seconds of speech; 15 or more are good.\n"
            "3. **Look at the recording's quality and submit it.** The scores arrive by themselves, in seconds.\n"
            "4. **Open Trends** after a few sessions: single readings say little, a trend says more."
        )
        if st.button("Record the first session", key="overview_record", type="primary", icon=":material/mic:"):
            st.switch_page("record.py")
    if workspace.synthetic:
        st.caption("You are in the sandbox: try everything. Settings tell how to work with thymia.")


def _break_down(overview: Overview) -> str:
    parts = [f"{messages.describe_state(state).name}: {_count(overview, state)}" for state in MOVING]
    return " · ".join(parts)


def _count(overview: Overview, *states: RunState) -> int:
    return sum(overview.state_counts.get(state, 0) for state in states)
