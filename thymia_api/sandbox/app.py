"""The sandbox's routes: the API's contract, the storage behind its upload URLs, the activity page."""

from __future__ import annotations

import contextlib
import hmac
import secrets
import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from thymia_api._config import SANDBOX_FEATURE
from thymia_api.sandbox import _bodies, signing
from thymia_api.sandbox._requests import ActivityRunBody, RunBody, UploadRunBody
from thymia_api.sandbox._rows import Outcome, RunRow
from thymia_api.sandbox.activity import ACTIVITY_VALID_S, PageState, respond_page
from thymia_api.sandbox.clock import format_utc
from thymia_api.sandbox.execution import Execution
from thymia_api.sandbox.faults import MARK, FaultMiddleware, MarkMiddleware
from thymia_api.sandbox.settings import SandboxSettings
from thymia_api.sandbox.state import LogEvent, State

ACCOUNT_ID = "sandbox"


class Sandbox:
    """The parts of one running sandbox; `create_app` makes them, `close` ends the threads and frees the files."""

    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self.state = State(settings.state_dir, clock_rate=settings.clock_rate)
        self.execution = Execution(self.state, self._evaluate, processing_seconds=settings.processing_seconds)

    def _evaluate(self, run: RunRow) -> Outcome:
        # Imported by the first run: numpy, PyAV and the speech detector are most of the time to start.
        from thymia_api.sandbox.processing import evaluate_recording

        if run.recording_name is None:
            raise ValueError("a run without a recording can't be executed")
        return evaluate_recording(run, self.state.recordings / run.recording_name, self.settings)

    def close(self) -> None:
        """Stop the threads after what they are doing; callable from any thread, more than once."""
        self.execution.close()
        self.state.close()


def create_app(settings: SandboxSettings) -> FastAPI:
    """The sandbox as an ASGI app, to be served or mounted; its parts are at `app.state.sandbox`.

    Needs no lifespan: runs are executed by threads that the first request starts. With a lifespan, or when
    the one who mounts it calls `app.state.sandbox.close()`, they end cleanly; killed, they go on at the next
    start. Raises `StateError` when the state folder can't be used.
    """
    sandbox = Sandbox(settings)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        sandbox.execution.wake()
        yield
        await run_in_threadpool(sandbox.close)

    app = FastAPI(title="thymia sandbox", lifespan=lifespan, openapi_url=None)
    app.state.sandbox = sandbox
    app.add_middleware(FaultMiddleware, settings=settings)
    app.add_middleware(MarkMiddleware, execution=sandbox.execution)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(Exception, _answer_broken)
    app.include_router(_api)
    app.include_router(_storage)
    if settings.inspect:
        app.include_router(_inspection)
    return app


def _get_sandbox(request: Request) -> Sandbox:
    sandbox: Sandbox = request.app.state.sandbox
    return sandbox


Parts = Annotated[Sandbox, Depends(_get_sandbox)]


def _require_key(sandbox: Parts, x_api_key: Annotated[str, Header()] = "") -> None:
    if not hmac.compare_digest(x_api_key.encode(), sandbox.settings.api_key.encode()):
        raise HTTPException(401, "Missing or invalid API key")


_api = APIRouter(prefix="/v1", dependencies=[Depends(_require_key)])
_inspection = APIRouter(prefix="/_sandbox", dependencies=[Depends(_require_key)])
_storage = APIRouter()


def compute_base_url(request: Request, settings: SandboxSettings) -> str:
    """The sandbox's own address as the caller sees it, with the path it is mounted under, no slash at the end."""
    if settings.public_url is not None:
        return settings.public_url.rstrip("/")
    root_path = request.scope.get("root_path", "").rstrip("/")
    return f"{request.url.scheme}://{request.url.netloc}{root_path}"


@_api.get("/account")
async def get_account() -> dict[str, Any]:
    """The account behind the key; its features say that this is the sandbox."""
    return {"id": ACCOUNT_ID, "features": ["mental-wellness", "mental-wellness-activity", SANDBOX_FEATURE]}


@_api.post("/models/mental-wellness")
async def create_run_with_upload(request: Request, sandbox: Parts) -> dict[str, str]:
    """New run on a recording that is about to be uploaded."""
    body = await _bodies.receive_json(request, UploadRunBody)
    state = sandbox.state
    run_id, now_s = str(uuid.uuid4()), state.clock.now()
    await _add_run(state, body, run_id=run_id, kind="upload", created_s=now_s)
    query = signing.format_upload_query(state.secret, run_id, now_s)
    return {
        "id": run_id,
        "recordingUploadUrl": f"{compute_base_url(request, sandbox.settings)}/recordings/{run_id}?{query}",
    }


@_api.post("/models/mental-wellness-activity")
async def create_run_with_activity(request: Request, sandbox: Parts) -> dict[str, str]:
    """New run whose recording the activity page takes."""
    body = await _bodies.receive_json(request, ActivityRunBody)
    state = sandbox.state
    run_id, token, now_s = str(uuid.uuid4()), secrets.token_urlsafe(24), state.clock.now()
    activity = {"activity_token": token, "activity_expires_s": now_s + ACTIVITY_VALID_S}
    await _add_run(state, body, run_id=run_id, kind="activity", created_s=now_s, **activity)
    link = f"{compute_base_url(request, sandbox.settings)}/activity/{token}"
    return {"id": run_id, "activityLink": link}


