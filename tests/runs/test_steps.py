"""What becomes of a run on its way, for everything that thymia and the network may answer to its creation."""

from __future__ import annotations

from datetime import datetime

import httpx
import pytest

from heliograph.store import RunState, delete_run, load_run_detail, load_runs
from tests.runs.lab import Lab
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
