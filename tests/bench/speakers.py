"""Simulated people who record losslessly: what a browser sends, without the browser."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

import httpx

from heliograph.audio.chunk_files import compute_whole_hash
from heliograph.audio.permits import PERMIT_LIFETIME_S, Permit, issue_permit, load_permit_key
from tests.browser.microphones import RATE_HZ, load_mono
from tests.browser.servers import ROOT, AppServer

SPEECH = ROOT / "data" / "samples" / "jfk.flac"


class Speakers:
    """So many threads that send a piece a second until the end of the block, then finish their takes."""

    def __init__(self, server: AppServer, count: int) -> None:
        self._server = server
        self._sound = load_mono(SPEECH)
        self._ending = threading.Event()
        self._answered_s: list[float] = []
        self._threads = ThreadPoolExecutor(max(1, count))
        self._count = count
        self._takes: list[Future[None]] = []

    def __enter__(self) -> Speakers:
        self._takes = [self._threads.submit(self._send_take, number) for number in range(self._count)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._threads.shutdown()
        for take in self._takes:
            take.result()

    def compute_p95_s(self) -> float:
        """The time in which 95 % of the pieces were acknowledged; not a number for none."""
        answered = sorted(self._answered_s)
        return answered[int(0.95 * len(answered))] if answered else float("nan")

    def _send_take(self, number: int) -> None:
        take = secrets.token_hex(12)
        key = load_permit_key(self._server.home / "sandbox")
        permit = issue_permit(key, Permit(take, "", time.time() + PERMIT_LIFETIME_S))
        headers = {"X-Capture-Permit": permit, "Origin": self._server.url}
        digests: list[bytes] = []
        base = f"{self._server.url}/capture/takes/{take}"
        with httpx.Client(trust_env=False, timeout=30, headers=headers) as client:
            client.put(base, json={"rate_hz": RATE_HZ}).raise_for_status()
            self._ending.wait(number / 10)  # Nobody presses Start at the same instant.
            due = time.monotonic()
            while not self._ending.is_set():
                data = self._sound[len(digests) % 10 * RATE_HZ :][:RATE_HZ].tobytes()
                digest = hashlib.sha256(data)
                said = {"Content-Type": "audio/l16", "X-Chunk-SHA256": digest.hexdigest()}
                asked = time.monotonic()
                client.put(f"{base}/{len(digests)}", content=data, headers=said).raise_for_status()
                self._answered_s.append(time.monotonic() - asked)
                digests.append(digest.digest())
                due += 1
                self._ending.wait(max(0.0, due - time.monotonic()))
            count = len(digests)
            ending = {"chunks": count, "samples": count * RATE_HZ, "sha256": compute_whole_hash(digests)}
            client.post(f"{base}/finish", json=ending).raise_for_status()
