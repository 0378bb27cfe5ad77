"""Recordings on disk while they are being made, so that no crash costs more than the last instant.

A take is a folder: `take.json` (written and synced before any sound), `audio.pcm` (mono 16-bit little-endian,
appended as it arrives) and `take.lock` (held by the recording process, freed by the system when that dies, so
that a take in progress is told from one that was cut off). Folders are 0700 and files 0600. A take that came in
pieces has a folder `chunks` in place of `audio.pcm` (see `chunk_files`) and no lock: it is in progress while
pieces keep arriving.
"""

import logging
import os
import re
import shutil
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from .chunk_files import (
    CHUNKS_FOLDER,
    Stretch,
    count_samples,
    find_holes,
    join_chunks,
    load_chunks,
    sync_folder,
)
from .errors import SpoolError, StorageProblem, storage_errors
from .settled import forget_settled, is_settled, mark_settled
from .take_facts import FACTS_FILE, TakeEnd, TakeFacts, now_utc, read_facts, write_facts

INCOMING_PREFIX = "incoming-"
"""Begins the names of files that are on their way from an upload into the store."""
_LOGGER = logging.getLogger(__name__)
_BYTES_PER_SAMPLE = 2
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,80}")
_AUDIO, _LOCK = "audio.pcm", "take.lock"
CHUNKS_PATIENCE_S = 30.0
"""An unfinished take in pieces counts as being recorded for so long after its last piece."""
_CREATED_WITHIN_S = 60.0
_STRAY_AGE_S = 3600.0  # an upload becomes a stored recording within seconds
_CLOCK_TOLERANCE_S = 0.5  # the network's start-up burst and the jitter buffer move arrival times by this much


@dataclass(frozen=True, slots=True)
class SpooledTake:
    """A take that nobody is recording any more: to be reviewed, made into FLAC, or discarded.

    `bits` is the width of its samples; `holes` are the stretches of a take in pieces that never arrived.
    """

    token: str
    folder: Path
    samples: int
    facts: TakeFacts
    bits: int = 16
    in_chunks: bool = False
    holes: tuple[Stretch, ...] = ()

    @property
    def duration_s(self) -> float:
        """Length of the sound, the filled gaps included."""
        return self.samples / self.facts.sample_rate_hz

    @property
    def unaccounted_s(self) -> float:
        """Time by the clock that neither arrived as sound nor showed as a gap in the frames' timestamps."""
        skipped_s = self.facts.skipped_samples / self.facts.sample_rate_hz
        return max(skipped_s, self.facts.wall_clock_s - self.duration_s - _CLOCK_TOLERANCE_S)

    @property
    def missing_share(self) -> float:
        """Share of the session's time (0…1) for which there is no sound."""
        whole_s = self.duration_s + self.unaccounted_s
        return min(1.0, (self.facts.filled_s + self.unaccounted_s) / whole_s) if whole_s else 0.0

    def load_samples(self) -> NDArray[np.int16] | NDArray[np.int32]:
        """Read the sound at `facts.sample_rate_hz`: mono int16, or int32 holding 24 bits (33 MB at most)."""
        with storage_errors():
            if self.in_chunks:
                chunks = load_chunks(self.folder)
                joined = join_chunks(self.folder, chunks, self.facts.sample_rate_hz, self.samples, self.bits)
                return joined.astype(np.int16) if self.bits == 16 else joined
            raw = (self.folder / _AUDIO).read_bytes()
        return np.frombuffer(raw[: len(raw) - len(raw) % _BYTES_PER_SAMPLE], dtype="<i2").astype(np.int16)


