"""What becomes of a run that thymia has: statuses, results, answers that cannot be used, and fetching again."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from heliograph.runs import request_refetch
from heliograph.store import RunState, load_run_detail
from tests.runs.lab import Lab


def test_an_unknown_status_is_kept_word_for_word_and_polled_slowly(lab: Lab) -> None:
    run = lab.run_to_running()
    lab.thymia.set_run(run.thymia_id, "PAUSED_FOR_REVIEW")
    run = lab.step_when_due(run.id)
    assert (run.state, run.thymia_status) == (RunState.RUNNING, "PAUSED_FOR_REVIEW")
    assert lab.wait_s(run.id) >= 60
    lab.thymia.complete(run.thymia_id)
    assert lab.step_when_due(run.id).state == RunState.COMPLETE_OK


def test_a_run_that_ends_in_an_error_is_data_and_calls_for_attention(lab: Lab) -> None:
    run = lab.run_to_running()
    lab.thymia.set_run(run.thymia_id, "COMPLETE_ERROR", errorCode="ERR_NEW_CODE", errorReason="too quiet")
    run = lab.step_when_due(run.id)
    assert (run.state, run.failure) == (RunState.COMPLETE_ERROR, None)
    assert (run.error_code, run.error_reason, run.needs_attention) == ("ERR_NEW_CODE", "too quiet", True)


def test_warnings_and_times_of_thymia_are_kept(lab: Lab) -> None:
    run = lab.run_to_running()
    created, begun, completed = (
        f"{lab.now_utc + timedelta(seconds=later):%Y-%m-%dT%H:%M:%S}" for later in (0, 5, 9)
    )
    times = {"createdAt": f"{created}Z", "runAt": f"{begun}+00:00", "completedAt": completed}
    lab.thymia.complete(run.thymia_id, warnings=["LOW_SNR"], **times)
    run = lab.step_when_due(run.id)
    assert run.warnings == ("LOW_SNR",)
    assert run.created_utc == f"{created}.000Z"
    assert run.run_utc == f"{begun}.000Z"
    assert run.completed_utc == f"{completed}.000Z"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text='{"id": "x", "sta'),
        httpx.Response(200, json={"id": "00000000-0000-4000-8000-000000000000", "status": "COMPLETE_OK"}),
        httpx.Response(502, text="<html>bad gateway</html>"),
    ],
)
def test_an_answer_that_cannot_be_used_changes_nothing_but_the_time_of_the_next_step(
    lab: Lab, answer: httpx.Response
) -> None:
    run = lab.run_to_running()
    lab.thymia.trouble["get"].append(answer)
    run = lab.step_when_due(run.id)
    assert (run.state, run.attempts) == (RunState.RUNNING, 1)
    lab.thymia.complete(run.thymia_id)
    assert lab.step_when_due(run.id).state == RunState.COMPLETE_OK


def test_a_complete_answer_without_results_is_asked_for_again(lab: Lab) -> None:
    run = lab.run_to_running()
    lab.thymia.set_run(run.thymia_id, "COMPLETE_OK", results=None)
    assert lab.step_when_due(run.id).state == RunState.RUNNING
    lab.thymia.complete(run.thymia_id)
    assert lab.step_when_due(run.id).state == RunState.COMPLETE_OK


def test_an_id_that_thymia_never_knew_fails_the_run_after_it_was_confirmed(lab: Lab) -> None:
    run = lab.run_to_running()
    lab.thymia.runs.clear()
    assert lab.step_when_due(run.id).state == RunState.RUNNING
    assert lab.step_when_due(run.id).state == RunState.RUNNING
    run = lab.step_when_due(run.id)
    assert (run.state, run.failure) == (RunState.FAILED, "unknown_at_thymia")


def test_a_run_that_thymia_had_and_deleted_before_its_results_came_is_told_apart(lab: Lab) -> None:
    run = lab.run_to_running(delete_data=True)
    run = lab.step_when_due(run.id)
    assert run.thymia_status == "RUNNING"
    lab.thymia.runs.clear()
    lab.now_utc += timedelta(hours=13)
    for _ in range(3):
        run = lab.step_when_due(run.id)
    assert (run.state, run.failure) == (RunState.FAILED, "deleted_before_fetch")


def test_a_passing_404_is_forgotten(lab: Lab) -> None:
    run = lab.run_to_running()
    for _ in range(5):
        lab.thymia.trouble["get"].append(httpx.Response(404))
        assert lab.step_when_due(run.id).state == RunState.RUNNING
        assert lab.step_when_due(run.id).state == RunState.RUNNING


def test_an_activity_waits_for_its_participant_over_days_and_then_goes_on(lab: Lab) -> None:
    run = lab.step(lab.submit_activity(activity_type="read"))
    assert run.state == RunState.WAITING
    assert run.activity_link == f"http://activity.test/{run.thymia_id}"
    assert lab.thymia.created[0]["activityType"] == "read"
    began_utc = lab.now_utc
    for days, wait_s in ((0, 9), (0.02, 30), (0.9, 120), (3, 600), (8, 1800), (30, 1800)):
        lab.now_utc = max(began_utc + timedelta(days=days), lab.now_utc + timedelta(seconds=lab.wait_s(run.id)))
        assert lab.step(run.id).state == RunState.WAITING
        assert lab.wait_s(run.id) == pytest.approx(wait_s, abs=0.01)
    lab.thymia.set_run(run.thymia_id, "RUNNING", runAt=lab.load(run.id).next_step_utc)
    run = lab.step_when_due(run.id)
    assert run.state == RunState.RUNNING
    assert lab.wait_s(run.id) == pytest.approx(3.0, abs=0.01)
    lab.thymia.complete(run.thymia_id)
    assert lab.step_when_due(run.id).state == RunState.COMPLETE_OK


def test_a_run_is_polled_every_three_seconds_at_first_and_then_more_slowly(lab: Lab) -> None:
    run = lab.run_to_running()
    assert lab.wait_s(run.id) == pytest.approx(3.0, abs=0.01)
    lab.step_when_due(run.id)
    assert lab.wait_s(run.id) == pytest.approx(3.0, abs=0.01)
    lab.now_utc += timedelta(minutes=5)
    lab.step(run.id)
    assert lab.wait_s(run.id) == pytest.approx(9.0, abs=0.01)


def test_a_recording_that_thymia_took_and_never_began_on_calls_for_attention(lab: Lab) -> None:
    lab.thymia.status_after_upload = "CREATED"
    run = lab.run_to_running()
    lab.now_utc += timedelta(hours=2)
    run = lab.step(run.id)
    assert (run.state, run.needs_attention) == (RunState.RUNNING, True)
    assert lab.thymia.requests.count("upload") == 1


def test_a_refetch_renews_columns_and_results(lab: Lab) -> None:
    run = lab.run_to_complete(value=0.25)
    lab.thymia.complete(run.thymia_id, 0.75, warnings=["LATE"])
    request_refetch(lab.store, run.id)
    run = lab.step(run.id)
    detail = load_run_detail(lab.store, run.id)
    assert (run.state, run.warnings, run.next_step_utc) == (RunState.COMPLETE_OK, ("LATE",), None)
    assert detail.sections[0].mental_strain == 0.75
    assert len(detail.answers) == 3
    request_refetch(lab.store, run.id)
    lab.step(run.id)
    assert len(load_run_detail(lab.store, run.id).answers) == 3


def test_a_refetch_brings_a_failed_run_back_when_thymia_has_it_after_all(lab: Lab) -> None:
    run = lab.run_to_running()
    known = dict(lab.thymia.runs)
    lab.thymia.runs.clear()
    for _ in range(3):
        lab.step_when_due(run.id)
    assert lab.load(run.id).failure == "unknown_at_thymia"
    lab.thymia.runs |= known
    lab.thymia.complete(run.thymia_id)
    request_refetch(lab.store, run.id)
    run = lab.step(run.id)
    assert (run.state, run.failure) == (RunState.COMPLETE_OK, None)


def test_a_refetch_that_finds_nothing_keeps_the_results(lab: Lab) -> None:
    run = lab.run_to_complete()
    lab.thymia.runs.clear()
    request_refetch(lab.store, run.id)
    run = lab.step(run.id)
    assert (run.state, run.deleted_at_thymia_utc) == (RunState.COMPLETE_OK, None)
    assert run.last_problem
    assert load_run_detail(lab.store, run.id).sections
