"""The filters of the run list. They live in the address, so that a view can be kept and shared, except for what
could name a participant: the text that is searched for stays in the session, a participant is a number."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import streamlit as st

from heliograph.store import (
    RunFilter,
    RunState,
    Store,
    UnknownRecordError,
    load_participant,
    load_tag_names,
    load_tag_values,
)
from heliograph.ui import messages
from heliograph.ui.formats import plain_line
from heliograph.ui.query import clear_param, read_id

__all__ = ["show_page_buttons", "show_run_filters"]

# Enough to walk back 100 pages; the address stays short enough for every browser.
TRAIL_LIMIT = 100


def show_run_filters(store: Store) -> RunFilter:
    """Draw the filters and return what they say; a change goes back to the newest runs."""
    label = _show_participant(store)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Search", key="runs_text", icon=":material/search:", persist_state="session", width=260,
            placeholder="Label, run number or id", on_change=_restart,
        )  # fmt: skip
        names = st.multiselect(
            "State", [messages.describe_state(state).name for state in RunState], key="runs_state",
            bind="query-params", placeholder="Any", on_change=_restart, width=320,
        )  # fmt: skip
        since = _show_date("From", "runs_since")
        until = _show_date("To", "runs_until")
        tag_name = _show_choice("Tag", load_tag_names(store), "runs_tag")
        tag_value = (
            _show_choice("Tag's value", load_tag_values(store, tag_name), "runs_value") if tag_name else None
        )
    return RunFilter(
        states=frozenset(state for state in RunState if messages.describe_state(state).name in names),
        participant_label=label,
        tag_name=tag_name,
        tag_value=tag_value,
        since_local=f"{since}T00:00:00" if since else None,
        until_local=f"{until + timedelta(days=1)}T00:00:00" if until else None,
        text=(text or "").strip(),
    )


def show_page_buttons(ids: Sequence[int], *, limit: int) -> None:
    """Newer and older pages. The address holds the way back: each page's last run number.

    Nothing is drawn where all rows are on one page.
    """
    trail = st.query_params.get_all("before")
    if not trail and len(ids) < limit:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Newer", key="runs_newer", icon=":material/chevron_left:", disabled=not trail):
            st.query_params["before"] = trail[:-1]
            st.rerun()
        if st.button("Older", key="runs_older", icon=":material/chevron_right:", disabled=len(ids) < limit):
            st.query_params["before"] = [*trail, str(ids[-1])][-TRAIL_LIMIT:]
            st.rerun()
        st.caption(f"Page {len(trail) + 1}", width="content")


def _show_participant(store: Store) -> str | None:
    """The participant that the address names by number, with a way to all others."""
    participant_id = read_id("participant")
    if participant_id is None:
        return None
    try:
        label = load_participant(store, participant_id).label
    except UnknownRecordError:
        clear_param("participant")
        return None
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(f"Only participant {plain_line(label)}", width="content")
        if st.button("Show all participants", key="runs_all", icon=":material/close:", type="tertiary"):
            clear_param("participant")
            st.rerun()
    return label


def _show_date(label: str, key: str) -> date | None:
    chosen = st.date_input(
        label, value=None, key=key, bind="query-params", format="YYYY-MM-DD", on_change=_restart, width=150,
        min_value=date(2000, 1, 1), max_value=date(2100, 1, 1),
    )  # fmt: skip
    return chosen if isinstance(chosen, date) else None


def _show_choice(label: str, options: list[str], key: str) -> str | None:
    return st.selectbox(
        label, options, index=None, key=key, bind="query-params", placeholder="Any", on_change=_restart,
        width=190, disabled=not options,
    )  # fmt: skip


def _restart() -> None:
    clear_param("before")