class TakeWriter:
    """Writes one take; used by one thread. Every failure of the storage is a `SpoolError`."""

    def __init__(self, spool_folder: Path, token: str, *, participant_note: str = "") -> None:
        _check_token(token)
        self._folder = spool_folder / token
        self._token = token
        self._facts = TakeFacts(started_utc=now_utc(), participant_note=participant_note)
        self._samples = 0
        try:
            spool_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.mkdir(mode=0o700)
        except FileExistsError as error:
            raise SpoolError(f"There is already a take named {token}.") from error
        except OSError as error:
            raise SpoolError.from_os_error(error) from error
        self._lock = FileLock(self._folder / _LOCK, timeout=2, mode=0o600, thread_local=False)
        try:
            self._lock.acquire()
            write_facts(self._folder, self._facts)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            self._descriptor = os.open(self._folder / _AUDIO, flags, 0o600)
            sync_folder(self._folder)
            sync_folder(spool_folder)
        except OSError as error:
            self._lock.release()
            shutil.rmtree(self._folder, ignore_errors=True)
            raise SpoolError.from_os_error(error) from error
        self._is_open = True

    @property
    def samples(self) -> int:
        """Samples written so far."""
        return self._samples

    def append(self, samples: NDArray[np.int16]) -> None:
        """Hand samples to the operating system: from here on they survive the death of the process."""
        waiting = memoryview(samples.astype("<i2").tobytes())
        with storage_errors():
            while waiting:
                waiting = waiting[os.write(self._descriptor, waiting) :]
        self._samples += samples.size

    def sync(self, *, filled_s: float, wall_clock_s: float) -> None:
        """Force sound and facts onto the disk: from here on they survive a power cut."""
        self._facts = replace(self._facts, filled_s=filled_s, wall_clock_s=wall_clock_s)
        with storage_errors():
            os.fsync(self._descriptor)
            write_facts(self._folder, self._facts)

    def close(self, *, end: TakeEnd, filled_s: float, wall_clock_s: float) -> SpooledTake:
        """End the take and return it; what was appended stays readable even when the last sync fails."""
        self._facts = replace(self._facts, filled_s=filled_s, wall_clock_s=wall_clock_s, end=end)
        if self._is_open:
            self._is_open = False
            try:
                # A write that failed half way still left sound behind.
                self._samples = os.fstat(self._descriptor).st_size // _BYTES_PER_SAMPLE
                os.fsync(self._descriptor)
                write_facts(self._folder, self._facts)
            except OSError:
                # The sound is in its file; a full disk only costs the note of how the take ended.
                self._facts = replace(self._facts, end=TakeEnd.STORAGE_FAILED)
            finally:
                os.close(self._descriptor)
                self._lock.release()
        return SpooledTake(self._token, self._folder, self._samples, self._facts)


def load_takes(spool_folder: Path, *, exclude: Collection[str] = ()) -> list[SpooledTake]:
    """List the takes with sound that no process is recording, oldest first; nothing on disk is changed.

    One that can't be read right now is left out; it is there for the next call.
    """
    if not spool_folder.is_dir():
        return []
    takes = []
    for folder in spool_folder.iterdir():
        if folder.name in exclude or not _TOKEN.fullmatch(folder.name):
            continue
        try:
            if is_settled(spool_folder, folder.name) or _is_being_recorded(folder):
                continue
            take = _load_take(folder)
        except FileNotFoundError:  # It was saved or discarded in this instant.
            continue
        except OSError as error:
            _LOGGER.warning("the take %s can't be read now and is not listed: %s", folder.name, error)
            continue
        if take is not None and take.samples:
            takes.append(take)
    return sorted(takes, key=lambda take: (take.facts.started_utc, take.token))


def load_take(spool_folder: Path, token: str) -> SpooledTake:
    """Load one take by its token; SpoolError when there is none or it is still being recorded."""
    _check_token(token)
    folder = spool_folder / token
    take = None
    with storage_errors(), suppress(FileNotFoundError):
        if _is_being_recorded(folder):
            raise SpoolError("This take is still being recorded.", kind=StorageProblem.BUSY)
        take = None if is_settled(spool_folder, token) else _load_take(folder)
    if take is None:
        raise SpoolError("This take does not exist any more: it was saved or discarded.")
    return take


def create_chunk_folder(spool_folder: Path, token: str, facts: TakeFacts) -> None:
    """Make the folder of a take that will arrive in pieces; nothing when it is there."""
    _check_token(token)
    folder = spool_folder / token
    with storage_errors():
        spool_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        if not (folder / FACTS_FILE).exists():
            write_facts(folder, facts)
        (folder / CHUNKS_FOLDER).mkdir(mode=0o700, exist_ok=True)
        sync_folder(folder)
        sync_folder(spool_folder)


