"""Lossless mono FLAC of 16 or 24 bits, checked by decoding; the same samples always give the same bytes."""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from .errors import FlacError, SpoolError
from .frames import make_frame
from .spool import SpooledTake

_BLOCK_SAMPLES = 4096  # of FLAC's own frames; fixed so that bytes do not depend on an encoder's default


def encode_flac(samples: NDArray[np.int16] | NDArray[np.int32], rate_hz: int) -> bytes:
    """Encode mono int16 samples, or int32 ones that hold 24 bits; FlacError when decoding gives anything else.

    Carries no time stamp and no encoder version. About 4 ms per second of audio, the check included.
    """
    if samples.ndim != 1 or not samples.size or samples.dtype not in (np.int16, np.int32):
        raise ValueError(f"FLAC takes mono int16 or int32 samples, not {samples.dtype} of shape {samples.shape}.")
    try:
        encoded = _encode(samples, rate_hz)
        decoded, decoded_rate_hz = _decode(encoded)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise FlacError(f"The recording could not be made into FLAC: {error}") from error
    if decoded_rate_hz != rate_hz or not np.array_equal(decoded, samples):
        raise FlacError("The FLAC does not hold exactly what was recorded; the spooled take is kept.")
    return encoded


def write_flac(take: SpooledTake, path: Path) -> Path:
    """Write a take as FLAC to `path` (0600, synced, appears whole or not at all) and return the path.

    The take stays in the spool; discard it when the file is safely in the store. Raises FlacError, SpoolError.
    """
    encoded = encode_flac(take.load_samples(), take.facts.sample_rate_hz)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(encoded)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise SpoolError.from_os_error(error) from error
    return path


def _encode(samples: NDArray[np.int16] | NDArray[np.int32], rate_hz: int) -> bytes:
    buffer = io.BytesIO()
    is_wide = samples.dtype == np.int32
    wrap: Callable[[NDArray[Any], int], AudioFrame] = _make_wide_frame if is_wide else make_frame
    options = {"flags": "+bitexact", **({"bits_per_raw_sample": "24"} if is_wide else {})}
    with av.open(buffer, "w", format="flac", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("flac", rate=rate_hz, layout="mono", options=options)
        stream.codec_context.format = "s32" if is_wide else "s16"
        stream.codec_context.open(strict=False)
        size = stream.codec_context.frame_size or _BLOCK_SAMPLES
        for start in range(0, samples.size, size):
            block = samples[start : start + size]
            frame = wrap(block, rate_hz)
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def _make_wide_frame(samples: NDArray[Any], rate_hz: int) -> AudioFrame:
    """FFmpeg has no 24-bit samples: they are the upper three octets of 32."""
    frame = AudioFrame.from_ndarray((samples << 8)[np.newaxis, :], format="s32", layout="mono")
    frame.sample_rate = rate_hz
    return frame


def _decode(encoded: bytes) -> tuple[NDArray[np.int16] | NDArray[np.int32], int]:
    with av.open(io.BytesIO(encoded), "r", format="flac") as container:
        stream = container.streams.audio[0]
        joined = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(stream)])
        rate_hz = stream.codec_context.sample_rate
        return (joined >> 8 if joined.dtype == np.int32 else joined.astype(np.int16, casting="safe")), rate_hz
