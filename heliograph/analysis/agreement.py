"""Two measures of the same runs: whether they move together within participants, whether participants high on one
are high on the other, and how far apart two measures on one scale lie. Within and between are never mixed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

__all__ = [
    "BlandAltman",
    "Correlation",
    "compute_between_correlation",
    "compute_bland_altman",
    "compute_rmcorr",
]

WITHIN_NEEDS = 3
"""Degrees of freedom below which no within-person correlation is given."""

BETWEEN_NEEDS = 4
"""Participants below which no correlation between participants is given: Fisher's interval has none left."""

AGREEMENT_NEEDS = 3
"""Pairs (of participants, when there are several pairs each) below which no limits of agreement are given."""


@dataclass(frozen=True)
class Correlation:
    """A correlation with its interval. `level` says of what: "within" or "between" participants.

    `n_participants` and `n_runs` are those that count: within participants, only who has two runs or more.
    `needed` is the least `df` (within) or number of participants (between). What cannot be had is NaN, and `note`
    says why.
    """

    level: str
    r: float
    low: float
    high: float
    p: float
    df: int
    n_participants: int
    n_runs: int
    confidence: float
    needed: int
    note: str


@dataclass(frozen=True)
class BlandAltman:
    """Limits of agreement of x - y: `low` to `high` around `bias`, each with its own interval.

    `sd` is the standard deviation of a single difference. What cannot be had is NaN, and `note` says why.
    """

    n: int
    n_participants: int
    bias: float
    bias_low: float
    bias_high: float
    sd: float
    low: float
    low_low: float
    low_high: float
    high: float
    high_low: float
    high_high: float
    confidence: float
    needed: int
    note: str


def compute_rmcorr(persons: Any, x: Any, y: Any, *, confidence: float = 0.95) -> Correlation:
    """Correlation within participants: do x and y rise and fall together around each participant's own means?

    Parameters
    ----------
    persons : sequence
        Who each row belongs to.
    x, y : sequence of float
        One value a row. Rows with a missing value are left out, and so are participants with fewer than two rows.
    confidence : float
        Of the interval.

    Returns
    -------
    Correlation
        With `level` "within".

    Notes
    -----
    r = Sxy / sqrt(Sxx Syy) over deviations from each participant's means, df = N - k - 1 for N rows of k
    participants: the correlation of an analysis of covariance with participants as a factor. Interval: Fisher's z
    with standard error 1 / sqrt(df - 1). Assumes one common slope, and that rows of a participant are independent
    apart from their mean: runs close in time can make the interval too narrow.

    References
    ----------
    Bland JM, Altman DG (1995). Calculating correlation coefficients with repeated observations, part 1. BMJ
    310:446.
    Bakdash JZ, Marusich LR (2017). Repeated measures correlation. Front Psychol 8:456.
    """
    _check_confidence(confidence)
    codes, values = _read_pairs(persons, x, y)
    rows = np.bincount(codes)[codes] >= 2 if len(codes) else np.zeros(0, dtype=bool)
    codes, values = np.unique(codes[rows], return_inverse=True)[1], values[rows]
    n, k = len(codes), int(codes.max()) + 1 if len(codes) else 0
    df = max(n - k - 1, 0)
    if df < WITHIN_NEEDS:
        note = f"not enough repeated runs within participants ({df} of {WITHIN_NEEDS} degrees of freedom)"
        return _make_correlation("within", math.nan, df, k, n, confidence, WITHIN_NEEDS, note)
    means = np.stack([np.bincount(codes, weights=column) for column in values.T], axis=1)
    deviations = values - (means / np.bincount(codes)[:, None])[codes]
    r, note = _correlate(deviations, np.ones(n), values, "within participants")
    return _make_correlation("within", r, df, k, n, confidence, WITHIN_NEEDS, note)


