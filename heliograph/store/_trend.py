"""One participant's runs over time as a frame, for charts, analysis and the CSV that people download. Triggers
keep the rows in a table of its own, clustered by participant and session: a trend is one stretch of pages, read in
order, however many runs there are besides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from heliograph.store._database import Store
from heliograph.store._records import SCORE_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

_RUN_COLUMNS = (
    "synthetic",
    "kind",
    "state",
    "failure",
    "error_code",
    "warnings",
    "asleep_local",
    "awake_local",
    "recorded_local",
    "language",
    "accent",
    "queued_utc",
    "completed_utc",
    "quality_override",
)
_QUALITY_COLUMNS = (
    "duration_s",
    "speech_s",
    "level_dbfs",
    "peak_dbfs",
    "clipped_share",
    "snr_db",
    "bandwidth_hz",
    "missing_share",
)
_ANALYSIS_COLUMNS = ("processing", "sample_rate_hz", "date_of_birth", "birth_sex", "ratings")
_NUMBERS = frozenset({*SCORE_COLUMNS, *_QUALITY_COLUMNS, "sample_rate_hz"})
_LOCAL_TIMES = ("session_local", "asleep_local", "awake_local", "recorded_local")
_UTC_TIMES = ("queued_utc", "completed_utc")
TREND_COLUMNS = (
    "run_id",
    "session_local",
    *_RUN_COLUMNS,
    "tags",
    *SCORE_COLUMNS,
    "source",
    *_QUALITY_COLUMNS,
    *_ANALYSIS_COLUMNS,
)
"""The columns of a trend frame, in order."""

TREND = (
    f"SELECT {', '.join(TREND_COLUMNS)} FROM trend"  # noqa: S608 - names are the store's own
    " WHERE participant_id = :participant AND session_local >= :since AND session_local < :until"
    " ORDER BY session_local, run_id"
)
_BEGINNING = ""
_END = "~"  # sorts after every digit


def load_trend(
    store: Store, participant_id: int, *, since_local: str | None = None, until_local: str | None = None
) -> pd.DataFrame:
    """Every run of the participant, whatever became of it, one row each by session time: the columns of
    `TREND_COLUMNS`. `since_local` is inclusive, `until_local` exclusive. Scores are those of the first
    section.

    Scores and quality are float64 (NaN where there is none), `*_local` naive and `*_utc` aware datetimes,
    `synthetic` bool; `tags` and `ratings` are JSON objects, `processing` one or missing and `warnings` a JSON
    list or missing, all as text. Without runs the frame has the same columns and types.
    """
    import numpy as np
    import pandas as pd

    parameters = {"participant": participant_id, "since": since_local or _BEGINNING, "until": until_local or _END}
    with store.read() as db:
        rows = db.conn.execute(TREND, parameters).fetchall()
    values: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) or [()] * len(TREND_COLUMNS)
    columns: dict[str, Any] = {}
    text = pd.StringDtype(na_value=np.nan)  # made once: that is most of a short column's cost
    for name, column in zip(TREND_COLUMNS, values, strict=True):
        if name in _NUMBERS:
            columns[name] = np.array(column, dtype=np.float64)  # None becomes NaN
        elif name in _LOCAL_TIMES:
            columns[name] = np.array(column, dtype="datetime64[ms]")  # None becomes NaT
        elif name in _UTC_TIMES:
            times = np.array([None if text is None else text[:-1] for text in column], dtype="datetime64[ms]")
            columns[name] = pd.DatetimeIndex(times, tz="UTC")
        elif name == "run_id":
            columns[name] = np.array(column, dtype=np.int64)
        elif name == "synthetic":
            columns[name] = np.array(column, dtype=np.bool_)
        else:
            columns[name] = pd.array(np.array(column, dtype=object), dtype=text)
    return pd.DataFrame(columns, copy=False)
