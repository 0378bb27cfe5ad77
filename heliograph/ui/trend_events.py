"""Dated notes beside a trend: what happened to the participant or the whole study, and which kinds are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import streamlit as st

from heliograph.store import StudyEvent, add_event, delete_event, load_event_kinds
from heliograph.ui.formats import plain_line
from heliograph.ui.markup import escape
from heliograph.ui.trend_flags import NOTICE_KEY, act
from heliograph.ui.workspace import get_workspace

__all__ = ["choose_events", "show_events"]

KIND_CHARS, NOTE_CHARS = 40, 300
READY_KINDS = ("medication", "shift change", "exam", "illness")


def choose_events(events: Sequence[StudyEvent]) -> list[StudyEvent]:
    """The events whose kinds were not switched off below the figure."""
    hidden = set(st.session_state.get("trends_hidden_kinds") or ())
    return [event for event in events if event.kind not in hidden]


def show_events(participant_id: int, events: Sequence[StudyEvent]) -> None:
    """Draw the list of dated notes and the form for a new one."""
    label = f"Dated notes ({len(events)})"
    with st.expander(label, key="trends_events", icon=":material/event:", expanded=False):
        kinds = sorted({event.kind for event in events})
        if len(kinds) > 1:
            st.pills(
                "Not drawn", kinds, selection_mode="multi", key="trends_hidden_kinds", format_func=plain_line,
                persist_state="session", help="Choose kinds to take them out of the figure.",
            )  # fmt: skip
        for event in events:
            _show_event(event)
        _show_form(participant_id)


def _show_event(event: StudyEvent) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"trends_event_{event.id}"):
        day = datetime.fromisoformat(event.on_local)
        note = f": {escape(event.note)}" if event.note else ""
        whole = " · :gray[whole study]" if event.participant_id is None else ""
        st.markdown(f"{day:%d %b %Y} · **{escape(event.kind)}**{note}{whole}", width="stretch")
        st.button(
            "Delete", key=f"trends_event_delete_{event.id}", icon=":material/delete:", type="tertiary",
            on_click=_delete, args=(event.id,),
        )  # fmt: skip


def _show_form(participant_id: int) -> None:
    store = get_workspace().store
    kinds = list(dict.fromkeys([*load_event_kinds(store), *READY_KINDS]))
    with st.form("trends_event_form", clear_on_submit=True, border=True):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.date_input("Day", date.today(), key="trends_event_day", format="YYYY-MM-DD", width=150)
            st.selectbox(
                "Kind", kinds, index=None, key="trends_event_kind", accept_new_options=True, width=210,
                format_func=plain_line, placeholder="Choose or type",
            )  # fmt: skip
            st.text_input("Note", key="trends_event_note", max_chars=NOTE_CHARS, width=320)
            st.checkbox("For the whole study", key="trends_event_whole")
        st.form_submit_button("Add note", key="trends_event_add", on_click=_add, args=(participant_id,))


def _add(participant_id: int) -> None:
    state = st.session_state
    kind = plain_line(state.get("trends_event_kind") or "")[:KIND_CHARS]
    if not kind:
        state[NOTICE_KEY] = ("Choose a kind of note, or type one.", True)
        return
    whose = None if state.get("trends_event_whole") else participant_id
    day, note = state["trends_event_day"], plain_line(state.get("trends_event_note") or "")
    act(
        lambda: add_event(get_workspace().store, participant_id=whose, on_local=f"{day}", kind=kind, note=note),
        "The note is in the figure.",
    )


def _delete(event_id: int) -> None:
    act(lambda: delete_event(get_workspace().store, event_id), "The note is deleted.")
