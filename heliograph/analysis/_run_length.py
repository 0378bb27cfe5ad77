"""How often control charts cry wolf: average run lengths with a known baseline, and the chance of a false flag
with one that was estimated from few runs."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from heliograph.analysis.baseline import compute_t_quantile

Floats = npt.NDArray[np.float64]
Chart = Literal["ewma", "cusum"]

NODES = 96
REPLICATIONS = 20_000
SEED = 19540601
HORIZON_RUNS = 50
"""Limits are widened for a small baseline so that the chance of a false flag is right over this many runs."""
CALIBRATION_SEED = 19590801
CALIBRATION_REPLICATIONS = 40_000
# Of the replications; with fewer beyond the limit their quantile is chance itself.
FEWEST_FLAGGED = 50
# The weights of older runs are below this when the limits stand still.
SETTLED = 1e-10


@lru_cache(maxsize=64)
def compute_ewma_arl(
    lam: float, width: float, *, shift: float = 0.0, limits: Literal["exact", "asymptotic"] = "exact"
) -> float:
    """Compute the mean number of runs until an EWMA chart with a known baseline flags one.

    Parameters
    ----------
    lam : float
        Weight of the newest run, above 0 and up to 1.
    width : float
        Half-width of the limits in standard deviations of the average.
    shift : float
        Lasting change of the mean from the first run on, in standard deviations of a single run. 0 gives the
        length until a false flag.
    limits : {"exact", "asymptotic"}
        Limits that widen with the number of runs (the chart's), or constant ones (most published tables).

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When `lam` or `width` make no chart.

    Notes
    -----
    With constant limits ``±c``, ``c = width·sqrt(λ/(2-λ))``, the run length from the average y has the mean
    ``L(y) = 1 + 1/λ ∫ L(x) φ((x - (1-λ)y)/λ - shift) dx`` over the limits [1]_, solved on Gauss-Legendre nodes.
    With exact limits the density of an average that was never flagged is carried from run to run until they
    stand still, and L takes over there. Tables: [2]_ (constant), [3]_ (both).

    References
    ----------
    .. [1] S. V. Crowder: A simple method for studying run-length distributions of EWMA charts,
       Technometrics 29 (1987) 401-407.
    .. [2] J. M. Lucas, M. S. Saccucci: Technometrics 32 (1990) 1-12, table 3.
    .. [3] S. H. Steiner: EWMA control charts with time-varying control limits and fast initial response,
       Journal of Quality Technology 31 (1999) 75-86, table 2.
    """
    if not 0 < lam <= 1 or not width > 0:
        raise ValueError(f"an EWMA needs a weight above 0 and up to 1 and a width above 0, not {lam} and {width}")
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    limit = width * math.sqrt(lam / (2 - lam))
    x = limit * nodes
    step = _compute_kernel(x, x, lam, shift) * (limit * weights)
    lengths = np.linalg.solve(np.eye(NODES) - step, np.ones(NODES))
    if limits == "asymptotic":
        start = _compute_kernel(np.zeros(1), x, lam, shift)[0] * (limit * weights)
        return float(1 + start @ lengths)
    total, density, before = 1.0, np.ones(1), np.zeros(1)
    mass = np.ones(1)
    last = max(1, math.ceil(math.log(SETTLED) / math.log(1 - lam) / 2)) if lam < 1 else 1
    for run in range(1, last + 1):
        reach = limit * math.sqrt(1 - (1 - lam) ** (2 * run)) if run < last else limit
        after = reach * nodes
        density = (density * mass) @ _compute_kernel(before, after, lam, shift)
        before, mass = after, reach * weights
        if run < last:
            total += float(density @ mass)
    return total + float((density * mass) @ lengths)


@lru_cache(maxsize=64)
def compute_cusum_arl(k: float, h: float, *, shift: float = 0.0) -> float:
    """Compute the mean number of runs until a two-sided tabular CUSUM flags one.

    Parameters
    ----------
    k, h : float
        Allowance and limit in standard deviations.
    shift : float
        Lasting change of the mean from the first run on, in standard deviations. 0 gives the length until a
        false flag.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        When `k` is below 0 or `h` not above 0.

    Notes
    -----
    One side: ``L(s) = 1 + L(0)·Φ(k - s - shift) + ∫ L(x) φ(x + k - s - shift) dx`` from 0 to h [1]_, solved on
    Gauss-Legendre nodes. Both: ``1/L = 1/L(up) + 1/L(down)``. Table: [2]_, table 1.

    References
    ----------
    .. [1] L. C. Vance: Average run lengths of cumulative sum control charts for controlling normal means,
       Journal of Quality Technology 18 (1986) 189-193.
    .. [2] J. M. Lucas, R. B. Crosier: Fast initial response for CUSUM quality-control schemes, Technometrics 24
       (1982) 199-205.
    """
    if not k >= 0 or not h > 0:
        raise ValueError(f"a CUSUM needs an allowance of 0 or more and a limit above 0, not {k} and {h}")
    sides = [_compute_one_sided_arl(k, h, direction * shift) for direction in (1, -1)]
    return 1 / sum(1 / length for length in sides)


@lru_cache(maxsize=256)
def compute_ewma_factor(n_baseline: int, lam: float, width: float) -> float:
    """Compute how many standard errors wide the limits of an EWMA must be when its baseline was estimated.

    Parameters
    ----------
    n_baseline : int
        Runs that the baseline is computed from, 2 or more.
    lam, width : float
        The chart that a baseline known for certain would have.

    Returns
    -------
    float
        `width` or more; 4.0 for 5 runs, 3.35 for 10 and 3.15 for 20 with the defaults. Cached: the first call
        takes about 0.2 s.

    Notes
    -----
    The error of the baseline's mean and s is the same for every run, so limits that are right for one run are
    wrong for a series. As [1]_ advises, they are set so that the chance of at least one false flag within the next
    `HORIZON_RUNS` runs, over all baselines that could have been drawn, is that of a known baseline: by
    simulation, with one set of random numbers for every n. Over fewer runs the chance is then somewhat above,
    over more below that of a known baseline. Limits too wide for a simulation take the quantile of Student's t
    with the tail of `width`, which is right for a single run and rarely flags a series.

    References
    ----------
    .. [1] L. A. Jones, C. W. Champ, S. E. Rigdon: The performance of exponentially weighted moving average charts
       with estimated parameters, Technometrics 43 (2001) 156-167.
    """
    rng = np.random.default_rng(CALIBRATION_SEED)
    error, chi = rng.standard_normal(CALIBRATION_REPLICATIONS), rng.random(CALIBRATION_REPLICATIONS)
    steps = rng.standard_normal((HORIZON_RUNS, CALIBRATION_REPLICATIONS))
    known = _find_farthest(steps, np.zeros_like(error), math.inf, lam)
    flagged = float((known > width).mean())
    if flagged * CALIBRATION_REPLICATIONS < FEWEST_FLAGGED:
        return compute_t_quantile(math.erfc(width / math.sqrt(2)) / 2, n_baseline - 1)
    from scipy.special import chdtri

    df = n_baseline - 1
    sd = np.sqrt(chdtri(df, chi) / df)
    farthest = _find_farthest(steps, error / math.sqrt(n_baseline), n_baseline, lam) / sd
    # Relative to a known baseline, so that large n give exactly `width`.
    wider = float(np.quantile(farthest, 1 - flagged)) / float(np.quantile(known, 1 - flagged))
    return width * max(1.0, wider)


@lru_cache(maxsize=256)
def compute_false_alarm_chance(
    n_baseline: int,
    n_runs: int,
    *,
    chart: Chart = "ewma",
    lam: float = 0.2,
    width: float = 2.962,
    k: float = 0.5,
    h: float = 5.0,
    replications: int = REPLICATIONS,
    seed: int = SEED,
) -> float:
    """Estimate the chance that an unchanged person is flagged at least once within the next runs.

    Parameters
    ----------
    n_baseline : int
        Runs that the baseline is computed from, 2 or more.
    n_runs : int
        Runs after the baseline.
    chart : {"ewma", "cusum"}
        Which chart, with `lam` and `width`, or with `k` and `h`.
    replications, seed : int
        Of the simulation; its standard error is at most ``0.5/sqrt(replications)``, 0.0035 as it stands.

    Returns
    -------
    float
        For **one** score; six biomarkers have up to six times that chance.

    Raises
    ------
    ValueError
        When `n_baseline` is below 2, `n_runs` below 0 or `chart` unknown.

    Notes
    -----
    Simulation of the charts as `heliograph.analysis.control` draws them, on independent normal scores. Cached:
    the first call takes about 0.1 s for 50 runs.
    """
    if n_baseline < 2 or n_runs < 0:
        raise ValueError(f"there is no chance for a baseline of {n_baseline} and {n_runs} runs")
    if chart not in ("ewma", "cusum"):
        raise ValueError(f"chart must be ewma or cusum, not {chart!r}")
    rng = np.random.default_rng(seed)
    mean = rng.normal(0, 1 / math.sqrt(n_baseline), replications)
    squares = rng.chisquare(n_baseline - 1, replications)
    if chart == "ewma":
        steps = rng.standard_normal((n_runs, replications))
        sd = np.sqrt(squares / (n_baseline - 1))
        farthest = _find_farthest(steps, mean, n_baseline, lam) / sd
        flagged = farthest > compute_ewma_factor(n_baseline, lam, width)
    else:
        flagged = _simulate_cusum(rng, mean, squares, n_baseline, n_runs, k, h)
    return float(flagged.mean())


def _find_farthest(steps: Floats, mean: Floats, n: float, lam: float) -> Floats:
    """The largest distance of each average (columns) from its baseline's mean, in standard errors at sd 1."""
    away, farthest = np.zeros_like(mean), np.zeros_like(mean)
    for run, scores in enumerate(steps, start=1):
        kept = (1 - lam) ** run
        away = (1 - lam) * away + lam * (scores - mean)
        error = math.sqrt(lam / (2 - lam) * (1 - kept**2) + (1 - kept) ** 2 / n)
        np.maximum(farthest, np.abs(away) / error, out=farthest)
    return farthest


def _simulate_cusum(
    rng: np.random.Generator, mean: Floats, squares: Floats, n: int, n_runs: int, k: float, h: float
) -> npt.NDArray[np.bool_]:
    from scipy.special import ndtri, stdtr

    up, down = np.zeros_like(mean), np.zeros_like(mean)
    flagged = np.zeros(len(mean), dtype=bool)
    for _ in range(n_runs):
        x = rng.standard_normal(len(mean))
        t = (x - mean) / np.sqrt(squares / (n - 1) * (1 + 1 / n))
        u = -np.copysign(ndtri(stdtr(n - 1, -np.abs(t))), t)
        n += 1
        before, mean = mean, mean + (x - mean) / n
        squares = squares + (x - before) * (x - mean)
        up = np.maximum(0, up + u - k)
        down = np.maximum(0, down - u - k)
        flagged |= (up > h) | (down > h)
    return flagged


def _compute_kernel(before: Floats, after: Floats, lam: float, shift: float) -> Floats:
    """Density of the average at `after` (columns), given that it was at `before` (rows)."""
    z = (after[None, :] - (1 - lam) * before[:, None]) / lam - shift
    return np.asarray(np.exp(-(z**2) / 2) / (math.sqrt(2 * math.pi) * lam))


def _compute_one_sided_arl(k: float, h: float, shift: float) -> float:
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    x, mass = h * (nodes + 1) / 2, h * weights / 2
    # The first unknown is L(0): the sum rests there with a chance of its own.
    starts = np.concatenate([[0.0], x])
    z = x[None, :] + k - starts[:, None] - shift
    step = np.empty((NODES + 1, NODES + 1))
    step[:, 0] = [math.erfc((s + shift - k) / math.sqrt(2)) / 2 for s in starts]
    step[:, 1:] = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi) * mass
    return float(np.linalg.solve(np.eye(NODES + 1) - step, np.ones(NODES + 1))[0])
