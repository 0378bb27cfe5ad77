"""A simulated pilot study: what the analysis pages, their tests and their benches look at.

    python -m tests.pilot HOME

People in two arms record three to five times a week, some of it twice within minutes; they work day and night
fortnights, sleep accordingly and answer ratings and questionnaires. What is true is known: arm B gets better week
by week (`TREATMENT_PER_WEEK`), nights make tired (`NIGHT_SHIFT`), an hour less sleep costs (`PER_HOUR_SLEPT`), one
person drifts away, one changes the microphone, one's date of birth is corrected halfway. The same seed and last
day give the same scores.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np

from heliograph.store import (
    NewQuestionnaire,
    Store,
    add_event,
    import_questionnaires,
    load_study_settings,
    save_participant,
    save_study_settings,
)
from thymia_api import BIOMARKERS, BUCKET_LEVELS

DRIFTING, NEW_MICROPHONE, CORRECTED, AWAY = 2, 4, 6, 8
"""Numbers (from 0) of the people with something of their own to see: P-003, P-005, P-007 and P-009."""

STRESS, EXHAUSTION, SLEEP_PROPENSITY = 2, 3, 4  # Places in `BIOMARKERS`.

# On the scale of the logit of a score, mental strain first.
PERSON_SD, DAY_SD, RECORDING_SD = 0.8, 0.35, 0.2
TREATMENT_PER_WEEK = (-0.08, -0.06, -0.10, -0.05, 0.0, -0.04)
NIGHT_SHIFT = (0.10, 0.05, 0.15, 0.45, 0.60, 0.0)
PER_HOUR_SLEPT = (-0.10, -0.05, -0.08, -0.20, -0.25, 0.0)
MEAN = (-0.6, -0.8, -0.4, -0.3, -0.5, -0.9)
DRIFT_PER_DAY = 0.06
DRIFT_FROM_SHARE = 0.55
USUAL_SLEEP_H = 7.2
WEEK_DAYS = 7

GOOD = {"echo_cancellation": "off", "noise_suppression": "off", "auto_gain_control": "off"}
PROCESSED = {"echo_cancellation": "on", "noise_suppression": "on", "auto_gain_control": "on"}


@dataclass(frozen=True)
class Person:
    """Who records, and what is true of them."""

    number: int
    id: int
    arm: str
    date_of_birth: str
    birth_sex: str
    language: str
    level: np.ndarray
    weekdays: tuple[int, ...]
    chronotype_h: float


@dataclass(frozen=True)
class Session:
    """One recording of a person: when, under what circumstances, and what came of it."""

    person: Person
    at: datetime
    asleep: datetime
    awake: datetime
    week: float
    night: bool
    true_level: np.ndarray
    state: str = "complete_ok"
    warned: bool = False
    facts: dict[str, object] = field(default_factory=dict)
    sleep_known: bool = True


def fill_pilot(
    store: Store, *, participants: int = 12, weeks: int = 8, seed: int = 1, until: date | None = None
) -> list[int]:
    """Write the pilot into an empty store and return the participants' ids; its last day is the day before
    `until` (today)."""
    rng = np.random.default_rng(seed)
    last = until or date.today()
    first = last - timedelta(days=weeks * WEEK_DAYS)
    people = [_add_person(store, number, rng) for number in range(participants)]
    sessions = [session for person in people for session in _make_sessions(person, first, weeks, rng)]
    sessions.sort(key=lambda session: (session.at, session.person.id))
    _write_sessions(store, sessions, seed, rng)
    _write_self_report(store, people, first, weeks, np.random.default_rng([seed, 1]))
    _write_events(store, people, first, weeks)
    return [person.id for person in people]


def _add_person(store: Store, number: int, rng: np.random.Generator) -> Person:
    birth_year = 1958 + int(rng.integers(0, 48))
    facts = {
        "date_of_birth": f"{birth_year}-{1 + number % 12:02d}-01",
        "birth_sex": ("FEMALE", "MALE")[(number // 2) % 2],
        "language": ("en-GB", "en-US", "es-US")[number % 3],
    }
    person_id = save_participant(store, label=f"P-{number + 1:03d}", accent=None, **facts)
    shared = rng.normal(0, PERSON_SD)
    return Person(
        number=number,
        id=person_id,
        arm="AB"[number % 2],
        level=np.array(MEAN) + 0.7 * shared + rng.normal(0, 0.6 * PERSON_SD, len(MEAN)),
        weekdays=tuple(sorted(rng.choice(7, size=int(rng.integers(3, 6)), replace=False).tolist())),
        chronotype_h=float(rng.normal(0, 0.8)),
        **facts,
    )


def _make_sessions(person: Person, first: date, weeks: int, rng: np.random.Generator) -> Iterator[Session]:
    shift_turn = person.number // 2 % 2
    for day_number in range(weeks * WEEK_DAYS):
        day = first + timedelta(days=day_number)
        week = day_number / WEEK_DAYS
        absent = person.number == AWAY and weeks / 2 <= week < weeks / 2 + 1.5
        if day.weekday() not in person.weekdays or absent or rng.random() < 0.08:
            continue
        session = _make_session(person, day, week, (int(week) // 2 + shift_turn) % 2 == 1, weeks, rng)
        yield session
        if rng.random() < 0.15:
            later = session.at + timedelta(minutes=int(rng.integers(3, 11)), seconds=int(rng.integers(0, 60)))
            yield Session(**{**vars(session), "at": later, "state": "complete_ok"})


def _make_session(
    person: Person, day: date, week: float, night: bool, weeks: int, rng: np.random.Generator
) -> Session:
    midnight = datetime(day.year, day.month, day.day)
    free = day.weekday() >= 5
    if night and not free:
        asleep_h, slept_h = 8.3 + rng.normal(0, 0.5), 6.0 + rng.normal(0, 0.9)
    else:
        asleep_h = -0.6 + person.chronotype_h + 1.1 * free + rng.normal(0, 0.5)
        slept_h = USUAL_SLEEP_H + 0.7 * free + rng.normal(0, 0.8)
    slept_h = float(np.clip(slept_h, 2.5, 11))
    awake_h = asleep_h + slept_h
    at = midnight + timedelta(hours=awake_h + 1 + rng.exponential(2.0 if not night else 1.0))
    at = min(at, midnight + timedelta(hours=23, minutes=40)).replace(second=0, microsecond=0)
    drift = max(0.0, week - DRIFT_FROM_SHARE * weeks) * WEEK_DAYS * DRIFT_PER_DAY
    level = (
        person.level
        + np.array(NIGHT_SHIFT) * night
        + np.array(PER_HOUR_SLEPT) * (slept_h - USUAL_SLEEP_H)
        + (np.array(TREATMENT_PER_WEEK) * week if person.arm == "B" else 0)
        + (drift if person.number == DRIFTING else 0)
        + 0.6 * rng.normal(0, DAY_SD)
        + 0.8 * rng.normal(0, DAY_SD, len(MEAN))
    )
    chance = rng.random()
    state = "complete_error" if chance < 0.025 else "failed" if chance < 0.035 else "complete_ok"
    return Session(
        person=person, at=at, asleep=_to_minute(midnight, asleep_h), awake=_to_minute(midnight, awake_h),
        week=week, night=night, true_level=level, state=state, warned=bool(rng.random() < 0.06),
        facts=_make_facts(person, week, weeks, rng), sleep_known=bool(rng.random() > 0.06),
    )  # fmt: skip


def _make_facts(person: Person, week: float, weeks: int, rng: np.random.Generator) -> dict[str, object]:
    """What was measured about the recording; one person's second microphone is narrow, noisy and processed."""
    changed = person.number == NEW_MICROPHONE and week >= weeks / 2
    return {
        "source": "builtin" if changed else "upload" if person.number % 5 == 3 else "webrtc",
        "duration_s": round(float(rng.uniform(38, 62)), 2),
        "speech_s": round(float(rng.uniform(26, 36)), 2),
        "level_dbfs": round(float(rng.normal(-23, 2)), 2),
        "peak_dbfs": round(float(rng.uniform(-9, -2)), 2),
        "snr_db": round(float(rng.normal(12 if changed else 29, 2)), 2),
        "bandwidth_hz": round(float(rng.normal(3500 if changed else 11000, 150)), 0),
        "sample_rate_hz": 16000 if changed else 48000,
        "processing": json.dumps(PROCESSED if changed else GOOD),
    }


