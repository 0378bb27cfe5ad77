"""Lists of runs and one run's detail. A list is driven by the index of its most selective condition, which has
the list's order, so that a page costs the same at a thousand and at a million runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from heliograph.store._database import Store
from heliograph.store._errors import UnknownRecordError
from heliograph.store._participants import search_range
from heliograph.store._recordings import select_recording
from heliograph.store._records import Answer, Run, RunDetail, RunEvent, RunFilter, RunRow, RunState, Section
from heliograph.store._rows import (
    RUN_ROW_COLUMNS,
    RUN_ROW_JOINS,
    select_rows,
    select_value,
    to_participant,
    to_run,
    to_run_row,
)

if TYPE_CHECKING:
    from sqlite_utils import Database

MAX_ID = 2**63 - 1
EVERY_RUN = RunFilter()
TEXT_PARTICIPANTS = 200  # so many participants at most are looked through for a text
PROBED_RUNS = 50_000  # counted at most to find out how common a tag is
TAG_NAMES = """
    WITH RECURSIVE found (name) AS (
        SELECT min(name) FROM tags
        UNION ALL SELECT (SELECT min(name) FROM tags WHERE name > found.name)
            FROM found WHERE found.name IS NOT NULL
    ) SELECT name FROM found WHERE name IS NOT NULL LIMIT :limit
"""
TAG_VALUES = """
    WITH RECURSIVE found (value) AS (
        SELECT min(value) FROM tags WHERE name = :name
        UNION ALL SELECT (SELECT min(value) FROM tags WHERE name = :name AND value > found.value)
            FROM found WHERE found.value IS NOT NULL
    ) SELECT value FROM found WHERE value IS NOT NULL LIMIT :limit
"""


@dataclass(slots=True)
class _Query:
    """Conditions that are still to be said, and the parameters used so far."""

    conditions: list[str] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)

    def bind(self, value: object) -> str:
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f":{name}"


def load_runs(
    store: Store, run_filter: RunFilter = EVERY_RUN, *, before_id: int | None = None, limit: int = 50
) -> list[RunRow]:
    """Runs that pass the filter: submitted last first or, with dates in the filter, by session, latest first. The
    next page is the one before (in that order) the last row's id."""
    with store.read() as db:
        driver = choose_by_counts(db, run_filter)
        sql, parameters = build_page(run_filter, before_id=before_id, limit=limit, driver=driver)
        return [to_run_row(row) for row in select_rows(db, sql, parameters)]


def count_runs(store: Store, run_filter: RunFilter = EVERY_RUN, *, cap: int = 1_000) -> int:
    """How many runs pass the filter; counting stops at `cap`, so an answer of `cap` means: that many or
    more."""
    with store.read() as db:
        if run_filter == RunFilter(states=run_filter.states):
            counts = select_rows(db, "SELECT state, n FROM state_counts")
            wanted = run_filter.states or frozenset(RunState)
            return min(cap, sum(int(row["n"]) for row in counts if row["state"] in wanted))
        driver = choose_by_counts(db, run_filter)
        sql, parameters = build_ids(run_filter, before_id=None, limit=cap, driver=driver)
        return int(select_value(db, f"SELECT count(*) FROM ({sql})", parameters))  # noqa: S608


def load_run(store: Store, run_id: int) -> Run:
    """The run; raises `UnknownRecordError`."""
    with store.read() as db:
        rows = select_rows(db, "SELECT * FROM runs WHERE id = ?", (run_id,))
    if not rows:
        raise UnknownRecordError(f"There is no run {run_id} in this workspace.")
    return to_run(rows[0])


def load_run_by_key(store: Store, submission_key: str) -> Run | None:
    """The run that was submitted under this key, None when there is none."""
    with store.read() as db:
        rows = select_rows(db, "SELECT * FROM runs WHERE submission_key = ?", (submission_key,))
    return to_run(rows[0]) if rows else None


def load_run_detail(store: Store, run_id: int) -> RunDetail:
    """The run and all that hangs on it, in one snapshot; raises `UnknownRecordError`."""
    key = (run_id,)
    with store.read() as db:
        rows = select_rows(db, "SELECT * FROM runs WHERE id = ?", key)
        if not rows:
            raise UnknownRecordError(f"There is no run {run_id} in this workspace.")
        run = to_run(rows[0])
        people = select_rows(db, "SELECT * FROM participants WHERE id = ?", (run.participant_id,))
        tags = select_rows(db, "SELECT name, value FROM tags WHERE run_id = ? ORDER BY name", key)
        events = select_rows(
            db, "SELECT id, at_utc, state, detail FROM run_events WHERE run_id = ? ORDER BY id", key
        )
        sections = select_rows(db, "SELECT * FROM results WHERE run_id = ? ORDER BY section", key)
        answers = select_rows(
            db, "SELECT id, operation, received_utc, body FROM answers WHERE run_id = ? ORDER BY id", key
        )
        repeats = select_rows(db, "SELECT id FROM runs WHERE repeats_run_id = ? ORDER BY id", key)
        recording = None if run.recording_id is None else select_recording(db, run.recording_id)
    for section in sections:
        del section["run_id"]
    return RunDetail(
        run=run,
        participant=to_participant(people[0]),
        recording=recording,
        tags={row["name"]: row["value"] for row in tags},
        events=tuple(RunEvent(**{**row, "state": RunState(row["state"])}) for row in events),
        sections=tuple(Section(**row) for row in sections),
        answers=tuple(Answer(**row) for row in answers),
        repeated_by=tuple(row["id"] for row in repeats),
    )


