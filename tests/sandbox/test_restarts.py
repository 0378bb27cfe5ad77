"""What survives the end of the process, two processes on one state, and throughput."""

import concurrent.futures
import sqlite3
import time

import httpx
import pytest

from tests.sandbox.recordings import encode, make_speech
from tests.sandbox.servers import BODY, RUNS, SandboxProcess, wait_for
from thymia_api.sandbox import SandboxSettings, StateError, create_app


def test_a_run_that_was_running_is_finished_after_a_restart(tmp_path):
    """Killed while recordings wait and are processed: every one is executed to its end, exactly once."""
    content = encode(make_speech(60))
    first = SandboxProcess("--state", str(tmp_path), "--processing-seconds", "0.2")
    created = [first.create() for _ in range(4)]
    for _, url in created:
        assert httpx.put(url, content=content).status_code == 200
    time.sleep(0.2)
    statuses = {first.client.get(f"{RUNS}/{run_id}").json()["status"] for run_id, _ in created}
    first.kill()
    assert "RUNNING" in statuses
    with SandboxProcess("--state", str(tmp_path), "--processing-seconds", "0.2") as second:
        for run_id, _ in created:
            assert second.wait(run_id)["status"] == "COMPLETE_OK"
        runs = second.inspect()
        assert [run["nExecutions"] for run in runs.values()] == [1] * 4


def test_runs_upload_urls_and_results_survive_a_restart(tmp_path):
    """Results are the same, a URL signed before can be used, the clock goes on."""
    content = encode(make_speech(16))
    with SandboxProcess("--state", str(tmp_path), "--processing-seconds", "0", "--clock-rate", "10") as first:
        (done_id, done_url), (open_id, open_url) = first.create(), first.create()
        httpx.put(done_url, content=content)
        done = first.wait(done_id)
    with SandboxProcess("--state", str(tmp_path), "--processing-seconds", "0") as second:
        assert second.client.get(f"{RUNS}/{done_id}").json() == done
        moved = open_url.replace(first.url, second.url)
        assert httpx.put(moved, content=content).status_code == 200
        run = second.wait(open_id)
        assert run["status"] == "COMPLETE_OK"
        assert run["runAt"] > done["completedAt"]


def test_two_processes_share_one_state(tmp_path):
    """Runs created in both, uploaded through the other, executed once each; when one dies the other goes on."""
    options = ("--state", str(tmp_path), "--processing-seconds", "0")
    content = encode(make_speech(12))
    first, second = SandboxProcess(*options), SandboxProcess(*options)
    try:
        created = [server.create() for _ in range(4) for server in (first, second)]
        crossed = [
            url.replace(first.url, "@").replace(second.url, first.url).replace("@", second.url)
            for _, url in created
        ]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            assert set(pool.map(lambda url: httpx.put(url, content=content).status_code, crossed)) == {200}
        for run_id, _ in created:
            assert second.wait(run_id)["errorCode"] == "ERR_RECORDING_TOO_SHORT"
        assert {run["nExecutions"] for run in second.inspect().values()} == {1}
        first.kill()
        run_id, url = second.create()
        httpx.put(url, content=content)
        assert second.wait(run_id)["status"] == "COMPLETE_ERROR"
    finally:
        first.kill()
        second.kill()
    database = sqlite3.connect(tmp_path / "sandbox.db")
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def test_two_processes_do_not_execute_one_run_twice(make_client, tmp_path):
    """While one holds the state's lock the other only waits, until it is let go."""
    first = make_client(state_dir=tmp_path, inspect=True)
    second = make_client(state_dir=tmp_path)
    for number in range(6):
        client = (first, second)[number % 2]
        created = client.post(RUNS, json=BODY).json()
        client.put(created["recordingUploadUrl"], content=b"no recording")
        wait_for(client, created["id"])
    assert [run["nExecutionsStarted"] for run in first.get("/_sandbox/runs").json()["runs"]] == [1] * 6
    first.app.state.sandbox.execution.close()
    created = second.post(RUNS, json=BODY).json()
    second.put(created["recordingUploadUrl"], content=b"no recording")
    assert wait_for(second, created["id"])["status"] == "COMPLETE_ERROR"


def test_without_a_state_folder_nothing_is_left_behind(make_client):
    """The temporary folder goes with the sandbox."""
    sandbox = make_client().app.state.sandbox
    assert sandbox.state.folder.exists()
    sandbox.close()
    assert not sandbox.state.folder.exists()


def test_a_state_of_a_newer_version_is_refused(tmp_path):
    """With one line that says why, and the file untouched."""
    database = sqlite3.connect(tmp_path / "sandbox.db")
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(StateError, match="newer version"):
        create_app(SandboxSettings(api_key="k", state_dir=tmp_path))


def test_many_recordings_at_once_all_end_well_and_answers_keep_coming():
    """Handed in together, each is executed once; meanwhile every question is answered."""
    contents = [encode(make_speech(16 + n / 100), "flac") for n in range(12)]
    with SandboxProcess("--processing-seconds", "0") as sandbox:
        created = [sandbox.create() for _ in contents]
        for (_, url), content in zip(created, contents, strict=True):
            assert sandbox.client.put(url, content=content).status_code == 200
        for run_id, _ in created:
            assert sandbox.client.get(f"{RUNS}/{run_id}").status_code == 200
        for run_id, _ in created:
            assert sandbox.wait(run_id, timeout_s=90)["status"] == "COMPLETE_OK"
