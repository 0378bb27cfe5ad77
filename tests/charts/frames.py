"""Trend frames for tests: the columns of `heliograph.store.load_trend`, filled with known values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

import pandas as pd

from heliograph.store import SCORE_COLUMNS
from thymia_api import BUCKET_LEVELS

START = datetime(2026, 3, 2, 8, 0)


def make_trend_frame(
    offsets_h: Sequence[float],
    *,
    states: Sequence[str] | None = None,
    warned: Sequence[int] = (),
    tags: dict[str, str] | None = None,
) -> pd.DataFrame:
    """One row a session at `START` + offset (hours); scores differ by row and column."""
    rows = []
    for number, offset in enumerate(offsets_h):
        at = START + timedelta(hours=offset)
        state = states[number] if states else "complete_ok"
        row: dict[str, object] = {
            "run_id": number + 1,
            "session_local": f"{at:%Y-%m-%dT%H:%M:%S}",
            "state": state,
            "kind": "upload",
            "source": "webrtc",
            "warnings": json.dumps(["low snr"]) if number in warned else "[]",
            "error_code": "ERR_RECORDING_TOO_SHORT" if state == "complete_error" else None,
            "asleep_local": f"{at - timedelta(hours=9):%Y-%m-%dT%H:%M:%S}",
            "awake_local": f"{at - timedelta(hours=1):%Y-%m-%dT%H:%M:%S}",
            "tags": json.dumps(tags or {}),
            "synthetic": 1,
        }
        for position, column in enumerate(SCORE_COLUMNS):
            continuous = column == "mental_strain" or column.startswith("uniform_")
            score = (
                ((number * 7 + position * 13) % 101) / 100
                if continuous
                else BUCKET_LEVELS[(number + position) % 4]
            )
            row[column] = score if state == "complete_ok" else None
        rows.append(row)
    columns = ["run_id", "session_local", "state", "kind", "source", "warnings", "error_code", "asleep_local",
               "awake_local", "tags", "synthetic", *SCORE_COLUMNS]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)