def load_tag_names(store: Store, *, limit: int = 200) -> list[str]:
    """The names of all tags there are, sorted; the cost grows with the names, not with the runs."""
    with store.read() as db:
        return [row["name"] for row in select_rows(db, TAG_NAMES, {"limit": limit})]


def load_tag_values(store: Store, name: str, *, limit: int = 200) -> list[str]:
    """The values that the tag `name` has had, sorted."""
    with store.read() as db:
        return [row["value"] for row in select_rows(db, TAG_VALUES, {"name": name, "limit": limit})]


def build_page(
    run_filter: RunFilter, *, before_id: int | None, limit: int, driver: str | None = None
) -> tuple[str, dict[str, Any]]:
    """The query of a page of `RunRow`s; `driver` as for `build_ids`."""
    ids, parameters = build_ids(run_filter, before_id=before_id, limit=limit, driver=driver)
    order = "r.session_local DESC, r.id DESC" if _has_dates(run_filter) else "r.id DESC"
    sql = (
        f"SELECT {RUN_ROW_COLUMNS} FROM ({ids}) AS page CROSS JOIN runs AS r ON r.id = page.id {RUN_ROW_JOINS}"  # noqa: S608
        f" ORDER BY {order}"
    )
    return sql, parameters


def build_ids(
    run_filter: RunFilter, *, before_id: int | None, limit: int, driver: str | None = None
) -> tuple[str, dict[str, Any]]:
    """The query of the ids on a page: for each branch the first `limit` in the order of the branch's own index,
    merged. `driver` names the condition whose index is walked, by default the one that `_choose_driver` gives;
    the others are checked run by run."""
    query = _Query()
    dated = _has_dates(run_filter)
    most = query.bind(limit)
    states = sorted(state.value for state in run_filter.states)
    driver = driver or _choose_driver(run_filter)

    if driver == "tag":
        run_id, session = "g.run_id", "g.session_local"
    else:
        run_id, session = "r.id", "r.session_local"
    if before_id is not None:
        _add_before(query, query.bind(before_id), run_id, session if dated else None)
    if run_filter.since_local is not None:
        query.conditions.append(f"{session} >= {query.bind(run_filter.since_local)}")
    if run_filter.until_local is not None:
        query.conditions.append(f"{session} < {query.bind(run_filter.until_local)}")
    if states and driver != "states":
        listed = ", ".join(query.bind(state) for state in states)
        if driver == "tag":  # a look into the index: the run's row need not be read
            query.conditions.append(
                f"EXISTS (SELECT 1 FROM runs AS q INDEXED BY runs_state WHERE q.state IN ({listed}) AND q.id = g.run_id)"  # noqa: E501, S608
            )
        else:
            query.conditions.append(f"r.state IN ({listed})")
    if run_filter.participant_label is not None and driver != "label":
        query.conditions.append(f"r.participant_id = {_participant_of(query, run_filter)}")
    if run_filter.tag_name is not None and driver != "tag":
        index, value = _find_tag_index(query, run_filter, "t", dated=False)
        query.conditions.append(
            f"EXISTS (SELECT 1 FROM tags AS t INDEXED BY {index} WHERE {value} AND t.run_id = r.id)"  # noqa: S608
        )

    if driver == "text":
        branches = _build_text_branches(query, run_filter.text.strip(), dated=dated)
    elif driver == "tag":
        branches = [_build_tag_branch(query, run_filter, dated=dated)]
    elif driver == "label":
        condition = f"r.participant_id = {_participant_of(query, run_filter)}"
        branches = [_build_branch(query, _index_by_participant(dated=dated), condition, dated=dated)]
    elif driver == "states":
        source = f"runs AS r INDEXED BY {'runs_state_session' if dated else 'runs_state'}"
        branches = [
            _build_branch(query, source, f"r.state = {query.bind(state)}", dated=dated) for state in states
        ]
    else:
        source = "runs AS r INDEXED BY runs_session" if dated else "runs AS r"
        branches = [_build_branch(query, source, "TRUE", dated=dated)]
    order = "session_local DESC, id DESC" if dated else "id DESC"
    first = [f"{branch} ORDER BY {order} LIMIT {most}" for branch in branches]
    if len(first) == 1:
        return first[0], query.parameters
    merged = " UNION ".join(f"SELECT * FROM ({branch})" for branch in first)  # noqa: S608 - values are bound
    return f"{merged} ORDER BY {order} LIMIT {most}", query.parameters


