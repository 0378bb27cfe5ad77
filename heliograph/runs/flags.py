"""Keeping flags up to date: runs at which somebody left their own normal range.

The store notes whose results changed, and which method found its flags; here control charts are drawn anew, a few
people at a time. It costs milliseconds a person and runs in a thread, so that no run waits for it. pandas and the
analysis are imported when somebody is due, not before.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from heliograph.runs.threads import run_in_thread
from heliograph.store import (
    NewFlag,
    Store,
    StudySettings,
    load_flags_due,
    load_study_settings,
    load_trend,
    mark_flags_due_for_method,
    replace_flags,
    to_local_text,
)
from thymia_api import BIOMARKERS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["METHOD", "find_new_flags", "keep_flags_fresh", "refresh_flags", "refresh_participant_flags"]

_log = logging.getLogger(__name__)

BATCH = 5
"""People whose flags are found in one go, before anything else gets its turn."""
PAUSE_S = 0.2
"""Between two such goes while more people are due: runs come first."""

METHOD = "2026-11"
"""Names how flags are found: the code behind `find_flags`. A change that finds other flags from the same results
gets another name here; then everybody's are found anew, once."""

COLUMNS = tuple(biomarker.continuous for biomarker in BIOMARKERS)
_VERSION = "SELECT version FROM flags_due WHERE participant_id = ?"


def refresh_flags(store: Store, limit: int = BATCH) -> int:
    """Find the flags of up to `limit` participants whose results changed, or of everybody in turn when the method
    did; returns how many it were."""
    mark_flags_due_for_method(store, METHOD)
    due = load_flags_due(store, limit)
    if not due:
        return 0
    settings = load_study_settings(store)
    for entry in due:
        _refresh(store, entry.participant_id, entry.version, settings)
    return len(due)


def refresh_participant_flags(store: Store, participant_id: int) -> bool:
    """Find one participant's flags where their results, or the method, changed since the last time; whether they
    had."""
    mark_flags_due_for_method(store, METHOD)
    with store.read() as db:
        row = db.conn.execute(_VERSION, (participant_id,)).fetchone()
    if row is None:
        return False
    _refresh(store, participant_id, row[0], load_study_settings(store))
    return True


async def keep_flags_fresh(store: Store, *, every_s: float) -> None:
    """Find flags that are due, at once while there are more, else every `every_s` seconds; until cancelled."""
    while True:
        try:
            n_done = await run_in_thread(refresh_flags, store)
        except Exception as error:  # noqa: BLE001  # the outer loop of its own: log, go on; runs are not concerned
            _log.error("flags: %s; trying again in %.0f s", type(error).__name__, every_s)
            n_done = 0
        await asyncio.sleep(PAUSE_S if n_done == BATCH else every_s)


def _refresh(store: Store, participant_id: int, version: int, settings: StudySettings) -> None:
    frame = load_trend(store, participant_id)
    replace_flags(store, participant_id, find_new_flags(frame, settings), version=version)


def find_new_flags(frame: pd.DataFrame, settings: StudySettings) -> list[NewFlag]:
    """The flags of a participant's trend frame, as these settings and `METHOD` find them."""
    from heliograph.analysis import find_flags

    found = find_flags(
        frame,
        COLUMNS,
        baseline_runs=settings.baseline_runs,
        baseline_from=settings.baseline_from,
        baseline_until=settings.baseline_until,
        chart="cusum" if settings.chart == "cusum" else "ewma",
        ewma_lambda=settings.ewma_lambda,
        ewma_width=settings.ewma_width,
        cusum_k=settings.cusum_k,
        cusum_h=settings.cusum_h,
        repeat_window_min=settings.repeat_window_min,
    )
    return [
        NewFlag(
            column_name=row["column_name"],
            chart=row["chart"],
            run_id=int(row["run_id"]),
            session_local=to_local_text(row["session_local"].to_pydatetime()),
            direction=row["direction"],
            value=float(row["value"]),
            limit_value=float(row["limit_value"]),
            n_baseline=int(row["n_baseline"]),
        )
        for row in found.to_dict("records")
    ]
