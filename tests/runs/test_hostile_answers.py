"""What no honest service answers: runs take no harm, no bug of ours comes to light, the key stays at home."""

from __future__ import annotations

import json
from datetime import timedelta

import httpx
import pytest

from heliograph.runs.observation import MAX_WARNINGS
from heliograph.runs.schedule import RETRY_AFTER_LIMIT_S
from heliograph.store import FailureReason, RunState, from_utc_text, load_run_detail
from tests.runs.lab import Lab
from tests.runs.thymia_double import make_results

ABSURD_TIMES = [
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "2016-12-31T23:59:60Z",
    "1969-01-01T00:00:00Z",
    1e30,
]


@pytest.mark.parametrize("moment", ABSURD_TIMES)
def test_an_absurd_time_of_completion_moves_no_deadline(lab: Lab, moment: object) -> None:
    run = lab.run_to_running(delete_data=True)
    lab.thymia.complete(run.thymia_id, completedAt=moment, createdAt=moment, runAt=moment)
    run = lab.step_when_due(run.id)
    assert (run.state, run.attempts) == (RunState.COMPLETE_OK, 0)
    assert run.deletion_due_utc is not None
    assert from_utc_text(run.deletion_due_utc) - lab.now_utc == pytest.approx(
        timedelta(hours=12), abs=timedelta(seconds=1)
    )


@pytest.mark.parametrize("moment", ABSURD_TIMES)
def test_a_run_with_absurd_times_is_still_asked_about(lab: Lab, moment: object) -> None:
    run = lab.run_to_running()
    lab.thymia.set_run(run.thymia_id, "RUNNING", createdAt=moment, runAt=moment)
    run = lab.step_when_due(run.id)
    assert (run.state, run.attempts) == (RunState.RUNNING, 0)
    assert 0 < lab.wait_s(run.id) <= 1800


def test_markup_control_characters_and_floods_of_warnings_are_kept_and_bounded(lab: Lab) -> None:
    run = lab.run_to_running()
    section = make_results()["sections"][0] | {"transcript": "\0<script>\u202e"}
    lab.thymia.set_run(
        run.thymia_id, "COMPLETE_OK", results={"sections": [section] * 50}, warnings=["<b>\0" * 200] * 5000
    )
    run = lab.step_when_due(run.id)
    assert run.state == RunState.COMPLETE_OK
    assert len(run.warnings or ()) == MAX_WARNINGS
    assert max(map(len, run.warnings or ())) <= 500
    detail = load_run_detail(lab.store, run.id)
    assert [section.transcript for section in detail.sections] == ["\0<script>\u202e"] * 50
    assert len(json.loads(detail.answers[-1].body)["warnings"]) == 5000


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_results_without_a_number_are_asked_for_again(lab: Lab, number: str) -> None:
    run = lab.run_to_running()
    section = f'{{"startSecs": {number}, "finishSecs": 1}}'
    body = f'{{"id": "{run.thymia_id}", "status": "COMPLETE_OK", "results": {{"sections": [{section}]}}}}'
    lab.thymia.trouble["get"].append(httpx.Response(200, content=body))
    run = lab.step_when_due(run.id)
    assert (run.state, run.attempts) == (RunState.RUNNING, 1)
    lab.thymia.complete(run.thymia_id)
    assert lab.step_when_due(run.id).state == RunState.COMPLETE_OK


@pytest.mark.parametrize(
    ("run_id", "url"),
    [
        ("../../account", "http://storage.test/a"),
        ("", "http://storage.test/a"),
        ("a", "file:///etc/passwd"),
        ("a", "http://storage.test:99999/"),
    ],
)
def test_a_recording_is_not_sent_for_a_run_that_could_not_be_found_again(lab: Lab, run_id: str, url: str) -> None:
    number = lab.submit()
    lab.thymia.trouble["create"].append(httpx.Response(200, json={"id": run_id, "recordingUploadUrl": url}))
    run = lab.step(number)
    assert (run.state, run.attempts, lab.thymia.requests) == (RunState.QUEUED, 1, ["create"])
    assert lab.step_when_due(number).state == RunState.RUNNING


def test_an_upload_url_on_the_apis_own_host_gets_no_key(lab: Lab) -> None:
    number = lab.submit()
    seen: list[httpx.Request] = []

    def note(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    url = "http://thymia.test/v1/account?signature=s3cr3t"
    lab.thymia.trouble["create"].append(httpx.Response(200, json={"id": "a", "recordingUploadUrl": url}))
    lab.thymia.trouble["account"].append(note)
    assert lab.step(number).state == RunState.RUNNING
    assert [(request.method, "x-api-key" in request.headers) for request in seen] == [("PUT", False)]


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,<script>", "http://x\n<b>", ""])
def test_an_activity_link_that_is_none_is_never_stored(lab: Lab, link: str) -> None:
    number = lab.submit_activity()
    lab.thymia.trouble["create"].append(httpx.Response(200, json={"id": "a", "activityLink": link}))
    run = lab.step(number)
    assert (run.state, run.activity_link) == (RunState.QUEUED, None)


@pytest.mark.parametrize("text", ["-1", "1e9", "999999999", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"])
def test_an_absurd_retry_after_never_puts_a_run_off_for_days(lab: Lab, text: str) -> None:
    number = lab.submit()
    lab.thymia.trouble["create"].append(httpx.Response(429, headers={"retry-after": text}))
    assert lab.step(number).attempts == 1
    assert 0 < lab.wait_s(number) <= RETRY_AFTER_LIMIT_S + 5


def test_of_a_refusal_with_thousands_of_issues_a_readable_part_is_kept(lab: Lab) -> None:
    number = lab.submit()
    issue = {"loc": ["body", "x" * 1000], "msg": "m" * 1000, "type": "t"}
    lab.thymia.trouble["create"].append(httpx.Response(422, json={"detail": [issue] * 2000}))
    run = lab.step(number)
    assert run.failure == FailureReason.REJECTED
    assert len(run.failure_detail or "") < 10_000
    assert "and 1980 more" in (run.failure_detail or "")