def _has_dates(run_filter: RunFilter) -> bool:
    return run_filter.since_local is not None or run_filter.until_local is not None


def _choose_driver(run_filter: RunFilter) -> str:
    if run_filter.text.strip():
        return "text"
    if run_filter.participant_label is not None:
        return "label"
    if run_filter.tag_name is not None and (run_filter.tag_value is not None or not _has_dates(run_filter)):
        return "tag"
    return "states" if run_filter.states else "runs"


def choose_by_counts(db: Database, run_filter: RunFilter) -> str:
    """Between a tag and states, the one that fewer runs have is walked."""
    driver = _choose_driver(run_filter)
    if driver != "tag" or not run_filter.states:
        return driver
    counts = select_rows(db, "SELECT state, n FROM state_counts")
    n_states = sum(int(row["n"]) for row in counts if row["state"] in run_filter.states)
    tag_only = RunFilter(tag_name=run_filter.tag_name, tag_value=run_filter.tag_value)
    sql, parameters = build_ids(tag_only, before_id=None, limit=min(n_states, PROBED_RUNS) + 1)
    n_tag = int(select_value(db, f"SELECT count(*) FROM ({sql})", parameters))  # noqa: S608
    return "states" if n_states < n_tag else "tag"


def _add_before(query: _Query, before: str, run_id: str, session: str | None) -> None:
    """What follows the run `before` in the list's order; if that run is gone, what follows the one that was
    submitted last before it."""
    if session is None:
        query.conditions.append(f"{run_id} < {before}")
        return
    at = f"(SELECT b.session_local FROM runs AS b WHERE b.id <= {before} ORDER BY b.id DESC LIMIT 1)"  # noqa: S608
    query.conditions.append(f"{session} <= {at} AND ({session} < {at} OR {run_id} < {before})")


def _build_branch(query: _Query, source: str, condition: str, *, dated: bool) -> str:
    columns = "r.id AS id, r.session_local AS session_local" if dated else "r.id AS id"
    return f"SELECT {columns} FROM {source} WHERE {' AND '.join([condition, *query.conditions])}"  # noqa: S608


def _build_tag_branch(query: _Query, run_filter: RunFilter, *, dated: bool) -> str:
    index, condition = _find_tag_index(query, run_filter, "g", dated=dated)
    # named by the tag's own columns: their index gives the order, and no sorting is needed
    columns = "g.run_id AS id, g.session_local AS session_local" if dated else "g.run_id AS id"
    where = " AND ".join([condition, *query.conditions])
    return f"SELECT {columns} FROM tags AS g INDEXED BY {index} WHERE {where}"  # noqa: S608


def _find_tag_index(query: _Query, run_filter: RunFilter, alias: str, *, dated: bool) -> tuple[str, str]:
    name = f"{alias}.name = {query.bind(run_filter.tag_name)}"
    if run_filter.tag_value is None:
        return "tags_name", name
    index = "tags_name_value_session" if dated else "tags_name_value"
    return index, f"{name} AND {alias}.value = {query.bind(run_filter.tag_value)}"


def _build_text_branches(query: _Query, text: str, *, dated: bool) -> list[str]:
    bounds = search_range(text)
    people = (
        "r.participant_id IN (SELECT DISTINCT participant_id FROM participant_words"  # noqa: S608 - values are bound
        f" WHERE word >= {query.bind(bounds['first'])} AND word < {query.bind(bounds['last'])}"
        f" LIMIT {TEXT_PARTICIPANTS})"
    )
    branches = [
        _build_branch(query, _index_by_participant(dated=dated), people, dated=dated),
        _build_branch(query, "runs AS r", f"r.thymia_id = {query.bind(text)}", dated=dated),
    ]
    if text.isascii() and text.isdigit() and text[0] != "0" and len(text) < len(str(MAX_ID)):
        branches.append(_build_branch(query, "runs AS r", f"r.id = {query.bind(int(text))}", dated=dated))
    return branches


def _index_by_participant(*, dated: bool) -> str:
    return f"runs AS r INDEXED BY {'runs_participant_session' if dated else 'runs_participant'}"


def _participant_of(query: _Query, run_filter: RunFilter) -> str:
    return f"(SELECT id FROM participants WHERE label = {query.bind(run_filter.participant_label)})"  # noqa: S608
