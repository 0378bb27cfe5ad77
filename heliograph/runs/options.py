"""The worker's settings: cadences, limits and, for tests, the clock and a hook at every named point."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from heliograph.runs.schedule import POLL_S, compute_backoff_s


def _now_utc() -> datetime:
    return datetime.now(UTC)


def _pass_by(_point: str) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """How one worker behaves. The defaults are for production; spans are seconds.

    The store is looked at every `tick_s` while runs are under way, and at least every `rest_s` while none is due:
    another process may have submitted some. `concurrency` is the number of transfers at once, and, apart from
    those, of questions about runs at once. `settle_s` is how long a run must still be `CREATED` at thymia after
    an upload whose answer was lost before the recording is sent again: storage may have it while the service has
    not noticed yet. `answer_limit_s` and
    `upload_limit_s` end a request that trickles on without a time-out, so that it gives its place back. `on_step`
    is called, on the event loop, with a point's name before and after every request and transaction (tests kill
    there). Drifts are looked for every `flags_s`, among those whose results changed.
    """

    poll_s: float = POLL_S
    tick_s: float = 1.0
    rest_s: float = 5.0
    concurrency: int = 8
    backoff_base_s: float = 1.0
    backoff_limit_s: float = 300.0
    settle_s: float = 5.0
    lock_retry_s: float = 1.0
    heartbeat_s: float = 10.0
    flags_s: float = 30.0
    stop_s: float = 4.0
    problems_until_unreachable: int = 3
    answer_limit_s: float = 120.0
    upload_limit_s: float = 1800.0
    not_found_confirmations: int = 3
    replacements_limit: int = 5
    attention_after_attempts: int = 8
    now_utc: Callable[[], datetime] = _now_utc
    random_source: random.Random = field(default_factory=random.Random)
    on_step: Callable[[str], None] = _pass_by

    def compute_backoff_s(self, attempt: int, retry_after_s: float | None = None) -> float:
        """How long to wait after so many attempts in a row that failed."""
        return compute_backoff_s(
            attempt,
            base_s=self.backoff_base_s,
            limit_s=self.backoff_limit_s,
            random_source=self.random_source,
            retry_after_s=retry_after_s,
        )
