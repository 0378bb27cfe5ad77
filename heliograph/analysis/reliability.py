"""The noise floor: how far repeated recordings of the same moment lie apart, and so how large a change must be
before it can mean anything."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from heliograph.analysis.baseline import RESULT
from heliograph.analysis.moments import open_moments

__all__ = ["MIN_REPEAT_GROUPS", "Reliability", "compute_reliability", "find_repeats"]

MIN_REPEAT_GROUPS = 5
"""With five pairs the error of measurement is known to a factor of about 2.5; with fewer it is a guess."""
Z_95 = 1.959963984540054
# A run that was submitted again has the same recording, and so the same score: no repetition.
SAME_RECORDING = ("duration_s", "level_dbfs", "peak_dbfs")


@dataclass(frozen=True)
class Reliability:
    """Intraclass correlation, standard error of measurement and minimal detectable change, each with its interval;
    NaN where `problem` says why."""

    n_groups: int
    n_runs: int
    icc: float
    icc_low: float
    icc_high: float
    sem: float
    sem_low: float
    sem_high: float
    confidence: float
    needed: int
    problem: str | None

    @property
    def mdc(self) -> float:
        """Smallest difference of two single runs that measurement noise exceeds in 5 % of cases only."""
        return Z_95 * math.sqrt(2) * self.sem

    @property
    def mdc_low(self) -> float:
        return Z_95 * math.sqrt(2) * self.sem_low

    @property
    def mdc_high(self) -> float:
        return Z_95 * math.sqrt(2) * self.sem_high


def find_repeats(frame: pd.DataFrame, column: str, window_min: float = 15) -> pd.DataFrame:
    """Find recordings of one participant that were made close together.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a run with `session_local` and the score, in any order; of several participants when there is a
        `participant_id`. Where the frame has a `state`, only completed results count. Not changed.
    column : str
        The score; rows without it do not count.
    window_min : float
        Minutes from the first recording of a group to its last.

    Returns
    -------
    pandas.DataFrame
        `group` (from 0), `participant_id` and `run_id` where the frame has them, `session_local` and `value`, for
        groups of two and more. A run counts once. The same recording submitted again does not count.

    Raises
    ------
    ValueError
        When `window_min` is not above 0.

    Notes
    -----
    A group opens with a recording that is in none, and takes those within the window **of that one**: a chain of
    recordings ten minutes apart is not one moment.
    """
    if not window_min > 0:
        raise ValueError(f"the window must be above 0 minutes, not {window_min}")
    owner = ["participant_id"] if "participant_id" in frame else []
    rows = frame[frame[column].notna() & (frame["state"] == RESULT if "state" in frame else True)]
    rows = rows.assign(at=pd.to_datetime(rows["session_local"]))
    rows = rows[rows["at"].notna()]
    order = [*owner, "at", *(["run_id"] if "run_id" in rows else [])]
    rows = _drop_copies(rows.sort_values(order, kind="stable"), owner)
    people = rows[owner[0]].to_numpy() if owner else np.zeros(len(rows), dtype=int)
    opened = open_moments(people, rows["at"].to_numpy(dtype="datetime64[ms]"), window_min)
    repeated = np.bincount(opened, minlength=1)[opened] > 1 if len(rows) else np.zeros(0, dtype=bool)
    kept = rows[repeated]
    found = kept[[*owner, *(["run_id"] if "run_id" in kept else []), "session_local"]].copy()
    found.insert(0, "group", pd.factorize(opened[repeated])[0])
    found["value"] = kept[column].astype(float)
    return found.reset_index(drop=True)


def compute_reliability(
    groups: npt.ArrayLike | pd.Series,
    values: npt.ArrayLike | pd.Series,
    confidence: float = 0.95,
    *,
    needed: int = MIN_REPEAT_GROUPS,
) -> Reliability:
    """Compute ICC(1,1), SEM and MDC of repeated recordings.

    Parameters
    ----------
    groups : array_like
        Which moment each recording belongs to, as `find_repeats` tells.
    values : array_like of float
        Their scores. Missing ones are left out, and groups that keep only one.
    confidence : float
        Of the intervals.
    needed : int
        Below this number of groups nothing is computed.

    Returns
    -------
    Reliability

    Raises
    ------
    ValueError
        When lengths differ or `confidence` is not between 0 and 1.

    Notes
    -----
    One-way random effects: with the mean squares between (B) and within (W) k groups of N recordings,
    ``n0 = (N - Σn²/N)/(k - 1)``, ``ICC = (B - W)/(B + (n0 - 1)·W)`` [1]_. Its interval follows from
    ``F = B/W``: ``(F/q - 1)/(F/q + n0 - 1)`` with the quantiles q of F(k - 1, N - k) above and F's mirror below;
    exact for groups of one size, approximate otherwise. A negative ICC says that moments differ no more than
    repeats. ``SEM = sqrt(W)``, its interval from chi-square with N - k degrees of freedom;
    ``MDC95 = 1.96·sqrt(2)·SEM`` [2]_.

    Assumed: nothing changed within a group, errors are independent, normal and equally large whatever the score.
    The ICC depends on how different the moments are (one person's days, or many people's), SEM and MDC do not.

    References
    ----------
    .. [1] P. E. Shrout, J. L. Fleiss: Intraclass correlations, Psychological Bulletin 86 (1979) 420-428; n0 for
       unequal groups: R. R. Sokal, F. J. Rohlf: Biometry, section 9.2.
    .. [2] J. P. Weir: Quantifying test-retest reliability using the ICC and the SEM, Journal of Strength and
       Conditioning Research 19 (2005) 231-240.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, not {confidence}")
    scores, codes = np.asarray(values, dtype=float), pd.factorize(np.asarray(groups))[0]
    if len(scores) != len(codes):
        raise ValueError(f"{len(codes)} groups do not fit {len(scores)} values")
    known = np.isfinite(scores) & (codes >= 0)
    scores, codes = scores[known], codes[known]
    repeated = np.bincount(codes, minlength=1)[codes] > 1 if len(codes) else np.zeros(0, dtype=bool)
    scores, codes = scores[repeated], pd.factorize(codes[repeated])[0]
    n_groups, n_runs = int(codes.max()) + 1 if len(codes) else 0, len(scores)
    if n_groups < max(needed, 2):
        problem = f"not enough repeated recordings ({n_groups} of {max(needed, 2)} groups)"
        return _refuse(n_groups, n_runs, confidence, max(needed, 2), problem)
    return _analyse(codes, scores, n_groups, confidence, max(needed, 2))


