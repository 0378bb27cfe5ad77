"""How good a recording is: measured numbers, and a verdict with advice for each.

Levels are RMS re full scale (a full-scale sine has −3.01 dBFS). Speech and pauses are told apart by the speech
detector, so that level means the voice and noise means the room.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from thymia_api.speech import SpeechMeasure, SpeechSegment

from .levels import CLIP_LEVEL, FLOOR_DBFS, compute_dbfs, compute_rms

GOOD_SPEECH_S = 15.0
"""Warn below: the service's own count may differ a little from ours, and 10 s is its limit."""
MIN_LEVEL_DBFS = -42.0
"""Warn below: a voice this quiet has lost seven of 16 bits, and usually lies in the noise of its microphone."""
MAX_LEVEL_DBFS = -8.0
"""Warn above: speech has 12 dB and more between RMS and peak, so such a level means limiting or clipping."""
MAX_CLIPPED_SHARE = 0.0001
"""Warn above: five clipped samples in each second at 48 kHz are audible as crackle and disturb voice measures."""
MIN_SNR_DB = 15.0
"""Warn below: usual lower bound for pitch and formant measures; a quiet office gives 25 dB and more."""
MIN_BANDWIDTH_HZ = 6_000.0
"""Warn below: telephone and narrow-band Bluetooth sound ends at 3.4–4 kHz and lacks the fricatives."""
MAX_MISSING_SHARE = 0.01
"""Warn above: one lost packet is a hole of 0.1 s, and 1 % of a minute is six of them."""

SNR_CAP_DB = 80.0  # beyond what a microphone in a room can give: the pauses were gated to digital silence
_FRAME_S = 0.02
_GUARD_S = 0.15  # around speech: the detector's edges are one or two windows (32 ms) wide, breath is longer
_MIN_PAUSE_S = 0.4
_MIN_VOICE_S = 0.5
_BAND_HZ = 250.0
_ABOVE_NOISE_DB = 6.0
_BELOW_PEAK_DB = 70.0  # speech spans less; what is further down is the resampler's or the window's leakage
_WINDOW_S = 0.032
_LOUD_PERCENTILE = 90
_NEIGHBOURS = 3
_MAX_HOLE_HZ = 1_500.0
_FLAT_RUN, _FLAT_RUNS, _FLAT_MIN_PEAK = 4, 10, 0.25


class Verdict(StrEnum):
    """What a row means for submitting: go on, go on with a reason, or not."""

    PASS = "pass"  # noqa: S105 (a verdict, no secret)
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Quality:
    """Measured facts of a recording; None where the sound does not allow a measurement (`*_note` says why)."""

    speech_s: float
    duration_s: float
    level_dbfs: float
    peak_dbfs: float
    clipped_share: float
    snr_db: float | None
    bandwidth_hz: float | None
    missing_share: float
    sample_rate_hz: int
    snr_note: str = ""


@dataclass(frozen=True, slots=True)
class QualityRow:
    """One row of the review: `value` in `unit` (None: not measurable), `text` to show, advice unless passed."""

    name: str
    label: str
    value: float | None
    unit: str
    text: str
    verdict: Verdict
    advice: str = ""


def compute_quality(
    samples: NDArray[np.float32],
    rate_hz: int,
    *,
    speech: SpeechMeasure,
    missing_share: float = 0.0,
    duration_s: float | None = None,
) -> Quality:
    """Measure mono float32 samples in −1…1; `speech` comes from `measure_speech` on the same audio.

    `duration_s` replaces the length of the samples when only the beginning of a long file was decoded. Blocking,
    about 3 ms per second of audio.
    """
    if samples.ndim != 1 or not samples.size:
        raise ValueError(f"samples must be one dimension and not empty, not shape {samples.shape}.")
    powers = _compute_frame_powers(samples, rate_hz)
    is_voice, is_pause = _mark_frames(len(powers), speech.segments)
    voice_power = float(powers[is_voice].mean()) if is_voice.any() else compute_rms(samples) ** 2
    snr_db, snr_note = _compute_snr_db(powers[is_voice], powers[is_pause], has_gaps=missing_share > 0)
    return Quality(
        speech_s=speech.speech_s,
        duration_s=samples.size / rate_hz if duration_s is None else duration_s,
        level_dbfs=compute_dbfs(voice_power**0.5),
        peak_dbfs=compute_dbfs(float(np.abs(samples).max())),
        clipped_share=compute_clipped_share(samples),
        snr_db=snr_db,
        bandwidth_hz=_compute_bandwidth_hz(samples, rate_hz, speech.segments),
        missing_share=missing_share,
        sample_rate_hz=rate_hz,
        snr_note=snr_note,
    )


def compute_clipped_share(samples: NDArray[np.float32]) -> float:
    """Share of samples at full scale, or in flat tops at a lower peak (clipped first, turned down later)."""
    if not samples.size:
        return 0.0
    magnitude = np.abs(samples)
    at_full_scale = int(np.count_nonzero(magnitude >= CLIP_LEVEL))
    if at_full_scale:
        return at_full_scale / samples.size
    peak = float(magnitude.max())
    if peak < _FLAT_MIN_PEAK:
        return 0.0
    # Only runs of all but equal samples at the very peak: the top of a slow wave is rounder than that.
    is_flat = magnitude >= peak - 1 / 32768
    edges = np.flatnonzero(np.diff(np.concatenate(([False], is_flat, [False])).astype(np.int8)))
    runs = edges[1::2] - edges[::2]
    long_runs = runs[runs >= _FLAT_RUN]
    return float(long_runs.sum()) / samples.size if long_runs.size >= _FLAT_RUNS else 0.0