async def _add_run(state: State, body: RunBody, **row: Any) -> None:
    await run_in_threadpool(
        state.add_run,
        request=body.model_dump(mode="json", by_alias=True, exclude_unset=True),
        user_label=body.user.user_label,
        delete_data=body.delete_data,
        recordings_only=bool(body.data_to_delete),
        **row,
    )


@_api.get("/models/mental-wellness/{model_run_id}")
async def get_run(model_run_id: uuid.UUID, sandbox: Parts) -> dict[str, Any]:
    """State of a run of either kind, with its results once it is complete."""
    run = await run_in_threadpool(sandbox.state.load_run, str(model_run_id))
    if run is None:
        raise HTTPException(404, "Model run not found")
    return run.to_wire(sandbox.state.clock.now())


@_storage.put("/recordings/{run_id}")
async def put_recording(run_id: str, request: Request, sandbox: Parts) -> Response:
    """The object storage behind an upload URL: one recording, no API key, errors in XML."""
    refused = await _refuse_upload(run_id, request, sandbox)
    if refused is not None:
        await _bodies.drain(request)
        return refused
    return await _take_recording(run_id, request, sandbox)


async def _refuse_upload(run_id: str, request: Request, sandbox: Sandbox) -> Response | None:
    expires = request.query_params.get(signing.EXPIRES_PARAMETER, "")
    signature = request.query_params.get(signing.SIGNATURE_PARAMETER, "")
    if not signing.is_signed(sandbox.state.secret, run_id, expires, signature):
        message = "The signature does not match the request"
        return _bodies.format_storage_error(403, "SignatureDoesNotMatch", message)
    run = await run_in_threadpool(sandbox.state.load_run, run_id)
    if run is not None and run.run_s is not None:
        return _already_uploaded()
    if sandbox.state.clock.now() >= int(expires):
        return _bodies.format_storage_error(403, "AccessDenied", "Request has expired")
    if run is None:
        return _bodies.format_storage_error(404, "NoSuchKey", "The run does not exist any more")
    return None


async def _take_recording(run_id: str, request: Request, sandbox: Sandbox) -> Response:
    state = sandbox.state
    try:
        received = await _bodies.receive_file(request, state.recordings)
    except _bodies.TooLargeError:
        message = f"At most {_bodies.MAX_RECORDING_BYTES} bytes are allowed"
        return _bodies.format_storage_error(413, "EntityTooLarge", message)
    except _bodies.UploadInterruptedError:
        return _bodies.format_storage_error(400, "IncompleteBody", "The connection was lost")
    is_first = await run_in_threadpool(
        state.attach_recording, run_id, received.path, sha256=received.sha256, size=received.size
    )
    if not is_first:
        return _already_uploaded()
    sandbox.execution.wake()
    return Response(status_code=200, headers={"etag": f'"{received.sha256[:32]}"'})


def _already_uploaded() -> Response:
    message = "This run has its recording already; a recording can't be replaced"
    return _bodies.format_storage_error(409, "ObjectAlreadyExists", message)


@_storage.get("/activity/{token}")
async def show_activity(token: str, sandbox: Parts) -> Response:
    """The page on which a participant records and hands in."""
    run = await run_in_threadpool(sandbox.state.load_activity, token)
    return respond_page(run, PageState.of(run, sandbox.state.clock.now()))


@_storage.put("/activity/{token}/recording")
async def put_activity_recording(token: str, request: Request, sandbox: Parts) -> Response:
    """Hand in what the activity page recorded; the run goes on by itself."""
    run = await run_in_threadpool(sandbox.state.load_activity, token)
    page_state = PageState.of(run, sandbox.state.clock.now())
    if run is None or page_state is not PageState.OPEN:
        await _bodies.drain(request)
        status = {PageState.FINISHED: 409, PageState.EXPIRED: 410}.get(page_state, 404)
        return JSONResponse({"state": page_state.value}, status)
    answer = await _take_recording(run.id, request, sandbox)
    states = {200: "finished", 409: "finished", 413: "too-large"}
    return JSONResponse({"state": states.get(answer.status_code, "failed")}, answer.status_code)


@_inspection.get("/runs")
async def inspect_runs(sandbox: Parts) -> dict[str, Any]:
    """What was done with every run, deleted ones included; for tests, only served with `inspect`."""
    runs, log = await run_in_threadpool(sandbox.state.load_log)
    known = {run.id: run for run in runs}
    now_s = sandbox.state.clock.now()
    return {"runs": [_inspect_run(run_id, known.get(run_id), events, now_s) for run_id, events in log.items()]}


def _inspect_run(run_id: str, run: RunRow | None, events: list[LogEvent], now_s: float) -> dict[str, Any]:
    names = [name for _, name, _ in events]
    return {
        "id": run_id,
        "kind": run.kind if run else None,
        "status": run.status_at(now_s) if run else None,
        "request": run.request if run else None,
        "recordingSha256": run.recording_sha256 if run else None,
        "nUploads": names.count("uploaded"),
        "nExecutionsStarted": names.count("execution_started"),
        "nExecutions": names.count("executed"),
        "log": [{"at": format_utc(at_s), "event": name, "detail": detail} for at_s, name, detail in events],
    }


async def _answer_invalid(request: Request, error: Exception) -> Response:
    issues = error.errors() if isinstance(error, RequestValidationError) else []
    return JSONResponse({"detail": [_bodies.format_issue(issue) for issue in issues]}, 422)


async def _answer_broken(request: Request, error: Exception) -> Response:
    return JSONResponse({"detail": "Internal Server Error"}, 500, headers=dict([MARK]))
