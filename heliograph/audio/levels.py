"""Loudness of samples in dBFS: 0 dBFS RMS is a square wave at full scale, a full-scale sine has −3.01."""

from collections import deque
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

FLOOR_DBFS = -100.0
"""What silence is reported as: below the 16-bit quantisation noise (−98 dBFS)."""
CLIP_LEVEL = 0.999
"""Samples at or above this share of full scale count as clipped."""

_TOO_QUIET_DBFS = -45.0
_TOO_LOUD_PEAK_DBFS = -1.0


class HeardLevel(StrEnum):
    """The live meter in one word."""

    NOTHING = "nothing"
    QUIET = "quiet"
    GOOD = "good"
    TOO_LOUD = "too_loud"


def compute_dbfs(amplitude: float) -> float:
    """Convert an amplitude (1 = full scale) to dBFS, never below `FLOOR_DBFS`."""
    return max(FLOOR_DBFS, 20 * float(np.log10(amplitude))) if amplitude > 0 else FLOOR_DBFS


def compute_rms(samples: NDArray[np.float32]) -> float:
    """Root mean square of samples in −1…1; 0 for none."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if samples.size else 0.0


class LevelMeter:
    """A live meter over the latest blocks of about 0.1 s: level of the last 0.3 s, peak of the last second.

    The noise floor is the tenth percentile of the last 5 s of blocks. Used by one thread.
    """

    def __init__(self) -> None:
        self._blocks: deque[tuple[float, float, float]] = deque(maxlen=250)  # (seconds, mean square, peak)

    def feed(self, samples: NDArray[np.float32], rate_hz: int) -> None:
        """Take the next block of samples in −1…1."""
        if samples.size:
            peak = float(np.abs(samples).max())
            self._blocks.append((samples.size / rate_hz, compute_rms(samples) ** 2, peak))

    @property
    def level_dbfs(self) -> float:
        """RMS over about the last 0.3 s."""
        blocks = self._latest(0.3)
        seconds = sum(block[0] for block in blocks)
        return compute_dbfs((sum(s * power for s, power, _ in blocks) / seconds) ** 0.5) if seconds else FLOOR_DBFS

    @property
    def peak_dbfs(self) -> float:
        """Highest sample of about the last second."""
        return compute_dbfs(max((peak for _, _, peak in self._latest(1.0)), default=0.0))

    @property
    def noise_dbfs(self) -> float:
        """Level of the quietest tenth of the last 5 s."""
        powers = sorted(power for _, power, _ in self._latest(5.0))
        return compute_dbfs(powers[len(powers) // 10] ** 0.5) if powers else FLOOR_DBFS

    @property
    def heard(self) -> HeardLevel:
        """What to tell a person at the microphone check."""
        level, peak = self.level_dbfs, self.peak_dbfs
        if peak >= _TOO_LOUD_PEAK_DBFS:
            return HeardLevel.TOO_LOUD
        if level >= _TOO_QUIET_DBFS:
            return HeardLevel.GOOD
        return HeardLevel.QUIET if peak > -70 else HeardLevel.NOTHING

    def _latest(self, seconds: float) -> list[tuple[float, float, float]]:
        chosen: list[tuple[float, float, float]] = []
        for block in reversed(self._blocks):
            chosen.append(block)
            seconds -= block[0]
            if seconds <= 1e-9:
                break
        return chosen
