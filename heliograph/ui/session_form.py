"""What belongs to one session: its times, ratings, tags and what thymia is to delete afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypedDict
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from heliograph.runs.intake import load_beginning
from heliograph.runs.session import (
    SessionIssue,
    SessionTimes,
    compute_session_issues,
    suggest_session_times,
)
from heliograph.store import (
    Participant,
    Recording,
    RunFilter,
    Store,
    load_run,
    load_runs,
    load_study_settings,
    load_tag_names,
    load_tag_values,
)
from heliograph.ui.markup import escape
from heliograph.ui.ratings import ask_ratings

__all__ = ["Session", "ask_session", "local_now", "to_local"]


class _TimeField(TypedDict):
    format: str
    width: int


MAX_TAGS, MAX_TAG_NAME, MAX_TAG_VALUE = 20, 40, 100
OFFERED_TAGS, OFFERED_VALUES = 40, 10
FORM_PX = 820
TIME_FIELD: Final[_TimeField] = {"format": "YYYY-MM-DD", "width": 220}
EARLIER = timedelta(minutes=10)
RECORDED_EARLIER = "Recorded earlier: the time is that of the recording."
KEEP, DELETE_RECORDING, DELETE_ALL = "Nothing", "The recording", "Everything"
ISSUES = {
    SessionIssue.ASLEEP_AFTER_AWAKE: "Fell asleep must be before woke up.",
    SessionIssue.AWAKE_AFTER_RECORDED: "Woke up must be before the recording.",
    SessionIssue.ASLEEP_AFTER_RECORDED: "Fell asleep must be before the recording.",
    SessionIssue.IN_FUTURE: "A time lies in the future. Enter the participant's local time.",
}


@dataclass(frozen=True)
class Session:
    """What the form holds; `problems` are sentences that keep it from being submitted."""

    times: SessionTimes
    ratings: Mapping[str, float]
    tags: Mapping[str, str]
    delete_data: bool
    data_to_delete: tuple[str, ...] | None
    problems: tuple[str, ...]


def local_now() -> datetime:
    """The visitor's wall clock, naive; the server's where the browser doesn't tell its timezone."""
    return to_local(datetime.now(UTC))


def to_local(moment: datetime) -> datetime:
    """What the clock of `local_now` shows at an aware time."""
    try:
        zone: ZoneInfo | None = ZoneInfo(st.context.timezone or "")
    except (ZoneInfoNotFoundError, ValueError):
        zone = None  # As `astimezone` calls the server's own.
    return moment.astimezone(zone).replace(tzinfo=None, microsecond=0)


def ask_session(
    store: Store,
    participant: Participant,
    *,
    key: str,
    recordings: Sequence[Recording] = (),
    own_tags: Mapping[str, str] | None = None,
) -> Session:
    """Draw the session's fields, prefilled from the participant's last one; without `recordings` for an activity.
    `own_tags` are added without being asked for; a tag that is typed in has precedence."""
    key = f"{key}_{participant.id}"
    with st.container(width=FORM_PX):
        times, questions = _ask_times(store, participant, recordings, key)
        ratings = ask_ratings(load_study_settings(store).rating_scales, key=key) if recordings else {}
        tags, tag_problems = _ask_tags(store, key)
        if own_tags:
            st.caption("Tagged by itself: " + ", ".join(f"{escape(k)}: {escape(v)}" for k, v in own_tags.items()))
        delete_data, data_to_delete = _ask_deletion(key)
    return Session(
        times, ratings, {**(own_tags or {}), **tags}, delete_data, data_to_delete, (*questions, *tag_problems)
    )


def _earlier(store: Store, participant: Participant) -> SessionTimes | None:
    rows = load_runs(store, RunFilter(participant_label=participant.label), limit=1)
    if not rows:
        return None
    run = load_run(store, rows[0].id)
    asleep, awake = run.asleep_local, run.awake_local
    return SessionTimes(
        datetime.fromisoformat(asleep) if asleep else None, datetime.fromisoformat(awake) if awake else None
    )


