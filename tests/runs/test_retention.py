"""With deleteData: results are fetched before the deadline; the local copy goes only if the workspace says so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from heliograph.runs import (
    RunPurgedError,
    load_purge_setting,
    repeat_run,
    request_refetch,
    save_purge_setting,
)
from heliograph.store import (
    RunState,
    load_recording,
    load_run_detail,
    recording_path,
    to_utc_text,
)
from tests.runs.lab import Lab


def is_file_there(lab: Lab, run_id: int) -> bool:
    recording = load_recording(lab.store, lab.load(run_id).recording_id or "")
    return recording_path(lab.store, recording).exists()


def test_the_deadline_is_twelve_hours_after_completion_and_is_the_next_step(lab: Lab) -> None:
    run = lab.run_to_running(delete_data=True)
    completed_utc = lab.now_utc + timedelta(minutes=2)
    lab.thymia.complete(run.thymia_id, completedAt=to_utc_text(completed_utc))
    lab.now_utc += timedelta(minutes=30)
    run = lab.step_when_due(run.id)
    assert run.deletion_due_utc == run.next_step_utc == to_utc_text(completed_utc + timedelta(hours=12))
    assert load_run_detail(lab.store, run.id).sections


def test_a_run_without_delete_data_has_no_deadline(lab: Lab) -> None:
    run = lab.run_to_complete()
    assert (run.deletion_due_utc, run.next_step_utc) == (None, None)


def test_purging_is_off_unless_it_was_chosen(lab: Lab) -> None:
    assert not load_purge_setting(lab.store)
    save_purge_setting(lab.store, True)
    assert load_purge_setting(lab.store)
    save_purge_setting(lab.store, False)
    assert not load_purge_setting(lab.store)


def test_at_the_deadline_the_deletion_at_thymia_is_noted_and_everything_here_is_kept(lab: Lab) -> None:
    run = lab.run_to_complete(delete_data=True)
    lab.thymia.runs.clear()
    run = lab.step_when_due(run.id)
    assert run.deleted_at_thymia_utc == to_utc_text(lab.now_utc)
    assert (run.state, run.purged_utc, run.next_step_utc) == (RunState.COMPLETE_OK, None, None)
    assert load_run_detail(lab.store, run.id).sections
    assert is_file_there(lab, run.id)


def test_at_the_deadline_everything_here_goes_too_if_the_workspace_says_so(lab: Lab) -> None:
    save_purge_setting(lab.store, True)
    run = lab.run_to_complete(delete_data=True)
    lab.thymia.runs.clear()
    run = lab.step_when_due(run.id)
    detail = load_run_detail(lab.store, run.id)
    assert run.purged_utc is not None
    assert run.deleted_at_thymia_utc is not None
    assert (detail.sections, detail.answers) == ((), ())
    assert not is_file_there(lab, run.id)
    assert run.next_step_utc is None
    with pytest.raises(RunPurgedError):
        request_refetch(lab.store, run.id)


def test_with_recordings_only_the_file_goes_and_the_results_stay(lab: Lab) -> None:
    save_purge_setting(lab.store, True)
    run = lab.run_to_complete(delete_data=True, data_to_delete=["RECORDINGS"])
    run = lab.step_when_due(run.id)
    assert run.purged_utc is not None
    assert load_run_detail(lab.store, run.id).sections
    assert not is_file_there(lab, run.id)
    assert run.next_step_utc is None


def test_when_thymia_is_late_the_local_copy_goes_on_time_and_does_not_come_back(lab: Lab) -> None:
    save_purge_setting(lab.store, True)
    run = lab.run_to_complete(delete_data=True)
    run = lab.step_when_due(run.id)
    assert (run.purged_utc is not None, run.deleted_at_thymia_utc) == (True, None)
    assert load_run_detail(lab.store, run.id).sections == ()
    assert 0 < lab.wait_s(run.id) <= 300
    run = lab.step_when_due(run.id)
    assert load_run_detail(lab.store, run.id).answers == ()
    lab.thymia.runs.clear()
    run = lab.step_when_due(run.id)
    assert run.deleted_at_thymia_utc is not None


def test_the_local_copy_goes_on_time_even_while_thymia_cannot_be_reached(lab: Lab) -> None:
    save_purge_setting(lab.store, True)
    run = lab.run_to_complete(delete_data=True)
    lab.thymia.trouble["get"].append(ConnectionError("no network"))
    with pytest.raises(ConnectionError):
        lab.step_when_due(run.id)
    assert lab.load(run.id).purged_utc is not None


def test_a_404_before_the_deadline_deletes_nothing_here(lab: Lab) -> None:
    save_purge_setting(lab.store, True)
    run = lab.run_to_complete(delete_data=True)
    known = dict(lab.thymia.runs)
    lab.thymia.runs.clear()
    request_refetch(lab.store, run.id)
    run = lab.step(run.id)
    assert (run.purged_utc, run.deleted_at_thymia_utc is not None) == (None, True)
    assert run.next_step_utc == run.deletion_due_utc
    lab.thymia.runs |= known
    request_refetch(lab.store, run.id)
    assert lab.step(run.id).deleted_at_thymia_utc is None


def test_a_recording_that_another_run_was_told_to_keep_stays(lab: Lab) -> None:
    save_purge_setting(lab.store, True)
    kept = lab.run_to_complete()
    run = lab.run_to_complete(delete_data=True, recording_id=kept.recording_id)
    lab.thymia.runs.clear()
    run = lab.step_when_due(run.id)
    assert run.purged_utc is not None
    assert is_file_there(lab, kept.id)


def test_failed_attempts_at_the_same_recording_do_not_keep_it(lab: Lab) -> None:
    save_purge_setting(lab.store, True)
    failed = lab.run_to_running(delete_data=True)
    lab.thymia.runs.clear()
    for _ in range(3):
        failed = lab.step_when_due(failed.id)
    assert failed.state == RunState.FAILED
    again_id = repeat_run(lab.store, failed.id, submission_key="again")
    again = lab.step(again_id)
    lab.thymia.complete(again.thymia_id)
    lab.step_when_due(again_id)
    lab.thymia.runs.clear()
    lab.now_utc += timedelta(hours=13)
    lab.step(again_id)
    assert not is_file_there(lab, again_id)
    assert lab.load(failed.id).purged_utc is not None
