"""Groups described honestly: the participant is the unit, never the run, and every figure has its n beside it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from heliograph.analysis.agreement import compute_rmcorr

__all__ = [
    "INTERVAL_NEEDS",
    "compute_group_summary",
    "compute_group_trajectory",
    "compute_within_correlations",
    "mark_small",
    "suppress_small",
]

INTERVAL_NEEDS = 2
"""Participants that an interval needs: with one there is no spread to see."""

_COUNTS = ("n_participants", "n_runs")


def compute_group_summary(cells: pd.DataFrame, column: str, *, confidence: float = 0.95) -> pd.DataFrame:
    """Mean of the participants' means in each group, with its t interval.

    Parameters
    ----------
    cells : pandas.DataFrame
        One row per participant and group (and period, which is merged): `participant_id`, `group`, `n_runs` and
        `column`, the mean of those runs.
    column : str
        The score.
    confidence : float
        Of the interval.

    Returns
    -------
    pandas.DataFrame
        One row a group in sorted order: `group`, `n_participants`, `n_runs`, `mean`, `sd` (between participants),
        `low`, `high`, `needed` (participants that an interval needs) and `note` (what is missing, or empty).

    Notes
    -----
    Every participant counts once, however many runs they have: m ± t(n - 1) · s / sqrt(n) over the participants'
    means. Assumes that participants are independent and their means roughly normal. A participant who has runs in
    two groups stands in both: such groups are not independent of each other (see `compute_paired_change`).

    References
    ----------
    NIST/SEMATECH e-Handbook of Statistical Methods, section 1.3.5.2.
    """
    return _summarise(cells, column, ["group"], confidence)


def compute_group_trajectory(cells: pd.DataFrame, column: str, *, confidence: float = 0.95) -> pd.DataFrame:
    """`compute_group_summary` in each period.

    Parameters
    ----------
    cells : pandas.DataFrame
        As for `compute_group_summary`, with `period`. Rows without a period are left out.
    column : str
        The score.
    confidence : float
        Of each interval, for one period by itself.

    Returns
    -------
    pandas.DataFrame
        One row per group and period in order: `group`, `period` and the columns of `compute_group_summary`. A
        period without runs has no row: nothing is drawn through it.

    Notes
    -----
    Different participants may stand behind neighbouring periods; `n_participants` tells. A change over time
    within participants is what `fit_mixed_model` estimates.
    """
    return _summarise(cells[cells["period"].notna()], column, ["group", "period"], confidence)


def compute_within_correlations(
    rows: pd.DataFrame, columns: Sequence[str], *, confidence: float = 0.95
) -> pd.DataFrame:
    """Repeated-measures correlation of every two columns, within participants.

    Parameters
    ----------
    rows : pandas.DataFrame
        One row a run: `participant_id` and `columns`.
    columns : sequence of str
        The scores.
    confidence : float
        Of each interval.

    Returns
    -------
    pandas.DataFrame
        One row per pair, each pair once: `a`, `b`, `r`, `low`, `high`, `p`, `df`, `n_participants`, `n_runs`,
        `needed`, `note`, as `compute_rmcorr` gives them.

    References
    ----------
    Bakdash JZ, Marusich LR (2017). Repeated measures correlation. Front Psychol 8:456.
    """
    names = ("r", "low", "high", "p", "df", "n_participants", "n_runs", "needed", "note")
    found: list[dict[str, Any]] = []
    for a, b in combinations(columns, 2):
        pair = compute_rmcorr(rows["participant_id"], rows[a], rows[b], confidence=confidence)
        found.append({"a": a, "b": b, **{name: getattr(pair, name) for name in names}})
    return pd.DataFrame(found, columns=["a", "b", *names])


def mark_small(frame: pd.DataFrame, small_group: int) -> pd.DataFrame:
    """A copy with the bool column `small`: fewer than `small_group` participants stand behind the row.

    Parameters
    ----------
    frame : pandas.DataFrame
        With `n_participants`.
    small_group : int
        The least number that is not small.
    """
    return frame.assign(small=(frame["n_participants"].fillna(0) < small_group).astype(bool))


def suppress_small(frame: pd.DataFrame, small_group: int) -> pd.DataFrame:
    """A copy for sharing: rows with fewer than `small_group` participants keep their names and lose their numbers.

    Parameters
    ----------
    frame : pandas.DataFrame
        With `n_participants`, as any function of this module gives it.
    small_group : int
        The least number of participants that is shown.

    Returns
    -------
    pandas.DataFrame
        With `small`. In small rows every number is missing, counts included, and `note` says why. Totals over
        groups would give a single hidden group away; none is made here.
    """
    marked = mark_small(frame, small_group)
    numbers = [
        name
        for name in marked.columns
        if pd.api.types.is_numeric_dtype(marked[name]) and not pd.api.types.is_bool_dtype(marked[name])
    ]
    marked = marked.astype(dict.fromkeys(numbers, float))
    marked.loc[marked["small"], numbers] = np.nan
    if "note" in marked:
        marked.loc[marked["small"], "note"] = f"hidden: fewer than {small_group} participants"
    return marked


def _summarise(cells: pd.DataFrame, column: str, keys: list[str], confidence: float) -> pd.DataFrame:
    _check_confidence(confidence)
    means = _mean_per_participant(cells, column, keys)
    spread = means.groupby(keys, sort=True, observed=True)["mean"].agg(["size", "mean", "std"])
    runs = means.groupby(keys, sort=True, observed=True)["n_runs"].sum()
    n = spread["size"].to_numpy(dtype=float)
    half = _compute_half_width(n, spread["std"].to_numpy(dtype=float), confidence)
    table = spread.index.to_frame(index=False)
    return table.assign(
        n_participants=n.astype(int),
        n_runs=runs.to_numpy().astype(int),
        mean=spread["mean"].to_numpy(dtype=float),
        sd=spread["std"].to_numpy(dtype=float),
        low=spread["mean"].to_numpy(dtype=float) - half,
        high=spread["mean"].to_numpy(dtype=float) + half,
        needed=INTERVAL_NEEDS,
        note=[_describe_missing(int(count)) for count in n],
    )


def _mean_per_participant(cells: pd.DataFrame, column: str, keys: list[str]) -> pd.DataFrame:
    """One row per participant and key: the mean over their runs, and how many those are."""
    known = cells[cells[column].notna() & cells["group"].notna()]
    weighted = known[[*keys, "participant_id", "n_runs"]].assign(total=known[column] * known["n_runs"])
    sums = weighted.groupby([*keys, "participant_id"], sort=False, observed=True, as_index=False).sum()
    return sums.assign(mean=sums["total"] / sums["n_runs"])


def _compute_half_width(n: np.ndarray, sd: np.ndarray, confidence: float) -> np.ndarray:
    from scipy import stats

    enough = n >= INTERVAL_NEEDS
    half = np.full(len(n), np.nan)
    half[enough] = stats.t.ppf((1 + confidence) / 2, n[enough] - 1) * sd[enough] / np.sqrt(n[enough])
    return half


def _describe_missing(n: int) -> str:
    return "" if n >= INTERVAL_NEEDS else f"not enough participants for an interval ({n} of {INTERVAL_NEEDS})"


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1: {confidence}")
