"""A process that has everything imported and forks workers that are meant to be killed.

Reads one JSON object a line: `{"task": "work" | "submit", …}`. Answers `{"pid": …}` once the child exists, and
`{"status": …}` (as `os.waitstatus_to_exitcode`) once it is dead. Run as `python nursery.py`, with the project's
root in PYTHONPATH.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from pathlib import Path
from typing import Any

import httpx
import sqlite_utils  # noqa: F401  # the store imports it late; here it must be there before the fork

from heliograph.runs import UploadSubmission, Worker, WorkerOptions, submit_upload
from heliograph.store import RecordingFacts, RecordingSource, Store, adopt_orphans, save_recording
from thymia_api import NO_RETRY, AsyncThymiaClient

TIMEOUT_S = 2.0


def make_options(point: str | None, count: int, seed: int) -> WorkerOptions:
    """Quick options; at the `count`-th passing of `point` the process kills itself."""
    left = count

    def die_here(passed: str) -> None:
        nonlocal left
        if passed == point:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return WorkerOptions(
        poll_s=0.1,
        tick_s=0.02,
        rest_s=0.02,
        settle_s=0.05,
        lock_retry_s=0.01,
        heartbeat_s=0.2,
        backoff_base_s=0.03,
        backoff_limit_s=0.2,
        not_found_confirmations=2,
        random_source=random.Random(seed),
        on_step=die_here,
    )


def work(command: dict[str, Any]) -> None:
    """Be the worker of a store until killed."""
    store = Store.open(Path(command["folder"]), workspace="sandbox", synthetic=True)
    adopt_orphans(store)

    def make_client() -> AsyncThymiaClient:
        return AsyncThymiaClient(
            command["key"],
            base_url=command["url"],
            retry=NO_RETRY,
            timeout=TIMEOUT_S,
            transport=httpx.AsyncHTTPTransport(verify=False),
        )

    options = make_options(command.get("point"), command.get("count", 1), command.get("seed", 0))
    asyncio.run(Worker(store, make_client=make_client, options=options).run(asyncio.Event()))


def submit(command: dict[str, Any]) -> None:
    """Save a recording and submit it, as the page does."""
    store = Store.open(Path(command["folder"]), workspace="sandbox", synthetic=True)
    facts = RecordingFacts(media_type="audio/wav", source=RecordingSource.UPLOAD)
    recording = save_recording(store, Path(command["file"]), facts=facts)
    submit_upload(
        store,
        UploadSubmission(
            submission_key=command["submission_key"],
            participant_id=command["participant_id"],
            recording_id=recording.id,
        ),
    )


def main() -> None:
    """Serve until the input ends."""
    tasks = {"work": work, "submit": submit}
    for line in sys.stdin:
        command = json.loads(line)
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                tasks[command["task"]](command)
                code = 0
            finally:
                os._exit(code)
        print(json.dumps({"pid": pid}), flush=True)
        _, status = os.waitpid(pid, 0)
        print(json.dumps({"status": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    main()
