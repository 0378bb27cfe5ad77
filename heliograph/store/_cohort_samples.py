"""Runs of a cohort one by one, for models: of everybody while that is few enough, else of a seeded sample of whole
participants. And self-report beside the scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from heliograph.store._cohort import (
    CONTINUOUS_COLUMNS,
    EVERY_RESULT,
    LEVEL_COLUMNS,
    CohortFilter,
    CohortQuery,
    build_group,
    build_query,
    build_rating,
    list_ids,
    name_groups,
)
from heliograph.store._database import Store
from heliograph.store._frames import build_frame, fetch_columns
from heliograph.store._rows import select_rows
from heliograph.store._study_records import ParticipantChange

if TYPE_CHECKING:
    import pandas as pd
    from sqlite_utils import Database

MAX_ROWS = 50_000
_KEYS = {"participant_id": "p.id", "session_local": "c.day * 1440 + c.minute"}  # in minutes
_SCORES = {name: f"c.{name}" for name in CONTINUOUS_COLUMNS}
_LEVELS = {name: f"c.{name}" for name in LEVEL_COLUMNS}
_SLEEP = {name: f"c.{name}" for name in ("sleep_h", "hours_awake", "mid_sleep_h")}
_RUNS = " CROSS JOIN runs AS r ON r.id = c.run_id"
_HAS_SLEEP = "(c.sleep_h IS NOT NULL OR c.hours_awake IS NOT NULL)"
QUESTIONNAIRE_PAIRS = f"""
    SELECT q.participant_id, q.answered_local, q.score, count(c.run_id),
        {", ".join(f"avg(c.{name})" for name in CONTINUOUS_COLUMNS)}
    FROM questionnaires AS q INDEXED BY questionnaires_instrument LEFT JOIN cohort AS c
        ON c.participant_id = q.participant_id
        AND c.day >= CAST(strftime('%s', date(q.answered_local)) AS INTEGER) / 86400 - :within
        AND c.day <= CAST(strftime('%s', date(q.answered_local)) AS INTEGER) / 86400 + :within
    WHERE q.instrument = :instrument GROUP BY q.id ORDER BY 1, 2
"""  # noqa: S608 - names are the store's own
LABELS = "SELECT p.id, p.label FROM json_each(:ids) AS j CROSS JOIN participants AS p ON p.id = j.value"
CHANGES = """
    SELECT * FROM (
        SELECT run_id, session_local, row_number() OVER runs AS number,
            date_of_birth, lag(date_of_birth) OVER runs AS was_born,
            birth_sex, lag(birth_sex) OVER runs AS was_sex,
            language, lag(language) OVER runs AS was_language,
            accent, lag(accent) OVER runs AS was_accent
        FROM trend WHERE participant_id = :participant WINDOW runs AS (ORDER BY session_local, run_id)
    ) WHERE number > 1 AND (date_of_birth IS NOT was_born OR birth_sex IS NOT was_sex
        OR language IS NOT was_language OR accent IS NOT was_accent)
