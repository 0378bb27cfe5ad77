"""A take that arrives in numbered pieces: kept in any order, and gone on with after a restart.

A recorder begins a take, sends each second as a piece (at least once, in any order) and finishes with the number
of pieces and one hash for all of them. Everything that was acknowledged is on the disk. The page sees the same
snapshots as of a `Capture`, made from what is there when it looks.
"""

import hashlib
import math
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from thymia_api.speech import MAX_DURATION_S

from .capture import CapturePhase, CaptureSnapshot
from .chunk_files import (
    CHUNKS_FOLDER,
    Chunk,
    compute_whole_hash,
    count_samples,
    find_holes,
    load_chunk_bytes,
    load_chunks,
    store_chunk,
)
from .chunk_meter import ChunkMeter
from .errors import AudioError, CaptureError, storage_errors
from .settled import is_settled
from .spool import SpooledTake, create_chunk_folder, load_take
from .take_facts import TakeEnd, TakeFacts, now_utc, read_facts, write_facts

MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 192_000
MAX_CHUNKS = round(MAX_DURATION_S) + 5
"""Pieces of a second: what thymia takes, and a margin for a recorder that stops late."""
MAX_CHUNK_BYTES = MAX_RATE_HZ * 3

_MAX_WALL_CLOCK_S = 24 * 3600.0
_MAX_FACTS, _MAX_FACT_CHARS = 40, 200
_FACT_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")  # Half a pair of UTF-16: JSON may hold one, no file does.
_HASH = re.compile(r"[0-9a-f]{64}")


class ChunkProblem(StrEnum):
    """Why a piece, a beginning or an end is refused."""

    BAD_REQUEST = "bad_request"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    DAMAGED = "damaged"
    DIFFERENT = "different"
    NOT_BEGUN = "not_begun"
    FINISHED = "finished"
    SETTLED = "settled"
    INCOMPLETE = "incomplete"
    BEING_KEPT = "being_kept"


