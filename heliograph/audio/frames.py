"""WebRTC frames to one continuous line of samples: mono 16-bit at 48 kHz, with silence where frames are missing.

Measured: frames are packed stereo s16 at 48 kHz with 960 samples, a mono microphone gives two equal channels,
and lost packets show only as jumps of `frame.pts` (aiortc conceals nothing). `bytes(plane)` contains padding, so
everything goes through `to_ndarray`.
"""

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from .take_facts import SPOOL_RATE_HZ

_JUMP_TOLERANCE_S = 0.002  # rounding of timestamps between clocks, far below one 20 ms packet
_CLOCK_MARGIN_S = 2.0  # a jump may exceed the pause in arrivals by the depth of the jitter buffer


class FrameLine:
    """Turns frames in order of arrival into samples; used by one thread.

    A jump of the timestamps is filled with silence, as far as the clock bears it out: a jump backwards or one far
    longer than the pause in arrivals is a restarted stream, and then the pause itself is filled.
    """

    def __init__(self) -> None:
        self._expected_s: float | None = None
        self._last_arrival_s: float | None = None
        self._resampler: AudioResampler | None = None
        self._source_rate_hz = SPOOL_RATE_HZ

    def take(self, frame: AudioFrame, arrived_s: float) -> tuple[int, NDArray[np.int16]]:
        """Return (samples of silence that belong before, the frame's samples); `arrived_s` on any steady clock."""
        gap_s = self._measure_gap_s(frame, arrived_s)
        mono = mix_to_mono(frame)
        head = self._change_rate(frame.sample_rate)
        self._last_arrival_s = arrived_s
        return round(gap_s * SPOOL_RATE_HZ), np.concatenate((head, self._resample(mono)))

    def flush(self) -> NDArray[np.int16]:
        """Return what the resampler still holds (nothing at 48 kHz)."""
        if self._resampler is None:
            return np.empty(0, dtype=np.int16)
        rest = _join(self._resampler.resample(None))
        self._resampler = None
        return rest

    def _measure_gap_s(self, frame: AudioFrame, arrived_s: float) -> float:
        duration_s = frame.samples / frame.sample_rate
        pause_s = 0.0 if self._last_arrival_s is None else max(0.0, arrived_s - self._last_arrival_s)
        if frame.pts is None or frame.time_base is None:
            self._expected_s = None
            return 0.0
        at_s = float(frame.pts * frame.time_base)
        expected_s, self._expected_s = self._expected_s, at_s + duration_s
        if expected_s is None:
            return 0.0
        jump_s = at_s - expected_s
        if abs(jump_s) <= _JUMP_TOLERANCE_S:
            return 0.0
        if 0 < jump_s <= pause_s + _CLOCK_MARGIN_S:
            return jump_s
        return max(0.0, pause_s - duration_s) if pause_s > _CLOCK_MARGIN_S / 4 else 0.0

    def _change_rate(self, rate_hz: int) -> NDArray[np.int16]:
        if rate_hz == self._source_rate_hz:
            return np.empty(0, dtype=np.int16)
        rest = self.flush()
        self._source_rate_hz = rate_hz
        return rest

    def _resample(self, mono: NDArray[np.int16]) -> NDArray[np.int16]:
        if self._source_rate_hz == SPOOL_RATE_HZ:
            return mono
        if self._resampler is None:
            self._resampler = AudioResampler(format="s16", layout="mono", rate=SPOOL_RATE_HZ)
        return _join(self._resampler.resample(make_frame(mono, self._source_rate_hz)))


class SpeechFeed:
    """Brings samples down to the 16 kHz that the speech detector takes, across blocks of any length."""

    def __init__(self, to_hz: int, *, from_hz: int = SPOOL_RATE_HZ) -> None:
        self._from_hz = from_hz
        self._resampler = AudioResampler(format="s16", layout="mono", rate=to_hz)

    def convert(self, samples: NDArray[np.int16]) -> NDArray[np.int16]:
        """Return the next samples at the lower rate (a few stay inside until `flush`)."""
        return _join(self._resampler.resample(make_frame(samples, self._from_hz))) if samples.size else samples

    def flush(self) -> NDArray[np.int16]:
        """Return the rest; the feed can't be used afterwards."""
        return _join(self._resampler.resample(None))


def mix_to_mono(frame: AudioFrame) -> NDArray[np.int16]:
    """Average a frame's channels as int16; exact when they are equal."""
    array = frame.to_ndarray()
    channels = frame.layout.nb_channels
    lanes = array if frame.format.is_planar else array.reshape(-1, channels).T
    if array.dtype == np.int16:
        return _round(lanes.mean(axis=0, dtype=np.float64)) if channels > 1 else lanes[0].astype(np.int16)
    if array.dtype == np.uint8:
        scaled = (lanes.astype(np.float64) - 128) / 128
    elif np.issubdtype(array.dtype, np.integer):
        scaled = lanes.astype(np.float64) / 2.0 ** (8 * array.dtype.itemsize - 1)
    else:
        scaled = np.nan_to_num(lanes.astype(np.float64), nan=0.0, posinf=1.0, neginf=-1.0)
    return _round(scaled.mean(axis=0) * 32768)


def _round(values: NDArray[np.float64]) -> NDArray[np.int16]:
    rounded: NDArray[np.int16] = np.rint(values).clip(-32768, 32767).astype(np.int16)
    return rounded


def make_frame(samples: NDArray[np.int16], rate_hz: int) -> AudioFrame:
    """Wrap mono int16 samples in a frame without a timestamp."""
    frame = AudioFrame.from_ndarray(samples[np.newaxis, :], format="s16", layout="mono")
    frame.sample_rate = rate_hz
    return frame


def _join(frames: list[AudioFrame]) -> NDArray[np.int16]:
    blocks = [frame.to_ndarray()[0].astype(np.int16) for frame in frames]
    return np.concatenate(blocks) if blocks else np.empty(0, dtype=np.int16)