def _to_minute(midnight: datetime, hours: float) -> datetime:
    return (midnight + timedelta(hours=hours)).replace(second=0, microsecond=0)


def _write_sessions(store: Store, sessions: list[Session], seed: int, rng: np.random.Generator) -> None:
    """One transaction of plain rows; the store's triggers derive everything else."""
    with store.write() as db:
        for number, session in enumerate(sessions):
            recording_id = hashlib.sha256(f"pilot {seed} {number}".encode()).hexdigest()
            _insert(db, "recordings", _make_recording(session, recording_id))
            run_id = _insert(db, "runs", _make_run(store, session, recording_id, seed, number))
            tags = {"arm": session.person.arm, "shift": "night" if session.night else "day"}
            for name, value in tags.items():
                local = _to_text(session.at)
                _insert(db, "tags", {"run_id": run_id, "name": name, "value": value, "session_local": local})
            _insert(db, "run_events", {"run_id": run_id, "at_utc": _to_utc(session.at), "state": "queued"})
            done = {"run_id": run_id, "at_utc": _to_utc(session.at, 2), "state": session.state}
            _insert(db, "run_events", done)
            if session.state == "complete_ok":
                _insert(db, "results", {"run_id": run_id} | _make_scores(session, rng))
            if number % 12 != 11:  # Some ratings are not given.
                for scale, value in _make_ratings(session, number).items():
                    _insert(db, "ratings", {"run_id": run_id, "scale": scale, "value": value})


