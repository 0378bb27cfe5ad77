"""The takes in pieces of this process by their name: one object for everybody who sends to one or looks at it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakValueDictionary

from .chunk_take import ChunkTake
from .settled import is_settled

_MAX_RECENT = 64  # A take in memory is a detector and some counts; the oldest is read from the disk again.
_recent: dict[tuple[Path, str], ChunkTake] = {}
_takes: WeakValueDictionary[tuple[Path, str], ChunkTake] = WeakValueDictionary()  # Also those in use elsewhere.
_lock = threading.Lock()


def open_chunk_take(spool_folder: Path, take: str) -> ChunkTake:
    """The take of that name, whether or not anything of it is there yet; the same object for every caller."""
    key = (spool_folder, take)
    with _lock:
        found = _takes.get(key)
        if found is None or found.is_gone:
            found = _takes[key] = ChunkTake(spool_folder, take)
        _recent.pop(key, None)
        _recent[key] = found  # At the end: the one used last.
        while len(_recent) > _MAX_RECENT:
            del _recent[next(iter(_recent))]
        return found


@contextmanager
def hold_chunk_take(spool_folder: Path, take: str) -> Iterator[None]:
    """While it is kept or discarded nothing is added to it; ChunkError when somebody else does so already."""
    with open_chunk_take(spool_folder, take).hold():
        yield


def find_chunk_take(spool_folder: Path, take: str) -> ChunkTake | None:
    """The take of that name when something of it is in the spool, and not what is left of a settled one."""
    if (spool_folder / take).is_dir() and not is_settled(spool_folder, take):
        return open_chunk_take(spool_folder, take)
    return None


__all__ = ["find_chunk_take", "hold_chunk_take", "open_chunk_take"]
