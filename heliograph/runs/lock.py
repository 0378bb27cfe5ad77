"""The lock that makes one process of a workspace its worker: an OS-level lock on `<folder>/worker.lock`.

The operating system lets go of it when the process dies, however it dies, so nothing has to be cleaned up.
"""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout


class WorkerLock:
    """Held by the working process; `take` and `release` are quick and may be called from any one thread."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "worker.lock"
        self._lock = FileLock(self._path, mode=0o600, thread_local=False, is_singleton=False)

    def take(self) -> bool:
        """Take the lock if nobody holds it; False when another process (or worker) does."""
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            return False
        return True

    def release(self) -> None:
        """Let go; harmless when not held."""
        self._lock.release(force=True)

    @property
    def held(self) -> bool:
        return bool(self._lock.is_locked)
