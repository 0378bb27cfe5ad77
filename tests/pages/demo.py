"""A workspace filled through the store's own functions: every state, warnings, tags, gaps."""

from __future__ import annotations

import json
import random
import wave
from datetime import UTC, datetime, timedelta
from pathlib import Path

from heliograph.store import (
    FailureReason,
    NewRun,
    RecordingFacts,
    RecordingSource,
    RunKind,
    RunState,
    Section,
    Store,
    add_run,
    advance_run,
    load_run,
    save_participant,
    save_recording,
    to_utc_text,
)
from thymia_api import BUCKET_LEVELS

SIGNATURE = "c2lnbmF0dXJl"
HOSTILE = "<img src=x onerror=alert(1)> **b** [l](https://e.test) :red[r] $x$ https://e.test"


def open_store(home: Path) -> Store:
    """The sandbox workspace below `home`, where the pages look for it."""
    return Store.open(home / "sandbox", workspace="sandbox", synthetic=True)


def add_participant(store: Store, label: str) -> int:
    return save_participant(
        store, label=label, date_of_birth="1988-01-01", birth_sex="FEMALE", language="en-GB", accent=None
    )


def add_recording(store: Store, folder: Path, number: int) -> str:
    """A recording row with a file of its own (its bytes are never decoded by a page)."""
    file = folder / f"{number}.wav"
    file.write_bytes(b"RIFF" + number.to_bytes(4, "little") + b"WAVE" + bytes(2000))
    facts = RecordingFacts(
        media_type="audio/wav", source=RecordingSource.WEBRTC, duration_s=42.5, speech_s=31.2, level_dbfs=-21.0,
        peak_dbfs=-3.0, clipped_share=0.0, snr_db=24.5, bandwidth_hz=7800.0, missing_share=0.0,
    )  # fmt: skip
    return save_recording(store, file, facts=facts).id


def add_real_recording(store: Store, folder: Path, *, began: datetime | None = None) -> str:
    """A recording that the review can decode, with facts that pass it; each `began` gives another one."""
    processing = {"began_utc": to_utc_text(began)} if began else {}
    file = folder / "real.wav"
    with wave.open(str(file), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16_000)
        writer.writeframes(bytes(32_000) + (str(began).encode() if began else b""))
    facts = RecordingFacts(
        media_type="audio/wav", source=RecordingSource.WEBRTC, duration_s=42.5, speech_s=31.2, level_dbfs=-21.0,
        peak_dbfs=-3.0, clipped_share=0.0, snr_db=30.0, bandwidth_hz=11000.0, missing_share=0.0,
        processing=processing,
    )  # fmt: skip
    return save_recording(store, file, facts=facts).id


def add_session(
    store: Store,
    participant_id: int,
    session: datetime,
    *,
    key: str,
    state: RunState = RunState.COMPLETE_OK,
    recording_id: str | None = None,
    tags: dict[str, str] | None = None,
    warnings: tuple[str, ...] = (),
    score: float = 0.4,
    failure: FailureReason = FailureReason.RECORDING_MISSING,
    delete_data: bool = False,
) -> int:
    """One run brought into `state` by the store's own steps; all its scores are near `score`."""
    run_id = add_run(
        store,
        NewRun(
            submission_key=key,
            kind=RunKind.ACTIVITY if state == RunState.WAITING else RunKind.UPLOAD,
            participant_id=participant_id,
            date_of_birth="1988-01-01",
            birth_sex="FEMALE",
            language="en-GB",
            recording_id=recording_id,
            asleep_local=f"{session - timedelta(hours=9):%Y-%m-%dT%H:%M:%S}",
            awake_local=f"{session - timedelta(hours=1.5):%Y-%m-%dT%H:%M:%S}",
            recorded_local=f"{session:%Y-%m-%dT%H:%M:%S}",
            tags=tags or {},
            delete_data=delete_data,
        ),
    )
    if state == RunState.QUEUED:
        return run_id
    now = datetime.now(UTC)
    created = {
        "thymia_id": f"00000000-0000-4000-8000-{run_id:012d}",
        "upload_url": f"http://127.0.0.1:1/upload/{run_id}?signature={SIGNATURE}",
        "created_utc": to_utc_text(now),
    }
    if state == RunState.WAITING:
        created["activity_link"] = "http://127.0.0.1:1/activity/abc"
    body = json.dumps({"id": created["thymia_id"], "recordingUploadUrl": created["upload_url"]})
    first = RunState.WAITING if state == RunState.WAITING else RunState.CREATED
    _step(store, run_id, first, changes=created, answer=("create", body))
    if state in (RunState.CREATED, RunState.WAITING):
        return run_id
    _step(store, run_id, RunState.UPLOADING)
    if state == RunState.UPLOADING:
        return run_id
    if state == RunState.FAILED:
        _step(
            store,
            run_id,
            state,
            changes={"failure": failure, "failure_detail": "file not found", "needs_attention": True},
        )
        return run_id
    _step(store, run_id, RunState.RUNNING)
    if state == RunState.RUNNING:
        return run_id
    done: dict[str, object] = {"completed_utc": to_utc_text(now), "warnings": warnings, "next_step_utc": None}
    answer = ("get", json.dumps({"id": created["thymia_id"], "status": state.upper()}))
    if state == RunState.COMPLETE_ERROR:
        _step(
            store,
            run_id,
            state,
            changes=done | {"error_code": "ERR_RECORDING_TOO_SHORT", "needs_attention": True},
            answer=answer,
        )
        return run_id
    if delete_data:
        done["deletion_due_utc"] = to_utc_text(now + timedelta(hours=12))
    _step(store, run_id, state, changes=done, answer=answer, sections=[_make_section(run_id, score)])
    return run_id


