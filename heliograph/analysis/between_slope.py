"""A straight line over persons, for what is one number a person: how regular they sleep, how large their social
jetlag is. Such a number has no effect within persons."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd

__all__ = ["BETWEEN_SLOPE_NEEDS", "BetweenSlope", "compute_between_slope"]

BETWEEN_SLOPE_NEEDS = 5
"""Persons below which no line is given, as for the mixed models."""

Values: TypeAlias = Sequence[float] | np.ndarray | pd.Series


@dataclass(frozen=True)
class BetweenSlope:
    """Change of y for one unit of x between persons, with interval and p; NaN where `note` says why."""

    n: int
    slope: float
    low: float
    high: float
    p: float
    confidence: float
    needed: int
    note: str


def compute_between_slope(x: Values, y: Values, *, confidence: float = 0.95) -> BetweenSlope:
    """Fit a line by least squares over persons.

    Parameters
    ----------
    x, y : sequence of float
        One value a person, such as their social jetlag and their mean score. Persons with a missing value are left
        out.
    confidence : float
        Of the interval.

    Returns
    -------
    BetweenSlope

    Raises
    ------
    ValueError
        When the two differ in length, or `confidence` is none.

    Notes
    -----
    b = Sxy / Sxx, standard error s / sqrt(Sxx) with s² = RSS / (n - 2), interval b ± t s / sqrt(Sxx) with n - 2
    degrees of freedom. Each person counts once, however many runs their mean holds. Assumes a straight line and
    errors of one size; with few persons one of them can decide it.

    References
    ----------
    Draper NR, Smith H (1998). Applied Regression Analysis, 3rd ed., Wiley, section 1.4.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1: {confidence}")
    if len(x) != len(y):
        raise ValueError(f"x and y differ in length: {len(x)}, {len(y)}")
    values = np.column_stack([np.asarray(x, dtype=float), np.asarray(y, dtype=float)])
    values = values[np.isfinite(values).all(axis=1)]
    n = len(values)
    if n < BETWEEN_SLOPE_NEEDS:
        return _make_empty(n, confidence, f"not enough participants ({n} of {BETWEEN_SLOPE_NEEDS})")
    from scipy import stats

    centred = values - values.mean(axis=0)
    sxx = float((centred[:, 0] ** 2).sum())
    if sxx <= n * (1e-12 * max(1e-300, float(np.abs(values[:, 0]).max()))) ** 2:
        return _make_empty(n, confidence, "the measure is the same for all participants")
    slope = float((centred[:, 0] * centred[:, 1]).sum()) / sxx
    error = math.sqrt(float(((centred[:, 1] - slope * centred[:, 0]) ** 2).sum()) / (n - 2) / sxx)
    half = float(stats.t.ppf((1 + confidence) / 2, n - 2)) * error
    p = float(2 * stats.t.sf(abs(slope) / error, n - 2)) if error > 0 else float(slope == 0)
    return BetweenSlope(n, slope, slope - half, slope + half, p, confidence, BETWEEN_SLOPE_NEEDS, "")


def _make_empty(n: int, confidence: float, note: str) -> BetweenSlope:
    return BetweenSlope(n, math.nan, math.nan, math.nan, math.nan, confidence, BETWEEN_SLOPE_NEEDS, note)
