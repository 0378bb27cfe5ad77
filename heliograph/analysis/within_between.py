"""One predictor split in two: what goes with it within participants, from run to run, and what goes with it
between participants. The two can differ in size and sign, and are never mixed."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from heliograph.analysis.mixed import MIXED_ROW_LIMIT, fit_design
from heliograph.analysis.model_reports import ModelReport, draw_participants, start_report
from heliograph.analysis.terms import PARTICIPANTS_NEEDED, Design, Term

__all__ = ["WithinBetween", "fit_within_between", "split_within_between"]

RUNS_FOR_SLOPES = 3


@dataclass(frozen=True)
class WithinBetween:
    """What one more unit of a predictor goes with: `within` a participant from run to run, and `between`
    participants who differ by one unit on average. Each with interval and p; `report` has the whole fit, its
    problems and, when not `fitted`, what is missing.
    """

    column: str
    predictor: str
    fitted: bool
    within: float
    within_low: float
    within_high: float
    within_p: float
    between: float
    between_low: float
    between_high: float
    between_p: float
    n_participants: int
    n_runs: int
    confidence: float
    problems: tuple[str, ...]
    note: str
    report: ModelReport


def split_within_between(rows: pd.DataFrame, predictor: str) -> pd.DataFrame:
    """A copy of the rows that have the predictor, with `person_mean` and `deviation` from it.

    Parameters
    ----------
    rows : pandas.DataFrame
        `participant_id` and `predictor`.
    predictor : str
        The column to split.

    Returns
    -------
    pandas.DataFrame
        `deviation` sums to 0 in every participant: it is uncorrelated with `person_mean`.
    """
    known = rows[rows[predictor].notna()]
    mean = known.groupby("participant_id")[predictor].transform("mean")
    return known.assign(person_mean=mean, deviation=known[predictor] - mean)


def fit_within_between(
    rows: pd.DataFrame,
    column: str,
    predictor: str,
    *,
    confidence: float = 0.95,
    n_participants_total: int | None = None,
    n_runs_total: int | None = None,
    seed: int = 1,
) -> WithinBetween:
    """What a score goes with, within participants and between them, in one model.

    Parameters
    ----------
    rows : pandas.DataFrame
        One row a run: `participant_id`, `column`, `predictor`.
    column : str
        The score.
    predictor : str
        For instance hours of sleep; effects are per unit of it.
    confidence : float
        Of the intervals.
    n_participants_total, n_runs_total, seed
        As for `heliograph.analysis.mixed.fit_mixed_model`.

    Returns
    -------
    WithinBetween
        Not fitted with fewer than 5 participants, or when the predictor does not vary within or between them.

    Notes
    -----
    score = b0 + b_within (x - m) + b_between m + u0 + u1 (x - m) + e with m the participant's mean of x, by
    restricted maximum likelihood; slopes u1 where 5 participants have 3 runs and their spread is not 0. Neither
    coefficient is a causal effect: `between` least of all. With few runs m is itself uncertain, which pulls
    `between` towards `within`.

    References
    ----------
    Mundlak Y (1978). On the pooling of time series and cross section data. Econometrica 46:69–85.
    Bell A, Fairbrother M, Jones K (2019). Fixed and random effects models: making an informed choice. Qual Quant
    53:1051–1074.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1: {confidence}")
    if absent := [name for name in ("participant_id", column, predictor) if name not in rows.columns]:
        raise ValueError(f"the rows lack {', '.join(absent)}")
    used, drawn = draw_participants(rows, MIXED_ROW_LIMIT, seed, n_participants_total, n_runs_total)
    design = _make_design(used, column, predictor)
    report = replace(
        start_report(column, design, confidence, "REML, t intervals (Satterthwaite)", "score"),
        problems=(*drawn.problems, *design.problems),
        n_participants_total=drawn.n_participants,
        n_runs_total=drawn.n_runs,
        sampled=drawn.sampled,
    )
    if not design.missing:
        enough = (np.bincount(design.codes) >= RUNS_FOR_SLOPES).sum() >= PARTICIPANTS_NEEDED
        report = fit_design(report, design, {"deviation": design.x[:, 1]} if enough else {})
    return _summarise(report, column, predictor)


def _make_design(rows: pd.DataFrame, column: str, predictor: str) -> Design:
    known = split_within_between(rows[rows[column].notna() & rows["participant_id"].notna()], predictor)
    codes = pd.factorize(known["participant_id"])[0]
    people, runs = len(set(codes)), len(known)
    deviation, mean = known["deviation"].to_numpy(dtype=float), known["person_mean"].to_numpy(dtype=float)
    left = len(rows) - runs
    terms = (
        Term("mean", "intercept", "", people, runs),
        Term(f"one unit of {predictor} more, within a participant", "within", "", people, runs),
        Term(f"one unit of {predictor} more, between participants", "between", "", people, runs),
    )
    y = known[column].to_numpy(dtype=float)
    centre = float(mean.mean()) if runs else 0.0
    return Design(
        y=y,
        x=np.column_stack([np.ones(runs), deviation, mean - centre]),
        terms=terms,
        codes=codes,
        weeks=np.zeros(runs),
        group_codes=np.zeros(runs, dtype=int),
        groups=(),
        centre_weeks=0.0,
        formula=f"{column} ~ deviation of {predictor} + mean of {predictor}",
        n_participants=people,
        n_runs=runs,
        missing=_find_missing(y, deviation, mean, people, predictor),
        problems=(f"{left} of {len(rows)} runs lack the score or {predictor} and are left out.",) if left else (),
    )


def _find_missing(y: np.ndarray, deviation: np.ndarray, mean: np.ndarray, people: int, predictor: str) -> str:
    if people < PARTICIPANTS_NEEDED:
        return f"Not enough data: too few participants ({people} of {PARTICIPANTS_NEEDED})."
    if not _varies(y):
        return "All values are the same: there is no spread to model."
    if not _varies(deviation, float(np.abs(mean).max())):
        return f"{predictor} does not vary within any participant."
    if not _varies(mean):
        return f"{predictor} does not vary between participants."
    if len(y) < people + 4:
        return f"Not enough data: too few runs ({len(y)} of {people + 4})."
    return ""


def _varies(values: np.ndarray, size: float = 1.0) -> bool:
    return bool(np.ptp(values) > 1e-12 * max(size, float(np.abs(values).max()), 1e-300))


def _summarise(report: ModelReport, column: str, predictor: str) -> WithinBetween:
    numbers = {}
    for number, name in enumerate(("within", "between"), start=1):
        for key, end in (("estimate", ""), ("low", "_low"), ("high", "_high"), ("p", "_p")):
            numbers[name + end] = float(report.terms[key].iloc[number]) if report.fitted else math.nan
    return WithinBetween(
        column=column,
        predictor=predictor,
        fitted=report.fitted,
        **numbers,
        n_participants=report.n_participants,
        n_runs=report.n_runs,
        confidence=report.confidence,
        problems=report.problems,
        note=report.note,
        report=report,
    )