def finish(store: Store, run_id: int, *, score: float = 0.4) -> None:
    """Bring a running run to its result."""
    done = {"completed_utc": to_utc_text(datetime.now(UTC)), "next_step_utc": None}
    _step(store, run_id, RunState.COMPLETE_OK, changes=done, sections=[_make_section(run_id, score)])


def fill(home: Path, *, people: int = 3, sessions: int = 40) -> None:
    """People with daily sessions up to yesterday: gaps, two a day, warnings, errors; some runs still moving."""
    rng = random.Random(7)
    store = open_store(home)
    today = datetime.now().replace(hour=8, minute=15, second=0, microsecond=0)
    for person in range(people):
        participant_id = add_participant(store, f"P-{person + 1:03d}")
        level = 0.25 + 0.2 * person
        for number in range(sessions):
            if number % 11 == 5 or 18 <= number <= 21:
                continue
            level = min(0.95, max(0.05, level + rng.gauss(0, 0.05)))
            state = (
                RunState.COMPLETE_ERROR
                if number == 9
                else RunState.FAILED
                if number == 26 and person == 0
                else RunState.COMPLETE_OK
            )
            add_session(
                store, participant_id, today - timedelta(days=sessions - number, minutes=rng.randint(-90, 400)),
                key=f"{person}-{number}", state=state, score=level,
                recording_id=add_recording(store, home, 1000 * person + number),
                tags={"phase": "baseline" if number < 14 else "follow-up", "site": "A"},
                warnings=("Background noise is high.",) if number in (4, 30) else (),
                delete_data=number == sessions - 1,
            )  # fmt: skip
    store.close()


def _make_section(run_id: int, score: float) -> Section:
    rng = random.Random(run_id)
    near = [min(1.0, max(0.0, rng.gauss(score, 0.08))) for _ in range(6)]
    near[0] = score
    levels = [BUCKET_LEVELS[min(3, int(value * 4))] for value in near]
    return Section(
        section=0, start_s=0.0, finish_s=42.5, transcript="The north wind and the sun were disputing.",
        mental_strain=near[0], uniform_distress=near[1], uniform_stress=near[2], uniform_exhaustion=near[3],
        uniform_sleep_propensity=near[4], uniform_low_self_esteem=near[5], distress=levels[1], stress=levels[2],
        exhaustion=levels[3], sleep_propensity=levels[4], low_self_esteem=levels[5],
    )  # fmt: skip


def _step(
    store: Store,
    run_id: int,
    state: RunState,
    *,
    changes: dict[str, object] | dict[str, str] | None = None,
    answer: tuple[str, str] | None = None,
    sections: list[Section] | None = None,
) -> None:
    before = load_run(store, run_id).state
    moved = advance_run(
        store, run_id, expect={before}, state=state, changes=changes or {}, answer=answer, sections=sections
    )
    assert moved, f"run {run_id} is not {before} any more"
