"""Participants: saving by label, and a search that finds a label by the beginning of it or of any part of
it."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from heliograph.store._database import Store
from heliograph.store._errors import UnknownRecordError
from heliograph.store._records import Participant
from heliograph.store._rows import select_rows, select_value, to_participant
from heliograph.store._times import now_utc_text

if TYPE_CHECKING:
    from sqlite_utils import Database

_LAST_CHARACTER = "\U0010ffff"
_SAVE = """
    INSERT INTO participants (label, date_of_birth, birth_sex, language, accent, created_utc, updated_utc)
    VALUES (:label, :date_of_birth, :birth_sex, :language, :accent, :now, :now)
    ON CONFLICT (label) DO UPDATE SET date_of_birth = excluded.date_of_birth, birth_sex = excluded.birth_sex,
        language = excluded.language, accent = excluded.accent, updated_utc = excluded.updated_utc
    RETURNING id
"""
SEARCH_PARTICIPANTS = """
    SELECT * FROM participants WHERE id IN (
        SELECT participant_id FROM participant_words WHERE word >= :first AND word < :last
    ) ORDER BY label LIMIT :limit
"""
RECENT_PARTICIPANTS = (
    "SELECT * FROM participants WHERE updated_utc > '' ORDER BY updated_utc DESC, id DESC LIMIT :limit"
)


def save_participant(
    store: Store, *, label: str, date_of_birth: str, birth_sex: str, language: str, accent: str | None = None
) -> int:
    """Adds the participant called `label`, or updates the one there is; returns its id. Labels are compared
    exactly, as thymia does; `date_of_birth` is `YYYY-MM-DD`."""
    values = {
        "label": label,
        "date_of_birth": date_of_birth,
        "birth_sex": str(birth_sex),
        "language": str(language),
        "accent": None if accent is None else str(accent),
        "now": now_utc_text(),
    }
    with store.write() as db:
        participant_id = int(db.conn.execute(_SAVE, values).fetchone()[0])
        add_words(db, participant_id, label)
    return participant_id


def load_participant(store: Store, participant_id: int) -> Participant:
    """The participant; raises `UnknownRecordError`."""
    with store.read() as db:
        rows = select_rows(db, "SELECT * FROM participants WHERE id = ?", (participant_id,))
    if not rows:
        raise UnknownRecordError(f"There is no participant {participant_id} in this workspace.")
    return to_participant(rows[0])


def load_participant_by_label(store: Store, label: str) -> Participant | None:
    """The participant with exactly this label, None when there is none."""
    with store.read() as db:
        rows = select_rows(db, "SELECT * FROM participants WHERE label = ?", (label,))
    return to_participant(rows[0]) if rows else None


def search_participants(store: Store, text: str = "", *, limit: int = 50) -> list[Participant]:
    """Participants whose label, or a part of it after a separator or between letters and digits, begins with
    `text` (case and leading zeros aside), by label. Without text, those saved last, newest first."""
    with store.read() as db:
        if not text.strip():
            return [to_participant(row) for row in select_rows(db, RECENT_PARTICIPANTS, {"limit": limit})]
        return [
            to_participant(row)
            for row in select_rows(db, SEARCH_PARTICIPANTS, search_range(text) | {"limit": limit})
        ]


def count_participants(store: Store) -> int:
    """How many there are, at the cost of one look-up."""
    with store.read() as db:
        return int(select_value(db, "SELECT n FROM totals WHERE name = 'participants'"))


def add_words(db: Database, participant_id: int, label: str) -> None:
    """Writes the words by which a label is found."""
    sql = "INSERT INTO participant_words (word, participant_id) VALUES (?, ?) ON CONFLICT DO NOTHING"
    db.conn.executemany(sql, [(word, participant_id) for word in split_label(label)])


def split_label(label: str) -> list[str]:
    """The folded label from each place on where a part of it begins: `Site-A 007` gives `site-a 007`, `a
    007`, `007` and, without leading zeros, `7`."""
    folded = _fold(label)
    words = [folded] if folded else []
    for part in re.finditer(r"\d+|[^\W\d_]+", folded):
        rest = folded[part.start() :]
        words += [rest, rest.lstrip("0") or rest]
    return list(dict.fromkeys(words))


def search_range(text: str) -> dict[str, object]:
    """The bounds of `word` for labels (or parts) that begin with `text`."""
    folded = _fold(text)
    return {"first": folded, "last": folded + _LAST_CHARACTER}


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()
