"""Linear mixed models by restricted maximum likelihood: one normal random vector per participant, participants
independent. The likelihood is a sum over participants of small cross products, so that a fit takes milliseconds
whatever the number of runs.

statsmodels has such a model, and the suite compares with it. It is not used because its optimiser stopped short
of the optimum, or took tens of seconds, on ordinary data with slopes, and because it has no degrees of freedom for
few participants: with a normal quantile a nominal 95 % covers clearly less.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["RemlFit", "fit_reml"]

SINGULAR_BELOW = 1e-3
"""A random spread below this share of the residual's counts as none."""

SMALL = 0.05
"""A spread below this share is looked at again: the optimiser stops near bounds."""

STEP = 1e-4
"""Of the numerical derivatives with respect to relative spreads, which are of the order of 1."""


@dataclass(frozen=True)
class RemlFit:
    """Estimates of y = X b + Z u + e, with u ~ N(0, covariance) per participant and e ~ N(0, sigma²).

    `df` are Satterthwaite's degrees of freedom of each coefficient, `effects` the predicted u of each participant,
    `criterion` is minus twice the restricted log likelihood. `singular` says that a random spread is 0 or two are
    tied; `converged` that the optimiser found a minimum.
    """

    coefficients: np.ndarray
    covariance_of_coefficients: np.ndarray
    df: np.ndarray
    covariance: np.ndarray
    effects: np.ndarray
    sigma: float
    criterion: float
    converged: bool
    singular: bool
    message: str


def fit_reml(
    y: np.ndarray, x: np.ndarray, z: np.ndarray, groups: np.ndarray, *, correlated: bool = True
) -> RemlFit:
    """Fit a linear mixed model.

    Parameters
    ----------
    y : numpy.ndarray, shape (n,)
        Outcome. A spread near 1 helps the optimiser.
    x : numpy.ndarray, shape (n, p)
        Columns of the fixed effects, of full rank.
    z : numpy.ndarray, shape (n, q)
        Columns of the random effects, each of a spread near 1.
    groups : numpy.ndarray of int, shape (n,)
        The participant of each row, 0..k-1, each present.
    correlated : bool
        Whether the random effects of a participant may be correlated.

    Returns
    -------
    RemlFit

    Notes
    -----
    With L the relative Cholesky factor of the random effects, M_i = I + L' Z_i' Z_i L and V the relative
    covariance of y, the criterion profiled over b and sigma is sum log|M_i| + log|X' V^-1 X| + (n - p) (1 + log(2
    pi s²)), s² = (y - X b)' V^-1 (y - X b) / (n - p). Degrees of freedom: 2 v² / (g' A g) with v the variance of a
    coefficient, g its gradient in the spreads and A their covariance from the criterion's second derivatives. With
    a singular covariance the spreads at 0 are held there.

    References
    ----------
    Bates D, Mächler M, Bolker B, Walker S (2015). Fitting linear mixed-effects models using lme4. J Stat Softw
    67(1).
    Kuznetsova A, Brockhoff PB, Christensen RHB (2017). lmerTest package. J Stat Softw 82(13).
    """
    likelihood = _Likelihood(y, x, z, groups, correlated)
    theta, converged, message = _minimise(likelihood)
    theta = _snap_to_zero(likelihood, theta)
    diagonal = theta[likelihood.diagonal]
    state = likelihood.solve(theta)
    factor = likelihood.make_factor(theta)
    variance = state.residual / likelihood.df
    return RemlFit(
        coefficients=state.coefficients,
        covariance_of_coefficients=variance * state.inverse,
        df=_compute_df(likelihood, theta, math.sqrt(variance)),
        covariance=variance * factor @ factor.T,
        effects=likelihood.predict_effects(factor, state.coefficients),
        sigma=math.sqrt(variance),
        criterion=likelihood.compute_criterion(theta),
        converged=converged,
        singular=bool((diagonal < SINGULAR_BELOW).any()),
        message=message,
    )


@dataclass(frozen=True)
class _State:
    """What the criterion needs at one set of relative spreads."""

    coefficients: np.ndarray
    inverse: np.ndarray
    log_determinants: float
    residual: float


