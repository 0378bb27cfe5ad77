"""Sounds and files for the tests of recording: made here by PyAV, or taken from the shipped sample."""

import functools
import io
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from thymia_api.speech import decode_recording

SAMPLE = Path(__file__).resolve().parents[2] / "data" / "samples" / "jfk.flac"
RATE_HZ = 48_000

# name → (container, codec, rate, layout)
CODINGS = {
    "wav": ("wav", "pcm_s16le", 48_000, "mono"),
    "flac": ("flac", "flac", 48_000, "mono"),
    "mp3": ("mp3", "libmp3lame", 44_100, "mono"),
    "mp4": ("mp4", "aac", 48_000, "mono"),
    "ogg-opus": ("ogg", "libopus", 48_000, "mono"),
    "ogg-vorbis": ("ogg", "vorbis", 44_100, "stereo"),
    "webm": ("webm", "libopus", 48_000, "mono"),
}


@functools.cache
def load_speech(repeats: int = 1) -> NDArray[np.float32]:
    """Real speech at 48 kHz, mono: 11 s with 7.6 s of speech, `repeats` times over."""
    return np.tile(resample(decode_recording(SAMPLE).samples, 44_100, RATE_HZ), repeats)


@functools.cache
def load_speech_16k() -> NDArray[np.float32]:
    return decode_recording(SAMPLE).samples_16k


def to_int16(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    return np.rint(samples * 32767).clip(-32768, 32767).astype(np.int16)


def make_tone(
    seconds: float, *, hz: float = 440.0, rate_hz: int = RATE_HZ, amplitude: float = 0.3
) -> NDArray[np.float32]:
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    return (amplitude * np.sin(2 * np.pi * hz * at)).astype(np.float32)


def make_noise(seconds: float, *, rate_hz: int = RATE_HZ, rms: float = 0.05, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, rms, round(seconds * rate_hz)).astype(np.float32)


def low_pass(samples: NDArray[np.float32], cutoff_hz: float, rate_hz: int = RATE_HZ) -> NDArray[np.float32]:
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(samples.size, 1 / rate_hz) > cutoff_hz] = 0
    filtered = np.fft.irfft(spectrum, samples.size).astype(np.float32)
    return (np.rint(filtered * 32768) / 32768).astype(np.float32)


def resample(samples: NDArray[np.float32], from_hz: int, to_hz: int) -> NDArray[np.float32]:
    resampler = av.AudioResampler(format="flt", layout="mono", rate=to_hz)
    frame = av.AudioFrame.from_ndarray(samples[np.newaxis, :], format="flt", layout="mono")
    frame.sample_rate = from_hz
    return np.concatenate([out.to_ndarray()[0] for out in [*resampler.resample(frame), *resampler.resample(None)]])


def encode(
    samples: NDArray[np.float32], coding: str, *, options: dict[str, str] | None = None, video: bool = False
) -> bytes:
    """Code mono float samples at 48 kHz as one of `CODINGS`, optionally with a video track beside."""
    container_name, codec, rate_hz, layout = CODINGS[coding]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sound.bin"
        with av.open(str(path), "w", format=container_name, options=options or {}) as container:
            picture = container.add_stream("mpeg4", rate=5) if video else None
            if picture is not None:
                picture.width, picture.height, picture.pix_fmt = 32, 32, "yuv420p"
            stream = container.add_stream(codec, rate=rate_hz, layout=layout, options={"strict": "experimental"})
            stream.codec_context.open()
            resampler = av.AudioResampler(
                format=stream.codec_context.format,
                layout=layout,
                rate=rate_hz,
                frame_size=stream.codec_context.frame_size or 0,
            )
            frame = av.AudioFrame.from_ndarray(samples[np.newaxis, :], format="flt", layout="mono")
            frame.sample_rate = RATE_HZ
            for out in [*resampler.resample(frame), *resampler.resample(None)]:
                container.mux(stream.encode(out))
            if picture is not None:
                for number in range(5):
                    image = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 40 * number, np.uint8), format="rgb24")
                    image.pts, image.time_base = number, Fraction(1, 5)
                    container.mux(picture.encode(image))
                container.mux(picture.encode(None))
            container.mux(stream.encode(None))
        return path.read_bytes()


def encode_video_only() -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        picture = container.add_stream("mpeg4", rate=5)
        picture.width, picture.height, picture.pix_fmt = 32, 32, "yuv420p"
        for _ in range(5):
            container.mux(
                picture.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8), format="rgb24"))
            )
        container.mux(picture.encode(None))
    return buffer.getvalue()


def make_webrtc_frames(
    samples: NDArray[np.int16], *, first_pts: int = 0, rate_hz: int = RATE_HZ, frame_samples: int | None = None
) -> list[av.AudioFrame]:
    """Frames as aiortc gives them: packed stereo s16, 20 ms each, equal channels, pts in samples."""
    size = frame_samples or rate_hz // 50
    frames = []
    for start in range(0, samples.size - size + 1, size):
        stereo = np.repeat(samples[start : start + size], 2)[np.newaxis, :]
        frame = av.AudioFrame.from_ndarray(stereo, format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = rate_hz, first_pts + start, Fraction(1, rate_hz)
        frames.append(frame)
    return frames