def _write_self_report(
    store: Store, people: list[Person], first: date, weeks: int, rng: np.random.Generator
) -> None:
    """Questionnaires at the beginning, in the middle and at the end; the ready-made ratings are asked for."""
    rows = []
    for person in people:
        for instrument, highest, at in (("PSS-10", 40, STRESS), ("ISI", 28, SLEEP_PROPENSITY)):
            for share in (0.02, 0.5, 0.97):
                day = first + timedelta(days=int(share * weeks * WEEK_DAYS))
                better = TREATMENT_PER_WEEK[at] * share * weeks if person.arm == "B" else 0
                true = 1 / (1 + np.exp(-(person.level[at] + better)))
                score = float(np.clip(round(highest * true + rng.normal(0, 0.08 * highest)), 0, highest))
                answered = NewQuestionnaire(
                    participant_id=person.id, answered_local=day.isoformat(), instrument=instrument, score=score
                )
                rows.append(answered)
    import_questionnaires(store, rows, source="pilot.csv")
    settings = replace(load_study_settings(store), rating_scales=("stress_0_10", "energy_0_10", "kss"))
    save_study_settings(store, settings)


def _write_events(store: Store, people: list[Person], first: date, weeks: int) -> None:
    def day(share: float) -> str:
        return (first + timedelta(days=int(share * weeks * WEEK_DAYS))).isoformat()

    add_event(store, participant_id=None, on_local=day(0.6), kind="exam", note="Written exam of the whole course")
    for number, kind, share, note in (
        (DRIFTING, "medication", 0.4, "Began a new medication"),
        (0, "shift change", 0.25, "First night fortnight"),
    ):
        if number < len(people):
            add_event(store, participant_id=people[number].id, on_local=day(share), kind=kind, note=note)


