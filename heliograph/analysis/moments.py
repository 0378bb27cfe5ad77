"""Which recordings belong to one moment: repeated within minutes, they measure the same state twice."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from heliograph.analysis.baseline import RESULT

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
    at = pd.to_datetime(frame["session_local"])
    valid = frame[column].notna() & at.notna()
    if "state" in frame:
        valid &= frame["state"] == RESULT
    mask = np.zeros(len(frame), dtype=bool)
    positions = np.flatnonzero(valid.to_numpy(dtype=bool))
    if window_min > 0 and len(positions):
        times = at.to_numpy(dtype="datetime64[ms]")[positions]
        ids = frame["run_id"].to_numpy()[positions] if "run_id" in frame else positions
        order = np.lexsort([ids, times])
        opened = open_moments(np.zeros(len(order), dtype=int), times[order], window_min)
        mask[positions[order[opened != np.arange(len(order))]]] = True
    return pd.Series(mask, index=frame.index)


def open_moments(
    people: npt.NDArray[np.generic], at: npt.NDArray[np.datetime64], window_min: float
) -> npt.NDArray[np.int_]:
    """For each row the position of the row that opened its moment; rows are in the order of people and time. A
    moment lasts the window from **its first** recording: a chain of recordings is not one moment."""
    opened = np.zeros(len(at), dtype=int)
    window = np.timedelta64(round(window_min * 60_000), "ms")
    first = 0
    for position in range(1, len(at)):
        if people[position] != people[first] or at[position] - at[first] > window:
            first = position
        opened[position] = first
    return opened
