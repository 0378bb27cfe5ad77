"""A participant's own normal: the first runs, or those of a chosen window, and the band in which the next single
run is expected while nothing changes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["MIN_BASELINE_RUNS", "Baseline", "compute_baseline", "select_baseline"]

MIN_BASELINE_RUNS = 3
"""With two runs the band of 95 % is 22 standard deviations wide: no use to anybody."""
RESULT = "complete_ok"
# Equal scores may differ in the last bits once they were averaged or parsed.
EQUAL = 1e-12

Booleans = npt.NDArray[np.bool_]
Times = npt.NDArray[np.datetime64]


@dataclass(frozen=True)
class Baseline:
    """Mean and standard deviation of `n` runs, and the interval [low, high] for one new run.

    Without enough runs, or when all scores are the same, `low` and `high` are NaN and `problem` says why.
    """

    n: int
    mean: float
    sd: float
    low: float
    high: float
    confidence: float
    needed: int
    method: str

    @property
    def problem(self) -> str | None:
        """Why no band can be drawn, in words that say what is missing; None when it can."""
        if self.n < self.needed:
            return f"not enough runs for a baseline ({self.n} of {self.needed})"
        if not self.sd > 0:
            return f"no baseline band: all {self.n} scores are the same, so ordinary variation is unknown"
        return None

    @property
    def is_enough(self) -> bool:
        """Whether there is a band, and charts can be drawn from it."""
        return self.problem is None


def compute_baseline(
    values: npt.ArrayLike,
    *,
    first: int | None = 5,
    confidence: float = 0.95,
    needed: int | None = None,
    method: str | None = None,
) -> Baseline:
    """Compute the baseline and its prediction interval for one new observation.

    Parameters
    ----------
    values : array_like of float
        Scores in the order of time. NaN (no score) is left out and does not count.
    first : int or None
        Take this many of the first scores; None takes all (as for those that `select_baseline` chose).
    confidence : float
        Chance that one new run falls inside the band while nothing has changed.
    needed : int, optional
        Below this number of scores there is no band. `first` unless given; `MIN_BASELINE_RUNS` without `first`.
    method : str, optional
        How the runs were chosen, for the legend.

    Returns
    -------
    Baseline

    Raises
    ------
    ValueError
        When `confidence` is not between 0 and 1, or `first` or `needed` is below 2.

    Notes
    -----
    The band is ``mean ± t(1 - α/2; n - 1) · s · sqrt(1 + 1/n)`` [1]_: wide when n is small, since mean and s are
    themselves uncertain. Assumed: the baseline runs and the new one are independent draws of one normal
    distribution. Runs close in time are alike, which makes the band too narrow; scores near 0 or 1 are skewed.
    The band is not cut at the ends of the scale. It holds for **one** new run: of twenty, one is expected outside
    a band of 95 %.

    References
    ----------
    .. [1] G. J. Hahn, W. Q. Meeker: Statistical Intervals, Wiley 1991, section 4.7; factors in G. J. Hahn,
       Journal of the American Statistical Association 65 (1970) 1668-1676.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, not {confidence}")
    if first is not None and first < 2:
        raise ValueError(f"a baseline needs first of 2 or more runs, not {first}")
    needed = (first or MIN_BASELINE_RUNS) if needed is None else needed
    if needed < 2:
        raise ValueError(f"a baseline needs 2 or more runs, not {needed}")
    scores = np.asarray(values, dtype=float)
    scores = scores[np.isfinite(scores)][:first]
    n = len(scores)
    mean = float(scores.mean()) if n else float("nan")
    sd = _compute_sd(scores)
    low = high = float("nan")
    if n >= needed and sd > 0:
        half = compute_t_quantile((1 - confidence) / 2, n - 1) * sd * float(np.sqrt(1 + 1 / n))
        low, high = mean - half, mean + half
    words = method or (f"first {first} runs" if first else f"all {n} runs of the chosen window")
    return Baseline(n, mean, sd, low, high, confidence, needed, words)


def select_baseline(
    frame: pd.DataFrame,
    column: str,
    *,
    first: int | None = 5,
    since: str | None = None,
    until: str | None = None,
) -> pd.Series:
    """Tell which rows of one participant's runs make the baseline of a score.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a run with `session_local`, in any order; ties follow `run_id` when there is one. Where the frame
        has a `state`, only completed results count. Not changed.
    column : str
        The score; rows without it do not count.
    first : int or None
        How many of the first runs, unless `until` is given.
    since, until : str, optional
        ISO dates (the participant's own time). From `since` on, the first runs; with `until`, every run through
        the end of that day.

    Returns
    -------
    pandas.Series of bool
        With the frame's index.
    """
    order, at, completed = read_order(frame)
    valid = completed & np.isfinite(frame[column].to_numpy(dtype=float)[order])
    mask = np.zeros(len(frame), dtype=bool)
    mask[order] = choose_baseline(at, valid, first=first, since=since, until=until)
    return pd.Series(mask, index=frame.index)


def choose_baseline(
    at: Times, valid: Booleans, *, first: int | None, since: str | None, until: str | None
) -> Booleans:
    """`select_baseline` for rows that are in the order of time."""
    chosen = valid & (at >= np.datetime64(since, "ms")) if since else valid.copy()
    if until:
        return np.asarray(chosen & (at < np.datetime64(until, "D") + np.timedelta64(1, "D")))
    chosen[np.flatnonzero(chosen)[first:] if first is not None else []] = False
    return np.asarray(chosen)


def read_order(frame: pd.DataFrame) -> tuple[npt.NDArray[np.intp], Times, Booleans]:
    """Positions of a person's rows by time (ties by `run_id`, rows without a time last), and in that order their
    times and whether they are completed results with a time."""
    at = pd.to_datetime(frame["session_local"]).to_numpy(dtype="datetime64[ms]")
    ids = frame["run_id"].to_numpy() if "run_id" in frame else np.arange(len(frame))
    order = np.lexsort([ids, at])
    completed = ~np.isnat(at)
    if "state" in frame:
        completed &= (frame["state"] == RESULT).to_numpy(dtype=bool)
    return order, at[order], completed[order]


@lru_cache(maxsize=256)
def compute_t_quantile(tail: float, df: int) -> float:
    """The value that Student's t with `df` degrees of freedom exceeds with the chance `tail`."""
    from scipy.special import stdtrit  # half the import time of scipy.stats, and all that is needed

    return -float(stdtrit(df, tail))


def _compute_sd(scores: npt.NDArray[np.float64]) -> float:
    if len(scores) < 2:
        return float("nan")
    if float(np.ptp(scores)) <= EQUAL * max(1.0, float(np.abs(scores).max())):
        return 0.0
    return float(scores.std(ddof=1))
