"""Self-report: the ratings that came with a run, and totals of questionnaires that were imported."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from heliograph.store._database import Store
from heliograph.store._errors import ConstraintError
from heliograph.store._rows import select_rows, select_value
from heliograph.store._study_events import check_local
from heliograph.store._study_records import NewQuestionnaire
from heliograph.store._times import now_utc_text

if TYPE_CHECKING:
    import pandas as pd
    from sqlite_utils import Database

QUESTIONNAIRES = """
    SELECT q.participant_id, p.label, q.answered_local, q.instrument, q.score
    FROM questionnaires AS q JOIN participants AS p ON p.id = q.participant_id
"""
QUESTIONNAIRES_OF_ONE = f"{QUESTIONNAIRES} WHERE q.participant_id = :participant ORDER BY 1, 3, 4"
RATING_NAMES = """
    WITH RECURSIVE found (name) AS (
        SELECT min(scale) FROM ratings
        UNION ALL SELECT (SELECT min(scale) FROM ratings WHERE scale > found.name)
            FROM found WHERE found.name IS NOT NULL
    ) SELECT name FROM found WHERE name IS NOT NULL
"""
_KNOWN = (
    "SELECT score FROM questionnaires WHERE participant_id = :participant_id AND answered_local = :answered_local"
    " AND instrument = :instrument"
)
_SAVE = """
    INSERT INTO questionnaires (participant_id, answered_local, instrument, score, source, imported_utc)
    VALUES (:participant_id, :answered_local, :instrument, :score, :source, :now)
"""


def save_ratings(store: Store, run_id: int, ratings: Mapping[str, float]) -> None:
    """Makes `ratings` (by scale) those of the run; ValueError for a value that is no number,
    `ConstraintError` when there is no such run."""
    with store.write() as db:
        db.conn.execute("DELETE FROM ratings WHERE run_id = ?", (run_id,))
        add_ratings(db, run_id, ratings)


def add_ratings(db: Database, run_id: int, ratings: Mapping[str, float]) -> None:
    """Writes a run's ratings within a write block."""
    for scale, value in ratings.items():
        if not math.isfinite(value):
            raise ValueError(f"the rating {scale} must be a number, not {value}")
    rows = [(run_id, scale, float(value)) for scale, value in ratings.items()]
    db.conn.executemany("INSERT INTO ratings (run_id, scale, value) VALUES (?, ?, ?)", rows)


def load_ratings(store: Store, run_id: int) -> dict[str, float]:
    """The run's ratings by scale."""
    with store.read() as db:
        rows = select_rows(db, "SELECT scale, value FROM ratings WHERE run_id = ? ORDER BY scale", (run_id,))
    return {row["scale"]: row["value"] for row in rows}


def load_rating_scales(store: Store) -> list[str]:
    """The scales that there are ratings on, sorted; the cost grows with the scales, not with the runs."""
    with store.read() as db:
        return [row["name"] for row in select_rows(db, RATING_NAMES)]


def import_questionnaires(store: Store, rows: Sequence[NewQuestionnaire], *, source: str) -> int:
    """Adds questionnaires in one transaction and returns how many were new; one that is there already with the
    same score is left alone. `source` names the import, so that it can be taken back.

    Before anything is kept: ValueError for a score that is no number or a date that is none, `ConstraintError`
    for another score of the same participant, time and instrument, in the store or among `rows`, or for a
    participant who does not exist.
    """
    for row in rows:
        check_local(row.answered_local)
        if not math.isfinite(row.score):
            raise ValueError(f"the score of {row.instrument} on {row.answered_local} must be a number")
        if not row.instrument.strip():
            raise ValueError(f"the questionnaire of {row.answered_local} has no instrument")
    n_new = 0
    with store.write() as db:
        for row in rows:
            values: dict[str, object] = {
                "participant_id": row.participant_id,
                "answered_local": row.answered_local,
                "instrument": row.instrument,
                "score": float(row.score),
                "source": source,
                "now": now_utc_text(),
            }
            known = select_value(db, _KNOWN, values)
            if known is None:
                db.conn.execute(_SAVE, values)
                n_new += 1
            elif known != row.score:
                raise ConstraintError(
                    f"{row.instrument} of {row.answered_local} has the score {known:g} already, and {row.score:g}"
                    " contradicts it; nothing was imported.",
                    path=store.database_path,
                )
    return n_new


def load_questionnaires(store: Store, *, participant_id: int | None = None) -> pd.DataFrame:
    """Imported questionnaires by participant and time: `participant_id`, `participant` (the label),
    `answered_local` (naive datetime, midnight where only the day is known), `instrument`, `score`."""
    import numpy as np
    import pandas as pd

    sql = f"{QUESTIONNAIRES} ORDER BY 1, 3, 4" if participant_id is None else QUESTIONNAIRES_OF_ONE
    parameters = {} if participant_id is None else {"participant": participant_id}
    with store.read() as db:
        rows = db.conn.execute(sql, parameters).fetchall()
    ids, labels, times, instruments, scores = list(zip(*rows, strict=True)) or [()] * 5
    return pd.DataFrame(
        {
            "participant_id": np.array(ids, dtype=np.int64),
            "participant": pd.array(list(labels), dtype="str"),
            "answered_local": np.array(times, dtype="datetime64[ms]"),
            "instrument": pd.array(list(instruments), dtype="str"),
            "score": np.array(scores, dtype=np.float64),
        }
    )


def count_questionnaires(store: Store) -> int:
    """How many questionnaires were imported."""
    with store.read() as db:
        return int(select_value(db, "SELECT count(*) FROM questionnaires"))


def load_instruments(store: Store) -> list[str]:
    """The instruments of the imported questionnaires, sorted."""
    sql = "SELECT DISTINCT instrument FROM questionnaires ORDER BY instrument"
    with store.read() as db:
        return [row["instrument"] for row in select_rows(db, sql)]


def load_questionnaire_sources(store: Store) -> dict[str, int]:
    """How many questionnaires each import brought, by its name."""
    sql = "SELECT source, count(*) AS n FROM questionnaires GROUP BY source ORDER BY source"
    with store.read() as db:
        return {row["source"]: int(row["n"]) for row in select_rows(db, sql)}


def delete_questionnaires(store: Store, *, source: str) -> int:
    """Takes an import back and returns how many questionnaires that were."""
    with store.write() as db:
        return int(db.conn.execute("DELETE FROM questionnaires WHERE source = ?", (source,)).rowcount)


def find_participants_by_label(store: Store, labels: Iterable[str]) -> dict[str, int]:
    """The ids of the participants with exactly these labels; a label nobody has is missing."""
    found: dict[str, int] = {}
    with store.read() as db:
        for label in labels:
            known = select_value(db, "SELECT id FROM participants WHERE label = ?", (label,))
            if known is not None:
                found[label] = int(known)
    return found
