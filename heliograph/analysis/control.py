"""Control charts against a personal baseline: EWMA and CUSUM, both a step a run (not a day): a pause does not age
what was seen before it, and two runs of one day count as two."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from heliograph.analysis._run_length import (
    compute_cusum_arl,
    compute_ewma_arl,
    compute_ewma_factor,
    compute_false_alarm_chance,
)
from heliograph.analysis.baseline import Baseline

__all__ = [
    "compute_cusum_arl",
    "compute_cusum_chart",
    "compute_ewma_arl",
    "compute_ewma_chart",
    "compute_false_alarm_chance",
]

Floats = npt.NDArray[np.float64]
# Beyond this many standard deviations a tail chance is below the smallest double.
LARGEST_SCORE = 37.0


def compute_ewma_chart(
    values: npt.ArrayLike | pd.Series, baseline: Baseline, *, lam: float = 0.2, width: float = 2.962
) -> pd.DataFrame:
    """Compute an exponentially weighted moving average and its limits.

    Parameters
    ----------
    values : array_like or pandas.Series of float
        The scores **after** the baseline, in the order of time. A missing score (NaN) is passed over: its row is
        NaN and it does not count as a step.
    baseline : Baseline
        Where the average starts, and what is ordinary. When it has a `problem`, limits are NaN and nothing is
        flagged.
    lam : float
        Weight of the newest run, above 0 and up to 1. Small values see small lasting changes.
    width : float
        Half-width of the limits in standard errors, were the baseline known for certain.

    Returns
    -------
    pandas.DataFrame
        `z` (the average), `centre`, `low`, `high`, and `flag` ("up", "down" or None) with the index of `values`.

    Notes
    -----
    ``z(t) = λ·x(t) + (1-λ)·z(t-1)``, ``z(0) = mean of the baseline`` [1]_. With a baseline of n runs the limits
    are ``mean ± q · s · sqrt(λ/(2-λ)·(1-(1-λ)^(2t)) + (1-(1-λ)^t)²/n)``: the first term is the exact variance of
    the average after t runs [2]_, the second that of the baseline's own mean as far as the average has forgotten
    it. q is `width` for a known baseline, and larger the fewer runs it was estimated from, so that an unchanged
    person is flagged within the next 50 runs as rarely as with a known one: see `compute_ewma_factor`. With n
    growing these become the textbook's limits.

    Assumed: independent, normal scores. Runs close in time are alike and raise false flags.

    References
    ----------
    .. [1] NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.4.
    .. [2] J. M. Lucas, M. S. Saccucci: Exponentially weighted moving average control schemes,
       Technometrics 32 (1990) 1-12.
    """
    check_ewma(lam, width)
    scores, index = _as_scores(values)
    steps = np.cumsum(np.isfinite(scores))
    z = smooth(scores, lam, baseline.mean)
    half = compute_ewma_half_widths(steps, baseline, lam, width)
    half[np.isnan(z)] = np.nan
    centre = np.full(len(scores), baseline.mean)
    return pd.DataFrame(
        {
            "z": z,
            "centre": centre,
            "low": centre - half,
            "high": centre + half,
            "flag": _as_flags(z > centre + half, z < centre - half, index),
        },
        index=index,
    )


def compute_cusum_chart(
    values: npt.ArrayLike | pd.Series, baseline: Baseline, *, k: float = 0.5, h: float = 5.0
) -> pd.DataFrame:
    """Compute a two-sided tabular CUSUM that starts from the baseline and goes on learning.

    Parameters
    ----------
    values : array_like or pandas.Series of float
        The scores after the baseline, in the order of time. A missing score (NaN) is passed over.
    baseline : Baseline
        When it has a `problem`, everything is NaN and nothing is flagged.
    k : float
        Allowance in standard deviations: half of the lasting change to be found.
    h : float
        Limit in standard deviations.

    Returns
    -------
    pandas.DataFrame
        `score` (the run in standard deviations from what went before), `up` and `down` (sums, 0 or more), `limit`
        (h) and `flag` ("up", "down" or None) with the index of `values`.

    Notes
    -----
    ``up(t) = max(0, up(t-1) + u(t) - k)``, ``down(t) = max(0, down(t-1) - u(t) - k)``, flagged above h [1]_. With
    a known baseline u is ``(x - mean)/s``. From five runs mean and s are so uncertain that 40 % of unchanged
    people would be flagged within 20 runs. So u is that of a self-starting CUSUM [2]_: the run is compared with
    the m runs before it, ``T = (x - mean)/(s·sqrt(1 + 1/m))`` follows Student's t with m - 1 degrees of freedom,
    u is the normal deviate of the same tail chance, and mean and s then take the run in. In an unchanged person
    the u are independent and standard normal, so that run lengths are those of `compute_cusum_arl` whatever the
    size of the baseline. The price: a change that stays unseen becomes part of the normal. Runs beyond the limit
    are not learned from.

    References
    ----------
    .. [1] NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2.3.
    .. [2] D. M. Hawkins: Self-starting CUSUM charts for location and scale, The Statistician 36 (1987) 299-315.
    """
    check_cusum(k, h)
    scores, index = _as_scores(values)
    u, up, down = accumulate(scores, baseline, k, h)
    return pd.DataFrame(
        {
            "score": u,
            "up": up,
            "down": down,
            "limit": np.full(len(scores), h),
            "flag": _as_flags(up > h, down > h, index),
        },
        index=index,
    )


def smooth(scores: Floats, lam: float, start: float) -> Floats:
    """The moving average at each score; NaN where the score is."""
    z = np.full(len(scores), np.nan)
    last = start
    for position, score in enumerate(scores.tolist()):
        if math.isfinite(score):
            last += lam * (score - last)
            z[position] = last
    return z


def compute_ewma_half_widths(steps: npt.NDArray[np.int_], baseline: Baseline, lam: float, width: float) -> Floats:
    """Half-width of the limits after so many steps; NaN without a baseline."""
    if not baseline.is_enough:
        return np.full(len(steps), np.nan)
    kept = (1 - lam) ** steps
    variance = lam / (2 - lam) * (1 - kept**2) + (1 - kept) ** 2 / baseline.n
    factor = compute_ewma_factor(baseline.n, lam, width)
    return np.asarray(factor * baseline.sd * np.sqrt(variance))


def accumulate(scores: Floats, baseline: Baseline, k: float, h: float) -> tuple[Floats, Floats, Floats]:
    """Deviate, upper and lower sum at each score; NaN where the score is, or without a baseline."""
    u, up, down = (np.full(len(scores), np.nan) for _ in range(3))
    if not baseline.is_enough:
        return u, up, down
    from scipy.special import ndtri, stdtr

    n, mean, squares = baseline.n, baseline.mean, baseline.sd**2 * (baseline.n - 1)
    above = below = 0.0
    for position, score in enumerate(scores.tolist()):
        if not math.isfinite(score):
            continue
        t = (score - mean) / math.sqrt(squares / (n - 1) * (1 + 1 / n))
        size = min(-float(ndtri(stdtr(n - 1, -abs(t)))), LARGEST_SCORE)
        deviate = math.copysign(size, t)
        above = max(0.0, above + deviate - k)
        below = max(0.0, below - deviate - k)
        u[position], up[position], down[position] = deviate, above, below
        if above <= h and below <= h:
            n += 1
            before, mean = mean, mean + (score - mean) / n
            squares += (score - before) * (score - mean)
    return u, up, down


def check_ewma(lam: float, width: float) -> None:
    """Raise ValueError for settings that make no chart."""
    if not 0 < lam <= 1:
        raise ValueError(f"the weight of an EWMA must be above 0 and at most 1, not {lam}")
    if not width > 0:
        raise ValueError(f"the width of an EWMA must be above 0, not {width}")


def check_cusum(k: float, h: float) -> None:
    """Raise ValueError for settings that make no chart."""
    if not k >= 0:
        raise ValueError(f"the allowance of a CUSUM must be 0 or more, not {k}")
    if not h > 0:
        raise ValueError(f"the limit of a CUSUM must be above 0, not {h}")


def _as_scores(values: npt.ArrayLike | pd.Series) -> tuple[Floats, pd.Index]:
    scores = np.asarray(values, dtype=float)
    return scores, values.index if isinstance(values, pd.Series) else pd.RangeIndex(len(scores))


def _as_flags(up: npt.NDArray[np.bool_], down: npt.NDArray[np.bool_], index: pd.Index) -> pd.Series:
    flags = np.full(len(up), None, dtype=object)
    flags[up] = "up"
    flags[down] = "down"
    return pd.Series(flags, index=index, dtype=object)
