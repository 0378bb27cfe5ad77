"""The queries behind the pages look things up: none walks a table that grows with runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from heliograph.store import RunFilter, RunState, Store
from heliograph.store import _overview as overview
from heliograph.store import _participants as participants
from heliograph.store import _progress as progress
from heliograph.store import _run_queries as run_queries
from heliograph.store import _trend as trend
from heliograph.store import _waiting as waiting
from tests.store.plans import explain

NOW = "2026-01-01T00:00:00.000Z"
LIST = {"limit": 10, "now": NOW}
TROUBLED = frozenset({RunState.FAILED, RunState.COMPLETE_ERROR})


def page(run_filter: RunFilter, before_id: int | None = 1000) -> tuple[str, dict[str, Any]]:
    """The query of a page of 50, not the first."""
    return run_queries.build_page(run_filter, before_id=before_id, limit=50)


QUERIES: dict[str, tuple[str, Mapping[str, Any], str]] = {
    "trend of one participant": (
        trend.TREND,
        {"participant": 1, "since": "", "until": "~"},
        "SEARCH trend USING PRIMARY KEY (participant_id=? AND session_local>? AND session_local<?)",
    ),
    "trend row of one run": (
        "SELECT * FROM trend_source WHERE run_id = :run",
        {"run": 1},
        "SEARCH r USING INTEGER PRIMARY KEY (rowid=?)",
    ),
    "runs, any page": (*page(RunFilter()), "SEARCH r USING INTEGER PRIMARY KEY (rowid<?)"),
    "runs by one state": (
        *page(RunFilter(states=frozenset({RunState.COMPLETE_OK}))),
        "SEARCH r USING COVERING INDEX runs_state (state=? AND rowid<?)",
    ),
    "runs by two states": (
        *page(RunFilter(states=TROUBLED)),
        "SEARCH r USING COVERING INDEX runs_state (state=? AND rowid<?)",
    ),
    "tag filter": (
        *page(RunFilter(tag_name="site", tag_value="a")),
        "SEARCH g USING COVERING INDEX tags_name_value (name=? AND value=? AND run_id<?)",
    ),
    "tag filter by name": (
        *page(RunFilter(tag_name="site")),
        "SEARCH g USING COVERING INDEX tags_name (name=? AND run_id<?)",
    ),
    "label filter": (
        *page(RunFilter(participant_label="P-1")),
        "SEARCH r USING COVERING INDEX runs_participant (participant_id=? AND rowid<?)",
    ),
    "sessions of a month": (
        *page(RunFilter(since_local="2026-01-01", until_local="2026-02-01")),
        "SEARCH r USING COVERING INDEX runs_session (session_local>? AND session_local<?)",
    ),
    "sessions of a month, first page": (
        *page(RunFilter(since_local="2026-01-01", until_local="2026-02-01"), None),
        "SEARCH r USING COVERING INDEX runs_session (session_local>? AND session_local<?)",
    ),
    "sessions of a month by state": (
        *page(RunFilter(states=TROUBLED, since_local="2026-01-01", until_local="2026-02-01")),
        "SEARCH r USING COVERING INDEX runs_state_session (state=? AND session_local>? AND session_local<?)",
    ),
    "sessions of a month by tag": (
        *page(RunFilter(tag_name="site", tag_value="a", since_local="2026-01-01", until_local="2026-02-01")),
        "SEARCH g USING COVERING INDEX tags_name_value_session (name=? AND value=? AND session_local>? AND",
    ),
    "sessions of a month by label": (
        *page(RunFilter(participant_label="P-1", since_local="2026-01-01", until_local="2026-02-01")),
        "SEARCH r USING COVERING INDEX runs_participant_session (participant_id=? AND session_local>? AND",
    ),
    "tag filter with states": (
        *page(RunFilter(states=TROUBLED, tag_name="site", tag_value="a")),
        "SEARCH q USING COVERING INDEX runs_state (state=? AND rowid=?)",
    ),
    "states filter with tag": (
        *run_queries.build_page(
            RunFilter(states=TROUBLED, tag_name="site", tag_value="a"), before_id=None, limit=50, driver="states"
        ),
        "SEARCH t USING COVERING INDEX tags_name_value (name=? AND value=? AND run_id=?)",
    ),
    "text": (*page(RunFilter(text="12")), "SEARCH participant_words USING PRIMARY KEY (word>? AND word<?)"),
    "all filters at once": (
        *page(
            RunFilter(
                states=TROUBLED,
                participant_label="P-1",
                tag_name="site",
                tag_value="a",
                since_local="2026-01-01",
                until_local="2026-02-01",
                text="12",
            )
        ),
        "SEARCH r USING INDEX runs_participant_session (participant_id=? AND session_local>? AND session_local<?)",
    ),
    "due runs": (progress.DUE_RUNS, LIST, "SEARCH runs USING INDEX runs_due (next_step_utc<?)"),
    "next due": (progress.NEXT_DUE, {}, "SEARCH runs USING COVERING INDEX runs_due (next_step_utc>?)"),
    "due purges": (progress.DUE_PURGES, LIST, "SEARCH runs USING INDEX runs_deletion (deletion_due_utc<?)"),
    "overview counts by state": (overview.STATE_COUNTS, {}, "SCAN state_counts"),
    "number of results": (overview.RESULT_COUNT, {}, "SEARCH state_counts USING PRIMARY KEY (state=?)"),
    "overview totals": (overview.TOTALS, {}, "SCAN totals"),
    "latest results": (overview.LATEST_RESULTS, LIST, "SEARCH r USING INDEX runs_state_completed (state=? AND "),
    "attention list": (overview.ATTENTION, LIST, "SEARCH r USING INDEX runs_attention (needs_attention=?)"),
    "upcoming deletions": (
        overview.UPCOMING_DELETIONS,
        LIST,
        "SEARCH r USING INDEX runs_deletion (deletion_due_utc>?)",
    ),
    "waiting recordings": (waiting.WAITING, {}, "SEARCH c USING INDEX sqlite_autoindex_recordings_1 (id=?)"),
    "search of participants": (
        participants.SEARCH_PARTICIPANTS,
        {"first": "a", "last": "b", "limit": 50},
        "SEARCH participant_words USING PRIMARY KEY (word>? AND word<?)",
    ),
    "participants saved last": (
        participants.RECENT_PARTICIPANTS,
        {"limit": 50},
        "SEARCH participants USING INDEX participants_updated (updated_utc>?)",
    ),
    "names of tags": (run_queries.TAG_NAMES, {"limit": 50}, "SEARCH tags USING COVERING INDEX tags_name (name>?)"),
    "values of a tag": (
        run_queries.TAG_VALUES,
        {"name": "site", "limit": 50},
        "SEARCH tags USING COVERING INDEX tags_name_value (name=? AND value>?)",
    ),
}
SORTED_BY_INDEX = (
    "due runs",
    "latest results",
    "attention list",
    "upcoming deletions",
    "participants saved last",
    "trend of one participant",
)
PAGES_OF_RUNS = (
    "runs, any page",
    "runs by one state",
    "tag filter",
    "tag filter by name",
    "label filter",
    "sessions of a month",
    "sessions of a month, first page",
    "sessions of a month by tag",
    "sessions of a month by label",
    "tag filter with states",
)


def find_walks(plan: list[str]) -> list[str]:
    """The plan's lines that walk a whole table which grows with runs; what is walked in a subquery's result or a
    recursion (`page`, `found`, an unnamed one) has been limited before."""
    aliases = {
        "r": "runs",
        "q": "runs",
        "b": "runs",
        "g": "tags",
        "t": "tags",
        "s": "results",
        "c": "recordings",
        "p": "participants",
    }
    grown = {*aliases, *aliases.values(), "participant_words", "answers", "run_events", "trend"}
    return [line for line in plan if line.startswith("SCAN ") and line.split()[1] in grown]


@pytest.mark.parametrize("name", QUERIES)
def test_query_is_an_index_lookup(store: Store, name: str) -> None:
    sql, parameters, expected = QUERIES[name]
    plan = explain(store, sql, parameters)
    assert any(line.startswith(expected) for line in plan), plan
    assert find_walks(plan) == [], plan


@pytest.mark.parametrize("name", SORTED_BY_INDEX)
def test_list_comes_from_its_index_in_order_and_is_not_sorted(store: Store, name: str) -> None:
    sql, parameters, _ = QUERIES[name]
    plan = explain(store, sql, parameters)
    assert not any("TEMP B-TREE" in line for line in plan), plan


@pytest.mark.parametrize("name", PAGES_OF_RUNS)
def test_page_of_runs_sorts_nothing_but_its_own_rows(store: Store, name: str) -> None:
    sql, parameters, _ = QUERIES[name]
    plan = explain(store, sql, parameters)
    # the 50 rows of the page are sorted once more after the join
    assert sum("TEMP B-TREE" in line for line in plan) == 1, plan


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM runs AS r WHERE last_problem = 'x'",
        "SELECT count(*) FROM participants",
        "SELECT * FROM tags",
    ],
)
def test_a_walk_would_be_found(store: Store, sql: str) -> None:
    assert find_walks(explain(store, sql, {})) != []
