"""A browser's side of the lossless recorder, without a browser: what it reports, and takes as it sends them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from heliograph.audio.chunk_files import compute_whole_hash
from heliograph.audio.chunk_registry import open_chunk_take
from heliograph.audio.chunk_take import Ending
from heliograph.audio.take_facts import TakeEnd
from heliograph.store import Store

RATE_HZ = 48_000


@dataclass
class Browser:
    """`report` is what it says at the next run; its takes go straight into the spool of `store`."""

    store: Store
    report: dict[str, Any] = field(default_factory=dict)

    def tell(self, phase: str, take: str | None = None, **takes: int) -> None:
        """Report a phase, the take under way, and by its name whose each take is that is not delivered yet."""
        kept = [{"take": name, "note": str(note)} for name, note in takes.items()]
        self.report = {"phase": phase, "take": take, "takes": kept}

    def record(self, take: str, participant_id: int, seconds: int = 2, **facts: str) -> None:
        """Begin a take and send its seconds; it is not at its end."""
        opened = open_chunk_take(self.store.spool_folder, take)
        opened.begin(rate_hz=RATE_HZ, participant_note=str(participant_id), facts=facts)
        for index, piece in enumerate(self._pieces(take, seconds)):
            opened.put(index, piece, bits=16, sha256=hashlib.sha256(piece).hexdigest())

    def finish(self, take: str, seconds: int = 2, end: TakeEnd = TakeEnd.STOPPED) -> None:
        """Say that this was all of it."""
        whole = compute_whole_hash(hashlib.sha256(piece).digest() for piece in self._pieces(take, seconds))
        ending = Ending(chunks=seconds, samples=seconds * RATE_HZ, whole_sha256=whole, end=end)
        open_chunk_take(self.store.spool_folder, take).finish(ending)

    def _pieces(self, take: str, seconds: int) -> list[bytes]:
        voice = np.random.default_rng(sum(take.encode()))
        return [voice.integers(-3000, 3000, RATE_HZ).astype("<i2").tobytes() for _ in range(seconds)]


def run(app: Any) -> Any:
    """Another run of the page, which must not fail."""
    app.run()
    assert not app.exception, [entry.message for entry in app.exception]
    return app
