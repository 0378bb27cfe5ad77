"""Recordings for the sandbox's tests, made from the shipped sample (human speech) and encoded with PyAV."""

import io
from functools import cache
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from thymia_api.speech import decode_recording

RATE_HZ = 16_000
SAMPLE = Path(__file__).parents[2] / "data" / "samples" / "jfk.flac"
ENCODINGS = {
    "flac": ("flac", "flac", "s16"),
    "mp3": ("mp3", "libmp3lame", "s16p"),
    "mp4": ("mp4", "aac", "fltp"),
    "ogg": ("ogg", "libopus", "s16"),
    "webm": ("webm", "libopus", "s16"),
    "wav": ("wav", "pcm_s16le", "s16"),
}


@cache
def load_speech() -> NDArray[np.float32]:
    """11 s of a person speaking (7.6 s of it speech), at 16 kHz."""
    return decode_recording(SAMPLE).samples_16k


def make_speech(duration_s: float) -> NDArray[np.float32]:
    """That speech over and over, cut to a length."""
    speech = load_speech()
    n_samples = int(duration_s * RATE_HZ)
    return np.tile(speech, n_samples // speech.size + 1)[:n_samples]


def encode(samples: NDArray[np.float32], kind: str = "wav") -> bytes:
    """The samples (mono, 16 kHz) as a file of one of the six formats."""
    container_name, codec, sample_format = ENCODINGS[kind]
    file = io.BytesIO()
    rate_hz = 48_000 if codec == "libopus" else RATE_HZ
    with av.open(file, "w", format=container_name) as container:
        stream = container.add_stream(codec, rate=rate_hz, layout="mono")
        frame_size = stream.codec_context.frame_size or 0
        resampler = av.AudioResampler(sample_format, "mono", rate_hz, frame_size=frame_size)
        values = (np.clip(samples, -1, 1) * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(values.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
    return file.getvalue()