def _analyse(
    codes: npt.NDArray[np.int_], scores: npt.NDArray[np.float64], k: int, confidence: float, needed: int
) -> Reliability:
    from scipy.special import chdtri, fdtri

    n, sizes = len(scores), np.bincount(codes)
    means = np.bincount(codes, weights=scores) / sizes
    between = float((sizes * (means - scores.mean()) ** 2).sum()) / (k - 1)
    within = float(((scores - means[codes]) ** 2).sum()) / (n - k)
    # Sums of equal decimals differ in the last bits.
    smallest = (np.finfo(float).eps * max(1.0, float(np.abs(scores).max()))) ** 2 * n
    if within <= smallest:
        problem = "no noise to measure: the repeats of each moment have the same score"
        return _refuse(k, n, confidence, needed, problem)
    n0 = (n - float((sizes**2).sum()) / n) / (k - 1)
    tail = (1 - confidence) / 2
    ratio = between / within
    # The functions of scipy.special take the lower tail for F and the upper for chi-square.
    low = ratio / float(fdtri(k - 1, n - k, 1 - tail))
    high = ratio / float(fdtri(k - 1, n - k, tail))
    return Reliability(
        n_groups=k,
        n_runs=n,
        icc=(ratio - 1) / (ratio + n0 - 1),
        icc_low=(low - 1) / (low + n0 - 1),
        icc_high=(high - 1) / (high + n0 - 1),
        sem=math.sqrt(within),
        sem_low=math.sqrt(within * (n - k) / float(chdtri(n - k, tail))),
        sem_high=math.sqrt(within * (n - k) / float(chdtri(n - k, 1 - tail))),
        confidence=confidence,
        needed=needed,
        problem=None,
    )


def _refuse(n_groups: int, n_runs: int, confidence: float, needed: int, problem: str) -> Reliability:
    no = float("nan")
    return Reliability(n_groups, n_runs, no, no, no, no, no, no, confidence, needed, problem)


def _drop_copies(rows: pd.DataFrame, owner: list[str]) -> pd.DataFrame:
    facts = [name for name in SAME_RECORDING if name in rows]
    if not facts:
        return rows
    copies = rows.duplicated([*owner, "at", *facts], keep="first") & rows[facts].notna().all(axis=1)
    return rows[~copies]
