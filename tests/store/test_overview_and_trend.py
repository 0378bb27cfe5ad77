"""The overview's counts are exact through every change, and a trend is one typed row for each run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from heliograph.store import (
    SCORE_COLUMNS,
    TREND_COLUMNS,
    RecordingFacts,
    RunState,
    Section,
    Store,
    UnknownRecordError,
    WorkerState,
    advance_run,
    count_participants,
    delete_run,
    from_utc_text,
    load_overview,
    load_participant,
    load_participant_by_label,
    load_setting,
    load_store_facts,
    load_trend,
    load_worker,
    now_utc_text,
    save_participant,
    save_recording,
    save_setting,
    save_worker,
    search_participants,
    to_local_text,
    to_utc_text,
)
from thymia_api._biomarkers import BIOMARKERS

PERSON = {"date_of_birth": "1980-01-01", "birth_sex": "FEMALE", "language": "en-GB"}


def test_the_score_columns_are_the_biomarkers_of_the_api() -> None:
    fields = [name for marker in BIOMARKERS for name in (marker.continuous, marker.bucketed) if name is not None]
    assert sorted(fields) == sorted(SCORE_COLUMNS)


def test_counts_stay_exact_through_changes_and_deletions(store: Store, make_run: Any) -> None:
    runs = [make_run(f"k{n}", label=f"P-{n}") for n in range(5)]
    advance_run(store, runs[0], expect=list(RunState), state=RunState.FAILED, changes={"needs_attention": True})
    advance_run(store, runs[1], expect=list(RunState), state=RunState.FAILED, changes={"needs_attention": True})
    advance_run(store, runs[1], expect=list(RunState), state=RunState.FAILED, changes={"needs_attention": False})
    advance_run(store, runs[2], expect=list(RunState), state=RunState.RUNNING)
    overview = load_overview(store)
    assert {state: n for state, n in overview.state_counts.items() if n} == {
        RunState.FAILED: 2,
        RunState.RUNNING: 1,
        RunState.QUEUED: 2,
    }
    assert (overview.n_runs, overview.n_participants, overview.n_attention) == (5, 5, 1)
    assert [row.id for row in overview.attention] == [runs[0]]
    for run_id in runs[:3]:
        delete_run(store, run_id)
    overview = load_overview(store)
    assert {state: n for state, n in overview.state_counts.items() if n} == {RunState.QUEUED: 2}
    assert (overview.n_runs, overview.n_attention, overview.attention) == (2, 0, ())


def test_the_overview_shows_the_latest_results_first_and_the_soonest_deletion_first(
    store: Store, make_run: Any
) -> None:
    for n in range(4):
        changes = {
            "completed_utc": f"2026-01-0{4 - n}T00:00:00.000Z",
            "deletion_due_utc": f"2026-02-0{4 - n}T00:00:00.000Z",
        }
        advance_run(store, make_run(f"k{n}"), expect=list(RunState), state=RunState.COMPLETE_OK, changes=changes)
    overview = load_overview(store, limit=3, now_utc="2026-02-01T12:00:00.000Z")
    assert [row.id for row in overview.latest_results] == [1, 2, 3]
    assert [row.id for row in overview.upcoming_deletions] == [3, 2, 1]


def test_an_empty_store_has_an_overview_and_an_empty_trend_of_the_same_types(store: Store, make_run: Any) -> None:
    overview = load_overview(store)
    assert (overview.n_runs, set(overview.state_counts)) == (0, set(RunState))
    empty = load_trend(store, 1)
    make_run("k")
    full = load_trend(store, 1)
    assert (len(empty), len(full)) == (0, 1)
    assert empty.dtypes.equals(full.dtypes)
    assert tuple(empty.columns) == TREND_COLUMNS


def test_a_trend_has_every_run_by_session_time_with_scores_quality_and_tags(
    store: Store, make_run: Any, facts: RecordingFacts, tmp_path: Path
) -> None:
    (tmp_path / "take.flac").write_bytes(b"audio")
    recording = save_recording(store, tmp_path / "take.flac", facts=facts)
    late = make_run(
        "late", recorded_local="2026-03-02T09:00:00", recording_id=recording.id, tags={"b": "2", "a": "é"}
    )
    early = make_run("early", recorded_local="2026-03-01T09:00:00", asleep_local="2026-02-28T23:15:00")
    make_run("somebody else", label="P-2")
    scores = {name: n / 16 for n, name in enumerate(SCORE_COLUMNS)}
    section = Section(section=0, start_s=0, finish_s=9, **scores)
    changes = {"completed_utc": "2026-03-02T09:01:02.345Z", "warnings": ["LOW_SNR"]}
    advance_run(
        store,
        late,
        expect=list(RunState),
        state=RunState.COMPLETE_OK,
        changes=changes,
        sections=[section, section_1()],
    )
    advance_run(
        store, early, expect=list(RunState), state=RunState.COMPLETE_ERROR, changes={"error_code": "ERR_INTERNAL"}
    )
    trend = load_trend(store, 1)
    assert list(trend["run_id"]) == [early, late]
    assert list(trend["state"]) == ["complete_error", "complete_ok"]
    assert trend["session_local"].iloc[0].isoformat() == "2026-03-01T09:00:00"
    assert trend["asleep_local"].iloc[0].isoformat() == "2026-02-28T23:15:00"
    assert trend["completed_utc"].iloc[1].isoformat() == "2026-03-02T09:01:02.345000+00:00"
    assert {name: trend[name].iloc[1] for name in SCORE_COLUMNS} == scores
    assert trend[list(SCORE_COLUMNS)].iloc[0].isna().all()
    assert (trend["speech_s"].iloc[1], trend["source"].iloc[1]) == (20.25, "webrtc")
    assert json.loads(trend["tags"].iloc[1]) == {"a": "é", "b": "2"}
    assert json.loads(trend["warnings"].iloc[1]) == ["LOW_SNR"]
    assert trend["synthetic"].all()
    assert list(load_trend(store, 1, since_local="2026-03-02T09:00:00")["run_id"]) == [late]
    assert list(load_trend(store, 1, until_local="2026-03-02T09:00:00")["run_id"]) == [early]


def section_1() -> Section:
    """A second section, which a trend does not mix in."""
    return Section(section=1, start_s=9, finish_s=18, stress=1.0)


def test_saving_a_participant_again_updates_the_one_there_is(store: Store) -> None:
    first = save_participant(store, label="P-1", **PERSON)
    assert save_participant(store, label="P-1", **(PERSON | {"birth_sex": "MALE", "accent": "KE"})) == first
    found = load_participant_by_label(store, "P-1")
    assert found == load_participant(store, first)
    assert found is not None
    assert (found.birth_sex, found.accent) == ("MALE", "KE")
    assert load_participant_by_label(store, "p-1") is None
    assert count_participants(store) == 1
    with pytest.raises(UnknownRecordError):
        load_participant(store, 99)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("p-0", ["P-007", "P-017"]),
        ("17", ["P-017"]),
        ("017", ["P-017"]),
        ("7", ["P-007"]),
        ("A 00", ["Straße-A 001"]),
        ("STRASSE", ["Straße-A 001"]),
        ("%", []),
        ("_", []),
        ("zz", []),
    ],
)
def test_participants_are_found_by_the_beginning_of_any_part_of_their_label(
    store: Store, text: str, found: list[str]
) -> None:
    for label in ("P-017", "P-007", "Straße-A 001"):
        save_participant(store, label=label, **PERSON)
    assert [person.label for person in search_participants(store, text)] == found


def test_without_a_text_the_participants_saved_last_come_first(store: Store) -> None:
    for label in ("a", "b", "c"):
        save_participant(store, label=label, **PERSON)
    assert [person.label for person in search_participants(store, " ", limit=2)] == ["c", "b"]


def test_worker_settings_and_facts_of_the_store_are_kept(store: Store) -> None:
    assert load_worker(store).state is WorkerState.STOPPED
    save_worker(store, state=WorkerState.PAUSED, reason="wrong_key", pid=7)
    save_worker(store, heartbeat_utc="2026-01-01T00:00:00.000Z")
    status = load_worker(store)
    assert (status.state, status.reason, status.pid) == (WorkerState.PAUSED, "wrong_key", 7)
    with pytest.raises(ValueError, match="mood"):
        save_worker(store, mood="fine")
    with pytest.raises(ValueError, match="asleep"):
        save_worker(store, state="asleep")
    save_setting(store, "purge_with_thymia", "1")
    assert load_setting(store, "purge_with_thymia") == "1"
    save_setting(store, "purge_with_thymia", None)
    assert load_setting(store, "purge_with_thymia") is None
    found = load_store_facts(store)
    assert found.folder == str(store.folder)
    assert found.database_bytes > 4096


def test_times_have_one_width_and_refuse_a_guessed_zone() -> None:
    moment = from_utc_text("2026-03-01T10:00:00.120Z")
    assert to_utc_text(moment) == "2026-03-01T10:00:00.120Z"
    assert len(now_utc_text()) == 24
    assert to_local_text(moment.replace(tzinfo=None)) == "2026-03-01T10:00:00"
    with pytest.raises(ValueError, match="needs a time zone"):
        to_utc_text(moment.replace(tzinfo=None))
    with pytest.raises(ValueError, match="has one"):
        to_local_text(moment)
