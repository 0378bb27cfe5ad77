"""Floods and wrong clocks: every kind of run gets its turn, and no plan of a clock that was ahead holds."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, datetime, timedelta

import httpx

from heliograph.runs import Worker
from heliograph.runs.agenda import DUE, PLANNED, TOO_LATE, load_due, pull_in
from heliograph.runs.schedule import format_later
from heliograph.store import NewRun, RunKind, RunState, Store, add_run, advance_run, load_run, to_utc_text
from tests.runs.lab import Lab
from tests.runs.test_worker import QUICK, until


def queue(lab: Lab, count: int) -> list[int]:
    """Many runs of one recording, straight into the store."""
    recording = lab.make_recording(1)
    common = {
        "kind": RunKind.UPLOAD,
        "participant_id": lab.participant_id,
        "recording_id": recording.id,
        "date_of_birth": "1990-01-01",
        "birth_sex": "FEMALE",
        "language": "en-GB",
        "next_step_utc": "2020-01-01T00:00:00.000Z",
    }
    return [add_run(lab.store, NewRun(submission_key=f"flood-{n}", **common)) for n in range(count)]


def test_a_flood_of_queued_runs_whose_uploads_hang_does_not_keep_a_running_one_from_being_polled(lab: Lab) -> None:
    running = lab.run_to_running()
    lab.thymia.complete(running.thymia_id)
    queue(lab, 300)
    hanging = asyncio.Event()
    answer = lab.thymia.handle

    async def hang_on_uploads(request: httpx.Request) -> httpx.Response:
        if request.url.host == "storage.test":
            await hanging.wait()
        return await answer(request)

    lab.thymia.handle = hang_on_uploads  # type: ignore[method-assign]

    async def main() -> None:
        stop = asyncio.Event()
        worker = asyncio.create_task(
            Worker(lab.store, make_client=lab.thymia.make_client, options=QUICK).run(stop)
        )
        await until(lambda: lab.load(running.id).state == RunState.COMPLETE_OK, 5)
        stop.set()
        await asyncio.wait_for(worker, 5)

    asyncio.run(main())


def test_requests_that_trickle_on_without_end_give_their_place_back(lab: Lab) -> None:
    number = lab.submit()
    lab.options = dataclasses.replace(lab.options, answer_limit_s=0.05, upload_limit_s=0.05)
    answer = lab.thymia.handle
    slow = {"create"}

    async def trickle(request: httpx.Request) -> httpx.Response:
        if lab.thymia._name(request) in slow:
            await asyncio.sleep(30)
        return await answer(request)

    lab.thymia.handle = trickle  # type: ignore[method-assign]
    run = lab.step(number)
    assert (run.state, run.attempts, run.last_problem) == (RunState.QUEUED, 1, "no answer in time")
    slow = {"upload"}
    run = lab.step_when_due(number)
    assert (run.state, run.attempts) == (RunState.UPLOADING, 1)
    slow = set()
    while run.state == RunState.UPLOADING:
        run = lab.step_when_due(number)
    assert run.state == RunState.RUNNING


def test_each_kind_of_due_run_is_found_by_itself_longest_due_first(lab: Lab) -> None:
    flood = queue(lab, 5)
    running = lab.run_to_running()
    later_utc = format_later(lab.now_utc, 60)
    assert load_due(lab.store, later_utc, 3, transfers=True) == flood[:3]
    assert load_due(lab.store, later_utc, 3, transfers=False) == [running.id]
    assert load_due(lab.store, "2019-01-01T00:00:00.000Z", 3, transfers=True) == []


def test_plans_are_looked_for_through_the_index_of_planned_steps(store: Store) -> None:
    with store.read() as db:
        for sql, values in [(DUE[True], ("z", 1)), (DUE[False], ("z", 1)), (TOO_LATE, ("z",)), (PLANNED, ("z",))]:
            plan = " ".join(row[3] for row in db.conn.execute(f"EXPLAIN QUERY PLAN {sql}", values))
            assert "INDEX runs_due" in plan
            assert "TEMP B-TREE" not in plan


def test_a_run_that_was_planned_by_a_clock_years_ahead_is_due_again_after_a_restart(lab: Lab) -> None:
    run = lab.run_to_running()
    lab.move(run.id, RunState.RUNNING, next_step_utc=format_later(lab.now_utc, 4 * 365 * 86_400))
    now_utc = to_utc_text(lab.now_utc)
    assert pull_in(lab.store, now_utc) == 1
    assert lab.load(run.id).next_step_utc == now_utc
    assert pull_in(lab.store, now_utc) == 0


def test_ordinary_plans_and_deletion_deadlines_stay_as_they_are(lab: Lab) -> None:
    waiting = lab.run_to_running()
    complete = lab.run_to_complete(delete_data=True)
    due_utc = format_later(lab.now_utc, 100 * 86_400)
    lab.move(complete.id, RunState.COMPLETE_OK, next_step_utc=due_utc, deletion_due_utc=due_utc)
    assert pull_in(lab.store, to_utc_text(lab.now_utc)) == 0
    assert pull_in(lab.store, to_utc_text(lab.now_utc - timedelta(hours=2)), clock_went_back=True) == 1
    assert lab.load(waiting.id).next_step_utc == to_utc_text(lab.now_utc - timedelta(hours=2))
    assert lab.load(complete.id).next_step_utc == due_utc


def test_a_worker_whose_clock_is_put_back_by_hours_goes_on_polling(lab: Lab) -> None:
    run = lab.run_to_running()
    ahead = timedelta(hours=3)

    def now_utc() -> datetime:
        return datetime.now(UTC) + ahead

    async def main() -> None:
        nonlocal ahead
        advance_run(
            lab.store,
            run.id,
            expect={RunState.RUNNING},
            state=RunState.RUNNING,
            changes={"next_step_utc": format_later(now_utc(), 3600)},
        )
        stop = asyncio.Event()
        options = dataclasses.replace(QUICK, now_utc=now_utc)
        worker = asyncio.create_task(
            Worker(lab.store, make_client=lab.thymia.make_client, options=options).run(stop)
        )
        await asyncio.sleep(0.3)
        assert load_run(lab.store, run.id).state == RunState.RUNNING
        lab.thymia.complete(run.thymia_id)
        ahead = timedelta(0)
        await until(lambda: lab.load(run.id).state == RunState.COMPLETE_OK, 5)
        stop.set()
        await asyncio.wait_for(worker, 5)

    asyncio.run(main())


def test_after_a_lost_upload_the_clock_put_back_does_not_stretch_the_settling(lab: Lab) -> None:
    number = lab.submit()
    lab.thymia.trouble["upload"].append(httpx.ReadError("lost"))
    lab.step(number)
    run = lab.step_when_due(number)
    assert run.state == RunState.UPLOADING
    lab.now_utc -= timedelta(hours=5)
    lab.move(number, RunState.UPLOADING, next_step_utc=to_utc_text(lab.now_utc))
    lab.step(number)
    assert lab.wait_s(number) <= lab.options.settle_s