def compute_between_correlation(
    persons: Any, x: Any, y: Any, *, confidence: float = 0.95, weighted: bool = False
) -> Correlation:
    """Correlation between participants: are participants who are high on x also high on y?

    Parameters
    ----------
    persons : sequence
        Who each row belongs to.
    x, y : sequence of float
        One value a row. Rows with a missing value are left out.
    confidence : float
        Of the interval.
    weighted : bool
        Weight participants by their number of rows, as Bland and Altman do, instead of counting each once.

    Returns
    -------
    Correlation
        With `level` "between".

    Notes
    -----
    Pearson's correlation of the participants' means; interval by Fisher's z with standard error 1 / sqrt(k - 3),
    df = k - 2, for k participants. Means of few rows carry noise that pulls r towards 0.

    References
    ----------
    Bland JM, Altman DG (1995). Calculating correlation coefficients with repeated observations, part 2. BMJ
    310:633.
    """
    _check_confidence(confidence)
    codes, values = _read_pairs(persons, x, y)
    n, k = len(codes), int(codes.max()) + 1 if len(codes) else 0
    df = max(k - 2, 0)
    if k < BETWEEN_NEEDS:
        note = f"not enough participants ({k} of {BETWEEN_NEEDS})"
        return _make_correlation("between", math.nan, df, k, n, confidence, BETWEEN_NEEDS, note)
    counts = np.bincount(codes).astype(float)
    means = np.stack([np.bincount(codes, weights=column) for column in values.T], axis=1) / counts[:, None]
    weights = counts if weighted else np.ones(k)
    centred = means - np.average(means, axis=0, weights=weights)
    r, note = _correlate(centred, weights, values, "between participants")
    return _make_correlation("between", r, df, k, n, confidence, BETWEEN_NEEDS, note)


def compute_bland_altman(x: Any, y: Any, *, persons: Any | None = None, confidence: float = 0.95) -> BlandAltman:
    """Limits of agreement between two measures on the same scale.

    Parameters
    ----------
    x, y : sequence of float
        The two measures. Pairs with a missing value are left out.
    persons : sequence, optional
        Who each pair belongs to, when participants have several: the limits then hold for single pairs, and the
        intervals count participants, not pairs.
    confidence : float
        Of the intervals of bias and limits. The limits themselves are always for 95 % of the differences.

    Returns
    -------
    BlandAltman

    Notes
    -----
    bias = mean(x - y), limits bias ± 1.96 s. One pair each: intervals bias ± t s / sqrt(n) and limit ± t s
    sqrt(1/n + 1.96² / (2 (n - 1))). Several pairs: s² = MSW + (MSB - MSW) / m0 from a one-way analysis of variance
    of the differences with m0 = (N - sum(m²) / N) / (k - 1) (at least MSW); the interval of bias follows from the
    same two components with k - 1 degrees of freedom, and the limits' intervals combine those of bias and variance
    (MOVER).

    Assumes differences that are roughly normal, with bias and spread that do not depend on the size.

    References
    ----------
    Bland JM, Altman DG (1986). Statistical methods for assessing agreement. Lancet 327:307–310.
    Bland JM, Altman DG (1999). Measuring agreement in method comparison studies. Stat Methods Med Res 8:135–160.
    Bland JM, Altman DG (2007). Agreement between methods of measurement with multiple observations per
    individual. J Biopharm Stat 17:571–582.
    Zou GY (2013). Confidence interval estimation for the Bland–Altman limits of agreement with multiple
    observations per individual. Stat Methods Med Res 22:630–642.
    """
    _check_confidence(confidence)
    codes, values = _read_pairs(np.arange(len(x)) if persons is None else persons, x, y)
    difference = values[:, 0] - values[:, 1]
    n, k = len(difference), int(codes.max()) + 1 if len(codes) else 0
    if k < AGREEMENT_NEEDS:
        whose = "pairs" if n == k else "participants"
        note = f"not enough {whose} for limits of agreement ({k} of {AGREEMENT_NEEDS})"
        bias = float(difference.mean()) if n else math.nan
        return BlandAltman(n, k, bias, *(math.nan,) * 9, confidence, AGREEMENT_NEEDS, note)
    bias, sd, bias_half, limit_inner, limit_outer = _measure_limits(codes, difference, confidence)
    reach = Z95 * sd
    return BlandAltman(
        n=n,
        n_participants=k,
        bias=bias,
        bias_low=bias - bias_half,
        bias_high=bias + bias_half,
        sd=sd,
        low=bias - reach,
        low_low=bias - reach - limit_outer,
        low_high=bias - reach + limit_inner,
        high=bias + reach,
        high_low=bias + reach - limit_inner,
        high_high=bias + reach + limit_outer,
        confidence=confidence,
        needed=AGREEMENT_NEEDS,
        note="" if sd > 0 else "all differences are the same",
    )


Z95 = 1.959964


