"""Several tests at once: p values adjusted over the biomarkers that were looked at together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

__all__ = ["ADJUSTMENTS", "Adjustment", "adjust_p"]

Adjustment = Literal["holm", "bh"]

ADJUSTMENTS: dict[str, str] = {"holm": "Holm", "bh": "Benjamini–Hochberg"}
"""How each method is called in a report."""

_STATSMODELS_NAMES = {"holm": "holm", "bh": "fdr_bh"}


def adjust_p(p: Sequence[float] | pd.Series, method: str = "holm") -> pd.Series:
    """p values adjusted for having been tested together.

    Parameters
    ----------
    p : sequence of float or pandas.Series
        p values of one family. Missing ones stay missing and do not count as tests.
    method : {"holm", "bh"}
        Holm's step-down method bounds the chance of any false finding and asks nothing of how the tests depend
        on each other. Benjamini and Hochberg's step-up method bounds the expected share of false findings among
        the findings, for tests that are independent or positively dependent.

    Returns
    -------
    pandas.Series
        Adjusted p values, at most 1, with the index of `p`.

    Raises
    ------
    ValueError
        For an unknown method, or a p value outside [0, 1].

    Notes
    -----
    With the m values in rising order, Holm: max over j <= i of min(1, (m - j + 1) p_j); Benjamini–Hochberg: min
    over j >= i of min(1, m p_j / j). Computed by statsmodels.

    References
    ----------
    Holm S (1979). A simple sequentially rejective multiple test procedure. Scand J Stat 6:65–70.
    Benjamini Y, Hochberg Y (1995). Controlling the false discovery rate. J R Stat Soc B 57:289–300.
    """
    if method not in _STATSMODELS_NAMES:
        raise ValueError(f"unknown method {method!r}: one of {', '.join(_STATSMODELS_NAMES)}")
    values = pd.Series(p, dtype=float).copy()
    known = values.notna()
    if not known.any():
        return values
    if not values[known].between(0, 1).all():
        raise ValueError(f"a p value lies outside 0 to 1: {values[known & ~values.between(0, 1)].iloc[0]}")
    from statsmodels.stats.multitest import multipletests

    adjusted = multipletests(values[known].to_numpy(), method=_STATSMODELS_NAMES[method])[1]
    values[known] = np.minimum(adjusted, 1.0)
    return values
