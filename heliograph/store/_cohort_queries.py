"""A cohort's numbers, aggregated where the rows are: what leaves the database is at most one row for each
participant, group and week."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from heliograph.store._cohort import (
    CONTINUOUS_COLUMNS,
    EVERY_RESULT,
    LEVEL_COLUMNS,
    CohortFilter,
    CohortQuery,
    build_group,
    build_period,
    build_query,
    name_groups,
    to_dates,
)
from heliograph.store._database import Store
from heliograph.store._rows import select_value

if TYPE_CHECKING:
    import pandas as pd
    from sqlite_utils import Database

N_LEVELS = 4
_MEANS = ", ".join(f"avg(c.{name})" for name in CONTINUOUS_COLUMNS)


def load_cohort_cells(
    store: Store, cohort_filter: CohortFilter = EVERY_RESULT, *, group: str = "none", period: str = "none"
) -> pd.DataFrame:
    """One row for each participant, group and period: `participant_id`, `group` (`EVERYBODY` without grouping),
    `period` (datetime of its Monday; NaT without periods), `n_runs`, the mean of each of `CONTINUOUS_COLUMNS`,
    `first_day` and `last_day`. `group` is one of `GROUPINGS` or `tag:<name>`; ValueError for another."""
    import numpy as np
    import pandas as pd

    sql, parameters = build_cells(cohort_filter, group=group, period=period)
    with store.read() as db:
        columns = _fetch_columns(db, sql, parameters, 6 + len(CONTINUOUS_COLUMNS))
    people, groups, periods, counts, first, last, *means = columns
    frame = {
        "participant_id": np.array(people, dtype=np.int64),
        "group": name_groups(group, groups),
        "period": _to_times(periods),
        "n_runs": np.array(counts, dtype=np.int64),
        **{
            name: np.array(values, dtype=np.float64)
            for name, values in zip(CONTINUOUS_COLUMNS, means, strict=True)
        },
        "first_day": _to_times(first),
        "last_day": _to_times(last),
    }
    return pd.DataFrame(frame, copy=False)


def load_cohort_levels(
    store: Store, cohort_filter: CohortFilter = EVERY_RESULT, *, group: str = "none", period: str = "none"
) -> pd.DataFrame:
    """How often each level of a bucket occurs: `group`, `period` (as in the cells), `column` (of
    `LEVEL_COLUMNS`), `level` (0 to 3), `n_runs` and `n_participants` (who had it at least once). All four levels
    are there for each column of a group and period that has runs."""
    import numpy as np
    import pandas as pd

    sql, parameters = build_levels(cohort_filter, group=group, period=period)
    with store.read() as db:
        rows = db.conn.execute(sql, parameters).fetchall()
    n_cells = len(LEVEL_COLUMNS) * N_LEVELS
    counts = np.array([row[2:] for row in rows], dtype=np.int64).reshape(-1, 2, n_cells)
    n_rows = len(rows)
    frame = {
        "group": name_groups(group, [row[0] for row in rows for _ in range(n_cells)]),
        "period": _to_times([row[1] for row in rows for _ in range(n_cells)]),
        "column": pd.array([name for name in LEVEL_COLUMNS for _ in range(N_LEVELS)] * n_rows, dtype="str"),
        "level": np.array([*range(N_LEVELS)] * len(LEVEL_COLUMNS) * n_rows, dtype=np.int64),
        "n_runs": counts[:, 0, :].ravel(),
        "n_participants": counts[:, 1, :].ravel(),
    }
    return pd.DataFrame(frame, copy=False)


def load_cohort_deviations(
    store: Store,
    cohort_filter: CohortFilter = EVERY_RESULT,
    *,
    baseline_runs: int = 5,
    baseline_from: str | None = None,
    baseline_until: str | None = None,
    limit_participants: int = 100,
) -> tuple[pd.DataFrame, int]:
    """How far each week lies from the participant's own baseline, for the first `limit_participants`
    participants by label who have runs in the filter, and how many such participants there are.

    The frame has `participant_id`, `participant` (the label), `week` (datetime of its Monday), `n_runs`, the
    mean of the week minus the baseline's for each of `CONTINUOUS_COLUMNS`, and `n_baseline`. The baseline is of
    the participant's first `baseline_runs` results of all or, with days given, of those from `baseline_from` until
    before `baseline_until`, whatever the filter says; without any, deviations are NaN and `n_baseline` is 0.
    """
    import numpy as np
    import pandas as pd

    with store.read() as db:
        total = int(select_value(db, *build_total(cohort_filter)))
        chosen = db.conn.execute(*build_choice(cohort_filter, limit_participants)).fetchall()
        ids = [participant_id for participant_id, _ in chosen]
        sql, parameters = build_cells(cohort_filter, group="none", period="week", participant_ids=ids)
        columns = _fetch_columns(db, sql, parameters, 6 + len(CONTINUOUS_COLUMNS))
        sql, parameters = build_baselines(ids, baseline_runs, baseline_from, baseline_until)
        baselines = {row[0]: row[1:] for row in db.conn.execute(sql, parameters)}
    nothing = (0, *(None for _ in CONTINUOUS_COLUMNS))
    place = {participant_id: number for number, participant_id in enumerate(ids)}
    rows = np.array([place[participant_id] for participant_id in columns[0]], dtype=np.int64)
    base = np.array([baselines.get(participant_id, nothing) for participant_id in ids], dtype=np.float64)
    base = base.reshape(len(ids), 1 + len(CONTINUOUS_COLUMNS))[rows]
    frame: dict[str, Any] = {
        "participant_id": np.array(columns[0], dtype=np.int64),
        "participant": pd.array(np.array([label for _, label in chosen], dtype=object)[rows], dtype="str"),
        "week": _to_times(columns[2]),
        "n_runs": np.array(columns[3], dtype=np.int64),
    }
    for number, name in enumerate(CONTINUOUS_COLUMNS):
        frame[name] = np.array(columns[6 + number], dtype=np.float64) - base[:, 1 + number]
    frame["n_baseline"] = base[:, 0].astype(np.int64)
    order = np.lexsort((frame["week"], rows))
    return pd.DataFrame(frame).iloc[order].reset_index(drop=True), total


def build_cells(
    cohort_filter: CohortFilter, *, group: str, period: str, participant_ids: Sequence[int] | None = None
) -> tuple[str, dict[str, Any]]:
    """The query of the cells, which come by participant."""
    query = build_query(cohort_filter, participant_ids=participant_ids)
    groups, periods, keys = _build_keys(query, group, period)
    sql = (
        f"SELECT p.id, {groups} AS g, {periods} AS w, count(*), min(c.day), max(c.day), {_MEANS}"  # noqa: S608
        f" FROM {query.source} GROUP BY p.id{keys}"
    )
    return sql, query.parameters


def build_levels(cohort_filter: CohortFilter, *, group: str, period: str) -> tuple[str, dict[str, Any]]:
    """The query of the levels: counted for each participant first, so that people can be counted too."""
    query = build_query(cohort_filter)
    groups, periods, keys = _build_keys(query, group, period)
    names = [f"n{number}" for number in range(len(LEVEL_COLUMNS) * N_LEVELS)]
    counts = ", ".join(
        f"count(*) FILTER (WHERE c.{column} = {level}) AS n{number * N_LEVELS + level}"
        for number, column in enumerate(LEVEL_COLUMNS)
        for level in range(N_LEVELS)
    )
    sums = ", ".join([*(f"sum({name})" for name in names), *(f"sum({name} > 0)" for name in names)])
    people = f"SELECT {groups} AS g, {periods} AS w, {counts} FROM {query.source} GROUP BY p.id{keys}"  # noqa: S608
    return f"SELECT g, w, {sums} FROM ({people}) GROUP BY g, w ORDER BY g, w", query.parameters  # noqa: S608


def build_total(cohort_filter: CohortFilter) -> tuple[str, dict[str, Any]]:
    """The query of the number of participants who have runs in the filter."""
    query = build_query(cohort_filter)
    return f"SELECT count(*) FROM (SELECT 1 FROM {query.source} GROUP BY p.id)", query.parameters  # noqa: S608


def build_choice(cohort_filter: CohortFilter, limit: int) -> tuple[str, dict[str, Any]]:
    """The query of the first participants by label who have runs in the filter."""
    query = build_query(cohort_filter)
    _, _, where = query.source.partition(" CROSS JOIN cohort AS c ON ")
    wanted = ""
    if cohort_filter.participant_ids is not None:
        wanted = "p.id IN (SELECT value FROM json_each(:p0)) AND "
    sql = (
        "SELECT p.id, p.label FROM participants AS p INDEXED BY sqlite_autoindex_participants_1"  # noqa: S608
        f" WHERE {wanted}EXISTS (SELECT 1 FROM cohort AS c WHERE {where}) ORDER BY p.label"
        f" LIMIT {query.bind(limit)}"
    )
    return sql, query.parameters


def build_baselines(
    participant_ids: Sequence[int], runs: int, since: str | None, until: str | None
) -> tuple[str, dict[str, Any]]:
    """The query of the participants' own baselines: id, number of runs, means."""
    window = since is not None or until is not None
    query = build_query(CohortFilter(since_local=since, until_local=until), participant_ids=participant_ids)
    if window:
        return f"SELECT p.id, count(*), {_MEANS} FROM {query.source} GROUP BY p.id", query.parameters  # noqa: S608
    numbered = (
        f"SELECT c.participant_id, {', '.join(f'c.{name}' for name in CONTINUOUS_COLUMNS)}, row_number() OVER"  # noqa: S608
        f" (PARTITION BY p.id ORDER BY c.day, c.minute, c.run_id) AS number FROM {query.source}"
    )
    sql = (
        f"SELECT c.participant_id, count(*), {_MEANS} FROM ({numbered}) AS c"  # noqa: S608
        f" WHERE c.number <= {query.bind(runs)} GROUP BY c.participant_id"
    )
    return sql, query.parameters


def _build_keys(query: CohortQuery, group: str, period: str) -> tuple[str, str, str]:
    groups, periods = build_group(query, group), build_period(period)
    keys = (", g" if groups else "") + (", w" if periods else "")
    return groups or "NULL", periods or "NULL", keys


def _fetch_columns(db: Database, sql: str, parameters: dict[str, Any], n_columns: int) -> list[tuple[Any, ...]]:
    rows = db.conn.execute(sql, parameters).fetchall()
    return list(zip(*rows, strict=True)) or [()] * n_columns


def _to_times(days: Sequence[Any]) -> Any:
    return to_dates(days).astype("datetime64[s]")
