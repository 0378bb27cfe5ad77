"""A recording's outline for drawing."""

import numpy as np
from numpy.typing import NDArray


def compute_peaks(
    samples: NDArray[np.float32] | NDArray[np.int16], n: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return lowest and highest sample (float32, −1…1) of each of `n` equal stretches, or of each sample if fewer.

    Every sample lies in exactly one stretch, so no click is lost between two columns of a drawing.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}.")
    if samples.ndim != 1:
        raise ValueError(f"samples must have one dimension, not shape {samples.shape}.")
    if not samples.size:
        return np.empty(0, dtype=np.float32), np.empty(0, dtype=np.float32)
    starts = np.linspace(0, samples.size, min(n, samples.size), endpoint=False).astype(np.intp)
    scale = np.float32(1 / 32768 if samples.dtype == np.int16 else 1)
    low = np.minimum.reduceat(samples, starts).astype(np.float32) * scale
    high = np.maximum.reduceat(samples, starts).astype(np.float32) * scale
    return low, high