class ChunkError(AudioError):
    """A piece or the end of a take is refused; `missing` names the pieces that an incomplete take lacks."""

    def __init__(self, reason: ChunkProblem, message: str, *, missing: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.reason = reason
        self.missing = missing


@dataclass(frozen=True, slots=True)
class ChunkState:
    """What the spool has of a take; `missing` are numbers below the highest piece that are not there."""

    chunks: int = 0
    missing: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Ending:
    """What a recorder says at the end: how many pieces and samples there are, and their hash."""

    chunks: int
    samples: int
    whole_sha256: str
    end: TakeEnd = TakeEnd.STOPPED
    wall_clock_s: float = 0.0
    lost_samples: int = 0
    skipped_samples: int = 0
    facts: Mapping[str, str] | None = None


class ChunkTake:
    """One take in the spool; any thread may call. What is written is on the disk when the call returns.

    What is there already is read by the first call that needs it. SpoolError when the storage fails.
    """

    def __init__(self, spool_folder: Path, take: str) -> None:
        self.token = take
        self._spool_folder = spool_folder
        self._folder = spool_folder / take
        self._lock = threading.RLock()
        self._is_recovered = self._is_held = False
        self._facts: TakeFacts | None = None
        self._chunks: dict[int, Chunk] = {}
        self._digests: dict[int, bytes] = {}
        self._last_arrival: float | None = None
        self._meter: ChunkMeter | None = None

    @property
    def participant_note(self) -> str:
        """Whose take it is."""
        with self._used():
            return "" if self._facts is None else self._facts.participant_note

    def begin(
        self,
        *,
        rate_hz: int,
        participant_note: str,
        facts: Mapping[str, str],
        lost_samples: int = 0,
        skipped_samples: int = 0,
    ) -> ChunkState:
        """Make the take's folder; to be said again when more is known of the recording, as its end may never come.

        Saying the same again changes nothing, another rate is refused.
        """
        if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
            raise ChunkError(ChunkProblem.BAD_REQUEST, f"No microphone has a rate of {rate_hz} Hz.")
        facts = _check_facts(facts)
        if min(lost_samples, skipped_samples) < 0:
            raise ChunkError(ChunkProblem.BAD_REQUEST, "Less than nothing can't be missing.")
        with self._used():
            self._refuse_unless_open()
            if self._facts is None:
                begun = TakeFacts(now_utc(), participant_note, sample_rate_hz=rate_hz, processing=facts)
                create_chunk_folder(self._spool_folder, self.token, begun)
                self._facts = begun
            elif self._facts.sample_rate_hz != rate_hz:
                raise ChunkError(ChunkProblem.DIFFERENT, "This take was begun at another rate.")
            if self._end is None:
                self._note(facts, lost_samples, skipped_samples)
            return self.state()

    def put(self, index: int, data: bytes, *, bits: int, sha256: str) -> bool:
        """Keep a piece; False when it was there already. ChunkError for all that does not belong here."""
        if not 0 <= index < MAX_CHUNKS:
            raise ChunkError(ChunkProblem.TOO_MANY, f"A take has up to {MAX_CHUNKS} pieces.")
        if bits not in (16, 24) or not data or len(data) % (bits // 8):
            raise ChunkError(ChunkProblem.BAD_REQUEST, "A piece is a whole number of 16- or 24-bit samples.")
        digest = hashlib.sha256(data).digest()
        if digest.hex() != sha256:
            raise ChunkError(ChunkProblem.DAMAGED, "The piece was damaged on its way.")
        chunk = Chunk(index, bits, len(data) // (bits // 8))
        with self._used():
            self._refuse_unless_open()
            rate_hz = self._require_facts().sample_rate_hz
            if chunk.samples > rate_hz:
                raise ChunkError(ChunkProblem.TOO_LARGE, "A piece is one second at most.")
            known = self._digests.get(index)
            if known is not None:
                if known != digest:
                    raise ChunkError(ChunkProblem.DIFFERENT, "Another piece has this number already.")
                return False
            if self._end is not None:
                raise ChunkError(ChunkProblem.FINISHED, "This take is finished.")
            self._check_place(chunk, rate_hz)
            store_chunk(self._folder, chunk, data)
            self._chunks[index], self._digests[index] = chunk, digest
            self._last_arrival = time.monotonic()
        return True

    def finish(self, ending: Ending) -> None:
        """End the take when every piece is there and all agree; INCOMPLETE names what is still to be sent."""
        facts = _check_facts(ending.facts or {})
        whole = _HASH.fullmatch(ending.whole_sha256) is not None and 0 < ending.chunks <= MAX_CHUNKS
        counts = (ending.lost_samples, ending.skipped_samples)
        if not whole or min(counts) < 0 or not 0 <= ending.wall_clock_s < math.inf:
            raise ChunkError(ChunkProblem.BAD_REQUEST, "The end of the take makes no sense.")
        wall_clock_s = min(ending.wall_clock_s, _MAX_WALL_CLOCK_S)  # A computer that slept may tell of days.
        with self._used():
            self._refuse_unless_open()
            begun = self._require_facts()
            rate_hz = begun.sample_rate_hz
            missing = tuple(number for number in range(ending.chunks) if number not in self._chunks)
            if missing:
                raise ChunkError(ChunkProblem.INCOMPLETE, "Pieces are missing.", missing=missing)
            samples = count_samples(self._chunks, rate_hz)
            digests = [self._digests[number] for number in sorted(self._digests)]
            if len(digests) != ending.chunks or samples != ending.samples:
                raise ChunkError(ChunkProblem.DIFFERENT, "More or less arrived than was sent.")
            if find_holes(self._chunks, rate_hz, samples) or compute_whole_hash(digests) != ending.whole_sha256:
                raise ChunkError(ChunkProblem.DIFFERENT, "What arrived is not what was sent.")
            if self._end is not None:
                return
            # From memory: what stands on the disk may have become unreadable since.
            ended = replace(
                begun,
                end=ending.end,
                lost_samples=min(ending.lost_samples, samples),
                skipped_samples=min(ending.skipped_samples, round(_MAX_WALL_CLOCK_S * rate_hz)),
                announced_samples=samples,
                wall_clock_s=wall_clock_s,
                processing={**begun.processing, **facts},
            )
            write_facts(self._folder, ended)
            self._facts = ended

    def state(self) -> ChunkState:
        """What is there; of a take that nobody began, nothing."""
        with self._used():
            highest = max(self._chunks, default=-1)
            return ChunkState(
                chunks=len(self._chunks),
                missing=tuple(number for number in range(highest) if number not in self._chunks),
            )

    def snapshot(self) -> CaptureSnapshot:
        """How it is going, from the pieces that follow each other without a hole.

        Cheap but for the first time after a restart, which listens to all of it: about a second for a long take.
        No piece waits for that.
        """
        with self._used():
            facts, chunks, end = self._facts, dict(self._chunks), self._end
            if facts is None:
                return CaptureSnapshot(phase=CapturePhase.RECORDING)
            rate_hz = facts.sample_rate_hz
            if self._meter is None:
                self._meter = ChunkMeter(self._folder, rate_hz)
            meter, last_arrival = self._meter, self._last_arrival
        holes = find_holes(chunks, rate_hz, count_samples(chunks, rate_hz))
        return replace(
            meter.listen(chunks, whole=end is not None),
            phase=CapturePhase.RECORDING if end is None else CapturePhase.FINISHED,
            missing_s=sum(hole.end - hole.start for hole in holes) / rate_hz,
            wall_clock_s=facts.wall_clock_s,
            last_frame_age_s=None if last_arrival is None else time.monotonic() - last_arrival,
            end=end,
        )

    def take_up(self) -> SpooledTake:
        """The finished take, for review; CaptureError while it is not finished."""
        with self._used():
            if self._end is None:
                raise CaptureError("The recording has not arrived completely yet; wait until it has.")
        return load_take(self._spool_folder, self.token)

    @property
    def is_gone(self) -> bool:
        """Whether it was kept or discarded meanwhile."""
        return self._facts is not None and not self._folder.exists()

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Until it is let go of nothing is added; a piece that was accepted before is on the disk by then.

        ChunkError when somebody holds it already.
        """
        with self._lock:
            self._refuse_if_held()
            self._is_held = True
        try:
            yield
        finally:
            self._is_held = False

    @contextmanager
    def _used(self) -> Iterator[None]:
        """By one thread at a time, and with what is on the disk."""
        with self._lock, storage_errors():
            if not self._is_recovered:
                self._recover()
            yield

    def _recover(self) -> None:
        """Read what is there. Where that fails nothing has changed, and the next call tries again."""
        if not is_settled(self._spool_folder, self.token) and (self._folder / CHUNKS_FOLDER).is_dir():
            facts, chunks = read_facts(self._folder), load_chunks(self._folder)
            self._digests = {
                number: hashlib.sha256(load_chunk_bytes(self._folder, chunk)).digest()
                for number, chunk in chunks.items()
            }
            self._chunks, self._facts = chunks, facts
        self._is_recovered = True

    def _note(self, facts: Mapping[str, str], lost_samples: int, skipped_samples: int) -> None:
        """What is known so far of a take whose end may never come."""
        begun = self._require_facts()
        most = round(_MAX_WALL_CLOCK_S * begun.sample_rate_hz)
        known = replace(
            begun,
            lost_samples=min(max(begun.lost_samples, lost_samples), most),
            skipped_samples=min(max(begun.skipped_samples, skipped_samples), most),
            processing=_check_facts({**begun.processing, **facts}),
        )
        if known != begun:
            write_facts(self._folder, known)
            self._facts = known

    def _refuse_if_held(self) -> None:
        if self._is_held:
            message = "This recording is being saved or discarded right now; look again in a moment."
            raise ChunkError(ChunkProblem.BEING_KEPT, message)

    def _refuse_unless_open(self) -> None:
        self._refuse_if_held()
        if self.is_gone or is_settled(self._spool_folder, self.token):
            raise ChunkError(ChunkProblem.SETTLED, "This take was reviewed or discarded already.")

    @property
    def _end(self) -> TakeEnd | None:
        """How it ended; None: it has not."""
        if self._facts is None or self._facts.end is TakeEnd.CUT_OFF:
            return None
        return self._facts.end

    def _require_facts(self) -> TakeFacts:
        if self._facts is None:
            raise ChunkError(ChunkProblem.NOT_BEGUN, "This take was not begun.")
        return self._facts

    def _check_place(self, chunk: Chunk, rate_hz: int) -> None:
        """Only the last piece may be shorter than a second."""
        others = [other for other in self._chunks.values() if other.samples < rate_hz]
        is_last = chunk.index > max(self._chunks, default=-1)
        if chunk.samples < rate_hz and not is_last:
            raise ChunkError(ChunkProblem.DIFFERENT, "A piece in the middle is a whole second.")
        if any(other.index < chunk.index for other in others):
            raise ChunkError(ChunkProblem.DIFFERENT, "The take ended before this piece.")


def _check_facts(facts: Mapping[str, str]) -> dict[str, str]:
    """Facts come from a browser: a few short texts under plain names."""
    if len(facts) > _MAX_FACTS:
        raise ChunkError(ChunkProblem.BAD_REQUEST, "Too many facts.")
    for name, value in facts.items():
        is_short = isinstance(value, str) and len(value) <= _MAX_FACT_CHARS
        if not is_short or not _FACT_NAME.fullmatch(name) or _HALF_CHARACTER.search(value):
            raise ChunkError(ChunkProblem.BAD_REQUEST, "A fact is a short text under a plain name.")
    return dict(facts)


__all__ = [
    "MAX_CHUNKS",
    "MAX_CHUNK_BYTES",
    "MAX_RATE_HZ",
    "MIN_RATE_HZ",
    "ChunkError",
    "ChunkProblem",
    "ChunkState",
    "ChunkTake",
    "Ending",
]
