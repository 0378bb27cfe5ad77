"""A participant's flags under the trend: each can be dismissed with a note, and restored."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from heliograph.store import Flag, FlagKey, StoreError, dismiss_flag, restore_flag
from heliograph.ui import messages
from heliograph.ui.formats import format_local, format_utc, plain_line
from heliograph.ui.markup import escape
from heliograph.ui.run_table import open_run
from heliograph.ui.workspace import get_workspace
from thymia_api import BIOMARKERS

__all__ = ["NOTICE_KEY", "act", "describe_flag", "open_trend", "show_flags", "show_trend_notice"]

NOTICE_KEY = "trends_notice"
SHOWN = 12
NOTE_CHARS = 300
CHARTS = {"ewma": "moving average", "cusum": "cumulative sum"}
TITLES = {biomarker.continuous: biomarker.title for biomarker in BIOMARKERS}


def describe_flag(flag: Flag) -> str:
    """`Mental strain above own normal`, in plain words without anybody's text."""
    side = "above" if flag.direction == "up" else "below"
    return f"{TITLES.get(flag.column_name, flag.column_name)} {side} own normal"


def open_trend(flag: Flag) -> None:
    """Go to the trend that the flag is in, its biomarker shown large."""
    title = TITLES.get(flag.column_name, BIOMARKERS[0].title)
    query = {"participant": str(flag.participant_id), "trends_biomarker": title}
    st.switch_page("trends.py", query_params=query)


def show_flags(flags: Sequence[Flag]) -> None:
    """Draw the list, newest first, open ones before dismissed ones."""
    n_open = sum(flag.dismissed_utc is None for flag in flags)
    label = f"Flags ({n_open} open{f', {len(flags) - n_open} dismissed' if len(flags) > n_open else ''})"
    with st.expander(label, key="trends_flags", icon=":material/flag:", expanded=False):
        if not flags:
            st.caption("No run has left this person's own normal range.")
            return
        ordered = sorted(flags, key=lambda flag: flag.session_local, reverse=True)
        ordered.sort(key=lambda flag: flag.dismissed_utc is not None)
        for flag in ordered[:SHOWN]:
            _show_flag(flag)
        if len(ordered) > SHOWN:
            st.caption(f"The newest {SHOWN} of {len(ordered)} are listed; the figure shows all.")
        st.caption("A flag marks the first run of a stretch outside the limits. Dismiss one that has a reason.")


def show_trend_notice() -> None:
    """The outcome of the last action, once."""
    if notice := st.session_state.pop(NOTICE_KEY, None):
        text, failed = notice
        st.toast(text, icon=":material/error:" if failed else ":material/check:")


def act(work: Callable[[], object], done: str) -> None:
    """Do something to the store in a widget's callback; what came of it is told when the page is drawn."""
    try:
        work()
    except StoreError as error:
        st.session_state[NOTICE_KEY] = (messages.describe_problem(error).text, True)
        return
    st.session_state[NOTICE_KEY] = (done, False)


def _show_flag(flag: Flag) -> None:
    name = f"{flag.column_name}_{flag.chart}_{flag.run_id}"
    with (
        st.container(border=True, key=f"trends_flag_{name}"),
        st.container(horizontal=True, vertical_alignment="center"),
    ):
        with st.container(width="stretch", gap=None):
            st.markdown(f"**{describe_flag(flag)}** since {format_local(flag.session_local)}")
            st.caption(
                f"{CHARTS.get(flag.chart, flag.chart)} {flag.value:.3f}, limit {flag.limit_value:.3f},"
                f" n = {flag.n_baseline} baseline runs"
            )
            if flag.dismissed_utc is not None:
                note = f": {escape(flag.dismissed_note)}" if flag.dismissed_note else ""
                st.caption(f"Dismissed on {format_utc(flag.dismissed_utc)}{note}")
        with st.container(horizontal=True, width="content"):
            if st.button("Open run", key=f"trends_open_{name}", type="tertiary"):
                open_run(flag.run_id)
            if flag.dismissed_utc is not None:
                st.button("Restore", key=f"trends_restore_{name}", on_click=_restore, args=(flag.key,))
            else:
                with st.popover("Dismiss"):
                    st.text_input("Note: what explains it?", key=f"trends_note_{name}", max_chars=NOTE_CHARS)
                    st.button(
                        "Dismiss the flag", key=f"trends_dismiss_{name}", on_click=_dismiss,
                        args=(flag.key, f"trends_note_{name}"),
                    )  # fmt: skip


def _dismiss(key: FlagKey, note_key: str) -> None:
    note = plain_line(st.session_state.get(note_key) or "")
    act(lambda: dismiss_flag(get_workspace().store, key, note), "The flag is dismissed.")


def _restore(key: FlagKey) -> None:
    act(lambda: restore_flag(get_workspace().store, key), "The flag is open again.")