def _make_ratings(session: Session, number: int) -> dict[str, float]:
    """What the person would say: the true level behind the scores, their own habit of answering, and noise."""
    rng = np.random.default_rng([number, session.person.number])
    habit = np.random.default_rng([session.person.number]).normal(0, 0.5, len(MEAN))
    above = session.true_level - np.array(MEAN) + habit + rng.normal(0, 0.5, len(MEAN))
    return {
        "stress_0_10": float(np.clip(round(4.5 + 2.2 * above[STRESS]), 0, 10)),
        "energy_0_10": float(np.clip(round(6 - 2.0 * above[EXHAUSTION]), 0, 10)),
        "kss": float(np.clip(round(4.5 + 1.6 * above[SLEEP_PROPENSITY]), 1, 9)),
    }


def _make_recording(session: Session, recording_id: str) -> dict[str, object]:
    return session.facts | {
        "id": recording_id, "file_name": f"{recording_id}.flac", "media_type": "audio/flac",
        "byte_size": 1_200_000, "clipped_share": 0.0, "missing_share": 0.0, "channels": 1,
        "wall_clock_s": session.facts["duration_s"], "created_utc": _to_utc(session.at),
        "purged_utc": _to_utc(session.at, 60),
    }  # fmt: skip


def _make_run(store: Store, session: Session, recording_id: str, seed: int, number: int) -> dict[str, object]:
    person = session.person
    corrected = person.number == CORRECTED and session.week >= 4
    run: dict[str, object] = {
        "submission_key": f"pilot-{seed}-{number}", "kind": "upload", "participant_id": person.id,
        "recording_id": recording_id, "synthetic": int(store.synthetic),
        "date_of_birth": "1971-03-01" if corrected else person.date_of_birth, "birth_sex": person.birth_sex,
        "language": person.language, "session_local": _to_text(session.at), "recorded_local": _to_text(session.at),
        "delete_data": 0, "state": session.state, "thymia_id": f"00000000-0000-4000-9{seed:03d}-{number:012d}",
        "thymia_status": session.state.upper(), "queued_utc": _to_utc(session.at),
        "created_utc": _to_utc(session.at), "run_utc": _to_utc(session.at, 1),
        "completed_utc": _to_utc(session.at, 2),
        "warnings": json.dumps(["Background noise is high."] if session.warned else []),
    }  # fmt: skip
    if session.sleep_known:
        run |= {"asleep_local": _to_text(session.asleep), "awake_local": _to_text(session.awake)}
    if session.state == "complete_error":
        run |= {"error_code": "ERR_RECORDING_TOO_SHORT", "error_reason": "Too little speech."}
    if session.state == "failed":
        run |= {"failure": "recording_missing"}
    return run


def _make_scores(session: Session, rng: np.random.Generator) -> dict[str, object]:
    level = session.true_level + rng.normal(0, RECORDING_SD, len(MEAN))
    scores = dict(zip(BIOMARKERS, (1 / (1 + np.exp(-level))).round(4).tolist(), strict=True))
    row: dict[str, object] = {"section": 0, "start_s": 0.0, "finish_s": session.facts["duration_s"]}
    for biomarker, score in scores.items():
        row[biomarker.continuous] = score
        if biomarker.bucketed:
            row[biomarker.bucketed] = BUCKET_LEVELS[min(3, int(score * 4))]
    return row


def _insert(db: object, table: str, row: dict[str, object]) -> int:
    marks = ", ".join("?" * len(row))
    sql = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"
    return int(db.conn.execute(sql, list(row.values())).lastrowid)  # type: ignore[attr-defined]


def _to_text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}"


def _to_utc(moment: datetime, minutes: int = 0) -> str:
    return f"{moment + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%S}.000Z"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.pilot", description=__doc__)
    parser.add_argument("home", type=Path, help="a HELIOGRAPH_HOME; its sandbox workspace is filled")
    parser.add_argument("--participants", type=int, default=12)
    parser.add_argument("--weeks", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with Store.open(chosen.home / "sandbox", workspace="sandbox", synthetic=True) as store:
        people = fill_pilot(store, participants=chosen.participants, weeks=chosen.weeks, seed=chosen.seed)
    print(f"{len(people)} participants in {chosen.home / 'sandbox'}")


if __name__ == "__main__":
    main()
