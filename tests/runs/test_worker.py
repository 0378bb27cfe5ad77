"""The worker: one a workspace; starts at once, stops in time, pauses for good reasons, costs next to nothing."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from heliograph.runs import UploadSubmission, Worker, WorkerOptions, submit_upload
from heliograph.runs.lock import WorkerLock
from heliograph.store import (
    FINAL_STATES,
    OPEN_STATES,
    Recording,
    RunFilter,
    RunState,
    Store,
    WorkerState,
    load_run,
    load_runs,
    load_worker,
)
from tests.runs.conftest import KEY
from tests.runs.lab import Lab
from thymia_api import NO_RETRY, AsyncThymiaClient

QUICK = WorkerOptions(
    poll_s=0.02,
    tick_s=0.02,
    rest_s=0.02,
    settle_s=0.05,
    lock_retry_s=0.02,
    heartbeat_s=0.05,
    backoff_base_s=0.02,
    backoff_limit_s=0.1,
)


async def until(condition: Callable[[], Any], seconds: float = 15.0) -> None:
    """Wait for a condition, looked at in a thread as the store is."""
    deadline_s = time.monotonic() + seconds
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < deadline_s, "it did not happen in time"
        await asyncio.sleep(0.01)


def run_worker(
    store: Store,
    make_client: Callable[[], AsyncThymiaClient],
    condition: Callable[[], Any],
    options: WorkerOptions = QUICK,
) -> None:
    """Let a worker work until the condition holds, then stop it."""

    async def main() -> None:
        stop = asyncio.Event()
        worker = Worker(store, make_client=make_client, options=options)
        task = asyncio.create_task(worker.run(stop))
        try:
            await until(condition)
        finally:
            stop.set()
            await task

    asyncio.run(main())


def test_all_runs_come_to_their_end_against_the_sandbox_in_spite_of_its_faults(
    lab: Lab, start_sandbox: Callable[..., str]
) -> None:
    url = start_sandbox("--fault-rate", "0.2", "--processing-seconds", "0.05", "--slow-seconds", "0.3")
    runs = [lab.submit() for _ in range(20)]

    def make_client() -> AsyncThymiaClient:
        return AsyncThymiaClient(KEY, base_url=url, retry=NO_RETRY, timeout=2.0)

    run_worker(lab.store, make_client, lambda: not load_runs(lab.store, RunFilter(states=OPEN_STATES)))
    assert {load_run(lab.store, run_id).state for run_id in runs} == {RunState.COMPLETE_ERROR}


def test_it_tells_what_it_does_and_that_it_has_stopped(lab: Lab) -> None:
    run_worker(lab.store, lab.thymia.make_client, lambda: load_worker(lab.store).api_reached_utc)
    status = load_worker(lab.store)
    assert status.state == WorkerState.STOPPED
    assert status.pid is not None
    assert status.host
    assert WorkerLock(lab.store.folder).take()


def test_its_heart_beats_while_it_works(lab: Lab) -> None:
    beats: set[str | None] = set()

    def has_beaten() -> bool:
        beats.add(load_worker(lab.store).heartbeat_utc)
        return len(beats) > 3

    run_worker(lab.store, lab.thymia.make_client, has_beaten)


def test_an_invalid_key_pauses_it_after_one_request_and_frees_the_lock(lab: Lab) -> None:
    lab.submit()
    lab.thymia.trouble["account"].append(httpx.Response(401))
    lock = WorkerLock(lab.store.folder)
    run_worker(
        lab.store,
        lab.thymia.make_client,
        lambda: load_worker(lab.store).state == WorkerState.PAUSED and not time.sleep(0.3) and lock.take(),
    )
    assert lab.thymia.requests == ["account"]
    assert load_worker(lab.store).reason == "invalid_key"


def test_a_key_that_becomes_invalid_stops_all_requests_until_a_restart(lab: Lab) -> None:
    runs = [lab.submit() for _ in range(3)]
    lab.thymia.trouble["get"].append(httpx.Response(401))
    run_worker(lab.store, lab.thymia.make_client, lambda: load_worker(lab.store).state == WorkerState.PAUSED)
    sent = len(lab.thymia.requests)
    assert load_worker(lab.store).reason == "invalid_key"
    assert {load_run(lab.store, run_id).state for run_id in runs}.isdisjoint(FINAL_STATES)
    for run_id in lab.thymia.runs:
        lab.thymia.complete(run_id)
    assert len(lab.thymia.requests) == sent
    run_worker(
        lab.store,
        lab.thymia.make_client,
        lambda: all(load_run(lab.store, run_id).state == RunState.COMPLETE_OK for run_id in runs),
    )


@pytest.mark.parametrize("synthetic", [True, False])
def test_synthetic_and_real_scores_never_meet(tmp_path: Path, lab: Lab, synthetic: bool) -> None:
    lab.thymia.synthetic = not synthetic
    with Store.open(tmp_path / "other", workspace="w", synthetic=synthetic) as store:
        run_worker(store, lab.thymia.make_client, lambda: load_worker(store).state == WorkerState.PAUSED)
        assert load_worker(store).reason == "wrong_server"
    assert lab.thymia.requests == ["account"]


def test_an_unreachable_api_is_noted_and_the_note_goes_with_the_next_answer(lab: Lab) -> None:
    trouble = lab.thymia.trouble["account"]
    trouble.extend(httpx.ConnectError("no") for _ in range(3))
    notes: list[str | None] = []

    def is_over() -> bool:
        status = load_worker(lab.store)
        notes.append(status.api_problem)
        if status.api_problem is None and status.api_reached_utc is None:
            trouble.append(httpx.ConnectError("no"))
        else:
            trouble.clear()
        return status.api_reached_utc is not None

    run_worker(lab.store, lab.thymia.make_client, is_over)
    assert "the connection failed" in notes
    assert load_worker(lab.store).api_problem is None
    assert load_worker(lab.store).api_problem_since_utc is None


def test_never_two_steps_of_a_run_at_once_and_never_more_transfers_than_allowed(lab: Lab) -> None:
    under_way: Counter[str] = Counter()
    most = transfers = 0
    answer = lab.thymia.handle

    async def handle_slowly(request: httpx.Request) -> httpx.Response:
        nonlocal most, transfers
        name = request.url.path.rsplit("/", 1)[1]
        under_way[name] += 1
        is_transfer = request.method in ("POST", "PUT")
        transfers += is_transfer
        most = max(most, transfers)
        if name in lab.thymia.runs:
            assert under_way[name] == 1
        await asyncio.sleep(0.03)
        try:
            return await answer(request)
        finally:
            under_way[name] -= 1
            transfers -= is_transfer
            if lab.thymia.requests[-1] == "get":
                lab.thymia.complete(name)

    lab.thymia.handle = handle_slowly  # type: ignore[method-assign]
    runs = [lab.submit() for _ in range(20)]
    run_worker(
        lab.store,
        lab.thymia.make_client,
        lambda: all(load_run(lab.store, run_id).state in FINAL_STATES for run_id in runs),
        dataclasses.replace(QUICK, concurrency=4, tick_s=0.005),
    )
    assert most == 4
    assert [len(uploads) for uploads in lab.thymia.uploads.values()] == [1] * 20


def test_transfers_that_hang_do_not_keep_it_from_asking_about_other_runs(lab: Lab) -> None:
    answer = lab.thymia.handle

    async def hang_on_upload(request: httpx.Request) -> httpx.Response:
        if request.url.host == "storage.test":
            await asyncio.sleep(60)
        return await answer(request)

    running = lab.run_to_running()
    lab.thymia.complete(running.thymia_id)
    hanging = [lab.submit() for _ in range(10)]
    for run_id in hanging:
        lab.move(run_id, RunState.QUEUED, next_step_utc="2020-01-01T00:00:00.000Z")
    lab.thymia.handle = hang_on_upload  # type: ignore[method-assign]
    run_worker(
        lab.store,
        lab.thymia.make_client,
        lambda: load_run(lab.store, running.id).state == RunState.COMPLETE_OK,
        dataclasses.replace(QUICK, concurrency=2),
    )
    assert len([run_id for run_id in hanging if load_run(lab.store, run_id).state == RunState.UPLOADING]) == 2


def test_it_wakes_at_once_when_called_from_another_thread(lab: Lab) -> None:
    async def main() -> float:
        stop = asyncio.Event()
        worker = Worker(
            lab.store,
            make_client=lab.thymia.make_client,
            options=dataclasses.replace(QUICK, tick_s=30.0, rest_s=30.0),
        )
        task = asyncio.create_task(worker.run(stop))
        await until(lambda: load_worker(lab.store).api_reached_utc)
        await asyncio.sleep(0.2)
        run_id = await asyncio.to_thread(lab.submit)
        began_s = time.monotonic()
        await asyncio.to_thread(worker.wake)
        await until(lambda: load_run(lab.store, run_id).state == RunState.RUNNING)
        waited_s = time.monotonic() - began_s
        stop.set()
        await task
        worker.wake()
        return waited_s

    assert asyncio.run(main()) < 5.0


def test_it_stops_within_five_seconds_in_the_middle_of_a_transfer(lab: Lab) -> None:
    answer = lab.thymia.handle
    is_uploading = False

    async def hang_on_upload(request: httpx.Request) -> httpx.Response:
        nonlocal is_uploading
        if request.url.host == "storage.test":
            is_uploading = True
            await asyncio.sleep(60)
        return await answer(request)

    lab.thymia.handle = hang_on_upload  # type: ignore[method-assign]
    run_id = lab.submit()
    stopped_s = 0.0

    def note_time() -> bool:
        nonlocal stopped_s
        stopped_s = time.monotonic()
        return is_uploading

    run_worker(lab.store, lab.thymia.make_client, note_time)
    assert time.monotonic() - stopped_s < 5.0
    assert load_run(lab.store, run_id).state == RunState.UPLOADING
    assert load_worker(lab.store).state == WorkerState.STOPPED
    assert WorkerLock(lab.store.folder).take()


def test_a_bug_in_one_run_is_logged_without_its_message_and_other_runs_go_on(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    lab.thymia.trouble["create"].append(KeyError("P-001 secret"))
    first, second = lab.submit(), lab.submit()
    with caplog.at_level(logging.DEBUG, logger="heliograph"):
        run_worker(
            lab.store,
            lab.thymia.make_client,
            lambda: {load_run(lab.store, one).state for one in (first, second)} == {RunState.RUNNING},
        )
    assert "KeyError" in caplog.text
    for secret in ("P-001", "secret", "s3cr3t", "key-"):
        assert secret not in caplog.text


def test_an_error_in_the_loop_itself_is_logged_and_the_loop_goes_on(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    clients = iter([RuntimeError("P-001 secret")])

    def make_client() -> AsyncThymiaClient:
        for error in clients:
            raise error
        return lab.thymia.make_client()

    run_id = lab.submit()
    run_worker(lab.store, make_client, lambda: load_run(lab.store, run_id).state == RunState.RUNNING)
    assert "RuntimeError" in caplog.text
    assert "P-001" not in caplog.text


def test_a_lock_that_cannot_be_taken_is_logged_once_and_tried_again(
    lab: Lab, caplog: pytest.LogCaptureFixture
) -> None:
    path = lab.store.folder / "worker.lock"
    path.mkdir()
    run_id = lab.submit()
    looks = 0

    def is_running() -> bool:
        nonlocal looks
        looks += 1
        if looks == 20:
            path.rmdir()
        return load_run(lab.store, run_id).state == RunState.RUNNING

    run_worker(lab.store, lab.thymia.make_client, is_running)
    assert caplog.text.count("lock cannot be taken") == 1


def test_a_second_worker_stands_by_and_takes_over(
    store: Store, lab: Lab, participant_id: int, make_recording: Callable[[int], Recording]
) -> None:
    async def main() -> None:
        stops = asyncio.Event(), asyncio.Event()
        workers = [Worker(store, make_client=lab.thymia.make_client, options=QUICK) for _ in stops]
        tasks = [asyncio.create_task(workers[0].run(stops[0]))]
        await until(lambda: load_worker(store).api_reached_utc)
        tasks.append(asyncio.create_task(workers[1].run(stops[1])))
        await asyncio.sleep(0.2)
        assert lab.thymia.requests == ["account"]
        stops[0].set()
        await tasks[0]
        run_id = submit_upload(
            store,
            UploadSubmission(
                submission_key="after", participant_id=participant_id, recording_id=make_recording(1).id
            ),
        )
        await until(lambda: load_run(store, run_id).state == RunState.RUNNING)
        stops[1].set()
        await tasks[1]

    asyncio.run(main())
    assert lab.thymia.requests.count("account") == 2
