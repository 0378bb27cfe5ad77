"""Runs: submitting once, advancing by compare-and-set, filters, deletion, and text kept exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from heliograph.store import (
    ConstraintError,
    FailureReason,
    RunFilter,
    RunState,
    Section,
    Store,
    UnknownRecordError,
    add_run,
    advance_run,
    count_runs,
    delete_run,
    load_due_purges,
    load_due_runs,
    load_next_due_utc,
    load_overview,
    load_run,
    load_run_by_key,
    load_run_detail,
    load_runs,
    load_tag_names,
    load_tag_values,
    purge_run,
    replace_run,
)
from tests.store.processes import run_together

SUBMITTING = """
import pathlib
from heliograph.store import NewRun, RunKind, Store, add_run
with Store.open(pathlib.Path(sys.argv[1]), workspace="sandbox", synthetic=True) as store:
    wait()
    new = NewRun(submission_key="once", kind=RunKind.UPLOAD, participant_id=1, date_of_birth="1980-01-01",
                 birth_sex="FEMALE", language="en-GB", tags={"a": "b"})
    print(add_run(store, new))
"""
AWKWARD = (
    "'; DROP TABLE runs; --",
    "<script>alert('x')</script> **bold** [link](javascript:0)",
    "👩🏽‍🔬 e\u0301 é ﬁ",
    "\u202eمرحبا שלום\u202c",
    "tab\t newline\n nul\x00 end ",
    '%_\\"`$(x){{y}}',
)
FAR = "9999-01-01T00:00:00.000Z"


def ids(store: Store, **conditions: Any) -> list[int]:
    """The ids of the runs that pass a filter; counting agrees."""
    run_filter = RunFilter(**conditions)
    found = [row.id for row in load_runs(store, run_filter)]
    assert count_runs(store, run_filter) == len(found)
    return found


def test_a_run_is_stored_whole_with_tags_and_first_event(store: Store, make_run: Any) -> None:
    run_id = make_run(
        "k",
        tags={"b": "2", "a": "1"},
        recorded_local="2026-03-01T09:00:00",
        delete_data=True,
        data_to_delete=("RECORDINGS",),
    )
    detail = load_run_detail(store, run_id)
    assert detail.run == load_run(store, run_id) == load_run_by_key(store, "k")
    assert (detail.run.state, detail.run.session_local) == (RunState.QUEUED, "2026-03-01T09:00:00")
    assert (detail.run.synthetic, detail.run.delete_data, detail.run.data_to_delete) == (
        True,
        True,
        ("RECORDINGS",),
    )
    assert dict(detail.tags) == {"a": "1", "b": "2"}
    assert [(event.state, event.detail) for event in detail.events] == [(RunState.QUEUED, None)]
    assert detail.run.next_step_utc == detail.run.queued_utc


def test_the_same_submission_again_gives_the_run_there_is(store: Store, make_run: Any) -> None:
    first = make_run("k", tags={"a": "1"})
    assert make_run("k", tags={"a": "2"}) == first
    assert dict(load_run_detail(store, first).tags) == {"a": "1"}
    assert load_overview(store).n_runs == 1


def test_the_same_submission_from_several_processes_at_once_is_one_run(
    home: Path, store: Store, make_run: Any
) -> None:
    delete_run(store, make_run("leaves its participant"))
    answers = set(run_together(SUBMITTING, [(str(home),)] * 3))
    ((written, errors, code),) = answers
    assert (errors, code) == ("", 0)
    assert ids(store) == [int(written)]


def test_a_run_of_nobody_is_refused_and_leaves_nothing(store: Store, new_run: Any) -> None:
    with pytest.raises(ConstraintError):
        add_run(store, new_run(store, "k", participant_id=99))
    assert load_overview(store).n_runs == 0


@pytest.mark.parametrize("text", AWKWARD)
def test_labels_tags_and_details_of_any_unicode_are_kept_exactly_and_found_again(
    store: Store, make_run: Any, text: str
) -> None:
    make_run("another", label="P-0", tags={"arm": "control"})
    run_id = make_run("k", label=text, tags={text: text}, quality_override=text)
    advance_run(
        store, run_id, expect=[RunState.QUEUED], state=RunState.FAILED, detail=text, changes={"last_problem": text}
    )
    detail = load_run_detail(store, run_id)
    assert (detail.participant.label, dict(detail.tags), detail.run.quality_override) == (text, {text: text}, text)
    assert (detail.run.last_problem, detail.events[-1].detail) == (text, text)
    assert ids(store, participant_label=text) == ids(store, tag_name=text, tag_value=text) == [run_id]
    assert text in load_tag_names(store)
    assert load_tag_values(store, text) == [text]
    (row,) = load_runs(store, RunFilter(tag_name=text))
    assert (row.participant_label, dict(row.tags)) == (text, {text: text})


def test_a_run_advances_only_from_an_expected_state(store: Store, make_run: Any) -> None:
    run_id = make_run("k")
    move = {"expect": [RunState.QUEUED], "state": RunState.CREATED}
    assert advance_run(store, run_id, **move, changes={"thymia_id": "T-1", "next_step_utc": FAR})
    before = load_run_detail(store, run_id)
    assert not advance_run(
        store, run_id, **move, changes={"thymia_id": "T-2"}, answer=("create", "{}"), sections=[]
    )
    assert load_run_detail(store, run_id) == before
    assert (before.run.thymia_id, before.run.next_step_utc) == ("T-1", FAR)
    assert not advance_run(store, 999, **move)


def test_only_columns_of_a_runs_progress_can_be_changed(store: Store, make_run: Any) -> None:
    run_id = make_run("k")
    with pytest.raises(ValueError, match="submission_key"):
        advance_run(
            store,
            run_id,
            expect=[RunState.QUEUED],
            state=RunState.QUEUED,
            changes={"submission_key": "x", "attempts": 1},
        )
    assert load_run(store, run_id).attempts == 0


def test_an_event_is_written_only_when_the_state_or_the_detail_changes(store: Store, make_run: Any) -> None:
    run_id = make_run("k")
    for state, detail in [
        ("created", None),
        ("created", None),
        ("created", "slow"),
        ("created", "slow"),
        ("running", None),
    ]:
        assert advance_run(store, run_id, expect=list(RunState), state=RunState(state), detail=detail)
    events = [(event.state.value, event.detail) for event in load_run_detail(store, run_id).events]
    assert events == [("queued", None), ("created", None), ("created", "slow"), ("running", None)]


def test_answers_are_kept_byte_for_byte_and_a_get_only_when_it_differs(store: Store, make_run: Any) -> None:
    run_id = make_run("k")
    bodies = ['{"id":"1" ,\r\n "x": "\u00e9\\u00e9\x00👩🏽‍🔬"}', '{"id":"1"}', '{"id":"1"}', '{"id":"1"} ']
    advance_run(store, run_id, expect=list(RunState), state=RunState.CREATED, answer=("create", bodies[0]))
    for body in bodies:
        advance_run(store, run_id, expect=list(RunState), state=RunState.CREATED, answer=("get", body))
    kept = [(answer.operation, answer.body) for answer in load_run_detail(store, run_id).answers]
    assert kept == [("create", bodies[0]), ("get", bodies[0]), ("get", bodies[1]), ("get", bodies[3])]


def test_sections_replace_the_ones_before(store: Store, make_run: Any) -> None:
    run_id = make_run("k")
    old = [Section(section=n, start_s=n, finish_s=n + 1, stress=0.33) for n in range(3)]
    new = [
        Section(section=0, start_s=0.0, finish_s=30.5, transcript="text", mental_strain=0.125, uniform_stress=0.5)
    ]
    for sections in (old, new):
        advance_run(store, run_id, expect=list(RunState), state=RunState.COMPLETE_OK, sections=sections)
    assert list(load_run_detail(store, run_id).sections) == new
    assert dict(load_runs(store)[0].scores) == new[0].scores == {"mental_strain": 0.125, "uniform_stress": 0.5}


def test_the_longest_due_run_comes_first_and_the_next_moment_is_known(store: Store, make_run: Any) -> None:
    assert load_next_due_utc(store) is None
    times = ["2026-01-03T00:00:00.000Z", "2026-01-01T00:00:00.000Z", FAR]
    late, early, _ = (make_run(when, next_step_utc=when) for when in times)
    assert load_next_due_utc(store) == times[1]
    assert [run.id for run in load_due_runs(store, times[0])] == [early, late]
    assert [run.id for run in load_due_runs(store, times[0], 1)] == [early]
    advance_run(store, early, expect=list(RunState), state=RunState.FAILED, changes={"next_step_utc": None})
    assert load_next_due_utc(store) == times[0]


def test_a_replaced_run_fails_with_its_reason_and_is_linked_to_the_new_one(
    store: Store, make_run: Any, new_run: Any
) -> None:
    old = make_run("old")
    reason = FailureReason.UPLOAD_URL_EXPIRED
    new = replace_run(store, old, new_run(store, "new"), failure=reason, detail="after 1 h")
    again = replace_run(store, old, new_run(store, "new"), failure=FailureReason.REJECTED)
    assert again == new
    detail = load_run_detail(store, old)
    assert (detail.run.state, detail.run.failure, detail.run.next_step_utc) == (
        RunState.FAILED,
        reason.value,
        None,
    )
    assert detail.repeated_by == (new,)
    assert load_run(store, new).repeats_run_id == old
    delete_run(store, old)
    assert load_run(store, new).repeats_run_id is None
    with pytest.raises(UnknownRecordError):
        replace_run(store, old, new_run(store, "third"), failure=reason)
    assert load_run_by_key(store, "third") is None


def test_filters_hold_together_and_pages_follow_each_other(store: Store, make_run: Any) -> None:
    runs = [
        make_run(
            f"k{n}",
            label=f"P-{n % 3:03d}",
            tags={"arm": "ab"[n % 2], "visit": str(n)},
            recorded_local=f"2026-01-{n + 1:02d}T08:00:00",
        )
        for n in range(12)
    ]
    advance_run(store, runs[4], expect=list(RunState), state=RunState.FAILED, changes={"thymia_id": "T-4"})
    advance_run(store, runs[5], expect=list(RunState), state=RunState.COMPLETE_ERROR)
    troubled = frozenset({RunState.FAILED, RunState.COMPLETE_ERROR})
    assert ids(store) == runs[::-1]
    assert ids(store, states=troubled) == [runs[5], runs[4]]
    assert ids(store, participant_label="P-001") == [runs[10], runs[7], runs[4], runs[1]]
    assert ids(store, participant_label="P-001", states=troubled) == [runs[4]]
    assert ids(store, tag_name="arm", tag_value="b") == runs[1::2][::-1]
    assert ids(store, tag_name="visit") == runs[::-1]
    assert ids(store, tag_name="arm", tag_value="b", participant_label="P-001") == [runs[7], runs[1]]
    assert ids(store, since_local="2026-01-03", until_local="2026-01-05") == [runs[3], runs[2]]
    assert ids(store, since_local="2026-01-03", tag_name="visit", tag_value="1") == []
    assert ids(store, text="T-4") == [runs[4]]
    assert ids(store, text=str(runs[8])) == [runs[8]]
    assert ids(store, text="p-002") == ids(store, text="002") == runs[2::3][::-1]
    assert ids(store, text="p-00", states=troubled, tag_name="arm", tag_value="a") == [runs[4]]
    assert ids(store, text="%") == ids(store, text="9" * 30) == []
    for run_filter in (
        RunFilter(),
        RunFilter(tag_name="visit"),
        RunFilter(states=frozenset(RunState)),
        RunFilter(text="p"),
    ):
        seen: list[int] = []
        while page := load_runs(store, run_filter, before_id=seen[-1] if seen else None, limit=5):
            seen += [row.id for row in page]
        assert seen == runs[::-1]
    assert count_runs(store, cap=7) == count_runs(store, RunFilter(tag_name="visit"), cap=7) == 7
    assert load_tag_names(store) == ["arm", "visit"]
    assert load_tag_values(store, "arm") == ["a", "b"]


def test_purging_takes_the_data_and_keeps_the_run_and_its_timeline(store: Store, make_run: Any) -> None:
    run_id = make_run("k", tags={"a": "b"}, asleep_local="2026-01-01T23:00:00")
    due = "2026-01-02T00:00:00.000Z"
    advance_run(
        store,
        run_id,
        expect=list(RunState),
        state=RunState.COMPLETE_OK,
        changes={"deletion_due_utc": due, "warnings": ["x"]},
        answer=("get", "{}"),
        sections=[Section(section=0, start_s=0, finish_s=1, stress=1.0)],
    )
    assert [run.id for run in load_due_purges(store, due)] == [run_id]
    assert purge_run(store, run_id) is True
    assert purge_run(store, run_id) is False
    detail = load_run_detail(store, run_id)
    assert (detail.sections, detail.answers, dict(detail.tags), detail.run.asleep_local) == ((), (), {}, None)
    assert (detail.run.state, len(detail.events)) == (RunState.COMPLETE_OK, 2)
    assert detail.run.purged_utc is not None
    assert load_due_purges(store, FAR) == []


def test_deleting_a_run_leaves_no_row_of_it(store: Store, make_run: Any) -> None:
    run_id = make_run("k", tags={"a": "b"})
    section = Section(section=0, start_s=0, finish_s=1)
    advance_run(
        store, run_id, expect=list(RunState), state=RunState.RUNNING, answer=("get", "{}"), sections=[section]
    )
    delete_run(store, run_id)
    with store.read() as db:
        counts = {name: db[name].count for name in ("runs", "tags", "results", "answers", "run_events")}
    assert set(counts.values()) == {0}, counts
    with pytest.raises(UnknownRecordError):
        load_run_detail(store, run_id)
    assert make_run("another") > run_id, "the id of a deleted run is never given again"