def _compute_frame_powers(samples: NDArray[np.float32], rate_hz: int) -> NDArray[np.float64]:
    step = max(1, round(_FRAME_S * rate_hz))
    if samples.size < step:
        return np.array([compute_rms(samples) ** 2])
    whole = samples[: samples.size - samples.size % step].reshape(-1, step)
    # The mean of each frame is taken out: a constant offset is no noise.
    powers: NDArray[np.float64] = whole.var(axis=1, dtype=np.float64)
    return powers


def _mark_frames(n: int, segments: tuple[SpeechSegment, ...]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    starts = np.arange(n) * _FRAME_S
    is_voice, is_near = np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_)
    for start_s, end_s in segments:
        is_voice |= (starts >= start_s) & (starts + _FRAME_S <= end_s)
        is_near |= (starts + _FRAME_S > start_s - _GUARD_S) & (starts < end_s + _GUARD_S)
    return is_voice, ~is_near


def _compute_snr_db(
    voice: NDArray[np.float64], pause: NDArray[np.float64], *, has_gaps: bool
) -> tuple[float | None, str]:
    """Voice power over the median of the pauses' power; the median keeps a cough or a click out of it."""
    if voice.size * _FRAME_S < _MIN_VOICE_S:
        return None, "not enough speech to measure"
    is_digital_silence = pause < 10 ** (FLOOR_DBFS / 10)
    if is_digital_silence.any() and has_gaps:
        pause = pause[~is_digital_silence]  # silence put in for lost packets is not the room
    if pause.size * _FRAME_S < _MIN_PAUSE_S:
        return None, "not enough silence to measure"
    noise = float(np.median(pause))
    signal = float(voice.mean()) - noise
    if signal <= 0:
        return 0.0, ""
    return min(SNR_CAP_DB, 10 * float(np.log10(signal / max(noise, 1e-12)))), ""


def _compute_bandwidth_hz(
    samples: NDArray[np.float32], rate_hz: int, segments: tuple[SpeechSegment, ...]
) -> float | None:
    """Upper edge of the highest band in which the voice stands out from the pauses' noise."""
    size = 1 << round(np.log2(_WINDOW_S * rate_hz))
    frames = samples.size // size
    if not frames:
        return None
    middles = (np.arange(frames) + 0.5) * size / rate_hz
    half_s = size / rate_hz / 2
    is_voice, is_pause = np.zeros(frames, dtype=np.bool_), np.ones(frames, dtype=np.bool_)
    for start_s, end_s in segments:
        is_voice |= (middles - half_s >= start_s) & (middles + half_s <= end_s)
        is_pause &= (middles + half_s < start_s - _GUARD_S) | (middles - half_s > end_s + _GUARD_S)
    if is_voice.sum() * size / rate_hz < _MIN_VOICE_S:
        return None
    blocks = samples[: frames * size].reshape(frames, size)
    voice = _compute_band_powers(blocks[is_voice], rate_hz)
    has_pause = is_pause.sum() * size / rate_hz >= _MIN_PAUSE_S
    noise = _compute_band_powers(blocks[is_pause], rate_hz) if has_pause else np.zeros_like(voice)
    stands_out = (voice > noise * 10 ** (_ABOVE_NOISE_DB / 10)) & (
        voice > voice.max() * 10 ** (-_BELOW_PEAK_DB / 10)
    )
    # A band or two alone are a whistle or a beat of chance; neighbours are a voice.
    supported = np.flatnonzero(np.convolve(stands_out, np.ones(_NEIGHBOURS), "valid") == _NEIGHBOURS)
    if not supported.size:
        return None
    # What lies beyond a wide hole is a codec's artefact or a whistle (seen in digitised tapes), not the voice.
    band_hz = max(1, round(_BAND_HZ * size / rate_hz)) * rate_hz / size
    holes = np.flatnonzero(np.diff(supported) * band_hz > _MAX_HOLE_HZ)
    top = supported[holes[0]] if holes.size else supported[-1]
    return float(min((top + _NEIGHBOURS) * band_hz, rate_hz / 2))


def _compute_band_powers(blocks: NDArray[np.float32], rate_hz: int) -> NDArray[np.float64]:
    """Power of each band in its loudest moments: fricatives are short and would drown in an average."""
    size = blocks.shape[1]
    window = np.blackman(size).astype(np.float32)  # side lobes below −58 dB at once, −90 dB a few bins on
    bins_per_band = max(1, round(_BAND_HZ * size / rate_hz))
    bands = (size // 2 + 1) // bins_per_band
    powers = np.empty((len(blocks), bands))
    for start in range(0, len(blocks), 256):  # bounds memory
        spectrum = np.square(np.abs(np.fft.rfft(blocks[start : start + 256] * window, axis=1)))
        whole = spectrum[:, : bands * bins_per_band].reshape(-1, bands, bins_per_band)
        powers[start : start + 256] = whole.mean(axis=2)
    loudest: NDArray[np.float64] = np.percentile(powers, _LOUD_PERCENTILE, axis=0)
    return loudest
