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

__all__ = [
    "NOTICE_KEY",
    "act",
    "describe_flag",
    "describe_flags",
    "group_flags",
    "open_trend",
    "show_flags",
    "show_trend_notice",
]

NOTICE_KEY = "trends_notice"
SHOWN = 6
NOTE_CHARS = 300
SIDES = {"up": "Above own normal", "down": "Below own normal"}
CHARTS = {"ewma": "moving average", "cusum": "cumulative sum"}
TITLES = {biomarker.continuous: biomarker.title for biomarker in BIOMARKERS}


def describe_flag(flag: Flag) -> str:
    """`Mental strain above own normal`, in plain words without anybody's text."""
    return f"{TITLES.get(flag.column_name, flag.column_name)} {SIDES[flag.direction].lower()}"


def describe_flags(flags: Sequence[Flag]) -> str:
    """`Above own normal: stress, distress. Below own normal: exhaustion.`, each score by its newest flag."""
    newest = {flag.column_name: flag for flag in sorted(flags, key=lambda flag: (flag.session_local, flag.run_id))}
    sides = []
    for direction, words in SIDES.items():
        names = [TITLES.get(name, name) for name, flag in newest.items() if flag.direction == direction]
        if names:
            sides.append(f"{words}: {', '.join(names).lower()}.")
    return " ".join(sides)


def open_trend(flag: Flag) -> None:
    """Go to the trend that the flag is in, its biomarker shown large."""
    title = TITLES.get(flag.column_name, BIOMARKERS[0].title)
    query = {"participant": str(flag.participant_id), "trends_biomarker": title}
    st.switch_page("trends.py", query_params=query)


def group_flags(flags: Sequence[Flag]) -> list[list[Flag]]:
    """Flags of one score, one side and one fate together, newest first; open ones before dismissed ones."""
    groups: dict[tuple[object, ...], list[Flag]] = {}
    for flag in sorted(flags, key=lambda flag: (flag.session_local, flag.run_id), reverse=True):
        fate = flag.dismissed_utc is not None, flag.dismissed_note
        groups.setdefault((flag.column_name, flag.direction, flag.chart, *fate), []).append(flag)
    return sorted(groups.values(), key=lambda group: group[0].dismissed_utc is not None)


def show_flags(flags: Sequence[Flag]) -> None:
    """Draw the list; flags of a kind are one entry, dismissed and restored together."""
    n_open = sum(flag.dismissed_utc is None for flag in flags)
    label = f"Flags ({n_open} open{f', {len(flags) - n_open} dismissed' if len(flags) > n_open else ''})"
    with st.expander(label, key="trends_flags", icon=":material/flag:"):
        if not flags:
            st.caption("No run has left this person's own normal range.")
            return
        for group in group_flags(flags):
            _show_group(group)
        st.caption("A flag marks the first run of a stretch outside the limits. Dismiss what has an explanation.")


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


def _show_group(group: list[Flag]) -> None:
    newest = group[0]
    name = f"{newest.column_name}_{newest.chart}_{newest.run_id}"
    with (
        st.container(border=True, key=f"trends_flag_{name}"),
        st.container(horizontal=True, vertical_alignment="center"),
    ):
        with st.container(width="stretch", gap=None):
            st.markdown(f"**{describe_flag(newest)}** since {format_local(newest.session_local)}")
            st.caption(_describe_numbers(group))
            if newest.dismissed_utc is not None:
                note = f": {escape(newest.dismissed_note)}" if newest.dismissed_note else ""
                st.caption(f"Dismissed on {format_utc(newest.dismissed_utc)}{note}")
        with st.container(horizontal=True, width="content"):
            if st.button("Open run", key=f"trends_open_{name}", type="tertiary"):
                open_run(newest.run_id)
            keys = [flag.key for flag in group]
            if newest.dismissed_utc is not None:
                st.button("Restore", key=f"trends_restore_{name}", on_click=_restore, args=(keys,))
            else:
                with st.popover("Dismiss"):
                    st.text_input("Note: what explains it?", key=f"trends_note_{name}", max_chars=NOTE_CHARS)
                    st.button(
                        _count(keys, "Dismiss {}"), key=f"trends_dismiss_{name}", on_click=_dismiss,
                        args=(keys, f"trends_note_{name}"),
                    )  # fmt: skip


def _describe_numbers(group: list[Flag]) -> str:
    newest = group[0]
    text = (
        f"{CHARTS.get(newest.chart, newest.chart)} {newest.value:.3f}, limit {newest.limit_value:.3f},"
        f" n = {newest.n_baseline} baseline runs"
    )
    earlier = [format_local(flag.session_local).partition(",")[0] for flag in group[1:]]
    if earlier:
        more = f" and {len(earlier) - SHOWN} more" if len(earlier) > SHOWN else ""
        text += f". Before that: {', '.join(earlier[:SHOWN])}{more}"
    return text


def _count(keys: Sequence[FlagKey], words: str) -> str:
    return words.format("the flag" if len(keys) == 1 else f"{len(keys)} flags")


def _dismiss(keys: Sequence[FlagKey], note_key: str) -> None:
    note = plain_line(st.session_state.get(note_key) or "")

    def work() -> None:
        for key in keys:
            dismiss_flag(get_workspace().store, key, note)

    act(work, _count(keys, "Dismissed: {}."))


def _restore(keys: Sequence[FlagKey]) -> None:
    def work() -> None:
        for key in keys:
            restore_flag(get_workspace().store, key)

    act(work, _count(keys, "Open again: {}."))
