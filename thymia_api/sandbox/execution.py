"""Executes runs in the background: two threads, at most one process on a state folder at a time.

The process that holds `execution.lock` executes every run with a recording and no outcome, whichever process
took it in; when it dies the operating system frees the lock and another one, or the next start, goes on.
An outcome is computed at once and shown when the processing time has passed, so nothing waits in memory.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from filelock import FileLock, Timeout

from thymia_api.sandbox._rows import COMPLETE_ERROR, Outcome, RunRow
from thymia_api.sandbox.state import State

THREADS = 2
CLOSE_S = 3.0
"""How long an end waits for a recording that is being processed; its run goes on at the next start."""
POLL_S = 2.0
"""How often a shared state folder is looked at for the work and the death of other processes."""

logger = logging.getLogger(__name__)


class Execution:
    """Threads that execute runs and carry out deletions; started by the first `wake`, ended by `close`."""

    def __init__(self, state: State, evaluate: Callable[[RunRow], Outcome], *, processing_seconds: float) -> None:
        self._state = state
        self._evaluate = evaluate
        self._processing_seconds = processing_seconds
        self._changed = threading.Condition()
        self._n_changes = 0
        self._claiming = threading.Lock()
        self._active: set[str] = set()
        self._threads: list[threading.Thread] = []
        self._is_stopping = False
        self._lock = FileLock(state.folder / "execution.lock", timeout=0, mode=0o600, thread_local=False)

    def wake(self, *, work: bool = True) -> None:
        """Start the threads if there are none, and say that there may be something to do. Never blocks."""
        with self._changed:
            if self._is_stopping:
                return
            if not self._threads:
                for number in range(THREADS):
                    name = f"thymia-sandbox-{number}"
                    thread = threading.Thread(target=self._work, args=(number == 0,), name=name, daemon=True)
                    self._threads.append(thread)
                    thread.start()
            elif work:
                self._n_changes += 1
                self._changed.notify_all()

    def close(self) -> None:
        """Stop after the recordings being processed now, 3 s at most; the rest is done after the next start."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
            threads, self._threads = self._threads, []
        deadline_s = time.monotonic() + CLOSE_S
        for thread in threads:
            thread.join(timeout=max(0.0, deadline_s - time.monotonic()))
        self._lock.release()

    def _work(self, is_first: bool) -> None:
        while not self._is_stopping:
            n_changes = self._n_changes
            wait_s: float | None = POLL_S
            try:
                if not self._owns_folder():
                    pass
                elif self._execute_next():
                    continue
                else:
                    wait_s = self._erase_due() if is_first else None
            except Exception:
                if self._is_stopping:
                    return
                logger.exception("the sandbox's background work failed; it is tried again")
            self._wait_for_change(n_changes, wait_s)

    def _wait_for_change(self, n_seen: int, wait_s: float | None) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopping or self._n_changes != n_seen, wait_s)

    def _owns_folder(self) -> bool:
        with self._claiming:
            if self._lock.is_locked:
                return True
            try:
                self._lock.acquire(blocking=False)
            except Timeout:
                return False
        self._state.remove_strays()
        return True

    def _execute_next(self) -> bool:
        with self._claiming:
            run = self._state.start_execution(skip=frozenset(self._active))
            if run is None:
                return False
            self._active.add(run.id)
        self.wake()
        try:
            try:
                outcome = self._evaluate(run)
            except Exception as error:
                logger.exception("run %s failed in the sandbox", run.id)
                reason = f"The sandbox failed on this recording: {type(error).__name__}"
                outcome = Outcome(status=COMPLETE_ERROR, error_code="ERR_INTERNAL", error_reason=reason)
            clock = self._state.clock
            earliest_s = (run.run_s or 0.0) + self._processing_seconds * clock.rate
            self._state.finish_execution(run, outcome, completed_s=max(clock.now(), earliest_s))
        finally:
            self._active.discard(run.id)
            self.wake()
        return True

    def _erase_due(self) -> float | None:
        self._state.erase_due()
        due_s = self._state.load_next_deletion()
        wait_s = None if due_s is None else self._state.clock.real_seconds_until(due_s)
        if self._state.shared:
            return POLL_S if wait_s is None else min(wait_s, POLL_S)
        return wait_s if wait_s is None else min(wait_s, threading.TIMEOUT_MAX)
