"""Which recordings belong to one moment: repeated within minutes, they measure the same state twice."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from heliograph.analysis.baseline import Booleans, Times, read_order

__all__ = ["mark_repeats", "open_moments"]


def mark_repeats(frame: pd.DataFrame, column: str, window_min: float) -> pd.Series:
    """Tell which of one participant's results repeat an earlier one of the same moment.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a run with `session_local`, in any order; ties follow `run_id` when there is one. Where the frame
        has a `state`, only completed results are looked at. Not changed.
    column : str
        The score; a run without it neither opens a moment nor repeats one.
    window_min : float
        Minutes from the first recording of a moment to its last; 0 marks nothing.

    Returns
    -------
    pandas.Series of bool
        With the frame's index.

    Notes
    -----
    A baseline and a control chart take their runs for independent. Two recordings five minutes apart are not: with
    pairs among the first five runs, an unchanged person (ICC of repeats 0.85) would be flagged within 50 runs in
    25 % of cases instead of 10 %. Left out, the chance is 10 % again.
    """
    order, at, completed = read_order(frame)
    valid = completed & np.isfinite(frame[column].to_numpy(dtype=float)[order])
    mask = np.zeros(len(frame), dtype=bool)
    mask[order] = choose_repeats(at, valid, window_min)
    return pd.Series(mask, index=frame.index)


def choose_repeats(at: Times, valid: Booleans, window_min: float) -> Booleans:
    """`mark_repeats` for rows that are in the order of time."""
    mask = np.zeros(len(at), dtype=bool)
    if window_min > 0:
        positions = np.flatnonzero(valid)
        opened = open_moments(np.zeros(len(positions), dtype=int), at[positions], window_min)
        mask[positions] = opened != np.arange(len(positions))
    return mask


def open_moments(
    people: npt.NDArray[np.generic], at: npt.NDArray[np.datetime64], window_min: float
) -> npt.NDArray[np.int_]:
    """For each row the position of the row that opened its moment; rows are in the order of people and time. A
    moment lasts the window from **its first** recording: a chain of recordings is not one moment."""
    opened = np.arange(len(at))
    window = np.timedelta64(round(window_min * 60_000), "ms")
    near = (people[1:] == people[:-1]) & (at[1:] - at[:-1] <= window)
    # Only a row near the one before it can belong to an earlier moment: few rows, where few are repeated.
    for position in (np.flatnonzero(near) + 1).tolist():
        first = opened[position - 1]
        if at[position] - at[first] <= window:
            opened[position] = first
    return opened
