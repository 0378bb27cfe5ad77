"""What a step writes down: each method is one transaction on one run, with a named point before and after it.

Every transaction compares the state that the step started from: a run that was deleted or changed meanwhile is
left alone. All calls are made on the worker's event loop; the store works in threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from heliograph import store as ground
from heliograph.runs import retention
from heliograph.runs.health import describe_problem
from heliograph.runs.options import WorkerOptions
from heliograph.runs.schedule import format_later
from heliograph.runs.submission import copy_run, find_recording
from heliograph.runs.threads import run_in_thread
from heliograph.store import FailureReason, Recording, Run, RunDetail, RunState, Section, Store, to_utc_text
from thymia_api import StatusError, ThymiaError

Result = TypeVar("Result")

EXPIRED_REPLACEMENTS_FACTOR = 5
"""An URL that expired while nobody was working is no sign of trouble, so more of those are put up with."""


class RunLedger:
    """Reads and writes the runs that the steps carry on."""

    def __init__(self, store: Store, options: WorkerOptions) -> None:
        self._store = store
        self._options = options

    @property
    def now_text(self) -> str:
        """The worker's time, as the store writes it."""
        return to_utc_text(self._options.now_utc())

    def is_expired(self, run: Run) -> bool:
        """Whether the run's upload URL has stopped working, by our own clock."""
        return run.upload_url_expires_utc is None or run.upload_url_expires_utc <= self.now_text

    async def load(self, run_id: int) -> Run:
        """The run as it is now; `UnknownRecordError` once it was deleted."""
        return await run_in_thread(ground.load_run, self._store, run_id)

    async def load_detail(self, run: Run) -> RunDetail:
        """The run with its participant and tags."""
        return await run_in_thread(ground.load_run_detail, self._store, run.id)

    async def find_recording(self, run: Run) -> Recording | None:
        """The recording to send; without it the run has failed now."""
        recording = await run_in_thread(find_recording, self._store, run.recording_id)
        if recording is None:
            await self.fail(run, FailureReason.RECORDING_MISSING, "the recording is no longer in this workspace")
        return recording

    async def advance(
        self,
        name: str,
        run: Run,
        state: RunState,
        changes: Mapping[str, object],
        *,
        detail: str | None = None,
        answer: tuple[str, str] | None = None,
        sections: Sequence[Section] | None = None,
    ) -> bool:
        """Move a run on, or change it in its state; False when it is no longer as it was read."""
        return await self._commit(
            name,
            lambda: ground.advance_run(
                self._store,
                run.id,
                expect={run.state},
                state=state,
                detail=detail,
                changes=changes,
                answer=answer,
                sections=sections,
            ),
        )

    def plan_next(self, delay_s: float = 0.0) -> dict[str, object]:
        """The columns of a run that has got on: due after `delay_s` seconds, free of trouble."""
        next_step_utc = format_later(self._options.now_utc(), delay_s)
        return {"next_step_utc": next_step_utc, "attempts": 0, "last_problem": None, "needs_attention": False}

    async def fail(self, run: Run, failure: FailureReason, detail: str) -> None:
        """End a run with a named reason that a person should look at."""
        changes = {
            "failure": failure,
            "failure_detail": detail,
            "next_step_utc": None,
            "needs_attention": True,
            "last_problem": None,
        }
        await self.advance("store-failed", run, RunState.FAILED, changes, detail=failure.value)

    async def postpone(self, run_id: int, problem: ThymiaError | str) -> None:
        """Leave a run in its state and look at it later; after many times in a row somebody should know."""
        run = await self.load(run_id)
        attempts = run.attempts + 1
        retry_after_s = problem.retry_after_s if isinstance(problem, StatusError) else None
        delay_s = self._options.compute_backoff_s(attempts, retry_after_s)
        changes: dict[str, object] = {
            "attempts": attempts,
            "last_problem": problem if isinstance(problem, str) else describe_problem(problem),
            "next_step_utc": format_later(self._options.now_utc(), delay_s),
        }
        if attempts >= self._options.attention_after_attempts:
            changes["needs_attention"] = True
        await self.advance("store-postponed", run, run.state, changes)

    async def replace(self, run: Run) -> None:
        """End a run whose upload URL is no good, and queue a new one for the same recording, linked to it.

        Each in a row waits longer, and when storage refuses again and again the last one is not replaced.
        """
        depth = await run_in_thread(self._count_replacements, run)
        expired = self.is_expired(run)
        limit = self._options.replacements_limit * (EXPIRED_REPLACEMENTS_FACTOR if expired else 1)
        if depth >= limit:
            reason = f"{depth + 1} runs in a row could not be uploaded"
            await self.fail(run, FailureReason.UPLOAD_REFUSED, reason)
            return
        detail = await self.load_detail(run)
        if await self.find_recording(run) is None:
            return
        delay_s = self._options.compute_backoff_s(depth) if depth else 0.0
        new = copy_run(
            run,
            detail.tags,
            submission_key=f"instead-of-{run.id}",
            next_step_utc=format_later(self._options.now_utc(), delay_s),
        )
        reason = "the upload URL has expired" if expired else "storage refused the upload"
        await self._commit(
            "store-replaced",
            lambda: ground.replace_run(
                self._store, run.id, new, failure=FailureReason.UPLOAD_URL_EXPIRED, detail=reason
            ),
        )

    async def is_purge_due(self, run: Run) -> bool:
        """Whether the local copy of a complete run has to go now."""
        if not retention.is_purge_due(run, self.now_text):
            return False
        return await run_in_thread(retention.load_purge_setting, self._store)

    async def purge(self, run: Run) -> None:
        """Delete the local copy of a run."""
        now_utc = self.now_text
        await self._commit("store-purged", lambda: retention.purge(self._store, run, now_utc))

    async def _commit(self, name: str, transaction: Callable[[], Result]) -> Result:
        self._options.on_step(f"{name}:before")
        result = await run_in_thread(transaction)
        self._options.on_step(f"{name}:after")
        return result

    def _count_replacements(self, run: Run) -> int:
        depth = 0
        while run.repeats_run_id is not None:
            run = ground.load_run(self._store, run.repeats_run_id)
            if run.failure != FailureReason.UPLOAD_URL_EXPIRED:
                break
            depth += 1
        return depth
