"""One step of one run's life: at most one request to thymia, with what it means stored before and after.

    state           what is asked of thymia         answer → next state
    --------------  ------------------------------  -------------------------------------------------------
    queued          (recording gone)                → failed recording_missing
    queued          POST create                     200 → created (id, URL and its expiry stored) or, for an
                                                    activity, waiting (id and link stored)
                                                    400 413 415 422 → failed rejected, with the issues
                                                    answer lost → queued: asking again is safe, because a run
                                                    without a recording never executes
    created         PUT recording; before it the    as uploading
                    state uploading is stored
    created         GET, if the URL has expired     as uploading
    uploading       PUT recording                   200 → running
                                                    401 403 404 410 (the URL is no good) → GET at once
                                                    answer lost, other errors → uploading
    uploading       GET: after anything but a       CREATED for `settle_s` → PUT again; or, when the URL has
                    fresh start nothing is sent     expired or was refused → failed upload_url_expired and a
                    again without asking            new linked run (too many in a row: upload_refused)
                                                    RUNNING, COMPLETE_* → running, complete_*
    waiting         GET, over days                  CREATED → waiting; RUNNING, COMPLETE_* → that
    running         GET                             CREATED, RUNNING, unknown → running; COMPLETE_* → that
    complete_ok,    GET, at the deletion deadline   404 → deleted_at_thymia_utc set, results stay (unless the
    complete_error  and when asked to refetch       workspace purges); 200 → columns and results renewed
    failed          GET, when asked to refetch      200 → the state that thymia reports; 404 → failed
    not final       any GET                         404, confirmed → failed deleted_before_fetch (if it was
                                                    seen there before) or unknown_at_thymia
    any             any                             401 → the worker pauses
                                                    429, 5xx, time-outs, broken connections, unreadable
                                                    answers → same state, later (backoff, Retry-After)

Each arrow is one transaction. Whatever moment the process dies at, the store holds one of the states in the left
column, and starting from it again is safe.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from heliograph.runs._exceptions import InvalidSubmissionError
from heliograph.runs.health import ApiHealth, describe_problem
from heliograph.runs.inputs import build_request
from heliograph.runs.ledger import RunLedger
from heliograph.runs.observation import COMPLETE_STATES, compute_final_step, compute_observation, is_usable
from heliograph.runs.options import WorkerOptions
from heliograph.runs.schedule import DELETION_AFTER_S, compute_upload_url_expiry, format_later
from heliograph.store import (
    FINAL_STATES,
    FailureReason,
    Run,
    RunKind,
    RunState,
    Store,
    UnknownRecordError,
    recording_path,
    to_utc_text,
)
from thymia_api import (
    ActivityRunCreate,
    ActivityRunCreated,
    AsyncThymiaClient,
    AuthenticationError,
    ModelRun,
    NotFoundError,
    RequestTimeoutError,
    RunStatus,
    StatusError,
    ThymiaError,
    UnreadableResponseError,
    UploadError,
    UploadRunCreate,
    UploadRunCreated,
)

Result = TypeVar("Result")

REQUESTS = ("create", "upload", "status")
TRANSACTIONS = (
    "store-created",
    "store-uploading",
    "store-running",
    "store-observed",
    "store-postponed",
    "store-failed",
    "store-replaced",
    "store-purged",
)
POINTS = tuple(f"{name}:{side}" for name in REQUESTS + TRANSACTIONS for side in ("before", "after"))
"""The named points that `WorkerOptions.on_step` hears of, around every request and every transaction."""

# The request itself is wrong: the same one again would be refused again.
_REJECTIONS = frozenset({400, 413, 415, 422})
# Storage says with these that the URL is no good (any more); everything else may get better.
_URL_REFUSALS = frozenset({401, 403, 404, 410})


@dataclasses.dataclass(slots=True)
class _Memory:
    """What is worth remembering about a run between its steps; losing it in a restart only costs time."""

    created_since_utc: datetime | None = None
    refused: bool = False
    not_found: int = 0


class RunSteps:
    """Carries runs on, one step at a time, for one worker; everything here runs on its event loop.

    Two steps of the same run must never be under way at once: the worker sees to that.
    """

    def __init__(
        self, store: Store, client: AsyncThymiaClient, *, options: WorkerOptions, health: ApiHealth
    ) -> None:
        self._store = store
        self._client = client
        self._options = options
        self._health = health
        self._ledger = RunLedger(store, options)
        self._memories: dict[int, _Memory] = {}
        self._refusal: AuthenticationError | None = None

    async def carry_on(self, run_id: int) -> None:
        """Do a run's steps until it has to wait for something.

        `AuthenticationError` means that the key is not valid (any more); `StoreError` that the store cannot be
        used. All other trouble with thymia ends as a later step in the run's row.
        """
        try:
            run = await self._ledger.load(run_id)
            while run.next_step_utc is not None and run.next_step_utc <= self._ledger.now_text:
                await self._try_step(run)
                run = await self._ledger.load(run_id)
        except UnknownRecordError:  # deleted here meanwhile: nothing is left to do
            self._memories.pop(run_id, None)
            return
        if run.state in FINAL_STATES:
            self._memories.pop(run_id, None)

    async def postpone_after_bug(self, run_id: int, name: str) -> None:
        """Put a run off whose step ended in an error of ours, so that it is not tried without end."""
        await self._ledger.postpone(run_id, f"internal error ({name})")

    async def _try_step(self, run: Run) -> None:
        try:
            await self._step(run)
        except AuthenticationError as refusal:
            self._refusal = refusal
            raise
        except ThymiaError as problem:
            self._health.note_problem(problem)
            await self._ledger.postpone(run.id, problem)

    async def _step(self, run: Run) -> None:
        if run.state == RunState.QUEUED:
            await self._create(run)
        elif run.state == RunState.CREATED and not self._ledger.is_expired(run):
            await self._upload(run)
        elif run.state in (RunState.CREATED, RunState.UPLOADING):
            await self._ask_before_sending(run)
        else:
            await self._ask(run)

    async def _create(self, run: Run) -> None:
        detail = await self._ledger.load_detail(run)
        if run.kind == RunKind.UPLOAD and await self._ledger.find_recording(run) is None:
            return
        asked_utc = self._options.now_utc()
        try:
            request = build_request(run, label=detail.participant.label, tags=detail.tags)
            created = await self._send("create", lambda: self._request_creation(request))
        except InvalidSubmissionError as error:
            issues = "\n".join(f"{issue.field}: {issue.message}" for issue in error.issues)
            await self._ledger.fail(run, FailureReason.REJECTED, issues)
            return
        except StatusError as refusal:
            if refusal.status not in _REJECTIONS:
                raise
            self._health.note_answer()
            await self._ledger.fail(run, FailureReason.REJECTED, describe_problem(refusal))
            return
        changes = self._ledger.plan_next() | {"thymia_id": created.id, "created_utc": self._ledger.now_text}
        if isinstance(created, UploadRunCreated):
            state = RunState.CREATED
            changes["upload_url"] = created.recording_upload_url
            changes["upload_url_expires_utc"] = to_utc_text(compute_upload_url_expiry(asked_utc))
        else:
            state = RunState.WAITING
            changes["activity_link"] = created.activity_link
        await self._ledger.advance("store-created", run, state, changes, answer=("create", created.body))

    async def _request_creation(
        self, request: UploadRunCreate | ActivityRunCreate
    ) -> UploadRunCreated | ActivityRunCreated:
        if isinstance(request, UploadRunCreate):
            return await self._client.create_upload_run(request)
        return await self._client.create_activity_run(request)

    async def _upload(self, run: Run) -> None:
        """Send the recording; the state uploading is stored first, so that a restart asks before sending again."""
        recording = await self._ledger.find_recording(run)
        if recording is None:
            return
        if run.state != RunState.UPLOADING:
            if not await self._ledger.advance("store-uploading", run, RunState.UPLOADING, {}):
                return
            run = dataclasses.replace(run, state=RunState.UPLOADING)
        memory = self._remember(run)
        memory.created_since_utc = None
        memory.refused = False
        try:
            # Opened here, so that it is closed whenever a stop comes; the client reads it in threads.
            with recording_path(self._store, recording).open("rb") as file:
                await self._send(
                    "upload",
                    lambda: self._client.upload_recording(
                        run.upload_url or "", file, content_type=recording.facts.media_type
                    ),
                )
        except UploadError as refusal:
            if refusal.status not in _URL_REFUSALS:
                raise
            memory.refused = True  # and the run is still due: the next step asks thymia what it has
            return
        except OSError:
            await self._ledger.postpone(run.id, "the recording's file could not be read")
            return
        changes = self._ledger.plan_next(self._options.poll_s) | {"upload_url": None}
        await self._ledger.advance("store-running", run, RunState.RUNNING, changes)

    async def _ask_before_sending(self, run: Run) -> None:
        answer = await self._fetch(run)
        if answer is None:
            return
        if answer.status != RunStatus.CREATED:
            await self._observe(run, answer)
            return
        memory = self._remember(run)
        if run.state == RunState.UPLOADING:
            now_utc = self._options.now_utc()
            # Never later than now: the clock may have been put back since.
            since_utc = memory.created_since_utc = min(memory.created_since_utc or now_utc, now_utc)
            rest_s = self._options.settle_s - (now_utc - since_utc).total_seconds()
            if rest_s >= 0.001:  # the store's times have milliseconds
                changes = {"next_step_utc": format_later(now_utc, rest_s), "thymia_status": str(answer.status)}
                await self._ledger.advance("store-observed", run, run.state, changes)
                return
        if self._ledger.is_expired(run) or memory.refused:
            await self._ledger.replace(run)
        else:
            await self._upload(run)

    async def _ask(self, run: Run) -> None:
        if await self._ledger.is_purge_due(run):
            await self._ledger.purge(run)
            run = dataclasses.replace(run, purged_utc=self._ledger.now_text)
        answer = await self._fetch(run)
        if answer is not None:
            await self._observe(run, answer)

    async def _fetch(self, run: Run) -> ModelRun | None:
        """Ask for a run; None when the answer (404) has been dealt with."""
        try:
            answer = await self._send("status", lambda: self._client.get_run(run.thymia_id or ""))
        except NotFoundError:
            self._health.note_answer()
            await self._handle_not_found(run)
            return None
        if not is_usable(run, answer):
            raise UnreadableResponseError("the answer is about another run, or lacks its results", body="")
        self._remember(run).not_found = 0
        return answer

    async def _observe(self, run: Run, answer: ModelRun) -> None:
        now_utc = self._options.now_utc()
        if run.purged_utc is not None and not run.data_to_delete:
            # thymia is late with deleting; nothing of its answer may come back into the store.
            step = compute_final_step(run, run.deletion_due_utc, now_utc=now_utc, options=self._options)
            changes = {"next_step_utc": step, "attempts": 0, "last_problem": None}
            await self._ledger.advance("store-observed", run, run.state, changes)
            return
        seen = compute_observation(run, answer, now_utc=now_utc, options=self._options)
        await self._ledger.advance(
            "store-observed",
            run,
            seen.state,
            seen.changes,
            detail=seen.detail,
            answer=("get", answer.body),
            sections=seen.sections,
        )

    async def _handle_not_found(self, run: Run) -> None:
        if run.state in FINAL_STATES:
            await self._note_gone(run)
            return
        memory = self._remember(run)
        memory.not_found += 1
        if memory.not_found < self._options.not_found_confirmations:
            await self._ledger.postpone(run.id, "thymia answered 404")
        elif run.thymia_status is not None or (run.delete_data and self._could_be_deleted(run)):
            reason = "thymia deleted the run before its results were fetched"
            await self._ledger.fail(run, FailureReason.DELETED_BEFORE_FETCH, reason)
        else:
            reason = "thymia does not know this run: its id is wrong, or the key is of another account or region"
            await self._ledger.fail(run, FailureReason.UNKNOWN_AT_THYMIA, reason)

    async def _note_gone(self, run: Run) -> None:
        """A 404 about a run that has ended here: what was fetched is kept."""
        changes: dict[str, object] = {"next_step_utc": None, "attempts": 0, "last_problem": None}
        detail = "thymia does not have this run any more"
        if run.state in COMPLETE_STATES and run.delete_data:
            detail = "deleted at thymia"
            changes["deleted_at_thymia_utc"] = run.deleted_at_thymia_utc or self._ledger.now_text
            if run.purged_utc is None and (run.deletion_due_utc or "") > self._ledger.now_text:
                changes["next_step_utc"] = run.deletion_due_utc
        else:
            changes["last_problem"] = detail
        await self._ledger.advance("store-observed", run, run.state, changes, detail=detail)

    async def _send(self, name: str, request: Callable[[], Awaitable[Result]]) -> Result:
        if self._refusal is not None:  # the key is not valid: nothing more is sent with it
            raise self._refusal
        self._options.on_step(f"{name}:before")
        limit_s = self._options.upload_limit_s if name == "upload" else self._options.answer_limit_s
        try:
            async with asyncio.timeout(limit_s):
                answer = await request()
        except TimeoutError:
            raise RequestTimeoutError(f"{name}: not done within {limit_s:g} s", sent=None) from None
        if name != "upload":
            self._health.note_answer()
        self._options.on_step(f"{name}:after")
        return answer

    def _remember(self, run: Run) -> _Memory:
        return self._memories.setdefault(run.id, _Memory())

    def _could_be_deleted(self, run: Run) -> bool:
        created_utc = run.created_utc or run.queued_utc
        return created_utc < format_later(self._options.now_utc(), -DELETION_AFTER_S)
