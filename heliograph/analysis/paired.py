"""The same participants under two conditions or in two periods: how much they changed, with n = participants."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

__all__ = ["PAIRED_NEEDS", "PairedChange", "compute_paired_change"]

PAIRED_NEEDS = 5
"""Participants with both values below which no interval is given: fewer than 126 different resamples exist."""

METHOD = "studentised bootstrap over participants"

CHUNK = 4_000_000  # numbers drawn at a time


@dataclass(frozen=True)
class PairedChange:
    """The change from `before` to `after` over `n` participants who have both.

    `low` and `high` bound the mean change; `d_z` is the mean change over the spread of changes, `hedges_g_av` over
    the average spread of the participants, corrected for small n; `p` is the paired t test's. `n_unpaired` have
    only one of the two values and count nowhere. Numbers that cannot be had are NaN, and `note` says why.
    """

    n: int
    n_unpaired: int
    mean_before: float
    mean_after: float
    mean_change: float
    sd_change: float
    low: float
    high: float
    d_z: float
    hedges_g_av: float
    p: float
    confidence: float
    n_boot: int
    needed: int
    note: str
    method: str = METHOD


def compute_paired_change(
    before: pd.Series, after: pd.Series, *, confidence: float = 0.95, n_boot: int = 5000, seed: int = 1
) -> PairedChange:
    """Mean change within participants, with a bootstrap interval and effect sizes.

    Parameters
    ----------
    before, after : pandas.Series
        One value per participant (the mean of their runs), indexed by participant. Matched by index.
    confidence : float
        Of the interval.
    n_boot : int
        Resamples of participants.
    seed : int
        Of the resampling: the same data give the same interval.

    Returns
    -------
    PairedChange

    Raises
    ------
    ValueError
        When a participant stands twice in one series, or `confidence` is no share.

    Notes
    -----
    Changes d = after - before. Interval: studentised bootstrap (bootstrap-t). Each resample of participants gives
    t* = (mean(d*) - mean(d)) / (sd(d*) / sqrt(n)), and the interval is mean(d) - q sd(d) / sqrt(n) with q the
    upper and lower quantile of t*. For a mean it keeps to its confidence with few participants and with skewed
    changes, where percentile and BCa intervals are too narrow. Effect sizes: d_z = mean(d) / sd(d); g_av = J ·
    mean(d) / ((sd_before + sd_after) / 2) with J = 1 - 3 / (4 · 2n - 9).

    Assumes independent participants and, for p, changes that are roughly normal.

    References
    ----------
    Efron B, Tibshirani RJ (1993). An Introduction to the Bootstrap, section 12.5. Chapman & Hall.
    Hesterberg TC (2015). What teachers should know about the bootstrap. Am Stat 69:371–386.
    Lakens D (2013). Calculating and reporting effect sizes. Front Psychol 4:863.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1: {confidence}")
    for series in (before, after):
        if not series.index.is_unique:
            raise ValueError(f"participant {series.index[series.index.duplicated()][0]} stands twice")
    values = pd.concat({"before": before.astype(float), "after": after.astype(float)}, axis=1)
    known = values.dropna(how="all")
    pairs = known.dropna()
    change = (pairs["after"] - pairs["before"]).to_numpy()
    n = len(change)
    sd = float(np.std(change, ddof=1)) if n > 1 else math.nan
    steady = n > 1 and sd <= 1e-12 * max(1.0, float(np.abs(pairs.to_numpy()).max()))
    low, high, note = _bound(change, steady, confidence, n_boot, seed)
    d_z, g_av, p = _compute_effects(pairs, change, sd) if n > 1 and not steady else (math.nan,) * 3
    return PairedChange(
        n=n,
        n_unpaired=len(known) - n,
        mean_before=float(pairs["before"].mean()),
        mean_after=float(pairs["after"].mean()),
        mean_change=float(change.mean()) if n else math.nan,
        sd_change=sd,
        low=low,
        high=high,
        d_z=d_z,
        hedges_g_av=g_av,
        p=p if n >= PAIRED_NEEDS else math.nan,
        confidence=confidence,
        n_boot=n_boot,
        needed=PAIRED_NEEDS,
        note=note,
    )


def _bound(
    change: np.ndarray, steady: bool, confidence: float, n_boot: int, seed: int
) -> tuple[float, float, str]:
    if len(change) < PAIRED_NEEDS:
        return math.nan, math.nan, f"not enough participants with both values ({len(change)} of {PAIRED_NEEDS})"
    if steady:
        return math.nan, math.nan, "every participant changed by the same amount: there is no spread to judge by"
    low, high = _studentise(change, confidence, n_boot, np.random.default_rng(seed))
    if not (math.isfinite(low) and math.isfinite(high)):
        return math.nan, math.nan, "too many participants changed by the same amount: no interval can be resampled"
    return low, high, ""


def _studentise(
    change: np.ndarray, confidence: float, n_boot: int, rng: np.random.Generator
) -> tuple[float, float]:
    """The bootstrap-t interval of the mean; infinite where resamples without spread reach its quantiles."""
    n = len(change)
    mean, error = float(change.mean()), float(change.std(ddof=1)) / math.sqrt(n)
    found = []
    per_chunk = max(1, CHUNK // n)
    for start in range(0, n_boot, per_chunk):
        drawn = change[rng.integers(0, n, (min(per_chunk, n_boot - start), n))]
        away, spread = drawn.mean(axis=1) - mean, drawn.std(axis=1, ddof=1)
        steady = spread <= 1e-12 * float(np.abs(change).max())
        t = away / np.where(steady, 1.0, spread / math.sqrt(n))
        found.append(np.where(steady, np.copysign(np.inf, away), t))
    tail = (1 - confidence) / 2
    # The observed quantiles, not interpolated: between a number and infinity lies nothing.
    below, above = np.quantile(np.concatenate(found), [tail, 1 - tail], method="inverted_cdf")
    return mean - float(above) * error, mean - float(below) * error


def _compute_effects(pairs: pd.DataFrame, change: np.ndarray, sd: float) -> tuple[float, float, float]:
    from scipy import stats

    n, mean = len(change), float(change.mean())
    p = float(2 * stats.t.sf(abs(mean) / (sd / math.sqrt(n)), n - 1))
    average_sd = float(pairs.std(ddof=1).mean())
    small_sample = 1 - 3 / (8 * n - 9)
    return mean / sd, small_sample * mean / average_sd if average_sd > 0 else math.nan, p