def discard_take(take: SpooledTake) -> None:
    """Remove a take for good; removing one that is gone already is no error."""
    with storage_errors(), suppress(FileNotFoundError):
        if take.in_chunks:
            mark_settled(take.folder.parent, take.token)
        shutil.rmtree(take.folder)


def discard_empty_takes(spool_folder: Path) -> int:
    """Remove takes that hold no sound (cut off before the first frame); return how many.

    What a killed process left behind goes too: files on their way in, and the rest of takes that were kept or
    discarded. Nobody knows of them, and they hold a voice.
    """
    if not spool_folder.is_dir():
        return 0
    for stray in spool_folder.glob(f"{INCOMING_PREFIX}*"):
        with suppress(FileNotFoundError):
            if stray.is_file() and time.time() - stray.stat().st_mtime > _STRAY_AGE_S:
                stray.unlink()
    for folder in spool_folder.iterdir():
        if folder.is_dir() and is_settled(spool_folder, folder.name):
            shutil.rmtree(folder, ignore_errors=True)
    forget_settled(spool_folder)
    removed = 0
    for folder in spool_folder.iterdir():
        with suppress(OSError):  # What can't be read now may hold sound.
            if _is_empty(folder):
                shutil.rmtree(folder, ignore_errors=True)
                removed += 1
    return removed


def _is_empty(folder: Path) -> bool:
    """Whether it is a take that nobody is recording and that holds no sound."""
    if not _TOKEN.fullmatch(folder.name) or not folder.is_dir() or _is_being_recorded(folder):
        return False
    # A take that is being created by another process has no lock for a moment.
    is_old = time.time() - folder.stat().st_mtime > _CREATED_WITHIN_S
    return is_old and not _count_samples(folder)


def _load_take(folder: Path) -> SpooledTake | None:
    if (folder / CHUNKS_FOLDER).is_dir():
        return _load_chunk_take(folder)
    samples = _count_samples(folder)
    if samples is None:
        return None
    return SpooledTake(folder.name, folder, samples, read_facts(folder))


def _load_chunk_take(folder: Path) -> SpooledTake:
    facts, chunks = read_facts(folder), load_chunks(folder)
    rate_hz = facts.sample_rate_hz
    samples = count_samples(chunks, rate_hz, facts.announced_samples)
    holes = tuple(find_holes(chunks, rate_hz, samples))
    filled = sum(hole.end - hole.start for hole in holes) + facts.lost_samples
    end = TakeEnd.CONNECTION_LOST if facts.end is TakeEnd.CUT_OFF else facts.end
    return SpooledTake(
        folder.name,
        folder,
        samples,
        replace(facts, filled_s=filled / rate_hz, end=end),
        bits=max((chunk.bits for chunk in chunks.values()), default=16),
        in_chunks=True,
        holes=holes,
    )


def _count_samples(folder: Path) -> int | None:
    if (folder / CHUNKS_FOLDER).is_dir():
        return sum(chunk.samples for chunk in load_chunks(folder).values())
    try:
        return (folder / _AUDIO).stat().st_size // _BYTES_PER_SAMPLE
    except (FileNotFoundError, NotADirectoryError):
        return None


def _is_being_recorded(folder: Path) -> bool:
    if (folder / CHUNKS_FOLDER).is_dir():
        age_s = abs(time.time() - (folder / CHUNKS_FOLDER).stat().st_mtime)  # The clock may have been set back.
        return age_s < CHUNKS_PATIENCE_S and read_facts(folder).end is TakeEnd.CUT_OFF
    if not (folder / _LOCK).exists():
        return False
    try:
        with FileLock(folder / _LOCK, mode=0o600, blocking=False, thread_local=False):
            return False
    except Timeout:
        return True
    except OSError:
        return False


def _check_token(token: str) -> None:
    if not _TOKEN.fullmatch(token):
        raise ValueError(f"A take's token is 1–80 letters, digits, '-' or '_', not {token!r}.")
