"""Whether a score rises or falls over a range of time, per week, with an interval that a few odd runs do not
move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["MIN_SLOPE_RUNS", "Slope", "compute_slope_per_week"]

MIN_SLOPE_RUNS = 5
"""With four runs no interval reaches 95 %: the flattest and the steepest pair of four leave out 1 in 12."""
# All pairs are compared, which takes about 60 MB for this many runs.
MAX_PAIRED_RUNS = 1500
WEEK = np.timedelta64(7, "D")
SEED = 19681201


@dataclass(frozen=True)
class Slope:
    """Change per week over `n` runs and its interval; NaN where there are too few, and `problem` says why.

    `intercept` is the line's height at `start`, so that it can be drawn.
    """

    n: int
    per_week: float
    low: float
    high: float
    confidence: float
    needed: int
    intercept: float
    start: pd.Timestamp | None
    problem: str | None


def compute_slope_per_week(
    times: npt.ArrayLike | pd.Series,
    values: npt.ArrayLike | pd.Series,
    confidence: float = 0.95,
    *,
    needed: int = MIN_SLOPE_RUNS,
) -> Slope:
    """Compute the Theil-Sen slope and Sen's interval.

    Parameters
    ----------
    times : array_like of datetime64
        Session times in any order and at any spacing.
    values : array_like of float
        The scores. Rows without a score or time are left out.
    confidence : float
        Of the interval.
    needed : int
        Below this number of scores, or when all are at one time, there is no slope.

    Returns
    -------
    Slope

    Raises
    ------
    ValueError
        When lengths differ or `confidence` is not between 0 and 1.

    Notes
    -----
    The slope is the median of ``(x_j - x_i)/(t_j - t_i)`` over all pairs of different times; its interval are
    two of these slopes, taken by rank from the distribution of Kendall's S, with its variance corrected for ties
    of times and of scores [1]_. The line passes through the medians of time and score. Pairs of the same time
    say nothing and are left out. No distribution is assumed, only that deviations from the line are independent
    and alike: runs close in time are not, which makes the interval too narrow. Of more than `MAX_PAIRED_RUNS`
    runs a seeded sample of that size is used.

    References
    ----------
    .. [1] P. K. Sen: Estimates of the regression coefficient based on Kendall's tau,
       Journal of the American Statistical Association 63 (1968) 1379-1389.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, not {confidence}")
    at = _as_times(times)
    scores = np.asarray(values, dtype=float)
    if len(at) != len(scores):
        raise ValueError(f"{len(at)} times do not fit {len(scores)} values")
    known = ~np.isnat(at) & np.isfinite(scores)
    at, scores = at[known], scores[known]
    n = len(scores)
    nothing = float("nan")
    if n < needed:
        return Slope(n, nothing, nothing, nothing, confidence, needed, nothing, None,
                     f"not enough runs for a slope ({n} of {needed})")  # fmt: skip
    start = at.min()
    weeks = (at - start) / WEEK
    if len(np.unique(weeks)) < 2:
        return Slope(n, nothing, nothing, nothing, confidence, needed, nothing, pd.Timestamp(start),
                     f"no slope: all {n} runs are at the same time")  # fmt: skip
    if float(np.ptp(scores)) == 0:
        return Slope(n, 0.0, nothing, nothing, confidence, needed, float(scores[0]), pd.Timestamp(start),
                     f"no interval: all {n} scores are the same")  # fmt: skip
    if n > MAX_PAIRED_RUNS:
        chosen = np.sort(np.random.default_rng(SEED).choice(n, MAX_PAIRED_RUNS, replace=False))
        weeks, scores = weeks[chosen], scores[chosen]
    slope, low, high = _compute_sen(weeks, scores, confidence)
    intercept = float(np.median(scores) - slope * np.median(weeks))
    return Slope(n, slope, low, high, confidence, needed, intercept, pd.Timestamp(start), None)


def _as_times(times: npt.ArrayLike | pd.Series) -> npt.NDArray[np.datetime64]:
    raw = np.asarray(times)
    if raw.dtype.kind != "M":
        raw = pd.to_datetime(pd.Series(raw, dtype=object)).to_numpy(dtype="datetime64[ms]")
    return raw.astype("datetime64[ms]")


def _compute_sen(
    weeks: npt.NDArray[np.float64], scores: npt.NDArray[np.float64], confidence: float
) -> tuple[float, float, float]:
    from scipy.stats import theilslopes

    found = theilslopes(scores, weeks, alpha=confidence)
    return float(found.slope), float(found.low_slope), float(found.high_slope)
