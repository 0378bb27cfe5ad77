"""A thymia in memory, behind an httpx transport: it keeps runs as the service does, and fails when told to."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from thymia_api import NO_RETRY, SANDBOX_FEATURE, SCORE_FIELDS, AsyncThymiaClient

BASE_URL = "http://thymia.test"
STORAGE = "http://storage.test"
WIRE_SCORES = [name.split("_")[0] + "".join(part.title() for part in name.split("_")[1:]) for name in SCORE_FIELDS]

Trouble = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


def make_results(value: float = 0.5) -> dict[str, Any]:
    """One section with every score at `value`."""
    scores = {name: {"value": value} for name in WIRE_SCORES}
    return {"sections": [{"startSecs": 0.0, "finishSecs": 12.5, "transcript": "said", **scores}]}


@dataclass
class ThymiaDouble:
    """`trouble[kind]` is used up first, one a request (kinds: account, create, upload, get); None lets one pass.

    `lose[kind]` counts requests that are carried out and whose answer is then lost.
    """

    synthetic: bool = True
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    uploads: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    requests: list[str] = field(default_factory=list)
    created: list[dict[str, Any]] = field(default_factory=list)
    trouble: dict[str, deque[Trouble | None]] = field(default_factory=lambda: defaultdict(deque))
    lose: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    status_after_upload: str = "RUNNING"

    def make_client(self) -> AsyncThymiaClient:
        """A client that talks to this double and never retries."""
        transport = httpx.MockTransport(self.handle)
        return AsyncThymiaClient("key", base_url=BASE_URL, transport=transport, retry=NO_RETRY)

    def set_run(self, run_id: str | None, status: str, **fields: Any) -> None:
        """Change what thymia says about a run."""
        assert run_id is not None
        self.runs[run_id] |= {"status": status, **fields}

    def complete(self, run_id: str | None, value: float = 0.5, **fields: Any) -> None:
        """Finish a run with results."""
        self.set_run(run_id, "COMPLETE_OK", results=make_results(value), **fields)

    async def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        kind = self._name(request)
        self.requests.append(kind)
        await request.aread()
        if self.trouble[kind]:
            trouble = self.trouble[kind].popleft()
            if isinstance(trouble, Exception):
                raise trouble
            if isinstance(trouble, httpx.Response):
                return trouble
            if trouble is not None:
                return trouble(request)
        answer = self._answer(kind, request)
        if self.lose[kind]:
            self.lose[kind] -= 1
            raise httpx.ReadError("the answer is lost", request=request)
        return answer

    def _name(self, request: httpx.Request) -> str:
        if request.url.host == "storage.test":
            return "upload"
        if request.url.path.endswith("/account"):
            return "account"
        return "create" if request.method == "POST" else "get"

    def _answer(self, kind: str, request: httpx.Request) -> httpx.Response:
        if kind == "account":
            return httpx.Response(200, json={"id": "a", "features": [SANDBOX_FEATURE] if self.synthetic else []})
        run_id = request.url.path.rsplit("/", 1)[1]
        if kind == "create":
            return self._create(request)
        if kind == "upload":
            self.uploads[run_id].append(request.content)
            self.runs[run_id]["status"] = self.status_after_upload
            return httpx.Response(200)
        if run_id not in self.runs:
            return httpx.Response(404, json={"detail": "not found"})
        return httpx.Response(200, json=self.runs[run_id])

    def _create(self, request: httpx.Request) -> httpx.Response:
        run_id = str(uuid.uuid4())
        self.created.append(json.loads(request.content))
        self.runs[run_id] = {"id": run_id, "status": "CREATED"}
        if request.url.path.endswith("-activity"):
            return httpx.Response(200, json={"id": run_id, "activityLink": f"http://activity.test/{run_id}"})
        return httpx.Response(
            200, json={"id": run_id, "recordingUploadUrl": f"{STORAGE}/{run_id}?signature=s3cr3t"}
        )
