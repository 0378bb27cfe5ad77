"""What a model tells its reader: terms with intervals, who they rest on, and every problem in words. One table for
several scores, with p adjusted over them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from heliograph.analysis.multiplicity import ADJUSTMENTS, adjust_p
from heliograph.analysis.terms import Design, Term

__all__ = [
    "TERM_COLUMNS",
    "Drawn",
    "ModelReport",
    "draw_participants",
    "make_terms",
    "start_report",
    "tabulate_reports",
]

TERM_COLUMNS = (
    "term",
    "kind",
    "group",
    "estimate",
    "low",
    "high",
    "df",
    "p",
    "n_participants",
    "n_runs",
)
"""Columns of a report's terms. `p` tests against no effect and is missing for the intercept."""


@dataclass(frozen=True)
class ModelReport:
    """A fit, or why there is none. `terms` is empty when not `fitted`, and `note` then says what is missing.

    `problems` are sentences for a reader: what did not converge, is singular, was left out or looks unlike what
    the model assumes. `sd_participants` and `sd_slopes` (per week) are spreads between participants, `sd_residual`
    the spread of runs around them; NaN where the model has none. `sampled`: it rests on participants drawn at
    random from `n_participants_total`.
    """

    column: str
    fitted: bool
    terms: pd.DataFrame
    n_participants: int
    n_runs: int
    converged: bool
    singular: bool
    problems: tuple[str, ...]
    note: str
    formula: str
    method: str
    scale: str
    groups: tuple[str, ...]
    centre_weeks: float
    sd_participants: float
    sd_slopes: float
    sd_residual: float
    confidence: float
    n_participants_total: int
    n_runs_total: int
    sampled: bool


def tabulate_reports(reports: Sequence[ModelReport], *, p_adjust: str = "holm") -> pd.DataFrame:
    """The terms of several reports in one table, p adjusted over them.

    Parameters
    ----------
    reports : sequence of ModelReport
        One a score, of one model.
    p_adjust : {"holm", "bh"}
        See `heliograph.analysis.multiplicity.adjust_p`.

    Returns
    -------
    pandas.DataFrame
        One row per score and term: `column`, the columns of `TERM_COLUMNS`, `p_adjusted`, `p_method` (the name of
        the adjustment with the number of tests in its family), `fitted` and `problems` (sentences in one text).
        The family of a term is the same term of the other scores. A score that was not fitted has one row without
        numbers, whose `problems` begin with what is missing.
    """
    parts = [_tabulate(report) for report in reports]
    names = ["column", *TERM_COLUMNS, "p_adjusted", "p_method", "fitted", "problems"]
    if not parts:
        return pd.DataFrame(columns=names)
    table = pd.concat([part.astype(object) for part in parts], ignore_index=True)
    numbers = ["estimate", "low", "high", "df", "p"]
    table = table.astype({**dict.fromkeys(numbers, float), "n_participants": int, "n_runs": int, "fitted": bool})
    table["p_adjusted"], table["p_method"] = math.nan, ""
    for _, family in table.groupby(["kind", "group"], sort=False):
        tests = int(family["p"].notna().sum())
        table.loc[family.index, "p_adjusted"] = adjust_p(family["p"], p_adjust)
        if tests:
            told = f"{ADJUSTMENTS[p_adjust]} over {tests} {'test' if tests == 1 else 'tests'}"
            table.loc[family.index[family["p"].notna()], "p_method"] = told
    return table[names]


@dataclass(frozen=True)
class Drawn:
    """How many participants and runs there were before a draw from them, and what to say about it."""

    n_participants: int
    n_runs: int
    sampled: bool
    problems: tuple[str, ...]


def draw_participants(
    rows: pd.DataFrame, limit: int, seed: int, n_participants_total: int | None, n_runs_total: int | None
) -> tuple[pd.DataFrame, Drawn]:
    """At most about `limit` runs, of whole participants drawn with `seed`, and what there was."""
    counts = rows["participant_id"].value_counts(sort=False).sort_index()
    people = n_participants_total if n_participants_total is not None else len(counts)
    runs = n_runs_total if n_runs_total is not None else len(rows)
    if len(rows) > limit:
        order = np.random.default_rng(seed).permutation(len(counts))
        kept = counts.index[order[np.cumsum(counts.to_numpy()[order]) <= limit]]
        rows = rows[rows["participant_id"].isin(kept)]
        counts = counts[kept]
    if len(rows) >= runs:
        return rows, Drawn(people, runs, False, ())
    told = f"{len(counts):,} of {people:,} participants, {len(rows):,} of {runs:,} runs"
    return rows, Drawn(people, runs, True, (f"Fitted to a random sample: {told}.",))


def start_report(column: str, design: Design, confidence: float, method: str, scale: str) -> ModelReport:
    """The report of a design that is not fitted yet; `note` says why it cannot be."""
    return ModelReport(
        column=column,
        fitted=False,
        terms=pd.DataFrame(columns=list(TERM_COLUMNS)),
        n_participants=design.n_participants,
        n_runs=design.n_runs,
        converged=False,
        singular=False,
        problems=design.problems,
        note=design.missing,
        formula=design.formula,
        method=method,
        scale=scale,
        groups=design.groups,
        centre_weeks=design.centre_weeks,
        sd_participants=math.nan,
        sd_slopes=math.nan,
        sd_residual=math.nan,
        confidence=confidence,
        n_participants_total=design.n_participants,
        n_runs_total=design.n_runs,
        sampled=False,
    )


def make_terms(
    terms: Sequence[Term], estimates: np.ndarray, errors: np.ndarray, df: np.ndarray, confidence: float
) -> pd.DataFrame:
    """The terms with t intervals and p."""
    from scipy import stats

    reach = stats.t.ppf((1 + confidence) / 2, df) * errors
    p = 2 * stats.t.sf(np.abs(estimates / errors), df)
    kinds = [term.kind for term in terms]
    return pd.DataFrame(
        {
            "term": [term.name for term in terms],
            "kind": kinds,
            "group": [term.group for term in terms],
            "estimate": estimates,
            "low": estimates - reach,
            "high": estimates + reach,
            "df": df,
            "p": np.where([kind == "intercept" for kind in kinds], np.nan, p),
            "n_participants": [term.n_participants for term in terms],
            "n_runs": [term.n_runs for term in terms],
        },
        columns=list(TERM_COLUMNS),
    )


def _tabulate(report: ModelReport) -> pd.DataFrame:
    if report.fitted:
        table = report.terms.copy()
    else:
        empty = dict.fromkeys(TERM_COLUMNS, math.nan) | {"term": "", "kind": "", "group": ""}
        counts = {"n_participants": report.n_participants, "n_runs": report.n_runs}
        table = pd.DataFrame([empty | counts])
    told = " ".join([*([report.note] if report.note else []), *report.problems])
    table.insert(0, "column", report.column)
    return table.assign(fitted=report.fitted, problems=told)
