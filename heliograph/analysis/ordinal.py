"""Models of the four levels: proportional odds of a higher level, with runs clustered in participants. Levels are
ordered names; nothing here takes their mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from heliograph.analysis.cumulative_logit import fit_cumulative_logit
from heliograph.analysis.model_reports import (
    ModelReport,
    draw_participants,
    make_terms,
    start_report,
    tabulate_reports,
)
from heliograph.analysis.terms import Design, make_design

__all__ = ["LEVELS_ROW_LIMIT", "fit_all_levels", "fit_levels"]

LEVELS_ROW_LIMIT = 100_000
"""Runs above which whole participants are drawn at random."""

RARE_LEVEL = 5
"""Runs below which a level is named as rare."""

METHOD = "proportional odds (GEE, independence), robust t intervals by participant"


def fit_levels(
    rows: pd.DataFrame,
    column: str,
    *,
    group: str | None = None,
    time: bool = False,
    confidence: float = 0.95,
    reference: str | None = None,
    centre_weeks: float | None = None,
    n_participants_total: int | None = None,
    n_runs_total: int | None = None,
    seed: int = 1,
) -> ModelReport:
    """Fit one biomarker's levels.

    Parameters
    ----------
    rows : pandas.DataFrame
        One row a run: `participant_id`, `column` (the level, 0 to 3; any ordered numbers will do), `session_local`
        (with `time`) and the column that `group` names.
    column : str
        The levels.
    group, time, confidence, reference, centre_weeks, n_participants_total, n_runs_total, seed
        As for `heliograph.analysis.mixed.fit_mixed_model`.

    Returns
    -------
    ModelReport
        With `scale` "odds ratio": estimates and intervals are ratios of the odds of a higher level, between groups
        or per week. Not fitted with fewer than 5 participants (of a group), with one level only, or when an odds
        ratio would be infinite.

    Raises
    ------
    ValueError
        When `rows` lacks a column, `reference` is none of the groups, or there is nothing to compare.

    Notes
    -----
    logit P(level > j) = a_j + x b, one b for every j, by generalised estimating equations with independence
    between runs; robust covariance by participant with Mancl and DeRouen's correction, t quantiles with
    participants minus coefficients minus 1 degrees of freedom. The ratios compare populations, not one participant
    with themselves. Every run counts the same: who recorded more weighs more.

    References
    ----------
    Lipsitz SR, Kim K, Zhao L (1994). Analysis of repeated categorical data using generalized estimating equations.
    Stat Med 13:1149–1163.
    Agresti A (2013). Categorical Data Analysis, 3rd edition, chapter 12. Wiley.
    """
    if group is None and not time:
        raise ValueError("there is nothing to compare: give a group, time or both")
    used, drawn = draw_participants(rows, LEVELS_ROW_LIMIT, seed, n_participants_total, n_runs_total)
    design = make_design(
        used,
        column,
        group=group,
        time=time,
        reference=reference,
        centre_weeks=centre_weeks,
        repeats=False,
    )
    report = replace(
        start_report(column, design, confidence, METHOD, "odds ratio"),
        problems=(*drawn.problems, *design.problems),
        n_participants_total=drawn.n_participants,
        n_runs_total=drawn.n_runs,
        sampled=drawn.sampled,
    )
    if design.missing:
        return report
    if ends := _find_groups_at_ends(design):
        return replace(report, note=ends)
    return _fit(report, design)


def fit_all_levels(
    rows: pd.DataFrame, columns: Sequence[str], *, p_adjust: str = "holm", **options: Any
) -> pd.DataFrame:
    """`fit_levels` of several biomarkers in one table.

    Parameters
    ----------
    rows : pandas.DataFrame
        As for `fit_levels`.
    columns : sequence of str
        The columns of levels: the family over which p is adjusted.
    p_adjust : {"holm", "bh"}
        See `heliograph.analysis.multiplicity.adjust_p`.
    **options
        Further arguments of `fit_levels`.

    Returns
    -------
    pandas.DataFrame
        See `heliograph.analysis.model_reports.tabulate_reports`; estimates are odds ratios.
    """
    return tabulate_reports([fit_levels(rows, column, **options) for column in columns], p_adjust=p_adjust)


def _find_groups_at_ends(design: Design) -> str:
    """The groups whose runs are all at the lowest or all at the highest level, whose odds ratio is infinite."""
    for name, end in (("lowest", design.y.min()), ("highest", design.y.max())):
        for number, group in enumerate(design.groups):
            if len(design.groups) > 1 and (design.y[design.group_codes == number] == end).all():
                return f"Every run of group {group} is at the {name} level: its odds ratio would be infinite."
    return ""


def _fit(report: ModelReport, design: Design) -> ModelReport:
    levels, counts = np.unique(design.y, return_inverse=True, return_counts=True)[1:]
    scales = design.x[:, 1:].std(axis=0)
    x = design.x[:, 1:] / scales
    try:
        fit = fit_cumulative_logit(levels, x, design.codes)
    except np.linalg.LinAlgError:
        return replace(report, note="Not enough data: a term rests on one participant alone (1 of 2).")
    if fit.diverged:
        return replace(
            report, note="Some levels never occur where the model needs them: an odds ratio is infinite."
        )
    df = max(design.n_participants - x.shape[1] - 1, 1)
    logs = make_terms(
        design.terms[1:],
        fit.coefficients / scales,
        np.sqrt(np.diag(fit.covariance)) / scales,
        np.full(x.shape[1], float(df)),
        report.confidence,
    )
    problems = list(report.problems)
    if not fit.converged:
        problems.append("The fit did not converge: do not use it.")
    if (rare := counts[counts < RARE_LEVEL]).size:
        problems.append(
            f"{rare.size} of {counts.size} levels {'has' if rare.size == 1 else 'have'} fewer than 5 runs."
        )
    return replace(
        report,
        fitted=True,
        terms=logs.assign(**{name: np.exp(logs[name]) for name in ("estimate", "low", "high")}),
        converged=fit.converged,
        problems=(*problems, *_compare_steps(levels, x, design)),
    )


def _compare_steps(levels: np.ndarray, x: np.ndarray, design: Design) -> list[str]:
    """Whether a term's odds ratio differs clearly between two steps from level to level."""
    told: list[str] = []
    try:
        found = [fit_cumulative_logit((levels > cut).astype(int), x, design.codes) for cut in range(levels.max())]
    except np.linalg.LinAlgError:
        return told
    steps = [step for step in found if step.converged and not step.diverged]
    for number, term in enumerate(design.terms[1:]):
        values = [float(step.coefficients[number]) for step in steps]
        if len(values) < 2:
            continue
        low, high = int(np.argmin(values)), int(np.argmax(values))
        error = np.sqrt(steps[low].covariance[number, number] + steps[high].covariance[number, number])
        if values[high] - values[low] > 2 * error:
            scale = float(design.x[:, 1 + number].std())
            ratios = f"{np.exp(values[low] / scale):.2g} to {np.exp(values[high] / scale):.2g}"
            told.append(f"{term.name}: the odds ratio differs between the levels ({ratios}); one is a summary.")
    return told