def _measure_limits(
    codes: np.ndarray, difference: np.ndarray, confidence: float
) -> tuple[float, float, float, float, float]:
    """Bias, spread of one difference, half-width of the bias, and how far a limit's interval reaches towards the
    bias and away from it."""
    from scipy import stats

    n, counts = len(difference), np.bincount(codes).astype(float)
    k = len(counts)
    if n == k:
        bias, sd = float(difference.mean()), float(difference.std(ddof=1))
        t = float(stats.t.ppf((1 + confidence) / 2, n - 1))
        half = t * sd * math.sqrt(1 / n + Z95**2 / (2 * (n - 1)))
        return bias, sd, t * sd / math.sqrt(n), half, half
    means = np.bincount(codes, weights=difference) / counts
    bias = float(difference.mean())
    within = float(((difference - means[codes]) ** 2).sum() / (n - k))
    between = float((counts * (means - bias) ** 2).sum() / (k - 1))
    m0 = (n - float((counts**2).sum()) / n) / (k - 1)
    persons_variance = max((between - within) / m0, 0.0)
    variance = persons_variance + within
    t = float(stats.t.ppf((1 + confidence) / 2, k - 1))
    # The variance of the mean over all rows, each participant with as many as they have.
    bias_half = t * math.sqrt(float((counts**2).sum()) / n**2 * persons_variance + within / n)
    tail = (1 - confidence) / 2
    down, up = _bound_variance(means, counts, within, n, variance, tail)
    sd = math.sqrt(variance)
    inner = math.hypot(bias_half, Z95 * (sd - math.sqrt(down)))
    outer = math.hypot(bias_half, Z95 * (math.sqrt(up) - sd))
    return bias, sd, bias_half, inner, outer


def _bound_variance(
    means: np.ndarray, counts: np.ndarray, within: float, n: int, variance: float, tail: float
) -> tuple[float, float]:
    """Bounds of the variance of one difference: the spread of the participants' means and the share of the spread
    within, each with its own chi-squared bounds (Zou 2013, equations 4 and 5)."""
    from scipy import stats

    k = len(counts)
    spread, share = float(means.var(ddof=1)), 1 - float((1 / counts).mean())
    lower = [1 - df / float(stats.chi2.isf(tail, df)) for df in (k - 1, n - k)]
    upper = [df / float(stats.chi2.ppf(tail, df)) - 1 for df in (k - 1, n - k)]
    parts = (spread, share * within)
    down = variance - math.hypot(parts[0] * lower[0], parts[1] * lower[1])
    up = variance + math.hypot(parts[0] * upper[0], parts[1] * upper[1])
    return max(down, 0.0), up


def _read_pairs(persons: Any, x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Codes 0..k-1 of the participants and an array (n, 2), complete rows only."""
    if not len(persons) == len(x) == len(y):
        raise ValueError(f"persons, x and y differ in length: {len(persons)}, {len(x)}, {len(y)}")
    values = np.column_stack([np.asarray(x, dtype=float), np.asarray(y, dtype=float)])
    codes = pd.factorize(np.asarray(persons))[0]
    known = np.isfinite(values).all(axis=1) & (codes >= 0)
    if not known.any():
        return np.zeros(0, dtype=int), values[:0]
    return np.unique(codes[known], return_inverse=True)[1], values[known]


def _correlate(centred: np.ndarray, weights: np.ndarray, values: np.ndarray, where: str) -> tuple[float, str]:
    sums = (centred * weights[:, None]).T @ centred
    # Rounding leaves traces of a value that never changes; they are no variation.
    floor = (1e-12 * np.maximum(np.abs(values).max(axis=0), 1e-300)) ** 2 * weights.sum()
    for number, name in enumerate(("first", "second")):
        if sums[number, number] <= floor[number]:
            return math.nan, f"the {name} measure does not vary {where}"
    return float(np.clip(sums[0, 1] / math.sqrt(sums[0, 0] * sums[1, 1]), -1, 1)), ""


def _make_correlation(
    level: str, r: float, df: int, k: int, n: int, confidence: float, needed: int, note: str
) -> Correlation:
    """With Fisher's interval and the t test of r, for `df` degrees of freedom."""
    low = high = p = math.nan
    if not math.isnan(r):
        from scipy import stats

        if abs(r) > 1 - 1e-12:
            low = high = r
            p = 0.0
        else:
            half = float(stats.norm.ppf((1 + confidence) / 2)) / math.sqrt(df - 1)
            low, high = math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half)
            p = float(2 * stats.t.sf(abs(r) * math.sqrt(df / (1 - r**2)), df))
    return Correlation(level, r, low, high, p, df, k, n, confidence, needed, note)


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1: {confidence}")
