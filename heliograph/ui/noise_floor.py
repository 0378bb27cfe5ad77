"""Measuring the noise floor: how far scores move when nothing has changed. A guided set of two or three recordings
within some minutes, tagged by itself, counted until there are enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import streamlit as st

from heliograph.store import Participant, Store, load_study_settings, load_trend
from heliograph.ui.buttons import sure_button
from heliograph.ui.session_form import local_now
from heliograph.ui.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "REPEAT_TAG",
    "NoiseSet",
    "load_noise_set",
    "noise_tags",
    "show_noise_floor",
    "show_noise_progress",
    "tell_next",
    "tell_so_far",
]

REPEAT_TAG = ("repeat", "noise floor")
LARGEST_SET = 3
ACTIVE = "record_noise_of"
EXPLAINED = (
    "How much do this participant's scores move when nothing has changed? Make **two or three recordings within"
    " {minutes} minutes**: the same text, the same microphone, the same place. From such sets Trends computes"
    " which changes are larger than the noise of measuring."
)


@dataclass(frozen=True)
class NoiseSet:
    """A participant's repeats: sets that have results, how many are needed, and the set that is under way."""

    n_sets: int
    n_runs: int
    needed: int
    under_way: int
    until: datetime | None
    window_min: int


def noise_tags(participant: Participant) -> Mapping[str, str]:
    """The tag that a session of a set gets; empty outside of one."""
    return dict([REPEAT_TAG]) if st.session_state.get(ACTIVE) == participant.id else {}


def load_noise_set(store: Store, participant_id: int, *, now: datetime) -> NoiseSet:
    """Count the participant's repeats at the local time `now`: a set is under way while its window is open."""
    from heliograph.analysis.reliability import MIN_REPEAT_GROUPS, find_repeats

    window = load_study_settings(store).repeat_window_min
    frame = load_trend(store, participant_id)
    repeats = find_repeats(frame, "mental_strain", window)
    opened = _find_open_set(frame, now, timedelta(minutes=window))
    return NoiseSet(
        n_sets=int(repeats["group"].nunique()),
        n_runs=len(repeats),
        needed=MIN_REPEAT_GROUPS,
        under_way=len(opened),
        until=min(opened) + timedelta(minutes=window) if opened else None,
        window_min=window,
    )


def show_noise_floor(workspace: Workspace, participant: Participant) -> None:
    """Draw the flow where a recording begins: the explanation, what there is, and the set that is under way."""
    active = st.session_state.get(ACTIVE) == participant.id
    title = "Measure the noise floor" + (": a set is under way" if active else "")
    box = st.expander(title, icon=":material/graphic_eq:", expanded=active, key="record_noise", on_change="rerun")
    if not box.open:  # Counting reads the whole trend.
        return
    with box:
        found = load_noise_set(workspace.store, participant.id, now=local_now())
        if not active:
            st.markdown(EXPLAINED.format(minutes=found.window_min))
            st.markdown(tell_so_far(found))
            if sure_button("Begin a set", key="record_noise_begin", icon=":material/play_arrow:"):
                st.session_state[ACTIVE] = participant.id
                st.rerun()
            return
        st.markdown(f"**{tell_next(found)}**")
        st.caption(f"Recordings of the set are tagged repeat by themselves. {tell_so_far(found)}")
        if sure_button("End the set", key="record_noise_end", icon=":material/stop:"):
            del st.session_state[ACTIVE]
            st.rerun()


def show_noise_progress(workspace: Workspace, participant: Participant | None) -> None:
    """One line beside the runs just submitted: what the set under way needs next."""
    if participant is not None and st.session_state.get(ACTIVE) == participant.id:
        found = load_noise_set(workspace.store, participant.id, now=local_now())
        st.info(f"Noise floor: {tell_next(found)}", icon=":material/graphic_eq:")


def _find_open_set(frame: pd.DataFrame, now: datetime, window: timedelta) -> list[datetime]:
    """When the tagged recordings of the last minutes were made, whatever their state; the first opens the set."""
    tagged = frame[frame["tags"].str.contains(f'"{REPEAT_TAG[0]}"', regex=False)]
    times = sorted(moment.to_pydatetime() for moment in tagged["session_local"].dropna())
    recent = [moment for moment in times if now - window <= moment <= now + window]
    return [moment for moment in recent if moment - recent[0] <= window]


def tell_so_far(found: NoiseSet) -> str:
    """How many sets of repeated recordings there are, and how many are missing."""
    if found.n_sets >= found.needed:
        return f"There are **{found.n_sets} sets with results: enough**. More make the estimate sharper."
    left = found.needed - found.n_sets
    return (
        f"Sets with results so far: **{found.n_sets} of {found.needed}**."
        f" {left} more {'are' if left > 1 else 'is'} needed, best on different days."
    )


def tell_next(found: NoiseSet) -> str:
    """What to do next about the set that is being made."""
    if not found.under_way or found.until is None:
        return f"Make the first recording of the set; the next ones must follow within {found.window_min} minutes."
    until = f"{found.until:%H:%M}"
    if found.under_way >= LARGEST_SET:
        return f"The set is complete with {found.under_way} recordings. End it, and make the next one another day."
    if found.under_way == 1:
        return f"1 recording made. Make the second before {until}: same text, same microphone."
    return f"{found.under_way} recordings made: that is a set. A third one before {until} makes it better."
