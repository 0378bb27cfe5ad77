"""Runs that leave a participant's own limits: what the worker looks for after each result. Cheap: numpy, and of
scipy only `scipy.special` (0.3 s once in a process); a participant of 100 runs takes about 4 ms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from heliograph.analysis.baseline import Baseline, choose_baseline, compute_baseline, read_order
from heliograph.analysis.control import (
    accumulate,
    check_cusum,
    check_ewma,
    compute_ewma_half_widths,
    smooth,
)
from heliograph.analysis.moments import choose_repeats

__all__ = ["FLAG_COLUMNS", "find_flags"]

FLAG_COLUMNS = (
    "column_name",
    "chart",
    "run_id",
    "session_local",
    "direction",
    "value",
    "limit_value",
    "n_baseline",
)
"""The columns of a frame of flags, in order."""

Floats = npt.NDArray[np.float64]


def find_flags(
    frame: pd.DataFrame,
    columns: Sequence[str],
    *,
    baseline_runs: int = 5,
    baseline_from: str | None = None,
    baseline_until: str | None = None,
    chart: Literal["ewma", "cusum"] = "ewma",
    ewma_lambda: float = 0.2,
    ewma_width: float = 2.962,
    cusum_k: float = 0.5,
    cusum_h: float = 5.0,
    repeat_window_min: float = 0,
) -> pd.DataFrame:
    """Find where one participant's scores left the limits of their own baseline.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a run: `run_id`, `session_local` and the scores; with `state`, only completed results count. In
        any order; not changed.
    columns : sequence of str
        The continuous scores to chart.
    baseline_runs, baseline_from, baseline_until
        As `first`, `since` and `until` of `select_baseline`.
    chart : {"ewma", "cusum"}
        Which chart, with its two settings: see `compute_ewma_chart` and `compute_cusum_chart`.
    repeat_window_min : float
        Leave out recordings that repeat one of the same moment, as `mark_repeats` tells: they are no new evidence.

    Returns
    -------
    pandas.DataFrame
        `FLAG_COLUMNS`, one row a stretch of runs beyond a limit: the **first** run of it, since the runs after it
        say the same thing again. `value` and `limit_value` are the moving average and its limit, or the sum and
        its limit. A score without a usable baseline has no flags. In the order of columns and time.

    Raises
    ------
    ValueError
        When `chart` is unknown, its settings make no chart, or the frame lacks a column.

    Notes
    -----
    Only runs after the last run of the baseline are charted. How often an unchanged person is flagged:
    `compute_false_alarm_chance`.
    """
    if chart not in ("ewma", "cusum"):
        raise ValueError(f"chart must be ewma or cusum, not {chart!r}")
    check_ewma(ewma_lambda, ewma_width)
    check_cusum(cusum_k, cusum_h)
    if missing := [name for name in ("run_id", "session_local", *columns) if name not in frame]:
        raise ValueError(f"the frame lacks {', '.join(missing)}")
    order, at, completed = read_order(frame)
    run_ids, sessions = frame["run_id"].to_numpy()[order], frame["session_local"].to_numpy()[order]
    needed = None if baseline_until else baseline_runs
    found: list[dict[str, Any]] = []
    for column in columns:
        scores = frame[column].to_numpy(dtype=float)[order]
        valid = completed & np.isfinite(scores)
        valid &= ~choose_repeats(at, valid, repeat_window_min)
        mask = choose_baseline(at, valid, first=baseline_runs, since=baseline_from, until=baseline_until)
        baseline = compute_baseline(scores[mask], first=None, needed=needed)
        if not baseline.is_enough:
            continue
        begin = int(np.flatnonzero(mask)[-1]) + 1
        after = np.where(valid, scores, np.nan)[begin:]
        if chart == "ewma":
            sides = _chart_ewma(after, baseline, ewma_lambda, ewma_width)
        else:
            sides = _chart_cusum(after, baseline, cusum_k, cusum_h)
        for position, direction, value, limit_value in sorted(_find_onsets(sides)):
            found.append({
                "column_name": column, "chart": chart, "run_id": int(run_ids[begin + position]),
                "session_local": sessions[begin + position], "direction": direction, "value": value,
                "limit_value": limit_value, "n_baseline": baseline.n,
            })  # fmt: skip
    return pd.DataFrame(found, columns=list(FLAG_COLUMNS))


@dataclass(frozen=True)
class _Side:
    """Values of a chart, and the limit that those beyond it exceed (`sign` 1) or fall below (-1)."""

    direction: str
    values: Floats
    limits: Floats
    sign: int


def _chart_ewma(scores: Floats, baseline: Baseline, lam: float, width: float) -> list[_Side]:
    z = smooth(scores, lam, baseline.mean)
    half = compute_ewma_half_widths(np.cumsum(np.isfinite(z)), baseline, lam, width)
    return [_Side("up", z, baseline.mean + half, 1), _Side("down", z, baseline.mean - half, -1)]


def _chart_cusum(scores: Floats, baseline: Baseline, k: float, h: float) -> list[_Side]:
    _, up, down = accumulate(scores, baseline, k, h)
    return [_Side(name, sums, np.full(len(sums), h), 1) for name, sums in (("up", up), ("down", down))]


def _find_onsets(sides: list[_Side]) -> Iterator[tuple[int, str, float, float]]:
    """Position, direction, value and limit where a stretch beyond a limit begins; a missing score ends none."""
    for side in sides:
        known = np.flatnonzero(np.isfinite(side.values))
        beyond = side.sign * side.values[known] > side.sign * side.limits[known]
        for position in known[beyond & ~np.concatenate([[False], beyond[:-1]])].tolist():
            yield position, side.direction, float(side.values[position]), float(side.limits[position])
