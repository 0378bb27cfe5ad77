"""The sandbox's clock: real time multiplied by a rate, so that an hour can pass in a second."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class VirtualClock:
    """Seconds since the epoch on the sandbox's clock; it reads `anchor_virtual_s` at real `anchor_real_s`."""

    rate: float
    anchor_real_s: float
    anchor_virtual_s: float

    def now(self) -> float:
        """Seconds since the epoch on this clock, now."""
        return self.at(time.time())

    def at(self, real_s: float) -> float:
        """What this clock reads when the real one reads `real_s`."""
        return self.anchor_virtual_s + (real_s - self.anchor_real_s) * self.rate

    def real_seconds_until(self, virtual_s: float) -> float:
        """Real seconds until this clock reads `virtual_s`; 0 when that has passed."""
        return max(0.0, (virtual_s - self.now()) / self.rate)

    def with_rate(self, rate: float, real_s: float) -> VirtualClock:
        """This clock going on at another rate from real second `real_s` on, without a jump."""
        return VirtualClock(rate, real_s, self.at(real_s))


def format_utc(virtual_s: float) -> str:
    """ISO 8601 with microseconds and offset, as the API writes its times."""
    return datetime.fromtimestamp(virtual_s, UTC).isoformat(timespec="microseconds")