class _Likelihood:
    """The data as cross products per participant, and the profiled criterion on them."""

    def __init__(self, y: np.ndarray, x: np.ndarray, z: np.ndarray, groups: np.ndarray, correlated: bool) -> None:
        xy = np.column_stack([x, y])
        order = np.argsort(groups, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(groups[order]) > 0])
        z, ordered = z[order], xy[order]
        self.zz = np.add.reduceat(z[:, :, None] * z[:, None, :], starts, axis=0)
        self.zxy = np.add.reduceat(z[:, :, None] * ordered[:, None, :], starts, axis=0)
        self.total = xy.T @ xy
        self.p: int = x.shape[1]
        self.q: int = z.shape[1]
        self.df: int = len(y) - self.p
        self.rows, self.columns = np.tril_indices(self.q) if correlated else (np.arange(self.q),) * 2
        self.diagonal = self.rows == self.columns

    def make_factor(self, theta: np.ndarray) -> np.ndarray:
        factor = np.zeros((self.q, self.q))
        factor[self.rows, self.columns] = theta
        return factor

    def solve(self, theta: np.ndarray) -> _State:
        factor = self.make_factor(theta)
        inner = factor.T @ self.zz @ factor + np.eye(self.q)
        chol = np.linalg.cholesky(inner)
        half = np.linalg.solve(chol, factor.T @ self.zxy).reshape(-1, self.p + 1)
        sums = self.total - half.T @ half
        inverse = np.linalg.inv(sums[: self.p, : self.p])
        coefficients = inverse @ sums[: self.p, self.p]
        logs = 2 * float(np.log(np.diagonal(chol, axis1=1, axis2=2)).sum())
        logs -= float(np.linalg.slogdet(inverse)[1])
        residual = float(sums[self.p, self.p] - coefficients @ sums[: self.p, self.p])
        return _State(coefficients, inverse, logs, max(residual, 1e-300))

    def predict_effects(self, factor: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
        """The conditional mean of u for each participant, shape (k, q)."""
        left = self.zxy @ np.r_[-coefficients, 1.0]
        inner = factor.T @ self.zz @ factor + np.eye(self.q)
        found: np.ndarray = np.linalg.solve(inner, (left @ factor)[:, :, None])[:, :, 0] @ factor.T
        return found

    def compute_criterion(self, theta: np.ndarray) -> float:
        state = self.solve(theta)
        return state.log_determinants + self.df * (1.0 + math.log(2 * math.pi * state.residual / self.df))

    def compute_full_criterion(self, spreads: np.ndarray) -> float:
        """The criterion not profiled over sigma, which is the last of `spreads`."""
        state, sigma = self.solve(spreads[:-1]), float(spreads[-1])
        return self.df * math.log(2 * math.pi * sigma**2) + state.log_determinants + state.residual / sigma**2


def _minimise(likelihood: _Likelihood) -> tuple[np.ndarray, bool, str]:
    """The least criterion, spreads not being negative.

    Simplexes and intervals only: methods with gradients call threaded linear algebra for 3 numbers, which on a
    busy machine costs ten times the likelihood.
    """
    from scipy import optimize

    if likelihood.q == 1:
        # The spread as a share s / (1 + s) of itself and the residual: all of it lies in [0, 1).
        found = optimize.minimize_scalar(
            lambda share: likelihood.compute_criterion(np.array([share / (1 - share)])),
            bounds=(0.0, 0.99999),
            method="bounded",
            options={"xatol": 1e-8},
        )
        return (
            np.array([found.x / (1 - found.x)]),
            bool(found.success),
            "" if found.success else str(found.message),
        )
    size = len(likelihood.diagonal)
    at, message, converged = np.where(likelihood.diagonal, 0.7, 0.0), "", True
    for step in (0.4, 0.05):
        result = optimize.minimize(
            likelihood.compute_criterion,
            at,
            method="Nelder-Mead",
            bounds=[(0.0, None) if diagonal else (None, None) for diagonal in likelihood.diagonal],
            options={
                "initial_simplex": np.vstack([at, at + step * np.eye(size)]),
                "xatol": 1e-5,
                "fatol": 1e-7,
                "maxfev": 1000 * size,
            },
        )
        at, converged, message = result.x, bool(result.success), str(result.message)
        if size <= 3 and converged:
            break  # With more spreads a simplex can collapse: a second one starts where it ended.
    return at, converged, "" if converged else message


def _snap_to_zero(likelihood: _Likelihood, theta: np.ndarray) -> np.ndarray:
    """Small spreads set to 0 where the criterion is none the worse for it."""
    best, least = theta, likelihood.compute_criterion(theta)
    for number in np.flatnonzero(likelihood.diagonal & (theta < SMALL)):
        tried = best.copy()
        tried[number] = 0.0
        if (value := likelihood.compute_criterion(tried)) <= least + 1e-5:
            best, least = tried, min(value, least)
    return best


def _compute_df(likelihood: _Likelihood, theta: np.ndarray, sigma: float) -> np.ndarray:
    """Satterthwaite's degrees of freedom of each coefficient."""
    spreads = np.r_[theta, sigma]
    free = np.flatnonzero(~np.r_[likelihood.diagonal & (theta < SINGULAR_BELOW), False])

    def put(values: np.ndarray) -> np.ndarray:
        full: np.ndarray = spreads.copy()
        full[free] = values
        return full

    def compute_variances(values: np.ndarray) -> np.ndarray:
        full = put(values)
        found: np.ndarray = full[-1] ** 2 * np.diag(likelihood.solve(full[:-1]).inverse)
        return found

    at = spreads[free]
    steps = STEP * np.maximum(np.abs(at), 0.1)
    hessian = _differentiate_twice(lambda values: likelihood.compute_full_criterion(put(values)), at, steps * 10)
    variances = compute_variances(at)
    gradients = np.stack(
        [
            (compute_variances(at + move) - compute_variances(at - move)) / (2 * step)
            for step, move in zip(steps, np.diag(steps), strict=True)
        ]
    )
    try:
        spread = gradients * np.linalg.solve(hessian, gradients) * 2
    except np.linalg.LinAlgError:
        return np.full(likelihood.p, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        df = 2 * variances**2 / spread.sum(axis=0)
    return np.where(df > 0, np.minimum(df, likelihood.df), np.nan)


def _differentiate_twice(function: Callable[[np.ndarray], float], at: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """The matrix of second derivatives by central differences."""
    size = len(at)
    moves = np.diag(steps)
    middle = function(at)
    matrix = np.empty((size, size))
    for i in range(size):
        matrix[i, i] = (function(at + moves[i]) - 2 * middle + function(at - moves[i])) / steps[i] ** 2
        for j in range(i):
            corners = (
                function(at + moves[i] + moves[j])
                - function(at + moves[i] - moves[j])
                - function(at - moves[i] + moves[j])
                + function(at - moves[i] - moves[j])
            )
            matrix[i, j] = matrix[j, i] = corners / (4 * steps[i] * steps[j])
    return matrix
