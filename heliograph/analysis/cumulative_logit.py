"""Proportional odds for repeated ordered levels, by generalised estimating equations: runs of a participant count
as independent in the estimate, and not in its standard errors.

statsmodels' ordinal equations treat the dichotomies of one run as independent of each other, which loses precision
and does not give the published estimates; here they are a multinomial, as in Lipsitz, Kim and Zhao.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["LogitFit", "fit_cumulative_logit"]

ITERATIONS = 60
TOLERANCE = 1e-9
FARTHEST = 12.0
"""Log odds beyond which an estimate is on its way to infinity: levels are missing where the model needs them."""


@dataclass(frozen=True)
class LogitFit:
    """`coefficients` are log odds ratios of a higher level per unit of each column of x, `covariance` is their
    robust one, and `diverged` says that an estimate runs to infinity."""

    coefficients: np.ndarray
    covariance: np.ndarray
    thresholds: np.ndarray
    converged: bool
    diverged: bool


def fit_cumulative_logit(
    levels: np.ndarray, x: np.ndarray, groups: np.ndarray, *, corrected: bool = True
) -> LogitFit:
    """Fit logit P(level > j) = a_j + x b.

    Parameters
    ----------
    levels : numpy.ndarray of int, shape (n,)
        0..J, each present.
    x : numpy.ndarray, shape (n, p)
        Predictors without a constant. A spread near 1 helps.
    groups : numpy.ndarray of int, shape (n,)
        The participant of each row, 0..k-1, each present.
    corrected : bool
        Correct the robust covariance for few participants (Mancl and DeRouen).

    Returns
    -------
    LogitFit

    Raises
    ------
    numpy.linalg.LinAlgError
        When the data do not determine a coefficient, or one participant alone determines it.

    Notes
    -----
    Fisher scoring of the multinomial likelihood, which with independence between runs solves the estimating
    equations. Covariance B^-1 (sum u_i u_i') B^-1 with B the information and u_i the score of participant i,
    corrected to (I - A_i B^-1)^-1 u_i, A_i being their share of B.

    References
    ----------
    McCullagh P (1980). Regression models for ordinal data. J R Stat Soc B 42:109–142.
    Lipsitz SR, Kim K, Zhao L (1994). Analysis of repeated categorical data using generalized estimating equations.
    Stat Med 13:1149–1163.
    Mancl LA, DeRouen TA (2001). A covariance estimator for GEE with improved small-sample properties. Biometrics
    57:126–134.
    """
    steps = int(levels.max())
    above = levels[:, None] > np.arange(steps)
    share = above.mean(axis=0)
    values = np.r_[np.log(share / (1 - share)), np.zeros(x.shape[1])]
    converged = False
    for _ in range(ITERATIONS):
        score, information = _compute_parts(levels, x, values, steps)
        change = np.linalg.solve(information.sum(axis=0), score.sum(axis=0))
        values = _move(values, change, steps)
        if np.abs(values).max() > FARTHEST:
            break
        if np.abs(change).max() < TOLERANCE:
            converged = True
            break
    score, information = _compute_parts(levels, x, values, steps)
    covariance = _compute_covariance(score, information, groups, corrected)
    return LogitFit(
        coefficients=values[steps:],
        covariance=covariance[steps:, steps:],
        thresholds=values[:steps],
        converged=converged,
        diverged=bool(np.abs(values).max() > FARTHEST),
    )


def _move(values: np.ndarray, change: np.ndarray, steps: int) -> np.ndarray:
    """The next values: shorter steps where thresholds would pass each other."""
    length = min(1.0, 3.0 / float(np.abs(change).max() + 1e-300))
    while steps > 1 and np.diff((values + length * change)[:steps]).max() >= 0:
        length /= 2
    moved: np.ndarray = values + length * change
    return moved


def _compute_parts(
    levels: np.ndarray, x: np.ndarray, values: np.ndarray, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Score (n, q) and expected information (n, q, q) of each run."""
    from scipy import special

    n = len(levels)
    above = special.expit(values[:steps] + (x @ values[steps:])[:, None])
    slope = above * (1 - above)
    # Of the probability of each level in the thresholds' direction: P(level = j) = above[j - 1] - above[j].
    edges = np.column_stack([np.ones(n), above, np.zeros(n)])
    probability = np.maximum(edges[:, :-1] - edges[:, 1:], 1e-300)
    gradient = np.zeros((n, steps + 1, steps + x.shape[1]))
    for j in range(steps):
        gradient[:, j + 1, j] += slope[:, j]
        gradient[:, j, j] -= slope[:, j]
    flat = np.column_stack([np.zeros(n), slope, np.zeros(n)])
    gradient[:, :, steps:] = (flat[:, :-1] - flat[:, 1:])[:, :, None] * x[:, None, :]
    rows = np.arange(n)
    score = gradient[rows, levels] / probability[rows, levels][:, None]
    information = np.einsum("njp,njq->npq", gradient / probability[:, :, None], gradient)
    return score, information


def _compute_covariance(
    score: np.ndarray, information: np.ndarray, groups: np.ndarray, corrected: bool
) -> np.ndarray:
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(groups[order]) > 0])
    scores = np.add.reduceat(score[order], starts, axis=0)
    inverse = np.linalg.inv(information.sum(axis=0))
    if corrected:
        shares = np.add.reduceat(information[order], starts, axis=0) @ inverse
        scores = np.linalg.solve(np.eye(len(inverse)) - shares, scores[:, :, None])[:, :, 0]
    middle = scores @ inverse
    found: np.ndarray = middle.T @ middle
    return found
