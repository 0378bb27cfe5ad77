"""Flags: who is due is known whatever changes, dismissals outlive a new finding, and the count is exact."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from heliograph.store import (
    ConstraintError,
    FlagKey,
    NewFlag,
    RunState,
    Section,
    Store,
    UnknownRecordError,
    advance_run,
    count_open_flags,
    delete_run,
    dismiss_flag,
    load_flags,
    load_flags_due,
    load_open_flags,
    load_overview,
    mark_flags_due,
    purge_run,
    replace_flags,
    restore_flag,
    save_ratings,
)


@pytest.fixture
def make_result(store: Store, make_run: Any) -> Callable[..., int]:
    """Queues a run and completes it."""

    def make(key: str, **fields: Any) -> int:
        run_id: int = make_run(key, **fields)
        section = Section(section=0, start_s=0, finish_s=1, uniform_stress=0.33)
        advance_run(store, run_id, expect=list(RunState), state=RunState.COMPLETE_OK, sections=[section])
        return run_id

    return make


def flag(run_id: int, **fields: Any) -> NewFlag:
    """A flag at a run."""
    defaults = {
        "column_name": "uniform_stress",
        "chart": "ewma",
        "session_local": f"2026-03-{run_id:02d}T08:00:00",
        "direction": "up",
        "value": 0.8,
        "limit_value": 0.7,
        "n_baseline": 5,
    }
    return NewFlag(**({"run_id": run_id} | defaults | fields))


def find_again(store: Store, participant_id: int, *flags: NewFlag) -> None:
    """Replaces the participant's flags as if they had just been found."""
    mark_flags_due(store, participant_id)
    (due,) = [entry for entry in load_flags_due(store) if entry.participant_id == participant_id]
    replace_flags(store, participant_id, flags, version=due.version)


def settle(store: Store) -> None:
    """Makes nobody due."""
    for due in load_flags_due(store):
        replace_flags(store, due.participant_id, [], version=due.version)
    assert load_flags_due(store) == []


def test_a_participant_is_due_when_a_result_comes_and_not_for_a_run_that_only_waits(
    store: Store, make_run: Any, make_result: Any
) -> None:
    make_run("waits", tags={"arm": "a"})
    assert load_flags_due(store) == []
    make_result("a", label="P-2")
    make_result("b", label="P-3")
    assert [due.participant_id for due in load_flags_due(store)] == [2, 3]
    assert [due.participant_id for due in load_flags_due(store, limit=1)] == [2]
    assert load_flags_due(store, participant_id=3) == load_flags_due(store)[1:]
    assert load_flags_due(store, participant_id=1) == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE runs SET session_local = '2020-01-01T00:00:00' WHERE id = 1",
        "UPDATE runs SET state = 'failed' WHERE id = 1",
        "UPDATE results SET uniform_stress = 0.9",
        "DELETE FROM results",
        "DELETE FROM runs WHERE id = 1",
        "INSERT INTO tags (run_id, name, value, session_local) VALUES (1, 'arm', 'b', '2026-01-01T00:00:00')",
    ],
)
def test_a_participant_is_due_when_anything_about_a_result_changes(
    store: Store, make_result: Any, change: str
) -> None:
    make_result("a")
    settle(store)
    with store.write() as db:
        assert db.conn.execute(change).rowcount > 0
    assert [due.participant_id for due in load_flags_due(store)] == [1]


def test_a_run_that_moves_to_somebody_else_makes_both_due(store: Store, make_run: Any, make_result: Any) -> None:
    make_run("x", label="P-2")
    run_id = make_result("a", label="P-1")
    settle(store)
    with store.write() as db:
        db.conn.execute("UPDATE runs SET participant_id = 1 WHERE id = ?", (run_id,))
    assert [due.participant_id for due in load_flags_due(store)] == [1, 2]


def test_a_participant_stays_due_when_results_change_while_flags_are_found(store: Store, make_result: Any) -> None:
    run_id = make_result("a")
    (due,) = load_flags_due(store)
    save_ratings(store, run_id, {"kss": 7})
    replace_flags(store, 1, [flag(run_id)], version=due.version)
    (again,) = load_flags_due(store)
    assert again.version != due.version
    replace_flags(store, 1, [flag(run_id)], version=again.version)
    assert load_flags_due(store) == []
    assert [found.run_id for found in load_flags(store, 1)] == [run_id]


def test_marking_everybody_leaves_out_who_has_neither_results_nor_flags(
    store: Store, make_run: Any, make_result: Any
) -> None:
    make_run("waits", label="P-1")
    flagged = make_result("a", label="P-2")
    find_again(store, 2, flag(flagged))
    make_result("b", label="P-3")
    settle_but_keep = [due for due in load_flags_due(store) if due.participant_id == 3]
    replace_flags(store, 3, [], version=settle_but_keep[0].version)
    with store.write() as db:
        db.conn.execute("DELETE FROM results WHERE run_id = ?", (flagged,))
        db.conn.execute("DELETE FROM flags_due")
    mark_flags_due(store, None)
    assert [due.participant_id for due in load_flags_due(store)] == [2, 3]
    with pytest.raises(ConstraintError):
        mark_flags_due(store, 99)


