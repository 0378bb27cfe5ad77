"""What the fake microphones play, and how what was captured compares with it."""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

RATE_HZ = 48_000

FAKE_RATE_HZ = 44_100  # What Chromium's fake microphone says and gives, whatever the file.


PIECE_S = 1.0


@dataclass(frozen=True)
class Match:
    """How a captured sound compares with the played one.

    `lag_s` is where in the played sound the captured one begins, `drift_ms` by how much more or less was captured
    than played between first and last piece (samples lost or doubled show there). `correlation` is the median over
    pieces of a second of the normalised cross-correlation at the best lag, `snr_db` that of the waveform at the
    best gain in each piece, `coherence` that in 0.1-1, 1-4 and 4-7 kHz.
    """

    lag_s: float
    drift_ms: float
    correlation: float
    snr_db: float
    coherence: tuple[float, float, float]


def load_mono(path: Path, rate_hz: int = RATE_HZ) -> NDArray[np.int16]:
    """All samples of a recording at `rate_hz`, shape (n,)."""
    resampler = av.AudioResampler("s16", "mono", rate_hz)
    parts = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            parts += [part.to_ndarray() for part in resampler.resample(frame)]
    parts += [part.to_ndarray() for part in resampler.resample(None)]
    samples: NDArray[np.int16] = np.concatenate(parts, axis=1)[0]
    return samples


def write_wav(path: Path, samples: NDArray[np.int16], rate_hz: int = RATE_HZ) -> None:
    """Mono."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(samples.astype("<i2").tobytes())


def compare(captured: NDArray[np.int16], played: NDArray[np.int16]) -> Match:
    """Find the captured sound in the played one (both at `RATE_HZ`); raises `ValueError` for silence alone."""
    heard = captured.astype(np.float64)
    loud = np.sqrt(np.mean(heard**2)) / 4
    size = round(PIECE_S * RATE_HZ)
    starts = [
        at for at in range(0, heard.size - size, size) if np.sqrt(np.mean(heard[at : at + size] ** 2)) > loud
    ]
    if not starts:
        raise ValueError("nothing to compare")
    first, _ = _find(heard[: 4 * size], played)
    lags, scores, signal, noise, unders, heards = [], [], 0.0, 0.0, [], []
    for start in starts:
        piece = heard[start : start + size]
        lag, score = _find(piece, played)
        under = _repeat(played, lag, size)
        scaled = float(piece @ under / (under @ under)) * under
        signal += float(scaled @ scaled)
        noise += float((piece - scaled) @ (piece - scaled))
        lags.append((lag - start - first + played.size // 2) % played.size - played.size // 2)
        scores.append(score)
        unders.append(under)
        heards.append(piece)
    return Match(
        lag_s=first / RATE_HZ,
        drift_ms=1000 * (lags[-1] - lags[0]) / RATE_HZ,
        correlation=float(np.median(scores)),
        snr_db=float(10 * np.log10(signal / noise)),
        coherence=_compute_coherence(np.concatenate(heards), np.concatenate(unders)),
    )


@dataclass(frozen=True)
class ExactMatch:
    """How a captured sound differs from the played loop, sample by sample and without any gain.

    `lag` is where in the loop it begins, `wrong` how many samples differ, `snr_db` infinite when none does.
    """

    lag: int
    wrong: int
    snr_db: float


def compare_exactly(captured: NDArray[np.int16], played: NDArray[np.int16]) -> ExactMatch:
    """Lay the captured sound over the played loop (both at the same rate), from its first loud second on."""
    heard = captured.astype(np.float64)
    at = int(np.argmax(np.convolve(heard**2, np.ones(4096), "valid")))
    piece = heard[at : at + 16_384]
    lag, _ = _find(piece, played)
    start = (lag - at) % played.size
    under = _repeat(played, start, heard.size)
    difference = heard - under
    noise = float(difference @ difference)
    snr_db = float(10 * np.log10(under @ under / noise)) if noise else float("inf")
    return ExactMatch(start, int(np.count_nonzero(difference)), snr_db)


@dataclass(frozen=True)
class Stretch:
    """Captured samples `start` to `stop` that are the played loop without a single difference, from `lag` on.

    `lag` is where in the loop the captured sound would begin: between two stretches it grows by what is missing
    there, and shrinks by what was put in.
    """

    start: int
    stop: int
    lag: int


def find_stretches(captured: NDArray[np.int16], played: NDArray[np.int16], size: int = 512) -> list[Stretch]:
    """All that is exactly the played loop in the captured sound (both at one rate), in stretches >= `size`."""
    loop = np.concatenate([played, played[:size]]).tobytes()
    stretches: list[Stretch] = []
    at = 0
    while at + size <= captured.size:
        piece = captured[at : at + size]
        octet = loop.find(piece.tobytes()) if piece.any() else -1
        if octet < 0 or octet % 2:
            at += size // 4
            continue
        lag = (octet // 2 - at) % played.size
        wrong = np.flatnonzero(captured != _repeat(played, lag, captured.size))
        before = stretches[-1].stop if stretches else 0
        start = max([before, *(wrong[wrong < at][-1:] + 1)])
        stop = min([captured.size, *wrong[wrong > at][:1]])
        stretches.append(Stretch(int(start), int(stop), lag))
        at = stretches[-1].stop
    return stretches


def _find(heard: NDArray[np.float64], played: NDArray[np.int16]) -> tuple[int, float]:
    """Where in the played loop the heard part begins, in samples, and the normalised correlation there."""
    loop = _repeat(played, 0, played.size + heard.size)
    size = 1 << (loop.size + heard.size).bit_length()
    products = np.fft.irfft(np.fft.rfft(loop, size) * np.conj(np.fft.rfft(heard, size)), size)[: played.size]
    energy = np.concatenate([[0.0], np.cumsum(loop**2)])
    norms = np.sqrt((energy[heard.size :][: played.size] - energy[: played.size]) * (heard @ heard))
    scores = products / np.maximum(norms, 1e-9)
    lag = int(np.argmax(scores))
    return lag, float(scores[lag])


def _repeat(played: NDArray[np.int16], start: int, n_samples: int) -> NDArray[np.float64]:
    return played[(np.arange(n_samples) + start) % played.size].astype(np.float64)


def _compute_coherence(left: NDArray[np.float64], right: NDArray[np.float64]) -> tuple[float, float, float]:
    """Magnitude-squared coherence (Welch's method) weighted by power, in 0.1-1, 1-4 and 4-7 kHz."""
    size = 2048
    window = np.hanning(size)
    starts = range(0, left.size - size, size // 2)
    spectra_left = np.fft.rfft([left[start : start + size] * window for start in starts])
    spectra_right = np.fft.rfft([right[start : start + size] * window for start in starts])
    cross = np.abs((spectra_left * np.conj(spectra_right)).mean(axis=0)) ** 2
    power_left = (np.abs(spectra_left) ** 2).mean(axis=0)
    power_right = (np.abs(spectra_right) ** 2).mean(axis=0)
    frequencies = np.fft.rfftfreq(size, 1 / RATE_HZ)

    def band(low: float, high: float) -> float:
        inside = (frequencies >= low) & (frequencies < high)
        coherence = cross[inside] / (power_left[inside] * power_right[inside])
        return float(np.average(coherence, weights=power_right[inside]))

    return band(100, 1000), band(1000, 4000), band(4000, 7000)
