"""What becomes of a run, for everything that thymia, its storage and the network may answer."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx
import pytest

from heliograph.runs import request_refetch
from heliograph.store import (
    RunState,
    delete_run,
    load_recording,
    load_run_by_key,
    load_run_detail,
    load_runs,
    recording_path,
    to_utc_text,
)
from tests.runs.lab import Lab
from tests.runs.thymia_double import make_results
from thymia_api import AuthenticationError

LOST = httpx.ReadError("lost")
UNSENT = httpx.ConnectError("refused")


def test_a_run_goes_from_queued_to_its_results_with_every_state_in_its_timeline(lab: Lab) -> None:
    run = lab.run_to_complete()
    detail = load_run_detail(lab.store, run.id)
    states = ["queued", "created", "uploading", "running", "complete_ok"]
    assert [event.state for event in detail.events] == states
    assert detail.sections[0].scores == dict.fromkeys(detail.sections[0].scores, 0.5)
    assert len(detail.sections[0].scores) == 11
    assert detail.sections[0].transcript == "said"
    assert [answer.operation for answer in detail.answers] == ["create", "get"]
    assert run.next_step_utc is None
    assert not run.needs_attention
    assert lab.thymia.requests == ["create", "upload", "get"]


def test_what_is_sent_is_what_was_submitted(lab: Lab) -> None:
    lab.step(
        lab.submit(
            asleep_local=datetime(2026, 11, 20, 23, 0),
            awake_local=datetime(2026, 11, 21, 7, 0),
            recorded_local=datetime(2026, 11, 21, 9, 30),
            tags={"arm": "A"},
            delete_data=True,
            data_to_delete=["RECORDINGS"],
        )
    )
    assert lab.thymia.created == [
        {
            "user": {"userLabel": "P-001", "dateOfBirth": "1990-01-01", "birthSex": "FEMALE"},
            "language": "en-GB",
            "sleepTime": "2026-11-20T23:00:00",
            "wakeTime": "2026-11-21T07:00:00",
            "recordingTime": "2026-11-21T09:30:00",
            "tags": [{"name": "arm", "value": "A"}],
            "deleteData": True,
            "dataToDelete": ["RECORDINGS"],
        }
    ]


def test_id_url_and_expiry_are_stored_before_the_upload_begins(lab: Lab) -> None:
    seen = []
    run_id = lab.submit()
    lab.thymia.trouble["upload"].append(lambda _: seen.append(lab.load(run_id)) or httpx.Response(500))
    lab.step(run_id)
    (run,) = seen
    assert run.state == RunState.UPLOADING
    assert run.thymia_id in lab.thymia.runs
    assert "signature" in (run.upload_url or "")
    assert run.upload_url_expires_utc == to_utc_text(lab.now_utc + timedelta(hours=1))
    assert lab.points.index("store-uploading:after") < lab.points.index("upload:before")


def test_the_whole_file_is_sent_once(lab: Lab) -> None:
    run = lab.run_to_running()
    content = recording_path(lab.store, load_recording(lab.store, run.recording_id or "")).read_bytes()
    assert lab.thymia.uploads[run.thymia_id or ""] == [content]


@pytest.mark.parametrize("trouble", [LOST, UNSENT, httpx.Response(503), httpx.Response(200, text='{"id"')])
def test_a_create_whose_answer_is_lost_is_repeated(lab: Lab, trouble: httpx.Response | Exception) -> None:
    lab.thymia.trouble["create"].append(trouble)
    run = lab.step(lab.submit())
    assert run.state == RunState.QUEUED
    assert run.attempts == 1
    assert run.last_problem
    assert 0 < lab.wait_s(run.id) <= 1.0
    run = lab.step_when_due(run.id)
    assert run.state == RunState.RUNNING
    assert run.attempts == 0
    assert run.last_problem is None


def test_an_upload_whose_answer_is_lost_is_asked_about_and_not_repeated(lab: Lab) -> None:
    lab.thymia.lose["upload"] = 1
    run = lab.step(lab.submit())
    assert run.state == RunState.UPLOADING
    run = lab.step_when_due(run.id)
    assert run.state == RunState.RUNNING
    assert lab.thymia.requests == ["create", "upload", "get"]


def test_an_upload_that_never_arrived_is_sent_again_once_thymia_has_said_so_for_a_while(lab: Lab) -> None:
    lab.thymia.trouble["upload"].append(LOST)
    run = lab.step(lab.submit())
    run = lab.step_when_due(run.id)
    assert run.state == RunState.UPLOADING
    assert lab.thymia.requests == ["create", "upload", "get"]
    assert lab.wait_s(run.id) == pytest.approx(5.0, abs=0.01)
    run = lab.step_when_due(run.id)
    assert run.state == RunState.RUNNING
    assert lab.thymia.requests == ["create", "upload", "get", "get", "upload"]


@pytest.mark.parametrize("status", ["RUNNING", "COMPLETE_OK", "COMPLETE_ERROR"])
def test_after_a_restart_in_uploading_nothing_is_sent_before_thymia_was_asked(lab: Lab, status: str) -> None:
    run = lab.step(lab.submit())
    lab.thymia.set_run(run.thymia_id, status, results=make_results())
    lab.move(run.id, RunState.UPLOADING, next_step_utc=to_utc_text(lab.now_utc))
    lab.restart()
    lab.thymia.requests.clear()
    assert lab.step(run.id).state == status.lower()
    assert lab.thymia.requests == ["get"]


def test_a_refused_upload_of_a_run_that_thymia_has_is_no_reason_for_another(lab: Lab) -> None:
    run_id = lab.submit()

    def take_and_refuse(request: httpx.Request) -> httpx.Response:
        lab.thymia.set_run(request.url.path[1:], "RUNNING")
        return httpx.Response(403)

    lab.thymia.trouble["upload"].append(take_and_refuse)
    assert lab.step(run_id).state == RunState.RUNNING
    assert len(load_runs(lab.store)) == 1


def test_a_refused_upload_url_leads_to_a_new_linked_run_for_the_same_recording(lab: Lab) -> None:
    lab.thymia.trouble["upload"].append(httpx.Response(403))
    old = lab.step(lab.submit(tags={"arm": "A"}))
    assert old.state == RunState.UPLOADING
    old = lab.step_when_due(old.id)
    assert (old.state, old.failure) == (RunState.FAILED, "upload_url_expired")
    assert not old.needs_attention
    new = load_run_by_key(lab.store, f"instead-of-{old.id}")
    assert new is not None
    assert (new.repeats_run_id, new.recording_id) == (old.id, old.recording_id)
    assert (new.session_local, load_run_detail(lab.store, new.id).tags) == (old.session_local, {"arm": "A"})
    assert lab.step(new.id).state == RunState.RUNNING


@pytest.mark.parametrize("state", [RunState.CREATED, RunState.UPLOADING])
def test_an_upload_url_that_expired_by_the_clock_is_not_tried(lab: Lab, state: RunState) -> None:
    lab.thymia.trouble["upload"].append(LOST)
    old = lab.step(lab.submit())
    lab.move(old.id, state)
    lab.now_utc += timedelta(hours=1)
    lab.restart()
    lab.step(old.id)
    if state == RunState.UPLOADING:
        lab.step_when_due(old.id)
    assert lab.load(old.id).failure == "upload_url_expired"
    assert lab.thymia.requests.count("upload") == 1
    assert load_run_by_key(lab.store, f"instead-of-{old.id}") is not None


def test_an_expired_url_of_a_run_that_thymia_has_is_no_reason_for_another(lab: Lab) -> None:
    lab.thymia.lose["upload"] = 1
    run = lab.step(lab.submit())
    lab.now_utc += timedelta(hours=2)
    assert lab.step(run.id).state == RunState.RUNNING
    assert len(load_runs(lab.store)) == 1


def test_a_storage_that_refuses_everything_is_not_fed_new_runs_without_end(lab: Lab) -> None:
    lab.thymia.trouble["upload"].extend(httpx.Response(403) for _ in range(50))
    run = lab.load(lab.submit())
    for _ in range(40):
        while run.next_step_utc is not None:
            run = lab.step_when_due(run.id)
        following = load_run_by_key(lab.store, f"instead-of-{run.id}")
        if following is None:
            break
        run = following
    assert (run.state, run.failure) == (RunState.FAILED, "upload_refused")
    assert run.needs_attention
    assert len(load_runs(lab.store)) == 6


def test_a_recording_that_is_gone_fails_the_run_without_a_request(lab: Lab) -> None:
    run_id = lab.submit()
    recording_path(lab.store, load_recording(lab.store, lab.load(run_id).recording_id or "")).unlink()
    run = lab.step(run_id)
    assert (run.state, run.failure, run.needs_attention) == (RunState.FAILED, "recording_missing", True)
    assert lab.thymia.requests == []


def test_a_rejected_run_says_which_fields_thymia_refused(lab: Lab) -> None:
    issues = [{"loc": ["body", "user", "dateOfBirth"], "msg": "in the future", "type": "value_error"}]
    lab.thymia.trouble["create"].append(httpx.Response(422, json={"detail": issues}))
    run = lab.step(lab.submit())
    assert (run.state, run.failure) == (RunState.FAILED, "rejected")
    assert run.failure_detail == "user.dateOfBirth: in the future"
    assert run.next_step_utc is None


def test_retry_after_is_obeyed_and_the_run_stays_where_it_was(lab: Lab) -> None:
    lab.thymia.trouble["create"].append(httpx.Response(429, headers={"Retry-After": "40"}))
    run = lab.step(lab.submit())
    assert run.state == RunState.QUEUED
    assert 40 <= lab.wait_s(run.id) <= 45


def test_trouble_in_a_row_makes_the_waits_longer_and_in_the_end_calls_for_attention(lab: Lab) -> None:
    lab.thymia.trouble["create"].extend(httpx.Response(500) for _ in range(8))
    run_id = lab.submit()
    waits = []
    for _ in range(8):
        assert not lab.load(run_id).needs_attention
        lab.step_when_due(run_id)
        waits.append(lab.wait_s(run_id))
    for number, wait_s in enumerate(waits):
        assert 2**number / 2 - 0.01 <= wait_s <= 2**number
    assert lab.load(run_id).needs_attention
    run = lab.step_when_due(run_id)
    assert run.state == RunState.RUNNING
    assert not run.needs_attention


def test_one_runs_trouble_does_not_hold_up_another(lab: Lab) -> None:
    first, second = lab.submit(), lab.submit()
    lab.thymia.trouble["create"].append(httpx.Response(429, headers={"Retry-After": "3600"}))
    assert lab.step(first).state == RunState.QUEUED
    assert lab.step(second).state == RunState.RUNNING


def test_thymia_counts_as_unreachable_after_three_problems_in_a_row_until_the_next_answer(lab: Lab) -> None:
    lab.thymia.trouble["create"].extend([LOST, httpx.Response(502), LOST])
    run_id = lab.submit()
    problems = []
    for _ in range(4):
        lab.step_when_due(run_id)
        problems.append(lab.health.problem)
    assert problems == [None, None, "the connection broke off", None]


def test_an_invalid_key_stops_everything_at_once(lab: Lab) -> None:
    first, second = lab.submit(), lab.submit()
    lab.thymia.trouble["create"].append(httpx.Response(401))
    with pytest.raises(AuthenticationError):
        lab.step(first)
    with pytest.raises(AuthenticationError):
        lab.step(second)
    assert lab.thymia.requests == ["create"]
    assert lab.load(first).state == RunState.QUEUED
    lab.restart()
    assert lab.step(first).state == RunState.RUNNING


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
    times = {
        "createdAt": "2026-11-22T10:00:00Z",
        "runAt": "2026-11-22T10:00:05+00:00",
        "completedAt": "2026-11-22T10:00:09",
    }
    lab.thymia.complete(run.thymia_id, warnings=["LOW_SNR"], **times)
    run = lab.step_when_due(run.id)
    assert run.warnings == ("LOW_SNR",)
    assert run.created_utc == "2026-11-22T10:00:00.000Z"
    assert run.run_utc == "2026-11-22T10:00:05.000Z"
    assert run.completed_utc == "2026-11-22T10:00:09.000Z"


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


def test_a_run_deleted_here_in_the_middle_of_a_step_is_left_alone(lab: Lab) -> None:
    run_id = lab.submit()

    def delete_meanwhile(_: httpx.Request) -> httpx.Response:
        delete_run(lab.store, run_id)
        return httpx.Response(503)

    lab.thymia.trouble["create"].append(delete_meanwhile)
    with pytest.raises(LookupError):
        lab.step(run_id)
    assert lab.thymia.requests == ["create"]
    assert load_runs(lab.store) == []


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


def test_stored_problems_name_neither_key_nor_signature_nor_label(lab: Lab) -> None:
    lab.thymia.trouble["upload"].extend([LOST, httpx.Response(500, text="signature=s3cr3t P-001")])
    run = lab.step(lab.submit())
    for _ in range(3):
        assert "s3cr3t" not in (run.last_problem or "")
        assert "P-001" not in (run.last_problem or "")
        run = lab.step_when_due(run.id)
    assert run.state in (RunState.UPLOADING, RunState.RUNNING)
