"""kill -9 at any instant: no recording lost, no run lost, none submitted twice, none stuck."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from heliograph.runs import UploadSubmission, save_purge_setting, submit_upload
from heliograph.runs.steps import POINTS
from heliograph.store import (
    FINAL_STATES,
    OPEN_STATES,
    Recording,
    RecordingFacts,
    RecordingSource,
    RunFilter,
    RunState,
    Store,
    adopt_orphans,
    advance_run,
    load_recording,
    load_run,
    load_run_by_key,
    load_runs,
    load_worker,
    recording_path,
    save_recording,
)
from tests.runs.conftest import KEY, ROOT, make_wav
from thymia_api import ThymiaClient, UploadRunCreate

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")

PAST = "2020-01-01T00:00:00.000Z"
NAMED_ROUNDS = 3
RANDOM_KILLS = 130
LIFE_S = 3.0
RARE = ("store-failed", "store-replaced", "store-purged", "lock", "account")


class Nursery:
    """Children that work on a store until they are killed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("nursery.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def start(self, **command: Any) -> int:
        """Fork a child for a command and return its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._process.stdin.flush()
        return int(self._read()["pid"])

    def wait(self, pid: int, seconds: float) -> int:
        """Give the child some seconds, then kill it; returns its exit code, -9 for a kill."""
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], seconds)[0]:
            with contextlib.suppress(ProcessLookupError):  # It may end in this very moment.
                os.kill(pid, signal.SIGKILL)
        return int(self._read()["status"])

    def close(self) -> None:
        """End the nursery."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        assert self._process.wait(10) == 0
        self._process.stdout.close()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        # Unbuffered reads: select() must see what has not been read yet.
        line = b""
        while not line.endswith(b"\n"):
            byte = os.read(self._process.stdout.fileno(), 1)
            assert byte, "the nursery has died"
            line += byte
        return dict(json.loads(line))


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    opened = Nursery()
    yield opened
    opened.close()


class Seeder:
    """Puts runs of every kind into the store: fresh ones, and ones that stand before a rarer step."""

    def __init__(
        self, store: Store, participant_id: int, make_recording: Callable[[int], Recording], url: str
    ) -> None:
        self._store = store
        self._participant_id = participant_id
        self._make_recording = make_recording
        self._url = url
        self._numbers = itertools.count()
        self.submitted: dict[int, str] = {}
        self.kept: dict[str, bytes] = {}

    def submit(self, *, delete_data: bool = False) -> int:
        number = next(self._numbers)
        recording = self._make_recording(number)
        run_id = submit_upload(
            self._store,
            UploadSubmission(
                submission_key=f"key-{number}",
                participant_id=self._participant_id,
                recording_id=recording.id,
                delete_data=delete_data,
            ),
        )
        self.submitted[run_id] = recording.id
        if not delete_data:
            self.kept[recording.id] = make_wav(number)
        return run_id

    def seed_for(self, point: str) -> int:
        """A run that will come by this point."""
        run_id = self.submit(delete_data=point.startswith("store-purged"))
        if point.startswith("store-replaced"):
            self._move(run_id, RunState.UPLOADING, **self._create_at_thymia(), upload_url_expires_utc=PAST)
        elif point.startswith("store-failed"):
            self._move(run_id, RunState.RUNNING, thymia_id=f"00000000-0000-4000-8000-{run_id:012}")
            del self.submitted[run_id]
        elif point.startswith("store-purged"):
            del self.submitted[run_id]
            self._move(run_id, RunState.COMPLETE_OK, **self._create_at_thymia(), deletion_due_utc=PAST)
        return run_id

    def _create_at_thymia(self) -> dict[str, object]:
        user = {"user_label": "P-001", "date_of_birth": "1990-01-01", "birth_sex": "FEMALE"}
        with ThymiaClient(KEY, base_url=self._url) as client:
            for _ in range(20):
                try:
                    created = client.create_upload_run(UploadRunCreate(user=user, language="en-GB"))
                except Exception:  # noqa: BLE001  # the sandbox's faults; an unused run more is no harm
                    continue
                return {"thymia_id": created.id, "upload_url": created.recording_upload_url}
        raise AssertionError("the sandbox created no run in 20 attempts")

    def _move(self, run_id: int, state: RunState, **changes: object) -> None:
        assert advance_run(self._store, run_id, expect={RunState.QUEUED}, state=state, changes=changes)


def test_two_hundred_kills_lose_nothing_and_submit_nothing_twice(
    store: Store,
    participant_id: int,
    make_recording: Callable[[int], Recording],
    start_sandbox: Callable[..., str],
    nursery: Nursery,
) -> None:
    """A real worker dies at every named point of a run's life and at random moments, under every network fault."""
    url = start_sandbox("--fault-rate", "0.2", "--processing-seconds", "0.05", "--slow-seconds", "0.3")
    save_purge_setting(store, True)
    seeder = Seeder(store, participant_id, make_recording, url)
    source = random.Random(20261122)
    command = {"task": "work", "folder": str(store.folder), "key": KEY, "url": url}
    kills, died_at = 0, Counter[str]()

    def kill_at(point: str) -> None:
        nonlocal kills
        seeder.seed_for(point)
        count = 1 if point.startswith(RARE) else source.choice((1, 1, 2))
        started_s = time.monotonic()
        pid = nursery.start(**command, point=point, count=count, seed=kills)
        assert nursery.wait(pid, LIFE_S) == -signal.SIGKILL
        kills += 1
        died_at[point] += time.monotonic() - started_s < LIFE_S

    def kill_within(seconds: float) -> None:
        nonlocal kills
        pid = nursery.start(**command, seed=kills)
        assert nursery.wait(pid, source.uniform(0.0, seconds)) == -signal.SIGKILL
        kills += 1

    points = [*POINTS, "lock:after", "account:before", "account:after"]
    for _ in range(NAMED_ROUNDS):
        for point in points:
            kill_at(point)
    for number in range(RANDOM_KILLS):
        if number % 2:
            seeder.submit()
        kill_within(0.35)
    for point in points:  # on a busy machine a child may not have come that far
        for _ in range(5):
            if not died_at[point]:
                kill_at(point)

    pid = nursery.start(**command)
    deadline_s = time.monotonic() + 60
    while load_runs(store, RunFilter(states=OPEN_STATES)) and time.monotonic() < deadline_s:
        time.sleep(0.1)
    nursery.wait(pid, 0)

    stuck = load_runs(store, RunFilter(states=OPEN_STATES))
    assert stuck == []
    assert kills >= 200
    missed = [point for point in points if not died_at[point]]
    assert not missed, f"nobody died at {missed}"
    check_recordings(store, seeder.kept)
    check_executions(store, url, seeder.submitted)


def check_recordings(store: Store, kept: dict[str, bytes]) -> None:
    """Every recording is there, bit for bit, and nothing half-written lies about after the repair."""
    adopt_orphans(store)
    for recording_id, content in kept.items():
        path = recording_path(store, load_recording(store, recording_id))
        assert path.read_bytes() == content
        assert hashlib.sha256(content).hexdigest() == recording_id


def check_executions(store: Store, url: str, submitted: dict[int, str]) -> None:
    """For every submitted run, and those that replaced it, the service executed its recording exactly once."""
    inspected = httpx.get(f"{url}/_sandbox/runs", headers={"x-api-key": KEY}, timeout=30).json()["runs"]
    executed = Counter[str]()
    for run in inspected:
        assert run["nUploads"] <= 1
        assert run["nExecutions"] <= 1
        if run["nExecutions"]:
            executed[run["recordingSha256"]] += 1
    assert executed == Counter(submitted.values())
    at_thymia = {run["id"]: run for run in inspected}
    for run_id in submitted:
        last = load_run(store, run_id)
        while last.failure == "upload_url_expired":
            replacement = load_run_by_key(store, f"instead-of-{last.id}")
            assert replacement is not None
            assert replacement.repeats_run_id == last.id
            last = replacement
        assert last.state in FINAL_STATES
        assert last.state == RunState.COMPLETE_ERROR, (last.state, last.failure, last.last_problem)
        assert at_thymia[last.thymia_id or ""]["nExecutions"] == 1


def test_a_submission_that_is_killed_is_made_exactly_once_when_it_is_made_again(
    store: Store, participant_id: int, tmp_path: Path, nursery: Nursery
) -> None:
    """The browser's retry has the same key: whatever the first attempt got done, there is one run in the end."""
    source = random.Random(7)
    kills = 0
    for number in range(30):
        file = tmp_path / f"take-{number}.wav"
        file.write_bytes(make_wav(number, seconds=20))
        command = {
            "task": "submit",
            "folder": str(store.folder),
            "file": str(file),
            "submission_key": f"take-{number}",
            "participant_id": participant_id,
        }
        pid = nursery.start(**command)
        kills += nursery.wait(pid, source.uniform(0.0, 0.03)) == -signal.SIGKILL
        adopt_orphans(store)
        recording = save_recording(
            store, file, facts=RecordingFacts(media_type="audio/wav", source=RecordingSource.UPLOAD)
        )
        submission = UploadSubmission(
            submission_key=f"take-{number}", participant_id=participant_id, recording_id=recording.id
        )
        assert submit_upload(store, submission) == submit_upload(store, submission)
        assert recording_path(store, recording).read_bytes() == file.read_bytes()
    assert kills >= 10
    assert len(load_runs(store, limit=100)) == 30
    assert len(list(store.recordings_folder.glob("*.wav"))) == 30


def test_another_process_takes_over_within_seconds_of_a_kill(
    store: Store,
    participant_id: int,
    make_recording: Callable[[int], Recording],
    start_sandbox: Callable[..., str],
) -> None:
    """Of two processes one works; when it is killed the other goes on with its runs."""
    url = start_sandbox("--processing-seconds", "0.05")
    nurseries = [Nursery(), Nursery()]
    command = {"task": "work", "folder": str(store.folder), "key": KEY, "url": url}
    try:
        pids = [one.start(**command) for one in nurseries]
        first = wait_for(lambda: load_worker(store).pid)
        assert first in pids
        time.sleep(0.3)
        assert load_worker(store).pid == first
        other = pids[1 - pids.index(first)]
        os.kill(first, signal.SIGKILL)
        run_id = submit_upload(
            store,
            UploadSubmission(
                submission_key="after", participant_id=participant_id, recording_id=make_recording(1).id
            ),
        )
        assert wait_for(lambda: load_worker(store).pid == other)
        assert wait_for(lambda: load_run(store, run_id).state in FINAL_STATES)
        for one, pid in zip(nurseries, pids, strict=True):
            assert one.wait(pid, 0) == -signal.SIGKILL
    finally:
        for one in nurseries:
            one.close()


def wait_for(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
    """The condition's first truthy value."""
    deadline_s = time.monotonic() + seconds
    while time.monotonic() < deadline_s:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")
