"""The overview: counts that triggers keep and short lists that indexes order, so it costs the same at any
size."""

from __future__ import annotations

from types import MappingProxyType

from heliograph.store._database import Store
from heliograph.store._records import Overview, RunState
from heliograph.store._rows import RUN_ROW_COLUMNS, RUN_ROW_JOINS, select_rows, select_value, to_run_row
from heliograph.store._times import now_utc_text

STATE_COUNTS = "SELECT state, n FROM state_counts"
RESULT_COUNT = "SELECT n FROM state_counts WHERE state = 'complete_ok'"
TOTALS = "SELECT name, n FROM totals"
LATEST_RESULTS = (
    f"SELECT {RUN_ROW_COLUMNS} FROM runs AS r INDEXED BY runs_state_completed {RUN_ROW_JOINS}"  # noqa: S608
    " WHERE r.state = 'complete_ok' AND r.completed_utc IS NOT NULL"
    " ORDER BY r.completed_utc DESC, r.id DESC LIMIT :limit"
)
ATTENTION = (
    f"SELECT {RUN_ROW_COLUMNS} FROM runs AS r INDEXED BY runs_attention {RUN_ROW_JOINS}"  # noqa: S608
    " WHERE r.needs_attention = 1 ORDER BY r.id DESC LIMIT :limit"
)
UPCOMING_DELETIONS = (
    f"SELECT {RUN_ROW_COLUMNS} FROM runs AS r INDEXED BY runs_deletion {RUN_ROW_JOINS}"  # noqa: S608
    " WHERE r.deletion_due_utc > :now AND r.purged_utc IS NULL ORDER BY r.deletion_due_utc LIMIT :limit"
)


def load_overview(store: Store, *, limit: int = 10, now_utc: str | None = None) -> Overview:
    """What is in the workspace, in one snapshot; each list has at most `limit` rows. Deletions are those that
    thymia will carry out after `now_utc` (now)."""
    parameters = {"limit": limit, "now": now_utc or now_utc_text()}
    with store.read() as db:
        counts = {row["state"]: row["n"] for row in select_rows(db, STATE_COUNTS)}
        totals = {row["name"]: row["n"] for row in select_rows(db, TOTALS)}
        latest = select_rows(db, LATEST_RESULTS, parameters)
        attention = select_rows(db, ATTENTION, parameters)
        deletions = select_rows(db, UPCOMING_DELETIONS, parameters)
    return Overview(
        state_counts=MappingProxyType({state: counts.get(state.value, 0) for state in RunState}),
        n_runs=sum(counts.values()),
        n_participants=totals["participants"],
        n_recordings=totals["recordings"],
        n_attention=totals["attention"],
        latest_results=tuple(to_run_row(row) for row in latest),
        attention=tuple(to_run_row(row) for row in attention),
        upcoming_deletions=tuple(to_run_row(row) for row in deletions),
    )


def count_results(store: Store) -> int:
    """How many runs have a result; costs the same at any size."""
    with store.read() as db:
        return int(select_value(db, RESULT_COUNT) or 0)
