"""How a recording gets to thymia once: what is stored before it, and what follows when its upload fails."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from heliograph.store import (
    RunState,
    load_recording,
    load_run_by_key,
    load_run_detail,
    load_runs,
    recording_path,
    to_utc_text,
)
from tests.runs.lab import Lab
from tests.runs.thymia_double import make_results

LOST = httpx.ReadError("lost")


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


def test_stored_problems_name_neither_key_nor_signature_nor_label(lab: Lab) -> None:
    lab.thymia.trouble["upload"].extend([LOST, httpx.Response(500, text="signature=s3cr3t P-001")])
    run = lab.step(lab.submit())
    for _ in range(3):
        assert "s3cr3t" not in (run.last_problem or "")
        assert "P-001" not in (run.last_problem or "")
        run = lab.step_when_due(run.id)
    assert run.state in (RunState.UPLOADING, RunState.RUNNING)
