"""Rows of many persons taken apart for drawing: each row's distance to its own person's means, and one mean a
person. What a figure shows within persons and what it shows between them then never share a coordinate system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

__all__ = ["LevelsApart", "compute_levels_apart"]

Values: TypeAlias = Sequence[float] | np.ndarray | pd.Series


@dataclass(frozen=True)
class LevelsApart:
    """`points`: one row a run of a person with two or more, `participant_id`, `x`, `y` minus the person's means.
    `people`: one row a person, `participant_id`, `x`, `y` (means), `n_runs`, `low_x`, `high_x` (of the distances)
    and `slope` of their own line (NaN with fewer than three runs or no variation). `slope_within` is the common
    slope, `slope_between` that of the means; NaN where there is none."""

    points: pd.DataFrame
    people: pd.DataFrame
    slope_within: float
    slope_between: float


OWN_SLOPE_NEEDS = 3


def compute_levels_apart(persons: Any, x: Values, y: Values) -> LevelsApart:
    """Take x and y apart into what varies within persons and what differs between them.

    Parameters
    ----------
    persons : sequence
        Who each row belongs to.
    x, y : sequence of float
        One value a row. Rows with a missing value are left out.

    Returns
    -------
    LevelsApart

    Raises
    ------
    ValueError
        When the three differ in length.

    Notes
    -----
    With d the distances to the person's means, the common slope is Σ dx·dy / Σ dx², that of an analysis of
    covariance with persons as a factor; the slope between persons is that of least squares over their means, each
    person counted once.

    References
    ----------
    Bland JM, Altman DG (1995). Calculating correlation coefficients with repeated observations, parts 1 and 2.
    BMJ 310:446 and 310:633.
    """
    if not len(persons) == len(x) == len(y):
        raise ValueError(f"persons, x and y differ in length: {len(persons)}, {len(x)}, {len(y)}")
    rows = pd.DataFrame(
        {"participant_id": np.asarray(persons), "x": np.asarray(x, dtype=float), "y": np.asarray(y, dtype=float)}
    )
    rows = rows[np.isfinite(rows["x"]) & np.isfinite(rows["y"])]
    grouped = rows.groupby("participant_id", sort=True)
    people = grouped[["x", "y"]].mean().assign(n_runs=grouped.size())
    own = rows.assign(
        x=rows["x"] - rows["participant_id"].map(people["x"]),
        y=rows["y"] - rows["participant_id"].map(people["y"]),
    )
    points = own[own["participant_id"].map(people["n_runs"]) >= 2].reset_index(drop=True)
    people = people.join(_compute_own_lines(own, people["n_runs"])).reset_index()
    centred = people[["x", "y"]] - people[["x", "y"]].mean()
    return LevelsApart(
        points=points,
        people=people,
        slope_within=_compute_slope(points["x"], points["y"], rows["x"]),
        slope_between=_compute_slope(centred["x"], centred["y"], rows["x"]),
    )


def _compute_own_lines(own: pd.DataFrame, n_runs: pd.Series) -> pd.DataFrame:
    products = own.assign(xy=own["x"] * own["y"], xx=own["x"] ** 2).groupby("participant_id")
    sums = products[["xy", "xx"]].sum()
    enough = (n_runs >= OWN_SLOPE_NEEDS) & (sums["xx"] > _floor(own["x"]))
    return pd.DataFrame(
        {
            "low_x": products["x"].min(),
            "high_x": products["x"].max(),
            "slope": (sums["xy"] / sums["xx"].where(enough)).astype(float),
        }
    )


def _compute_slope(x: pd.Series, y: pd.Series, raw: pd.Series) -> float:
    squares = float((x**2).sum())
    return float((x * y).sum()) / squares if squares > _floor(raw) else float("nan")


def _floor(values: pd.Series) -> float:
    """Rounding leaves traces of a value that never changes; they are no variation."""
    return (1e-9 * float(values.abs().max()) if len(values) else 0.0) ** 2
