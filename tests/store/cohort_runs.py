"""Runs of a small cohort, and a second opinion on what the store says of them, worked out with other means."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

import pandas as pd

from heliograph.store import (
    CONTINUOUS_COLUMNS,
    DAY_PARTS,
    LEVEL_COLUMNS,
    NOT_SET,
    NewRun,
    RunKind,
    RunState,
    Section,
    Store,
    add_run,
    advance_run,
    save_participant,
)

SEED = 20263
BUCKETS = (0.0, 0.33, 0.66, 1.0)
BEGIN = datetime(2026, 2, 26, 3, 30)
ODD_TAG = 'with "quotes"'


@dataclass(frozen=True)
class Made:
    """What a run was made with, for a second opinion on what the store says."""

    participant_id: int
    session: datetime
    born: str
    sex: str
    language: str
    tags: dict[str, str]
    section: Section
    asleep: datetime | None


def fill(store: Store) -> list[Made]:
    """Runs of six participants over five weeks, with gaps of every kind."""
    chance = Random(SEED)
    runs = []
    for person in range(6):
        facts = {
            "date_of_birth": f"{1950 + 11 * person}-03-{5 + person:02d}",
            "birth_sex": ("FEMALE", "MALE")[person % 2],
            "language": ("en-GB", "de", "ja")[person % 3],
        }
        participant_id = save_participant(store, label=f"P-{9 - person}", **facts)
        for number in range(chance.randrange(8, 14)):
            session = BEGIN + timedelta(minutes=chance.randrange(5 * 7 * 24 * 60))
            tags = {"arm": "ab"[person % 2]} if number else {}
            if number % 3 == 0:
                tags[ODD_TAG] = "é"
            asleep = session - timedelta(hours=12) if number % 4 else None
            section = make_section(chance)
            run_id = add_run(
                store,
                NewRun(
                    submission_key=f"{person}-{number}",
                    kind=RunKind.UPLOAD,
                    participant_id=participant_id,
                    recorded_local=session.isoformat(),
                    asleep_local=None if asleep is None else asleep.isoformat(),
                    awake_local=None if asleep is None else (asleep + timedelta(hours=7.5)).isoformat(),
                    tags=tags,
                    **facts,
                ),
            )
            finish(store, run_id, section)
            runs.append(
                Made(
                    participant_id, session, facts["date_of_birth"], facts["birth_sex"], facts["language"], tags,
                    section, asleep,
                )
            )  # fmt: skip
        waiting = NewRun(submission_key=f"{person}", kind=RunKind.UPLOAD, participant_id=participant_id, **facts)
        add_run(store, waiting)
        failed = add_run(store, replace(waiting, submission_key=f"{person} failed"))
        advance_run(store, failed, expect=list(RunState), state=RunState.COMPLETE_ERROR)
    return runs


def make_section(chance: Random) -> Section:
    """Scores, some of them missing."""
    scores = {name: chance.choice([None, chance.random(), chance.random()]) for name in CONTINUOUS_COLUMNS}
    scores["uniform_stress"] = chance.random()
    levels = {name: chance.choice([None, *BUCKETS]) for name in LEVEL_COLUMNS}
    return Section(section=0, start_s=0, finish_s=1, **scores, **levels)


def finish(store: Store, run_id: int, section: Section) -> None:
    """Gives a run its result."""
    advance_run(store, run_id, expect=list(RunState), state=RunState.COMPLETE_OK, sections=[section])


def name_group(run: Made, group: str) -> str:
    """The run's group, worked out with other means than the store's."""
    if group.startswith("tag:"):
        return run.tags.get(group.removeprefix("tag:"), NOT_SET)
    born = datetime.fromisoformat(run.born)
    age = run.session.year - born.year - ((run.session.month, run.session.day) < (born.month, born.day))
    bands = {"under 18": (0, 18), "18-29": (18, 30), "30-39": (30, 40), "40-49": (40, 50), "50-59": (50, 60)}
    return {
        "none": "all",
        "birth_sex": run.sex,
        "language": run.language,
        "age_band": next((name for name, (low, high) in bands.items() if low <= age < high), "60+"),
        "week": (run.session - timedelta(days=run.session.weekday())).date().isoformat(),
        "weekday": run.session.strftime("%A"),
        "day_part": DAY_PARTS[run.session.hour // 6],
    }[group]


def to_frame(runs: list[Made], group: str) -> pd.DataFrame:
    """The runs as a frame of scores with their group and week."""
    rows = [
        {
            "participant_id": run.participant_id,
            "group": name_group(run, group),
            "week": pd.Timestamp(run.session - timedelta(days=run.session.weekday())).normalize(),
            "session_local": run.session,
            **{name: getattr(run.section, name) for name in (*CONTINUOUS_COLUMNS, *LEVEL_COLUMNS)},
        }
        for run in runs
    ]
    return pd.DataFrame(rows).astype(dict.fromkeys((*CONTINUOUS_COLUMNS, *LEVEL_COLUMNS), "float64"))
