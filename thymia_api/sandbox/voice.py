"""Measurable facts of a voice recording that the sandbox's synthetic scores and warnings react to.

Plain signal measurements (level, pauses, syllable-like modulation, pitch by autocorrelation, clipping,
signal-to-noise ratio), vectorised; they are no clinical markers and nothing here reads a state of mind.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000
_FRAME = 160  # 10 ms
_PITCH_FRAME, _PITCH_HOP, _PITCH_FFT = 640, 640, 2048
_PITCH_BLOCK = 1024  # frames a block, so that 3 minutes need a few MB, not hundreds
_PITCH_RANGE_HZ = (70.0, 400.0)
_FULL_SCALE = 0.997
_MIN_NOISE_FRAMES = 50

Segments = Sequence[tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class VoiceFeatures:
    """What was measured; `None` where a recording holds too little to measure it."""

    speech_s: float
    pause_share: float  # of the time between the first and the last speech
    mean_pause_s: float
    speech_rate_hz: float  # syllable-like rises of the envelope per second of speech
    pitch_sd_semitones: float | None
    level_dbfs: float  # RMS while speaking
    snr_db: float
    clipped_share: float


def compute_voice(
    samples: NDArray[np.float32], samples_16k: NDArray[np.float32], segments: Segments
) -> VoiceFeatures:
    """Measure a recording: `samples` at its own rate (for clipping), at 16 kHz, and its stretches of speech in s.

    There has to be at least one stretch. Costs about 2 ms per second of audio.
    """
    if not segments:
        raise ValueError("a recording without speech has no voice to measure")
    power = compute_frame_power(samples_16k)
    is_speech = _mark_speech(segments, power.size)
    speech_s = sum(end - start for start, end in segments)
    span_s = segments[-1][1] - segments[0][0]
    pauses = [after[0] - before[1] for before, after in itertools.pairwise(segments)]
    speech_power = float(power[is_speech].mean()) if is_speech.any() else 0.0
    return VoiceFeatures(
        speech_s=speech_s,
        pause_share=max(0.0, 1 - speech_s / span_s) if span_s > 0 else 0.0,
        mean_pause_s=sum(pauses) / len(pauses) if pauses else 0.0,
        speech_rate_hz=_compute_speech_rate(power, is_speech),
        pitch_sd_semitones=_compute_pitch_sd(samples_16k, is_speech),
        level_dbfs=float(10 * np.log10(speech_power + 1e-12)),
        snr_db=_compute_snr(power, is_speech),
        clipped_share=float(np.mean(np.abs(samples) >= _FULL_SCALE)) if samples.size else 0.0,
    )


def compute_frame_power(samples_16k: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean square of each whole 10 ms."""
    n_frames = samples_16k.size // _FRAME
    frames = samples_16k[: n_frames * _FRAME].reshape(n_frames, _FRAME)
    power: NDArray[np.float64] = np.einsum("ij,ij->i", frames, frames).astype(np.float64) / _FRAME
    return power


def _mark_speech(segments: Segments, n_frames: int) -> NDArray[np.bool_]:
    is_speech = np.zeros(n_frames, dtype=np.bool_)
    for start_s, end_s in segments:
        is_speech[int(start_s * RATE_HZ / _FRAME) : int(end_s * RATE_HZ / _FRAME)] = True
    return is_speech


def _compute_snr(power: NDArray[np.float64], is_speech: NDArray[np.bool_]) -> float:
    # 100 ms beside speech belong to neither side: onsets and tails that the detector cut.
    near_speech = np.convolve(is_speech, np.ones(21), mode="same") > 0 if is_speech.size else is_speech
    noise_frames = power[~near_speech]
    if noise_frames.size < _MIN_NOISE_FRAMES:
        # Without a real pause the quietest moments between words stand in for the noise.
        noise = float(np.percentile(power, 5)) if power.size else 0.0
    else:
        noise = float(noise_frames.mean())
    speech = float(power[is_speech].mean()) if is_speech.any() else 0.0
    snr_db = 10 * np.log10(max(speech - noise, 1e-12) / max(noise, 1e-12))
    return float(np.clip(snr_db, -20.0, 80.0))


def _compute_speech_rate(power: NDArray[np.float64], is_speech: NDArray[np.bool_]) -> float:
    n_speech = int(is_speech.sum())
    if n_speech < 100:
        return 0.0
    level = 10 * np.log10(power + 1e-9)
    modulation = _smooth(level, 5) - _smooth(level, 41)
    # A rise counts when the curve goes from below -1 dB to above +1 dB: hysteresis without a loop.
    state = np.where(modulation > 1, 1, np.where(modulation < -1, -1, 0))
    marks = np.flatnonzero((state != 0) & is_speech)
    signs = state[marks]
    rises = int(np.count_nonzero((signs[1:] == 1) & (signs[:-1] == -1)))
    return rises / (n_speech * _FRAME / RATE_HZ)


def _smooth(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    return np.convolve(values, np.ones(width) / width, mode="same")


def _compute_pitch_sd(samples_16k: NDArray[np.float32], is_speech: NDArray[np.bool_]) -> float | None:
    n_frames = samples_16k.size // _PITCH_HOP
    spoken = is_speech[: n_frames * _PITCH_HOP // _FRAME].reshape(n_frames, -1).all(axis=1)
    frames = samples_16k[: n_frames * _PITCH_HOP].reshape(n_frames, _PITCH_FRAME)[spoken]
    shortest, longest = (int(RATE_HZ / hz) for hz in reversed(_PITCH_RANGE_HZ))
    pitches: list[NDArray[np.float64]] = []
    window = np.hanning(_PITCH_FRAME).astype(np.float32)
    for start in range(0, len(frames), _PITCH_BLOCK):
        block = frames[start : start + _PITCH_BLOCK]
        block = (block - block.mean(axis=1, keepdims=True)) * window
        spectrum = np.fft.rfft(block, _PITCH_FFT, axis=1)
        correlation = np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, : longest + 1]
        correlation = correlation / np.maximum(correlation[:, :1], 1e-9)
        lags = correlation[:, shortest:].argmax(axis=1) + shortest
        is_voiced = np.take_along_axis(correlation, lags[:, None], axis=1)[:, 0] > 0.35
        pitches.append(RATE_HZ / lags[is_voiced])
    pitch = np.concatenate(pitches) if pitches else np.empty(0)
    if pitch.size < 20:
        return None
    semitones = 12 * np.log2(pitch / np.median(pitch))
    return float(np.std(semitones[np.abs(semitones) < 10]))
