"""Linear mixed models of the continuous scores: group, time and their interaction, with runs nested in
participants. Whatever goes wrong with a fit is part of its report."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from heliograph.analysis.model_reports import (
    ModelReport,
    draw_participants,
    make_terms,
    start_report,
    tabulate_reports,
)
from heliograph.analysis.reml import RemlFit, fit_reml
from heliograph.analysis.terms import PARTICIPANTS_NEEDED, Design, make_design

__all__ = ["MIXED_ROW_LIMIT", "ModelReport", "fit_all", "fit_mixed_model"]

MIXED_ROW_LIMIT = 50_000
"""Runs above which whole participants are drawn at random, so that a table of six models takes seconds."""

TIMES_FOR_SLOPES = 3
"""Times that a participant must have been recorded at to count towards slopes of their own."""

AT_END = 0.10
SKEWED = 1.0
FOLLOWING = 0.3
DIAGNOSED_RUNS = 30

Slopes = Literal["auto", "none"]


def fit_mixed_model(
    rows: pd.DataFrame,
    column: str,
    *,
    group: str | None = None,
    time: bool = False,
    slopes: Slopes = "auto",
    confidence: float = 0.95,
    reference: str | None = None,
    centre_weeks: float | None = None,
    n_participants_total: int | None = None,
    n_runs_total: int | None = None,
    seed: int = 1,
) -> ModelReport:
    """Fit one score.

    Parameters
    ----------
    rows : pandas.DataFrame
        One row a run: `participant_id`, `column`, `session_local` (with `time`) and the column that `group` names.
    column : str
        The score.
    group : str, optional
        The column of groups; each is compared with the first, or with `reference`. It may differ between a
        participant's runs.
    time : bool
        Whether weeks since the participant's first run in `rows` are a predictor, with its own slope per group.
    slopes : {"auto", "none"}
        Whether participants may differ in their change per week (and, for two groups that participants change
        between, in the difference) where the data allow it.
    confidence : float
        Of the intervals.
    reference, centre_weeks
        See `heliograph.analysis.terms.make_design`.
    n_participants_total, n_runs_total : int, optional
        How many there were before `rows` were drawn from them, for the report.
    seed : int
        Of the draw above `MIXED_ROW_LIMIT`.

    Returns
    -------
    ModelReport
        Not fitted with fewer than 5 participants (of a group), without spread, or when group and time cannot be
        told apart.

    Raises
    ------
    ValueError
        When `rows` lacks a column or `reference` is none of the groups.

    Notes
    -----
    score = b0 + b_group + b_week · week + b_group:week + u0 + u1 · week + e with (u0, u1) normal per participant
    and e normal per run, by restricted maximum likelihood; t intervals with Satterthwaite's degrees of freedom.
    Slopes are tried where at least 5 participants have 3 times, and uncorrelated with the intercepts (`||` in the
    formula) where that correlation comes out as 1 or -1. When their spread comes out as 0 (a singular fit) the
    model without them is reported, it says so, and degrees of freedom of the terms concerned stay those of the
    participants. Assumes that runs are independent given their participant, and that what is missing is missing at
    random.

    References
    ----------
    Laird NM, Ware JH (1982). Random-effects models for longitudinal data. Biometrics 38:963–974.
    Bates D, Mächler M, Bolker B, Walker S (2015). Fitting linear mixed-effects models using lme4. J Stat Softw
    67(1).
    """
    if slopes not in ("auto", "none"):
        raise ValueError(f"slopes must be auto or none: {slopes!r}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1: {confidence}")
    used, drawn = draw_participants(rows, MIXED_ROW_LIMIT, seed, n_participants_total, n_runs_total)
    design = make_design(used, column, group=group, time=time, reference=reference, centre_weeks=centre_weeks)
    report = replace(
        start_report(column, design, confidence, "REML, t intervals (Satterthwaite)", "score"),
        problems=(*drawn.problems, *design.problems),
        n_participants_total=drawn.n_participants,
        n_runs_total=drawn.n_runs,
        sampled=drawn.sampled,
    )
    if design.missing:
        return report
    offered = _offer_slopes(design) if slopes == "auto" else {}
    return fit_design(report, design, offered)


def fit_all(
    rows: pd.DataFrame,
    columns: Sequence[str],
    *,
    p_adjust: str = "holm",
    **options: Any,
) -> pd.DataFrame:
    """`fit_mixed_model` of several scores in one table.

    Parameters
    ----------
    rows : pandas.DataFrame
        As for `fit_mixed_model`.
    columns : sequence of str
        The scores: the family over which p is adjusted.
    p_adjust : {"holm", "bh"}
        See `heliograph.analysis.multiplicity.adjust_p`.
    **options
        Further arguments of `fit_mixed_model`.

    Returns
    -------
    pandas.DataFrame
        See `tabulate_reports`.
    """
    return tabulate_reports([fit_mixed_model(rows, column, **options) for column in columns], p_adjust=p_adjust)


def fit_design(report: ModelReport, design: Design, offered: dict[str, np.ndarray]) -> ModelReport:
    """`report` completed with the fit of `design`; `offered` are columns of random slopes, by what they belong to.

    Each is a column of `design.x`'s scale; the richest model that is not singular is taken, and it says so.
    """
    y_scale = float(design.y.std())
    scales = np.r_[1.0, design.x[:, 1:].std(axis=0)]
    y = (design.y - design.y.mean()) / y_scale
    slopes = {name: (column - column.mean()) / column.std() for name, column in offered.items()}
    problems: list[str] = list(report.problems)
    fit, names, correlated = _fit_richest(y, design.x / scales, design.codes, slopes, problems)
    estimates = fit.coefficients * y_scale / scales
    estimates[0] += design.y.mean()
    errors = np.sqrt(np.diag(fit.covariance_of_coefficients)) * y_scale / scales
    df = _limit_df(fit, design, set(offered) - set(names))
    if not np.isfinite(df).all():
        problems.append(
            "Degrees of freedom could not be computed for every term: those of the participants stand."
        )
        df = np.where(np.isfinite(df), df, _count_people_df(design))
    z = np.column_stack([np.ones(len(y)), *(slopes[name] for name in names)])
    residuals = y - design.x / scales @ fit.coefficients - (z * fit.effects[design.codes]).sum(axis=1)
    problems += _describe_fit(fit, design, residuals)
    spreads = np.sqrt(np.diag(fit.covariance)) * y_scale
    return replace(
        report,
        fitted=True,
        terms=make_terms(design.terms, estimates, errors, df, report.confidence),
        converged=fit.converged,
        singular=fit.singular,
        problems=tuple(problems),
        formula=f"{report.formula} + ({' + '.join(['1', *names])} {'|' if correlated else '||'} participant)",
        sd_participants=float(spreads[0]),
        sd_slopes=float(spreads[1] / offered[names[0]].std()) if names and names[0] != "group" else math.nan,
        sd_residual=fit.sigma * y_scale,
    )


def _offer_slopes(design: Design) -> dict[str, np.ndarray]:
    """Columns of random slopes that enough participants have data for, by name."""
    offered = {}
    frame = pd.DataFrame({"person": design.codes, "group": design.group_codes, "week": design.weeks.round(6)})
    times = frame.groupby("person")["week"].nunique()
    if (times >= TIMES_FOR_SLOPES).sum() >= PARTICIPANTS_NEEDED:
        offered["week"] = design.weeks
    if len(design.groups) == 2:
        runs = frame.groupby(["person", "group"]).size().unstack(fill_value=0)
        if (runs.min(axis=1) >= 2).sum() >= PARTICIPANTS_NEEDED:
            offered["group"] = design.group_codes.astype(float)
    return offered


def _fit_richest(
    y: np.ndarray, x: np.ndarray, codes: np.ndarray, offered: dict[str, np.ndarray], problems: list[str]
) -> tuple[RemlFit, list[str], bool]:
    """The fit with the most random slopes that is not singular, their names, and whether they may be correlated
    with the level; what was dropped is told."""
    names = list(offered)
    smaller = [[name] for name in names] if len(names) > 1 else []
    choices = [*((part, way) for part in (names, *smaller) if part for way in (True, False)), ([], True)]
    for part, correlated in choices:
        z = np.column_stack([np.ones(len(y)), *(offered[name] for name in part)])
        fit = fit_reml(y, x, z, codes, correlated=correlated)
        if not part or (fit.converged and not fit.singular):
            break
    problems += [f"{DROPPED[name]} (singular fit): fitted without." for name in names if name not in part]
    if not correlated:
        problems.append(
            "How participants differ in level and in slope came out as one and the same (singular fit): fitted as"
            " unrelated."
        )
    return fit, part, correlated


DROPPED = {
    "week": "Participants do not differ measurably in their change per week",
    "group": "Participants do not differ measurably in the difference between the groups",
    "deviation": "Participants do not differ measurably in the effect within them",
}
SLOPE_OF = {"time": "week", "interaction": "week", "within": "deviation"}


def _limit_df(fit: RemlFit, design: Design, dropped: set[str]) -> np.ndarray:
    """Satterthwaite's degrees of freedom, at most those of the participants where a spread came out as 0."""
    changes = _changes_within(design)
    limited = [
        SLOPE_OF[term.kind] in dropped
        if term.kind in SLOPE_OF
        else ("group" in dropped if term.kind == "group" and changes else fit.singular)
        for term in design.terms
    ]
    return np.where(limited, np.fmin(fit.df, _count_people_df(design)), fit.df)