def test_a_dismissal_lasts_as_long_as_its_flag_is_found_and_the_rest_is_as_found_last(
    store: Store, make_result: Any
) -> None:
    runs = [make_result(key) for key in "abc"]
    find_again(store, 1, *(flag(run_id) for run_id in runs))
    first, second, _ = load_flags(store, 1)
    dismiss_flag(store, first.key, "a cold")
    dismiss_flag(store, second.key, "")
    find_again(store, 1, flag(runs[0], value=0.95, direction="down", n_baseline=6), flag(runs[2]))
    kept, last = load_flags(store, 1)
    assert (kept.dismissed_note, kept.found_utc) == ("a cold", first.found_utc)
    assert kept.dismissed_utc is not None
    assert (kept.value, kept.direction, kept.n_baseline) == (0.95, "down", 6)
    assert (last.dismissed_utc, last.run_id) == (None, runs[2])
    find_again(store, 1, flag(runs[1]))
    (found,) = load_flags(store, 1)
    assert (found.run_id, found.dismissed_utc) == (runs[1], None)


def test_charts_and_columns_of_one_run_are_flags_of_their_own(store: Store, make_result: Any) -> None:
    run_id = make_result("a")
    find_again(store, 1, flag(run_id), flag(run_id, chart="cusum"), flag(run_id, column_name="mental_strain"))
    keys = [found.key for found in load_flags(store, 1)]
    assert keys == [
        FlagKey(1, "mental_strain", "ewma", run_id),
        FlagKey(1, "uniform_stress", "cusum", run_id),
        FlagKey(1, "uniform_stress", "ewma", run_id),
    ]
    dismiss_flag(store, keys[1], "x")
    assert [found.dismissed_note for found in load_flags(store, 1)] == [None, "x", None]


def test_open_flags_come_latest_first_with_their_participant_and_are_counted_exactly(
    store: Store, make_result: Any
) -> None:
    runs = [make_result(f"k{n}", label=f"P-{n % 2}") for n in range(4)]
    find_again(store, 1, flag(runs[0]), flag(runs[2]))
    find_again(store, 2, flag(runs[1]), flag(runs[3]))
    assert [found.run_id for found in load_open_flags(store)] == runs[::-1]
    assert load_open_flags(store, limit=1)[0].participant_label == "P-1"
    assert count_open_flags(store) == 4
    key = load_open_flags(store)[0].key
    dismiss_flag(store, key, "exam week")
    dismiss_flag(store, key, "exam week, said twice")
    assert count_open_flags(store) == 3
    assert [found.run_id for found in load_open_flags(store)] == runs[2::-1]
    restore_flag(store, key)
    restore_flag(store, key)
    assert count_open_flags(store) == 4
    dismiss_flag(store, key, "gone soon")
    delete_run(store, key.run_id)
    assert count_open_flags(store) == 3
    purge_run(store, runs[0])
    assert count_open_flags(store) == 2
    find_again(store, 2)
    assert (count_open_flags(store), [found.run_id for found in load_open_flags(store)]) == (1, [runs[2]])
    assert load_overview(store).n_attention == 0


def test_a_flag_that_is_gone_cannot_be_dismissed_or_restored(store: Store, make_result: Any) -> None:
    key = FlagKey(1, "uniform_stress", "ewma", make_result("a"))
    for attempt in (lambda: dismiss_flag(store, key, "x"), lambda: restore_flag(store, key)):
        with pytest.raises(UnknownRecordError):
            attempt()


def test_a_flag_of_a_run_that_was_deleted_meanwhile_is_left_out(store: Store, make_result: Any) -> None:
    kept, deleted = make_result("a"), make_result("b")
    (due,) = load_flags_due(store)
    delete_run(store, deleted)
    replace_flags(store, 1, [flag(kept), flag(deleted)], version=due.version)
    assert [found.run_id for found in load_flags(store, 1)] == [kept]
    assert [entry.participant_id for entry in load_flags_due(store)] == [1]


def test_the_table_takes_no_chart_or_direction_that_there_is_not(store: Store, make_result: Any) -> None:
    run_id = make_result("a")
    for wrong in ({"chart": "shewhart"}, {"direction": "sideways"}):
        with pytest.raises(ConstraintError) as caught:
            find_again(store, 1, flag(run_id, **wrong))
        assert isinstance(caught.value.__cause__, sqlite3.IntegrityError)
    assert load_flags(store, 1) == []
