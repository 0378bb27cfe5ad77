"""The one worker of a workspace: takes the lock, checks the account, and carries due runs on until it is stopped.

One asyncio task in the server's lifespan. A process that does not get the lock stands by and takes over when the
holder dies. A wrong key, or a server of the wrong kind (synthetic scores never meet real ones), pauses the worker:
it says so in the worker row, lets go of the lock and sends nothing more until the server is restarted.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import traceback
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from pathlib import PurePath

from heliograph import store as ground
from heliograph.runs.agenda import load_due, pull_in
from heliograph.runs.flags import keep_flags_fresh
from heliograph.runs.health import ApiHealth, describe_problem
from heliograph.runs.lock import WorkerLock
from heliograph.runs.options import WorkerOptions
from heliograph.runs.steps import RunSteps
from heliograph.runs.threads import run_in_thread
from heliograph.store import Store, StoreError, WorkerState, from_utc_text, to_utc_text
from thymia_api import (
    SANDBOX_FEATURE,
    Account,
    AsyncThymiaClient,
    AuthenticationError,
    RequestTimeoutError,
    StatusError,
    ThymiaError,
)

_log = logging.getLogger(__name__)

CLOCK_TOLERANCE_S = 5.0
"""A clock that is set right by less than this upsets no plan."""


class PauseReason(StrEnum):
    """Why a worker sends nothing any more until the server is restarted."""

    INVALID_KEY = "invalid_key"
    WRONG_SERVER = "wrong_server"


class _PausedError(Exception):
    def __init__(self, reason: PauseReason, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(reason)


class Worker:
    """Carries out the runs of one store; `run` once, on one event loop.

    `make_client` is called once the lock is held; the client should not retry by itself (`RetryPolicy.off()` or
    one attempt), because the worker plans every retry, where people can see it.
    """

    def __init__(
        self,
        store: Store,
        *,
        make_client: Callable[[], AsyncThymiaClient],
        options: WorkerOptions | None = None,
    ) -> None:
        self._store = store
        self._make_client = make_client
        self._options = options or WorkerOptions()
        self._lock = WorkerLock(store.folder)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._health = ApiHealth(self._options.problems_until_unreachable)
        self._told_problem: str | None = None
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._transfers: set[int] = set()
        self._held_until: dict[int, tuple[int, float]] = {}
        self._clock_offset_s: float | None = None
        self._wrote_row = False
        self._told_lock_trouble = False

    def wake(self) -> None:
        """Make the worker look for due runs now; from any thread, at any time, at no cost."""
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has been closed: nobody is left to wake
                self._loop.call_soon_threadsafe(self._wake.set)

    async def run(self, stop: asyncio.Event) -> None:
        """Stand by, work, or be paused, until `stop` is set; returns with the lock released, within 5 s."""
        self._loop = asyncio.get_running_loop()
        working = asyncio.create_task(self._live(), name="heliograph-worker")
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            working.cancel()
            await asyncio.wait({working, stopping}, timeout=self._options.stop_s)
            self._lock.release()
            self._loop = None
        if working.done() and not working.cancelled():
            working.result()

    # -- one life: stand by, work, pause ---------------------------------------------------------------------

    async def _live(self) -> None:
        await self._stand_by()
        try:
            await self._work_until_paused()
        finally:
            # Before the lock goes: whoever takes it next writes its own state over this one.
            with suppress(StoreError):
                await run_in_thread(self._save_if_ours, state=WorkerState.STOPPED, since_utc=self._now_text())
            self._lock.release()

    async def _stand_by(self) -> None:
        while not await self._take_lock():
            await asyncio.sleep(self._options.lock_retry_s)
        self._options.on_step("lock:after")

    async def _take_lock(self) -> bool:
        try:
            return await run_in_thread(self._lock.take)
        except OSError as error:
            if not self._told_lock_trouble:
                _log.error("worker: the lock cannot be taken (%s); trying again", type(error).__name__)
            self._told_lock_trouble = True
            return False

    async def _work_until_paused(self) -> None:
        """Work; after a pause stay here, without the lock, telling that this process is alive."""
        attempt = 0
        while True:
            started_utc = self._options.now_utc()
            try:
                await self._work()
            except _PausedError as pause:
                await self._stay_paused(pause)
            except Exception as error:  # noqa: BLE001  # the outer loop: log, back off, go on
                worked_s = (self._options.now_utc() - started_utc).total_seconds()
                attempt = 1 if worked_s > self._options.backoff_limit_s else attempt + 1
                delay_s = self._options.compute_backoff_s(attempt)
                _log.error("worker: %s; going on in %.0f s", _describe_bug(error), delay_s)
                await asyncio.sleep(delay_s)

    async def _stay_paused(self, pause: _PausedError) -> None:
        _log.warning("worker paused: %s (%s)", pause.reason, pause.detail)
        with suppress(StoreError):
            await self._save(
                state=WorkerState.PAUSED,
                reason=pause.reason,
                detail=pause.detail,
                since_utc=self._now_text(),
                heartbeat_utc=self._now_text(),
                api_problem=None,
                api_problem_since_utc=None,
            )
        self._lock.release()
        while True:
            await asyncio.sleep(self._options.heartbeat_s)
            with suppress(StoreError):
                await run_in_thread(self._save_if_ours, heartbeat_utc=self._now_text())

    # -- work ------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        self._told_problem = None
        self._wrote_row = True
        await self._save(
            pid=os.getpid(),
            host=socket.gethostname(),
            state=WorkerState.WORKING,
            reason=None,
            detail=None,
            since_utc=self._now_text(),
            heartbeat_utc=self._now_text(),
            api_problem=None,
            api_problem_since_utc=None,
        )
        beating = asyncio.create_task(self._beat())
        flagging = asyncio.create_task(keep_flags_fresh(self._store, every_s=self._options.flags_s))
        try:
            async with self._make_client() as client:
                await self._check_account(client)
                steps = RunSteps(self._store, client, options=self._options, health=self._health)
                try:
                    while True:
                        await self._turn(steps)
                finally:
                    await self._cancel(*self._tasks.values())
                    self._tasks.clear()
                    self._transfers.clear()
        finally:
            await self._cancel(beating, flagging)

    async def _check_account(self, client: AsyncThymiaClient) -> None:
        """Before anything else: is the key valid, and are the scores of this server of the workspace's kind?"""
        attempt = 0
        while True:
            self._options.on_step("account:before")
            try:
                account = await self._fetch_account(client)
                break
            except AuthenticationError as error:
                raise _PausedError(PauseReason.INVALID_KEY, describe_problem(error)) from None
            except ThymiaError as problem:
                attempt += 1
                self._health.note_problem(problem)
                await self._tell_health()
                retry_after_s = problem.retry_after_s if isinstance(problem, StatusError) else None
                await asyncio.sleep(self._options.compute_backoff_s(attempt, retry_after_s))
        self._options.on_step("account:after")
        self._health.note_answer()
        await self._tell_health(reached=True)
        synthetic = SANDBOX_FEATURE in account.features
        if synthetic != self._store.synthetic:
            kinds = {True: "synthetic", False: "real"}
            raise _PausedError(
                PauseReason.WRONG_SERVER,
                f"the server's scores are {kinds[synthetic]}, this workspace's are {kinds[not synthetic]}",
            )

    async def _fetch_account(self, client: AsyncThymiaClient) -> Account:
        limit_s = self._options.answer_limit_s
        try:
            async with asyncio.timeout(limit_s):
                return await client.get_account()
        except TimeoutError:
            raise RequestTimeoutError(f"account: no answer within {limit_s:g} s", sent=None) from None

    async def _turn(self, steps: RunSteps) -> None:
        """Gather what has ended, start what is due, then sleep until something can have changed."""
        self._wake.clear()
        await self._gather(steps)
        await self._tell_health()
        await self._mind_the_clock()
        rest_s = await self._compute_rest_s()
        if rest_s == 0.0:
            await self._start_due(steps)
            rest_s = self._options.tick_s
        with suppress(TimeoutError):
            async with asyncio.timeout(rest_s):
                await self._wake.wait()

    async def _compute_rest_s(self) -> float:
        """Seconds for which nothing will be due that the store knows of; 0 when something is, or is under way."""
        next_due_utc = await run_in_thread(ground.load_next_due_utc, self._store)
        if self._tasks or self._held_until:
            return 0.0
        if next_due_utc is None:
            return self._options.rest_s
        wait_s = (from_utc_text(next_due_utc) - self._options.now_utc()).total_seconds()
        return min(max(wait_s, 0.0), self._options.rest_s)

    async def _start_due(self, steps: RunSteps) -> None:
        """Start what is due, as far as there is room: slow transfers leave the room for questions free.

        While thymia cannot be reached one of each is enough to find out when that is over.
        """
        limit = 1 if self._health.problem else self._options.concurrency
        transfers = len(self._transfers & self._tasks.keys())
        room = {True: limit - transfers, False: limit - (len(self._tasks) - transfers)}
        # Those under way or held back are still due in the store.
        busy = len(self._tasks) + len(self._held_until)
        for is_transfer, places in room.items():
            if places <= 0:
                continue
            due = await run_in_thread(
                load_due, self._store, self._now_text(), places + busy, transfers=is_transfer
            )
            now_s = asyncio.get_running_loop().time()
            startable = [
                run_id
                for run_id in due
                if run_id not in self._tasks and self._held_until.get(run_id, (0, 0.0))[1] <= now_s
            ]
            for run_id in startable[:places]:
                if is_transfer:
                    self._transfers.add(run_id)
                task = asyncio.create_task(steps.carry_on(run_id), name=f"run-{run_id}")
                task.add_done_callback(lambda _: self._wake.set())
                self._tasks[run_id] = task

    async def _mind_the_clock(self) -> None:
        """At the start, and whenever the clock was put back: free what was planned by a clock that was ahead."""
        offset_s = self._options.now_utc().timestamp() - asyncio.get_running_loop().time()
        earlier_s, self._clock_offset_s = self._clock_offset_s, offset_s
        went_back = earlier_s is not None and offset_s < earlier_s - CLOCK_TOLERANCE_S
        if earlier_s is not None and not went_back:
            return
        n_freed = await run_in_thread(pull_in, self._store, self._now_text(), clock_went_back=went_back)
        if n_freed:
            _log.warning("worker: the clock was ahead; %d runs that it had put off are due now", n_freed)

    async def _gather(self, steps: RunSteps) -> None:
        for run_id, task in list(self._tasks.items()):
            if not task.done():
                continue
            del self._tasks[run_id]
            self._transfers.discard(run_id)
            error = task.exception()
            if error is None:
                self._held_until.pop(run_id, None)
                continue
            if isinstance(error, AuthenticationError):
                raise _PausedError(PauseReason.INVALID_KEY, describe_problem(error)) from None
            attempt = self._held_until.get(run_id, (0, 0.0))[0] + 1
            delay_s = self._options.compute_backoff_s(attempt)
            self._held_until[run_id] = attempt, asyncio.get_running_loop().time() + delay_s
            _log.error("run %d: %s; again in %.0f s", run_id, _describe_bug(error), delay_s)
            with suppress(StoreError):  # it is held back here in any case
                await steps.postpone_after_bug(run_id, type(error).__name__)

    async def _cancel(self, *tasks: asyncio.Task[None]) -> None:
        for task in tasks:
            task.cancel()
        # gather looks at every error, so that none is logged as never looked at when its task is collected.
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- the worker row --------------------------------------------------------------------------------------

    async def _beat(self) -> None:
        n_told = self._health.n_answers
        while True:
            await asyncio.sleep(self._options.heartbeat_s)
            with suppress(StoreError):
                n_answers = self._health.n_answers
                reached = {"api_reached_utc": self._now_text()} if n_answers > n_told else {}
                await self._save(heartbeat_utc=self._now_text(), **reached)
                n_told = n_answers

    async def _tell_health(self, *, reached: bool = False) -> None:
        """Write down that thymia became unreachable, or can be reached again."""
        problem = self._health.problem
        if problem == self._told_problem and not reached:
            return
        changes: dict[str, object] = {"api_problem": problem}
        if problem is None:
            changes |= {"api_problem_since_utc": None, "api_reached_utc": self._now_text()}
        elif self._told_problem is None:
            changes["api_problem_since_utc"] = self._now_text()
        await self._save(**changes)
        self._told_problem = problem

    async def _save(self, **changes: object) -> None:
        await run_in_thread(ground.save_worker, self._store, **changes)

    def _save_if_ours(self, **changes: object) -> None:
        """Another process may have taken over while this one was paused: then the row is not ours to write."""
        if not self._wrote_row:
            return
        status = ground.load_worker(self._store)
        if status.pid == os.getpid() and status.host == socket.gethostname():
            ground.save_worker(self._store, **changes)

    def _now_text(self) -> str:
        return to_utc_text(self._options.now_utc())


def _describe_bug(error: BaseException) -> str:
    """An error's kind and where it came from; its message is left out, as it may quote a label or an address."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    where = " < ".join(f"{PurePath(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__name__} at {where}"