"""
_CHANGING = (
    ("date_of_birth", "was_born"),
    ("birth_sex", "was_sex"),
    ("language", "was_language"),
    ("accent", "was_accent"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """How much of what there is a frame holds; `sampled` when not all of it. Participants are whole."""

    n_participants: int
    n_runs: int
    n_participants_total: int
    n_runs_total: int

    @property
    def sampled(self) -> bool:
        """Whether something was left out."""
        return self.n_runs < self.n_runs_total


def load_cohort_runs(
    store: Store,
    cohort_filter: CohortFilter = EVERY_RESULT,
    *,
    group: str = "none",
    limit: int = MAX_ROWS,
    seed: int = 1,
) -> tuple[pd.DataFrame, Sample]:
    """The runs in the filter by participant and session: `participant_id`, `session_local` (to the minute),
    `group`, the scores of `CONTINUOUS_COLUMNS`, the levels of `LEVEL_COLUMNS` (0 to 3 as float, NaN where there
    is none), `sleep_h`, `hours_awake` and `mid_sleep_h`. When there are more than `limit`, those of participants
    drawn with `seed`."""

    def build(participant_ids: Sequence[int] | None) -> CohortQuery:
        return build_query(cohort_filter, participant_ids=participant_ids)

    with store.read() as db:
        query, sample = _draw(db, build, limit, seed)
        groups = build_group(query, group) or "NULL"
        wanted = _KEYS | {"group": groups} | _SCORES | _LEVELS | _SLEEP
        return _fetch(db, query, wanted, group=group), sample


def load_sleep_rows(
    store: Store, cohort_filter: CohortFilter = EVERY_RESULT, *, limit: int = MAX_ROWS, seed: int = 1
) -> tuple[pd.DataFrame, Sample]:
    """The runs in the filter whose sleep or waking is known: `participant_id`, `session_local`, `asleep_local`,
    `awake_local`, `sleep_h`, `hours_awake`, `mid_sleep_h` and the scores of `CONTINUOUS_COLUMNS`; sampled like
    `load_cohort_runs`."""

    def build(participant_ids: Sequence[int] | None) -> CohortQuery:
        query = build_query(cohort_filter, participant_ids=participant_ids)
        query.conditions.append(_HAS_SLEEP)
        return query

    with store.read() as db:
        query, sample = _draw(db, build, limit, seed)
        times = {"asleep_local": "r.asleep_local", "awake_local": "r.awake_local"}
        return _fetch(db, query, _KEYS | times | _SLEEP | _SCORES, joined=_RUNS), sample


def load_rating_pairs(
    store: Store,
    scale: str,
    cohort_filter: CohortFilter = EVERY_RESULT,
    *,
    limit: int = MAX_ROWS,
    seed: int = 1,
) -> tuple[pd.DataFrame, Sample]:
    """The runs in the filter that were rated on `scale`: `participant_id`, `session_local`, `value` (the rating)
    and the scores of `CONTINUOUS_COLUMNS`; sampled like `load_cohort_runs`."""

    def build(participant_ids: Sequence[int] | None) -> CohortQuery:
        query = build_query(cohort_filter, participant_ids=participant_ids)
        query.conditions += ["c.ratings <> '{}'", f"{build_rating(query, scale)} IS NOT NULL"]
        return query

    with store.read() as db:
        query, sample = _draw(db, build, limit, seed)
        wanted = _KEYS | {"value": build_rating(query, scale)} | _SCORES
        return _fetch(db, query, wanted), sample


def load_questionnaire_pairs(store: Store, instrument: str, *, within_days: int = 3) -> pd.DataFrame:
    """Each questionnaire of the instrument with the runs of at most `within_days` days before or after its day:
    `participant_id`, `answered_local`, `score`, `n_runs` and the runs' mean of each of `CONTINUOUS_COLUMNS` (NaN
    without any). ValueError for a negative number of days."""
    if within_days < 0:
        raise ValueError(f"the number of days cannot be negative ({within_days})")
    names = ("participant_id", "answered_local", "score", "n_runs", *CONTINUOUS_COLUMNS)
    parameters = {"instrument": instrument, "within": within_days}
    with store.read() as db:
        columns, _ = fetch_columns(db, QUESTIONNAIRE_PAIRS, parameters, names)
    return build_frame(columns)


def load_labels(store: Store, participant_ids: Sequence[int]) -> dict[int, str]:
    """The participants' labels by id."""
    with store.read() as db:
        rows = select_rows(db, LABELS, {"ids": list_ids(participant_ids)})
    return {row["id"]: row["label"] for row in rows}


def load_participant_changes(store: Store, participant_id: int) -> list[ParticipantChange]:
    """Where a run of the participant was sent with another date of birth, birth sex, language or accent than the
    run before, by session."""
    with store.read() as db:
        rows = select_rows(db, CHANGES, {"participant": participant_id})
    return [
        ParticipantChange(
            run_id=row["run_id"], session_local=row["session_local"], column=name, before=row[was], after=row[name]
        )
        for row in rows
        for name, was in _CHANGING
        if row[name] != row[was]
    ]


def build_rows(
    query: CohortQuery, expressions: Mapping[str, str], *, joined: str = ""
) -> tuple[str, dict[str, Any]]:
    """The query of the runs with the columns `expressions`."""
    return f"SELECT {', '.join(expressions.values())} FROM {query.source}{joined}", query.parameters  # noqa: S608


def build_counts(query: CohortQuery) -> tuple[str, dict[str, Any]]:
    """The query of each participant's number of runs."""
    return f"SELECT p.id, count(*) FROM {query.source} GROUP BY p.id", query.parameters  # noqa: S608


def _draw(
    db: Database, build: Callable[[Sequence[int] | None], CohortQuery], limit: int, seed: int
) -> tuple[CohortQuery, Sample]:
    """The question that `build` makes for everybody (None) or, when that gives more than `limit` runs, for as many
    participants, drawn at random, as have no more than that together."""
    import numpy as np

    query = build(None)
    counts = np.array(db.conn.execute(*build_counts(query)).fetchall(), dtype=np.int64).reshape(-1, 2)
    total = int(counts[:, 1].sum())
    drawn = counts
    if total > limit:
        drawn = counts[np.random.default_rng(seed).permutation(len(counts))]
        drawn = drawn[np.cumsum(drawn[:, 1]) <= limit]
        query = build(drawn[:, 0].tolist())
    sample = Sample(
        n_participants=len(drawn),
        n_runs=int(drawn[:, 1].sum()),
        n_participants_total=len(counts),
        n_runs_total=total,
    )
    return query, sample


def _fetch(
    db: Database, query: CohortQuery, expressions: Mapping[str, str], *, group: str = "none", joined: str = ""
) -> pd.DataFrame:
    """The runs with the columns `expressions`, by participant and session."""
    sql, parameters = build_rows(query, expressions, joined=joined)
    columns, groups = fetch_columns(db, sql, parameters, list(expressions))
    if "group" in columns:
        columns["group"] = name_groups(group, columns["group"], groups)
    # cohort is stored by day and number of the run
    return build_frame(columns).sort_values(["participant_id", "session_local"], kind="stable", ignore_index=True)