def _count_people_df(design: Design) -> float:
    return float(max(design.n_participants - max(len(design.groups), 1), 1))


def _changes_within(design: Design) -> bool:
    """Whether participants have runs in more than one group."""
    pairs = np.unique(np.column_stack([design.codes, design.group_codes]), axis=0)
    return len(pairs) > design.n_participants


def _describe_fit(fit: RemlFit, design: Design, residuals: np.ndarray) -> list[str]:
    """What a reader must know about the fit, in sentences."""
    told = []
    if not fit.converged:
        told.append(f"The fit did not converge ({fit.message}): do not use it.")
    if fit.singular:
        told.append(
            "Participants do not differ measurably in level (singular fit): their spread is estimated as 0."
        )
    if design.n_runs < DIAGNOSED_RUNS:
        return told
    return told + [text for check in CHECKS if (text := check(design, residuals))]


def _check_ends(design: Design, residuals: np.ndarray) -> str:
    ends = ((design.y.min(), "lowest"), (design.y.max(), "highest"))
    value, name = max(ends, key=lambda end: float((design.y == end[0]).mean()))
    share = float((design.y == value).mean())
    if share < AT_END:
        return ""
    return f"{share:.0%} of the scores stand at the {name} value ({value:g}): the model assumes a normal spread."


def _check_skew(design: Design, residuals: np.ndarray) -> str:
    spread = float(residuals.std())
    skew = float((residuals**3).mean()) / spread**3 if spread > 0 else 0.0
    if abs(skew) < SKEWED:
        return ""
    return f"The residuals are skewed ({skew:.1f}): with few participants intervals are rough."


def _check_following(design: Design, residuals: np.ndarray) -> str:
    """Only for runs with a time: each with the next of the same participant."""
    if not design.weeks.any():
        return ""
    order = np.lexsort((design.weeks, design.codes))
    codes, values = design.codes[order], residuals[order]
    same = codes[1:] == codes[:-1]
    first, second = values[:-1][same], values[1:][same]
    spread = float(residuals.var())
    following = float((first * second).mean() / spread) if same.sum() >= DIAGNOSED_RUNS and spread > 0 else 0.0
    if following < FOLLOWING:
        return ""
    return (
        f"Neighbouring runs of a participant are alike (correlation of residuals {following:.2f}): "
        "intervals of change over time may be too narrow."
    )


CHECKS: tuple[Callable[[Design, np.ndarray], str], ...] = (_check_ends, _check_skew, _check_following)
