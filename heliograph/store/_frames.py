"""Rows of a query as the columns of a frame, converted a stretch at a time: Python objects of a few hundred rows
exist at once, whatever the number of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from sqlite_utils import Database

ROWS_AT_ONCE = 500
WHOLE_NUMBERS = frozenset({"participant_id", "n_runs", "n_participants", "level"})
DAYS = frozenset({"period", "week", "first_day", "last_day"})
"""Columns that SQL gives as days since 1970-01-01."""
MINUTES = frozenset({"session_local"})
"""Columns that SQL gives as minutes since 1970-01-01."""
TEXT_TIMES = frozenset({"asleep_local", "awake_local", "answered_local"})
CODED = frozenset({"group"})
"""Columns of few different values, kept as numbers until they are named."""


def fetch_columns(
    db: Database, sql: str, parameters: Mapping[str, Any], names: Sequence[str]
) -> tuple[dict[str, np.ndarray[Any, Any]], list[Any]]:
    """The query's columns by name, ready for a frame but for `group`, whose values are numbers of the second thing
    returned: the different values, in the order in which they came. Columns of no set above are float64 (NaN
    where there is nothing)."""
    import numpy as np

    parts: dict[str, list[np.ndarray[Any, Any]]] = {name: [] for name in names}
    known: dict[Any, int] = {}
    cursor = db.conn.execute(sql, parameters)
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        for name, values in zip(names, zip(*rows, strict=True), strict=True):
            if name in TEXT_TIMES:
                part = np.array(values, dtype="datetime64[s]")  # None becomes NaT
            elif name in CODED:
                part = np.array([known.setdefault(value, len(known)) for value in values], dtype=np.int64)
            else:
                part = np.array(values, dtype=np.float64)  # None becomes NaN
            parts[name].append(part)
    empty = np.empty(0)
    columns = {name: _finish(name, np.concatenate(found) if found else empty) for name, found in parts.items()}
    return columns, list(known)


def build_frame(columns: Mapping[str, Any]) -> pd.DataFrame:
    """The columns as a frame that shares their memory."""
    import pandas as pd

    return pd.DataFrame(dict(columns), copy=False)


def _finish(name: str, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    import numpy as np

    if name in TEXT_TIMES:
        return values.astype("datetime64[s]")
    if name in WHOLE_NUMBERS or name in CODED:
        return values.astype(np.int64)
    if name in DAYS or name in MINUTES:
        unit = "datetime64[D]" if name in DAYS else "datetime64[m]"
        missing = np.isnan(values)
        times = np.where(missing, 0, values).astype(np.int64).astype(unit).astype("datetime64[s]")
        times[missing] = np.datetime64("NaT")
        return times
    return values
