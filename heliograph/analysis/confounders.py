"""What else moves a score: sleep, hours awake and the time of day; and a series with their part taken out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["CONFOUNDERS", "RUNS_PER_TERM", "Adjusted", "adjust_for_confounders", "compute_confounders"]

CONFOUNDERS = ("sleep_h", "hours_awake", "hour")
"""In the order in which they enter the model as runs allow."""
RUNS_PER_TERM = 10
"""Fewer runs for each term fit noise: F. E. Harrell, Regression Modeling Strategies, section 4.4 (10 to 20)."""
LONGEST_SLEEP_H = 24.0
LONGEST_AWAKE_H = 72.0  # Studies of sleep loss go that far; beyond it somebody mistyped a date.
FLAT = 1e-9
DAY_H = 24.0
WORDS = {"sleep_h": "sleep duration", "hours_awake": "hours awake", "hour": "time of day"}

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Adjusted:
    """A series as it might be at the person's own average sleep and time.

    `values` keep the index and are NaN where something is missing. `model` names what was fitted, `slopes` what it
    found. Without enough runs `values` are all NaN and `problem` says why.
    """

    values: pd.Series
    n: int
    needed: int
    model: str
    r_squared: float
    slopes: dict[str, float]
    problem: str | None


def compute_confounders(frame: pd.DataFrame) -> pd.DataFrame:
    """Compute sleep and time of each run.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a run: `session_local`, `asleep_local`, `awake_local`. Not changed.

    Returns
    -------
    pandas.DataFrame
        `sleep_h` (from falling asleep to waking), `hours_awake` (from waking to the session) and `hour` (of the
        day, 0 up to 24) with the frame's index; NaN where a time is missing, or where sleep is not within 24
        hours or waking not within 72.
    """
    at, asleep, awake = (pd.to_datetime(frame[name]) for name in ("session_local", "asleep_local", "awake_local"))
    sleep_h = (awake - asleep) / pd.Timedelta(hours=1)
    hours_awake = (at - awake) / pd.Timedelta(hours=1)
    hour = (at - at.dt.normalize()) / pd.Timedelta(hours=1)
    return pd.DataFrame(
        {
            "sleep_h": sleep_h.where((sleep_h > 0) & (sleep_h <= LONGEST_SLEEP_H)).astype(float),
            "hours_awake": hours_awake.where((hours_awake >= 0) & (hours_awake <= LONGEST_AWAKE_H)).astype(float),
            "hour": hour.astype(float),
        },
        index=frame.index,
    )


def adjust_for_confounders(
    values: pd.Series, confounders: pd.DataFrame, *, runs_per_term: int = RUNS_PER_TERM
) -> Adjusted:
    """Take out of a person's scores what goes along with sleep and time of day.

    Parameters
    ----------
    values : pandas.Series of float
        Scores of one participant.
    confounders : pandas.DataFrame
        Columns of numbers with the same index, as `compute_confounders` gives them; the first ones are preferred.
        `hour` enters as a daily wave, everything else as a line.
    runs_per_term : int
        Complete runs needed for each term; the wave has two.

    Returns
    -------
    Adjusted

    Raises
    ------
    ValueError
        When the indexes differ.

    Notes
    -----
    Least squares: ``score = a + Σ b·(x - mean x) + error`` over the runs in which everything is known; adjusted is
    ``score - Σ b·(x - mean x)``, so the person's mean stays what it was. The daily wave is
    ``b1·cos(2π·hour/24) + b2·sin(2π·hour/24)`` (cosinor [1]_). Confounders enter in their order as long as there
    are `runs_per_term` runs for each term; one that does not vary, or says the same as those before, is left out.

    This describes, and proves no cause: where a treatment changes sleep, adjusting for sleep takes part of the
    treatment's effect away. Runs close in time are alike; the fit treats them as independent.

    References
    ----------
    .. [1] G. Cornelissen: Cosinor-based rhythmometry, Theoretical Biology and Medical Modelling 11 (2014) 16.
    """
    if not values.index.equals(confounders.index):
        raise ValueError("values and confounders must have the same index")
    scores = values.to_numpy(dtype=float)
    chosen = _choose(scores, confounders, runs_per_term)
    known = _find_complete(scores, confounders, chosen or list(confounders.columns[:1]))
    n = int(known.sum())
    empty = pd.Series(np.nan, index=values.index, dtype=float)
    if not chosen:
        problem = f"not enough runs with sleep times to adjust for ({n} of {runs_per_term})"
        if n >= runs_per_term:
            problem = f"nothing to adjust for: what is known does not vary over {n} runs"
        return Adjusted(empty, n, runs_per_term, "none", float("nan"), {}, problem)
    terms = _make_terms(confounders, chosen)
    x = np.column_stack(list(terms.values()))
    centred = x - x[known].mean(axis=0)
    y = scores[known] - scores[known].mean()
    slopes = np.linalg.lstsq(centred[known], y, rcond=None)[0]
    total = float(y @ y)
    left = y - centred[known] @ slopes
    names = " and ".join(WORDS.get(name, name) for name in chosen)
    return Adjusted(
        values=empty.where(~known, scores - np.where(known, np.nan_to_num(centred) @ slopes, 0.0)),
        n=n,
        needed=runs_per_term * x.shape[1],
        model=f"least squares on {names}, n = {n}",
        r_squared=1 - float(left @ left) / total if total > 0 else float("nan"),
        slopes=dict(zip(terms, slopes.tolist(), strict=True)),
        problem=None,
    )


def _choose(scores: Floats, confounders: pd.DataFrame, runs_per_term: int) -> list[str]:
    """The confounders, in their order, for which there are runs enough and that add something of their own."""
    chosen: list[str] = []
    for name in confounders.columns:
        tried = [*chosen, str(name)]
        x = np.column_stack(list(_make_terms(confounders, tried).values()))
        known = _find_complete(scores, confounders, tried)
        if int(known.sum()) < max(runs_per_term * x.shape[1], x.shape[1] + 2):
            continue
        centred = x[known] - x[known].mean(axis=0)
        spread = centred.std(axis=0)
        if (spread > FLAT).all() and np.linalg.matrix_rank(centred / spread, tol=1e-6) == x.shape[1]:
            chosen = tried
    return chosen


def _find_complete(scores: Floats, confounders: pd.DataFrame, names: list[str]) -> npt.NDArray[np.bool_]:
    known = np.isfinite(confounders[names].to_numpy(dtype=float)).all(axis=1)
    return np.asarray(np.isfinite(scores) & known)


def _make_terms(confounders: pd.DataFrame, names: list[str]) -> dict[str, Floats]:
    terms: dict[str, Floats] = {}
    for name in names:
        x = confounders[name].to_numpy(dtype=float)
        if name == "hour":
            terms["hour (cos)"] = np.cos(2 * np.pi * x / DAY_H)
            terms["hour (sin)"] = np.sin(2 * np.pi * x / DAY_H)
        else:
            terms[name] = x
    return terms
