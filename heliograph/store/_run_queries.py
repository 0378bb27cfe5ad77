"""Lists of runs and one run's detail. A list is driven by the index of its most selective condition and pages
by id, newest first, so that a page costs the same at a thousand and at a million runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

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

NO_BEFORE_ID = 2**63 - 1
EVERY_RUN = RunFilter()
TEXT_PARTICIPANTS = 200  # so many participants at most are looked through for a text
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
    """Conditions on `runs AS r` that are still to be said, and the parameters used so far."""

    conditions: list[str] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)

    def bind(self, value: object) -> str:
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f":{name}"


def load_runs(
    store: Store, run_filter: RunFilter = EVERY_RUN, *, before_id: int | None = None, limit: int = 50
) -> list[RunRow]:
    """Runs that pass the filter, newest first; the next page is the one before the last row's id."""
    sql, parameters = build_page(run_filter, before_id=before_id, limit=limit)
    with store.read() as db:
        return [to_run_row(row) for row in select_rows(db, sql, parameters)]


def count_runs(store: Store, run_filter: RunFilter = EVERY_RUN, *, cap: int = 10_000) -> int:
    """How many runs pass the filter; counting stops at `cap`, so an answer of `cap` means: that many or
    more."""
    with store.read() as db:
        if run_filter == RunFilter(states=run_filter.states):
            counts = select_rows(db, "SELECT state, n FROM state_counts")
            wanted = run_filter.states or frozenset(RunState)
            return min(cap, sum(int(row["n"]) for row in counts if row["state"] in wanted))
        sql, parameters = build_ids(run_filter, before_id=None, limit=cap)
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


def build_page(run_filter: RunFilter, *, before_id: int | None, limit: int) -> tuple[str, dict[str, Any]]:
    """The query of a page of `RunRow`s."""
    ids, parameters = build_ids(run_filter, before_id=before_id, limit=limit)
    sql = (
        f"SELECT {RUN_ROW_COLUMNS} FROM ({ids}) AS page CROSS JOIN runs AS r ON r.id = page.id {RUN_ROW_JOINS}"  # noqa: S608
        " ORDER BY r.id DESC"
    )
    return sql, parameters


def build_ids(run_filter: RunFilter, *, before_id: int | None, limit: int) -> tuple[str, dict[str, Any]]:
    """The query of the ids on a page: for each branch the newest `limit` by the branch's own index,
    merged."""
    query = _Query()
    before = query.bind(NO_BEFORE_ID if before_id is None else before_id)
    most = query.bind(limit)
    wanted = run_filter.text.strip()
    states = sorted(state.value for state in run_filter.states)
    driver = _choose_driver(run_filter)

    if states and driver != "states":
        query.conditions.append(f"r.state IN ({', '.join(query.bind(state) for state in states)})")
    if run_filter.participant_label is not None and driver != "label":
        query.conditions.append(f"r.participant_id = {_participant_of(query, run_filter)}")
    if run_filter.since_local is not None:
        query.conditions.append(f"r.session_local >= {query.bind(run_filter.since_local)}")
    if run_filter.until_local is not None:
        query.conditions.append(f"r.session_local < {query.bind(run_filter.until_local)}")
    if run_filter.tag_name is not None and driver != "tag":
        value = "" if run_filter.tag_value is None else f" AND t.value = {query.bind(run_filter.tag_value)}"
        query.conditions.append(
            f"EXISTS (SELECT 1 FROM tags AS t WHERE t.run_id = r.id AND t.name = {query.bind(run_filter.tag_name)}{value})"  # noqa: E501, S608
        )

    if driver == "text":
        branches = _build_text_branches(query, wanted, before)
    elif driver == "tag":
        branches = [_build_tag_branch(query, run_filter, before)]
    elif driver == "label":
        source = "runs AS r INDEXED BY runs_participant"
        branches = [
            _build_branch(query, source, f"r.participant_id = {_participant_of(query, run_filter)}", before)
        ]
    elif driver == "states":
        source = "runs AS r INDEXED BY runs_state"
        branches = [_build_branch(query, source, f"r.state = {query.bind(state)}", before) for state in states]
    elif driver == "session":
        branches = [_build_branch(query, "runs AS r INDEXED BY runs_session", "TRUE", before)]
    else:
        branches = [_build_branch(query, "runs AS r", "TRUE", before)]
    newest = [f"{branch} ORDER BY 1 DESC LIMIT {most}" for branch in branches]
    if len(newest) == 1:
        return newest[0], query.parameters
    merged = " UNION ".join(f"SELECT id FROM ({branch})" for branch in newest)  # noqa: S608 - values are bound
    return f"{merged} ORDER BY 1 DESC LIMIT {most}", query.parameters


def _choose_driver(run_filter: RunFilter) -> str:
    if run_filter.text.strip():
        return "text"
    if run_filter.participant_label is not None:
        return "label"
    if run_filter.tag_name is not None:
        return "tag"
    if run_filter.states:
        return "states"
    if run_filter.since_local is not None or run_filter.until_local is not None:
        return "session"
    return "id"


def _build_branch(query: _Query, source: str, condition: str, before: str) -> str:
    where = " AND ".join([condition, f"r.id < {before}", *query.conditions])
    return f"SELECT r.id FROM {source} WHERE {where}"  # noqa: S608 - values are bound


def _build_tag_branch(query: _Query, run_filter: RunFilter, before: str) -> str:
    index, value = "tags_name", ""
    if run_filter.tag_value is not None:
        index, value = "tags_name_value", f" AND g.value = {query.bind(run_filter.tag_value)}"
    where = " AND ".join(
        [f"g.name = {query.bind(run_filter.tag_name)}{value}", f"g.run_id < {before}", *query.conditions]
    )
    source = f"tags AS g INDEXED BY {index} CROSS JOIN runs AS r ON r.id = g.run_id"
    # ordered by the tag's own column: the index gives that order, and no sorting is needed
    return f"SELECT g.run_id AS id FROM {source} WHERE {where}"  # noqa: S608 - values are bound


def _build_text_branches(query: _Query, text: str, before: str) -> list[str]:
    bounds = search_range(text)
    people = (
        "r.participant_id IN (SELECT DISTINCT participant_id FROM participant_words"  # noqa: S608 - values are bound
        f" WHERE word >= {query.bind(bounds['first'])} AND word < {query.bind(bounds['last'])}"
        f" LIMIT {TEXT_PARTICIPANTS})"
    )
    branches = [
        _build_branch(query, "runs AS r INDEXED BY runs_participant", people, before),
        _build_branch(query, "runs AS r", f"r.thymia_id = {query.bind(text)}", before),
    ]
    if text.isascii() and text.isdigit() and text[0] != "0" and len(text) < len(str(NO_BEFORE_ID)):
        branches.append(_build_branch(query, "runs AS r", f"r.id = {query.bind(int(text))}", before))
    return branches


def _participant_of(query: _Query, run_filter: RunFilter) -> str:
    return f"(SELECT id FROM participants WHERE label = {query.bind(run_filter.participant_label)})"  # noqa: S608
