"""Every filter shows exactly the runs that pass it, in its order, page by page, whichever index is walked."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import pytest

from heliograph.store import (
    RunFilter,
    RunRow,
    RunState,
    Store,
    add_run,
    advance_run,
    count_runs,
    delete_run,
    load_runs,
)
from heliograph.store import _run_queries as run_queries
from tests.store.new_runs import build_new_run

SEED = 7
N_RUNS = 48
LABELS = ("P-001", "P-002", "Q-001")
SITES = ("a", "b", "c")
STATES = (RunState.COMPLETE_OK, RunState.FAILED, RunState.QUEUED)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Runs of three people over six days whose sessions do not follow the order of submission, several at the
    same time; filled once and only read here."""
    chance = random.Random(SEED)
    folder = tmp_path_factory.mktemp("filled") / "sandbox"
    with Store.open(folder, workspace="sandbox", synthetic=True) as store:
        for n in range(N_RUNS):
            tags = {"site": chance.choice(SITES)} if n % 4 else {}
            session = f"2026-01-{chance.randrange(1, 7):02d}T{chance.choice(['08', '20'])}:00:00"
            new = build_new_run(store, f"k{n}", label=chance.choice(LABELS), tags=tags, recorded_local=session)
            run_id, state = add_run(store, new), chance.choice(STATES)
            if state is not RunState.QUEUED:
                advance_run(store, run_id, expect=list(RunState), state=state)
        yield store


def passes(row: RunRow, run_filter: RunFilter) -> bool:
    """What `RunFilter` says in words, for labels as above."""
    tag = row.tags.get(run_filter.tag_name or "")
    return (
        (not run_filter.states or row.state in run_filter.states)
        and run_filter.participant_label in (None, row.participant_label)
        and (run_filter.tag_name is None or tag is not None)
        and run_filter.tag_value in (None, tag)
        and (run_filter.since_local is None or row.session_local >= run_filter.since_local)
        and (run_filter.until_local is None or row.session_local < run_filter.until_local)
        and row.participant_label.lower().startswith(run_filter.text)
    )


def expected_ids(store: Store, run_filter: RunFilter) -> list[int]:
    """The ids in the list's order, found without an index."""
    rows = [row for row in load_runs(store, limit=1000) if passes(row, run_filter)]
    if run_filter.since_local or run_filter.until_local:
        rows.sort(key=lambda row: (row.session_local, row.id), reverse=True)
    return [row.id for row in rows]


FILTERS = [
    RunFilter(
        states=frozenset(states),
        participant_label=label,
        tag_name=tag[0],
        tag_value=tag[1],
        since_local=dates[0],
        until_local=dates[1],
        text=text,
    )
    for states, label, tag, dates, text in itertools.product(
        [(), STATES[:1], STATES[:2]],
        [None, LABELS[0]],
        [(None, None), ("site", None), ("site", "b"), ("site", "nowhere")],
        [(None, None), ("2026-01-02", "2026-01-05"), ("2026-01-03", None)],
        ["", "p-00"],
    )
]


def test_every_combination_of_conditions_gives_its_runs_and_their_count(filled: Store) -> None:
    seen = set()
    for run_filter in FILTERS:
        expected = expected_ids(filled, run_filter)
        assert [row.id for row in load_runs(filled, run_filter)] == expected, run_filter
        assert count_runs(filled, run_filter) == len(expected), run_filter
        seen.add(len(expected))
    assert len(seen) > 10, "the filters differ"


def test_a_tag_with_states_gives_the_same_whichever_of_the_two_is_walked(filled: Store) -> None:
    for run_filter in FILTERS:
        if run_filter.tag_name is None or not run_filter.states or run_filter.participant_label or run_filter.text:
            continue
        found = []
        for driver in ("tag", "states"):
            if driver == "tag" and run_filter.tag_value is None and run_filter.since_local:
                continue
            sql, parameters = run_queries.build_ids(run_filter, before_id=None, limit=1000, driver=driver)
            with filled.read() as db:
                found.append([row[0] for row in db.conn.execute(sql, parameters)])
        assert all(ids == expected_ids(filled, run_filter) for ids in found), run_filter


def test_of_a_tag_and_states_the_one_that_fewer_runs_have_is_walked(store: Store) -> None:
    for n in range(6):
        tags = {"site": "a"} if n else {"site": "b"}
        run_id = add_run(store, build_new_run(store, str(n), tags=tags))
        if n < 3:
            advance_run(store, run_id, expect=list(RunState), state=RunState.FAILED)
    chosen = {}
    for value in ("a", "b"):
        run_filter = RunFilter(states=frozenset({RunState.FAILED}), tag_name="site", tag_value=value)
        with store.read() as db:
            chosen[value] = run_queries.choose_by_counts(db, run_filter)
    assert chosen == {"a": "states", "b": "tag"}


@pytest.mark.parametrize(
    "run_filter",
    [
        RunFilter(since_local="2026-01-02"),
        RunFilter(until_local="2026-01-05", states=frozenset(STATES[:2])),
        RunFilter(since_local="2026-01-02", tag_name="site", tag_value="b"),
        RunFilter(since_local="2026-01-02", participant_label=LABELS[0]),
        RunFilter(since_local="2026-01-02", text="p-00"),
        RunFilter(tag_name="site", states=frozenset(STATES[:1])),
    ],
    ids=["since", "until-states", "since-tag", "since-participant", "since-text", "tag-states"],
)
def test_pages_follow_each_other_without_gap_or_repetition(filled: Store, run_filter: RunFilter) -> None:
    expected = expected_ids(filled, run_filter)
    assert len(expected) > 5
    seen: list[int] = []
    while page := load_runs(filled, run_filter, before_id=seen[-1] if seen else None, limit=3):
        seen += [row.id for row in page]
    assert seen == expected


def test_the_page_after_a_run_that_was_deleted_meanwhile_still_comes(store: Store) -> None:
    days = [f"2026-01-{day:02d}T08:00:00" for day in range(1, 7)]
    runs = [add_run(store, build_new_run(store, day, recorded_local=day)) for day in days]
    delete_run(store, runs[3])
    for run_filter in (RunFilter(), RunFilter(since_local="2026-01-01")):
        assert [row.id for row in load_runs(store, run_filter, before_id=runs[3])] == [runs[2], runs[1], runs[0]]