def _ask_times(
    store: Store, participant: Participant, recordings: Sequence[Recording], key: str
) -> tuple[SessionTimes, list[str]]:
    now, key = local_now(), _name_times(key, recordings)
    began = load_beginning(recordings[0]) if recordings else None
    made = to_local(began) if began else now
    suggested: SessionTimes = st.session_state.setdefault(
        f"{key}_suggested", suggest_session_times(made, earlier=_earlier(store, participant))
    )
    known = st.toggle(
        "Add sleep times",
        key=f"{key}_sleep_known",
        help="The last main sleep before the recording, in the participant's local time. Off: none are stored.",
    )
    row = st.container(horizontal=True)
    asleep = awake = recorded_at = None
    if known:
        asleep = row.datetime_input("Fell asleep", suggested.asleep, key=f"{key}_asleep", step=300, **TIME_FIELD)
        awake = row.datetime_input("Woke up", suggested.awake, key=f"{key}_awake", step=300, **TIME_FIELD)
        st.caption("These sleep times are only suggestions: correct them to what the participant says.")
    if recordings:
        recorded_at = row.datetime_input(
            "Recorded at", suggested.recorded, key=f"{key}_recorded", step=60, **TIME_FIELD
        )
        if now - made > EARLIER and recorded_at == suggested.recorded:
            st.caption(RECORDED_EARLIER)
    times = SessionTimes(_naive(asleep), _naive(awake), _naive(recorded_at))
    problems = []
    for issue in compute_session_issues(times, now=now):
        if issue is SessionIssue.LONG_SLEEP and times.asleep and times.awake:
            hours = (times.awake - times.asleep).total_seconds() / 3600
            if not st.checkbox(f"Yes, the participant slept {hours:.1f} hours", key=f"{key}_long_sleep"):
                problems.append(f"Sleep of {hours:.1f} hours is unusual: confirm it or correct the times.")
        else:
            problems.append(ISSUES[issue])
    return times, problems


def _name_times(key: str, recordings: Sequence[Recording]) -> str:
    """The key of the times of what is under review: what comes up later has none of them, and discarding one of
    several changes none."""
    ids = [recording.id for recording in recordings]
    name, seen = st.session_state.get(f"{key}_about", ("", []))
    if set(ids).isdisjoint(seen):
        name = "_".join(found[:12] for found in ids[:1])
    st.session_state[f"{key}_about"] = name, ids
    return f"{key}_{name}"


def _ask_tags(store: Store, key: str) -> tuple[dict[str, str], list[str]]:
    earlier = [
        f"{name}: {value}"
        for name in load_tag_names(store, limit=OFFERED_TAGS)
        for value in load_tag_values(store, name, limit=OFFERED_VALUES)
    ]
    chosen = st.multiselect(
        "Tags",
        earlier,
        key=f"{key}_tags",
        accept_new_options=True,
        max_selections=MAX_TAGS,
        placeholder="name: value, for example condition: night shift",
        help="To find and compare runs later. Type name: value and press Enter; earlier tags are offered.",
    )
    tags: dict[str, str] = {}
    problems = []
    for entry in chosen:
        name, colon, value = (part.strip() for part in entry.partition(":"))
        if not colon or not name or not value:
            problems.append(f"Write the tag “{escape(entry)}” as name: value.")
        elif name in tags:
            problems.append(f"The tag {escape(name)} is there twice; a run has each tag once.")
        elif len(name) > MAX_TAG_NAME or len(value) > MAX_TAG_VALUE:
            problems.append(f"A tag's name has up to {MAX_TAG_NAME} characters, its value up to {MAX_TAG_VALUE}.")
        else:
            tags[name] = value
    return tags, problems


def _ask_deletion(key: str) -> tuple[bool, tuple[str, ...] | None]:
    choice = st.radio(
        "What thymia deletes, 12 hours after the result",
        [KEEP, DELETE_RECORDING, DELETE_ALL],
        key=f"{key}_deletion",
        captions=[
            "Recording and results stay with thymia.",
            "The scores stay there.",
            "Recording, details and results. The results are fetched and kept here before.",
        ],
    )
    if choice == DELETE_RECORDING:
        return True, ("RECORDINGS",)
    return choice == DELETE_ALL, None


def _naive(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=None, second=0, microsecond=0) if moment else None
