"""From the runs of a cohort to the columns of a model: groups against a reference, time in weeks and their
interaction, with what was left out and what makes a fit impossible said in words."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

__all__ = ["GROUP_LIMIT", "PARTICIPANTS_NEEDED", "Design", "Term", "make_design"]

PARTICIPANTS_NEEDED = 5
"""Participants (of each group) below which nothing is fitted: a spread between fewer cannot be estimated."""

GROUP_LIMIT = 12
"""Groups above which no model is fitted: comparisons with one reference say little then."""

WEEK = pd.Timedelta(days=7)


@dataclass(frozen=True)
class Term:
    """One coefficient. `name` is how a person would say it, `kind` one of intercept, group, time, interaction."""

    name: str
    kind: str
    group: str
    n_participants: int
    n_runs: int


@dataclass(frozen=True)
class Design:
    """What a model is fitted to; `missing` is not empty when it must not be.

    `x` has one column a term, `weeks` are centred at `centre_weeks`, `codes` number the participants from 0 and
    `group_codes` the groups, the reference first.
    """

    y: np.ndarray
    x: np.ndarray
    terms: tuple[Term, ...]
    codes: np.ndarray
    weeks: np.ndarray
    group_codes: np.ndarray
    groups: tuple[str, ...]
    centre_weeks: float
    formula: str
    n_participants: int
    n_runs: int
    missing: str = ""
    problems: tuple[str, ...] = field(default=())


def make_design(
    rows: pd.DataFrame,
    column: str,
    *,
    group: str | None = None,
    time: bool = False,
    reference: str | None = None,
    centre_weeks: float | None = None,
    repeats: bool = True,
) -> Design:
    """The columns of a model of `column` on group, time and their interaction.

    Parameters
    ----------
    rows : pandas.DataFrame
        One row a run: `participant_id`, `column`, `session_local` (with `time`) and the column that `group` names.
    column : str
        The outcome.
    group : str, optional
        The column of groups. Groups of fewer than `PARTICIPANTS_NEEDED` participants are left out, and named.
    time : bool
        Whether weeks since the participant's first run in `rows` are a predictor.
    reference : str, optional
        The group that the others are compared with; the first in sorted order when missing.
    centre_weeks : float, optional
        The week at which groups are compared; the mean week of all runs when missing.
    repeats : bool
        Whether the model needs participants with two runs or more.

    Raises
    ------
    ValueError
        When `rows` lacks a column, or `reference` is none of the groups.
    """
    needed = ["participant_id", column, *([group] if group else []), *(["session_local"] if time else [])]
    if absent := [name for name in needed if name not in rows.columns]:
        raise ValueError(f"the rows lack {', '.join(absent)}")
    known = rows[rows[needed].notna().all(axis=1)].reset_index(drop=True)
    problems = []
    if left := len(rows) - len(known):
        problems.append(f"{left} of {len(rows)} runs lack a value the model needs and are left out.")
    labels = known[group].astype(str) if group else pd.Series("", index=known.index)
    people = known["participant_id"].groupby(labels).nunique()
    small = people[people < PARTICIPANTS_NEEDED]
    told = [f"{f'group {name}: ' if group else ''}{n} of {PARTICIPANTS_NEEDED}" for name, n in small.items()]
    kept = labels.isin(people.index.difference(small.index))
    groups = sorted(set(labels[kept]))
    if reference is not None and reference not in set(labels):
        raise ValueError(f"{reference!r} is none of the groups")
    if reference in groups:
        groups = [reference, *(name for name in groups if name != reference)]
    missing = _find_missing(column, groups, group is not None, told, reference, known)
    if told and not missing:
        problems.append(f"Not enough participants, left out: {', '.join(told)}.")
    return _build(known[kept], labels[kept], column, groups, time, centre_weeks, missing, problems, repeats)


def _find_missing(
    column: str, groups: list[str], grouped: bool, told: list[str], reference: str | None, known: pd.DataFrame
) -> str:
    """Why there is nothing to compare, before the columns are built; empty when there is."""
    if not len(known):
        return (
            f"Not enough data: no run has all of what the model needs (0 of {PARTICIPANTS_NEEDED} participants)."
        )
    if reference is not None and reference not in groups:
        return f"Not enough data in the reference group ({', '.join(told)} participants)."
    if not groups or (grouped and len(groups) < 2):
        if told:
            return f"Not enough data: too few participants ({', '.join(told)})."
        return "Not enough data: there is only one group to compare (1 of 2)."
    if len(groups) > GROUP_LIMIT:
        return f"Too many groups to compare with one reference ({len(groups)}; at most {GROUP_LIMIT})."
    return ""


def _build(
    rows: pd.DataFrame,
    labels: pd.Series,
    column: str,
    groups: list[str],
    time: bool,
    centre_weeks: float | None,
    missing: str,
    problems: list[str],
    repeats: bool,
) -> Design:
    y = rows[column].to_numpy(dtype=float)
    codes = pd.factorize(rows["participant_id"])[0]
    group_codes = np.array([groups.index(label) for label in labels], dtype=int)
    weeks = _count_weeks(rows) if time else np.zeros(len(rows))
    centre = (float(weeks.mean()) if centre_weeks is None else centre_weeks) if time and len(rows) else 0.0
    x, terms = _make_columns(groups, group_codes, codes, weeks - centre, time, centre)
    if not missing:
        missing = _find_degenerate(y, x, codes, weeks if time else None, repeats)
    parts = [*(["group"] if len(groups) > 1 else []), *(["week"] if time else [])]
    return Design(
        y=y,
        x=x,
        terms=terms,
        codes=codes,
        weeks=weeks - centre,
        group_codes=group_codes,
        groups=tuple(groups),
        centre_weeks=centre,
        formula=f"{column} ~ {' * '.join(parts) or '1'}",
        n_participants=len(set(codes)),
        n_runs=len(y),
        missing=missing,
        problems=tuple(problems),
    )


def _count_weeks(rows: pd.DataFrame) -> np.ndarray:
    at = pd.to_datetime(rows["session_local"])
    first = at.groupby(rows["participant_id"]).transform("min")
    weeks: np.ndarray = ((at - first) / WEEK).to_numpy(dtype=float)
    return weeks


def _make_columns(
    groups: list[str], group_codes: np.ndarray, codes: np.ndarray, weeks: np.ndarray, time: bool, centre: float
) -> tuple[np.ndarray, tuple[Term, ...]]:
    """The columns and what each is called: intercept, groups, time, interactions."""
    at = f" at week {centre:.1f}" if time else ""
    first = groups[0] if groups else ""
    compared = len(groups) > 1
    in_first = group_codes == 0 if compared else np.ones(len(codes), dtype=bool)

    def name(words: str, kind: str, group: str, used: np.ndarray) -> Term:
        return Term(words, kind, group, len(set(codes[used])), int(used.sum()))

    columns, terms = [np.ones(len(codes))], [name(f"{first or 'mean'}{at}", "intercept", first, in_first)]
    for number, group in enumerate(groups[1:], start=1):
        columns.append((group_codes == number).astype(float))
        used = (group_codes == 0) | (group_codes == number)
        terms.append(name(f"{group} − {first}{at}", "group", group, used))
    if time:
        columns.append(weeks)
        words = f"change per week in {first}" if compared else "change per week"
        terms.append(name(words, "time", first, in_first))
        for number, group in enumerate(groups[1:], start=1):
            columns.append(columns[number] * weeks)
            used = (group_codes == 0) | (group_codes == number)
            terms.append(name(f"{group} − {first}: difference of change per week", "interaction", group, used))
    return np.column_stack(columns), tuple(terms)


def _find_degenerate(
    y: np.ndarray, x: np.ndarray, codes: np.ndarray, weeks: np.ndarray | None, repeats: bool
) -> str:
    """Why data with enough participants still cannot be fitted; empty when they can."""
    if np.ptp(y) <= 1e-12 * max(1.0, float(np.abs(y).max())):
        return "All values are the same: there is no spread to model."
    if repeats and np.bincount(codes).max() < 2:
        return "Not enough data: no participant has two runs, so their spread cannot be told from noise (1 of 2)."
    if weeks is not None and np.ptp(weeks) <= 0:
        return "Not enough data: every participant has runs at one time only (1 of 2 times)."
    if np.linalg.matrix_rank(x) < x.shape[1]:
        return "Group and time cannot be told apart: some group has all its runs at one time."
    if len(y) < x.shape[1] + 3:
        return f"Not enough data: too few runs ({len(y)} of {x.shape[1] + 3})."
    return ""
