"""A browser's recorder as the routes meet it: permits, pieces and a clock that the test moves."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from heliograph.audio.chunk_files import compute_whole_hash
from heliograph.audio.permits import Permit, issue_permit
from tests.sandbox.clients import TestClient

KEY = b"k" * 32
TAKE = "take-0123456789"
OWN = "http://heliograph.test"
PIECE = bytes(range(256)) * 375  # A second of 16 bits at 48 kHz.
BEGINNING = {"rate_hz": 48_000, "facts": {"echo_cancellation": "off"}}


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


def permit(clock: Clock, take: str = TAKE, *, key: bytes = KEY, lasts_s: float = 600) -> dict[str, str]:
    text = issue_permit(key, Permit(take, "7", clock.now_s + lasts_s))
    return {"X-Capture-Permit": text, "Origin": OWN}


def piece_headers(data: bytes = PIECE, bits: int = 16) -> dict[str, str]:
    return {"Content-Type": f"audio/l{bits}", "X-Chunk-SHA256": hashlib.sha256(data).hexdigest()}


def begin(client: TestClient, clock: Clock, take: str = TAKE) -> Any:
    answer = client.put(f"/takes/{take}", headers=permit(clock, take), json=BEGINNING)
    assert answer.status_code == 200, answer.text
    return answer


def put(client: TestClient, clock: Clock, index: int, data: bytes = PIECE, **headers: str) -> Any:
    every = {**permit(clock), **piece_headers(data), **headers}
    return client.put(f"/takes/{TAKE}/{index}", headers=every, content=data)


def finish(client: TestClient, clock: Clock, pieces: list[bytes], **changes: object) -> Any:
    whole = compute_whole_hash(hashlib.sha256(piece).digest() for piece in pieces)
    said = {"chunks": len(pieces), "samples": sum(map(len, pieces)) // 2, "sha256": whole, **changes}
    return client.post(f"/takes/{TAKE}/finish", headers=permit(clock), json=said)


def written(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in tmp_path.rglob("*.s16"))
