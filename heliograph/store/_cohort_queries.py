"""A cohort's numbers, aggregated where the rows are: what leaves the database is at most one row for each
participant, group and week."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
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
)
from heliograph.store._database import Store
from heliograph.store._frames import build_frame, fetch_columns
from heliograph.store._rows import select_value

if TYPE_CHECKING:
    import pandas as pd

N_LEVELS = 4
N_CELLS = N_LEVELS * len(LEVEL_COLUMNS)
CELL_COLUMNS = ("participant_id", "group", "period", "n_runs", *CONTINUOUS_COLUMNS, "first_day", "last_day")
RECORDINGS_OF_A_MOMENT = 10  # so many at most are expected where recordings are repeated
WEEK_COLUMNS = ("participant_id", "period", "n_runs", *CONTINUOUS_COLUMNS)
_MEANS = ", ".join(f"avg(c.{name})" for name in CONTINUOUS_COLUMNS)


def load_cohort_cells(
    store: Store, cohort_filter: CohortFilter = EVERY_RESULT, *, group: str = "none", period: str = "none"
) -> pd.DataFrame:
    """One row for each participant, group and period: `participant_id`, `group` (`EVERYBODY` without grouping),
    `period` (datetime of its Monday; NaT without periods), `n_runs`, the mean of each of `CONTINUOUS_COLUMNS`,
    `first_day` and `last_day`. `group` is one of `GROUPINGS` or `tag:<name>`; ValueError for another."""
    sql, parameters = build_cells(cohort_filter, group=group, period=period)
    with store.read() as db:
        columns, groups = fetch_columns(db, sql, parameters, CELL_COLUMNS)
    return build_frame(columns | {"group": name_groups(group, columns["group"], groups)})


def load_cohort_levels(
    store: Store, cohort_filter: CohortFilter = EVERY_RESULT, *, group: str = "none", period: str = "none"
) -> pd.DataFrame:
    """How often each level of a bucket occurs: `group`, `period` (as in the cells), `column` (of
    `LEVEL_COLUMNS`), `level` (0 to 3) and `n_runs`. All four levels are there for each column of a group and
    period that has runs."""
    import numpy as np
    import pandas as pd

    sql, parameters = build_levels(cohort_filter, group=group, period=period)
    counted = [f"runs_{cell}" for cell in range(N_CELLS)]
    with store.read() as db:
        columns, groups = fetch_columns(db, sql, parameters, ["group", "period", *counted])
    n_rows = len(columns["group"])
    counts = np.array([columns[name] for name in counted], dtype=np.int64).reshape(N_CELLS, n_rows)
    frame = {
        "group": name_groups(group, columns["group"].repeat(N_CELLS), groups),
        "period": columns["period"].repeat(N_CELLS),
        "column": pd.array(LEVEL_COLUMNS, dtype="str").take(np.tile(np.arange(N_CELLS) // N_LEVELS, n_rows)),
        "level": np.tile(np.arange(N_LEVELS), len(LEVEL_COLUMNS) * n_rows),
        "n_runs": counts.T.ravel(),
    }
    return build_frame(frame)


def load_cohort_people(
    store: Store, cohort_filter: CohortFilter = EVERY_RESULT, *, group: str = "none", period: str = "none"
) -> pd.DataFrame:
    """How many participants there are: `group`, `period` (as in the cells) and `n_participants`, who have a run in
    it. They are counted where the rows are: a year of weeks costs a quarter of its cells."""
    sql, parameters = build_people(cohort_filter, group=group, period=period)
    with store.read() as db:
        columns, groups = fetch_columns(db, sql, parameters, ["group", "period", "n_participants"])
    return build_frame(columns | {"group": name_groups(group, columns["group"], groups)})


def load_cohort_deviations(
    store: Store,
    cohort_filter: CohortFilter = EVERY_RESULT,
    *,
    baseline_runs: int = 5,
    baseline_from: str | None = None,
    baseline_until: str | None = None,
    repeat_window_min: float = 0,
    limit_participants: int = 100,
) -> tuple[pd.DataFrame, int]:
    """How far each week lies from the participant's own baseline, for the first `limit_participants`
    participants by label who have runs in the filter, and how many such participants there are.

    The frame has `participant_id`, `participant` (the label), `week` (datetime of its Monday), `n_runs`, the
    mean of the week minus the baseline's for each of `CONTINUOUS_COLUMNS`, and `n_baseline`. The baseline is of
    the participant's first `baseline_runs` results (from `baseline_from` on) or, with `baseline_until`, of all
    through the end of that day, whatever the filter says; without any, deviations are NaN and `n_baseline` is 0.
    Recordings at most `repeat_window_min` after the first of their moment are no baseline of their own.
    """
    import numpy as np
    import pandas as pd

    with store.read() as db:
        total = int(select_value(db, *build_total(cohort_filter)))
        chosen = db.conn.execute(*build_choice(cohort_filter, limit_participants)).fetchall()
        ids = [participant_id for participant_id, _ in chosen]
        sql, parameters = build_cells(cohort_filter, group="none", period="week", participant_ids=ids)
        columns, _ = fetch_columns(db, sql, parameters, CELL_COLUMNS)
        most = None if baseline_until else baseline_runs
        sql, parameters = build_firsts(ids, most, baseline_from, baseline_until)
        firsts, _ = fetch_columns(db, sql, parameters, ["participant_id", "session_local", *CONTINUOUS_COLUMNS])
    labels = pd.DataFrame(chosen, columns=["participant_id", "participant"])
    labels = labels.astype({"participant_id": np.int64, "participant": "str"})
    weeks = build_frame({"week" if name == "period" else name: columns[name] for name in WEEK_COLUMNS})
    frame = labels.merge(weeks, on="participant_id")  # by label and week
    baselines = _average_firsts(build_frame(firsts), most, repeat_window_min)
    base = frame[["participant_id"]].merge(baselines, on="participant_id", how="left")
    frame[list(CONTINUOUS_COLUMNS)] -= base[list(CONTINUOUS_COLUMNS)]
    frame["n_baseline"] = base["n_baseline"].fillna(0).astype(np.int64)
    return frame, total


def build_cells(
    cohort_filter: CohortFilter, *, group: str, period: str, participant_ids: Sequence[int] | None = None
) -> tuple[str, dict[str, Any]]:
    """The query of the cells, which come by participant."""
    query = build_query(cohort_filter, participant_ids=participant_ids)
    groups, periods, keys = _build_keys(query, group, period)
    sql = (
        f"SELECT p.id, {groups} AS g, {periods} AS w, count(*), {_MEANS}, min(c.day), max(c.day)"  # noqa: S608
        f" FROM {query.source} GROUP BY p.id{keys}"
    )
    return sql, query.parameters


def build_levels(cohort_filter: CohortFilter, *, group: str, period: str) -> tuple[str, dict[str, Any]]:
    """The query of the levels."""
    query = build_query(cohort_filter)
    groups, periods, _ = _build_keys(query, group, period)
    counts = ", ".join(
        f"count(*) FILTER (WHERE c.{column} = {level})" for column in LEVEL_COLUMNS for level in range(N_LEVELS)
    )
    sql = f"SELECT {groups} AS g, {periods} AS w, {counts} FROM {query.source} GROUP BY g, w ORDER BY g, w"  # noqa: S608
    return sql, query.parameters


def build_people(cohort_filter: CohortFilter, *, group: str, period: str) -> tuple[str, dict[str, Any]]:
    """The query of the number of participants of each group and period."""
    query = build_query(cohort_filter)
    groups, periods, keys = _build_keys(query, group, period)
    people = f"SELECT {groups} AS g, {periods} AS w FROM {query.source} GROUP BY p.id{keys}"  # noqa: S608
    return f"SELECT g, w, count(*) FROM ({people}) GROUP BY g, w ORDER BY g, w", query.parameters  # noqa: S608


def build_total(cohort_filter: CohortFilter) -> tuple[str, dict[str, Any]]:
    """The query of the number of participants who have runs in the filter."""
    query = build_query(cohort_filter)
    found = f"EXISTS (SELECT 1 FROM cohort AS c WHERE {query.where})"  # noqa: S608 - values are bound
    return f"SELECT count(*) FROM {query.people} WHERE {found}", query.parameters  # noqa: S608


def build_choice(cohort_filter: CohortFilter, limit: int) -> tuple[str, dict[str, Any]]:
    """The query of the first participants by label who have runs in the filter."""
    query = build_query(cohort_filter)
    wanted = ""
    if cohort_filter.participant_ids is not None:
        wanted = f"p.id IN (SELECT p.id FROM {query.people}) AND "  # noqa: S608 - values are bound
    sql = (
        "SELECT p.id, p.label FROM participants AS p INDEXED BY sqlite_autoindex_participants_1"  # noqa: S608
        f" WHERE {wanted}EXISTS (SELECT 1 FROM cohort AS c WHERE {query.where}) ORDER BY p.label"
        f" LIMIT {query.bind(limit)}"
    )
    return sql, query.parameters


def build_firsts(
    participant_ids: Sequence[int], runs: int | None, since: str | None, until: str | None
) -> tuple[str, dict[str, Any]]:
    """The query of the runs that may belong to the participants' own baselines, in the order of time: all of the
    days given or, with `runs`, the first ones, and more of them than that, as some may repeat others."""
    end = None if until is None else (date.fromisoformat(until) + timedelta(days=1)).isoformat()
    query = build_query(CohortFilter(since_local=since, until_local=end), participant_ids=participant_ids)
    chosen = f"p.id AS id, c.day * 1440 + c.minute AS at, {', '.join(f'c.{name}' for name in CONTINUOUS_COLUMNS)}"
    order = "c.day, c.minute, c.run_id"
    if runs is None:
        return f"SELECT {chosen} FROM {query.source} ORDER BY p.id, {order}", query.parameters  # noqa: S608
    number = f"row_number() OVER (PARTITION BY p.id ORDER BY {order})"
    sql = (
        f"SELECT id, at, {', '.join(CONTINUOUS_COLUMNS)} FROM"  # noqa: S608
        f" (SELECT {chosen}, {number} AS number FROM {query.source})"
        f" WHERE number <= {query.bind(runs * RECORDINGS_OF_A_MOMENT)} ORDER BY id, number"
    )
    return sql, query.parameters


def _average_firsts(firsts: pd.DataFrame, runs: int | None, repeat_window_min: float) -> pd.DataFrame:
    """The participants' baselines: `participant_id`, the means, and `n_baseline`."""
    import numpy as np

    minutes = firsts["session_local"].to_numpy().astype("datetime64[m]").astype(np.int64)
    opens = np.zeros(len(firsts), dtype=bool)
    last = (0, -1.0)  # whose moment is open, and until when
    for row, moment in enumerate(zip(firsts["participant_id"].tolist(), minutes.tolist(), strict=True)):
        if moment[0] != last[0] or moment[1] > last[1] or repeat_window_min <= 0:
            opens[row] = True
            last = (moment[0], moment[1] + repeat_window_min)
    kept = firsts[opens]
    if runs is not None:
        kept = kept[kept.groupby("participant_id").cumcount() < runs]
    people = kept.groupby("participant_id")
    means = people[list(CONTINUOUS_COLUMNS)].mean()
    return means.assign(n_baseline=people.size()).reset_index()


def _build_keys(query: CohortQuery, group: str, period: str) -> tuple[str, str, str]:
    groups, periods = build_group(query, group), build_period(period)
    keys = (", g" if groups else "") + (", w" if periods else "")
    return groups or "NULL", periods or "NULL", keys
